//! What a person does with an operation that waits for one: look again at Klarna, try again, say
//! that it took effect, say that it did not.
//!
//! A person is believed as little as a callback is: what Klarna's books can tell is read from them
//! first, and a word against them is refused. Who settled what is in the history. Two people at
//! once: the first one settles, the second one is told what the first one did.

use klarna_types::order_management::Order;
use klarna_types::payments::CreatedOrder;
use serde_json::json;

use super::klarna::Klarna;
use super::settle::{self, Verdict};
use super::worker::{self, Made};
use super::{Engine, mirror};
use crate::domain::journal::{Operation, Request};
use crate::domain::operation::{
    Doubt, Effect, Failure, Finding, Kind, Reason, Refusal, State, Step,
};
use crate::domain::payment::Status;
use crate::fault::Fault;
use crate::store::operations::INTERACTIVE;
use crate::store::{checkouts, operations, payments};

/// Who acts on which operation, as it was when they looked at it.
#[derive(Debug, Clone)]
pub struct Act {
    /// Their store.
    pub store_id: String,
    /// The operation.
    pub operation_id: String,
    /// Its version when they looked; whatever it is now, if they do not say.
    pub version: Option<i64>,
    /// Who they are, for the history.
    pub by: String,
    /// Why, in their words.
    pub note: String,
}

/// What a person says of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It took effect. Klarna's id of what it made: needed for an order, and where the books show
    /// several captures or refunds that it may be.
    Done {
        /// The id of the order, capture or refund.
        klarna_id: Option<String>,
    },
    /// It did not.
    Refused,
}

/// Why nothing was done.
#[derive(Debug)]
pub enum NotDone {
    /// There is no such operation in that store.
    Unknown,
    /// It does not wait for a person: it never did, or someone was faster. As it is now.
    NotWaiting(Box<Operation>),
    /// It waits again, but not as it did when they looked.
    Moved(Box<Operation>),
    /// Klarna's books say otherwise, or do not tell.
    Evidence {
        /// What they show.
        detail: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// What was said is not enough.
    Missing {
        /// The member of the request.
        member: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Klarna could not be asked.
    Klarna(Failure),
    /// The store has no Klarna account for the country.
    NoAccount {
        /// The country.
        country: String,
    },
}

type Acted = Result<Result<Operation, NotDone>, Fault>;

/// Has it tried again, under the same key and with the same bytes. What is too old to be repeated
/// safely is looked up instead.
pub async fn resume(engine: &Engine, act: Act) -> Acted {
    let now_ms = engine.now_ms();
    let resumed = engine
        .database()
        .write(move |tx| {
            let mut operation = match waiting(operations::get(tx, &act.operation_id)?, &act) {
                Ok(operation) => operation,
                Err(not_done) => return Ok(Err(not_done)),
            };
            operation.step(Step::Resume, now_ms).map_err(Fault::inconsistent)?;
            operations::update(tx, &mut operation)?;
            INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
            told(tx, &operation, &act, "resumed")?;
            Ok::<_, Fault>(Ok(operation))
        })
        .await?;
    engine.wake();
    Ok(resumed)
}

/// Looks into Klarna's books again, and settles it if they tell.
pub async fn look(engine: &Engine, act: Act) -> Acted {
    let operation = match load(engine, &act).await? {
        Ok(operation) => operation,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let account = match account(engine, &operation).await? {
        Ok(account) => account,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let otherwise = Refusal {
        reason: Reason::OutcomeUnknown,
        detail: "Klarna's books show that it did not take effect.".to_owned(),
        remedy: "Ask for it again if it is still wanted.".to_owned(),
        klarna: None,
    };
    let verified = worker::verify(engine, account.as_ref(), &operation, Doubt::Old, otherwise);
    match Box::pin(verified).await? {
        Verdict::Done(made) => conclude(engine, act, End::Done(made)).await,
        Verdict::Refused(refusal) => conclude(engine, act, End::Refused(refusal)).await,
        Verdict::InDoubt { .. } | Verdict::Postponed { .. } | Verdict::PutOff { .. } => {
            Ok(Err(NotDone::Evidence {
                detail: "Klarna could not be asked just now, or it is too early to tell."
                    .to_owned(),
                remedy: "Look again in a moment.",
            }))
        }
        Verdict::HandOver(_) => Ok(Err(NotDone::Evidence {
            detail: "Klarna's books still do not tell whether it took effect.".to_owned(),
            remedy: "Look at the order in Klarna's merchant portal, then say here what you found.",
        })),
    }
}

/// Takes a person's word, once it was compared with Klarna's books.
pub async fn settle(engine: &Engine, act: Act, word: Word) -> Acted {
    if act.note.trim().is_empty() {
        return Ok(Err(NotDone::Missing {
            member: "note",
            detail: "note: say how you know. It stays in the history.".to_owned(),
        }));
    }
    let operation = match load(engine, &act).await? {
        Ok(operation) => operation,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let account = match account(engine, &operation).await? {
        Ok(account) => account,
        Err(not_done) => return Ok(Err(not_done)),
    };
    // Boxed: it holds a whole order of Klarna, and callers need not.
    match Box::pin(weigh(engine, account.as_ref(), &operation, &act, word)).await? {
        Ok(end) => conclude(engine, act, end).await,
        Err(not_done) => Ok(Err(not_done)),
    }
}

/// Compares a person's word with Klarna's books.
async fn weigh(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    act: &Act,
    word: Word,
) -> Result<Result<End, NotDone>, Fault> {
    match (&operation.request, word) {
        (Request::PlaceOrder { .. } | Request::Charge(_), Word::Done { klarna_id }) => {
            named_order(engine, account, operation, klarna_id.as_deref()).await
        }
        // Klarna tells of no order by its merchant reference, and what became of a token only the token
        // tells: here a person knows more.
        (
            Request::PlaceOrder { .. }
            | Request::Charge(_)
            | Request::CreateToken { .. }
            | Request::CancelToken { .. },
            Word::Refused,
        ) => Ok(Ok(End::Refused(by_word(act)))),
        (Request::CreateToken { .. }, Word::Done { .. }) => Ok(Err(NotDone::Evidence {
            detail: "Klarna tells nobody which tokens there are.".to_owned(),
            remedy: "Settle it as refused: a token that nobody knows is never charged, and the \
                     shopper can authorise again.",
        })),
        (Request::CancelToken { .. }, Word::Done { .. }) => Ok(Err(NotDone::Evidence {
            detail: "Klarna's word on the token is needed.".to_owned(),
            remedy: "Look again: that reads the token from Klarna.",
        })),
        (Request::Change(_), Word::Done { .. }) => {
            match read_order(account, operation.order_id()).await {
                Ok(order) => match worker::finding(engine, operation, order).await? {
                    Finding::NoEffect => Ok(Err(NotDone::Evidence {
                        detail: "Klarna's order shows that it did not take effect.".to_owned(),
                        remedy: "Settle it as refused.",
                    })),
                    // Where the order does not tell, a person knows more.
                    Finding::TookEffect { .. } | Finding::Unclear => {
                        Ok(Ok(End::Done(Made::Nothing)))
                    }
                },
                Err(not_done) => Ok(Err(not_done)),
            }
        }
        (_, Word::Done { klarna_id }) => {
            effect_in_books(engine, account, operation, klarna_id.as_deref()).await
        }
        (_, Word::Refused) => match read_order(account, operation.order_id()).await {
            Ok(order) => match worker::finding(engine, operation, order).await? {
                Finding::TookEffect { .. } => Ok(Err(NotDone::Evidence {
                    detail: "Klarna's books show that it took effect.".to_owned(),
                    remedy: "Settle it as done.",
                })),
                Finding::NoEffect | Finding::Unclear => Ok(Ok(End::Refused(by_word(act)))),
            },
            Err(not_done) => Ok(Err(not_done)),
        },
    }
}

enum End {
    Done(Made),
    Refused(Refusal),
}

fn by_word(act: &Act) -> Refusal {
    Refusal {
        reason: Reason::SettledByPerson,
        detail: format!("{} has settled it as not done: {}", act.by, act.note),
        remedy: "Ask for it again if it is still wanted.".to_owned(),
        klarna: None,
    }
}

fn waiting(found: Option<Operation>, act: &Act) -> Result<Operation, NotDone> {
    let operation = found.filter(|found| found.store_id == act.store_id).ok_or(NotDone::Unknown)?;
    if operation.state != State::NeedsAttention {
        return Err(NotDone::NotWaiting(Box::new(operation)));
    }
    if act.version.is_some_and(|version| version != operation.version) {
        return Err(NotDone::Moved(Box::new(operation)));
    }
    Ok(operation)
}

async fn load(engine: &Engine, act: &Act) -> Acted {
    let id = act.operation_id.clone();
    let found = engine.database().read(move |tx| operations::get(tx, &id)).await?;
    Ok(waiting(found, act))
}

async fn account(
    engine: &Engine,
    operation: &Operation,
) -> Result<Result<std::sync::Arc<dyn Klarna>, NotDone>, Fault> {
    let (account_id, country) = worker::account_of(engine, operation).await?;
    let account = engine.account(&operation.store_id, account_id.as_deref(), &country);
    Ok(account.ok_or(NotDone::NoAccount { country }))
}

async fn read_order(account: &dyn Klarna, order_id: Option<&str>) -> Result<Order, NotDone> {
    let order_id = order_id.unwrap_or_default();
    match account.read_order(order_id).await {
        Ok(answer) => Ok(answer.value),
        Err(failure) if failure.effect == Effect::Refused && failure.status != Some(401) => {
            Err(NotDone::Evidence {
                detail: format!("Klarna shows this merchant no order {order_id:.80}."),
                remedy: "Copy the order id from Klarna's merchant portal.",
            })
        }
        Err(failure) => Err(NotDone::Klarna(failure)),
    }
}

/// Reads the order that a person says was made, and compares it with what was asked for.
async fn named_order(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    order_id: Option<&str>,
) -> Result<Result<End, NotDone>, Fault> {
    let Some(order_id) = order_id.map(str::trim).filter(|id| is_plain_id(id)) else {
        return Ok(Err(NotDone::Missing {
            member: "klarna_order_id",
            detail: "klarna_order_id: name the order that was made, by Klarna's id of it."
                .to_owned(),
        }));
    };
    let order = match read_order(account, Some(order_id)).await {
        Ok(order) => order,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let body = operation.body().unwrap_or_default();
    let sent = super::commands::sent_order(&operation.request, body)?;
    let wanted = order_id.to_owned();
    let known = engine.database().read(move |tx| payments::by_klarna_order(tx, &wanted)).await?;
    let mut differences = Vec::new();
    if order.merchant_reference1 != sent.merchant_reference {
        differences.push("its merchant reference is another one");
    }
    if order.original_order_amount.unwrap_or(order.order_amount) != sent.amount {
        differences.push("its amount is another one");
    }
    if order.purchase_currency.as_ref().is_some_and(|currency| *currency != sent.currency) {
        differences.push("its currency is another one");
    }
    if known.is_some() {
        differences.push("it belongs to another payment");
    }
    if !differences.is_empty() {
        return Ok(Err(NotDone::Evidence {
            detail: format!(
                "Klarna's order {order_id} is not the one of this checkout: {}.",
                differences.join(", ")
            ),
            remedy: "Look for the order with this checkout's merchant reference and amount.",
        }));
    }
    Ok(Ok(End::Done(Made::Order(CreatedOrder {
        order_id: order.order_id,
        redirect_url: None,
        fraud_status: order.fraud_status,
        authorized_payment_method: None,
    }))))
}

/// Ids of Klarna's are short and stand in URLs; nothing else is let through to one.
fn is_plain_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Finds in Klarna's books the effect that a person says there was.
async fn effect_in_books(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    klarna_id: Option<&str>,
) -> Result<Result<End, NotDone>, Fault> {
    let order = match read_order(account, operation.order_id()).await {
        Ok(order) => order,
        Err(not_done) => return Ok(Err(not_done)),
    };
    let payment = worker::payment_of(engine, operation).await?;
    let books = mirror::books(order);
    let Some(evidence) = mirror::evidence(&books, &payment) else {
        return Ok(Err(NotDone::Evidence {
            detail: "Klarna's order is in a state that this version does not know.".to_owned(),
            remedy: "Wait until the order has left that state.",
        }));
    };
    let against = |detail: &str| NotDone::Evidence {
        detail: detail.to_owned(),
        remedy: "If it did not take effect, settle it as refused.",
    };
    Ok(match operation.kind {
        Kind::Capture | Kind::Refund => {
            let entries = if operation.kind == Kind::Capture {
                &evidence.captures
            } else {
                &evidence.refunds
            };
            let amount = operation.amount().map_or(0, klarna_types::MinorUnits::get);
            let mut fitting = entries
                .iter()
                .filter(|entry| entry.amount == amount && !entry.accounted_for)
                .filter(|entry| klarna_id.is_none_or(|id| entry.id == id.trim()));
            match (fitting.next(), fitting.next()) {
                (Some(entry), None) => Ok(End::Done(Made::Entry(entry.id.to_owned()))),
                (None, _) => Err(against(
                    "Klarna's books show none of this amount that is not accounted for already.",
                )),
                (Some(_), Some(_)) => Err(NotDone::Missing {
                    member: "klarna_id",
                    detail: "klarna_id: Klarna's books show several of this amount. Name the one \
                             that this operation made."
                        .to_owned(),
                }),
            }
        }
        Kind::Cancel if evidence.status == Status::Cancelled => Ok(End::Done(Made::Nothing)),
        Kind::Cancel => Err(against("Klarna's order is not cancelled.")),
        Kind::Release if evidence.remaining == 0 => Ok(End::Done(Made::Nothing)),
        Kind::Release => Err(against("Klarna's order still has something to capture.")),
        Kind::PlaceOrder
        | Kind::Change(_)
        | Kind::CreateToken
        | Kind::Charge
        | Kind::CancelToken => Err(against("Klarna's books do not tell.")),
    })
}

/// Commits the end, unless someone was faster.
async fn conclude(engine: &Engine, act: Act, end: End) -> Acted {
    let now_ms = engine.now_ms();
    let operation_id = act.operation_id.clone();
    let settled = engine
        .database()
        .write(move |tx| {
            let Some(found) = operations::get(tx, &act.operation_id)? else {
                return Ok(Err(NotDone::Unknown));
            };
            // Locks in the order that everyone takes them in: checkout, payment, operation.
            checkouts::lock(tx, &found.checkout_id)?;
            if let Some(payment_id) = &found.payment_id {
                payments::lock(tx, payment_id)?;
            }
            let mut operation = match waiting(operations::get(tx, &act.operation_id)?, &act) {
                Ok(operation) => operation,
                Err(not_done) => return Ok(Err(not_done)),
            };
            let word = match &end {
                End::Done(made) => {
                    settle::succeed(tx, &mut operation, made, now_ms)?;
                    "done"
                }
                End::Refused(refusal) => {
                    settle::refuse(tx, &mut operation, refusal, now_ms)?;
                    "refused"
                }
            };
            told(tx, &operation, &act, word)?;
            Ok::<_, Fault>(Ok(operation))
        })
        .await?;
    if let Ok(operation) = &settled {
        tracing::info!(
            operation.id = %operation.id,
            operation.kind = operation.kind.name(),
            state = operation.state.name(),
            "a person settled an operation"
        );
    }
    engine.0.hub.moved(&operation_id);
    engine.wake();
    Ok(settled)
}

/// Keeps who did what.
fn told(
    tx: &mut storage::Tx<'_>,
    operation: &Operation,
    act: &Act,
    outcome: &str,
) -> Result<(), Fault> {
    let kind = if outcome == "resumed" { "operation.resumed" } else { "operation.settled" };
    let data = json!({
        "operation_id": operation.id,
        "kind": operation.kind,
        "amount": operation.amount(),
        "outcome": outcome,
        "by": act.by,
        "note": act.note,
    });
    settle::tell_of(tx, operation, kind, &data)
}
