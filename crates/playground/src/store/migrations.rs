//! All tables, in the order in which they are made. Each owner's SQL stands beside its queries.

use storage::Migration;

use crate::store::{
    callbacks, client_ids, customer_tokens, disputes, faults, flows, hosted_pages, idempotency,
    identity, in_store, merchants, orders, outbox, payment_requests, purge, sessions, settlements,
    sftp,
};

/// The playground's schema.
pub(crate) const MIGRATIONS: &[Migration] = &[
    storage::queue::MIGRATION,
    merchants::MIGRATION,
    sessions::MIGRATION,
    callbacks::MIGRATION,
    idempotency::MIGRATION,
    orders::MIGRATION,
    flows::MIGRATION,
    customer_tokens::MIGRATION,
    purge::MIGRATION,
    callbacks::BY_TIME,
    callbacks::HEADERS,
    callbacks::FAULTS,
    faults::MIGRATION,
    customer_tokens::CHARGES,
    hosted_pages::MIGRATION,
    in_store::MIGRATION,
    outbox::MIGRATION,
    settlements::MIGRATION,
    disputes::MIGRATION,
    sftp::MIGRATION,
    client_ids::MIGRATION,
    identity::MIGRATION,
    payment_requests::MIGRATION,
    payment_requests::DUE,
];
