//! What only a person can tell: the page where it waits, on a desk and on a phone.

use crate::steps::dashboard::Clerk;
use crate::steps::shopping::Shopper;
use crate::steps::{SWEDEN, books_agree};
use http::Method;
use serde_json::{Value, json};
use testing::browser::Screen;
use testing::eventually;
use testing::http::{As, Http};

const HEADING: &str = "article.attention";

/// Klarna books a capture, loses every answer, and then does not know the order: nobody can tell. Found again, the
/// books tell by themselves.
async fn a_lost_capture_waits_for_a_person(test: &str, screen: Screen) {
    let http = Http::new();
    let mut shopper = Shopper::enter(test, screen, SWEDEN).await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.go_to_checkout().await;
    shopper.widget_is_there().await;
    shopper.fill_in().await;
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    shopper.take_pictures().await;
    let payment = shopper.kassa.payments(&http).await.remove(0);
    let id = payment["id"].as_str().unwrap().to_owned();
    let ready = shopper.kassa.ready().clone();
    for fault in [
        json!({
            "match": { "operation": "orders.capture" },
            "effect": { "type": "drop", "when": "after" },
        }),
        json!({
            "match": { "operation": "orders.read" },
            "effect": { "type": "error", "status": 404, "body": { "error_code": "NO_SUCH_ORDER" } },
        }),
    ] {
        let url = format!("{}/playground/v1/faults", ready.playground_url);
        http.post(&url, As::Anyone, &fault).await;
    }
    let capture = json!({ "amount": 10_000 });
    let url = format!("{}/v1/payments/{id}/captures", ready.gateway_url);
    let asked = http.send(Method::POST, &url, shopper.kassa.key(), Some(&capture)).await.unwrap();
    assert!(asked.status == 202 || asked.status == 201, "{}", asked.status);
    // Klarna's own schedule of repeats, and then a person.
    let operations = format!("{}/v1/operations?state=needs_attention", ready.gateway_url);
    let clock = format!("{}/playground/v1/clock", ready.playground_url);
    eventually("the gateway to give up", async || {
        http.post(&clock, As::Anyone, &json!({ "advance": "PT1H" })).await;
        let waiting = http.get(&operations, shopper.kassa.key()).await;
        if waiting["data"].as_array().is_some_and(|list| !list.is_empty()) {
            Ok(())
        } else {
            Err(waiting)
        }
    })
    .await;
    drop(Clerk::sign_in(&mut shopper).await);
    shopper.browser.see("a[href='/dashboard/attention']").await;
    shopper.browser.click("a[href='/dashboard/attention']").await;
    shopper.browser.shows(HEADING, "What to do").await;
    shopper.picture("attention").await;
    shopper.browser.click(&format!("{HEADING} details:not(.action) > summary")).await;
    shopper.browser.click(&format!("{HEADING} details.action > summary")).await;
    shopper.picture("attention-unfolded").await;
    // The order is there again.
    let faults = format!("{}/playground/v1/faults", ready.playground_url);
    http.send(Method::DELETE, &faults, As::Anyone, None).await.unwrap();
    shopper.browser.click(&format!("{HEADING} button.primary")).await;
    shopper.browser.at("/dashboard/attention?done=done").await;
    shopper.browser.shows("main", "Nothing needs you").await;
    shopper.picture("attention-settled").await;
    let (payment, _): (Value, Value) = books_agree(&shopper.kassa, &http, &id).await;
    assert_eq!(payment["amounts"]["captured"], 10_000, "{payment}");
}

#[tokio::test]
async fn a_lost_capture_waits_for_a_person_at_a_desk() {
    a_lost_capture_waits_for_a_person("attention/wide", Screen::Wide).await;
}

#[tokio::test]
async fn a_lost_capture_waits_for_a_person_on_the_way() {
    a_lost_capture_waits_for_a_person("attention/phone", Screen::Phone).await;
}
