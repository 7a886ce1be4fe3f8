//! The control API: who may use it, and what it does for them.

use playground::Config;
use serde_json::{Value, json};
use url::Url;

use super::{german, told};
use crate::common::{START, World};

/// The method and path of each operation, as the API describes itself (which holds that it leaves none
/// out), with something for each parameter.
async fn routes(world: &World) -> Vec<(String, String)> {
    let document = world.send("GET", "/playground/v1/openapi.json", &[], "").await.json;
    let mut routes = vec![("GET".to_owned(), "/playground/outbox".to_owned())];
    for (path, operations) in document["paths"].as_object().unwrap() {
        let segments = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path: String = segments.collect::<Vec<_>>().join("/");
        let methods = operations.as_object().unwrap().keys();
        routes.extend(methods.map(|method| (method.to_ascii_uppercase(), path.clone())));
    }
    assert!(routes.len() > 30, "{routes:?}");
    routes
}

/// What each route answers to calls with these headers.
async fn statuses(world: &World, headers: &[(&'static str, &str)]) -> Vec<u16> {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers.iter().copied());
    let mut statuses = Vec::new();
    for (method, path) in routes(world).await {
        let body = if method == "GET" { "" } else { "{}" };
        let reply = world.send(&method, &path, &all, body).await;
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

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said_by_name() {
    let world = World::start().await;
    let post = async |path: &str, body: Value| {
        let json = [("content-type", "application/json")];
        let path = format!("/playground/v1{path}");
        told(&world.send("POST", &path, &json, body.to_string()).await)
    };
    for (path, body, expected) in [
        (
            "/shopper/authorize",
            json!({"session_id": "s", "emial": "a@b.se"}),
            "unknown field `emial`",
        ),
        ("/shopper/authorize", json!({"session_id": "s", "emial": 1}), "`payment_method`"),
        ("/shopper/finalize", json!({"sesion_id": "s"}), "unknown field `sesion_id`"),
        ("/shopper/hosted", json!({"action": "open", "hpp": "x"}), "unknown field `hpp`"),
        ("/shopper/scan", json!({"merchant": "x"}), "unknown field `merchant`"),
        (
            "/shopper/authorize",
            json!({"session_id": "s", "otp": "12"}),
            "otp|a one-time code is six digits",
        ),
        ("/shopper/authorize", json!({"session_id": "s", "otp": ""}), "Bad value: otp"),
        (
            "/shopper/hosted",
            json!({"url": "u", "action": "approve", "otp": "12345a"}),
            "Bad value: otp",
        ),
        ("/clock", json!({"advance": "P1000000Y"}), "leads out of the calendar"),
        ("/merchants", json!({"settings": {"countries": ["XX"]}}), "Bad value: settings.countries"),
        (
            "/merchants",
            json!({"settings": {"settlements": {"delay_days": 99}}}),
            "Bad value: settings.settlements.delay_days",
        ),
        (
            "/merchants",
            json!({"settings": {"hosted_page_idle_minutes": 0}}),
            "hosted_page_idle_minutes",
        ),
        ("/merchants", json!({"settings": {"authorization_days": 181}}), "authorization_days"),
        ("/merchants", json!({"settings": {"permissions": ["fly"]}}), "settings.permissions[0]"),
    ] {
        let told = post(path, body.clone()).await;
        assert!(told.starts_with("400 ") && told.contains(expected), "{path} {body}: {told}");
    }
    for (path, expected) in [
        ("/requests?limit=x", "400 BAD_VALUE Bad value: limit: invalid digit found in string"),
        ("/requests?correlation_id=x", "400 BAD_VALUE Bad value: correlation_id: "),
        (
            "/requests?lmit=1",
            "400 BAD_VALUE Bad value: lmit: unknown field `lmit`, expected one of",
        ),
        ("/requests?since=x", "400 BAD_VALUE Bad value: since"),
        ("/callbacks?limit=x", "400 BAD_VALUE Bad value: limit: "),
        ("/outbox?limit=x", "400 BAD_VALUE Bad value: limit: "),
        ("/settlements?merchant=x", "400 BAD_VALUE Bad value: merchant: unknown field"),
    ] {
        let reply = world.send("GET", &format!("/playground/v1{path}"), &[], "").await;
        assert!(told(&reply).starts_with(expected), "{path}: {}", told(&reply));
    }
    world.stop().await;
}
