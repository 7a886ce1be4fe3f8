//! Answers that are given again: how they are kept under an idempotency key, and read back.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::api::error::{ApiError, RefusedCharge};
use crate::api::respond::Answer;
use crate::domain::idempotency::{self, StoredAnswer};

/// What an answer is made of, whether it is a success or a refusal.
pub(crate) type Outcome = Result<Answer, ApiError>;

/// A refusal as it is kept. What only the request log shows is kept too: a replayed call is a call.
#[derive(Debug, Serialize, Deserialize)]
struct Refusal {
    code: String,
    messages: Vec<String>,
    explanation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<Box<RefusedCharge>>,
}

/// The codes that refusals can have and that are kept: of Order Management, then of token charges.
const CODES: [&str; 15] = [
    "CAPTURE_NOT_ALLOWED",
    "CANCEL_NOT_ALLOWED",
    "REFUND_NOT_ALLOWED",
    "NOT_ALLOWED",
    "NO_SUCH_CAPTURE",
    "NOT_FOUND",
    "INVALID_ADDRESS",
    "UNPROCESSABLE_ENTITY",
    "BAD_REQUEST",
    "BAD_VALUE",
    "INVALID_OPERATION",
    "TOKEN_SUSPENDED",
    "TOKEN_CANCELED",
    "UNAVAILABLE_PAYMENT_METHOD",
    "PAYMENT_METHOD_FAILED",
];

/// An outcome in the form in which it is kept; `None` if it is not one to keep.
pub(crate) fn to_stored(outcome: &Outcome) -> Result<Option<StoredAnswer>, ApiError> {
    let status = match outcome {
        Ok(answer) => answer.status,
        Err(error) => error.status,
    };
    if !idempotency::is_kept(status.as_u16()) {
        return Ok(None);
    }
    let (headers, body) = match outcome {
        Ok(answer) => {
            let headers: Vec<(&str, &str)> = answer
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
                .collect();
            let headers = serde_json::to_string(&headers).map_err(ApiError::internal)?;
            (headers, String::from_utf8_lossy(&answer.body).into_owned())
        }
        Err(error) => {
            let refusal = Refusal {
                code: error.code.to_owned(),
                messages: error.messages.clone(),
                explanation: error.explanation.clone(),
                charge: error.charge.clone(),
            };
            ("[]".to_owned(), serde_json::to_string(&refusal).map_err(ApiError::internal)?)
        }
    };
    Ok(Some(StoredAnswer { status: status.as_u16(), headers, body, request: None }))
}

/// The outcome that was kept. The outer error is a failure to read it.
pub(crate) fn from_stored(stored: &StoredAnswer) -> Result<Outcome, ApiError> {
    let status = StatusCode::from_u16(stored.status).map_err(ApiError::internal)?;
    if status.is_success() {
        let kept: Vec<(String, String)> =
            serde_json::from_str(&stored.headers).map_err(ApiError::internal)?;
        let mut headers = HeaderMap::with_capacity(kept.len());
        for (name, value) in kept {
            let name: HeaderName = name.parse().map_err(ApiError::internal)?;
            headers.insert(name, HeaderValue::from_str(&value).map_err(ApiError::internal)?);
        }
        return Ok(Ok(Answer { status, headers, body: Bytes::from(stored.body.clone()) }));
    }
    let refusal: Refusal = serde_json::from_str(&stored.body).map_err(ApiError::internal)?;
    let code = CODES
        .into_iter()
        .find(|code| *code == refusal.code)
        .ok_or_else(|| ApiError::internal(format_args!("unknown kept code {}", refusal.code)))?;
    let mut error = ApiError::new(status, code);
    error.messages = refusal.messages;
    error.explanation = refusal.explanation;
    error.charge = refusal.charge;
    Ok(Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outcome: &Outcome) {
        let stored = to_stored(outcome).unwrap().unwrap();
        assert_eq!(&from_stored(&stored).unwrap(), outcome);
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        check(&Ok(Answer::no_content()));
        check(&Ok(Answer::empty(StatusCode::CREATED)
            .header(HeaderName::from_static("capture-id"), HeaderValue::from_static("c1"))
            .header(HeaderName::from_static("location"), HeaderValue::from_static("http://a/c1"))));
        for code in CODES {
            check(&Err(ApiError::new(StatusCode::FORBIDDEN, code).message("No.").because("why")));
        }
    }

    #[test]
    fn conflicts_and_failures_are_not_kept() {
        for status in [StatusCode::CONFLICT, StatusCode::INTERNAL_SERVER_ERROR] {
            assert_eq!(to_stored(&Err(ApiError::new(status, "CONFLICT"))).unwrap(), None);
        }
    }
}
