//! One authorisation makes one order, whatever dies in between.
//!
//! The whole program is killed without warning between the shopper's approval and the shop's
//! confirmation, at many points, and started again on what it left; or the browser is killed and
//! never comes back.

use crate::steps;
use crate::steps::shopping::Shopper;
use crate::steps::{
    KASSA, SWEDEN, approve, books_agree, checkout_becomes, checkout_url, open_checkout,
};
use serde_json::{Value, json};
use testing::browser::Screen;
use testing::eventually;
use testing::http::Http;
use testing::kassa::Kassa;

/// Killed as soon as the approval is answered, or so many round trips later: somewhere between
/// the callback's delivery, the journal's entry, the order at Klarna and the news of it. Nobody
/// confirms; the order is made of the callback.
#[tokio::test]
async fn a_kill_after_the_approval_leaves_one_order() {
    let mut kassa = Kassa::start(KASSA);
    let mut orders = 0;
    for round_trips in [0, 1, 2, 4, 8, 16, 40] {
        // The connections died with the program.
        let http = Http::new();
        let checkout = open_checkout(&kassa, &http, &format!("KILL-{round_trips}")).await;
        approve(&kassa, &http, &checkout).await;
        let health = format!("{}/healthz", kassa.ready().gateway_url);
        for _ in 0..round_trips {
            http.status(&health).await.unwrap();
        }
        kassa.kill();
        kassa.restart();
        let http = Http::new();
        let checkout = checkout_becomes(&kassa, &http, &checkout, "completed").await;
        orders += 1;
        knows_its_order(&kassa, &http, &checkout, orders).await;
    }
}

/// Klarna's clock is moved past the end of a session, as the start page invites people to do: the
/// merchant lives by the same clock, so the shopper who comes back finds a session that is alive.
#[tokio::test]
async fn a_shopper_who_comes_back_after_the_clock_was_moved_finds_a_fresh_session() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let checkout = open_checkout(&kassa, &http, "LATER-1").await;
    let clock = format!("{}/playground/v1/clock", kassa.ready().playground_url);
    http.post(&clock, testing::http::As::Anyone, &json!({ "advance": "P3D" })).await;
    let renewed = steps::read_checkout(&kassa, &http, &checkout).await;
    assert_ne!(renewed["klarna"]["client_token"], checkout["klarna"]["client_token"]);
    approve(&kassa, &http, &renewed).await;
    checkout_becomes(&kassa, &http, &renewed, "completed").await;
}

/// The shop's confirmation is on its way when everything dies, and the shop asks again afterwards
/// with the same token, as its page does.
#[tokio::test]
async fn a_kill_during_the_confirmation_leaves_one_order() {
    let mut kassa = Kassa::start(KASSA);
    let mut orders = 0;
    for round_trips in [0, 1, 2, 3, 5, 9, 20] {
        let http = Http::new();
        let checkout = open_checkout(&kassa, &http, &format!("CONFIRM-{round_trips}")).await;
        let token = approve(&kassa, &http, &checkout).await;
        let confirm = format!("{}/confirm", checkout_url(&kassa, &checkout));
        let body = json!({ "authorization_token": token });
        let sent = {
            let (http, confirm, body) = (Http::new(), confirm.clone(), body.clone());
            let key = kassa.ready().api_key.clone();
            tokio::spawn(async move {
                let key = testing::http::As::Bearer(&key);
                http.send(::http::Method::POST, &confirm, key, Some(&body)).await
            })
        };
        let health = format!("{}/healthz", kassa.ready().gateway_url);
        for _ in 0..round_trips {
            http.status(&health).await.unwrap();
        }
        kassa.kill();
        // Answered or cut off, both may be.
        let _ = sent.await.unwrap();
        kassa.restart();
        let http = Http::new();
        let again = eventually("the confirmation to be answered", async || {
            let answer = http.post(&confirm, kassa.key(), &body).await;
            if answer["status"] == "completed" { Ok(answer) } else { Err(answer) }
        })
        .await;
        orders += 1;
        knows_its_order(&kassa, &http, &again, orders).await;
        // And once more changes nothing.
        let third = http.post(&confirm, kassa.key(), &body).await;
        assert_eq!(third["payment_id"], again["payment_id"]);
        assert_eq!(kassa.order_ids().len(), orders);
    }
}

/// The callback and many confirmations at once.
#[tokio::test]
async fn a_crowd_of_confirmations_makes_one_order() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let checkout = open_checkout(&kassa, &http, "CROWD-1").await;
    let token = approve(&kassa, &http, &checkout).await;
    let confirm = format!("{}/confirm", checkout_url(&kassa, &checkout));
    let body = json!({ "authorization_token": token });
    let crowd: Vec<_> = (0..16)
        .map(|_| {
            let (http, confirm, body) = (Http::new(), confirm.clone(), body.clone());
            let key = kassa.ready().api_key.clone();
            tokio::spawn(async move {
                http.post(&confirm, testing::http::As::Bearer(&key), &body).await
            })
        })
        .collect();
    for one in crowd {
        one.await.unwrap();
    }
    let checkout = checkout_becomes(&kassa, &http, &checkout, "completed").await;
    knows_its_order(&kassa, &http, &checkout, 1).await;
}

/// In the browser: the shopper has approved, the page is about to tell the shop, and everything
/// dies. After the restart the shopper reloads and finds the order made.
#[tokio::test]
async fn a_kill_under_the_shoppers_eyes_ends_on_the_confirmation_page() {
    let mut shopper = Shopper::enter("recovery/killed-program", Screen::Wide, SWEDEN).await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.go_to_checkout().await;
    shopper.fill_in().await;
    shopper.hold_confirmation().await;
    shopper.buy_with_klarna().await;
    shopper.confirmation_is_held().await;
    shopper.kassa.kill();
    shopper.kassa.restart();
    shopper.reload_checkout_until_confirmed().await;
    let http = Http::new();
    let payments = shopper.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(shopper.kassa.order_ids().len(), 1);
    shopper.confirmation_shows(&payments[0]).await;
    books_agree(&shopper.kassa, &http, payments[0]["id"].as_str().unwrap()).await;
}

/// The browser dies instead and never comes back: the order is made from the callback alone.
#[tokio::test]
async fn a_browser_that_dies_after_the_approval_leaves_an_order() {
    let mut shopper = Shopper::enter("recovery/killed-browser", Screen::Phone, SWEDEN).await;
    shopper.put_in_cart("smoke-tea", 2).await;
    shopper.go_to_checkout().await;
    shopper.fill_in().await;
    shopper.hold_confirmation().await;
    shopper.buy_with_klarna().await;
    shopper.confirmation_is_held().await;
    let kassa = shopper.kill_browser();
    let http = Http::new();
    let payment = eventually("the payment", async || {
        kassa.payments(&http).await.into_iter().next().ok_or("none yet")
    })
    .await;
    assert_eq!(payment["status"], "authorized");
    assert_eq!(kassa.order_ids(), [payment["klarna_order_id"].as_str().unwrap()]);
    books_agree(&kassa, &http, payment["id"].as_str().unwrap()).await;
}

/// The gateway knows the order of this checkout, and Klarna has no other.
async fn knows_its_order(kassa: &Kassa, http: &Http, checkout: &Value, orders: usize) {
    let ids = kassa.order_ids();
    assert_eq!(ids.len(), orders, "{ids:?}");
    let payment_id = checkout["payment_id"].as_str().unwrap();
    let (payment, order) = books_agree(kassa, http, payment_id).await;
    assert!(ids.iter().any(|id| order["order_id"] == id.as_str()), "{ids:?} {order}");
    assert_eq!(payment["merchant_reference"], checkout["merchant_reference"]);
    assert_eq!(kassa.payments(http).await.len(), orders);
}
