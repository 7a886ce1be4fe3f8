//! dash
pub mod sign_in;
use crate::app::App;
use axum::Router;
/// routes
pub fn router() -> Router<App> {
    Router::new()
}
