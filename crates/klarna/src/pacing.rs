//! Keeping under Klarna's rate limit instead of running into it.
//!
//! Klarna counts the calls of a merchant by class, in windows of a second, and says in every answer how many are left.
//! A client follows these headers: calls that fit into the window go at once, the others are spread over the windows
//! that follow, in the order in which they came. All clones of a client, and all clients made from it for the same
//! merchant, share one count. Nobody waits longer than the deadline of the call: a call whose turn comes later fails
//! at once, with nothing sent.
//!
//! The count is a pure data structure, [`Bucket`]; it is given the time and random numbers. What it does not know:
//! calls of other programs for the same merchant, but for what the headers tell.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Method};
use klarna_types::{Environment, MerchantId};
use tokio::time::Instant;

use crate::response::RateLimit;

/// Whether a client keeps under the rate limit by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pacing {
    /// Calls wait for their turn, as far as their deadline allows.
    #[default]
    FollowHeaders,
    /// Calls are sent at once. What comes too early is answered with 429, and repeated as the retry policy says.
    Off,
}

/// The kinds of calls that Klarna counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    CreateSession,
    CreateToken,
    CreateHosted,
    Other,
}

impl Class {
    const ALL: [Self; 4] =
        [Self::CreateSession, Self::CreateToken, Self::CreateHosted, Self::Other];

    /// The class of a call, by the path that is called.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        if *method != Method::POST {
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

    /// Calls in a second, as documented.
    fn documented(self, environment: Environment) -> u32 {
        match (environment, self) {
            (Environment::Live, Self::Other) => 200,
            (Environment::Live, _) => 40,
            (Environment::Playground, Self::Other) => 50,
            (Environment::Playground, _) => 5,
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// No header is believed that names a longer time, so that no sum of times overflows.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The calls of one class in the current window and, as far as they are already promised, in later ones.
///
/// `N` is any kind of instant; tests use durations since a beginning.
#[derive(Debug, Clone, Copy)]
struct Bucket<N> {
    limit: u32,
    window: Duration,
    /// When the window ends that is counted.
    ends: N,
    /// Calls that were let go in this window, and those that were told to wait for later ones.
    taken: u32,
    counting: Counting,
}

/// Whether the other side is known to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// It does: Klarna's own hosts always do, others showed it.
    Yes,
    /// Nothing shows it: calls go at once.
    NotSeen,
}

impl<N: Copy + Ord + std::ops::Add<Duration, Output = N>> Bucket<N> {
    fn new(now: N, documented: Option<u32>) -> Self {
        Self {
            limit: documented.unwrap_or(0),
            window: SECOND,
            ends: now,
            taken: 0,
            counting: if documented.is_some() { Counting::Yes } else { Counting::NotSeen },
        }
    }

    /// Moves on to the window of `now`.
    fn roll(&mut self, now: N) {
        while self.taken > 0 && self.ends <= now {
            self.ends = self.ends + self.window;
            self.taken = self.taken.saturating_sub(self.limit);
        }
        if self.taken == 0 {
            // Nothing is promised: the window begins with the next call.
            self.ends = now + self.window;
        }
    }

    /// When the next call may be sent. Takes the turn unless it comes later than `deadline`.
    fn turn(&mut self, now: N, deadline: N, random: u64) -> Option<N> {
        if self.counting == Counting::NotSeen || self.limit == 0 {
            return Some(now);
        }
        self.roll(now);
        let (windows, place) = (self.taken / self.limit, self.taken % self.limit);
        let turn = if windows == 0 {
            now
        } else {
            // Spread over the window, each call somewhere in its own part of it.
            let share = self.window / self.limit;
            let jitter = share.as_nanos().saturating_mul(u128::from(random)) / u128::from(u64::MAX);
            let jitter = Duration::from_nanos(u64::try_from(jitter).unwrap_or(0));
            (self.ends + self.window * (windows - 1) + share * place + jitter).max(now)
        };
        if turn > deadline {
            return None;
        }
        self.taken = self.taken.saturating_add(1);
        Some(turn)
    }

    /// Learns from an answer's headers.
    fn learn(&mut self, now: N, limited: Limited, headers: &RateLimit) {
        if let Some(window) = headers.window.filter(|window| !window.is_zero()) {
            self.window = window.min(LONGEST);
        }
        if let Some(limit) = headers.limit.filter(|limit| *limit > 0) {
            if limit != self.limit && self.limit != 0 {
                // What was promised in windows of the old size stays promised, at most a window of it.
                self.taken = self.taken.min(limit);
            }
            self.limit = limit;
        }
        if self.limit == 0 {
            return;
        }
        match limited {
            Limited::Yes => {
                self.counting = Counting::Yes;
                let wait = headers.retry_after.or(headers.reset).unwrap_or(self.window);
                self.roll(now);
                // The window is used up, and its end is known now.
                self.taken = self.taken.max(self.limit);
                self.ends = now + wait.min(LONGEST);
            }
            Limited::No => {
                let Some(left) = headers.remaining.filter(|left| *left < self.limit) else {
                    // A call was answered and nothing was counted down: nobody counts.
                    return;
                };
                if self.counting == Counting::NotSeen {
                    self.counting = Counting::Yes;
                    self.taken = 0;
                }
                self.roll(now);
                // Others may have made calls, too.
                self.taken = self.taken.max(self.limit - left);
            }
        }
    }
}

/// Whether an answer was 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    Yes,
    No,
}

/// The counts of one merchant.
#[derive(Debug)]
pub(crate) struct Pacer(Mutex<[(Class, Bucket<Instant>); 4]>);

impl Pacer {
    fn new(environment: Option<Environment>) -> Self {
        let now = Instant::now();
        Self(Mutex::new(Class::ALL.map(|class| {
            let documented = environment.map(|environment| class.documented(environment));
            (class, Bucket::new(now, documented))
        })))
    }

    fn with<T>(&self, class: Class, act: impl FnOnce(&mut Bucket<Instant>) -> T) -> Option<T> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.iter_mut().find(|(of, _)| *of == class).map(|(_, bucket)| act(bucket))
    }

    /// When a call may be sent; `None` if only after the deadline.
    pub(crate) fn turn(&self, class: Class, deadline: Instant) -> Option<Instant> {
        let now = Instant::now();
        self.with(class, |bucket| bucket.turn(now, deadline, rand::random())).unwrap_or(Some(now))
    }

    /// Learns from an answer.
    pub(crate) fn learn(&self, class: Class, limited: Limited, headers: &RateLimit) {
        let now = Instant::now();
        self.with(class, |bucket| bucket.learn(now, limited, headers));
    }
}

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Merchant(MerchantId),
    /// Nobody said whose credentials these are.
    Credentials(u64),
}

/// The pacers of all merchants of a pool.
#[derive(Debug)]
pub(crate) struct Pacers {
    environment: Option<Environment>,
    merchants: Mutex<HashMap<(String, Counted), Arc<Pacer>>>,
}

/// From so many merchants on, those that nobody uses are forgotten.
const MANY: usize = 1024;

impl Pacers {
    /// With the documented limits of an environment to begin with, or with none.
    pub(crate) fn new(environment: Option<Environment>) -> Self {
        Self { environment, merchants: Mutex::default() }
    }

    /// The pacer of a merchant at a host.
    pub(crate) fn of(
        &self,
        base: &str,
        merchant_id: Option<&MerchantId>,
        authorization: &HeaderValue,
    ) -> Arc<Pacer> {
        let counted = if let Some(merchant_id) = merchant_id {
            Counted::Merchant(merchant_id.clone())
        } else {
            let mut hasher = DefaultHasher::new();
            authorization.as_bytes().hash(&mut hasher);
            Counted::Credentials(hasher.finish())
        };
        let mut merchants = self.merchants.lock().unwrap_or_else(PoisonError::into_inner);
        if merchants.len() >= MANY {
            merchants.retain(|_, pacer| Arc::strong_count(pacer) > 1);
        }
        let pacer = merchants
            .entry((base.to_owned(), counted))
            .or_insert_with(|| Arc::new(Pacer::new(self.environment)));
        Arc::clone(pacer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEVER: Duration = Duration::from_secs(1_000_000);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn says(limit: u32, remaining: u32) -> RateLimit {
        RateLimit {
            limit: Some(limit),
            remaining: Some(remaining),
            window: Some(SECOND),
            reset: Some(SECOND),
            retry_after: None,
        }
    }

    #[test]
    fn classes() {
        for (method, path, class) in [
            (Method::POST, "/payments/v1/sessions", Class::CreateSession),
            (Method::GET, "/payments/v1/sessions", Class::Other),
            (Method::POST, "/payments/v1/sessions/x", Class::Other),
            (Method::POST, "/payments/v1/authorizations/x/customer-token", Class::CreateToken),
            (Method::POST, "/payments/v1/authorizations/x/order", Class::Other),
            (Method::POST, "/hpp/v1/sessions", Class::CreateHosted),
            (Method::POST, "/hpp/v1/sessions/x/distribution", Class::Other),
        ] {
            assert_eq!(Class::of(&method, path), class, "{method} {path}");
        }
    }

    #[test]
    fn a_host_that_does_not_count_is_never_waited_for() {
        let mut bucket = Bucket::new(ms(0), None);
        for _ in 0..1000 {
            assert_eq!(bucket.turn(ms(0), NEVER, 0), Some(ms(0)));
            bucket.learn(ms(0), Limited::No, &says(5, 5));
        }
    }

    #[test]
    fn the_headers_are_followed() {
        let mut bucket = Bucket::new(ms(0), None);
        assert_eq!(bucket.turn(ms(0), NEVER, 0), Some(ms(0)));
        // Someone else has used three of five.
        bucket.learn(ms(10), Limited::No, &says(5, 1));
        assert_eq!(bucket.turn(ms(10), NEVER, 0), Some(ms(10)));
        // The rest is spread over the window that follows.
        assert_eq!(bucket.turn(ms(10), NEVER, 0), Some(ms(1010)));
        assert_eq!(bucket.turn(ms(10), NEVER, 0), Some(ms(1210)));
        assert_eq!(bucket.turn(ms(10), NEVER, u64::MAX), Some(ms(1610)));
        // A turn that comes too late is not taken.
        assert_eq!(bucket.turn(ms(10), ms(1500), 0), None);
        assert_eq!(bucket.turn(ms(10), NEVER, 0), Some(ms(1610)));
        // After a pause the window is fresh.
        assert_eq!(bucket.turn(ms(60_000), NEVER, 0), Some(ms(60_000)));
    }

    #[test]
    fn a_429_closes_the_window_until_its_reset() {
        let mut bucket = Bucket::new(ms(0), Some(40));
        assert_eq!(bucket.turn(ms(0), NEVER, 0), Some(ms(0)));
        let until = RateLimit { retry_after: Some(ms(7000)), ..says(40, 0) };
        bucket.learn(ms(100), Limited::Yes, &until);
        let turn = bucket.turn(ms(100), NEVER, 0).unwrap();
        assert!(turn >= ms(7100) && turn <= ms(8100), "{turn:?}");
        assert_eq!(bucket.turn(ms(100), ms(5000), 0), None);
    }

    #[test]
    fn numbers_that_no_clock_can_hold_are_not_waited_for() {
        for seconds in [u64::MAX, u64::MAX / 2, 4_000_000_000_000] {
            let forever = Duration::from_secs(seconds);
            let limits = RateLimit {
                window: Some(forever),
                reset: Some(forever),
                retry_after: Some(forever),
                ..says(1, 0)
            };
            for limited in [Limited::No, Limited::Yes] {
                let mut bucket = Bucket::new(Instant::now(), Some(40));
                let now = Instant::now();
                bucket.learn(now, limited, &limits);
                bucket.learn(now, limited, &limits);
                assert_eq!(bucket.turn(now, now + 60 * SECOND, u64::MAX), None);
            }
        }
    }

    #[test]
    fn merchants_are_counted_apart_and_clones_together() {
        let pacers = Pacers::new(None);
        let header = |text: &'static str| HeaderValue::from_static(text);
        let known = pacers.of("https://a", Some(&MerchantId::from("K1")), &header("x"));
        let same = pacers.of("https://a", Some(&MerchantId::from("K1")), &header("y"));
        assert!(Arc::ptr_eq(&known, &same));
        for (base, id, text) in [
            ("https://b", Some("K1"), "x"),
            ("https://a", Some("K2"), "x"),
            ("https://a", None, "x"),
        ] {
            let other = pacers.of(base, id.map(MerchantId::from).as_ref(), &header(text));
            assert!(!Arc::ptr_eq(&known, &other), "{base} {id:?}");
        }
        let unnamed = pacers.of("https://a", None, &header("x"));
        assert!(Arc::ptr_eq(&unnamed, &pacers.of("https://a", None, &header("x"))));
        assert!(!Arc::ptr_eq(&unnamed, &pacers.of("https://a", None, &header("y"))));
        // Partners with very many merchants do not fill the memory.
        for merchant in 0..5000 {
            pacers.of("https://a", Some(&MerchantId::new(format!("M{merchant}"))), &header("x"));
        }
        assert!(pacers.merchants.lock().unwrap().len() <= MANY);
        assert!(Arc::ptr_eq(
            &known,
            &pacers.of("https://a", Some(&MerchantId::from("K1")), &header("x"))
        ));
    }

    proptest! {
        /// However calls come, turns come in order, never before they were asked for, and never more than the limit
        /// of them in the windows that the bucket counts.
        #[test]
        fn no_window_gets_more_than_its_limit(
            limit in 1_u32..20,
            gaps in prop::collection::vec((0_u64..400, any::<u64>()), 1..200),
        ) {
            let mut bucket = Bucket::new(ms(0), Some(limit));
            let mut now = ms(0);
            let mut turns: Vec<Duration> = Vec::new();
            for (gap, random) in gaps {
                // Most calls come in bursts.
                if gap > 300 {
                    now += ms(gap * 3);
                }
                let turn = bucket.turn(now, NEVER, random).unwrap();
                prop_assert!(turn >= now);
                turns.push(turn);
            }
            for (index, from) in turns.iter().enumerate() {
                let within = turns.iter().skip(index).filter(|turn| **turn < *from + SECOND).count();
                // Any second sees at most the calls of the two windows that it touches.
                prop_assert!(within <= 2 * limit as usize, "{within} calls in a second, {limit} allowed");
            }
            // On average the limit holds.
            if let (Some(first), Some(last)) = (turns.first(), turns.iter().max()) {
                let seconds = last.saturating_sub(*first).as_secs() + 2;
                prop_assert!(turns.len() as u64 <= seconds * u64::from(limit));
            }
        }
    }
}
