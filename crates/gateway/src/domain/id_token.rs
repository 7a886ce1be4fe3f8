//! ID tokens, as whoever relies on them has to look at them (OpenID Connect Core 3.1.3.7, RFC 8725, RFC 9700).
//!
//! One algorithm is accepted, RS256, because it was agreed on and not because a token names it; keys come from the
//! provider's key set, never from a token; and whoever signed it, the token has to be made by this issuer, for this
//! client, now, and for this sign-in. What a refusal says never contains anything of the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// By how much clocks may differ.
const LEEWAY_S: i64 = 60;

/// How long ago a token may have been made, whatever it says about its end.
const GREATEST_AGE_S: i64 = 24 * 60 * 60;

/// Longer than any token that is meant well.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no token.
    #[error("it is not three parts of base64url, the first two of them JSON")]
    Malformed,
    /// It names another algorithm, or none.
    #[error("it is not signed with RS256")]
    Algorithm,
    /// It asks for something that is not understood.
    #[error("its header asks for an extension that is not understood")]
    Critical,
    /// No key of the provider has its name.
    #[error("no key of the provider has the name that it gives")]
    UnknownKey,
    /// It was not signed with that key.
    #[error("its signature is not right")]
    Signature,
    /// Somebody else made it.
    #[error("another issuer made it")]
    Issuer,
    /// It was made for somebody else.
    #[error("it was made for another client")]
    Audience,
    /// It was made for another sign-in.
    #[error("it was made for another sign-in")]
    Nonce,
    /// It is over.
    #[error("it is too old")]
    Expired,
    /// It is of the future.
    #[error("it was made in the future")]
    NotYet,
    /// It names no account.
    #[error("it names no account")]
    Subject,
    /// The access token beside it is not the one that it was made with.
    #[error("the access token beside it is another one")]
    AccessToken,
}

/// A key of the provider that signs ID tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Reads a key set. What is no RSA key for signatures is left out: a set may hold others.
pub fn read_keys(set: &Value) -> Vec<Key> {
    #[derive(Deserialize)]
    struct Member {
        kty: String,
        kid: String,
        n: String,
        e: String,
        alg: Option<String>,
        r#use: Option<String>,
    }
    let members = set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let key = |member: &Value| {
        let member = Member::deserialize(member).ok()?;
        let fits = member.kty == "RSA"
            && member.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && member.r#use.as_deref().is_none_or(|usage| usage == "sig");
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        fits.then_some(())?;
        Some(Key { id: member.kid, modulus: number(&member.n)?, exponent: number(&member.e)? })
    };
    members.iter().filter_map(key).collect()
}

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who made it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in; of a token that came without a sign-in of ours, nothing can be said.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// The present.
    pub now_ms: i64,
}

/// What a token that is believed says.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// Names the account, for ever and for every shop.
    pub subject: String,
    /// When the token was made, in seconds.
    pub issued_at_s: i64,
    /// Everything that it says. Personal data: neither kept nor printed.
    pub all: Map<String, Value>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").field("issued_at_s", &self.issued_at_s).finish_non_exhaustive()
    }
}

/// Believes a token, or says why not.
pub fn check(token: &str, keys: &[Key], expected: Expected<'_>) -> Result<Claims, Refused> {
    if token.len() > LONGEST_TOKEN {
        return Err(Refused::Malformed);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(Refused::Malformed) };
    let header = object(header)?;
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(Refused::Algorithm);
    }
    if header.contains_key("crit") {
        return Err(Refused::Critical);
    }
    let kid = header.get("kid").and_then(Value::as_str).ok_or(Refused::UnknownKey)?;
    let key = keys.iter().find(|key| key.id == kid).ok_or(Refused::UnknownKey)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Malformed)?;
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| Refused::Signature)?;
    // Nothing of it was looked at before this.
    believe(object(claims)?, expected)
}

/// The claims of a token whose signature is right.
fn believe(all: Map<String, Value>, expected: Expected<'_>) -> Result<Claims, Refused> {
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    let seconds = |name: &str| all.get(name).and_then(Value::as_i64);
    if text("iss") != Some(expected.issuer) {
        return Err(Refused::Issuer);
    }
    let audience: Vec<&str> = match all.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is_for_others_too = audience.iter().any(|other| *other != expected.client_id);
    let party = all.get("azp").map(|party| party.as_str().unwrap_or_default());
    if !audience.contains(&expected.client_id)
        || party.is_some_and(|party| party != expected.client_id)
        || (is_for_others_too && party.is_none())
    {
        return Err(Refused::Audience);
    }
    let now_s = expected.now_ms.div_euclid(1_000);
    if seconds("exp").is_none_or(|end| end.saturating_add(LEEWAY_S) <= now_s) {
        return Err(Refused::Expired);
    }
    let issued_at_s = seconds("iat").ok_or(Refused::Expired)?;
    let begins = seconds("nbf").unwrap_or(issued_at_s).max(issued_at_s);
    if begins > now_s.saturating_add(LEEWAY_S) {
        return Err(Refused::NotYet);
    }
    if now_s.saturating_sub(issued_at_s) > GREATEST_AGE_S {
        return Err(Refused::Expired);
    }
    if expected.nonce.is_some() && text("nonce") != expected.nonce {
        return Err(Refused::Nonce);
    }
    if let (Some(token), Some(hash)) = (expected.access_token, all.get("at_hash"))
        && hash.as_str() != Some(&half_hash(token))
    {
        return Err(Refused::AccessToken);
    }
    let subject = text("sub").filter(|subject| (1..=255).contains(&subject.len()));
    let subject = subject.ok_or(Refused::Subject)?.to_owned();
    Ok(Claims { subject, issued_at_s, all })
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refused::Malformed),
    }
}

/// The left half of a token's digest.
fn half_hash(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

/// The S256 challenge of a verifier (RFC 7636).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_790_000_000;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://login.example",
            client_id: "klarna_test_client_one",
            nonce: Some("n1"),
            access_token: Some("ory_at_1"),
            now_ms: NOW_S * 1_000,
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example", "aud": "klarna_test_client_one", "sub": "krn:kuid:1",
            "iat": NOW_S, "exp": NOW_S + 300, "nonce": "n1", "at_hash": half_hash("ory_at_1"),
        })
    }

    /// What becomes of good claims after a change; `null` takes one away.
    fn after(name: &str, value: Value) -> Result<(), Refused> {
        let Value::Object(mut all) = claims() else { unreachable!() };
        if value.is_null() {
            all.remove(name)
        } else {
            all.insert(name.to_owned(), value)
        };
        believe(all, expected()).map(|_| ())
    }

    #[test]
    fn every_claim_has_to_be_right() {
        assert_eq!(after("email", json!("a@b.example")), Ok(()));
        for (name, value, refused) in [
            ("iss", json!("https://login.example/"), Refused::Issuer),
            ("iss", json!("https://login.example.evil.example"), Refused::Issuer),
            ("iss", json!(null), Refused::Issuer),
            ("aud", json!("klarna_test_client_two"), Refused::Audience),
            ("aud", json!([]), Refused::Audience),
            ("aud", json!(["klarna_test_client_two"]), Refused::Audience),
            ("aud", json!(["klarna_test_client_one", "klarna_test_client_two"]), Refused::Audience),
            ("aud", json!(null), Refused::Audience),
            ("azp", json!("klarna_test_client_two"), Refused::Audience),
            ("azp", json!(7), Refused::Audience),
            ("exp", json!(NOW_S - 60), Refused::Expired),
            ("exp", json!(null), Refused::Expired),
            ("exp", json!("later"), Refused::Expired),
            ("iat", json!(NOW_S - 86_401), Refused::Expired),
            ("iat", json!(null), Refused::Expired),
            ("iat", json!(NOW_S + 61), Refused::NotYet),
            ("nbf", json!(NOW_S + 61), Refused::NotYet),
            ("nonce", json!("n2"), Refused::Nonce),
            ("nonce", json!(null), Refused::Nonce),
            ("at_hash", json!("x"), Refused::AccessToken),
            ("at_hash", json!(7), Refused::AccessToken),
            ("sub", json!(""), Refused::Subject),
            ("sub", json!(null), Refused::Subject),
        ] {
            assert_eq!(after(name, value.clone()), Err(refused), "{name} {value}");
        }
        for (name, value) in [
            ("aud", json!(["klarna_test_client_one"])),
            ("azp", json!("klarna_test_client_one")),
            ("exp", json!(NOW_S - 59)),
            ("iat", json!(NOW_S + 60)),
            ("at_hash", json!(null)),
        ] {
            assert_eq!(after(name, value.clone()), Ok(()), "{name} {value}");
        }
    }

    fn with_header(header: &Value) -> Result<Claims, Refused> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.{}", part(header), part(&claims()), URL_SAFE_NO_PAD.encode("x"));
        let keys = read_keys(&json!({ "keys": [
            { "kty": "RSA", "kid": "one", "n": URL_SAFE_NO_PAD.encode([0xFF; 256]), "e": "AQAB" },
            { "kty": "oct", "kid": "secret", "k": "AAAA" },
        ] }));
        check(&token, &keys, expected())
    }

    #[test]
    fn only_the_agreed_algorithm_and_the_providers_keys_count() {
        for (header, refused) in [
            (json!({ "alg": "none", "kid": "one" }), Refused::Algorithm),
            (json!({ "alg": "None", "kid": "one" }), Refused::Algorithm),
            // The public key as the secret of a MAC.
            (json!({ "alg": "HS256", "kid": "one" }), Refused::Algorithm),
            (json!({ "alg": "RS512", "kid": "one" }), Refused::Algorithm),
            (json!({ "kid": "one" }), Refused::Algorithm),
            (json!({ "alg": "RS256", "kid": "one", "crit": ["b64"] }), Refused::Critical),
            (json!({ "alg": "RS256", "kid": "two" }), Refused::UnknownKey),
            (json!({ "alg": "RS256", "kid": "secret" }), Refused::UnknownKey),
            (json!({ "alg": "RS256" }), Refused::UnknownKey),
            // Keys that a token brings along.
            (json!({ "alg": "RS256", "jwk": { "kty": "RSA" } }), Refused::UnknownKey),
            (json!({ "alg": "RS256", "jku": "https://evil.example" }), Refused::UnknownKey),
            (json!({ "alg": "RS256", "kid": "one" }), Refused::Signature),
            (json!([]), Refused::Malformed),
        ] {
            assert_eq!(with_header(&header).unwrap_err(), refused, "{header}");
        }
    }

    #[test]
    fn what_is_believed_does_not_print() {
        let Value::Object(all) = claims() else { unreachable!() };
        let printed = format!("{:?}", believe(all, expected()).unwrap());
        assert!(!printed.contains("krn"), "{printed}");
    }

    proptest! {
        #[test]
        fn no_text_is_believed(token in "\\PC{0,200}") {
            prop_assert!(check(&token, &[], expected()).is_err());
        }

        #[test]
        fn no_key_set_breaks_anything(text in "\\PC{0,100}") {
            let set = json!({ "keys": [{ "kty": "RSA", "kid": text, "n": text, "e": text }, text] });
            prop_assert!(read_keys(&set).len() <= 1);
        }
    }
}
