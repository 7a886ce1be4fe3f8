// The native module for signing in, as the SDKs have it: it sends the shopper's browser to Klarna with a challenge, waits
// for the app's own address, and redeems the code. `shopper.js` is that browser.
'use strict';

const { createHash, randomBytes } = require('node:crypto');
const { visit } = require('./shopper.js');

const { PLATFORM, PLAYGROUND } = process.env;
const MARKETS = /^[A-Z]{2}$/;
const instances = new Map();

/** As native modules reject: what it was stands in `userInfo`, on iOS as texts throughout. */
function refusal(name, message, fatal, more) {
  const isFatal = PLATFORM === 'ios' ? String(fatal) : fatal;
  return Object.assign(new Error(message), { userInfo: { name, message, isFatal, ...more } });
}

const text = (bytes) => randomBytes(bytes).toString('base64url');

async function redeem(client_id, redirect_uri, code, code_verifier, description) {
  const answer = await fetch(description.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier }),
  });
  const body = await answer.json();
  if (!answer.ok) throw refusal('KlarnaSignInAuthorizationFailed', body.error_description || body.error, false);
  return body;
}

const signIn = {
  async init(id, environment, region, returnUrl) {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(returnUrl)) {
      throw refusal('KlarnaSignInInvalidReturnURL', 'Invalid or null return URL.', true);
    }
    instances.set(id, { returnUrl, busy: false });
  },

  async dispose(id) {
    instances.delete(id);
  },

  async signIn(id, clientId, scope, market, locale) {
    const instance = instances.get(id);
    const sessionId = text(9);
    const refuse = (name, message, isFatal) => { throw refusal(name, message, isFatal, { sessionId }); };
    if (instance.busy) refuse('KlarnaSignInAlreadyInProgress', 'A sign-in is under way.', false);
    if (!clientId) refuse('KlarnaSignInInvalidClientID', 'The client identifier is missing.', true);
    if (!MARKETS.test(market)) refuse('KlarnaSignInInvalidMarket', 'The market is not a country.', true);
    if (!scope.split(' ').includes('openid')) refuse('KlarnaSignInInvalidScope', 'The scope lacks openid.', true);
    instance.busy = true;
    try {
      const description = await (await fetch(`${PLAYGROUND}/.well-known/openid-configuration`)).json();
      const [state, nonce, verifier] = [text(16), text(16), text(32)];
      const url = new URL(description.authorization_endpoint);
      url.search = new URLSearchParams({
        client_id: clientId, redirect_uri: instance.returnUrl, response_type: 'code', scope, state, nonce, market,
        ui_locales: locale, code_challenge_method: 'S256',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      });
      const back = await visit(url.href, instance.returnUrl);
      // A page that says why, and no way back to the app.
      if (back === null) refuse('KlarnaSignInAuthorizationFailed', 'Klarna did not lead back to the app.', false);
      const told = Object.fromEntries(back.searchParams);
      if (told.state !== state) refuse('KlarnaSignInAuthorizationFailed', 'The answer is of another sign-in.', false);
      if (told.error === 'access_denied') return { action: 'KlarnaSignInUserCancelled', params: {}, sessionId };
      if (told.error) refuse('KlarnaSignInAuthorizationFailed', told.error_description || told.error, false);
      const token = await redeem(clientId, instance.returnUrl, told.code, verifier, description);
      return { action: 'KlarnaSignInToken', params: { KlarnaSignInToken: token }, sessionId };
    } finally {
      instance.busy = false;
    }
  },
};

module.exports = { signIn };
