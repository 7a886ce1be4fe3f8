//! The order's own details: `POST /v1/payments/{id}/customer-details`, `…/merchant-references`,
//! `…/shipping-info` and `…/acknowledge`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::{Address, Country};
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::Parcel;
use super::cancel::Nothing;
use super::command::{self, Accepted};
use super::view::PaymentView;
use crate::app::App;
use crate::engine::changes::ChangeWish;
use crate::engine::commands::Command;

/// Where the goods are sent. A member that is left out stays; an empty text takes it away. It is
/// passed on to Klarna and not kept.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerDetails {
    /// What changes of the shipping address.
    #[serde(default)]
    pub shipping_address: AddressPatch,
    /// Cannot be changed any more: naming it is refused.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<serde::de::IgnoredAny>,
}

/// The members of an address that change.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AddressPatch {
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// The organisation, for purchases of businesses.
    pub organization_name: Option<String>,
    /// The person or department in the organisation.
    pub attention: Option<String>,
    /// Title, in the country's own form.
    pub title: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Street and house number.
    pub street_address: Option<String>,
    /// What else the street needs.
    pub street_address2: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<String>,
}

impl From<AddressPatch> for Address {
    fn from(patch: AddressPatch) -> Self {
        Self {
            given_name: patch.given_name,
            family_name: patch.family_name,
            organization_name: patch.organization_name,
            attention: patch.attention,
            title: patch.title,
            email: patch.email,
            phone: patch.phone,
            street_address: patch.street_address,
            street_address2: patch.street_address2,
            care_of: None,
            postal_code: patch.postal_code,
            city: patch.city,
            region: patch.region,
            country: patch.country.map(|code| Country::from(code.as_str())),
        }
    }
}

/// Changes where the order is sent. Klarna checks the shopper anew and may refuse.
#[utoipa::path(post, path = "/v1/payments/{id}/customer-details", tag = "payments",
    params(("id" = String, Path)), request_body = CustomerDetails,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn customer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CustomerDetails>,
) -> Result<Response, Problem> {
    if value.billing_address.is_some() {
        return Err(Problem::invalid(
            "billing_address",
            "billing_address: Klarna does not let it be changed after the purchase.",
        ));
    }
    let address = Box::new(Address::from(value.shipping_address));
    let command = Command::Change(ChangeWish::UpdateCustomer(address));
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// The shop's references. What is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MerchantReferences {
    /// The shop's order number, shown to the shopper.
    #[serde(default)]
    pub merchant_reference1: Option<String>,
    /// Another number of the shop; an empty text takes it away.
    #[serde(default)]
    pub merchant_reference2: Option<String>,
}

/// Changes the shop's references.
#[utoipa::path(post, path = "/v1/payments/{id}/merchant-references", tag = "payments",
    params(("id" = String, Path)), request_body = MerchantReferences,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn references(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<MerchantReferences>,
) -> Result<Response, Problem> {
    let command = Command::Change(ChangeWish::UpdateReferences {
        reference1: value.merchant_reference1,
        reference2: value.merchant_reference2,
    });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// Parcels. They are added to those there are: Klarna replaces none.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddShippingInfo {
    /// 1 to 500 of them.
    pub shipping_info: Vec<Parcel>,
}

/// Adds parcels to the order, before it is captured. Afterwards they belong to a capture.
#[utoipa::path(post, path = "/v1/payments/{id}/shipping-info", tag = "payments",
    params(("id" = String, Path)), request_body = AddShippingInfo,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn shipping_info(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<AddShippingInfo>,
) -> Result<Response, Problem> {
    let parcels = value.shipping_info.into_iter().map(Into::into).collect();
    let command = Command::Change(ChangeWish::AddShippingInfo { capture_id: None, parcels });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// Tells Klarna that the shop has the order. A capture says so too.
#[utoipa::path(post, path = "/v1/payments/{id}/acknowledge", tag = "payments",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let command = Command::Change(ChangeWish::Acknowledge);
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}
