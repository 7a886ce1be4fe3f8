// @agoransson/klarna-payments: sessions, a customer token, giving up an authorization, refusals.
'use strict';

const assert = require('node:assert');
const { Payments, ResourceMissing, UnknownError } = require('@agoransson/klarna-payments');
const { UnableToCreateCreditSession } =
  require('@agoransson/klarna-payments/dist/Sessions/UnableToCreateCreditSession');
const { USERNAME, PASSWORD, session, authorize, main } = require('./shared.cjs');

const EU = 0;

main(async () => {
  const config = { isLive: false, region: EU, username: USERNAME, password: PASSWORD };
  const { sessions, orders } = new Payments({ config }).v100;

  const created = await sessions.createCreditSession(session);
  assert.match(created.client_token, /^[^.]+\.[^.]+\.[^.]+$/);
  assert.ok(created.payment_method_categories.length > 0);
  const lines = [...session.order_lines, { ...session.order_lines[0], reference: '2' }];
  await sessions.updateCreditSession(created.session_id, {
    ...session, order_amount: 20000, order_tax_amount: 4000, order_lines: lines,
  });
  const read = await sessions.readCreditSession(created.session_id);
  assert.strictEqual(read.order_amount, 20000);
  assert.strictEqual(read.status, 'incomplete');

  // Given up: the authorization cannot be used afterwards.
  const given = await authorize(created.session_id);
  await orders.cancelAuthorization(given);
  await assert.rejects(orders.cancelAuthorization(given), ResourceMissing);

  // Its `createOrder` sends neither the order nor credentials; it has never worked with Klarna.
  await assert.rejects(orders.createOrder('00000000-0000-0000-0000-000000000000', session), UnknownError);

  const tokenize = { ...session, intent: 'tokenize', order_amount: 0, order_tax_amount: 0, order_lines: [] };
  tokenize.order_lines = [{ name: 'Subscription', quantity: 1, unit_price: 0, total_amount: 0 }];
  const signup = await sessions.createCreditSession(tokenize);
  const token = await orders.generateConsumerToken(await authorize(signup.session_id), {
    purchase_country: 'SE', purchase_currency: 'SEK', locale: 'sv-SE',
    description: 'A battery every month', intended_use: 'SUBSCRIPTION',
  });
  assert.ok(token.token_id);

  await assert.rejects(
    sessions.createCreditSession({ ...session, order_amount: 1 }), UnableToCreateCreditSession,
  );
  const stranger = new Payments({ config: { ...config, password: 'wrong' } });
  await assert.rejects(stranger.v100.sessions.createCreditSession(session), UnknownError);
  return { token_id: token.token_id };
});
