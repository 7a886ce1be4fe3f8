//! `/v1/customers`: whom a store's customer tokens and subscriptions belong to. The gateway knows the
//! merchant's own reference and nothing else of them.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Body, Caller, wrong_query};
use super::keyed;
use super::paging::Wanted;
use super::problem::Problem;
use crate::app::App;
use crate::domain::customer::Customer;
use crate::store::customers::{self, Filter};

/// A customer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CustomerView {
    /// Its id.
    pub id: String,
    /// The merchant's own name for the customer.
    pub reference: String,
    /// When the store first spoke of them.
    pub created_at: String,
}

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> Self {
        Self {
            id: customer.id.clone(),
            reference: customer.reference.clone(),
            created_at: time(customer.created_at_ms),
        }
    }
}

/// A customer to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomer {
    /// Your own name for the customer, such as a number in your books: 1 to 64 printable characters
    /// without spaces. Never an address, an e-mail address or a person's name.
    pub reference: String,
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CustomerQuery {
    /// Only the customer of this reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of customers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CustomerList {
    /// Newest first.
    pub data: Vec<CustomerView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Adds a customer. One of the same reference is answered as it is.
#[utoipa::path(post, path = "/v1/customers", tag = "customers", request_body = CreateCustomer,
    responses(
        (status = 201, body = CustomerView),
        (status = 200, body = CustomerView, description = "The customer was known already."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateCustomer>,
) -> Result<Response, Problem> {
    let reference = value.reference;
    let is_plain = (1..=64).contains(&reference.len())
        && reference.bytes().all(|byte| byte.is_ascii_graphic());
    // An e-mail address is a person's; here it would outlive them.
    if !is_plain || reference.contains('@') {
        return Err(Problem::invalid(
            "reference",
            "reference: 1 to 64 printable ASCII characters without spaces or @ are allowed.",
        ));
    }
    let customer = Customer {
        id: app.engine().fresh_id("cus"),
        store_id: caller.store_id.clone(),
        reference,
        created_at_ms: app.engine().now_ms(),
    };
    let id = customer.id.clone();
    let request = ("/v1/customers", bytes.as_ref());
    let (made, _) = keyed::once(&app, &caller, &headers, request, move |tx| {
        if customers::insert(tx, &customer)? {
            return Ok(Ok(customer.id.clone()));
        }
        let known = customers::by_reference(tx, &customer.store_id, &customer.reference)?;
        Ok(known.map(|known| known.id).ok_or_else(|| Problem::not_found("customer")))
    })
    .await?;
    let status = if made == id { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(find(&app, &caller.store_id, &made).await?)).into_response())
}

async fn find(app: &App, store_id: &str, id: &str) -> Result<CustomerView, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    let found = app.database().read(move |tx| customers::get_in(tx, &store_id, &id)).await?;
    found.as_ref().map(CustomerView::from).ok_or_else(|| Problem::not_found("customer"))
}

/// Reads a customer.
#[utoipa::path(get, path = "/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path)),
    responses((status = 200, body = CustomerView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CustomerView>, Problem> {
    find(&app, &caller.store_id, &id).await.map(Json)
}

/// Lists customers, newest first.
#[utoipa::path(get, path = "/v1/customers", tag = "customers", params(CustomerQuery),
    responses((status = 200, body = CustomerList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<CustomerQuery>, QueryRejection>,
) -> Result<Json<CustomerList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    let page = wanted.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let only: Vec<_> =
                query.reference.iter().map(|value| ("reference", value.as_str())).collect();
            let filter = Filter { only, before: page.before.clone() };
            customers::list(tx, &caller.store_id, &filter, page.to_read())
        })
        .await?;
    let (found, next_cursor) =
        wanted.cut(found, |customer| (customer.created_at_ms, customer.id.as_str()));
    Ok(Json(CustomerList { data: found.iter().map(CustomerView::from).collect(), next_cursor }))
}

/// Checks that a customer is of a store.
pub async fn check(app: &App, store_id: &str, id: Option<&str>) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    let found = app.database().read(move |tx| customers::get_in(tx, &store_id, &id)).await?;
    match found {
        Some(_) => Ok(()),
        None => Err(Problem::invalid(
            "customer_id",
            "customer_id: there is no such customer in this store; add it by POST /v1/customers.",
        )),
    }
}
