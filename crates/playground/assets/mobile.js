/*
 * A view in an app: what Klarna's native SDKs do for iOS, Android and React Native, done by a page in a web view.
 *
 * The app's side gives commands as JSON, `{"command": "load", "arguments": ["…"]}`, to `KassaMobile.command`; commands and
 * arguments are those of the native views. What the SDK would tell its listener goes back as JSON,
 * `{"event": "onLoaded", "body": {…}}`, by whatever the web view offers to its pages, else by `KassaMobile.take`. The page
 * decides nothing: it asks the browser library, and tells the app what that was told, in the words of the native SDKs.
 */

import { expressView } from './mobile_express.js';
import { messagingView } from './mobile_messaging.js';
import { paymentView } from './mobile_payment.js';

const KINDS = { payment: paymentView, express: expressView, messaging: messagingView };
const root = document.getElementById('view');
const kept = []; // events for whoever comes and takes them
const sessionId = newId();
let view = null;


/** An id of the SDK's own; not by `crypto.randomUUID`, which a web view has for secure pages only. */
function newId() {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function tell(event, body) {
  const text = JSON.stringify({ event, body: body || {} });
  const handlers = window.webkit && window.webkit.messageHandlers;
  if (window.ReactNativeWebView) window.ReactNativeWebView.postMessage(text);
  else if (handlers && handlers.KassaMobile) handlers.KassaMobile.postMessage(text);
  else if (window.KassaMobileHost) window.KassaMobileHost.postMessage(text);
  else kept.push(text);
}

/** An error in the form of the native SDKs. `call` is the library's own name of what failed. */
function fail(action, call, name, more) {
  tell('onError', { error: {
    action, name, message: `Error performing Klarna.Payments.${call}().`, isFatal: false, sessionId, invalidFields: [], ...more,
  } });
}

function command(text) {
  const { command: name, arguments: given = [] } = JSON.parse(text);
  if (!window.Klarna || !window.Klarna.Payments) {
    fail(null, name, 'SDK_NOT_AVAILABLE', { message: 'Klarna is not available on this device.', isFatal: true });
    return;
  }
  if (name === 'create') {
    const [kind, properties] = given;
    // Klarna's library knows by this that an app is around it: it opens no window then.
    window.__KlarnaInAppSDKWebViewInfo = { version: 'kassa-playground', view: kind };
    root.replaceChildren();
    for (const event of ['heightChanged', 'fullscreenOverlayShown', 'fullscreenOverlayHidden']) window.Klarna.Payments.off(event);
    // For whoever hosts the view: the purchase flow needs the whole screen. An app is not told.
    window.Klarna.Payments.on('fullscreenOverlayShown', () => tell('overlay', { shown: true }));
    window.Klarna.Payments.on('fullscreenOverlayHidden', () => tell('overlay', { shown: false }));
    view = KINDS[kind]({ root, tell, fail }, properties || {});
    return;
  }
  if (view === null || !Object.hasOwn(view, name)) throw new Error(`No such command: ${name}`);
  view[name](...given);
}

window.KassaMobile = { command, take: () => kept.splice(0) };
tell('ready');
