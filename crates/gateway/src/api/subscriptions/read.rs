//! `GET /v1/subscriptions`, one of them, and its charges and events.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::super::checkouts::view::time;
use super::super::extract::{Caller, wrong_query};
use super::super::paging::Wanted;
use super::super::payments::events::{EventList, EventView};
use super::super::problem::Problem;
use super::find;
use super::view::{SubscriptionChargeView, SubscriptionView};
use crate::app::App;
use crate::domain::subscription::Status;
use crate::store::customers::Filter;
use crate::store::{events, subscriptions};

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionQuery {
    /// Only subscriptions in this status.
    #[serde(default)]
    pub status: Option<String>,
    /// Only subscriptions of this customer.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// Only subscriptions that charge this customer token.
    #[serde(default)]
    pub customer_token_id: Option<String>,
    /// Only subscriptions of this number of yours.
    #[serde(default)]
    pub reference: Option<String>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of subscriptions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubscriptionList {
    /// Newest first.
    pub data: Vec<SubscriptionView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists subscriptions, newest first.
#[utoipa::path(get, path = "/v1/subscriptions", tag = "subscriptions", params(SubscriptionQuery),
    responses((status = 200, body = SubscriptionList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<SubscriptionQuery>, QueryRejection>,
) -> Result<Json<SubscriptionList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    if let Some(name) = &query.status
        && Status::from_name(name).is_none()
    {
        let known = Status::ALL.map(Status::name).join(", ");
        let detail = format!("status: \"{name}\" is not one of {known}.");
        return Err(Problem::invalid("status", detail));
    }
    let page = wanted.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let mut only = Vec::new();
            for (column, value) in [
                ("status", &query.status),
                ("customer_id", &query.customer_id),
                ("customer_token_id", &query.customer_token_id),
                ("merchant_reference", &query.reference),
            ] {
                only.extend(value.iter().map(|value| (column, value.as_str())));
            }
            let filter = Filter { only, before: page.before.clone() };
            subscriptions::list(tx, &caller.store_id, &filter, page.to_read())
        })
        .await?;
    let (found, next_cursor) = wanted.cut(found, |found| (found.created_at_ms, found.id.as_str()));
    let now_ms = app.engine().now_ms();
    let data = found.iter().map(|found| SubscriptionView::new(found, now_ms)).collect();
    Ok(Json(SubscriptionList { data, next_cursor }))
}

/// Reads a subscription.
#[utoipa::path(get, path = "/v1/subscriptions/{id}", tag = "subscriptions",
    params(("id" = String, Path)),
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SubscriptionView>, Problem> {
    let subscription = find(&app, &caller.store_id, &id).await?;
    Ok(Json(SubscriptionView::new(&subscription, app.engine().now_ms())))
}

/// Which charges are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionChargeQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of a subscription's charges.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubscriptionChargeList {
    /// Newest first.
    pub data: Vec<SubscriptionChargeView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists the charges of a subscription, newest first.
#[utoipa::path(get, path = "/v1/subscriptions/{id}/charges", tag = "subscriptions",
    params(("id" = String, Path), SubscriptionChargeQuery),
    responses((status = 200, body = SubscriptionChargeList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn charges(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<SubscriptionChargeQuery>, QueryRejection>,
) -> Result<Json<SubscriptionChargeList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    find(&app, &caller.store_id, &id).await?;
    // The number is the place: it takes the place of the time in the cursor.
    let (before, to_read) = (wanted.before.as_ref().map(|(number, _)| *number), wanted.to_read());
    let found = app
        .database()
        .read_long(move |tx| subscriptions::charges(tx, &id, before, to_read))
        .await?;
    let (found, next_cursor) = wanted.cut(found, |charge| (charge.number, ""));
    let data = found.iter().map(SubscriptionChargeView::from).collect();
    Ok(Json(SubscriptionChargeList { data, next_cursor }))
}

/// Lists what happened to a subscription, oldest first.
#[utoipa::path(get, path = "/v1/subscriptions/{id}/events", tag = "subscriptions",
    params(("id" = String, Path)),
    responses((status = 200, body = EventList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EventList>, Problem> {
    find(&app, &caller.store_id, &id).await?;
    let found = app.database().read_long(move |tx| events::of_subject(tx, &id)).await?;
    let data = found.into_iter().map(|event| EventView {
        id: event.id,
        kind: event.kind,
        subject_id: event.subject_id,
        data: event.data,
        created_at: time(event.created_at_ms),
    });
    Ok(Json(EventList { data: data.collect() }))
}
