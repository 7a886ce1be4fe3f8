//! What comes every month: its plan at the gateway, its beginning, how it goes on, its end.
//!
//! The checkout that pays the first month makes Klarna's token; the gateway charges the later months by
//! itself. The shop asks for it, shows how it stands and ends it. Only the browser that placed the order
//! may do that: its signed list knows the subscription.

use axum::response::Response;

use crate::cart::BillLine;
use crate::checkout::Draft;
use crate::gateway::{GatewayError, PlanRequest, Subscription, SubscriptionRequest};
use crate::handlers::checkout::line_of;
use crate::handlers::{missing, report, try_later};
use crate::visit::{Posted, Visit};

/// What the shopper is told that it is.
pub(crate) fn name(visit: &Visit) -> String {
    visit.cart.monthly().map(|(product, _)| product.full_name(visit.language())).unwrap_or_default()
}

/// What is charged each month: the goods that come every month, and their delivery. A discount is for the
/// first time only.
fn request(visit: &Visit) -> Option<PlanRequest> {
    let (product, _) = visit.cart.monthly()?;
    let bill = visit.cart.bill(visit.view);
    let delivery = bill.shipping.price;
    let lines = bill
        .lines
        .into_iter()
        .filter(|line| {
            line.reference == product.slug
                || (delivery > 0 && line.reference.starts_with("shipping-"))
        })
        .map(|line| line_of(visit, BillLine { discount: 0, ..line }))
        .collect();
    Some(PlanRequest {
        name: name(visit),
        currency: visit.market().currency.code(),
        interval: "month",
        prices: visit.market().tax.wire(),
        lines,
        capture: "manual",
    })
}

/// The plan of what the cart has for every month; made at the gateway where there is none yet.
pub(crate) async fn plan(visit: &Visit) -> Result<Option<String>, GatewayError> {
    let Some(request) = request(visit) else { return Ok(None) };
    let app = visit.app();
    let lines: Vec<String> = request
        .lines
        .iter()
        .map(|line| {
            format!("{}-{}-{}-{}", line.reference, line.quantity, line.unit_price, line.tax_rate)
        })
        .collect();
    let key = format!("plan-{}-{}", visit.view.locale.tag, lines.join("-"));
    let known = app.plans.lock().get(&key).cloned();
    if let Some(id) = known {
        return Ok(Some(id));
    }
    let there = app.gateway.plans().await?.into_iter().find(|plan| plan.is(&request));
    let plan = match there {
        Some(plan) => plan,
        None => app.gateway.plan(&request, &key).await?,
    };
    app.plans.lock().insert(key, plan.id.clone());
    Ok(Some(plan.id))
}

/// Has the gateway begin it with a checkout; answers its id.
pub(crate) async fn begin(
    visit: &Visit,
    draft: &Draft,
    plan_id: &str,
) -> Result<String, GatewayError> {
    let request = SubscriptionRequest {
        checkout_id: draft.checkout_id.clone().unwrap_or_default(),
        plan_id: plan_id.to_owned(),
        merchant_reference: format!("{}-M", draft.reference),
        time_zone: visit.market().time_zone(),
    };
    let key = format!("subscription-{}", draft.reference);
    visit.app().gateway.subscribe(&request, &key).await.map(|subscription| subscription.id)
}

/// How it stands, if the gateway can say.
pub(crate) async fn read(visit: &Visit, id: &str) -> Option<Subscription> {
    match visit.app().gateway.subscription(id).await {
        Ok(subscription) => Some(subscription),
        Err(error) => {
            report(&error, "a subscription could not be read");
            None
        }
    }
}

/// `POST /subscriptions/end`. May be repeated.
pub(crate) async fn end(posted: Posted) -> Response {
    let id = posted.get("subscription").to_owned();
    let visit = posted.visit;
    let Some(note) =
        visit.orders.iter().find(|note| note.subscription_id.as_deref() == Some(id.as_str()))
    else {
        return missing(visit);
    };
    let back = format!("/orders/{}", note.checkout_id.as_deref().unwrap_or_default());
    match visit.app().gateway.end_subscription(&id).await {
        Err(error) if error.is_passing() => try_later(visit, &error, &back),
        Err(error) => {
            // It has ended before; the page shows it.
            report(&error, "a subscription was not ended");
            visit.go(&back)
        }
        Ok(_) => visit.go(&back),
    }
}
