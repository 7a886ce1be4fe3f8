//! `GET /docs`: the API's description as a page for people. Made from the same document as
//! `/v1/openapi.json`, once; works without script, on paper and on a phone.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value, json};

use super::openapi;
use crate::app::App;

const STYLE: &str = include_str!("assets/reference.css");

/// How deep an example goes.
const DEPTH: usize = 6;

/// The routes of the page.
pub(super) fn router() -> Router<App> {
    Router::new().route("/docs", get(page)).route("/docs/style.css", get(style))
}

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let described = serde_json::to_value(openapi::description()).unwrap_or_default();
    render(&described).into_string()
});

async fn page() -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    (headers, PAGE.as_str()).into_response()
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// One operation, with where it stands.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    value: &'a Value,
}

impl Operation<'_> {
    fn text(&self, name: &str) -> &str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn tag(&self) -> &str {
        self.value.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default()
    }
}

fn operations(described: &Value) -> Vec<Operation<'_>> {
    let paths = described.get("paths").and_then(Value::as_object);
    paths
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, value)| Operation {
                method,
                path,
                value,
            })
        })
        .collect()
}

/// The whole page.
fn render(described: &Value) -> Markup {
    let all = operations(described);
    let text =
        |pointer: &str| described.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let tags: Vec<(&str, &str)> = described
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tag| (member(tag, "name"), member(tag, "description")))
        .collect();
    // A group that nobody has described is shown all the same.
    let mut names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
    for operation in &all {
        if !names.contains(&operation.tag()) {
            names.push(operation.tag());
        }
    }
    let schemas = described.pointer("/components/schemas").and_then(Value::as_object);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text("/info/title")) " · API reference" }
                link rel="stylesheet" href="/docs/style.css";
                link rel="icon" href="data:,";
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header {
                    p.brand { span.mark aria-hidden="true" { "K" } "Kassa" }
                    h1 { "API reference" }
                    p { (prose(text("/info/description"))) }
                    p.small { "Version " (text("/info/version")) " · " a href="/v1/openapi.json" { "OpenAPI 3.1 document" } }
                }
                div.columns {
                    nav aria-label="Operations" {
                        @for name in &names {
                            h2 { a href={ "#" (name) } { (title(name)) } }
                            ul {
                                @for operation in all.iter().filter(|operation| operation.tag() == *name) {
                                    li { a href={ "#" (operation.text("operationId")) } {
                                        span class={ "verb " (operation.method) } { (operation.method) } " "
                                        (short(operation.path))
                                    } }
                                }
                            }
                        }
                        h2 { a href="#schemas" { "Schemas" } }
                    }
                    main #main {
                        (authentication(described))
                        @for name in &names {
                            section id=(name) {
                                h2 { (title(name)) }
                                @if let Some((_, says)) = tags.iter().find(|(tag, _)| tag == name) { p { (prose(says)) } }
                                @for operation in all.iter().filter(|operation| operation.tag() == *name) {
                                    (shown(operation, described))
                                }
                            }
                        }
                        section id="schemas" {
                            h2 { "Schemas" }
                            @for (name, schema) in schemas.into_iter().flatten() { (one_schema(name, schema)) }
                        }
                    }
                }
            }
        }
    }
}

fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn title(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

fn short(path: &str) -> &str {
    path.strip_prefix("/v1").unwrap_or(path)
}

/// Text with `code` in it.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn authentication(described: &Value) -> Markup {
    let schemes = described.pointer("/components/securitySchemes").and_then(Value::as_object);
    html! {
        section id="authentication" {
            h2 { "Authentication" }
            dl {
                @for (name, scheme) in schemes.into_iter().flatten() {
                    dt { code { (name) } }
                    dd {
                        (prose(member(scheme, "description")))
                        @match member(scheme, "type") {
                            "http" => { " Sent as " code { "Authorization: Bearer …" } "." },
                            "apiKey" => { " Sent in the " (member(scheme, "in")) " as " code { (member(scheme, "name")) } "." },
                            _ => {},
                        }
                    }
                }
            }
        }
    }
}

fn shown(operation: &Operation<'_>, described: &Value) -> Markup {
    let id = operation.text("operationId");
    let parameters: Vec<&Value> =
        operation.value.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
    let body = operation.value.pointer("/requestBody/content/application~1json");
    let responses = operation.value.get("responses").and_then(Value::as_object);
    html! {
        article id=(id) {
            h3 {
                span class={ "verb " (operation.method) } { (operation.method) } " "
                code { (breakable(operation.path)) } " "
                a.anchor href={ "#" (id) } aria-label={ "Link to " (id) } { "#" }
            }
            p { (prose(operation.text("summary"))) }
            @if !operation.text("description").is_empty() { p { (prose(operation.text("description"))) } }
            p.small.muted { "Authentication: " (needs(operation)) }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                div.scroll tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "Name" } th scope="col" { "In" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                        tbody {
                            @for parameter in &parameters {
                                tr {
                                    td { code { (member(parameter, "name")) } @if parameter.get("required") == Some(&json!(true)) { " " span.required { "required" } } }
                                    td { (member(parameter, "in")) }
                                    td { (type_of(parameter.get("schema").unwrap_or(&Value::Null))) }
                                    td { (prose(member(parameter, "description"))) }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(body) = body {
                h4 { "Body " span.muted { (type_of(body.get("schema").unwrap_or(&Value::Null))) } }
                @if let Some(schema) = resolved(described, body.get("schema").unwrap_or(&Value::Null)) { (members(schema)) }
            }
            h4 { "Request" }
            pre tabindex="0" aria-label={ "Request of " (id) } { (curl(operation, described)) }
            h4 { "Answers" }
            div.scroll tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Status" } th scope="col" { "Meaning" } th scope="col" { "Body" } } }
                    tbody {
                        @for (status, response) in responses.into_iter().flatten() {
                            tr {
                                td { code { (status) } }
                                td { (prose(member(response, "description"))) }
                                td { (content_of(response)) }
                            }
                        }
                    }
                }
            }
            @if let Some((status, example)) = answer(operation, described) {
                details {
                    summary { "Example of an answer (" (status) ")" }
                    pre tabindex="0" { (pretty(&example)) }
                }
            }
        }
    }
}

/// A path that may be broken where a phone has to.
fn breakable(path: &str) -> Markup {
    html! { @for (index, part) in path.split('/').enumerate() { @if index > 0 { "/" wbr; } (part) } }
}

fn needs(operation: &Operation<'_>) -> Markup {
    let schemes: Vec<&String> = operation
        .value
        .get("security")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(Map::keys)
        .collect();
    html! {
        @if schemes.is_empty() { "none" }
        @for (index, scheme) in schemes.iter().enumerate() { @if index > 0 { " or " } a href="#authentication" { (scheme) } }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// A schema behind its references.
fn resolved<'a>(described: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => described.pointer(reference.trim_start_matches('#')),
        None => schema.is_object().then_some(schema),
    }
}

/// A type in a few words, with links.
fn type_of(schema: &Value) -> Markup {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = name_of(reference);
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    for any in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema.get(any).and_then(Value::as_array) {
            let known: Vec<&Value> = choices
                .iter()
                .filter(|choice| choice.get("type") != Some(&json!("null")))
                .collect();
            return html! {
                @for (index, choice) in known.iter().enumerate() { @if index > 0 { " or " } (type_of(choice)) }
            };
        }
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return html! {
            @for (index, value) in values.iter().filter(|value| !value.is_null()).enumerate() {
                @if index > 0 { " | " } code { (value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)) }
            }
        };
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("any")
        }
        _ => "any",
    };
    match kind {
        "array" => html! { "list of " (type_of(schema.get("items").unwrap_or(&Value::Null))) },
        "integer" => html! { "whole number" },
        "boolean" => html! { "true or false" },
        "string" => html! { "text" },
        other => html! { (other) },
    }
}

fn content_of(response: &Value) -> Markup {
    let content = response.get("content").and_then(Value::as_object);
    html! {
        @for (kind, content) in content.into_iter().flatten() {
            (type_of(content.get("schema").unwrap_or(&Value::Null)))
            @if kind != "application/json" { " " span.small.muted { (kind) } }
        }
    }
}

/// The members of an object, its parts put together.
fn parts(schema: &Value) -> (Vec<&Value>, Vec<(&String, &Value, bool)>) {
    let mut based_on = Vec::new();
    let mut found = Vec::new();
    let all = schema.get("allOf").and_then(Value::as_array);
    for part in all.into_iter().flatten().chain([schema]) {
        if part.get("$ref").is_some() {
            based_on.push(part);
        }
        let required: Vec<&str> = part
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = part.get("properties").and_then(Value::as_object);
        found.extend(
            properties
                .into_iter()
                .flatten()
                .map(|(name, value)| (name, value, required.contains(&name.as_str()))),
        );
    }
    (based_on, found)
}

fn members(schema: &Value) -> Markup {
    let (based_on, found) = parts(schema);
    html! {
        @for base in &based_on { p.small { "All of " (type_of(base)) ", and:" } }
        @if found.is_empty() && based_on.is_empty() { p { (type_of(schema)) } }
        @if !found.is_empty() {
            div.scroll tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Member" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                    tbody {
                        @for (name, value, required) in found {
                            tr {
                                td { code { (name) } @if required { " " span.required { "required" } } }
                                td { (type_of(value)) }
                                td { (prose(member(value, "description"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn one_schema(name: &str, schema: &Value) -> Markup {
    html! {
        article id={ "schema-" (name) } {
            h3 { code { (name) } }
            p { (prose(member(schema, "description"))) }
            (members(schema))
        }
    }
}

/// A line that can be pasted into a terminal.
fn curl(operation: &Operation<'_>, described: &Value) -> String {
    let mut line = String::from("curl");
    if operation.method != "get" {
        line = format!("{line} -X {}", operation.method.to_uppercase());
    }
    let path = operation.path.replace("{id}", "ID");
    line = format!("{line} \"$KASSA_URL{path}\" \\\n  -H \"Authorization: Bearer $KASSA_API_KEY\"");
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    let has_key = parameters
        .into_iter()
        .flatten()
        .any(|parameter| member(parameter, "name") == "Idempotency-Key");
    if has_key {
        line.push_str(" \\\n  -H \"Idempotency-Key: $(uuidgen)\"");
    }
    if let Some(body) = operation.value.pointer("/requestBody/content/application~1json") {
        let example = body
            .get("example")
            .cloned()
            .or_else(|| Some(sample("", body.get("schema")?, described, DEPTH)))
            .unwrap_or_default();
        let text = pretty(&example).replace('\'', "'\\''");
        line = format!("{line} \\\n  -H \"Content-Type: application/json\" \\\n  -d '{text}'");
    }
    line
}

/// The first answer that is not an error, with what it may hold.
fn answer(operation: &Operation<'_>, described: &Value) -> Option<(String, Value)> {
    let responses = operation.value.get("responses").and_then(Value::as_object)?;
    responses.iter().filter(|(status, _)| status.starts_with('2')).find_map(|(status, response)| {
        let schema = response.pointer("/content/application~1json/schema")?;
        Some((status.clone(), sample("", schema, described, DEPTH)))
    })
}

/// Something that a schema allows.
fn sample(name: &str, schema: &Value, described: &Value, depth: usize) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if depth == 0 {
        return json!({});
    }
    if schema.get("$ref").is_some() {
        return resolved(described, schema)
            .map_or(Value::Null, |schema| sample(name, schema, described, depth - 1));
    }
    if let Some(choice) = ["oneOf", "anyOf"].iter().find_map(|any| {
        let choices = schema.get(*any)?.as_array()?;
        choices.iter().find(|choice| choice.get("type") != Some(&json!("null")))
    }) {
        return sample(name, choice, described, depth);
    }
    if let Some(value) = schema.pointer("/enum/0") {
        return value.clone();
    }
    let (based_on, found) = parts(schema);
    if !based_on.is_empty() || !found.is_empty() {
        let mut object = Map::new();
        for base in based_on {
            if let Value::Object(members) = sample("", base, described, depth) {
                object.extend(members);
            }
        }
        for (name, value, _) in found {
            object.insert(name.clone(), sample(name, value, described, depth - 1));
        }
        return Value::Object(object);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
        }
        Some(Value::String(kind)) => Some(kind.as_str()),
        _ => None,
    };
    match kind {
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            json!([sample(name, items, described, depth - 1)])
        }
        Some("integer") => json!(whole_number(name)),
        Some("boolean") => json!(false),
        Some("string") => json!(some_text(name)),
        _ => json!({}),
    }
}

fn whole_number(name: &str) -> i64 {
    match name {
        "attempts" | "number" | "version" | "count" | "quantity" => 1,
        "status" => 200,
        "duration_ms" => 84,
        "tax_rate" => 2500,
        _ => 9900,
    }
}

fn some_text(name: &str) -> &'static str {
    match name {
        _ if name.ends_with("_at") || name == "at" => "2031-05-04T12:30:00.000Z",
        "checkout_id" => "chk_5f0c1e7a9b2d4c6e8f00112233445566",
        "payment_id" | "subject_id" => "pay_5f0c1e7a9b2d4c6e8f00112233445566",
        "event_id" => "evt_5f0c1e7a9b2d4c6e8f00112233445566",
        "operation_id" => "op_5f0c1e7a9b2d4c6e8f00112233445566",
        "endpoint_id" => "whe_5f0c1e7a9b2d4c6e8f00112233445566",
        "currency" => "SEK",
        "country" => "SE",
        "locale" => "sv-SE",
        "url" | "script_url" | "redirect_url" => "https://shop.example/",
        "merchant_reference" | "reference" => "WEB-1001",
        "secret" => "whsec_…",
        "token" => "kassa_st_…",
        "type" => "payment.captured",
        "fraud_status" => "ACCEPTED",
        _ => "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the page is a visible change of this file.
    #[test]
    fn the_page_is_as_recorded() {
        let described = serde_json::to_value(openapi::description()).unwrap();
        let page = render(&described).into_string().replace("><", ">\n<");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn every_operation_and_every_schema_can_be_reached() {
        let described = serde_json::to_value(openapi::description()).unwrap();
        let page = render(&described).into_string();
        for operation in operations(&described) {
            let id = operation.text("operationId");
            assert!(page.contains(&format!("<article id=\"{id}\">")), "{id}");
        }
        // Every link within the page leads somewhere.
        for link in page.split("href=\"#").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{target}\"")), "#{target} leads nowhere");
        }
        assert!(!page.contains("<script") && !page.contains("style=\""));
    }
}
