//! The dashboard: what a person at the merchant sees and does.
//!
//! Server-rendered pages; no inline script or style, so that the content security policy can forbid
//! both. What a button does goes the same way as the API's command, under a key that its form
//! carries: pressing twice, or two people pressing, is one operation.

mod actions;
mod attention;
mod due_date;
mod expiry;
mod format;
mod forms;
mod layout;
mod list;
mod payment;
pub(crate) mod sign_in;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::domain::idempotency;
use crate::fault::Fault;
use crate::store::{access, operations};

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/dashboard.js");

/// The largest form that is read.
const FORM_LIMIT_BYTES: usize = 64 * 1024;

/// The routes for people.
pub(crate) fn router() -> Router<App> {
    Router::new()
        // Whoever types the gateway's address into a browser is a person.
        .route("/", get(async || Redirect::to("/dashboard")))
        .route("/dashboard", get(list::page))
        .route("/dashboard/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/dashboard/sign-out", post(sign_in::sign_out))
        .route("/dashboard/payments/{id}", get(payment::page))
        .route("/dashboard/payments/{id}/{action}", post(actions::submit))
        .route("/dashboard/payments/{id}/due-date/{capture_id}", get(due_date::page))
        .route("/dashboard/expiry", get(expiry::page).post(expiry::submit))
        .route("/dashboard/attention", get(attention::page))
        .route("/dashboard/operations/{id}/{action}", post(attention::submit))
        .route("/dashboard/assets/style.css", get(style))
        .route("/dashboard/assets/dashboard.js", get(script))
        .layer(DefaultBodyLimit::max(FORM_LIMIT_BYTES))
        .layer(map_response(guarded))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

/// The headers that keep pages to themselves.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// A person who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The store they may see.
    pub(crate) store_id: String,
    /// What each of their forms must carry.
    pub(crate) csrf_token: String,
    /// The digest of their session.
    pub(crate) session_digest: String,
    /// How many operations of the store wait for a person.
    pub(crate) waiting: i64,
}

/// The value of the session cookie, if there is one.
fn session_cookie(parts: &Parts) -> Option<String> {
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == sign_in::COOKIE)
        .map(|(_, value)| value.to_owned())
}

impl FromRequestParts<App> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let sign_in = || Redirect::to("/dashboard/sign-in").into_response();
        let secret = session_cookie(parts).ok_or_else(sign_in)?;
        let digest = idempotency::digest(&secret);
        let (wanted, now_ms) = (digest.clone(), app.engine().now_ms());
        let (session, waiting) = app
            .database()
            .read(move |tx| {
                let Some(session) = access::session(tx, &wanted, now_ms)? else { return Ok(None) };
                let waiting = operations::count_waiting(tx, &session.store_id)?;
                Ok::<_, Fault>(Some((session, waiting)))
            })
            .await
            .map_err(|fault| layout::failed(&fault))?
            .ok_or_else(sign_in)?;
        Ok(Self {
            store_id: session.store_id,
            csrf_token: session.csrf_token,
            session_digest: digest,
            waiting,
        })
    }
}
