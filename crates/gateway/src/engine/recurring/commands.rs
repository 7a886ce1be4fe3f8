//! What merchants do with subscriptions and customer tokens. Each is one unit of work; nothing here
//! talks to Klarna.

use serde_json::json;
use storage::Tx;

use super::charges::{self, Wanted};
use super::{recovery, schedule};
use crate::domain::checkout::{CaptureMode, Cart};
use crate::domain::customer::{CustomerToken, TokenStatus};
use crate::domain::dunning::StepUp;
use crate::domain::journal::{Operation, Request};
use crate::domain::subscription::{NextPlan, Rejection, Subscription, When};
use crate::fault::Fault;
use crate::store::{customers, events, operations, subscriptions};

/// What is wanted of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hold it.
    Pause,
    /// Let it go on.
    Resume,
    /// End it.
    Cancel(When),
    /// Move it to another plan.
    ChangePlan(Box<NextPlan>, When),
    /// Try the failed charge again now.
    Retry,
}

impl Command {
    fn event(&self) -> &'static str {
        match self {
            Self::Pause => "subscription.paused",
            Self::Resume => "subscription.resumed",
            Self::Cancel(When::Now) => "subscription.cancelled",
            Self::Cancel(When::PeriodEnd) => "subscription.cancellation_scheduled",
            Self::ChangePlan(_, When::Now) => "subscription.plan_changed",
            Self::ChangePlan(_, When::PeriodEnd) => "subscription.plan_change_scheduled",
            Self::Retry => "subscription.retry_requested",
        }
    }
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// There is no such thing in that store.
    Unknown,
    /// Its state does not allow it.
    Rejected(Rejection),
    /// The shopper is paying a refused charge just now.
    ShopperIsPaying,
    /// The token is cancelled.
    TokenCancelled,
}

/// Carries out what a merchant wants of a subscription.
pub fn act(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    command: &Command,
    now_ms: i64,
) -> Result<Result<Subscription, NotDone>, Fault> {
    let found = subscriptions::lock(tx, id)?.filter(|found| found.store_id == store_id);
    let Some(mut subscription) = found else { return Ok(Err(NotDone::Unknown)) };
    // What fell due before was due, whether or not its turn has come: it is charged by what was agreed
    // then. Whoever ends it, though, is charged for nothing more.
    let waits_for_its_turn = subscription.due_at_ms().is_some_and(|due_ms| due_ms <= now_ms);
    if waits_for_its_turn && matches!(command, Command::Pause | Command::ChangePlan(..)) {
        schedule::run(tx, &mut subscription, now_ms)?;
    }
    // Checked on a copy first: what is refused changes nothing.
    let before = subscription.clone();
    let done = match command {
        Command::Pause => subscription.pause(now_ms),
        Command::Resume => subscription.resume(now_ms),
        Command::Cancel(when) => subscription.cancel(*when, now_ms),
        Command::ChangePlan(next, when) => {
            subscription.change_plan(next.as_ref().clone(), *when, now_ms)
        }
        Command::Retry => subscription.retry_now(now_ms),
    };
    if let Err(rejection) = done {
        return Ok(Err(NotDone::Rejected(rejection)));
    }
    if before.open != subscription.open
        && recovery::close(tx, &before, now_ms)? == recovery::Closed::ShopperIsPaying
    {
        return Ok(Err(NotDone::ShopperIsPaying));
    }
    if subscription.ended.is_some() {
        charges::void_open(tx, &before, now_ms)?;
    }
    subscriptions::update(tx, &mut subscription, now_ms)?;
    let subject = (subscription.id.as_str(), subscription.version);
    let data = json!({
        "subscription_id": subscription.id,
        "status": subscription.status,
        "plan_id": subscription.plan_id,
        "because": subscription.ended.map(|ended| ended.because),
        "next_charge_at_ms": subscription.next_charge_at_ms(),
    });
    // At the end of what has not begun is now.
    let kind =
        if subscription.ended.is_some() { "subscription.cancelled" } else { command.event() };
    events::append(tx, store_id, subject, kind, &data, now_ms)?;
    Ok(Ok(subscription))
}

/// Adds a subscription whose token may exist already.
pub fn subscribe(
    tx: &mut Tx<'_>,
    subscription: &mut Subscription,
    token: Option<&CustomerToken>,
    now_ms: i64,
) -> Result<(), Fault> {
    subscriptions::insert(tx, subscription)?;
    let subject = (subscription.id.as_str(), subscription.version);
    let data = json!({
        "subscription_id": subscription.id,
        "plan_id": subscription.plan_id,
        "checkout_id": subscription.checkout_id,
        "customer_id": subscription.customer_id,
    });
    let store_id = &subscription.store_id;
    events::append(tx, store_id, subject, "subscription.created", &data, now_ms)?;
    match token {
        Some(token) => {
            let first = crate::domain::subscription::First::Charge;
            charges::begin(tx, subscription, &token.id, first, None, now_ms)
        }
        None => Ok(()),
    }
}

/// A charge that a merchant asks for.
#[derive(Debug, Clone)]
pub struct OnDemand {
    /// What is bought.
    pub cart: Cart,
    /// Whether the money is captured at once.
    pub capture: CaptureMode,
    /// Whether the shopper is there to help with a refusal.
    pub step_up: StepUp,
}

/// Takes a charge of a token. The same intent again is the same operation.
pub fn charge(
    tx: &mut Tx<'_>,
    store_id: &str,
    token_id: &str,
    intent: (&str, &str),
    wanted: &OnDemand,
    now_ms: i64,
) -> Result<Result<Operation, NotDone>, Fault> {
    let (dedupe, new_id) = intent;
    let Some(token) = customers::token_in(tx, store_id, token_id)? else {
        return Ok(Err(NotDone::Unknown));
    };
    if let Some(operation) = operations::by_dedupe(tx, dedupe)? {
        return Ok(Ok(operation));
    }
    if token.status == TokenStatus::Cancelled {
        return Ok(Err(NotDone::TokenCancelled));
    }
    let wanted = Wanted {
        token: &token,
        cart: &wanted.cart,
        capture: wanted.capture,
        step_up: wanted.step_up,
        subscription: None,
    };
    let operation = charges::operation(new_id.to_owned(), dedupe.to_owned(), &wanted, now_ms)?;
    accept(tx, &operation, &token)?;
    Ok(Ok(operation))
}

/// Takes the cancelling of a token. There is one such operation of a token at a time, and none once it is
/// cancelled.
pub fn cancel_token(
    tx: &mut Tx<'_>,
    store_id: &str,
    token_id: &str,
    new_id: &str,
    now_ms: i64,
) -> Result<Result<Option<Operation>, NotDone>, Fault> {
    let found = customers::lock_token(tx, token_id)?.filter(|token| token.store_id == store_id);
    let Some(token) = found else { return Ok(Err(NotDone::Unknown)) };
    if token.status == TokenStatus::Cancelled {
        return Ok(Ok(None));
    }
    let pending = operations::of_subject(tx, token_id, None, 50)?.into_iter().find(|operation| {
        matches!(operation.request, Request::CancelToken { .. }) && operation.state.holds_amount()
    });
    if let Some(pending) = pending {
        return Ok(Ok(Some(pending)));
    }
    let request = Request::CancelToken {
        customer_token_id: token.id.clone(),
        account_id: token.account_id.clone(),
        country: token.country.as_str().to_owned(),
    };
    let dedupe = format!("cancel_token/{token_id}/{new_id}");
    let mut operation = Operation::new(new_id.to_owned(), store_id, "", dedupe, request, now_ms);
    operation.subject = Some(token.id.clone());
    accept(tx, &operation, &token)?;
    Ok(Ok(Some(operation)))
}

fn accept(tx: &mut Tx<'_>, operation: &Operation, token: &CustomerToken) -> Result<(), Fault> {
    operations::insert(tx, operation, Some(&token.klarna_token_id))?;
    operations::INTERACTIVE.enqueue(tx, &operation.id, operation.created_at_ms, "")?;
    let data = json!({
        "operation_id": operation.id,
        "kind": operation.kind,
        "amount": operation.amount(),
    });
    let subject = (token.id.as_str(), token.version);
    events::append_about_operation(tx, operation, subject, "operation.accepted", &data)
}
