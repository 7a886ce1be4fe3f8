//! Webhook endpoints, what is on its way to them, and each attempt.
//!
//! A delivery is written in the unit of work of the event that it tells of. Deliveries of one subject
//! to one endpoint share a lane, which is one item of the queue [`LANES`]: whoever holds the lane sends
//! its first pending delivery, so a later one can never overtake it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use storage::queue::Queue;
use storage::{Migration, Row, ToValue, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::idempotency;
use crate::domain::webhook::{self, Delivery, Endpoint, Stage, Standing};
use crate::fault::Fault;
use crate::vault::{Place, Vault};

/// What the secrets of endpoints are sealed for: one does not know its endpoint yet when it is made.
pub const SECRETS: Place<'static> =
    Place { table: "webhook_endpoints", column: "document", row: "secrets" };

/// The tables.
pub const MIGRATION: Migration = Migration {
    version: 51,
    name: "webhooks",
    sql: "
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    standing TEXT NOT NULL,
    needs_attention BIGINT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX webhook_endpoints_by_store ON webhook_endpoints (store_id, created_at_ms, id);

CREATE TABLE webhook_health (
    endpoint_id TEXT PRIMARY KEY,
    last_success_at_ms BIGINT,
    failing_since_ms BIGINT,
    last_outcome TEXT NOT NULL
);

CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    stage TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next_at_ms BIGINT NOT NULL,
    first_attempt_at_ms BIGINT,
    status BIGINT,
    outcome TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX webhook_deliveries_by_lane
    ON webhook_deliveries (endpoint_id, subject_id, position, id);
CREATE INDEX webhook_deliveries_by_stage
    ON webhook_deliveries (endpoint_id, stage, created_at_ms, id);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (store_id, created_at_ms, id);

CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    document TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);
",
};

/// Lanes with something to send: an endpoint and a subject each.
pub const LANES: Queue = Queue { name: "gateway/webhooks" };

/// The lane of a delivery.
pub fn lane(endpoint_id: &str, subject_id: &str) -> String {
    format!("{endpoint_id}/{subject_id}")
}

/// The endpoint and the subject of a lane.
pub fn of_lane(lane: &str) -> Option<(&str, &str)> {
    lane.split_once('/')
}

/// An event that is to be told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whose it is.
    pub store_id: &'a str,
    /// What it happened to.
    pub subject_id: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// Its place among the events of its subject.
    pub position: i64,
    /// When it happened.
    pub created_at_ms: i64,
}

/// Writes a delivery for each endpoint that wants to hear of an event.
pub fn enqueue(tx: &mut Tx<'_>, event: &Told<'_>) -> Result<(), Fault> {
    for endpoint in endpoints(tx, event.store_id)? {
        if endpoint.standing == Standing::Enabled
            && webhook::is_wanted(&endpoint.events, event.kind)
        {
            enqueue_to(tx, &endpoint.id, event, event.created_at_ms)?;
        }
    }
    Ok(())
}

/// Writes a delivery of an event to an endpoint, or begins it anew: `true` if it is now on its way and
/// was not before.
pub fn enqueue_to(
    tx: &mut Tx<'_>,
    endpoint_id: &str,
    event: &Told<'_>,
    now_ms: i64,
) -> Result<bool, Fault> {
    let id = idempotency::delivery_id(endpoint_id, event.id);
    let changed = tx.execute(
        "INSERT INTO webhook_deliveries (id, store_id, endpoint_id, event_id, type, subject_id,
                                         position, stage, attempts, tries, next_at_ms, outcome,
                                         created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', 0, 0, $8, '', $9, $8)
         ON CONFLICT (id) DO UPDATE SET stage = 'pending', tries = 0, next_at_ms = $8,
                                        first_attempt_at_ms = NULL, updated_at_ms = $8
         WHERE webhook_deliveries.stage <> 'pending'",
        &[
            &id,
            &event.store_id,
            &endpoint_id,
            &event.id,
            &event.kind,
            &event.subject_id,
            &event.position,
            &now_ms,
            &event.created_at_ms,
        ],
    )?;
    LANES.ensure(tx, &lane(endpoint_id, event.subject_id), now_ms, "")?;
    Ok(changed == 1)
}

fn endpoint_of(row: &Row) -> Result<Endpoint, Fault> {
    read_document("webhook endpoint", row.get(0)?)
}

/// The endpoints of a store, oldest first.
pub fn endpoints(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<Endpoint>, Fault> {
    tx.query(
        "SELECT document FROM webhook_endpoints WHERE store_id = $1 ORDER BY created_at_ms, id",
        &[&store_id],
    )?
    .iter()
    .map(endpoint_of)
    .collect()
}

/// The stores that have endpoints.
pub fn stores(tx: &mut Tx<'_>) -> Result<Vec<String>, Fault> {
    tx.query("SELECT DISTINCT store_id FROM webhook_endpoints ORDER BY store_id", &[])?
        .iter()
        .map(|row| Ok(row.get(0)?))
        .collect()
}

/// The endpoint of that id, whichever store it belongs to: for the engine.
pub fn endpoint(tx: &mut Tx<'_>, id: &str) -> Result<Option<Endpoint>, Fault> {
    tx.query_opt("SELECT document FROM webhook_endpoints WHERE id = $1", &[&id])?
        .as_ref()
        .map(endpoint_of)
        .transpose()
}

/// The endpoint of that id in that store.
pub fn endpoint_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Endpoint>, Fault> {
    Ok(endpoint(tx, id)?.filter(|endpoint| endpoint.store_id == store_id))
}

/// The endpoint of that id in that store, to be changed in this unit of work.
pub fn lock_endpoint(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Endpoint>, Fault> {
    let found = tx
        .query_opt("SELECT document FROM webhook_endpoints WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(endpoint_of)
        .transpose()?;
    Ok(found.filter(|endpoint| endpoint.store_id == store_id))
}

/// Adds an endpoint.
pub fn insert_endpoint(tx: &mut Tx<'_>, endpoint: &Endpoint) -> Result<(), Fault> {
    let document = write_document("webhook endpoint", endpoint)?;
    tx.execute(
        "INSERT INTO webhook_endpoints (id, store_id, version, standing, needs_attention, document,
                                        created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &endpoint.id,
            &endpoint.store_id,
            &endpoint.version,
            &endpoint.standing.name(),
            &i64::from(endpoint.needs_attention()),
            &document,
            &endpoint.created_at_ms,
            &endpoint.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// Brings the secrets of some endpoints under the newest key: how many there were, how many were renewed, and where the
/// next batch begins.
pub fn reseal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    after: &str,
    limit: i64,
) -> Result<(u64, u64, Option<String>), Fault> {
    let rows = tx.query(
        "SELECT document FROM webhook_endpoints WHERE id > $1 ORDER BY id LIMIT $2 {for_update}",
        &[&after, &limit],
    )?;
    let (mut found, mut renewed, mut last) = (0, 0, None);
    for row in &rows {
        let mut endpoint: Endpoint = read_document("webhook endpoint", row.get(0)?)?;
        let before = renewed;
        for secret in &mut endpoint.secrets {
            found += 1;
            if let Some(fresh) = vault.renewed(SECRETS, &secret.sealed)? {
                secret.sealed = fresh;
                renewed += 1;
            }
        }
        if renewed > before {
            let updated_at_ms = endpoint.updated_at_ms;
            update_endpoint(tx, &mut endpoint, updated_at_ms)?;
        }
        last = Some(endpoint.id);
    }
    Ok((found, renewed, last))
}

/// Writes a changed endpoint: counts its version up and keeps the time. What is on its way to one that
/// is now disabled becomes a dead letter.
pub fn update_endpoint(tx: &mut Tx<'_>, endpoint: &mut Endpoint, now_ms: i64) -> Result<(), Fault> {
    let read_at = endpoint.version;
    endpoint.version += 1;
    endpoint.updated_at_ms = now_ms;
    let document = write_document("webhook endpoint", endpoint)?;
    let changed = tx.execute(
        "UPDATE webhook_endpoints SET version = $2, standing = $3, needs_attention = $4,
                                      document = $5, updated_at_ms = $6
         WHERE id = $1 AND version = $7",
        &[
            &endpoint.id,
            &endpoint.version,
            &endpoint.standing.name(),
            &i64::from(endpoint.needs_attention()),
            &document,
            &endpoint.updated_at_ms,
            &read_at,
        ],
    )?;
    expect_one(changed, "webhook endpoint", &endpoint.id)?;
    if endpoint.standing == Standing::Disabled {
        tx.execute(
            "UPDATE webhook_deliveries
             SET stage = 'dead', outcome = 'the endpoint is disabled', updated_at_ms = $2
             WHERE endpoint_id = $1 AND stage = 'pending'",
            &[&endpoint.id, &now_ms],
        )?;
    }
    Ok(())
}

/// Removes an endpoint with everything that is known of its deliveries.
pub fn delete_endpoint(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM webhook_attempts WHERE delivery_id IN
             (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1)",
        &[&id],
    )?;
    tx.execute("DELETE FROM webhook_deliveries WHERE endpoint_id = $1", &[&id])?;
    tx.execute("DELETE FROM webhook_health WHERE endpoint_id = $1", &[&id])?;
    tx.execute("DELETE FROM webhook_endpoints WHERE id = $1", &[&id])?;
    Ok(())
}

/// How many endpoints of a store a person has to look after.
pub fn count_needing_attention(tx: &mut Tx<'_>, store_id: &str) -> Result<i64, Fault> {
    Ok(tx
        .query_one(
            "SELECT COUNT(*) FROM webhook_endpoints WHERE store_id = $1 AND needs_attention = 1",
            &[&store_id],
        )?
        .get(0)?)
}

/// How many endpoints of all stores a person has to look after.
pub fn count_all_needing_attention(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM webhook_endpoints WHERE needs_attention = 1";
    Ok(tx.query_one(sql, &[])?.get(0)?)
}

/// The deliveries of all stores that did not arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many are on their way.
    pub pending: i64,
    /// When the oldest of them happened.
    pub pending_since_ms: Option<i64>,
    /// How many were given up and are still in the log.
    pub dead: i64,
}

/// The deliveries of all stores that did not arrive; each count stops at `most`.
pub fn backlog(tx: &mut Tx<'_>, most: i64) -> Result<Backlog, Fault> {
    let mut count = |stage: Stage| -> Result<(i64, Option<i64>), Fault> {
        let row = tx.query_one(
            "SELECT COUNT(*), MIN(created_at_ms) FROM
                 (SELECT created_at_ms FROM webhook_deliveries
                  WHERE endpoint_id IN (SELECT id FROM webhook_endpoints) AND stage = $1
                  LIMIT $2) AS found",
            &[&stage.name(), &most],
        )?;
        Ok((row.get(0)?, row.get(1)?))
    };
    let (pending, pending_since_ms) = count(Stage::Pending)?;
    let (dead, _) = count(Stage::Dead)?;
    Ok(Backlog { pending, pending_since_ms, dead })
}

/// How an endpoint has been lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// When a message last arrived.
    pub last_success_at_ms: Option<i64>,
    /// Since when none did.
    pub failing_since_ms: Option<i64>,
    /// What the last attempt came to.
    pub last_outcome: String,
}

/// How an endpoint has been lately. Kept apart from the endpoint, so that telling of a payment never
/// waits for what is being recorded of another.
pub fn health(tx: &mut Tx<'_>, endpoint_id: &str) -> Result<Health, Fault> {
    let row = tx.query_opt(
        "SELECT last_success_at_ms, failing_since_ms, last_outcome FROM webhook_health
         WHERE endpoint_id = $1",
        &[&endpoint_id],
    )?;
    row.map_or_else(
        || Ok(Health::default()),
        |row| {
            Ok(Health {
                last_success_at_ms: row.get(0)?,
                failing_since_ms: row.get(1)?,
                last_outcome: row.get(2)?,
            })
        },
    )
}

/// Records that a message arrived, or did not.
pub fn record_health(
    tx: &mut Tx<'_>,
    endpoint_id: &str,
    arrived: Arrived,
    outcome: &str,
    at_ms: i64,
) -> Result<(), Fault> {
    match arrived {
        Arrived::Yes => tx.execute(
            "INSERT INTO webhook_health (endpoint_id, last_success_at_ms, last_outcome)
             VALUES ($1, $2, $3) ON CONFLICT (endpoint_id)
             DO UPDATE SET last_success_at_ms = $2, failing_since_ms = NULL, last_outcome = $3",
            &[&endpoint_id, &at_ms, &outcome],
        )?,
        Arrived::No => tx.execute(
            "INSERT INTO webhook_health (endpoint_id, failing_since_ms, last_outcome)
             VALUES ($1, $2, $3) ON CONFLICT (endpoint_id)
             DO UPDATE SET failing_since_ms = COALESCE(webhook_health.failing_since_ms, $2),
                           last_outcome = $3",
            &[&endpoint_id, &at_ms, &outcome],
        )?,
    };
    Ok(())
}

/// Whether a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// It did.
    Yes,
    /// It did not.
    No,
}

const COLUMNS: &str = "id, store_id, endpoint_id, event_id, type, subject_id, position, stage,
    attempts, tries, next_at_ms, first_attempt_at_ms, status, outcome, created_at_ms, updated_at_ms";

fn delivery_of(row: &Row) -> Result<Delivery, Fault> {
    let stage: String = row.get(7)?;
    Ok(Delivery {
        id: row.get(0)?,
        store_id: row.get(1)?,
        endpoint_id: row.get(2)?,
        event_id: row.get(3)?,
        kind: row.get(4)?,
        subject_id: row.get(5)?,
        position: row.get(6)?,
        stage: Stage::from_name(&stage)
            .ok_or_else(|| Fault::inconsistent(format!("a delivery is {stage}")))?,
        attempts: row.get(8)?,
        tries: row.get(9)?,
        next_at_ms: row.get(10)?,
        first_attempt_at_ms: row.get(11)?,
        status: row.get(12)?,
        outcome: row.get(13)?,
        created_at_ms: row.get(14)?,
        updated_at_ms: row.get(15)?,
    })
}

/// The delivery of that id, whichever store it belongs to: for the engine.
pub fn delivery(tx: &mut Tx<'_>, id: &str) -> Result<Option<Delivery>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id = $1");
    tx.query_dynamic(&sql, &[&id])?.first().map(delivery_of).transpose()
}

/// The delivery of that id in that store.
pub fn delivery_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Delivery>, Fault> {
    Ok(delivery(tx, id)?.filter(|delivery| delivery.store_id == store_id))
}

/// What a lane is to send next.
pub fn first_pending(
    tx: &mut Tx<'_>,
    endpoint_id: &str,
    subject_id: &str,
) -> Result<Option<Delivery>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         WHERE endpoint_id = $1 AND subject_id = $2 AND stage = 'pending'
         ORDER BY position, id LIMIT 1"
    );
    tx.query_dynamic(&sql, &[&endpoint_id, &subject_id])?.first().map(delivery_of).transpose()
}

/// Writes what became of a delivery.
pub fn update_delivery(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<(), Fault> {
    let changed = tx.execute(
        "UPDATE webhook_deliveries SET stage = $2, attempts = $3, tries = $4, next_at_ms = $5,
                                       first_attempt_at_ms = $6, status = $7, outcome = $8,
                                       updated_at_ms = $9
         WHERE id = $1",
        &[
            &delivery.id,
            &delivery.stage.name(),
            &delivery.attempts,
            &delivery.tries,
            &delivery.next_at_ms,
            &delivery.first_attempt_at_ms,
            &delivery.status,
            &delivery.outcome,
            &delivery.updated_at_ms,
        ],
    )?;
    expect_one(changed, "webhook delivery", &delivery.id)
}

/// Ends what a lane has still to send: its endpoint is not called.
pub fn bury_lane(
    tx: &mut Tx<'_>,
    endpoint_id: &str,
    subject_id: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    tx.execute(
        "UPDATE webhook_deliveries
         SET stage = 'dead', outcome = 'the endpoint is disabled', updated_at_ms = $3
         WHERE endpoint_id = $1 AND subject_id = $2 AND stage = 'pending'",
        &[&endpoint_id, &subject_id, &now_ms],
    )?;
    Ok(())
}

/// What a list of deliveries is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only to this endpoint.
    pub endpoint_id: Option<String>,
    /// Only those that stand so.
    pub stage: Option<Stage>,
    /// Only of this subject.
    pub subject_id: Option<String>,
    /// Only of this event.
    pub event_id: Option<String>,
    /// Only those before this one: its time and id.
    pub before: Option<(i64, String)>,
}

/// Deliveries of a store, the newest event first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE store_id = $1");
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    let stage = filter.stage.map(Stage::name);
    // Writing to a String cannot fail.
    let mut narrow = |column: &str, value| {
        params.push(value);
        let _ = write!(sql, " AND {column} = ${}", params.len());
    };
    if let Some(endpoint_id) = &filter.endpoint_id {
        narrow("endpoint_id", endpoint_id);
    }
    if let Some(stage) = &stage {
        narrow("stage", stage);
    }
    if let Some(subject_id) = &filter.subject_id {
        narrow("subject_id", subject_id);
    }
    if let Some(event_id) = &filter.event_id {
        narrow("event_id", event_id);
    }
    if let Some((at_ms, id)) = &filter.before {
        params.push(at_ms);
        let at = params.len();
        params.push(id);
        let n = params.len();
        let _ =
            write!(sql, " AND (created_at_ms < ${at} OR (created_at_ms = ${at} AND id < ${n}))");
    }
    params.push(&limit);
    let _ = write!(sql, " ORDER BY created_at_ms DESC, id DESC LIMIT ${}", params.len());
    tx.query_dynamic(&sql, &params)?.iter().map(delivery_of).collect()
}

/// How many deliveries to an endpoint stand how.
pub fn count_by_stage(tx: &mut Tx<'_>, endpoint_id: &str) -> Result<Vec<(String, i64)>, Fault> {
    tx.query(
        "SELECT stage, COUNT(*) FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY stage",
        &[&endpoint_id],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, row.get(1)?)))
    .collect()
}

/// Begins the oldest dead letters of an endpoint anew; answers how many.
pub fn revive(tx: &mut Tx<'_>, endpoint_id: &str, limit: i64, now_ms: i64) -> Result<i64, Fault> {
    let found = tx.query(
        "SELECT id, subject_id FROM webhook_deliveries
         WHERE endpoint_id = $1 AND stage = 'dead' ORDER BY created_at_ms, id LIMIT $2",
        &[&endpoint_id, &limit],
    )?;
    for row in &found {
        let (id, subject_id): (String, String) = (row.get(0)?, row.get(1)?);
        revive_one(tx, &id, &lane(endpoint_id, &subject_id), now_ms)?;
    }
    Ok(i64::try_from(found.len()).unwrap_or(i64::MAX))
}

/// Begins a delivery anew, whatever became of it; one that is on its way is tried now.
pub fn revive_one(tx: &mut Tx<'_>, id: &str, lane: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE webhook_deliveries
         SET stage = 'pending', tries = 0, next_at_ms = $2, first_attempt_at_ms = NULL,
             updated_at_ms = $2
         WHERE id = $1",
        &[&id, &now_ms],
    )?;
    Ok(LANES.ensure(tx, lane, now_ms, "")?)
}

/// An attempt as the log shows it. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1.
    pub number: i64,
    /// When it began.
    pub at_ms: i64,
    /// How long it took.
    pub duration_ms: i64,
    /// The HTTP status, if there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What it came to, in a few words.
    pub outcome: String,
    /// The beginning of the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// Keeps an attempt.
pub fn add_attempt(tx: &mut Tx<'_>, delivery_id: &str, attempt: &Attempt) -> Result<(), Fault> {
    let document = write_document("webhook attempt", attempt)?;
    tx.execute(
        "INSERT INTO webhook_attempts (delivery_id, number, document, at_ms)
         VALUES ($1, $2, $3, $4)",
        &[&delivery_id, &attempt.number, &document, &attempt.at_ms],
    )?;
    Ok(())
}

/// The attempts of a delivery, oldest first.
pub fn attempts(tx: &mut Tx<'_>, delivery_id: &str) -> Result<Vec<Attempt>, Fault> {
    tx.query(
        "SELECT document FROM webhook_attempts WHERE delivery_id = $1 ORDER BY number",
        &[&delivery_id],
    )?
    .iter()
    .map(|row| read_document("webhook attempt", row.get(0)?))
    .collect()
}

/// Forgets some deliveries of a store whose events are from before then and that are not on their way;
/// answers how many.
pub fn forget(tx: &mut Tx<'_>, store_id: &str, before_ms: i64, limit: i64) -> Result<usize, Fault> {
    let found = tx.query(
        "SELECT id FROM webhook_deliveries
         WHERE store_id = $1 AND created_at_ms < $2 AND stage <> 'pending'
         ORDER BY created_at_ms, id LIMIT $3",
        &[&store_id, &before_ms, &limit],
    )?;
    for row in &found {
        let id: String = row.get(0)?;
        tx.execute("DELETE FROM webhook_attempts WHERE delivery_id = $1", &[&id])?;
        tx.execute("DELETE FROM webhook_deliveries WHERE id = $1", &[&id])?;
    }
    Ok(found.len())
}
