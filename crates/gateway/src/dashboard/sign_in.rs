//! Signing in and out. One password for all; sessions are random, kept as digests, and end by
//! themselves. Guessing is slowed down for each network address, so that one stranger cannot lock
//! everybody out. Behind a proxy all come from one address, and are slowed down together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use klarna_types::Secret;
use maud::{Markup, html};
use parking_lot::Mutex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Person, layout};
use crate::app::{App, DEFAULT_STORE};
use crate::domain::idempotency;
use crate::store::access::{self, DashboardSession};

/// The name of the session cookie.
pub(super) const COOKIE: &str = "kassa_session";
const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1000;
/// So many wrong passwords are taken within the window.
const MOST_FAILURES: usize = 10;
const WINDOW_MS: i64 = 60 * 1000;

/// Wrong passwords are counted for at most so many addresses; whoever has more at hand waits with
/// everyone whose address is not among them.
const MOST_ADDRESSES: usize = 10_000;

/// Wrong passwords of the last minute, by where they came from.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Option<IpAddr>, Vec<i64>>>);

impl Attempts {
    fn may_try(&self, from: Option<IpAddr>, now_ms: i64) -> bool {
        let mut failures = self.0.lock();
        failures.retain(|_, times| {
            times.retain(|at_ms| now_ms - at_ms < WINDOW_MS);
            !times.is_empty()
        });
        let place = place(&failures, from);
        failures.get(&place).is_none_or(|times| times.len() < MOST_FAILURES)
    }

    fn failed(&self, from: Option<IpAddr>, now_ms: i64) {
        let mut failures = self.0.lock();
        let place = place(&failures, from);
        failures.entry(place).or_default().push(now_ms);
    }
}

/// Under which address a caller is counted.
fn place(failures: &HashMap<Option<IpAddr>, Vec<i64>>, from: Option<IpAddr>) -> Option<IpAddr> {
    let from = from.map(network);
    from.filter(|_| failures.contains_key(&from) || failures.len() < MOST_ADDRESSES)
}

/// A whole IPv6 network belongs to one subscriber, who can call from any address in it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    password: Secret,
}

#[derive(Deserialize)]
pub(super) struct SignOut {
    csrf: String,
}

fn form(complaint: Option<&str>) -> Markup {
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
                form method="post" action="/dashboard/sign-in" {
                    label for="password" { "Dashboard password" }
                    input #password type="password" name="password" required autofocus
                        autocomplete="current-password";
                    button.primary type="submit" { "Sign in" }
                }
            }
        },
    )
}

pub(super) async fn page() -> Markup {
    form(None)
}

pub(super) async fn submit(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(sign_in): Form<SignIn>,
) -> Response {
    let now_ms = app.engine().now_ms();
    let from = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    if !app.attempts().may_try(from, now_ms) {
        let complaint = "Too many wrong passwords. Wait a minute, then try again.";
        return (StatusCode::TOO_MANY_REQUESTS, form(Some(complaint))).into_response();
    }
    // Digests have one length, so that comparing takes one time.
    let given = Sha256::digest(sign_in.password.expose().as_bytes());
    let right = Sha256::digest(app.dashboard_password().expose().as_bytes());
    if !bool::from(given.as_slice().ct_eq(right.as_slice())) {
        app.attempts().failed(from, now_ms);
        tracing::warn!("a wrong dashboard password was given");
        let complaint = "That is not the password.";
        return (StatusCode::UNAUTHORIZED, form(Some(complaint))).into_response();
    }
    let secret = app.engine().fresh_secret();
    let digest = idempotency::digest(&secret);
    let session = DashboardSession {
        store_id: DEFAULT_STORE.to_owned(),
        csrf_token: app.engine().fresh_secret(),
    };
    let opened = app
        .database()
        .write(move |tx| {
            access::open_session(tx, &digest, &session, now_ms, now_ms + SESSION_LIFE_MS)
        })
        .await;
    match opened {
        Ok(()) => with_cookie(&app, &secret, SESSION_LIFE_MS / 1000, "/dashboard"),
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn sign_out(
    State(app): State<App>,
    person: Person,
    Form(form): Form<SignOut>,
) -> Response {
    if !is_right(&form.csrf, &person) {
        return refused(&person);
    }
    let digest = person.session_digest;
    match app.database().write(move |tx| access::close_session(tx, &digest)).await {
        Ok(()) => with_cookie(&app, "", 0, "/dashboard/sign-in"),
        Err(fault) => layout::failed(&fault),
    }
}

fn with_cookie(app: &App, value: &str, max_age_seconds: i64, to: &str) -> Response {
    let secure = if app.secure_cookies() { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={value}; Path=/dashboard; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut response = Redirect::to(to).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether a form came from one of the person's own pages.
pub(super) fn is_right(csrf: &str, person: &Person) -> bool {
    bool::from(csrf.as_bytes().ct_eq(person.csrf_token.as_bytes()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_slowed_down_and_forgiven() {
        let attempts = Attempts::default();
        let stranger: Option<IpAddr> = Some([192, 0, 2, 1].into());
        for _ in 0..MOST_FAILURES {
            assert!(attempts.may_try(stranger, 0));
            attempts.failed(stranger, 0);
        }
        assert!(!attempts.may_try(stranger, WINDOW_MS - 1));
        assert!(attempts.may_try(stranger, WINDOW_MS));
    }

    #[test]
    fn a_stranger_locks_nobody_else_out() {
        let attempts = Attempts::default();
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for (one, same, other) in [
            (address("192.0.2.1"), address("::ffff:192.0.2.1"), address("192.0.2.2")),
            (address("2001:db8::1"), address("2001:db8::ffff:2"), address("2001:db8:0:1::1")),
            (None, None, address("198.51.100.1")),
        ] {
            for _ in 0..MOST_FAILURES {
                attempts.failed(one, 0);
            }
            assert!(!attempts.may_try(same, 0), "{same:?}");
            assert!(attempts.may_try(other, 0), "{other:?}");
        }
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..u32::try_from(MOST_ADDRESSES).unwrap() + 50 {
            attempts.failed(Some(number.to_be_bytes().into()), 0);
        }
        assert!(attempts.0.lock().len() <= MOST_ADDRESSES + 1);
        assert!(!attempts.may_try(Some([203, 0, 113, 9].into()), 0));
        assert!(attempts.may_try(Some([203, 0, 113, 9].into()), WINDOW_MS));
    }
}
