//! What one merchant may send: sizes, and calls per second.
//!
//! Windows are fixed seconds of the real clock, counted per merchant id and category, as the
//! platform's rules say. The counters are atomics: a call never waits for another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue, Method};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::RateLimits;

/// The largest body of most operations: 1 MiB.
pub(crate) const MAX_BODY_BYTES: usize = 1_048_576;

/// The largest body that brings evidence to a dispute: a file of 7 MB with its form around it.
pub(crate) const MAX_ATTACHMENT_BODY_BYTES: usize = 8 * 1_048_576;

/// The largest header, name and value together.
const MAX_HEADER_BYTES: usize = 6 * 1024;

/// All headers together.
const MAX_HEADERS_BYTES: usize = 20 * 1024;

/// The largest body of a call.
pub(crate) fn max_body_bytes(path: &str) -> usize {
    if is_upload(path) { MAX_ATTACHMENT_BODY_BYTES } else { MAX_BODY_BYTES }
}

/// Whether a path takes files.
pub(crate) fn is_upload(path: &str) -> bool {
    let is_dispute = path.starts_with("/v4/payment/disputes/") || path.starts_with("/disputes/");
    is_dispute && path.ends_with("/attachments")
}

/// How many uploads of one merchant are taken in at once, so that what they hold in memory is bounded.
const UPLOADS_AT_ONCE: usize = 4;

/// The uploads of one merchant that are under way. Others wait, unread, until one of them is over.
#[derive(Debug, Clone)]
pub(crate) struct Uploads(Arc<Semaphore>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UPLOADS_AT_ONCE)))
    }
}

impl Uploads {
    /// Waits for a place among them, which is given back when the answer is dropped.
    pub(crate) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// The kinds of calls that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// `POST /payments/v1/sessions`.
    CreateSession,
    /// Creating a customer token.
    CreateToken,
    /// Creating a hosted payment page session.
    CreateHosted,
    /// Everything else.
    Other,
}

impl Category {
    /// The category of a call.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        if method != Method::POST {
            return Self::Other;
        }
        match path {
            "/payments/v1/sessions" => Self::CreateSession,
            "/hpp/v1/sessions" => Self::CreateHosted,
            _ if path.starts_with("/payments/v1/authorizations/")
                && path.ends_with("/customer-token") =>
            {
                Self::CreateToken
            }
            _ => Self::Other,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::CreateSession => 0,
            Self::CreateToken => 1,
            Self::CreateHosted => 2,
            Self::Other => 3,
        }
    }

    /// Calls per second, and the text of the `X-Ratelimit-Limit` header.
    fn limit(self, limits: RateLimits) -> (u64, &'static str) {
        let creates = matches!(self, Self::CreateSession | Self::CreateToken | Self::CreateHosted);
        match (limits, creates) {
            (RateLimits::Live, true) => (40, "40, 40;w=1"),
            (RateLimits::Live, false) => (200, "200, 200;w=1"),
            (RateLimits::Off | RateLimits::Playground, true) => (5, "5, 5;w=1"),
            (RateLimits::Off | RateLimits::Playground, false) => (50, "50, 50;w=1"),
        }
    }
}

/// One merchant's counters. A counter holds the second it counts in (upper 40 bits) and the calls
/// of that second (lower 24 bits).
#[derive(Debug, Default)]
pub(crate) struct Counters([AtomicU64; 4]);

const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// What the limiter says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Whether this call is within the limit.
    pub(crate) granted: bool,
    limit: &'static str,
    remaining: u64,
}

impl Counters {
    /// Counts a call.
    pub(crate) fn take(&self, category: Category, limits: RateLimits, real_ms: i64) -> Quota {
        let (per_second, limit) = category.limit(limits);
        if limits == RateLimits::Off {
            return Quota { granted: true, limit, remaining: per_second };
        }
        let second = u64::try_from(real_ms / 1000).unwrap_or(0);
        let Some(counter) = self.0.get(category.index()) else {
            return Quota { granted: true, limit, remaining: per_second };
        };
        let mut seen = counter.load(Ordering::Relaxed);
        loop {
            // A call that read the clock a moment earlier counts in the window that is open.
            let window = (seen >> COUNT_BITS).max(second);
            let count = if seen >> COUNT_BITS == window { seen & COUNT_MASK } else { 0 };
            if count >= per_second {
                return Quota { granted: false, limit, remaining: 0 };
            }
            let next = (window << COUNT_BITS) | (count + 1);
            match counter.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let remaining = per_second - count - 1;
                    return Quota { granted: true, limit, remaining };
                }
                Err(now) => seen = now,
            }
        }
    }
}

impl Quota {
    /// The headers of a call that no merchant can be named for: nothing was counted.
    pub(crate) fn untouched(method: &Method, path: &str, limits: RateLimits) -> Self {
        let path = path.split('?').next().unwrap_or(path);
        let (per_second, limit) = Category::of(method, path).limit(limits);
        Self { granted: true, limit, remaining: per_second }
    }

    /// The three headers that every answer carries.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", HeaderValue::from_static(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("1"));
    }
}

/// Whether the headers are within Klarna's limits; if not, why.
pub(crate) fn check_headers(headers: &HeaderMap) -> Result<(), String> {
    let mut total = 0;
    for (name, value) in headers {
        let bytes = name.as_str().len() + value.len();
        if bytes > MAX_HEADER_BYTES {
            return Err(format!(
                "the header {name} has {bytes} bytes, and {MAX_HEADER_BYTES} are allowed"
            ));
        }
        total += bytes;
    }
    if total > MAX_HEADERS_BYTES {
        return Err(format!(
            "the headers have {total} bytes together, and {MAX_HEADERS_BYTES} are allowed"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_window_lasts_one_second_and_counts_one_category() {
        let counters = Counters::default();
        let limits = RateLimits::Playground;
        for expected in (0..5).rev() {
            let quota = counters.take(Category::CreateSession, limits, 10_400);
            assert_eq!((quota.granted, quota.remaining), (true, expected));
        }
        assert!(!counters.take(Category::CreateSession, limits, 10_999).granted);
        assert!(counters.take(Category::Other, limits, 10_999).granted);
        assert!(counters.take(Category::CreateSession, limits, 11_000).granted);
    }

    #[test]
    fn categories_are_told_by_method_and_path() {
        let post = Method::POST;
        assert_eq!(Category::of(&post, "/payments/v1/sessions"), Category::CreateSession);
        assert_eq!(Category::of(&post, "/payments/v1/sessions/1"), Category::Other);
        assert_eq!(Category::of(&Method::GET, "/payments/v1/sessions"), Category::Other);
        assert_eq!(
            Category::of(&post, "/payments/v1/authorizations/a/customer-token"),
            Category::CreateToken
        );
        assert_eq!(Category::of(&post, "/hpp/v1/sessions"), Category::CreateHosted);
        assert_eq!(Category::of(&post, "/hpp/v1/sessions/1/distribution"), Category::Other);
    }

    #[test]
    fn evidence_may_be_larger_than_anything_else() {
        for path in ["/v4/payment/disputes/1/attachments", "/disputes/v2/disputes/1/attachments"] {
            assert_eq!(max_body_bytes(path), MAX_ATTACHMENT_BODY_BYTES, "{path}");
        }
        for path in ["/v4/payment/disputes/1", "/payments/v1/sessions", "/x/attachments"] {
            assert_eq!(max_body_bytes(path), MAX_BODY_BYTES, "{path}");
        }
    }

    #[tokio::test]
    async fn so_many_uploads_at_once_and_the_next_waits() {
        let uploads = Uploads::default();
        let mut places = Vec::new();
        for _ in 0..UPLOADS_AT_ONCE {
            places.push(uploads.enter().await.unwrap());
        }
        assert!(uploads.enter().now_or_never().is_none());
        places.pop();
        assert!(uploads.enter().now_or_never().is_some());
    }
}
