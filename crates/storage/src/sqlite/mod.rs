//! SQLite: one writer thread that commits units in groups, readers that never wait for it, one process per file.

pub(crate) mod backup;
mod connection;
mod lock;
mod readers;
#[cfg(feature = "simulation")]
pub(crate) mod simulated;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::OpenFlags;

pub(crate) use connection::SqliteTx;
use connection::{Connection, engine_error};
use lock::FileLock;
use readers::Readers;
use writer::Writer;

use crate::error::{Error, ErrorKind};
use crate::migrate::{self, Applied, Migration};
use crate::observer::Observed;
use crate::sql;
use crate::tx::{Access, Tx};

/// How long a connection waits for a lock that a stranger holds: a person's `sqlite3` shell, a backup.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// The log is written back into the file after so many pages (of 4 KiB). SQLite's own 1,000 would make the writer pause
/// four times as often for a flush of the whole file.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Room for the prepared statements of one connection; a program of ours has a few hundred.
const STATEMENTS_CACHED: usize = 512;

pub(crate) struct Sqlite {
    writer: Writer,
    readers: Option<Arc<Readers>>,
    /// Absent for a database in memory.
    path: Option<PathBuf>,
}

impl Sqlite {
    pub(crate) fn open_file(path: &Path, migrations: &[Migration]) -> Result<Self, Error> {
        let lock = FileLock::take(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(path, flags)
            .map_err(|source| engine_error(source, "the database file cannot be opened"))?;
        let mode: String = raw
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|source| engine_error(source, "the database file cannot be used"))?;
        if mode != "wal" {
            return Err(Error::new(
                ErrorKind::Engine,
                "SQLite cannot keep a write-ahead log here: is the file on a network drive? Use a local one",
            ));
        }
        configure(
            &raw,
            &format!(
                "PRAGMA synchronous = FULL;
                 PRAGMA fullfsync = ON;
                 PRAGMA checkpoint_fullfsync = ON;
                 PRAGMA secure_delete = ON;
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
                 PRAGMA journal_size_limit = 67108864;
                 PRAGMA cache_size = -16000;"
            ),
        )?;
        let connection = Connection::new(raw, STATEMENTS_CACHED)?;
        migrate(&connection, migrations)?;
        Ok(Self {
            writer: Writer::start(connection, Some(lock))?,
            readers: Some(Arc::new(Readers::new(path))),
            path: Some(path.to_path_buf()),
        })
    }

    pub(crate) fn open_memory(migrations: &[Migration]) -> Result<Self, Error> {
        let raw = rusqlite::Connection::open_in_memory()
            .map_err(|source| engine_error(source, "a database in memory cannot be made"))?;
        configure(&raw, "")?;
        let connection = Connection::new(raw, STATEMENTS_CACHED)?;
        migrate(&connection, migrations)?;
        Ok(Self { writer: Writer::start(connection, None)?, readers: None, path: None })
    }

    pub(crate) fn observed(&self) -> &Observed {
        self.writer.observed()
    }

    /// Absent for a database in memory, whose only connection is the writer's.
    pub(crate) fn readers(&self) -> Option<&Arc<Readers>> {
        self.readers.as_ref()
    }

    pub(crate) async fn submit<T, E, F>(&self, access: Access, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.submit(access, work).await
    }

    /// Writes the log back into the file and empties it.
    pub(crate) async fn scrub(&self) -> Result<(), Error> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let scrubbed = tokio::task::spawn_blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let failed = |source| engine_error(source, "the log cannot be emptied");
            let raw = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
            configure(&raw, "")?;
            let busy: i64 = raw
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(failed)?;
            if busy == 0 {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Busy, "somebody still reads what the log holds"))
        });
        scrubbed.await.map_err(|source| {
            Error::with_source(ErrorKind::Engine, "the log was not emptied", source)
        })?
    }

    pub(crate) async fn close(&self) {
        // The readers first: the last connection to go is then the writer's, which puts the log away.
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.writer.close().await;
    }
}

/// What all connections that may write have in common.
fn configure(raw: &rusqlite::Connection, more: &str) -> Result<(), Error> {
    raw.execute_batch(&format!(
        "PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
         {more}"
    ))
    .map_err(|source| engine_error(source, "the database connection cannot be set up"))
}

/// All due migrations in one transaction: the schema moves as a whole or not at all.
fn migrate(connection: &Connection, migrations: &[Migration]) -> Result<(), Error> {
    connection.control("BEGIN IMMEDIATE")?;
    let outcome = apply_migrations(connection, migrations);
    match outcome {
        Ok(()) => connection.control("COMMIT"),
        Err(error) => {
            // The error to report is the first one; closing the connection rolls back as well.
            let _ = connection.control("ROLLBACK");
            Err(error)
        }
    }
}

fn apply_migrations(connection: &Connection, migrations: &[Migration]) -> Result<(), Error> {
    let mut tx = SqliteTx::outside_of_units(connection);
    tx.run_text(migrate::CREATE_TABLE, &[])?;
    let applied = tx
        .rows_of_text(migrate::SELECT, &[])?
        .iter()
        .map(|row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }))
        .collect::<Result<Vec<_>, Error>>()?;
    for migration in migrate::pending(migrations, &applied)? {
        let failed = |error: Error| {
            let message =
                format!("migration {} \"{}\" failed: {error}", migration.version, migration.name);
            Error::with_source(ErrorKind::Migration, message, error)
        };
        for statement in sql::statements(migration.sql) {
            tx.run_text(&statement, &[]).map_err(failed)?;
        }
        tx.run_text(migrate::INSERT, &[&migration.version, &migration.name, &migration.checksum()])
            .map_err(failed)?;
    }
    Ok(())
}
