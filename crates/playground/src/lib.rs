//! Klarna's side of the wire, offline and stateful.
//!
//! The playground answers Klarna's APIs as the published reference says, keeps what it was told
//! in a database, plays the shopper on request, calls merchants back, and has a clock of its own
//! that can be moved. It knows nothing of the gateway or the shop: they meet it over HTTP only.
//!
//! * [`domain`](self) modules decide: plain data and pure functions, `now` passed in.
//! * `store` keeps: one file of SQL for each aggregate.
//! * `api` and `web` answer: they parse, authenticate, call and respond.
//! * `worker` makes time pass: callbacks, expiries and decisions happen when they are due.

mod api;
mod app;
mod clock;
mod domain;
mod edge;
mod faults;
#[doc(hidden)]
pub mod fuzz;
mod hosting;
mod identity;
mod in_store;
mod payment_requests;
mod placing;
mod reports;
mod requests;
mod sender;
mod sftp;
mod shopper;
mod store;
mod tls;
mod token_recovery;
mod web;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;

use klarna_types::secret::Secret;
use service::reach::Reach;
use service::{Clock, Listener, Readiness, Shutdown};
use storage::Location;
use url::Url;

use crate::app::App;

pub use crate::sftp::{SftpDoor, SftpError};
pub use crate::tls::{Authority, AuthorityError, Names, TlsError};

/// How many calls a merchant may make in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// No limit; the headers are sent all the same, with the playground's numbers.
    #[default]
    Off,
    /// The limits of Klarna's own playground: 5 new sessions and 50 other calls a second.
    Playground,
    /// The limits of Klarna's live systems: 40 new sessions and 200 other calls a second.
    Live,
}

/// What wrong credentials are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnauthorizedForm {
    /// The HTML page of Klarna's edge, as recorded.
    #[default]
    Html,
    /// The JSON body that Klarna's error page describes.
    Json,
}

/// Where callbacks may go. The address that is called is judged, not its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackTargets {
    /// To the internet alone: not to this machine, private networks, link-local addresses or a cloud's
    /// metadata.
    Internet,
    /// To this machine and private networks as well.
    Networks,
    /// Anywhere.
    Anywhere,
}

impl CallbackTargets {
    fn reach(self) -> Reach {
        match self {
            Self::Internet => Reach::Internet,
            Self::Networks => Reach::Networks,
            Self::Anywhere => Reach::Anywhere,
        }
    }
}

/// A merchant that exists from the start.
#[derive(Debug, Clone)]
pub struct SeedMerchant {
    /// Klarna's merchant id (MID).
    pub merchant_id: String,
    /// The user name of its API credential.
    pub username: String,
    /// The password (API key) of that credential.
    pub password: Secret,
    /// Its client identifier, by which its pages are known; made up when absent, and then always the same
    /// for one database.
    pub client_id: Option<String>,
}

/// Pages of a seeded merchant, beyond those of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// Their origins.
    pub origins: Vec<String>,
    /// Where a sign-in may lead back to.
    pub redirect_uris: Vec<String>,
}

/// What the playground is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The URL under which browsers and merchants reach it; `http://localhost:PORT` when absent.
    pub public_url: Option<Url>,
    /// Where its state is kept.
    pub location: Location,
    /// Merchants to create, or whose credentials to renew.
    pub merchants: Vec<SeedMerchant>,
    /// Calls per second.
    pub rate_limits: RateLimits,
    /// What wrong credentials are answered with.
    pub unauthorized: UnauthorizedForm,
    /// Needed for `/playground/v1` when set; without it that API answers on loopback only.
    pub control_token: Option<Secret>,
    /// Where callbacks may go. Unless given: to the internet and to this machine's networks while only
    /// this machine can reach the playground, and to the internet alone otherwise.
    pub callback_targets: Option<CallbackTargets>,
    /// Real time. The playground adds its own offset.
    pub clock: Arc<dyn Clock>,
}

/// The playground could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port could not be had.
    #[error(transparent)]
    Bind(#[from] service::server::BindError),
    /// The database could not be opened or read.
    #[error("the playground's database cannot be used")]
    Storage(#[from] storage::Error),
    /// A seeded merchant is not acceptable.
    #[error("merchant {merchant_id} cannot be set up: {reason}")]
    Merchant {
        /// Which one.
        merchant_id: String,
        /// Why.
        reason: String,
    },
    /// What the database keeps cannot be read.
    #[error("{0}")]
    Kept(String),
    /// The public URL cannot be formed.
    #[error("the public URL is not valid")]
    Url(#[from] url::ParseError),
}

/// The way to start a playground.
#[derive(Debug, Clone, Copy)]
pub struct Playground;

impl Playground {
    /// Binds, opens the database, seeds the merchants and serves until [`Running::stop`].
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let listener = Listener::bind(config.listen).await?;
        let address = listener.address();
        let public_url = match config.public_url.clone() {
            Some(url) => url,
            None => Url::parse(&format!("http://localhost:{}", address.port()))?,
        };
        let readiness = Readiness::new();
        let shutdown = Shutdown::new();
        let (app, worker) = App::open(config, public_url.clone()).await?;
        let router = api::router(&app, &readiness);
        let worker = tokio::spawn(worker.run(shutdown.clone()));
        let server = listener.serve(router, shutdown);
        readiness.ready();
        let (doors, tasks) = (Vec::new(), vec![worker]);
        Ok(Running { url: public_url, address, app, readiness, server, doors, tasks })
    }
}

/// A playground that answers.
#[derive(Debug)]
pub struct Running {
    url: Url,
    address: SocketAddr,
    app: App,
    readiness: Readiness,
    server: service::Server,
    /// Further ways in: HTTPS.
    doors: Vec<service::Server>,
    /// What goes on beside: the worker, SFTP.
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
    /// The URL under which it is reached.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether only this machine can reach it; otherwise its control API asks for a token.
    pub fn is_loopback(&self) -> bool {
        self.app.is_loopback()
    }

    /// The client identifier of a seeded merchant.
    pub fn client_id(&self, merchant_id: &str) -> Option<String> {
        self.app.seeded_client_id(merchant_id)
    }

    /// Lets pages use the client identifier of a seeded merchant, besides those of this machine; also after
    /// everything was forgotten.
    ///
    /// Fails when an address is not acceptable, or the database cannot be used.
    pub async fn admit_pages(&self, merchant_id: &str, pages: Pages) -> Result<(), StartError> {
        self.app.admit_pages(merchant_id, pages).await
    }

    /// The address it is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its clock: real time, ahead by as much as it was moved. Whoever plays the merchant beside
    /// this playground and lives by the same clock grows older together with it.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.app.shared_clock()
    }

    /// Answers over HTTPS too, under `names`, with certificates of `authority`. Returns the address
    /// that it is bound to.
    ///
    /// Fails when the port cannot be had.
    pub async fn open_tls(
        &mut self,
        listen: SocketAddr,
        names: Names,
        authority: &Authority,
    ) -> Result<SocketAddr, TlsError> {
        let shutdown = self.shutdown();
        let door =
            tls::open(&self.app, &self.readiness, listen, names, authority, shutdown).await?;
        let address = door.address();
        self.doors.push(door);
        Ok(address)
    }

    /// Serves settlement reports over SFTP too: each merchant's credential opens an account with its
    /// own reports.
    ///
    /// Fails when the port cannot be had.
    pub async fn open_sftp(&mut self, listen: SocketAddr) -> Result<SftpDoor, SftpError> {
        let (door, task) = sftp::open(&self.app, listen, self.shutdown()).await?;
        self.tasks.push(task);
        Ok(door)
    }

    /// A handle that asks it to stop.
    pub fn shutdown(&self) -> Shutdown {
        self.server.shutdown().clone()
    }

    /// Finishes open requests, stops the worker and closes the database.
    pub async fn stop(self) {
        self.readiness.not_ready();
        self.server.stop().await;
        for door in self.doors {
            door.stopped().await;
        }
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the playground did not end well");
            }
        }
        if let Err(error) = self.app.keep_fault_counts().await {
            tracing::error!(%error, "the counts of faults could not be kept");
        }
        self.app.db().close().await;
    }
}
