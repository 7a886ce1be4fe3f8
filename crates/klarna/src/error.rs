//! The one error of this crate. It is opaque: ask it.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use klarna_types::disputes::NetworkError;
use klarna_types::{CorrelationId, ErrorBody, ErrorCode, IdempotencyKey, Problem};

use crate::response::{Meta, RateLimit};
use crate::retry::Repeat;
use crate::transport::BoxError;

/// Why a call failed.
///
/// ```
/// # async fn example(client: klarna::Client, id: klarna::OrderId) {
/// use klarna::{ErrorCode, MinorUnits, types::order_management::CreateCapture};
/// let capture = CreateCapture::new(MinorUnits::new(14900));
/// match client.orders().capture(&id, &capture).await {
///     Ok(capture) => println!("captured as {}", capture.capture_id),
///     Err(error) if error.outcome_unknown() => {
///         // It may have happened. Repeat under the same key, or read the order.
///         let key = error.idempotency_key().cloned();
///         # drop(key);
///     }
///     Err(error) if error.code() == Some(&ErrorCode::CaptureNotAllowed) => println!("refused: {error}"),
///     Err(error) => println!("{error}, correlation id {:?}", error.correlation_id()),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// Method and route template, never the path: tokens stand in paths.
    call: String,
    detail: String,
    meta: Option<Meta>,
    body: ErrorBody,
    raw: Bytes,
    problems: Vec<Problem>,
    idempotency_key: Option<IdempotencyKey>,
    tries: u32,
    retryable: Retryable,
    outcome: Outcome,
    source: Option<BoxError>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be sent as it is; nothing was sent.
    InvalidRequest,
    /// There was no connection; nothing was sent.
    Connect,
    /// The merchant's quota is used up until after the deadline; nothing was sent.
    Throttled,
    /// The deadline passed.
    TimedOut,
    /// The connection was lost before a whole answer came.
    Interrupted,
    /// Klarna answered with an error status.
    Refused,
    /// Klarna answered with success, but the answer cannot be read.
    Decode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retryable {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Known,
    Unknown,
}

/// What a failed call was, told by the engine.
pub(crate) struct Circumstances {
    pub(crate) call: String,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    pub(crate) tries: u32,
    pub(crate) repeat: Repeat,
    pub(crate) outcome: Outcome,
}

impl Error {
    fn new(kind: ErrorKind, circumstances: Circumstances, detail: impl Into<String>) -> Self {
        let Circumstances { call, idempotency_key, tries, repeat: _, outcome } = circumstances;
        Self(Box::new(Inner {
            kind,
            call,
            detail: detail.into(),
            meta: None,
            body: ErrorBody::default(),
            raw: Bytes::new(),
            problems: Vec::new(),
            idempotency_key,
            tries,
            retryable: Retryable::No,
            outcome,
            source: None,
        }))
    }

    pub(crate) fn invalid(call: impl Into<String>, detail: impl Into<String>) -> Self {
        let circumstances = Circumstances {
            call: call.into(),
            idempotency_key: None,
            tries: 0,
            repeat: Repeat::Safe,
            outcome: Outcome::Known,
        };
        Self::new(ErrorKind::InvalidRequest, circumstances, detail)
    }

    pub(crate) fn invalid_fields(call: impl Into<String>, problems: Vec<Problem>) -> Self {
        let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let mut error = Self::invalid(call, sentences.join("; "));
        error.0.problems = problems;
        error
    }

    pub(crate) fn connect(circumstances: Circumstances, source: BoxError) -> Self {
        let mut error = Self::new(ErrorKind::Connect, circumstances, "no connection to Klarna");
        error.0.retryable = Retryable::Yes;
        error.0.source = Some(source);
        error
    }

    pub(crate) fn throttled(circumstances: Circumstances) -> Self {
        let detail = "Klarna's rate limit leaves no place for this call before its deadline";
        let mut error = Self::new(ErrorKind::Throttled, circumstances, detail);
        error.0.retryable = Retryable::Yes;
        error
    }

    /// An answer that began and did not end: it was read as it arrived.
    pub(crate) fn cut_off(
        circumstances: Circumstances,
        meta: Meta,
        detail: &str,
        source: Option<BoxError>,
    ) -> Self {
        let mut error = Self::new(ErrorKind::Interrupted, circumstances, detail);
        error.0.retryable = Retryable::Yes;
        error.0.meta = Some(meta);
        error.0.source = source;
        error
    }

    pub(crate) fn interrupted(circumstances: Circumstances, source: BoxError) -> Self {
        let repeat = circumstances.repeat;
        let detail = "the connection was lost before a whole answer came";
        let mut error = Self::new(ErrorKind::Interrupted, circumstances, detail);
        error.0.retryable = repeatable(repeat);
        error.0.source = Some(source);
        error
    }

    pub(crate) fn timed_out(circumstances: Circumstances) -> Self {
        let repeat = circumstances.repeat;
        let detail = "no whole answer came before the deadline";
        let mut error = Self::new(ErrorKind::TimedOut, circumstances, detail);
        error.0.retryable = repeatable(repeat);
        error
    }

    pub(crate) fn refused(
        circumstances: Circumstances,
        meta: Meta,
        raw: &Bytes,
        problems: Vec<Problem>,
    ) -> Self {
        let repeat = circumstances.repeat;
        let body = ErrorBody::read(raw);
        let retryable = match meta.status.as_u16() {
            429 => Retryable::Yes,
            500 | 502 | 503 | 504 => repeatable(repeat),
            409 if body.error_code == Some(ErrorCode::Conflict) && repeat == Repeat::Keyed => {
                Retryable::Yes
            }
            _ => Retryable::No,
        };
        let mut detail = meta.status.as_u16().to_string();
        if let Some(code) = &body.error_code {
            detail.push(' ');
            detail.push_str(code.as_str());
        }
        if !body.error_messages.is_empty() {
            detail.push_str(": ");
            detail.push_str(&body.error_messages.join("; "));
        }
        let mut error = Self::new(ErrorKind::Refused, circumstances, detail);
        error.0.retryable = retryable;
        error.0.body = body;
        error.0.meta = Some(meta);
        error.0.problems = problems;
        // Enough to look into, not enough to fill a disk.
        error.0.raw = raw.slice(..raw.len().min(64 * 1024));
        error
    }

    pub(crate) fn decode(
        circumstances: Circumstances,
        meta: Option<Meta>,
        detail: impl Into<String>,
        source: Option<BoxError>,
    ) -> Self {
        let mut error = Self::new(ErrorKind::Decode, circumstances, detail);
        error.0.meta = meta;
        error.0.source = source;
        error
    }

    pub(crate) fn meta(&self) -> Option<&Meta> {
        self.0.meta.as_ref()
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.meta.as_ref().map(|meta| meta.status)
    }

    /// Klarna's error code, if the answer carried one. Decide on this and the status.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.body.error_code.as_ref()
    }

    /// Klarna's messages: for logs, not to be parsed or shown to shoppers.
    pub fn messages(&self) -> &[String] {
        &self.0.body.error_messages
    }

    /// Everything that the error's body said, in the form that most of Klarna's APIs use: for a refused charge of a
    /// customer token, `fraud_status`, `reason` and `step_up_id`, too.
    pub fn body(&self) -> &ErrorBody {
        &self.0.body
    }

    /// The same in the form of Klarna's network, which the Disputes API uses: `error_type`, `validation_errors`,
    /// `doc_url`. Empty if the body has not that form.
    pub fn network_body(&self) -> NetworkError {
        NetworkError::read(&self.0.raw)
    }

    /// The body as it came, at most 64 KiB of it. It may be HTML.
    pub fn raw_body(&self) -> &[u8] {
        &self.0.raw
    }

    /// Names the request in Klarna's logs: from the body, else from the header.
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0
            .body
            .correlation_id
            .as_ref()
            .or_else(|| self.0.meta.as_ref()?.correlation_id.as_ref())
    }

    /// How much of the quota is left, if an answer came.
    pub fn rate_limit(&self) -> Option<&RateLimit> {
        self.0.meta.as_ref().map(|meta| &meta.rate_limit)
    }

    /// The key under which the write was sent: repeat it under the same.
    pub fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.0.idempotency_key.as_ref()
    }

    /// How many times the request was sent.
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// What is wrong with the request, in our words, where this crate can tell: when Klarna answered `Bad value: …`, or
    /// when the request was checked before it was sent.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// Whether it is safe, and may help, to make the same call again later: with the same body and, where there is one,
    /// the same [`Error::idempotency_key`].
    pub fn is_retryable(&self) -> bool {
        self.0.retryable == Retryable::Yes
    }

    /// Whether the write may have been executed although the call failed. Do not treat it as failed: repeat it under the
    /// same key, or read Klarna's state.
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome == Outcome::Unknown
    }

    /// Whether Klarna does not know what was asked for (status 404).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether the credentials were not accepted (status 401).
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }
}

fn repeatable(repeat: Repeat) -> Retryable {
    match repeat {
        Repeat::Safe | Repeat::Keyed => Retryable::Yes,
        Repeat::Unsafe => Retryable::No,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.call, self.0.detail)?;
        if self.0.kind == ErrorKind::Refused && !self.0.problems.is_empty() {
            let sentences: Vec<String> = self.0.problems.iter().map(ToString::to_string).collect();
            write!(formatter, " ({})", sentences.join("; "))?;
        }
        if self.outcome_unknown() {
            formatter.write_str(" (it may have been executed)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the raw body: it is Klarna's, and may quote what was sent.
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("call", &self.0.call)
            .field("detail", &self.0.detail)
            .field("correlation_id", &self.correlation_id())
            .field("tries", &self.0.tries)
            .field("is_retryable", &self.is_retryable())
            .field("outcome_unknown", &self.outcome_unknown())
            .field("problems", &self.0.problems)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
