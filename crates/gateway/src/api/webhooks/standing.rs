//! `POST /v1/webhook_endpoints/{id}/…`: a newer secret, on and off, a test, and what is sent again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::extract::{Body, Caller};
use super::super::once::{Once, once};
use super::super::payments::cancel::Nothing;
use super::super::payments::list::{cursor_of, read_cursor};
use super::super::problem::Problem;
use super::deliveries;
use super::endpoints::{asked, change, changed, shown_with_secret};
use super::view::{WebhookDeliveryView, WebhookEndpointView};
use crate::app::App;
use crate::domain::webhook::{LONGEST_OVERLAP_MS, OVERLAP_MS};
use crate::engine::webhooks::command::{self, Change, Replay};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// How a secret is replaced.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// For how many hours the older secrets go on signing beside the new one: 0 to 168; 24 if it is
    /// left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 168)]
    pub overlap_hours: Option<i64>,
}

/// Which messages are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayWhat {
    /// Those that were given up.
    Dead,
    /// All of a stretch of time that the endpoint wants to hear of, delivered or not.
    Range,
}

/// What is to be sent again.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayMessages {
    /// Which messages.
    pub what: ReplayWhat,
    /// For a range: events from then on, such as `2031-05-04T00:00:00Z`.
    #[serde(default)]
    pub from: Option<String>,
    /// For a range: events from before then; now, if it is left out.
    #[serde(default)]
    pub until: Option<String>,
    /// The `next_cursor` of the answer before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What a replay came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReplayedMessages {
    /// So many messages are on their way again.
    pub count: i64,
    /// Set when there is more: ask again with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

fn path(id: &str, verb: &str) -> String {
    format!("/v1/webhook_endpoints/{id}/{verb}")
}

/// Gives a webhook endpoint a newer secret. Until the overlap ends each message is signed with both:
/// exchange the secret at the receiver, and nothing is lost. The answer holds the new one, once.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/rotate", tag = "webhooks",
    params(("id" = String, Path)), request_body = RotateSecret,
    responses((status = 200, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<RotateSecret>,
) -> Result<Response, Problem> {
    let overlap_ms = match value.overlap_hours {
        None => OVERLAP_MS,
        Some(hours) => hours
            .checked_mul(HOUR_MS)
            .filter(|ms| (0..=LONGEST_OVERLAP_MS).contains(ms))
            .ok_or_else(|| {
                Problem::invalid("overlap_hours", "overlap_hours: 0 to 168 are allowed.")
            })?,
    };
    let sealed = command::fresh_secret(app.engine())?.sealed;
    let path = path(&id, "rotate");
    let request = asked(&caller, &headers, &path, &bytes)?;
    let rotate = Change::Rotate { sealed, overlap_ms };
    let endpoint = changed(&app, &caller, id, request, rotate).await?;
    shown_with_secret(&app, &caller, endpoint, StatusCode::OK).await
}

/// Has a webhook endpoint called again. What happened while it was disabled can be replayed.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/enable", tag = "webhooks",
    params(("id" = String, Path)),
    responses((status = 200, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn enable(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let path = path(&id, "enable");
    let request = asked(&caller, &headers, &path, &bytes)?;
    change(&app, &caller, id, request, Change::Enable).await
}

/// Has a webhook endpoint called no more. What is on its way to it becomes a dead letter.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/disable", tag = "webhooks",
    params(("id" = String, Path)),
    responses((status = 200, body = WebhookEndpointView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn disable(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let path = path(&id, "disable");
    let request = asked(&caller, &headers, &path, &bytes)?;
    change(&app, &caller, id, request, Change::Disable).await
}

/// Sends a `webhook.test` message to one endpoint. Read the delivery to see what came of it.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/test", tag = "webhooks",
    params(("id" = String, Path)),
    responses(
        (status = 202, body = WebhookDeliveryView, description = "It is on its way."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let path = path(&id, "test");
    let request = asked(&caller, &headers, &path, &bytes)?;
    let (store_id, now_ms) = (caller.store_id.clone(), app.engine().now_ms());
    let subject_id = app.engine().fresh_id("tst");
    let sent = once(&app, request, move |tx| {
        let sent = command::test(tx, &store_id, &id, &subject_id, now_ms)?;
        Ok(sent.map(|delivery| {
            let id = delivery.id.clone();
            (delivery, id)
        }))
    })
    .await?;
    app.courier().wake();
    let delivery = match sent {
        Once::Now(delivery) => delivery,
        Once::Before(id) => deliveries::load(&app, &caller, &id).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(WebhookDeliveryView::from(&delivery))).into_response())
}

/// Sends messages again: those that were given up, or all of a stretch of time. Receivers know a
/// repeated message by its `webhook-id`. At most 500 events are looked through at a time.
#[utoipa::path(post, path = "/v1/webhook_endpoints/{id}/replay", tag = "webhooks",
    params(("id" = String, Path)), request_body = ReplayMessages,
    responses(
        (status = 202, body = ReplayedMessages, description = "They are on their way."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<ReplayMessages>,
) -> Result<Response, Problem> {
    let path = path(&id, "replay");
    let request = asked(&caller, &headers, &path, &bytes)?;
    let (store_id, now_ms) = (caller.store_id.clone(), app.engine().now_ms());
    let what = wanted(&value, now_ms)?;
    let replayed = once(&app, request, move |tx| {
        let replayed = command::replay(tx, &store_id, &id, &what, now_ms)?;
        // The answer is short: kept as it is, for a repeat under the same key.
        Ok(replayed.map(|replayed| {
            let next = replayed.next.map(|(at_ms, id)| cursor_of(at_ms, &id));
            let made = format!("{} {}", replayed.count, next.unwrap_or_default());
            (made.clone(), made)
        }))
    })
    .await?;
    app.courier().wake();
    let (Once::Now(made) | Once::Before(made)) = replayed;
    let (count, next) = made.split_once(' ').unwrap_or((&made, ""));
    let answer = ReplayedMessages {
        count: count.parse().unwrap_or_default(),
        next_cursor: Some(next.to_owned()).filter(|next| !next.is_empty()),
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn wanted(value: &ReplayMessages, now_ms: i64) -> Result<Replay, Problem> {
    match value.what {
        ReplayWhat::Dead => {
            for (member, given) in [("from", &value.from), ("until", &value.until)] {
                if given.is_some() {
                    let says = format!("{member}: goes with a range, not with dead letters.");
                    return Err(Problem::invalid(member, says));
                }
            }
            Ok(Replay::Dead)
        }
        ReplayWhat::Range => {
            let from = value.from.as_deref().ok_or_else(|| {
                Problem::invalid("from", "from: say from when on, such as 2031-05-04T00:00:00Z.")
            })?;
            let from_ms = instant("from", from)?;
            let until_ms = match value.until.as_deref() {
                Some(until) => instant("until", until)?,
                None => now_ms.saturating_add(1),
            };
            if until_ms <= from_ms {
                return Err(Problem::invalid("until", "until: must be later than from."));
            }
            let after = value.cursor.as_deref().map(|cursor| {
                read_cursor(cursor).ok_or_else(|| {
                    Problem::invalid("cursor", "cursor: use the next_cursor of an answer as it is.")
                })
            });
            Ok(Replay::Range { from_ms, until_ms, after: after.transpose()? })
        }
    }
}

/// A point in time as the API takes it.
pub(in crate::api) fn instant(member: &str, text: &str) -> Result<i64, Problem> {
    text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| {
        Problem::invalid(
            member,
            format!("{member}: not a point in time; write it as 2031-05-04T12:30:00Z."),
        )
    })
}
