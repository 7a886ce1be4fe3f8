//! `GET /v1/checkouts/{id}`.

use axum::Json;
use axum::extract::{Path, State};

use super::super::extract::Caller;
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::engine::sessions;

/// Reads a checkout. One whose Klarna session is over, or nearly so, gets a fresh one on the way:
/// take `klarna.client_token` from this answer each time a shopper comes back.
#[utoipa::path(get, path = "/v1/checkouts/{id}", tag = "checkouts",
    params(("id" = String, Path)),
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CheckoutView>, Problem> {
    let mut checkout = super::find(&app, &caller.store_id, &id).await?;
    if checkout.needs_new_session(app.engine().now_ms()) {
        let checkout_id = checkout.id.clone();
        match sessions::renew(app.engine(), checkout.clone()).await {
            Ok(renewed) => checkout = renewed,
            // The checkout can be shown all the same; the next read tries again.
            Err(trouble) => {
                tracing::warn!(checkout.id = %checkout_id, ?trouble, "a session could not be renewed");
            }
        }
    }
    Ok(Json(CheckoutView::new(&checkout, &app)))
}
