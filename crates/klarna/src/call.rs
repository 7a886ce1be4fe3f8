//! A call that is ready to be made: await it, or give it options first.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use klarna_types::IdempotencyKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::download::DownloadCall;
use crate::engine::{Answer, Operation, Shared};
use crate::error::{Circumstances, Error, Outcome};
use crate::multipart::Upload;
use crate::query;
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
        read_answer(&operation, answer, self.read)
    }
}

/// Reads an answer, or says why it cannot be read.
pub(crate) fn read_answer<T>(
    operation: &Operation,
    answer: Answer,
    read: fn(&Answer) -> Result<T, Unreadable>,
) -> Result<Response<T>, Error> {
    match read(&answer) {
        Ok(value) => Ok(Response::new(value, answer.meta)),
        Err(Unreadable { detail, source }) => {
            let is_read = operation.method == Method::GET;
            let circumstances = Circumstances {
                call: operation.name(),
                idempotency_key: operation.key.clone(),
                tries: answer.meta.tries,
                repeat: operation.repeat,
                // It was executed, but what came of it cannot be read.
                outcome: if is_read { Outcome::Known } else { Outcome::Unknown },
            };
            Err(Error::decode(circumstances, Some(answer.meta), detail, source))
        }
    }
}

impl<T> Call<T, Plain> {
    /// Whether the call may be sent twice, if you know better than this crate: what each call does by itself stands with
    /// it.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.repeat = repeat;
        }
        self
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

/// A call by method and path. See [`Client::raw`](crate::Client::raw).
#[must_use = "a call is made when it is awaited"]
pub struct RawCall {
    shared: Arc<Shared>,
    operation: Result<Operation, Error>,
}

impl RawCall {
    pub(crate) fn new(shared: Arc<Shared>, method: Method, path: String) -> Self {
        // What stands in the path may be a token: it is not part of the name under which the call is logged.
        let operation = if path.starts_with('/') {
            Ok(Operation::new(method, "(raw call)", path))
        } else {
            Err(Error::invalid(format!("{method} (raw call)"), "a path begins with a slash"))
        };
        Self { shared, operation }
    }

    /// A parameter behind the path.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(operation) = &mut self.operation {
            query::append(&mut operation.path, name, value);
        }
        self
    }

    /// A header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.headers.push((name, value));
        }
        self
    }

    /// A file, as a form.
    pub fn upload(mut self, upload: &Upload) -> Self {
        if let Ok(operation) = &mut self.operation {
            let (body, content_type) = upload.form();
            operation.body = Some(body);
            operation.content_type = content_type.into();
        }
        self
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

    /// The body, as JSON.
    pub fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        self.operation = self.operation.and_then(|mut operation| match serde_json::to_vec(body) {
            Ok(body) => {
                operation.body = Some(Bytes::from(body));
                Ok(operation)
            }
            Err(error) => Err(Error::invalid(operation.name(), error.to_string())),
        });
        self
    }

    /// The key under which a write is sent, which makes it repeatable.
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.key = Some(key);
            operation.repeat = Repeat::Keyed;
        }
        self
    }

    /// Whether the call may be sent twice. Reads may, other calls may not unless they have a key.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.repeat = repeat;
        }
        self
    }

    /// How the call is named in logs and errors: a template without ids and tokens in it.
    pub fn route(mut self, route: &'static str) -> Self {
        if let Ok(operation) = &mut self.operation {
            operation.route = route.into();
        }
        self
    }

    /// Makes the call and reads its answer as JSON.
    pub async fn send<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        Call::<T, Keyed>::new(self.shared, self.operation, json).send().await
    }

    /// Makes the call and gives the body as it came.
    pub async fn send_raw(self) -> Result<Response<Bytes>, Error> {
        let answer = self.shared.call(&self.operation?).await?;
        Ok(Response::new(answer.body, answer.meta))
    }

    /// Makes the call and leaves the body to be read as it arrives.
    pub fn download(self) -> DownloadCall {
        DownloadCall::new(self.shared, self.operation, "*/*")
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
