//! Errors as the shop sees them: `application/problem+json` with a stable code, a public sentence
//! and what to do next. What went wrong inside is logged, once, and stays inside.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::checkouts::view::time;
use crate::domain::operation::{Effect, Failure, Reason, Refusal};
use crate::engine::commands::NotPossible;
use crate::engine::sessions::Trouble;
use crate::fault::Fault;

/// What Klarna answered, where that is the cause.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KlarnaCause {
    /// Klarna's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Klarna's messages: English, for people who debug.
    pub error_messages: Vec<String>,
    /// Klarna's id of the exchange: quote it to Klarna's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The HTTP status of Klarna's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl From<&Failure> for KlarnaCause {
    fn from(failure: &Failure) -> Self {
        Self {
            error_code: failure.error_code.as_deref().map(ToOwned::to_owned),
            error_messages: failure.error_messages.clone(),
            correlation_id: failure.correlation_id.clone(),
            status: failure.status,
        }
    }
}

/// An error answer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A name for the kind of problem: `urn:kassa:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Stable, for programs.
    pub code: &'static str,
    /// What to do about it.
    pub remedy: String,
    /// The member of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The operation that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Klarna's id of the exchange, where Klarna is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What Klarna answered, where that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna: Option<KlarnaCause>,
}

impl Problem {
    /// A problem.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:kassa:problem:{code}"),
            title: title(code),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            remedy: remedy.into(),
            member: None,
            operation_id: None,
            correlation_id: None,
            klarna: None,
        }
    }

    /// A member of the request that is wrong.
    pub fn invalid(member: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            detail,
            "Correct the named member and send the request again.",
        );
        problem.member = Some(member.into()).filter(|member| !member.is_empty());
        problem
    }

    /// Nothing is there, for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what} in this store."),
            "Check the id, and that the API key belongs to the store.",
        )
    }

    /// This was asked too often.
    pub fn too_many(seconds: i64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many requests came from this address.",
            format!("Wait {seconds} seconds, then go on more slowly."),
        )
    }

    /// The state forbids it.
    pub fn conflict(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "state_conflict", detail, remedy)
    }

    /// What came of an operation.
    pub fn refused(refusal: &Refusal, operation_id: &str) -> Self {
        let status = match refusal.reason {
            Reason::Declined => StatusCode::PAYMENT_REQUIRED,
            Reason::InvalidRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Reason::CredentialsRefused | Reason::Other => StatusCode::BAD_GATEWAY,
            Reason::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Reason::AuthorizationInvalid
            | Reason::CartMismatch
            | Reason::NotAllowed
            | Reason::StateForbids
            | Reason::UnknownOrder
            | Reason::Superseded
            | Reason::FraudRejected
            | Reason::OutcomeUnknown
            | Reason::TokenSuspended
            | Reason::TokenCancelled
            | Reason::SettledByPerson => StatusCode::CONFLICT,
        };
        let mut problem =
            Self::new(status, refusal.reason.name(), &refusal.detail, &refusal.remedy);
        problem.operation_id = Some(operation_id.to_owned());
        if let Some(failure) = &refusal.klarna {
            problem.correlation_id.clone_from(&failure.correlation_id);
            problem.klarna = Some(failure.into());
        }
        problem
    }

    fn of_klarna(failure: &Failure) -> Self {
        let said = if failure.error_messages.is_empty() {
            failure.summary.clone()
        } else {
            failure.error_messages.join("; ")
        };
        let mut problem = match (failure.effect, failure.status) {
            (Effect::Refused, Some(401)) => Self::new(
                StatusCode::BAD_GATEWAY,
                "credentials_refused",
                "Klarna refused the gateway's credentials.",
                "Check the API username and password, and that they belong to this region and \
                 environment of Klarna.",
            ),
            (Effect::Refused, _) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "klarna_refused",
                format!("Klarna refused the request: {said}"),
                "Correct the value that Klarna names, then send the request again.",
            ),
            (Effect::NoneYet | Effect::Unknown, _) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "klarna_unreachable",
                format!("Klarna could not be asked: {}.", failure.summary),
                "Nothing was charged. Send the request again in a moment.",
            ),
        };
        problem.correlation_id.clone_from(&failure.correlation_id);
        problem.klarna = failure.status.map(|_| failure.into());
        problem
    }

    /// The answer that carries it.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn title(code: &str) -> String {
    let mut words = code.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        tracing::error!(error = %fault, "a request failed inside the gateway");
        match fault {
            Fault::Storage(error) if error.is_busy() || error.is_unavailable() => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "The gateway's database has no time for this request.",
                "Send the request again in a moment, under the same Idempotency-Key.",
            ),
            Fault::Storage(_)
            | Fault::Document { .. }
            | Fault::Inconsistent(_)
            | Fault::Vault(_)
            | Fault::LeaseLost => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "The gateway failed. The cause is in its log.",
                "Send the request again under the same Idempotency-Key; if it fails again, look at \
                 the gateway's log.",
            ),
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Fault(fault) => fault.into(),
            Trouble::Klarna(failure) => Self::of_klarna(&failure),
            Trouble::NoAccount { country } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no_account",
                format!("This store has no Klarna account for {country}."),
                "Give the gateway credentials for this store and country.",
            ),
            Trouble::Rejected(rejection) => Self::conflict(
                format!("{}.", sentence(&rejection.to_string())),
                "Read the checkout to see where it stands; open a new one for another purchase.",
            ),
            Trouble::Unknown => Self::not_found("checkout"),
            Trouble::InDoubt => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "update_in_doubt",
                "Whether Klarna took the last update of this checkout is not known yet.",
                "Send the request again in a moment.",
            ),
            Trouble::NothingToFinalize => Self::conflict(
                "This checkout has no step of finalising before it.",
                "Open it with \"finalize\": \"later\"; read it to see where it stands.",
            ),
            Trouble::Approved => Self::conflict(
                "The shopper has approved already, and the order is being placed.",
                "Read the checkout: once it is completed, cancel or refund the payment.",
            ),
        }
    }
}

impl From<NotPossible> for Problem {
    fn from(not_possible: NotPossible) -> Self {
        use crate::domain::payment::Rejection;
        match not_possible {
            NotPossible::Unknown => Self::not_found("payment"),
            NotPossible::Unverified => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment_unverified",
                "The gateway's database was restored from a backup, and Klarna could not be asked \
                 yet what became of this payment since.",
                "Repeat the request in a moment, with the same Idempotency-Key.",
            ),
            NotPossible::Limits(detail) => {
                let member = detail.split(':').next().unwrap_or_default().to_owned();
                Self::invalid(member, detail)
            }
            NotPossible::Rejected(rejection) => {
                let detail = format!("{}.", sentence(&rejection.to_string()));
                match rejection {
                    Rejection::State { .. } => Self::conflict(
                        detail,
                        "Read the payment: its available_actions say what is possible, and up to \
                         which amount.",
                    ),
                    Rejection::TooMuch { .. } => {
                        let mut problem = Self::new(
                            StatusCode::UNPROCESSABLE_ENTITY,
                            "amount_too_large",
                            detail,
                            "Ask for at most the named limit; what other operations have asked \
                             for already counts.",
                        );
                        problem.member = Some("amount".to_owned());
                        problem
                    }
                    Rejection::TooLittle { .. } => {
                        let mut problem = Self::new(
                            StatusCode::UNPROCESSABLE_ENTITY,
                            "amount_too_small",
                            detail,
                            "Ask for at least the named limit. To give more back, refund what is \
                             captured.",
                        );
                        problem.member = Some("amount".to_owned());
                        problem
                    }
                    Rejection::NotPositive(_) | Rejection::LinesDiffer { .. } => {
                        Self::invalid("amount", detail)
                    }
                    Rejection::Lapsed => Self::new(
                        StatusCode::CONFLICT,
                        "authorization_expired",
                        detail,
                        "The order is being read anew from Klarna. Let the shopper place a new \
                         order; what was captured can still be refunded.",
                    ),
                    Rejection::TooOld => Self::new(
                        StatusCode::CONFLICT,
                        "too_late",
                        detail,
                        "Capture what remains before the authorisation lapses.",
                    ),
                    Rejection::FraudRejected { overrule_until_ms } => Self::new(
                        StatusCode::CONFLICT,
                        "fraud_rejected",
                        detail,
                        match overrule_until_ms {
                            Some(until_ms) => format!(
                                "Do not ship. To overrule Klarna at your own risk, capture with \
                                 `risk` set to `merchant` before {}; after that Klarna cancels the \
                                 order.",
                                time(until_ms)
                            ),
                            None => "Do not ship. Klarna cancels the order.".to_owned(),
                        },
                    ),
                    Rejection::NotOffered { .. } => Self::new(
                        StatusCode::CONFLICT,
                        "not_offered",
                        detail,
                        "Let the shopper place a new order, or choose another of the payment's \
                         available_actions.",
                    ),
                    Rejection::NoCapture(_) => {
                        let mut problem = Self::new(
                            StatusCode::NOT_FOUND,
                            "capture_not_found",
                            detail,
                            "Read the payment: its captures have the ids to use.",
                        );
                        problem.member = Some("capture_id".to_owned());
                        problem
                    }
                    Rejection::ReturnFee(_) => {
                        let mut problem = Self::new(
                            StatusCode::UNPROCESSABLE_ENTITY,
                            "return_fee_not_allowed",
                            detail,
                            "Refund without the fee.",
                        );
                        problem.member = Some("return_fee".to_owned());
                        problem
                    }
                    Rejection::Missing { member, .. } => Self::invalid(member, detail),
                    Rejection::Cart(problem) => Self::invalid(problem.member, detail),
                    Rejection::Lines(problem) => {
                        let text = problem.to_string();
                        let member = text.split(':').next().unwrap_or("lines").to_owned();
                        Self::invalid(member, detail)
                    }
                }
            }
        }
    }
}

/// Starts with a capital, unless it starts with the name of a member.
fn sentence(text: &str) -> String {
    let mut text = text.to_owned();
    let is_member = text.split_once(' ').is_some_and(|(first, _)| first.ends_with(':'));
    if !is_member && let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
