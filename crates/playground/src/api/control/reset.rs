//! Forget everything.

use axum::extract::State;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;

/// `POST /playground/v1/reset`. The merchants given at the start are there again afterwards, and the
/// clock runs level with real time.
#[utoipa::path(
    post,
    path = "/playground/v1/reset",
    responses((status = 204, description = "Everything is forgotten"))
)]
pub(super) async fn reset(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    match app.reset().await {
        Some(outcome) => outcome?,
        None => return Err(ApiError::internal("the playground is stopping")),
    }
    Ok(Answer::no_content())
}
