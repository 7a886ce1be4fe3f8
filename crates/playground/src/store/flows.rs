//! Purchase flows: one row each, and a history of the steps they went through.

use klarna_types::SessionId;
use storage::{Migration, Tx};

use crate::domain::flow::{Flow, Step};
use crate::store::{StoreError, from_document, to_document};

/// Its tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 30,
    name: "flows",
    sql: "CREATE TABLE flows (
            flow_id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL,
            position BIGINT NOT NULL,
            page_origin TEXT NOT NULL,
            step TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            updated_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL,
            flow TEXT NOT NULL
          );
          CREATE UNIQUE INDEX flows_by_session ON flows (session_id, position);
          CREATE TABLE flow_events (
            flow_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            step TEXT NOT NULL,
            PRIMARY KEY (flow_id, version)
          )",
};

const FLOW: &str = "purchase flow";

/// A flow with what it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct StoredFlow {
    /// Its id.
    pub(crate) flow_id: String,
    /// The session it buys in.
    pub(crate) session_id: SessionId,
    /// The origin of the merchant's page that began it; no other page may go on with it.
    pub(crate) page_origin: String,
    /// Grows by one with each change.
    pub(crate) version: i64,
    /// The flow itself.
    pub(crate) flow: Flow,
}

/// Adds a flow.
pub(crate) fn insert(tx: &mut Tx<'_>, stored: &StoredFlow, now_ms: i64) -> Result<(), StoreError> {
    let document = to_document(FLOW, &stored.flow)?;
    // The clock may stand still, so flows of a session are counted and not only dated.
    let position: i64 = tx
        .query_one(
            "SELECT COALESCE(MAX(position), 0) + 1 FROM flows WHERE session_id = $1",
            &[&stored.session_id.as_str()],
        )?
        .get(0)?;
    tx.execute(
        "INSERT INTO flows
           (flow_id, session_id, position, page_origin, step, created_at_ms, updated_at_ms,
            version, flow)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
        &[
            &stored.flow_id.as_str(),
            &stored.session_id.as_str(),
            &position,
            &stored.page_origin.as_str(),
            &step_name(stored.flow.step),
            &now_ms,
            &stored.version,
            &document,
        ],
    )?;
    note(tx, stored, now_ms)
}

/// Writes a changed flow; its version grows by one.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    stored: &mut StoredFlow,
    now_ms: i64,
) -> Result<(), StoreError> {
    stored.version += 1;
    let document = to_document(FLOW, &stored.flow)?;
    tx.execute(
        "UPDATE flows SET step = $2, updated_at_ms = $3, version = $4, flow = $5
         WHERE flow_id = $1",
        &[
            &stored.flow_id.as_str(),
            &step_name(stored.flow.step),
            &now_ms,
            &stored.version,
            &document,
        ],
    )?;
    note(tx, stored, now_ms)
}

/// A flow of this session. Its row is locked until the unit of work ends.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
    flow_id: &str,
) -> Result<Option<StoredFlow>, StoreError> {
    let row = tx.query_opt(
        "SELECT page_origin, version, flow FROM flows
         WHERE flow_id = $1 AND session_id = $2 {for_update}",
        &[&flow_id, &session_id.as_str()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let document: &str = row.get(2)?;
    Ok(Some(StoredFlow {
        flow_id: flow_id.to_owned(),
        session_id: session_id.clone(),
        page_origin: row.get(0)?,
        version: row.get(1)?,
        flow: from_document(FLOW, document)?,
    }))
}

/// The newest flow of this session that was approved.
pub(crate) fn last_approved(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
) -> Result<Option<Flow>, StoreError> {
    let row = tx.query_opt(
        "SELECT flow FROM flows WHERE session_id = $1 AND step = $2
         ORDER BY position DESC LIMIT 1",
        &[&session_id.as_str(), &step_name(Step::Approved)],
    )?;
    let Some(row) = row else { return Ok(None) };
    let document: &str = row.get(0)?;
    from_document(FLOW, document).map(Some)
}

fn note(tx: &mut Tx<'_>, stored: &StoredFlow, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO flow_events (flow_id, version, at_ms, step) VALUES ($1, $2, $3, $4)",
        &[&stored.flow_id.as_str(), &stored.version, &now_ms, &step_name(stored.flow.step)],
    )?;
    Ok(())
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Identify => "identify",
        Step::Code => "code",
        Step::SignUp => "sign_up",
        Step::Proof => "proof",
        Step::Address => "address",
        Step::Shipping => "shipping",
        Step::Choose => "choose",
        Step::Review => "review",
        Step::PayAtBank => "pay_at_bank",
        Step::Approved => "approved",
        Step::Declined => "declined",
        Step::Left => "left",
    }
}
