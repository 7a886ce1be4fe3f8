//! Settlement reports, row by row: from a download, from a file, from whatever comes in pieces. Memory does not grow
//! with the report.
//!
//! The cells' meaning is [`klarna_types::settlements::report`]'s business; here text becomes records. Which character
//! stands between cells is found out from the first line.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use futures_core::Stream;
use klarna_types::settlements::report::{Format, Reader, Record, ReportError};

use crate::download::{Download, DownloadCall};
use crate::error::Error;

/// The longest record that is read: what is longer is no report.
const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// Reads a CSV report that comes in pieces.
///
/// ```
/// use klarna::report::ReportParser;
/// use klarna::types::settlements::report::Record;
/// let mut parser = ReportParser::default();
/// let mut rows = Vec::new();
/// for piece in ["type;amount;posting_cur", "rency\nSALE;100.00;EUR\nRETURN;-25.", "00;EUR\n"] {
///     rows.extend(parser.push(piece.as_bytes())?);
/// }
/// rows.extend(parser.end()?);
/// assert!(matches!(&rows[1], Record::Transaction(refund) if refund.amount.get() == 2500));
/// # Ok::<(), klarna::report::RowError>(())
/// ```
#[derive(Debug)]
pub struct ReportParser {
    reader: Reader,
    delimiter: Option<u8>,
    /// What was pushed and does not make a whole record yet.
    rest: Vec<u8>,
    scan: Scan,
    /// How much of the rest was looked at.
    scanned: usize,
    record: csv::StringRecord,
}

/// Where in a record the end of what was scanned is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    CellStart,
    Bare,
    Quoted,
    /// After a quote inside quotes: the end of the cell, or one half of an escaped quote.
    Quote,
}

/// A report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A record says something that its columns do not hold.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// It is not text in the form of a CSV file.
    #[error("this is no CSV report: {0}")]
    Csv(#[from] csv::Error),
    /// A record has no end.
    #[error("this is no CSV report: a record is longer than {} bytes", MAX_RECORD_BYTES)]
    TooLong,
}

impl Default for ReportParser {
    fn default() -> Self {
        Self::new(Format::default())
    }
}

impl ReportParser {
    /// A parser for reports in a format that the merchant configured. The usual one is the default.
    pub fn new(format: Format) -> Self {
        Self {
            reader: Reader::new(format),
            delimiter: None,
            rest: Vec::new(),
            scan: Scan::CellStart,
            scanned: 0,
            record: csv::StringRecord::new(),
        }
    }

    /// Takes the next piece and gives the records that are whole now.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Record>, RowError> {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.last_record_end() else {
            return if self.rest.len() > MAX_RECORD_BYTES {
                Err(RowError::TooLong)
            } else {
                Ok(Vec::new())
            };
        };
        let rest = self.rest.split_off(end);
        let whole = std::mem::replace(&mut self.rest, rest);
        self.scanned -= end;
        self.records(&whole)
    }

    /// Says that there are no more pieces, and gives the last record if no line end followed it.
    pub fn end(&mut self) -> Result<Vec<Record>, RowError> {
        let whole = std::mem::take(&mut self.rest);
        self.scanned = 0;
        self.records(&whole)
    }

    /// Looks at what is new; gives the end of the last whole record.
    fn last_record_end(&mut self) -> Option<usize> {
        let delimiter = if let Some(delimiter) = self.delimiter {
            delimiter
        } else {
            let first = self.rest.iter().position(|byte| *byte == b'\n')?;
            let delimiter = guess_delimiter(self.rest.get(..first).unwrap_or_default());
            *self.delimiter.insert(delimiter)
        };
        let mut end = None;
        for (index, byte) in self.rest.iter().enumerate().skip(self.scanned) {
            self.scan = match (self.scan, *byte) {
                (Scan::Quoted, b'"') => Scan::Quote,
                (Scan::Quoted, _) | (Scan::CellStart | Scan::Quote, b'"') => Scan::Quoted,
                (_, b'\n') => {
                    end = Some(index + 1);
                    Scan::CellStart
                }
                (_, byte) if byte == delimiter => Scan::CellStart,
                _ => Scan::Bare,
            };
        }
        self.scanned = self.rest.len();
        end
    }

    fn records(&mut self, whole: &[u8]) -> Result<Vec<Record>, RowError> {
        let delimiter = match self.delimiter {
            Some(delimiter) => delimiter,
            None => guess_delimiter(whole),
        };
        let mut lines = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(whole.len().clamp(64, 64 * 1024))
            .from_reader(whole);
        let mut records = Vec::new();
        while lines.read_record(&mut self.record)? {
            let cells: Vec<&str> = self.record.iter().collect();
            records.extend(self.reader.record(&cells)?);
        }
        Ok(records)
    }
}

/// The character that the first line has most of, among those that stand between cells. No column's name has any.
fn guess_delimiter(line: &[u8]) -> u8 {
    let count = |wanted: u8| line.split(|byte| *byte == wanted).count();
    // Of equals the last one is taken.
    [b'|', b'\t', b',', b';'].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b';')
}

/// The rows of a report: a [`Stream`] that reads the report as it is needed. From
/// [`crate::Settlements::payout_rows`] and [`crate::Settlements::rows`].
///
/// A row that cannot be read ends the stream with an error; the rows before it are good.
pub struct Rows {
    source: Source,
    parser: ReportParser,
    records: vec::IntoIter<Record>,
}

enum Source {
    Opening(Pin<Box<dyn Future<Output = Result<Download, Error>> + Send>>),
    Reading(Box<Download>),
    Ended,
}

impl Rows {
    pub(crate) fn new(call: DownloadCall, format: Format) -> Self {
        Self {
            source: Source::Opening(Box::pin(call.send())),
            parser: ReportParser::new(format),
            records: Vec::new().into_iter(),
        }
    }

    /// The next row. The same as what the [`Stream`] gives, for those who do not import a trait for it.
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn take(&mut self, records: Result<Vec<Record>, RowError>, from: &Download) -> Option<Error> {
        match records {
            Ok(records) => {
                self.records = records.into_iter();
                None
            }
            Err(error) => {
                let detail = error.to_string();
                let meta = Some(from.meta().clone());
                Some(Error::decode(from.circumstances(), meta, detail, Some(error.into())))
            }
        }
    }
}

impl Stream for Rows {
    type Item = Result<Record, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Record, Error>>> {
        loop {
            if let Some(record) = self.records.next() {
                return Poll::Ready(Some(Ok(record)));
            }
            match std::mem::replace(&mut self.source, Source::Ended) {
                Source::Opening(mut opening) => match opening.as_mut().poll(context) {
                    Poll::Ready(Ok(download)) => self.source = Source::Reading(Box::new(download)),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {
                        self.source = Source::Opening(opening);
                        return Poll::Pending;
                    }
                },
                Source::Reading(mut download) => {
                    let records = match Pin::new(&mut *download).poll_next(context) {
                        Poll::Pending => {
                            self.source = Source::Reading(download);
                            return Poll::Pending;
                        }
                        Poll::Ready(Some(Ok(piece))) => self.parser.push(&piece),
                        Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                        Poll::Ready(None) => {
                            let records = self.parser.end();
                            if let Some(error) = self.take(records, &download) {
                                return Poll::Ready(Some(Err(error)));
                            }
                            continue;
                        }
                    };
                    if let Some(error) = self.take(records, &download) {
                        return Poll::Ready(Some(Err(error)));
                    }
                    self.source = Source::Reading(download);
                }
                Source::Ended => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REPORT: &str = "\u{feff}payment_reference;settlement_currency;payout_date;merchant_id;total_sale_amount\r\n\
        XISA93DJ;EUR;2018-08-10T00:00:00Z;K123456;100.00\r\n\
        \r\n\
        type;amount;posting_currency;merchant_reference1\r\n\
        SALE;100.00;EUR;\"a \"\"quoted\"\" one; with\r\na line end\"\r\n\
        FEE;-2.99;EUR;5\" disk\r\n\
        RETURN;-1.00;EUR;";

    fn parse(pieces: &[&[u8]]) -> Vec<Record> {
        let mut parser = ReportParser::default();
        let mut records = Vec::new();
        for piece in pieces {
            records.extend(parser.push(piece).unwrap());
        }
        records.extend(parser.end().unwrap());
        records
    }

    #[test]
    fn a_report_is_read_whole() {
        let records = parse(&[REPORT.as_bytes()]);
        let references: Vec<_> = records
            .iter()
            .filter_map(|record| match record {
                Record::Transaction(row) => Some(row.merchant_reference1.as_deref()),
                Record::Payout(_) => None,
            })
            .collect();
        let quoted = "a \"quoted\" one; with\r\na line end";
        assert_eq!(references, [Some(quoted), Some("5\" disk"), None]);
        assert_eq!(records.len(), 4);
    }

    #[test]
    fn the_delimiter_is_found_out() {
        for delimiter in [";", ",", "\t", "|"] {
            let report = "type;amount;posting_currency\nSALE;1.00;EUR\n".replace(';', delimiter);
            assert_eq!(parse(&[report.as_bytes()]).len(), 1, "{delimiter:?}");
        }
        assert_eq!(parse(&[b""]).len(), 0);
    }

    #[test]
    fn what_is_no_report_is_refused_and_not_kept() {
        let mut parser = ReportParser::default();
        assert!(matches!(parser.push(&vec![b'x'; MAX_RECORD_BYTES + 1]), Err(RowError::TooLong)));
        let mut parser = ReportParser::default();
        assert!(matches!(parser.push(b"<html>\n<body>\n"), Err(RowError::Report(_))));
        let mut parser = ReportParser::default();
        assert!(matches!(parser.push(b"type;amount\n\xff\xfe;1\n"), Err(RowError::Csv(_))));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in prop::collection::vec(0..REPORT.len(), 0..20)) {
            let mut cuts = cuts;
            cuts.extend([0, REPORT.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> =
                cuts.windows(2).map(|cut| &REPORT.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(parse(&pieces), parse(&[REPORT.as_bytes()]));
        }
    }
}
