//! When a call is tried again, decided by a pure function: no clock, no randomness, no I/O of its own.
//!
//! | what happened | repeatable call | other write |
//! |---|---|---|
//! | no connection: nothing was sent | again | again |
//! | time-out, connection lost: it may have been executed | again | stop |
//! | 500, 502, 503, 504 | again | stop |
//! | 429: it was not executed | again | again |
//! | 409 `CONFLICT` under an idempotency key | once more, after 1 s | stop |
//! | any other answer | stop | stop |
//!
//! Delays grow exponentially with full jitter. An answer's `Retry-After`, and on 429 its `X-Ratelimit-Reset`, is waited
//! for instead, plus a jitter, so that many callers do not come back at the same moment.

use std::time::Duration;

use http::StatusCode;

use crate::response::RateLimit;

/// How often and for how long a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many times a request is sent at most, the first time included.
    pub max_tries: u32,
    /// No try is started later than this after the first one.
    pub window: Duration,
    /// The first delay is up to this long, the next up to twice as long, and so on.
    pub base_delay: Duration,
    /// How long to wait after `CONFLICT`.
    pub conflict_delay: Duration,
}

impl Default for RetryPolicy {
    /// Four tries within 20 seconds, delays from up to half a second.
    fn default() -> Self {
        Self {
            max_tries: 4,
            window: Duration::from_secs(20),
            base_delay: Duration::from_millis(500),
            conflict_delay: Duration::from_secs(1),
        }
    }
}

impl RetryPolicy {
    /// Never repeats anything.
    pub fn never() -> Self {
        Self { max_tries: 1, ..Self::default() }
    }
}

/// Whether a call may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or Klarna documents that repeating it is harmless.
    Safe,
    /// It is a write under an idempotency key.
    Keyed,
    /// It is a write that would be executed again.
    Unsafe,
}

/// How a try ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection, so nothing was sent.
    Connect,
    /// It may have been sent, and no whole answer came.
    Interrupted,
    /// An answer with this status.
    Status {
        /// The status.
        status: StatusCode,
        /// Whether the error code is `CONFLICT`.
        conflict: Conflict,
        /// What the answer's headers say about waiting.
        rate_limit: RateLimit,
    },
}

/// Whether an answer carries the error code `CONFLICT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// It does: another call under the same key is still running.
    Yes,
    /// It does not.
    No,
}

/// Where a call stands when a try has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many tries there were.
    pub tries: u32,
    /// How many of them ended in `CONFLICT`, this one included.
    pub conflicts: u32,
    /// How long ago the first try began.
    pub elapsed: Duration,
}

/// What to do after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Give the failure to the caller.
    Stop,
    /// Try again after this long.
    After(Duration),
}

impl RetryPolicy {
    /// Decides. `random` is any random number; equal input gives equal output.
    ///
    /// ```
    /// use klarna::retry::{Decision, Failure, Progress, Repeat, RetryPolicy};
    /// use std::time::Duration;
    /// let progress = Progress { tries: 1, conflicts: 0, elapsed: Duration::ZERO };
    /// let decide = |repeat| RetryPolicy::default().decide(progress, repeat, Failure::Interrupted, u64::MAX);
    /// assert_eq!(decide(Repeat::Keyed), Decision::After(Duration::from_millis(500)));
    /// assert_eq!(decide(Repeat::Unsafe), Decision::Stop);
    /// ```
    pub fn decide(
        &self,
        progress: Progress,
        repeat: Repeat,
        failure: Failure,
        random: u64,
    ) -> Decision {
        if progress.tries >= self.max_tries {
            return Decision::Stop;
        }
        let exponent = progress.tries.saturating_sub(1).min(16);
        let backoff = jitter(self.base_delay.saturating_mul(1 << exponent), random);
        let repeatable = match repeat {
            Repeat::Safe | Repeat::Keyed => true,
            Repeat::Unsafe => false,
        };
        let delay = match failure {
            Failure::Connect => backoff,
            Failure::Interrupted if repeatable => backoff,
            Failure::Interrupted => return Decision::Stop,
            Failure::Status { status, conflict, rate_limit } => match status.as_u16() {
                429 => match rate_limit.retry_after.or(rate_limit.reset) {
                    Some(wait) => wait.saturating_add(jitter(self.base_delay, random)),
                    None => backoff,
                },
                500 | 502 | 503 | 504 if repeatable => match rate_limit.retry_after {
                    Some(wait) => wait.saturating_add(jitter(self.base_delay, random)),
                    None => backoff,
                },
                409 if conflict == Conflict::Yes
                    && repeat == Repeat::Keyed
                    && progress.conflicts <= 1 =>
                {
                    self.conflict_delay
                }
                _ => return Decision::Stop,
            },
        };
        if progress.elapsed.saturating_add(delay) > self.window {
            return Decision::Stop;
        }
        Decision::After(delay)
    }
}

/// A part of a duration: all of it for the greatest random number, nothing for zero.
fn jitter(whole: Duration, random: u64) -> Duration {
    let part = whole.as_nanos().saturating_mul(u128::from(random)) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: Progress = Progress { tries: 1, conflicts: 0, elapsed: Duration::ZERO };
    const SECOND: Duration = Duration::from_secs(1);

    fn status(status: u16) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        Failure::Status { status, conflict: Conflict::No, rate_limit: RateLimit::default() }
    }

    fn repeats(repeat: Repeat, failure: Failure) -> bool {
        RetryPolicy::default().decide(FIRST, repeat, failure, 7) != Decision::Stop
    }

    #[test]
    fn the_table() {
        use Repeat::{Keyed, Safe, Unsafe};
        for (failure, safe, keyed, once) in [
            (Failure::Connect, true, true, true),
            (Failure::Interrupted, true, true, false),
            (status(500), true, true, false),
            (status(502), true, true, false),
            (status(503), true, true, false),
            (status(504), true, true, false),
            (status(429), true, true, true),
            (status(301), false, false, false),
            (status(400), false, false, false),
            (status(401), false, false, false),
            (status(403), false, false, false),
            (status(404), false, false, false),
            (status(409), false, false, false),
            (status(413), false, false, false),
            (status(422), false, false, false),
            (status(501), false, false, false),
        ] {
            let found = (repeats(Safe, failure), repeats(Keyed, failure), repeats(Unsafe, failure));
            assert_eq!(found, (safe, keyed, once), "{failure:?}");
        }
    }

    #[test]
    fn conflict_is_tried_once_more_under_a_key() {
        let failure = Failure::Status {
            status: StatusCode::CONFLICT,
            conflict: Conflict::Yes,
            rate_limit: RateLimit::default(),
        };
        let policy = RetryPolicy::default();
        let first = Progress { conflicts: 1, ..FIRST };
        assert_eq!(policy.decide(first, Repeat::Keyed, failure, 0), Decision::After(SECOND));
        let second = Progress { tries: 2, conflicts: 2, ..FIRST };
        assert_eq!(policy.decide(second, Repeat::Keyed, failure, 0), Decision::Stop);
        assert_eq!(policy.decide(first, Repeat::Safe, failure, 0), Decision::Stop);
    }

    #[test]
    fn four_tries_are_the_end() {
        let decide = |tries| {
            RetryPolicy::default().decide(
                Progress { tries, ..FIRST },
                Repeat::Safe,
                Failure::Connect,
                0,
            )
        };
        assert_ne!(decide(3), Decision::Stop);
        assert_eq!(decide(4), Decision::Stop);
        let never = RetryPolicy::never().decide(FIRST, Repeat::Safe, Failure::Connect, 0);
        assert_eq!(never, Decision::Stop);
    }

    #[test]
    fn headers_say_how_long_to_wait() {
        let wait = |retry_after: Option<u64>, reset: Option<u64>, code: u16| {
            let rate_limit = RateLimit {
                retry_after: retry_after.map(Duration::from_secs),
                reset: reset.map(Duration::from_secs),
                ..RateLimit::default()
            };
            let status = StatusCode::from_u16(code).unwrap();
            let failure = Failure::Status { status, conflict: Conflict::No, rate_limit };
            RetryPolicy::default().decide(FIRST, Repeat::Safe, failure, 0)
        };
        assert_eq!(wait(None, Some(1), 429), Decision::After(SECOND));
        assert_eq!(wait(Some(3), Some(1), 429), Decision::After(3 * SECOND));
        assert_eq!(wait(Some(3), None, 503), Decision::After(3 * SECOND));
        assert_eq!(wait(None, Some(3), 503), Decision::After(Duration::ZERO));
        // Longer than the window: give it to the caller, who can wait.
        assert_eq!(wait(Some(60), None, 429), Decision::Stop);
        assert_eq!(wait(Some(u64::MAX), None, 429), Decision::Stop);
    }

    proptest! {
        #[test]
        fn delays_stay_inside_their_bounds(tries in 1_u32..4, random in any::<u64>(), elapsed_ms in 0_u64..30_000) {
            let policy = RetryPolicy::default();
            let elapsed = Duration::from_millis(elapsed_ms);
            let progress = Progress { tries, conflicts: 0, elapsed };
            match policy.decide(progress, Repeat::Safe, Failure::Interrupted, random) {
                Decision::After(delay) => {
                    prop_assert!(delay <= policy.base_delay * 2_u32.pow(tries - 1));
                    prop_assert!(elapsed + delay <= policy.window);
                }
                Decision::Stop => prop_assert!(elapsed + policy.base_delay * 4 > policy.window),
            }
        }
    }
}
