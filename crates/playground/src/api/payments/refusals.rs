//! The refusals of this API, in Klarna's words.

use std::fmt::Write as _;

use axum::http::StatusCode;
use klarna_types::problem::{Problem, Rule};

use crate::api::error::ApiError;
use crate::domain::authorization::TokenRefusal;
use crate::domain::session::SessionRefusal;
use crate::shopper::bad_paths;

impl From<SessionRefusal> for ApiError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::Gone => Self::not_found("Invalid session id").because(refusal),
            SessionRefusal::Completed => session_completed(),
        }
    }
}

impl From<TokenRefusal> for ApiError {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Invalid => {
                Self::not_found("Invalid authorization token").because(refusal)
            }
            TokenRefusal::NotCancellable => {
                Self::not_found("Authorization cannot be deleted").because(refusal)
            }
            TokenRefusal::Consumed => Self::new(StatusCode::FORBIDDEN, "INVALID_OPERATION")
                .message("Authorization token already consumed")
                .because(refusal),
            TokenRefusal::SessionCompleted => session_completed().because(refusal),
            TokenRefusal::OtherBody => Self::new(StatusCode::CONFLICT, "BAD_VALUE")
                .message("The order has been already completed with different request body")
                .because(refusal),
        }
    }
}

fn session_completed() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "SESSION_COMPLETED")
        .message("Session has already been completed")
}

/// 403 `INVALID_OPERATION` without a message: the account does not allow it.
pub(in crate::api) fn not_configured(reason: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "INVALID_OPERATION").because(reason)
}

/// 400 `BAD_VALUE` with all paths; what would have passed goes to the request log.
pub(in crate::api) fn bad_values(problems: &[Problem]) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    let mut explanation = String::new();
    for (index, problem) in problems.iter().enumerate() {
        let separator = if index > 0 { "; " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(explanation, "{separator}{problem}");
    }
    Err(ApiError::bad_value(&bad_paths(problems)).because(explanation))
}

/// A problem that this program found by a rule of the merchant's account.
pub(super) fn unwanted_value(path: impl Into<String>, expected: &'static str) -> Problem {
    Problem::new(path, Rule::Form { expected })
}
