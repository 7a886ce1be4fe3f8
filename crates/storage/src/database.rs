//! The handle that the rest of the program holds: where a database is, opening it, running units of work.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::migrate::{self, Migration};
use crate::observer::Observer;
use crate::postgres::{Isolation, Postgres};
use crate::sqlite::Sqlite;
use crate::tx::{Access, Tx};

/// The engine behind a [`Database`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite, in this process.
    Sqlite,
    /// PostgreSQL, or what speaks its protocol.
    Postgres,
}

/// Where a database is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file, made when it does not exist.
    File(PathBuf),
    /// SQLite in memory: gone when the last handle is dropped.
    Memory,
    /// The URL of a PostgreSQL database, `postgres://user:password@host:port/name`. `?pool_size=N` sets how many
    /// connections are kept (16 if absent).
    Postgres(String),
}

impl Location {
    /// Reads `postgres://…`, `sqlite:PATH` or `memory`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if text == "memory" {
            return Ok(Self::Memory);
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            // The text is not repeated: it may be a URL with a password and a typing error.
            _ => Err(Error::new(
                ErrorKind::Misuse,
                "a database is given as `sqlite:PATH`, `memory` or `postgres://user:password@host:port/name`",
            )),
        }
    }
}

/// Without the password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "sqlite:{}", path.display()),
            Self::Memory => f.write_str("memory"),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let host_on = rest.rsplit_once('@').map_or(rest, |(_, host_on)| host_on);
                // A password may also stand among the parameters.
                write!(f, "postgres://{}", host_on.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A database, open. Cheap to clone; all clones are the same database.
#[derive(Clone)]
pub struct Database(Arc<Backend>);

enum Backend {
    Sqlite(Sqlite),
    #[cfg(feature = "simulation")]
    Simulated(crate::sqlite::simulated::Simulated),
    Postgres(Postgres),
}

impl Database {
    /// Opens the database and brings its tables to the version that the program needs.
    pub async fn open(
        location: &Location,
        migrations: &'static [Migration],
    ) -> Result<Self, Error> {
        migrate::check_list(migrations)?;
        let backend = match location {
            Location::File(path) => {
                let path = path.clone();
                let opened =
                    tokio::task::spawn_blocking(move || Sqlite::open_file(&path, migrations)).await;
                Backend::Sqlite(opened.map_err(|source| {
                    Error::with_source(ErrorKind::Engine, "opening failed", source)
                })??)
            }
            Location::Memory => Backend::Sqlite(Sqlite::open_memory(migrations)?),
            Location::Postgres(url) => Backend::Postgres(Postgres::open(url, migrations).await?),
        };
        Ok(Self(Arc::new(backend)))
    }

    /// SQLite in memory for a simulation: each unit runs at once on the calling thread, then its future is pending one
    /// time. `mishaps` says what goes wrong with units that write.
    #[cfg(feature = "simulation")]
    pub fn simulated(
        migrations: &'static [Migration],
        mishaps: crate::Mishaps,
    ) -> Result<Self, Error> {
        migrate::check_list(migrations)?;
        let simulated = crate::sqlite::simulated::Simulated::open(migrations, mishaps)?;
        Ok(Self(Arc::new(Backend::Simulated(simulated))))
    }

    /// Runs one unit of work that writes, and resolves when it is durable.
    ///
    /// On SQLite the unit runs on the writer's thread, and is committed together with the units that other tasks
    /// handed in meanwhile: they share one flush to disk. On PostgreSQL it is a transaction of its own, SERIALIZABLE,
    /// and is repeated when the engine could not put it in an order with others.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.submit(Access::Write, in_callers_span(work)).await,
            #[cfg(feature = "simulation")]
            Backend::Simulated(simulated) => simulated.submit(Access::Write, work).await,
            Backend::Postgres(postgres) => {
                postgres.run(Isolation::Serializable, in_callers_span(work)).await
            }
        }
    }

    /// Like [`write`](Self::write), for units whose correctness rests on the rows that they lock (`{for_update}`,
    /// `{for_update_skip_locked}`) or on single statements that check what they change: claims on a queue above all.
    ///
    /// On PostgreSQL this is READ COMMITTED, so many nodes claim at once without making each other repeat. On SQLite
    /// there is no difference.
    pub async fn write_row_locked<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.submit(Access::Write, in_callers_span(work)).await,
            #[cfg(feature = "simulation")]
            Backend::Simulated(simulated) => simulated.submit(Access::Write, work).await,
            Backend::Postgres(postgres) => {
                postgres.run(Isolation::RowLocked, in_callers_span(work)).await
            }
        }
    }

    /// Runs short point reads, all from one snapshot. On a SQLite file they run on the calling thread and never wait
    /// for the writer; what may touch many rows belongs in [`read_long`](Self::read_long).
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(sqlite) => match sqlite.readers() {
                Some(readers) => readers.run(&work),
                None => sqlite.submit(Access::Read, work).await,
            },
            #[cfg(feature = "simulation")]
            Backend::Simulated(simulated) => simulated.submit(Access::Read, work).await,
            Backend::Postgres(postgres) => postgres.run(Isolation::Snapshot, work).await,
        }
    }

    /// Like [`read`](Self::read), away from the threads that serve requests: lists and reports.
    pub async fn read_long<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let work = in_callers_span(work);
        match &*self.0 {
            Backend::Sqlite(sqlite) => match sqlite.readers() {
                Some(readers) => {
                    let readers = Arc::clone(readers);
                    tokio::task::spawn_blocking(move || readers.run(&work))
                        .await
                        .unwrap_or_else(|_| Err(crate::error::panicked().into()))
                }
                None => sqlite.submit(Access::Read, work).await,
            },
            #[cfg(feature = "simulation")]
            Backend::Simulated(simulated) => simulated.submit(Access::Read, work).await,
            Backend::Postgres(postgres) => postgres.run(Isolation::Snapshot, work).await,
        }
    }

    /// Finishes what was handed in, writes the log back into the file, and closes. Later calls answer an error.
    pub async fn close(&self) {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            #[cfg(feature = "simulation")]
            Backend::Simulated(_) => {}
            Backend::Postgres(postgres) => postgres.close(),
        }
    }

    /// Makes what was deleted or replaced unreadable in the files as well, as far as that is in a program's hands.
    ///
    /// On a SQLite file deleted content is overwritten as it is deleted; this also empties the log, which may still
    /// hold it. Waits for readers, for a few seconds at most, and fails when one stays longer: call it again later.
    /// PostgreSQL does this by itself (autovacuum), in its own time; there nothing happens here.
    pub async fn scrub(&self) -> Result<(), Error> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.scrub().await,
            #[cfg(feature = "simulation")]
            Backend::Simulated(_) => Ok(()),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Has an observer hear of each commit from now on. A database has one: the first.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.observed().set(observer),
            #[cfg(feature = "simulation")]
            Backend::Simulated(_) => {}
            Backend::Postgres(postgres) => postgres.observed().set(observer),
        }
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match &*self.0 {
            Backend::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "simulation")]
            Backend::Simulated(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }
}

/// Runs a unit in the span of whoever asked for it, on whichever thread it runs: so that what it logs is known to belong
/// to their request. Without a subscriber that listens this is a look at a thread's memory.
fn in_callers_span<T, E>(
    work: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
) -> impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static {
    let span = tracing::Span::current();
    move |tx| span.in_scope(|| work(tx))
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.engine()).finish()
    }
}
