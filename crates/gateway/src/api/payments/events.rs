//! `GET /v1/payments/{id}/events`.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::super::checkouts::view::time;
use super::super::extract::Caller;
use super::super::problem::Problem;
use crate::app::App;
use crate::fault::Fault;
use crate::store::events::Event;
use crate::store::{events, payments};

/// Something that happened.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EventView {
    /// The same fact has the same id.
    pub id: String,
    /// What, such as `payment.captured`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The checkout or payment it happened to.
    pub subject_id: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When.
    pub created_at: String,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            subject_id: event.subject_id,
            data: event.data,
            created_at: time(event.created_at_ms),
        }
    }
}

/// What happened to a payment and to the checkout it came from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventList {
    /// Oldest first.
    pub data: Vec<EventView>,
}

/// Lists what happened, oldest first.
#[utoipa::path(get, path = "/v1/payments/{id}/events", tag = "payments",
    params(("id" = String, Path)),
    responses((status = 200, body = EventList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EventList>, Problem> {
    let found = app
        .database()
        .read_long(move |tx| {
            let Some(payment) = payments::get_in(tx, &caller.store_id, &id)? else {
                return Ok(None);
            };
            let mut all = events::of_subject(tx, &payment.checkout_id)?;
            all.extend(events::of_subject(tx, &payment.id)?);
            Ok::<_, Fault>(Some(all))
        })
        .await?
        .ok_or_else(|| Problem::not_found("payment"))?;
    Ok(Json(EventList { data: found.into_iter().map(EventView::from).collect() }))
}
