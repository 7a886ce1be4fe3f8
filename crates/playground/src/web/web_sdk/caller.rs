//! Who calls `/web-sdk/internal`: a page, by its client identifier and its origin. And how it hears that it
//! may not, or that something is wrong: in the form of the SDK's error object.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::error::Chain;
use crate::app::App;
use crate::domain::client_id::ClientIdentifier;
use crate::domain::merchant::{Merchant, MerchantStatus};
use crate::store::{StoreError, client_ids};

/// The header that carries the client identifier.
pub(crate) const CLIENT_ID: &str = "kassa-client-id";

/// A page that may call: its client identifier allows its origin.
#[derive(Debug, Clone)]
pub(crate) struct SdkCaller {
    /// The identifier that it carries.
    pub(crate) client: ClientIdentifier,
    /// Whose it is.
    pub(crate) merchant: Arc<Merchant>,
    /// The page's origin.
    #[allow(dead_code, reason = "read by products that open a window of ours over the page")]
    pub(crate) origin: String,
}

impl FromRequestParts<App> for SdkCaller {
    type Rejection = SdkError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, SdkError> {
        let text = |name: &str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (client_id, origin) = (text(CLIENT_ID), text("origin"));
        let unknown =
            || SdkError::access("INVALID_CLIENT_ID", "The client identifier is not known here.");
        let (client, merchant) = known(app, client_id).await?.ok_or_else(unknown)?;
        if !(is_app(&origin, app) || client.allows_origin(&origin)) {
            let message = format!(
                "The origin {origin} is not among the allowed origins of this client identifier."
            );
            return Err(SdkError::access("ORIGIN_NOT_ALLOWED", message));
        }
        Ok(Self { client, merchant, origin })
    }
}

/// Whether a page is a view in an app, which is a page of ours: apps have no origin that a merchant could name.
pub(crate) fn is_app(origin: &str, app: &App) -> bool {
    origin == app.public_url().origin().ascii_serialization()
}

/// The identifier of this name, if it is one and its merchant may trade.
pub(crate) async fn known(
    app: &App,
    client_id: String,
) -> Result<Option<(ClientIdentifier, Arc<Merchant>)>, StoreError> {
    let found = app.db().read(move |tx| client_ids::client_identifier(tx, &client_id)).await?;
    Ok(found.and_then(|client| {
        let merchant = app.directory().merchant(client.merchant_id.as_str())?;
        let trades = merchant.settings.status == MerchantStatus::Active;
        trades.then_some((client, merchant))
    }))
}

/// What kind of thing went wrong, as the SDK names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "the names that pages compare with")]
pub(crate) enum ErrorType {
    /// The caller may not.
    AccessError,
    /// What was sent is wrong.
    InputError,
    /// What was asked for is not there, or not in that state.
    #[allow(dead_code, reason = "answered by products that keep something")]
    ResourceError,
    /// Something failed on our side.
    TechnicalError,
}

/// A refusal, which the SDK hands to the page as its error object.
#[derive(Debug, Clone)]
pub(crate) struct SdkError {
    /// HTTP status.
    status: StatusCode,
    /// What kind.
    kind: ErrorType,
    /// For machines.
    code: &'static str,
    /// For people.
    message: String,
    /// Paths of what is wrong.
    invalid: Vec<String>,
    /// Kept for our log.
    cause: Option<String>,
}

impl SdkError {
    /// The caller may not.
    pub(crate) fn access(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorType::AccessError, code, message)
    }

    /// What was sent is wrong.
    pub(crate) fn input(message: impl Into<String>, invalid: Vec<String>) -> Self {
        let kind = ErrorType::InputError;
        let plain = Self::new(StatusCode::BAD_REQUEST, kind, "VALIDATION_ERROR", message);
        Self { invalid, ..plain }
    }

    /// What was asked for is not there, or not in that state.
    #[allow(dead_code, reason = "answered by products that keep something")]
    pub(crate) fn resource(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, ErrorType::ResourceError, code, message)
    }

    /// Something failed on our side.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let (status, kind) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorType::TechnicalError);
        let message = "Something failed on the playground's side.";
        let plain = Self::new(status, kind, "INTERNAL_ERROR", message);
        Self { cause: Some(cause.to_string()), ..plain }
    }

    fn new(
        status: StatusCode,
        kind: ErrorType,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, kind, code, message: message.into(), invalid: Vec::new(), cause: None }
    }
}

impl From<StoreError> for SdkError {
    fn from(error: StoreError) -> Self {
        Self::internal(Chain(&error))
    }
}

impl From<storage::Error> for SdkError {
    fn from(error: storage::Error) -> Self {
        Self::internal(Chain(&error))
    }
}

impl IntoResponse for SdkError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            error_id: String,
            error_type: ErrorType,
            error_code: &'a str,
            error_message: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            validation_errors: Vec<Invalid<'a>>,
        }
        #[derive(Serialize)]
        struct Invalid<'a> {
            path: &'a str,
        }
        let error_id = service::random::uuid().to_string();
        if let Some(cause) = &self.cause {
            tracing::error!(cause, error.id = error_id, "a call of the Web SDK failed");
        }
        let body = Body {
            error_id,
            error_type: self.kind,
            error_code: self.code,
            error_message: &self.message,
            validation_errors: self.invalid.iter().map(|path| Invalid { path }).collect(),
        };
        // Strings always serialize.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (self.status, headers, body).into_response()
    }
}

/// Reads a body, and names the member that cannot be read.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, SdkError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        SdkError::input(format!("{path} cannot be read."), vec![path])
    })
}
