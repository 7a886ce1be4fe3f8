//! Rows of subscriptions and of their charges.

use serde::{Deserialize, Serialize};
use storage::{Row, Tx};

use super::customers::{Filter, documents};
use super::{expect_one, read_document, write_document};
use crate::domain::operation::Refusal;
use crate::domain::subscription::Subscription;
use crate::fault::Fault;

fn from_row(row: &Row) -> Result<Subscription, Fault> {
    read_document("subscription", row.get(0)?)
}

/// Adds a subscription.
pub fn insert(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), Fault> {
    let document = write_document("subscription", subscription)?;
    tx.execute(
        "INSERT INTO subscriptions (id, store_id, version, status, merchant_reference, customer_id,
                                    customer_token_id, checkout_id, plan_id, due_at_ms, document,
                                    created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &[
            &subscription.id,
            &subscription.store_id,
            &subscription.version,
            &subscription.status.name(),
            &subscription.merchant_reference,
            &subscription.customer_id,
            &subscription.customer_token_id,
            &subscription.checkout_id,
            &subscription.plan_id,
            &subscription.due_at_ms(),
            &document,
            &subscription.created_at_ms,
            &subscription.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// The subscription of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Subscription>, Fault> {
    tx.query_opt(
        "SELECT document FROM subscriptions WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// The subscription of that id, whichever store it belongs to: for the engine.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Subscription>, Fault> {
    tx.query_opt("SELECT document FROM subscriptions WHERE id = $1", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The subscription of that id, to be changed in this unit of work.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Subscription>, Fault> {
    tx.query_opt("SELECT document FROM subscriptions WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// Writes a changed subscription: counts its version up, keeps the time, and when it is due next.
pub fn update(tx: &mut Tx<'_>, subscription: &mut Subscription, now_ms: i64) -> Result<(), Fault> {
    let read_at = subscription.version;
    subscription.version += 1;
    subscription.updated_at_ms = now_ms;
    let document = write_document("subscription", subscription)?;
    let changed = tx.execute(
        "UPDATE subscriptions SET version = $2, status = $3, customer_token_id = $4, plan_id = $5,
                                  due_at_ms = $6, document = $7, updated_at_ms = $8
         WHERE id = $1 AND version = $9",
        &[
            &subscription.id,
            &subscription.version,
            &subscription.status.name(),
            &subscription.customer_token_id,
            &subscription.plan_id,
            &subscription.due_at_ms(),
            &document,
            &now_ms,
            &read_at,
        ],
    )?;
    expect_one(changed, "subscription", &subscription.id)
}

/// Moves when a subscription is looked at next, and nothing else.
pub fn set_due_at(tx: &mut Tx<'_>, id: &str, due_at_ms: Option<i64>) -> Result<(), Fault> {
    tx.execute("UPDATE subscriptions SET due_at_ms = $2 WHERE id = $1", &[&id, &due_at_ms])?;
    Ok(())
}

/// When the next subscription is due.
pub fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MIN(due_at_ms) FROM subscriptions", &[])?.get(0)?)
}

/// Subscriptions that are due by now, to be changed in this unit of work.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Subscription>, Fault> {
    tx.query(
        "SELECT document FROM subscriptions WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2
         {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Subscriptions of a store, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<Subscription>, Fault> {
    documents(tx, "subscriptions", store_id, filter, limit)?.iter().map(from_row).collect()
}

/// How many subscriptions of a store are in each status.
pub fn count_by_status(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<(String, i64)>, Fault> {
    tx.query(
        "SELECT status, COUNT(*) FROM subscriptions WHERE store_id = $1 GROUP BY status",
        &[&store_id],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, row.get(1)?)))
    .collect()
}

/// The subscriptions that a token is charged for and that are not over, to be changed.
pub fn living_of_token(tx: &mut Tx<'_>, token_id: &str) -> Result<Vec<Subscription>, Fault> {
    tx.query(
        "SELECT document FROM subscriptions WHERE customer_token_id = $1 AND status <> 'cancelled'
         ORDER BY id {for_update}",
        &[&token_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// The subscriptions that wait for the token of a checkout, to be changed.
pub fn waiting_for_checkout(
    tx: &mut Tx<'_>,
    checkout_id: &str,
) -> Result<Vec<Subscription>, Fault> {
    tx.query(
        "SELECT document FROM subscriptions WHERE checkout_id = $1 AND status = 'incomplete'
         ORDER BY id {for_update}",
        &[&checkout_id],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// What came of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// Klarna is being asked, or a person is.
    Pending,
    /// It failed, and something follows.
    Failed,
    /// Paid.
    Paid,
    /// It failed and was given up.
    GivenUp,
    /// The subscription ended before it was paid.
    Void,
}

impl ChargeStatus {
    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Paid => "paid",
            Self::GivenUp => "given_up",
            Self::Void => "void",
        }
    }
}

/// One charge of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The subscription.
    pub subscription_id: String,
    /// Its number; the first is 1.
    pub number: i64,
    /// The store.
    pub store_id: String,
    /// What came of it.
    pub status: ChargeStatus,
    /// When it fell due: the beginning of what it pays for.
    pub due_at_ms: i64,
    /// The end of what it pays for.
    pub period_end_ms: Option<i64>,
    /// How much, in minor units.
    pub amount: klarna_types::MinorUnits,
    /// In which currency.
    pub currency: klarna_types::Currency,
    /// The plan it was charged by.
    pub plan_id: String,
    /// The operations that asked for it, oldest first.
    pub operations: Vec<String>,
    /// The payment that paid it.
    pub payment_id: Option<String>,
    /// Why its last attempt failed.
    pub refusal: Option<Refusal>,
    /// The last change.
    pub updated_at_ms: i64,
}

fn charge_from_row(row: &Row) -> Result<Charge, Fault> {
    read_document("charge", row.get(0)?)
}

/// Writes a charge, new or changed.
pub fn put_charge(tx: &mut Tx<'_>, charge: &mut Charge, now_ms: i64) -> Result<(), Fault> {
    charge.updated_at_ms = now_ms;
    let document = write_document("charge", charge)?;
    tx.execute(
        "INSERT INTO subscription_charges (subscription_id, number, store_id, status, payment_id,
                                           document, due_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (subscription_id, number)
         DO UPDATE SET status = $4, payment_id = $5, document = $6, updated_at_ms = $8",
        &[
            &charge.subscription_id,
            &charge.number,
            &charge.store_id,
            &charge.status.name(),
            &charge.payment_id,
            &document,
            &charge.due_at_ms,
            &now_ms,
        ],
    )?;
    Ok(())
}

/// A charge by its number.
pub fn charge(
    tx: &mut Tx<'_>,
    subscription_id: &str,
    number: i64,
) -> Result<Option<Charge>, Fault> {
    tx.query_opt(
        "SELECT document FROM subscription_charges WHERE subscription_id = $1 AND number = $2",
        &[&subscription_id, &number],
    )?
    .as_ref()
    .map(charge_from_row)
    .transpose()
}

/// The charges of a subscription, newest first, those before a number if one is said.
pub fn charges(
    tx: &mut Tx<'_>,
    subscription_id: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Charge>, Fault> {
    let before = before.unwrap_or(i64::MAX);
    tx.query(
        "SELECT document FROM subscription_charges WHERE subscription_id = $1 AND number < $2
         ORDER BY number DESC LIMIT $3",
        &[&subscription_id, &before, &limit],
    )?
    .iter()
    .map(charge_from_row)
    .collect()
}

/// The charge that a payment paid.
pub fn charge_of_payment(tx: &mut Tx<'_>, payment_id: &str) -> Result<Option<Charge>, Fault> {
    tx.query_opt("SELECT document FROM subscription_charges WHERE payment_id = $1", &[&payment_id])?
        .as_ref()
        .map(charge_from_row)
        .transpose()
}
