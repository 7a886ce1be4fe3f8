//! The Hosted Payment Page API (`/hpp/v1`): pages of Klarna's own on which a payment session is paid.
//!
//! The shopper's side of them is `web::hosted`'s.

mod create;
mod distribute;
mod refusals;
mod sessions;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/hpp/v1/sessions", post(create::create))
        .route("/hpp/v1/sessions/{session_id}", get(sessions::read).delete(sessions::disable))
        .route("/hpp/v1/sessions/{session_id}/distribution", post(distribute::distribute))
}
