//! The description of the control API.

use axum::extract::State;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use super::sftp;
use super::{
    callbacks, client_ids, clock, customer_tokens, disputes, faults, hosted, identity, merchants,
    outbox, requests, reset, scan, settlements, shopper,
};
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kassa playground: control API",
        description = "What Klarna does not have: be the shopper, move the clock, read the request \
                       log, add merchants, start afresh. It answers on loopback only, or to whoever \
                       sends the control token.",
        version = "1",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(Refusal)),
    modifiers(&Refusals),
    paths(
        shopper::authorize,
        shopper::finalize,
        hosted::act,
        scan::scan,
        outbox::list,
        clock::read,
        clock::change,
        customer_tokens::read,
        customer_tokens::change,
        requests::list,
        callbacks::list,
        callbacks::read,
        callbacks::redeliver,
        faults::list,
        faults::create,
        faults::clear,
        faults::read,
        faults::remove,
        merchants::list,
        merchants::create,
        client_ids::list,
        client_ids::create,
        client_ids::change,
        identity::rotate,
        identity::withdraw,
        disputes::raise,
        disputes::decide,
        disputes::settings,
        disputes::agree,
        settlements::read,
        settlements::change,
        settlements::close,
        settlements::adjust,
        sftp::list,
        sftp::create,
        sftp::remove,
        sftp::send,
        reset::reset
    )
)]
struct Description;

/// What is not possible, told as Klarna's APIs tell it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described; `klarna_types::ErrorBody` is written")]
struct Refusal {
    /// What happened, for machines.
    error_code: String,
    /// What happened, for people: what is wrong, and where.
    error_messages: Vec<String>,
    /// Names the call in the request log.
    correlation_id: String,
}

/// Every operation can refuse: a body or a parameter that cannot be read, or a caller who may not ask.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            let operations =
                [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch];
            for operation in operations.into_iter().flatten() {
                describe_refusal(operation);
            }
        }
    }
}

fn describe_refusal(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Refusal"))).build();
    let response = ResponseBuilder::new()
        .description("Not possible; the messages say where and why")
        .content("application/json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), response.into());
}

/// `GET /playground/v1/openapi.json`; open to anyone, it says nothing of this installation.
pub(super) async fn document(State(_): State<App>) -> Result<Answer, ApiError> {
    Answer::ok(&Description::openapi())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::control::router;
    use crate::api::tests::paths_of;

    #[test]
    fn every_route_is_described() {
        let described: BTreeSet<String> = Description::openapi().paths.paths.into_keys().collect();
        let mut routes = paths_of(&router());
        routes.retain(|path| path.starts_with("/playground/v1/"));
        // Which describes the others.
        assert!(routes.remove("/playground/v1/openapi.json"));
        assert_eq!(routes, described);
    }

    #[test]
    fn the_description_is_a_golden_file() {
        let document = Description::openapi().to_pretty_json().unwrap();
        insta::assert_snapshot!("control_openapi", document);
    }
}
