// The link of an in-store purchase, on the shopper's phone. The server knows how far the purchase has come; this page
// shows it, and runs the purchase flow of every other way in, in a frame over itself.

import { h, money } from './kit.js';
import { inStoreTextsFor } from './in_store_texts.js';
import { ask, end, page, waiting } from './in_store_page.js';
import { fill } from './texts.js';

const LOOK_MS = 2000; // how often the page asks whether the store has called the purchase off

const path = `in-store/${encodeURIComponent(window.location.pathname.split('/').pop())}`;
let texts = inStoreTextsFor(navigator.language);
let shown = null; // the state that is drawn
let frame = null; // the purchase flow, while it runs
let busy = false;

async function open() {
  waiting(texts);
  const { status, body } = await ask(`${path}/open`);
  if (status === 0 || status >= 500) page(texts, 'broken', retry());
  else take(status, body);
  window.setInterval(look, LOOK_MS);
}

function retry() {
  return end('no', 'denied', texts.problem_network, '',
    h('button', { class: 'primary', type: 'button', onclick: () => window.location.reload() }, texts.continue));
}

async function look() {
  if (busy || shown === null || shown.state !== 'open' || document.visibilityState === 'hidden') return;
  const { status, body } = await ask(`${path}/look`);
  // While the flow runs, it says itself that all went well.
  if (busy || (frame !== null && body.state === 'completed')) return;
  if (status === 404 || (status === 200 && body.state !== 'open')) take(status, body);
}

function take(status, view, problem) {
  if (status === 200) {
    texts = inStoreTextsFor(view.locale);
    shown = view;
    if (view.state !== 'open') closeFlow();
    DRAW[view.state](view, problem);
  } else if (status === 404) {
    shown = { state: 'gone' };
    closeFlow();
    page(texts, 'gone', end('no', 'denied', texts.goneTitle, texts.goneText));
  } else {
    say(texts.problem_network);
  }
}

function say(text) {
  const place = document.getElementById('problem');
  if (place !== null) place.textContent = text;
}

// ---- Drawing ----------------------------------------------------------------------------------------------------------

const DRAW = {
  open(view, problem) {
    page(texts, 'open',
      h('h1', {}, texts.payTitle),
      view.store && h('p', { class: 'store' }, view.store),
      h('p', { class: 'price' }, money(view, view.amount)),
      lines(view),
      h('p', { class: 'problem', id: 'problem', role: 'alert' }, problem || ''),
      h('div', { class: 'actions' },
        h('button', { class: 'primary', type: 'button', id: 'pay', onclick: pay }, texts.payNow),
        h('p', { class: 'small quiet' }, texts.payHint),
        h('button', { class: 'second', type: 'button', id: 'call-off', onclick: askCallOff }, texts.callOff)));
  },

  completed(view) {
    page(texts, 'completed',
      end('yes', 'tick', texts.paidTitle, texts.paidText,
        h('p', { class: 'price' }, money(view, view.amount)),
        view.klarna_reference && h('p', { class: 'reference' }, h('span', { class: 'small' }, texts.receipt), h('strong', {}, view.klarna_reference))),
      lines(view));
  },

  canceled: () => page(texts, 'canceled', end('no', 'denied', texts.canceledTitle, texts.canceledText)),

  closed: () => page(texts, 'closed', end('no', 'denied', texts.closedTitle, texts.closedText)),
};

function lines(view) {
  return h('section', { class: 'block' },
    h('h2', {}, view.reference ? fill(texts.orderNumber, { reference: view.reference }) : texts.order),
    h('ul', { class: 'lines' }, view.lines.map((line) => h('li', { class: line.amount < 0 ? 'less' : '' },
      h('span', {}, line.quantity > 1 ? `${line.quantity} × ${line.name}` : line.name),
      h('span', { class: 'number' }, money(view, line.amount))))),
    h('p', { class: 'total' }, h('span', {}, texts.total), h('span', { class: 'number' }, money(view, view.amount))));
}

// ---- The purchase flow ------------------------------------------------------------------------------------------------

function pay() {
  if (frame !== null || shown.state !== 'open') return;
  const element = h('iframe', { class: 'flow', title: texts.payNow, src: '/kp/flow', hidden: true, role: 'dialog', 'aria-modal': 'true' });
  const receive = (event) => {
    if (event.source !== element.contentWindow || event.origin !== window.location.origin) return;
    const message = event.data;
    if (typeof message !== 'object' || message === null || message.kassa !== 1) return;
    if (message.type === 'ready') start();
    else if (message.type === 'started') frame.flow = message.flow_id;
    else if (message.type === 'show') showFlow();
    else if (message.type === 'result') done(message.result);
  };
  const start = () => element.contentWindow.postMessage({
    kassa: 1, type: 'start', request: 1, kind: 'authorize', client_token: shown.client_token, flow_id: frame.flow, options: {}, data: null,
  }, window.location.origin);
  frame = { element, receive, flow: undefined };
  window.addEventListener('message', receive);
  document.body.append(element);
  document.getElementById('pay').classList.add('busy');
}

function showFlow() {
  if (frame === null || !frame.element.hidden) return;
  frame.element.hidden = false;
  document.documentElement.style.overflow = 'hidden';
  frame.element.focus();
}

function closeFlow() {
  if (frame === null) return;
  window.removeEventListener('message', frame.receive);
  frame.element.remove();
  frame = null;
  document.documentElement.style.overflow = '';
}

async function done(result) {
  closeFlow();
  const { status, body } = await ask(`${path}/look`);
  let problem = '';
  if (body.state === 'open' && result.approved !== true) {
    if (result.error !== undefined) problem = texts.brokenText;
    else if (result.show_form === false) problem = texts.refusedText;
  }
  take(status, body, problem);
}

// ---- Calling it off ---------------------------------------------------------------------------------------------------

function askCallOff() {
  const dialog = h('dialog', { 'aria-labelledby': 'call-off-title', onclose: () => dialog.remove() },
    h('h2', { id: 'call-off-title' }, texts.callOffTitle), h('p', {}, texts.callOffText),
    h('div', { class: 'choices' },
      h('button', { class: 'primary', type: 'button', id: 'keep', onclick: () => dialog.close() }, texts.callOffNo),
      h('button', { class: 'second', type: 'button', id: 'call-off-yes', onclick: () => { dialog.close(); callOff(); } }, texts.callOffYes)));
  document.body.append(dialog);
  dialog.showModal();
}

async function callOff() {
  busy = true;
  const { status, body } = await ask(`${path}/cancel`);
  busy = false;
  // It may have been paid meanwhile: then that is what there is to see.
  if (status === 409) look();
  else take(status, body);
}

open();
