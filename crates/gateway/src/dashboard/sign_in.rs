//! Signing in and out: a name and a password, then a code if the person has a second factor.
//! Sessions are random, kept as digests, and end by themselves. Guessing is slowed down for each
//! network address and for each account, never for good.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use klarna_types::Secret;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use storage::Tx;
use subtle::ConstantTimeEq as _;

use super::{Person, layout};
use crate::access::limits::Name;
use crate::access::seeds;
use crate::app::App;
use crate::domain::user::{self, BOOTSTRAP_USER, HALF_SIGNED_IN_MS, SESSION_LIFE_MS};
use crate::domain::{idempotency, totp};
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::sessions::{self, Session, Stage};
use crate::store::users::{self, User};

/// The name of the session cookie where there is no TLS.
const COOKIE: &str = "kassa_session";
/// Its name where there is: browsers then see to it that no other host of the domain sets it.
const COOKIE_OVER_TLS: &str = "__Host-kassa_session";
/// So many wrong codes are taken before the password is asked for again.
const MOST_WRONG_CODES: i64 = 5;

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The value of the session cookie, if there is one.
pub(super) fn cookie(app: &App, headers: &HeaderMap) -> Option<String> {
    let wanted = cookie_name(app);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned())
}

fn cookie_name(app: &App) -> &'static str {
    if app.secure_cookies() { COOKIE_OVER_TLS } else { COOKIE }
}

fn with_cookie(app: &App, value: &str, max_age_seconds: i64, to: &str) -> Response {
    let name = cookie_name(app);
    // A cookie with this prefix is for the whole host, or browsers refuse it.
    let place = if app.secure_cookies() { "Path=/; Secure" } else { "Path=/dashboard" };
    let cookie =
        format!("{name}={value}; {place}; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict");
    let mut response = Redirect::to(to).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    /// Whoever says nothing is the one of the configuration.
    #[serde(default)]
    user: Option<String>,
    password: Secret,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

fn form(name: &str, complaint: Option<&str>, done: Option<&str>) -> Markup {
    layout::page(
        "Sign in",
        None,
        &html! {
            section.card.narrow {
                h1 { "Sign in" }
                p.muted { "Payments, captures and refunds of this store." }
                @if let Some(complaint) = complaint {
                    p.notice.bad role="alert" { (complaint) }
                }
                @if let Some(done) = done { p.notice.good role="status" { (done) } }
                form method="post" action="/dashboard/sign-in" {
                    label for="user" { "User name" }
                    input #user name="user" value=(name) required autocomplete="username"
                        autocapitalize="none" spellcheck="false" maxlength="64"
                        autofocus[name.is_empty()];
                    label for="password" { "Password" }
                    input #password type="password" name="password" required
                        autocomplete="current-password" autofocus[!name.is_empty()];
                    button.primary type="submit" { "Sign in" }
                }
            }
        },
    )
}

/// The form. As long as nobody was invited, there is one name that it can be.
pub(super) async fn page(State(app): State<App>, Query(query): Query<PageQuery>) -> Response {
    let done = (query.done.as_deref() == Some("joined"))
        .then_some("Your password is set. Sign in with it.");
    match app.database().read(users::is_anybody_invited).await {
        Ok(invited) => {
            let name = if invited { "" } else { BOOTSTRAP_USER };
            form(name, None, done).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn too_many(name: &str) -> Response {
    let complaint = "Too many wrong passwords. Wait a minute, then try again.";
    (StatusCode::TOO_MANY_REQUESTS, form(name, Some(complaint), None)).into_response()
}

/// The account that a typed name stands for, as it is counted. It may be a password, typed into the
/// wrong field.
fn account(name: &str) -> Name {
    Name::Account(idempotency::digest(name))
}

pub(super) async fn submit(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    Form(given): Form<SignIn>,
) -> Response {
    let now_ms = app.engine().now_ms();
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    let from = Name::address(peer);
    let typed = given.user.unwrap_or_else(|| BOOTSTRAP_USER.to_owned());
    let name = user::read_name(&typed).unwrap_or_default();
    let doors = app.doors();
    if !doors.failed_by_address.allows(&from, now_ms)
        || !doors.failed_by_account.allows(&account(&name), now_ms)
    {
        app.engine().metrics().sign_in("too_many");
        return too_many(&name);
    }
    let right = match check(&app, &name, &given.password).await {
        Ok(right) => right,
        Err(fault) => return layout::failed(&fault),
    };
    let Some(user) = right else {
        doors.failed_by_address.count(&from, now_ms);
        doors.failed_by_account.count(&account(&name), now_ms);
        app.engine().metrics().sign_in("wrong_password");
        tracing::warn!("a wrong dashboard password was given");
        let complaint = "That is not the name and password of a user.";
        return (StatusCode::UNAUTHORIZED, form(&name, Some(complaint), None)).into_response();
    };
    let stage = if user.totp_seed.is_some() { Stage::Half } else { Stage::Full };
    match open(&app, &user, stage, &headers, peer).await {
        Ok(response) => response,
        Err(fault) => layout::failed(&fault),
    }
}

/// The user, if the password is theirs and they may sign in. Takes as long for a name that nobody
/// has.
async fn check(app: &App, name: &str, password: &Secret) -> Result<Option<User>, Fault> {
    let wanted = name.to_owned();
    let user = app.database().read(move |tx| users::by_name(tx, &wanted)).await?;
    let user = user.filter(|user| user.disabled_at_ms.is_none());
    let right = is_password_of(app, user.as_ref(), password).await?;
    Ok(user.filter(|_| right))
}

/// Whether a password is somebody's.
pub(super) async fn is_password_of(
    app: &App,
    user: Option<&User>,
    password: &Secret,
) -> Result<bool, Fault> {
    if password.expose().len() > user::LONGEST_PASSWORD {
        return Ok(false);
    }
    let is_configured =
        user.is_some_and(|user| user.name == BOOTSTRAP_USER && user.password_hash.is_none());
    if is_configured {
        // Digests have one length, so that comparing takes one time.
        let given = Sha256::digest(password.expose().as_bytes());
        let right = Sha256::digest(app.dashboard_password().expose().as_bytes());
        return Ok(bool::from(given.as_slice().ct_eq(right.as_slice())));
    }
    let hash = user.and_then(|user| user.password_hash.as_deref());
    app.doors().passwords.is_right(password, hash).await.map_err(Fault::inconsistent)
}

/// Opens a session under a fresh secret; what the browser had before ends.
async fn open(
    app: &App,
    user: &User,
    stage: Stage,
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
) -> Result<Response, Fault> {
    let now_ms = app.engine().now_ms();
    let secret = app.engine().fresh_secret();
    let digest = idempotency::digest(&secret);
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let session = Session {
        id: app.engine().fresh_id("ses"),
        user_id: user.id.clone(),
        store_id: user.store_id.clone(),
        csrf_token: app.engine().fresh_secret(),
        browser: user::browser(agent.unwrap_or_default()),
        created_at_ms: now_ms,
        seen_at_ms: now_ms,
    };
    let (life_ms, to) = match stage {
        Stage::Half => (HALF_SIGNED_IN_MS, "/dashboard/sign-in/code"),
        Stage::Full => (SESSION_LIFE_MS, "/dashboard/overview"),
    };
    let before = cookie(app, headers).map(|secret| idempotency::digest(&secret));
    let audit_id = app.engine().fresh_id("aud");
    let actor = Actor::user(&user.id, &user.name);
    app.database()
        .write(move |tx| {
            if let Some(before) = &before {
                sessions::close(tx, before)?;
            }
            sessions::open(tx, &digest, &session, stage, now_ms + life_ms)?;
            if stage == Stage::Full {
                users::note_sign_in(tx, &session.user_id, now_ms)?;
                let (store_id, action) = (session.store_id.as_str(), "user.signed_in");
                let deed =
                    Deed { id: &audit_id, store_id, actor: &actor, action, subject: &actor.id };
                let data = json!({ "address": peer.map(|peer| peer.ip().to_string()) });
                audit::append(tx, deed, &data, now_ms)?;
            }
            Ok::<_, Fault>(())
        })
        .await?;
    if stage == Stage::Full {
        app.engine().metrics().sign_in("signed_in");
    }
    Ok(with_cookie(app, &secret, life_ms / 1000, to))
}

/// Keeps in the audit log what somebody did with their own account.
pub(super) fn told(
    tx: &mut Tx<'_>,
    audit_id: &str,
    store_id: &str,
    actor: &Actor,
    action: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    let deed = Deed { id: audit_id, store_id, actor, action, subject: &actor.id };
    audit::append(tx, deed, &json!({}), now_ms)
}

#[derive(Deserialize)]
pub(super) struct Code {
    csrf: String,
    code: Secret,
}

fn code_form(csrf: &str, complaint: Option<&str>) -> Markup {
    layout::page(
        "Second factor",
        None,
        &html! {
            section.card.narrow {
                h1 { "Second factor" }
                p.muted { "The six digits that your authenticator app shows, or one of your recovery codes." }
                @if let Some(complaint) = complaint {
                    p.notice.bad role="alert" { (complaint) }
                }
                form method="post" action="/dashboard/sign-in/code" {
                    input type="hidden" name="csrf" value=(csrf);
                    label for="code" { "Code" }
                    input #code name="code" required autofocus autocomplete="one-time-code"
                        autocapitalize="none" spellcheck="false" maxlength="30";
                    button.primary type="submit" { "Go on" }
                }
                p.small { a href="/dashboard/sign-in" { "Sign in as someone else" } }
            }
        },
    )
}

/// Who has shown a password and not yet a code.
async fn half(app: &App, headers: &HeaderMap) -> Result<Option<(String, Session, User)>, Fault> {
    let Some(secret) = cookie(app, headers) else { return Ok(None) };
    let digest = idempotency::digest(&secret);
    let (wanted, now_ms) = (digest.clone(), app.engine().now_ms());
    let found =
        app.database().read(move |tx| sessions::find(tx, &wanted, Stage::Half, now_ms)).await?;
    Ok(found.map(|(session, user)| (digest, session, user)))
}

pub(super) async fn code_page(State(app): State<App>, headers: HeaderMap) -> Response {
    match half(&app, &headers).await {
        Ok(Some((_, session, _))) => code_form(&session.csrf_token, None).into_response(),
        Ok(None) => Redirect::to("/dashboard/sign-in").into_response(),
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn submit_code(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    Form(given): Form<Code>,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer);
    match take_code(&app, &headers, given, peer).await {
        Ok(response) => response,
        Err(fault) => layout::failed(&fault),
    }
}

async fn take_code(
    app: &App,
    headers: &HeaderMap,
    given: Code,
    peer: Option<SocketAddr>,
) -> Result<Response, Fault> {
    let Some((digest, session, user)) = half(app, headers).await? else {
        return Ok(Redirect::to("/dashboard/sign-in").into_response());
    };
    if !same(&given.csrf, &session.csrf_token) {
        let page = code_form(&session.csrf_token, Some("This form was out of date. Try again."));
        return Ok((StatusCode::FORBIDDEN, page).into_response());
    }
    let now_ms = app.engine().now_ms();
    let doors = app.doors();
    if !doors.failed_by_account.allows(&account(&user.name), now_ms) {
        app.engine().metrics().sign_in("too_many");
        let complaint = "Too many wrong codes. Wait a quarter of an hour, then try again.";
        let page = code_form(&session.csrf_token, Some(complaint));
        return Ok((StatusCode::TOO_MANY_REQUESTS, page).into_response());
    }
    if is_code_of(app, &user, &given.code).await? {
        return open(app, &user, Stage::Full, headers, peer).await;
    }
    doors.failed_by_account.count(&account(&user.name), now_ms);
    app.engine().metrics().sign_in("wrong_code");
    tracing::warn!(user.id, "a wrong second factor was given");
    let closed = app
        .database()
        .write(move |tx| {
            let enough = sessions::count_failure(tx, &digest)? >= MOST_WRONG_CODES;
            if enough {
                sessions::close(tx, &digest)?;
            }
            Ok::<_, Fault>(enough)
        })
        .await?;
    if closed {
        return Ok(with_cookie(app, "", 0, "/dashboard/sign-in"));
    }
    let complaint = "That is not the code. Each code is good once; wait for the next one.";
    let page = code_form(&session.csrf_token, Some(complaint));
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

/// Whether a code is good for somebody's second factor, or one of their recovery codes. Either is
/// good once.
async fn is_code_of(app: &App, user: &User, code: &Secret) -> Result<bool, Fault> {
    let Some(sealed) = &user.totp_seed else { return Ok(false) };
    let seed = seeds::open(app, seeds::SEED, &user.id, sealed)?;
    let step = totp::check(&seed, code.expose(), user.totp_step, seeds::phones_now_ms());
    let recovery = totp::recovery_digest(&user.id, code.expose());
    let id = user.id.clone();
    app.database()
        .write(move |tx| match step {
            Some(step) => users::take_step(tx, &id, step),
            None => users::take_recovery_code(tx, &id, &recovery),
        })
        .await
}

pub(super) async fn sign_out(State(app): State<App>, person: Person) -> Response {
    let now_ms = app.engine().now_ms();
    let audit_id = app.engine().fresh_id("aud");
    let closed = app
        .database()
        .write(move |tx| {
            sessions::close(tx, &person.session_digest)?;
            let actor = person.actor();
            told(tx, &audit_id, &person.store_id, &actor, "user.signed_out", now_ms)
        })
        .await;
    match closed {
        Ok(()) => with_cookie(&app, "", 0, "/dashboard/sign-in"),
        Err(fault) => layout::failed(&fault),
    }
}

fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// Whether a form came from one of the person's own pages. The guard asks this of every form.
pub(super) fn is_right(csrf: &str, person: &Person) -> bool {
    same(csrf, &person.csrf_token)
}

/// The answer to a form that did not.
pub(super) fn refused(person: &Person) -> Response {
    layout::message(
        StatusCode::FORBIDDEN,
        Some(person),
        "This form is out of date",
        "Nothing was done. Go back, reload the page and try again.",
    )
}
