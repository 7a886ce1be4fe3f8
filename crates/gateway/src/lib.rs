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

mod access;
pub mod api;
pub mod app;
mod dashboard;
pub mod domain;
pub mod engine;
mod fault;
pub mod observe;
pub mod operator;
pub mod store;
pub mod vault;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use klarna_types::Secret;
use service::{Clock, Listener, Readiness, Server, Shutdown, SystemClock};
use storage::{Database, Location};
use tokio::task::JoinHandle;
use url::Url;

pub use crate::domain::forwarded::{Network, NotANetwork, TrustedProxies};
pub use crate::engine::webhooks::Targets as WebhookTargets;
pub use crate::fault::Fault;

use crate::app::{App, DEFAULT_STORE};
use crate::domain::access_key::{Grant, Kind};
use crate::domain::account::klarna_host;
use crate::domain::idempotency;
use crate::domain::role::Role;
use crate::domain::scope::Scopes;
use crate::domain::user::BOOTSTRAP_USER;
use crate::engine::accounts::{Configured, Directory, OfStore};
use crate::engine::feed::Feed;
use crate::engine::identity::Provider;
use crate::engine::klarna::{Accounts, Klarna};
use crate::engine::sdk::Sdk;
use crate::engine::webhooks::{Courier, Targets};
use crate::engine::{Engine, Parts};
use crate::observe::health::{self, Health};
use crate::observe::{Metrics, door};
use crate::store::migrations::MIGRATIONS;
use crate::store::users::User;
use crate::store::{keys, users};
use crate::vault::Vault;

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
    /// What becomes of keys that an earlier configuration said and this one does not.
    pub earlier_keys: EarlierKeys,
    /// Whose word about where a call comes from is believed.
    pub trusted_proxies: TrustedProxies,
    /// The password of the dashboard.
    pub dashboard_password: Secret,
    /// Seals Klarna's credentials and other secrets in the database.
    pub vault: Vault,
    /// Klarna's client identifier of the configured account, for the browser libraries that begin with one.
    pub client_id: Option<String>,
    /// Where shops load Klarna's browser library from; the playground's own when Klarna is one.
    pub script_url: Option<Url>,
    /// Where webhooks may lead. Unless given: to the internet and to this machine's networks while only
    /// this machine can reach the gateway, and to the internet alone otherwise.
    pub webhook_targets: Option<Targets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How it is watched, and how it stops.
    pub observe: observe::Settings,
}

/// What becomes of API keys that an earlier configuration said and the present one does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarlierKeys {
    /// They end, and work again should a configuration say them again.
    #[default]
    End,
    /// They go on: the key of this node was made up, and says nothing about those of other nodes.
    Stay,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address could not be had.
    #[error(transparent)]
    Bind(#[from] service::server::BindError),
    /// Metrics would be told to anybody.
    #[error(
        "metrics at {address} could be read by others than this machine: choose a loopback address \
         with --metrics-listen, or give --metrics-token"
    )]
    OpenMetrics {
        /// The address asked for.
        address: SocketAddr,
    },
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

/// How long handing work back may take at the end of a stop, and closing the database.
const HAND_BACK_WITHIN: Duration = Duration::from_secs(3);
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A gateway that runs.
#[derive(Debug)]
pub struct Running {
    /// Where shops reach it.
    pub url: String,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where metrics are asked for, if anywhere.
    pub metrics_addr: Option<SocketAddr>,
    server: Server,
    metrics: Option<Server>,
    app: App,
    observe: observe::Settings,
    worker: JoinHandle<()>,
    courier: JoinHandle<()>,
    stop_worker: Shutdown,
    readiness: Readiness,
    shutdown: Shutdown,
    database: Database,
}

/// Klarna's own browser library.
const KLARNA_SCRIPT_URL: &str = "https://x.klarnacdn.net/kp/lib/v1/api.js";

fn script_url(config: &Config) -> String {
    config
        .script_url
        .as_ref()
        .map_or_else(|| script_of(config.klarna.base_url.as_str()), Url::to_string)
}

/// Where the browser library for sessions of a host is.
pub(crate) fn script_of(base_url: &str) -> String {
    let is_klarna = Url::parse(base_url)
        .is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with(".klarna.com")));
    if is_klarna {
        KLARNA_SCRIPT_URL.to_owned()
    } else {
        format!("{}/kp/lib/v1/api.js", base_url.trim_end_matches('/'))
    }
}

/// Klarna's own Web SDK.
const KLARNA_WEB_SDK_URL: &str = "https://js.klarna.com/web-sdk/v1/klarna.js";

/// Where the Web SDK is, by where the library of payments is.
pub(crate) fn web_sdk_of(script_url: &str) -> String {
    let own = Url::parse(script_url).ok().filter(|_| script_url != KLARNA_SCRIPT_URL);
    own.and_then(|url| url.join("/web-sdk/v1/klarna.js").ok())
        .map_or_else(|| KLARNA_WEB_SDK_URL.to_owned(), String::from)
}

/// Whether a base URL is one of Klarna's live hosts.
pub(crate) fn is_live(base_url: &str) -> bool {
    klarna_host(base_url)
        .is_some_and(|(_, environment)| environment == klarna_types::market::Environment::Live)
}

/// A caller of Klarna.
fn connect(
    base_url: &str,
    username: &str,
    password: &Secret,
    metrics: &Metrics,
) -> Result<Arc<dyn Klarna>, klarna::BuildError> {
    let builder = klarna::Client::builder(klarna::Credentials::new(username, password.clone()));
    // Klarna's own hosts have published rate limits.
    let builder = match klarna_host(base_url) {
        Some((region, environment)) => builder.region(region, environment),
        None => builder.base_url(base_url)?,
    };
    let client = builder
        .user_agent(concat!("Kassa/", env!("CARGO_PKG_VERSION")))
        // The journal repeats; a worker's lease must outlive the call.
        .write_deadline(Duration::from_secs(20))
        .build()?;
    // A name that tells nothing of the credential, for logs and books.
    let name = idempotency::digest(&format!("{base_url} {username}"));
    let name = format!("klarna_{}", name.get(..16).unwrap_or(&name));
    Ok(Arc::new(Sdk::named(client, &name).measured(metrics.clone())))
}

/// The engine of a database, as metrics name it.
fn engine_of(location: &Location) -> &'static str {
    match location {
        Location::File(_) | Location::Memory => "sqlite",
        Location::Postgres(_) => "postgres",
    }
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Starts a gateway: opens its database, begins to carry out the journal, and listens.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let KlarnaConfig { base_url, username, password } = &config.klarna;
        let metrics = Metrics::new(engine_of(&config.location));
        let account = connect(base_url.as_str(), username, password, &metrics)?;
        let accounts = Arc::new(OfStore { store_id: DEFAULT_STORE.to_owned(), account });
        Self::start_measured(config, accounts, metrics).await
    }

    /// Starts a gateway with other accounts than the configured one.
    pub async fn start_with(
        config: Config,
        accounts: Arc<dyn Accounts>,
    ) -> Result<Running, StartError> {
        let metrics = Metrics::new(engine_of(&config.location));
        Self::start_measured(config, accounts, metrics).await
    }

    async fn start_measured(
        config: Config,
        accounts: Arc<dyn Accounts>,
        metrics: Metrics,
    ) -> Result<Running, StartError> {
        let door = door::bind(&config.observe).await?;
        let listener = Listener::bind(config.listen).await?;
        let addr = listener.address();
        let url = config.public_url.as_ref().map_or_else(
            || format!("http://localhost:{}", addr.port()),
            |url| url.as_str().trim_end_matches('/').to_owned(),
        );
        let database = Database::open(&config.location, MIGRATIONS).await?;
        database.observe(Arc::new(metrics.clone()));
        seed(&database, &config).await?;
        let configured = Configured { accounts, base_url: config.klarna.base_url.to_string() };
        let vault = config.vault.clone();
        let counted = metrics.clone();
        let connect = Arc::new(move |base_url: &str, username: &str, password: &Secret| {
            connect(base_url, username, password, &counted)
        });
        let accounts =
            Directory::open(database.clone(), vault.clone(), connect, configured).await?;
        let parts = Parts {
            database: database.clone(),
            clock: Arc::clone(&config.clock),
            accounts: Arc::new(accounts),
            fresh: Arc::new(service::random::secret),
            public_url: url.clone(),
            vault,
        };
        let engine = Engine::measured(parts, metrics);
        let shutdown = Shutdown::new();
        let near = if addr.ip().is_loopback() { Targets::Networks } else { Targets::Internet };
        let targets = config.webhook_targets.unwrap_or(near);
        let secure_cookies = url.starts_with("https://");
        let app = App::new(
            engine.clone(),
            script_url(&config),
            config.dashboard_password.clone(),
            secure_cookies,
        )
        .with_courier(Courier::new(engine.clone(), targets))
        .with_client_id(config.client_id.clone())
        .with_trusted_proxies(config.trusted_proxies.clone())
        .with_identity(Provider::new(
            config.klarna.base_url.as_str(),
            &script_url(&config),
            config.client_id.clone(),
        ))
        .with_feed(Feed::new(shutdown.clone()));
        let readiness = Readiness::new();
        app.engine().metrics().started_at(SystemClock.now_ms());
        // The worker has a signal of its own: it goes on until the last request was answered.
        let stop_worker = Shutdown::new();
        tokio::spawn(app.feed().clone().run(engine.clone()));
        let worker = tokio::spawn(engine.run(stop_worker.clone()));
        let courier = tokio::spawn(app.courier().clone().run(stop_worker.clone()));
        let health = Arc::new(Health::new(readiness.clone(), database.clone()));
        let token = config.observe.metrics_token.clone();
        // Answered until the very end: a stop is worth watching.
        let door = door.map(|door| door::serve(door, app.clone(), &health, token, Shutdown::new()));
        let (metrics_addr, metrics) = door.unzip();
        let router = router(app.clone()).merge(health::router(&health));
        let server = listener.serve(router, shutdown.clone());
        readiness.ready();
        Ok(Running {
            url,
            addr,
            metrics_addr,
            server,
            metrics,
            app,
            observe: config.observe,
            worker,
            courier,
            stop_worker,
            readiness,
            shutdown,
            database,
        })
    }
}

/// Opens a gateway's database and brings every secret in it under the newest key of the vault. On
/// SQLite no gateway may run on it; on PostgreSQL those that do must know that key.
pub async fn reseal(location: &Location, vault: &Vault) -> Result<vault::Resealed, StartError> {
    let database = Database::open(location, MIGRATIONS).await?;
    let resealed = vault::reseal(&database, vault).await;
    database.close().await;
    Ok(resealed?)
}

impl Running {
    /// The handle that stops its traffic; [`Running::stop`] stops all of it.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The database that it keeps its state in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Stops: no new traffic, open requests finished, what was begun at Klarna recorded. What is still under way when the
    /// time for it is over is cut off and handed back: the journal knows of it, and whoever takes it up finds out what
    /// came of it.
    pub async fn stop(self) {
        self.readiness.not_ready();
        tokio::time::sleep(self.observe.drain).await;
        let (mut worker, mut courier) = (self.worker, self.courier);
        let orderly = async {
            self.server.stop().await;
            self.stop_worker.request();
            if (&mut worker).await.is_err() {
                tracing::error!("the worker panicked");
            }
            if (&mut courier).await.is_err() {
                tracing::error!("the courier of webhooks panicked");
            }
        };
        if tokio::time::timeout(self.observe.stop_within, orderly).await.is_err() {
            for task in [worker, courier] {
                task.abort();
                // Gone before its work is handed back: nothing of this node holds it any more.
                if !task.is_finished() {
                    let _ = task.await;
                }
            }
            let handed_back = async {
                Ok::<_, Fault>(
                    self.app.engine().hand_back().await? + self.app.courier().hand_back().await?,
                )
            };
            match tokio::time::timeout(HAND_BACK_WITHIN, handed_back).await {
                Ok(Ok(leases)) => {
                    tracing::warn!(
                        leases,
                        "the time to stop was over: what was under way is handed back"
                    );
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "what was under way could not be handed back");
                }
                Err(_) => tracing::error!("what was under way could not be handed back in time"),
            }
        }
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
        if tokio::time::timeout(CLOSE_WITHIN, self.database.close()).await.is_err() {
            tracing::error!("the database could not be closed in time");
        }
    }
}

/// A year; browsers that saw it once never ask without TLS.
const HSTS: &str = "max-age=31536000";

/// Every route but the health checks.
pub fn router(app: App) -> axum::Router {
    let over_tls = app.secure_cookies();
    axum::Router::new()
        .merge(api::router(&app))
        .merge(dashboard::router(&app))
        .fallback(api::not_found)
        .layer(from_fn_with_state(app.clone(), access::proxies::look_behind))
        .layer(map_response(move |mut response: Response| async move {
            if over_tls {
                let headers = response.headers_mut();
                headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
            }
            response
        }))
        .layer(from_fn_with_state(app.clone(), observe::requests::observe))
        .with_state(app)
}

/// What a key of the configuration may do: everything.
fn of_configuration() -> Grant {
    Grant {
        name: "From the configuration".to_owned(),
        kind: Kind::Secret,
        scopes: Scopes::everything(),
        origins: Vec::new(),
        expires_at_ms: None,
    }
}

/// The user whose password the configuration says.
fn bootstrap_user(now_ms: i64) -> User {
    User {
        id: format!("usr_{BOOTSTRAP_USER}"),
        store_id: DEFAULT_STORE.to_owned(),
        name: BOOTSTRAP_USER.to_owned(),
        role: Role::Admin,
        password_hash: None,
        totp_seed: None,
        totp_pending: None,
        totp_step: 0,
        created_at_ms: now_ms,
        signed_in_at_ms: None,
        disabled_at_ms: None,
    }
}

async fn seed(database: &Database, config: &Config) -> Result<(), Fault> {
    let now_ms = config.clock.now_ms();
    // One process has a SQLite file: what it does not know nobody does.
    let ends =
        config.earlier_keys == EarlierKeys::End || database.engine() == storage::Engine::Sqlite;
    let digests: Vec<String> =
        config.api_keys.iter().map(|key| idempotency::digest(key.expose())).collect();
    database
        .write(move |tx| {
            store::access::ensure_store(tx, DEFAULT_STORE, "Default store", now_ms)?;
            for digest in &digests {
                let id = format!("key_{}", digest.get(..16).unwrap_or(digest));
                let new = keys::New {
                    id: &id,
                    store_id: DEFAULT_STORE,
                    digest,
                    hint: "",
                    created_by: "configuration",
                };
                keys::ensure(tx, new, &of_configuration(), now_ms)?;
                keys::begin_again(tx, digest)?;
            }
            if ends {
                keys::end_configured_but(tx, &digests, now_ms)?;
            }
            users::insert(tx, &bootstrap_user(now_ms))?;
            Ok::<_, Fault>(())
        })
        .await
}
