//! What does not go straight: denied, given up, mended, pressed twice, loaded again.

use crate::steps;
use crate::steps::shopping::{KLARNA, Shopper, TRANSFER};
use crate::steps::{BRITAIN, SWEDEN, books_agree};
use fantoccini::actions::{InputSource as _, MouseActions, PointerAction};
use testing::browser::Screen;
use testing::http::{As, Http};

/// Klarna says no: it cannot be chosen any more, the other way to pay is offered and works.
#[tokio::test]
async fn a_denied_shopper_pays_in_another_way() {
    let mut shopper = ready_to_buy("outcomes/denied", Screen::Wide, SWEDEN.denied()).await;
    shopper.take_pictures().await;
    shopper.press_buy().await;
    shopper.browser.enter_popup().await;
    shopper.walk_to("declined").await;
    shopper.browser.click("#done").await;
    shopper.browser.popup_closes().await;
    let browser = &shopper.browser;
    browser.see("#pay-message[data-kind=error]").await;
    browser.see(".choice-block.unavailable").await;
    assert!(!browser.find(KLARNA).await.is_enabled().await.unwrap(), "Klarna is greyed");
    assert!(browser.find(TRANSFER).await.is_selected().await.unwrap(), "the other is chosen");
    shopper.picture("denied").await;
    shopper.press_buy().await;
    shopper.browser.at("/confirmation?order=").await;
    shopper.browser.see("#order-number").await;
    shopper.picture("transfer-confirmation").await;
    assert_eq!(shopper.kassa.order_ids().len(), 0);
    assert!(shopper.kassa.payments(&Http::new()).await.is_empty());
}

/// The shopper closes Klarna's window: nothing is lost, Klarna stays, the next try succeeds.
#[tokio::test]
async fn a_shopper_who_gave_up_may_try_again() {
    let mut shopper = ready_to_buy("outcomes/aborted", Screen::Wide, BRITAIN).await;
    shopper.take_pictures().await;
    for step in ["identify", "code", "review"] {
        shopper.press_buy().await;
        shopper.browser.enter_popup().await;
        shopper.walk_to(step).await;
        shopper.browser.close_popup().await;
        // Locked until Klarna has said what the closed window means.
        shopper.browser.see("#checkout:not([aria-busy])").await;
        shopper.browser.see("#pay-message").await;
        let klarna = shopper.browser.find(KLARNA).await;
        assert!(klarna.is_enabled().await.unwrap(), "Klarna stays selectable after {step}");
        assert!(klarna.is_selected().await.unwrap());
        shopper.picture(&format!("aborted-at-{step}")).await;
    }
    assert_eq!(shopper.kassa.order_ids().len(), 0);
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
}

/// The way out that the flow itself offers: its close button, with a question before.
#[tokio::test]
async fn leaving_is_asked_about() {
    let mut shopper = ready_to_buy("outcomes/left", Screen::Phone, SWEDEN).await;
    shopper.take_pictures().await;
    shopper.press_buy().await;
    shopper.browser.enter_popup().await;
    shopper.walk_to("choose").await;
    shopper.browser.click("#close").await;
    shopper.browser.see("dialog[open]").await;
    shopper.picture("leave-dialog").await;
    shopper.browser.click("#stay").await;
    shopper.browser.gone("dialog").await;
    shopper.browser.click("#close").await;
    shopper.browser.click("#leave").await;
    shopper.browser.popup_closes().await;
    shopper.browser.see("#checkout:not([aria-busy])").await;
    shopper.browser.see("#pay-message").await;
    let klarna = shopper.browser.find(KLARNA).await;
    assert!(klarna.is_enabled().await.unwrap() && klarna.is_selected().await.unwrap());
}

/// A post code that the shop lets through and Klarna does not: the field is marked; mended, the
/// purchase succeeds.
#[tokio::test]
async fn a_wrong_post_code_is_marked_and_mended() {
    let mut shopper = ready_to_buy("outcomes/mended", Screen::Phone, SWEDEN).await;
    shopper.take_pictures().await;
    // As in a shop that does not check post codes itself.
    let lax = "document.querySelector('#postal_code').removeAttribute('pattern')";
    shopper.browser.script(lax, vec![]).await;
    shopper.browser.fill("#postal_code", "123").await;
    shopper.press_buy().await;
    let browser = &shopper.browser;
    browser.see("#postal_code[aria-invalid=true]").await;
    browser.popup_closes().await;
    browser.see("#checkout:not([aria-busy])").await;
    assert!(!browser.text("#postal_code-error").await.is_empty());
    browser.see("#pay-message[data-kind=error]").await;
    let focused = browser.script("return document.activeElement.id", vec![]).await;
    assert_eq!(focused, "postal_code", "the cursor is where the mistake is");
    assert!(browser.find(KLARNA).await.is_enabled().await.unwrap());
    shopper.picture("marked").await;
    shopper.browser.fill("#postal_code", SWEDEN.postal_code).await;
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
}

/// The button is pressed twice, quickly: one window, one order.
#[tokio::test]
async fn a_double_click_buys_once() {
    let mut shopper = ready_to_buy("outcomes/double-click", Screen::Wide, SWEDEN).await;
    let client = shopper.browser.client().clone();
    let button = shopper.browser.see("#buy").await;
    // The widget grows while it loads and pushes the button down: a pointer needs a page at rest.
    let at_rest = "const height = document.documentElement.scrollHeight;
        const widget = document.querySelector('iframe[id$=\"-main\"]');
        const still = window.seenHeight === height && widget && widget.clientHeight > 100;
        window.seenStill = still ? (window.seenStill || 0) + 1 : 0;
        window.seenHeight = height;
        arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' });
        return window.seenStill >= 5;";
    testing::eventually("the page to be at rest", async || {
        let button = serde_json::to_value(&button).unwrap();
        match client.execute(at_rest, vec![button]).await {
            Ok(still) if still == true => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let press = || PointerAction::Down { button: fantoccini::actions::MOUSE_BUTTON_LEFT };
    let release = || PointerAction::Up { button: fantoccini::actions::MOUSE_BUTTON_LEFT };
    let twice = MouseActions::new("mouse".to_owned())
        .then(PointerAction::MoveToElement { element: button, duration: None, x: 0.0, y: 0.0 })
        .then(press())
        .then(release())
        .then(press())
        .then(release());
    client.perform_actions(twice).await.unwrap();
    shopper.browser.enter_popup().await;
    assert_eq!(client.windows().await.unwrap().len(), 2, "one window");
    shopper.walk_to("approved").await;
    shopper.browser.popup_closes().await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
}

/// Reloading the checkout, going back to it after the purchase, reloading the confirmation: no
/// second checkout, no second order, an empty cart.
#[tokio::test]
async fn reload_and_back_are_harmless() {
    let mut shopper = ready_to_buy("outcomes/reload", Screen::Wide, SWEDEN).await;
    let checkout = shopper.browser.attribute("#checkout", "data-checkout").await;
    shopper.browser.client().refresh().await.unwrap();
    shopper.widget_is_there().await;
    assert_eq!(shopper.browser.attribute("#checkout", "data-checkout").await, checkout);
    // What was typed is still there.
    assert_eq!(shopper.browser.value("#city").await, SWEDEN.city);
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    let number = shopper.browser.text("#order-number").await;
    shopper.browser.client().refresh().await.unwrap();
    assert_eq!(shopper.browser.text("#order-number").await, number);
    let url = shopper.browser.url().await;
    shopper.browser.client().back().await.unwrap();
    // There is nothing left to check out: the way leads to the cart, which is empty, or on to the
    // confirmation.
    shopper
        .browser
        .wait("to be led away from the checkout", async |client| {
            let at = client.current_url().await?;
            Ok((at.path() != "/checkout").then_some(()))
        })
        .await;
    shopper.browser.goto(&format!("{}/cart", shopper.kassa.ready().shop_url)).await;
    assert!(!shopper.browser.sees(".cart-lines").await, "the cart is empty");
    shopper.browser.goto(&url).await;
    assert_eq!(shopper.browser.text("#order-number").await, number);
    one_order(&shopper).await;
}

/// Klarna forgets the session while the shopper types (here: the playground is reset). Loading the
/// page again finds the widget dead, has the session renewed, and the purchase goes through.
#[tokio::test]
async fn a_session_that_klarna_lost_is_renewed() {
    let mut shopper = ready_to_buy("outcomes/renewed", Screen::Phone, SWEDEN).await;
    let token = shopper.browser.attribute("#checkout", "data-token").await;
    let reset = format!("{}/playground/v1/reset", shopper.kassa.ready().playground_url);
    Http::new().post(&reset, As::Anyone, &serde_json::json!({})).await;
    shopper.browser.client().refresh().await.unwrap();
    shopper
        .browser
        .wait("another session", async |client| {
            let form = client.find(fantoccini::Locator::Css("#checkout")).await?;
            let now = form.attr("data-token").await?;
            Ok((now.is_some() && now != token).then_some(()))
        })
        .await;
    shopper.widget_is_there().await;
    assert_eq!(shopper.browser.value("#city").await, SWEDEN.city, "what was typed is kept");
    shopper.buy_with_klarna().await;
    shopper.is_confirmed().await;
    one_order(&shopper).await;
}

/// A cart, at the checkout, with the address filled in.
async fn ready_to_buy(test: &str, screen: Screen, market: steps::Market) -> Shopper {
    let mut shopper = Shopper::enter(test, screen, market).await;
    shopper.put_in_cart("mist-mug", 1).await;
    shopper.go_to_checkout().await;
    shopper.fill_in().await;
    shopper
}

/// Exactly one order, in both books.
async fn one_order(shopper: &Shopper) {
    let http = Http::new();
    let payments = shopper.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    let order_ids = shopper.kassa.order_ids();
    assert_eq!(order_ids, [payments[0]["klarna_order_id"].as_str().unwrap()]);
    books_agree(&shopper.kassa, &http, payments[0]["id"].as_str().unwrap()).await;
}
