//! The forms of error bodies: most APIs have the standard one, disputes have their own.

use axum::http::StatusCode;
use klarna_types::disputes::v2::{DisputeError, DisputeErrorCode};
use klarna_types::disputes::{NetworkError, NetworkErrorCode, NetworkErrorType, ValidationError};
use uuid::Uuid;

use crate::api::error::ApiError;

/// How an API words its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `error_code`, `error_messages`, `correlation_id`.
    Standard,
    /// `error_id`, `error_type`, `error_code`, `error_message`, `validation_errors`.
    Network,
    /// `error_code`, `error_message`.
    DisputesV2,
}

impl Form {
    /// That of the API to which a path belongs.
    pub(crate) fn of(path: &str) -> Self {
        let network = ["/v4/payment/disputes", "/disputes/v3", "/v2/payment/"];
        if network.iter().any(|beginning| path.starts_with(beginning)) {
            Self::Network
        } else if path.starts_with("/disputes/") {
            Self::DisputesV2
        } else {
            Self::Standard
        }
    }

    /// The body of an error.
    pub(crate) fn body(self, error: &ApiError, correlation_id: Uuid) -> Vec<u8> {
        match self {
            Self::Standard => error.body(correlation_id),
            Self::Network => written(&network(error, correlation_id)),
            Self::DisputesV2 => written(&DisputeError {
                error_code: Some(DisputeErrorCode::from(error.code)),
                error_message: Some(message(error)),
            }),
        }
    }
}

/// Strings always serialize; an empty body is the lesser evil should they not.
fn written<T: serde::Serialize>(body: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(body).unwrap_or_default()
}

fn message(error: &ApiError) -> String {
    if error.messages.is_empty() {
        error.status.canonical_reason().unwrap_or("The request failed").to_owned()
    } else {
        error.messages.join("; ")
    }
}

fn network(error: &ApiError, correlation_id: Uuid) -> NetworkError {
    let own = NetworkErrorCode::from(error.code);
    let (code, kind) = match error.status {
        StatusCode::UNAUTHORIZED => (NetworkErrorCode::Unauthorized, NetworkErrorType::AccessError),
        StatusCode::FORBIDDEN => {
            (NetworkErrorCode::OperationForbidden, NetworkErrorType::ResourceError)
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            (NetworkErrorCode::ResourceNotFound, NetworkErrorType::ResourceError)
        }
        StatusCode::CONFLICT => {
            (NetworkErrorCode::ResourceConflict, NetworkErrorType::ResourceError)
        }
        StatusCode::TOO_MANY_REQUESTS => {
            (NetworkErrorCode::RateLimited, NetworkErrorType::AccessError)
        }
        status if status.is_server_error() => {
            let code = if own.is_known() { own } else { NetworkErrorCode::InternalError };
            (code, NetworkErrorType::TechnicalError)
        }
        _ => {
            let code = if own.is_known() { own } else { NetworkErrorCode::ValidationError };
            (code, NetworkErrorType::InputError)
        }
    };
    NetworkError {
        error_id: Some(correlation_id.to_string()),
        error_code: Some(code),
        error_type: Some(kind),
        error_message: Some(message(error)),
        validation_errors: error
            .invalid
            .iter()
            .map(|(parameter, reason)| ValidationError {
                parameter: parameter.chars().take(256).collect(),
                reason: reason.chars().take(512).collect(),
                doc_url: None,
            })
            .collect(),
        doc_url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(path: &str, error: &ApiError) -> String {
        String::from_utf8(Form::of(path).body(error, Uuid::nil())).unwrap()
    }

    #[test]
    fn each_version_of_disputes_has_its_own_error_body() {
        let limited = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
            .message("Too many requests");
        let both = [body("/v4/payment/disputes", &limited), body("/disputes/v2/enroll", &limited)];
        insta::assert_snapshot!(both.join("\n"), @r#"
        {
          "error_id": "00000000-0000-0000-0000-000000000000",
          "error_code": "RATE_LIMITED",
          "error_type": "ACCESS_ERROR",
          "error_message": "Too many requests"
        }
        {
          "error_code": "TOO_MANY_REQUESTS",
          "error_message": "Too many requests"
        }
        "#);
    }
}
