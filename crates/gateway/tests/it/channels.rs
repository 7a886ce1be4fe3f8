//! Checkouts of every channel over HTTP, against a playground: hosted pages, purchases in a store,
//! apps, several steps, organisations.

use std::time::Duration;

use crate::faulty::Hit;
use crate::town::{Reply, Town, cart};
use serde_json::{Value, json};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// A cart with more said.
fn with(more: &Value) -> Value {
    let mut body = cart();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn id(checkout: &Value) -> &str {
    checkout["id"].as_str().unwrap()
}

impl Town {
    async fn open(&self, more: &Value) -> Value {
        let opened = self.call("POST", "/v1/checkouts", &with(more)).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        opened.body
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Reply {
        let url = format!("{}playground/v1/{path}", self.playground.url());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, url, &JSON, body).await
    }

    /// The shopper does something on the checkout's page.
    async fn shopper(&self, checkout: &Value, action: &str) -> Reply {
        let page = &checkout["page"];
        let url = if page["redirect_url"].is_string() {
            &page["redirect_url"]
        } else {
            &page["qr_code_url"]
        };
        self.control("POST", "shopper/hosted", &json!({ "url": url, "action": action })).await
    }

    async fn read(&self, checkout: &Value) -> Value {
        let path = format!("/v1/checkouts/{}", id(checkout));
        let read = self.call("GET", &path, &Value::Null).await;
        assert_eq!(read.status, 200, "{}", read.text);
        read.body
    }

    /// As a shop reads it when the shopper comes back.
    async fn read_patiently(&self, checkout: &Value) -> Value {
        let path = format!("/v1/checkouts/{}", id(checkout));
        let read = self.call_with("GET", &path, &Value::Null, &[("prefer", "wait=20")]).await;
        assert_eq!(read.status, 200, "{}", read.text);
        read.body
    }

    async fn act(&self, checkout: &Value, action: &str, body: &Value) -> Reply {
        self.call("POST", &format!("/v1/checkouts/{}/{action}", id(checkout)), body).await
    }

    /// Waits until the checkout is as wished; nobody asks Klarna but the gateway itself.
    async fn until(&self, checkout: &Value, what: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let now = self.read(checkout).await;
            if wished(&now) {
                return now;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited for {what}: {now}");
            tokio::task::yield_now().await;
        }
    }

    async fn order_count(&self) -> usize {
        let all = self.call("GET", "/v1/payments?limit=100", &Value::Null).await;
        all.body["data"].as_array().unwrap().len()
    }
}

fn hosted() -> Value {
    json!({
        "channel": "hosted",
        "confirmation_url": "https://shop.example/thanks?checkout={checkout_id}",
        "page": {
            "failure_url": "https://shop.example/no", "back_url": "https://shop.example/back",
            "page_title": "Betala", "purchase_type": "ORDER",
        },
    })
}

#[tokio::test]
async fn a_hosted_page_is_paid_and_makes_one_order() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&hosted()).await;
        assert_eq!(checkout["channel"], "hosted");
        assert_eq!(checkout["page"]["status"], "waiting");
        assert_eq!(checkout["redirect_url"], checkout["page"]["redirect_url"]);
        assert!(checkout["redirect_url"].as_str().unwrap().contains("/hpp-page/"), "{checkout}");
        assert!(checkout["klarna"].is_null(), "no token is needed: {checkout}");

        let paid = town.shopper(&checkout, "approve").await;
        assert_eq!(paid.body["status"], "COMPLETED", "{}", paid.text);
        assert!(paid.body["order_id"].is_null(), "the page places no order: {}", paid.text);
        let back = paid.body["url"].as_str().unwrap();
        assert_eq!(back, format!("https://shop.example/thanks?checkout={}", id(&checkout)));

        let (one, two) =
            tokio::join!(town.read_patiently(&checkout), town.read_patiently(&checkout));
        for done in [&one, &two] {
            assert_eq!(done["status"], "completed", "{done}");
            assert_eq!(done["page"]["status"], "completed");
            assert!(done["redirect_url"].is_null() && done["page"]["redirect_url"].is_null());
        }
        assert_eq!(one["payment_id"], two["payment_id"]);
        assert_eq!(town.order_count().await, 1);
        let path = format!("/v1/payments/{}/captures", one["payment_id"].as_str().unwrap());
        let captured = town.call("POST", &path, &Value::Null).await;
        assert_eq!((captured.status, &captured.body["status"]), (201, &json!("captured")));
        town.end().await;
    }
}

#[tokio::test]
async fn a_hosted_payment_is_learnt_although_the_shopper_never_comes_back() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&hosted()).await;
        town.shopper(&checkout, "open").await;
        town.until(&checkout, "the page in progress", |now| now["page"]["status"] == "in_progress")
            .await;
        let declined = town.shopper(&checkout, "deny").await;
        assert_eq!(declined.body["status"], "FAILED", "{}", declined.text);
        let now =
            town.until(&checkout, "the refusal", |now| now["page"]["status"] == "declined").await;
        assert_eq!(now["status"], "open", "the shopper may try again");
        town.shopper(&checkout, "approve").await;
        let done = town.until(&checkout, "the order", |now| now["status"] == "completed").await;
        assert!(done["payment_id"].is_string());
        assert_eq!(town.order_count().await, 1);
        town.end().await;
    }
}

#[tokio::test]
async fn a_purchase_in_a_store_is_watched_called_off_asked_again_and_paid() {
    for town in Town::on_each_engine().await {
        let wish = json!({ "channel": "in_store", "in_store": { "terminal_id": "POS-7" } });
        let checkout = town.open(&wish).await;
        assert!(checkout["page"]["qr_code_url"].is_string(), "{checkout}");
        assert!(checkout["redirect_url"].is_null(), "the counter has no browser to send");
        town.shopper(&checkout, "open").await;
        town.until(&checkout, "the phone", |now| now["page"]["status"] == "in_progress").await;
        let off = town.shopper(&checkout, "cancel").await;
        assert_eq!(off.body["status"], "CANCELLED", "{}", off.text);
        let now = town
            .until(&checkout, "the end of the page", |now| now["page"]["status"] == "cancelled")
            .await;
        assert_eq!(now["status"], "open");
        assert!(now["page"]["qr_code_url"].is_null(), "nobody is sent there any more: {now}");

        let again = town.act(&checkout, "page", &Value::Null).await;
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(again.body["page"]["status"], "waiting");
        assert_ne!(again.body["page"]["qr_code_url"], checkout["page"]["qr_code_url"]);
        let late = town.shopper(&checkout, "approve").await;
        assert!(late.status >= 400, "the page before is over: {}", late.text);
        town.shopper(&again.body, "approve").await;
        let done = town.until(&checkout, "the order", |now| now["status"] == "completed").await;
        assert_eq!(done["page"]["status"], "completed");
        assert_eq!(town.order_count().await, 1);
        let path = format!("/v1/payments/{}", done["payment_id"].as_str().unwrap());
        assert_eq!(town.call("GET", &path, &Value::Null).await.body["status"], "authorized");
        town.end().await;
    }
}

#[tokio::test]
async fn nobody_pays_on_what_was_called_off_and_what_was_paid_is_not_called_off() {
    for town in Town::on_each_engine().await {
        for wish in [hosted(), json!({ "channel": "in_store" })] {
            let checkout = town.open(&wish).await;
            let off = town.act(&checkout, "cancel", &Value::Null).await;
            assert_eq!((off.status, &off.body["status"]), (200, &json!("cancelled")));
            assert_eq!(off.body["page"]["status"], "disabled");
            assert!(town.shopper(&checkout, "approve").await.status >= 400);
            let again = town.act(&checkout, "cancel", &Value::Null).await;
            assert_eq!((again.status, &again.body["status"]), (200, &json!("cancelled")));
            for action in ["page", "send"] {
                let body = match action {
                    "page" => Value::Null,
                    _ => json!({ "method": "email", "email": "customer@email.se" }),
                };
                let refused = town.act(&checkout, action, &body).await;
                assert_eq!(
                    (refused.status, &refused.body["code"]),
                    (409, &json!("state_conflict"))
                );
            }
        }
        assert_eq!(town.order_count().await, 0);

        let checkout = town.open(&hosted()).await;
        town.shopper(&checkout, "approve").await;
        let late = town.act(&checkout, "cancel", &Value::Null).await;
        assert_eq!(late.status, 409, "{}", late.text);
        let done = town.until(&checkout, "the order", |now| now["status"] == "completed").await;
        assert!(done["payment_id"].is_string());
        town.end().await;
    }
}

#[tokio::test]
async fn a_page_that_klarna_could_not_be_asked_to_switch_off_is_switched_off_later() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&json!({ "channel": "in_store" })).await;
        town.klarna.hit_next("disable_page", Hit::NotSent);
        let off = town.act(&checkout, "cancel", &Value::Null).await;
        assert_eq!((off.status, &off.body["status"]), (200, &json!("cancelled")), "{}", off.text);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while town.shopper(&checkout, "open").await.status < 400 {
            assert!(tokio::time::Instant::now() < deadline, "the page stays open");
            tokio::task::yield_now().await;
        }
        assert_eq!(town.order_count().await, 0);
        town.end().await;
    }
}

#[tokio::test]
async fn a_lost_answer_costs_no_order_and_makes_no_second_one() {
    for town in Town::on_each_engine().await {
        town.klarna.hit_next("open_page", Hit::LostAfter);
        let refused = town.call("POST", "/v1/checkouts", &with(&hosted())).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        let checkout = town.open(&hosted()).await;
        town.klarna.hit_next("place_order", Hit::LostAfter);
        town.klarna.hit_next("read_page", Hit::LostAfter);
        town.shopper(&checkout, "approve").await;
        let done = town.until(&checkout, "the order", |now| now["status"] == "completed").await;
        assert!(done["payment_id"].is_string());
        assert_eq!(town.order_count().await, 1);
        town.end().await;
    }
}

#[tokio::test]
async fn a_link_is_sent_once_for_each_request() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&json!({ "channel": "in_store" })).await;
        let path = format!("/v1/checkouts/{}/send", id(&checkout));
        let mail = json!({ "method": "email", "email": "customer@email.se" });
        for _ in 0..2 {
            let sent = town.call_with("POST", &path, &mail, &[("idempotency-key", "mail-1")]).await;
            assert_eq!((sent.status, &sent.body["page"]["sent_by"]), (200, &json!("email")));
            assert!(!sent.text.contains("customer@email.se"), "it is not kept: {}", sent.text);
        }
        let text = json!({ "method": "sms", "phone": "+46701740615", "phone_country": "SE" });
        let sent = town.call("POST", &path, &text).await;
        assert_eq!(
            (sent.status, &sent.body["page"]["sent_by"]),
            (200, &json!("sms")),
            "{}",
            sent.text
        );
        let outbox = town.control("GET", "outbox", &Value::Null).await;
        let messages = outbox.body["messages"].as_array().unwrap();
        let mut channels: Vec<&str> =
            messages.iter().map(|message| message["channel"].as_str().unwrap()).collect();
        channels.sort_unstable();
        assert_eq!(channels, ["email", "sms"], "{}", outbox.text);
        let link = messages[0]["link"].clone();
        let paid = town
            .control("POST", "shopper/hosted", &json!({ "url": link, "action": "approve" }))
            .await;
        assert_eq!(paid.body["status"], "COMPLETED", "{}", paid.text);
        town.until(&checkout, "the order", |now| now["status"] == "completed").await;

        let other = town.open(&json!({ "channel": "in_store" })).await;
        let path = format!("/v1/checkouts/{}/send", id(&other));
        for (body, status) in [
            (json!({ "method": "pigeon" }), 400),
            (json!({ "method": "email" }), 400),
            (json!({ "method": "sms", "phone": "1", "phone_country": "ZZ" }), 422),
        ] {
            let refused = town.call("POST", &path, &body).await;
            assert_eq!(refused.status, status, "{body}: {}", refused.text);
        }
        let inline = town.open(&json!({})).await;
        let refused = town.act(&inline, "send", &mail).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
        town.end().await;
    }
}

#[tokio::test]
async fn an_app_pays_with_klarnas_sdk_or_in_a_tab_of_the_browser() {
    for town in Town::on_each_engine().await {
        let native = json!({ "channel": "native", "app_return_url": "myapp://klarna" });
        let checkout = town.open(&native).await;
        assert!(checkout["klarna"]["client_token"].is_string(), "{checkout}");
        assert!(checkout["page"].is_null());
        let token = town.authorize(&checkout).await;
        let done = town.act(&checkout, "confirm", &json!({ "authorization_token": token })).await;
        assert_eq!(
            (done.status, &done.body["status"]),
            (200, &json!("completed")),
            "{}",
            done.text
        );

        let tab = json!({ "channel": "hosted", "app_return_url": "myapp://klarna" });
        let checkout = town.open(&tab).await;
        let paid = town.shopper(&checkout, "approve").await;
        let back = paid.body["url"].as_str().unwrap();
        assert!(back.starts_with(&town.gateway.url) && back.ends_with("/success"), "{back}");
        let onward = town.send("GET", back.to_owned(), &[], String::new()).await;
        assert_eq!(onward.status, 303, "{}", onward.text);
        assert_eq!(onward.headers["location"], "myapp://klarna");
        town.until(&checkout, "the order", |now| now["status"] == "completed").await;
        let base = &town.gateway.url;
        for nowhere in
            [format!("{base}/back/chk_nothing/success"), back.replace("success", "elsewhere")]
        {
            assert_eq!(town.send("GET", nowhere, &[], String::new()).await.status, 404);
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_checkout_of_several_steps_says_that_its_last_one_is_awaited() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&json!({ "finalize": "later" })).await;
        assert_eq!(checkout["finalize"], "later");
        let call = json!({
            "client_token": checkout["klarna"]["client_token"], "auto_finalize": false,
            "payment_method": "direct_bank_transfer",
        });
        let approved = town.control("POST", "shopper/authorize", &call).await;
        assert_eq!(approved.body["finalize_required"], true, "{}", approved.text);
        let awaited = json!({ "finalize_required": true });
        for _ in 0..2 {
            let kept = town.act(&checkout, "confirm", &awaited).await;
            assert_eq!(
                (kept.status, &kept.body["finalize"]),
                (200, &json!("awaited")),
                "{}",
                kept.text
            );
            assert_eq!(kept.body["status"], "open");
        }
        let changed =
            town.call("POST", &format!("/v1/checkouts/{}", id(&checkout)), &json!({})).await;
        assert_eq!(changed.body["finalize"], "later", "a change needs a new approval");
        town.control("POST", "shopper/authorize", &call).await;
        town.act(&checkout, "confirm", &awaited).await;
        let call = json!({ "client_token": checkout["klarna"]["client_token"] });
        let finalized = town.control("POST", "shopper/finalize", &call).await;
        let token = &finalized.body["authorization_token"];
        let done = town.act(&checkout, "confirm", &json!({ "authorization_token": token })).await;
        assert_eq!(
            (done.status, &done.body["status"]),
            (200, &json!("completed")),
            "{}",
            done.text
        );
        assert_eq!(done.body["finalize"], "later");

        let simple = town.open(&json!({})).await;
        let refused = town.act(&simple, "confirm", &awaited).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("state_conflict")));
        for body in [json!({}), json!({ "finalize_required": true, "authorization_token": "t" })] {
            assert_eq!(town.act(&simple, "confirm", &body).await.status, 400, "{body}");
        }
        town.end().await;
    }
}

/// What Klarna was sent with the newest call to this path.
async fn sent(town: &Town, method: &str, path: &str) -> Value {
    let log = town.control("GET", "requests?limit=50", &Value::Null).await;
    let calls = log.body["requests"].as_array().unwrap();
    let call = calls.iter().find(|call| {
        call["method"] == method && call["path"].as_str().is_some_and(|at| at.contains(path))
    });
    let body =
        call.unwrap_or_else(|| panic!("no call to {path} in {}", log.text))["request_body"].clone();
    match body {
        Value::String(text) => serde_json::from_str(&text).unwrap(),
        other => other,
    }
}

#[tokio::test]
async fn an_organisation_buys_and_everything_that_was_said_reaches_klarna() {
    for town in Town::on_each_engine().await {
        let wish = json!({
            "merchant_reference2": "ERP-9", "merchant_data": "{\"cart\":7}",
            "customer": {
                "type": "organization", "organization_registration_id": "556036-0793",
                "organization_entity_type": "LIMITED_COMPANY", "vat_id": "SE556036079301",
            },
            "billing_address": { "organization_name": "Marked AB", "country": "SE" },
            "extra_merchant_data": { "payment_history_simple": [{ "paid_before": true }] },
            "options": { "color_text": "#112233" },
        });
        let checkout = town.open(&wish).await;
        assert!(!checkout.to_string().contains("Marked"), "people are not shown: {checkout}");
        let session = sent(&town, "POST", "/payments/v1/sessions").await;
        for member in
            ["merchant_reference2", "merchant_data", "customer", "billing_address", "options"]
        {
            assert_eq!(session[member], wish[member], "{member}");
        }
        let extra: Value =
            serde_json::from_str(session["attachment"]["body"].as_str().unwrap()).unwrap();
        assert_eq!(extra, wish["extra_merchant_data"]);
        let token = town.authorize(&checkout).await;
        let done = town.act(&checkout, "confirm", &json!({ "authorization_token": token })).await;
        assert_eq!(
            (done.status, &done.body["status"]),
            (200, &json!("completed")),
            "{}",
            done.text
        );
        let order = sent(&town, "POST", "/order").await;
        assert_eq!(order["merchant_reference2"], "ERP-9");
        assert!(order["customer"].is_null() && order["billing_address"].is_null(), "{order}");
        town.end().await;
    }
}

#[tokio::test]
async fn an_address_that_comes_with_the_confirmation_reaches_the_order() {
    for town in Town::on_each_engine().await {
        let checkout = town.open(&json!({})).await;
        let token = town.authorize(&checkout).await;
        let address = json!({
            "given_name": "Anna", "family_name": "Marked", "street_address": "Storgatan 1",
            "postal_code": "11152", "city": "Stockholm", "country": "SE",
        });
        let body = json!({ "authorization_token": token, "shipping_address": address });
        let done = town.act(&checkout, "confirm", &body).await;
        // Whether it equals what was authorised is Klarna's to say; that it was sent is ours.
        assert!([200, 409].contains(&done.status), "{}", done.text);
        let order = sent(&town, "POST", "/order").await;
        assert_eq!(order["shipping_address"], address);
        assert!(!done.text.contains("Marked"), "{}", done.text);
        town.end().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_klarna_is_asked() {
    for town in Town::on_each_engine().await {
        let long = "x".repeat(6001);
        for (more, member) in [
            (json!({ "channel": "carrier" }), "channel"),
            (json!({ "page": {} }), "page"),
            (json!({ "channel": "hosted", "finalize": "later" }), "finalize"),
            (json!({ "in_store": { "terminal_id": "1" } }), "in_store"),
            (json!({ "channel": "native", "app_return_url": "https://x" }), "app_return_url"),
            (json!({ "merchant_data": long }), "merchant_data"),
            (
                json!({ "billing_address": { "postal_code": "12345678901" } }),
                "billing_address.postal_code",
            ),
            (json!({ "customer": { "type": "robot" } }), "customer.type"),
            (json!({ "extra_merchant_data": { "event": {} } }), "extra_merchant_data"),
            (json!({ "options": { "color_text": "red" } }), "options.color_text"),
            (
                json!({ "channel": "hosted", "page": { "success_url": "gopher://x" } }),
                "page.success_url",
            ),
        ] {
            let refused = town.call("POST", "/v1/checkouts", &with(&more)).await;
            assert_eq!(
                (refused.status, refused.body["member"].as_str()),
                (400, Some(member)),
                "{more}: {}",
                refused.text
            );
        }
        town.end().await;
    }
}
