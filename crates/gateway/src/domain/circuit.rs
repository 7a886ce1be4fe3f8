//! A circuit: whether a Klarna account is asked at all.
//!
//! While Klarna answers, whatever it answers, the circuit is closed. When it is down (no connection,
//! no answer, 5xx) again and again, the circuit opens and nobody is asked; what is wanted waits in the
//! journal and loses none of its tries. After a while one call is let through as a probe. When it is
//! answered, more and more are let through, so that what has queued up drains without a stampede.
//!
//! Pure: told the time and what came of each call.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What came of a call, as far as this matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Klarna answered: yes, no, or not so fast.
    Answer,
    /// It did not, or only to say that it is broken.
    Nothing,
}

/// Where a circuit stands, for people and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Klarna is asked.
    #[default]
    Closed,
    /// Nobody asks.
    Open,
    /// One probe is let through.
    HalfOpen,
    /// A few are let through, then more.
    Recovering,
}

impl Phase {
    /// The name used in the API and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Recovering => "recovering",
        }
    }
}

/// So many calls in a row without an answer open the circuit …
const IN_A_ROW: u32 = 8;
/// … and so does half of this many recent ones.
const RECENT: usize = 20;
/// A call is recent for so long.
const RECENT_MS: i64 = 30 * 1000;
/// How long it stays open the first time; each time in a row twice as long.
const FIRST_WAIT_MS: i64 = 1000;
/// And never longer than this: someone must notice when Klarna is back.
const LONGEST_WAIT_MS: i64 = 60 * 1000;
/// A probe that has not been heard of for so long is given up: its node may have died.
const PROBE_LIFE_MS: i64 = 30 * 1000;
/// How soon to ask again while there is no place.
const LOOK_AGAIN_MS: i64 = 250;
/// How many calls are let through at once after the first answer; each answer adds one …
const FIRST_PLACES: u32 = 2;
/// … until there are so many, and it is closed again.
const ENOUGH_PLACES: u32 = 32;

/// The circuit of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    inner: Inner,
    /// When it last entered its phase.
    since_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inner {
    Closed { in_a_row: u32, recent: VecDeque<(i64, Heard)> },
    Open { until_ms: i64, times: u32 },
    HalfOpen { probe_since_ms: Option<i64>, times: u32 },
    Recovering { places: u32, times: u32 },
}

impl Default for Circuit {
    fn default() -> Self {
        Self { inner: closed(), since_ms: 0 }
    }
}

fn closed() -> Inner {
    Inner::Closed { in_a_row: 0, recent: VecDeque::new() }
}

fn open(times: u32, now_ms: i64) -> Inner {
    let wait_ms = FIRST_WAIT_MS.saturating_mul(1 << times.min(10)).min(LONGEST_WAIT_MS);
    Inner::Open { until_ms: now_ms.saturating_add(wait_ms), times: times.saturating_add(1) }
}

impl Circuit {
    /// Where it stands.
    pub fn phase(&self) -> Phase {
        match self.inner {
            Inner::Closed { .. } => Phase::Closed,
            Inner::Open { .. } => Phase::Open,
            Inner::HalfOpen { .. } => Phase::HalfOpen,
            Inner::Recovering { .. } => Phase::Recovering,
        }
    }

    /// Since when.
    pub fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// Whether a call may begin now that so many are under way; if not, when to ask again.
    pub fn admits(&self, now_ms: i64, in_flight: u32) -> Result<(), i64> {
        match &self.inner {
            Inner::Open { until_ms, .. } if now_ms < *until_ms => Err(*until_ms),
            Inner::HalfOpen { probe_since_ms, .. } => match probe_since_ms {
                Some(since_ms) if now_ms - since_ms < PROBE_LIFE_MS => Err(now_ms + LOOK_AGAIN_MS),
                Some(_) | None => Ok(()),
            },
            Inner::Recovering { places, .. } if in_flight >= *places => Err(now_ms + LOOK_AGAIN_MS),
            Inner::Closed { .. } | Inner::Open { .. } | Inner::Recovering { .. } => Ok(()),
        }
    }

    /// A call that was admitted begins.
    pub fn begins(&mut self, now_ms: i64) {
        match self.inner {
            Inner::Open { until_ms, times } if now_ms >= until_ms => {
                self.become_phase(Inner::HalfOpen { probe_since_ms: Some(now_ms), times }, now_ms);
            }
            Inner::HalfOpen { ref mut probe_since_ms, .. } => *probe_since_ms = Some(now_ms),
            Inner::Open { .. } | Inner::Closed { .. } | Inner::Recovering { .. } => {}
        }
    }

    /// A call ended without anybody hearing of it: it was not made after all, or its caller is gone.
    pub fn abandoned(&mut self) {
        if let Inner::HalfOpen { probe_since_ms, .. } = &mut self.inner {
            *probe_since_ms = None;
        }
    }

    /// A call ended.
    pub fn heard(&mut self, heard: Heard, now_ms: i64) {
        let next = match (&mut self.inner, heard) {
            (Inner::Closed { in_a_row, recent }, heard) => {
                *in_a_row = match heard {
                    Heard::Answer => 0,
                    Heard::Nothing => in_a_row.saturating_add(1),
                };
                recent.push_back((now_ms, heard));
                while recent.len() > RECENT
                    || recent.front().is_some_and(|(at_ms, _)| now_ms - at_ms > RECENT_MS)
                {
                    recent.pop_front();
                }
                let unanswered =
                    recent.iter().filter(|(_, heard)| *heard == Heard::Nothing).count();
                let mostly_down = recent.len() >= RECENT && unanswered * 2 >= recent.len();
                if heard == Heard::Nothing && (*in_a_row >= IN_A_ROW || mostly_down) {
                    open(0, now_ms)
                } else {
                    return;
                }
            }
            // It began before the circuit opened, and says nothing about now.
            (Inner::Open { .. }, _) => return,
            (Inner::HalfOpen { times, .. }, Heard::Answer) => {
                Inner::Recovering { places: FIRST_PLACES, times: *times }
            }
            (Inner::Recovering { places, .. }, Heard::Answer) => {
                *places += 1;
                if *places < ENOUGH_PLACES {
                    return;
                }
                closed()
            }
            (Inner::HalfOpen { times, .. } | Inner::Recovering { times, .. }, Heard::Nothing) => {
                open(*times, now_ms)
            }
        };
        self.become_phase(next, now_ms);
    }

    fn become_phase(&mut self, next: Inner, now_ms: i64) {
        self.inner = next;
        self.since_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opened(now_ms: i64) -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 0..IN_A_ROW {
            circuit.heard(Heard::Nothing, now_ms);
        }
        assert_eq!(circuit.phase(), Phase::Open);
        circuit
    }

    #[test]
    fn it_opens_when_nothing_is_heard_and_closes_by_and_by() {
        let mut circuit = opened(0);
        assert_eq!(circuit.admits(999, 0), Err(1_000));
        assert_eq!(circuit.admits(1_000, 0), Ok(()));
        circuit.begins(1_000);
        assert_eq!(circuit.phase(), Phase::HalfOpen);
        assert_eq!(circuit.admits(1_001, 1), Err(1_251), "one probe at a time");
        circuit.heard(Heard::Answer, 1_100);
        assert_eq!(circuit.phase(), Phase::Recovering);
        assert_eq!(circuit.admits(1_100, 1), Ok(()));
        assert!(circuit.admits(1_100, 2).is_err(), "two places at first");
        for _ in 0..ENOUGH_PLACES {
            circuit.heard(Heard::Answer, 1_200);
        }
        assert_eq!(circuit.phase(), Phase::Closed);
    }

    #[test]
    fn it_stays_open_for_longer_each_time() {
        let mut circuit = opened(0);
        let mut now_ms = 0;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let until_ms = circuit.admits(now_ms, 0).unwrap_err();
            waits.push(until_ms - now_ms);
            now_ms = until_ms;
            circuit.begins(now_ms);
            circuit.heard(Heard::Nothing, now_ms);
        }
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    }

    #[test]
    fn a_lost_probe_does_not_keep_it_shut() {
        let mut circuit = opened(0);
        circuit.begins(1_000);
        assert!(circuit.admits(30_999, 1).is_err());
        assert_eq!(circuit.admits(31_000, 1), Ok(()));
        circuit.abandoned();
        assert_eq!(circuit.admits(1_001, 0), Ok(()));
    }

    #[test]
    fn failures_among_answers_leave_it_closed_until_they_are_half() {
        let mut circuit = Circuit::default();
        for turn in 0..200 {
            let heard = if turn % 5 < 2 { Heard::Nothing } else { Heard::Answer };
            circuit.heard(heard, turn * 10);
            assert_eq!(circuit.phase(), Phase::Closed, "{turn}");
        }
        for turn in 0..40 {
            circuit.heard(if turn % 2 == 0 { Heard::Answer } else { Heard::Nothing }, 3_000);
        }
        assert_eq!(circuit.phase(), Phase::Open);
    }

    /// A call that may be made, after so many milliseconds, and what comes of it.
    fn calls() -> impl Strategy<Value = Vec<(i64, u32, u8)>> {
        prop::collection::vec((0_i64..2_000, 0_u32..40, 0_u8..3), 0..200)
    }

    proptest! {
        #[test]
        fn while_it_is_open_nobody_asks_and_a_probe_is_alone(calls in calls()) {
            let mut circuit = Circuit::default();
            let (mut now_ms, mut probe_at_ms) = (0, None::<i64>);
            for (wait_ms, in_flight, came) in calls {
                now_ms += wait_ms;
                let before = circuit.phase();
                let admitted = circuit.admits(now_ms, in_flight);
                if let Err(until_ms) = admitted {
                    prop_assert!(until_ms > now_ms, "a wait has an end that is to come");
                    prop_assert_ne!(before, Phase::Closed);
                    continue;
                }
                if before == Phase::HalfOpen && let Some(at_ms) = probe_at_ms {
                    prop_assert!(now_ms - at_ms >= PROBE_LIFE_MS, "two probes at once");
                }
                circuit.begins(now_ms);
                prop_assert_ne!(circuit.phase(), Phase::Open);
                probe_at_ms = (circuit.phase() == Phase::HalfOpen).then_some(now_ms);
                match came {
                    0 => circuit.heard(Heard::Answer, now_ms),
                    1 => circuit.heard(Heard::Nothing, now_ms),
                    _ => {}
                }
                if came < 2 { probe_at_ms = None; }
            }
        }

        /// Whatever happened: once Klarna answers, everything is let through again soon.
        #[test]
        fn it_closes_when_klarna_is_back(calls in calls()) {
            let mut circuit = Circuit::default();
            let mut now_ms = 0;
            for (wait_ms, in_flight, came) in calls {
                now_ms += wait_ms;
                if circuit.admits(now_ms, in_flight).is_ok() {
                    circuit.begins(now_ms);
                    circuit.heard(if came == 0 { Heard::Answer } else { Heard::Nothing }, now_ms);
                }
            }
            let back_at_ms = now_ms;
            let mut tries = 0;
            while circuit.phase() != Phase::Closed {
                match circuit.admits(now_ms, 0) {
                    Ok(()) => {
                        circuit.begins(now_ms);
                        circuit.heard(Heard::Answer, now_ms);
                    }
                    Err(until_ms) => now_ms = until_ms,
                }
                tries += 1;
                prop_assert!(tries < 100);
            }
            prop_assert!(now_ms - back_at_ms <= LONGEST_WAIT_MS + PROBE_LIFE_MS);
        }

        /// A Klarna that stays down is asked about once a minute, however much is wanted.
        #[test]
        fn a_klarna_that_is_down_is_left_alone(gap_ms in 1_i64..500) {
            let mut circuit = opened(0);
            let (mut now_ms, mut asked) = (0, 0);
            while now_ms < 600_000 {
                now_ms += gap_ms;
                if circuit.admits(now_ms, 0).is_ok() {
                    circuit.begins(now_ms);
                    circuit.heard(Heard::Nothing, now_ms);
                    asked += 1;
                }
            }
            prop_assert!(asked <= 17, "{asked} calls in ten minutes");
        }
    }
}
