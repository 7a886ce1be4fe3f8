//! Makes time pass: what is due happens, in the order of its due times.
//!
//! One task owns the passing of time. It wakes when a handler says so, when real time reaches the
//! next due instant, or when the clock is moved; then it runs what is due: decisions and expiries
//! of orders in the database, and callbacks over HTTP, those about one subject one after the other. Now and then it
//! forgets what is past its time. While time passes by itself, a slow merchant holds up nobody else; while the clock is *moved*, each instant is completed before the next one,
//! so that a test sees the same order of events every time.

mod sources;

use std::collections::HashMap;
use std::time::Duration;

use service::{Clock as _, Shutdown};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::api::error::Chain;
use crate::app::{App, CLOCK_OFFSET};
use crate::store::callbacks::{self, Progress, QUEUE};
use crate::store::{StoreError, merchants, purge, reset};
use sources::{DueSource, SOURCES};

/// How long a claimed delivery is this worker's own: longer than an attempt can take.
const LEASE_MS: i64 = 15_000;

/// How many deliveries are on their way at once.
const IN_FLIGHT: usize = 64;

/// How long a callback waits for the one before it about the same subject, so that a merchant hears of things in their
/// order. A server that takes longer to answer is not waited for: the wait is part of the lease.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest sleep; a base clock that is moved by hand is looked at again after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How often it is looked for what nobody can ask for any more, on the playground's clock.
const PURGE_EVERY_MS: i64 = 60 * 60 * 1_000;

/// How often it is kept how far the faults have come, in real time.
const FAULTS_EVERY: Duration = Duration::from_secs(1);

/// How long to wait before trying a failing database again.
const RETRY: Duration = Duration::from_millis(500);

/// What the worker is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Move the clock.
    Advance {
        /// Until when.
        to_ms: i64,
        /// Told when everything due by then has happened.
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Forget everything.
    Reset {
        /// Told when that is done.
        done: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// The task.
#[derive(Debug)]
pub(crate) struct Worker {
    app: App,
    commands: mpsc::UnboundedReceiver<Command>,
    owner: String,
    in_flight: JoinSet<()>,
    /// The latest delivery about each subject, and when it has ended.
    latest: HashMap<String, oneshot::Receiver<()>>,
    purge_due_at_ms: i64,
    faults_kept_at: Instant,
}

impl Worker {
    /// A worker that has not started.
    pub(crate) fn new(app: App, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            app,
            commands,
            owner: service::random::uuid().to_string(),
            in_flight: JoinSet::new(),
            latest: HashMap::new(),
            purge_due_at_ms: 0,
            faults_kept_at: Instant::now(),
        }
    }

    /// Runs until the playground stops. Deliveries on their way are finished; the rest waits in
    /// the database.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        if let Err(error) = self.take_over().await {
            tracing::error!(error = %Chain(&error), "interrupted deliveries could not be taken up");
        }
        loop {
            let sleep = match self.run_due().await {
                Ok(next_due_ms) => self.until(next_due_ms),
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "due work could not be done");
                    RETRY
                }
            };
            let sleep = self.keep_faults(sleep).await;
            tokio::select! {
                () = shutdown.requested() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                Some(ended) = self.in_flight.join_next() => report(ended),
                () = self.app.woken() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
        while let Some(ended) = self.in_flight.join_next().await {
            report(ended);
        }
    }

    /// Keeps how far the faults have come, now and then. Returns how long to sleep.
    async fn keep_faults(&mut self, sleep: Duration) -> Duration {
        if !self.app.faults().has_changed() {
            return sleep;
        }
        let waited = self.faults_kept_at.elapsed();
        if waited < FAULTS_EVERY {
            return sleep.min(FAULTS_EVERY.saturating_sub(waited));
        }
        self.faults_kept_at = Instant::now();
        if let Err(error) = self.app.keep_fault_counts().await {
            tracing::error!(error = %Chain(&error), "the counts of faults could not be kept");
        }
        sleep
    }

    /// An SQLite database has one process: whoever held a lease before it started is dead.
    async fn take_over(&self) -> Result<(), StoreError> {
        if self.app.db().engine() == storage::Engine::Sqlite {
            self.app.db().write(|tx| Ok::<_, StoreError>(QUEUE.end_leases(tx)?)).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Advance { to_ms, done } => {
                let outcome = self.advance(to_ms).await;
                // Whoever asked may have gone away; the clock has moved all the same.
                let _ = done.send(outcome);
            }
            Command::Reset { done } => {
                let outcome = self.reset().await;
                let _ = done.send(outcome);
            }
        }
    }

    /// How long to sleep.
    fn until(&self, next_due_ms: Option<i64>) -> Duration {
        let Some(next_due_ms) = next_due_ms else { return LONGEST_SLEEP };
        let wait_ms = next_due_ms.saturating_sub(self.app.clock().now_ms()).max(1);
        Duration::from_millis(u64::try_from(wait_ms).unwrap_or(1)).min(LONGEST_SLEEP)
    }

    /// Runs what is due now and returns when the next thing is due.
    async fn run_due(&mut self) -> Result<Option<i64>, StoreError> {
        loop {
            let now_ms = self.app.clock().now_ms();
            let next = self.next_due().await?;
            // Nothing done although something is due: another node was faster, or is at it.
            if self.run_sources(&next, now_ms).await? {
                continue;
            }
            let callbacks_ms = next.callbacks_ms;
            if callbacks_ms.is_some_and(|due_ms| due_ms <= now_ms)
                && self.in_flight.len() < IN_FLIGHT
                && self.send_due(now_ms).await? > 0
            {
                continue;
            }
            if self.purge_due_at_ms <= now_ms {
                // One batch at a time, so that nothing else waits for all of them.
                if self.purge(now_ms).await? {
                    continue;
                }
                self.purge_due_at_ms = now_ms.saturating_add(PURGE_EVERY_MS);
            }
            // A delivery that is due but not claimable is on its way, or its lease must run out
            // first; the end of a delivery wakes the loop.
            let soonest_ms = now_ms.saturating_add(50);
            return Ok(next.soonest_ms().map(|due_ms| due_ms.max(soonest_ms)));
        }
    }

    async fn next_due(&self) -> Result<NextDue, StoreError> {
        self.app
            .db()
            .read(|tx| {
                let mut next =
                    NextDue { callbacks_ms: QUEUE.next_due_at(tx)?, ..NextDue::default() };
                for source in SOURCES {
                    if let Some(due_ms) = (source.next_due_at)(tx)? {
                        next.sources.push((due_ms, source));
                    }
                }
                // Stable: of two that are due at once, the earlier one of the list stays first.
                next.sources.sort_by_key(|(due_ms, _)| *due_ms);
                Ok(next)
            })
            .await
    }

    /// Has the first source that is due and gets something done do so. `false` when there is none.
    async fn run_sources(&self, next: &NextDue, now_ms: i64) -> Result<bool, StoreError> {
        for (due_ms, source) in &next.sources {
            if *due_ms > now_ms {
                break;
            }
            let run_due = source.run_due;
            let done = self.app.db().write(move |tx| run_due(tx, now_ms)).await?;
            if done > 0 {
                tracing::debug!(due.source = source.name, due.done = done, "due work was done");
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Forgets one batch of what is past its time. `false` when there was nothing to forget.
    async fn purge(&self, now_ms: i64) -> Result<bool, StoreError> {
        let due = self
            .app
            .db()
            .read_long(move |tx| Ok::<_, StoreError>(purge::find(tx, now_ms)?))
            .await?;
        if due.is_empty() {
            return Ok(false);
        }
        self.app
            .db()
            .write(move |tx| Ok::<_, StoreError>(purge::forget(tx, &due, now_ms)?))
            .await?;
        Ok(true)
    }

    /// Claims deliveries that are due and sends them in the background. Returns how many.
    async fn send_due(&mut self, now_ms: i64) -> Result<usize, StoreError> {
        let limit = i64::try_from(IN_FLIGHT.saturating_sub(self.in_flight.len())).unwrap_or(0);
        let owner = self.owner.clone();
        let claimed = self
            .app
            .db()
            .write(move |tx| -> Result<_, StoreError> {
                let mut claimed = Vec::new();
                for item in QUEUE.claim(tx, now_ms, &owner, LEASE_MS, limit)? {
                    match callbacks::find(tx, &item.id)? {
                        Some(delivery) => {
                            callbacks::unhold(tx, &item.id)?;
                            claimed.push((item, delivery));
                        }
                        // Its row is gone, so nobody wants it any more.
                        None => {
                            QUEUE.complete(tx, &item)?;
                        }
                    }
                }
                Ok(claimed)
            })
            .await?;
        let mut claimed = claimed;
        claimed.sort_by_key(|(item, _)| (item.due_at_ms, Progress::of(item).place));
        let count = claimed.len();
        self.latest.retain(|_, ended| matches!(ended.try_recv(), Err(TryRecvError::Empty)));
        for (item, delivery) in claimed {
            let app = self.app.clone();
            let (ends, ended) = oneshot::channel();
            let earlier = self.latest.insert(delivery.callback.subject_id.clone(), ended);
            self.in_flight.spawn(async move {
                if let Some(earlier) = earlier {
                    let _ = tokio::time::timeout(PATIENCE, earlier).await;
                }
                app.sender().deliver(&app, item, delivery).await;
                // Whoever waits is woken by its being dropped.
                drop(ends);
            });
        }
        Ok(count)
    }

    /// Moves the clock to `to_ms`, stopping at each instant at which something is due.
    async fn advance(&mut self, to_ms: i64) -> Result<(), StoreError> {
        loop {
            self.settle().await?;
            match self.next_due().await?.soonest_ms() {
                Some(due_ms) if due_ms <= to_ms => self.move_clock(due_ms).await?,
                _ => break,
            }
        }
        self.move_clock(to_ms).await?;
        self.settle().await
    }

    /// Does what is due and waits until all of it has happened.
    async fn settle(&mut self) -> Result<(), StoreError> {
        loop {
            self.run_due().await?;
            let Some(ended) = self.in_flight.join_next().await else { return Ok(()) };
            report(ended);
            while let Some(ended) = self.in_flight.join_next().await {
                report(ended);
            }
        }
    }

    async fn move_clock(&self, to_ms: i64) -> Result<(), StoreError> {
        let offset_ms = self.app.clock().move_to(to_ms).to_string();
        self.app
            .db()
            .write(move |tx| Ok(merchants::set_setting(tx, CLOCK_OFFSET, &offset_ms)?))
            .await
    }

    async fn reset(&mut self) -> Result<(), StoreError> {
        // What is on its way would otherwise be recorded for an order that is forgotten.
        self.in_flight.shutdown().await;
        self.app.db().write(reset::forget_everything).await?;
        self.app.clock().reset();
        self.purge_due_at_ms = 0;
        self.app.requests().clear();
        self.app.faults().replace(Vec::new());
        self.app.seed().await.map_err(|error| match error {
            crate::StartError::Storage(error) => StoreError::Storage(error),
            other => StoreError::Seed(other.to_string()),
        })
    }
}

/// What is due next, and who has it.
#[derive(Debug, Default)]
struct NextDue {
    /// The soonest first.
    sources: Vec<(i64, &'static DueSource)>,
    callbacks_ms: Option<i64>,
}

impl NextDue {
    /// When anything is due next.
    fn soonest_ms(&self) -> Option<i64> {
        let source_ms = self.sources.first().map(|(due_ms, _)| *due_ms);
        [source_ms, self.callbacks_ms].into_iter().flatten().min()
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "sending a callback panicked");
    }
}
