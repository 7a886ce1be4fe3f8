//! `GET /v1/api_keys` and `GET /v1/api_keys/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::super::extract::{Caller, wrong_query};
use super::super::payments::list::{cursor_of, read_cursor};
use super::super::problem::Problem;
use super::view::KeyView;
use crate::app::App;
use crate::store::keys;

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// Which page of a list is wanted.
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

/// Where a page begins: a time and an id.
pub(super) type Begin = Option<(i64, String)>;

impl PageQuery {
    /// How many, and from where.
    pub(in crate::api) fn read(self) -> Result<(i64, Begin), Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            let detail = format!("limit: {limit} is not between 1 and 100.");
            return Err(Problem::invalid("limit", detail));
        }
        let before = self
            .cursor
            .map(|cursor| {
                read_cursor(&cursor).ok_or_else(|| {
                    Problem::invalid("cursor", "cursor: take the next_cursor of the page before.")
                })
            })
            .transpose()?;
        Ok((limit, before))
    }
}

/// Cuts a page to its length, if one more than that was found; answers where the next one begins.
pub(in crate::api) fn cut<T>(
    found: &mut Vec<T>,
    limit: i64,
    place: impl Fn(&T) -> (i64, &str),
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() <= limit {
        return None;
    }
    found.truncate(limit);
    found.last().map(|last| {
        let (at_ms, id) = place(last);
        cursor_of(at_ms, id)
    })
}

/// A page of keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KeyList {
    /// Newest first.
    pub data: Vec<KeyView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists the store's keys, newest first; those that have ended, too.
#[utoipa::path(get, path = "/v1/api_keys", tag = "access", params(PageQuery),
    responses((status = 200, body = KeyList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<KeyList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let (limit, before) = query.read()?;
    let store_id = caller.store_id;
    let mut found = app
        .database()
        .read_long(move |tx| keys::list(tx, &store_id, before.clone(), limit + 1))
        .await?;
    let next_cursor = cut(&mut found, limit, |key| (key.created_at_ms, key.id.as_str()));
    let now_ms = app.engine().now_ms();
    let data = found.iter().map(|key| KeyView::new(key, now_ms)).collect();
    Ok(Json(KeyList { data, next_cursor }))
}

/// Reads a key; never the key itself.
#[utoipa::path(get, path = "/v1/api_keys/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 200, body = KeyView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyView>, Problem> {
    let found = app.database().read(move |tx| keys::get_in(tx, &caller.store_id, &id)).await?;
    let key = found.ok_or_else(|| Problem::not_found("API key"))?;
    Ok(Json(KeyView::new(&key, app.engine().now_ms())))
}
