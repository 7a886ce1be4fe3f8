//! How long a node may believe that work is its own, and when another may take it over.
//!
//! Whoever holds the newest lease of an item may record what came of it; the database decides that,
//! by a number that grows with each claim, and no clock has a say in it. Clocks decide two lesser
//! things: when others may take over, and until when the holder begins a call. Both are judged by each
//! node on its own clock, by how much time has passed and not by what time it is; the one instant
//! that two nodes compare is the end of a lease, and a node stops to begin calls well before it.
//!
//! A node that dies is noticed before its leases run out: every node counts a number up, and a node
//! whose number stands still through several looks of another is taken for dead. Should it live after
//! all, it finds its leases lost.
//!
//! A call that is on its way when its node dies may still arrive. So what Klarna's books do not show
//! is believed only when no call can be on its way any more ([`settled_at_ms`]).

/// How long a worker may hold an item before another may take it.
pub const LEASE_MS: i64 = 60 * 1000;
/// By how much the clocks of two nodes may differ.
pub const SKEW_MS: i64 = 10 * 1000;
/// How often a node counts its number up, and looks at those of the others.
pub const BEAT_EVERY_MS: i64 = 2 * 1000;
/// After so many looks at a number that stands still, its node is taken for dead.
const LOOKS: u32 = 6;
/// A call that left this long ago has arrived, or never will.
pub const ON_ITS_WAY_MS: i64 = 2 * 60 * 1000;

/// Until when, on its own clock, the holder of a lease may begin a call. `claimed_at_ms` and
/// `beat_at_ms` were read before the claim and the last counting were asked for.
///
/// Without a beat there are no other nodes that could take the holder for dead.
pub fn may_begin_until_ms(claimed_at_ms: i64, beat_at_ms: Option<i64>) -> i64 {
    let by_lease = claimed_at_ms.saturating_add(LEASE_MS - SKEW_MS);
    // One look less than it takes: the others' looks are as far apart as our beats, or further.
    let by_beat = beat_at_ms
        .map(|at_ms| at_ms.saturating_add(BEAT_EVERY_MS.saturating_mul(i64::from(LOOKS) - 2)));
    by_beat.map_or(by_lease, |by_beat| by_lease.min(by_beat))
}

/// From when on Klarna's books tell what became of a call whose answer was lost at `lost_at_ms`.
pub fn settled_at_ms(lost_at_ms: i64) -> i64 {
    lost_at_ms.saturating_add(ON_ITS_WAY_MS)
}

/// What a look at another node's number shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It counts.
    Alive,
    /// It has not counted lately.
    Quiet,
    /// It is taken for dead.
    Dead,
}

/// One node's watch over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    beats: i64,
    looked_at_ms: i64,
    unchanged: u32,
}

impl Watch {
    /// Begins to watch.
    pub fn begin(beats: i64, now_ms: i64) -> Self {
        Self { beats, looked_at_ms: now_ms, unchanged: 0 }
    }

    /// Looks. Looks that follow each other too closely count as one; so do those that are far apart,
    /// since whoever looks may have been away, and the other one with it.
    pub fn look(&mut self, beats: i64, now_ms: i64) -> Sign {
        if beats != self.beats {
            *self = Self::begin(beats, now_ms);
            return Sign::Alive;
        }
        // A clock that was set back makes a look late, never early.
        if now_ms < self.looked_at_ms {
            self.looked_at_ms = now_ms;
        } else if now_ms - self.looked_at_ms >= BEAT_EVERY_MS {
            self.looked_at_ms = now_ms;
            self.unchanged += 1;
        }
        match self.unchanged {
            0 => Sign::Alive,
            unchanged if unchanged < LOOKS => Sign::Quiet,
            _ => Sign::Dead,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_node_that_stands_still_is_dead_after_a_few_looks_and_long_before_its_lease_ends() {
        let mut watch = Watch::begin(7, 0);
        let mut now_ms = 0;
        while watch.look(7, now_ms) != Sign::Dead {
            now_ms += BEAT_EVERY_MS;
        }
        assert_eq!(now_ms, 12_000);
        assert!(now_ms < LEASE_MS / 2);
        assert_eq!(watch.look(8, now_ms), Sign::Alive);
    }

    #[test]
    fn whoever_was_away_does_not_take_the_others_for_dead() {
        let mut watch = Watch::begin(7, 0);
        for hours in 1..=5 {
            assert_ne!(watch.look(7, hours * 3_600_000), Sign::Dead);
        }
    }

    #[test]
    fn nothing_is_begun_near_the_end_of_a_lease() {
        assert_eq!(may_begin_until_ms(0, None), LEASE_MS - SKEW_MS);
        assert_eq!(may_begin_until_ms(0, Some(1_000)), 9_000);
        assert_eq!(may_begin_until_ms(0, Some(1_000_000)), LEASE_MS - SKEW_MS);
    }

    proptest! {
        /// However the looks of the others fall: they find a node dead only after it has stopped to
        /// begin calls.
        #[test]
        fn a_node_that_is_taken_for_dead_has_begun_nothing_lately(
            gaps in prop::collection::vec(1_i64..5_000, 1..60),
        ) {
            // The node's last beat was at 0 and everyone saw it at 0 or later.
            let mut watch = Watch::begin(1, gaps[0]);
            let mut now_ms = gaps[0];
            for gap in &gaps[1..] {
                now_ms += gap;
                if watch.look(1, now_ms) == Sign::Dead {
                    prop_assert!(now_ms > may_begin_until_ms(0, Some(0)));
                }
            }
        }
    }
}
