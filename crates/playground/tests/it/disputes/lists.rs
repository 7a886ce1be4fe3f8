//! Lists: filters, order, pages, and what is wrong with them.

use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::disputes::case::{Case, call_v2, captured, enroll, line, line_v2};

/// The ids on a page.
fn ids(list: &Value) -> Vec<String> {
    list["disputes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dispute| dispute["payment_dispute_id"].as_str().unwrap().to_owned())
        .collect()
}

async fn list(world: &World, query: &str) -> Value {
    let path = format!("/v4/payment/disputes?{query}");
    let reply = world.call("GET", &path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{query} {reply:?}");
    reply.json
}

#[tokio::test]
async fn filters_and_orders_narrow_a_list() {
    for engine in common::engines().await {
        let world = engine.world().await;
        enroll(&world).await;
        let first = Case::raise(&world, json!({ "reason": "return" })).await;
        world.advance("PT1H").await;
        let purchase = Purchase {
            order_extra: json!({ "merchant_reference1": "WEB-2", "merchant_reference2": "INT-2" }),
            ..Purchase::of(4_000)
        };
        let (order_id, _) = captured(&world, &purchase).await;
        let reason = json!({ "reason": "already_paid" });
        let second = Case::over(&world, order_id, reason).await;
        world.advance("PT1H").await;
        first.v4("POST", "/accept-loss", &Value::Null).await;
        let transaction =
            second.read().await["payment_transaction_id"].as_str().unwrap().to_owned();
        let both = [first.id.clone(), second.id.clone()];
        let order = format!("order_ids={}", second.order_id);
        let cases: Vec<(String, Vec<usize>)> = vec![
            (String::new(), vec![0, 1]),
            ("sort_by=-created_at".into(), vec![1, 0]),
            ("sort_by=closed_at".into(), vec![0, 1]),
            ("sort_by=-closed_at&sort_by=created_at".into(), vec![1, 0]),
            (order.clone(), vec![1]),
            (format!("{order}&order_ids={}", first.order_id), vec![0, 1]),
            (format!("order_ids={},{}", first.order_id, second.order_id), vec![0, 1]),
            (format!("payment_transaction_ids={transaction}"), vec![1]),
            (format!("payment_transaction_ids={transaction}&order_ids={}", first.order_id), vec![]),
            ("state=CLOSED".into(), vec![0]),
            ("state=initiated&state=CLOSED".into(), vec![0, 1]),
            ("reason=INCORRECT_AMOUNT".into(), vec![1]),
            ("reason=NON_COMPLIANCE".into(), vec![]),
            ("purchase_references=WEB-2".into(), vec![1]),
            ("purchase_references[]=WEB-1001".into(), vec![0]),
            ("created_at_start=2026-03-02T09:30:00Z".into(), vec![1]),
            ("created_at_end=2026-03-02T09:30:00Z".into(), vec![0]),
            ("created_at_start=2026-03-02T09:00:00.250Z".into(), vec![0, 1]),
            ("created_at_end=2026-03-02T09:00:00.250Z".into(), vec![]),
            ("closed_at_start=2026-03-02T10:00:00Z".into(), vec![0]),
            ("closed_at_end=2026-03-02T10:00:00Z".into(), vec![]),
            ("updated_at_start=2026-03-02T10:30:00Z".into(), vec![0]),
            ("updated_at_end=2026-03-02T10:30:00Z".into(), vec![1]),
        ];
        for (query, expected) in cases {
            let expected: Vec<_> = expected.into_iter().map(|place| both[place].clone()).collect();
            assert_eq!(ids(&list(&world, &query).await), expected, "{query}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn pages_follow_one_another_whatever_is_raised_meanwhile() {
    for engine in common::engines().await {
        let world = engine.world().await;
        enroll(&world).await;
        for _ in 0..5 {
            Case::raise(&world, json!({})).await;
        }
        let all = ids(&list(&world, "").await);
        assert_eq!(all.len(), 5);
        let mut seen = Vec::new();
        let mut path = "/v4/payment/disputes?size=2".to_owned();
        loop {
            let page = world.call("GET", &path, &Value::Null).await.json;
            let pagination = &page["pagination"];
            seen.extend(ids(&page));
            assert_eq!(pagination["count"], ids(&page).len());
            let number = |id: &String| id.rsplit(':').next().unwrap().to_owned();
            assert_eq!(pagination["first_item"], number(&ids(&page)[0]));
            if pagination["last_item"].is_null() {
                assert_eq!(pagination.get("links"), None);
                break;
            }
            assert_eq!(pagination["last_item"], number(ids(&page).last().unwrap()));
            // Something new does not move what is on the pages, and joins their end.
            if seen.len() == 2 {
                world.advance("PT1S").await;
                Case::raise(&world, json!({})).await;
            }
            let next = pagination["links"]["next"]["href"].as_str().unwrap();
            path = next.strip_prefix(&world.public_url()).unwrap().to_owned();
        }
        assert_eq!(seen[..5], all[..]);
        assert_eq!(seen.len(), 6);

        let mut seen = 0;
        let mut query = "?limit=4".to_owned();
        loop {
            let page =
                call_v2(&world, "GET", &format!("/disputes{query}"), &Value::Null).await.json;
            assert_eq!(
                (&page["pagination"]["limit"], &page["pagination"]["total"]),
                (&json!(4), &json!(6))
            );
            seen += page["disputes"].as_array().unwrap().len();
            let Some(next) = page["pagination"]["next_page"][0].as_str() else { break };
            query = format!("?limit=4&next_page={next}");
        }
        assert_eq!(seen, 6);
        world.stop().await;
    }
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::start().await;
    enroll(&world).await;
    let many = |name: &str, count: usize| vec![format!("{name}=x"); count].join("&");
    let cases = [
        ("size=0".to_owned(), "size"),
        ("size=101".to_owned(), "size"),
        ("size=two".to_owned(), "size"),
        ("size=1&size=2".to_owned(), "size"),
        ("state=ASLEEP".to_owned(), "state"),
        ("reason=weather".to_owned(), "reason"),
        ("sort_by=amount".to_owned(), "sort_by"),
        ("created_at_start=yesterday".to_owned(), "created_at_start"),
        ("closed_at_end=2026-13-01T00:00:00Z".to_owned(), "closed_at_end"),
        ("starting_after=".to_owned(), "starting_after"),
        ("starting_after=123".to_owned(), "starting_after"),
        ("order_ids=".to_owned(), "order_ids"),
        (format!("order_ids={}", "x".repeat(256)), "order_ids"),
        (many("order_ids", 101), "order_ids"),
        (many("purchase_references", 11), "purchase_references"),
        ("size=0&state=ASLEEP".to_owned(), "state size"),
    ];
    for (query, parameters) in cases {
        let path = format!("/v4/payment/disputes?{query}");
        let reply = world.call("GET", &path, &Value::Null).await;
        assert_eq!(
            line(&reply),
            format!("400 VALIDATION_ERROR INPUT_ERROR {parameters}"),
            "{query}"
        );
    }
    for query in [
        "limit=0",
        "limit=251",
        "reason=weather",
        "investigation_status=asleep",
        "sort_by=amount",
        "next_page=123",
        // Milliseconds are mandatory.
        "opened_after=2026-03-02T09:00:00Z",
        "opened_before=2026-03-02T09:00:00.25Z",
        "deadline_expires_after=2026-03-02",
    ] {
        let reply = call_v2(&world, "GET", &format!("/disputes?{query}"), &Value::Null).await;
        assert_eq!(line_v2(&reply), "400 BAD_REQUEST", "{query}");
    }
    world.stop().await;
}
