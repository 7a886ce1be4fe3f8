//! The server side of the Web SDK: the scripts, and `/web-sdk/internal`, which they call from merchants'
//! pages.
//!
//! Whoever calls names a client identifier, and the browser names the page's origin; a page that the
//! identifier does not allow hears so and nothing else. No cookie has a part in it, so answers may be read
//! by any page that may ask.

mod assets;
pub(crate) mod caller;
mod placement;
mod session;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::web::payment_requests;

/// Headers that a page may send.
const ALLOW_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, kassa-client-id");
/// For how many seconds a browser remembers that it may ask.
const ALLOWED_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// Its routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/web-sdk/v1/klarna.js", get(assets::classic_v1))
        .route("/web-sdk/v2/klarna.js", get(assets::classic_v2))
        .route("/web-sdk/v1/klarna.mjs", get(assets::module_v1))
        .route("/web-sdk/v2/klarna.mjs", get(assets::module_v2))
        .route("/lib.js", get(assets::old_messaging))
        .merge(internal())
}

/// What the scripts call. Every route here answers pages of other origins; whether the page may have
/// anything is for its handler to ask, by [`caller::SdkCaller`].
fn internal() -> Router<App> {
    Router::new()
        .route("/web-sdk/internal/session", post(session::open).options(preflight))
        .route("/web-sdk/internal/placement", post(placement::show).options(preflight))
        .route("/web-sdk/internal/shopping-session", post(session::submit).options(preflight))
        .route(
            "/web-sdk/internal/payment-requests",
            post(payment_requests::create).options(preflight),
        )
        .route(
            "/web-sdk/internal/payment-requests/fetch",
            post(payment_requests::fetch).options(preflight),
        )
        .route(
            "/web-sdk/internal/payment-requests/cancel",
            post(payment_requests::cancel).options(preflight),
        )
        .route(
            "/web-sdk/internal/presentation",
            post(payment_requests::presentation).options(preflight),
        )
        .layer(middleware::from_fn(cross_origin))
}

/// What a browser asks before it sends a call of another origin; [`cross_origin`] answers it.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Lets the calling page read the answer, errors too.
async fn cross_origin(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let Some(origin) = origin else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, ALLOWED_SECONDS);
    }
    response
}

/// JSON for the SDK.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Response, caller::SdkError> {
    let body = serde_json::to_vec(value).map_err(caller::SdkError::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, body).into_response())
}
