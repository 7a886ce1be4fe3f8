//! Client identifiers: what the merchant portal has under Settings, Client identifiers.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::MerchantId;
use serde::{Deserialize, Serialize};
use service::Clock as _;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::client_id::{self, ClientEnvironment, ClientIdentifier};
use crate::store::StoreError;
use crate::store::client_ids::{self, Added};

/// Identifiers of one merchant.
const MOST_IDENTIFIERS: usize = 64;

/// An identifier to be added.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewClientIdentifier {
    /// The identifier, `klarna_test_client_…`; made up when absent.
    client_id: Option<String>,
    /// Whose pages may use it: `https://shop.example`, `https://*.shop.example`, `http://localhost:*`.
    allowed_origins: Vec<String>,
    /// Where a sign-in may lead back to, to the letter.
    redirect_uris: Vec<String>,
    /// Whether codes are exchanged by a server that has a secret.
    confidential: bool,
}

/// The lists of an identifier; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ClientIdentifierChange {
    /// Whose pages may use it.
    allowed_origins: Option<Vec<String>>,
    /// Where a sign-in may lead back to.
    redirect_uris: Option<Vec<String>>,
}

/// A client identifier.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientIdentifierView {
    /// The identifier.
    client_id: String,
    /// Whose it is (MID).
    merchant_id: String,
    /// For what it is good.
    environment: ClientEnvironment,
    /// Whose pages may use it.
    allowed_origins: Vec<String>,
    /// Where a sign-in may lead back to.
    redirect_uris: Vec<String>,
    /// Whether codes are exchanged by a server that has a secret.
    confidential: bool,
    /// That secret, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// A merchant's client identifiers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientIdentifiersView {
    /// The oldest first.
    client_identifiers: Vec<ClientIdentifierView>,
}

impl From<ClientIdentifier> for ClientIdentifierView {
    fn from(client: ClientIdentifier) -> Self {
        Self {
            confidential: client.client_secret_hash.is_some(),
            client_id: client.client_id,
            merchant_id: client.merchant_id.to_string(),
            environment: client.environment,
            allowed_origins: client.allowed_origins,
            redirect_uris: client.redirect_uris,
            client_secret: None,
        }
    }
}

/// `GET /playground/v1/merchants/{merchant_id}/client-identifiers`.
#[utoipa::path(
    get,
    path = "/playground/v1/merchants/{merchant_id}/client-identifiers",
    params(("merchant_id" = String, Path, description = "The merchant (MID)")),
    responses(
        (status = 200, description = "Its client identifiers", body = ClientIdentifiersView),
        (status = 404, description = "There is no such merchant"),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Operator,
    Path(merchant_id): Path<String>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, &merchant_id)?;
    let all = app.db().read(move |tx| client_ids::of_merchant(tx, &merchant_id)).await?;
    let client_identifiers = all.into_iter().map(Into::into).collect();
    Answer::ok(&ClientIdentifiersView { client_identifiers })
}

/// `POST /playground/v1/merchants/{merchant_id}/client-identifiers`.
#[utoipa::path(
    post,
    path = "/playground/v1/merchants/{merchant_id}/client-identifiers",
    params(("merchant_id" = String, Path, description = "The merchant (MID)")),
    request_body = NewClientIdentifier,
    responses(
        (status = 201, description = "Added; a secret is shown this once", body = ClientIdentifierView),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "There is no such merchant"),
        (status = 409, description = "The identifier is taken, or the merchant has as many as it may"),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    _: Operator,
    Path(merchant_id): Path<String>,
    JsonBody { value, .. }: JsonBody<NewClientIdentifier>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, &merchant_id)?;
    let made_up = || {
        let random: String = service::random::secret().chars().take(48).collect();
        format!("{}{random}", client_id::PREFIX)
    };
    let client_id = value.client_id.unwrap_or_else(made_up);
    if !client_id::is_client_id(&client_id) {
        return Err(ApiError::bad_value(&["client_id"]));
    }
    check(&value.allowed_origins, "allowed_origins", client_id::is_origin_pattern)?;
    check(&value.redirect_uris, "redirect_uris", client_id::is_redirect_uri)?;
    let secret = value.confidential.then(service::random::secret);
    let client = ClientIdentifier {
        client_id,
        merchant_id: merchant_id.clone(),
        environment: ClientEnvironment::Test,
        allowed_origins: value.allowed_origins,
        redirect_uris: value.redirect_uris,
        client_secret_hash: secret.as_deref().map(|secret| app.hash_secret(secret)),
    };
    let (kept, now_ms) = (client.clone(), app.clock().now_ms());
    let refused = app
        .db()
        .write(move |tx| -> Result<Option<String>, StoreError> {
            if client_ids::of_merchant(tx, &merchant_id)?.len() >= MOST_IDENTIFIERS {
                return Ok(Some(format!("a merchant has at most {MOST_IDENTIFIERS} identifiers")));
            }
            Ok(match client_ids::insert(tx, &kept, now_ms)? {
                Added::New => None,
                Added::Known | Added::Foreign => Some("the client identifier is taken".to_owned()),
            })
        })
        .await?;
    if let Some(reason) = refused {
        return Err(ApiError::new(StatusCode::CONFLICT, "CONFLICT").message(reason));
    }
    let view = ClientIdentifierView { client_secret: secret, ..client.into() };
    Answer::json(StatusCode::CREATED, &view)
}

/// `PUT /playground/v1/merchants/{merchant_id}/client-identifiers/{client_id}`.
#[utoipa::path(
    put,
    path = "/playground/v1/merchants/{merchant_id}/client-identifiers/{client_id}",
    params(
        ("merchant_id" = String, Path, description = "The merchant (MID)"),
        ("client_id" = String, Path, description = "The identifier"),
    ),
    request_body = ClientIdentifierChange,
    responses(
        (status = 200, description = "Changed", body = ClientIdentifierView),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "The merchant has no such identifier"),
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    _: Operator,
    Path((merchant_id, client_id)): Path<(String, String)>,
    JsonBody { value, .. }: JsonBody<ClientIdentifierChange>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, &merchant_id)?;
    let ClientIdentifierChange { allowed_origins, redirect_uris } = value;
    if let Some(origins) = &allowed_origins {
        check(origins, "allowed_origins", client_id::is_origin_pattern)?;
    }
    if let Some(uris) = &redirect_uris {
        check(uris, "redirect_uris", client_id::is_redirect_uri)?;
    }
    let changed = app
        .db()
        .write(move |tx| -> Result<Option<ClientIdentifier>, StoreError> {
            let found = client_ids::client_identifier(tx, &client_id)?;
            let Some(mut client) = found.filter(|client| client.merchant_id == merchant_id) else {
                return Ok(None);
            };
            if let Some(origins) = allowed_origins.clone() {
                client.allowed_origins = origins;
            }
            if let Some(uris) = redirect_uris.clone() {
                client.redirect_uris = uris;
            }
            client_ids::update(tx, &client)?;
            Ok(Some(client))
        })
        .await?;
    let client =
        changed.ok_or_else(|| ApiError::not_found("the merchant has no such client identifier"))?;
    Answer::ok(&ClientIdentifierView::from(client))
}

fn merchant(app: &App, merchant_id: &str) -> Result<MerchantId, ApiError> {
    let merchant = app.directory().merchant(merchant_id);
    merchant
        .map(|merchant| merchant.merchant_id.clone())
        .ok_or_else(|| ApiError::not_found(format!("there is no merchant {merchant_id}")))
}

/// Names the entry that is not acceptable.
fn check(entries: &[String], member: &str, is_good: fn(&str) -> bool) -> Result<(), ApiError> {
    if entries.len() > client_id::MOST_ENTRIES {
        return Err(ApiError::bad_value(&[member]));
    }
    match entries.iter().position(|entry| !is_good(entry)) {
        Some(index) => Err(ApiError::bad_value(&[format!("{member}[{index}]")])),
        None => Ok(()),
    }
}
