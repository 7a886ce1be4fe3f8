//! Settlement reports: written and read back, read in whatever pieces, and printed.

use jiff::Timestamp;
use klarna::report::ReportParser;
use klarna_types::settlements::report::{
    self, AmountFormat, Column, DateFormat, Format, Record, SUMMARY,
};
use klarna_types::settlements::{
    CustomerVat, Direction, Payout, SettlementType, Totals, Transaction, TransactionType,
};
use klarna_types::{Currency, MerchantId, MinorUnits, TaxRate};

use crate::Input;

fn payout(input: &mut Input<'_>) -> Payout {
    let money = |input: &mut Input<'_>| MinorUnits::new(input.number());
    let totals = Totals {
        sale_amount: money(input),
        return_amount: money(input),
        fee_amount: money(input),
        tax_amount: money(input),
        reversal_amount: money(input),
        settlement_amount: money(input),
        ..Totals::default()
    };
    let currency = input.choice(&[Currency::SEK, Currency::from("JPY"), Currency::from("KWD")]);
    let kind = input.choice(SettlementType::KNOWN);
    Payout::new(totals, "XISA93DJ", time(input), currency, kind, MerchantId::new("K123"))
}

/// A second between 1970 and 9999.
fn time(input: &mut Input<'_>) -> Timestamp {
    let seconds = input.number().rem_euclid(253_000_000_000);
    Timestamp::from_second(seconds).expect("within the calendar")
}

/// What a cell can say: not nothing, and no space around it.
fn words(input: &mut Input<'_>) -> Option<String> {
    let text = input.text();
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(300).collect::<String>().trim().to_owned())
}

fn transaction(input: &mut Input<'_>, currency: &Currency) -> Transaction {
    let kind = input.choice(TransactionType::KNOWN);
    let own_sign = kind.direction() == Direction::OwnSign;
    let money = |input: &mut Input<'_>| {
        let amount = input.number().max(-i64::MAX);
        MinorUnits::new(if own_sign { amount } else { amount.abs() })
    };
    let mut row = Transaction::new(kind, money(input), currency.clone());
    let flags = input.byte();
    let has = |bit: u8| flags & (1 << bit) != 0;
    row.capture_date = has(0).then(|| time(input));
    row.sale_date = has(1).then(|| time(input));
    if has(2) {
        row.vat_rate = Some(TaxRate::new(input.number()));
        row.vat_amount = Some(money(input));
    }
    if has(3) {
        row.initial_number_of_installments = Some(input.number());
    }
    for _ in 0..input.below(5).min(4) {
        row.customer_vat
            .push(CustomerVat { tax_rate: TaxRate::new(input.number()), tax_amount: money(input) });
    }
    if has(4) {
        row.merchant_reference1 = words(input);
        row.merchant_capture_reference = words(input);
    }
    if has(5) {
        row.order_id = words(input).map(klarna_types::OrderId::new);
        row.reversal_reference = words(input);
    }
    row.payment_reference = Some("XISA93DJ".into());
    row
}

/// A report as the playground writes it, read as the SDK reads it, says the same.
pub(crate) fn rows(data: &[u8]) {
    let mut input = Input::new(data);
    let format = Format {
        dates: input.choice(&[DateFormat::Iso, DateFormat::Spaced]),
        amounts: input.choice(&[AmountFormat::Dot, AmountFormat::Comma, AmountFormat::MinorUnits]),
    };
    let delimiter = input.choice(b";,\t|");
    let piece = 1 + input.below(200);
    let payout = payout(&mut input);
    let mut written = Vec::new();
    while !input.is_empty() && written.len() < 50 {
        written.push(transaction(&mut input, &payout.currency_code));
    }
    let mut writer =
        csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(Vec::new());
    let names: Vec<String> = SUMMARY.iter().map(ToString::to_string).collect();
    writer.write_record(names).unwrap();
    writer.write_record(report::payout_cells(&payout, SUMMARY, format)).unwrap();
    writer.write_record(Column::KNOWN.iter().map(Column::as_str)).unwrap();
    for row in &written {
        writer.write_record(report::transaction_cells(row, Column::KNOWN, format)).unwrap();
    }
    let text = writer.into_inner().unwrap();
    let mut parser = ReportParser::new(format);
    let mut records = Vec::new();
    for piece in text.chunks(piece) {
        records.extend(parser.push(piece).unwrap_or_else(|error| {
            panic!("{error} in {}", String::from_utf8_lossy(&text));
        }));
    }
    records.extend(parser.end().unwrap());
    assert!(matches!(records.first(), Some(Record::Payout(_))));
    let read: Vec<&Transaction> = records
        .iter()
        .filter_map(|record| match record {
            Record::Transaction(row) => Some(&**row),
            Record::Payout(_) => None,
        })
        .collect();
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(&written) {
        assert_eq!(*read, written, "in {}", String::from_utf8_lossy(&text));
    }
}

/// Any text as a report: read in pieces it says what it says as a whole.
pub(crate) fn text(data: &[u8]) {
    let size = 1 + data.first().map_or(0, |byte| usize::from(*byte));
    let data = data.get(1..).unwrap_or_default();
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut parser = ReportParser::default();
        let mut records = Vec::new();
        for piece in pieces {
            records.extend(parser.push(piece).ok()?);
        }
        records.extend(parser.end().ok()?);
        Some(records)
    };
    let whole = read(&mut std::iter::once(data));
    let pieces = read(&mut data.chunks(size));
    assert_eq!(whole, pieces);
}

/// A PDF of whatever numbers and names is one that a reader can open.
pub(crate) fn pdf(data: &[u8]) {
    let mut input = Input::new(data);
    let payout = payout(&mut input);
    let mut rows = Vec::new();
    let title = input.text();
    while !input.is_empty() && rows.len() < 200 {
        rows.push(transaction(&mut input, &payout.currency_code));
    }
    let document = playground::fuzz::pdf(&title, &payout, &rows);
    assert!(document.starts_with(b"%PDF-"));
    let tail = String::from_utf8_lossy(&document[document.len().saturating_sub(64)..]).into_owned();
    assert!(tail.trim_end().ends_with("%%EOF"), "{tail}");
    let table = tail.rsplit_once("startxref").map_or("", |(_, rest)| rest);
    let at: usize = table.split_whitespace().next().unwrap_or_default().parse().unwrap();
    assert!(document[at..].starts_with(b"xref"));
}
