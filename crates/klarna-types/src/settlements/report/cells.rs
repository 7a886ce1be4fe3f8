//! Writing cells.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{AmountFormat, Column, DateFormat, Format, SummaryColumn};
use crate::market::Currency;
use crate::money::MinorUnits;
use crate::settlements::{CustomerVat, Direction, Payout, Transaction};

/// Appends one cell of a payout's summary; nothing for a column that is unknown or has no value.
pub fn write_payout_cell(
    payout: &Payout,
    column: &SummaryColumn,
    format: Format,
    out: &mut String,
) {
    let totals = &payout.totals;
    let net = |plus: MinorUnits, minus: MinorUnits| plus.checked_sub(minus).unwrap_or(plus);
    let amount = match column {
        SummaryColumn::TotalSaleAmount => totals.sale_amount,
        SummaryColumn::TotalFeeAmount => totals.fee_amount,
        SummaryColumn::TotalFeeCorrectionAmount => totals.fee_correction_amount,
        // The report has no columns of their own for these refunds; so the formula holds over its columns.
        SummaryColumn::TotalTaxAmount => net(totals.tax_amount, totals.tax_refund_amount),
        SummaryColumn::TotalCommissionAmount => {
            net(totals.commission_amount, totals.commission_reversal_amount)
        }
        SummaryColumn::TotalReturnAmount => totals.return_amount,
        SummaryColumn::TotalReversalAmount => totals.reversal_amount,
        SummaryColumn::TotalCreditAmount => totals.credit_amount,
        SummaryColumn::TotalChargeAmount => totals.charge_amount,
        SummaryColumn::TotalHoldbackAmount => totals.holdback_amount,
        SummaryColumn::TotalReleaseAmount => totals.release_amount,
        SummaryColumn::OpeningDebtBalance => totals.opening_debt_balance_amount,
        SummaryColumn::TotalDepositAmount => totals.deposit_amount,
        SummaryColumn::TotalRepayAmount => totals.repay_amount,
        SummaryColumn::ClosingDebtBalance => totals.closing_debt_balance_amount,
        SummaryColumn::TotalFeeRefundAmount => totals.fee_refund_amount,
        SummaryColumn::TotalSettlementAmount => totals.settlement_amount,
        SummaryColumn::PaymentReference => {
            return out.push_str(payout.payment_reference.as_str());
        }
        SummaryColumn::SettlementCurrency => return out.push_str(payout.currency_code.as_str()),
        SummaryColumn::PayoutDate => return write_time(Some(payout.payout_date), format, out),
        SummaryColumn::MerchantId => return out.push_str(payout.merchant_id.as_str()),
        SummaryColumn::MerchantSettlementType => {
            return out.push_str(payout.merchant_settlement_type.as_str());
        }
        SummaryColumn::SubmerchantId | SummaryColumn::Unknown(_) => return,
    };
    write_amount(amount, &payout.currency_code, format, out);
}

/// Appends one cell of a transaction; nothing for a column that is unknown or has no value.
pub fn write_transaction_cell(
    transaction: &Transaction,
    column: &Column,
    format: Format,
    out: &mut String,
) {
    let row = transaction;
    match column {
        Column::Type => out.push_str(row.kind.as_str()),
        Column::CaptureDate => write_time(row.capture_date, format, out),
        Column::SaleDate => write_time(row.sale_date, format, out),
        Column::OrderId => write_text(row.order_id.as_ref(), out),
        Column::ShortOrderId => write_text(row.short_order_id.as_ref(), out),
        Column::CaptureId => write_text(row.capture_id.as_ref(), out),
        Column::MerchantReference1 => write_text(row.merchant_reference1.as_ref(), out),
        Column::MerchantReference2 => write_text(row.merchant_reference2.as_ref(), out),
        Column::Amount => write_signed(row, row.amount, format, out),
        Column::PostingCurrency => out.push_str(row.currency_code.as_str()),
        Column::RefundId => write_text(row.refund_id.as_ref(), out),
        Column::PurchaseCountry => {
            out.push_str(row.purchase_country.as_ref().map_or("", |country| country.as_str()));
        }
        Column::DetailedType => {
            out.push_str(row.detailed_type.as_ref().map_or("", |detailed| detailed.as_str()));
        }
        Column::VatRate | Column::TaxRate => {
            write_number(row.vat_rate.map(crate::TaxRate::get), out);
        }
        Column::VatAmount | Column::TaxAmount => {
            if let Some(amount) = row.vat_amount {
                write_signed(row, amount, format, out);
            }
        }
        Column::ShippingCountry => {
            out.push_str(row.shipping_country.as_ref().map_or("", |country| country.as_str()));
        }
        Column::InitialPaymentMethodType => {
            write_text(row.initial_payment_method_type.as_ref(), out);
        }
        Column::InitialNumberOfInstallments => {
            write_number(row.initial_number_of_installments, out);
        }
        Column::InitialPaymentMethodMonthlyDownpayments => {
            write_number(row.initial_payment_method_monthly_downpayments, out);
        }
        Column::MerchantCaptureReference => {
            write_text(row.merchant_capture_reference.as_ref(), out);
        }
        Column::MerchantRefundReference => write_text(row.merchant_refund_reference.as_ref(), out),
        Column::TaxRate1 => write_vat_rate(row.customer_vat.first(), out),
        Column::TaxAmount1 => write_vat_amount(row, row.customer_vat.first(), format, out),
        Column::TaxRate2 => write_vat_rate(row.customer_vat.get(1), out),
        Column::TaxAmount2 => write_vat_amount(row, row.customer_vat.get(1), format, out),
        Column::TaxRate3 => write_vat_rate(row.customer_vat.get(2), out),
        Column::TaxAmount3 => write_vat_amount(row, row.customer_vat.get(2), format, out),
        Column::TaxRate4 => write_vat_rate(row.customer_vat.get(3), out),
        Column::TaxAmount4 => write_vat_amount(row, row.customer_vat.get(3), format, out),
        Column::ReversalReference => write_text(row.reversal_reference.as_ref(), out),
        Column::Unknown(_) => {}
    }
}

fn write_text<T: AsRef<str>>(value: Option<&T>, out: &mut String) {
    out.push_str(value.map_or("", AsRef::as_ref));
}

fn write_number<T: Display>(value: Option<T>, out: &mut String) {
    if let Some(value) = value {
        append(out, format_args!("{value}"));
    }
}

fn write_vat_rate(vat: Option<&CustomerVat>, out: &mut String) {
    write_number(vat.map(|vat| vat.tax_rate.get()), out);
}

fn write_vat_amount(
    row: &Transaction,
    vat: Option<&CustomerVat>,
    format: Format,
    out: &mut String,
) {
    if let Some(vat) = vat {
        write_signed(row, vat.tax_amount, format, out);
    }
}

fn write_signed(row: &Transaction, amount: MinorUnits, format: Format, out: &mut String) {
    let signed = match row.kind.direction() {
        Direction::Minus => amount.checked_neg().unwrap_or(amount),
        Direction::Plus | Direction::OwnSign => amount,
    };
    write_amount(signed, &row.currency_code, format, out);
}

fn write_amount(amount: MinorUnits, currency: &Currency, format: Format, out: &mut String) {
    let point = match format.amounts {
        AmountFormat::Dot => '.',
        AmountFormat::Comma => ',',
        AmountFormat::MinorUnits => return append(out, format_args!("{amount}")),
    };
    let sign = if amount.is_negative() { "-" } else { "" };
    let units = amount.get().unsigned_abs();
    match currency.exponent() {
        0 => append(out, format_args!("{sign}{units}")),
        exponent => {
            let scale = 10_u64.pow(u32::from(exponent));
            let width = usize::from(exponent);
            let (whole, rest) = (units / scale, units % scale);
            append(out, format_args!("{sign}{whole}{point}{rest:0width$}"));
        }
    }
}

fn write_time(time: Option<Timestamp>, format: Format, out: &mut String) {
    let Some(time) = time else { return };
    match format.dates {
        DateFormat::Iso => append(out, format_args!("{time:.0}")),
        DateFormat::Spaced => {
            append(out, format_args!("{}", time.strftime("%Y-%m-%d %H:%M:%S")));
        }
        DateFormat::Date => append(out, format_args!("{}", time.to_zoned(TimeZone::UTC).date())),
    }
}

/// Writing to a string cannot fail.
fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
