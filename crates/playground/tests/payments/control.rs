//! The control API: who may use it, and what it does for them.

use playground::Config;
use serde_json::{Value, json};
use url::Url;

use crate::common::{START, World};
use crate::{german, told};

const ROUTES: [(&str, &str); 8] = [
    ("GET", "/clock"),
    ("POST", "/clock"),
    ("GET", "/requests"),
    ("GET", "/merchants"),
    ("POST", "/merchants"),
    ("POST", "/shopper/authorize"),
    ("POST", "/shopper/finalize"),
    ("POST", "/reset"),
];

/// What each route answers to calls with these headers.
async fn statuses(world: &World, headers: &[(&'static str, &str)]) -> Vec<u16> {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers.iter().copied());
    let mut statuses = Vec::new();
    for (method, path) in ROUTES {
        let body = if method == "GET" { "" } else { "{}" };
        let reply = world.send(method, &format!("/playground/v1{path}"), &all, body).await;
        statuses.push(reply.status);
    }
    statuses.dedup();
    statuses
}

#[tokio::test]
async fn without_a_token_it_is_closed_to_everyone_once_others_can_reach_it() {
    type Change = fn(&mut Config);
    let reachable: [Change; 2] = [
        |config| config.listen = ([0, 0, 0, 0], 0).into(),
        |config| config.public_url = Some(Url::parse("https://play.example").unwrap()),
    ];
    for change in reachable {
        let mut world = World::start_with(change).await;
        let port = world.url.rsplit(':').next().unwrap().to_owned();
        world.url = format!("http://127.0.0.1:{port}");
        // Also to a caller that seems to be on this machine.
        for headers in [vec![], vec![("authorization", "Bearer ")], vec![("host", "localhost")]] {
            assert_eq!(statuses(&world, &headers).await, [403], "{headers:?}");
        }
        let reply = world.send("GET", "/playground/v1/clock", &[], "").await;
        let told = told(&reply);
        for hint in ["--control-token", "KASSA_CONTROL_TOKEN", "Authorization: Bearer", "127.0.0.1"]
        {
            assert!(told.contains(hint), "{told}");
        }
        // Klarna's own APIs and the page work as ever.
        let reply = world.call("GET", "/payments/v1/sessions/x", &Value::Null).await;
        assert_eq!(reply.status, 404);
        assert_eq!(world.send("GET", "/", &[], "").await.status, 200);
        world.stop().await;
    }
}

#[tokio::test]
async fn with_a_token_it_is_open_to_whoever_has_it() {
    let world = World::start_with(|config| {
        config.listen = ([0, 0, 0, 0], 0).into();
        config.control_token = Some("open-sesame".into());
    })
    .await;
    for authorization in ["", "Bearer", "Bearer ", "Bearer open", "Basic open-sesame"] {
        let headers = [("authorization", authorization)];
        assert_eq!(statuses(&world, &headers).await, [401], "{authorization}");
    }
    let headers = [("authorization", "Bearer open-sesame"), ("host", "play.example")];
    assert_eq!(world.send("GET", "/playground/v1/clock", &headers, "").await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn on_loopback_it_answers_no_foreign_page_name_or_proxy() {
    let world = World::start().await;
    let port = world.url.rsplit(':').next().unwrap();
    for headers in [
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example"),
        ("host", "localhost.evil.example:7072"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:1"),
        ("origin", "null"),
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
    ] {
        assert_eq!(statuses(&world, &[headers]).await, [403], "{headers:?}");
    }
    let (name, own) = (format!("localhost:{port}"), format!("http://localhost:{port}"));
    for headers in [vec![], vec![("host", name.as_str()), ("origin", own.as_str())]] {
        let reply = world.send("GET", "/playground/v1/clock", &headers, "").await;
        assert_eq!(reply.status, 200, "{headers:?}: {reply:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_control_api_is_for_the_operator() {
    let world = World::start().await;
    let clock = world.send("GET", "/playground/v1/clock", &[], "").await;
    assert_eq!(clock.json["now"], START);
    let json = ("content-type", "application/json");
    let back = json!({"set": "2020-01-01T00:00:00Z"}).to_string();
    let reply = world.send("POST", "/playground/v1/clock", &[json], back).await;
    assert_eq!(reply.status, 400);
    assert!(told(&reply).contains("does not go back"), "{reply:?}");
    let foreign = [("origin", "https://evil.example")];
    let reply = world.send("POST", "/playground/v1/reset", &foreign, "").await;
    assert_eq!(reply.status, 403);

    let session_id = world.session(&german()).await;
    world.advance("P1D").await;
    let listed = world.send("GET", "/playground/v1/merchants", &[], "").await;
    assert_eq!(listed.json["merchants"][0]["merchant_id"], "K123456");
    assert!(!listed.text.contains("password") && !listed.text.contains("hash"));
    world.control("/reset", &json!({})).await;
    assert!(world.log("").await.is_empty());
    assert_eq!(told(&world.read(&session_id).await), "404 NOT_FOUND Invalid session id");
    let clock = world.send("GET", "/playground/v1/clock", &[], "").await;
    assert_eq!(clock.json, json!({"now": START, "offset_ms": 0}));
    let page = world.send("GET", "/", &[], "").await;
    assert!(page.text.contains("Kassa playground"));
    assert_eq!(world.send("GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(world.send("GET", "/readyz", &[], "").await.status, 200);
    world.stop().await;

    let world = World::start_with(|config| {
        config.control_token = Some("open-sesame".into());
    })
    .await;
    for (token, expected) in [("Bearer open-sesame", 200), ("Bearer other", 401), ("", 401)] {
        let headers = [("authorization", token)];
        let reply = world.send("GET", "/playground/v1/clock", &headers, "").await;
        assert_eq!(reply.status, expected, "{token}");
    }
    world.stop().await;
}
