//! Another merchant, and the list of them.

use axum::extract::State;
use axum::http::StatusCode;
use klarna_types::{MerchantId, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::merchant::{Merchant, MerchantSettings};

/// A merchant to be added.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewMerchant {
    /// Its id (MID): letters, digits and underscores; made up when absent.
    merchant_id: Option<String>,
    /// What its account allows; a test account's settings when absent.
    settings: MerchantSettings,
}

/// A merchant with its credentials, which are shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedMerchant {
    /// Its id (MID).
    merchant_id: String,
    /// User name for the API.
    username: String,
    /// Password (API key).
    password: String,
    /// What its account allows.
    settings: MerchantSettings,
}

/// A merchant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MerchantView {
    /// Its id (MID).
    merchant_id: String,
    /// Its user names.
    usernames: Vec<String>,
    /// What its account allows.
    settings: MerchantSettings,
}

/// All merchants.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MerchantsView {
    /// By id.
    merchants: Vec<MerchantView>,
}

/// `GET /playground/v1/merchants`.
#[utoipa::path(
    get,
    path = "/playground/v1/merchants",
    responses((status = 200, description = "All merchants, without secrets", body = MerchantsView))
)]
pub(super) async fn list(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    let directory = app.directory();
    let merchants = directory
        .merchants()
        .into_iter()
        .map(|merchant| MerchantView {
            merchant_id: merchant.merchant_id.to_string(),
            usernames: directory.usernames(merchant.merchant_id.as_str()),
            settings: merchant.settings.clone(),
        })
        .collect();
    Answer::ok(&MerchantsView { merchants })
}

/// `POST /playground/v1/merchants`.
#[utoipa::path(
    post,
    path = "/playground/v1/merchants",
    request_body = NewMerchant,
    responses(
        (status = 201, description = "Added; the password is shown this once", body = CreatedMerchant),
        (status = 400, description = "Not acceptable"),
        (status = 409, description = "There is such a merchant already"),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<NewMerchant>,
) -> Result<Answer, ApiError> {
    let random = service::random::secret();
    let merchant_id = match value.merchant_id {
        Some(id) if is_merchant_id(&id) => id,
        Some(_) => return Err(ApiError::bad_value(&["merchant_id"])),
        None => format!("K{}", digits(service::random::bytes())),
    };
    if let Some(member) = value.settings.wrong_member() {
        return Err(ApiError::bad_value(&[format!("settings.{member}")]));
    }
    if app.directory().merchant(&merchant_id).is_some() {
        return Err(ApiError::new(StatusCode::CONFLICT, "CONFLICT")
            .message(format!("the merchant {merchant_id} exists")));
    }
    let (suffix, password) = random.split_at(12);
    let username = format!("{merchant_id}_{suffix}");
    let password = Secret::new(format!("klarna_test_api_{password}"));
    let merchant = Merchant {
        merchant_id: MerchantId::new(merchant_id.as_str()),
        settings: value.settings.clone(),
    };
    app.add_merchant(merchant, username.clone(), &password).await?;
    app.reload_directory().await?;
    Answer::json(
        StatusCode::CREATED,
        &CreatedMerchant {
            merchant_id,
            username,
            password: password.expose().to_owned(),
            settings: value.settings,
        },
    )
}

fn is_merchant_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Six digits and more, as merchant ids have.
fn digits(bytes: [u8; 4]) -> String {
    format!("{:09}", u32::from_le_bytes(bytes) % 1_000_000_000)
}
