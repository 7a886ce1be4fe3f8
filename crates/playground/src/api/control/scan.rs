//! Be a shopper who scans the printed code of a counter.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::in_store::{self, Scanned};

/// What the shopper does: scan (`merchant_id`), or see whether the till has sent the code along
/// (`scan_id`).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanCall {
    /// Whose counter's code is scanned.
    merchant_id: Option<String>,
    /// The phone of an earlier scan.
    scan_id: Option<String>,
}

/// What the phone shows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScanView {
    /// The phone.
    scan_id: String,
    /// The digits that the shopper tells the cashier; the till sends them as
    /// `distribution.short_code`.
    short_code: String,
    /// Until when, on the playground's clock.
    expires_at: String,
    /// Where the shopper pays, once the till has sent the code along.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_link: Option<String>,
}

/// `POST /playground/v1/shopper/scan`.
#[utoipa::path(
    post,
    path = "/playground/v1/shopper/scan",
    request_body = ScanCall,
    responses(
        (status = 200, description = "What the phone shows", body = ScanView),
        (status = 400, description = "Neither a merchant nor a phone is named"),
        (status = 404, description = "The merchant is unknown, or the code is past its time"),
    )
)]
pub(super) async fn scan(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<ScanCall>,
) -> Result<Answer, ApiError> {
    let Scanned { scan, payment_link } = match (value.scan_id, value.merchant_id) {
        (Some(scan_id), _) => in_store::fetch(&app, scan_id).await?,
        (None, Some(merchant_id)) => in_store::scan(&app, &merchant_id).await?,
        (None, None) => {
            return Err(
                ApiError::bad_value(&["merchant_id"]).because("give merchant_id or scan_id")
            );
        }
    };
    let expires_at = Timestamp::from_millisecond(scan.expires_at_ms).map_err(ApiError::internal)?;
    Answer::ok(&ScanView {
        scan_id: scan.scan_id,
        short_code: scan.code,
        expires_at: format!("{expires_at:.3}"),
        payment_link,
    })
}
