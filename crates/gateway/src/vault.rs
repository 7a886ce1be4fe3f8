//! Secrets at rest: what the gateway must be able to read again (Klarna's credentials, keys that
//! sign webhooks) is sealed before it is stored.
//!
//! A sealed value is `v1.KEY.TEXT`: which master key sealed it, then nonce and ciphertext. It is
//! bound to its place, the table, column and row that it stands in, so that whoever can write to the
//! database cannot move one secret to where another belongs. The first of the master keys seals, any
//! of them opens: that is how keys are rotated (see [`reseal`]).
//!
//! What only has to be compared is kept as a digest and has no business here. This module does not
//! know where master keys come from, nor what the secrets are for.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use klarna_types::Secret;
use sha2::{Digest as _, Sha256};
use storage::{Database, Tx};
use zeroize::Zeroizing;

use crate::fault::Fault;

/// The form of sealed values that this version writes.
const VERSION: &str = "v1";
/// What a master key begins with as text, so that it is known for what it is wherever it turns up.
const PREFIX: &str = "kassa_mk_";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// A key that seals: 256 bits. Its id follows from it and tells nothing about it.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// A text that is no master key. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 64 hexadecimal digits, with or without `kassa_mk_` in front; make one with \
     `openssl rand -hex 32`. Several are separated by commas; the first one seals"
)]
pub struct NotAKey;

impl MasterKey {
    /// A fresh one.
    pub fn generate() -> Self {
        Self::new(service::random::bytes())
    }

    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"kassa master key id");
        hash.update(bytes);
        let digest = hash.finalize();
        Self { id: hex(digest.get(..4).unwrap_or_default()), bytes: Zeroizing::new(bytes) }
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let digits = text.trim();
        let digits = digits.strip_prefix(PREFIX).unwrap_or(digits).as_bytes();
        if digits.len() != 2 * KEY_BYTES {
            return Err(NotAKey);
        }
        let mut bytes = [0_u8; KEY_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(NotAKey) };
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        Ok(Self::new(bytes))
    }

    /// Reads several: separated by commas or line ends; what follows a `#` is a comment.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, NotAKey> {
        let keys: Vec<Self> = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(NotAKey) } else { Ok(keys) }
    }

    /// Its id, as it stands in what it sealed.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as text, to be kept where only the gateway can read it.
    pub fn to_text(&self) -> Secret {
        let digits = Zeroizing::new(hex(self.bytes.as_slice()));
        Secret::from(format!("{PREFIX}{}", *digits))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hex_digit(digit: u8) -> Result<u8, NotAKey> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(NotAKey),
    }
}

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row, by its key.
    pub row: &'a str,
}

impl Place<'_> {
    /// What the ciphertext is bound to. Tables and columns hold no slash, so no two places read the
    /// same.
    fn bound_to(&self, key_id: &str) -> String {
        format!("kassa/{VERSION}/{key_id}/{}/{}/{}", self.table, self.column, self.row)
    }
}

/// Why a secret cannot be sealed or opened. Nothing of it is in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed under a key that is not at hand.
    #[error(
        "a stored secret ({table}.{column}) is sealed under the master key {key_id}, and this gateway \
         has {known} only: give it that key too (KASSA_MASTER_KEY and the key file take several, the \
         first one seals), or enter the secret again"
    )]
    UnknownKey {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key it needs.
        key_id: String,
        /// The keys at hand.
        known: String,
    },
    /// It is not what was sealed for this place.
    #[error(
        "a stored secret ({table}.{column}) is damaged, or was moved here from another row: enter it \
         again"
    )]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    newest: (String, Aes256Gcm),
    older: Vec<(String, Aes256Gcm)>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.key_ids())
    }
}

impl Vault {
    /// Over one key that seals, and older ones that still open.
    pub fn new(newest: &MasterKey, older: &[MasterKey]) -> Self {
        let cipher = |key: &MasterKey| (key.id.clone(), Aes256Gcm::new(&(*key.bytes).into()));
        Self(Arc::new(Keys { newest: cipher(newest), older: older.iter().map(cipher).collect() }))
    }

    /// Over several keys, of which the first one seals; `None` over none.
    pub fn of(keys: &[MasterKey]) -> Option<Self> {
        keys.split_first().map(|(newest, older)| Self::new(newest, older))
    }

    /// Over a key that nobody else has and that is forgotten with it: for what lives in memory.
    pub fn ephemeral() -> Self {
        Self::new(&MasterKey::generate(), &[])
    }

    /// The ids of its keys, the one that seals first.
    pub fn key_ids(&self) -> String {
        let older = self.0.older.iter().map(|(id, _)| id.as_str());
        let ids: Vec<&str> = std::iter::once(self.0.newest.0.as_str()).chain(older).collect();
        ids.join(", ")
    }

    /// Seals a secret for a place.
    pub fn seal(&self, place: Place<'_>, secret: &Secret) -> Result<String, VaultError> {
        let (id, cipher) = &self.0.newest;
        let nonce: [u8; NONCE_BYTES] = service::random::bytes();
        let bound_to = place.bound_to(id);
        let payload = Payload { msg: secret.expose().as_bytes(), aad: bound_to.as_bytes() };
        let sealed = cipher.encrypt(&nonce.into(), payload).map_err(|_| damaged(place))?;
        let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), sealed.as_slice()].concat());
        Ok(format!("{VERSION}.{id}.{text}"))
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Secret, VaultError> {
        let (id, text) = parts(sealed).ok_or_else(|| damaged(place))?;
        let cipher = std::iter::once(&self.0.newest)
            .chain(&self.0.older)
            .find(|(known, _)| known == id)
            .map(|(_, cipher)| cipher)
            .ok_or_else(|| VaultError::UnknownKey {
                table: place.table,
                column: place.column,
                key_id: id.to_owned(),
                known: self.key_ids(),
            })?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged(place))?;
        let (nonce, ciphertext) =
            bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| damaged(place))?;
        let bound_to = place.bound_to(id);
        let payload = Payload { msg: ciphertext, aad: bound_to.as_bytes() };
        let secret = cipher.decrypt(&(*nonce).into(), payload).map_err(|_| damaged(place))?;
        String::from_utf8(secret).map(Secret::from).map_err(|_| damaged(place))
    }

    /// The same secret under the newest key; `None` if it is under that one already.
    pub fn renewed(&self, place: Place<'_>, sealed: &str) -> Result<Option<String>, VaultError> {
        match parts(sealed) {
            Some((id, _)) if id == self.0.newest.0 => Ok(None),
            _ => self.seal(place, &self.open(place, sealed)?).map(Some),
        }
    }
}

fn damaged(place: Place<'_>) -> VaultError {
    VaultError::Damaged { table: place.table, column: place.column }
}

/// The key's id and the text of a sealed value.
fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

/// A column that holds sealed values, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column by which a row is known: what [`Place::row`] names.
    pub key: &'static str,
    /// The column with the sealed value.
    pub column: &'static str,
}

/// Every column that holds sealed values; the secrets of webhook endpoints stand inside documents, and
/// [`webhooks::reseal`](crate::store::webhooks::reseal) knows them. Whoever adds one adds it here, or it is left behind when
/// keys are rotated.
pub const SEALED: &[Column] = &[
    crate::store::accounts::PASSWORDS,
    crate::access::seeds::SEED,
    crate::access::seeds::PENDING,
    crate::store::identities::VERIFIERS,
    crate::store::identities::REFRESH,
    crate::store::identities::ACCESS,
];

/// What [`reseal`] came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many secrets there are.
    pub found: u64,
    /// How many of them were under an older key.
    pub renewed: u64,
}

const BATCH: i64 = 100;

/// Brings every stored secret under the newest key. May run beside gateways that know that key, and
/// again at will.
pub async fn reseal(database: &Database, vault: &Vault) -> Result<Resealed, Fault> {
    let mut resealed = Resealed::default();
    for column in SEALED {
        let mut after = String::new();
        loop {
            let (vault, from) = (vault.clone(), after.clone());
            let (found, renewed, last) =
                database.write(move |tx| reseal_batch(tx, &vault, *column, &from)).await?;
            resealed.found += found;
            resealed.renewed += renewed;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    let mut after = String::new();
    loop {
        let (vault, from) = (vault.clone(), after.clone());
        let (found, renewed, last) = database
            .write(move |tx| crate::store::webhooks::reseal(tx, &vault, &from, BATCH))
            .await?;
        resealed.found += found;
        resealed.renewed += renewed;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(resealed)
}

/// Answers how many there were, how many were renewed, and where the next batch begins.
fn reseal_batch(
    tx: &mut Tx<'_>,
    vault: &Vault,
    of: Column,
    after: &str,
) -> Result<(u64, u64, Option<String>), Fault> {
    let Column { table, key, column } = of;
    let select = format!(
        "SELECT {key}, {column} FROM {table} WHERE {key} > $1 AND {column} IS NOT NULL
         ORDER BY {key} LIMIT $2"
    );
    let rows = tx.query_dynamic(&select, &[&after, &BATCH])?;
    let update = format!("UPDATE {table} SET {column} = $2 WHERE {key} = $1 AND {column} = $3");
    let (mut found, mut renewed, mut last) = (0, 0, None);
    for row in &rows {
        let (id, sealed): (String, String) = (row.get(0)?, row.get(1)?);
        let place = Place { table, column, row: &id };
        found += 1;
        if let Some(fresh) = vault.renewed(place, &sealed)? {
            renewed += tx.execute_dynamic(&update, &[&id, &fresh, &sealed])?;
        }
        last = Some(id);
    }
    Ok((found, renewed, last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> = Place { table: "accounts", column: "password", row: "acc_1" };

    fn key(number: u8) -> MasterKey {
        MasterKey::new([number; KEY_BYTES])
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened_in_its_place_and_in_no_other(secret in ".{0,200}", row in "[a-z0-9_/]{1,40}") {
            let vault = Vault::new(&key(1), &[]);
            let place = Place { row: &row, ..PLACE };
            let sealed = vault.seal(place, &Secret::new(secret.as_str())).unwrap();
            let opened = vault.open(place, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), secret.as_str());
            let longer = format!("{row}x");
            for other in [
                Place { row: &longer, ..place },
                Place { table: "webhooks", ..place },
                Place { column: "username", ..place },
            ] {
                prop_assert_eq!(vault.open(other, &sealed).err(), Some(damaged(other)));
            }
        }

        #[test]
        fn a_change_of_any_character_is_found(secret in "[ -~]{1,60}", at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let vault = Vault::new(&key(1), &[]);
            let sealed = vault.seal(PLACE, &Secret::new(secret.as_str())).unwrap();
            let at = at.index(sealed.len());
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &to);
            if let Ok(opened) = vault.open(PLACE, &changed) {
                // The same character again; nothing else opens.
                prop_assert_eq!(&changed, &sealed);
                prop_assert_eq!(opened.expose(), secret.as_str());
            }
        }

        #[test]
        fn whatever_text_is_no_reason_to_fall_over(text in ".{0,120}") {
            prop_assert!(Vault::new(&key(1), &[]).open(PLACE, &text).is_err());
            let _ = MasterKey::parse_all(&text);
        }

        #[test]
        fn a_key_reads_as_it_was_written(bytes in any::<[u8; KEY_BYTES]>()) {
            let key = MasterKey::new(bytes);
            let text = key.to_text();
            prop_assert_eq!(MasterKey::parse(text.expose()).unwrap().bytes, key.bytes.clone());
            let plain = text.expose().trim_start_matches(PREFIX).to_uppercase();
            let again = MasterKey::parse(&plain).unwrap();
            prop_assert_eq!(again.id(), key.id());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let vault = Vault::ephemeral();
        let secret = Secret::new("hunter2");
        assert_ne!(vault.seal(PLACE, &secret).unwrap(), vault.seal(PLACE, &secret).unwrap());
    }

    #[test]
    fn keys_are_rotated_by_putting_a_new_one_in_front() {
        let (old, new) = (key(1), key(2));
        let secret = Secret::new("hunter2");
        let sealed = Vault::new(&old, &[]).seal(PLACE, &secret).unwrap();
        let both = Vault::new(&new, std::slice::from_ref(&old));
        assert_eq!(both.open(PLACE, &sealed).unwrap().expose(), "hunter2");
        let renewed = both.renewed(PLACE, &sealed).unwrap().expect("it was under the old key");
        assert_eq!(both.renewed(PLACE, &renewed).unwrap(), None);
        let alone = Vault::new(&new, &[]);
        assert_eq!(alone.open(PLACE, &renewed).unwrap().expose(), "hunter2");
        let error = alone.open(PLACE, &sealed).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, VaultError::UnknownKey { .. }), "{said}");
        for told in [old.id(), new.id(), "KASSA_MASTER_KEY", "accounts.password"] {
            assert!(said.contains(told), "{told} in {said}");
        }
    }

    #[test]
    fn several_keys_are_read_in_their_order_and_what_is_none_is_refused() {
        let (one, two) = (key(1), key(2));
        let text = format!(
            "# the new one\n{}, # and the old one\n\n{}\n",
            one.to_text().expose(),
            two.to_text().expose()
        );
        let keys = MasterKey::parse_all(&text).unwrap();
        assert_eq!(keys.iter().map(MasterKey::id).collect::<Vec<_>>(), [one.id(), two.id()]);
        let short = "ab".repeat(31);
        let long = "ab".repeat(33);
        let odd = "zz".repeat(32);
        for bad in ["", "# nothing", "hunter2", &short, &long, &odd] {
            let error = MasterKey::parse_all(bad).unwrap_err();
            assert!(error.to_string().contains("openssl rand -hex 32"));
        }
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let key = MasterKey::generate();
        let shown = format!("{key:?} {:?} {:?}", Vault::new(&key, &[]), key.to_text());
        let text = key.to_text();
        let digits = text.expose().trim_start_matches(PREFIX);
        assert!(shown.contains(key.id()) && !shown.contains(digits), "{shown}");
    }
}
