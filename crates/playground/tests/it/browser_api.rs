//! What the purchase pages say to the server, without a browser: flows that survive a restart, belong
//! to one session and one page, and answer a repeated command with what they said before.

use crate::common::{Reply, World};
use serde_json::{Value, json};
use storage::Location;

const SHOP: &str = "https://shop.example";

fn session() -> Value {
    json!({
        "purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE",
        "order_amount": 10_000, "order_tax_amount": 0,
        "order_lines": [{ "name": "Becher", "quantity": 1, "unit_price": 10_000, "total_amount": 10_000 }],
    })
}

async fn token(world: &World) -> String {
    let reply = world.call("POST", "/payments/v1/sessions", &session()).await;
    reply.json["client_token"].as_str().unwrap().to_owned()
}

async fn post(world: &World, token: &str, path: &str, body: Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.send("POST", &format!("/kp/v1/{path}"), &headers, body.to_string()).await
}

/// One command of a flow, as the shop's page; its view and result.
async fn act(world: &World, token: &str, flow: &str, action: &str, mut body: Value) -> Value {
    body["page_origin"] = json!(SHOP);
    let reply = post(world, token, &format!("flow/{flow}/{action}"), body).await;
    assert_eq!(reply.status, 200, "{action}: {}", reply.text);
    reply.json
}

async fn begin(world: &World, token: &str) -> String {
    let body = json!({ "page_origin": SHOP, "kind": "authorize", "options": {}, "data": {} });
    let reply = post(world, token, "flow", body).await;
    assert_eq!(
        (reply.status, &reply.json["view"]["step"]),
        (200, &json!("identify")),
        "{}",
        reply.text
    );
    reply.json["flow_id"].as_str().unwrap().to_owned()
}

async fn to_review(world: &World, token: &str, flow: &str) {
    act(world, token, flow, "identify", json!({ "contact": "customer@email.de" })).await;
    act(world, token, flow, "code", json!({ "code": "123456" })).await;
    let view = act(world, token, flow, "choose", json!({ "offer": "pay_later" })).await;
    assert_eq!(view["view"]["step"], "review");
}

#[tokio::test]
async fn a_flow_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = Location::File(folder.path().join("playground.db"));
    let location = file.clone();
    let world = World::start_with(move |config| config.location = location).await;
    let token = token(&world).await;
    let flow = begin(&world, &token).await;
    to_review(&world, &token, &flow).await;
    world.stop().await;

    let location = file.clone();
    let world = World::start_with(move |config| config.location = location).await;
    let resumed = act(&world, &token, &flow, "resume", json!({})).await;
    assert_eq!(resumed["view"]["step"], "review");
    let approved = act(&world, &token, &flow, "confirm", json!({})).await;
    assert_eq!(approved["result"]["approved"], true);
    world.stop().await;

    // What was decided is still known, and deciding again is not possible.
    let world = World::start_with(move |config| config.location = file).await;
    for action in ["resume", "confirm", "abort"] {
        assert_eq!(
            act(&world, &token, &flow, action, json!({})).await["result"],
            approved["result"]
        );
    }
    world.stop().await;
}

#[tokio::test]
async fn a_flow_belongs_to_its_session_and_its_page() {
    let world = World::start().await;
    let mine = token(&world).await;
    let other = token(&world).await;
    let flow = begin(&world, &mine).await;
    let path = format!("flow/{flow}/resume");
    let refused = post(&world, &other, &path, json!({ "page_origin": SHOP })).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (404, Some("unknown_flow")));
    let refused =
        post(&world, &mine, &path, json!({ "page_origin": "https://evil.example" })).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (403, Some("other_origin")));
    world.stop().await;
}

#[tokio::test]
async fn commands_out_of_turn_show_where_the_flow_is() {
    let world = World::start().await;
    let token = token(&world).await;
    let flow = begin(&world, &token).await;
    for action in ["code", "choose", "confirm", "step_up", "sign_up", "back"] {
        let answer =
            act(&world, &token, &flow, action, json!({ "code": "123456", "offer": "pay_later" }))
                .await;
        assert_eq!(answer["view"]["step"], "identify", "{action}");
        assert!(answer.get("result").is_none(), "{action}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_order_made_meanwhile_ends_the_flow_but_not_its_answer() {
    let world = World::start().await;
    let token = token(&world).await;
    let (done, open) = (begin(&world, &token).await, begin(&world, &token).await);
    to_review(&world, &token, &done).await;
    let approved = act(&world, &token, &done, "confirm", json!({})).await;
    let authorization = approved["result"]["authorization_token"].as_str().unwrap();
    let path = format!("/payments/v1/authorizations/{authorization}/order");
    let order = world.call("POST", &path, &session()).await;
    assert_eq!(order.status, 200, "{}", order.text);
    assert_eq!(act(&world, &token, &done, "resume", json!({})).await["result"], approved["result"]);
    let body = json!({ "page_origin": SHOP, "contact": "customer@email.de" });
    let ended = post(&world, &token, &format!("flow/{open}/identify"), body).await;
    assert_eq!((ended.status, ended.json["code"].as_str()), (410, Some("session_ended")));
    assert_eq!(
        act(&world, &token, &open, "abort", json!({})).await["result"],
        json!({ "approved": false, "show_form": true })
    );
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_a_call_of_our_pages_is_refused() {
    let world = World::start().await;
    let token = token(&world).await;
    for (path, body, status, code) in [
        ("load", json!("text"), 400, "bad_body"),
        ("flow", json!({}), 400, "bad_body"),
        ("flow", json!({ "page_origin": "null", "kind": "authorize" }), 400, "bad_body"),
        ("flow", json!({ "page_origin": SHOP, "kind": "steal" }), 400, "bad_body"),
        ("flow/unknown/resume", json!({ "page_origin": SHOP }), 404, "unknown_flow"),
        ("flow/unknown/steal", json!({ "page_origin": SHOP }), 404, "unknown_action"),
    ] {
        let reply = post(&world, &token, path, body).await;
        assert_eq!((reply.status, reply.json["code"].as_str()), (status, Some(code)), "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    world.stop().await;
}

#[tokio::test]
async fn pages_carry_the_headers_that_protect_them() {
    let world = World::start().await;
    for path in ["/kp/widget", "/kp/flow"] {
        let page = world.send("GET", path, &[], "").await;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    let library = world.send("GET", "/kp/lib/v1/api.js?1700000000000", &[], "").await;
    assert_eq!(library.status, 200);
    assert_eq!(library.header("access-control-allow-origin"), "*");
    let tag = library.header("etag").to_owned();
    let again = world.send("GET", "/kp/lib/v1/api.js", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    world.stop().await;
}
