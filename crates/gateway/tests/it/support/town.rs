//! A gateway that listens, over a playground that listens.

use std::sync::Arc;
use std::time::Duration;

use gateway::app::DEFAULT_STORE;
use gateway::engine::accounts::OfStore;
use gateway::engine::klarna::Klarna;
use gateway::engine::sdk::Sdk;
use gateway::vault::Vault;
use gateway::{Config, EarlierKeys, Gateway, KlarnaConfig, Running, TrustedProxies, observe};
use klarna_types::Secret;
use playground::{Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use service::{Clock, SystemClock};
use storage::{Database, Location};

use crate::faulty::Faulty;

pub const API_KEY: &str = "kassa_sk_markedapikey89abcdef0123456789ab";
pub const PASSWORD: &str = "marked horse";
pub const KLARNA_PASSWORD: &str = "marked-klarna-password";

pub struct Town {
    pub playground: playground::Running,
    pub gateway: Running,
    pub client: HttpClient,
    pub klarna: Arc<Faulty>,
}

pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub headers: http::HeaderMap,
}

impl Town {
    /// A gateway over SQLite, and one over the PostgreSQL that `KASSA_TEST_POSTGRES` names.
    pub async fn on_each_engine() -> Vec<Self> {
        let mut towns = vec![Self::build(Location::Memory).await];
        if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
            towns.push(Self::build(fresh_postgres(&url).await).await);
        }
        towns
    }

    pub async fn build(location: Location) -> Self {
        Self::build_at(location, SystemClock::shared()).await
    }

    /// The same at a time that both sides share, and that may be moved.
    pub async fn build_at(location: Location, clock: Arc<dyn Clock>) -> Self {
        Self::build_with(location, clock, |config| config).await
    }

    /// The same with a gateway that is configured otherwise.
    pub async fn build_with(
        location: Location,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let playground = Playground::start(playground::Config {
            listen,
            public_url: None,
            location: Location::Memory,
            merchants: vec![SeedMerchant {
                merchant_id: "K123456".to_owned(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new(KLARNA_PASSWORD),
                client_id: None,
            }],
            rate_limits: RateLimits::Off,
            unauthorized: UnauthorizedForm::Html,
            callback_targets: None,
            control_token: None,
            clock: Arc::clone(&clock),
        })
        .await
        .unwrap();
        let credentials =
            klarna::Credentials::new("K123456_kassatest", Secret::new(KLARNA_PASSWORD));
        let sdk = klarna::Client::builder(credentials)
            .base_url(playground.url().as_str())
            .unwrap()
            .build()
            .unwrap();
        let klarna = Faulty::over(Arc::new(Sdk::new(sdk)));
        let accounts = Arc::new(OfStore {
            store_id: DEFAULT_STORE.to_owned(),
            account: Arc::clone(&klarna) as Arc<dyn Klarna>,
        });
        let config = Config {
            listen,
            public_url: None,
            location,
            klarna: KlarnaConfig {
                base_url: playground.url().clone(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new(KLARNA_PASSWORD),
            },
            api_keys: vec![Secret::new(API_KEY)],
            earlier_keys: EarlierKeys::End,
            trusted_proxies: TrustedProxies::default(),
            dashboard_password: Secret::new(PASSWORD),
            vault: Vault::ephemeral(),
            script_url: None,
            client_id: Some("klarna_test_client_town".to_owned()),
            webhook_targets: None,
            clock,
            observe: observe::Settings { metrics_listen: Some(listen), ..Default::default() },
        };
        let gateway = Gateway::start_with(change(config), accounts).await.unwrap();
        Self {
            playground,
            gateway,
            client: HttpClient::new(Limits {
                answer: Duration::from_secs(120),
                ..Limits::default()
            }),
            klarna,
        }
    }

    /// Where the gateway listens, whatever its public URL is.
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.addr)
    }

    pub async fn end(self) {
        self.gateway.stop().await;
        self.playground.stop().await;
    }

    pub async fn send(
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

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.call_with(method, path, body, &[]).await
    }

    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Reply {
        let authorization = format!("Bearer {API_KEY}");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            // On a busy machine, too, what is waited for is the end.
            ("prefer", "wait=30"),
        ];
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, format!("{}{path}", self.gateway.url), &headers, body).await
    }

    /// The shopper authorises; answers the token.
    pub async fn authorize(&self, checkout: &Value) -> String {
        self.authorize_as(checkout, json!({})).await
    }

    /// A shopper of whom more is said authorises; answers the token.
    pub async fn authorize_as(&self, checkout: &Value, mut shopper: Value) -> String {
        let url = format!("{}playground/v1/shopper/authorize", self.playground.url());
        shopper["client_token"] = checkout["klarna"]["client_token"].clone();
        let body = shopper.to_string();
        let reply = self.send("POST", url, &[("content-type", "application/json")], body).await;
        assert_eq!(reply.body["approved"], true, "{}", reply.text);
        reply.body["authorization_token"].as_str().unwrap().to_owned()
    }

    /// The cookie of a person who has signed in.
    pub async fn sign_in(&self) -> String {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = format!("password={}", PASSWORD.replace(' ', "+"));
        let url = format!("{}/dashboard/sign-in", self.gateway.url);
        let signed_in = self.send("POST", url, &form, body).await;
        assert_eq!(signed_in.status, 303, "{}", signed_in.text);
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    pub async fn paid(&self) -> Value {
        self.paid_by(&cart(), json!({})).await
    }

    /// A payment of that cart, by a shopper of whom more is said.
    pub async fn paid_by(&self, cart: &Value, shopper: Value) -> Value {
        let checkout = self.call("POST", "/v1/checkouts", cart).await;
        assert_eq!(checkout.status, 201, "{}", checkout.text);
        let token = self.authorize_as(&checkout.body, shopper).await;
        let path = format!("/v1/checkouts/{}/confirm", checkout.body["id"].as_str().unwrap());
        let done = self.call("POST", &path, &json!({ "authorization_token": token })).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let payment = done.body["payment"].clone();
        self.is_read(&payment).await;
        payment
    }

    /// Waits until Klarna's books were read after the purchase: what they tell changes the payment.
    pub async fn is_read(&self, payment: &Value) {
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let reply = self.call("GET", &path, &Value::Null).await;
            if reply.body["klarna_reference"].is_string() {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "it was never read: {}", reply.text);
            tokio::task::yield_now().await;
        }
    }
}

pub fn cart() -> Value {
    json!({
        "merchant_reference": "WEB-1001", "country": "SE", "locale": "sv-SE",
        "prices": "including_tax",
        "lines": [
            { "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 3, "unit_price": 9900, "tax_rate": 2500, "discount": 100 },
            { "type": "shipping_fee", "reference": "SHIP", "name": "Frakt", "quantity": 1, "unit_price": 4900, "tax_rate": 2500 }
        ]
    })
}

/// A schema of its own on a PostgreSQL server.
pub async fn fresh_postgres(url: &str) -> Location {
    let name = format!("gateway_{}", service::random::uuid().simple());
    let admin = Database::open(&Location::Postgres(url.to_owned()), &[]).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    admin.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Location::Postgres(format!("{url}{separator}options=-c%20search_path%3D{name}"))
}
