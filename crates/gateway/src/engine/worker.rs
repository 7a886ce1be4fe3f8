//! Claims work, asks Klarna, and hands what came of it to [`super::settle`].

use klarna_types::AuthorizationToken;
use klarna_types::order_management::Order;
use klarna_types::payments::CreatedOrder;

use super::klarna::{Answer, Klarna};
use super::settle::{self, Verdict};
use super::{Engine, LEASE_MS, Work, changes, mirror, tasks};
use crate::domain::journal::{Operation, Request};
use crate::domain::operation::{
    Decision, Effect, Facts, Failure, Finding, Mark, Reason, Refusal, State, Step, decide,
    find_effect,
};
use crate::domain::payment::Payment;
use crate::domain::retry;
use crate::fault::Fault;
use crate::store::operations::{self, Attempt, BACKGROUND, INTERACTIVE};
use crate::store::payments;

/// Takes what is due, what someone waits for first. The operations are marked as running in the
/// same unit of work, so that a crash after this is known to leave doubt.
pub(super) async fn claim(engine: &Engine, limit: i64) -> Result<Vec<Work>, Fault> {
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
        return Ok(Vec::new());
    }
    let owner = engine.0.owner.clone();
    engine
        .database()
        .write_row_locked(move |tx| {
            let mut work = Vec::new();
            for item in INTERACTIVE.claim(tx, now_ms, &owner, LEASE_MS, limit)? {
                let operation = operations::get(tx, &item.id)?;
                let Some(mut operation) = operation.filter(|found| !found.state.is_settled())
                else {
                    INTERACTIVE.complete(tx, &item)?;
                    continue;
                };
                operation.step(Step::Start, now_ms).map_err(Fault::inconsistent)?;
                operations::update(tx, &mut operation)?;
                let token = operations::token(tx, &operation.id)?;
                work.push(Work::Operation { item, operation: Box::new(operation), token });
            }
            let left = limit - i64::try_from(work.len()).unwrap_or(limit);
            if left > 0 {
                let reads = BACKGROUND.claim(tx, now_ms, &owner, LEASE_MS, left)?;
                work.extend(reads.into_iter().map(Work::Read));
            }
            Ok::<_, Fault>(work)
        })
        .await
}

/// Carries one piece of work out. A failure of our own is logged, and the lease runs out: another
/// worker, or this one, takes it up again.
pub(super) async fn carry_out(engine: &Engine, work: Work) {
    match work {
        Work::Operation { item, operation, token } => {
            let id = operation.id.clone();
            // Boxed: it holds whole orders of Klarna, and callers need not.
            match Box::pin(operate(engine, &item, *operation, token)).await {
                Ok(()) => {}
                Err(Fault::LeaseLost) => {
                    tracing::warn!(operation.id = %id, "another worker took this operation over");
                }
                Err(error) => {
                    tracing::error!(operation.id = %id, %error, "an outcome could not be recorded");
                }
            }
            engine.0.hub.moved(&id);
        }
        Work::Read(item) => {
            if let Err(error) = tasks::read(engine, &item).await {
                tracing::error!(read.id = %item.id, %error, "a read of Klarna could not be recorded");
            }
        }
    }
}

async fn operate(
    engine: &Engine,
    item: &storage::queue::Item,
    operation: Operation,
    token: Option<String>,
) -> Result<(), Fault> {
    let country = country_of(engine, &operation).await?;
    let account = engine.0.parts.accounts.account(&operation.store_id, &country);
    let Some(account) = account else {
        let verdict = Verdict::Refused(Refusal {
            reason: Reason::CredentialsRefused,
            detail: format!("This store has no Klarna account for {country}."),
            remedy: "Give the gateway credentials for this store and country.".to_owned(),
            klarna: None,
        });
        return settle::settle(engine, item, operation, verdict, None).await;
    };
    if !operation.may_be_sent(engine.now_ms()) {
        let verdict = verify(engine, account.as_ref(), &operation, not_repeatable()).await?;
        return settle::settle(engine, item, operation, verdict, None).await;
    }
    let result = ask(account.as_ref(), &operation, token).await;
    let at_ms = engine.now_ms();
    let attempt = attempt(&operation, &result, at_ms);
    let verdict = match result {
        Ok(answer) => Verdict::Done(answer.value),
        Err(failure) => {
            let facts = Facts {
                kind: operation.kind,
                doubted: operation.doubted,
                attempts: operation.attempts,
            };
            match decide(facts, &failure) {
                Decision::Refuse(refusal) => Verdict::Refused(refusal),
                Decision::Postpone { wait_ms } => Verdict::Postponed { until_ms: at_ms + wait_ms },
                Decision::Doubt { wait_ms } => Verdict::InDoubt { until_ms: at_ms + wait_ms },
                Decision::HandOver(refusal) => Verdict::HandOver(refusal),
                Decision::Verify(refusal) => {
                    verify(engine, account.as_ref(), &operation, refusal).await?
                }
            }
        }
    };
    settle::settle(engine, item, operation, verdict, Some(attempt)).await
}

pub(super) async fn country_of(engine: &Engine, operation: &Operation) -> Result<String, Fault> {
    let checkout_id = operation.checkout_id.clone();
    engine
        .database()
        .read(move |tx| {
            let checkout = crate::store::checkouts::get(tx, &checkout_id)?
                .ok_or_else(|| Fault::inconsistent(format!("checkout {checkout_id} is gone")))?;
            Ok(checkout.cart.country.as_str().to_owned())
        })
        .await
}

/// What an operation made.
pub(super) enum Made {
    Order(CreatedOrder),
    /// A capture or refund, by id.
    Entry(String),
    /// A later expiry.
    Expiry(i64),
    /// A cancelled order, a released rest, a change.
    Nothing,
}

async fn ask(
    account: &dyn Klarna,
    operation: &Operation,
    token: Option<String>,
) -> Result<Answer<Made>, Failure> {
    let key = operation.klarna_key();
    match &operation.request {
        Request::PlaceOrder { body, .. } => {
            let Some(token) = token else { return Err(token_gone()) };
            let token = AuthorizationToken::new(token);
            let answer = account.place_order(&token, body).await?;
            Ok(answer.with(Made::Order))
        }
        Request::Capture(transfer) => {
            let answer = account.capture(&transfer.order_id, &key, &transfer.body).await?;
            Ok(answer.with(Made::Entry))
        }
        Request::Refund(transfer) => {
            let answer = account.refund(&transfer.order_id, &key, &transfer.body).await?;
            Ok(answer.with(Made::Entry))
        }
        Request::Cancel { order_id } => {
            Ok(account.cancel(order_id, &key).await?.with(|()| Made::Nothing))
        }
        Request::Release { order_id, .. } => {
            Ok(account.release(order_id, &key).await?.with(|()| Made::Nothing))
        }
        Request::Change(request) => changes::ask(account, request, &key, token.as_deref()).await,
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
        summary: "the authorization token is no longer kept".to_owned(),
    }
}

fn not_repeatable() -> Refusal {
    Refusal {
        reason: Reason::Unreachable,
        detail: "Klarna's books show that it did not take effect, and it is too late to repeat it \
                 under the same key."
            .to_owned(),
        remedy: "Ask for it again if it is still wanted.".to_owned(),
        klarna: None,
    }
}

/// How long a look at Klarna's books may be put off before a person is asked.
const VERIFY_WITHIN_MS: i64 = 2 * retry::KEY_WINDOW_MS;
/// How long until the next look, when one failed.
const VERIFY_AGAIN_MS: i64 = 30 * 60 * 1000;

/// Looks in Klarna's books whether an operation took effect; `otherwise` stands if it did not.
pub(super) async fn verify(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    otherwise: Refusal,
) -> Result<Verdict, Fault> {
    let verdict = match &operation.request {
        Request::Change(request) if request.change().is_harmless_twice() => {
            Verdict::Refused(changes::unseen(&otherwise))
        }
        Request::PlaceOrder { session_id, .. } => {
            use klarna_types::payments::SessionStatus;
            match account.read_session(session_id).await {
                Ok(answer) => match answer.value.status {
                    Some(SessionStatus::Incomplete) => Verdict::Refused(otherwise),
                    _ => Verdict::HandOver(order_unknown(otherwise)),
                },
                Err(failure) if failure.effect == Effect::Refused => {
                    Verdict::HandOver(order_unknown(otherwise))
                }
                Err(_) => verify_later(engine, operation, otherwise),
            }
        }
        Request::Capture(_)
        | Request::Refund(_)
        | Request::Cancel { .. }
        | Request::Release { .. }
        | Request::Change(_) => {
            let order_id = operation.order_id().unwrap_or_default();
            match account.read_order(order_id).await {
                Ok(answer) => look_up(engine, operation, answer.value, otherwise).await?,
                Err(failure) if failure.effect == Effect::Refused => {
                    Verdict::HandOver(unclear(otherwise))
                }
                Err(_) => verify_later(engine, operation, otherwise),
            }
        }
    };
    Ok(verdict)
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
        Request::PlaceOrder { .. } | Request::Cancel { .. } | Request::Change(_) => ("", 0),
    };
    Mark {
        kind: operation.kind,
        amount: operation.amount().map_or(0, klarna_types::MinorUnits::get),
        reference,
        remaining_before,
    }
}

fn verify_later(engine: &Engine, operation: &Operation, otherwise: Refusal) -> Verdict {
    let now_ms = engine.now_ms();
    if now_ms - operation.created_at_ms < VERIFY_WITHIN_MS {
        Verdict::InDoubt { until_ms: now_ms + VERIFY_AGAIN_MS }
    } else {
        Verdict::HandOver(unclear(otherwise))
    }
}

fn unclear(otherwise: Refusal) -> Refusal {
    Refusal {
        reason: Reason::OutcomeUnknown,
        detail: format!("Whether it took effect could not be found out. {}", otherwise.detail),
        remedy: "Look at the order in Klarna's merchant portal, compare it with this payment, and \
                 settle this as done or as refused."
            .to_owned(),
        klarna: otherwise.klarna,
    }
}

fn order_unknown(otherwise: Refusal) -> Refusal {
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
fn attempt(operation: &Operation, result: &Result<Answer<Made>, Failure>, at_ms: i64) -> Attempt {
    let request = operation.body().and_then(redacted);
    match result {
        Ok(answer) => Attempt {
            number: 0,
            at_ms,
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
                Made::Expiry(_) | Made::Nothing => None,
            },
        },
        Err(failure) => Attempt {
            number: 0,
            at_ms,
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

/// A request body without what must not be shown: the callback URLs hold a secret. Addresses and
/// customers are never in it; should that change, they stay out of here.
pub(crate) fn redacted(body: &str) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_str(body).ok()?;
    if let Some(members) = value.as_object_mut() {
        for secret in
            ["merchant_urls", "billing_address", "shipping_address", "customer", "attachment"]
        {
            members.shift_remove(secret);
        }
    }
    Some(value)
}

/// Whether the worker still holds the operation it works on.
pub(super) fn still_ours(stored: &Operation, held: &Operation) -> bool {
    stored.state == State::Running && stored.version == held.version
}
