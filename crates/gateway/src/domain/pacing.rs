//! Pacing: how fast one Klarna account is asked, by class of call.
//!
//! Klarna counts a merchant's calls in windows of a second and answers 429 to what is too much. The
//! SDK follows the headers of each answer; what is kept here is what this node learns from being told
//! 429 all the same, because other nodes and other programs spend from the same quota. After a 429
//! nothing is sent until the time that it names; then as much as was let through before, less a
//! quarter; then a little more with each window that goes well. Nodes of one account so find their
//! shares without speaking to each other.
//!
//! What nobody waits for leaves a quarter of each window, and of the places, to what somebody does.

/// The classes of calls that Klarna counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Opening a payment session.
    CreateSession,
    /// Making a customer token.
    CreateToken,
    /// Opening a hosted page.
    CreateHosted,
    /// Everything else.
    Other,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 4] =
        [Self::CreateSession, Self::CreateToken, Self::CreateHosted, Self::Other];

    /// What Klarna documents as its live limit, in calls per second. Beyond it nothing is held back
    /// here: Klarna would have said 429.
    pub fn documented(self) -> u32 {
        match self {
            Self::CreateSession | Self::CreateToken | Self::CreateHosted => 40,
            Self::Other => 200,
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::CreateSession => 0,
            Self::CreateToken => 1,
            Self::CreateHosted => 2,
            Self::Other => 3,
        }
    }
}

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// A shopper, or a shop.
    Interactive,
    /// Nobody.
    Background,
}

impl Priority {
    /// How many of so many places it may take.
    pub fn share_of(self, places: u32) -> u32 {
        match self {
            Self::Interactive => places,
            Self::Background => (places - places / 4).max(1),
        }
    }
}

const WINDOW_MS: i64 = 1000;
/// No answer is believed that asks for a longer pause.
const LONGEST_PAUSE_MS: i64 = 60 * 1000;

/// The calls of one class in the present window, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    class: Class,
    /// `None` until Klarna has said 429.
    limit: Option<u32>,
    window_ends_ms: i64,
    taken: u32,
    closed_until_ms: i64,
}

impl Bucket {
    /// Nothing known, nothing sent.
    pub fn new(class: Class) -> Self {
        Self { class, limit: None, window_ends_ms: 0, taken: 0, closed_until_ms: 0 }
    }

    /// How many calls a second it lets through, if it has learned a limit.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Until when nothing is sent.
    pub fn closed_until_ms(&self) -> i64 {
        self.closed_until_ms
    }

    /// Whether a call may be sent now; if not, when to ask again.
    pub fn admits(&self, priority: Priority, now_ms: i64) -> Result<(), i64> {
        if now_ms < self.closed_until_ms {
            return Err(self.closed_until_ms);
        }
        let Some(limit) = self.limit else { return Ok(()) };
        if now_ms >= self.window_ends_ms || self.taken < priority.share_of(limit) {
            Ok(())
        } else {
            Err(self.window_ends_ms)
        }
    }

    /// A call is sent.
    pub fn take(&mut self, now_ms: i64) {
        self.roll(now_ms);
        self.taken = self.taken.saturating_add(1);
    }

    /// Klarna has said 429, and perhaps for how long.
    pub fn limited(&mut self, asked_ms: Option<i64>, now_ms: i64) {
        let pause_ms = asked_ms.unwrap_or(WINDOW_MS).clamp(1, LONGEST_PAUSE_MS);
        let reopens_ms = now_ms.saturating_add(pause_ms);
        // Several calls are told so at once: that is one lesson and not many.
        if now_ms >= self.closed_until_ms {
            let let_through = self.taken.max(1).min(self.class.documented());
            self.limit = Some((let_through - let_through / 4).max(1));
        }
        self.closed_until_ms = self.closed_until_ms.max(reopens_ms);
        self.window_ends_ms = self.closed_until_ms;
        self.taken = 0;
    }

    /// Moves on to the window of `now_ms`; one that was used and went well lets the limit grow.
    fn roll(&mut self, now_ms: i64) {
        if now_ms < self.window_ends_ms {
            return;
        }
        if let Some(limit) = self.limit
            && self.taken >= limit
        {
            let more = limit.saturating_add((limit / 8).max(1));
            self.limit = (more < self.class.documented()).then_some(more);
        }
        self.taken = 0;
        self.window_ends_ms = now_ms.saturating_add(WINDOW_MS);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn send(bucket: &mut Bucket, now_ms: i64, calls: u32) -> u32 {
        (0..calls)
            .filter(|_| {
                let admitted = bucket.admits(Priority::Interactive, now_ms).is_ok();
                if admitted {
                    bucket.take(now_ms);
                }
                admitted
            })
            .count()
            .try_into()
            .unwrap()
    }

    #[test]
    fn nothing_is_held_back_until_klarna_says_so() {
        let mut bucket = Bucket::new(Class::Other);
        assert_eq!(send(&mut bucket, 5, 1_000), 1_000);
    }

    #[test]
    fn after_429_nothing_is_sent_until_its_time_and_then_a_quarter_less() {
        let mut bucket = Bucket::new(Class::Other);
        assert_eq!(send(&mut bucket, 0, 40), 40);
        bucket.limited(Some(700), 10);
        bucket.limited(Some(700), 11);
        assert_eq!(bucket.admits(Priority::Interactive, 710), Err(711));
        assert_eq!(bucket.limit(), Some(30));
        assert_eq!(send(&mut bucket, 711, 100), 30);
        assert_eq!(bucket.admits(Priority::Interactive, 712), Err(1_711));
        assert_eq!(send(&mut bucket, 1_711, 100), 33, "it went well: a little more");
    }

    #[test]
    fn what_nobody_waits_for_leaves_room() {
        let mut bucket = Bucket::new(Class::Other);
        assert_eq!(send(&mut bucket, 0, 16), 16);
        bucket.limited(None, 0);
        assert_eq!(send(&mut bucket, 1_000, 9), 9);
        assert!(bucket.admits(Priority::Background, 1_001).is_err());
        assert!(bucket.admits(Priority::Interactive, 1_001).is_ok());
        assert_eq!(Priority::Background.share_of(1), 1, "but it is not starved");
    }

    #[test]
    fn a_limit_that_is_no_longer_felt_is_forgotten() {
        let mut bucket = Bucket::new(Class::CreateSession);
        assert_eq!(send(&mut bucket, 0, 5), 5);
        bucket.limited(Some(i64::MAX), 0);
        assert_eq!(bucket.closed_until_ms(), 60_000);
        let mut now_ms = 60_000;
        while bucket.limit().is_some() {
            send(&mut bucket, now_ms, 1_000);
            now_ms += WINDOW_MS;
            assert!(now_ms < 120_000, "{bucket:?}");
        }
    }

    proptest! {
        /// In no window more than the limit that was in force is let through, and a wait always has
        /// an end that is to come.
        #[test]
        fn no_window_gets_more_than_its_limit(
            steps in prop::collection::vec((0_i64..600, 0_u32..60, 0_u8..12), 1..120),
        ) {
            let mut bucket = Bucket::new(Class::Other);
            let mut now_ms = 0;
            for (wait_ms, calls, event) in steps {
                now_ms += wait_ms;
                if event == 0 {
                    bucket.limited(Some(wait_ms), now_ms);
                    prop_assert_eq!(send(&mut bucket, now_ms, 1), 0);
                }
                let before = bucket.taken;
                let same_window = now_ms < bucket.window_ends_ms;
                let sent = send(&mut bucket, now_ms, calls);
                if let Some(limit) = bucket.limit {
                    let in_window = if same_window { before + sent } else { sent };
                    prop_assert!(sent == 0 || in_window <= limit.max(before), "{bucket:?}");
                }
                if let Err(until_ms) = bucket.admits(Priority::Background, now_ms) {
                    prop_assert!(until_ms > now_ms);
                }
            }
        }

        /// Many nodes share one quota without speaking: together they stay near it.
        #[test]
        fn nodes_find_their_shares(quota in 10_u32..60, nodes in 1_usize..5) {
            let mut buckets = vec![Bucket::new(Class::Other); nodes];
            let (mut served, mut refused) = (0_u32, 0_u32);
            for second in 0..60_i64 {
                let mut left = quota;
                for tenth in 0..10 {
                    let now_ms = second * 1_000 + tenth * 100;
                    for bucket in &mut buckets {
                        for _ in 0..20 {
                            if bucket.admits(Priority::Interactive, now_ms).is_err() { break; }
                            bucket.take(now_ms);
                            if left > 0 { left -= 1; served += 1; } else {
                                refused += 1;
                                bucket.limited(Some(1_000 - tenth * 100), now_ms);
                            }
                        }
                    }
                }
            }
            prop_assert!(served >= quota * 60 / 3, "{served} of {}", quota * 60);
            prop_assert!(refused <= 60 * u32::try_from(nodes).unwrap());
        }
    }
}
