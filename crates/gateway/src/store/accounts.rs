//! Klarna accounts of stores. Passwords stand here sealed, and nowhere else.

use klarna_types::Secret;
use storage::{Migration, Row, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::account::Account;
use crate::fault::Fault;
use crate::vault::{Column, Place, Vault};

/// The table of accounts, and what is kept of a store besides its name.
pub const MIGRATION: Migration = Migration {
    version: 20,
    name: "klarna accounts",
    sql: "
CREATE TABLE klarna_accounts (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    label TEXT NOT NULL,
    base_url TEXT NOT NULL,
    countries TEXT NOT NULL,
    username TEXT NOT NULL,
    password TEXT NOT NULL,
    merchant_id TEXT,
    active BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX klarna_accounts_by_store ON klarna_accounts (store_id, created_at_ms, id);
ALTER TABLE stores ADD COLUMN document TEXT
",
};

/// The sealed passwords.
pub const PASSWORDS: Column = Column { table: "klarna_accounts", key: "id", column: "password" };

fn place(id: &str) -> Place<'_> {
    Place { table: PASSWORDS.table, column: PASSWORDS.column, row: id }
}

fn from_row(row: &Row) -> Result<Account, Fault> {
    let countries: String = row.get(4)?;
    Ok(Account {
        id: row.get(0)?,
        store_id: row.get(1)?,
        label: row.get(2)?,
        base_url: row.get(3)?,
        countries: read_document("countries of an account", &countries)?,
        username: row.get(5)?,
        merchant_id: row.get(6)?,
        active: row.get::<i64>(7)? == 1,
        version: row.get(8)?,
        created_at_ms: row.get(9)?,
        updated_at_ms: row.get(10)?,
    })
}

/// Adds an account.
pub fn insert(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account: &Account,
    password: &Secret,
) -> Result<(), Fault> {
    let countries = write_document("countries of an account", &account.countries)?;
    let sealed = vault.seal(place(&account.id), password)?;
    tx.execute(
        "INSERT INTO klarna_accounts (id, store_id, label, base_url, countries, username, password,
                                      merchant_id, active, version, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            &account.id,
            &account.store_id,
            &account.label,
            &account.base_url,
            &countries,
            &account.username,
            &sealed,
            &account.merchant_id,
            &i64::from(account.active),
            &account.version,
            &account.created_at_ms,
            &account.updated_at_ms,
        ],
    )?;
    Ok(())
}

/// Writes a changed account; the password only if there is a new one.
pub fn update(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account: &mut Account,
    password: Option<&Secret>,
    now_ms: i64,
) -> Result<(), Fault> {
    let read_at = account.version;
    account.version += 1;
    account.updated_at_ms = now_ms;
    let countries = write_document("countries of an account", &account.countries)?;
    let sealed = password.map(|password| vault.seal(place(&account.id), password)).transpose()?;
    let changed = tx.execute(
        "UPDATE klarna_accounts
         SET label = $2, countries = $3, username = $4, merchant_id = $5, active = $6, version = $7,
             updated_at_ms = $8, password = COALESCE($9, password)
         WHERE id = $1 AND version = $10",
        &[
            &account.id,
            &account.label,
            &countries,
            &account.username,
            &account.merchant_id,
            &i64::from(account.active),
            &account.version,
            &account.updated_at_ms,
            &sealed,
            &read_at,
        ],
    )?;
    expect_one(changed, "account", &account.id)
}

/// The account of that id in that store, to be changed in this unit of work.
pub fn lock_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Account>, Fault> {
    tx.query_opt(
        "SELECT id, store_id, label, base_url, countries, username, merchant_id, active, version,
                created_at_ms, updated_at_ms
         FROM klarna_accounts WHERE id = $1 AND store_id = $2 {for_update}",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// The account of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Account>, Fault> {
    tx.query_opt(
        "SELECT id, store_id, label, base_url, countries, username, merchant_id, active, version,
                created_at_ms, updated_at_ms
         FROM klarna_accounts WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Accounts of a store, oldest first, after the one that is named.
pub fn of_store(
    tx: &mut Tx<'_>,
    store_id: &str,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<Account>, Fault> {
    let (at_ms, id) = after.map_or((i64::MIN, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    tx.query(
        "SELECT id, store_id, label, base_url, countries, username, merchant_id, active, version,
                created_at_ms, updated_at_ms
         FROM klarna_accounts
         WHERE store_id = $1 AND (created_at_ms > $2 OR (created_at_ms = $2 AND id > $3))
         ORDER BY created_at_ms, id LIMIT $4",
        &[&store_id, &at_ms, &id, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Every account with its password: for whoever calls Klarna.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(Account, String)>, Fault> {
    tx.query(
        "SELECT id, store_id, label, base_url, countries, username, merchant_id, active, version,
                created_at_ms, updated_at_ms, password
         FROM klarna_accounts ORDER BY id",
        &[],
    )?
    .iter()
    .map(|row| Ok((from_row(row)?, row.get(11)?)))
    .collect()
}

/// Opens a password that [`all`] found.
pub fn password(vault: &Vault, id: &str, sealed: &str) -> Result<Secret, Fault> {
    Ok(vault.open(place(id), sealed)?)
}

/// What changes whenever an account does.
pub fn mark(tx: &mut Tx<'_>) -> Result<(i64, i64), Fault> {
    let row = tx.query_one(
        "SELECT COUNT(*), CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM klarna_accounts",
        &[],
    )?;
    Ok((row.get(0)?, row.get(1)?))
}
