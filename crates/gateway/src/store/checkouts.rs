//! Checkout rows.

use storage::{Row, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::checkout::Checkout;
use crate::fault::Fault;

fn from_row(row: &Row) -> Result<Checkout, Fault> {
    read_document("checkout", row.get(0)?)
}

/// The checkout of that id, whichever store it belongs to: for the engine and for callbacks.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Checkout>, Fault> {
    tx.query_opt("SELECT document FROM checkouts WHERE id = $1", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The checkout of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Checkout>, Fault> {
    Ok(get(tx, id)?.filter(|checkout| checkout.store_id == store_id))
}

/// The checkout of that id, to be changed in this unit of work.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Checkout>, Fault> {
    tx.query_opt("SELECT document FROM checkouts WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// Adds a checkout.
pub fn insert(tx: &mut Tx<'_>, checkout: &Checkout, poll_at_ms: Option<i64>) -> Result<(), Fault> {
    let document = write_document("checkout", checkout)?;
    tx.execute(
        "INSERT INTO checkouts (id, store_id, version, status, merchant_reference, poll_at_ms,
                                document, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &checkout.id,
            &checkout.store_id,
            &checkout.version,
            &checkout.status.name(),
            &checkout.cart.merchant_reference,
            &poll_at_ms,
            &document,
            &checkout.created_at_ms,
            &checkout.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// Writes a changed checkout: counts its version up and keeps the time.
pub fn update(
    tx: &mut Tx<'_>,
    checkout: &mut Checkout,
    poll_at_ms: Option<i64>,
    now_ms: i64,
) -> Result<(), Fault> {
    let read_at = checkout.version;
    checkout.version += 1;
    checkout.updated_at_ms = now_ms;
    let document = write_document("checkout", checkout)?;
    let changed = tx.execute(
        "UPDATE checkouts SET version = $2, status = $3, merchant_reference = $4, poll_at_ms = $5,
                              document = $6, updated_at_ms = $7
         WHERE id = $1 AND version = $8",
        &[
            &checkout.id,
            &checkout.version,
            &checkout.status.name(),
            &checkout.cart.merchant_reference,
            &poll_at_ms,
            &document,
            &checkout.updated_at_ms,
            &read_at,
        ],
    )?;
    expect_one(changed, "checkout", &checkout.id)
}

/// Moves the next look at a checkout, and nothing else.
pub fn set_poll_at(tx: &mut Tx<'_>, id: &str, poll_at_ms: Option<i64>) -> Result<(), Fault> {
    tx.execute("UPDATE checkouts SET poll_at_ms = $2 WHERE id = $1", &[&id, &poll_at_ms])?;
    Ok(())
}

/// When the next look at any checkout is due.
pub fn next_poll_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MIN(poll_at_ms) FROM checkouts", &[])?.get(0)?)
}

/// Checkouts that Klarna should be asked about by now.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Checkout>, Fault> {
    tx.query(
        "SELECT document FROM checkouts WHERE poll_at_ms <= $1 ORDER BY poll_at_ms LIMIT $2
         {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Brings the next look at recently active checkouts forward to now: a process that was away may
/// have missed their callbacks.
pub fn look_at_recent(tx: &mut Tx<'_>, since_ms: i64, now_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute(
        "UPDATE checkouts SET poll_at_ms = $2
         WHERE status IN ('open', 'declined') AND updated_at_ms >= $1 AND poll_at_ms > $2",
        &[&since_ms, &now_ms],
    )?)
}
