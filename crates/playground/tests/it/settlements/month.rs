//! A month of trade in seconds, and whether every book agrees at its end: captures, refunds, disputes of every
//! outcome, what Klarna books by hand, and a share that is withheld for a time, in five currencies.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use klarna_types::MinorUnits;
use klarna_types::settlements::{
    DetailedType, Direction, Payout, SettlementType, Totals, Transaction, TransactionType,
};
use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::disputes::case::{Case, enroll};
use crate::settlements::desk::{Desk, Reported, pdf_totals, read_csv, read_pdf};
use crate::sftp_client::{names, sign_in};

/// A country, and what is agreed there.
struct Market {
    country: &'static str,
    currency: &'static str,
    locale: &'static str,
    /// The fixed fee of a capture.
    fixed: i64,
    /// The fee of a dispute.
    dispute: i64,
}

const fn market(
    country: &'static str,
    currency: &'static str,
    locale: &'static str,
    fixed: i64,
    dispute: i64,
) -> Market {
    Market { country, currency, locale, fixed, dispute }
}

const MARKETS: [Market; 5] = [
    market("SE", "SEK", "sv-SE", 350, 7_500),
    market("DE", "EUR", "de-DE", 35, 750),
    market("GB", "GBP", "en-GB", 30, 600),
    market("US", "USD", "en-US", 30, 800),
    market("AU", "AUD", "en-AU", 55, 1_200),
];
const ORDERS: i64 = 1_000;
const WEEKS: i64 = 4;
const AT_ONCE: usize = 16;
/// Of so many orders one is disputed; of the captures, each outcome in turn.
const DISPUTED: i64 = 18;

/// What happened in one currency, counted by the test itself: amounts by type of transaction, and the VAT on fees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Book {
    amounts: BTreeMap<&'static str, i64>,
    tax: i64,
}

/// A share in hundredths of a percent, half up.
fn share(amount: i64, rate: i64) -> i64 {
    (amount * rate + 5_000) / 10_000
}

impl Book {
    fn add(&mut self, kind: &'static str, amount: i64) {
        *self.amounts.entry(kind).or_default() += amount;
    }

    fn capture(&mut self, amount: i64, market: &Market) {
        self.add("SALE", amount);
        for fee in [share(amount, 299), market.fixed] {
            self.add("FEE", fee);
            self.tax += share(fee, 2_500);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (kind, amount) in &other.amounts {
            self.add(kind, *amount);
        }
        self.tax += other.tax;
    }

    /// What the merchant earned.
    fn earned(&self) -> i64 {
        let signed = self.amounts.iter().map(|(kind, amount)| {
            match TransactionType::from(*kind).direction() {
                Direction::Minus => -amount,
                _ => *amount,
            }
        });
        signed.sum::<i64>() - self.tax
    }
}

/// How a dispute goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    WonOnEvidence,
    LostInspiteOfEvidence,
    Accepted,
    /// By a script that does not wait.
    Expired,
    /// By the clock alone.
    DeadlineMissed,
    /// Raised by the shopper's e-mail address at capture.
    RaisedByAddress,
}

const OUTCOMES: [Outcome; 6] = [
    Outcome::WonOnEvidence,
    Outcome::LostInspiteOfEvidence,
    Outcome::Accepted,
    Outcome::Expired,
    Outcome::DeadlineMissed,
    Outcome::RaisedByAddress,
];

impl Outcome {
    /// That of an order, if it is disputed.
    fn of(number: i64) -> Option<Self> {
        let place = usize::try_from(number / DISPUTED).unwrap() % OUTCOMES.len();
        (number % DISPUTED == 8).then(|| OUTCOMES[place])
    }

    /// Raises it over a captured order, and answers it.
    async fn play(self, world: &World, order_id: &str, amount: i64) {
        let script = match self {
            Self::WonOnEvidence => "win_on_evidence",
            Self::LostInspiteOfEvidence => "pre_arb_window_expired",
            Self::Expired => "lose_on_expiry",
            Self::Accepted | Self::DeadlineMissed => "",
            Self::RaisedByAddress => return,
        };
        let mut members = json!({ "amount": amount });
        if !script.is_empty() {
            members["script"] = json!(script);
        }
        let case = Case::over(world, order_id.to_owned(), members).await;
        match self {
            Self::WonOnEvidence | Self::LostInspiteOfEvidence => case.represent().await,
            Self::Accepted => {
                assert_eq!(case.v4("POST", "/accept-loss", &Value::Null).await.status, 202);
            }
            Self::Expired | Self::DeadlineMissed | Self::RaisedByAddress => {}
        }
    }

    /// What comes of it in the end.
    fn book(self, book: &mut Book, amount: i64, market: &Market) {
        book.add("REVERSAL", amount);
        book.add("FEE", market.dispute);
        if self == Self::WonOnEvidence {
            book.add("CREDIT", amount);
            book.add("FEE_REFUND", market.dispute);
        }
    }
}

/// One order of the month: placed, captured in one or two parts, and perhaps refunded or disputed.
async fn trade(world: &World, desk: &Desk<'_>, number: i64) -> (&'static str, Book) {
    let market = &MARKETS[usize::try_from(number).unwrap() % MARKETS.len()];
    let amount = 1_000 + (number * 7_919) % 50_000;
    let outcome = Outcome::of(number);
    let email = match outcome {
        Some(Outcome::RaisedByAddress) => "customer+dispute_lose_on_expiry@email.com",
        _ => "customer@email.com",
    };
    let (postal_code, region) = match market.country {
        "US" => ("43215", "OH"),
        "AU" => ("2600", "ACT"),
        "GB" => ("W13 3BG", ""),
        "DE" => ("10115", ""),
        _ => ("11157", ""),
    };
    // Every other order captures itself, so that both ways are in the books.
    let auto_capture = number % 2 == 0;
    let purchase = Purchase {
        country: market.country,
        currency: market.currency,
        locale: market.locale,
        email,
        payment_method: None,
        extra: json!({ "billing_address": {
            "given_name": "Alva", "family_name": "Berg", "email": email, "country": market.country,
            "street_address": "Main Street 1", "postal_code": postal_code, "city": "Townsville",
            "region": region,
        } }),
        order_extra: json!({ "auto_capture": auto_capture }),
        ..Purchase::of(amount)
    };
    let order_id = world.order(&purchase).await;
    let mut book = Book::default();
    if auto_capture {
        book.capture(amount, market);
    } else {
        let first = amount / 3;
        for part in [first, amount - first] {
            desk.capture(&order_id, part).await;
            book.capture(part, market);
        }
    }
    if number % 10 == 3 {
        let refund = amount / 2;
        desk.refund(&order_id, refund).await;
        book.add("RETURN", refund);
    }
    if let Some(outcome) = outcome {
        // Some disputes are about a part.
        let disputed = if outcome == Outcome::Accepted { amount / 2 } else { amount };
        outcome.play(world, &order_id, disputed).await;
        outcome.book(&mut book, disputed, market);
    }
    (market.currency, book)
}

/// What Klarna books by hand in a week.
async fn adjust(desk: &Desk<'_>, week: i64, books: &mut BTreeMap<&str, Book>) {
    for market in &MARKETS {
        let book = books.entry(market.currency).or_default();
        for (kind, amount) in [
            ("CHARGE", 1_111 + week),
            ("CREDIT", 222),
            ("CORRECTION", week - 2),
            ("COMMISSION", 77),
        ] {
            if amount != 0 {
                let body = json!({ "type": kind, "amount": amount, "currency": market.currency });
                desk.adjust(body).await;
                book.add(kind, amount);
            }
        }
    }
}

#[tokio::test]
async fn a_month_of_trade_is_paid_out_to_the_minor_unit() {
    for engine in common::engines().await {
        let mut world = engine.world().await;
        let door = world.running().open_sftp(([127, 0, 0, 1], 0).into()).await.unwrap();
        let desk = Desk::new(&world);
        enroll(&world).await;
        let fees: BTreeMap<&str, i64> =
            MARKETS.iter().map(|market| (market.currency, market.dispute)).collect();
        world.control("/merchants/K123456/disputes", &json!({ "fees": fees })).await;
        desk.terms(json!({
            "schedule": "weekly", "weekday": "wednesday", "delay_days": 7,
            "fees": { "vat_rate": 2_500 },
            "reserve": { "percentage": 500, "days": 10 },
            "reports": { "pdf_details": true },
        }))
        .await;
        let mut books: BTreeMap<&str, Book> = BTreeMap::new();
        let mut number = 0;
        for week in 0..WEEKS {
            let orders: Vec<i64> = (number..number + ORDERS / WEEKS).collect();
            number += ORDERS / WEEKS;
            for some in orders.chunks(AT_ONCE) {
                let traded =
                    join_all(some.iter().map(|number| trade(&world, &desk, *number))).await;
                for (currency, book) in traded {
                    books.entry(currency).or_default().merge(&book);
                }
            }
            adjust(&desk, week, &mut books).await;
            world.advance("P7D").await;
        }
        // Until the last dispute is decided.
        world.advance("P21D").await;
        let payouts = desk.payouts().await;
        assert!(payouts.len() >= MARKETS.len() * usize::try_from(WEEKS).unwrap());
        let sftp = sign_in(&door, ("K123456_kassatest", "one")).await;
        let files = names(&sftp, "/").await;
        assert_eq!(files.len(), payouts.len());
        let mut ledger = Ledger::default();
        for payout in &payouts {
            let rows = desk.rows(payout).await;
            check_payout(payout, &rows);
            check_reports(&desk, payout, &rows).await;
            let reference = payout.payment_reference.as_str();
            let file = files.iter().find(|name| name.starts_with(reference)).unwrap();
            check_sftp(&sftp.read(file).await.unwrap(), payout, &rows);
            ledger.enter(payout, &rows);
        }
        ledger.check(&desk, &books).await;
        check_summary(&desk, &payouts).await;
        world.stop().await;
    }
}

/// All payouts of a merchant, one after the other.
#[derive(Default)]
struct Ledger {
    debts: BTreeMap<String, MinorUnits>,
    /// What was paid out.
    paid: BTreeMap<String, i64>,
    /// What the rows of all payouts say, without what was withheld for a time and released.
    found: BTreeMap<String, Book>,
    captures: Vec<String>,
}

impl Ledger {
    fn enter(&mut self, payout: &Payout, rows: &[Transaction]) {
        let currency = payout.currency_code.to_string();
        let debt = self.debts.entry(currency.clone()).or_default();
        assert_eq!(*debt, payout.totals.opening_debt_balance_amount);
        *debt = payout.totals.closing_debt_balance_amount;
        *self.paid.entry(currency.clone()).or_default() += payout.totals.settlement_amount.get();
        let book = self.found.entry(currency).or_default();
        for row in rows {
            let kind = KINDS.iter().find(|kind| **kind == row.kind.as_str());
            let Some(kind) = kind else {
                let kinds = [TransactionType::Holdback, TransactionType::Release];
                assert!(kinds.contains(&row.kind), "{row:?}");
                continue;
            };
            book.add(kind, row.amount.get());
            let vat = row.vat_amount.unwrap_or_default().get();
            book.tax += if row.kind == TransactionType::FeeRefund { -vat } else { vat };
            if row.kind == TransactionType::Sale {
                self.captures.push(row.capture_id.as_ref().unwrap().to_string());
            }
        }
    }

    /// What was paid, withheld and is open, less the debt, is what was earned: all that happened, and nothing else.
    async fn check(mut self, desk: &Desk<'_>, books: &BTreeMap<&str, Book>) {
        let view =
            desk.world.send("GET", "/playground/v1/settlements?merchant_id=K123456", &[], "").await;
        let accounts = view.json["accounts"].as_array().unwrap().clone();
        for (currency, book) in books {
            let account = accounts.iter().find(|account| account["currency"] == *currency).unwrap();
            let amount = |name: &str| account[name].as_i64().unwrap();
            assert_eq!(
                self.paid[*currency] + amount("open_amount") + amount("withheld_amount")
                    - amount("debt_amount"),
                book.earned(),
                "{currency}: {account} {book:?}"
            );
            assert_eq!(amount("debt_amount"), self.debts[*currency].get());
            // By then nothing is open but what was released since.
            assert_eq!(self.found[*currency], *book, "{currency}");
        }
        let count = self.captures.len();
        assert_eq!(count, usize::try_from(ORDERS / 2 * 3).unwrap());
        self.captures.sort();
        self.captures.dedup();
        assert_eq!(self.captures.len(), count, "every capture once");
    }
}

/// The types of what happens to a merchant, in payouts or not.
const KINDS: [&str; 9] = [
    "SALE",
    "RETURN",
    "REVERSAL",
    "FEE",
    "FEE_REFUND",
    "CREDIT",
    "CHARGE",
    "CORRECTION",
    "COMMISSION",
];

/// The rows of a payout add up to its totals, and its totals obey the formula.
fn check_payout(payout: &Payout, rows: &[Transaction]) {
    let of = |kind: TransactionType| {
        let amounts = rows.iter().filter(|row| row.kind == kind).map(|row| row.amount);
        MinorUnits::checked_sum(amounts).unwrap()
    };
    let vat = |kind: TransactionType| {
        let amounts = rows.iter().filter(|row| row.kind == kind).filter_map(|row| row.vat_amount);
        MinorUnits::checked_sum(amounts).unwrap()
    };
    let totals = payout.totals;
    assert_eq!(
        totals,
        Totals {
            sale_amount: of(TransactionType::Sale),
            return_amount: of(TransactionType::Return),
            reversal_amount: of(TransactionType::Reversal),
            fee_amount: of(TransactionType::Fee),
            fee_correction_amount: of(TransactionType::Correction),
            fee_refund_amount: of(TransactionType::FeeRefund),
            commission_amount: of(TransactionType::Commission),
            tax_amount: vat(TransactionType::Fee),
            tax_refund_amount: vat(TransactionType::FeeRefund),
            charge_amount: of(TransactionType::Charge),
            credit_amount: of(TransactionType::Credit),
            holdback_amount: of(TransactionType::Holdback),
            release_amount: of(TransactionType::Release),
            ..totals
        }
    );
    assert_eq!(totals.commission_reversal_amount, MinorUnits::ZERO);
    assert_eq!(totals.settlement_by_formula(&SettlementType::Net), Some(totals.settlement_amount));
    assert_eq!(totals.closing_debt_by_formula(), Some(totals.closing_debt_balance_amount));
    // Each sale has its two fees, by the same capture.
    let purchase = [DetailedType::PurchaseFeeFixed, DetailedType::PurchaseFeePercentage];
    for sale in rows.iter().filter(|row| row.kind == TransactionType::Sale) {
        let fees: Vec<_> = rows
            .iter()
            .filter(|row| row.kind == TransactionType::Fee && row.capture_id == sale.capture_id)
            .filter_map(|row| row.detailed_type.clone())
            .filter(|detailed| purchase.contains(detailed))
            .collect();
        assert_eq!(fees, purchase);
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
    let shown = &pdf_totals(&lines)[0];
    let exponent = payout.currency_code.exponent();
    let totals = &payout.totals;
    for (label, amount) in [
        ("Sales", totals.sale_amount),
        ("Returns", totals.return_amount),
        ("Fees", totals.fee_amount),
        ("Tax", totals.tax_amount),
        ("Deposit", totals.deposit_amount),
        ("Repayment", totals.repay_amount),
        ("Settlement amount", totals.settlement_amount),
    ] {
        let expected = format!("{} {}", amount.to_decimal(exponent), payout.currency_code);
        assert_eq!(shown[label], expected, "{label}");
    }
    let detailed = lines.iter().filter(|line| line.starts_with("2026-")).count();
    assert_eq!(detailed, rows.len(), "every transaction is listed");
}

/// The file that is fetched by SFTP says the same, in its own columns.
fn check_sftp(file: &[u8], payout: &Payout, rows: &[Transaction]) {
    let [Reported { payout: reported, rows: reported_rows }] =
        &read_csv(file, b';', klarna_types::settlements::report::Format::default())[..]
    else {
        panic!("a file is of one payout")
    };
    assert_eq!(reported.totals, payout.totals);
    let key = |row: &Transaction| {
        let ids = (row.order_id.clone(), row.capture_id.clone());
        (row.kind.clone(), row.amount, ids, row.capture_date, row.currency_code.clone())
    };
    let [api, sftp] =
        [rows, reported_rows.as_slice()].map(|rows| rows.iter().map(key).collect::<Vec<_>>());
    assert_eq!(api, sftp);
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
