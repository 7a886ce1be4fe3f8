//! Deliveries to merchants: what is to be sent, what was tried, and how it ended.
//!
//! When an attempt is due is kept by the durable queue, so that deliveries survive a restart.

use klarna_types::MerchantId;
use serde::{Deserialize, Serialize};
use storage::queue::{Item, Queue};
use storage::{Migration, Row, Tx};

use crate::domain::callback::{Callback, CallbackKind};
use crate::domain::fault::Injected;
use crate::store::StoreError;

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

/// What became of attempts besides their answer, and what is kept back on purpose.
pub(crate) const FAULTS: Migration = Migration {
    version: 46,
    name: "callback faults",
    sql: "ALTER TABLE callback_deliveries ADD COLUMN held TEXT NOT NULL DEFAULT '';
          CREATE INDEX callback_deliveries_held ON callback_deliveries (merchant_id)
            WHERE held <> '';
          CREATE INDEX callback_deliveries_by_time ON callback_deliveries (created_at_ms);
          ALTER TABLE callback_attempts ADD COLUMN cause TEXT NOT NULL DEFAULT 'schedule';
          ALTER TABLE callback_attempts ADD COLUMN fault TEXT",
};

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// What is sent.
    pub(crate) callback: Callback,
    /// When the first attempt was due.
    pub(crate) first_due_at_ms: i64,
}

/// How far a delivery has come; the queue keeps it with the item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// How many attempts of its schedule were made.
    #[serde(default)]
    pub(crate) tries: u32,
    /// The fault that the coming attempt has had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Injected>,
    /// How many others about the same subject came before it in the same instant.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) place: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(place: &i64) -> bool {
    *place == 0
}

impl Progress {
    /// That of an item. One without is of a version that counted by the item alone.
    pub(crate) fn of(item: &Item) -> Self {
        serde_json::from_str(&item.payload).unwrap_or_else(|_| Self {
            tries: u32::try_from(item.attempts).unwrap_or(u32::MAX),
            ..Self::default()
        })
    }

    fn write(&self) -> String {
        // Numbers and strings always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why an attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was due.
    Schedule,
    /// A fault has the same call come again.
    Duplicate,
    /// Somebody wanted it.
    Redelivery,
}

impl Cause {
    /// Its name, as stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Duplicate => "duplicate",
            Self::Redelivery => "redelivery",
        }
    }

    fn parse(name: &str) -> Self {
        [Self::Duplicate, Self::Redelivery]
            .into_iter()
            .find(|cause| cause.as_str() == name)
            .unwrap_or(Self::Schedule)
    }
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
    /// Why it was made.
    pub(crate) cause: Cause,
    /// The fault that hit it.
    pub(crate) fault: Option<Injected>,
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
    // What happens to one subject within an instant is told in its order.
    let place: i64 = tx
        .query_one(
            "SELECT COUNT(*) FROM callback_deliveries WHERE subject_id = $1 AND created_at_ms = $2",
            &[&callback.subject_id, &now_ms],
        )?
        .get(0)?;
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
        let progress = Progress { place, ..Progress::default() };
        QUEUE.enqueue(tx, &callback.id, due_at_ms, &progress.write())?;
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

/// Records attempts, and what follows from them: another one at an instant, or the end. Answers with them
/// as recorded, numbered. When the lease was lost meanwhile, someone else decides what follows.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    item: &Item,
    attempts: &[Attempt],
    next: Result<i64, End>,
    progress: &Progress,
) -> Result<Vec<Attempt>, storage::Error> {
    let recorded = attempts
        .iter()
        .map(|attempt| insert_attempt(tx, &item.id, attempt))
        .collect::<Result<_, _>>()?;
    match next {
        Ok(due_at_ms) => {
            let tries = progress.tries.saturating_add(1);
            let progress = Progress { tries, ..Progress::default() };
            QUEUE.reschedule(tx, item, due_at_ms, &progress.write())?;
        }
        Err(ended) => {
            if QUEUE.complete(tx, item)? {
                end(tx, &item.id, ended)?;
            }
        }
    }
    Ok(recorded)
}

/// Records an attempt that somebody wanted, and ends the delivery if it is satisfied. `None` when the
/// delivery was forgotten meanwhile.
pub(crate) fn record_redelivery(
    tx: &mut Tx<'_>,
    delivery_id: &str,
    attempt: &Attempt,
    satisfied: bool,
) -> Result<Option<Attempt>, storage::Error> {
    if find(tx, delivery_id)?.is_none() {
        return Ok(None);
    }
    let recorded = insert_attempt(tx, delivery_id, attempt)?;
    if satisfied {
        QUEUE.cancel(tx, delivery_id)?;
        tx.execute(
            "UPDATE callback_deliveries SET state = 'delivered', held = ''
             WHERE delivery_id = $1 AND state <> 'cancelled'",
            &[&delivery_id],
        )?;
    }
    Ok(Some(recorded))
}

fn insert_attempt(
    tx: &mut Tx<'_>,
    delivery_id: &str,
    attempt: &Attempt,
) -> Result<Attempt, storage::Error> {
    let number: i64 = tx
        .query_one(
            "SELECT COALESCE(MAX(attempt), 0) + 1 FROM callback_attempts WHERE delivery_id = $1",
            &[&delivery_id],
        )?
        .get(0)?;
    let fault = attempt.fault.as_ref().and_then(|fault| serde_json::to_string(fault).ok());
    tx.execute(
        "INSERT INTO callback_attempts
           (delivery_id, attempt, at_ms, status, failure, duration_ms, cause, fault)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (delivery_id, attempt) DO NOTHING",
        &[
            &delivery_id,
            &number,
            &attempt.at_ms,
            &attempt.status,
            &attempt.failure,
            &attempt.duration_ms,
            &attempt.cause.as_str(),
            &fault,
        ],
    )?;
    Ok(Attempt { number, ..attempt.clone() })
}

/// Puts an attempt off without making it.
pub(crate) fn postpone(
    tx: &mut Tx<'_>,
    item: &Item,
    due_at_ms: i64,
    progress: &Progress,
) -> Result<(), storage::Error> {
    QUEUE.reschedule(tx, item, due_at_ms, &progress.write())?;
    Ok(())
}

/// Keeps an attempt back until [`release`], or until `due_at_ms`. `false` when the merchant has one kept
/// back already: this one is then to be made.
pub(crate) fn hold(
    tx: &mut Tx<'_>,
    item: &Item,
    merchant_id: &MerchantId,
    due_at_ms: i64,
    progress: &Progress,
) -> Result<bool, StoreError> {
    let held = tx.query_opt(
        "SELECT delivery_id FROM callback_deliveries WHERE merchant_id = $1 AND held <> '' LIMIT 1",
        &[&merchant_id.as_str()],
    )?;
    if held.is_some() {
        return Ok(false);
    }
    let progress = progress.write();
    if QUEUE.reschedule(tx, item, due_at_ms, &progress)? {
        tx.execute(
            "UPDATE callback_deliveries SET held = $2 WHERE delivery_id = $1",
            &[&item.id, &progress],
        )?;
    }
    Ok(true)
}

/// Has what is kept back for this merchant be due, now that another one of its deliveries was attempted.
pub(crate) fn release(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    attempted_id: &str,
    now_ms: i64,
) -> Result<(), storage::Error> {
    let held = tx.query(
        "SELECT delivery_id, held FROM callback_deliveries
         WHERE merchant_id = $1 AND held <> '' AND delivery_id <> $2",
        &[&merchant_id.as_str(), &attempted_id],
    )?;
    for row in &held {
        let delivery_id: &str = row.get(0)?;
        QUEUE.cancel(tx, delivery_id)?;
        QUEUE.enqueue(tx, delivery_id, now_ms, row.get(1)?)?;
        unhold(tx, delivery_id)?;
    }
    Ok(())
}

/// Notes that a delivery is not kept back any more.
pub(crate) fn unhold(tx: &mut Tx<'_>, delivery_id: &str) -> Result<(), storage::Error> {
    tx.execute(
        "UPDATE callback_deliveries SET held = '' WHERE delivery_id = $1 AND held <> ''",
        &[&delivery_id],
    )?;
    Ok(())
}

/// Which attempts, or deliveries, are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Of this kind.
    pub(crate) kind: Option<CallbackKind>,
    /// In this state.
    pub(crate) state: Option<String>,
    /// About this session, order or dispute.
    pub(crate) subject_id: Option<String>,
    /// Of this merchant.
    pub(crate) merchant_id: Option<String>,
    /// At most so many.
    pub(crate) limit: i64,
}

/// A delivery with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Story {
    /// What is sent.
    pub(crate) delivery: Delivery,
    /// `pending`, `delivered`, `given_up` or `cancelled`.
    pub(crate) state: String,
    /// When it was caused.
    pub(crate) created_at_ms: i64,
    /// When the next attempt is due.
    pub(crate) next_due_at_ms: Option<i64>,
    /// Every attempt, the first one first.
    pub(crate) attempts: Vec<Attempt>,
}

/// Deliveries with their attempts, the newest first.
pub(crate) fn stories(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Vec<Story>, storage::Error> {
    let kind = wanted.kind.map(CallbackKind::as_str).unwrap_or_default();
    let text = |wanted: &Option<String>| wanted.clone().unwrap_or_default();
    let rows = tx.query(
        "SELECT d.merchant_id, d.kind, d.subject_id, d.url, d.body, d.first_due_at_ms, d.headers,
                d.delivery_id, d.state, d.created_at_ms, w.due_at_ms
         FROM callback_deliveries d
         LEFT JOIN work_items w ON w.queue = 'callbacks' AND w.id = d.delivery_id
         WHERE ($1 = '' OR d.kind = $1) AND ($2 = '' OR d.state = $2)
           AND ($3 = '' OR d.subject_id = $3) AND ($4 = '' OR d.merchant_id = $4)
         ORDER BY d.created_at_ms DESC, d.delivery_id LIMIT $5",
        &[
            &kind,
            &text(&wanted.state),
            &text(&wanted.subject_id),
            &text(&wanted.merchant_id),
            &wanted.limit,
        ],
    )?;
    rows.iter().filter_map(|row| story(tx, row).transpose()).collect()
}

/// One delivery with its attempts.
pub(crate) fn find_story(
    tx: &mut Tx<'_>,
    delivery_id: &str,
) -> Result<Option<Story>, storage::Error> {
    let row = tx.query_opt(
        "SELECT d.merchant_id, d.kind, d.subject_id, d.url, d.body, d.first_due_at_ms, d.headers,
                d.delivery_id, d.state, d.created_at_ms, w.due_at_ms
         FROM callback_deliveries d
         LEFT JOIN work_items w ON w.queue = 'callbacks' AND w.id = d.delivery_id
         WHERE d.delivery_id = $1",
        &[&delivery_id],
    )?;
    match row {
        Some(row) => story(tx, &row),
        None => Ok(None),
    }
}

fn story(tx: &mut Tx<'_>, row: &Row) -> Result<Option<Story>, storage::Error> {
    let delivery_id: String = row.get(7)?;
    let attempts = tx.query(
        "SELECT attempt, at_ms, status, failure, duration_ms, cause, fault
         FROM callback_attempts WHERE delivery_id = $1 ORDER BY attempt",
        &[&delivery_id],
    )?;
    let attempts = attempts.iter().map(|row| attempt(row, 0)).collect::<Result<_, _>>()?;
    let Some(delivery) = delivery(delivery_id, row)? else { return Ok(None) };
    Ok(Some(Story {
        delivery,
        state: row.get(8)?,
        created_at_ms: row.get(9)?,
        next_due_at_ms: row.get(10)?,
        attempts,
    }))
}

/// An attempt from the columns that begin at `first`.
fn attempt(row: &Row, first: usize) -> Result<Attempt, storage::Error> {
    let status: Option<i64> = row.get(first + 2)?;
    let fault: Option<&str> = row.get(first + 6)?;
    Ok(Attempt {
        number: row.get(first)?,
        at_ms: row.get(first + 1)?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        failure: row.get(first + 3)?,
        duration_ms: row.get(first + 4)?,
        cause: Cause::parse(row.get(first + 5)?),
        fault: fault.and_then(|fault| serde_json::from_str(fault).ok()),
    })
}

/// The newest attempts, newest first, each with its delivery.
pub(crate) fn attempts(
    tx: &mut Tx<'_>,
    limit: i64,
) -> Result<Vec<(Delivery, Attempt)>, storage::Error> {
    let rows = tx.query(
        "SELECT d.merchant_id, d.kind, d.subject_id, d.url, d.body, d.first_due_at_ms,
                d.headers, d.delivery_id, a.attempt, a.at_ms, a.status, a.failure, a.duration_ms,
                a.cause, a.fault
         FROM callback_attempts a JOIN callback_deliveries d ON d.delivery_id = a.delivery_id
         ORDER BY a.at_ms DESC, a.attempt DESC, a.delivery_id LIMIT $1",
        &[&limit],
    )?;
    let mut attempts = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(delivery) = delivery(row.get(7)?, row)? else { continue };
        attempts.push((delivery, attempt(row, 8)?));
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
