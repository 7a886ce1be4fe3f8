// What the printed code of a counter leads to: the shopper's phone shows a short code, the cashier types it in, and the
// purchase opens here.

import { h } from './kit.js';
import { inStoreTextsFor } from './in_store_texts.js';
import { ask, end, page, waiting } from './in_store_page.js';

const POLL_MS = 1000;

const counter = window.location.pathname.split('/').pop();
const texts = inStoreTextsFor(navigator.language);

async function begin() {
  waiting(texts);
  const { status, body } = await ask(`counter/${counter}`);
  if (status === 404) {
    page(texts, 'gone', end('no', 'denied', texts.counterGoneTitle, texts.counterGoneText));
  } else if (status !== 200) {
    page(texts, 'broken', end('no', 'denied', texts.problem_network, '', again(texts.continue)));
  } else {
    show(body);
  }
}

function again(text) {
  return h('button', { class: 'primary', type: 'button', id: 'again', onclick: begin }, text);
}

function show(scan) {
  page(texts, 'code',
    h('h1', {}, texts.codeTitle), h('p', {}, texts.codeText),
    // Read out digit by digit, shown in two groups.
    h('p', { class: 'short-code', id: 'short-code', role: 'img', 'aria-label': `${texts.codeLabel}: ${scan.short_code.split('').join(' ')}` },
      `${scan.short_code.slice(0, 3)}\u2009${scan.short_code.slice(3)}`),
    h('p', { class: 'watch', role: 'status' }, h('span', { class: 'wait' }), texts.codeWatch));
  poll(scan.scan_id);
}

function poll(scan) {
  window.setTimeout(async () => {
    const { status, body } = await ask(`scans/${scan}`);
    if (body.payment_link !== undefined) window.location.replace(body.payment_link);
    else if (status === 404) page(texts, 'over', end('no', 'denied', texts.codeOverTitle, texts.codeOverText, again(texts.codeAgain)));
    else poll(scan);
  }, POLL_MS);
}

begin();
