//! One payment: its sums, its lines, what was done, what can be done, and what happened.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use klarna_types::MinorUnits;
use klarna_types::order_management::ShippingInfo;
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::{
    Person, disputes as disputes_page, format, forms, layout, list, payouts as payouts_page,
};
use crate::api::streams::{self, Seen};
use crate::app::App;
use crate::domain::dispute::Dispute;
use crate::domain::expiry::Policy;
use crate::domain::journal::Operation;
use crate::domain::operation::{Kind, State as Stands};
use crate::domain::payment::Payment;
use crate::domain::payout::{Entry as PaidEntry, Payout};
use crate::fault::Fault;
use crate::store::events::Event;
use crate::store::operations::Attempt;
use crate::store::{disputes, events, operations, payments, payouts, policies};

/// Everything the page shows.
struct Shown {
    payment: Payment,
    operations: Vec<(Operation, Vec<Attempt>)>,
    events: Vec<Event>,
    policy: Policy,
    disputes: Vec<Dispute>,
    payouts: Vec<(Payout, Vec<PaidEntry>)>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

fn load(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Shown>, Fault> {
    let Some(payment) = payments::get_in(tx, store_id, id)? else { return Ok(None) };
    let mut with_attempts = Vec::new();
    for operation in operations::of_payment(tx, &payment.id)? {
        let attempts = operations::attempts(tx, &operation.id)?;
        with_attempts.push((operation, attempts));
    }
    let mut all = events::of_subject(tx, &payment.checkout_id)?;
    all.extend(events::of_subject(tx, &payment.id)?);
    all.sort_by_key(|event| event.created_at_ms);
    let policy = policies::expiry(tx, store_id)?;
    let disputes = disputes::of_payment(tx, store_id, &payment.id)?;
    let payouts = payouts::of_payment(tx, store_id, &payment.id)?;
    Ok(Some(Shown { payment, operations: with_attempts, events: all, policy, disputes, payouts }))
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Response {
    show(&app, &person, &id, StatusCode::OK, query.done.as_deref().map(notice)).await
}

/// What happens to the payment, as it happens.
pub(super) async fn stream(
    State(app): State<App>,
    person: Person,
    seen: Seen,
    Path(id): Path<String>,
) -> Response {
    streams::of_person(&app, person.store_id, seen, id)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// What is said on top of the page.
pub(super) enum Notice {
    Good(String),
    Waiting(String),
    Bad { title: String, detail: String, remedy: String, correlation_id: Option<String> },
}

fn notice(done: &str) -> Notice {
    match done {
        "capture" => Notice::Good("Captured.".to_owned()),
        "refund" => Notice::Good("Refunded.".to_owned()),
        "cancel" => Notice::Good("The payment is cancelled.".to_owned()),
        "release" => Notice::Good("What remained is released.".to_owned()),
        "update_authorization" => Notice::Good("The authorised amount is changed.".to_owned()),
        "extend_authorization" => Notice::Good("There is more time to capture.".to_owned()),
        "update_customer_details" => Notice::Good("The shipping address is changed.".to_owned()),
        "update_merchant_references" => Notice::Good("The references are changed.".to_owned()),
        "add_shipping_info" => Notice::Good("The parcel is added.".to_owned()),
        "resend_communication" => Notice::Good("Klarna writes to the shopper again.".to_owned()),
        "extend_due_date" => Notice::Good("The shopper pays later.".to_owned()),
        "acknowledge" => Notice::Good("Klarna knows that the shop has the order.".to_owned()),
        _ => Notice::Waiting(
            "Accepted. The outcome is not known yet; this page shows it once it is.".to_owned(),
        ),
    }
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
            let key = || app.engine().fresh_id("form");
            let desk = forms::Desk { payment: &shown.payment, person, key: &key };
            let content = view(&shown, &desk, notice.as_ref(), app.engine().now_ms());
            let title = &shown.payment.merchant_reference;
            (status, layout::page(title, Some(person), &content)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(person),
            "No such payment",
            "There is no payment at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn view(shown: &Shown, desk: &forms::Desk<'_>, notice: Option<&Notice>, now_ms: i64) -> Markup {
    let payment = &shown.payment;
    let pending: Vec<_> = shown
        .operations
        .iter()
        .filter(|(operation, _)| operation.kind != Kind::PlaceOrder)
        .map(|(operation, _)| operation.as_pending())
        .filter(|pending| pending.state.holds_amount())
        .collect();
    let (offered, refused) = payment.actions(&pending, now_ms);
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard" { "Payments" } span { (payment.merchant_reference) } }
        // The script watches the stream, and takes these parts from the page as it then is.
        p.hidden role="status" data-stream={ "/dashboard/payments/" (payment.id) "/stream" } {}
        div.head data-live="head" {
            div {
                h1 { (payment.merchant_reference) }
                p.chips { (list::chips(payment, &shown.policy, now_ms)) }
            }
            p.total { (format::money(payment.amounts.authorized, &payment.currency)) }
        }
        (said(notice))
        div data-live="troubles" {
            (troubles(shown))
            (disputes_page::card(&shown.disputes, now_ms))
        }
        div data-live="sums" { (sums(payment)) }
        div.columns {
            div data-live="history" {
                (bought(payment))
                (moved(payment))
                (payouts_page::card(&shown.payouts))
                (timeline(shown))
            }
            aside aria-label="What can be done" data-live="actions" { (forms::all(desk, &offered, refused)) (facts(payment)) }
        }
    }
}

pub(super) fn said(notice: Option<&Notice>) -> Markup {
    html! {
        @match notice {
            None => {}
            Some(Notice::Good(text)) => p.notice.good role="status" { (text) },
            Some(Notice::Waiting(text)) => p.notice.waiting role="status" { (text) },
            Some(Notice::Bad { title, detail, remedy, correlation_id }) => {
                div.notice.bad role="alert" {
                    strong { (title) }
                    p { (detail) }
                    p { (remedy) }
                    @if let Some(id) = correlation_id { p.small { "Klarna correlation id " code { (id) } } }
                }
            }
        }
    }
}

/// What is on its way, or waits for a person.
fn troubles(shown: &Shown) -> Markup {
    html! {
        @for (operation, _) in &shown.operations {
            @let what = format::words(operation.kind.name());
            @let amount = operation.amount_concerned().map(|amount| format::money(amount, &shown.payment.currency));
            @match operation.state {
                Stands::Queued if operation.held => {
                    p.notice.waiting { strong { (what) " " (amount.unwrap_or_default()) } " waits for Klarna's decision about fraud." }
                }
                Stands::Queued | Stands::Running => {
                    p.notice.waiting { strong { (what) " " (amount.unwrap_or_default()) } " is on its way." }
                }
                Stands::InDoubt => {
                    p.notice.waiting {
                        strong { (what) " " (amount.unwrap_or_default()) }
                        " is in doubt: Klarna's answer was lost. It is asked for again under the same key, and cannot happen twice."
                    }
                }
                Stands::NeedsAttention => {
                    @if let Some(refusal) = operation.refusal() {
                        div.notice.bad role="alert" {
                            strong { (what) " " (amount.unwrap_or_default()) " needs you" }
                            p { (refusal.detail) }
                            p { (refusal.remedy) }
                            p { a href="/dashboard/attention" { "Settle it" } }
                        }
                    }
                }
                Stands::Done | Stands::Refused => {}
            }
        }
    }
}

/// The share of `part` in `whole` in thousandths, for a picture.
fn thousandths(part: MinorUnits, whole: MinorUnits) -> i64 {
    if !whole.is_positive() {
        return 0;
    }
    let wide = i128::from(part.get()) * 1000 / i128::from(whole.get());
    i64::try_from(wide).unwrap_or(1000).clamp(0, 1000)
}

fn sums(payment: &Payment) -> Markup {
    let amounts = &payment.amounts;
    let money = |amount| format::money(amount, &payment.currency);
    let kept = thousandths(amounts.refundable(), amounts.authorized);
    let refunded = thousandths(amounts.refunded, amounts.authorized);
    let remaining = thousandths(amounts.remaining, amounts.authorized);
    html! {
        section.card.sums aria-label="Amounts" {
            svg.bar viewBox="0 0 1000 12" preserveAspectRatio="none" role="img"
                aria-label={ (money(amounts.captured)) " captured, " (money(amounts.refunded)) " refunded, " (money(amounts.remaining)) " remaining" } {
                rect.ground x="0" y="0" width="1000" height="12" {}
                rect.kept x="0" y="0" width=(kept) height="12" {}
                rect.refunded x=(kept) y="0" width=(refunded) height="12" {}
                rect.remaining x=(kept + refunded) y="0" width=(remaining) height="12" {}
            }
            dl.amounts {
                div { dt { span.dot.kept {} "Captured" } dd { (money(amounts.captured)) } }
                div { dt { span.dot.refunded {} "Refunded" } dd { (money(amounts.refunded)) } }
                div { dt { span.dot.remaining {} "Remaining" } dd { (money(amounts.remaining)) } }
                @if amounts.original != amounts.authorized {
                    div { dt { "Originally" } dd { (money(amounts.original)) } }
                }
            }
        }
    }
}

fn bought(payment: &Payment) -> Markup {
    html! {
        section.card {
            h2 { "Order lines" }
            div.scroll tabindex="0" role="region" aria-label="Order lines" {
                table {
                    thead { tr { th scope="col" { "Item" } th.number scope="col" { "Qty" } th.number scope="col" { "Total" } } }
                    tbody {
                        @for line in &payment.order_lines {
                            tr {
                                td {
                                    (line.name)
                                    @if let Some(reference) = &line.reference { span.muted.block { (reference) } }
                                }
                                td.number { (line.quantity) }
                                td.number { (format::money(line.total_amount, &payment.currency)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Parcels, with a way to follow them.
fn parcels(parcels: &[ShippingInfo]) -> Markup {
    html! {
        @for parcel in parcels {
            span.muted.wide {
                "Parcel"
                @if let Some(company) = &parcel.shipping_company { " with " (company) }
                @if let Some(number) = &parcel.tracking_number { " " code { (number) } }
                @if let Some(uri) = parcel.tracking_uri.as_deref().filter(|uri| is_web(uri)) {
                    " " a href=(uri) rel="noreferrer noopener" { "Follow it" }
                }
                @if let Some(number) = &parcel.return_tracking_number { ", return " code { (number) } }
            }
        }
    }
}

/// Only addresses of the web become links.
fn is_web(uri: &str) -> bool {
    uri.starts_with("https://") || uri.starts_with("http://")
}

fn moved(payment: &Payment) -> Markup {
    html! {
        @if !payment.shipping_info.is_empty() {
            section.card { h2 { "Parcels of the order" } p { (parcels(&payment.shipping_info)) } }
        }
        @if !payment.captures.is_empty() || !payment.refunds.is_empty() {
            section.card {
                h2 { "Captures and refunds" }
                ul.moves {
                    @for capture in &payment.captures {
                        li {
                            span.move { strong { "Capture" } span.muted { (format::moment(capture.captured_at_ms)) } }
                            span.much { (format::money(capture.amount, &payment.currency)) }
                            @if let Some(text) = capture.description.as_ref().or(capture.klarna_reference.as_ref()) { span.muted.wide { (text) } }
                            @for days in &capture.due_date_extensions { span.muted.wide { "The shopper pays " (days) " days later" } }
                            (parcels(&capture.shipping_info))
                        }
                    }
                    @for refund in &payment.refunds {
                        li {
                            span.move { strong { "Refund" } span.muted { (format::moment(refund.refunded_at_ms)) } }
                            span.much { "\u{2212}" (format::money(refund.amount, &payment.currency)) }
                            @if let Some(text) = &refund.description { span.muted.wide { (text) } }
                        }
                    }
                }
            }
        }
    }
}

fn facts(payment: &Payment) -> Markup {
    html! {
        section.card {
            h2 { "Details" }
            dl.facts {
                dt { "Klarna order" } dd { code { (payment.klarna_order_id) } }
                @if let Some(reference) = &payment.klarna_reference { dt { "Klarna reference" } dd { (reference) } }
                @if let Some(method) = &payment.method {
                    dt { "Payment method" } dd { (method.description.as_deref().unwrap_or(&method.kind)) }
                }
                dt { "Fraud status" } dd { (format::words(&payment.fraud.name().to_lowercase())) }
                dt { "Placed" } dd { (format::moment(payment.created_at_ms)) }
                @if let Some(at_ms) = payment.expires_at_ms {
                    dt { "Capture before" }
                    dd { (format::moment(at_ms)) " " a href="/dashboard/expiry" { "What is done then" } }
                }
                @if let Some(reference) = &payment.merchant_reference2 { dt { "Another number" } dd { (reference) } }
                dt { "Payment" } dd { code { (payment.id) } }
            }
        }
    }
}

/// One entry of the timeline.
enum Entry<'a> {
    Event(&'a Event),
    Attempt(&'a Operation, &'a Attempt),
}

fn timeline(shown: &Shown) -> Markup {
    let mut entries: Vec<(i64, Entry<'_>)> =
        shown.events.iter().map(|event| (event.created_at_ms, Entry::Event(event))).collect();
    for (operation, attempts) in &shown.operations {
        entries.extend(
            attempts.iter().map(|attempt| (attempt.at_ms, Entry::Attempt(operation, attempt))),
        );
    }
    // A call stands before the event that it led to.
    entries.sort_by_key(|(at_ms, entry)| (*at_ms, matches!(entry, Entry::Event(_))));
    html! {
        section.card {
            h2 { "Timeline" }
            ol.timeline {
                @for (at_ms, entry) in entries.iter().rev() {
                    @match entry {
                        Entry::Event(event) => (happened(*at_ms, event, shown)),
                        Entry::Attempt(operation, attempt) => (asked(*at_ms, operation, attempt)),
                    }
                }
            }
        }
    }
}

fn happened(at_ms: i64, event: &Event, shown: &Shown) -> Markup {
    let text = |name: &str| event.data.get(name).and_then(serde_json::Value::as_str);
    let amount = event.data.get("amount").and_then(serde_json::Value::as_i64).map(MinorUnits::new);
    let subject = event.kind.split('.').next().unwrap_or_default();
    // Of an operation, people want to read what it was: "Refund accepted".
    let who = text("kind").filter(|_| subject == "operation").unwrap_or(subject);
    let bad = event.kind.ends_with("refused")
        || event.kind.ends_with("declined")
        || event.kind.ends_with("alarm")
        || event.kind.ends_with("expiring")
        || event.kind.ends_with("policy_failed")
        || event.kind.ends_with("needs_attention");
    html! {
        li.bad[bad] {
            p {
                strong { (format::words(who)) " " (format::words(&event.kind).to_lowercase()) }
                @if let Some(amount) = amount { " · " (format::money(amount, &shown.payment.currency)) }
            }
            @if let Some(detail) = text("detail") { p { (detail) } }
            @if let Some(remedy) = text("remedy") { p { (remedy) } }
            p.small.muted { (format::moment(at_ms)) }
        }
    }
}

fn asked(at_ms: i64, operation: &Operation, attempt: &Attempt) -> Markup {
    html! {
        li.call {
            p { "Asked Klarna: " (attempt.call.replace('_', " ")) span.muted { " · " (attempt.outcome) } }
            p.small.muted {
                (format::moment(at_ms)) " · attempt " (attempt.number)
                @if let Some(id) = &attempt.correlation_id { " · correlation id " code { (id) } }
            }
            details {
                summary { "Exchange" }
                p.small.muted { "Operation " code { (operation.id) } ", idempotency key " code { (operation.klarna_key()) } }
                @if attempt.path.is_some() || attempt.request.is_some() {
                    pre tabindex="0" role="region" aria-label={ "What was sent, attempt " (attempt.number) } {
                        @if let (Some(method), Some(path)) = (&attempt.method, &attempt.path) { (method) " " (path) "\n" }
                        @if let Some(request) = &attempt.request { (pretty(request)) }
                    }
                }
                @if attempt.status.is_some() || attempt.answer.is_some() {
                    pre tabindex="0" role="region" aria-label={ "What was answered, attempt " (attempt.number) } {
                        @if let Some(status) = attempt.status { "HTTP " (status) }
                        @if let Some(duration_ms) = attempt.duration_ms { " after " (duration_ms) " ms" }
                        @if let Some(answer) = &attempt.answer { "\n" (pretty(answer)) }
                    }
                }
            }
        }
    }
}

pub(super) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
