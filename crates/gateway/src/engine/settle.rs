//! Commits what came of an operation: in one unit of work the journal entry, the state it leads to
//! and the event that tells of it, and only while the lease is still held.

use klarna_types::payments::CreatedOrder;
use serde_json::json;
use storage::Tx;
use storage::queue::Item;

use super::commands::{next_placement, order_amount};
#[cfg(test)]
use super::planted;
use super::worker::{Made, still_ours};
use super::{Engine, changes, mirror, recurring, tasks};
use crate::domain::checkout::{self, Checkout};
use crate::domain::expiry::Calendar;
use crate::domain::figures::{self, Figure, Move, Sum};
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome, Request, Transfer};
use crate::domain::operation::{Doubt, Kind, Reason, Refusal, State, Step};
use crate::domain::payment::{Capture, Fraud, Happened, Payment, Refund, Status};
use crate::fault::Fault;
use crate::observe::Metrics;
use crate::store::operations::{Attempt, INTERACTIVE};
use crate::store::{checkouts, events, figures as figure_rows, operations, payments};

/// What came of a turn at an operation.
pub(super) enum Verdict {
    /// It took effect.
    Done(Made),
    /// It did not and will not.
    Refused(Refusal),
    /// A person must look.
    HandOver(Refusal),
    /// It surely did not yet; again then.
    Postponed { until_ms: i64 },
    /// Klarna was asked too much: again then, as if it had not been asked.
    PutOff { until_ms: i64 },
    /// Nobody knows; again then.
    InDoubt { until_ms: i64, doubt: Doubt },
}

/// Commits a verdict, and answers the operation as it then is.
pub(super) async fn settle(
    engine: &Engine,
    item: &Item,
    operation: Operation,
    verdict: Verdict,
    attempt: Option<Attempt>,
) -> Result<Operation, Fault> {
    log(&operation, &verdict, attempt.as_ref());
    let (kind, counted) = (operation.kind, Counted::of(operation.kind, &verdict));
    let now_ms = engine.now_ms();
    let item = item.clone();
    let held = operation;
    #[cfg(test)]
    let bug = engine.0.planted;
    let (woke, operation) = engine
        .database()
        .write(move |tx| {
            let stored = operations::get(tx, &held.id)?;
            #[cfg(test)]
            let anyway = planted::held_anyway(bug, tx, &item, stored.clone(), &held)?;
            let operation =
                stored.filter(|stored| still_ours(stored, &held)).ok_or(Fault::LeaseLost);
            #[cfg(test)]
            let operation = anyway.map_or(operation, Ok);
            let mut operation = operation?;
            if let Some(attempt) = &attempt {
                operation.correlation_id =
                    attempt.correlation_id.clone().or(operation.correlation_id);
                let mut attempt = attempt.clone();
                if operation.forgets {
                    attempt.forget_bodies();
                }
                operations::add_attempt(tx, &operation.id, attempt)?;
            }
            let woke = commit(tx, &item, &mut operation, &verdict, now_ms)?;
            // What the payment now says of a shopper who was forgotten is stripped with the next read.
            if let (true, Some(payment_id)) = (operation.forgets, &operation.payment_id) {
                payments::set_check_at(tx, payment_id, Some(now_ms))?;
            }
            Ok::<_, Fault>((woke, operation))
        })
        .await?;
    counted.count(engine.metrics(), kind);
    if woke {
        engine.wake();
    }
    Ok(operation)
}

/// What is counted once a verdict is recorded.
struct Counted {
    outcome: &'static str,
    purchase: Option<&'static str>,
}

impl Counted {
    fn of(kind: Kind, verdict: &Verdict) -> Self {
        let (outcome, purchase) = match verdict {
            Verdict::Done(_) => ("done", Some("approved")),
            Verdict::Refused(refusal) if refusal.reason == Reason::Declined => {
                ("refused", Some("declined"))
            }
            Verdict::Refused(_) => ("refused", Some("refused")),
            Verdict::HandOver(_) => ("needs_attention", Some("unclear")),
            Verdict::Postponed { .. } => ("postponed", None),
            Verdict::PutOff { .. } => ("put_off", None),
            Verdict::InDoubt { .. } => ("in_doubt", None),
        };
        Self { outcome, purchase: purchase.filter(|_| kind == Kind::PlaceOrder) }
    }

    fn count(&self, metrics: &Metrics, kind: Kind) {
        metrics.operation(kind, self.outcome);
        if let Some(result) = self.purchase {
            metrics.purchase(result);
        }
        if self.purchase == Some("approved") {
            metrics.checkout("completed");
        }
    }
}

fn log(operation: &Operation, verdict: &Verdict, attempt: Option<&Attempt>) {
    let correlation_id = attempt.and_then(|attempt| attempt.correlation_id.as_deref());
    let kind = operation.kind.name();
    let id = operation.id.as_str();
    match verdict {
        Verdict::Done(_) => {
            tracing::info!(
                operation.id = id,
                operation.kind = kind,
                klarna.correlation_id = correlation_id,
                "operation done"
            );
        }
        Verdict::Refused(refusal) => {
            tracing::warn!(
                operation.id = id,
                operation.kind = kind,
                klarna.correlation_id = correlation_id,
                reason = refusal.reason.name(),
                "operation refused"
            );
        }
        Verdict::HandOver(refusal) => {
            tracing::error!(
                operation.id = id,
                operation.kind = kind,
                klarna.correlation_id = correlation_id,
                reason = refusal.reason.name(),
                "operation needs a person"
            );
        }
        Verdict::Postponed { .. } | Verdict::PutOff { .. } => {
            tracing::warn!(
                operation.id = id,
                operation.kind = kind,
                klarna.correlation_id = correlation_id,
                "operation postponed"
            );
        }
        Verdict::InDoubt { .. } => {
            tracing::warn!(
                operation.id = id,
                operation.kind = kind,
                klarna.correlation_id = correlation_id,
                "operation in doubt"
            );
        }
    }
}

/// Answers whether new work was made.
fn commit(
    tx: &mut Tx<'_>,
    item: &Item,
    operation: &mut Operation,
    verdict: &Verdict,
    now_ms: i64,
) -> Result<bool, Fault> {
    let mut woke = false;
    match verdict {
        Verdict::Done(made) => {
            release_lease(INTERACTIVE.complete(tx, item)?)?;
            woke = succeed(tx, operation, made, now_ms)?;
        }
        Verdict::Refused(refusal) => {
            release_lease(INTERACTIVE.complete(tx, item)?)?;
            woke = refuse(tx, operation, refusal, now_ms)?;
        }
        Verdict::HandOver(refusal) => {
            release_lease(INTERACTIVE.complete(tx, item)?)?;
            step(operation, Step::HandOver, now_ms)?;
            operation.outcome = Some(Outcome::NeedsAttention(refusal.clone()));
            operations::update(tx, operation)?;
            tell(tx, operation, "operation.needs_attention", refusal)?;
        }
        Verdict::Postponed { until_ms } => {
            release_lease(INTERACTIVE.reschedule(tx, item, *until_ms, "")?)?;
            step(operation, Step::Postpone, now_ms)?;
            operations::update(tx, operation)?;
        }
        Verdict::PutOff { until_ms } => {
            release_lease(INTERACTIVE.put_back(tx, item, *until_ms)?)?;
            operation.give_back_try();
            let back = if operation.doubted { Step::Wait } else { Step::Postpone };
            step(operation, back, now_ms)?;
            operations::update(tx, operation)?;
        }
        Verdict::InDoubt { until_ms, doubt } => {
            release_lease(INTERACTIVE.reschedule(tx, item, *until_ms, "")?)?;
            let back = match doubt {
                Doubt::Fresh => Step::Doubt,
                Doubt::Old => Step::Wait,
            };
            step(operation, back, now_ms)?;
            operations::update(tx, operation)?;
        }
    }
    Ok(woke)
}

/// Ends an operation that took effect, with the state that it leads to.
pub(super) fn succeed(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    made: &Made,
    now_ms: i64,
) -> Result<bool, Fault> {
    step(operation, Step::Succeed, now_ms)?;
    done(tx, operation, made, now_ms)
}

/// Ends an operation that did not take effect and will not.
pub(super) fn refuse(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    refusal: &Refusal,
    now_ms: i64,
) -> Result<bool, Fault> {
    step(operation, Step::Refuse, now_ms)?;
    operation.forget_urls();
    operation.outcome = Some(Outcome::Refused(refusal.clone()));
    operations::update(tx, operation)?;
    refused(tx, operation, refusal, now_ms)
}

fn release_lease(held: bool) -> Result<(), Fault> {
    if held { Ok(()) } else { Err(Fault::LeaseLost) }
}

fn step(operation: &mut Operation, step: Step, now_ms: i64) -> Result<(), Fault> {
    operation.step(step, now_ms).map_err(Fault::inconsistent)
}

fn done(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    made: &Made,
    now_ms: i64,
) -> Result<bool, Fault> {
    match (&operation.request, made) {
        (Request::PlaceOrder { body, .. }, Made::Order(order)) => {
            let body = body.clone();
            order_placed(tx, operation, order, &body, now_ms)?;
            Ok(true)
        }
        (Request::Capture(transfer), Made::Entry(id)) => {
            let capture = Capture {
                id: id.clone(),
                amount: transfer.amount,
                refunded: klarna_types::MinorUnits::ZERO,
                description: transfer.description.clone(),
                reference: Some(transfer.reference.clone()),
                klarna_reference: None,
                order_lines: transfer.order_lines.clone(),
                captured_at_ms: now_ms,
                shipping_info: parcels(transfer),
                due_date_extensions: Vec::new(),
                operation_id: Some(operation.id.clone()),
            };
            let data = transfer_data(transfer, "capture_id", id);
            change(tx, operation, Some(id), &data, now_ms, |payment| {
                payment.record_capture(capture)
            })
        }
        (Request::Refund(transfer), Made::Entry(id)) => {
            let refund = Refund {
                id: id.clone(),
                amount: transfer.amount,
                description: transfer.description.clone(),
                reference: Some(transfer.reference.clone()),
                order_lines: transfer.order_lines.clone(),
                refunded_at_ms: now_ms,
                capture_id: transfer.capture_id.clone(),
                operation_id: Some(operation.id.clone()),
            };
            let data = transfer_data(transfer, "refund_id", id);
            change(tx, operation, Some(id), &data, now_ms, |payment| payment.record_refund(refund))
        }
        (Request::Cancel { .. }, Made::Nothing) => {
            change(tx, operation, None, &json!({}), now_ms, Payment::record_cancel)
        }
        (Request::Release { .. }, Made::Nothing) => {
            change(tx, operation, None, &json!({}), now_ms, Payment::record_release)
        }
        (Request::Change(request), made @ (Made::Nothing | Made::Expiry(_))) => {
            let request = request.clone();
            changes::done(tx, operation, &request, made, now_ms)
        }
        (Request::CreateToken { .. }, Made::Token(token)) => {
            recurring::token_made(tx, operation, token, now_ms)
        }
        (Request::Charge(charge), Made::Order(order)) => {
            let charge = charge.clone();
            recurring::charged(tx, operation, &charge, order, now_ms)
        }
        (Request::CancelToken { customer_token_id, .. }, Made::Nothing) => {
            let id = customer_token_id.clone();
            recurring::token_cancelled(tx, operation, &id, now_ms)
        }
        (
            Request::PlaceOrder { .. }
            | Request::Capture(_)
            | Request::Refund(_)
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::Change(_)
            | Request::CreateToken { .. }
            | Request::Charge(_)
            | Request::CancelToken { .. },
            _,
        ) => Err(Fault::inconsistent("an operation made what it did not ask for")),
    }
}

/// The parcels that a capture was asked for with.
fn parcels(transfer: &Transfer) -> Vec<klarna_types::order_management::ShippingInfo> {
    serde_json::from_str::<klarna_types::order_management::CreateCapture>(&transfer.body)
        .ok()
        .and_then(|body| body.shipping_info)
        .unwrap_or_default()
}

fn transfer_data(transfer: &Transfer, member: &str, id: &str) -> serde_json::Value {
    json!({ "amount": transfer.amount, "reference": transfer.reference, member: id })
}

/// Changes the payment of an operation that is done. The order is read afterwards where Klarna
/// decides what a change leads to.
pub(super) fn change(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    made: Option<&String>,
    data: &serde_json::Value,
    now_ms: i64,
    apply: impl FnOnce(&mut Payment) -> Option<Happened>,
) -> Result<bool, Fault> {
    let payment_id = operation.payment_id.clone().unwrap_or_default();
    let mut payment = payments::lock(tx, &payment_id)?
        .ok_or_else(|| Fault::inconsistent(format!("payment {payment_id} is gone")))?;
    operation.outcome = Some(Outcome::Done { id: made.cloned() });
    operations::update(tx, operation)?;
    let happened = apply(&mut payment);
    let check_at_ms = payment.next_check_at_ms(now_ms);
    payments::update(tx, &mut payment, check_at_ms, now_ms)?;
    if let Some(happened) = happened {
        let mut data = data.clone();
        if let Some(members) = data.as_object_mut() {
            members.insert("operation_id".to_owned(), json!(operation.id));
        }
        events::append(
            tx,
            &payment.store_id,
            (&payment.id, payment.version),
            happened.event_type(),
            &data,
            now_ms,
        )?;
    }
    if operation.kind == Kind::Release {
        return tasks::enqueue_sync(tx, &payment.id, &operation.id, now_ms);
    }
    Ok(false)
}

fn order_placed(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    order: &CreatedOrder,
    body: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    let mut checkout = locked_checkout(tx, operation)?;
    let (total, sent) = order_amount(body)?;
    let captured_at_once = sent.auto_capture == Some(true);
    let fraud = order.fraud_status.as_ref();
    let payment = Payment {
        id: idempotency::payment_id(&operation.id),
        store_id: operation.store_id.clone(),
        version: 1,
        checkout_id: checkout.id.clone(),
        merchant_reference: checkout.cart.merchant_reference.clone(),
        merchant_reference2: None,
        klarna_order_id: order.order_id.as_str().to_owned(),
        klarna_reference: None,
        status: if captured_at_once { Status::Captured } else { Status::Authorized },
        fraud: fraud.map_or(Fraud::Accepted, |fraud| Fraud::from(fraud.as_str().to_owned())),
        fraud_decided_at_ms: None,
        currency: sent.purchase_currency,
        country: sent.purchase_country.as_str().to_owned(),
        locale: sent.locale.map(|locale| locale.as_str().to_owned()),
        amounts: mirror::fresh_amounts(total, captured_at_once),
        order_lines: sent.order_lines,
        captures: Vec::new(),
        refunds: Vec::new(),
        shipping_info: Vec::new(),
        method: order.authorized_payment_method.as_ref().map(|method| {
            crate::domain::payment::Method {
                kind: method.kind.as_str().to_owned(),
                description: None,
                number_of_installments: method.number_of_installments.map(i64::from),
            }
        }),
        redirect_url: order.redirect_url.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        expires_at_ms: None,
        expiry: Calendar::default(),
        account_id: checkout.account_id.clone(),
        channel: Some(checkout.channel),
    };
    // The order is read at once for what only a read tells: its reference, its expiry, its
    // captures. Should that get lost, the janitor's look makes up for it.
    let check_at_ms = payment.next_check_at_ms(now_ms).or(Some(now_ms + RECHECK_MS));
    if !payments::insert(tx, &payment, check_at_ms)? {
        return Err(Fault::inconsistent(format!("checkout {} has a payment already", checkout.id)));
    }
    tasks::enqueue_sync(tx, &payment.id, &operation.id, now_ms)?;
    operation.payment_id = Some(payment.id.clone());
    operation.outcome = Some(Outcome::Done { id: Some(payment.klarna_order_id.clone()) });
    operation.forget_urls();
    operations::update(tx, operation)?;
    next_placement(tx, &checkout.id, State::Done, now_ms)?;

    checkout.step(checkout::Step::Complete).map_err(Fault::inconsistent)?;
    checkout.payment_id = Some(payment.id.clone());
    checkout.refusal = None;
    checkouts::update(tx, &mut checkout, None, now_ms)?;
    let data = json!({
        "payment_id": payment.id,
        "order_id": payment.klarna_order_id,
        "amount": payment.amounts.authorized,
        "fraud_status": payment.fraud.name(),
        "operation_id": operation.id,
    });
    let store_id = &payment.store_id;
    events::append(
        tx,
        store_id,
        (&checkout.id, checkout.version),
        "checkout.completed",
        &data,
        now_ms,
    )?;
    events::append(
        tx,
        store_id,
        (&payment.id, payment.version),
        Happened::Authorized.event_type(),
        &data,
        now_ms,
    )?;
    recurring::order_placed(tx, &checkout, &payment, now_ms)
}

pub(super) const RECHECK_MS: i64 = 10 * 60 * 1000;

pub(super) fn locked_checkout(tx: &mut Tx<'_>, operation: &Operation) -> Result<Checkout, Fault> {
    checkouts::lock(tx, &operation.checkout_id)?
        .ok_or_else(|| Fault::inconsistent(format!("checkout {} is gone", operation.checkout_id)))
}

fn refused(
    tx: &mut Tx<'_>,
    operation: &Operation,
    refusal: &Refusal,
    now_ms: i64,
) -> Result<bool, Fault> {
    match operation.kind {
        Kind::Charge => recurring::charge_refused(tx, operation, refusal, now_ms),
        Kind::CancelToken => {
            tell(tx, operation, "operation.refused", refusal)?;
            Ok(false)
        }
        Kind::PlaceOrder | Kind::CreateToken => {
            let mut checkout = locked_checkout(tx, operation)?;
            // A newer authorisation may be waiting: then the shopper's turn is not over.
            if next_placement(tx, &checkout.id, State::Refused, now_ms)? {
                return Ok(true);
            }
            checkout.step(checkout::after_refusal(refusal.reason)).map_err(Fault::inconsistent)?;
            if checkout.status == checkout::Status::Declined {
                let declined = Move {
                    figure: Figure::Declined,
                    day: figures::day_of(now_ms),
                    currency: checkout.cart.currency.as_str().to_owned(),
                    by: Sum::once(checkout.cart.order_amount.get()),
                };
                let id = format!("{}/declined", operation.id);
                figure_rows::add(tx, &checkout.store_id, &id, &declined)?;
            }
            checkout.refusal = Some(refusal.clone());
            let poll_at_ms = checkout.next_poll_at_ms(now_ms);
            checkouts::update(tx, &mut checkout, poll_at_ms, now_ms)?;
            let kind = match checkout.status {
                checkout::Status::Declined => "checkout.declined",
                checkout::Status::Open
                | checkout::Status::Confirming
                | checkout::Status::Completed
                | checkout::Status::Expired
                | checkout::Status::Cancelled => "checkout.reopened",
            };
            events::append(
                tx,
                &checkout.store_id,
                (&checkout.id, checkout.version),
                kind,
                &refusal_data(operation, refusal),
                now_ms,
            )?;
            Ok(false)
        }
        Kind::Capture | Kind::Refund | Kind::Cancel | Kind::Release | Kind::Change(_) => {
            tell(tx, operation, "operation.refused", refusal)?;
            let payment_id = operation.payment_id.as_deref().unwrap_or_default();
            match refusal.reason {
                // The mirror was wrong, or it would not have been asked for; or a person has said
                // what happened, and the mirror is to show what Klarna shows: read it anew.
                Reason::StateForbids
                | Reason::Declined
                | Reason::UnknownOrder
                | Reason::SettledByPerson => {
                    tasks::enqueue_sync(tx, payment_id, &operation.id, now_ms)
                }
                Reason::AuthorizationInvalid
                | Reason::CartMismatch
                | Reason::InvalidRequest
                | Reason::CredentialsRefused
                | Reason::NotAllowed
                | Reason::Superseded
                | Reason::FraudRejected
                | Reason::Unreachable
                | Reason::OutcomeUnknown
                | Reason::TokenSuspended
                | Reason::TokenCancelled
                | Reason::Other => Ok(false),
            }
        }
    }
}

pub(super) fn refusal_data(operation: &Operation, refusal: &Refusal) -> serde_json::Value {
    json!({
        "operation_id": operation.id,
        "kind": operation.kind,
        "amount": operation.amount_concerned(),
        "reason": refusal.reason.name(),
        "detail": refusal.detail,
        "remedy": refusal.remedy,
        "correlation_id": operation.correlation_id,
    })
}

pub(super) fn tell(
    tx: &mut Tx<'_>,
    operation: &Operation,
    kind: &str,
    refusal: &Refusal,
) -> Result<(), Fault> {
    tell_of(tx, operation, kind, &refusal_data(operation, refusal))
}

/// Tells of an operation in the history of the payment, or of the checkout while there is none.
pub(super) fn tell_of(
    tx: &mut Tx<'_>,
    operation: &Operation,
    kind: &str,
    data: &serde_json::Value,
) -> Result<(), Fault> {
    let subject = if let Some(payment_id) = operation.payment_id.as_deref() {
        let payment = payments::get(tx, payment_id)?;
        (payment_id.to_owned(), payment.map_or(0, |payment| payment.version))
    } else if let Some(subject) = &operation.subject {
        (subject.clone(), recurring::version_of(tx, subject)?)
    } else {
        let checkout = locked_checkout(tx, operation)?;
        (checkout.id, checkout.version)
    };
    events::append_about_operation(tx, operation, (&subject.0, subject.1), kind, data)
}
