//! Every documented refusal of the three operations, and another merchant's token.

use serde_json::json;

use super::{SignUp, coffee, coffee_with, told};
use crate::common::{World, engines};

const FAILED: &str = "403 PAYMENT_METHOD_FAILED Purchase for payment method failed";
const UNAVAILABLE: &str = "403 UNAVAILABLE_PAYMENT_METHOD Purchase for payment method failed";

#[tokio::test]
async fn an_unknown_token_and_another_merchants() {
    let world = World::start().await;
    let token = world.token().await;
    let cancel = json!({"status": "CANCELLED"});
    for id in ["unknown", "51f0c0b7-0a6b-4d0f-8f0e-0b8a0f6f1e33", "%00", "a%2Fb", "🪙"] {
        let path = |rest: &str| format!("/customer-token/v1/tokens/{id}{rest}");
        let read = world.call("GET", &path(""), &serde_json::Value::Null).await;
        assert_eq!(told(&read), "404 NOT_FOUND Invalid customer-token ID", "{id}");
        let charged = world.call("POST", &path("/order"), &coffee()).await;
        assert_eq!(told(&charged), "404 TOKEN_NOT_FOUND Customer token not found", "{id}");
        let cancelled = world.call("PATCH", &path("/status"), &cancel).await;
        assert_eq!(told(&cancelled), "404 NOT_FOUND Invalid token ID", "{id}");
    }
    let path = |rest: &str| format!("/customer-token/v1/tokens/{token}{rest}");
    let stranger = &world.stranger;
    let nothing = serde_json::Value::Null;
    let read = world.call_as(stranger, "GET", &path(""), &nothing, &[]).await;
    assert_eq!(told(&read), "404 NOT_FOUND Invalid customer-token ID");
    // Klarna's own word for a token that is not linked to the merchant; it tells nothing more.
    let charged = world.charge_as(stranger, &token, &coffee(), "k").await;
    assert_eq!(told(&charged), "403 TOKEN_CANCELED Customer token is cancelled");
    assert_eq!(charged.json.as_object().unwrap().len(), 3);
    let cancelled = world.call_as(stranger, "PATCH", &path("/status"), &cancel, &[]).await;
    assert_eq!(told(&cancelled), "404 NOT_FOUND Invalid token ID");
    assert_eq!(world.read_token(&token).await.json["status"], "ACTIVE");
    // Nobody: the edge.
    for (method, rest) in [("GET", ""), ("POST", "/order"), ("PATCH", "/status")] {
        assert_eq!(world.send(method, &path(rest), &[], "{}").await.status, 401);
    }
    for (method, rest) in [("DELETE", ""), ("GET", "/order"), ("PUT", "/status")] {
        assert_eq!(
            told(&world.call(method, &path(rest), &nothing).await),
            "405 METHOD_NOT_ALLOWED"
        );
    }
    world.stop().await;
}

#[tokio::test]
async fn every_status_refuses_in_its_own_words() {
    for engine in engines().await {
        let world = engine.world().await;
        let token = world.token().await;
        assert_eq!(world.charge(&token, &coffee()).await.status, 200);
        world.steer(&token, &json!({"action": "suspend"})).await;
        assert_eq!(world.read_token(&token).await.json["status"], "SUSPENDED");
        let refused = world.charge(&token, &coffee()).await;
        assert_eq!(told(&refused), "403 TOKEN_SUSPENDED Customer token is suspended");
        // The status is looked at before the charge.
        let refused = world.charge(&token, &coffee_with(&json!({"order_amount": 0}))).await;
        assert_eq!(told(&refused), "403 TOKEN_SUSPENDED Customer token is suspended");
        world.steer(&token, &json!({"action": "activate"})).await;
        assert_eq!(world.read_token(&token).await.json["status"], "ACTIVE");
        assert_eq!(world.charge(&token, &coffee()).await.status, 200);
        // A suspended token can be cancelled.
        world.steer(&token, &json!({"action": "suspend"})).await;
        assert_eq!(world.cancel_token(&token).await.status, 202);
        let refused = world.charge(&token, &coffee()).await;
        assert_eq!(told(&refused), "403 TOKEN_CANCELED Customer token is cancelled");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_refused_charge_says_why_and_leaves_no_order() {
    for engine in engines().await {
        let world = engine.world().await;
        let token = world.token().await;
        let refused = |code: &str, text: &str| {
            json!({
                "error_code": code, "error_messages": [text], "fraud_status": "REJECTED", "reason": text,
                "authorized_payment_method": {"type": "invoice", "number_of_days": 30},
            })
        };
        let text = "Purchase for payment method failed";
        for (code, expected) in
            [("PAYMENT_METHOD_FAILED", FAILED), ("UNAVAILABLE_PAYMENT_METHOD", UNAVAILABLE)]
        {
            world
                .steer(&token, &json!({"action": "fail_next", "times": 2, "error_code": code}))
                .await;
            for _ in 0..2 {
                let reply = world.charge(&token, &coffee()).await;
                assert_eq!(told(&reply), expected);
                let mut body = reply.json.clone();
                body.as_object_mut().unwrap().remove("correlation_id");
                assert_eq!(body, refused(code, text));
            }
            assert_eq!(world.charge(&token, &coffee()).await.status, 200);
        }
        // Not now: the same call again, under the same key, is the remedy.
        world
            .steer(&token, &json!({"action": "fail_next", "error_code": "SERVICE_UNAVAILABLE"}))
            .await;
        let reply = world.charge_under(&token, &coffee(), "again").await;
        assert_eq!(told(&reply), "503 SERVICE_UNAVAILABLE");
        assert_eq!(world.charge_under(&token, &coffee(), "again").await.status, 200);
        // Another currency than the token's.
        let euros = coffee_with(&json!({"purchase_currency": "EUR"}));
        let reply = world.charge(&token, &euros).await;
        assert_eq!(told(&reply), UNAVAILABLE);
        assert_eq!(reply.json["fraud_status"], "REJECTED");
        assert_eq!(
            world.charge(&token, &coffee_with(&json!({"purchase_currency": "sek"}))).await.status,
            200
        );
        world.stop().await;
    }
}

/// The published addresses decide about charges as they do about purchases.
#[tokio::test]
async fn the_published_addresses_refuse_charges() {
    let world = World::start().await;
    let token = world.token().await;
    for (email, expected) in [
        ("customer@email.se", "200"),
        ("customer+denied@email.se", FAILED),
        ("customer+red@email.se", FAILED),
        ("customer+reject_reason_high_risk@email.se", FAILED),
    ] {
        let charge = coffee_with(&json!({"shipping_address": {"email": email}}));
        assert_eq!(told(&world.charge(&token, &charge).await), expected, "{email}");
    }
    // Who signed up by an extra step pays on; who is denied without it, does not.
    let step = |email| SignUp { email, step_up: Some("passed"), ..SignUp::default() };
    let passed = world.token_of(&step("customer+auth_otp_email@email.se")).await;
    assert_eq!(told(&world.charge(&passed, &coffee()).await), "200");
    let denied = world.token_of(&step("customer+denied+auth_otp_email@email.se")).await;
    assert_eq!(told(&world.charge(&denied, &coffee()).await), FAILED);
    world.stop().await;
}

#[tokio::test]
async fn what_the_account_does_not_allow() {
    let world = World::start().await;
    let settings = json!({"settings": {"permissions": [], "strictness": ["subscription_terms"]}});
    let created = world.control("/merchants", &settings).await;
    let text = |name: &str| created[name].as_str().unwrap();
    let poor = crate::customer_tokens::Merchant::new(
        text("merchant_id"),
        text("username"),
        text("password"),
    );
    let sign_up = SignUp {
        intent: "buy_and_tokenize",
        lines: json!([{"name": "Kaffe april", "quantity": 1, "unit_price": 14900,
                       "total_amount": 14900, "subscription": crate::customer_tokens::monthly()}]),
        ..SignUp::default()
    };
    let session = world
        .call_as(&poor, "POST", crate::customer_tokens::SESSIONS, &sign_up.session(), &[])
        .await
        .json;
    let shopper = json!({"session_id": session["session_id"]});
    let outcome = world.control("/shopper/authorize", &shopper).await;
    let authorization = outcome["authorization_token"].as_str().unwrap();
    let path = format!("/payments/v1/authorizations/{authorization}/customer-token");
    let made = world.call_as(&poor, "POST", &path, &sign_up.token(), &[]).await;
    let token = made.json["token_id"].as_str().unwrap();

    let capture = coffee_with(&json!({"auto_capture": true}));
    let reply = world.charge_as(&poor, token, &capture, "capture").await;
    assert_eq!(told(&reply), "403 INVALID_OPERATION");
    assert_eq!(told(&world.charge_as(&poor, token, &coffee(), "same terms").await), "200");
    // A renewal carries what was signed up for, where the account insists on it.
    let mut yearly = coffee();
    yearly["order_lines"][0]["subscription"]["interval"] = json!("YEAR");
    let reply = world.charge_as(&poor, token, &yearly, "other terms").await;
    assert_eq!(told(&reply), "409 BAD_VALUE Not matching fields: [order_lines[0].subscription]");
    let mut on_demand = coffee();
    on_demand["order_lines"][0].as_object_mut().unwrap().remove("subscription");
    assert_eq!(told(&world.charge_as(&poor, token, &on_demand, "on demand").await), "200");
    // Most accounts do not.
    let token = world.token_of(&sign_up).await;
    assert_eq!(told(&world.charge(&token, &yearly).await), "200");
    world.stop().await;
}
