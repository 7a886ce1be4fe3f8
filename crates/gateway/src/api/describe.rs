//! What every operation's description has in common, filled in where the handlers do not say it: a
//! name that is used once, the errors that any request can meet, what they look like, and examples.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Object, OpenApi as Document, Ref, RefOr, Required};

use super::openapi::{AT_ONCE, CHANGES};

/// How callers are known.
pub(super) struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let api_key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key of the store: `kassa_sk_…`."))
            .build();
        let stream_token = ApiKeyValue::with_description(
            "token",
            "A token for one stream: `kassa_st_…`, good for an hour.",
        );
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(api_key));
            let stream_token = SecurityScheme::ApiKey(ApiKey::Query(stream_token));
            components.add_security_scheme("stream_token", stream_token);
            let publishable = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A publishable key of the store: `kassa_pk_…`."))
                .build();
            components.add_security_scheme("publishable_key", SecurityScheme::Http(publishable));
        }
    }
}

/// What the groups of operations are about.
pub(super) struct Tags;

/// In the order in which they are shown.
const TAGS: [(&str, &str); 13] = [
    ("checkouts", "A cart on its way to be paid. Open one, show Klarna's widget, confirm."),
    (
        "sign-ins",
        "Shoppers who sign in with Klarna: who they are, checked, and signed in when they pay.",
    ),
    ("payments", "What became of a checkout: capture, refund, cancel, release."),
    (
        "operations",
        "What was asked of Klarna, and what a person can do where the gateway cannot tell.",
    ),
    (
        "customers",
        "Whom you know by a number of yours: the owners of customer tokens and subscriptions.",
    ),
    (
        "customer tokens",
        "The right to charge a shopper again, made by a checkout of the intent `tokenize` or \
         `buy_and_tokenize`: read it, charge it whenever you like, cancel it.",
    ),
    ("plans", "What is charged, how often, and what happens when a charge is refused."),
    (
        "subscriptions",
        "What is charged again and again by a customer token, or whenever you ask for it.",
    ),
    (
        "disputes",
        "What shoppers dispute, and until when to answer; read from Klarna every ten minutes.",
    ),
    ("payouts", "What Klarna has paid out, and what it is made of; read from Klarna every hour."),
    ("reports", "How a store is doing, by day and currency."),
    ("events", "What happened, as a list and as it happens."),
    (
        "webhooks",
        "Where your shop is told of events, by the scheme of Standard Webhooks: signed, in order for \
         each payment, and again for three days. Check `webhook-signature` with the endpoint's secret, \
         answer with 2xx within 15 seconds, and take the same `webhook-id` once.",
    ),
];

impl Modify for Tags {
    fn modify(&self, document: &mut Document) {
        let tags = TAGS
            .iter()
            .map(|(name, says)| TagBuilder::new().name(*name).description(Some(*says)).build());
        document.tags = Some(tags.collect());
    }
}

/// The operations that take an `Idempotency-Key` and have their outcome at once: by how their paths begin.
const KEYED: [&str; 2] = ["/v1/webhook_endpoints", "/v1/webhook_deliveries"];

/// The headers that changes take.
pub(super) struct Headers;

impl Modify for Headers {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            let Some(operation) = item.post.as_mut() else { continue };
            // Confirming is the same for the same token, whoever repeats it.
            let waits = CHANGES.contains(&path.as_str());
            let keyed = KEYED.iter().any(|start| path.starts_with(start));
            if keyed || (waits && !path.ends_with("/confirm")) {
                let mut key = Object::with_type(Type::String);
                key.min_length = Some(1);
                key.max_length = Some(255);
                key.pattern = Some("^[ -~]+$".to_owned());
                add(
                    operation,
                    "Idempotency-Key",
                    key,
                    "1 to 255 printable ASCII characters. The same request under the same key is \
                     carried out once; another request under it is refused with 422.",
                );
            }
            if waits && !AT_ONCE.contains(&path.as_str()) {
                add(
                    operation,
                    "Prefer",
                    Object::with_type(Type::String),
                    "`wait=SECONDS` (30 at most; 10 if nothing is said) or `respond-async`: how long \
                     to wait for Klarna's answer before 202 is answered.",
                );
            }
        }
    }
}

fn add(operation: &mut Operation, name: &str, schema: Object, says: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

/// No body at all is an empty object: where nothing has to be said, no body has to be sent.
pub(super) struct Bodies;

impl Modify for Bodies {
    fn modify(&self, document: &mut Document) {
        let schemas = document.components.as_ref().map(|components| &components.schemas);
        let nothing_needed = |reference: &Ref| {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            let schema = schemas.and_then(|schemas| schemas.get(name));
            matches!(schema, Some(RefOr::T(Schema::Object(object))) if object.required.is_empty())
        };
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                let Some(RefOr::T(body)) = operation.request_body.as_mut() else { continue };
                let may_be_left_out = body.content.get("application/json").is_some_and(|content| {
                    matches!(content, RefOr::T(content) if matches!(&content.schema,
                        Some(RefOr::Ref(found)) if nothing_needed(found)))
                });
                if may_be_left_out {
                    body.required = Some(Required::False);
                }
            }
        }
    }
}

/// What any request can meet, and how errors are written.
pub(super) struct Errors;

impl Modify for Errors {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                let has_id = path.contains('{');
                let has_input = operation.request_body.is_some() || operation.parameters.is_some();
                let known = operation.security.is_some();
                let responses = &mut operation.responses.responses;
                for (applies, status, says) in [
                    (
                        has_input,
                        "400",
                        "The request is not as it should be: `member` names what is wrong.",
                    ),
                    (known, "401", "The request carries no API key that this gateway knows."),
                    (has_id, "404", "There is nothing of that id in this store."),
                ] {
                    if applies && !responses.contains_key(status) {
                        responses.insert(status.to_owned(), RefOr::T(problem(says)));
                    }
                }
                for (status, response) in responses.iter_mut() {
                    if let RefOr::T(response) = response {
                        complete(status, response);
                    }
                }
            }
        }
    }
}

fn operations(item: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

fn problem(says: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(says).content("application/problem+json", content).build()
}

fn complete(status: &str, response: &mut Response) {
    if response.description.is_empty() {
        says(status).clone_into(&mut response.description);
    }
    // A problem is written as one, whatever the handler's attribute could say.
    let is_problem = response.content.get("application/json").is_some_and(|content| {
        matches!(content, RefOr::T(content) if matches!(&content.schema,
            Some(RefOr::Ref(found)) if found.ref_location.ends_with("/Problem")))
    });
    if is_problem && let Some(content) = response.content.shift_remove("application/json") {
        response.content.insert("application/problem+json".to_owned(), content);
    }
}

fn says(status: &str) -> &'static str {
    match status {
        "200" => "As it is now.",
        "201" => "Made.",
        "202" => "Accepted; what comes of it is not known yet.",
        "204" => "Done.",
        _ => "Not done: `code` is stable, `detail` says what is wrong, `remedy` what to do next.",
    }
}

/// Members of a query are in the query, whatever the handler's attribute could not say, and are left out
/// rather than null.
pub(super) struct Queries;

impl Modify for Queries {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                for parameter in operation.parameters.iter_mut().flatten() {
                    let RefOr::T(parameter) = parameter else { continue };
                    let in_path = path.contains(&format!("{{{}}}", parameter.name));
                    if in_path || parameter.parameter_in == ParameterIn::Header {
                        continue;
                    }
                    parameter.parameter_in = ParameterIn::Query;
                    if let Some(RefOr::T(schema)) = parameter.schema.take() {
                        let (schema, may_be_left_out) = without_null(schema);
                        if may_be_left_out {
                            parameter.required = Required::False;
                        }
                        parameter.schema = Some(RefOr::T(schema));
                    }
                }
            }
        }
    }
}

/// A schema that takes no null, and whether it did.
fn without_null(schema: Schema) -> (Schema, bool) {
    match schema {
        Schema::Object(mut object) => {
            let SchemaType::Array(kinds) = &mut object.schema_type else {
                return (Schema::Object(object), false);
            };
            let before = kinds.len();
            kinds.retain(|kind| *kind != Type::Null);
            let had_null = kinds.len() < before;
            if let [kind] = kinds.as_slice() {
                object.schema_type = SchemaType::Type(kind.clone());
            }
            (Schema::Object(object), had_null)
        }
        other => (other, false),
    }
}

/// Names that are used once: what the path is about, and the handler's own name.
pub(super) struct Names;

impl Modify for Names {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            let mut segments = path.trim_start_matches("/v1/").split('/');
            let about = segments.next().unwrap_or_default().replace(['-', '.'], "_");
            // What is about a part of it bears the part's name: `payments_capture_shipping_info`.
            let part = segments.nth(1).filter(|_| path.matches('{').count() > 1);
            let start = match part {
                Some(part) => format!("{about}_{}", part.trim_end_matches('s')),
                None => about.clone(),
            };
            for operation in operations(item) {
                if let Some(name) = &mut operation.operation_id
                    && !name.starts_with(&format!("{start}_"))
                {
                    *name = format!("{start}_{name}");
                }
                for parameter in operation.parameters.iter_mut().flatten() {
                    let RefOr::T(parameter) = parameter else { continue };
                    let one = match parameter.name.strip_suffix("id") {
                        Some("") => about.trim_end_matches('s').replace('_', " "),
                        Some(noun) => noun.trim_end_matches('_').replace('_', " "),
                        None => continue,
                    };
                    if parameter.description.is_none() {
                        parameter.description = Some(format!("The id of the {one}."));
                    }
                }
            }
        }
    }
}

/// Requests that can be sent as they stand, but for their ids.
pub(super) struct Examples;

fn examples() -> Vec<(&'static str, Value)> {
    vec![
        (
            "/v1/checkouts",
            json!({
                "merchant_reference": "WEB-1001", "country": "SE", "locale": "sv-SE",
                "prices": "including_tax",
                "lines": [
                    { "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 3,
                      "unit_price": 9900, "tax_rate": 2500 },
                    { "type": "shipping_fee", "name": "Frakt", "unit_price": 4900, "tax_rate": 2500 },
                ],
                "confirmation_url": "https://shop.example/thanks?checkout={checkout_id}",
            }),
        ),
        (
            "/v1/checkouts/{id}",
            json!({ "lines": [{ "type": "physical", "reference": "MUG", "name": "Mugg",
                "quantity": 2, "unit_price": 9900, "tax_rate": 2500 }] }),
        ),
        (
            "/v1/checkouts/{id}/confirm",
            json!({ "authorization_token": "b4bd3423-24e3-4d2a-ba38-3f7a1a2b3c4d" }),
        ),
        (
            "/v1/payments/{id}/captures",
            json!({ "lines": [{ "reference": "MUG", "quantity": 1 }], "description": "First parcel" }),
        ),
        ("/v1/payments/{id}/refunds", json!({ "amount": 5000, "description": "One came broken" })),
        ("/v1/customers", json!({ "reference": "K-1001" })),
        (
            "/v1/plans",
            json!({ "name": "Coffee", "currency": "SEK", "amount": 14900, "tax_rate": 1200,
                "interval": "month", "trial_days": 14 }),
        ),
        (
            "/v1/subscriptions",
            json!({ "plan_id": "plan_…", "customer_token_id": "ctk_…", "merchant_reference": "SUB-1001",
                "time_zone": "Europe/Stockholm" }),
        ),
        (
            "/v1/customer_tokens/{id}/charges",
            json!({ "merchant_reference": "WEB-1002", "prices": "including_tax",
                "lines": [{ "type": "digital", "name": "Coffee", "quantity": 1, "unit_price": 9900,
                    "tax_rate": 1200 }] }),
        ),
        ("/v1/operations/{id}/look", json!({ "note": "asked again" })),
        ("/v1/operations/{id}/resume", json!({ "note": "credentials are right now" })),
        (
            "/v1/operations/{id}/settle",
            json!({ "outcome": "refused", "note": "not in Klarna's merchant portal" }),
        ),
        (
            "/v1/webhook_endpoints",
            json!({ "url": "https://shop.example/webhooks",
                "events": ["payment.*", "checkout.completed"], "description": "The shop" }),
        ),
        ("/v1/webhook_endpoints/{id}", json!({ "events": ["payment.*"] })),
        ("/v1/webhook_endpoints/{id}/rotate", json!({ "overlap_hours": 24 })),
        ("/v1/webhook_endpoints/{id}/replay", json!({ "what": "dead" })),
    ]
}

impl Modify for Examples {
    fn modify(&self, document: &mut Document) {
        for (path, example) in examples() {
            let body = document
                .paths
                .paths
                .get_mut(path)
                .and_then(|item| item.post.as_mut())
                .and_then(|operation| operation.request_body.as_mut())
                .and_then(|body| match body {
                    RefOr::T(body) => body.content.get_mut("application/json"),
                    RefOr::Ref(_) => None,
                });
            if let Some(RefOr::T(content)) = body {
                content.example = Some(example);
            }
        }
    }
}
