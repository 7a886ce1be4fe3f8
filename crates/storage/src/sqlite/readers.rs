//! Read connections: a stack of idle ones. There are at most as many as threads read at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rusqlite::OpenFlags;

use super::connection::{Connection, SqliteTx, engine_error};
use super::{BUSY_TIMEOUT_MS, STATEMENTS_CACHED};
use crate::error::{self, Error};
use crate::tx::{Inner, Tx};

/// More idle connections than this are closed again after a burst.
const IDLE_KEPT: usize = 16;
/// So much of the file is mapped, which costs addresses and no memory; what lies behind is copied. SQLite maps no more.
const MAPPED: u32 = 0x7fff_0000;

pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    closed: AtomicBool,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// Runs `work` on the calling thread, on one snapshot.
    pub(crate) fn run<T, E, F>(&self, work: &F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let connection = self.take()?;
        connection.control("BEGIN")?;
        let mut tx = Tx(Inner::Sqlite(SqliteTx::reading(&connection)));
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| work(&mut tx))) else {
            // The connection is dropped, and its transaction with it.
            return Err(error::panicked().into());
        };
        connection.control("COMMIT")?;
        self.give_back(connection);
        outcome
    }

    fn take(&self) -> Result<Connection, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(error::closed());
        }
        let idle = self.idle.lock().pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_KEPT && !self.closed.load(Ordering::Acquire) {
            idle.push(connection);
        }
    }

    /// Every commit makes SQLite forget a reader's page cache, so pages are mapped, not copied: the file's pages stay
    /// in the system's cache. The file is never truncated under a reader, since only this process has it.
    fn open(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(&self.path, flags)
            .map_err(|source| engine_error(source, "a read connection cannot be opened"))?;
        raw.execute_batch(&format!(
            "PRAGMA query_only = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
             PRAGMA mmap_size = {MAPPED};"
        ))
        .map_err(|source| engine_error(source, "a read connection cannot be set up"))?;
        Connection::new(raw, STATEMENTS_CACHED)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.idle.lock().clear();
    }
}
