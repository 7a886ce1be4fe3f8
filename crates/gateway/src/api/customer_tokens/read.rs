//! `GET /v1/customer_tokens` and `GET /v1/customer_tokens/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::super::extract::{Caller, wrong_query};
use super::super::paging::Wanted;
use super::super::problem::Problem;
use super::find;
use super::view::CustomerTokenView;
use crate::app::App;
use crate::domain::customer::TokenStatus;
use crate::engine::recurring::tokens;
use crate::store::customers::{self, Filter};

/// What a list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TokenQuery {
    /// Only tokens of this customer.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// Only tokens in this status.
    #[serde(default)]
    pub status: Option<String>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of customer tokens.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CustomerTokenList {
    /// Newest first.
    pub data: Vec<CustomerTokenView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists customer tokens, newest first, as the gateway last knew them.
#[utoipa::path(get, path = "/v1/customer_tokens", tag = "customer tokens", params(TokenQuery),
    responses((status = 200, body = CustomerTokenList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<TokenQuery>, QueryRejection>,
) -> Result<Json<CustomerTokenList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    if let Some(name) = &query.status
        && TokenStatus::from_name(name).is_none()
    {
        let known = TokenStatus::ALL.map(TokenStatus::name).join(", ");
        let detail = format!("status: \"{name}\" is not one of {known}.");
        return Err(Problem::invalid("status", detail));
    }
    let page = wanted.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let mut only = Vec::new();
            only.extend(query.customer_id.iter().map(|value| ("customer_id", value.as_str())));
            only.extend(query.status.iter().map(|value| ("status", value.as_str())));
            let filter = Filter { only, before: page.before.clone() };
            customers::list_tokens(tx, &caller.store_id, &filter, page.to_read())
        })
        .await?;
    let (found, next_cursor) = wanted.cut(found, |token| (token.created_at_ms, token.id.as_str()));
    let data = found.iter().map(|token| CustomerTokenView::new(token, None)).collect();
    Ok(Json(CustomerTokenList { data, next_cursor }))
}

/// Reads a customer token, and asks Klarna about it on the way. Where Klarna cannot be asked, it is as
/// the gateway last knew it: see `checked_at`.
#[utoipa::path(get, path = "/v1/customer_tokens/{id}", tag = "customer tokens",
    params(("id" = String, Path)),
    responses((status = 200, body = CustomerTokenView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CustomerTokenView>, Problem> {
    let token = find(&app, &caller.store_id, &id).await?;
    let read = match tokens::refresh(app.engine(), &token).await? {
        Ok(read) => Some(read),
        Err(failure) => {
            tracing::warn!(
                customer_token.id = %token.id,
                klarna.correlation_id = failure.correlation_id,
                summary = %failure.summary,
                "a customer token could not be read from Klarna"
            );
            None
        }
    };
    let token = find(&app, &caller.store_id, &id).await?;
    Ok(Json(CustomerTokenView::new(&token, read.as_ref())))
}
