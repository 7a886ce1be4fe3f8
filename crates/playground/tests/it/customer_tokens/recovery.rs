//! Recovery of a refused charge while the shopper is there: a session that names it, another method, the
//! same token.

use serde_json::{Value, json};

use super::{SESSIONS, SignUp, coffee, coffee_with, told};
use crate::common::{World, engines};

/// A session that recovers a refused charge.
fn recovery(step_up_id: &Value, token: &str, changes: &Value) -> Value {
    let mut body = json!({
        "intent": "tokenize", "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "order_amount": 14900, "order_tax_amount": 1596, "order_lines": coffee()["order_lines"],
        "step_up_id": step_up_id, "customer": {"customer_token": token},
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl World {
    /// A refused charge with the shopper there: its `step_up_id`.
    async fn refused(&self, token: &str) -> Value {
        let reply = self.charge(token, &coffee_with(&json!({"step_up": "SUPPORTED"}))).await;
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(reply.json["step_up_id"].is_string(), "{reply:?}");
        reply.json["step_up_id"].clone()
    }
}

#[tokio::test]
async fn another_method_takes_the_place_of_the_one_that_failed() {
    for engine in engines().await {
        let world = engine.world().await;
        let denied = SignUp {
            email: "customer+denied+auth_otp_email@email.se",
            step_up: Some("passed"),
            ..SignUp::default()
        };
        let token = world.token_of(&denied).await;
        let before = world.read_token(&token).await.json;
        assert_eq!(before["payment_method_type"], "INVOICE");
        let step_up_id = world.refused(&token).await;

        let session = recovery(&step_up_id, &token, &json!({}));
        let by_card = SignUp { method: "pay_by_card", ..denied };
        let (session_id, authorization) = world.approve(&session, &by_card).await;
        // The shopper is not recovered by being asked.
        assert_eq!(world.charge(&token, &coffee()).await.status, 403);
        // What is recovered is not shown.
        let read = world.call("GET", &format!("{SESSIONS}/{session_id}"), &Value::Null).await.json;
        assert_eq!(read.get("step_up_id"), None);
        assert_eq!(read["customer"].get("customer_token"), None, "{read}");
        // No second token, and an order although the original intent made none.
        let second = world.make_token(&authorization, &by_card.token()).await;
        assert_eq!(told(&second), "403 INVALID_OPERATION");
        let placed = world.place(&authorization, &session).await;
        assert_eq!(told(&placed), "200");
        assert_eq!(world.place(&authorization, &session).await.json, placed.json);

        let after = world.read_token(&token).await.json;
        assert_eq!(after["payment_method_type"], "PAY_BY_CARD");
        assert_eq!(after["status"], "ACTIVE");
        assert_eq!(after["card"]["brand"], "VISA");
        let charged = world.charge(&token, &coffee()).await;
        assert_eq!(charged.json["authorized_payment_method"]["type"], "pay_by_card", "{charged:?}");
        // Once.
        let repeat = world.call("POST", SESSIONS, &recovery(&step_up_id, &token, &json!({}))).await;
        assert_eq!(told(&repeat), "400 BAD_VALUE Bad value: step_up_id");
        world.stop().await;
    }
}

#[tokio::test]
async fn only_an_open_refusal_of_ones_own_token_can_be_recovered() {
    let world = World::start().await;
    let (token, other) = (world.token().await, world.token().await);
    world.steer(&token, &json!({"action": "fail_next", "times": 9})).await;
    let step_up_id = world.refused(&token).await;
    // Nobody there, nothing to recover.
    for body in [coffee(), coffee_with(&json!({"step_up": "NOT_SUPPORTED"}))] {
        let reply = world.charge(&token, &body).await;
        assert_eq!((reply.status, reply.json.get("step_up_id")), (403, None));
    }
    // An outage, a suspension or a wrong amount is nothing that another method heals.
    let supported = json!({"step_up": "SUPPORTED"});
    world.steer(&other, &json!({"action": "fail_next", "error_code": "SERVICE_UNAVAILABLE"})).await;
    let reply = world.charge(&other, &coffee_with(&supported)).await;
    assert_eq!((reply.status, reply.json.as_object().unwrap().len()), (503, 3));
    world.steer(&other, &json!({"action": "suspend"})).await;
    let reply = world.charge(&other, &coffee_with(&supported)).await;
    assert_eq!((reply.status, reply.json.as_object().unwrap().len()), (403, 3));
    world.steer(&other, &json!({"action": "activate"})).await;

    let norway = json!({"purchase_country": "NO", "purchase_currency": "NOK", "locale": "nb-NO"});
    let bad_token = "400 BAD_VALUE Bad value: customer.customer_token";
    for (body, expected) in [
        (recovery(&json!("unknown"), &token, &json!({})), "400 BAD_VALUE Bad value: step_up_id"),
        (recovery(&step_up_id, &other, &json!({})), "400 BAD_VALUE Bad value: step_up_id"),
        (recovery(&step_up_id, "unknown", &json!({})), bad_token),
        (recovery(&step_up_id, &token, &json!({"customer": null})), bad_token),
        (recovery(&step_up_id, &token, &json!({"customer": {}})), bad_token),
        (recovery(&step_up_id, &token, &norway), "400 BAD_VALUE Bad value: purchase_country"),
        (
            recovery(&json!("x".repeat(256)), &token, &json!({})),
            "400 BAD_VALUE Bad value: step_up_id",
        ),
        (recovery(&json!(5), &token, &json!({})), "400 BAD_REQUEST"),
    ] {
        assert_eq!(told(&world.call("POST", SESSIONS, &body).await), expected, "{body}");
    }
    let good = recovery(&step_up_id, &token, &json!({}));
    let foreign = world.call_as(&world.stranger, "POST", SESSIONS, &good, &[]).await;
    assert_eq!(told(&foreign), bad_token);
    assert_eq!(told(&world.call("POST", SESSIONS, &good).await), "200");
    // Two days, and not for a token that is no more.
    world.advance("PT47H59M").await;
    assert_eq!(told(&world.call("POST", SESSIONS, &good).await), "200");
    world.advance("PT1M").await;
    let late = world.call("POST", SESSIONS, &good).await;
    assert_eq!(told(&late), "400 BAD_VALUE Bad value: step_up_id");
    let fresh = world.refused(&token).await;
    world.cancel_token(&token).await;
    let gone = world.call("POST", SESSIONS, &recovery(&fresh, &token, &json!({}))).await;
    assert_eq!(told(&gone), bad_token);
    world.stop().await;
}

/// The way to recover is the merchant's to say, when the session is opened.
#[tokio::test]
async fn neither_an_update_nor_the_browser_begins_a_recovery() {
    let world = World::start().await;
    let token = world.token().await;
    world.steer(&token, &json!({"action": "fail_next"})).await;
    let step_up_id = world.refused(&token).await;
    let mut body = recovery(&step_up_id, &token, &json!({"intent": "buy"}));
    body.as_object_mut().unwrap().remove("step_up_id");
    let created = world.call("POST", SESSIONS, &body).await;
    let session_id = created.json["session_id"].as_str().unwrap();
    let sneaked = json!({"step_up_id": step_up_id});
    let updated = world.call("POST", &format!("{SESSIONS}/{session_id}"), &sneaked).await;
    assert_eq!(updated.status, 204);
    let shopper =
        json!({"session_id": session_id, "payment_method": "pay_by_card", "data": sneaked});
    let outcome = world.control("/shopper/authorize", &shopper).await;
    let authorization = outcome["authorization_token"].as_str().unwrap();
    assert_eq!(told(&world.place(authorization, &body).await), "200");
    assert_eq!(world.read_token(&token).await.json["payment_method_type"], "INVOICE");
    world.stop().await;
}

/// What cannot stand behind a token is replaced by a plain form; a token that was cancelled meanwhile is
/// left alone, and the order stands all the same.
#[tokio::test]
async fn a_recovery_is_an_order_whatever_becomes_of_the_token() {
    let world = World::start().await;
    for (method, cancel, expected) in [
        ("direct_bank_transfer", false, "INVOICE"),
        ("slice_it_by_card", false, "PAY_BY_CARD"),
        ("pay_by_card", true, "DIRECT_DEBIT"),
    ] {
        let sign_up = SignUp { method: "direct_debit", ..SignUp::default() };
        let token = world.token_of(&sign_up).await;
        world.steer(&token, &json!({"action": "fail_next"})).await;
        let step_up_id = world.refused(&token).await;
        let session = recovery(&step_up_id, &token, &json!({}));
        let (_, authorization) = world.approve(&session, &SignUp { method, ..sign_up }).await;
        if cancel {
            world.cancel_token(&token).await;
        }
        assert_eq!(told(&world.place(&authorization, &session).await), "200");
        assert_eq!(
            world.read_token(&token).await.json["payment_method_type"],
            expected,
            "{method}"
        );
    }
    world.stop().await;
}
