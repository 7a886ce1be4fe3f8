//! The hosted payment page, on a desk and on a phone: it is paid, declined, left, cancelled and withdrawn,
//! reloaded in the middle and pressed twice.

use serde_json::{Value, json};

use crate::stage::Stage;

pub(crate) async fn cases(stage: &Stage) {
    pays(stage).await;
    declined_and_again(stage).await;
    goes_back_and_returns(stage).await;
    cancels(stage).await;
    reloaded_in_the_middle(stage).await;
    withdrawn_under_way(stage).await;
    by_a_link_in_a_mail(stage).await;
    bare(stage).await;
}

/// A hosted session for a session with these members; what creating it answered.
async fn host(stage: &Stage, extra: Value, request: Value) -> Value {
    let mut session = Stage::swedish();
    session["order_lines"] = json!([
        { "name": "Kaffekvarn av gjutjärn med en handvev som inte vill ta slut", "quantity": 2,
          "unit_price": 55_000, "tax_rate": 2500, "total_amount": 110_000, "total_tax_amount": 22_000 },
        { "type": "discount", "name": "Rabatt", "quantity": 1, "unit_price": -10_000, "tax_rate": 2500,
          "total_amount": -10_000, "total_tax_amount": -2_000 },
    ]);
    let mut body = request;
    merge(&mut session, &extra);
    let reply = stage.world.call("POST", "/payments/v1/sessions", &session).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let id = reply.json["session_id"].as_str().unwrap();
    let url = format!("{}/payments/v1/sessions/{id}", stage.world.public_url());
    body["payment_session_url"] = json!(url);
    let reply = stage.world.call("POST", "/hpp/v1/sessions", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let mut created = reply.json;
    let page = created["qr_code_url"].as_str().unwrap().strip_suffix("/qr").unwrap().to_owned();
    created["page"] = json!(page);
    stage.browser.leave_frames().await;
    created
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}

/// The merchant's pages: the shop's own page, told apart by what stands behind the question mark.
fn urls(stage: &Stage) -> Value {
    let shop = stage.shop();
    json!({
        "success": format!("{shop}?at=success&order={{{{order_id}}}}"),
        "failure": format!("{shop}?at=failure"),
        "back": format!("{shop}?at=back&session={{{{session_id}}}}"),
    })
}

fn look_of(stage: &Stage) -> Value {
    let shop = stage.shop();
    json!({
        "place_order_mode": "PLACE_ORDER", "purchase_type": "BOOK", "page_title": "Boka din kvarn",
        "logo_url": format!("{shop}logo.svg"),
        "background_images": [
            { "url": format!("{shop}narrow.svg"), "width": 640 },
            { "url": format!("{shop}wide.svg"), "width": 1920 },
        ],
    })
}

async fn open(stage: &Stage, created: &Value) {
    stage.browser.goto(created["page"].as_str().unwrap()).await;
    stage.browser.see("#pay").await;
    status_is(stage, created, "IN_PROGRESS").await;
}

async fn status(stage: &Stage, created: &Value) -> Value {
    let path = format!("/hpp/v1/sessions/{}", created["session_id"].as_str().unwrap());
    stage.world.call("GET", &path, &Value::Null).await.json
}

/// Waits until the merchant reads this status.
async fn status_is(stage: &Stage, created: &Value, expected: &str) {
    stage
        .browser
        .wait(&format!("the status {expected}"), async |_| {
            Ok((status(stage, created).await["status"] == expected).then_some(()))
        })
        .await;
}

async fn enter_flow(stage: &Stage) {
    stage.browser.see("iframe.frame").await;
    stage.browser.enter_frame("iframe.frame").await;
    stage.browser.see("#email_or_phone").await;
}

/// Takes a picture, and checks what a picture does not say.
async fn look(stage: &Stage, name: &str) {
    let name = format!("hosted-{name}");
    assert!(!stage.browser.overflows().await, "{name} is wider than the screen");
    assert_eq!(stage.browser.stumbling_blocks().await, Vec::<String>::new(), "{name}");
    let small = stage
        .run(
            "return Array.from(document.querySelectorAll('main button, main a'))
                .filter((element) => element.offsetParent !== null && element.getBoundingClientRect().height < 43.5)
                .map((element) => element.outerHTML)",
            vec![],
        )
        .await;
    assert_eq!(small, json!([]), "{name}: targets that are too small");
    stage.browser.picture(&name).await;
}

async fn pays(stage: &Stage) {
    let request = json!({ "merchant_urls": urls(stage), "options": look_of(stage) });
    let created = host(stage, json!({}), request).await;
    stage.browser.console_errors().await;
    open(stage, &created).await;
    stage.browser.shows("h1", "Boka din kvarn").await;
    look(stage, "1-page").await;
    // Twice is once.
    stage
        .run("const pay = document.getElementById('pay'); pay.click(); pay.click();", vec![])
        .await;
    enter_flow(stage).await;
    stage.browser.leave_frames().await;
    let frames = stage.run("return document.querySelectorAll('iframe').length", vec![]).await;
    assert_eq!(frames, 1);
    stage.browser.picture("hosted-2-identify").await;
    stage.browser.enter_frame("iframe.frame").await;
    stage.identify("customer@email.se").await;
    stage.choose("instalments_3").await;
    stage.browser.shows("[data-testid=\"confirm-and-pay\"]", "Boka · ").await;
    stage.browser.leave_frames().await;
    stage.browser.picture("hosted-3-review").await;
    assert_eq!(stage.browser.console_errors().await, Vec::<String>::new());
    stage.browser.enter_frame("iframe.frame").await;
    stage.confirm().await;
    stage.browser.leave_frames().await;
    stage.browser.at("?at=success").await;
    let session = status(stage, &created).await;
    assert_eq!(session["status"], "COMPLETED");
    let order_id = session["order_id"].as_str().unwrap();
    assert!(stage.browser.url().await.ends_with(&format!("&order={order_id}")));
    // The link leads to how it ended from now on.
    stage.browser.goto(created["page"].as_str().unwrap()).await;
    stage.browser.shows("h1", "Tack").await;
    look(stage, "4-completed").await;
    stage.browser.click("#store").await;
    stage.browser.at("?at=success").await;
    assert_eq!(status(stage, &created).await, session);
}

async fn declined_and_again(stage: &Stage) {
    let created = host(stage, json!({}), json!({})).await;
    open(stage, &created).await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    stage.identify("customer+denied@email.se").await;
    stage.browser.shows("h1", "Ditt köp kan inte godkännas").await;
    stage.browser.click("#done").await;
    stage.browser.leave_frames().await;
    stage.browser.at("/result").await;
    status_is(stage, &created, "FAILED").await;
    look(stage, "5-declined").await;
    stage.browser.click("#again").await;
    stage.browser.see("#pay").await;
    status_is(stage, &created, "IN_PROGRESS").await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    // Leaving the flow is not leaving the page.
    stage.browser.click("#close").await;
    stage.browser.leave_frames().await;
    stage.browser.gone("iframe").await;
    status_is(stage, &created, "IN_PROGRESS").await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    stage.identify("customer@email.se").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.leave_frames().await;
    stage.browser.at("/result").await;
    stage.browser.shows("h1", "Tack").await;
    status_is(stage, &created, "COMPLETED").await;
}

async fn goes_back_and_returns(stage: &Stage) {
    let created = host(stage, json!({}), json!({ "merchant_urls": urls(stage) })).await;
    open(stage, &created).await;
    stage.browser.shows("#leave", "Tillbaka till butiken").await;
    stage
        .run(
            "const leave = document.getElementById('leave'); leave.click(); leave.click();",
            vec![],
        )
        .await;
    stage.browser.at("?at=back&session=").await;
    status_is(stage, &created, "BACK").await;
    open(stage, &created).await;
}

async fn cancels(stage: &Stage) {
    let store = json!({ "acquiring_channel": "IN_STORE" });
    let created = host(stage, store, json!({})).await;
    open(stage, &created).await;
    stage.browser.click("#leave").await;
    stage.browser.see("dialog[open]").await;
    look(stage, "6-cancel").await;
    stage.browser.click("#stay").await;
    stage.browser.gone("dialog").await;
    status_is(stage, &created, "IN_PROGRESS").await;
    stage.browser.click("#leave").await;
    stage.browser.click("#cancel-yes").await;
    stage.browser.shows("h1", "Köpet är avbrutet").await;
    status_is(stage, &created, "CANCELLED").await;
    look(stage, "7-cancelled").await;
}

async fn reloaded_in_the_middle(stage: &Stage) {
    let created = host(stage, json!({}), json!({ "merchant_urls": urls(stage) })).await;
    open(stage, &created).await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    stage.identify("customer@email.se").await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    stage.browser.leave_frames().await;
    open(stage, &created).await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    stage.identify("customer@email.se").await;
    stage.choose("bank").await;
    stage.confirm().await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.leave_frames().await;
    stage.browser.at("?at=success").await;
    let session = status(stage, &created).await;
    assert_eq!(session["status"], "COMPLETED");
    assert!(session["authorization_token"].is_string(), "the merchant places the order: {session}");
}

async fn withdrawn_under_way(stage: &Stage) {
    let created = host(stage, json!({}), json!({})).await;
    open(stage, &created).await;
    let path = format!("/hpp/v1/sessions/{}", created["session_id"].as_str().unwrap());
    assert_eq!(stage.world.call("DELETE", &path, &Value::Null).await.status, 204);
    stage.browser.click("#pay").await;
    stage.browser.shows("h1", "Länken har dragits tillbaka").await;
    look(stage, "8-withdrawn").await;
    stage.browser.goto(&format!("{}/hpp-page/0000000", stage.world.public_url())).await;
    stage.browser.see(".end").await;
    look(stage, "9-unknown").await;
}

async fn by_a_link_in_a_mail(stage: &Stage) {
    let created = host(stage, json!({}), json!({})).await;
    let path = format!("/hpp/v1/sessions/{}/distribution", created["session_id"].as_str().unwrap());
    let mail =
        json!({ "method": "email", "contact_information": { "email": "customer@email.se" } });
    assert_eq!(stage.world.call("POST", &path, &mail).await.status, 204);
    let outbox = stage.world.send("GET", "/playground/v1/outbox", &[], "").await;
    let link = outbox.json["messages"][0]["link"].as_str().unwrap().to_owned();
    stage.browser.goto(&link).await;
    stage.browser.click("#pay").await;
    enter_flow(stage).await;
    // Whom it was sent to is known.
    assert_eq!(stage.browser.value("#email_or_phone").await, "customer@email.se");
    stage.browser.leave_frames().await;
}

/// The least that a merchant can say, in the two other languages.
async fn bare(stage: &Stage) {
    for (country, currency, locale) in [("DE", "EUR", "de-DE"), ("GB", "GBP", "en-GB")] {
        let place =
            json!({ "purchase_country": country, "purchase_currency": currency, "locale": locale });
        let options = json!({ "options": { "show_subtotal_detail": "HIDE", "logo_url": "https://localhost:1/none.png" } });
        let created = host(stage, place, options).await;
        open(stage, &created).await;
        // A logo that cannot be had leaves no gap.
        stage.browser.gone("img.logo").await;
        look(stage, &format!("bare-{country}")).await;
    }
}

/// The narrowest screen.
pub(crate) async fn on_the_narrowest_screen(stage: &Stage) {
    let request = json!({ "options": look_of(stage), "merchant_urls": urls(stage) });
    let created = host(stage, json!({}), request).await;
    let narrow = json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true });
    stage.browser.devtools("Emulation.setDeviceMetricsOverride", narrow).await.unwrap();
    open(stage, &created).await;
    assert!(!stage.browser.overflows().await, "320 pixels are enough");
    stage.browser.picture("hosted-320").await;
}
