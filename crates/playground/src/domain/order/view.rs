//! An order as merchants read it.

use klarna_types::address::Address;
use klarna_types::ids::{CaptureId, KlarnaReference, RefundId};
use klarna_types::order_management as wire;
use klarna_types::payments::FraudStatus;

use super::{Capture, Order, Refund, Rejection, Status};
use crate::domain::due_date::Offer;
use crate::domain::fraud::Fraud;

impl Order {
    /// The whole order.
    pub(crate) fn view(&self) -> wire::Order {
        wire::Order {
            order_id: self.id.clone(),
            status: self.status().into(),
            fraud_status: Some(self.fraud_status()),
            order_amount: self.authorized,
            original_order_amount: Some(self.original),
            captured_amount: self.captured(),
            refunded_amount: self.refunded(),
            remaining_authorized_amount: self.remaining(),
            purchase_currency: Some(self.currency.clone()),
            purchase_country: Some(self.country.clone()),
            locale: Some(self.locale.clone()),
            order_lines: self.lines.clone(),
            merchant_reference1: self.merchant_reference1.clone(),
            merchant_reference2: self.merchant_reference2.clone(),
            klarna_reference: Some(self.klarna_reference.clone()),
            customer: self.customer.clone(),
            billing_address: self.billing_address.as_ref().map(address_view),
            shipping_address: self.shipping_address.as_ref().map(address_view),
            created_at: Some(self.created_at),
            expires_at: Some(self.expires_at),
            captures: self.captures.iter().map(Capture::view).collect(),
            refunds: self.refunds.iter().map(Refund::view).collect(),
            shipping_info: self.shipping_info.clone(),
            merchant_data: self.merchant_data.clone(),
            initial_payment_method: Some(self.initial_payment_method.clone()),
            selected_shipping_option: None,
        }
    }

    /// All captures, oldest first.
    pub(crate) fn captures_view(&self) -> Vec<wire::Capture> {
        self.captures.iter().map(Capture::view).collect()
    }

    /// One capture.
    pub(crate) fn capture_view(&self, capture_id: &CaptureId) -> Result<wire::Capture, Rejection> {
        self.find_capture(capture_id).map(Capture::view)
    }

    /// One refund.
    pub(crate) fn refund_view(&self, refund_id: &RefundId) -> Result<wire::Refund, Rejection> {
        self.find_refund(refund_id).map(Refund::view)
    }

    /// The extensions that are on offer for a capture's due date.
    pub(crate) fn due_date_view(
        &self,
        capture_id: &CaptureId,
    ) -> Result<wire::ExtendDueDateOptions, Rejection> {
        let options = self
            .due_date_offers(capture_id)?
            .into_iter()
            .map(|Offer { number_of_days, fee }| wire::ExtendDueDateOption {
                number_of_days,
                amount: fee,
            })
            .collect();
        Ok(wire::ExtendDueDateOptions { currency: Some(self.currency.clone()), options })
    }

    /// What the order says of its fraud review.
    pub(crate) fn fraud_status(&self) -> FraudStatus {
        match self.fraud {
            Fraud::Accepted => FraudStatus::Accepted,
            Fraud::Pending { .. } => FraudStatus::Pending,
            Fraud::Rejected { .. } => FraudStatus::Rejected,
        }
    }
}

impl Capture {
    fn view(&self) -> wire::Capture {
        wire::Capture {
            capture_id: self.id.clone(),
            klarna_reference: Some(KlarnaReference::new(self.klarna_reference.as_str())),
            captured_amount: self.amount,
            captured_at: Some(self.captured_at),
            description: self.description.clone().unwrap_or_default(),
            order_lines: self.lines.clone(),
            reference: self.reference.clone(),
            refunded_amount: self.refunded,
            billing_address: self.billing_address.as_ref().map(address_view),
            shipping_address: self.shipping_address.as_ref().map(address_view),
            shipping_info: self.shipping_info.clone(),
        }
    }
}

impl Refund {
    fn view(&self) -> wire::Refund {
        wire::Refund {
            refund_id: self.id.clone(),
            refunded_amount: self.amount,
            refunded_at: Some(self.refunded_at),
            description: self.description.clone(),
            reference: self.reference.clone(),
            order_lines: self.lines.clone(),
            credit_invoice: None,
        }
    }
}

impl From<Status> for wire::OrderStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Authorized => Self::Authorized,
            Status::PartCaptured => Self::PartCaptured,
            Status::Captured => Self::Captured,
            Status::Cancelled => Self::Cancelled,
            Status::Expired => Self::Expired,
            Status::Closed => Self::Closed,
        }
    }
}

/// Klarna's answers show these members of an address even when they are empty.
fn address_view(address: &Address) -> Address {
    let mut shown = address.clone();
    for member in [&mut shown.title, &mut shown.street_address2, &mut shown.region] {
        member.get_or_insert_default();
    }
    shown
}
