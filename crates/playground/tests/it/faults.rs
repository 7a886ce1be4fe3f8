//! Faults on demand, as they are seen on the wire.

mod callbacks;
mod wire;

use crate::common::{Purchase, Reply, World, engines};
use serde_json::{Value, json};

const FAULTS: &str = "/playground/v1/faults";

/// Arms a fault and answers with it.
async fn arm(world: &World, fault: &Value) -> Value {
    world.makes_answers_up();
    let armed = world.control("/faults", fault).await;
    assert_eq!((&armed["matched"], &armed["injected"]), (&json!(0), &json!(0)), "{armed}");
    armed
}

async fn faults(world: &World) -> Vec<Value> {
    let reply = world.send("GET", FAULTS, &[], "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json["faults"].as_array().unwrap().clone()
}

/// The newest entry of the log.
async fn newest(world: &World) -> Value {
    world.send("GET", "/playground/v1/requests?limit=1", &[], "").await.json["requests"][0].clone()
}

async fn capture(world: &World, order_id: &str, key: Option<&str>) -> Reply {
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let headers: Vec<(&'static str, &str)> =
        key.map(|key| ("klarna-idempotency-key", key)).into_iter().collect();
    let body = json!({"captured_amount": 100});
    world.call_as(&world.merchant, "POST", &path, &body, &headers).await
}

async fn captured(world: &World, order_id: &str) -> i64 {
    let path = format!("/ordermanagement/v1/orders/{order_id}");
    world.call("GET", &path, &Value::Null).await.json["captured_amount"].as_i64().unwrap()
}

#[tokio::test]
async fn an_error_comes_before_or_after_the_work() {
    for (when, moved) in [("before", 0), ("after", 100)] {
        let world = World::start().await;
        let order_id = world.order(&Purchase::of(10_000)).await;
        let fault = arm(
            &world,
            &json!({
                "match": {"operation": "orders.capture"}, "times": 1,
                "effect": {"type": "error", "status": 503, "when": when},
            }),
        )
        .await;
        let refused = capture(&world, &order_id, Some("k-1")).await;
        assert_eq!(refused.status, 503, "{refused:?}");
        assert_eq!(refused.json["error_code"], "TEMPORARILY_UNAVAILABLE");
        assert_eq!(refused.json["correlation_id"], refused.header("klarna-correlation-id"));
        let entry = newest(&world).await;
        assert_eq!(entry["status"], 503);
        assert_eq!(entry["faults"][0]["fault_id"], fault["id"]);
        assert_eq!(entry["faults"][0]["effect"], format!("error 503 {when} the work"));
        assert_eq!(captured(&world, &order_id).await, moved, "{when}");
        // The same key: done once, whenever.
        assert_eq!(capture(&world, &order_id, Some("k-1")).await.status, 201);
        assert_eq!(captured(&world, &order_id).await, 100, "{when}");
        let counts = &faults(&world).await[0];
        assert_eq!((&counts["injected"], &counts["spent"]), (&json!(1), &json!(true)));
        world.stop().await;
    }
}

#[tokio::test]
async fn an_error_has_the_form_of_its_api_or_the_body_that_was_asked_for() {
    let world = World::start().await;
    let error = json!({"type": "error", "status": 500});
    arm(&world, &json!({"match": {"path": "/v4/*"}, "effect": error})).await;
    arm(&world, &json!({"match": {"path": "/disputes/*"}, "effect": error})).await;
    let own = json!({"type": "error", "status": 409, "body": {"why": "so"}});
    arm(&world, &json!({"match": {"path": "/settlements/v1/payouts"}, "effect": own})).await;
    let v4 = world.call("GET", "/v4/payment/disputes", &Value::Null).await;
    assert_eq!(v4.status, 500);
    assert_eq!(v4.json["error_type"], "TECHNICAL_ERROR");
    assert!(v4.json["error_id"].is_string());
    let v2 = world.call("GET", "/disputes/v2/disputes", &Value::Null).await;
    assert_eq!(v2.json["error_code"], "INTERNAL_SERVER_ERROR");
    assert!(v2.json["error_message"].is_string());
    let payouts = world.call("GET", "/settlements/v1/payouts?size=1", &Value::Null).await;
    assert_eq!((payouts.status, payouts.json), (409, json!({"why": "so"})));
    world.stop().await;
}

#[tokio::test]
async fn only_the_calls_that_fit_are_hit() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let error = json!({"type": "error", "status": 500});
    let order = format!("/ordermanagement/v1/orders/{order_id}");
    for (matching, method, path, hit) in [
        (json!({}), "GET", order.as_str(), true),
        (json!({"method": "POST"}), "GET", order.as_str(), false),
        (json!({"path": "/ordermanagement/v1/orders/{order_id}"}), "GET", order.as_str(), true),
        (
            json!({"path": "/ordermanagement/v1/orders/{order_id}/captures"}),
            "GET",
            order.as_str(),
            false,
        ),
        (json!({"operation": "orders.read"}), "GET", order.as_str(), true),
        (json!({"merchant_id": "K123456"}), "GET", order.as_str(), true),
        (json!({"merchant_id": "K654321"}), "GET", order.as_str(), false),
    ] {
        arm(&world, &json!({"match": matching, "effect": error})).await;
        let status = world.call(method, path, &Value::Null).await.status;
        assert_eq!(status, if hit { 500 } else { 200 }, "{matching}");
        assert_eq!(faults(&world).await[0]["matched"], i32::from(hit), "{matching}");
        assert_eq!(world.send("DELETE", FAULTS, &[], "").await.status, 204);
    }
    // Whoever is not let in is not hit, and what is ours never is.
    arm(&world, &json!({"effect": error})).await;
    assert_eq!(world.send("GET", &order, &[], "").await.status, 401);
    assert_eq!(world.send("GET", "/playground/v1/clock", &[], "").await.status, 200);
    assert_eq!(world.send("GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(faults(&world).await[0]["matched"], 0);
    world.stop().await;
}

#[tokio::test]
async fn a_share_is_the_same_for_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let world = World::start().await;
        let fault = json!({
            "per_mille": 100, "seed": seed, "effect": {"type": "error", "status": 502},
        });
        arm(&world, &fault).await;
        let mut statuses = Vec::new();
        for _ in 0..1_000 {
            statuses
                .push(world.call("GET", "/payments/v1/sessions/none", &Value::Null).await.status);
        }
        // Of a thousand calls exactly a tenth.
        assert_eq!(statuses.iter().filter(|status| **status == 502).count(), 100);
        let counts = &faults(&world).await[0];
        assert_eq!((&counts["matched"], &counts["injected"]), (&json!(1_000), &json!(100)));
        assert_eq!(counts["seed"], seed);
        let log = world.send("GET", "/playground/v1/requests?limit=2000&fault=any", &[], "").await;
        assert_eq!(log.json["requests"].as_array().unwrap().len(), 100);
        runs.push(statuses);
        world.stop().await;
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn the_next_calls_are_hit_after_some_are_left_alone() {
    let world = World::start().await;
    arm(&world, &json!({"skip": 2, "times": 3, "effect": {"type": "error", "status": 504}})).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(world.call("GET", "/payments/v1/sessions/none", &Value::Null).await.status);
    }
    assert_eq!(statuses, [404, 404, 504, 504, 504, 404, 404]);
    world.stop().await;
}

#[tokio::test]
async fn faults_survive_a_restart_and_go_on_where_they_stopped() {
    for engine in engines().await {
        let mut statuses = Vec::new();
        let world = engine.world().await;
        let fault = json!({
            "per_mille": 300, "times": 9, "effect": {"type": "error", "status": 500},
        });
        let armed = arm(&world, &fault).await;
        for _ in 0..25 {
            statuses.push(world.call("GET", "/payments/v1/sessions/x", &Value::Null).await.status);
        }
        // The seed is chance: all nine may have been hit by now, and no more calls are counted then.
        let before = faults(&world).await;
        world.stop().await;
        let world = engine.world().await;
        let kept = faults(&world).await;
        assert_eq!((&kept[0]["id"], &kept[0]["seed"]), (&armed["id"], &armed["seed"]));
        assert_eq!(kept, before);
        assert!(kept[0]["matched"].as_u64() >= Some(9), "{kept:?}");
        for _ in 0..25 {
            statuses.push(world.call("GET", "/payments/v1/sessions/x", &Value::Null).await.status);
        }
        // What one playground that was never stopped would have done.
        world.send("DELETE", FAULTS, &[], "").await;
        let mut again = fault.clone();
        again["seed"] = armed["seed"].clone();
        arm(&world, &again).await;
        let mut whole = Vec::new();
        for _ in 0..50 {
            whole.push(world.call("GET", "/payments/v1/sessions/x", &Value::Null).await.status);
        }
        assert_eq!(statuses, whole);
        // A reset forgets them.
        world.control("/reset", &json!({})).await;
        assert!(faults(&world).await.is_empty());
        world.stop().await;
        let world = engine.world().await;
        assert!(faults(&world).await.is_empty());
        world.stop().await;
    }
}

#[tokio::test]
async fn faults_are_read_and_taken_away_one_by_one() {
    let world = World::start().await;
    let effect = json!({"type": "drop"});
    let one = arm(&world, &json!({"times": 1, "effect": effect})).await;
    let two = arm(&world, &json!({"times": 2, "effect": effect})).await;
    let path = |fault: &Value| format!("{FAULTS}/{}", fault["id"].as_str().unwrap());
    assert_eq!(world.send("GET", &path(&two), &[], "").await.json, two);
    assert_eq!(world.send("DELETE", &path(&one), &[], "").await.status, 204);
    assert_eq!(world.send("DELETE", &path(&one), &[], "").await.status, 404);
    assert_eq!(world.send("GET", &path(&one), &[], "").await.status, 404);
    assert_eq!(faults(&world).await, [two]);
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let world = World::start().await;
    for (fault, code, message) in [
        (json!({}), "BAD_REQUEST", "effect"),
        (json!({"effect": {"type": "explode"}}), "BAD_REQUEST", "unknown variant `explode`"),
        (json!({"effect": {"type": "drop"}, "per_mille": 0.5}), "BAD_REQUEST", "per_mille"),
        (json!({"effect": {"type": "drop"}, "per_mille": 0}), "BAD_VALUE", "per_mille: 1 to 1000"),
        (
            json!({"effect": {"type": "drop"}, "match": {"path": "/shop"}}),
            "BAD_VALUE",
            "match.path: no path of Klarna's APIs",
        ),
        (
            json!({"effect": {"type": "drop"}, "match": {"operation": "x"}}),
            "BAD_VALUE",
            "orders.capture",
        ),
        (
            json!({"effect": {"type": "lose"}, "match": {"method": "GET"}}),
            "BAD_VALUE",
            "match.method: lose happens to callbacks",
        ),
    ] {
        let headers = [("content-type", "application/json")];
        let reply = world.send("POST", FAULTS, &headers, fault.to_string()).await;
        assert_eq!((reply.status, &reply.json["error_code"]), (400, &json!(code)), "{fault}");
        let told = reply.json["error_messages"][0].as_str().unwrap();
        assert!(told.contains(message), "{fault}: {told}");
    }
    for _ in 0..100 {
        arm(&world, &json!({"effect": {"type": "drop"}, "match": {"merchant_id": "nobody"}})).await;
    }
    let headers = [("content-type", "application/json")];
    let one_more = json!({"effect": {"type": "drop"}}).to_string();
    assert_eq!(world.send("POST", FAULTS, &headers, one_more).await.status, 409);
    world.stop().await;
}

#[tokio::test]
async fn a_call_can_ask_for_its_own_fault() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let body = json!({"captured_amount": 100});
    let mut moved = 0;
    for (words, status, effect) in
        [("503", 503, 0), ("500;after", 500, 100), ("nonsense", 201, 100)]
    {
        let headers = [("x-sim-fault", words)];
        let reply = world.call_as(&world.merchant, "POST", &path, &body, &headers).await;
        assert_eq!(reply.status, status, "{words}");
        moved += effect;
        assert_eq!(captured(&world, &order_id).await, moved, "{words}");
    }
    let log = world.send("GET", "/playground/v1/requests?fault=switch", &[], "").await.json;
    assert_eq!(log["requests"].as_array().unwrap().len(), 2);
    // Or in a reference, for whoever cannot set headers.
    let mut session = Purchase::of(10_000).session();
    world.makes_answers_up();
    session["merchant_reference2"] = json!("SIM:502");
    let reply = world.call("POST", "/payments/v1/sessions", &session).await;
    assert_eq!(reply.status, 502);
    session["merchant_reference2"] = json!("an order of SIM:502");
    assert_eq!(world.call("POST", "/payments/v1/sessions", &session).await.status, 200);
    world.stop().await;
}
