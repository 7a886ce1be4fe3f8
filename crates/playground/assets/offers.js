// How a way to pay is written out: its name, a sentence, and what is due when. Amounts come from the server.

import { day, h, money, percent } from './kit.js';
import { fill } from './texts.js';

/** The name of an offer. */
export function title(texts, offer) {
  return fill(texts[offer.kind], { days: offer.days, count: offer.parts.length, months: offer.parts.length });
}

/** What an offer means, in one sentence. */
export function sentence(texts, view, offer) {
  const [first, second] = offer.parts;
  // Only the first of equal parts takes the remainder, so two amounts tell the whole plan.
  const even = offer.kind !== 'instalments' || second === undefined || first.amount === second.amount;
  const key = !even ? 'instalments_text_uneven' : `${offer.kind}_text`;
  return fill(texts[key], {
    first: money(view, first.amount),
    amount: money(view, even ? first.amount : second.amount),
    rest: offer.parts.length - 1,
    count: offer.parts.length,
    date: day(view, first.due),
    rate: percent(view, offer.rate || 0),
  });
}

/** What is due when. Long plans show their first and last payment. */
export function plan(texts, view, offer) {
  const { parts } = offer;
  const last = parts[parts.length - 1];
  if (offer.kind === 'financing') {
    return h('dl', { class: 'figures' },
      h('dt', {}, texts.monthly), h('dd', { class: 'number' }, money(view, parts[0].amount)),
      h('dt', {}, `${texts.lastMonth}, ${day(view, last.due, 'numeric')}`), h('dd', { class: 'number' }, money(view, last.amount)),
      h('dt', {}, texts.cost), h('dd', { class: 'number' }, money(view, offer.cost)),
      h('dt', { class: 'sum' }, texts.total), h('dd', { class: 'number sum' }, money(view, offer.total)));
  }
  return h('ol', { class: 'plan' }, parts.map((part) => h('li', {},
    h('span', {}, part.today ? texts.today : day(view, part.due)),
    h('span', { class: 'number' }, money(view, part.amount)))));
}
