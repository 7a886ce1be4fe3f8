//! The log of API calls and callbacks that the control API shows: a bounded ring in memory. Callbacks
//! are in the database besides, and outlive it there.
//!
//! A writer takes the next slot with one atomic addition and locks that slot alone, so calls do not
//! wait for each other. What a merchant sends to its test account is kept here with its bodies,
//! without the `Authorization` header; nothing of it goes to this program's own log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use klarna_types::MerchantId;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::callback::Callback;
use crate::store::callbacks::Attempt;

/// How many entries are kept.
const CAPACITY: usize = 2_048;

/// How much of a body is kept.
const KEPT_BODY_BYTES: usize = 8 * 1024;

/// Who called whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Direction {
    /// A merchant called the playground.
    Api,
    /// The playground called a merchant.
    Callback {
        /// The delivery it belongs to.
        delivery_id: String,
        /// Which attempt, from 1.
        attempt: i64,
    },
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Who called whom.
    pub(crate) direction: Direction,
    /// When, on the playground's clock.
    pub(crate) at_ms: i64,
    /// Whose credentials, or whose server. Unknown when the call was not authenticated.
    pub(crate) merchant_id: Option<MerchantId>,
    /// HTTP method.
    pub(crate) method: Method,
    /// Path with query; for a callback the whole URL.
    pub(crate) path: String,
    /// HTTP status; `None` when no answer came.
    pub(crate) status: Option<u16>,
    /// The id of the call.
    pub(crate) correlation_id: Uuid,
    /// How long it took, in real time.
    pub(crate) duration_us: u64,
    /// What was sent.
    pub(crate) request_body: Bytes,
    /// What was answered.
    pub(crate) response_body: Bytes,
    /// What was wrong and what would have worked.
    pub(crate) explanation: Option<String>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// At most so many.
    pub(crate) limit: usize,
    /// Whose path contains this.
    pub(crate) path: Option<String>,
    /// With this status.
    pub(crate) status: Option<u16>,
}

impl Entry {
    /// One attempt at a callback. The answer's body is not kept with it.
    pub(crate) fn of_attempt(callback: Callback, attempt: Attempt) -> Self {
        let elapsed = Duration::from_millis(u64::try_from(attempt.duration_ms).unwrap_or(0));
        // Derived, so that the call has the same id before and after a restart.
        let name = format!("{}#{}", callback.id, attempt.number);
        Self {
            direction: Direction::Callback { delivery_id: callback.id, attempt: attempt.number },
            at_ms: attempt.at_ms,
            merchant_id: Some(callback.merchant_id),
            method: Method::POST,
            path: callback.url,
            status: attempt.status,
            correlation_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()),
            duration_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            request_body: Bytes::from(callback.body),
            response_body: Bytes::new(),
            explanation: attempt.failure,
        }
    }
}

type Slot = Mutex<Option<(u64, Entry)>>;

/// The ring.
#[derive(Debug)]
pub(crate) struct RequestLog {
    next: AtomicU64,
    slots: Box<[Slot]>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl RequestLog {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            next: AtomicU64::new(0),
            slots: (0..capacity.max(1)).map(|_| Mutex::new(None)).collect(),
        }
    }

    /// Adds an entry; the oldest one makes room.
    pub(crate) fn push(&self, mut entry: Entry) {
        // Copied: a request's body is a slice of its connection's read buffer, which would stay in
        // memory as a whole for as long as the entry does.
        let start = entry.request_body.len().min(KEPT_BODY_BYTES);
        entry.request_body =
            Bytes::copy_from_slice(entry.request_body.get(..start).unwrap_or_default());
        if entry.response_body.len() > KEPT_BODY_BYTES {
            let start = entry.response_body.get(..KEPT_BODY_BYTES).unwrap_or_default();
            entry.response_body = Bytes::copy_from_slice(start);
        }
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let index = usize::try_from(sequence).unwrap_or(0) % self.slots.len();
        let Some(slot) = self.slots.get(index) else { return };
        let replaced = slot.lock().replace((sequence, entry));
        // Freed after the lock is open again.
        drop(replaced);
    }

    /// The entries that pass, newest first, with their running numbers.
    pub(crate) fn list(&self, filter: &Filter) -> Vec<(u64, Entry)> {
        let mut found: Vec<(u64, Entry)> = self
            .slots
            .iter()
            .filter_map(|slot| {
                slot.lock().as_ref().filter(|(_, entry)| filter.passes(entry)).cloned()
            })
            .collect();
        found.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        found.truncate(filter.limit);
        found
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for slot in &self.slots {
            slot.lock().take();
        }
    }
}

impl Filter {
    /// Whether this entry is wanted.
    pub(crate) fn passes(&self, entry: &Entry) -> bool {
        self.path.as_ref().is_none_or(|path| entry.path.contains(path.as_str()))
            && self.status.is_none_or(|status| entry.status == Some(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, status: u16) -> Entry {
        Entry {
            direction: Direction::Api,
            at_ms: 0,
            merchant_id: None,
            method: Method::GET,
            path: path.to_owned(),
            status: Some(status),
            correlation_id: Uuid::nil(),
            duration_us: 1,
            request_body: Bytes::from(vec![b'a'; KEPT_BODY_BYTES + 1]),
            response_body: Bytes::new(),
            explanation: None,
        }
    }

    #[test]
    fn the_newest_entries_are_kept_and_filtered() {
        let log = RequestLog::with_capacity(3);
        for (path, status) in [("/a", 200), ("/b", 404), ("/c", 200), ("/bb", 404)] {
            log.push(entry(path, status));
        }
        let paths = |filter: &Filter| -> Vec<String> {
            log.list(filter).into_iter().map(|(_, entry)| entry.path).collect()
        };
        let all = Filter { limit: 10, ..Filter::default() };
        assert_eq!(paths(&all), ["/bb", "/c", "/b"]);
        assert_eq!(paths(&Filter { limit: 1, ..all.clone() }), ["/bb"]);
        assert_eq!(paths(&Filter { path: Some("b".into()), ..all.clone() }), ["/bb", "/b"]);
        assert_eq!(paths(&Filter { status: Some(200), ..all.clone() }), ["/c"]);
        assert_eq!(log.list(&all)[0].1.request_body.len(), KEPT_BODY_BYTES);
        log.clear();
        assert!(paths(&all).is_empty());
    }
}
