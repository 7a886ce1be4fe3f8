//! `GET /v1/browser`: what a shop's pages need for Klarna's browser libraries where no checkout is open yet:
//! for messages about paying beside a price, for an express button, for signing in.
//!
//! Nothing of it is secret: it stands in the page of every shop that uses these libraries.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::extract::StoreCaller;
use super::problem::Problem;
use crate::app::{App, DEFAULT_STORE};

/// What pages begin Klarna's browser libraries with.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BrowserSettings {
    /// Klarna's client identifier, by which it knows the shop's pages; absent when the gateway was not told
    /// one, and there is nothing then that a page could begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `playground` or `production`.
    pub environment: &'static str,
    /// The Web SDK: placements and signing in.
    pub web_sdk_url: String,
    /// The library of payments, which the express button is part of.
    pub payments_sdk_url: String,
}

/// Reads what pages begin Klarna's browser libraries with.
#[utoipa::path(get, path = "/v1/browser", tag = "browsers",
    responses((status = 200, body = BrowserSettings), (status = "default", body = Problem)),
    security(("publishable_key" = []), ("api_key" = [])))]
pub async fn read(State(app): State<App>, caller: StoreCaller) -> Json<BrowserSettings> {
    let of_store = caller.store_id == DEFAULT_STORE;
    Json(BrowserSettings {
        // The configured one is of the configured account, which is the default store's.
        client_id: app.client_id().filter(|_| of_store).map(ToOwned::to_owned),
        environment: app.browser_environment(),
        web_sdk_url: app.web_sdk_url(),
        payments_sdk_url: app.script_url().to_owned(),
    })
}
