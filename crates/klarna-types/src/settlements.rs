//! The Settlements API (`/settlements/v1`): payouts, the transactions in them, and their reports.
//!
//! | operation | answer |
//! |---|---|
//! | list payouts | [`PayoutCollection`] |
//! | read a payout | [`Payout`] |
//! | summary of a range | list of [`PayoutSummary`], one for each currency |
//! | list transactions | [`TransactionCollection`] |
//! | CSV report of a payout, or of a range | text, read and written by [`report`] |
//! | PDF report of a payout, or of a range | a document |
//!
//! Amounts are in minor units and, in the API, without a sign: a transaction's [`TransactionType`] tells its
//! direction. Only a `CORRECTION` carries its own sign.

pub mod report;
mod transaction;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::transaction::{CustomerVat, Transaction};
use crate::ids::MerchantId;
use crate::market::Currency;
use crate::money::MinorUnits;
use crate::wire::null_as_default;

string_id! {
    /// Names a payout, such as `XISA93DJ`. It is printed on the bank statement, too.
    PaymentReference,
}

open_enum! {
    /// What a payout stands for.
    pub enum SettlementType: exact {
        /// Klarna's fees are deducted from the payout.
        Net = "NET",
        /// Klarna's fees are invoiced separately.
        Gross = "GROSS",
        /// The invoice of those fees.
        GrossFee = "GROSS_FEE",
    }
}

open_enum! {
    /// What a transaction is. [`TransactionType::direction`] tells whether it adds to the payout.
    pub enum TransactionType: exact {
        /// A capture.
        Sale = "SALE",
        /// A refund by the merchant.
        Return = "RETURN",
        /// A refund by Klarna after a dispute or a fraud case.
        Reversal = "REVERSAL",
        /// What merchant protection gives back of a reversal.
        ReversalMerchantProtection = "REVERSAL_MERCHANT_PROTECTION",
        /// A service fee, without its VAT.
        Fee = "FEE",
        /// A fee given back, without its VAT.
        FeeRefund = "FEE_REFUND",
        /// Tax. Klarna's pages know it as a column only.
        Tax = "TAX",
        /// What Klarna pays the merchant by contract.
        Commission = "COMMISSION",
        /// A correction by agreement. Its amount has a sign.
        Correction = "CORRECTION",
        /// Another debit.
        Charge = "CHARGE",
        /// Another credit.
        Credit = "CREDIT",
        /// Withheld.
        Holdback = "HOLDBACK",
        /// Paid out after it was withheld.
        Release = "RELEASE",
    }
}

/// Which way a transaction moves a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// More is paid out.
    Plus,
    /// Less is paid out.
    Minus,
    /// The amount's own sign says it.
    OwnSign,
}

impl TransactionType {
    /// Which way it moves a payout. A type that this crate does not know keeps its amount's sign.
    ///
    /// ```
    /// use klarna_types::settlements::{Direction, TransactionType};
    /// assert_eq!(TransactionType::Sale.direction(), Direction::Plus);
    /// assert_eq!(TransactionType::Fee.direction(), Direction::Minus);
    /// assert_eq!(TransactionType::Correction.direction(), Direction::OwnSign);
    /// ```
    pub fn direction(&self) -> Direction {
        match self {
            Self::Sale
            | Self::ReversalMerchantProtection
            | Self::FeeRefund
            | Self::Commission
            | Self::Credit
            | Self::Release => Direction::Plus,
            Self::Return
            | Self::Reversal
            | Self::Fee
            | Self::Tax
            | Self::Charge
            | Self::Holdback => Direction::Minus,
            Self::Correction | Self::Unknown(_) => Direction::OwnSign,
        }
    }
}

open_enum! {
    /// What a transaction is, in more detail. Klarna grows this list.
    #[non_exhaustive]
    pub enum DetailedType: exact {
        /// A capture.
        Purchase = "PURCHASE",
        /// A refund by the merchant.
        PurchaseReturn = "PURCHASE_RETURN",
        /// The shopper did not pay, in a programme without guarantee.
        PaymentDefault = "PAYMENT_DEFAULT",
        /// A dispute lost, or refunded.
        Reversal = "REVERSAL",
        /// A commission taken back.
        CommissionReturn = "COMMISSION_RETURN",
        /// A commission taken back, gross.
        CommissionReturnGross = "COMMISSION_RETURN_GROSS",
        /// The order's value debited under merchant protection.
        FraudPolicyCharge = "FRAUD_POLICY_CHARGE",
        /// The order's net value credited under merchant protection.
        FraudPolicyCreditNet = "FRAUD_POLICY_CREDIT_NET",
        /// The fee's share of a capture.
        PurchaseFeePercentage = "PURCHASE_FEE_PERCENTAGE",
        /// The fee's fixed part for a capture.
        PurchaseFeeFixed = "PURCHASE_FEE_FIXED",
        /// The share, given back.
        PurchaseFeePercentageRefund = "PURCHASE_FEE_PERCENTAGE_REFUND",
        /// The shopper pays by an account at Klarna.
        ServicingFee = "SERVICING_FEE",
        /// A due date was extended.
        ExtendDueDateFee = "EXTEND_DUE_DATE_FEE",
        /// A due date was extended, gross.
        ExpiryFeeGross = "EXPIRY_FEE_GROSS",
        /// A due date was extended, in older words.
        ExpiryFee = "EXPIRY_FEE",
        /// A return after a reminder.
        LateReturnFee = "LATE_RETURN_FEE",
        /// A return.
        ReturnFee = "RETURN_FEE",
        /// One more invoice.
        ExtraInvoiceFee = "EXTRA_INVOICE_FEE",
        /// A dispute.
        DisputeFee = "DISPUTE_FEE",
        /// A dispute that the merchant won.
        DisputeFeeRefund = "DISPUTE_FEE_REFUND",
        /// A fee given back.
        FeeRefund = "FEE_REFUND",
        /// A commission.
        Commission = "COMMISSION",
        /// A commission as a share of a capture.
        PurchaseCommissionPercentage = "PURCHASE_COMMISSION_PERCENTAGE",
        /// A share of revenue.
        RevenueShare = "REVENUE_SHARE",
        /// A share of revenue, taken back.
        RevenueShareReversal = "REVENUE_SHARE_REVERSAL",
        /// A correction by hand.
        CreditedCorrection = "CREDITED_CORRECTION",
        /// A correction.
        Correction = "CORRECTION",
        /// An entry by hand.
        ManualEntry = "MANUAL_ENTRY",
        /// What a dispute had taken, given back.
        CorrectionDispute = "CORRECTION_DISPUTE",
        /// A loan to the merchant.
        CashAdvancePayout = "CASH_ADVANCE_PAYOUT",
        /// The price of such a loan.
        CashAdvanceFees = "CASH_ADVANCE_FEES",
        /// A part of such a loan paid back.
        CashAdvanceAmortisation = "CASH_ADVANCE_AMORTISATION",
        /// A loan to the merchant, in older words.
        LoanPayout = "LOAN_PAYOUT",
        /// A part of a loan paid back, in older words.
        LoanAmortisation = "LOAN_AMORTISATION",
        /// The price of a loan, in older words.
        LoanFee = "LOAN_FEE",
        /// A debt from Klarna's old platform.
        TransferFromLegacyIntegration = "TRANSFER_FROM_LEGACY_INTEGRATION",
        /// A debt of another merchant id.
        LiabilityTransfer = "LIABILITY_TRANSFER",
        /// A debt that has been open for long.
        PaymentReminder = "PAYMENT_REMINDER",
        /// A reserve, released after an agreed time.
        RollingReserve = "ROLLING_RESERVE",
        /// Payouts are stopped while Klarna reviews the merchant.
        UnderReview = "UNDER_REVIEW",
        /// Klarna does not know where to pay to.
        InsufficientBankAccountDetails = "INSUFFICIENT_BANK_ACCOUNT_DETAILS",
        /// Fixed fees corrected in the United Kingdom.
        FixedFeeCorrectionUk = "FIXED_FEE_CORRECTION_UK",
        /// Shares corrected in the United Kingdom.
        PercentageFeeCorrectionUk = "PERCENTAGE_FEE_CORRECTION_UK",
        /// VAT on fees corrected in the United Kingdom.
        VatOnFeeCorrectionUk = "VAT_ON_FEE_CORRECTION_UK",
        /// Fixed fees corrected in Sweden.
        FixedFeeCorrectionSe = "FIXED_FEE_CORRECTION_SE",
        /// Shares corrected in Sweden.
        PercentageFeeCorrectionSe = "PERCENTAGE_FEE_CORRECTION_SE",
        /// Shares corrected.
        PercentageFeeCorrection = "PERCENTAGE_FEE_CORRECTION",
        /// Fixed fees corrected.
        FixedFeeCorrection = "FIXED_FEE_CORRECTION",
        /// Shares.
        PercentageFees = "PERCENTAGE_FEES",
    }
}

/// What a payout is made of. A member that is absent is read as nothing; all are written.
///
/// All are amounts of money without a sign, but for corrections, and for reversals when merchant protection gave back
/// more than was taken in the same payout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Captures.
    #[serde(deserialize_with = "null_as_default")]
    pub sale_amount: MinorUnits,
    /// Refunds by the merchant.
    #[serde(deserialize_with = "null_as_default")]
    pub return_amount: MinorUnits,
    /// Refunds by Klarna, less what merchant protection gave back.
    #[serde(deserialize_with = "null_as_default")]
    pub reversal_amount: MinorUnits,
    /// Fees without VAT.
    #[serde(deserialize_with = "null_as_default")]
    pub fee_amount: MinorUnits,
    /// Corrections; negative when they take.
    #[serde(deserialize_with = "null_as_default")]
    pub fee_correction_amount: MinorUnits,
    /// Fees given back, without VAT.
    #[serde(deserialize_with = "null_as_default")]
    pub fee_refund_amount: MinorUnits,
    /// Commissions.
    #[serde(deserialize_with = "null_as_default")]
    pub commission_amount: MinorUnits,
    /// Commissions taken back.
    #[serde(deserialize_with = "null_as_default")]
    pub commission_reversal_amount: MinorUnits,
    /// VAT on fees.
    #[serde(deserialize_with = "null_as_default")]
    pub tax_amount: MinorUnits,
    /// VAT on fees given back.
    #[serde(deserialize_with = "null_as_default")]
    pub tax_refund_amount: MinorUnits,
    /// Other debits.
    #[serde(deserialize_with = "null_as_default")]
    pub charge_amount: MinorUnits,
    /// Other credits.
    #[serde(deserialize_with = "null_as_default")]
    pub credit_amount: MinorUnits,
    /// Withheld.
    #[serde(deserialize_with = "null_as_default")]
    pub holdback_amount: MinorUnits,
    /// Paid after it was withheld.
    #[serde(deserialize_with = "null_as_default")]
    pub release_amount: MinorUnits,
    /// By how much this payout lessened the merchant's debt.
    #[serde(deserialize_with = "null_as_default")]
    pub repay_amount: MinorUnits,
    /// By how much this period increased the merchant's debt.
    #[serde(deserialize_with = "null_as_default")]
    pub deposit_amount: MinorUnits,
    /// The debt before.
    #[serde(deserialize_with = "null_as_default")]
    pub opening_debt_balance_amount: MinorUnits,
    /// The debt after.
    #[serde(deserialize_with = "null_as_default")]
    pub closing_debt_balance_amount: MinorUnits,
    /// What is paid out.
    #[serde(deserialize_with = "null_as_default")]
    pub settlement_amount: MinorUnits,
}

impl Totals {
    /// The settlement amount as Klarna's formula makes it of the other members, or nothing if it cannot be
    /// represented:
    ///
    /// sale − return − reversal − fee + fee correction + fee refund + commission − commission reversal − tax
    /// + tax refund − charge + credit − holdback + release − repay + deposit.
    ///
    /// In a `GROSS` payout fees and their tax are left out: they are invoiced.
    pub fn settlement_by_formula(&self, settlement_type: &SettlementType) -> Option<MinorUnits> {
        let wide = |amount: MinorUnits| i128::from(amount.get());
        let fees = wide(self.fee_refund_amount) - wide(self.fee_amount)
            + wide(self.tax_refund_amount)
            - wide(self.tax_amount);
        let rest = wide(self.sale_amount) - wide(self.return_amount) - wide(self.reversal_amount)
            + wide(self.fee_correction_amount)
            + wide(self.commission_amount)
            - wide(self.commission_reversal_amount)
            - wide(self.charge_amount)
            + wide(self.credit_amount)
            - wide(self.holdback_amount)
            + wide(self.release_amount)
            - wide(self.repay_amount)
            + wide(self.deposit_amount);
        let invoiced = *settlement_type == SettlementType::Gross;
        MinorUnits::from_wide(if invoiced { rest } else { rest + fees })
    }

    /// Whether any fee, any fee that was given back, or any tax on them counts in it.
    pub fn has_fees(&self) -> bool {
        [self.fee_amount, self.fee_refund_amount, self.tax_amount, self.tax_refund_amount]
            .iter()
            .any(|amount| !amount.is_zero())
    }

    /// The debt after, as it follows from the debt before, or nothing if it cannot be represented.
    pub fn closing_debt_by_formula(&self) -> Option<MinorUnits> {
        MinorUnits::from_wide(
            i128::from(self.opening_debt_balance_amount.get())
                - i128::from(self.repay_amount.get())
                + i128::from(self.deposit_amount.get()),
        )
    }
}

wire_struct! {
    /// One transfer to a merchant, or the invoice of its fees.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Payout {
        required {
            /// What it is made of.
            totals: Totals,
            /// Its name, on the bank statement as well.
            payment_reference: PaymentReference,
            /// When Klarna starts the transfer; the bank has it about one banking day later.
            payout_date: Timestamp,
            /// Its currency.
            currency_code: Currency,
            /// Whether fees are deducted, invoiced, or whether this is the invoice.
            merchant_settlement_type: SettlementType,
            /// Who is paid.
            merchant_id: MerchantId,
        }
        optional {
            /// The currency of the country in which the merchant is registered.
            currency_code_of_registration_country: Currency,
            /// Where its transactions are listed.
            transactions: String,
        }
    }
}

wire_struct! {
    /// Where a page stands in a list.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Pagination {
        required {
            /// How many items this page has.
            count: i64,
        }
        optional {
            /// How many items the list has.
            total: i64,
            /// How many items come before this page.
            offset: i64,
            /// The URL of the next page; absent on the last one.
            next: String,
            /// The URL of the page before; absent on the first one.
            prev: String,
        }
    }
}

/// One page of payouts, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutCollection {
    /// The payouts.
    pub payouts: Vec<Payout>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// One page of transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionCollection {
    /// The transactions.
    pub transactions: Vec<Transaction>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// The payouts of one currency in a range of time, added up. An amount that is absent is read as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutSummary {
    /// From when.
    pub summary_payout_date_start: Timestamp,
    /// Until when.
    pub summary_payout_date_end: Timestamp,
    /// The currency.
    pub summary_settlement_currency: Currency,
    /// Captures.
    #[serde(default)]
    pub summary_total_sale_amount: MinorUnits,
    /// Refunds by the merchant.
    #[serde(default)]
    pub summary_total_return_amount: MinorUnits,
    /// Refunds by Klarna.
    #[serde(default)]
    pub summary_total_reversal_amount: MinorUnits,
    /// Fees without VAT.
    #[serde(default)]
    pub summary_total_fee_amount: MinorUnits,
    /// Corrections.
    #[serde(default)]
    pub summary_total_fee_correction_amount: MinorUnits,
    /// Commissions.
    #[serde(default)]
    pub summary_total_commission_amount: MinorUnits,
    /// Commissions taken back; newer than the published description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_total_commission_reversal_amount: Option<MinorUnits>,
    /// VAT on fees.
    #[serde(default)]
    pub summary_total_tax_amount: MinorUnits,
    /// Withheld.
    #[serde(default)]
    pub summary_total_holdback_amount: MinorUnits,
    /// Paid after it was withheld.
    #[serde(default)]
    pub summary_total_release_amount: MinorUnits,
    /// Debt paid back.
    #[serde(default)]
    pub summary_total_repay_amount: MinorUnits,
    /// Paid out.
    #[serde(default)]
    pub summary_total_settlement_amount: MinorUnits,
}
