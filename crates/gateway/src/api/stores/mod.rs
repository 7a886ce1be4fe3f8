//! Stores: whose payments are whose, and under which of Klarna's accounts they are made.
//!
//! A key belongs to one store. The keys of the default store are the operator's: they see every
//! store, and make new ones. Any other key sees its own store, and no other exists for it.

pub mod accounts;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Body, Caller, wrong_query};
use super::keys::{self, draw};
use super::payments::list::{cursor_of, read_cursor};
use super::problem::Problem;
use super::repeat;
use crate::app::{App, DEFAULT_STORE};
use crate::domain::access_key::{Grant, Kind};
use crate::domain::account::check_text;
use crate::domain::scope::Scopes;
use crate::fault::Fault;
use crate::store::audit::Actor;
use crate::store::stores::{self, Details, Premises, Store};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// A store.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StoreView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where its tills stand: what Klarna is told of purchases in it.
    pub premises: Premises,
    /// When it was made.
    pub created_at: String,
    /// A key for this store's API, in the answer that makes the store. It is never shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

impl From<Store> for StoreView {
    fn from(store: Store) -> Self {
        Self {
            id: store.id,
            name: store.name,
            premises: store.details.premises,
            created_at: time(store.created_at_ms),
            api_key: None,
        }
    }
}

/// A page of stores.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StoreList {
    /// Oldest first.
    pub data: Vec<StoreView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl PageQuery {
    fn read(
        query: Result<Query<Self>, QueryRejection>,
    ) -> Result<(i64, Option<(i64, String)>), Problem> {
        let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            let detail = format!("limit: {limit} is not between 1 and 100.");
            return Err(Problem::invalid("limit", detail));
        }
        let after = query
            .cursor
            .map(|cursor| {
                read_cursor(&cursor).ok_or_else(|| {
                    Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
                })
            })
            .transpose()?;
        Ok((limit, after))
    }
}

/// A new store.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStore {
    /// What people call it.
    pub name: String,
    /// Where its tills stand.
    #[serde(default)]
    pub premises: Premises,
}

/// What is to be changed of a store; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateStore {
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Where its tills stand; replaced as a whole.
    #[serde(default)]
    pub premises: Option<Premises>,
}

/// Whether somebody of one store may see another.
pub(crate) fn may_see(of_store: &str, store_id: &str) -> bool {
    of_store == store_id || of_store == DEFAULT_STORE
}

/// The store of that id, if the caller may see it.
pub(crate) async fn find(app: &App, of_store: &str, id: &str) -> Result<Store, Problem> {
    let missing = || Problem::not_found("store");
    if !may_see(of_store, id) {
        return Err(missing());
    }
    let id = id.to_owned();
    app.database().read(move |tx| stores::get(tx, &id)).await?.ok_or_else(missing)
}

pub(crate) fn check_store(name: Option<&str>, premises: Option<&Premises>) -> Result<(), Problem> {
    let wrong = |problem: crate::domain::cart::Problem| {
        Problem::invalid(problem.member.clone(), format!("{problem}."))
    };
    if let Some(name) = name {
        check_text("name", name, 80).map_err(wrong)?;
    }
    let Some(premises) = premises else { return Ok(()) };
    for (member, value) in [
        ("premises.merchant_store_id", &premises.merchant_store_id),
        ("premises.street_address", &premises.street_address),
        ("premises.street_number", &premises.street_number),
        ("premises.postal_code", &premises.postal_code),
        ("premises.city", &premises.city),
    ] {
        if let Some(value) = value {
            check_text(member, value, 99).map_err(wrong)?;
        }
    }
    if let Some(country) = &premises.country
        && klarna_types::Country::from(country.as_str()).market().is_none()
    {
        return Err(Problem::invalid(
            "premises.country",
            format!(
                "premises.country: \"{country:.20}\" is not a country in which Klarna is offered."
            ),
        ));
    }
    Ok(())
}

/// Lists the stores that the key may see, oldest first.
#[utoipa::path(get, path = "/v1/stores", tag = "stores", params(PageQuery),
    responses((status = 200, body = StoreList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<StoreList>, Problem> {
    let (limit, after) = PageQuery::read(query)?;
    if caller.store_id != DEFAULT_STORE {
        let own = find(&app, &caller.store_id, &caller.store_id).await?;
        let data = if after.is_none() { vec![own.into()] } else { Vec::new() };
        return Ok(Json(StoreList { data, next_cursor: None }));
    }
    let mut found =
        app.database().read_long(move |tx| stores::list(tx, after.as_ref(), limit + 1)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor =
        found.last().filter(|_| more).map(|store| cursor_of(store.created_at_ms, &store.id));
    Ok(Json(StoreList { data: found.into_iter().map(StoreView::from).collect(), next_cursor }))
}

/// Makes a store, with a key for its API. The key is in this answer and nowhere else: a repeat of the
/// request under its `Idempotency-Key` shows the store without it.
#[utoipa::path(post, path = "/v1/stores", tag = "stores", request_body = CreateStore,
    responses((status = 201, body = StoreView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateStore>,
) -> Result<Response, Problem> {
    if caller.store_id != DEFAULT_STORE {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "operator_only",
            "Stores are made with a key of the default store.",
            "Ask whoever runs this gateway.",
        ));
    }
    check_store(Some(&value.name), Some(&value.premises))?;
    let ticket = match repeat::begin(&app, &caller.store_id, &headers, "/v1/stores", &bytes).await?
    {
        repeat::Begun::Go(ticket) => ticket,
        repeat::Begun::Done(id) => {
            let store = find(&app, &caller.store_id, &id).await?;
            return Ok((StatusCode::CREATED, Json(StoreView::from(store))).into_response());
        }
    };
    let done = make(&app, caller.actor(), value.name, value.premises).await.map_err(Problem::from);
    let view = repeat::end(&app, ticket, done, |view| view.id.clone()).await?;
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Makes a store with a key for its API.
pub(crate) async fn make(
    app: &App,
    actor: Actor,
    name: String,
    premises: Premises,
) -> Result<StoreView, Fault> {
    let engine = app.engine();
    let now_ms = engine.now_ms();
    let store = Store {
        id: engine.fresh_id("sto"),
        name,
        details: Details { premises },
        created_at_ms: now_ms,
    };
    let drawn = draw(app, Kind::Secret);
    let api_key = Some(drawn.secret.clone());
    let (kept, audit_id) = (store.clone(), engine.fresh_id("aud"));
    let grant = Grant {
        name: "Made with the store".to_owned(),
        kind: Kind::Secret,
        scopes: Scopes::everything(),
        origins: Vec::new(),
        expires_at_ms: None,
    };
    app.database()
        .write(move |tx| {
            stores::insert(tx, &kept)?;
            keys::create::make(tx, &kept.id, (&actor, &audit_id), &drawn, &grant, now_ms)?;
            Ok::<_, Fault>(())
        })
        .await?;
    Ok(StoreView { api_key, ..store.into() })
}

/// Reads a store.
#[utoipa::path(get, path = "/v1/stores/{id}", tag = "stores", params(("id" = String, Path)),
    responses((status = 200, body = StoreView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<StoreView>, Problem> {
    Ok(Json(find(&app, &caller.store_id, &id).await?.into()))
}

/// Changes a store.
#[utoipa::path(post, path = "/v1/stores/{id}", tag = "stores", params(("id" = String, Path)),
    request_body = UpdateStore,
    responses((status = 200, body = StoreView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<UpdateStore>,
) -> Result<Json<StoreView>, Problem> {
    find(&app, &caller.store_id, &id).await?;
    let store = change(&app, &id, value.name, value.premises).await?;
    Ok(Json(store.into()))
}

/// Changes a store that is known to be there.
pub(crate) async fn change(
    app: &App,
    id: &str,
    name: Option<String>,
    premises: Option<Premises>,
) -> Result<Store, Problem> {
    check_store(name.as_deref(), premises.as_ref())?;
    let id = id.to_owned();
    let store = app
        .database()
        .write(move |tx| {
            let Some(mut store) = stores::get(tx, &id)? else { return Ok(None) };
            if let Some(name) = &name {
                store.name.clone_from(name);
            }
            if let Some(premises) = &premises {
                store.details.premises.clone_from(premises);
            }
            stores::update(tx, &store)?;
            Ok::<_, Fault>(Some(store))
        })
        .await?;
    store.ok_or_else(|| Problem::not_found("store"))
}
