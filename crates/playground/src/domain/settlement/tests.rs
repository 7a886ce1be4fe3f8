//! The rules of payouts: when periods close, what fees are, what becomes of a shortfall.

use jiff::{SignedDuration, Timestamp};
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{DetailedType, SettlementType, Totals, TransactionType};
use proptest::prelude::*;

use super::payout::Settled;
use super::terms::{Weekday, Zone};
use super::*;

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When money leaves for something that happened at `happened`.
fn check_close(terms: &SettlementTerms, currency: &str, happened: &str, expected: &str) {
    let calendar = Calendar::new(terms, &Currency::from(currency), Lane::Payout);
    let close = calendar.first_taking(at(happened), Wait::Delay);
    assert_eq!(close, at(expected), "{happened}");
    assert!(calendar.cutoff_at(close) > at(happened));
}

#[test]
fn the_documented_weekly_example_holds() {
    let weekly = SettlementTerms {
        schedule: Schedule::Weekly,
        weekday: Weekday::Wednesday,
        delay_days: 7,
        ..SettlementTerms::default()
    };
    // A Friday's capture skips the next Wednesday; the report is there on the Thursday after the other.
    check_close(&weekly, "EUR", "2026-03-06T12:00:00Z", "2026-03-19T00:00:00Z");
    // A Wednesday's is still in time for the next one, a Thursday's is not.
    check_close(&weekly, "EUR", "2026-03-04T23:59:59.999Z", "2026-03-12T00:00:00Z");
    check_close(&weekly, "EUR", "2026-03-05T00:00:00Z", "2026-03-19T00:00:00Z");
}

#[test]
fn days_end_at_midnight_of_the_region() {
    let daily = SettlementTerms::default();
    check_close(&daily, "EUR", "2026-03-02T23:59:59Z", "2026-03-03T00:00:00Z");
    // British summer time.
    check_close(&daily, "SEK", "2026-07-02T22:59:59Z", "2026-07-02T23:00:00Z");
    check_close(&daily, "SEK", "2026-07-02T23:00:00Z", "2026-07-03T23:00:00Z");
    check_close(&daily, "USD", "2026-03-02T04:59:59Z", "2026-03-02T05:00:00Z");
    check_close(&daily, "CAD", "2026-07-02T04:00:00Z", "2026-07-03T04:00:00Z");
    check_close(&daily, "AUD", "2026-03-02T13:59:59Z", "2026-03-02T14:00:00Z");
    check_close(&daily, "NZD", "2026-03-02T14:00:00Z", "2026-03-03T14:00:00Z");
    let utc = SettlementTerms { zone: Some(Zone::Utc), ..daily };
    check_close(&utc, "USD", "2026-03-02T04:59:59Z", "2026-03-03T00:00:00Z");
    let british = SettlementTerms { delay_days: 7, ..SettlementTerms::default() };
    check_close(&british, "GBP", "2026-03-02T12:00:00Z", "2026-03-10T00:00:00Z");
}

#[test]
fn business_days_move_a_weekend_to_monday() {
    let daily = SettlementTerms { business_days_only: true, ..SettlementTerms::default() };
    // Thursday's trade is paid on Friday; Friday's, Saturday's and Sunday's on Monday.
    check_close(&daily, "EUR", "2026-03-05T12:00:00Z", "2026-03-06T00:00:00Z");
    for happened in ["2026-03-06T12:00:00Z", "2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z"] {
        check_close(&daily, "EUR", happened, "2026-03-09T00:00:00Z");
    }
    let weekly = SettlementTerms { schedule: Schedule::Weekly, weekday: Weekday::Friday, ..daily };
    check_close(&weekly, "EUR", "2026-03-06T12:00:00Z", "2026-03-09T00:00:00Z");
    check_close(&weekly, "EUR", "2026-03-07T12:00:00Z", "2026-03-16T00:00:00Z");
}

#[test]
fn invoices_are_monthly() {
    let calendar = Calendar::new(&SettlementTerms::default(), &Currency::EUR, Lane::Invoice);
    let close = calendar.first_taking(at("2026-03-31T12:00:00Z"), Wait::Delay);
    assert_eq!(close, at("2026-03-31T23:00:00Z"));
    assert_eq!(calendar.next_after(close), at("2026-04-30T23:00:00Z"));
}

#[test]
fn fees_are_rounded_half_up_each_by_itself() {
    let fees = FeeTerms::default();
    let check = |amount: i64, share: i64, vat: i64| {
        let fee = fees.percentage_of(minor(amount));
        assert_eq!(fee, minor(share), "{amount}");
        assert_eq!(fees.vat_on(fee).amount, minor(vat), "{amount}");
    };
    check(100_000, 2_990, 598);
    check(0, 0, 0);
    check(16, 0, 0);
    check(17, 1, 0);
    check(50, 1, 0);
    check(100, 3, 1);
    check(i64::MAX, 275_778_823_901_957_797, 55_155_764_780_391_559);
    assert_eq!(fees.fixed_in(&Currency::EUR), minor(35));
    assert_eq!(fees.fixed_in(&Currency::from("JPY")), minor(0));
}

fn sum(kind: TransactionType, amount: i64, vat: i64) -> KindSum {
    KindSum { kind, amount: minor(amount), vat_amount: minor(vat) }
}

fn period(sums: Vec<KindSum>, opening_debt: i64) -> Period {
    Period {
        sums,
        opening_debt: minor(opening_debt),
        lane: Lane::Payout,
        reserve: None,
        stop: None,
    }
}

#[test]
fn the_worked_example_is_settled_as_documented() {
    let mut debt = 0;
    for (sale, returned, fee, tax, repay, deposit, settlement, closing) in [
        (100_000, 20_000, 3_000, 750, 0, 0, 76_250, 0),
        (10_000, 30_000, 400, 100, 0, 20_500, 0, 20_500),
        (50_000, 0, 1_500, 375, 20_500, 0, 27_625, 0),
    ] {
        let sums = vec![
            sum(TransactionType::Sale, sale, 0),
            sum(TransactionType::Return, returned, 0),
            sum(TransactionType::Fee, fee, tax),
        ];
        let totals = settle(&period(sums, debt)).unwrap().totals;
        assert_eq!(
            totals,
            Totals {
                sale_amount: minor(sale),
                return_amount: minor(returned),
                fee_amount: minor(fee),
                tax_amount: minor(tax),
                repay_amount: minor(repay),
                deposit_amount: minor(deposit),
                settlement_amount: minor(settlement),
                opening_debt_balance_amount: minor(debt),
                closing_debt_balance_amount: minor(closing),
                ..Totals::default()
            }
        );
        debt = closing;
    }
}

#[test]
fn reserve_and_stop_withhold_what_is_left_after_the_debt() {
    let reserve = Some(Reserve { percentage: 1_000, days: 30 });
    let sums = vec![sum(TransactionType::Sale, 10_000, 0), sum(TransactionType::Charge, 500, 0)];
    let reserved = Period { reserve, ..period(sums, 2_000) };
    let settled = settle(&reserved).unwrap();
    assert_eq!(settled.holdbacks, [(DetailedType::RollingReserve, minor(1_000))]);
    assert_eq!(settled.totals.settlement_amount, minor(6_500));
    let stopped = Period { stop: Some(Stop::UnderReview), ..reserved };
    let settled = settle(&stopped).unwrap();
    assert_eq!(
        settled.holdbacks,
        [(DetailedType::RollingReserve, minor(1_000)), (DetailedType::UnderReview, minor(6_500))]
    );
    assert_eq!(settled.totals.settlement_amount, minor(0));
    assert_eq!(settled.totals.holdback_amount, minor(7_500));
    // Nothing is withheld of nothing.
    let short = Period { opening_debt: minor(50_000), ..stopped };
    assert_eq!(settle(&short).unwrap().holdbacks, []);
}

#[test]
fn what_cannot_be_represented_is_not_settled() {
    let sums = vec![sum(TransactionType::Charge, i64::MAX, 0), sum(TransactionType::Fee, 5, 0)];
    assert_eq!(settle(&period(sums, 0)), None);
}

#[test]
fn wrong_terms_are_named() {
    let check = |change: fn(&mut SettlementTerms), expected: Option<&str>| {
        let mut terms = SettlementTerms::default();
        change(&mut terms);
        assert_eq!(terms.wrong_member(), expected);
    };
    check(|_| {}, None);
    check(|terms| terms.delay_days = 31, Some("delay_days"));
    check(|terms| terms.registration_currency = Some("EURO".into()), Some("registration_currency"));
    check(|terms| terms.fees.percentage = -1, Some("fees.percentage"));
    check(|terms| terms.fees.vat_rate = 10_001, Some("fees.vat_rate"));
    check(|terms| terms.fees.fixed = [("EUR".to_owned(), -1)].into(), Some("fees.fixed"));
    check(
        |terms| terms.reserve = Some(Reserve { percentage: 10_001, days: 1 }),
        Some("reserve.percentage"),
    );
    check(|terms| terms.reserve = Some(Reserve { percentage: 1, days: 0 }), Some("reserve.days"));
    check(|terms| terms.reports.columns = Some(vec!["amount".into()]), Some("reports.columns"));
    check(
        |terms| terms.reports.sftp_columns = Some(vec!["type".into(), "x".into()]),
        Some("reports.sftp_columns"),
    );
    check(|terms| terms.reports.delimiter = 'x', Some("reports.delimiter"));
    check(|terms| terms.reports.delimiter = '\t', None);
}

proptest! {
    #[test]
    fn a_close_takes_all_that_was_due_and_nothing_later(
        weekly in any::<bool>(),
        business_days_only in any::<bool>(),
        delay_days in 0_u8..=30,
        weekday in prop::sample::select(vec![
            Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday,
            Weekday::Friday, Weekday::Saturday, Weekday::Sunday,
        ]),
        currency in prop::sample::select(vec!["EUR", "USD", "AUD"]),
        second in 1_700_000_000_i64..1_900_000_000,
    ) {
        let schedule = if weekly { Schedule::Weekly } else { Schedule::Daily };
        let terms = SettlementTerms {
            schedule, weekday, delay_days, business_days_only, ..SettlementTerms::default()
        };
        let calendar = Calendar::new(&terms, &Currency::from(currency), Lane::Payout);
        let happened = Timestamp::from_second(second).unwrap();
        let close = calendar.first_taking(happened, Wait::Delay);
        // It is one of the closes, found by walking from one to the next, and the first that takes it.
        let mut walked = calendar.next_after(happened);
        let mut before = None;
        while calendar.cutoff_at(walked) <= happened {
            let next = calendar.next_after(walked);
            prop_assert!(next > walked);
            prop_assert!(calendar.cutoff_at(next) > calendar.cutoff_at(walked));
            before = Some(walked);
            walked = next;
        }
        prop_assert_eq!(walked, close);
        prop_assert!(before.is_none_or(|before| calendar.cutoff_at(before) <= happened));
        // Never before the delay is over, and never much later.
        let waited = close.duration_since(happened);
        let delay = SignedDuration::from_hours(24 * i64::from(delay_days));
        prop_assert!(waited > delay - SignedDuration::from_hours(1));
        prop_assert!(waited <= delay + SignedDuration::from_hours(24 * 10 + 1));
    }

    #[test]
    fn whatever_happens_the_formula_and_the_debt_add_up(
        amounts in prop::collection::vec(
            (prop::sample::select(TransactionType::KNOWN), 0_i64..1_000_000, 0_i64..1_000),
            0..12,
        ),
        correction in -1_000_000_i64..1_000_000,
        opening_debt in 0_i64..1_000_000,
        percentage in 0_i64..=10_000,
        stopped in any::<bool>(),
        invoice in any::<bool>(),
    ) {
        let mut sums: Vec<KindSum> = amounts
            .iter()
            .map(|(kind, amount, vat)| {
                let is_fee = matches!(kind, TransactionType::Fee | TransactionType::FeeRefund);
                sum(kind.clone(), *amount, if is_fee { *vat } else { 0 })
            })
            .collect();
        sums.push(sum(TransactionType::Correction, correction, 0));
        let lane = if invoice { Lane::Invoice } else { Lane::Payout };
        let opening_debt = if invoice { 0 } else { opening_debt };
        let period = Period {
            sums: sums.clone(),
            opening_debt: minor(opening_debt),
            lane,
            reserve: Some(Reserve { percentage, days: 1 }),
            stop: stopped.then_some(Stop::UnderReview),
        };
        let Settled { totals, holdbacks } = settle(&period).unwrap();
        prop_assert_eq!(
            totals.settlement_by_formula(&SettlementType::Net),
            Some(totals.settlement_amount)
        );
        prop_assert_eq!(
            totals.closing_debt_by_formula(),
            Some(totals.closing_debt_balance_amount)
        );
        prop_assert!(!totals.closing_debt_balance_amount.is_negative());
        prop_assert!(invoice || !totals.settlement_amount.is_negative());
        prop_assert!(totals.repay_amount.is_zero() || totals.deposit_amount.is_zero());
        // What happened is what is paid, withheld, and owed more or less than before.
        let happened: i64 = sums
            .iter()
            .map(|sum| match sum.kind.direction() {
                klarna_types::settlements::Direction::Minus => {
                    -sum.amount.get() - sum.vat_amount.get()
                }
                _ => sum.amount.get() + sum.vat_amount.get(),
            })
            .sum();
        let withheld: i64 = holdbacks.iter().map(|(_, amount)| amount.get()).sum();
        let owed = totals.closing_debt_balance_amount.get() - opening_debt;
        prop_assert_eq!(happened, totals.settlement_amount.get() + withheld - owed);
    }
}
