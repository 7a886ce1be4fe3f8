//! The PDF report: the totals on a page, and the transactions on further ones if the merchant wants them.
//!
//! Its text is text, so that it can be searched and copied. Only the letters of Western Europe can be
//! shown without embedding a font; any other becomes a question mark.

use bytes::Bytes;
use klarna_types::MerchantId;
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{Direction, PaymentReference, Payout, SettlementType, Transaction};
use pdf_writer::types::LineCapStyle;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::terms_of;
use crate::app::App;
use crate::store::StoreError;
use crate::store::settlements::{self, Filter, Page, StoredPayout};

/// Lines below the title of a page.
const LINES: usize = 56;

/// A document lists so many transactions at most; the CSV lists all.
const DETAILS: i64 = 5_000;

/// How many payouts are looked up at once.
const PAYOUTS: i64 = 100;

const MONO: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// The PDF report of one payout. Nothing when the merchant has no such payout.
pub(crate) async fn payout_pdf(
    app: &App,
    merchant_id: &MerchantId,
    payment_reference: &PaymentReference,
) -> Result<Option<Bytes>, StoreError> {
    let (merchant, reference) = (merchant_id.clone(), payment_reference.clone());
    let with_details = terms_of(app, merchant_id).reports.pdf_details;
    let found = app
        .db()
        .read_long(move |tx| -> Result<_, StoreError> {
            let Some(payout) = settlements::payout(tx, &merchant, &reference)? else {
                return Ok(None);
            };
            let page = Page { size: DETAILS, offset: 0 };
            let rows = if with_details {
                settlements::rows_of_payout(tx, &merchant, &reference, page)?
            } else {
                Vec::new()
            };
            Ok(Some((payout, rows)))
        })
        .await?;
    Ok(found.map(|(payout, rows)| {
        let mut document = Document::default();
        document.add_totals(&payout);
        if with_details {
            let shown = rows.len();
            let mut lines = vec![details_header()];
            lines.extend(rows.into_iter().map(|row| detail(&row.posting.transaction(None))));
            let left_out = payout.transactions - i64::try_from(shown).unwrap_or(DETAILS);
            if left_out > 0 {
                lines.push(format!("... and {left_out} more; the CSV report lists all."));
            }
            document.add_pages("Transactions", &lines);
        }
        document.finish(&format!("Settlement {payment_reference}"))
    }))
}

/// The PDF report of all payouts in a range, the oldest first, a page for each; one that says so when
/// there are none.
pub(crate) async fn payouts_pdf(
    app: &App,
    merchant_id: &MerchantId,
    filter: Filter,
) -> Result<Bytes, StoreError> {
    let mut document = Document::default();
    let mut after = None;
    loop {
        let (merchant, wanted, from) = (merchant_id.clone(), filter.clone(), after);
        let payouts = app
            .db()
            .read(move |tx| {
                settlements::payouts_after(tx, &merchant, &wanted, from.as_ref(), PAYOUTS)
            })
            .await?;
        for payout in &payouts {
            document.add_totals(payout);
        }
        let Some(last) = payouts.into_iter().next_back() else { break };
        after = Some(last);
    }
    if document.pages.is_empty() {
        document.add_pages("Settlement report", &["No payouts in this period.".to_owned()]);
    }
    Ok(document.finish("Settlement report"))
}

/// A document of a payout and its rows, as they are.
pub(crate) fn document(title: &str, payout: &Payout, rows: &[Transaction]) -> Bytes {
    let mut document = Document::default();
    document.add_pages(title, &totals(payout, i64::try_from(rows.len()).unwrap_or(DETAILS)));
    document.add_pages("Transactions", &rows.iter().map(detail).collect::<Vec<_>>());
    document.finish(title)
}

/// Pages that are written, but not yet bound.
#[derive(Default)]
struct Document {
    pages: Vec<Vec<u8>>,
}

impl Document {
    fn add_totals(&mut self, stored: &StoredPayout) {
        let payout = stored.payout();
        let title = match payout.merchant_settlement_type {
            SettlementType::GrossFee => "Invoice of fees",
            SettlementType::Net | SettlementType::Gross | SettlementType::Unknown(_) => {
                "Settlement report"
            }
        };
        self.add_pages(title, &totals(&payout, stored.transactions));
    }

    fn add_pages(&mut self, title: &str, lines: &[String]) {
        for page in lines.chunks(LINES) {
            let mut content = Content::new();
            content.begin_text();
            content.set_font(BOLD, 16.0);
            content.next_line(50.0, 780.0);
            content.show(Str(&western(title)));
            content.set_font(MONO, 8.0);
            content.set_leading(12.0);
            content.next_line(0.0, -24.0);
            for line in page {
                content.show(Str(&western(line)));
                content.next_line_using_leading();
            }
            content.end_text();
            content.set_line_cap(LineCapStyle::ButtCap);
            content.move_to(50.0, 772.0).line_to(545.0, 772.0).stroke();
            self.pages.push(content.finish().to_vec());
        }
    }

    fn finish(self, title: &str) -> Bytes {
        let mut pdf = Pdf::new();
        let mut next = 1;
        let mut id = || {
            let id = Ref::new(next);
            next += 1;
            id
        };
        let (catalog, tree, info, mono, bold) = (id(), id(), id(), id(), id());
        let pages: Vec<(Ref, Ref, Vec<u8>)> =
            self.pages.into_iter().map(|content| (id(), id(), content)).collect();
        pdf.catalog(catalog).pages(tree);
        pdf.document_info(info).title(TextStr(title)).creator(TextStr("Kassa playground"));
        let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|(page, _, _)| *page)).count(count);
        for (font, name) in [(mono, &b"Courier"[..]), (bold, b"Helvetica-Bold")] {
            pdf.type1_font(font)
                .base_font(Name(name))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (page, content, stream) in &pages {
            let mut written = pdf.page(*page);
            written.media_box(Rect::new(0.0, 0.0, 595.0, 842.0)).parent(tree).contents(*content);
            written.resources().fonts().pair(MONO, mono).pair(BOLD, bold);
            written.finish();
            pdf.stream(*content, stream);
        }
        Bytes::from(pdf.finish())
    }
}

/// The lines that say what a payout is made of.
fn totals(payout: &Payout, transactions: i64) -> Vec<String> {
    let totals = &payout.totals;
    let currency = &payout.currency_code;
    let line = |label: &str, value: &str| format!("{label:<34}{value:>26}");
    let amount = |label: &str, amount: MinorUnits| {
        line(label, &format!("{} {currency}", decimal(amount, currency)))
    };
    let vat = match payout.merchant_settlement_type {
        SettlementType::Net => "This report is the invoice of the fees and the VAT on them.",
        SettlementType::Gross => "Fees and the VAT on them are invoiced separately.",
        SettlementType::GrossFee | SettlementType::Unknown(_) => "",
    };
    vec![
        line("Payment reference", payout.payment_reference.as_str()),
        line("Payout date", &format!("{:.0}", payout.payout_date)),
        line("Merchant", payout.merchant_id.as_str()),
        line("Settlement type", payout.merchant_settlement_type.as_str()),
        line("Transactions", &transactions.to_string()),
        String::new(),
        amount("Sales", totals.sale_amount),
        amount("Returns", totals.return_amount),
        amount("Reversals", totals.reversal_amount),
        amount("Fees", totals.fee_amount),
        amount("Fee corrections", totals.fee_correction_amount),
        amount("Fee refunds", totals.fee_refund_amount),
        amount("Commissions", totals.commission_amount),
        amount("Commission reversals", totals.commission_reversal_amount),
        amount("Tax", totals.tax_amount),
        amount("Tax refunds", totals.tax_refund_amount),
        amount("Charges", totals.charge_amount),
        amount("Credits", totals.credit_amount),
        amount("Holdbacks", totals.holdback_amount),
        amount("Releases", totals.release_amount),
        amount("Opening debt balance", totals.opening_debt_balance_amount),
        amount("Deposit", totals.deposit_amount),
        amount("Repayment", totals.repay_amount),
        amount("Closing debt balance", totals.closing_debt_balance_amount),
        String::new(),
        amount("Settlement amount", totals.settlement_amount),
        String::new(),
        vat.to_owned(),
    ]
}

fn details_header() -> String {
    format!("{:<21}{:<29}{:<10}{:>16}{:>14}", "Date", "Type", "Order", "Amount", "VAT")
}

fn detail(row: &Transaction) -> String {
    let date = row.capture_date.map(|at| format!("{at:.0}")).unwrap_or_default();
    let order = row.short_order_id.as_ref().map_or("", |id| id.as_str());
    let signed = |amount: MinorUnits| {
        let signed = match row.kind.direction() {
            Direction::Minus => amount.checked_neg().unwrap_or(amount),
            Direction::Plus | Direction::OwnSign => amount,
        };
        decimal(signed, &row.currency_code)
    };
    let amount = signed(row.amount);
    let vat = row.vat_amount.map(signed).unwrap_or_default();
    format!("{date:<21}{:<29}{order:<10}{amount:>16}{vat:>14}", row.kind.as_str())
}

fn decimal(amount: MinorUnits, currency: &Currency) -> String {
    amount.to_decimal(currency.exponent())
}

/// Text in the encoding of the fonts.
fn western(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| {
            // Where this encoding and Unicode agree.
            let shown = matches!(letter, ' '..='~' | '\u{a0}'..='\u{ff}');
            u8::try_from(u32::from(letter)).ok().filter(|_| shown).unwrap_or(b'?')
        })
        .collect()
}
