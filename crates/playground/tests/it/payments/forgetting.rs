//! What nobody can ask for any more is not kept.

use serde_json::json;
use storage::Database;

use super::{german_with, told};
use crate::common::{Engine, World, engines};

async fn count(engine: &Engine, table: &str) -> i64 {
    let database = Database::open(&engine.location, &[]).await.unwrap();
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let count = database
        .read(move |tx| tx.query_dynamic(&sql, &[])?.first().map_or(Ok(0), |row| row.get(0)))
        .await
        .unwrap();
    database.close().await;
    count
}

/// A purchase through the browser's flow, a capture under a key, a customer token.
async fn do_business(world: &World) -> String {
    let body = german_with(&json!({ "intent": "buy_and_tokenize" }));
    let session = world.call("POST", crate::payments::SESSIONS, &body).await.json;
    let bearer = format!("Bearer {}", session["client_token"].as_str().unwrap());
    let flow = json!({
        "kind": "authorize", "page_origin": "https://shop.example", "category": "klarna", "data": {},
        "options": {},
    });
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let flow = world.send("POST", "/kp/v1/flow", &headers, flow.to_string()).await;
    assert_eq!(flow.status, 200, "{flow:?}");
    let token = world.authorize(session["session_id"].as_str().unwrap()).await;
    let path = format!("/payments/v1/authorizations/{token}/customer-token");
    let wanted = json!({
        "purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE",
        "description": "Kaffee", "intended_use": "SUBSCRIPTION",
    });
    assert_eq!(told(&world.call("POST", &path, &wanted).await), "200");
    let order = world.place_order(&token, &body).await;
    let order_id = order.json["order_id"].as_str().unwrap();
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let key = [("klarna-idempotency-key", "once")];
    let capture = json!({ "captured_amount": 100 });
    let reply = world.call_as(&world.merchant, "POST", &path, &capture, &key).await;
    assert_eq!(reply.status, 201);
    order_id.to_owned()
}

#[tokio::test]
async fn what_is_past_its_time_is_forgotten_and_orders_are_not() {
    const OF_SESSIONS: [&str; 5] =
        ["sessions", "session_events", "authorizations", "flows", "flow_events"];
    const REQUESTS: [&str; 2] =
        ["authorizations WHERE request <> ''", "customer_tokens WHERE request <> ''"];
    for engine in engines().await {
        let world = engine.world().await;
        let order_id = do_business(&world).await;
        world.advance("PT23H").await;
        world.stop().await;
        for table in OF_SESSIONS.iter().chain(&REQUESTS).chain(&["idempotent_answers"]) {
            assert!(count(&engine, table).await > 0, "{table}");
        }
        // After a day: the answers that could be repeated.
        let world = engine.world().await;
        world.advance("PT2H").await;
        world.stop().await;
        for table in REQUESTS.iter().chain(&["idempotent_answers"]) {
            assert_eq!(count(&engine, table).await, 0, "{table}");
        }
        // Two days after its end: the session. The order and the customer token stay.
        let world = engine.world().await;
        world.advance("PT70H").await;
        world.stop().await;
        assert_eq!(count(&engine, "sessions").await, 1);
        let world = engine.world().await;
        world.advance("PT2H").await;
        let path = format!("/ordermanagement/v1/orders/{order_id}");
        assert_eq!(world.call("GET", &path, &serde_json::Value::Null).await.status, 200);
        world.stop().await;
        for table in OF_SESSIONS {
            assert_eq!(count(&engine, table).await, 0, "{table}");
        }
        for table in ["orders", "customer_tokens", "customer_token_events"] {
            assert_eq!(count(&engine, table).await, 1, "{table}");
        }
    }
}
