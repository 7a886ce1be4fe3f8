//! The Settlements API's shapes, and the CSV report: what is written is read back as the same.

use jiff::Timestamp;
use klarna_types::settlements::report::{
    self, AmountFormat, COLUMNS, Column, DateFormat, Format, OLDER_SUMMARY, Reader, Record, SUMMARY,
};
use klarna_types::settlements::{
    CustomerVat, DetailedType, Direction, Payout, PayoutCollection, PayoutSummary, SettlementType,
    Totals, Transaction, TransactionCollection, TransactionType,
};
use klarna_types::{Country, Currency, MinorUnits, TaxRate};
use proptest::prelude::*;
use serde_json::json;

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn totals() -> Totals {
    Totals {
        sale_amount: minor(100_000),
        return_amount: minor(20_000),
        fee_amount: minor(3_000),
        tax_amount: minor(750),
        settlement_amount: minor(76_250),
        ..Totals::default()
    }
}

fn payout() -> Payout {
    Payout::new(
        totals(),
        "XISA93DJ",
        at("2018-08-10T00:00:00Z"),
        Currency::SEK,
        SettlementType::Net,
        "K123456",
    )
    .transactions("https://api.klarna.com/settlements/v1/transactions?payment_reference=XISA93DJ")
}

fn sale() -> Transaction {
    let mut sale = Transaction::new(TransactionType::Sale, minor(100_000), Currency::SEK);
    sale.detailed_type = Some(DetailedType::Purchase);
    sale.capture_date = Some(at("2018-08-09T07:45:00Z"));
    sale.sale_date = Some(at("2018-08-08T07:45:00Z"));
    sale.order_id = Some("ce17b4cb-147f-48b7-b8e6-dde2fa397f04".into());
    sale.short_order_id = Some("9875QW2".into());
    sale.capture_id = Some("33db6f16-9f43-43fa-a587-cc51411c98e4".into());
    sale.merchant_reference1 = Some("WEB;1".to_owned());
    sale.payment_reference = Some("XISA93DJ".into());
    sale.purchase_country = Some(Country::SE);
    sale.shipping_country = Some(Country::NO);
    sale.initial_payment_method_type = Some("invoice".to_owned());
    sale.initial_number_of_installments = Some(3);
    sale.initial_payment_method_monthly_downpayments = Some(12);
    sale.customer_vat =
        vec![CustomerVat { tax_rate: TaxRate::percent(25), tax_amount: minor(20_000) }];
    sale
}

#[test]
fn a_payout_is_written_as_documented() {
    insta::assert_json_snapshot!(payout());
    let read: Payout = serde_json::from_value(serde_json::to_value(payout()).unwrap()).unwrap();
    assert_eq!(read, payout());
}

#[test]
fn a_transaction_is_written_with_both_spellings_and_read_with_either() {
    let written = serde_json::to_value(sale()).unwrap();
    insta::assert_json_snapshot!(written);
    assert_eq!(serde_json::from_value::<Transaction>(written.clone()).unwrap(), sale());
    for (documented, observed) in [
        ("shipping_country", "shipping_address_country"),
        ("initial_number_of_installments", "initial_payment_method_number_of_installments"),
        (
            "initial_payment_method_monthly_downpayments",
            "initial_payment_method_monthly_down_payment",
        ),
    ] {
        for name in [documented, observed] {
            let mut one = written.clone();
            one.as_object_mut().unwrap().remove(name).unwrap();
            assert_eq!(serde_json::from_value::<Transaction>(one).unwrap(), sale(), "{name}");
        }
    }
}

#[test]
fn what_wavers_is_read() {
    let read: Transaction = serde_json::from_value(json!({
        "type": "NEW_TYPE", "detailed_type": "NEW_DETAIL", "amount": 5, "currency_code": "EUR",
        "order_id": null, "capture_id": "", "refund_id": "", "surprise": {},
    }))
    .unwrap();
    assert_eq!(read.kind, TransactionType::Unknown("NEW_TYPE".to_owned()));
    assert_eq!(read.kind.direction(), Direction::OwnSign);
    assert_eq!((read.order_id, read.capture_id, read.refund_id), (None, None, None));
    let page: TransactionCollection = serde_json::from_value(
        json!({ "transactions": [], "pagination": { "count": 0, "next": null } }),
    )
    .unwrap();
    assert_eq!(page.pagination.next, None);
    let page: PayoutCollection = serde_json::from_value(json!({
        "payouts": [{
            "totals": { "sale_amount": 1, "tax_amount": null }, "payment_reference": "1",
            "payout_date": "2016-12-14T07:52:26Z", "currency_code": "USD",
            "merchant_settlement_type": "GROSS_FEE", "merchant_id": "K1",
        }],
        "pagination": { "count": 1, "total": 1, "offset": 0 },
    }))
    .unwrap();
    assert_eq!(page.payouts[0].totals, Totals { sale_amount: minor(1), ..Totals::default() });
    assert_eq!(page.payouts[0].merchant_settlement_type, SettlementType::GrossFee);
    let summary: PayoutSummary = serde_json::from_value(json!({
        "summary_payout_date_start": "2016-12-14T07:52:26Z",
        "summary_payout_date_end": "2016-12-15T07:52:26Z",
        "summary_settlement_currency": "USD",
        "summary_total_sale_amount": 500,
    }))
    .unwrap();
    assert_eq!(summary.summary_total_sale_amount, minor(500));
    assert_eq!(summary.summary_total_commission_reversal_amount, None);
}

#[test]
fn a_return_names_no_capture() {
    let row = Transaction::new(TransactionType::Return, minor(5), Currency::EUR);
    assert_eq!(serde_json::to_value(row).unwrap()["capture_id"], "");
    let row = Transaction::new(TransactionType::Credit, minor(5), Currency::EUR);
    assert_eq!(serde_json::to_value(row).unwrap().get("capture_id"), None);
}

#[test]
fn the_worked_example_obeys_the_formula() {
    let check = |sale, returned, fee, tax, repay, deposit, settlement, opening, closing| {
        let totals = Totals {
            sale_amount: minor(sale),
            return_amount: minor(returned),
            fee_amount: minor(fee),
            tax_amount: minor(tax),
            repay_amount: minor(repay),
            deposit_amount: minor(deposit),
            opening_debt_balance_amount: minor(opening),
            ..Totals::default()
        };
        assert_eq!(totals.settlement_by_formula(&SettlementType::Net), Some(minor(settlement)));
        assert_eq!(totals.closing_debt_by_formula(), Some(minor(closing)));
    };
    check(100_000, 20_000, 3_000, 750, 0, 0, 76_250, 0, 0);
    check(10_000, 30_000, 400, 100, 0, 20_500, 0, 0, 20_500);
    check(50_000, 0, 1_500, 375, 20_500, 0, 27_625, 20_500, 0);
    assert_eq!(totals().settlement_by_formula(&SettlementType::Gross), Some(minor(80_000)));
}

/// The records of a report, cells joined by `;`.
fn read_all(lines: &[&str], format: Format) -> Vec<Record> {
    let mut reader = Reader::new(format);
    lines
        .iter()
        .filter_map(|line| reader.record(&line.split(';').collect::<Vec<_>>()).unwrap())
        .collect()
}

fn names<T: ToString>(columns: &[T]) -> Vec<String> {
    columns.iter().map(ToString::to_string).collect()
}

#[test]
fn the_report_is_written_as_documented() {
    let mut text = String::new();
    for columns in [SUMMARY, OLDER_SUMMARY] {
        text.push_str(&names(columns).join(";"));
        text.push('\n');
        let cells = report::payout_cells(&payout(), columns, Format::default());
        text.push_str(&cells.join(";"));
        text.push('\n');
    }
    let mut fee = Transaction::new(TransactionType::Fee, minor(3_000), Currency::SEK);
    fee.vat_rate = Some(TaxRate::percent(25));
    fee.vat_amount = Some(minor(750));
    for columns in [COLUMNS, Column::KNOWN] {
        text.push_str(&names(columns).join(";"));
        text.push('\n');
        for row in [&sale(), &fee] {
            let cells = report::transaction_cells(row, columns, Format::default());
            text.push_str(&cells.join(";"));
            text.push('\n');
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn other_peoples_reports_are_read() {
    let lines = [
        "\u{feff}payment_reference;payout_date;settlement_currency;total_sale_amount;total_return_amount;total_tax_amount;total_settlement_amount",
        "XISA93DJ;2018-08-10 00:00:00;EUR;100.00;-20.00;-1.00;79.00",
        "",
        "posting_currency;amount;type;tax_rate;tax_amount;tax_rate_2;tax_amount_2;future_column",
        "EUR;-20,5;RETURN;;;7.00;-1,40;x",
        "EUR;-3.00;CORRECTION;;;;;",
        ";3;FEE;2000;-0.60;;;",
    ];
    let records = read_all(&lines, Format::default());
    let [
        Record::Payout(payout),
        Record::Transaction(back),
        Record::Transaction(correction),
        Record::Transaction(fee),
    ] = records.as_slice()
    else {
        panic!("{records:?}")
    };
    assert_eq!(payout.totals.return_amount, minor(2_000));
    assert_eq!(payout.totals.tax_amount, minor(100));
    assert_eq!(payout.totals.settlement_by_formula(&SettlementType::Net), Some(minor(7_900)));
    assert_eq!((back.amount, back.signed_amount()), (minor(2_050), Some(minor(-2_050))));
    assert_eq!(
        back.customer_vat,
        [CustomerVat { tax_rate: TaxRate::percent(7), tax_amount: minor(140) }]
    );
    assert_eq!(correction.signed_amount(), Some(minor(-300)));
    assert_eq!((fee.amount, fee.vat_amount), (minor(300), Some(minor(60))));
    assert_eq!(fee.currency_code, Currency::EUR);
    assert_eq!(fee.payment_reference.as_ref().unwrap().as_str(), "XISA93DJ");
}

#[test]
fn what_cannot_be_read_is_named() {
    let check = |lines: &[&str], expected: &str| {
        let mut reader = Reader::new(Format::default());
        let mut found = String::from("all read");
        for line in lines {
            if let Err(error) = reader.record(&line.split(';').collect::<Vec<_>>()) {
                found = error.to_string();
            }
        }
        assert_eq!(found, expected);
    };
    check(&["SALE;1.00"], "record 1: values before a header");
    check(&["type;amount", "SALE;1.00"], "record 2: no value in column posting_currency");
    check(&["type;posting_currency", "SALE;EUR"], "record 2: no value in column amount");
    check(
        &["type;amount;posting_currency", "SALE;1.001;EUR"],
        "record 2, column amount: an amount expected, found \"1.001\"",
    );
    check(
        &["type;amount;posting_currency", "SALE;99999999999999999999;EUR"],
        "record 2, column amount: an amount expected, found \"99999999999999999999\"",
    );
    check(
        &["type;amount;posting_currency;capture_date", "SALE;1;EUR;today"],
        "record 2, column capture_date: a time expected, found \"today\"",
    );
    check(
        &["payment_reference;payout_date", "X;2018-08-10"],
        "record 2: no value in column settlement_currency",
    );
}

proptest! {
    #[test]
    fn a_row_is_read_back_in_every_format(
        amount in -9_000_000_000_000_000_i64..9_000_000_000_000_000,
        kind in prop::sample::select(TransactionType::KNOWN),
        currency in prop::sample::select(vec!["SEK", "JPY", "KWD"]),
        amounts in prop::sample::select(vec![
            AmountFormat::Dot, AmountFormat::Comma, AmountFormat::MinorUnits,
        ]),
        dates in prop::sample::select(vec![DateFormat::Iso, DateFormat::Spaced]),
        seconds in 0_i64..4_000_000_000,
    ) {
        let own_sign = kind.direction() == Direction::OwnSign;
        let amount = if own_sign { amount } else { amount.abs() };
        let mut row = sale();
        row.kind = kind.clone();
        row.amount = minor(amount);
        row.currency_code = currency.into();
        row.capture_date = Some(Timestamp::from_second(seconds).unwrap());
        let format = Format { dates, amounts };
        let columns: Vec<Column> = Column::KNOWN.to_vec();
        let mut reader = Reader::new(format);
        let first = reader.record(&names(SUMMARY)).unwrap();
        prop_assert_eq!(first, None);
        reader.record(&report::payout_cells(&payout(), SUMMARY, format)).unwrap();
        prop_assert_eq!(reader.record(&names(&columns)).unwrap(), None);
        let cells = report::transaction_cells(&row, &columns, format);
        let read = reader.record(&cells).unwrap();
        prop_assert_eq!(read, Some(Record::Transaction(Box::new(row))));
    }

    #[test]
    fn no_record_makes_the_reader_panic(
        cells in prop::collection::vec(prop::collection::vec("[a-z_;.,0-9A-Z\u{feff}-]{0,24}|type|amount|payment_reference|posting_currency|settlement_currency|payout_date", 0..6), 0..8),
    ) {
        let mut reader = Reader::new(Format::default());
        for record in &cells {
            let _ = reader.record(record);
        }
    }
}
