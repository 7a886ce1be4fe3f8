//! What each intent lets one do with an authorization, and mixed payments.

use serde_json::json;

use super::{SESSIONS, SignUp, coffee, told};
use crate::common::World;

const NO_TOKEN: &str = "403 INVALID_OPERATION Not allowed to create customer token for intent";
const CONSUMED: &str = "403 INVALID_OPERATION Authorization token already consumed";

#[tokio::test]
async fn each_intent_allows_what_it_says() {
    let world = World::start().await;
    // Intent; a token first, then an order; an order first, then a token.
    for (intent, token, then_order, order_first, then_token) in [
        ("buy", "buy", "200", "200", CONSUMED),
        ("buy_and_link", "buy_and_link", "200", "200", CONSUMED),
        ("tokenize", "", CONSUMED, "403 INVALID_OPERATION", "200"),
        ("buy_and_tokenize", "", "200", "200", CONSUMED),
        ("buy_and_default_tokenize", "", "200", "200", CONSUMED),
    ] {
        let sign_up = SignUp { intent, ..SignUp::default() };
        let session = sign_up.session();
        let (_, authorization) = world.approve(&session, &sign_up).await;
        let made = told(&world.make_token(&authorization, &sign_up.token()).await);
        let expected =
            if token.is_empty() { "200".to_owned() } else { format!("{NO_TOKEN} {token}") };
        assert_eq!(made, expected, "{intent}");
        assert_eq!(told(&world.place(&authorization, &session).await), then_order, "{intent}");

        let (_, authorization) = world.approve(&session, &sign_up).await;
        assert_eq!(told(&world.place(&authorization, &session).await), order_first, "{intent}");
        let made = told(&world.make_token(&authorization, &sign_up.token()).await);
        assert_eq!(made, then_token, "{intent}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_intent_is_one_of_the_known_and_may_change_until_the_shopper_has_agreed() {
    let world = World::start().await;
    let mut session = SignUp::default().session();
    for (intent, expected) in [
        (json!("rent"), "400 BAD_VALUE Bad value: intent"),
        (json!("BUY"), "400 BAD_VALUE Bad value: intent"),
        (json!(""), "400 BAD_VALUE Bad value: intent"),
        (json!(1), "400 BAD_REQUEST"),
        (json!(null), "200"),
    ] {
        session["intent"] = intent.clone();
        assert_eq!(told(&world.call("POST", SESSIONS, &session).await), expected, "{intent}");
    }
    // A purchase becomes a sign-up, but not behind the shopper's back.
    session["intent"] = json!("buy");
    let created = world.call("POST", SESSIONS, &session).await;
    let path = format!("{SESSIONS}/{}", created.json["session_id"].as_str().unwrap());
    let reply = world.call("POST", &path, &json!({"intent": "rent"})).await;
    assert_eq!(told(&reply), "400 BAD_VALUE Bad value: intent");
    assert_eq!(told(&world.call("POST", &path, &json!({"intent": "tokenize"})).await), "204");
    let shopper = json!({"session_id": created.json["session_id"]});
    let outcome = world.control("/shopper/authorize", &shopper).await;
    assert_eq!(told(&world.call("POST", &path, &json!({"intent": "buy"})).await), "204");
    let authorization = outcome["authorization_token"].as_str().unwrap();
    let made = world.make_token(authorization, &SignUp::default().token()).await;
    assert_eq!(told(&made), "200");
    world.stop().await;
}

/// One thing bought now, another charged by the token: the session and its order have only the first.
#[tokio::test]
async fn mixed_payments() {
    let world = World::start().await;
    let sign_up = SignUp {
        intent: "buy_and_default_tokenize",
        method: "direct_bank_transfer",
        lines: json!([{"name": "Kaffekvarn", "quantity": 1, "unit_price": 89900, "total_amount": 89900}]),
        ..SignUp::default()
    };
    let (_, authorization) = world.approve(&sign_up.session(), &sign_up).await;
    let made = world.make_token(&authorization, &sign_up.token()).await;
    let token = made.json["token_id"].as_str().unwrap().to_owned();
    let order = world.place(&authorization, &sign_up.session()).await;
    assert_eq!(order.json["authorized_payment_method"]["type"], "direct_bank_transfer");
    // A transfer cannot be had again; behind the token stands pay later in 30 days.
    assert_eq!(world.read_token(&token).await.json["payment_method_type"], "INVOICE");
    let charged = world.charge(&token, &coffee()).await;
    let method = json!({"type": "invoice", "number_of_days": 30});
    assert_eq!(charged.json["authorized_payment_method"], method, "{charged:?}");
    world.stop().await;
}

#[tokio::test]
async fn an_order_repeats_the_subscription_that_was_authorized() {
    let world = World::start().await;
    let line = json!({"name": "Kaffe", "quantity": 1, "unit_price": 100, "total_amount": 100,
                      "subscription": crate::customer_tokens::monthly()});
    let sign_up = SignUp { intent: "buy_and_tokenize", lines: json!([line]), ..SignUp::default() };
    let (_, authorization) = world.approve(&sign_up.session(), &sign_up).await;
    let mut changed = sign_up.session();
    changed["order_lines"][0]["subscription"]["interval_count"] = json!(2);
    assert_eq!(
        told(&world.place(&authorization, &changed).await),
        "409 BAD_VALUE Not matching fields: [order_lines[0].subscription]"
    );
    for (member, value) in [
        ("name", json!("")),
        ("interval", json!("FORTNIGHT")),
        ("interval_count", json!(0)),
        ("interval_count", json!(null)),
    ] {
        let mut wrong = sign_up.session();
        wrong["order_lines"][0]["subscription"][member] = value.clone();
        let expected = format!("400 BAD_VALUE Bad value: order_lines[0].subscription.{member}");
        assert_eq!(told(&world.call("POST", SESSIONS, &wrong).await), expected, "{value}");
    }
    assert_eq!(told(&world.place(&authorization, &sign_up.session()).await), "200");
    world.stop().await;
}
