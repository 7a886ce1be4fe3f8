//! One row of a payout.

use jiff::Timestamp;
use serde::de::Deserializer;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{DetailedType, Direction, PaymentReference, TransactionType};
use crate::ids::{CaptureId, KlarnaReference, MerchantId, OrderId, RefundId};
use crate::market::{Country, Currency};
use crate::money::{MinorUnits, TaxRate};
use crate::wire;

/// VAT that the shopper paid, by rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerVat {
    /// The rate.
    pub tax_rate: TaxRate,
    /// How much of the amount is tax at this rate, in minor units.
    pub tax_amount: MinorUnits,
}

/// One row of a payout: a capture, a refund, a fee, and so on.
///
/// Klarna's description and Klarna's live data disagree on the names of three members; both names are read, and both
/// are written. An id that is an empty string is read as absent. What a CSV report may leave out is optional here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// What it is (`type`).
    pub kind: TransactionType,
    /// What it is, in more detail.
    pub detailed_type: Option<DetailedType>,
    /// How much, in minor units; without a sign unless it is a correction. A fee is without its VAT.
    pub amount: MinorUnits,
    /// The currency of the amount.
    pub currency_code: Currency,
    /// When it was registered: when it was captured, refunded, and so on.
    pub capture_date: Option<Timestamp>,
    /// When the order was placed.
    pub sale_date: Option<Timestamp>,
    /// The order, if there is one.
    pub order_id: Option<OrderId>,
    /// The order's short name, which the shopper sees.
    pub short_order_id: Option<KlarnaReference>,
    /// The capture, of a sale and its fees.
    pub capture_id: Option<CaptureId>,
    /// The refund, of a return or a reversal.
    pub refund_id: Option<RefundId>,
    /// The merchant's first reference of the order.
    pub merchant_reference1: Option<String>,
    /// The merchant's second reference of the order.
    pub merchant_reference2: Option<String>,
    /// The merchant's reference of the capture.
    pub merchant_capture_reference: Option<String>,
    /// The merchant's reference of the refund.
    pub merchant_refund_reference: Option<String>,
    /// The payout it belongs to; absent before there is one.
    pub payment_reference: Option<PaymentReference>,
    /// Where that payout is read.
    pub payout: Option<String>,
    /// Whose it is; in live data, not in Klarna's description.
    pub merchant_id: Option<MerchantId>,
    /// Where it was bought.
    pub purchase_country: Option<Country>,
    /// Where it was sent. Also `shipping_address_country`.
    pub shipping_country: Option<Country>,
    /// How the shopper chose to pay, such as `direct_debit`.
    pub initial_payment_method_type: Option<String>,
    /// In how many instalments. Also `initial_payment_method_number_of_installments`.
    pub initial_number_of_installments: Option<i64>,
    /// In how many monthly payments. Also `initial_payment_method_monthly_down_payment`.
    pub initial_payment_method_monthly_downpayments: Option<i64>,
    /// The VAT rate of a fee.
    pub vat_rate: Option<TaxRate>,
    /// The VAT of a fee, besides its amount.
    pub vat_amount: Option<MinorUnits>,
    /// The VAT of a fee in the currency of the country in which the merchant is registered.
    pub tax_in_currency_of_registration_country: Option<MinorUnits>,
    /// That currency.
    pub currency_code_of_registration_country: Option<Currency>,
    /// VAT that the shopper paid, by rate; in live data, not in Klarna's description.
    pub customer_vat: Vec<CustomerVat>,
    /// A remark of Klarna's.
    pub klarna_comment: Option<String>,
    /// The dispute that a reversal belongs to.
    pub reversal_reference: Option<String>,
}

impl Transaction {
    /// A transaction with nothing but what it is and how much.
    pub fn new(kind: TransactionType, amount: MinorUnits, currency_code: Currency) -> Self {
        Self {
            kind,
            detailed_type: None,
            amount,
            currency_code,
            capture_date: None,
            sale_date: None,
            order_id: None,
            short_order_id: None,
            capture_id: None,
            refund_id: None,
            merchant_reference1: None,
            merchant_reference2: None,
            merchant_capture_reference: None,
            merchant_refund_reference: None,
            payment_reference: None,
            payout: None,
            merchant_id: None,
            purchase_country: None,
            shipping_country: None,
            initial_payment_method_type: None,
            initial_number_of_installments: None,
            initial_payment_method_monthly_downpayments: None,
            vat_rate: None,
            vat_amount: None,
            tax_in_currency_of_registration_country: None,
            currency_code_of_registration_country: None,
            customer_vat: Vec::new(),
            klarna_comment: None,
            reversal_reference: None,
        }
    }

    /// The amount with the sign of its direction: what it does to the payout, VAT aside. Nothing if it cannot be
    /// represented.
    pub fn signed_amount(&self) -> Option<MinorUnits> {
        match self.kind.direction() {
            Direction::Plus | Direction::OwnSign => Some(self.amount),
            Direction::Minus => self.amount.checked_neg(),
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Members {
    #[serde(rename = "type")]
    kind: TransactionType,
    detailed_type: Option<DetailedType>,
    amount: MinorUnits,
    currency_code: Currency,
    capture_date: Option<Timestamp>,
    sale_date: Option<Timestamp>,
    order_id: Option<OrderId>,
    short_order_id: Option<KlarnaReference>,
    capture_id: Option<CaptureId>,
    refund_id: Option<RefundId>,
    merchant_reference1: Option<String>,
    merchant_reference2: Option<String>,
    merchant_capture_reference: Option<String>,
    merchant_refund_reference: Option<String>,
    payment_reference: Option<PaymentReference>,
    payout: Option<String>,
    merchant_id: Option<MerchantId>,
    purchase_country: Option<Country>,
    shipping_country: Option<Country>,
    shipping_address_country: Option<Country>,
    initial_payment_method_type: Option<String>,
    initial_number_of_installments: Option<i64>,
    initial_payment_method_number_of_installments: Option<i64>,
    initial_payment_method_monthly_downpayments: Option<i64>,
    initial_payment_method_monthly_down_payment: Option<i64>,
    vat_rate: Option<TaxRate>,
    vat_amount: Option<MinorUnits>,
    tax_in_currency_of_registration_country: Option<MinorUnits>,
    currency_code_of_registration_country: Option<Currency>,
    customer_vat: Option<Vec<CustomerVat>>,
    klarna_comment: Option<String>,
    reversal_reference: Option<String>,
}

fn filled<T: AsRef<str>>(id: Option<T>) -> Option<T> {
    id.filter(|id| !id.as_ref().is_empty())
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members: Members = wire::object(deserializer)?;
        Ok(Self {
            kind: members.kind,
            detailed_type: members.detailed_type,
            amount: members.amount,
            currency_code: members.currency_code,
            capture_date: members.capture_date,
            sale_date: members.sale_date,
            order_id: filled(members.order_id),
            short_order_id: filled(members.short_order_id),
            capture_id: filled(members.capture_id),
            refund_id: filled(members.refund_id),
            merchant_reference1: members.merchant_reference1,
            merchant_reference2: members.merchant_reference2,
            merchant_capture_reference: members.merchant_capture_reference,
            merchant_refund_reference: members.merchant_refund_reference,
            payment_reference: filled(members.payment_reference),
            payout: members.payout,
            merchant_id: members.merchant_id,
            purchase_country: members.purchase_country,
            shipping_country: members.shipping_country.or(members.shipping_address_country),
            initial_payment_method_type: members.initial_payment_method_type,
            initial_number_of_installments: members
                .initial_number_of_installments
                .or(members.initial_payment_method_number_of_installments),
            initial_payment_method_monthly_downpayments: members
                .initial_payment_method_monthly_downpayments
                .or(members.initial_payment_method_monthly_down_payment),
            vat_rate: members.vat_rate,
            vat_amount: members.vat_amount,
            tax_in_currency_of_registration_country: members
                .tax_in_currency_of_registration_country,
            currency_code_of_registration_country: members.currency_code_of_registration_country,
            customer_vat: members.customer_vat.unwrap_or_default(),
            klarna_comment: members.klarna_comment,
            reversal_reference: members.reversal_reference,
        })
    }
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("type", &self.kind)?;
        put(&mut out, "detailed_type", self.detailed_type.as_ref())?;
        out.serialize_entry("amount", &self.amount)?;
        out.serialize_entry("currency_code", &self.currency_code)?;
        put(&mut out, "capture_date", self.capture_date.as_ref())?;
        put(&mut out, "sale_date", self.sale_date.as_ref())?;
        put(&mut out, "order_id", self.order_id.as_ref())?;
        put(&mut out, "short_order_id", self.short_order_id.as_ref())?;
        match (&self.capture_id, &self.kind) {
            (Some(capture_id), _) => out.serialize_entry("capture_id", capture_id)?,
            // As documented: where there is no capture, the id is an empty string.
            (None, TransactionType::Return | TransactionType::Reversal) => {
                out.serialize_entry("capture_id", "")?;
            }
            (None, _) => {}
        }
        put(&mut out, "refund_id", self.refund_id.as_ref())?;
        put(&mut out, "merchant_reference1", self.merchant_reference1.as_ref())?;
        put(&mut out, "merchant_reference2", self.merchant_reference2.as_ref())?;
        put(&mut out, "merchant_capture_reference", self.merchant_capture_reference.as_ref())?;
        put(&mut out, "merchant_refund_reference", self.merchant_refund_reference.as_ref())?;
        put(&mut out, "payment_reference", self.payment_reference.as_ref())?;
        put(&mut out, "payout", self.payout.as_ref())?;
        put(&mut out, "merchant_id", self.merchant_id.as_ref())?;
        put(&mut out, "purchase_country", self.purchase_country.as_ref())?;
        for name in ["shipping_country", "shipping_address_country"] {
            put(&mut out, name, self.shipping_country.as_ref())?;
        }
        let method = self.initial_payment_method_type.as_ref();
        put(&mut out, "initial_payment_method_type", method)?;
        for name in
            ["initial_number_of_installments", "initial_payment_method_number_of_installments"]
        {
            put(&mut out, name, self.initial_number_of_installments.as_ref())?;
        }
        for name in [
            "initial_payment_method_monthly_downpayments",
            "initial_payment_method_monthly_down_payment",
        ] {
            put(&mut out, name, self.initial_payment_method_monthly_downpayments.as_ref())?;
        }
        put(&mut out, "vat_rate", self.vat_rate.as_ref())?;
        put(&mut out, "vat_amount", self.vat_amount.as_ref())?;
        let tax = self.tax_in_currency_of_registration_country.as_ref();
        put(&mut out, "tax_in_currency_of_registration_country", tax)?;
        let currency = self.currency_code_of_registration_country.as_ref();
        put(&mut out, "currency_code_of_registration_country", currency)?;
        if !self.customer_vat.is_empty() {
            out.serialize_entry("customer_vat", &self.customer_vat)?;
        }
        put(&mut out, "klarna_comment", self.klarna_comment.as_ref())?;
        put(&mut out, "reversal_reference", self.reversal_reference.as_ref())?;
        out.end()
    }
}

fn put<M: SerializeMap, T: Serialize>(
    out: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => out.serialize_entry(name, value),
        None => Ok(()),
    }
}
