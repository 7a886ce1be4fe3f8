//! What is looked up when the metrics are asked for, and whether a node takes traffic: on each engine.

use std::time::{Duration, Instant};

use crate::faulty::Hit;
use crate::town::Town;
use serde_json::json;
use storage::Tx;

/// Generous: a busy machine must not fail a test. Whoever waits asks again as soon as there was an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The metrics, as they are told now.
async fn page(town: &Town) -> String {
    let url = format!("http://{}/metrics", town.gateway.metrics_addr.unwrap());
    let reply = town.send("GET", url, &[], String::new()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.text
}

/// Looks at the metrics until one has that value.
async fn comes_to(town: &Town, metric: &str, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let page = page(town).await;
        let found = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        if found == Some(wanted) {
            return;
        }
    }
    panic!("{metric} never was {wanted}:\n{}", page(town).await);
}

async fn ready(town: &Town) -> (u16, String) {
    let url = format!("{}/health/ready", town.gateway.url);
    let reply = town.send("GET", url, &[], String::new()).await;
    (reply.status, reply.text)
}

#[tokio::test]
async fn what_is_under_way_and_what_went_wrong_is_told() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        comes_to(&town, "kassa_gateway_db_up", "1").await;
        comes_to(&town, "kassa_gateway_nodes", "1").await;
        comes_to(&town, "kassa_gateway_operations{state=\"in_doubt\"}", "0").await;
        // An answer is lost: in doubt, and counted.
        town.klarna.hit_next("capture", Hit::LostBefore);
        let path = format!("/v1/payments/{}/captures", payment["id"].as_str().unwrap());
        let asked = town.call("POST", &path, &json!({ "amount": 100 })).await;
        assert!((200..300).contains(&asked.status), "{}", asked.text);
        comes_to(
            &town,
            "kassa_gateway_operation_turns_total{kind=\"capture\",outcome=\"in_doubt\"}",
            "1",
        )
        .await;
        // Nobody listens there: the shop is not told, and that is told.
        let endpoint = json!({ "url": "http://127.0.0.1:9/hooks", "events": ["*"] });
        assert_eq!(town.call("POST", "/v1/webhook_endpoints", &endpoint).await.status, 201);
        town.paid().await;
        comes_to(&town, "kassa_gateway_webhook_deliveries{stage=\"dead\"}", "0").await;
        let page = page(&town).await;
        let pending = page.lines().find_map(|line| {
            line.strip_prefix("kassa_gateway_webhook_deliveries{stage=\"pending\"} ")
        });
        assert!(pending.unwrap().parse::<u32>().unwrap() >= 3, "{page}");
        let units =
            page.lines().find_map(|line| line.strip_prefix("kassa_gateway_db_commit_units_sum "));
        assert!(units.unwrap().parse::<f64>().unwrap() >= 5.0, "{page}");
        town.end().await;
    }
}

#[tokio::test]
async fn a_node_is_not_ready_without_its_tables_or_its_database() {
    for town in Town::on_each_engine().await {
        assert_eq!(ready(&town).await, (200, "ready\n".to_owned()));
        // As if an older copy were put back under the running program.
        let newest = "DELETE FROM schema_migrations WHERE version =
                          (SELECT MAX(version) FROM schema_migrations)";
        let forget = move |tx: &mut Tx<'_>| tx.execute(newest, &[]);
        town.gateway.database().write(forget).await.unwrap();
        becomes(&town, (503, "not ready: the database lacks migrations\n")).await;
        town.gateway.database().close().await;
        becomes(&town, (503, "not ready: the database does not answer\n")).await;
        comes_to(&town, "kassa_gateway_db_up", "0").await;
        comes_to(&town, "kassa_gateway_ready", "0").await;
        let url = format!("{}/health/live", town.gateway.url);
        assert_eq!(town.send("GET", url, &[], String::new()).await.status, 200);
        town.playground.stop().await;
    }
}

/// Asks until what was known before is looked at again.
async fn becomes(town: &Town, wanted: (u16, &str)) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let (status, text) = ready(town).await;
        if (status, text.as_str()) == wanted {
            return;
        }
    }
    panic!("never became {wanted:?}: {:?}", ready(town).await);
}
