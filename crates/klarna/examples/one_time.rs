//! A shopper pays once: session, approval, order.
//!
//! Start `kassa playground`, set `KLARNA_BASE_URL`, `KLARNA_USERNAME` and `KLARNA_PASSWORD` to what it prints, and run
//! `cargo run --example one_time`.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::cart::{Cart, Item, Prices};
use klarna::types::payments::{CreateOrder, CreateSession};
use klarna::{AuthorizationToken, Client, Country, Currency, MinorUnits, SessionId, TaxRate};
use serde_json::{Value, json};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    // Lines that add up the way Klarna wants them to, from prices including tax.
    let cart = Cart::builder(Country::SE, Prices::IncludingTax)
        .item(Item::new("Mugg", 2, MinorUnits::new(14900), TaxRate::percent(25)).reference("mug"))
        .shipping("Frakt", MinorUnits::new(4900), TaxRate::percent(25))
        .discount("Rabatt", MinorUnits::new(2000))
        .build()?;

    // 1. A session, when the shopper comes to the checkout.
    let request =
        CreateSession::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines.clone())
            .order_tax_amount(cart.order_tax_amount)
            .locale("sv-SE")
            .merchant_reference1("WEB-1001");
    let session = client.payments().create_session(&request).await?;

    // 2. The client token goes to the browser, which shows the widget and brings back an authorization token.
    let authorization_token = shopper_approves(client, &session.session_id).await?;

    // 3. The order. The same token gives the same order, however often this is repeated.
    let request = CreateOrder::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines)
        .order_tax_amount(cart.order_tax_amount)
        .locale("sv-SE")
        .merchant_reference1("WEB-1001");
    let order = client.payments().create_order(&authorization_token, &request).await?;
    println!("order {}, fraud status {:?}", order.order_id, order.fraud_status);
    Ok(())
}

/// What the widget does in a browser; a playground plays the shopper on request.
async fn shopper_approves(
    client: &Client,
    session_id: &SessionId,
) -> Result<AuthorizationToken, Box<dyn Error>> {
    let shopper = json!({ "session_id": session_id, "email": "customer@email.se" });
    let call = client.raw(Method::POST, "/playground/v1/shopper/authorize").json(&shopper);
    let outcome = call.send::<Value>().await?;
    Ok(AuthorizationToken::new(outcome["authorization_token"].as_str().ok_or("not approved")?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
