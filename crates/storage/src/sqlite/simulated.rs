//! SQLite in memory for a simulation that decides itself who goes on: no thread, no runtime, no luck.
//!
//! A unit runs at once, on the thread of whoever asks; then its future is pending one time. There the simulation can let
//! others go on, or drop the future: the unit is committed then, and nobody was told. To drop it a step earlier is the
//! same as to drop it before it asked.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use parking_lot::Mutex;

use super::connection::{Connection, SqliteTx};
use super::{STATEMENTS_CACHED, configure, engine_error, migrate};
use crate::error::{self, Error, ErrorKind};
use crate::migrate::Migration;
use crate::tx::{Access, Inner, Tx};

/// What goes wrong with a unit of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mishap {
    /// Nothing.
    #[default]
    None,
    /// The database cannot be reached: nothing of the unit is done.
    Unavailable,
    /// The connection breaks during COMMIT: the unit is done, and the caller cannot know.
    AnswerLost,
}

/// Says, each time that a unit is to be written, what goes wrong with it.
pub type Mishaps = Box<dyn Fn() -> Mishap + Send + Sync>;

pub(crate) struct Simulated {
    connection: Mutex<Connection>,
    mishaps: Mishaps,
}

impl Simulated {
    pub(crate) fn open(migrations: &[Migration], mishaps: Mishaps) -> Result<Self, Error> {
        let raw = rusqlite::Connection::open_in_memory()
            .map_err(|source| engine_error(source, "a database in memory cannot be made"))?;
        configure(&raw, "")?;
        let connection = Connection::new(raw, STATEMENTS_CACHED)?;
        migrate(&connection, migrations)?;
        Ok(Self { connection: Mutex::new(connection), mishaps })
    }

    pub(crate) async fn submit<T, E, F>(&self, access: Access, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let mishap = match access {
            Access::Read => Mishap::None,
            Access::Write => (self.mishaps)(),
        };
        let outcome = match mishap {
            Mishap::Unavailable => Err(unavailable().into()),
            Mishap::None | Mishap::AnswerLost => self.run(access, &work),
        };
        pause().await;
        match (mishap, outcome) {
            (Mishap::AnswerLost, Ok(_)) => Err(answer_lost().into()),
            (_, outcome) => outcome,
        }
    }

    fn run<T, E, F>(&self, access: Access, work: &F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let connection = self.connection.lock();
        // Nobody else can come in between, so the savepoint before the first write is transaction enough.
        let mut tx = Tx(Inner::Sqlite(SqliteTx::in_group(&connection, access)));
        let ran = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
        let Inner::Sqlite(tx) = tx.0 else { return Err(error::panicked().into()) };
        let outcome = match ran {
            Err(_) => Err(error::panicked().into()),
            Ok(Ok(_)) if tx.has_failed() => Err(error::doomed().into()),
            Ok(outcome) => outcome,
        };
        if outcome.is_ok() {
            tx.keep()?;
        } else {
            tx.undo()?;
        }
        outcome
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "the simulation has taken the database away")
}

fn answer_lost() -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        "the simulation broke the connection during COMMIT: the unit may or may not have been committed",
    )
}

/// Pending once.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
