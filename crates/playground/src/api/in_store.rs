//! The In-store API (`/iss/v1`): how far a purchase has come. It is opened, and called off, by its session.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use klarna_types::SessionId;
use service::Clock as _;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::in_store::Refusal;
use crate::in_store::InStoreError;
use crate::store::in_store;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/iss/v1/distributions/{session_id}", get(read))
}

/// Where a session's result is read.
pub(crate) fn result_url(base_url: &str, session_id: &str) -> String {
    format!("{base_url}/iss/v1/distributions/{session_id}")
}

/// `GET /iss/v1/distributions/{session_id}`.
async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let purchase = app
        .db()
        .read(move |tx| in_store::find(tx, &SessionId::new(session_id.as_str())))
        .await?
        .filter(|purchase| purchase.merchant_id == caller.merchant.merchant_id)
        .filter(|purchase| purchase.is_readable(now_ms))
        .ok_or(Refusal::Gone)?;
    Answer::ok(&purchase.result(app.base_url()))
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Gone => Self::not_found("Invalid session id").because(refusal),
            Refusal::Completed => Self::new(StatusCode::CONFLICT, "SESSION_COMPLETED")
                .message("Session has already been completed")
                .because(refusal),
            Refusal::Canceled => Self::new(StatusCode::CONFLICT, "SESSION_CANCELED")
                .message("Session has been canceled")
                .because(refusal),
            Refusal::NotPermitted => Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED")
                .message("The account is not set up for in-store purchases")
                .because(refusal),
        }
    }
}

impl From<InStoreError> for ApiError {
    fn from(error: InStoreError) -> Self {
        match error {
            InStoreError::Refused(refusal) => refusal.into(),
            InStoreError::Store(error) => error.into(),
        }
    }
}
