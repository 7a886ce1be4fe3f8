//! The checkout: opened at the gateway, paid in the browser, confirmed at the gateway.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::address::{self, Field};
use crate::cart::LineKind;
use crate::checkout::{Draft, Step, order_number, step};
use crate::gateway::{Checkout, CheckoutRequest, CheckoutStatus, Confirmed, GatewayError, Line};
use crate::handlers::order::{is_checkout_id, settle};
use crate::handlers::report;
use crate::pages;
use crate::pages::checkout::{Form, Payment};
use crate::policy;
use crate::visit::{Message, OrderNote, Posted, Visit};

/// `GET /checkout`
pub(crate) async fn show(visit: Visit) -> Response {
    show_form(visit, StatusCode::OK, Form::default()).await
}

async fn show_form(mut visit: Visit, status: StatusCode, form: Form) -> Response {
    if visit.cart.is_empty() {
        return visit.go("/cart");
    }
    visit.announce_cart();
    let payment = if visit.cart.bill(visit.view).total == 0 {
        Payment::Nothing
    } else {
        match ready(&mut visit).await {
            Ready::Open(checkout) => Payment::Klarna(checkout),
            Ready::Unavailable => Payment::KlarnaUnavailable,
            Ready::Wait(id) => return visit.go(&format!("/checkout/waiting?checkout={id}")),
            Ready::Finish(id) => return visit.go(&format!("/confirmation?checkout={id}")),
        }
    };
    let session = match &payment {
        Payment::Klarna(checkout) => checkout.klarna.as_ref(),
        Payment::KlarnaUnavailable | Payment::Nothing => None,
    };
    let policy = policy::checkout(session);
    let page = pages::checkout::page(&visit, &payment, &form);
    let mut response = visit.page(status, page);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What stands behind the checkout page.
enum Ready {
    Open(Box<Checkout>),
    Unavailable,
    Wait(String),
    Finish(String),
}

/// Brings the visitor's checkout up to date with the cart, opening one where there is none.
/// Coming here again (reload, back, a second tab) finds the same checkout.
async fn ready(visit: &mut Visit) -> Ready {
    let fingerprint = visit.fingerprint();
    // A checkout may move on between reading and changing it; then it is read once more.
    for _ in 0..2 {
        let Some((draft, id)) =
            visit.draft.clone().and_then(|draft| draft.checkout_id.clone().map(|id| (draft, id)))
        else {
            break;
        };
        let known = match visit.app().gateway.checkout(&id).await {
            Ok(known) => known,
            Err(error) if error.is_passing() => return unavailable(&error),
            Err(error) => {
                report(&error, "the checkout under way is gone; a new one is opened");
                break;
            }
        };
        match step(&draft, &known, &fingerprint, visit.app().clock.now()) {
            Step::Keep => return Ready::Open(Box::new(known)),
            Step::Wait => return Ready::Wait(id),
            Step::Finish => return Ready::Finish(id),
            Step::Start => break,
            Step::Update => match visit.app().gateway.update(&id, &request(visit, None)).await {
                Ok(checkout) => {
                    visit.keep_draft(Draft { fingerprint, ..draft });
                    return Ready::Open(Box::new(checkout));
                }
                Err(error) if error.is_passing() => return unavailable(&error),
                Err(error) => report(&error, "a checkout could not be changed"),
            },
        }
    }
    start(visit, fingerprint).await
}

async fn start(visit: &mut Visit, fingerprint: String) -> Ready {
    // An order number whose opening got no answer is used again with the same key, so that no
    // second checkout is opened for it.
    let mut draft = match visit.draft.take() {
        Some(draft) if draft.checkout_id.is_none() && draft.fingerprint == fingerprint => draft,
        _ => fresh(&fingerprint),
    };
    for _ in 0..2 {
        visit.keep_draft(draft.clone());
        let wanted = request(visit, Some(&draft));
        match visit.app().gateway.open(&wanted, &draft.idempotency_key()).await {
            Ok(checkout) if checkout.status == CheckoutStatus::Open => {
                draft.checkout_id = Some(checkout.id.clone());
                visit.keep_draft(draft);
                return Ready::Open(Box::new(checkout));
            }
            Ok(_) => {}
            Err(error) if error.is_passing() => return unavailable(&error),
            Err(error) => report(&error, "a checkout was not opened under this order number"),
        }
        draft = fresh(&fingerprint);
    }
    tracing::error!("the gateway opens no checkout, not even under a second order number");
    visit.forget_draft();
    Ready::Unavailable
}

fn fresh(fingerprint: &str) -> Draft {
    Draft::new(order_number(service::random::bytes()), fingerprint.to_owned())
}

fn unavailable(error: &GatewayError) -> Ready {
    report(error, "Klarna cannot be offered");
    Ready::Unavailable
}

/// The cart in the gateway's words.
fn request(visit: &Visit, draft: Option<&Draft>) -> CheckoutRequest {
    let app = visit.app();
    let lines = visit
        .cart
        .bill(visit.view)
        .lines
        .into_iter()
        .map(|line| {
            let goods = line.kind == LineKind::Physical;
            Line {
                kind: line.kind.wire(),
                image_url: goods
                    .then(|| app.absolute(&format!("/pictures/{}.svg", line.reference))),
                product_url: goods.then(|| app.absolute(&format!("/products/{}", line.reference))),
                reference: line.reference,
                name: line.name,
                quantity: line.quantity,
                unit_price: line.unit_price,
                tax_rate: line.tax_rate,
                discount: line.discount,
            }
        })
        .collect();
    CheckoutRequest {
        merchant_reference: draft.map(|draft| draft.reference.clone()),
        country: visit.market().country,
        locale: visit.view.locale.tag,
        prices: visit.market().tax.wire(),
        lines,
        confirmation_url: draft.map(|_| app.absolute("/confirmation?checkout={checkout_id}")),
        capture: draft.map(|_| "manual"),
    }
}

/// `POST /checkout/shipping`
pub(crate) async fn choose_shipping(posted: Posted) -> Response {
    let wanted = posted.get("shipping").to_owned();
    let mut visit = posted.visit;
    if let Some(option) = visit.market().shipping.iter().find(|option| option.id.id() == wanted) {
        visit.cart.deliver(option.id);
        visit.keep_cart();
    }
    visit.go("/checkout")
}

/// What the page sends after the shopper's approval.
#[derive(Deserialize)]
pub(crate) struct Approval {
    checkout_id: String,
    authorization_token: String,
}

/// What the page sends when Klarna shows no widget.
#[derive(Deserialize)]
pub(crate) struct Stale {
    checkout_id: String,
    client_token: String,
}

/// `POST /checkout/renew`: has the gateway tell Klarna of the cart once more. If the session behind
/// `client_token` is gone there, the gateway opens another one, and the page is to be loaded again.
pub(crate) async fn renew(message: Message<Stale>) -> Response {
    #[derive(Serialize)]
    struct Renewal {
        renewed: bool,
    }
    let Message { visit, body } = message;
    let own = visit.draft.as_ref().and_then(|draft| draft.checkout_id.as_deref());
    if own != Some(body.checkout_id.as_str()) {
        // Another tab has begun another checkout since; the page is loaded again to join it.
        let renewed = own.is_some();
        return visit.answer(Json(Renewal { renewed }).into_response());
    }
    let gateway = visit.app().gateway.clone();
    let renewed = match gateway.update(&body.checkout_id, &request(&visit, None)).await {
        Ok(checkout) => {
            checkout.klarna.is_some_and(|session| session.client_token != body.client_token)
        }
        Err(error) => {
            report(&error, "a checkout's session was not renewed");
            false
        }
    };
    visit.answer(Json(Renewal { renewed }).into_response())
}

/// What the page is told to do next.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Next {
    /// The order exists.
    Done { location: String },
    /// Not known yet.
    Waiting { location: String },
    /// Klarna does not make an order of it.
    Declined,
    /// The approval cannot be used (any more); approve again.
    Again,
    /// Send the same message again in a moment.
    Retry,
    /// The shop itself is at fault.
    Failed,
}

/// `POST /checkout/confirm`. May be repeated: the gateway makes one order of one approval.
pub(crate) async fn confirm(message: Message<Approval>) -> Response {
    let Message { mut visit, body } = message;
    if !is_checkout_id(&body.checkout_id) || body.authorization_token.is_empty() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let id = body.checkout_id;
    let waiting = || Next::Waiting { location: format!("/checkout/waiting?checkout={id}") };
    let gateway = visit.app().gateway.clone();
    let (status, next) = match gateway.confirm(&id, &body.authorization_token).await {
        Ok(Confirmed::Done(checkout)) => match checkout.status {
            CheckoutStatus::Completed => (StatusCode::OK, done(&mut visit, &checkout)),
            CheckoutStatus::Declined => (StatusCode::OK, Next::Declined),
            CheckoutStatus::Open
            | CheckoutStatus::Confirming
            | CheckoutStatus::Expired
            | CheckoutStatus::Cancelled
            | CheckoutStatus::Unknown(_) => (StatusCode::ACCEPTED, waiting()),
        },
        Ok(Confirmed::InDoubt) => (StatusCode::ACCEPTED, waiting()),
        Err(error) => {
            report(&error, "a checkout was not confirmed");
            match error.status() {
                Some(StatusCode::PAYMENT_REQUIRED) => (StatusCode::OK, Next::Declined),
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    (StatusCode::BAD_GATEWAY, Next::Failed)
                }
                // Klarna said no to the gateway itself: asking again does not help.
                _ if matches!(error.code(), Some("credentials_refused" | "klarna_refused")) => {
                    (StatusCode::BAD_GATEWAY, Next::Failed)
                }
                _ if error.is_passing() => (StatusCode::SERVICE_UNAVAILABLE, Next::Retry),
                // Refused; perhaps because the order exists already, so the truth is read.
                _ => match gateway.checkout(&id).await {
                    Ok(checkout) if checkout.status == CheckoutStatus::Completed => {
                        (StatusCode::OK, done(&mut visit, &checkout))
                    }
                    Ok(checkout) if checkout.status == CheckoutStatus::Declined => {
                        (StatusCode::OK, Next::Declined)
                    }
                    Ok(checkout) if checkout.status == CheckoutStatus::Confirming => {
                        (StatusCode::ACCEPTED, waiting())
                    }
                    Err(error) if error.is_passing() => {
                        (StatusCode::SERVICE_UNAVAILABLE, Next::Retry)
                    }
                    Ok(_) | Err(_) => (StatusCode::OK, Next::Again),
                },
            }
        }
    };
    visit.answer((status, Json(next)).into_response())
}

fn done(visit: &mut Visit, checkout: &Checkout) -> Next {
    settle(visit, checkout);
    let own = format!("/confirmation?checkout={}", checkout.id);
    // Klarna wants the shopper to come by its own page first and leads back to ours.
    let location = checkout
        .redirect_url
        .as_deref()
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map_or(own, str::to_owned);
    Next::Done { location }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct WaitingQuery {
    #[serde(default)]
    checkout: String,
}

/// `GET /checkout/waiting`
pub(crate) async fn waiting(visit: Visit, Query(query): Query<WaitingQuery>) -> Response {
    if !is_checkout_id(&query.checkout) {
        return super::missing(visit);
    }
    // The page's script asks again and again; a browser without scripts comes here again instead.
    if let Ok(checkout) = visit.app().gateway.checkout(&query.checkout).await
        && checkout.status != CheckoutStatus::Confirming
    {
        return visit.go(&format!("/confirmation?checkout={}", checkout.id));
    }
    let page = pages::checkout::waiting(&visit, &query.checkout);
    let mut response = visit.page(StatusCode::OK, page);
    response.headers_mut().insert("refresh", HeaderValue::from_static("10"));
    response
}

/// `GET /checkout/status`: what the waiting page asks.
pub(crate) async fn status(visit: Visit, Query(query): Query<WaitingQuery>) -> Response {
    #[derive(Serialize)]
    struct Status {
        status: &'static str,
        location: Option<String>,
    }
    if !is_checkout_id(&query.checkout) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (status, location) = match visit.app().gateway.checkout(&query.checkout).await {
        Ok(checkout) => match checkout.status {
            CheckoutStatus::Completed => {
                ("done", Some(format!("/confirmation?checkout={}", checkout.id)))
            }
            CheckoutStatus::Confirming => ("waiting", None),
            CheckoutStatus::Open => ("open", Some("/checkout".to_owned())),
            CheckoutStatus::Declined
            | CheckoutStatus::Expired
            | CheckoutStatus::Cancelled
            | CheckoutStatus::Unknown(_) => {
                ("over", Some(format!("/confirmation?checkout={}", checkout.id)))
            }
        },
        Err(error) if error.is_passing() => ("unknown", None),
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    };
    visit.answer(Json(Status { status, location }).into_response())
}

/// `POST /checkout/transfer`: the other way to pay, and the way when there is nothing to pay.
pub(crate) async fn pay_by_transfer(posted: Posted) -> Response {
    if posted.visit.cart.is_empty() {
        return posted.visit.go("/cart");
    }
    let mut form = check_form(&posted);
    let mut visit = posted.visit;
    let free = visit.cart.bill(visit.view).total == 0;
    if form.method != "transfer" && !free {
        // Only a browser without scripts gets here.
        form.notice = Some(visit.texts().klarna_needs_scripts);
    }
    if !form.problems.is_empty() || form.notice.is_some() {
        return show_form(visit, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    }
    if let Some(id) = visit.draft.as_ref().and_then(|draft| draft.checkout_id.clone())
        && let Some(elsewhere) = call_off(&visit, &id).await
    {
        return visit.go(&elsewhere);
    }
    let bill = visit.cart.bill(visit.view);
    // A number of its own: the Klarna checkout under way keeps the one it was opened with.
    let reference = order_number(service::random::bytes());
    visit.note_order(OrderNote {
        reference: reference.clone(),
        checkout_id: None,
        placed_at_ms: visit.app().clock.now_ms(),
        amount: bill.total,
        currency: visit.market().currency.code().to_owned(),
    });
    visit.empty_cart();
    visit.forget_draft();
    visit.go(&format!("/confirmation?order={reference}"))
}

/// Calls the Klarna checkout off before the order is placed in another way, so that a page left
/// open in another tab cannot make a second order of the same cart. If an order was already made
/// of it, says where the shopper finds that one.
async fn call_off(visit: &Visit, id: &str) -> Option<String> {
    let gateway = &visit.app().gateway;
    let Err(error) = gateway.cancel(id).await else { return None };
    report(&error, "a checkout was not called off");
    match gateway.checkout(id).await.ok()?.status {
        CheckoutStatus::Completed => Some(format!("/confirmation?checkout={id}")),
        CheckoutStatus::Confirming => Some(format!("/checkout/waiting?checkout={id}")),
        CheckoutStatus::Open
        | CheckoutStatus::Declined
        | CheckoutStatus::Expired
        | CheckoutStatus::Cancelled
        | CheckoutStatus::Unknown(_) => None,
    }
}

fn check_form(posted: &Posted) -> Form {
    let visit = &posted.visit;
    let texts = visit.texts();
    let elsewhere = !posted.get("elsewhere").is_empty();
    let place = address::place(visit.market());
    let mut values = HashMap::new();
    let mut problems = HashMap::new();
    let mut check = |prefix: &str, field: &Field| {
        let name = format!("{prefix}{}", field.name);
        let value: String = posted.get(&name).chars().take(200).collect();
        if let Some(problem) = address::problem(field, &value, visit.market(), texts) {
            problems.insert(name.clone(), problem);
        }
        values.insert(name, value);
    };
    for field in address::CONTACT.iter().chain(place) {
        check("", field);
    }
    if elsewhere {
        for field in place {
            check("shipping_", field);
        }
    }
    let method: String = posted.get("method").chars().take(60).collect();
    Form { values, problems, elsewhere, method, notice: None }
}
