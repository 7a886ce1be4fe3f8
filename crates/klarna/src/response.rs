//! What comes with every answer: correlation id, rate-limit state, how many tries it took.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use klarna_types::{CorrelationId, IdempotencyKey};

/// An answer of Klarna: the value, to be used as if it were one, and what came with it.
///
/// ```
/// # async fn example(client: klarna::Client, id: klarna::OrderId) -> Result<(), klarna::Error> {
/// let order = client.orders().get(&id).await?;
/// let remaining = order.remaining_authorized_amount;
/// let quota = order.meta().rate_limit.remaining;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Response<T> {
    value: T,
    meta: Meta,
}

impl<T> Response<T> {
    pub(crate) fn new(value: T, meta: Meta) -> Self {
        Self { value, meta }
    }

    /// What came with the value.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The value and what came with it.
    pub fn into_parts(self) -> (T, Meta) {
        (self.value, self.meta)
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// What comes with every answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Meta {
    /// HTTP status.
    pub status: StatusCode,
    /// Names the request in Klarna's logs.
    pub correlation_id: Option<CorrelationId>,
    /// How much of the quota is left.
    pub rate_limit: RateLimit,
    /// How many times the request was sent.
    pub tries: u32,
    /// The key under which the write was sent.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Meta {
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        tries: u32,
        idempotency_key: Option<IdempotencyKey>,
    ) -> Self {
        Self {
            status,
            correlation_id: text(headers, "klarna-correlation-id").map(CorrelationId::from),
            rate_limit: RateLimit::read(headers),
            tries,
            idempotency_key,
        }
    }
}

/// The state of Klarna's rate limit, as far as an answer tells. Values are Klarna's best effort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Calls allowed in a window.
    pub limit: Option<u32>,
    /// How long a window is.
    pub window: Option<Duration>,
    /// Calls left in this window.
    pub remaining: Option<u32>,
    /// When the window ends.
    pub reset: Option<Duration>,
    /// How long to wait, if the answer said so in `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let seconds = |name| text(headers, name)?.parse().ok().map(Duration::from_secs);
        // `40, 40;w=1`: the limit, then the policy with its window.
        let policy = text(headers, "x-ratelimit-limit").unwrap_or_default();
        Self {
            limit: policy.split([',', ';']).next().and_then(|limit| limit.trim().parse().ok()),
            window: policy
                .split(';')
                .find_map(|part| part.trim().strip_prefix("w="))
                .and_then(|window| window.split(',').next()?.trim().parse().ok())
                .map(Duration::from_secs),
            remaining: text(headers, "x-ratelimit-remaining").and_then(|value| value.parse().ok()),
            reset: seconds("x-ratelimit-reset"),
            retry_after: seconds("retry-after"),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

impl<T: fmt::Display> fmt::Display for Response<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limit_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(RateLimit::read(&headers), RateLimit::default());
        headers.insert("x-ratelimit-limit", "40, 40;w=1".parse().unwrap());
        headers.insert("x-ratelimit-remaining", "15".parse().unwrap());
        headers.insert("x-ratelimit-reset", "1".parse().unwrap());
        let limit = RateLimit::read(&headers);
        assert_eq!((limit.limit, limit.remaining), (Some(40), Some(15)));
        assert_eq!(
            (limit.window, limit.reset),
            (Some(Duration::from_secs(1)), Some(Duration::from_secs(1)))
        );
        headers.insert("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(RateLimit::read(&headers).retry_after, None);
    }
}
