//! The endpoints of the OpenID Connect provider that programs call: discovery, keys, tokens, claims, revocation.
//!
//! They answer in the words of OAuth 2.0. Pages of a client may call them from the client's allowed origins; that is
//! all that an origin decides here. The issuer is this playground's own address, so that each name it is reached by
//! is an issuer of its own.

mod discovery;
mod token;
mod userinfo;

use axum::Router;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::api::error::Chain;
use crate::app::App;
use crate::domain::client_id::ClientIdentifier;
use crate::domain::identity::Client;
use crate::store::{StoreError, client_ids};

/// The regions in the provider's paths. All of them are the same playground.
pub(crate) const REGIONS: [&str; 3] = ["eu", "na", "oc"];

/// Its routes.
pub(crate) fn router() -> Router<App> {
    let mut router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::document))
        .route("/oauth2/revoke", post(token::revoke));
    for region in REGIONS {
        let path = |rest: &str| format!("/{region}/lp/idp/{rest}");
        router = router
            .route(&path(".well-known/jwks.json"), get(discovery::keys))
            .route(&path("oauth2/token"), post(token::token))
            .route(
                &path("userinfo"),
                get(userinfo::claims).post(userinfo::claims).options(userinfo::preflight),
            );
    }
    router
}

/// A client identifier, as the provider sees it.
#[derive(Debug, Clone)]
pub(crate) struct Registered(ClientIdentifier);

impl Registered {
    /// What rules are applied to.
    pub(crate) fn client(&self) -> Client {
        Client {
            client_id: self.0.client_id.clone(),
            redirect_uris: self.0.redirect_uris.clone(),
            confidential: self.0.client_secret_hash.is_some(),
        }
    }

    /// What its secret is kept as.
    fn secret_hash(&self) -> Option<&[u8]> {
        self.0.client_secret_hash.as_ref().map(|hash| &hash[..])
    }

    /// Whether an origin is one of the client's pages.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.0.allows_origin(origin)
    }
}

/// The client of this identifier.
pub(crate) async fn registered(
    app: &App,
    client_id: &str,
) -> Result<Option<Registered>, StoreError> {
    let client_id = client_id.to_owned();
    Ok(app
        .db()
        .read(move |tx| client_ids::client_identifier(tx, &client_id))
        .await?
        .map(Registered))
}

/// Where Klarna's sign-in for tests is.
const LOGIN_HOST: &str = "login.playground.klarna.com";

/// Who signs: the address that the playground is reached by. Behind Klarna's own names it is the one of its sign-in,
/// whichever of them a browser used.
pub(crate) fn issuer(app: &App) -> String {
    const KLARNAS: [&str; 3] = [".klarna.com", ".klarnacdn.net", ".klarnaservices.com"];
    let url = app.public_url();
    let host = url.host_str().unwrap_or_default();
    if !KLARNAS.iter().any(|ending| host.ends_with(ending)) || host.starts_with("login.") {
        return app.base_url().to_owned();
    }
    let mut url = url.clone();
    match url.set_host(Some(LOGIN_HOST)) {
        Ok(()) => url.as_str().trim_end_matches('/').to_owned(),
        Err(_) => app.base_url().to_owned(),
    }
}

/// JSON that nobody keeps.
fn answer(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body.to_string()).into_response()
}

/// An error of OAuth 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OAuthError {
    status: StatusCode,
    code: &'static str,
    why: &'static str,
}

impl OAuthError {
    const fn new(code: &'static str, why: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, why }
    }

    /// The client did not show that it is itself.
    const fn client(why: &'static str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, code: "invalid_client", why }
    }

    fn internal(error: &StoreError) -> Self {
        tracing::error!(cause = %Chain(error), "the identity provider failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "server_error",
            why: "something failed on the playground's side",
        }
    }

    fn response(self) -> Response {
        let body = json!({ "error": self.code, "error_description": self.why });
        let mut response = answer(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static("Basic realm=\"oauth2\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<storage::Error> for OAuthError {
    fn from(error: storage::Error) -> Self {
        Self::internal(&error.into())
    }
}

/// The origin that a browser names, if it is one that calls.
fn origin_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).and_then(|value| value.to_str().ok())
}

/// Lets a page of this origin read the answer.
fn readable_by(response: &mut Response, origin: &str) {
    if let Ok(value) = HeaderValue::from_str(origin) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// Lets any page read the answer: it is public, or whoever asked showed a token.
fn readable_by_all(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
}
