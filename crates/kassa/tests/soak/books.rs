//! Everything comes to rest, and then all books are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use storage::{Database, Error, Location};

use crate::shop::{Purchase, Taken};
use crate::town::Town;

/// How long that may take: what is in doubt is believed after two minutes at the earliest.
const REST: Duration = Duration::from_secs(240);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Waits until nothing is on its way. What would be due in hours is made due now.
pub(crate) async fn come_to_rest(town: &Town) -> String {
    let database = Database::open(&Location::Postgres(town.postgres.clone()), &[]).await.unwrap();
    let deadline = Instant::now() + REST;
    let mut helped = 0;
    loop {
        let (left, waiting) = look(&database).await.unwrap();
        for id in &waiting {
            helped += 1;
            help(town, &database, id).await;
        }
        if left == 0 && waiting.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{left} operations do not end");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    database.close().await;
    format!("{helped} operations were handed to a person")
}

/// How many operations are on their way, and which wait for a person. Makes all work due.
async fn look(database: &Database) -> Result<(i64, Vec<String>), Error> {
    database
        .write_row_locked(|tx| {
            tx.execute(
                "UPDATE work_items SET due_at_ms = 0 WHERE leased_until_ms IS NULL AND due_at_ms > 0",
                &[],
            )?;
            // Checkouts of which nobody was told are looked at as well.
            tx.execute("UPDATE checkouts SET poll_at_ms = 0 WHERE status IN ('open', 'declined') AND poll_at_ms > 0 AND updated_at_ms = created_at_ms", &[])?;
            let left = tx.query_one(
                "SELECT (SELECT COUNT(*) FROM operations WHERE state IN ('queued', 'running', 'in_doubt'))
                      + (SELECT COUNT(*) FROM work_items)",
                &[],
            )?;
            let waiting =
                tx.query("SELECT id FROM operations WHERE state = 'needs_attention'", &[])?;
            let waiting = waiting.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
            Ok((left.get(0)?, waiting))
        })
        .await
}

/// A person looks into Klarna's books, first through the gateway, then with their own eyes.
async fn help(town: &Town, database: &Database, id: &str) {
    let looked = town
        .gateway(Method::POST, &format!("/v1/operations/{id}/look"), None, Some(&json!({})))
        .await;
    if looked.is_some_and(|(status, _)| status == 200) {
        return;
    }
    let Some((200, operation)) =
        town.gateway(Method::GET, &format!("/v1/operations/{id}"), None, None).await
    else {
        return;
    };
    let reference = operation["merchant_reference"].as_str().unwrap_or_default().to_owned();
    let mut found = None;
    for order_id in order_ids(town) {
        let order = town.klarna(&format!("/ordermanagement/v1/orders/{order_id}")).await;
        if order["merchant_reference1"] == reference.as_str() {
            found = Some(order_id);
        }
    }
    let word = match found {
        Some(order_id) => {
            json!({ "outcome": "done", "note": "looked", "klarna_order_id": order_id })
        }
        None => json!({ "outcome": "refused", "note": "looked" }),
    };
    let path = format!("/v1/operations/{id}/settle");
    town.gateway(Method::POST, &path, None, Some(&word)).await;
    let _ = database;
}

fn order_ids(town: &Town) -> Vec<String> {
    testing::kassa::order_ids_in(&town.folder.path().join("playground"))
}

/// Every order has its payment and the other way round, with the same sums; each intent stands in Klarna's
/// books once, or the shop was told that it was not done.
pub(crate) async fn compare(town: &Town, purchases: &[Purchase]) -> String {
    let database = Database::open(&Location::Postgres(town.postgres.clone()), &[]).await.unwrap();
    let rows = database
        .read_long(|tx| {
            let rows = tx.query("SELECT klarna_order_id, document FROM payments", &[])?;
            rows.iter()
                .map(|row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))
                .collect::<Result<BTreeMap<_, _>, Error>>()
        })
        .await
        .unwrap();
    database.close().await;
    let kept: BTreeSet<_> = rows.keys().cloned().collect();
    let made: BTreeSet<_> = order_ids(town).into_iter().collect();
    assert_eq!(made, kept, "orders at Klarna, and payments in the gateway");
    let mut references: BTreeMap<String, usize> = BTreeMap::new();
    let mut orders_of: BTreeMap<String, usize> = BTreeMap::new();
    for (order_id, document) in &rows {
        let payment: Value = serde_json::from_str(document).unwrap();
        let order = town.klarna(&format!("/ordermanagement/v1/orders/{order_id}")).await;
        for (ours, theirs) in [
            ("authorized", "order_amount"),
            ("captured", "captured_amount"),
            ("refunded", "refunded_amount"),
            ("remaining", "remaining_authorized_amount"),
        ] {
            assert_eq!(payment["amounts"][ours], order[theirs], "{ours}:\n{payment}\n{order}");
        }
        let shop_reference = order["merchant_reference1"].as_str().unwrap().to_owned();
        *orders_of.entry(shop_reference).or_default() += 1;
        for entries in ["captures", "refunds"] {
            for entry in order[entries].as_array().unwrap() {
                let reference = entry["reference"].as_str().unwrap().to_owned();
                *references.entry(reference).or_default() += 1;
            }
        }
    }
    let mut effects = 0;
    for purchase in purchases {
        let orders = orders_of.get(&purchase.reference).copied().unwrap_or(0);
        assert!(orders <= 1, "{purchase:?} was sold {orders} times");
        assert!(purchase.payment_id.is_none() || orders == 1, "{purchase:?} was lost");
        for intent in &purchase.intents {
            let times = references.remove(&intent.reference).unwrap_or(0);
            let right = match intent.taken {
                Taken::Yes => times == 1,
                Taken::No => times == 0,
            };
            assert!(right, "{intent:?} took effect {times} times");
            effects += times;
        }
    }
    assert!(references.is_empty(), "nobody wanted {references:?}");
    format!("{} orders and {effects} captures and refunds, each once", rows.len())
}
