//! Codes and refresh tokens become tokens here, and here they end.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use service::Clock as _;
use storage::Tx;
use subtle::ConstantTimeEq as _;

use super::{OAuthError, Registered, answer, issuer, origin_of, readable_by, registered};
use crate::app::App;
use crate::domain::identity::authorization::Parameters;
use crate::domain::identity::grant::{
    ACCESS_MS, EXPIRES_IN_S, Grant, ID_TOKEN_S, REFRESH_MS, Redemption, Rejection, Token,
    TokenKind, half_hash,
};
use crate::domain::identity::scope::{OPENID, Scopes};
use crate::identity::{digest, fresh};
use crate::store::StoreError;
use crate::store::identity as store;

const NO_GRANT: OAuthError = OAuthError::new(
    "invalid_grant",
    "the code or refresh token is not known, was used, or is too old",
);

const UNKNOWN: OAuthError =
    OAuthError::client("the client is not known, or its secret is not right");

/// `POST /{region}/lp/idp/oauth2/token`.
pub(super) async fn token(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Parameters::parse(&body);
    respond(&app, &headers, &form, async |client| give(&app, &form, client).await).await
}

/// `POST /oauth2/revoke`. What is not known is as good as ended.
pub(super) async fn revoke(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Parameters::parse(&body);
    respond(&app, &headers, &form, async |client| end(&app, &form, client).await).await
}

/// Finds out who asks, and lets a page of theirs read the answer.
async fn respond(
    app: &App,
    headers: &HeaderMap,
    form: &Parameters,
    act: impl AsyncFnOnce(String) -> Result<Value, OAuthError>,
) -> Response {
    let client = match client(app, headers, form).await {
        Ok(client) => client,
        Err(error) => return error.response(),
    };
    let client_id = client.client().client_id;
    let mut response = match act(client_id).await {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(error) => error.response(),
    };
    if let Some(origin) = origin_of(headers) {
        readable_by(&mut response, origin);
    }
    response
}

/// The client, once it has shown what it has to show, once, and in the form alone.
async fn client(
    app: &App,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Registered, OAuthError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::new("invalid_request", "send a form, and nothing in the address"));
    }
    if form.repeated().is_some() {
        return Err(OAuthError::new("invalid_request", "a parameter is there more than once"));
    }
    let basic = basic(headers)?;
    let posted = form.once("client_secret");
    if basic.is_some() && posted.is_some() {
        return Err(OAuthError::new("invalid_request", "the client shows its secret twice"));
    }
    let named = form.once("client_id");
    let (client_id, secret) = match &basic {
        Some((client_id, _)) if named.is_some_and(|named| named != client_id) => {
            return Err(OAuthError::new("invalid_request", "two clients are named"));
        }
        Some((client_id, secret)) => (client_id.as_str(), Some(secret.as_str())),
        None => (named.unwrap_or_default(), posted),
    };
    let client = registered(app, client_id).await?.ok_or(UNKNOWN)?;
    let fits = match (client.secret_hash(), secret) {
        (None, None) => true,
        (Some(hash), Some(secret)) => bool::from(hash.ct_eq(&app.hash_secret(secret)[..])),
        _ => false,
    };
    if !fits {
        return Err(UNKNOWN);
    }
    if origin_of(headers).is_some_and(|origin| !client.allows(origin)) {
        let why = "the page's origin is not among the client's allowed origins";
        return Err(OAuthError { status: StatusCode::FORBIDDEN, code: "unauthorized_client", why });
    }
    Ok(client)
}

/// Client identifier and secret from a header, each encoded as in a form.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let read = || {
        let (scheme, sent) = value.to_str().ok()?.split_once(' ')?;
        let pair = String::from_utf8(STANDARD.decode(sent.trim()).ok()?).ok()?;
        let (client_id, secret) = pair.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| (decode(client_id), decode(secret)))
    };
    read().map(Some).ok_or(OAuthError::client("the Authorization header cannot be read"))
}

/// Text as a form encodes it.
fn decode(text: &str) -> String {
    let pair = format!("v={text}");
    let value = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value);
    value.unwrap_or_default().into_owned()
}

/// What a unit of work decided, so that what it ended stays ended when nothing is given.
type Given = Result<(Grant, Scopes), OAuthError>;

/// Ends what has been shown twice.
fn refuse(tx: &mut Tx<'_>, grant_id: &str, rejection: Rejection) -> Result<Given, StoreError> {
    Ok(Err(match rejection {
        Rejection::Replayed => {
            store::end_grant(tx, grant_id)?;
            OAuthError::new(
                "invalid_grant",
                "it was used before; everything that came of it has been ended",
            )
        }
        Rejection::Invalid(why) => OAuthError::new("invalid_grant", why),
    }))
}

/// New tokens, and what they are kept by.
struct Drawn {
    access: (String, String),
    refresh: (String, String),
}

async fn give(app: &App, form: &Parameters, client_id: String) -> Result<Value, OAuthError> {
    let now_ms = app.clock().now_ms();
    let drawn = Drawn {
        access: fresh(TokenKind::Access.prefix()),
        refresh: fresh(TokenKind::Refresh.prefix()),
    };
    let hashes = (drawn.access.1.clone(), drawn.refresh.1.clone());
    let missing = |why| OAuthError::new("invalid_request", why);
    let given: Given = match form.once("grant_type") {
        Some("authorization_code") => {
            let hash = digest(form.once("code").ok_or(missing("code is missing"))?);
            let some = |name| form.once(name).map(str::to_owned);
            let (redirect_uri, verifier) = (some("redirect_uri"), some("code_verifier"));
            let redeem = move |tx: &mut Tx<'_>| -> Result<Given, StoreError> {
                let Some(mut code) = store::code(tx, &hash)? else { return Ok(Err(NO_GRANT)) };
                let shown = Redemption {
                    client_id: &client_id,
                    redirect_uri: redirect_uri.as_deref(),
                    code_verifier: verifier.as_deref(),
                };
                if let Err(rejection) = code.redeem(shown, now_ms) {
                    return refuse(tx, &code.grant_id, rejection);
                }
                let Some(grant) = store::grant(tx, &code.grant_id)? else {
                    return Ok(Err(NO_GRANT));
                };
                code.used = true;
                store::update_code(tx, &hash, &code)?;
                let scopes = grant.scopes.clone();
                keep(tx, &grant, &scopes, &hashes, now_ms)?;
                Ok(Ok((grant, scopes)))
            };
            app.db().write(redeem).await?
        }
        Some("refresh_token") => {
            let token = form.once("refresh_token").ok_or(missing("refresh_token is missing"))?;
            let hash = digest(token);
            let asked = form.once("scope").map(Scopes::parse).transpose();
            let asked =
                asked.map_err(|_| OAuthError::new("invalid_scope", "the scope is not known"))?;
            let refresh = move |tx: &mut Tx<'_>| -> Result<Given, StoreError> {
                let Some(token) = store::token(tx, &hash)? else { return Ok(Err(NO_GRANT)) };
                let Some(grant) = store::grant(tx, &token.grant_id)? else {
                    return Ok(Err(NO_GRANT));
                };
                let scopes = match token.refresh(&grant, &client_id, asked.as_ref(), now_ms) {
                    Ok(scopes) => scopes,
                    Err(rejection) => return refuse(tx, &grant.grant_id, rejection),
                };
                store::use_token(tx, &hash)?;
                keep(tx, &grant, &scopes, &hashes, now_ms)?;
                Ok(Ok((grant, scopes)))
            };
            app.db().write(refresh).await?
        }
        Some(_) => {
            let why = "grant_type is authorization_code or refresh_token";
            return Err(OAuthError::new("unsupported_grant_type", why));
        }
        None => return Err(missing("grant_type is missing")),
    };
    let (grant, scopes) = given?;
    let mut body = json!({
        "access_token": drawn.access.0,
        "token_type": "bearer",
        "expires_in": EXPIRES_IN_S,
        "scope": scopes.text(),
    });
    let id_token = id_token(app, &grant, &scopes, &drawn.access.0, now_ms).await?;
    if let (Some(members), true) = (body.as_object_mut(), scopes.has(OPENID)) {
        members.insert("id_token".to_owned(), Value::from(id_token));
    }
    if let (Some(members), true) = (body.as_object_mut(), scopes.is_offline()) {
        members.insert("refresh_token".to_owned(), Value::from(drawn.refresh.0));
    }
    Ok(body)
}

/// Keeps the tokens of a grant.
fn keep(
    tx: &mut Tx<'_>,
    grant: &Grant,
    scopes: &Scopes,
    (access, refresh): &(String, String),
    now_ms: i64,
) -> Result<(), StoreError> {
    let token = |kind, life_ms: i64| Token {
        kind,
        grant_id: grant.grant_id.clone(),
        scopes: scopes.clone(),
        expires_at_ms: now_ms.saturating_add(life_ms),
        used: false,
    };
    store::insert_token(tx, access, &token(TokenKind::Access, ACCESS_MS))?;
    if scopes.is_offline() {
        store::insert_token(tx, refresh, &token(TokenKind::Refresh, REFRESH_MS))?;
    }
    Ok(())
}

/// The ID token of a grant.
async fn id_token(
    app: &App,
    grant: &Grant,
    scopes: &Scopes,
    access_token: &str,
    now_ms: i64,
) -> Result<String, OAuthError> {
    let seconds = |ms: i64| ms.div_euclid(1_000);
    let mut shares = grant.shares();
    shares.retain(|share| scopes.shares().contains(share));
    let mut claims: Map<String, Value> = grant.account.claims(&shares);
    let mut add = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    add("iss", json!(issuer(app)));
    add("sub", json!(grant.account.subject));
    add("aud", json!(grant.client_id));
    add("iat", json!(seconds(now_ms)));
    add("exp", json!(seconds(now_ms).saturating_add(ID_TOKEN_S)));
    add("auth_time", json!(seconds(grant.signed_in_ms)));
    add("at_hash", json!(half_hash(access_token)));
    add("sid", json!(grant.session_id));
    add("jti", json!(service::random::uuid()));
    if let Some(nonce) = &grant.nonce {
        add("nonce", json!(nonce));
    }
    let keys = app.keyring().keys(app).await?;
    keys.sign(&claims).ok_or_else(|| {
        OAuthError::internal(&StoreError::Seed("there is no key that can sign".to_owned()))
    })
}

async fn end(app: &App, form: &Parameters, client_id: String) -> Result<Value, OAuthError> {
    let token = form.once("token");
    let hash = digest(token.ok_or(OAuthError::new("invalid_request", "token is missing"))?);
    let revoke = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let Some((token, grant)) = store::peek_token(tx, &hash)? else { return Ok(()) };
        // Another client's token is nothing that this one may end, or learn of.
        if grant.client_id != client_id {
            return Ok(());
        }
        match token.kind {
            TokenKind::Access => store::end_token(tx, &hash),
            TokenKind::Refresh => store::end_grant(tx, &grant.grant_id),
        }
    };
    app.db().write(revoke).await?;
    Ok(json!({}))
}
