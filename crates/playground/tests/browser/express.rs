//! Express checkout by `Klarna.Payments.Buttons`: the button, one step and several steps, the address that is
//! collected, and every result.

use serde_json::{Value, json};

use crate::stage::{Stage, keys};

/// Draws the button of the page; what a click authorizes with is `options` and `payload`.
const DRAW: &str = "
    document.getElementById('one').style.maxWidth = '335px';
    const made = Klarna.Payments.Buttons.init(arguments[0]);
    listenTo('Buttons', made);
    const config = Object.assign({ container: '#one' }, arguments[1]);
    if (config.on_click === undefined) {
      config.on_click = (authorize) => heard('Buttons.authorize', authorize)(window.options, window.payload, tell('express'));
    }
    window.options = arguments[2]; window.payload = arguments[3];
    made.load(config, tell('loaded'));";

const ONE_STEP: &str = "{approved: true, authorization_token, collected_shipping_address, \
                        finalize_required: false, merchant_reference1, session_id, show_form: true}";

pub(crate) async fn cases(stage: &Stage) {
    let client_id = stage.client_id(&[]).await;
    the_button(stage, &client_id).await;
    buttons_that_do_not_work(stage, &client_id).await;
    one_step(stage, &client_id).await;
    several_steps(stage, &client_id).await;
    a_session_of_the_server(stage).await;
    a_button_of_the_merchant(stage, &client_id).await;
    addresses_are_looked_at(stage, &client_id).await;
    no_approval(stage, &client_id).await;
    the_callback_names_the_references(stage, &client_id).await;
}

pub(crate) async fn on_a_phone(stage: &Stage) {
    let client_id = stage.client_id(&[]).await;
    draw(stage, &client_id, json!({ "locale": "sv-SE", "shape": "pill" }), one_step_options())
        .await;
    assert!(!stage.browser.overflows().await);
    stage.browser.picture("button").await;
    to_the_address(stage).await;
    assert!(!stage.browser.overflows().await);
    assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
    stage.browser.picture("address").await;
    stage.browser.close_popup().await;
}

fn one_step_options() -> Value {
    json!({ "collect_shipping_address": true, "auto_finalize": true })
}

fn several_step_options() -> Value {
    json!({ "collect_shipping_address": true, "auto_finalize": false })
}

fn payload() -> Value {
    let mut payload = Stage::swedish();
    payload["merchant_reference1"] = json!("WEB-1001");
    payload
}

/// The shop with a button that works.
async fn draw(stage: &Stage, client_id: &str, config: Value, options: Value) {
    stage.go("").await;
    let init = json!({ "client_id": client_id, "integrator": {}, "originators": [] });
    stage.run(DRAW, vec![init, config, options, payload()]).await;
    assert_eq!(stage.told("loaded").await, json!({ "show_form": true }));
}

/// Presses it and goes on until the address is asked for. A click on the container meets the button in its shadow.
async fn to_the_address(stage: &Stage) {
    stage.browser.click("#one").await;
    stage.browser.enter_popup().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("#street_address").await;
}

async fn press(stage: &Stage) {
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
}

async fn pay(stage: &Stage, offer: &str) {
    stage.choose(offer).await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
}

async fn the_button(stage: &Stage, client_id: &str) {
    stage.go("").await;
    let script = "
        const all = Klarna.Payments.Buttons.init({ client_id: arguments[0] });
        const done = [];
        document.body.style.background = '#fff';
        for (const theme of ['default', 'light', 'dark', 'outlined']) for (const shape of ['default', 'rect', 'pill']) {
          const place = document.createElement('div');
          place.style.margin = '8px';
          document.body.append(place);
          all.load({ container: place, theme, shape, locale: 'sv-SE', on_click() {} }, (result) => done.push(result.show_form));
        }
        window.done = done;";
    stage.run(script, vec![json!(client_id)]).await;
    stage
        .browser
        .wait("all buttons", async |client| {
            let done = client.execute("return window.done", vec![]).await?;
            Ok((done == json!(vec![true; 12])).then_some(()))
        })
        .await;
    stage.browser.picture("buttons").await;
    draw(
        stage,
        client_id,
        json!({ "locale": "sv-SE", "theme": "light", "shape": "pill" }),
        json!({}),
    )
    .await;
    let script = "
        const button = document.getElementById('one').shadowRoot.querySelector('button');
        const style = getComputedStyle(button);
        button.focus();
        return [button.innerText.split('\\n')[0], style.borderTopLeftRadius, button.getBoundingClientRect().height,
          document.activeElement.id || document.activeElement.tagName, style.backgroundColor];";
    let told = stage.run(script, vec![]).await;
    assert_eq!(told[0], "Fortsätt med Klarna");
    assert_eq!((&told[1], &told[2]), (&json!("999px"), &json!(48)));
    assert_eq!(told[4], "rgb(249, 248, 245)");
    // A container with a height of its own gives it to the button; the language falls back to English.
    stage
        .run(
            "document.getElementById('two').style.height = '40px';
             Klarna.Payments.Buttons.init({ client_key: arguments[0] })
               .load({ container: document.getElementById('two'), locale: 'tlh', on_click() {} }, tell('two'));",
            vec![json!(client_id)],
        )
        .await;
    assert_eq!(stage.told("two").await, json!({ "show_form": true }));
    let script = "
        const button = document.getElementById('two').shadowRoot.querySelector('button');
        return [button.innerText.split('\\n')[0], button.getBoundingClientRect().height];";
    assert_eq!(stage.run(script, vec![]).await, json!(["Continue with Klarna", 40]));
}

async fn buttons_that_do_not_work(stage: &Stage, client_id: &str) {
    let foreign = stage.client_id(&["https://other.example"]).await;
    let unknown = "klarna_test_client_unknownunknown";
    for (init, config, says) in [
        (json!({ "client_id": unknown }), json!({}), "no such client identifier"),
        (json!({ "client_id": foreign }), json!({}), "not allowed"),
        (json!({}), json!({}), "client_id"),
        (json!({ "client_id": client_id }), json!({ "container": "#gone" }), "container"),
        (json!({ "client_id": client_id }), json!({ "on_click": null }), "on_click"),
    ] {
        stage.go("").await;
        stage.run(DRAW, vec![init, config, json!({}), json!({})]).await;
        let told = stage.told("loaded").await;
        assert_eq!(keys(&told), ["error", "show_form"]);
        assert_eq!(told["show_form"], false);
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
        let left = stage
            .run(
                "return document.getElementById('one').shadowRoot?.querySelector('button') ? 1 : 0",
                vec![],
            )
            .await;
        assert_eq!(left, 0, "{says}");
    }
    let script = "listenTo('Buttons', Klarna.Payments.Buttons); return thrown(() => Klarna.Payments.Buttons.init({ client_token: 'abc' }))";
    assert_eq!(stage.run(script, vec![]).await, "InvalidClientTokenError");
    // From outside the page, a session cannot be made for an origin that is not allowed.
    let body = json!({ "client_id": foreign, "page_origin": stage.shop().trim_end_matches('/'), "data": payload() });
    let headers = [("content-type", "application/json")];
    let reply = stage.world.send("POST", "/kp/v1/express", &headers, body.to_string()).await;
    assert_eq!((reply.status, reply.json["code"].as_str()), (403, Some("origin_not_allowed")));
    let headers = [("content-type", "application/json"), ("origin", "https://evil.example")];
    let reply = stage.world.send("POST", "/kp/v1/express", &headers, body.to_string()).await;
    assert_eq!((reply.status, reply.json["code"].as_str()), (403, Some("not_own_page")));
}

async fn one_step(stage: &Stage, client_id: &str) {
    draw(stage, client_id, json!({ "locale": "sv-SE" }), one_step_options()).await;
    to_the_address(stage).await;
    assert!(!stage.browser.url().await.contains('?'), "nothing in the popup's address");
    assert_eq!(stage.browser.stumbling_blocks().await, [""; 0]);
    stage.browser.picture("address").await;
    stage.browser.fill("#street_address", "Karlaplan 3").await;
    press(stage).await;
    stage.choose("pay_later").await;
    stage.browser.shows("address", "Karlaplan 3").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let told = stage.told("express").await;
    let expected: Vec<_> = ONE_STEP.trim_matches(['{', '}']).split(", ").collect();
    let expected: Vec<_> =
        expected.iter().map(|part| part.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(keys(&told), expected);
    assert_eq!((&told["approved"], &told["finalize_required"]), (&json!(true), &json!(false)));
    let address = &told["collected_shipping_address"];
    assert_eq!(
        (&address["street_address"], &address["email"], &address["country"]),
        (&json!("Karlaplan 3"), &json!("customer@email.se"), &json!("SE")),
        "{address}"
    );
    assert_eq!(told["merchant_reference1"], "WEB-1001");
    let mut order = payload();
    order["shipping_address"] = address.clone();
    order["billing_address"] = address.clone();
    let token = told["authorization_token"].as_str().unwrap();
    let path = format!("/payments/v1/authorizations/{token}/order");
    let reply = stage.world.call("POST", &path, &order).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn several_steps(stage: &Stage, client_id: &str) {
    draw(stage, client_id, json!({ "locale": "sv-SE" }), several_step_options()).await;
    to_the_address(stage).await;
    press(stage).await;
    pay(stage, "pay_later").await;
    let told = stage.told("express").await;
    assert_eq!(
        keys(&told),
        [
            "approved",
            "client_token",
            "collected_shipping_address",
            "finalize_required",
            "merchant_reference1",
            "payment_method_categories",
            "session_id",
            "show_form",
        ]
    );
    assert_eq!(told["finalize_required"], true);
    let category = &told["payment_method_categories"][0];
    assert_eq!(keys(category), ["asset_urls", "identifier", "name"]);
    // The checkout page: the order has become dearer by its delivery.
    stage.go("").await;
    let mut full = payload();
    full["order_amount"] = json!(104_900);
    full["order_lines"].as_array_mut().unwrap().push(json!({
        "type": "shipping_fee", "name": "Frakt", "quantity": 1,
        "unit_price": 4_900, "tax_rate": 0, "total_amount": 4_900, "total_tax_amount": 0,
    }));
    stage
        .run(
            "Klarna.Payments.init({ client_token: arguments[0] });
             Klarna.Payments.load({ container: '#one' }, tell('load'));
             onBuy = () => Klarna.Payments.finalize({}, arguments[1], tell('finalize'));
             window.full = arguments[1];
             onBuy = () => Klarna.Payments.finalize({}, window.full, tell('finalize'));",
            vec![told["client_token"].clone(), full.clone()],
        )
        .await;
    assert_eq!(stage.told("load").await, json!({ "show_form": true }));
    stage.browser.click("#buy").await;
    let done = stage.told("finalize").await;
    assert_eq!((&done["approved"], &done["finalize_required"]), (&json!(true), &json!(false)));
    assert_eq!(done["session_id"], told["session_id"]);
    let token = done["authorization_token"].as_str().unwrap();
    let path = format!("/payments/v1/authorizations/{token}/order");
    let reply = stage.world.call("POST", &path, &full).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A session that the merchant's server made: the page gives nothing but the options.
async fn a_session_of_the_server(stage: &Stage) {
    let token = stage.open_bare(Stage::swedish()).await;
    let init = json!({ "client_token": token });
    stage.run(DRAW, vec![init, json!({}), json!({ "auto_finalize": true }), Value::Null]).await;
    assert_eq!(stage.told("loaded").await, json!({ "show_form": true }));
    stage.browser.click("#one").await;
    stage.browser.enter_popup().await;
    stage.identify("customer@email.se").await;
    pay(stage, "pay_now").await;
    let told = stage.told("express").await;
    assert_eq!(
        keys(&told),
        ["approved", "authorization_token", "finalize_required", "session_id", "show_form"]
    );
}

async fn a_button_of_the_merchant(stage: &Stage, client_id: &str) {
    stage.go("").await;
    let script = "
        const made = Klarna.Payments.Buttons.init({ client_id: arguments[0] });
        listenTo('Buttons', made);
        onBuy = () => made.authorize({ collect_shipping_address: true }, window.payload, tell('express'));
        window.payload = arguments[1];";
    stage.run(script, vec![json!(client_id), payload()]).await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("#street_address").await;
    press(stage).await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    stage.browser.client().refresh().await.unwrap();
    // A popup that was loaded anew goes on where it was.
    pay(stage, "pay_later").await;
    assert_eq!(stage.told("express").await["approved"], true);
}

async fn addresses_are_looked_at(stage: &Stage, client_id: &str) {
    draw(stage, client_id, json!({}), one_step_options()).await;
    to_the_address(stage).await;
    stage.browser.fill("#postal_code", "12").await;
    press(stage).await;
    stage.browser.see("#postal_code[aria-invalid=true]").await;
    stage.browser.shows("#problem", "stämma").await;
    stage.browser.picture("address-problem").await;
    stage.browser.fill("#postal_code", "11460").await;
    stage.browser.fill("#city", "").await;
    press(stage).await;
    stage.browser.see("#city[aria-invalid=true]").await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("express").await, json!({ "approved": false, "show_form": true }));
}

async fn no_approval(stage: &Stage, client_id: &str) {
    draw(stage, client_id, json!({}), one_step_options()).await;
    stage.browser.click("#one").await;
    stage.browser.enter_popup().await;
    let busy = "return document.getElementById('one').shadowRoot.querySelector('button').getAttribute('aria-busy')";
    stage.browser.see("#email_or_phone").await;
    stage.browser.leave_popup().await;
    assert_eq!(stage.run(busy, vec![]).await, "true");
    stage.browser.enter_popup().await;
    stage.identify("customer+denied@email.se").await;
    stage.browser.click("#done").await;
    stage.browser.popup_closes().await;
    assert_eq!(stage.told("express").await, json!({ "approved": false, "show_form": false }));
    assert_eq!(stage.run(busy, vec![]).await, "false");

    draw(stage, client_id, json!({}), one_step_options()).await;
    stage
        .run("window.payload.order_amount = 7; window.payload.purchase_currency = 'EUR'", vec![])
        .await;
    stage.browser.click("#one").await;
    let told = stage.told("express").await;
    assert_eq!(keys(&told), ["approved", "error", "show_form"]);
    let fields = told["error"]["invalid_fields"].as_array().unwrap();
    assert!(fields.contains(&json!("purchase_currency")), "{fields:?}");
    stage.browser.popup_closes().await;
}

/// The merchant's server hears as with every approval, and learns which of its orders it is.
async fn the_callback_names_the_references(stage: &Stage, client_id: &str) {
    draw(stage, client_id, json!({}), one_step_options()).await;
    let url = "https://shop.example/callback";
    stage
        .run("window.payload.merchant_urls = { authorization: arguments[0] }", vec![json!(url)])
        .await;
    to_the_address(stage).await;
    press(stage).await;
    pay(stage, "pay_later").await;
    let token = stage.told("express").await["authorization_token"].clone();
    let reply = stage.world.send("GET", "/playground/v1/callbacks", &[], "").await;
    let deliveries = reply.json["callbacks"].as_array().unwrap();
    let own = deliveries.iter().find(|delivery| delivery["body"]["authorization_token"] == token);
    let own = own.unwrap_or_else(|| panic!("{}", reply.text));
    assert_eq!(own["body"]["merchant_reference1"], "WEB-1001");
}
