//! The log of API calls and callbacks that the control API shows: a bounded ring in memory. Callbacks
//! are in the database besides, and outlive it there.
//!
//! A writer takes the next slot with one atomic addition and locks that slot alone, so calls do not
//! wait for each other. What a merchant sends to its test account is kept here with its bodies,
//! without the `Authorization` header; nothing of it goes to this program's own log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use klarna_types::MerchantId;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::callback::Callback;
use crate::domain::fault::Injected;
use crate::store::callbacks::Attempt;

/// How many entries are kept.
const CAPACITY: usize = 2_048;

/// How often a writer that is about to write is given way to.
const PATIENCE: u32 = 100;

/// How long the name of a log is.
const LOG_DIGITS: usize = 8;

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
    /// For a callback: the session, order or dispute it is about.
    pub(crate) subject_id: Option<String>,
    /// The faults that hit it.
    pub(crate) faults: Vec<Injected>,
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
    /// Of this merchant.
    pub(crate) merchant_id: Option<String>,
    /// With this id.
    pub(crate) correlation_id: Option<Uuid>,
    /// Hit by this fault, or by any when it is `any`.
    pub(crate) fault: Option<String>,
    /// About this order: in the path, in what was sent, or in what was answered.
    pub(crate) order_id: Option<String>,
}

/// A place in the log between two entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which log: one begins with each start of the playground.
    log: String,
    /// The number of the entry after it.
    next: u64,
}

impl Cursor {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (log, next) = text.split_once('-')?;
        let is_log = log.len() == LOG_DIGITS && log.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_log.then_some(())?;
        Some(Self { log: log.to_owned(), next: next.parse().ok()? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.log, self.next)
    }
}

/// Entries in their order, from one place to another.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// Oldest first, with their numbers.
    pub(crate) entries: Vec<(u64, Entry)>,
    /// Where it ends: ask again from here.
    pub(crate) end: Cursor,
    /// How many entries it should have had that have made room for newer ones.
    pub(crate) missed: u64,
    /// Whether there was more than was asked for.
    pub(crate) more: bool,
}

impl Entry {
    /// Whether this id stands in it anywhere.
    fn is_about(&self, id: &str) -> bool {
        let contains =
            |body: &Bytes| body.windows(id.len().max(1)).any(|part| part == id.as_bytes());
        self.subject_id.as_deref() == Some(id)
            || self.path.contains(id)
            || contains(&self.request_body)
            || contains(&self.response_body)
    }

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
            subject_id: Some(callback.subject_id),
            faults: attempt.fault.into_iter().collect(),
        }
    }
}

/// What stands where an entry belongs.
enum Place {
    /// Nothing yet.
    Unwritten,
    /// A newer one.
    Replaced,
    /// The entry.
    Holds(Box<Entry>),
}

type Slot = Mutex<Option<(u64, Entry)>>;

/// The ring.
#[derive(Debug)]
pub(crate) struct RequestLog {
    id: String,
    next: AtomicU64,
    /// What is below this number was forgotten on purpose.
    cleared: AtomicU64,
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
            id: format!("{:0width$x}", rand::random::<u32>(), width = LOG_DIGITS),
            next: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
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

    /// The entries before `end` that pass, newest first, with their running numbers.
    pub(crate) fn list(&self, filter: &Filter, end: &Cursor) -> Vec<(u64, Entry)> {
        let mut found: Vec<(u64, Entry)> = self
            .slots
            .iter()
            .filter_map(|slot| {
                let wanted =
                    |(number, entry): &&(u64, Entry)| *number < end.next && filter.passes(entry);
                slot.lock().as_ref().filter(wanted).cloned()
            })
            .collect();
        found.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        found.truncate(filter.limit);
        found
    }

    /// The end of the log, as far as it is written: a place to go on from.
    pub(crate) fn end(&self) -> Cursor {
        let end = self.next.load(Ordering::Acquire);
        let mut next = self.oldest(end);
        let mut patience = PATIENCE;
        while next < end {
            if self.is_written(next) {
                next += 1;
            } else if patience > 0 {
                // Its writer has the number and is about to write.
                patience -= 1;
                std::thread::yield_now();
            } else {
                break;
            }
        }
        Cursor { log: self.id.clone(), next }
    }

    /// Whether an entry of this number was written.
    fn is_written(&self, number: u64) -> bool {
        let index = usize::try_from(number).unwrap_or(0) % self.slots.len();
        self.slots
            .get(index)
            .is_some_and(|slot| slot.lock().as_ref().is_some_and(|(found, _)| *found >= number))
    }

    /// What was written since `from` and passes, oldest first, nothing left out and nothing twice. A
    /// place in an earlier log is the beginning of this one.
    pub(crate) fn since(&self, from: &Cursor, filter: &Filter) -> Stretch {
        let end = self.next.load(Ordering::Acquire);
        let from = if from.log == self.id { from.next.min(end) } else { 0 };
        let from = from.max(self.cleared.load(Ordering::Acquire));
        let mut number = self.oldest(end).max(from);
        let mut missed = number.saturating_sub(from);
        let mut entries = Vec::new();
        let mut more = false;
        while number < end {
            match self.written(number) {
                Place::Unwritten => break,
                Place::Replaced => missed += 1,
                Place::Holds(entry) if filter.passes(&entry) => {
                    if entries.len() == filter.limit {
                        more = true;
                        break;
                    }
                    entries.push((number, *entry));
                }
                Place::Holds(_) => {}
            }
            number += 1;
        }
        Stretch { entries, end: Cursor { log: self.id.clone(), next: number }, missed, more }
    }

    /// The oldest number that the ring can still hold.
    fn oldest(&self, end: u64) -> u64 {
        let capacity = u64::try_from(self.slots.len()).unwrap_or(u64::MAX);
        end.saturating_sub(capacity).max(self.cleared.load(Ordering::Acquire))
    }

    /// What stands where the entry of this number belongs.
    fn written(&self, number: u64) -> Place {
        let index = usize::try_from(number).unwrap_or(0) % self.slots.len();
        let Some(slot) = self.slots.get(index) else { return Place::Unwritten };
        match slot.lock().as_ref() {
            Some((found, entry)) if *found == number => Place::Holds(Box::new(entry.clone())),
            Some((found, _)) if *found > number => Place::Replaced,
            _ => Place::Unwritten,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.cleared.store(self.next.load(Ordering::Acquire), Ordering::Release);
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
            && self.merchant_id.as_ref().is_none_or(|wanted| {
                entry.merchant_id.as_ref().is_some_and(|id| id.as_str() == wanted)
            })
            && self.correlation_id.is_none_or(|wanted| entry.correlation_id == wanted)
            && self.fault.as_ref().is_none_or(|wanted| {
                entry.faults.iter().any(|hit| wanted == "any" || hit.fault_id == *wanted)
            })
            && self.order_id.as_ref().is_none_or(|order_id| entry.is_about(order_id))
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
            subject_id: None,
            faults: Vec::new(),
        }
    }

    #[test]
    fn the_newest_entries_are_kept_and_filtered() {
        let log = RequestLog::with_capacity(3);
        for (path, status) in [("/a", 200), ("/b", 404), ("/c", 200), ("/bb", 404)] {
            log.push(entry(path, status));
        }
        let paths = |filter: &Filter| -> Vec<String> {
            log.list(filter, &log.end()).into_iter().map(|(_, entry)| entry.path).collect()
        };
        let all = Filter { limit: 10, ..Filter::default() };
        assert_eq!(paths(&all), ["/bb", "/c", "/b"]);
        assert_eq!(paths(&Filter { limit: 1, ..all.clone() }), ["/bb"]);
        assert_eq!(paths(&Filter { path: Some("b".into()), ..all.clone() }), ["/bb", "/b"]);
        assert_eq!(paths(&Filter { status: Some(200), ..all.clone() }), ["/c"]);
        assert_eq!(log.list(&all, &log.end())[0].1.request_body.len(), KEPT_BODY_BYTES);
        log.clear();
        assert!(paths(&all).is_empty());
    }

    #[test]
    fn a_follower_gets_each_entry_once() {
        let log = RequestLog::with_capacity(4);
        let all = Filter { limit: 10, ..Filter::default() };
        let start = log.end();
        for path in ["/a", "/b", "/c"] {
            log.push(entry(path, 200));
        }
        let paths = |stretch: &Stretch| -> Vec<String> {
            stretch.entries.iter().map(|(_, entry)| entry.path.clone()).collect()
        };
        let two = log.since(&start, &Filter { limit: 2, ..all.clone() });
        assert_eq!((paths(&two), two.more, two.missed), (vec!["/a".into(), "/b".into()], true, 0));
        let rest = log.since(&two.end, &all);
        assert_eq!((paths(&rest), rest.more), (vec!["/c".into()], false));
        assert_eq!(rest.end, log.end());
        // What a filter leaves out is behind the follower too.
        log.push(entry("/d", 404));
        let none = log.since(&rest.end, &Filter { status: Some(200), ..all.clone() });
        assert!(none.entries.is_empty());
        assert!(log.since(&none.end, &all).entries.is_empty());
        // Whoever is too slow is told so.
        for path in ["/e", "/f", "/g", "/h", "/i"] {
            log.push(entry(path, 200));
        }
        let late = log.since(&none.end, &all);
        assert_eq!((late.missed, paths(&late).len()), (1, 4));
        // A reset is not a loss.
        log.clear();
        let empty = log.since(&start, &all);
        assert_eq!((empty.missed, empty.entries.len()), (0, 0));
        log.push(entry("/j", 200));
        assert_eq!(paths(&log.since(&empty.end, &all)), ["/j"]);
        // Another log's place is the beginning.
        let other = Cursor { log: "00000000".into(), next: 99 };
        assert_eq!(paths(&log.since(&other, &all)), ["/j"]);
    }

    #[test]
    fn an_entry_that_is_being_written_is_waited_for() {
        let log = RequestLog::with_capacity(4);
        let all = Filter { limit: 10, ..Filter::default() };
        let start = log.end();
        log.push(entry("/a", 200));
        // A writer that has its number only.
        log.next.fetch_add(1, Ordering::Relaxed);
        log.push(entry("/c", 200));
        let stretch = log.since(&start, &all);
        assert_eq!(stretch.entries.len(), 1);
        assert_eq!(stretch.end, log.end());
        *log.slots[1].lock() = Some((1, entry("/b", 200)));
        let stretch = log.since(&stretch.end, &all);
        let numbers: Vec<u64> = stretch.entries.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor = RequestLog::default().end();
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "-", "1", "abc-1", "0123456g-1", "01234567-", "01234567--1"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn entries_are_found_by_what_they_are_about() {
        let log = RequestLog::default();
        let hit = Injected { fault_id: "f-1".into(), effect: "lost".into() };
        let sent = Bytes::from_static(b"{\"order_id\":\"o-7\"}");
        log.push(Entry { request_body: sent, ..entry("/fraud", 200) });
        log.push(Entry { merchant_id: Some("K1".into()), ..entry("/orders/o-7", 200) });
        log.push(Entry { faults: vec![hit], ..entry("/c", 200) });
        log.push(Entry { subject_id: Some("o-7".into()), ..entry("/push", 200) });
        let all = Filter { limit: 10, ..Filter::default() };
        let found = |filter: Filter| log.list(&filter, &log.end()).len();
        assert_eq!(found(Filter { order_id: Some("o-7".into()), ..all.clone() }), 3);
        assert_eq!(found(Filter { merchant_id: Some("K1".into()), ..all.clone() }), 1);
        assert_eq!(found(Filter { fault: Some("any".into()), ..all.clone() }), 1);
        assert_eq!(found(Filter { fault: Some("f-1".into()), ..all.clone() }), 1);
        assert_eq!(found(Filter { fault: Some("f-2".into()), ..all.clone() }), 0);
        assert_eq!(found(Filter { correlation_id: Some(Uuid::nil()), ..all.clone() }), 4);
        assert_eq!(found(Filter { correlation_id: Some(Uuid::max()), ..all }), 0);
    }
}
