//! The sender of callbacks: what it records, what it repeats on demand, how long it waits, and where it
//! does not go.

use crate::common;
use crate::common::{Purchase, World, engines};
use crate::receiver::Receiver;
use playground::CallbackTargets;
use serde_json::{Value, json};

/// Has an approved shopper be told to `url`.
async fn authorize(world: &World, url: &str) -> String {
    let purchase = Purchase {
        extra: json!({"merchant_urls": {"authorization": url}}),
        ..Purchase::of(10_000)
    };
    let session = world.call("POST", "/payments/v1/sessions", &purchase.session()).await;
    assert_eq!(session.status, 200, "{session:?}");
    let session_id = session.json["session_id"].as_str().unwrap().to_owned();
    let shopper = json!({"session_id": session_id, "email": purchase.email});
    let result = world.control("/shopper/authorize", &shopper).await;
    assert_eq!(result["approved"], true, "{result}");
    session_id
}

async fn callbacks(world: &World, query: &str) -> Vec<Value> {
    let path = format!("/playground/v1/callbacks{query}");
    let reply = world.send("GET", &path, &[], "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json["callbacks"].as_array().unwrap().clone()
}

async fn redeliver(world: &World, id: &Value) -> common::Reply {
    let path = format!("/playground/v1/callbacks/{}/redeliver", id.as_str().unwrap());
    world.send("POST", &path, &[], "").await
}

#[tokio::test]
async fn every_attempt_is_on_record_over_a_restart() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[500, 302, 503]).await;
        let session_id = authorize(&world, &format!("{}/a?s={{session.id}}", shop.url)).await;
        world.advance("PT1M").await;
        let listed = callbacks(&world, "").await;
        assert_eq!(listed.len(), 1);
        let told = &listed[0];
        assert_eq!(told["kind"], "authorization");
        assert_eq!(told["state"], "given_up");
        assert_eq!(told["subject_id"], session_id);
        assert_eq!(told["merchant_id"], world.merchant.merchant_id);
        assert_eq!(told["created_at"], "2026-03-02T09:00:00.250Z");
        assert!(told.get("next_attempt_at").is_none());
        assert_eq!(told["body"]["session_id"], session_id);
        let attempts: Vec<(i64, &str, u64, &str)> = told["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| {
                (
                    attempt["number"].as_i64().unwrap(),
                    attempt["at"].as_str().unwrap(),
                    attempt["status"].as_u64().unwrap(),
                    attempt["cause"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            attempts,
            [
                (1, "2026-03-02T09:00:00.250Z", 500, "schedule"),
                (2, "2026-03-02T09:00:01.250Z", 302, "schedule"),
                (3, "2026-03-02T09:00:03.250Z", 503, "schedule"),
            ]
        );
        world.stop().await;
        let world = engine.world().await;
        assert_eq!(callbacks(&world, "").await, listed);
        let id = told["id"].as_str().unwrap();
        let one = world.send("GET", &format!("/playground/v1/callbacks/{id}"), &[], "").await;
        assert_eq!(&one.json, told);
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn deliveries_are_found_by_what_they_are() {
    let world = World::start().await;
    let shop = Receiver::start(&[200, 503]).await;
    let first = authorize(&world, &format!("{}/a", shop.url)).await;
    world.advance("PT1M").await;
    let second = authorize(&world, &format!("{}/b", shop.url)).await;
    for (query, expected) in [
        ("", vec![&second, &first]),
        ("?limit=1", vec![&second]),
        ("?kind=authorization", vec![&second, &first]),
        ("?kind=push", vec![]),
        ("?state=delivered", vec![&first]),
        ("?state=pending", vec![&second]),
        ("?merchant_id=K123456", vec![&second, &first]),
        ("?merchant_id=K654321", vec![]),
    ] {
        shop.wait_for(2).await;
        let listed = callbacks(&world, query).await;
        let subjects: Vec<&str> =
            listed.iter().map(|told| told["subject_id"].as_str().unwrap()).collect();
        assert_eq!(subjects, expected, "{query}");
    }
    assert_eq!(callbacks(&world, &format!("?subject_id={first}")).await.len(), 1);
    for query in ["?kind=pull", "?state=lost", "?limit=many", "?limit=-1", "?colour=red"] {
        let path = format!("/playground/v1/callbacks{query}");
        let reply = world.send("GET", &path, &[], "").await;
        assert_eq!(
            (reply.status, &reply.json["error_code"]),
            (400, &json!("BAD_VALUE")),
            "{query}"
        );
    }
    for (method, path) in [("GET", "/nobody"), ("POST", "/nobody/redeliver")] {
        let path = format!("/playground/v1/callbacks{path}");
        assert_eq!(world.send(method, &path, &[], "").await.status, 404);
    }
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn what_was_given_up_or_delivered_is_sent_again_on_demand() {
    let world = World::start().await;
    let shop = Receiver::start(&[503, 503, 503, 500, 204, 200]).await;
    authorize(&world, &format!("{}/a", shop.url)).await;
    world.advance("PT1M").await;
    let id = callbacks(&world, "").await[0]["id"].clone();
    // One more failure changes nothing.
    let failed = redeliver(&world, &id).await.json;
    assert_eq!(
        (&failed["state"], &failed["attempts"][3]["status"]),
        (&json!("given_up"), &json!(500))
    );
    assert_eq!(failed["attempts"][3]["cause"], "redelivery");
    let delivered = redeliver(&world, &id).await.json;
    assert_eq!(delivered["state"], "delivered");
    let again = redeliver(&world, &id).await.json;
    assert_eq!(again["attempts"].as_array().unwrap().len(), 6);
    let received = shop.received();
    assert_eq!(received.len(), 6);
    assert!(received.iter().all(|call| call.json == received[0].json));
    // All of it is in the request log.
    assert_eq!(
        world.send("GET", "/playground/v1/requests?path=/a", &[], "").await.json["requests"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn an_attempt_on_demand_ends_the_schedule_when_it_succeeds_and_does_not_count_otherwise() {
    let world = World::start().await;
    let shop = Receiver::start(&[503, 503, 503, 200]).await;
    authorize(&world, &format!("{}/a", shop.url)).await;
    shop.wait_for(1).await;
    world.advance("PT0.5S").await;
    let pending = &callbacks(&world, "").await[0];
    assert_eq!(pending["state"], "pending");
    assert_eq!(pending["next_attempt_at"], "2026-03-02T09:00:01.250Z");
    // A failure: the schedule goes on as it was, with two more attempts.
    redeliver(&world, &pending["id"]).await;
    assert_eq!(callbacks(&world, "").await[0]["next_attempt_at"], "2026-03-02T09:00:01.250Z");
    world.advance("PT1S").await;
    assert_eq!(callbacks(&world, "").await[0]["next_attempt_at"], "2026-03-02T09:00:03.250Z");
    // A success: nothing is due any more.
    let done = redeliver(&world, &pending["id"]).await.json;
    assert_eq!(done["state"], "delivered");
    assert!(done.get("next_attempt_at").is_none());
    world.advance("P1D").await;
    assert_eq!(shop.received().len(), 4);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_left_after_two_seconds() {
    let world = World::start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    authorize(&world, &format!("http://{}/a", silent.local_addr().unwrap())).await;
    // Connections are made by the operating system; nobody answers on them.
    world.advance("PT0.1S").await;
    let attempts = &callbacks(&world, "").await[0]["attempts"];
    assert_eq!(attempts.as_array().unwrap().len(), 1);
    assert!(attempts[0]["failure"].as_str().unwrap().contains("no answer came in time"));
    let waited = attempts[0]["duration_ms"].as_u64().unwrap();
    assert!((1_900..10_000).contains(&waited), "{waited}");
    world.stop().await;
}

#[tokio::test]
async fn callbacks_do_not_lead_inside_unless_that_is_wanted() {
    let shop = Receiver::start(&[]).await;
    let port = shop.url.rsplit(':').next().unwrap();
    let hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"];
    // The internet alone.
    let world =
        World::start_with(|config| config.callback_targets = Some(CallbackTargets::Internet)).await;
    for host in hosts {
        authorize(&world, &format!("https://{host}:{port}/a")).await;
    }
    world.advance("PT1M").await;
    let listed = callbacks(&world, "").await;
    assert_eq!(listed.len(), hosts.len());
    for told in &listed {
        assert_eq!(told["state"], "given_up", "{told}");
        assert_eq!(told["attempts"].as_array().unwrap().len(), 3);
        let failure = told["attempts"][0]["failure"].as_str().unwrap();
        assert!(failure.contains("the address may not be called"), "{failure}");
        assert!(failure.contains("is an address of this machine"), "{failure}");
    }
    assert!(shop.received().is_empty());
    world.stop().await;
    // A playground on loopback calls its neighbours, but never what answers for the machine.
    let world = World::start().await;
    for url in [
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://100.100.100.200/latest/meta-data/",
    ] {
        authorize(&world, url).await;
        world.advance("PT1M").await;
        let told = &callbacks(&world, "?limit=1").await[0];
        let failure = told["attempts"][0]["failure"].as_str().unwrap();
        assert!(failure.contains("the address may not be called"), "{url}: {failure}");
    }
    authorize(&world, &format!("{}/b", shop.url)).await;
    world.advance("PT1M").await;
    assert_eq!(shop.received().len(), 1);
    world.stop().await;
    shop.stop().await;
}

#[tokio::test]
async fn a_playground_that_others_can_reach_does_not_call_its_neighbours() {
    let shop = Receiver::start(&[]).await;
    for (targets, expected) in [(None, 0), (Some(CallbackTargets::Networks), 1)] {
        let world = World::start_with(|config| {
            config.public_url = Some("https://playground.example.com".parse().unwrap());
            config.control_token = Some(klarna_types::secret::Secret::new("open"));
            config.callback_targets = targets;
        })
        .await;
        let purchase = Purchase {
            extra: json!({"merchant_urls": {"authorization": format!("{}/a", shop.url)}}),
            ..Purchase::of(10_000)
        };
        let session = world.call("POST", "/payments/v1/sessions", &purchase.session()).await;
        let token = [("authorization", "Bearer open"), ("content-type", "application/json")];
        let shopper =
            json!({"session_id": session.json["session_id"], "email": purchase.email}).to_string();
        let path = "/playground/v1/shopper/authorize";
        assert_eq!(world.send("POST", path, &token, shopper).await.json["approved"], true);
        let clock = json!({"advance": "PT1M"}).to_string();
        assert_eq!(world.send("POST", "/playground/v1/clock", &token, clock).await.status, 200);
        assert_eq!(shop.received().len(), expected, "{targets:?}");
        world.stop().await;
    }
    shop.stop().await;
}

#[tokio::test]
async fn deliveries_that_ended_are_forgotten_after_a_month() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[]).await;
        authorize(&world, &format!("{}/a", shop.url)).await;
        world.advance("P29D").await;
        assert_eq!(callbacks(&world, "").await.len(), 1);
        world.advance("P2D").await;
        assert!(callbacks(&world, "").await.is_empty());
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn the_log_can_be_followed_without_loss_or_repetition() {
    let world = World::start().await;
    let log = async |query: String| {
        world.send("GET", &format!("/playground/v1/requests{query}"), &[], "").await.json
    };
    world.call("GET", "/payments/v1/sessions/first", &Value::Null).await;
    let start = log(String::new()).await;
    assert_eq!(start["requests"].as_array().unwrap().len(), 1);
    let mut cursor = start["cursor"].as_str().unwrap().to_owned();
    for number in 0..25 {
        world.call("GET", &format!("/payments/v1/sessions/n{number}"), &Value::Null).await;
    }
    let mut seen = Vec::new();
    loop {
        let page = log(format!("?limit=10&since={cursor}")).await;
        let mut paths: Vec<String> = page["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["path"].as_str().unwrap().to_owned())
            .collect();
        paths.reverse();
        seen.extend(paths);
        assert_eq!(page["missed"], 0);
        page["cursor"].as_str().unwrap().clone_into(&mut cursor);
        if page["more"] == false {
            break;
        }
    }
    let expected: Vec<String> =
        (0..25).map(|number| format!("/payments/v1/sessions/n{number}")).collect();
    assert_eq!(seen, expected);
    let missing = log(format!("?status=200&since={cursor}")).await;
    assert!(missing["requests"].as_array().unwrap().is_empty());
    for query in ["?since=yesterday", "?status=ok", "?correlation_id=1"] {
        assert_eq!(log(query.to_owned()).await["error_code"], "BAD_VALUE", "{query}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_log_is_searched_by_merchant_order_and_correlation_id() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    world.call_as(&world.stranger, "GET", "/payments/v1/sessions/none", &Value::Null, &[]).await;
    let capture = json!({"captured_amount": 100});
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let captured = world.call("POST", &path, &capture).await;
    let count = async |query: String| {
        let path = format!("/playground/v1/requests?{query}");
        let reply = world.send("GET", &path, &[], "").await;
        reply.json["requests"].as_array().unwrap().len()
    };
    // Placing it answered with its id, capturing it named it.
    assert_eq!(count(format!("order_id={order_id}")).await, 2);
    assert_eq!(count("merchant_id=K654321".to_owned()).await, 1);
    assert_eq!(count("merchant_id=K123456".to_owned()).await, 3);
    let id = captured.header("klarna-correlation-id");
    assert_eq!(count(format!("correlation_id={id}")).await, 1);
    assert_eq!(count(format!("correlation_id={id}&merchant_id=K654321")).await, 0);
    // No credential is in it.
    let log = world.send("GET", "/playground/v1/requests", &[], "").await.text;
    assert!(!log.contains(world.merchant.authorization.as_str()));
    assert!(!log.to_lowercase().contains("basic "));
    world.stop().await;
}
