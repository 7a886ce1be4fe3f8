/*
 * Payment: requests to pay, the button that begins one, and how Klarna is presented. The shopper goes through the
 * same purchase flow as with Klarna.Payments; what delivering comes to is asked of the page while they do.
 */
function paymentProduct(core) {
  const ABORT_DEADLINE_MS = 6000;
  const LEFT_FOR = '__klarna_sdk_payment-request'; // of which request the browser has left this page for
  const MODES = ['DEVICE_BEST', 'REDIRECT', 'ON_PAGE', 'POPUP'];
  const REJECTIONS = ['COUNTRY_NOT_SUPPORTED', 'REGION_NOT_SUPPORTED', 'CITY_NOT_SUPPORTED', 'POSTAL_CODE_NOT_SUPPORTED', 'ADDRESS_NOT_SUPPORTED'];
  const LABELS = { SUBSCRIBE: 'Subscribe with', SIGNUP: 'Sign up with', SIGNIN: 'Sign in with', DONATE: 'Donate with' };
  const CONTINUE = {
    cs: 'Pokračuj s {klarna}', da: 'Fortsæt med {klarna}', de: 'Weiter mit {klarna}', el: 'Συνέχεια με την {klarna}', en: 'Continue with {klarna}',
    es: 'Continuar con {klarna}', fi: 'Jatka: {klarna}', fr: 'Continuer avec {klarna}', hu: 'Tovább: {klarna}', it: 'Continua con {klarna}',
    nb: 'Fortsett med {klarna}', nl: 'Verdergaan met {klarna}', no: 'Fortsett med {klarna}', pl: 'Kontynuuj z {klarna}',
    pt: 'Continuar com {klarna}', ro: 'Continuă cu {klarna}', sv: 'Fortsätt med {klarna}',
  };
  const events = core.emitter(['complete', 'abort', 'error', 'shippingaddresschange', 'shippingoptionselect', 'presentationupdate']
    .concat(core.version === 1 ? ['update'] : []));
  let running = null; // the purchase under way: one at a time
  let requests = Math.floor(Math.random() * 1e12);
  const presented = new Map(); // what presentations were asked for, by their wording
  let untold = null; // what came of the request that the browser has come back from, until somebody listens

  // ---- Requests on the server --------------------------------------------------------------------------------------

  const create = (data) => core.call('payment-requests', { data, locale: core.locale() });
  const look = (paymentRequestId) => core.call('payment-requests/fetch', { payment_request_id: String(paymentRequestId) });
  const cancel = (paymentRequestId) => core.call('payment-requests/cancel', { payment_request_id: String(paymentRequestId) });

  /** What a page sees of a request. The first version has other names for the same. */
  function seen(request) {
    if (core.version !== 1 || request.state !== 'COMPLETED') return request;
    const context = Object.assign({ paymentConfirmationToken: (request.stateContext || {}).paymentToken }, request.stateContext);
    return Object.assign({}, request, { state: 'PENDING_CONFIRMATION', stateContext: context });
  }

  // ---- The purchase ------------------------------------------------------------------------------------------------

  /** The flow over the page, where there is no popup or the page wants none. */
  function overlay(receive) {
    const frame = core.frame('/kp/flow', { receive });
    const style = document.documentElement.style;
    const overflow = style.overflow;
    const former = document.activeElement;
    Object.assign(frame.element.style, {
      position: 'fixed', top: '0', left: '0', width: '100%', height: '100%', border: '0', zIndex: '2147483647', background: 'transparent',
      colorScheme: 'light dark',
    });
    frame.element.setAttribute('role', 'dialog');
    frame.element.setAttribute('aria-modal', 'true');
    style.overflow = 'hidden';
    document.body.append(frame.element);
    frame.element.focus();
    return {
      post: frame.post,
      focus: () => frame.element.focus(),
      close() {
        frame.remove();
        style.overflow = overflow;
        if (former && former.isConnected && former.focus) former.focus();
      },
    };
  }

  /** The page's answer to a question of the flow: that of the last handler that gives one. */
  async function answerOf(name, request, value) {
    let answer;
    for (const given of events.emit(name, seen(request), value)) {
      const one = await given;
      if (one !== undefined && one !== null) answer = one;
    }
    return answer;
  }

  /** Whether the page has a say in what delivering comes to: then it must stay. */
  const isAsked = () => events.count('shippingaddresschange') + events.count('shippingoptionselect') > 0;

  function isPhone() {
    const { userAgentData, userAgent } = window.navigator;
    return userAgentData ? userAgentData.mobile === true : /Mobi|Android|iPhone|iPad/.test(userAgent || '');
  }

  /** Stands for a window where there is none: the browser is going to leave the page. */
  const away = { post() {}, focus() {}, close() {} };

  /** Where the shopper goes through the flow. Null where the page wants nothing but a popup and there is none. */
  function open(purchase, mode) {
    const receive = (message) => hear(purchase, message);
    const popup = () => core.popup('/kp/flow', {
      name: 'klarna-payment-popup-' + purchase.number, receive, closed: () => closed(purchase),
    });
    const leaves = () => Object.assign(purchase, { leaves: true }) && away;
    if (mode === 'REDIRECT') return leaves();
    if (mode === 'POPUP') return popup();
    if (mode === 'ON_PAGE' || isAsked()) return popup() || overlay(receive);
    return isPhone() ? leaves() : popup() || leaves();
  }

  /**
   * From the click to the end. `initiate` says what is to be paid; the window opens before it is asked, because
   * browsers allow it only then. Promises the request as it is at the end.
   */
  function begin(initiate, wantedMode) {
    if (running) {
      running.window.focus();
      return running.promise;
    }
    const purchase = { request: null, flowId: null, number: ++requests, over: false, leaves: false };
    purchase.promise = new Promise((resolve, reject) => Object.assign(purchase, { resolve, reject }));
    purchase.promise.catch(() => {});
    running = purchase;
    const opened = open(purchase, MODES.indexOf(wantedMode) < 0 ? 'DEVICE_BEST' : wantedMode);
    purchase.window = opened || away;
    if (opened) prepare(purchase, initiate).catch((thrown) => fail(purchase, thrown));
    else fail(purchase, core.error('TECHNICAL_ERROR', 'POPUP_BLOCKED', 'The browser has opened no popup.'));
    return purchase.promise;
  }

  async function prepare(purchase, initiate) {
    const data = await initiate();
    if (purchase.over) return;
    if (data === null || typeof data !== 'object') {
      throw core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'initiate: neither a payment request nor the id of one.');
    }
    if (!idIn(data) && data.currency === undefined && 'returnUrl' in data) {
      // Finished elsewhere already.
      end(purchase);
      purchase.resolve(null);
      if (data.returnUrl) leaveFor(purchase, data.returnUrl);
      return;
    }
    const known = idIn(data);
    const made = await (known ? look(known) : create(purchase.leaves ? comingBack(data) : data));
    if (purchase.over) return;
    Object.assign(purchase, { request: made.request, token: made.client_token });
    if (made.client_token && purchase.leaves) {
      leave(made);
      return;
    }
    if (!made.client_token) {
      // It is over: there is nothing to go through.
      finish(purchase);
      return;
    }
    purchase.window.post({
      type: 'start', request: purchase.number, kind: 'authorize', client_token: made.client_token,
      payment_request_id: made.request.paymentRequestId, options: {}, data: {},
    });
  }

  /** The id of a request that the merchant's server has made: as it is, or in the address of the request. */
  function idIn(data) {
    if (typeof data.paymentRequestId === 'string') return data.paymentRequestId;
    const [, key] = /\/requests\/([^/?#]+)\/start/.exec(String(data.paymentRequestUrl || '')) || [];
    return key && 'krn:payment:request:' + key;
  }

  /** What a page asks for that says nowhere where the browser comes back to: it comes back to where it was. */
  function comingBack(data) {
    const config = data.customerInteractionConfig || {};
    if (config.returnUrl) return data;
    const returnUrl = window.location.href.split('#')[0];
    return Object.assign({}, data, { customerInteractionConfig: Object.assign({}, config, { returnUrl }) });
  }

  function leave(made) {
    try {
      window.sessionStorage.setItem(LEFT_FOR, made.request.paymentRequestId);
    } catch (forbidden) {
      // The page that the browser comes back to hears nothing by itself then.
    }
    window.location.assign(made.payment_request_url);
  }

  /** The browser is back, on this page or another one of the merchant's: what came of it? */
  async function comeBack() {
    let id = null;
    try {
      id = window.sessionStorage.getItem(LEFT_FOR);
      window.sessionStorage.removeItem(LEFT_FOR);
    } catch (forbidden) {
      // As if it had never left.
    }
    if (id === null) return;
    const purchase = running && running.leaves ? running : null;
    if (purchase) end(purchase);
    const { request } = await look(id);
    if (purchase) purchase.resolve(seen(request));
    untold = seen(request);
    tellUntold();
  }

  /** Tells what came of it as soon as somebody listens. */
  function tellUntold() {
    if (untold === null) return;
    const name = untold.stateContext && untold.stateContext.paymentToken ? 'complete' : 'abort';
    if (events.count(name) === 0) return;
    const request = untold;
    untold = null;
    if (core.version === 1 && name === 'complete') events.emit('update', request);
    events.emit(name, request);
  }

  /** Goes to another page once the popup is closed: it hears that it may from this one. */
  function leaveFor(purchase, address) {
    purchase.after = () => {
      purchase.after = null;
      window.location.assign(address);
    };
    if (!purchase.window.window) purchase.after();
    else window.setTimeout(() => { if (purchase.after) purchase.after(); }, ABORT_DEADLINE_MS);
  }

  function hear(purchase, message) {
    if (message.request !== purchase.number || purchase.over) return;
    if (message.type === 'started') {
      purchase.flowId = message.flow_id;
      const { stateReason, ...request } = purchase.request;
      purchase.request = Object.assign(request, { previousState: request.state, state: 'IN_PROGRESS' });
    } else if (message.type === 'ask') {
      answerOf(message.event, purchase.request, message.value).then((answer) => answer, () => undefined).then((answer) => {
        if (purchase.over) return;
        purchase.window.post({
          type: 'told', request: purchase.number, question: message.question,
          answer: answer === undefined ? null : JSON.parse(JSON.stringify(answer)),
        });
      });
    } else if (message.type === 'result') {
      finish(purchase);
    }
  }

  /** The shopper closed the popup; the server knows what became of the flow. */
  function closed(purchase) {
    if (purchase.over) {
      if (purchase.after) purchase.after();
      return;
    }
    if (!purchase.flowId) {
      finish(purchase);
      return;
    }
    const frame = core.frame('/kp/flow', {
      receive: (message) => { if (message.type === 'result' && message.request === purchase.number) known(); },
    });
    frame.element.hidden = true;
    frame.element.setAttribute('aria-hidden', 'true');
    document.body.append(frame.element);
    frame.post({ type: 'abort', request: purchase.number, flow_id: purchase.flowId, client_token: purchase.token });
    const timer = window.setTimeout(() => known(), ABORT_DEADLINE_MS);
    const known = () => {
      window.clearTimeout(timer);
      frame.remove();
      if (!purchase.over) finish(purchase);
    };
  }

  function end(purchase) {
    purchase.over = true;
    // A popup closes itself when it has heard that it may: one that is closed while it still opens may stay.
    if (purchase.window.window) purchase.window.post({ type: 'close', request: purchase.number });
    else purchase.window.close();
    if (running === purchase) running = null;
  }

  /** The flow is over, one way or another. What came of it is what the server says. */
  async function finish(purchase) {
    end(purchase);
    try {
      const standing = purchase.request ? await look(purchase.request.paymentRequestId) : { request: {} };
      const known = standing.request;
      const request = seen(known);
      purchase.resolve(request);
      if (known.state !== 'COMPLETED') {
        events.emit('abort', request);
        return;
      }
      if (core.version === 1) events.emit('update', request);
      const said = await Promise.all(events.emit('complete', request));
      if (standing.return_url && said.indexOf(false) < 0) window.location.assign(standing.return_url);
    } catch (thrown) {
      fail(purchase, thrown);
    }
  }

  function fail(purchase, thrown) {
    end(purchase);
    const error = thrown && thrown.errorCode ? thrown
      : core.error('TECHNICAL_ERROR', 'INTERNAL_ERROR', 'initiate failed.', { originalError: thrown });
    purchase.reject(error);
    events.emit('error', error, purchase.request || undefined);
  }

  // ---- The button --------------------------------------------------------------------------------------------------

  function labelOf(config) {
    const intent = [].concat(config.intents || 'PAY')[0];
    if (LABELS[intent]) return { label: LABELS[intent] + ' {klarna}', language: 'en' };
    const language = String(config.locale || 'en-US').toLowerCase().split(/[-_]/)[0];
    return CONTINUE[language] ? { label: CONTINUE[language], language } : { label: CONTINUE.en, language: 'en' };
  }

  function button(given) {
    const config = Object.assign({ locale: 'en-US' }, given);
    const { label, language } = labelOf(config);
    const drawn = core.button(Object.assign({}, config, { label, locale: language }));
    const ofPage = core.emitter(['click']);
    const start = (initiate, mode) => {
      drawn.toggleState('loading', true);
      const promise = begin(initiate, mode);
      promise.catch(() => {}).then(() => drawn.toggleState('loading', false));
      return promise;
    };
    const on = drawn.on;
    // What a page hears of a click of the first version is what it begins the purchase with.
    drawn.on = function (name, handler) {
      if (name === 'click') ofPage.on(name, handler);
      else on.call(drawn, name, handler);
      return this;
    };
    const off = drawn.off;
    drawn.off = function (name, handler) {
      if (name === 'click') ofPage.off(name, handler);
      else off.call(drawn, name, handler);
      return this;
    };
    on.call(drawn, 'click', () => {
      const mode = config.initiationMode;
      ofPage.emit('click', { initiate: (data, options) => start(async () => data, (options || {}).initiationMode || mode) });
      if (typeof config.initiate === 'function') start(async () => config.initiate(), mode);
      else if (core.version !== 1) core.complain('button: initiate is missing.');
    });
    return drawn;
  }

  // ---- How Klarna is presented ---------------------------------------------------------------------------------------

  function textPart(text, more) {
    return Object.assign({ text, component: () => core.component(core.h('span', {}, text)) }, more);
  }

  function linked(text, link) {
    const element = () => core.h('span', {}, text, ' ', core.h('a', { href: link.href, target: '_blank', rel: 'noopener noreferrer' }, link.linkText));
    return { text, link, component: () => core.component(element()) };
  }

  function iconOf(told) {
    const images = { default: told.badge, badge: told.badge, rectangle: told.badge, square: told.badge };
    return {
      alt: 'Klarna', badgeImageUrl: told.badge, rectangleImageUrl: told.badge, squareImageUrl: told.badge,
      component: (config) => core.component(core.h('img', { src: images[(config || {}).shape] || told.badge, alt: 'Klarna', height: 24 })),
    };
  }

  async function present(wanted) {
    const told = await core.call('presentation', wanted);
    return {
      instruction: told.instruction,
      icon: iconOf(told),
      header: textPart(told.header),
      subheader: { short: textPart(told.short), enriched: linked(told.short, told.link) },
      paymentButton: {
        text: labelOf({ locale: wanted.locale }).label.replace('{klarna}', 'Klarna'),
        component: (config) => button(Object.assign({ locale: wanted.locale }, config)),
      },
    };
  }

  async function presentation(given) {
    const { amount, currency, locale } = given || {};
    const wanted = { amount, currency, locale: locale || core.locale() };
    const made = await present(wanted);
    presented.set(JSON.stringify(wanted), wanted);
    return made;
  }

  core.whenReady().then(() => { comeBack().catch(() => {}); }, () => {});
  // A page that the browser has kept is as it was when it was left: with a purchase under way.
  window.addEventListener('pageshow', (event) => { if (event.persisted) comeBack().catch(() => {}); });

  // Another client, or another locale, may present otherwise.
  let sessions = 0;
  core.onSession(() => {
    sessions += 1;
    if (sessions === 1) return;
    presented.forEach((wanted) => present(wanted).then((made) => events.emit('presentationupdate', made), () => {}));
  });

  return {
    namespace: {
      button,
      initiate: (initiate, options) => begin(async () => (typeof initiate === 'function' ? initiate() : initiate), (options || {}).initiationMode),
      fetch: async (paymentRequestId) => seen((await look(paymentRequestId)).request),
      cancel: async (paymentRequestId) => seen((await cancel(paymentRequestId)).request),
      presentation,
      on(name, handler) {
        events.on(name, handler);
        // Not before the page has registered all that it registers now.
        window.setTimeout(tellUntold, 0);
      },
      off: events.off,
      ShippingRejectionReason: Object.freeze(Object.fromEntries(REJECTIONS.map((name) => [name, name]))),
    },
  };
}
