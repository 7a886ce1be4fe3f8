//! Orders: the confirmation, the status page, the visitor's list.
//!
//! An order's page is found by the gateway's checkout id, which nobody can guess, and shows no
//! personal data; what it says is read from the gateway each time.

use axum::extract::{Path, Query};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::gateway::{Checkout, CheckoutStatus, Moment, Payment};
use crate::handlers::checkout::is_being_paid;
use crate::handlers::{missing, report, subscription, try_later};
use crate::pages;
use crate::pages::notice::{self, Notice};
use crate::visit::{OrderNote, Visit};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ConfirmationQuery {
    #[serde(default)]
    checkout: Option<String>,
    #[serde(default)]
    order: Option<String>,
}

/// `GET /confirmation`
pub(crate) async fn confirmation(
    mut visit: Visit,
    Query(query): Query<ConfirmationQuery>,
) -> Response {
    if let Some(reference) = query.order {
        // Paid in another way than with Klarna: known from this browser's signed list alone.
        let Some(note) = visit.orders.iter().find(|note| note.reference == reference).cloned()
        else {
            return missing(visit);
        };
        let page = pages::order::transfer_confirmation(&visit, &note);
        return visit.page(StatusCode::OK, page);
    }
    let Some(id) = query.checkout.filter(|id| is_checkout_id(id)) else { return missing(visit) };
    let again = format!("/confirmation?checkout={id}");
    let checkout = match visit.app().gateway.checkout(&id).await {
        Ok(checkout) => checkout,
        Err(error) if error.is_passing() => return try_later(visit, &error, &again),
        Err(error) => {
            report(&error, "a confirmation page was asked for a checkout that cannot be read");
            return missing(visit);
        }
    };
    match checkout.status {
        CheckoutStatus::Completed => {
            settle(&mut visit, &checkout);
            let payment = payment(&visit, &checkout).await;
            let page = pages::order::confirmation(&visit, &checkout, payment.as_ref());
            visit.page(StatusCode::OK, page)
        }
        CheckoutStatus::Confirming => visit.go(&format!("/checkout/waiting?checkout={id}")),
        CheckoutStatus::Open if is_being_paid(&checkout) => {
            visit.go(&format!("/checkout/waiting?checkout={id}"))
        }
        CheckoutStatus::Open => visit.go("/checkout"),
        CheckoutStatus::Declined
        | CheckoutStatus::Expired
        | CheckoutStatus::Cancelled
        | CheckoutStatus::Unknown(_) => unpaid(visit),
    }
}

/// `GET /orders/{id}`
pub(crate) async fn status(visit: Visit, Path(id): Path<String>) -> Response {
    if let Some(note) =
        visit.orders.iter().find(|note| note.checkout_id.is_none() && note.reference == id).cloned()
    {
        let page = pages::order::transfer_status(&visit, &note);
        return visit.page(StatusCode::OK, page);
    }
    if !is_checkout_id(&id) {
        return missing(visit);
    }
    let checkout = match visit.app().gateway.checkout(&id).await {
        Ok(checkout) => checkout,
        Err(error) if error.is_passing() => {
            return try_later(visit, &error, &format!("/orders/{id}"));
        }
        Err(error) => {
            report(&error, "an order page was asked for a checkout that cannot be read");
            return missing(visit);
        }
    };
    if checkout.status != CheckoutStatus::Completed {
        return visit.go(&format!("/confirmation?checkout={id}"));
    }
    let payment = payment(&visit, &checkout).await;
    let own = visit.orders.iter().find(|note| note.checkout_id.as_deref() == Some(id.as_str()));
    let subscription_id = own.and_then(|note| note.subscription_id.clone());
    let subscription = match &subscription_id {
        Some(subscription_id) => subscription::read(&visit, subscription_id).await,
        None => None,
    };
    let page = pages::order::status(&visit, &checkout, payment.as_ref(), subscription.as_ref());
    visit.page(StatusCode::OK, page)
}

/// The checkout that this browser had under way has become an order: the cart is bought, the order
/// goes on the list. A link to somebody else's order changes nothing here.
pub(crate) fn settle(visit: &mut Visit, checkout: &Checkout) {
    let Some(draft) = visit.draft.clone() else { return };
    if draft.checkout_id.as_deref() != Some(checkout.id.as_str()) {
        return;
    }
    let placed_at_ms = checkout
        .created_at
        .as_ref()
        .and_then(Moment::timestamp)
        .map_or_else(|| visit.app().clock.now_ms(), jiff::Timestamp::as_millisecond);
    visit.note_order(OrderNote {
        reference: reference(checkout, &draft.reference),
        checkout_id: Some(checkout.id.clone()),
        placed_at_ms,
        amount: checkout.order_amount,
        currency: checkout.currency.clone(),
        subscription_id: draft.subscription_id.clone(),
    });
    // What was put in after the approval was not bought and stays.
    if draft.fingerprint == visit.fingerprint() {
        visit.empty_cart();
    }
    visit.forget_draft();
}

fn reference(checkout: &Checkout, own: &str) -> String {
    if checkout.merchant_reference.is_empty() {
        own.to_owned()
    } else {
        checkout.merchant_reference.clone()
    }
}

/// The payment of a checkout, if the gateway can say; the page does without it otherwise.
async fn payment(visit: &Visit, checkout: &Checkout) -> Option<Payment> {
    if let Some(payment) = &checkout.payment {
        return Some(payment.clone());
    }
    match visit.app().gateway.payment(checkout.payment_id.as_deref()?).await {
        Ok(payment) => Some(payment),
        Err(error) => {
            report(&error, "the payment of an order could not be read");
            None
        }
    }
}

fn unpaid(visit: Visit) -> Response {
    let texts = visit.texts();
    let page = notice::page(
        &visit,
        &Notice {
            title: texts.unpaid_title,
            text: texts.unpaid_text,
            link: ("/checkout", texts.back_to_checkout),
        },
    );
    visit.page(StatusCode::OK, page)
}

/// Whether a text can be a checkout id at all; nothing else is sent on to the gateway.
pub(crate) fn is_checkout_id(id: &str) -> bool {
    (8..=80).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
