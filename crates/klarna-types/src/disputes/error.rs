//! The error body of Klarna's network APIs, to which disputes of version 3 and 4 belong.

use serde::{Deserialize, Serialize};

use crate::wire::null_as_default;

open_enum! {
    /// Whose fault an error is.
    #[non_exhaustive]
    pub enum NetworkErrorType: any_case {
        /// The call is not allowed.
        AccessError = "ACCESS_ERROR",
        /// The call says something wrong.
        InputError = "INPUT_ERROR",
        /// The thing called for does not allow it.
        ResourceError = "RESOURCE_ERROR",
        /// Klarna's fault.
        TechnicalError = "TECHNICAL_ERROR",
    }
}

open_enum! {
    /// What went wrong. Decide on the HTTP status and this, never on messages.
    #[non_exhaustive]
    pub enum NetworkErrorCode: any_case {
        /// A parameter or member breaks a rule (400).
        ValidationError = "VALIDATION_ERROR",
        /// The body is not what the operation takes (400).
        InvalidContentType = "INVALID_CONTENT_TYPE",
        /// Wrong or missing credentials (401).
        Unauthorized = "UNAUTHORIZED",
        /// Not for this caller (403).
        OperationForbidden = "OPERATION_FORBIDDEN",
        /// Unknown, or someone else's (404).
        ResourceNotFound = "RESOURCE_NOT_FOUND",
        /// The dispute's state does not allow it (409).
        ResourceConflict = "RESOURCE_CONFLICT",
        /// Over the rate limit (429).
        RateLimited = "RATE_LIMITED",
        /// A fault at Klarna (500).
        InternalError = "INTERNAL_ERROR",
        /// A fault at Klarna (500).
        ServerConfigurationError = "SERVER_CONFIGURATION_ERROR",
        /// Klarna took too long.
        Timeout = "TIMEOUT",
    }
}

/// One parameter that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationError {
    /// Which one; at most 256 characters.
    pub parameter: String,
    /// How; at most 512 characters.
    #[serde(default)]
    pub reason: String,
    /// Where the rule is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
}

/// The body of a 4xx or 5xx answer of versions 3 and 4.
///
/// ```
/// use klarna_types::disputes::{NetworkError, NetworkErrorCode};
/// let error = NetworkError::read(br#"{"error_code":"RESOURCE_CONFLICT","error_message":"already closed","new":1}"#);
/// assert_eq!(error.error_code, Some(NetworkErrorCode::ResourceConflict));
/// assert_eq!(NetworkError::read(b"<html>"), NetworkError::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkError {
    /// Names this error in Klarna's logs; a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_id: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<NetworkErrorCode>,
    /// Whose fault it is. The newest edition of Klarna's page has dropped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<NetworkErrorType>,
    /// What went wrong, for logs; at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Which parameters broke a rule.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub validation_errors: Vec<ValidationError>,
    /// Where the rule is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
}

impl NetworkError {
    /// Reads whatever came with an error status. A body that is empty or not of this form gives an empty error.
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}
