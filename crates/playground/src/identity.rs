//! The provider's keys and its secrets: finding keys when they are wanted, signing ID tokens, drawing codes.
//!
//! A key is looked for in the background the first time that anybody asks for one, so that starting costs nothing,
//! and is kept in the database. There is always one that signs and one that is announced already, so that whoever
//! keeps the key set for a while finds the next key in it.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use serde_json::{Map, Value, json};
use service::Clock as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::app::App;
use crate::domain::identity::rsa::{self, RsaKey};
use crate::store::StoreError;
use crate::store::identity::{self as store, StoredKey};

/// Klarna's are 4096 bits long. Half of that is found eight times sooner, which is what a build that is being worked
/// on wants.
const KEY_BITS: usize = if cfg!(debug_assertions) { 2_048 } else { 4_096 };

/// How long a key signs.
const SIGNS_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How long a key is published after it has signed for the last time.
const PUBLISHED_MS: i64 = 24 * 60 * 60 * 1_000;

/// A key that is ready to be used.
#[derive(Debug)]
struct ReadyKey {
    kid: String,
    key: RsaKey,
    pair: KeyPair,
}

/// The keys in force.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The one that signs is the first.
    all: Vec<ReadyKey>,
    /// When another one has to sign.
    until_ms: i64,
}

/// The keys, once somebody has asked for them.
#[derive(Debug, Default)]
pub(crate) struct Keyring(Mutex<Option<Arc<Keys>>>);

impl Keyring {
    /// The keys in force; looks for them where there are none yet.
    pub(crate) async fn keys(&self, app: &App) -> Result<Arc<Keys>, StoreError> {
        let mut kept = self.0.lock().await;
        let now_ms = app.clock().now_ms();
        if let Some(keys) = kept.as_ref().filter(|keys| now_ms < keys.until_ms) {
            return Ok(keys.clone());
        }
        let keys = Arc::new(provide(app, now_ms).await?);
        *kept = Some(keys.clone());
        Ok(keys)
    }

    /// Puts the next key in charge. Names the one that signs from now on.
    pub(crate) async fn rotate(&self, app: &App) -> Result<String, StoreError> {
        self.keys(app).await?;
        let mut kept = self.0.lock().await;
        let now_ms = app.clock().now_ms();
        app.db().write(move |tx| take_over(tx, now_ms)).await?;
        let keys = Arc::new(provide(app, now_ms).await?);
        let kid = keys.all.first().map(|key| key.kid.clone()).unwrap_or_default();
        *kept = Some(keys);
        Ok(kid)
    }
}

/// The key that waits signs from now on, if there is one.
fn take_over(tx: &mut storage::Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    let next = store::keys(tx)?.into_iter().find(|key| key.signs_from_ms.is_none());
    next.map_or(Ok(()), |next| store::put_in_charge(tx, &next.kid, now_ms))
}

/// Reads the keys; makes those that are missing, and has the next one take over when it is time.
async fn provide(app: &App, now_ms: i64) -> Result<Keys, StoreError> {
    loop {
        let stored = app
            .db()
            .write(move |tx| {
                store::forget_keys(tx, now_ms.saturating_sub(PUBLISHED_MS))?;
                let signs =
                    |key: &StoredKey| key.signs_from_ms.is_some() && key.retired_at_ms.is_none();
                let keys = store::keys(tx)?;
                let tired = keys
                    .iter()
                    .find(|key| signs(key))
                    .and_then(|key| key.signs_from_ms)
                    .is_none_or(|from_ms| now_ms.saturating_sub(from_ms) >= SIGNS_MS);
                if tired {
                    take_over(tx, now_ms)?;
                    return store::keys(tx);
                }
                Ok::<_, StoreError>(keys)
            })
            .await?;
        let signing = stored
            .iter()
            .filter(|key| key.retired_at_ms.is_none())
            .filter_map(|key| key.signs_from_ms)
            .max();
        let next = stored.iter().any(|key| key.signs_from_ms.is_none());
        if let (Some(from_ms), true) = (signing, next) {
            let rank = |key: &StoredKey| match (key.signs_from_ms, key.retired_at_ms) {
                (Some(_), None) => 0,
                (None, _) => 1,
                (Some(_), Some(_)) => 2,
            };
            let mut stored = stored;
            stored.sort_by_key(rank);
            let all = stored.into_iter().filter_map(ready).collect();
            return Ok(Keys { all, until_ms: from_ms.saturating_add(SIGNS_MS) });
        }
        // The first key signs at once; any other waits until it is its turn.
        let signs_from_ms = signing.is_none().then_some(now_ms);
        let found = tokio::task::spawn_blocking(|| rsa::generate(KEY_BITS, &mut chance)).await;
        let Ok(key) = found else {
            return Err(StoreError::Seed("no signing key could be made".to_owned()));
        };
        let kid = format!("public:{}", service::random::uuid());
        let key = StoredKey { kid, signs_from_ms, retired_at_ms: None, key };
        app.db().write(move |tx| store::insert_key(tx, &key, now_ms)).await?;
    }
}

fn chance(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(32) {
        let drawn = service::random::bytes::<32>();
        chunk.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
    }
}

/// A key that the signing library takes; it takes every one that was made here.
fn ready(stored: StoredKey) -> Option<ReadyKey> {
    let StoredKey { kid, key, .. } = stored;
    let pair = KeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n: &key.n, e: &key.e },
        d: &key.d,
        p: &key.p,
        q: &key.q,
        dP: &key.dp,
        dQ: &key.dq,
        qInv: &key.q_inverse,
    })
    .inspect_err(|error| tracing::error!(%error, kid, "a signing key cannot be used"))
    .ok()?;
    Some(ReadyKey { kid, key, pair })
}

impl Keys {
    /// The key set, as it is published.
    pub(crate) fn published(&self) -> Value {
        let member = |key: &ReadyKey| {
            json!({
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": key.kid,
                "n": URL_SAFE_NO_PAD.encode(&key.key.n),
                "e": URL_SAFE_NO_PAD.encode(&key.key.e),
            })
        };
        json!({ "keys": self.all.iter().map(member).collect::<Vec<_>>() })
    }

    /// A token with these claims, signed. `None` when there is no key that can sign.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Option<String> {
        let key = self.all.first()?;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.kid });
        let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
        let mut signature = vec![0; key.pair.public().modulus_len()];
        key.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// The claims of a token that was signed here, however old it is.
    pub(crate) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let header = read(header)?;
        if header.get("alg")?.as_str()? != "RS256" {
            return None;
        }
        let kid = header.get("kid")?.as_str()?;
        let key = self.all.iter().find(|key| key.kid == kid)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        PublicKeyComponents { n: &key.key.n, e: &key.key.e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .ok()?;
        match read(claims)? {
            Value::Object(claims) => Some(claims),
            _ => None,
        }
    }
}

/// A fresh secret that begins so, and the digest by which it is kept.
pub(crate) fn fresh(prefix: &str) -> (String, String) {
    let secret = URL_SAFE_NO_PAD.encode(service::random::bytes::<32>());
    let text = format!("{prefix}{secret}");
    let hash = digest(&text);
    (text, hash)
}

/// The digest by which a secret of 256 random bits is kept and found.
pub(crate) fn digest(secret: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What names the account of a contact in this playground, always the same.
pub(crate) fn subject_of(app: &App, contact: &str) -> String {
    let hash = app.hash_secret(&format!("subject of {contact}"));
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
