//! The Settlements API: payouts, the transactions in them, and reports as CSV and PDF.

use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use klarna_types::settlements::report::Format;
use klarna_types::settlements::{
    PaymentReference, Payout, PayoutCollection, PayoutSummary, Transaction, TransactionCollection,
};
use klarna_types::{Currency, OrderId};

use super::operation;
use crate::call::{self, Call};
use crate::client::Client;
use crate::download::DownloadCall;
use crate::engine::Operation;
use crate::error::Error;
use crate::list::{Asked, Following, List, Next, Page, Sealed};
use crate::query::Query;
use crate::report::Rows;

const PAYOUTS: &str = "/settlements/v1/payouts";
const PAYOUT: &str = "/settlements/v1/payouts/{payment_reference}";
const SUMMARY: &str = "/settlements/v1/payouts/summary";
const TRANSACTIONS: &str = "/settlements/v1/transactions";
const PAYOUT_CSV: &str = "/settlements/v1/reports/payout-with-transactions";
const PAYOUT_PDF: &str = "/settlements/v1/reports/payout";
const PAYOUTS_CSV: &str = "/settlements/v1/reports/payouts-summary-with-transactions";
const PAYOUTS_PDF: &str = "/settlements/v1/reports/payouts-summary";

/// A span of payout dates, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

impl Period {
    /// Between two points in time.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whole days (UTC), both included. `None` if a day is out of range.
    ///
    /// ```
    /// use klarna::Period;
    /// let march = Period::days(jiff::civil::date(2026, 3, 1), jiff::civil::date(2026, 3, 31));
    /// assert_eq!(march.unwrap().end.to_string(), "2026-03-31T23:59:59Z");
    /// ```
    pub fn days(first: Date, last: Date) -> Option<Self> {
        let at = |date: Date, hour, minute, second| {
            let zoned = date.at(hour, minute, second, 0).to_zoned(jiff::tz::TimeZone::UTC);
            zoned.ok().map(|zoned| zoned.timestamp())
        };
        Some(Self { start: at(first, 0, 0, 0)?, end: at(last, 23, 59, 59)? })
    }

    fn query(self) -> Query {
        Query::default()
            .set("start_date", self.start.to_string())
            .set("end_date", self.end.to_string())
    }
}

/// Which payouts to list. An empty one lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayoutFilter {
    /// Paid in this span.
    pub period: Option<Period>,
    /// In this currency.
    pub currency_code: Option<Currency>,
    /// How many on a page, 1 to 500. Klarna's default is 20.
    pub size: Option<u32>,
    /// How many to leave out.
    pub offset: Option<u64>,
}

impl PayoutFilter {
    /// All payouts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those paid in this span.
    pub fn period(mut self, period: Period) -> Self {
        self.period = Some(period);
        self
    }

    /// Those in this currency.
    pub fn currency_code(mut self, currency: Currency) -> Self {
        self.currency_code = Some(currency);
        self
    }

    /// How many on a page.
    pub fn size(mut self, size: u32) -> Self {
        self.size = Some(size);
        self
    }

    fn query(&self) -> Query {
        self.period
            .map(Period::query)
            .unwrap_or_default()
            .maybe("currency_code", self.currency_code.as_ref())
            .maybe("size", self.size)
            .maybe("offset", self.offset)
    }
}

/// Which transactions to list. An empty one lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionFilter {
    /// Of this payout.
    pub payment_reference: Option<PaymentReference>,
    /// Of this order.
    pub order_id: Option<OrderId>,
    /// How many on a page, 1 to 500. Klarna's default is 20.
    pub size: Option<u32>,
    /// How many to leave out.
    pub offset: Option<u64>,
}

impl TransactionFilter {
    /// All transactions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of a payout.
    pub fn of_payout(payment_reference: &PaymentReference) -> Self {
        Self { payment_reference: Some(payment_reference.clone()), ..Self::default() }
    }

    /// Those of an order.
    pub fn of_order(order_id: &OrderId) -> Self {
        Self { order_id: Some(order_id.clone()), ..Self::default() }
    }

    /// How many on a page.
    pub fn size(mut self, size: u32) -> Self {
        self.size = Some(size);
        self
    }

    fn query(&self) -> Query {
        Query::default()
            .maybe("payment_reference", self.payment_reference.as_ref())
            .maybe("order_id", self.order_id.as_ref())
            .maybe("size", self.size)
            .maybe("offset", self.offset)
    }
}

/// Settlements. From [`Client::settlements`]. All calls read, and are repeated by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Settlements<'c> {
    pub(crate) client: &'c Client,
}

impl Settlements<'_> {
    /// Lists payouts: await it for one page, or take [`List::items`] for all.
    pub fn payouts(&self, filter: &PayoutFilter) -> List<PayoutCollection> {
        let operation = operation(Method::GET, PAYOUTS, &[]);
        List::new(self.client.shared(), operation, filter.query())
    }

    /// Reads a payout.
    pub fn payout(&self, payment_reference: &PaymentReference) -> Call<Payout> {
        let operation = match payment_reference.as_str() {
            // Another route has this path.
            "summary" => {
                Err(Error::invalid(format!("GET {PAYOUT}"), "no payout is called `summary`"))
            }
            reference => operation(Method::GET, PAYOUT, &[reference]),
        };
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Adds up the payouts of a span, each currency for itself.
    pub fn summary(&self, period: Period, currency: Option<&Currency>) -> Call<Vec<PayoutSummary>> {
        let query = period.query().maybe("currency_code", currency);
        Call::new(self.client.shared(), asking(SUMMARY, &query), call::json)
    }

    /// Lists transactions: await it for one page, or take [`List::items`] for all.
    pub fn transactions(&self, filter: &TransactionFilter) -> List<TransactionCollection> {
        let operation = operation(Method::GET, TRANSACTIONS, &[]);
        List::new(self.client.shared(), operation, filter.query())
    }

    /// Downloads the report of a payout as a CSV file.
    pub fn payout_csv(&self, payment_reference: &PaymentReference) -> DownloadCall {
        let query = Query::default().set("payment_reference", payment_reference.as_str());
        DownloadCall::new(self.client.shared(), asking(PAYOUT_CSV, &query), "text/csv")
    }

    /// Downloads the report of a payout as a PDF document.
    pub fn payout_pdf(&self, payment_reference: &PaymentReference) -> DownloadCall {
        let query = Query::default().set("payment_reference", payment_reference.as_str());
        DownloadCall::new(self.client.shared(), asking(PAYOUT_PDF, &query), "application/pdf")
    }

    /// Downloads the report of all payouts in a span as a CSV file.
    pub fn payouts_csv(&self, period: Period) -> DownloadCall {
        let operation = asking(PAYOUTS_CSV, &period.query());
        DownloadCall::new(self.client.shared(), operation, "text/csv")
    }

    /// Downloads the report of all payouts in a span as a PDF document.
    pub fn payouts_pdf(&self, period: Period) -> DownloadCall {
        let operation = asking(PAYOUTS_PDF, &period.query());
        DownloadCall::new(self.client.shared(), operation, "application/pdf")
    }

    /// Reads the report of a payout row by row, as it arrives. Memory does not grow with the report.
    pub fn payout_rows(&self, payment_reference: &PaymentReference) -> Rows {
        Rows::new(self.payout_csv(payment_reference), Format::default())
    }

    /// Reads the report of all payouts in a span row by row, as it arrives.
    ///
    /// ```
    /// # async fn example(client: klarna::Client, march: klarna::Period) -> Result<(), klarna::Error> {
    /// use klarna::types::settlements::report::Record;
    /// let mut rows = client.settlements().rows(march);
    /// while let Some(row) = rows.next().await {
    ///     match row? {
    ///         Record::Payout(payout) => println!("{} {}", payout.payment_reference, payout.payout_date),
    ///         Record::Transaction(row) => println!("  {} {}", row.kind, row.amount),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn rows(&self, period: Period) -> Rows {
        Rows::new(self.payouts_csv(period), Format::default())
    }
}

fn asking(route: &'static str, query: &Query) -> Result<Operation, Error> {
    let mut operation = operation(Method::GET, route, &[])?;
    operation.path = query.on(&operation.path);
    Ok(operation)
}

fn after(next: Option<&String>) -> Following {
    Following(match next.filter(|next| !next.is_empty()) {
        Some(next) => Next::Link(next.clone()),
        None => Next::End,
    })
}

impl Sealed for PayoutCollection {}

impl Page for PayoutCollection {
    type Item = Payout;

    fn following(&self, _asked: &Asked) -> Following {
        after(self.pagination.next.as_ref())
    }

    fn into_items(self) -> Vec<Payout> {
        self.payouts
    }
}

impl Sealed for TransactionCollection {}

impl Page for TransactionCollection {
    type Item = Transaction;

    fn following(&self, _asked: &Asked) -> Following {
        after(self.pagination.next.as_ref())
    }

    fn into_items(self) -> Vec<Transaction> {
        self.transactions
    }
}
