// As much of react-native as Klarna's wrapper and an app of a few lines call. Views of Klarna's are in ../views.js; what is
// native is at the other end of a line to the test, see ../line.js.
'use strict';

const { modules } = require('../modules.js');

module.exports = {
  Button: 'Button',
  Text: 'Text',
  View: 'View',
  StyleSheet: { create: (styles) => styles },
  TurboModuleRegistry: {
    getEnforcing(name) {
      if (!modules[name]) throw new Error(`TurboModuleRegistry.getEnforcing(...): '${name}' could not be found.`);
      return modules[name];
    },
  },
};
