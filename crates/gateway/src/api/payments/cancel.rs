//! `POST /v1/payments/{id}/cancel`.

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

/// Cancels a payment of which nothing is captured: the whole authorisation is given back.
#[utoipa::path(post, path = "/v1/payments/{id}/cancel", tag = "payments", params(("id" = String, Path)),
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    command::run(&app, &caller, &id, &headers, Command::Cancel, &bytes).await
}
