/**
 * A button of Klarna's, in a shadow root of its own so that no style of the page reaches it: the label in the locale,
 * themes, shapes, and the states that keep it from being pressed twice.
 */
function klarnaButton(document) {
  'use strict';

  const CONTINUE = {
    cs: 'Pokračuj s Klarnou', da: 'Fortsæt med Klarna', de: 'Weiter mit Klarna', el: 'Συνέχεια με την Klarna',
    en: 'Continue with Klarna', es: 'Continuar con Klarna', fi: 'Jatka Klarnalla', fr: 'Continuer avec Klarna',
    hu: 'Tovább Klarnával', it: 'Continua con Klarna', nb: 'Fortsett med Klarna', nl: 'Verdergaan met Klarna',
    no: 'Fortsett med Klarna', pl: 'Kontynuuj z Klarna', pt: 'Continuar com Klarna', ro: 'Continuă cu Klarna',
    sv: 'Fortsätt med Klarna',
  };
  // Only the one above is published for every language.
  const OTHERS = {
    SUBSCRIBE: 'Subscribe with Klarna', SIGNUP: 'Sign up with Klarna', SIGNIN: 'Sign in with Klarna', DONATE: 'Donate with Klarna',
  };
  const SHAPES = { default: '8px', rect: '0', rectangle: '0', pill: '999px' };
  const THEMES = ['default', 'dark', 'light', 'outlined'];

  const STYLE = `
    :host { display: block; }
    button {
      box-sizing: border-box; display: flex; align-items: center; justify-content: center; gap: .5em; width: 100%; min-width: 48px;
      max-width: 500px; height: var(--klarna-button-height, 48px); margin: 0; padding: 0 16px; border: 1px solid transparent;
      font: 500 16px/1.1 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; cursor: pointer;
      overflow: hidden; white-space: nowrap; -webkit-tap-highlight-color: transparent; transition: filter .15s;
    }
    button span { overflow: hidden; text-overflow: ellipsis; }
    .default, .dark { background: #0b051d; color: #f9f8f5; border-color: #0b051d; }
    .light { background: #f9f8f5; color: #0b051d; border-color: #77737f; }
    .outlined { background: #fff; color: #0b051d; border-color: #0b051d; }
    .default:hover, .dark:hover { background: #2c2242; }
    .light:hover, .outlined:hover { background: #ece9f1; }
    button:focus-visible { outline: 3px solid #7a5cff; outline-offset: 2px; }
    button:disabled { cursor: default; }
    button:disabled:not([aria-busy="true"]) { opacity: .55; }
    button[aria-busy="true"] { cursor: progress; }
    .test { flex: none; padding: 2px 5px; border-radius: 5px; background: #ffe3a6; color: #543800; font-size: 10px; font-weight: 700; letter-spacing: .06em; }
    .turn { flex: none; width: 16px; height: 16px; box-sizing: border-box; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; animation: turn .8s linear infinite; }
    @keyframes turn { to { transform: rotate(1turn); } }
    @media (prefers-reduced-motion: reduce) { .turn { animation-duration: 4s; } button { transition: none; } }
    @media (forced-colors: active) { button { border-color: ButtonText; } }`;

  /** The label for a locale; `intent` is what pressing it leads to. */
  function label(locale, intent) {
    if (OTHERS[intent]) return { text: OTHERS[intent], language: 'en' };
    const language = String(locale || '').toLowerCase().split(/[-_]/)[0];
    return CONTINUE[language] ? { text: CONTINUE[language], language } : { text: CONTINUE.en, language: 'en' };
  }

  /** Draws it into `host`, whose shadow root it takes; answers with how its state is changed. */
  function draw(host, config, pressed) {
    const root = host.shadowRoot || host.attachShadow({ mode: 'open' });
    // Through the object model, where a page's policy against inline styles has no say.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const button = document.createElement('button');
    button.type = 'button';
    const words = label(config.locale, config.intent);
    const text = document.createElement('span');
    text.textContent = words.text;
    text.lang = words.language;
    const badge = document.createElement('span');
    badge.className = 'test';
    badge.textContent = 'TEST';
    const state = { busy: false, disabled: false };
    const show = () => {
      button.disabled = state.busy || state.disabled;
      button.setAttribute('aria-busy', String(state.busy));
      const turn = document.createElement('span');
      turn.className = 'turn';
      turn.setAttribute('aria-hidden', 'true');
      button.replaceChildren(...(state.busy ? [turn] : []), text, badge);
    };
    button.className = THEMES.indexOf(config.theme) < 0 ? 'default' : config.theme;
    button.style.borderRadius = SHAPES[config.shape] || SHAPES.default;
    button.addEventListener('click', (event) => pressed(event));
    // A host that was given a height by its page keeps it, within what is allowed.
    const height = host.clientHeight;
    if (height >= 35) host.style.setProperty('--klarna-button-height', Math.min(60, height) + 'px');
    root.replaceChildren(button);
    show();
    return {
      element: button,
      set: (change) => { Object.assign(state, change); show(); },
      remove: () => root.replaceChildren(),
    };
  }

  return { draw, label };
}
