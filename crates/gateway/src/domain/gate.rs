//! The gate before one Klarna account: whether one more call may begin now.
//!
//! Three things must agree: the circuit (is Klarna there?), the bucket of the call's class (not too
//! fast), and the places (one account must not take all that this node has). What may not begin is put
//! off to a turn of its own: turns are handed out one after the other, so that what waits comes back
//! in the order in which it came and not all at once.
//!
//! What a node knows of an account is its own and is forgotten when it ends: it is learned again
//! within seconds.

use serde::{Deserialize, Serialize};

use super::circuit::{Circuit, Heard, Phase};
use super::operation::{Effect, Failure};
use super::pacing::{Bucket, Class, Priority};

/// How many calls of one node may be under way with one account.
pub const PLACES: u32 = 32;
/// How far apart the turns of what was put off are, at most.
const TURN_MS: i64 = 10;
/// Turns are not handed out further ahead than this after the gate may open.
const FURTHEST_TURN_MS: i64 = 15 * 1000;
/// How long a call takes, as long as nothing is known of it.
const CALL_MS: i64 = 320;
/// When all places are taken, the longest until they are looked at again.
const PLACE_FREE_MS: i64 = 100;
/// How many of the newest calls count for how long a call takes.
const CALLS_THAT_COUNT: i64 = 8;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Klarna answered.
    Answered,
    /// Klarna said 429, and perhaps for how long.
    Limited {
        /// For how long.
        asked_ms: Option<i64>,
    },
    /// No connection, no answer, or 5xx.
    Down,
    /// Nobody heard: it was not made after all, or its caller is gone.
    Unheard,
}

impl Ended {
    /// What a call that did not succeed says of the account.
    pub fn of(failure: &Failure) -> Self {
        match (failure.status, failure.effect) {
            (Some(429), _) => Self::Limited { asked_ms: failure.retry_after_ms },
            // The SDK kept under the limit by itself: nothing was sent, and Klarna is well.
            (None, Effect::NoneYet) if failure.retry_after_ms.is_some() => Self::Unheard,
            (Some(500..), _) | (None, Effect::Unknown | Effect::NoneYet) => Self::Down,
            // Something of ours was wrong, and nothing was sent.
            (None, Effect::Refused) => Self::Unheard,
            (Some(_), _) => Self::Answered,
        }
    }
}

/// The gate of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    circuit: Circuit,
    buckets: [Bucket; 4],
    in_flight: u32,
    last_turn_ms: i64,
    put_off: u64,
    /// How long a call takes, of late.
    call_ms: i64,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            circuit: Circuit::default(),
            buckets: Class::ALL.map(Bucket::new),
            in_flight: 0,
            last_turn_ms: 0,
            put_off: 0,
            call_ms: CALL_MS,
        }
    }
}

/// A gate, for people and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whether Klarna is asked.
    pub circuit: Phase,
    /// Since when.
    pub circuit_since_ms: i64,
    /// Calls under way.
    pub in_flight: u32,
    /// How often something was put off, ever.
    pub put_off: u64,
    /// Until when Klarna's rate limit keeps some class of calls back; 0 if it does not.
    pub limited_until_ms: i64,
}

impl Gate {
    /// Whether a call may begin now; if not, when the gate may open.
    pub fn admits(&self, class: Class, priority: Priority, now_ms: i64) -> Result<(), i64> {
        self.circuit.admits(now_ms, self.in_flight)?;
        if let Some(bucket) = self.buckets.get(class.index()) {
            bucket.admits(priority, now_ms)?;
        }
        if self.in_flight < priority.share_of(PLACES) {
            Ok(())
        } else {
            Err(now_ms + self.call_ms.clamp(1, PLACE_FREE_MS))
        }
    }

    /// Whether all that a call waits for is the end of another one.
    pub fn is_full(&self, class: Class, priority: Priority, now_ms: i64) -> bool {
        let paced = self.buckets.get(class.index());
        self.circuit.admits(now_ms, self.in_flight).is_ok()
            && paced.is_none_or(|bucket| bucket.admits(priority, now_ms).is_ok())
            && self.in_flight >= priority.share_of(PLACES)
    }

    /// A turn for what may not begin now: when to ask again. Turns follow each other as places become
    /// free.
    pub fn turn(&mut self, opens_ms: i64) -> i64 {
        let apart = (self.call_ms / i64::from(PLACES)).clamp(1, TURN_MS);
        let next = self.last_turn_ms.saturating_add(apart);
        let turn = next.clamp(opens_ms, opens_ms.saturating_add(FURTHEST_TURN_MS));
        self.last_turn_ms = turn;
        self.put_off = self.put_off.saturating_add(1);
        turn
    }

    /// A call that was admitted begins.
    pub fn begin(&mut self, class: Class, now_ms: i64) {
        self.circuit.begins(now_ms);
        if let Some(bucket) = self.buckets.get_mut(class.index()) {
            bucket.take(now_ms);
        }
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// A call that was begun ended.
    pub fn end(&mut self, class: Class, ended: Ended, now_ms: i64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match ended {
            Ended::Answered => self.circuit.heard(Heard::Answer, now_ms),
            Ended::Limited { asked_ms } => {
                self.circuit.heard(Heard::Answer, now_ms);
                if let Some(bucket) = self.buckets.get_mut(class.index()) {
                    bucket.limited(asked_ms, now_ms);
                }
            }
            Ended::Down => self.circuit.heard(Heard::Nothing, now_ms),
            Ended::Unheard => self.circuit.abandoned(),
        }
    }

    /// How long a call took that was answered.
    pub fn took(&mut self, ms: i64) {
        let others = self.call_ms.saturating_mul(CALLS_THAT_COUNT - 1);
        self.call_ms = others.saturating_add(ms.max(0)) / CALLS_THAT_COUNT;
    }

    /// Takes over the turns that a copy of this gate has handed out.
    pub fn take_turns_from(&mut self, copy: &Self) {
        self.last_turn_ms = self.last_turn_ms.max(copy.last_turn_ms);
        self.put_off = self.put_off.max(copy.put_off);
    }

    /// Whether nothing is under way and nothing is held back: then it may be forgotten.
    pub fn rests(&self, now_ms: i64) -> bool {
        let view = self.view(now_ms);
        view.circuit == Phase::Closed && view.in_flight == 0 && view.limited_until_ms == 0
    }

    /// As people and metrics see it.
    pub fn view(&self, now_ms: i64) -> View {
        let limited = self.buckets.iter().map(Bucket::closed_until_ms).max().unwrap_or(0);
        View {
            circuit: self.circuit.phase(),
            circuit_since_ms: self.circuit.since_ms(),
            in_flight: self.in_flight,
            put_off: self.put_off,
            limited_until_ms: if limited > now_ms { limited } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_account_has_so_many_places_and_leaves_some_to_those_who_wait() {
        let mut gate = Gate::default();
        let admits = |gate: &Gate, priority| gate.admits(Class::Other, priority, 0).is_ok();
        for _ in 0..24 {
            gate.begin(Class::Other, 0);
        }
        assert!(!admits(&gate, Priority::Background));
        for _ in 24..PLACES {
            assert!(admits(&gate, Priority::Interactive));
            gate.begin(Class::Other, 0);
        }
        assert!(!admits(&gate, Priority::Interactive));
        gate.end(Class::Other, Ended::Unheard, 0);
        assert!(admits(&gate, Priority::Interactive));
    }

    #[test]
    fn a_gate_is_full_when_only_a_place_is_missing() {
        let mut gate = Gate::default();
        for _ in 0..PLACES {
            assert!(!gate.is_full(Class::Other, Priority::Interactive, 0));
            gate.begin(Class::Other, 0);
        }
        assert!(gate.is_full(Class::Other, Priority::Interactive, 0));
        gate.end(Class::Other, Ended::Limited { asked_ms: Some(5_000) }, 0);
        gate.begin(Class::Other, 0);
        // Klarna itself wants a pause: the end of a call opens nothing.
        assert!(!gate.is_full(Class::Other, Priority::Interactive, 0));
        assert!(gate.is_full(Class::Other, Priority::Interactive, 6_000));
    }

    #[test]
    fn the_quicker_klarna_answers_the_sooner_a_place_is_looked_for() {
        let mut gate = Gate::default();
        for _ in 0..PLACES {
            gate.begin(Class::Other, 0);
        }
        let opens = |gate: &Gate| gate.admits(Class::Other, Priority::Interactive, 0).unwrap_err();
        assert_eq!(opens(&gate), PLACE_FREE_MS);
        for _ in 0..100 {
            gate.took(3);
        }
        assert!((1..=10).contains(&opens(&gate)), "{}", opens(&gate));
        let (first, second) = (gate.turn(1_000), gate.turn(1_000));
        assert_eq!(second - first, 1);
        for _ in 0..100 {
            gate.took(20_000);
        }
        assert_eq!(opens(&gate), PLACE_FREE_MS);
    }

    #[test]
    fn turns_keep_their_order_and_do_not_fall_together() {
        let mut gate = Gate::default();
        let turns: Vec<_> = (0..5).map(|_| gate.turn(1_000)).collect();
        assert_eq!(turns, [1_000, 1_010, 1_020, 1_030, 1_040]);
        for _ in 0..10_000 {
            gate.turn(1_000);
        }
        assert_eq!(gate.turn(1_000), 16_000, "nothing is put off for ever");
        assert_eq!(gate.turn(50_000), 50_000);
    }

    #[test]
    fn what_a_failure_says_of_the_account() {
        let failure = |effect, status, retry_after_ms| Failure {
            effect,
            status,
            error_code: None,
            error_messages: Vec::new(),
            correlation_id: None,
            retry_after_ms,
            summary: String::new(),
            step_up_id: None,
        };
        let cases = [
            (failure(Effect::NoneYet, Some(429), Some(5)), Ended::Limited { asked_ms: Some(5) }),
            (failure(Effect::Unknown, Some(503), None), Ended::Down),
            (failure(Effect::Unknown, None, None), Ended::Down),
            (failure(Effect::NoneYet, None, None), Ended::Down),
            (failure(Effect::NoneYet, None, Some(5)), Ended::Unheard),
            (failure(Effect::Refused, Some(403), None), Ended::Answered),
            (failure(Effect::Refused, None, None), Ended::Unheard),
        ];
        for (failure, ended) in cases {
            assert_eq!(Ended::of(&failure), ended, "{failure:?}");
        }
    }

    proptest! {
        /// However calls come and go, no account has more under way than its places, and everything
        /// that was put off gets its turn.
        #[test]
        fn no_account_takes_more_than_its_places(
            steps in prop::collection::vec((0_u8..4, 0_i64..200, any::<bool>()), 0..300),
        ) {
            let mut gate = Gate::default();
            let mut now_ms = 0;
            for (step, wait_ms, interactive) in steps {
                now_ms += wait_ms;
                let priority =
                    if interactive { Priority::Interactive } else { Priority::Background };
                match step {
                    0 if gate.in_flight > 0 => gate.end(Class::Other, Ended::Answered, now_ms),
                    1 if gate.in_flight > 0 => gate.end(Class::Other, Ended::Down, now_ms),
                    _ => match gate.admits(Class::Other, priority, now_ms) {
                        Ok(()) => gate.begin(Class::Other, now_ms),
                        Err(opens_ms) => {
                            prop_assert!(opens_ms > now_ms);
                            let turn = gate.turn(opens_ms);
                            prop_assert!(turn >= opens_ms && turn <= opens_ms + FURTHEST_TURN_MS);
                        }
                    },
                }
                prop_assert!(gate.in_flight <= PLACES);
            }
        }
    }
}
