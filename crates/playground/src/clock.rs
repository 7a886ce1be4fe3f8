//! The playground's clock: real time plus an offset that only grows.
//!
//! It tells the time and nothing else; making things happen on time is the worker's business, and
//! keeping the offset over a restart is the store's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use service::Clock;

/// Real time plus the playground's offset.
#[derive(Debug)]
pub(crate) struct PlaygroundClock {
    base: Arc<dyn Clock>,
    offset_ms: AtomicI64,
}

impl PlaygroundClock {
    /// A clock that runs `offset_ms` ahead of `base`.
    pub(crate) fn new(base: Arc<dyn Clock>, offset_ms: i64) -> Self {
        Self { base, offset_ms: AtomicI64::new(offset_ms) }
    }

    /// Real time, which the rate limiter counts in.
    pub(crate) fn base_ms(&self) -> i64 {
        self.base.now_ms()
    }

    /// How far it is ahead of real time.
    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Acquire)
    }

    /// Moves it forward to `to_ms` and returns the new offset; does nothing when that is not
    /// later than its present.
    pub(crate) fn move_to(&self, to_ms: i64) -> i64 {
        let offset_ms = to_ms.saturating_sub(self.base_ms());
        let before = self.offset_ms.fetch_max(offset_ms, Ordering::AcqRel);
        before.max(offset_ms)
    }

    /// Runs level with real time again; only for a playground that forgets everything.
    pub(crate) fn reset(&self) {
        self.offset_ms.store(0, Ordering::Release);
    }
}

impl Clock for PlaygroundClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    fn now_ms(&self) -> i64 {
        self.base_ms().saturating_add(self.offset_ms())
    }
}

#[cfg(test)]
mod tests {
    use service::ManualClock;

    use super::*;

    #[test]
    fn it_never_goes_back() {
        let base = ManualClock::starting_at(Timestamp::UNIX_EPOCH);
        let clock = PlaygroundClock::new(base.clone(), 0);
        clock.move_to(5_000);
        assert_eq!(clock.now_ms(), 5_000);
        clock.move_to(4_000);
        assert_eq!(clock.now_ms(), 5_000);
        base.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(clock.now_ms(), 6_000);
    }
}
