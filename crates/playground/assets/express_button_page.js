// The window of the older Express button: who is it, is it really them, and may the store have their address? The
// server knows the answers; the store's page gets them when the shopper says so, and not before.

import { ICONS, brand, call, connect, h, icon } from './kit.js';
import { fill, loadTexts, textsFor } from './texts.js';

let texts = textsFor(navigator.language);
let start = null; // what the store's page asks for
let contact = '';

const merchant = connect((message) => {
  if (message.type === 'start' && start === null) begin(message);
});

async function begin(message) {
  start = { merchant_id: message.merchant_id, locale: message.locale, page_origin: merchant.origin() };
  await loadTexts(message.locale).catch(() => {});
  texts = textsFor(message.locale);
  try {
    await call('express-button/check', null, start);
    identify('');
  } catch (error) {
    ended(error);
  }
}

function leave() {
  merchant.send({ type: 'left' });
  if (merchant.popup) window.close();
}

function page(name, ...content) {
  document.documentElement.lang = texts.language;
  document.body.classList.toggle('over', !merchant.popup && !merchant.alone);
  const main = h('main', { 'data-step': name, tabindex: -1 }, content);
  document.body.replaceChildren(h('div', { class: 'sheet' },
    h('header', {}, brand(texts),
      !merchant.alone && h('button', { class: 'plain', id: 'close', type: 'button', 'aria-label': texts.close, onclick: leave }, icon(...ICONS.close))),
    main, h('footer', {}, texts.testFooter)));
  const heading = main.querySelector('h1');
  heading.tabIndex = -1;
  document.title = `${heading.textContent} · ${texts.brand} (${texts.testBadge})`;
  (main.querySelector('[aria-invalid="true"]') || main.querySelector('[data-first]') || heading).focus({ preventScroll: true });
}

function end(heading, text) {
  page('ended', h('div', { class: 'end no' }, h('span', { class: 'disc' }, icon(...ICONS.denied)), h('h1', {}, heading), text && h('p', {}, text)));
}

function ended(error) {
  if (error.code === 'unavailable') end(texts.problem_network);
  else end(texts.endedTitle, error.message);
}

/** A form of one field; `send` gets what was typed. */
function ask(name, heading, text, label, properties, hint, code, send) {
  const busy = (value) => { for (const button of document.querySelectorAll('main button')) button.disabled = value; };
  page(name, h('h1', {}, heading), h('p', {}, text),
    h('form', {
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        const typed = String(new FormData(event.target).get('typed') || '').trim();
        busy(true);
        try {
          await send(typed);
        } catch (error) {
          if (error.code === 'unavailable') document.getElementById('problem').textContent = texts.problem_network;
          else ended(error);
        }
        busy(false);
      },
    },
    h('div', { class: 'field' },
      h('label', { for: properties.id }, label),
      h('input', { name: 'typed', type: 'text', 'data-first': true, 'aria-describedby': 'problem', 'aria-invalid': code && 'true', ...properties }),
      hint && h('span', { class: 'hint' }, hint)),
    h('p', { class: 'problem', id: 'problem', role: 'alert' }, code ? texts[`problem_${code}`] || texts.problem_required : ''),
    h('button', { class: 'primary', type: 'submit', id: 'onContinue', 'data-testid': 'kaf-button' }, texts.continue)));
}

function identify(code) {
  ask('identify', texts.identifyTitle, texts.identifyText, texts.contact, {
    id: 'email_or_phone', inputmode: 'email', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 254, value: contact,
  }, undefined, code, async (typed) => {
    contact = typed;
    const answer = await call('express-button/identify', null, { ...start, contact });
    if (answer.problem) identify(answer.problem);
    else enterCode(answer.sent_to, '');
  });
}

function enterCode(sentTo, code) {
  ask('code', texts.codeTitle, fill(texts.codeText, { to: sentTo }), texts.codeLabel, {
    id: 'otp_field', class: 'code', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: 6,
  }, texts.codeHint, code, async (typed) => {
    const answer = await call('express-button/share', null, { ...start, contact, code: typed });
    if (answer.problem) enterCode(sentTo, answer.problem);
    else confirm(answer.person);
  });
}

/** What the store is going to have; it has nothing as long as this stands here. */
function confirm(person) {
  const { address } = person;
  const lines = [`${person.first_name} ${person.last_name}`, address.street_address, `${address.postal_code} ${address.city}`,
    [address.region, address.country].filter(Boolean).join(', '), person.email, person.phone, person.date_of_birth];
  page('share', h('h1', {}, texts.reviewTitle), h('p', {}, texts.addressText),
    h('address', {}, lines.map((line) => h('div', {}, line))),
    h('div', { class: 'actions' },
      h('button', { class: 'primary', type: 'button', id: 'share', 'data-testid': 'kaf-button', 'data-first': true, onclick: () => share(person) }, texts.continue),
      h('button', { class: 'second', type: 'button', id: 'leave', onclick: leave }, texts.close)));
}

function share(person) {
  merchant.send({ type: 'shared', person });
  if (merchant.popup) window.close();
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !merchant.alone) leave();
});

if (merchant.alone) end(texts.orphanTitle, texts.orphanText);
else merchant.ready();
