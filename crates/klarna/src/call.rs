//! A call that is ready to be made: await it, or give it options first.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use klarna_types::IdempotencyKey;
use serde::de::DeserializeOwned;

use crate::engine::{Answer, Operation, Shared};
use crate::error::{Circumstances, Error, Outcome};
use crate::response::Response;
use crate::retry::{Repeat, RetryPolicy};
use crate::transport::BoxError;

/// Marks calls that take no idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Marks calls that carry an idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Keyed;

/// Why an answer cannot be read.
pub(crate) struct Unreadable {
    pub(crate) detail: String,
    pub(crate) source: Option<BoxError>,
}

/// A call that is ready to be made.
///
/// ```
/// # async fn example(client: klarna::Client, id: klarna::OrderId) -> Result<(), Box<dyn std::error::Error>> {
/// use klarna::IdempotencyKey;
/// use std::time::Duration;
/// // As it is:
/// let order = client.orders().get(&id).await?;
/// // With options:
/// client.orders().cancel(&id)
///     .idempotency_key(IdempotencyKey::parse("cancel-1001")?)
///     .deadline(Duration::from_secs(5))
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is made when it is awaited"]
pub struct Call<T, K = Plain> {
    shared: Arc<Shared>,
    operation: Result<Operation, Error>,
    read: fn(&Answer) -> Result<T, Unreadable>,
    marker: PhantomData<fn() -> K>,
}

impl<T, K> Call<T, K> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        operation: Result<Operation, Error>,
        read: fn(&Answer) -> Result<T, Unreadable>,
    ) -> Self {
        Self { shared, operation, read, marker: PhantomData }
    }

    /// How long the whole call may take, all its tries included.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.deadline = Some(deadline);
        }
        self
    }

    /// How often this call is tried, instead of what the client was built with.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.policy = Some(policy);
        }
        self
    }

    /// Makes the call.
    pub async fn send(self) -> Result<Response<T>, Error> {
        let operation = self.operation?;
        let answer = self.shared.call(&operation).await?;
        match (self.read)(&answer) {
            Ok(value) => Ok(Response::new(value, answer.meta)),
            Err(Unreadable { detail, source }) => {
                let is_read = operation.method == http::Method::GET;
                let circumstances = Circumstances {
                    call: operation.name(),
                    idempotency_key: operation.key,
                    tries: answer.meta.tries,
                    repeat: operation.repeat,
                    // It was executed, but what came of it cannot be read.
                    outcome: if is_read { Outcome::Known } else { Outcome::Unknown },
                };
                Err(Error::decode(circumstances, Some(answer.meta), detail, source))
            }
        }
    }
}

impl<T> Call<T, Keyed> {
    /// The key under which the write is sent, instead of one that is made up for this call. Store it before you call, and
    /// the call can be repeated even after your program was restarted. Klarna keeps keys for 24 hours.
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.key = Some(key);
            operation.repeat = Repeat::Keyed;
        }
        self
    }
}

impl<T: Send + 'static, K: 'static> IntoFuture for Call<T, K> {
    type Output = Result<Response<T>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Reads a JSON answer; what cannot be read is named by its path.
pub(crate) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Unreadable> {
    let error = match serde_json::from_slice(&answer.body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // Read again, slower, only to learn where it went wrong.
    let mut deserializer = serde_json::Deserializer::from_slice(&answer.body);
    let detail = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) if error.path().iter().next().is_some() => {
            format!("the answer cannot be read at `{}`: {}", error.path(), error.inner())
        }
        Ok(_) | Err(_) => format!("the answer cannot be read: {error}"),
    };
    Err(Unreadable { detail, source: Some(error.into()) })
}

/// An answer of which only the success counts.
#[allow(clippy::unnecessary_wraps, reason = "one of several readers of answers")]
pub(crate) fn nothing(_answer: &Answer) -> Result<(), Unreadable> {
    Ok(())
}
