//! Claims work, asks Klarna, and hands what came of it to [`super::settle`].

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use klarna_types::AuthorizationToken;
use klarna_types::order_management::Order;
use klarna_types::payments::{CreatedCustomerToken, CreatedOrder};
use parking_lot::Mutex;
use storage::Tx;
use storage::queue::Item;
use tracing::{Instrument as _, Span};

use super::gates::{Permit, was_shut};
use super::hub::Seat;
use super::klarna::{Accounts, Answer, Klarna, Outcome};
#[cfg(test)]
use super::planted;
use super::settle::{self, Verdict};
use super::{Claimed, Engine, Turn, Work, changes, mirror, tasks};
use crate::domain::account::CONFIGURED;
use crate::domain::exchange;
use crate::domain::gate::Gate;
use crate::domain::journal::{Charge, Operation, Request};
use crate::domain::lease::{self, LEASE_MS};
use crate::domain::operation::{
    Decision, Doubt, Effect, Facts, Failure, Finding, Mark, Reason, Refusal, State, Step, decide,
    doubt_of, find_effect,
};
use crate::domain::pacing::{Class, Priority};
use crate::domain::payment::Payment;
use crate::domain::retry;
use crate::fault::Fault;
use crate::observe::trace;
use crate::store::operations::{self, Attempt, BACKGROUND, INTERACTIVE};
use crate::store::payments;

/// Takes what is due, what someone waits for first. The operations are marked as running in the
/// same unit of work, so that a crash after this is known to leave doubt. What Klarna is not to be
/// asked for just now is put off and keeps its tries.
pub(super) async fn claim(engine: &Engine, limit: i64) -> Result<Claimed, Fault> {
    let now_ms = engine.now_ms();
    let due = engine
        .database()
        .read(move |tx| {
            let interactive = INTERACTIVE.next_due_at(tx)?;
            let background = BACKGROUND.next_due_at(tx)?;
            Ok::<_, Fault>([interactive, background].into_iter().flatten().any(|at| at <= now_ms))
        })
        .await?;
    if !due {
        return Ok(Claimed { work: Vec::new(), put_off: 0 });
    }
    let plan = Plan {
        now_ms,
        owner: engine.0.owner.clone(),
        accounts: Arc::clone(&engine.0.parts.accounts),
        gates: engine.0.gates.plan(),
        marking: engine.marking(),
    };
    let planned =
        engine.database().write_row_locked(move |tx| plan.clone().carry_out(tx, limit)).await?;
    engine.0.gates.take_turns_from(&planned.gates);
    let operations = planned.turns.into_iter().map(|turn| {
        let account = turn.account.map(|account| {
            let permit = engine.0.gates.begin(account.account_id(), Class::Other);
            (account, permit)
        });
        Work::Operation(Box::new(Turn {
            item: turn.item,
            operation: turn.operation,
            token: turn.token,
            claimed_at_ms: now_ms,
            country: turn.country,
            account,
        }))
    });
    let mut work: Vec<_> = operations.collect();
    work.extend(planned.reads.into_iter().map(Work::Read));
    Ok(Claimed { work, put_off: planned.put_off })
}

impl Engine {
    /// Runs a unit of work that accepts an operation, which `accepted` finds in what the unit answers. Unless
    /// something older is due, the same unit claims the operation and marks it as running, so that one commit
    /// stands between a shop's wish and the call to Klarna; whoever wants to wait for it then has a seat. What waits
    /// in the journal instead is told to the loop.
    pub async fn accept<T, F, A>(&self, unit: F, accepted: A) -> Result<(T, Option<Seat>), Fault>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        A: Fn(&T) -> Option<&Operation> + Send + 'static,
        T: Send + 'static,
    {
        let accepting = self.clone().accept_and_begin(unit, accepted);
        if !self.has_loop() {
            return accepting.await;
        }
        // A caller who goes away meanwhile takes nothing along: what is committed as begun is begun.
        tokio::spawn(accepting.instrument(Span::current())).await.unwrap_or_else(|ended| {
            Err(Fault::inconsistent(format!("a unit of work did not end as it should: {ended}")))
        })
    }

    async fn accept_and_begin<T, F, A>(
        self,
        unit: F,
        accepted: A,
    ) -> Result<(T, Option<Seat>), Fault>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        A: Fn(&T) -> Option<&Operation> + Send + 'static,
        T: Send + 'static,
    {
        if !self.takes_handed() {
            let answer = self.database().write(unit).await?;
            self.wake();
            return Ok((answer, None));
        }
        let begins = Begins { engine: self.clone(), now_ms: self.now_ms(), place: Arc::default() };
        let (now_ms, place) = (begins.now_ms, Arc::clone(&begins.place));
        let (answer, turn) = self
            .database()
            .write(move |tx| {
                let answer = unit(tx)?;
                let turn = match accepted(&answer) {
                    Some(operation) => begins.take(tx, operation)?,
                    None => None,
                };
                Ok::<_, Fault>((answer, turn))
            })
            .await?;
        let permit = place.lock().take();
        let (Some(turn), Some(permit)) = (turn, permit) else {
            self.wake();
            return Ok((answer, None));
        };
        let seat = self.0.hub.wait_for(&turn.operation.id);
        self.0.news.notify_waiters();
        self.hand_over(Work::Operation(Box::new(Turn {
            item: turn.item,
            operation: turn.operation,
            token: turn.token,
            claimed_at_ms: now_ms,
            country: turn.country,
            account: turn.account.map(|account| (account, permit)),
        })));
        Ok((answer, Some(seat)))
    }
}

/// Begins with an operation in the unit of work that accepts it.
struct Begins {
    engine: Engine,
    now_ms: i64,
    /// The place at the gate, taken by the first of the unit's runs, should it run more than once.
    place: Arc<Mutex<Option<Permit>>>,
}

impl Begins {
    /// Claims it and marks it as running. None: it waits in the journal, as whatever may not begin.
    fn take(&self, tx: &mut Tx<'_>, accepted: &Operation) -> Result<Option<PlannedTurn>, Fault> {
        let is_fresh = accepted.state == State::Queued && !accepted.held && accepted.attempts == 0;
        // A node that has not counted for a while begins nothing: its loop does, after it has counted.
        let may_begin = self.now_ms <= self.engine.may_begin_until_ms(self.now_ms);
        if !is_fresh || !may_begin || INTERACTIVE.backlog(tx, self.now_ms, 2)?.0 > 1 {
            return Ok(None);
        }
        let (account_id, country) = account_in(tx, accepted)?;
        let account_id = account_id.as_deref().unwrap_or(CONFIGURED);
        let accounts = self.engine.accounts();
        let Some(account) = accounts.named(&accepted.store_id, account_id, &country) else {
            return Ok(None);
        };
        if !self.has_place(account.account_id(), priority(accepted)) {
            return Ok(None);
        }
        let (owner, id) = (&self.engine.0.owner, &accepted.id);
        let Some(item) = INTERACTIVE.claim_one(tx, id, self.now_ms, owner, LEASE_MS)? else {
            return Ok(None);
        };
        // As it was written: what is kept with it, such as its trace, is known there alone.
        let stored = operations::get(tx, id)?;
        let mut operation = stored.ok_or_else(|| {
            Fault::inconsistent(format!("operation {id} is gone as soon as it was accepted"))
        })?;
        mark_running(tx, &mut operation, self.engine.marking(), self.now_ms)?;
        let token = operations::token(tx, id)?;
        Ok(Some(PlannedTurn { item, operation, token, country, account: Some(account) }))
    }

    fn has_place(&self, account_id: &str, priority: Priority) -> bool {
        let mut place = self.place.lock();
        if place.is_none() {
            *place = self.engine.0.gates.place(account_id, priority);
        }
        place.is_some()
    }
}

/// What a claim is decided with: as it was before, since a unit of work may run more than once.
#[derive(Clone)]
struct Plan {
    now_ms: i64,
    owner: String,
    accounts: Arc<dyn Accounts>,
    gates: BTreeMap<String, Gate>,
    marking: Marking,
}

/// Whether operations are marked as running before Klarna is asked. They are; tests show what would
/// happen otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marking {
    BeforeTheCall,
    #[cfg(test)]
    Never,
}

struct PlannedTurn {
    item: Item,
    operation: Operation,
    token: Option<String>,
    country: String,
    account: Option<Arc<dyn Klarna>>,
}

struct Planned {
    turns: Vec<PlannedTurn>,
    reads: Vec<Item>,
    put_off: usize,
    gates: BTreeMap<String, Gate>,
}

impl Plan {
    fn carry_out(self, tx: &mut Tx<'_>, limit: i64) -> Result<Planned, Fault> {
        let now_ms = self.now_ms;
        let mut planned =
            Planned { turns: Vec::new(), reads: Vec::new(), put_off: 0, gates: self.gates };
        for item in INTERACTIVE.claim(tx, now_ms, &self.owner, LEASE_MS, limit)? {
            let operation = operations::get(tx, &item.id)?;
            let Some(mut operation) = operation.filter(|found| !found.state.is_settled()) else {
                INTERACTIVE.complete(tx, &item)?;
                continue;
            };
            let (account_id, country) = account_in(tx, &operation)?;
            let account_id = account_id.as_deref().unwrap_or(CONFIGURED);
            let account = self.accounts.named(&operation.store_id, account_id, &country);
            if let Some(account) = &account {
                let gate = planned.gates.entry(account.account_id().to_owned()).or_default();
                if let Err(opens_ms) = gate.admits(Class::Other, priority(&operation), now_ms) {
                    INTERACTIVE.put_back(tx, &item, gate.turn(opens_ms))?;
                    planned.put_off += 1;
                    continue;
                }
                gate.begin(Class::Other, now_ms);
            }
            mark_running(tx, &mut operation, self.marking, now_ms)?;
            let token = operations::token(tx, &operation.id)?;
            planned.turns.push(PlannedTurn { item, operation, token, country, account });
        }
        let left = limit
            - i64::try_from(planned.turns.len().saturating_add(planned.put_off)).unwrap_or(limit);
        if left > 0 {
            planned.reads = BACKGROUND.claim(tx, now_ms, &self.owner, LEASE_MS, left)?;
        }
        Ok(planned)
    }
}

/// Marks an operation as running: a crash after this is known to leave doubt.
fn mark_running(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    marking: Marking,
    now_ms: i64,
) -> Result<(), Fault> {
    operation.step(Step::Start, now_ms).map_err(Fault::inconsistent)?;
    match marking {
        Marking::BeforeTheCall => operations::update(tx, operation),
        #[cfg(test)]
        Marking::Never => Ok(()),
    }
}

/// Whether somebody may be waiting for an operation. Nobody does for the charge of a subscription.
fn priority(operation: &Operation) -> Priority {
    match &operation.request {
        Request::Charge(Charge { subscription: Some(_), .. }) => Priority::Background,
        _ => Priority::Interactive,
    }
}

/// Carries one piece of work out. A failure of our own is logged, and the lease runs out: another
/// worker, or this one, takes it up again.
pub(super) async fn carry_out(engine: &Engine, work: Work) {
    match work {
        Work::Operation(turn) => {
            let id = turn.operation.id.clone();
            let span = turn_span(&turn.operation);
            // Boxed: it holds whole orders of Klarna, and callers need not.
            let ended = Box::pin(operate(engine, *turn).instrument(span)).await;
            match &ended {
                Ok(_) => {}
                Err(Fault::LeaseLost) => {
                    tracing::warn!(operation.id = %id, "another worker took this operation over");
                }
                Err(error) => {
                    tracing::error!(operation.id = %id, %error, "an outcome could not be recorded");
                }
            }
            match ended {
                Ok(operation) if operation.state.is_settled() => engine.0.hub.settled(operation),
                Ok(_) | Err(_) => engine.0.hub.moved(&id),
            }
            engine.0.news.notify_waiters();
        }
        Work::Read(item) => {
            if let Err(error) = tasks::read(engine, &item).await {
                tracing::error!(read.id = %item.id, %error, "a read of Klarna could not be recorded");
            }
        }
    }
}

/// One turn at an operation, in the trace of the call that wanted it.
fn turn_span(operation: &Operation) -> Span {
    let kind = operation.kind.name();
    let span = tracing::error_span!(
        "operation",
        operation.id = %operation.id,
        operation.kind = kind,
        operation.attempt = operation.attempts,
        trace.id = tracing::field::Empty,
        otel.name = %format_args!("operation {kind}"),
        otel.kind = "consumer",
    );
    trace::follow(&span, operation.trace_parent.as_deref());
    span
}

/// Answers the operation as it then is.
async fn operate(engine: &Engine, turn: Turn) -> Result<Operation, Fault> {
    let Turn { item, operation, token, claimed_at_ms, country, account } = turn;
    let Some((account, permit)) = account else {
        let verdict = Verdict::Refused(Refusal {
            reason: Reason::CredentialsRefused,
            detail: format!("This store has no Klarna account for {country}."),
            remedy: "Give the gateway credentials for this store and country.".to_owned(),
            klarna: None,
        });
        return settle::settle(engine, &item, operation, verdict, None).await;
    };
    let begins_at_ms = engine.now_ms();
    if !operation.may_be_sent(begins_at_ms) {
        drop(permit);
        let verdict =
            verify(engine, account.as_ref(), &operation, Doubt::Old, not_repeatable()).await?;
        return settle::settle(engine, &item, operation, verdict, None).await;
    }
    // Whoever was away for so long that others may have taken over does not ask any more.
    if begins_at_ms > engine.may_begin_until_ms(claimed_at_ms) {
        return Err(Fault::LeaseLost);
    }
    let result = ask(account.as_ref(), &operation, &engine.key_of(&operation), token).await;
    permit.end(&result);
    let at_ms = engine.now_ms();
    let attempt = attempt(&operation, &result, (begins_at_ms, at_ms));
    let verdict = match result {
        Ok(answer) => Verdict::Done(answer.value),
        Err(failure) if operation.may_be_put_off(&failure, at_ms) => {
            let opens_ms = at_ms + failure.retry_after_ms.unwrap_or(0).clamp(0, LONGEST_PUT_OFF_MS);
            Verdict::PutOff { until_ms: engine.0.gates.turn(account.account_id(), opens_ms) }
        }
        Err(failure) => {
            let facts = Facts {
                kind: operation.kind,
                doubted: operation.doubted,
                attempts: operation.tries,
            };
            let doubt = doubt_of(&failure);
            match engine.decide(facts, &failure) {
                Decision::Refuse(refusal) => Verdict::Refused(refusal),
                Decision::Postpone { wait_ms } => Verdict::Postponed { until_ms: at_ms + wait_ms },
                Decision::Doubt { wait_ms } => {
                    Verdict::InDoubt { until_ms: at_ms + wait_ms, doubt }
                }
                Decision::HandOver(refusal) => Verdict::HandOver(refusal),
                Decision::Verify(refusal) => {
                    verify(engine, account.as_ref(), &operation, doubt, refusal).await?
                }
            }
        }
    };
    settle::settle(engine, &item, operation, verdict, Some(attempt)).await
}

/// The longest that Klarna's wish to be asked later is followed.
const LONGEST_PUT_OFF_MS: i64 = 60 * 1000;

#[cfg_attr(not(test), allow(clippy::unused_self, reason = "tests plant bugs here"))]
impl Engine {
    /// Until when a call may begin for work that was claimed then.
    fn may_begin_until_ms(&self, claimed_at_ms: i64) -> i64 {
        #[cfg(test)]
        if self.has(planted::Bug::AsksWithoutLease) {
            return i64::MAX;
        }
        self.0.nodes.may_begin_until_ms(claimed_at_ms)
    }

    /// The key under which Klarna is asked.
    fn key_of(&self, operation: &Operation) -> String {
        #[cfg(test)]
        if self.has(planted::Bug::FreshKeys) {
            return self.fresh_secret();
        }
        operation.klarna_key()
    }

    fn marking(&self) -> Marking {
        #[cfg(test)]
        if self.has(planted::Bug::RunningUnmarked) {
            return Marking::Never;
        }
        Marking::BeforeTheCall
    }

    fn decide(&self, facts: Facts, failure: &Failure) -> Decision {
        #[cfg(test)]
        if self.has(planted::Bug::LostMeansRefused) && failure.effect == Effect::Unknown {
            return Decision::Refuse(not_repeatable());
        }
        decide(facts, failure)
    }
}

fn account_in(tx: &mut Tx<'_>, operation: &Operation) -> Result<(Option<String>, String), Fault> {
    if let Request::Charge(Charge { account_id, country, .. })
    | Request::CancelToken { account_id, country, .. } = &operation.request
    {
        return Ok((account_id.clone(), country.clone()));
    }
    let checkout_id = &operation.checkout_id;
    if let Some(checkout) = crate::store::checkouts::get(tx, checkout_id)? {
        return Ok((checkout.account_id, checkout.cart.country.as_str().to_owned()));
    }
    // The payment of a charged customer token has no checkout.
    let payment = match &operation.payment_id {
        Some(payment_id) => payments::get(tx, payment_id)?,
        None => None,
    };
    payment
        .map(|payment| (payment.account_id, payment.country))
        .ok_or_else(|| Fault::inconsistent(format!("checkout {checkout_id} is gone")))
}

/// The name of the account that an operation goes to, and the country that it is about.
pub(super) async fn account_of(
    engine: &Engine,
    operation: &Operation,
) -> Result<(Option<String>, String), Fault> {
    let operation = operation.clone();
    engine.database().read(move |tx| account_in(tx, &operation)).await
}

/// What an operation made.
pub(super) enum Made {
    Order(CreatedOrder),
    /// A capture or refund, by id.
    Entry(String),
    /// A customer token.
    Token(Box<CreatedCustomerToken>),
    /// A later expiry.
    Expiry(i64),
    /// A cancelled order, a released rest, a change.
    Nothing,
}

pub(super) async fn ask(
    account: &dyn Klarna,
    operation: &Operation,
    key: &str,
    token: Option<String>,
) -> Result<Answer<Made>, Failure> {
    match &operation.request {
        Request::PlaceOrder { body, .. } => {
            let Some(token) = token else { return Err(token_gone()) };
            let token = AuthorizationToken::new(token);
            let answer = account.place_order(&token, body).await?;
            Ok(answer.with(Made::Order))
        }
        Request::Capture(transfer) => {
            let answer = account.capture(&transfer.order_id, key, &transfer.body).await?;
            Ok(answer.with(Made::Entry))
        }
        Request::Refund(transfer) => {
            let answer = account.refund(&transfer.order_id, key, &transfer.body).await?;
            Ok(answer.with(Made::Entry))
        }
        Request::Cancel { order_id } => {
            Ok(account.cancel(order_id, key).await?.with(|()| Made::Nothing))
        }
        Request::Release { order_id, .. } => {
            Ok(account.release(order_id, key).await?.with(|()| Made::Nothing))
        }
        Request::Change(request) => changes::ask(account, request, key, token.as_deref()).await,
        Request::CreateToken { body, .. } => {
            let Some(token) = token else { return Err(token_gone()) };
            let token = AuthorizationToken::new(token);
            let answer = account.create_customer_token(&token, body).await?;
            Ok(answer.with(|made| Made::Token(Box::new(made))))
        }
        Request::Charge(charge) => {
            let Some(token) = token else { return Err(token_gone()) };
            let answer = account.charge_customer_token(&token, key, &charge.body).await?;
            Ok(answer.with(Made::Order))
        }
        Request::CancelToken { .. } => {
            let Some(token) = token else { return Err(token_gone()) };
            Ok(account.cancel_customer_token(&token).await?.with(|()| Made::Nothing))
        }
    }
}

fn token_gone() -> Failure {
    Failure {
        effect: Effect::Refused,
        status: None,
        error_code: None,
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: None,
        step_up_id: None,
        summary: "the authorization token is no longer kept".to_owned(),
    }
}

fn not_repeatable() -> Refusal {
    Refusal {
        reason: Reason::Unreachable,
        detail: "Klarna's books show that it did not take effect, and it is too late to repeat it."
            .to_owned(),
        remedy: "Ask for it again if it is still wanted.".to_owned(),
        klarna: None,
    }
}

/// How long a look at Klarna's books may be put off before a person is asked.
const VERIFY_WITHIN_MS: i64 = 2 * retry::KEY_WINDOW_MS;
/// How long until the next look, when one failed.
const VERIFY_AGAIN_MS: i64 = 30 * 60 * 1000;

/// Looks in Klarna's books whether an operation took effect; `otherwise` stands if it did not, and
/// no call that could still do it is on its way.
pub(super) async fn verify(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    doubt: Doubt,
    otherwise: Refusal,
) -> Result<Verdict, Fault> {
    let read_at_ms = engine.now_ms();
    let unclear_until_ms = match doubt {
        Doubt::Fresh => lease::settled_at_ms(read_at_ms),
        Doubt::Old => operation.unclear_until_ms(),
    };
    let verdict = match &operation.request {
        // Should it take effect after all, nothing is amiss.
        Request::Change(request) if request.change().is_harmless_twice() => {
            return Ok(Verdict::Refused(changes::unseen(&otherwise)));
        }
        Request::PlaceOrder { session_id, .. } => {
            use klarna_types::payments::SessionStatus;
            match read(engine, account, account.read_session(session_id)).await {
                Ok(answer) => match answer.value.status {
                    Some(SessionStatus::Incomplete) => Verdict::Refused(otherwise),
                    _ => Verdict::HandOver(order_unknown(otherwise)),
                },
                Err(failure) if failure.effect == Effect::Refused => {
                    Verdict::HandOver(order_unknown(otherwise))
                }
                Err(failure) => verify_later(engine, operation, doubt, &failure, otherwise),
            }
        }
        Request::CreateToken { .. } | Request::Charge(_) | Request::CancelToken { .. } => {
            Box::pin(super::recurring::verify(engine, account, operation, doubt, otherwise)).await?
        }
        Request::Capture(_)
        | Request::Refund(_)
        | Request::Cancel { .. }
        | Request::Release { .. }
        | Request::Change(_) => {
            let order_id = operation.order_id().unwrap_or_default();
            match read(engine, account, account.read_order(order_id)).await {
                Ok(answer) => look_up(engine, operation, answer.value, otherwise).await?,
                Err(failure) if failure.effect == Effect::Refused => {
                    Verdict::HandOver(unclear(otherwise))
                }
                Err(failure) => verify_later(engine, operation, doubt, &failure, otherwise),
            }
        }
    };
    Ok(match verdict {
        Verdict::Refused(_) if read_at_ms < unclear_until_ms => {
            Verdict::InDoubt { until_ms: unclear_until_ms, doubt }
        }
        verdict => verdict,
    })
}

/// A look into Klarna's books that somebody waits for.
pub(super) async fn read<T>(
    engine: &Engine,
    account: &dyn Klarna,
    call: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    engine.through(account, Class::Other, Priority::Interactive, call).await
}

async fn look_up(
    engine: &Engine,
    operation: &Operation,
    order: Order,
    otherwise: Refusal,
) -> Result<Verdict, Fault> {
    Ok(match finding(engine, operation, order).await? {
        Finding::TookEffect { id: Some(id) } => Verdict::Done(Made::Entry(id)),
        Finding::TookEffect { id: None } => Verdict::Done(Made::Nothing),
        Finding::NoEffect => Verdict::Refused(otherwise),
        Finding::Unclear => Verdict::HandOver(unclear(otherwise)),
    })
}

/// What an order as Klarna shows it says of an operation.
pub(super) async fn finding(
    engine: &Engine,
    operation: &Operation,
    order: Order,
) -> Result<Finding, Fault> {
    if let Request::Change(request) = &operation.request {
        return changes::finding(engine, operation, request, &order).await;
    }
    let payment = payment_of(engine, operation).await?;
    let books = mirror::books(order);
    Ok(mirror::evidence(&books, &payment)
        .map_or(Finding::Unclear, |evidence| find_effect(&mark(operation), &evidence)))
}

pub(super) async fn payment_of(engine: &Engine, operation: &Operation) -> Result<Payment, Fault> {
    let payment_id = operation.payment_id.clone().unwrap_or_default();
    engine
        .database()
        .read(move |tx| {
            payments::get(tx, &payment_id)?
                .ok_or_else(|| Fault::inconsistent(format!("payment {payment_id} is gone")))
        })
        .await
}

fn mark(operation: &Operation) -> Mark<'_> {
    let (reference, remaining_before) = match &operation.request {
        Request::Capture(transfer) | Request::Refund(transfer) => (transfer.reference.as_str(), 0),
        Request::Release { remaining_before, .. } => ("", remaining_before.get()),
        Request::PlaceOrder { .. }
        | Request::Cancel { .. }
        | Request::Change(_)
        | Request::CreateToken { .. }
        | Request::Charge(_)
        | Request::CancelToken { .. } => ("", 0),
    };
    Mark {
        kind: operation.kind,
        amount: operation.amount().map_or(0, klarna_types::MinorUnits::get),
        reference,
        remaining_before,
    }
}

pub(super) fn verify_later(
    engine: &Engine,
    operation: &Operation,
    doubt: Doubt,
    failure: &Failure,
    otherwise: Refusal,
) -> Verdict {
    let now_ms = engine.now_ms();
    if now_ms - operation.created_at_ms < VERIFY_WITHIN_MS {
        let asked_ms = failure.retry_after_ms.filter(|_| was_shut(failure));
        Verdict::InDoubt { until_ms: now_ms + asked_ms.unwrap_or(VERIFY_AGAIN_MS), doubt }
    } else {
        Verdict::HandOver(unclear(otherwise))
    }
}

pub(super) fn unclear(otherwise: Refusal) -> Refusal {
    Refusal {
        reason: Reason::OutcomeUnknown,
        detail: format!("Whether it took effect could not be found out. {}", otherwise.detail),
        remedy: "Look at the order in Klarna's merchant portal, compare it with this payment, and \
                 settle this as done or as refused."
            .to_owned(),
        klarna: otherwise.klarna,
    }
}

pub(super) fn order_unknown(otherwise: Refusal) -> Refusal {
    Refusal {
        reason: Reason::OutcomeUnknown,
        detail: format!(
            "Klarna has, or may have, an order for this checkout that the gateway was not told of. {}",
            otherwise.detail
        ),
        remedy:
            "Look the merchant reference up in Klarna's merchant portal. If there is an order, \
                 settle this as done with the order's id; if there is none, settle it as refused \
                 and the shopper can pay again."
                .to_owned(),
        klarna: otherwise.klarna,
    }
}

/// The call for the timeline.
fn attempt(
    operation: &Operation,
    result: &Result<Answer<Made>, Failure>,
    (began_at_ms, at_ms): (i64, i64),
) -> Attempt {
    let request = operation.body().and_then(redacted);
    let (method, path) = exchange::line(&operation.request);
    let (method, path) = (Some(method.to_owned()), Some(path));
    let duration_ms = Some(at_ms - began_at_ms);
    match result {
        Ok(answer) => Attempt {
            number: 0,
            at_ms,
            method,
            path,
            duration_ms,
            call: operation.kind.name().to_owned(),
            outcome: "done".to_owned(),
            status: Some(answer.status),
            correlation_id: answer.correlation_id.clone(),
            request,
            answer: match &answer.value {
                Made::Order(order) => Some(serde_json::json!({
                    "order_id": order.order_id,
                    "fraud_status": order.fraud_status,
                })),
                Made::Entry(id) => Some(serde_json::json!({ "id": id })),
                // Klarna's id of it is a secret.
                Made::Token(_) => Some(serde_json::json!({ "made": "customer token" })),
                Made::Expiry(_) | Made::Nothing => None,
            },
        },
        Err(failure) => Attempt {
            number: 0,
            at_ms,
            method,
            path,
            duration_ms,
            call: operation.kind.name().to_owned(),
            outcome: failure.summary.clone(),
            status: failure.status,
            correlation_id: failure.correlation_id.clone(),
            request,
            answer: failure.error_code.as_ref().map(|code| {
                serde_json::json!({
                    "error_code": code,
                    "error_messages": failure.error_messages,
                })
            }),
        },
    }
}

/// A request body without what must not be shown.
pub(crate) fn redacted(body: &str) -> Option<serde_json::Value> {
    serde_json::from_str(body).ok().map(|body| exchange::shown(&body))
}

/// Whether the worker still holds the operation it works on.
pub(super) fn still_ours(stored: &Operation, held: &Operation) -> bool {
    stored.state == State::Running && stored.version == held.version
}
