//! The stage: a playground, a shop's page on another port, a browser, and what a shopper does.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use serde_json::{Value, json};
use testing::browser::{Browser, Screen};

use crate::common::World;

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) browser: Browser,
    shop: String,
}

/// A shop's page. Whatever a case wants to happen on the Buy click is `onBuy`; whatever callbacks
/// are told is kept by name, so that a second call would be seen.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title></head>
<body><h1>Checkout</h1>
<div id="one"></div><div id="two"></div>
<button id="buy" type="button">Buy</button>
<script>
  window.told = {}; window.events = []; window.onBuy = function () {};
  window.tell = function (name) {
    told[name] = told[name] || [];
    return function (result) { told[name].push(result); };
  };
  window.thrown = function (run) { try { run(); return null; } catch (error) { return error.name; } };
  window.klarnaAsyncCallback = function () { window.ready = true; };
  window.Klarna = { OnsiteMessaging: 'kept' };
  document.getElementById('buy').addEventListener('click', function () { window.onBuy(); });
</script>
<script src="PLAYGROUND/kp/lib/v1/api.js?1700000000000"></script>
<script src="/listen.js"></script>
<script>
  listenTo('Payments', Klarna.Payments);
  ['heightChanged', 'fullscreenOverlayShown', 'fullscreenOverlayHidden'].forEach(function (name) {
    Klarna.Payments.on(name, function (payload) { events.push(payload === undefined ? name : name + ' ' + typeof payload); });
  });
</script>
</body></html>"#;

async fn page(State(playground): State<String>) -> Html<String> {
    Html(PAGE.replace("PLAYGROUND", &playground))
}

/// Files of the shop: what listens to the library, a logo, and what may stand behind a page.
async fn file(Path(name): Path<String>) -> impl IntoResponse {
    if name == "listen.js" {
        return ([(header::CONTENT_TYPE, "text/javascript")], include_str!("pages/listen.js"));
    }
    let drawing = match name.as_str() {
        "logo.svg" => {
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60"><rect width="240" height="60" rx="12" fill="#5b2a86"/><circle cx="36" cy="30" r="14" fill="#ffd166"/><rect x="62" y="22" width="150" height="16" rx="8" fill="#fff"/></svg>"##
        }
        _ => {
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="1920" height="1200" preserveAspectRatio="xMidYMid slice"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="#f3d9b1"/><stop offset="1" stop-color="#7a4b32"/></linearGradient></defs><rect width="1920" height="1200" fill="url(#g)"/><circle cx="1500" cy="300" r="260" fill="#fff" opacity=".25"/></svg>"##
        }
    };
    ([(header::CONTENT_TYPE, "image/svg+xml")], drawing)
}

impl Stage {
    pub(crate) async fn start(test: &str, screen: Screen) -> Self {
        let world = World::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shop = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/", get(page))
            .route("/pages/{name}", get(crate::seen_pages::page))
            .route("/{name}", get(file))
            .with_state(world.public_url());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let browser = Browser::start(test, screen).await;
        Self { world, browser, shop }
    }

    /// The address of the shop's page, with a slash at its end.
    pub(crate) fn shop(&self) -> &str {
        &self.shop
    }

    pub(crate) async fn stop(self) {
        self.note().await;
        drop(self.browser);
        self.world.stop().await;
    }

    /// A client identifier of the merchant for these origins; for the shop's own when there are none.
    pub(crate) async fn client_id(&self, origins: &[&str]) -> String {
        let own = [self.shop.trim_end_matches('/')];
        let origins = if origins.is_empty() { &own[..] } else { origins };
        let path = format!("/merchants/{}/client-identifiers", self.world.merchant.merchant_id);
        let made = self.world.control(&path, &json!({ "allowed_origins": origins })).await;
        made["client_id"].as_str().unwrap().to_owned()
    }

    /// A session like a Swedish shop's.
    pub(crate) fn swedish() -> Value {
        json!({
            "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
            "order_amount": 100_000, "order_tax_amount": 20_000,
            "order_lines": [{
                "type": "physical", "reference": "K-1", "name": "Kaffekvarn", "quantity": 2,
                "unit_price": 50_000, "tax_rate": 2500, "total_amount": 100_000, "total_tax_amount": 20_000,
            }],
        })
    }

    /// What makes the order dearer.
    pub(crate) fn dearer() -> Value {
        json!({
            "order_amount": 125_000, "order_tax_amount": 25_000,
            "order_lines": [{
                "type": "physical", "reference": "K-1", "name": "Kaffekvarn", "quantity": 1,
                "unit_price": 125_000, "tax_rate": 2500, "total_amount": 125_000, "total_tax_amount": 25_000,
            }],
        })
    }

    /// A session like that of a shop whose order has become dearer.
    pub(crate) fn dearer_session() -> Value {
        let mut session = Self::swedish();
        for (name, value) in Self::dearer().as_object().unwrap() {
            session[name] = value.clone();
        }
        session
    }

    /// Opens the shop with a new session, initialised.
    pub(crate) async fn open(&self, session: Value) -> String {
        let token = self.open_bare(session).await;
        self.run("Klarna.Payments.init({ client_token: arguments[0] })", vec![json!(token)]).await;
        token
    }

    /// Opens the shop with a new session that the page does not know of yet.
    pub(crate) async fn open_bare(&self, session: Value) -> String {
        let reply = self.world.call("POST", "/payments/v1/sessions", &session).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.go("").await;
        reply.json["client_token"].as_str().unwrap().to_owned()
    }

    /// Opens a page of the shop.
    pub(crate) async fn go(&self, path: &str) {
        self.browser.leave_popup().await;
        self.note().await;
        self.browser.goto(&format!("{}{path}", self.shop)).await;
    }

    /// Takes down what calls have told the page so far, for docs/fidelity.md.
    async fn note(&self) {
        let script = "return (window.toldByCalls || []).splice(0)";
        let Ok(told) = self.browser.client().execute(script, vec![]).await else { return };
        for pair in told.as_array().into_iter().flatten() {
            if let [Some(call), Some(told)] = [pair[0].as_str(), pair[1].as_str()] {
                catalogue::told::note(call, told);
            }
        }
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.browser.script(body, arguments).await
    }

    /// Loads the widget without more ado and waits until it is there.
    pub(crate) async fn load(&self) {
        self.run("Klarna.Payments.load({ container: '#one' }, tell('load'))", vec![]).await;
        assert_eq!(self.told("load").await["show_form"], true);
    }

    /// Waits for a callback; it must be the only one of its name.
    pub(crate) async fn told(&self, name: &str) -> Value {
        let name = name.to_owned();
        let told = self
            .browser
            .wait(&format!("the callback of {name}"), async |client| {
                let told =
                    client.execute("return told[arguments[0]] || []", vec![json!(name)]).await?;
                Ok(told.as_array().filter(|told| !told.is_empty()).cloned())
            })
            .await;
        assert_eq!(told.len(), 1, "{name} was called back more than once: {told:?}");
        told[0].clone()
    }

    /// What the Buy click does from now on.
    pub(crate) async fn on_buy(&self, script: &str) {
        self.run("window.onBuy = new Function(arguments[0])", vec![json!(script)]).await;
    }

    /// A real click, as popups need it; then the popup is driven.
    pub(crate) async fn buy(&self) {
        self.browser.click("#buy").await;
        self.browser.enter_popup().await;
    }

    /// The first two steps: who, and the code.
    pub(crate) async fn identify(&self, email: &str) {
        self.browser.fill("#email_or_phone", email).await;
        self.browser.click("#onContinue").await;
        self.browser.fill("#otp_field", "123456").await;
    }

    /// Chooses a way to pay, and goes on to the review.
    pub(crate) async fn choose(&self, offer: &str) {
        self.browser.click(&format!("[data-testid=\"offer-{offer}\"]")).await;
        self.browser.click("[data-testid=\"kaf-button\"]").await;
        self.browser.see("[data-testid=\"confirm-and-pay\"]").await;
    }

    pub(crate) async fn confirm(&self) {
        self.browser.click("[data-testid=\"confirm-and-pay\"]").await;
    }

    /// The whole purchase in the popup, from the click to the closed window.
    pub(crate) async fn approve_in_popup(&self, offer: &str) {
        self.buy().await;
        self.identify("customer@email.se").await;
        self.choose(offer).await;
        self.confirm().await;
        self.browser.popup_closes().await;
    }

    /// Drives the overlay instead of the page.
    pub(crate) async fn enter_overlay(&self, instance: &str) {
        self.browser.see(&format!("#klarna-{instance}-fullscreen")).await;
        self.browser.enter_frame(&format!("#klarna-{instance}-fullscreen")).await;
    }

    /// Drives the page again, once the overlay is gone.
    pub(crate) async fn leave_overlay(&self, instance: &str) {
        self.browser.leave_frames().await;
        self.browser.gone(&format!("#klarna-{instance}-fullscreen")).await;
    }
}

/// The keys of an object, sorted.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
