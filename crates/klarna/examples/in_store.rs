//! In a store: the till shows a QR image, the shopper pays on a phone, and Klarna places the order.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::in_store::{Distribution, DistributionMethod, StoreAddress, StoreInfo};
use klarna::types::order_management::CreateCapture;
use klarna::types::payments::{AcquiringChannel, CreateSession};
use klarna::{Client, Country, Currency, MinorUnits, OrderLine, TaxRate};
use serde_json::{Value, json};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let amount = MinorUnits::new(25_000);
    let line = OrderLine::new("Skor", 1, amount, amount)
        .tax_rate(TaxRate::percent(25))
        .total_tax_amount(MinorUnits::new(5_000));
    let address = StoreAddress::new()
        .street_address("Sveavägen")
        .street_number("46")
        .postal_code("11134")
        .city("Stockholm")
        .country("SE");
    let request = CreateSession::new(Country::SE, Currency::SEK, amount, vec![line])
        .order_tax_amount(MinorUnits::new(5_000))
        .locale("sv-SE")
        .acquiring_channel(AcquiringChannel::InStore)
        .distribution(Distribution::new(DistributionMethod::OneQr))
        .attachment(StoreInfo::new("STO-7", "POS1232", address).attachment())
        .merchant_reference1("TILL-7-000123");
    let session = client.payments().create_session(&request).await?;

    // Each change, for the till's display.
    let mut watch = client.in_store().watch(&session.session_id);
    while let Some(change) = watch.next().await {
        let change = change?;
        println!("{:?}", change.status);
        if let Some(order_id) = &change.order_id {
            // The goods leave with the shopper: capture at once.
            client.orders().capture(order_id, &CreateCapture::new(amount)).await?;
            println!("paid, reference {:?}", change.klarna_reference);
        } else if let Some(link) = &change.payment_link {
            println!("show this as a QR image: {link}");
            shopper_pays(client, link).await?;
        }
    }

    // A shopper who walks away: the purchase is called off.
    let session = client.payments().create_session(&request).await?;
    client.in_store().cancel(&session.session_id).await?;
    println!("{:?}", client.in_store().result(&session.session_id).await?.status);
    Ok(())
}

/// What the shopper does on the phone; a playground plays the shopper on request.
async fn shopper_pays(client: &Client, link: &str) -> Result<(), Box<dyn Error>> {
    let shopper = json!({ "url": link, "action": "approve", "email": "customer@email.se" });
    let call = client.raw(Method::POST, "/playground/v1/shopper/hosted").json(&shopper);
    call.send::<Value>().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
