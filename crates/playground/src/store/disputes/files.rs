//! The files of disputes, whole: they are small, and few.

use storage::Tx;

use crate::domain::dispute::File;

/// A file with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFile {
    /// Its name.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) mime_type: String,
    /// What is in it.
    pub(crate) content: Vec<u8>,
}

/// Keeps a file; answers with its number within the dispute, counted from 1.
pub(crate) fn add_file(
    tx: &mut Tx<'_>,
    dispute_id: &str,
    file: &StoredFile,
    now_ms: i64,
) -> Result<i64, storage::Error> {
    let number = count_files(tx, dispute_id)? + 1;
    tx.execute(
        "INSERT INTO dispute_files (dispute_id, number, name, mime_type, content, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[&dispute_id, &number, &file.name, &file.mime_type, &file.content, &now_ms],
    )?;
    Ok(number)
}

/// How many files a dispute has.
pub(crate) fn count_files(tx: &mut Tx<'_>, dispute_id: &str) -> Result<i64, storage::Error> {
    tx.query_one("SELECT COUNT(*) FROM dispute_files WHERE dispute_id = $1", &[&dispute_id])?.get(0)
}

/// A file with its content.
pub(crate) fn find_file(
    tx: &mut Tx<'_>,
    dispute_id: &str,
    number: i64,
) -> Result<Option<StoredFile>, storage::Error> {
    let row = tx.query_opt(
        "SELECT name, mime_type, content FROM dispute_files WHERE dispute_id = $1 AND number = $2",
        &[&dispute_id, &number],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredFile { name: row.get(0)?, mime_type: row.get(1)?, content: row.get(2)? }))
}

/// The files of a dispute, without their contents.
pub(crate) fn find_files(tx: &mut Tx<'_>, dispute_id: &str) -> Result<Vec<File>, storage::Error> {
    tx.query(
        "SELECT number, name, mime_type FROM dispute_files WHERE dispute_id = $1 ORDER BY number",
        &[&dispute_id],
    )?
    .iter()
    .map(|row| {
        Ok(File {
            number: row.get(0)?,
            description: None,
            name: row.get(1)?,
            mime_type: row.get(2)?,
        })
    })
    .collect()
}
