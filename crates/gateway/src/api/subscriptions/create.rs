//! `POST /v1/subscriptions`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use storage::Tx;

use super::super::extract::{Body, Caller};
use super::super::keyed;
use super::super::problem::Problem;
use super::find;
use super::view::SubscriptionView;
use crate::app::App;
use crate::domain::calendar;
use crate::domain::checkout::{Checkout, Intent, Status as CheckoutStatus};
use crate::domain::customer::{CustomerToken, TokenStatus};
use crate::domain::plan::{self, LONGEST_TRIAL_DAYS, Plan};
use crate::domain::subscription::{Start, Status, Subscription};
use crate::engine::recurring::commands;
use crate::fault::Fault;
use crate::store::{checkouts, customers};

/// How far a start may lie back, since clocks differ.
const TOLERANCE_MS: i64 = 60 * 1000;
/// How far a start may lie ahead.
const LATEST_START_MS: i64 = 10 * 366 * 24 * 60 * 60 * 1000;
/// The longest reference: a charge's number is added to it.
const LONGEST_REFERENCE: usize = 200;

/// A subscription to be: of a customer token, or of a checkout that is going to make one.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSubscription {
    /// The plan.
    pub plan_id: String,
    /// What is charged. Either this or `checkout_id`.
    #[serde(default)]
    pub customer_token_id: Option<String>,
    /// A checkout of intent `tokenize` or `buy_and_tokenize` that is not over: the subscription begins
    /// when it has made its token. A purchase in it stands for the first period, unless there is a trial
    /// or a `start_at`.
    #[serde(default)]
    pub checkout_id: Option<String>,
    /// Your number of the subscription: 1 to 200 characters. A charge's reference is this, a hyphen and
    /// the charge's number.
    pub merchant_reference: String,
    /// When it begins, such as `2031-01-31T09:00:00+01:00`: not in the past. As soon as the token exists,
    /// if it is left out. Later charges keep the time of day and the day of the month.
    #[serde(default)]
    pub start_at: Option<String>,
    /// The IANA time zone on whose clocks days are counted, such as `Europe/Stockholm`; `UTC` if it is
    /// left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How many days are free at the beginning; the plan's, if it is left out.
    #[serde(default)]
    pub trial_days: Option<i64>,
}

/// Adds a subscription.
#[utoipa::path(post, path = "/v1/subscriptions", tag = "subscriptions",
    request_body = CreateSubscription,
    responses((status = 201, body = SubscriptionView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateSubscription>,
) -> Result<Response, Problem> {
    let now_ms = app.engine().now_ms();
    let id = app.engine().fresh_id("sub");
    let start = start(&value, now_ms)?;
    let length = value.merchant_reference.chars().count();
    if !(1..=LONGEST_REFERENCE).contains(&length) {
        let detail = format!(
            "merchant_reference: has {length} characters; 1 to {LONGEST_REFERENCE} are allowed."
        );
        return Err(Problem::invalid("merchant_reference", detail));
    }
    if value.customer_token_id.is_some() == value.checkout_id.is_some() {
        return Err(Problem::invalid(
            "customer_token_id",
            "customer_token_id: give either customer_token_id or checkout_id.",
        ));
    }
    let store_id = caller.store_id.clone();
    let request = ("/v1/subscriptions", bytes.as_ref());
    let (made, _) = keyed::once(&app, &caller, &headers, request, move |tx| {
        let (plan, source) = match gather(tx, &store_id, &value)? {
            Ok(gathered) => gathered,
            Err(problem) => return Ok(Err(problem)),
        };
        let trial_days = start.trial_days.unwrap_or(plan.terms.trial_days);
        let mut subscription = Subscription {
            id: id.clone(),
            store_id: store_id.clone(),
            version: 1,
            status: Status::Incomplete,
            merchant_reference: value.merchant_reference.clone(),
            customer_id: source.customer_id,
            customer_token_id: None,
            checkout_id: source.checkout_id,
            plan_id: plan.id,
            terms: plan.terms,
            next_plan: None,
            start: Start { at_ms: start.at_ms, zone: start.zone.clone(), trial_days },
            calendar: None,
            next_index: 0,
            next_number: 1,
            open: None,
            cancel_at_period_end: false,
            paused_at_ms: None,
            ended: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        };
        commands::subscribe(tx, &mut subscription, source.token.as_ref(), now_ms)?;
        Ok(Ok(subscription.id))
    })
    .await?;
    let subscription = find(&app, &caller.store_id, &made).await?;
    let view = SubscriptionView::new(&subscription, app.engine().now_ms());
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// When it begins, checked.
struct Wanted {
    at_ms: Option<i64>,
    zone: String,
    trial_days: Option<i64>,
}

fn start(value: &CreateSubscription, now_ms: i64) -> Result<Wanted, Problem> {
    let wanted = value.time_zone.as_deref().unwrap_or("UTC");
    let zone = calendar::zone_name(wanted).ok_or_else(|| {
        Problem::invalid(
            "time_zone",
            "time_zone: not a name of the IANA database, such as Europe/Stockholm.",
        )
    })?;
    let at_ms = match &value.start_at {
        None => None,
        Some(text) => {
            let at: Timestamp = text.parse().map_err(|_| {
                Problem::invalid(
                    "start_at",
                    "start_at: not an instant, such as 2031-01-31T09:00:00+01:00.",
                )
            })?;
            if at.as_millisecond() < now_ms - TOLERANCE_MS {
                let detail = "start_at: lies in the past; what was due then would be charged now.";
                return Err(Problem::invalid("start_at", detail));
            }
            if at.as_millisecond() > now_ms + LATEST_START_MS {
                let detail = "start_at: lies more than ten years ahead.";
                return Err(Problem::invalid("start_at", detail));
            }
            Some(at.as_millisecond())
        }
    };
    if let Some(days) = value.trial_days
        && !(0..=LONGEST_TRIAL_DAYS).contains(&days)
    {
        let detail = format!("trial_days: {days} is not between 0 and {LONGEST_TRIAL_DAYS}.");
        return Err(Problem::invalid("trial_days", detail));
    }
    Ok(Wanted { at_ms, zone: zone.to_owned(), trial_days: value.trial_days })
}

/// What is charged, or the checkout that is going to make it.
struct Source {
    token: Option<CustomerToken>,
    checkout_id: Option<String>,
    customer_id: Option<String>,
}

type Gathered = Result<(Plan, Source), Problem>;

fn gather(tx: &mut Tx<'_>, store_id: &str, value: &CreateSubscription) -> Result<Gathered, Fault> {
    let plan = match customers::plan_in(tx, store_id, &value.plan_id)? {
        Some(plan) if plan.status == plan::Status::Active => plan,
        Some(_) => {
            return Ok(Err(Problem::conflict(
                "This plan is archived: no new subscription may have it.",
                "Choose an active plan.",
            )));
        }
        None => {
            return Ok(Err(Problem::invalid(
                "plan_id",
                "plan_id: there is no such plan in this store.",
            )));
        }
    };
    if let Some(token_id) = &value.customer_token_id {
        let Some(token) = customers::token_in(tx, store_id, token_id)? else {
            return Ok(Err(Problem::invalid(
                "customer_token_id",
                "customer_token_id: there is no such customer token in this store.",
            )));
        };
        if token.status == TokenStatus::Cancelled {
            return Ok(Err(Problem::conflict(
                "This customer token is cancelled, and a cancelled token is never charged again.",
                "Let the shopper agree again in a new tokenizing checkout.",
            )));
        }
        if let Err(problem) = fits(&plan, &token.country, value) {
            return Ok(Err(problem));
        }
        let customer_id = token.customer_id.clone();
        return Ok(Ok((plan, Source { token: Some(token), checkout_id: None, customer_id })));
    }
    let checkout_id = value.checkout_id.as_deref().unwrap_or_default();
    let Some(checkout) = checkouts::get_in(tx, store_id, checkout_id)? else {
        return Ok(Err(Problem::invalid(
            "checkout_id",
            "checkout_id: there is no such checkout in this store.",
        )));
    };
    if let Err(problem) =
        waits_for(&checkout).and_then(|()| fits(&plan, &checkout.cart.country, value))
    {
        return Ok(Err(problem));
    }
    let customer_id = checkout.tokenizing.and_then(|made| made.customer_id);
    Ok(Ok((plan, Source { token: None, checkout_id: Some(checkout.id), customer_id })))
}

fn waits_for(checkout: &Checkout) -> Result<(), Problem> {
    let tokenizing = checkout.tokenizing.as_ref();
    let intent = tokenizing.map_or(Intent::Buy, |tokenizing| tokenizing.intent);
    if !intent.makes_token() || tokenizing.is_some_and(|made| made.recovers.is_some()) {
        return Err(Problem::conflict(
            "This checkout makes no customer token.",
            "Open a checkout with the intent tokenize or buy_and_tokenize.",
        ));
    }
    match checkout.status {
        CheckoutStatus::Open | CheckoutStatus::Declined | CheckoutStatus::Confirming => Ok(()),
        CheckoutStatus::Completed => Err(Problem::conflict(
            "This checkout has made its customer token already.",
            "Give its customer_token_id instead.",
        )),
        CheckoutStatus::Expired | CheckoutStatus::Cancelled => Err(Problem::conflict(
            "This checkout is over and will make no customer token.",
            "Open a new one.",
        )),
    }
}

/// A plan is charged in the currency and layout of the shopper's country.
fn fits(
    plan: &Plan,
    country: &klarna_types::Country,
    value: &CreateSubscription,
) -> Result<(), Problem> {
    plan.terms.cart(country, None, &format!("{}-1", value.merchant_reference)).map(|_| ()).map_err(
        |problem| {
            let detail =
                format!("plan_id: this plan cannot be charged in {}: {problem}.", country.as_str());
            Problem::invalid("plan_id", detail)
        },
    )
}
