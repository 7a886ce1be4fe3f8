//! The list of subscriptions.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Person, format, layout};
use super::{Tab, chip, price, rhythm, tabs};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::domain::subscription::{Status, Subscription};
use crate::fault::Fault;
use crate::store::customers::Filter;
use crate::store::subscriptions;

const PAGE: i64 = 25;

#[derive(Debug, Default, Deserialize)]
pub(in crate::dashboard) struct ListQuery {
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

pub(in crate::dashboard) async fn list(
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
        (tabs(Tab::Subscriptions))
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

pub(in crate::dashboard) fn row(subscription: &Subscription) -> Markup {
    html! {
        li {
            a.row href={ "/dashboard/subscriptions/" (subscription.id) } {
                span.who {
                    strong { (subscription.merchant_reference) }
                    span.muted { (subscription.terms.name) " · " (rhythm(&subscription.terms)) }
                }
                span.when.muted {
                    @match subscription.next_charge_at_ms() {
                        Some(at_ms) => { "next " (format::moment(at_ms)) }
                        None => "no charge to come",
                    }
                }
                span.what { (chip(subscription)) }
                span.much { (price(&subscription.terms)) }
            }
        }
    }
}
