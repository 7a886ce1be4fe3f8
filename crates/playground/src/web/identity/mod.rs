//! The pages of Sign in with Klarna: who the shopper is, the code that was sent to them, what they share, and
//! signing out.
//!
//! They are plain forms of this origin. A sign-in belongs to the browser that began it, and to nobody who learns
//! its address; no other page may frame one or send a form to it. What is decided, `domain::identity` decides.

mod message;
mod pages;
mod signing_out;
mod texts;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use klarna_types::Locale;
use service::Clock as _;
use storage::Tx;

use crate::api::error::Chain;
use crate::api::identity::{self as provider, Registered};
use crate::app::App;
use crate::domain::identity::account::Account;
use crate::domain::identity::authorization::{
    self, AuthorizationError, AuthorizationRequest, Outcome, Parameters, Refusal, ResponseMode, Way,
};
use crate::domain::identity::grant::{CODE_MS, Code, Grant};
use crate::domain::identity::interaction::{Interaction, LIFE_MS, Rejection, Step};
use crate::domain::identity::scope::{Scopes, Share};
use crate::domain::outbox::Language;
use crate::identity::{digest, fresh, subject_of};
use crate::store::StoreError;
use crate::store::identity::{self as store, Session};
use crate::web::caller::is_own_page;
use crate::web::hosted::page::preferred;

/// Keeps the shopper signed in at Klarna.
const SESSION_COOKIE: &str = "kassa_klarna_login";
/// Tells browsers apart while they sign in.
const BROWSER_COOKIE: &str = "kassa_klarna_browser";
/// How long somebody stays signed in.
const SESSION_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Its routes.
pub(super) fn router() -> Router<App> {
    let mut router = Router::new()
        .route("/sign-in/{id}", get(show).post(answer))
        .route("/oauth2/sessions/logout", get(signing_out::ask).post(signing_out::confirm));
    for region in provider::REGIONS {
        router =
            router.route(&format!("/{region}/lp/idp/oauth2/auth"), get(by_query).post(by_form));
    }
    router
}

/// Something failed on our side.
pub(super) enum Failure {
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The page for a browser, whatever happened.
pub(super) fn page_of(result: Result<Response, Failure>, language: Language) -> Response {
    match result {
        Ok(response) => response,
        Err(Failure::Store(error)) => {
            tracing::error!(cause = %Chain(&error), "a sign-in failed on the playground's side");
            pages::sorry(language, StatusCode::INTERNAL_SERVER_ERROR, pages::Sorry::Failed)
        }
    }
}

/// The language of a browser about whose shopper nothing is known.
pub(super) fn language_of(headers: &HeaderMap) -> Language {
    preferred(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

/// A cookie that was sent.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Has a browser keep a secret, or forget it after no time.
pub(super) fn keep(response: &mut Response, app: &App, name: &str, secret: &str, for_ms: i64) {
    let secure = if app.public_url().scheme() == "https" { "; Secure" } else { "" };
    let seconds = for_ms / 1_000;
    let text =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // Names and secrets of our own are always a header value.
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

async fn by_query(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    page_of(begin(&app, &parameters, &headers).await, language_of(&headers))
}

async fn by_form(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    page_of(begin(&app, &Parameters::parse(&body), &headers).await, language_of(&headers))
}

/// What a request leads to.
enum Begun {
    /// The shopper is asked.
    Asked,
    /// They need not be.
    Answered(Outcome),
}

/// `GET /{region}/lp/idp/oauth2/auth`: a client wants a shopper to sign in.
async fn begin(
    app: &App,
    parameters: &Parameters,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let registered = match parameters.once("client_id") {
        Some(client_id) => provider::registered(app, client_id).await?,
        None => None,
    };
    let client = registered.as_ref().map(Registered::client);
    let may = |origin: &str| registered.as_ref().is_some_and(|it| it.allows(origin));
    let request = match authorization::read(parameters, client.as_ref(), may) {
        Ok(request) => request,
        Err(Refusal::Page(what)) => {
            let why = pages::Sorry::Request(what);
            return Ok(pages::sorry(language_of(headers), StatusCode::BAD_REQUEST, why));
        }
        Err(Refusal::Client(way, error, why)) => {
            return Ok(send_back(app, &way, &Outcome::Error(error, why)));
        }
    };
    // By the time that the shopper has answered there is a key.
    let warm = app.clone();
    tokio::spawn(async move { warm.keyring().keys(&warm).await.map(|_| ()) });
    let now_ms = app.clock().now_ms();
    let session_hash = cookie(headers, SESSION_COOKIE).map(digest);
    let browser = cookie(headers, BROWSER_COOKIE).map(str::to_owned);
    let browser = browser.unwrap_or_else(|| fresh("").0);
    let browser_hash = digest(&browser);
    let id = service::random::uuid().to_string();
    let drawn = Drawn::new();
    let way = request.way();
    let (asked_id, code) = (id.clone(), drawn.code.clone());
    let begun = app
        .db()
        .write(move |tx| -> Result<Begun, StoreError> {
            let session = match &session_hash {
                Some(hash) => store::session(tx, hash, now_ms)?,
                None => None,
            };
            let session = session.filter(|it| !request.wants_login(it.signed_in_ms, now_ms));
            if let Some(session) = &session {
                let consent = store::consent(tx, &session.account.subject, &request.client_id)?;
                let (agreed, kept) = consent.unzip();
                if !request.wants_consent(agreed.as_ref()) {
                    let kept = kept.unwrap_or_default();
                    grant(
                        tx,
                        &request,
                        session,
                        request.scopes.without(&kept),
                        kept,
                        &drawn,
                        now_ms,
                    )?;
                    return Ok(Begun::Answered(Outcome::Code(code.clone())));
                }
            }
            if request.prompt.none {
                let (error, why) = match session {
                    None => (AuthorizationError::LoginRequired, "nobody is signed in"),
                    Some(_) => (AuthorizationError::ConsentRequired, "not everything is agreed to"),
                };
                return Ok(Begun::Answered(Outcome::Error(error, why.to_owned())));
            }
            let signed_in = session.map(|session| (session.account, session.signed_in_ms));
            let interaction = Interaction::begin(request.clone(), signed_in);
            let until_ms = now_ms.saturating_add(LIFE_MS);
            store::insert_interaction(
                tx,
                &asked_id,
                &browser_hash,
                &interaction,
                until_ms,
                now_ms,
            )?;
            Ok(Begun::Asked)
        })
        .await?;
    Ok(match begun {
        Begun::Answered(outcome) => send_back(app, &way, &outcome),
        Begun::Asked => {
            let mut response = see_other(&format!("/sign-in/{id}"));
            keep(&mut response, app, BROWSER_COOKIE, &browser, SESSION_MS);
            response
        }
    })
}

/// What a grant is made of that must not be guessed.
struct Drawn {
    grant_id: String,
    code: String,
    code_hash: String,
}

impl Drawn {
    fn new() -> Self {
        let (code, code_hash) = fresh("ory_ac_");
        Self { grant_id: service::random::uuid().to_string(), code, code_hash }
    }
}

/// Keeps what the shopper granted, and the code that stands for it.
fn grant(
    tx: &mut Tx<'_>,
    request: &AuthorizationRequest,
    session: &Session,
    scopes: Scopes,
    kept: Vec<Share>,
    drawn: &Drawn,
    now_ms: i64,
) -> Result<(), StoreError> {
    let grant = Grant {
        grant_id: drawn.grant_id.clone(),
        client_id: request.client_id.clone(),
        account: session.account.clone(),
        scopes,
        kept,
        signed_in_ms: session.signed_in_ms,
        nonce: request.nonce.clone(),
        session_id: session.session_id.clone(),
    };
    let code = Code {
        grant_id: drawn.grant_id.clone(),
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        expires_at_ms: now_ms.saturating_add(CODE_MS),
        used: false,
    };
    store::insert_grant(tx, &grant, code.expires_at_ms)?;
    store::insert_code(tx, &drawn.code_hash, &code)
}

/// Gives the client its answer. Not 307: the shopper's form must not be sent along.
fn send_back(app: &App, way: &Way, outcome: &Outcome) -> Response {
    let members = way.members(outcome, &provider::issuer(app));
    if way.mode == ResponseMode::WebMessage {
        return message::page(way, &members);
    }
    let mut response = see_other(&way.location(&members));
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// 303, to be fetched and not to be kept.
pub(super) fn see_other(location: &str) -> Response {
    let Ok(value) = HeaderValue::from_str(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let headers = [
        (header::LOCATION, value),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The sign-in of this browser, and the secret that shows it is this browser's.
async fn find(app: &App, id: String, headers: &HeaderMap) -> Result<Option<Interaction>, Failure> {
    let Some(hash) = cookie(headers, BROWSER_COOKIE).map(digest) else { return Ok(None) };
    let now_ms = app.clock().now_ms();
    Ok(app.db().read(move |tx| store::interaction(tx, &id, &hash, now_ms)).await?)
}

fn gone(headers: &HeaderMap) -> Response {
    pages::sorry(language_of(headers), StatusCode::NOT_FOUND, pages::Sorry::Gone)
}

/// `GET /sign-in/{id}`: what the shopper is asked.
async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let result = async {
        let Some(interaction) = find(&app, id, &headers).await? else { return Ok(gone(&headers)) };
        if interaction.step == Step::Done {
            return Ok(gone(&headers));
        }
        Ok(pages::step(language(&interaction.request, &headers), uri.path(), &interaction))
    };
    page_of(result.await, language_of(&headers))
}

fn language(request: &AuthorizationRequest, headers: &HeaderMap) -> Language {
    request
        .locale
        .as_ref()
        .map_or_else(|| language_of(headers), |locale: &Locale| Language::of(locale))
}

/// What an answer of the shopper leads to.
enum Onward {
    /// The next question, or the same again.
    Ask,
    /// There is an answer for the client.
    Answer(Way, Outcome),
    /// There is no such sign-in in this browser.
    Gone,
}

/// `POST /sign-in/{id}`: what the shopper answers.
async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = take(&app, id, &headers, Parameters::parse(&body)).await;
    page_of(result, language_of(&headers))
}

async fn take(
    app: &App,
    id: String,
    headers: &HeaderMap,
    form: Parameters,
) -> Result<Response, Failure> {
    if !is_own_page(headers, app) {
        let why = pages::Sorry::NotOwnPage;
        return Ok(pages::sorry(language_of(headers), StatusCode::FORBIDDEN, why));
    }
    let Some(browser_hash) = cookie(headers, BROWSER_COOKIE).map(digest) else {
        return Ok(gone(headers));
    };
    let path = format!("/sign-in/{id}");
    let (secret, fresh_hash) = fresh("");
    let answer = Answer {
        app: app.clone(),
        form,
        session_hash: cookie(headers, SESSION_COOKIE).map(digest),
        fresh_hash,
        session_id: service::random::uuid().to_string(),
        drawn: Drawn::new(),
        now_ms: app.clock().now_ms(),
    };
    let (onward, signed_in) = app
        .db()
        .write(move |tx| -> Result<(Onward, bool), StoreError> {
            let found = store::interaction(tx, &id, &browser_hash, answer.now_ms)?;
            let Some(mut interaction) = found else { return Ok((Onward::Gone, false)) };
            let before = interaction.signed_in.is_some();
            let outcome = answer.take(tx, &mut interaction)?;
            store::update_interaction(tx, &id, &interaction)?;
            let onward = match outcome {
                Some(outcome) => Onward::Answer(interaction.request.way(), outcome),
                None => Onward::Ask,
            };
            Ok((onward, !before && interaction.signed_in.is_some()))
        })
        .await?;
    let mut response = match onward {
        Onward::Gone => gone(headers),
        Onward::Ask => see_other(&path),
        Onward::Answer(way, outcome) => send_back(app, &way, &outcome),
    };
    if signed_in {
        keep(&mut response, app, SESSION_COOKIE, &secret, SESSION_MS);
    }
    Ok(response)
}

/// What a shopper sent, and what may come of it.
struct Answer {
    app: App,
    form: Parameters,
    /// Of whoever is signed in in this browser.
    session_hash: Option<String>,
    /// Of whoever signs in now.
    fresh_hash: String,
    session_id: String,
    drawn: Drawn,
    now_ms: i64,
}

impl Answer {
    /// Goes on with the sign-in. An older page changes nothing: the shopper is shown where they are. The outcome, if
    /// the sign-in is over.
    fn take(
        &self,
        tx: &mut Tx<'_>,
        interaction: &mut Interaction,
    ) -> Result<Option<Outcome>, StoreError> {
        let denied = |why: &str| Outcome::Error(AuthorizationError::AccessDenied, why.to_owned());
        match self.form.once("action").unwrap_or_default() {
            "identify" => {
                let person = self.form.once("person").or(self.form.once("contact"));
                let _: Result<(), Rejection> = interaction.identify(person.unwrap_or_default());
                Ok(None)
            }
            "code" => {
                let typed = self.form.once("code").unwrap_or_default();
                let key = |contact: &str| subject_of(&self.app, contact);
                match interaction.enter_code(typed, key, self.now_ms) {
                    Err(Rejection::TooManyTries) => Ok(Some(denied("too many wrong codes"))),
                    Err(Rejection::WrongStep) => Ok(None),
                    Ok(()) => self.sign_in(tx, interaction),
                }
            }
            "agree" => self.agree(tx, interaction),
            "again" => {
                let _: Result<(), Rejection> = interaction.start_again();
                Ok(None)
            }
            "decline" => Ok(interaction.decline().is_ok().then(|| denied("the shopper declined"))),
            _ => Ok(None),
        }
    }

    /// Whoever typed the right code is signed in, in place of whoever was. The code for the client, if everything
    /// has been agreed to before.
    fn sign_in(
        &self,
        tx: &mut Tx<'_>,
        interaction: &mut Interaction,
    ) -> Result<Option<Outcome>, StoreError> {
        let Some((account, signed_in_ms)) = interaction.signed_in.clone() else { return Ok(None) };
        if let Some(hash) = &self.session_hash {
            store::end_session(tx, hash)?;
        }
        let session = self.session(account, signed_in_ms);
        store::insert_session(tx, &self.fresh_hash, &session)?;
        let client_id = &interaction.request.client_id;
        let consent = store::consent(tx, &session.account.subject, client_id)?;
        let (agreed, kept) = consent.unzip();
        if interaction.request.wants_consent(agreed.as_ref()) {
            return Ok(None);
        }
        let Ok((scopes, kept)) = interaction.agree(&kept.unwrap_or_default()) else {
            return Ok(None);
        };
        grant(tx, &interaction.request, &session, scopes, kept, &self.drawn, self.now_ms)?;
        Ok(Some(Outcome::Code(self.drawn.code.clone())))
    }

    /// The shopper shares what they ticked, and what cannot be kept.
    fn agree(
        &self,
        tx: &mut Tx<'_>,
        interaction: &mut Interaction,
    ) -> Result<Option<Outcome>, StoreError> {
        let given: Vec<&str> = self.form.all("share").collect();
        let mut kept = interaction.request.scopes.shares();
        kept.retain(|share| !given.contains(&share.as_str()));
        let Some((account, signed_in_ms)) = interaction.signed_in.clone() else { return Ok(None) };
        let Ok((scopes, kept)) = interaction.agree(&kept) else { return Ok(None) };
        remember(tx, interaction, &account, &kept)?;
        let session = match &self.session_hash {
            Some(hash) => store::session(tx, hash, self.now_ms)?,
            None => None,
        };
        // In another tab somebody else may have signed in meanwhile.
        let session = session
            .filter(|session| session.account.subject == account.subject)
            .unwrap_or_else(|| self.session(account, signed_in_ms));
        grant(tx, &interaction.request, &session, scopes, kept, &self.drawn, self.now_ms)?;
        Ok(Some(Outcome::Code(self.drawn.code.clone())))
    }

    fn session(&self, account: Account, signed_in_ms: i64) -> Session {
        Session {
            session_id: self.session_id.clone(),
            signed_in_ms,
            expires_at_ms: self.now_ms.saturating_add(SESSION_MS),
            account,
        }
    }
}

/// Keeps what was agreed to, together with what was agreed to before.
fn remember(
    tx: &mut Tx<'_>,
    interaction: &Interaction,
    account: &Account,
    kept: &[Share],
) -> Result<(), StoreError> {
    let client_id = &interaction.request.client_id;
    let asked = &interaction.request.scopes;
    let agreed = match store::consent(tx, &account.subject, client_id)? {
        Some((before, _)) => before.with(asked),
        None => asked.clone(),
    };
    store::put_consent(tx, &account.subject, client_id, &agreed, kept)
}
