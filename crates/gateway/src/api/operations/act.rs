//! `POST /v1/operations/{id}/look`, `/resume` and `/settle`: where the gateway cannot tell, a person
//! says what happened.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::extract::{Body, Caller, Patience};
use super::super::problem::Problem;
use super::read;
use crate::app::App;
use crate::engine::attention::{self, Act, Word};

/// Which state of the operation is meant.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The `version` you saw; whatever it is now, if it is left out.
    #[serde(default)]
    pub version: Option<i64>,
    /// Why; stays in the history.
    #[serde(default)]
    pub note: Option<String>,
}

/// How an operation is said to have ended.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It took effect.
    Done,
    /// It did not.
    Refused,
}

/// What happened.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// `done` or `refused`. Compared with Klarna's books before it is believed.
    pub outcome: Ended,
    /// How you know; stays in the history.
    pub note: String,
    /// The order that was made: needed to settle a `place_order` as done.
    #[serde(default)]
    pub klarna_order_id: Option<String>,
    /// The capture or refund that was made, where Klarna's books show several that it may be.
    #[serde(default)]
    pub klarna_id: Option<String>,
    /// The `version` you saw; whatever it is now, if it is left out.
    #[serde(default)]
    pub version: Option<i64>,
}

/// The longest note that is kept.
pub(crate) const LONGEST_NOTE: usize = 500;

fn act(caller: &Caller, id: &str, version: Option<i64>, note: String) -> Result<Act, Problem> {
    if note.chars().count() > LONGEST_NOTE {
        return Err(Problem::invalid("note", "note: at most 500 characters are allowed."));
    }
    Ok(Act {
        store_id: caller.store_id.clone(),
        operation_id: id.to_owned(),
        version,
        by: format!("API key {}", caller.key_id),
        note,
    })
}

async fn answer(app: &App, store_id: &str, id: &str) -> Result<Response, Problem> {
    let detail = read::load(app, store_id, id).await?;
    let detail = detail.ok_or_else(|| Problem::not_found("operation"))?;
    let status =
        if detail.operation.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(detail)).into_response())
}

/// Looks into Klarna's books again and settles the operation if they tell.
#[utoipa::path(post, path = "/v1/operations/{id}/look", tag = "operations",
    params(("id" = String, Path)), request_body = Resume,
    responses(
        (status = 200, body = super::view::OperationDetail, description = "Settled."),
        (status = 409, body = Problem, description = "Klarna's books do not tell, or someone was faster."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn look(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<Resume>,
) -> Result<Response, Problem> {
    let act = act(&caller, &id, value.version, value.note.unwrap_or_default())?;
    attention::look(app.engine(), act).await??;
    answer(&app, &caller.store_id, &id).await
}

/// Has the operation tried again, under the same key and with the same bytes.
#[utoipa::path(post, path = "/v1/operations/{id}/resume", tag = "operations",
    params(("id" = String, Path)), request_body = Resume,
    responses(
        (status = 200, body = super::view::OperationDetail, description = "It has ended, or waits for a person again."),
        (status = 202, body = super::view::OperationDetail, description = "On its way: read it again."),
        (status = 409, body = Problem, description = "It does not wait for a person, or someone was faster."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, .. }: Body<Resume>,
) -> Result<Response, Problem> {
    let act = act(&caller, &id, value.version, value.note.unwrap_or_default())?;
    attention::resume(app.engine(), act).await??;
    app.engine().outcome(&id, Patience::of(&headers).0).await?;
    answer(&app, &caller.store_id, &id).await
}

/// Settles the operation by a person's word, once it was compared with Klarna's books.
#[utoipa::path(post, path = "/v1/operations/{id}/settle", tag = "operations",
    params(("id" = String, Path)), request_body = Settle,
    responses(
        (status = 200, body = super::view::OperationDetail, description = "Settled."),
        (status = 409, body = Problem, description = "Klarna's books say otherwise, or someone was faster."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn settle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<Settle>,
) -> Result<Response, Problem> {
    let act = act(&caller, &id, value.version, value.note)?;
    let word = match value.outcome {
        Ended::Done => Word::Done { klarna_id: value.klarna_order_id.or(value.klarna_id) },
        Ended::Refused => Word::Refused,
    };
    attention::settle(app.engine(), act, word).await??;
    answer(&app, &caller.store_id, &id).await
}
