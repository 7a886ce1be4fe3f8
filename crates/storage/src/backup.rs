//! Copies of a SQLite database: made while it is in use, checked, and put back.
//!
//! A copy is one file that holds what was committed at one instant. It is written beside its place under
//! another name, checked, made durable, and only then given its name, so that a file of that name is always
//! a whole copy; nothing that exists is ever overwritten. What was deleted before is not in a copy, not
//! even as free pages.
//!
//! PostgreSQL brings tools of its own for this (`pg_dump`, `pg_restore`): nothing of it is here.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::sqlite::backup;

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How large it is.
    pub bytes: u64,
}

/// Copies the database file `from` to `to`, whether or not a program has it open. Writers and readers of
/// `from` go on meanwhile.
///
/// Fails when `from` does not exist or is no database, when `to` exists, and when what was written does not
/// pass SQLite's own integrity check.
pub async fn copy(from: &Path, to: &Path) -> Result<Copied, Error> {
    let (from, to) = (from.to_path_buf(), to.to_path_buf());
    blocking(move || backup::copy(&from, &to)).await
}

/// Reads a copy through and checks it. A file that is whole, and no database of this crate's, is refused.
pub async fn check(copy: &Path) -> Result<(), Error> {
    let copy = copy.to_path_buf();
    blocking(move || backup::check(&copy)).await
}

/// Puts a copy where a database is to be opened. Refuses when a program has a database open there, and when
/// there is one that is not open: that one is to be moved away first, by whoever knows that it can go.
pub async fn restore(copy: &Path, to: &Path) -> Result<Copied, Error> {
    let (copy, to) = (copy.to_path_buf(), to.to_path_buf());
    blocking(move || backup::restore(&copy, &to)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|source| {
        Error::with_source(ErrorKind::Engine, "the copy was not finished", source)
    })?
}
