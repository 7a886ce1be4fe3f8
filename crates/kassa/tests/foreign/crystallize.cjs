// @crystallize/node-klarna: Order Management and charging a customer token. It sends a body with
// everything; that with a GET has no framing at all, so that no connection can be used again after it.
'use strict';

const assert = require('node:assert');
const https = require('node:https');
const { Klarna } = require('@crystallize/node-klarna');
const { USERNAME, PASSWORD, line, order, main } = require('./shared.cjs');

// As Node.js was when this client was written.
https.globalAgent = new https.Agent({ keepAlive: false });

main(async () => {
  const klarna = new Klarna({
    username: USERNAME, password: PASSWORD, apiEndpoint: 'api.playground.klarna.com',
  });
  const { orders, captures, refunds } = klarna.orderManagementV1;
  const expect = async (promise, status) => {
    const answer = await promise;
    assert.strictEqual(answer.statusCode, status, JSON.stringify(answer));
    return answer.response ?? answer.error;
  };

  const order_id = await order();
  await expect(orders.acknowledge(order_id), 204);
  await expect(orders.updateMerchantReference(order_id, { merchant_reference1: 'ON4711' }), 204);
  await expect(captures.capture(order_id, { captured_amount: 6000, description: 'half of it' }), 201);
  await expect(refunds.create(order_id, { refunded_amount: 1500, order_lines: [] }), 201);
  await expect(orders.releaseRemainingAuthorization(order_id), 204);
  const read = await expect(orders.getOrder(order_id), 200);
  assert.strictEqual(read.merchant_reference1, 'ON4711');
  assert.strictEqual(read.captured_amount, 6000);
  assert.strictEqual(read.refunded_amount, 1500);
  assert.strictEqual(read.remaining_authorized_amount, 0);

  const other = await order();
  await expect(orders.cancel(other), 204);
  const refused = await expect(captures.capture(other, { captured_amount: 1 }), 403);
  assert.strictEqual(refused.error_code, 'CAPTURE_NOT_ALLOWED');
  const missing = await expect(orders.getOrder('00000000-0000-0000-0000-000000000000'), 404);
  assert.strictEqual(missing.error_code, 'NO_SUCH_ORDER');

  const charged = await expect(klarna.customerTokenV1.order(process.env.TOKEN_ID, {
    purchase_currency: 'SEK', order_amount: 10000, order_tax_amount: 2000, order_lines: [line],
    auto_capture: true,
  }), 200);
  assert.strictEqual(charged.fraud_status, 'ACCEPTED');
  const paid = await expect(orders.getOrder(charged.order_id), 200);
  assert.strictEqual(paid.status, 'CAPTURED');
  return { orders: [order_id, other, charged.order_id] };
});
