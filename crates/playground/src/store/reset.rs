//! Forgetting everything: what `POST /playground/v1/reset` asks for.

use storage::Tx;

use crate::store::StoreError;

/// Empties all tables but the playground's own settings. Merchants are seeded again by the caller.
pub(crate) fn forget_everything(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for statement in STATEMENTS {
        tx.execute(statement, &[])?;
    }
    Ok(())
}

/// Each owner's tables, dependants first.
const STATEMENTS: &[&str] = &[
    "DELETE FROM idempotent_answers",
    "DELETE FROM faults",
    "DELETE FROM callback_attempts",
    "DELETE FROM callback_deliveries",
    "DELETE FROM work_items",
    "DELETE FROM settlement_holds",
    "DELETE FROM settlement_payouts",
    "DELETE FROM settlement_accounts",
    "DELETE FROM settlement_postings",
    "DELETE FROM order_events",
    "DELETE FROM orders",
    "DELETE FROM customer_token_step_ups",
    "DELETE FROM dispute_files",
    "DELETE FROM dispute_events",
    "DELETE FROM disputes",
    "DELETE FROM dispute_accounts",
    "DELETE FROM customer_token_events",
    "DELETE FROM customer_tokens",
    "DELETE FROM payment_request_events",
    "DELETE FROM payment_requests",
    "DELETE FROM hosted_page_events",
    "DELETE FROM hosted_pages",
    "DELETE FROM flow_events",
    "DELETE FROM flows",
    "DELETE FROM outbox_messages",
    "DELETE FROM short_codes",
    "DELETE FROM distribution_events",
    "DELETE FROM distributions",
    "DELETE FROM session_events",
    "DELETE FROM authorizations",
    "DELETE FROM sessions",
    "DELETE FROM identity_tokens",
    "DELETE FROM identity_codes",
    "DELETE FROM identity_grants",
    "DELETE FROM identity_consents",
    "DELETE FROM identity_interactions",
    "DELETE FROM identity_sessions",
    "DELETE FROM sftp_deliveries",
    "DELETE FROM sftp_folders",
    "DELETE FROM sftp_keys",
    "DELETE FROM sftp_accounts",
    "DELETE FROM client_identifiers",
    "DELETE FROM credentials",
    "DELETE FROM merchants",
    "DELETE FROM settings WHERE name = 'clock_offset_ms'",
];
