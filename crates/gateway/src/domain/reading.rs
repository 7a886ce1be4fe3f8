//! When an account's payouts and disputes are read, from where on, and what an answer that cannot be
//! used leads to.
//!
//! A reading goes through a span of time page by page. Spans overlap, because Klarna's books show some
//! things late; what was read before changes nothing.

use serde::{Deserialize, Serialize};

use super::operation::{Effect, Failure};

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// A refusal does not go away by asking again soon.
const AFTER_REFUSAL_MS: i64 = 6 * HOUR_MS;
/// Klarna may not answer for a while without anybody having to do anything.
const WORTH_TELLING_MS: i64 = 6 * HOUR_MS;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Payouts and what they are made of.
    Payouts,
    /// Disputes.
    Disputes,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Payouts, Self::Disputes];

    /// Its name in the database, and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Payouts => "payouts",
            Self::Disputes => "disputes",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How long after one reading the next one begins. Some disputes must be answered within days.
    fn every_ms(self) -> i64 {
        match self {
            Self::Payouts => HOUR_MS,
            Self::Disputes => 10 * MINUTE_MS,
        }
    }

    /// By how much spans overlap: reports of payouts come out days late, and changes of disputes are
    /// stamped by Klarna's clock.
    fn overlap_ms(self) -> i64 {
        match self {
            Self::Payouts => 14 * DAY_MS,
            Self::Disputes => HOUR_MS,
        }
    }
}

/// The span that is being read, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From when; since ever, if it is not said.
    pub from_ms: Option<i64>,
    /// Until when.
    pub until_ms: i64,
    /// So many were read.
    #[serde(default)]
    pub offset: u64,
    /// The last one that was read, where pages have cursors.
    #[serde(default)]
    pub after: Option<String>,
}

/// Why an account cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Klarna's answer in a few words.
    pub summary: String,
    /// Whether Klarna refuses it, or does not answer.
    pub refused: bool,
    /// Since when.
    pub since_ms: i64,
    /// How often in a row.
    pub times: i64,
}

impl Trouble {
    /// Whether a person should know of it.
    pub fn is_worth_telling(&self, now_ms: i64) -> bool {
        self.refused || now_ms - self.since_ms >= WORTH_TELLING_MS
    }
}

/// How far the reading of one kind with one account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Since when the gateway reads.
    pub since_ms: i64,
    /// Until when everything is read.
    #[serde(default)]
    pub read_until_ms: Option<i64>,
    /// What is being read.
    #[serde(default)]
    pub span: Option<Span>,
    /// Why it cannot be read.
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// Whether Klarna was asked to tell this account of disputes.
    #[serde(default)]
    pub enrolled: bool,
}

impl Progress {
    /// Nothing is read yet.
    pub fn begin(now_ms: i64) -> Self {
        Self { since_ms: now_ms, read_until_ms: None, span: None, trouble: None, enrolled: false }
    }

    /// The span to go on with. The first one begins at `oldest_ms`: before the store's first payment
    /// there is nothing of its own in Klarna's books.
    pub fn span(&self, kind: Kind, oldest_ms: Option<i64>, now_ms: i64) -> Span {
        if let Some(span) = &self.span {
            return span.clone();
        }
        let from_ms = match self.read_until_ms {
            Some(read_until_ms) => Some(read_until_ms - kind.overlap_ms()),
            None => oldest_ms,
        };
        Span { from_ms, until_ms: now_ms.max(from_ms.unwrap_or(now_ms)), offset: 0, after: None }
    }

    /// A page was read. `next` is how far the span then is; `None` ends it.
    pub fn advance(&mut self, span: &Span, next: Option<Span>) {
        self.trouble = None;
        if next.is_none() {
            let read_until_ms = self.read_until_ms.unwrap_or(i64::MIN).max(span.until_ms);
            self.read_until_ms = Some(read_until_ms);
        }
        self.span = next;
    }

    /// When to go on after something was read well.
    pub fn next_at_ms(&self, kind: Kind, has_more: bool, now_ms: i64) -> i64 {
        if has_more || self.span.is_some() { now_ms } else { now_ms + kind.every_ms() }
    }

    /// Klarna's answer cannot be used: when to ask again. What was read stays read.
    pub fn stumble(&mut self, kind: Kind, failure: &Failure, now_ms: i64) -> i64 {
        let refused = failure.effect == Effect::Refused;
        let before = self.trouble.take();
        let times = before.as_ref().map_or(0, |trouble| trouble.times) + 1;
        self.trouble = Some(Trouble {
            summary: failure.summary.clone(),
            refused,
            since_ms: before.map_or(now_ms, |trouble| trouble.since_ms),
            times,
        });
        if refused {
            // The span may be what Klarna does not like, so the next one is drawn up anew.
            self.span = None;
            return now_ms + AFTER_REFUSAL_MS;
        }
        // 1, 2, 4 … minutes, and never more rarely than if all were well.
        let doublings = u32::try_from(times.clamp(1, 7) - 1).unwrap_or(0);
        let own = (MINUTE_MS << doublings).min(kind.every_ms());
        now_ms + own.max(failure.retry_after_ms.unwrap_or(0).clamp(0, HOUR_MS))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure(effect: Effect) -> Failure {
        Failure {
            effect,
            status: None,
            error_code: None,
            error_messages: Vec::new(),
            correlation_id: None,
            retry_after_ms: None,
            summary: "no".to_owned(),
            step_up_id: None,
        }
    }

    proptest! {
        /// Whatever happens in between, no time is left out: each span begins at or before the end of
        /// what was read.
        #[test]
        fn no_time_is_left_out(
            kind in prop::sample::select(Kind::ALL.to_vec()),
            steps in prop::collection::vec((0..40_i64, 0..4_u8), 1..60),
        ) {
            let mut progress = Progress::begin(0);
            let mut now_ms = 0;
            let mut covered_until: Option<i64> = None;
            for (hours, what) in steps {
                now_ms += hours * HOUR_MS;
                let span = progress.span(kind, Some(0), now_ms);
                prop_assert!(span.from_ms.unwrap() <= covered_until.unwrap_or(0));
                prop_assert!(span.from_ms.unwrap() <= span.until_ms && span.until_ms <= now_ms);
                let due_ms = match what {
                    0 => {
                        let next = Span { offset: span.offset + 1, ..span.clone() };
                        progress.advance(&span, Some(next));
                        progress.next_at_ms(kind, false, now_ms)
                    }
                    1 => progress.stumble(kind, &failure(Effect::Unknown), now_ms),
                    2 => progress.stumble(kind, &failure(Effect::Refused), now_ms),
                    _ => {
                        progress.advance(&span, None);
                        covered_until = Some(covered_until.unwrap_or(0).max(span.until_ms));
                        prop_assert_eq!(progress.read_until_ms, covered_until);
                        progress.next_at_ms(kind, false, now_ms)
                    }
                };
                prop_assert!(due_ms >= now_ms && due_ms <= now_ms + AFTER_REFUSAL_MS);
                prop_assert_eq!(progress.trouble.is_some(), what == 1 || what == 2);
            }
        }
    }

    #[test]
    fn a_refusal_is_told_at_once_and_silence_after_a_while() {
        let mut progress = Progress::begin(0);
        let again_ms = progress.stumble(Kind::Payouts, &failure(Effect::Refused), 0);
        assert_eq!(again_ms, AFTER_REFUSAL_MS);
        assert!(progress.trouble.as_ref().unwrap().is_worth_telling(0));

        let mut progress = Progress::begin(0);
        let mut waits = Vec::new();
        let mut now_ms = 0;
        for _ in 0..8 {
            let next_ms = progress.stumble(Kind::Payouts, &failure(Effect::Unknown), now_ms);
            waits.push((next_ms - now_ms) / MINUTE_MS);
            now_ms = next_ms;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        let trouble = progress.trouble.clone().unwrap();
        assert_eq!((trouble.since_ms, trouble.times), (0, 8));
        assert!(!trouble.is_worth_telling(HOUR_MS) && trouble.is_worth_telling(6 * HOUR_MS));
        let span = progress.span(Kind::Payouts, Some(0), now_ms);
        progress.advance(&span, None);
        assert_eq!(progress.trouble, None);
        assert_eq!(progress.next_at_ms(Kind::Payouts, false, 0), HOUR_MS);
        assert_eq!(progress.next_at_ms(Kind::Payouts, true, 0), 0);
    }
}
