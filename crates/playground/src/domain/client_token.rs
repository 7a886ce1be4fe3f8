//! The client token: a signed JWT (HS256) that names a session and ends with it.
//!
//! Merchants treat it as opaque. The playground's own pages present it as a bearer token.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use klarna_types::{ClientToken, Secret, SessionId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// base64url of `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    base_url: Cow<'a, str>,
    /// Seconds since 1970, as JWT has it.
    exp: i64,
}

/// Signs a token for a session.
pub(crate) fn sign(
    session_id: &str,
    base_url: &str,
    expires_at_ms: i64,
    key: &Secret,
) -> ClientToken {
    let payload = Payload {
        session_id: session_id.into(),
        base_url: base_url.into(),
        exp: expires_at_ms.div_euclid(1_000),
    };
    let mut token = String::with_capacity(320);
    token.push_str(HEADER);
    token.push('.');
    // Two strings and an integer always serialize.
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&payload).unwrap_or_default(), &mut token);
    let signature = mac(key, &token).finalize().into_bytes();
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    ClientToken::new(token)
}

/// The session that a token names, if the signature is ours and its time is not over.
pub(crate) fn verify(token: &str, key: &Secret, now_ms: i64) -> Option<SessionId> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // Compares in constant time.
    mac(key, signed).verify_slice(&signature).ok()?;
    let (header, payload) = signed.split_once('.')?;
    if header != HEADER {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let payload: Payload<'_> = serde_json::from_slice(&payload).ok()?;
    (now_ms.div_euclid(1_000) < payload.exp).then(|| SessionId::new(payload.session_id))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &Secret, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_session_until_it_ends() {
        let key = Secret::new("key");
        let token = sign("3b0f6d8e", "http://localhost:7072", 10_000, &key);
        let token = token.expose();
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(verify(token, &key, 9_999), Some(SessionId::new("3b0f6d8e")));
        assert_eq!(verify(token, &key, 10_000), None);
        assert_eq!(verify(token, &Secret::new("other"), 0), None);
        let forged = token.replacen('.', ".e30", 1);
        assert_eq!(verify(&forged, &key, 0), None);
        assert_eq!(verify("nonsense", &key, 0), None);
        // What JSON escapes is read as well.
        let odd = sign("a\"\u{1}", "http://localhost:7072", 10_000, &key);
        assert_eq!(verify(odd.expose(), &key, 0), Some(SessionId::new("a\"\u{1}")));
        let header = URL_SAFE_NO_PAD.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
    }
}
