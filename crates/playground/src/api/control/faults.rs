//! Faults on demand: arming them, looking at how far they have come, taking them away.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::fault::{Armed, Counts, Fault};
use crate::store::StoreError;
use crate::store::faults as store;

/// How many may be in force at once.
const MOST: usize = 100;

/// Seeds that are made up are below this, so that they are exact in every JSON reader.
const SEED_MASK: u64 = (1 << 48) - 1;

/// A fault in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FaultView {
    /// Its id.
    id: String,
    /// What was asked for, with the seed in use.
    #[serde(flatten)]
    fault: Fault,
    /// How many calls it fitted.
    matched: u64,
    /// How many of them it hit.
    injected: u64,
    /// Whether it has hit as often as it was to.
    spent: bool,
}

/// The faults.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FaultsView {
    /// In the order in which they look at a call.
    faults: Vec<FaultView>,
}

/// `GET /playground/v1/faults`.
#[utoipa::path(
    get,
    path = "/playground/v1/faults",
    responses((status = 200, description = "The faults in force", body = FaultsView))
)]
pub(super) async fn list(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    let faults = app.faults().list().into_iter().map(view).collect();
    Answer::ok(&FaultsView { faults })
}

/// `POST /playground/v1/faults`.
#[utoipa::path(
    post,
    path = "/playground/v1/faults",
    request_body = Fault,
    responses(
        (status = 201, description = "In force", body = FaultView),
        (status = 400, description = "Not possible; the messages say where and why"),
        (status = 409, description = "There are too many already"),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<Fault>,
) -> Result<Answer, ApiError> {
    let problems = value.check();
    if !problems.is_empty() {
        let error = ApiError::new(StatusCode::BAD_REQUEST, "BAD_VALUE");
        return Err(problems.into_iter().fold(error, |error, problem| {
            error.message(format!("{}: {}", problem.path, problem.reason))
        }));
    }
    if app.faults().len() >= MOST {
        return Err(ApiError::new(StatusCode::CONFLICT, "CONFLICT")
            .message(format!("{MOST} faults are in force; take some away first")));
    }
    let id = format!("fault-{}", service::random::uuid().simple());
    let seed = u64::from_le_bytes(service::random::bytes()) & SEED_MASK;
    let armed = Armed::new(id, value, Counts::default(), seed);
    let kept = armed.clone();
    app.db().write(move |tx| store::insert(tx, &kept)).await?;
    app.faults().add(armed.clone());
    Answer::json(StatusCode::CREATED, &view(armed))
}

/// `DELETE /playground/v1/faults`.
#[utoipa::path(
    delete,
    path = "/playground/v1/faults",
    responses((status = 204, description = "None is in force any more"))
)]
pub(super) async fn clear(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    app.db().write(|tx| Ok::<_, StoreError>(store::clear(tx)?)).await?;
    app.faults().replace(Vec::new());
    Ok(Answer::no_content())
}

/// `GET /playground/v1/faults/{fault_id}`.
#[utoipa::path(
    get,
    path = "/playground/v1/faults/{fault_id}",
    params(("fault_id" = String, Path)),
    responses(
        (status = 200, description = "The fault", body = FaultView),
        (status = 404, description = "There is no such fault"),
    )
)]
pub(super) async fn read(
    State(app): State<App>,
    _: Operator,
    Path(fault_id): Path<String>,
) -> Result<Answer, ApiError> {
    let found = app.faults().list().into_iter().find(|fault| fault.id == fault_id);
    Answer::ok(&view(found.ok_or_else(|| unknown(&fault_id))?))
}

/// `DELETE /playground/v1/faults/{fault_id}`.
#[utoipa::path(
    delete,
    path = "/playground/v1/faults/{fault_id}",
    params(("fault_id" = String, Path)),
    responses(
        (status = 204, description = "It is not in force any more"),
        (status = 404, description = "There is no such fault"),
    )
)]
pub(super) async fn remove(
    State(app): State<App>,
    _: Operator,
    Path(fault_id): Path<String>,
) -> Result<Answer, ApiError> {
    let id = fault_id.clone();
    let removed = app.db().write(move |tx| Ok::<_, StoreError>(store::remove(tx, &id)?)).await?;
    app.faults().remove(&fault_id);
    if removed { Ok(Answer::no_content()) } else { Err(unknown(&fault_id)) }
}

fn unknown(fault_id: &str) -> ApiError {
    ApiError::not_found(format!("there is no fault {fault_id}"))
}

fn view(armed: Armed) -> FaultView {
    let spent = armed.is_spent();
    FaultView {
        id: armed.id,
        fault: armed.fault,
        matched: armed.counts.matched,
        injected: armed.counts.injected,
        spent,
    }
}
