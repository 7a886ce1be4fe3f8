//! The shop's shared parts, its routes, and the headers that every answer carries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, header};
use parking_lot::Mutex;
use service::Clock;
use url::Url;

use crate::cookies::Signer;
use crate::gateway::{BrowserSide, Gateway};
use crate::handlers::{
    account, asset, basket, browse, checkout, counter, info, order, subscription,
};
use crate::policy;
use crate::{CheckoutWay, KlarnaOnPages};

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
    /// Where Klarna's part of the checkout happens.
    pub(crate) way: CheckoutWay,
    /// Whether pages show what Klarna's browser libraries draw.
    klarna: KlarnaOnPages,
    /// The plans of subscriptions, by what they charge.
    pub(crate) plans: Mutex<HashMap<String, String>>,
    /// What the gateway said of Klarna for the pages, and until when that is believed.
    on_pages: Mutex<Option<(i64, Option<Arc<OnPages>>)>>,
}

/// What the shop's pages load of Klarna's.
#[derive(Debug)]
pub(crate) struct OnPages {
    /// Names the shop to Klarna's libraries.
    pub(crate) client_id: String,
    /// `playground` or `production`.
    pub(crate) environment: String,
    /// The Web SDK.
    pub(crate) web_sdk: Url,
    /// The payment library.
    pub(crate) payments_sdk: Option<Url>,
}

impl OnPages {
    /// What the gateway told, if it is complete and of the web.
    fn of(told: BrowserSide) -> Option<Self> {
        let url = |text: Option<String>| {
            text.and_then(|text| Url::parse(&text).ok()).filter(policy::is_web)
        };
        Some(Self {
            client_id: told.client_id.filter(|id| !id.is_empty())?,
            environment: told.environment.unwrap_or_else(|| "playground".to_owned()),
            web_sdk: url(told.web_sdk_url)?,
            payments_sdk: url(told.payments_sdk_url),
        })
    }
}

/// For how long the gateway's word about Klarna on pages is believed.
const BELIEVED_MS: i64 = 60_000;
/// For how long nothing is asked after the gateway did not answer.
const SILENT_MS: i64 = 10_000;
/// No page waits longer than this to learn what else it could show.
const PATIENCE: Duration = Duration::from_millis(800);

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
        (way, klarna): (CheckoutWay, KlarnaOnPages),
    ) -> Self {
        let (plans, on_pages) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Parts { public_url, gateway, signer, clock, way, klarna, plans, on_pages }))
    }

    /// What pages load of Klarna's; nothing where the gateway names no client id, or does not answer: the
    /// shop sells without.
    pub(crate) async fn on_pages(&self) -> Option<Arc<OnPages>> {
        if self.klarna == KlarnaOnPages::Hidden {
            return None;
        }
        let now = self.clock.now_ms();
        let known = self.on_pages.lock().clone();
        if let Some((until, known)) = known
            && now < until
        {
            return known;
        }
        let asked = tokio::time::timeout(PATIENCE, self.gateway.browser_side()).await;
        let (told, believed_ms) = match asked {
            Ok(Ok(told)) => (OnPages::of(told).map(Arc::new), BELIEVED_MS),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the gateway says nothing of Klarna for pages");
                (None, SILENT_MS)
            }
            Err(_) => (None, SILENT_MS),
        };
        *self.on_pages.lock() = Some((now.saturating_add(believed_ms), told.clone()));
        told
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
        .route("/checkout/pay", post(checkout::pay))
        .route("/express", post(checkout::express))
        .route("/checkout/waiting", get(checkout::waiting))
        .route("/checkout/status", get(checkout::status))
        .route("/confirmation", get(order::confirmation))
        .route("/counter", get(counter::show).post(counter::open))
        .route("/counter/code", get(counter::code))
        .route("/counter/status", get(counter::status))
        .route("/counter/cancel", post(counter::cancel))
        .route("/account", get(account::show))
        .route("/account/klarna", post(account::sign_in))
        .route("/account/begin", post(account::begin))
        .route("/account/signed-in", get(account::signed_in))
        .route("/account/sign-out", post(account::sign_out))
        .route("/orders", get(account::show))
        .route("/subscriptions/end", post(subscription::end))
        .route("/orders/{id}", get(order::status))
        .route("/terms", get(info::terms))
        .route("/privacy", get(info::privacy))
        .route("/help", get(info::help))
        .route("/assets/{name}", get(asset::file))
        .route("/pictures/{name}", get(asset::picture))
        .route("/favicon.ico", get(asset::favicon))
        .route("/manifest.webmanifest", get(asset::manifest))
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
