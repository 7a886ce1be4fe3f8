//! The one sender of callbacks, whoever wants them sent: the documented time-outs of each kind, the faults
//! that somebody asked for, every attempt recorded.
//!
//! When an attempt is due is the worker's business, what its answer means that of
//! [`CallbackKind`](crate::domain::callback::CallbackKind).

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use futures_util::future::join_all;
use service::Clock as _;
use service::http::{HttpClient, Limits};
use service::reach::Reach;
use storage::queue::Item;
use tokio::time::Instant;

use crate::api::error::Chain;
use crate::app::App;
use crate::domain::callback::{Callback, CallbackKind, TimeOuts};
use crate::domain::fault::{CallbackDamage, Injected, Retries};
use crate::requests::Entry;
use crate::store::StoreError;
use crate::store::callbacks::{self, Attempt, Cause, Delivery, End, Progress};

/// How much of an answer is read.
const ANSWER_BYTES: usize = 64 * 1024;

/// The HTTP clients of all kinds.
pub(crate) struct Sender {
    clients: Vec<(TimeOuts, HttpClient)>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// What one call of a merchant's server came to.
#[derive(Debug)]
struct Outcome {
    at_ms: i64,
    status: Option<u16>,
    failure: Option<String>,
    elapsed: Duration,
    body: Bytes,
}

impl Sender {
    /// One that reaches so far.
    pub(crate) fn new(reach: Reach) -> Self {
        let mut clients: Vec<(TimeOuts, HttpClient)> = Vec::new();
        for time_outs in CallbackKind::ALL.map(CallbackKind::time_outs) {
            if clients.iter().all(|(known, _)| *known != time_outs) {
                let limits = Limits {
                    connect: Duration::from_millis(time_outs.connect_ms),
                    answer: Duration::from_millis(time_outs.answer_ms),
                    body_bytes: ANSWER_BYTES,
                };
                clients.push((time_outs, HttpClient::reaching(limits, reach)));
            }
        }
        Self { clients }
    }

    /// Makes the attempt at a delivery that is due, as far as no fault keeps it from that, and records
    /// what follows from it.
    pub(crate) async fn deliver(&self, app: &App, item: Item, delivery: Delivery) {
        let progress = Progress::of(&item);
        let kind = delivery.callback.kind;
        // One that was kept back has had its fault.
        let fault = match progress.fault {
            Some(_) => None,
            None => app.faults().plan_callback(kind, delivery.callback.merchant_id.as_str()),
        };
        let outcome = match fault {
            None => self.attempt(app, item, delivery, progress, 0).await,
            Some((damage, injected)) => {
                let progress = Progress { fault: Some(injected), ..progress };
                match damage {
                    CallbackDamage::Duplicate(copies) => {
                        self.attempt(app, item, delivery, progress, copies).await
                    }
                    CallbackDamage::Lose(retries) => {
                        lose(app, &item, delivery, progress, retries).await
                    }
                    CallbackDamage::Delay(ms) => {
                        let due_at_ms = later(app.clock().now_ms(), ms);
                        app.db()
                            .write(move |tx| {
                                callbacks::postpone(tx, &item, due_at_ms, &progress)?;
                                Ok(())
                            })
                            .await
                    }
                    CallbackDamage::Reorder(within_ms) => {
                        self.reorder(app, item, delivery, progress, within_ms).await
                    }
                }
            }
        };
        if let Err(error) = outcome {
            // The lease runs out and the attempt is made again: best effort, as documented.
            tracing::error!(error = %Chain(&error), "an attempt at a callback could not be recorded");
        }
    }

    /// Keeps it back until the merchant's next one is through. If one is kept back already, this is the
    /// next one.
    async fn reorder(
        &self,
        app: &App,
        item: Item,
        delivery: Delivery,
        progress: Progress,
        within_ms: u64,
    ) -> Result<(), StoreError> {
        let due_at_ms = later(app.clock().now_ms(), within_ms);
        let merchant_id = delivery.callback.merchant_id.clone();
        let kept = {
            let (item, progress) = (item.clone(), progress.clone());
            app.db()
                .write(move |tx| callbacks::hold(tx, &item, &merchant_id, due_at_ms, &progress))
                .await?
        };
        if kept {
            return Ok(());
        }
        self.attempt(app, item, delivery, progress, 0).await
    }

    /// Calls the merchant, `copies` times more often than it should, and records it.
    async fn attempt(
        &self,
        app: &App,
        item: Item,
        delivery: Delivery,
        progress: Progress,
        copies: u32,
    ) -> Result<(), StoreError> {
        let calls = (0..=copies).map(|_| self.call(app, &delivery.callback));
        let mut outcomes = join_all(calls).await.into_iter();
        let Some(first) = outcomes.next() else { return Ok(()) };
        let satisfied =
            first.status.is_some_and(|status| delivery.callback.kind.is_satisfied_by(status));
        let next = if satisfied { Err(End::Delivered) } else { after(&delivery, &item, &progress) };
        let fault = progress.fault.clone();
        let mut attempts = vec![first.attempt(Cause::Schedule, fault.clone())];
        let mut bodies = vec![first.body];
        for copy in outcomes {
            attempts.push(copy.attempt(Cause::Duplicate, fault.clone()));
            bodies.push(copy.body);
        }
        record(app, item, delivery.callback, attempts, bodies, next, progress).await
    }

    /// A new attempt at a delivery, now, because somebody wants it. `None` when there is no such delivery.
    pub(crate) async fn redeliver(
        &self,
        app: &App,
        delivery_id: String,
    ) -> Result<Option<Attempt>, StoreError> {
        let id = delivery_id.clone();
        let found = app.db().read(move |tx| Ok::<_, StoreError>(callbacks::find(tx, &id)?)).await?;
        let Some(delivery) = found else { return Ok(None) };
        let callback = delivery.callback;
        let outcome = self.call(app, &callback).await;
        let satisfied = outcome.status.is_some_and(|status| callback.kind.is_satisfied_by(status));
        let attempt = outcome.attempt(Cause::Redelivery, None);
        let kept = attempt.clone();
        let recorded = app
            .db()
            .write(move |tx| {
                Ok::<_, StoreError>(callbacks::record_redelivery(
                    tx,
                    &delivery_id,
                    &kept,
                    satisfied,
                )?)
            })
            .await?;
        if let Some(attempt) = &recorded {
            app.requests().push(Entry {
                response_body: outcome.body,
                ..Entry::of_attempt(callback, attempt.clone())
            });
        }
        Ok(recorded)
    }

    /// One call of a merchant's server.
    async fn call(&self, app: &App, callback: &Callback) -> Outcome {
        let at_ms = app.clock().now_ms();
        let started = Instant::now();
        let time_outs = callback.kind.time_outs();
        let client = self.clients.iter().find(|(known, _)| *known == time_outs);
        let Some((_, client)) = client else {
            let failure = Some("there is no client for this kind of callback".to_owned());
            let elapsed = started.elapsed();
            return Outcome { at_ms, status: None, failure, elapsed, body: Bytes::new() };
        };
        let body = Bytes::from(callback.body.clone());
        let answer = client.send(Method::POST, &callback.url, headers(callback), body).await;
        let elapsed = started.elapsed();
        match answer {
            Ok(answer) => Outcome {
                at_ms,
                status: Some(answer.status.as_u16()),
                failure: None,
                elapsed,
                body: answer.body,
            },
            Err(error) => {
                let failure = Some(Chain(&error).to_string());
                Outcome { at_ms, status: None, failure, elapsed, body: Bytes::new() }
            }
        }
    }
}

impl Outcome {
    /// It as an attempt, whose number is given when it is recorded.
    fn attempt(&self, cause: Cause, fault: Option<Injected>) -> Attempt {
        Attempt {
            number: 0,
            at_ms: self.at_ms,
            status: self.status,
            failure: self.failure.clone(),
            duration_ms: i64::try_from(self.elapsed.as_millis()).unwrap_or(i64::MAX),
            cause,
            fault,
        }
    }
}

fn headers(callback: &Callback) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !callback.body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &callback.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// When a failed attempt is made again, or how the delivery ends.
fn after(delivery: &Delivery, item: &Item, progress: &Progress) -> Result<i64, End> {
    let tries = progress.tries.saturating_add(1);
    delivery
        .callback
        .kind
        .next_due_ms(tries, delivery.first_due_at_ms, item.due_at_ms)
        .ok_or(End::GivenUp)
}

/// An attempt that never arrives: nobody is called.
async fn lose(
    app: &App,
    item: &Item,
    delivery: Delivery,
    progress: Progress,
    retries: Retries,
) -> Result<(), StoreError> {
    let next = match retries {
        Retries::Kept => after(&delivery, item, &progress),
        Retries::Lost => Err(End::GivenUp),
    };
    let attempt = Attempt {
        number: 0,
        at_ms: app.clock().now_ms(),
        status: None,
        failure: Some("lost on purpose: nothing was sent".to_owned()),
        duration_ms: 0,
        cause: Cause::Schedule,
        fault: progress.fault.clone(),
    };
    let (attempts, bodies) = (vec![attempt], vec![Bytes::new()]);
    record(app, item.clone(), delivery.callback, attempts, bodies, next, progress).await
}

/// Records attempts and what follows from them, in the database and in the request log.
async fn record(
    app: &App,
    item: Item,
    callback: Callback,
    attempts: Vec<Attempt>,
    bodies: Vec<Bytes>,
    next: Result<i64, End>,
    progress: Progress,
) -> Result<(), StoreError> {
    let merchant_id = callback.merchant_id.clone();
    let now_ms = app.clock().now_ms();
    let recorded = app
        .db()
        .write(move |tx| {
            let recorded = callbacks::record(tx, &item, &attempts, next, &progress)?;
            callbacks::release(tx, &merchant_id, &item.id, now_ms)?;
            Ok::<_, StoreError>(recorded)
        })
        .await?;
    for (attempt, response_body) in recorded.into_iter().zip(bodies) {
        app.requests()
            .push(Entry { response_body, ..Entry::of_attempt(callback.clone(), attempt) });
    }
    Ok(())
}

fn later(now_ms: i64, ms: u64) -> i64 {
    now_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
}
