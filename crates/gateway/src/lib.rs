//! The merchant's payment service: it never loses a payment and never makes one twice.
//!
//! A shop in any language opens a checkout, lets the shopper authorise in Klarna's widget, and
//! confirms; the gateway places the order exactly once, whoever gets there first, and keeps the
//! payment afterwards: captures, refunds, what happened and why.
//!
//! * [`domain`] decides: plain data and pure functions.
//! * `store` keeps: SQL that both engines accept.
//! * `engine` carries out: the journal of operations, callbacks, the janitor.
//! * `api` and `dashboard` answer: shops, Klarna, people.
//!
//! It knows Klarna by its SDK only, and nothing of the playground or the shop.

pub mod api;
pub mod app;
mod dashboard;
pub mod domain;
pub mod engine;
mod fault;
pub mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use klarna_types::Secret;
use service::{Clock, Listener, Readiness, Server, Shutdown};
use storage::{Database, Location};
use tokio::task::JoinHandle;
use url::Url;

pub use crate::fault::Fault;

use crate::app::{App, DEFAULT_STORE};
use crate::domain::idempotency;
use crate::engine::klarna::{Accounts, OneAccount};
use crate::engine::sdk::Sdk;
use crate::engine::{Engine, Parts};
use crate::store::access;
use crate::store::migrations::MIGRATIONS;

/// How Klarna is reached.
#[derive(Debug, Clone)]
pub struct KlarnaConfig {
    /// Where: one of Klarna's hosts, or a playground.
    pub base_url: Url,
    /// The API username.
    pub username: String,
    /// The API password.
    pub password: Secret,
}

/// What a gateway is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where shops and Klarna reach it; `http://localhost:PORT` if it is not said.
    pub public_url: Option<Url>,
    /// Where its state is kept.
    pub location: Location,
    /// How Klarna is reached.
    pub klarna: KlarnaConfig,
    /// API keys that are valid from the start.
    pub api_keys: Vec<Secret>,
    /// The password of the dashboard.
    pub dashboard_password: Secret,
    /// Where shops load Klarna's browser library from; the playground's own when Klarna is one.
    pub script_url: Option<Url>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address could not be had.
    #[error(transparent)]
    Bind(#[from] service::server::BindError),
    /// The database could not be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] storage::Error),
    /// The first writes failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Klarna's client could not be built.
    #[error("the client for Klarna cannot be built: {0}")]
    Klarna(#[from] klarna::BuildError),
}

/// A gateway that runs.
#[derive(Debug)]
pub struct Running {
    /// Where shops reach it.
    pub url: String,
    /// Where it listens.
    pub addr: SocketAddr,
    server: Server,
    worker: JoinHandle<()>,
    stop_worker: Shutdown,
    readiness: Readiness,
    shutdown: Shutdown,
    database: Database,
}

/// Klarna's own browser library.
const KLARNA_SCRIPT_URL: &str = "https://x.klarnacdn.net/kp/lib/v1/api.js";

fn script_url(config: &Config) -> String {
    if let Some(url) = &config.script_url {
        return url.to_string();
    }
    let is_klarna =
        config.klarna.base_url.host_str().is_some_and(|host| host.ends_with(".klarna.com"));
    if is_klarna {
        KLARNA_SCRIPT_URL.to_owned()
    } else {
        let base = config.klarna.base_url.as_str().trim_end_matches('/');
        format!("{base}/kp/lib/v1/api.js")
    }
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Starts a gateway: opens its database, begins to carry out the journal, and listens.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let client = klarna::Client::builder(klarna::Credentials::new(
            config.klarna.username.clone(),
            config.klarna.password.clone(),
        ))
        .base_url(config.klarna.base_url.as_str())?
        .user_agent(concat!("Kassa/", env!("CARGO_PKG_VERSION")))
        // The journal repeats; a worker's lease must outlive the call.
        .write_deadline(Duration::from_secs(20))
        .build()?;
        let accounts = Arc::new(OneAccount(Arc::new(Sdk::new(client))));
        Self::start_with(config, accounts).await
    }

    /// Starts a gateway with other accounts than the configured one.
    pub async fn start_with(
        config: Config,
        accounts: Arc<dyn Accounts>,
    ) -> Result<Running, StartError> {
        let listener = Listener::bind(config.listen).await?;
        let addr = listener.address();
        let url = config.public_url.as_ref().map_or_else(
            || format!("http://localhost:{}", addr.port()),
            |url| url.as_str().trim_end_matches('/').to_owned(),
        );
        let database = Database::open(&config.location, MIGRATIONS).await?;
        seed(&database, &config).await?;
        let engine = Engine::new(Parts {
            database: database.clone(),
            clock: Arc::clone(&config.clock),
            accounts,
            fresh: Arc::new(service::random::secret),
            public_url: url.clone(),
        });
        let secure_cookies = url.starts_with("https://");
        let app = App::new(
            engine.clone(),
            script_url(&config),
            config.dashboard_password.clone(),
            secure_cookies,
        );
        let shutdown = Shutdown::new();
        let readiness = Readiness::new();
        // The worker has a signal of its own: it goes on until the last request was answered.
        let stop_worker = Shutdown::new();
        let worker = tokio::spawn(engine.run(stop_worker.clone()));
        let router = router(app).merge(readiness.router());
        let server = listener.serve(router, shutdown.clone());
        readiness.ready();
        Ok(Running { url, addr, server, worker, stop_worker, readiness, shutdown, database })
    }
}

impl Running {
    /// The handle that stops its traffic; [`Running::stop`] stops all of it.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Stops: no new traffic, open requests finished, what was begun at Klarna recorded.
    pub async fn stop(self) {
        self.readiness.not_ready();
        self.server.stop().await;
        self.stop_worker.request();
        if self.worker.await.is_err() {
            tracing::error!("the worker panicked");
        }
        self.database.close().await;
    }
}

/// Every route but the health checks.
pub fn router(app: App) -> axum::Router {
    axum::Router::new()
        .merge(api::router())
        .merge(dashboard::router())
        .fallback(api::not_found)
        .with_state(app)
}

async fn seed(database: &Database, config: &Config) -> Result<(), Fault> {
    let now_ms = config.clock.now_ms();
    let digests: Vec<String> =
        config.api_keys.iter().map(|key| idempotency::digest(key.expose())).collect();
    database
        .write(move |tx| {
            access::ensure_store(tx, DEFAULT_STORE, "Default store", now_ms)?;
            for digest in &digests {
                let id = format!("key_{}", digest.get(..16).unwrap_or(digest));
                access::ensure_api_key(
                    tx,
                    &id,
                    DEFAULT_STORE,
                    "From the configuration",
                    digest,
                    now_ms,
                )?;
            }
            Ok::<_, Fault>(())
        })
        .await
}
