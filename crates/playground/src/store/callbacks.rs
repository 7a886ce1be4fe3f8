//! Deliveries to merchants: what is to be sent, what was tried, and how it ended.
//!
//! When an attempt is due is kept by the durable queue, so that deliveries survive a restart.

use klarna_types::MerchantId;
use storage::queue::{Item, Queue};
use storage::{Migration, Row, Tx};

use crate::domain::callback::{Callback, CallbackKind};

/// The queue of deliveries.
pub(crate) const QUEUE: Queue = Queue { name: "callbacks" };

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 12,
    name: "callbacks",
    sql: "CREATE TABLE callback_deliveries (
            delivery_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject_id TEXT NOT NULL,
            url TEXT NOT NULL,
            body TEXT NOT NULL,
            state TEXT NOT NULL,
            first_due_at_ms BIGINT NOT NULL,
            created_at_ms BIGINT NOT NULL
          );
          CREATE INDEX callback_deliveries_by_subject
            ON callback_deliveries (subject_id, created_at_ms);
          CREATE TABLE callback_attempts (
            delivery_id TEXT NOT NULL,
            attempt BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            status BIGINT,
            failure TEXT,
            duration_ms BIGINT NOT NULL,
            PRIMARY KEY (delivery_id, attempt)
          )",
};

/// Attempts are listed by their time.
pub(crate) const BY_TIME: Migration = Migration {
    version: 42,
    name: "callback attempts by time",
    sql: "CREATE INDEX callback_attempts_by_time ON callback_attempts (at_ms)",
};

/// Headers beyond the content type, as a JSON list of pairs.
pub(crate) const HEADERS: Migration = Migration {
    version: 45,
    name: "callback headers",
    sql: "ALTER TABLE callback_deliveries ADD COLUMN headers TEXT NOT NULL DEFAULT '[]'",
};

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// What is sent.
    pub(crate) callback: Callback,
    /// When the first attempt was due.
    pub(crate) first_due_at_ms: i64,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Counted from 1.
    pub(crate) number: i64,
    /// When, on the playground's clock.
    pub(crate) at_ms: i64,
    /// The answer's status, when there was an answer.
    pub(crate) status: Option<u16>,
    /// Why there was none.
    pub(crate) failure: Option<String>,
    /// How long it took, in real time.
    pub(crate) duration_ms: i64,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The merchant answered as it should.
    Delivered,
    /// It did not, and there are no more attempts.
    GivenUp,
    /// It is not wanted any more.
    Cancelled,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Adds a delivery in the unit of work that causes it. The same id twice makes one delivery.
/// After the unit is committed, wake the worker (`App::wake`).
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    callback: &Callback,
    now_ms: i64,
) -> Result<(), storage::Error> {
    let due_at_ms = now_ms.saturating_add(callback.kind.first_delay_ms());
    // Pairs of strings always serialize.
    let headers = serde_json::to_string(&callback.headers).unwrap_or_else(|_| "[]".to_owned());
    let added = tx.execute(
        "INSERT INTO callback_deliveries
           (delivery_id, merchant_id, kind, subject_id, url, body, state, first_due_at_ms,
            created_at_ms, headers)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9)
         ON CONFLICT (delivery_id) DO NOTHING",
        &[
            &callback.id,
            &callback.merchant_id.as_str(),
            &callback.kind.as_str(),
            &callback.subject_id,
            &callback.url,
            &callback.body,
            &due_at_ms,
            &now_ms,
            &headers,
        ],
    )?;
    if added == 1 {
        QUEUE.enqueue(tx, &callback.id, due_at_ms, "")?;
    }
    Ok(())
}

/// Ends a delivery that is not wanted any more (an acknowledged order needs no push). Harmless
/// when there is none.
pub(crate) fn cancel(tx: &mut Tx<'_>, delivery_id: &str) -> Result<(), storage::Error> {
    QUEUE.cancel(tx, delivery_id)?;
    end(tx, delivery_id, End::Cancelled)
}

/// The id of the push delivery of an order, for [`cancel`].
pub(crate) fn push_id(order_id: &str) -> String {
    format!("push:{order_id}")
}

/// A delivery by its id.
pub(crate) fn find(tx: &mut Tx<'_>, delivery_id: &str) -> Result<Option<Delivery>, storage::Error> {
    let row = tx.query_opt(
        "SELECT merchant_id, kind, subject_id, url, body, first_due_at_ms, headers
         FROM callback_deliveries WHERE delivery_id = $1",
        &[&delivery_id],
    )?;
    let Some(row) = row else { return Ok(None) };
    delivery(delivery_id.to_owned(), &row)
}

/// A delivery from a row that begins with its columns.
fn delivery(delivery_id: String, row: &Row) -> Result<Option<Delivery>, storage::Error> {
    let kind: &str = row.get(1)?;
    let Some(kind) = CallbackKind::parse(kind) else { return Ok(None) };
    let merchant_id: String = row.get(0)?;
    Ok(Some(Delivery {
        callback: Callback {
            id: delivery_id,
            merchant_id: MerchantId::new(merchant_id),
            kind,
            subject_id: row.get(2)?,
            url: row.get(3)?,
            body: row.get(4)?,
            headers: serde_json::from_str(row.get(6)?).unwrap_or_default(),
        },
        first_due_at_ms: row.get(5)?,
    }))
}

/// Records an attempt, and what follows from it: another one at `next_due_at_ms`, or the end.
/// `false` when the lease was lost meanwhile, so that someone else decides.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    item: &Item,
    attempt: &Attempt,
    next: Result<i64, End>,
) -> Result<bool, storage::Error> {
    tx.execute(
        "INSERT INTO callback_attempts (delivery_id, attempt, at_ms, status, failure, duration_ms)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (delivery_id, attempt) DO NOTHING",
        &[
            &item.id,
            &attempt.number,
            &attempt.at_ms,
            &attempt.status,
            &attempt.failure,
            &attempt.duration_ms,
        ],
    )?;
    match next {
        Ok(due_at_ms) => QUEUE.reschedule(tx, item, due_at_ms, ""),
        Err(ended) => {
            let held = QUEUE.complete(tx, item)?;
            if held {
                end(tx, &item.id, ended)?;
            }
            Ok(held)
        }
    }
}

/// The newest attempts, newest first, each with its delivery.
pub(crate) fn attempts(
    tx: &mut Tx<'_>,
    limit: i64,
) -> Result<Vec<(Delivery, Attempt)>, storage::Error> {
    let rows = tx.query(
        "SELECT d.merchant_id, d.kind, d.subject_id, d.url, d.body, d.first_due_at_ms,
                d.headers, d.delivery_id, a.attempt, a.at_ms, a.status, a.failure, a.duration_ms
         FROM callback_attempts a JOIN callback_deliveries d ON d.delivery_id = a.delivery_id
         ORDER BY a.at_ms DESC, a.attempt DESC, a.delivery_id LIMIT $1",
        &[&limit],
    )?;
    let mut attempts = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(delivery) = delivery(row.get(7)?, row)? else { continue };
        let status: Option<i64> = row.get(10)?;
        let attempt = Attempt {
            number: row.get(8)?,
            at_ms: row.get(9)?,
            status: status.and_then(|status| u16::try_from(status).ok()),
            failure: row.get(11)?,
            duration_ms: row.get(12)?,
        };
        attempts.push((delivery, attempt));
    }
    Ok(attempts)
}

fn end(tx: &mut Tx<'_>, delivery_id: &str, end: End) -> Result<(), storage::Error> {
    tx.execute(
        "UPDATE callback_deliveries SET state = $2
         WHERE delivery_id = $1 AND state = 'pending'",
        &[&delivery_id, &end.as_str()],
    )?;
    Ok(())
}
