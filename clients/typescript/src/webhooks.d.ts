/** An event as it is told. Take the same `id` once: a message may come again. */
export interface WebhookEvent {
  /** The event's id, which is the `webhook-id`. */
  id: string;
  /** Such as `payment.captured`. */
  type: string;
  /** When it happened. */
  timestamp: string;
  /** What it happened to. */
  subject_id: string;
  /** The version of the subject that it led to. */
  version: number;
  /** More about it. */
  data: Record<string, unknown>;
}

export interface WebhookOptions {
  /** How far the sender's clock may be away; 300 unless something else is said. */
  toleranceSeconds?: number;
  /** Now, in milliseconds. */
  now?: number;
}

/** A message that cannot be trusted. Answer it with 400, and do nothing. */
export class WebhookError extends Error {}

/** Returns the event, or throws. `body` is the body as it came, byte for byte. */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: Headers | Record<string, string | string[] | undefined>,
  body: string | Uint8Array,
  options?: WebhookOptions,
): WebhookEvent;
