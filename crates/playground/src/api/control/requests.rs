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
use crate::api::control::query;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::fault::Injected;
use crate::requests::{Cursor, Direction, Entry, Filter};
use crate::store::{StoreError, callbacks};

const DEFAULT_LIMIT: usize = 100;
const GREATEST_LIMIT: usize = 2_000;

/// Which entries are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// At most so many; 100 unless given, 2000 at most.
    limit: Option<usize>,
    /// Only paths or URLs that contain this.
    path: Option<String>,
    /// Only answers with this status.
    status: Option<u16>,
    /// Only this merchant's calls and callbacks.
    merchant_id: Option<String>,
    /// Only the call with this correlation id.
    #[param(value_type = Option<String>)]
    correlation_id: Option<Uuid>,
    /// Only what this fault hit, or `any` fault.
    fault: Option<String>,
    /// Only what has this order's id in its path or its bodies.
    order_id: Option<String>,
    /// Only what was written after this `cursor`, and of that the oldest entries first when there are more
    /// than `limit`: whoever asks again with the new cursor gets each entry once.
    since: Option<String>,
}

/// The log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestsView {
    /// Newest first.
    requests: Vec<RequestView>,
    /// The place in the log after these: what comes later is listed with `?since=`.
    cursor: String,
    /// With `since`: how many entries came after it that the log no longer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
    /// With `since`: whether there are more already.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
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
    /// The faults that hit it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Injected>,
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
    let wanted = query::wanted(wanted)?;
    let since = match &wanted.since {
        Some(text) => {
            let cursor = Cursor::parse(text);
            Some(cursor.ok_or_else(|| ApiError::bad_value(&["since"]))?)
        }
        None => None,
    };
    let filter = Filter {
        limit: wanted.limit.unwrap_or(DEFAULT_LIMIT).min(GREATEST_LIMIT),
        path: wanted.path,
        status: wanted.status,
        merchant_id: wanted.merchant_id,
        correlation_id: wanted.correlation_id,
        fault: wanted.fault,
        order_id: wanted.order_id,
    };
    if let Some(since) = since {
        let mut stretch = app.requests().since(&since, &filter);
        stretch.entries.reverse();
        let entries = stretch.entries.into_iter();
        return Answer::ok(&RequestsView {
            requests: entries.map(|(number, entry)| view((Some(number), entry))).collect(),
            cursor: stretch.end.to_string(),
            missed: Some(stretch.missed),
            more: Some(stretch.more),
        });
    }
    let end = app.requests().end();
    let mut entries: Vec<(Option<u64>, Entry)> = app
        .requests()
        .list(&filter, &end)
        .into_iter()
        .map(|(sequence, entry)| (Some(sequence), entry))
        .collect();
    entries.extend(earlier_callbacks(&app, &filter, &entries).await?);
    entries.truncate(filter.limit);
    let requests = entries.into_iter().map(view).collect();
    Answer::ok(&RequestsView { requests, cursor: end.to_string(), missed: None, more: None })
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
        faults: entry.faults,
    }
}

fn body(bytes: &Bytes) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    Some(serde_json::from_slice(bytes).unwrap_or_else(|_| text()))
}
