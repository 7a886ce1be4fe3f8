//! Signing in, the express button and messages about paying, in an app.

use serde_json::{Value, json};
use testing::http::{As, Http};
use testing::kassa::Kassa;

use super::phone::{App, Phone};
use super::{RETURN, checkout, confirm};
use crate::steps::{KASSA, SWEDEN};

const SIGN_IN: &str = "shopapp://signin";
const SCOPE: &str = "openid offline_access profile:email payment:request:create";

/// The client identifier of the shop's app.
async fn client_id(kassa: &Kassa, http: &Http) -> Value {
    let ready = kassa.ready();
    let path = format!("playground/v1/merchants/{}/client-identifiers", ready.merchant_id);
    let body = json!({ "allowed_origins": ["https://shop.example"], "redirect_uris": [SIGN_IN] });
    let made = http.post(&format!("{}/{path}", ready.playground_url), As::Anyone, &body).await;
    made["client_id"].clone()
}

fn sign_in(app: &mut App, back: &str, given: Value) -> Value {
    let properties = json!({ "environment": "playground", "region": "eu", "returnUrl": back });
    let mut deed = json!({ "deed": "signIn", "properties": properties });
    deed["given"] = given;
    app.has(&deed);
    app.says()
}

#[tokio::test]
async fn a_shopper_signs_in_from_an_app() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let settings = [("SHOPPER", SWEDEN.email)];
    let Some(mut app) = App::alone(&kassa, "android", &settings) else { return };
    let client = client_id(&kassa, &http).await;
    let told = sign_in(&mut app, SIGN_IN, json!([client, SCOPE, "SE", "sv-SE"]));
    assert_eq!(told["heard"], "signedIn", "{told}");
    let event = &told["arguments"][0];
    assert_eq!(event["action"], "KlarnaSignInToken");
    let token = &event["params"]["KlarnaSignInToken"];
    for name in ["access_token", "id_token", "refresh_token", "expires_in", "scope", "token_type"] {
        assert!(!token[name].is_null(), "{name}: {token}");
    }
    let playground = &kassa.ready().playground_url;
    let description =
        http.get(&format!("{playground}/.well-known/openid-configuration"), As::Anyone).await;
    let userinfo = description["userinfo_endpoint"].as_str().unwrap();
    let bearer = As::Bearer(token["access_token"].as_str().unwrap());
    assert_eq!(http.get(userinfo, bearer).await["email"], SWEDEN.email);
}

#[tokio::test]
async fn every_error_of_signing_in_reaches_an_app() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    for platform in ["android", "ios"] {
        let settings = [("SHOPPER", SWEDEN.email)];
        let Some(mut app) = App::alone(&kassa, platform, &settings) else { return };
        let client = client_id(&kassa, &http).await;
        let recurring = "openid payment:customer_not_present";
        for (back, given, name) in [
            ("", json!([client, SCOPE, "SE", "sv-SE"]), "KlarnaSignInMissingReturnUrl"),
            ("signin", json!([client, SCOPE, "SE", "sv-SE"]), "KlarnaSignInInvalidReturnURL"),
            (SIGN_IN, json!(["", SCOPE, "SE", "sv-SE"]), "KlarnaSignInInvalidClientID"),
            (SIGN_IN, json!([client, SCOPE, "Sweden", "sv-SE"]), "KlarnaSignInInvalidMarket"),
            (SIGN_IN, json!([client, "profile:name", "SE", "sv-SE"]), "KlarnaSignInInvalidScope"),
            (
                SIGN_IN,
                json!([client, recurring, "SE", "sv-SE"]),
                "KlarnaSignInMissingTokenizationId",
            ),
            (
                SIGN_IN,
                json!(["klarna_no", SCOPE, "SE", "sv-SE"]),
                "KlarnaSignInAuthorizationFailed",
            ),
            (
                "other://signin",
                json!([client, SCOPE, "SE", "sv-SE"]),
                "KlarnaSignInAuthorizationFailed",
            ),
        ] {
            let told = sign_in(&mut app, back, given);
            assert_eq!(told["heard"], "signInFailed", "{told}");
            assert_eq!(told["arguments"][0]["name"], name, "{told}");
        }
        let Some(mut app) = App::alone(&kassa, platform, &[("SHOPPER_LEAVES", "1")]) else {
            return;
        };
        let told = sign_in(&mut app, SIGN_IN, json!([client, SCOPE, "SE", "sv-SE"]));
        assert_eq!(told["arguments"][0]["action"], "KlarnaSignInUserCancelled", "{told}");
    }
}

impl Phone {
    /// The app shows the express button.
    async fn offer(&mut self, options: Value, more: Value) {
        let mut properties = json!({
            "sessionOptions": options, "locale": "sv-SE", "environment": "playground", "region": "eu",
            "returnUrl": RETURN,
        });
        for (name, value) in more.as_object().unwrap() {
            properties[name] = value.clone();
        }
        self.mount("express", properties).await;
    }

    /// The shopper presses it.
    async fn express(&mut self) {
        let script = "document.querySelector('#view > div > div').shadowRoot.querySelector('button').click()";
        self.browser.script(script, vec![]).await;
    }
}

#[tokio::test]
async fn the_express_button_in_an_app() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("express", "android", &kassa).await else { return };
    // With a session of the server's, which is the gateway's checkout.
    let opened = checkout(&kassa, &http, json!({})).await;
    let token = json!({ "clientToken": opened["klarna"]["client_token"] });
    phone.offer(token.clone(), json!({ "theme": "light", "shape": "pill" })).await;
    phone.is_tall().await;
    phone.browser.picture("1-button").await;
    phone.express().await;
    phone.enter_flow("express").await;
    phone.browser.click("#close").await;
    phone.leave_flow().await;
    let told = phone.hears("onAuthorized").await[0].clone();
    assert_eq!((&told["approved"], &told["showForm"]), (&json!(false), &json!(true)), "{told}");
    assert_eq!(told["authorizationToken"], "");
    phone.express().await;
    phone.enter_flow("express").await;
    phone.browser.fill("#email_or_phone", SWEDEN.email).await;
    phone.browser.click("#onContinue").await;
    phone.browser.fill("#otp_field", "123456").await;
    phone.browser.click("[data-testid=\"kaf-button\"]").await;
    phone.browser.click("[data-testid=\"confirm-and-pay\"]").await;
    phone.leave_flow().await;
    let told = phone.hears("onAuthorized").await[0].clone();
    assert_eq!((&told["approved"], &told["finalizedRequired"]), (&json!(true), &json!(false)));
    let body = json!({ "authorization_token": told["authorizationToken"] });
    assert_eq!(confirm(&kassa, &http, &opened, body).await["status"], "completed");

    // With one that the button makes; and what is wrong with it.
    let client = client_id(&kassa, &http).await;
    phone.offer(json!({ "clientId": client }), json!({ "sessionData": "{" })).await;
    phone.is_tall().await;
    phone.express().await;
    assert_eq!(phone.fails().await["name"], "AuthorizationFailed");
    for (options, more, name) in [
        (json!({ "clientId": "klarna_no" }), json!({}), "InvalidClientID"),
        (json!({ "clientToken": "no.token" }), json!({}), "InvalidClientToken"),
        (token, json!({ "returnUrl": "" }), "InvalidReturnURL"),
    ] {
        phone.offer(options, more).await;
        assert_eq!(phone.fails().await["name"], name);
    }
}

#[tokio::test]
async fn messages_about_paying_in_an_app() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("messaging", "ios", &kassa).await else { return };
    let properties = |client: &Value| {
        json!({
            "clientId": client, "placementKey": "credit-promotion-badge", "locale": "sv-SE",
            "purchaseAmount": "100000", "environment": "playground", "region": "eu", "returnUrl": RETURN,
        })
    };
    let client = client_id(&kassa, &http).await;
    phone.mount("messaging", properties(&client)).await;
    phone.asks("render").await;
    phone.is_tall().await;
    let shown = "return document.querySelector('klarna-placement')?.shadowRoot?.querySelector('.filled')?.textContent || ''";
    phone
        .browser
        .wait("the message", async |client| {
            let text = client.execute(shown, vec![]).await?;
            Ok(text.as_str().is_some_and(|text| text.contains("kr")).then_some(()))
        })
        .await;
    phone.browser.picture("message").await;
    // Another amount is another message.
    phone.has(&json!({ "deed": "set", "properties": { "purchaseAmount": "200000" } }));
    phone.asks("update").await;
    phone.asks("render").await;
    phone.mount("messaging", properties(&json!("klarna_no"))).await;
    assert_eq!(phone.fails().await["name"], "InvalidClientID");
    assert_eq!(phone.height, 0, "there is no room for what is not shown");
}
