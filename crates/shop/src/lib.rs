//! The demo storefront, written as a merchant would write it.
//!
//! It sells eight small goods in all countries where Klarna trades, in their languages, and takes Klarna payments. It meets the rest of
//! Kassa over HTTP only: the payment gateway's public API from its server, and Klarna's public
//! browser library in the shopper's browser. Point it at another gateway, or the gateway at
//! Klarna's own servers, and nothing here changes.
//!
//! What it deliberately has not: a database. The cart, the order number of the checkout under way
//! and the list of a visitor's orders travel in signed cookies; the truth about a payment is read
//! from the gateway each time. So the shop may be restarted between a shopper's approval and the
//! confirmation page, and any number of instances with one secret are one shop.
//!
//! How a purchase walks through the code: `handlers::checkout::show` opens or refreshes the
//! checkout (`checkout::step` decides which), the page starts Klarna's library
//! (`assets/checkout.js`), the shopper approves, `handlers::checkout::confirm` hands the token to
//! the gateway, and `handlers::order::confirmation` shows what the gateway then knows.

pub mod cart;
pub mod catalogue;
pub mod checkout;
pub mod cookies;
pub mod gateway;
pub mod language;
pub mod market;
pub mod money;
pub mod persons;
pub mod pictures;
pub mod policy;

mod address;
mod app;
mod handlers;
mod pages;
mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use service::{Clock, Listener, Readiness, Server, Shutdown};
use url::Url;
use zeroize::Zeroizing;

/// A text that must not be seen: prints as stars, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// What the shop is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// How browsers reach the shop; `http://localhost:PORT` if not given.
    pub public_url: Option<Url>,
    /// The payment gateway, as this server reaches it.
    pub gateway_url: Url,
    /// The gateway's API key (`kassa_sk_…`). Never sent to a browser.
    pub gateway_api_key: Secret,
    /// Signs the cookies. Keep it across restarts, share it between instances.
    pub session_secret: Secret,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where Klarna's part of the checkout happens.
    pub checkout: CheckoutWay,
    /// Whether pages show what Klarna's browser libraries draw.
    pub klarna_on_pages: KlarnaOnPages,
}

/// Whether pages show what Klarna's browser libraries draw: placements, the express button, the button to
/// sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KlarnaOnPages {
    /// Klarna is met at the checkout alone.
    #[default]
    Hidden,
    /// Where the gateway names a client identifier.
    Shown,
}

/// Where Klarna's part of the checkout happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CheckoutWay {
    /// In the checkout page: Klarna's widget, and its window.
    #[default]
    Inline,
    /// On a page of Klarna's, to which the browser goes and from which it comes back.
    Hosted,
}

/// Why the shop did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error(transparent)]
    Bind(#[from] service::server::BindError),
    /// The API key cannot be sent in a header.
    #[error("the gateway's API key has characters that no HTTP header may carry; copy it again")]
    ApiKey(#[from] http::header::InvalidHeaderValue),
    /// The public address cannot be one.
    #[error(
        "the shop's public URL `{0}` is not an http or https address; give it as http://HOST:PORT"
    )]
    PublicUrl(String),
}

/// The shop.
#[derive(Debug)]
pub struct Shop;

impl Shop {
    /// Starts the shop; it serves when this returns.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let listener = Listener::bind(config.listen).await?;
        let addr = listener.address();
        let given = match config.public_url {
            Some(url) => url,
            None => Url::parse(&format!("http://localhost:{}", addr.port()))
                .map_err(|_| StartError::PublicUrl(addr.to_string()))?,
        };
        if !matches!(given.scheme(), "http" | "https") || !given.has_host() {
            return Err(StartError::PublicUrl(given.into()));
        }
        let gateway = gateway::Gateway::new(config.gateway_url, &config.gateway_api_key)?;
        let signer = cookies::Signer::new(&config.session_secret);
        let app = app::App::new(
            given.clone(),
            gateway,
            signer,
            config.clock,
            (config.checkout, config.klarna_on_pages),
        );
        let readiness = Readiness::new();
        let router = app::router(app).merge(readiness.router());
        let shutdown = Shutdown::new();
        let server = listener.serve(router, shutdown);
        readiness.ready();
        tracing::info!(url = %given, "the shop is open");
        Ok(Running { url: given, addr, readiness, server })
    }
}

/// The shop, serving.
#[derive(Debug)]
pub struct Running {
    /// How browsers reach it.
    pub url: Url,
    /// Where it listens.
    pub addr: SocketAddr,
    readiness: Readiness,
    server: Server,
}

impl Running {
    /// The handle that stops it.
    pub fn shutdown(&self) -> &Shutdown {
        self.server.shutdown()
    }

    /// Finishes open requests and stops.
    pub async fn stop(self) {
        self.readiness.not_ready();
        self.server.stop().await;
    }

    /// Returns when it has stopped.
    pub async fn stopped(self) {
        self.server.stopped().await;
    }
}
