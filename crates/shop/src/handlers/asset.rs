//! Style sheets, scripts and pictures, from inside the binary.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{pictures, policy};

const SHOP_CSS: &str = include_str!("../assets/shop.css");
const SHOP_JS: &str = include_str!("../assets/shop.js");
const CHECKOUT_JS: &str = include_str!("../assets/checkout.js");
const WAITING_JS: &str = include_str!("../assets/waiting.js");

/// Pages name assets with this, so that a new version is never mixed with an old copy.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

const A_DAY: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
/// Short, because the demo is often rebuilt under the same version.
const A_MINUTE: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));

/// `GET /assets/{name}`
pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let (kind, body) = match name.as_str() {
        "shop.css" => ("text/css; charset=utf-8", SHOP_CSS),
        "shop.js" => ("text/javascript; charset=utf-8", SHOP_JS),
        "checkout.js" => ("text/javascript; charset=utf-8", CHECKOUT_JS),
        "waiting.js" => ("text/javascript; charset=utf-8", WAITING_JS),
        "mark.svg" => return svg(pictures::mark()),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([A_MINUTE, (header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

/// `GET /favicon.ico`: browsers that ask for it unasked take SVG as well.
pub(crate) async fn favicon() -> Response {
    svg(pictures::mark())
}

/// `GET /pictures/{slug}.svg`
pub(crate) async fn picture(Path(name): Path<String>) -> Response {
    match name.strip_suffix(".svg").and_then(pictures::draw) {
        Some(picture) => svg(picture),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn svg(picture: String) -> Response {
    (
        [
            A_DAY,
            (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy::PICTURE)),
        ],
        picture,
    )
        .into_response()
}
