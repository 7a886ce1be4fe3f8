//! What happens for each address of the shop. A handler reads top to bottom; rules about money
//! are in `cart`, about checkouts in `checkout`, words and looks in `language` and `pages`.

pub(crate) mod account;
pub(crate) mod asset;
pub(crate) mod basket;
pub(crate) mod browse;
pub(crate) mod checkout;
pub(crate) mod counter;
pub(crate) mod info;
pub(crate) mod order;
pub(crate) mod subscription;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use crate::gateway::GatewayError;
use crate::pages::notice::{self, Notice};
use crate::visit::Visit;

/// A page that says that something is not there.
pub(crate) fn missing(visit: Visit) -> Response {
    let texts = visit.texts();
    let page = notice::page(
        &visit,
        &Notice {
            title: texts.missing_title,
            text: texts.missing_text,
            link: ("/", texts.back_to_shop),
        },
    );
    visit.page(StatusCode::NOT_FOUND, page)
}

/// A page that says that the gateway cannot be asked just now.
pub(crate) fn try_later(visit: Visit, error: &GatewayError, again: &str) -> Response {
    report(error, "an order could not be read");
    let texts = visit.texts();
    let page = notice::page(
        &visit,
        &Notice {
            title: texts.later_title,
            text: texts.later_text,
            link: (again, texts.try_again),
        },
    );
    let mut response = visit.page(StatusCode::SERVICE_UNAVAILABLE, page);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Logs a failed call once, with what helps to find it at the gateway.
pub(crate) fn report(error: &GatewayError, what: &'static str) {
    let correlation_id = match error {
        GatewayError::Refused { problem, .. } => problem.correlation_id.as_deref(),
        GatewayError::NoAnswer(_) | GatewayError::Unreadable(_) => None,
    };
    tracing::warn!(
        error = %error,
        gateway.correlation_id = correlation_id.unwrap_or("none"),
        "{what}"
    );
}
