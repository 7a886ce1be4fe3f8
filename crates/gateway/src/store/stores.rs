//! Stores: whose payments are whose.

use serde::{Deserialize, Serialize};
use storage::{Row, Tx};

use super::{read_document, write_document};
use crate::fault::Fault;

/// Where a store's tills stand: what Klarna is told of purchases in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Premises {
    /// The store's own number, as its tills know it; our id of the store, if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_store_id: Option<String>,
    /// Street without the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// House number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_number: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Country, two letters: also where the counter sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// What is kept of a store besides its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Where its tills stand.
    pub premises: Premises,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// More about it.
    pub details: Details,
    /// When it was made.
    pub created_at_ms: i64,
}

fn from_row(row: &Row) -> Result<Store, Fault> {
    let document: Option<String> = row.get(2)?;
    Ok(Store {
        id: row.get(0)?,
        name: row.get(1)?,
        details: document
            .map(|document| read_document("store", &document))
            .transpose()?
            .unwrap_or_default(),
        created_at_ms: row.get(3)?,
    })
}

/// Adds a store; `false` if there is one of that id, which then stays as it is.
pub fn insert(tx: &mut Tx<'_>, store: &Store) -> Result<bool, Fault> {
    let document = write_document("store", &store.details)?;
    let added = tx.execute(
        "INSERT INTO stores (id, name, document, created_at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO NOTHING",
        &[&store.id, &store.name, &document, &store.created_at_ms],
    )?;
    Ok(added == 1)
}

/// Writes a changed store.
pub fn update(tx: &mut Tx<'_>, store: &Store) -> Result<(), Fault> {
    let document = write_document("store", &store.details)?;
    let changed = tx.execute(
        "UPDATE stores SET name = $2, document = $3 WHERE id = $1",
        &[&store.id, &store.name, &document],
    )?;
    super::expect_one(changed, "store", &store.id)
}

/// The store of that id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Store>, Fault> {
    tx.query_opt("SELECT id, name, document, created_at_ms FROM stores WHERE id = $1", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// Stores, oldest first, after the one that is named.
pub fn list(
    tx: &mut Tx<'_>,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Store>, Fault> {
    let (at_ms, id) = after.map_or((i64::MIN, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    tx.query(
        "SELECT id, name, document, created_at_ms FROM stores
         WHERE created_at_ms > $1 OR (created_at_ms = $1 AND id > $2)
         ORDER BY created_at_ms, id LIMIT $3",
        &[&at_ms, &id, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}
