//! Whether what a shop does costs more when many payments are stored: the same calls in turns to a gateway with ten thousand
//! payments and to one with ten million, both on disk.
//!
//! The stored payments are copies, with ids of their own, of one that was made over the API, with its checkout, journal and
//! history. What the gateway forgets after a day or two, such as answers kept for repeats, is not copied. Of all but one in
//! [`WHOLE_ONE_IN`] the documents are left out: nobody reads them here, they would fill a hundred gigabytes, and what grows
//! costly with numbers is finding a place, which needs the keys alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::json;

use super::flows::database_in;
use super::{Gateway, Klarna, confirming, flow, moving, on_sqlite, opening};
use crate::Outcome;
use crate::http1::{Request, each};
use crate::report::{median, median_ratio, say};
use crate::sqlite::CALLERS;

const FEW: usize = 10_000;
const MANY: usize = 10_000_000;
const ROUNDS: usize = 9;
/// Reads of each kind in a round.
const READS: usize = 1_000;
/// Payments made in a round.
const MADE: usize = 256;
/// Of so many payments one has its documents.
const WHOLE_ONE_IN: usize = 200;
/// The variable that says another number than [`MANY`].
const NUMBER: &str = "KASSA_BENCH_PAYMENTS";

/// A gateway, and some of the payments in it: ids and merchant references.
struct Stored {
    gateway: Gateway,
    some: Vec<(String, String)>,
}

async fn fill(kassa: &Path, folder: &Path, klarna: &Klarna, payments: usize) -> Outcome<Stored> {
    let gateway = on_sqlite(kassa, folder, klarna.address).await?;
    let (opened, confirmed) = {
        let (_, opened) = each(gateway.address, opening(&gateway, "template", 1), 1, 201).await?;
        let requests = confirming(&gateway, "template", &opened)?;
        (opened, each(gateway.address, requests, 1, 200).await?.1)
    };
    let checkout_id = super::member(&opened[0], "id")?;
    let payment_id = super::member(&confirmed[0], "payment_id")?;
    drop(gateway);
    let file = database_in(folder)?;
    let copied = file.clone();
    tokio::task::spawn_blocking(move || copy(&copied, &checkout_id, &payment_id, payments))
        .await??;
    let connection = Connection::open(&file)?;
    let every = (payments / WHOLE_ONE_IN / READS).max(1) * WHOLE_ONE_IN;
    let sql = format!(
        "SELECT id, merchant_reference FROM payments WHERE rowid % {every} = 1 AND document <> '{{}}'
         LIMIT {READS}"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let some = rows.collect::<Result<Vec<_>, _>>()?;
    if some.is_empty() {
        return Err("no payment was copied whole".into());
    }
    drop(statement);
    drop(connection);
    Ok(Stored { gateway: on_sqlite(kassa, folder, klarna.address).await?, some })
}

/// A row of a table as it is to be copied: the SQL of its values.
struct Template {
    table: &'static str,
    columns: Vec<String>,
    cells: Vec<Cell>,
}

/// Copies a payment with all that belongs to it.
fn copy(file: &Path, checkout_id: &str, payment_id: &str, copies: usize) -> Outcome<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN;")?;
    let subjects = format!("('{checkout_id}', '{payment_id}')");
    let mut templates = Vec::new();
    for (table, condition) in [
        ("checkouts", format!("id = '{checkout_id}'")),
        ("payments", format!("id = '{payment_id}'")),
        ("operations", format!("checkout_id = '{checkout_id}'")),
        (
            "attempts",
            format!(
                "operation_id IN (SELECT id FROM operations WHERE checkout_id = '{checkout_id}')"
            ),
        ),
        ("events", format!("subject_id IN {subjects}")),
        ("event_places", format!("subject_id IN {subjects}")),
    ] {
        let mut statement =
            connection.prepare(&format!("SELECT * FROM {table} WHERE {condition}"))?;
        let columns: Vec<String> = statement.column_names().map(ToOwned::to_owned).collect();
        let width = columns.len();
        let rows = statement.query_map([], |row| {
            (0..width).map(|place| row.get(place)).collect::<Result<Vec<Cell>, _>>()
        })?;
        for cells in rows {
            templates.push(Template { table, columns: columns.clone(), cells: cells? });
        }
    }
    // Whatever names one of these names a copy in the copies.
    let mut names: BTreeSet<String> = BTreeSet::new();
    for Template { columns, cells, .. } in &templates {
        for (column, cell) in columns.iter().zip(cells) {
            let is_name = matches!(&**column, "id" | "klarna_order_id" | "merchant_reference");
            if let (true, Cell::Text(text)) = (is_name, cell) {
                names.insert(text.clone());
            }
        }
    }
    // The longest first: the token of the template and its reference begin alike.
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    connection.execute_batch(
        "CREATE TEMP TABLE copies (number INTEGER PRIMARY KEY, name TEXT NOT NULL);",
    )?;
    // Beginnings that rise, so that each index is written from front to back.
    connection.execute(
        "WITH RECURSIVE numbers (number) AS
           (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO copies
         SELECT number, printf('%08x', number * 4294967295 / ?1) || lower(hex(randomblob(11)))
         FROM numbers",
        [i64::try_from(copies)?],
    )?;
    for template in &templates {
        connection.execute_batch(&insertion(template, &names))?;
    }
    connection.execute_batch("COMMIT; DROP TABLE copies; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// The statement that copies a row for each of the copies.
fn insertion(template: &Template, names: &[String]) -> String {
    let Template { table, columns, cells } = template;
    let values: Vec<String> = columns
        .iter()
        .zip(cells)
        .map(|(column, cell)| match cell {
            Cell::Text(text) if column == "document" => format!(
                "CASE WHEN number % {WHOLE_ONE_IN} = 1 THEN {} ELSE '{{}}' END",
                renamed(text, names)
            ),
            Cell::Text(text) => renamed(text, names),
            // What is due is due one after the other, and not during the measurement.
            Cell::Integer(at_ms) if matches!(&**column, "check_at_ms" | "expiry_look_at_ms") => {
                format!("{at_ms} + 31536000000 + number * 10")
            }
            Cell::Integer(number) => number.to_string(),
            Cell::Null | Cell::Real(_) | Cell::Blob(_) => "NULL".to_owned(),
        })
        .collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM copies ORDER BY number;",
        columns.join(", "),
        values.join(", ")
    )
}

/// A text in which each of the names is followed by the copy's own: an SQL expression.
fn renamed(text: &str, names: &[String]) -> String {
    let mut expression = String::new();
    let mut rest = text;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    loop {
        let found = names
            .iter()
            .enumerate()
            .filter_map(|(place, name)| Some((rest.find(name.as_str())?, place, name)))
            .min_by_key(|(at, place, _)| (*at, *place));
        let Some((at, place, name)) = found else {
            expression.push_str(&quoted(rest));
            return expression;
        };
        let (before, after) = rest.split_at(at);
        // `pay_…` stays a `pay_…`; its number follows what it shares with the other names of the copy.
        let prefix = name.split_once('_').map_or("", |(prefix, _)| prefix);
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}_") };
        // Writing to a String cannot fail.
        let _ = write!(
            expression,
            "{} || name || '{place:02x}' || ",
            quoted(&(before.to_owned() + &prefix))
        );
        rest = &after[name.len()..];
    }
}

/// Calls and their rates, in the order in which they are measured.
type Rates = Vec<(&'static str, f64)>;

async fn round(stored: &Stored, number: usize) -> Outcome<Rates> {
    let Stored { gateway, some } = stored;
    let address = gateway.address;
    let mut rates = Rates::new();
    let gets = |path: &dyn Fn(&(String, String)) -> String| -> Arc<[Request]> {
        some.iter().cycle().take(READS).map(|payment| gateway.get(&path(payment))).collect()
    };
    for (name, requests) in [
        ("payment.read", gets(&|(id, _)| format!("/v1/payments/{id}"))),
        ("payments.newest", gets(&|_| "/v1/payments?limit=10".to_owned())),
        (
            "payments.by_reference",
            gets(&|(_, reference)| format!("/v1/payments?reference={reference}")),
        ),
    ] {
        rates.push((name, each(address, requests, CALLERS, 200).await?.0));
    }
    let name = format!("r{number}");
    let (rate, opened) = each(address, opening(gateway, &name, MADE), CALLERS, 201).await?;
    rates.push(("checkout.open", rate));
    let requests = confirming(gateway, &name, &opened)?;
    let (rate, confirmed) = each(address, requests, CALLERS, 200).await?;
    rates.push(("checkout.confirm", rate));
    let requests = moving(gateway, "captures", &json!({}), &confirmed)?;
    rates.push(("payment.capture", each(address, requests, CALLERS, 201).await?.0));
    Ok(rates)
}

/// Measures and reports.
pub(crate) async fn measure(kassa: &Path) -> Outcome<()> {
    let number = match std::env::var(NUMBER) {
        Ok(text) => text.parse().map_err(|error| format!("{NUMBER}: {error}"))?,
        Err(_) => MANY,
    };
    let folder = tempfile::tempdir()?;
    let klarna = Klarna::start().await?;
    let few = fill(kassa, &folder.path().join("few"), &klarna, FEW).await?;
    let started = std::time::Instant::now();
    let many = fill(kassa, &folder.path().join("many"), &klarna, number).await?;
    say(&format!("gateway.payments.{number}.stored_in"), started.elapsed().as_secs_f64(), "s");
    flow(&few.gateway, "warm", MADE, CALLERS).await?;
    flow(&many.gateway, "warm", MADE, CALLERS).await?;
    let mut measured: Vec<(&str, Vec<f64>, Vec<f64>)> = Vec::new();
    for turn in 0..=ROUNDS {
        // Who goes first changes, so that neither always follows the other's work.
        let (of_few, of_many) = if turn % 2 == 0 {
            let of_few = round(&few, turn).await?;
            (of_few, round(&many, turn).await?)
        } else {
            let of_many = round(&many, turn).await?;
            (round(&few, turn).await?, of_many)
        };
        // The first round only warms up.
        if turn == 0 {
            continue;
        }
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
    for (name, few, many) in measured {
        // The cost is the time that one takes: the more there are in a second, the less.
        let cost = median_ratio(&few, &many);
        say(&format!("gateway.{FEW}.{name}"), median(few), "requests/s");
        say(&format!("gateway.{number}.{name}"), median(many), "requests/s");
        say(&format!("cost.gateway.{name}.{number}.to.{FEW}_payments"), cost, "ratio");
    }
    Ok(())
}
