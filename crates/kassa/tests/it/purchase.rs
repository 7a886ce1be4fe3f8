//! A whole purchase in a real browser: the shop, Klarna's widget and flow, the confirmation; then
//! the merchant's side of it in the dashboard. What the shopper saw is compared with what Klarna
//! and the gateway have in their books, and each page is photographed.

use crate::steps::dashboard::Clerk;
use crate::steps::shopping::{Shopper, number};
use crate::steps::{AMERICA, BRITAIN, GERMANY, Market, SWEDEN, books_agree, read_checkout};
use serde_json::Value;
use testing::browser::Screen;
use testing::http::Http;

#[tokio::test]
async fn a_swede_buys_on_a_wide_screen() {
    let mut shopper = buy("purchase/sweden-wide", Screen::Wide, SWEDEN).await;
    let (payment, order) = check(&shopper).await;
    assert_eq!(tax_inside(&order), registered_tax(&shopper, &payment).await);
    // Two mugs and a book: two tax rates, and delivery.
    assert_eq!(order["order_lines"].as_array().unwrap().len(), 3);
    let all = number(&order["order_amount"]);
    let mut clerk = Clerk::sign_in(&mut shopper).await;
    clerk.open_payment(&payment).await;
    clerk.capture(None).await;
    clerk.agrees("captured", [all, all, 0, 0]).await;
    clerk.refund(None).await;
    clerk.agrees("captured", [all, all, all, 0]).await;
}

#[tokio::test]
async fn a_german_buys_on_a_phone() {
    let mut shopper = buy("purchase/germany-phone", Screen::Phone, GERMANY).await;
    let (payment, order) = check(&shopper).await;
    assert_eq!(tax_inside(&order), registered_tax(&shopper, &payment).await);
    let all = number(&order["order_amount"]);
    let mut clerk = Clerk::sign_in(&mut shopper).await;
    clerk.open_payment(&payment).await;
    clerk.capture(Some(2_490)).await;
    clerk.agrees("part_captured", [all, 2_490, 0, all - 2_490]).await;
    clerk.capture(None).await;
    clerk.agrees("captured", [all, all, 0, 0]).await;
    clerk.refund(Some(1_000)).await;
    clerk.agrees("captured", [all, all, 1_000, 0]).await;
}

#[tokio::test]
async fn a_briton_buys_on_a_phone() {
    let mut shopper = buy("purchase/britain-phone", Screen::Phone, BRITAIN).await;
    let (payment, order) = check(&shopper).await;
    assert_eq!(tax_inside(&order), registered_tax(&shopper, &payment).await);
    // Books bear no tax in Britain.
    let book = line(&order, "shore-birds");
    assert_eq!((number(&book["tax_rate"]), number(&book["total_tax_amount"])), (0, 0));
    let all = number(&order["order_amount"]);
    let mut clerk = Clerk::sign_in(&mut shopper).await;
    clerk.open_payment(&payment).await;
    clerk.cancel().await;
    clerk.agrees("cancelled", [all, 0, 0, 0]).await;
}

#[tokio::test]
async fn an_american_buys_on_a_wide_screen() {
    let mut shopper = buy("purchase/america-wide", Screen::Wide, AMERICA).await;
    let (payment, order) = check(&shopper).await;
    // Prices without tax, and the sales tax as a line of its own.
    let lines = order["order_lines"].as_array().unwrap();
    for line in lines {
        for member in ["tax_rate", "total_tax_amount"] {
            assert_eq!(line[member].as_i64().unwrap_or(0), 0, "{line}");
        }
    }
    let taxes: Vec<&Value> = lines.iter().filter(|line| line["type"] == "sales_tax").collect();
    assert_eq!(taxes.len(), 1, "{order}");
    // (2 × 2600 + 2100 + 595) × 8 %, each line rounded: 416 + 168 + 47.6.
    assert_eq!(number(&taxes[0]["total_amount"]), 632);
    assert_eq!(registered_tax(&shopper, &payment).await, 632);
    let all = number(&order["order_amount"]);
    let mut clerk = Clerk::sign_in(&mut shopper).await;
    clerk.open_payment(&payment).await;
    clerk.capture(Some(all - 1)).await;
    clerk.agrees("part_captured", [all, all - 1, 0, 1]).await;
    clerk.refund(Some(1)).await;
    clerk.agrees("part_captured", [all, all - 1, 1, 1]).await;
}

/// Buys two mugs and a book as the country's approved person, with pictures of everything.
async fn buy(test: &str, screen: Screen, market: Market) -> Shopper {
    let mut shopper = Shopper::enter(test, screen, market).await;
    shopper.take_pictures().await;
    shopper.put_in_cart("mist-mug", 2).await;
    shopper.put_in_cart("shore-birds", 1).await;
    shopper.go_to_checkout().await;
    shopper.fill_in().await;
    let total = shopper.total().await;
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    let http = Http::new();
    let payments = shopper.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    let payment = shopper.kassa.payment(&http, payments[0]["id"].as_str().unwrap()).await;
    shopper.confirmation_shows(&payment).await;
    assert_eq!(number(&payment["amounts"]["authorized"]), total, "what the checkout showed");
    shopper
}

/// Klarna's order is what the shop showed and what the gateway knows. Answers payment and order.
async fn check(shopper: &Shopper) -> (Value, Value) {
    let Shopper { kassa, market, .. } = shopper;
    let http = Http::new();
    let payments = kassa.payments(&http).await;
    let (payment, order) = books_agree(kassa, &http, payments[0]["id"].as_str().unwrap()).await;
    assert_eq!(kassa.order_ids(), [order["order_id"].as_str().unwrap()]);
    assert_eq!(payment["status"], "authorized");
    assert_eq!(order["purchase_country"], market.country);
    assert_eq!(order["purchase_currency"], market.currency);
    assert_eq!(order["locale"], market.locale);
    assert_eq!(order["fraud_status"], "ACCEPTED");
    let lines = order["order_lines"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|line| number(&line["total_amount"])).sum();
    assert_eq!(sum, number(&order["order_amount"]));
    for (ours, theirs) in payment["order_lines"].as_array().unwrap().iter().zip(lines) {
        for member in ["reference", "name", "quantity", "unit_price", "tax_rate", "total_amount"] {
            assert_eq!(ours[member], theirs[member], "{member} of {ours} and {theirs}");
        }
    }
    let address = market.address();
    for (member, value) in address.as_object().unwrap() {
        assert_eq!(order["billing_address"][member], *value, "billing_address.{member}: {order}");
        assert_eq!(order["shipping_address"][member], *value, "shipping_address.{member}: {order}");
    }
    (payment, order)
}

/// The European layout: each line has its tax, to the nearest minor unit. Answers their sum.
fn tax_inside(order: &Value) -> i64 {
    let lines = order["order_lines"].as_array().unwrap();
    for line in lines {
        assert_ne!(line["type"], "sales_tax");
        let (total, rate) = (number(&line["total_amount"]), number(&line["tax_rate"]));
        let off = (number(&line["total_tax_amount"]) * (10_000 + rate) - total * rate).abs();
        assert!(2 * off <= 10_000 + rate, "{line}");
    }
    lines.iter().map(|line| number(&line["total_tax_amount"])).sum()
}

/// The order's tax as it was told to Klarna. (Klarna's order itself has no such sum.)
async fn registered_tax(shopper: &Shopper, payment: &Value) -> i64 {
    let checkout = serde_json::json!({ "id": payment["checkout_id"] });
    let checkout = read_checkout(&shopper.kassa, &Http::new(), &checkout).await;
    number(&checkout["order_tax_amount"])
}

fn line<'a>(order: &'a Value, reference: &str) -> &'a Value {
    let mut lines = order["order_lines"].as_array().unwrap().iter();
    lines.find(|line| line["reference"] == reference).unwrap()
}
