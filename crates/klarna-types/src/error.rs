//! Klarna's error bodies. Reading never fails: whatever came, as much of it as makes sense is kept.

use serde::{Deserialize, Serialize};

use crate::ids::CorrelationId;
use crate::payments::{AuthorizedPaymentMethod, FraudStatus};

open_enum! {
    /// The machine-readable code of an error. Decide on the HTTP status and this, never on messages.
    #[non_exhaustive]
    pub enum ErrorCode: exact {
        /// The request could not be read.
        BadRequest = "BAD_REQUEST",
        /// A field breaks a rule, or does not match what was authorised (status 409).
        BadValue = "BAD_VALUE",
        /// Wrong or missing credentials.
        Unauthorized = "UNAUTHORIZED",
        /// Not allowed, or not configured for this merchant.
        InvalidOperation = "INVALID_OPERATION",
        /// The merchant may not trade.
        MerchantInactive = "MERCHANT_INACTIVE",
        /// The risk assessment refused the order.
        Rejected = "REJECTED",
        /// Unknown, expired, or someone else's.
        NotFound = "NOT_FOUND",
        /// The session has already led to an order.
        SessionCompleted = "SESSION_COMPLETED",
        /// The order cannot be captured so.
        CaptureNotAllowed = "CAPTURE_NOT_ALLOWED",
        /// The order cannot be cancelled.
        CancelNotAllowed = "CANCEL_NOT_ALLOWED",
        /// The order cannot be refunded so.
        RefundNotAllowed = "REFUND_NOT_ALLOWED",
        /// The state of the order does not allow it.
        NotAllowed = "NOT_ALLOWED",
        /// Unknown order.
        NoSuchOrder = "NO_SUCH_ORDER",
        /// Unknown capture.
        NoSuchCapture = "NO_SUCH_CAPTURE",
        /// The order id has not the form of one.
        InvalidOrderId = "INVALID_ORDER_ID",
        /// Clashes with the current state.
        Conflict = "CONFLICT",
        /// The body is over the limit.
        RequestTooLarge = "REQUEST_TOO_LARGE",
        /// A field breaks a rule (Order Management).
        UnprocessableEntity = "UNPROCESSABLE_ENTITY",
        /// An address was not accepted.
        InvalidAddress = "INVALID_ADDRESS",
        /// Over the rate limit.
        TooManyRequests = "TOO_MANY_REQUESTS",
        /// A fault at Klarna.
        InternalServerError = "INTERNAL_SERVER_ERROR",
        /// A fault at Klarna.
        UnexpectedError = "UNEXPECTED_ERROR",
        /// An outage at Klarna.
        TemporarilyUnavailable = "TEMPORARILY_UNAVAILABLE",
        /// An outage at Klarna (customer tokens).
        ServiceUnavailable = "SERVICE_UNAVAILABLE",
        /// Charging the shopper's payment method failed.
        PaymentMethodFailed = "PAYMENT_METHOD_FAILED",
        /// The payment method cannot be used in this currency.
        UnavailablePaymentMethod = "UNAVAILABLE_PAYMENT_METHOD",
        /// Unknown customer token.
        TokenNotFound = "TOKEN_NOT_FOUND",
        /// Klarna has suspended the customer token.
        TokenSuspended = "TOKEN_SUSPENDED",
        /// The customer token is cancelled or not linked to this merchant.
        TokenCanceled = "TOKEN_CANCELED",
        /// The contact lacks what the way of distribution needs (hosted payment page).
        MissingContactData = "MISSING_CONTACT_DATA",
        /// The request is invalid (hosted payment page).
        ConstraintViolation = "CONSTRAINT_VIOLATION",
        /// The phone's country cannot be used in this region (hosted payment page).
        UnsupportedCountry = "UNSUPPORTED_COUNTRY",
        /// Seen in the field without a documented cause.
        PermissionDenied = "PERMISSION_DENIED",
        /// The body is not declared as JSON.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// The route exists, but not with this method.
        MethodNotAllowed = "METHOD_NOT_ALLOWED",
    }
}

/// The body of a 4xx or 5xx answer.
///
/// Written in Klarna's order: `error_code`, `error_messages`, `correlation_id`. Read tolerantly: the singular
/// `error_message`, missing members and the variants of other APIs are all accepted.
///
/// ```
/// use klarna_types::{ErrorBody, ErrorCode};
/// let body = ErrorBody::read(br#"{"error_code":"NOT_FOUND","error_message":"gone","new_member":1}"#);
/// assert_eq!(body.error_code, Some(ErrorCode::NotFound));
/// assert_eq!(body.error_messages, ["gone"]);
/// assert_eq!(ErrorBody::read(b"<html>401</html>"), ErrorBody::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawErrorBody")]
pub struct ErrorBody {
    /// What happened, for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// What happened, for logs; English, never to be parsed or shown to shoppers; may be empty.
    pub error_messages: Vec<String>,
    /// Names the request in Klarna's logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// Set on refused token charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraud_status: Option<FraudStatus>,
    /// Why a token charge was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The payment method of a refused token charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorized_payment_method: Option<AuthorizedPaymentMethod>,
    /// Starts the recovery of a refused token charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_up_id: Option<String>,
}

impl ErrorBody {
    /// An error body as a server writes it.
    pub fn new(
        code: ErrorCode,
        messages: Vec<String>,
        correlation_id: impl Into<CorrelationId>,
    ) -> Self {
        Self {
            error_code: Some(code),
            error_messages: messages,
            correlation_id: Some(correlation_id.into()),
            ..Self::default()
        }
    }

    /// Reads whatever came with an error status. A body that is empty or not JSON gives an empty error body.
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

/// Everything that Klarna's APIs and edge are known to send.
#[derive(Deserialize)]
struct RawErrorBody {
    #[serde(default)]
    error_code: Lenient<String>,
    #[serde(default)]
    error_messages: Lenient<Messages>,
    #[serde(default)]
    error_message: Lenient<Messages>,
    /// Seen from the edge instead of the documented members.
    #[serde(default)]
    internal_message: Lenient<Messages>,
    #[serde(default)]
    http_status_message: Lenient<Messages>,
    #[serde(default)]
    correlation_id: Lenient<String>,
    #[serde(default)]
    error_id: Lenient<String>,
    #[serde(default)]
    fraud_status: Lenient<String>,
    #[serde(default)]
    reason: Lenient<String>,
    #[serde(default)]
    authorized_payment_method: Lenient<AuthorizedPaymentMethod>,
    #[serde(default)]
    step_up_id: Lenient<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Messages {
    Many(Vec<String>),
    One(String),
}

impl Messages {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::Many(messages) => messages,
            Self::One(message) => vec![message],
        }
    }
}

/// A member that is taken if it has the expected shape, and dropped if it has not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Expected(T),
    Other(serde::de::IgnoredAny),
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

impl<T> Lenient<T> {
    fn take(self) -> Option<T> {
        match self {
            Self::Expected(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

impl From<RawErrorBody> for ErrorBody {
    fn from(raw: RawErrorBody) -> Self {
        let error_messages =
            [raw.error_messages, raw.error_message, raw.internal_message, raw.http_status_message]
                .into_iter()
                .filter_map(Lenient::take)
                .map(Messages::into_vec)
                .find(|messages| !messages.is_empty())
                .unwrap_or_default();
        Self {
            error_code: raw.error_code.take().map(ErrorCode::from),
            error_messages,
            correlation_id: raw
                .correlation_id
                .take()
                .or_else(|| raw.error_id.take())
                .map(CorrelationId::from),
            fraud_status: raw.fraud_status.take().map(FraudStatus::from),
            reason: raw.reason.take(),
            authorized_payment_method: raw.authorized_payment_method.take(),
            step_up_id: raw.step_up_id.take(),
        }
    }
}
