// The checkout: Klarna's widget, the buy button, and what becomes of an approval.
//
// Rules that this file keeps:
// - Klarna's library is loaded from Klarna and started as soon as the page is there; no personal
//   data goes to Klarna before the shopper presses the button with Klarna chosen.
// - `authorize` is called straight from the click, with nothing asynchronous before it, because a
//   browser opens Klarna's window only then.
// - Between the click and the outcome everything is locked; pressing twice does nothing. Until Klarna's
//   part of the form is there, there is nothing to press.
// - An approval is never lost: it is kept in this tab until the shop's server has an answer to it,
//   and sent again after a broken connection or a reload. The server makes one order of it.

import { library } from './library.js';

const form = document.getElementById('checkout');
const buy = document.getElementById('buy');
const buyLabel = document.getElementById('buy-label');
const message = document.getElementById('pay-message');
const note = document.getElementById('checkout-note');
const words = document.getElementById('words').dataset;
const elsewhere = document.getElementById('elsewhere');
const elsewhereFields = document.getElementById('elsewhere-fields');

const APPROVAL = 'tallvik_approval';
const TYPED = `tallvik_typed_${form.dataset.country}`;
const RENEWED = 'tallvik_renewed';
const CONFIRM_ATTEMPTS = 14;
const CONFIRM_TIMEOUT_MS = 30_000;
/** After so long a shopper may press, and is told what is missing. */
const LOADS_WITHIN_MS = 10_000;

/**
 * Whether the shop runs as an app from the home screen. It has one window, which Klarna's window would
 * cover or lose: there the shopper goes to Klarna's page, in a tab of the system's browser, and comes
 * back by an address of the shop.
 */
const INSTALLED = matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;

/** 'idle', 'authorizing', 'confirming' or 'leaving'. */
let phase = 'idle';
/** Categories whose widget has answered. */
const loaded = new Set();
/** Categories that Klarna does not offer for this purchase. */
const denied = new Set();
/** Counts loads, so that a late answer to an earlier one is ignored. */
let generation = 0;
/** Whether it is still worth waiting for Klarna's part of the form. */
let awaited = false;
/** Whether the way of delivery is being changed. */
let choosing = false;

// --- Small helpers ---------------------------------------------------------------------------

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const methods = () => [...form.querySelectorAll('input[name="method"][type="radio"]')];
const chosen = () => methods().find((input) => input.checked && !input.disabled)?.value ?? 'transfer';
const byKlarna = () => chosen().startsWith('klarna');
const category = () => (chosen().startsWith('klarna:') ? chosen().slice('klarna:'.length) : null);
const blockOf = (id) => form.querySelector(`.choice-block[data-category="${CSS.escape(id)}"]`);
const categories = () =>
  [...form.querySelectorAll('.choice-block[data-category]')].map((block) => block.dataset.category);

function say(text, kind = 'info') {
  message.textContent = text;
  message.dataset.kind = kind;
  message.hidden = text === '';
}

function storage(action) {
  // Storage can be switched off; the checkout works without it.
  try { return action(sessionStorage); } catch { return null; }
}

function cartOfShop() {
  const pair = document.cookie.split('; ').find((part) => part.startsWith('tallvik_seen='));
  return pair ? pair.slice('tallvik_seen='.length) : null;
}

/** Whether another tab has changed the cart since this page was made. Needs no request. */
function cartChanged() {
  const now = cartOfShop();
  return now !== null && now !== form.dataset.cart;
}

// --- The form --------------------------------------------------------------------------------

const inputs = () => [...form.querySelectorAll('.field input, .field select')];
const inUse = (input) => !input.disabled && (elsewhere.checked || !elsewhereFields.contains(input));

function mark(input, text) {
  const place = document.getElementById(`${input.name}-error`);
  if (place) place.textContent = text;
  if (text) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

function problem(input) {
  const value = input.value.trim();
  if (!value) return 'required' in input.dataset ? input.dataset.missing : '';
  const { validity } = input;
  if (validity.patternMismatch || validity.typeMismatch || validity.tooLong) return input.dataset.wrong;
  if (/_name$/.test(input.name) && [...value].length < 2) return input.dataset.wrong;
  return '';
}

function check() {
  let first = null;
  for (const input of inputs()) {
    const text = inUse(input) ? problem(input) : '';
    mark(input, text);
    if (text && !first) first = input;
  }
  first?.focus();
  return first === null;
}

function showElsewhere() {
  elsewhereFields.hidden = !elsewhere.checked;
}

function remember() {
  const typed = { elsewhere: elsewhere.checked };
  for (const input of inputs()) typed[input.name] = input.value;
  storage((store) => store.setItem(TYPED, JSON.stringify(typed)));
}

function recall() {
  const typed = storage((store) => JSON.parse(store.getItem(TYPED) ?? 'null'));
  if (!typed) return;
  for (const input of inputs()) {
    if (!input.value && typeof typed[input.name] === 'string') input.value = typed[input.name];
  }
  elsewhere.checked ||= typed.elsewhere === true;
}

function forgetTyped() {
  storage((store) => store.removeItem(TYPED));
}

function addressOf(prefix) {
  const value = (name) => document.getElementById(prefix + name)?.value.trim() ?? '';
  const shared = (name) => document.getElementById(name)?.value.trim() ?? '';
  const address = { country: form.dataset.country, email: shared('email'), phone: shared('phone') };
  const names = ['given_name', 'family_name', 'street_address', 'street_address2', 'postal_code', 'city', 'region'];
  for (const name of names) if (value(name)) address[name] = value(name);
  return address;
}

function personalData() {
  const data = { billing_address: addressOf('') };
  if (elsewhere.checked) data.shipping_address = addressOf('shipping_');
  return data;
}

/** Marks what Klarna could not accept. Says whether any of it is a field of ours. */
function markInvalid(paths) {
  let first = null;
  for (const path of paths) {
    const [part, name] = path.split('.');
    const own = part === 'shipping_address' && elsewhere.checked ? `shipping_${name}` : name;
    const input = name && document.getElementById(own);
    if (input && form.contains(input)) {
      mark(input, words.field);
      first ??= input;
    }
  }
  first?.focus();
  return first !== null;
}

// --- Locking ---------------------------------------------------------------------------------

function lock(next, text) {
  phase = next;
  form.setAttribute('aria-busy', 'true');
  buy.disabled = true;
  for (const control of form.querySelectorAll('input, select, button')) {
    if (control === buy || control.disabled || control.type === 'hidden') continue;
    control.disabled = true;
    control.dataset.locked = '';
  }
  say(text);
}

function unlock() {
  phase = 'idle';
  form.removeAttribute('aria-busy');
  for (const control of form.querySelectorAll('[data-locked]')) {
    control.disabled = false;
    delete control.dataset.locked;
  }
  label();
}

/** Whether something is on its way that the shopper should see before they buy. */
function loads() {
  return choosing || (awaited && category() !== null && !loaded.has(category()));
}

function awaitLoad() {
  const mine = generation;
  awaited = true;
  setTimeout(() => {
    if (mine !== generation) return;
    awaited = false;
    label();
  }, LOADS_WITHIN_MS);
  label();
}

function label() {
  if (phase === 'idle') buy.disabled = loads();
  buyLabel.textContent = byKlarna() ? buy.dataset.klarna : buy.dataset.other;
  for (const block of form.querySelectorAll('.choice-block[data-category]')) {
    block.classList.toggle('open', block.dataset.category === category());
  }
}

// --- Klarna's library ------------------------------------------------------------------------

function withdraw(id, text) {
  denied.add(id);
  const block = blockOf(id);
  if (!block) return;
  block.classList.add('unavailable');
  const radio = block.querySelector('input[type="radio"]');
  radio.disabled = true;
  delete radio.dataset.locked;
  radio.checked = false;
  const small = block.querySelector('[data-category-note]');
  if (small) small.textContent = text;
  const next = methods().find((input) => !input.disabled || 'locked' in input.dataset);
  if (next && !methods().some((input) => input.checked)) next.checked = true;
  label();
}

function load() {
  generation += 1;
  const mine = generation;
  loaded.clear();
  awaitLoad();
  for (const id of categories()) {
    if (denied.has(id)) continue;
    try {
      window.Klarna.Payments.load(
        { container: `#klarna-payments-${CSS.escape(id)}`, payment_method_category: id },
        (result) => {
          if (mine !== generation) return;
          loaded.add(id);
          if (result.show_form === false) {
            withdraw(id, words.denied);
            renew();
          } else {
            storage((store) => store.removeItem(RENEWED));
          }
          label();
        },
      );
    } catch (error) {
      console.error('Klarna.Payments.load', error);
      if (mine === generation) withdraw(id, words.unreachable);
    }
  }
}

/**
 * A widget that cannot be shown may mean no more than that its session is gone at Klarna. The shop's
 * server finds out, and has a fresh one made if so. Once in a row, so that this ends.
 */
async function renew() {
  if (phase !== 'idle' || storage((store) => store.getItem(RENEWED)) === form.dataset.checkout) return;
  storage((store) => store.setItem(RENEWED, form.dataset.checkout));
  try {
    const response = await fetch('/checkout/renew', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': form.dataset.csrf },
      body: JSON.stringify({ checkout_id: form.dataset.checkout, client_token: form.dataset.token }),
      signal: AbortSignal.timeout(CONFIRM_TIMEOUT_MS),
    });
    if (response.ok && (await response.json()).renewed && phase === 'idle') location.reload();
  } catch (error) {
    console.error('renew', error);
  }
}

async function start() {
  if (!form.dataset.token || !form.dataset.script || INSTALLED) return;
  awaitLoad();
  try {
    await library(form.dataset.script);
    window.Klarna.Payments.init({ client_token: form.dataset.token });
  } catch (error) {
    console.error('Klarna.Payments', error);
    for (const id of categories()) withdraw(id, words.unreachable);
    return;
  }
  load();
}

// --- Buying ----------------------------------------------------------------------------------

function authorize(id) {
  const checkout = form.dataset.checkout;
  const data = personalData();
  let threw = false;
  let answered = false;
  lock('authorizing', words.authorizing);
  try {
    window.Klarna.Payments.authorize({ payment_method_category: id }, data, (result) => {
      if (answered) return;
      answered = true;
      // The library answers before it throws; a thrown error is a fault, not a denial.
      queueMicrotask(() => { if (!threw) outcome(id, checkout, result); });
    });
  } catch (error) {
    threw = true;
    console.error('Klarna.Payments.authorize', error);
    unlock();
    say(words.loading, 'error');
    load();
  }
}

function outcome(id, checkout, result) {
  if (result.approved && result.authorization_token) {
    const approval = { checkout_id: checkout, authorization_token: result.authorization_token };
    storage((store) => store.setItem(APPROVAL, JSON.stringify(approval)));
    confirm(approval);
    return;
  }
  unlock();
  const invalid = result.error?.invalid_fields ?? [];
  if (result.approved || (result.show_form && invalid.length > 0)) {
    say(words.fix, 'error');
    markInvalid(invalid);
  } else if (result.show_form) {
    say(words.aborted);
    buy.focus();
  } else {
    withdraw(id, words.denied);
    say(words.denied, 'error');
    methods().find((input) => input.checked)?.focus();
  }
}

async function send(approval) {
  const response = await fetch('/checkout/confirm', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': form.dataset.csrf },
    body: JSON.stringify(approval),
    signal: AbortSignal.timeout(CONFIRM_TIMEOUT_MS),
  });
  if (response.headers.get('content-type')?.includes('json')) return response.json();
  return { outcome: response.status >= 500 ? 'retry' : 'failed' };
}

/** Hands the approval to the shop's server, again and again until there is an answer. */
async function confirm(approval) {
  lock('confirming', words.confirming);
  let next = { outcome: 'retry' };
  for (let attempt = 0; attempt < CONFIRM_ATTEMPTS; attempt += 1) {
    try {
      next = await send(approval);
    } catch (error) {
      console.error('confirm', error);
      next = { outcome: 'retry' };
    }
    if (next.outcome !== 'retry') break;
    say(words.retrying);
    await pause(Math.min(500 * 2 ** attempt, 5000));
  }
  if (next.outcome === 'done' || next.outcome === 'waiting') {
    phase = 'leaving';
    storage((store) => store.removeItem(APPROVAL));
    if (next.outcome === 'done') forgetTyped();
    location.assign(next.location);
    return;
  }
  if (next.outcome === 'retry') {
    // The approval stays in this tab: loading the page again goes on from here.
    form.removeAttribute('aria-busy');
    say(words.lost, 'error');
    return;
  }
  storage((store) => store.removeItem(APPROVAL));
  unlock();
  if (next.outcome === 'again') {
    await refresh(words.again);
    return;
  }
  const text = next.outcome === 'declined' ? words.refused : words.failed;
  for (const id of categories()) withdraw(id, text);
  say(text, 'error');
}

// --- Keeping up with the cart ----------------------------------------------------------------

/** Fetches this page again and takes over the summary and Klarna's session from it. */
async function refresh(text) {
  let page;
  try {
    const response = await fetch('/checkout', { headers: { accept: 'text/html' } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    if (new URL(response.url).pathname !== '/checkout') {
      location.assign(response.url);
      return;
    }
    page = new DOMParser().parseFromString(await response.text(), 'text/html');
  } catch (error) {
    console.error('refresh', error);
    say(words.offline, 'error');
    return;
  }
  const fresh = page.getElementById('checkout');
  const sameScript = fresh?.dataset.script === form.dataset.script;
  const sameCountry = fresh?.dataset.country === form.dataset.country;
  const sameLanguage = page.documentElement.lang === document.documentElement.lang;
  if (!fresh || !sameScript || !sameCountry || !sameLanguage) {
    location.reload();
    return;
  }
  const open = document.querySelector('#summary details').open;
  document.getElementById('summary').innerHTML = page.getElementById('summary').innerHTML;
  document.querySelector('#summary details').open = open;
  for (const radio of page.querySelectorAll('input[name="shipping"]')) {
    const mine = document.querySelector(`input[name="shipping"][value="${CSS.escape(radio.value)}"]`);
    if (mine) mine.checked = radio.hasAttribute('checked');
  }
  const newSession = fresh.dataset.token !== form.dataset.token;
  for (const key of ['cart', 'checkout', 'token', 'csrf']) {
    if (fresh.dataset[key] !== undefined) form.dataset[key] = fresh.dataset[key];
  }
  if (newSession && window.Klarna?.Payments) {
    window.Klarna.Payments.init({ client_token: form.dataset.token });
    document.dispatchEvent(new Event('tallvik:session'));
  }
  if (window.Klarna?.Payments) load();
  if (text) {
    note.textContent = text;
    note.hidden = false;
    note.scrollIntoView({ block: 'nearest' });
    say(text);
  }
}

async function chooseShipping(value) {
  const body = new URLSearchParams({ csrf: form.dataset.csrf, shipping: value });
  choosing = true;
  label();
  try {
    await fetch('/checkout/shipping', { method: 'POST', body, redirect: 'manual' });
    await refresh('');
  } catch {
    say(words.offline, 'error');
  } finally {
    choosing = false;
    label();
  }
}

// --- Beginning -------------------------------------------------------------------------------

form.noValidate = true;
// On a phone the form comes first; the total stays in sight.
if (matchMedia('(max-width: 40rem)').matches) document.querySelector('#summary details').open = false;
recall();
showElsewhere();
label();

buy.addEventListener('click', (event) => {
  if (phase !== 'idle') {
    event.preventDefault();
    return;
  }
  say('');
  note.hidden = true;
  if (cartChanged()) {
    event.preventDefault();
    refresh(words.changed);
    return;
  }
  if (!check()) {
    event.preventDefault();
    return;
  }
  const id = category();
  if (!id || INSTALLED) return;
  event.preventDefault();
  if (!loaded.has(id)) {
    say(words.loading);
    return;
  }
  authorize(id);
});

// Without Klarna the form is sent as forms are; only once.
form.addEventListener('submit', (event) => {
  if (phase !== 'idle') {
    event.preventDefault();
    return;
  }
  phase = 'leaving';
  form.setAttribute('aria-busy', 'true');
  if (!byKlarna()) {
    forgetTyped();
    return;
  }
  say(words.leaving);
  // Said only here: a browser without scripts has no window for Klarna either, but may be told so.
  const hosted = Object.assign(document.createElement('input'), { type: 'hidden', name: 'hosted', value: 'yes' });
  form.append(hosted);
});

form.addEventListener('input', (event) => {
  if (event.target.getAttribute('aria-invalid')) mark(event.target, problem(event.target));
  remember();
});
form.addEventListener('focusout', (event) => {
  if (event.target.matches('.field input') && event.target.value && phase === 'idle') {
    mark(event.target, problem(event.target));
  }
});
form.addEventListener('change', (event) => {
  if (event.target.name === 'method') {
    say('');
    label();
  }
  if (event.target.name === 'shipping') chooseShipping(event.target.value);
  if (event.target === elsewhere) showElsewhere();
});

for (const button of form.querySelectorAll('button[data-person]')) {
  button.addEventListener('click', () => {
    for (const [name, value] of Object.entries(JSON.parse(button.dataset.person))) {
      const input = document.getElementById(name);
      if (!input) continue;
      input.value = value;
      mark(input, '');
    }
    remember();
  });
}

// A badge that does not come leaves its name standing alone.
for (const badge of form.querySelectorAll('img.badge')) {
  const drop = () => badge.remove();
  if (badge.complete && badge.naturalWidth === 0) drop();
  else badge.addEventListener('error', drop);
}

function lookAgain() {
  if (document.visibilityState === 'visible' && phase === 'idle' && cartChanged()) {
    refresh(words.changed);
  }
}
document.addEventListener('visibilitychange', lookAgain);
window.addEventListener('focus', lookAgain);

const kept = storage((store) => JSON.parse(store.getItem(APPROVAL) ?? 'null'));
if (kept?.authorization_token && kept.checkout_id === form.dataset.checkout) {
  confirm(kept);
} else {
  if (kept) storage((store) => store.removeItem(APPROVAL));
  start();
}
