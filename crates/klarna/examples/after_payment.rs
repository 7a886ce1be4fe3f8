//! After the payment: capture what is shipped, refund what comes back, release what is not shipped, cancel.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::order_management::{CreateCapture, CreateRefund, ShippingInfo};
use klarna::types::payments::{CreateOrder, CreateSession};
use klarna::{
    Address, AuthorizationToken, Client, Country, Currency, ErrorCode, IdempotencyKey, MinorUnits,
    OrderId, OrderLine, TaxRate,
};
use serde_json::{Value, json};

const AMOUNT: MinorUnits = MinorUnits::new(20_000);
const TAX: MinorUnits = MinorUnits::new(4_000);

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let orders = client.orders();
    let order_id = place_order(client, "customer@email.se").await?;

    // One of the two mugs is shipped.
    let half = MinorUnits::new(10_000);
    let shipped = OrderLine::new("Mugg", 1, half, half)
        .reference("mug")
        .tax_rate(TaxRate::percent(25))
        .total_tax_amount(MinorUnits::new(2_000));
    let capture = CreateCapture::new(half)
        .reference("SHIPMENT-1")
        .order_lines([shipped.clone()])
        .shipping_info([ShippingInfo::new().shipping_company("PostNord").tracking_number("123")]);
    // The key is made of what is captured for: stored before the call, it survives a restart.
    let key = IdempotencyKey::parse("capture-SHIPMENT-1")?;
    let captured = orders.capture(&order_id, &capture).idempotency_key(key).send().await?;
    println!("captured as {}", captured.capture_id);

    // The other one is sold out.
    orders.release_remaining_authorization(&order_id).await?;

    // The mug comes back.
    let refund = CreateRefund::new(half).reference("CREDIT-1").order_lines([shipped]);
    let refunded = orders.refund(&order_id, &refund).await?;
    println!("refunded as {}", refunded.refund_id);
    let order = orders.get(&order_id).await?;
    println!("{}: {} of {} refunded", order.status, order.refunded_amount, order.captured_amount);

    // What is captured cannot be cancelled; what is not can.
    match orders.cancel(&order_id).await {
        Err(error) if error.code() == Some(&ErrorCode::CancelNotAllowed) => println!("{error}"),
        other => println!("unexpected: {other:?}"),
    }
    let order_id = place_order(client, "customer@email.se").await?;
    orders.cancel(&order_id).await?;
    println!("{}", orders.get(&order_id).await?.status);
    Ok(())
}

/// An order as the other examples make it; a playground plays the shopper on request.
async fn place_order(client: &Client, email: &str) -> Result<OrderId, Box<dyn Error>> {
    let line = OrderLine::new("Mugg", 2, MinorUnits::new(10_000), AMOUNT)
        .reference("mug")
        .tax_rate(TaxRate::percent(25))
        .total_tax_amount(TAX);
    let address = Address::new()
        .given_name("Alice")
        .family_name("Test")
        .email(email)
        .street_address("Södra Blasieholmshamnen 2")
        .postal_code("11148")
        .city("Stockholm")
        .country(Country::SE);
    let request = CreateSession::new(Country::SE, Currency::SEK, AMOUNT, vec![line.clone()])
        .order_tax_amount(TAX)
        .locale("sv-SE")
        .billing_address(address.clone());
    let session = client.payments().create_session(&request).await?;
    let shopper = json!({ "session_id": session.session_id, "email": email });
    let call = client.raw(Method::POST, "/playground/v1/shopper/authorize").json(&shopper);
    let outcome = call.send::<Value>().await?;
    let token = outcome["authorization_token"].as_str().ok_or("not approved")?;
    let request = CreateOrder::new(Country::SE, Currency::SEK, AMOUNT, vec![line])
        .order_tax_amount(TAX)
        .locale("sv-SE")
        .billing_address(address);
    let order = client.payments().create_order(&AuthorizationToken::new(token), &request).await?;
    Ok(order.order_id.clone())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
