//! `GET /healthz` (alive) and `GET /readyz` (ready for traffic), the same in each part.
//!
//! Open to anyone: the answers say nothing but yes or no.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

/// Whether a part takes traffic. Starts as not ready; turns not ready again while it stops.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Not ready yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `/readyz` answers 200.
    pub fn ready(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// From now on `/readyz` answers 503, so that a load balancer sends traffic elsewhere.
    pub fn not_ready(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether traffic is welcome.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The two routes, to be merged into a part's router.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let readiness = self.clone();
        Router::new().route("/healthz", get(|| async { "alive\n" })).route(
            "/readyz",
            get(move || async move {
                if readiness.is_ready() {
                    (StatusCode::OK, "ready\n")
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
                }
            }),
        )
    }
}
