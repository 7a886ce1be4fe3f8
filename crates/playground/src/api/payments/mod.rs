//! The Payments API (`/payments/v1`): sessions, authorizations, and orders made from them.

mod authorizations;
mod place;
mod redirect;
mod refusals;
mod sessions;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/payments/v1/sessions", post(sessions::create))
        .route("/payments/v1/sessions/{session_id}", get(sessions::read).post(sessions::update))
        .route("/payments/v1/authorizations/{authorization_token}", delete(authorizations::cancel))
        .route("/payments/v1/authorizations/{authorization_token}/order", post(place::place))
        .route("/redirect/{session_id}", get(redirect::redirect))
}
