import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const env = process.env;
const { Kassa, AccessError, ConflictError, InvalidRequestError, NotFoundError, NotPossibleError, WebhookError, verifyWebhook } =
  await import(pathToFileURL(`${env.CLIENTS}/typescript/src/index.js`));
const kassa = new Kassa({ baseUrl: env.GATEWAY, apiKey: env.API_KEY });

// The shop's receiver of webhooks.
const got = [];
const waiting = [];
const receiver = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    got.push({ headers: request.headers, body: Buffer.concat(parts) });
    response.writeHead(204).end();
    waiting.splice(0).forEach((wake) => wake());
  });
});
await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const endpoint = await kassa.webhookEndpoints.create({ url: `http://127.0.0.1:${receiver.address().port}/`, events: ["payment.authorized", "payment.captured", "payment.refunded"] });
assert.match(endpoint.secret, /^whsec_/);

const cart = {
  merchant_reference: "WEB-1001",
  country: "SE",
  prices: "including_tax",
  lines: [{ type: "physical", reference: "MUG", name: "Mugg", quantity: 3, unit_price: 9900, tax_rate: 2500 }],
};
async function pay() {
  const checkout = await kassa.checkouts.create(cart);
  const answer = await fetch(`${env.PLAYGROUND}/playground/v1/shopper/authorize`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_token: checkout.klarna.client_token }),
  });
  const { authorization_token } = await answer.json();
  const done = await kassa.checkouts.confirm(checkout.id, { authorization_token });
  assert.equal(done.status, "completed");
  return done.payment_id;
}

const paymentId = await pay();
const captured = await kassa.payments.capture(paymentId, { lines: [{ reference: "MUG", quantity: 1 }] });
assert.equal(captured.amounts.captured, 9900);
// The same key is the same refund.
for (let again = 0; again < 2; again += 1) {
  const refunded = await kassa.payments.refund(paymentId, { amount: 500 }, { idempotencyKey: "refund-1" });
  assert.equal(refunded.amounts.refunded, 500);
}
await assert.rejects(kassa.payments.refund(paymentId, { amount: 600 }, { idempotencyKey: "refund-1" }), (error) => {
  assert(error instanceof NotPossibleError);
  assert.equal(error.code, "idempotency_mismatch");
  assert(error.remedy.length > 0);
  return true;
});
await assert.rejects(kassa.payments.cancel(paymentId), ConflictError);
await assert.rejects(kassa.payments.read("pay_nobody"), NotFoundError);
await assert.rejects(kassa.checkouts.create({ ...cart, country: "XX" }), (error) => error instanceof InvalidRequestError && error.member === "country");
await assert.rejects(new Kassa({ baseUrl: env.GATEWAY, apiKey: "kassa_sk_wrong" }).payments.list(), AccessError);

const other = await pay();
const listed = [];
for await (const payment of kassa.payments.listAll({ limit: 1 })) listed.push(payment.id);
assert.deepEqual(listed.slice().sort(), [paymentId, other].sort());
const events = await kassa.events.list({ type: "payment.*", subject_id: paymentId });
assert(events.data.some((event) => event.type === "payment.captured"));

while (got.length < 4) await new Promise((wake) => waiting.push(wake));
const { Webhook } = createRequire(`${env.INSTALLED}/node/`)("standardwebhooks");
const told = got.map(({ headers, body }) => {
  const event = verifyWebhook(endpoint.secret, headers, body);
  // What the scheme's own library makes of it is the same.
  assert.deepEqual(new Webhook(endpoint.secret).verify(body.toString("utf8"), headers), event);
  assert.equal(event.id, headers["webhook-id"]);
  return event;
});
assert.deepEqual(told.filter((event) => event.subject_id === paymentId).map((event) => event.type).slice(0, 2), ["payment.authorized", "payment.captured"]);
const [first] = got;
// And what it signs, we take.
const at = new Date();
const signed = new Webhook(endpoint.secret).sign("msg_1", at, '{"id":"msg_1"}');
const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(at / 1000)), "webhook-signature": signed };
assert.deepEqual(verifyWebhook(["whsec_b3RoZXI=", endpoint.secret], headers, '{"id":"msg_1"}'), { id: "msg_1" });
for (const [secret, changed, body, options] of [
  ["whsec_b3RoZXI=", {}, first.body, {}],
  [endpoint.secret, {}, Buffer.concat([first.body, Buffer.from(" ")]), {}],
  [endpoint.secret, { "webhook-id": "evt_other" }, first.body, {}],
  [endpoint.secret, { "webhook-signature": "" }, first.body, {}],
  [endpoint.secret, {}, first.body, { now: Date.now() + 301_000 }],
]) {
  assert.throws(() => verifyWebhook(secret, { ...first.headers, ...changed }, body, options), WebhookError);
}
const rotated = await kassa.webhookEndpoints.rotate(endpoint.id, { overlap_hours: 1 });
assert.notEqual(rotated.secret, endpoint.secret);
await kassa.webhookEndpoints.delete(endpoint.id);
receiver.close();
console.log(JSON.stringify({ payment_id: paymentId, told: told.length }));
