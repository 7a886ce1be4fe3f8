//! A view in an app: what the page for web views is told, and what it tells, whichever way the app listens. That every
//! error arrives in an app is shown with Klarna's wrapper, in the tests of `kassa`.

use serde_json::{Value, json};

use crate::stage::Stage;

pub(crate) async fn cases(stage: &Stage) {
    a_view_is_no_frame(stage).await;
    a_purchase(stage).await;
    by_each_channel(stage).await;
    a_page_in_a_web_view_opens_no_window(stage).await;
}

async fn view(stage: &Stage) {
    stage.browser.goto(&format!("{}/mobile/view", stage.world.public_url())).await;
    stage
        .browser
        .wait("the view", async |client| {
            let there = client.execute("return !!window.KassaMobile", vec![]).await?;
            Ok((there == true).then_some(()))
        })
        .await;
    heard(stage, "ready").await;
}

async fn command(stage: &Stage, command: &str, arguments: Value) {
    let text = json!({ "command": command, "arguments": arguments }).to_string();
    stage.run("KassaMobile.command(arguments[0])", vec![json!(text)]).await;
}

/// The next event, apart from heights, must be this; what it tells.
async fn heard(stage: &Stage, name: &str) -> Value {
    let next = "window.later = (window.later || []).concat(KassaMobile.take().map(JSON.parse)
            .filter((one) => one.event !== 'onResized'));
        return window.later.shift() || null";
    let event = stage
        .browser
        .wait(name, async |client| {
            let event = client.execute(next, vec![]).await?;
            Ok((!event.is_null()).then_some(event))
        })
        .await;
    assert_eq!(event["event"], name, "{event}");
    event["body"].clone()
}

async fn client_token(stage: &Stage) -> String {
    let made = stage.world.call("POST", "/payments/v1/sessions", &Stage::swedish()).await;
    made.json["client_token"].as_str().unwrap().to_owned()
}

async fn a_view_is_no_frame(stage: &Stage) {
    let reply = stage.world.send("GET", "/mobile/view", &[], "").await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"));
}

async fn a_purchase(stage: &Stage) {
    let token = client_token(stage).await;
    view(stage).await;
    let properties = json!({ "category": "klarna", "returnUrl": "shopapp://klarna" });
    command(stage, "create", json!(["payment", properties])).await;
    command(stage, "initialize", json!([token])).await;
    assert_eq!(heard(stage, "onInitialized").await, json!({}));
    command(stage, "load", json!([])).await;
    heard(stage, "onLoaded").await;
    stage.browser.see("#klarna-klarna-main").await;
    assert!(!stage.browser.overflows().await);
    command(stage, "authorize", json!([true, ""])).await;
    assert_eq!(heard(stage, "overlay").await, json!({ "shown": true }));
    stage.enter_overlay("klarna").await;
    stage.identify("customer@email.se").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.leave_overlay("klarna").await;
    assert_eq!(heard(stage, "overlay").await, json!({ "shown": false }));
    let told = heard(stage, "onAuthorized").await;
    assert_eq!((&told["approved"], &told["finalizeRequired"]), (&json!(true), &json!(false)));
    assert!(told["authToken"].is_string(), "{told}");
    command(stage, "initialize", json!(["none"])).await;
    let error = heard(stage, "onError").await["error"].clone();
    assert_eq!(error["name"], "InvalidClientTokenError");
    assert_eq!(error["invalidFields"], json!([]));
    assert_eq!(error["sessionId"].as_str().unwrap().len(), 36);
}

/// What a web view lends to its pages is how its app is told.
async fn by_each_channel(stage: &Stage) {
    for channel in [
        "window.ReactNativeWebView = listener",
        "window.webkit = { messageHandlers: { KassaMobile: listener } }",
        "window.KassaMobileHost = listener",
    ] {
        view(stage).await;
        let script = format!(
            "const listener = {{ postMessage: (text) => {{ window.got = text; }} }}; {channel}"
        );
        stage.run(&script, vec![]).await;
        command(stage, "create", json!(["payment", { "category": "", "platform": "android" }]))
            .await;
        let got = stage.run("return [window.got, KassaMobile.take()]", vec![]).await;
        assert!(got[0].as_str().unwrap().contains("InvalidReturnUrlError"), "{channel}: {got}");
        assert_eq!(got[1], json!([]), "{channel}");
    }
}

async fn a_page_in_a_web_view_opens_no_window(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage.run("window.__KlarnaInAppSDKWebViewInfo = { version: '2' }", vec![]).await;
    stage.load().await;
    stage.on_buy("Klarna.Payments.authorize({}, tell('authorize'))").await;
    stage.browser.click("#buy").await;
    stage.enter_overlay("payments").await;
    stage.browser.click("#close").await;
    stage.leave_overlay("payments").await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
    assert_eq!(stage.browser.client().windows().await.unwrap().len(), 1);
}
