//! The audit history: what happened to each checkout and payment, written in the transaction that
//! made it happen.

use serde::{Deserialize, Serialize};
use storage::{Row, Tx};

use super::write_document;
use crate::domain::idempotency;
use crate::domain::journal::Operation;
use crate::fault::Fault;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Derived from subject, version and type: the same fact has the same id.
    pub id: String,
    /// The checkout or payment it happened to.
    pub subject_id: String,
    /// The version of the subject that it led to.
    pub version: i64,
    /// What happened, such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// More about it. No secret and no personal datum is in it.
    pub data: serde_json::Value,
    /// When.
    pub created_at_ms: i64,
}

/// Appends an event. The same event again changes nothing.
pub fn append(
    tx: &mut Tx<'_>,
    store_id: &str,
    subject: (&str, i64),
    kind: &str,
    data: &serde_json::Value,
    now_ms: i64,
) -> Result<(), Fault> {
    let (subject_id, version) = subject;
    let id = idempotency::event_id(subject_id, version, kind);
    let document = write_document("event", data)?;
    tx.execute(
        "INSERT INTO events (id, store_id, subject_id, version, type, document, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &[&id, &store_id, &subject_id, &version, &kind, &document, &now_ms],
    )?;
    Ok(())
}

/// Appends an event about an operation to the history of what the operation is about.
pub fn append_about_operation(
    tx: &mut Tx<'_>,
    operation: &Operation,
    subject: (&str, i64),
    kind: &str,
    data: &serde_json::Value,
) -> Result<(), Fault> {
    let (subject_id, version) = subject;
    let id = idempotency::event_id(&operation.id, operation.version, kind);
    let document = write_document("event", data)?;
    tx.execute(
        "INSERT INTO events (id, store_id, subject_id, version, type, document, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &[
            &id,
            &operation.store_id,
            &subject_id,
            &version,
            &kind,
            &document,
            &operation.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// Who settled an operation, if a person did.
pub fn settlement(tx: &mut Tx<'_>, operation: &Operation) -> Result<Option<Event>, Fault> {
    let id = idempotency::event_id(&operation.id, operation.version, "operation.settled");
    tx.query_opt(
        "SELECT id, subject_id, version, type, document, created_at_ms FROM events WHERE id = $1",
        &[&id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

fn from_row(row: &Row) -> Result<Event, Fault> {
    Ok(Event {
        id: row.get(0)?,
        subject_id: row.get(1)?,
        version: row.get(2)?,
        kind: row.get(3)?,
        data: super::read_document("event", row.get(4)?)?,
        created_at_ms: row.get(5)?,
    })
}

/// What happened to a checkout or payment, oldest first.
pub fn of_subject(tx: &mut Tx<'_>, subject_id: &str) -> Result<Vec<Event>, Fault> {
    tx.query(
        "SELECT id, subject_id, version, type, document, created_at_ms FROM events
         WHERE subject_id = $1 ORDER BY version, created_at_ms, id",
        &[&subject_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}
