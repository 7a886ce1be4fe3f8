// A payment request on a page of its own: the merchant's page has sent the browser here, or a merchant's server has
// handed out the address. The purchase flow runs in a frame; at its end the browser goes where the merchant wants it.

import { ICONS, brand, call, h, icon } from './kit.js';
import { loadTexts, textsFor } from './texts.js';

const [, key] = /\/requests\/([^/]+)\/start$/.exec(window.location.pathname) || [];

let texts = textsFor(navigator.language);
let frame = null;
let flowId;

function page(name, ...content) {
  document.documentElement.lang = texts.language;
  const main = h('main', { 'data-step': name, tabindex: -1 }, content);
  document.querySelector('.sheet')?.remove();
  document.body.prepend(h('div', { class: 'sheet' }, h('header', {}, brand(texts)), main, h('footer', {}, texts.testFooter)));
  const heading = main.querySelector('h1');
  if (heading === null) return;
  heading.tabIndex = -1;
  document.title = `${heading.textContent} · ${texts.brand} (${texts.testBadge})`;
  heading.focus({ preventScroll: true });
}

function waiting() {
  page('wait', h('div', { class: 'end', role: 'status' }, h('span', { class: 'wait' }), h('p', {}, texts.loading)));
}

function end(kind, name, heading, text, again) {
  page(kind, h('div', { class: `end ${kind}` },
    h('span', { class: 'disc' }, icon(...ICONS[name])), h('h1', {}, heading), h('p', {}, text),
    again && h('button', { class: 'primary', type: 'button', id: 'again', onclick: again }, texts.continue)));
}

function closeFlow() {
  if (frame === null) return;
  window.removeEventListener('message', frame.receive);
  frame.element.remove();
  frame = null;
}

function openFlow(standing) {
  const element = h('iframe', { class: 'flow', title: document.title, src: '/kp/flow', hidden: true, role: 'dialog', 'aria-modal': 'true' });
  const write = (message) => element.contentWindow.postMessage({ kassa: 1, request: 1, ...message }, window.location.origin);
  const receive = (event) => {
    if (event.source !== element.contentWindow || event.origin !== window.location.origin) return;
    const message = event.data;
    if (typeof message !== 'object' || message === null || message.kassa !== 1) return;
    if (message.type === 'ready') {
      write({
        type: 'start', kind: 'authorize', client_token: standing.client_token, flow_id: flowId,
        payment_request_id: standing.payment_request_id, options: {}, data: {},
      });
    } else if (message.type === 'started') {
      flowId = message.flow_id;
    } else if (message.type === 'ask') {
      // The merchant's page is gone, so nobody is there to say what delivering comes to.
      write({ type: 'told', question: message.question, answer: null });
    } else if (message.type === 'show') {
      element.hidden = false;
      element.focus();
    } else if (message.type === 'result') {
      closeFlow();
      look(true);
    }
  };
  frame = { element, receive };
  window.addEventListener('message', receive);
  document.body.append(element);
}

/** Asks where the request stands, and goes on from there. `over` says that the shopper is done with it here. */
async function look(over) {
  waiting();
  let standing;
  try {
    standing = await call(`requests/${key}`, null, {});
  } catch (error) {
    if (error.code === 'no_page') end('no', 'denied', texts.endedTitle, texts.endedText);
    else end('no', 'denied', texts.problem_network, '', () => look(over));
    return;
  }
  await loadTexts(standing.locale).catch(() => {});
  texts = textsFor(standing.locale);
  if (!over && standing.client_token !== undefined) openFlow(standing);
  else if (standing.return_url !== undefined) window.location.replace(standing.return_url);
  else if (standing.state === 'COMPLETED') end('yes', 'tick', texts.approvedTitle, '');
  else if (standing.client_token !== undefined) end('no', 'denied', texts.leaveText, '', () => { flowId = undefined; look(false); });
  else end('no', 'denied', texts.endedTitle, texts.endedText);
}

// A page that the browser has kept while the shopper was elsewhere may stand differently by now.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload();
});
if (key === undefined) end('no', 'denied', texts.orphanTitle, texts.orphanText);
else look(false);
