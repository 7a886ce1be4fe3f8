// The hosted payment page. The server says where the purchase stands and where the browser goes; this script says what
// the shopper does, and puts the purchase flow over the page. Every call may be made twice without harm.

import { h, money } from './kit.js';

const path = document.body.dataset.path; // only on the page that takes a payment
const pay = document.getElementById('pay');
const leave = document.getElementById('leave');
const problem = document.getElementById('problem');
const status = document.getElementById('status');
const confirm = document.getElementById('confirm');

let busy = false;
let run = null; // { id, frame, begun }: the purchase flow that is open
let runs = 0;

// Amounts are written as in the purchase flow that opens over this page.
if (document.body.dataset.price !== undefined) {
  const price = JSON.parse(document.body.dataset.price);
  for (const element of document.querySelectorAll('[data-amount]')) {
    element.textContent = money(price, Number(element.dataset.amount));
  }
}

// A picture that cannot be had is left out.
for (const image of document.querySelectorAll('img[data-optional]')) {
  const drop = () => (image.closest('picture') || image).classList.add('gone');
  if (image.complete && image.naturalWidth === 0 && image.currentSrc !== '') drop();
  image.addEventListener('error', drop);
}

async function post(action, body) {
  const response = await fetch(`${path}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body || {}),
    cache: 'no-store',
    credentials: 'omit',
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.detail || response.statusText), { code: answer.code || 'unavailable' });
  return answer;
}

function setBusy(value) {
  busy = value;
  for (const button of [pay, leave]) {
    if (button !== null) button.disabled = value;
  }
  pay.classList.toggle('busy', value);
  status.textContent = value ? document.body.dataset.working : '';
}

function tell(error) {
  // The page is over or withdrawn: another page says so.
  if (error.code === 'no_page') {
    location.replace(`${path}/result`);
    return;
  }
  setBusy(false);
  problem.textContent = problem.dataset.text;
}

/** Goes where the merchant said, or to the page that tells how it ended. */
function go(standing) {
  location.assign(standing.url || `${path}/result`);
}

async function act(action, body, then) {
  if (busy) return;
  setBusy(true);
  problem.textContent = '';
  try {
    then(await post(action, body));
  } catch (error) {
    tell(error);
  }
}

// ---- The purchase flow -----------------------------------------------------------------------------------------------

function openFlow(begun) {
  const frame = h('iframe', { class: 'frame waiting', src: '/kp/flow', title: document.title });
  runs += 1;
  run = { id: runs, frame, begun };
  document.body.append(frame);
}

function closeFlow() {
  if (run === null) return;
  run.frame.remove();
  run = null;
  document.body.classList.remove('held');
  for (const element of document.querySelectorAll('.sheet')) element.inert = false;
}

window.addEventListener('message', (event) => {
  if (run === null || event.source !== run.frame.contentWindow || event.origin !== location.origin) return;
  const message = event.data;
  if (typeof message !== 'object' || message === null || message.kassa !== 1) return;
  if (message.type === 'ready') {
    run.frame.contentWindow.postMessage({
      kassa: 1, type: 'start', request: run.id, kind: 'authorize', label: pay.dataset.label,
      client_token: run.begun.client_token, flow_id: run.begun.flow_id,
    }, location.origin);
  } else if (message.type === 'show') {
    run.frame.classList.remove('waiting');
    document.body.classList.add('held');
    for (const element of document.querySelectorAll('.sheet')) element.inert = true;
    run.frame.focus();
  } else if (message.type === 'result') {
    closeFlow();
    settle();
  }
});

/** The flow was closed. What came of it, the server knows. */
async function settle() {
  try {
    const standing = await post('end');
    if (standing.status !== 'IN_PROGRESS') {
      go(standing);
      return;
    }
    setBusy(false);
    pay.focus();
  } catch (error) {
    tell(error);
  }
}

// ---- The buttons -----------------------------------------------------------------------------------------------------

if (path !== undefined) {
  pay.addEventListener('click', () => act('pay', {}, openFlow));
  if (leave !== null) {
    const away = () => act('leave', { button: leave.dataset.button }, go);
    leave.addEventListener('click', () => (confirm === null ? away() : confirm.showModal()));
    if (confirm !== null) {
      document.getElementById('stay').addEventListener('click', () => confirm.close());
      document.getElementById('cancel-yes').addEventListener('click', () => {
        confirm.close();
        away();
      });
    }
  }
  // A page that the browser kept while the shopper was elsewhere may stand differently by now.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  post('open').catch((error) => {
    if (error.code === 'no_page') tell(error);
  });
}
