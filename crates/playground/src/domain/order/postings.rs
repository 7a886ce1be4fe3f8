//! What an order's captures, refunds and extensions are to the merchant's settlements.

use std::collections::BTreeMap;

use jiff::Timestamp;
use klarna_types::address::Address;
use klarna_types::money::{MinorUnits, TaxRate};
use klarna_types::order_line::OrderLine;
use klarna_types::settlements::{CustomerVat, DetailedType, TransactionType};

use super::{Capture, Event, Happened, Order, Refund};
use crate::domain::settlement::{FeeTerms, Posting};

/// A report has columns for so many rates of the shopper's VAT.
const VAT_RATES: usize = 4;

impl Order {
    /// Whether any of `events` moves money between Klarna and the merchant.
    pub(crate) fn moves_money(events: &[Event]) -> bool {
        events.iter().any(|event| {
            matches!(
                event.what,
                Happened::Captured { .. }
                    | Happened::Refunded { .. }
                    | Happened::DueDateExtended { .. }
            )
        })
    }

    /// What follows from `events`, which happened to this order, for its merchant's settlements.
    pub(crate) fn postings(&self, events: &[Event], fees: &FeeTerms) -> Vec<Posting> {
        let mut postings = Vec::new();
        for event in events {
            match &event.what {
                Happened::Captured { capture_id, .. } => {
                    let capture = self.captures.iter().find(|capture| capture.id == *capture_id);
                    if let Some(capture) = capture {
                        self.post_capture(capture, fees, &mut postings);
                    }
                }
                Happened::Refunded { refund_id, .. } => {
                    let refund = self.refunds.iter().find(|refund| refund.id == *refund_id);
                    postings.extend(refund.map(|refund| self.post_refund(refund)));
                }
                Happened::DueDateExtended { capture_id, fee, .. } => {
                    let capture = self.captures.iter().find(|capture| capture.id == *capture_id);
                    if let Some(capture) = capture.filter(|_| fee.is_positive()) {
                        let number = capture.due_date_extensions.len();
                        let name = format!("extension-{number}");
                        let kind = DetailedType::ExtendDueDateFee;
                        postings.push(self.post_fee(capture, &name, kind, *fee, event.at, fees));
                    }
                }
                Happened::Placed { .. }
                | Happened::Acknowledged
                | Happened::AuthorizationUpdated { .. }
                | Happened::Cancelled { .. }
                | Happened::CustomerDetailsUpdated
                | Happened::AuthorizationExtended { .. }
                | Happened::MerchantReferencesUpdated
                | Happened::RemainingReleased { .. }
                | Happened::ShippingInfoAppended { .. }
                | Happened::SendOutTriggered { .. }
                | Happened::FraudDecided { .. }
                | Happened::Expired { .. } => {}
            }
        }
        postings
    }

    /// A posting of this order, with everything that a row says of its order.
    pub(crate) fn posting(
        &self,
        posting_id: impl Into<String>,
        what: (TransactionType, DetailedType),
        amount: MinorUnits,
        at: Timestamp,
    ) -> Posting {
        let address = self.shipping_address.as_ref().or(self.billing_address.as_ref());
        Posting {
            sale_at_ms: Some(self.created_at.as_millisecond()),
            order_id: Some(self.id.clone()),
            short_order_id: Some(self.klarna_reference.clone()),
            merchant_reference1: self.merchant_reference1.clone(),
            merchant_reference2: self.merchant_reference2.clone(),
            purchase_country: Some(self.country.clone()),
            shipping_country: address.and_then(country_of),
            payment_method: Some(self.initial_payment_method.kind.as_str().to_lowercase()),
            installments: self.initial_payment_method.number_of_installments.map(i64::from),
            ..Posting::new(
                posting_id,
                self.merchant_id.clone(),
                what,
                amount,
                self.currency.clone(),
                at.as_millisecond(),
            )
        }
    }

    fn post_capture(&self, capture: &Capture, fees: &FeeTerms, postings: &mut Vec<Posting>) {
        let what = (TransactionType::Sale, DetailedType::Purchase);
        let id = capture.id.as_str();
        postings.push(Posting {
            capture_id: Some(capture.id.clone()),
            merchant_capture_reference: capture.reference.clone(),
            shipping_country: capture
                .shipping_address
                .as_ref()
                .or(capture.billing_address.as_ref())
                .and_then(country_of),
            customer_vat: customer_vat(&capture.lines),
            ..self.posting(id, what, capture.amount, capture.captured_at)
        });
        for (name, kind, fee) in [
            ("percentage", DetailedType::PurchaseFeePercentage, fees.percentage_of(capture.amount)),
            ("fixed", DetailedType::PurchaseFeeFixed, fees.fixed_in(&self.currency)),
        ] {
            if fee.is_positive() {
                let at = capture.captured_at;
                postings.push(self.post_fee(capture, name, kind, fee, at, fees));
            }
        }
    }

    fn post_fee(
        &self,
        capture: &Capture,
        name: &str,
        detailed_type: DetailedType,
        fee: MinorUnits,
        at: Timestamp,
        fees: &FeeTerms,
    ) -> Posting {
        let id = format!("{}:{name}", capture.id);
        Posting {
            capture_id: Some(capture.id.clone()),
            merchant_capture_reference: capture.reference.clone(),
            vat: Some(fees.vat_on(fee)),
            ..self.posting(id, (TransactionType::Fee, detailed_type), fee, at)
        }
    }

    fn post_refund(&self, refund: &Refund) -> Posting {
        let what = (TransactionType::Return, DetailedType::PurchaseReturn);
        Posting {
            refund_id: Some(refund.id.clone()),
            merchant_refund_reference: refund.reference.clone(),
            customer_vat: customer_vat(&refund.lines),
            ..self.posting(refund.id.as_str(), what, refund.amount, refund.refunded_at)
        }
    }
}

fn country_of(address: &Address) -> Option<klarna_types::Country> {
    address.country.clone()
}

/// VAT of lines by rate, the lowest rate first; only if lines carry it, and as many as a row has room for.
fn customer_vat(lines: &[OrderLine]) -> Vec<CustomerVat> {
    let mut by_rate: BTreeMap<TaxRate, MinorUnits> = BTreeMap::new();
    for line in lines {
        if let (Some(rate), Some(tax)) = (line.tax_rate, line.total_tax_amount)
            && let Some(sum) = by_rate.get(&rate).copied().unwrap_or_default().checked_add(tax)
        {
            by_rate.insert(rate, sum);
        }
    }
    by_rate
        .into_iter()
        .filter(|(_, tax)| !tax.is_zero())
        .take(VAT_RATES)
        .map(|(tax_rate, tax_amount)| CustomerVat { tax_rate, tax_amount })
        .collect()
}
