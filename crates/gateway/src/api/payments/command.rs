//! What everything that is asked of a payment has in common: taken under the caller's key, waited
//! for, answered.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use storage::Tx;

use super::super::extract::{Caller, Patience, idempotency_key};
use super::super::problem::Problem;
use super::super::repeat::different;
use super::view::{OperationView, PaymentView};
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome};
use crate::domain::operation::{Kind, State};
use crate::engine::commands::{self, Command, Intent, NotPossible};
use crate::engine::hub::Seat;
use crate::engine::reconcile;
use crate::fault::Fault;
use crate::store::answers::{self, Found};
use crate::store::{operations, payments};

/// The answer while an outcome is not known yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// The operation: read the payment to see what becomes of it.
    pub operation: OperationView,
    /// The payment as it is now.
    pub payment: PaymentView,
}

/// What is asked, and under which key.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What.
    pub command: Command,
    /// The caller's key, if there is one.
    pub key: Option<String>,
    /// What the key must stand for.
    pub fingerprint: String,
}

/// What came of taking a command.
pub enum Taken {
    /// The operation, new or joined, and a seat if it has begun.
    Operation(Box<Operation>, Option<Seat>),
    /// It is not possible.
    NotPossible(NotPossible),
    /// The key stands for something else.
    Different,
}

impl Taken {
    fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Operation(operation, _) => Some(operation),
            Self::NotPossible(_) | Self::Different => None,
        }
    }
}

/// Takes a command for a payment of a store. The same key joins the same operation: a second press
/// of a button, or a repeat after a lost answer, never happens twice.
pub async fn take(
    app: &App,
    store_id: &str,
    payment_id: &str,
    asked: Asked,
) -> Result<Taken, Fault> {
    let engine = app.engine();
    let taken = take_once(app, store_id, payment_id, &asked).await?;
    // Restored from a backup: Klarna is asked first what became of the payment since.
    let unverified = matches!(taken, Taken::NotPossible(NotPossible::Unverified));
    let taken = if unverified && reconcile::look(engine, payment_id).await? {
        take_once(app, store_id, payment_id, &asked).await?
    } else {
        taken
    };
    Ok(taken)
}

async fn take_once(
    app: &App,
    store_id: &str,
    payment_id: &str,
    asked: &Asked,
) -> Result<Taken, Fault> {
    let engine = app.engine();
    let new_id = match &asked.key {
        Some(key) => idempotency::operation_id(payment_id, key, &asked.fingerprint),
        None => engine.fresh_id("op"),
    };
    let now_ms = engine.now_ms();
    let (store_id, payment_id, asked) = (store_id.to_owned(), payment_id.to_owned(), asked.clone());
    let unit = move |tx: &mut Tx<'_>| take_in(tx, &store_id, &payment_id, &asked, &new_id, now_ms);
    let (mut taken, given) = engine.accept(unit, Taken::operation).await?;
    if let Taken::Operation(_, seat) = &mut taken {
        *seat = given;
    }
    Ok(taken)
}

fn take_in(
    tx: &mut Tx<'_>,
    store_id: &str,
    payment_id: &str,
    asked: &Asked,
    new_id: &str,
    now_ms: i64,
) -> Result<Taken, Fault> {
    let key = asked.key.as_deref();
    if let Some(key) = key {
        let fingerprint = &asked.fingerprint;
        match answers::begin(tx, store_id, key, fingerprint, new_id, now_ms, now_ms)? {
            Found::Mine => {}
            Found::Made(id) => {
                let operation = operations::get(tx, &id)?
                    .ok_or_else(|| Fault::inconsistent(format!("operation {id} is gone")))?;
                return Ok(Taken::Operation(Box::new(operation), None));
            }
            Found::Different | Found::InProgress => {
                return Ok(Taken::Different);
            }
        }
    }
    let dedupe = commands::dedupe(asked.command.kind(), payment_id, key, new_id);
    let intent = Intent { store_id, payment_id, dedupe: &dedupe, new_id };
    match commands::take_command(tx, intent, &asked.command, now_ms)? {
        Ok(operation) => {
            if let Some(key) = key {
                answers::attach(tx, store_id, key, new_id, &operation.id)?;
            }
            Ok(Taken::Operation(Box::new(operation), None))
        }
        Err(not_possible) => {
            if let Some(key) = key {
                answers::release(tx, store_id, key, new_id)?;
            }
            Ok(Taken::NotPossible(not_possible))
        }
    }
}

/// Takes a command of the API and answers with what came of it.
pub async fn run(
    app: &App,
    caller: &Caller,
    payment_id: &str,
    headers: &HeaderMap,
    command: Command,
    body: &[u8],
) -> Result<Response, Problem> {
    let patience = Patience::of(headers).0;
    let place = command.capture_id().map(|id| format!("/{id}")).unwrap_or_default();
    let path = format!("/v1/payments/{payment_id}{place}/{}", command.kind().name());
    let asked = Asked {
        command,
        key: idempotency_key(headers)?,
        fingerprint: idempotency::fingerprint("POST", &path, body),
    };
    let (operation, seat) = match take(app, &caller.store_id, payment_id, asked).await? {
        Taken::Operation(operation, seat) => (*operation, seat),
        Taken::NotPossible(not_possible) => return Err(not_possible.into()),
        Taken::Different => return Err(different()),
    };
    // What waits for a fraud decision waits for hours: nobody stands there for that.
    let operation = if operation.held {
        operation
    } else {
        app.engine().outcome_of(&operation, seat, patience).await?.unwrap_or(operation)
    };
    let view = load(app, payment_id).await?;
    match (operation.state, &operation.outcome) {
        (State::Done, _) => {
            let status = match operation.kind {
                Kind::Capture | Kind::Refund => StatusCode::CREATED,
                Kind::PlaceOrder
                | Kind::Cancel
                | Kind::Release
                | Kind::Change(_)
                | Kind::CreateToken
                | Kind::Charge
                | Kind::CancelToken => StatusCode::OK,
            };
            Ok((status, Json(view)).into_response())
        }
        (State::Refused, Some(Outcome::Refused(refusal))) => {
            Err(Problem::refused(refusal, &operation.id))
        }
        (
            State::Queued
            | State::Running
            | State::InDoubt
            | State::NeedsAttention
            | State::Refused,
            _,
        ) => {
            let accepted = Accepted { operation: OperationView::from(&operation), payment: view };
            Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
        }
    }
}

/// The payment as it now is.
pub async fn load(app: &App, payment_id: &str) -> Result<PaymentView, Fault> {
    let (payment_id, now_ms) = (payment_id.to_owned(), app.engine().now_ms());
    app.database()
        .read(move |tx| {
            let payment = payments::get(tx, &payment_id)?
                .ok_or_else(|| Fault::inconsistent(format!("payment {payment_id} is gone")))?;
            let operations = operations::of_payment(tx, &payment_id)?;
            Ok::<_, Fault>(PaymentView::new(&payment, &operations, now_ms))
        })
        .await
}
