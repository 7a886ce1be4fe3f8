//! What a dispute does to the merchant's settlements, and what the merchant's own refunds do to a dispute.

use serde_json::{Value, json};
use storage::Database;

use crate::common::{self, Engine, Purchase, World};
use crate::disputes::case::{Case, captured, enroll};

/// The entries of one order's dispute, in the order in which they were made.
async fn entries(engine: &Engine, world: World, order_id: &str) -> Vec<String> {
    world.stop().await;
    let database = Database::open(&engine.location, &[]).await.unwrap();
    let order_id = order_id.to_owned();
    let rows: Vec<String> = database
        .read(move |tx| {
            let sql = "SELECT document FROM settlement_postings
                       WHERE order_id = $1 ORDER BY posted_at_ms, posting_id";
            tx.query(sql, &[&order_id])?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()
        })
        .await
        .unwrap();
    database.close().await;
    rows.iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap())
        .filter(|row| row["reversal_reference"].is_string())
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let reference = text("reversal_reference");
            assert!(reference.starts_with("krn:klarna:eu1:dispute:"), "{reference}");
            format!("{}/{} {}", text("kind"), text("detailed_type"), row["amount"])
        })
        .collect()
}

fn sorted(mut entries: Vec<String>) -> Vec<String> {
    entries.sort();
    entries
}

/// One dispute with these settings, played by `decisions`, and the entries that it made.
async fn check(settings: Value, members: Value, steps: &[&str], expected: &[&str]) {
    for engine in common::engines().await {
        let world = engine.world().await;
        world.control("/merchants/K123456/disputes", &settings).await;
        let case = Case::raise(&world, members.clone()).await;
        for step in steps {
            match *step {
                "represent" => case.represent().await,
                "accept" => {
                    assert_eq!(case.v4("POST", "/accept-loss", &Value::Null).await.status, 202);
                }
                "refund" => refund(&world, &case.order_id, 10_000).await,
                wait => world.advance(wait).await,
            }
        }
        let order_id = case.order_id.clone();
        let found = sorted(entries(&engine, world, &order_id).await);
        let expected: Vec<String> = expected.iter().map(|entry| (*entry).to_owned()).collect();
        assert_eq!(found, sorted(expected), "{settings} {members} {steps:?}");
    }
}

async fn refund(world: &World, order_id: &str, amount: i64) {
    let path = format!("/ordermanagement/v1/orders/{order_id}/refunds");
    let reply = world.call("POST", &path, &json!({ "refunded_amount": amount })).await;
    assert_eq!(reply.status, 201, "{reply:?}");
}

const REVERSAL: &str = "REVERSAL/REVERSAL 10000";
const FEE: &str = "FEE/DISPUTE_FEE 7500";
const CORRECTION: &str = "CREDIT/CORRECTION_DISPUTE 10000";
const FEE_REFUND: &str = "FEE_REFUND/DISPUTE_FEE_REFUND 7500";

#[tokio::test]
async fn the_amount_is_held_and_given_back_or_kept() {
    let held = json!({});
    let win = json!({ "script": "win_on_evidence" });
    check(held.clone(), win.clone(), &[], &[REVERSAL, FEE]).await;
    let won = [REVERSAL, FEE, CORRECTION, FEE_REFUND];
    check(held.clone(), win.clone(), &["represent", "PT5M"], &won).await;
    check(held.clone(), json!({}), &["accept"], &[REVERSAL, FEE]).await;
    let later = json!({ "hold_policy": "NONE" });
    check(later.clone(), win.clone(), &["represent", "PT5M"], &[]).await;
    check(later.clone(), json!({}), &[], &[]).await;
    check(later, json!({}), &["accept"], &[REVERSAL, FEE]).await;
    let kept = json!({ "fee_refundable": false });
    check(kept, win, &["represent", "PT5M"], &[REVERSAL, FEE, CORRECTION]).await;
    let agreed = json!({ "fees": { "SEK": 0 } });
    check(agreed, json!({}), &["accept"], &[REVERSAL]).await;
}

#[tokio::test]
async fn the_older_process_takes_the_amount_at_the_end() {
    let older = json!({ "framework": "framework_2020", "reason": "return" });
    check(json!({}), older.clone(), &[], &[]).await;
    // Given in before Klarna took it up: no fee.
    check(json!({}), older.clone(), &["accept"], &[REVERSAL]).await;
    check(json!({}), older.clone(), &["P35D"], &[REVERSAL, FEE]).await;
    // Refunded in time: nothing but the refund. Refunded late: the fee.
    check(json!({}), older.clone(), &["refund"], &[]).await;
    check(json!({}), older, &["P21D", "refund"], &[FEE]).await;
}

#[tokio::test]
async fn defaults_and_fraud_have_their_own_entries() {
    let default = json!({ "reason": "non_guaranteed_payment_program" });
    check(json!({}), default, &["accept"], &["RETURN/PAYMENT_DEFAULT 10000", FEE]).await;
    let protected = json!({ "fraud_protection": true });
    let fraud = json!({ "reason": "unauthorized_purchase" });
    // The sale's fees were 2.99 % and 350, with a fifth of VAT on them: 779 were not paid out.
    let pair = [
        "REVERSAL/FRAUD_POLICY_CHARGE 10000",
        "REVERSAL_MERCHANT_PROTECTION/FRAUD_POLICY_CREDIT_NET 9221",
    ];
    check(protected.clone(), fraud, &["P7D"], &pair).await;
    check(protected, json!({}), &["accept"], &[REVERSAL, FEE]).await;
}

#[tokio::test]
async fn a_refund_of_the_disputed_amount_ends_the_dispute() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let case = Case::raise(&world, json!({ "amount": 4_000 })).await;
        refund(&world, &case.order_id, 3_999).await;
        assert_eq!(case.summary().await, "INITIATED | unresolved");
        refund(&world, &case.order_id, 1).await;
        let refunded = "CLOSED WON partner_has_refunded_payment_to_customer | closed";
        assert_eq!(case.summary().await, refunded);
        // What was refunded before cannot be disputed any more.
        let path = "/playground/v1/disputes";
        let body = json!({ "order_id": case.order_id, "amount": 6_001 }).to_string();
        let headers = [("content-type", "application/json")];
        assert_eq!(world.send("POST", path, &headers, body).await.status, 409);
        let order_id = case.order_id.clone();
        let found = sorted(entries(&engine, world, &order_id).await);
        let expected =
            ["REVERSAL/REVERSAL 4000", FEE, "CREDIT/CORRECTION_DISPUTE 4000", FEE_REFUND];
        assert_eq!(found, sorted(expected.map(str::to_owned).to_vec()));
    }
}

#[tokio::test]
async fn what_a_dispute_has_given_back_cannot_be_refunded_again() {
    let lost = json!({ "amount": 4_000 });
    let borne = json!({ "amount": 4_000, "reason": "unauthorized_purchase" });
    for (settings, members, end, refundable) in [
        (json!({}), lost.clone(), "accept", 6_000),
        (json!({ "hold_policy": "NONE" }), lost.clone(), "accept", 6_000),
        (json!({ "fraud_protection": true }), borne, "P7D", 6_000),
        (json!({}), json!({ "amount": 4_000, "script": "win_on_evidence" }), "represent", 10_000),
    ] {
        for engine in common::engines().await {
            let world = engine.world().await;
            world.control("/merchants/K123456/disputes", &settings).await;
            let case = Case::raise(&world, members.clone()).await;
            match end {
                "accept" => {
                    assert_eq!(case.v4("POST", "/accept-loss", &Value::Null).await.status, 202);
                }
                "represent" => {
                    case.represent().await;
                    world.advance("PT5M").await;
                }
                wait => world.advance(wait).await,
            }
            assert!(case.summary().await.starts_with("CLOSED"), "{}", case.summary().await);
            let path = format!("/ordermanagement/v1/orders/{}/refunds", case.order_id);
            let too_much = json!({ "refunded_amount": refundable + 1 });
            let reply = world.call("POST", &path, &too_much).await;
            assert_eq!(reply.status, 403, "{settings} {members}: {reply:?}");
            refund(&world, &case.order_id, refundable).await;
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_closed_dispute_is_forgotten_after_more_than_a_year() {
    for engine in common::engines().await {
        let world = engine.world().await;
        enroll(&world).await;
        let case = Case::raise(&world, json!({})).await;
        case.file().await;
        let open = Case::raise(&world, json!({ "script": "manual" })).await;
        assert_eq!(case.v4("POST", "/accept-loss", &Value::Null).await.status, 202);
        let number = case.id.rsplit(':').next().unwrap().to_owned();
        world.advance("P399D").await;
        assert_eq!(case.v4("GET", "", &Value::Null).await.status, 200);
        world.advance("P2D").await;
        assert_eq!(case.v4("GET", "", &Value::Null).await.status, 404);
        assert_eq!(case.v2("GET", "", &Value::Null).await.status, 404);
        // Which was decided when its time was over, and is kept as long from then on.
        assert_eq!(open.v4("GET", "", &Value::Null).await.status, 200);
        world.stop().await;
        let database = Database::open(&engine.location, &[]).await.unwrap();
        let left: i64 = database
            .read(move |tx| {
                let sql = "SELECT (SELECT COUNT(*) FROM dispute_files)
                             + (SELECT COUNT(*) FROM dispute_events WHERE dispute_id = $1)";
                tx.query_one(sql, &[&number])?.get(0)
            })
            .await
            .unwrap();
        database.close().await;
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn calling_a_high_risk_order_off_ends_its_dispute() {
    let world = World::start().await;
    enroll(&world).await;
    let email = "customer+disputed-high_risk_order@email.se";
    let order_id = world.order(&Purchase { email, ..Purchase::of(5_000) }).await;
    let case = Case::only(&world).await;
    assert_eq!(case.summary().await, "INITIATED | unresolved");
    assert_eq!(case.read().await.get("capture_id"), None);
    let path = format!("/ordermanagement/v1/orders/{order_id}/cancel");
    assert_eq!(world.call("POST", &path, &Value::Null).await.status, 204);
    let cancelled = "CLOSED WON partner_successfully_canceled_full_order | closed";
    assert_eq!(case.summary().await, cancelled);
    world.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_dispute_after_a_reset() {
    let world = World::start().await;
    enroll(&world).await;
    captured(
        &world,
        &Purchase { email: "customer+disputed-return@email.se", ..Purchase::of(1_000) },
    )
    .await;
    world.control("/reset", &json!({})).await;
    enroll(&world).await;
    let list = world.call("GET", "/v4/payment/disputes", &Value::Null).await.json;
    assert_eq!(list["pagination"]["total"], 0);
    world.stop().await;
}
