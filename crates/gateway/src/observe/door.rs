//! Where the metrics are asked for: a listener of its own, so that what is told to those who watch the gateway is never
//! told to those who pay through it.
//!
//! On loopback anybody on the machine may ask. Beyond it, whoever asks shows a token, and without one the gateway does
//! not start. The same listener answers about health, for those who keep the public one behind a proxy.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use klarna_types::Secret;
use service::{Listener, Server, Shutdown};
use subtle::ConstantTimeEq as _;

use super::Settings;
use super::health::{self, Health};
use crate::StartError;
use crate::app::App;

/// What OpenMetrics is called; Prometheus reads it since version 2.5.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Door {
    app: App,
    health: Arc<Health>,
}

/// Binds the listener, if there is to be one.
pub(crate) async fn bind(settings: &Settings) -> Result<Option<Listener>, StartError> {
    let Some(address) = settings.metrics_listen else { return Ok(None) };
    if !address.ip().is_loopback() && settings.metrics_token.is_none() {
        return Err(StartError::OpenMetrics { address });
    }
    Ok(Some(Listener::bind(address).await?))
}

/// Serves it.
pub(crate) fn serve(
    listener: Listener,
    app: App,
    health: &Arc<Health>,
    token: Option<Secret>,
    shutdown: Shutdown,
) -> (SocketAddr, Server) {
    let address = listener.address();
    let door = Door { app, health: Arc::clone(health) };
    let metrics = Router::new()
        .route("/metrics", get(metrics))
        .route_layer(from_fn_with_state(token.map(Arc::new), guard))
        .with_state(door);
    (address, listener.serve(metrics.merge(health::router(health)), shutdown))
}

/// Lets in who shows the token, where there is one.
async fn guard(State(token): State<Option<Arc<Secret>>>, request: Request, next: Next) -> Response {
    let Some(token) = token else { return next.run(request).await };
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, shown)| shown.trim());
    let right =
        shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.expose().as_bytes())));
    if right {
        return next.run(request).await;
    }
    let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    (StatusCode::UNAUTHORIZED, [challenge], "show the token of --metrics-token\n").into_response()
}

async fn metrics(State(door): State<Door>) -> Response {
    let metrics = door.app.engine().metrics();
    let ready = door.health.ready().await.is_ok();
    metrics.gauges().look(&door.app, ready).await;
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, metrics.registry()) {
        Ok(()) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS))], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
