//! Requests of Order Management. State and amounts of the order are not known here.

use super::{AddressLimits, Checker, LineLimits, MAX_AMOUNT, MAX_SHIPPING_INFO};
use crate::money::MinorUnits;
use crate::order_line::OrderLineBody;
use crate::order_management::{
    CreateCaptureBody, CreateRefundBody, ExtendDueDateBody, ShippingInfo, ShippingMethod,
    UpdateAuthorizationBody, UpdateConsumerBody, UpdateMerchantReferences, UpdateShippingInfoBody,
};
use crate::problem::{Problem, Rule};

/// `POST captures`.
///
/// ```
/// use klarna_types::{order_management::CreateCaptureBody, validate};
/// let problems = validate::capture(&CreateCaptureBody::new());
/// assert_eq!(problems[0].order_management_message(), "The captured_amount value may not be null");
/// ```
pub fn capture(body: &CreateCaptureBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.amount("captured_amount", body.captured_amount);
    checker.text("description", body.description.as_deref(), 0, 255);
    checker.text("reference", body.reference.as_deref(), 0, 255);
    checker.optional_lines(body.order_lines.as_deref());
    if let Some(parcels) = &body.shipping_info {
        checker.parcels(parcels, 0);
    }
    checker.range("shipping_delay", body.shipping_delay, Some(0), None);
    checker.problems
}

/// `POST refunds`.
pub fn refund(body: &CreateRefundBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.amount("refunded_amount", body.refunded_amount);
    checker.text("description", body.description.as_deref(), 0, 255);
    checker.text("reference", body.reference.as_deref(), 0, 255);
    checker.optional_lines(body.order_lines.as_deref());
    checker.problems
}

/// `PATCH authorization`.
pub fn update_authorization(body: &UpdateAuthorizationBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.amount("order_amount", body.order_amount);
    checker.text("description", body.description.as_deref(), 0, 255);
    checker.optional_lines(body.order_lines.as_deref());
    checker.problems
}

/// `PATCH customer-details`: limits of the shipping address. A billing address is refused by state, not by limits.
pub fn update_consumer(body: &UpdateConsumerBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    if let Some(address) = &body.shipping_address {
        // An empty text clears a member, the country included.
        let mut address = address.clone();
        address.country = address.country.filter(|country| !country.as_str().is_empty());
        checker.address("shipping_address", &address, &AddressLimits::ORDER_MANAGEMENT);
    }
    checker.problems
}

/// `PATCH merchant-references`.
pub fn merchant_references(body: &UpdateMerchantReferences) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.text("merchant_reference1", body.merchant_reference1.as_deref(), 0, 255);
    checker.text("merchant_reference2", body.merchant_reference2.as_deref(), 0, 255);
    checker.problems
}

/// `POST shipping-info`, of an order or of a capture.
pub fn shipping_info(body: &UpdateShippingInfoBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.required("shipping_info", body.shipping_info.as_ref());
    if let Some(parcels) = &body.shipping_info {
        checker.parcels(parcels, 1);
    }
    checker.problems
}

/// `PATCH extend-due-date`. Whether the number of days is offered depends on the capture.
pub fn extend_due_date(body: &ExtendDueDateBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.required("number_of_days", body.number_of_days.as_ref());
    checker.problems
}

impl Checker {
    fn amount(&mut self, path: &str, amount: Option<MinorUnits>) {
        self.required(path, amount.as_ref());
        self.range(path, amount.map(MinorUnits::get), Some(0), Some(MAX_AMOUNT));
    }

    fn optional_lines(&mut self, lines: Option<&[OrderLineBody]>) {
        if let Some(lines) = lines {
            self.lines(lines, 0, &LineLimits::ORDER_MANAGEMENT);
        }
    }

    fn parcels(&mut self, parcels: &[ShippingInfo], min: usize) {
        let found = parcels.len();
        if found < min || found > MAX_SHIPPING_INFO {
            self.problem("shipping_info", Rule::Items { found, min, max: MAX_SHIPPING_INFO });
            return;
        }
        for (index, parcel) in parcels.iter().enumerate() {
            let ShippingInfo {
                shipping_company,
                shipping_method,
                tracking_number,
                tracking_uri,
                return_shipping_company,
                return_tracking_number,
                return_tracking_uri,
            } = parcel;
            for (member, value, max) in [
                ("shipping_company", shipping_company, 100),
                ("tracking_number", tracking_number, 100),
                ("tracking_uri", tracking_uri, 1024),
                ("return_shipping_company", return_shipping_company, 100),
                ("return_tracking_number", return_tracking_number, 100),
                ("return_tracking_uri", return_tracking_uri, 1024),
            ] {
                self.text(format!("shipping_info[{index}].{member}"), value.as_deref(), 0, max);
            }
            if shipping_method.as_ref().is_some_and(|method| !method.is_known()) {
                let path = format!("shipping_info[{index}].shipping_method");
                self.unknown(path, ShippingMethod::KNOWN.iter().map(ShippingMethod::as_str));
            }
        }
    }
}
