//! `/v1/webhook_deliveries`: the log, and one message again.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Caller, wrong_query};
use super::super::once::{Once, once};
use super::super::payments::cancel::Nothing;
use super::super::payments::list::{cursor_of, read_cursor};
use super::super::problem::Problem;
use super::endpoints::asked;
use super::view::{WebhookDeliveryDetail, WebhookDeliveryView};
use crate::app::App;
use crate::domain::webhook::{Delivery, Stage};
use crate::engine::webhooks::command::{self, NotDone};
use crate::store::webhooks::{self, Filter};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only to this endpoint.
    #[serde(default)]
    pub endpoint_id: Option<String>,
    /// Only deliveries that are `pending`, `delivered` or `dead`.
    #[serde(default)]
    pub status: Option<String>,
    /// Only of this checkout, payment or other subject.
    #[serde(default)]
    pub subject_id: Option<String>,
    /// Only of this event.
    #[serde(default)]
    pub event_id: Option<String>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of deliveries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookDeliveryList {
    /// The newest event first.
    pub data: Vec<WebhookDeliveryView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists webhook deliveries, the newest event first.
#[utoipa::path(get, path = "/v1/webhook_deliveries", tag = "webhooks", params(ListQuery),
    responses((status = 200, body = WebhookDeliveryList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<WebhookDeliveryList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")));
    }
    let stage = query
        .status
        .map(|name| {
            Stage::from_name(&name).ok_or_else(|| {
                let known = Stage::ALL.map(Stage::name).join(", ");
                Problem::invalid("status", format!("status: \"{name}\" is not one of {known}."))
            })
        })
        .transpose()?;
    let before = query
        .cursor
        .map(|cursor| {
            read_cursor(&cursor).ok_or_else(|| {
                Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
            })
        })
        .transpose()?;
    let filter = Filter {
        endpoint_id: query.endpoint_id,
        stage,
        subject_id: query.subject_id,
        event_id: query.event_id,
        before,
    };
    let mut found = app
        .database()
        .read_long(move |tx| webhooks::list(tx, &caller.store_id, &filter, limit + 1))
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor =
        found.last().filter(|_| more).map(|last| cursor_of(last.created_at_ms, &last.id));
    let data = found.iter().map(WebhookDeliveryView::from).collect();
    Ok(Json(WebhookDeliveryList { data, next_cursor }))
}

pub(super) async fn load(app: &App, caller: &Caller, id: &str) -> Result<Delivery, Problem> {
    let (store_id, id) = (caller.store_id.clone(), id.to_owned());
    app.database()
        .read(move |tx| webhooks::delivery_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| NotDone::NoDelivery.into())
}

/// Reads a webhook delivery, with what is sent and each attempt.
#[utoipa::path(get, path = "/v1/webhook_deliveries/{id}", tag = "webhooks",
    params(("id" = String, Path)),
    responses((status = 200, body = WebhookDeliveryDetail), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookDeliveryDetail>, Problem> {
    let delivery = load(&app, &caller, &id).await?;
    let detail = app.database().read(move |tx| WebhookDeliveryDetail::load(tx, &delivery)).await?;
    Ok(Json(detail))
}

/// Sends one message again, now, whatever became of it.
#[utoipa::path(post, path = "/v1/webhook_deliveries/{id}/replay", tag = "webhooks",
    params(("id" = String, Path)),
    responses(
        (status = 202, body = WebhookDeliveryView, description = "It is on its way."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let path = format!("/v1/webhook_deliveries/{id}/replay");
    let request = asked(&caller, &headers, &path, &bytes)?;
    let (store_id, now_ms) = (caller.store_id.clone(), app.engine().now_ms());
    let sent = once(&app, request, move |tx| {
        let sent = command::replay_one(tx, &store_id, &id, now_ms)?;
        Ok(sent.map(|delivery| {
            let id = delivery.id.clone();
            (delivery, id)
        }))
    })
    .await?;
    app.courier().wake();
    let delivery = match sent {
        Once::Now(delivery) => delivery,
        Once::Before(id) => load(&app, &caller, &id).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(WebhookDeliveryView::from(&delivery))).into_response())
}
