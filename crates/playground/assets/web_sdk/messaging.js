/*
 * On-site messaging: <klarna-placement>, the dialog behind "Learn more", window.Klarna.OnsiteMessaging, the older
 * window.KlarnaOnsiteService, and sdk.Messaging.placement().
 *
 * What a placement says is the server's business. This file keeps room for it from the moment the element is there,
 * so that nothing on the page moves when the text arrives; MESSAGING_HINTS (made by the server from the same rules)
 * tells for which keys, locales and amounts there will be one. Where there is nothing to show, or anything goes wrong,
 * the element stays empty: shoppers see no error.
 */
function messagingProduct(core) {
  const EVENTS = ['placement-rendered', 'informational-modal-opened', 'informational-modal-closed'];
  const events = core.emitter(EVENTS, {
    placementRendered: EVENTS[0], informationalModalOpened: EVENTS[1], informationalModalClosed: EVENTS[2],
  });
  const THEMES = ['default', 'light', 'dark', 'outlined', 'custom'];
  const placements = new Set(); // elements in the page
  const answers = new Map(); // question -> promise of an answer
  let badge = null; // the one TEST DRIVE badge of the page

  // ---- What an element asks for -------------------------------------------------------------------------------------

  const locales = new Map(Object.keys(MESSAGING_HINTS.locales).map((locale) => [locale.toLowerCase(), locale]));

  function readLocale(text) {
    return locales.get(String(text || '').trim().replace(/_/g, '-').toLowerCase()) || null;
  }

  /** Minor units. Whatever is not a whole number is none. */
  function readAmount(text) {
    const value = text === null || text === undefined ? '' : String(text).trim();
    return /^-?\d{1,15}$/.test(value) ? Number(value) : null;
  }

  function readMethods(text) {
    try {
      const list = JSON.parse(text);
      return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
    } catch (unreadable) {
      return [];
    }
  }

  /** What the attributes say, in today's and older spellings; null where nothing can be shown. */
  function questionOf(element) {
    const data = (...names) => names.map((name) => element.getAttribute('data-' + name)).find((value) => value !== null);
    const key = String(data('key') || '').trim();
    const hint = Object.prototype.hasOwnProperty.call(MESSAGING_HINTS.keys, key) ? MESSAGING_HINTS.keys[key] : null;
    const locale = readLocale(data('locale') || core.locale());
    if (!hint || !locale) return null;
    const [layout, needsAmount] = hint;
    const amount = readAmount(data('amount', 'purchase-amount', 'purchase_amount', 'total_amount'));
    const [least, most] = MESSAGING_HINTS.locales[locale];
    if (needsAmount && (amount === null || amount < least || amount > most)) return null;
    const methods = data('custom-payment-method-ids');
    return {
      layout,
      body: {
        key, locale,
        amount: amount === null ? undefined : amount,
        prefix: data('message-prefix'), preference: data('message-preference'),
        methods: methods === undefined ? undefined : readMethods(methods),
      },
    };
  }

  /** Asks once for the same thing; an error is not kept. */
  async function ask(body) {
    await core.whenReady();
    const question = JSON.stringify([core.clientId(), body]);
    if (!answers.has(question)) {
      const answer = core.call('placement', body);
      answers.set(question, answer);
      answer.catch(() => answers.delete(question));
    }
    return answers.get(question);
  }

  // ---- Drawing -------------------------------------------------------------------------------------------------------

  const h = core.h;

  function money(content, amount) {
    const digits = String(Math.abs(amount)).padStart(content.exponent + 1, '0');
    const whole = digits.slice(0, digits.length - content.exponent);
    const fraction = digits.slice(digits.length - content.exponent);
    // As text, so that nothing is ever rounded.
    return new Intl.NumberFormat(content.locale === 'no-NO' ? 'nb-NO' : content.locale, {
      style: 'currency', currency: content.currency,
      minimumFractionDigits: content.exponent, maximumFractionDigits: content.exponent,
    }).format((amount < 0 ? '-' : '') + whole + (fraction ? '.' + fraction : ''));
  }

  function words(content) {
    return content.message.map((piece) => {
      if (piece.name !== undefined) return h('strong', { part: 'osm-logo', class: 'name' }, piece.name);
      return piece.amount !== undefined ? h('span', { class: 'amount' }, money(content, piece.amount)) : piece.text;
    });
  }

  function draw(element, box, content) {
    const logo = content.badge && h('span', { part: 'osm-badge osm-logo', class: 'badge', role: 'img', 'aria-label': 'Klarna' },
      h('span', { 'aria-hidden': 'true' }, 'Klarna'));
    const action = h('button', { type: 'button', part: 'osm-cta osm-link', class: 'cta', 'aria-haspopup': 'dialog',
      onclick: () => open(element, content) }, content.action);
    const deal = content.deal && h('span', { part: 'osm-deal-badge', class: 'deal' }, content.deal);
    const heading = content.heading && h('strong', { part: 'osm-heading', class: 'heading' }, content.heading);
    const methods = content.methods && h('ul', { class: 'methods' }, content.methods.map((name) => h('li', {}, name)));
    const message = h('span', { part: 'osm-message', class: 'message' }, words(content), ' ', action);
    const legal = h('span', { part: 'osm-legal', class: 'legal' }, content.legal);
    box.lang = content.locale;
    box.removeAttribute('aria-hidden');
    box.classList.add('filled');
    box.classList.toggle('badge-right', content.badge === 'right');
    const body = h('div', { class: 'body' }, heading && h('div', { class: 'line' }, heading, deal),
      !heading && deal, methods, message, legal);
    box.replaceChildren(...[logo, body].filter(Boolean));
    const hidden = [logo, legal].filter((one) => one && window.getComputedStyle(one).display === 'none');
    if (hidden.length) core.complain('a placement must not hide its legal text or its logo (::part).');
  }

  class KlarnaPlacement extends HTMLElement {
    static get observedAttributes() { return ['data-amount']; }

    connectedCallback() {
      placements.add(this);
      this.update();
    }

    disconnectedCallback() {
      placements.delete(this);
      showBadge();
    }

    attributeChangedCallback(name, before, after) {
      if (this.isConnected && before !== after) this.update();
    }

    update() {
      const turn = this.turn = (this.turn || 0) + 1;
      const question = questionOf(this);
      if (!question) {
        this.clear();
        return;
      }
      const same = JSON.stringify(question.body);
      // What was answered with nothing gets no room again.
      if (this.without === same) return;
      const box = this.room(question.layout);
      if (this.shown === same) return;
      ask(question.body).then((content) => {
        if (turn !== this.turn || !this.isConnected) return;
        if (!content) {
          this.clear();
          this.without = same;
          return;
        }
        this.shown = same;
        draw(this, box, content);
        showBadge();
        noteImpression(content.impression_url);
        events.emit('placement-rendered', { element: this, key: content.key });
      }).catch((error) => {
        if (turn !== this.turn) return;
        this.clear();
        window.console.warn('[klarna] a placement shows nothing: ' + (error.errorCode || error.message));
      });
    }

    /** The box, empty as yet, as high as what will stand in it. */
    room(layout) {
      const theme = this.getAttribute('data-theme');
      const root = core.shadow(this, STYLES);
      let box = root.querySelector('.box');
      if (!box) {
        box = h('div', { part: 'osm-container', 'aria-hidden': 'true' });
        root.replaceChildren(box);
      }
      const filled = box.classList.contains('filled') ? ' filled' : '';
      const right = box.classList.contains('badge-right') ? ' badge-right' : '';
      box.className = 'box ' + layout + ' theme-' + (THEMES.indexOf(theme) < 0 ? 'default' : theme) + filled + right;
      return box;
    }

    clear() {
      this.shown = null;
      this.without = null;
      if (this.shadowRoot) this.shadowRoot.replaceChildren();
      showBadge();
    }
  }

  /** Told each time that something is shown. It names no person and opens nothing. */
  function noteImpression(url) {
    window.fetch(url, { mode: 'no-cors', credentials: 'omit', cache: 'no-store', keepalive: true, referrerPolicy: 'no-referrer' })
      .catch(() => {});
  }

  // ---- The badge that says it is a rehearsal ----------------------------------------------------------------------------

  function showBadge() {
    const isNeeded = Array.from(placements).some((element) => element.shown);
    if (isNeeded && !badge) {
      badge = document.createElement('test-drive-badge');
      document.body.append(badge);
    } else if (!isNeeded && badge) {
      badge.remove();
      badge = null;
    }
  }

  // ---- The dialog ---------------------------------------------------------------------------------------------------

  function open(element, content) {
    const host = document.createElement('klarna-osm-dialog');
    const frame = core.frame(new URL(content.learn_more_url).pathname + new URL(content.learn_more_url).search, {
      title: content.action,
      receive: (message) => { if (message.type === 'close') dialog.close(); },
    });
    const dialog = h('dialog', { 'aria-label': content.action, lang: content.locale },
      h('button', { type: 'button', class: 'close', 'aria-label': content.close, autofocus: true, onclick: () => dialog.close() },
        h('span', { 'aria-hidden': 'true' }, '×')),
      frame.element);
    const former = document.documentElement.style.overflow;
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('close', () => {
      frame.remove();
      host.remove();
      document.documentElement.style.overflow = former;
      const cta = element.shadowRoot && element.shadowRoot.querySelector('.cta');
      if (cta) cta.focus();
      events.emit('informational-modal-closed', { element });
    }, { once: true });
    // Pages cannot style what stands here.
    const root = host.attachShadow({ mode: 'closed' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(DIALOG_STYLES);
    root.adoptedStyleSheets = [sheet];
    root.append(dialog);
    document.body.append(host);
    document.documentElement.style.overflow = 'hidden';
    frame.post({ type: 'open' });
    dialog.showModal();
    events.emit('informational-modal-opened', { element });
  }

  // ---- What pages call ------------------------------------------------------------------------------------------------

  /** Looks at every placement of the page anew: amounts, locales and themes may have changed. */
  function refresh() {
    document.querySelectorAll('klarna-placement').forEach((element) => { if (element.update) element.update(); });
  }

  /** The older interface: a queue that pages push into, before and after the library is there. */
  function serveQueue() {
    const queue = Array.isArray(window.KlarnaOnsiteService) ? window.KlarnaOnsiteService : [];
    window.KlarnaOnsiteService = queue;
    if (queue.loaded) return;
    const serve = (item) => {
      if (isObject(item) && item.eventName === 'refresh-placements') refresh();
      else core.complain('KlarnaOnsiteService.push: there is no event ' + (isObject(item) ? String(item.eventName) : String(item)) + '.');
    };
    const waiting = queue.splice(0);
    queue.push = (...items) => { items.forEach(serve); return 0; };
    queue.loaded = true;
    waiting.forEach(serve);
  }

  function placement(config) {
    const element = document.createElement('klarna-placement');
    const names = {
      key: 'key', locale: 'locale', theme: 'theme', amount: 'amount', purchaseAmount: 'amount',
      messagePrefix: 'message-prefix', messagePreference: 'message-preference',
    };
    const apply = (settings) => {
      Object.entries(isObject(settings) ? settings : {}).forEach(([name, value]) => {
        if (name === 'instance' || name === 'id') element.id = String(value);
        else if (name === 'customPaymentMethodIds') element.setAttribute('data-custom-payment-method-ids', JSON.stringify(value));
        else if (names[name] && value !== undefined && value !== null) element.setAttribute('data-' + names[name], String(value));
      });
    };
    apply(config);
    return Object.assign(core.component(element), {
      /** Later changes of amount, locale and theme. */
      update(settings) {
        apply(settings);
        if (element.isConnected && element.update) element.update();
        return this;
      },
    });
  }

  // A page without these would get nothing from the real library either.
  const isSupported = 'attachShadow' in Element.prototype && 'adoptedStyleSheets' in Document.prototype;

  return {
    namespace: { placement, on: events.on, off: events.off, refresh },
    also: core.version === 1 ? { OnsiteMessaging: { refresh, on: events.on, off: events.off } } : {},
    elements() {
      if (!isSupported) return;
      core.once('klarna-placement', () => KlarnaPlacement);
      core.once('test-drive-badge', () => class extends HTMLElement {
        connectedCallback() {
          core.shadow(this, BADGE_STYLES).replaceChildren(h('span', { role: 'note' }, 'TEST DRIVE'));
        }
      });
      serveQueue();
      // The locale of an init may be what a placement lacked.
      core.onSession(refresh);
    },
  };
}

/*
 * Heights are kept free by layout and width before anything is shown. A test fills them with every text of every
 * locale, so what is reserved is enough from 280 px on, and nothing moves.
 */
const STYLES = `
:host { display: block; container-type: inline-size; }
:host([hidden]) { display: none; }
.box { box-sizing: border-box; display: flex; align-items: center; gap: 12px; font: 15px/20px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; text-align: start; color: #0b051d; background: #fff; border: 1px solid #d9d6e2; border-radius: 8px; padding: 7px 12px; overflow-wrap: anywhere; }
.box:not(.filled) { visibility: hidden; }
.badge-right { flex-direction: row-reverse; justify-content: flex-end; }
.theme-dark { color: #fff; background: #0b051d; border-color: #0b051d; }
.theme-outlined, .theme-custom { color: inherit; background: transparent; border-color: currentColor; }
.theme-custom { border-color: transparent; padding-inline: 0; font-family: inherit; }
.badge { flex: none; padding: 4px 9px; border-radius: 8px; background: #ffa8cd; color: #0b051d; font-size: 14px; line-height: 18px; font-weight: 750; letter-spacing: -.02em; }
.body { min-width: 0; display: block; }
.line { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: center; }
.message, .legal { display: block; }
.legal { font-size: 12px; line-height: 16px; opacity: .8; }
.heading { display: block; font-size: 17px; line-height: 22px; }
.name { font-weight: 750; }
.amount { white-space: nowrap; }
.cta { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 2px 0; margin: -2px 0; text-decoration: underline; text-underline-offset: 3px; cursor: pointer; border-radius: 3px; }
.cta:focus-visible { outline: 3px solid #6f4cff; outline-offset: 2px; }
.deal { display: inline-block; padding: 1px 7px; margin-inline-end: 6px; border-radius: 999px; background: #ffe3a6; color: #543800; font-size: 12px; line-height: 16px; font-weight: 700; }
.methods { display: flex; flex-wrap: wrap; gap: 0 16px; margin: 0; padding: 0; list-style: none; font-weight: 600; }
.strip { border-radius: 0; border-inline: 0; justify-content: center; }
.promotion { min-height: 56px; }
.strip { min-height: 56px; }
.banner { min-height: 76px; }
.checkout { min-height: 96px; }
.info { min-height: 124px; }
.info { align-items: flex-start; padding-block: 12px; }
@container (max-width: 899.99px) {
  .promotion { min-height: 72px; }
  .checkout { min-height: 112px; }
}
@container (max-width: 699.99px) {
  .promotion { min-height: 88px; }
  .strip { min-height: 88px; }
  .banner { min-height: 112px; }
  .checkout { min-height: 148px; }
  .info { min-height: 160px; }
}
@container (max-width: 559.99px) {
  .promotion { min-height: 92px; }
  .banner { min-height: 116px; }
  .info { min-height: 180px; }
}
@container (max-width: 479.99px) {
  .box { flex-direction: column; align-items: flex-start; justify-content: center; gap: 6px; }
  .info { justify-content: flex-start; }
  .promotion { min-height: 124px; }
  .strip { min-height: 120px; }
  .banner { min-height: 148px; }
  .checkout { min-height: 180px; }
  .info { min-height: 212px; }
}
@container (max-width: 399.99px) {
  .promotion { min-height: 140px; }
  .banner { min-height: 164px; }
  .info { min-height: 214px; }
}
@container (max-width: 359.99px) {
  .checkout { min-height: 200px; }
  .info { min-height: 254px; }
}
@container (max-width: 319.99px) {
  .promotion { min-height: 160px; }
  .strip { min-height: 136px; }
  .banner { min-height: 180px; }
  .checkout { min-height: 236px; }
  .info { min-height: 290px; }
}
`;

const BADGE_STYLES = `
:host { position: fixed; left: 8px; bottom: 8px; z-index: 2147483000; pointer-events: none; }
span { display: block; padding: 3px 8px; border-radius: 6px; background: #ffe3a6; color: #543800; font: 700 11px/16px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; letter-spacing: .06em; box-shadow: 0 1px 4px rgb(0 0 0 / 25%); }
`;

const DIALOG_STYLES = `
dialog { box-sizing: border-box; position: fixed; inset: 0; margin: auto; padding: 0; width: min(560px, 100vw); height: min(720px, 100vh); max-width: none; max-height: none; border: 0; border-radius: 16px; overflow: hidden; background: Canvas; color-scheme: light dark; box-shadow: 0 12px 48px rgb(0 0 0 / 35%); }
dialog::backdrop { background: rgb(11 5 29 / 55%); }
iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
.close { position: absolute; top: 8px; right: 8px; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: transparent; color: CanvasText; font: 28px/1 system-ui, sans-serif; cursor: pointer; z-index: 1; }
.close:focus-visible { outline: 3px solid #6f4cff; outline-offset: -3px; }
@media (max-width: 600px) { dialog { width: 100vw; height: 100vh; height: 100dvh; border-radius: 0; } }
`;
