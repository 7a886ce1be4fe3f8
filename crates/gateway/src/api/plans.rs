//! `/v1/plans`: what subscriptions charge, how often, and what happens when a charge fails.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use klarna_types::{Currency, MinorUnits, TaxRate};
use serde::{Deserialize, Serialize};
use storage::Tx;

use super::checkouts::view::time;
use super::extract::{Body, Caller, wrong_query};
use super::keyed;
use super::paging::Wanted;
use super::problem::Problem;
use crate::app::App;
use crate::domain::calendar::{Interval, Rhythm};
use crate::domain::cart::{LineInput, LineKind, PricesMode};
use crate::domain::checkout::CaptureMode;
use crate::domain::dunning::{GiveUp, Policy, StepUp};
use crate::domain::plan::{Plan, Status, Terms};
use crate::fault::Fault;
use crate::store::customers::{self, Filter};

/// How failed charges are retried.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dunning {
    /// How many days after the first failure it is tried again: rising, 1 to 60, at most 10 of them.
    /// 1, 3, 5 and 7 if it is left out; empty for never.
    #[serde(default = "usual_days")]
    pub retry_days: Vec<i64>,
    /// What happens when the last of them failed: `suspend` (the merchant may resume it) or `cancel`.
    #[serde(default)]
    pub give_up: GiveUp,
    /// Whether a refused charge may be recovered by the shopper: `never`, or `offered` where Klarna
    /// offers it.
    #[serde(default)]
    pub step_up: StepUp,
}

fn usual_days() -> Vec<i64> {
    Policy::default().retry_days
}

impl Default for Dunning {
    fn default() -> Self {
        Self::from(Policy::default())
    }
}

impl From<Policy> for Dunning {
    fn from(policy: Policy) -> Self {
        Self { retry_days: policy.retry_days, give_up: policy.give_up, step_up: policy.step_up }
    }
}

impl From<Dunning> for Policy {
    fn from(dunning: Dunning) -> Self {
        Self { retry_days: dunning.retry_days, give_up: dunning.give_up, step_up: dunning.step_up }
    }
}

/// A plan to be. It is charged as it is agreed: for another price make another plan and move
/// subscriptions to it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePlan {
    /// What the shopper reads; Klarna is told it as the subscription's name.
    pub name: String,
    /// The currency of every amount in it.
    pub currency: String,
    /// Whether prices contain tax; they do if it is left out.
    #[serde(default)]
    pub prices: Option<PricesMode>,
    /// What is charged each time, line by line. Either this or `amount`.
    #[serde(default)]
    pub lines: Option<Vec<LineInput>>,
    /// What is charged each time, as one digital line of the plan's name. Either this or `lines`.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<MinorUnits>,
    /// The tax rate of `amount`, in hundredths of a percent: 2500 is 25 %.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub tax_rate: Option<TaxRate>,
    /// `day`, `week`, `month` or `year`.
    pub interval: Interval,
    /// How many intervals lie between two charges; 1 if it is left out.
    #[serde(default)]
    pub interval_count: Option<i64>,
    /// The day of the month (1 to 31; a shorter month has its last day instead) or of the week (1 is
    /// Monday) on which charges fall; the day of the first charge if it is left out. What lies before
    /// the first such day is free.
    #[serde(default)]
    pub anchor_day: Option<i8>,
    /// How many days are free at the beginning; none if it is left out.
    #[serde(default)]
    pub trial_days: Option<i64>,
    /// `manual` (capture each charge yourself) or `automatic` (Klarna must have allowed it).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub capture: CaptureMode,
    /// How failed charges are retried.
    #[serde(default)]
    pub dunning: Dunning,
}

/// A plan.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlanView {
    /// Its id.
    pub id: String,
    /// `active`, or `archived`: then no new subscription may have it.
    pub status: Status,
    /// What the shopper reads.
    pub name: String,
    /// The currency of every amount in it.
    pub currency: String,
    /// Whether prices contain tax.
    pub prices: PricesMode,
    /// What is charged each time.
    pub lines: Vec<LineInput>,
    /// `day`, `week`, `month` or `year`.
    pub interval: Interval,
    /// How many intervals lie between two charges.
    pub interval_count: i64,
    /// The day on which charges fall; the day of the first charge if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor_day: Option<i8>,
    /// How many days are free at the beginning.
    pub trial_days: i64,
    /// `manual` or `automatic`.
    #[schema(value_type = String)]
    pub capture: CaptureMode,
    /// How failed charges are retried.
    pub dunning: Dunning,
    /// When it was made.
    pub created_at: String,
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        let terms = &plan.terms;
        Self {
            id: plan.id.clone(),
            status: plan.status,
            name: terms.name.clone(),
            currency: terms.currency.as_str().to_owned(),
            prices: terms.prices,
            lines: terms.lines.clone(),
            interval: terms.rhythm.interval,
            interval_count: terms.rhythm.count,
            anchor_day: terms.rhythm.anchor_day,
            trial_days: terms.trial_days,
            capture: terms.capture,
            dunning: terms.dunning.clone().into(),
            created_at: time(plan.created_at_ms),
        }
    }
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PlanQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of plans.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PlanList {
    /// Newest first.
    pub data: Vec<PlanView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What is agreed with a plan to be, checked.
pub(crate) fn terms(value: CreatePlan) -> Result<Terms, Problem> {
    let lines = match (value.lines, value.amount) {
        (Some(lines), None) => {
            if value.tax_rate.is_some() {
                return Err(Problem::invalid(
                    "tax_rate",
                    "tax_rate: belongs to amount; lines have their own.",
                ));
            }
            lines
        }
        (None, Some(amount)) => vec![LineInput {
            kind: LineKind::Digital,
            reference: None,
            name: value.name.clone(),
            quantity: 1,
            unit_price: amount,
            tax_rate: value.tax_rate.unwrap_or_default(),
            discount: None,
            image_url: None,
            product_url: None,
        }],
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::invalid("lines", "lines: give either lines or amount."));
        }
    };
    let terms = Terms {
        name: value.name,
        currency: Currency::from(value.currency.as_str()),
        prices: value.prices.unwrap_or(PricesMode::IncludingTax),
        lines,
        rhythm: Rhythm {
            interval: value.interval,
            count: value.interval_count.unwrap_or(1),
            anchor_day: value.anchor_day,
        },
        trial_days: value.trial_days.unwrap_or(0),
        capture: value.capture,
        dunning: value.dunning.into(),
    };
    terms
        .check()
        .map_err(|problem| Problem::invalid(problem.member.clone(), format!("{problem}.")))?;
    Ok(terms)
}

/// Adds a plan.
#[utoipa::path(post, path = "/v1/plans", tag = "plans", request_body = CreatePlan,
    responses((status = 201, body = PlanView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreatePlan>,
) -> Result<Response, Problem> {
    let now_ms = app.engine().now_ms();
    let plan = Plan {
        id: app.engine().fresh_id("plan"),
        store_id: caller.store_id.clone(),
        version: 1,
        status: Status::Active,
        terms: terms(value)?,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    let request = ("/v1/plans", bytes.as_ref());
    let (id, _) = keyed::once(&app, &caller, &headers, request, move |tx| {
        customers::insert_plan(tx, &plan)?;
        Ok(Ok(plan.id.clone()))
    })
    .await?;
    let plan = find(&app, &caller.store_id, &id).await?;
    Ok((StatusCode::CREATED, Json(PlanView::from(&plan))).into_response())
}

/// The caller's plan of that id.
pub async fn find(app: &App, store_id: &str, id: &str) -> Result<Plan, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| customers::plan_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("plan"))
}

/// Reads a plan.
#[utoipa::path(get, path = "/v1/plans/{id}", tag = "plans",
    params(("id" = String, Path)),
    responses((status = 200, body = PlanView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PlanView>, Problem> {
    Ok(Json(PlanView::from(&find(&app, &caller.store_id, &id).await?)))
}

/// Nothing is to be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NothingToSay {}

/// Archives a plan: no new subscription may have it, and those that have it keep it.
#[utoipa::path(post, path = "/v1/plans/{id}/archive", tag = "plans",
    params(("id" = String, Path)),
    responses((status = 200, body = PlanView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<NothingToSay>,
) -> Result<Json<PlanView>, Problem> {
    let now_ms = app.engine().now_ms();
    let path = format!("/v1/plans/{id}/archive");
    let (store_id, wanted) = (caller.store_id.clone(), id.clone());
    keyed::once(&app, &caller, &headers, (&path, &bytes), move |tx| {
        if put_away(tx, &store_id, &wanted, now_ms)? {
            Ok(Ok(wanted.clone()))
        } else {
            Ok(Err(Problem::not_found("plan")))
        }
    })
    .await?;
    Ok(Json(PlanView::from(&find(&app, &caller.store_id, &id).await?)))
}

/// Archives a plan; `false` if there is none of that id in that store.
pub(crate) fn put_away(
    tx: &mut Tx<'_>,
    store_id: &str,
    id: &str,
    now_ms: i64,
) -> Result<bool, Fault> {
    let Some(mut plan) = customers::plan_in(tx, store_id, id)? else { return Ok(false) };
    if plan.status != Status::Archived {
        plan.status = Status::Archived;
        customers::update_plan(tx, &mut plan, now_ms)?;
    }
    Ok(true)
}

/// Lists plans, newest first.
#[utoipa::path(get, path = "/v1/plans", tag = "plans", params(PlanQuery),
    responses((status = 200, body = PlanList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PlanQuery>, QueryRejection>,
) -> Result<Json<PlanList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    let page = wanted.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let filter = Filter { only: Vec::new(), before: page.before.clone() };
            customers::list_plans(tx, &caller.store_id, &filter, page.to_read())
        })
        .await?;
    let (found, next_cursor) = wanted.cut(found, |plan| (plan.created_at_ms, plan.id.as_str()));
    Ok(Json(PlanList { data: found.iter().map(PlanView::from).collect(), next_cursor }))
}
