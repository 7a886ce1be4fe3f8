//! Cookies that the shop can trust because it signed them.
//!
//! The shop keeps no sessions and no database: what it must remember of a visitor travels in
//! signed cookies, and what it must know about money it asks the gateway. So a restart, or a second
//! instance with the same secret, changes nothing for anyone. Values are signed, not encrypted:
//! nothing confidential is put in one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

use crate::Secret;

/// The longest cookie value that is looked at; browsers keep about 4,096 bytes.
const MAX_VALUE_BYTES: usize = 4000;

/// Signs and checks values with the shop's secret.
#[derive(Clone)]
pub struct Signer {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(***)")
    }
}

impl Signer {
    /// A signer with this secret.
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of any length.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn new(secret: &Secret) -> Self {
        Self { mac: Hmac::new_from_slice(secret.expose().as_bytes()).expect("any key length") }
    }

    /// A text that proves that this shop wrote `payload` for this purpose.
    pub fn seal(&self, purpose: &str, payload: &[u8]) -> String {
        let body = URL_SAFE_NO_PAD.encode(payload);
        let tag = URL_SAFE_NO_PAD.encode(self.tag(purpose, payload));
        format!("{body}.{tag}")
    }

    /// What [`Signer::seal`] was given, or nothing if anything was changed.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        if sealed.len() > MAX_VALUE_BYTES {
            return None;
        }
        let (body, tag) = sealed.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(body).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        // Compared in constant time.
        self.mac_over(purpose, &payload).verify_slice(&tag).ok()?;
        Some(payload)
    }

    /// A short text that only this shop can make out of `value`.
    pub fn token(&self, purpose: &str, value: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(purpose, value.as_bytes()))
    }

    /// Whether `token` is [`Signer::token`] of `value`, in constant time.
    pub fn is_token(&self, purpose: &str, value: &str, token: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|tag| self.mac_over(purpose, value.as_bytes()).verify_slice(&tag).is_ok())
    }

    fn tag(&self, purpose: &str, payload: &[u8]) -> [u8; 32] {
        self.mac_over(purpose, payload).finalize().into_bytes().into()
    }

    fn mac_over(&self, purpose: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        // The zero byte ends the purpose, so that no purpose is the beginning of another.
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(payload);
        mac
    }
}

/// The value of a cookie of the request. Read as bytes: another program on the same host may have
/// left a cookie that is not text, and ours must be found beside it.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Who may read a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The server alone.
    Server,
    /// The page's scripts too.
    Scripts,
}

/// How a cookie of the shop is written.
#[derive(Debug, Clone, Copy)]
pub struct Writing {
    /// Whether the shop is reached over TLS, and only then.
    pub secure: bool,
    /// How long it stays, in seconds; zero deletes it.
    pub max_age_s: i64,
    /// Who may read it.
    pub reach: Reach,
}

/// A `Set-Cookie` header.
pub fn write(name: &str, value: &str, how: Writing) -> String {
    let mut text = format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={}", how.max_age_s);
    if how.reach == Reach::Server {
        text.push_str("; HttpOnly");
    }
    if how.secure {
        text.push_str("; Secure");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(&Secret::new("one"))
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let sealed = signer().seal("cart", b"hello");
        assert_eq!(signer().open("cart", &sealed).as_deref(), Some(&b"hello"[..]));
    }

    #[test]
    fn any_change_closes_it() {
        let sealed = signer().seal("cart", b"hello");
        assert_eq!(signer().open("orders", &sealed), None, "another purpose");
        assert_eq!(Signer::new(&Secret::new("two")).open("cart", &sealed), None, "another secret");
        let (body, tag) = sealed.split_once('.').unwrap();
        let forged = URL_SAFE_NO_PAD.encode(b"hellp");
        for bad in [
            format!("{forged}.{tag}"),
            format!("{body}."),
            format!("{body}.{}", &tag[1..]),
            body.to_owned(),
            String::new(),
            ".".to_owned(),
            "é.é".to_owned(),
            "a".repeat(10_000),
        ] {
            assert_eq!(signer().open("cart", &bad), None, "{bad}");
        }
    }

    #[test]
    fn tokens_belong_to_one_value() {
        let token = signer().token("form", "visitor");
        assert!(signer().is_token("form", "visitor", &token));
        assert!(!signer().is_token("form", "other", &token));
        assert!(!signer().is_token("form", "visitor", ""));
    }

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        let odd = http::HeaderValue::from_bytes(b"b=\xff; a=1; tallvik_cart=x.y").unwrap();
        headers.append("cookie", odd);
        headers.append("cookie", "cart=2".parse().unwrap());
        assert_eq!(read(&headers, "tallvik_cart"), Some("x.y"));
        assert_eq!(read(&headers, "cart"), Some("2"));
        assert_eq!(read(&headers, "art"), None);
    }

    #[test]
    fn cookies_say_who_may_read_them() {
        let how = Writing { secure: true, max_age_s: 60, reach: Reach::Server };
        assert_eq!(write("a", "b", how), "a=b; Path=/; SameSite=Lax; Max-Age=60; HttpOnly; Secure");
        let how = Writing { secure: false, max_age_s: 60, reach: Reach::Scripts };
        assert_eq!(write("a", "b", how), "a=b; Path=/; SameSite=Lax; Max-Age=60");
    }
}
