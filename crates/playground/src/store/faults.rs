//! The faults in force, with how far each has come, so that a restart goes on where it stopped.
//!
//! They are not a merchant's data but the operator's: no merchant reads them.

use storage::{Migration, Tx};

use crate::domain::fault::{Armed, Counts, Fault};
use crate::store::{StoreError, from_document, to_document};

/// Their table.
pub(crate) const MIGRATION: Migration = Migration {
    version: 47,
    name: "faults",
    sql: "CREATE TABLE faults (
            fault_id TEXT PRIMARY KEY,
            position BIGINT NOT NULL,
            document TEXT NOT NULL,
            matched BIGINT NOT NULL,
            injected BIGINT NOT NULL
          )",
};

/// Adds one, after those that are there.
pub(crate) fn insert(tx: &mut Tx<'_>, armed: &Armed) -> Result<(), StoreError> {
    let position: i64 =
        tx.query_one("SELECT COALESCE(MAX(position), 0) + 1 FROM faults", &[])?.get(0)?;
    let document = to_document("fault", &armed.fault)?;
    let (matched, injected) = columns(armed.counts);
    tx.execute(
        "INSERT INTO faults (fault_id, position, document, matched, injected)
         VALUES ($1, $2, $3, $4, $5)",
        &[&armed.id, &position, &document, &matched, &injected],
    )?;
    Ok(())
}

/// All of them, in their order.
pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Armed>, StoreError> {
    let rows = tx
        .query("SELECT fault_id, document, matched, injected FROM faults ORDER BY position", &[])?;
    rows.iter()
        .map(|row| {
            let fault: Fault = from_document("fault", row.get(1)?)?;
            let count = |column| -> Result<u64, storage::Error> {
                let count: i64 = row.get(column)?;
                Ok(u64::try_from(count).unwrap_or(0))
            };
            let counts = Counts { matched: count(2)?, injected: count(3)? };
            // Its seed is in the document: whoever armed it had one made up.
            Ok(Armed::new(row.get(0)?, fault, counts, 0))
        })
        .collect()
}

/// Keeps how far each of them has come. One that is gone stays so.
pub(crate) fn keep_counts(
    tx: &mut Tx<'_>,
    counts: &[(String, Counts)],
) -> Result<(), storage::Error> {
    for (fault_id, counts) in counts {
        let (matched, injected) = columns(*counts);
        tx.execute(
            "UPDATE faults SET matched = $2, injected = $3 WHERE fault_id = $1",
            &[fault_id, &matched, &injected],
        )?;
    }
    Ok(())
}

/// Removes one; `false` when there is none.
pub(crate) fn remove(tx: &mut Tx<'_>, fault_id: &str) -> Result<bool, storage::Error> {
    Ok(tx.execute("DELETE FROM faults WHERE fault_id = $1", &[&fault_id])? > 0)
}

/// Removes all.
pub(crate) fn clear(tx: &mut Tx<'_>) -> Result<(), storage::Error> {
    tx.execute("DELETE FROM faults", &[])?;
    Ok(())
}

fn columns(counts: Counts) -> (i64, i64) {
    let column = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    (column(counts.matched), column(counts.injected))
}
