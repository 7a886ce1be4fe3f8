//! What a store wants done by itself.

use storage::{Migration, Tx};

use super::{read_document, write_document};
use crate::domain::erasure::Retention;
use crate::domain::expiry::Policy;
use crate::fault::Fault;

/// The table of policies, and when the calendar of a payment's expiry is to be looked at.
pub const MIGRATION: Migration = Migration {
    version: 30,
    name: "expiry of authorisations",
    sql: "
CREATE TABLE store_policies (
    store_id TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (store_id, name)
);

ALTER TABLE payments ADD COLUMN expiry_look_at_ms BIGINT;
UPDATE payments SET expiry_look_at_ms = 0 WHERE status IN ('authorized', 'part_captured');
CREATE INDEX payments_by_expiry_look ON payments (expiry_look_at_ms);
",
};

const EXPIRY: &str = "expiry";
const RETENTION: &str = "retention";

/// What a store wants done about authorisations that are about to lapse.
pub fn expiry(tx: &mut Tx<'_>, store_id: &str) -> Result<Policy, Fault> {
    let row = tx.query_opt(
        "SELECT document FROM store_policies WHERE store_id = $1 AND name = $2",
        &[&store_id, &EXPIRY],
    )?;
    match row {
        Some(row) => read_document("policy", row.get(0)?),
        None => Ok(Policy::default()),
    }
}

/// Keeps what a store wants, and has the calendars of its open payments drawn up anew.
pub fn set_expiry(
    tx: &mut Tx<'_>,
    store_id: &str,
    policy: &Policy,
    now_ms: i64,
) -> Result<(), Fault> {
    let document = write_document("policy", policy)?;
    tx.execute(
        "INSERT INTO store_policies (store_id, name, document, updated_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (store_id, name) DO UPDATE SET document = $3, updated_at_ms = $4",
        &[&store_id, &EXPIRY, &document, &now_ms],
    )?;
    tx.execute(
        "UPDATE payments SET expiry_look_at_ms = $2
         WHERE store_id = $1 AND status IN ('authorized', 'part_captured')",
        &[&store_id, &now_ms],
    )?;
    Ok(())
}

/// How long a store keeps what it knows of people.
pub fn retention(tx: &mut Tx<'_>, store_id: &str) -> Result<Retention, Fault> {
    let row = tx.query_opt(
        "SELECT document FROM store_policies WHERE store_id = $1 AND name = $2",
        &[&store_id, &RETENTION],
    )?;
    match row {
        Some(row) => read_document("policy", row.get(0)?),
        None => Ok(Retention::default()),
    }
}

/// Keeps how long a store wants to know people.
pub fn set_retention(
    tx: &mut Tx<'_>,
    store_id: &str,
    policy: &Retention,
    now_ms: i64,
) -> Result<(), Fault> {
    let document = write_document("policy", policy)?;
    tx.execute(
        "INSERT INTO store_policies (store_id, name, document, updated_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (store_id, name) DO UPDATE SET document = $3, updated_at_ms = $4",
        &[&store_id, &RETENTION, &document, &now_ms],
    )?;
    Ok(())
}

/// Every store that has said how long.
pub fn retentions(tx: &mut Tx<'_>) -> Result<Vec<(String, Retention)>, Fault> {
    tx.query(
        "SELECT store_id, document FROM store_policies WHERE name = $1 ORDER BY store_id",
        &[&RETENTION],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, read_document("policy", row.get(1)?)?)))
    .collect()
}
