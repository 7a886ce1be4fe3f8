//! What a database that was put back must ask Klarna again before it is believed: every payment that
//! may have changed since the copy was taken, and every operation that may have been carried out.

use storage::{Migration, Tx};

use super::{operations, read_document};
use crate::domain::journal::Operation;
use crate::domain::payment::Payment;
use crate::fault::Fault;

/// Since when a payment waits to be read.
pub const MIGRATION: Migration = Migration {
    version: 70,
    name: "payments to be read again",
    sql: "
ALTER TABLE payments ADD COLUMN reread_since_ms BIGINT;
CREATE INDEX payments_to_reread ON payments (reread_since_ms) WHERE reread_since_ms IS NOT NULL;
",
};

/// How far the version of such a payment leaps when it was read: farther than it can have come in the
/// time that is lost, so that no event of its new history has the id of one that was told before.
pub const LEAP: i64 = 1_000_000;

/// Has every payment read again that money may have moved of since. What was cancelled or lapsed
/// without a capture stays as it is. Answers how many there are.
pub fn want_all(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute(
        "UPDATE payments SET reread_since_ms = $1, check_at_ms = $1, expiry_look_at_ms = NULL
         WHERE captured_minor > 0 OR status NOT IN ('cancelled', 'expired')",
        &[&now_ms],
    )?)
}

/// Whether a payment waits to be read.
pub fn is_wanted(tx: &mut Tx<'_>, payment_id: &str) -> Result<bool, Fault> {
    let row = tx.query_opt("SELECT reread_since_ms FROM payments WHERE id = $1", &[&payment_id])?;
    match row {
        Some(row) => Ok(row.get::<Option<i64>>(0)?.is_some()),
        None => Ok(false),
    }
}

/// A payment was read: it may be acted upon again once it is written in this unit of work.
pub fn done(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<(), Fault> {
    tx.execute(
        "UPDATE payments SET reread_since_ms = NULL, version = version + $2 WHERE id = $1",
        &[&payment.id, &LEAP],
    )?;
    payment.version += LEAP;
    Ok(())
}

/// How many payments wait to be read.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    Ok(tx
        .query_one("SELECT COUNT(*) FROM payments WHERE reread_since_ms IS NOT NULL", &[])?
        .get(0)?)
}

/// Takes every operation that is not settled for one whose answer was lost: Klarna may have been asked
/// in the time that is lost. Answers how many of them there are from `after` on, and where the next
/// batch begins.
pub fn doubt(
    tx: &mut Tx<'_>,
    after: &str,
    limit: i64,
    now_ms: i64,
) -> Result<(u64, Option<String>), Fault> {
    let rows = tx.query(
        "SELECT document FROM operations
         WHERE state IN ('queued', 'running', 'in_doubt', 'needs_attention') AND id > $1
         ORDER BY id LIMIT $2",
        &[&after, &limit],
    )?;
    let (mut count, mut last) = (0, None);
    for row in &rows {
        let mut operation: Operation = read_document("operation", row.get(0)?)?;
        operation.doubt_everything(now_ms);
        operations::update(tx, &mut operation)?;
        count += 1;
        last = Some(operation.id);
    }
    Ok((count, last))
}

/// Has open checkouts looked at, whose callbacks went to a gateway that is gone.
pub fn look_at_checkouts(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute(
        "UPDATE checkouts SET poll_at_ms = $1 WHERE status IN ('open', 'declined')",
        &[&now_ms],
    )?)
}

/// Signs everybody out: who signed out since would be signed in again. Answers how many sessions of
/// people there were.
pub fn sign_everybody_out(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    tx.execute("DELETE FROM stream_tokens", &[])?;
    tx.execute("DELETE FROM nodes", &[])?;
    Ok(tx.execute("DELETE FROM user_sessions", &[])?)
}

/// Keeps that the database was put back now.
pub fn note(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO store_policies (store_id, name, document, updated_at_ms)
         VALUES ('', 'restored', '{}', $1)
         ON CONFLICT (store_id, name) DO UPDATE SET updated_at_ms = $1",
        &[&now_ms],
    )?;
    Ok(())
}

/// Whether what was due then may have been done by a gateway whose journal is lost.
pub fn may_be_lost(tx: &mut Tx<'_>, due_at_ms: i64) -> Result<bool, Fault> {
    let row = tx.query_opt(
        "SELECT updated_at_ms FROM store_policies WHERE store_id = '' AND name = 'restored'",
        &[],
    )?;
    match row {
        Some(row) => Ok(due_at_ms < row.get::<i64>(0)?),
        None => Ok(false),
    }
}

/// When the last thing happened that the database knows of.
pub fn newest_event_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MAX(created_at_ms) FROM events", &[])?.get(0)?)
}

/// Every store.
pub fn stores(tx: &mut Tx<'_>) -> Result<Vec<String>, Fault> {
    tx.query("SELECT id FROM stores ORDER BY id", &[])?.iter().map(|row| Ok(row.get(0)?)).collect()
}
