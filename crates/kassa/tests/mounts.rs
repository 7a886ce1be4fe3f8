//! Where the shop lets Klarna into its pages: words about paying beside prices, the express button in the
//! cart. All of it is there because the gateway names a client identifier, and only then.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod steps;

use serde_json::json;
use steps::shopping::Shopper;
use steps::{GERMANY, SWEDEN};
use testing::browser::Screen;

/// What a placement shows, once it shows something.
async fn words(shopper: &Shopper, css: &str) -> String {
    let script = "const placement = document.querySelector(arguments[0]); \
                  return placement?.shadowRoot?.textContent.trim() ?? ''";
    shopper
        .browser
        .wait(&format!("words in {css}"), async |client| {
            let words = client.execute(script, vec![json!(css)]).await?;
            Ok(words.as_str().filter(|words| !words.is_empty()).map(str::to_owned))
        })
        .await
}

#[tokio::test]
async fn placements_stand_beside_prices_and_follow_them() {
    for (screen, test) in
        [(Screen::Wide, "mounts/placements-wide"), (Screen::Phone, "mounts/placements-phone")]
    {
        let mut shopper = Shopper::enter(test, screen, GERMANY).await;
        shopper.take_pictures().await;
        let shop = shopper.kassa.ready().shop_url.clone();
        shopper.browser.goto(&format!("{shop}/products/dusk-lamp")).await;
        let placement = ".product klarna-placement";
        assert_eq!(
            shopper.browser.attribute(placement, "data-purchase-amount").await.as_deref(),
            Some("17900")
        );
        assert_eq!(
            shopper.browser.attribute(placement, "data-locale").await.as_deref(),
            Some("de-DE")
        );
        words(&shopper, placement).await;
        shopper.picture("product-with-words").await;
        shopper.put_in_cart("dusk-lamp", 2).await;
        shopper.browser.goto(&format!("{shop}/cart")).await;
        // Two lamps, and delivery.
        let total = shopper.browser.attribute(".panel klarna-placement", "data-purchase-amount");
        assert_eq!(total.await.as_deref(), Some("36290"));
        words(&shopper, ".panel klarna-placement").await;
        shopper.picture("cart-with-words").await;
        // At the checkout Klarna's widget says all there is to say.
        shopper.browser.goto(&format!("{shop}/checkout")).await;
        shopper.widget_is_there().await;
        assert!(!shopper.browser.sees("klarna-placement").await);
        let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        shopper.browser.goto(&format!("{shop}/products/dusk-lamp")).await;
        shopper.browser.devtools("Emulation.setEmulatedMedia", dark).await.unwrap();
        shopper.browser.find(".product klarna-placement[data-theme=dark]").await;
        words(&shopper, placement).await;
        shopper.picture("product-in-the-dark").await;
    }
}

#[tokio::test]
async fn the_express_button_buys_from_the_cart() {
    let mut shopper = Shopper::enter("mounts/express", Screen::Wide, SWEDEN).await;
    shopper.take_pictures().await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.browser.click("a[href='/cart']").await;
    shopper.browser.see("#express #kec").await;
    shopper.picture("cart-with-express").await;
    shopper.browser.click("#kec").await;
    shopper.browser.enter_popup().await;
    shopper.walk_to("approved").await;
    shopper.browser.popup_closes().await;
    shopper.is_confirmed().await;
    assert_eq!(shopper.kassa.order_ids().len(), 1);
    let http = testing::http::Http::new();
    let order = shopper.kassa.order(&http, &shopper.kassa.order_ids()[0]).await;
    assert_eq!(order["order_amount"], 29_800);
    assert_eq!(order["shipping_address"]["city"], SWEDEN.city, "Klarna knows where to");
}
