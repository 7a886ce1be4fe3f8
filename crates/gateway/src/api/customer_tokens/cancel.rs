//! `POST /v1/customer_tokens/{id}/cancel`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::extract::{Body, Caller, Patience};
use super::super::keyed;
use super::super::plans::NothingToSay;
use super::super::problem::Problem;
use super::view::CustomerTokenView;
use super::{find, not_done};
use crate::app::App;
use crate::domain::customer::TokenStatus;
use crate::domain::journal::Outcome;
use crate::engine::recurring::commands;

/// Cancels a customer token for ever. Its subscriptions end with it.
#[utoipa::path(post, path = "/v1/customer_tokens/{id}/cancel", tag = "customer tokens",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = CustomerTokenView),
        (status = 202, body = CustomerTokenView, description = "Not known yet: read the token."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<NothingToSay>,
) -> Result<Response, Problem> {
    let patience = Patience::of(&headers).0;
    find(&app, &caller.store_id, &id).await?;
    let new_id = app.engine().fresh_id("op");
    let now_ms = app.engine().now_ms();
    let (store_id, token_id) = (caller.store_id.clone(), id.clone());
    let path = format!("/v1/customer_tokens/{id}/cancel");
    // The operation, or the token itself where it was cancelled already.
    let (made, _) = keyed::once(&app, &caller, &headers, (&path, &bytes), move |tx| {
        let taken = commands::cancel_token(tx, &store_id, &token_id, &new_id, now_ms)?;
        Ok(match taken {
            Ok(Some(operation)) => Ok(operation.id),
            Ok(None) => Ok(token_id.clone()),
            Err(reason) => Err(not_done("customer token", reason)),
        })
    })
    .await?;
    if let Some(operation) = app.engine().outcome(&made, patience).await?
        && let Some(Outcome::Refused(refusal)) = &operation.outcome
    {
        return Err(Problem::refused(refusal, &operation.id));
    }
    let token = find(&app, &caller.store_id, &id).await?;
    let status =
        if token.status == TokenStatus::Cancelled { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(CustomerTokenView::new(&token, None))).into_response())
}
