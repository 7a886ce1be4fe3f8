//! Calls that come through a proxy: by whom, and whether they came over TLS. Believed only from the networks
//! that the configuration names; see [`crate::domain::forwarded`].

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::api::problem::Problem;
use crate::app::App;

/// Puts the caller's address where the proxy's was, and refuses what came without TLS where everything
/// should: a key or a password that travelled like that is known to others. Pages are called again over
/// TLS.
pub(crate) async fn look_behind(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(at)| *at);
    let Some(peer) = peer.filter(|peer| app.trusted_proxies().trust(peer.ip())) else {
        return next.run(request).await;
    };
    if app.secure_cookies() && came_in_the_clear(request.headers()) {
        return refused(&app, &request);
    }
    let values = request.headers().get_all("x-forwarded-for");
    let values: Vec<&str> = values.iter().map(|value| value.to_str().unwrap_or("")).collect();
    let caller = app.trusted_proxies().caller(peer.ip(), values.into_iter());
    // Another port would be made up.
    let port = if caller == peer.ip().to_canonical() { peer.port() } else { 0 };
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(caller, port)));
    next.run(request).await
}

/// Whether the nearest proxy says that it was called without TLS.
fn came_in_the_clear(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    let last = last.and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit(',').next());
    last.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("http"))
}

fn refused(app: &App, request: &Request) -> Response {
    let path = request.uri().path();
    let is_page = path.starts_with("/dashboard") || path == "/";
    if is_page && matches!(*request.method(), Method::GET | Method::HEAD) {
        let url = format!("{}{path}", app.engine().public_url());
        return Redirect::permanent(&url).into_response();
    }
    let mut response = Problem::new(
        StatusCode::FORBIDDEN,
        "tls_required",
        "The request came without TLS, and whatever key it carried can have been read on the way.",
        "Call the https URL, and replace the key.",
    )
    .into_response();
    response.headers_mut().remove(header::SET_COOKIE);
    response
}
