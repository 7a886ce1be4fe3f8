//! `GET /v1/audit_log`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;

use super::super::checkouts::view::time;
use super::super::extract::{Caller, wrong_query};
use super::super::problem::Problem;
use super::read::{PageQuery, cut};
use crate::app::App;
use crate::store::audit::{self, Entry};

/// Something that somebody did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: String,
    /// `user`, `api_key` or `system`.
    pub actor_kind: String,
    /// The id of the user or of the key.
    pub actor_id: String,
    /// The user's or the key's name at that time.
    pub actor_name: String,
    /// What was done, such as `api_key.rotated`.
    pub action: String,
    /// To what: an id, or a path.
    pub subject: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When.
    pub created_at: String,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            actor_name: entry.actor_name,
            action: entry.action,
            subject: entry.subject,
            data: entry.data,
            created_at: time(entry.created_at_ms),
        }
    }
}

/// A page of the audit log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditList {
    /// Newest first.
    pub data: Vec<AuditEntry>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists who did what in the dashboard and with keys, newest first. Nothing in it is ever changed.
#[utoipa::path(get, path = "/v1/audit_log", tag = "access", params(PageQuery),
    responses((status = 200, body = AuditList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<AuditList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let (limit, before) = query.read()?;
    let store_id = caller.store_id;
    let mut found = app
        .database()
        .read_long(move |tx| audit::list(tx, &store_id, before.clone(), limit + 1))
        .await?;
    let next_cursor = cut(&mut found, limit, |entry| (entry.created_at_ms, entry.id.as_str()));
    Ok(Json(AuditList { data: found.into_iter().map(Into::into).collect(), next_cursor }))
}
