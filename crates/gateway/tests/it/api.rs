//! The gateway over HTTP, against a playground.

use std::time::Duration;

use crate::faulty::Hit;
use crate::town::{API_KEY, PASSWORD, Town, cart};
use serde_json::{Value, json};

#[tokio::test]
async fn a_payment_from_cart_to_refund() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        assert_eq!(payment["status"], "authorized");
        assert_eq!(payment["amounts"]["authorized"], 34_500);

        let body =
            json!({ "lines": [{ "reference": "MUG", "quantity": 1 }], "description": "Parcel 1" });
        let captured = town.call("POST", &format!("{path}/captures"), &body).await;
        assert_eq!(captured.status, 201, "{}", captured.text);
        assert_eq!(captured.body["status"], "part_captured");
        assert_eq!(captured.body["amounts"]["captured"], 9_867);

        let rest = town.call("POST", &format!("{path}/captures"), &Value::Null).await;
        assert_eq!((rest.status, &rest.body["status"]), (201, &json!("captured")), "{}", rest.text);

        let key = [("idempotency-key", "refund-1")];
        let body = json!({ "amount": 5_000 });
        for _ in 0..2 {
            let refunded = town.call_with("POST", &format!("{path}/refunds"), &body, &key).await;
            assert_eq!(refunded.status, 201, "{}", refunded.text);
            assert_eq!(refunded.body["amounts"]["refunded"], 5_000);
        }
        let other = json!({ "amount": 6_000 });
        let mismatch = town.call_with("POST", &format!("{path}/refunds"), &other, &key).await;
        assert_eq!(
            (mismatch.status, &mismatch.body["code"]),
            (422, &json!("idempotency_mismatch"))
        );

        let too_much =
            town.call("POST", &format!("{path}/refunds"), &json!({ "amount": 30_000 })).await;
        assert_eq!((too_much.status, &too_much.body["code"]), (422, &json!("amount_too_large")));
        let cancel = town.call("POST", &format!("{path}/cancel"), &Value::Null).await;
        assert_eq!((cancel.status, &cancel.body["code"]), (409, &json!("state_conflict")));

        let events = town.call("GET", &format!("{path}/events"), &Value::Null).await;
        let types: Vec<_> = events.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].clone())
            .collect();
        for expected in
            ["checkout.opened", "payment.authorized", "payment.captured", "payment.refunded"]
        {
            assert!(types.contains(&json!(expected)), "{expected} in {types:?}");
        }
        let list = town.call("GET", "/v1/payments?limit=1&reference=WEB-1001", &Value::Null).await;
        assert_eq!(list.body["data"][0]["id"], payment["id"], "{}", list.text);
        town.end().await;
    }
}

#[tokio::test]
async fn browser_and_callback_and_reloads_make_one_order() {
    for town in Town::on_each_engine().await {
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        // Authorising makes the playground call back, while the browser confirms many times at once.
        let token = town.authorize(&checkout).await;
        let path = format!("/v1/checkouts/{}/confirm", checkout["id"].as_str().unwrap());
        let body = json!({ "authorization_token": token });
        let (one, two, three, four) = tokio::join!(
            town.call("POST", &path, &body),
            town.call("POST", &path, &body),
            town.call("POST", &path, &body),
            town.call("POST", &path, &body),
        );
        for reply in [&one, &two, &three, &four] {
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(reply.body["payment_id"], one.body["payment_id"]);
        }
        town.end().await;
    }
}

#[tokio::test]
async fn an_order_comes_from_the_callback_alone() {
    for town in Town::on_each_engine().await {
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        town.authorize(&checkout).await;
        let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let current = town.call("GET", &path, &Value::Null).await;
            if current.body["status"] == "completed" {
                assert!(current.body["payment_id"].is_string());
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "{}", current.text);
            tokio::task::yield_now().await;
        }
        town.end().await;
    }
}

#[tokio::test]
async fn wrong_requests_are_told_what_would_work() {
    for town in Town::on_each_engine().await {
        let with = |name: &str, value: Value| {
            let mut cart = cart();
            cart[name] = value;
            cart
        };
        let cases = [
            (with("surprise", json!(1)), 400, "surprise"),
            (with("country", json!("LU")), 400, "country"),
            (with("locale", json!("de-DE")), 400, "locale"),
            (with("lines", json!([])), 400, "lines"),
            (
                with("lines", json!([{ "name": "x", "unit_price": "1" }])),
                400,
                "lines[0].unit_price",
            ),
            (
                with(
                    "lines",
                    json!([{ "name": "x", "quantity": -1, "unit_price": 100, "tax_rate": 0 }]),
                ),
                400,
                "lines[0].quantity",
            ),
            (with("merchant_reference", json!(7)), 400, "merchant_reference"),
            (with("confirmation_url", json!("nonsense")), 400, "confirmation_url"),
            (with("confirmation_url", json!("localhost:7070/thanks")), 400, "confirmation_url"),
        ];
        for (body, status, member) in cases {
            let reply = town.call("POST", "/v1/checkouts", &body).await;
            assert_eq!(reply.status, status, "{}", reply.text);
            assert_eq!(reply.body["member"], member, "{}", reply.text);
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let bare = town.send("POST", url("/v1/checkouts"), &[], "{}".to_owned()).await;
        assert_eq!((bare.status, &bare.body["code"]), (401, &json!("unauthorized")));
        let wrong = [("authorization", "Bearer kassa_sk_wrong")];
        let wrong = town.send("GET", url("/v1/payments"), &wrong, String::new()).await;
        assert_eq!(wrong.status, 401);
        let authorization = format!("Bearer {API_KEY}");
        let authorized = [("authorization", authorization.as_str())];
        let large = "x".repeat(2 * 1024 * 1024);
        let large = town.send("POST", url("/v1/checkouts"), &authorized, large).await;
        assert_eq!((large.status, &large.body["code"]), (413, &json!("payload_too_large")));
        for (method, path, status) in [
            ("GET", "/v1/payments/pay_nobody", 404),
            ("GET", "/v1/checkouts/chk_nobody", 404),
            ("GET", "/v1/payments?limit=0", 400),
            ("GET", "/v1/payments?status=open", 400),
            ("GET", "/v1/payments?cursor=%21", 400),
            ("GET", "/v1/nothing", 404),
            ("DELETE", "/v1/payments", 405),
        ] {
            let reply = town.call(method, path, &Value::Null).await;
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        let body = json!({ "authorization_token": "not-a-token" });
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let path = format!("/v1/checkouts/{}/confirm", checkout["id"].as_str().unwrap());
        let refused = town.call("POST", &path, &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("authorization_invalid")));
        assert_eq!(refused.body["klarna"]["error_code"], "NOT_FOUND");
        assert!(refused.body["correlation_id"].is_string());
        // A forged callback is answered like a true one, and believed as little.
        for key in ["nobody.secret", "nonsense"] {
            let forged = url(&format!("/klarna/callbacks/authorization/{key}"));
            let forged = town.send("POST", forged, &[], "{}".to_owned()).await;
            assert_eq!(forged.status, 204);
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_key_repeats_the_first_answer() {
    for town in Town::on_each_engine().await {
        let key = [("idempotency-key", "cart-7")];
        let first = town.call_with("POST", "/v1/checkouts", &cart(), &key).await;
        let again = town.call_with("POST", "/v1/checkouts", &cart(), &key).await;
        assert_eq!((first.status, &first.text), (again.status, &again.text));
        let mut other = cart();
        other["merchant_reference"] = json!("WEB-2");
        let mismatch = town.call_with("POST", "/v1/checkouts", &other, &key).await;
        assert_eq!(mismatch.status, 422);
        town.end().await;
    }
}

#[tokio::test]
async fn a_cart_can_be_changed_until_it_is_paid() {
    for town in Town::on_each_engine().await {
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap());
        let change = json!({ "country": "DE" });
        let german = town.call("POST", &path, &change).await;
        assert_eq!(german.status, 200, "{}", german.text);
        assert_eq!(
            (&german.body["currency"], &german.body["locale"]),
            (&json!("EUR"), &json!("de-DE"))
        );
        let change = json!({ "lines": [{ "reference": "A", "name": "Tasse", "unit_price": 1000, "tax_rate": 1900 }] });
        let updated = town.call("POST", &path, &change).await;
        assert_eq!(updated.body["order_amount"], 1000, "{}", updated.text);
        let cancelled = town.call("POST", &format!("{path}/cancel"), &Value::Null).await;
        assert_eq!(cancelled.body["status"], "cancelled");
        let late = town.call("POST", &path, &change).await;
        assert_eq!(late.status, 409);
        town.end().await;
    }
}

#[tokio::test]
async fn a_person_captures_in_the_dashboard_once() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let away = town.send("GET", url("/dashboard"), &[], String::new()).await;
        assert_eq!(
            (away.status, &away.headers["location"]),
            (303, &"/dashboard/sign-in".parse().unwrap())
        );
        let wrong =
            town.send("POST", url("/dashboard/sign-in"), &[form], "password=x".to_owned()).await;
        assert_eq!(wrong.status, 401);
        let body = format!("password={}", PASSWORD.replace(' ', "+"));
        let signed_in = town.send("POST", url("/dashboard/sign-in"), &[form], body).await;
        assert_eq!(signed_in.status, 303);
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let headers = [form, ("cookie", cookie.as_str())];
        let path = format!("/dashboard/payments/{}", payment["id"].as_str().unwrap());
        let page = town.send("GET", url(&path), &headers, String::new()).await;
        assert_eq!(page.status, 200);
        let csp = page.headers["content-security-policy"].to_str().unwrap();
        assert!(!csp.contains("unsafe"));
        assert!(
            !page.text.contains("<style")
                && !page.text.contains(" style=")
                && !page.text.contains("onclick")
        );
        // The capture's form is the first after the one that signs out.
        let hidden = |name: &str| {
            let marker = format!("name=\"{name}\" value=\"");
            page.text.split(&marker).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let body = format!("csrf={}&key={}&amount=100.00", hidden("csrf"), hidden("key"));
        let (one, two) = tokio::join!(
            town.send("POST", url(&format!("{path}/capture")), &headers, body.clone()),
            town.send("POST", url(&format!("{path}/capture")), &headers, body.clone()),
        );
        for reply in [&one, &two] {
            assert_eq!(reply.status, 303, "{}", reply.text);
        }
        let api = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        let current = town.call("GET", &api, &Value::Null).await;
        assert_eq!(current.body["amounts"]["captured"], 10_000);
        let forged = town
            .send(
                "POST",
                url(&format!("{path}/capture")),
                &headers,
                "csrf=x&key=y&amount=1".to_owned(),
            )
            .await;
        assert_eq!(forged.status, 403);
        let too_much = format!("csrf={}&key=another&amount=9999", hidden("csrf"));
        let too_much = town.send("POST", url(&format!("{path}/capture")), &headers, too_much).await;
        assert_eq!(too_much.status, 422);
        assert!(too_much.text.contains("can be captured"));
        town.end().await;
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    for town in Town::on_each_engine().await {
        let described = town.call("GET", "/v1/openapi.json", &Value::Null).await;
        assert_eq!(described.status, 200);
        let paths = described.body["paths"].as_object().unwrap();
        assert!(paths.contains_key("/v1/checkouts/{id}/confirm"));
        for path in ["/healthz", "/readyz"] {
            assert_eq!(town.call("GET", path, &Value::Null).await.status, 200);
        }
        town.end().await;
    }
}

/// An order that Klarna made and the gateway was not told of; answers checkout and operation.
async fn lost_order(town: &Town) -> (Value, Value) {
    let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
    let before = town.call("GET", "/v1/operations", &Value::Null).await;
    assert_eq!(before.status, 200, "{}", before.text);
    town.klarna.hit_next("place_order", Hit::EffectThenRefuse(404, "SESSION_COMPLETED"));
    let token = town.authorize(&checkout).await;
    let path = format!("/v1/checkouts/{}/confirm", checkout["id"].as_str().unwrap());
    let body = json!({ "authorization_token": token });
    let waits = town.call("POST", &path, &body).await;
    assert_eq!(
        (waits.status, &waits.body["status"]),
        (202, &json!("confirming")),
        "{}",
        waits.text
    );
    let waiting = town.call("GET", "/v1/operations?state=needs_attention", &Value::Null).await;
    assert_eq!(waiting.body["data"].as_array().unwrap().len(), 1, "{}", waiting.text);
    let mut operation = waiting.body["data"][0].clone();
    assert_eq!(operation["merchant_reference"], "WEB-1001");
    assert_eq!(operation["request"]["order_amount"], 34_500);
    assert_eq!(operation["request"]["merchant_urls"], "(not kept)");
    assert!(operation["refusal"]["remedy"].is_string());
    assert_eq!(operation["calls"][0]["status"], 404);
    let order_id = town.klarna.orders_of(&token).remove(0);
    operation["order_id"] = json!(order_id);
    (checkout, operation)
}

#[tokio::test]
async fn an_operation_that_needs_a_person_is_settled_over_the_api() {
    for town in Town::on_each_engine().await {
        let (checkout, operation) = lost_order(&town).await;
        let path = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
        let look = town.call("POST", &format!("{path}/look"), &Value::Null).await;
        assert_eq!((look.status, &look.body["code"]), (409, &json!("evidence_against")));
        let settle = format!("{path}/settle");
        for (body, status, said) in [
            (json!({ "outcome": "done" }), 400, "note"),
            (json!({ "outcome": "done", "note": "" }), 400, "note"),
            (json!({ "outcome": "done", "note": "seen" }), 400, "klarna_order_id"),
            (json!({ "outcome": "maybe", "note": "seen" }), 400, "outcome"),
        ] {
            let refused = town.call("POST", &settle, &body).await;
            assert_eq!((refused.status, &refused.body["member"]), (status, &json!(said)));
        }
        let note = "the order stands in the portal";
        let wrong = json!({ "outcome": "done", "note": note, "klarna_order_id": "none" });
        let wrong = town.call("POST", &settle, &wrong).await;
        assert_eq!((wrong.status, &wrong.body["code"]), (409, &json!("evidence_against")));
        let body = json!({ "outcome": "done", "note": note,
            "klarna_order_id": operation["order_id"], "version": operation["version"] });
        let (one, two) =
            tokio::join!(town.call("POST", &settle, &body), town.call("POST", &settle, &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
        let settled = town.call("GET", &path, &Value::Null).await.body;
        assert_eq!(
            (&settled["state"], &settled["settled"]["note"]),
            (&json!("done"), &json!(note))
        );
        assert!(settled["settled"]["by"].as_str().unwrap().starts_with("API key key_"));
        let current = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap());
        let current = town.call("GET", &current, &Value::Null).await;
        assert_eq!(current.body["payment_id"], settled["payment_id"], "{}", current.text);
        for (method, path, status) in [
            ("GET", "/v1/operations/op_nobody", 404),
            ("POST", "/v1/operations/op_nobody/resume", 404),
            ("GET", "/v1/operations?state=lost", 400),
            ("GET", "/v1/operations?limit=101", 400),
            ("GET", "/v1/operations?cursor=%21", 400),
        ] {
            assert_eq!(town.call(method, path, &Value::Null).await.status, status, "{path}");
        }
        let page = town.call("GET", "/v1/operations?limit=1", &Value::Null).await;
        assert_eq!(page.body["data"].as_array().unwrap().len(), 1);
        town.end().await;
    }
}

#[tokio::test]
async fn trying_again_over_the_api_finds_the_order() {
    for town in Town::on_each_engine().await {
        let (_, operation) = lost_order(&town).await;
        let path = format!("/v1/operations/{}/resume", operation["id"].as_str().unwrap());
        let resumed = town.call("POST", &path, &Value::Null).await;
        assert_eq!(
            (resumed.status, &resumed.body["state"]),
            (200, &json!("done")),
            "{}",
            resumed.text
        );
        assert_eq!(resumed.body["klarna_id"], operation["order_id"]);
        town.end().await;
    }
}

#[tokio::test]
async fn a_person_settles_an_operation_in_the_dashboard() {
    for town in Town::on_each_engine().await {
        let (_, operation) = lost_order(&town).await;
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let cookie = town.sign_in().await;
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("cookie", cookie.as_str())];
        let page = town.send("GET", url("/dashboard/attention"), &headers, String::new()).await;
        assert!(page.text.contains("Place order · WEB-1001"), "{}", page.text);
        assert!(page.text.contains("class=\"badge\">1<"), "{}", page.text);
        let csrf = page.text.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap();
        let id = operation["id"].as_str().unwrap();
        let press = |action: &str, more: &str| {
            let body = format!("csrf={csrf}&version={}&{more}", operation["version"]);
            town.send("POST", url(&format!("/dashboard/operations/{id}/{action}")), &headers, body)
        };
        let forged = format!("csrf=x&version={}", operation["version"]);
        let path = url(&format!("/dashboard/operations/{id}/look"));
        assert_eq!(town.send("POST", path, &headers, forged).await.status, 403);
        let look = press("look", "").await;
        assert_eq!(look.status, 409);
        assert!(look.text.contains("still do not tell"), "{}", look.text);
        let said =
            format!("by=Eva&note=portal&klarna_id={}", operation["order_id"].as_str().unwrap());
        let settled = press("settle", &format!("{said}&outcome=done")).await;
        assert_eq!(settled.status, 303, "{}", settled.text);
        assert_eq!(settled.headers["location"], "/dashboard/attention?done=done");
        // The second person is told who was faster.
        let late = press("settle", "by=Ulf&note=portal&outcome=refused").await;
        assert_eq!(late.status, 409);
        assert!(late.text.contains("Eva (dashboard) has settled it as done"), "{}", late.text);
        let page = town.send("GET", url("/dashboard/attention"), &headers, String::new()).await;
        assert!(page.text.contains("Nothing needs you") && !page.text.contains("badge"));
        town.end().await;
    }
}
