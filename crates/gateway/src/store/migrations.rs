//! The gateway's tables, as a list that only grows.

use storage::Migration;

use super::accounts;

/// Every migration, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, ..storage::queue::MIGRATION },
    Migration {
        version: 2,
        name: "first floor",
        sql: "
CREATE TABLE stores (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE TABLE dashboard_sessions (
    digest TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    csrf_token TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

CREATE TABLE checkouts (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    merchant_reference TEXT NOT NULL,
    poll_at_ms BIGINT,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX checkouts_by_poll_at ON checkouts (poll_at_ms);
CREATE INDEX checkouts_by_status ON checkouts (status, updated_at_ms);

CREATE TABLE operations (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    checkout_id TEXT NOT NULL,
    payment_id TEXT,
    dedupe TEXT NOT NULL UNIQUE,
    authorization_token TEXT,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX operations_by_checkout ON operations (checkout_id, created_at_ms);
CREATE INDEX operations_by_payment ON operations (payment_id, created_at_ms);
CREATE INDEX operations_by_state ON operations (store_id, state, created_at_ms);

CREATE TABLE attempts (
    operation_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    document TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (operation_id, number)
);

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE,
    klarna_order_id TEXT NOT NULL UNIQUE,
    klarna_reference TEXT,
    merchant_reference TEXT NOT NULL,
    status TEXT NOT NULL,
    fraud_status TEXT NOT NULL,
    currency TEXT NOT NULL,
    authorized_minor BIGINT NOT NULL,
    captured_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    remaining_minor BIGINT NOT NULL,
    check_at_ms BIGINT,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX payments_by_time ON payments (store_id, created_at_ms, id);
CREATE INDEX payments_by_status ON payments (store_id, status, created_at_ms, id);
CREATE INDEX payments_by_reference ON payments (store_id, merchant_reference);
CREATE INDEX payments_by_klarna_reference ON payments (store_id, klarna_reference);
CREATE INDEX payments_by_check_at ON payments (check_at_ms);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    type TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX events_by_subject ON events (subject_id, version, id);

CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    checkout_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    times BIGINT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    UNIQUE (checkout_id, kind, body_digest)
);

CREATE TABLE answers (
    store_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    owner TEXT NOT NULL,
    owned_until_ms BIGINT NOT NULL,
    operation_id TEXT,
    status BIGINT,
    body TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (store_id, idempotency_key)
);
CREATE INDEX answers_by_time ON answers (created_at_ms);
",
    },
    super::nodes::MIGRATION,
    accounts::MIGRATION,
    super::policies::MIGRATION,
    super::events::MIGRATION,
    super::webhooks::MIGRATION,
    super::streams::MIGRATION,
    super::keys::MIGRATION,
    super::audit::MIGRATION,
    super::users::MIGRATION,
    super::customers::MIGRATION,
    super::reread::MIGRATION,
    super::erasures::MIGRATION,
    super::figures::MIGRATION,
    super::readings::MIGRATION,
    super::payouts::MIGRATION,
    super::disputes::MIGRATION,
    super::search::MIGRATION,
    super::views::MIGRATION,
    super::events::TRACES,
    super::identities::MIGRATION,
];
