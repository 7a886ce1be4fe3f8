//! A shop as one is written that knows nothing of Klarna: it asks, and when no answer comes it asks again
//! under the same key, another node perhaps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::town::Town;

/// How long a shop goes on asking for one thing.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long it waits before it asks again.
const PAUSE: Duration = Duration::from_millis(200);

/// What a shop has tried to sell, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Purchase {
    pub(crate) reference: String,
    /// The payment, if the shop was told of one.
    pub(crate) payment_id: Option<String>,
    pub(crate) intents: Vec<Intent>,
}

/// A capture or a refund that the shop wanted.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) reference: String,
    pub(crate) taken: Taken,
}

/// What the shop was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is done, or on its way.
    Yes,
    /// No.
    No,
}

/// Sells until then, and finishes what was begun.
pub(crate) async fn trade(town: Arc<Town>, number: usize, until: Instant) -> Vec<Purchase> {
    let mut purchases = Vec::new();
    while Instant::now() < until {
        let reference = format!("SOAK-{number}-{}", purchases.len());
        purchases.push(sell(&town, reference).await);
    }
    purchases
}

async fn sell(town: &Town, reference: String) -> Purchase {
    let mut purchase = Purchase { reference: reference.clone(), ..Purchase::default() };
    let cart = json!({
        "merchant_reference": reference, "country": "SE", "locale": "sv-SE", "prices": "including_tax",
        "lines": [
            { "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 3, "unit_price": 10_000, "tax_rate": 2500 },
            { "type": "physical", "reference": "POT", "name": "Kanna", "quantity": 1, "unit_price": 20_000, "tax_rate": 2500 },
        ],
    });
    let opened = ask(town, "/v1/checkouts", &format!("{reference}-open"), &cart).await;
    let (200..300, checkout) = opened else { panic!("no checkout: {opened:?}") };
    let approval = json!({ "client_token": checkout["klarna"]["client_token"] });
    let approved = town.playground(Method::POST, "/shopper/authorize", Some(&approval)).await;
    let Some(token) = approved["authorization_token"].as_str() else {
        panic!("not approved: {approved}");
    };
    // Some shoppers close the page: then Klarna's callback, or the janitor, brings the order about.
    if town.below(8) == 0 {
        return purchase;
    }
    let path = format!("/v1/checkouts/{}/confirm", checkout["id"].as_str().unwrap());
    let body = json!({ "authorization_token": token });
    let (status, confirmed) = ask(town, &path, &format!("{reference}-confirm"), &body).await;
    if status != 200 {
        // Not known yet, or refused: both are looked at in the end.
        return purchase;
    }
    let id = confirmed["payment"]["id"].as_str().unwrap().to_owned();
    purchase.payment_id = Some(id.clone());
    match town.below(6) {
        0 => {
            ask(
                town,
                &format!("/v1/payments/{id}/cancel"),
                &format!("{reference}-cancel"),
                &json!({}),
            )
            .await;
        }
        1 => {}
        _ => {
            want(town, &mut purchase, "captures", 30_000).await;
            want(town, &mut purchase, "refunds", 10_000).await;
            want(town, &mut purchase, "captures", 20_000).await;
        }
    }
    purchase
}

async fn want(town: &Town, purchase: &mut Purchase, what: &str, amount: i64) {
    let id = purchase.payment_id.clone().unwrap();
    let reference = format!("{}-{what}-{amount}", purchase.reference);
    let body = json!({ "amount": amount, "reference": reference });
    let (status, _) = ask(town, &format!("/v1/payments/{id}/{what}"), &reference, &body).await;
    let taken = if status < 300 { Taken::Yes } else { Taken::No };
    purchase.intents.push(Intent { reference, taken });
}

/// Asks under a key until there is an answer that is one.
async fn ask(town: &Town, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = town.gateway(Method::POST, path, Some(key), Some(body)).await;
        match answer {
            Some((status, body)) if status < 500 && !is_passing(status, &body) => {
                return (status, body);
            }
            last if Instant::now() > deadline => panic!("{path}: no answer but {last:?}"),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether an answer says: ask again.
fn is_passing(status: u16, body: &Value) -> bool {
    let code = body["code"].as_str().unwrap_or_default();
    status == 429 || (status == 409 && (code.contains("progress") || code.contains("running")))
}
