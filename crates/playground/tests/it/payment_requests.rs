//! Payment requests that a merchant's server makes: the API, what the webhook is told, the address on which they are
//! paid, and who may go on with them. And the older Express button, as its page asks the server.

use jiff::Timestamp;
use klarna_types::payment_requests::{PaymentRequest, PaymentRequestEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::common::{Reply, World, engines};
use crate::receiver::Receiver;

const REQUESTS: &str = "/v2/payment/requests";
const SHOP: &str = "http://localhost:7070";

fn asked() -> Value {
    json!({
        "currency": "SEK", "amount": 125_000, "payment_request_reference": "WEB-9", "locale": "sv-SE",
        "customer_interaction_config": {
            "method": "HANDOVER",
            "return_url": "https://shop.example/back?r={klarna.payment_request.id}&s={klarna.payment_request.state}",
        },
        "collect_customer_profile": ["profile:name", "profile:email", "profile:billing_address"],
        "supplementary_purchase_data": { "line_items": [
            { "name": "Kaffekvarn", "quantity": 1, "total_amount": 125_000, "total_tax_amount": 25_000 },
        ] },
    })
}

/// The order that is placed for it.
fn order() -> Value {
    json!({
        "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "order_amount": 125_000, "order_tax_amount": 25_000, "merchant_reference1": "WEB-9",
        "order_lines": [{
            "name": "Kaffekvarn", "quantity": 1, "unit_price": 125_000, "tax_rate": 2_500,
            "total_amount": 125_000, "total_tax_amount": 25_000,
        }],
    })
}

async fn made(world: &World, body: &Value) -> (String, Value) {
    let reply = world.call("POST", REQUESTS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    (reply.json["payment_request_id"].as_str().unwrap().to_owned(), reply.json)
}

async fn read(world: &World, id: &str) -> Value {
    let reply = world.call("GET", &format!("{REQUESTS}/{id}"), &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

/// As the SDK's types read it: they lose nothing of it.
fn typed<T: Serialize + DeserializeOwned>(value: &Value) -> T {
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    let mut again = serde_json::to_value(&typed).unwrap();
    for path in ["/created_at", "/expires_at", "/metadata/occurred_at"] {
        let (Some(theirs), Some(ours)) = (value.pointer(path), again.pointer_mut(path)) else {
            continue;
        };
        let instant = |text: &Value| text.as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(instant(theirs), instant(ours), "{path}");
        *ours = theirs.clone();
    }
    assert_eq!(again, *value);
    typed
}

/// A call of one of the playground's own pages.
async fn own_page(world: &World, token: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", bearer.as_str()));
    }
    world.send("POST", &format!("/kp/v1/{path}"), &headers, body.to_string()).await
}

async fn stand(world: &World, id: &str) -> Reply {
    let key = id.rsplit(':').next().unwrap();
    own_page(world, "", &format!("requests/{key}"), &json!({})).await
}

/// Goes through the purchase flow for a request, as its page does, up to the last command.
async fn purchase(world: &World, id: &str, last: &str) {
    let standing = stand(world, id).await;
    let token = standing.json["client_token"].as_str().unwrap().to_owned();
    let origin = world.public_url();
    let begin = json!({
        "page_origin": origin, "kind": "authorize", "options": {}, "data": {}, "payment_request": id,
    });
    let begun = own_page(world, &token, "flow", &begin).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let flow = begun.json["flow_id"].as_str().unwrap().to_owned();
    for (action, mut body) in [
        ("identify", json!({ "contact": "customer@email.se" })),
        ("code", json!({ "code": "123456" })),
        ("choose", json!({ "offer": "pay_later" })),
        (last, json!({})),
    ] {
        body["page_origin"] = json!(origin);
        let reply = own_page(world, &token, &format!("flow/{flow}/{action}"), &body).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_request_is_made_paid_and_ordered_by_a_server() {
    for engine in engines().await {
        let world = engine.world().await;
        let (id, made) = made(&world, &asked()).await;
        assert_eq!(made["state"], "SUBMITTED");
        assert_eq!(made["expires_at"], "2026-03-02T12:00:00.25Z");
        let interaction = &made["state_context"]["customer_interaction"];
        let key = id.rsplit(':').next().unwrap();
        let address = format!("{}/eu/requests/{key}/start", world.public_url());
        let open: PaymentRequest = typed(&made);
        assert_eq!((open.url(), open.order_token()), (Some(address.as_str()), None));
        assert_eq!(interaction["payment_request_url"], address.as_str());
        let page = world.send("GET", &format!("/eu/requests/{key}/start"), &[], "").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        purchase(&world, &id, "confirm").await;
        let paid = read(&world, &id).await;
        assert_eq!(
            (&paid["state"], &paid["previous_state"]),
            (&json!("COMPLETED"), &json!("IN_PROGRESS"))
        );
        let context = &paid["state_context"];
        let profile = &context["klarna_customer"]["customer_profile"];
        assert_eq!(profile["email"], "customer@email.se");
        assert!(profile["address"]["street_address"].is_string(), "{context}");
        let standing = stand(&world, &id).await;
        assert!(standing.json.get("client_token").is_none(), "{}", standing.text);
        let back = standing.json["return_url"].as_str().unwrap();
        assert_eq!(
            back,
            format!("https://shop.example/back?r={}&s=COMPLETED", id.replace(':', "%3A"))
        );
        // What is over cannot be called off.
        let reply = world.call("DELETE", &format!("{REQUESTS}/{id}"), &Value::Null).await;
        assert_eq!((reply.status, &reply.json["error_code"]), (409, &json!("RESOURCE_CONFLICT")));
        // The newer token places the order as well as the older one.
        let completed: PaymentRequest = typed(&paid);
        assert_eq!((completed.url(), completed.state.is_final()), (None, true));
        let token = completed.order_token().unwrap().expose();
        assert_eq!(context["klarna_network_session_token"], token);
        let path = format!("/payments/v1/authorizations/{token}/order");
        let reply = world.call("POST", &path, &order()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_that_wants_to_hear_of_requests_is_told_each_state() {
    for engine in engines().await {
        let world = engine.world().await;
        let receiver = Receiver::start(&[]).await;
        let webhook = json!({ "webhook": {
            "url": format!("{}/hook", receiver.url), "signing_key": "sesame",
            "signing_key_id": "krn:key:1", "webhook_id": "krn:webhook:1",
            "event_types": ["payment.request.*"],
        } });
        world.control("/merchants/K123456/disputes", &webhook).await;
        let (paid, _) = made(&world, &asked()).await;
        purchase(&world, &paid, "confirm").await;
        receiver.wait_for(3).await;
        let (canceled, _) = made(&world, &asked()).await;
        let reply = world.call("DELETE", &format!("{REQUESTS}/{canceled}"), &Value::Null).await;
        assert_eq!((reply.status, &reply.json["state_reason"]), (200, &json!("PARTNER_CANCELED")));
        receiver.wait_for(5).await;
        let (left, _) = made(&world, &asked()).await;
        purchase(&world, &left, "abort").await;
        receiver.wait_for(8).await;
        world.advance("PT3H").await;
        let received = receiver.wait_for(9).await;
        let told: Vec<(&str, &str)> = received
            .iter()
            .map(|call| {
                let kind = call.json["metadata"]["event_type"].as_str().unwrap();
                let id = call.json["payload"]["payment_request_id"].as_str().unwrap();
                (kind.strip_prefix("payment.request.state-change.").unwrap(), id)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("submitted", paid.as_str()),
                ("in-progress", &paid),
                ("completed", &paid),
                ("submitted", &canceled),
                ("canceled", &canceled),
                ("submitted", &left),
                ("in-progress", &left),
                ("submitted", &left),
                ("expired", &left),
            ]
        );
        for call in &received {
            let event: PaymentRequestEvent = typed(&call.json);
            assert!(event.metadata.event_type.is_known() && event.payload.state.is_known());
            assert!(event.payload.state_reason.is_none_or(|reason| reason.is_known()));
            assert_eq!(call.headers["klarna-signing-key-id"], "krn:key:1");
            assert_eq!(call.headers["klarna-signature"].len(), 64);
            assert_eq!(call.json["metadata"]["event_version"], "v2");
            assert_eq!(call.json["payload"]["payment_request_reference"], "WEB-9");
        }
        let completed = &received[2].json["payload"];
        assert_eq!(completed["state"], "COMPLETED");
        assert!(completed["klarna_network_session_token"].is_string());
        assert_eq!(completed["klarna_customer"]["customer_profile"]["email"], "customer@email.se");
        assert_eq!(received[7].json["payload"]["state_reason"], "PURCHASE_FLOW_ABORTED");
        assert_eq!(received[8].json["metadata"]["occurred_at"], "2026-03-02T12:00:00.25Z");
        assert_eq!(read(&world, &left).await["state"], "EXPIRED");
        world.stop().await;
        receiver.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_of_disputes_hears_nothing_of_requests() {
    let world = World::start().await;
    let webhook = json!({ "webhook": { "url": "https://shop.example/hook" } });
    world.control("/merchants/K123456/disputes", &webhook).await;
    made(&world, &asked()).await;
    let reply = world.send("GET", "/playground/v1/callbacks", &[], "").await;
    assert_eq!(reply.json["callbacks"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_member_by_member() {
    let world = World::start().await;
    let body = json!({
        "currency": "SEK", "amount": 1, "customer_interaction_config": { "return_url": "http://shop.example" },
        "supplementary_purchase_data": { "line_items": [{ "name": "Mug", "quantity": 0, "total_amount": 2 }] },
    });
    let reply = world.call("POST", REQUESTS, &body).await;
    assert_eq!((reply.status, &reply.json["error_code"]), (400, &json!("VALIDATION_ERROR")));
    let wrong: Vec<_> = reply.json["validation_errors"].as_array().unwrap().iter().collect();
    let named: Vec<&str> = wrong.iter().map(|wrong| wrong["parameter"].as_str().unwrap()).collect();
    assert_eq!(
        named,
        [
            "customer_interaction_config.return_url",
            "supplementary_purchase_data.line_items[0].quantity",
            "amount",
        ]
    );
    for (method, path) in [("GET", "krn:payment:request:1"), ("DELETE", "krn:payment:request:1")] {
        let reply = world.call(method, &format!("{REQUESTS}/{path}"), &Value::Null).await;
        assert_eq!((reply.status, &reply.json["error_code"]), (404, &json!("RESOURCE_NOT_FOUND")));
    }
    assert_eq!(stand(&world, "krn:payment:request:1").await.status, 404);
    world.stop().await;
}

/// Pages of the merchant whose server made it may go on with it, pages of others may not; and a page cannot have the
/// browser sent to where it may not be.
#[tokio::test]
async fn a_request_belongs_to_the_merchant_whose_server_made_it() {
    let world = World::start().await;
    let (id, _) = made(&world, &asked()).await;
    let from_page = async |client: &str, path: &str, body: Value| {
        let headers =
            [("content-type", "application/json"), ("kassa-client-id", client), ("origin", SHOP)];
        world.send("POST", &format!("/web-sdk/internal/{path}"), &headers, body.to_string()).await
    };
    let named = json!({ "payment_request_id": id });
    let reply = from_page(&world.client_id(), "payment-requests/fetch", named.clone()).await;
    assert_eq!(
        (reply.status, &reply.json["request"]["state"]),
        (200, &json!("SUBMITTED")),
        "{}",
        reply.text
    );
    let path = format!("/merchants/{}/client-identifiers", world.stranger.merchant_id);
    let other = world.control(&path, &json!({ "allowed_origins": [SHOP] })).await;
    let other = other["client_id"].as_str().unwrap();
    let reply = from_page(other, "payment-requests/fetch", named).await;
    assert_eq!(reply.json["errorCode"], "PAYMENT_REQUEST_NOT_FOUND");
    for (address, status) in [
        ("http://localhost:7070/back", 200),
        ("https://evil.example/", 400),
        ("javascript:alert(1)", 400),
    ] {
        let data = json!({ "currency": "SEK", "amount": 100, "customerInteractionConfig": { "returnUrl": address } });
        let reply =
            from_page(&world.client_id(), "payment-requests", json!({ "data": data })).await;
        assert_eq!(reply.status, status, "{address}: {}", reply.text);
    }
    world.stop().await;
}

#[tokio::test]
async fn the_older_button_tells_pages_of_the_merchant_who_the_shopper_is() {
    let world = World::start().await;
    let ask = async |action: &str, change: Value| {
        let mut body = json!({
            "page_origin": SHOP, "merchant_id": "K123456", "locale": "de-DE",
            "contact": "somebody@example.com", "code": "123456",
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        own_page(&world, "", &format!("express-button/{action}"), &body).await
    };
    let reply = ask("identify", json!({})).await;
    assert_eq!(reply.json["sent_to"], "s•••@example.com");
    assert_eq!(ask("identify", json!({ "contact": "?" })).await.json["problem"], "contact");
    assert_eq!(ask("share", json!({ "code": "999999" })).await.json["problem"], "wrong_code");
    let reply = ask("share", json!({})).await;
    let person = &reply.json["person"];
    assert_eq!(person["email"], "somebody@example.com");
    assert_eq!(person["address"]["country"], "DE");
    for (change, code) in [
        (json!({ "merchant_id": "K000000" }), "invalid_client_id"),
        (json!({ "page_origin": "https://evil.example" }), "origin_not_allowed"),
    ] {
        assert_eq!(ask("share", change).await.json["code"], code);
    }
    assert_eq!(ask("steal", json!({})).await.json["code"], "unknown_action");
    let headers = [("content-type", "application/json"), ("origin", "https://evil.example")];
    let reply = world.send("POST", "/kp/v1/express-button/share", &headers, "{}").await;
    assert_eq!(reply.json["code"], "not_own_page");
    world.stop().await;
}
