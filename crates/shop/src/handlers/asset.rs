//! Style sheets, scripts and pictures, from inside the binary.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::market::View;
use crate::{pictures, policy};

const SHOP_CSS: &str = include_str!("../assets/shop.css");
const SHOP_JS: &str = include_str!("../assets/shop.js");
const CHECKOUT_JS: &str = include_str!("../assets/checkout.js");
const ACCOUNT_JS: &str = include_str!("../assets/account.js");
const EXPRESS_JS: &str = include_str!("../assets/express.js");
const LIBRARY_JS: &str = include_str!("../assets/library.js");
const WAITING_JS: &str = include_str!("../assets/waiting.js");
const ICON_192: &[u8] = include_bytes!("../assets/icon-192.png");
const ICON_512: &[u8] = include_bytes!("../assets/icon-512.png");

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
        "account.js" => ("text/javascript; charset=utf-8", ACCOUNT_JS),
        "express.js" => ("text/javascript; charset=utf-8", EXPRESS_JS),
        "library.js" => ("text/javascript; charset=utf-8", LIBRARY_JS),
        "waiting.js" => ("text/javascript; charset=utf-8", WAITING_JS),
        "mark.svg" => return svg(pictures::mark()),
        "icon-192.png" => return png(ICON_192),
        "icon-512.png" => return png(ICON_512),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([A_MINUTE, (header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

fn png(icon: &'static [u8]) -> Response {
    ([A_DAY, (header::CONTENT_TYPE, HeaderValue::from_static("image/png"))], icon).into_response()
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ViewQuery {
    #[serde(default)]
    view: String,
}

/// `GET /manifest.webmanifest`: what the shop is when it is put on a home screen.
pub(crate) async fn manifest(Query(query): Query<ViewQuery>) -> Response {
    let view = View::from_tag(&query.view).unwrap_or_default();
    let texts = view.locale.language.texts();
    let icon = |size: &str, purpose: &str| {
        json!({
            "src": format!("/assets/icon-{size}.png"), "sizes": format!("{size}x{size}"),
            "type": "image/png", "purpose": purpose,
        })
    };
    let manifest = json!({
        "id": "/", "name": "Tallvik", "short_name": "Tallvik",
        "description": texts.tagline, "lang": view.locale.tag, "dir": "ltr",
        "start_url": "/", "scope": "/", "display": "standalone",
        // An address of the shop that somebody comes back by, from Klarna's page in a tab of the
        // system's browser, is opened in the app that is there.
        "launch_handler": { "client_mode": ["navigate-existing", "auto"] },
        "handle_links": "preferred",
        "background_color": "#f7f4ee", "theme_color": "#1f4d3f",
        "categories": ["shopping"],
        "icons": [
            icon("192", "any"), icon("512", "any"), icon("192", "maskable"), icon("512", "maskable"),
            { "src": "/assets/mark.svg", "sizes": "any", "type": "image/svg+xml" },
        ],
        "shortcuts": [
            { "name": texts.cart, "url": "/cart" },
            { "name": texts.orders, "url": "/orders" },
        ],
    });
    let kind = HeaderValue::from_static("application/manifest+json");
    ([A_MINUTE, (header::CONTENT_TYPE, kind)], manifest.to_string()).into_response()
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
