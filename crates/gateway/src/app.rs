//! What the handlers share: the engine, the database behind it, and a few settings.

use std::sync::Arc;

use klarna_types::Secret;
use service::Shutdown;
use storage::Database;

use crate::access::Doors;
use crate::domain::account::CONFIGURED;
use crate::domain::forwarded::TrustedProxies;
use crate::engine::Engine;
use crate::engine::feed::Feed;
use crate::engine::identity::Provider;
use crate::engine::webhooks::{Courier, Targets};

/// The store of a gateway that was not told of any.
pub const DEFAULT_STORE: &str = "default";

/// The state of the gateway's handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    script_url: String,
    client_id: Option<String>,
    dashboard_password: Secret,
    doors: Doors,
    secure_cookies: bool,
    courier: Courier,
    feed: Feed,
    trusted_proxies: TrustedProxies,
    identity: Provider,
}

impl App {
    /// The state over an engine.
    pub fn new(
        engine: Engine,
        script_url: String,
        dashboard_password: Secret,
        secure_cookies: bool,
    ) -> Self {
        let courier = Courier::new(engine.clone(), Targets::default());
        Self(Arc::new(Inner {
            courier,
            feed: Feed::new(Shutdown::new()),
            engine,
            script_url,
            client_id: None,
            dashboard_password,
            doors: Doors::default(),
            secure_cookies,
            trusted_proxies: TrustedProxies::default(),
            identity: Provider::new("", "", None),
        }))
    }

    /// The same with webhooks that may lead elsewhere. For the start, before the state is shared.
    pub fn with_courier(mut self, courier: Courier) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.courier = courier;
        }
        self
    }

    /// The same with watchers that are sent away when the server stops. For the start as well.
    pub fn with_feed(mut self, feed: Feed) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.feed = feed;
        }
        self
    }

    /// The same behind proxies. For the start as well.
    pub fn with_trusted_proxies(mut self, trusted: TrustedProxies) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.trusted_proxies = trusted;
        }
        self
    }

    /// The same with the client identifier of the configured account. For the start as well.
    pub fn with_client_id(mut self, client_id: Option<String>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.client_id = client_id;
        }
        self
    }

    /// The same with an identity provider. For the start as well.
    pub fn with_identity(mut self, identity: Provider) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.identity = identity;
        }
        self
    }

    /// The client identifier of the configured account, by which Klarna knows the shop's pages.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Where pages load Klarna's Web SDK from.
    pub fn web_sdk_url(&self) -> String {
        crate::web_sdk_of(&self.0.script_url)
    }

    /// Which of Klarna's environments pages talk to, as its libraries name it.
    pub fn browser_environment(&self) -> &'static str {
        let base_url = self.0.engine.accounts().base_url(CONFIGURED);
        if base_url.is_some_and(|base_url| crate::is_live(&base_url)) {
            "production"
        } else {
            "playground"
        }
    }

    /// Klarna's identity provider, with which shoppers sign in.
    pub fn identity(&self) -> &Provider {
        &self.0.identity
    }

    /// Whose word about where a call comes from is believed.
    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.0.trusted_proxies
    }

    /// Who watches what happens.
    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// What carries events to the shop.
    pub fn courier(&self) -> &Courier {
        &self.0.courier
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The database.
    pub fn database(&self) -> &Database {
        self.0.engine.database()
    }

    /// Where shops load Klarna's browser library from.
    pub fn script_url(&self) -> &str {
        &self.0.script_url
    }

    /// Where the browser library for a checkout's session is loaded from.
    pub fn script_url_of(&self, account_id: Option<&str>) -> String {
        account_id
            .filter(|id| *id != CONFIGURED)
            .and_then(|id| self.0.engine.accounts().base_url(id))
            .map_or_else(|| self.0.script_url.clone(), |base_url| crate::script_of(&base_url))
    }

    /// The password of the dashboard.
    pub fn dashboard_password(&self) -> &Secret {
        &self.0.dashboard_password
    }

    /// What guards the doors.
    pub(crate) fn doors(&self) -> &Doors {
        &self.0.doors
    }

    /// Whether cookies may travel over TLS only.
    pub fn secure_cookies(&self) -> bool {
        self.0.secure_cookies
    }
}
