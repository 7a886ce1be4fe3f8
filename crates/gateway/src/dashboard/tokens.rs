//! The page of a customer token: what it is for, what it was charged for, and what can be done with it.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::TaxRate;
use klarna_types::market::{Market, TaxLayout};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::forms::field;
use super::payment::{Notice, said};
use super::subscriptions::{Button, Grave, form, row};
use super::{Person, format, layout, sign_in};
use crate::api::customer_tokens::not_done;
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::cart::{self, LineInput, LineKind, PricesMode, Problem as Wrong, Wish};
use crate::domain::checkout::{CaptureMode, Cart};
use crate::domain::customer::{Customer, CustomerToken, TokenStatus};
use crate::domain::dunning::StepUp;
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome, Request};
use crate::domain::operation::State as Stands;
use crate::domain::role::TOKEN_ACTION;
use crate::domain::subscription::Subscription;
use crate::engine::recurring::commands::{self, OnDemand};
use crate::engine::recurring::tokens;
use crate::fault::Fault;
use crate::store::customers::{self, Filter};
use crate::store::{operations, subscriptions};

/// How many charges and subscriptions the page shows.
const MOST: i64 = 50;
/// How long a person looks at a page that loads.
const PATIENCE: Duration = Duration::from_secs(10);

struct Shown {
    token: CustomerToken,
    customer: Option<Customer>,
    charges: Vec<Operation>,
    subscriptions: Vec<Subscription>,
}

fn load(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Shown>, Fault> {
    let Some(token) = customers::token_in(tx, store_id, id)? else { return Ok(None) };
    let customer = match &token.customer_id {
        Some(customer_id) => customers::get_in(tx, store_id, customer_id)?,
        None => None,
    };
    let mut charges = operations::of_subject(tx, id, None, MOST)?;
    charges.retain(|operation| matches!(operation.request, Request::Charge(_)));
    let filter = Filter { only: vec![("customer_token_id", id)], before: None };
    let subscriptions = subscriptions::list(tx, store_id, &filter, MOST)?;
    Ok(Some(Shown { token, customer, charges, subscriptions }))
}

/// Whether it can be charged.
pub(super) fn chip(token: &CustomerToken) -> Markup {
    let class = match token.status {
        TokenStatus::Active => "captured",
        TokenStatus::Suspended => "pending",
        TokenStatus::Cancelled => "cancelled",
    };
    html! { span class={ "chip " (class) } { (format::words(token.status.name())) } }
}

/// What is known of it.
pub(super) fn facts(token: &CustomerToken) -> Markup {
    html! {
        dl.facts {
            dt { "For" } dd { (token.description) }
            dt { "Country and currency" } dd { (token.country.as_str()) ", " (token.currency.as_str()) }
            @if let Some(method) = &token.payment_method_type { dt { "Payment method" } dd { (format::words(&method.to_lowercase())) } }
            dt { "Asked Klarna" } dd { @match token.checked_at_ms { Some(at_ms) => (format::moment(at_ms)), None => "Never" } }
            dt { "Token" } dd { code { (token.id) } }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Response {
    let notice = query.done.as_deref().map(|done| match done {
        "ask" => Notice::Good("Klarna was asked: this is how it stands.".to_owned()),
        "charge" => Notice::Good("Charged.".to_owned()),
        _ => Notice::Waiting("Accepted. This page shows what comes of it.".to_owned()),
    });
    show(&app, &person, &id, StatusCode::OK, notice).await
}

async fn show(
    app: &App,
    person: &Person,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Response {
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    match app.database().read_long(move |tx| load(tx, &store_id, &wanted)).await {
        Ok(Some(shown)) => {
            let key = app.engine().fresh_id("form");
            let content = view(&shown, person, &key, notice.as_ref());
            (status, layout::page("Customer token", Some(person), &content)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(person),
            "No such customer token",
            "There is no customer token at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn view(shown: &Shown, person: &Person, key: &str, notice: Option<&Notice>) -> Markup {
    let token = &shown.token;
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/dashboard/customers" { "Customers" }
            @if let Some(customer) = &shown.customer { a href={ "/dashboard/customers/" (customer.id) } { (customer.reference) } }
            span { (token.description) }
        }
        div.head {
            div {
                h1 { (token.description) }
                p.chips { (chip(token)) }
            }
        }
        (said(notice))
        div.columns {
            div {
                section.card {
                    h2 { "Subscriptions" }
                    @if shown.subscriptions.is_empty() {
                        p.muted { "No subscription is charged by it." }
                    } @else {
                        ul.payments { @for subscription in &shown.subscriptions { (row(subscription)) } }
                    }
                }
                (charges(shown))
            }
            aside aria-label="What can be done" {
                (actions(shown, person, key))
                section.card { h2 { "Details" } (facts(token)) }
            }
        }
    }
}

fn charges(shown: &Shown) -> Markup {
    html! {
        section.card {
            h2 { "Charges on demand" }
            @if shown.charges.is_empty() {
                p.muted { "None. Those of subscriptions stand with their subscription." }
            } @else {
                ul.moves {
                    @for operation in &shown.charges {
                        @if let Request::Charge(charge) = &operation.request {
                            li {
                                span.move {
                                    strong { (charge.merchant_reference) }
                                    span.muted {
                                        (format::moment(operation.created_at_ms)) " · " (format::words(operation.state.name()))
                                    }
                                }
                                span.much { (format::money(charge.amount, &shown.token.currency)) }
                                @if let Some(refusal) = operation.refusal() { span.wide.muted { (refusal.detail) } }
                                @if let Some(id) = &operation.payment_id { span.wide { a href={ "/dashboard/payments/" (id) } { "Open the payment" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn actions(shown: &Shown, person: &Person, key: &str) -> Markup {
    let token = &shown.token;
    let path = format!("/dashboard/customer-tokens/{}", token.id);
    let may = |action: &str| person.may_press(TOKEN_ACTION, action);
    let lives = token.status != TokenStatus::Cancelled;
    html! {
        section.card.actions {
            h2 { "Actions" }
            @if !lives { p.muted { "Klarna never charges a cancelled token again." } }
            @if may("ask") {
                form method="post" action={ (path) "/ask" } data-busy {
                    input type="hidden" name="csrf" value=(person.csrf_token);
                    p.muted { "Whether the shopper or Klarna has stopped it shows at the next charge, or when Klarna is asked." }
                    button type="submit" { "Ask Klarna now" }
                }
            }
            @if lives && may("charge") { (charge_form(token, person, key, &path)) }
            @if lives && may("cancel") {
                (form(&path, &Button {
                    action: "cancel",
                    label: "Cancel the customer token",
                    what: "Klarna never charges it again, and every subscription of it ends. This cannot be undone.",
                    is_grave: Grave::Yes,
                }, person))
            }
        }
    }
}

fn charge_form(token: &CustomerToken, person: &Person, key: &str, path: &str) -> Markup {
    html! {
        details.action {
            summary { "Charge something now" }
            form method="post" action={ (path) "/charge" } data-confirm="Charge the shopper now?" {
                input type="hidden" name="csrf" value=(person.csrf_token);
                input type="hidden" name="key" value=(key);
                p.muted { "The shopper is not asked: charge what they have agreed to." }
                label for="reference" { "Order number" }
                input #reference name="reference" required maxlength="200" autocomplete="off";
                label for="what" { "What it is for" }
                input #what name="what" required maxlength="200" autocomplete="off";
                div.pair {
                    div {
                        label for="amount" { "Amount in " (token.currency.as_str()) }
                        input #amount name="amount" required inputmode="decimal" autocomplete="off";
                    }
                    div {
                        label for="tax" { "Tax, %" }
                        input #tax name="tax" inputmode="decimal" autocomplete="off" value="0";
                    }
                }
                label.way {
                    input type="checkbox" name="capture" value="yes";
                    span { "Capture at once" }
                }
                button type="submit" { "Charge" }
            }
        }
    }
}

fn done(id: &str, what: &str) -> Response {
    Redirect::to(&format!("/dashboard/customer-tokens/{id}?done={what}")).into_response()
}

/// A button was pressed.
pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if !sign_in::is_right(&field(&body, "csrf").unwrap_or_default(), &person) {
        return sign_in::refused(&person);
    }
    let (store_id, wanted) = (person.store_id.clone(), id.clone());
    let found = app.database().read(move |tx| customers::token_in(tx, &store_id, &wanted)).await;
    let token = match found {
        Ok(Some(token)) => token,
        // The page says that there is none.
        Ok(None) => return show(&app, &person, &id, StatusCode::NOT_FOUND, None).await,
        Err(fault) => return layout::failed(&fault),
    };
    let acted = match action.as_str() {
        "ask" => ask(&app, &token).await,
        "charge" => charge(&app, &person, &token, &body).await,
        "cancel" => cancel(&app, &person, &token).await,
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    match acted {
        Ok(what) => done(&id, what),
        Err(problem) => {
            let notice = Notice::Bad {
                title: if action == "charge" {
                    "It was not charged"
                } else {
                    "Nothing was changed"
                }
                .to_owned(),
                detail: problem.detail.clone(),
                remedy: problem.remedy.clone(),
                correlation_id: problem.correlation_id.clone(),
            };
            show(&app, &person, &id, problem.status(), Some(notice)).await
        }
    }
}

async fn ask(app: &App, token: &CustomerToken) -> Result<&'static str, Problem> {
    match tokens::refresh(app.engine(), token).await? {
        Ok(_) => Ok("ask"),
        Err(failure) => Err(crate::engine::sessions::Trouble::Klarna(failure).into()),
    }
}

async fn outcome(app: &App, id: &str, what: &'static str) -> Result<&'static str, Problem> {
    let settled = app.engine().outcome(id, PATIENCE).await?;
    match settled {
        Some(operation) => match (operation.state, &operation.outcome) {
            (Stands::Done, _) => Ok(what),
            (Stands::Refused, Some(Outcome::Refused(refusal))) => {
                Err(Problem::refused(refusal, &operation.id))
            }
            _ => Ok("accepted"),
        },
        None => Ok("accepted"),
    }
}

async fn cancel(
    app: &App,
    person: &Person,
    token: &CustomerToken,
) -> Result<&'static str, Problem> {
    let engine = app.engine();
    let (new_id, now_ms) = (engine.fresh_id("op"), engine.now_ms());
    let (store_id, token_id) = (person.store_id.clone(), token.id.clone());
    let taken = app
        .database()
        .write(move |tx| commands::cancel_token(tx, &store_id, &token_id, &new_id, now_ms))
        .await?;
    engine.wake();
    match taken.map_err(|reason| not_done("customer token", reason))? {
        Some(operation) => outcome(app, &operation.id, "cancel").await,
        None => Ok("cancel"),
    }
}

/// What is to be charged, as the form says it.
fn cart_of(token: &CustomerToken, body: &[u8]) -> Result<Cart, Wrong> {
    let wrong =
        |member: &str, detail: &str| Wrong { member: member.to_owned(), detail: detail.to_owned() };
    let amount = field(body, "amount")
        .and_then(|text| format::read_money(&text, &token.currency))
        .ok_or_else(|| wrong("amount", "is not an amount, such as 149.00"))?;
    let tax_rate = field(body, "tax")
        .map_or(Some(TaxRate::ZERO), |text| format::read_percent(&text))
        .ok_or_else(|| wrong("tax", "is not a percentage, such as 25"))?;
    let prices = match token.country.market().map(Market::tax_layout) {
        Some(TaxLayout::SalesTaxLine) => PricesMode::ExcludingTax,
        Some(TaxLayout::OnEachLine) | None => PricesMode::IncludingTax,
    };
    let cart = cart::build(Wish {
        merchant_reference: field(body, "reference").unwrap_or_default(),
        country: token.country.as_str().to_owned(),
        locale: Some(token.locale.as_str().to_owned()),
        currency: Some(token.currency.as_str().to_owned()),
        prices,
        lines: vec![LineInput {
            kind: LineKind::Digital,
            reference: None,
            name: field(body, "what").unwrap_or_default(),
            quantity: 1,
            unit_price: amount,
            tax_rate,
            discount: None,
            image_url: None,
            product_url: None,
        }],
    })?;
    if !cart.order_amount.is_positive() {
        return Err(wrong("amount", "a charge is more than nothing"));
    }
    Ok(cart)
}

async fn charge(
    app: &App,
    person: &Person,
    token: &CustomerToken,
    body: &[u8],
) -> Result<&'static str, Problem> {
    let key = field(body, "key").unwrap_or_default();
    if !idempotency::is_acceptable_key(&key) {
        return Err(Problem::invalid("key", "This form is not one of ours. Reload the page."));
    }
    let cart = cart_of(token, body)
        .map_err(|wrong| Problem::invalid(wrong.member.clone(), format!("{wrong}.")))?;
    let wanted = OnDemand {
        cart,
        capture: match field(body, "capture") {
            Some(_) => CaptureMode::Automatic,
            None => CaptureMode::Manual,
        },
        step_up: StepUp::Never,
    };
    let engine = app.engine();
    let (new_id, now_ms) = (engine.fresh_id("op"), engine.now_ms());
    let (store_id, token_id) = (person.store_id.clone(), token.id.clone());
    // The form's key is fresh for each page: whatever comes under it is the same press.
    let dedupe = format!("charge/{}/form/{}", token.id, idempotency::digest(&key));
    let taken = app
        .database()
        .write(move |tx| {
            let intent = (dedupe.as_str(), new_id.as_str());
            commands::charge(tx, &store_id, &token_id, intent, &wanted, now_ms)
        })
        .await?;
    engine.wake();
    let operation = taken.map_err(|reason| not_done("customer token", reason))?;
    outcome(app, &operation.id, "charge").await
}
