//! Changes of an order by which no money moves: planned, asked for, found again after a lost answer,
//! and recorded. What they are and what they mean is in [`crate::domain::change`].

use klarna_types::Address;
use klarna_types::order_management::{
    ExtendDueDate, ExtendDueDateOptions, Order, ShippingInfo, UpdateAuthorization, UpdateConsumer,
    UpdateMerchantReferences, UpdateShippingInfo,
};
use klarna_types::validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use storage::Tx;

use super::commands::{NotPossible, Wanted, first_problem, text};
use super::klarna::{Answer, ChangeCall, Klarna};
use super::settle::change as change_payment;
use super::worker::Made;
use super::{Engine, tasks};
use crate::domain::change::{Change, ChangeRequest, What, find_effect};
use crate::domain::journal::{Operation, Request};
use crate::domain::operation::{Failure, Finding, Reason, Refusal};
use crate::domain::payment::{Happened, NewAuthorization, Payment, Pending, Rejection};
use crate::fault::Fault;
use crate::store::{events, operations, payments};

/// What is wanted of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeWish {
    /// Another total, other lines.
    UpdateAuthorization {
        /// Which.
        wanted: NewAuthorization,
        /// Why; Klarna keeps it.
        description: Option<String>,
    },
    /// More time to capture.
    ExtendAuthorization,
    /// Another shipping address, member by member.
    UpdateCustomer(Box<Address>),
    /// Other references; what is absent stays, an empty second one is taken away.
    UpdateReferences {
        /// The shop's order number.
        reference1: Option<String>,
        /// Another number of the shop.
        reference2: Option<String>,
    },
    /// More parcels.
    AddShippingInfo {
        /// Of this capture; else of the order.
        capture_id: Option<String>,
        /// The parcels.
        parcels: Vec<ShippingInfo>,
    },
    /// The latest mail about a capture, again.
    ResendCommunication {
        /// Which capture.
        capture_id: String,
    },
    /// A later due date of a capture.
    ExtendDueDate {
        /// Which capture.
        capture_id: String,
        /// One of the numbers of days that Klarna offers for it.
        number_of_days: i32,
    },
    /// Tell Klarna that the shop has the order.
    Acknowledge,
}

impl ChangeWish {
    /// Which change it is.
    pub fn change(&self) -> Change {
        match self {
            Self::UpdateAuthorization { .. } => Change::UpdateAuthorization,
            Self::ExtendAuthorization => Change::ExtendAuthorization,
            Self::UpdateCustomer(_) => Change::UpdateCustomer,
            Self::UpdateReferences { .. } => Change::UpdateReferences,
            Self::AddShippingInfo { .. } => Change::AddShippingInfo,
            Self::ResendCommunication { .. } => Change::ResendCommunication,
            Self::ExtendDueDate { .. } => Change::ExtendDueDate,
            Self::Acknowledge => Change::Acknowledge,
        }
    }

    /// The capture it is about, if it is about one.
    pub fn capture_id(&self) -> Option<&str> {
        match self {
            Self::AddShippingInfo { capture_id, .. } => capture_id.as_deref(),
            Self::ResendCommunication { capture_id } | Self::ExtendDueDate { capture_id, .. } => {
                Some(capture_id)
            }
            Self::UpdateAuthorization { .. }
            | Self::ExtendAuthorization
            | Self::UpdateCustomer(_)
            | Self::UpdateReferences { .. }
            | Self::Acknowledge => None,
        }
    }
}

/// A change that the payment allows, and its body.
struct Allowed {
    what: What,
    body: String,
    /// Kept beside the journal's entry.
    secret: Option<String>,
}

fn bodiless(what: What) -> Allowed {
    Allowed { what, body: String::new(), secret: None }
}

type Checked<T> = Result<Result<T, NotPossible>, Fault>;

/// Plans a change.
pub(super) fn plan(
    payment: &Payment,
    pending: &[Pending],
    wish: &ChangeWish,
    now_ms: i64,
) -> Checked<Wanted> {
    let allowed = match allow(payment, pending, wish, now_ms)? {
        Ok(allowed) => allowed,
        Err(not_possible) => return Ok(Err(not_possible)),
    };
    let request = ChangeRequest {
        order_id: payment.klarna_order_id.clone(),
        capture_id: wish.capture_id().map(ToOwned::to_owned),
        body: allowed.body,
        what: allowed.what,
    };
    Ok(Ok(Wanted { request: Request::Change(request), held: false, secret: allowed.secret }))
}

fn allow(
    payment: &Payment,
    pending: &[Pending],
    wish: &ChangeWish,
    now_ms: i64,
) -> Checked<Allowed> {
    let no = |rejection| Ok(Err(NotPossible::Rejected(rejection)));
    match wish {
        ChangeWish::UpdateAuthorization { wanted, description } => {
            let (amount, order_lines) = match payment.plan_update(pending, wanted, now_ms) {
                Ok(planned) => planned,
                Err(rejection) => return no(rejection),
            };
            let mut body = UpdateAuthorization::new(amount).order_lines(order_lines.clone());
            body.description.clone_from(description);
            let what = What::UpdateAuthorization {
                amount,
                order_lines,
                amount_before: payment.amounts.authorized,
                lines_before: payment.order_lines.clone(),
            };
            with_body(what, &body, validate::update_authorization)
        }
        ChangeWish::ExtendAuthorization => match payment.check_extend(pending, now_ms) {
            Ok(_) => {
                let expires_before_ms = payment.expires_at_ms;
                Ok(Ok(bodiless(What::ExtendAuthorization { expires_before_ms })))
            }
            Err(rejection) => no(rejection),
        },
        ChangeWish::UpdateCustomer(address) => {
            if let Err(rejection) = payment.check_customer(pending, now_ms) {
                return no(rejection);
            }
            if address.is_empty() {
                let detail = "say at least one member that changes";
                return no(Rejection::Missing { member: "shipping_address", detail });
            }
            let body = UpdateConsumer::default().shipping_address((**address).clone());
            let what = What::UpdateCustomer { members: names(address)? };
            Ok(with_body(what, &body, validate::update_consumer)?.map(|allowed| Allowed {
                secret: Some(allowed.body),
                body: String::new(),
                what: allowed.what,
            }))
        }
        ChangeWish::UpdateReferences { reference1, reference2 } => {
            if let Err(rejection) = payment.check_references(pending) {
                return no(rejection);
            }
            if reference1.is_none() && reference2.is_none() {
                let detail = "say it, or merchant_reference2, or both";
                return no(Rejection::Missing { member: "merchant_reference1", detail });
            }
            if reference1.as_ref().is_some_and(|text| text.trim().is_empty()) {
                let detail = "must not be empty: by it people find the order";
                return no(Rejection::Missing { member: "merchant_reference1", detail });
            }
            let mut body = UpdateMerchantReferences::default();
            body.merchant_reference1.clone_from(reference1);
            body.merchant_reference2.clone_from(reference2);
            let what = What::UpdateReferences {
                reference1: reference1.clone(),
                reference2: reference2.clone(),
                before1: payment.merchant_reference.clone(),
                before2: payment.merchant_reference2.clone(),
            };
            with_body(what, &body, validate::merchant_references)
        }
        ChangeWish::AddShippingInfo { capture_id, parcels } => {
            let there = match capture_id {
                None => Ok(&payment.shipping_info),
                Some(id) => payment
                    .check_captures("shipped")
                    .and_then(|()| payment.capture(id))
                    .map(|capture| &capture.shipping_info),
            };
            match there {
                Ok(there) => {
                    let body = UpdateShippingInfo::new(parcels.clone());
                    let what = What::AddShippingInfo {
                        parcels: parcels.clone(),
                        count_before: there.len(),
                    };
                    with_body(what, &body, validate::shipping_info)
                }
                Err(rejection) => no(rejection),
            }
        }
        ChangeWish::ResendCommunication { capture_id } => {
            let allowed = payment.check_captures("reminded of");
            match allowed.and_then(|()| payment.capture(capture_id)) {
                Ok(_) => Ok(Ok(bodiless(What::ResendCommunication))),
                Err(rejection) => no(rejection),
            }
        }
        ChangeWish::ExtendDueDate { capture_id, number_of_days } => {
            let open = payment.capture(capture_id).and_then(|_| payment.check_due_dates());
            match open {
                Ok(open) if open.contains(capture_id) => {
                    let what = What::ExtendDueDate { number_of_days: *number_of_days };
                    with_body(what, &ExtendDueDate::new(*number_of_days), validate::extend_due_date)
                }
                Ok(_) => no(Rejection::Missing {
                    member: "capture_id",
                    detail: "everything of this capture was given back",
                }),
                Err(rejection) => no(rejection),
            }
        }
        ChangeWish::Acknowledge => match payment.check_acknowledge() {
            Ok(()) => Ok(Ok(bodiless(What::Acknowledge))),
            Err(rejection) => no(rejection),
        },
    }
}

fn with_body<T: Serialize, B: DeserializeOwned>(
    what: What,
    body: &T,
    check: fn(&B) -> Vec<klarna_types::Problem>,
) -> Checked<Allowed> {
    if let Some(problem) = first_problem(body, check)? {
        return Ok(Err(NotPossible::Limits(problem)));
    }
    Ok(Ok(Allowed { what, body: text(body)?, secret: None }))
}

/// Which members an address says, and nothing of what it says.
fn names(address: &Address) -> Result<Vec<String>, Fault> {
    let value = serde_json::to_value(address).map_err(Fault::document("address"))?;
    let members = value.as_object().map(|members| members.keys().cloned().collect());
    Ok(members.unwrap_or_default())
}

/// Asks Klarna for a change.
pub(super) async fn ask(
    account: &dyn Klarna,
    request: &ChangeRequest,
    key: &str,
    secret: Option<&str>,
) -> Result<Answer<Made>, Failure> {
    let change = request.change();
    let call = ChangeCall {
        change,
        order_id: &request.order_id,
        capture_id: request.capture_id.as_deref(),
        key,
        body: secret.unwrap_or(&request.body),
    };
    let answer = account.change(call).await?;
    if change != Change::ExtendAuthorization {
        return Ok(answer.with(|()| Made::Nothing));
    }
    // Until when it now lasts is Klarna's to say, and said only by the order. Should the read fail,
    // one that nobody waits for follows.
    let order = account.read_order(&request.order_id).await;
    let expires_at_ms =
        order.ok().and_then(|order| order.value.expires_at).map(jiff::Timestamp::as_millisecond);
    Ok(answer.with(|()| expires_at_ms.map_or(Made::Nothing, Made::Expiry)))
}

/// What an order as Klarna shows it says of a change.
pub(super) async fn finding(
    engine: &Engine,
    operation: &Operation,
    request: &ChangeRequest,
    order: &Order,
) -> Result<Finding, Fault> {
    let id = operation.id.clone();
    let secret = engine.database().read(move |tx| operations::token(tx, &id)).await?;
    Ok(find_effect(request, secret.as_deref(), order))
}

/// The end of a change that left no trace, and that does no harm a second time.
pub(super) fn unseen(otherwise: &Refusal) -> Refusal {
    Refusal {
        reason: Reason::OutcomeUnknown,
        detail: format!("Klarna's books do not show whether it took effect. {}", otherwise.detail),
        remedy: "Ask for it again if it is still wanted: a second time does no harm.".to_owned(),
        klarna: otherwise.klarna.clone(),
    }
}

/// Records a change that took effect. Answers whether new work was made.
pub(super) fn done(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    request: &ChangeRequest,
    made: &Made,
    now_ms: i64,
) -> Result<bool, Fault> {
    let mut data = json!({});
    if let Some(capture_id) = &request.capture_id {
        data["capture_id"] = json!(capture_id);
    }
    let event = request.change().event_type();
    // Between a lost answer and this one, somebody else may have been there.
    let mut follow_up = operation.doubted;
    match &request.what {
        What::UpdateAuthorization { amount, order_lines, amount_before, .. } => {
            data["amount"] = json!(amount);
            data["amount_before"] = json!(amount_before);
            let (amount, order_lines) = (*amount, order_lines.clone());
            change_payment(tx, operation, None, &data, now_ms, |payment| {
                payment.record_update(amount, order_lines)
            })?;
            // What an order becomes of which nothing remains is not published.
            let payment = payment_of(tx, operation)?;
            follow_up |= payment.amounts.remaining.is_zero();
        }
        What::ExtendAuthorization { .. } => match made {
            Made::Expiry(at_ms) => {
                data["expires_at_ms"] = json!(at_ms);
                change_payment(tx, operation, None, &data, now_ms, |payment| {
                    payment.set_expiry(Some(*at_ms), now_ms);
                    Some(Happened::Extended)
                })?;
            }
            Made::Order(_) | Made::Entry(_) | Made::Token(_) | Made::Nothing => {
                // The read that follows tells until when.
                change_payment(tx, operation, None, &data, now_ms, |_| None)?;
                follow_up = true;
            }
        },
        What::UpdateReferences { reference1, reference2, .. } => {
            let (one, two) = (reference1.clone(), reference2.clone());
            record(tx, operation, event, &data, now_ms, |payment| {
                payment.record_references(one.as_ref(), two.as_ref());
            })?;
        }
        What::AddShippingInfo { parcels, count_before } => {
            let count_before = *count_before;
            data["parcels"] = json!(parcels.len());
            let (capture_id, parcels) = (request.capture_id.clone(), parcels.clone());
            record(tx, operation, event, &data, now_ms, |payment| {
                payment.record_parcels(capture_id.as_ref(), &parcels, count_before);
            })?;
        }
        What::ExtendDueDate { number_of_days } => {
            data["number_of_days"] = json!(number_of_days);
            let (capture_id, days) = (request.capture_id.clone(), *number_of_days);
            record(tx, operation, event, &data, now_ms, |payment| {
                payment.record_due_date(capture_id.as_deref().unwrap_or_default(), days);
            })?;
        }
        What::UpdateCustomer { members } => {
            data["members"] = json!(members);
            record(tx, operation, event, &data, now_ms, |_| {})?;
        }
        What::ResendCommunication | What::Acknowledge => {
            record(tx, operation, event, &data, now_ms, |_| {})?;
        }
    }
    if follow_up {
        let payment_id = operation.payment_id.clone().unwrap_or_default();
        return tasks::enqueue_sync(tx, &payment_id, &operation.id, now_ms);
    }
    Ok(false)
}

fn payment_of(tx: &mut Tx<'_>, operation: &Operation) -> Result<Payment, Fault> {
    let payment_id = operation.payment_id.clone().unwrap_or_default();
    payments::get(tx, &payment_id)?
        .ok_or_else(|| Fault::inconsistent(format!("payment {payment_id} is gone")))
}

/// Changes the payment, and tells of it under the change's own name.
fn record(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    event: &str,
    data: &serde_json::Value,
    now_ms: i64,
    apply: impl FnOnce(&mut Payment),
) -> Result<(), Fault> {
    change_payment(tx, operation, None, data, now_ms, |payment| {
        apply(payment);
        None
    })?;
    let payment = payment_of(tx, operation)?;
    let mut data = data.clone();
    data["operation_id"] = json!(operation.id);
    let subject = (payment.id.as_str(), payment.version);
    events::append(tx, &payment.store_id, subject, event, &data, now_ms)
}

/// Why Klarna's offers for a due date cannot be had.
#[derive(Debug)]
pub enum NoOffers {
    /// The payment, or the capture, is not one for which there are any.
    NotPossible(NotPossible),
    /// The store has no Klarna account for the country.
    NoAccount {
        /// The country.
        country: String,
    },
    /// Klarna could not be asked, or said no.
    Klarna(Failure),
}

/// By how many days Klarna lets the due date of a capture be moved now, and what that costs.
pub async fn due_date_options(
    engine: &Engine,
    store_id: &str,
    payment_id: &str,
    capture_id: &str,
) -> Result<Result<ExtendDueDateOptions, NoOffers>, Fault> {
    let (store, wanted) = (store_id.to_owned(), payment_id.to_owned());
    let found = engine.database().read(move |tx| payments::get_in(tx, &store, &wanted)).await?;
    let Some(payment) = found else {
        return Ok(Err(NoOffers::NotPossible(NotPossible::Unknown)));
    };
    let open = payment.capture(capture_id).and_then(|_| payment.check_due_dates());
    match open {
        // Nothing of it is left to be paid later.
        Ok(open) if !open.iter().any(|id| id == capture_id) => {
            return Ok(Ok(ExtendDueDateOptions::default()));
        }
        Ok(_) => {}
        Err(rejection) => return Ok(Err(NoOffers::NotPossible(NotPossible::Rejected(rejection)))),
    }
    let account_id = payment.account_id.as_deref();
    let Some(account) = engine.account(&payment.store_id, account_id, &payment.country) else {
        return Ok(Err(NoOffers::NoAccount { country: payment.country }));
    };
    let answer = account.due_date_options(&payment.klarna_order_id, capture_id).await;
    Ok(answer.map(|answer| answer.value).map_err(NoOffers::Klarna))
}
