//! The Order Management API: 18 operations on placed orders.

use http::Method;
use klarna_types::order_management::{
    Capture, CreateCapture, CreateRefund, ExtendDueDate, ExtendDueDateOptions, Order, Refund,
    UpdateAuthorization, UpdateConsumer, UpdateMerchantReferences, UpdateShippingInfo,
};
use klarna_types::{CaptureId, OrderId, Problem, RefundId, validate};
use serde::Serialize;

use super::{keyed, operation, with_body};
use crate::call::{self, Call, Keyed, Unreadable};
use crate::client::Client;
use crate::engine::Answer;

macro_rules! route {
    ($rest:literal) => {
        concat!("/ordermanagement/v1/orders/{order_id}", $rest)
    };
}

/// Placed orders. From [`Client::orders`].
///
/// Every write carries an idempotency key and is repeated under it when its outcome is unknown.
#[derive(Debug, Clone, Copy)]
pub struct Orders<'c> {
    pub(crate) client: &'c Client,
}

/// A capture was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedCapture {
    /// The capture.
    pub capture_id: CaptureId,
    /// Where it can be read.
    pub location: Option<String>,
}

/// A refund was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedRefund {
    /// The refund.
    pub refund_id: RefundId,
    /// Where it can be read.
    pub location: Option<String>,
}

impl Orders<'_> {
    /// Reads an order.
    pub fn get(&self, order_id: &OrderId) -> Call<Order> {
        let operation = operation(Method::GET, route!(""), &[order_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Tells Klarna that the shop has the order; stops its push notifications.
    pub fn acknowledge(&self, order_id: &OrderId) -> Call<(), Keyed> {
        self.bodiless(route!("/acknowledge"), &[order_id.as_str()])
    }

    /// Sets a new amount and new lines. Without lines, the stored ones are deleted.
    pub fn update_authorization(
        &self,
        order_id: &OrderId,
        request: &UpdateAuthorization,
    ) -> Call<(), Keyed> {
        self.change(route!("/authorization"), &[order_id.as_str()], request, |body| {
            problems(body, validate::update_authorization)
        })
    }

    /// Cancels an order without captures.
    pub fn cancel(&self, order_id: &OrderId) -> Call<(), Keyed> {
        self.bodiless(route!("/cancel"), &[order_id.as_str()])
    }

    /// Changes the shipping address.
    pub fn update_customer_details(
        &self,
        order_id: &OrderId,
        request: &UpdateConsumer,
    ) -> Call<(), Keyed> {
        self.change(route!("/customer-details"), &[order_id.as_str()], request, |body| {
            problems(body, validate::update_consumer)
        })
    }

    /// Extends the time in which the order can be captured, by the account's period from today.
    pub fn extend_authorization_time(&self, order_id: &OrderId) -> Call<(), Keyed> {
        self.bodiless(route!("/extend-authorization-time"), &[order_id.as_str()])
    }

    /// Changes the shop's references.
    pub fn update_merchant_references(
        &self,
        order_id: &OrderId,
        request: &UpdateMerchantReferences,
    ) -> Call<(), Keyed> {
        self.change(route!("/merchant-references"), &[order_id.as_str()], request, |body| {
            problems(body, validate::merchant_references)
        })
    }

    /// Says that nothing more will be captured.
    pub fn release_remaining_authorization(&self, order_id: &OrderId) -> Call<(), Keyed> {
        self.bodiless(route!("/release-remaining-authorization"), &[order_id.as_str()])
    }

    /// Adds parcels to an order that is not captured yet.
    pub fn add_shipping_info(
        &self,
        order_id: &OrderId,
        request: &UpdateShippingInfo,
    ) -> Call<(), Keyed> {
        self.append(route!("/shipping-info"), &[order_id.as_str()], request)
    }

    /// Captures a part of the order or all of it.
    pub fn capture(
        &self,
        order_id: &OrderId,
        request: &CreateCapture,
    ) -> Call<CreatedCapture, Keyed> {
        let route = route!("/captures");
        let operation =
            with_body(Method::POST, route, &[order_id.as_str()], request).map(|operation| {
                let mut operation = keyed(operation);
                operation.explain = Some(|body| problems(body, validate::capture));
                operation
            });
        Call::new(self.client.shared(), operation, |answer| {
            let (id, location) = created(answer, "capture-id")?;
            Ok(CreatedCapture { capture_id: CaptureId::new(id), location })
        })
    }

    /// Reads all captures of an order.
    pub fn captures(&self, order_id: &OrderId) -> Call<Vec<Capture>> {
        let operation = operation(Method::GET, route!("/captures"), &[order_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads one capture.
    pub fn get_capture(&self, order_id: &OrderId, capture_id: &CaptureId) -> Call<Capture> {
        let values = [order_id.as_str(), capture_id.as_str()];
        let operation = operation(Method::GET, route!("/captures/{capture_id}"), &values);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Adds parcels to a capture.
    pub fn add_capture_shipping_info(
        &self,
        order_id: &OrderId,
        capture_id: &CaptureId,
        request: &UpdateShippingInfo,
    ) -> Call<(), Keyed> {
        let values = [order_id.as_str(), capture_id.as_str()];
        self.append(route!("/captures/{capture_id}/shipping-info"), &values, request)
    }

    /// Sends the shopper a fresh mail about a capture.
    pub fn trigger_send_out(&self, order_id: &OrderId, capture_id: &CaptureId) -> Call<(), Keyed> {
        let values = [order_id.as_str(), capture_id.as_str()];
        self.bodiless(route!("/captures/{capture_id}/trigger-send-out"), &values)
    }

    /// Reads by how many days the due date of a capture can be extended.
    pub fn extend_due_date_options(
        &self,
        order_id: &OrderId,
        capture_id: &CaptureId,
    ) -> Call<ExtendDueDateOptions> {
        let values = [order_id.as_str(), capture_id.as_str()];
        let route = route!("/captures/{capture_id}/extend-due-date-options");
        Call::new(self.client.shared(), operation(Method::GET, route, &values), call::json)
    }

    /// Extends the due date of a capture by one of the offered numbers of days.
    pub fn extend_due_date(
        &self,
        order_id: &OrderId,
        capture_id: &CaptureId,
        request: &ExtendDueDate,
    ) -> Call<(), Keyed> {
        let values = [order_id.as_str(), capture_id.as_str()];
        self.change(route!("/captures/{capture_id}/extend-due-date"), &values, request, |body| {
            problems(body, validate::extend_due_date)
        })
    }

    /// Gives back a part of what was captured, or all of it.
    pub fn refund(&self, order_id: &OrderId, request: &CreateRefund) -> Call<CreatedRefund, Keyed> {
        let route = route!("/refunds");
        let operation =
            with_body(Method::POST, route, &[order_id.as_str()], request).map(|operation| {
                let mut operation = keyed(operation);
                operation.explain = Some(|body| problems(body, validate::refund));
                operation
            });
        Call::new(self.client.shared(), operation, |answer| {
            let (id, location) = created(answer, "refund-id")?;
            Ok(CreatedRefund { refund_id: RefundId::new(id), location })
        })
    }

    /// Reads one refund.
    pub fn get_refund(&self, order_id: &OrderId, refund_id: &RefundId) -> Call<Refund> {
        let values = [order_id.as_str(), refund_id.as_str()];
        let operation = operation(Method::GET, route!("/refunds/{refund_id}"), &values);
        Call::new(self.client.shared(), operation, call::json)
    }

    fn bodiless(self, route: &'static str, values: &[&str]) -> Call<(), Keyed> {
        let operation = operation(Method::POST, route, values).map(keyed);
        Call::new(self.client.shared(), operation, call::nothing)
    }

    fn change<B: Serialize>(
        self,
        route: &'static str,
        values: &[&str],
        body: &B,
        explain: fn(&[u8]) -> Vec<Problem>,
    ) -> Call<(), Keyed> {
        let operation = with_body(Method::PATCH, route, values, body).map(|operation| {
            let mut operation = keyed(operation);
            operation.explain = Some(explain);
            operation
        });
        Call::new(self.client.shared(), operation, call::nothing)
    }

    fn append(
        self,
        route: &'static str,
        values: &[&str],
        body: &UpdateShippingInfo,
    ) -> Call<(), Keyed> {
        let operation = with_body(Method::POST, route, values, body).map(|operation| {
            let mut operation = keyed(operation);
            operation.explain = Some(|body| problems(body, validate::shipping_info));
            operation
        });
        Call::new(self.client.shared(), operation, call::nothing)
    }
}

fn problems<B: serde::de::DeserializeOwned>(
    body: &[u8],
    check: fn(&B) -> Vec<Problem>,
) -> Vec<Problem> {
    serde_json::from_slice(body).map(|body| check(&body)).unwrap_or_default()
}

/// The id of what was created: from its header, else from the end of its location.
fn created(answer: &Answer, header: &'static str) -> Result<(String, Option<String>), Unreadable> {
    let text = |name: &str| Some(answer.headers.get(name)?.to_str().ok()?.trim().to_owned());
    let location = text("location").filter(|location| !location.is_empty());
    let id = text(header)
        .or_else(|| location.as_ref()?.trim_end_matches('/').rsplit('/').next().map(str::to_owned))
        .filter(|id| !id.is_empty());
    match id {
        Some(id) => Ok((id, location)),
        None => Err(Unreadable {
            detail: format!("the answer has neither a `{header}` nor a `location` header"),
            source: None,
        }),
    }
}
