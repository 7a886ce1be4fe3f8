//! Carries events to the shop's webhook endpoints.
//!
//! A lane (one subject, one endpoint) is claimed under a lease by any node, its first pending delivery
//! is posted once, and what came of it is committed while the lease is still held. A crash in between
//! leaves the delivery pending: it is sent again under the same `webhook-id`. The rules are in
//! [`crate::domain::webhook`].
//!
//! Strangers choose the URLs, so the client reaches only as far as it was told, follows no redirect,
//! waits a bounded time and reads a bounded answer.

pub mod command;
mod secrets;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use parking_lot::Mutex;
use serde_json::json;
use service::Shutdown;
use service::http::{Answer, Error, ErrorKind, HttpClient, Limits};
use service::reach::Reach;
use storage::queue::Item;
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span};

use super::Engine;
use crate::domain::webhook::{
    self, Delivery, Endpoint, Heard, Message, Stage, Standing, Transport, Verdict, Why,
};
use crate::fault::Fault;
use crate::observe::trace;
use crate::store::events::{self, Event};
use crate::store::streams;
use crate::store::webhooks::{self as rows, Arrived, Attempt, LANES};

/// How long a lane is held: longer than the longest attempt.
const LEASE_MS: i64 = 60 * 1000;
/// So many attempts of one process are under way at once.
const IN_FLIGHT: usize = 32;
/// And so many of them at one endpoint, so that a slow one leaves room for the others.
const PER_ENDPOINT: usize = 8;
/// When a lane is looked at again whose endpoint had no room.
const NO_ROOM_MS: i64 = 1000;
/// How often the lanes are looked at although nothing woke this process: other nodes write to them.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So much of an answer is kept.
const ANSWER_BYTES: usize = 512;
/// How long a delivery that is no longer on its way stays in the log.
const LOG_LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How often what is older is thrown away, and how much at a time.
const TIDY_EVERY_MS: i64 = 10 * 60 * 1000;
const TIDY_BATCH: i64 = 500;

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(15),
    body_bytes: 1024 * 1024,
};

/// Where webhooks may lead. The address that is called is judged, not its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Targets {
    /// To the internet alone, with TLS: not to this machine, private networks, link-local addresses or
    /// a cloud's metadata.
    #[default]
    Internet,
    /// To this machine and private networks as well, with or without TLS.
    Networks,
}

impl Targets {
    /// How far that is.
    pub fn reach(self) -> Reach {
        match self {
            Self::Internet => Reach::Internet,
            Self::Networks => Reach::Networks,
        }
    }

    /// Whether TLS may be left out.
    pub fn transport(self) -> Transport {
        match self {
            Self::Internet => Transport::TlsOnly,
            Self::Networks => Transport::Any,
        }
    }
}

/// Carries what is on its way. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Courier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    http: HttpClient,
    targets: Targets,
    owner: String,
    busy: Mutex<HashMap<String, usize>>,
    tidied_at_ms: Mutex<i64>,
}

/// A lane that is held, and what it is to send.
struct Load {
    item: Item,
    endpoint: Endpoint,
    delivery: Delivery,
    event: Event,
    /// The call that the event follows from.
    trace_parent: Option<String>,
}

impl Courier {
    /// A courier that does nothing yet.
    pub fn new(engine: Engine, targets: Targets) -> Self {
        let owner = engine.fresh_secret();
        Self(Arc::new(Inner {
            engine,
            http: HttpClient::reaching(LIMITS, targets.reach()),
            targets,
            owner,
            busy: Mutex::default(),
            tidied_at_ms: Mutex::new(i64::MIN),
        }))
    }

    /// Where webhooks may lead.
    pub fn targets(&self) -> Targets {
        self.0.targets
    }

    /// Carries what is due until `shutdown`, then finishes what was begun.
    pub async fn run(self, shutdown: Shutdown) {
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "webhooks that were interrupted could not be taken up");
        }
        let mut tasks = JoinSet::new();
        let stop = shutdown.requested();
        tokio::pin!(stop);
        loop {
            let woken = self.0.engine.news().notified();
            tokio::pin!(woken);
            // Taken before the lanes are looked at, so that no wake is missed in between.
            woken.as_mut().enable();
            let free = IN_FLIGHT.saturating_sub(tasks.len());
            let mut claimed = 0;
            match self.look(free).await {
                Ok(loads) => {
                    claimed = loads.len();
                    for load in loads {
                        let courier = self.clone();
                        tasks.spawn(async move { courier.carry(load).await });
                    }
                }
                Err(error) => tracing::error!(%error, "webhooks could not be looked at"),
            }
            if claimed == free && free > 0 {
                continue;
            }
            tokio::select! {
                () = woken => {}
                Some(_) = tasks.join_next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut stop => break,
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Makes every attempt that is due now, one after the other, and returns how many there were.
    pub async fn step(&self) -> Result<usize, Fault> {
        let loads = self.look(1).await?;
        let count = loads.len();
        for load in loads {
            self.carry(load).await;
        }
        Ok(count)
    }

    /// An SQLite database has one process: leases that were held before it started are held by nobody.
    async fn recover(&self) -> Result<(), Fault> {
        let database = self.0.engine.database();
        if database.engine() == storage::Engine::Sqlite {
            database.write(|tx| Ok::<_, Fault>(LANES.end_leases(tx)?)).await?;
        }
        Ok(())
    }

    /// Gives back the lanes that this node holds: see [`Engine::hand_back`].
    pub(crate) async fn hand_back(&self) -> Result<u64, Fault> {
        let owner = self.0.owner.clone();
        let database = self.0.engine.database();
        database.write_row_locked(move |tx| Ok::<_, Fault>(LANES.end_leases_of(tx, &owner)?)).await
    }

    async fn look(&self, free: usize) -> Result<Vec<Load>, Fault> {
        if free == 0 {
            return Ok(Vec::new());
        }
        self.tidy().await?;
        let engine = &self.0.engine;
        let now_ms = engine.now_ms();
        if !engine.database().read(move |tx| Ok::<_, Fault>(LANES.is_due(tx, now_ms)?)).await? {
            return Ok(Vec::new());
        }
        let owner = self.0.owner.clone();
        let limit = i64::try_from(free).unwrap_or(1);
        let busy = self.0.busy.lock().clone();
        let loads = engine
            .database()
            .write_row_locked(move |tx| {
                let mut busy = busy.clone();
                let mut loads = Vec::new();
                for item in LANES.claim(tx, now_ms, &owner, LEASE_MS, limit)? {
                    loads.extend(load(tx, item, &mut busy, now_ms)?);
                }
                Ok::<_, Fault>(loads)
            })
            .await?;
        let mut busy = self.0.busy.lock();
        for load in &loads {
            *busy.entry(load.endpoint.id.clone()).or_default() += 1;
        }
        Ok(loads)
    }

    /// Makes one attempt. A failure of our own is logged, and the lease runs out: the same message is
    /// sent again.
    async fn carry(&self, load: Load) {
        let (endpoint_id, delivery_id) = (load.endpoint.id.clone(), load.delivery.id.clone());
        let span = attempt_span(&load);
        match Box::pin(self.attempt(load).instrument(span)).await {
            Ok(()) => {}
            Err(Fault::LeaseLost) => {
                tracing::warn!(delivery.id = %delivery_id, "another node took this webhook over");
            }
            Err(error) => {
                tracing::error!(delivery.id = %delivery_id, %error, "an attempt could not be recorded");
            }
        }
        let mut busy = self.0.busy.lock();
        if let Some(count) = busy.get_mut(&endpoint_id) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&endpoint_id);
            }
        }
    }

    async fn attempt(&self, load: Load) -> Result<(), Fault> {
        let engine = &self.0.engine;
        let began_at_ms = engine.now_ms();
        let keys = secrets::keys(engine, &load.endpoint, began_at_ms)?;
        let body = message(&load.event).body();
        let timestamp_s = began_at_ms.div_euclid(1000);
        let signature = webhook::signature(&keys, &load.event.id, timestamp_s, &body);
        let mut headers = headers(&load.event.id, timestamp_s, &signature)?;
        if let Some(parent) = trace::current() {
            let parent = HeaderValue::from_str(&parent).map_err(Fault::inconsistent)?;
            headers.insert(HeaderName::from_static("traceparent"), parent);
        }
        let began = tokio::time::Instant::now();
        let answer =
            self.0.http.send(Method::POST, &load.endpoint.url, headers, Bytes::from(body)).await;
        let took = began.elapsed();
        let duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let now_ms = engine.now_ms();
        let (heard, outcome, shown) = judge(&answer, &signature, now_ms);
        let delivery = &load.delivery;
        let verdict = webhook::decide(&delivery.id, delivery.tries + 1, heard);
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        engine.metrics().webhook(counted(&answer), took);
        let span = Span::current();
        span.record("http.response.status_code", status);
        if verdict != Verdict::Delivered {
            span.record("otel.status_code", "ERROR");
        }
        tracing::info!(
            delivery.id = %delivery.id,
            event.id = %delivery.event_id,
            endpoint.id = %delivery.endpoint_id,
            attempt = delivery.attempts + 1,
            status,
            duration_ms,
            outcome,
            "webhook sent"
        );
        let attempt =
            Attempt { number: 0, at_ms: began_at_ms, duration_ms, status, outcome, answer: shown };
        self.record(load.item, delivery.id.clone(), attempt, verdict, now_ms).await?;
        if matches!(verdict, Verdict::GiveUp | Verdict::Gone) {
            engine.metrics().dead_letter();
        }
        Ok(())
    }

    /// Commits what came of an attempt.
    async fn record(
        &self,
        item: Item,
        delivery_id: String,
        attempt: Attempt,
        verdict: Verdict,
        now_ms: i64,
    ) -> Result<(), Fault> {
        self.0
            .engine
            .database()
            .write(move |tx| {
                // Touched before it is looked at what comes next: see `Queue::ensure`.
                if !LANES.renew(tx, &item, now_ms + LEASE_MS)? {
                    return Err(Fault::LeaseLost);
                }
                if let Some(mut delivery) = rows::delivery(tx, &delivery_id)? {
                    take(tx, &mut delivery, attempt.clone(), verdict, now_ms)?;
                }
                go_on(tx, &item)
            })
            .await
    }

    /// Throws old rows away, now and then.
    async fn tidy(&self) -> Result<(), Fault> {
        let now_ms = self.0.engine.now_ms();
        {
            let mut tidied_at_ms = self.0.tidied_at_ms.lock();
            if now_ms < tidied_at_ms.saturating_add(TIDY_EVERY_MS) {
                return Ok(());
            }
            *tidied_at_ms = now_ms;
        }
        self.0
            .engine
            .database()
            .write(move |tx| {
                streams::forget(tx, now_ms)?;
                for store_id in rows::stores(tx)? {
                    rows::forget(tx, &store_id, now_ms - LOG_LIFE_MS, TIDY_BATCH)?;
                }
                Ok::<_, Fault>(())
            })
            .await
    }
}

/// What a claimed lane is to send; `None` when there is nothing to do now, and the lane was given back.
fn load(
    tx: &mut storage::Tx<'_>,
    item: Item,
    busy: &mut HashMap<String, usize>,
    now_ms: i64,
) -> Result<Option<Load>, Fault> {
    let Some((endpoint_id, subject_id)) = rows::of_lane(&item.id) else {
        LANES.complete(tx, &item)?;
        return Ok(None);
    };
    let endpoint =
        rows::endpoint(tx, endpoint_id)?.filter(|found| found.standing == Standing::Enabled);
    let Some(endpoint) = endpoint else {
        rows::bury_lane(tx, endpoint_id, subject_id, now_ms)?;
        LANES.complete(tx, &item)?;
        return Ok(None);
    };
    let Some(mut delivery) = rows::first_pending(tx, endpoint_id, subject_id)? else {
        LANES.complete(tx, &item)?;
        return Ok(None);
    };
    if delivery.next_at_ms > now_ms {
        LANES.reschedule(tx, &item, delivery.next_at_ms, "")?;
        return Ok(None);
    }
    let Some(event) = events::get_in(tx, &delivery.store_id, &delivery.event_id)? else {
        // Erased: there is nothing to tell any more.
        delivery.stage = Stage::Dead;
        "the event was erased".clone_into(&mut delivery.outcome);
        delivery.updated_at_ms = now_ms;
        rows::update_delivery(tx, &delivery)?;
        LANES.reschedule(tx, &item, now_ms, "")?;
        return Ok(None);
    };
    let count = busy.entry(endpoint.id.clone()).or_default();
    if *count >= PER_ENDPOINT {
        LANES.reschedule(tx, &item, now_ms + NO_ROOM_MS, "")?;
        return Ok(None);
    }
    *count += 1;
    let trace_parent = events::trace_parent(tx, &event.id)?;
    Ok(Some(Load { item, endpoint, delivery, event, trace_parent }))
}

/// One attempt, in the trace of the call that its event follows from.
fn attempt_span(load: &Load) -> Span {
    let span = tracing::error_span!(
        "webhook",
        delivery.id = %load.delivery.id,
        event.id = %load.event.id,
        event.kind = %load.event.kind,
        endpoint.id = %load.endpoint.id,
        trace.id = tracing::field::Empty,
        otel.name = %format_args!("webhook {}", load.event.kind),
        otel.kind = "producer",
        otel.status_code = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
    );
    trace::follow(&span, load.trace_parent.as_deref());
    span
}

/// What came of an attempt, as it is counted.
fn counted(answer: &Result<Answer, Error>) -> &'static str {
    match answer {
        Ok(answer) if answer.status.is_success() => "delivered",
        Ok(answer) if answer.status.is_server_error() => "failed",
        Ok(_) => "refused",
        Err(error) => match error.kind() {
            ErrorKind::Request | ErrorKind::Refused | ErrorKind::Connect => "unreachable",
            ErrorKind::TimedOut => "timed_out",
            ErrorKind::Interrupted | ErrorKind::BodyTooLarge | ErrorKind::Decode => "interrupted",
        },
    }
}

/// Takes over what an attempt led to.
fn take(
    tx: &mut storage::Tx<'_>,
    delivery: &mut Delivery,
    mut attempt: Attempt,
    verdict: Verdict,
    now_ms: i64,
) -> Result<(), Fault> {
    delivery.status = attempt.status.map(i64::from);
    delivery.outcome.clone_from(&attempt.outcome);
    let was_pending = delivery.stage == Stage::Pending;
    delivery.take(verdict, attempt.at_ms, now_ms);
    // Ended meanwhile, because its endpoint was disabled: it stays ended unless it arrived.
    if !was_pending && delivery.stage == Stage::Pending {
        delivery.stage = Stage::Dead;
    }
    attempt.number = delivery.attempts;
    rows::update_delivery(tx, delivery)?;
    rows::add_attempt(tx, &delivery.id, &attempt)?;
    let arrived = if verdict == Verdict::Delivered { Arrived::Yes } else { Arrived::No };
    let before = rows::health(tx, &delivery.endpoint_id)?;
    rows::record_health(tx, &delivery.endpoint_id, arrived, &attempt.outcome, now_ms)?;
    let why = match verdict {
        Verdict::Gone => Some(Why::Gone),
        Verdict::GiveUp => {
            let first_at_ms = delivery.first_attempt_at_ms.unwrap_or(attempt.at_ms);
            webhook::is_dead_end(first_at_ms, before.last_success_at_ms).then_some(Why::Failing)
        }
        Verdict::Delivered | Verdict::Again { .. } => None,
    };
    match why {
        Some(why) => disable(tx, &delivery.store_id, &delivery.endpoint_id, why, now_ms),
        None => Ok(()),
    }
}

/// Switches an endpoint off and says so.
fn disable(
    tx: &mut storage::Tx<'_>,
    store_id: &str,
    endpoint_id: &str,
    why: Why,
    now_ms: i64,
) -> Result<(), Fault> {
    let Some(mut endpoint) = rows::lock_endpoint(tx, store_id, endpoint_id)? else {
        return Ok(());
    };
    if endpoint.standing == Standing::Disabled {
        return Ok(());
    }
    endpoint.disable(why);
    rows::update_endpoint(tx, &mut endpoint, now_ms)?;
    tracing::error!(endpoint.id = %endpoint.id, why = why.name(), "a webhook endpoint was disabled");
    let subject = (endpoint.id.as_str(), endpoint.version);
    let data = json!({ "reason": why.name() });
    events::append(tx, store_id, subject, "webhook_endpoint.disabled", &data, now_ms)
}

/// Has the lane go on with what comes next, or rest.
fn go_on(tx: &mut storage::Tx<'_>, item: &Item) -> Result<(), Fault> {
    let next = match rows::of_lane(&item.id) {
        Some((endpoint_id, subject_id)) => rows::first_pending(tx, endpoint_id, subject_id)?,
        None => None,
    };
    let held = match next {
        Some(next) => LANES.reschedule(tx, item, next.next_at_ms, "")?,
        None => LANES.complete(tx, item)?,
    };
    if held { Ok(()) } else { Err(Fault::LeaseLost) }
}

/// An event as it is told.
pub fn message(event: &Event) -> Message<'_> {
    Message {
        id: &event.id,
        kind: &event.kind,
        subject_id: &event.subject_id,
        version: event.version,
        data: &event.data,
        created_at_ms: event.created_at_ms,
    }
}

fn headers(id: &str, timestamp_s: i64, signature: &str) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    let timestamp = timestamp_s.to_string();
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", signature)]
    {
        let value = HeaderValue::from_str(value).map_err(Fault::inconsistent)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let agent = concat!("Kassa-Webhooks/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    Ok(headers)
}

/// What was heard, in a few words, and the beginning of the answer.
fn judge(answer: &Result<Answer, Error>, signature: &str, now_ms: i64) -> (Heard, String, String) {
    match answer {
        Ok(answer) => {
            let status = answer.status.as_u16();
            let retry_after_ms =
                answer.header("retry-after").and_then(|value| asked_ms(value, now_ms));
            let outcome = match status {
                200..=299 => "delivered".to_owned(),
                300..=399 => format!("answered {status}: redirects are not followed"),
                410 => "answered 410: nobody lives there any more".to_owned(),
                _ => format!("answered {status}"),
            };
            (Heard::Answer { status, retry_after_ms }, outcome, beginning(&answer.body, signature))
        }
        Err(error) => {
            let outcome = match error.kind() {
                ErrorKind::Refused => "the address may not be called from here",
                ErrorKind::Connect => "no connection could be made",
                ErrorKind::TimedOut => "no answer came in time",
                ErrorKind::BodyTooLarge => "the answer is larger than the limit",
                ErrorKind::Request => "the URL cannot be called",
                ErrorKind::Interrupted | ErrorKind::Decode => {
                    "the connection broke before the answer was complete"
                }
            };
            (Heard::Nothing, outcome.to_owned(), String::new())
        }
    }
}

/// What `Retry-After` asks for: seconds, or a date.
fn asked_ms(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<i64>() {
        return Some(seconds.clamp(0, 86_400) * 1000);
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?;
    Some(at.timestamp().as_millisecond().saturating_sub(now_ms).max(0))
}

/// The first bytes of an answer, as text that can be shown. A receiver that answers with what it was
/// sent does not put the signature into the log.
fn beginning(body: &Bytes, signature: &str) -> String {
    let start = body.get(..ANSWER_BYTES).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let mut text: String = text
        .chars()
        .map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter })
        .collect();
    for part in signature.split([' ', ',']).filter(|part| part.len() > 8) {
        text = text.replace(part, "***");
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked_ms("120", 0), Some(120_000));
        assert_eq!(asked_ms("-5", 0), Some(0));
        assert_eq!(asked_ms("Thu, 01 Jan 1970 00:01:00 GMT", 20_000), Some(40_000));
        assert_eq!(asked_ms("soon", 0), None);
    }

    #[test]
    fn what_is_kept_of_an_answer_is_short_printable_and_without_the_signature() {
        let body = Bytes::from(format!("v1,abcdefghijkl \u{1b}[31m{}", "x".repeat(2000)));
        let kept = beginning(&body, "v1,abcdefghijkl v1,mnopqrstuvwx");
        assert!(kept.starts_with("v1,***  [31mx") && kept.len() <= ANSWER_BYTES, "{kept}");
        assert_eq!(beginning(&Bytes::from_static(&[0xff, 0xfe]), "v1,s"), "\u{fffd}\u{fffd}");
    }
}
