//! The Hosted Payment Page API over HTTP: every operation, every status, every refusal, and what the merchant's
//! server is told.

mod distribution;
mod page;

use crate::common;
use crate::common::{Purchase, Reply, World, engines};
use crate::receiver::Receiver;
use playground::CallbackTargets;
use serde_json::{Value, json};

/// A payment session of the seeded merchant; its id.
async fn payment_session(world: &World, extra: &Value) -> String {
    let purchase = Purchase { extra: extra.clone(), ..Purchase::default() };
    let reply = world.call("POST", "/payments/v1/sessions", &purchase.session()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json["session_id"].as_str().unwrap().to_owned()
}

fn session_url(world: &World, session_id: &str) -> String {
    format!("{}/payments/v1/sessions/{session_id}", world.public_url())
}

async fn try_to_host(world: &World, session_id: &str, rest: &Value) -> Reply {
    let mut body = json!({ "payment_session_url": session_url(world, session_id) });
    for (name, value) in rest.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.call("POST", "/hpp/v1/sessions", &body).await
}

/// A hosted session for a new payment session.
async fn hosted(world: &World, rest: &Value) -> Value {
    hosted_for(world, &json!({}), rest).await
}

async fn hosted_for(world: &World, payment: &Value, rest: &Value) -> Value {
    let session_id = payment_session(world, payment).await;
    let reply = try_to_host(world, &session_id, rest).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let mut created = reply.json;
    created["payment_session_id"] = json!(session_id);
    created
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn path_of(hosted: &Value) -> String {
    format!("/hpp/v1/sessions/{}", text(hosted, "session_id"))
}

async fn read(world: &World, hosted: &Value) -> Value {
    let reply = world.call("GET", &path_of(hosted), &Value::Null).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json
}

/// The shopper does something; where the page stands then.
async fn shopper(world: &World, hosted: &Value, action: &str) -> Value {
    let call = json!({ "hpp_session_id": hosted["session_id"], "action": action });
    world.control("/shopper/hosted", &call).await
}

/// Another merchant with these settings.
async fn merchant_with(world: &World, settings: Value) -> common::Merchant {
    let made = world.control("/merchants", &json!({ "settings": settings })).await;
    common::Merchant::new(
        text(&made, "merchant_id"),
        text(&made, "username"),
        text(&made, "password"),
    )
}

async fn try_shopper(world: &World, call: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    world.send("POST", "/playground/v1/shopper/hosted", &headers, call.to_string()).await
}

fn refused(reply: &Reply, status: u16, code: &str, message: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.json["error_code"], code, "{reply:?}");
    let messages: Vec<&str> = reply.json["error_messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message.as_str().unwrap())
        .collect();
    assert_eq!(messages, if message.is_empty() { vec![] } else { vec![message] }, "{reply:?}");
    assert_eq!(reply.json["correlation_id"], reply.header("klarna-correlation-id"));
}

fn every_url() -> Value {
    json!({
        "success": "https://shop.example/ok?s={{session_id}}&t={{authorization_token}}&o={{order_id}}",
        "cancel": "https://shop.example/cancel?s={{session_id}}",
        "failure": "https://shop.example/fail?s={{session_id}}&t={{authorization_token}}",
        "error": "https://shop.example/err",
    })
}

#[tokio::test]
async fn a_session_is_created_read_and_disabled_on_every_engine() {
    for engine in engines().await {
        let world = engine.world().await;
        let created = hosted(&world, &json!({})).await;
        let base = world.public_url();
        let id = text(&created, "session_id");
        let short =
            text(&created, "redirect_url").strip_prefix(&format!("{base}/hpp-page/")).unwrap();
        assert!(short.len() == 7 && short.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(
            created,
            json!({
                "session_id": id, "session_url": format!("{base}/hpp/v1/sessions/{id}"),
                "redirect_url": format!("{base}/hpp-page/{short}"),
                "qr_code_url": format!("{base}/hpp-page/{short}/qr"),
                "distribution_url": format!("{base}/hpp/v1/sessions/{id}/distribution"),
                "expires_at": "2026-03-04T08:00:00.250Z",
                "payment_session_id": created["payment_session_id"],
            })
        );
        assert_ne!(created["session_id"], created["payment_session_id"]);
        assert_eq!(
            read(&world, &created).await,
            json!({ "session_id": id, "status": "WAITING", "updated_at": "2026-03-02T09:00:00.250Z",
                "expires_at": "2026-03-04T08:00:00.250Z" })
        );
        world.advance("PT10M").await;
        for _ in 0..2 {
            let reply = world.call("DELETE", &path_of(&created), &Value::Null).await;
            assert_eq!((reply.status, reply.text.as_str()), (204, ""));
        }
        let disabled = read(&world, &created).await;
        assert_eq!(disabled["status"], "DISABLED");
        assert_eq!(disabled["updated_at"], "2026-03-02T09:10:00.250Z");
        // The payment session is as usable as before.
        let again = try_to_host(&world, text(&created, "payment_session_id"), &json!({})).await;
        assert_eq!(again.status, 201);
        assert_ne!(again.json["session_id"], created["session_id"]);
        world.stop().await;
    }
}

#[tokio::test]
async fn the_shopper_pays_and_the_merchant_places_the_order() {
    for engine in engines().await {
        let world = engine.world().await;
        let created = hosted(&world, &json!({ "merchant_urls": every_url() })).await;
        let done = shopper(&world, &created, "approve").await;
        assert_eq!(done["status"], "COMPLETED");
        let session = read(&world, &created).await;
        let token = text(&session, "authorization_token");
        let id = text(&created, "session_id");
        assert_eq!(done["url"], format!("https://shop.example/ok?s={id}&t={token}&o="));
        assert_eq!((&session["order_id"], &done["order_id"]), (&Value::Null, &Value::Null));
        let path = format!("/payments/v1/authorizations/{token}/order");
        let order = world.call("POST", &path, &Purchase::default().session()).await;
        assert_eq!(order.status, 200, "{order:?}");
        assert_eq!(read(&world, &created).await, session, "final");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_token_is_good_for_sixty_minutes() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    shopper(&world, &created, "approve").await;
    world.advance("PT60M").await;
    let token = read(&world, &created).await["authorization_token"].as_str().unwrap().to_owned();
    let path = format!("/payments/v1/authorizations/{token}/order");
    let order = world.call("POST", &path, &Purchase::default().session()).await;
    assert_eq!(order.status, 404, "{order:?}");
    world.stop().await;
}

async fn placed(mode: &str, payment: &Value, action: &Value) -> (World, Value, Value, Value) {
    let world = World::start().await;
    let options = json!({ "merchant_urls": every_url(), "options": { "place_order_mode": mode } });
    let created = hosted_for(&world, payment, &options).await;
    let mut call = json!({ "hpp_session_id": created["session_id"], "action": "approve" });
    for (name, value) in action.as_object().unwrap() {
        call[name] = value.clone();
    }
    let done = world.control("/shopper/hosted", &call).await;
    let session = read(&world, &created).await;
    assert_eq!(session["status"], "COMPLETED", "{session}");
    assert_eq!(session["authorization_token"], Value::Null);
    assert_eq!(session["order_id"], done["order_id"]);
    let id = text(&created, "session_id");
    let order_id = text(&session, "order_id");
    assert_eq!(done["url"], format!("https://shop.example/ok?s={id}&t=&o={order_id}"));
    let order =
        world.call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &Value::Null).await;
    assert_eq!(order.status, 200, "{order:?}");
    assert_eq!(order.json["klarna_reference"], session["klarna_reference"]);
    (world, created, session, order.json)
}

#[tokio::test]
async fn the_page_places_the_order() {
    let (world, created, _, order) =
        placed("place_order", &json!({}), &json!({ "payment_method": "pay_over_time" })).await;
    assert_eq!((&order["status"], &order["captured_amount"]), (&json!("AUTHORIZED"), &json!(0)));
    assert_eq!(order["merchant_reference1"], "WEB-1001");
    assert_eq!(order["initial_payment_method"]["type"], "FIXED_AMOUNT");
    let path = format!("/payments/v1/sessions/{}", text(&created, "payment_session_id"));
    let session = world.call("GET", &path, &Value::Null).await;
    assert_eq!(session.json["status"], "complete");
    world.stop().await;
}

#[tokio::test]
async fn the_page_places_and_captures_the_order() {
    let (world, _, _, order) = placed("CAPTURE_ORDER", &json!({}), &json!({})).await;
    assert_eq!((&order["status"], &order["captured_amount"]), (&json!("CAPTURED"), &json!(10_000)));
    assert_eq!(order["captures"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_capture_waits_for_the_review() {
    let purchase = Purchase::british(10_000).session();
    let (world, _, session, order) =
        placed("CAPTURE_ORDER", &purchase, &json!({ "email": "customer+pend-accept-05@email.uk" }))
            .await;
    assert_eq!((&order["fraud_status"], &order["captured_amount"]), (&json!("PENDING"), &json!(0)));
    world.advance("PT1H").await;
    let path = format!("/ordermanagement/v1/orders/{}", text(&session, "order_id"));
    let order = world.call("GET", &path, &Value::Null).await.json;
    assert_eq!(
        (&order["fraud_status"], &order["captured_amount"]),
        (&json!("ACCEPTED"), &json!(10_000))
    );
    world.stop().await;
}

#[tokio::test]
async fn every_status_is_reached_and_left_as_documented() {
    let world = World::start().await;
    let created = hosted(&world, &json!({ "merchant_urls": every_url() })).await;
    let id = text(&created, "session_id").to_owned();
    let steps = [
        ("open", "IN_PROGRESS", None),
        ("open", "IN_PROGRESS", None),
        ("deny", "FAILED", Some(format!("https://shop.example/fail?s={id}&t="))),
        ("open", "IN_PROGRESS", None),
        ("fail", "ERROR", Some("https://shop.example/err".to_owned())),
        // On the web cancelling is going back.
        ("cancel", "BACK", Some(format!("https://shop.example/cancel?s={id}"))),
        ("back", "BACK", Some(format!("https://shop.example/cancel?s={id}"))),
        ("timeout", "BACK", Some(format!("https://shop.example/cancel?s={id}"))),
        ("deny", "FAILED", Some(format!("https://shop.example/fail?s={id}&t="))),
    ];
    for (action, status, url) in steps {
        world.advance("PT1M").await;
        let answer = shopper(&world, &created, action).await;
        assert_eq!((&answer["status"], answer["url"].as_str()), (&json!(status), url.as_deref()));
        assert_eq!(read(&world, &created).await["status"], status, "{action}");
    }
    assert_eq!(shopper(&world, &created, "approve").await["status"], "COMPLETED");
    for action in ["open", "approve", "deny", "cancel", "back", "fail", "timeout"] {
        let call = json!({ "hpp_session_id": id, "action": action });
        let reply = try_shopper(&world, &call).await;
        refused(&reply, 400, "BAD_REQUEST", "Session has already been completed");
    }
    let reply = world.call("DELETE", &path_of(&created), &Value::Null).await;
    refused(&reply, 400, "BAD_REQUEST", "Session has already been completed");
    world.stop().await;
}

#[tokio::test]
async fn missing_urls_mean_pages_of_klarnas_own() {
    let world = World::start().await;
    let created =
        hosted(&world, &json!({ "merchant_urls": { "failure": "https://shop.example/f" } })).await;
    for (action, url) in [
        ("deny", Some("https://shop.example/f")),
        // Nobody can tell an error from a refusal then.
        ("fail", Some("https://shop.example/f")),
        ("back", None),
        ("approve", None),
    ] {
        assert_eq!(shopper(&world, &created, action).await["url"].as_str(), url, "{action}");
    }
    world.stop().await;
}

#[tokio::test]
async fn cancelling_is_final_outside_of_the_web() {
    let world = World::start().await;
    let phone = json!({ "acquiring_channel": "telesales" });
    let created = hosted_for(&world, &phone, &json!({ "merchant_urls": every_url() })).await;
    assert_eq!(created["redirect_url"], Value::Null, "it is distributed instead");
    let back = json!({ "hpp_session_id": created["session_id"], "action": "back" });
    let reply = try_shopper(&world, &back).await;
    refused(&reply, 409, "NOT_ALLOWED", "the page does not show a back button");
    let cancelled = shopper(&world, &created, "cancel").await;
    assert_eq!(cancelled["status"], "CANCELLED");
    assert!(text(&cancelled, "url").starts_with("https://shop.example/cancel?s="));
    let reply =
        try_shopper(&world, &json!({ "url": created["qr_code_url"], "action": "open" })).await;
    refused(&reply, 400, "BAD_REQUEST", "Session has been cancelled");
    let reply = world.call("DELETE", &path_of(&created), &Value::Null).await;
    assert_eq!(reply.status, 204);
    assert_eq!(read(&world, &created).await["status"], "CANCELLED");

    let with_back = json!({ "merchant_urls": { "back": "https://shop.example/b", "cancel": "https://shop.example/c" } });
    let created = hosted_for(&world, &phone, &with_back).await;
    let cancel = json!({ "hpp_session_id": created["session_id"], "action": "cancel" });
    let reply = try_shopper(&world, &cancel).await;
    refused(&reply, 409, "NOT_ALLOWED", "the page does not show a cancel button");
    let back = shopper(&world, &created, "back").await;
    assert_eq!((&back["status"], &back["url"]), (&json!("BACK"), &json!("https://shop.example/b")));
    world.stop().await;
}

#[tokio::test]
async fn after_47_hours_there_is_nothing() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    world.advance("PT46H59M59S").await;
    read(&world, &created).await;
    world.advance("PT1S").await;
    let gone = "Invalid session id";
    for method in ["GET", "DELETE"] {
        let reply = world.call(method, &path_of(&created), &Value::Null).await;
        refused(&reply, 404, "NOT_FOUND", gone);
    }
    let path = format!("{}/distribution", path_of(&created));
    let request = json!({ "method": "email", "contact_information": { "email": "a@example.com" } });
    refused(&world.call("POST", &path, &request).await, 404, "NOT_FOUND", gone);
    let reply =
        try_shopper(&world, &json!({ "hpp_session_id": created["session_id"], "action": "open" }))
            .await;
    refused(&reply, 404, "NOT_FOUND", gone);
    // The payment session has an hour left, but not for a page.
    let reply = try_to_host(&world, text(&created, "payment_session_id"), &json!({})).await;
    refused(&reply, 404, "NOT_FOUND", gone);
    // And then all of it is forgotten.
    world.advance("P5D").await;
    let reply =
        try_shopper(&world, &json!({ "url": created["redirect_url"], "action": "open" })).await;
    refused(&reply, 404, "NOT_FOUND", gone);
    world.stop().await;
}

#[tokio::test]
async fn a_page_follows_its_payment_session() {
    let world = World::start().await;
    let created =
        hosted(&world, &json!({ "options": { "place_order_mode": "PLACE_ORDER" } })).await;
    // The cart changes, and what is paid is the new one.
    let dearer = Purchase::of(20_000).session();
    let path = format!("/payments/v1/sessions/{}", text(&created, "payment_session_id"));
    assert_eq!(world.call("POST", &path, &dearer).await.status, 204);
    let done = shopper(&world, &created, "approve").await;
    let order_path = format!("/ordermanagement/v1/orders/{}", text(&done, "order_id"));
    assert_eq!(world.call("GET", &order_path, &Value::Null).await.json["order_amount"], 20_000);

    // Paid in the merchant's own page instead.
    let created = hosted(&world, &json!({})).await;
    let session_id = &created["payment_session_id"];
    let told = world.control("/shopper/authorize", &json!({ "session_id": session_id })).await;
    let token = text(&told, "authorization_token");
    let path = format!("/payments/v1/authorizations/{token}/order");
    let order = world.call("POST", &path, &Purchase::default().session()).await;
    let session = read(&world, &created).await;
    assert_eq!(session["status"], "COMPLETED");
    assert_eq!(session["order_id"], order.json["order_id"]);
    assert_eq!(session["authorization_token"], Value::Null);
    let reply = try_shopper(
        &world,
        &json!({ "hpp_session_id": created["session_id"], "action": "approve" }),
    )
    .await;
    refused(&reply, 400, "BAD_REQUEST", "Session has already been completed");

    // Called off by the merchant.
    let created = hosted(&world, &json!({})).await;
    let path = format!("/payments/v1/sessions/{}", text(&created, "payment_session_id"));
    assert_eq!(world.call("DELETE", &path, &Value::Null).await.status, 204);
    let reply = world.call("GET", &path_of(&created), &Value::Null).await;
    refused(&reply, 404, "NOT_FOUND", "Invalid session id");
    world.stop().await;
}

#[tokio::test]
async fn data_that_nobody_can_mend_on_the_page_are_an_error() {
    let world = World::start().await;
    let wrong = json!({ "billing_address": { "email": "nobody", "country": "SE" } });
    let created = hosted_for(&world, &wrong, &json!({})).await;
    assert_eq!(shopper(&world, &created, "approve").await["status"], "ERROR");
    // An order that the session forbids by now is one, too; the approval itself stands.
    let created =
        hosted(&world, &json!({ "options": { "place_order_mode": "PLACE_ORDER" } })).await;
    let path = format!("/payments/v1/sessions/{}", text(&created, "payment_session_id"));
    assert_eq!(world.call("POST", &path, &json!({ "intent": "tokenize" })).await.status, 204);
    assert_eq!(shopper(&world, &created, "approve").await["status"], "ERROR");
    world.stop().await;
}

#[tokio::test]
async fn a_customer_token_can_be_made_from_an_approval() {
    let world = World::start().await;
    let created = hosted_for(&world, &json!({ "intent": "tokenize" }), &json!({})).await;
    shopper(&world, &created, "approve").await;
    let session = read(&world, &created).await;
    let path = format!(
        "/payments/v1/authorizations/{}/customer-token",
        text(&session, "authorization_token")
    );
    let request = json!({ "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "description": "Coffee every month", "intended_use": "SUBSCRIPTION" });
    let token = world.call("POST", &path, &request).await;
    assert_eq!(token.status, 200, "{token:?}");
    world.stop().await;
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let world = World::start().await;
    let session_id = payment_session(&world, &json!({})).await;
    let with = async |rest: Value, message: &str| {
        refused(&try_to_host(&world, &session_id, &rest).await, 400, "BAD_VALUE", message);
    };
    let both =
        json!({ "payment_method_category": "pay_now", "payment_method_categories": ["pay_later"] });
    with(json!({ "options": both }), "Bad value: options.payment_method_categories").await;
    with(
        json!({ "options": { "place_order_mode": "SOON" } }),
        "Bad value: options.place_order_mode",
    )
    .await;
    with(
        json!({ "merchant_urls": { "status_update": "http://shop.example/" } }),
        "Bad value: merchant_urls.status_update",
    )
    .await;
    with(
        json!({ "options": { "background_images": [{ "url": "http://shop.example/" }] } }),
        "Bad value: options.background_images[0].url",
    )
    .await;
    let good = json!({ "merchant_urls": { "status_update": "http://localhost:9/" }, "unknown": 1,
        "options": { "payment_method_category": "pay_later", "purchase_type": "rent", "more": [] },
        "profile_id": "87ab3565-5e06-4006-9ada-8eedc6926703" });
    assert_eq!(try_to_host(&world, &session_id, &good).await.status, 201);

    let send = async |body: &str, content_type: &str| {
        let headers = [
            ("authorization", world.merchant.authorization.as_str()),
            ("content-type", content_type),
        ];
        world.send("POST", "/hpp/v1/sessions", &headers, body.to_owned()).await
    };
    refused(
        &send("{}", "application/json").await,
        400,
        "BAD_VALUE",
        "Bad value: payment_session_url",
    );
    for body in ["", "[]", "{", r#"{"payment_session_url":7}"#, r#"{"options":[]}"#] {
        refused(&send(body, "application/json").await, 400, "BAD_REQUEST", "");
    }
    refused(&send("{}", "text/plain").await, 415, "UNSUPPORTED_MEDIA_TYPE", "");
    let reply = world.call("PUT", "/hpp/v1/sessions", &json!({})).await;
    assert_eq!(reply.status, 405);
    world.stop().await;
}

#[tokio::test]
async fn the_payment_session_has_to_be_there() {
    let world = World::start().await;
    let session_id = payment_session(&world, &json!({})).await;
    let host = async |url: &str| {
        world.call("POST", "/hpp/v1/sessions", &json!({ "payment_session_url": url })).await
    };
    let base = world.public_url();
    for url in [
        format!("https://api.klarna.com/payments/v1/sessions/{session_id}"),
        format!("{base}/payments/v1/sessions/"),
        format!("{base}/payments/v1/sessions/{session_id}/more"),
        format!("{base}/elsewhere"),
        "not a url".to_owned(),
        format!("ftp://{}/payments/v1/sessions/{session_id}", &base[7..]),
    ] {
        refused(&host(&url).await, 400, "BAD_VALUE", "Bad value: payment_session_url");
    }
    refused(&host(&session_url(&world, "unknown")).await, 404, "NOT_FOUND", "Invalid session id");
    let order = format!("{base}/checkout/v3/orders/{session_id}");
    refused(&host(&order).await, 404, "NOT_FOUND", "Payment session not found");
    // By the address at which the merchant calls, and twice for the same session.
    let called = format!("{}/payments/v1/sessions/{session_id}", world.url);
    assert_eq!(host(&called).await.status, 201);
    assert_eq!(host(&called).await.status, 201);

    let reply = try_to_host(
        &world,
        &session_id,
        &json!({ "options": { "place_order_mode": "PLACE_ORDER" } }),
    )
    .await;
    shopper(&world, &reply.json, "approve").await;
    let reply = try_to_host(&world, &session_id, &json!({})).await;
    refused(&reply, 400, "BAD_VALUE", "Bad value: payment_session_url");

    let token_only = payment_session(&world, &json!({ "intent": "tokenize" })).await;
    for (mode, status) in [("PLACE_ORDER", 400), ("CAPTURE_ORDER", 400), ("NONE", 201)] {
        let options = json!({ "options": { "place_order_mode": mode } });
        assert_eq!(try_to_host(&world, &token_only, &options).await.status, status, "{mode}");
    }
    world.stop().await;
}

#[tokio::test]
async fn categories_must_be_those_of_the_payment_session() {
    let world = World::start().await;
    let merchant = merchant_with(&world, json!({ "categories": "legacy" })).await;
    let session = world
        .call_as(&merchant, "POST", "/payments/v1/sessions", &Purchase::default().session(), &[])
        .await;
    let url = session_url(&world, text(&session.json, "session_id"));
    let host = async |options: Value| {
        let body = json!({ "payment_session_url": url, "options": options });
        world.call_as(&merchant, "POST", "/hpp/v1/sessions", &body, &[]).await
    };
    assert_eq!(
        host(json!({ "payment_method_categories": ["PAY_LATER", "pay_now"] })).await.status,
        201
    );
    refused(
        &host(json!({ "payment_method_category": "DIRECT_DEBIT" })).await,
        400,
        "BAD_VALUE",
        "Bad value: options.payment_method_category",
    );
    refused(
        &host(json!({ "payment_method_categories": ["PAY_LATER", "KLARNA"] })).await,
        400,
        "BAD_VALUE",
        "Bad value: options.payment_method_categories[1]",
    );
    world.stop().await;
}

#[tokio::test]
async fn no_merchant_sees_anothers_data() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let path = path_of(&created);
    let gone = "Invalid session id";
    for method in ["GET", "DELETE"] {
        let reply = world.call_as(&world.stranger, method, &path, &Value::Null, &[]).await;
        refused(&reply, 404, "NOT_FOUND", gone);
    }
    let request = json!({ "method": "email", "contact_information": { "email": "a@example.com" } });
    let reply = world
        .call_as(&world.stranger, "POST", &format!("{path}/distribution"), &request, &[])
        .await;
    refused(&reply, 404, "NOT_FOUND", gone);
    let body =
        json!({ "payment_session_url": session_url(&world, text(&created, "payment_session_id")) });
    let reply = world.call_as(&world.stranger, "POST", "/hpp/v1/sessions", &body, &[]).await;
    refused(&reply, 404, "NOT_FOUND", gone);
    assert_eq!(read(&world, &created).await["status"], "WAITING");
    let nobody = world.send("GET", &path, &[], "").await;
    assert_eq!(nobody.status, 401);
    for path in [format!("{path}/manual-id-check"), format!("{path}/distribution-module/token")] {
        assert_eq!(world.call("POST", &path, &json!({})).await.status, 404);
    }
    world.stop().await;
}

fn statuses(receiver: &Receiver) -> Vec<String> {
    receiver
        .received()
        .iter()
        .map(|call| call.json["session"]["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_merchant_is_told_of_every_change_by_the_shopper() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[]).await;
        let urls =
            json!({ "status_update": format!("{}/cb?s={{{{session_id}}}}&secret=x", shop.url) });
        let created = hosted(&world, &json!({ "merchant_urls": urls })).await;
        for action in ["open", "open", "deny", "fail", "back", "timeout", "approve"] {
            shopper(&world, &created, action).await;
            world.advance("PT1M").await;
        }
        let expected = [
            "IN_PROGRESS",
            "FAILED",
            "IN_PROGRESS",
            "ERROR",
            "IN_PROGRESS",
            "BACK",
            "IN_PROGRESS",
            "TIMEOUT",
            "IN_PROGRESS",
            "COMPLETED",
        ];
        // In their order, although some follow each other within an instant.
        assert_eq!(statuses(&shop), expected);
        let received = shop.received();
        let id = text(&created, "session_id");
        assert!(received.iter().all(|call| call.path == format!("/cb?s={id}&secret=x")));
        let mut events: Vec<_> = received.iter().map(|call| text(&call.json, "event_id")).collect();
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), expected.len(), "each change has an id of its own");
        let last = received.iter().find(|call| call.json["session"]["status"] == "COMPLETED");
        assert_eq!(last.unwrap().json["session"], read(&world, &created).await);

        // The merchant's own doing is no news.
        let created =
            hosted(&world, &json!({ "merchant_urls": { "status_update": shop.url } })).await;
        world.call("DELETE", &path_of(&created), &Value::Null).await;
        world.advance("PT1H").await;
        assert_eq!(shop.received().len(), expected.len());
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_callback_is_tried_four_times() {
    let world = World::start().await;
    let shop = Receiver::start(&[500, 302, 404, 503]).await;
    let urls = json!({ "status_update": shop.url });
    let created = hosted(&world, &json!({ "merchant_urls": urls })).await;
    shopper(&world, &created, "open").await;
    shop.wait_for(1).await;
    for (wait, count) in [("PT0.999S", 1), ("PT0.001S", 2), ("PT2S", 3), ("PT4S", 4), ("PT48H", 4)]
    {
        world.advance(wait).await;
        assert_eq!(shop.received().len(), count, "after {wait}");
    }
    let received = shop.received();
    assert!(received.iter().all(|call| call.json == received[0].json), "the same event each time");
    let log = world.send("GET", "/playground/v1/requests?limit=50", &[], "").await;
    assert!(log.text.contains("\"attempt\":4"), "{}", log.text);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn status_updates_do_not_lead_inside_unless_that_is_wanted() {
    let shop = Receiver::start(&[]).await;
    let metadata = "https://169.254.169.254/latest/meta-data/".to_owned();
    for (targets, url, refused) in [
        (CallbackTargets::Internet, shop.url.clone(), true),
        (CallbackTargets::Internet, metadata.clone(), true),
        (CallbackTargets::Networks, metadata, true),
        (CallbackTargets::Networks, shop.url.clone(), false),
    ] {
        let world = World::start_with(|config| config.callback_targets = Some(targets)).await;
        let created =
            hosted(&world, &json!({ "merchant_urls": { "status_update": url.as_str() } })).await;
        shopper(&world, &created, "open").await;
        world.advance("PT1M").await;
        let listed = world.send("GET", "/playground/v1/callbacks", &[], "").await;
        let told = &listed.json["callbacks"][0];
        let (state, before) = if refused { ("given_up", 0) } else { ("delivered", 1) };
        assert_eq!(told["state"], state, "{targets:?} {url}: {told}");
        assert_eq!(shop.received().len(), before, "{targets:?} {url}");
        if refused {
            let failure = told["attempts"][0]["failure"].as_str().unwrap();
            assert!(failure.contains("the address may not be called"), "{failure}");
        }
        world.stop().await;
    }
    shop.stop().await;
}

#[tokio::test]
async fn whoever_does_nothing_has_left() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[]).await;
        let merchant = merchant_with(&world, json!({ "hosted_page_idle_minutes": 10 })).await;
        let session = world
            .call_as(
                &merchant,
                "POST",
                "/payments/v1/sessions",
                &Purchase::default().session(),
                &[],
            )
            .await;
        let body = json!({ "payment_session_url": session_url(&world, text(&session.json, "session_id")),
            "merchant_urls": { "status_update": shop.url } });
        let created = world.call_as(&merchant, "POST", "/hpp/v1/sessions", &body, &[]).await.json;
        world.advance("PT1H").await;
        shopper(&world, &created, "open").await;
        world.advance("PT9M").await;
        // Whoever acts is still there.
        shopper(&world, &created, "open").await;
        world.advance("PT9M59S").await;
        let read =
            async || world.call_as(&merchant, "GET", &path_of(&created), &Value::Null, &[]).await;
        assert_eq!(read().await.json["status"], "IN_PROGRESS");
        world.advance("PT1S").await;
        assert_eq!(read().await.json["status"], "BACK");
        world.advance("PT1H").await;
        assert_eq!(statuses(&shop), ["IN_PROGRESS", "TIMEOUT"]);
        shopper(&world, &created, "approve").await;
        world.advance("PT1H").await;
        assert_eq!(read().await.json["status"], "COMPLETED");
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_page_that_was_paid_elsewhere_has_no_time_out() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    let merchant = merchant_with(&world, json!({ "hosted_page_idle_minutes": 10 })).await;
    let purchase = Purchase::default().session();
    let session = world.call_as(&merchant, "POST", "/payments/v1/sessions", &purchase, &[]).await;
    let session_id = text(&session.json, "session_id");
    let body = json!({ "payment_session_url": session_url(&world, session_id),
        "merchant_urls": { "status_update": shop.url } });
    let created = world.call_as(&merchant, "POST", "/hpp/v1/sessions", &body, &[]).await.json;
    shopper(&world, &created, "open").await;
    let told = world.control("/shopper/authorize", &json!({ "session_id": session_id })).await;
    let path = format!("/payments/v1/authorizations/{}/order", text(&told, "authorization_token"));
    assert_eq!(world.call_as(&merchant, "POST", &path, &purchase, &[]).await.status, 200);
    world.advance("PT1H").await;
    assert_eq!(statuses(&shop), ["IN_PROGRESS"]);
    let read = world.call_as(&merchant, "GET", &path_of(&created), &Value::Null, &[]).await;
    assert_eq!(read.json["status"], "COMPLETED");
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn the_control_api_says_what_it_cannot_do() {
    let world = World::start().await;
    let call = async |call: Value| try_shopper(&world, &call).await;
    assert_eq!(call(json!({ "action": "open" })).await.status, 400);
    assert_eq!(call(json!({ "action": "dance", "hpp_session_id": "x" })).await.status, 400);
    assert_eq!(call(json!({ "action": "open", "url": "https://shop.example/" })).await.status, 400);
    assert_eq!(call(json!({ "action": "open", "hpp_session_id": "x" })).await.status, 404);
    let unknown = format!("{}/hpp-page/0000000", world.public_url());
    assert_eq!(call(json!({ "action": "open", "url": unknown })).await.status, 404);
    let created = hosted(&world, &json!({})).await;
    let mut approve =
        json!({ "action": "approve", "url": created["redirect_url"], "payment_method": "gold" });
    assert_eq!(call(approve.clone()).await.status, 400);
    approve["payment_method"] = json!("invoice");
    approve["otp"] = json!("999999");
    let still_there = call(approve.clone()).await;
    assert_eq!(still_there.json["status"], "IN_PROGRESS", "{still_there:?}");
    approve["otp"] = json!("123456");
    approve["email"] = json!("customer+denied@email.se");
    assert_eq!(call(approve.clone()).await.json["status"], "FAILED");
    approve["email"] = json!("customer@email.se");
    assert_eq!(call(approve).await.json["status"], "COMPLETED");
    world.stop().await;
}
