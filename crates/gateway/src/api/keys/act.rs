//! `POST /v1/api_keys/{id}/rotate` and `/revoke`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use storage::Tx;

use super::super::extract::{Body, Caller, idempotency_key};
use super::super::problem::Problem;
use super::create::{self, Made};
use super::view::KeyView;
use super::{Drawn, draw};
use crate::app::App;
use crate::domain::access_key::{DEFAULT_OVERLAP_MS, Key, Rejection};
use crate::domain::idempotency;
use crate::domain::scope::Scopes;
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::keys;

/// How a key is to be replaced.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// How long the old key still works, in seconds: 0 to 2592000; a day if it is left out.
    #[serde(default)]
    pub overlap_seconds: Option<i64>,
}

/// Why nothing was done with a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDone {
    /// There is no such key in this store.
    #[error("there is no such key")]
    Unknown,
    /// The rules forbid it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The gateway failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<storage::Error> for NotDone {
    fn from(error: storage::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Unknown => Self::not_found("API key"),
            NotDone::Rejected(rejection) => rejection.into(),
            NotDone::Fault(fault) => fault.into(),
        }
    }
}

/// Who asks, and under which id the audit log keeps it.
#[derive(Debug, Clone)]
pub(crate) struct By {
    /// Who.
    pub(crate) actor: Actor,
    /// In which store.
    pub(crate) store_id: String,
    /// What they may do themselves.
    pub(crate) scopes: Scopes,
    /// A fresh id.
    pub(crate) audit_id: String,
}

/// Puts a new key in the place of an old one.
pub(crate) fn replace(
    tx: &mut Tx<'_>,
    by: &By,
    id: &str,
    overlap_ms: i64,
    drawn: impl FnOnce(&Key) -> Drawn,
    now_ms: i64,
) -> Result<(Key, String), NotDone> {
    let store_id = by.store_id.as_str();
    let old = keys::lock_in(tx, store_id, id)?.ok_or(NotDone::Unknown)?;
    let (grant, ends_at_ms) = old.rotate(by.scopes, overlap_ms, now_ms)?;
    let drawn = drawn(&old);
    let new = keys::New {
        id: &drawn.id,
        store_id,
        digest: &drawn.digest,
        hint: &drawn.hint,
        created_by: if by.actor.kind == "user" { &by.actor.name } else { &by.actor.id },
    };
    keys::ensure(tx, new, &grant, now_ms)?;
    keys::replace(tx, &old.id, &drawn.id, ends_at_ms)?;
    let deed = Deed {
        id: &by.audit_id,
        store_id,
        actor: &by.actor,
        action: "api_key.rotated",
        subject: &old.id,
    };
    let data = json!({ "replaced_by": drawn.id, "ends_at_ms": ends_at_ms });
    audit::append(tx, deed, &data, now_ms)?;
    let key = keys::get_in(tx, store_id, &drawn.id)?
        .ok_or_else(|| Fault::inconsistent(format!("key {} was not kept", drawn.id)))?;
    Ok((key, drawn.secret))
}

/// Ends a key. Ending one that is revoked already changes nothing.
pub(crate) fn end(tx: &mut Tx<'_>, by: &By, id: &str, now_ms: i64) -> Result<Key, NotDone> {
    let store_id = by.store_id.as_str();
    let key = keys::lock_in(tx, store_id, id)?.ok_or(NotDone::Unknown)?;
    if key.revoked_at_ms.is_some() {
        return Ok(key);
    }
    keys::revoke(tx, id, now_ms)?;
    let deed = Deed {
        id: &by.audit_id,
        store_id,
        actor: &by.actor,
        action: "api_key.revoked",
        subject: id,
    };
    audit::append(tx, deed, &json!({ "name": key.name }), now_ms)?;
    keys::get_in(tx, store_id, id)?.ok_or(NotDone::Unknown)
}

fn by(app: &App, caller: &Caller) -> By {
    By {
        actor: caller.actor(),
        store_id: caller.store_id.clone(),
        scopes: caller.scopes,
        audit_id: app.engine().fresh_id("aud"),
    }
}

/// Puts a new key in the place of one; the old one works on for a while.
#[utoipa::path(post, path = "/v1/api_keys/{id}/rotate", tag = "access",
    params(("id" = String, Path)), request_body = RotateKey,
    responses((status = 201, body = KeyView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<RotateKey>,
) -> Result<Response, Problem> {
    let now_ms = app.engine().now_ms();
    let overlap_ms =
        value.overlap_seconds.map_or(DEFAULT_OVERLAP_MS, |seconds| seconds.saturating_mul(1000));
    let key = idempotency_key(&headers)?;
    let path = format!("/v1/api_keys/{id}/rotate");
    let fingerprint = idempotency::fingerprint("POST", &path, &bytes);
    let by = by(&app, &caller);
    let draws = app.clone();
    let (made, secret) = app
        .database()
        .write(move |tx| {
            let asked = key.as_deref().map(|key| (key, fingerprint.as_str()));
            let mut shown = String::new();
            let claim = draws.engine().fresh_id("own");
            let made =
                create::under_key::<NotDone>(tx, &by.store_id, asked, &claim, now_ms, |tx| {
                    let drawn = |old: &Key| draw(&draws, old.kind);
                    let (new, secret) = replace(tx, &by, &id, overlap_ms, drawn, now_ms)?;
                    shown = secret;
                    Ok(new)
                })?;
            Ok::<(Made, String), NotDone>((made, shown))
        })
        .await?;
    create::answer(made, secret, now_ms)
}

/// Ends a key at once, and for good.
#[utoipa::path(post, path = "/v1/api_keys/{id}/revoke", tag = "access",
    params(("id" = String, Path)),
    responses((status = 200, body = KeyView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyView>, Problem> {
    let now_ms = app.engine().now_ms();
    let by = by(&app, &caller);
    let key = app.database().write(move |tx| end(tx, &by, &id, now_ms)).await?;
    Ok(Json(KeyView::new(&key, now_ms)))
}
