// Native modules of Klarna's wrapper that are no views.
'use strict';

const { signIn } = require('./sign_in.js');

module.exports = { modules: { RNKlarnaSignIn: signIn } };
