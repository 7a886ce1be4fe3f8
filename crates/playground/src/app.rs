//! What every handler shares: the database, the clock, the merchants, the request log, and the way
//! to wake the worker. Cheap to clone.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use klarna_types::MerchantId;
use klarna_types::secret::Secret;
use parking_lot::Mutex;
use service::Clock as _;
use storage::Database;
use subtle::ConstantTimeEq as _;
use tokio::sync::{Notify, mpsc, oneshot};
use url::{Host, Url};

use crate::api::auth::{Credential, Directory, SecretHash, SharedDirectory};
use crate::clock::PlaygroundClock;
use crate::domain::client_id::{self, ClientEnvironment, ClientIdentifier};
use crate::domain::merchant::Merchant;
use crate::faults::Faults;
use crate::identity::Keyring;
use crate::requests::RequestLog;
use crate::sender::Sender;
use crate::store::migrations::MIGRATIONS;
use crate::store::{StoreError, client_ids, faults, merchants, sftp};
use crate::worker::{Command, Worker};
use crate::{
    CallbackTargets, Config, Pages, RateLimits, SeedMerchant, StartError, UnauthorizedForm,
};

const SALT: &str = "credential_salt";
const SIGNING_KEY: &str = "client_token_key";
pub(crate) const CLOCK_OFFSET: &str = "clock_offset_ms";

/// The playground, as its handlers see it.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>, Arc<Site>);

/// How callers know it: the URLs in its answers begin so. Behind TLS, and under Klarna's own host
/// names, each name is a site of its own over the same state.
struct Site {
    public_url: Url,
    base_url: String,
    listen: SocketAddr,
}

struct Inner {
    db: Database,
    clock: Arc<PlaygroundClock>,
    directory: SharedDirectory,
    requests: RequestLog,
    faults: Faults,
    keyring: Keyring,
    sender: Sender,
    signing_key: Secret,
    salt: String,
    rate_limits: RateLimits,
    unauthorized: UnauthorizedForm,
    control_token: Option<Secret>,
    seeds: Vec<SeedMerchant>,
    /// Pages of seeded merchants that became known after the start, by merchant.
    pages: Mutex<Vec<(String, Pages)>>,
    worker: mpsc::UnboundedSender<Command>,
    wake: Notify,
}

impl Site {
    fn new(public_url: Url, listen: SocketAddr) -> Self {
        let base_url = public_url.as_str().trim_end_matches('/').to_owned();
        Self { public_url, base_url, listen }
    }

    fn is_loopback(&self) -> bool {
        let named_so = match self.public_url.host() {
            // Browsers keep this name, and those below it, to their own machine.
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        named_so && self.listen.ip().is_loopback()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("public_url", &self.1.base_url).finish_non_exhaustive()
    }
}

impl App {
    /// Opens the database and seeds the merchants.
    pub(crate) async fn open(
        config: Config,
        public_url: Url,
    ) -> Result<(Self, Worker), StartError> {
        let db = Database::open(&config.location, MIGRATIONS).await?;
        let fresh_salt = service::random::secret();
        let fresh_key = service::random::secret();
        let kept = db
            .write(move |tx| -> Result<_, storage::Error> {
                let salt = merchants::setting_or(tx, SALT, &fresh_salt)?;
                let key = merchants::setting_or(tx, SIGNING_KEY, &fresh_key)?;
                let offset = merchants::setting(tx, CLOCK_OFFSET)?;
                Ok((salt, key, offset))
            })
            .await?;
        let faults = Faults::default();
        faults.replace(db.read(faults::all).await.map_err(|error| match error {
            StoreError::Storage(error) => StartError::Storage(error),
            other => StartError::Kept(other.to_string()),
        })?);
        let site = Site::new(public_url, config.listen);
        let near =
            if site.is_loopback() { CallbackTargets::Networks } else { CallbackTargets::Internet };
        let targets = config.callback_targets.unwrap_or(near);
        let (salt, signing_key, offset) = kept;
        let offset_ms = offset.and_then(|offset| offset.parse().ok()).unwrap_or(0);
        let (sender, receiver) = mpsc::unbounded_channel();
        let inner = Inner {
            db,
            clock: Arc::new(PlaygroundClock::new(config.clock, offset_ms)),
            directory: SharedDirectory::default(),
            requests: RequestLog::default(),
            faults,
            keyring: Keyring::default(),
            sender: Sender::new(targets.reach()),
            signing_key: Secret::new(signing_key),
            salt,
            rate_limits: config.rate_limits,
            unauthorized: config.unauthorized,
            control_token: config.control_token,
            seeds: config.merchants,
            pages: Mutex::default(),
            worker: sender,
            wake: Notify::new(),
        };
        let app = Self(Arc::new(inner), Arc::new(site));
        app.seed().await?;
        let worker = Worker::new(app.clone(), receiver);
        Ok((app, worker))
    }

    /// Adds the configured merchants, or renews their passwords.
    pub(crate) async fn seed(&self) -> Result<(), StartError> {
        for seed in &self.0.seeds {
            let merchant = Merchant::new(seed.merchant_id.as_str());
            let added = self
                .add_merchant(merchant, seed.username.clone(), &seed.password)
                .await
                .map_err(|error| match error {
                    StoreError::Storage(error) => StartError::Storage(error),
                    StoreError::Document { .. } | StoreError::Seed(_) => StartError::Merchant {
                        merchant_id: seed.merchant_id.clone(),
                        reason: error.to_string(),
                    },
                })?;
            if !added {
                return Err(StartError::Merchant {
                    merchant_id: seed.merchant_id.clone(),
                    reason: format!("the user name {} belongs to another merchant", seed.username),
                });
            }
            self.seed_client(seed).await?;
        }
        self.reload_directory().await.map_err(|error| match error {
            StoreError::Storage(error) => StartError::Storage(error),
            StoreError::Document { .. } | StoreError::Seed(_) => {
                StartError::Merchant { merchant_id: "*".to_owned(), reason: error.to_string() }
            }
        })
    }

    /// The client identifier that a seed has.
    fn client_id_of(&self, seed: &SeedMerchant) -> String {
        let made_up = || client_id::seeded(&seed.merchant_id, &self.0.salt);
        seed.client_id.clone().unwrap_or_else(made_up)
    }

    /// The client identifier of a seeded merchant.
    pub(crate) fn seeded_client_id(&self, merchant_id: &str) -> Option<String> {
        let seed = self.0.seeds.iter().find(|seed| seed.merchant_id == merchant_id)?;
        Some(self.client_id_of(seed))
    }

    /// Adds the client identifier of a seed, or what is newly known of its pages to the one that is there.
    async fn seed_client(&self, seed: &SeedMerchant) -> Result<(), StartError> {
        let refused =
            |reason: String| StartError::Merchant { merchant_id: seed.merchant_id.clone(), reason };
        let client_id = self.client_id_of(seed);
        if !client_id::is_client_id(&client_id) {
            return Err(refused(format!(
                "a client identifier begins with {} and goes on with letters and digits",
                client_id::PREFIX
            )));
        }
        let mut client = ClientIdentifier {
            client_id,
            merchant_id: MerchantId::new(seed.merchant_id.as_str()),
            environment: ClientEnvironment::Test,
            allowed_origins: client_id::LOOPBACK.map(str::to_owned).to_vec(),
            redirect_uris: Vec::new(),
            client_secret_hash: None,
        };
        for (_, pages) in self.0.pages.lock().iter().filter(|(id, _)| *id == seed.merchant_id) {
            client.admit(&pages.origins, &pages.redirect_uris);
        }
        let now_ms = self.0.clock.now_ms();
        let added = self
            .0
            .db
            .write(move |tx| -> Result<_, StoreError> {
                let added = client_ids::insert(tx, &client, now_ms)?;
                if added == client_ids::Added::Known
                    && let Some(mut kept) = client_ids::client_identifier(tx, &client.client_id)?
                    && kept.admit(&client.allowed_origins, &client.redirect_uris)
                {
                    client_ids::update(tx, &kept)?;
                }
                Ok(added)
            })
            .await
            .map_err(|error| match error {
                StoreError::Storage(error) => StartError::Storage(error),
                StoreError::Document { .. } | StoreError::Seed(_) => refused(error.to_string()),
            })?;
        match added {
            client_ids::Added::New | client_ids::Added::Known => Ok(()),
            client_ids::Added::Foreign => {
                Err(refused("its client identifier belongs to another merchant".to_owned()))
            }
        }
    }

    /// Adds pages of a seeded merchant that became known after the start.
    pub(crate) async fn admit_pages(
        &self,
        merchant_id: &str,
        pages: Pages,
    ) -> Result<(), StartError> {
        let bad =
            pages.origins.iter().find(|origin| !client_id::is_origin_pattern(origin)).or_else(
                || pages.redirect_uris.iter().find(|uri| !client_id::is_redirect_uri(uri)),
            );
        if let Some(bad) = bad {
            return Err(StartError::Merchant {
                merchant_id: merchant_id.to_owned(),
                reason: format!("{bad} is not the address of a page"),
            });
        }
        self.0.pages.lock().push((merchant_id.to_owned(), pages));
        match self.0.seeds.iter().find(|seed| seed.merchant_id == merchant_id) {
            Some(seed) => self.seed_client(seed).await,
            None => Ok(()),
        }
    }

    /// Adds a merchant with a credential, which opens its SFTP account too; one that exists keeps its
    /// settings and gets the password.
    /// `false` when the user name belongs to another merchant. The caller reloads the directory.
    pub(crate) async fn add_merchant(
        &self,
        merchant: Merchant,
        username: String,
        password: &Secret,
    ) -> Result<bool, StoreError> {
        let credential = Credential {
            username,
            merchant_id: merchant.merchant_id.to_string(),
            secret_hash: self.hash_secret(password.expose()),
        };
        let now_ms = self.0.clock.now_ms();
        let account = sftp::Account {
            username: credential.username.clone(),
            merchant_id: credential.merchant_id.clone(),
            secret_hash: credential.secret_hash,
            public_keys: Vec::new(),
            folders: vec![sftp::Folder {
                merchant_id: merchant.merchant_id.clone(),
                directory: String::new(),
                since_ms: now_ms,
            }],
        };
        self.0
            .db
            .write(move |tx| {
                merchants::insert(tx, &merchant, now_ms)?;
                Ok(merchants::put_credential(tx, &credential, now_ms)?
                    && sftp::put(tx, &account, now_ms)?)
            })
            .await
    }

    /// The hash of a password, as it is kept.
    pub(crate) fn hash_secret(&self, secret: &str) -> SecretHash {
        Directory::hash(self.0.salt.as_bytes(), secret)
    }

    /// Reads the merchants anew.
    pub(crate) async fn reload_directory(&self) -> Result<(), StoreError> {
        let salt = self.0.salt.as_bytes().to_vec();
        let (all, credentials) = self
            .0
            .db
            .read(|tx| -> Result<_, StoreError> {
                Ok((merchants::all(tx)?, merchants::credentials(tx)?))
            })
            .await?;
        let before = self.directory();
        self.0.directory.replace(Directory::new(salt, all, credentials, &before));
        Ok(())
    }

    /// The database.
    pub(crate) fn db(&self) -> &Database {
        &self.0.db
    }

    /// The playground's clock.
    pub(crate) fn clock(&self) -> &PlaygroundClock {
        &self.0.clock
    }

    /// The playground's clock, for whoever outlives a call.
    pub(crate) fn shared_clock(&self) -> Arc<PlaygroundClock> {
        Arc::clone(&self.0.clock)
    }

    /// The merchants as they are now.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.0.directory.get()
    }

    /// The log of calls.
    pub(crate) fn requests(&self) -> &RequestLog {
        &self.0.requests
    }

    /// The faults in force.
    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The keys that sign ID tokens.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Keeps how far the faults have come.
    pub(crate) async fn keep_fault_counts(&self) -> Result<(), StoreError> {
        let counts = self.0.faults.take_counts();
        if counts.is_empty() {
            return Ok(());
        }
        self.0.db.write(move |tx| Ok(faults::keep_counts(tx, &counts)?)).await
    }

    /// What calls merchants.
    pub(crate) fn sender(&self) -> &Sender {
        &self.0.sender
    }

    /// The key that signs client tokens.
    pub(crate) fn signing_key(&self) -> &Secret {
        &self.0.signing_key
    }

    /// Where browsers and merchants reach the playground.
    pub(crate) fn public_url(&self) -> &Url {
        &self.1.public_url
    }

    /// The same as text, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        &self.1.base_url
    }

    /// The same playground under another URL, on another address.
    pub(crate) fn under(&self, public_url: Url, listen: SocketAddr) -> Self {
        Self(Arc::clone(&self.0), Arc::new(Site::new(public_url, listen)))
    }

    /// Whether only this machine can reach it, as far as its configuration says.
    pub(crate) fn is_loopback(&self) -> bool {
        self.1.is_loopback()
    }

    /// The rate limits in force.
    pub(crate) fn rate_limits(&self) -> RateLimits {
        self.0.rate_limits
    }

    /// What wrong credentials are answered with.
    pub(crate) fn unauthorized(&self) -> UnauthorizedForm {
        self.0.unauthorized
    }

    /// Whether a control token is needed, and if so whether `sent` is it.
    pub(crate) fn control_token_fits(&self, sent: Option<&str>) -> ControlToken {
        match (&self.0.control_token, sent) {
            (None, _) => ControlToken::NotNeeded,
            (Some(expected), Some(sent))
                if bool::from(expected.expose().as_bytes().ct_eq(sent.as_bytes())) =>
            {
                ControlToken::Fits
            }
            (Some(_), _) => ControlToken::Wrong,
        }
    }

    /// Tells the worker that something may be due. Call it after a unit of work that enqueued a
    /// callback or placed an order is committed.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Returns when someone has called [`App::wake`] since the last time; many calls count as one.
    pub(crate) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Moves the clock forward and returns when everything due by then has happened. `None` when
    /// the playground is stopping.
    pub(crate) async fn advance_to(&self, to_ms: i64) -> Option<Result<(), StoreError>> {
        let (done, finished) = oneshot::channel();
        self.0.worker.send(Command::Advance { to_ms, done }).ok()?;
        finished.await.ok()
    }

    /// Forgets everything but the seeded merchants. `None` when the playground is stopping.
    pub(crate) async fn reset(&self) -> Option<Result<(), StoreError>> {
        let (done, finished) = oneshot::channel();
        self.0.worker.send(Command::Reset { done }).ok()?;
        finished.await.ok()
    }
}

/// How a sent control token compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlToken {
    /// None is configured.
    NotNeeded,
    /// It is the configured one.
    Fits,
    /// It is not, or none was sent.
    Wrong,
}
