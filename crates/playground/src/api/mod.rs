//! The HTTP side: one module for each group of endpoints. They parse, call and answer; they hold
//! no rules about money or state.

pub(crate) mod auth;
pub(crate) mod control;
pub(crate) mod customer_token;
pub(crate) mod disputes;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod hosted_page;
pub(crate) mod in_store;
pub(crate) mod limits;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod replay;
pub(crate) mod respond;
pub(crate) mod settlements;

use axum::Router;
use axum::middleware;
use service::Readiness;

use crate::app::App;
use crate::{edge, faults, web};

/// Everything the playground answers.
pub(crate) fn router(app: &App, readiness: &Readiness) -> Router {
    Router::new()
        .merge(payments::router())
        .merge(orders::router())
        .merge(customer_token::router())
        .merge(in_store::router())
        .merge(disputes::router())
        .merge(hosted_page::router())
        .merge(settlements::router())
        .merge(control::router())
        .merge(web::router())
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), faults::inject))
        .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
        .layer(middleware::from_fn(faults::enact))
        .merge(readiness.router())
        .with_state(app.clone())
}
