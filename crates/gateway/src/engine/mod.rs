//! The engine: carries out the journal.
//!
//! Every change at Klarna is an operation that was written down before it is asked for. A worker
//! claims it under a lease, asks Klarna with the operation's own key and body, and commits what came
//! of it together with the state it leads to. A crash at any point resumes from the journal. Where
//! an answer was lost the operation is in doubt: it is asked for again under the same key, or looked
//! up in Klarna's books; it is never assumed to have failed.
//!
//! The clock, Klarna and fresh ids come from outside, and the engine can be driven step by step
//! ([`Engine::step`]), so that a test or a simulation decides what happens when.
//!
//! Any number of nodes may share one PostgreSQL. Whoever holds the newest lease of an operation may
//! record what came of it; a node that was away for longer than its lease finds that out before it
//! asks Klarna, and at the latest when it wants to record. What Klarna can bear is asked of it and no
//! more: see [`crate::domain::gate`].
//!
//! Locks are taken in one order: checkout, then payment, then operation.

pub mod accounts;
pub mod attention;
pub mod changes;
pub mod commands;
pub mod erasure;
mod expiry;
pub mod feed;
mod gates;
pub mod hub;
pub mod identity;
mod janitor;
pub mod klarna;
pub mod mirror;
pub mod nodes;
pub mod pages;
#[cfg(test)]
mod planted;
mod readings;
pub mod reconcile;
pub mod recurring;
pub mod sdk;
pub mod sessions;
mod settle;
#[cfg(test)]
#[path = "../../tests/simulation/mod.rs"]
mod simulation;
pub(crate) mod tasks;
pub mod webhooks;
pub(crate) mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use service::{Clock, Shutdown};
use storage::Database;
use storage::queue::Item;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::domain::account::CONFIGURED;
use crate::domain::checkout;
use crate::domain::idempotency;
use crate::domain::journal::Operation;
use crate::fault::Fault;
use crate::observe::Metrics;
use crate::store::{checkouts, operations};
use crate::vault::Vault;
use gates::{Gates, Permit};
use hub::{Hub, Seat};
use klarna::{Accounts, Klarna};
use nodes::Nodes;

/// How many operations of one process are with Klarna at once.
const IN_FLIGHT: usize = 64;
/// How often the journal is looked at although nothing woke this process: other nodes write to it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked for what should have happened by now, however often the loop is woken.
const CHORES_EVERY: Duration = Duration::from_millis(100);
/// How often a waiting caller looks although nothing woke it.
const WAITER_LOOKS_EVERY: Duration = Duration::from_millis(250);

/// How many ids in a row share their beginning.
const IDS_PER_BLOCK: u64 = 256;
/// The digits of an id after its prefix.
const ID_DIGITS: usize = 32;

/// Where fresh ids and secrets come from.
pub type Fresh = Arc<dyn Fn() -> String + Send + Sync>;

/// What the engine is made of.
#[derive(Clone)]
pub struct Parts {
    /// The journal and everything else.
    pub database: Database,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Klarna.
    pub accounts: Arc<dyn Accounts>,
    /// Fresh, unguessable values.
    pub fresh: Fresh,
    /// Where Klarna's callbacks reach this gateway.
    pub public_url: String,
    /// Seals what is secret at rest.
    pub vault: Vault,
}

/// Carries out the journal. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    parts: Parts,
    /// Who this process is in leases.
    owner: String,
    /// How many ids were made here.
    ids: AtomicU64,
    hub: Hub,
    wake: Notify,
    gates: Gates,
    nodes: Nodes,
    /// When figures were last folded here.
    folded_at_ms: AtomicI64,
    /// When this node last looked whether Klarna's books are to be read.
    readings_at_ms: AtomicI64,
    /// The accounts whose books this node has seen to being read, with the versions they had.
    read_accounts: Mutex<BTreeMap<(String, String), i64>>,
    metrics: Metrics,
    /// Whether other nodes may work on the same database.
    shared: bool,
    #[cfg(test)]
    planted: Option<planted::Bug>,
    /// Rings when there may be new events: a hint only, since other nodes write them too.
    news: Notify,
    /// When it is looked again whose personal data are to be forgotten.
    erasure_look_at_ms: AtomicI64,
    /// Whether the database's log may still hold what was forgotten.
    scrub_owed: AtomicBool,
    /// Who carries out what was claimed as it was accepted.
    taker: Mutex<Taker>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("owner", &self.0.owner).finish_non_exhaustive()
    }
}

impl Inner {
    fn new(parts: Parts, metrics: Metrics, shared: bool) -> Self {
        let owner = (parts.fresh)();
        Self {
            gates: Gates::new(Arc::clone(&parts.clock)),
            parts,
            owner,
            ids: AtomicU64::new(0),
            hub: Hub::default(),
            wake: Notify::new(),
            news: Notify::new(),
            nodes: Nodes::default(),
            folded_at_ms: AtomicI64::new(i64::MIN),
            readings_at_ms: AtomicI64::new(i64::MIN),
            read_accounts: Mutex::default(),
            metrics,
            erasure_look_at_ms: AtomicI64::new(0),
            scrub_owed: AtomicBool::new(false),
            taker: Mutex::default(),
            shared,
            #[cfg(test)]
            planted: None,
        }
    }
}

/// One piece of claimed work.
enum Work {
    Operation(Box<Turn>),
    Read(Item),
}

/// Who carries out what is claimed in the unit of work that accepts it.
#[derive(Default)]
enum Taker {
    /// Nobody: what is accepted waits in the journal.
    #[default]
    Nobody,
    /// The next step.
    #[cfg(test)]
    Steps(Vec<Work>),
    /// Tasks of their own, at once; the loop ends after them.
    Loop(JoinSet<()>),
}

/// One turn at an operation.
struct Turn {
    item: Item,
    operation: Operation,
    /// The authorization token of an order placement.
    token: Option<String>,
    /// When it was claimed, by this node's clock before it asked.
    claimed_at_ms: i64,
    /// Where the shopper buys.
    country: String,
    /// Who serves the store there, with the permit to ask; none if nobody does.
    account: Option<(Arc<dyn Klarna>, Permit)>,
}

/// What was claimed.
struct Claimed {
    work: Vec<Work>,
    /// How much of what was due may not be asked for just now.
    put_off: usize,
}

impl Engine {
    /// An engine that does nothing yet.
    pub fn new(parts: Parts) -> Self {
        Self::measured(parts, Metrics::default())
    }

    /// The same, which counts what it does here.
    pub fn measured(parts: Parts, metrics: Metrics) -> Self {
        let shared = parts.database.engine() == storage::Engine::Postgres;
        Self(Arc::new(Inner::new(parts, metrics, shared)))
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.0.parts.database
    }

    /// The time, in unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.0.parts.clock.now_ms()
    }

    /// A fresh id with a prefix that says what it is of. It begins as the ids that this process makes just
    /// before and after it, so that rows written together lie together in their indexes; 104 bits are its own.
    pub fn fresh_id(&self, prefix: &str) -> String {
        let block = self.0.ids.fetch_add(1, Ordering::Relaxed) / IDS_PER_BLOCK;
        let block = idempotency::digest(&format!("{}/{block}", self.0.owner));
        let own = idempotency::digest(&(self.0.parts.fresh)());
        let part =
            |digest: &str, length: usize| digest.get(..length).unwrap_or_default().to_owned();
        let shared = part(&block, idempotency::SHARED_DIGITS);
        format!("{prefix}_{shared}{}", part(&own, ID_DIGITS - idempotency::SHARED_DIGITS))
    }

    /// A fresh secret.
    pub fn fresh_secret(&self) -> String {
        (self.0.parts.fresh)()
    }

    /// Where Klarna's callbacks reach this gateway.
    pub fn public_url(&self) -> &str {
        &self.0.parts.public_url
    }

    /// Seals and opens what is secret at rest.
    pub fn vault(&self) -> &Vault {
        &self.0.parts.vault
    }

    /// The Klarna accounts.
    pub fn accounts(&self) -> &dyn Accounts {
        self.0.parts.accounts.as_ref()
    }

    /// The account of a checkout or payment: the one that it was opened with. What was opened before
    /// accounts had names was opened with the configured one.
    pub fn account(
        &self,
        store_id: &str,
        account_id: Option<&str>,
        country: &str,
    ) -> Option<Arc<dyn Klarna>> {
        self.accounts().named(store_id, account_id.unwrap_or(CONFIGURED), country)
    }

    fn is_erasure_due(&self, now_ms: i64) -> bool {
        now_ms >= self.0.erasure_look_at_ms.load(Ordering::Relaxed)
    }

    fn look_for_erasures_at(&self, at_ms: i64) {
        self.0.erasure_look_at_ms.store(at_ms, Ordering::Relaxed);
    }

    /// Says that there is new work.
    pub fn wake(&self) {
        self.0.wake.notify_one();
        self.0.news.notify_waiters();
    }

    /// Rings when there may be new events.
    pub(crate) fn news(&self) -> &Notify {
        &self.0.news
    }

    /// Looks at checkouts that were active lately: while this process was away, callbacks may have
    /// come in vain.
    ///
    /// An SQLite database has one process: leases that were held before it started are held by
    /// nobody, and a shopper may be waiting for what they are on.
    pub async fn recover(&self) -> Result<(), Fault> {
        let now_ms = self.now_ms();
        if !self.0.shared {
            let ended = self
                .database()
                .write(|tx| {
                    let operations = operations::INTERACTIVE.end_leases(tx)?;
                    Ok::<_, Fault>(operations + operations::BACKGROUND.end_leases(tx)?)
                })
                .await?;
            if ended > 0 {
                tracing::info!(leases = ended, "taking up what was interrupted");
            }
        }
        let looked_at = self
            .database()
            .write(move |tx| checkouts::look_at_recent(tx, now_ms - checkout::RECENT_MS, now_ms))
            .await?;
        if looked_at > 0 {
            tracing::info!(checkouts = looked_at, "asking Klarna about recently active checkouts");
        }
        Ok(())
    }

    /// Carries out everything that is due now, one after the other, and returns how much it was.
    /// What a test or a simulation drives the engine with.
    pub async fn step(&self) -> Result<usize, Fault> {
        nodes::beat(self).await?;
        let mut work = self.handed();
        if work.is_empty() {
            janitor::run(self).await?;
            let claimed = worker::claim(self, 1).await?;
            if claimed.work.is_empty() {
                return Ok(claimed.put_off);
            }
            work = claimed.work;
        }
        let count = work.len();
        for work in work {
            Box::pin(worker::carry_out(self, work)).await;
        }
        Ok(count)
    }

    /// What was handed over for the next step.
    fn handed(&self) -> Vec<Work> {
        match &mut *self.0.taker.lock() {
            #[cfg(test)]
            Taker::Steps(handed) => std::mem::take(handed),
            Taker::Nobody | Taker::Loop(_) => Vec::new(),
        }
    }

    fn takes_handed(&self) -> bool {
        !matches!(*self.0.taker.lock(), Taker::Nobody)
    }

    /// Whether what is handed over is carried out at once.
    fn has_loop(&self) -> bool {
        matches!(*self.0.taker.lock(), Taker::Loop(_))
    }

    /// Has what was claimed carried out.
    fn hand_over(&self, work: Work) {
        let engine = self.clone();
        match &mut *self.0.taker.lock() {
            #[cfg(test)]
            Taker::Steps(handed) => handed.push(work),
            Taker::Loop(tasks) => {
                tasks.spawn(async move { worker::carry_out(&engine, work).await });
            }
            // It was claimed just before the loop ended.
            Taker::Nobody => {
                tokio::spawn(async move { worker::carry_out(&engine, work).await });
            }
        }
    }

    /// How much of what was handed over is still being carried out.
    fn handed_in_flight(&self) -> usize {
        let Taker::Loop(tasks) = &mut *self.0.taker.lock() else { return 0 };
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }

    /// Carries out the journal until `shutdown`, then finishes what was begun.
    pub async fn run(self, shutdown: Shutdown) {
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "recently active checkouts could not be looked at");
        }
        let mut tasks = JoinSet::new();
        let stop = shutdown.requested();
        tokio::pin!(stop);
        *self.0.taker.lock() = Taker::Loop(JoinSet::new());
        let mut chores_at = tokio::time::Instant::now();
        loop {
            let free = IN_FLIGHT.saturating_sub(tasks.len() + self.handed_in_flight());
            let now = tokio::time::Instant::now();
            // Whoever wakes the loop wants an operation carried out, and not the chores.
            let has_time = now >= chores_at;
            if has_time {
                chores_at = now + CHORES_EVERY;
            }
            let mut looked_at = 0;
            match self.look(free, has_time).await {
                Ok(claimed) => {
                    looked_at = claimed.work.len() + claimed.put_off;
                    for work in claimed.work {
                        let engine = self.clone();
                        tasks.spawn(async move { worker::carry_out(&engine, work).await });
                    }
                }
                Err(error) => tracing::error!(%error, "the journal could not be read"),
            }
            if looked_at == free && free > 0 {
                continue;
            }
            let look_at = if has_time { now + LOOK_EVERY } else { chores_at };
            tokio::select! {
                () = self.0.wake.notified() => {}
                Some(_) = tasks.join_next() => {}
                () = tokio::time::sleep_until(look_at) => {}
                () = &mut stop => break,
            }
        }
        let handed = std::mem::take(&mut *self.0.taker.lock());
        if let Taker::Loop(mut handed) = handed {
            while handed.join_next().await.is_some() {}
        }
        while tasks.join_next().await.is_some() {}
        nodes::leave(&self).await;
    }

    /// Gives back what this node holds, so that others need not wait until its leases run out: for the end of a stop that
    /// took too long, when nothing of this node works on it any more.
    pub(crate) async fn hand_back(&self) -> Result<u64, Fault> {
        let owner = self.0.owner.clone();
        let ended = self
            .database()
            .write_row_locked(move |tx| {
                let operations = operations::INTERACTIVE.end_leases_of(tx, &owner)?;
                Ok::<_, Fault>(operations + operations::BACKGROUND.end_leases_of(tx, &owner)?)
            })
            .await?;
        nodes::leave(self).await;
        Ok(ended)
    }

    async fn look(&self, free: usize, has_time: bool) -> Result<Claimed, Fault> {
        // Also when there is nothing free: a node that has much to do is not dead.
        nodes::beat(self).await?;
        if free == 0 {
            return Ok(Claimed { work: Vec::new(), put_off: 0 });
        }
        if has_time {
            janitor::run(self).await?;
            janitor::fold(self).await?;
        }
        worker::claim(self, i64::try_from(free).unwrap_or(1)).await
    }

    /// Waits until an operation is settled or the time is up, and returns it as it then is.
    pub async fn outcome(&self, id: &str, patience: Duration) -> Result<Option<Operation>, Fault> {
        self.follow(self.0.hub.wait_for(id), true, patience).await
    }

    /// The same for what was accepted just now: whoever was given a seat knows that it has only begun.
    pub async fn outcome_of(
        &self,
        accepted: &Operation,
        seat: Option<Seat>,
        patience: Duration,
    ) -> Result<Option<Operation>, Fault> {
        match seat.filter(|seat| seat.id() == accepted.id && !patience.is_zero()) {
            Some(seat) => self.follow(seat, false, patience).await,
            None => self.outcome(&accepted.id, patience).await,
        }
    }

    async fn follow(
        &self,
        seat: Seat,
        mut looks: bool,
        patience: Duration,
    ) -> Result<Option<Operation>, Fault> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let woken = seat.wake.notified();
            tokio::pin!(woken);
            // Taken before it is looked, so that no wake is missed in between.
            woken.as_mut().enable();
            if let Some(settled) = seat.settled() {
                return Ok(Some(settled));
            }
            let now = tokio::time::Instant::now();
            if looks || now >= deadline {
                let wanted = seat.id().to_owned();
                let found = self.database().read(move |tx| operations::get(tx, &wanted)).await?;
                let Some(operation) = found else { return Ok(None) };
                if operation.state.is_settled() || now >= deadline {
                    return Ok(Some(operation));
                }
            }
            looks = true;
            let look_at = deadline.min(now + WAITER_LOOKS_EVERY);
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep_until(look_at) => {}
            }
        }
    }
}
