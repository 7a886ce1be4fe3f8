//! `GET /v1/openapi.json`: this API, described by itself.

use axum::Json;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{checkouts, operations, payments};

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
        operations::read::list,
        operations::read::read,
        operations::act::look,
        operations::act::resume,
        operations::act::settle,
    ),
    modifiers(&ApiKey)
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
