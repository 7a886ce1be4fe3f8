//! The shop's other ways to sell, in real browsers: on Klarna's own page by setting, as an app on a home
//! screen, at a screen in the workshop, every month. Each page is photographed and looked at.

use crate::steps::shopping::{Shopper, pay_on_page};
use crate::steps::{SWEDEN, books_agree};
use serde_json::json;
use testing::browser::{Browser, Screen};
use testing::http::Http;

/// Exactly one order, in both books.
async fn one_order(shopper: &Shopper) {
    let http = Http::new();
    let payments = shopper.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(shopper.kassa.order_ids().len(), 1);
    books_agree(&shopper.kassa, &http, payments[0]["id"].as_str().unwrap()).await;
}

/// A cart, and the checkout filled in, where no widget is to be waited for.
async fn fills_in_without_widget(shopper: &mut Shopper) {
    shopper.put_in_cart("mist-mug", 1).await;
    let checkout = format!("{}/checkout", shopper.kassa.ready().shop_url);
    shopper.browser.goto(&checkout).await;
    shopper.browser.see("#buy").await;
    assert!(!shopper.browser.sees(".widget iframe").await);
    shopper.fill_in().await;
}

#[tokio::test]
async fn by_setting_the_shopper_pays_on_klarnas_page() {
    for (screen, test) in
        [(Screen::Wide, "surfaces/hosted-wide"), (Screen::Phone, "surfaces/hosted-phone")]
    {
        let flags = ["--shop-checkout", "hosted"];
        let mut shopper = Shopper::enter_with(test, screen, SWEDEN, &flags).await;
        shopper.take_pictures().await;
        fills_in_without_widget(&mut shopper).await;
        shopper.press_buy().await;
        shopper.browser.see("#pay").await;
        let page = shopper.browser.url().await;
        // Back in the shop everything is as it was, and the same page waits.
        shopper.browser.client().back().await.unwrap();
        shopper.browser.at("/checkout").await;
        shopper.browser.see("#buy").await;
        assert_eq!(shopper.browser.value("#city").await, SWEDEN.city);
        shopper.press_buy().await;
        shopper.browser.see("#pay").await;
        assert_eq!(shopper.browser.url().await, page);
        shopper.picture("klarnas-page").await;
        pay_on_page(&shopper.browser, SWEDEN.email).await;
        shopper.is_confirmed().await;
        one_order(&shopper).await;
        let total = shopper.browser.text(".receipt tfoot tr:first-child td").await;
        assert_eq!(total.replace('\u{a0}', " "), "298,00 kr");
        shopper.browser.goto(&format!("{}/checkout", shopper.kassa.ready().shop_url)).await;
        shopper.browser.at("/cart").await;
    }
}

/// From the home screen the shop has one window: Klarna's page instead of Klarna's window.
#[tokio::test]
async fn an_installed_shop_goes_to_klarnas_page_and_comes_back() {
    let mut shopper = Shopper::enter("surfaces/installed", Screen::Phone, SWEDEN).await;
    // As a phone's system tells a page that it runs from the home screen.
    let source = "Object.defineProperty(navigator, 'standalone', { value: true })";
    let installed = json!({ "source": source });
    let command = "Page.addScriptToEvaluateOnNewDocument";
    shopper.browser.devtools(command, installed).await.unwrap();
    fills_in_without_widget(&mut shopper).await;
    shopper.press_buy().await;
    shopper.browser.see("#pay").await;
    assert_eq!(shopper.browser.client().windows().await.unwrap().len(), 1, "no window beside it");
    pay_on_page(&shopper.browser, SWEDEN.email).await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
}

#[tokio::test]
async fn a_phone_pays_at_the_workshops_screen() {
    let mut shopper = Shopper::enter("surfaces/workshop", Screen::Wide, SWEDEN).await;
    let phone = Browser::start("surfaces/workshop-phone", Screen::Phone).await;
    shopper.take_pictures().await;
    shopper.put_in_cart("mist-mug", 2).await;
    shopper.browser.click("a[href='/cart']").await;
    shopper.browser.click("a[href='/counter']").await;
    shopper.browser.see("form[action='/counter'] button").await;
    shopper.picture("counter").await;
    shopper.browser.click("form[action='/counter'] button").await;
    shopper
        .browser
        .wait("the picture of the code", async |client| {
            let there = "const code = document.querySelector('img.code'); \
                         return code?.complete && code.naturalWidth > 100";
            Ok((client.execute(there, vec![]).await? == json!(true)).then_some(()))
        })
        .await;
    shopper.picture("counter-code").await;
    let code = shopper.browser.attribute("img.code", "src").await.unwrap();
    phone.goto(code.strip_suffix("/qr").unwrap()).await;
    pay_on_page(&phone, SWEDEN.email).await;
    shopper.is_confirmed().await;
    // Taken along: nothing is delivered.
    let total = shopper.browser.text(".receipt tfoot tr:first-child td").await;
    assert_eq!(total.replace('\u{a0}', " "), "498,00 kr");
    one_order(&shopper).await;
}

#[tokio::test]
async fn a_tin_every_month_begins_goes_on_and_ends() {
    let mut shopper = Shopper::enter("surfaces/monthly", Screen::Phone, SWEDEN).await;
    shopper.take_pictures().await;
    let shop = shopper.kassa.ready().shop_url.clone();
    shopper.browser.goto(&format!("{shop}/products/smoke-tea")).await;
    shopper.browser.click("input[value='smoke-tea-monthly']").await;
    shopper.picture("product-monthly").await;
    shopper.browser.click("form[action='/cart/items'] button").await;
    shopper.browser.see(".added").await;
    shopper.go_to_checkout().await;
    shopper.fill_in().await;
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
    shopper.browser.click(".confirmation a[href^='/orders/']").await;
    shopper.browser.see("form[action='/subscriptions/end'] button").await;
    let next = shopper.browser.text(".subscription strong").await;
    assert!(next.ends_with("2026") || next.ends_with("2027"), "the next charge: {next}");
    shopper.picture("order-monthly").await;
    shopper.browser.click("form[action='/subscriptions/end'] button").await;
    shopper.browser.gone("form[action='/subscriptions/end']").await;
    shopper.browser.shows(".subscription", "avslutad").await;
    shopper.picture("order-ended").await;
    shopper.browser.click("nav a[href='/account']").await;
    shopper.browser.see(".order-list").await;
    shopper.picture("account").await;
}
