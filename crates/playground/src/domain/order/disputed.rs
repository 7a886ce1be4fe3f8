//! What a dispute needs to know of an order.

use klarna_types::ids::CaptureId;
use klarna_types::money::MinorUnits;

use super::{Capture, Order};
use crate::domain::dispute::Subject;

impl Order {
    /// The dispute that the shopper will raise, as the e-mail address asked for it.
    pub(crate) fn dispute_wish(&self) -> Option<&str> {
        self.dispute.as_deref()
    }

    /// What would be disputed: a capture, or the order as such. Nothing if there is no such capture.
    pub(crate) fn disputed(&self, capture_id: Option<&CaptureId>) -> Option<Subject> {
        let capture = match capture_id {
            Some(id) => Some(self.find_capture(id).ok()?),
            None => None,
        };
        let shipping_info = match capture {
            Some(capture) => capture.shipping_info.iter().chain(&self.shipping_info),
            None => self.shipping_info.iter().chain(&[]),
        };
        let lines = match capture {
            Some(capture) if !capture.lines.is_empty() => &capture.lines,
            _ => &self.lines,
        };
        Some(Subject {
            merchant_id: self.merchant_id.clone(),
            order_id: self.id.clone(),
            order_created_at: self.created_at,
            order_amount: self.authorized,
            capture_id: capture_id.cloned(),
            capture_reference: capture.and_then(|capture| capture.reference.clone()),
            currency: self.currency.clone(),
            country: self.country.clone(),
            merchant_reference1: self.merchant_reference1.clone(),
            merchant_reference2: self.merchant_reference2.clone(),
            merchant_data: self.merchant_data.clone(),
            parcels: shipping_info
                .map(|info| (info.shipping_company.clone(), info.tracking_number.clone()))
                .collect(),
            lines: lines.iter().map(|line| (line.reference.clone(), line.quantity)).collect(),
            refunded_before: self.refunded_of(capture_id),
            captured: capture.map_or_else(|| self.captured(), |capture| capture.amount),
        })
    }

    /// The capture that was made last.
    pub(crate) fn latest_capture(&self) -> Option<&CaptureId> {
        self.captures.last().map(|capture| &capture.id)
    }

    /// How much of a capture, or of the order as such, has been given back.
    pub(crate) fn refunded_of(&self, capture_id: Option<&CaptureId>) -> MinorUnits {
        let of_capture = |id: &CaptureId| {
            let capture: Option<&Capture> = self.captures.iter().find(|capture| capture.id == *id);
            capture.map_or(MinorUnits::ZERO, |capture| capture.refunded)
        };
        capture_id.map_or_else(|| self.refunded(), of_capture)
    }
}
