//! Client identifiers.

use klarna_types::MerchantId;
use storage::{Migration, Row, Tx};

use crate::domain::client_id::{ClientEnvironment, ClientIdentifier};
use crate::store::{StoreError, from_document, to_document};

/// Their table.
pub(crate) const MIGRATION: Migration = Migration {
    version: 100,
    name: "client identifiers",
    sql: "CREATE TABLE client_identifiers (
            client_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            allowed_origins TEXT NOT NULL,
            redirect_uris TEXT NOT NULL,
            secret_hash BYTEA,
            created_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL
          );
          CREATE INDEX client_identifiers_by_merchant
            ON client_identifiers (merchant_id, created_at_ms)",
};

/// What became of an attempt to add one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is new.
    New,
    /// It was there already, of the same merchant; it stays as it is.
    Known,
    /// It is another merchant's.
    Foreign,
}

/// Adds an identifier; one that exists keeps its lists.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    client: &ClientIdentifier,
    now_ms: i64,
) -> Result<Added, StoreError> {
    let origins = to_document("list of origins", &client.allowed_origins)?;
    let redirects = to_document("list of redirects", &client.redirect_uris)?;
    let secret: Option<Vec<u8>> = client.client_secret_hash.map(|hash| hash.to_vec());
    let added = tx.execute(
        "INSERT INTO client_identifiers
           (client_id, merchant_id, allowed_origins, redirect_uris, secret_hash, created_at_ms, version)
         VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (client_id) DO NOTHING",
        &[
            &client.client_id,
            &client.merchant_id.as_str(),
            &origins,
            &redirects,
            &secret,
            &now_ms,
        ],
    )?;
    if added == 1 {
        return Ok(Added::New);
    }
    let kept = client_identifier(tx, &client.client_id)?;
    Ok(match kept {
        Some(kept) if kept.merchant_id == client.merchant_id => Added::Known,
        Some(_) | None => Added::Foreign,
    })
}

/// The identifier of this name.
pub(crate) fn client_identifier(
    tx: &mut Tx<'_>,
    client_id: &str,
) -> Result<Option<ClientIdentifier>, StoreError> {
    let row = tx.query_opt(
        "SELECT client_id, merchant_id, allowed_origins, redirect_uris, secret_hash
         FROM client_identifiers WHERE client_id = $1",
        &[&client_id],
    )?;
    row.as_ref().map(read).transpose()
}

/// All of a merchant, the oldest first.
pub(crate) fn of_merchant(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
) -> Result<Vec<ClientIdentifier>, StoreError> {
    tx.query(
        "SELECT client_id, merchant_id, allowed_origins, redirect_uris, secret_hash
         FROM client_identifiers WHERE merchant_id = $1 ORDER BY created_at_ms, client_id",
        &[&merchant_id.as_str()],
    )?
    .iter()
    .map(read)
    .collect()
}

/// Writes the lists of an identifier anew. `false` when the merchant has no such identifier.
pub(crate) fn update(tx: &mut Tx<'_>, client: &ClientIdentifier) -> Result<bool, StoreError> {
    let origins = to_document("list of origins", &client.allowed_origins)?;
    let redirects = to_document("list of redirects", &client.redirect_uris)?;
    let changed = tx.execute(
        "UPDATE client_identifiers
         SET allowed_origins = $3, redirect_uris = $4, version = version + 1
         WHERE client_id = $1 AND merchant_id = $2",
        &[&client.client_id, &client.merchant_id.as_str(), &origins, &redirects],
    )?;
    Ok(changed == 1)
}

fn read(row: &Row) -> Result<ClientIdentifier, StoreError> {
    let merchant_id: String = row.get(1)?;
    let origins: String = row.get(2)?;
    let redirects: String = row.get(3)?;
    let secret: Option<Vec<u8>> = row.get(4)?;
    Ok(ClientIdentifier {
        client_id: row.get(0)?,
        merchant_id: MerchantId::new(merchant_id),
        environment: ClientEnvironment::Test,
        allowed_origins: from_document("list of origins", &origins)?,
        redirect_uris: from_document("list of redirects", &redirects)?,
        // A hash of another length was not written by this program; nothing can match it.
        client_secret_hash: secret.and_then(|hash| hash.try_into().ok()),
    })
}
