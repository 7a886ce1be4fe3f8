//! Rows of customers, customer tokens and plans, and the tables of everything that recurs.

use std::fmt::Write as _;

use storage::{Migration, Row, ToValue, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::customer::{Customer, CustomerToken, TokenStatus};
use crate::domain::plan::Plan;
use crate::fault::Fault;

/// Customers, customer tokens, plans, subscriptions and their charges; and what an operation is about
/// where that is neither a checkout nor a payment.
pub const MIGRATION: Migration = Migration {
    version: 65,
    name: "what recurs",
    sql: "
ALTER TABLE operations ADD COLUMN subject TEXT;
CREATE INDEX operations_by_subject ON operations (subject, created_at_ms, id);

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (store_id, reference)
);
CREATE INDEX customers_by_time ON customers (store_id, created_at_ms, id);

CREATE TABLE customer_tokens (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    customer_id TEXT,
    checkout_id TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX customer_tokens_by_time ON customer_tokens (store_id, created_at_ms, id);
CREATE INDEX customer_tokens_by_customer ON customer_tokens (customer_id, created_at_ms, id);
CREATE INDEX customer_tokens_by_checkout ON customer_tokens (checkout_id);

CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX plans_by_time ON plans (store_id, created_at_ms, id);

CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    merchant_reference TEXT NOT NULL,
    customer_id TEXT,
    customer_token_id TEXT,
    checkout_id TEXT,
    plan_id TEXT NOT NULL,
    due_at_ms BIGINT,
    document TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX subscriptions_by_time ON subscriptions (store_id, created_at_ms, id);
CREATE INDEX subscriptions_by_status ON subscriptions (store_id, status, created_at_ms, id);
CREATE INDEX subscriptions_by_due_at ON subscriptions (due_at_ms);
CREATE INDEX subscriptions_by_token ON subscriptions (customer_token_id);
CREATE INDEX subscriptions_by_checkout ON subscriptions (checkout_id);

CREATE TABLE subscription_charges (
    subscription_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    store_id TEXT NOT NULL,
    status TEXT NOT NULL,
    payment_id TEXT,
    document TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (subscription_id, number)
);
CREATE INDEX subscription_charges_by_payment ON subscription_charges (payment_id);
",
};

/// What a list is narrowed to: rows of a store, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Only those whose column has this value.
    pub only: Vec<(&'static str, &'a str)>,
    /// Only those before this one: its time and id.
    pub before: Option<(i64, String)>,
}

/// The documents of a table that fit, newest first. `table` and the columns are names of this module's
/// and never come from outside.
pub(super) fn documents(
    tx: &mut Tx<'_>,
    table: &'static str,
    store_id: &str,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<Row>, Fault> {
    // Writing to a String cannot fail.
    let mut sql = format!("SELECT document FROM {table} WHERE store_id = $1");
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    for (column, value) in &filter.only {
        params.push(value);
        let _ = write!(sql, " AND {column} = ${}", params.len());
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
    Ok(tx.query_dynamic(&sql, &params)?)
}

fn customer(row: &Row) -> Result<Customer, Fault> {
    read_document("customer", row.get(0)?)
}

/// Adds a customer; `false` if the store has one of this reference already.
pub fn insert(tx: &mut Tx<'_>, customer: &Customer) -> Result<bool, Fault> {
    let document = write_document("customer", customer)?;
    let added = tx.execute(
        "INSERT INTO customers (id, store_id, reference, document, created_at_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (store_id, reference) DO NOTHING",
        &[
            &customer.id,
            &customer.store_id,
            &customer.reference,
            &document,
            &customer.created_at_ms,
        ],
    )?;
    Ok(added == 1)
}

/// The customer of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Customer>, Fault> {
    tx.query_opt(
        "SELECT document FROM customers WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(customer)
    .transpose()
}

/// The customer of that reference in that store.
pub fn by_reference(
    tx: &mut Tx<'_>,
    store_id: &str,
    reference: &str,
) -> Result<Option<Customer>, Fault> {
    tx.query_opt(
        "SELECT document FROM customers WHERE store_id = $1 AND reference = $2",
        &[&store_id, &reference],
    )?
    .as_ref()
    .map(customer)
    .transpose()
}

/// Customers of a store, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<Customer>, Fault> {
    documents(tx, "customers", store_id, filter, limit)?.iter().map(customer).collect()
}

fn token(row: &Row) -> Result<CustomerToken, Fault> {
    read_document("customer token", row.get(0)?)
}

/// Adds a customer token.
pub fn insert_token(tx: &mut Tx<'_>, token: &CustomerToken) -> Result<(), Fault> {
    let document = write_document("customer token", token)?;
    tx.execute(
        "INSERT INTO customer_tokens (id, store_id, version, status, customer_id, checkout_id,
                                      document, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &token.id,
            &token.store_id,
            &token.version,
            &token.status.name(),
            &token.customer_id,
            &token.checkout_id,
            &document,
            &token.created_at_ms,
            &token.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// The customer token of that id, whichever store it belongs to: for the engine.
pub fn token_of(tx: &mut Tx<'_>, id: &str) -> Result<Option<CustomerToken>, Fault> {
    tx.query_opt("SELECT document FROM customer_tokens WHERE id = $1", &[&id])?
        .as_ref()
        .map(token)
        .transpose()
}

/// The customer token of that id in that store.
pub fn token_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<CustomerToken>, Fault> {
    Ok(token_of(tx, id)?.filter(|token| token.store_id == store_id))
}

/// The customer token of that id, to be changed in this unit of work.
pub fn lock_token(tx: &mut Tx<'_>, id: &str) -> Result<Option<CustomerToken>, Fault> {
    tx.query_opt("SELECT document FROM customer_tokens WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(token)
        .transpose()
}

/// Writes a changed customer token: counts its version up and keeps the time.
pub fn update_token(tx: &mut Tx<'_>, token: &mut CustomerToken, now_ms: i64) -> Result<(), Fault> {
    let read_at = token.version;
    token.version += 1;
    token.updated_at_ms = now_ms;
    let document = write_document("customer token", token)?;
    let changed = tx.execute(
        "UPDATE customer_tokens SET version = $2, status = $3, document = $4, updated_at_ms = $5
         WHERE id = $1 AND version = $6",
        &[&token.id, &token.version, &token.status.name(), &document, &now_ms, &read_at],
    )?;
    expect_one(changed, "customer token", &token.id)
}

/// Customer tokens of a store, newest first.
pub fn list_tokens(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<CustomerToken>, Fault> {
    documents(tx, "customer_tokens", store_id, filter, limit)?.iter().map(token).collect()
}

/// How many customer tokens of a store are in each status.
pub fn count_tokens(
    tx: &mut Tx<'_>,
    store_id: &str,
) -> Result<Vec<(Option<TokenStatus>, i64)>, Fault> {
    tx.query(
        "SELECT status, COUNT(*) FROM customer_tokens WHERE store_id = $1 GROUP BY status",
        &[&store_id],
    )?
    .iter()
    .map(|row| Ok((TokenStatus::from_name(row.get(0)?), row.get(1)?)))
    .collect()
}

fn plan(row: &Row) -> Result<Plan, Fault> {
    read_document("plan", row.get(0)?)
}

/// Adds a plan.
pub fn insert_plan(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), Fault> {
    let document = write_document("plan", plan)?;
    tx.execute(
        "INSERT INTO plans (id, store_id, version, status, document, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &plan.id,
            &plan.store_id,
            &plan.version,
            &plan.status.name(),
            &document,
            &plan.created_at_ms,
            &plan.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// The plan of that id in that store.
pub fn plan_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Plan>, Fault> {
    tx.query_opt("SELECT document FROM plans WHERE id = $1 AND store_id = $2", &[&id, &store_id])?
        .as_ref()
        .map(plan)
        .transpose()
}

/// Writes a changed plan: counts its version up and keeps the time.
pub fn update_plan(tx: &mut Tx<'_>, plan: &mut Plan, now_ms: i64) -> Result<(), Fault> {
    let read_at = plan.version;
    plan.version += 1;
    plan.updated_at_ms = now_ms;
    let document = write_document("plan", plan)?;
    let changed = tx.execute(
        "UPDATE plans SET version = $2, status = $3, document = $4, updated_at_ms = $5
         WHERE id = $1 AND version = $6",
        &[&plan.id, &plan.version, &plan.status.name(), &document, &now_ms, &read_at],
    )?;
    expect_one(changed, "plan", &plan.id)
}

/// Plans of a store, newest first.
pub fn list_plans(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<Plan>, Fault> {
    documents(tx, "plans", store_id, filter, limit)?.iter().map(plan).collect()
}
