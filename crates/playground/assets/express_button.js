/**
 * The older Express button: `<klarna-express-button>` and `Klarna.ExpressButton`. It sells nothing. The shopper says
 * who they are in a window of ours and lets the page have their address, with which the page fills in its checkout.
 */
(function expressButton() {
  'use strict';

  // Where it was to be had.
  const COUNTRIES = ['US', 'CA', 'GB', 'FR', 'PL', 'NL', 'BE', 'IE', 'ES', 'IT', 'PT', 'AT', 'DE', 'DK', 'AU', 'NZ'];
  const PATH = '/kp/express-button';
  const script = document.currentScript;
  const origin = new URL(script.src, document.baseURI).origin;
  const merchantId = script.dataset.id || '';
  const buttons = klarnaButton(document);
  const handlers = [];
  let running = null; // { target, close }: the window that is open

  function complain(message) {
    window.console.error('[klarna] ' + message);
  }

  function tell(data) {
    handlers.slice().forEach((handler) => {
      try {
        handler(data);
      } catch (thrown) {
        // An error in the page's code stays the page's.
        window.setTimeout(() => { throw thrown; }, 0);
      }
    });
  }

  function overlay() {
    const frame = document.createElement('iframe');
    frame.title = 'Klarna';
    frame.src = origin + PATH;
    frame.setAttribute('role', 'dialog');
    frame.setAttribute('aria-modal', 'true');
    Object.assign(frame.style, {
      position: 'fixed', inset: '0', width: '100%', height: '100%', border: '0', zIndex: '2147483647', background: 'transparent', colorScheme: 'light dark',
    });
    const former = document.activeElement;
    document.body.append(frame);
    frame.focus();
    return {
      target: () => frame.contentWindow,
      focus: () => frame.focus(),
      close() {
        frame.remove();
        if (former && former.focus) former.focus();
      },
    };
  }

  function popup(over) {
    let opened = null;
    try {
      opened = window.open(origin + PATH, 'klarna-express-button', 'popup=yes,width=440,height=760');
    } catch (blocked) {
      // As if it had not opened.
    }
    if (!opened) return null;
    const timer = window.setInterval(() => { if (opened.closed) over(); }, 250);
    return {
      target: () => opened,
      focus: () => opened.focus(),
      close() {
        window.clearInterval(timer);
        if (!opened.closed) opened.close();
      },
    };
  }

  function press(drawn, locale) {
    if (running) {
      running.focus();
      return;
    }
    const over = () => {
      if (!running) return;
      running.close();
      running = null;
      drawn.set({ busy: false });
    };
    drawn.set({ busy: true });
    running = popup(over) || overlay();
    running.over = over;
    running.start = { kassa: 1, type: 'start', merchant_id: merchantId, locale };
  }

  window.addEventListener('message', (event) => {
    if (!running || event.origin !== origin || event.source !== running.target()) return;
    const message = event.data;
    if (typeof message !== 'object' || message === null || message.kassa !== 1) return;
    if (message.type === 'ready') {
      running.target().postMessage(running.start, origin);
    } else if (message.type === 'shared') {
      running.over();
      tell(message.person);
    } else if (message.type === 'left') {
      running.over();
    }
  });

  class ExpressButton extends window.HTMLElement {
    static get observedAttributes() {
      return ['data-locale', 'data-theme', 'data-shape', 'data-label'];
    }

    connectedCallback() {
      this.draw();
    }

    attributeChangedCallback() {
      if (this.isConnected) this.draw();
    }

    draw() {
      const { locale = 'en-US', theme, shape } = this.dataset;
      const country = String(locale).split(/[-_]/)[1];
      if (this.drawn) this.drawn.remove();
      this.drawn = null;
      if (country && COUNTRIES.indexOf(country.toUpperCase()) < 0) {
        complain('klarna-express-button: there is none in ' + country + '.');
        return;
      }
      Object.assign(this.style, { display: 'block', minWidth: '145px', maxWidth: '500px' });
      const drawn = buttons.draw(this, { locale, theme, shape }, () => press(drawn, locale));
      this.drawn = drawn;
    }
  }

  const Klarna = typeof window.Klarna === 'object' && window.Klarna !== null ? window.Klarna : (window.Klarna = {});
  window.customElements.define('klarna-express-button', ExpressButton);
  Klarna.ExpressButton = {
    on(name, handler) {
      if (name !== 'user-authenticated') complain('on: there is no event ' + String(name) + '.');
      else if (typeof handler !== 'function') complain('on: ' + name + ' needs a function.');
      else handlers.push(handler);
    },
    refreshButtons() {
      document.querySelectorAll('klarna-express-button').forEach((element) => { if (element.draw) element.draw(); });
    },
  };
  if (!merchantId) complain('express-button: data-id is missing.');
  if (typeof window.klarnaExpressButtonAsyncCallback === 'function') {
    window.setTimeout(() => window.klarnaExpressButtonAsyncCallback(), 0);
  }
})();
