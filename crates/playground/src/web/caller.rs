//! Who calls `/kp/v1`: a page of this origin that shows the client token of a session.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use klarna_types::SessionId;
use serde::Serialize;
use service::Clock as _;

use crate::api::error::Chain;
use crate::app::App;
use crate::domain::client_token;
use crate::hosting::HostingError;
use crate::placing::PlacingError;
use crate::shopper::ShopperError;

/// The session that the client token is of. The token was signed here; whether the session still
/// stands is asked where it is used.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The session.
    pub(super) session_id: SessionId,
}

impl OptionalFromRequestParts<App> for Caller {
    type Rejection = WebError;

    /// None where no token is shown; one that is not good is refused.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, WebError> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            <Self as FromRequestParts<App>>::from_request_parts(parts, app).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        if !is_own_page(&parts.headers, app) {
            return Err(WebError::NotOwnPage);
        }
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(WebError::NoToken)?;
        let session_id = client_token::verify(token, app.signing_key(), app.clock().now_ms())
            .ok_or(WebError::NoToken)?;
        Ok(Self { session_id })
    }
}

/// Browsers say where a call comes from. Other origins get no answer that they could read anyway;
/// this keeps them from having an effect.
pub(super) fn is_own_page(headers: &HeaderMap, app: &App) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(origin) = text("origin") else { return true };
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    text("host") == Some(authority) || app.public_url().origin().ascii_serialization() == origin
}

/// A refusal of `/kp/v1`, as `application/problem+json` for our own pages.
#[derive(Debug)]
pub(super) enum WebError {
    /// Sent by a page of another origin.
    NotOwnPage,
    /// No client token, or not one of ours.
    NoToken,
    /// Not JSON, or not of the form that is needed.
    BadBody(String),
    /// No flow of this id in this session.
    UnknownFlow,
    /// The flow was begun by a page of another origin.
    OtherOrigin,
    /// No such command.
    UnknownAction,
    /// No such client identifier.
    UnknownClient,
    /// The client identifier is not allowed for the page's origin.
    OriginNotAllowed,
    /// The session is over.
    SessionEnded,
    /// A hosted page that is unknown, or can take nothing any more.
    NoPage,
    /// A hosted page without that button.
    NoSuchButton,
    /// Something failed on our side.
    Internal(String),
}

impl From<ShopperError> for WebError {
    fn from(error: ShopperError) -> Self {
        match error {
            ShopperError::Session(_) | ShopperError::Placing(PlacingError::Session(_)) => {
                Self::SessionEnded
            }
            ShopperError::BadValue(_) | ShopperError::NothingToFinalize => {
                Self::BadBody(error.to_string())
            }
            ShopperError::Placing(_) | ShopperError::Store(_) => {
                Self::Internal(Chain(&error).to_string())
            }
        }
    }
}

impl From<HostingError> for WebError {
    fn from(error: HostingError) -> Self {
        match error {
            HostingError::Gone | HostingError::Refused(_) => Self::NoPage,
            HostingError::NoSuchButton(_) => Self::NoSuchButton,
            HostingError::Store(error) => error.into(),
        }
    }
}

impl From<crate::store::StoreError> for WebError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Internal(Chain(&error).to_string())
    }
}

impl From<storage::Error> for WebError {
    fn from(error: storage::Error) -> Self {
        Self::Internal(Chain(&error).to_string())
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: &'a str,
            title: &'a str,
            status: u16,
            code: &'a str,
            detail: &'a str,
        }
        let (status, code, detail) = match &self {
            Self::NotOwnPage => (
                StatusCode::FORBIDDEN,
                "not_own_page",
                "Only the playground's own pages may call this.",
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "no_token",
                "Send the session's client token as a bearer token.",
            ),
            Self::BadBody(reason) => (StatusCode::BAD_REQUEST, "bad_body", reason.as_str()),
            Self::UnknownFlow => {
                (StatusCode::NOT_FOUND, "unknown_flow", "There is no such flow in this session.")
            }
            Self::OtherOrigin => (
                StatusCode::FORBIDDEN,
                "other_origin",
                "The flow belongs to a page of another origin.",
            ),
            Self::UnknownAction => {
                (StatusCode::NOT_FOUND, "unknown_action", "There is no such command.")
            }
            Self::NoPage => {
                (StatusCode::NOT_FOUND, "no_page", "The page is unknown, or it is over.")
            }
            Self::NoSuchButton => {
                (StatusCode::CONFLICT, "no_such_button", "The page shows another button.")
            }
            Self::UnknownClient => {
                (StatusCode::NOT_FOUND, "invalid_client_id", "There is no such client identifier.")
            }
            Self::OriginNotAllowed => (
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "The client identifier is not allowed for the origin of this page.",
            ),
            Self::SessionEnded => (StatusCode::GONE, "session_ended", "The session is over."),
            Self::Internal(cause) => {
                tracing::error!(cause, "a call of the purchase pages failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "Something failed on the playground's side.",
                )
            }
        };
        let title = status.canonical_reason().unwrap_or_default();
        let problem =
            Problem { r#type: "about:blank", title, status: status.as_u16(), code, detail };
        // Strings and a number always serialize.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (status, headers, body).into_response()
    }
}

/// An answer for our own pages.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Response, WebError> {
    let body = serde_json::to_vec(value).map_err(|error| WebError::Internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, body).into_response())
}
