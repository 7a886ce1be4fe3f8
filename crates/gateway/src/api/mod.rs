//! The JSON API and Klarna's callbacks: parse, authenticate, call, answer. No rules here.

#![allow(
    clippy::result_large_err,
    reason = "a problem is made once for a failed request and moved twice; boxing it would only hide it"
)]

pub mod access;
pub mod browser;
pub mod callbacks;
pub mod checkouts;
pub mod customer_tokens;
pub mod customers;
mod describe;
pub mod disputes;
pub mod erasures;
pub mod events;
pub mod expiry_policy;
pub mod extract;
pub mod keyed;
pub mod keys;
pub mod once;
pub mod openapi;
pub mod operations;
pub mod paging;
pub mod payments;
pub mod payouts;
pub mod plans;
pub mod problem;
pub mod public;
mod reference;
pub mod repeat;
pub mod reports;
pub mod retention_policy;
pub mod sign_ins;
pub mod stores;
pub mod streams;
pub mod subscriptions;
pub mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use problem::Problem;

/// The largest body that is read.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// Klarna's callbacks are a few hundred bytes.
const CALLBACK_LIMIT_BYTES: usize = 64 * 1024;

/// The routes for shops and for Klarna.
pub fn router(app: &App) -> Router<App> {
    let shops = Router::new()
        .route("/v1/checkouts", post(checkouts::create::create))
        .route("/v1/checkouts/{id}", get(checkouts::read::read).post(checkouts::update::update))
        .route("/v1/checkouts/{id}/confirm", post(checkouts::confirm::confirm))
        .route("/v1/checkouts/{id}/cancel", post(checkouts::cancel::cancel))
        .route("/v1/checkouts/{id}/page", post(checkouts::page::reopen))
        .route("/v1/checkouts/{id}/send", post(checkouts::page::send))
        .route("/v1/payments", get(payments::list::list))
        .route("/v1/payments.csv", get(payments::file::file))
        .route("/v1/payments/{id}", get(payments::read::read))
        .route("/v1/payments/{id}/events", get(payments::events::events))
        .route("/v1/payments/{id}/captures", post(payments::capture::capture))
        .route("/v1/payments/{id}/refunds", post(payments::refund::refund))
        .route("/v1/payments/{id}/cancel", post(payments::cancel::cancel))
        .route("/v1/payments/{id}/release", post(payments::release::release))
        .route("/v1/payments/{id}/acknowledge", post(payments::details::acknowledge))
        .route("/v1/payments/{id}/authorization", post(payments::authorization::update))
        .route("/v1/payments/{id}/authorization/extend", post(payments::authorization::extend))
        .route("/v1/payments/{id}/customer-details", post(payments::details::customer))
        .route("/v1/payments/{id}/merchant-references", post(payments::details::references))
        .route("/v1/payments/{id}/shipping-info", post(payments::details::shipping_info))
        .route(
            "/v1/payments/{id}/captures/{capture_id}/shipping-info",
            post(payments::captures::shipping_info),
        )
        .route(
            "/v1/payments/{id}/captures/{capture_id}/resend-communication",
            post(payments::captures::resend_communication),
        )
        .route(
            "/v1/payments/{id}/captures/{capture_id}/due-date-options",
            get(payments::captures::due_date_options),
        )
        .route(
            "/v1/payments/{id}/captures/{capture_id}/due-date",
            post(payments::captures::extend_due_date),
        )
        .route("/v1/sign_ins", post(sign_ins::begin))
        .route("/v1/sign_ins/{id}/finish", post(sign_ins::finish))
        .route("/v1/identities", post(sign_ins::adopt))
        .route("/v1/identities/{id}", get(sign_ins::read).delete(sign_ins::forget))
        .route("/v1/identities/{id}/link", post(sign_ins::link))
        .route("/v1/disputes", get(disputes::list))
        .route("/v1/disputes/{id}", get(disputes::read))
        .route("/v1/payouts", get(payouts::list))
        .route("/v1/payouts/{id}", get(payouts::read))
        .route("/v1/reports/overview", get(reports::overview))
        .route("/v1/retention-policy", get(retention_policy::read).put(retention_policy::replace))
        .route("/v1/erasures", get(erasures::list).post(erasures::create))
        .route("/v1/erasures/{id}", get(erasures::read))
        .route("/v1/expiry-policy", get(expiry_policy::read).put(expiry_policy::replace))
        .route("/v1/operations", get(operations::read::list))
        .route("/v1/operations/{id}", get(operations::read::read))
        .route("/v1/operations/{id}/look", post(operations::act::look))
        .route("/v1/operations/{id}/resume", post(operations::act::resume))
        .route("/v1/operations/{id}/settle", post(operations::act::settle))
        .route("/v1/browser", get(browser::read).options(async || StatusCode::NO_CONTENT))
        .route(
            "/v1/public/checkouts/{id}",
            get(public::read).options(async || StatusCode::NO_CONTENT),
        )
        .route(
            "/v1/public/checkouts/{id}/confirm",
            post(public::confirm).options(async || StatusCode::NO_CONTENT),
        )
        .route("/v1/api_keys", get(keys::read::list).post(keys::create::create))
        .route("/v1/api_keys/{id}", get(keys::read::read))
        .route("/v1/api_keys/{id}/rotate", post(keys::act::rotate))
        .route("/v1/api_keys/{id}/revoke", post(keys::act::revoke))
        .route("/v1/audit_log", get(keys::audit::list))
        .route(
            "/v1/webhook_endpoints",
            get(webhooks::endpoints::list).post(webhooks::endpoints::create),
        )
        .route(
            "/v1/webhook_endpoints/{id}",
            get(webhooks::endpoints::read)
                .post(webhooks::endpoints::update)
                .delete(webhooks::endpoints::delete),
        )
        .route("/v1/webhook_endpoints/{id}/rotate", post(webhooks::standing::rotate))
        .route("/v1/webhook_endpoints/{id}/enable", post(webhooks::standing::enable))
        .route("/v1/webhook_endpoints/{id}/disable", post(webhooks::standing::disable))
        .route("/v1/webhook_endpoints/{id}/test", post(webhooks::standing::test))
        .route("/v1/webhook_endpoints/{id}/replay", post(webhooks::standing::replay))
        .route("/v1/webhook_deliveries", get(webhooks::deliveries::list))
        .route("/v1/webhook_deliveries/{id}", get(webhooks::deliveries::read))
        .route("/v1/webhook_deliveries/{id}/replay", post(webhooks::deliveries::replay))
        .route("/v1/events", get(events::list))
        .route("/v1/events/{id}", get(events::read))
        .route("/v1/events/stream", get(streams::store))
        .route("/v1/checkouts/{id}/stream", get(streams::checkout))
        .route("/v1/checkouts/{id}/stream_tokens", post(streams::checkout_token))
        .route("/v1/payments/{id}/stream", get(streams::payment))
        .route("/v1/payments/{id}/stream_tokens", post(streams::payment_token))
        .route("/v1/stores", get(stores::list).post(stores::create))
        .route("/v1/stores/{id}", get(stores::read).post(stores::update))
        .route(
            "/v1/stores/{id}/accounts",
            get(stores::accounts::list).post(stores::accounts::create),
        )
        .route("/v1/stores/{id}/accounts/{account_id}", post(stores::accounts::update))
        .route("/v1/stores/{id}/accounts/{account_id}/test", post(stores::accounts::test))
        .route("/v1/openapi.json", get(openapi::document))
        .merge(recurring())
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        // Only where a route answers to the method: elsewhere there is nothing to guard.
        .route_layer(from_fn_with_state(app.clone(), access::guard));
    let klarna = Router::new()
        .route("/klarna/callbacks/authorization/{secret}", post(callbacks::authorization))
        .route("/klarna/callbacks/notification/{secret}", post(callbacks::notification))
        .route("/klarna/callbacks/page/{secret}", post(callbacks::page))
        .route("/back/{id}/{at}", get(callbacks::back_to_app))
        .layer(DefaultBodyLimit::max(CALLBACK_LIMIT_BYTES));
    shops
        .merge(klarna)
        .merge(reference::router())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_response(uncached))
}

/// The routes of what recurs.
fn recurring() -> Router<App> {
    use customer_tokens::{cancel, charge, read as token};
    use subscriptions::{act, create, read};
    Router::new()
        .route("/v1/customers", get(customers::list).post(customers::create))
        .route("/v1/customers/{id}", get(customers::read))
        .route("/v1/customer_tokens", get(token::list))
        .route("/v1/customer_tokens/{id}", get(token::read))
        .route("/v1/customer_tokens/{id}/cancel", post(cancel::cancel))
        .route("/v1/customer_tokens/{id}/charges", get(charge::charges).post(charge::charge))
        .route("/v1/customer_tokens/{id}/charges/{charge_id}", get(charge::read))
        .route("/v1/customer_tokens/{id}/charges/{charge_id}/step_up", post(charge::step_up))
        .route("/v1/plans", get(plans::list).post(plans::create))
        .route("/v1/plans/{id}", get(plans::read))
        .route("/v1/plans/{id}/archive", post(plans::archive))
        .route("/v1/subscriptions", get(read::list).post(create::create))
        .route("/v1/subscriptions/{id}", get(read::read))
        .route("/v1/subscriptions/{id}/charges", get(read::charges))
        .route("/v1/subscriptions/{id}/events", get(read::events))
        .route("/v1/subscriptions/{id}/pause", post(act::pause))
        .route("/v1/subscriptions/{id}/resume", post(act::resume))
        .route("/v1/subscriptions/{id}/retry", post(act::retry))
        .route("/v1/subscriptions/{id}/cancel", post(act::cancel))
        .route("/v1/subscriptions/{id}/plan", post(act::change_plan))
        .route("/v1/subscriptions/{id}/step_up", post(act::step_up))
}

/// For whatever no route answers.
pub async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is nothing at this address.",
        "See /v1/openapi.json for what there is.",
    )
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not answer to this method.",
        "See /v1/openapi.json for what it answers to.",
    )
}

/// Answers hold payments and tokens: nothing on the way may keep them.
async fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    response
}
