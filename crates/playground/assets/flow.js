// The purchase flow in its popup, or in the overlay when there is no popup. The server holds the state and says which
// step it is; this page draws that step, sends what the shopper did, and draws the next.

import { ICONS, brand, call, connect, h, icon, money } from './kit.js';
import { addressForm, shippingForm } from './delivery.js';
import { plan, sentence, title } from './offers.js';
import { fill, loadTexts, textsFor } from './texts.js';

const APPROVED_PAUSE_MS = 900; // long enough to read "Approved"
const ASKING_DEADLINE_MS = 20000; // how long the merchant's page may think

const STEPS = { identify: 1, code: 2, extra_code: 2, sign_up: 2, id_scan: 2, bank_login: 2, card_code: 2, address: 3, shipping: 3, choose: 3, review: 4 };

let run = null; // { request, token, id, kind, label, express }: the flow that the merchant's page, or a page of Klarna's own, asked for
let texts = textsFor(navigator.language);
let busy = false;
let asked = null; // { question, take }: what the merchant's page was asked and has not answered yet

const merchant = connect((message) => {
  if (message.type === 'start') begin(message);
  else if (message.type === 'abort') askAbort(message);
  else if (message.type === 'check') check(message);
  else if (message.type === 'close' && merchant.popup) window.close();
  else if (message.type === 'told' && asked !== null && message.question === asked.question) asked.take(message.answer);
});

// ---- Talking to the server -------------------------------------------------------------------------------------------

async function begin(message) {
  if (run !== null && run.request === message.request) return;
  const { express } = message;
  run = { request: message.request, token: message.client_token, id: message.flow_id, kind: message.kind, label: message.label, express };
  const current = run;
  drawWaiting();
  try {
    if (run.token === undefined) {
      const made = await call('express', null, { page_origin: merchant.origin(), client_id: express.client_id, data: message.data });
      if (run !== current) return;
      if (made.result !== undefined) {
        finish(made.result);
        return;
      }
      run.token = made.client_token;
    }
    const answer = message.flow_id
      ? await call(`flow/${message.flow_id}/resume`, run.token, { page_origin: merchant.origin() })
      : await call('flow', run.token, { page_origin: merchant.origin(), kind: message.kind, options: message.options, data: message.data, express, payment_request: message.payment_request_id });
    await loadTexts(answer.view.locale);
    if (run === current) take(answer);
  } catch (error) {
    if (run === current) takeError(error, () => { run = null; begin(message); });
  }
}

async function act(action, body) {
  if (busy || run === null) return;
  const current = run;
  setBusy(true);
  try {
    const answer = await call(`flow/${run.id}/${action}`, run.token, { page_origin: merchant.origin(), ...body });
    setBusy(false);
    if (run === current) take(answer);
  } catch (error) {
    setBusy(false);
    if (run === current) takeError(error);
  }
}

/** A popup was closed; the page asks through this frame what became of its flow. */
async function askAbort(message) {
  const result = await call(`flow/${message.flow_id}/abort`, message.client_token, { page_origin: merchant.origin() })
    .then((answer) => answer.result, () => undefined);
  if (result !== undefined) merchant.send({ type: 'result', request: message.request, result });
}

/** Whether an Express button works on the page that shows it. */
async function check(message) {
  const result = await call('express/check', message.client_token, { page_origin: merchant.origin(), client_id: message.client_id })
    .then(() => true, (error) => error.message);
  merchant.send({ type: 'checked', request: message.request, result });
}

/** Asks the merchant's page something about the purchase, such as what it costs to deliver to an address. */
function ask(event, value) {
  return new Promise((resolve, reject) => {
    const question = `${run.request}.${Math.random()}`;
    const timer = setTimeout(() => { asked = null; reject(new Error('no answer')); }, ASKING_DEADLINE_MS);
    asked = { question, take: (answer) => { clearTimeout(timer); asked = null; resolve(answer); } };
    merchant.send({ type: 'ask', request: run.request, question, event, value: JSON.parse(JSON.stringify(value)) });
  });
}

/** Sends what the shopper gave, with the page's answer to it where it has a say. */
async function actAsked(event, value, action, body) {
  if (event === null) return act(action, body);
  if (busy || run === null) return undefined;
  const current = run;
  setBusy(true);
  const page = await ask(event, value).catch(() => undefined);
  setBusy(false);
  if (run !== current) return undefined;
  if (page !== undefined) return act(action, { ...body, page });
  document.getElementById('problem').textContent = texts.problem_network;
  return undefined;
}

function take(answer) {
  if (run.id !== answer.flow_id) {
    run.id = answer.flow_id;
    merchant.send({ type: 'started', request: run.request, flow_id: run.id, client_token: run.express === undefined ? undefined : run.token });
  }
  const { view, result } = answer;
  texts = textsFor(view.locale);
  document.documentElement.lang = texts.language;
  const shown = view.step === 'approved' || view.step === 'declined';
  if (result !== undefined && (view.silent || !shown)) {
    finish(result);
  } else if (view.step === 'approved') {
    draw(view);
    setTimeout(() => finish(result), APPROVED_PAUSE_MS);
  } else {
    merchant.send({ type: 'show', request: run.request });
    draw(view, result);
  }
}

function takeError(error, retry) {
  if (error.code === 'session_ended' || error.code === 'no_token' || error.code === 'unknown_flow' || error.code === 'other_origin'
    || error.code === 'invalid_client_id' || error.code === 'origin_not_allowed') {
    merchant.send({ type: 'show', request: run.request });
    draw({ step: 'ended' }, refusal());
    return;
  }
  const live = document.getElementById('problem');
  if (live !== null) {
    live.textContent = texts.problem_network;
  } else {
    merchant.send({ type: 'show', request: run.request });
    page({}, end('no', 'denied', texts.problem_network, '', texts.continue, retry || leave));
  }
}

function refusal() {
  return run.kind === 'reauthorize' ? { approved: false } : { approved: false, show_form: false };
}

function finish(result) {
  if (run === null) return;
  merchant.send({ type: 'result', request: run.request, result });
  run = null;
  if (merchant.popup) window.close();
  else document.body.replaceChildren();
}

function leave() {
  if (run === null) return;
  if (run.id === undefined) finish(run.kind === 'authorize' ? { approved: false, show_form: true } : refusal());
  else act('abort', {});
}

// ---- Drawing ----------------------------------------------------------------------------------------------------------

function setBusy(value) {
  busy = value;
  for (const button of document.querySelectorAll('main button')) button.disabled = value;
  const primary = document.querySelector('main .primary');
  if (primary !== null) primary.classList.toggle('busy', value);
  const status = document.getElementById('status');
  if (status !== null) status.textContent = value ? texts.working : '';
}

function page(view, ...content) {
  document.body.classList.toggle('over', !merchant.popup && !merchant.alone);
  const step = view.paying ? 4 : STEPS[view.step];
  const main = h('main', { 'data-step': view.step || 'wait', tabindex: -1 },
    step && h('div', { class: 'progress', role: 'img', 'aria-label': fill(texts.progress, { step, steps: 4 }) },
      [1, 2, 3, 4].map((number) => h('span', { class: number <= step ? 'done' : '' }))),
    content);
  document.body.replaceChildren(
    h('div', { class: 'sheet' },
      h('header', {}, brand(texts),
        !merchant.alone && h('button', { class: 'plain', id: 'close', type: 'button', 'aria-label': texts.close, onclick: () => askLeave(view) }, icon(...ICONS.close))),
      main,
      h('footer', {}, texts.testFooter)),
    h('p', { id: 'status', class: 'hidden', role: 'status' }));
  window.scrollTo(0, 0);
  const heading = main.querySelector('h1');
  if (heading !== null) {
    heading.tabIndex = -1;
    document.title = `${heading.textContent} · ${texts.brand} (${texts.testBadge})`;
  }
  const first = main.querySelector('[aria-invalid="true"]') || main.querySelector('[data-first]') || heading;
  if (first !== null) first.focus({ preventScroll: true });
}

function drawWaiting() {
  page({}, h('div', { class: 'end', role: 'status' }, h('span', { class: 'wait' }), h('p', {}, texts.loading)));
}

function end(kind, name, heading, text, button, onclick) {
  return h('div', { class: `end ${kind}` },
    h('span', { class: 'disc' }, icon(...ICONS[name])),
    h('h1', {}, heading), text && h('p', {}, text),
    button && h('button', { class: 'primary', type: 'button', id: 'done', 'data-first': true, onclick }, button));
}

/** One labelled field. Its problem is announced, and is what the field is described by. */
function field(view, name, label, properties, hint) {
  const wrong = view.problem && view.problem.field === name;
  return h('div', { class: `field ${properties.class || ''}` },
    h('label', { for: properties.id || name }, label),
    h('input', {
      id: name, name, ...properties, class: undefined,
      'aria-describedby': `${hint ? `${name}-hint ` : ''}problem`, 'aria-invalid': wrong ? 'true' : undefined,
    }),
    hint && h('span', { class: 'hint', id: `${name}-hint` }, hint));
}

function problem(view) {
  const text = view.problem ? texts[`problem_${view.problem.code}`] || texts.problem_required : '';
  return h('p', { class: 'problem', id: 'problem', role: 'alert' }, text);
}

function form(view, action, ...content) {
  return h('form', {
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      act(action, Object.fromEntries(new FormData(event.target, event.submitter)));
    },
  }, content);
}

function submit(text, properties) {
  return h('button', { class: 'primary', type: 'submit', ...properties }, text);
}

function heading(name, text) {
  return [h('h1', {}, texts[name]), text && h('p', {}, text)];
}

const DRAW = {
  identify(view) {
    const input = field(view, 'contact', texts.contact, {
      id: 'email_or_phone', type: 'text', inputmode: 'email', autocomplete: 'username', autocapitalize: 'none',
      spellcheck: 'false', maxlength: 254, value: view.contact || '', 'data-first': true,
    }, view.persons.length > 0 ? fill(texts.contactHint, { example: view.persons[0].phone }) : undefined);
    const fillIn = (person) => {
      const target = document.getElementById('email_or_phone');
      target.value = person.email;
      target.focus();
    };
    return [heading('identifyTitle', texts.identifyText),
      form(view, 'identify', input, problem(view), submit(texts.continue, { id: 'onContinue', 'data-testid': 'kaf-button' })),
      view.persons.length > 0 && h('details', { class: 'persons', open: true },
        h('summary', {}, h('span', { class: 'badge' }, texts.testBadge), texts.personsTitle),
        h('p', {}, texts.personsText),
        h('ul', {}, view.persons.map((person) => h('li', {},
          h('button', { type: 'button', 'data-person': person.outcome, onclick: () => fillIn(person) },
            h('span', {}, texts[`person_${person.outcome}`] || person.outcome),
            h('span', {}, person.phone ? `${person.email} · ${person.phone}` : person.email))))))];
  },

  code(view) {
    return [heading(view.step === 'extra_code' ? 'extraCodeTitle' : 'codeTitle', fill(texts.codeText, { to: view.sent_to })), codeForm(view)];
  },

  extra_code(view) {
    return DRAW.code(view);
  },

  sign_up(view) {
    const known = view.profile || {};
    const text = (name, label, autocomplete, rest) => field(view, name, label,
      { type: 'text', autocomplete, maxlength: 100, value: known[name] || '', ...rest });
    return [heading('signUpTitle', texts.signUpText),
      form(view, 'sign_up',
        text('given_name', texts.givenName, 'given-name', { 'data-first': true }),
        text('family_name', texts.familyName, 'family-name'),
        text('date_of_birth', texts.birthDate, 'bday', { type: 'date' }),
        text('street_address', texts.streetAddress, 'street-address'),
        h('div', { class: 'pair' },
          text('postal_code', texts.postalCode, 'postal-code'),
          text('city', texts.city, 'address-level2')),
        problem(view), submit(texts.continue, { 'data-testid': 'kaf-button' }))];
  },

  id_scan(view) {
    return [heading('idScanTitle', texts.idScanText),
      form(view, 'step_up',
        h('fieldset', { class: 'documents' }, h('legend', { class: 'hidden' }, texts.idScanTitle),
          [['passport', texts.idPassport], ['licence', texts.idLicence], ['card', texts.idCard]].map(([value, label], index) =>
            h('label', {}, h('input', { type: 'radio', name: 'document', value, checked: index === 0, 'data-first': index === 0 }), label))),
        problem(view),
        submit(texts.idPass, { name: 'answer', value: 'pass', 'data-testid': 'kaf-button' }),
        h('button', { class: 'second', type: 'submit', name: 'answer', value: 'fail' }, texts.idFail))];
  },

  bank_login(view) {
    return [heading('bankTitle', view.paying ? fill(texts.bankPayText, { amount: money(view, view.amount) }) : texts.bankText),
      form(view, 'step_up',
        h('div', { class: 'field' }, h('label', { for: 'bank' }, texts.bankName),
          h('select', { id: 'bank', name: 'bank' }, view.banks.map((bank) => h('option', { value: bank }, bank)))),
        field(view, 'answer', texts.bankUser,
          { type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 64, value: 'DEMOUSER4', 'data-first': true }, texts.bankHint),
        problem(view), submit(texts.bankApprove, { 'data-testid': 'kaf-button' }))];
  },

  card_code(view) {
    return [heading('cardCodeTitle', texts.cardCodeText),
      form(view, 'step_up',
        field(view, 'answer', texts.cardCodeLabel,
          { class: 'code', type: 'text', inputmode: 'numeric', autocomplete: 'cc-csc', maxlength: 3, 'data-first': true }, texts.cardCodeHint),
        problem(view), submit(texts.continue, { 'data-testid': 'kaf-button' }))];
  },

  address(view) {
    return [heading('addressTitle', texts.addressText),
      addressForm(view, texts, { field, problem, submit }, (address) => {
        const { country, region, postal_code: postalCode, city } = address;
        actAsked(view.asks_page ? 'shippingaddresschange' : null, { country, region, postalCode, city }, 'deliver_to', address);
      })];
  },

  shipping(view) {
    return [heading('shippingTitle'),
      shippingForm(view, texts, { problem, submit }, (reference) => {
        const chosen = view.shipping_options.find((one) => one.shippingOptionReference === reference);
        actAsked(view.asks_page ? 'shippingoptionselect' : null, chosen, 'ship', { option: reference });
      }),
      h('button', { class: 'link', type: 'button', id: 'back', onclick: () => act('back', {}) }, texts.otherAddress)];
  },

  choose(view) {
    return [heading('chooseTitle'),
      form(view, 'choose',
        h('fieldset', { class: 'offers' }, h('legend', { class: 'hidden' }, texts.chooseLegend),
          view.offers.map((offer) => h('div', { class: 'offer' },
            h('label', {},
              h('span', { class: 'head' },
                h('span', { class: 'name' }, title(texts, offer)),
                h('span', { class: 'text', id: `text-${offer.id}` }, sentence(texts, view, offer))),
              h('input', {
                type: 'radio', name: 'offer', value: offer.id, 'data-testid': `offer-${offer.id}`, 'aria-describedby': `text-${offer.id}`,
                checked: offer.id === view.chosen, 'data-first': offer.id === view.chosen,
              })),
            offer.parts.length > 1 && h('div', { class: 'more' }, plan(texts, view, offer))))),
        problem(view), submit(texts.continue, { 'data-testid': 'kaf-button' }))];
  },

  review(view) {
    const { offer, address } = view;
    return [heading('reviewTitle'),
      form(view, 'confirm',
        h('section', { class: 'block' }, h('h2', {}, texts.order),
          h('ul', { class: 'lines' }, view.lines.map((line) => h('li', { class: line.amount < 0 ? 'less' : '' },
            h('span', {}, line.quantity > 1 ? `${line.quantity} × ${line.name}` : line.name),
            h('span', { class: 'number' }, money(view, line.amount))))),
          h('p', { class: 'total' }, h('span', {}, texts.total), h('span', { class: 'number' }, money(view, view.amount)))),
        offer && h('section', { class: 'block' },
          h('header', {}, h('h2', {}, `${texts.payWith}: ${title(texts, offer)}`),
            view.changeable && h('button', { class: 'link', type: 'button', id: 'change', onclick: () => act('back', {}) }, texts.change)),
          offer.parts.length > 1 ? plan(texts, view, offer) : h('p', { class: 'quiet' }, sentence(texts, view, offer))),
        address && address.length > 0 && h('section', { class: 'block' }, h('h2', {}, texts.deliverTo),
          h('address', {}, address.flatMap((line, index) => (index === 0 ? [line] : [h('br'), line])))),
        h('p', { class: 'small quiet' }, texts.terms),
        problem(view),
        submit(buyLabel(money(view, offer ? offer.total : view.amount)), { id: 'confirm', 'data-testid': 'confirm-and-pay' }))];
  },

  approved: () => end('yes', 'tick', texts.approvedTitle, texts.approvedText),

  declined: (view, result) => end('no', 'denied', texts.declinedTitle, texts.declinedText, texts.backToStore, () => finish(result)),

  ended: (view, result) => end('no', 'denied', texts.endedTitle, texts.endedText, texts.backToStore, () => finish(result)),
};

/** A page of Klarna's own may have another word for buying. */
function buyLabel(amount) {
  return run !== null && run.label ? `${run.label} · ${amount}` : fill(texts.confirm, { amount });
}

function codeForm(view) {
  const inner = form(view, view.step === 'code' ? 'code' : 'step_up',
    field(view, view.step === 'code' ? 'code' : 'answer', texts.codeLabel, {
      id: 'otp_field', class: 'code', type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: 6, 'data-first': true,
      oninput: (event) => { if (/^\d{6}$/.test(event.target.value)) inner.requestSubmit(); },
    }, texts.codeHint),
    problem(view),
    submit(texts.continue, { 'data-testid': 'kaf-button' }),
    h('button', {
      class: 'second', type: 'button', id: 'fill-code',
      onclick: () => { document.getElementById('otp_field').value = '123456'; inner.requestSubmit(); },
    }, h('span', { class: 'badge' }, texts.testBadge), ' ', texts.codeFill),
    view.step === 'code' && h('button', { class: 'link', type: 'button', id: 'back', onclick: () => act('back', {}) }, texts.otherContact));
  return inner;
}

function draw(view, result) {
  const before = document.querySelector(`main[data-step="${view.step}"] form`);
  const typed = view.problem && before !== null ? Array.from(new FormData(before)) : [];
  page(view, DRAW[view.step](view, result));
  // What was typed stays, but for a code: that one is asked for anew.
  for (const [name, value] of typed) {
    const target = document.forms[0].elements.namedItem(name);
    if (target !== null && target.id !== 'otp_field') target.value = value;
  }
}

/** A frame that was hidden while it was drawn could not hold the focus; it takes it when it is shown. */
window.addEventListener('focus', () => {
  if (document.activeElement !== document.body) return;
  const first = document.querySelector('[aria-invalid="true"]') || document.querySelector('[data-first]') || document.querySelector('h1');
  if (first !== null) first.focus({ preventScroll: true });
});

// ---- Leaving, and staying inside ------------------------------------------------------------------------------------

function askLeave(view) {
  if (run === null) return;
  const done = document.getElementById('done');
  if (done !== null) {
    done.click();
    return;
  }
  if (view.step === undefined || view.step === 'identify') {
    leave();
    return;
  }
  const dialog = h('dialog', { 'aria-labelledby': 'leave-title', onclose: () => dialog.remove() },
    h('h2', { id: 'leave-title' }, texts.leaveTitle), h('p', {}, texts.leaveText),
    h('div', { class: 'choices' },
      h('button', { class: 'primary', type: 'button', id: 'stay', onclick: () => dialog.close() }, texts.stay),
      h('button', { class: 'second', type: 'button', id: 'leave', onclick: () => { dialog.close(); leave(); } }, texts.leave)));
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener('keydown', (event) => {
  if (document.querySelector('dialog[open]') !== null) return;
  if (event.key === 'Escape') {
    // Else the same key press would close the question that it opens.
    event.preventDefault();
    const close = document.getElementById('close');
    if (close !== null) close.click();
    return;
  }
  // In the overlay, Tab stays within the purchase: behind it lies the merchant's page.
  if (event.key !== 'Tab' || merchant.popup) return;
  const stops = Array.from(document.querySelectorAll('a[href], button, input, select, summary')).filter((element) => !element.disabled && element.offsetParent !== null);
  const first = stops[0];
  const last = stops[stops.length - 1];
  if (first === undefined) return;
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
});

if (merchant.alone) {
  page({}, end('no', 'lock', texts.orphanTitle, texts.orphanText));
} else {
  drawWaiting();
  merchant.ready();
}
