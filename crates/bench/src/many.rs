//! Whether what a merchant does costs more when there are many orders: the same operations in turns on a playground with
//! a thousand orders and on one with a million, both on disk.
//!
//! The orders are copies, with ids of their own, of two that were made over the API: one that is only placed, and one
//! that is captured and paid out, with their histories and settlement entries. What the playground forgets after a day or
//! two, such as sessions and idempotency keys, is not copied.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::Outcome;
use crate::http1::{Request, each};
use crate::report::{median, median_ratio, say};
use crate::sqlite::CALLERS;
use crate::trade;
use crate::world::{World, purchase};

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const ROUNDS: usize = 9;
/// Reads of each kind in a round.
const READS: usize = 1_500;
/// Movements of each kind in a round.
const MOVEMENTS: usize = 512;
/// Captures in a round of orders that were there from the beginning.
const CAPTURES_OF_OLD: usize = 64;
/// Of so many orders one is captured.
const CAPTURED_IN: usize = 4;

/// A playground, and some of the orders in it.
struct Store {
    world: World,
    token: String,
    orders: Vec<String>,
    placed: Vec<String>,
}

/// Fills a file with so many orders.
async fn fill(file: &Path, orders: usize) -> Outcome<Store> {
    let world = World::start(file).await?;
    let token = world.customer_token().await?;
    let placed = world.buy(&purchase("buy")).await?;
    let captured = world.buy(&purchase("buy")).await?;
    let path = format!("/ordermanagement/v1/orders/{captured}/captures");
    world.call("POST", &path, Some(&json!({ "captured_amount": 10_000 }))).await?;
    world.stop().await;
    copy(file, &placed, orders - orders / CAPTURED_IN)?;
    copy(file, &captured, orders / CAPTURED_IN)?;
    let connection = rusqlite::Connection::open(file)?;
    let some = |condition: &str, count: usize| -> Outcome<Vec<String>> {
        // Spread over the whole table.
        let sql = format!(
            "SELECT order_id FROM orders WHERE {condition} AND rowid % {} = 0 LIMIT {count}",
            (orders / 2 / count).max(1)
        );
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let all = some("TRUE", READS)?;
    let placed = some("captured_amount = 0", (ROUNDS + 1) * CAPTURES_OF_OLD)?;
    drop(connection);
    let world = World::start(file).await?;
    world.call("POST", "/playground/v1/settlements/close", Some(&json!({}))).await?;
    Ok(Store { world, token, orders: all, placed })
}

/// Copies an order with all that belongs to it.
fn copy(file: &Path, order_id: &str, copies: usize) -> Outcome<()> {
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
         CREATE TEMP TABLE copies (number INTEGER PRIMARY KEY, id TEXT NOT NULL);
         BEGIN;",
    )?;
    connection.execute(
        "WITH RECURSIVE numbers (number) AS
           (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO copies
         SELECT number, substr(id, 1, 8) || '-' || substr(id, 9, 4) || '-' || substr(id, 13, 4) || '-'
                     || substr(id, 17, 4) || '-' || substr(id, 21, 12)
         FROM (SELECT number, lower(hex(randomblob(16))) AS id FROM numbers)",
        [i64::try_from(copies)?],
    )?;
    let columns = |table: &str| -> Outcome<Vec<String>> {
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let rows = statement.query_map([table], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    for table in ["orders", "order_events", "settlement_postings"] {
        let columns = columns(table)?;
        let values: Vec<String> = columns
            .iter()
            .map(|column| match column.as_str() {
                "order_id" => "copies.id".to_owned(),
                "posting_id" => "posting_id || ':' || copies.id".to_owned(),
                "document" | "answer" | "event" => format!("replace({column}, ?1, copies.id)"),
                other => other.to_owned(),
            })
            .collect();
        // Taken out of the table first: a table is not read while it is written to.
        let template =
            format!("CREATE TEMP TABLE template AS SELECT * FROM {table} WHERE order_id = ?1");
        connection.execute(&template, [order_id])?;
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM copies CROSS JOIN template WHERE order_id = ?1",
            columns.join(", "),
            values.join(", ")
        );
        connection.execute(&sql, [order_id])?;
        connection.execute_batch("DROP TABLE template;")?;
    }
    connection.execute_batch("COMMIT; DROP TABLE copies; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// Operations and their rates, in the order in which they are measured.
type Rates = Vec<(&'static str, f64)>;

async fn round(store: &Store, number: usize) -> Outcome<Rates> {
    let world = &store.world;
    let mut rates = Rates::new();
    let gets = |path: &dyn Fn(&String) -> String| -> Arc<[Request]> {
        let orders = store.orders.iter().cycle().take(READS);
        orders.map(|order_id| world.request("GET", &path(order_id), None)).collect()
    };
    for (name, requests) in [
        ("orders.read", gets(&|id| format!("/ordermanagement/v1/orders/{id}"))),
        (
            "settlements.transactions_of_an_order",
            gets(&|id| format!("/settlements/v1/transactions?order_id={id}")),
        ),
        ("settlements.newest_transactions", gets(&|_| "/settlements/v1/transactions".to_owned())),
        ("settlements.payouts", gets(&|_| "/settlements/v1/payouts".to_owned())),
    ] {
        rates.push((name, each(world.address(), requests, CALLERS, 200).await?.0));
    }
    let session = purchase("buy");
    let sessions: Arc<[Request]> = (0..MOVEMENTS)
        .map(|_| world.request("POST", "/payments/v1/sessions", Some(&session)))
        .collect();
    rates.push(("sessions.create", each(world.address(), sessions, CALLERS, 200).await?.0));
    let body: Value = json!({ "captured_amount": 10_000 });
    let captures: Arc<[Request]> = store
        .placed
        .iter()
        .skip(number * CAPTURES_OF_OLD)
        .take(CAPTURES_OF_OLD)
        .map(|id| {
            let path = format!("/ordermanagement/v1/orders/{id}/captures");
            world.keyed(&path, &format!("old-{id}"), &body)
        })
        .collect();
    let rate = each(world.address(), captures, CALLERS / 4, 201).await?.0;
    rates.push(("orders.capture_of_stored", rate));
    let trade = trade::round(world, &store.token, &format!("r{number}"), MOVEMENTS).await?;
    rates.push(("tokens.charge", trade.charges));
    rates.push(("orders.capture", trade.captures));
    rates.push(("orders.refund", trade.refunds));
    Ok(rates)
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let few = fill(&folder.path().join("few.db"), FEW).await?;
    let started = std::time::Instant::now();
    let many = fill(&folder.path().join("many.db"), MANY).await?;
    say("orders.1000000.stored_in", started.elapsed().as_secs_f64(), "s");
    round(&few, 0).await?;
    round(&many, 0).await?;
    let mut measured: Vec<(&str, Vec<f64>, Vec<f64>)> = Vec::new();
    for number in 1..=ROUNDS {
        // Who goes first changes, so that neither always follows the other's work.
        let (of_few, of_many) = if number % 2 == 0 {
            let of_few = round(&few, number).await?;
            (of_few, round(&many, number).await?)
        } else {
            let of_many = round(&many, number).await?;
            (round(&few, number).await?, of_many)
        };
        for ((name, few), (_, many)) in of_few.into_iter().zip(of_many) {
            match measured.iter_mut().find(|(known, _, _)| *known == name) {
                Some((_, fews, manys)) => {
                    fews.push(few);
                    manys.push(many);
                }
                None => measured.push((name, vec![few], vec![many])),
            }
        }
    }
    few.world.stop().await;
    many.world.stop().await;
    for (name, few, many) in measured {
        // The cost is the time that one takes: the more there are in a second, the less.
        let cost = median_ratio(&few, &many);
        say(&format!("orders.1000.{name}"), median(few), "requests/s");
        say(&format!("orders.1000000.{name}"), median(many), "requests/s");
        say(&format!("cost.{name}.1000000.to.1000_orders"), cost, "ratio");
    }
    Ok(())
}
