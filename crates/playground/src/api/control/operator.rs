//! Who may use the control API.
//!
//! With a control token configured, whoever sends it. Without one, calls reach this API only if the
//! playground listens on loopback and calls itself by a name of loopback; not through a proxy, behind
//! which everyone seems to be here; and not from a foreign page in this machine's browser, which
//! could otherwise post to it.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use axum::http::request::Parts;
use url::Url;

use crate::api::error::ApiError;
use crate::app::{App, ControlToken};

/// The right to use the control API; an extractor for its handlers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let sent = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match app.control_token_fits(sent) {
            ControlToken::Wrong => Err(refused(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "send the control token as `Authorization: Bearer …`",
            )),
            ControlToken::NotNeeded if !app.is_loopback() => Err(refused(
                StatusCode::FORBIDDEN,
                "FORBIDDEN",
                "this API is closed, because the playground can be reached from other machines: start \
                 it with --control-token (or KASSA_CONTROL_TOKEN) and send that token as \
                 `Authorization: Bearer …`, or let it listen on 127.0.0.1",
            )),
            ControlToken::NotNeeded if is_forwarded(&parts.headers) => Err(refused(
                StatusCode::FORBIDDEN,
                "FORBIDDEN",
                "this API does not answer through a proxy unless the playground was started with \
                 --control-token",
            )),
            ControlToken::NotNeeded if is_foreign(&parts.headers, app.public_url()) => {
                Err(refused(
                    StatusCode::FORBIDDEN,
                    "FORBIDDEN",
                    "this API does not answer pages of other origins",
                ))
            }
            ControlToken::Fits | ControlToken::NotNeeded => Ok(Self),
        }
    }
}

fn refused(status: StatusCode, code: &'static str, message: &str) -> ApiError {
    ApiError::new(status, code).message(message)
}

/// Whether a proxy says that it passes this on for someone.
fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
}

/// Whether a page of another origin sends this, or a name that is not ours was made to lead here.
fn is_foreign(headers: &HeaderMap, public_url: &Url) -> bool {
    let is_ours = |host: Option<&str>| {
        host.is_some_and(|host| {
            matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
                || Some(host) == public_url.host_str()
        })
    };
    let foreign_origin = headers.get(ORIGIN).is_some_and(|origin| {
        let url = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok());
        !url.as_ref().is_some_and(|url| {
            is_ours(url.host_str()) && url.port_or_known_default() == port(headers, public_url)
        })
    });
    let foreign_host = headers.get(HOST).is_some_and(|host| {
        let host = host.to_str().unwrap_or_default();
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => host.split(':').next(),
        };
        !is_ours(name)
    });
    foreign_origin || foreign_host
}

/// The port that the caller knows us under.
fn port(headers: &HeaderMap, public_url: &Url) -> Option<u16> {
    headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.rsplit_once(':'))
        .and_then(|(_, port)| port.parse().ok())
        .or_else(|| public_url.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&str>, host: &str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let public_url = Url::parse("http://localhost:7072").unwrap();
        assert_eq!(is_foreign(&headers, &public_url), expected, "{origin:?} {host}");
    }

    #[test]
    fn only_our_own_pages_and_programs_are_let_in() {
        check(None, "localhost:7072", false);
        check(None, "127.0.0.1:7072", false);
        check(None, "[::1]:7072", false);
        check(Some("http://localhost:7072"), "localhost:7072", false);
        check(Some("http://localhost:7070"), "localhost:7072", true);
        check(Some("https://evil.example"), "localhost:7072", true);
        check(Some("null"), "localhost:7072", true);
        check(None, "evil.example:7072", true);
    }
}
