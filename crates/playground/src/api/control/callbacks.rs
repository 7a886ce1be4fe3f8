//! What merchants were told, or will be: every delivery with every attempt, and another one on demand.

#![allow(unused_qualifications, reason = "written by the macro that describes the parameters")]

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::control::operator::Operator;
use crate::api::control::query;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::callback::CallbackKind;
use crate::domain::fault::Injected;
use crate::store::StoreError;
use crate::store::callbacks::{self, Attempt, Story};

const DEFAULT_LIMIT: i64 = 100;
const GREATEST_LIMIT: i64 = 1_000;

/// The states a delivery can be in.
const STATES: [&str; 4] = ["pending", "delivered", "given_up", "cancelled"];

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only this kind: `authorization`, `notification`, `push`, `hosted_status`, `in_store_status`,
    /// `dispute_webhook` or `payment_request_webhook`.
    #[param(value_type = Option<String>)]
    kind: Option<CallbackKind>,
    /// Only in this state: `pending`, `delivered`, `given_up` or `cancelled`.
    state: Option<String>,
    /// Only about this session, order or dispute.
    subject_id: Option<String>,
    /// Only this merchant's.
    merchant_id: Option<String>,
    /// At most so many; 100 unless given, 1000 at most.
    limit: Option<u16>,
}

/// Deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallbacksView {
    /// Newest first.
    callbacks: Vec<CallbackView>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallbackView {
    /// Its id.
    id: String,
    /// On which occasion.
    #[schema(value_type = String)]
    kind: CallbackKind,
    /// Whose server is called.
    merchant_id: String,
    /// The session, order or dispute it is about.
    subject_id: String,
    /// Where to.
    url: String,
    /// `pending`, `delivered`, `given_up` or `cancelled`.
    state: String,
    /// When it was caused, on the playground's clock.
    created_at: String,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    /// Headers beyond the content type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// What is sent; absent for a call without a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
    /// Every attempt, the first one first.
    attempts: Vec<AttemptView>,
}

/// An attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptView {
    /// Counted from 1.
    number: i64,
    /// When, on the playground's clock.
    at: String,
    /// The answer's status; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// How long it took, in milliseconds of real time.
    duration_ms: i64,
    /// Why it was made: `schedule`, `duplicate` (a fault) or `redelivery`.
    cause: &'static str,
    /// The fault that hit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Injected>,
}

/// `GET /playground/v1/callbacks`.
#[utoipa::path(
    get,
    path = "/playground/v1/callbacks",
    params(Wanted),
    responses(
        (status = 200, description = "Deliveries with their attempts", body = CallbacksView),
        (status = 400, description = "A filter that cannot be"),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Answer, ApiError> {
    let wanted = query::wanted(wanted)?;
    if wanted.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(ApiError::bad_value(&["state"])
            .message(format!("the states are {}", STATES.join(", "))));
    }
    let wanted = callbacks::Wanted {
        kind: wanted.kind,
        state: wanted.state,
        subject_id: wanted.subject_id,
        merchant_id: wanted.merchant_id,
        limit: wanted.limit.map_or(DEFAULT_LIMIT, i64::from).min(GREATEST_LIMIT),
    };
    let stories =
        app.db().read_long(move |tx| Ok::<_, StoreError>(callbacks::stories(tx, &wanted)?)).await?;
    Answer::ok(&CallbacksView { callbacks: stories.into_iter().map(view).collect() })
}

/// `GET /playground/v1/callbacks/{callback_id}`.
#[utoipa::path(
    get,
    path = "/playground/v1/callbacks/{callback_id}",
    params(("callback_id" = String, Path)),
    responses(
        (status = 200, description = "The delivery with its attempts", body = CallbackView),
        (status = 404, description = "There is no such delivery"),
    )
)]
pub(super) async fn read(
    State(app): State<App>,
    _: Operator,
    Path(callback_id): Path<String>,
) -> Result<Answer, ApiError> {
    story(&app, callback_id).await
}

/// `POST /playground/v1/callbacks/{callback_id}/redeliver`.
#[utoipa::path(
    post,
    path = "/playground/v1/callbacks/{callback_id}/redeliver",
    params(("callback_id" = String, Path)),
    responses(
        (status = 200, description = "An attempt was made, whatever it came to", body = CallbackView),
        (status = 404, description = "There is no such delivery"),
    )
)]
pub(super) async fn redeliver(
    State(app): State<App>,
    _: Operator,
    Path(callback_id): Path<String>,
) -> Result<Answer, ApiError> {
    let made = app.sender().redeliver(&app, callback_id.clone()).await?;
    if made.is_none() {
        return Err(unknown(&callback_id));
    }
    story(&app, callback_id).await
}

async fn story(app: &App, callback_id: String) -> Result<Answer, ApiError> {
    let id = callback_id.clone();
    let found =
        app.db().read(move |tx| Ok::<_, StoreError>(callbacks::find_story(tx, &id)?)).await?;
    Answer::ok(&view(found.ok_or_else(|| unknown(&callback_id))?))
}

fn unknown(callback_id: &str) -> ApiError {
    ApiError::not_found(format!("there is no callback {callback_id}"))
}

fn view(story: Story) -> CallbackView {
    let callback = story.delivery.callback;
    let body = (!callback.body.is_empty()).then(|| {
        serde_json::from_str(&callback.body)
            .unwrap_or_else(|_| Value::String(callback.body.clone()))
    });
    CallbackView {
        id: callback.id,
        kind: callback.kind,
        merchant_id: callback.merchant_id.into_string(),
        subject_id: callback.subject_id,
        url: callback.url,
        state: story.state,
        created_at: instant(story.created_at_ms),
        next_attempt_at: story.next_due_at_ms.map(instant),
        headers: callback.headers.into_iter().collect(),
        body,
        attempts: story.attempts.into_iter().map(attempt).collect(),
    }
}

fn attempt(attempt: Attempt) -> AttemptView {
    AttemptView {
        number: attempt.number,
        at: instant(attempt.at_ms),
        status: attempt.status,
        failure: attempt.failure,
        duration_ms: attempt.duration_ms,
        cause: attempt.cause.as_str(),
        fault: attempt.fault,
    }
}

fn instant(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX);
    format!("{at:.3}")
}
