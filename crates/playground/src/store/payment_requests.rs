//! Payment requests of the Web SDK and their history.

use jiff::Timestamp;
use storage::{Migration, Tx};

use crate::domain::payment_request::PaymentRequest;
use crate::store::{StoreError, from_document, to_document};

/// Their tables. A request is forgotten together with its payment session.
pub(crate) const MIGRATION: Migration = Migration {
    version: 140,
    name: "payment requests",
    sql: "CREATE TABLE payment_requests (
            payment_request_id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE UNIQUE INDEX payment_requests_by_session ON payment_requests (session_id);
          CREATE TABLE payment_request_events (
            payment_request_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            state TEXT NOT NULL,
            PRIMARY KEY (payment_request_id, version)
          )",
};

/// When each of them ends by itself; nothing of those that are over.
pub(crate) const DUE: Migration = Migration {
    version: 145,
    name: "payment requests that end",
    sql: "ALTER TABLE payment_requests ADD COLUMN due_at_ms BIGINT;
          UPDATE payment_requests SET due_at_ms = created_at_ms + 10800000;
          CREATE INDEX payment_requests_due ON payment_requests (due_at_ms)
            WHERE due_at_ms IS NOT NULL",
};

/// The most requests that end in one unit of work.
const AT_ONCE: i64 = 100;

const REQUEST: &str = "payment request";

/// Adds a request.
pub(crate) fn insert(tx: &mut Tx<'_>, request: &PaymentRequest) -> Result<(), StoreError> {
    let document = to_document(REQUEST, request)?;
    let created_at_ms = request.created_at.as_millisecond();
    tx.execute(
        "INSERT INTO payment_requests
           (payment_request_id, session_id, created_at_ms, version, document, due_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &request.payment_request_id.as_str(),
            &request.session_id.as_str(),
            &created_at_ms,
            &request.version,
            &document,
            &due_at_ms(request),
        ],
    )?;
    note(tx, request, created_at_ms)
}

/// Writes a changed request, whose version has grown.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    request: &PaymentRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    let document = to_document(REQUEST, request)?;
    tx.execute(
        "UPDATE payment_requests SET version = $2, document = $3, due_at_ms = $4
         WHERE payment_request_id = $1",
        &[&request.payment_request_id.as_str(), &request.version, &document, &due_at_ms(request)],
    )?;
    note(tx, request, now.as_millisecond())
}

/// A request by its id, whoever's it is. Its row is locked until the unit of work ends.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    payment_request_id: &str,
) -> Result<Option<PaymentRequest>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM payment_requests WHERE payment_request_id = $1 {for_update}",
        &[&payment_request_id],
    )?;
    let Some(row) = row else { return Ok(None) };
    let document: &str = row.get(0)?;
    from_document(REQUEST, document).map(Some)
}

/// A request by its id, to be looked at.
pub(crate) fn peek(
    tx: &mut Tx<'_>,
    payment_request_id: &str,
) -> Result<Option<PaymentRequest>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM payment_requests WHERE payment_request_id = $1",
        &[&payment_request_id],
    )?;
    let Some(row) = row else { return Ok(None) };
    let document: &str = row.get(0)?;
    from_document(REQUEST, document).map(Some)
}

/// When the next request ends by itself.
pub(crate) fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, storage::Error> {
    let sql = "SELECT MIN(due_at_ms) FROM payment_requests WHERE due_at_ms IS NOT NULL";
    tx.query_one(sql, &[])?.get(0)
}

/// Nothing becomes due of a request any more.
pub(crate) fn put_aside(tx: &mut Tx<'_>, payment_request_id: &str) -> Result<(), storage::Error> {
    let sql = "UPDATE payment_requests SET due_at_ms = NULL WHERE payment_request_id = $1";
    tx.execute(sql, &[&payment_request_id])?;
    Ok(())
}

/// The ids of some requests whose time was over by then.
pub(crate) fn due(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<String>, storage::Error> {
    let rows = tx.query(
        "SELECT payment_request_id FROM payment_requests WHERE due_at_ms <= $1
         ORDER BY due_at_ms, payment_request_id LIMIT $2",
        &[&now_ms, &AT_ONCE],
    )?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Forgets the request of a session.
pub(crate) fn forget(tx: &mut Tx<'_>, session_id: &str) -> Result<(), storage::Error> {
    for statement in [
        "DELETE FROM payment_request_events WHERE payment_request_id IN
           (SELECT payment_request_id FROM payment_requests WHERE session_id = $1)",
        "DELETE FROM payment_requests WHERE session_id = $1",
    ] {
        tx.execute(statement, &[&session_id])?;
    }
    Ok(())
}

fn due_at_ms(request: &PaymentRequest) -> Option<i64> {
    (!request.state.is_final()).then(|| request.expires_at_ms())
}

fn note(tx: &mut Tx<'_>, request: &PaymentRequest, at_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO payment_request_events (payment_request_id, version, at_ms, state)
         VALUES ($1, $2, $3, $4)",
        &[&request.payment_request_id.as_str(), &request.version, &at_ms, &request.state.as_str()],
    )?;
    Ok(())
}
