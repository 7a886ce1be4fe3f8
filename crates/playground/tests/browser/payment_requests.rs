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
    away_and_back(stage, &client_id).await;
    popups_that_are_blocked(stage, &client_id).await;
    made_by_a_server(stage, &client_id).await;
    what_comes_after_a_purchase(stage).await;
    presented(stage, &client_id).await;
    the_first_version(stage, &client_id).await;
    strangers(stage, &client_id).await;
}

/// The page of a request, and the window of the older Express button, on the smallest screen.
pub(crate) async fn on_a_phone(stage: &Stage) {
    let body = json!({ "currency": "SEK", "amount": 125_000, "locale": "sv-SE" });
    let reply = stage.world.call("POST", "/v2/payment/requests", &body).await;
    let interaction = &reply.json["state_context"]["customer_interaction"];
    stage.browser.goto(interaction["payment_request_url"].as_str().unwrap()).await;
    go_through(stage, false, "").await;
    stage.browser.see("main[data-step=no]").await;
    assert!(!stage.browser.overflows().await);
    assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
    stage.browser.picture("request-left").await;
    stage.browser.click("#again").await;
    stage.browser.see("iframe.flow:not([hidden])").await;
    assert!(!stage.browser.overflows().await);
    stage.browser.picture("request").await;
    stage.client_id(&[]).await;
    stage.go("pages/old-button").await;
    stage.browser.click("klarna-express-button").await;
    stage.browser.enter_popup().await;
    stage.browser.see("#email_or_phone").await;
    assert!(!stage.browser.overflows().await);
    stage.browser.picture("old-button").await;
    stage.browser.close_popup().await;
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
    begin_here(stage, client_id).await;
}

/// The same where the browser is.
async fn begin_here(stage: &Stage, client_id: &str) {
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

/// Over the page where the browser opens no popup; then the browser goes where the page wants, unless it says no.
async fn on_the_page(stage: &Stage, client_id: &str) {
    let mut wanted = wanted();
    wanted["customerInteractionConfig"] = json!({ "returnUrl": format!("{}#paid", stage.shop()) });
    for stays in [true, false] {
        with_button(stage, client_id, wanted.clone(), json!({ "initiationMode": "ON_PAGE" })).await;
        if stays {
            stage.run("sdk.Payment.on('complete', async () => false)", vec![]).await;
        }
        stage.run("window.open = () => null", vec![]).await;
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

/// The whole page goes to the purchase and comes back, where it hears what came of it.
async fn away_and_back(stage: &Stage, client_id: &str) {
    let redirect = json!({ "initiationMode": "REDIRECT" });
    for approved in [true, false] {
        with_button(stage, client_id, wanted(), redirect.clone()).await;
        press(stage).await;
        go_through(stage, approved, "redirect").await;
        stage.browser.at("/pages/sdk").await;
        begin_here(stage, client_id).await;
        let event = if approved { "complete" } else { "abort" };
        let told = stage.told(event).await;
        let state = if approved { "COMPLETED" } else { "SUBMITTED" };
        assert_eq!(
            (&told["state"], &told["previousState"]),
            (&json!(state), &json!("IN_PROGRESS"))
        );
        assert_eq!(told["stateContext"].get("klarnaNetworkSessionToken").is_some(), approved);
        // It is told once: a page that begins anew hears nothing of it.
        begin(stage, "sdk", client_id).await;
        let id = told["paymentRequestId"].clone();
        promised(stage, "return sdk.Payment.fetch(arguments[0])", vec![id]).await;
        assert_eq!(stage.run("return Object.values(told).flat().length", vec![]).await, 0);
    }
    // To the page that the merchant names, with what it wants to know in the address.
    let mut elsewhere = wanted();
    let address = format!(
        "{}?s={{klarna.payment_request.state}}&r={{klarna.payment_request.payment_request_reference}}&t={{klarna.payment_request.payment_token}}",
        stage.shop()
    );
    elsewhere["customerInteractionConfig"] = json!({ "returnUrl": address });
    with_button(stage, client_id, elsewhere, redirect).await;
    press(stage).await;
    go_through(stage, true, "redirect").await;
    stage.browser.at("?s=COMPLETED&r=WEB-7&t=").await;
    let url = stage.browser.url().await;
    assert!(url.ends_with("&t="), "no token stands in an address: {url}");
}

/// The purchase on the page of a request, which fills the window.
async fn go_through(stage: &Stage, approved: bool, picture: &str) {
    stage.browser.at("/eu/requests/").await;
    stage.browser.see("iframe.flow:not([hidden])").await;
    let url = stage.browser.url().await;
    assert!(!url.contains('?') && !url.contains('#'), "nothing but the request in {url}");
    stage.browser.enter_frame("iframe.flow").await;
    stage.browser.see("#email_or_phone").await;
    if !approved {
        stage.browser.click("#close").await;
        stage.browser.leave_frames().await;
        return;
    }
    stage.identify("customer@email.se").await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    stage.browser.picture(picture).await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.leave_frames().await;
}

async fn popups_that_are_blocked(stage: &Stage, client_id: &str) {
    // A page that wants nothing but a popup hears that there is none.
    with_button(stage, client_id, wanted(), json!({ "initiationMode": "POPUP" })).await;
    stage.run("window.opened = window.open; window.open = () => null", vec![]).await;
    press(stage).await;
    let told = stage.told("error").await;
    assert_eq!(told, json!({ "type": "TECHNICAL_ERROR", "code": "POPUP_BLOCKED", "fields": [] }));
    // The button works as soon as there are popups again.
    stage.run("window.open = window.opened; told.error.length = 0", vec![]).await;
    press(stage).await;
    stage.browser.enter_popup().await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("abort").await["stateReason"], "PURCHASE_FLOW_ABORTED");
    // A page that has a say in delivering is not left: the overlay does it. Any other goes away and comes back, and so
    // does every page on a phone.
    let deaf = "sdk.Payment.off('shippingaddresschange'); sdk.Payment.off('shippingoptionselect');";
    let blocked = "window.open = () => null;";
    let phone = "Object.defineProperty(navigator, 'userAgentData', { value: { mobile: true } });";
    for (script, leaves) in [
        (blocked.to_owned(), false),
        (format!("{deaf}{blocked}"), true),
        (format!("{deaf}{phone}"), true),
        (format!("{phone}{blocked}"), false),
    ] {
        with_button(stage, client_id, wanted(), json!({})).await;
        stage.run(&script, vec![]).await;
        press(stage).await;
        if leaves {
            go_through(stage, false, "").await;
            stage.browser.at("/pages/sdk").await;
            // Heard here: the next page would hear it, too.
            begin(stage, "sdk", client_id).await;
            assert_eq!(stage.told("abort").await["state"], "SUBMITTED");
        } else {
            stage.browser.see("iframe[aria-modal=true]").await;
            stage.browser.enter_frame("iframe[aria-modal=true]").await;
            stage.browser.click("#close").await;
            stage.browser.leave_frames().await;
            assert_eq!(stage.told("abort").await["state"], "SUBMITTED");
        }
    }
}

/// The merchant's server makes the request; a page goes on with its id or its address, or the shopper opens the
/// address and there is no page at all.
async fn made_by_a_server(stage: &Stage, client_id: &str) {
    for part in ["id", "url", "address"] {
        let body = json!({ "currency": "SEK", "amount": 125_000, "locale": "sv-SE" });
        let reply = stage.world.call("POST", "/v2/payment/requests", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.json["payment_request_id"].clone();
        let interaction = &reply.json["state_context"]["customer_interaction"];
        let address = interaction["payment_request_url"].clone();
        if part == "address" {
            stage.browser.leave_popup().await;
            stage.browser.goto(address.as_str().unwrap()).await;
            go_through(stage, false, "").await;
            stage.browser.see("main[data-step=no]").await;
            assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
            stage.browser.picture("request-left").await;
            stage.browser.click("#again").await;
            go_through(stage, true, "request").await;
            stage.browser.see("main[data-step=yes]").await;
            stage.browser.picture("request-paid").await;
            // Whoever opens it again sees that, too.
            stage.browser.goto(address.as_str().unwrap()).await;
            stage.browser.see("main[data-step=yes]").await;
        } else {
            let wanted = if part == "id" {
                json!({ "paymentRequestId": id })
            } else {
                json!({ "paymentRequestUrl": address })
            };
            with_button(stage, client_id, wanted, json!({})).await;
            identify(stage).await;
            stage.choose("pay_later").await;
            stage.confirm().await;
            stage.browser.popup_closes().await;
            assert_eq!(stage.told("complete").await["paymentRequestId"], id);
        }
        let path = format!("/v2/payment/requests/{}", id.as_str().unwrap());
        let read = stage.world.call("GET", &path, &Value::Null).await;
        assert_eq!(read.json["state"], "COMPLETED", "{}", read.text);
    }
}

/// What shoppers do with a purchase afterwards: no API is published that gives out the token which opens it.
async fn what_comes_after_a_purchase(stage: &Stage) {
    let client_id = stage.client_id(&[]).await;
    stage.go("pages/sdk").await;
    let script = "
        const sdk = await Klarna.init({ clientId: arguments[0], products: ['CUSTOMER'] });
        const names = Object.keys(sdk).sort();
        let thrown = null;
        try { sdk.Customer.Transaction.widget('ey'); } catch (error) { thrown = error.errorCode; }
        listenToEvents(sdk.Customer.Transaction, ['widgeterror'], 'Customer.Transaction');
        const told = await new Promise((resolve) => {
          sdk.Customer.Transaction.on('widgeterror', (error, data) => resolve([error.errorCode, data.status]));
          sdk.Customer.Transaction.widget('ey');
        });
        const empty = await new Promise((resolve) => {
          sdk.Customer.Transaction.on('widgeterror', (error) => resolve(error.errorCode));
          sdk.Customer.Transaction.widget();
        });
        return [names, thrown, told, empty];";
    let came = promised(stage, script, vec![json!(client_id)]).await;
    assert_eq!(
        came["value"],
        json!([
            ["Config", "Customer", "Interoperability", "Network"],
            "WIDGET_TOKEN_NOT_FOUND",
            ["WIDGET_TOKEN_NOT_FOUND", "ERROR"],
            "VALIDATION_ERROR",
        ])
    );
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
