//! The list of payments.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Person, format, layout};
use crate::api::payments::list::{cursor_after, read_cursor};
use crate::app::App;
use crate::domain::expiry::Policy;
use crate::domain::payment::{Fraud, Payment, Status};
use crate::fault::Fault;
use crate::store::payments::{self, Filter};
use crate::store::policies;

const PAGE: i64 = 25;

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

struct Page {
    payments: Vec<Payment>,
    next: Option<String>,
    counts: Vec<(String, i64)>,
    policy: Policy,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<ListQuery>,
) -> Response {
    let status = query.status.as_deref().and_then(Status::from_name);
    let search = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let filter = Filter {
        status,
        search: search.map(ToOwned::to_owned),
        before: query.cursor.as_deref().and_then(read_cursor),
    };
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let mut payments = payments::list(tx, &store_id, &filter, PAGE + 1)?;
            let more = payments.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
            if more {
                payments.pop();
            }
            Ok::<_, Fault>(Page {
                next: payments.last().filter(|_| more).map(cursor_after),
                payments,
                counts: payments::count_by_status(tx, &store_id)?,
                policy: policies::expiry(tx, &store_id)?,
            })
        })
        .await;
    match found {
        Ok(found) => {
            let content = view(&found, status, search, app.engine().now_ms());
            layout::page("Payments", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

/// A link into the list; the parts are escaped for URLs.
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
    if query.is_empty() { "/dashboard".to_owned() } else { format!("/dashboard?{query}") }
}

fn view(found: &Page, status: Option<Status>, search: Option<&str>, now_ms: i64) -> Markup {
    let count = |status: Status| {
        found.counts.iter().find(|(name, _)| name == status.name()).map_or(0, |(_, count)| *count)
    };
    let all: i64 = found.counts.iter().map(|(_, count)| count).sum();
    html! {
        div.head {
            h1 { "Payments" }
            form.search role="search" method="get" action="/dashboard" {
                @if let Some(status) = status {
                    input type="hidden" name="status" value=(status.name());
                }
                label.hidden for="q" { "Search" }
                input #q type="search" name="q" value=(search.unwrap_or_default())
                    placeholder="Reference or order id";
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
                        (format::status(each)) " " span.count { (count(each)) }
                    }
                }
            }
        }
        @if found.payments.is_empty() {
            section.card.empty {
                @if search.is_some() || status.is_some() {
                    h2 { "Nothing found" }
                    p.muted { "No payment fits. Search takes whole references and ids." }
                    p { a.button href="/dashboard" { "Show all payments" } }
                } @else {
                    h2 { "No payments yet" }
                    p.muted { "As soon as a shopper pays, the payment stands here." }
                }
            }
        } @else {
            ul.payments {
                @for payment in &found.payments { (row(payment, &found.policy, now_ms)) }
            }
            @if let Some(cursor) = &found.next {
                p.more { a.button href=(link(status, search, Some(cursor))) { "Older payments" } }
            }
        }
    }
}

/// A payment as a line of a list.
pub(super) fn row(payment: &Payment, policy: &Policy, now_ms: i64) -> Markup {
    html! {
        li {
            a.row href={ "/dashboard/payments/" (payment.id) } {
                span.who {
                    strong { (payment.merchant_reference) }
                    span.muted {
                        (payment.klarna_reference.as_deref().unwrap_or("Klarna"))
                        " · " (payment.country)
                    }
                }
                span.when.muted { (format::moment(payment.created_at_ms)) }
                span.what { (chips(payment, policy, now_ms)) }
                span.much { (format::money(payment.amounts.authorized, &payment.currency)) }
            }
        }
    }
}

/// The status, and what stands beside it.
pub(super) fn chips(payment: &Payment, policy: &Policy, now_ms: i64) -> Markup {
    let refunded = payment.amounts.refunded;
    html! {
        span class={ "chip " (payment.status.name()) } { (format::status(payment.status)) }
        @if refunded.is_positive() {
            " " span.chip.refunded {
                @if refunded == payment.amounts.captured { "Refunded" } @else { "Part refunded" }
            }
        }
        @match &payment.fraud {
            Fraud::Accepted => {}
            Fraud::Pending => { " " span.chip.pending { "Under review" } }
            Fraud::Rejected | Fraud::Other(_) => { " " span.chip.rejected { "Do not ship" } }
        }
        @match payment.days_left(policy, now_ms) {
            None => {}
            Some(0) => { " " span.chip.expires { "Lapses today" } }
            Some(1) => { " " span.chip.expires { "Lapses tomorrow" } }
            Some(days) => { " " span.chip.expires { "Lapses in " (days) " days" } }
        }
    }
}
