// Where the goods go, in an Express purchase: the form of the address, and the choice of how they are sent.

import { h, money } from './kit.js';

const FIELDS = ['given_name', 'family_name', 'street_address', 'street_address2', 'postal_code', 'city', 'region', 'country', 'phone'];

function countryName(view, country) {
  try {
    return new Intl.DisplayNames([view.locale], { type: 'region' }).of(country) || country;
  } catch {
    return country;
  }
}

/** The form of the address; `done` gets what was typed. Where it may not be changed, it is shown and confirmed. */
export function addressForm(view, texts, { field, problem, submit }, done) {
  const known = view.address || {};
  const fixed = view.editable === false;
  const text = (name, label, autocomplete, rest) => field(view, name, label,
    { type: 'text', autocomplete, maxlength: 100, value: known[name] || '', readonly: fixed, ...rest });
  const countries = view.countries.includes(known.country) || !known.country ? view.countries : [known.country, ...view.countries];
  return h('form', {
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      const typed = new FormData(event.target);
      done(Object.fromEntries(FIELDS.map((name) => [name, String(typed.get(name) || '').trim()]).filter(([, value]) => value !== '')));
    },
  },
  h('div', { class: 'pair even' },
    text('given_name', texts.givenName, 'given-name', { 'data-first': true }),
    text('family_name', texts.familyName, 'family-name')),
  text('street_address', texts.streetAddress, 'street-address'),
  text('street_address2', texts.streetAddress2, 'address-line2'),
  h('div', { class: 'pair' },
    text('postal_code', texts.postalCode, 'postal-code'),
    text('city', texts.city, 'address-level2')),
  view.region && text('region', texts.region, 'address-level1'),
  h('div', { class: 'field' }, h('label', { for: 'country' }, texts.country),
    h('select', { id: 'country', name: 'country', autocomplete: 'country' }, countries.map((country) =>
      h('option', { value: country, selected: country === known.country }, countryName(view, country))))),
  text('phone', texts.phone, 'tel', { type: 'tel', maxlength: 30 }),
  problem(view), submit(texts.continue, { 'data-testid': 'kaf-button' }));
}

/** The ways in which it can be sent; `done` gets the reference of the chosen one. */
export function shippingForm(view, texts, { problem, submit }, done) {
  return h('form', {
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      done(String(new FormData(event.target).get('option')));
    },
  },
  h('fieldset', { class: 'offers' }, h('legend', { class: 'hidden' }, texts.shippingTitle),
    view.shipping_options.map((option) => h('div', { class: 'offer' },
      h('label', {},
        h('span', { class: 'head' },
          h('span', { class: 'name' }, option.displayName),
          h('span', { class: 'text' }, [money(view, option.amount), option.description].filter(Boolean).join(' · '))),
        h('input', {
          type: 'radio', name: 'option', value: option.shippingOptionReference, checked: option.shippingOptionReference === view.shipping,
          'data-testid': `shipping-${option.shippingOptionReference}`, 'data-first': option.shippingOptionReference === view.shipping,
        }))))),
  problem(view), submit(texts.continue, { 'data-testid': 'kaf-button' }));
}
