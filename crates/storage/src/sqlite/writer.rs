//! The one writer: a thread that owns the writing connection and commits units in groups.
//!
//! A flush to disk costs about as much as dozens of small units. So the thread takes every unit that is waiting, runs
//! each inside a savepoint of one transaction, commits once, and only then answers all of them. A unit that fails or
//! panics is rolled back to its savepoint and takes nobody with it. If the commit itself fails, everyone hears it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::connection::{Connection, SqliteTx};
use super::lock::FileLock;
use crate::error::{self, Error, ErrorKind};
use crate::observer::Observed;
use crate::tx::{Access, Inner, Tx};

/// A group ends after so many units, …
const GROUP_UNITS: usize = 1_024;
/// … or after so much time spent in them: the first of a group does not wait long for the last.
const GROUP_TIME: Duration = Duration::from_millis(10);
/// Units that may wait before further ones are refused.
const WAITING_UNITS: usize = 65_536;
/// The longest that a group is held open for units that are on their way.
const LINGER_MOST: Duration = Duration::from_micros(500);
/// Not worth a wait: the thread would spend more on sleeping than the flush costs.
const LINGER_LEAST: Duration = Duration::from_micros(20);

enum Message {
    Unit(Box<dyn Unit>),
    Close(oneshot::Sender<()>),
}

/// A unit of work with its types forgotten.
trait Unit: Send {
    /// Runs the closure; the answer is kept until the group is committed.
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    fn access(&self) -> Access;
    /// Answers the caller: what the closure said, or why it was not committed.
    fn settle(self: Box<Self>, committed: Result<(), Error>);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Undo,
}

struct TypedUnit<T, E, F> {
    access: Access,
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Unit for TypedUnit<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let ran = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let outcome = ran.unwrap_or_else(|_| Err(error::panicked().into()));
        let outcome = match (outcome, &tx.0) {
            (Ok(_), Inner::Sqlite(tx)) if tx.has_failed() => Err(error::doomed().into()),
            (outcome, _) => outcome,
        };
        let verdict = if outcome.is_ok() { Verdict::Keep } else { Verdict::Undo };
        self.outcome = Some(outcome);
        verdict
    }

    fn access(&self) -> Access {
        self.access
    }

    fn settle(self: Box<Self>, committed: Result<(), Error>) {
        let answer = match (self.outcome, committed) {
            // What the closure refused stays refused for the closure's reason.
            (Some(Err(refused)), _) => Err(refused),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(error::closed().into()),
        };
        // Nobody waits any more when the caller's future was dropped.
        let _ = self.reply.send(answer);
    }
}

pub(super) struct Writer {
    messages: mpsc::Sender<Message>,
    waiting: Arc<AtomicUsize>,
    observed: Observed,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, lock: Option<FileLock>) -> Result<Self, Error> {
        let (messages, inbox) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let observed = Observed::default();
        let group = GroupCommit {
            connection,
            inbox,
            waiting: Arc::clone(&waiting),
            observed: observed.clone(),
            last_units: 0,
            last_flush: Duration::ZERO,
        };
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                group.run();
                // After the connection: whoever takes the lock next finds the file closed.
                drop(lock);
            })
            .map_err(|source| {
                Error::with_source(
                    ErrorKind::Engine,
                    "the writer's thread cannot be started",
                    source,
                )
            })?;
        Ok(Self { messages, waiting, observed, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn observed(&self) -> &Observed {
        &self.observed
    }

    pub(super) async fn submit<T, E, F>(&self, access: Access, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_UNITS {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::new(
                ErrorKind::Busy,
                "too many units of work are waiting to be written",
            )
            .into());
        }
        let (reply, answer) = oneshot::channel();
        let unit = TypedUnit { access, work, outcome: None, reply };
        if self.messages.send(Message::Unit(Box::new(unit))).is_err() {
            return Err(error::closed().into());
        }
        answer.await.unwrap_or_else(|_| Err(error::closed().into()))
    }

    /// Everything handed in before is finished first.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.messages.send(Message::Close(done)).is_ok() {
            // An error means that the thread is gone, which is what was wanted.
            let _ = closed.await;
        }
        // The thread has nothing left to do but to let go of the file's lock.
        self.join();
    }

    fn join(&self) {
        if let Some(thread) = self.thread.lock().take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the database writer's thread panicked");
        }
    }
}

/// The last handle is gone: what was handed in is still committed, then the file is free for the next opening.
impl Drop for Writer {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        // Fails only if the thread has gone already.
        let _ = self.messages.send(Message::Close(done));
        self.join();
    }
}

struct GroupCommit {
    connection: Connection,
    inbox: mpsc::Receiver<Message>,
    waiting: Arc<AtomicUsize>,
    observed: Observed,
    /// How many units the last group had, and how long its commit took: what to expect of the next.
    last_units: usize,
    last_flush: Duration,
}

enum Next {
    Unit(Box<dyn Unit>),
    Nobody,
    Close(oneshot::Sender<()>),
}

impl GroupCommit {
    fn run(mut self) {
        let closing = loop {
            match self.inbox.recv() {
                Ok(Message::Unit(first)) => {
                    if let Some(closing) = self.commit_group(first) {
                        break Some(closing);
                    }
                }
                Ok(Message::Close(closing)) => break Some(closing),
                Err(mpsc::RecvError) => break None,
            }
        };
        self.connection.close();
        // Dropping the inbox answers whatever came too late with "closed".
        drop(self.inbox);
        if let Some(closing) = closing {
            let _ = closing.send(());
        }
    }

    /// Runs `first` and everyone who is waiting, commits, answers. Returns the wish to close that came in between.
    fn commit_group(&mut self, first: Box<dyn Unit>) -> Option<oneshot::Sender<()>> {
        let mut group = Vec::with_capacity(self.last_units.max(1));
        let mut closing = None;
        let started = Instant::now();
        let mut committed = self.connection.control("BEGIN IMMEDIATE");
        let mut next = Next::Unit(first);
        loop {
            match next {
                Next::Unit(mut unit) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    if committed.is_ok() {
                        committed = self.run_unit(unit.as_mut());
                    }
                    group.push(unit);
                }
                Next::Nobody => break,
                Next::Close(sender) => {
                    closing = Some(sender);
                    break;
                }
            }
            if group.len() >= GROUP_UNITS || started.elapsed() >= GROUP_TIME {
                break;
            }
            next = self.next(group.len());
        }
        let flushing = Instant::now();
        committed = committed.and_then(|()| self.connection.control("COMMIT"));
        self.last_flush = flushing.elapsed();
        self.last_units = group.len();
        if let Err(error) = &committed {
            tracing::error!(error = %error, units = group.len(), "a group of units could not be committed");
            if self.connection.in_transaction() {
                // If this fails too, the next BEGIN says so.
                let _ = self.connection.control("ROLLBACK");
            }
        }
        for unit in group {
            // Settling runs the caller's conversion of our error, which is not ours to trust with this thread.
            let _ = catch_unwind(AssertUnwindSafe(|| unit.settle(committed.clone())));
        }
        if committed.is_ok() {
            self.observed.committed(self.last_units, self.last_flush);
        }
        closing
    }

    /// An error here is the group's: the transaction itself is broken.
    fn run_unit(&self, unit: &mut dyn Unit) -> Result<(), Error> {
        let mut tx = Tx(Inner::Sqlite(SqliteTx::in_group(&self.connection, unit.access())));
        let verdict = unit.run(&mut tx);
        // A full or broken disk makes SQLite roll back everything, the units before this one included.
        if !self.connection.in_transaction() {
            return Err(Error::new(
                ErrorKind::Engine,
                "the database rolled the whole group of units back",
            ));
        }
        match (tx.0, verdict) {
            (Inner::Sqlite(tx), Verdict::Keep) => tx.keep(),
            (Inner::Sqlite(tx), Verdict::Undo) => tx.undo(),
            // Nothing else is ever made on this thread.
            (Inner::Postgres(_), _) => Ok(()),
        }
    }

    /// The next unit, if one is waiting, or is about to come.
    ///
    /// Right after a commit, the callers that were answered are only waking up; committing the first of them alone would
    /// spend a whole flush on it. So while the group is smaller than the last one was, the thread waits a little: a
    /// fraction of what a flush costs, so that it is never worse off by more than that fraction.
    fn next(&self, units: usize) -> Next {
        let message = match self.inbox.try_recv() {
            Err(TryRecvError::Empty) => {
                let linger = (self.last_flush / 4).min(LINGER_MOST);
                if units >= self.last_units || linger < LINGER_LEAST {
                    return Next::Nobody;
                }
                self.inbox.recv_timeout(linger).map_err(|error| match error {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                })
            }
            received => received,
        };
        match message {
            Ok(Message::Unit(unit)) => Next::Unit(unit),
            Ok(Message::Close(sender)) => Next::Close(sender),
            Err(_) => Next::Nobody,
        }
    }
}
