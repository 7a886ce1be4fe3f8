//! What Klarna does not have: the control API (`/playground/v1`), with which a test or a person is the
//! shopper, moves the clock, reads the request log, adds merchants and starts afresh.
//!
//! Open to this machine only, or to whoever has the control token; see [`operator::Operator`].

mod callbacks;
mod client_ids;
mod clock;
mod customer_tokens;
mod disputes;
mod faults;
mod hosted;
mod identity;
mod in_store;
mod merchants;
mod openapi;
mod operator;
mod outbox;
mod page;
mod query;
mod requests;
mod reset;
mod scan;
mod settlements;
mod sftp;
mod shopper;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(page::index))
        .route("/playground/v1/openapi.json", get(openapi::document))
        .route("/playground/v1/shopper/authorize", post(shopper::authorize))
        .route("/playground/v1/shopper/finalize", post(shopper::finalize))
        .route("/playground/v1/shopper/scan", post(scan::scan))
        .route("/playground/v1/outbox", get(outbox::list))
        .route("/playground/outbox", get(outbox::page))
        .route("/playground/v1/shopper/hosted", post(hosted::act))
        .route("/playground/v1/clock", get(clock::read).post(clock::change))
        .route("/playground/v1/requests", get(requests::list))
        .route("/playground/v1/callbacks", get(callbacks::list))
        .route("/playground/v1/callbacks/{callback_id}", get(callbacks::read))
        .route("/playground/v1/callbacks/{callback_id}/redeliver", post(callbacks::redeliver))
        .route(
            "/playground/v1/faults",
            get(faults::list).post(faults::create).delete(faults::clear),
        )
        .route("/playground/v1/faults/{fault_id}", get(faults::read).delete(faults::remove))
        .route("/playground/v1/merchants", get(merchants::list).post(merchants::create))
        .route(
            "/playground/v1/merchants/{merchant_id}/client-identifiers",
            get(client_ids::list).post(client_ids::create),
        )
        .route(
            "/playground/v1/merchants/{merchant_id}/client-identifiers/{client_id}",
            put(client_ids::change),
        )
        .route(
            "/playground/v1/customer-tokens/{token_id}",
            get(customer_tokens::read).post(customer_tokens::change),
        )
        .route("/playground/v1/identity/keys/rotate", post(identity::rotate))
        .route("/playground/v1/identity/withdraw", post(identity::withdraw))
        .route("/playground/v1/disputes", post(disputes::raise))
        .route("/playground/v1/disputes/{id}/decide", post(disputes::decide))
        .route(
            "/playground/v1/merchants/{merchant_id}/disputes",
            get(disputes::settings).post(disputes::agree),
        )
        .route("/playground/v1/settlements", get(settlements::read).post(settlements::change))
        .route("/playground/v1/settlements/close", post(settlements::close))
        .route("/playground/v1/settlements/adjustments", post(settlements::adjust))
        .route("/playground/v1/sftp/accounts", get(sftp::list).post(sftp::create))
        .route("/playground/v1/sftp/accounts/{username}", delete(sftp::remove))
        .route("/playground/v1/sftp/deliveries", post(sftp::send))
        .route("/playground/v1/reset", post(reset::reset))
}

/// Where a request to move the clock leads.
pub(crate) fn clock_target(body: &[u8], now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    clock::read_target(body, now)
}
