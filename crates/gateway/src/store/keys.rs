//! API keys. Of the key itself only its digest is kept.

use storage::{Migration, Row, Tx};

use crate::domain::access_key::{Grant, Key, Kind};
use crate::domain::scope::Scopes;
use crate::fault::Fault;

/// A table of its own: the version before knows only `api_keys`, where every key may do everything,
/// and must not find there what may do less, or ends.
pub const MIGRATION: Migration = Migration {
    version: 60,
    name: "keys with scopes",
    sql: "
CREATE TABLE access_keys (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    last_used_at_ms BIGINT,
    replaced_by TEXT
);
CREATE INDEX access_keys_by_store ON access_keys (store_id, created_at_ms, id);

CREATE TABLE access_key_origins (
    origin TEXT NOT NULL,
    key_id TEXT NOT NULL,
    PRIMARY KEY (origin, key_id)
);
CREATE INDEX access_key_origins_by_key ON access_key_origins (key_id);

INSERT INTO access_keys (id, store_id, kind, name, hint, digest, scopes, created_by,
                         created_at_ms, revoked_at_ms)
SELECT id, store_id, 'secret', name, '', digest, '*', 'configuration', created_at_ms, revoked_at_ms
FROM api_keys;
",
};

const COLUMNS: &str = "id, store_id, kind, name, hint, scopes, created_by, created_at_ms, \
     expires_at_ms, revoked_at_ms, last_used_at_ms, replaced_by";

fn from_row(row: &Row) -> Result<Key, Fault> {
    let kind: String = row.get(2)?;
    Ok(Key {
        id: row.get(0)?,
        store_id: row.get(1)?,
        kind: Kind::from_name(&kind)
            .ok_or_else(|| Fault::inconsistent(format!("there is no kind of key \"{kind}\"")))?,
        name: row.get(3)?,
        hint: row.get(4)?,
        scopes: Scopes::from_text(&row.get::<String>(5)?),
        origins: Vec::new(),
        created_by: row.get(6)?,
        created_at_ms: row.get(7)?,
        expires_at_ms: row.get(8)?,
        revoked_at_ms: row.get(9)?,
        last_used_at_ms: row.get(10)?,
        replaced_by: row.get(11)?,
    })
}

fn with_origins(tx: &mut Tx<'_>, mut key: Key) -> Result<Key, Fault> {
    if key.kind == Kind::Publishable {
        key.origins = tx
            .query(
                "SELECT origin FROM access_key_origins WHERE key_id = $1 ORDER BY origin",
                &[&key.id],
            )?
            .iter()
            .map(|row| Ok(row.get(0)?))
            .collect::<Result<_, Fault>>()?;
    }
    Ok(key)
}

/// The key with that digest, and the digest that is stored.
pub fn by_digest(tx: &mut Tx<'_>, digest: &str) -> Result<Option<(Key, String)>, Fault> {
    let row = tx.query_opt(
        "SELECT id, store_id, kind, name, hint, scopes, created_by, created_at_ms, expires_at_ms,
                revoked_at_ms, last_used_at_ms, replaced_by, digest
         FROM access_keys WHERE digest = $1",
        &[&digest],
    )?;
    let Some(row) = row else { return Ok(None) };
    let key = with_origins(tx, from_row(&row)?)?;
    Ok(Some((key, row.get(12)?)))
}

/// The key of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Key>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM access_keys WHERE id = $1 AND store_id = $2");
    one(tx, &sql, store_id, id)
}

/// The key of that id in that store, to be changed in this unit of work.
pub fn lock_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Key>, Fault> {
    let sql =
        format!("SELECT {COLUMNS} FROM access_keys WHERE id = $1 AND store_id = $2 {{for_update}}");
    one(tx, &sql, store_id, id)
}

fn one(tx: &mut Tx<'_>, sql: &str, store_id: &str, id: &str) -> Result<Option<Key>, Fault> {
    match tx.query_dynamic(sql, &[&id, &store_id])?.first() {
        Some(row) => {
            let key = from_row(row)?;
            with_origins(tx, key).map(Some)
        }
        None => Ok(None),
    }
}

/// A page of a store's keys, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Key>, Fault> {
    let rows = match before {
        None => tx.query_dynamic(
            &format!(
                "SELECT {COLUMNS} FROM access_keys WHERE store_id = $1
                 ORDER BY created_at_ms DESC, id DESC LIMIT $2"
            ),
            &[&store_id, &limit],
        )?,
        Some((at_ms, id)) => tx.query_dynamic(
            &format!(
                "SELECT {COLUMNS} FROM access_keys WHERE store_id = $1
                   AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4))
                 ORDER BY created_at_ms DESC, id DESC LIMIT $2"
            ),
            &[&store_id, &limit, &at_ms, &id],
        )?,
    };
    rows.iter().map(|row| from_row(row).and_then(|key| with_origins(tx, key))).collect()
}

/// A key that is to be known from now on.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// Its id.
    pub id: &'a str,
    /// The store it belongs to.
    pub store_id: &'a str,
    /// The digest of the key.
    pub digest: &'a str,
    /// Its last characters.
    pub hint: &'a str,
    /// Who made it.
    pub created_by: &'a str,
}

/// Makes a key known. One whose digest is known already is left as it is: a key of the
/// configuration that somebody revoked stays revoked.
pub fn ensure(tx: &mut Tx<'_>, new: New<'_>, grant: &Grant, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO access_keys (id, store_id, kind, name, hint, digest, scopes, created_by,
                                  created_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (digest) DO NOTHING",
        &[
            &new.id,
            &new.store_id,
            &grant.kind.name(),
            &grant.name,
            &new.hint,
            &new.digest,
            &grant.scopes.to_text(),
            &new.created_by,
            &now_ms,
            &grant.expires_at_ms,
        ],
    )?;
    for origin in &grant.origins {
        tx.execute(
            "INSERT INTO access_key_origins (origin, key_id) VALUES ($1, $2)
             ON CONFLICT (origin, key_id) DO NOTHING",
            &[&origin, &new.id],
        )?;
    }
    Ok(())
}

/// Has a key of the configuration work again that ended because a configuration in between did not say
/// it. What a person revoked stays revoked.
pub fn begin_again(tx: &mut Tx<'_>, digest: &str) -> Result<(), Fault> {
    tx.execute(
        "UPDATE access_keys SET expires_at_ms = NULL
         WHERE digest = $1 AND created_by = 'configuration' AND replaced_by IS NULL",
        &[&digest],
    )?;
    Ok(())
}

/// Ends keys of earlier configurations that are not among those of the present one. One that is on its
/// way out for another reason goes as it would.
pub fn end_configured_but(tx: &mut Tx<'_>, digests: &[String], now_ms: i64) -> Result<(), Fault> {
    let rows = tx.query(
        "SELECT digest FROM access_keys
         WHERE created_by = 'configuration' AND revoked_at_ms IS NULL AND expires_at_ms IS NULL",
        &[],
    )?;
    for row in &rows {
        let digest: String = row.get(0)?;
        if !digests.contains(&digest) {
            tx.execute(
                "UPDATE access_keys SET expires_at_ms = $2 WHERE digest = $1",
                &[&digest, &now_ms],
            )?;
        }
    }
    Ok(())
}

/// Ends a key at a time to come, in favour of another.
pub fn replace(
    tx: &mut Tx<'_>,
    id: &str,
    replaced_by: &str,
    expires_at_ms: i64,
) -> Result<(), Fault> {
    tx.execute(
        "UPDATE access_keys SET replaced_by = $2, expires_at_ms = $3 WHERE id = $1",
        &[&id, &replaced_by, &expires_at_ms],
    )?;
    Ok(())
}

/// Ends a key now.
pub fn revoke(tx: &mut Tx<'_>, id: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE access_keys SET revoked_at_ms = $2 WHERE id = $1 AND revoked_at_ms IS NULL",
        &[&id, &now_ms],
    )?;
    Ok(())
}

/// Keeps that a key was used. Never goes back, whichever node is late.
pub fn note_use(tx: &mut Tx<'_>, id: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE access_keys SET last_used_at_ms = $2
         WHERE id = $1 AND (last_used_at_ms IS NULL OR last_used_at_ms < $2)",
        &[&id, &now_ms],
    )?;
    Ok(())
}

/// Whether pages of that origin may use any publishable key that still works. Browsers ask this
/// before they show the key.
pub fn is_known_origin(tx: &mut Tx<'_>, origin: &str, now_ms: i64) -> Result<bool, Fault> {
    let found: i64 = tx
        .query_one(
            "SELECT COUNT(*) FROM access_key_origins
             JOIN access_keys ON access_keys.id = access_key_origins.key_id
             WHERE access_key_origins.origin = $1 AND access_keys.revoked_at_ms IS NULL
               AND (access_keys.expires_at_ms IS NULL OR access_keys.expires_at_ms > $2)",
            &[&origin, &now_ms],
        )?
        .get(0)?;
    Ok(found > 0)
}
