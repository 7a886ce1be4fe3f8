//! The page of one subscription.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::super::payment::{Notice, said};
use super::super::{Person, format, layout, tokens};
use super::{actions, chip, price, rhythm};
use crate::app::App;
use crate::domain::checkout::Checkout;
use crate::domain::customer::CustomerToken;
use crate::domain::dunning::Then;
use crate::domain::plan::{Plan, Status as PlanStatus};
use crate::domain::role::SUBSCRIPTION_ACTION;
use crate::domain::subscription::Subscription;
use crate::fault::Fault;
use crate::store::customers::Filter;
use crate::store::events::Event;
use crate::store::subscriptions::{self, Charge, ChargeStatus};
use crate::store::{checkouts, customers, events};

/// How many charges the page shows.
const CHARGES: i64 = 50;
/// How many plans there are to choose from.
const PLANS: i64 = 100;

/// Everything the page shows.
pub(super) struct Shown {
    pub(super) subscription: Subscription,
    pub(super) token: Option<CustomerToken>,
    /// What it could be moved to.
    pub(super) plans: Vec<Plan>,
    /// The checkout in which the shopper may pay the failed charge.
    help: Option<Checkout>,
    charges: Vec<Charge>,
    events: Vec<Event>,
}

pub(super) fn load(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Shown>, Fault> {
    let Some(subscription) = subscriptions::get_in(tx, store_id, id)? else { return Ok(None) };
    let token = match &subscription.customer_token_id {
        Some(token_id) => customers::token_of(tx, token_id)?,
        None => None,
    };
    let mut plans = customers::list_plans(tx, store_id, &Filter::default(), PLANS)?;
    plans.retain(|plan| {
        plan.status == PlanStatus::Active
            && plan.terms.currency == subscription.terms.currency
            && plan.id != subscription.plan_id
    });
    let help = match subscription.step_up() {
        Some((_, wait, _)) => match &wait.checkout_id {
            Some(checkout_id) => checkouts::get_in(tx, store_id, checkout_id)?,
            None => None,
        },
        None => None,
    };
    Ok(Some(Shown {
        plans,
        help,
        charges: subscriptions::charges(tx, id, None, CHARGES)?,
        events: events::of_subject(tx, id)?,
        subscription,
        token,
    }))
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::dashboard) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

pub(in crate::dashboard) async fn page(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Response {
    let notice = query.done.as_deref().map(|done| match done {
        "pause" => Notice::Good("Paused. Nothing is charged until it is resumed.".to_owned()),
        "resume" => Notice::Good("It goes on with its next due day.".to_owned()),
        "cancel" => Notice::Good("The subscription is cancelled.".to_owned()),
        "end" => Notice::Good("It ends with its period.".to_owned()),
        "plan" => Notice::Good("It is moved to the other plan.".to_owned()),
        "help" => {
            Notice::Good("The shopper can pay the failed charge by the link below.".to_owned())
        }
        "link" => Notice::Good("Klarna sends the shopper the link.".to_owned()),
        _ => Notice::Waiting("Accepted. This page shows what comes of it.".to_owned()),
    });
    show(&app, &person, &id, StatusCode::OK, notice).await
}

/// The page, with something said on top.
pub(super) async fn show(
    app: &App,
    person: &Person,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Response {
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    match app.database().read_long(move |tx| load(tx, &store_id, &wanted)).await {
        Ok(Some(shown)) => {
            let now_ms = app.engine().now_ms();
            let content = view(&shown, person, notice.as_ref(), now_ms);
            let title = &shown.subscription.merchant_reference;
            (status, layout::page(title, Some(person), &content)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(person),
            "No such subscription",
            "There is no subscription at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn view(shown: &Shown, person: &Person, notice: Option<&Notice>, now_ms: i64) -> Markup {
    let subscription = &shown.subscription;
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/dashboard/subscriptions" { "Subscriptions" }
            span { (subscription.merchant_reference) }
        }
        div.head {
            div {
                h1 { (subscription.merchant_reference) }
                p.chips { (chip(subscription)) }
            }
            p.total { (price(&subscription.terms)) " " span.muted.small { (rhythm(&subscription.terms)) } }
        }
        (said(notice))
        (open_charge(shown, person, now_ms))
        div.columns {
            div { (charges(shown)) (timeline(shown)) }
            aside aria-label="What can be done" {
                (actions::all(shown, person))
                (facts(subscription))
                (token(shown))
            }
        }
    }
}

fn open_charge(shown: &Shown, person: &Person, now_ms: i64) -> Markup {
    let Some(open) = &shown.subscription.open else { return html! {} };
    let Some(wait) = &open.waits else {
        return html! { p.notice.waiting { strong { "Charge " (open.number) } " is on its way." } };
    };
    html! {
        div.notice.bad role="alert" {
            strong { "Charge " (open.number) " failed" }
            p {
                @match wait.then {
                    Then::Retry => "It is tried again at ",
                    Then::GiveUp { .. } => "It is given up at ",
                }
                (format::moment(wait.until_ms)) ". Attempts so far: " (open.attempts) "."
            }
        }
        @if wait.step_up_id(now_ms).is_some() || shown.help.is_some() { (help(shown, person, now_ms)) }
    }
}

/// The way on which the shopper can pay a failed charge.
fn help(shown: &Shown, person: &Person, now_ms: i64) -> Markup {
    let path = format!("/dashboard/subscriptions/{}", shown.subscription.id);
    let may = person.may_press(SUBSCRIPTION_ACTION, "help");
    let open = shown.help.as_ref().filter(|checkout| !checkout.status.is_over());
    let page = open
        .filter(|checkout| !checkout.needs_new_session(now_ms))
        .and_then(Checkout::page)
        .filter(|page| !page.status.is_over());
    html! {
        section.card {
            h2 { "The shopper can help" }
            p { "Until then the shopper can pay this charge in another way, on a page of Klarna's. The method that they choose stands behind later charges too." }
            @match page {
                Some(page) => {
                    p.small.muted { "The link to it, good until " (format::moment(page.expires_at_ms)) ":" }
                    code.shown { (page.redirect_url.as_deref().unwrap_or_default()) }
                    @if let Some((_, at_ms)) = page.sent { p.small.muted { "Klarna has sent it at " (format::moment(at_ms)) "." } }
                    @if may { (send_form(&path, shown, person)) }
                }
                None if may => form method="post" action={ (path) "/help" } data-busy {
                    input type="hidden" name="csrf" value=(person.csrf_token);
                    button type="submit" { "Make the link" }
                },
                None => p.muted { "There is no link to it yet." },
            }
        }
    }
}

fn send_form(path: &str, shown: &Shown, person: &Person) -> Markup {
    let country = shown.token.as_ref().map_or("", |token| token.country.as_str());
    html! {
        details.action {
            summary { "Have Klarna send it" }
            form method="post" action={ (path) "/link" } data-busy {
                input type="hidden" name="csrf" value=(person.csrf_token);
                input type="hidden" name="country" value=(country);
                div.pair {
                    div {
                        label for="send-phone" { "Phone number" }
                        input #send-phone name="phone" type="tel" autocomplete="off" maxlength="40";
                    }
                    div {
                        label for="send-email" { "or e-mail address" }
                        input #send-email name="email" type="email" autocomplete="off" maxlength="99";
                    }
                }
                button type="submit" { "Send the link" }
            }
        }
    }
}

fn charge_words(status: ChargeStatus) -> (&'static str, &'static str) {
    match status {
        ChargeStatus::Pending => ("Pending", "pending"),
        ChargeStatus::Failed => ("Failed", "rejected"),
        ChargeStatus::Paid => ("Paid", "captured"),
        ChargeStatus::GivenUp => ("Given up", "rejected"),
        ChargeStatus::Void => ("Void", "cancelled"),
    }
}

fn charges(shown: &Shown) -> Markup {
    html! {
        section.card {
            h2 { "Charges" }
            @if shown.charges.is_empty() {
                p.muted { "Nothing has fallen due yet." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Charges" {
                    table {
                        thead { tr {
                            th scope="col" { "No." } th scope="col" { "Due" } th scope="col" { "Status" }
                            th.number scope="col" { "Amount" } th scope="col" { "Payment" }
                        } }
                        tbody {
                            @for charge in &shown.charges {
                                @let (words, class) = charge_words(charge.status);
                                tr {
                                    td { (charge.number) }
                                    td { (format::moment(charge.due_at_ms)) }
                                    td {
                                        span class={ "chip " (class) } { (words) }
                                        @if charge.operations.len() > 1 { span.muted.block { (charge.operations.len()) " attempts" } }
                                        @if let Some(refusal) = &charge.refusal { span.muted.block { (refusal.detail) } }
                                    }
                                    td.number { (format::money(charge.amount, &charge.currency)) }
                                    td {
                                        @if let Some(id) = &charge.payment_id { a href={ "/dashboard/payments/" (id) } { "Payment" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn timeline(shown: &Shown) -> Markup {
    html! {
        section.card {
            h2 { "Timeline" }
            ol.timeline {
                @for event in shown.events.iter().rev() {
                    @let text = |name: &str| event.data.get(name).and_then(serde_json::Value::as_str);
                    @let bad = ["failed", "refused", "suspended", "alarm", "needs_attention"].iter().any(|end| event.kind.ends_with(end));
                    li.bad[bad] {
                        p { strong { (format::words(&event.kind)) } @if let Some(number) = event.data.get("charge_number").and_then(serde_json::Value::as_i64) { " · charge " (number) } }
                        @if let Some(because) = text("because") { p { (format::words(because)) } }
                        // The refused call and the shopper's chance say the same as the failed charge.
                        @if event.kind == "subscription.charge_failed" {
                            @if let Some(detail) = text("detail") { p { (detail) } }
                            @if let Some(remedy) = text("remedy") { p { (remedy) } }
                        }
                        p.small.muted { (format::moment(event.created_at_ms)) }
                    }
                }
            }
        }
    }
}

fn facts(subscription: &Subscription) -> Markup {
    html! {
        section.card {
            h2 { "Details" }
            dl.facts {
                dt { "Plan" } dd { (subscription.terms.name) " " code { (subscription.plan_id) } }
                @if let Some(next) = &subscription.next_plan { dt { "Next plan" } dd { (next.terms.name) " " code { (next.plan_id) } } }
                @if let Some(at_ms) = subscription.next_charge_at_ms() { dt { "Next charge" } dd { (format::moment(at_ms)) } }
                dt { "Time zone" } dd { (subscription.start.zone) }
                @if let Some(at_ms) = subscription.paused_at_ms { dt { "Paused" } dd { (format::moment(at_ms)) } }
                @if let Some(ended) = subscription.ended { dt { "Ended" } dd { (format::moment(ended.at_ms)) } }
                dt { "Made" } dd { (format::moment(subscription.created_at_ms)) }
                @if let Some(id) = &subscription.customer_id { dt { "Customer" } dd { a href={ "/dashboard/customers/" (id) } { "Open the customer" } } }
                dt { "Subscription" } dd { code { (subscription.id) } }
            }
        }
    }
}

fn token(shown: &Shown) -> Markup {
    html! {
        section.card {
            h2 { "Customer token" }
            @if let Some(token) = &shown.token {
                p.chips { (tokens::chip(token)) }
                (tokens::facts(token))
                p { a.button href={ "/dashboard/customer-tokens/" (token.id) } { "Open the customer token" } }
            } @else {
                p.muted { "The checkout has not made it yet." }
            }
        }
    }
}
