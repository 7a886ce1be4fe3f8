//! The Settlements API over HTTP: every endpoint, every refusal, reports that agree with each other, and
//! months of trade on a clock that is moved.

mod bad_input;
mod control;
mod desk;
mod month;
mod reports;

use crate::common;
use crate::common::Purchase;
use desk::Desk;
use serde_json::json;

#[tokio::test]
async fn a_capture_is_paid_out_with_its_fees() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        let purchase = Purchase {
            order_extra: json!({ "merchant_reference2": "INTERNAL-7" }),
            ..Purchase::of(100_000)
        };
        let order_id = world.order(&purchase).await;
        desk.capture(&order_id, 60_000).await;
        world.advance("PT1H").await;
        desk.refund(&order_id, 20_000).await;

        // Before the payout the transactions are there, and belong to none.
        let open = desk.get(&format!("/transactions?order_id={order_id}")).await;
        assert_eq!(open["pagination"], json!({ "count": 4, "total": 4, "offset": 0 }));
        assert!(
            open["transactions"].as_array().unwrap().iter().all(|row| {
                row.get("payment_reference").is_none() && row.get("payout").is_none()
            })
        );
        assert_eq!(desk.get("/payouts").await["payouts"], json!([]));

        world.advance("P1D").await;
        let payouts = desk.get("/payouts").await;
        let reference = desk::text(&payouts["payouts"][0]["payment_reference"]);
        let rows = desk.get(&format!("/transactions?payment_reference={reference}")).await;
        let one = desk.get(&format!("/payouts/{reference}")).await;
        assert_eq!(payouts["payouts"], json!([one]));
        let shown = json!({ "payouts": payouts, "transactions": rows });
        let order = world
            .call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &json!(null))
            .await;
        let shown = desk::hide(
            &shown.to_string(),
            &[
                (&world.public_url(), "https://playground"),
                (&reference, "XISA93DJ"),
                (&order_id, "{order_id}"),
                (&desk::text(&order.json["klarna_reference"]), "9875QW2"),
                (&desk::text(&order.json["captures"][0]["capture_id"]), "{capture_id}"),
                (&desk::text(&order.json["refunds"][0]["refund_id"]), "{refund_id}"),
            ],
        );
        insta::assert_snapshot!("a_capture_is_paid_out_with_its_fees", shown);
        world.stop().await;
    }
}

#[tokio::test]
async fn pages_lead_to_each_other_from_end_to_end() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        let order_id = world.order(&Purchase::of(100_000)).await;
        for _ in 0..9 {
            desk.capture(&order_id, 1_000).await;
            world.advance("P1D").await;
        }
        for path in [
            "/payouts?size=4".to_owned(),
            "/payouts?size=4&currency_code=SEK&start_date=2026-01-01&end_date=2027-01-01T00%3A00%3A00Z"
                .to_owned(),
            "/transactions?size=4".to_owned(),
            format!("/transactions?size=4&order_id={order_id}"),
        ] {
            let all = desk.get(&path.replace("size=4", "size=500")).await;
            let member = if path.starts_with("/payouts") { "payouts" } else { "transactions" };
            let expected = all[member].as_array().unwrap().clone();
            assert_eq!(expected.len(), if member == "payouts" { 9 } else { 27 }, "{path}");
            let forward = desk.follow(&path, member, "next").await;
            assert_eq!(forward.concat(), expected, "{path}");
            let last = format!("{path}&offset={}", (forward.len() - 1) * 4);
            let mut backward = desk.follow(&last, member, "prev").await;
            backward.reverse();
            assert_eq!(backward.concat(), expected, "{path}");
            let behind = desk.get(&format!("{path}&offset=1000")).await;
            assert_eq!(behind["pagination"]["count"], 0);
            assert!(behind["pagination"].get("next").is_none());
            assert!(behind["pagination"].get("prev").is_some());
        }
        // Of a payout, in the order of time; without a filter, the newest first.
        let newest = desk.get("/transactions?size=500").await;
        let dates: Vec<String> = newest["transactions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| desk::text(&row["capture_date"]))
            .collect();
        assert!(dates.is_sorted_by(|a, b| a >= b));
        world.stop().await;
    }
}

#[tokio::test]
async fn a_date_without_time_is_its_midnight_and_both_ends_count() {
    let world = common::World::start().await;
    let desk = Desk::new(&world);
    let order_id = world.order(&Purchase::of(100_000)).await;
    desk.capture(&order_id, 1_000).await;
    world.advance("P1D").await;
    for (range, count) in [
        ("start_date=2026-03-03&end_date=2026-03-03", 1),
        ("start_date=2026-03-03T00:00:00Z&end_date=2026-03-03T23:59:59Z", 1),
        ("start_date=2026-03-03T00:00:01Z", 0),
        ("end_date=2026-03-02T23:59:59.999Z", 0),
        ("end_date=2026-03-03T01:00:00%2B01:00", 1),
        ("start_date=2026-03-04&end_date=2026-03-01", 0),
        ("currency_code=SEK", 1),
        ("currency_code=sek", 1),
        ("currency_code=EUR", 0),
    ] {
        let page = desk.get(&format!("/payouts?{range}")).await;
        assert_eq!(page["pagination"]["total"], count, "{range}");
    }
    let summary = desk.get("/payouts/summary?start_date=2026-03-03&end_date=2026-03-04").await;
    insta::assert_json_snapshot!("a_summary", summary);
    let none = desk.get("/payouts/summary?start_date=2026-03-04&end_date=2026-03-05").await;
    assert_eq!(none, json!([]));
    world.stop().await;
}

#[tokio::test]
async fn what_is_posted_survives_a_restart() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let order_id = world.order(&Purchase::of(100_000)).await;
        Desk::new(&world).capture(&order_id, 1_000).await;
        world.stop().await;
        let world = engine.world().await;
        world.advance("P1D").await;
        let payouts = Desk::new(&world).get("/payouts").await;
        assert_eq!(payouts["payouts"][0]["totals"]["sale_amount"], 1_000);
        world.control("/reset", &json!({})).await;
        assert_eq!(Desk::new(&world).get("/payouts").await["pagination"]["total"], 0);
        assert_eq!(Desk::new(&world).get("/transactions").await["pagination"]["total"], 0);
        world.stop().await;
    }
}
