//! When periods close, and what they take.
//!
//! A period ends with a day of the merchant's zone, and its payout starts at the midnight that follows.
//! With a delay of so many days, a period takes what happened up to the end of the day that lies so
//! many days before its own: with a weekly close on Wednesday and a delay of seven days, what is
//! captured on a Friday is not in the next Wednesday's payout but in the one after.
//!
//! Public holidays are not known; with the rule of business days, weekends are.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use klarna_types::market::Currency;

use super::posting::{Lane, Wait};
use super::terms::{Schedule, SettlementTerms};

/// The longest gap between two closes is a month.
const LONGEST_GAP_DAYS: i64 = 32;

/// The closes of one merchant in one currency.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    zone: TimeZone,
    lane: Lane,
    schedule: Schedule,
    weekday: Weekday,
    delay_days: i64,
    business_days_only: bool,
}

impl Calendar {
    /// The closes that the terms lead to.
    pub(crate) fn new(terms: &SettlementTerms, currency: &Currency, lane: Lane) -> Self {
        Self {
            // The rules are ours and can be read; a test holds them to it.
            zone: TimeZone::posix(terms.zone_for(currency).posix()).unwrap_or(TimeZone::UTC),
            lane,
            schedule: terms.schedule,
            weekday: terms.weekday.civil(),
            delay_days: i64::from(terms.delay_days),
            business_days_only: terms.business_days_only,
        }
    }

    /// The first close after an instant.
    pub(crate) fn next_after(&self, instant: Timestamp) -> Timestamp {
        let today = self.date(instant);
        (1..=LONGEST_GAP_DAYS)
            .filter_map(|days| after(today, days))
            .find(|day| self.last_day_before(*day).is_some())
            .and_then(|day| self.midnight(day))
            .unwrap_or(Timestamp::MAX)
    }

    /// Up to when trade is taken by a close at this instant, itself excluded. At an instant between two
    /// closes: what the last one took.
    pub(crate) fn cutoff_at(&self, instant: Timestamp) -> Timestamp {
        let today = self.date(instant);
        let last_day = (0..=LONGEST_GAP_DAYS)
            .filter_map(|days| after(today, -days))
            .find_map(|day| self.last_day_before(day));
        last_day
            .and_then(|day| after(day, 1 - self.delay_days))
            .and_then(|day| self.midnight(day))
            .unwrap_or(Timestamp::MIN)
    }

    /// The first close that takes something that happened at this instant.
    pub(crate) fn first_taking(&self, happened: Timestamp, wait: Wait) -> Timestamp {
        if wait == Wait::NextPayout {
            return self.next_after(happened);
        }
        // No close before the delay is over can be the one; changing clocks shift it by hours only.
        let skip = SignedDuration::from_hours(24 * (self.delay_days - 1).max(0));
        let mut close = happened.saturating_add(skip).unwrap_or(Timestamp::MAX);
        loop {
            close = self.next_after(close);
            if close == Timestamp::MAX || self.cutoff_at(close) > happened {
                return close;
            }
        }
    }

    /// The next midnight that begins a weekday.
    pub(crate) fn next_business_day(&self, instant: Timestamp) -> Timestamp {
        let today = self.date(instant);
        (1..=7)
            .filter_map(|days| after(today, days))
            .find(|day| !is_weekend(*day))
            .and_then(|day| self.midnight(day))
            .unwrap_or(Timestamp::MAX)
    }

    /// If a payout starts on this day, the last day of its period.
    fn last_day_before(&self, day: Date) -> Option<Date> {
        let yesterday = after(day, -1)?;
        if self.lane == Lane::Invoice {
            return (day.day() == 1).then_some(yesterday);
        }
        if self.business_days_only && is_weekend(day) {
            return None;
        }
        match self.schedule {
            Schedule::Daily => Some(yesterday),
            Schedule::Weekly if yesterday.weekday() == self.weekday => Some(yesterday),
            // What would have been paid on Saturday or Sunday is paid on Monday.
            Schedule::Weekly if self.business_days_only && day.weekday() == Weekday::Monday => {
                [2, 3]
                    .into_iter()
                    .filter_map(|days| after(day, -days))
                    .find(|last| last.weekday() == self.weekday)
            }
            Schedule::Weekly => None,
        }
    }

    fn date(&self, instant: Timestamp) -> Date {
        instant.to_zoned(self.zone.clone()).date()
    }

    fn midnight(&self, day: Date) -> Option<Timestamp> {
        day.to_zoned(self.zone.clone()).ok().map(|midnight| midnight.timestamp())
    }
}

fn after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(days.days()).ok()
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}
