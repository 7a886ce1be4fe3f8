// The native half of Klarna's wrapper, as `PaymentViewWrapper` and its siblings are for iOS and Android: properties and
// commands go to the SDK's view, the SDK's events come back as React's. What differs between the two platforms is here.
'use strict';

const { say } = require('./line.js');

/** What the SDK calls the view, by the wrapper's name of it, and which properties it is made of. */
const KINDS = {
  RNKlarnaPaymentView: { kind: 'payment', properties: ['category', 'returnUrl'] },
  RNKlarnaOSMView: {
    kind: 'messaging',
    properties: ['clientId', 'placementKey', 'locale', 'purchaseAmount', 'environment', 'region', 'theme', 'backgroundColor',
      'textColor', 'returnUrl'],
  },
  RNKlarnaExpressCheckoutView: {
    kind: 'express',
    properties: ['sessionType', 'clientId', 'clientToken', 'locale', 'environment', 'region', 'returnUrl', 'theme', 'shape',
      'buttonStyle', 'autoFinalize', 'collectShippingAddress', 'sessionData'],
  },
};

class NativeView {
  constructor(platform, type, given) {
    Object.assign(this, { platform, type, given: this.read(type, given) });
    say({ command: 'create', arguments: [KINDS[type].kind, { platform, ...this.given }] });
  }

  read(type, given) {
    return Object.fromEntries(KINDS[type].properties.map((name) => [name, given[name]]));
  }

  /** React has rendered anew. */
  update(given) {
    const now = this.read(this.type, given);
    const changed = Object.entries(now).filter(([name, value]) => this.given[name] !== value);
    this.given = now;
    if (changed.length > 0) say({ command: 'update', arguments: [Object.fromEntries(changed)] });
  }

  dispatch(command, given) {
    say({ command, arguments: given });
  }

  /** An event of the SDK in the form in which it comes to JavaScript. */
  marshal(event, body) {
    if (event === 'onInitialized' || event === 'onLoaded' || event === 'onLoadedPaymentReview') return {};
    if (this.platform === 'android' || this.type !== 'RNKlarnaPaymentView') return body;
    // C++ has no null for a text, and the wrapper for iOS passes on four members of an error.
    if (event === 'onError') {
      const { action, isFatal, message, name } = body.error;
      return { error: { action: action || '', isFatal, message, name } };
    }
    return 'authToken' in body ? { ...body, authToken: body.authToken || '' } : body;
  }
}

module.exports = { NativeView };
