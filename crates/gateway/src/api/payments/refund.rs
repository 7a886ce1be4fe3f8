//! `POST /v1/payments/{id}/refunds`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::{MinorUnits, TaxRate};
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::LineShare;
use super::command::{self, Accepted};
use super::view::PaymentView;
use crate::app::App;
use crate::domain::lines::Wanted;
use crate::domain::payment::{RefundShare, ReturnFee, Share};
use crate::engine::commands::{Command, RefundWish};

/// What to refund. Neither amount nor lines: everything that was captured and not given back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// So much, in minor units. The lines are derived from the captured ones.
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
    /// Only what this capture took. Klarna finds a refund's capture by the lines' references; where
    /// several captures have the same ones, it takes the oldest first.
    #[serde(default)]
    pub capture_id: Option<String>,
    /// What is kept back for the way back, where the market allows it: taken off the amount.
    #[serde(default)]
    pub return_fee: Option<KeptBack>,
}

/// A return fee.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptBack {
    /// How much, in minor units.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// What the shopper reads.
    #[serde(default = "return_fee")]
    pub name: String,
    /// The tax in it, in hundredths of a percent.
    #[serde(default)]
    #[schema(value_type = i64)]
    pub tax_rate: TaxRate,
}

fn return_fee() -> String {
    "Return fee".to_owned()
}

/// Gives captured money back, wholly or in part.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", tag = "payments",
    params(("id" = String, Path)), request_body = CreateRefund,
    responses(
        (status = 201, body = PaymentView),
        (status = 202, body = Accepted, description = "Not known yet: read the payment."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn refund(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateRefund>,
) -> Result<Response, Problem> {
    let share = Share {
        amount: value.amount,
        lines: value.lines.map(|lines| lines.into_iter().map(Wanted::from).collect()),
    };
    let return_fee = value.return_fee.map(|fee| ReturnFee {
        amount: fee.amount,
        name: fee.name,
        tax_rate: fee.tax_rate,
    });
    let what = RefundShare { share, capture_id: value.capture_id, return_fee };
    let command = Command::Refund(RefundWish {
        what,
        description: value.description,
        reference: value.reference,
    });
    command::run(&app, &caller, &id, &headers, command, &bytes).await
}
