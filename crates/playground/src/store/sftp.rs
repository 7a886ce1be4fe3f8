//! SFTP accounts: who may sign in and how, whose reports go to which directory, and which reports were
//! sent once more.

use klarna_types::MerchantId;
use storage::{Migration, Tx};

use crate::api::auth::SecretHash;

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 95,
    name: "sftp",
    sql: "CREATE TABLE sftp_accounts (
            username TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            secret_hash BYTEA NOT NULL,
            created_at_ms BIGINT NOT NULL
          );
          CREATE TABLE sftp_keys (
            username TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            public_key TEXT NOT NULL,
            PRIMARY KEY (username, fingerprint)
          );
          CREATE TABLE sftp_folders (
            username TEXT NOT NULL,
            merchant_id TEXT NOT NULL,
            directory TEXT NOT NULL,
            since_ms BIGINT NOT NULL,
            PRIMARY KEY (username, merchant_id)
          );
          CREATE TABLE sftp_deliveries (
            merchant_id TEXT NOT NULL,
            payment_reference TEXT NOT NULL,
            number BIGINT NOT NULL,
            sent_at_ms BIGINT NOT NULL,
            PRIMARY KEY (merchant_id, payment_reference, number)
          )",
};

/// An account to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// User name.
    pub(crate) username: String,
    /// The merchant that it was made for.
    pub(crate) merchant_id: String,
    /// Hash of the password.
    pub(crate) secret_hash: SecretHash,
    /// Public keys that open it too, in OpenSSH's form.
    pub(crate) public_keys: Vec<PublicKey>,
    /// Whose reports are in it, and where.
    pub(crate) folders: Vec<Folder>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// Its fingerprint.
    pub(crate) fingerprint: String,
    /// The key, in OpenSSH's form.
    pub(crate) text: String,
}

/// Where a merchant's reports are put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The merchant.
    pub(crate) merchant_id: MerchantId,
    /// The directory; empty for the account's root.
    pub(crate) directory: String,
    /// Reports made before this are not sent, in milliseconds.
    pub(crate) since_ms: i64,
}

/// A report that was sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resent {
    /// Of which payout.
    pub(crate) payment_reference: String,
    /// For how many times, the first one being 0.
    pub(crate) number: i64,
    /// When, in milliseconds.
    pub(crate) sent_at_ms: i64,
}

/// Adds an account, or gives one of the same merchant a new password. `false` when the user name belongs
/// to another merchant.
pub(crate) fn put(tx: &mut Tx<'_>, account: &Account, now_ms: i64) -> Result<bool, storage::Error> {
    let written = tx.execute(
        "INSERT INTO sftp_accounts (username, merchant_id, secret_hash, created_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (username) DO UPDATE SET secret_hash = excluded.secret_hash
         WHERE sftp_accounts.merchant_id = excluded.merchant_id",
        &[&account.username, &account.merchant_id, &account.secret_hash, &now_ms],
    )?;
    if written != 1 {
        return Ok(false);
    }
    for key in &account.public_keys {
        tx.execute(
            "INSERT INTO sftp_keys (username, fingerprint, public_key) VALUES ($1, $2, $3)
             ON CONFLICT (username, fingerprint) DO NOTHING",
            &[&account.username, &key.fingerprint, &key.text],
        )?;
    }
    for folder in &account.folders {
        tx.execute(
            "INSERT INTO sftp_folders (username, merchant_id, directory, since_ms)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (username, merchant_id) DO UPDATE SET directory = excluded.directory",
            &[&account.username, &folder.merchant_id.as_str(), &folder.directory, &folder.since_ms],
        )?;
    }
    Ok(true)
}

/// An account by its user name.
pub(crate) fn find(tx: &mut Tx<'_>, username: &str) -> Result<Option<Account>, storage::Error> {
    let row = tx.query_opt(
        "SELECT merchant_id, secret_hash FROM sftp_accounts WHERE username = $1",
        &[&username],
    )?;
    let Some(row) = row else { return Ok(None) };
    let hash: Vec<u8> = row.get(1)?;
    // A hash of another length was not written by this program; nothing can match it.
    let Ok(secret_hash) = hash.try_into() else { return Ok(None) };
    let public_keys = tx
        .query(
            "SELECT fingerprint, public_key FROM sftp_keys WHERE username = $1
             ORDER BY fingerprint",
            &[&username],
        )?
        .iter()
        .map(|row| Ok(PublicKey { fingerprint: row.get(0)?, text: row.get(1)? }))
        .collect::<Result<_, storage::Error>>()?;
    let folders = tx
        .query(
            "SELECT merchant_id, directory, since_ms FROM sftp_folders WHERE username = $1
             ORDER BY merchant_id",
            &[&username],
        )?
        .iter()
        .map(|row| {
            Ok(Folder {
                merchant_id: MerchantId::new(row.get::<String>(0)?),
                directory: row.get(1)?,
                since_ms: row.get(2)?,
            })
        })
        .collect::<Result<_, storage::Error>>()?;
    Ok(Some(Account {
        username: username.to_owned(),
        merchant_id: row.get(0)?,
        secret_hash,
        public_keys,
        folders,
    }))
}

/// The user names of all accounts, with the merchants that they were made for.
pub(crate) fn names(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, storage::Error> {
    tx.query("SELECT username, merchant_id FROM sftp_accounts ORDER BY username", &[])?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// Takes an account away. `false` when there was none.
pub(crate) fn remove(tx: &mut Tx<'_>, username: &str) -> Result<bool, storage::Error> {
    tx.execute("DELETE FROM sftp_keys WHERE username = $1", &[&username])?;
    tx.execute("DELETE FROM sftp_folders WHERE username = $1", &[&username])?;
    Ok(tx.execute("DELETE FROM sftp_accounts WHERE username = $1", &[&username])? > 0)
}

/// Sends a report once more; returns for how many times, the first one being 0.
pub(crate) fn send_again(
    tx: &mut Tx<'_>,
    merchant_id: &str,
    payment_reference: &str,
    now_ms: i64,
) -> Result<i64, storage::Error> {
    let last: i64 = tx
        .query_one(
            "SELECT COALESCE(MAX(number), 0) FROM sftp_deliveries
             WHERE merchant_id = $1 AND payment_reference = $2",
            &[&merchant_id, &payment_reference],
        )?
        .get(0)?;
    let number = last.saturating_add(1);
    tx.execute(
        "INSERT INTO sftp_deliveries (merchant_id, payment_reference, number, sent_at_ms)
         VALUES ($1, $2, $3, $4)",
        &[&merchant_id, &payment_reference, &number, &now_ms],
    )?;
    Ok(number)
}

/// What was sent once more after an instant.
pub(crate) fn resent_after(
    tx: &mut Tx<'_>,
    merchant_id: &str,
    after_ms: i64,
) -> Result<Vec<Resent>, storage::Error> {
    tx.query(
        "SELECT payment_reference, number, sent_at_ms FROM sftp_deliveries
         WHERE merchant_id = $1 AND sent_at_ms > $2 ORDER BY sent_at_ms, payment_reference",
        &[&merchant_id, &after_ms],
    )?
    .iter()
    .map(|row| {
        Ok(Resent { payment_reference: row.get(0)?, number: row.get(1)?, sent_at_ms: row.get(2)? })
    })
    .collect()
}
