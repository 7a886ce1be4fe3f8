// What every program here needs: the merchant's credentials, goods, and the shopper.
'use strict';

const { PLAYGROUND, USERNAME, PASSWORD } = process.env;

const line = {
  type: 'physical', reference: '19-402', name: 'Battery Power Pack', quantity: 2,
  unit_price: 5000, tax_rate: 2500, total_amount: 10000, total_tax_amount: 2000,
};

const session = {
  purchase_country: 'SE', purchase_currency: 'SEK', locale: 'sv-SE',
  order_amount: 10000, order_tax_amount: 2000, order_lines: [line],
};

const shopper = {
  given_name: 'Alice', family_name: 'Test', email: 'customer@email.se',
  street_address: 'Södra Blasieholmshamnen 2', postal_code: '11148', city: 'Stockholm',
  phone: '+46701740615', country: 'SE',
};

/** A plain call, for what a client has no method for. */
async function call(method, path, body) {
  const answer = await fetch(PLAYGROUND + path, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** What the browser does between a session and an order: the token of an authorization. */
async function authorize(session_id, more) {
  const data = { billing_address: shopper, customer: { date_of_birth: '1941-03-21' } };
  const shown = await call('POST', '/playground/v1/shopper/authorize', {
    session_id, email: shopper.email, data, ...more,
  });
  if (!shown.approved) throw new Error(`not approved: ${JSON.stringify(shown)}`);
  return shown.authorization_token;
}

/** An order placed by plain calls. */
async function order() {
  const { session_id } = await call('POST', '/payments/v1/sessions', session);
  const token = await authorize(session_id);
  const { order_id } = await call('POST', `/payments/v1/authorizations/${token}/order`, session);
  return order_id;
}

/** A client must not write what it got where a test reads what the program says. */
function quietly(work) {
  const said = [];
  const write = process.stdout.write;
  process.stdout.write = (text) => said.push(text) > 0;
  return Promise.resolve()
    .then(work)
    .finally(() => { process.stdout.write = write; });
}

/** Runs a program; its result is the one line of output. */
function main(program) {
  quietly(program).then(
    (result) => console.log(JSON.stringify(result)),
    (error) => { console.error(error); process.exitCode = 1; },
  );
}

module.exports = { USERNAME, PASSWORD, line, session, shopper, call, authorize, order, main };
