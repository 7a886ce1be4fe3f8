//! The Payments API over HTTP: what works, every documented refusal, bad input, and races.

mod callbacks;
mod control;
mod customer_tokens;
mod forgetting;

use crate::common;
use std::collections::BTreeSet;

use crate::common::{Reply, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use playground::{RateLimits, UnauthorizedForm};
use serde_json::{Value, json};

const SESSIONS: &str = "/payments/v1/sessions";

/// The German one-time session of the reference.
fn german() -> Value {
    json!({
        "intent": "buy", "purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE",
        "order_amount": 3990, "order_tax_amount": 796, "merchant_reference1": "WEB-100045",
        "order_lines": [
            {"type": "physical", "reference": "SCARF-7", "name": "Wollschal", "quantity": 2,
             "quantity_unit": "pcs", "unit_price": 2490, "total_discount_amount": 480,
             "total_amount": 4500, "tax_rate": 1900, "total_tax_amount": 718},
            {"type": "shipping_fee", "name": "Versand", "quantity": 1, "unit_price": 490,
             "total_amount": 490, "tax_rate": 1900, "total_tax_amount": 78},
            {"type": "gift_card", "name": "Gutschein", "quantity": 1, "unit_price": -1000,
             "total_amount": -1000, "tax_rate": 0, "total_tax_amount": 0},
        ],
    })
}

/// The same with some members replaced; `null` takes one away.
fn german_with(changes: &Value) -> Value {
    let mut body = german();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

/// Status, code and messages in one line, after checking what every error answer has.
fn told(reply: &Reply) -> String {
    if (200..300).contains(&reply.status) {
        return reply.status.to_string();
    }
    assert_eq!(reply.header("klarna-correlation-id"), reply.json["correlation_id"], "{reply:?}");
    assert!(reply.header("content-type").starts_with("application/json"));
    let keys: Vec<&String> = reply.json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error_code", "error_messages", "correlation_id"]);
    let messages: Vec<&str> = reply.json["error_messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message.as_str().unwrap())
        .collect();
    let told = format!(
        "{} {} {}",
        reply.status,
        reply.json["error_code"].as_str().unwrap(),
        messages.join("|")
    );
    told.trim_end().to_owned()
}

/// The Payments API as one merchant uses it.
impl World {
    async fn session(&self, body: &Value) -> String {
        let reply = self.call("POST", SESSIONS, body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json["session_id"].as_str().unwrap().to_owned()
    }

    async fn authorize(&self, session_id: &str) -> String {
        let outcome =
            self.control("/shopper/authorize", &json!({ "session_id": session_id })).await;
        outcome["authorization_token"].as_str().unwrap_or_else(|| panic!("{outcome}")).to_owned()
    }

    async fn place_order(&self, token: &str, body: &Value) -> Reply {
        self.call("POST", &order_path(token), body).await
    }

    async fn read(&self, session_id: &str) -> Reply {
        self.call("GET", &format!("{SESSIONS}/{session_id}"), &Value::Null).await
    }

    async fn update(&self, session_id: &str, body: &Value) -> Reply {
        self.call("POST", &format!("{SESSIONS}/{session_id}"), body).await
    }

    async fn cancel(&self, token: &str) -> Reply {
        let path = format!("/payments/v1/authorizations/{token}");
        self.call("DELETE", &path, &Value::Null).await
    }

    /// The request log, newest first.
    async fn log(&self, query: &str) -> Vec<Value> {
        let path = format!("/playground/v1/requests{query}");
        let reply = self.send("GET", &path, &[], "").await;
        reply.json["requests"].as_array().unwrap().clone()
    }

    /// A merchant with settings of its own.
    async fn merchant_with(&self, settings: &Value) -> common::Merchant {
        let created = self.control("/merchants", &json!({ "settings": settings })).await;
        let pair = format!(
            "{}:{}",
            created["username"].as_str().unwrap(),
            created["password"].as_str().unwrap()
        );
        common::Merchant {
            merchant_id: created["merchant_id"].as_str().unwrap().to_owned(),
            authorization: format!("Basic {}", STANDARD.encode(pair)),
        }
    }
}

fn order_path(token: &str) -> String {
    format!("/payments/v1/authorizations/{token}/order")
}

#[tokio::test]
async fn a_purchase_from_session_to_order() {
    let world = World::start().await;
    let body = german_with(&json!({
        "merchant_urls": {"confirmation": "https://shop.example/thanks?o={order.id}&s={session.id}"},
    }));
    let created = world.call("POST", SESSIONS, &body).await;
    assert_eq!(created.status, 200);
    assert_eq!(created.header("x-ratelimit-limit"), "5, 5;w=1");
    assert_eq!(created.header("x-ratelimit-remaining"), "5");
    assert_eq!(created.header("x-ratelimit-reset"), "1");
    assert_eq!(created.header("klarna-correlation-id").len(), 36);
    let session_id = created.json["session_id"].as_str().unwrap();
    // The badge is the playground's own, and it is there.
    let badge = created.json["payment_method_categories"][0]["asset_urls"]["standard"].as_str();
    let path = badge.unwrap().strip_prefix(&world.public_url()).unwrap();
    assert_eq!(world.call("GET", path, &Value::Null).await.header("content-type"), "image/svg+xml");
    insta::assert_json_snapshot!("created_session", created.json, {
        ".session_id" => "[id]", ".client_token" => "[token]",
        ".payment_method_categories[].asset_urls.descriptive" => "[badge]",
        ".payment_method_categories[].asset_urls.standard" => "[badge]",
    });
    let before = world.read(session_id).await.json;
    insta::assert_json_snapshot!("session_before_authorization", before, {
        ".payment_method_categories[].asset_urls.descriptive" => "[badge]",
        ".payment_method_categories[].asset_urls.standard" => "[badge]",
        ".client_token" => "[token]",
    });
    let token = world.authorize(session_id).await;
    let after = world.read(session_id).await.json;
    assert_eq!(after["authorization_token"], token);
    assert_eq!(after["status"], "incomplete");

    let mut order = body.clone();
    order.as_object_mut().unwrap().remove("intent");
    let placed = world.place_order(&token, &order).await;
    assert_eq!(placed.status, 200, "{placed:?}");
    let order_id = placed.json["order_id"].as_str().unwrap();
    insta::assert_json_snapshot!("created_order", placed.json, {
        ".order_id" => "[id]", ".redirect_url" => "[url]",
    });
    assert_eq!(world.read(session_id).await.json["status"], "complete");

    let redirect = placed.json["redirect_url"].as_str().unwrap();
    let redirect = redirect.strip_prefix(&world.public_url()).unwrap();
    let bounced = world.send("GET", redirect, &[], "").await;
    assert_eq!(bounced.status, 302);
    assert_eq!(
        bounced.header("location"),
        format!("https://shop.example/thanks?o={order_id}&s={session_id}")
    );
    let order =
        world.call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &Value::Null).await;
    assert_eq!(order.json["order_amount"], 3990);
    // What the merchant did not send was collected from the shopper.
    assert_eq!(order.json["billing_address"]["given_name"], "Mock");
    world.stop().await;
}

#[tokio::test]
async fn every_session_refusal_is_klarnas() {
    let world = World::start().await;
    let lines = german()["order_lines"].clone();
    let line = |changes: Value| {
        let mut lines = lines.clone();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                lines[0].as_object_mut().unwrap().remove(name);
            } else {
                lines[0][name] = value.clone();
            }
        }
        json!({ "order_lines": lines })
    };
    let many = |count: usize| {
        let line = json!({"name": "x", "quantity": 1, "unit_price": 1, "total_amount": 1});
        json!({"order_lines": vec![line; count], "order_amount": count, "order_tax_amount": 0})
    };
    let cases = [
        (json!({}), "200"),
        (json!({"unknown_member": {"a": 1}, "status": "complete"}), "200"),
        (json!({"purchase_country": "de", "purchase_currency": "eur"}), "200"),
        (json!({"order_tax_amount": null}), "200"),
        (many(1000), "200"),
        (many(1001), "400 BAD_VALUE Bad value: order_lines"),
        (json!({"order_lines": []}), "400 BAD_VALUE Bad value: order_lines"),
        (json!({"order_lines": null}), "400 BAD_VALUE Bad value: order_lines"),
        (json!({"order_amount": null}), "400 BAD_VALUE Bad value: order_amount"),
        (json!({"order_amount": 3991}), "400 BAD_VALUE Bad value: order_amount"),
        (json!({"order_amount": -1}), "400 BAD_VALUE Bad value: order_amount"),
        (json!({"order_tax_amount": 800}), "400 BAD_VALUE Bad value: order_tax_amount"),
        (json!({"order_tax_amount": 799}), "200"),
        (json!({"purchase_country": null}), "400 BAD_VALUE Bad value: purchase_country"),
        (json!({"purchase_country": "Germany"}), "400 BAD_VALUE Bad value: purchase_country"),
        (json!({"purchase_country": "LU"}), "400 BAD_VALUE Bad value: purchase_country"),
        (json!({"purchase_currency": "SEK"}), "400 BAD_VALUE Bad value: purchase_currency"),
        (json!({"locale": "sv-SE"}), "400 BAD_VALUE Bad value: locale"),
        (json!({"locale": "x"}), "400 BAD_VALUE Bad value: locale"),
        (json!({"intent": "borrow"}), "400 BAD_VALUE Bad value: intent"),
        (
            json!({"merchant_reference1": "x".repeat(256)}),
            "400 BAD_VALUE Bad value: merchant_reference1",
        ),
        (json!({"merchant_data": "x".repeat(6001)}), "400 BAD_VALUE Bad value: merchant_data"),
        (json!({"merchant_reference1": "a\tb"}), "400 BAD_VALUE Bad value: merchant_reference1"),
        (
            json!({"billing_address": {"postal_code": "12345678901"}}),
            "400 BAD_VALUE Bad value: billing_address.postal_code",
        ),
        (
            json!({"shipping_address": {"given_name": "x".repeat(100)}}),
            "400 BAD_VALUE Bad value: shipping_address.given_name",
        ),
        (
            json!({"billing_address": {"country": "SE"}}),
            "400 BAD_VALUE Bad value: purchase_currency, locale",
        ),
        (
            json!({"customer": {"date_of_birth": "21-03-1941"}}),
            "400 BAD_VALUE Bad value: customer.date_of_birth",
        ),
        (
            json!({"merchant_urls": {"authorization": "http://shop.example/a"}}),
            "400 BAD_VALUE Bad value: merchant_urls.authorization",
        ),
        (json!({"merchant_urls": {"authorization": "http://localhost:1/a"}}), "200"),
        (
            json!({"merchant_urls": {"push": "ftp://localhost/a"}}),
            "400 BAD_VALUE Bad value: merchant_urls.push",
        ),
        (
            json!({"attachment": {"content_type": "application/json", "body": "{}"}}),
            "400 BAD_VALUE Bad value: attachment.attachment",
        ),
        (
            line(json!({"total_tax_amount": 720})),
            "400 BAD_VALUE Bad value: order_lines[0].total_tax_amount",
        ),
        (line(json!({"tax_rate": 10_001})), "400 BAD_VALUE Bad value: order_lines[0].tax_rate"),
        (line(json!({"name": null})), "400 BAD_VALUE Bad value: order_lines[0].name"),
        (line(json!({"name": ""})), "400 BAD_VALUE Bad value: order_lines[0].name"),
        (line(json!({"quantity": -1})), "400 BAD_VALUE Bad value: order_lines[0].quantity"),
        (
            line(json!({"unit_price": 200_000_001})),
            "400 BAD_VALUE Bad value: order_lines[0].unit_price",
        ),
        (line(json!({"type": "wish"})), "400 BAD_VALUE Bad value: order_lines[0].type"),
        (
            line(json!({"quantity_unit": "kilograms"})),
            "400 BAD_VALUE Bad value: order_lines[0].quantity_unit",
        ),
    ];
    for (changes, expected) in cases {
        let reply = world.call("POST", SESSIONS, &german_with(&changes)).await;
        let shown = changes.to_string().chars().take(120).collect::<String>();
        assert_eq!(told(&reply), expected, "{shown}");
    }
    // Several at once share one message.
    let reply = world.call("POST", SESSIONS, &json!({})).await;
    assert_eq!(
        told(&reply),
        "400 BAD_VALUE Bad value: purchase_country, purchase_currency, order_amount, order_lines"
    );
    let explained = &world.log("?limit=1&status=400").await[0];
    assert_eq!(explained["path"], SESSIONS);
    assert!(explained["explanation"].as_str().unwrap().contains("is required"), "{explained}");
    world.stop().await;
}

#[tokio::test]
async fn input_that_no_merchant_means_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let session_id = world.session(&german()).await;
    let token = world.authorize(&session_id).await;
    let paths = [SESSIONS.to_owned(), format!("{SESSIONS}/{session_id}"), order_path(&token)];
    let huge = format!("{{\"purchase_country\":\"{}\"}}", "x".repeat(2_000_000));
    let deep = format!("{{\"attachment\":{{\"body\":{}1", "[".repeat(50_000));
    let bodies: [(&[u8], &str, &str); 13] = [
        (b"", "application/json", "400 BAD_REQUEST"),
        (b"{", "application/json", "400 BAD_REQUEST"),
        (b"hello", "application/json", "400 BAD_REQUEST"),
        (b"null", "application/json", "400 BAD_REQUEST"),
        (b"[]", "application/json", "400 BAD_REQUEST"),
        (b"{\"locale\":\"\xff\"}", "application/json", "400 BAD_REQUEST"),
        (b"{\"order_amount\":\"100\"}", "application/json", "400 BAD_REQUEST"),
        (b"{\"order_amount\":1.5}", "application/json", "400 BAD_REQUEST"),
        (b"{\"order_amount\":9223372036854775808}", "application/json", "400 BAD_REQUEST"),
        (b"{\"order_lines\":{}}", "application/json; charset=utf-8", "400 BAD_REQUEST"),
        (deep.as_bytes(), "application/json", "400 BAD_REQUEST"),
        (b"{}", "text/plain", "415 UNSUPPORTED_MEDIA_TYPE"),
        (huge.as_bytes(), "application/json", "413 REQUEST_TOO_LARGE Request is too large"),
    ];
    for path in &paths {
        for (body, content_type, expected) in bodies {
            let headers = [
                ("authorization", world.merchant.authorization.as_str()),
                ("content-type", content_type),
            ];
            let reply = world.send("POST", path, &headers, body.to_vec()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert_eq!(told(&reply), expected, "{path} {shown}");
        }
    }
    let max = i64::MAX;
    let overflowing = german_with(&json!({
        "order_amount": max, "order_tax_amount": max,
        "order_lines": [
            {"name": "x", "quantity": max, "unit_price": 200_000_000, "total_amount": 200_000_000,
             "total_discount_amount": max, "tax_rate": 10_000, "total_tax_amount": max},
            {"name": "x", "quantity": max, "unit_price": -max, "total_amount": -max,
             "total_tax_amount": -max},
        ],
    }));
    let reply = world.call("POST", SESSIONS, &overflowing).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(reply.json["error_code"], "BAD_VALUE");

    let long = "x".repeat(7 * 1024);
    let headers = [("authorization", world.merchant.authorization.as_str()), ("x-long", &long)];
    let reply = world.send("GET", &paths[1], &headers, "").await;
    assert_eq!(told(&reply), "431 REQUEST_HEADER_FIELDS_TOO_LARGE");
    let routes = [
        ("GET", "/payments/v1/nothing", "404 NOT_FOUND"),
        ("GET", "/payments/v2/sessions", "404 NOT_FOUND"),
        ("GET", "/nowhere", "404 NOT_FOUND there is no such route"),
        ("PUT", SESSIONS, "405 METHOD_NOT_ALLOWED"),
        ("PATCH", paths[1].as_str(), "405 METHOD_NOT_ALLOWED"),
    ];
    for (method, path, expected) in routes {
        let reply = world.call(method, path, &Value::Null).await;
        assert_eq!(told(&reply), expected, "{method} {path}");
    }
    // Nothing of all that did anything: the token still makes the order.
    assert_eq!(told(&world.place_order(&token, &german()).await), "200");
    world.stop().await;
}

#[tokio::test]
async fn a_list_where_an_object_belongs_is_unreadable() {
    let world = World::start().await;
    let session_id = world.session(&german_with(&json!({"intent": "buy_and_tokenize"}))).await;
    let token = world.authorize(&session_id).await;
    let tokens = format!("/payments/v1/authorizations/{token}/customer-token");
    let paths = [SESSIONS.to_owned(), format!("{SESSIONS}/{session_id}"), order_path(&token)];
    for body in [
        json!({"billing_address": []}),
        json!({"shipping_address": []}),
        json!({"shipping_address": ["Mock", "Mock"]}),
        json!({"customer": []}),
        json!({"merchant_urls": []}),
        json!({"options": []}),
        json!({"attachment": []}),
        json!({"order_lines": [[]]}),
        json!({"order_lines": [{"subscription": []}]}),
        json!({"order_lines": [{"product_identifiers": []}]}),
    ] {
        for path in &paths {
            let reply = world.call("POST", path, &german_with(&body)).await;
            assert_eq!(told(&reply), "400 BAD_REQUEST", "{path} {body}");
        }
    }
    for body in [json!({"billing_address": []}), json!({"customer": []})] {
        let reply = world.call("POST", &tokens, &body).await;
        assert_eq!(told(&reply), "400 BAD_REQUEST", "{body}");
    }
    let explained = &world.log("?limit=1&status=400").await[0];
    assert_eq!(
        explained["explanation"].as_str().unwrap().split(" at line").next().unwrap(),
        "customer: invalid type: sequence, expected a JSON object"
    );
    // An empty object is one.
    let reply = world.call("POST", SESSIONS, &german_with(&json!({"billing_address": {}}))).await;
    assert_eq!(told(&reply), "200");
    world.stop().await;
}

#[tokio::test]
async fn credentials_are_checked_in_all_their_forms() {
    let world = World::start().await;
    let call = |authorization: String| {
        let world = &world;
        async move {
            let headers =
                [("authorization", authorization.as_str()), ("content-type", "application/json")];
            world.send("POST", SESSIONS, &headers, german().to_string()).await
        }
    };
    for pair in ["K123456_kassatest:one", ":one", "one:"] {
        assert_eq!(call(format!("Basic {}", STANDARD.encode(pair))).await.status, 200, "{pair}");
    }
    assert_eq!(call("Basic one".to_owned()).await.status, 200);
    for pair in ["K123456_kassatest:two", "K123456:one", "nobody:one", ":three", ":"] {
        let reply = call(format!("Basic {}", STANDARD.encode(pair))).await;
        assert_eq!(reply.status, 401, "{pair}");
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"very closed site\"");
        assert!(reply.header("content-type").starts_with("text/html"));
        assert!(reply.text.contains("401 Authorization Required"));
    }
    let bare = world.send("POST", SESSIONS, &[], german().to_string()).await;
    assert_eq!(bare.status, 401);
    world.stop().await;

    let world = World::start_with(|config| config.unauthorized = UnauthorizedForm::Json).await;
    let reply = world.send("GET", &format!("{SESSIONS}/x"), &[], "").await;
    assert_eq!(told(&reply), "401 UNAUTHORIZED");
    world.stop().await;
}

#[tokio::test]
async fn an_account_decides_what_it_may() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let inactive = world.merchant_with(&json!({"status": "inactive"})).await;
        let reply = world.call_as(&inactive, "POST", SESSIONS, &german(), &[]).await;
        assert_eq!(told(&reply), "403 MERCHANT_INACTIVE");
        let swedish = world
        .merchant_with(&json!({"countries": ["SE"], "callback_urls": "https_only", "strictness": ["negative_line_signs"]}))
        .await;
        let body = german_with(&json!({"merchant_urls": {"push": "http://localhost:1"}}));
        let reply = world.call_as(&swedish, "POST", SESSIONS, &body, &[]).await;
        assert_eq!(told(&reply), "400 BAD_VALUE Bad value: merchant_urls.push, purchase_country");

        // No automatic capture by this account's contract.
        let plain = world.merchant_with(&json!({"permissions": []})).await;
        let session = world.call_as(&plain, "POST", SESSIONS, &german(), &[]).await;
        let token = world.authorize(session.json["session_id"].as_str().unwrap()).await;
        let order = german_with(&json!({"auto_capture": true}));
        let reply = world.call_as(&plain, "POST", &order_path(&token), &order, &[]).await;
        assert_eq!(told(&reply), "403 INVALID_OPERATION");
        let reply = world.call_as(&plain, "POST", &order_path(&token), &german(), &[]).await;
        assert_eq!(told(&reply), "200");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_session_is_read_and_updated_while_it_stands() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let session_id = world.session(&german()).await;
        assert_eq!(
            told(&world.update(&session_id, &json!({"merchant_reference2": "B"})).await),
            "204"
        );
        let read = world.read(&session_id).await.json;
        assert_eq!(read["merchant_reference2"], "B");
        assert_eq!(read["merchant_reference1"], "WEB-100045");
        assert_eq!(
            told(&world.update(&session_id, &json!({"order_amount": 1})).await),
            "400 BAD_VALUE Bad value: order_amount"
        );
        assert_eq!(
            told(&world.update(&session_id, &json!({"billing_address": {"country": "SE"}})).await),
            "400 BAD_VALUE Bad value: purchase_currency, locale"
        );
        // Refused updates left nothing behind.
        assert_eq!(world.read(&session_id).await.json["order_amount"], 3990);

        // Personal data are shown only after the shopper has authorized, identity numbers never.
        let person = json!({
            "billing_address": {"given_name": "Mock", "family_name": "Mock", "country": "DE"},
            "customer": {"date_of_birth": "1970-07-10", "national_identification_number": "1"},
        });
        assert_eq!(told(&world.update(&session_id, &person).await), "204");
        let read = world.read(&session_id).await.json;
        assert!(read.get("billing_address").is_none() && read.get("customer").is_none());
        world.authorize(&session_id).await;
        let read = world.read(&session_id).await.json;
        assert_eq!(read["shipping_address"]["given_name"], "Mock");
        assert_eq!(read["customer"], json!({"date_of_birth": "1970-07-10"}));

        let stranger = &world.stranger;
        let path = format!("{SESSIONS}/{session_id}");
        for unknown in ["0c0a7d53-0000-4000-8000-000000000000", "x", "%20"] {
            assert_eq!(told(&world.read(unknown).await), "404 NOT_FOUND Invalid session id");
            let reply = world.update(unknown, &json!({})).await;
            assert_eq!(told(&reply), "404 NOT_FOUND Invalid session id");
        }
        let foreign = world.call_as(stranger, "GET", &path, &Value::Null, &[]).await;
        assert_eq!(told(&foreign), "404 NOT_FOUND Invalid session id");
        let foreign = world.call_as(stranger, "POST", &path, &json!({"design": "x"}), &[]).await;
        assert_eq!(told(&foreign), "404 NOT_FOUND Invalid session id");

        world.advance("PT47H59M").await;
        assert_eq!(world.read(&session_id).await.status, 200);
        world.advance("PT1M").await;
        assert_eq!(told(&world.read(&session_id).await), "404 NOT_FOUND Invalid session id");
        let late = world.update(&session_id, &json!({})).await;
        assert_eq!(told(&late), "404 NOT_FOUND Invalid session id");
        world.stop().await;
    }
}

#[tokio::test]
async fn every_order_refusal_is_klarnas() {
    const INVALID: &str = "404 NOT_FOUND Invalid authorization token";
    for engine in common::engines().await {
        let world = engine.world().await;
        assert_eq!(told(&world.place_order("unknown", &german()).await), INVALID);
        assert_eq!(told(&world.cancel("unknown").await), INVALID);

        // Another merchant's token does not exist.
        let session_id = world.session(&german()).await;
        let first = world.authorize(&session_id).await;
        let foreign =
            world.call_as(&world.stranger, "POST", &order_path(&first), &german(), &[]).await;
        assert_eq!(told(&foreign), INVALID);
        let path = format!("/payments/v1/authorizations/{first}");
        let foreign = world.call_as(&world.stranger, "DELETE", &path, &Value::Null, &[]).await;
        assert_eq!(told(&foreign), INVALID);

        // A newer authorization takes the older one's place.
        let second = world.authorize(&session_id).await;
        assert_eq!(told(&world.place_order(&first, &german()).await), INVALID);

        // Field limits and arithmetic come before the comparison.
        let reply = world.place_order(&second, &german_with(&json!({"order_amount": 1}))).await;
        assert_eq!(told(&reply), "400 BAD_VALUE Bad value: order_amount");
        let shorter = json!({"order_amount": 490, "order_tax_amount": 78, "order_lines": [german()["order_lines"][1]]});
        let reply = world.place_order(&second, &german_with(&shorter)).await;
        assert_eq!(
            told(&reply),
            "409 BAD_VALUE Not matching fields: [Incorrect number of items in the cart. Expected: 3, Actual: 1]"
        );
        let mut other = german();
        other["order_lines"][0]["name"] = json!("Seidenschal");
        let reply = world.place_order(&second, &other).await;
        assert_eq!(told(&reply), "409 BAD_VALUE Not matching fields: [order_lines[0].name]");

        let placed = world.place_order(&second, &german()).await;
        assert_eq!(told(&placed), "200");
        // The same again, in another order of members, is the same call.
        let again =
            world.place_order(&second, &serde_json::from_str(&german().to_string()).unwrap()).await;
        assert_eq!(again.json, placed.json);
        assert_eq!(
            told(
                &world
                    .place_order(&second, &german_with(&json!({"merchant_reference1": "other"})))
                    .await
            ),
            "409 BAD_VALUE The order has been already completed with different request body"
        );
        let completed = "404 SESSION_COMPLETED Session has already been completed";
        assert_eq!(told(&world.place_order(&first, &german()).await), completed);
        assert_eq!(told(&world.update(&session_id, &json!({})).await), completed);
        let shopper = json!({ "session_id": session_id }).to_string();
        let headers = [("content-type", "application/json")];
        let reply = world.send("POST", "/playground/v1/shopper/authorize", &headers, shopper).await;
        assert_eq!(told(&reply), completed);
        assert_eq!(
            told(&world.cancel(&second).await),
            "404 NOT_FOUND Authorization cannot be deleted"
        );
        // Replays outlive the token, but not the day.
        world.advance("PT2H").await;
        assert_eq!(world.place_order(&second, &german()).await.json, placed.json);
        world.advance("PT22H").await;
        assert_eq!(told(&world.place_order(&second, &german()).await), INVALID);

        // Cancelled, expired, of a session that makes tokens only.
        let session_id = world.session(&german()).await;
        let token = world.authorize(&session_id).await;
        assert_eq!(told(&world.cancel(&token).await), "204");
        assert_eq!(told(&world.cancel(&token).await), INVALID);
        assert_eq!(told(&world.place_order(&token, &german()).await), INVALID);
        let token = world.authorize(&session_id).await;
        world.advance("PT59M59S").await;
        assert_eq!(
            told(&world.place_order(&token, &json!({})).await).split(' ').next(),
            Some("400")
        );
        world.advance("PT1S").await;
        assert_eq!(told(&world.place_order(&token, &german()).await), INVALID);
        let session_id = world.session(&german_with(&json!({"intent": "tokenize"}))).await;
        let token = world.authorize(&session_id).await;
        assert_eq!(told(&world.place_order(&token, &german()).await), "403 INVALID_OPERATION");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_changed_cart_is_assessed_anew_where_that_is_agreed() {
    let world = World::start().await;
    let merchant = world.merchant_with(&json!({"permissions": ["cart_update"]})).await;
    let smaller = json!({"order_amount": 3500, "order_tax_amount": 718,
        "order_lines": [german()["order_lines"][0], german()["order_lines"][2]]});
    for (email, expected) in
        [("customer@email.de", "200"), ("customer+denied@email.de", "403 REJECTED Rejected")]
    {
        let session = world.call_as(&merchant, "POST", SESSIONS, &german(), &[]).await;
        let token = world.authorize(session.json["session_id"].as_str().unwrap()).await;
        let mut order = german_with(&smaller);
        order["billing_address"] = json!({ "email": email });
        let reply = world.call_as(&merchant, "POST", &order_path(&token), &order, &[]).await;
        assert_eq!(told(&reply), expected);
    }
    world.stop().await;
}

#[tokio::test]
async fn strict_accounts_void_tokens_and_slide_expiry_on_update() {
    let world = World::start().await;
    let strict = json!({"strictness": ["void_token_on_update", "slide_expiry_on_update"]});
    let merchant = world.merchant_with(&strict).await;
    let session = world.call_as(&merchant, "POST", SESSIONS, &german(), &[]).await;
    let session_id = session.json["session_id"].as_str().unwrap();
    let path = format!("{SESSIONS}/{session_id}");
    let token = world.authorize(session_id).await;
    world.advance("PT30M").await;
    world.call_as(&merchant, "POST", &path, &json!({"design": "x"}), &[]).await;
    let reply = world.call_as(&merchant, "POST", &order_path(&token), &german(), &[]).await;
    assert_eq!(told(&reply), "404 NOT_FOUND Invalid authorization token");
    world.advance("PT47H45M").await;
    let read = world.call_as(&merchant, "GET", &path, &Value::Null, &[]).await;
    assert_eq!(told(&read), "200");
    world.stop().await;
}

#[tokio::test]
async fn one_authorisation_makes_at_most_one_order() {
    for engine in common::engines().await {
        let world = std::sync::Arc::new(engine.world().await);
        let session_id = world.session(&german()).await;
        let token = world.authorize(&session_id).await;
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (world, token) = (world.clone(), token.clone());
            calls.spawn(async move { world.place_order(&token, &german()).await });
        }
        let replies = calls.join_all().await;
        let orders: BTreeSet<&str> =
            replies.iter().map(|reply| reply.json["order_id"].as_str().unwrap()).collect();
        assert_eq!((replies.len(), orders.len()), (32, 1));

        // Callers that mean different orders: one of them wins, the others are told so.
        let session_id = world.session(&german()).await;
        let token = world.authorize(&session_id).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..32 {
            let (world, token) = (world.clone(), token.clone());
            let body = german_with(&json!({ "merchant_reference1": format!("WEB-{number}") }));
            calls.spawn(async move { told(&world.place_order(&token, &body).await) });
        }
        let mut answers = calls.join_all().await;
        answers.sort();
        assert_eq!(answers[0], "200");
        answers.dedup();
        let other =
            "409 BAD_VALUE The order has been already completed with different request body";
        assert_eq!(answers, ["200", other]);

        // Nor does another start of the program make a second one.
        let world = std::sync::Arc::into_inner(world).unwrap();
        world.stop().await;
        let world = engine.world().await;
        assert!(
            told(&world.place_order(&token, &german()).await)
                .starts_with("409 BAD_VALUE The order")
        );
        assert_eq!(
            told(&world.update(&session_id, &json!({})).await),
            "404 SESSION_COMPLETED Session has already been completed"
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn the_shopper_is_decided_by_the_published_addresses() {
    const APPROVED: &str = r#"{"approved":true,"show_form":true,"authorization_token":"[token]"}"#;
    const DENIED: &str = r#"{"approved":false,"show_form":false}"#;
    const ABORTED: &str = r#"{"approved":false,"show_form":true}"#;
    let world = World::start().await;
    let decide = |email: &'static str, more: Value| {
        let world = &world;
        async move {
            let session_id = world.session(&german()).await;
            let mut body = json!({ "session_id": session_id, "email": email });
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            let mut outcome = world.control("/shopper/authorize", &body).await;
            if outcome.get("authorization_token").is_some() {
                outcome["authorization_token"] = json!("[token]");
            }
            outcome.to_string()
        }
    };
    let bad_address = json!({"data": {"billing_address": {"postal_code": "1", "country": "DE"}}});
    let young = json!({"data": {"customer": {"date_of_birth": "2010-01-01"}}});
    let cases = [
        ("customer@email.de", json!({}), APPROVED),
        ("customer@email.de", json!({"otp": "123456"}), APPROVED),
        ("customer@email.de", json!({"otp": "999999"}), ABORTED),
        ("customer+denied@email.de", json!({}), DENIED),
        ("customer+red@email.de", json!({}), DENIED),
        ("customer+reject_reason_high_risk@email.us", json!({}), DENIED),
        ("customer+new_user@email.de", json!({}), APPROVED),
        ("customer+denied+auth_id_scan@email.fr", json!({}), DENIED),
        ("customer+denied+auth_id_scan@email.fr", json!({"step_up": "passed"}), APPROVED),
        ("customer@email.de", young, DENIED),
        (
            "customer@email.de",
            bad_address,
            r#"{"approved":false,"show_form":true,"error":{"invalid_fields":["billing_address.postal_code"]}}"#,
        ),
        (
            "customer@email.de",
            json!({"auto_finalize": false, "payment_method": "direct_bank_transfer"}),
            r#"{"approved":true,"show_form":true,"finalize_required":true}"#,
        ),
        (
            "customer@email.de",
            json!({"auto_finalize": false}),
            r#"{"approved":true,"show_form":true,"authorization_token":"[token]","finalize_required":false}"#,
        ),
    ];
    for (email, more, expected) in cases {
        let shown = more.to_string();
        assert_eq!(decide(email, more).await, expected, "{email} {shown}");
    }
    world.stop().await;
}

#[tokio::test]
async fn finalize_issues_the_token_that_authorize_kept_back() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let created = world.call("POST", SESSIONS, &german()).await;
        let client_token = created.json["client_token"].as_str().unwrap();
        let shopper = json!({"client_token": client_token, "auto_finalize": false,
        "payment_method": "direct_debit", "payment_method_category": "klarna"});
        let outcome = world.control("/shopper/authorize", &shopper).await;
        assert_eq!(outcome["finalize_required"], true);
        let outcome =
            world.control("/shopper/finalize", &json!({"client_token": client_token})).await;
        let token = outcome["authorization_token"].as_str().unwrap();
        let placed = world.place_order(token, &german()).await;
        assert_eq!(placed.json["authorized_payment_method"]["type"], "direct_debit");
        world.stop().await;
    }
}

#[tokio::test]
async fn rate_limits_count_per_merchant_and_kind() {
    // The clock stands still, so the window never ends.
    let world = World::start_with(|config| config.rate_limits = RateLimits::Playground).await;
    for remaining in ["4", "3", "2", "1", "0"] {
        let reply = world.call("POST", SESSIONS, &german()).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (200, remaining));
    }
    let reply = world.call("POST", SESSIONS, &german()).await;
    assert_eq!(told(&reply), "429 TOO_MANY_REQUESTS Too many requests");
    assert_eq!(reply.header("x-ratelimit-limit"), "5, 5;w=1");
    let read = world.read("x").await;
    assert_eq!((read.status, read.header("x-ratelimit-remaining")), (404, "49"));
    let other = world.call_as(&world.stranger, "POST", SESSIONS, &german(), &[]).await;
    assert_eq!(other.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn the_clock_keeps_its_lead_over_a_restart() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let session_id = world.session(&german()).await;
        world.advance("PT47H").await;
        world.stop().await;
        let world = engine.world().await;
        assert_eq!(world.read(&session_id).await.status, 200);
        world.advance("PT1H").await;
        assert_eq!(world.read(&session_id).await.status, 404);
        world.stop().await;
    }
}
