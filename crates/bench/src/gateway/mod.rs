//! The gateway as a shop meets it, run as the program with its data on disk and every answer durable before it is given:
//! how many payments from checkout to capture in a second, what a call costs over the same call made to Klarna directly,
//! what open checkouts take of memory, and what ten million stored payments change.
//!
//! Klarna is the least there can be ([`klarna`]), so that the figures are the gateway's.

mod flows;
mod klarna;
mod latency;
mod memory;
mod payments;
mod postgres;
mod program;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use self::klarna::Klarna;
use self::program::{Gateway, Store};
use crate::Outcome;
use crate::http1::{Answer, Request, each};
use crate::world::text;

/// The variable that says where a PostgreSQL is that keeps what it commits.
const POSTGRES: &str = "KASSA_BENCH_POSTGRES";

/// Measures all of it, or those named.
pub(crate) async fn measure(kassa: &Path, is_wanted: impl Fn(&str) -> bool) -> Outcome<()> {
    if is_wanted("flows") {
        flows::measure(kassa).await?;
    }
    if is_wanted("latency") {
        latency::measure(kassa).await?;
    }
    if is_wanted("memory") {
        memory::measure(kassa).await?;
    }
    if is_wanted("payments") {
        payments::measure(kassa).await?;
    }
    Ok(())
}

/// A cart of one line.
fn cart(reference: &str) -> Value {
    json!({
        "merchant_reference": reference, "country": "SE", "locale": "sv-SE",
        "prices": "including_tax",
        "lines": [{
            "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 1,
            "unit_price": klarna::AMOUNT, "tax_rate": 0,
        }],
    })
}

/// A member of what was answered.
fn member(answer: &Answer, name: &str) -> Outcome<String> {
    text(&serde_json::from_str(&answer.body)?, name)
}

/// The requests that open so many checkouts.
fn opening(gateway: &Gateway, name: &str, count: usize) -> Arc<[Request]> {
    (0..count)
        .map(|number| gateway.post("/v1/checkouts", None, &cart(&format!("{name}-{number}"))))
        .collect()
}

/// The requests that confirm these, each with a token of its own.
fn confirming(gateway: &Gateway, name: &str, opened: &[Answer]) -> Outcome<Arc<[Request]>> {
    opened
        .iter()
        .enumerate()
        .map(|(number, answer)| {
            let path = format!("/v1/checkouts/{}/confirm", member(answer, "id")?);
            let body = json!({ "authorization_token": format!("{name}-{number}") });
            Ok(gateway.post(&path, None, &body))
        })
        .collect()
}

/// The requests that do something to the payments that came of it, under a key each.
fn moving(
    gateway: &Gateway,
    what: &str,
    body: &Value,
    confirmed: &[Answer],
) -> Outcome<Arc<[Request]>> {
    confirmed
        .iter()
        .map(|answer| {
            let id = member(answer, "payment_id")?;
            let path = format!("/v1/payments/{id}/{what}");
            Ok(gateway.post(&path, Some(&format!("{what}-{id}")), body))
        })
        .collect()
}

/// So many payments from checkout to capture, each step of all before the next one; answers how many were made in a second
/// and what the confirmations said.
async fn flow(
    gateway: &Gateway,
    name: &str,
    count: usize,
    callers: usize,
) -> Outcome<(f64, Vec<Answer>)> {
    let address = gateway.address;
    let (opens, opened) = each(address, opening(gateway, name, count), callers, 201).await?;
    let requests = confirming(gateway, name, &opened)?;
    let (confirms, confirmed) = each(address, requests, callers, 200).await?;
    let requests = moving(gateway, "captures", &json!({}), &confirmed)?;
    let (captures, _) = each(address, requests, callers, 201).await?;
    Ok((1.0 / (1.0 / opens + 1.0 / confirms + 1.0 / captures), confirmed))
}

/// A gateway on SQLite in this folder, over a Klarna.
async fn on_sqlite(kassa: &Path, folder: &Path, klarna: SocketAddr) -> Outcome<Gateway> {
    Gateway::start(kassa, &Store::Sqlite(folder), klarna).await
}
