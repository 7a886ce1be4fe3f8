//! Terms, privacy, help, and the page that is not there.

use axum::response::Response;
use http::StatusCode;

use crate::pages;
use crate::visit::Visit;

/// `GET /terms`
pub(crate) async fn terms(visit: Visit) -> Response {
    let page = pages::info::terms(&visit);
    visit.page(StatusCode::OK, page)
}

/// `GET /privacy`
pub(crate) async fn privacy(visit: Visit) -> Response {
    let page = pages::info::privacy(&visit);
    visit.page(StatusCode::OK, page)
}

/// `GET /help`
pub(crate) async fn help(visit: Visit) -> Response {
    let page = pages::info::help(&visit);
    visit.page(StatusCode::OK, page)
}

/// Anything else.
pub(crate) async fn not_found(visit: Visit) -> Response {
    super::missing(visit)
}
