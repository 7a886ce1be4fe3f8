//! The shop's shared parts, its routes, and the headers that every answer carries.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, header};
use service::Clock;
use url::Url;

use crate::cookies::Signer;
use crate::gateway::Gateway;
use crate::handlers::{asset, basket, browse, checkout, info, order};
use crate::policy;

/// No form of the shop is longer than this.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    /// How browsers reach the shop.
    pub(crate) public_url: Url,
    /// The payment gateway.
    pub(crate) gateway: Gateway,
    /// Signs cookies and form tokens.
    pub(crate) signer: Signer,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    pub(crate) fn new(
        public_url: Url,
        gateway: Gateway,
        signer: Signer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Parts { public_url, gateway, signer, clock }))
    }

    /// An address of the shop, as others reach it.
    pub(crate) fn absolute(&self, path: &str) -> String {
        let base = self.public_url.as_str().trim_end_matches('/');
        format!("{base}{path}")
    }
}

/// Every route of the shop.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(browse::home))
        .route("/products/{slug}", get(browse::product))
        .route("/market", post(browse::switch_market))
        .route("/cart", get(basket::show))
        .route("/cart/items", post(basket::add))
        .route("/cart/update", post(basket::update))
        .route("/cart/codes", post(basket::enter_code))
        .route("/cart/codes/remove", post(basket::remove_code))
        .route("/checkout", get(checkout::show))
        .route("/checkout/shipping", post(checkout::choose_shipping))
        .route("/checkout/confirm", post(checkout::confirm))
        .route("/checkout/renew", post(checkout::renew))
        .route("/checkout/transfer", post(checkout::pay_by_transfer))
        .route("/checkout/waiting", get(checkout::waiting))
        .route("/checkout/status", get(checkout::status))
        .route("/confirmation", get(order::confirmation))
        .route("/orders", get(order::list))
        .route("/orders/{id}", get(order::status))
        .route("/terms", get(info::terms))
        .route("/privacy", get(info::privacy))
        .route("/help", get(info::help))
        .route("/assets/{name}", get(asset::file))
        .route("/pictures/{name}", get(asset::picture))
        .route("/favicon.ico", get(asset::favicon))
        .fallback(info::not_found)
        .method_not_allowed_fallback(info::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), security_headers))
        .with_state(app)
}

const NOSNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
/// The origin alone goes out with a request, never a path: an order's page is found by its path.
const REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));

async fn security_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(policy::CLOSED));
    headers.insert(NOSNIFF.0, NOSNIFF.1);
    headers.insert(REFERRER.0, REFERRER.1);
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), interest-cohort=()"),
    );
    // Klarna's purchase window is a popup that must be able to answer the page that opened it.
    headers
        .insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin-allow-popups"));
    if app.public_url.scheme() == "https" {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    // A page shows one visitor's cart or order: nobody else may be shown a copy.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
