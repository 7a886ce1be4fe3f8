//! The audit history: what happened to each checkout and payment, written in the transaction that
//! made it happen.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use storage::{Migration, Row, ToValue, Tx};

use super::{webhooks, write_document};
use crate::domain::idempotency;
use crate::domain::journal::Operation;
use crate::fault::Fault;
use crate::observe::trace;

/// The place of an event among those of its subject, and the index by which a store's events are
/// listed.
pub const MIGRATION: Migration = Migration {
    version: 50,
    name: "the order of events",
    sql: "
ALTER TABLE events ADD COLUMN position BIGINT;
CREATE TABLE event_places (
    subject_id TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);
CREATE INDEX events_by_time ON events (store_id, created_at_ms, id);
",
};

/// The call that an event follows from.
pub const TRACES: Migration = Migration {
    version: 85,
    name: "traces of events",
    sql: "ALTER TABLE events ADD COLUMN trace_parent TEXT",
};

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
    /// Its place among the events of its subject; 0 for those from before places were given out.
    #[serde(default)]
    pub position: i64,
}

/// An event as it is written.
struct Fresh<'a> {
    id: String,
    store_id: &'a str,
    subject_id: &'a str,
    version: i64,
    kind: &'a str,
    data: &'a serde_json::Value,
    now_ms: i64,
}

/// Appends an event, and has the store's webhooks tell of it. The same event again changes nothing.
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
    tell(tx, &Fresh { id, store_id, subject_id, version, kind, data, now_ms })
}

/// Appends an event that no webhook tells of by itself.
pub fn append_untold(
    tx: &mut Tx<'_>,
    store_id: &str,
    subject: (&str, i64),
    kind: &str,
    data: &serde_json::Value,
    now_ms: i64,
) -> Result<Event, Fault> {
    let (subject_id, version) = subject;
    let id = idempotency::event_id(subject_id, version, kind);
    let fresh = Fresh { id: id.clone(), store_id, subject_id, version, kind, data, now_ms };
    insert(tx, &fresh)?;
    get_in(tx, store_id, &id)?
        .ok_or_else(|| Fault::inconsistent("an event that was just written is not there"))
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
    let (store_id, now_ms) = (operation.store_id.as_str(), operation.updated_at_ms);
    tell(tx, &Fresh { id, store_id, subject_id, version, kind, data, now_ms })
}

/// Writes an event and has it told, once: where it was added and nowhere else.
fn tell(tx: &mut Tx<'_>, fresh: &Fresh<'_>) -> Result<(), Fault> {
    match insert(tx, fresh)? {
        Some(position) => webhooks::enqueue(
            tx,
            &webhooks::Told {
                id: &fresh.id,
                store_id: fresh.store_id,
                subject_id: fresh.subject_id,
                kind: fresh.kind,
                position,
                created_at_ms: fresh.now_ms,
            },
        ),
        None => Ok(()),
    }
}

/// Writes an event, and answers its place if it was not there already.
fn insert(tx: &mut Tx<'_>, fresh: &Fresh<'_>) -> Result<Option<i64>, Fault> {
    let document = write_document("event", fresh.data)?;
    let position = next_place(tx, fresh.subject_id)?;
    let added = tx.execute(
        "INSERT INTO events (id, store_id, subject_id, version, type, document, created_at_ms,
                             position, trace_parent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        &[
            &fresh.id,
            &fresh.store_id,
            &fresh.subject_id,
            &fresh.version,
            &fresh.kind,
            &document,
            &fresh.now_ms,
            &position,
            &trace::current(),
        ],
    )?;
    Ok((added == 1).then_some(position))
}

/// The call that an event follows from, in a trace.
pub fn trace_parent(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, Fault> {
    match tx.query_opt("SELECT trace_parent FROM events WHERE id = $1", &[&id])? {
        Some(row) => Ok(row.get(0)?),
        None => Ok(None),
    }
}

/// The next place among the events of a subject, by a counter of its own: it is written and never
/// only read, so that on PostgreSQL units that tell of different subjects do not make each other
/// repeat. An event that is there already leaves a gap, which harms nobody.
fn next_place(tx: &mut Tx<'_>, subject_id: &str) -> Result<i64, Fault> {
    let rows = tx.query(
        "INSERT INTO event_places (subject_id, last) VALUES ($1, 1)
         ON CONFLICT (subject_id) DO UPDATE SET last = event_places.last + 1 RETURNING last",
        &[&subject_id],
    )?;
    let row = rows.first().ok_or_else(|| Fault::inconsistent("a counter has no value"))?;
    Ok(row.get(0)?)
}

/// Who settled an operation, if a person did.
pub fn settlement(tx: &mut Tx<'_>, operation: &Operation) -> Result<Option<Event>, Fault> {
    let id = idempotency::event_id(&operation.id, operation.version, "operation.settled");
    tx.query_opt(
        "SELECT id, subject_id, version, type, document, created_at_ms, COALESCE(position, 0)
         FROM events WHERE id = $1",
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
        position: row.get(6)?,
    })
}

/// What happened to a checkout or payment, oldest first.
pub fn of_subject(tx: &mut Tx<'_>, subject_id: &str) -> Result<Vec<Event>, Fault> {
    tx.query(
        "SELECT id, subject_id, version, type, document, created_at_ms, COALESCE(position, 0)
         FROM events WHERE subject_id = $1
         ORDER BY COALESCE(position, 0), version, created_at_ms, id",
        &[&subject_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// What happened to a checkout or payment from a place on, oldest first.
pub fn of_subject_from(
    tx: &mut Tx<'_>,
    subject_id: &str,
    position: i64,
) -> Result<Vec<Event>, Fault> {
    tx.query(
        "SELECT id, subject_id, version, type, document, created_at_ms, COALESCE(position, 0)
         FROM events WHERE subject_id = $1 AND COALESCE(position, 0) >= $2
         ORDER BY COALESCE(position, 0), version, created_at_ms, id LIMIT 500",
        &[&subject_id, &position],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// The event of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Event>, Fault> {
    tx.query_opt(
        "SELECT id, subject_id, version, type, document, created_at_ms, COALESCE(position, 0)
         FROM events WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest event.
    #[default]
    NewestFirst,
    /// The oldest event.
    OldestFirst,
}

/// What a list of events is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this type; a name that ends in `.*` means all that begin so.
    pub kind: Option<String>,
    /// Only of this subject.
    pub subject_id: Option<String>,
    /// Only those from then on.
    pub from_ms: Option<i64>,
    /// Only those from before then.
    pub until_ms: Option<i64>,
    /// Which come first.
    pub order: Order,
    /// Only those behind this one, in that order: its time and id.
    pub after: Option<(i64, String)>,
}

/// Events of a store.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Event>, Fault> {
    let mut sql = String::from(
        "SELECT id, subject_id, version, type, document, created_at_ms, COALESCE(position, 0)
         FROM events WHERE store_id = $1",
    );
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    // The bounds of all names that begin so: `/` comes after `.`.
    let start = filter.kind.as_deref().and_then(|kind| kind.strip_suffix(".*"));
    let bounds = start.map(|start| (format!("{start}."), format!("{start}/")));
    // Writing to a String cannot fail.
    let mut narrow = |sql: &mut String, condition: &str, value| {
        params.push(value);
        let _ = write!(sql, " AND {condition} ${}", params.len());
    };
    match (&bounds, &filter.kind) {
        (Some((low, high)), _) => {
            narrow(&mut sql, "type >=", low);
            narrow(&mut sql, "type <", high);
        }
        (None, Some(kind)) => narrow(&mut sql, "type =", kind),
        (None, None) => {}
    }
    if let Some(subject_id) = &filter.subject_id {
        narrow(&mut sql, "subject_id =", subject_id);
    }
    if let Some(from_ms) = &filter.from_ms {
        narrow(&mut sql, "created_at_ms >=", from_ms);
    }
    if let Some(until_ms) = &filter.until_ms {
        narrow(&mut sql, "created_at_ms <", until_ms);
    }
    let (behind, direction) = match filter.order {
        Order::NewestFirst => ('<', "DESC"),
        Order::OldestFirst => ('>', "ASC"),
    };
    if let Some((at_ms, id)) = &filter.after {
        params.push(at_ms);
        let at = params.len();
        params.push(id);
        let n = params.len();
        let _ = write!(
            sql,
            " AND (created_at_ms {behind} ${at} OR (created_at_ms = ${at} AND id {behind} ${n}))"
        );
    }
    params.push(&limit);
    let n = params.len();
    let _ = write!(sql, " ORDER BY created_at_ms {direction}, id {direction} LIMIT ${n}");
    tx.query_dynamic(&sql, &params)?.iter().map(from_row).collect()
}

/// What happened in a store since then, as subject and id: for whoever wakes those that wait for it.
pub fn subjects_since(
    tx: &mut Tx<'_>,
    store_id: &str,
    since_ms: i64,
    limit: i64,
) -> Result<Vec<(String, String)>, Fault> {
    tx.query(
        "SELECT subject_id, id FROM events WHERE store_id = $1 AND created_at_ms >= $2
         ORDER BY created_at_ms DESC, id DESC LIMIT $3",
        &[&store_id, &since_ms, &limit],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, row.get(1)?)))
    .collect()
}
