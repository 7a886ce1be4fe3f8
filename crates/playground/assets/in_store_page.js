// What the two pages of in-store purchases share: their frame, their last words, and asking the server.

import { ICONS, brand, h, icon } from './kit.js';

/** Calls the playground. Answers with the status and the body; a lost connection has the status 0. */
export async function ask(path) {
  try {
    const response = await fetch(`/kp/v1/${path}`, { method: 'POST', cache: 'no-store', credentials: 'omit' });
    return { status: response.status, body: await response.json().catch(() => ({})) };
  } catch {
    return { status: 0, body: {} };
  }
}

/** Draws the page. `name` is for tests and styles. */
export function page(texts, name, ...content) {
  const main = h('main', { 'data-step': name, tabindex: -1 }, content);
  document.documentElement.lang = texts.language;
  document.querySelector('.sheet')?.remove();
  document.body.prepend(h('div', { class: 'sheet' },
    h('header', {}, brand(texts)), main, h('footer', {}, texts.testFooter)));
  const heading = main.querySelector('h1');
  if (heading !== null) {
    heading.tabIndex = -1;
    document.title = `${heading.textContent} · ${texts.brand} (${texts.testBadge})`;
    heading.focus({ preventScroll: true });
  }
  return main;
}

export function waiting(texts) {
  page(texts, 'wait', h('div', { class: 'end', role: 'status' }, h('span', { class: 'wait' }), h('p', {}, texts.loading)));
}

export function end(kind, name, heading, text, ...more) {
  return h('div', { class: `end ${kind}` },
    h('span', { class: 'disc' }, icon(...ICONS[name])), h('h1', {}, heading), h('p', {}, text), more);
}
