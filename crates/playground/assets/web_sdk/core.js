/*
 * The playground's stand-in for Klarna's Web SDK: what its products share.
 *
 * A product is a file beside this one with one function, such as `identityProduct(core)`. It answers
 * `{ namespace, elements, also }`: what pages call, what defines its custom elements, and further namespaces. It
 * knows nothing but `core`. The server puts the files together (see web/web_sdk/assets.rs): as a classic script they
 * stand in one function, as a module they stand by themselves.
 *
 * Nothing here writes into a page's markup but through its own shadow roots and elements, and there are no style
 * attributes in markup, so that a page's Content-Security-Policy needs to allow this origin and nothing else.
 */

const SHOPPING_SESSION = '__klarna_sdk_klarna-shopping-session';
const SHOPPING_SESSION_MS = 48 * 60 * 60 * 1000;
const POPUP_POLL_MS = 250;

/** What the SDK rejects with and throws. */
class KlarnaSDKError extends Error {
  constructor(fields) {
    super(fields.errorMessage);
    this.name = 'KlarnaSDKError';
    this.errorId = fields.errorId || randomId();
    this.errorCode = fields.errorCode;
    this.errorType = fields.errorType;
    this.errorMessage = fields.errorMessage;
    if (fields.validationErrors) this.validationErrors = fields.validationErrors;
    if (fields.originalError) this.originalError = fields.originalError;
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

function randomId() {
  if (window.crypto && window.crypto.randomUUID) return window.crypto.randomUUID();
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => ('0' + byte.toString(16)).slice(-2)).join('');
}

/** A promise that somebody else keeps. Nobody has to look at it. */
function deferred() {
  const self = { settled: false };
  self.promise = new Promise((resolve, reject) => {
    self.resolve = (value) => { self.settled = true; resolve(value); };
    self.reject = (error) => { self.settled = true; reject(error); };
  });
  self.promise.catch(() => {});
  return self;
}

/** What the products of one copy of the library share. `origin` is where its script came from. */
function createCore(version, origin) {
  let client = {}; // what the latest init said
  let ready = deferred();
  const sessionListeners = [];
  const defined = new Set(); // custom elements of this copy
  const sheets = new Map(); // style text -> style sheet
  const peers = new Set(); // pages of the playground that we opened
  let memory = null; // the shopping session where storage is forbidden

  const core = { version, origin };

  core.clientId = () => client.clientId || null;
  core.locale = () => client.locale || document.documentElement.lang || window.navigator.language || 'en-US';
  core.accountId = () => client.accountId || null;
  core.sdkToken = () => client.sdkToken || null;
  /** What the server told at the start, once it has: a promise. It fails when this page may not use the SDK. */
  core.whenReady = () => ready.promise;

  // ---- Errors and events ------------------------------------------------------------------------------------------

  core.error = (errorType, errorCode, errorMessage, more) =>
    new KlarnaSDKError(Object.assign({ errorType, errorCode, errorMessage }, more));

  /** Says something to developers. Bad input of a page is told here, and never thrown at shoppers. */
  core.complain = (message, cause) => {
    if (cause === undefined) window.console.error('[klarna] ' + message);
    else window.console.error('[klarna] ' + message, cause);
  };

  /**
   * Events of these names. `aliases` are other spellings: `{ placementRendered: 'placement-rendered' }`. `emit` gives
   * back what the handlers returned, as some of them decide something.
   */
  core.emitter = (names, aliases) => {
    const handlers = new Map();
    const known = (name) => (aliases && aliases[name]) || name;
    const check = (method, name, handler) => {
      if (names.indexOf(known(name)) < 0) core.complain(method + ': there is no event ' + String(name) + '.');
      else if (typeof handler !== 'function') core.complain(method + ': ' + String(name) + ' needs a function.');
      else return true;
      return false;
    };
    return {
      on(name, handler) {
        if (!check('on', name, handler)) return;
        handlers.set(known(name), (handlers.get(known(name)) || []).concat(handler));
      },
      off(name, handler) {
        if (handler === undefined) handlers.delete(known(name));
        else handlers.set(known(name), (handlers.get(known(name)) || []).filter((other) => other !== handler));
      },
      /** How many handlers there are. */
      count(name) {
        return (handlers.get(known(name)) || []).length;
      },
      emit(name, ...args) {
        return (handlers.get(known(name)) || []).slice().map((handler) => {
          try {
            return handler(...args);
          } catch (thrown) {
            // An error in the page's code stays the page's.
            window.setTimeout(() => { throw thrown; }, 0);
            return undefined;
          }
        });
      },
    };
  };

  // ---- The server -------------------------------------------------------------------------------------------------

  /**
   * Posts to the playground, and answers with the JSON that came back, or null for "nothing". `token`, where a call
   * needs one, travels as a bearer token: never in an address.
   */
  core.call = async (path, body, token) => {
    const headers = { 'content-type': 'application/json', 'kassa-client-id': core.clientId() || '' };
    if (token) headers.authorization = 'Bearer ' + token;
    let response;
    try {
      response = await window.fetch(origin + '/web-sdk/internal/' + path, {
        method: 'POST', mode: 'cors', credentials: 'omit', cache: 'no-store', referrerPolicy: 'strict-origin',
        headers, body: JSON.stringify(body || {}),
      });
    } catch (cause) {
      throw core.error('TECHNICAL_ERROR', 'INTERNAL_ERROR', 'The server cannot be reached.', { originalError: cause });
    }
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw core.error(answer.errorType || 'TECHNICAL_ERROR', answer.errorCode || 'INTERNAL_ERROR',
      answer.errorMessage || 'The server answered ' + response.status + '.',
      { errorId: answer.errorId, validationErrors: answer.validationErrors });
  };

  // ---- The shopping session ---------------------------------------------------------------------------------------

  core.shoppingSession = () => {
    let kept = memory;
    try {
      kept = JSON.parse(window.localStorage.getItem(SHOPPING_SESSION)) || kept;
    } catch (unreadable) {
      // Storage is forbidden, or somebody else wrote there: as if nothing were kept.
    }
    const lives = isObject(kept) && typeof kept.shoppingSessionId === 'string' && kept.expiresAt > Date.now();
    return lives ? kept : null;
  };

  function keepShoppingSession(shoppingSessionId) {
    memory = { shoppingSessionId, expiresAt: Date.now() + SHOPPING_SESSION_MS };
    try {
      window.localStorage.setItem(SHOPPING_SESSION, JSON.stringify(memory));
    } catch (forbidden) {
      // It lasts as long as this page then.
    }
  }

  /** Begins, or begins anew with other settings: the latest call counts. */
  core.start = async (options) => {
    const given = isObject(options) ? options : {};
    const clientId = given.clientId || given.client_id;
    if (typeof clientId !== 'string' || clientId === '') {
      throw core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'clientId is missing.', { validationErrors: [{ path: 'clientId' }] });
    }
    client = {
      clientId,
      locale: typeof given.locale === 'string' ? given.locale : undefined,
      accountId: given.partnerAccountId || given.accountId,
      sdkToken: given.sdkToken,
    };
    if (ready.settled) {
      ready = deferred();
      sessionListeners.forEach((listener) => ready.promise.then(listener, () => {}));
    }
    const mine = ready;
    const kept = core.shoppingSession();
    try {
      const session = await core.call('session', {
        shopping_session_id: given.shoppingSessionId || (kept && kept.shoppingSessionId),
      });
      // A shopping session that goes on keeps its end.
      if (!kept || kept.shoppingSessionId !== session.shopping_session_id) keepShoppingSession(session.shopping_session_id);
      mine.resolve(session);
      return session;
    } catch (error) {
      mine.reject(error);
      throw error;
    }
  };

  /** Calls with each session that begins, the present one included. */
  core.onSession = (listener) => {
    sessionListeners.push(listener);
    ready.promise.then(listener, () => {});
  };

  core.configure = (settings) => { client = Object.assign({}, client, settings); };

  // ---- Elements ---------------------------------------------------------------------------------------------------

  /**
   * Defines a custom element, once for this copy. Where another copy of the library has defined it, the browser
   * throws its NotSupportedError: a page must not include the library twice.
   */
  core.once = (tag, factory) => {
    if (defined.has(tag)) return;
    window.customElements.define(tag, factory());
    defined.add(tag);
  };

  /** `core.h('p', { part: 'x', onclick: f }, 'text', child)`: text is always text, never markup. */
  core.h = (tag, properties, ...children) => {
    const element = document.createElement(tag);
    Object.entries(properties || {}).forEach(([name, value]) => {
      if (value === undefined || value === null || value === false) return;
      if (name.slice(0, 2) === 'on') element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? '' : value);
    });
    element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
    return element;
  };

  /** A shadow root with a style sheet, which no policy of the page forbids. */
  core.shadow = (host, styles) => {
    const root = host.shadowRoot || host.attachShadow({ mode: 'open' });
    if (!sheets.has(styles)) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      sheets.set(styles, sheet);
    }
    root.adoptedStyleSheets = [sheets.get(styles)];
    return root;
  };

  /** The element that a page means: an element, a selector, or a list whose first member is one. */
  core.find = (target) => {
    if (target instanceof window.Element) return target;
    if (isObject(target) && target[0] instanceof window.Element) return target[0];
    try {
      return typeof target === 'string' ? document.querySelector(target) : null;
    } catch (invalidSelector) {
      return null;
    }
  };

  /** What `mount`, `unmount` and `htmlElement` are of everything that a page puts somewhere. */
  core.component = (element, mounted) => ({
    htmlElement: element,
    mount(target) {
      const container = core.find(target);
      if (!container) {
        throw core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'mount: no element matches ' + String(target) + '.',
          { validationErrors: [{ path: 'target' }] });
      }
      if (element.parentNode !== container) container.append(element);
      if (mounted) mounted();
      return this;
    },
    unmount() {
      element.remove();
      return this;
    },
  });

  // ---- Pages of the playground, in a popup or a frame ---------------------------------------------------------------

  window.addEventListener('message', (event) => {
    const message = event.data;
    if (event.origin !== origin || !isObject(message) || message.kassa !== 1) return;
    peers.forEach((peer) => {
      if (event.source === peer.target()) peer.hear(message);
    });
  });

  /**
   * A page at the other end. Only that window is heard, only from the playground's origin, and only that origin is
   * written to. What is posted before the page has said `ready` waits, and is sent anew should the page be reloaded.
   */
  core.peer = (target, receive) => {
    const sent = [];
    let isReady = false;
    const write = (message) => { const other = target(); if (other) other.postMessage(message, origin); };
    const peer = {
      target,
      hear(message) {
        if (message.type !== 'ready') {
          receive(message);
          return;
        }
        isReady = true;
        sent.forEach(write);
      },
      post(message) {
        const full = Object.assign({ kassa: 1 }, message);
        sent.push(full);
        if (isReady) write(full);
      },
      end() { peers.delete(peer); },
    };
    peers.add(peer);
    return peer;
  };

  /**
   * Opens a page of the playground in a popup in the middle of the window. Null when the browser does not let us.
   * `receive(message)` hears the page, `closed()` hears that the shopper has closed it.
   */
  core.popup = (path, options) => {
    const { name, width = 440, height = 760, receive = () => {}, closed = () => {} } = options || {};
    const tall = Math.min(height, window.screen.availHeight || height);
    const left = Math.max(0, Math.round((window.screenX || 0) + ((window.outerWidth || width) - width) / 2));
    const top = Math.max(0, Math.round((window.screenY || 0) + ((window.outerHeight || tall) - tall) / 2));
    let opened = null;
    try {
      opened = window.open(origin + path, name || 'klarna-popup',
        'popup=yes,width=' + width + ',height=' + tall + ',left=' + left + ',top=' + top);
    } catch (blocked) {
      return null;
    }
    if (!opened) return null;
    const peer = core.peer(() => opened, receive);
    let over = false;
    const finish = () => {
      over = true;
      window.clearInterval(timer);
      peer.end();
    };
    const timer = window.setInterval(() => {
      if (!opened.closed || over) return;
      finish();
      closed();
    }, POPUP_POLL_MS);
    return {
      window: opened,
      post: peer.post,
      focus() { if (!opened.closed) opened.focus(); },
      close() {
        finish();
        if (!opened.closed) opened.close();
      },
    };
  };

  /** The same in a frame, which the caller puts where it belongs. */
  core.frame = (path, options) => {
    const { title = 'Klarna', receive = () => {} } = options || {};
    const element = core.h('iframe', { title, src: origin + path });
    const peer = core.peer(() => element.contentWindow, receive);
    return {
      element,
      post: peer.post,
      remove() {
        peer.end();
        element.remove();
      },
    };
  };

  // ---- Buttons ------------------------------------------------------------------------------------------------------

  /**
   * A button with Klarna's name on it, for checkout and sign-in alike: `{ id, label, shape, theme, logoAlignment,
   * locale, disabled, loading }`. In `label`, `{klarna}` is where the name goes; without it the name follows. The
   * page sizes it by sizing `htmlElement`. What a click means is the caller's business: `button.on('click', …)`.
   */
  core.button = (config) => {
    const given = config || {};
    const one = (value, allowed) => (allowed.indexOf(value) < 0 ? allowed[0] : value);
    const label = String(given.label || '');
    const words = (label.indexOf('{klarna}') < 0 ? label + ' {klarna}' : label).split('{klarna}');
    const events = core.emitter(['click', 'ready', 'render'], {});
    const host = document.createElement('klarna-button');
    if (given.id) host.id = String(given.id);
    const logo = () => core.h('span', { class: 'logo', 'aria-hidden': 'true' }, 'Klarna');
    const button = core.h('button', {
      type: 'button', part: 'button', lang: String(given.locale || core.locale()),
      class: 'theme-' + one(given.theme, ['default', 'light', 'dark', 'outlined'])
        + ' shape-' + one(given.shape, ['default', 'pill', 'rect'])
        + ' logo-' + one(given.logoAlignment, ['default', 'left', 'center', 'right']),
      'aria-label': words.join('Klarna').replace(/\s+/g, ' ').trim(),
      onclick: (event) => { if (!state.disabled && !state.loading) events.emit('click', event); },
    },
    core.h('span', { class: 'full', 'aria-hidden': 'true' },
      words[0].trim() !== '' && core.h('span', {}, words[0].trim()), logo(),
      words[1].trim() !== '' && core.h('span', {}, words[1].trim())),
    core.h('span', { class: 'short', 'aria-hidden': 'true' }, logo()),
    core.h('span', { class: 'letter', 'aria-hidden': 'true' }, 'K'),
    core.h('span', { class: 'spinner', 'aria-hidden': 'true' }));
    core.shadow(host, BUTTON_STYLES).replaceChildren(button);
    const state = { disabled: given.disabled === true, loading: given.loading === true };
    const show = () => {
      button.disabled = state.disabled;
      button.setAttribute('aria-busy', state.loading ? 'true' : 'false');
    };
    show();
    const component = core.component(host, () => window.setTimeout(() => {
      events.emit('ready');
      events.emit('render');
    }, 0));
    return Object.assign(component, {
      id: given.id,
      on(name, handler) { events.on(name, handler); return this; },
      off(name, handler) { events.off(name, handler); return this; },
      toggleState(name, on) {
        if (name !== 'disabled' && name !== 'loading') return;
        state[name] = on === undefined ? !state[name] : on === true;
        show();
      },
      focus() { button.focus(); },
    });
  };

  return core;
}

const BUTTON_STYLES = `
:host { display: inline-block; box-sizing: border-box; width: 335px; max-width: 100%; min-width: 48px; height: 48px; min-height: 35px; max-height: 60px; vertical-align: top; }
:host([hidden]) { display: none; }
button { container-type: inline-size; position: relative; display: block; box-sizing: border-box; width: 100%; height: 100%; padding: 0; border: 1px solid transparent; font: 600 16px/1 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; cursor: pointer; }
button:focus-visible { outline: 3px solid #6f4cff; outline-offset: 2px; }
button:disabled { cursor: not-allowed; opacity: .55; }
.theme-default, .theme-dark { background: #0b051d; color: #fff; }
.theme-light { background: #fff; color: #0b051d; border-color: #0b051d; }
.theme-outlined { background: transparent; color: inherit; border-color: currentColor; }
.theme-default:hover:enabled, .theme-dark:hover:enabled { background: #2b2540; }
.theme-light:hover:enabled { background: #f4f1fa; }
.shape-default { border-radius: 8px; }
.shape-pill { border-radius: 999px; }
.shape-rect { border-radius: 0; }
.full, .short, .letter { position: absolute; inset: 0; display: none; align-items: center; justify-content: center; gap: .5em; padding: 0 12px; white-space: nowrap; overflow: hidden; }
.logo { padding: .3em .55em; border-radius: .5em; background: #ffa8cd; color: #0b051d; font-weight: 750; letter-spacing: -.02em; }
.letter { font-weight: 800; }
.logo-left .full { justify-content: flex-start; }
.logo-right .full { justify-content: space-between; }
@container (min-width: 201px) { .full { display: flex; } }
@container (min-width: 84px) and (max-width: 200.99px) { .short { display: flex; } }
@container (max-width: 83.99px) { .letter { display: flex; } }
.spinner { position: absolute; inset: 0; margin: auto; width: 1.25em; height: 1.25em; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; box-sizing: border-box; display: none; }
button[aria-busy="true"] { cursor: progress; }
button[aria-busy="true"] > span:not(.spinner) { visibility: hidden; }
button[aria-busy="true"] .spinner { display: block; animation: turn .9s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { button[aria-busy="true"] .spinner { animation-duration: 4s; } }
`;

/**
 * The library over one core: its products, and what `Klarna.init` and `KlarnaSDK` are. A product that is not part of
 * this build is simply not there.
 */
function createLibrary(version, origin) {
  const core = createCore(version, origin);
  const factories = {
    PAYMENT: ['Payment', typeof paymentProduct === 'function' && paymentProduct],
    IDENTITY: ['Identity', typeof identityProduct === 'function' && identityProduct],
    MESSAGING: ['Messaging', typeof messagingProduct === 'function' && messagingProduct],
    CUSTOMER: ['Customer', typeof customerProduct === 'function' && customerProduct],
    INTEROPERABILITY: ['Interoperability', typeof interoperabilityProduct === 'function' && interoperabilityProduct],
  };
  const made = new Map(); // product -> what its function gave

  function product(name) {
    const [, factory] = factories[name];
    if (!factory) return null;
    if (!made.has(name)) made.set(name, factory(core));
    return made.get(name);
  }

  /** The products that a page asks for; all where it does not ask. The interoperability token is always there. */
  function asked(options) {
    const all = Object.keys(factories);
    const list = isObject(options) && Array.isArray(options.products) ? options.products : null;
    if (version === 1 || list === null) return all;
    return all.filter((name) => name === 'INTEROPERABILITY' || list.indexOf(name) >= 0);
  }

  function namespaces(names) {
    const found = {};
    names.forEach((name) => {
      const one = product(name);
      if (!one) return;
      found[factories[name][0]] = one.namespace;
      Object.assign(found, one.also || {});
    });
    return found;
  }

  function define(names) {
    names.map(product).forEach((one) => { if (one && one.elements) one.elements(); });
  }

  const Config = {
    setPartnerAccountId: async (accountId) => core.configure({ accountId }),
    setAccountId: async (accountId) => core.configure({ accountId }),
    setSdkToken: async (sdkToken) => core.configure({ sdkToken }),
  };

  async function init(options) {
    const names = asked(options);
    define(names);
    await core.start(options);
    return Object.assign({ Config }, namespaces(names));
  }

  return { core, init, define: () => define(asked(null)), namespaces: () => namespaces(asked(null)) };
}
