//! The Payments API (`/payments/v1`): sessions, authorizations, and the
//! orders and customer tokens made from them.

mod authorizations;
mod customer_token;
mod place;
mod redirect;
pub(in crate::api) mod refusals;
mod sessions;

pub(crate) use sessions::{session_problems, with_badge};

use axum::Router;
use axum::routing::{delete, get, post};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/payments/v1/sessions", post(sessions::create))
        .route(
            "/payments/v1/sessions/{session_id}",
            get(sessions::read).post(sessions::update).delete(sessions::cancel),
        )
        .route("/payments/v1/authorizations/{authorization_token}", delete(authorizations::cancel))
        .route("/payments/v1/authorizations/{authorization_token}/order", post(place::place))
        .route(
            "/payments/v1/authorizations/{authorization_token}/customer-token",
            post(customer_token::create),
        )
        .route("/redirect/{session_id}", get(redirect::redirect))
}
