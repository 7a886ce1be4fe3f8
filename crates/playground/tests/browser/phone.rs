//! The same on a phone, in the overlay, in English, German and Swedish: nothing may be wider than
//! the screen, and every target must be large enough for a thumb.

use serde_json::{Value, json};

use crate::stage::Stage;

pub(crate) async fn cases(stage: &Stage) {
    for (country, currency, locale, email, offer) in [
        ("GB", "GBP", "en-GB", "customer@email.uk", "financing_12"),
        ("DE", "EUR", "de-DE", "customer@email.de", "instalments_3"),
        ("US", "USD", "en-US", "customer@email.us", "instalments_4"),
        ("SE", "SEK", "sv-SE", "customer@email.se", "pay_later"),
    ] {
        let session = json!({
            "purchase_country": country, "purchase_currency": currency, "locale": locale,
            "order_amount": 129_999, "order_tax_amount": 0,
            "order_lines": [
                { "name": "A very long product name that does not want to end, in a colour of your choice", "quantity": 1, "unit_price": 139_999, "total_amount": 139_999 },
                { "type": "discount", "name": "Voucher", "quantity": 1, "unit_price": -10_000, "total_amount": -10_000 },
            ],
            "shipping_address": { "given_name": "Alex", "family_name": "Tester", "street_address": "1 Some Street", "postal_code": "", "city": "Town", "country": country },
        });
        purchase(stage, session, email, offer).await;
    }
}

async fn purchase(stage: &Stage, mut session: Value, email: &str, offer: &str) {
    let country = session["purchase_country"].as_str().unwrap().to_owned();
    session["shipping_address"].as_object_mut().unwrap().remove("postal_code");
    stage.open(session).await;
    stage.load().await;
    look(stage, &country, "widget").await;
    stage.run("window.open = () => null", vec![]).await;
    stage.on_buy("Klarna.Payments.authorize({}, tell('authorize'))").await;
    stage.browser.click("#buy").await;
    stage.enter_overlay("payments").await;
    stage.browser.see("#email_or_phone").await;
    look(stage, &country, "1-identify").await;
    stage.browser.fill("#email_or_phone", email).await;
    stage.browser.click("#onContinue").await;
    stage.browser.see("#otp_field").await;
    look(stage, &country, "2-code").await;
    stage.browser.fill("#otp_field", "123456").await;
    stage.browser.click(&format!("[data-testid=\"offer-{offer}\"]")).await;
    look(stage, &country, "3-choose").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("[data-testid=\"confirm-and-pay\"]").await;
    look(stage, &country, "4-review").await;
    stage.confirm().await;
    stage.leave_overlay("payments").await;
    assert_eq!(stage.told("authorize").await["approved"], true);
}

/// Takes a picture, and checks what a picture does not say.
async fn look(stage: &Stage, country: &str, name: &str) {
    assert!(!stage.browser.overflows().await, "{country} {name} is wider than the screen");
    let small = stage
        .run(
            "return Array.from(document.querySelectorAll('main button, main summary, main select, main input:not([type=radio])'))
                .filter((element) => element.offsetParent !== null && element.getBoundingClientRect().height < 43.5)
                .map((element) => element.outerHTML)",
            vec![],
        )
        .await;
    assert_eq!(small, json!([]), "{country} {name}: targets that are too small");
    let nameless = stage
        .run(
            "return Array.from(document.querySelectorAll('input, select, button'))
                .filter((element) => !(element.labels && element.labels.length) && !element.getAttribute('aria-label') && !element.textContent.trim())
                .map((element) => element.outerHTML)",
            vec![],
        )
        .await;
    assert_eq!(nameless, json!([]), "{country} {name}: controls without a name");
    stage.browser.leave_frames().await;
    stage.browser.picture(&format!("{country}-{name}")).await;
    if name != "widget" {
        stage.enter_overlay("payments").await;
    }
}
