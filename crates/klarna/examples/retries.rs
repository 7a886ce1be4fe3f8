//! When something goes wrong: what is repeated by itself, what you decide, and what never happens twice.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;
use std::time::Duration;

use klarna::retry::RetryPolicy;
use klarna::types::order_management::CreateCapture;
use klarna::{Client, ErrorKind, IdempotencyKey, MinorUnits, OrderId};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let order_id = OrderId::new("00000000-0000-4000-8000-000000000000");

    // A deadline and a policy for one call. The deadline holds for all tries together.
    let policy = RetryPolicy { max_tries: 2, ..RetryPolicy::default() };
    let call = client.orders().get(&order_id).deadline(Duration::from_secs(3)).retry(policy);
    if let Err(error) = call.send().await {
        println!("{error} (correlation id {:?})", error.correlation_id());
    }

    // A write that has to happen, and to happen once. The key was stored together with the wish to capture.
    let key = IdempotencyKey::parse("capture-SHIPMENT-1")?;
    let request = CreateCapture::new(MinorUnits::new(100));
    for pause in [Duration::from_millis(10), Duration::from_millis(100)] {
        let call = client.orders().capture(&order_id, &request).idempotency_key(key.clone());
        let error = match call.send().await {
            Ok(capture) => {
                println!("captured as {}", capture.capture_id);
                return Ok(());
            }
            Err(error) => error,
        };
        // In doubt, or worth another try: the same key again, so that it cannot happen twice.
        if error.outcome_unknown() || error.is_retryable() {
            tokio::time::sleep(pause).await;
            continue;
        }
        match error.kind() {
            // Klarna says no, and will say no again.
            ErrorKind::Refused => println!("refused: {:?} {:?}", error.code(), error.messages()),
            // The request is wrong; this is what would have passed.
            ErrorKind::InvalidRequest => println!("wrong: {:?}", error.problems()),
            _ => println!("{error}"),
        }
        return Ok(());
    }
    println!("a person has to look into it");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
