//! Receipts of Klarna's callbacks: that one came, how often, and nothing that it claimed.

use storage::Tx;

use crate::fault::Fault;

/// Keeps that a callback came. A repeat of the same body only counts up.
pub fn record(
    tx: &mut Tx<'_>,
    id: &str,
    store_id: &str,
    checkout_id: &str,
    kind: &str,
    body_digest: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO receipts (id, store_id, checkout_id, kind, body_digest, times, first_at_ms,
                               last_at_ms)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
         ON CONFLICT (checkout_id, kind, body_digest)
         DO UPDATE SET times = receipts.times + 1, last_at_ms = $6",
        &[&id, &store_id, &checkout_id, &kind, &body_digest, &now_ms],
    )?;
    Ok(())
}

/// How many different callbacks of a kind came for a checkout. Bounded by the caller, so that a
/// leaked URL cannot fill the disk.
pub fn count(tx: &mut Tx<'_>, checkout_id: &str) -> Result<i64, Fault> {
    Ok(tx
        .query_one("SELECT COUNT(*) FROM receipts WHERE checkout_id = $1", &[&checkout_id])?
        .get(0)?)
}
