//! Who calls: HTTP Basic credentials, checked against an in-memory directory of merchants.
//!
//! Passwords are kept as salted hashes and compared in constant time. The directory is rebuilt
//! whenever a merchant is added or changed, so that checking a call takes no lock for longer than
//! copying a pointer.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::api::error::ApiError;
use crate::api::limits::{Counters, Uploads};
use crate::domain::merchant::Merchant;

/// A salted hash of a password.
pub(crate) type SecretHash = [u8; 32];

/// A merchant and its counters.
#[derive(Debug)]
pub(crate) struct Account {
    /// The merchant.
    pub(crate) merchant: Arc<Merchant>,
    /// Its calls in the present second.
    pub(crate) counters: Arc<Counters>,
    /// Its uploads that are under way.
    pub(crate) uploads: Uploads,
}

/// The right to call as a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// User name.
    pub(crate) username: String,
    /// Whose it is.
    pub(crate) merchant_id: String,
    /// Hash of the password.
    pub(crate) secret_hash: SecretHash,
}

/// All merchants and their credentials.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    salt: Vec<u8>,
    accounts: HashMap<String, Arc<Account>>,
    by_username: HashMap<String, (SecretHash, Arc<Account>)>,
    /// For calls that send only the key. `None` when several merchants share it.
    by_key: HashMap<SecretHash, Option<Arc<Account>>>,
}

impl Directory {
    /// Builds the directory; a merchant that was in `before` keeps its counters.
    pub(crate) fn new(
        salt: Vec<u8>,
        merchants: Vec<Merchant>,
        credentials: Vec<Credential>,
        before: &Self,
    ) -> Self {
        let accounts: HashMap<String, Arc<Account>> = merchants
            .into_iter()
            .map(|merchant| {
                let id = merchant.merchant_id.to_string();
                let (counters, uploads) = before
                    .accounts
                    .get(&id)
                    .map(|account| (account.counters.clone(), account.uploads.clone()))
                    .unwrap_or_default();
                let account = Account { merchant: Arc::new(merchant), counters, uploads };
                (id, Arc::new(account))
            })
            .collect();
        let mut by_username = HashMap::new();
        let mut by_key: HashMap<SecretHash, Option<Arc<Account>>> = HashMap::new();
        for credential in credentials {
            let Some(account) = accounts.get(&credential.merchant_id) else { continue };
            by_key
                .entry(credential.secret_hash)
                .and_modify(|known| {
                    if known.as_ref().is_some_and(|known| !Arc::ptr_eq(known, account)) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(account.clone()));
            by_username.insert(credential.username, (credential.secret_hash, account.clone()));
        }
        Self { salt, accounts, by_username, by_key }
    }

    /// The salted hash of a password.
    pub(crate) fn hash(salt: &[u8], password: &str) -> SecretHash {
        Sha256::new().chain_update(salt).chain_update([0]).chain_update(password).finalize().into()
    }

    /// A merchant by its id.
    pub(crate) fn merchant(&self, merchant_id: &str) -> Option<Arc<Merchant>> {
        self.accounts.get(merchant_id).map(|account| account.merchant.clone())
    }

    /// All merchants, by id.
    pub(crate) fn merchants(&self) -> Vec<Arc<Merchant>> {
        let mut all: Vec<_> =
            self.accounts.values().map(|account| account.merchant.clone()).collect();
        all.sort_by(|a, b| a.merchant_id.as_str().cmp(b.merchant_id.as_str()));
        all
    }

    /// The user names of a merchant, sorted.
    pub(crate) fn usernames(&self, merchant_id: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .by_username
            .iter()
            .filter(|(_, (_, account))| account.merchant.merchant_id.as_str() == merchant_id)
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// Whose call this is. Klarna's documentation and its clients show four forms after `Basic`:
    /// base64 of `user:password`, of `:key` and of `key:`, and the key (or `user:key`) as it is.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Option<Arc<Account>> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, sent) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let sent = sent.trim();
        let decoded = STANDARD
            .decode(sent)
            .or_else(|_| STANDARD_NO_PAD.decode(sent))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        decoded
            .and_then(|pair| self.check_pair(&pair))
            .or_else(|| self.check_pair(sent))
            .or_else(|| self.check_key(sent))
    }

    fn check_pair(&self, pair: &str) -> Option<Arc<Account>> {
        match pair.split_once(':')? {
            ("", key) | (key, "") => self.check_key(key),
            (username, password) => {
                let hash = Self::hash(&self.salt, password);
                let (expected, account) = self.by_username.get(username)?;
                bool::from(expected.ct_eq(&hash)).then(|| account.clone())
            }
        }
    }

    fn check_key(&self, key: &str) -> Option<Arc<Account>> {
        // The map's key is a salted hash: how long the look-up takes tells nothing of the secret.
        if key.is_empty() {
            return None;
        }
        self.by_key.get(&Self::hash(&self.salt, key))?.clone()
    }
}

/// The directory as it is now; replaced as a whole.
#[derive(Debug, Default)]
pub(crate) struct SharedDirectory(RwLock<Arc<Directory>>);

impl SharedDirectory {
    /// The directory as it is now.
    pub(crate) fn get(&self) -> Arc<Directory> {
        self.0.read().clone()
    }

    /// Puts another one in its place.
    pub(crate) fn replace(&self, directory: Directory) {
        *self.0.write() = Arc::new(directory);
    }
}

/// The authenticated merchant of a Klarna API call; an extractor for handlers.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The merchant.
    pub(crate) merchant: Arc<Merchant>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            ApiError::internal("the route is not under a path that the edge authenticates")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let salt = b"salt".to_vec();
        let credential = |username: &str, merchant_id: &str, password: &str| Credential {
            username: username.into(),
            merchant_id: merchant_id.into(),
            secret_hash: Directory::hash(&salt, password),
        };
        let credentials = vec![
            credential("K1_shop", "K1", "klarna_test_api_one"),
            credential("K2_shop", "K2", "shared"),
            credential("K3_shop", "K3", "shared"),
        ];
        let merchants = ["K1", "K2", "K3"].map(Merchant::new).to_vec();
        Directory::new(salt, merchants, credentials, &Directory::default())
    }

    fn check(authorization: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        let found = directory().authenticate(&headers);
        let found = found.map(|account| account.merchant.merchant_id.to_string());
        assert_eq!(found.as_deref(), expected, "{authorization}");
    }

    #[test]
    fn the_four_forms_are_accepted() {
        let base64 = |text: &str| format!("Basic {}", STANDARD.encode(text));
        check(&base64("K1_shop:klarna_test_api_one"), Some("K1"));
        check(&base64(":klarna_test_api_one"), Some("K1"));
        check(&base64("klarna_test_api_one:"), Some("K1"));
        check("Basic klarna_test_api_one", Some("K1"));
        check("basic K1_shop:klarna_test_api_one", Some("K1"));
        check(&base64("K2_shop:shared"), Some("K2"));
    }

    #[test]
    fn anything_else_is_refused() {
        let base64 = |text: &str| format!("Basic {}", STANDARD.encode(text));
        check(&base64("K1_shop:wrong"), None);
        check(&base64("K2_shop:klarna_test_api_one"), None);
        check(&base64("nobody:klarna_test_api_one"), None);
        check(&base64(":shared"), None);
        check(&base64(":"), None);
        check(&base64(""), None);
        check("Basic", None);
        check("Bearer klarna_test_api_one", None);
    }
}
