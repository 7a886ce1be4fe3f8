//! `GET /v1/events` and `GET /v1/events/{id}`: what happened in a store, for shops that ask.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::extract::{Caller, wrong_query};
use super::payments::events::EventView;
use super::payments::list::{cursor_of, read_cursor};
use super::problem::Problem;
use super::webhooks::standing::instant;
use crate::app::App;
use crate::domain::webhook::is_pattern;
use crate::store::events::{self, Filter, Order};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;
/// Units of work end later than they begin, and clocks of nodes differ by seconds: whoever goes forward
/// through the list is shown what is older than this, so that nothing is ever inserted behind them.
const SETTLED_MS: i64 = 5_000;

/// Which events come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOrder {
    /// The newest: to look back.
    #[default]
    Newest,
    /// The oldest: to keep up.
    Oldest,
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only events of this type, such as `payment.captured`, or `payment.*`.
    #[serde(default, rename = "type")]
    #[param(rename = "type")]
    pub kind: Option<String>,
    /// Only events of this checkout, payment or other subject.
    #[serde(default)]
    pub subject_id: Option<String>,
    /// Only events from then on, such as `2031-05-04T00:00:00Z`.
    #[serde(default)]
    pub from: Option<String>,
    /// Only events from before then.
    #[serde(default)]
    pub until: Option<String>,
    /// `newest` (the default) or `oldest` first. Oldest first is for keeping up: `next_cursor` is then
    /// always there, keep it and ask again later; events show up five seconds after they happened.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub order: Option<EventOrder>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventPage {
    /// In the order that was asked for.
    pub data: Vec<EventView>,
    /// Where the next page begins; absent on the last one, unless the oldest come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists what happened in the store.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(ListQuery),
    responses((status = 200, body = EventPage), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<EventPage>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")));
    }
    if query.kind.as_deref().is_some_and(|kind| kind == "*" || !is_pattern(kind)) {
        let says = "type: write it as `payment.captured`, or `payment.*` for all of a payment.";
        return Err(Problem::invalid("type", says));
    }
    let time =
        |member: &str, text: Option<&String>| text.map(|text| instant(member, text)).transpose();
    let from_ms = time("from", query.from.as_ref())?;
    let mut until_ms = time("until", query.until.as_ref())?;
    let after = query.cursor.as_deref().map(|cursor| {
        read_cursor(cursor).ok_or_else(|| {
            Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
        })
    });
    let order = match query.order.unwrap_or_default() {
        EventOrder::Newest => Order::NewestFirst,
        EventOrder::Oldest => {
            let settled_ms = app.engine().now_ms() - SETTLED_MS;
            until_ms = Some(until_ms.map_or(settled_ms, |at| at.min(settled_ms)));
            Order::OldestFirst
        }
    };
    let filter = Filter {
        kind: query.kind,
        subject_id: query.subject_id,
        from_ms,
        until_ms,
        order,
        after: after.transpose()?,
    };
    let mut found = app
        .database()
        .read_long(move |tx| events::list(tx, &caller.store_id, &filter, limit + 1))
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let last = found.last().map(|last| cursor_of(last.created_at_ms, &last.id));
    let next_cursor = match order {
        Order::NewestFirst => last.filter(|_| more),
        Order::OldestFirst => last.or(query.cursor),
    };
    Ok(Json(EventPage { data: found.into_iter().map(EventView::from).collect(), next_cursor }))
}

/// Reads an event.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events",
    params(("id" = String, Path)),
    responses((status = 200, body = EventView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EventView>, Problem> {
    app.database()
        .read(move |tx| events::get_in(tx, &caller.store_id, &id))
        .await?
        .map(|event| Json(EventView::from(event)))
        .ok_or_else(|| Problem::not_found("event"))
}
