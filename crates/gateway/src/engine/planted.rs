//! Bugs that the simulation must find: the test of the test.
//!
//! Compiled into this crate's own tests and into nothing else, so that no program can have one.

use storage::queue::Item;
use storage::{Error, Tx};

use super::commands::{self, Command, Intent, NotPossible};
use super::{Engine, Inner, Parts, worker};
use crate::domain::journal::Operation;
use crate::fault::Fault;
use crate::observe::Metrics;
use crate::store::operations::INTERACTIVE;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// A command is written into the journal after Klarna was asked.
    JournalAfterCall,
    /// Each try has a key of its own.
    FreshKeys,
    /// What came of a call is recorded whether or not the lease is still held.
    LeaseUnchecked,
    /// Klarna is asked although others may have taken over meanwhile.
    AsksWithoutLease,
    /// Nobody sees from the journal that Klarna may have been asked.
    RunningUnmarked,
    /// No answer is taken for a refusal.
    LostMeansRefused,
}

impl Bug {
    /// Every bug.
    pub(super) const ALL: [Self; 6] = [
        Self::JournalAfterCall,
        Self::FreshKeys,
        Self::LeaseUnchecked,
        Self::AsksWithoutLease,
        Self::RunningUnmarked,
        Self::LostMeansRefused,
    ];
}

impl Engine {
    /// One of several nodes, perhaps with a bug.
    pub(super) fn simulated(parts: Parts, bug: Option<Bug>) -> Self {
        let mut inner = Inner::new(parts, Metrics::default(), true);
        inner.planted = bug;
        // As a running engine does; its steps carry it out.
        inner.taker = parking_lot::Mutex::new(super::Taker::Steps(Vec::new()));
        Self(std::sync::Arc::new(inner))
    }

    /// Whether it has this bug.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.0.planted == Some(bug)
    }
}

/// An operation as it is settled: as it is stored, or, with the bug, as it was when it was claimed,
/// with a lease that is made up.
pub(super) fn held_anyway(
    bug: Option<Bug>,
    tx: &mut Tx<'_>,
    item: &Item,
    stored: Option<Operation>,
    held: &Operation,
) -> Result<Option<Operation>, Fault> {
    let unchecked = bug == Some(Bug::LeaseUnchecked);
    let unmarked = bug == Some(Bug::RunningUnmarked);
    let Some(stored) = stored.filter(|_| unchecked || unmarked) else { return Ok(None) };
    if unchecked {
        INTERACTIVE.cancel(tx, &item.id)?;
        tx.execute(
            "INSERT INTO work_items (queue, id, due_at_ms, payload, attempts, lease, leased_by, leased_until_ms)
             VALUES ($1, $2, 0, '', 0, $3, 'nobody', 0)",
            &[&INTERACTIVE.name, &item.id, &item.lease],
        )?;
    }
    Ok(Some(Operation { version: stored.version, ..held.clone() }))
}

/// What a unit of work that is undone on purpose has found out.
enum Undone {
    Planned(Box<Result<Operation, NotPossible>>),
    Fault(Fault),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Fault(error.into())
    }
}

/// The bug: Klarna is asked, and only then is written down that it was to be asked.
pub(super) async fn ask_then_write(
    engine: &Engine,
    wish: (String, String, String, String),
    command: Command,
) -> Result<Result<Operation, NotPossible>, Fault> {
    let now_ms = engine.now_ms();
    let (planned_wish, planned_command) = (wish.clone(), command.clone());
    let planned = engine
        .database()
        .write(move |tx| {
            let (store_id, payment_id, dedupe, new_id) = &planned_wish;
            let intent = Intent { store_id, payment_id, dedupe, new_id };
            match commands::take_command(tx, intent, &planned_command, now_ms) {
                Ok(planned) => Err::<(), _>(Undone::Planned(Box::new(planned))),
                Err(fault) => Err(Undone::Fault(fault)),
            }
        })
        .await;
    match planned {
        Err(Undone::Planned(planned)) => match *planned {
            // A second press finds the first one's entry.
            Ok(operation) if operation.id == wish.3 && !operation.held => {
                let (account_id, country) = worker::account_of(engine, &operation).await?;
                let account = engine.account(&operation.store_id, account_id.as_deref(), &country);
                if let Some(account) = account {
                    let key = operation.klarna_key();
                    // What came of it will be asked for again, under the same key.
                    let _ = worker::ask(account.as_ref(), &operation, &key, None).await;
                }
            }
            Ok(_) => {}
            Err(not_possible) => return Ok(Err(not_possible)),
        },
        Err(Undone::Fault(fault)) => return Err(fault),
        Ok(()) => {}
    }
    engine
        .database()
        .write(move |tx| {
            let (store_id, payment_id, dedupe, new_id) = &wish;
            let intent = Intent { store_id, payment_id, dedupe, new_id };
            commands::take_command(tx, intent, &command, now_ms)
        })
        .await
}
