/*
 * Sign in with Klarna: the button, and what happens between its click and the `signin` event.
 *
 * A click opens the provider in a popup, or in this tab where popups are not allowed or the page asks for it. The
 * answer is a code. A page without a secret redeems it here, with the verifier that only this page knows; a page whose
 * server has a secret is given the code. Which answer belongs to which click is told by `state`, who answered by
 * `iss`, and whether the ID token was made for it by `nonce`.
 */

function identityProduct(core) {
  const ATTEMPTS = '__klarna_sdk_klarna-signin';
  const ASK_AGAIN = '__klarna_sdk_klarna-signin-again';
  const ATTEMPT_MS = 30 * 60 * 1000;
  const PROVIDER = '/eu/lp/idp/';
  const ANSWER = ['code', 'state', 'iss', 'scope', 'error', 'error_description'];

  const LABELS = {
    cs: 'Přihlásit se přes {klarna}', da: 'Log ind med {klarna}', de: 'Mit {klarna} anmelden', el: 'Σύνδεση με {klarna}', en: 'Sign in with {klarna}', es: 'Iniciar sesión con {klarna}',
    fi: 'Kirjaudu palvelulla {klarna}', fr: 'Se connecter avec {klarna}',
    hu: 'Bejelentkezés {klarna}-fiókkal', it: 'Accedi con {klarna}', nb: 'Logg inn med {klarna}',
    nl: 'Inloggen met {klarna}', no: 'Logg inn med {klarna}', pl: 'Zaloguj się przez {klarna}', pt: 'Iniciar sessão com {klarna}',
    ro: 'Autentificare cu {klarna}', sk: 'Prihlásiť sa cez {klarna}', sv: 'Logga in med {klarna}',
  };
  const WAITING = {
    de: ['Weiter im anderen Fenster', 'Fenster zeigen', 'Abbrechen'],
    en: ['Go on in the other window', 'Show the window', 'Cancel'],
    sv: ['Fortsätt i det andra fönstret', 'Visa fönstret', 'Avbryt'],
  };
  const OVERLAY = `
:host { position: fixed; inset: 0; z-index: 2147483000; display: grid; place-items: center; background: rgb(11 5 29 / 70%); color: #fff; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
div { display: grid; gap: 12px; justify-items: center; padding: 24px; text-align: center; }
p { margin: 0; font-weight: 600; }
button { min-width: 200px; min-height: 44px; padding: 8px 16px; border: 1px solid #fff; border-radius: 8px; background: none; color: #fff; font: inherit; cursor: pointer; }
button:first-of-type { background: #fff; color: #0b051d; }
button:focus-visible { outline: 3px solid #ffa8cd; outline-offset: 2px; }
`;

  const language = (locale) => String(locale || '').slice(0, 2).toLowerCase();
  const events = core.emitter(['signin', 'error'], {});
  const listened = { signin: false, error: false };
  const waiting = []; // what happened before the page listened
  const buttons = new Map(); // id -> button
  let made = 0;
  let underWay = null; // the popup of the click before

  // ---- Telling the page ---------------------------------------------------------------------------------------------

  /** A page that was returned to registers its handlers when it gets to it; until then what happened waits. */
  function tell(name, value) {
    if (listened[name]) events.emit(name, value);
    else waiting.push([name, value]);
  }

  function on(name, handler) {
    events.on(name, handler);
    if (typeof handler !== 'function' || !(name in listened)) return;
    listened[name] = true;
    window.setTimeout(() => {
      waiting.splice(0).forEach(([what, value]) => tell(what, value));
    }, 0);
  }

  /** An error in OAuth's words and in the library's. */
  function failed(error, description, cause) {
    const code = error === 'access_denied' ? 'ACCESS_ERROR' : 'TECHNICAL_ERROR';
    const told = core.error(code, error, description || error, cause && { originalError: cause });
    tell('error', Object.assign(told, { error, error_description: description || error }));
  }

  // ---- Before the provider ------------------------------------------------------------------------------------------

  const base64 = (bytes) => window.btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const random = () => base64(window.crypto.getRandomValues(new Uint8Array(32)));

  let described = null;
  /** The provider's description of itself, fetched once. */
  function description() {
    if (described === null) {
      described = window.fetch(core.origin + '/.well-known/openid-configuration', { credentials: 'omit' })
        .then((response) => {
          if (!response.ok) throw new Error('the provider answered ' + response.status);
          return response.json();
        });
      described.catch(() => { described = null; });
    }
    return described;
  }

  /** A verifier with its challenge. Made ahead: a click must open its window at once. */
  async function secret() {
    const verifier = random();
    const bytes = new window.TextEncoder().encode(verifier);
    return { verifier, challenge: base64(await window.crypto.subtle.digest('SHA-256', bytes)) };
  }

  const storage = {
    read(key) {
      try {
        return JSON.parse(window.sessionStorage.getItem(key));
      } catch (unreadable) {
        return null;
      }
    },
    write(key, value) {
      try {
        if (value === null) window.sessionStorage.removeItem(key);
        else window.sessionStorage.setItem(key, JSON.stringify(value));
      } catch (forbidden) {
        // Then a redirect cannot be answered; a popup can.
      }
    },
  };

  /** Scopes without which there would be neither an ID token nor anything to link an account with. */
  function scopes(text) {
    const all = String(text).split(/\s+/).filter(Boolean);
    ['openid', 'offline_access'].forEach((scope) => { if (all.indexOf(scope) < 0) all.push(scope); });
    return all.join(' ');
  }

  function begun(config, made) {
    return {
      state: random(), nonce: random(), verifier: made && made.verifier, clientId: core.clientId(),
      redirectUri: config.redirectUri, confidential: config.clientType === 'confidential', at: Date.now(),
    };
  }

  function address(config, attempt, challenge, further) {
    const query = new URLSearchParams({
      client_id: attempt.clientId, redirect_uri: attempt.redirectUri, response_type: 'code', scope: scopes(config.scope),
      state: attempt.state, nonce: attempt.nonce, ui_locales: config.locale || core.locale(),
    });
    if (challenge) {
      query.set('code_challenge', challenge);
      query.set('code_challenge_method', 'S256');
    }
    const wanted = new URLSearchParams(window.location.search).get('klarna-auth-prompt');
    if (wanted === 'consent' || wanted === 'login') query.set('prompt', wanted);
    else if (storage.read(ASK_AGAIN)) query.set('prompt', 'login');
    Object.entries(further || {}).forEach(([name, value]) => query.set(name, value));
    return PROVIDER + 'oauth2/auth?' + query;
  }

  // ---- The click ----------------------------------------------------------------------------------------------------

  function start(config, made) {
    const attempt = begun(config, made);
    const challenge = made && made.challenge;
    const mode = config.interactionMode || config.initiationMode || 'DEVICE_BEST';
    const framed = window.top !== window;
    if (mode === 'REDIRECT' || framed || !popUp(config, attempt, challenge)) redirect(config, attempt, challenge);
  }

  function redirect(config, attempt, challenge) {
    const attempts = (storage.read(ATTEMPTS) || []).filter((one) => Date.now() - one.at < ATTEMPT_MS).slice(-4);
    storage.write(ATTEMPTS, attempts.concat(attempt));
    const url = core.origin + address(config, attempt, challenge);
    // The provider's pages let nobody frame them.
    (window.top === window ? window : window.top).location.assign(url);
  }

  /** Whether there is a popup. */
  function popUp(config, attempt, challenge) {
    if (underWay) underWay.end();
    let over = false;
    let popup = null;
    let overlay = null;
    const end = () => {
      over = true;
      underWay = null;
      if (overlay) overlay.remove();
      if (popup) popup.close();
    };
    const path = address(config, attempt, challenge, { response_mode: 'web_message', page_origin: window.location.origin });
    popup = core.popup(path, {
      name: 'klarna-signin', width: 460, height: 760,
      receive(message) {
        if (over || message.type !== 'signin' || typeof message.result !== 'object' || message.result === null) return;
        end();
        finish(attempt, message.result);
      },
      closed() {
        if (over) return;
        end();
        failed('access_denied', 'The window was closed.');
      },
    });
    if (!popup) return false;
    underWay = { end };
    if (config.hideOverlay !== true) {
      overlay = cover(config, popup, () => {
        end();
        failed('access_denied', 'The shopper called it off.');
      });
    }
    return true;
  }

  /** What lies over the page while the popup is open. */
  function cover(config, popup, cancel) {
    const [text, show, stop] = WAITING[language(config.locale || core.locale())] || WAITING.en;
    const host = document.createElement('div');
    const first = core.h('button', { type: 'button', onclick: () => popup.focus() }, show);
    core.shadow(host, OVERLAY).replaceChildren(core.h('div', { role: 'dialog', 'aria-modal': 'true', 'aria-label': text },
      core.h('p', {}, text), first, core.h('button', { type: 'button', onclick: cancel }, stop)));
    document.body.append(host);
    return host;
  }

  // ---- The answer ---------------------------------------------------------------------------------------------------

  async function finish(attempt, result) {
    if (result.state !== attempt.state) {
      failed('invalid_state', 'The answer belongs to another sign-in.');
      return;
    }
    try {
      const provider = await description();
      if (result.iss !== provider.issuer) {
        failed('invalid_issuer', 'Somebody else answered.');
        return;
      }
      if (result.error || !result.code) {
        failed(result.error || 'server_error', result.error_description);
        return;
      }
      storage.write(ASK_AGAIN, null);
      if (attempt.confidential) {
        tell('signin', { code: result.code });
        return;
      }
      const tokens = await redeem(attempt, result.code);
      const claims = read(tokens.id_token);
      if (claims.nonce !== attempt.nonce || claims.aud !== attempt.clientId || claims.iss !== provider.issuer) {
        failed('invalid_token', 'The ID token was made for somebody else.');
        return;
      }
      tell('signin', payload(profile(claims), tokens));
    } catch (cause) {
      failed(cause.error || 'server_error', cause.message, cause);
    }
  }

  async function redeem(attempt, code) {
    const response = await window.fetch(core.origin + PROVIDER + 'oauth2/token', {
      method: 'POST', mode: 'cors', credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer',
      body: new URLSearchParams({
        grant_type: 'authorization_code', client_id: attempt.clientId, redirect_uri: attempt.redirectUri,
        code, code_verifier: attempt.verifier,
      }),
    });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.error_description || 'The provider answered ' + response.status + '.'), { error: answer.error });
  }

  /** The claims of a token that came from the provider directly. */
  function read(token) {
    const text = String(token).split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(window.atob(text), (character) => character.charCodeAt(0));
    return JSON.parse(new window.TextDecoder().decode(bytes));
  }

  /** Every key there is; what is not known or not shared is null. */
  function profile(claims) {
    const one = (name) => (claims[name] === undefined ? null : claims[name]);
    const names = ['sub', 'given_name', 'family_name', 'email', 'email_verified', 'phone', 'date_of_birth', 'country', 'locale',
      'national_identification_number', 'national_identification_number_country', 'billing_address', 'shipping_address'];
    return Object.fromEntries(names.map((name) => [name, one(name)]));
  }

  function payload(customerProfile, tokens) {
    if (core.version === 2) return { customerProfile, idToken: tokens.id_token, refreshToken: tokens.refresh_token };
    return {
      user_account_profile: customerProfile,
      user_account_linking: {
        user_account_linking_id_token: tokens.id_token,
        user_account_linking_refresh_token: tokens.refresh_token,
      },
    };
  }

  /** The page that the provider has sent the shopper back to. Any other address is not ours to look at. */
  function comeBack() {
    const { origin, pathname, search } = window.location;
    const parts = search.slice(1).split('&').filter(Boolean);
    const isAnswer = (part) => ANSWER.indexOf(part.split('=')[0]) >= 0;
    const result = Object.fromEntries(new URLSearchParams(parts.filter(isAnswer).join('&')));
    if (!result.state || !(result.code || result.error)) return;
    const attempts = storage.read(ATTEMPTS) || [];
    const rest = parts.filter((part) => !isAnswer(part)).join('&');
    const here = origin + pathname + (rest ? '?' + rest : '');
    const attempt = attempts.find((one) => one.state === result.state && one.redirectUri === here);
    if (!attempt || Date.now() - attempt.at > ATTEMPT_MS) return;
    storage.write(ATTEMPTS, attempts.filter((one) => one !== attempt));
    // A code in the address bar would be kept by whoever keeps addresses, and be sent again by a reload.
    window.history.replaceState(window.history.state, '', here + window.location.hash);
    finish(attempt, result);
  }

  // ---- Buttons ------------------------------------------------------------------------------------------------------

  /** Makes a button of a configuration; without one, or with an id, looks one up. */
  function button(config) {
    if (typeof config !== 'object' || config === null) {
      return config === undefined ? Array.from(buttons.values()).pop() : buttons.get(String(config));
    }
    const missing = ['scope', 'redirectUri'].filter((name) => typeof config[name] !== 'string' || config[name] === '');
    if (missing.length > 0) {
      throw core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'Identity.button: ' + missing.join(' and ') + ' missing.',
        { validationErrors: missing.map((path) => ({ path })) });
    }
    made += 1;
    const id = String(config.id || 'klarna-identity-button-' + made);
    const locale = config.locale || core.locale();
    const drawn = core.button({
      id: config.id, locale, label: LABELS[language(locale)] || LABELS.en, shape: config.shape, theme: config.theme,
      logoAlignment: config.logoAlignment || config.alignment,
    });
    const own = core.emitter(['ready', 'render', 'click'], {});
    const isPublic = config.clientType !== 'confidential';
    let next = null; // the secret of the next click
    let attached = null;
    const prepare = () => {
      next = null;
      return isPublic ? secret().then((one) => { next = one; }) : Promise.resolve();
    };
    const prepared = Promise.all([description(), prepare()]);
    prepared.catch((cause) => core.complain('Identity.button: the sign-in cannot be prepared.', cause));
    const press = (event) => {
      own.emit('click', event);
      if (isPublic && next === null) {
        // Too early, or not possible here: a window that opens later is blocked, so this tab is left.
        prepare().then(() => { redirectNow(); }, (cause) => failed('server_error', 'The sign-in cannot be prepared.', cause));
        return;
      }
      const used = next;
      prepare().catch(() => {});
      start(config, used);
    };
    const redirectNow = () => start(Object.assign({}, config, { interactionMode: 'REDIRECT' }), next);
    const ready = () => {
      own.emit('render');
      prepared.then(() => own.emit('ready'), () => {});
    };
    drawn.on('click', press);
    drawn.on('ready', ready);
    const self = {
      id,
      htmlElement: drawn.htmlElement,
      mount(target) { drawn.mount(target); return self; },
      unmount() { drawn.unmount(); return self; },
      /** Makes a button of the page's own one that signs in. */
      attach(target) {
        const element = core.find(target);
        if (!element) throw core.error('INPUT_ERROR', 'VALIDATION_ERROR', 'attach: no element matches ' + String(target) + '.');
        self.detach();
        attached = element;
        attached.addEventListener('click', press);
        window.setTimeout(ready, 0);
        return self;
      },
      detach() {
        if (attached) attached.removeEventListener('click', press);
        attached = null;
        return self;
      },
      on(name, handler) { own.on(name, handler); return self; },
      off(name, handler) { own.off(name, handler); return self; },
      toggleState(name, value) { drawn.toggleState(name, value); return self; },
    };
    buttons.set(id, self);
    return self;
  }

  function elements() {
    core.once('klarna-identity-button', () => class extends window.HTMLElement {
      static get observedAttributes() {
        return ['data-scope', 'data-redirect-uri', 'data-locale', 'data-theme', 'data-shape', 'data-logo-alignment',
          'data-client-type', 'data-interaction-mode', 'data-hide-overlay'];
      }

      connectedCallback() { this.draw(); }

      attributeChangedCallback() { if (this.isConnected) this.draw(); }

      disconnectedCallback() { if (this.shown) this.shown.unmount(); this.shown = null; }

      draw() {
        const { scope, redirectUri, locale, theme, shape, logoAlignment, clientType, interactionMode, hideOverlay } = this.dataset;
        // Attributes come one after the other, and the client identifier when the library begins.
        if (this.shown) this.shown.unmount();
        this.shown = null;
        if (!scope || !redirectUri) return;
        this.shown = button({
          scope, redirectUri, locale, theme, shape, logoAlignment, clientType, interactionMode, hideOverlay: hideOverlay === 'true',
        });
        if (this.id) buttons.set(this.id, this.shown);
        this.shown.mount(this);
      }
    });
  }

  /** The next sign-in asks who it is. Nothing of this one is left in the page. */
  async function clearLoginState() {
    storage.write(ATTEMPTS, null);
    storage.write(ASK_AGAIN, true);
    waiting.length = 0;
  }

  core.whenReady().then(comeBack, () => {});

  return { namespace: { button, on, off: events.off, clearLoginState }, elements };
}
