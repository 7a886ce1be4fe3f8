//! Disputes: find those that need an answer, answer them with evidence, appeal, or accept the loss.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use http::Method;
use klarna::types::disputes::{
    AttachmentReference, Dispute, DisputeState, ListDisputes, Represent,
};
use klarna::types::order_management::CreateCapture;
use klarna::types::payments::{CreateOrder, CreateSession};
use klarna::{
    Address, AuthorizationToken, Client, Country, Currency, MinorUnits, OrderId, OrderLine,
    TaxRate, Upload,
};
use serde_json::{Value, json};

const AMOUNT: MinorUnits = MinorUnits::new(20_000);
const TAX: MinorUnits = MinorUnits::new(4_000);

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    // Once for each merchant. Whoever is not enrolled sees an empty list.
    let merchant_id = client.merchant_id().ok_or("whose credentials are these?")?;
    client.disputes().enroll(merchant_id).await?;

    // Klarna's test data: this shopper disputes what is captured.
    let shopper = "customer+se+dispute_win_on_evidence@klarna.com";
    let order_id = place_order(client, shopper).await?;
    client.orders().capture(&order_id, &CreateCapture::new(AMOUNT)).await?;

    // Those that can be answered, page after page as they are needed.
    let mut filter = ListDisputes::new();
    filter.state = vec![DisputeState::Initiated];
    let mut disputes = client.disputes().list(&filter).items();
    let mut found = 0;
    while let Some(dispute) = disputes.next().await {
        let dispute = dispute?;
        let until = dispute
            .state_context
            .as_ref()
            .and_then(|context| context.representment.as_ref()?.expires_at);
        println!("{} {} until {until:?}", dispute.payment_dispute_id, dispute.dispute_reason);
        if dispute.order_id.as_ref() == Some(&order_id) {
            defend(client, &dispute).await?;
            found += 1;
        }
    }
    println!("{found} disputes answered");
    Ok(())
}

/// Shows that the parcel was delivered.
async fn defend(client: &Client, dispute: &Dispute) -> Result<(), Box<dyn Error>> {
    let id = &dispute.payment_dispute_id;
    let file = Upload::new("proof-of-delivery.pdf", b"%PDF-1.7 signed".as_slice());
    let uploaded = client.disputes().upload(id, &file).await?;
    let attachment = uploaded.payment_dispute_attachment_id.clone();
    let evidence = vec![AttachmentReference::new(attachment).description("Signed by the shopper")];
    let request = Represent::new(evidence).additional_information("Delivered on 3 March.");
    match client.disputes().represent(id, &request).await {
        Ok(answer) => println!("now in {}", answer.state),
        // It may have arrived: the dispute itself says so.
        Err(error) if error.outcome_unknown() => {
            println!("in doubt, now in {}", client.disputes().get(id).await?.state);
        }
        // What is wrong with it, member by member.
        Err(error) => println!("{error}: {:?}", error.network_body().validation_errors),
    }
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
