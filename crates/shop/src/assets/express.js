// Klarna's express button in the cart: one press, Klarna's window, done.
//
// - The checkout behind it is the shop's own, opened by the shop's server, so what is paid is what the
//   cart shows. The button appears only when it can be used.
// - `authorize` is called straight from the press; a browser opens Klarna's window only then.
// - An approval is sent to the shop's server until there is an answer; the server makes one order of it.

const section = document.getElementById('express');
const message = document.getElementById('express-message');
const ATTEMPTS = 10;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function say(text, kind = 'info') {
  message.textContent = text;
  message.dataset.kind = kind;
  message.hidden = text === '';
}

async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': section.dataset.csrf },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (response.headers.get('content-type')?.includes('json')) return response.json();
  return { outcome: response.status >= 500 ? 'retry' : 'failed' };
}

function library(address) {
  return new Promise((resolve, reject) => {
    if (window.Klarna?.Payments?.Buttons) {
      resolve();
      return;
    }
    // Must be there before the library runs.
    window.klarnaAsyncCallback = () => resolve();
    const script = document.createElement('script');
    script.src = address;
    script.async = true;
    script.onload = () => { if (window.Klarna?.Payments?.Buttons) resolve(); };
    script.onerror = () => reject(new Error('not loaded'));
    document.head.append(script);
  });
}

/** Hands the approval to the shop's server, again and again until there is an answer. */
async function confirm(approval) {
  say(section.dataset.confirming);
  let next = { outcome: 'retry' };
  for (let attempt = 0; attempt < ATTEMPTS && next.outcome === 'retry'; attempt += 1) {
    if (attempt > 0) {
      say(section.dataset.retrying);
      await pause(Math.min(500 * 2 ** attempt, 5000));
    }
    next = await post('/checkout/confirm', approval).catch(() => ({ outcome: 'retry' }));
  }
  if (next.location) {
    location.assign(next.location);
    return;
  }
  section.removeAttribute('aria-busy');
  say(next.outcome === 'retry' ? section.dataset.lost : section.dataset.failed, 'error');
}

function outcome(checkout, result) {
  if (result.approved && result.authorization_token) {
    confirm({ checkout_id: checkout, authorization_token: result.authorization_token });
    return;
  }
  section.removeAttribute('aria-busy');
  if (result.show_form === false) {
    say(section.dataset.denied, 'error');
    document.getElementById('kec').hidden = true;
  } else {
    say(section.dataset.aborted);
  }
}

async function start() {
  const ready = await post('/express', {});
  if (ready.outcome !== 'ready') return;
  await library(section.dataset.script);
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  window.Klarna.Payments.Buttons.init({ client_token: ready.client_token }).load({
    container: '#kec',
    theme: dark ? 'light' : 'dark',
    shape: 'default',
    locale: section.dataset.locale,
    on_click: (authorize) => {
      if (section.getAttribute('aria-busy') === 'true') return;
      section.setAttribute('aria-busy', 'true');
      say('');
      authorize(
        { collect_shipping_address: true, auto_finalize: true },
        null,
        (result) => outcome(ready.checkout_id, result),
      );
    },
  }, (loaded) => { section.hidden = loaded?.show_form === false; });
}

if (section) start().catch((error) => console.warn('express', error));
