//! The Order Management API (`/ordermanagement/v1`): 18 operations on placed orders.
//!
//! What every call goes through, in this order: credentials, rate limit and size (the edge), the form
//! of the order id, the body's JSON, the order itself, the idempotency key, the body's values, and
//! only then the order's own rules. [`call::Call`] holds to that order; the handlers say what is
//! particular to their operation, and decide nothing.

mod authorization;
mod body;
mod call;
mod captures;
mod details;
mod refunds;
mod refusal;

use axum::Router;
use axum::routing::{get, patch, post};
use klarna_types::order_line::{OrderLine, OrderLineBody};

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::merchant::{Merchant, Strictness};
use crate::domain::order::RiskCheck;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    let order = |rest: &str| format!("/ordermanagement/v1/orders/{{order_id}}{rest}");
    let capture = |rest: &str| order(&format!("/captures/{{id}}{rest}"));
    Router::new()
        .route(&order(""), get(details::read))
        .route(&order("/acknowledge"), post(authorization::acknowledge))
        .route(&order("/authorization"), patch(authorization::update))
        .route(&order("/cancel"), post(authorization::cancel))
        .route(&order("/customer-details"), patch(details::update_customer))
        .route(&order("/extend-authorization-time"), post(authorization::extend))
        .route(&order("/merchant-references"), patch(details::update_references))
        .route(&order("/release-remaining-authorization"), post(authorization::release))
        .route(&order("/shipping-info"), post(details::append_shipping_info))
        .route(&order("/captures"), post(captures::create).get(captures::list))
        .route(&capture(""), get(captures::read))
        .route(&capture("/shipping-info"), post(captures::append_shipping_info))
        .route(&capture("/trigger-send-out"), post(captures::trigger_send_out))
        .route(&capture("/extend-due-date-options"), get(captures::due_date_options))
        .route(&capture("/extend-due-date"), patch(captures::extend_due_date))
        .route(&order("/refunds"), post(refunds::create))
        .route(&order("/refunds/{id}"), get(refunds::read))
}

/// The lines of a body that has been found valid.
fn lines(lines: Option<Vec<OrderLineBody>>) -> Result<Vec<OrderLine>, ApiError> {
    lines
        .unwrap_or_default()
        .into_iter()
        .map(|line| OrderLine::try_from(line).map_err(ApiError::internal))
        .collect()
}

/// What the risk check of a change says for this merchant.
fn risk_check(merchant: &Merchant) -> RiskCheck {
    if merchant.wants(Strictness::RefuseChanges) { RiskCheck::Fails } else { RiskCheck::Passes }
}
