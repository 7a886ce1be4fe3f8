//! `GET /v1/operations` and `GET /v1/operations/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::super::extract::{Caller, wrong_query};
use super::super::payments::list::{cursor_of, read_cursor};
use super::super::problem::Problem;
use super::view::OperationDetail;
use crate::app::App;
use crate::domain::operation::State as Stands;
use crate::fault::Fault;
use crate::store::operations;

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only operations in this state, such as `needs_attention`.
    #[serde(default)]
    pub state: Option<String>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of operations.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OperationList {
    /// Newest first.
    pub data: Vec<OperationDetail>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists operations, newest first.
#[utoipa::path(get, path = "/v1/operations", tag = "operations", params(ListQuery),
    responses((status = 200, body = OperationList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<OperationList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")));
    }
    let state = query
        .state
        .map(|name| {
            Stands::from_name(&name).ok_or_else(|| {
                let known = Stands::ALL.map(Stands::name).join(", ");
                Problem::invalid("state", format!("state: not one of {known}."))
            })
        })
        .transpose()?;
    let before = query
        .cursor
        .map(|cursor| {
            read_cursor(&cursor).ok_or_else(|| {
                Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
            })
        })
        .transpose()?;
    let page = app
        .database()
        .read_long(move |tx| {
            let mut found =
                operations::list(tx, &caller.store_id, state, before.as_ref(), limit + 1)?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = found.len() > wanted;
            found.truncate(wanted);
            let next_cursor =
                found.last().filter(|_| more).map(|last| cursor_of(last.created_at_ms, &last.id));
            let mut data = Vec::with_capacity(found.len());
            for operation in &found {
                data.push(OperationDetail::load(tx, operation)?);
            }
            Ok::<_, Fault>(OperationList { data, next_cursor })
        })
        .await?;
    Ok(Json(page))
}

/// Reads an operation with everything that is known of it.
#[utoipa::path(get, path = "/v1/operations/{id}", tag = "operations",
    params(("id" = String, Path)),
    responses((status = 200, body = OperationDetail), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OperationDetail>, Problem> {
    load(&app, &caller.store_id, &id)
        .await?
        .map(Json)
        .ok_or_else(|| Problem::not_found("operation"))
}

/// The operation as it now is.
pub async fn load(app: &App, store_id: &str, id: &str) -> Result<Option<OperationDetail>, Fault> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read_long(move |tx| {
            let found = operations::get(tx, &id)?.filter(|found| found.store_id == store_id);
            found.map(|operation| OperationDetail::load(tx, &operation)).transpose()
        })
        .await
}
