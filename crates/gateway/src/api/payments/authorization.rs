//! `POST /v1/payments/{id}/authorization` and `…/authorization/extend`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::MinorUnits;
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::cancel::Nothing;
use super::command::{self, Accepted};
use super::view::PaymentView;
use crate::app::App;
use crate::domain::cart::{LineInput, PricesMode};
use crate::domain::payment::NewAuthorization;
use crate::engine::changes::ChangeWish;
use crate::engine::commands::Command;

/// What the authorisation becomes. Lines replace those there are; with an amount alone those there
/// are stay, and a line called "Adjustment" makes them add up.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAuthorization {
    /// The new total, in minor units: not less than what is captured. More than there is needs a
    /// payment method for which Klarna offers that, and a new check of the shopper.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<MinorUnits>,
    /// Everything that is bought now, as in a checkout. A given amount must be their sum.
    #[serde(default)]
    pub lines: Option<Vec<LineInput>>,
    /// Whether the lines' prices contain tax; `including_tax` if it is left out.
    #[serde(default)]
    pub prices: Option<PricesMode>,
    /// Why; Klarna keeps it.
    #[serde(default)]
    pub description: Option<String>,
}

/// Changes amount and lines of what is not captured yet.
#[utoipa::path(post, path = "/v1/payments/{id}/authorization", tag = "payments",
    params(("id" = String, Path)), request_body = UpdateAuthorization,
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<UpdateAuthorization>,
) -> Result<Response, Problem> {
    let prices = value.prices.unwrap_or(PricesMode::IncludingTax);
    let wanted =
        NewAuthorization { amount: value.amount, lines: value.lines.map(|lines| (prices, lines)) };
    let description = value.description;
    let command = Command::Change(ChangeWish::UpdateAuthorization { wanted, description });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}

/// Gives the authorisation more time: Klarna's own period, from today.
#[utoipa::path(post, path = "/v1/payments/{id}/authorization/extend", tag = "payments",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn extend(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let command = Command::Change(ChangeWish::ExtendAuthorization);
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}
