//! The Customer Token API (`/customer-token/v1`): read a token, charge it, cancel it. Tokens are made by the
//! Payments API.

mod cancel;
mod charge;
mod read;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/customer-token/v1/tokens/{token_id}", get(read::read))
        .route("/customer-token/v1/tokens/{token_id}/order", post(charge::charge))
        .route("/customer-token/v1/tokens/{token_id}/status", patch(cancel::cancel))
}
