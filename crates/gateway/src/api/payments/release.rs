//! `POST /v1/payments/{id}/release`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::command::{self, Accepted};
use super::view::PaymentView;
use crate::app::App;
use crate::engine::commands::Command;

/// Nothing is to be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Gives back what will not be captured.
#[utoipa::path(post, path = "/v1/payments/{id}/release", tag = "payments", params(("id" = String, Path)),
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    command::run(&app, &caller, &id, &headers, Command::Release, &bytes).await
}
