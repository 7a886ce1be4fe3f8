//! Money that moves in a second, with the data on disk and each movement durable before it is answered: charges of a
//! customer token, captures of what was charged, refunds of what was captured. Beside them, rows of that size that SQLite
//! alone writes in groups.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::Outcome;
use crate::http1::{Request, each};
use crate::report::{median, median_ratio, say};
use crate::sqlite::{CALLERS, RawSqlite};
use crate::world::{World, purchase, text};

const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 9;
/// Movements of each kind in a round.
const MOVEMENTS: usize = 768;

/// The rates of one round.
pub(crate) struct Round {
    pub(crate) charges: f64,
    pub(crate) captures: f64,
    pub(crate) refunds: f64,
}

/// Charges a token so often, captures each charge whole and refunds a part of it.
pub(crate) async fn round(
    world: &World,
    token: &str,
    name: &str,
    movements: usize,
) -> Outcome<Round> {
    let mut body = purchase("buy");
    // What belongs to a session and not to a charge.
    for member in ["purchase_country", "locale", "intent"] {
        body.as_object_mut().and_then(|members| members.remove(member));
    }
    let path = format!("/customer-token/v1/tokens/{token}/order");
    let charges: Arc<[Request]> = (0..movements)
        .map(|number| world.keyed(&path, &format!("{name}-charge-{number}"), &body))
        .collect();
    let (charges, answers) = each(world.address(), charges, CALLERS, 200).await?;
    let orders = answers
        .iter()
        .map(|answer| text(&serde_json::from_str(&answer.body)?, "order_id"))
        .collect::<Outcome<Vec<String>>>()?;
    let of_each = |what: &str, body: serde_json::Value| -> Arc<[Request]> {
        orders
            .iter()
            .map(|order_id| {
                let path = format!("/ordermanagement/v1/orders/{order_id}/{what}");
                world.keyed(&path, &format!("{name}-{what}-{order_id}"), &body)
            })
            .collect()
    };
    let captures = of_each("captures", json!({ "captured_amount": 10_000, "reference": "S-1" }));
    let (captures, _) = each(world.address(), captures, CALLERS, 201).await?;
    let refunds = of_each("refunds", json!({ "refunded_amount": 2_500, "reference": "R-1" }));
    let (refunds, _) = each(world.address(), refunds, CALLERS, 201).await?;
    Ok(Round { charges, captures, refunds })
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut raw = RawSqlite::open(&folder.path().join("raw.db"), &"x".repeat(1_500))?;
    let world = World::start(&folder.path().join("playground.db")).await?;
    let token = world.customer_token().await?;
    round(&world, &token, "before", CALLERS).await?;
    let (mut charges, mut captures, mut refunds, mut groups) = (vec![], vec![], vec![], vec![]);
    for number in 0..ROUNDS {
        groups.push(raw.measure(u64::try_from(CALLERS)?, ROUND)?);
        let round = round(&world, &token, &format!("r{number}"), MOVEMENTS).await?;
        charges.push(round.charges);
        captures.push(round.captures);
        refunds.push(round.refunds);
    }
    world.stop().await;
    for (name, rates) in
        [("tokens.charge", &charges), ("orders.capture", &captures), ("orders.refund", &refunds)]
    {
        say(&format!("playground.{name}"), median(rates.clone()), "requests/s");
        let ratio = median_ratio(rates, &groups);
        say(&format!("playground.{name}.to.raw_group_commit"), ratio, "ratio");
    }
    say("playground.trade.raw_group_commit", median(groups), "rows/s");
    Ok(())
}
