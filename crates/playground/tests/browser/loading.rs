//! `load`: its three results, its overloads, several widgets, what it draws.

use serde_json::{Value, json};

use crate::stage::{Stage, keys};

pub(crate) async fn cases(stage: &Stage) {
    available(stage).await;
    correctable(stage).await;
    refused(stage).await;
    overloads(stage).await;
    several_widgets(stage).await;
    several_loads_in_a_row(stage).await;
    payment_review(stage).await;
    events_can_be_given_up(stage).await;
    colours_and_scheme(stage).await;
}

async fn available(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    assert_eq!(
        stage.run("return [window.ready, Klarna.OnsiteMessaging]", vec![]).await,
        json!([true, "kept"])
    );
    stage.run("Klarna.Payments.load({ container: '#one', payment_method_category: '' }, tell('load'))", vec![]).await;
    assert_eq!(stage.told("load").await, json!({ "show_form": true }));
    for id in ["klarna-payments-main", "klarna-payments-fullscreen"] {
        let frame = stage.browser.find(&format!("#{id}")).await;
        assert_eq!(frame.attr("name").await.unwrap().as_deref(), Some(id));
        let address = frame.attr("src").await.unwrap().unwrap();
        assert!(!address.contains('?') && !address.contains("ey"), "no token in {address}");
    }
    stage
        .browser
        .wait("a height", async |client| {
            let events = client.execute("return events", vec![]).await?;
            Ok(events.as_array().unwrap().contains(&json!("heightChanged number")).then_some(()))
        })
        .await;
    stage.browser.picture("widget").await;
    stage.browser.enter_frame("#klarna-payments-main").await;
    // 1 000.00 in three parts: the odd öre is in the first.
    stage.browser.shows(".offers", "333,34").await;
    stage.browser.see(".badge").await;
    stage.browser.click("summary").await;
    stage.browser.leave_frames().await;
    stage
        .browser
        .wait("the frame to grow with its content", async |client| {
            let fits = client
                .execute(
                    "return document.getElementById('klarna-payments-main').clientHeight > 500",
                    vec![],
                )
                .await?;
            Ok((fits == Value::Bool(true)).then_some(()))
        })
        .await;
    stage.browser.picture("widget-open").await;
}

async fn correctable(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    let data = json!({ "billing_address": { "email": "not an address", "country": "SE" } });
    stage
        .run("Klarna.Payments.load({ container: '#one' }, arguments[0], tell('load'))", vec![data])
        .await;
    let told = stage.told("load").await;
    assert_eq!(
        told,
        json!({ "show_form": true, "error": { "invalid_fields": ["billing_address.email"] } })
    );
}

async fn refused(stage: &Stage) {
    let mut session = Stage::swedish();
    session["billing_address"] = json!({ "email": "someone+red@example.com", "country": "SE" });
    stage.open(session).await;
    stage.run("Klarna.Payments.load({ container: '#one' }, tell('load'))", vec![]).await;
    assert_eq!(stage.told("load").await, json!({ "show_form": false }));
    stage.browser.picture("widget-refused").await;
}

async fn overloads(stage: &Stage) {
    let token = stage.open_bare(Stage::swedish()).await;
    // A bare string, an element, no callback, a number as text, an unknown option.
    stage.run(
        "Klarna.Payments.init(arguments[0]);
         Klarna.Payments.init({ client_token: arguments[0], integrator: {}, originators: 'x' });
         Klarna.Payments.load({ container: document.getElementById('one'), purchase_amount: '1000', whatever: 1 });",
        vec![json!(token)],
    ).await;
    stage.browser.see("#klarna-payments-main").await;
    // A second copy of the script leaves the first one's widgets alone.
    stage
        .run(
            "const before = Klarna.Payments; const again = document.createElement('script');
         again.src = document.querySelector('script[src]').src + '2';
         again.onload = () => { window.same = before === Klarna.Payments; };
         document.head.append(again);",
            vec![],
        )
        .await;
    stage
        .browser
        .wait("the second copy", async |client| {
            let same = client
                .execute("return window.same === undefined ? null : window.same", vec![])
                .await?;
            Ok(same.as_bool())
        })
        .await;
    assert_eq!(stage.run("return window.same", vec![]).await, true);
}

async fn several_widgets(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage.run(
        "Klarna.Payments.load({ container: '#one', payment_method_category: 'pay_later' }, tell('later'));
         Klarna.Payments.load({ container: '#two', payment_method_categories: ['pay_now', 'pay_over_time'], instance_id: 'klarna-payments' }, tell('mixed'));",
        vec![],
    ).await;
    assert_eq!(stage.told("later").await, json!({ "show_form": true }));
    assert_eq!(stage.told("mixed").await, json!({ "show_form": true }));
    stage.browser.find("#one > #klarna-pay-later-main").await;
    stage.browser.find("#two > #klarna-klarna-payments-main").await;
    stage.browser.enter_frame("#klarna-pay-later-main").await;
    let shown = stage.run("return document.querySelectorAll('.offers > li').length", vec![]).await;
    assert_eq!(shown, 1);
    stage.browser.leave_frames().await;
    // Which of the two is meant must be said now.
    let script = "return thrown(() => Klarna.Payments.finalize({}, {}, tell('unnamed')))";
    assert_eq!(stage.run(script, vec![]).await, "PaymentMethodCategoryNotProvidedError");
    let script = "return thrown(() => Klarna.Payments.reauthorize(tell('unnamed again')))";
    assert_eq!(stage.run(script, vec![]).await, "PaymentMethodCategoryNotProvidedError");
    let script = "return thrown(() => Klarna.Payments.authorize({}, tell('not repeated')))";
    assert_eq!(stage.run(script, vec![]).await, "ApplicationNotLoadedError");
}

async fn several_loads_in_a_row(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage.run(
        "for (const name of ['first', 'second', 'third']) Klarna.Payments.load({ container: '#one' }, tell(name));
         Klarna.Payments.load({ container: '#two' }, tell('moved'));",
        vec![],
    ).await;
    for name in ["first", "second", "third", "moved"] {
        assert_eq!(keys(&stage.told(name).await), ["show_form"]);
    }
    let frames =
        stage.run("return document.querySelectorAll('iframe[id$=-main]').length", vec![]).await;
    assert_eq!(frames, 1);
    stage.browser.see("#two > #klarna-payments-main").await;
}

async fn payment_review(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage.load().await;
    let script = "return thrown(() => Klarna.Payments.loadPaymentReview({ container: '#two' }, tell('review')))";
    assert_eq!(stage.run(script, vec![]).await, "OperationNotSupportedError");
    assert_eq!(stage.told("review").await, json!({ "show_form": false }));
    stage.open(json!({
        "purchase_country": "US", "purchase_currency": "USD", "locale": "en-US", "order_amount": 5_000, "order_tax_amount": 0,
        "order_lines": [{ "name": "Mug", "quantity": 1, "unit_price": 5_000, "total_amount": 5_000 }],
    })).await;
    stage
        .run("Klarna.Payments.loadPaymentReview({ container: '#two' }, tell('review'))", vec![])
        .await;
    assert_eq!(stage.told("review").await, json!({ "show_form": true }));
}

async fn events_can_be_given_up(stage: &Stage) {
    stage.open(Stage::swedish()).await;
    stage.run(
        "const gone = () => events.push('gone'); Klarna.Payments.on('heightChanged', gone); Klarna.Payments.off('heightChanged', gone);
         Klarna.Payments.on('paymentMethodSelected', gone); Klarna.Payments.off('fullscreenOverlayShown');",
        vec![],
    ).await;
    stage.load().await;
    stage
        .browser
        .wait("a height", async |client| {
            let events = client.execute("return events", vec![]).await?;
            assert!(!events.as_array().unwrap().contains(&json!("gone")));
            Ok((!events.as_array().unwrap().is_empty()).then_some(()))
        })
        .await;
}

async fn colours_and_scheme(stage: &Stage) {
    let mut session = Stage::swedish();
    session["options"] = json!({ "color_border": "#FF9900", "radius_border": "5px" });
    stage.open(session).await;
    stage
        .run(
            "document.body.style.backgroundColor = '#101014'; document.body.style.color = '#eee'",
            vec![],
        )
        .await;
    stage.load().await;
    stage.browser.enter_frame("#klarna-payments-main").await;
    let script = "const style = getComputedStyle(document.querySelector('.card'));
        return [style.borderTopColor, style.borderTopLeftRadius, document.documentElement.dataset.scheme]";
    assert_eq!(stage.run(script, vec![]).await, json!(["rgb(255, 153, 0)", "5px", "dark"]));
    stage.browser.leave_frames().await;
    stage.browser.picture("widget-dark").await;
}
