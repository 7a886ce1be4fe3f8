//! Why a command did not do what was asked: what it says to people and to programs, and with which status
//! the program ends.

use std::fmt;
use std::fmt::Write as _;

use klarna::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// A command that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    message: String,
    details: Map<String, Value>,
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What was asked for cannot be asked for.
    Usage,
    /// It was tried.
    Failed,
}

impl Failure {
    /// Wrong usage: nothing was done.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// It was tried and failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { kind, message, details: Map::new(), remedy: None }))
    }

    /// What to do about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Something more about it, for programs, and for people where they can use it.
    pub(crate) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    /// What the program ends with.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.0.kind {
            Kind::Usage => 2,
            Kind::Failed => 1,
        }
    }

    /// For programs.
    pub(crate) fn event(&self) -> Value {
        let mut event = Map::new();
        event.insert("event".to_owned(), "error".into());
        event.insert("message".to_owned(), self.0.message.clone().into());
        event.extend(self.0.details.clone());
        if let Some(remedy) = &self.0.remedy {
            event.insert("remedy".to_owned(), remedy.clone().into());
        }
        Value::Object(event)
    }

    /// For people.
    pub(crate) fn page(&self) -> String {
        let mut text = format!("error: {}\n", self.0.message);
        for (name, label) in [
            ("code", "code"),
            ("correlation_id", "correlation id"),
            ("idempotency_key", "idempotency key"),
            ("explanation", "because"),
        ] {
            if let Some(value) = self.0.details.get(name).and_then(Value::as_str) {
                let _ = writeln!(text, "  {label}: {}", crate::tool::show::plain(value));
            }
        }
        let invalid = self.0.details.get("validation_errors").and_then(Value::as_array);
        for problem in invalid.into_iter().flatten() {
            let words: Vec<&str> = match problem {
                Value::Object(members) => members.values().filter_map(Value::as_str).collect(),
                other => other.as_str().into_iter().collect(),
            };
            let _ = writeln!(text, "  because: {}", crate::tool::show::plain(&words.join(": ")));
        }
        if let Some(tries) = self.0.details.get("tries").and_then(Value::as_u64) {
            let _ = writeln!(text, "  tried: {tries} times");
        }
        if let Some(remedy) = &self.0.remedy {
            let _ = writeln!(text, "  try: {remedy}");
        }
        text
    }

    /// What a call of Klarna's API came to.
    pub(crate) fn of_call(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            let text = source.to_string();
            if !message.contains(&text) {
                let _ = write!(message, ": {text}");
            }
            cause = source.source();
        }
        let mut failure = match error.kind() {
            ErrorKind::InvalidRequest => Self::usage(message),
            _ => Self::failed(message),
        };
        if let Some(status) = error.status() {
            failure = failure.detail("status", status.as_u16());
        }
        if let Some(code) = error.code() {
            failure = failure.detail("code", code.as_str());
        }
        if !error.messages().is_empty() {
            failure = failure.detail("messages", error.messages());
        }
        let network = error.network_body();
        if !network.validation_errors.is_empty() {
            failure = failure.detail("validation_errors", json!(network.validation_errors));
        }
        if let Some(id) = error.correlation_id() {
            failure = failure.detail("correlation_id", id.as_str());
        }
        if let Some(key) = error.idempotency_key() {
            failure = failure.detail("idempotency_key", key.as_str());
        }
        if error.tries() > 1 {
            failure = failure.detail("tries", error.tries());
        }
        failure = failure
            .detail("outcome_unknown", error.outcome_unknown())
            .detail("retryable", error.is_retryable());
        match remedy(error) {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        }
    }
}

/// What to do about a failed call, where there is something to say.
fn remedy(error: &Error) -> Option<String> {
    let code = error.code().map(klarna::ErrorCode::as_str);
    let status = error.status().map(|status| status.as_u16());
    if error.outcome_unknown() {
        return Some(match error.idempotency_key() {
            Some(key) => format!(
                "repeat it with `--idempotency-key {}`: what was done is not done again",
                key.as_str()
            ),
            None => "it may have been done: read what it was about before you repeat it".to_owned(),
        });
    }
    let text = match (error.kind(), code, status) {
        (ErrorKind::Connect, ..) => {
            "start it with `kassa playground` (or `kassa`), or name it with --playground-url"
        }
        (_, _, Some(401)) => {
            "the credentials are not those of this system: see the ones that were printed at its \
             start, and give them in KASSA_KLARNA_USERNAME and KASSA_KLARNA_PASSWORD, or name the \
             --data-dir that it was started with"
        }
        (_, Some("MERCHANT_INACTIVE"), _) => "ask Klarna to activate the merchant",
        (_, Some("CAPTURE_NOT_ALLOWED"), _) => {
            "`kassa api orders get` shows what is left to capture, and until when"
        }
        (_, Some("REFUND_NOT_ALLOWED"), _) => {
            "`kassa api orders get` shows what is captured and not refunded"
        }
        (_, Some("CANCEL_NOT_ALLOWED"), _) => {
            "what is captured can be refunded; what is left, released with \
             `kassa api orders release-remaining-authorization`"
        }
        (_, Some("SESSION_COMPLETED"), _) => "open another session",
        (_, Some("TOKEN_SUSPENDED" | "PAYMENT_METHOD_FAILED"), _) => {
            "the shopper has to mend it; charge again some days later, under another key"
        }
        (_, _, Some(404)) => {
            "the id may be of another merchant, or its time may be over; `kassa logs` shows the call"
        }
        (_, _, Some(429)) => "wait a second",
        (_, _, Some(400 | 422)) => "`kassa api … --dry-run` shows what would be sent",
        _ => return None,
    };
    Some(text.to_owned())
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of_call(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_to_people_and_to_programs() {
        let failure = Failure::failed("GET /x: 404")
            .detail("correlation_id", "c-1")
            .detail("status", 404)
            .remedy("look again");
        assert_eq!(
            failure.page(),
            "error: GET /x: 404\n  correlation id: c-1\n  try: look again\n"
        );
        assert_eq!(
            failure.event().to_string(),
            r#"{"event":"error","message":"GET /x: 404","correlation_id":"c-1","status":404,"remedy":"look again"}"#
        );
        assert_eq!(failure.exit_status(), 1);
        assert_eq!(Failure::usage("x").exit_status(), 2);
    }
}
