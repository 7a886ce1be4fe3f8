//! `GET /v1/checkouts/{id}`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

use super::super::extract::{Caller, Patience};
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::{Checkout, Status};
use crate::domain::pacing::Priority;
use crate::engine::{pages, sessions};
use crate::fault::Fault;

/// Reads a checkout. One whose Klarna session or page is over, or nearly so, gets a fresh one on the
/// way: take `klarna.client_token` or `redirect_url` from this answer each time a shopper comes back.
///
/// With `Prefer: wait=SECONDS`, when the shopper comes back from a page of Klarna's: Klarna is asked
/// where they stand, and an order that is being placed is waited for.
#[utoipa::path(get, path = "/v1/checkouts/{id}", tag = "checkouts",
    params(("id" = String, Path)),
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CheckoutView>, Problem> {
    let mut checkout = super::find(&app, &caller.store_id, &id).await?;
    if let Some(patience) = Patience::asked(&headers) {
        checkout = follow(&app, checkout, patience.0).await?;
    }
    let now_ms = app.engine().now_ms();
    if checkout.needs_new_session(now_ms) || checkout.needs_new_page(now_ms) {
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

/// Asks Klarna where the shopper of a page stands, and waits for the order that is being placed.
async fn follow(app: &App, checkout: Checkout, patience: Duration) -> Result<Checkout, Fault> {
    let deadline = tokio::time::Instant::now() + patience;
    let id = checkout.id.clone();
    let known = checkout.clone();
    let checkout = match pages::look(app.engine(), checkout, Priority::Interactive).await {
        Ok(checkout) => checkout,
        // What is known can be shown all the same; the clock asks again.
        Err(trouble) => {
            tracing::warn!(checkout.id = %id, ?trouble, "a page could not be read");
            known
        }
    };
    if checkout.status != Status::Confirming {
        return Ok(checkout);
    }
    if let Some(operation) = super::confirm::newest(app, &id).await? {
        let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
        app.engine().outcome(&operation.id, patience).await?;
    }
    Ok(sessions::load(app.engine(), &id).await?.unwrap_or(checkout))
}
