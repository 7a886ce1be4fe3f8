//! What the playground calls merchants with: when, how often, and what is kept of it.

use serde_json::{Value, json};

use super::{german, german_with, told};
use crate::common::{World, engines};
use crate::receiver::Receiver;

#[tokio::test]
async fn pending_orders_exist_in_the_us_and_gb_and_are_decided_on_time() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[500]).await;
        let body = json!({
            "purchase_country": "US", "purchase_currency": "USD", "locale": "en-US",
            "order_amount": 3248, "order_tax_amount": 248,
            "order_lines": [
                {"type": "physical", "name": "Trail cap", "quantity": 2, "unit_price": 1500, "total_amount": 3000},
                {"type": "sales_tax", "name": "Sales Tax", "quantity": 1, "unit_price": 248, "total_amount": 248},
            ],
            "merchant_urls": {"notification": format!("{}/fraud/{{order.id}}", shop.url)},
        });
        let session_id = world.session(&body).await;
        let shopper =
            json!({"session_id": session_id, "email": "customer+pend-accept-05@email.us"});
        let outcome = world.control("/shopper/authorize", &shopper).await;
        let placed =
            world.place_order(outcome["authorization_token"].as_str().unwrap(), &body).await;
        assert_eq!(placed.json["fraud_status"], "PENDING");
        let order_id = placed.json["order_id"].as_str().unwrap();
        let order = format!("/ordermanagement/v1/orders/{order_id}");
        world.advance("PT4M59S").await;
        assert_eq!(world.call("GET", &order, &Value::Null).await.json["fraud_status"], "PENDING");
        assert!(shop.received().is_empty());
        world.advance("PT1S").await;
        assert_eq!(world.call("GET", &order, &Value::Null).await.json["fraud_status"], "ACCEPTED");
        // The first answer was no 200, so it comes again ten minutes later.
        assert_eq!(shop.received().len(), 1);
        world.advance("PT30M").await;
        let received = shop.received();
        assert_eq!(received.len(), 2, "{received:?}");
        assert_eq!(received[0].path, format!("/fraud/{order_id}"));
        assert_eq!(received[0].json["event_type"], "FRAUD_RISK_ACCEPTED");
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn an_authorization_is_called_back_three_times_at_most() {
    for (answers, expected) in
        [(vec![], 1), (vec![204], 1), (vec![500, 302, 200], 3), (vec![503; 9], 3)]
    {
        let world = World::start().await;
        let shop = Receiver::start(&answers).await;
        let body = german_with(&json!({
            "merchant_urls": {"authorization": format!("{}/auth?key=k3Jx9", shop.url)},
        }));
        let session_id = world.session(&body).await;
        let token = world.authorize(&session_id).await;
        world.advance("PT1H").await;
        let received = shop.received();
        assert_eq!(received.len(), expected, "{answers:?}");
        for call in &received {
            assert_eq!(call.path, "/auth?key=k3Jx9");
            assert_eq!(call.json, json!({"authorization_token": token, "session_id": session_id}));
        }
        let logged = world.log("?path=/auth").await;
        assert_eq!(logged.len(), expected);
        assert_eq!(logged[0]["direction"], "callback");
        assert_eq!(logged[0]["attempt"], expected);
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn callbacks_come_without_the_clock_being_moved() {
    let clock = service::SystemClock::shared();
    let world = World::start_with(|config| config.clock = clock).await;
    let shop = Receiver::start(&[500]).await;
    let body = german_with(&json!({"merchant_urls": {"authorization": format!("{}/a", shop.url)}}));
    let session_id = world.session(&body).await;
    world.authorize(&session_id).await;
    assert_eq!(shop.wait_for(2).await.len(), 2);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn pending_callbacks_survive_a_restart() {
    for engine in engines().await {
        let shop = Receiver::start(&[500]).await;
        let world = engine.world().await;
        let body =
            german_with(&json!({"merchant_urls": {"authorization": format!("{}/a", shop.url)}}));
        let session_id = world.session(&body).await;
        let token = world.authorize(&session_id).await;
        shop.wait_for(1).await;
        world.stop().await;

        let world = engine.world().await;
        assert_eq!(world.read(&session_id).await.json["authorization_token"], token);
        world.advance("PT1S").await;
        let received = shop.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[1].json["authorization_token"], token);
        assert_eq!(told(&world.place_order(&token, &body).await), "200");
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn callbacks_stay_in_the_request_log_over_a_restart() {
    for engine in engines().await {
        let shop = Receiver::start(&[500]).await;
        let world = engine.world().await;
        let nobody = service::Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let lost = format!("http://{}/lost", nobody.address());
        drop(nobody);
        for url in [format!("{}/a", shop.url), lost] {
            let body = german_with(&json!({"merchant_urls": {"authorization": url}}));
            let session_id = world.session(&body).await;
            world.authorize(&session_id).await;
            world.advance("PT1M").await;
        }
        let sent = |log: Vec<Value>| -> Vec<Value> {
            log.into_iter()
                .filter(|entry| entry["direction"] == "callback")
                .map(|mut entry| {
                    // What the ring alone knows.
                    for name in ["sequence", "response_body", "duration_us"] {
                        entry.as_object_mut().unwrap().remove(name);
                    }
                    entry
                })
                .collect()
        };
        let before = sent(world.log("").await);
        assert_eq!(before.len(), 5);
        world.stop().await;

        let world = engine.world().await;
        let after = world.log("").await;
        assert!(after.iter().all(|entry| entry.get("sequence").is_none()));
        assert_eq!(sent(after.clone()), before);
        let attempts: Vec<_> = after
            .iter()
            .map(|entry| {
                let path = entry["path"].as_str().unwrap();
                let path = path.rsplit('/').next().unwrap();
                (path, entry["attempt"].as_i64().unwrap(), entry["status"].as_i64())
            })
            .collect();
        let lost = [("lost", 3, None), ("lost", 2, None), ("lost", 1, None)];
        assert_eq!(attempts[..3], lost);
        assert_eq!(attempts[3..], [("a", 2, Some(200)), ("a", 1, Some(500))]);
        assert!(after[0]["explanation"].as_str().unwrap().contains("no connection"));
        assert_eq!(after[3]["at"], "2026-03-02T09:00:01.250Z");

        // Newer calls stand before them; filter and limit hold for all.
        world.session(&german()).await;
        let log = world.log("?limit=2").await;
        assert_eq!(
            (&log[0]["direction"], &log[1]["direction"]),
            (&json!("api"), &json!("callback"))
        );
        assert_eq!(world.log("?status=500").await.len(), 1);
        assert_eq!(world.log("?path=lost").await.len(), 3);
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_lost_merchant_loses_only_its_own_callbacks() {
    let world = World::start().await;
    let listener = service::Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let nobody = format!("http://{}/a", listener.address());
    drop(listener);
    let shop = Receiver::start(&[]).await;
    for url in [nobody, format!("{}/b", shop.url)] {
        let body = german_with(&json!({"merchant_urls": {"authorization": url}}));
        let session_id = world.session(&body).await;
        world.authorize(&session_id).await;
    }
    world.advance("PT1M").await;
    assert_eq!(shop.received().len(), 1);
    let logged = world.log("?path=/a").await;
    let failed: Vec<&Value> =
        logged.iter().filter(|entry| entry["direction"] == "callback").collect();
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|entry| entry.get("status").is_none()));
    assert!(failed[0]["explanation"].as_str().unwrap().contains("no connection"));
    shop.stop().await;
    world.stop().await;
}
