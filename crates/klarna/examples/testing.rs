//! Testing one's own code: against a playground, whose clock can be moved, and without any network at all.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use klarna::types::payments::CreateSession;
use klarna::{Client, Country, Credentials, Currency, MinorUnits, OrderId, OrderLine};
use serde_json::{Value, json};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    sessions_end_after_two_days(client).await?;
    refusals_are_shown_without_a_network().await
}

/// A playground knows its rules, and time passes when a test says so.
async fn sessions_end_after_two_days(client: &Client) -> Result<(), Box<dyn Error>> {
    let amount = MinorUnits::new(5_000);
    let lines = vec![OrderLine::new("Bok", 1, amount, amount)];
    let request = CreateSession::new(Country::SE, Currency::SEK, amount, lines)
        .order_tax_amount(MinorUnits::new(0))
        .locale("sv-SE");
    let session = client.payments().create_session(&request).await?;
    let clock = json!({ "advance": "P2DT1H" });
    client.raw(Method::POST, "/playground/v1/clock").json(&clock).send::<Value>().await?;
    match client.payments().session(&session.session_id).await {
        Err(error) if error.is_not_found() => println!("the session has ended: {error}"),
        other => return Err(format!("unexpected: {other:?}").into()),
    }
    Ok(())
}

/// Where an answer is all that matters, a function stands in for Klarna.
async fn refusals_are_shown_without_a_network() -> Result<(), Box<dyn Error>> {
    let klarna = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        println!("{} {}", request.method(), request.uri().path());
        let body = r#"{"error_code":"NO_SUCH_ORDER","error_messages":[]}"#;
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() = http::StatusCode::NOT_FOUND;
        Ok::<_, Infallible>(answer)
    });
    let client = Client::builder(Credentials::new("K123456_test", "")).transport(klarna).build()?;
    let error = client.orders().get(&OrderId::new("unknown")).await.err().ok_or("found")?;
    println!("{error}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
