//! What requests under a shop's `Idempotency-Key` led to.

use storage::Tx;

use crate::fault::Fault;

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing did: the caller now owns the key.
    Mine,
    /// The same request is being carried out by someone else.
    InProgress,
    /// The key was used for another request.
    Different,
    /// The same request, and the id of what it led to.
    Made(String),
}

/// Looks a key up and takes it if it is free, or was left behind by a process that died.
pub fn begin(
    tx: &mut Tx<'_>,
    store_id: &str,
    key: &str,
    fingerprint: &str,
    owner: &str,
    owned_until_ms: i64,
    now_ms: i64,
) -> Result<Found, Fault> {
    let added = tx.execute(
        "INSERT INTO answers (store_id, idempotency_key, fingerprint, owner, owned_until_ms,
                              created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (store_id, idempotency_key) DO NOTHING",
        &[&store_id, &key, &fingerprint, &owner, &owned_until_ms, &now_ms],
    )?;
    if added == 1 {
        return Ok(Found::Mine);
    }
    let row = tx.query_one(
        "SELECT fingerprint, operation_id, owned_until_ms FROM answers
         WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key],
    )?;
    if row.get::<String>(0)? != fingerprint {
        return Ok(Found::Different);
    }
    if let Some(made) = row.get::<Option<String>>(1)? {
        return Ok(Found::Made(made));
    }
    if row.get::<i64>(2)? > now_ms {
        return Ok(Found::InProgress);
    }
    tx.execute(
        "UPDATE answers SET owner = $3, owned_until_ms = $4
         WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key, &owner, &owned_until_ms],
    )?;
    Ok(Found::Mine)
}

/// Keeps what the request led to: the operation that carries it out, or the checkout it opened.
/// The answer itself is not kept, since it may hold a token that must be forgotten in time.
pub fn attach(
    tx: &mut Tx<'_>,
    store_id: &str,
    key: &str,
    owner: &str,
    made: &str,
) -> Result<bool, Fault> {
    let changed = tx.execute(
        "UPDATE answers SET operation_id = $4
         WHERE store_id = $1 AND idempotency_key = $2 AND owner = $3",
        &[&store_id, &key, &owner, &made],
    )?;
    Ok(changed == 1)
}

/// Keeps, sealed, the one secret that a request made: for requests whose whole answer is such a secret.
pub fn keep_sealed(tx: &mut Tx<'_>, store_id: &str, key: &str, sealed: &str) -> Result<(), Fault> {
    tx.execute(
        "UPDATE answers SET body = $3 WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key, &sealed],
    )?;
    Ok(())
}

/// The sealed secret that a request made, if it was kept.
pub fn sealed(tx: &mut Tx<'_>, store_id: &str, key: &str) -> Result<Option<String>, Fault> {
    let row = tx.query_opt(
        "SELECT body FROM answers WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key],
    )?;
    match row {
        Some(row) => Ok(row.get(0)?),
        None => Ok(None),
    }
}

/// Gives a key back: the request changed nothing and may be repeated under it.
pub fn release(tx: &mut Tx<'_>, store_id: &str, key: &str, owner: &str) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM answers
         WHERE store_id = $1 AND idempotency_key = $2 AND owner = $3
           AND operation_id IS NULL",
        &[&store_id, &key, &owner],
    )?;
    Ok(())
}

/// Forgets keys from before `before_ms`.
pub fn forget(tx: &mut Tx<'_>, before_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute("DELETE FROM answers WHERE created_at_ms < $1", &[&before_ms])?)
}
