//! The nodes that share the database: each counts a number up for as long as it lives, and leaves
//! beside it what it knows of Klarna's accounts.

use serde::{Deserialize, Serialize};
use storage::{Migration, Tx};

use super::{read_document, write_document};
use crate::domain::gate;
use crate::fault::Fault;

/// The table of nodes.
pub const MIGRATION: Migration = Migration {
    version: 10,
    name: "nodes",
    sql: "
CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    beats BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    beat_at_ms BIGINT NOT NULL,
    document TEXT NOT NULL
);
",
};

/// One account as a node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account.
    pub account: String,
    /// Its gate.
    #[serde(flatten)]
    pub gate: gate::View,
}

/// What a node leaves beside its number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The program's version.
    #[serde(default)]
    pub version: String,
    /// Pieces of work under way.
    #[serde(default)]
    pub in_flight: u64,
    /// The accounts that it has asked lately.
    #[serde(default)]
    pub accounts: Vec<Account>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Who it is in leases.
    pub id: String,
    /// How often it has counted.
    pub beats: i64,
    /// When it started, by its own clock.
    pub started_at_ms: i64,
    /// When it last counted, by its own clock.
    pub beat_at_ms: i64,
    /// What it has left.
    pub notes: Notes,
}

/// Counts a node's number up. A node that was taken for dead begins anew.
pub fn beat(
    tx: &mut Tx<'_>,
    id: &str,
    started_at_ms: i64,
    now_ms: i64,
    notes: &Notes,
) -> Result<(), Fault> {
    let document = write_document("node", notes)?;
    tx.execute(
        "INSERT INTO nodes (id, beats, started_at_ms, beat_at_ms, document)
         VALUES ($1, 1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE
         SET beats = nodes.beats + 1, beat_at_ms = $3, document = $4",
        &[&id, &started_at_ms, &now_ms, &document],
    )?;
    Ok(())
}

/// Every node, by id.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Node>, Fault> {
    tx.query("SELECT id, beats, started_at_ms, beat_at_ms, document FROM nodes ORDER BY id", &[])?
        .iter()
        .map(|row| {
            Ok(Node {
                id: row.get(0)?,
                beats: row.get(1)?,
                started_at_ms: row.get(2)?,
                beat_at_ms: row.get(3)?,
                notes: read_document("node", row.get(4)?)?,
            })
        })
        .collect()
}

/// How many there are.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    Ok(tx.query_one("SELECT COUNT(*) FROM nodes", &[])?.get(0)?)
}

/// Removes a node whose number still stands where it stood; `false` if it counts after all.
pub fn remove(tx: &mut Tx<'_>, id: &str, beats: i64) -> Result<bool, Fault> {
    let removed = tx.execute("DELETE FROM nodes WHERE id = $1 AND beats = $2", &[&id, &beats])?;
    Ok(removed == 1)
}

/// A node says goodbye.
pub fn leave(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM nodes WHERE id = $1", &[&id])?;
    Ok(())
}
