//! Paying in the workshop: the cart on the workshop's screen, Klarna's page on the shopper's phone.
//!
//! The screen shows a code and waits. What was put in the cart is taken along at once, so nothing is
//! delivered. The screen's own signed cookie says whose checkout it is; nobody else is shown the code.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::checkout::Channel;
use crate::gateway::{Checkout, CheckoutStatus};
use crate::handlers::checkout::{Ready, call_off, ready};
use crate::handlers::{report, try_later};
use crate::market::ShippingId;
use crate::visit::{Posted, Visit};
use crate::{pages, policy};

const CODE: &str = "/counter/code";

/// `GET /counter`
pub(crate) async fn show(visit: Visit) -> Response {
    if visit.cart.is_empty() || visit.cart.bill(visit.view).total == 0 {
        return visit.go("/cart");
    }
    let page = pages::counter::page(&visit);
    visit.page(StatusCode::OK, page)
}

/// `POST /counter`
pub(crate) async fn open(posted: Posted) -> Response {
    let mut visit = posted.visit;
    if visit.cart.is_empty() {
        return visit.go("/cart");
    }
    visit.cart.deliver(ShippingId::Collect);
    visit.keep_cart();
    if visit.cart.bill(visit.view).total == 0 {
        return visit.go("/cart");
    }
    match ready(&mut visit, Channel::InStore, None).await {
        Ready::Go(path) => visit.go(&path),
        Ready::Open(checkout) => {
            if checkout.page_status() == Some("cancelled")
                && let Err(error) = visit.app().gateway.clone().fresh_page(&checkout.id).await
            {
                report(&error, "a checkout got no page");
            }
            visit.go(CODE)
        }
        Ready::Unavailable => {
            let texts = visit.texts();
            let notice = pages::notice::Notice {
                title: texts.counter,
                text: texts.klarna_later,
                link: ("/counter", texts.try_again),
            };
            let page = pages::notice::page(&visit, &notice);
            visit.page(StatusCode::SERVICE_UNAVAILABLE, page)
        }
    }
}

/// The checkout that this screen shows.
fn own(visit: &Visit) -> Option<String> {
    let draft = visit.draft.as_ref().filter(|draft| draft.channel == Channel::InStore)?;
    draft.checkout_id.clone()
}

/// Where the screen goes from here; nowhere while the shopper may still pay.
fn onward(checkout: &Checkout) -> Option<String> {
    match checkout.status {
        CheckoutStatus::Open => {
            (checkout.page_status() == Some("cancelled")).then(|| "/counter".to_owned())
        }
        CheckoutStatus::Confirming => None,
        CheckoutStatus::Completed
        | CheckoutStatus::Declined
        | CheckoutStatus::Expired
        | CheckoutStatus::Cancelled
        | CheckoutStatus::Unknown(_) => Some(format!("/confirmation?checkout={}", checkout.id)),
    }
}

/// `GET /counter/code`: the code, and the wait for the phone.
pub(crate) async fn code(visit: Visit) -> Response {
    let Some(id) = own(&visit) else { return visit.go("/counter") };
    let checkout = match visit.app().gateway.checkout(&id).await {
        Ok(checkout) => checkout,
        Err(error) if error.is_passing() => return try_later(visit, &error, CODE),
        Err(error) => {
            report(&error, "a code was asked for of a checkout that cannot be read");
            return visit.go("/counter");
        }
    };
    if let Some(path) = onward(&checkout) {
        return visit.go(&path);
    }
    let picture = checkout.page.as_ref().and_then(|page| page.qr_code_url.as_deref());
    let policy = policy::with_picture(picture);
    let page = pages::counter::code(&visit, &checkout, picture);
    let mut response = visit.page(StatusCode::OK, page);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // A browser without scripts looks again by itself.
    response.headers_mut().insert("refresh", HeaderValue::from_static("10"));
    response
}

/// `GET /counter/status`: what the screen asks.
pub(crate) async fn status(visit: Visit) -> Response {
    #[derive(Serialize)]
    struct Status {
        location: Option<String>,
    }
    let Some(id) = own(&visit) else { return StatusCode::NOT_FOUND.into_response() };
    let location = match visit.app().gateway.checkout(&id).await {
        Ok(checkout) => onward(&checkout),
        Err(error) if error.is_passing() => None,
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    };
    visit.answer(Json(Status { location }).into_response())
}

/// `POST /counter/cancel`
pub(crate) async fn cancel(posted: Posted) -> Response {
    let mut visit = posted.visit;
    if let Some(id) = own(&visit) {
        if let Some(elsewhere) = call_off(&visit, &id).await {
            return visit.go(&elsewhere);
        }
        visit.forget_draft();
    }
    visit.go("/cart")
}
