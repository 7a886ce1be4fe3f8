//! Seeing the gateway run: what it counts and measures, whether it may get traffic, and the trace that follows a payment
//! from the shop's request through the journal to Klarna and back to the shop.
//!
//! Nothing here decides anything, and nothing personal, secret or unbounded becomes a label or an attribute: labels are
//! route templates, kinds, outcomes and the names of Klarna accounts. The names of the metrics are documented in
//! `docs/running.md`.

pub mod door;
mod gauges;
pub mod health;
pub mod metrics;
mod process;
pub mod requests;
pub mod trace;

use std::net::SocketAddr;
use std::time::Duration;

use klarna_types::Secret;

pub use metrics::Metrics;

/// How a gateway is watched and how it stops.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where `GET /metrics` is answered; nowhere if this is left out.
    pub metrics_listen: Option<SocketAddr>,
    /// The token that whoever asks for metrics has to show. Beyond this machine there has to be one.
    pub metrics_token: Option<Secret>,
    /// For how long requests are still taken after a stop was asked for, while `/health/ready` says no: time for whoever
    /// sends traffic to notice.
    pub drain: Duration,
    /// When a stop is over, whatever is still under way. What is cut off then is taken up from the journal.
    pub stop_within: Duration,
}

impl Default for Settings {
    /// No metrics, no wait, and thirty seconds to stop.
    fn default() -> Self {
        Self {
            metrics_listen: None,
            metrics_token: None,
            drain: Duration::ZERO,
            stop_within: Duration::from_secs(30),
        }
    }
}
