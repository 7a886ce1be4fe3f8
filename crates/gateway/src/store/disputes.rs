//! Dispute rows.

use std::fmt::Write as _;

use storage::{Migration, Row, ToValue, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::dispute::Dispute;
use crate::fault::Fault;

/// The table of disputes.
pub const MIGRATION: Migration = Migration {
    version: 78,
    name: "disputes",
    sql: "
CREATE TABLE disputes (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    payment_id TEXT,
    state TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    currency TEXT,
    amount_minor BIGINT,
    deadline_ms BIGINT,
    document TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL
);
CREATE INDEX disputes_by_time ON disputes (store_id, opened_at_ms, id);
CREATE INDEX disputes_by_deadline ON disputes (store_id, is_open, deadline_ms, id);
CREATE INDEX disputes_by_payment ON disputes (payment_id);
",
};

fn from_row(row: &Row) -> Result<Dispute, Fault> {
    read_document("dispute", row.get(0)?)
}

/// The dispute of that id, to be changed in this unit of work.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Dispute>, Fault> {
    tx.query_opt("SELECT document FROM disputes WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The dispute of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Dispute>, Fault> {
    tx.query_opt(
        "SELECT document FROM disputes WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Adds a dispute.
pub fn insert(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), Fault> {
    let document = write_document("dispute", dispute)?;
    let facts = &dispute.facts;
    tx.execute(
        "INSERT INTO disputes (id, store_id, version, payment_id, state, is_open, currency,
                               amount_minor, deadline_ms, document, opened_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            &dispute.id,
            &dispute.store_id,
            &dispute.version,
            &dispute.payment_id,
            &facts.standing.name(),
            &i64::from(!facts.standing.is_closed()),
            &facts.currency.as_ref().map(|currency| currency.as_str().to_owned()),
            &facts.amount.map(klarna_types::MinorUnits::get),
            &facts.deadline_ms,
            &document,
            &facts.opened_at_ms,
        ],
    )?;
    Ok(())
}

/// Writes a changed dispute; its version was counted up by the change.
pub fn update(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<(), Fault> {
    let document = write_document("dispute", dispute)?;
    let facts = &dispute.facts;
    let changed = tx.execute(
        "UPDATE disputes SET version = $2, state = $3, is_open = $4, currency = $5,
                             amount_minor = $6, deadline_ms = $7, document = $8, opened_at_ms = $9
         WHERE id = $1 AND version = $10",
        &[
            &dispute.id,
            &dispute.version,
            &facts.standing.name(),
            &i64::from(!facts.standing.is_closed()),
            &facts.currency.as_ref().map(|currency| currency.as_str().to_owned()),
            &facts.amount.map(klarna_types::MinorUnits::get),
            &facts.deadline_ms,
            &document,
            &facts.opened_at_ms,
            &(dispute.version - 1),
        ],
    )?;
    expect_one(changed, "dispute", &dispute.id)
}

/// The disputes about a payment, oldest first.
pub fn of_payment(
    tx: &mut Tx<'_>,
    store_id: &str,
    payment_id: &str,
) -> Result<Vec<Dispute>, Fault> {
    tx.query(
        "SELECT document FROM disputes WHERE payment_id = $1 AND store_id = $2
         ORDER BY opened_at_ms, id LIMIT 100",
        &[&payment_id, &store_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// The open disputes of a store that wait for it, the next deadline first.
pub fn waiting(tx: &mut Tx<'_>, store_id: &str, limit: i64) -> Result<Vec<Dispute>, Fault> {
    tx.query(
        "SELECT document FROM disputes
         WHERE store_id = $1 AND is_open = 1 AND deadline_ms IS NOT NULL
         ORDER BY deadline_ms, id LIMIT $2",
        &[&store_id, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// How many disputes of a store are open, and how much they are about: by currency.
pub fn open(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<(String, i64, i64)>, Fault> {
    tx.query(
        "SELECT currency, COUNT(*), CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM disputes
         WHERE store_id = $1 AND is_open = 1 AND currency IS NOT NULL GROUP BY currency",
        &[&store_id],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    .collect()
}

/// What a list of disputes is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<String>,
    /// Only open ones, or only those that are not.
    pub open: Option<bool>,
    /// Only those about this payment.
    pub payment_id: Option<String>,
    /// Only those before this one: its time and id.
    pub before: Option<(i64, String)>,
}

/// Disputes of a store, the last raised first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Dispute>, Fault> {
    let mut sql = String::from("SELECT document FROM disputes WHERE store_id = $1");
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    let is_open = filter.open.map(i64::from);
    // Writing to a String cannot fail.
    if let Some(state) = &filter.state {
        params.push(state);
        let _ = write!(sql, " AND state = ${}", params.len());
    }
    if let Some(is_open) = &is_open {
        params.push(is_open);
        let _ = write!(sql, " AND is_open = ${}", params.len());
    }
    if let Some(payment_id) = &filter.payment_id {
        params.push(payment_id);
        let _ = write!(sql, " AND payment_id = ${}", params.len());
    }
    if let Some((at_ms, id)) = &filter.before {
        params.push(at_ms);
        let at = params.len();
        params.push(id);
        let n = params.len();
        let _ = write!(sql, " AND (opened_at_ms < ${at} OR (opened_at_ms = ${at} AND id < ${n}))");
    }
    params.push(&limit);
    let _ = write!(sql, " ORDER BY opened_at_ms DESC, id DESC LIMIT ${}", params.len());
    tx.query_dynamic(&sql, &params)?.iter().map(from_row).collect()
}
