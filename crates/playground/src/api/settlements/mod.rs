//! The Settlements API (`/settlements/v1`): payouts, their transactions, and reports of them.

mod payouts;
mod query;
mod reports;
mod transactions;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/settlements/v1/payouts", get(payouts::list))
        .route("/settlements/v1/payouts/summary", get(payouts::summary))
        .route("/settlements/v1/payouts/{payment_reference}", get(payouts::read))
        .route("/settlements/v1/transactions", get(transactions::list))
        .route("/settlements/v1/reports/payout", get(reports::payout_pdf))
        .route("/settlements/v1/reports/payout-with-transactions", get(reports::payout_csv))
        .route("/settlements/v1/reports/payouts-summary", get(reports::payouts_pdf))
        .route(
            "/settlements/v1/reports/payouts-summary-with-transactions",
            get(reports::payouts_csv),
        )
}

/// Whether these are parameters of some operation.
pub(crate) fn read_query(raw: &str) -> bool {
    query::Parameters::read(raw).are_readable()
}
