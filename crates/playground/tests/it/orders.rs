//! The Order Management API over HTTP: all 18 operations, each documented refusal, and what time and
//! repetition do. Orders are placed the way a shop places them.

mod bad_input;
mod desk;
mod keys;

use crate::common;
use std::fmt::Write as _;

use crate::common::{Purchase, World};
use crate::receiver::Receiver;
use desk::{ALL_18, Desk, NOBODY, Transcript, body};
use serde_json::{Value, json};

#[tokio::test]
async fn the_life_of_an_order_reads_as_documented() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        let mut transcript = Transcript::new(&world);
        let shipping = json!({ "shipping_info": [{
        "shipping_company": "DHL Sweden", "shipping_method": "Home", "tracking_number": "63456415674545679874",
        "tracking_uri": "https://shipping.example/findmypackage?63456415674545679874",
    }] });
        let capture = json!({
            "captured_amount": 4_000, "description": "Half of it", "reference": "SHIPMENT-1",
            "order_lines": [{
                "type": "physical", "reference": "shirt", "name": "Shirt", "quantity": 1,
                "unit_price": 4_000, "tax_rate": 0, "total_amount": 4_000, "total_tax_amount": 0,
            }],
            "shipping_info": shipping["shipping_info"],
        });
        let steps = [
            ("GET", "", Value::Null),
            ("POST", "/acknowledge", Value::Null),
            ("PATCH", "/merchant-references", json!({ "merchant_reference2": "INTERNAL-7" })),
            (
                "PATCH",
                "/customer-details",
                json!({ "shipping_address": { "city": "Uppsala", "postal_code": "75310" } }),
            ),
            ("POST", "/shipping-info", shipping.clone()),
            ("POST", "/extend-authorization-time", Value::Null),
            ("POST", "/captures", capture),
            ("GET", "/captures", Value::Null),
            ("GET", "/captures/{c}", Value::Null),
            ("POST", "/captures/{c}/shipping-info", shipping),
            ("POST", "/captures/{c}/trigger-send-out", Value::Null),
            ("GET", "/captures/{c}/extend-due-date-options", Value::Null),
            ("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 10 })),
            ("PATCH", "/authorization", json!({ "order_amount": 9_000, "description": "Less" })),
            (
                "POST",
                "/refunds",
                json!({ "refunded_amount": 1_500, "description": "Back", "reference": "R-1" }),
            ),
            ("GET", "/refunds/{r}", Value::Null),
            ("POST", "/release-remaining-authorization", Value::Null),
            ("GET", "", Value::Null),
            ("POST", "/cancel", Value::Null),
        ];
        for (method, rest, body) in steps {
            let reply = desk.send(method, rest, &body).await;
            transcript.add(method, rest, &body, &reply);
            for (name, id) in
                [("capture-id", &mut desk.capture_id), ("refund-id", &mut desk.refund_id)]
            {
                if let Some(value) = reply.headers.get(name) {
                    value.to_str().unwrap().clone_into(id);
                }
            }
        }
        let order = desk.read().await;
        transcript.hide(order["klarna_reference"].as_str().unwrap(), "K4MADNY");
        insta::assert_snapshot!("the_life_of_an_order_reads_as_documented", transcript.text);
        world.stop().await;
    }
}

#[tokio::test]
async fn the_worked_ledger_is_answered() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        assert_eq!(desk.ledger().await, "10000 10000 0 0 10000 AUTHORIZED");
        desk.capture(4_000).await;
        assert_eq!(desk.ledger().await, "10000 10000 4000 0 6000 PART_CAPTURED");
        desk.check("PATCH", "/authorization", json!({ "order_amount": 9_000 }), "204").await;
        assert_eq!(desk.ledger().await, "9000 10000 4000 0 5000 PART_CAPTURED");
        assert_eq!(desk.read().await["order_lines"], json!([]));
        desk.check(
        "PATCH",
        "/authorization",
        json!({ "order_amount": 3_000 }),
        "403 NOT_ALLOWED Resulting authorization amount 3000 cannot be less than the captured amount 4000 for order. \
         Order authorization cannot be updated",
    )
    .await;
        desk.refund(1_500).await;
        assert_eq!(desk.ledger().await, "9000 10000 4000 1500 5000 PART_CAPTURED");
        desk.check(
        "POST",
        "/captures",
        json!({ "captured_amount": 6_000 }),
        "403 CAPTURE_NOT_ALLOWED Captured amount is higher than the remaining authorized amount. Capture not possible.",
    )
    .await;
        desk.check("POST", "/release-remaining-authorization", Value::Null, "204").await;
        assert_eq!(desk.ledger().await, "9000 10000 4000 1500 0 CAPTURED");
        desk.check(
            "POST",
            "/refunds",
            json!({ "refunded_amount": 3_000 }),
            "403 REFUND_NOT_ALLOWED Over refund is not allowed. Refund not possible.",
        )
        .await;
        desk.refund(2_500).await;
        assert_eq!(desk.ledger().await, "9000 10000 4000 4000 0 CAPTURED");
        world.stop().await;
    }
}

/// Every operation in every status: what it is answered with.
#[tokio::test]
async fn each_status_refuses_what_it_must() {
    let statuses = ["AUTHORIZED", "PART_CAPTURED", "CAPTURED", "CANCELLED", "EXPIRED", "CLOSED"];
    let parcel = json!({ "shipping_info": [{ "tracking_number": "1" }] });
    let operations = [
        ("GET", "", Value::Null),
        ("GET", "/captures", Value::Null),
        ("POST", "/acknowledge", Value::Null),
        ("PATCH", "/authorization", json!({ "order_amount": 9_000 })),
        ("PATCH", "/merchant-references", json!({ "merchant_reference1": "B" })),
        ("PATCH", "/customer-details", json!({ "shipping_address": { "city": "Lund" } })),
        ("POST", "/shipping-info", parcel.clone()),
        ("POST", "/captures", json!({ "captured_amount": 1 })),
        ("POST", "/cancel", Value::Null),
        ("POST", "/refunds", json!({ "refunded_amount": 1 })),
        ("POST", "/release-remaining-authorization", Value::Null),
        ("POST", "/extend-authorization-time", Value::Null),
        ("POST", "/captures/{c}/shipping-info", parcel),
        ("POST", "/captures/{c}/trigger-send-out", Value::Null),
        ("GET", "/captures/{c}/extend-due-date-options", Value::Null),
        ("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 10 })),
    ];
    let mut table = String::new();
    for status in statuses {
        let world = World::start().await;
        for (method, rest, body) in &operations {
            let desk = Desk::in_status(&world, status).await;
            let reply = desk.send(method, rest, body).await;
            writeln!(table, "{status} {method} {rest}: {}", desk.line(&reply)).unwrap();
        }
        world.stop().await;
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn an_unknown_order_is_not_found_on_every_route() {
    let world = World::start().await;
    let desk = Desk::of(&world, "7a31c2f9-09a5-4bd9-8c4f-0a1f3c7e5d11".to_owned());
    let mut table = String::new();
    for (method, rest, text) in ALL_18 {
        let reply = desk.send(method, rest, &body(text)).await;
        writeln!(table, "{method} {rest}: {}", desk.line(&reply)).unwrap();
    }
    insta::assert_snapshot!(table);
    world.stop().await;
}

/// One merchant's credentials on another one's ids, over every route: the answer is that for an id that
/// nobody has, and nothing changes.
#[tokio::test]
async fn no_merchant_sees_anothers_data() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        desk.capture(4_000).await;
        desk.refund(1_000).await;
        let before = desk.read().await;
        for (method, rest, text) in ALL_18 {
            let path = desk.path(rest);
            assert_stranger(&world, method, &path, &desk.order_id, &body(text)).await;
        }
        assert_eq!(desk.read().await, before);

        // The Payments API: a session that is open, authorized, and led to an order.
        let purchase = Purchase {
            extra: json!({ "intent": "buy_and_tokenize", "merchant_data": "secret" }),
            ..Purchase::of(10_000)
        };
        let order = purchase.session();
        let token_request = json!({
            "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
            "description": "Kaffe", "intended_use": "SUBSCRIPTION",
        });
        let created = world.call("POST", "/payments/v1/sessions", &order).await.json;
        let session_id = created["session_id"].as_str().unwrap();
        let path = format!("/payments/v1/sessions/{session_id}");
        let on_session = [
            ("GET", Value::Null),
            ("POST", json!({ "merchant_data": "stolen" })),
            ("POST", json!({})),
        ];
        for (method, body) in &on_session {
            assert_stranger(&world, method, &path, session_id, body).await;
        }
        let shopper = json!({ "session_id": session_id, "payment_method": "invoice" });
        let outcome = world.control("/shopper/authorize", &shopper).await;
        let token = outcome["authorization_token"].as_str().unwrap();
        let authorization = format!("/payments/v1/authorizations/{token}");
        let on_authorization = [
            ("DELETE", authorization.clone(), Value::Null),
            ("POST", format!("{authorization}/order"), order.clone()),
            ("POST", format!("{authorization}/customer-token"), token_request.clone()),
        ];
        let on_all = async || {
            for (method, body) in &on_session {
                assert_stranger(&world, method, &path, session_id, body).await;
            }
            for (method, path, body) in &on_authorization {
                assert_stranger(&world, method, path, token, body).await;
            }
        };
        on_all().await;
        assert_eq!(world.call("GET", &path, &Value::Null).await.json["merchant_data"], "secret");
        // Also once there is an answer that its owner would be given again.
        for (_, path, body) in on_authorization[1..].iter().rev() {
            let reply = world.call("POST", path, body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            on_all().await;
        }

        // What the stranger makes is the stranger's.
        let theirs = world.purchase_as(&world.stranger, &Purchase::of(10_000)).await;
        let theirs = Desk::of(&world, theirs["order_id"].as_str().unwrap().to_owned());
        let missing = "404 NO_SUCH_ORDER Order {o} cannot be found";
        theirs.check("GET", "", Value::Null, missing).await;
        world.stop().await;
    }
}

/// The stranger is answered about `id` exactly as about an id that nobody has.
async fn assert_stranger(world: &World, method: &str, path: &str, id: &str, body: &Value) {
    let theirs = world.call_as(&world.stranger, method, path, body, &[]).await;
    let nobodys = path.replace(id, NOBODY);
    let nobodys = world.call_as(&world.stranger, method, &nobodys, body, &[]).await;
    assert_eq!(theirs.status, 404, "{method} {path}: {theirs:?}");
    let (mut theirs, nobodys) = (theirs.json, nobodys.json);
    theirs["correlation_id"] = nobodys["correlation_id"].clone();
    assert_eq!(theirs.to_string().replace(id, NOBODY), nobodys.to_string(), "{method} {path}");
}

#[tokio::test]
async fn unknown_captures_and_refunds_are_not_found() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    NOBODY.clone_into(&mut desk.capture_id);
    let parcel = json!({ "shipping_info": [{}] });
    let missing = "404 NO_SUCH_CAPTURE Capture {?} cannot be found for order {o}";
    desk.check("GET", "/captures/{c}", Value::Null, missing).await;
    desk.check("POST", "/captures/{c}/trigger-send-out", Value::Null, missing).await;
    desk.check("GET", "/captures/{c}/extend-due-date-options", Value::Null, missing).await;
    desk.check("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 2 }), missing)
        .await;
    desk.check(
        "POST",
        "/captures/{c}/shipping-info",
        parcel,
        "404 NO_SUCH_CAPTURE Capture could not be found. Shipping info cannot be added to capture {?}",
    )
    .await;
    desk.check(
        "GET",
        "/refunds/{r}",
        Value::Null,
        "404 NOT_FOUND Refund {?} cannot be found for order {o}",
    )
    .await;
    // Routes that exist elsewhere, or once existed.
    desk.check("GET", "/refunds", Value::Null, "405 METHOD_NOT_ALLOWED").await;
    desk.check("POST", "/captures/{c}/refunds", json!({ "refunded_amount": 1 }), "404 NOT_FOUND")
        .await;
    desk.check("PATCH", "/captures/{c}/customer-details", json!({}), "404 NOT_FOUND").await;
    world.stop().await;
}

#[tokio::test]
async fn an_authorisation_expires_on_the_clock_and_can_be_extended() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::open(&world, &Purchase::of(10_000)).await;
        let order = desk.read().await;
        assert_eq!(order["created_at"], "2026-03-02T09:00:00.250Z");
        assert_eq!(order["expires_at"], "2026-03-30T00:00:00.000Z");
        world.advance("P10D").await;
        desk.check("POST", "/extend-authorization-time", Value::Null, "204").await;
        assert_eq!(desk.read().await["expires_at"], "2026-04-09T00:00:00.000Z");
        world.control("/clock", &json!({ "set": "2026-04-08T23:59:59.999Z" })).await;
        assert_eq!(desk.read().await["status"], "AUTHORIZED");
        world.control("/clock", &json!({ "set": "2026-04-09T00:00:00Z" })).await;
        assert_eq!(desk.ledger().await, "10000 10000 0 0 0 EXPIRED");
        desk.check(
            "POST",
            "/extend-authorization-time",
            Value::Null,
            "403 NOT_ALLOWED Order is expired. Authorization time cannot be extended.",
        )
        .await;
        desk.check(
            "POST",
            "/captures",
            json!({ "captured_amount": 1 }),
            "403 CAPTURE_NOT_ALLOWED Order {o} is expired. Capture not possible.",
        )
        .await;
        world.stop().await;
    }
}

#[tokio::test]
async fn an_authorisation_lasts_180_days_at_most() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let mut expires_at = Value::Null;
    loop {
        desk.check("POST", "/extend-authorization-time", Value::Null, "204").await;
        let extended = desk.read().await["expires_at"].clone();
        if extended == expires_at {
            break;
        }
        expires_at = extended;
        world.advance("P27D").await;
        if desk.read().await["status"] != "AUTHORIZED" {
            break;
        }
    }
    assert_eq!(expires_at, "2026-08-29T09:00:00.250Z");
    world.stop().await;
}

#[tokio::test]
async fn an_order_can_be_read_for_three_years() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    world.control("/clock", &json!({ "set": "2029-03-02T09:00:00.249Z" })).await;
    assert_eq!(desk.read().await["status"], "EXPIRED");
    world.control("/clock", &json!({ "set": "2029-03-02T09:00:00.250Z" })).await;
    desk.check("GET", "", Value::Null, "404 NO_SUCH_ORDER Order {o} cannot be found").await;
    world.stop().await;
}

#[tokio::test]
async fn an_order_with_automatic_capture_is_captured_at_once() {
    let world = World::start().await;
    let purchase =
        Purchase { order_extra: json!({ "auto_capture": true }), ..Purchase::of(10_000) };
    let desk = Desk::open(&world, &purchase).await;
    assert_eq!(desk.ledger().await, "10000 10000 10000 0 0 CAPTURED");
    let captures = desk.send("GET", "/captures", &Value::Null).await.json;
    assert_eq!(captures[0]["captured_amount"], 10_000);
    assert_eq!(captures[0]["order_lines"][0]["reference"], "shirt");
    world.stop().await;
}

/// A British order under review.
async fn under_review<'a>(world: &'a World, email: &'static str) -> Desk<'a> {
    let purchase = Purchase { email, ..Purchase::british(10_000) };
    let order = world.purchase(&purchase).await;
    assert_eq!(order["fraud_status"], "PENDING");
    Desk::of(world, order["order_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_review_that_accepts_lets_the_order_be_captured() {
    let world = World::start().await;
    let mut desk = under_review(&world, "customer+pend-accept-05@email.uk").await;
    assert_eq!(desk.read().await["fraud_status"], "PENDING");
    let refused = "403 CAPTURE_NOT_ALLOWED Capture not allowed";
    desk.check("POST", "/captures", json!({ "captured_amount": 1 }), refused).await;
    world.advance("PT5M").await;
    assert_eq!(desk.read().await["fraud_status"], "ACCEPTED");
    desk.capture(10_000).await;
    world.stop().await;
}

#[tokio::test]
async fn a_review_that_rejects_cancels_the_order_after_four_hours() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = under_review(&world, "customer+pend-reject-05@email.uk").await;
        world.advance("PT5M").await;
        let order = desk.read().await;
        assert_eq!(
            (&order["fraud_status"], &order["status"]),
            (&json!("REJECTED"), &json!("AUTHORIZED"))
        );
        world.advance("PT3H59M59S").await;
        assert_eq!(desk.read().await["status"], "AUTHORIZED");
        world.advance("PT1S").await;
        assert_eq!(desk.ledger().await, "10000 10000 0 0 0 CANCELLED");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_capture_within_four_hours_overrules_a_rejection() {
    let world = World::start().await;
    let mut desk = under_review(&world, "customer+pend-reject-05@email.uk").await;
    world.advance("PT4H4M59S").await;
    desk.capture(4_000).await;
    world.advance("P1D").await;
    assert_eq!(desk.ledger().await, "10000 10000 4000 0 6000 PART_CAPTURED");
    assert_eq!(desk.read().await["fraud_status"], "REJECTED");
    world.stop().await;
}

#[tokio::test]
async fn a_merchant_overrules_an_acceptance_by_cancelling() {
    let world = World::start().await;
    let desk = under_review(&world, "customer+pend-accept-05@email.uk").await;
    world.advance("PT5M").await;
    desk.check("POST", "/cancel", Value::Null, "204").await;
    assert_eq!(desk.ledger().await, "10000 10000 0 0 0 CANCELLED");
    world.stop().await;
}

/// Nothing is seen of it until the money has moved; but the order knows.
#[tokio::test]
async fn an_order_keeps_the_dispute_that_its_shopper_will_raise() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let purchase = Purchase {
            email: "customer+disputed-goods_not_received@email.se",
            ..Purchase::of(10_000)
        };
        let mut desk = Desk::open(&world, &purchase).await;
        assert_eq!(desk.read().await.get("dispute"), None);
        // It outlives what happens to the order.
        desk.capture(4_000).await;
        let order_id = desk.order_id;
        world.stop().await;
        let database = storage::Database::open(&engine.location, &[]).await.unwrap();
        let document: String = database
            .read(move |tx| {
                let sql = "SELECT document FROM orders WHERE order_id = $1";
                tx.query_one(sql, &[&order_id])?.get(0)
            })
            .await
            .unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["dispute"], "goods_not_received");
        database.close().await;
    }
}

#[tokio::test]
async fn a_billing_address_cannot_change() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.check(
        "PATCH",
        "/customer-details",
        json!({ "billing_address": { "city": "Lund" } }),
        "403 NOT_ALLOWED Billing address cannot be updated for user account order. Customer details cannot be updated.",
    )
    .await;
    desk.check("PATCH", "/customer-details", json!({}), "204").await;
    desk.check("PATCH", "/merchant-references", json!({}), "204").await;
    desk.check("PATCH", "/merchant-references", json!({ "merchant_reference1": null }), "204")
        .await;
    assert_eq!(desk.read().await["merchant_reference1"], "WEB-1001");
    desk.check("PATCH", "/merchant-references", json!({ "merchant_reference1": "" }), "204").await;
    assert_eq!(desk.read().await.get("merchant_reference1"), None);
    world.stop().await;
}

#[tokio::test]
async fn edges_of_captures_and_refunds() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let refused = "403 CAPTURE_NOT_ALLOWED Capture not allowed";
    desk.check("POST", "/captures", json!({ "captured_amount": 0 }), refused).await;
    desk.check("POST", "/captures", json!({ "captured_amount": 1, "shipping_delay": 1 }), refused)
        .await;
    desk.check("POST", "/captures", json!({ "captured_amount": 1, "shipping_delay": 0 }), "201")
        .await;
    desk.capture(9_999).await;
    desk.check(
        "POST",
        "/refunds",
        json!({ "refunded_amount": 0 }),
        "403 REFUND_NOT_ALLOWED Refund not allowed",
    )
    .await;
    let over = "403 REFUND_NOT_ALLOWED Over refund is not allowed. Refund not possible.";
    desk.check("POST", "/refunds", json!({ "refunded_amount": 10_001 }), over).await;
    desk.refund(10_000).await;
    desk.check("POST", "/refunds", json!({ "refunded_amount": 1 }), over).await;
    world.stop().await;
}

#[tokio::test]
async fn a_return_fee_is_kept_back() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(10_000).await;
    let refund = |amount: i64| {
        json!({ "refunded_amount": amount, "order_lines": [
            { "reference": "shirt", "name": "T-shirt", "quantity": 1, "unit_price": 10_000, "total_amount": 10_000 },
            { "type": "return_fee", "name": "Return", "quantity": 1, "unit_price": -500, "total_amount": -500 },
        ] })
    };
    let refused = "403 REFUND_NOT_ALLOWED Return fee is not allowed. Refund not possible.";
    desk.check("POST", "/refunds", refund(9_400), refused).await;
    desk.check("POST", "/refunds", refund(9_500), "201").await;
    desk.refund(500).await;
    let mut british = Desk::open(&world, &Purchase::british(10_000)).await;
    british.capture(10_000).await;
    british.check("POST", "/refunds", refund(9_500), refused).await;
    world.stop().await;
}

#[tokio::test]
async fn refunds_find_their_captures_by_the_lines_references() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let lines = |reference: &str, amount: i64| json!([{ "reference": reference, "name": reference, "quantity": 1, "unit_price": amount, "total_amount": amount }]);
    for (reference, amount) in [("shirt", 4_000), ("shoe", 6_000)] {
        let body = json!({ "captured_amount": amount, "order_lines": lines(reference, amount) });
        desk.check("POST", "/captures", body, "201").await;
    }
    let refund = json!({ "refunded_amount": 5_000, "order_lines": lines("shoe", 5_000) });
    desk.check("POST", "/refunds", refund, "201").await;
    desk.check("POST", "/refunds", json!({ "refunded_amount": 4_500 }), "201").await;
    let order = desk.read().await;
    assert_eq!(order["captures"][0]["refunded_amount"], 4_000);
    assert_eq!(order["captures"][1]["refunded_amount"], 5_500);
    world.stop().await;
}

#[tokio::test]
async fn a_merchants_server_learns_of_a_decision_and_is_pushed_until_it_acts() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[500]).await;
        let urls = json!({ "merchant_urls": {
        "notification": format!("{}/fraud/{{order.id}}", shop.url),
        "push": format!("{}/push?order={{checkout.order.id}}", shop.url),
    } });
        let purchase = Purchase {
            email: "customer+pend-reject-10@email.uk",
            extra: urls.clone(),
            ..Purchase::british(10_000)
        };
        let order = world.purchase(&purchase).await;
        let desk = Desk::of(&world, order["order_id"].as_str().unwrap().to_owned());
        let push = format!("/push?order={}", desk.order_id);
        let paths =
            || -> Vec<String> { shop.received().into_iter().map(|call| call.path).collect() };
        // Pushes after 2, 7 and 22 minutes; the decision after 10.
        world.advance("PT9M59S").await;
        assert_eq!(paths(), [push.clone(), push.clone()]);
        world.advance("PT1S").await;
        let notification = shop.received().pop().unwrap();
        assert_eq!(notification.path, format!("/fraud/{}", desk.order_id));
        assert_eq!(
            notification.json,
            json!({
                "order_id": desk.order_id, "event_type": "FRAUD_RISK_REJECTED",
                "event_timestamp": "2026-03-02T09:10:00.250Z",
            })
        );
        desk.check("POST", "/acknowledge", Value::Null, "204").await;
        world.advance("P3D").await;
        assert_eq!(paths().len(), 3, "an acknowledged order is not pushed");
        assert_eq!(desk.read().await["status"], "CANCELLED");

        // Left alone, an order is pushed for two days.
        let purchase = Purchase { extra: urls, ..Purchase::of(10_000) };
        let order_id = world.order(&purchase).await;
        world.advance("P3D").await;
        let push = format!("/push?order={order_id}");
        let pushes = paths().iter().filter(|path| **path == push).count();
        assert!((10..=20).contains(&pushes), "{pushes} pushes");
        world.stop().await;
        shop.stop().await;
    }
}

#[tokio::test]
async fn the_accounts_strictness_decides_what_is_unpublished() {
    let world = World::start().await;
    let settings = json!({ "strictness": ["refuse_changes", "order_line_totals"] });
    let created = world.control("/merchants", &json!({ "settings": settings })).await;
    let strict = common::Merchant::new(
        created["merchant_id"].as_str().unwrap(),
        created["username"].as_str().unwrap(),
        created["password"].as_str().unwrap(),
    );
    let order = world.purchase_as(&strict, &Purchase::of(10_000)).await;
    let desk = Desk::of(&world, order["order_id"].as_str().unwrap().to_owned());
    for (method, rest, body, expected) in [
        (
            "PATCH",
            "/authorization",
            json!({ "order_amount": 10_001 }),
            "403 NOT_ALLOWED Update not allowed.",
        ),
        ("PATCH", "/authorization", json!({ "order_amount": 10_000 }), "204"),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "city": "Lund" } }),
            "403 NOT_ALLOWED Customer details cannot be updated.",
        ),
        (
            "POST",
            "/captures",
            json!({ "captured_amount": 1, "order_lines": [
                { "name": "Shirt", "quantity": 2, "unit_price": 1, "total_amount": 1 },
            ] }),
            "422 UNPROCESSABLE_ENTITY The order_lines/total_amount value is not valid",
        ),
    ] {
        let reply = world.call_as(&strict, method, &desk.path(rest), &body, &[]).await;
        assert_eq!(desk.line(&reply), expected, "{method} {rest} {body}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_authorisation_is_raised_by_invoice_and_not_by_card() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.check("PATCH", "/authorization", json!({ "order_amount": 12_000 }), "204").await;
    assert_eq!(desk.ledger().await, "12000 10000 0 0 12000 AUTHORIZED");
    let purchase = Purchase { payment_method: Some("pay_by_card"), ..Purchase::of(10_000) };
    let mut card = Desk::open(&world, &purchase).await;
    let refused = "403 NOT_ALLOWED Update not allowed.";
    card.check("PATCH", "/authorization", json!({ "order_amount": 12_000 }), refused).await;
    card.check(
        "POST",
        "/extend-authorization-time",
        Value::Null,
        "403 NOT_ALLOWED Authorization time cannot be extended.",
    )
    .await;
    card.capture(10_000).await;
    let options = card.send("GET", "/captures/{c}/extend-due-date-options", &Value::Null).await;
    assert_eq!(options.json, json!({ "currency": "SEK", "options": [] }));
    card.check(
        "PATCH",
        "/captures/{c}/extend-due-date",
        json!({ "number_of_days": 10 }),
        "403 NOT_ALLOWED Extension of due date is not possible.",
    )
    .await;
    world.stop().await;
}
