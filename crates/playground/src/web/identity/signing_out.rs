//! Signing out at Klarna, as a store asks for it (RP-initiated logout).
//!
//! A store that shows an ID token of the account that is signed in may do it at once; anybody else's request is only
//! a question to the shopper. Where the browser goes afterwards is one of the client's registered addresses.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};
use service::Clock as _;
use url::form_urlencoded::Serializer;

use super::{Failure, SESSION_COOKIE, cookie, keep, language_of, page_of, pages, see_other};
use crate::api::identity as provider;
use crate::app::App;
use crate::domain::identity::authorization::{Parameters, ResponseMode, Way};
use crate::identity::digest;
use crate::store::StoreError;
use crate::store::identity as store;
use crate::web::caller::is_own_page;

/// `GET /oauth2/sessions/logout`.
pub(super) async fn ask(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    page_of(leave(&app, &parameters, &headers, false).await, language_of(&headers))
}

/// `POST /oauth2/sessions/logout`: the shopper's answer, or a store's request by a form.
pub(super) async fn confirm(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let parameters = Parameters::parse(&body);
    let agreed = parameters.once("action") == Some("confirm") && is_own_page(&headers, &app);
    page_of(leave(&app, &parameters, &headers, agreed).await, language_of(&headers))
}

async fn leave(
    app: &App,
    parameters: &Parameters,
    headers: &HeaderMap,
    agreed: bool,
) -> Result<Response, Failure> {
    let hint = match parameters.once("id_token_hint") {
        Some(token) => app.keyring().keys(app).await?.verify(token),
        None => None,
    };
    let way = way_back(app, parameters, hint.as_ref()).await?;
    let session_hash = cookie(headers, SESSION_COOKIE).map(digest);
    let now_ms = app.clock().now_ms();
    let session = match session_hash.clone() {
        Some(hash) => app.db().read(move |tx| store::session(tx, &hash, now_ms)).await?,
        None => None,
    };
    if let Some(session) = &session {
        let text = |name: &str| hint.as_ref().and_then(|claims| claims.get(name)?.as_str());
        let is_theirs = text("sub") == Some(&session.account.subject);
        if !agreed && !is_theirs {
            let hidden: Vec<(&str, &str)> =
                ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"]
                    .into_iter()
                    .filter_map(|name| Some((name, parameters.once(name)?)))
                    .collect();
            let target = way.as_ref().and_then(Way::target).unwrap_or_default();
            return Ok(pages::sign_out(language_of(headers), &hidden, &target));
        }
    }
    if let Some(hash) = session_hash {
        app.db()
            .write(move |tx| -> Result<(), StoreError> { store::end_session(tx, &hash) })
            .await?;
    }
    let mut response = match way {
        None if parameters.once("post_logout_redirect_uri").is_some() => {
            let why = pages::Sorry::Request("redirect_uri");
            pages::sorry(language_of(headers), StatusCode::BAD_REQUEST, why)
        }
        None => pages::signed_out(language_of(headers)),
        Some(way) => {
            let state = way.state.as_deref().map(|state| ("state", state));
            let query = Serializer::new(String::new()).extend_pairs(state).finish();
            let joint = if way.redirect_uri.contains('?') { "&" } else { "?" };
            let joint = if query.is_empty() { "" } else { joint };
            see_other(&format!("{}{joint}{query}", way.redirect_uri))
        }
    };
    keep(&mut response, app, SESSION_COOKIE, "", 0);
    Ok(response)
}

/// Where the browser goes afterwards: an address that is registered for the client whom the ID token was for, or who
/// names itself.
async fn way_back(
    app: &App,
    parameters: &Parameters,
    hint: Option<&Map<String, Value>>,
) -> Result<Option<Way>, Failure> {
    let Some(uri) = parameters.once("post_logout_redirect_uri") else { return Ok(None) };
    let of_hint = hint.and_then(|claims| claims.get("aud")?.as_str());
    let client_id = match (of_hint, parameters.once("client_id")) {
        (Some(one), Some(other)) if one != other => return Ok(None),
        (one, other) => one.or(other),
    };
    let Some(client_id) = client_id else { return Ok(None) };
    let Some(registered) = provider::registered(app, client_id).await? else { return Ok(None) };
    let known = registered.client().redirect_uris.iter().any(|registered| registered == uri);
    Ok(known.then(|| Way {
        redirect_uri: uri.to_owned(),
        mode: ResponseMode::Query,
        page_origin: None,
        state: parameters.once("state").map(str::to_owned),
    }))
}
