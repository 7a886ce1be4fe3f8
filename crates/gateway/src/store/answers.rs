//! First answers under a shop's `Idempotency-Key`.

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
    /// The same request, carried out by this operation.
    Operation(String),
    /// The same request, and its answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
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
        "SELECT fingerprint, operation_id, status, body, owned_until_ms, owner FROM answers
         WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key],
    )?;
    if row.get::<String>(0)? != fingerprint {
        return Ok(Found::Different);
    }
    if let Some(operation_id) = row.get::<Option<String>>(1)? {
        return Ok(Found::Operation(operation_id));
    }
    let status: Option<u16> = row.get(2)?;
    let body: Option<String> = row.get(3)?;
    if let (Some(status), Some(body)) = (status, body) {
        return Ok(Found::Answer { status, body });
    }
    if row.get::<i64>(4)? > now_ms {
        return Ok(Found::InProgress);
    }
    tx.execute(
        "UPDATE answers SET owner = $3, owned_until_ms = $4
         WHERE store_id = $1 AND idempotency_key = $2",
        &[&store_id, &key, &owner, &owned_until_ms],
    )?;
    Ok(Found::Mine)
}

/// Keeps the answer, if the caller still owns the key; `false` if someone took it over.
pub fn finish(
    tx: &mut Tx<'_>,
    store_id: &str,
    key: &str,
    owner: &str,
    status: u16,
    body: &str,
) -> Result<bool, Fault> {
    let changed = tx.execute(
        "UPDATE answers SET status = $4, body = $5
         WHERE store_id = $1 AND idempotency_key = $2 AND owner = $3 AND status IS NULL",
        &[&store_id, &key, &owner, &status, &body],
    )?;
    Ok(changed == 1)
}

/// Keeps which operation carries the request out.
pub fn attach(
    tx: &mut Tx<'_>,
    store_id: &str,
    key: &str,
    owner: &str,
    operation_id: &str,
) -> Result<bool, Fault> {
    let changed = tx.execute(
        "UPDATE answers SET operation_id = $4
         WHERE store_id = $1 AND idempotency_key = $2 AND owner = $3",
        &[&store_id, &key, &owner, &operation_id],
    )?;
    Ok(changed == 1)
}

/// Gives a key back: the request changed nothing and may be repeated under it.
pub fn release(tx: &mut Tx<'_>, store_id: &str, key: &str, owner: &str) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM answers
         WHERE store_id = $1 AND idempotency_key = $2 AND owner = $3
           AND status IS NULL AND operation_id IS NULL",
        &[&store_id, &key, &owner],
    )?;
    Ok(())
}

/// Forgets keys from before `before_ms`.
pub fn forget(tx: &mut Tx<'_>, before_ms: i64) -> Result<u64, Fault> {
    Ok(tx.execute("DELETE FROM answers WHERE created_at_ms < $1", &[&before_ms])?)
}
