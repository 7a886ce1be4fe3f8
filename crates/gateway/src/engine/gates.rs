//! The gates before Klarna's accounts, as this node keeps them: nobody asks Klarna without having
//! passed the account's gate.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use service::Clock;
use tokio::sync::Notify;

use super::Engine;
use super::klarna::{Klarna, Outcome};
use crate::domain::gate::{Ended, Gate};
use crate::domain::operation::{Effect, Failure};
use crate::domain::pacing::{Class, Priority};
use crate::store::nodes::Account;

/// From so many accounts on, those that rest are forgotten.
const MANY: usize = 1024;

/// So many may wait for a place; whoever comes then is told at once that too much is asked.
const MOST_WAITING: usize = 1024;

/// The code of a failure that was made up here: the gate was shut, and nothing was sent.
const SHUT: &str = "GATE_SHUT";

/// Every gate of this node, by account.
#[derive(Clone)]
#[allow(clippy::struct_field_names, reason = "gates are what it keeps")]
pub(super) struct Gates {
    by_account: Arc<Mutex<BTreeMap<String, Gate>>>,
    clock: Arc<dyn Clock>,
    /// Rings when a place has become free.
    freed: Arc<Notify>,
    waiting: Arc<AtomicUsize>,
}

/// Why a call may not begin.
enum Closed {
    /// Only for want of a place; when one may be free.
    Full(i64),
    /// Klarna is not to be asked for so long.
    For(i64),
}

/// One that waits for a place.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gates {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { by_account: Arc::default(), clock, freed: Arc::default(), waiting: Arc::default() }
    }

    /// Every gate as it stands now, to plan with.
    pub(super) fn plan(&self) -> BTreeMap<String, Gate> {
        self.by_account.lock().clone()
    }

    /// Takes over the turns that a plan has handed out.
    pub(super) fn take_turns_from(&self, plan: &BTreeMap<String, Gate>) {
        let mut gates = self.by_account.lock();
        for (account, planned) in plan {
            gates.entry(account.clone()).or_default().take_turns_from(planned);
        }
    }

    /// A turn for what Klarna does not want just now.
    pub(super) fn turn(&self, account: &str, opens_ms: i64) -> i64 {
        self.by_account.lock().entry(account.to_owned()).or_default().turn(opens_ms)
    }

    /// Begins a call that was admitted.
    pub(super) fn begin(&self, account: &str, class: Class) -> Permit {
        let now_ms = self.clock.now_ms();
        let mut gates = self.by_account.lock();
        if gates.len() >= MANY {
            gates.retain(|_, gate| !gate.rests(now_ms));
        }
        gates.entry(account.to_owned()).or_default().begin(class, now_ms);
        let account = account.to_owned();
        let gates = self.clone();
        Permit { gates, account, class, ended: Ended::Unheard, began_ms: now_ms }
    }

    /// Begins a call, or says what keeps it.
    fn enter(&self, account: &str, class: Class, priority: Priority) -> Result<Permit, Closed> {
        let now_ms = self.clock.now_ms();
        {
            let mut gates = self.by_account.lock();
            let gate = gates.entry(account.to_owned()).or_default();
            if let Err(opens_ms) = gate.admits(class, priority, now_ms) {
                return Err(if gate.is_full(class, priority, now_ms) {
                    Closed::Full(opens_ms - now_ms)
                } else {
                    Closed::For(gate.turn(opens_ms) - now_ms)
                });
            }
        }
        Ok(self.begin(account, class))
    }

    /// A place for a call, if it may begin now.
    pub(super) fn place(&self, account: &str, priority: Priority) -> Option<Permit> {
        let now_ms = self.clock.now_ms();
        {
            let mut gates = self.by_account.lock();
            let gate = gates.entry(account.to_owned()).or_default();
            gate.admits(Class::Other, priority, now_ms).ok()?;
        }
        Some(self.begin(account, Class::Other))
    }

    /// Begins a call, or says when the gate may open. Whom somebody waits for waits for a place: a call
    /// ends within seconds, and more shoppers at once than there are places is no reason to send one away.
    async fn enter_in_turn(
        &self,
        account: &str,
        class: Class,
        priority: Priority,
    ) -> Result<Permit, i64> {
        loop {
            // Made before the look, so that no bell is missed in between.
            let freed = self.freed.notified();
            match self.enter(account, class, priority) {
                Ok(permit) => return Ok(permit),
                Err(Closed::For(wait_ms)) => return Err(wait_ms),
                Err(Closed::Full(wait_ms)) => {
                    let before = self.waiting.fetch_add(1, Ordering::Relaxed);
                    let _waiting = Waiting(&self.waiting);
                    if priority == Priority::Background || before >= MOST_WAITING {
                        return Err(wait_ms);
                    }
                    freed.await;
                }
            }
        }
    }

    /// As people and metrics see them.
    pub(super) fn view(&self, now_ms: i64) -> Vec<Account> {
        let gates = self.by_account.lock();
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
    began_ms: i64,
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
        if let Some(gate) = self.gates.by_account.lock().get_mut(&self.account) {
            if self.ended == Ended::Answered {
                gate.took(now_ms - self.began_ms);
            }
            gate.end(self.class, self.ended, now_ms);
        }
        self.gates.freed.notify_waiters();
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
        error_code: Some(SHUT.into()),
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: Some(wait_ms),
        summary: "Klarna is not asked just now: it does not answer, or too much is asked of it"
            .to_owned(),
        step_up_id: None,
    }
}

impl Engine {
    /// Makes a call that stands in no journal, if the account's gate is open or only crowded.
    pub(super) async fn through<T>(
        &self,
        account: &dyn Klarna,
        class: Class,
        priority: Priority,
        call: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let gates = &self.0.gates;
        let permit =
            gates.enter_in_turn(account.account_id(), class, priority).await.map_err(shut)?;
        let outcome = call.await;
        permit.end(&outcome);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::pin::pin;

    use service::ManualClock;

    use super::*;
    use crate::domain::gate::PLACES;

    #[tokio::test]
    async fn whom_somebody_waits_for_gets_the_next_place() {
        let gates = Gates::new(ManualClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let begin = |_| gates.begin("klarna", Class::Other);
        let mut permits: Vec<Permit> = (0..PLACES).map(begin).collect();
        let mut waiter =
            pin!(gates.enter_in_turn("klarna", Class::CreateSession, Priority::Interactive));
        tokio::select! {
            biased;
            _ = &mut waiter => panic!("there was no place"),
            () = ready(()) => {}
        }
        let background = gates.enter_in_turn("klarna", Class::Other, Priority::Background).await;
        assert!(background.is_err(), "nobody waits for this one");
        let other = gates.enter_in_turn("other", Class::Other, Priority::Interactive).await;
        assert!(other.is_ok(), "another account has places of its own");
        permits.pop();
        assert!(waiter.await.is_ok());
        assert_eq!(gates.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_klarna_that_is_down() {
        let gates = Gates::new(ManualClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        for _ in 0..PLACES {
            let mut permit = gates.begin("klarna", Class::Other);
            permit.ended = Ended::Down;
        }
        let entered = gates.enter_in_turn("klarna", Class::Other, Priority::Interactive).await;
        assert!(entered.is_err_and(|wait_ms| wait_ms > 0));
    }
}
