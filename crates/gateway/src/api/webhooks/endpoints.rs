//! `/v1/webhook_endpoints`: made, listed, read, changed, removed.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Caller, idempotency_key};
use super::super::once::{Once, Request, once};
use super::super::problem::Problem;
use super::view::WebhookEndpointView;
use crate::app::App;
use crate::domain::webhook::Endpoint;
use crate::engine::webhooks::command::{self, Change, NotDone, Wish};
use crate::fault::Fault;
use crate::store::webhooks;

/// Where the shop wants to be told.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhookEndpoint {
    /// Where messages are posted.
    pub url: String,
    /// Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty or
    /// left out.
    #[serde(default)]
    pub events: Vec<String>,
    /// For people; at most 200 characters.
    #[serde(default)]
    pub description: String,
}

/// What is to be changed; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhookEndpoint {
    /// Where messages are posted.
    #[serde(default)]
    pub url: Option<String>,
    /// Which events; replaced as a whole.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
}

/// The endpoints of the store.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookEndpointList {
    /// Oldest first; a store has at most 20.
    pub data: Vec<WebhookEndpointView>,
}

/// Makes a webhook endpoint. The answer holds its secret, which is not shown again: check each
/// message's `webhook-signature` with it, as Standard Webhooks says.
#[utoipa::path(post, path = "/v1/webhook_endpoints", tag = "webhooks",
    request_body = CreateWebhookEndpoint,
    responses((status = 201, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateWebhookEndpoint>,
) -> Result<Response, Problem> {
    let wish = Wish {
        url: Some(value.url),
        description: Some(value.description),
        events: Some(value.events),
    };
    let wish = wish.checked(app.courier().targets())?;
    let secret = command::fresh_secret(app.engine())?;
    let endpoint = command::made(app.engine(), &caller.store_id, wish, &secret);
    let request = asked(&caller, &headers, "/v1/webhook_endpoints", &bytes)?;
    let made = once(&app, request, move |tx| {
        Ok(command::create(tx, &endpoint)?.map(|()| (endpoint.clone(), endpoint.id.clone())))
    })
    .await?;
    shown_with_secret(&app, &caller, made, StatusCode::CREATED).await
}

/// What is asked, for the comparison with an earlier request under the same key.
pub(super) fn asked<'a>(
    caller: &'a Caller,
    headers: &HeaderMap,
    path: &'a str,
    body: &'a [u8],
) -> Result<Request<'a>, Problem> {
    let key = idempotency_key(headers)?;
    Ok(Request { store_id: &caller.store_id, key, path, body })
}

/// An endpoint with its newest secret: to whoever made that, and to a repeat of that request, whose
/// first answer may have been lost.
pub(super) async fn shown_with_secret(
    app: &App,
    caller: &Caller,
    made: Once<Endpoint>,
    status: StatusCode,
) -> Result<Response, Problem> {
    let endpoint = match made {
        Once::Now(endpoint) => endpoint,
        Once::Before(id) => load(app, caller, &id).await?,
    };
    let secret = command::newest_secret(app.engine(), &endpoint)?;
    let mut view = view(app, endpoint).await?;
    view.secret = secret.map(|secret| secret.expose().to_owned());
    Ok((status, Json(view)).into_response())
}

pub(super) async fn load(app: &App, caller: &Caller, id: &str) -> Result<Endpoint, Problem> {
    let (store_id, id) = (caller.store_id.clone(), id.to_owned());
    app.database()
        .read(move |tx| webhooks::endpoint_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| NotDone::NoEndpoint.into())
}

pub(super) async fn view(app: &App, endpoint: Endpoint) -> Result<WebhookEndpointView, Fault> {
    let now_ms = app.engine().now_ms();
    app.database().read(move |tx| WebhookEndpointView::load(tx, &endpoint, now_ms)).await
}

/// Lists the store's webhook endpoints.
#[utoipa::path(get, path = "/v1/webhook_endpoints", tag = "webhooks",
    responses((status = 200, body = WebhookEndpointList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<WebhookEndpointList>, Problem> {
    let now_ms = app.engine().now_ms();
    let data = app
        .database()
        .read_long(move |tx| {
            webhooks::endpoints(tx, &caller.store_id)?
                .iter()
                .map(|endpoint| WebhookEndpointView::load(tx, endpoint, now_ms))
                .collect::<Result<Vec<_>, Fault>>()
        })
        .await?;
    Ok(Json(WebhookEndpointList { data }))
}

/// Reads a webhook endpoint, and how it has been lately.
#[utoipa::path(get, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = String, Path)),
    responses((status = 200, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookEndpointView>, Problem> {
    let endpoint = load(&app, &caller, &id).await?;
    Ok(Json(view(&app, endpoint).await?))
}

/// Changes a webhook endpoint.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = String, Path)), request_body = UpdateWebhookEndpoint,
    responses((status = 200, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<UpdateWebhookEndpoint>,
) -> Result<Response, Problem> {
    let wish = Wish { url: value.url, description: value.description, events: value.events };
    let wish = wish.checked(app.courier().targets())?;
    let path = format!("/v1/webhook_endpoints/{id}");
    let request = asked(&caller, &headers, &path, &bytes)?;
    change(&app, &caller, id, request, Change::Edit(wish)).await
}

/// Changes an endpoint under the caller's key, and answers it as it then is.
pub(super) async fn change(
    app: &App,
    caller: &Caller,
    id: String,
    request: Request<'_>,
    change: Change,
) -> Result<Response, Problem> {
    let endpoint = match changed(app, caller, id, request, change).await? {
        Once::Now(endpoint) => endpoint,
        Once::Before(id) => load(app, caller, &id).await?,
    };
    Ok(Json(view(app, endpoint).await?).into_response())
}

pub(super) async fn changed(
    app: &App,
    caller: &Caller,
    id: String,
    request: Request<'_>,
    change: Change,
) -> Result<Once<Endpoint>, Problem> {
    let (store_id, now_ms) = (caller.store_id.clone(), app.engine().now_ms());
    once(app, request, move |tx| {
        let changed = command::change(tx, &store_id, &id, &change, now_ms)?;
        Ok(changed.map(|endpoint| {
            let id = endpoint.id.clone();
            (endpoint, id)
        }))
    })
    .await
}

/// Removes a webhook endpoint with its log. What was on its way to it is not sent.
#[utoipa::path(delete, path = "/v1/webhook_endpoints/{id}", tag = "webhooks",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone."), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.database().write(move |tx| command::delete(tx, &caller.store_id, &id)).await??;
    Ok(StatusCode::NO_CONTENT)
}
