//! `/v1/erasures`: having the gateway forget shoppers. Books stay, people go; what is still needed is
//! erased as soon as it is not.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Body, Caller, idempotency_key, wrong_query};
use super::keys::read::{PageQuery, cut};
use super::once::{Once, Request, once};
use super::problem::Problem;
use crate::app::App;
use crate::domain::erasure::{Because, MOST_NAMED};
use crate::engine::erasure::{self, By, Wish};
use crate::fault::Fault;
use crate::store::erasures::{self, Erasure, Kind, State as Became};

/// Who is to be forgotten, by what the shop knows of them.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateErasure {
    /// Payments, each with the checkout it came from.
    pub payment_ids: Vec<String>,
    /// Checkouts, each with the payment it led to.
    pub checkout_ids: Vec<String>,
    /// The shop's order numbers: every payment that has one of them.
    pub merchant_references: Vec<String>,
    /// Customers, each with their tokens and what they were charged. Cancel their tokens first.
    pub customer_ids: Vec<String>,
}

/// What became of one payment or checkout.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureSubject {
    /// `payment`, `checkout` or `customer`.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// `erased`; `waiting` while it is still needed; or `unknown` in this store.
    pub status: Became,
    /// When it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<String>,
    /// Why it is still needed: `checkout_open`, `authorization_open`,
    /// `operation_pending` or `token_active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub because: Option<Because>,
    /// Until when at the latest, where that is known. Cancel or release the payment, or call the
    /// checkout off, to have it erased sooner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_until: Option<String>,
}

/// What was asked to be forgotten, and what became of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureView {
    /// Its id.
    pub id: String,
    /// `done`, or `waiting` while something is still needed.
    pub status: &'static str,
    /// Each payment and checkout.
    pub subjects: Vec<ErasureSubject>,
    /// When it was asked.
    pub created_at: String,
}

impl From<Erasure> for ErasureView {
    fn from(erasure: Erasure) -> Self {
        let waits = erasure.subjects.iter().any(|subject| subject.state == Became::Waiting);
        Self {
            id: erasure.id,
            status: if waits { "waiting" } else { "done" },
            subjects: erasure
                .subjects
                .into_iter()
                .map(|subject| ErasureSubject {
                    kind: subject.kind,
                    id: subject.id,
                    status: subject.state,
                    erased_at: subject.erased_at_ms.map(time),
                    because: subject.because,
                    needed_until: subject.until_ms.map(time),
                })
                .collect(),
            created_at: time(erasure.created_at_ms),
        }
    }
}

/// A page of erasures.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureList {
    /// Newest first.
    pub data: Vec<ErasureView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

fn wish(value: CreateErasure) -> Result<Wish, Problem> {
    let lists = [
        ("payment_ids", &value.payment_ids),
        ("checkout_ids", &value.checkout_ids),
        ("merchant_references", &value.merchant_references),
        ("customer_ids", &value.customer_ids),
    ];
    for (name, list) in lists {
        if list.iter().any(|text| text.is_empty() || text.len() > 255) {
            let detail = format!("{name}: each has 1 to 255 characters.");
            return Err(Problem::invalid(name, detail));
        }
    }
    let named: usize = lists.iter().map(|(_, list)| list.len()).sum();
    if !(1..=MOST_NAMED).contains(&named) {
        let detail =
            format!("Name 1 to {MOST_NAMED} payments, checkouts, order numbers and customers.");
        return Err(Problem::invalid("payment_ids", detail));
    }
    Ok(Wish {
        payment_ids: value.payment_ids,
        checkout_ids: value.checkout_ids,
        merchant_references: value.merchant_references,
        customer_ids: value.customer_ids,
    })
}

/// Forgets shoppers: erases everything personal of these payments and checkouts, wherever the gateway
/// keeps it, and keeps the books. Asking again for what was erased changes nothing.
#[utoipa::path(post, path = "/v1/erasures", tag = "stores", request_body = CreateErasure,
    responses((status = 201, body = ErasureView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateErasure>,
) -> Result<Response, Problem> {
    let wish = wish(value)?;
    let now_ms = app.engine().now_ms();
    let by = By {
        store_id: caller.store_id.clone(),
        actor: caller.actor(),
        erasure_id: app.engine().fresh_id("era"),
        audit_id: app.engine().fresh_id("aud"),
    };
    let request = Request {
        store_id: &caller.store_id,
        key: idempotency_key(&headers)?,
        path: "/v1/erasures",
        body: &bytes,
    };
    let ended = once(&app, request, move |tx| {
        let erasure = erasure::begin(tx, &wish, &by, now_ms)?;
        let id = erasure.id.clone();
        Ok(Ok::<_, Problem>((erasure, id)))
    })
    .await?;
    let erasure = match ended {
        Once::Now(erasure) => {
            app.engine().wake();
            erasure::scrub(app.engine()).await;
            erasure
        }
        Once::Before(id) => find(&app, &caller.store_id, &id).await?,
    };
    Ok((StatusCode::CREATED, Json(ErasureView::from(erasure))).into_response())
}

async fn find(app: &App, store_id: &str, id: &str) -> Result<Erasure, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    let found = app
        .database()
        .read(move |tx| erasures::get_in(tx, &store_id, &id))
        .await
        .map_err(|fault: Fault| Problem::from(fault))?;
    found.ok_or_else(|| Problem::not_found("erasure"))
}

/// Reads what became of an erasure.
#[utoipa::path(get, path = "/v1/erasures/{id}", tag = "stores",
    params(("id" = String, Path)),
    responses((status = 200, body = ErasureView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ErasureView>, Problem> {
    Ok(Json(find(&app, &caller.store_id, &id).await?.into()))
}

/// Lists what was asked to be forgotten, newest first.
#[utoipa::path(get, path = "/v1/erasures", tag = "stores", params(PageQuery),
    responses((status = 200, body = ErasureList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<ErasureList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let (limit, before) = query.read()?;
    let store_id = caller.store_id;
    let mut found = app
        .database()
        .read_long(move |tx| erasures::list(tx, &store_id, before.as_ref(), limit + 1))
        .await?;
    let next_cursor =
        cut(&mut found, limit, |erasure| (erasure.created_at_ms, erasure.id.as_str()));
    Ok(Json(ErasureList { data: found.into_iter().map(Into::into).collect(), next_cursor }))
}
