// Never run: what TypeScript's compiler has to accept, and what it has to refuse.
import { Kassa, ProblemError, verifyWebhook } from "../../../../clients/typescript/src/index.js";
import type { PaymentView, WebhookEvent } from "../../../../clients/typescript/src/index.js";

const kassa = new Kassa({ baseUrl: "http://localhost:7071", apiKey: "kassa_sk_" });

export async function works(): Promise<void> {
  const checkout = await kassa.checkouts.create({
    merchant_reference: "WEB-1",
    country: "SE",
    prices: "including_tax",
    lines: [{ name: "Mug", unit_price: 9900, tax_rate: 2500 }],
  });
  const id: string = checkout.id;
  await kassa.checkouts.confirm(id, { authorization_token: "token" }, { waitSeconds: 5 });
  await kassa.payments.capture(id, { amount: 100 }, { idempotencyKey: "one" });
  for await (const payment of kassa.payments.listAll({ status: "captured" })) {
    const each: PaymentView = payment;
    const amount: number = each.amounts.captured;
    void amount;
  }
  const event: WebhookEvent = verifyWebhook("whsec_", new Headers(), "{}");
  const problem = new Error() as ProblemError;
  const code: string = problem.code;
  void [event, code];
}

export async function isRefused(): Promise<void> {
  // @ts-expect-error the cart has to have lines
  await kassa.checkouts.create({ merchant_reference: "WEB-1", country: "SE", prices: "including_tax" });
  // @ts-expect-error there are two ways to say prices
  await kassa.checkouts.create({ merchant_reference: "W", country: "SE", prices: "net", lines: [] });
  // @ts-expect-error an amount is a number
  await kassa.payments.refund("pay_1", { amount: "100" });
  // @ts-expect-error a read takes no key
  await kassa.payments.read("pay_1", { idempotencyKey: "one" });
}
