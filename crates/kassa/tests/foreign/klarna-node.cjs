// klarna-node: acknowledging and capturing. It writes two spaces behind `Basic`.
'use strict';

const assert = require('node:assert');
const { default: klarna, klarnaOrderManagement } = require('klarna-node');
const { USERNAME, PASSWORD, call, order, main } = require('./shared.cjs');

main(async () => {
  klarna.init({ uid: USERNAME, password: PASSWORD, live: false });
  const order_id = await order();
  await klarnaOrderManagement.acknowledgeOrder(order_id);
  await klarnaOrderManagement.captureOrder({ captured_amount: 10000 }, order_id);
  const read = await call('GET', `/ordermanagement/v1/orders/${order_id}`);
  assert.strictEqual(read.status, 'CAPTURED');
  await assert.rejects(
    klarnaOrderManagement.captureOrder({ captured_amount: 1 }, order_id),
    { statusCode: 403 },
  );
  return { order_id };
});
