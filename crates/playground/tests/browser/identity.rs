//! Sign in with Klarna in a browser: the button in a shop's page on another origin, the provider in a popup or in
//! the same tab, and what the page is told.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use testing::browser::{Browser, Screen};

use crate::common::World;

/// A page that keeps whatever it is told. It is the page that the shopper is sent back to, too.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title></head>
<body><main><h1>Your account</h1>
<div id="here"></div>
<button id="own" type="button">My own button</button>
<klarna-identity-button id="element" data-scope="openid profile:email" data-redirect-uri="HOME" data-locale="sv-SE" data-theme="light" data-shape="pill"></klarna-identity-button>
</main>
<script>
  window.told = { signin: [], error: [], ready: [], click: [] };
  window.failure = null;
  window.began = new Promise(function (resolve) {
    window.KlarnaSDKCallback = function (klarna) { resolve(klarna); };
  });
  function listen(klarna) {
    window.klarna = klarna;
    klarna.Identity.on('signin', function (data) { told.signin.push(data); });
    klarna.Identity.on('error', function (error) { told.error.push({ error: error.error, name: error.name }); });
  }
</script>
<script src="PLAYGROUND/web-sdk/VERSION/klarna.js" data-client-id="CLIENT" data-locale="en-GB"></script>
<script>
  began.then(listen).then(function () {
    window.button = klarna.Identity.button({ id: 'one', scope: 'openid profile:name profile:email', redirectUri: 'HOME' });
    button.on('ready', function () { told.ready.push(1); });
    button.on('click', function () { told.click.push(1); });
    button.mount('#here');
    window.settled = true;
  }).catch(function (error) { window.failure = String(error); });
</script>
</body></html>"#;

pub(crate) struct Shop {
    world: World,
    browser: Browser,
    origin: String,
}

#[derive(Clone)]
struct Served {
    playground: String,
    client_id: String,
    origin: String,
}

async fn page(State(served): State<Served>, Path(version): Path<String>) -> Html<String> {
    let home = format!("{}/{version}", served.origin);
    Html(
        PAGE.replace("PLAYGROUND", &served.playground)
            .replace("CLIENT", &served.client_id)
            .replace("HOME", &home)
            .replace("VERSION", &version),
    )
}

impl Shop {
    pub(crate) async fn start(test: &str, screen: Screen) -> Self {
        let world = World::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let body = json!({
            "allowed_origins": [origin], "redirect_uris": [format!("{origin}/v1"), format!("{origin}/v2")],
        });
        let made = world.control("/merchants/K123456/client-identifiers", &body).await;
        let served = Served {
            playground: world.public_url(),
            client_id: made["client_id"].as_str().unwrap().to_owned(),
            origin: origin.clone(),
        };
        let app = Router::new().route("/{version}", get(page)).with_state(served);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let browser = Browser::start(test, screen).await;
        Self { world, browser, origin }
    }

    pub(crate) async fn stop(self) {
        drop(self.browser);
        self.world.stop().await;
    }

    async fn run(&self, script: &str) -> Value {
        self.browser.script(script, vec![]).await
    }

    async fn open(&self, page: &str) {
        self.browser.leave_popup().await;
        self.browser.goto(&format!("{}/{page}", self.origin)).await;
        self.settled().await;
    }

    async fn settled(&self) {
        self.until(
            "the page to be ready",
            "return window.settled === true && told.ready.length > 0",
        )
        .await;
    }

    async fn until(&self, what: &str, script: &str) {
        self.browser
            .wait(what, async |client| {
                Ok((client.execute(script, vec![]).await? == json!(true)).then_some(()))
            })
            .await;
    }

    /// What the page was told once, and only once.
    async fn told(&self, name: &str) -> Value {
        self.until(&format!("{name} to be told"), &format!("return told.{name}.length > 0")).await;
        let told = self.run(&format!("return told.{name}")).await;
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
        told[0].clone()
    }

    async fn identify(&self, email: &str) {
        self.browser.fill("#contact", email).await;
        self.browser.click("[value=identify]").await;
        self.browser.fill("#code", "123456").await;
        self.browser.click("[value=code]").await;
    }

    /// Forgets that somebody is signed in at the provider.
    async fn forget(&self) {
        self.browser.leave_popup().await;
        self.browser.goto(&self.world.public_url()).await;
        self.browser.client().delete_all_cookies().await.unwrap();
    }
}

pub(crate) async fn cases(shop: &Shop) {
    in_a_popup(shop).await;
    who_is_signed_in_is_asked_nothing(shop).await;
    by_a_redirect(shop).await;
    closed_and_declined(shop).await;
    configurations(shop).await;
}

async fn look(shop: &Shop, name: &str) {
    let blocks = shop.browser.stumbling_blocks().await;
    assert!(blocks.is_empty(), "{name}: {blocks:?}");
    assert!(!shop.browser.overflows().await, "{name} is wider than the screen");
    shop.browser.picture(name).await;
}

async fn in_a_popup(shop: &Shop) {
    let browser = &shop.browser;
    shop.open("v1").await;
    shop.browser.picture("shop").await;
    browser.click("klarna-button#one").await;
    shop.until(
        "the page to be covered",
        "return document.querySelector('body > div:last-child').shadowRoot !== null",
    )
    .await;
    browser.enter_popup().await;
    look(shop, "1-identify").await;
    browser.fill("#contact", "nobody").await;
    browser.click("[value=identify]").await;
    browser.see("#problem").await;
    browser.fill("#contact", "customer@email.se").await;
    browser.click("[value=identify]").await;
    browser.see("#code").await;
    look(shop, "2-code").await;
    browser.fill("#code", "123456").await;
    browser.click("[value=code]").await;
    browser.see("[value=agree]").await;
    look(shop, "3-consent").await;
    browser.click("[value=agree]").await;
    browser.popup_closes().await;
    let told = shop.told("signin").await;
    assert_eq!(told["user_account_profile"]["email"], "customer@email.se");
    assert_eq!(told["user_account_profile"]["date_of_birth"], Value::Null);
    let linking = &told["user_account_linking"];
    assert!(linking["user_account_linking_id_token"].as_str().unwrap().starts_with("ey"));
    assert!(linking["user_account_linking_refresh_token"].as_str().unwrap().starts_with("ory_rt_"));
    assert_eq!(shop.run("return told.click.length").await, 1);
    assert_eq!(
        shop.run("return document.querySelector('body > div')").await,
        Value::Null,
        "uncovered"
    );
    assert_eq!(browser.url().await, format!("{}/v1", shop.origin));
}

async fn who_is_signed_in_is_asked_nothing(shop: &Shop) {
    shop.open("v2").await;
    shop.browser.click("klarna-button#one").await;
    let told = shop.told("signin").await;
    assert_eq!(told["customerProfile"]["email"], "customer@email.se");
    assert!(told["idToken"].is_string() && told["refreshToken"].is_string());
    shop.browser.popup_closes().await;
    // Unless the page's address asks for it.
    shop.browser.goto(&format!("{}/v2?klarna-auth-prompt=consent", shop.origin)).await;
    shop.settled().await;
    shop.browser.click("klarna-button#one").await;
    shop.browser.enter_popup().await;
    shop.browser.see("[value=agree]").await;
    shop.browser.close_popup().await;
    assert_eq!(shop.told("error").await["error"], "access_denied");
    // Or the shop has forgotten them.
    shop.open("v2").await;
    shop.run("klarna.Identity.clearLoginState()").await;
    shop.browser.click("klarna-button#one").await;
    shop.browser.enter_popup().await;
    shop.browser.see("#contact").await;
    shop.browser.close_popup().await;
    shop.run("sessionStorage.clear()").await;
}

async fn by_a_redirect(shop: &Shop) {
    let browser = &shop.browser;
    for version in ["v1", "v2"] {
        shop.forget().await;
        shop.open(version).await;
        // What a browser does that lets no page open windows.
        shop.run("window.open = function () { return null; }").await;
        browser.click("klarna-button#one").await;
        browser.see("#contact").await;
        shop.identify("customer@email.de").await;
        browser.see("[value=agree], klarna-button").await;
        if browser.sees("[value=agree]").await {
            browser.click("[value=agree]").await;
        }
        browser.at(&format!("/{version}")).await;
        let told = shop.told("signin").await;
        let profile = if version == "v1" { "user_account_profile" } else { "customerProfile" };
        assert_eq!(told[profile]["email"], "customer@email.de");
        // Nothing of it stays in the address, and a reload does not repeat it.
        assert_eq!(browser.url().await, format!("{}/{version}", shop.origin));
        browser.goto(&format!("{}/{version}", shop.origin)).await;
        shop.settled().await;
        assert_eq!(shop.run("return told.signin.length + told.error.length").await, 0);
    }
    // An answer that nobody here asked for is not looked at.
    browser.goto(&format!("{}/v1?code=ory_ac_injected&state=theirs", shop.origin)).await;
    shop.settled().await;
    assert_eq!(shop.run("return told.signin.length + told.error.length").await, 0);
}

async fn closed_and_declined(shop: &Shop) {
    let browser = &shop.browser;
    shop.forget().await;
    shop.open("v1").await;
    browser.click("klarna-button#one").await;
    browser.enter_popup().await;
    browser.click("[value=decline]").await;
    browser.popup_closes().await;
    assert_eq!(shop.told("error").await["error"], "access_denied");
    shop.open("v1").await;
    browser.click("klarna-button#one").await;
    browser.enter_popup().await;
    browser.see("#contact").await;
    browser.close_popup().await;
    assert_eq!(shop.told("error").await["name"], "KlarnaSDKError");
    // A message that only looks like the answer.
    shop.open("v1").await;
    browser.click("klarna-button#one").await;
    browser.enter_popup().await;
    browser.see("#contact").await;
    browser.leave_popup().await;
    shop.run(
        "window.postMessage({ kassa: 1, type: 'signin', result: { code: 'x', state: 'y' } }, location.origin)",
    )
    .await;
    browser.enter_popup().await;
    browser.close_popup().await;
    assert_eq!(shop.told("error").await["error"], "access_denied", "only the shopper's own end");
}

async fn configurations(shop: &Shop) {
    let browser = &shop.browser;
    shop.open("v1").await;
    // The element.
    let label = "return document.querySelector('klarna-identity-button klarna-button').shadowRoot.querySelector('button').getAttribute('aria-label')";
    assert_eq!(shop.run(label).await, "Logga in med Klarna");
    assert_eq!(shop.run("return klarna.Identity.button('element') !== undefined").await, true);
    assert_eq!(shop.run("return klarna.Identity.button('one') === button").await, true);
    assert_eq!(shop.run("return klarna.Identity.button('none') === undefined").await, true);
    let wrong = "try { klarna.Identity.button({ scope: 'openid' }); return null; } catch (error) { return [error.errorType, error.errorCode]; }";
    assert_eq!(shop.run(wrong).await, json!(["INPUT_ERROR", "VALIDATION_ERROR"]));
    // A button of the page's own, and a page whose server has a secret: it is given the code.
    shop.run(
        "window.told.ready = []; window.second = klarna.Identity.button({ scope: 'openid', redirectUri: location.href, clientType: 'confidential', hideOverlay: true }); \
         second.on('ready', function () { told.ready.push(1); }); second.attach('#own');",
    )
    .await;
    shop.until("the button to be ready", "return told.ready.length === 1").await;
    browser.click("#own").await;
    // This client has no secret, so the provider wants a challenge and says so, and the window is closed again.
    assert_eq!(shop.told("error").await["error"], "invalid_request");
    browser.popup_closes().await;
    shop.run("second.detach(); told.click = [];").await;
    browser.click("#own").await;
    assert_eq!(shop.run("return told.error.length").await, 1);
    let blocks = browser.stumbling_blocks().await;
    assert!(blocks.is_empty(), "{blocks:?}");
}
