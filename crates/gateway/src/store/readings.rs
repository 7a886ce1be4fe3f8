//! How far each account's payouts and disputes are read, and when to go on.

use storage::{Migration, Row, Tx};

use super::{read_document, write_document};
use crate::domain::reading::{Kind, Progress};
use crate::fault::Fault;

/// The table of readings.
pub const MIGRATION: Migration = Migration {
    version: 76,
    name: "readings of Klarna's books",
    sql: "
CREATE TABLE readings (
    store_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (store_id, account_id, kind)
);
CREATE INDEX readings_by_due_at ON readings (due_at_ms);
",
};

/// Whose books of which kind are read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The store.
    pub store_id: String,
    /// The account.
    pub account_id: String,
    /// What is read.
    pub kind: Kind,
}

fn place_of(row: &Row) -> Result<Option<Place>, Fault> {
    let Some(kind) = Kind::from_name(row.get(2)?) else { return Ok(None) };
    Ok(Some(Place { store_id: row.get(0)?, account_id: row.get(1)?, kind }))
}

/// Begins a reading, unless it was begun before.
pub fn begin(tx: &mut Tx<'_>, place: &Place, now_ms: i64) -> Result<(), Fault> {
    let document = write_document("reading", &Progress::begin(now_ms))?;
    tx.execute(
        "INSERT INTO readings (store_id, account_id, kind, due_at_ms, document)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (store_id, account_id, kind) DO NOTHING",
        &[&place.store_id, &place.account_id, &place.kind.name(), &now_ms, &document],
    )?;
    Ok(())
}

/// How far a reading is.
pub fn progress(tx: &mut Tx<'_>, place: &Place) -> Result<Option<Progress>, Fault> {
    tx.query_opt(
        "SELECT document FROM readings WHERE store_id = $1 AND account_id = $2 AND kind = $3",
        &[&place.store_id, &place.account_id, &place.kind.name()],
    )?
    .map(|row| read_document("reading", row.get(0)?))
    .transpose()
}

/// Writes how far a reading is, and when to go on.
pub fn keep(
    tx: &mut Tx<'_>,
    place: &Place,
    progress: &Progress,
    due_at_ms: i64,
) -> Result<(), Fault> {
    let document = write_document("reading", progress)?;
    tx.execute(
        "UPDATE readings SET document = $4, due_at_ms = $5
         WHERE store_id = $1 AND account_id = $2 AND kind = $3",
        &[&place.store_id, &place.account_id, &place.kind.name(), &document, &due_at_ms],
    )?;
    Ok(())
}

/// Moves when to go on, and nothing else.
pub fn set_due(tx: &mut Tx<'_>, place: &Place, due_at_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE readings SET due_at_ms = $4
         WHERE store_id = $1 AND account_id = $2 AND kind = $3",
        &[&place.store_id, &place.account_id, &place.kind.name(), &due_at_ms],
    )?;
    Ok(())
}

/// When the next reading is due.
pub fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MIN(due_at_ms) FROM readings", &[])?.get(0)?)
}

/// Readings that are due by now.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Place>, Fault> {
    let rows = tx.query(
        "SELECT store_id, account_id, kind FROM readings WHERE due_at_ms <= $1
         ORDER BY due_at_ms LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?;
    rows.iter().filter_map(|row| place_of(row).transpose()).collect()
}

/// The readings of a store, and how far they are.
pub fn of_store(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<(Place, Progress)>, Fault> {
    let rows = tx.query(
        "SELECT store_id, account_id, kind, document FROM readings WHERE store_id = $1
         ORDER BY account_id, kind",
        &[&store_id],
    )?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(place) = place_of(row)? {
            found.push((place, read_document("reading", row.get(3)?)?));
        }
    }
    Ok(found)
}
