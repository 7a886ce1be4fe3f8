//! The audit log, for admins.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Person, format, layout};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::store::audit::{self, Entry};

const PAGE: i64 = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<PageQuery>,
) -> Response {
    let before = query.cursor.as_deref().and_then(read_cursor);
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| audit::list(tx, &store_id, before.clone(), PAGE + 1))
        .await;
    match found {
        Ok(mut entries) => {
            let more = entries.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
            if more {
                entries.pop();
            }
            let next =
                entries.last().filter(|_| more).map(|last| cursor_of(last.created_at_ms, &last.id));
            let content = view(&entries, next.as_deref());
            layout::page("Audit log", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

/// What an entry says beyond who, what and to what.
fn more(entry: &Entry) -> String {
    let Some(members) = entry.data.as_object() else { return String::new() };
    let told =
        members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
            match value.as_str() {
                Some(text) => format!("{name} {text}"),
                None => format!("{name} {value}"),
            }
        });
    told.collect::<Vec<_>>().join(", ")
}

fn view(entries: &[Entry], next: Option<&str>) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard/access" { "Users and keys" } span { "Audit log" } }
        div.head { h1 { "Audit log" } }
        @if entries.is_empty() {
            section.card.empty { h2 { "Nothing yet" } p.muted { "What people and keys change stands here, for good." } }
        } @else {
            section.card {
                ul.moves {
                    @for entry in entries {
                        li {
                            span.move {
                                strong { (entry.actor_name) " · " (entry.action) }
                                code { (entry.subject) }
                            }
                            span.when.muted { (format::moment(entry.created_at_ms)) }
                            @let more = more(entry);
                            @if !more.is_empty() { span.muted.wide { (more) } }
                        }
                    }
                }
            }
            @if let Some(cursor) = next {
                p.more { a.button href={ "/dashboard/audit?cursor=" (cursor) } { "Older entries" } }
            }
        }
    }
}
