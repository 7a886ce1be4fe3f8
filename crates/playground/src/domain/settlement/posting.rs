//! One movement of money between Klarna and a merchant.

use jiff::Timestamp;
use klarna_types::market::{Country, Currency};
use klarna_types::money::{MinorUnits, TaxRate};
use klarna_types::settlements::{
    CustomerVat, DetailedType, Direction, PaymentReference, Transaction, TransactionType,
};
use klarna_types::{CaptureId, KlarnaReference, MerchantId, OrderId, RefundId};
use serde::{Deserialize, Serialize};

use super::terms::SettledAs;

/// Where a posting is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// In the merchant's payouts.
    Payout,
    /// In the monthly invoice of fees.
    Invoice,
}

impl Lane {
    /// Its name in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Payout => "payout",
            Self::Invoice => "invoice",
        }
    }

    /// The lane of this name; payouts unless it is the other.
    pub(crate) fn of(name: &str) -> Self {
        if name == Self::Invoice.as_str() { Self::Invoice } else { Self::Payout }
    }
}

/// Whether a posting waits out the delay of the merchant's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wait {
    /// It does, as trade does.
    Delay,
    /// It comes with the next payout, as corrections and releases do.
    NextPayout,
}

/// VAT on a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vat {
    /// Its rate.
    pub(crate) rate: TaxRate,
    /// Its amount in minor units, besides the fee.
    pub(crate) amount: MinorUnits,
}

/// One movement of money between Klarna and a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_field_names, reason = "among so many ids, each says whose it is")]
pub(crate) struct Posting {
    /// Its id, the merchant's own: the same id again is the same posting.
    pub(crate) posting_id: String,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// Its currency.
    pub(crate) currency: Currency,
    /// What it is.
    pub(crate) kind: TransactionType,
    /// What it is, in more detail.
    pub(crate) detailed_type: DetailedType,
    /// How much, in minor units, without a sign unless it is a correction.
    pub(crate) amount: MinorUnits,
    /// VAT, if it is a fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat: Option<Vat>,
    /// When it happened, in milliseconds.
    pub(crate) posted_at_ms: i64,
    /// When its order was placed, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sale_at_ms: Option<i64>,
    /// Whether it waits out the delay.
    pub(crate) wait: Wait,
    /// Its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<OrderId>,
    /// The order's short name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) short_order_id: Option<KlarnaReference>,
    /// Its capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) capture_id: Option<CaptureId>,
    /// Its refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refund_id: Option<RefundId>,
    /// The merchant's first reference of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_reference1: Option<String>,
    /// The merchant's second reference of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_reference2: Option<String>,
    /// The merchant's reference of the capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_capture_reference: Option<String>,
    /// The merchant's reference of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_refund_reference: Option<String>,
    /// Where it was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purchase_country: Option<Country>,
    /// Where it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_country: Option<Country>,
    /// How the shopper chose to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment_method: Option<String>,
    /// In how many instalments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) installments: Option<i64>,
    /// VAT that the shopper paid, by rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) customer_vat: Vec<CustomerVat>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// The dispute that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reversal_reference: Option<String>,
}

impl Posting {
    /// A posting that belongs to no order. It waits out the delay unless told otherwise.
    pub(crate) fn new(
        posting_id: impl Into<String>,
        merchant_id: MerchantId,
        (kind, detailed_type): (TransactionType, DetailedType),
        amount: MinorUnits,
        currency: Currency,
        posted_at_ms: i64,
    ) -> Self {
        Self {
            posting_id: posting_id.into(),
            merchant_id,
            currency,
            kind,
            detailed_type,
            amount,
            vat: None,
            posted_at_ms,
            sale_at_ms: None,
            wait: Wait::Delay,
            order_id: None,
            short_order_id: None,
            capture_id: None,
            refund_id: None,
            merchant_reference1: None,
            merchant_reference2: None,
            merchant_capture_reference: None,
            merchant_refund_reference: None,
            purchase_country: None,
            shipping_country: None,
            payment_method: None,
            installments: None,
            customer_vat: Vec::new(),
            comment: None,
            reversal_reference: None,
        }
    }

    /// Where it is settled for a merchant of this kind: the fees of a gross one are invoiced.
    pub(crate) fn lane(&self, settled_as: SettledAs) -> Lane {
        let is_fee = matches!(
            self.kind,
            TransactionType::Fee | TransactionType::FeeRefund | TransactionType::Tax
        );
        match settled_as {
            SettledAs::Gross if is_fee => Lane::Invoice,
            SettledAs::Gross | SettledAs::Net => Lane::Payout,
        }
    }

    /// The row that reports and the API show of it.
    pub(crate) fn transaction(self, payment_reference: Option<PaymentReference>) -> Transaction {
        let mut row = Transaction::new(self.kind, self.amount, self.currency);
        row.detailed_type = Some(self.detailed_type);
        row.capture_date = whole_second(self.posted_at_ms);
        row.sale_date = self.sale_at_ms.and_then(whole_second).or(row.capture_date);
        row.order_id = self.order_id;
        row.short_order_id = self.short_order_id;
        row.capture_id = self.capture_id;
        row.refund_id = self.refund_id;
        row.merchant_reference1 = self.merchant_reference1;
        row.merchant_reference2 = self.merchant_reference2;
        row.merchant_capture_reference = self.merchant_capture_reference;
        row.merchant_refund_reference = self.merchant_refund_reference;
        row.payment_reference = payment_reference;
        row.merchant_id = Some(self.merchant_id);
        row.purchase_country = self.purchase_country;
        row.shipping_country = self.shipping_country;
        row.initial_payment_method_type = self.payment_method;
        row.initial_number_of_installments = self.installments;
        row.initial_payment_method_monthly_downpayments = self.installments;
        row.vat_rate = self.vat.map(|vat| vat.rate);
        row.vat_amount = self.vat.map(|vat| vat.amount);
        row.customer_vat = self.customer_vat;
        row.klarna_comment = self.comment;
        row.reversal_reference = self.reversal_reference;
        row
    }

    /// What it does to a payout, VAT included.
    #[cfg(test)]
    pub(crate) fn effect(&self) -> i128 {
        let vat = self.vat.map_or(0, |vat| i128::from(vat.amount.get()));
        match self.kind.direction() {
            Direction::Plus => i128::from(self.amount.get()) + vat,
            Direction::Minus => -i128::from(self.amount.get()) - vat,
            Direction::OwnSign => i128::from(self.amount.get()),
        }
    }
}

/// Klarna's reports know whole seconds.
fn whole_second(at_ms: i64) -> Option<Timestamp> {
    Timestamp::from_second(at_ms.div_euclid(1_000)).ok()
}

/// Whether an amount of this type may be negative.
pub(crate) fn has_own_sign(kind: &TransactionType) -> bool {
    kind.direction() == Direction::OwnSign
}
