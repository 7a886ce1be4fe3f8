//! Pages written the way pages in the wild are: they poll for the library, forget its callback, add its script
//! twice, give a jQuery object for a container, load again and again, and authorize from a click.

use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse};
use serde_json::{Value, json};

use crate::stage::{Stage, keys};

/// What every page begins with.
const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title></head>
<body><h1>Checkout</h1><div id="one"></div><div id="two"></div>
<button id="buy" type="button">Buy</button>
<script>
  window.told = {}; window.onBuy = function () {};
  window.tell = function (name) { told[name] = told[name] || []; return function (result) { told[name].push(result); }; };
  document.getElementById('buy').addEventListener('click', function () { window.onBuy(); });
</script>
"#;

/// Sets the callback to nothing by mistake, adds the script with a new query each time, and asks each 100 ms for 3 s
/// whether the library is there.
const POLLING: &str = r"<script>
  window.klarnaAsyncCallback = undefined;
  const script = document.createElement('script');
  script.src = 'PLAYGROUND/kp/lib/v1/api.js?' + Date.now();
  script.async = true;
  script.onload = function () { window.loadedEvent = true; };
  document.body.appendChild(script);
  let tries = 0;
  const timer = setInterval(function () {
    tries += 1;
    if (window.Klarna && Klarna.Payments && typeof Klarna.Payments.init === 'function') { clearInterval(timer); window.found = true; }
    else if (tries > 30) clearInterval(timer);
  }, 100);
</script>";

/// Defines the callback when the script has long run.
const LATE: &str = r#"<script src="PLAYGROUND/kp/lib/v1/api.js"></script>
<script>
  window.klarnaAsyncCallback = function () { window.calledLate = true; };
  window.found = typeof Klarna.Payments.load === 'function';
</script>"#;

/// Defines it in time, and brings its own half of `Klarna` along.
const ASYNC: &str = r#"<script>
  window.Klarna = { OnsiteMessaging: { refresh: function () {} } };
  window.klarnaAsyncCallback = function () { window.found = typeof Klarna.OnsiteMessaging.refresh === 'function'; };
</script>
<script async src="PLAYGROUND/kp/lib/v1/api.js"></script>"#;

/// An Express button on a product's page, in several steps: what it comes to is kept for the checkout.
const PRODUCT: &str = r#"<div id="kec" style="max-width: 335px"></div>
<script>
  window.klarnaAsyncCallback = function () {
    Klarna.Payments.Buttons.init({ client_key: sessionStorage.client }).load({
      container: '#kec', theme: 'default', shape: 'default',
      on_click: function (authorize) {
        authorize({ auto_finalize: false, collect_shipping_address: true }, JSON.parse(sessionStorage.order), function (result) {
          sessionStorage.result = JSON.stringify(result);
          if (!result.approved) { window.left = true; return; }
          sessionStorage.token = result.client_token;
          sessionStorage.address = JSON.stringify(result.collected_shipping_address);
          window.location.href = 'checkout';
        });
      },
    }, function (result) { window.found = result.show_form; });
  };
</script>
<script async src="PLAYGROUND/kp/lib/v1/api.js"></script>"#;

/// The payment step beside a cart: approved early, ordered later.
const CART: &str = r#"<script>
  window.klarnaAsyncCallback = function () {
    Klarna.Payments.init({ client_token: sessionStorage.token });
    Klarna.Payments.load({ container: '#one', payment_method_category: 'klarna' }, function (result) { window.found = result.show_form; });
    window.onBuy = function () {
      Klarna.Payments.authorize({ payment_method_category: 'klarna', auto_finalize: false }, {}, function (result) {
        sessionStorage.result = JSON.stringify(result);
        if (result.approved && result.finalize_required) window.location.href = 'checkout';
      });
    };
  };
</script>
<script async src="PLAYGROUND/kp/lib/v1/api.js"></script>"#;

/// The last page of both: it begins anew with the token, does not wait for the widget, and finalizes on the click.
const CHECKOUT: &str = r#"<script>
  window.klarnaAsyncCallback = function () {
    const order = JSON.parse(sessionStorage.order);
    if (sessionStorage.address) order.shipping_address = order.billing_address = JSON.parse(sessionStorage.address);
    Klarna.Payments.init({ client_token: sessionStorage.token });
    Klarna.Payments.load({ container: '#one' });
    window.onBuy = function () {
      document.getElementById('buy').disabled = true;
      Klarna.Payments.finalize({}, order, function (result) { tell('finalize')(result); });
    };
    window.order = order;
    window.found = true;
  };
</script>
<script async src="PLAYGROUND/kp/lib/v1/api.js"></script>"#;

/// The older Express button, as its guide has it: an attribute for the merchant, one script for all buttons.
const OLD_BUTTON: &str = r#"<div style="width: 300px"><klarna-express-button data-locale="de-DE" data-theme="default" data-shape="pill"></klarna-express-button></div>
<klarna-express-button id="none" data-locale="sv-SE"></klarna-express-button>
<script src="/listen.js"></script>
<script>
  window.klarnaExpressButtonAsyncCallback = function () {
    Klarna.ExpressButton.refreshButtons();
    Klarna.ExpressButton.on('user-authenticated', function (data) {
      toldByCalls.push(['ExpressButton.on user-authenticated', '{' + Object.keys(data).sort().join(', ') + '}']);
      tell('authenticated')(data);
    });
    window.found = true;
  };
</script>
<script src="PLAYGROUND/express-button/v1/lib.js" data-id="K123456" data-environment="playground" async></script>"#;

/// The Web SDK, in its second and in its first version.
const SDK: &str =
    r#"<script src="PLAYGROUND/web-sdk/v2/klarna.js"></script><script src="/listen.js"></script>"#;
const SDK_1: &str =
    r#"<script src="PLAYGROUND/web-sdk/v1/klarna.js"></script><script src="/listen.js"></script>"#;

/// One of the pages. The isolated one keeps no hold of windows that it opens.
pub(crate) async fn page(
    State(playground): State<String>,
    Path(name): Path<String>,
) -> impl IntoResponse {
    let body = match name.as_str() {
        "polling" => POLLING,
        "late" => LATE,
        "product" => PRODUCT,
        "cart" => CART,
        "checkout" => CHECKOUT,
        "old-button" => OLD_BUTTON,
        "sdk" => SDK,
        "sdk1" => SDK_1,
        _ => ASYNC,
    };
    let policy = if name == "isolated" { "same-origin" } else { "unsafe-none" };
    let headers = [
        (HeaderName::from_static("cross-origin-opener-policy"), policy),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(format!("{HEAD}{}", body.replace("PLAYGROUND", &playground))))
}

pub(crate) async fn cases(stage: &Stage) {
    for name in ["polling", "late", "async"] {
        whole_purchase(stage, name).await;
    }
    a_second_session_replaces_the_first(stage).await;
    odd_arguments(stage).await;
    isolated(stage).await;
    express_from_a_product_to_the_checkout(stage).await;
    approved_beside_the_cart_and_finalized_later(stage).await;
    the_older_express_button(stage).await;
}

/// Opens a page and waits until it has found the library; answers with a client token.
async fn open(stage: &Stage, name: &str) -> String {
    let token = stage.open_bare(Stage::swedish()).await;
    stage.go(&format!("pages/{name}")).await;
    found(stage).await;
    token
}

/// Waits until the page has found the library.
async fn found(stage: &Stage) {
    stage
        .browser
        .wait("the page to find the library", async |client| {
            let found = client.execute("return window.found === true", vec![]).await?;
            Ok((found == Value::Bool(true)).then_some(()))
        })
        .await;
}

async fn whole_purchase(stage: &Stage, name: &str) {
    let token = open(stage, name).await;
    stage
        .run(
            "Klarna.Payments.init({ client_token: arguments[0] });
             Klarna.Payments.load({ container: '#one', payment_method_category: 'klarna' });
             Klarna.Payments.load({ container: '#one', payment_method_category: 'klarna' }, tell('load'));
             onBuy = () => Klarna.Payments.authorize({ payment_method_category: 'klarna' }, {}, tell('authorize'));",
            vec![json!(token)],
        )
        .await;
    assert_eq!(stage.told("load").await, json!({ "show_form": true }), "{name}");
    stage.approve_in_popup("pay_later").await;
    let told = stage.told("authorize").await;
    assert_eq!(keys(&told), ["approved", "authorization_token", "show_form"], "{name}");
    let late = stage.run("return window.calledLate === true", vec![]).await;
    assert_eq!(late, false, "a callback that comes late is not called");
}

/// As on every refresh of a cart: the token that was given last is the one that counts.
async fn a_second_session_replaces_the_first(stage: &Stage) {
    let first = open(stage, "async").await;
    let reply = stage.world.call("POST", "/payments/v1/sessions", &Stage::dearer_session()).await;
    let second = reply.json["client_token"].clone();
    stage
        .run(
            "Klarna.Payments.init({ client_token: arguments[0] });
             Klarna.Payments.load({ container: '#one' }, tell('first'));
             Klarna.Payments.init({ client_token: arguments[1] });
             Klarna.Payments.load({ container: '#one' }, tell('second'));
             onBuy = () => Klarna.Payments.authorize({}, tell('authorize'));",
            vec![json!(first), second],
        )
        .await;
    stage.told("first").await;
    assert_eq!(stage.told("second").await, json!({ "show_form": true }));
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.browser.shows(".offers", "1 250,00").await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}

async fn odd_arguments(stage: &Stage) {
    let token = open(stage, "async").await;
    stage
        .run(
            "Klarna.Payments.init({ client_token: arguments[0], integrator: 'plugin', originators: ['x'] });
             const jquery = { 0: document.getElementById('one'), length: 1 };
             Klarna.Payments.load({ container: jquery, purchase_amount: '100000', preferred_payment_method: 'fixed_amount' }, null, tell('load'));",
            vec![json!(token)],
        )
        .await;
    assert_eq!(stage.told("load").await, json!({ "show_form": true }));
    // A container that is gone is an error, and the page lives on.
    let script = "try { Klarna.Payments.load({ container: '#gone' }, tell('gone')); return null; } catch (error) { return error.name; }";
    assert_eq!(stage.run(script, vec![]).await, "InvalidContainerSelectorError");
    assert_eq!(stage.told("gone").await, json!({ "show_form": false }));
    stage
        .run(
            "onBuy = () => { const button = document.getElementById('buy'); button.disabled = true;
               Klarna.Payments.authorize({ auto_finalize: 'true' }, {}, (result) => { button.disabled = false; tell('authorize')(result); }); };",
            vec![],
        )
        .await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    // What the page prefers is chosen already.
    stage.browser.see("[data-testid=\"offer-instalments_3\"]:checked").await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
    assert_eq!(stage.run("return document.getElementById('buy').disabled", vec![]).await, false);
}

/// The browser takes the popup away from a page that asks for isolation: the overlay does it then.
async fn isolated(stage: &Stage) {
    let token = open(stage, "isolated").await;
    stage
        .run(
            "Klarna.Payments.init({ client_token: arguments[0] });
             Klarna.Payments.load({ container: '#one' }, tell('load'));
             onBuy = () => Klarna.Payments.authorize({}, {}, tell('authorize'));",
            vec![json!(token)],
        )
        .await;
    stage.told("load").await;
    stage.browser.click("#buy").await;
    stage.enter_overlay("payments").await;
    stage.identify("customer@email.se").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.leave_overlay("payments").await;
    let told = stage.told("authorize").await;
    assert_eq!(keys(&told), ["approved", "authorization_token", "show_form"]);
    stage.browser.enter_popup().await;
    stage.browser.shows("h1", "store").await;
    stage.browser.close_popup().await;
}

/// Places the order of the last page with the token that it was told.
async fn order(stage: &Stage) {
    let told = stage.told("finalize").await;
    assert_eq!(told["approved"], true, "{told}");
    let order = stage.run("return order", vec![]).await;
    let path = format!(
        "/payments/v1/authorizations/{}/order",
        told["authorization_token"].as_str().unwrap()
    );
    let reply = stage.world.call("POST", &path, &order).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What the page before has kept, once the browser is at the last page.
async fn at_the_checkout(stage: &Stage) -> Value {
    stage.browser.at("/pages/checkout").await;
    found(stage).await;
    stage.run("return JSON.parse(sessionStorage.result)", vec![]).await
}

async fn express_from_a_product_to_the_checkout(stage: &Stage) {
    let client_id = stage.client_id(&[]).await;
    stage.go("").await;
    stage
        .run(
            "sessionStorage.clear(); sessionStorage.client = arguments[0]; sessionStorage.order = JSON.stringify(arguments[1])",
            vec![json!(client_id), Stage::swedish()],
        )
        .await;
    stage.go("pages/product").await;
    found(stage).await;
    // Whoever closes the window is still at the product, and may press again.
    stage.browser.click("#kec").await;
    stage.browser.enter_popup().await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.close_popup().await;
    stage
        .browser
        .wait("the page to hear it", async |client| {
            let left = client.execute("return window.left === true", vec![]).await?;
            Ok((left == Value::Bool(true)).then_some(()))
        })
        .await;
    stage.browser.click("#kec").await;
    stage.browser.enter_popup().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("#street_address").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let result = at_the_checkout(stage).await;
    assert_eq!(
        (&result["finalize_required"], result.get("authorization_token")),
        (&json!(true), None)
    );
    // Without waiting for the widget.
    stage.browser.click("#buy").await;
    order(stage).await;
}

async fn approved_beside_the_cart_and_finalized_later(stage: &Stage) {
    let token = stage.open_bare(Stage::swedish()).await;
    stage
        .run(
            "sessionStorage.clear(); sessionStorage.token = arguments[0]; sessionStorage.order = JSON.stringify(arguments[1])",
            vec![json!(token), Stage::swedish()],
        )
        .await;
    stage.go("pages/cart").await;
    found(stage).await;
    stage.approve_in_popup("bank").await;
    let result = at_the_checkout(stage).await;
    assert_eq!(keys(&result), ["approved", "finalize_required", "show_form"]);
    stage.browser.click("#buy").await;
    stage.enter_overlay("payments").await;
    stage.browser.see("#bank").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.leave_overlay("payments").await;
    order(stage).await;
}

async fn the_older_express_button(stage: &Stage) {
    stage.go("pages/old-button").await;
    found(stage).await;
    let size = stage
        .run(
            "const box = document.querySelector('klarna-express-button').getBoundingClientRect();
             return [box.width, box.height, document.querySelector('#none').shadowRoot?.querySelector('button') ? 1 : 0]",
            vec![],
        )
        .await;
    assert_eq!(size, json!([300, 48, 0]), "there is none in Sweden");
    let busy = "return document.querySelector('klarna-express-button').shadowRoot.querySelector('button').getAttribute('aria-busy')";
    stage.browser.click("klarna-express-button").await;
    stage.browser.enter_popup().await;
    stage.browser.see("#email_or_phone").await;
    assert!(!stage.browser.url().await.contains('?'));
    stage.browser.picture("old-button-identify").await;
    stage.browser.close_popup().await;
    stage
        .browser
        .wait("the button to rest", async |client| {
            let busy = client.execute(busy, vec![]).await?;
            Ok((busy == json!("false")).then_some(()))
        })
        .await;
    stage.browser.click("klarna-express-button").await;
    stage.browser.enter_popup().await;
    stage.browser.fill("#email_or_phone", "?").await;
    stage.browser.click("#onContinue").await;
    stage.browser.see("#email_or_phone[aria-invalid=true]").await;
    stage.browser.fill("#email_or_phone", "customer@email.de").await;
    stage.browser.click("#onContinue").await;
    stage.browser.fill("#otp_field", "999999").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("#otp_field[aria-invalid=true]").await;
    stage.browser.fill("#otp_field", "123456").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("#share").await;
    assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
    stage.browser.picture("old-button-share").await;
    stage.browser.click("#share").await;
    stage.browser.popup_closes().await;
    let told = stage.told("authenticated").await;
    assert_eq!(
        keys(&told),
        ["address", "date_of_birth", "email", "first_name", "last_name", "phone"]
    );
    assert_eq!(told["address"]["country"], "DE");
    // Where there are no popups it lies over the page.
    stage.go("pages/old-button").await;
    found(stage).await;
    stage.run("window.open = () => null", vec![]).await;
    stage.browser.click("klarna-express-button").await;
    stage.browser.see("iframe[aria-modal=true]").await;
    stage.browser.enter_frame("iframe[aria-modal=true]").await;
    stage.browser.click("#close").await;
    stage.browser.leave_frames().await;
    stage.browser.gone("iframe[aria-modal=true]").await;
    assert_eq!(stage.run("return told.authenticated === undefined", vec![]).await, true);
}
