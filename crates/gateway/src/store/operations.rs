//! The journal: operations and their attempts.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use storage::queue::Queue;
use storage::{Row, ToValue, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::journal::Operation;
use crate::domain::operation::State;
use crate::fault::Fault;
use crate::observe::trace;

/// Work that a shopper or a shop may be waiting for. Its items are operations, by id.
pub const INTERACTIVE: Queue = Queue { name: "gateway/operations" };
/// Reads of Klarna that nobody waits for; only begun when nothing interactive is due.
pub const BACKGROUND: Queue = Queue { name: "gateway/reads" };

/// One call to Klarna as the timeline shows it. No secret and no personal datum is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1.
    pub number: i64,
    /// When it ended.
    pub at_ms: i64,
    /// What was asked, such as `capture`.
    pub call: String,
    /// The method of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its path, without the secret that one of them has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// What it came to, in a few words.
    pub outcome: String,
    /// The HTTP status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Klarna's id of the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The body that was sent, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<serde_json::Value>,
    /// What was answered, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<serde_json::Value>,
}

impl Attempt {
    /// Forgets what was sent and what was answered.
    pub fn forget_bodies(&mut self) {
        self.request = None;
        self.answer = None;
    }
}

fn from_row(row: &Row) -> Result<Operation, Fault> {
    read_document("operation", row.get(0)?)
}

/// The operation of that id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Operation>, Fault> {
    tx.query_opt("SELECT document FROM operations WHERE id = $1", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The operation that carries out this intent, if there is one.
pub fn by_dedupe(tx: &mut Tx<'_>, dedupe: &str) -> Result<Option<Operation>, Fault> {
    tx.query_opt("SELECT document FROM operations WHERE dedupe = $1", &[&dedupe])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// Adds an operation, unless one with the same intent exists: then `false`, and nothing changes. The call that wants it
/// is kept with it, where there is a trace of that.
pub fn insert(tx: &mut Tx<'_>, operation: &Operation, token: Option<&str>) -> Result<bool, Fault> {
    let wanted_by = trace::current();
    let document = match wanted_by {
        Some(_) => {
            let traced = Operation { trace_parent: wanted_by, ..operation.clone() };
            write_document("operation", &traced)?
        }
        None => write_document("operation", operation)?,
    };
    let added = tx.execute(
        "INSERT INTO operations (id, store_id, kind, state, version, checkout_id, payment_id,
                                 dedupe, authorization_token, document, created_at_ms, updated_at_ms,
                                 subject)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (dedupe) DO NOTHING",
        &[
            &operation.id,
            &operation.store_id,
            &operation.kind.name(),
            &operation.state.name(),
            &operation.version,
            &operation.checkout_id,
            &operation.payment_id,
            &operation.dedupe,
            &token,
            &document,
            &operation.created_at_ms,
            &operation.updated_at_ms,
            &operation.subject,
        ],
    )?;
    Ok(added == 1)
}

/// Writes a changed operation. Its authorization token is wiped once it is settled for good.
pub fn update(tx: &mut Tx<'_>, operation: &mut Operation) -> Result<(), Fault> {
    let read_at = operation.version;
    operation.version += 1;
    let forget_token = operation.state.is_settled() && !operation.state.holds_amount();
    if forget_token && operation.forgets {
        operation.forget_people();
    }
    let document = write_document("operation", operation)?;
    let changed = tx.execute(
        "UPDATE operations SET state = $2, version = $3, payment_id = $4, document = $5,
                               updated_at_ms = $6,
                               authorization_token =
                                   CASE WHEN $8 = 1 THEN NULL ELSE authorization_token END
         WHERE id = $1 AND version = $7",
        &[
            &operation.id,
            &operation.state.name(),
            &operation.version,
            &operation.payment_id,
            &document,
            &operation.updated_at_ms,
            &read_at,
            &i64::from(forget_token),
        ],
    )?;
    expect_one(changed, "operation", &operation.id)
}

/// The authorization token of an order placement, or Klarna's id of the customer token of a charge,
/// while it is kept.
pub fn token(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>, Fault> {
    match tx.query_opt("SELECT authorization_token FROM operations WHERE id = $1", &[&id])? {
        Some(row) => Ok(row.get(0)?),
        None => Ok(None),
    }
}

/// The operations about a subject, newest first, those before one if that is said.
pub fn of_subject(
    tx: &mut Tx<'_>,
    subject: &str,
    before: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Operation>, Fault> {
    let (at_ms, id) = before.cloned().unwrap_or((i64::MAX, String::new()));
    tx.query(
        "SELECT document FROM operations
         WHERE subject = $1 AND (created_at_ms < $2 OR (created_at_ms = $2 AND id < $3))
         ORDER BY created_at_ms DESC, id DESC LIMIT $4",
        &[&subject, &at_ms, &id, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// The order placements of a checkout, and the makings of its token, oldest first.
pub fn of_checkout(tx: &mut Tx<'_>, checkout_id: &str) -> Result<Vec<Operation>, Fault> {
    tx.query(
        "SELECT document FROM operations WHERE checkout_id = $1 AND kind IN ('place_order', 'create_token')
         ORDER BY created_at_ms, id",
        &[&checkout_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Everything asked for about a payment, oldest first, the placing of its order included.
pub fn of_payment(tx: &mut Tx<'_>, payment_id: &str) -> Result<Vec<Operation>, Fault> {
    tx.query(
        "SELECT document FROM operations WHERE payment_id = $1 ORDER BY created_at_ms, id",
        &[&payment_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// What may still take effect on a payment, oldest first.
pub fn pending_of_payment(tx: &mut Tx<'_>, payment_id: &str) -> Result<Vec<Operation>, Fault> {
    tx.query(
        "SELECT document FROM operations
         WHERE payment_id = $1 AND kind NOT IN ('place_order', 'charge')
           AND state IN ('queued', 'running', 'in_doubt', 'needs_attention')
         ORDER BY created_at_ms, id",
        &[&payment_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Operations of a store, newest first; only those in a state, and before one, if that is said.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    state: Option<State>,
    before: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Operation>, Fault> {
    // Writing to a String cannot fail.
    let mut sql = String::from("SELECT document FROM operations WHERE store_id = $1");
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    let state = state.map(State::name);
    if let Some(state) = &state {
        params.push(state);
        let _ = write!(sql, " AND state = ${}", params.len());
    }
    if let Some((at_ms, id)) = before {
        params.push(at_ms);
        let at = params.len();
        params.push(id);
        let n = params.len();
        let _ =
            write!(sql, " AND (created_at_ms < ${at} OR (created_at_ms = ${at} AND id < ${n}))");
    }
    params.push(&limit);
    let _ = write!(sql, " ORDER BY created_at_ms DESC, id DESC LIMIT ${}", params.len());
    tx.query_dynamic(&sql, &params)?.iter().map(from_row).collect()
}

/// How many operations of a store wait for a person.
pub fn count_waiting(tx: &mut Tx<'_>, store_id: &str) -> Result<i64, Fault> {
    Ok(tx
        .query_one(
            "SELECT COUNT(*) FROM operations WHERE store_id = $1 AND state = 'needs_attention'",
            &[&store_id],
        )?
        .get(0)?)
}

/// How many operations of all stores are in a state, up to `most`, and since when the oldest of them was wanted.
pub fn count_in(tx: &mut Tx<'_>, state: State, most: i64) -> Result<(i64, Option<i64>), Fault> {
    let row = tx.query_one(
        "SELECT COUNT(*), MIN(created_at_ms) FROM
             (SELECT created_at_ms FROM operations
              WHERE store_id IN (SELECT id FROM stores) AND state = $1 LIMIT $2) AS found",
        &[&state.name(), &most],
    )?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Records an attempt; `number` is given out here.
pub fn add_attempt(tx: &mut Tx<'_>, operation_id: &str, mut attempt: Attempt) -> Result<(), Fault> {
    let row = tx.query_one(
        "SELECT COALESCE(MAX(number), 0) FROM attempts WHERE operation_id = $1",
        &[&operation_id],
    )?;
    attempt.number = row.get::<i64>(0)? + 1;
    let document = write_document("attempt", &attempt)?;
    tx.execute(
        "INSERT INTO attempts (operation_id, number, document, at_ms) VALUES ($1, $2, $3, $4)",
        &[&operation_id, &attempt.number, &document, &attempt.at_ms],
    )?;
    Ok(())
}

/// The attempts of an operation, oldest first.
pub fn attempts(tx: &mut Tx<'_>, operation_id: &str) -> Result<Vec<Attempt>, Fault> {
    tx.query(
        "SELECT document FROM attempts WHERE operation_id = $1 ORDER BY number",
        &[&operation_id],
    )?
    .iter()
    .map(|row| read_document("attempt", row.get(0)?))
    .collect()
}
