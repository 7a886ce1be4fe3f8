//! What is done to one capture: `POST /v1/payments/{id}/captures/{capture_id}/shipping-info`,
//! `…/resend-communication`, `…/due-date`, and `GET …/due-date-options`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::MinorUnits;
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::cancel::Nothing;
use super::command::{self, Accepted};
use super::details::AddShippingInfo;
use super::view::PaymentView;
use crate::app::App;
use crate::engine::changes::{self, ChangeWish, NoOffers};
use crate::engine::commands::Command;
use crate::engine::sessions::Trouble;

/// Adds parcels to a capture.
#[utoipa::path(post, path = "/v1/payments/{id}/captures/{capture_id}/shipping-info",
    tag = "payments", params(("id" = String, Path), ("capture_id" = String, Path)),
    request_body = AddShippingInfo,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn shipping_info(
    State(app): State<App>,
    caller: Caller,
    Path((id, capture_id)): Path<(String, String)>,
    headers: HeaderMap,
    Body { value, bytes }: Body<AddShippingInfo>,
) -> Result<Response, Problem> {
    let parcels = value.shipping_info.into_iter().map(Into::into).collect();
    let capture_id = Some(capture_id);
    let command = Command::Change(ChangeWish::AddShippingInfo { capture_id, parcels });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// Has Klarna write to the shopper again, with the latest state of a capture.
#[utoipa::path(post, path = "/v1/payments/{id}/captures/{capture_id}/resend-communication",
    tag = "payments", params(("id" = String, Path), ("capture_id" = String, Path)),
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn resend_communication(
    State(app): State<App>,
    caller: Caller,
    Path((id, capture_id)): Path<(String, String)>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let command = Command::Change(ChangeWish::ResendCommunication { capture_id });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// By how much a due date can be moved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DueDateOptions {
    /// The currency of the fees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What Klarna offers now; nothing: the due date cannot be moved now.
    pub options: Vec<DueDateOption>,
}

/// One offer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DueDateOption {
    /// By so many days.
    pub number_of_days: i32,
    /// What Klarna charges the merchant for it, in minor units.
    #[schema(value_type = i64)]
    pub fee: MinorUnits,
}

/// Reads from Klarna by how many days the due date of a capture can be moved now, and for what fee.
#[utoipa::path(get, path = "/v1/payments/{id}/captures/{capture_id}/due-date-options",
    tag = "payments", params(("id" = String, Path), ("capture_id" = String, Path)),
    responses((status = 200, body = DueDateOptions), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn due_date_options(
    State(app): State<App>,
    caller: Caller,
    Path((id, capture_id)): Path<(String, String)>,
) -> Result<Json<DueDateOptions>, Problem> {
    let read = changes::due_date_options(app.engine(), &caller.store_id, &id, &capture_id);
    let found = read.await??;
    let options = found
        .options
        .into_iter()
        .map(|option| DueDateOption { number_of_days: option.number_of_days, fee: option.amount });
    Ok(Json(DueDateOptions {
        currency: found.currency.map(|currency| currency.as_str().to_owned()),
        options: options.collect(),
    }))
}

impl From<NoOffers> for Problem {
    fn from(none: NoOffers) -> Self {
        match none {
            NoOffers::NotPossible(not_possible) => not_possible.into(),
            NoOffers::NoAccount { country } => Trouble::NoAccount { country }.into(),
            NoOffers::Klarna(failure) => Trouble::Klarna(failure).into(),
        }
    }
}

/// By how much the due date moves.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendDueDate {
    /// One of the numbers of days that the capture's options name.
    pub number_of_days: i32,
}

/// Lets the shopper pay a capture later. Klarna charges the merchant the fee that the option names.
#[utoipa::path(post, path = "/v1/payments/{id}/captures/{capture_id}/due-date",
    tag = "payments", params(("id" = String, Path), ("capture_id" = String, Path)),
    request_body = ExtendDueDate,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn extend_due_date(
    State(app): State<App>,
    caller: Caller,
    Path((id, capture_id)): Path<(String, String)>,
    headers: HeaderMap,
    Body { value, bytes }: Body<ExtendDueDate>,
) -> Result<Response, Problem> {
    let number_of_days = value.number_of_days;
    let command = Command::Change(ChangeWish::ExtendDueDate { capture_id, number_of_days });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}
