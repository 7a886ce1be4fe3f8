//! What clients read before they do anything: the provider's description and its keys.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::Response;
use serde_json::json;

use super::{OAuthError, answer, issuer, readable_by_all};
use crate::app::App;
use crate::domain::identity::scope;

/// `GET /.well-known/openid-configuration`.
pub(super) async fn document(State(app): State<App>) -> Response {
    let issuer = issuer(&app);
    let at = |path: &str| format!("{issuer}/eu/lp/idp/{path}");
    let description = json!({
        "issuer": issuer,
        "authorization_endpoint": at("oauth2/auth"),
        "token_endpoint": at("oauth2/token"),
        "jwks_uri": at(".well-known/jwks.json"),
        "userinfo_endpoint": at("userinfo"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "end_session_endpoint": format!("{issuer}/oauth2/sessions/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "client_secret_basic", "none"],
        "revocation_endpoint_auth_methods_supported":
            ["client_secret_post", "client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
        "scopes_supported": scope::names().collect::<Vec<_>>(),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "sv", "de"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "given_name",
            "family_name", "email", "email_verified", "phone", "phone_verified", "date_of_birth",
            "billing_address", "shipping_address", "national_id", "national_identification_number",
            "national_identification_number_country", "country", "locale"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    public(answer(StatusCode::OK, &description))
}

/// `GET /{region}/lp/idp/.well-known/jwks.json`.
pub(super) async fn keys(State(app): State<App>) -> Response {
    match app.keyring().keys(&app).await {
        Ok(keys) => public(answer(StatusCode::OK, &keys.published())),
        Err(error) => OAuthError::internal(&error).response(),
    }
}

/// Anybody may read it, and keep it for a little while.
fn public(mut response: Response) -> Response {
    readable_by_all(&mut response);
    let headers = response.headers_mut();
    headers.remove(header::PRAGMA);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}
