//! Stores.

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
