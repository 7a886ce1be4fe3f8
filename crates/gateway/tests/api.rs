//! The gateway over HTTP, against a playground.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test that fails here says so best"
)]

use std::sync::Arc;
use std::time::Duration;

use gateway::{Config, Gateway, KlarnaConfig, Running};
use klarna_types::Secret;
use playground::{Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use service::{Clock, SystemClock};
use storage::Location;

const API_KEY: &str = "kassa_sk_0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "correct horse";

struct Town {
    playground: playground::Running,
    gateway: Running,
    client: HttpClient,
}

struct Reply {
    status: u16,
    body: Value,
    text: String,
    headers: http::HeaderMap,
}

impl Town {
    async fn build() -> Self {
        let clock: Arc<dyn Clock> = SystemClock::shared();
        let listen = ([127, 0, 0, 1], 0).into();
        let playground = Playground::start(playground::Config {
            listen,
            public_url: None,
            location: Location::Memory,
            merchants: vec![SeedMerchant {
                merchant_id: "K123456".to_owned(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new("klarna-password"),
            }],
            rate_limits: RateLimits::Off,
            unauthorized: UnauthorizedForm::Html,
            control_token: None,
            clock: Arc::clone(&clock),
        })
        .await
        .unwrap();
        let gateway = Gateway::start(Config {
            listen,
            public_url: None,
            location: Location::Memory,
            klarna: KlarnaConfig {
                base_url: playground.url().clone(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new("klarna-password"),
            },
            api_keys: vec![Secret::new(API_KEY)],
            dashboard_password: Secret::new(PASSWORD),
            script_url: None,
            clock,
        })
        .await
        .unwrap();
        Self { playground, gateway, client: HttpClient::new(Limits::default()) }
    }

    async fn end(self) {
        self.gateway.stop().await;
        self.playground.stop().await;
    }

    async fn send(
        &self,
        method: &str,
        url: String,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        let mut sent = http::HeaderMap::new();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            sent.insert(name, value.parse().unwrap());
        }
        let method = method.parse().unwrap();
        let answer = self.client.send(method, &url, sent, body.into()).await.unwrap();
        let text = answer.text();
        Reply {
            status: answer.status.as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            headers: answer.headers,
        }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.call_with(method, path, body, &[]).await
    }

    async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Reply {
        let authorization = format!("Bearer {API_KEY}");
        let mut headers =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, format!("{}{path}", self.gateway.url), &headers, body).await
    }

    /// The shopper authorises; answers the token.
    async fn authorize(&self, checkout: &Value) -> String {
        let url = format!("{}playground/v1/shopper/authorize", self.playground.url());
        let body = json!({ "client_token": checkout["klarna"]["client_token"] }).to_string();
        let reply = self.send("POST", url, &[("content-type", "application/json")], body).await;
        assert_eq!(reply.body["approved"], true, "{}", reply.text);
        reply.body["authorization_token"].as_str().unwrap().to_owned()
    }

    async fn paid(&self) -> Value {
        let checkout = self.call("POST", "/v1/checkouts", &cart()).await;
        assert_eq!(checkout.status, 201, "{}", checkout.text);
        let token = self.authorize(&checkout.body).await;
        let path = format!("/v1/checkouts/{}/confirm", checkout.body["id"].as_str().unwrap());
        let done = self.call("POST", &path, &json!({ "authorization_token": token })).await;
        assert_eq!(done.status, 200, "{}", done.text);
        done.body["payment"].clone()
    }
}

fn cart() -> Value {
    json!({
        "merchant_reference": "WEB-1001", "country": "SE", "locale": "sv-SE",
        "prices": "including_tax",
        "lines": [
            { "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 3, "unit_price": 9900, "tax_rate": 2500, "discount": 100 },
            { "type": "shipping_fee", "reference": "SHIP", "name": "Frakt", "quantity": 1, "unit_price": 4900, "tax_rate": 2500 }
        ]
    })
}

#[tokio::test]
async fn a_payment_from_cart_to_refund() {
    let town = Town::build().await;
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
    assert_eq!((mismatch.status, &mismatch.body["code"]), (422, &json!("idempotency_mismatch")));

    let too_much =
        town.call("POST", &format!("{path}/refunds"), &json!({ "amount": 30_000 })).await;
    assert_eq!((too_much.status, &too_much.body["code"]), (422, &json!("amount_too_large")));
    let cancel = town.call("POST", &format!("{path}/cancel"), &Value::Null).await;
    assert_eq!((cancel.status, &cancel.body["code"]), (409, &json!("state_conflict")));

    let events = town.call("GET", &format!("{path}/events"), &Value::Null).await;
    let types: Vec<_> =
        events.body["data"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    for expected in
        ["checkout.opened", "payment.authorized", "payment.captured", "payment.refunded"]
    {
        assert!(types.contains(&json!(expected)), "{expected} in {types:?}");
    }
    let list = town.call("GET", "/v1/payments?limit=1&reference=WEB-1001", &Value::Null).await;
    assert_eq!(list.body["data"][0]["id"], payment["id"], "{}", list.text);
    town.end().await;
}

#[tokio::test]
async fn browser_and_callback_and_reloads_make_one_order() {
    let town = Town::build().await;
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

#[tokio::test]
async fn an_order_comes_from_the_callback_alone() {
    let town = Town::build().await;
    let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
    town.authorize(&checkout).await;
    let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
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

#[tokio::test]
async fn wrong_requests_are_told_what_would_work() {
    let town = Town::build().await;
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
        (with("lines", json!([{ "name": "x", "unit_price": "1" }])), 400, "lines[0].unit_price"),
        (with("merchant_reference", json!(7)), 400, "merchant_reference"),
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

#[tokio::test]
async fn a_key_repeats_the_first_answer() {
    let town = Town::build().await;
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

#[tokio::test]
async fn a_cart_can_be_changed_until_it_is_paid() {
    let town = Town::build().await;
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

#[tokio::test]
async fn a_person_captures_in_the_dashboard_once() {
    let town = Town::build().await;
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
        .send("POST", url(&format!("{path}/capture")), &headers, "csrf=x&key=y&amount=1".to_owned())
        .await;
    assert_eq!(forged.status, 403);
    let too_much = format!("csrf={}&key=another&amount=9999", hidden("csrf"));
    let too_much = town.send("POST", url(&format!("{path}/capture")), &headers, too_much).await;
    assert_eq!(too_much.status, 422);
    assert!(too_much.text.contains("can be captured"));
    town.end().await;
}

#[tokio::test]
async fn the_api_describes_itself() {
    let town = Town::build().await;
    let described = town.call("GET", "/v1/openapi.json", &Value::Null).await;
    assert_eq!(described.status, 200);
    let paths = described.body["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v1/checkouts/{id}/confirm"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(town.call("GET", path, &Value::Null).await.status, 200);
    }
    town.end().await;
}
