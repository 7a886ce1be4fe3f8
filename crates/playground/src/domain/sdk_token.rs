//! The shopping session of a browser, and tokens that pages carry: the interoperability token, by which a
//! server tells a payment of the shopping session, and the token of an impression, by which it is told that
//! a message was shown.
//!
//! A token is opaque to everybody but the playground: base64url of what it names, and a signature (HMAC
//! with SHA-256). It opens nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use klarna_types::Secret;
use sha2::Sha256;

/// How long a shopping session lasts.
pub(crate) const LIFETIME_MS: i64 = 48 * 60 * 60 * 1_000;

/// How the id of a shopping session begins.
const SESSION: &str = "krn:shopping:eu1:test:session:";

/// How a token begins by which servers tell Klarna of what a shopper has done in a browser.
const NETWORK: &str = "krn:network:eu1:test:session-token:";

/// The network session token of an approval: the same approval under the newer name.
pub(crate) fn network_session(authorization_token: &str) -> String {
    format!("{NETWORK}{authorization_token}")
}

/// The authorization token that a text stands for, which may be a network session token.
pub(crate) fn authorization(text: &str) -> &str {
    text.strip_prefix(NETWORK).unwrap_or(text)
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Names a shopping session.
    Interoperability,
    /// Names what was shown.
    Impression,
}

impl Purpose {
    /// How its tokens begin, and what is signed with them.
    fn prefix(self) -> &'static str {
        match self {
            Self::Interoperability => NETWORK,
            Self::Impression => "imp_",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The client identifier of the page.
    pub(crate) client_id: String,
    /// The shopping session, or what was shown.
    pub(crate) subject: String,
}

/// The id of a new shopping session.
pub(crate) fn session_id(unique: &str) -> String {
    format!("{SESSION}{unique}")
}

/// Whether a text may be the id of a shopping session.
pub(crate) fn is_session_id(text: &str) -> bool {
    text.strip_prefix(SESSION).is_some_and(|rest| {
        (8..=64).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Signs a token.
pub(crate) fn sign(
    purpose: Purpose,
    client_id: &str,
    subject: &str,
    expires_at_ms: i64,
    key: &Secret,
) -> String {
    let content = format!("{expires_at_ms} {client_id} {subject}");
    let signature = mac(purpose, key, &content).finalize().into_bytes();
    let (content, signature) = (URL_SAFE_NO_PAD.encode(content), URL_SAFE_NO_PAD.encode(signature));
    format!("{}{content}.{signature}", purpose.prefix())
}

/// What a token names, if it is ours, for this purpose, and its time is not over.
pub(crate) fn verify(purpose: Purpose, token: &str, key: &Secret, now_ms: i64) -> Option<Named> {
    let (content, signature) = token.strip_prefix(purpose.prefix())?.split_once('.')?;
    let content = String::from_utf8(URL_SAFE_NO_PAD.decode(content).ok()?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // Compares in constant time.
    mac(purpose, key, &content).verify_slice(&signature).ok()?;
    let mut words = content.splitn(3, ' ');
    let expires_at_ms: i64 = words.next()?.parse().ok()?;
    let named = Named { client_id: words.next()?.to_owned(), subject: words.next()?.to_owned() };
    (now_ms < expires_at_ms).then_some(named)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(purpose: Purpose, key: &Secret, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(purpose.prefix().as_bytes());
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Purpose::{Impression, Interoperability};
    use super::*;

    #[test]
    fn a_token_names_client_and_session_until_it_ends() {
        let key = Secret::new("key");
        let session = session_id("0b5f7a52-4b7d-4a2e-9c0e-000000000000");
        assert!(is_session_id(&session));
        let token = sign(Interoperability, "klarna_test_client_x", &session, 10_000, &key);
        let named = verify(Interoperability, &token, &key, 9_999).unwrap();
        assert_eq!(named.client_id, "klarna_test_client_x");
        assert_eq!(named.subject, session);
        assert_eq!(verify(Interoperability, &token, &key, 10_000), None);
        assert_eq!(verify(Interoperability, &token, &Secret::new("other"), 0), None);
        // One purpose's tokens are not another's.
        let bare = token.strip_prefix(Interoperability.prefix()).unwrap();
        let other = format!("{}{bare}", Impression.prefix());
        assert_eq!(verify(Impression, &other, &key, 0), None);
    }

    #[test]
    fn a_network_session_token_stands_for_an_approval() {
        assert_eq!(authorization(&network_session("a-b")), "a-b");
        assert_eq!(authorization("a-b"), "a-b");
    }

    proptest! {
        #[test]
        fn a_changed_token_is_none(at in 0_usize..200, byte in 33_u8..127) {
            let key = Secret::new("key");
            let subject = session_id("12345678");
            let token = sign(Interoperability, "klarna_test_client_x", &subject, i64::MAX, &key);
            let mut bytes = token.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(changed != token);
            prop_assert_eq!(verify(Interoperability, &changed, &key, 0), None);
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC{0,80}") {
            prop_assert_eq!(verify(Impression, &text, &Secret::new("key"), 0), None);
            let _ = is_session_id(&text);
        }
    }
}
