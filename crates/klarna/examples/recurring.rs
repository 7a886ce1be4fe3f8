//! A subscription: the first purchase makes a customer token, which is charged every month.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::customer_token::CreateTokenOrder;
use klarna::types::order_line::{Subscription, SubscriptionInterval};
use klarna::types::payments::{
    CreateCustomerToken, CreateOrder, CreateSession, IntendedUse, Intent,
};
use klarna::{
    AuthorizationToken, Client, Country, Currency, CustomerTokenId, ErrorCode, IdempotencyKey,
    MinorUnits, OrderLine, SessionId, TaxRate,
};
use serde_json::{Value, json};

const AMOUNT: MinorUnits = MinorUnits::new(14_900);
const TAX: MinorUnits = MinorUnits::new(1_596);

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let token = sign_up(client).await?;
    for month in ["2031-05", "2031-06"] {
        renew(client, &token, month).await?;
    }
    // The subscriber leaves.
    client.customer_tokens().cancel(&token).await?;
    let read = client.customer_tokens().get(&token).await?;
    println!("token {token} is {}", read.status);
    Ok(())
}

/// The first purchase: pays for the first month and makes the token.
async fn sign_up(client: &Client) -> Result<CustomerTokenId, Box<dyn Error>> {
    let request = CreateSession::new(Country::SE, Currency::SEK, AMOUNT, lines())
        .order_tax_amount(TAX)
        .locale("sv-SE")
        .intent(Intent::BuyAndTokenize);
    let session = client.payments().create_session(&request).await?;
    let authorization_token = shopper_approves(client, &session.session_id).await?;

    // The token first, then the order, both of the same approval.
    let request = CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Kaffe varje månad",
        IntendedUse::Subscription,
    );
    let created = client.payments().create_customer_token(&authorization_token, &request).await?;
    let request = CreateOrder::new(Country::SE, Currency::SEK, AMOUNT, lines())
        .order_tax_amount(TAX)
        .locale("sv-SE");
    let order = client.payments().create_order(&authorization_token, &request).await?;
    println!("signed up with order {}", order.order_id);
    Ok(created.token_id.clone())
}

/// Charges one month. Its key is made of what is charged for, so that no month is ever charged twice: not by a retry,
/// not by a restart, not by two nodes at once.
async fn renew(
    client: &Client,
    token: &CustomerTokenId,
    month: &str,
) -> Result<(), Box<dyn Error>> {
    let request = CreateTokenOrder::new(Currency::SEK, AMOUNT, TAX, lines()).auto_capture(true);
    let key = IdempotencyKey::parse(format!("subscription-22-{month}"))?;
    let charge = client.customer_tokens().charge(token, &request).idempotency_key(key);
    match charge.send().await {
        Ok(order) => println!("{month}: order {}", order.order_id),
        // Nobody is there to help: remind the subscriber, and try again in some days under another key.
        Err(error) if error.code() == Some(&ErrorCode::PaymentMethodFailed) => {
            println!("{month}: refused, {:?}", error.body().reason);
        }
        // Keep the key, and call again: the same month is not charged twice.
        Err(error) if error.is_retryable() => println!("{month}: later, {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn lines() -> Vec<OrderLine> {
    let monthly = Subscription::new("Kaffe", SubscriptionInterval::Month, 1);
    vec![
        OrderLine::new("Kaffe", 1, AMOUNT, AMOUNT)
            .tax_rate(TaxRate::percent(12))
            .total_tax_amount(TAX)
            .subscription(monthly),
    ]
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
