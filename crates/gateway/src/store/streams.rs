//! Tokens that let a browser watch one checkout or payment for a while. Kept as digests only.

use storage::{Migration, Tx};

use crate::fault::Fault;

/// The table.
pub const MIGRATION: Migration = Migration {
    version: 52,
    name: "stream tokens",
    sql: "
CREATE TABLE stream_tokens (
    digest TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX stream_tokens_by_subject ON stream_tokens (subject_id, expires_at_ms);
",
};

/// What a token lets its holder watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is.
    pub store_id: String,
    /// The one checkout or payment.
    pub subject_id: String,
    /// When it ends.
    pub expires_at_ms: i64,
}

/// Keeps a token, and forgets those of the same subject that are over.
pub fn insert(tx: &mut Tx<'_>, digest: &str, grant: &Grant, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM stream_tokens WHERE subject_id = $1 AND expires_at_ms <= $2",
        &[&grant.subject_id, &now_ms],
    )?;
    tx.execute(
        "INSERT INTO stream_tokens (digest, store_id, subject_id, expires_at_ms)
         VALUES ($1, $2, $3, $4)",
        &[&digest, &grant.store_id, &grant.subject_id, &grant.expires_at_ms],
    )?;
    Ok(())
}

/// What a token of that digest allows, unless it is over.
pub fn find(tx: &mut Tx<'_>, digest: &str, now_ms: i64) -> Result<Option<Grant>, Fault> {
    let row = tx.query_opt(
        "SELECT store_id, subject_id, expires_at_ms FROM stream_tokens
         WHERE digest = $1 AND expires_at_ms > $2",
        &[&digest, &now_ms],
    )?;
    row.map(|row| {
        Ok(Grant { store_id: row.get(0)?, subject_id: row.get(1)?, expires_at_ms: row.get(2)? })
    })
    .transpose()
}

/// How many tokens of a subject are valid.
pub fn count(tx: &mut Tx<'_>, subject_id: &str, now_ms: i64) -> Result<i64, Fault> {
    Ok(tx
        .query_one(
            "SELECT COUNT(*) FROM stream_tokens WHERE subject_id = $1 AND expires_at_ms > $2",
            &[&subject_id, &now_ms],
        )?
        .get(0)?)
}

/// Forgets tokens that are over.
pub fn forget(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute("DELETE FROM stream_tokens WHERE expires_at_ms <= $1", &[&now_ms])?)
}
