// Made by `cargo xtask clients` from the API's description. Not to be changed by hand.

/** Each operation: method, path, and what it takes. */
export const operations = {
  apiKeys: {
    create: ["POST", "/v1/api_keys", { body: true, keyed: true }],
    list: ["GET", "/v1/api_keys", { query: true, paged: true }],
    read: ["GET", "/v1/api_keys/{id}", {}],
    revoke: ["POST", "/v1/api_keys/{id}/revoke", {}],
    rotate: ["POST", "/v1/api_keys/{id}/rotate", { body: true, keyed: true }],
  },
  auditLog: {
    list: ["GET", "/v1/audit_log", { query: true, paged: true }],
  },
  checkouts: {
    cancel: ["POST", "/v1/checkouts/{id}/cancel", {}],
    confirm: ["POST", "/v1/checkouts/{id}/confirm", { body: true, waits: true }],
    create: ["POST", "/v1/checkouts", { body: true, keyed: true }],
    read: ["GET", "/v1/checkouts/{id}", {}],
    streamToken: ["POST", "/v1/checkouts/{id}/stream_tokens", {}],
    update: ["POST", "/v1/checkouts/{id}", { body: true }],
  },
  events: {
    list: ["GET", "/v1/events", { query: true, paged: true }],
    read: ["GET", "/v1/events/{id}", {}],
  },
  expiryPolicy: {
    read: ["GET", "/v1/expiry-policy", {}],
    replace: ["PUT", "/v1/expiry-policy", { body: true }],
  },
  operations: {
    list: ["GET", "/v1/operations", { query: true, paged: true }],
    look: ["POST", "/v1/operations/{id}/look", { body: true }],
    read: ["GET", "/v1/operations/{id}", {}],
    resume: ["POST", "/v1/operations/{id}/resume", { body: true }],
    settle: ["POST", "/v1/operations/{id}/settle", { body: true }],
  },
  payments: {
    acknowledge: ["POST", "/v1/payments/{id}/acknowledge", { keyed: true, waits: true }],
    cancel: ["POST", "/v1/payments/{id}/cancel", { keyed: true, waits: true }],
    capture: ["POST", "/v1/payments/{id}/captures", { body: true, keyed: true, waits: true }],
    captureDueDateOptions: ["GET", "/v1/payments/{id}/captures/{capture_id}/due-date-options", {}],
    captureExtendDueDate: ["POST", "/v1/payments/{id}/captures/{capture_id}/due-date", { body: true, keyed: true, waits: true }],
    captureResendCommunication: ["POST", "/v1/payments/{id}/captures/{capture_id}/resend-communication", { keyed: true, waits: true }],
    captureShippingInfo: ["POST", "/v1/payments/{id}/captures/{capture_id}/shipping-info", { body: true, keyed: true, waits: true }],
    customer: ["POST", "/v1/payments/{id}/customer-details", { body: true, keyed: true, waits: true }],
    events: ["GET", "/v1/payments/{id}/events", {}],
    extend: ["POST", "/v1/payments/{id}/authorization/extend", { keyed: true, waits: true }],
    list: ["GET", "/v1/payments", { query: true, paged: true }],
    read: ["GET", "/v1/payments/{id}", {}],
    references: ["POST", "/v1/payments/{id}/merchant-references", { body: true, keyed: true, waits: true }],
    refund: ["POST", "/v1/payments/{id}/refunds", { body: true, keyed: true, waits: true }],
    release: ["POST", "/v1/payments/{id}/release", { keyed: true, waits: true }],
    shippingInfo: ["POST", "/v1/payments/{id}/shipping-info", { body: true, keyed: true, waits: true }],
    streamToken: ["POST", "/v1/payments/{id}/stream_tokens", {}],
    update: ["POST", "/v1/payments/{id}/authorization", { body: true, keyed: true, waits: true }],
  },
  public: {
    confirm: ["POST", "/v1/public/checkouts/{id}/confirm", { body: true, waits: true }],
    read: ["GET", "/v1/public/checkouts/{id}", {}],
  },
  webhookDeliveries: {
    list: ["GET", "/v1/webhook_deliveries", { query: true, paged: true }],
    read: ["GET", "/v1/webhook_deliveries/{id}", {}],
    replay: ["POST", "/v1/webhook_deliveries/{id}/replay", { keyed: true }],
  },
  webhookEndpoints: {
    create: ["POST", "/v1/webhook_endpoints", { body: true, keyed: true }],
    delete: ["DELETE", "/v1/webhook_endpoints/{id}", {}],
    disable: ["POST", "/v1/webhook_endpoints/{id}/disable", { keyed: true }],
    enable: ["POST", "/v1/webhook_endpoints/{id}/enable", { keyed: true }],
    list: ["GET", "/v1/webhook_endpoints", {}],
    read: ["GET", "/v1/webhook_endpoints/{id}", {}],
    replay: ["POST", "/v1/webhook_endpoints/{id}/replay", { body: true, keyed: true }],
    rotate: ["POST", "/v1/webhook_endpoints/{id}/rotate", { body: true, keyed: true }],
    test: ["POST", "/v1/webhook_endpoints/{id}/test", { keyed: true }],
    update: ["POST", "/v1/webhook_endpoints/{id}", { body: true, keyed: true }],
  },
};
