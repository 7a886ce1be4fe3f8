//! `authorize`, `reauthorize`, `finalize`: every result of the callback table, in popup and overlay.

use serde_json::{Value, json};

use crate::stage::{Stage, keys};

const AUTHORIZE: &str = "Klarna.Payments.authorize({}, tell('authorize'))";
const SEPARATE: &str = "Klarna.Payments.authorize({ auto_finalize: false }, {}, tell('authorize'))";
const BLOCKED: &str = "window.open = () => null";

pub(crate) async fn cases(stage: &Stage) {
    approved(stage).await;
    approved_without_a_second_step(stage).await;
    finalized(stage).await;
    finalize_broken_off(stage).await;
    finalize_with_data_to_correct(stage).await;
    invalid(stage).await;
    left(stage).await;
    popup_closed(stage).await;
    declined(stage).await;
    reauthorized(stage).await;
    popup_blocked(stage).await;
    overlay_by_keyboard(stage).await;
    wrong_entries(stage).await;
    new_customer(stage).await;
    step_ups(stage).await;
    reloaded_and_clicked_twice(stage).await;
    queued_while_loading(stage).await;
    solidus_style(stage).await;
    order_changed_under_way(stage).await;
    session_ended(stage).await;
    strangers_are_not_heard(stage).await;
}

async fn ready(stage: &Stage, on_buy: &str) -> String {
    let token = stage.open(Stage::swedish()).await;
    stage.load().await;
    stage.on_buy(on_buy).await;
    token
}

fn check_approved(told: &Value) {
    assert_eq!(keys(told), ["approved", "authorization_token", "show_form"], "{told}");
    assert_eq!((&told["approved"], &told["show_form"]), (&json!(true), &json!(true)));
}

async fn approved(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.run("events.length = 0", vec![]).await;
    stage.buy().await;
    assert!(!stage.browser.url().await.contains('?'), "nothing in the popup's address");
    stage.browser.see("#email_or_phone").await;
    stage.browser.picture("1-identify").await;
    stage.browser.click("[data-person=approved]").await;
    assert_eq!(stage.browser.value("#email_or_phone").await, "customer@email.se");
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("#otp_field").await;
    stage.browser.picture("2-code").await;
    stage.browser.fill("#otp_field", "123456").await;
    stage.browser.see("[data-testid=\"offer-financing_12\"]").await;
    stage.browser.click("[data-testid=\"offer-instalments_3\"]").await;
    stage.browser.picture("3-choose").await;
    stage.browser.shows(".offer:has(:checked) .plan", "333,34").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.shows(".lines", "Kaffekvarn").await;
    stage.browser.picture("4-review").await;
    stage.browser.click("#change").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.shows("h1", "Godkänt").await;
    stage.browser.popup_closes().await;
    check_approved(&stage.told("authorize").await);
    let events =
        stage.run("return events.filter((name) => !name.startsWith('height'))", vec![]).await;
    assert_eq!(events, json!(["fullscreenOverlayShown", "fullscreenOverlayHidden"]));
    let order = {
        let token =
            stage.told("authorize").await["authorization_token"].as_str().unwrap().to_owned();
        let path = format!("/payments/v1/authorizations/{token}/order");
        stage.world.call("POST", &path, &Stage::swedish()).await
    };
    assert_eq!(order.status, 200, "{}", order.text);
}

async fn approved_without_a_second_step(stage: &Stage) {
    ready(stage, SEPARATE).await;
    stage.approve_in_popup("pay_later").await;
    let told = stage.told("authorize").await;
    assert_eq!(keys(&told), ["approved", "authorization_token", "finalize_required", "show_form"]);
    assert_eq!(told["finalize_required"], false);
}

async fn finalized(stage: &Stage) {
    ready(stage, SEPARATE).await;
    stage.approve_in_popup("bank").await;
    assert_eq!(
        stage.told("authorize").await,
        json!({ "approved": true, "show_form": true, "finalize_required": true })
    );
    stage.run("Klarna.Payments.finalize({}, {}, tell('finalize'))", vec![]).await;
    stage.enter_overlay("payments").await;
    stage.browser.see("#bank").await;
    stage.browser.picture("bank").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.leave_overlay("payments").await;
    check_approved(&stage.told("finalize").await);
    // Once more: nothing waits, the token stands.
    stage.run("Klarna.Payments.finalize({}, {}, tell('again'))", vec![]).await;
    check_approved(&stage.told("again").await);
}

async fn finalize_broken_off(stage: &Stage) {
    ready(stage, SEPARATE).await;
    stage.approve_in_popup("bank").await;
    stage.run("Klarna.Payments.finalize({}, {}, tell('finalize'))", vec![]).await;
    stage.enter_overlay("payments").await;
    stage.browser.fill("#answer", "FAIL").await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.leave_overlay("payments").await;
    assert_eq!(stage.told("finalize").await, json!({ "approved": false, "show_form": false }));
}

async fn finalize_with_data_to_correct(stage: &Stage) {
    ready(stage, SEPARATE).await;
    stage.approve_in_popup("bank").await;
    let data = "{ billing_address: { email: 'nobody', country: 'SE' } }";
    stage.run(&format!("Klarna.Payments.finalize({{}}, {data}, tell('finalize'))"), vec![]).await;
    assert_eq!(
        stage.told("finalize").await,
        json!({
            "approved": false, "show_form": true,
            "error": { "invalid_fields": ["billing_address.email"] },
        })
    );
}

async fn invalid(stage: &Stage) {
    let data = "{ billing_address: { email: 'nobody', postal_code: '1', country: 'SE' } }";
    ready(stage, &format!("Klarna.Payments.authorize({{}}, {data}, tell('authorize'))")).await;
    stage.browser.click("#buy").await;
    let told = stage.told("authorize").await;
    assert_eq!(keys(&told), ["approved", "error", "show_form"]);
    assert_eq!((&told["approved"], &told["show_form"]), (&json!(false), &json!(true)));
    assert_eq!(
        told["error"]["invalid_fields"],
        json!(["billing_address.email", "billing_address.postal_code"])
    );
    stage.browser.popup_closes().await;
}

async fn left(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    // Escape asks first; staying stays.
    stage.browser.keys("\u{e00c}").await;
    stage.browser.see("dialog[open]").await;
    stage.browser.picture("leave").await;
    stage.browser.click("#stay").await;
    stage.browser.gone("dialog").await;
    stage.browser.click("#close").await;
    stage.browser.click("#leave").await;
    stage.browser.popup_closes().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}

async fn popup_closed(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
    // Closed while it says that it was approved: the server is asked, and knows.
    stage.run("told = {}", vec![]).await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.choose("pay_later").await;
    stage.run("setTimeout(() => document.querySelector('[data-testid=\"confirm-and-pay\"]').click(), 0)", vec![]).await;
    stage.browser.see("main[data-step=approved]").await;
    stage.browser.close_popup().await;
    check_approved(&stage.told("authorize").await);
}

async fn declined(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.identify("customer+denied@email.se").await;
    stage.browser.shows("h1", "Ditt köp kan inte godkännas").await;
    stage.browser.picture("declined").await;
    stage.browser.click("#done").await;
    stage.browser.popup_closes().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": false }));
}

async fn reauthorized(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.approve_in_popup("pay_later").await;
    let first = stage.told("authorize").await["authorization_token"].clone();
    stage.run("Klarna.Payments.reauthorize({}, tell('same'))", vec![]).await;
    let same = stage.told("same").await;
    assert_eq!(keys(&same), ["approved", "authorization_token"]);
    assert_ne!(same["authorization_token"], first);
    let overlays =
        stage.run("return events.filter((name) => name.endsWith('Shown')).length", vec![]).await;
    assert_eq!(overlays, 1, "only authorize had anything to ask");

    let dearer = vec![Stage::dearer()];
    stage.run("Klarna.Payments.reauthorize({}, arguments[0], tell('dearer'))", dearer).await;
    stage.enter_overlay("payments").await;
    stage.browser.shows(".total", "1").await;
    stage.confirm().await;
    stage.leave_overlay("payments").await;
    assert_eq!(keys(&stage.told("dearer").await), ["approved", "authorization_token"]);

    let data = "{ billing_address: { email: 'nobody', country: 'SE' } }";
    stage.run(&format!("Klarna.Payments.reauthorize({{}}, {data}, tell('invalid'))"), vec![]).await;
    assert_eq!(
        stage.told("invalid").await,
        json!({ "approved": false, "error": { "invalid_fields": ["billing_address.email"] } })
    );

    // Without anything approved or loaded before, everything is asked, and it can be left.
    stage.open(Stage::swedish()).await;
    stage.run("Klarna.Payments.reauthorize(tell('left'))", vec![]).await;
    stage.enter_overlay("payments").await;
    stage.browser.click("#close").await;
    stage.leave_overlay("payments").await;
    assert_eq!(stage.told("left").await, json!({ "approved": false }));
}

async fn popup_blocked(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.run(BLOCKED, vec![]).await;
    stage.browser.click("#buy").await;
    let frame = stage.browser.see("#klarna-payments-fullscreen").await;
    assert_eq!(frame.attr("aria-modal").await.unwrap().as_deref(), Some("true"));
    stage.enter_overlay("payments").await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.leave_frames().await;
    stage.browser.picture("overlay").await;
    stage.enter_overlay("payments").await;
    stage.identify("customer@email.se").await;
    stage.choose("pay_now").await;
    stage.confirm().await;
    stage.leave_overlay("payments").await;
    check_approved(&stage.told("authorize").await);
    let focused = stage
        .run("return [document.activeElement.id, document.documentElement.style.overflow]", vec![])
        .await;
    assert_eq!(focused, json!(["buy", ""]), "the page has its focus and its scrolling back");
}

/// Without a mouse, and without leaving the overlay by Tab.
async fn overlay_by_keyboard(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.run(BLOCKED, vec![]).await;
    stage.browser.click("#buy").await;
    stage.enter_overlay("payments").await;
    stage
        .browser
        .wait("the focus in the first field", async |client| {
            let id = client.execute("return document.activeElement.id", vec![]).await?;
            Ok((id == "email_or_phone").then_some(()))
        })
        .await;
    for _ in 0..12 {
        stage.browser.keys("\u{e004}").await;
        let inside = stage
            .run("return document.hasFocus() && document.activeElement !== document.body", vec![])
            .await;
        assert_eq!(inside, true, "Tab left the overlay");
    }
    stage.run("document.getElementById('email_or_phone').focus()", vec![]).await;
    stage.browser.keys("customer@email.se\u{e007}").await;
    stage.browser.see("#otp_field").await;
    stage.browser.keys("123456").await;
    stage.browser.see("[data-testid=\"offer-pay_now\"]").await;
    stage.browser.keys("\u{e007}").await;
    stage.browser.see("[data-testid=\"confirm-and-pay\"]").await;
    stage.browser.keys("\u{e00c}").await;
    stage.browser.see("dialog[open]").await;
    stage.browser.click("#leave").await;
    stage.leave_overlay("payments").await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}

async fn wrong_entries(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.browser.fill("#email_or_phone", "nobody").await;
    stage.browser.click("#onContinue").await;
    stage.browser.shows("#problem[role=alert]", "telefonnummer").await;
    assert_eq!(
        stage.browser.attribute("#email_or_phone", "aria-invalid").await.as_deref(),
        Some("true")
    );
    stage.browser.picture("problem").await;
    stage.browser.fill("#email_or_phone", "+46701740615").await;
    stage.browser.click("#onContinue").await;
    stage.browser.shows("h1 + p", "••• 615").await;
    stage.browser.fill("#otp_field", "999999").await;
    stage.browser.shows("#problem", "stämmer inte").await;
    stage.browser.click("#back").await;
    assert_eq!(stage.browser.value("#email_or_phone").await, "+46701740615");
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}

async fn new_customer(stage: &Stage) {
    let mut session = Stage::swedish();
    session["billing_address"] =
        json!({ "given_name": "Person", "email": "customer+new_user@email.se", "country": "SE" });
    stage.open(session).await;
    stage.load().await;
    stage.on_buy(AUTHORIZE).await;
    stage.buy().await;
    stage.browser.see("#email_or_phone").await;
    assert_eq!(stage.browser.value("#email_or_phone").await, "customer+new_user@email.se");
    stage.browser.click("#onContinue").await;
    stage.browser.click("#fill-code").await;
    stage.browser.see("#given_name").await;
    assert_eq!(stage.browser.value("#given_name").await, "Person");
    stage.browser.picture("sign-up").await;
    for (field, value) in [
        ("family_name", "Test"),
        ("street_address", "Karlaplan 3"),
        ("postal_code", "11460"),
        ("city", "Stockholm"),
    ] {
        stage.browser.fill(&format!("#{field}"), value).await;
    }
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.browser.see("#date_of_birth[aria-invalid=true]").await;
    stage.run("document.getElementById('date_of_birth').value = '2000-01-01'", vec![]).await;
    stage.browser.click("[data-testid=\"kaf-button\"]").await;
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    check_approved(&stage.told("authorize").await);
}

async fn step_ups(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    for (tag, pass, fail) in [
        ("auth_id_scan", "[value=pass]", Some("[value=fail]")),
        ("auth_bank_login", "[data-testid=\"kaf-button\"]", None),
        ("auth_bank_id_fi", "[data-testid=\"kaf-button\"]", None),
        ("auth_monthio", "[data-testid=\"kaf-button\"]", None),
        ("auth_otp_email", "#fill-code", None),
        ("auth_cvv_entry", "[data-testid=\"kaf-button\"]", None),
    ] {
        stage.run("told = {}", vec![]).await;
        stage.buy().await;
        stage.identify(&format!("customer+denied+{tag}@email.se")).await;
        stage.browser.gone("main[data-step=code]").await;
        stage.browser.see("main[data-step]").await;
        stage.browser.picture(&format!("step-up-{tag}")).await;
        if tag == "auth_cvv_entry" {
            stage.browser.fill("#answer", "123").await;
        }
        stage.browser.click(pass).await;
        stage.choose("pay_later").await;
        stage.confirm().await;
        stage.browser.popup_closes().await;
        check_approved(&stage.told("authorize").await);
        if let Some(fail) = fail {
            stage.run("told = {}", vec![]).await;
            stage.buy().await;
            stage.identify(&format!("customer+denied+{tag}@email.se")).await;
            stage.browser.click(fail).await;
            stage.browser.click("#done").await;
            stage.browser.popup_closes().await;
            assert_eq!(
                stage.told("authorize").await,
                json!({ "approved": false, "show_form": false })
            );
        }
    }
}

async fn reloaded_and_clicked_twice(stage: &Stage) {
    ready(stage, "Klarna.Payments.authorize(tell('one')); Klarna.Payments.authorize(tell('two'))")
        .await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    stage.browser.client().refresh().await.unwrap();
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    let (one, two) = (stage.told("one").await, stage.told("two").await);
    check_approved(&one);
    assert_eq!(one, two);
}

async fn queued_while_loading(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage
        .on_buy(
            "Klarna.Payments.load({ container: '#one', payment_method_category: 'pay_later' });
        Klarna.Payments.authorize({ payment_method_category: 'pay_later' }, tell('authorize'))",
        )
        .await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.browser.see("[data-testid=\"offer-pay_later\"]").await;
    assert_eq!(stage.run("return document.querySelectorAll('.offer').length", vec![]).await, 1);
    stage.choose("pay_later").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    check_approved(&stage.told("authorize").await);
}

/// Data and a callback, no options.
async fn solidus_style(stage: &Stage) {
    let data = "{ billing_address: { email: 'customer@email.se', country: 'SE' } }";
    ready(stage, &format!("Klarna.Payments.authorize({data}, tell('authorize'))")).await;
    stage.buy().await;
    stage.browser.see("#email_or_phone").await;
    assert_eq!(stage.browser.value("#email_or_phone").await, "customer@email.se");
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}

async fn order_changed_under_way(stage: &Stage) {
    let reply = stage.world.call("POST", "/payments/v1/sessions", &Stage::swedish()).await;
    let session_id = reply.json["session_id"].as_str().unwrap().to_owned();
    stage.open_bare(Stage::swedish()).await;
    stage.run("Klarna.Payments.init(arguments[0])", vec![reply.json["client_token"].clone()]).await;
    stage.load().await;
    stage.on_buy(AUTHORIZE).await;
    stage.buy().await;
    stage.identify("customer@email.se").await;
    stage.choose("instalments_3").await;
    let update = stage
        .world
        .call("POST", &format!("/payments/v1/sessions/{session_id}"), &Stage::dearer())
        .await;
    assert_eq!(update.status, 204, "{}", update.text);
    stage.confirm().await;
    stage.browser.shows("#problem", "ändrade").await;
    stage.browser.shows(".plan", "416,68").await;
    stage.confirm().await;
    stage.browser.popup_closes().await;
    check_approved(&stage.told("authorize").await);
}

async fn session_ended(stage: &Stage) {
    ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.browser.see("#email_or_phone").await;
    stage.world.advance("P3D").await;
    stage.browser.fill("#email_or_phone", "customer@email.se").await;
    stage.browser.click("#onContinue").await;
    stage.browser.shows("h1", "avslutat").await;
    stage.browser.picture("ended").await;
    stage.browser.click("#done").await;
    stage.browser.popup_closes().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": false }));
}

/// Messages that only look right, and calls from elsewhere, have no effect.
async fn strangers_are_not_heard(stage: &Stage) {
    let token = ready(stage, AUTHORIZE).await;
    stage.buy().await;
    stage.browser.see("#email_or_phone").await;
    stage.browser.leave_popup().await;
    stage.run(
        "for (let request = 0; request < 5; request += 1) window.postMessage({ kassa: 1, type: 'result', request, result: { approved: true } }, '*');
         const frame = document.createElement('iframe');
         frame.srcdoc = '<script>for (let n = 0; n < 5; n += 1) parent.postMessage({ kassa: 1, type: \"result\", request: n, result: { approved: true } }, \"*\"); parent.postMessage(\"done\", \"*\")<\\/script>';
         window.addEventListener('message', (event) => { if (event.data === 'done') window.posted = true; });
         document.body.append(frame);",
        vec![],
    ).await;
    stage
        .browser
        .wait("the forged messages", async |client| {
            Ok(client
                .execute("return window.posted === true", vec![])
                .await?
                .as_bool()
                .filter(|done| *done))
        })
        .await;
    assert_eq!(stage.run("return told.authorize", vec![]).await, json!([]));
    // Another origin cannot use the token from a browser.
    let refused = stage.run(
        "return fetch(arguments[0] + '/kp/v1/load', { method: 'POST', headers: { authorization: 'Bearer ' + arguments[1] }, body: '{}' })
            .then(() => 'answered', () => 'refused')",
        vec![json!(stage.world.public_url()), json!(token)],
    ).await;
    assert_eq!(refused, "refused");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("origin", "https://evil.example"),
        ("content-type", "application/json"),
    ];
    let reply = stage.world.send("POST", "/kp/v1/load", &headers, "{}").await;
    assert_eq!((reply.status, reply.json["code"].as_str()), (403, Some("not_own_page")));
    let reply =
        stage.world.send("POST", "/kp/v1/load", &[("authorization", "Bearer a.b.c")], "{}").await;
    assert_eq!((reply.status, reply.json["code"].as_str()), (401, Some("no_token")));
    stage.browser.enter_popup().await;
    stage.browser.close_popup().await;
    assert_eq!(stage.told("authorize").await, json!({ "approved": false, "show_form": true }));
}
