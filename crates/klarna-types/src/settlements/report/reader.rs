//! Reading a report record by record.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{AmountFormat, Column, Format, SummaryColumn};
use crate::ids::{CaptureId, KlarnaReference, MerchantId, OrderId, RefundId};
use crate::market::Currency;
use crate::money::{MinorUnits, TaxRate};
use crate::settlements::{
    CustomerVat, Direction, PaymentReference, Payout, SettlementType, Totals, Transaction,
    TransactionType,
};

/// What a record of a report says.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A payout begins.
    Payout(Box<Payout>),
    /// A transaction of that payout.
    Transaction(Box<Transaction>),
}

/// A record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Values before any header.
    #[error("record {record}: values before a header")]
    NoHeader {
        /// Which record, from 1, headers included.
        record: u64,
    },
    /// The columns that everything else needs are not there.
    #[error("record {record}: no value in column {column}")]
    Missing {
        /// Which record.
        record: u64,
        /// Which column.
        column: &'static str,
    },
    /// A cell is not what its column holds.
    #[error("record {record}, column {column}: {expected} expected, found {found:?}")]
    Cell {
        /// Which record.
        record: u64,
        /// Which column.
        column: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
}

/// Reads a report, one record after the other: blank ones are skipped, headers are kept, a byte order mark is
/// tolerated, and a report of many payouts is read like one of one.
#[derive(Debug, Clone)]
pub struct Reader {
    format: Format,
    records: u64,
    header: Header,
    payout: Option<(PaymentReference, Currency)>,
}

#[derive(Debug, Clone)]
enum Header {
    None,
    Summary(Vec<SummaryColumn>),
    Transactions(Vec<Column>),
}

impl Reader {
    /// A reader at the beginning of a report. Of the format only the amounts matter.
    pub fn new(format: Format) -> Self {
        Self { format, records: 0, header: Header::None, payout: None }
    }

    /// Takes the next record. Nothing for a header or a blank record.
    ///
    /// # Errors
    ///
    /// [`ReportError`] names the record and the column. The reader can go on with the next record.
    pub fn record<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<Option<Record>, ReportError> {
        self.records += 1;
        if cells.iter().all(|cell| cell.as_ref().trim().is_empty()) {
            return Ok(None);
        }
        if let Some(header) = header(cells) {
            self.header = header;
            return Ok(None);
        }
        match &self.header {
            Header::None => Err(ReportError::NoHeader { record: self.records }),
            Header::Summary(columns) => {
                let payout = self.payout_of(columns, cells)?;
                self.payout =
                    Some((payout.payment_reference.clone(), payout.currency_code.clone()));
                Ok(Some(Record::Payout(Box::new(payout))))
            }
            Header::Transactions(columns) => {
                let transaction = self.transaction_of(columns, cells)?;
                Ok(Some(Record::Transaction(Box::new(transaction))))
            }
        }
    }

    fn payout_of<S: AsRef<str>>(
        &self,
        columns: &[SummaryColumn],
        cells: &[S],
    ) -> Result<Payout, ReportError> {
        let cell = |wanted: &SummaryColumn| {
            let index = columns.iter().position(|column| column == wanted)?;
            let cell = cells.get(index)?.as_ref().trim();
            (!cell.is_empty()).then_some(cell)
        };
        let needed = |wanted: &SummaryColumn, name: &'static str| {
            cell(wanted).ok_or(ReportError::Missing { record: self.records, column: name })
        };
        let currency =
            Currency::from(needed(&SummaryColumn::SettlementCurrency, "settlement_currency")?);
        let mut totals = Totals::default();
        for (column, total) in [
            (SummaryColumn::TotalSaleAmount, &mut totals.sale_amount),
            (SummaryColumn::TotalFeeAmount, &mut totals.fee_amount),
            (SummaryColumn::TotalFeeCorrectionAmount, &mut totals.fee_correction_amount),
            (SummaryColumn::TotalTaxAmount, &mut totals.tax_amount),
            (SummaryColumn::TotalReturnAmount, &mut totals.return_amount),
            (SummaryColumn::TotalReversalAmount, &mut totals.reversal_amount),
            (SummaryColumn::TotalCommissionAmount, &mut totals.commission_amount),
            (SummaryColumn::TotalCreditAmount, &mut totals.credit_amount),
            (SummaryColumn::TotalChargeAmount, &mut totals.charge_amount),
            (SummaryColumn::TotalHoldbackAmount, &mut totals.holdback_amount),
            (SummaryColumn::TotalReleaseAmount, &mut totals.release_amount),
            (SummaryColumn::OpeningDebtBalance, &mut totals.opening_debt_balance_amount),
            (SummaryColumn::TotalDepositAmount, &mut totals.deposit_amount),
            (SummaryColumn::TotalRepayAmount, &mut totals.repay_amount),
            (SummaryColumn::ClosingDebtBalance, &mut totals.closing_debt_balance_amount),
            (SummaryColumn::TotalFeeRefundAmount, &mut totals.fee_refund_amount),
            (SummaryColumn::TotalSettlementAmount, &mut totals.settlement_amount),
        ] {
            if let Some(text) = cell(&column) {
                *total = self.amount(text, &currency, column.as_str())?;
            }
        }
        turn_signed(&mut totals);
        let settlement_type = cell(&SummaryColumn::MerchantSettlementType)
            .map_or(SettlementType::Net, SettlementType::from);
        let payout_date =
            self.time(needed(&SummaryColumn::PayoutDate, "payout_date")?, "payout_date")?;
        Ok(Payout::new(
            totals,
            needed(&SummaryColumn::PaymentReference, "payment_reference")?,
            payout_date,
            currency,
            settlement_type,
            MerchantId::new(cell(&SummaryColumn::MerchantId).unwrap_or_default()),
        ))
    }

    fn transaction_of<S: AsRef<str>>(
        &self,
        columns: &[Column],
        cells: &[S],
    ) -> Result<Transaction, ReportError> {
        let mut kind = None;
        let mut amount_text = None;
        let mut currency = self.payout.as_ref().map(|(_, currency)| currency.clone());
        for (column, cell) in columns.iter().zip(cells) {
            let cell = cell.as_ref().trim();
            match column {
                Column::Type => kind = Some(TransactionType::from(cell)),
                Column::Amount => amount_text = Some(cell),
                Column::PostingCurrency if !cell.is_empty() => currency = Some(cell.into()),
                _ => {}
            }
        }
        let missing = |column| ReportError::Missing { record: self.records, column };
        let kind = kind.ok_or_else(|| missing("type"))?;
        let currency = currency.ok_or_else(|| missing("posting_currency"))?;
        let amount_text = amount_text.ok_or_else(|| missing("amount"))?;
        let amount = unsigned(self.amount(amount_text, &currency, "amount")?, &kind);
        let mut row = Transaction::new(kind, amount, currency);
        row.payment_reference = self.payout.as_ref().map(|(reference, _)| reference.clone());
        let mut vat: [(Option<TaxRate>, Option<MinorUnits>); 4] = Default::default();
        for (column, cell) in columns.iter().zip(cells) {
            let cell = cell.as_ref().trim();
            if !cell.is_empty() {
                self.take(&mut row, &mut vat, column, cell)?;
            }
        }
        row.customer_vat = vat
            .into_iter()
            .filter_map(|(rate, amount)| {
                Some(CustomerVat { tax_rate: rate?, tax_amount: amount.unwrap_or_default() })
            })
            .collect();
        Ok(row)
    }

    /// Takes over one cell that is not empty.
    fn take(
        &self,
        row: &mut Transaction,
        vat: &mut [(Option<TaxRate>, Option<MinorUnits>); 4],
        column: &Column,
        cell: &str,
    ) -> Result<(), ReportError> {
        let name = column.as_str();
        let text = || Some(cell.to_owned());
        match column {
            Column::Type | Column::Amount | Column::PostingCurrency | Column::Unknown(_) => {}
            Column::CaptureDate => row.capture_date = Some(self.time(cell, name)?),
            Column::SaleDate => row.sale_date = Some(self.time(cell, name)?),
            Column::OrderId => row.order_id = Some(OrderId::new(cell)),
            Column::ShortOrderId => row.short_order_id = Some(KlarnaReference::new(cell)),
            Column::CaptureId => row.capture_id = Some(CaptureId::new(cell)),
            Column::MerchantReference1 => row.merchant_reference1 = text(),
            Column::MerchantReference2 => row.merchant_reference2 = text(),
            Column::RefundId => row.refund_id = Some(RefundId::new(cell)),
            Column::PurchaseCountry => row.purchase_country = Some(cell.into()),
            Column::DetailedType => row.detailed_type = Some(cell.into()),
            Column::VatRate | Column::TaxRate => row.vat_rate = Some(self.rate(cell, name)?),
            Column::VatAmount | Column::TaxAmount => {
                let amount = self.amount(cell, &row.currency_code, name)?;
                row.vat_amount = Some(unsigned(amount, &row.kind));
            }
            Column::ShippingCountry => row.shipping_country = Some(cell.into()),
            Column::InitialPaymentMethodType => row.initial_payment_method_type = text(),
            Column::InitialNumberOfInstallments => {
                row.initial_number_of_installments = Some(self.number(cell, name)?);
            }
            Column::InitialPaymentMethodMonthlyDownpayments => {
                row.initial_payment_method_monthly_downpayments = Some(self.number(cell, name)?);
            }
            Column::MerchantCaptureReference => row.merchant_capture_reference = text(),
            Column::MerchantRefundReference => row.merchant_refund_reference = text(),
            Column::TaxRate1 => vat[0].0 = Some(self.rate(cell, name)?),
            Column::TaxRate2 => vat[1].0 = Some(self.rate(cell, name)?),
            Column::TaxRate3 => vat[2].0 = Some(self.rate(cell, name)?),
            Column::TaxRate4 => vat[3].0 = Some(self.rate(cell, name)?),
            Column::TaxAmount1 => vat[0].1 = Some(self.vat_amount(row, cell, name)?),
            Column::TaxAmount2 => vat[1].1 = Some(self.vat_amount(row, cell, name)?),
            Column::TaxAmount3 => vat[2].1 = Some(self.vat_amount(row, cell, name)?),
            Column::TaxAmount4 => vat[3].1 = Some(self.vat_amount(row, cell, name)?),
            Column::ReversalReference => row.reversal_reference = text(),
        }
        Ok(())
    }

    fn vat_amount(
        &self,
        row: &Transaction,
        cell: &str,
        column: &str,
    ) -> Result<MinorUnits, ReportError> {
        Ok(unsigned(self.amount(cell, &row.currency_code, column)?, &row.kind))
    }

    fn amount(
        &self,
        cell: &str,
        currency: &Currency,
        column: &str,
    ) -> Result<MinorUnits, ReportError> {
        let exponent = match self.format.amounts {
            AmountFormat::Dot | AmountFormat::Comma => currency.exponent(),
            AmountFormat::MinorUnits => 0,
        };
        parse_amount(cell, exponent).ok_or_else(|| self.wrong(cell, column, "an amount"))
    }

    /// Hundredths of a percent, or a percentage with decimals.
    fn rate(&self, cell: &str, column: &str) -> Result<TaxRate, ReportError> {
        let exponent = if cell.contains(['.', ',']) { 2 } else { 0 };
        parse_amount(cell, exponent)
            .map(|rate| TaxRate::new(rate.get()))
            .ok_or_else(|| self.wrong(cell, column, "a rate"))
    }

    fn number(&self, cell: &str, column: &str) -> Result<i64, ReportError> {
        cell.parse().map_err(|_| self.wrong(cell, column, "a number"))
    }

    fn time(&self, cell: &str, column: &str) -> Result<Timestamp, ReportError> {
        let civil = || {
            let at_utc =
                |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
            cell.parse::<DateTime>()
                .ok()
                .or_else(|| cell.parse::<Date>().ok().map(DateTime::from))
                .and_then(at_utc)
        };
        cell.parse::<Timestamp>()
            .ok()
            .or_else(civil)
            .ok_or_else(|| self.wrong(cell, column, "a time"))
    }

    fn wrong(&self, cell: &str, column: &str, expected: &'static str) -> ReportError {
        ReportError::Cell {
            record: self.records,
            column: column.to_owned(),
            expected,
            // A cell may be as long as the file; a message may not.
            found: cell.chars().take(40).collect(),
        }
    }
}

/// The columns, if this is a header: nothing but names, and among them one that every header has.
fn header<S: AsRef<str>>(cells: &[S]) -> Option<Header> {
    let names = || {
        cells.iter().map(|cell| {
            let name = cell.as_ref().trim_start_matches('\u{feff}').trim();
            // Some reader of the file may have left the quotes behind a byte order mark.
            name.trim_matches('"')
        })
    };
    let is_name = |name: &str| {
        name.bytes().next().is_none_or(|first| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if !names().all(is_name) {
        return None;
    }
    if names().any(|name| name == "type") {
        Some(Header::Transactions(names().map(Column::from).collect()))
    } else if names().any(|name| name == "payment_reference") {
        Some(Header::Summary(names().map(SummaryColumn::from).collect()))
    } else {
        None
    }
}

/// `-1234.5` at exponent 2 is -123450. Either decimal mark, no more decimals than the exponent.
fn parse_amount(text: &str, exponent: u8) -> Option<MinorUnits> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1_i128, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let exponent = usize::from(exponent);
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    // `5.000` is 5.00: zeros that say nothing are harmless.
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > exponent {
        return None;
    }
    let units: i128 = format!("{whole}{fraction:0<exponent$}").parse().ok()?;
    MinorUnits::from_wide(sign * units)
}

/// The amount as the API has it.
fn unsigned(amount: MinorUnits, kind: &TransactionType) -> MinorUnits {
    match kind.direction() {
        Direction::Plus | Direction::Minus if amount.is_negative() => {
            amount.checked_neg().unwrap_or(amount)
        }
        Direction::Plus | Direction::Minus | Direction::OwnSign => amount,
    }
}

/// Where the debits of a summary are written as negative figures, they are turned.
fn turn_signed(totals: &mut Totals) {
    let debits = [
        &mut totals.return_amount,
        &mut totals.fee_amount,
        &mut totals.charge_amount,
        &mut totals.holdback_amount,
        &mut totals.repay_amount,
        &mut totals.reversal_amount,
        &mut totals.tax_amount,
    ];
    // Reversals and tax can be negative by themselves; the others cannot.
    if debits.iter().take(5).any(|amount| amount.is_negative()) {
        for amount in debits {
            *amount = amount.checked_neg().unwrap_or(*amount);
        }
    }
}
