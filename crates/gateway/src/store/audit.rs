//! The audit log: who did what. It only grows; nothing here changes or removes a row.
//!
//! Kept in the unit of work of the change where there is one. No secret and no personal datum of a
//! shopper is in it; people of the merchant's stand in it by their user names.

use serde_json::Value;
use storage::{Migration, Row, Tx};

use super::{read_document, write_document};
use crate::fault::Fault;

/// The table.
pub const MIGRATION: Migration = Migration {
    version: 61,
    name: "audit log",
    sql: "
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX audit_log_by_time ON audit_log (store_id, created_at_ms, id);
",
};

/// The longest subject that is kept.
const LONGEST_SUBJECT: usize = 200;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `user`, `api_key` or `system`.
    pub kind: &'static str,
    /// The id of the user or of the key.
    pub id: String,
    /// The user's or the key's name then.
    pub name: String,
}

impl Actor {
    /// A person in the dashboard.
    pub fn user(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: "user", id: id.into(), name: name.into() }
    }

    /// The gateway itself, or whoever runs it: by which of its parts.
    pub fn system(name: impl Into<String>) -> Self {
        Self { kind: "system", id: String::new(), name: name.into() }
    }

    /// A program with a key.
    pub fn api_key(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: "api_key", id: id.into(), name: name.into() }
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// `user`, `api_key` or `system`.
    pub actor_kind: String,
    /// The id of the user or of the key.
    pub actor_id: String,
    /// The user's or the key's name then.
    pub actor_name: String,
    /// What was done, such as `api_key.rotated`.
    pub action: String,
    /// To what: an id, or a path.
    pub subject: String,
    /// More about it.
    pub data: Value,
    /// When.
    pub created_at_ms: i64,
}

/// What is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// A fresh id. Drawn before the unit of work, which may be repeated.
    pub id: &'a str,
    /// In which store.
    pub store_id: &'a str,
    /// By whom.
    pub actor: &'a Actor,
    /// What.
    pub action: &'a str,
    /// To what.
    pub subject: &'a str,
}

/// Appends to the log.
pub fn append(tx: &mut Tx<'_>, deed: Deed<'_>, data: &Value, now_ms: i64) -> Result<(), Fault> {
    let document = write_document("audit entry", data)?;
    let subject: String = deed.subject.chars().take(LONGEST_SUBJECT).collect();
    tx.execute(
        "INSERT INTO audit_log (id, store_id, actor_kind, actor_id, actor_name, action, subject,
                                document, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &deed.id,
            &deed.store_id,
            &deed.actor.kind,
            &deed.actor.id,
            &deed.actor.name,
            &deed.action,
            &subject,
            &document,
            &now_ms,
        ],
    )?;
    Ok(())
}

fn from_row(row: &Row) -> Result<Entry, Fault> {
    Ok(Entry {
        id: row.get(0)?,
        actor_kind: row.get(1)?,
        actor_id: row.get(2)?,
        actor_name: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        data: read_document("audit entry", row.get(6)?)?,
        created_at_ms: row.get(7)?,
    })
}

/// A page of a store's log, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows = match before {
        None => tx.query(
            "SELECT id, actor_kind, actor_id, actor_name, action, subject, document, created_at_ms
             FROM audit_log WHERE store_id = $1
             ORDER BY created_at_ms DESC, id DESC LIMIT $2",
            &[&store_id, &limit],
        )?,
        Some((at_ms, id)) => tx.query(
            "SELECT id, actor_kind, actor_id, actor_name, action, subject, document, created_at_ms
             FROM audit_log WHERE store_id = $1
               AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4))
             ORDER BY created_at_ms DESC, id DESC LIMIT $2",
            &[&store_id, &limit, &at_ms, &id],
        )?,
    };
    rows.iter().map(from_row).collect()
}
