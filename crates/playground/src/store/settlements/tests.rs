//! Histories of trade through the database: nothing is lost, nothing is paid twice.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{
    DetailedType, Direction, PaymentReference, Totals, TransactionType,
};
use klarna_types::{MerchantId, OrderId};
use proptest::prelude::*;
use storage::{Database, Location};

use super::*;
use crate::domain::merchant::Merchant;
use crate::domain::settlement::{Reserve, Schedule, SettledAs, Stop};
use crate::store::migrations::MIGRATIONS;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const EVERYTHING: Filter = Filter { from_ms: i64::MIN, until_ms: i64::MAX, currency: None };

fn start() -> Timestamp {
    "2026-03-02T09:00:00.250Z".parse().unwrap()
}

fn merchant() -> MerchantId {
    MerchantId::new("K1")
}

fn merchant_with(terms: SettlementTerms) -> Merchant {
    let mut merchant = Merchant::new("K1");
    merchant.settings.settlements = terms;
    merchant
}

fn posting(id: &str, kind: TransactionType, amount: i64, at_ms: i64) -> Posting {
    let what = (kind, DetailedType::ManualEntry);
    Posting::new(id, merchant(), what, MinorUnits::new(amount), Currency::EUR, at_ms)
}

/// Runs what is due until `now_ms`, instant by instant, as the worker does when the clock is moved.
fn advance(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    while let Some(due_ms) = next_due_at(tx)?.filter(|due_ms| *due_ms <= now_ms) {
        run_due(tx, due_ms)?;
    }
    Ok(())
}

fn all_payouts(tx: &mut Tx<'_>) -> Result<Vec<StoredPayout>, StoreError> {
    payouts_after(tx, &merchant(), &EVERYTHING, None, 10_000)
}

/// What is open, owed and withheld in a currency, in both lanes.
fn books(tx: &mut Tx<'_>, currency: &Currency) -> Result<(i64, i64, i64), StoreError> {
    let mut sums = (0, 0, 0);
    for account in accounts_of(tx, &merchant())? {
        if account.currency == *currency {
            let balance = balance(tx, &merchant(), currency, account.lane)?;
            sums.0 += balance.open;
            sums.1 += account.debt.get();
            sums.2 += balance.withheld;
        }
    }
    Ok(sums)
}

#[tokio::test]
async fn the_same_posting_counts_once_and_a_payout_is_the_merchants_own() {
    let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
    db.write(|tx| -> Result<_, StoreError> {
        let start_ms = start().as_millisecond();
        merchants::insert(tx, &Merchant::new("K1"), 0)?;
        let sale = posting("c1", TransactionType::Sale, 1_000, start_ms);
        assert!(post(tx, &sale)?);
        assert!(!post(tx, &sale)?);
        let foreign = Posting { merchant_id: MerchantId::new("K2"), ..sale };
        assert!(post(tx, &foreign)?);
        advance(tx, start_ms + 3 * DAY_MS)?;
        let payouts = all_payouts(tx)?;
        assert_eq!(payouts.len(), 1);
        assert_eq!(payouts[0].totals.settlement_amount, MinorUnits::new(1_000));
        let reference = &payouts[0].payment_reference;
        let stranger = MerchantId::new("K2");
        assert_eq!(payout(tx, &stranger, reference)?, None);
        let page = Page { size: 10, offset: 0 };
        assert_eq!(rows_of_payout(tx, &stranger, reference, page)?, []);
        assert_eq!(transactions(tx, &stranger, Some(reference), None, page)?, (vec![], 0));
        assert_eq!(next_due_at(tx)?, None);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn reserves_are_released_and_reviews_end() {
    let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
    db.write(|tx| -> Result<_, StoreError> {
        let start_ms = start().as_millisecond();
        let mut terms = SettlementTerms {
            reserve: Some(Reserve { percentage: 1_000, days: 10 }),
            stop: Some(Stop::UnderReview),
            ..SettlementTerms::default()
        };
        merchants::insert(tx, &merchant_with(terms.clone()), 0)?;
        post(tx, &posting("c1", TransactionType::Sale, 1_000, start_ms))?;
        advance(tx, start_ms + 5 * DAY_MS)?;
        let balance = |tx: &mut Tx<'_>| books(tx, &Currency::EUR);
        assert_eq!(balance(tx)?, (0, 0, 1_000));
        let paid = |payouts: &[StoredPayout]| -> Vec<(String, i64)> {
            payouts
                .iter()
                .map(|payout| {
                    let at = timestamp(payout.payout_at_ms);
                    (at.to_string(), payout.totals.settlement_amount.get())
                })
                .collect()
        };
        assert_eq!(paid(&all_payouts(tx)?), [("2026-03-03T00:00:00Z".to_owned(), 0)]);
        terms.stop = None;
        merchants::set_settlement_terms(tx, &merchant(), &terms)?;
        reschedule(tx, &merchant(), &terms, timestamp(start_ms + 5 * DAY_MS))?;
        advance(tx, start_ms + 20 * DAY_MS)?;
        assert_eq!(
            paid(&all_payouts(tx)?),
            [
                ("2026-03-03T00:00:00Z".to_owned(), 0),
                ("2026-03-08T00:00:00Z".to_owned(), 900),
                ("2026-03-13T00:00:00Z".to_owned(), 100),
            ]
        );
        assert_eq!(balance(tx)?, (0, 0, 0));
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_weekly_merchant_whose_bank_becomes_known_is_paid_on_the_next_business_day() {
    let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
    db.write(|tx| -> Result<_, StoreError> {
        let start_ms = start().as_millisecond();
        let mut terms = SettlementTerms {
            schedule: Schedule::Weekly,
            stop: Some(Stop::InsufficientBankAccountDetails),
            ..SettlementTerms::default()
        };
        merchants::insert(tx, &merchant_with(terms.clone()), 0)?;
        post(tx, &posting("c1", TransactionType::Sale, 1_000, start_ms))?;
        // Wednesday's close; then something of the next period, which has to wait for its own.
        advance(tx, start_ms + 3 * DAY_MS)?;
        post(tx, &posting("c2", TransactionType::Sale, 70, start_ms + 3 * DAY_MS))?;
        terms.stop = None;
        merchants::set_settlement_terms(tx, &merchant(), &terms)?;
        // A Saturday.
        reschedule(tx, &merchant(), &terms, timestamp(start_ms + 5 * DAY_MS))?;
        advance(tx, start_ms + 20 * DAY_MS)?;
        let paid: Vec<_> = all_payouts(tx)?
            .iter()
            .map(|payout| {
                let at = timestamp(payout.payout_at_ms).to_string();
                (at, payout.totals.settlement_amount.get())
            })
            .collect();
        let expected = [
            ("2026-03-05T00:00:00Z", 0),
            ("2026-03-09T00:00:00Z", 1_000),
            ("2026-03-12T00:00:00Z", 70),
        ];
        assert_eq!(paid, expected.map(|(at, amount)| (at.to_owned(), amount)));
        Ok(())
    })
    .await
    .unwrap();
}

/// What happens in a history.
#[derive(Debug, Clone)]
enum Step {
    /// Money moves: type, amount, currency.
    Post(TransactionType, i64, &'static str, Wait),
    /// So many hours pass.
    Pass(i64),
    /// Everything is closed at once.
    CloseNow,
    /// The merchant gets other terms.
    Change(Box<SettlementTerms>),
}

fn terms() -> impl Strategy<Value = SettlementTerms> {
    let stops =
        vec![None, None, Some(Stop::UnderReview), Some(Stop::InsufficientBankAccountDetails)];
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0_u8..=30,
        prop::option::of((0_i64..=10_000, 1_u16..40)),
        prop::sample::select(stops),
    )
        .prop_map(|(gross, weekly, business_days_only, delay_days, reserve, stop)| {
            SettlementTerms {
                settled_as: if gross { SettledAs::Gross } else { SettledAs::Net },
                schedule: if weekly { Schedule::Weekly } else { Schedule::Daily },
                business_days_only,
                delay_days,
                reserve: reserve.map(|(percentage, days)| Reserve { percentage, days }),
                stop,
                ..SettlementTerms::default()
            }
        })
}

fn step() -> impl Strategy<Value = Step> {
    // What the engine itself posts is not posted from outside.
    let kinds: Vec<TransactionType> = TransactionType::KNOWN
        .iter()
        .filter(|kind| !matches!(kind, TransactionType::Holdback | TransactionType::Release))
        .cloned()
        .chain(std::iter::repeat_n(TransactionType::Sale, 8))
        .collect();
    prop_oneof![
        6 => (
            prop::sample::select(kinds),
            -5_000_i64..50_000,
            prop::sample::select(vec!["EUR", "USD", "AUD"]),
            prop::sample::select(vec![Wait::Delay, Wait::Delay, Wait::NextPayout]),
        ).prop_map(|(kind, amount, currency, wait)| {
            let own_sign = kind.direction() == Direction::OwnSign;
            Step::Post(kind, if own_sign { amount } else { amount.abs() }, currency, wait)
        }),
        4 => (1_i64..100).prop_map(Step::Pass),
        1 => Just(Step::CloseNow),
        1 => terms().prop_map(|terms| Step::Change(Box::new(terms))),
    ]
}

/// Lives through a history; at its end, and at every step, the books agree.
fn live(tx: &mut Tx<'_>, first: &SettlementTerms, steps: &[Step]) -> Result<(), StoreError> {
    let mut now = start();
    merchants::insert(tx, &merchant_with(first.clone()), 0)?;
    let mut terms = first.clone();
    let mut posted: BTreeMap<&str, i128> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Post(kind, amount, currency, wait) => {
                let mut posting =
                    posting(&format!("p{number}"), kind.clone(), *amount, now.as_millisecond());
                posting.currency = Currency::from(*currency);
                posting.wait = *wait;
                posting.order_id = Some(OrderId::new("o1"));
                if matches!(kind, TransactionType::Fee | TransactionType::FeeRefund) {
                    posting.vat = Some(terms.fees.vat_on(posting.amount));
                }
                *posted.entry(currency).or_default() += posting.effect();
                assert!(post(tx, &posting)?);
            }
            Step::Pass(hours) => {
                now += SignedDuration::from_hours(*hours);
                advance(tx, now.as_millisecond())?;
            }
            Step::CloseNow => {
                close_now(tx, &merchant(), None, now)?;
            }
            Step::Change(other) => {
                terms = (**other).clone();
                assert!(merchants::set_settlement_terms(tx, &merchant(), &terms)?);
                reschedule(tx, &merchant(), &terms, now)?;
            }
        }
        check_books(tx, &posted)?;
    }
    // Whatever is open, withheld or owed comes to its end in time, but for debts and stopped payouts.
    terms.stop = None;
    merchants::set_settlement_terms(tx, &merchant(), &terms)?;
    reschedule(tx, &merchant(), &terms, now)?;
    now += SignedDuration::from_hours(24 * 500);
    advance(tx, now.as_millisecond())?;
    assert_eq!(next_due_at(tx)?, None);
    check_books(tx, &posted)?;
    for currency in posted.keys() {
        let (open, _, withheld) = books(tx, &Currency::from(*currency))?;
        assert_eq!((open, withheld), (0, 0), "{currency}");
    }
    Ok(())
}

fn check_books(tx: &mut Tx<'_>, posted: &BTreeMap<&str, i128>) -> Result<(), StoreError> {
    let payouts = all_payouts(tx)?;
    let mut rows_seen = 0;
    let mut debts: BTreeMap<String, MinorUnits> = BTreeMap::new();
    let mut paid: BTreeMap<String, i128> = BTreeMap::new();
    for payout in &payouts {
        let formula = payout.totals.settlement_by_formula(&payout.settlement_type);
        assert_eq!(formula, Some(payout.totals.settlement_amount), "{payout:?}");
        *paid.entry(payout.currency.to_string()).or_default() +=
            i128::from(payout.totals.settlement_amount.get());
        if payout.settlement_type != klarna_types::settlements::SettlementType::GrossFee {
            let debt = debts.entry(payout.currency.to_string()).or_default();
            assert_eq!(*debt, payout.totals.opening_debt_balance_amount, "{payout:?}");
            *debt = payout.totals.closing_debt_balance_amount;
        }
        rows_seen += check_rows(tx, &payout.payment_reference, payout)?;
    }
    let (everything, total) =
        transactions(tx, &merchant(), None, None, Page { size: 10_000, offset: 0 })?;
    assert_eq!(i64::try_from(everything.len()).unwrap(), total);
    let open = everything.iter().filter(|row| row.payment_reference.is_none()).count();
    assert_eq!(everything.len(), rows_seen + open, "each row is in one payout, or open");
    for (currency, posted) in posted {
        let (open, debt, withheld) = books(tx, &Currency::from(*currency))?;
        let paid = paid.get(*currency).copied().unwrap_or_default();
        assert_eq!(
            paid + i128::from(open) + i128::from(withheld) - i128::from(debt),
            *posted,
            "{currency}: what was paid, is open and withheld, less the debt, is what happened"
        );
    }
    Ok(())
}

/// The rows of a payout are numbered without a gap and add up to its totals.
fn check_rows(
    tx: &mut Tx<'_>,
    reference: &PaymentReference,
    payout: &StoredPayout,
) -> Result<usize, StoreError> {
    let mut rows = Vec::new();
    loop {
        let offset = i64::try_from(rows.len()).unwrap();
        let page = rows_of_payout(tx, &merchant(), reference, Page { size: 7, offset })?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    assert_eq!(i64::try_from(rows.len()).unwrap(), payout.transactions);
    let mut by_kind: BTreeMap<&str, i64> = BTreeMap::new();
    let (mut tax, mut tax_refund) = (0, 0);
    for row in &rows {
        assert_eq!(row.payment_reference.as_ref(), Some(reference));
        let posting = &row.posting;
        assert!(
            posting.posted_at_ms / 1_000 <= payout.payout_at_ms / 1_000,
            "{posting:?} {payout:?}"
        );
        *by_kind.entry(posting.kind.as_str()).or_default() += posting.amount.get();
        let vat = posting.vat.map_or(0, |vat| vat.amount.get());
        *(if posting.kind == TransactionType::FeeRefund { &mut tax_refund } else { &mut tax }) +=
            vat;
    }
    let sum = |kind: &str| MinorUnits::new(by_kind.get(kind).copied().unwrap_or_default());
    let expected = Totals {
        sale_amount: sum("SALE"),
        return_amount: sum("RETURN"),
        reversal_amount: sum("REVERSAL").checked_sub(sum("REVERSAL_MERCHANT_PROTECTION")).unwrap(),
        fee_amount: sum("FEE"),
        fee_refund_amount: sum("FEE_REFUND"),
        fee_correction_amount: sum("CORRECTION"),
        commission_amount: sum("COMMISSION"),
        tax_amount: sum("TAX").checked_add(MinorUnits::new(tax)).unwrap(),
        tax_refund_amount: MinorUnits::new(tax_refund),
        charge_amount: sum("CHARGE"),
        credit_amount: sum("CREDIT"),
        holdback_amount: sum("HOLDBACK"),
        release_amount: sum("RELEASE"),
        ..payout.totals
    };
    assert_eq!(payout.totals, expected);
    Ok(rows.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn in_every_history_nothing_is_lost_and_nothing_is_paid_twice(
        first in terms(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
            db.write(move |tx| live(tx, &first, &steps)).await.unwrap();
        });
    }
}
