//! `Klarna-Idempotency-Key`: the same call is made once, another call is not the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{coffee, coffee_with, path, told};
use crate::common::{World, engines};

const OTHER_BODY: &str =
    "409 BAD_VALUE The order has been already completed with different request body";

#[tokio::test]
async fn a_repeated_charge_is_one_charge() {
    for engine in engines().await {
        let world = engine.world().await;
        let (token, other) = (world.token().await, world.token().await);
        let first = world.charge_under(&token, &coffee(), "may").await;
        assert_eq!(first.status, 200, "{first:?}");
        for _ in 0..3 {
            assert_eq!(world.charge_under(&token, &coffee(), "may").await.json, first.json);
        }
        // Spaces and the order of members are not the body.
        let spelled: String = serde_json::to_string_pretty(&coffee()).unwrap();
        let authorization = world.merchant.authorization.clone();
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("klarna-idempotency-key", "may"),
        ];
        let reply = world.send("POST", &format!("{}/order", path(&token)), &headers, spelled).await;
        assert_eq!(reply.json, first.json);
        // Another body, another token, another key, no key, another merchant.
        let changed = coffee_with(&json!({"merchant_reference1": "SUB-23"}));
        assert_eq!(told(&world.charge_under(&token, &changed, "may").await), OTHER_BODY);
        let elsewhere = world.charge_under(&other, &coffee(), "may").await;
        let june = world.charge_under(&token, &coffee(), "june").await;
        let keyless = world.charge(&token, &coffee()).await;
        let orders: BTreeSet<String> = [&first, &elsewhere, &june, &keyless]
            .iter()
            .map(|reply| reply.json["order_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(orders.len(), 4);
        // What was answered is answered, whatever became of the token; but only for a day.
        world.cancel_token(&token).await;
        world.advance("PT23H59M").await;
        assert_eq!(world.charge_under(&token, &coffee(), "may").await.json, first.json);
        world.advance("PT1M").await;
        let late = world.charge_under(&token, &coffee(), "may").await;
        assert_eq!(told(&late), "403 TOKEN_CANCELED Customer token is cancelled");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_final_refusal_is_repeated_whole_and_an_outage_is_not() {
    for engine in engines().await {
        let world = engine.world().await;
        let token = world.token().await;
        let plan = |code: &str| json!({"action": "fail_next", "error_code": code});
        world.steer(&token, &plan("PAYMENT_METHOD_FAILED")).await;
        let recoverable = coffee_with(&json!({"step_up": "SUPPORTED"}));
        let mut refused = world.charge_under(&token, &recoverable, "a").await;
        assert_eq!(refused.status, 403);
        let mut again = world.charge_under(&token, &recoverable, "a").await;
        assert_eq!(again.status, 403);
        // Each call has its own correlation id; the rest is the same, the way to recover it included.
        for reply in [&mut refused, &mut again] {
            reply.json.as_object_mut().unwrap().remove("correlation_id");
        }
        assert!(refused.json["step_up_id"].is_string());
        assert_eq!(refused.json, again.json);
        assert_eq!(told(&world.charge_under(&token, &recoverable, "b").await), "200");
        // A value out of bounds is final, too.
        let nothing = coffee_with(&json!({"order_amount": 0}));
        for _ in 0..2 {
            let reply = world.charge_under(&token, &nothing, "c").await;
            assert_eq!(told(&reply), "400 BAD_VALUE Bad value: order_amount");
        }
        assert_eq!(told(&world.charge_under(&token, &coffee(), "c").await), OTHER_BODY);
        world.steer(&token, &plan("SERVICE_UNAVAILABLE")).await;
        assert_eq!(
            told(&world.charge_under(&token, &coffee(), "d").await),
            "503 SERVICE_UNAVAILABLE"
        );
        assert_eq!(told(&world.charge_under(&token, &coffee(), "d").await), "200");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_key_has_a_form() {
    let world = World::start().await;
    let token = world.token().await;
    let long = "k".repeat(255);
    assert_eq!(told(&world.charge_under(&token, &coffee(), &long).await), "200");
    for key in ["", &"k".repeat(256)] {
        let reply = world.charge_under(&token, &coffee(), key).await;
        assert_eq!(told(&reply), "400 BAD_VALUE Bad value: Klarna-Idempotency-Key");
    }
    world.stop().await;
}

#[tokio::test]
async fn thirty_two_calls_under_one_key_make_one_order() {
    for engine in engines().await {
        let world = Arc::new(engine.world().await);
        let token = world.token().await;
        for (key, expected) in [(Some("once"), 1), (None, 32)] {
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..32 {
                let (world, token) = (world.clone(), token.clone());
                calls.spawn(async move {
                    match key {
                        Some(key) => world.charge_under(&token, &coffee(), key).await,
                        None => world.charge(&token, &coffee()).await,
                    }
                });
            }
            let replies = calls.join_all().await;
            let orders: BTreeSet<String> = replies
                .iter()
                .map(|reply| {
                    assert_eq!(reply.status, 200, "{reply:?}");
                    reply.json["order_id"].as_str().unwrap().to_owned()
                })
                .collect();
            assert_eq!(orders.len(), expected);
        }
        let history =
            world.send("GET", &format!("/playground/v1/customer-tokens/{token}"), &[], "").await;
        let charged = |entry: &&Value| entry["event"] == "charged";
        assert_eq!(history.json["history"].as_array().unwrap().iter().filter(charged).count(), 33);
    }
}

/// Planned failures are used up one by one, also by calls that come together.
#[tokio::test]
async fn as_many_charges_fail_as_were_planned() {
    for engine in engines().await {
        let world = Arc::new(engine.world().await);
        let token = world.token().await;
        world.steer(&token, &json!({"action": "fail_next", "times": 7})).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (world, token) = (world.clone(), token.clone());
            calls.spawn(async move {
                world.charge_under(&token, &coffee(), &format!("k{number}")).await.status
            });
        }
        let statuses = calls.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 7, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 13);
    }
}
