//! Being Klarna towards a token.

use serde_json::{Value, json};

use super::{coffee, told};
use crate::common::{Reply, World, engines};

async fn look(world: &World, token: &str) -> Reply {
    world.send("GET", &format!("/playground/v1/customer-tokens/{token}"), &[], "").await
}

async fn steer(world: &World, token: &str, change: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    let path = format!("/playground/v1/customer-tokens/{token}");
    world.send("POST", &path, &headers, change.to_string()).await
}

#[tokio::test]
async fn a_token_shows_what_it_is_and_what_happened_to_it() {
    for engine in engines().await {
        let world = engine.world().await;
        let token = world.token().await;
        world.steer(&token, &json!({"action": "suspend"})).await;
        world.steer(&token, &json!({"action": "suspend"})).await;
        world.charge(&token, &coffee()).await;
        world.steer(&token, &json!({"action": "activate"})).await;
        world.charge(&token, &coffee()).await;
        world.steer(&token, &json!({"action": "fail_next", "times": 3})).await;
        world.charge(&token, &coffee()).await;
        let view = look(&world, &token).await.json;
        insta::assert_json_snapshot!("steered_token", view, {
            ".token_id" => "[id]", ".payment_method_reference" => "[id]",
            ".history[].order_id" => "[id]",
        });
        let planned = |error_code: &str, times: u32| json!({"action": "fail_next", "error_code": error_code, "times": times});
        // A plan takes the place of the one before; none is the end of it.
        let view = world.steer(&token, &planned("SERVICE_UNAVAILABLE", 1)).await;
        assert_eq!(view["fail_next"], json!({"times": 1, "error_code": "SERVICE_UNAVAILABLE"}));
        let view = world.steer(&token, &planned("SERVICE_UNAVAILABLE", 0)).await;
        assert_eq!(view.get("fail_next"), None);
        assert_eq!(world.charge(&token, &coffee()).await.status, 200);
        // Klarna cancels, too, and then there is no way back.
        let view = world.steer(&token, &json!({"action": "cancel"})).await;
        assert_eq!(view["status"], "CANCELLED");
        assert_eq!(view["history"][0]["event"], "cancelled_by_klarna");
        for action in ["activate", "suspend"] {
            let reply = steer(&world, &token, &json!({ "action": action })).await;
            assert_eq!((reply.status, &reply.json["error_code"]), (409, &json!("CONFLICT")));
        }
        assert_eq!(steer(&world, &token, &json!({"action": "cancel"})).await.status, 200);
        world.stop().await;
    }
}

#[tokio::test]
async fn what_it_does_not_understand_it_says() {
    let world = World::start().await;
    let token = world.token().await;
    let missing = "404 NOT_FOUND there is no such customer token";
    assert_eq!(told(&look(&world, "unknown").await), missing);
    assert_eq!(told(&steer(&world, "unknown", &json!({"action": "suspend"})).await), missing);
    for (change, expected) in [
        (
            json!({"action": "resume"}),
            "BAD_VALUE action: is none of suspend, activate, cancel, fail_next",
        ),
        (
            json!({"action": "suspend", "times": 1}),
            "BAD_VALUE times and error_code belong to the action fail_next",
        ),
        (json!({"action": "fail_next", "times": 1_000_001}), "BAD_VALUE times: at most 1000000"),
        (
            json!({"action": "fail_next", "error_code": "TEAPOT"}),
            "BAD_VALUE error_code: is none of PAYMENT_METHOD_FAILED, UNAVAILABLE_PAYMENT_METHOD, SERVICE_UNAVAILABLE",
        ),
    ] {
        assert_eq!(
            told(&steer(&world, &token, &change).await),
            format!("400 {expected}"),
            "{change}"
        );
    }
    for change in [
        json!({}),
        json!({"action": null}),
        json!({"action": 1}),
        json!({"action": "fail_next", "times": -1}),
        json!({"action": "fail_next", "times": 4_294_967_296_u64}),
        json!({"action": "suspend", "why": "because"}),
        json!([]),
    ] {
        let reply = steer(&world, &token, &change).await;
        assert_eq!(
            (reply.status, &reply.json["error_code"]),
            (400, &json!("BAD_REQUEST")),
            "{change}"
        );
    }
    // From another origin it is closed, like the rest of the control API.
    let headers = [("content-type", "application/json"), ("origin", "https://evil.example")];
    let path = format!("/playground/v1/customer-tokens/{token}");
    assert_eq!(world.send("POST", &path, &headers, "{}").await.status, 403);
    assert_eq!(world.send("GET", &path, &headers[1..], "").await.status, 403);
    assert_eq!(look(&world, &token).await.json["history"].as_array().unwrap().len(), 1);
    // A fresh start forgets tokens, too.
    world.control("/reset", &json!({})).await;
    assert_eq!(told(&look(&world, &token).await), missing);
    world.stop().await;
}
