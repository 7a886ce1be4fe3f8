//! A month of trade in seconds, and whether every book agrees at its end.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use klarna_types::MinorUnits;
use klarna_types::settlements::{
    DetailedType, Payout, SettlementType, Totals, Transaction, TransactionType,
};
use serde_json::json;

use crate::common::{self, Purchase, World};
use crate::desk::{Desk, Reported, pdf_totals, read_pdf};

/// Country, currency, locale, and the fixed fee there.
const MARKETS: [(&str, &str, &str, i64); 5] = [
    ("SE", "SEK", "sv-SE", 350),
    ("DE", "EUR", "de-DE", 35),
    ("GB", "GBP", "en-GB", 30),
    ("US", "USD", "en-US", 30),
    ("AU", "AUD", "en-AU", 55),
];
const ORDERS: i64 = 1_000;
const WEEKS: i64 = 4;
const AT_ONCE: usize = 16;

/// What happened, counted by the test itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Book {
    captured: i64,
    refunded: i64,
    fees: i64,
    tax: i64,
}

/// A share in hundredths of a percent, half up.
fn share(amount: i64, rate: i64) -> i64 {
    (amount * rate + 5_000) / 10_000
}

impl Book {
    fn capture(&mut self, amount: i64, fixed: i64) {
        self.captured += amount;
        for fee in [share(amount, 299), fixed] {
            self.fees += fee;
            self.tax += share(fee, 2_500);
        }
    }
}

/// One order of the month: placed, captured in one or two parts, and perhaps refunded.
async fn trade(world: &World, desk: &Desk<'_>, number: i64) -> (&'static str, Book) {
    let market = usize::try_from(number).unwrap() % MARKETS.len();
    let (country, currency, locale, fixed) = MARKETS[market];
    let amount = 1_000 + (number * 7_919) % 50_000;
    let email = "customer@email.com";
    let (postal_code, region) = match country {
        "US" => ("43215", "OH"),
        "AU" => ("2600", "ACT"),
        "GB" => ("W13 3BG", ""),
        "DE" => ("10115", ""),
        _ => ("11157", ""),
    };
    // Every other order captures itself, so that both ways are in the books.
    let auto_capture = number % 2 == 0;
    let purchase = Purchase {
        country,
        currency,
        locale,
        email,
        payment_method: None,
        extra: json!({ "billing_address": {
            "given_name": "Alva", "family_name": "Berg", "email": email, "country": country,
            "street_address": "Main Street 1", "postal_code": postal_code, "city": "Townsville",
            "region": region,
        } }),
        order_extra: json!({ "auto_capture": auto_capture }),
        ..Purchase::of(amount)
    };
    let order_id = world.order(&purchase).await;
    let mut book = Book::default();
    if auto_capture {
        book.capture(amount, fixed);
    } else {
        let first = amount / 3;
        for part in [first, amount - first] {
            desk.capture(&order_id, part).await;
            book.capture(part, fixed);
        }
    }
    if number % 10 == 3 {
        let refund = amount / 2;
        desk.refund(&order_id, refund).await;
        book.refunded += refund;
    }
    (currency, book)
}

#[tokio::test]
async fn a_month_of_trade_is_paid_out_to_the_minor_unit() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        desk.terms(json!({
            "schedule": "weekly", "weekday": "wednesday", "delay_days": 7,
            "fees": { "vat_rate": 2_500 },
            "reports": { "pdf_details": true },
        }))
        .await;
        let mut books: BTreeMap<&str, Book> = BTreeMap::new();
        let mut number = 0;
        for _ in 0..WEEKS {
            let week: Vec<i64> = (number..number + ORDERS / WEEKS).collect();
            number += ORDERS / WEEKS;
            for some in week.chunks(AT_ONCE) {
                let traded =
                    join_all(some.iter().map(|number| trade(&world, &desk, *number))).await;
                for (currency, book) in traded {
                    let sum = books.entry(currency).or_default();
                    sum.captured += book.captured;
                    sum.refunded += book.refunded;
                    sum.fees += book.fees;
                    sum.tax += book.tax;
                }
            }
            world.advance("P7D").await;
        }
        world.advance("P14D").await;
        let payouts = desk.payouts().await;
        assert_eq!(payouts.len(), MARKETS.len() * usize::try_from(WEEKS).unwrap());
        let mut debts: BTreeMap<String, MinorUnits> = BTreeMap::new();
        let mut found: BTreeMap<String, Book> = BTreeMap::new();
        let mut paid: BTreeMap<String, i64> = BTreeMap::new();
        let mut captures = Vec::new();
        for payout in &payouts {
            let rows = desk.rows(payout).await;
            check_payout(payout, &rows);
            let debt = debts.entry(payout.currency_code.to_string()).or_default();
            assert_eq!(*debt, payout.totals.opening_debt_balance_amount);
            *debt = payout.totals.closing_debt_balance_amount;
            let book = found.entry(payout.currency_code.to_string()).or_default();
            book.captured += payout.totals.sale_amount.get();
            book.refunded += payout.totals.return_amount.get();
            book.fees += payout.totals.fee_amount.get();
            book.tax += payout.totals.tax_amount.get();
            *paid.entry(payout.currency_code.to_string()).or_default() +=
                payout.totals.settlement_amount.get();
            captures.extend(
                rows.iter()
                    .filter(|row| row.kind == TransactionType::Sale)
                    .map(|row| row.capture_id.clone().unwrap()),
            );
            check_reports(&desk, payout, &rows).await;
        }
        for (currency, book) in &books {
            assert_eq!(found[*currency], *book, "{currency}");
            assert_eq!(
                paid[*currency] - debts[*currency].get(),
                book.captured - book.refunded - book.fees - book.tax,
                "{currency}: what is paid, less the debt, is what was earned"
            );
        }
        let count = captures.len();
        assert_eq!(count, usize::try_from(ORDERS / 2 * 3).unwrap());
        captures.sort();
        captures.dedup();
        assert_eq!(captures.len(), count, "every capture once");
        check_summary(&desk, &payouts).await;
        world.stop().await;
    }
}

/// The rows of a payout add up to its totals, and its totals obey the formula.
fn check_payout(payout: &Payout, rows: &[Transaction]) {
    let of = |kind: &TransactionType| {
        let amounts = rows.iter().filter(|row| row.kind == *kind).map(|row| row.amount);
        MinorUnits::checked_sum(amounts).unwrap()
    };
    let tax = MinorUnits::checked_sum(rows.iter().filter_map(|row| row.vat_amount)).unwrap();
    let totals = payout.totals;
    assert_eq!(
        totals,
        Totals {
            sale_amount: of(&TransactionType::Sale),
            return_amount: of(&TransactionType::Return),
            fee_amount: of(&TransactionType::Fee),
            tax_amount: tax,
            settlement_amount: totals.settlement_amount,
            deposit_amount: totals.deposit_amount,
            repay_amount: totals.repay_amount,
            opening_debt_balance_amount: totals.opening_debt_balance_amount,
            closing_debt_balance_amount: totals.closing_debt_balance_amount,
            ..Totals::default()
        }
    );
    assert_eq!(totals.settlement_by_formula(&SettlementType::Net), Some(totals.settlement_amount));
    assert_eq!(totals.closing_debt_by_formula(), Some(totals.closing_debt_balance_amount));
    // Each sale has its two fees, by the same capture.
    for sale in rows.iter().filter(|row| row.kind == TransactionType::Sale) {
        let fees: Vec<_> = rows
            .iter()
            .filter(|row| row.kind == TransactionType::Fee && row.capture_id == sale.capture_id)
            .filter_map(|row| row.detailed_type.clone())
            .collect();
        assert_eq!(fees, [DetailedType::PurchaseFeeFixed, DetailedType::PurchaseFeePercentage]);
    }
}

/// CSV and PDF say the same as the API.
async fn check_reports(desk: &Desk<'_>, payout: &Payout, rows: &[Transaction]) {
    let reference = &payout.payment_reference;
    let path = format!("/reports/payout-with-transactions?payment_reference={reference}");
    let [Reported { payout: reported, rows: reported_rows }] = &desk.csv(&path).await[..] else {
        panic!("{path} is of one payout")
    };
    assert_eq!(reported.totals, payout.totals);
    assert_eq!(reported.payout_date, payout.payout_date);
    let key = |row: &Transaction| {
        (
            (row.kind.clone(), row.detailed_type.clone(), row.amount, row.vat_amount),
            (row.order_id.clone(), row.capture_id.clone(), row.refund_id.clone()),
            (row.capture_date, row.sale_date, row.currency_code.clone()),
        )
    };
    let [api, csv] =
        [rows, reported_rows.as_slice()].map(|rows| rows.iter().map(key).collect::<Vec<_>>());
    assert_eq!(api, csv);
    let path = format!("/reports/payout?payment_reference={reference}");
    let lines = read_pdf(&desk.file(&path, "application/pdf").await);
    let totals = &pdf_totals(&lines)[0];
    let exponent = payout.currency_code.exponent();
    for (label, amount) in [
        ("Sales", payout.totals.sale_amount),
        ("Returns", payout.totals.return_amount),
        ("Fees", payout.totals.fee_amount),
        ("Tax", payout.totals.tax_amount),
        ("Deposit", payout.totals.deposit_amount),
        ("Repayment", payout.totals.repay_amount),
        ("Settlement amount", payout.totals.settlement_amount),
    ] {
        let shown = format!("{} {}", amount.to_decimal(exponent), payout.currency_code);
        assert_eq!(totals[label], shown, "{label}");
    }
    let detailed = lines.iter().filter(|line| line.starts_with("2026-")).count();
    assert_eq!(detailed, rows.len(), "every transaction is listed");
}

/// The summary of a range is the sum of its payouts, and so is the range's CSV.
async fn check_summary(desk: &Desk<'_>, payouts: &[Payout]) {
    let range = "start_date=2026-01-01&end_date=2027-01-01";
    let summary = desk.get(&format!("/payouts/summary?{range}")).await;
    let summary = summary.as_array().unwrap();
    assert_eq!(summary.len(), MARKETS.len());
    for sum in summary {
        let currency = sum["summary_settlement_currency"].as_str().unwrap();
        let of = |amount: fn(&Totals) -> MinorUnits| {
            let all = payouts.iter().filter(|payout| payout.currency_code.as_str() == currency);
            json!(all.map(|payout| amount(&payout.totals).get()).sum::<i64>())
        };
        assert_eq!(sum["summary_total_sale_amount"], of(|totals| totals.sale_amount));
        assert_eq!(sum["summary_total_return_amount"], of(|totals| totals.return_amount));
        assert_eq!(sum["summary_total_fee_amount"], of(|totals| totals.fee_amount));
        assert_eq!(sum["summary_total_tax_amount"], of(|totals| totals.tax_amount));
        assert_eq!(sum["summary_total_settlement_amount"], of(|totals| totals.settlement_amount));
    }
    let csv = desk.csv(&format!("/reports/payouts-summary-with-transactions?{range}")).await;
    let [csv, api] = [
        csv.iter().map(|reported| reported.payout.totals).collect::<Vec<_>>(),
        payouts.iter().map(|payout| payout.totals).collect(),
    ];
    assert_eq!(csv, api);
}
