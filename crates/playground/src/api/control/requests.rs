//! The log of API calls and callbacks, newest first.

#![allow(unused_qualifications, reason = "written by the macro that describes the parameters")]

use std::collections::HashSet;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::requests::{Direction, Entry, Filter};
use crate::store::{StoreError, callbacks};

const DEFAULT_LIMIT: usize = 100;
const GREATEST_LIMIT: usize = 2_000;

/// Which entries are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// At most so many; 100 unless given, 2000 at most.
    limit: Option<usize>,
    /// Only paths or URLs that contain this.
    path: Option<String>,
    /// Only answers with this status.
    status: Option<u16>,
}

/// The log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestsView {
    /// Newest first.
    requests: Vec<RequestView>,
}

/// One call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestView {
    /// Grows with each call. Absent for callbacks that were sent before the playground was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// `api`: a merchant called the playground. `callback`: the playground called a merchant.
    direction: &'static str,
    /// When, on the playground's clock.
    at: String,
    /// Whose credentials, or whose server.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_id: Option<String>,
    /// HTTP method.
    method: String,
    /// Path with query; for a callback the whole URL.
    path: String,
    /// HTTP status; absent when no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The id of the call.
    #[schema(value_type = String)]
    correlation_id: Uuid,
    /// How long it took, in microseconds of real time.
    duration_us: u64,
    /// For a callback: which delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<String>,
    /// For a callback: which attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<i64>,
    /// What was sent: JSON, or text when it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    request_body: Option<Value>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    response_body: Option<Value>,
    /// What was wrong and what would have worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

/// `GET /playground/v1/requests`.
#[utoipa::path(
    get,
    path = "/playground/v1/requests",
    params(Wanted),
    responses((status = 200, description = "The log", body = RequestsView))
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Answer, ApiError> {
    let Query(wanted) =
        wanted.map_err(|error| ApiError::bad_value(&["limit", "path", "status"]).because(error))?;
    let filter = Filter {
        limit: wanted.limit.unwrap_or(DEFAULT_LIMIT).min(GREATEST_LIMIT),
        path: wanted.path,
        status: wanted.status,
    };
    let mut entries: Vec<(Option<u64>, Entry)> = app
        .requests()
        .list(&filter)
        .into_iter()
        .map(|(sequence, entry)| (Some(sequence), entry))
        .collect();
    entries.extend(earlier_callbacks(&app, &filter, &entries).await?);
    entries.truncate(filter.limit);
    let requests = entries.into_iter().map(view).collect();
    Answer::ok(&RequestsView { requests })
}

/// Callbacks that are in the database only: sent before this start of the playground, or so long ago
/// that the ring is past them. They are older than what the ring holds.
async fn earlier_callbacks(
    app: &App,
    filter: &Filter,
    listed: &[(Option<u64>, Entry)],
) -> Result<Vec<(Option<u64>, Entry)>, ApiError> {
    if listed.len() >= filter.limit {
        return Ok(Vec::new());
    }
    let known: HashSet<Uuid> = listed.iter().map(|(_, entry)| entry.correlation_id).collect();
    let limit = i64::try_from(GREATEST_LIMIT).unwrap_or(i64::MAX);
    let attempts =
        app.db().read_long(move |tx| Ok::<_, StoreError>(callbacks::attempts(tx, limit)?)).await?;
    Ok(attempts
        .into_iter()
        .map(|(delivery, attempt)| Entry::of_attempt(delivery.callback, attempt))
        .filter(|entry| filter.passes(entry) && !known.contains(&entry.correlation_id))
        .map(|entry| (None, entry))
        .collect())
}

fn view((sequence, entry): (Option<u64>, Entry)) -> RequestView {
    let (direction, delivery_id, attempt) = match entry.direction {
        Direction::Api => ("api", None, None),
        Direction::Callback { delivery_id, attempt } => {
            ("callback", Some(delivery_id), Some(attempt))
        }
    };
    let at = Timestamp::from_millisecond(entry.at_ms).unwrap_or(Timestamp::MAX);
    RequestView {
        sequence,
        direction,
        at: format!("{at:.3}"),
        merchant_id: entry.merchant_id.map(klarna_types::MerchantId::into_string),
        method: entry.method.to_string(),
        path: entry.path,
        status: entry.status,
        correlation_id: entry.correlation_id,
        duration_us: entry.duration_us,
        delivery_id,
        attempt,
        request_body: body(&entry.request_body),
        response_body: body(&entry.response_body),
        explanation: entry.explanation,
    }
}

fn body(bytes: &Bytes) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    Some(serde_json::from_slice(bytes).unwrap_or_else(|_| text()))
}
