//! When a repeated call is the same call: the key, its scope, and which answers are kept.

use klarna_types::MerchantId;

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
    fn keys_are_short_and_printable() {
        assert!(is_key(b"5c0d-1"));
        assert!(!is_key(b""));
        assert!(!is_key(b"a\tb"));
        assert!(!is_key(&[b'a'; 256]));
    }
}
