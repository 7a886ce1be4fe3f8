//! The browser side: the library, the widget and the purchase flow (`/kp`), and the pages that Klarna hosts.
//!
//! The library runs in the merchant's page and knows this origin from the client token. The widget
//! and the flow are pages of this origin; they talk to the library by messages and to the server by
//! `/kp/v1`, with the client token as a bearer token. The token is never part of a URL, and no page
//! decides anything: it shows the step that the server says.

mod assets;
mod caller;
mod express;
mod express_button;
mod flow;
mod hosted;
mod identity;
pub(crate) mod in_store;
mod load;
mod messaging;
mod payment_requests;
pub(crate) mod qr;
mod view;
pub(crate) mod web_sdk;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/kp/lib/v1/api.js", get(assets::library))
        // Where shops that name the badge themselves expect it, on Klarna's file host.
        .route("/payment-method/assets/badges/generic/klarna.svg", get(assets::badge))
        .route("/express-button/v1/lib.js", get(assets::express_button))
        .route("/kp/express-button", get(assets::express_button_page))
        .route("/kp/v1/express-button/{action}", post(express_button::act))
        .route("/kp/widget", get(assets::widget))
        .route("/kp/flow", get(assets::flow))
        .route("/kp/assets/{name}", get(assets::asset))
        .route("/mobile/view", get(assets::mobile))
        .route("/kp/v1/load", post(load::load))
        .route("/kp/v1/express", post(express::open))
        .route("/kp/v1/express/check", post(express::check))
        .route("/kp/v1/flow", post(flow::begin))
        .route("/kp/v1/flow/{flow_id}/{action}", post(flow::act))
        .merge(hosted::router())
        // The form that such addresses have at Klarna.
        .route("/eu/requests/{key}/start", get(assets::payment_request))
        .route("/kp/v1/requests/{key}", post(payment_requests::stand))
        .merge(web_sdk::router())
        .route("/messaging/v3", get(messaging::message))
        .route("/messaging/v3/impressions/{token}", get(messaging::impression))
        .route("/osm/learn-more", get(assets::learn_more))
        .route("/osm/v1/learn-more", post(messaging::explain))
        .merge(identity::router())
        .route("/in-store/{short_id}", get(assets::in_store))
        .route("/in-store/{short_id}/qr", get(in_store::image))
        .route("/kp/v1/in-store/{short_id}/{action}", post(in_store::act))
        .route("/counter/{merchant_id}", get(assets::counter))
        .route("/counter/{merchant_id}/qr", get(in_store::counter_image))
        .route("/kp/v1/counter/{merchant_id}", post(in_store::scan))
        .route("/kp/v1/scans/{scan_id}", post(in_store::poll))
}
