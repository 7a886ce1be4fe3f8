//! `GET /v1/openapi.json`: this API, described by itself.

use axum::Json;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Object, OpenApi as Document, RefOr, Required};
use utoipa::{Modify, OpenApi};

use super::{checkouts, expiry_policy, keys, operations, payments, public};

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
        payments::list::list,
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
        expiry_policy::read,
        expiry_policy::replace,
        operations::read::list,
        operations::read::read,
        operations::act::look,
        operations::act::resume,
        operations::act::settle,
        public::read,
        public::confirm,
        keys::read::list,
        keys::create::create,
        keys::read::read,
        keys::act::rotate,
        keys::act::revoke,
        keys::audit::list,
    ),
    modifiers(&ApiKey, &Headers)
)]
struct Api;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of the store: `kassa_sk_…`."))
            .build();
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
            let publishable = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A publishable key of the store: `kassa_pk_…`."))
                .build();
            components.add_security_scheme("publishable_key", SecurityScheme::Http(publishable));
        }
    }
}

/// The headers that every change takes.
struct Headers;

/// The operations that take an `Idempotency-Key` and wait for their outcome.
const CHANGES: [&str; 18] = [
    "/v1/checkouts",
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
];

/// Those of them that Klarna has no part in: nobody waits.
const AT_ONCE: [&str; 3] = ["/v1/checkouts", "/v1/api_keys", "/v1/api_keys/{id}/rotate"];

impl Modify for Headers {
    fn modify(&self, document: &mut Document) {
        let header = |name: &str, says: &str| {
            RefOr::T(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Header)
                    .required(Required::False)
                    .description(Some(says))
                    .schema(Some(Object::with_type(Type::String)))
                    .build(),
            )
        };
        for path in CHANGES {
            let Some(operation) =
                document.paths.paths.get_mut(path).and_then(|item| item.post.as_mut())
            else {
                continue;
            };
            let parameters = operation.parameters.get_or_insert_default();
            // Confirming is the same for the same token, whoever repeats it.
            if !path.ends_with("/confirm") {
                parameters.push(header(
                    "Idempotency-Key",
                    "1 to 255 printable ASCII characters. The same request under the same key is \
                     carried out once; another request under it is refused with 409.",
                ));
            }
            if !AT_ONCE.contains(&path) {
                parameters.push(header(
                    "Prefer",
                    "`wait=SECONDS` (30 at most; 10 if nothing is said) or `respond-async`: how long \
                     to wait for Klarna's answer before 202 is answered.",
                ));
            }
        }
    }
}

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
    /// A change of the contract is a visible change of this file.
    #[test]
    fn the_contract_is_as_recorded() {
        insta::assert_json_snapshot!(super::description());
    }
}
