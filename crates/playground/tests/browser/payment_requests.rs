//! `Payment` of the Web SDK, version 2: requests and their states, the button, shipping that the page has a say in,
//! how Klarna is presented. And the first version's names for the same.

use serde_json::{Value, json};

use crate::stage::{Stage, keys};

/// Begins the SDK in the page.
const BEGIN: &str = "
    window.sdk = null; window.failed = null;
    Klarna.init({ clientId: arguments[0], locale: 'sv-SE', products: ['PAYMENT'] }).then((sdk) => {
      listenToEvents(sdk.Payment, ['complete', 'abort', 'error', 'shippingaddresschange', 'shippingoptionselect']);
      for (const name of ['complete', 'abort']) sdk.Payment.on(name, tell(name));
      sdk.Payment.on('error', (error) => tell('error')({ type: error.errorType, code: error.errorCode, fields: error.validationErrors || [] }));
      window.sdk = sdk;
    }, (error) => { window.failed = error.errorCode; });";

/// A button that asks for `window.wanted`.
const BUTTON: &str = "
    window.wanted = arguments[0];
    window.button = sdk.Payment.button(Object.assign({ id: 'klarna', locale: 'sv-SE', initiate: async () => window.wanted }, arguments[1]));
    window.button.mount('#one');";

pub(crate) async fn cases(stage: &Stage) {
    let client_id = stage.client_id(&[]).await;
    completed(stage, &client_id).await;
    aborted_and_begun_again(stage, &client_id).await;
    cancelled_and_expired(stage, &client_id).await;
    delivered(stage, &client_id).await;
    bad_input(stage, &client_id).await;
    on_the_page(stage, &client_id).await;
    presented(stage, &client_id).await;
    the_first_version(stage, &client_id).await;
    strangers(stage, &client_id).await;
}

fn wanted() -> Value {
    json!({
        "currency": "SEK", "amount": 125_000, "paymentRequestReference": "WEB-7",
        "collectCustomerProfile": ["profile:name", "profile:email"],
        "supplementaryPurchaseData": { "lineItems": [
            { "name": "Kaffekvarn", "quantity": 1, "totalAmount": 125_000, "totalTaxAmount": 25_000, "lineItemReference": "K-1" },
        ] },
    })
}

async fn begin(stage: &Stage, page: &str, client_id: &str) {
    stage.go(&format!("pages/{page}")).await;
    stage.run(BEGIN, vec![json!(client_id)]).await;
    stage
        .browser
        .wait("the SDK", async |client| {
            let begun = client.execute("return window.sdk !== null", vec![]).await?;
            Ok((begun == Value::Bool(true)).then_some(()))
        })
        .await;
}

async fn with_button(stage: &Stage, client_id: &str, wanted: Value, config: Value) {
    begin(stage, "sdk", client_id).await;
    stage.run(BUTTON, vec![wanted, config]).await;
}

async fn press(stage: &Stage) {
    stage.browser.click("#one klarna-button").await;
}

async fn identify(stage: &Stage) {
    press(stage).await;
    stage.browser.enter_popup().await;
    stage.identify("customer@email.se").await;
}

/// What a promise in the page comes to.
async fn promised(stage: &Stage, script: &str, arguments: Vec<Value>) -> Value {
    let script = format!(
        "window.came = undefined; const given = arguments;
         (async () => {{ {script} }})().then((value) => {{ came = {{ value }}; }}, (error) => {{ came = {{ error: error.errorCode || String(error) }}; }});"
    );
    stage.run(&script.replace("arguments[", "given["), arguments).await;
    stage
        .browser
        .wait("a promise", async |client| {
            let came = client
                .execute("return window.came === undefined ? null : window.came", vec![])
                .await?;
            Ok((!came.is_null()).then_some(came))
        })
        .await
}

async fn completed(stage: &Stage, client_id: &str) {
    with_button(stage, client_id, wanted(), json!({})).await;
    let one = stage.run("return document.getElementById('one').childElementCount", vec![]).await;
    assert_eq!(one, 1);
    stage.browser.picture("button").await;
    identify(stage).await;
    stage.choose("pay_later").await;
    stage.browser.shows(".lines", "Kaffekvarn").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let told = stage.told("complete").await;
    assert_eq!(keys(&told), ["paymentRequestId", "previousState", "state", "stateContext"]);
    assert_eq!(
        (&told["state"], &told["previousState"]),
        (&json!("COMPLETED"), &json!("IN_PROGRESS"))
    );
    let context = &told["stateContext"];
    assert_eq!(context["klarnaCustomer"]["customerProfile"]["email"], "customer@email.se");
    assert!(context.get("shipping").is_none(), "{context}");
    // Its token places the order.
    let token = context["paymentToken"].as_str().unwrap();
    let path = format!("/payments/v1/authorizations/{token}/order");
    let reply = stage.world.call("POST", &path, &Stage::dearer_session()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let script = "return sdk.Payment.cancel(arguments[0]);";
    let came = promised(stage, script, vec![told["paymentRequestId"].clone()]).await;
    assert_eq!(came["error"], "INVALID_STATE");
}

async fn aborted_and_begun_again(stage: &Stage, client_id: &str) {
    with_button(stage, client_id, wanted(), json!({})).await;
    identify(stage).await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    stage.browser.close_popup().await;
    let told = stage.told("abort").await;
    assert_eq!(
        (&told["state"], &told["stateReason"]),
        (&json!("SUBMITTED"), &json!("PURCHASE_FLOW_ABORTED"))
    );
    // The same request, by its id.
    let id = json!({ "paymentRequestId": told["paymentRequestId"] });
    stage.run("window.wanted = arguments[0]", vec![id]).await;
    identify(stage).await;
    stage.choose("pay_now").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    assert_eq!(stage.told("complete").await["paymentRequestId"], told["paymentRequestId"]);
}

async fn cancelled_and_expired(stage: &Stage, client_id: &str) {
    for (event, state) in [("cancel", "CANCELED"), ("expire", "EXPIRED")] {
        with_button(stage, client_id, wanted(), json!({})).await;
        press(stage).await;
        stage.browser.enter_popup().await;
        stage.browser.see("#email_or_phone").await;
        stage.browser.close_popup().await;
        let id = stage.told("abort").await["paymentRequestId"].clone();
        if event == "cancel" {
            let came =
                promised(stage, "return sdk.Payment.cancel(arguments[0])", vec![id.clone()]).await;
            assert_eq!(came["value"]["state"], state);
            assert_eq!(came["value"]["stateReason"], "PARTNER_CANCELED");
        } else {
            stage.world.advance("PT3H").await;
        }
        let came =
            promised(stage, "return sdk.Payment.fetch(arguments[0])", vec![id.clone()]).await;
        assert_eq!(came["value"]["state"], state);
        // Nothing begins it again.
        stage
            .run(
                "told.abort.length = 0; window.wanted = { paymentRequestId: arguments[0] }",
                vec![id],
            )
            .await;
        press(stage).await;
        assert_eq!(stage.told("abort").await["state"], state);
        stage.browser.popup_closes().await;
    }
}

async fn delivered(stage: &Stage, client_id: &str) {
    let mut wanted = wanted();
    wanted["shippingConfig"] = json!({ "mode": "EDITABLE", "supportedCountries": ["SE"] });
    with_button(stage, client_id, wanted, json!({})).await;
    stage
        .run(
            "sdk.Payment.on('shippingaddresschange', async (request, address) => {
               told.address = [address];
               if (address.postalCode.startsWith('9')) return { rejection_reason: sdk.Payment.ShippingRejectionReason.POSTAL_CODE_NOT_SUPPORTED };
               return { amount: 129900, selectedShippingOptionReference: 'parcel',
                 lineItems: [{ name: 'Kaffekvarn', quantity: 1, totalAmount: 125000, totalTaxAmount: 25000 }, { name: 'Paket', quantity: 1, totalAmount: 4900 }],
                 shippingOptions: [{ shippingOptionReference: 'parcel', amount: 4900, displayName: 'Paket', shippingType: 'TO_DOOR' },
                   { shippingOptionReference: 'drone', amount: 19900, displayName: 'Drönare', description: 'I dag', shippingType: 'TO_DOOR' },
                   { shippingOptionReference: 'swim', amount: 0, displayName: 'Flaskpost', description: 'Kanske', shippingType: 'TO_DOOR' }] };
             });
             sdk.Payment.on('shippingoptionselect', (request, option) => {
               told.option = [option];
               if (option.shippingOptionReference === 'swim') return { rejectionReason: 'INVALID_OPTION' };
               return { amount: 125000 + option.amount };
             });",
            vec![],
        )
        .await;
    identify(stage).await;
    stage.browser.see("#street_address").await;
    stage.browser.fill("#postal_code", "98138").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("#postal_code[aria-invalid=true]").await;
    stage.browser.shows("#problem", "levererar inte").await;
    stage.browser.fill("#postal_code", "11460").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("[data-testid=\"shipping-parcel\"]:checked").await;
    assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
    stage.browser.picture("shipping").await;
    stage.browser.click("[data-testid=\"shipping-swim\"]").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.shows("#problem", "levererar inte").await;
    stage.browser.click("[data-testid=\"shipping-drone\"]").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.choose("pay_later").await;
    stage.browser.shows(".total", "1 449,00").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let told = stage.told("complete").await;
    let shipping = &told["stateContext"]["shipping"];
    assert_eq!(shipping["shippingOptionReference"], "drone");
    assert_eq!(shipping["address"]["postalCode"], "11460");
    assert_eq!(shipping["recipient"]["email"], "customer@email.se");
    let asked = stage.run("return [told.address[0], told.option[0].displayName]", vec![]).await;
    assert_eq!(keys(&asked[0]), ["city", "country", "postalCode"]);
    assert_eq!(asked[1], "Drönare");
}

async fn bad_input(stage: &Stage, client_id: &str) {
    with_button(stage, client_id, json!({ "currency": "XXX" }), json!({})).await;
    press(stage).await;
    let told = stage.told("error").await;
    assert_eq!(
        told,
        json!({ "type": "INPUT_ERROR", "code": "VALIDATION_ERROR", "fields": [{ "path": "currency" }] })
    );
    stage.browser.popup_closes().await;
    // What the page throws in `initiate` is an error as well, and the button can be pressed again.
    with_button(stage, client_id, wanted(), json!({})).await;
    stage
        .run(
            "Object.defineProperty(window, 'wanted', { get() { throw new Error('the page'); } })",
            vec![],
        )
        .await;
    press(stage).await;
    assert_eq!(stage.told("error").await["type"], "TECHNICAL_ERROR");
    stage.browser.popup_closes().await;
    // Finished elsewhere already: the page goes on there.
    with_button(
        stage,
        client_id,
        json!({ "returnUrl": format!("{}#thanks", stage.shop()) }),
        json!({}),
    )
    .await;
    press(stage).await;
    stage.browser.at("#thanks").await;
    stage.browser.popup_closes().await;
}

/// Over the page instead of in a popup; then the browser goes where the page wants, unless it says no.
async fn on_the_page(stage: &Stage, client_id: &str) {
    let mut wanted = wanted();
    wanted["customerInteractionConfig"] = json!({ "returnUrl": format!("{}#paid", stage.shop()) });
    for stays in [true, false] {
        with_button(stage, client_id, wanted.clone(), json!({ "initiationMode": "ON_PAGE" })).await;
        if stays {
            stage.run("sdk.Payment.on('complete', async () => false)", vec![]).await;
        }
        press(stage).await;
        stage.browser.see("iframe[aria-modal=true]").await;
        stage.browser.enter_frame("iframe[aria-modal=true]").await;
        stage.identify("customer@email.se").await;
        stage.choose("pay_later").await;
        stage.confirm().await;
        stage.browser.leave_frames().await;
        if stays {
            stage.browser.gone("iframe[aria-modal=true]").await;
            assert_eq!(stage.told("complete").await["state"], "COMPLETED");
            assert!(!stage.browser.url().await.ends_with("#paid"));
        } else {
            stage.browser.at("#paid").await;
        }
    }
}

async fn presented(stage: &Stage, client_id: &str) {
    begin(stage, "sdk", client_id).await;
    let script = "
        const shown = await sdk.Payment.presentation({ amount: 125000, currency: 'SEK', locale: 'sv-SE' });
        shown.header.component().mount('#one');
        shown.subheader.enriched.component().mount('#one');
        shown.icon.component({ shape: 'square' }).mount('#one');
        shown.paymentButton.component({ theme: 'outlined', initiate: async () => null }).mount('#two');
        return [shown.instruction, shown.header.text, shown.subheader.short.text, shown.subheader.enriched.link.linkText,
          shown.paymentButton.text, shown.icon.alt, shown.icon.squareImageUrl];";
    let came = promised(stage, script, vec![]).await;
    let badge = format!("{}/kp/assets/badge.svg", stage.world.public_url());
    assert_eq!(
        came["value"],
        json!([
            "SHOW_KLARNA",
            "Betala med Klarna",
            "Betala senare · Dela upp · Betala direkt",
            "Läs mer",
            "Fortsätt med Klarna",
            "Klarna",
            badge,
        ])
    );
    stage.browser.see("#two klarna-button").await;
    stage.browser.picture("presentation").await;
    let link = stage.browser.attribute("#one a", "href").await.unwrap();
    assert!(link.ends_with("/osm/learn-more?locale=sv-SE"), "{link}");
    stage.browser.goto(&link).await;
    stage.browser.shows("h1", "Så fungerar det").await;
    begin(stage, "sdk", client_id).await;
    let script =
        "return (await sdk.Payment.presentation({ amount: 1, currency: 'JPY' })).instruction";
    assert_eq!(promised(stage, script, vec![]).await["error"], "VALIDATION_ERROR");
}

/// The first version begins a purchase with what its click hands over, and has other names for its end.
async fn the_first_version(stage: &Stage, client_id: &str) {
    begin(stage, "sdk1", client_id).await;
    stage
        .run(
            "sdk.Payment.on('update', tell('update'));
             const button = sdk.Payment.button({ label: 'buy_with_klarna', shape: 'pill' });
             const wanted = arguments[0];
             const never = () => { throw new Error('taken off'); };
             button.on('click', never);
             button.off('click', never);
             button.on('click', (request) => request.initiate(wanted));
             button.mount(document.getElementById('one'));",
            vec![wanted()],
        )
        .await;
    identify(stage).await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let told = stage.told("update").await;
    assert_eq!(told["state"], "PENDING_CONFIRMATION");
    assert!(told["stateContext"]["paymentConfirmationToken"].is_string());
}

/// A request is seen with the client identifier that made it, and from its pages, only.
async fn strangers(stage: &Stage, client_id: &str) {
    with_button(stage, client_id, wanted(), json!({})).await;
    press(stage).await;
    stage.browser.enter_popup().await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.close_popup().await;
    let id = stage.told("abort").await["paymentRequestId"].clone();
    let other = stage.client_id(&[]).await;
    begin(stage, "sdk", &other).await;
    let came = promised(stage, "return sdk.Payment.fetch(arguments[0])", vec![id.clone()]).await;
    assert_eq!(came["error"], "PAYMENT_REQUEST_NOT_FOUND");
    let body = json!({ "payment_request_id": id }).to_string();
    for (client, origin, code) in [
        (client_id, "https://evil.example", "ORIGIN_NOT_ALLOWED"),
        (
            "klarna_test_client_unknownunknown",
            stage.shop().trim_end_matches('/'),
            "INVALID_CLIENT_ID",
        ),
    ] {
        let headers =
            [("content-type", "application/json"), ("kassa-client-id", client), ("origin", origin)];
        let path = "/web-sdk/internal/payment-requests/fetch";
        let reply = stage.world.send("POST", path, &headers, body.clone()).await;
        assert_eq!((reply.status, reply.json["errorCode"].as_str()), (403, Some(code)));
    }
}
