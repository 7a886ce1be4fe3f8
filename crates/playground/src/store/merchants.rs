//! Merchants, their credentials, and the few values the playground keeps about itself.

use klarna_types::MerchantId;
use serde::Deserialize;
use storage::{Migration, Tx};

use crate::api::auth::Credential;
use crate::domain::merchant::{Merchant, MerchantSettings};
use crate::domain::settlement::SettlementTerms;
use crate::store::{StoreError, from_document, to_document};

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 10,
    name: "merchants",
    sql: "CREATE TABLE settings (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
          );
          CREATE TABLE merchants (
            merchant_id TEXT PRIMARY KEY,
            settings TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL
          );
          CREATE TABLE credentials (
            username TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            secret_hash BYTEA NOT NULL,
            created_at_ms BIGINT NOT NULL
          )",
};

/// A value the playground keeps about itself.
pub(crate) fn setting(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, storage::Error> {
    let row = tx.query_opt("SELECT value FROM settings WHERE name = $1", &[&name])?;
    row.map(|row| row.get(0)).transpose()
}

/// Keeps a value.
pub(crate) fn set_setting(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&name, &value],
    )?;
    Ok(())
}

/// The value under a name; `fresh` is kept and given when there is none yet.
pub(crate) fn setting_or(
    tx: &mut Tx<'_>,
    name: &str,
    fresh: &str,
) -> Result<String, storage::Error> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[&name, &fresh],
    )?;
    Ok(setting(tx, name)?.unwrap_or_else(|| fresh.to_owned()))
}

/// Adds a merchant; one that exists keeps its settings. `false` when it existed.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    merchant: &Merchant,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let settings = to_document("merchant", &merchant.settings)?;
    let added = tx.execute(
        "INSERT INTO merchants (merchant_id, settings, created_at_ms, version)
         VALUES ($1, $2, $3, 1) ON CONFLICT (merchant_id) DO NOTHING",
        &[&merchant.merchant_id.as_str(), &settings, &now_ms],
    )?;
    Ok(added == 1)
}

/// Adds a credential, or gives an existing user name a new password. `false` when the user name
/// belongs to another merchant.
pub(crate) fn put_credential(
    tx: &mut Tx<'_>,
    credential: &Credential,
    now_ms: i64,
) -> Result<bool, storage::Error> {
    let written = tx.execute(
        "INSERT INTO credentials (username, merchant_id, secret_hash, created_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (username) DO UPDATE SET secret_hash = excluded.secret_hash
         WHERE credentials.merchant_id = excluded.merchant_id",
        &[&credential.username, &credential.merchant_id, &credential.secret_hash, &now_ms],
    )?;
    Ok(written == 1)
}

/// What is agreed about a merchant's payouts; the usual for a merchant that is not there.
pub(crate) fn settlement_terms(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
) -> Result<SettlementTerms, StoreError> {
    /// The other settings are of no interest here, and this is read with every capture.
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default)]
        settlements: SettlementTerms,
    }
    let row = tx.query_opt(
        "SELECT settings FROM merchants WHERE merchant_id = $1",
        &[&merchant_id.as_str()],
    )?;
    let Some(row) = row else { return Ok(SettlementTerms::default()) };
    Ok(from_document::<Settings>("merchant", row.get(0)?)?.settlements)
}

/// Changes what is agreed about a merchant's payouts. `false` when there is no such merchant.
pub(crate) fn set_settlement_terms(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    terms: &SettlementTerms,
) -> Result<bool, StoreError> {
    let row = tx.query_opt(
        "SELECT settings FROM merchants WHERE merchant_id = $1 {for_update}",
        &[&merchant_id.as_str()],
    )?;
    let Some(row) = row else { return Ok(false) };
    let mut settings: MerchantSettings = from_document("merchant", row.get(0)?)?;
    settings.settlements = terms.clone();
    tx.execute(
        "UPDATE merchants SET settings = $2, version = version + 1 WHERE merchant_id = $1",
        &[&merchant_id.as_str(), &to_document("merchant", &settings)?],
    )?;
    Ok(true)
}

/// All merchants.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Merchant>, StoreError> {
    tx.query("SELECT merchant_id, settings FROM merchants", &[])?
        .iter()
        .map(|row| {
            let id: String = row.get(0)?;
            let settings: String = row.get(1)?;
            Ok(Merchant {
                merchant_id: MerchantId::new(id),
                settings: from_document("merchant", &settings)?,
            })
        })
        .collect()
}

/// All credentials.
pub(crate) fn credentials(tx: &mut Tx<'_>) -> Result<Vec<Credential>, storage::Error> {
    let rows = tx.query("SELECT username, merchant_id, secret_hash FROM credentials", &[])?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let hash: Vec<u8> = row.get(2)?;
        // A hash of another length was not written by this program; nothing can match it.
        let Ok(secret_hash) = hash.try_into() else { continue };
        all.push(Credential { username: row.get(0)?, merchant_id: row.get(1)?, secret_hash });
    }
    Ok(all)
}
