//! Doors for the fuzz targets to what the playground reads by itself. Thin: bytes in, plain values out,
//! nothing decided here, and nothing else uses it.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use bytes::Bytes;
use jiff::Timestamp;
use klarna_types::Secret;
use klarna_types::settlements::{Payout, Transaction};

use crate::api::{control, disputes, settlements};
use crate::domain::fault::PathPattern;
use crate::domain::{callback, client_token, hosted_page, sftp};
use crate::reports;

/// The key under which tokens are signed here.
const KEY: &str = "a key for fuzzing";

/// A token for a session that ends then.
pub fn sign_client_token(session_id: &str, expires_at_ms: i64) -> String {
    let token =
        client_token::sign(session_id, "http://localhost:7072", expires_at_ms, &Secret::new(KEY));
    token.expose().to_owned()
}

/// The session that a token names at a time.
pub fn read_client_token(token: &str, now_ms: i64) -> Option<String> {
    client_token::verify(token, &Secret::new(KEY), now_ms).map(|id| id.as_str().to_owned())
}

/// The names that a path of an SFTP client consists of.
pub fn sftp_path(path: &str) -> Option<Vec<String>> {
    sftp::resolve(path).ok().map(|names| names.into_iter().map(str::to_owned).collect())
}

/// Where a request to move the clock leads.
pub fn clock(body: &[u8], now_ms: i64) -> Option<i64> {
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    control::clock_target(body, now).map(Timestamp::as_millisecond)
}

/// A merchant's URL with each placeholder replaced by the value: those of Payments, those of hosted pages.
pub fn fill_placeholders(url: &str, value: &str) -> [String; 2] {
    [
        callback::fill_placeholders(url, value, value),
        hosted_page::fill(url, |_| Some(value.to_owned())),
    ]
}

/// The name and the content of an uploaded file.
///
/// # Errors
///
/// What is wrong with it.
pub async fn form(content_type: &str, body: Bytes) -> Result<(String, Vec<u8>), String> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    disputes::read_form(&headers, body).await
}

/// Reads the parameters of the lists of disputes and settlements.
pub fn queries(raw: &str) {
    disputes::read_query(raw);
    settlements::read_query(raw);
}

/// Whether a path matches a pattern, if that is one.
pub fn fault_path(pattern: &str, path: &str) -> Option<bool> {
    PathPattern::parse(pattern).ok().map(|pattern| pattern.matches(path))
}

/// A PDF report of a payout and its transactions.
pub fn pdf(title: &str, payout: &Payout, rows: &[Transaction]) -> Bytes {
    reports::document(title, payout, rows)
}
