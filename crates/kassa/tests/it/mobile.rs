//! The shop as an app: Klarna's wrapper for React Native, driven as it is published, over the gateway's checkouts of the
//! channel `native`. Every callback and every error of the wrapper reaches the app as on a device of either kind.
//!
//! `cargo xtask test` installs the wrapper and names the folder by `KASSA_TEST_FOREIGN`; without it nothing of this runs,
//! and says so.

mod phone;
mod sign_in;
mod snippets;

use phone::Phone;
use serde_json::{Value, json};
use testing::http::{As, Http};
use testing::kassa::Kassa;

use crate::steps::{KASSA, SWEDEN, books_agree};

const RETURN: &str = "shopapp://klarna";
const DENIED: &str = "customer+denied@email.se";

/// What the app's backend does: a checkout for the app.
async fn checkout(kassa: &Kassa, http: &Http, more: Value) -> Value {
    let mut body = json!({
        "merchant_reference": "APP-1", "country": "SE", "locale": "sv-SE", "prices": "including_tax",
        "channel": "native", "app_return_url": RETURN,
        "lines": [{ "reference": "mug", "name": "Mugg", "quantity": 2, "unit_price": 50_000, "tax_rate": 2500 }],
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    http.post(&format!("{}/v1/checkouts", kassa.ready().gateway_url), kassa.key(), &body).await
}

async fn confirm(kassa: &Kassa, http: &Http, checkout: &Value, body: Value) -> Value {
    let id = checkout["id"].as_str().unwrap();
    let url = format!("{}/v1/checkouts/{id}/confirm", kassa.ready().gateway_url);
    http.post(&url, kassa.key(), &body).await
}

/// What the app sends along when the shopper buys.
fn shopper() -> Value {
    json!(json!({ "billing_address": SWEDEN.address() }).to_string())
}

impl Phone {
    /// The app shows the view and begins it with the checkout's token.
    async fn begin(&mut self, kind: &str, checkout: &Value) {
        let properties = json!({ "category": "klarna", "returnUrl": RETURN });
        self.mount(kind, properties).await;
        self.calls("initialize", json!([checkout["klarna"]["client_token"], RETURN]));
        let told = self.hears("onInitialized").await;
        assert_eq!(told, if kind == "old" { json!([{}]) } else { json!([]) });
    }

    /// And shows it to the shopper.
    async fn load(&mut self, kind: &str, checkout: &Value) {
        self.begin(kind, checkout).await;
        self.calls("load", json!([]));
        self.hears("onLoaded").await;
        self.is_tall().await;
    }

    /// The shopper says who they are.
    async fn identify(&mut self, email: &str) {
        self.enter_flow("klarna").await;
        self.browser.fill("#email_or_phone", email).await;
        self.browser.click("#onContinue").await;
        self.browser.fill("#otp_field", "123456").await;
    }

    /// The shopper approves.
    async fn approve(&mut self, offer: &str) {
        self.identify(SWEDEN.email).await;
        self.browser.click(&format!("[data-testid=\"offer-{offer}\"]")).await;
        self.browser.click("[data-testid=\"kaf-button\"]").await;
        self.browser.click("[data-testid=\"confirm-and-pay\"]").await;
        self.leave_flow().await;
    }

    /// The next error is this one.
    async fn fails_with(&mut self, action: Value, name: &str, call: &str, fatal: bool) -> Value {
        let error = self.fails().await;
        assert_eq!(error["action"], action, "{error}");
        assert_eq!((&error["name"], &error["isFatal"]), (&json!(name), &json!(fatal)), "{error}");
        if !call.is_empty() {
            let message = format!("Error performing Klarna.Payments.{call}().");
            assert_eq!(error["message"], json!(message), "{error}");
        }
        error
    }
}

#[tokio::test]
async fn an_app_for_ios_takes_a_payment() {
    an_app_takes_a_payment("ios").await;
}

#[tokio::test]
async fn an_app_for_android_takes_a_payment() {
    an_app_takes_a_payment("android").await;
}

async fn an_app_takes_a_payment(platform: &str) {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("payment", platform, &kassa).await else { return };
    let opened = checkout(&kassa, &http, json!({})).await;
    phone.load("payment", &opened).await;
    phone.browser.picture("1-view").await;
    phone.calls("authorize", json!([true, shopper()]));
    assert_eq!(phone.asks("authorize").await, json!([true, shopper()]));
    phone.approve("pay_later").await;
    let told = phone.hears("onAuthorized").await;
    assert_eq!((&told[0], &told[2]), (&json!(true), &json!(false)), "{told}");
    let done = confirm(&kassa, &http, &opened, json!({ "authorization_token": told[1] })).await;
    assert_eq!(done["status"], "completed", "{done}");
    let (payment, order) = books_agree(&kassa, &http, done["payment_id"].as_str().unwrap()).await;
    assert_eq!(
        (&payment["status"], &order["order_amount"]),
        (&json!("authorized"), &json!(100_000))
    );

    // The cart has changed while the view was shown: the session first, then the shopper is asked by its data.
    let opened = checkout(&kassa, &http, json!({ "merchant_reference": "APP-2" })).await;
    phone.load("payment", &opened).await;
    let id = opened["id"].as_str().unwrap();
    let url = format!("{}/v1/checkouts/{id}", kassa.ready().gateway_url);
    let lines = json!([{ "reference": "mug", "name": "Mugg", "quantity": 3, "unit_price": 50_000, "tax_rate": 2500 }]);
    let changed = http.post(&url, kassa.key(), &json!({ "lines": lines })).await;
    assert_eq!(changed["order_amount"], 150_000);
    phone.calls("reauthorize", json!([shopper()]));
    phone.approve("pay_later").await;
    let told = phone.hears("onReauthorized").await;
    assert_eq!((&told[0], told.as_array().unwrap().len()), (&json!(true), 2), "{told}");
    let done = confirm(&kassa, &http, &opened, json!({ "authorization_token": told[1] })).await;
    assert_eq!((&done["status"], &done["order_amount"]), (&json!("completed"), &json!(150_000)));
}

/// In several steps; and what stands in the way of that: the wrapper's `authorize(false)` asks for `true`.
#[tokio::test]
async fn an_app_takes_a_payment_in_several_steps() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("steps", "android", &kassa).await else { return };
    let opened = checkout(&kassa, &http, json!({ "finalize": "later" })).await;
    phone.load("payment", &opened).await;
    phone.calls("authorize", json!([false, shopper()]));
    assert_eq!(phone.asks("authorize").await, json!([true, shopper()]));
    phone.enter_flow("klarna").await;
    phone.browser.click("#close").await;
    phone.leave_flow().await;
    assert_eq!(phone.hears("onAuthorized").await, json!([false, null, false]));

    // By the command that the component would have sent it can be said.
    phone.has(&json!({ "deed": "command", "method": "authorize", "given": [false, shopper()] }));
    phone.approve("bank").await;
    assert_eq!(phone.hears("onAuthorized").await, json!([true, null, true]));
    let awaited = confirm(&kassa, &http, &opened, json!({ "finalize_required": true })).await;
    assert_eq!((&awaited["status"], &awaited["finalize"]), (&json!("open"), &json!("awaited")));
    phone.calls("finalize", json!([]));
    phone.enter_flow("klarna").await;
    phone.browser.see("#bank").await;
    phone.browser.picture("bank").await;
    phone.browser.click("[data-testid=\"kaf-button\"]").await;
    phone.leave_flow().await;
    let told = phone.hears("onFinalized").await;
    assert_eq!((&told[0], told.as_array().unwrap().len()), (&json!(true), 2), "{told}");
    let done = confirm(&kassa, &http, &opened, json!({ "authorization_token": told[1] })).await;
    assert_eq!(done["status"], "completed", "{done}");
    phone.has(&json!({ "deed": "unmount" }));
    assert_eq!(phone.hears("unmounted").await, json!([null]));
}

#[tokio::test]
async fn every_error_reaches_an_app_for_android() {
    every_error_reaches_an_app("android").await;
}

#[tokio::test]
async fn every_error_reaches_an_app_for_ios() {
    every_error_reaches_an_app("ios").await;
}

async fn every_error_reaches_an_app(platform: &str) {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("errors", platform, &kassa).await else { return };
    let opened = checkout(&kassa, &http, json!({})).await;
    before_loading(&mut phone, &opened).await;
    without_a_return_url(&mut phone, platform, &opened).await;
    while_loading(&mut phone, platform, &opened).await;
    while_authorizing(&mut phone, &opened).await;
    let opened = checkout(&kassa, &http, json!({ "merchant_reference": "APP-2" })).await;
    while_asked_again(&mut phone, &opened).await;
    as_old_apps_hear_it(&mut phone, platform, &opened).await;
    // Two days later nothing can be paid with that token.
    let clock = format!("{}/playground/v1/clock", kassa.ready().playground_url);
    http.post(&clock, As::Anyone, &json!({ "advance": "PT49H" })).await;
    phone.begin("payment", &opened).await;
    phone.calls("load", json!([]));
    phone.fails_with(json!("Load"), "ShowFormFalseError", "load", true).await;
    let fresh = http
        .get(
            &format!(
                "{}/v1/checkouts/{}",
                kassa.ready().gateway_url,
                opened["id"].as_str().unwrap()
            ),
            kassa.key(),
        )
        .await;
    phone.load("payment", &fresh).await;
    not_available(&mut phone, platform).await;
}

async fn before_loading(phone: &mut Phone, opened: &Value) {
    let properties = json!({ "category": "klarna", "returnUrl": RETURN });
    phone.mount("payment", properties.clone()).await;
    phone.calls("load", json!([]));
    phone.fails_with(json!("Load"), "ApplicationNotInitializedError", "load", false).await;
    phone.calls("reauthorize", json!([]));
    let name = "ApplicationNotInitializedError";
    phone.fails_with(json!("Reauthorize"), name, "reauthorize", false).await;
    phone.calls("initialize", json!(["no.token"]));
    phone.fails_with(json!("Initialize"), "InvalidClientTokenError", "init", false).await;
    // A good one makes it good.
    phone.calls("initialize", json!([opened["klarna"]["client_token"]]));
    phone.hears("onInitialized").await;
    for (method, action) in [("authorize", "Authorize"), ("finalize", "Finalize")] {
        phone.calls(method, json!([]));
        phone.fails_with(json!(action), "ApplicationNotLoadedError", method, false).await;
    }
}

/// Seen of the SDK for Android; the one for iOS begins without.
async fn without_a_return_url(phone: &mut Phone, platform: &str, opened: &Value) {
    phone.mount("payment", json!({ "category": "klarna" })).await;
    if platform == "android" {
        phone.fails_with(json!(null), "InvalidReturnUrlError", "", false).await;
    }
    phone.calls("initialize", json!([opened["klarna"]["client_token"]]));
    assert_eq!(phone.asks("initialize").await[1], "");
    phone.hears("onInitialized").await;
}

async fn while_loading(phone: &mut Phone, platform: &str, opened: &Value) {
    phone.begin("payment", opened).await;
    phone.calls("load", json!(["{"]));
    phone.fails_with(json!("Load"), "InvalidSessionDataError", "load", false).await;
    let data = json!({ "billing_address": { "email": "nobody", "country": "SE" } }).to_string();
    phone.calls("load", json!([data]));
    let error = phone.fails_with(json!("Load"), "InvalidFieldsError", "load", false).await;
    // The wrapper for iOS passes on less.
    if platform == "android" {
        assert_eq!(error["invalidFields"], json!(["billing_address.email"]));
        assert_eq!(error["sessionId"].as_str().unwrap().len(), 36);
    } else {
        assert_eq!(error.as_object().unwrap().len(), 4, "{error}");
    }
    phone.calls("load", json!([shopper()]));
    phone.hears("onLoaded").await;
    phone.calls("loadPaymentReview", json!([]));
    let (action, name) = (json!("LoadPaymentReview"), "OperationNotSupportedError");
    phone.fails_with(action, name, "loadPaymentReview", false).await;
    // A category that the session has not; what the app changes afterwards does not reach the view for iOS.
    phone.has(&json!({ "deed": "set", "properties": { "category": "pay_later" } }));
    phone.asks("update").await;
    phone.calls("load", json!([]));
    if platform == "android" {
        phone.fails_with(json!("Load"), "ShowFormFalseError", "load", true).await;
    } else {
        phone.hears("onLoaded").await;
    }
    phone.mount("payment", json!({ "category": "pay_someday", "returnUrl": RETURN })).await;
    phone.calls("initialize", json!([opened["klarna"]["client_token"]]));
    phone.hears("onInitialized").await;
    phone.calls("load", json!([]));
    phone.fails_with(json!("Load"), "ShowFormFalseError", "load", true).await;
}

async fn while_authorizing(phone: &mut Phone, opened: &Value) {
    phone.load("payment", opened).await;
    // Closed, and with data that cannot be right, it is the same to an app.
    phone.calls("authorize", json!([true, shopper()]));
    phone.identify(SWEDEN.email).await;
    phone.browser.see("[data-testid=\"offer-pay_later\"]").await;
    phone.browser.click("#close").await;
    phone.browser.click("#leave").await;
    phone.leave_flow().await;
    assert_eq!(phone.hears("onAuthorized").await, json!([false, null, false]));
    let data = json!({ "billing_address": { "email": "nobody", "country": "SE" } }).to_string();
    phone.calls("authorize", json!([true, data]));
    assert_eq!(phone.hears("onAuthorized").await, json!([false, null, false]));
    phone.calls("authorize", json!([true, "[]"]));
    phone.fails_with(json!("Authorize"), "InvalidSessionDataError", "authorize", false).await;
    // Declined. (What was sent before stays in the session, so it is put right.)
    phone.calls("authorize", json!([true, shopper()]));
    phone.identify(DENIED).await;
    phone.browser.click("#done").await;
    phone.leave_flow().await;
    phone.fails_with(json!("Authorize"), "ShowFormFalseError", "authorize", true).await;
    // Approved, then broken off at the bank.
    phone.load("payment", opened).await;
    phone.has(&json!({ "deed": "command", "method": "authorize", "given": [false, shopper()] }));
    phone.approve("bank").await;
    assert_eq!(phone.hears("onAuthorized").await, json!([true, null, true]));
    phone.calls("finalize", json!([]));
    phone.enter_flow("klarna").await;
    phone.browser.fill("#answer", "FAIL").await;
    phone.browser.click("[data-testid=\"kaf-button\"]").await;
    phone.leave_flow().await;
    phone.fails_with(json!("Finalize"), "ShowFormFalseError", "finalize", true).await;
}

/// Nothing was approved before, so everything is asked, and it can be left.
async fn while_asked_again(phone: &mut Phone, opened: &Value) {
    phone.begin("payment", opened).await;
    phone.calls("reauthorize", json!([]));
    phone.enter_flow("klarna").await;
    phone.browser.click("#close").await;
    phone.leave_flow().await;
    assert_eq!(phone.hears("onReauthorized").await, json!([false, null]));
}

/// A handler with one parameter gets the native event; whether there is a token is told in each platform's own way.
async fn as_old_apps_hear_it(phone: &mut Phone, platform: &str, opened: &Value) {
    phone.load("old", opened).await;
    phone.calls("authorize", json!([]));
    phone.enter_flow("klarna").await;
    phone.browser.click("#close").await;
    phone.leave_flow().await;
    let none = if platform == "ios" { json!("") } else { json!(null) };
    let told = json!([{ "approved": false, "authToken": none, "finalizeRequired": false }]);
    assert_eq!(phone.hears("onAuthorized").await, told);
    phone.calls("initialize", json!([""]));
    assert_eq!(phone.fails().await["error"]["name"], "InvalidClientTokenError");
}

/// A device on which Klarna's library does not run.
async fn not_available(phone: &mut Phone, platform: &str) {
    phone.browser.script("delete window.Klarna", vec![]).await;
    phone.calls("authorize", json!([]));
    let no_action = if platform == "ios" { json!("") } else { json!(null) };
    phone.fails_with(no_action, "SDK_NOT_AVAILABLE", "", true).await;
}

/// In the United States an app can show what was agreed once more.
#[tokio::test]
async fn an_american_app_shows_the_review() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("review", "ios", &kassa).await else { return };
    let market = json!({ "country": "US", "locale": "en-US", "prices": "excluding_tax" });
    let opened = checkout(&kassa, &http, market).await;
    phone.load("payment", &opened).await;
    phone.calls("loadPaymentReview", json!([]));
    assert_eq!(phone.hears("onLoadedPaymentReview").await, json!([]));
    phone.browser.picture("review").await;
}
