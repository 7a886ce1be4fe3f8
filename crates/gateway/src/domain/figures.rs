//! The figures of a store: what was sold, given back, disputed and paid out, by day and currency, and
//! what follows from them.
//!
//! A figure is a sum of moves. Whatever changes a payment, a dispute or a payout says by how much it
//! moved each figure, in the same unit of work, so that a figure never says more or less than what is
//! recorded. Amounts of different currencies are never added.
//!
//! Days are days of UTC: Klarna pays out by other clocks in each region, and a store sells in many
//! countries, so no zone is everybody's. A capture or refund counts on the day on which the gateway
//! learned of it.

use std::collections::BTreeMap;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Ten thousandths: what rates are told in.
const WHOLE: i64 = 10_000;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Orders that Klarna made: how much is authorised, and how many they are.
    Authorized,
    /// Those of them that came of a confirmed checkout: charges of a customer token do not.
    Approved,
    /// Confirmed checkouts that Klarna declined.
    Declined,
    /// What was captured.
    Captured,
    /// What was given back.
    Refunded,
    /// Disputes, on the day on which they were raised.
    Disputed,
    /// Disputes that ended for the store.
    DisputeWon,
    /// Disputes that ended against it.
    DisputeLost,
    /// Sales less returns of the store's payments that are in payouts.
    Settled,
    /// What was paid out.
    PaidOut,
    /// What Klarna took for its services, with tax.
    Fees,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 11] = [
        Self::Authorized,
        Self::Approved,
        Self::Declined,
        Self::Captured,
        Self::Refunded,
        Self::Disputed,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::Settled,
        Self::PaidOut,
        Self::Fees,
    ];

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Captured => "captured",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
            Self::Settled => "settled",
            Self::PaidOut => "paid_out",
            Self::Fees => "fees",
        }
    }

    /// The figure of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }
}

/// An amount, and how many times it was added to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// In minor units.
    pub minor: i64,
    /// How many.
    pub times: i64,
}

impl Sum {
    /// One more of that amount.
    pub fn once(minor: i64) -> Self {
        Self { minor, times: 1 }
    }

    /// Both together. Sums beyond what can be written down stay at the greatest.
    pub fn plus(self, other: Self) -> Self {
        Self {
            minor: self.minor.saturating_add(other.minor),
            times: self.times.saturating_add(other.times),
        }
    }

    /// This without the other.
    pub fn minus(self, other: Self) -> Self {
        Self {
            minor: self.minor.saturating_sub(other.minor),
            times: self.times.saturating_sub(other.times),
        }
    }

    /// Whether it is nothing.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// By how much a figure moved on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub figure: Figure,
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// The currency, by its three letters.
    pub currency: String,
    /// By how much.
    pub by: Sum,
}

/// Which day of UTC a time is of.
pub fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// When a day begins.
pub fn begin_of(day: i64) -> i64 {
    day.saturating_mul(DAY_MS)
}

/// What leads from what something stood for to what it stands for now: one move for each place that
/// changed. However often it is asked, moves add up to what is stood for in the end.
pub fn between(before: &[Move], after: &[Move]) -> Vec<Move> {
    let mut places: BTreeMap<(Figure, i64, &str), Sum> = BTreeMap::new();
    for each in after {
        let sum = places.entry((each.figure, each.day, &each.currency)).or_default();
        *sum = sum.plus(each.by);
    }
    for each in before {
        let sum = places.entry((each.figure, each.day, &each.currency)).or_default();
        *sum = sum.minus(each.by);
    }
    places
        .into_iter()
        .filter(|(_, by)| !by.is_nothing())
        .map(|((figure, day, currency), by)| Move {
            figure,
            day,
            currency: currency.to_owned(),
            by,
        })
        .collect()
}

/// The approved share of what was confirmed, in ten thousandths, rounded down; nothing while there is
/// nothing to judge by.
pub fn approval_rate(approved: i64, refused: i64) -> Option<i64> {
    let (approved, refused) = (approved.max(0), refused.max(0));
    let all = i128::from(approved) + i128::from(refused);
    if all == 0 {
        return None;
    }
    i64::try_from(i128::from(approved) * i128::from(WHOLE) / all).ok()
}

/// The figures of one day, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<Figure, Sum>);

impl Sums {
    /// One of them.
    pub fn of(&self, figure: Figure) -> Sum {
        self.0.get(&figure).copied().unwrap_or_default()
    }

    /// Adds to one of them.
    pub fn add(&mut self, figure: Figure, by: Sum) {
        let sum = self.0.entry(figure).or_default();
        *sum = sum.plus(by);
    }

    /// The approved share of the confirmed checkouts.
    pub fn approval_rate(&self) -> Option<i64> {
        approval_rate(self.of(Figure::Approved).times, self.of(Figure::Declined).times)
    }

    /// Captured, not given back, and in no payout yet; before Klarna's fees, which are known once a
    /// payout is made. Below zero when more is to be given back than is to come.
    pub fn to_come(&self) -> i64 {
        let of = |figure| i128::from(self.of(figure).minor);
        let sum = of(Figure::Captured) - of(Figure::Refunded) - of(Figure::Settled);
        i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
    }
}

/// One currency over a span of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The currency.
    pub currency: String,
    /// Every day of the span, the first one first, also those on which nothing was.
    pub days: Vec<(i64, Sums)>,
    /// The span as a whole.
    pub span: Sums,
    /// Since the beginning.
    pub ever: Sums,
}

/// What a look at the figures finds: moves within a span of days, and those since the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Within the span, by day.
    pub within: Vec<Move>,
    /// Since the beginning; their days do not matter.
    pub ever: Vec<Move>,
}

/// Draws up the reports of a span of days, both ends included: one for each currency in which anything
/// ever was, those with the most captured in the span first.
pub fn reports(found: &Found, first_day: i64, last_day: i64) -> Vec<Report> {
    let mut reports: BTreeMap<&str, Report> = BTreeMap::new();
    for each in found.ever.iter().chain(&found.within) {
        reports.entry(&each.currency).or_insert_with(|| Report {
            currency: each.currency.clone(),
            days: (first_day..=last_day).map(|day| (day, Sums::default())).collect(),
            span: Sums::default(),
            ever: Sums::default(),
        });
    }
    for each in &found.ever {
        if let Some(report) = reports.get_mut(each.currency.as_str()) {
            report.ever.add(each.figure, each.by);
        }
    }
    for each in &found.within {
        let Some(report) = reports.get_mut(each.currency.as_str()) else { continue };
        let place = each.day.checked_sub(first_day).and_then(|place| usize::try_from(place).ok());
        let Some((_, day)) = place.and_then(|place| report.days.get_mut(place)) else { continue };
        day.add(each.figure, each.by);
        report.span.add(each.figure, each.by);
    }
    let mut reports: Vec<Report> = reports.into_values().collect();
    reports.sort_by_key(|report| std::cmp::Reverse(report.span.of(Figure::Captured).minor));
    reports
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_move() -> impl Strategy<Value = Move> {
        (
            prop::sample::select(Figure::ALL.to_vec()),
            0..5_i64,
            prop::sample::select(vec!["SEK", "EUR"]),
            -1000..1000_i64,
            -3..3_i64,
        )
            .prop_map(|(figure, day, currency, minor, times)| Move {
                figure,
                day,
                currency: currency.to_owned(),
                by: Sum { minor, times },
            })
    }

    fn any_moves() -> impl Strategy<Value = Vec<Move>> {
        prop::collection::vec(any_move(), 0..12)
    }

    proptest! {
        /// Whatever something stood for in between, the moves lead to what it stands for in the end.
        #[test]
        fn moves_add_up_to_what_is_stood_for(history in prop::collection::vec(any_moves(), 1..6)) {
            let mut all = Vec::new();
            let mut before: &[Move] = &[];
            for after in &history {
                all.extend(between(before, after));
                before = after;
            }
            prop_assert_eq!(between(&[], &all), between(&[], before));
            prop_assert!(between(before, before).is_empty());
        }

        /// Each currency has its own report, and what is in one is in no other.
        #[test]
        fn currencies_are_never_mixed(within in any_moves(), ever in any_moves()) {
            let found = Found { within, ever };
            let reports = reports(&found, 1, 3);
            for report in &reports {
                prop_assert_eq!(report.days.len(), 3);
                for figure in Figure::ALL {
                    let own = |each: &&Move| each.currency == report.currency && each.figure == figure;
                    let sum = |moves: &[Move], fits: &dyn Fn(&Move) -> bool| {
                        moves.iter().filter(own).filter(|each| fits(each))
                            .fold(Sum::default(), |sum, each| sum.plus(each.by))
                    };
                    prop_assert_eq!(report.ever.of(figure), sum(&found.ever, &|_| true));
                    let in_span = |each: &Move| (1..=3).contains(&each.day);
                    prop_assert_eq!(report.span.of(figure), sum(&found.within, &in_span));
                    let by_day = report.days.iter()
                        .fold(Sum::default(), |sum, (_, day)| sum.plus(day.of(figure)));
                    prop_assert_eq!(by_day, report.span.of(figure));
                }
            }
            let known: Vec<_> = reports.iter().map(|report| report.currency.as_str()).collect();
            for each in found.ever.iter().chain(&found.within) {
                prop_assert!(known.contains(&each.currency.as_str()));
            }
        }

        #[test]
        fn a_rate_is_between_none_and_all(approved in 0..i64::MAX, refused in 0..i64::MAX) {
            match approval_rate(approved, refused) {
                None => prop_assert_eq!((approved, refused), (0, 0)),
                Some(rate) => {
                    prop_assert!((0..=10_000).contains(&rate));
                    prop_assert_eq!(rate == 10_000, refused == 0);
                }
            }
        }

        #[test]
        fn a_day_holds_its_beginning(at_ms in -4_000_000_000_000..4_000_000_000_000_i64) {
            let day = day_of(at_ms);
            prop_assert!(begin_of(day) <= at_ms && at_ms < begin_of(day + 1));
        }
    }

    #[test]
    fn what_is_to_come_is_what_was_captured_less_what_went_back_and_what_was_settled() {
        let mut sums = Sums::default();
        sums.add(Figure::Captured, Sum::once(10_000));
        sums.add(Figure::Refunded, Sum::once(2_500));
        assert_eq!(sums.to_come(), 7_500);
        sums.add(Figure::Settled, Sum::once(10_000));
        assert_eq!(sums.to_come(), -2_500, "the refund is taken from a later payout");
        sums.add(Figure::Settled, Sum::once(-2_500));
        assert_eq!(sums.to_come(), 0);
    }

    #[test]
    fn names_lead_back() {
        for figure in Figure::ALL {
            assert_eq!(Figure::from_name(figure.name()), Some(figure));
        }
    }
}
