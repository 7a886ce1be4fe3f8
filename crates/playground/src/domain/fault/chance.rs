//! Chance that can be repeated: which of the calls a fault hits, and how long a delay is.
//!
//! Everything is a function of a seed and of how many calls came before. Integers only.

/// A well mixed 64-bit value (SplitMix64's output function).
fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The draws of one call under one fault: a short stream of random values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    /// The stream for the `ordinal`-th call (from 0) under this seed.
    pub(crate) fn new(seed: u64, ordinal: u64) -> Self {
        Self { state: mix(seed ^ mix(ordinal ^ 0x6b61_7373_615f_6472)) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A value from `0` to `bound - 1`; 0 when `bound` is 0. The bias is below 2⁻³².
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A value from `least` to `greatest`, both included.
    pub(crate) fn between(&mut self, least: u64, greatest: u64) -> u64 {
        let span = greatest.saturating_sub(least).saturating_add(1);
        least.saturating_add(self.below(span))
    }

    /// Around `mean`, like a normal distribution with this standard deviation, never below 0: the sum of
    /// twelve uniform values, which strays by six deviations at most.
    pub(crate) fn around(&mut self, mean: u64, deviation: u64) -> u64 {
        const PARTS: u64 = 12;
        const UNIT: u64 = 1 << 20;
        let sum: u64 = (0..PARTS).map(|_| self.below(UNIT + 1)).sum();
        let middle = i128::from(PARTS * UNIT / 2);
        let stray = (i128::from(sum) - middle) * i128::from(deviation) / i128::from(UNIT);
        u64::try_from(i128::from(mean) + stray).unwrap_or(0)
    }

    /// A time like those of a service of which 99 of 100 answers take no longer than `p99`: most are
    /// several times faster, and one in a hundred takes up to twice as long.
    pub(crate) fn with_p99(&mut self, p99: u64) -> u64 {
        // Thousandths of the calls, and the thousandths of `p99` that these stay within.
        const CURVE: [(u64, u64); 6] =
            [(0, 100), (500, 250), (900, 500), (990, 1_000), (999, 1_600), (1_000, 2_000)];
        const FINE: u64 = 1_000;
        let rank = self.below(1_000 * FINE);
        let scaled = CURVE.windows(2).find_map(|pair| {
            let [(from_rank, from), (to_rank, to)] = *pair else { return None };
            let (from_rank, to_rank) = (from_rank * FINE, to_rank * FINE);
            (rank < to_rank)
                .then(|| from + (to - from) * (rank - from_rank) / (to_rank - from_rank))
        });
        let scaled = u128::from(scaled.unwrap_or(2_000));
        u64::try_from(u128::from(p99) * scaled / 1_000).unwrap_or(u64::MAX)
    }
}

/// Whether the `ordinal`-th call (from 0) is among the `per_mille` of each thousand that are hit. Of each
/// thousand calls exactly so many are, in an order that the seed decides.
pub(crate) fn is_hit(seed: u64, ordinal: u64, per_mille: u64) -> bool {
    place(seed ^ mix(ordinal / 1_000), ordinal % 1_000) < per_mille
}

/// Where a permutation of 0 to 999 puts `value`: a Feistel network over ten bits, walked until it comes
/// out below a thousand again.
fn place(key: u64, value: u64) -> u64 {
    let mut value = value;
    loop {
        let (mut left, mut right) = (value >> 5, value & 31);
        for round in 0..4 {
            let mixed = mix(key ^ mix((round << 8) | right)) & 31;
            (left, right) = (right, left ^ mixed);
        }
        value = (left << 5) | right;
        if value < 1_000 {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_is_exact_in_each_thousand(seed: u64, per_mille in 0_u64..=1_000, block in 0_u64..1_000) {
            let first = block * 1_000;
            let hits = (first..first + 1_000).filter(|n| is_hit(seed, *n, per_mille)).count();
            prop_assert_eq!(u64::try_from(hits).unwrap(), per_mille);
        }

        #[test]
        fn the_same_seed_draws_the_same(seed: u64, ordinal: u64, mean in 0_u64..60_000, spread in 0_u64..10_000) {
            let (mut one, mut two) = (Draws::new(seed, ordinal), Draws::new(seed, ordinal));
            prop_assert_eq!(one.between(5, 9), two.between(5, 9));
            prop_assert_eq!(one.around(mean, spread), two.around(mean, spread));
            prop_assert_eq!(one.with_p99(mean), two.with_p99(mean));
        }

        #[test]
        fn draws_stay_within_their_bounds(seed: u64, ordinal: u64, least in 0_u64..1_000, span in 0_u64..1_000) {
            let mut draws = Draws::new(seed, ordinal);
            let drawn = draws.between(least, least + span);
            prop_assert!((least..=least + span).contains(&drawn));
            let around = draws.around(least, span);
            prop_assert!(around <= least + 6 * span);
            prop_assert!(draws.with_p99(least) <= 2 * least);
        }
    }

    #[test]
    fn neighbours_are_not_hit_together() {
        // A tenth of the calls, not the first tenth of them.
        let hits: Vec<u64> = (0..1_000).filter(|n| is_hit(7, *n, 100)).collect();
        let gaps = hits.windows(2).filter(|pair| pair[1] - pair[0] == 1).count();
        assert!(gaps < 25, "{hits:?}");
        let other: Vec<u64> = (0..1_000).filter(|n| is_hit(8, *n, 100)).collect();
        assert_ne!(hits, other);
    }

    #[test]
    fn ten_thousand_draws_have_the_shape_they_should() {
        let draws = |draw: fn(&mut Draws) -> u64| -> Vec<u64> {
            let mut drawn: Vec<u64> =
                (0..10_000).map(|ordinal| draw(&mut Draws::new(42, ordinal))).collect();
            drawn.sort_unstable();
            drawn
        };
        let uniform = draws(|draws| draws.between(100, 199));
        assert_eq!((uniform[0], uniform[9_999]), (100, 199));
        assert!((147..=152).contains(&uniform[5_000]), "{}", uniform[5_000]);

        let normal = draws(|draws| draws.around(1_000, 100));
        assert!((995..=1_005).contains(&normal[5_000]), "{}", normal[5_000]);
        // One deviation below and above lie 16 and 84 of 100.
        assert!((893..=907).contains(&normal[1_587]), "{}", normal[1_587]);
        assert!((1_093..=1_107).contains(&normal[8_413]), "{}", normal[8_413]);

        let service = draws(|draws| draws.with_p99(1_000));
        assert!((240..=260).contains(&service[5_000]), "{}", service[5_000]);
        assert!((960..=1_060).contains(&service[9_900]), "{}", service[9_900]);
        assert!(service[9_999] <= 2_000);
        assert!(service[0] >= 100);
    }
}
