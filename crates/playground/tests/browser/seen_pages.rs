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
}

/// Opens a page and waits until it has found the library; answers with a client token.
async fn open(stage: &Stage, name: &str) -> String {
    let token = stage.open_bare(Stage::swedish()).await;
    stage.go(&format!("pages/{name}")).await;
    stage
        .browser
        .wait("the page to find the library", async |client| {
            let found = client.execute("return window.found === true", vec![]).await?;
            Ok((found == Value::Bool(true)).then_some(()))
        })
        .await;
    token
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
