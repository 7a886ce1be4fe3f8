//! `POST /v1/api_keys`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use storage::Tx;

use super::super::extract::{Body, Caller, idempotency_key};
use super::super::problem::Problem;
use super::super::repeat::different;
use super::view::KeyView;
use super::{Drawn, draw, told};
use crate::app::App;
use crate::domain::access_key::{Grant, Key, Kind, Wish};
use crate::domain::idempotency;
use crate::fault::Fault;
use crate::store::answers::{self, Found};
use crate::store::audit::{self, Actor, Deed};
use crate::store::keys::{self, New};

/// A key to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What people call it.
    pub name: String,
    /// `secret` (for servers) or `publishable` (for browsers); `secret` if it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub kind: Option<KindInput>,
    /// What a secret key may do; only what the asking key may do itself.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// From which pages a publishable key may be used, such as `https://shop.example`.
    #[serde(default)]
    pub origins: Vec<String>,
    /// When it ends by itself; never, if it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindInput {
    /// For servers.
    Secret,
    /// For browsers.
    Publishable,
}

impl From<KindInput> for Kind {
    fn from(kind: KindInput) -> Self {
        match kind {
            KindInput::Secret => Self::Secret,
            KindInput::Publishable => Self::Publishable,
        }
    }
}

/// Makes a key. The answer shows it, once.
#[utoipa::path(post, path = "/v1/api_keys", tag = "access", request_body = CreateKey,
    responses((status = 201, body = KeyView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateKey>,
) -> Result<Response, Problem> {
    let now_ms = app.engine().now_ms();
    let wish = Wish {
        name: value.name,
        kind: value.kind.map_or(Kind::Secret, Kind::from),
        scopes: value.scopes,
        origins: value.origins,
        expires_at_ms: value.expires_at.map(Timestamp::as_millisecond),
    };
    let grant = wish.grant(caller.scopes, now_ms)?;
    let key = idempotency_key(&headers)?;
    let fingerprint = idempotency::fingerprint("POST", "/v1/api_keys", &bytes);
    let drawn = draw(&app, grant.kind);
    let secret = drawn.secret.clone();
    let audit_id = app.engine().fresh_id("aud");
    let made = app
        .database()
        .write(move |tx| {
            let asked = key.as_deref().map(|key| (key, fingerprint.as_str()));
            under_key::<Fault>(tx, &caller.store_id, asked, &drawn.id, now_ms, |tx| {
                let by = (&caller.actor(), audit_id.as_str());
                make(tx, &caller.store_id, by, &drawn, &grant, now_ms)
            })
        })
        .await?;
    answer(made, secret, now_ms)
}

/// What came of making a key.
pub(crate) enum Made {
    /// It is new.
    New(Key),
    /// The same request made it before.
    Before(Key),
    /// The `Idempotency-Key` stands for something else.
    Different,
}

/// Makes something, once for each `Idempotency-Key`.
pub(crate) fn under_key<E: From<storage::Error> + From<Fault>>(
    tx: &mut Tx<'_>,
    store_id: &str,
    asked: Option<(&str, &str)>,
    new_id: &str,
    now_ms: i64,
    make: impl FnOnce(&mut Tx<'_>) -> Result<Key, E>,
) -> Result<Made, E> {
    let Some((key, fingerprint)) = asked else { return make(tx).map(Made::New) };
    // Everything happens in this unit of work: nobody finds the key owned and nothing made.
    match answers::begin(tx, store_id, key, fingerprint, new_id, now_ms, now_ms)? {
        Found::Mine => {
            let made = make(tx)?;
            answers::attach(tx, store_id, key, new_id, &made.id)?;
            Ok(Made::New(made))
        }
        Found::Made(id) => {
            let made = keys::get_in(tx, store_id, &id)?;
            Ok(made.map_or(Made::Different, Made::Before))
        }
        Found::Different | Found::InProgress => Ok(Made::Different),
    }
}

/// Keeps a new key and who made it.
pub(crate) fn make(
    tx: &mut Tx<'_>,
    store_id: &str,
    (actor, audit_id): (&Actor, &str),
    drawn: &Drawn,
    grant: &Grant,
    now_ms: i64,
) -> Result<Key, Fault> {
    let created_by = if actor.kind == "user" { &actor.name } else { &actor.id };
    let new = New { id: &drawn.id, store_id, digest: &drawn.digest, hint: &drawn.hint, created_by };
    keys::ensure(tx, new, grant, now_ms)?;
    let deed =
        Deed { id: audit_id, store_id, actor, action: "api_key.created", subject: &drawn.id };
    audit::append(tx, deed, &told(grant), now_ms)?;
    keys::get_in(tx, store_id, &drawn.id)?
        .ok_or_else(|| Fault::inconsistent(format!("key {} was not kept", drawn.id)))
}

pub(super) fn answer(made: Made, secret: String, now_ms: i64) -> Result<Response, Problem> {
    let view = match made {
        Made::New(key) => KeyView { key: Some(secret), ..KeyView::new(&key, now_ms) },
        Made::Before(key) => KeyView::new(&key, now_ms),
        Made::Different => return Err(different()),
    };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}
