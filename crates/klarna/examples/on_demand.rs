//! Purchases on demand: the shopper stores Klarna in a wallet without buying anything, and pays with one press later.
//! A charge that fails while the shopper is there is recovered by a new approval.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::customer_token::{CreateTokenOrder, StepUp};
use klarna::types::payments::{CreateCustomerToken, CreateSession, IntendedUse, Intent};
use klarna::{
    AuthorizationToken, Client, Country, Currency, CustomerTokenId, IdempotencyKey, MinorUnits,
    OrderLine, SessionId, TaxRate,
};
use serde_json::{Value, json};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let token = add_to_wallet(client).await?;
    ride(client, &token, "RIDE-1").await?;
    ride(client, &token, "RIDE-2").await
}

/// A session over nothing, only for the token.
async fn add_to_wallet(client: &Client) -> Result<CustomerTokenId, Box<dyn Error>> {
    let nothing = MinorUnits::new(0);
    let line = OrderLine::new("Klarna i plånboken", 1, nothing, nothing);
    let request = CreateSession::new(Country::SE, Currency::SEK, nothing, vec![line])
        .locale("sv-SE")
        .intent(Intent::Tokenize);
    let session = client.payments().create_session(&request).await?;
    let authorization_token = shopper_approves(client, &session.session_id).await?;
    let request = CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Resor",
        IntendedUse::Subscription,
    );
    let created = client.payments().create_customer_token(&authorization_token, &request).await?;
    Ok(created.token_id.clone())
}

/// One press, one ride.
async fn ride(client: &Client, token: &CustomerTokenId, ride: &str) -> Result<(), Box<dyn Error>> {
    let (amount, tax) = (MinorUnits::new(10_600), MinorUnits::new(600));
    let line = OrderLine::new("Resa", 1, amount, amount)
        .tax_rate(TaxRate::percent(6))
        .total_tax_amount(tax);
    let request = CreateTokenOrder::new(Currency::SEK, amount, tax, vec![line])
        .merchant_reference1(ride)
        .auto_capture(true)
        // The shopper is there, and can help if the charge fails.
        .step_up(StepUp::Supported);
    let key = IdempotencyKey::parse(format!("charge-{ride}"))?;
    match client.customer_tokens().charge(token, &request).idempotency_key(key).send().await {
        Ok(order) => println!("{ride}: order {}", order.order_id),
        Err(error) => match &error.body().step_up_id {
            // Open a session with this id and the token, and let the shopper approve it: the token is then charged
            // in another way.
            Some(step_up_id) => println!("{ride}: recover with {step_up_id}"),
            None => return Err(error.into()),
        },
    }
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
