//! Subscriptions: the list, and one of them with its charges, its customer token, what can be done with
//! it and what happened.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::payment::{Notice, said};
use super::{Person, format, layout, sign_in};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::domain::customer::{CustomerToken, TokenStatus};
use crate::domain::dunning::Then;
use crate::domain::role::SUBSCRIPTION_ACTION;
use crate::domain::subscription::{Status, Subscription, When};
use crate::engine::recurring::commands::{self, Command, NotDone};
use crate::engine::recurring::tokens;
use crate::fault::Fault;
use crate::store::customers::Filter;
use crate::store::events::Event;
use crate::store::subscriptions::{self, Charge, ChargeStatus};
use crate::store::{customers, events};

const PAGE: i64 = 25;
/// How many charges the page of a subscription shows.
const CHARGES: i64 = 50;
/// How long a person looks at a page that loads.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

struct Found {
    subscriptions: Vec<Subscription>,
    next: Option<String>,
    counts: Vec<(String, i64)>,
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(query): Query<ListQuery>,
) -> Response {
    let status = query.status.as_deref().and_then(Status::from_name);
    let search = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let wanted = search.map(ToOwned::to_owned);
    let before = query.cursor.as_deref().and_then(read_cursor);
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let mut only = Vec::new();
            only.extend(status.map(|status| ("status", status.name())));
            only.extend(wanted.iter().map(|text| ("merchant_reference", text.as_str())));
            let filter = Filter { only, before: before.clone() };
            let mut found = subscriptions::list(tx, &store_id, &filter, PAGE + 1)?;
            let more = found.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
            if more {
                found.pop();
            }
            Ok::<_, Fault>(Found {
                next: found
                    .last()
                    .filter(|_| more)
                    .map(|last| cursor_of(last.created_at_ms, &last.id)),
                subscriptions: found,
                counts: subscriptions::count_by_status(tx, &store_id)?,
            })
        })
        .await;
    match found {
        Ok(found) => {
            let content = list_view(&found, status, search);
            layout::page("Subscriptions", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn link(status: Option<Status>, search: Option<&str>, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(status) = status {
        query.append_pair("status", status.name());
    }
    if let Some(search) = search {
        query.append_pair("q", search);
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let query = query.finish();
    if query.is_empty() {
        "/dashboard/subscriptions".to_owned()
    } else {
        format!("/dashboard/subscriptions?{query}")
    }
}

fn list_view(found: &Found, status: Option<Status>, search: Option<&str>) -> Markup {
    let count = |status: Status| {
        found.counts.iter().find(|(name, _)| name == status.name()).map_or(0, |(_, count)| *count)
    };
    let all: i64 = found.counts.iter().map(|(_, count)| count).sum();
    html! {
        div.head {
            h1 { "Subscriptions" }
            form.search role="search" method="get" action="/dashboard/subscriptions" {
                @if let Some(status) = status {
                    input type="hidden" name="status" value=(status.name());
                }
                label.hidden for="q" { "Search" }
                input #q type="search" name="q" value=(search.unwrap_or_default()) placeholder="Reference";
                button type="submit" { "Search" }
            }
        }
        nav.filters aria-label="Filter by status" {
            a href=(link(None, search, None)) aria-current=[status.is_none().then_some("true")] {
                "All " span.count { (all) }
            }
            @for each in Status::ALL {
                @if count(each) > 0 || status == Some(each) {
                    a href=(link(Some(each), search, None))
                        aria-current=[(status == Some(each)).then_some("true")] {
                        (format::words(each.name())) " " span.count { (count(each)) }
                    }
                }
            }
        }
        @if found.subscriptions.is_empty() {
            section.card.empty {
                @if search.is_some() || status.is_some() {
                    h2 { "Nothing found" }
                    p.muted { "No subscription fits. Search takes whole references." }
                    p { a.button href="/dashboard/subscriptions" { "Show all subscriptions" } }
                } @else {
                    h2 { "No subscriptions yet" }
                    p.muted { "As soon as a shopper subscribes, the subscription stands here." }
                }
            }
        } @else {
            ul.payments { @for subscription in &found.subscriptions { (row(subscription)) } }
            @if let Some(cursor) = &found.next {
                p.more { a.button href=(link(status, search, Some(cursor))) { "Older subscriptions" } }
            }
        }
    }
}

fn row(subscription: &Subscription) -> Markup {
    html! {
        li {
            a.row href={ "/dashboard/subscriptions/" (subscription.id) } {
                span.who {
                    strong { (subscription.merchant_reference) }
                    span.muted { (subscription.terms.name) " · " (rhythm(subscription)) }
                }
                span.when.muted {
                    @match subscription.next_charge_at_ms() {
                        Some(at_ms) => { "next " (format::moment(at_ms)) }
                        None => "no charge to come",
                    }
                }
                span.what { (chip(subscription)) }
                span.much { (price(subscription)) }
            }
        }
    }
}

fn price(subscription: &Subscription) -> String {
    let terms = &subscription.terms;
    terms.amount().map(|amount| format::money(amount, &terms.currency)).unwrap_or_default()
}

/// `every 3 months`.
fn rhythm(subscription: &Subscription) -> String {
    let rhythm = subscription.terms.rhythm;
    match rhythm.count {
        1 => format!("every {}", rhythm.interval.name()),
        count => format!("every {count} {}s", rhythm.interval.name()),
    }
}

fn chip(subscription: &Subscription) -> Markup {
    let class = match subscription.status {
        Status::Active => "captured",
        Status::Trialing | Status::Incomplete => "authorized",
        Status::PastDue | Status::Suspended => "rejected",
        Status::Paused | Status::Cancelled => "cancelled",
    };
    html! {
        span class={ "chip " (class) } { (format::words(subscription.status.name())) }
        @if subscription.cancel_at_period_end && subscription.ended.is_none() { " " span.chip.refunded { "Ends with its period" } }
    }
}

/// Everything the page shows.
struct Shown {
    subscription: Subscription,
    token: Option<CustomerToken>,
    charges: Vec<Charge>,
    events: Vec<Event>,
}

fn load(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Shown>, Fault> {
    let Some(subscription) = subscriptions::get_in(tx, store_id, id)? else { return Ok(None) };
    let token = match &subscription.customer_token_id {
        Some(token_id) => customers::token_of(tx, token_id)?,
        None => None,
    };
    Ok(Some(Shown {
        charges: subscriptions::charges(tx, id, None, CHARGES)?,
        events: events::of_subject(tx, id)?,
        subscription,
        token,
    }))
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
        "pause" => Notice::Good("Paused. Nothing is charged until it is resumed.".to_owned()),
        "resume" => Notice::Good("It goes on with its next due day.".to_owned()),
        "cancel" => Notice::Good("The subscription is cancelled.".to_owned()),
        "end" => Notice::Good("It ends with its period.".to_owned()),
        "token" => Notice::Good("Klarna was asked about the customer token.".to_owned()),
        "cancel-token" => Notice::Waiting("The customer token is being cancelled.".to_owned()),
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
            let content = view(&shown, person, notice.as_ref());
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

fn view(shown: &Shown, person: &Person, notice: Option<&Notice>) -> Markup {
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
            p.total { (price(subscription)) " " span.muted.small { (rhythm(subscription)) } }
        }
        (said(notice))
        (open_charge(subscription))
        div.columns {
            div { (charges(shown)) (timeline(shown)) }
            aside aria-label="What can be done" {
                (actions(subscription, person))
                (facts(subscription))
                (token(shown, person))
            }
        }
    }
}

fn open_charge(subscription: &Subscription) -> Markup {
    html! {
        @if let Some(open) = &subscription.open {
            @match &open.waits {
                None => p.notice.waiting { strong { "Charge " (open.number) } " is on its way." },
                Some(wait) => div.notice.bad role="alert" {
                    strong { "Charge " (open.number) " failed" }
                    p {
                        @match wait.then {
                            Then::Retry => "It is tried again at ",
                            Then::GiveUp { .. } => "It is given up at ",
                        }
                        (format::moment(wait.until_ms)) ". Attempts so far: " (open.attempts) "."
                    }
                    @if wait.step_up_id.is_some() {
                        p {
                            "The shopper can pay it in another way until then"
                            @if wait.checkout_id.is_some() { ", and the checkout for it is open." } @else { ": your shop opens a checkout for it." }
                        }
                    }
                }
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
                        @if let Some(detail) = text("detail") { p { (detail) } }
                        @if let Some(remedy) = text("remedy") { p { (remedy) } }
                        p.small.muted { (format::moment(event.created_at_ms)) }
                    }
                }
            }
        }
    }
}

/// A button that does one thing.
struct Button {
    action: &'static str,
    label: &'static str,
    what: &'static str,
    is_grave: Grave,
}

/// Whether a thing can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grave {
    No,
    Yes,
}

fn buttons(subscription: &Subscription) -> Vec<Button> {
    let mut buttons = Vec::new();
    let mut add = |action, label, what, is_grave| {
        buttons.push(Button { action, label, what, is_grave });
    };
    let waits = subscription.open.as_ref().is_some_and(|open| open.waits.is_some());
    if waits {
        add(
            "retry",
            "Charge again now",
            "The failed charge is tried again at once, instead of on its planned day.",
            Grave::No,
        );
    }
    match subscription.status {
        Status::Trialing | Status::Active if subscription.open.is_none() => {
            let what = "Nothing is charged until it is resumed, and what would have been is not charged later.";
            add("pause", "Pause", what, Grave::No);
        }
        Status::Paused | Status::Suspended => {
            add("resume", "Resume", "It goes on with its next due day.", Grave::No);
        }
        Status::Incomplete
        | Status::Trialing
        | Status::Active
        | Status::PastDue
        | Status::Cancelled => {}
    }
    match subscription.status {
        Status::Trialing | Status::Active | Status::PastDue => {
            if subscription.cancel_at_period_end {
                add("resume", "Keep it after all", "It does not end with its period.", Grave::No);
            } else {
                let what = "Its current period goes on; then nothing more is charged.";
                add("end", "End with its period", what, Grave::No);
            }
        }
        Status::Incomplete | Status::Paused | Status::Suspended | Status::Cancelled => {}
    }
    if subscription.status != Status::Cancelled {
        let what = "It ends at once. What was charged stays charged. This cannot be undone.";
        add("cancel", "Cancel now", what, Grave::Yes);
    }
    buttons
}

fn form(path: &str, button: &Button, person: &Person) -> Markup {
    html! {
        details.action {
            summary { (button.label) }
            form method="post" action={ (path) "/" (button.action) } data-confirm={ (button.label) "?" } {
                input type="hidden" name="csrf" value=(person.csrf_token);
                p.muted { (button.what) }
                button.danger[button.is_grave == Grave::Yes] type="submit" { (button.label) }
            }
        }
    }
}

fn actions(subscription: &Subscription, person: &Person) -> Markup {
    let path = format!("/dashboard/subscriptions/{}", subscription.id);
    let mut buttons = buttons(subscription);
    buttons.retain(|button| person.may_press(SUBSCRIPTION_ACTION, button.action));
    html! {
        section.card.actions {
            h2 { "Actions" }
            @if buttons.is_empty() { p.muted { "Nothing can be done with this subscription now." } }
            @for button in &buttons { (form(&path, button, person)) }
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
                @if let Some(id) = &subscription.customer_id { dt { "Customer" } dd { code { (id) } } }
                dt { "Subscription" } dd { code { (subscription.id) } }
            }
        }
    }
}

fn token(shown: &Shown, person: &Person) -> Markup {
    let path = format!("/dashboard/subscriptions/{}", shown.subscription.id);
    html! {
        section.card {
            h2 { "Customer token" }
            @if let Some(token) = &shown.token {
                p.chips {
                    @let class = match token.status { TokenStatus::Active => "captured", TokenStatus::Suspended => "pending", TokenStatus::Cancelled => "cancelled" };
                    span class={ "chip " (class) } { (format::words(token.status.name())) }
                }
                dl.facts {
                    dt { "For" } dd { (token.description) }
                    @if let Some(method) = &token.payment_method_type { dt { "Payment method" } dd { (format::words(&method.to_lowercase())) } }
                    dt { "Asked Klarna" } dd { @match token.checked_at_ms { Some(at_ms) => (format::moment(at_ms)), None => "Never" } }
                    dt { "Token" } dd { code { (token.id) } }
                }
                @if person.may_press(SUBSCRIPTION_ACTION, "token") {
                    form method="post" action={ (path) "/token" } data-busy {
                        input type="hidden" name="csrf" value=(person.csrf_token);
                        button type="submit" { "Ask Klarna now" }
                    }
                }
                @if token.status != TokenStatus::Cancelled && person.may_press(SUBSCRIPTION_ACTION, "cancel-token") {
                    (form(&path, &Button {
                        action: "cancel-token",
                        label: "Cancel the customer token",
                        what: "Klarna never charges it again, and every subscription of it ends. This cannot be undone.",
                        is_grave: Grave::Yes,
                    }, person))
                }
            } @else {
                p.muted { "The checkout has not made it yet." }
            }
        }
    }
}

fn done(id: &str, what: &str) -> Response {
    Redirect::to(&format!("/dashboard/subscriptions/{id}?done={what}")).into_response()
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let csrf = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "csrf")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    if !sign_in::is_right(&csrf, &person) {
        return sign_in::refused(&person);
    }
    let command = match action.as_str() {
        "pause" => Command::Pause,
        "resume" => Command::Resume,
        "retry" => Command::Retry,
        "cancel" => Command::Cancel(When::Now),
        "end" => Command::Cancel(When::PeriodEnd),
        "token" | "cancel-token" => return on_token(&app, &person, &id, &action).await,
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    let now_ms = app.engine().now_ms();
    let (store_id, wanted) = (person.store_id.clone(), id.clone());
    let acted = app
        .database()
        .write(move |tx| commands::act(tx, &store_id, &wanted, &command, now_ms))
        .await;
    app.engine().wake();
    match acted {
        Ok(Ok(_)) => done(&id, &action),
        Ok(Err(reason)) => refused(&app, &person, &id, reason).await,
        Err(fault) => layout::failed(&fault),
    }
}

async fn refused(app: &App, person: &Person, id: &str, reason: NotDone) -> Response {
    let problem = crate::api::customer_tokens::not_done("subscription", reason);
    let notice = Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        correlation_id: None,
    };
    show(app, person, id, problem.status(), Some(notice)).await
}

/// Asks Klarna about a subscription's token, or cancels it.
async fn on_token(app: &App, person: &Person, id: &str, action: &str) -> Response {
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    let found = app.database().read(move |tx| load(tx, &store_id, &wanted)).await;
    let token = match found {
        Ok(found) => found.and_then(|shown| shown.token),
        Err(fault) => return layout::failed(&fault),
    };
    let Some(token) = token else { return refused(app, person, id, NotDone::Unknown).await };
    if action == "token" {
        return match tokens::refresh(app.engine(), &token).await {
            Ok(Ok(_)) => done(id, action),
            Ok(Err(failure)) => {
                let notice = Notice::Bad {
                    title: "Klarna could not be asked".to_owned(),
                    detail: format!("{}.", failure.summary),
                    remedy: "Try again in a moment.".to_owned(),
                    correlation_id: failure.correlation_id,
                };
                show(app, person, id, StatusCode::BAD_GATEWAY, Some(notice)).await
            }
            Err(fault) => layout::failed(&fault),
        };
    }
    let engine = app.engine();
    let (new_id, now_ms) = (engine.fresh_id("op"), engine.now_ms());
    let store_id = person.store_id.clone();
    let taken = app
        .database()
        .write(move |tx| commands::cancel_token(tx, &store_id, &token.id, &new_id, now_ms))
        .await;
    engine.wake();
    match taken {
        Ok(Ok(operation)) => {
            if let Some(operation) = operation
                && let Err(fault) = engine.outcome(&operation.id, PATIENCE).await
            {
                return layout::failed(&fault);
            }
            done(id, action)
        }
        Ok(Err(reason)) => refused(app, person, id, reason).await,
        Err(fault) => layout::failed(&fault),
    }
}
