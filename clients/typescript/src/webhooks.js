// Checks webhooks as Standard Webhooks says: the signature first, then the time, then the body is read.
import { createHmac, timingSafeEqual } from "node:crypto";

/** A message that cannot be trusted. Answer it with 400, and do nothing. */
export class WebhookError extends Error {
  constructor(message) {
    super(message);
    this.name = "WebhookError";
  }
}

function header(headers, name) {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name) return Array.isArray(value) ? value[0] : value;
  }
  return undefined;
}

/** Returns the event, or throws. `body` is the body as it came, byte for byte. */
export function verifyWebhook(secrets, headers, body, { toleranceSeconds = 300, now = Date.now() } = {}) {
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");
  if (!id || !timestamp || !signatures) throw new WebhookError("a header of the scheme is missing");
  const text = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
  const given = signatures
    .split(" ")
    .filter((part) => part.startsWith("v1,"))
    .map((part) => Buffer.from(part.slice(3), "base64"));
  const keys = (Array.isArray(secrets) ? secrets : [secrets]).map((secret) =>
    Buffer.from(secret.replace(/^whsec_/, ""), "base64"),
  );
  const trusted = keys.some((key) => {
    if (key.length === 0) return false;
    const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.${text}`).digest();
    return given.some((signature) => signature.length === wanted.length && timingSafeEqual(signature, wanted));
  });
  if (!trusted) throw new WebhookError("no signature is right");
  const at = Number(timestamp);
  if (!/^\d+$/.test(timestamp) || Math.abs(now / 1000 - at) > toleranceSeconds) {
    throw new WebhookError("the message is too old, or from the future");
  }
  return JSON.parse(text);
}
