//! Callbacks that are lost, late, twice or in the wrong order.

use serde_json::{Value, json};

use super::{arm, faults};
use crate::common::{Purchase, World};
use crate::receiver::Receiver;

async fn authorize(world: &World, shop: &Receiver, path: &str) {
    authorize_as(world, &world.merchant, shop, path).await;
}

async fn authorize_as(
    world: &World,
    merchant: &crate::common::Merchant,
    shop: &Receiver,
    path: &str,
) {
    let url = format!("{}{path}", shop.url);
    let purchase = Purchase {
        extra: json!({"merchant_urls": {"authorization": url}}),
        ..Purchase::of(10_000)
    };
    let session =
        world.call_as(merchant, "POST", "/payments/v1/sessions", &purchase.session(), &[]).await;
    let shopper = json!({"session_id": session.json["session_id"], "email": purchase.email});
    assert_eq!(world.control("/shopper/authorize", &shopper).await["approved"], true);
}

fn paths(shop: &Receiver) -> Vec<String> {
    shop.received().into_iter().map(|call| call.path).collect()
}

/// What the log says of callbacks, oldest first: path, status, effect of the fault.
async fn logged(world: &World) -> Vec<(String, Option<u64>, Option<String>)> {
    let log = world.send("GET", "/playground/v1/requests", &[], "").await.json;
    let mut entries: Vec<_> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["direction"] == "callback")
        .map(|entry| {
            let path = entry["path"].as_str().unwrap();
            let effect = entry["faults"][0]["effect"].as_str();
            (
                path.rsplit('/').next().unwrap().to_owned(),
                entry["status"].as_u64(),
                effect.map(str::to_owned),
            )
        })
        .collect();
    entries.reverse();
    entries
}

#[tokio::test]
async fn a_duplicate_comes_again_with_the_same_words() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    arm(&world, &json!({"times": 1, "effect": {"type": "duplicate", "copies": 2}})).await;
    authorize(&world, &shop, "/a").await;
    world.advance("PT1M").await;
    let received = shop.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|call| call.json == received[0].json));
    let marked = (String::from("a"), Some(200), Some("duplicated 2 times".to_owned()));
    assert_eq!(logged(&world).await, vec![marked; 3]);
    let told = world.send("GET", "/playground/v1/callbacks", &[], "").await.json;
    let causes: Vec<&Value> = told["callbacks"][0]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["cause"])
        .collect();
    assert_eq!(causes, ["schedule", "duplicate", "duplicate"]);
    assert_eq!(told["callbacks"][0]["state"], "delivered");
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_lost_one_is_tried_again_unless_it_is_lost_for_good() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    arm(&world, &json!({"times": 1, "effect": {"type": "lose"}})).await;
    authorize(&world, &shop, "/a").await;
    world.advance("PT0.9S").await;
    assert!(shop.received().is_empty());
    world.advance("PT0.1S").await;
    assert_eq!(paths(&shop), ["/a"]);
    arm(&world, &json!({"times": 1, "effect": {"type": "lose", "retries": "lost"}})).await;
    authorize(&world, &shop, "/b").await;
    world.advance("P1D").await;
    assert_eq!(paths(&shop), ["/a"]);
    assert_eq!(
        logged(&world).await,
        [
            ("a".to_owned(), None, Some("lost".to_owned())),
            ("a".to_owned(), Some(200), None),
            ("b".to_owned(), None, Some("lost for good".to_owned())),
        ]
    );
    let query = "/playground/v1/callbacks?state=given_up";
    let given_up = world.send("GET", query, &[], "").await.json;
    assert_eq!(given_up["callbacks"].as_array().unwrap().len(), 1);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_late_one_comes_when_it_was_to() {
    let world = World::start().await;
    let shop = Receiver::start(&[503]).await;
    let fault = json!({"times": 1, "match": {"callback": "authorization"}, "effect": {"type": "delay", "ms": 60_000}});
    arm(&world, &fault).await;
    authorize(&world, &shop, "/a").await;
    world.advance("PT59S").await;
    assert!(shop.received().is_empty());
    world.advance("PT1S").await;
    assert_eq!(paths(&shop), ["/a"]);
    // It counts as one attempt; the others follow.
    world.advance("PT1M").await;
    assert_eq!(
        logged(&world).await,
        [
            ("a".to_owned(), Some(503), Some("delayed by 60000 ms".to_owned())),
            ("a".to_owned(), Some(200), None),
        ]
    );
    assert_eq!(faults(&world).await[0]["injected"], 1);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn two_change_places() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    arm(&world, &json!({"times": 1, "effect": {"type": "reorder"}})).await;
    authorize(&world, &shop, "/first").await;
    world.advance("PT10S").await;
    assert!(shop.received().is_empty());
    // Another merchant's changes nothing.
    authorize_as(&world, &world.stranger, &shop, "/stranger").await;
    world.advance("PT1S").await;
    assert_eq!(paths(&shop), ["/stranger"]);
    authorize(&world, &shop, "/second").await;
    world.advance("PT1S").await;
    assert_eq!(paths(&shop), ["/stranger", "/second", "/first"]);
    assert_eq!(
        logged(&world).await[2],
        ("first".to_owned(), Some(200), Some("reordered".to_owned()))
    );
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn one_without_a_next_one_comes_in_the_end() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    arm(&world, &json!({"effect": {"type": "reorder", "within_ms": 30_000}})).await;
    authorize(&world, &shop, "/a").await;
    world.advance("PT29S").await;
    assert!(shop.received().is_empty());
    world.advance("PT1S").await;
    assert_eq!(paths(&shop), ["/a"]);
    // Every one is to be reordered: pairs change places.
    for path in ["/b", "/c", "/d", "/e"] {
        authorize(&world, &shop, path).await;
        world.advance("PT1S").await;
    }
    assert_eq!(paths(&shop), ["/a", "/c", "/b", "/e", "/d"]);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn other_kinds_and_merchants_are_left_alone() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    arm(&world, &json!({"match": {"callback": "push"}, "effect": {"type": "lose"}})).await;
    arm(&world, &json!({"match": {"merchant_id": "K654321"}, "effect": {"type": "lose"}})).await;
    authorize(&world, &shop, "/a").await;
    world.advance("PT1S").await;
    assert_eq!(paths(&shop), ["/a"]);
    assert!(faults(&world).await.iter().all(|fault| fault["matched"] == 0));
    shop.stop().await;
    world.stop().await;
}
