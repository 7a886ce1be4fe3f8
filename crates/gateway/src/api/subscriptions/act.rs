//! What merchants do with a subscription: pause, resume, cancel, another plan, another try, the
//! shopper's help.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::checkouts::create::shown as shown_checkout;
use super::super::checkouts::view::CheckoutView;
use super::super::customer_tokens::charge::OpenStepUp;
use super::super::customer_tokens::{not_done, not_opened};
use super::super::extract::{Body, Caller};
use super::super::keyed;
use super::super::plans::{self, NothingToSay};
use super::super::problem::Problem;
use super::find;
use super::view::SubscriptionView;
use crate::app::App;
use crate::domain::plan::Status as PlanStatus;
use crate::domain::subscription::{NextPlan, Subscription, When};
use crate::engine::recurring::commands::{self, Command};
use crate::engine::recurring::recovery::{self, Refused};
use crate::store::customers;

async fn run(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    (id, action): (&str, &str),
    body: &[u8],
    command: Command,
) -> Result<Json<SubscriptionView>, Problem> {
    let now_ms = app.engine().now_ms();
    let path = format!("/v1/subscriptions/{id}/{action}");
    let (store_id, wanted) = (caller.store_id.clone(), id.to_owned());
    keyed::once(app, caller, headers, (&path, body), move |tx| {
        let acted = commands::act(tx, &store_id, &wanted, &command, now_ms)?;
        Ok(acted
            .map(|subscription| subscription.id)
            .map_err(|reason| not_done("subscription", reason)))
    })
    .await?;
    let subscription = find(app, &caller.store_id, id).await?;
    Ok(Json(SubscriptionView::new(&subscription, app.engine().now_ms())))
}

/// Holds a subscription: nothing is charged until it is resumed, and what would have been is not charged
/// later.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/pause", tag = "subscriptions",
    params(("id" = String, Path)),
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn pause(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<NothingToSay>,
) -> Result<Json<SubscriptionView>, Problem> {
    run(&app, &caller, &headers, (&id, "pause"), &bytes, Command::Pause).await
}

/// Lets a paused or suspended subscription go on with its next due day; takes a cancellation at the end of
/// the period back.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/resume", tag = "subscriptions",
    params(("id" = String, Path)),
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<NothingToSay>,
) -> Result<Json<SubscriptionView>, Problem> {
    run(&app, &caller, &headers, (&id, "resume"), &bytes, Command::Resume).await
}

/// Tries a failed charge again now, under a key of its own.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/retry", tag = "subscriptions",
    params(("id" = String, Path)),
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<NothingToSay>,
) -> Result<Json<SubscriptionView>, Problem> {
    run(&app, &caller, &headers, (&id, "retry"), &bytes, Command::Retry).await
}

/// When it ends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelSubscription {
    /// `now` or `period_end`; now, if it is left out.
    #[serde(default)]
    pub when: Option<When>,
}

/// Ends a subscription. What was charged stays charged: refund the payment if it is to be given back.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/cancel", tag = "subscriptions",
    params(("id" = String, Path)), request_body = CancelSubscription,
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CancelSubscription>,
) -> Result<Json<SubscriptionView>, Problem> {
    let command = Command::Cancel(value.when.unwrap_or(When::Now));
    run(&app, &caller, &headers, (&id, "cancel"), &bytes, command).await
}

/// Another plan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// The plan.
    pub plan_id: String,
    /// `period_end`: with the next period; `now`: a new period begins, and is charged, now. Nothing is
    /// prorated. With the next period, if it is left out.
    #[serde(default)]
    pub when: Option<When>,
}

/// The plan that a subscription is to be moved to, if it can be.
pub(crate) async fn next_plan(
    app: &App,
    subscription: &Subscription,
    plan_id: &str,
) -> Result<NextPlan, Problem> {
    let plan = plans::find(app, &subscription.store_id, plan_id).await.map_err(|_| {
        Problem::invalid("plan_id", "plan_id: there is no such plan in this store.")
    })?;
    if plan.status != PlanStatus::Active {
        return Err(Problem::conflict(
            "This plan is archived: no subscription may be moved to it.",
            "Choose an active plan.",
        ));
    }
    if let Some(token_id) = subscription.customer_token_id.clone() {
        let token = app.database().read(move |tx| customers::token_of(tx, &token_id)).await?;
        let country = token.map(|token| token.country);
        if let Some(country) = country
            && let Err(problem) = plan.terms.cart(&country, None, "reference")
        {
            let detail =
                format!("plan_id: this plan cannot be charged in {}: {problem}.", country.as_str());
            return Err(Problem::invalid("plan_id", detail));
        }
    } else if plan.terms.currency != subscription.terms.currency {
        let detail = "plan_id: this plan has another currency than the subscription.";
        return Err(Problem::invalid("plan_id", detail));
    }
    Ok(NextPlan { plan_id: plan.id, terms: plan.terms })
}

/// Moves a subscription to another plan.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/plan", tag = "subscriptions",
    params(("id" = String, Path)), request_body = ChangePlan,
    responses((status = 200, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn change_plan(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<ChangePlan>,
) -> Result<Json<SubscriptionView>, Problem> {
    let subscription = find(&app, &caller.store_id, &id).await?;
    let next = next_plan(&app, &subscription, &value.plan_id).await?;
    let command = Command::ChangePlan(Box::new(next), value.when.unwrap_or(When::PeriodEnd));
    run(&app, &caller, &headers, (&id, "plan"), &bytes, command).await
}

/// Opens a checkout in which the shopper can pay a refused charge in another way; the same one as long as
/// it is open. Show it to the shopper who follows your link. Once it is confirmed the charge is paid, the
/// subscription goes on, and the method that was chosen stands behind the token.
///
/// It closes when the charge is tried again, and while the shopper is paying it is not tried.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/step_up", tag = "subscriptions",
    params(("id" = String, Path)), request_body = OpenStepUp,
    responses((status = 201, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn step_up(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<OpenStepUp>,
) -> Result<Response, Problem> {
    let way = value.way()?;
    let checkout = recovery::open(app.engine(), &caller.store_id, Refused::Subscription(id), way)
        .await
        .map_err(|reason| not_opened("subscription", reason))?;
    Ok((StatusCode::CREATED, shown_checkout(&checkout, &app)).into_response())
}
