//! Which captures a refund is taken from.
//!
//! Klarna refunds at order level and assigns the money to captures by the `reference` of the
//! order lines; without lines the refund belongs to the order in general. The rule here:
//!
//! 1. each refund line with a reference takes from the captures that hold a line with the same
//!    reference, oldest first, up to what is still open on each of them;
//! 2. what is left goes on the captures, oldest first.
//!
//! Negative lines (discounts, return fees) take nothing themselves: they have already lowered the
//! refund's amount, which bounds every step. This module knows nothing of orders, states or time.

use klarna_types::money::MinorUnits;

/// One capture as the allocation sees it, oldest first in the list given to [`allocate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open<'a> {
    /// What was captured and is not yet refunded.
    pub(crate) amount: MinorUnits,
    /// The references of the lines that were captured.
    pub(crate) references: Vec<&'a str>,
}

/// One line of the refund, as far as the allocation needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The merchant's reference of the article, if the line has one.
    pub(crate) reference: Option<&'a str>,
    /// The total of the line.
    pub(crate) total: MinorUnits,
}

/// Splits `amount` over `captures`. The answer has one share for each capture, in order; the
/// shares add up to `amount`, and none is more than what is open there.
///
/// `None` if the captures together have less than `amount` open, or `amount` is negative.
pub(crate) fn allocate(
    captures: &[Open<'_>],
    lines: &[Line<'_>],
    amount: MinorUnits,
) -> Option<Vec<MinorUnits>> {
    let mut shares = vec![0_i64; captures.len()];
    let mut left = amount.get();
    if left < 0 {
        return None;
    }

    for line in lines {
        let Some(reference) = line.reference else {
            continue;
        };
        let mut wanted = line.total.get().clamp(0, left);
        for (capture, share) in captures.iter().zip(&mut shares) {
            if capture.references.contains(&reference) {
                let taken = take(capture, share, wanted);
                wanted -= taken;
                left -= taken;
            }
        }
    }
    for (capture, share) in captures.iter().zip(&mut shares) {
        left -= take(capture, share, left);
    }

    (left == 0).then(|| shares.into_iter().map(MinorUnits::new).collect())
}

/// Moves up to `wanted` from what is open on `capture` to its `share`; answers how much moved.
fn take(capture: &Open<'_>, share: &mut i64, wanted: i64) -> i64 {
    // `share` never exceeds what is open, so neither the difference nor the sum can overflow.
    let taken = wanted.min(capture.amount.get().saturating_sub(*share)).max(0);
    *share += taken;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open<'a>(amount: i64, references: &[&'a str]) -> Open<'a> {
        Open { amount: MinorUnits::new(amount), references: references.to_vec() }
    }

    fn line(reference: &str, total: i64) -> Line<'_> {
        Line { reference: Some(reference), total: MinorUnits::new(total) }
    }

    fn check(captures: &[Open<'_>], lines: &[Line<'_>], amount: i64, expected: Option<&[i64]>) {
        let shares = allocate(captures, lines, MinorUnits::new(amount))
            .map(|shares| shares.into_iter().map(MinorUnits::get).collect::<Vec<_>>());
        assert_eq!(shares.as_deref(), expected);
    }

    #[test]
    fn without_lines_the_oldest_capture_pays_first() {
        check(&[open(400, &[]), open(300, &[])], &[], 500, Some(&[400, 100]));
        check(&[open(400, &[]), open(300, &[])], &[], 0, Some(&[0, 0]));
        check(&[], &[], 0, Some(&[]));
    }

    #[test]
    fn a_line_finds_the_capture_that_holds_its_reference() {
        let captures = [open(400, &["shoe"]), open(300, &["hat"])];
        check(&captures, &[line("hat", 250)], 250, Some(&[0, 250]));
        check(&captures, &[line("hat", 250), line("shoe", 100)], 350, Some(&[100, 250]));
    }

    #[test]
    fn a_line_too_big_for_its_capture_spills_over_to_the_oldest() {
        let captures = [open(400, &["shoe"]), open(300, &["hat"])];
        check(&captures, &[line("hat", 500)], 500, Some(&[200, 300]));
    }

    #[test]
    fn the_same_reference_in_two_captures_takes_the_older_first() {
        let captures = [open(100, &["hat"]), open(100, &["shoe"]), open(100, &["hat"])];
        check(&captures, &[line("hat", 150)], 150, Some(&[100, 0, 50]));
    }

    #[test]
    fn negative_and_unnamed_lines_take_nothing_of_their_own() {
        let captures = [open(10_000, &["shirt"]), open(10_000, &["fee"])];
        let lines = [
            line("shirt", 10_000),
            line("fee", -500),
            Line { reference: None, total: MinorUnits::new(70) },
        ];
        check(&captures, &lines, 9_500, Some(&[9_500, 0]));
    }

    #[test]
    fn more_than_is_open_cannot_be_allocated() {
        check(&[open(400, &[]), open(300, &[])], &[], 701, None);
        check(&[open(400, &[])], &[], -1, None);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_within_what_is_open(
            captures in prop::collection::vec((0_i64..5_000, prop::collection::vec(0_u8..4, 0..3)), 0..6),
            lines in prop::collection::vec((prop::option::of(0_u8..5), -2_000_i64..6_000), 0..6),
            amount in 0_i64..30_000,
        ) {
            const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
            let captures: Vec<_> = captures.iter().map(|(amount, names)| Open {
                amount: MinorUnits::new(*amount),
                references: names.iter().map(|name| NAMES[usize::from(*name)]).collect(),
            }).collect();
            let lines: Vec<_> = lines.iter().map(|(name, total)| Line {
                reference: name.map(|name| NAMES[usize::from(name)]),
                total: MinorUnits::new(*total),
            }).collect();
            let total_open: i64 = captures.iter().map(|capture| capture.amount.get()).sum();
            let shares = allocate(&captures, &lines, MinorUnits::new(amount));
            prop_assert_eq!(shares.is_some(), amount <= total_open);
            if let Some(shares) = shares {
                prop_assert_eq!(shares.iter().map(|share| share.get()).sum::<i64>(), amount);
                for (share, capture) in shares.iter().zip(&captures) {
                    prop_assert!(share.get() >= 0 && *share <= capture.amount);
                }
            }
        }
    }
}
