//! `GET /v1/payments`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::super::extract::{Caller, wrong_query};
use super::super::problem::Problem;
use super::view::PaymentView;
use crate::app::App;
use crate::domain::payment::{Payment, Status};
use crate::fault::Fault;
use crate::store::operations;
use crate::store::payments::{self, Filter};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Only payments in this status.
    #[serde(default)]
    pub status: Option<String>,
    /// Only payments with this merchant reference, Klarna reference, order id or id.
    #[serde(default)]
    pub reference: Option<String>,
}

/// A page of payments.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PaymentList {
    /// Newest first.
    pub data: Vec<PaymentView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The cursor that begins after a payment.
pub fn cursor_after(payment: &Payment) -> String {
    cursor_of(payment.created_at_ms, &payment.id)
}

/// The cursor that begins after what was made then, under that id.
pub fn cursor_of(at_ms: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at_ms}/{id}"))
}

/// The place a cursor stands for.
pub fn read_cursor(cursor: &str) -> Option<(i64, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (at_ms, id) = text.split_once('/')?;
    Some((at_ms.parse().ok()?, id.to_owned()))
}

/// Lists payments, newest first.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ListQuery),
    responses((status = 200, body = PaymentList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<PaymentList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")));
    }
    let status = query
        .status
        .map(|name| {
            Status::from_name(&name).ok_or_else(|| {
                let known = Status::ALL.map(Status::name).join(", ");
                Problem::invalid("status", format!("status: not one of {known}."))
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
    let filter = Filter { status, search: query.reference, before };
    let now_ms = app.engine().now_ms();
    let page = app
        .database()
        .read_long(move |tx| {
            let mut found = payments::list(tx, &caller.store_id, &filter, limit + 1)?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = found.len() > wanted;
            found.truncate(wanted);
            let next_cursor = found.last().filter(|_| more).map(cursor_after);
            let mut data = Vec::with_capacity(found.len());
            for payment in &found {
                let operations = operations::pending_of_payment(tx, &payment.id)?;
                data.push(PaymentView::new(payment, &operations, now_ms));
            }
            Ok::<_, Fault>(PaymentList { data, next_cursor })
        })
        .await?;
    Ok(Json(page))
}
