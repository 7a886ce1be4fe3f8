//! Refusals of an order in the form of this API.

use axum::http::StatusCode;
use klarna_types::problem::Problem;

use crate::api::error::ApiError;
use crate::domain::order::{Code, Rejection};

/// What a rejected command is answered with.
pub(super) fn refuse(rejection: &Rejection) -> ApiError {
    let (status, code) = match rejection.code() {
        Code::CaptureNotAllowed => (StatusCode::FORBIDDEN, "CAPTURE_NOT_ALLOWED"),
        Code::CancelNotAllowed => (StatusCode::FORBIDDEN, "CANCEL_NOT_ALLOWED"),
        Code::RefundNotAllowed => (StatusCode::FORBIDDEN, "REFUND_NOT_ALLOWED"),
        Code::NotAllowed => (StatusCode::FORBIDDEN, "NOT_ALLOWED"),
        Code::NoSuchCapture => (StatusCode::NOT_FOUND, "NO_SUCH_CAPTURE"),
        Code::NoSuchRefund => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::InvalidAddress => (StatusCode::UNPROCESSABLE_ENTITY, "INVALID_ADDRESS"),
    };
    ApiError::new(status, code).message(rejection.to_string()).because(rejection.explanation())
}

/// 422 with a message for each rule that the body breaks; nothing if it breaks none.
pub(super) fn check(problems: &[Problem]) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    let mut error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY");
    let mut explanation = String::new();
    for problem in problems {
        let message = problem.order_management_message();
        // The messages name no index: a thousand lines may have one and the same.
        if !error.messages.contains(&message) {
            error = error.message(message);
        }
        if !explanation.is_empty() {
            explanation.push_str("; ");
        }
        explanation.push_str(&problem.to_string());
    }
    Err(error.because(explanation))
}

/// 404 for an order that is not there, or not this merchant's.
pub(super) fn no_such_order(message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NO_SUCH_ORDER")
        .message(message)
        .because("there is no such order, or it belongs to another merchant")
}

/// 409: the order changed while this call was looking at it.
pub(super) fn conflict() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "CONFLICT")
        .because("another call changed the order at the same moment; repeat the call")
}
