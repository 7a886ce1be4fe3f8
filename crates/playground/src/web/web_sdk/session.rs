//! `POST /web-sdk/internal/session`: the first call of every page, in which it hears whether it may use the
//! SDK, and for what.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use service::Clock as _;

use crate::app::App;
use crate::domain::sdk_token;
use crate::web::web_sdk::caller::{SdkCaller, SdkError, read};
use crate::web::web_sdk::json;

/// What a page says of itself. Pages give odd types, so nothing here can fail to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Opening {
    shopping_session_id: serde_json::Value,
}

/// What it hears.
#[derive(Debug, Serialize)]
struct Opened {
    merchant: MerchantView,
    features: Vec<&'static str>,
    /// The shopping session that goes on, or a new one.
    shopping_session_id: String,
    /// When that ends, in milliseconds.
    expires_at: i64,
    /// Carried into the payment by whoever wants Klarna to know both for the same shopper.
    interoperability_token: String,
}

#[derive(Debug, Serialize)]
struct MerchantView {
    merchant_id: String,
    /// Country codes in which it may sell; absent when in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    countries: Option<Vec<String>>,
}

/// The handler.
pub(super) async fn open(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    let opening: Opening = read(&body)?;
    let now_ms = app.clock().now_ms();
    let known = opening.shopping_session_id.as_str().filter(|id| sdk_token::is_session_id(id));
    let shopping_session_id = match known {
        Some(id) => id.to_owned(),
        None => sdk_token::session_id(&service::random::uuid().to_string()),
    };
    let expires_at = now_ms.saturating_add(sdk_token::LIFETIME_MS);
    let interoperability_token = sdk_token::sign(
        sdk_token::Purpose::Interoperability,
        &caller.client.client_id,
        &shopping_session_id,
        expires_at,
        app.signing_key(),
    );
    json(&Opened {
        merchant: MerchantView {
            merchant_id: caller.merchant.merchant_id.to_string(),
            countries: caller.merchant.settings.countries.clone(),
        },
        features: vec!["MESSAGING", "PAYMENT", "IDENTITY", "CUSTOMER"],
        shopping_session_id,
        expires_at,
        interoperability_token,
    })
}

/// What a shop tells of a purchase beyond the payment.
#[derive(Debug, Deserialize)]
struct Submission {
    shopping_session_id: String,
    supplementary_data: serde_json::Map<String, serde_json::Value>,
}

/// `POST /web-sdk/internal/shopping-session`. It is looked at, and not kept: nothing here is decided by it.
pub(super) async fn submit(_: SdkCaller, body: Bytes) -> Result<StatusCode, SdkError> {
    let submission: Submission = read(&body)?;
    if !sdk_token::is_session_id(&submission.shopping_session_id) {
        let path = vec!["shopping_session_id".to_owned()];
        return Err(SdkError::input("There is no such shopping session.", path));
    }
    if submission.supplementary_data.is_empty() {
        let path = vec!["supplementary_data".to_owned()];
        return Err(SdkError::input("There is nothing in the supplementary data.", path));
    }
    Ok(StatusCode::NO_CONTENT)
}
