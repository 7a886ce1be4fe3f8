import type { Api, KlarnaCause, Problem } from "./types.js";

export * from "./types.js";
export { verifyWebhook, WebhookError } from "./webhooks.js";
export type { WebhookEvent, WebhookOptions } from "./webhooks.js";

/** What any call takes. */
export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal;
}

/** What a call takes that changes something. */
export interface KeyedOptions extends CallOptions {
  /** Made up if it is left out; say one to repeat a call of an earlier process. */
  idempotencyKey?: string;
}

/** What a call takes that waits for Klarna. */
export interface WaitingOptions extends CallOptions {
  /** How long to wait for the outcome, 30 at most; 0 does not wait. */
  waitSeconds?: number;
}

export interface KassaOptions {
  /** Where the gateway is. */
  baseUrl: string | URL;
  /** `kassa_sk_…` */
  apiKey: string;
  /** How long one attempt may take. */
  timeoutMs?: number;
  /** How often a call is repeated that is safe to repeat. */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

/** Anything that this client fails with. */
export class KassaError extends Error {}
/** No usable answer came. */
export class ConnectionError extends KassaError {}
/** The gateway answered that it did not do what was asked. */
export class ProblemError extends KassaError {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  readonly detail: string;
  /** What to do next. */
  readonly remedy: string;
  /** The member of the request that is wrong. */
  readonly member?: string;
  readonly operationId?: string;
  /** Klarna's id of the exchange. */
  readonly correlationId?: string;
  readonly klarna?: KlarnaCause;
  readonly problem: Problem;
}
/** 400 */
export class InvalidRequestError extends ProblemError {}
/** 401 and 403 */
export class AccessError extends ProblemError {}
/** 402: Klarna declined. */
export class DeclinedError extends ProblemError {}
/** 404 */
export class NotFoundError extends ProblemError {}
/** 409 */
export class ConflictError extends ProblemError {}
/** 422 */
export class NotPossibleError extends ProblemError {}
/** 429 */
export class TooManyError extends ProblemError {}
/** 5xx */
export class ServerError extends ProblemError {}

export interface RequestOptions extends CallOptions {
  body?: unknown;
  query?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Whether a repeat is safe. */
  repeatable?: boolean;
}

/** A client. Cheap to keep, and meant to be kept. */
export interface Kassa extends Api {}
export class Kassa {
  constructor(options: KassaOptions);
  /** One call, for what has no method here. */
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<T>;
}
