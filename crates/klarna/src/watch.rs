//! Watching something until it is final: a hosted payment page, an in-store purchase. Callbacks tell the same sooner;
//! this is for those who cannot be called, and the safety net for callbacks that got lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::call;
use crate::engine::{Operation, Shared};
use crate::error::{Circumstances, Error, Outcome};
use crate::response::Response;

/// How something is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long to wait between two looks at first, and after each change.
    pub first: Duration,
    /// How long to wait between two looks at most. The wait grows by half while nothing changes.
    pub longest: Duration,
    /// How long to watch in all.
    pub timeout: Duration,
}

impl Default for Patience {
    /// Every 2 seconds at first, every 10 at last, for an hour.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(10),
            timeout: Duration::from_secs(60 * 60),
        }
    }
}

impl Patience {
    /// How long to wait after a wait during which nothing changed.
    fn longer(&self, wait: Duration) -> Duration {
        (wait + wait / 2).clamp(self.first.min(self.longest), self.longest)
    }
}

/// What can be watched.
pub(crate) trait Watched: DeserializeOwned + Send + Unpin + 'static {
    /// What changes.
    type Status: PartialEq + Clone + Send + Unpin + 'static;

    fn status(&self) -> Self::Status;

    /// Whether nothing can follow.
    fn is_final(&self) -> bool;

    /// Whether it is what one waits for, be it final or not.
    fn is_outcome(&self) -> bool;
}

type Looking<T> = Pin<Box<dyn Future<Output = Looked<T>> + Send>>;

struct Looked<T> {
    result: Result<Response<T>, Error>,
    operation: Box<Operation>,
}

/// Something that is being watched: a [`Stream`] of its changes. It gives what is there first, each change, and what is
/// final at last; then it ends.
///
/// Calls that fail in a way that may pass are made again as the retry policy says; when that is not enough, the error is
/// given and the stream ends.
pub struct Watch<T: WatchedValue> {
    shared: Arc<Shared>,
    patience: Patience,
    state: State<T>,
    ends: Option<Instant>,
    wait: Duration,
    seen: Option<T::Status>,
}

enum State<T> {
    Ready(Box<Operation>),
    Looking(Looking<T>),
    Failed(Error),
    Ended,
}

#[doc(hidden)]
#[allow(private_bounds, reason = "what can be watched is this crate's business")]
pub trait WatchedValue: Watched {}
impl<T: Watched> WatchedValue for T {}

impl<T: WatchedValue> Watch<T> {
    pub(crate) fn new(shared: Arc<Shared>, operation: Result<Operation, Error>) -> Self {
        let state = match operation {
            Ok(operation) => State::Ready(Box::new(operation)),
            Err(error) => State::Failed(error),
        };
        let patience = Patience::default();
        Self { shared, patience, state, ends: None, wait: Duration::ZERO, seen: None }
    }

    /// How often to look and for how long.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The next change. The same as what the [`Stream`] gives, for those who do not import a trait for it.
    pub async fn next(&mut self) -> Option<Result<Response<T>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Waits until it is final, or has failed.
    pub async fn outcome(mut self) -> Result<Response<T>, Error> {
        while let Some(change) = self.next().await {
            let change = change?;
            if change.is_outcome() {
                return Ok(change);
            }
        }
        // Nothing follows what is final, and what is final was given.
        Err(Error::invalid("(watching)", "it was watched to its end before"))
    }

    fn look(&self, operation: Box<Operation>, ends: Instant) -> Looking<T> {
        let shared = Arc::clone(&self.shared);
        // No two tills look at the same moment.
        let jitter = self.wait.saturating_mul(u32::from(rand::random::<u8>())) / 2048;
        let wait = self.wait + jitter;
        Box::pin(async move {
            if Instant::now() + wait >= ends {
                tokio::time::sleep_until(ends).await;
                let circumstances = Circumstances {
                    call: operation.name(),
                    idempotency_key: None,
                    tries: 0,
                    repeat: operation.repeat,
                    outcome: Outcome::Known,
                };
                return Looked { result: Err(Error::timed_out(circumstances)), operation };
            }
            sleep(wait).await;
            let result = match shared.call(&operation).await {
                Ok(answer) => call::read_answer(&operation, answer, call::json::<T>),
                Err(error) => Err(error),
            };
            Looked { result, operation }
        })
    }
}

impl<T: WatchedValue> Stream for Watch<T> {
    type Item = Result<Response<T>, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Response<T>, Error>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ready(operation) => {
                    let timeout = self.patience.timeout;
                    let ends = *self.ends.get_or_insert_with(|| Instant::now() + timeout);
                    self.state = State::Looking(self.look(operation, ends));
                }
                State::Looking(mut looking) => {
                    let Poll::Ready(looked) = looking.as_mut().poll(context) else {
                        self.state = State::Looking(looking);
                        return Poll::Pending;
                    };
                    let value = match looked.result {
                        Ok(value) => value,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    let status = value.status();
                    let is_final = value.is_final();
                    if !is_final {
                        self.state = State::Ready(looked.operation);
                    }
                    if self.seen.as_ref() == Some(&status) && !is_final {
                        self.wait = self.patience.longer(self.wait);
                        continue;
                    }
                    self.seen = Some(status);
                    self.wait = self.patience.first;
                    return Poll::Ready(Some(Ok(value)));
                }
                State::Failed(error) => return Poll::Ready(Some(Err(error))),
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}
