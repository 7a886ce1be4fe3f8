//! What was asked to be forgotten, what was, and what waits; and the taking away itself, row by row.
//!
//! An erasure's own row names payments and checkouts by our ids and nothing of the people that were in them.

use serde::{Deserialize, Serialize};
use storage::{Migration, Row, Tx};

use super::{
    checkouts, customers, events, identities, operations, payments, read_document, webhooks,
    write_document,
};
use crate::domain::customer::TokenStatus;
use crate::domain::erasure::{self, Because, Needed};
use crate::domain::journal::Operation;
use crate::fault::Fault;

/// What was forgotten, and the list of what was asked for.
pub const MIGRATION: Migration = Migration {
    version: 71,
    name: "erasure of personal data",
    sql: "
ALTER TABLE payments ADD COLUMN erased_at_ms BIGINT;
ALTER TABLE checkouts ADD COLUMN erased_at_ms BIGINT;
CREATE INDEX payments_to_erase ON payments (store_id, updated_at_ms)
    WHERE erased_at_ms IS NULL AND status NOT IN ('authorized', 'part_captured');
CREATE INDEX checkouts_to_erase ON checkouts (store_id, updated_at_ms)
    WHERE erased_at_ms IS NULL AND status IN ('expired', 'cancelled');

CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    document TEXT NOT NULL,
    due_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX erasures_by_store ON erasures (store_id, created_at_ms, id);
CREATE INDEX erasures_by_due ON erasures (due_at_ms) WHERE due_at_ms IS NOT NULL;
",
};

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErasureKind)]
pub enum Kind {
    /// A payment, with the checkout it came from.
    Payment,
    /// A checkout that led to no payment.
    Checkout,
    /// A customer, with their tokens and every payment that was charged to one.
    Customer,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErasureState)]
pub enum State {
    /// Nothing of the shopper is there any more.
    Erased,
    /// It is still needed, and is erased afterwards.
    Waiting,
    /// There is no such thing in this store.
    Unknown,
}

/// One thing of which the shopper is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub state: State,
    /// When it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at_ms: Option<i64>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// Until when at the latest, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// What was asked to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// The store that asked.
    pub store_id: String,
    /// What is to be forgotten.
    pub subjects: Vec<Subject>,
    /// When it was asked.
    pub created_at_ms: i64,
}

impl Erasure {
    /// When it is to be looked at again; never, once nothing waits.
    pub fn due_at_ms(&self, now_ms: i64) -> Option<i64> {
        let waiting = self.subjects.iter().filter(|subject| subject.state == State::Waiting);
        let soon_ms = now_ms + erasure::LOOK_AGAIN_MS;
        waiting.map(|subject| subject.until_ms.unwrap_or(soon_ms).clamp(now_ms + 1, soon_ms)).min()
    }
}

fn from_row(row: &Row) -> Result<Erasure, Fault> {
    Ok(Erasure {
        id: row.get(0)?,
        store_id: row.get(1)?,
        subjects: read_document("erasure", row.get(2)?)?,
        created_at_ms: row.get(3)?,
    })
}

/// Adds an erasure.
pub fn insert(tx: &mut Tx<'_>, erasure: &Erasure, now_ms: i64) -> Result<(), Fault> {
    let document = write_document("erasure", &erasure.subjects)?;
    tx.execute(
        "INSERT INTO erasures (id, store_id, document, due_at_ms, created_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &erasure.id,
            &erasure.store_id,
            &document,
            &erasure.due_at_ms(now_ms),
            &erasure.created_at_ms,
        ],
    )?;
    Ok(())
}

/// Writes what became of an erasure.
pub fn update(tx: &mut Tx<'_>, erasure: &Erasure, now_ms: i64) -> Result<(), Fault> {
    let document = write_document("erasure", &erasure.subjects)?;
    tx.execute(
        "UPDATE erasures SET document = $2, due_at_ms = $3 WHERE id = $1",
        &[&erasure.id, &document, &erasure.due_at_ms(now_ms)],
    )?;
    Ok(())
}

/// The erasure of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Erasure>, Fault> {
    tx.query_opt(
        "SELECT id, store_id, document, created_at_ms FROM erasures
         WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// A page of a store's erasures, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    before: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Erasure>, Fault> {
    let rows = match before {
        None => tx.query(
            "SELECT id, store_id, document, created_at_ms FROM erasures WHERE store_id = $1
             ORDER BY created_at_ms DESC, id DESC LIMIT $2",
            &[&store_id, &limit],
        )?,
        Some((at_ms, id)) => tx.query(
            "SELECT id, store_id, document, created_at_ms FROM erasures WHERE store_id = $1
               AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4))
             ORDER BY created_at_ms DESC, id DESC LIMIT $2",
            &[&store_id, &limit, at_ms, id],
        )?,
    };
    rows.iter().map(from_row).collect()
}

/// When the next erasure is to be looked at again.
pub fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx
        .query_one("SELECT MIN(due_at_ms) FROM erasures WHERE due_at_ms IS NOT NULL", &[])?
        .get(0)?)
}

/// Erasures that are to be looked at again by now.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Erasure>, Fault> {
    tx.query(
        "SELECT id, store_id, document, created_at_ms FROM erasures WHERE due_at_ms <= $1
         ORDER BY due_at_ms LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// What a store's shop calls payments: their ids.
pub fn payments_of_reference(
    tx: &mut Tx<'_>,
    store_id: &str,
    reference: &str,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    tx.query(
        "SELECT id FROM payments WHERE store_id = $1 AND merchant_reference = $2
         ORDER BY created_at_ms, id LIMIT $3",
        &[&store_id, &reference, &limit],
    )?
    .iter()
    .map(|row| Ok(row.get(0)?))
    .collect()
}

/// Payments of a store that came to their end before then, of which people are still known.
pub fn payments_over(
    tx: &mut Tx<'_>,
    store_id: &str,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    tx.query(
        "SELECT id FROM payments WHERE store_id = $1 AND updated_at_ms <= $2
           AND erased_at_ms IS NULL AND status NOT IN ('authorized', 'part_captured')
         ORDER BY updated_at_ms LIMIT $3",
        &[&store_id, &before_ms, &limit],
    )?
    .iter()
    .map(|row| Ok(row.get(0)?))
    .collect()
}

/// Checkouts of a store that ended without a payment before then, of which people are still known.
pub fn checkouts_over(
    tx: &mut Tx<'_>,
    store_id: &str,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    tx.query(
        "SELECT id FROM checkouts WHERE store_id = $1 AND updated_at_ms <= $2
           AND erased_at_ms IS NULL AND status IN ('expired', 'cancelled')
         ORDER BY updated_at_ms LIMIT $3",
        &[&store_id, &before_ms, &limit],
    )?
    .iter()
    .map(|row| Ok(row.get(0)?))
    .collect()
}

/// Whether the shopper of a payment was forgotten.
pub fn is_erased(tx: &mut Tx<'_>, payment_id: &str) -> Result<bool, Fault> {
    let row = tx.query_opt("SELECT erased_at_ms FROM payments WHERE id = $1", &[&payment_id])?;
    match row {
        Some(row) => Ok(row.get::<Option<i64>>(0)?.is_some()),
        None => Ok(false),
    }
}

/// What came of erasing one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// It was done now.
    Now,
    /// It was done then.
    Before(i64),
    /// It is still needed.
    Needed(Needed),
    /// There is no such thing.
    Unknown,
}

/// The event that says that a shopper was forgotten.
pub const PAYMENT_ERASED: &str = "payment.personal_data_erased";
/// The same of a checkout that led to no payment.
pub const CHECKOUT_ERASED: &str = "checkout.personal_data_erased";

/// Forgets the shopper of a payment everywhere: in the payment, its checkout, what was asked of Klarna, what
/// was answered, the history, and what was told to the shop.
pub fn erase_payment(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    now_ms: i64,
) -> Result<Erased, Fault> {
    let Some(known) = payments::get_in(tx, store_id, id)? else { return Ok(Erased::Unknown) };
    // Checkout, then payment, then operations.
    let checkout = checkouts::lock(tx, &known.checkout_id)?;
    let Some(mut payment) = payments::lock(tx, id)? else { return Ok(Erased::Unknown) };
    if let Some(at_ms) = erased_at(tx, "payments", id)? {
        return Ok(Erased::Before(at_ms));
    }
    let pending = operations::pending_of_payment(tx, id)?;
    if let Some(needed) = erasure::payment_needed(&payment, pending.len()) {
        return Ok(Erased::Needed(needed));
    }
    for operation in operations::of_payment(tx, id)? {
        erase_operation(tx, operation)?;
    }
    if let Some(mut checkout) = checkout {
        for operation in operations::of_checkout(tx, &checkout.id)? {
            erase_operation(tx, operation)?;
        }
        checkout.forget_for_good();
        checkouts::update(tx, &mut checkout, None, now_ms)?;
        tx.execute(
            "UPDATE checkouts SET erased_at_ms = $2 WHERE id = $1",
            &[&checkout.id, &now_ms],
        )?;
        erase_history(tx, store_id, &checkout.id)?;
    }
    payment.forget_people();
    let check_at_ms = payment.next_check_at_ms(now_ms);
    payments::update(tx, &mut payment, check_at_ms, now_ms)?;
    tx.execute("UPDATE payments SET erased_at_ms = $2 WHERE id = $1", &[&payment.id, &now_ms])?;
    erase_history(tx, store_id, id)?;
    let subject = (payment.id.as_str(), payment.version);
    let data = serde_json::json!({ "status": payment.status });
    events::append(tx, store_id, subject, PAYMENT_ERASED, &data, now_ms)?;
    Ok(Erased::Now)
}

/// Forgets the shopper of a checkout that led to no payment.
pub fn erase_checkout(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    now_ms: i64,
) -> Result<Erased, Fault> {
    let found = checkouts::lock(tx, id)?.filter(|checkout| checkout.store_id == store_id);
    let Some(mut checkout) = found else { return Ok(Erased::Unknown) };
    if let Some(payment_id) = checkout.payment_id.clone() {
        return erase_payment(tx, store_id, &payment_id, now_ms);
    }
    if let Some(at_ms) = erased_at(tx, "checkouts", id)? {
        return Ok(Erased::Before(at_ms));
    }
    let placements = operations::of_checkout(tx, id)?;
    if placements.iter().any(|operation| operation.state.holds_amount()) {
        let because = Because::OperationPending;
        return Ok(Erased::Needed(Needed { because, until_ms: None }));
    }
    if let Some(needed) = erasure::checkout_needed(&checkout) {
        return Ok(Erased::Needed(needed));
    }
    for operation in placements {
        erase_operation(tx, operation)?;
    }
    checkout.forget_for_good();
    checkouts::update(tx, &mut checkout, None, now_ms)?;
    tx.execute("UPDATE checkouts SET erased_at_ms = $2 WHERE id = $1", &[&id, &now_ms])?;
    erase_history(tx, store_id, id)?;
    let subject = (checkout.id.as_str(), checkout.version);
    let data = serde_json::json!({ "status": checkout.status });
    events::append(tx, store_id, subject, CHECKOUT_ERASED, &data, now_ms)?;
    Ok(Erased::Now)
}

/// What a customer's shop calls them once they were forgotten: the prefix, and our own id.
const ERASED: &str = "erased-";

/// Forgets a customer: the shop's name for them, their tokens, and every payment that was charged to one.
pub fn erase_customer(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    now_ms: i64,
) -> Result<Erased, Fault> {
    let Some(mut customer) = customers::get_in(tx, store_id, id)? else {
        return Ok(Erased::Unknown);
    };
    let filter = customers::Filter { only: vec![("customer_id", id)], before: None };
    let tokens = customers::list_tokens(tx, store_id, &filter, MOST_OF_ONE)?;
    if tokens.iter().any(|token| token.status != TokenStatus::Cancelled) {
        let because = Because::TokenActive;
        return Ok(Erased::Needed(Needed { because, until_ms: None }));
    }
    let name = format!("{ERASED}{id}");
    let mut forgot = customer.reference != name;
    forgot |= identities::forget_customer(tx, id)?;
    let mut ids = payments_of_customer(tx, id)?;
    for mut token in tokens {
        let checkout = checkouts::get(tx, &token.checkout_id)?;
        ids.extend(checkout.and_then(|checkout| checkout.payment_id));
        if !(token.klarna_token_id.is_empty() && token.description.is_empty()) {
            token.klarna_token_id.clear();
            token.description.clear();
            customers::update_token(tx, &mut token, now_ms)?;
            forgot = true;
        }
        erase_checkout(tx, store_id, &token.checkout_id, now_ms)?;
        erase_subject(tx, store_id, &token.id)?;
    }
    ids.sort();
    ids.dedup();
    let mut needed = None;
    for payment_id in ids {
        match erase_payment(tx, store_id, &payment_id, now_ms)? {
            Erased::Now => forgot = true,
            Erased::Needed(still) => needed = Some(still),
            Erased::Before(_) | Erased::Unknown => {}
        }
    }
    if let Some(needed) = needed {
        return Ok(Erased::Needed(needed));
    }
    if !forgot {
        return Ok(Erased::Before(now_ms));
    }
    for row in
        tx.query("SELECT id FROM subscriptions WHERE customer_id = $1 ORDER BY id", &[&id])?
    {
        erase_subject(tx, store_id, &row.get::<String>(0)?)?;
    }
    customer.reference = name;
    let document = write_document("customer", &customer)?;
    tx.execute(
        "UPDATE customers SET reference = $2, document = $3 WHERE id = $1",
        &[&id, &customer.reference, &document],
    )?;
    Ok(Erased::Now)
}

/// The most tokens and payments of one customer.
const MOST_OF_ONE: i64 = 10_000;

fn payments_of_customer(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>, Fault> {
    tx.query(
        "SELECT payment_id FROM subscription_charges
         JOIN subscriptions ON subscriptions.id = subscription_charges.subscription_id
         WHERE subscriptions.customer_id = $1 AND payment_id IS NOT NULL LIMIT $2",
        &[&id, &MOST_OF_ONE],
    )?
    .iter()
    .map(|row| Ok(row.get(0)?))
    .collect()
}

/// Forgets what was written about a token or a subscription, and what was asked about it.
fn erase_subject(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<(), Fault> {
    let rows = tx.query("SELECT document FROM operations WHERE subject = $1", &[&id])?;
    for row in &rows {
        let operation: Operation = read_document("operation", row.get(0)?)?;
        if !operation.state.holds_amount() {
            erase_operation(tx, operation)?;
        }
    }
    erase_history(tx, store_id, id)
}

fn erased_at(tx: &mut Tx<'_>, table: &'static str, id: &str) -> Result<Option<i64>, Fault> {
    let sql = format!("SELECT erased_at_ms FROM {table} WHERE id = $1");
    match tx.query_dynamic(&sql, &[&id])?.first() {
        Some(row) => Ok(row.get(0)?),
        None => Ok(None),
    }
}

fn erase_operation(tx: &mut Tx<'_>, mut operation: Operation) -> Result<(), Fault> {
    operation.forget_people();
    operations::update(tx, &mut operation)?;
    for mut attempt in operations::attempts(tx, &operation.id)? {
        attempt.forget_bodies();
        let document = write_document("attempt", &attempt)?;
        tx.execute(
            "UPDATE attempts SET document = $3 WHERE operation_id = $1 AND number = $2",
            &[&operation.id, &attempt.number, &document],
        )?;
    }
    Ok(())
}

/// What happened stays; what somebody may have written about it goes, and so do the shop's answers.
fn erase_history(tx: &mut Tx<'_>, store_id: &str, subject_id: &str) -> Result<(), Fault> {
    for event in events::of_subject(tx, subject_id)? {
        let kept = erasure::event_without_people(&event.data);
        if kept != event.data {
            let document = write_document("event", &kept)?;
            tx.execute("UPDATE events SET document = $2 WHERE id = $1", &[&event.id, &document])?;
        }
    }
    for endpoint in webhooks::endpoints(tx, store_id)? {
        tx.execute(
            "DELETE FROM webhook_attempts WHERE delivery_id IN
                 (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND subject_id = $2)",
            &[&endpoint.id, &subject_id],
        )?;
    }
    tx.execute("DELETE FROM stream_tokens WHERE subject_id = $1", &[&subject_id])?;
    Ok(())
}
