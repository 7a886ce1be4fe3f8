// The page that explains a promotion: how Klarna is used, and what each way to pay comes to for the price that the
// address names. It knows no shopper and decides nothing. In a dialog it tells the page around it when Escape is
// pressed, since keys pressed here are not heard there.

import { ICONS, brand, connect, h, icon } from './kit.js';
import { plan, sentence, title } from './offers.js';
import { loadTexts, textsFor } from './texts.js';

const root = document.getElementById('learn-more');
const query = new URLSearchParams(window.location.search);
const shop = connect(() => {});

async function explain() {
  const amount = Number(query.get('purchase_amount'));
  const response = await fetch('/osm/v1/learn-more', {
    method: 'POST', headers: { 'content-type': 'application/json' }, cache: 'no-store', credentials: 'omit',
    body: JSON.stringify({
      locale: query.get('locale') || 'en-US',
      purchase_amount: Number.isSafeInteger(amount) && amount > 0 ? amount : undefined,
    }),
  });
  if (!response.ok) throw new Error(response.statusText);
  const view = await response.json();
  await loadTexts(view.locale);
  draw(view);
}

function draw(view) {
  const texts = textsFor(view.locale);
  document.documentElement.lang = texts.language;
  document.title = texts.learnMore;
  root.replaceChildren(h('div', {},
    h('div', { class: 'top' }, brand(texts)),
    h('h1', {}, texts.learnMore),
    h('p', { class: 'lead' }, texts.learnMoreText),
    view.offers.length > 0 && h('ul', { class: 'offers' }, view.offers.map((offer) => h('li', { 'data-offer': offer.id },
      h('div', { class: 'head' },
        icon(...(ICONS[offer.kind] || ICONS.pay_now)),
        h('h2', {}, title(texts, offer)),
        h('p', {}, sentence(texts, view, offer))),
      offer.parts.length > 1 && plan(texts, view, offer)))),
    h('p', { class: 'legal' }, texts.legal)));
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') shop.send({ type: 'close' });
});
explain().catch(() => root.replaceChildren(h('p', { class: 'lead' }, textsFor(query.get('locale') || 'en').unavailable)));
shop.ready();
