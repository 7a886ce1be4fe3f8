//! A playground, a gateway that is watched, and a shop that hears its webhooks.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use service::http::HttpClient;
use service::{Listener, Server, Shutdown};
use tempfile::TempDir;
use testing::eventually;
use testing::http::{As, Http};
use testing::kassa::Process;

use super::KASSA;

pub const API_KEY: &str = "kassa_sk_markedapikey0123456789abcdef0123456789";
pub const DASHBOARD_PASSWORD: &str = "marked-dashboard-password";
pub const KLARNA_PASSWORD: &str = "marked-klarna-password";
pub const METRICS_TOKEN: &str = "marked-metrics-token";
pub const PERSON: [&str; 5] =
    ["Markedgiven", "Markedfamily", "marked.person@example.com", "+46701740615", "Markedgatan 17"];

pub struct Stage {
    pub playground: Process,
    pub process: Process,
    pub gateway: String,
    pub metrics_url: String,
    pub receiver: Receiver,
    klarna: String,
    http: Http,
    _folders: [TempDir; 2],
}

/// What was bought, and everything about it that is nobody's business.
pub struct Bought {
    pub checkout_id: String,
    pub payment_id: String,
    pub marks: Vec<String>,
}

impl Bought {
    pub fn ids(&self) -> Vec<String> {
        vec![self.checkout_id.clone(), self.payment_id.clone()]
    }
}

/// A message as the shop got it.
#[derive(Debug, Clone)]
pub struct Told {
    pub kind: String,
    pub subject_id: String,
    pub trace_parent: String,
}

#[derive(Clone, Default)]
struct Heard {
    told: Arc<Mutex<Vec<Told>>>,
    holds: Arc<Mutex<bool>>,
    called: Arc<tokio::sync::Notify>,
}

pub struct Receiver {
    url: String,
    heard: Heard,
    _server: Server,
}

async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let trace_parent = headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    heard.told.lock().unwrap().push(Told {
        kind: text(&message["type"]),
        subject_id: message.to_string(),
        trace_parent: trace_parent.unwrap_or_default(),
    });
    heard.called.notify_one();
    if *heard.holds.lock().unwrap() {
        std::future::pending::<()>().await;
    }
    StatusCode::NO_CONTENT
}

impl Receiver {
    async fn start() -> Self {
        let heard = Heard::default();
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}/hooks", listener.address());
        let router = Router::new().fallback(hear).with_state(heard.clone());
        Self { url, heard, _server: listener.serve(router, Shutdown::new()) }
    }

    /// From now on whoever calls waits in vain.
    pub fn hold(&self) {
        *self.heard.holds.lock().unwrap() = true;
        self.heard.told.lock().unwrap().clear();
    }

    /// Waits until someone has called since.
    pub async fn was_called(&self) {
        eventually("a webhook", async || {
            if self.heard.told.lock().unwrap().is_empty() { Err("nobody called") } else { Ok(()) }
        })
        .await;
    }
}

fn start(folder: &Path, flags: &[&str]) -> (Process, Value) {
    let data = folder.join("data").display().to_string();
    let common = ["--json", "--listen", "127.0.0.1:0", "--data-dir", &data];
    let mut process = Process::start(Path::new(KASSA), folder, &[flags, &common].concat());
    let ready = process.event();
    assert_eq!(ready["event"], "ready", "{ready}");
    (process, ready)
}

fn url(ready: &Value, part: &str) -> String {
    ready["urls"][part].as_str().unwrap().trim_end_matches('/').to_owned()
}

impl Stage {
    /// With more flags of the gateway.
    pub async fn open(flags: &[&str]) -> Self {
        let folders: [TempDir; 2] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let merchant = format!("K1=K1_kassatest:{KLARNA_PASSWORD}");
        let (playground, ready) = start(
            folders[0].path(),
            &["playground", "--merchant", &merchant, "--sftp-listen", "off"],
        );
        let klarna = url(&ready, "playground");
        let usual = [
            "gateway",
            "--klarna-url",
            &klarna,
            "--klarna-username",
            "K1_kassatest",
            "--klarna-password",
            KLARNA_PASSWORD,
            "--api-key",
            API_KEY,
            "--dashboard-password",
            DASHBOARD_PASSWORD,
            "--metrics-listen",
            "127.0.0.1:0",
        ];
        let (process, ready) = start(folders[1].path(), &[&usual, flags].concat());
        let receiver = Receiver::start().await;
        let stage = Self {
            playground,
            process,
            gateway: url(&ready, "gateway"),
            metrics_url: url(&ready, "metrics"),
            receiver,
            klarna,
            http: Http::new(),
            _folders: folders,
        };
        let endpoint = json!({ "url": stage.receiver.url, "events": ["*"] });
        stage.post("/v1/webhook_endpoints", &endpoint, None).await;
        stage
    }

    async fn post(&self, path: &str, body: &Value, trace_parent: Option<&str>) -> Value {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        };
        set("authorization", &format!("Bearer {API_KEY}"));
        set("content-type", "application/json");
        if let Some(parent) = trace_parent {
            set("traceparent", parent);
        }
        let url = format!("{}{path}", self.gateway);
        let body = serde_json::to_vec(body).unwrap();
        let answer =
            HttpClient::default().send(Method::POST, &url, headers, body.into()).await.unwrap();
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text());
        answer.json().unwrap()
    }

    /// Opens a checkout, has the shopper approve, confirms and captures.
    pub async fn buy(&mut self, trace_parent: Option<&str>) -> Bought {
        let cart = json!({
            "merchant_reference": "WEB-1", "country": "SE", "locale": "sv-SE", "prices": "including_tax",
            "lines": [{ "reference": "MUG", "name": "Mugg", "quantity": 2, "unit_price": 9900, "tax_rate": 2500 }],
        });
        let mut marks: Vec<String> = [API_KEY, DASHBOARD_PASSWORD, KLARNA_PASSWORD, METRICS_TOKEN]
            .into_iter()
            .chain(PERSON)
            .map(ToOwned::to_owned)
            .collect();
        let checkout = self.post("/v1/checkouts", &cart, trace_parent).await;
        let client_token = checkout["klarna"]["client_token"].as_str().unwrap().to_owned();
        let [given_name, family_name, email, phone, street_address] = PERSON;
        let address = json!({
            "given_name": given_name, "family_name": family_name, "email": email, "phone": phone,
            "street_address": street_address, "postal_code": "11152", "city": "Stockholm", "country": "SE",
        });
        let body = json!({ "client_token": client_token, "data": { "billing_address": address } });
        let approve = format!("{}/playground/v1/shopper/authorize", self.klarna);
        let approved = self.http.post(&approve, As::Anyone, &body).await;
        let token = approved["authorization_token"].as_str().unwrap().to_owned();
        let checkout_id = checkout["id"].as_str().unwrap().to_owned();
        let confirm = format!("/v1/checkouts/{checkout_id}/confirm");
        let done =
            self.post(&confirm, &json!({ "authorization_token": token }), trace_parent).await;
        assert_eq!(done["status"], "completed", "{done}");
        let payment_id = done["payment_id"].as_str().unwrap().to_owned();
        self.post(&format!("/v1/payments/{payment_id}/captures"), &json!({}), trace_parent).await;
        marks.extend([
            client_token,
            token,
            checkout["checkout_secret"].as_str().unwrap().to_owned(),
        ]);
        Bought { checkout_id, payment_id, marks }
    }

    /// Klarna's callbacks come to nobody from now on.
    pub async fn loses_callbacks(&self) {
        let url = format!("{}/playground/v1/faults", self.klarna);
        let lost =
            json!({ "match": { "callback": "authorization" }, "effect": { "type": "lose" } });
        self.http.post(&url, As::Anyone, &lost).await;
    }

    /// Waits for a message about something.
    pub async fn webhook(&self, subject_id: &str, kind: &str) -> Told {
        eventually("a webhook", async || {
            let told = self.receiver.heard.told.lock().unwrap();
            let found =
                told.iter().find(|told| told.kind == kind && told.subject_id.contains(subject_id));
            found.cloned().ok_or_else(|| format!("{told:?}"))
        })
        .await
    }

    /// Has something told to the receiver that needs no Klarna.
    pub async fn tell_of_nothing(&self) {
        let listed = format!("{}/v1/webhook_endpoints", self.gateway);
        let endpoints = self.http.get(&listed, As::Bearer(API_KEY)).await;
        let id = endpoints["data"][0]["id"].as_str().unwrap();
        self.post(&format!("/v1/webhook_endpoints/{id}/test"), &json!({}), None).await;
    }

    pub async fn sign_in_wrongly(&self) {
        let mut headers = HeaderMap::new();
        headers
            .insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let url = format!("{}/dashboard/sign-in", self.gateway);
        let body = "user=admin&password=marked-guess";
        let answer =
            HttpClient::default().send(Method::POST, &url, headers, body.into()).await.unwrap();
        assert_eq!(answer.status, 401);
    }

    pub async fn raw(&self, method: Method, path: &str) -> (u16, HeaderMap) {
        let url = format!("{}{path}", self.gateway);
        let answer = self.http.send(method, &url, As::Bearer(API_KEY), None).await.unwrap();
        (answer.status.as_u16(), answer.headers)
    }

    pub async fn metrics(&self) -> String {
        let answer =
            self.http.send(Method::GET, &self.metrics_url, As::Anyone, None).await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
        answer.text()
    }

    /// Stops the gateway; everything that it logged.
    pub fn end(&mut self) -> String {
        assert!(self.process.terminate().success());
        self.process.stderr()
    }
}
