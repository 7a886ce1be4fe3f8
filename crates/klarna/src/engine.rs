//! One logical call: its tries, its deadline, and what the caller is told in the end. Knows HTTP and the retry policy,
//! not what the calls are for.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use klarna_types::{ErrorBody, ErrorCode, IdempotencyKey, MerchantId, Problem};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::client::Preflight;
use crate::error::{Circumstances, Error, Outcome};
use crate::pacing::{Class, Limited as Over, Pacer, Pacers, Pacing};
use crate::response::Meta;
use crate::retry::{Conflict, Decision, Failure, Progress, Repeat, RetryPolicy};
use crate::transport::{BoxError, ResponseBody, Transport, is_connect};

const IDEMPOTENCY_KEY: &str = "klarna-idempotency-key";
const JSON: &str = "application/json";

/// What all clients of one pool share, whosever credentials they carry.
pub(crate) struct Core {
    pub(crate) transport: Transport,
    pub(crate) user_agent: HeaderValue,
    pub(crate) policy: RetryPolicy,
    pub(crate) read_deadline: Duration,
    pub(crate) write_deadline: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) preflight: Preflight,
    pub(crate) pacing: Pacing,
    pub(crate) pacers: Pacers,
}

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) core: Arc<Core>,
    /// Without a slash at its end.
    pub(crate) base: String,
    pub(crate) authorization: HeaderValue,
    pub(crate) merchant_id: Option<MerchantId>,
    /// None if calls are not paced.
    pub(crate) pacer: Option<Arc<Pacer>>,
}

/// What a 404 means for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// What was asked for does not exist.
    Refused,
    /// After a try that may have been executed: it was executed, what was to go is gone.
    DoneAfterRetry,
}

/// Says what is wrong with a body.
pub(crate) type Explain = fn(&[u8]) -> Vec<Problem>;

/// A call, ready to be sent.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// Route template, for logs and errors.
    pub(crate) route: Cow<'static, str>,
    /// With its query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: Cow<'static, str>,
    pub(crate) accept: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) repeat: Repeat,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) not_found: NotFound,
    /// Says what is wrong with the body.
    pub(crate) explain: Option<Explain>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) policy: Option<RetryPolicy>,
}

impl Operation {
    pub(crate) fn new(method: Method, route: impl Into<Cow<'static, str>>, path: String) -> Self {
        let repeat = if method == Method::GET { Repeat::Safe } else { Repeat::Unsafe };
        Self {
            method,
            route: route.into(),
            path,
            body: None,
            content_type: JSON.into(),
            accept: JSON,
            headers: Vec::new(),
            repeat,
            key: None,
            not_found: NotFound::Refused,
            explain: None,
            deadline: None,
            policy: None,
        }
    }

    /// Method and route, as errors and logs name the call.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }

    fn is_write(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    fn class(&self) -> Class {
        Class::of(&self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) meta: Meta,
}

/// How much of a successful answer is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Whole,
    /// The body is left to the caller.
    Head,
}

/// An answer, with the rest of its body if that was left to the caller.
type Taken = (Answer, Option<ResponseBody>);

/// How a try failed without an answer.
enum Broken {
    Connect(BoxError),
    Interrupted(BoxError),
    TooLarge(Meta),
    TimedOut,
}

impl Shared {
    /// What a merchant's clients share, over a pool.
    pub(crate) fn new(
        core: Arc<Core>,
        base: String,
        authorization: HeaderValue,
        merchant_id: Option<MerchantId>,
    ) -> Self {
        let pacer = match core.pacing {
            Pacing::FollowHeaders => {
                Some(core.pacers.of(&base, merchant_id.as_ref(), &authorization))
            }
            Pacing::Off => None,
        };
        Self { core, base, authorization, merchant_id, pacer }
    }

    /// Makes a call: success statuses give the answer, all others an error.
    pub(crate) async fn call(&self, operation: &Operation) -> Result<Answer, Error> {
        self.make(operation, Take::Whole).await.map(|(answer, _)| answer)
    }

    /// Makes a call whose answer is read by the caller as it arrives. The answer's own body is empty.
    pub(crate) async fn open(
        &self,
        operation: &Operation,
    ) -> Result<(Answer, ResponseBody), Error> {
        let (answer, body) = self.make(operation, Take::Head).await?;
        Ok((answer, body.unwrap_or_else(ResponseBody::empty)))
    }

    async fn make(&self, operation: &Operation, take: Take) -> Result<Taken, Error> {
        let span = tracing::debug_span!(
            "klarna.call",
            http.request.method = %operation.method,
            http.route = %operation.route,
            http.response.status_code = tracing::field::Empty,
            klarna.correlation_id = tracing::field::Empty,
            klarna.error_code = tracing::field::Empty,
            klarna.tries = tracing::field::Empty,
        );
        self.check(operation)?;
        let result = self.tries(operation, take).instrument(span.clone()).await;
        match &result {
            Ok((answer, _)) => record(&span, Some(&answer.meta), answer.meta.tries, None),
            Err(error) => {
                record(&span, error.meta(), error.tries(), error.code());
            }
        }
        result
    }

    fn check(&self, operation: &Operation) -> Result<(), Error> {
        if self.core.preflight == Preflight::Off {
            return Ok(());
        }
        if let (Some(explain), Some(body)) = (operation.explain, &operation.body) {
            let problems = explain(body);
            if !problems.is_empty() {
                return Err(Error::invalid_fields(operation.name(), problems));
            }
        }
        Ok(())
    }

    async fn tries(&self, operation: &Operation, take: Take) -> Result<Taken, Error> {
        let policy = operation.policy.unwrap_or(self.core.policy);
        let usual =
            if operation.is_write() { self.core.write_deadline } else { self.core.read_deadline };
        let class = operation.class();
        let begin = Instant::now();
        let deadline = begin + operation.deadline.unwrap_or(usual);
        let mut tries = 0;
        let mut conflicts = 0;
        // Whether an earlier try may have been executed.
        let mut in_doubt = false;
        loop {
            let request = self.request(operation)?;
            if let Some(pacer) = &self.pacer {
                let Some(turn) = pacer.turn(class, deadline) else {
                    return Err(Error::throttled(Circumstances {
                        call: operation.name(),
                        idempotency_key: operation.key.clone(),
                        tries,
                        repeat: operation.repeat,
                        outcome: if operation.is_write() && in_doubt {
                            Outcome::Unknown
                        } else {
                            Outcome::Known
                        },
                    }));
                };
                if turn > Instant::now() {
                    tracing::debug!("waiting for a place under the rate limit");
                    sleep_until(turn).await;
                }
            }
            tries += 1;
            let one = self.try_once(request, tries, operation, take);
            let tried = match timeout_at(deadline, one).await {
                Ok(tried) => tried,
                Err(_) => Err(Broken::TimedOut),
            };
            if let (Some(pacer), Ok((answer, _))) = (&self.pacer, &tried) {
                let over = match answer.meta.status {
                    StatusCode::TOO_MANY_REQUESTS => Over::Yes,
                    _ => Over::No,
                };
                pacer.learn(class, over, &answer.meta.rate_limit);
            }
            let circumstances = |outcome| Circumstances {
                call: operation.name(),
                idempotency_key: operation.key.clone(),
                tries,
                repeat: operation.repeat,
                outcome,
            };
            let doubt = |this_try: bool| {
                if operation.is_write() && (in_doubt || this_try) {
                    Outcome::Unknown
                } else {
                    Outcome::Known
                }
            };
            let (failure, error) = match tried {
                Ok(taken) if taken.0.meta.status.is_success() => return Ok(taken),
                Ok((answer, rest)) => {
                    let status = answer.meta.status;
                    if in_doubt
                        && status == StatusCode::NOT_FOUND
                        && operation.not_found == NotFound::DoneAfterRetry
                    {
                        return Ok((answer, rest));
                    }
                    let code = ErrorBody::read(&answer.body).error_code;
                    let conflict =
                        if status == StatusCode::CONFLICT && code == Some(ErrorCode::Conflict) {
                            conflicts += 1;
                            Conflict::Yes
                        } else {
                            Conflict::No
                        };
                    let failure =
                        Failure::Status { status, conflict, rate_limit: answer.meta.rate_limit };
                    let outcome = doubt_after(operation, status, conflict, in_doubt);
                    let problems = explanations(operation, status, &answer.body);
                    (
                        failure,
                        Error::refused(circumstances(outcome), answer.meta, &answer.body, problems),
                    )
                }
                Err(Broken::Connect(source)) => {
                    (Failure::Connect, Error::connect(circumstances(doubt(false)), source))
                }
                Err(Broken::Interrupted(source)) => {
                    (Failure::Interrupted, Error::interrupted(circumstances(doubt(true)), source))
                }
                Err(Broken::TooLarge(meta)) => {
                    let detail =
                        format!("the answer is larger than {} bytes", self.core.max_response_bytes);
                    return Err(Error::decode(
                        circumstances(doubt(true)),
                        Some(meta),
                        detail,
                        None,
                    ));
                }
                // The deadline is for the whole call, so there is no time for another try.
                Err(Broken::TimedOut) => return Err(Error::timed_out(circumstances(doubt(true)))),
            };
            in_doubt = error.outcome_unknown();
            let progress = Progress { tries, conflicts, elapsed: begin.elapsed() };
            let delay = match policy.decide(progress, operation.repeat, failure, rand::random()) {
                Decision::After(delay) => delay,
                Decision::Stop => return Err(error),
            };
            let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(
                klarna.tries = tries,
                retry.delay_ms = delay_ms,
                "a try failed, trying again: {error}"
            );
            if begin.elapsed().saturating_add(delay) >= deadline.saturating_duration_since(begin) {
                return Err(error);
            }
            sleep(delay).await;
        }
    }

    fn request(&self, operation: &Operation) -> Result<Request<Full<Bytes>>, Error> {
        let mut builder = Request::builder()
            .method(&operation.method)
            .uri(format!("{}{}", self.base, operation.path))
            .header(AUTHORIZATION, &self.authorization)
            .header(USER_AGENT, &self.core.user_agent)
            .header(ACCEPT, operation.accept);
        if operation.body.is_some() {
            builder = builder.header(CONTENT_TYPE, operation.content_type.as_ref());
        }
        if let Some(key) = &operation.key {
            builder = builder.header(IDEMPOTENCY_KEY, key.as_str());
        }
        for (name, value) in &operation.headers {
            builder = builder.header(name, value);
        }
        builder
            .body(Full::new(operation.body.clone().unwrap_or_default()))
            .map_err(|error| Error::invalid(operation.name(), error.to_string()))
    }

    async fn try_once(
        &self,
        request: Request<Full<Bytes>>,
        tries: u32,
        operation: &Operation,
        take: Take,
    ) -> Result<Taken, Broken> {
        let response = self.core.transport.clone().oneshot(request).await.map_err(|error| {
            if is_connect(error.as_ref()) {
                Broken::Connect(error)
            } else {
                Broken::Interrupted(error)
            }
        })?;
        let (parts, body) = response.into_parts();
        let meta = Meta::new(parts.status, &parts.headers, tries, operation.key.clone());
        if take == Take::Head && parts.status.is_success() {
            let answer = Answer { headers: parts.headers, body: Bytes::new(), meta };
            return Ok((answer, Some(body)));
        }
        let body = match Limited::new(body, self.core.max_response_bytes).collect().await {
            Ok(body) => body.to_bytes(),
            // An error status says enough without its body.
            Err(_) if !parts.status.is_success() => Bytes::new(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Broken::TooLarge(meta)),
            Err(error) => return Err(Broken::Interrupted(error)),
        };
        Ok((Answer { headers: parts.headers, body, meta }, None))
    }

    /// One try of a request as it is: nothing is added but credentials and user agent, nothing is judged.
    pub(crate) async fn execute(
        &self,
        request: Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        let (mut parts, body) = request.into_parts();
        let call = format!("{} (bare request)", parts.method);
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        parts.uri = format!("{}{path}", self.base)
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::invalid(&*call, error.to_string()))?;
        parts.headers.entry(AUTHORIZATION).or_insert_with(|| self.authorization.clone());
        parts.headers.entry(USER_AGENT).or_insert_with(|| self.core.user_agent.clone());
        let is_write = parts.method != Method::GET && parts.method != Method::HEAD;
        let deadline = Instant::now()
            + if is_write { self.core.write_deadline } else { self.core.read_deadline };
        let repeat = if is_write { Repeat::Unsafe } else { Repeat::Safe };
        let circumstances = |sent: bool| Circumstances {
            call: call.clone(),
            idempotency_key: None,
            tries: 1,
            repeat,
            outcome: if is_write && sent { Outcome::Unknown } else { Outcome::Known },
        };
        let exchange = async {
            let request = Request::from_parts(parts, Full::new(body));
            let response = self.core.transport.clone().oneshot(request).await.map_err(|error| {
                if is_connect(error.as_ref()) {
                    Error::connect(circumstances(false), error)
                } else {
                    Error::interrupted(circumstances(true), error)
                }
            })?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, self.core.max_response_bytes)
                .collect()
                .await
                .map_err(|error| Error::interrupted(circumstances(true), error))?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        };
        match timeout_at(deadline, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Error::timed_out(circumstances(true))),
        }
    }
}

/// Whether a write that ended with an error status may have been executed all the same.
fn doubt_after(
    operation: &Operation,
    status: StatusCode,
    conflict: Conflict,
    in_doubt: bool,
) -> Outcome {
    if !operation.is_write() {
        return Outcome::Known;
    }
    // A server that failed may have failed after the effect; a conflict says that an earlier call still runs.
    if status.is_server_error() || conflict == Conflict::Yes {
        return Outcome::Unknown;
    }
    if !in_doubt {
        return Outcome::Known;
    }
    // Under a key, a final refusal is the answer to the earlier tries, too. These are not: they are not kept with the key.
    let is_final = !matches!(status.as_u16(), 401 | 408 | 409 | 429);
    if operation.repeat == Repeat::Keyed && is_final { Outcome::Known } else { Outcome::Unknown }
}

/// What is wrong with the request, if the answer says that something is.
fn explanations(operation: &Operation, status: StatusCode, answer: &[u8]) -> Vec<Problem> {
    let about_fields = match status.as_u16() {
        400 => ErrorBody::read(answer).error_code == Some(ErrorCode::BadValue),
        422 => true,
        _ => false,
    };
    match (operation.explain, &operation.body) {
        (Some(explain), Some(body)) if about_fields => explain(body),
        _ => Vec::new(),
    }
}

fn record(span: &tracing::Span, meta: Option<&Meta>, tries: u32, code: Option<&ErrorCode>) {
    span.record("klarna.tries", tries);
    if let Some(meta) = meta {
        span.record("http.response.status_code", meta.status.as_u16());
        if let Some(correlation_id) = &meta.correlation_id {
            span.record("klarna.correlation_id", correlation_id.as_str());
        }
    }
    if let Some(code) = code {
        span.record("klarna.error_code", code.as_str());
    }
}
