//! Faults on demand, carried out: what [`crate::domain::fault`] decided happens to real calls here.
//!
//! Two layers do it. [`inject`] stands behind the edge, where it is known who calls: it waits, answers
//! errors, and keeps work from being done. [`enact`] stands before everything else, after the call is
//! logged: it ends connections and spoils bodies. Calls that the edge refuses are never hit.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::Value;
use service::cut::Cut;
use tokio::time::{Instant, sleep};

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::callback::CallbackKind;
use crate::domain::fault::{
    self, Armed, Call, CallPlan, CallbackDamage, Counts, Damage, DropHow, GREATEST_LATENCY_MS,
    Injected,
};

/// The header with which a call asks for a fault of its own.
const SWITCH: &str = "x-sim-fault";

/// What the merchant reference begins with that does the same.
const SWITCH_PREFIX: &str = "SIM:";

/// Bodies above this size are not searched for it.
const SEARCHED_BYTES: usize = 64 * 1024;

/// How long a handler waits for its connection to end after it asked for that.
const CUT_GRACE: Duration = Duration::from_secs(5);

/// How long the part of a body that is sent has to get out before the connection breaks.
const FLUSH: Duration = Duration::from_millis(20);

/// How often a slow body goes on.
const TICK_MS: u64 = 100;

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
    /// How many there are, so that a call takes no lock while there are none.
    count: AtomicUsize,
    changed: AtomicBool,
}

impl Faults {
    /// Puts these in the place of what is there.
    pub(crate) fn replace(&self, faults: Vec<Armed>) {
        let mut armed = self.armed.lock();
        self.count.store(faults.len(), Ordering::Release);
        *armed = faults;
        self.changed.store(false, Ordering::Release);
    }

    /// Adds one behind the others.
    pub(crate) fn add(&self, fault: Armed) {
        let mut armed = self.armed.lock();
        armed.push(fault);
        self.count.store(armed.len(), Ordering::Release);
    }

    /// Removes one.
    pub(crate) fn remove(&self, fault_id: &str) {
        let mut armed = self.armed.lock();
        armed.retain(|fault| fault.id != fault_id);
        self.count.store(armed.len(), Ordering::Release);
    }

    /// All of them with their counts.
    pub(crate) fn list(&self) -> Vec<Armed> {
        self.armed.lock().clone()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether counts have changed since they were last taken.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// The counts, to be kept; empty when they have not changed.
    pub(crate) fn take_counts(&self) -> Vec<(String, Counts)> {
        if !self.changed.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        self.armed.lock().iter().map(|fault| (fault.id.clone(), fault.counts)).collect()
    }

    /// What becomes of a call, and whether this is the first change since counts were taken.
    fn plan_call(&self, call: Call<'_>) -> (CallPlan, bool) {
        if self.len() == 0 {
            return (CallPlan::default(), false);
        }
        let mut armed = self.armed.lock();
        let before = counts(&armed);
        let plan = fault::plan_call(&mut armed, call);
        let changed = counts(&armed) != before;
        drop(armed);
        (plan, changed && !self.changed.swap(true, Ordering::AcqRel))
    }

    /// What becomes of an attempt at a callback.
    pub(crate) fn plan_callback(
        &self,
        kind: CallbackKind,
        merchant_id: &str,
    ) -> Option<(CallbackDamage, Injected)> {
        if self.len() == 0 {
            return None;
        }
        let mut armed = self.armed.lock();
        let plan = fault::plan_callback(&mut armed, kind, merchant_id);
        self.changed.store(true, Ordering::Release);
        plan
    }
}

/// The sum of what was counted: enough to see that something was.
fn counts(armed: &[Armed]) -> u64 {
    armed.iter().fold(0, |sum, fault| sum.wrapping_add(fault.counts.matched))
}

/// What hit a call; among the extensions of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Struck {
    /// By whom.
    pub(crate) injected: Vec<Injected>,
    /// What is still to be done to the answer.
    damage: Option<Damage>,
}

impl Struck {
    /// Whether the answer never reaches the caller.
    pub(crate) fn is_dropped(&self) -> bool {
        matches!(self.damage, Some(Damage::Drop { .. }))
    }
}

/// The body of a call as the edge has taken it in; among the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Sent(pub(crate) Bytes);

/// The inner layer.
pub(crate) async fn inject(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(plan) = plan(&app, &request) else { return next.run(request).await };
    let path = request.uri().path().to_owned();
    wait(plan.before_ms).await;
    let mut response = match &plan.damage {
        Some(damage) if damage.comes_before() => Response::new(Body::empty()),
        _ => next.run(request).await,
    };
    if let Some(Damage::Error { status, body, .. }) = &plan.damage {
        let reason = plan.injected.last().map(|hit| format!("{}, by {}", hit.effect, hit.fault_id));
        response = error(*status, body.as_ref(), &path, &reason.unwrap_or_default());
    }
    wait(plan.after_ms).await;
    response.extensions_mut().insert(Struck { injected: plan.injected, damage: plan.damage });
    response
}

/// What becomes of this call; `None` when nothing does.
fn plan(app: &App, request: &Request) -> Option<CallPlan> {
    let caller = request.extensions().get::<Caller>()?;
    if let Some(plan) = switch(request) {
        return Some(plan);
    }
    let call = Call {
        method: request.method().as_str(),
        path: request.uri().path(),
        merchant_id: caller.merchant.merchant_id.as_str(),
    };
    let (plan, news) = app.faults().plan_call(call);
    if news {
        // The worker keeps the counts.
        app.wake();
    }
    (!plan.injected.is_empty()).then_some(plan)
}

/// A fault that the call itself asks for.
fn switch(request: &Request) -> Option<CallPlan> {
    if let Some(words) = request.headers().get(SWITCH).and_then(|words| words.to_str().ok()) {
        return fault::from_words(words);
    }
    let Sent(body) = request.extensions().get::<Sent>()?;
    let needle = SWITCH_PREFIX.as_bytes();
    if body.len() > SEARCHED_BYTES || !body.windows(needle.len()).any(|part| part == needle) {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    fault::from_words(body.get("merchant_reference2")?.as_str()?.strip_prefix(SWITCH_PREFIX)?)
}

async fn wait(ms: u64) {
    if ms > 0 {
        sleep(Duration::from_millis(ms)).await;
    }
}

/// An error as the API at this path answers it, or with the body that was asked for.
fn error(status: u16, body: Option<&Value>, path: &str, reason: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match body {
        Some(body) => {
            Answer::json(status, body).map_or_else(ApiError::into_response, Answer::into_response)
        }
        // The edge writes it in the form of the API, with the call's correlation id.
        None => ApiError::new(status, code(status, path))
            .message("This error was asked for")
            .because(reason)
            .into_response(),
    }
}

/// Klarna's code for a status.
fn code(status: StatusCode, path: &str) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        409 => "CONFLICT",
        413 => "REQUEST_TOO_LARGE",
        415 => "UNSUPPORTED_MEDIA_TYPE",
        429 => "TOO_MANY_REQUESTS",
        502..=504 if path.starts_with("/ordermanagement/") => "TEMPORARILY_UNAVAILABLE",
        502 => "BAD_GATEWAY",
        503 => "SERVICE_UNAVAILABLE",
        504 => "GATEWAY_TIMEOUT",
        500..=599 => "INTERNAL_SERVER_ERROR",
        _ => "BAD_REQUEST",
    }
}

/// The outer layer.
pub(crate) async fn enact(cut: Option<Extension<Cut>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(damage) = response.extensions_mut().remove::<Struck>().and_then(|hit| hit.damage)
    else {
        return response;
    };
    let is_empty = response.body().size_hint().exact() == Some(0);
    match damage {
        Damage::Error { .. } => response,
        Damage::Drop { how, .. } => drop_connection(cut, how).await,
        // There is nothing that could be cut short but the answer itself.
        Damage::Truncate { .. } if is_empty => drop_connection(cut, DropHow::Close).await,
        Damage::Truncate { keep_bytes } => spoil(response, |body, bytes| {
            truncated(body, keep_bytes.unwrap_or(bytes.unwrap_or(2_048) / 2))
        }),
        Damage::SlowBody { bytes_per_second } => {
            spoil(response, |body, _| slow(body, bytes_per_second))
        }
    }
}

/// Ends the connection. The answer is for whoever is not served over one.
async fn drop_connection(cut: Option<Extension<Cut>>, how: DropHow) -> Response {
    if let Some(Extension(cut)) = cut {
        match how {
            DropHow::Close => cut.close(),
            DropHow::Reset => cut.reset(),
        }
        sleep(CUT_GRACE).await;
    }
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Replaces the body; the headers still announce the whole one.
fn spoil(response: Response, with: impl FnOnce(Body, Option<u64>) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = body.size_hint().exact();
    if let Some(bytes) = bytes {
        announce(&mut parts.headers, bytes);
    }
    Response::from_parts(parts, with(body, bytes))
}

fn announce(headers: &mut HeaderMap, bytes: u64) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
}

/// A body that breaks off after so many bytes.
fn truncated(body: Body, keep_bytes: u64) -> Body {
    let left = usize::try_from(keep_bytes).unwrap_or(usize::MAX);
    Body::from_stream(stream::unfold(Some((body, left)), |state| async {
        let (mut body, left) = state?;
        if left > 0
            && let Some(Ok(mut data)) = next_data(&mut body).await
        {
            data.truncate(left);
            let left = left - data.len();
            return Some((Ok(data), Some((body, left))));
        }
        // What was given out so far is written while this waits.
        sleep(FLUSH).await;
        Some((Err(std::io::Error::other("the body was cut short on purpose")), None))
    }))
}

/// A body that trickles.
fn slow(body: Body, bytes_per_second: u64) -> Body {
    // Less than one byte at a time means a longer time.
    let (tick_ms, step) = match bytes_per_second * TICK_MS / 1_000 {
        0 => (1_000 / bytes_per_second.max(1), 1),
        step => (TICK_MS, usize::try_from(step).unwrap_or(usize::MAX)),
    };
    let deadline = Instant::now() + Duration::from_millis(GREATEST_LATENCY_MS);
    Body::from_stream(stream::unfold((body, Bytes::new()), move |(mut body, held)| async move {
        let mut held = held;
        while held.is_empty() {
            match next_data(&mut body).await? {
                Ok(data) => held = data,
                Err(error) => return Some((Err(error), (body, Bytes::new()))),
            }
        }
        if Instant::now() >= deadline {
            return Some((Ok(held), (body, Bytes::new())));
        }
        let rest = held.split_off(step.min(held.len()));
        sleep(Duration::from_millis(tick_ms)).await;
        Some((Ok(held), (body, rest)))
    }))
}

/// The next piece of a body.
async fn next_data(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        match body.frame().await? {
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
