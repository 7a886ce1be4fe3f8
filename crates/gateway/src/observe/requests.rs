//! What each request leaves behind: a span that its log lines and its trace belong to, a count, a duration, and an id in
//! the answer (`X-Request-Id`) under which its log lines are found.
//!
//! The address that was asked is told by its route's template alone: what stands in its place may be a secret.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::trace;
use crate::app::App;

/// The header of the answer that names the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Methods by names that are few.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// One more request is under way, for as long as this lives: also where its caller went away.
struct UnderWay<'a>(&'a App);

impl<'a> UnderWay<'a> {
    fn begin(app: &'a App) -> Self {
        app.engine().metrics().in_flight().inc();
        Self(app)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.engine().metrics().in_flight().dec();
    }
}

/// The middleware around every route.
pub async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let id = service::random::uuid().simple().to_string();
    // Of the highest level, so that each line says which request it belongs to, whatever is logged.
    let span = tracing::error_span!(
        "request",
        request.id = %id,
        trace.id = tracing::field::Empty,
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    trace::follow(
        &span,
        request.headers().get("traceparent").and_then(|value| value.to_str().ok()),
    );
    let under_way = UnderWay::begin(&app);
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(under_way);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    app.engine().metrics().request(method, route, status.as_u16(), began.elapsed());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
