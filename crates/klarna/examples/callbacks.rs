//! Klarna's callbacks: take them as hints, answer fast, and read the truth from the API.
//!
//! Works with any web framework: what matters is what is done with the body.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::payments::{CreateOrder, CreateSession};
use klarna::{
    AuthorizationToken, Client, Country, Currency, MinorUnits, OrderId, OrderLine, SessionId,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// What Klarna posts to `merchant_urls.authorization` when the shopper has approved. Not signed: put a one-time secret
/// into the URL, and compare it in constant time.
#[derive(Deserialize)]
struct AuthorizationCallback {
    session_id: SessionId,
}

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let session_id = shopper_approves(client).await?;
    // This arrives at the shop's server. Answer it with 200 at once: Klarna waits for two seconds only.
    let body = json!({ "session_id": session_id, "authorization_token": "anyone can send this" });
    let order_id = authorized(client, body.to_string().as_bytes()).await?;
    println!("order {order_id}");
    // The same once more, or the browser with the same token: the same order.
    let again = authorized(client, body.to_string().as_bytes()).await;
    println!("again: {again:?}");
    Ok(())
}

/// After the answer: the body only says where to look.
async fn authorized(client: &Client, body: &[u8]) -> Result<OrderId, Box<dyn Error>> {
    let callback: AuthorizationCallback = serde_json::from_slice(body)?;
    let session = client.payments().session(&callback.session_id).await?;
    // The token is taken from the session, never from the callback.
    let token = session.authorization_token.as_ref().ok_or("not approved, or done already")?;
    let (amount, lines) = cart();
    let request = CreateOrder::new(Country::SE, Currency::SEK, amount, lines)
        .order_tax_amount(MinorUnits::new(0))
        .locale("sv-SE");
    let order = client.payments().create_order(token, &request).await?;
    Ok(order.order_id.clone())
}

fn cart() -> (MinorUnits, Vec<OrderLine>) {
    let amount = MinorUnits::new(5_000);
    (amount, vec![OrderLine::new("Bok", 1, amount, amount)])
}

/// What the widget does in a browser; a playground plays the shopper on request.
async fn shopper_approves(client: &Client) -> Result<SessionId, Box<dyn Error>> {
    let (amount, lines) = cart();
    let request = CreateSession::new(Country::SE, Currency::SEK, amount, lines)
        .order_tax_amount(MinorUnits::new(0))
        .locale("sv-SE");
    let session = client.payments().create_session(&request).await?;
    let shopper = json!({ "session_id": session.session_id, "email": "customer@email.se" });
    let call = client.raw(Method::POST, "/playground/v1/shopper/authorize").json(&shopper);
    let outcome = call.send::<Value>().await?;
    let token = AuthorizationToken::new(outcome["authorization_token"].as_str().unwrap_or("none"));
    println!("the browser has a token, too: {token:?}");
    Ok(session.session_id.clone())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
