//! Terms, closes and bookings by hand through the control API, and what they do to payouts.

use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::settlements::desk::Desk;

/// Without fees, so that amounts can be followed by eye.
async fn without_fees(desk: &Desk<'_>) {
    desk.terms(json!({ "fees": { "percentage": 0, "fixed": { "SEK": 0 } } })).await;
}

async fn totals(desk: &Desk<'_>, reference: &str) -> Value {
    desk.get(&format!("/payouts/{reference}")).await["totals"].clone()
}

/// The totals that are not zero.
fn shown(totals: &Value) -> Value {
    let shown = totals.as_object().unwrap().iter().filter(|(_, amount)| **amount != json!(0));
    Value::Object(shown.map(|(name, amount)| (name.clone(), amount.clone())).collect())
}

#[tokio::test]
async fn a_shortfall_becomes_debt_and_is_paid_back() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        desk.terms(json!({
            "fees": { "percentage": 300, "fixed": { "SEK": 0 }, "vat_rate": 2_500 },
        }))
        .await;
        let order_id = world.order(&Purchase::of(200_000)).await;
        desk.capture(&order_id, 100_000).await;
        desk.refund(&order_id, 20_000).await;
        let first = desk.close().await.remove(0);
        assert_eq!(
            shown(&totals(&desk, &first).await),
            json!({
                "sale_amount": 100_000, "return_amount": 20_000, "fee_amount": 3_000,
                "tax_amount": 750, "settlement_amount": 76_250,
            })
        );
        desk.capture(&order_id, 10_000).await;
        desk.refund(&order_id, 30_000).await;
        desk.adjust(json!({ "type": "FEE", "amount": 100, "currency": "SEK" })).await;
        let second = desk.close().await.remove(0);
        assert_eq!(
            shown(&totals(&desk, &second).await),
            json!({
                "sale_amount": 10_000, "return_amount": 30_000, "fee_amount": 400,
                "tax_amount": 100, "deposit_amount": 20_500,
                "closing_debt_balance_amount": 20_500,
            })
        );
        desk.capture(&order_id, 50_000).await;
        let third = desk.close().await.remove(0);
        assert_eq!(
            shown(&totals(&desk, &third).await),
            json!({
                "sale_amount": 50_000, "fee_amount": 1_500, "tax_amount": 375,
                "repay_amount": 20_500, "opening_debt_balance_amount": 20_500,
                "settlement_amount": 27_625,
            })
        );
        assert_eq!(desk.close().await, [""; 0]);
        world.stop().await;
    }
}

#[tokio::test]
async fn everything_that_klarna_books_by_hand_counts_in_its_total() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    without_fees(&desk).await;
    let order_id = world.order(&Purchase::of(200_000)).await;
    desk.capture(&order_id, 100_000).await;
    for (kind, amount) in [
        ("CORRECTION", -1),
        ("CHARGE", 20),
        ("CREDIT", 300),
        ("HOLDBACK", 4_000),
        ("RELEASE", 500),
        ("COMMISSION", 60),
        ("FEE", 100),
        ("FEE_REFUND", 50),
        ("RETURN", 7),
        ("REVERSAL", 80),
        ("REVERSAL_MERCHANT_PROTECTION", 9),
    ] {
        let mut body = json!({ "type": kind, "amount": amount, "comment": "by hand" });
        if kind == "RETURN" {
            body["order_id"] = json!(order_id);
        } else {
            body["currency"] = json!("SEK");
        }
        desk.adjust(body).await;
    }
    let reference = desk.close().await.remove(0);
    assert_eq!(
        shown(&totals(&desk, &reference).await),
        json!({
            "sale_amount": 100_000, "return_amount": 7, "reversal_amount": 71, "fee_amount": 100,
            "fee_correction_amount": -1, "fee_refund_amount": 50, "commission_amount": 60,
            "tax_amount": 20, "tax_refund_amount": 10, "charge_amount": 20, "credit_amount": 300,
            "holdback_amount": 4_000, "release_amount": 500, "settlement_amount": 96_701,
        })
    );
    let rows = desk.get(&format!("/transactions?size=50&payment_reference={reference}")).await;
    let rows = rows["transactions"].as_array().unwrap();
    let default = rows.iter().find(|row| row["type"] == "RETURN").unwrap();
    assert_eq!(default["detailed_type"], "PAYMENT_DEFAULT");
    assert_eq!(default["order_id"], json!(order_id));
    assert_eq!(default["capture_id"], "");
    assert_eq!(default["klarna_comment"], "by hand");
    let fee = rows.iter().find(|row| row["type"] == "FEE").unwrap();
    assert_eq!((&fee["vat_rate"], &fee["vat_amount"]), (&json!(2_000), &json!(20)));
    world.stop().await;
}

#[tokio::test]
async fn a_gross_merchant_is_invoiced_at_the_end_of_the_month() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        desk.terms(json!({ "settled_as": "gross", "registration_currency": "EUR" })).await;
        let order_id = world.order(&Purchase::of(100_000)).await;
        desk.capture(&order_id, 100_000).await;
        world.advance("P40D").await;
        let payouts = desk.get("/payouts").await;
        let payouts = payouts["payouts"].as_array().unwrap();
        let found: Vec<_> = payouts
            .iter()
            .map(|payout| {
                (
                    payout["payout_date"].as_str().unwrap(),
                    payout["merchant_settlement_type"].as_str().unwrap(),
                    shown(&payout["totals"]),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (
                    "2026-03-31T23:00:00Z",
                    "GROSS_FEE",
                    json!({
                        "fee_amount": 3_340, "tax_amount": 668, "settlement_amount": -4_008,
                    })
                ),
                (
                    "2026-03-03T00:00:00Z",
                    "GROSS",
                    json!({ "sale_amount": 100_000, "settlement_amount": 100_000 })
                ),
            ]
        );
        assert!(
            payouts
                .iter()
                .all(|payout| { payout["currency_code_of_registration_country"] == "EUR" })
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn a_stopped_payout_is_withheld_and_paid_when_the_review_is_over() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    without_fees(&desk).await;
    desk.terms(json!({
        "stop": "under_review", "reserve": { "percentage": 1_000, "days": 5 },
    }))
    .await;
    let order_id = world.order(&Purchase::of(100_000)).await;
    desk.capture(&order_id, 100_000).await;
    world.advance("P2D").await;
    desk.terms(json!({ "stop": null })).await;
    world.advance("P10D").await;
    let payouts = desk.payouts().await;
    let found: Vec<_> = payouts
        .iter()
        .map(|payout| (payout.payout_date.to_string(), payout.totals.settlement_amount.get()))
        .collect();
    let expected = [
        ("2026-03-03T00:00:00Z", 0),
        ("2026-03-05T00:00:00Z", 90_000),
        ("2026-03-08T00:00:00Z", 10_000),
    ];
    assert_eq!(found, expected.map(|(at, amount)| (at.to_owned(), amount)));
    let rows = desk.rows(&payouts[0]).await;
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.kind, row.detailed_type.as_ref().unwrap()))
        .collect();
    assert_eq!(kinds, ["SALE PURCHASE", "HOLDBACK ROLLING_RESERVE", "HOLDBACK UNDER_REVIEW"]);
    world.stop().await;
}

#[tokio::test]
async fn terms_are_shown_merged_and_checked() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    let headers = [("content-type", "application/json")];
    let path = "/playground/v1/settlements";
    let set = desk.terms(json!({ "schedule": "weekly", "delay_days": 7 })).await;
    assert_eq!(set["terms"]["schedule"], "weekly");
    let set = desk.terms(json!({ "weekday": "friday", "fees": { "fixed": { "SEK": 1 } } })).await;
    assert_eq!(set["terms"]["delay_days"], 7);
    assert_eq!(set["terms"]["fees"]["fixed"]["SEK"], 1);
    assert_eq!(set["terms"]["fees"]["fixed"]["EUR"], 35);
    let shown = world.send("GET", &format!("{path}?merchant_id=K123456"), &[], "").await;
    assert_eq!(shown.json, set);
    let order_id = world.order(&Purchase::of(100_000)).await;
    desk.capture(&order_id, 100_000).await;
    let shown = world.send("GET", &format!("{path}?merchant_id=K123456"), &[], "").await;
    assert_eq!(
        shown.json["accounts"],
        json!([{
            "currency": "SEK", "lane": "payout", "debt_amount": 0,
            "open_amount": 100_000 - 2_990 - 598 - 1, "withheld_amount": 0,
            "next_close_at": "2026-03-14T00:00:00.000Z",
        }])
    );
    let me = "K123456";
    for (rest, body, status, message) in [
        ("", json!({ "terms": {} }), 400, "Bad value: merchant_id"),
        ("", json!({ "merchant_id": "K9", "terms": {} }), 404, "there is no merchant K9"),
        ("", json!({ "merchant_id": me, "terms": [] }), 400, "Bad value: terms"),
        ("", json!({ "merchant_id": me, "terms": { "x": 1 } }), 400, "Bad value: terms"),
        (
            "",
            json!({ "merchant_id": me, "terms": { "delay_days": 31 } }),
            400,
            "Bad value: terms.delay_days",
        ),
        (
            "",
            json!({ "merchant_id": me, "terms": { "reports": { "columns": ["x"] } } }),
            400,
            "Bad value: terms.reports.columns",
        ),
        ("/close", json!({ "merchant_id": me, "currency": "E" }), 400, "Bad value: currency"),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "SALE", "amount": 1, "currency": "SEK" }),
            400,
            "Bad value: type",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "CHARGE", "amount": -1, "currency": "SEK" }),
            400,
            "Bad value: amount",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "CORRECTION", "amount": 0, "currency": "SEK" }),
            400,
            "Bad value: amount",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "CHARGE", "amount": 1 }),
            400,
            "Bad value: currency",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "CHARGE", "amount": 1, "order_id": order_id, "currency": "EUR" }),
            400,
            "Bad value: currency",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": "K654321", "type": "CHARGE", "amount": 1, "order_id": order_id }),
            404,
            "the merchant has no such order",
        ),
        (
            "/adjustments",
            json!({ "merchant_id": me, "type": "CHARGE", "detailed_type": "X", "amount": 1, "currency": "SEK" }),
            400,
            "Bad value: detailed_type",
        ),
    ] {
        let reply = world.send("POST", &format!("{path}{rest}"), &headers, body.to_string()).await;
        assert_eq!(reply.status, status, "{rest} {body}: {reply:?}");
        assert_eq!(reply.json["error_messages"][0], message, "{body}");
    }
    let body = json!({
        "merchant_id": me, "adjustment_id": "once", "type": "CHARGE", "amount": 1, "currency": "SEK",
    });
    for status in [201, 409] {
        let path = format!("{path}/adjustments");
        let reply = world.send("POST", &path, &headers, body.to_string()).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    world.stop().await;
}
