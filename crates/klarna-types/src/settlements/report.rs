//! The CSV report of payouts: its columns, and what a record of cells says.
//!
//! For each payout the report has a summary (a header and one record) and the transactions (a header and a record for
//! each). Columns are told by their names, never by their place: merchants configure which there are, and in which
//! order. Splitting text into cells, and quoting them, is the business of whoever reads or writes the file; here a
//! record is a slice of cells.
//!
//! A row says the same as a [`Transaction`] of the API, except that the file's amounts have the sign of their
//! direction. Both signs are read.
//!
//! ```
//! use klarna_types::settlements::report::{Format, Reader, Record};
//!
//! let mut reader = Reader::new(Format::default());
//! let mut records = Vec::new();
//! for line in [
//!     "payment_reference;settlement_currency;payout_date;merchant_id;total_sale_amount;total_settlement_amount",
//!     "XISA93DJ;EUR;2018-08-10T00:00:00Z;K123456;100.00;100.00",
//!     "type;capture_date;order_id;amount;posting_currency",
//!     "SALE;2018-08-09T07:45:00Z;ce17b4cb;100.00;EUR",
//! ] {
//!     let cells: Vec<&str> = line.split(';').collect();
//!     records.extend(reader.record(&cells)?);
//! }
//! assert!(matches!(&records[0], Record::Payout(payout) if payout.payment_reference.as_str() == "XISA93DJ"));
//! assert!(matches!(&records[1], Record::Transaction(row) if row.amount.get() == 10_000));
//! # Ok::<(), klarna_types::settlements::report::ReportError>(())
//! ```

mod cells;
mod reader;

use serde::{Deserialize, Serialize};

pub use self::cells::{write_payout_cell, write_transaction_cell};
pub use self::reader::{Reader, Record, ReportError};
use super::{Payout, Transaction};

open_enum! {
    /// A column of the transactions.
    pub enum Column: exact {
        /// The transaction's type.
        Type = "type",
        /// When it was registered.
        CaptureDate = "capture_date",
        /// When the order was placed.
        SaleDate = "sale_date",
        /// The order.
        OrderId = "order_id",
        /// The order's short name.
        ShortOrderId = "short_order_id",
        /// The capture.
        CaptureId = "capture_id",
        /// The merchant's first reference.
        MerchantReference1 = "merchant_reference1",
        /// The merchant's second reference.
        MerchantReference2 = "merchant_reference2",
        /// The amount, with a sign.
        Amount = "amount",
        /// The amount's currency.
        PostingCurrency = "posting_currency",
        /// The refund.
        RefundId = "refund_id",
        /// Where it was bought.
        PurchaseCountry = "purchase_country",
        /// The detailed type.
        DetailedType = "detailed_type",
        /// VAT rate of a fee, in hundredths of a percent.
        VatRate = "vat_rate",
        /// VAT of a fee, with a sign.
        VatAmount = "vat_amount",
        /// Another name of `vat_rate`.
        TaxRate = "tax_rate",
        /// Another name of `vat_amount`.
        TaxAmount = "tax_amount",
        /// Where it was sent.
        ShippingCountry = "shipping_country",
        /// How the shopper chose to pay.
        InitialPaymentMethodType = "initial_payment_method_type",
        /// In how many instalments.
        InitialNumberOfInstallments = "initial_number_of_installments",
        /// In how many monthly payments.
        InitialPaymentMethodMonthlyDownpayments = "initial_payment_method_monthly_downpayments",
        /// The merchant's reference of the capture.
        MerchantCaptureReference = "merchant_capture_reference",
        /// The merchant's reference of the refund.
        MerchantRefundReference = "merchant_refund_reference",
        /// The shopper's first VAT rate.
        TaxRate1 = "tax_rate_1",
        /// VAT at it.
        TaxAmount1 = "tax_amount_1",
        /// The shopper's second VAT rate.
        TaxRate2 = "tax_rate_2",
        /// VAT at it.
        TaxAmount2 = "tax_amount_2",
        /// The shopper's third VAT rate.
        TaxRate3 = "tax_rate_3",
        /// VAT at it.
        TaxAmount3 = "tax_amount_3",
        /// The shopper's fourth VAT rate.
        TaxRate4 = "tax_rate_4",
        /// VAT at it.
        TaxAmount4 = "tax_amount_4",
        /// The dispute.
        ReversalReference = "reversal_reference",
    }
}

open_enum! {
    /// A column of the summary.
    pub enum SummaryColumn: exact {
        /// Captures.
        TotalSaleAmount = "total_sale_amount",
        /// Fees without VAT.
        TotalFeeAmount = "total_fee_amount",
        /// Corrections.
        TotalFeeCorrectionAmount = "total_fee_correction_amount",
        /// VAT on fees, less what was given back of it.
        TotalTaxAmount = "total_tax_amount",
        /// Refunds by the merchant.
        TotalReturnAmount = "total_return_amount",
        /// Refunds by Klarna.
        TotalReversalAmount = "total_reversal_amount",
        /// Commissions, less what was taken back of them.
        TotalCommissionAmount = "total_commission_amount",
        /// Other credits.
        TotalCreditAmount = "total_credit_amount",
        /// Other debits.
        TotalChargeAmount = "total_charge_amount",
        /// Withheld.
        TotalHoldbackAmount = "total_holdback_amount",
        /// Paid after it was withheld.
        TotalReleaseAmount = "total_release_amount",
        /// The debt before.
        OpeningDebtBalance = "opening_debt_balance",
        /// By how much the debt grew.
        TotalDepositAmount = "total_deposit_amount",
        /// By how much the debt shrank.
        TotalRepayAmount = "total_repay_amount",
        /// The debt after.
        ClosingDebtBalance = "closing_debt_balance",
        /// Fees given back.
        TotalFeeRefundAmount = "total_fee_refund_amount",
        /// Paid out.
        TotalSettlementAmount = "total_settlement_amount",
        /// The payout's name.
        PaymentReference = "payment_reference",
        /// Its currency.
        SettlementCurrency = "settlement_currency",
        /// When it was paid.
        PayoutDate = "payout_date",
        /// Who was paid.
        MerchantId = "merchant_id",
        /// Whether fees are deducted or invoiced.
        MerchantSettlementType = "merchant_settlement_type",
        /// A merchant below the merchant.
        SubmerchantId = "submerchant_id",
    }
}

/// The summary as Klarna writes it today.
pub const SUMMARY: &[SummaryColumn] = SummaryColumn::KNOWN;

/// The summary as Klarna's older merchant guide shows it.
pub const OLDER_SUMMARY: &[SummaryColumn] = &[
    SummaryColumn::TotalSaleAmount,
    SummaryColumn::TotalFeeAmount,
    SummaryColumn::TotalReturnAmount,
    SummaryColumn::TotalReversalAmount,
    SummaryColumn::TotalCommissionAmount,
    SummaryColumn::TotalHoldbackAmount,
    SummaryColumn::TotalRepayAmount,
    SummaryColumn::TotalReleaseAmount,
    SummaryColumn::TotalSettlementAmount,
    SummaryColumn::PaymentReference,
    SummaryColumn::SettlementCurrency,
    SummaryColumn::PayoutDate,
    SummaryColumn::MerchantId,
];

/// The transactions' columns unless the merchant chose others.
pub const COLUMNS: &[Column] = &[
    Column::Type,
    Column::CaptureDate,
    Column::SaleDate,
    Column::OrderId,
    Column::ShortOrderId,
    Column::CaptureId,
    Column::MerchantReference1,
    Column::MerchantReference2,
    Column::Amount,
    Column::PostingCurrency,
    Column::RefundId,
    Column::PurchaseCountry,
    Column::DetailedType,
    Column::VatRate,
    Column::VatAmount,
    Column::MerchantCaptureReference,
    Column::MerchantRefundReference,
    Column::ReversalReference,
];

/// The transactions' columns in a file that Klarna sends by SFTP, unless the merchant chose others.
pub const SFTP_COLUMNS: &[Column] = &[
    Column::Type,
    Column::CaptureDate,
    Column::SaleDate,
    Column::OrderId,
    Column::ShortOrderId,
    Column::CaptureId,
    Column::MerchantReference1,
    Column::MerchantReference2,
    Column::Amount,
    Column::PostingCurrency,
];

/// What stands between two cells unless the merchant chose something else.
pub const DELIMITER: char = ';';

/// How the cells are written. Reading understands every date of these by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Format {
    /// How times look.
    pub dates: DateFormat,
    /// How amounts look.
    pub amounts: AmountFormat,
}

/// How a time looks in a report. All are UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2018-08-10T07:45:00Z`
    #[default]
    Iso,
    /// `2018-08-10 07:45:00`
    Spaced,
    /// `2018-08-10`; the time of day is lost.
    Date,
}

/// How an amount looks in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFormat {
    /// `100.00`
    #[default]
    Dot,
    /// `100,00`
    Comma,
    /// `10000`
    MinorUnits,
}

/// All cells of a payout's summary.
pub fn payout_cells(payout: &Payout, columns: &[SummaryColumn], format: Format) -> Vec<String> {
    columns
        .iter()
        .map(|column| {
            let mut cell = String::new();
            write_payout_cell(payout, column, format, &mut cell);
            cell
        })
        .collect()
}

/// All cells of a transaction. Whoever writes many uses [`write_transaction_cell`].
pub fn transaction_cells(
    transaction: &Transaction,
    columns: &[Column],
    format: Format,
) -> Vec<String> {
    columns
        .iter()
        .map(|column| {
            let mut cell = String::new();
            write_transaction_cell(transaction, column, format, &mut cell);
            cell
        })
        .collect()
}
