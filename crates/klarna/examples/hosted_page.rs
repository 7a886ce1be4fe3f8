//! A hosted payment page: Klarna shows the page, the shop has none.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;
use std::time::Duration;

use http::Method;
use klarna::types::hosted_payment_page::{
    self as page, Options, PlaceOrderMode, PurchaseType, SessionStatus,
};
use klarna::types::payments::CreateSession;
use klarna::{Client, Country, Currency, MinorUnits, OrderLine, Patience, TaxRate};
use serde_json::{Value, json};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    // 1. A Payments session, as for the widget.
    let amount = MinorUnits::new(19_900);
    let line = OrderLine::new("Mugg", 1, amount, amount)
        .tax_rate(TaxRate::percent(25))
        .total_tax_amount(MinorUnits::new(3_980));
    let request = CreateSession::new(Country::SE, Currency::SEK, amount, vec![line])
        .order_tax_amount(MinorUnits::new(3_980))
        .locale("sv-SE");
    let session = client.payments().create_session(&request).await?;

    // 2. A page for it, which places the order itself.
    let options = Options::new()
        .place_order_mode(PlaceOrderMode::PlaceOrder)
        .purchase_type(PurchaseType::Buy)
        .page_title("Kaffebutiken");
    let urls = page::MerchantUrls::new()
        .success("https://shop.example/thanks?order={{order_id}}")
        .back("https://shop.example/cart")
        .failure("https://shop.example/sorry");
    let session_url = client.payments().session_url(&session.session_id);
    let request = page::CreateSession::new(session_url).merchant_urls(urls).options(options);
    let hosted = client.hosted_payment_page().create(&request).await?;

    // 3. Send the browser there, or have Klarna send a link.
    let redirect_url = hosted.redirect_url.as_deref().ok_or("no page")?;
    println!("the shopper pays at {redirect_url}");
    shopper_pays(client, redirect_url).await?;

    // 4. What came of it. A callback tells it sooner; a callback can get lost.
    let patience = Patience { timeout: Duration::from_secs(30 * 60), ..Patience::default() };
    let watch = client.hosted_payment_page().watch(&hosted.session_id).patience(patience);
    let outcome = watch.outcome().await?;
    match outcome.status {
        SessionStatus::Completed => println!("order {:?}", outcome.order_id),
        _ => println!("no order: {}", outcome.status),
    }
    Ok(())
}

/// What the shopper does on the page; a playground plays the shopper on request.
async fn shopper_pays(client: &Client, url: &str) -> Result<(), Box<dyn Error>> {
    let shopper = json!({ "url": url, "action": "approve", "email": "customer@email.se" });
    let call = client.raw(Method::POST, "/playground/v1/shopper/hosted").json(&shopper);
    call.send::<Value>().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
