//! The In-store API as a till sees it: every operation, every status, every refusal, on both engines.

use crate::common::{Merchant, Purchase, Reply, World, engines};
use crate::receiver::Receiver;
use serde_json::{Value, json};

/// An in-store session's body.
fn body() -> Value {
    let store = json!({ "in_store_payment": [{ "store_info": {
        "merchant_store_id": "STO-7", "store_terminal_id": "POS1232",
        "store_address": {
            "street_address": "Sveavägen", "street_number": "46", "postal_code": "11134",
            "city": "Stockholm", "country": "SE",
        },
    } }] });
    let mut body = Purchase::of(14_900).session();
    body["merchant_reference1"] = json!("POS-1001");
    // The cheapest proof that the channel has no case.
    body["acquiring_channel"] = json!("in_store");
    body["attachment"] = json!({
        "content_type": "application/vnd.klarna.internal.emd-v2+json", "body": store.to_string(),
    });
    body["distribution"] = json!({ "method": "one_qr" });
    body
}

fn with_url(url: &str) -> Value {
    let mut body = body();
    body["distribution"]["callback_urls"] = json!({ "status_update": url });
    body
}

fn with_code(code: &str) -> Value {
    let mut body = body();
    body["distribution"]["short_code"] = json!(code);
    body
}

/// What a till does.
impl World {
    async fn sell(&self, body: &Value) -> String {
        let reply = self.call("POST", "/payments/v1/sessions", body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let id = reply.json["session_id"].as_str().unwrap().to_owned();
        let result_url = format!("{}/iss/v1/distributions/{id}", self.public_url());
        assert_eq!(reply.json["distribution"], json!({ "result_url": result_url }));
        assert!(reply.json["client_token"].is_string());
        id
    }

    async fn result_as(&self, merchant: &Merchant, id: &str) -> Reply {
        let path = format!("/iss/v1/distributions/{id}");
        self.call_as(merchant, "GET", &path, &Value::Null, &[]).await
    }

    async fn result(&self, id: &str) -> Value {
        let reply = self.result_as(&self.merchant, id).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    async fn status(&self, id: &str) -> String {
        self.result(id).await["status"].as_str().unwrap().to_owned()
    }

    async fn cancel_session(&self, id: &str) -> Reply {
        self.call("DELETE", &format!("/payments/v1/sessions/{id}"), &Value::Null).await
    }

    /// A call of the page on the shopper's phone.
    async fn phone(&self, path: &str) -> Reply {
        self.send("POST", &format!("/kp/v1/{path}"), &[], "").await
    }

    async fn link(&self, id: &str) -> String {
        self.result(id).await["payment_link"].as_str().unwrap().to_owned()
    }

    async fn page(&self, id: &str, action: &str) -> Reply {
        let link = self.link(id).await;
        let short_id = link.rsplit('/').next().unwrap();
        self.phone(&format!("in-store/{short_id}/{action}")).await
    }

    async fn pay(&self, id: &str) -> Value {
        let shopper = json!({ "session_id": id, "email": "customer@email.se" });
        let outcome = self.control("/shopper/authorize", &shopper).await;
        assert_eq!(outcome["approved"], true);
        outcome
    }
}

fn code(reply: &Reply) -> &str {
    reply.json["error_code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_purchase_from_the_qr_image_to_the_order() {
    for engine in engines().await {
        let world = engine.world().await;
        let till = Receiver::start(&[]).await;
        let id = world.sell(&with_url(&format!("{}/status?key=a1", till.url))).await;
        let distributed = world.result(&id).await;
        assert_eq!(distributed["status"], "DISTRIBUTED");
        assert_eq!(distributed["session_id"], *id);
        assert_eq!(
            distributed["qr"],
            format!("{}/qr", distributed["payment_link"].as_str().unwrap())
        );

        let page = world.page(&id, "open").await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.json["state"], "open");
        assert_eq!(page.json["amount"], 14_900);
        assert_eq!(page.json["store"], "Sveavägen 46, Stockholm");
        assert_eq!(page.json["reference"], "POS-1001");
        assert_eq!(page.json["lines"][0]["name"], "Shirt");
        assert_eq!(world.status(&id).await, "ACCESSED");
        // Opening it again is nothing new.
        world.page(&id, "open").await;

        world.pay(&id).await;
        let paid = world.result(&id).await;
        assert_eq!(paid["status"], "COMPLETED");
        let order_id = paid["order_id"].as_str().unwrap();
        let order = world
            .call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &Value::Null)
            .await;
        assert_eq!(order.json["status"], "AUTHORIZED");
        assert_eq!(order.json["captured_amount"], 0);
        assert_eq!(order.json["order_amount"], 14_900);
        assert_eq!(order.json["klarna_reference"], paid["klarna_reference"]);
        assert_eq!(order.json["merchant_reference1"], "POS-1001");
        let page = world.page(&id, "look").await;
        assert_eq!(page.json["state"], "completed");
        assert_eq!(page.json["klarna_reference"], paid["klarna_reference"]);
        assert_eq!(page.json.get("client_token"), None);

        // The till is told of each status once, with what it can read itself.
        let told = till.wait_for(3).await;
        let statuses: Vec<&Value> = told.iter().map(|call| &call.json["status"]).collect();
        assert_eq!(statuses, ["DISTRIBUTED", "ACCESSED", "COMPLETED"]);
        assert_eq!(told[2].json, paid);
        assert!(told.iter().all(|call| call.path == "/status?key=a1"));
        till.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn an_in_store_order_is_an_order_like_any_other() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    world.pay(&id).await;
    let paid = world.result(&id).await;
    let order = format!("/ordermanagement/v1/orders/{}", paid["order_id"].as_str().unwrap());
    let capture = world
        .call("POST", &format!("{order}/captures"), &json!({ "captured_amount": 14_900 }))
        .await;
    assert_eq!(capture.status, 201, "{capture:?}");
    let refund =
        world.call("POST", &format!("{order}/refunds"), &json!({ "refunded_amount": 900 })).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    assert_eq!(world.call("GET", &order, &Value::Null).await.json["refunded_amount"], 900);
    world.stop().await;
}

#[tokio::test]
async fn a_pending_purchase_is_completed_and_decided_later() {
    let world = World::start().await;
    let mut wanted = body();
    let british = Purchase::british(14_900).session();
    for member in ["purchase_country", "purchase_currency", "locale", "billing_address"] {
        wanted[member] = british[member].clone();
    }
    let id = world.sell(&wanted).await;
    let shopper = json!({ "session_id": id, "email": "customer+pend-accept-05@email.uk" });
    world.control("/shopper/authorize", &shopper).await;
    let paid = world.result(&id).await;
    assert_eq!(paid["status"], "COMPLETED");
    let order = format!("/ordermanagement/v1/orders/{}", paid["order_id"].as_str().unwrap());
    assert_eq!(world.call("GET", &order, &Value::Null).await.json["fraud_status"], "PENDING");
    world.advance("PT5M").await;
    assert_eq!(world.call("GET", &order, &Value::Null).await.json["fraud_status"], "ACCEPTED");
    world.stop().await;
}

/// The control API on a link, as the shopper's hand.
#[tokio::test]
async fn the_shopper_can_be_played_on_a_link() {
    let world = World::start().await;
    let hosted = async |link: &str, action: &str| {
        let body = json!({ "url": link, "action": action }).to_string();
        let headers = [("content-type", "application/json")];
        world.send("POST", "/playground/v1/shopper/hosted", &headers, body).await
    };
    let id = world.sell(&body()).await;
    let link = world.link(&id).await;
    for (action, status) in [
        ("open", "ACCESSED"),
        ("deny", "ACCESSED"),
        ("fail", "FAILED"),
        ("open", "ACCESSED"),
        ("approve", "COMPLETED"),
        ("open", "COMPLETED"),
    ] {
        let reply = hosted(&link, action).await;
        assert_eq!((reply.status, &reply.json["status"]), (200, &json!(status)), "{action}");
        assert_eq!(reply.json, world.result(&id).await);
        if status == "FAILED" {
            assert_eq!(reply.json["error"]["code"], "UNKNOWN");
        }
    }
    assert_eq!(hosted(&link, "cancel").await.status, 409);
    assert_eq!(hosted(&link, "approve").await.status, 404);
    let id = world.sell(&body()).await;
    let image = world.result(&id).await["qr"].as_str().unwrap().to_owned();
    assert_eq!(hosted(&image, "back").await.status, 409);
    assert_eq!(hosted(&image, "pay").await.status, 400);
    assert_eq!(hosted(&image, "cancel").await.json["status"], "CANCELED");
    assert_eq!(hosted(&image, "approve").await.status, 404);
    let unknown = format!("{}/in-store/0000000", world.public_url());
    assert_eq!(hosted(&unknown, "open").await.status, 404);
    world.stop().await;
}

#[tokio::test]
async fn a_refused_shopper_may_try_again() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    world.page(&id, "open").await;
    let shopper = json!({ "session_id": id, "email": "customer+denied@email.se" });
    assert_eq!(world.control("/shopper/authorize", &shopper).await["approved"], false);
    assert_eq!(world.status(&id).await, "ACCESSED");
    world.pay(&id).await;
    assert_eq!(world.status(&id).await, "COMPLETED");
    world.stop().await;
}

#[tokio::test]
async fn the_store_calls_a_purchase_off() {
    for engine in engines().await {
        let world = engine.world().await;
        let till = Receiver::start(&[]).await;
        let id = world.sell(&with_url(&format!("{}/status", till.url))).await;
        assert_eq!(world.cancel_session(&id).await.status, 204);
        assert_eq!(world.status(&id).await, "CANCELED");
        assert_eq!(world.page(&id, "look").await.json["state"], "canceled");
        // Again is the same as once.
        assert_eq!(world.cancel_session(&id).await.status, 204);
        let told = till.wait_for(2).await;
        assert_eq!(told[1].json["status"], "CANCELED");
        assert_eq!(told.len(), 2);
        // Nobody can pay any more, or read or change the session.
        let path = format!("/payments/v1/sessions/{id}");
        assert_eq!(world.call("GET", &path, &Value::Null).await.status, 404);
        assert_eq!(world.call("POST", &path, &json!({})).await.status, 404);
        let shopper = json!({ "session_id": id, "email": "customer@email.se" }).to_string();
        let headers = [("content-type", "application/json")];
        let refused =
            world.send("POST", "/playground/v1/shopper/authorize", &headers, shopper).await;
        assert_eq!(refused.status, 404);
        till.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn the_shopper_calls_a_purchase_off() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    world.page(&id, "open").await;
    assert_eq!(world.page(&id, "cancel").await.json["state"], "canceled");
    assert_eq!(world.status(&id).await, "CANCELED");
    assert_eq!(world.page(&id, "cancel").await.json["state"], "canceled");
    assert_eq!(world.page(&id, "open").await.json["state"], "canceled");
    world.stop().await;
}

#[tokio::test]
async fn what_is_paid_cannot_be_called_off() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    world.pay(&id).await;
    let refused = world.cancel_session(&id).await;
    assert_eq!((refused.status, code(&refused)), (409, "SESSION_COMPLETED"));
    let refused = world.page(&id, "cancel").await;
    assert_eq!((refused.status, code(&refused)), (409, "SESSION_COMPLETED"));
    assert_eq!(world.status(&id).await, "COMPLETED");
    // Nor paid twice: the session has led to its order.
    let shopper = json!({ "session_id": id, "email": "customer@email.se" }).to_string();
    let headers = [("content-type", "application/json")];
    let refused = world.send("POST", "/playground/v1/shopper/authorize", &headers, shopper).await;
    assert_eq!((refused.status, code(&refused)), (404, "SESSION_COMPLETED"));
    world.stop().await;
}

#[tokio::test]
async fn any_session_can_be_called_off_until_it_is_used() {
    let world = World::start().await;
    let wanted = Purchase::of(5_000).session();
    let open = world.call("POST", "/payments/v1/sessions", &wanted).await;
    let id = open.json["session_id"].as_str().unwrap();
    let token = world.pay(id).await["authorization_token"].as_str().unwrap().to_owned();
    assert_eq!(world.cancel_session(id).await.status, 204);
    assert_eq!(world.cancel_session(id).await.status, 404);
    // What was approved goes with it.
    let order = format!("/payments/v1/authorizations/{token}/order");
    let refused = world.call("POST", &order, &wanted).await;
    assert_eq!((refused.status, code(&refused)), (404, "NOT_FOUND"));

    let open = world.call("POST", "/payments/v1/sessions", &wanted).await;
    let id = open.json["session_id"].as_str().unwrap();
    let token = world.pay(id).await["authorization_token"].as_str().unwrap().to_owned();
    let order = format!("/payments/v1/authorizations/{token}/order");
    assert_eq!(world.call("POST", &order, &wanted).await.status, 200);
    let refused = world.cancel_session(id).await;
    assert_eq!((refused.status, code(&refused)), (409, "SESSION_COMPLETED"));
    assert_eq!(world.cancel_session("unknown").await.status, 404);
    world.stop().await;
}

#[tokio::test]
async fn a_purchase_ends_after_46_hours() {
    for engine in engines().await {
        let world = engine.world().await;
        let open = world.sell(&body()).await;
        let link = world.link(&open).await;
        let short_id = link.rsplit('/').next().unwrap();
        let paid = world.sell(&body()).await;
        world.pay(&paid).await;
        world.advance("PT45H59M59S").await;
        assert_eq!(world.status(&open).await, "DISTRIBUTED");
        world.advance("PT1S").await;
        let gone = world.result_as(&world.merchant, &open).await;
        assert_eq!((gone.status, code(&gone)), (404, "NOT_FOUND"));
        assert_eq!(world.cancel_session(&open).await.status, 404);
        for path in ["open", "look", "cancel"] {
            assert_eq!(world.phone(&format!("in-store/{short_id}/{path}")).await.status, 404);
        }
        let image = format!("/in-store/{short_id}/qr");
        assert_eq!(world.send("GET", &image, &[], "").await.status, 404);
        // The till can still read what was paid, until the session is forgotten.
        assert_eq!(world.status(&paid).await, "COMPLETED");
        world.advance("PT49H").await;
        assert_eq!(world.result_as(&world.merchant, &paid).await.status, 404);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_printed_code_leads_to_the_till_by_a_short_code() {
    for engine in engines().await {
        let world = engine.world().await;
        let till = Receiver::start(&[]).await;
        let scan = world.phone(&format!("counter/{}", world.merchant.merchant_id)).await;
        assert_eq!(scan.status, 200, "{scan:?}");
        let scan_id = scan.json["scan_id"].as_str().unwrap();
        let short_code = scan.json["short_code"].as_str().unwrap();
        assert_eq!(scan.json["expires_in_s"], 600);
        assert_eq!(world.phone(&format!("scans/{scan_id}")).await.json.get("payment_link"), None);

        let mut wanted = with_url(&format!("{}/status", till.url));
        wanted["distribution"]["short_code"] = json!(short_code);
        let id = world.sell(&wanted).await;
        assert_eq!(world.status(&id).await, "WAITING");
        let fetched = world.phone(&format!("scans/{scan_id}")).await;
        assert_eq!(fetched.json["payment_link"], *world.link(&id).await);
        assert_eq!(world.status(&id).await, "DISTRIBUTED");
        world.page(&id, "open").await;
        world.pay(&id).await;
        let told = till.wait_for(3).await;
        let statuses: Vec<&Value> = told.iter().map(|call| &call.json["status"]).collect();
        // Of waiting nothing is said.
        assert_eq!(statuses, ["DISTRIBUTED", "ACCESSED", "COMPLETED"]);
        // A code is used once.
        let again = world.sell(&wanted).await;
        assert_eq!(world.status(&again).await, "FAILED");
        till.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_short_code_that_leads_nowhere_leaves_the_qr_image() {
    let world = World::start().await;
    let till = Receiver::start(&[]).await;
    let own = json!({ "merchant_id": world.merchant.merchant_id });
    let foreign = json!({ "merchant_id": world.stranger.merchant_id });
    let old = world.control("/shopper/scan", &own).await["short_code"].clone();
    world.advance("PT10M").await;
    let strangers = world.control("/shopper/scan", &foreign).await["short_code"].clone();
    let codes = ["1", "12a", "123456789012345678901", "", "-12"].map(Value::from);
    // A phone shows six digits, so nobody shows these.
    let unknown = ["12", "12345678901234567890"].map(Value::from);
    for code in codes.iter().chain(&unknown).chain([&old, &strangers]) {
        let mut wanted = with_code(code.as_str().unwrap());
        wanted["distribution"]["callback_urls"] = json!({ "status_update": till.url });
        let id = world.sell(&wanted).await;
        let result = world.result(&id).await;
        assert_eq!(result["status"], "FAILED", "{code}");
        assert_eq!(result["error"]["code"], "BAD_REQUEST");
        assert_eq!(till.wait_for(1).await.last().unwrap().json["status"], "FAILED");
    }
    assert_eq!(till.wait_for(9).await.len(), 9);
    // What the till falls back to.
    let id = world.sell(&with_code("12")).await;
    world.page(&id, "open").await;
    assert_eq!(world.status(&id).await, "ACCESSED");
    world.pay(&id).await;
    assert_eq!(world.result(&id).await.get("error"), None);
    till.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn an_account_without_stores_is_told_so() {
    let world = World::start().await;
    let created = world
        .control(
            "/merchants",
            &json!({ "merchant_id": "K777777", "settings": { "in_store": "disabled" } }),
        )
        .await;
    let merchant = Merchant::new(
        "K777777",
        created["username"].as_str().unwrap(),
        created["password"].as_str().unwrap(),
    );
    let opened = world.call_as(&merchant, "POST", "/payments/v1/sessions", &body(), &[]).await;
    let id = opened.json["session_id"].as_str().unwrap();
    let result = world.result_as(&merchant, id).await.json;
    assert_eq!(result["status"], "FAILED");
    assert_eq!(result["error"]["code"], "PERMISSION_DENIED");
    assert_eq!((result.get("qr"), result.get("payment_link")), (None, None));
    let shopper = json!({ "session_id": id, "email": "customer@email.se" }).to_string();
    let headers = [("content-type", "application/json")];
    let refused = world.send("POST", "/playground/v1/shopper/authorize", &headers, shopper).await;
    assert_eq!(refused.status, 404);
    // It can be called off all the same.
    let path = format!("/payments/v1/sessions/{id}");
    assert_eq!(world.call_as(&merchant, "DELETE", &path, &Value::Null, &[]).await.status, 204);
    world.stop().await;
}

#[tokio::test]
async fn another_merchants_purchase_is_as_unknown_as_none() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    let path = format!("/payments/v1/sessions/{id}");
    let strangers = [
        world.result_as(&world.stranger, &id).await,
        world.call_as(&world.stranger, "DELETE", &path, &Value::Null, &[]).await,
        world.result_as(&world.merchant, "unknown").await,
        world.result_as(&world.merchant, "%00").await,
    ];
    for reply in strangers {
        assert_eq!((reply.status, code(&reply)), (404, "NOT_FOUND"), "{reply:?}");
    }
    // A session that was not sold in a store has no result.
    let web = world.call("POST", "/payments/v1/sessions", &Purchase::of(100).session()).await;
    let web = web.json["session_id"].as_str().unwrap();
    assert_eq!(world.result_as(&world.merchant, web).await.status, 404);
    assert_eq!(world.status(&id).await, "DISTRIBUTED");
    // Without credentials nobody reads anything.
    let path = format!("/iss/v1/distributions/{id}");
    assert_eq!(world.send("GET", &path, &[], "").await.status, 401);
    assert_eq!(world.call("POST", &path, &json!({})).await.status, 405);
    world.stop().await;
}

#[tokio::test]
async fn what_a_session_lacks_is_named() {
    let world = World::start().await;
    let cases = [
        (json!({ "acquiring_channel": "ECOMMERCE" }), "acquiring_channel"),
        (json!({ "acquiring_channel": null }), "acquiring_channel"),
        (json!({ "attachment": null }), "attachment"),
        (json!({ "intent": "tokenize" }), "intent"),
        (json!({ "distribution": {} }), "distribution.method"),
        (json!({ "distribution": { "method": "two_qr" } }), "distribution.method"),
        (
            json!({ "distribution": {
                "method": "one_qr", "callback_urls": { "status_update": "http://pos.example/" },
            } }),
            "distribution.callback_urls.status_update",
        ),
    ];
    for (change, path) in cases {
        let mut wanted = body();
        for (member, value) in change.as_object().unwrap() {
            wanted[member] = value.clone();
        }
        let reply = world.call("POST", "/payments/v1/sessions", &wanted).await;
        assert_eq!((reply.status, code(&reply)), (400, "BAD_VALUE"), "{change}");
        assert_eq!(reply.json["error_messages"][0], format!("Bad value: {path}"));
    }
    for wrong in [json!({ "distribution": [] }), json!({ "distribution": { "short_code": 12 } })] {
        let mut wanted = body();
        wanted["distribution"] = wrong["distribution"].clone();
        let reply = world.call("POST", "/payments/v1/sessions", &wanted).await;
        assert_eq!((reply.status, code(&reply)), (400, "BAD_REQUEST"), "{wrong}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_update_changes_what_is_bought_and_not_how_it_comes_to_the_shopper() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    let link = world.link(&id).await;
    let mut update = Purchase::of(9_900).session();
    update["distribution"] = json!({ "method": "one_qr", "short_code": "1" });
    let reply = world.call("POST", &format!("/payments/v1/sessions/{id}"), &update).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert_eq!(world.link(&id).await, link);
    assert_eq!(world.page(&id, "open").await.json["amount"], 9_900);
    world.stop().await;
}

#[tokio::test]
async fn a_till_that_does_not_answer_is_told_four_times() {
    for (answers, expected) in [(vec![500, 302, 204], 3), (vec![503; 9], 4)] {
        let world = World::start().await;
        let till = Receiver::start(&answers).await;
        let id = world.sell(&with_url(&format!("{}/status", till.url))).await;
        world.advance("PT1H").await;
        let told = till.received();
        assert_eq!(told.len(), expected, "{answers:?}");
        assert!(told.iter().all(|call| call.json == told[0].json));
        assert_eq!(told[0].json, world.result(&id).await);
        till.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn images_of_links_can_be_read_and_shown_by_anyone() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    let result = world.result(&id).await;
    let path = result["qr"].as_str().unwrap().strip_prefix(&world.public_url()).unwrap().to_owned();
    let image = world.send("GET", &path, &[], "").await;
    assert_eq!(image.header("content-type"), "image/png");
    assert_eq!(image.header("cross-origin-resource-policy"), "cross-origin");
    let svg = world.send("GET", &format!("{path}?format=svg"), &[], "").await;
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    assert!(svg.text.starts_with("<svg"));
    for (query, status) in [
        ("?size=100", 200),
        ("?size=1000", 200),
        ("?size=99", 400),
        ("?size=1001", 400),
        ("?size=big", 400),
        ("?format=gif", 400),
    ] {
        assert_eq!(world.send("GET", &format!("{path}{query}"), &[], "").await.status, status);
    }
    let counter = format!("/counter/{}/qr", world.merchant.merchant_id);
    assert_eq!(world.send("GET", &counter, &[], "").await.header("content-type"), "image/png");
    for unknown in ["/in-store/0000000/qr", "/counter/nobody/qr"] {
        assert_eq!(world.send("GET", unknown, &[], "").await.status, 404, "{unknown}");
    }
    world.stop().await;
}

#[tokio::test]
async fn only_the_pages_own_calls_change_anything() {
    let world = World::start().await;
    let id = world.sell(&body()).await;
    let link = world.link(&id).await;
    let short_id = link.rsplit('/').next().unwrap();
    // Whoever previews a link does not open it.
    let page = world.send("GET", &format!("/in-store/{short_id}"), &[], "").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(world.status(&id).await, "DISTRIBUTED");
    let path = format!("/kp/v1/in-store/{short_id}/open");
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let refused = world.send("POST", &path, &[header], "").await;
        assert_eq!((refused.status, code(&refused)), (403, "NOT_OWN_PAGE"));
    }
    for path in ["in-store/0000000/open", "in-store/0000000/pay", "counter/nobody", "scans/none"] {
        assert_eq!(world.phone(path).await.status, 404, "{path}");
    }
    assert_eq!(world.phone(&format!("in-store/{short_id}/pay")).await.status, 404);
    assert_eq!(world.status(&id).await, "DISTRIBUTED");
    world.stop().await;
}

#[tokio::test]
async fn a_link_survives_a_restart_and_not_a_reset() {
    for engine in engines().await {
        let world = engine.world().await;
        let id = world.sell(&body()).await;
        world.page(&id, "open").await;
        world.stop().await;
        let world = engine.world().await;
        assert_eq!(world.status(&id).await, "ACCESSED");
        world.control("/reset", &json!({})).await;
        assert_eq!(world.result_as(&world.merchant, &id).await.status, 404);
        world.stop().await;
    }
}
