// The widget in the merchant's page. It draws what the server says is on offer for this session, and tells the page
// around it how tall it is. It never sees a decision or a token of an authorization.

import { ICONS, brand, call, connect, h, icon } from './kit.js';
import { plan, sentence, title } from './offers.js';
import { loadTexts, textsFor } from './texts.js';

const root = document.getElementById('widget');
const merchant = connect((message) => {
  if (message.type === 'load') queue = queue.then(() => load(message));
});
let queue = Promise.resolve(); // loads answer in the order in which they were asked

async function load(message) {
  document.documentElement.dataset.scheme = message.scheme === 'dark' ? 'dark' : 'light';
  let answer = { result: { show_form: false } };
  try {
    answer = await call('load', message.client_token, {
      page_origin: merchant.origin(), review: message.review === true, in_app: message.in_app === true, options: message.options, data: message.data,
    });
  } catch {
    // The page hears `show_form: false`; the widget stays empty.
  }
  if (answer.view !== undefined) await loadTexts(answer.view.locale);
  draw(answer, message.review === true);
  merchant.send({ type: 'loaded', request: message.request, result: answer.result, country: answer.country });
}

function draw(answer, review) {
  const { view, result } = answer;
  if (view === undefined) {
    root.replaceChildren();
    return;
  }
  const texts = textsFor(view.locale);
  document.documentElement.lang = texts.language;
  style(view.colours);
  const invalid = result.error && result.error.invalid_fields ? result.error.invalid_fields : [];
  root.replaceChildren(h('section', { class: 'card', 'aria-label': texts.brand },
    h('header', {}, brand(texts)),
    invalid.length > 0 && h('p', { class: 'notice warn', role: 'status', 'data-invalid': invalid.join(' ') }, texts.fixHint),
    result.show_form
      ? [
        h('ul', { class: 'offers' }, view.offers.map((offer) => h('li', {},
          icon(...(ICONS[offer.kind] || ICONS.pay_now)),
          h('h2', {}, title(texts, offer)),
          h('p', {}, sentence(texts, view, offer))))),
        more(texts, view, review),
      ]
      : h('p', { class: 'notice' }, icon(...ICONS.denied), texts.unavailable)));
}

function more(texts, view, open) {
  const planned = view.offers.filter((offer) => offer.parts.length > 1);
  return h('details', { open },
    h('summary', {}, texts.learnMore),
    h('p', { class: 'small' }, texts.learnMoreText),
    planned.map((offer) => h('div', { class: 'example' },
      h('h3', {}, title(texts, offer)),
      plan(texts, view, offer))),
    h('p', { class: 'legal' }, texts.legal));
}

/** The colours of the session's `options`, as values of CSS properties, never as CSS text. */
function style(colours) {
  const names = { color_border: '--border', color_details: '--details', color_text: '--ink', radius_border: '--corner' };
  for (const [key, property] of Object.entries(names)) {
    if (colours && colours[key]) document.documentElement.style.setProperty(property, colours[key]);
    else document.documentElement.style.removeProperty(property);
  }
}

new ResizeObserver(() => {
  const height = root.getBoundingClientRect().height;
  if (height > 0) merchant.send({ type: 'height', height });
}).observe(root);
merchant.ready();
