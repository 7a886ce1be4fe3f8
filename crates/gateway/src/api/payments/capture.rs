//! `POST /v1/payments/{id}/captures`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::MinorUnits;
use klarna_types::order_management::ShippingInfo;
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::command::{self, Accepted};
use super::view::PaymentView;
use super::{LineShare, Parcel};
use crate::app::App;
use crate::domain::lines::Wanted;
use crate::domain::payment::{Risk, Share};
use crate::engine::commands::{CaptureWish, Command};

/// What to capture. Neither amount nor lines: everything that remains.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCapture {
    /// So much, in minor units.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<MinorUnits>,
    /// These lines. Amounts come from the recorded lines; a given amount must be their sum.
    #[serde(default)]
    pub lines: Option<Vec<LineShare>>,
    /// Shown to the shopper.
    #[serde(default)]
    pub description: Option<String>,
    /// Stands in settlement files; the operation's id if it is left out.
    #[serde(default)]
    pub reference: Option<String>,
    /// The parcels. More can be added later.
    #[serde(default)]
    pub shipping_info: Vec<Parcel>,
    /// Days until the goods leave. Klarna must have allowed that for the merchant id.
    #[serde(default)]
    pub shipping_delay_days: Option<i64>,
    /// `klarna`, or `merchant` to overrule Klarna's refusal of the risk at your own.
    #[serde(default)]
    pub risk: RiskBearer,
}

/// Who bears the risk of a capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskBearer {
    /// Klarna, having accepted it.
    #[default]
    Klarna,
    /// The merchant: within four hours of Klarna's refusal, a capture overrules it.
    Merchant,
}

impl From<RiskBearer> for Risk {
    fn from(bearer: RiskBearer) -> Self {
        match bearer {
            RiskBearer::Klarna => Self::Klarna,
            RiskBearer::Merchant => Self::Merchant,
        }
    }
}

/// Captures a payment, wholly or in part.
#[utoipa::path(post, path = "/v1/payments/{id}/captures", tag = "payments",
    params(("id" = String, Path)), request_body = CreateCapture,
    responses(
        (status = 201, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn capture(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateCapture>,
) -> Result<Response, Problem> {
    let share = Share {
        amount: value.amount,
        lines: value.lines.map(|lines| lines.into_iter().map(Wanted::from).collect()),
    };
    let command = Command::Capture(CaptureWish {
        share,
        description: value.description,
        reference: value.reference,
        shipping_info: value.shipping_info.into_iter().map(ShippingInfo::from).collect(),
        shipping_delay_days: value.shipping_delay_days,
        risk: value.risk.into(),
    });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}
