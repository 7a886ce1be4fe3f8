//! When a repeated call is the same call: the key, its scope, and which answers are kept.

use klarna_types::MerchantId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Answers are kept for a day from the first attempt.
pub(crate) const RETENTION_MS: i64 = 24 * 60 * 60 * 1_000;

/// The longest key.
pub(crate) const MAX_KEY_LENGTH: usize = 255;

/// What a key is unique within: merchant, method and full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Who calls.
    pub(crate) merchant_id: MerchantId,
    /// Method and path, such as `POST /ordermanagement/v1/orders/…/captures`.
    pub(crate) operation: String,
    /// The value of `Klarna-Idempotency-Key`.
    pub(crate) key: String,
}

/// An answer that is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAnswer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers to repeat (`Location`, `Capture-Id`, …), as JSON.
    pub(crate) headers: String,
    /// The body, or for an error its code and messages, as JSON.
    pub(crate) body: String,
    /// The [`fingerprint`] of the request, where a repetition with another body is refused.
    pub(crate) request: Option<String>,
}

/// Tells request bodies apart without keeping them: the same for the same JSON, whatever its spaces and the
/// order of its members.
pub(crate) fn fingerprint(body: &[u8]) -> String {
    let mut hash = Sha256::new();
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => add(&mut hash, &value),
        Err(_) => hash.update(body),
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// Every value is added with its kind and its length, so that no two different ones read the same.
fn add(hash: &mut Sha256, value: &Value) {
    let mut leaf = |kind: u8, text: &str| {
        hash.update([kind]);
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    match value {
        Value::Null => leaf(b'n', ""),
        Value::Bool(value) => leaf(b'b', if *value { "1" } else { "0" }),
        Value::Number(value) => leaf(b'd', &value.to_string()),
        Value::String(value) => leaf(b's', value),
        Value::Array(items) => {
            leaf(b'a', &items.len().to_string());
            for item in items {
                add(hash, item);
            }
        }
        Value::Object(members) => {
            leaf(b'o', &members.len().to_string());
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            for name in names {
                add(hash, &Value::String(name.clone()));
                add(hash, members.get(name).unwrap_or(&Value::Null));
            }
        }
    }
}

/// Whether a key can be one: 1 to 255 printable ASCII characters.
pub(crate) fn is_key(key: &[u8]) -> bool {
    (1..=MAX_KEY_LENGTH).contains(&key.len()) && key.iter().all(|byte| (0x20..0x7f).contains(byte))
}

/// Whether an answer is kept: successes and final refusals, but not 401, 409, 429, and never 5xx.
pub(crate) fn is_kept(status: u16) -> bool {
    (200..300).contains(&status)
        || ((400..500).contains(&status) && !matches!(status, 401 | 409 | 429))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_final_answers_are_kept() {
        let kept: Vec<u16> = [200, 201, 204, 400, 401, 403, 404, 409, 422, 429, 500, 503]
            .into_iter()
            .filter(|status| is_kept(*status))
            .collect();
        assert_eq!(kept, [200, 201, 204, 400, 403, 404, 422]);
    }

    #[test]
    fn a_fingerprint_knows_json_from_its_spelling() {
        let check = |a: &str, b: &str, same: bool| {
            assert_eq!(fingerprint(a.as_bytes()) == fingerprint(b.as_bytes()), same, "{a} {b}");
        };
        check(r#"{"a":1,"b":[true,null]}"#, r#" { "b" : [ true, null ], "a" : 1 } "#, true);
        check(r#"{"a":1}"#, r#"{"a":2}"#, false);
        check(r#"{"a":1}"#, r#"{"a":"1"}"#, false);
        check(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, false);
        check(r#"{"a":["b"]}"#, r#"{"a":"b"}"#, false);
        check(r#"["ab","c"]"#, r#"["a","bc"]"#, false);
        check(r#"[["a"],"b"]"#, r#"[["a","b"]]"#, false);
        check("nonsense", "nonsense", true);
        check("nonsense", "nonsens", false);
        assert_eq!(fingerprint(b"{}").len(), 64);
    }

    #[test]
    fn keys_are_short_and_printable() {
        assert!(is_key(b"5c0d-1"));
        assert!(!is_key(b""));
        assert!(!is_key(b"a\tb"));
        assert!(!is_key(&[b'a'; 256]));
    }
}
