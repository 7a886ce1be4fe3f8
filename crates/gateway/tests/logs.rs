//! Nothing that must stay secret is written anywhere but where it belongs. In a test of its own,
//! since a subscriber that hears every thread is one for the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test that fails here says so best; the support is shared"
)]

#[path = "it/support/faulty.rs"]
mod faulty;
#[path = "it/support/town.rs"]
mod town;

use std::io;
use std::sync::Arc;

use faulty::Hit;
use parking_lot::Mutex;
use serde_json::{Value, json};
use town::{API_KEY, KLARNA_PASSWORD, PASSWORD, Reply, Town, cart};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PERSON: [&str; 5] =
    ["Markedgiven", "Markedfamily", "marked.person@example.com", "+46701740615", "Markedgatan 17"];

/// The shopper authorises, and Klarna learns who they are.
async fn authorize(town: &Town, checkout: &Value) -> String {
    let [given_name, family_name, email, phone, street_address] = PERSON;
    let address = json!({
        "given_name": given_name, "family_name": family_name, "email": email, "phone": phone,
        "street_address": street_address, "postal_code": "11152", "city": "Stockholm",
        "country": "SE",
    });
    let body = json!({
        "client_token": checkout["klarna"]["client_token"],
        "data": { "billing_address": address },
    });
    let url = format!("{}playground/v1/shopper/authorize", town.playground.url());
    let json = [("content-type", "application/json")];
    let reply = town.send("POST", url, &json, body.to_string()).await;
    assert_eq!(reply.body["approved"], true, "{}", reply.text);
    reply.body["authorization_token"].as_str().unwrap().to_owned()
}

/// What a page or an error must not say.
fn assert_free(what: &str, text: &str, marks: &[String]) {
    for mark in marks {
        assert!(!text.contains(mark.as_str()), "{what} holds {mark}: {text:.2000}");
    }
}

struct Visit<'a> {
    town: &'a Town,
    marks: Vec<String>,
}

impl Visit<'_> {
    async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let reply = self.town.call(method, path, body).await;
        if reply.status >= 400 {
            assert_free(path, &reply.text, &self.marks);
        }
        reply
    }

    /// Pages, forms and where they lead.
    async fn page(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let url = format!("{}{path}", self.town.gateway.url);
        let reply = self.town.send(method, url, headers, body.to_owned()).await;
        assert_free(path, &reply.text, &self.marks);
        if let Some(location) = reply.headers.get("location") {
            assert_free(path, location.to_str().unwrap(), &self.marks);
        }
        reply
    }
}

#[tokio::test]
async fn no_secret_or_personal_datum_is_written_to_a_log() {
    let log = Log::default();
    let heard = log.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || heard.clone())
        // Everything that the gateway does, its HTTP client and server included; the playground is
        // in this process only because it is a test.
        .with_filter(EnvFilter::new("trace,playground=off"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::info!("the log is heard");

    let mut secrets = Vec::new();
    for town in Town::on_each_engine().await {
        secrets.extend(main_path(&town).await);
        town.end().await;
    }
    let written = String::from_utf8(log.0.lock().clone()).unwrap();
    for expected in
        ["the log is heard", "operation done", "operation refused", "operation needs a person"]
    {
        assert!(written.contains(expected), "{expected}");
    }
    for mark in secrets {
        let at = written.find(mark.as_str());
        let line = at.map(|at| &written[at.saturating_sub(300)..(at + 100).min(written.len())]);
        assert!(line.is_none(), "the log holds {mark}: {line:?}");
    }
}

/// The main path with its refusals; answers every secret and personal datum that was on it.
async fn main_path(town: &Town) -> Vec<String> {
    let mut marks: Vec<String> =
        [API_KEY, KLARNA_PASSWORD, "kassa_sk_markedwrong", "marked-guess", "marked-forged"]
            .into_iter()
            .chain(PERSON)
            .map(ToOwned::to_owned)
            .collect();
    marks.extend([PASSWORD.to_owned(), PASSWORD.replace(' ', "+")]);
    let mut visit = Visit { town, marks };

    // Opened, changed, authorised, confirmed.
    let checkout = visit.call("POST", "/v1/checkouts", &cart()).await.body;
    let path = format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap());
    visit.marks.push(checkout["klarna"]["client_token"].as_str().unwrap().to_owned());
    let opened: Value = serde_json::from_str(town.klarna.sessions().last().unwrap()).unwrap();
    let callback = opened["merchant_urls"]["authorization"].as_str().unwrap();
    let callback_key = callback.rsplit('/').next().unwrap().to_owned();
    visit.marks.push(callback_key.split_once('.').unwrap().1.to_owned());
    let changed = json!({ "merchant_reference": "WEB-1002" });
    assert_eq!(visit.call("POST", &path, &changed).await.status, 200);
    let token = authorize(town, &checkout).await;
    visit.marks.push(token.clone());
    let body = json!({ "authorization_token": token });
    let confirmed = visit.call("POST", &format!("{path}/confirm"), &body).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    assert_free("the payment", &confirmed.body["payment"].to_string(), &visit.marks);

    // Sent elsewhere, and refused by either side.
    let payment = confirmed.body["payment"]["id"].as_str().unwrap().to_owned();
    let details = format!("/v1/payments/{payment}/customer-details");
    let address = |postal_code: &str| {
        let [given_name, family_name, email, phone, street_address] = PERSON;
        json!({ "shipping_address": {
            "given_name": given_name, "family_name": family_name, "email": email, "phone": phone,
            "street_address": street_address, "postal_code": postal_code, "city": "Lund",
            "country": "SE",
        } })
    };
    for (postal_code, status) in [("22222", 200), ("ABCDE", 422), ("12345678901", 400)] {
        let sent = visit.call("POST", &details, &address(postal_code)).await;
        assert_eq!(sent.status, status, "{}", sent.text);
        assert_free("the answer to an address", &sent.text, &visit.marks);
    }
    let operations = visit.call("GET", "/v1/operations", &Value::Null).await;
    assert_free("the operations", &operations.text, &visit.marks);

    // Refused by the gateway, for what was in the wrong place.
    let [given_name, family_name, email, phone, street_address] = PERSON;
    for wrong in [
        json!({ "billing_address": { "given_name": given_name, "family_name": family_name } }),
        json!({ "lines": email }),
        json!({ "lines": [{ "name": "x", "unit_price": phone }] }),
        json!({ "prices": "including_tax", "country": "SE", "merchant_reference": "1",
                "lines": [{ "name": "x", "quantity": street_address, "unit_price": 1 }] }),
        json!({ "authorization_token": { "token": token } }),
    ] {
        let refused = visit.call("POST", "/v1/checkouts", &wrong).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    // Refused by Klarna.
    let second = visit.call("POST", "/v1/checkouts", &cart()).await.body;
    visit.marks.push(second["klarna"]["client_token"].as_str().unwrap().to_owned());
    let confirm = format!("/v1/checkouts/{}/confirm", second["id"].as_str().unwrap());
    visit.marks.push("marked-token-of-nobody".to_owned());
    let body = json!({ "authorization_token": "marked-token-of-nobody" });
    assert_eq!(visit.call("POST", &confirm, &body).await.status, 409);
    // A key, callbacks and a password that are wrong.
    let wrong = [("authorization", "Bearer kassa_sk_markedwrong")];
    assert_eq!(visit.page("GET", "/v1/payments", &wrong, "").await.status, 401);
    let forged = format!("/klarna/callbacks/authorization/{}.marked-forged", checkout["id"]);
    visit.page("POST", &forged.replace('"', ""), &[], "{}").await;
    let known = format!("/klarna/callbacks/authorization/{callback_key}");
    visit.page("POST", &known, &[], &json!({ "authorization_token": token }).to_string()).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let guess = visit.page("POST", "/dashboard/sign-in", &[form], "password=marked-guess").await;
    assert_eq!(guess.status, 401);

    // Captured and refunded, through lost answers.
    let payment = confirmed.body["payment"]["id"].as_str().unwrap();
    let path = format!("/v1/payments/{payment}");
    town.klarna.hit_next("capture", Hit::LostAfter);
    assert_eq!(
        visit.call("POST", &format!("{path}/captures"), &json!({ "amount": 20_000 })).await.status,
        201
    );
    visit.call("POST", &format!("{path}/refunds"), &json!({ "amount": 5_000 })).await;
    visit.call("POST", &format!("{path}/refunds"), &json!({ "amount": 50_000 })).await;
    visit.call("POST", &format!("{path}/cancel"), &Value::Null).await;
    visit.call("POST", &format!("{path}/release"), &Value::Null).await;
    // Shown, with everything that was sent and answered, and settled by a person.
    let lost = visit.call("POST", "/v1/checkouts", &cart()).await.body;
    visit.marks.push(lost["klarna"]["client_token"].as_str().unwrap().to_owned());
    let token = authorize(town, &lost).await;
    visit.marks.push(token.clone());
    town.klarna.hit_next("place_order", Hit::EffectThenRefuse(404, "SESSION_COMPLETED"));
    let confirm = format!("/v1/checkouts/{}/confirm", lost["id"].as_str().unwrap());
    visit.call("POST", &confirm, &json!({ "authorization_token": token })).await;
    let waiting = visit.call("GET", "/v1/operations?state=needs_attention", &Value::Null).await;
    assert_eq!(waiting.body["data"].as_array().unwrap().len(), 1, "{}", waiting.text);
    assert_free("the operations", &waiting.text, &visit.marks);
    let body = format!("password={}", PASSWORD.replace(' ', "+"));
    let signed_in = visit.page("POST", "/dashboard/sign-in", &[form], &body).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let session = cookie.split_once('=').unwrap().1.to_owned();
    let headers = [("cookie", cookie.as_str())];
    for page in ["/dashboard", "/dashboard/attention", &format!("/dashboard/payments/{payment}")] {
        assert_eq!(visit.page("GET", page, &headers, "").await.status, 200, "{page}");
    }
    let events = visit.call("GET", &format!("{path}/events"), &Value::Null).await;
    assert_free("the events", &events.text, &visit.marks);
    let id = waiting.body["data"][0]["id"].as_str().unwrap();
    let body = json!({ "outcome": "refused", "note": "looked" });
    assert_eq!(visit.call("POST", &format!("/v1/operations/{id}/settle"), &body).await.status, 200);
    visit.marks.push(session);
    visit.marks
}
