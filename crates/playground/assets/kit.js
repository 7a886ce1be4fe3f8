// What the widget and the purchase flow share: talking to the page that opened them, calling the server, building
// elements, and writing money and dates the way the shopper's locale does.

/**
 * The line to the merchant's page. The first message from the window that opened us names the origin; from then on
 * only that window and that origin are heard, and only it is written to.
 */
export function connect(receive) {
  const popup = window.top === window && window.opener !== null;
  const other = popup ? window.opener : window.parent !== window ? window.parent : null;
  let origin = null;
  window.addEventListener('message', (event) => {
    if (other === null || event.source !== other || event.origin === 'null') return;
    if (typeof event.data !== 'object' || event.data === null || event.data.kassa !== 1) return;
    if (origin === null) origin = event.origin;
    if (event.origin === origin) receive(event.data);
  });
  return {
    popup,
    alone: other === null,
    origin: () => origin,
    send: (message) => {
      if (other !== null && origin !== null) other.postMessage({ kassa: 1, ...message }, origin);
    },
    // Carries nothing, so anyone may read it.
    ready: () => other !== null && other.postMessage({ kassa: 1, type: 'ready' }, '*'),
  };
}

/** Calls the playground for the session of this client token; with none, for a session that is yet to be. Errors carry the server's `code`. */
export async function call(path, token, body) {
  const response = await fetch(`/kp/v1/${path}`, {
    method: 'POST',
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json' },
    body: JSON.stringify(body),
    cache: 'no-store',
    credentials: 'omit',
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.detail || response.statusText), { code: answer.code || 'unavailable' });
  return answer;
}

/** `h('p', { class: 'x', onclick: f }, 'text', child)`: text is always text, never markup. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A line icon on a 24 x 24 grid. Decorative: the text beside it says the same. */
export function icon(...paths) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of paths) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

export const ICONS = {
  close: ['M6 6l12 12', 'M18 6L6 18'],
  tick: ['M5 12.5l4.5 4.5L19 7.5'],
  pay_now: ['M3 7.5h18v10H3z', 'M3 11h18', 'M6.5 14.5h3'],
  bank: ['M4 10l8-5 8 5', 'M5 10h14', 'M7 10v7', 'M12 10v7', 'M17 10v7', 'M4 19h16'],
  pay_later: ['M4.5 6.5h15v13h-15z', 'M4.5 10.5h15', 'M8.5 4v4', 'M15.5 4v4'],
  instalments: ['M12 3.5a8.5 8.5 0 1 1-8.5 8.5', 'M12 3.5V12h8.5', 'M4.6 8.2a8.5 8.5 0 0 1 3.6-3.6'],
  financing: ['M4 19V9', 'M9.3 19v-7', 'M14.6 19v-4', 'M20 19v-2', 'M3 5c6 0 12 2 18 7'],
  denied: ['M12 7v6', 'M12 16.5v.5', 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z'],
  lock: ['M6 11h12v9H6z', 'M8.5 11V8a3.5 3.5 0 0 1 7 0v3'],
};

/** An amount in minor units as the locale writes it. Digits are moved as text, so nothing is ever rounded. */
export function money(view, amount) {
  const digits = String(Math.abs(amount)).padStart(view.exponent + 1, '0');
  const whole = digits.slice(0, digits.length - view.exponent);
  const fraction = digits.slice(digits.length - view.exponent);
  const text = `${amount < 0 ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`;
  return new Intl.NumberFormat(locale(view), {
    style: 'currency', currency: view.currency,
    minimumFractionDigits: view.exponent, maximumFractionDigits: view.exponent,
  }).format(text);
}

/** A calendar day, `2026-12-24`, as the locale writes it; with its year where the year may be another. */
export function day(view, date, year) {
  const [inYear, month, dayOfMonth] = date.split('-').map(Number);
  return new Intl.DateTimeFormat(locale(view), { day: 'numeric', month: 'long', year, timeZone: 'UTC' })
    .format(new Date(Date.UTC(inYear, month - 1, dayOfMonth)));
}

/** A yearly rate in hundredths of a percent. */
export function percent(view, basisPoints) {
  return new Intl.NumberFormat(locale(view), { style: 'percent', minimumFractionDigits: 2 }).format(`${basisPoints}e-4`);
}

function locale(view) {
  try {
    return Intl.getCanonicalLocales(view.locale)[0] || 'en';
  } catch {
    return 'en';
  }
}

/** The mark of the playground: two slips on a counter. */
export function brand(texts) {
  return h('div', { class: 'brand' },
    h('span', { class: 'mark', 'aria-hidden': 'true' }),
    h('span', { class: 'name' }, texts.brand),
    h('span', { class: 'badge', title: texts.testBadgeTitle }, texts.testBadge));
}
