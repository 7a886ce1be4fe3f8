//! A whole playground for a test: started on a free port, in memory, on a clock that stands still until
//! the control API moves it, spoken to over HTTP only.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use klarna_types::secret::Secret;
use playground::{Config, Playground, RateLimits, Running, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::ManualClock;
use service::http::HttpClient;
use storage::{Database, Location};

/// When every test begins.
pub const START: &str = "2026-03-02T09:00:00.250Z";

/// Who calls.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// Its id.
    pub merchant_id: String,
    /// The `Authorization` header of its calls.
    pub authorization: String,
}

impl Merchant {
    /// A merchant with a credential.
    pub fn new(merchant_id: &str, username: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        Self { merchant_id: merchant_id.to_owned(), authorization: format!("Basic {pair}") }
    }
}

/// A playground and what is needed to talk to it.
#[derive(Debug)]
pub struct World {
    running: Running,
    /// Its base URL, without a slash at the end.
    pub url: String,
    http: HttpClient,
    /// The seeded merchant.
    pub merchant: Merchant,
    /// Another seeded merchant.
    pub stranger: Merchant,
    answers_are_made_up: AtomicBool,
}

/// A database for one test: worlds that are opened on it one after the other find what the earlier
/// ones left.
#[derive(Debug)]
pub struct Engine {
    /// Where it is.
    pub location: Location,
    _directory: Option<tempfile::TempDir>,
}

/// One on each engine that is at hand: a SQLite file, and a schema of its own on the PostgreSQL server
/// that `KASSA_TEST_POSTGRES` names.
pub async fn engines() -> Vec<Engine> {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::File(directory.path().join("playground.sqlite"));
    let mut engines = vec![Engine { location, _directory: Some(directory) }];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        let schema = format!("playground_{}", service::random::uuid().simple());
        let server = Database::open(&Location::Postgres(url.clone()), &[]).await.unwrap();
        let create = format!("CREATE SCHEMA {schema}");
        server.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
        server.close().await;
        let separator = if url.contains('?') { '&' } else { '?' };
        let own = format!("{url}{separator}options=-c%20search_path%3D{schema}");
        engines.push(Engine { location: Location::Postgres(own), _directory: None });
    }
    engines
}

impl Engine {
    /// A world on this database.
    pub async fn world(&self) -> World {
        World::start_with(|config| config.location = self.location.clone()).await
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; `null` when it is empty or something else.
    pub json: Value,
}

impl Reply {
    /// A header that has to be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }
}

impl World {
    /// Starts one with the defaults.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one after `change` has had a look at its configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let seeds = [("K123456", "K123456_kassatest", "one"), ("K654321", "K654321_other", "two")];
        let clock = ManualClock::starting_at(START.parse::<Timestamp>().unwrap());
        let mut config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            location: Location::Memory,
            merchants: seeds
                .iter()
                .map(|(merchant_id, username, password)| SeedMerchant {
                    merchant_id: (*merchant_id).to_owned(),
                    username: (*username).to_owned(),
                    password: Secret::new(*password),
                    client_id: None,
                })
                .collect(),
            rate_limits: RateLimits::Off,
            unauthorized: UnauthorizedForm::Html,
            callback_targets: None,
            control_token: None,
            clock,
        };
        change(&mut config);
        let running = Playground::start(config).await.unwrap();
        let url = format!("http://{}", running.address());
        let [merchant, stranger] =
            seeds.map(|(id, name, password)| Merchant::new(id, name, password));
        let http = HttpClient::default();
        let answers_are_made_up = AtomicBool::new(false);
        Self { running, url, http, merchant, stranger, answers_are_made_up }
    }

    /// Says that whatever is answered from now on may be a fault on demand, and not what the playground says by itself.
    pub fn makes_answers_up(&self) {
        self.answers_are_made_up.store(true, Ordering::Relaxed);
    }

    /// The playground itself, to open further ways in.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// The client identifier of the seeded merchant.
    pub fn client_id(&self) -> String {
        self.running.client_id(&self.merchant.merchant_id).unwrap()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// The URL it gives itself, without a slash at the end.
    pub fn public_url(&self) -> String {
        self.running.url().as_str().trim_end_matches('/').to_owned()
    }

    /// Any request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.url);
        let answer = self.http.send(method.clone(), &url, map, body.into()).await.unwrap();
        let reply = Reply {
            status: answer.status.as_u16(),
            json: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
            text: answer.text(),
            headers: answer.headers,
        };
        // For docs/fidelity.md.
        let code = reply.json["error_code"].as_str().unwrap_or_default();
        let made_up = self.answers_are_made_up.load(Ordering::Relaxed);
        catalogue::seen::note(method.as_str(), path, reply.status, code, made_up);
        reply
    }

    /// A call of the seeded merchant, with JSON unless `body` is null.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.call_as(&self.merchant, method, path, body, &[]).await
    }

    /// A call of a merchant with further headers.
    pub async fn call_as(
        &self,
        merchant: &Merchant,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> Reply {
        let mut all = vec![("authorization", merchant.authorization.as_str())];
        all.extend(headers.iter().copied());
        if body.is_null() {
            return self.send(method, path, &all, "").await;
        }
        all.push(("content-type", "application/json"));
        self.send(method, path, &all, body.to_string()).await
    }

    /// A call of the control API that has to succeed.
    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let path = format!("/playground/v1{path}");
        let headers = [("content-type", "application/json")];
        let reply = self.send("POST", &path, &headers, body.to_string()).await;
        assert!((200..300).contains(&reply.status), "{path} {body}: {reply:?}");
        reply.json
    }

    /// Moves the clock forward; everything due by then has happened when this returns.
    pub async fn advance(&self, by: &str) {
        self.control("/clock", &json!({ "advance": by })).await;
    }
}

/// An order to be placed the way a shop places one.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The order's total; one line.
    pub amount: i64,
    /// Country of purchase.
    pub country: &'static str,
    /// Currency of it.
    pub currency: &'static str,
    /// A locale of it.
    pub locale: &'static str,
    /// The shopper's e-mail address, which decides how it goes.
    pub email: &'static str,
    /// A way to pay; the playground's first when absent.
    pub payment_method: Option<&'static str>,
    /// Further members of the session and the order.
    pub extra: Value,
    /// Further members of the order alone.
    pub order_extra: Value,
}

impl Default for Purchase {
    fn default() -> Self {
        Self::of(10_000)
    }
}

impl Purchase {
    /// A Swedish purchase on invoice.
    pub fn of(amount: i64) -> Self {
        Self {
            amount,
            country: "SE",
            currency: "SEK",
            locale: "sv-SE",
            email: "customer@email.se",
            payment_method: Some("invoice"),
            extra: json!({}),
            order_extra: json!({}),
        }
    }

    /// A British purchase on invoice.
    pub fn british(amount: i64) -> Self {
        Self {
            country: "GB",
            currency: "GBP",
            locale: "en-GB",
            email: "customer@email.uk",
            ..Self::of(amount)
        }
    }

    /// The body that opens its session, and that makes its order.
    pub fn session(&self) -> Value {
        let line = json!({
            "type": "physical", "reference": "shirt", "name": "Shirt", "quantity": 1,
            "unit_price": self.amount, "tax_rate": 0, "total_amount": self.amount,
            "total_tax_amount": 0,
        });
        let (city, postal_code, street) = match self.country {
            "GB" => ("London", "W13 3BG", "New Burlington St 10"),
            _ => ("Stockholm", "11157", "Sveavägen 1"),
        };
        let mut body = json!({
            "purchase_country": self.country, "purchase_currency": self.currency,
            "locale": self.locale, "order_amount": self.amount, "order_tax_amount": 0,
            "order_lines": [line], "merchant_reference1": "WEB-1001",
            "billing_address": {
                "given_name": "Alva", "family_name": "Berg", "email": self.email,
                "street_address": street, "postal_code": postal_code, "city": city,
                "country": self.country,
            },
        });
        merge(&mut body, &self.extra);
        body
    }
}

fn merge(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (name, value) in from {
            into.insert(name.clone(), value.clone());
        }
    }
}

impl World {
    /// Places an order: session, shopper, order. Answers with what creating the order answered.
    pub async fn purchase(&self, purchase: &Purchase) -> Value {
        self.purchase_as(&self.merchant, purchase).await
    }

    /// The same for any merchant.
    pub async fn purchase_as(&self, merchant: &Merchant, purchase: &Purchase) -> Value {
        let mut body = purchase.session();
        let session = self.call_as(merchant, "POST", "/payments/v1/sessions", &body, &[]).await;
        assert_eq!(session.status, 200, "{session:?}");
        let mut shopper = json!({
            "session_id": session.json["session_id"], "email": purchase.email,
        });
        if let Some(payment_method) = purchase.payment_method {
            shopper["payment_method"] = json!(payment_method);
        }
        let result = self.control("/shopper/authorize", &shopper).await;
        assert_eq!(result["approved"], true, "{result}");
        let token = result["authorization_token"].as_str().unwrap();
        merge(&mut body, &purchase.order_extra);
        let path = format!("/payments/v1/authorizations/{token}/order");
        let order = self.call_as(merchant, "POST", &path, &body, &[]).await;
        assert_eq!(order.status, 200, "{order:?}");
        order.json
    }

    /// Places an order and answers with its id.
    pub async fn order(&self, purchase: &Purchase) -> String {
        self.purchase(purchase).await["order_id"].as_str().unwrap().to_owned()
    }
}
