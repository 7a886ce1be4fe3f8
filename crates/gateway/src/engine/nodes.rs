//! The nodes that share one PostgreSQL: this one says that it lives, and takes over the work of those
//! that do not any more.
//!
//! Whether a node lives is judged by its number, see [`crate::domain::lease`]. A database in this
//! process is shared with nobody, and none of this happens.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::Engine;
use crate::domain::lease::{self, BEAT_EVERY_MS, Sign, Watch};
use crate::fault::Fault;
use crate::store::nodes::{self, Notes};
use crate::store::operations::{BACKGROUND, INTERACTIVE};

/// What this node knows of the nodes.
#[derive(Debug, Default)]
pub(super) struct Nodes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    started_at_ms: Option<i64>,
    /// When this node last counted, as it was before it asked the database to.
    beat_at_ms: Option<i64>,
    others: BTreeMap<String, Watch>,
}

impl Nodes {
    /// Until when a call may begin for work that was claimed then.
    pub(super) fn may_begin_until_ms(&self, claimed_at_ms: i64) -> i64 {
        lease::may_begin_until_ms(claimed_at_ms, self.0.lock().beat_at_ms)
    }

    /// Whether it is time to count; if so, when this node started.
    fn is_due(&self, now_ms: i64) -> Option<i64> {
        let mut known = self.0.lock();
        // A clock that was set back does not silence the node.
        let due =
            known.beat_at_ms.is_none_or(|at_ms| now_ms < at_ms || now_ms - at_ms >= BEAT_EVERY_MS);
        due.then(|| *known.started_at_ms.get_or_insert(now_ms))
    }

    /// Takes in what the others' numbers show; answers whom this node takes for dead.
    fn look(&self, own: &str, all: &[nodes::Node], now_ms: i64) -> Vec<(String, i64)> {
        let mut known = self.0.lock();
        known.beat_at_ms = Some(now_ms);
        known.others.retain(|id, _| all.iter().any(|node| node.id == *id));
        let mut dead = Vec::new();
        for node in all.iter().filter(|node| node.id != own) {
            let watch = known
                .others
                .entry(node.id.clone())
                .or_insert_with(|| Watch::begin(node.beats, now_ms));
            if watch.look(node.beats, now_ms) == Sign::Dead {
                dead.push((node.id.clone(), node.beats));
            }
        }
        dead
    }
}

/// Counts, looks at the others, and ends the leases of those that are dead.
pub(super) async fn beat(engine: &Engine) -> Result<(), Fault> {
    if !engine.0.shared {
        return Ok(());
    }
    let now_ms = engine.now_ms();
    let Some(started_at_ms) = engine.0.nodes.is_due(now_ms) else { return Ok(()) };
    let id = engine.0.owner.clone();
    let notes = engine.notes();
    let all = engine
        .database()
        .write_row_locked(move |tx| {
            nodes::beat(tx, &id, started_at_ms, now_ms, &notes)?;
            nodes::all(tx)
        })
        .await?;
    for (id, beats) in engine.0.nodes.look(&engine.0.owner, &all, now_ms) {
        bury(engine, id, beats).await?;
    }
    Ok(())
}

/// Frees what a dead node has held, unless it counts after all.
async fn bury(engine: &Engine, id: String, beats: i64) -> Result<(), Fault> {
    let dead = id.clone();
    let freed = engine
        .database()
        .write_row_locked(move |tx| {
            if !nodes::remove(tx, &dead, beats)? {
                return Ok(None);
            }
            let operations = INTERACTIVE.end_leases_of(tx, &dead)?;
            Ok::<_, Fault>(Some(operations + BACKGROUND.end_leases_of(tx, &dead)?))
        })
        .await?;
    if let Some(leases) = freed {
        tracing::warn!(node.id = %id, leases, "a node has died; its work is taken over");
        engine.wake();
    }
    Ok(())
}

/// Says goodbye, so that nobody has to notice.
pub(super) async fn leave(engine: &Engine) {
    if !engine.0.shared {
        return;
    }
    let id = engine.0.owner.clone();
    if let Err(error) = engine.database().write_row_locked(move |tx| nodes::leave(tx, &id)).await {
        tracing::warn!(%error, "this node could not say goodbye");
    }
}

impl Engine {
    /// What this node leaves for the others to read.
    fn notes(&self) -> Notes {
        let accounts = self.0.gates.view(self.now_ms());
        Notes {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            in_flight: accounts.iter().map(|account| u64::from(account.gate.in_flight)).sum(),
            accounts,
        }
    }

    /// Klarna's accounts as this node knows them.
    pub(crate) fn own_accounts(&self) -> Vec<nodes::Account> {
        self.0.gates.view(self.now_ms())
    }

    /// What each node knows of Klarna's accounts: for dashboards and metrics.
    pub async fn status(&self) -> Result<Status, Fault> {
        let mut nodes =
            if self.0.shared { self.database().read(nodes::all).await? } else { Vec::new() };
        let now_ms = self.now_ms();
        // Of itself a node knows more than it has written down.
        nodes.retain(|node| node.id != self.0.owner);
        nodes.push(nodes::Node {
            id: self.0.owner.clone(),
            beats: 0,
            started_at_ms: now_ms,
            beat_at_ms: now_ms,
            notes: self.notes(),
        });
        Ok(Status { nodes })
    }
}

/// The engine, for people and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Every node, this one last.
    pub nodes: Vec<nodes::Node>,
}

impl Status {
    /// The accounts that some node does not ask freely just now.
    pub fn troubled(&self) -> Vec<&nodes::Account> {
        use crate::domain::circuit::Phase;
        let mut troubled: Vec<&nodes::Account> = Vec::new();
        for account in self.nodes.iter().flat_map(|node| &node.notes.accounts) {
            let closed = account.gate.circuit == Phase::Closed;
            if !closed && troubled.iter().all(|known| known.account != account.account) {
                troubled.push(account);
            }
        }
        troubled
    }
}
