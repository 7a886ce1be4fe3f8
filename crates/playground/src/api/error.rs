//! Klarna's error answers.
//!
//! An [`ApiError`] carries what the caller sees (status, code, messages) and an explanation that
//! only the request log and the log of this program show. The body is written by the edge, which
//! alone knows the correlation id of the call.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use klarna_types::payments::{AuthorizedPaymentMethod, FraudStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::form::Form;

/// A refusal or failure of an API call, in Klarna's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// Klarna's machine-readable code.
    pub(crate) code: &'static str,
    /// Klarna's messages; often none.
    pub(crate) messages: Vec<String>,
    /// What was wrong and what would have worked, for the request log. Never sent to the caller.
    pub(crate) explanation: Option<String>,
    /// What a refused charge of a customer token says besides.
    pub(crate) charge: Option<Box<RefusedCharge>>,
    /// Which parameters are wrong, and how, where Klarna says so.
    pub(crate) invalid: Vec<(String, String)>,
}

/// What a refused charge of a customer token says besides code, messages and correlation id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusedCharge {
    /// Always a refusal.
    pub(crate) fraud_status: FraudStatus,
    /// Klarna's sentence.
    pub(crate) reason: String,
    /// The method that was charged.
    pub(crate) authorized_payment_method: AuthorizedPaymentMethod,
    /// With what the shopper, who is there, may recover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) step_up_id: Option<String>,
}

impl ApiError {
    /// An error with any status and code.
    pub(crate) fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            messages: Vec::new(),
            explanation: None,
            charge: None,
            invalid: Vec::new(),
        }
    }

    /// Adds a message for the caller.
    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Adds the explanation for the request log.
    pub(crate) fn because(mut self, explanation: impl fmt::Display) -> Self {
        self.explanation = Some(explanation.to_string());
        self
    }

    /// 400 `BAD_REQUEST`, no messages: a body that cannot be read.
    pub(crate) fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST")
    }

    /// 400 `BAD_VALUE`, `Bad value: a, b`.
    pub(crate) fn bad_value<P: AsRef<str>>(paths: &[P]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_VALUE").message(bad_value_message(paths))
    }

    /// 404 `NOT_FOUND` with a message.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND").message(message)
    }

    /// 500 `INTERNAL_SERVER_ERROR`, the cause kept for the logs.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR")
            .message("Internal error")
            .because(cause)
    }

    /// The body, in the key order and the layout that Klarna's answers have.
    pub(crate) fn body(&self, correlation_id: Uuid) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error_code: &'a str,
            error_messages: &'a [String],
            correlation_id: Uuid,
            #[serde(flatten, skip_serializing_if = "Option::is_none")]
            charge: Option<&'a RefusedCharge>,
        }
        let body = Body {
            error_code: self.code,
            error_messages: &self.messages,
            correlation_id,
            charge: self.charge.as_deref(),
        };
        // Strings and a UUID always serialize; an empty body is the lesser evil should they not.
        serde_json::to_vec_pretty(&body).unwrap_or_default()
    }
}

/// The media type of an error's body where it is not `application/json`; the body is JSON all the same.
/// An extension of the answer, for the edge.
#[derive(Debug, Clone)]
pub(crate) struct ErrorMediaType(pub(crate) HeaderValue);

/// `Bad value: a, b`.
fn bad_value_message<P: AsRef<str>>(paths: &[P]) -> String {
    let mut message = String::from("Bad value: ");
    for (index, path) in paths.iter().enumerate() {
        if index > 0 {
            message.push_str(", ");
        }
        message.push_str(path.as_ref());
    }
    message
}

impl From<storage::Error> for ApiError {
    fn from(error: storage::Error) -> Self {
        Self::internal(Chain(&error))
    }
}

impl IntoResponse for ApiError {
    /// The status only; the edge finds the error in the extensions and writes the body.
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self.status;
        *response.headers_mut() = HeaderMap::new();
        response.extensions_mut().insert(self);
        response
    }
}

/// An error with all its sources on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// No such route.
pub(crate) fn unknown_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND").because("there is no such route")
}

/// No such route, as the API says it that the path looks like.
pub(crate) async fn unknown_path(uri: Uri) -> ApiError {
    let error = match Form::of(uri.path()) {
        Form::Standard => ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND"),
        // Known of disputes: a wrong path is forbidden rather than not found.
        Form::Network | Form::DisputesV2 => ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN"),
    };
    error.because("there is no such route")
}

/// The route exists, the method does not.
pub(crate) async fn wrong_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED")
        .because("the route exists, but not with this method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_keys_in_klarnas_order() {
        let error = ApiError::bad_value(&["locale", "purchase_currency"]);
        let body = String::from_utf8(error.body(Uuid::nil())).unwrap();
        assert_eq!(
            body,
            "{\n  \"error_code\": \"BAD_VALUE\",\n  \"error_messages\": [\n    \"Bad value: locale, \
             purchase_currency\"\n  ],\n  \"correlation_id\": \
             \"00000000-0000-0000-0000-000000000000\"\n}"
        );
    }
}
