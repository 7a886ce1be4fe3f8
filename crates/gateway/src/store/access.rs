//! Stores, API keys and dashboard sessions. Secrets are kept as digests only.

use storage::Tx;

use crate::fault::Fault;

/// Makes sure that a store exists.
pub fn ensure_store(tx: &mut Tx<'_>, id: &str, name: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO stores (id, name, created_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO NOTHING",
        &[&id, &name, &now_ms],
    )?;
    Ok(())
}

/// Makes sure that an API key is known.
pub fn ensure_api_key(
    tx: &mut Tx<'_>,
    id: &str,
    store_id: &str,
    name: &str,
    digest: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO api_keys (id, store_id, name, digest, created_at_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING",
        &[&id, &store_id, &name, &digest, &now_ms],
    )?;
    Ok(())
}

/// The store, the stored digest and the id of an API key that was not revoked.
pub fn api_key(tx: &mut Tx<'_>, digest: &str) -> Result<Option<(String, String, String)>, Fault> {
    let row = tx.query_opt(
        "SELECT store_id, digest, id FROM api_keys WHERE digest = $1 AND revoked_at_ms IS NULL",
        &[&digest],
    )?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()
}

/// A person's session in the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardSession {
    /// The store it may see.
    pub store_id: String,
    /// What each form must carry.
    pub csrf_token: String,
}

/// Opens a dashboard session, and forgets those that are over.
pub fn open_session(
    tx: &mut Tx<'_>,
    digest: &str,
    session: &DashboardSession,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<(), Fault> {
    tx.execute("DELETE FROM dashboard_sessions WHERE expires_at_ms <= $1", &[&now_ms])?;
    tx.execute(
        "INSERT INTO dashboard_sessions (digest, store_id, csrf_token, created_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        &[&digest, &session.store_id, &session.csrf_token, &now_ms, &expires_at_ms],
    )?;
    Ok(())
}

/// The session of that digest, unless it is over.
pub fn session(
    tx: &mut Tx<'_>,
    digest: &str,
    now_ms: i64,
) -> Result<Option<DashboardSession>, Fault> {
    let row = tx.query_opt(
        "SELECT store_id, csrf_token FROM dashboard_sessions
         WHERE digest = $1 AND expires_at_ms > $2",
        &[&digest, &now_ms],
    )?;
    row.map(|row| Ok(DashboardSession { store_id: row.get(0)?, csrf_token: row.get(1)? }))
        .transpose()
}

/// Ends a session.
pub fn close_session(tx: &mut Tx<'_>, digest: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM dashboard_sessions WHERE digest = $1", &[&digest])?;
    Ok(())
}
