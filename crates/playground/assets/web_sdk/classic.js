/*
 * The end of the classic script: window.Klarna.init, and what the script element's attributes ask for.
 */

const element = document.currentScript;
const scriptOrigin = element && element.src ? new URL(element.src, document.baseURI).origin : window.location.origin;
const library = createLibrary(VERSION, scriptOrigin);
// Before anything is put into the page: a second copy of the library fails here and leaves the first one alone.
if (VERSION === 1 || (element && element.dataset.clientId)) library.define();

const Klarna = isObject(window.Klarna) || typeof window.Klarna === 'function' ? window.Klarna : (window.Klarna = {});
Klarna.init = library.init;
// What pages reach by the global name. Another library of Klarna's may have put its own there: it stays.
const put = () => Object.entries(library.namespaces()).forEach(([name, namespace]) => {
  if (!isObject(Klarna[name])) Klarna[name] = namespace;
});
if (VERSION === 1) put();

/** Tells the page, at once or when it has said by whom it wants to be told: at the latest when it has loaded. */
function tell(sdk) {
  const call = () => {
    if (typeof window.KlarnaSDKCallback !== 'function') return false;
    window.KlarnaSDKCallback(sdk);
    return true;
  };
  if (!call() && document.readyState !== 'complete') window.addEventListener('load', call, { once: true });
}

if (element && element.dataset.clientId) {
  const { clientId, environment, locale, shoppingSessionId } = element.dataset;
  library.init({ clientId, environment, locale, shoppingSessionId }).then((sdk) => {
    put();
    tell(sdk);
  }, (error) => library.core.complain('init: ' + error.errorCode + ': ' + error.errorMessage));
} else {
  // Nothing to begin with; the page may call Klarna.init when it hears that it can.
  Promise.resolve().then(() => tell(Klarna));
}
