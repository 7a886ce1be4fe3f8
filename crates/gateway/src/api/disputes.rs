//! `GET /v1/disputes` and `GET /v1/disputes/{id}`: what shoppers dispute, and until when to answer.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use klarna_types::MinorUnits;
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Caller, wrong_query};
use super::payments::list::cursor_of;
use super::payouts::{cut, limit_of, place_of};
use super::problem::Problem;
use crate::app::App;
use crate::domain::dispute::{Dispute, Outcome, Standing};
use crate::store::disputes::{self, Filter};

const DEFAULT_LIMIT: i64 = 20;

/// A dispute.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DisputeView {
    /// Its id.
    pub id: String,
    /// Klarna's id.
    pub klarna_dispute_id: String,
    /// `initiated`, `representment`, `pre_arbitration`, `arbitration` or `closed`; Klarna may add more.
    #[schema(value_type = String)]
    pub state: Standing,
    /// Klarna's reason in lower case, such as `products_or_services_not_received`.
    pub reason: String,
    /// How much is disputed, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<MinorUnits>,
    /// The currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// `customer` or `klarna_agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raised_by: Option<String>,
    /// The payment, if it is one of this store's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Klarna's id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_order_id: Option<String>,
    /// The capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// Until when to answer or appeal, in Klarna's merchant portal; absent while it is Klarna's turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<String>,
    /// `won` or `lost`, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub outcome: Option<Outcome>,
    /// Why, in Klarna's words in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_detail: Option<String>,
    /// When it was raised.
    pub opened_at: String,
    /// When it last changed at Klarna.
    pub updated_at: String,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
}

impl From<&Dispute> for DisputeView {
    fn from(dispute: &Dispute) -> Self {
        let facts = &dispute.facts;
        Self {
            id: dispute.id.clone(),
            klarna_dispute_id: dispute.klarna_id.clone(),
            state: facts.standing.clone(),
            reason: facts.reason.clone(),
            amount: facts.amount,
            currency: facts.currency.as_ref().map(|currency| currency.as_str().to_owned()),
            raised_by: facts.raised_by.clone(),
            payment_id: dispute.payment_id.clone(),
            klarna_order_id: dispute.order_id.clone(),
            capture_id: facts.capture_id.clone(),
            deadline_at: facts.deadline_ms.map(time),
            outcome: facts.outcome,
            outcome_detail: facts.outcome_detail.clone(),
            opened_at: time(facts.opened_at_ms),
            updated_at: time(facts.changed_at_ms),
            closed_at: facts.closed_at_ms.map(time),
        }
    }
}

/// A page of disputes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DisputeList {
    /// The last raised first.
    pub data: Vec<DisputeView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DisputeQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Only disputes in this state.
    #[serde(default)]
    pub state: Option<String>,
    /// `true` for those that are not closed, `false` for those that are.
    #[serde(default)]
    pub open: Option<bool>,
    /// Only disputes about this payment.
    #[serde(default)]
    pub payment_id: Option<String>,
}

/// Lists disputes, the last raised first.
#[utoipa::path(get, path = "/v1/disputes", tag = "disputes", params(DisputeQuery),
    responses((status = 200, body = DisputeList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<DisputeQuery>, QueryRejection>,
) -> Result<Json<DisputeList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = limit_of(query.limit, DEFAULT_LIMIT)?;
    let filter = Filter {
        state: query.state.map(|state| state.to_ascii_lowercase()),
        open: query.open,
        payment_id: query.payment_id,
        before: place_of(query.cursor.as_ref())?,
    };
    let mut found = app
        .database()
        .read_long(move |tx| disputes::list(tx, &caller.store_id, &filter, limit + 1))
        .await?;
    let more = cut(&mut found, limit);
    let last = found.last().filter(|_| more);
    Ok(Json(DisputeList {
        next_cursor: last.map(|last| cursor_of(last.facts.opened_at_ms, &last.id)),
        data: found.iter().map(DisputeView::from).collect(),
    }))
}

/// Reads a dispute.
#[utoipa::path(get, path = "/v1/disputes/{id}", tag = "disputes", params(("id" = String, Path)),
    responses((status = 200, body = DisputeView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<DisputeView>, Problem> {
    app.database()
        .read(move |tx| disputes::get_in(tx, &caller.store_id, &id))
        .await?
        .map(|dispute| Json(DisputeView::from(&dispute)))
        .ok_or_else(|| Problem::not_found("dispute"))
}
