//! Where the shop lets Klarna into its pages: words about paying beside prices, the express button, signing in.
//! All of it is there because the gateway names a client identifier, and only then.

use crate::steps::shopping::Shopper;
use crate::steps::{GERMANY, SWEDEN, books_agree};
use serde_json::json;
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

/// The one order that there is: what it comes to, and where it goes.
async fn one_order(shopper: &Shopper, amount: i64) {
    let http = testing::http::Http::new();
    let ids = shopper.kassa.order_ids();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let order = shopper.kassa.order(&http, &ids[0]).await;
    assert_eq!(order["order_amount"], amount);
    assert_eq!(order["shipping_address"]["city"], SWEDEN.city, "Klarna knows where to: {order}");
    let payments = shopper.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    books_agree(&shopper.kassa, &http, payments[0]["id"].as_str().unwrap()).await;
}

/// From the press to the confirmation page.
async fn buys_by_express(shopper: &mut Shopper) {
    shopper.press_express().await;
    shopper.browser.enter_popup().await;
    shopper.walk_to("approved").await;
    shopper.browser.popup_closes().await;
    shopper.is_confirmed().await;
}

#[tokio::test]
async fn the_express_button_buys_from_the_cart() {
    let mut shopper = Shopper::enter("mounts/express", Screen::Wide, SWEDEN).await;
    shopper.take_pictures().await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.browser.click("a[href='/cart']").await;
    shopper.browser.see("#express #kec").await;
    shopper.picture("cart-with-express").await;
    buys_by_express(&mut shopper).await;
    one_order(&shopper, 29_800).await;
}

#[tokio::test]
async fn the_express_button_buys_a_product_where_it_is_shown() {
    let mut shopper = Shopper::enter("mounts/express-product", Screen::Phone, SWEDEN).await;
    shopper.take_pictures().await;
    let shop = shopper.kassa.ready().shop_url.clone();
    shopper.browser.goto(&format!("{shop}/products/mist-mug")).await;
    shopper.browser.fill("#quantity", "2").await;
    buys_by_express(&mut shopper).await;
    one_order(&shopper, 54_700).await;
    // With something in the cart, a product's page has no such button.
    shopper.put_in_cart("oak-board", 1).await;
    assert!(!shopper.browser.sees("#kec").await);
}

#[tokio::test]
async fn the_express_button_stands_above_the_checkout() {
    for (screen, test) in [
        (Screen::Wide, "mounts/express-checkout-wide"),
        (Screen::Phone, "mounts/express-checkout-phone"),
    ] {
        let mut shopper = Shopper::enter(test, screen, SWEDEN).await;
        shopper.take_pictures().await;
        shopper.put_in_cart("mist-mug", 1).await;
        shopper.go_to_checkout().await;
        // Another delivery is another sum, in the same session.
        shopper.browser.click("input[name=shipping][value=express]").await;
        shopper
            .browser
            .wait("the new sum", async |client| {
                let sum = "return document.getElementById('total').textContent";
                let sum = client.execute(sum, vec![]).await?;
                let sum = sum.as_str().unwrap_or_default().replace('\u{a0}', " ");
                Ok(sum.starts_with("348,00").then_some(()))
            })
            .await;
        shopper.widget_is_there().await;
        buys_by_express(&mut shopper).await;
        one_order(&shopper, 34_800).await;
    }
}

#[tokio::test]
async fn who_signed_in_on_klarnas_page_is_known_when_they_pay() {
    let mut shopper = Shopper::enter("mounts/sign-in-page", Screen::Phone, SWEDEN).await;
    shopper.take_pictures().await;
    let shop = shopper.kassa.ready().shop_url.clone();
    // A checkout of nobody's is open already.
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.go_to_checkout().await;
    shopper.browser.goto(&format!("{shop}/account")).await;
    shopper.browser.see("klarna-identity-button").await;
    shopper.picture("account").await;
    shopper.browser.click("form[action='/account/begin'] button").await;
    shopper.sign_in_at_klarna().await;
    shopper.browser.see("form[action='/account/sign-out']").await;
    assert_eq!(
        shopper.browser.url().await,
        format!("{shop}/account"),
        "nothing of it stays in the address"
    );
    shopper.browser.shows("#who", "Alice").await;
    shopper.picture("signed-in").await;
    shopper.browser.goto(&format!("{shop}/checkout")).await;
    shopper.widget_is_there().await;
    assert_eq!(shopper.browser.value("#city").await, SWEDEN.city);
    assert_eq!(shopper.browser.value("#email").await, SWEDEN.email);
    shopper.press_buy().await;
    shopper.browser.enter_popup().await;
    let first = shopper.next_step(&[]).await;
    assert_eq!(first.as_deref(), Some("choose"), "Klarna asks neither who it is nor for a code");
    shopper.walk_to("approved").await;
    shopper.browser.popup_closes().await;
    shopper.is_confirmed().await;
    one_order(&shopper, 29_800).await;
    // Signed out, nothing is left of them.
    shopper.browser.goto(&format!("{shop}/account")).await;
    shopper.browser.click("form[action='/account/sign-out'] button").await;
    shopper.browser.see("klarna-identity-button").await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.go_to_checkout().await;
    assert_eq!(shopper.browser.value("#city").await, "");
    shopper.fill_in().await;
    shopper.press_buy().await;
    shopper.browser.enter_popup().await;
    assert_eq!(shopper.next_step(&[]).await.as_deref(), Some("identify"));
}

#[tokio::test]
async fn klarnas_button_signs_in_by_a_window_beside_the_page() {
    let mut shopper = Shopper::enter("mounts/sign-in-button", Screen::Wide, SWEDEN).await;
    let shop = shopper.kassa.ready().shop_url.clone();
    shopper.take_pictures().await;
    shopper.browser.goto(&format!("{shop}/account")).await;
    shopper
        .browser
        .wait("the button to sign in", async |client| {
            let drawn = "const inside = (node) => [...(node?.shadowRoot ?? node)?.querySelectorAll('*') ?? []]; \
                         const all = inside(document.querySelector('klarna-identity-button')); \
                         return all.some((node) => node.matches('button') || inside(node).some((one) => one.matches('button')));";
            Ok((client.execute(drawn, vec![]).await? == json!(true)).then_some(()))
        })
        .await;
    shopper.picture("account").await;
    // Closed, as somebody does who thinks better of it.
    shopper.browser.click("klarna-identity-button").await;
    shopper.browser.enter_popup().await;
    shopper.browser.see("#contact").await;
    shopper.browser.close_popup().await;
    shopper.browser.gone("klarna-identity-button[aria-busy=true]").await;
    shopper
        .browser
        .wait("the page to be uncovered", async |client| {
            let covered = "const { x, y, width, height } = document.querySelector('klarna-identity-button').getBoundingClientRect(); \
                           return document.elementFromPoint(x + width / 2, y + height / 2)?.closest('klarna-identity-button') !== null;";
            Ok((client.execute(covered, vec![]).await? == json!(true)).then_some(()))
        })
        .await;
    shopper.browser.click("klarna-identity-button").await;
    shopper.browser.enter_popup().await;
    shopper.sign_in_at_klarna().await;
    shopper.browser.popup_closes().await;
    shopper.browser.see("form[action='/account/sign-out']").await;
    shopper.browser.shows("#who", "Alice").await;
    shopper.picture("signed-in").await;
    // The way of a cart of one thing: known by Klarna, and to where.
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.browser.goto(&format!("{shop}/cart")).await;
    shopper.press_express().await;
    shopper.browser.enter_popup().await;
    assert_eq!(shopper.next_step(&[]).await.as_deref(), Some("address"));
    shopper.walk_to("approved").await;
    shopper.browser.popup_closes().await;
    shopper.is_confirmed().await;
    one_order(&shopper, 29_800).await;
}
