//! The claims of a shopper for whoever shows an access token.

use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use service::Clock as _;

use super::{OAuthError, answer, readable_by_all};
use crate::app::App;
use crate::domain::identity::grant::TokenKind;
use crate::domain::identity::scope::OPENID;
use crate::identity::digest;
use crate::store::identity as store;

/// `GET` and `POST /{region}/lp/idp/userinfo`. The token is a header: in an address it would be written down.
pub(super) async fn claims(State(app): State<App>, headers: HeaderMap) -> Response {
    let mut response = match look(&app, &headers).await {
        Ok(claims) => answer(StatusCode::OK, &claims),
        Err(error) if error.code == "server_error" => error.response(),
        Err(error) => {
            let mut response = error.response();
            let challenge = HeaderValue::from_static(match error.code {
                "insufficient_scope" => "Bearer error=\"insufficient_scope\", scope=\"openid\"",
                "invalid_token" => "Bearer error=\"invalid_token\"",
                _ => "Bearer",
            });
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    };
    readable_by_all(&mut response);
    response
}

async fn look(app: &App, headers: &HeaderMap) -> Result<Value, OAuthError> {
    let refused = |code, why| OAuthError { status: StatusCode::UNAUTHORIZED, code, why };
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(refused("invalid_request", "send the access token as a bearer token"))?;
    let hash = digest(token);
    let now_ms = app.clock().now_ms();
    let found = app.db().read(move |tx| store::peek_token(tx, &hash)).await?;
    let (token, grant) = found
        .filter(|(token, _)| token.is_good(TokenKind::Access, now_ms))
        .ok_or(refused("invalid_token", "the access token is not known, or too old"))?;
    if !token.scopes.has(OPENID) {
        let status = StatusCode::FORBIDDEN;
        let why = "the access token is not for this";
        return Err(OAuthError { status, code: "insufficient_scope", why });
    }
    let mut shares = grant.shares();
    shares.retain(|share| token.scopes.shares().contains(share));
    let mut claims = grant.account.claims(&shares);
    claims.insert("sub".to_owned(), json!(grant.account.subject));
    Ok(Value::Object(claims))
}

/// `OPTIONS`: a page asks whether it may send the header.
pub(super) async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    let mut response = (StatusCode::NO_CONTENT, headers).into_response();
    readable_by_all(&mut response);
    response
}
