//! `GET /v1/openapi.json`: this API, described by itself.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::describe::{Bodies, Errors, Examples, Headers, Names, Queries, Schemes, Tags};
use super::{
    browser, checkouts, customer_tokens, customers, disputes, erasures, events, expiry_policy,
    keys, operations, payments, payouts, plans, public, reports, retention_policy, sign_ins,
    stores, streams, subscriptions, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kassa gateway",
        description = "Take, capture and refund Klarna payments. Amounts are in minor units; tax \
                       rates in hundredths of a percent. Repeat any POST under the same \
                       `Idempotency-Key`; say how long to wait with `Prefer: wait=SECONDS` or \
                       `Prefer: respond-async`."
    ),
    paths(
        checkouts::create::create,
        checkouts::read::read,
        checkouts::update::update,
        checkouts::confirm::confirm,
        checkouts::cancel::cancel,
        checkouts::page::reopen,
        checkouts::page::send,
        payments::list::list,
        payments::file::file,
        payments::read::read,
        payments::events::events,
        payments::capture::capture,
        payments::refund::refund,
        payments::cancel::cancel,
        payments::release::release,
        payments::details::acknowledge,
        payments::authorization::update,
        payments::authorization::extend,
        payments::details::customer,
        payments::details::references,
        payments::details::shipping_info,
        payments::captures::shipping_info,
        payments::captures::resend_communication,
        payments::captures::due_date_options,
        payments::captures::extend_due_date,
        sign_ins::begin,
        sign_ins::finish,
        sign_ins::adopt,
        sign_ins::read,
        sign_ins::forget,
        sign_ins::link,
        disputes::list,
        disputes::read,
        payouts::list,
        payouts::read,
        reports::overview,
        expiry_policy::read,
        expiry_policy::replace,
        retention_policy::read,
        retention_policy::replace,
        erasures::create,
        erasures::list,
        erasures::read,
        operations::read::list,
        operations::read::read,
        operations::act::look,
        operations::act::resume,
        operations::act::settle,
        browser::read,
        public::read,
        public::confirm,
        keys::read::list,
        keys::create::create,
        keys::read::read,
        keys::act::rotate,
        keys::act::revoke,
        keys::audit::list,
        events::list,
        events::read,
        streams::store,
        streams::checkout,
        streams::checkout_token,
        streams::payment,
        streams::payment_token,
        webhooks::endpoints::create,
        webhooks::endpoints::list,
        webhooks::endpoints::read,
        webhooks::endpoints::update,
        webhooks::endpoints::delete,
        webhooks::standing::rotate,
        webhooks::standing::enable,
        webhooks::standing::disable,
        webhooks::standing::test,
        webhooks::standing::replay,
        webhooks::deliveries::list,
        webhooks::deliveries::read,
        webhooks::deliveries::replay,
        stores::list,
        stores::create,
        stores::read,
        stores::update,
        stores::accounts::list,
        stores::accounts::create,
        stores::accounts::update,
        stores::accounts::test,
        customers::create,
        customers::list,
        customers::read,
        customer_tokens::read::list,
        customer_tokens::read::read,
        customer_tokens::cancel::cancel,
        customer_tokens::charge::charge,
        customer_tokens::charge::charges,
        customer_tokens::charge::read,
        customer_tokens::charge::step_up,
        plans::create,
        plans::list,
        plans::read,
        plans::archive,
        subscriptions::create::create,
        subscriptions::read::list,
        subscriptions::read::read,
        subscriptions::read::charges,
        subscriptions::read::events,
        subscriptions::act::pause,
        subscriptions::act::resume,
        subscriptions::act::retry,
        subscriptions::act::cancel,
        subscriptions::act::change_plan,
        subscriptions::act::step_up,
    ),
    modifiers(&Schemes, &Tags, &Queries, &Bodies, &Headers, &Errors, &Names, &Examples)
)]
struct Api;

/// The operations that take an `Idempotency-Key` and wait for their outcome.
pub(super) const CHANGES: [&str; 36] = [
    "/v1/checkouts/{id}/stream_tokens",
    "/v1/payments/{id}/stream_tokens",
    "/v1/erasures",
    "/v1/checkouts",
    "/v1/checkouts/{id}/page",
    "/v1/checkouts/{id}/send",
    "/v1/stores",
    "/v1/stores/{id}/accounts",
    "/v1/checkouts/{id}/confirm",
    "/v1/payments/{id}/captures",
    "/v1/payments/{id}/refunds",
    "/v1/payments/{id}/cancel",
    "/v1/payments/{id}/release",
    "/v1/payments/{id}/acknowledge",
    "/v1/payments/{id}/authorization",
    "/v1/payments/{id}/authorization/extend",
    "/v1/payments/{id}/customer-details",
    "/v1/payments/{id}/merchant-references",
    "/v1/payments/{id}/shipping-info",
    "/v1/payments/{id}/captures/{capture_id}/shipping-info",
    "/v1/payments/{id}/captures/{capture_id}/resend-communication",
    "/v1/payments/{id}/captures/{capture_id}/due-date",
    "/v1/public/checkouts/{id}/confirm",
    "/v1/api_keys",
    "/v1/api_keys/{id}/rotate",
    "/v1/customers",
    "/v1/customer_tokens/{id}/cancel",
    "/v1/customer_tokens/{id}/charges",
    "/v1/plans",
    "/v1/plans/{id}/archive",
    "/v1/subscriptions",
    "/v1/subscriptions/{id}/pause",
    "/v1/subscriptions/{id}/resume",
    "/v1/subscriptions/{id}/retry",
    "/v1/subscriptions/{id}/cancel",
    "/v1/subscriptions/{id}/plan",
];

/// Those of them that Klarna has no part in: nobody waits.
pub(super) const AT_ONCE: [&str; 19] = [
    "/v1/checkouts/{id}/stream_tokens",
    "/v1/payments/{id}/stream_tokens",
    "/v1/erasures",
    "/v1/checkouts",
    "/v1/checkouts/{id}/page",
    "/v1/checkouts/{id}/send",
    "/v1/stores",
    "/v1/stores/{id}/accounts",
    "/v1/api_keys",
    "/v1/api_keys/{id}/rotate",
    "/v1/customers",
    "/v1/plans",
    "/v1/plans/{id}/archive",
    "/v1/subscriptions",
    "/v1/subscriptions/{id}/pause",
    "/v1/subscriptions/{id}/resume",
    "/v1/subscriptions/{id}/retry",
    "/v1/subscriptions/{id}/cancel",
    "/v1/subscriptions/{id}/plan",
];

/// The description of the API.
pub fn description() -> Document {
    Api::openapi()
}

/// Answers with the description. Needs no key: it says nothing about any payment.
pub async fn document() -> Json<Document> {
    Json(description())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    /// Whoever reads the description finds everything that a request needs and can meet.
    #[test]
    fn the_description_is_complete() {
        let described = serde_json::to_value(super::description()).unwrap();
        assert_eq!(described["openapi"], "3.1.0");
        let mut names = HashSet::new();
        for (path, item) in described["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{method} {path}");
                let text = |pointer: &str| operation.pointer(pointer).and_then(Value::as_str);
                assert!(text("/summary").is_some_and(|says| !says.is_empty()), "{at}: no summary");
                assert!(names.insert(text("/operationId").unwrap()), "{at}: a name is used twice");
                assert!(operation["tags"][0].is_string(), "{at}: no tag");
                assert!(operation["security"][0].is_object(), "{at}: no security");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let says = response["description"].as_str().unwrap_or_default();
                    assert!(!says.is_empty(), "{at}: {status} says nothing");
                    if status == "default" || status.starts_with('4') {
                        assert!(
                            response["content"]["application/problem+json"].is_object(),
                            "{at}: {status}"
                        );
                    }
                }
                assert!(operation["responses"]["default"].is_object(), "{at}: no errors");
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let says = parameter["description"].as_str().unwrap_or_default();
                    assert!(!says.is_empty(), "{at}: {} says nothing", parameter["name"]);
                }
            }
        }
    }

    /// A change of the contract is a visible change of this file.
    #[test]
    fn the_contract_is_as_recorded() {
        insta::assert_json_snapshot!(super::description());
    }
}
