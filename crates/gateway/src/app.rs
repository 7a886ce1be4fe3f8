//! What the handlers share: the engine, the database behind it, and a few settings.

use std::sync::Arc;

use klarna_types::Secret;
use storage::Database;

use crate::access::Doors;
use crate::engine::Engine;

/// The store of a gateway that was not told of any.
pub const DEFAULT_STORE: &str = "default";

/// The state of the gateway's handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    script_url: String,
    dashboard_password: Secret,
    doors: Doors,
    secure_cookies: bool,
}

impl App {
    /// The state over an engine.
    pub fn new(
        engine: Engine,
        script_url: String,
        dashboard_password: Secret,
        secure_cookies: bool,
    ) -> Self {
        Self(Arc::new(Inner {
            engine,
            script_url,
            dashboard_password,
            doors: Doors::default(),
            secure_cookies,
        }))
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
