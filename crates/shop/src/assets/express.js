// Klarna's express button on a product's page, in the cart and above the checkout: one press, Klarna's
// window, done.
//
// - The checkout behind it is the shop's own, opened by the shop's server, so what is paid is what the
//   cart shows. The button appears only when it can be used.
// - In the cart and at the checkout Klarna's window is opened straight from the press. From a product's
//   page the product is put in the cart first; should the browser then allow no window any more,
//   Klarna's library shows its own over the page.
// - While Klarna has the word, nothing of the page can be changed.
// - An approval is kept in this tab and sent to the shop's server until there is an answer; the server
//   makes one order of it, and the checkout page goes on from here if this page is lost.

import { library } from './library.js';

const section = document.getElementById('express');
const message = document.getElementById('express-message');
const checkout = document.getElementById('checkout');
const APPROVAL = 'tallvik_approval';
const ATTEMPTS = 10;
const OPTIONS = { collect_shipping_address: true, auto_finalize: true };
/** An app on the home screen has no windows; there the checkout leads to Klarna's page. */
const INSTALLED = matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function say(text, kind = 'info') {
  message.textContent = text;
  message.dataset.kind = kind;
  message.hidden = text === '';
}

function storage(action) {
  // Storage can be switched off; the button works without it.
  try { return action(sessionStorage); } catch { return null; }
}

const isBusy = () => section.getAttribute('aria-busy') === 'true' || checkout?.getAttribute('aria-busy') === 'true';

function busy(is) {
  if (is) section.setAttribute('aria-busy', 'true');
  else section.removeAttribute('aria-busy');
  for (const part of document.querySelectorAll('main form, main a')) part.inert = is;
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

/** Hands the approval to the shop's server, again and again until there is an answer. */
async function confirm(approval) {
  storage((store) => store.setItem(APPROVAL, JSON.stringify(approval)));
  say(section.dataset.confirming);
  let next = { outcome: 'retry' };
  for (let attempt = 0; attempt < ATTEMPTS && next.outcome === 'retry'; attempt += 1) {
    if (attempt > 0) {
      say(section.dataset.retrying);
      await pause(Math.min(500 * 2 ** attempt, 5000));
    }
    next = await post('/checkout/confirm', approval).catch(() => ({ outcome: 'retry' }));
  }
  if (next.outcome !== 'retry') storage((store) => store.removeItem(APPROVAL));
  if (next.location) {
    location.assign(next.location);
    return;
  }
  if (next.outcome === 'retry') {
    // The approval stays in this tab, so nothing may be begun beside it.
    section.removeAttribute('aria-busy');
    document.getElementById('kec').hidden = true;
    say(section.dataset.lost, 'error');
    return;
  }
  busy(false);
  say(section.dataset.failed, 'error');
}

function outcome(id, result) {
  if (result.approved && result.authorization_token) {
    confirm({ checkout_id: id, authorization_token: result.authorization_token });
    return;
  }
  busy(false);
  if (result.show_form === false) {
    say(section.dataset.denied, 'error');
    document.getElementById('kec').hidden = true;
  } else {
    say(section.dataset.aborted);
  }
}

function draw(identity, press) {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  window.Klarna.Payments.Buttons.init(identity).load({
    container: '#kec',
    theme: dark ? 'light' : 'dark',
    shape: 'default',
    locale: section.dataset.locale,
    on_click: (authorize) => {
      if (isBusy()) return;
      busy(true);
      say('');
      press(authorize);
    },
  }, (loaded) => { section.hidden = loaded?.show_form === false; });
}

/** The button of a checkout that is open already. */
function ofCheckout(id, token) {
  draw({ client_token: token }, (authorize) => authorize(OPTIONS, null, (result) => outcome(id, result)));
}

/** The button of a product that is not in the cart yet. */
function ofProduct() {
  const chosen = () => document.querySelector('.buy-form input[name="product"][type="radio"]:checked');
  draw({ client_id: section.dataset.clientId }, async () => {
    const quantity = document.getElementById('quantity');
    if (!quantity.form.reportValidity()) {
      busy(false);
      return;
    }
    const body = { product: section.dataset.product, quantity: quantity.value };
    const ready = await post('/express', body).catch(() => ({ outcome: 'retry' }));
    if (ready.outcome !== 'ready') {
      busy(false);
      if (ready.location) location.assign(ready.location);
      else say(ready.outcome === 'retry' ? section.dataset.lost : section.dataset.denied, 'error');
      return;
    }
    window.Klarna.Payments.Buttons.init({ client_token: ready.client_token })
      .authorize(OPTIONS, null, (result) => outcome(ready.checkout_id, result));
  });
  // What comes every month is agreed to at the checkout.
  document.querySelector('.buy-form').addEventListener('change', () => {
    const other = chosen();
    section.hidden = other !== null && other.value !== section.dataset.product;
  });
}

async function start() {
  if (INSTALLED) {
    section.hidden = true;
    return;
  }
  if (checkout) {
    await library(section.dataset.script);
    const begin = () => ofCheckout(checkout.dataset.checkout, checkout.dataset.token);
    begin();
    // The cart has changed, and Klarna's session with it.
    document.addEventListener('tallvik:session', begin);
  } else if (section.dataset.product) {
    await library(section.dataset.script);
    ofProduct();
  } else {
    const ready = await post('/express', {});
    if (ready.outcome !== 'ready') {
      section.hidden = true;
      return;
    }
    await library(section.dataset.script);
    ofCheckout(ready.checkout_id, ready.client_token);
  }
}

if (section) {
  start().catch((error) => {
    console.warn('express', error);
    section.hidden = true;
  });
}
