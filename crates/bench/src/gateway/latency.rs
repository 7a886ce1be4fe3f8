//! What the gateway adds to a call: the same call made to Klarna directly and through the gateway, in turns, one at a time.
//! The difference is the gateway's own work, its commits to disk included.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::klarna::AMOUNT;
use super::{Gateway, Klarna, confirming, member, moving, on_sqlite, opening};
use crate::Outcome;
use crate::http1::{Answer, Request, in_turn};
use crate::report::say;
use crate::world::purchase;

const ROUNDS: usize = 15;
/// Calls of each kind in a round.
const CALLS: usize = 100;

/// How long each call took.
#[derive(Default)]
struct Times {
    direct: Vec<Duration>,
    through: Vec<Duration>,
}

const OPEN: usize = 0;
const CONFIRM: usize = 1;
const CAPTURE: usize = 2;
const REFUND: usize = 3;
const NAMES: [&str; 4] = ["checkout.open", "checkout.confirm", "payment.capture", "payment.refund"];

/// Measures and reports.
pub(crate) async fn measure(kassa: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let klarna = Klarna::start().await?;
    let gateway = on_sqlite(kassa, &folder.path().join("data"), klarna.address).await?;
    let mut times: [Times; 4] = Default::default();
    for number in 0..=ROUNDS {
        let (direct, through) = if number % 2 == 0 {
            let direct = directly(klarna.address, number).await?;
            (direct, by_gateway(&gateway, number).await?)
        } else {
            let through = by_gateway(&gateway, number).await?;
            (directly(klarna.address, number).await?, through)
        };
        // The first round only warms up.
        if number > 0 {
            for ((times, direct), through) in times.iter_mut().zip(direct).zip(through) {
                times.direct.extend(direct);
                times.through.extend(through);
            }
        }
    }
    for (name, times) in NAMES.iter().zip(&mut times) {
        for (share, percent) in [("p50", 50), ("p99", 99)] {
            let direct = percentile(&mut times.direct, percent);
            let through = percentile(&mut times.through, percent);
            say(&format!("gateway.{name}.direct.{share}"), direct, "ms");
            say(&format!("gateway.{name}.added.{share}"), through - direct, "ms");
        }
    }
    Ok(())
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort();
    let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

async fn directly(address: SocketAddr, number: usize) -> Outcome<[Vec<Duration>; 4]> {
    let body = purchase("buy").to_string();
    let headers = [("authorization", "Basic SzEyMzQ1Njp4")];
    let of_each = |path: &dyn Fn(usize) -> String, body: &str| -> Arc<[Request]> {
        (0..CALLS).map(|call| Request::new("POST", &path(call), &headers, body)).collect()
    };
    let order = |call: usize, what: &str| {
        format!("/ordermanagement/v1/orders/direct-{number}-{call}/{what}")
    };
    let mut times: [Vec<Duration>; 4] = Default::default();
    let opens = of_each(&|_| "/payments/v1/sessions".to_owned(), &body);
    times[OPEN] = in_turn(address, opens, 200).await?.0;
    let places =
        of_each(&|call| format!("/payments/v1/authorizations/direct-{number}-{call}/order"), &body);
    times[CONFIRM] = in_turn(address, places, 200).await?.0;
    let capture = json!({ "captured_amount": AMOUNT }).to_string();
    times[CAPTURE] =
        in_turn(address, of_each(&|call| order(call, "captures"), &capture), 201).await?.0;
    let refund = json!({ "refunded_amount": AMOUNT / 4 }).to_string();
    times[REFUND] =
        in_turn(address, of_each(&|call| order(call, "refunds"), &refund), 201).await?.0;
    Ok(times)
}

async fn by_gateway(gateway: &Gateway, number: usize) -> Outcome<[Vec<Duration>; 4]> {
    let name = format!("latency-{number}");
    let address = gateway.address;
    let mut times: [Vec<Duration>; 4] = Default::default();
    let (opens, opened) = in_turn(address, opening(gateway, &name, CALLS), 201).await?;
    let (confirms, confirmed) = in_turn(address, confirming(gateway, &name, &opened)?, 200).await?;
    let captures = moving(gateway, "captures", &json!({}), &confirmed)?;
    let (captures, captured) = in_turn(address, captures, 201).await?;
    let refunds = refunding(gateway, &captured)?;
    let (refunds, _) = in_turn(address, refunds, 201).await?;
    times[OPEN] = opens;
    times[CONFIRM] = confirms;
    times[CAPTURE] = captures;
    times[REFUND] = refunds;
    Ok(times)
}

/// The requests that refund a part of these.
fn refunding(gateway: &Gateway, captured: &[Answer]) -> Outcome<Arc<[Request]>> {
    captured
        .iter()
        .map(|answer| {
            let id = member(answer, "id")?;
            let path = format!("/v1/payments/{id}/refunds");
            let body = json!({ "amount": AMOUNT / 4 });
            Ok(gateway.post(&path, Some(&format!("refund-{id}")), &body))
        })
        .collect()
}
