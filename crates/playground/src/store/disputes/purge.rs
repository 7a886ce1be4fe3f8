//! Forgetting disputes long after their end.

use storage::Tx;

/// For how long a closed dispute can be read, and downloaded from: a merchant's year with a month to close
/// its books. Longer than anything can be done about it, and than refunds of its order matter.
const KEPT_AFTER_END_MS: i64 = 400 * 24 * 60 * 60 * 1_000;

/// Some of the disputes whose time is over.
pub(crate) fn closed_long_ago(
    tx: &mut Tx<'_>,
    now_ms: i64,
    most: i64,
) -> Result<Vec<String>, storage::Error> {
    tx.query(
        "SELECT dispute_id FROM disputes
         WHERE closed_at_ms IS NOT NULL AND closed_at_ms <= $1 LIMIT $2",
        &[&now_ms.saturating_sub(KEPT_AFTER_END_MS), &most],
    )?
    .iter()
    .map(|row| row.get(0))
    .collect()
}

/// Forgets a closed dispute with its history and its files. What it moved stays in the settlements.
pub(crate) fn forget(tx: &mut Tx<'_>, dispute_id: &str) -> Result<(), storage::Error> {
    for statement in [
        "DELETE FROM dispute_files WHERE dispute_id = $1",
        "DELETE FROM dispute_events WHERE dispute_id = $1",
        "DELETE FROM disputes WHERE dispute_id = $1",
    ] {
        tx.execute(statement, &[&dispute_id])?;
    }
    Ok(())
}
