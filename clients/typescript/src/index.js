// A client of the Kassa gateway's API. What operations there are stands in `operations.js`; how one is
// called, repeated and paged stands here.
import { operations } from "./operations.js";

export { verifyWebhook, WebhookError } from "./webhooks.js";

/** Anything that this client fails with. */
export class KassaError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = this.constructor.name;
  }
}

/** No usable answer came: whether anything was done is not known, unless the request had a key. */
export class ConnectionError extends KassaError {}

/** The gateway answered that it did not do what was asked. */
export class ProblemError extends KassaError {
  constructor(problem, status) {
    super(`${problem.detail ?? "the gateway answered with an error"}${problem.remedy ? ` ${problem.remedy}` : ""}`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.detail = problem.detail ?? "";
    this.remedy = problem.remedy ?? "";
    this.member = problem.member;
    this.operationId = problem.operation_id;
    this.correlationId = problem.correlation_id;
    this.klarna = problem.klarna;
    this.problem = problem;
  }
}

/** 400: a member of the request is wrong; `member` names it. */
export class InvalidRequestError extends ProblemError {}
/** 401 and 403: the API key is not known, or may not do this. */
export class AccessError extends ProblemError {}
/** 402: Klarna declined. */
export class DeclinedError extends ProblemError {}
/** 404: there is nothing of that id in this store. */
export class NotFoundError extends ProblemError {}
/** 409: the state forbids it. */
export class ConflictError extends ProblemError {}
/** 422: it is understood, and not possible. */
export class NotPossibleError extends ProblemError {}
/** 429: too many at once. */
export class TooManyError extends ProblemError {}
/** 5xx: the gateway, or Klarna behind it, failed. */
export class ServerError extends ProblemError {}

const BY_STATUS = new Map([
  [400, InvalidRequestError],
  [401, AccessError],
  [402, DeclinedError],
  [403, AccessError],
  [404, NotFoundError],
  [409, ConflictError],
  [422, NotPossibleError],
  [429, TooManyError],
]);

function problemOf(status, body) {
  const Kind = BY_STATUS.get(status) ?? (status >= 500 ? ServerError : ProblemError);
  return new Kind(body !== null && typeof body === "object" ? body : {}, status);
}

/** A client. Cheap to keep, and meant to be kept. */
export class Kassa {
  #baseUrl;
  #apiKey;
  #fetch;
  #timeoutMs;
  #retries;

  constructor({ baseUrl, apiKey, timeoutMs = 60_000, retries = 2, fetch = globalThis.fetch }) {
    if (!baseUrl || !apiKey) throw new KassaError("a client needs a baseUrl and an apiKey");
    this.#baseUrl = String(baseUrl).replace(/\/+$/, "");
    this.#apiKey = apiKey;
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs;
    this.#retries = retries;
    for (const [group, methods] of Object.entries(operations)) {
      this[group] = {};
      for (const [name, [method, path, takes]] of Object.entries(methods)) {
        this[group][name] = (...args) => this.#operate(method, path, takes, args);
        if (takes.paged) this[group][`${name}All`] = (...args) => this.#pages(method, path, takes, args);
      }
    }
  }

  /** One call, for what has no method here. */
  async request(method, path, { body, query, headers = {}, signal, repeatable = method === "GET" } = {}) {
    const url = new URL(this.#baseUrl + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const sent = { authorization: `Bearer ${this.#apiKey}`, accept: "application/json", ...headers };
    if (body !== undefined) sent["content-type"] = "application/json";
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (let attempt = 0; ; attempt += 1) {
      const last = !repeatable || attempt >= this.#retries;
      const limit = AbortSignal.timeout(this.#timeoutMs);
      let status, found;
      try {
        const answer = await this.#fetch(url, {
          method,
          headers: sent,
          body: text,
          redirect: "error",
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
        });
        status = answer.status;
        const said = await answer.text();
        found = said === "" ? undefined : JSON.parse(said);
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        if (last) throw new ConnectionError(`${method} ${path}: no usable answer came`, { cause });
        await pause(attempt);
        continue;
      }
      if (status >= 200 && status < 300) return found;
      if (last || ![429, 502, 503, 504].includes(status)) throw problemOf(status, found);
      await pause(attempt);
    }
  }

  #operate(method, path, takes, args) {
    const rest = [...args];
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
      const id = rest.shift();
      if (typeof id !== "string" || id === "") throw new KassaError(`${name} is missing`);
      return encodeURIComponent(id);
    });
    const body = takes.body ? rest.shift() ?? {} : undefined;
    const query = takes.query ? rest.shift() : undefined;
    const options = rest.shift() ?? {};
    const headers = {};
    if (takes.keyed) headers["idempotency-key"] = options.idempotencyKey ?? globalThis.crypto.randomUUID();
    if (takes.waits && options.waitSeconds !== undefined) {
      headers.prefer = options.waitSeconds === 0 ? "respond-async" : `wait=${options.waitSeconds}`;
    }
    // Under a key a repeat is recognised as one; so is the confirmation of the same token.
    const repeatable = method === "GET" || Boolean(takes.keyed) || path.endsWith("/confirm");
    return this.request(method, filled, { body, query, headers, signal: options.signal, repeatable });
  }

  async *#pages(method, path, takes, args) {
    const ids = (path.match(/\{/g) ?? []).length;
    const query = { ...args[ids] };
    for (;;) {
      const page = await this.#operate(method, path, takes, [...args.slice(0, ids), query, ...args.slice(ids + 1)]);
      yield* page.data;
      // An order that goes on for ever says where it stands even when there is nothing more yet.
      if (!page.next_cursor || page.data.length === 0) return;
      query.cursor = page.next_cursor;
    }
  }
}

function pause(attempt) {
  const most = 250 * 2 ** attempt;
  return new Promise((resolve) => setTimeout(resolve, most / 2 + Math.random() * (most / 2)));
}
