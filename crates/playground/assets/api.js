/*
 * The playground's stand-in for Klarna's browser library: window.Klarna.Payments.
 *
 * A classic script without dependencies, written to be read. It draws nothing itself but the Express button
 * (klarna_button.js, express.js): the widget and the purchase flow are pages of the playground, shown in frames or in
 * a popup, and reached by messages. The library talks only to the origin that the client token names, or that the
 * script came from, and only to windows that it opened itself. The server puts the parts together.
 */
(function () {
  const CATEGORIES = ['klarna', 'pay_now', 'pay_later', 'pay_over_time', 'direct_debit', 'direct_bank_transfer'];
  const PREFERRED = ['invoice', 'pix', 'base_account', 'deferred_interest', 'fixed_amount'];
  const EVENTS = ['heightChanged', 'fullscreenOverlayShown', 'fullscreenOverlayHidden',
    // Names of older builds: a page may register for them, and they are never emitted.
    'paymentMethodSelected', 'userAccountLoginRequested', 'userAccountLoginReady', 'userAccountLoginLoggedIn'];
  const OPTIONS = ['container', 'payment_method_category', 'payment_method_categories', 'instance_id',
    'preferred_payment_method', 'auto_finalize', 'purchase_amount'];
  const LOAD_DEADLINE_MS = 20000;
  const ABORT_DEADLINE_MS = 6000;
  const POPUP_POLL_MS = 250;

  const scriptOrigin = document.currentScript && document.currentScript.src
    ? new URL(document.currentScript.src, document.baseURI).origin : window.location.origin;

  let session = null; // { token, origin, country }: what the latest init said
  // A popup may outlive the page that opened it, so request numbers of two pages must not meet.
  let requests = Math.floor(Math.random() * 1e12);
  let reviewCountry = null; // the country of the last loaded session, for loadPaymentReview
  const instances = new Map(); // instance name -> Instance
  const peers = new Set(); // every page of the playground that we opened
  const listeners = new Map(); // event name -> handlers

  // ---- Arguments, errors, callbacks -------------------------------------------------------------------------------

  function isObject(value) {
    return typeof value === 'object' && value !== null;
  }

  /** Sorts the arguments of a call: the function is the callback, a lone object is options only if it looks like it. */
  function read(args) {
    const list = Array.prototype.slice.call(args);
    const callback = list.filter((value) => typeof value === 'function').pop() || function () {};
    const values = list.filter((value) => typeof value !== 'function');
    let options = isObject(values[0]) ? values[0] : null;
    let data = isObject(values[1]) ? values[1] : null;
    if (options && !data && !OPTIONS.some((key) => key in options)) {
      data = options;
      options = null;
    }
    return { options: options || {}, data: data || {}, callback };
  }

  /** Calls back once, never inside the call that asked for it. An error in the page's code stays the page's. */
  function answer(callback, result) {
    window.setTimeout(() => callback(Object.assign({}, result)), 0);
  }

  function fail(name, message) {
    const error = new Error(message);
    error.name = name;
    throw error;
  }

  /** The documented order: the callback hears of the refusal first, then the error is thrown. */
  function refuse(call, refusal, name, message) {
    try {
      call.callback(Object.assign({}, refusal));
    } catch (thrown) {
      window.setTimeout(() => { throw thrown; }, 0);
    }
    fail(name, message);
  }

  function emit(name, payload) {
    (listeners.get(name) || []).slice().forEach((handler) => {
      window.setTimeout(() => (payload === undefined ? handler() : handler(payload)), 0);
    });
  }

  /** What may cross to another window: plain JSON, as the server would get it. */
  function plain(value) {
    return JSON.parse(JSON.stringify(value || {}));
  }

  function sendable(options) {
    const known = {};
    OPTIONS.forEach((key) => {
      if (key !== 'container' && options[key] !== undefined && options[key] !== null) known[key] = options[key];
    });
    return plain(known);
  }

  // ---- The client token -------------------------------------------------------------------------------------------

  function decode(token) {
    const parts = typeof token === 'string' ? token.split('.') : [];
    if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return null;
    try {
      const bytes = window.atob(parts[1].replace(/-/g, '+').replace(/_/g, '/'));
      const payload = JSON.parse(decodeURIComponent(bytes.replace(/[^]/g, (character) =>
        '%' + ('0' + character.charCodeAt(0).toString(16)).slice(-2))));
      if (!isObject(payload)) return null;
      const base = new URL(payload.base_url || payload.url || scriptOrigin);
      if (base.protocol !== 'http:' && base.protocol !== 'https:') return null;
      return { token, origin: base.origin, country: payload.purchase_country || null };
    } catch (unreadable) {
      return null;
    }
  }

  // ---- Peers: pages of the playground in a frame or a popup --------------------------------------------------------

  /**
   * A page at the other end. It says `ready` when it has started, and again after it was reloaded; whatever has not
   * been answered by then is sent again, so that neither a slow start nor a reload loses a request.
   */
  function peer(origin, target, receive) {
    const self = { origin, target, receive, ready: false, waiting: new Map() };
    self.post = (message) => {
      const full = Object.assign({ kassa: 1 }, message);
      if (full.request) self.waiting.set(full.request, full);
      if (self.ready) self.target().postMessage(full, origin);
    };
    self.isReady = () => {
      self.ready = true;
      self.waiting.forEach((message) => self.target().postMessage(message, origin));
    };
    peers.add(self);
    return self;
  }

  window.addEventListener('message', (event) => {
    const message = event.data;
    if (!isObject(message) || message.kassa !== 1) return;
    peers.forEach((one) => {
      if (event.origin !== one.origin || event.source !== one.target()) return;
      if (message.type === 'ready') one.isReady();
      else one.receive(message);
    });
  });

  function frame(instance, kind, origin, path, receive) {
    const element = document.createElement('iframe');
    element.id = element.name = 'klarna-' + instance.name + '-' + kind;
    element.src = origin + path;
    element.style.border = '0';
    const self = peer(origin, () => element.contentWindow, receive);
    self.element = element;
    self.remove = () => {
      peers.delete(self);
      element.remove();
    };
    return self;
  }

  // ---- Instances --------------------------------------------------------------------------------------------------

  function nameOf(options) {
    if (options.instance_id) return String(options.instance_id);
    if (options.payment_method_category) return String(options.payment_method_category).replace(/_/g, '-');
    return 'payments';
  }

  function instanceNamed(name) {
    if (!instances.has(name)) {
      instances.set(name, { name, loaded: false, loading: 0, main: null, full: null, flow: null, height: 0,
        preferred: null, callbacks: new Map(), checks: new Map() });
    }
    return instances.get(name);
  }

  function anyLoaded() {
    return Array.from(instances.values()).filter((instance) => instance.loaded);
  }

  function unsupported(options) {
    const asked = [].concat(options.payment_method_category || [], options.payment_method_categories || []);
    return asked.filter((category) => CATEGORIES.indexOf(category) < 0);
  }

  function findContainer(container) {
    if (container instanceof window.Element) return container;
    if (isObject(container) && container[0] instanceof window.Element) return container[0];
    try {
      return typeof container === 'string' ? document.querySelector(container) : null;
    } catch (invalidSelector) {
      return null;
    }
  }

  /** Light or dark, as the page around the widget is, whatever the system prefers. */
  function schemeOf(element) {
    for (let at = element; at; at = at.parentElement) {
      const parts = (window.getComputedStyle(at).backgroundColor.match(/[\d.]+/g) || []).map(Number);
      if (parts.length >= 3 && (parts.length < 4 || parts[3] > 0.5)) {
        return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 110 ? 'dark' : 'light';
      }
    }
    return 'light';
  }

  function mount(instance, container) {
    instances.forEach((other) => {
      if (other !== instance && other.main && other.main.element.parentNode === container) {
        other.main.remove();
        other.main = null;
        other.loaded = false;
      }
    });
    const current = instance.main;
    if (current && current.origin === session.origin && current.element.isConnected) {
      // Moving a frame restarts its page, which then says `ready` again and gets everything anew.
      if (current.element.parentNode !== container) {
        current.ready = false;
        container.appendChild(current.element);
      }
      return;
    }
    const main = frame(instance, 'main', session.origin, '/kp/widget', (message) => onMain(instance, message));
    main.element.title = 'Klarna';
    main.element.setAttribute('scrolling', 'no');
    main.element.style.cssText += ';display:block;width:100%;height:' + (instance.height || 0) + 'px';
    if (current) {
      current.waiting.forEach((message, request) => main.waiting.set(request, message));
      current.remove();
    }
    instance.main = main;
    container.appendChild(main.element);
  }

  /** The page behind overlays. It also asks the server on behalf of a popup that is gone. */
  function fullscreen(instance, origin) {
    const current = instance.full;
    if (current && current.origin === origin && current.element.isConnected) return current;
    if (current) current.remove();
    const full = frame(instance, 'fullscreen', origin, '/kp/flow', (message) => onFlow(instance, message));
    full.element.title = 'Klarna';
    full.element.setAttribute('aria-hidden', 'true');
    full.element.style.cssText += ';display:none;position:fixed;top:0;left:0;width:100%;height:100%;'
      + 'z-index:2147483647;background:transparent;color-scheme:light dark';
    instance.full = full;
    document.body.appendChild(full.element);
    return full;
  }

  function onMain(instance, message) {
    if (message.type === 'height') {
      const height = Math.ceil(message.height);
      if (!(height > 0) || height === instance.height) return;
      instance.height = height;
      instance.main.element.style.height = height + 'px';
      emit('heightChanged', height);
    } else if (message.type === 'loaded') {
      settleLoad(instance, message.request, message.result, message.country);
    }
  }

  function settleLoad(instance, request, result, country) {
    const callback = instance.callbacks.get(request);
    if (!callback) return;
    instance.callbacks.delete(request);
    // The last load stays with the frame, so that a reloaded frame draws itself again.
    if (instance.main) {
      instance.main.waiting.forEach((unused, other) => { if (other < request) instance.main.waiting.delete(other); });
    }
    instance.loading -= 1;
    if (country) reviewCountry = country;
    answer(callback, result);
    if (instance.loading === 0 && instance.flow) start(instance.flow);
  }

  function beginLoad(instance, container, message, callback) {
    mount(instance, container);
    fullscreen(instance, session.origin);
    const scheme = schemeOf(container);
    const request = ++requests;
    instance.main.element.style.colorScheme = scheme;
    instance.loaded = true;
    instance.loading += 1;
    instance.callbacks.set(request, callback);
    const app = window.__KlarnaInAppSDKWebViewInfo;
    const inApp = isObject(app) && app.view === 'payment';
    instance.main.post(Object.assign({ type: 'load', request, scheme, in_app: inApp, client_token: session.token }, message));
    window.setTimeout(() => {
      if (instance.callbacks.has(request)) instance.loaded = false;
      settleLoad(instance, request, { show_form: false });
    }, LOAD_DEADLINE_MS);
  }

  // ---- The purchase flow -------------------------------------------------------------------------------------------

  /** None in a web view of an app, which has no windows. */
  function openPopup(instance, origin) {
    if (isObject(window.__KlarnaInAppSDKWebViewInfo)) return null;
    const width = 440;
    const height = Math.min(760, window.screen.availHeight || 760);
    const left = Math.max(0, Math.round((window.screenX || 0) + ((window.outerWidth || width) - width) / 2));
    const top = Math.max(0, Math.round((window.screenY || 0) + ((window.outerHeight || height) - height) / 2));
    try {
      return window.open(origin + '/kp/flow', 'klarna-' + instance.name + '-popup',
        'popup=yes,width=' + width + ',height=' + height + ',left=' + left + ',top=' + top);
    } catch (blocked) {
      return null;
    }
  }

  /**
   * One purchase flow, in a popup if there is one, else in the overlay. The overlay shows at once for `authorize`;
   * for `reauthorize` and `finalize` only when the server wants to ask the shopper something. `party` is whom it is
   * for when that is not the session of `init`: { origin, token, express }.
   */
  function run(instance, kind, call, refusal, party) {
    if (instance.flow && instance.flow.kind === kind && keyOf(instance.flow.party) === keyOf(party)) {
      // A second click while the first is still open: bring it forward, and tell both how it ended.
      instance.flow.callbacks.push(call.callback);
      if (instance.flow.popup) instance.flow.popup.focus();
      return;
    }
    const former = instance.flow;
    const flow = {
      instance, kind, refusal, party, callbacks: [call.callback], request: ++requests, id: null, popup: null, peer: null,
      timer: 0, shown: false, announced: false, started: false, former: document.activeElement,
      origin: (party || session).origin, token: (party || {}).token || null,
      message: { options: Object.assign(preference(instance), sendable(call.options)), data: plain(call.data) },
    };
    if (party) flow.message.express = party.express;
    if (former) finish(former, former.refusal);
    instance.flow = flow;
    fullscreen(instance, flow.origin);
    if (kind === 'authorize') {
      flow.popup = openPopup(instance, flow.origin);
      if (flow.popup) {
        flow.peer = peer(flow.origin, () => flow.popup, (message) => onFlow(instance, message));
        flow.timer = window.setInterval(() => { if (flow.popup.closed) popupClosed(flow); }, POPUP_POLL_MS);
        flow.shown = true;
        announce(flow);
      } else {
        show(flow);
      }
    }
    if (instance.loading === 0) start(flow);
  }

  function keyOf(party) {
    return party ? party.key : null;
  }

  /** What `load` was told to prefer is what the shopper finds chosen. */
  function preference(instance) {
    return instance.preferred ? { preferred_payment_method: instance.preferred } : {};
  }

  function start(flow) {
    if (flow.started) return;
    flow.started = true;
    if (!flow.party) flow.token = session.token;
    const message = Object.assign({ type: 'start', request: flow.request, kind: flow.kind }, flow.message);
    if (flow.token) message.client_token = flow.token;
    (flow.peer || flow.instance.full).post(message);
  }

  function onFlow(instance, message) {
    if (message.type === 'checked') {
      const check = instance.checks.get(message.request);
      instance.checks.delete(message.request);
      if (instance.full) instance.full.waiting.delete(message.request);
      if (check) check(message.result);
      return;
    }
    const flow = instance.flow;
    if (!flow || message.request !== flow.request) return;
    if (message.type === 'started') {
      flow.id = message.flow_id;
      flow.token = message.client_token || flow.token;
      // Should the page be reloaded, it resumes this flow instead of beginning another.
      const pending = (flow.peer || instance.full).waiting.get(flow.request);
      if (pending) Object.assign(pending, { flow_id: flow.id, client_token: flow.token });
    } else if (message.type === 'show') {
      if (!flow.popup) show(flow);
    } else if (message.type === 'result') {
      finish(flow, message.result);
    }
  }

  /** The shopper closed the popup. What that means is asked of the server: they may just have approved. */
  function popupClosed(flow) {
    window.clearInterval(flow.timer);
    if (flow.instance.flow !== flow) return;
    if (!flow.peer.ready) {
      // Its page never spoke to us: the browser has cut the line, as it does for pages that ask for isolation.
      peers.delete(flow.peer);
      Object.assign(flow, { peer: null, popup: null, shown: false, started: false });
      show(flow);
      if (flow.instance.loading === 0) start(flow);
      return;
    }
    if (!flow.id) {
      finish(flow, flow.refusal);
      return;
    }
    flow.instance.full.post({ type: 'abort', request: flow.request, flow_id: flow.id, client_token: flow.token });
    window.setTimeout(() => finish(flow, flow.refusal), ABORT_DEADLINE_MS);
  }

  function show(flow) {
    if (flow.shown) return;
    flow.shown = true;
    const element = flow.instance.full.element;
    element.setAttribute('role', 'dialog');
    element.setAttribute('aria-modal', 'true');
    element.removeAttribute('aria-hidden');
    element.style.display = 'block';
    flow.overflow = document.documentElement.style.overflow;
    document.documentElement.style.overflow = 'hidden';
    element.focus();
    announce(flow);
  }

  /** Once for a flow, also when the overlay has to take over from a popup. */
  function announce(flow) {
    if (!flow.announced) emit('fullscreenOverlayShown');
    flow.announced = true;
  }

  function hide(flow) {
    if (!flow.shown) return;
    flow.shown = false;
    if (flow.popup) {
      if (!flow.popup.closed) flow.popup.close();
    } else {
      const element = flow.instance.full.element;
      element.removeAttribute('role');
      element.removeAttribute('aria-modal');
      element.setAttribute('aria-hidden', 'true');
      element.style.display = 'none';
      document.documentElement.style.overflow = flow.overflow;
    }
    if (flow.former && flow.former.focus && flow.former.isConnected) flow.former.focus();
    emit('fullscreenOverlayHidden');
  }

  function finish(flow, result) {
    const instance = flow.instance;
    if (instance.flow !== flow) return;
    instance.flow = null;
    window.clearInterval(flow.timer);
    instance.full.waiting.delete(flow.request);
    if (flow.peer) peers.delete(flow.peer);
    hide(flow);
    flow.callbacks.forEach((callback) => answer(callback, result));
  }

  // ---- What the page calls -------------------------------------------------------------------------------------------

  const Payments = {
    init(argument) {
      const token = isObject(argument) ? argument.client_token : argument;
      const decoded = decode(token);
      if (!decoded) fail('InvalidClientTokenError', 'init: client_token is not a JSON Web Token. Pass the client_token of the session.');
      session = decoded;
    },

    load() {
      const call = read(arguments);
      const refusal = { show_form: false };
      if (!session) refuse(call, refusal, 'ApplicationNotInitializedError', 'load: call init first.');
      const container = findContainer(call.options.container);
      if (!container) refuse(call, refusal, 'InvalidContainerSelectorError', 'load: no element matches the container.');
      const foreign = unsupported(call.options);
      if (foreign.length) {
        refuse(call, refusal, 'PaymentMethodCategoryNotSupportedError', 'load: unknown payment method category ' + foreign.join(', ') + '.');
      }
      const preferred = call.options.preferred_payment_method;
      if (preferred && PREFERRED.indexOf(preferred) < 0) {
        refuse(call, refusal, 'PreferredPaymentMethodNotSupportedError', 'load: unknown preferred_payment_method ' + preferred + '.');
      }
      const instance = instanceNamed(nameOf(call.options));
      instance.preferred = preferred || null;
      beginLoad(instance, container, { options: sendable(call.options), data: plain(call.data) }, call.callback);
    },

    loadPaymentReview() {
      const call = read(arguments);
      const refusal = { show_form: false };
      if (!session) refuse(call, refusal, 'ApplicationNotInitializedError', 'loadPaymentReview: call init first.');
      const container = findContainer(call.options.container);
      if (!container) refuse(call, refusal, 'InvalidContainerSelectorError', 'loadPaymentReview: no element matches the container.');
      if ((reviewCountry || session.country || 'US') !== 'US') {
        refuse(call, refusal, 'OperationNotSupportedError', 'loadPaymentReview: supported for purchases in the US only.');
      }
      beginLoad(instanceNamed(nameOf(call.options)), container,
        { review: true, options: sendable(call.options), data: {} }, call.callback);
    },

    authorize() {
      const call = read(arguments);
      const refusal = { approved: false, show_form: false };
      if (!anyLoaded().length) refuse(call, refusal, 'ApplicationNotLoadedError', 'authorize: call load first.');
      const foreign = unsupported(call.options);
      if (foreign.length) {
        refuse(call, refusal, 'PaymentMethodCategoryNotSupportedError', 'authorize: unknown payment method category ' + foreign.join(', ') + '.');
      }
      const instance = instances.get(nameOf(call.options));
      if (!instance || !instance.loaded) {
        refuse(call, refusal, 'ApplicationNotLoadedError', 'authorize: the category given to load must be given again. Loaded: '
          + anyLoaded().map((one) => one.name).join(', ') + '.');
      }
      run(instance, 'authorize', call, { approved: false, show_form: true });
    },

    reauthorize() {
      const call = read(arguments);
      const refusal = { approved: false, show_form: false };
      if (!session) refuse(call, refusal, 'ApplicationNotInitializedError', 'reauthorize: call init first.');
      run(choose('reauthorize', call, refusal) || instanceNamed(nameOf(call.options)), 'reauthorize', call, { approved: false });
    },

    finalize() {
      const call = read(arguments);
      const refusal = { approved: false, show_form: false };
      if (!session) refuse(call, refusal, 'ApplicationNotInitializedError', 'finalize: call init first.');
      if (!anyLoaded().length) refuse(call, refusal, 'ApplicationNotLoadedError', 'finalize: call load first.');
      const instance = choose('finalize', call, refusal);
      if (!instance) {
        refuse(call, refusal, 'ApplicationNotLoadedError', 'finalize: the category given to load must be given again. Loaded: '
          + anyLoaded().map((one) => one.name).join(', ') + '.');
      }
      run(instance, 'finalize', call, { approved: false, show_form: false });
    },

    on(name, handler) {
      if (EVENTS.indexOf(name) < 0) fail('EventNotSupportedError', 'on: unknown event ' + name + '.');
      if (typeof handler !== 'function') return;
      listeners.set(name, (listeners.get(name) || []).concat(handler));
    },

    off(name, handler) {
      if (handler === undefined) listeners.delete(name);
      else listeners.set(name, (listeners.get(name) || []).filter((other) => other !== handler));
    },
  };

  /** The widget that `reauthorize` or `finalize` means: the named one, or the only one there is. */
  function choose(method, call, refusal) {
    const named = call.options.instance_id || call.options.payment_method_category || call.options.payment_method_categories;
    const loaded = anyLoaded();
    const plainOne = loaded.find((instance) => instance.name === 'payments');
    if (!named && !plainOne && loaded.length > 1) {
      refuse(call, refusal, 'PaymentMethodCategoryNotProvidedError', method + ': several categories are loaded, so payment_method_category must be given.');
    }
    const foreign = unsupported(call.options);
    if (foreign.length) {
      refuse(call, refusal, 'PaymentMethodCategoryNotSupportedError', method + ': unknown payment method category ' + foreign.join(', ') + '.');
    }
    if (!named) return plainOne || loaded[0] || null;
    return loaded.find((instance) => instance.name === nameOf(call.options)) || null;
  }

  Payments.Buttons = expressButtons({
    scriptOrigin, decode, fail, answer, findContainer,
    /** Asks the server whether a button works on this page; `told` hears `true` or why not. */
    check(party, told) {
      const instance = instanceNamed('express');
      const full = fullscreen(instance, party.origin);
      const request = ++requests;
      instance.checks.set(request, told);
      full.post({ type: 'check', request, client_token: party.token || undefined, client_id: party.express.client_id });
      window.setTimeout(() => onFlow(instance, { type: 'checked', request, result: 'The playground did not answer.' }), LOAD_DEADLINE_MS);
    },
    authorize: (party, options, data, callback) => run(instanceNamed('express'), 'authorize',
      { options, data, callback }, { approved: false, show_form: true }, party),
  });

  const Klarna = isObject(window.Klarna) || typeof window.Klarna === 'function' ? window.Klarna : (window.Klarna = {});
  // A page may insert the script again with another query; widgets of the first copy must live on.
  if (!Klarna.Payments || !Klarna.Payments.load) Klarna.Payments = Object.assign(Klarna.Payments || {}, Payments);
  if (typeof window.klarnaAsyncCallback === 'function') window.klarnaAsyncCallback();
})();
