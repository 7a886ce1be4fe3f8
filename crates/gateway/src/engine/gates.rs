//! The gates before Klarna's accounts, as this node keeps them: nobody asks Klarna without having
//! passed the account's gate.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use service::Clock;

use super::Engine;
use super::klarna::{Klarna, Outcome};
use crate::domain::gate::{Ended, Gate};
use crate::domain::operation::{Effect, Failure};
use crate::domain::pacing::{Class, Priority};
use crate::store::nodes::Account;

/// From so many accounts on, those that rest are forgotten.
const MANY: usize = 1024;

/// The code of a failure that was made up here: the gate was shut, and nothing was sent.
const SHUT: &str = "GATE_SHUT";

/// Every gate of this node, by account.
#[derive(Clone)]
pub(super) struct Gates {
    gates: Arc<Mutex<BTreeMap<String, Gate>>>,
    clock: Arc<dyn Clock>,
}

impl Gates {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { gates: Arc::default(), clock }
    }

    /// Every gate as it stands now, to plan with.
    pub(super) fn plan(&self) -> BTreeMap<String, Gate> {
        self.gates.lock().clone()
    }

    /// Takes over the turns that a plan has handed out.
    pub(super) fn take_turns_from(&self, plan: &BTreeMap<String, Gate>) {
        let mut gates = self.gates.lock();
        for (account, planned) in plan {
            gates.entry(account.clone()).or_default().take_turns_from(planned);
        }
    }

    /// A turn for what Klarna does not want just now.
    pub(super) fn turn(&self, account: &str, opens_ms: i64) -> i64 {
        self.gates.lock().entry(account.to_owned()).or_default().turn(opens_ms)
    }

    /// Begins a call that was admitted.
    pub(super) fn begin(&self, account: &str, class: Class) -> Permit {
        let now_ms = self.clock.now_ms();
        let mut gates = self.gates.lock();
        if gates.len() >= MANY {
            gates.retain(|_, gate| !gate.rests(now_ms));
        }
        gates.entry(account.to_owned()).or_default().begin(class, now_ms);
        Permit { gates: self.clone(), account: account.to_owned(), class, ended: Ended::Unheard }
    }

    /// Begins a call, or says when the gate may open.
    fn enter(&self, account: &str, class: Class, priority: Priority) -> Result<Permit, i64> {
        let now_ms = self.clock.now_ms();
        {
            let mut gates = self.gates.lock();
            let gate = gates.entry(account.to_owned()).or_default();
            if let Err(opens_ms) = gate.admits(class, priority, now_ms) {
                return Err(gate.turn(opens_ms) - now_ms);
            }
        }
        Ok(self.begin(account, class))
    }

    /// As people and metrics see them.
    pub(super) fn view(&self, now_ms: i64) -> Vec<Account> {
        let gates = self.gates.lock();
        gates
            .iter()
            .map(|(account, gate)| Account { account: account.clone(), gate: gate.view(now_ms) })
            .collect()
    }
}

/// One call under way. Dropped without a word, it counts as one that nobody heard of.
pub(super) struct Permit {
    gates: Gates,
    account: String,
    class: Class,
    ended: Ended,
}

impl Permit {
    /// Says what came of the call.
    pub(super) fn end<T>(mut self, outcome: &Result<T, Failure>) {
        self.ended = match outcome {
            Ok(_) => Ended::Answered,
            Err(failure) => Ended::of(failure),
        };
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now_ms = self.gates.clock.now_ms();
        if let Some(gate) = self.gates.gates.lock().get_mut(&self.account) {
            gate.end(self.class, self.ended, now_ms);
        }
    }
}

/// Whether a call was not made because the gate was shut.
pub(super) fn was_shut(failure: &Failure) -> bool {
    failure.error_code.as_deref() == Some(SHUT)
}

fn shut(wait_ms: i64) -> Failure {
    Failure {
        effect: Effect::NoneYet,
        status: None,
        error_code: Some(SHUT.to_owned()),
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: Some(wait_ms),
        summary: "Klarna is not asked just now: it does not answer, or too much is asked of it"
            .to_owned(),
    }
}

impl Engine {
    /// Makes a call that stands in no journal, if the account's gate is open.
    pub(super) async fn through<T>(
        &self,
        account: &dyn Klarna,
        class: Class,
        priority: Priority,
        call: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let permit = self.0.gates.enter(account.account_id(), class, priority).map_err(shut)?;
        let outcome = call.await;
        permit.end(&outcome);
        outcome
    }
}
