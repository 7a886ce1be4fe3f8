//! Whether this node lives, and whether it may get traffic.
//!
//! `GET /health/live` (and `/healthz`) answers 200 for as long as the process can answer at all: it must not depend on
//! anything else, or a database that is away would have every node killed. `GET /health/ready` (and `/readyz`) answers 200
//! while the node is not stopping, its database answers, and the tables have all that this program needs. That Klarna
//! does not answer is no reason to get no traffic: the journal takes what the shop wants, and other nodes would not be
//! better off.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use service::Readiness;
use storage::Database;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::fault::Fault;
use crate::store::migrations::MIGRATIONS;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long an answer is repeated: whoever asks often does not ask the database often.
const FRESH: Duration = Duration::from_millis(500);

/// Why a node takes no traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// It starts, or it stops.
    Stopping,
    /// Its database does not answer, or not in time.
    Database,
    /// The tables lack something: an older copy was put back under a running program.
    Tables,
}

impl NotReady {
    /// What is answered.
    fn words(self) -> &'static str {
        match self {
            Self::Stopping => "not ready: starting or stopping\n",
            Self::Database => "not ready: the database does not answer\n",
            Self::Tables => "not ready: the database lacks migrations\n",
        }
    }
}

/// Answers whether this node lives and is ready.
#[derive(Debug)]
pub struct Health {
    readiness: Readiness,
    database: Database,
    last: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

impl Health {
    /// Of a node with this database.
    pub fn new(readiness: Readiness, database: Database) -> Self {
        Self { readiness, database, last: Mutex::default() }
    }

    /// Whether the node takes traffic.
    pub async fn ready(&self) -> Result<(), NotReady> {
        if !self.readiness.is_ready() {
            return Err(NotReady::Stopping);
        }
        // Whoever comes meanwhile waits for the same look.
        let mut last = self.last.lock().await;
        if let Some((at, known)) = *last
            && at.elapsed() < FRESH
        {
            return known;
        }
        let found = self.look().await;
        *last = Some((Instant::now(), found));
        found
    }

    async fn look(&self) -> Result<(), NotReady> {
        let newest = self.database.read(|tx| {
            let row = tx.query_one("SELECT MAX(version) FROM schema_migrations", &[])?;
            Ok::<_, Fault>(row.get::<Option<i64>>(0)?)
        });
        match tokio::time::timeout(PATIENCE, newest).await {
            Ok(Ok(newest)) if newest >= MIGRATIONS.last().map(|newest| newest.version) => Ok(()),
            Ok(Ok(_)) => Err(NotReady::Tables),
            Ok(Err(_)) | Err(_) => Err(NotReady::Database),
        }
    }
}

/// The routes of both, under the names that people look for.
pub fn router<S: Clone + Send + Sync + 'static>(health: &std::sync::Arc<Health>) -> Router<S> {
    let health = std::sync::Arc::clone(health);
    let live = get(|| async { "alive\n" });
    let ready = get(move || {
        let health = std::sync::Arc::clone(&health);
        async move {
            match health.ready().await {
                Ok(()) => (StatusCode::OK, "ready\n"),
                Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why.words()),
            }
        }
    });
    Router::new()
        .route("/healthz", live.clone())
        .route("/health/live", live)
        .route("/readyz", ready.clone())
        .route("/health/ready", ready)
}
