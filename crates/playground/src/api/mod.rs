//! The HTTP side: one module for each group of endpoints. They parse, call and answer; they hold
//! no rules about money or state.

pub(crate) mod auth;
pub(crate) mod control;
pub(crate) mod customer_token;
pub(crate) mod disputes;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod hosted_page;
pub(crate) mod identity;
pub(crate) mod in_store;
pub(crate) mod limits;
pub(crate) mod orders;
pub(crate) mod payment_requests;
pub(crate) mod payments;
pub(crate) mod replay;
pub(crate) mod respond;
pub(crate) mod settlements;

use axum::Router;
use axum::middleware;
use service::Readiness;

use crate::app::App;
use crate::{edge, faults, web};

/// Klarna's APIs. Each of their routes is one of [`crate::domain::fault`]'s operations.
fn klarna() -> Router<App> {
    Router::new()
        .merge(payments::router())
        .merge(payment_requests::router())
        .merge(orders::router())
        .merge(customer_token::router())
        .merge(in_store::router())
        .merge(disputes::router())
        .merge(hosted_page::router())
        .merge(settlements::router())
}

/// Everything the playground answers.
pub(crate) fn router(app: &App, readiness: &Readiness) -> Router {
    Router::new()
        .merge(klarna())
        .merge(control::router())
        .merge(identity::router())
        .merge(web::router())
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), faults::inject))
        .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
        .layer(middleware::from_fn(faults::enact))
        .merge(readiness.router())
        .with_state(app.clone())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::fault::OPERATIONS;

    /// The paths of a router, as its own description of itself has them: it has no other way to tell.
    pub(crate) fn paths_of(router: &Router<App>) -> BTreeSet<String> {
        let description = format!("{router:?}");
        let quoted = description.split('"').skip(1).step_by(2);
        // What has no route of its own has one of axum's.
        let is_route = |text: &&str| text.len() > 1 && text.starts_with('/') && !text.contains('*');
        let paths: BTreeSet<String> = quoted.filter(is_route).map(str::to_owned).collect();
        assert!(!paths.is_empty(), "{description}");
        paths
    }

    /// A path without the names of its parameters.
    fn shape(path: &str) -> String {
        let segments = path.split('/').map(|it| if it.starts_with('{') { "{}" } else { it });
        segments.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_route_of_klarnas_apis_is_an_operation_that_faults_can_name() {
        let mut routes: BTreeSet<String> = paths_of(&klarna()).iter().map(|it| shape(it)).collect();
        // A page for browsers.
        assert!(routes.remove("/redirect/{}"));
        let operations: BTreeSet<String> =
            OPERATIONS.iter().map(|operation| shape(operation.path)).collect();
        assert_eq!(routes, operations);
    }
}
