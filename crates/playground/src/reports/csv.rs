//! The CSV report, as a stream.

use std::collections::VecDeque;
use std::pin::Pin;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use klarna_types::MerchantId;
use klarna_types::settlements::report::{
    COLUMNS, Column, OLDER_SUMMARY, SFTP_COLUMNS, SUMMARY, SummaryColumn, write_payout_cell,
    write_transaction_cell,
};
use klarna_types::settlements::{PaymentReference, Payout};

use super::{ReportError, terms_of};
use crate::app::App;
use crate::domain::settlement::{ReportTerms, SummaryLayout};
use crate::store::StoreError;
use crate::store::settlements::{self, Filter, Page, StoredPayout, StoredTransaction};

/// How many rows are in memory at once.
const ROWS: i64 = 1_000;

/// How many payouts are looked up at once.
const PAYOUTS: i64 = 100;

/// A report, piece by piece.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, ReportError>> + Send>>;

/// Whose choice of columns a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// That for the API.
    Api,
    /// That for files sent by SFTP.
    Sftp,
}

/// The CSV report of one payout. Nothing when the merchant has no such payout.
pub(crate) async fn payout_csv(
    app: &App,
    merchant_id: &MerchantId,
    payment_reference: &PaymentReference,
    columns: Columns,
) -> Result<Option<Chunks>, StoreError> {
    let (merchant, reference) = (merchant_id.clone(), payment_reference.clone());
    let payout = app.db().read(move |tx| settlements::payout(tx, &merchant, &reference)).await?;
    Ok(payout.map(|payout| {
        let state = State {
            app: app.clone(),
            merchant_id: merchant_id.clone(),
            sheet: Sheet::new(terms_of(app, merchant_id).reports, columns),
            waiting: VecDeque::from([payout]),
            current: None,
            more: None,
        };
        state.chunks()
    }))
}

/// The CSV report of all payouts in a range, the oldest first: the report of each, one after the other.
pub(crate) fn payouts_csv(
    app: &App,
    merchant_id: &MerchantId,
    filter: Filter,
    columns: Columns,
) -> Chunks {
    let state = State {
        app: app.clone(),
        merchant_id: merchant_id.clone(),
        sheet: Sheet::new(terms_of(app, merchant_id).reports, columns),
        waiting: VecDeque::new(),
        current: None,
        more: Some((filter, None)),
    };
    state.chunks()
}

/// Where a report stands.
struct State {
    app: App,
    merchant_id: MerchantId,
    sheet: Sheet,
    /// Payouts whose turn is to come.
    waiting: VecDeque<StoredPayout>,
    /// The payout whose rows are being written, and how many of them are.
    current: Option<(PaymentReference, i64)>,
    /// Where to look for further payouts: after the one that is named.
    more: Option<(Filter, Option<StoredPayout>)>,
}

impl State {
    fn chunks(self) -> Chunks {
        Box::pin(try_unfold(self, |mut state| async move {
            Ok(state.next().await?.map(|chunk| (chunk, state)))
        }))
    }

    /// The next piece, or nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ReportError> {
        loop {
            if let Some((reference, position)) = self.current.take() {
                let merchant_id = self.merchant_id.clone();
                let page = Page { size: ROWS, offset: position };
                let wanted = reference.clone();
                let rows = self
                    .app
                    .db()
                    .read(move |tx| settlements::rows_of_payout(tx, &merchant_id, &wanted, page))
                    .await?;
                let count = i64::try_from(rows.len()).unwrap_or(ROWS);
                if count == ROWS {
                    self.current = Some((reference, position.saturating_add(count)));
                }
                if count > 0 {
                    return Ok(Some(self.sheet.rows(rows)?));
                }
            } else if let Some(payout) = self.waiting.pop_front() {
                let head = self.sheet.head(&payout.payout())?;
                self.current = Some((payout.payment_reference, 0));
                return Ok(Some(head));
            } else if let Some((filter, after)) = self.more.take() {
                let merchant_id = self.merchant_id.clone();
                let wanted = filter.clone();
                let payouts = self
                    .app
                    .db()
                    .read(move |tx| {
                        settlements::payouts_after(
                            tx,
                            &merchant_id,
                            &wanted,
                            after.as_ref(),
                            PAYOUTS,
                        )
                    })
                    .await?;
                self.more = payouts.last().map(|last| (filter, Some(last.clone())));
                self.waiting.extend(payouts);
            } else {
                return Ok(None);
            }
        }
    }
}

/// How the records look.
struct Sheet {
    terms: ReportTerms,
    summary: &'static [SummaryColumn],
    columns: Vec<Column>,
    cell: String,
}

impl Sheet {
    fn new(terms: ReportTerms, columns: Columns) -> Self {
        let (chosen, usual) = match columns {
            Columns::Api => (&terms.columns, COLUMNS),
            Columns::Sftp => (&terms.sftp_columns, SFTP_COLUMNS),
        };
        let columns = match chosen {
            Some(names) => names.iter().map(|name| Column::from(name.as_str())).collect(),
            None => usual.to_vec(),
        };
        let summary = match terms.summary {
            SummaryLayout::Current => SUMMARY,
            SummaryLayout::Older => OLDER_SUMMARY,
        };
        Self { terms, summary, columns, cell: String::new() }
    }

    /// The summary, and the header of the rows.
    fn head(&mut self, payout: &Payout) -> Result<Bytes, ReportError> {
        let mut writer = self.writer();
        writer.write_record(self.summary.iter().map(SummaryColumn::as_str))?;
        for column in self.summary {
            self.cell.clear();
            write_payout_cell(payout, column, self.terms.format(), &mut self.cell);
            writer.write_field(&self.cell)?;
        }
        writer.write_record(None::<&[u8]>)?;
        writer.write_record(self.columns.iter().map(Column::as_str))?;
        finish(writer)
    }

    fn rows(&mut self, rows: Vec<StoredTransaction>) -> Result<Bytes, ReportError> {
        let mut writer = self.writer();
        for row in rows {
            let transaction = row.posting.transaction(row.payment_reference);
            for column in &self.columns {
                self.cell.clear();
                write_transaction_cell(&transaction, column, self.terms.format(), &mut self.cell);
                writer.write_field(&self.cell)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        finish(writer)
    }

    fn writer(&self) -> Writer<Vec<u8>> {
        WriterBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quote_style(QuoteStyle::Necessary)
            .terminator(Terminator::Any(b'\n'))
            // The terms allow ASCII only.
            .delimiter(u8::try_from(self.terms.delimiter).unwrap_or(b';'))
            .from_writer(Vec::new())
    }
}

fn finish(writer: Writer<Vec<u8>>) -> Result<Bytes, ReportError> {
    let written = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(Bytes::from(written))
}
