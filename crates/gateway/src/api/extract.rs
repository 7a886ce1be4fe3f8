//! What every endpoint takes from a request: who asks, the body, how long the caller waits, and
//! under which key.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::scope::Scopes;

/// The caller, known by a secret key: whom `api::access` let in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The store the key belongs to.
    pub store_id: String,
    /// The key's id, for the history.
    pub key_id: String,
    /// What people call the key.
    pub key_name: String,
    /// What the key may do.
    pub scopes: Scopes,
}

/// The caller, known by a publishable key: a browser that has yet to show a checkout's secret.
#[derive(Debug, Clone)]
pub struct PublicCaller {
    /// The store the key belongs to.
    pub store_id: String,
    /// The key's id, for the history.
    pub key_id: String,
}

/// The store of the caller, where either kind of key will do.
#[derive(Debug, Clone)]
pub struct StoreCaller {
    /// The store the key belongs to.
    pub store_id: String,
}

/// Nobody was let in: the handler stands at a route that the guard does not know.
fn nobody() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "The request carries no API key that this gateway knows.",
        "Send `Authorization: Bearer kassa_sk_…` with a key of this gateway.",
    )
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

impl FromRequestParts<App> for StoreCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

impl FromRequestParts<App> for PublicCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

/// A JSON body, with the bytes it was read from.
#[derive(Debug)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// As it was sent.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let is_json = content_type
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let said_otherwise = !content_type.is_empty() && !is_json;
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "payload_too_large",
                    "The body is larger than 1 MiB.",
                    "Send a smaller body.",
                )
            } else {
                Problem::invalid("", "The body could not be read.")
            }
        })?;
        if said_otherwise {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("The body is declared as {content_type:.80}."),
                "Send JSON, with `Content-Type: application/json`.",
            ));
        }
        // No body at all is an empty object: some requests have nothing to say.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let value = parse(text)?;
        Ok(Self { value, bytes })
    }
}

/// Whether a string of the body has a NUL character in it, which PostgreSQL's texts cannot hold.
fn holds_nul(text: &[u8]) -> bool {
    const ESCAPED: &[u8] = b"\\u0000";
    text.windows(ESCAPED.len()).enumerate().any(|(at, window)| {
        // An escaped backslash before it makes plain text of it.
        window == ESCAPED && {
            let before = text.get(..at).unwrap_or_default();
            before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
        }
    })
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    if holds_nul(text) {
        return Err(Problem::invalid("", "The body holds a NUL character (\\u0000)."));
    }
    // Serde would take a list for a struct, member by member.
    if text.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::invalid("", "The body is a list where an object is expected."));
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let mut member = error.path().to_string();
        let cause = error.into_inner();
        let said = without_value(&cause.to_string());
        // The path may end at the object; the cause names the member.
        if let Some(name) = named_member(&said) {
            if member == "." {
                name.clone_into(&mut member);
            } else if member != name && !member.ends_with(&format!(".{name}")) {
                member = format!("{member}.{name}");
            }
        }
        let member = if member == "." { String::new() } else { member };
        if cause.is_syntax() || cause.is_eof() {
            return Problem::invalid("", format!("The body is not JSON: {said}."));
        }
        let said = plainly(&said);
        if member.is_empty() {
            Problem::invalid("", format!("The body is not as expected: {said}."))
        } else {
            Problem::invalid(member.clone(), format!("{member}: {said}."))
        }
    })?;
    reader
        .end()
        .map_err(|error| Problem::invalid("", format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// Serde quotes the text it found; what a caller sent may be a secret or a personal datum.
fn without_value(said: &str) -> String {
    let quoted = ["invalid type: string \"", "invalid value: string \""];
    match (quoted.iter().find(|start| said.starts_with(**start)), said.rfind("\", expected ")) {
        (Some(start), Some(end)) => {
            let kind = start.trim_end_matches(" \"");
            format!("{kind}{}", said.get(end + 1..).unwrap_or_default())
        }
        _ => said.to_owned(),
    }
}

/// What serde says, in the words of someone who sends JSON and need not know Rust's names for it. Where in the text the
/// reader stood is left out: the member's path says it better.
fn plainly(said: &str) -> String {
    let said = said.rfind(" at line ").and_then(|end| said.get(..end)).unwrap_or(said);
    if let Some((found, expected)) =
        said.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("{} stands where {} belongs", kind_found(found), kind_expected(expected));
    }
    if let Some((found, expected)) =
        said.strip_prefix("invalid value: ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("{} is not {}", kind_found(found), kind_expected(expected));
    }
    if said.starts_with("missing field ") {
        return "is missing".to_owned();
    }
    if let Some((_, known)) =
        said.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("is not known here; known: {}", names(known));
    }
    if let Some((_, known)) =
        said.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("is none of {}", names(known));
    }
    said.to_owned()
}

fn names(known: &str) -> String {
    known.trim_start_matches("one of ").replace('`', "")
}

fn kind_found(found: &str) -> &str {
    match found.split(' ').next().unwrap_or_default() {
        "string" => "a string",
        "integer" => "a whole number",
        "floating" => "a number with decimals",
        "boolean" => "true or false",
        "null" => "null",
        "map" => "an object",
        "sequence" => "a list",
        _ => found,
    }
}

fn kind_expected(expected: &str) -> &str {
    match expected.split(' ').next().unwrap_or_default() {
        "i64" | "i32" | "i16" | "i8" => "a whole number",
        "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number that is not negative",
        "struct" => "an object",
        _ if expected == "a sequence" => "a list",
        _ if expected == "a map" => "an object",
        _ => expected,
    }
}

/// What is wrong with the query of a list.
pub fn wrong_query(rejection: &QueryRejection) -> Problem {
    let said = rejection.body_text();
    let said = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(&said);
    let said = said.replace("invalid digit found in string", "not a whole number");
    let member = said.split(':').next().filter(|name| !name.contains(' ')).unwrap_or_default();
    Problem::invalid(member, format!("{said}."))
}

/// The member that serde's "unknown field" and "missing field" name.
fn named_member(said: &str) -> Option<&str> {
    let rest =
        said.strip_prefix("unknown field `").or_else(|| said.strip_prefix("missing field `"))?;
    rest.split('`').next()
}

/// How long a caller waits for an outcome before it takes `202`.
#[derive(Debug, Clone, Copy)]
pub struct Patience(pub Duration);

const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PATIENCE_SECONDS: u64 = 30;

impl Patience {
    /// The same, only if the caller says so.
    pub fn asked(headers: &HeaderMap) -> Option<Self> {
        headers.contains_key("prefer").then(|| Self::of(headers))
    }

    /// From `Prefer: respond-async` or `Prefer: wait=5`.
    pub fn of(headers: &HeaderMap) -> Self {
        let preferences = headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .map(str::trim);
        let mut patience = DEFAULT_PATIENCE;
        for preference in preferences {
            if preference.eq_ignore_ascii_case("respond-async") {
                patience = Duration::ZERO;
            } else if let Some((name, value)) = preference.split_once('=')
                && name.trim().eq_ignore_ascii_case("wait")
                && let Ok(seconds) = value.trim().parse::<u64>()
            {
                patience = Duration::from_secs(seconds.min(LONGEST_PATIENCE_SECONDS));
            }
        }
        Self(patience)
    }
}

/// The `Idempotency-Key`, if there is one.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if idempotency::is_acceptable_key(key) => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => Err(Problem::invalid(
            "Idempotency-Key",
            "Idempotency-Key: 1 to 255 printable ASCII characters are allowed.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code)]
        lines: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        quantity: i64,
    }

    #[test]
    fn the_member_that_is_wrong_is_named() {
        let cases = [
            (r#"{"lines":[{"quantity":1},{"quantity":"x"}]}"#, "lines[1].quantity"),
            (r#"{"lines":[{"quantity":1,"colour":2}]}"#, "lines[0].colour"),
            (r#"{"lines":[{}]}"#, "lines[0].quantity"),
            ("{}", "lines"),
            (r#"{"lines":[],"surprise":1}"#, "surprise"),
        ];
        for (body, member) in cases {
            let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.member.as_deref(), Some(member), "{body}: {}", problem.detail);
        }
        for body in ["", "{", "nonsense", r#"{"lines":[]} trailing"#] {
            let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert!(problem.detail.starts_with("The body is not JSON"), "{body}");
        }
        let problem =
            parse::<Outer>(br#"{"lines":[{"quantity":"Ann \", expected"}]}"#).unwrap_err();
        assert!(!problem.detail.contains("Ann"), "{}", problem.detail);
        assert_eq!(
            problem.detail,
            "lines[0].quantity: a string stands where a whole number belongs."
        );
        let cases = [
            (r#"{"lines":{}}"#, "lines: an object stands where a list belongs."),
            (
                r#"{"lines":[{"quantity":1.5}]}"#,
                "lines[0].quantity: a number with decimals stands where a whole number belongs.",
            ),
            (r#"{"lines":[{}]}"#, "lines[0].quantity: is missing."),
            (r#"{"lines":[{"colour":1}]}"#, "lines[0].colour: is not known here; known: quantity."),
        ];
        for (body, detail) in cases {
            assert_eq!(parse::<Outer>(body.as_bytes()).unwrap_err().detail, detail);
        }
        let problem = parse::<Outer>(br#"{"lines":[],"x":"\u0000"}"#).unwrap_err();
        assert!(problem.detail.contains("NUL"), "{}", problem.detail);
        assert!(!holds_nul(br#""\\u0000""#) && holds_nul(br#""\\\u0000""#));
        let problem = parse::<Outer>(b" [[]]").unwrap_err();
        assert_eq!(problem.detail, "The body is a list where an object is expected.");
    }

    #[test]
    fn patience_has_a_limit() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", value.parse().unwrap());
            Patience::of(&headers).0.as_secs()
        };
        assert_eq!(Patience::of(&HeaderMap::new()).0, DEFAULT_PATIENCE);
        assert_eq!(of("respond-async"), 0);
        assert_eq!(of("wait=3"), 3);
        assert_eq!(of("handling=lenient, wait=900"), 30);
    }
}
