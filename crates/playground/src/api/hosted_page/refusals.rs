//! The refusals of this API. Its documents name statuses only; the bodies are those of the platform.

use axum::http::StatusCode;
use klarna_types::problem::Problem;

use crate::api::error::{ApiError, Chain};
use crate::domain::hosted_page::{Refusal, Status};
use crate::hosting::HostingError;
use crate::shopper::bad_paths;

impl From<HostingError> for ApiError {
    fn from(error: HostingError) -> Self {
        match error {
            HostingError::Gone => Self::not_found("Invalid session id").because(error),
            HostingError::Refused(refusal) => refused(refusal),
            HostingError::NoSuchButton(_) => {
                Self::new(StatusCode::CONFLICT, "NOT_ALLOWED").message(error.to_string())
            }
            HostingError::Store(error) => Self::internal(Chain(&error)),
        }
    }
}

fn refused(refusal: Refusal) -> ApiError {
    let message = match refusal {
        Refusal::Over(Status::Completed) => "Session has already been completed",
        Refusal::Over(Status::Disabled) => "Session has been disabled",
        Refusal::Over(_) => "Session has been cancelled",
        Refusal::NotOpen(_) => "Session is not in progress",
    };
    ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST").message(message).because(refusal)
}

/// 400 with all paths; what would have passed goes to the request log.
pub(super) fn bad_values(problems: &[Problem], code: &'static str) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    let explanation: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let mut error = ApiError::bad_value(&bad_paths(problems)).because(explanation.join("; "));
    error.code = code;
    Err(error)
}
