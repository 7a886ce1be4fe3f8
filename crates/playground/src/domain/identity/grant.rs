//! What a shopper has granted a client, and the codes and tokens that stand for it.
//!
//! A code is redeemed once, a refresh token is used once. Whoever shows either a second time has it from somewhere
//! else than from us, or somebody else had: everything that came of the grant ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::identity::account::Account;
use crate::domain::identity::scope::{Scopes, Share};

/// How long a code can be redeemed.
pub(crate) const CODE_MS: i64 = 60 * 1_000;
/// How long an access token is good for.
pub(crate) const ACCESS_MS: i64 = 300 * 1_000;
/// The same in seconds, as it is said: less what passes on the way.
pub(crate) const EXPIRES_IN_S: i64 = 299;
/// How long an ID token may be believed.
pub(crate) const ID_TOKEN_S: i64 = 300;
/// How long a refresh token waits to be used.
pub(crate) const REFRESH_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// What a shopper has granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "an id says of what it is")]
pub(crate) struct Grant {
    /// Its id.
    pub(crate) grant_id: String,
    /// To which client.
    pub(crate) client_id: String,
    /// Who.
    pub(crate) account: Account,
    /// What.
    pub(crate) scopes: Scopes,
    /// Which optional pieces they keep.
    pub(crate) kept: Vec<Share>,
    /// When they signed in.
    pub(crate) signed_in_ms: i64,
    /// Of the request.
    pub(crate) nonce: Option<String>,
    /// Of the session that they signed in with.
    pub(crate) session_id: String,
}

impl Grant {
    /// The pieces that are shared.
    pub(crate) fn shares(&self) -> Vec<Share> {
        let mut shares = self.scopes.shares();
        shares.retain(|share| !self.kept.contains(share));
        shares
    }
}

/// A code that was given out, with what it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the standard's name")]
pub(crate) struct Code {
    /// The grant that it stands for.
    pub(crate) grant_id: String,
    /// To whom it was given.
    pub(crate) client_id: String,
    /// Where it was sent.
    pub(crate) redirect_uri: String,
    /// What redeems it.
    pub(crate) code_challenge: Option<String>,
    /// Until when.
    pub(crate) expires_at_ms: i64,
    /// Whether it was redeemed.
    pub(crate) used: bool,
}

/// What a client shows with a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redemption<'a> {
    /// Who shows it.
    pub(crate) client_id: &'a str,
    /// Where it was received.
    pub(crate) redirect_uri: Option<&'a str>,
    /// What the challenge is the digest of.
    pub(crate) code_verifier: Option<&'a str>,
}

/// Why a code or a refresh token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It was used before: whatever came of it ends.
    Replayed,
    /// It is not good, or not for this client.
    Invalid(&'static str),
}

impl Code {
    /// Whether it may be redeemed.
    pub(crate) fn redeem(&self, shown: Redemption<'_>, now_ms: i64) -> Result<(), Rejection> {
        // A stranger's attempt ends nobody's grant.
        if shown.client_id != self.client_id {
            return Err(Rejection::Invalid("the code was given to another client"));
        }
        if self.used {
            return Err(Rejection::Replayed);
        }
        if now_ms >= self.expires_at_ms {
            return Err(Rejection::Invalid("the code is too old"));
        }
        if shown.redirect_uri != Some(self.redirect_uri.as_str()) {
            return Err(Rejection::Invalid(
                "redirect_uri is not the one that the code was sent to",
            ));
        }
        match (&self.code_challenge, shown.code_verifier) {
            (None, None) => Ok(()),
            (Some(challenge), Some(verifier)) if is_verified(challenge, verifier) => Ok(()),
            (Some(_), Some(_)) => Err(Rejection::Invalid("code_verifier does not fit")),
            (Some(_), None) => Err(Rejection::Invalid("code_verifier is missing")),
            // Somebody took the challenge out of the request.
            (None, Some(_)) => Err(Rejection::Invalid("the request had no code_challenge")),
        }
    }
}

/// Whether a verifier has the form of one, and the challenge is its digest.
fn is_verified(challenge: &str, verifier: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(is_unreserved)
        && bool::from(challenge_of(verifier).as_bytes().ct_eq(challenge.as_bytes()))
}

/// The S256 challenge of a verifier.
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// The left half of a token's digest, by which an ID token names the access token beside it.
pub(crate) fn half_hash(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Asks for claims, and makes a payment session the shopper's.
    Access,
    /// Becomes new tokens.
    Refresh,
}

impl TokenKind {
    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// The beginning of such a token.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Access => "ory_at_",
            Self::Refresh => "ory_rt_",
        }
    }
}

/// A token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is for.
    pub(crate) kind: TokenKind,
    /// The grant that it stands for.
    pub(crate) grant_id: String,
    /// What of the grant it carries.
    pub(crate) scopes: Scopes,
    /// Until when.
    pub(crate) expires_at_ms: i64,
    /// Whether it was used; refresh tokens only.
    pub(crate) used: bool,
}

impl Token {
    /// Whether new tokens may be had for it, and with which scopes: those asked for, or its own.
    pub(crate) fn refresh(
        &self,
        grant: &Grant,
        client_id: &str,
        asked: Option<&Scopes>,
        now_ms: i64,
    ) -> Result<Scopes, Rejection> {
        if grant.client_id != client_id {
            return Err(Rejection::Invalid("the refresh token was given to another client"));
        }
        if self.kind != TokenKind::Refresh {
            return Err(Rejection::Invalid("this is no refresh token"));
        }
        if self.used {
            return Err(Rejection::Replayed);
        }
        if now_ms >= self.expires_at_ms {
            return Err(Rejection::Invalid("the refresh token is too old"));
        }
        match asked {
            None => Ok(self.scopes.clone()),
            Some(asked) if asked.is_within(&self.scopes) => Ok(asked.clone()),
            Some(_) => Err(Rejection::Invalid("the scope is wider than what was granted")),
        }
    }

    /// Whether it opens anything at this instant.
    pub(crate) fn is_good(&self, kind: TokenKind, now_ms: i64) -> bool {
        self.kind == kind && !self.used && now_ms < self.expires_at_ms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn code() -> Code {
        Code {
            grant_id: "g".to_owned(),
            client_id: "one".to_owned(),
            redirect_uri: "https://shop.example/".to_owned(),
            // Both from RFC 7636, appendix B.
            code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
            expires_at_ms: CODE_MS,
            used: false,
        }
    }

    const GOOD: Redemption<'_> = Redemption {
        client_id: "one",
        redirect_uri: Some("https://shop.example/"),
        code_verifier: Some(VERIFIER),
    };

    #[test]
    fn a_code_is_good_for_whoever_asked_for_it_and_for_a_minute() {
        assert_eq!(code().redeem(GOOD, CODE_MS - 1), Ok(()));
        for (shown, now_ms) in [
            (Redemption { client_id: "other", ..GOOD }, 0),
            (Redemption { redirect_uri: None, ..GOOD }, 0),
            (Redemption { redirect_uri: Some("https://shop.example"), ..GOOD }, 0),
            (Redemption { code_verifier: None, ..GOOD }, 0),
            (Redemption { code_verifier: Some(&VERIFIER[1..]), ..GOOD }, 0),
            (GOOD, CODE_MS),
        ] {
            assert!(
                matches!(code().redeem(shown, now_ms), Err(Rejection::Invalid(_))),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn a_challenge_that_was_taken_away_is_noticed() {
        let bare = Code { code_challenge: None, ..code() };
        assert!(matches!(bare.redeem(GOOD, 0), Err(Rejection::Invalid(_))));
        assert_eq!(bare.redeem(Redemption { code_verifier: None, ..GOOD }, 0), Ok(()));
    }

    #[test]
    fn only_its_own_client_can_end_a_grant_by_showing_a_code_again() {
        let used = Code { used: true, ..code() };
        assert_eq!(used.redeem(GOOD, 0), Err(Rejection::Replayed));
        let stranger = Redemption { client_id: "other", ..GOOD };
        assert!(matches!(used.redeem(stranger, 0), Err(Rejection::Invalid(_))));
    }

    proptest! {
        #[test]
        fn no_other_verifier_redeems_a_code(verifier in "[A-Za-z0-9._~-]{43,128}") {
            prop_assume!(verifier != VERIFIER);
            let shown = Redemption { code_verifier: Some(&verifier), ..GOOD };
            prop_assert!(code().redeem(shown, 0).is_err());
            let own = Code { code_challenge: Some(challenge_of(&verifier)), ..code() };
            prop_assert_eq!(own.redeem(shown, 0), Ok(()));
        }
    }
}
