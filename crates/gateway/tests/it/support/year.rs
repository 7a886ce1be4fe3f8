//! A gateway of two nodes and a playground that live on one clock, which a test moves.

use std::sync::Arc;

use axum::body::Body;
use gateway::app::{App, DEFAULT_STORE};
use gateway::domain::access_key::{Grant, Kind};
use gateway::domain::idempotency;
use gateway::domain::scope::Scopes;
use gateway::engine::klarna::{Klarna, OneAccount};
use gateway::engine::sdk::Sdk;
use gateway::engine::{Engine, Parts};
use gateway::store::keys::New;
use gateway::store::migrations::MIGRATIONS;
use gateway::store::{access, customers, keys};
use gateway::vault::Vault;
use jiff::Timestamp;
use klarna_types::Secret;
use playground::{Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use service::{Clock, ManualClock};
use storage::{Database, Location};
use tower::ServiceExt as _;

use crate::faulty::Faulty;

const API_KEY: &str = "kassa_sk_yearofsubscriptions";

/// Klarna, and a gateway of two nodes that live on its clock.
pub struct Year {
    pub playground: playground::Running,
    pub http: HttpClient,
    pub klarna: Arc<Faulty>,
    pub database: Database,
    pub nodes: [Engine; 2],
    pub deaths: usize,
}

impl Year {
    pub async fn build(location: &Location, begin: &str) -> Self {
        // It stands still but for the playground's offset.
        let base = ManualClock::starting_at(begin.parse().unwrap());
        let playground = Playground::start(playground::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            location: Location::Memory,
            merchants: vec![SeedMerchant {
                merchant_id: "K123456".to_owned(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new("secret"),
                client_id: None,
            }],
            rate_limits: RateLimits::Off,
            unauthorized: UnauthorizedForm::Html,
            callback_targets: None,
            control_token: None,
            clock: base as Arc<dyn Clock>,
        })
        .await
        .unwrap();
        let credentials = klarna::Credentials::new("K123456_kassatest", Secret::new("secret"));
        let client = klarna::Client::builder(credentials)
            .base_url(playground.url().as_str())
            .unwrap()
            .build()
            .unwrap();
        let klarna = Faulty::over(Arc::new(Sdk::new(client)));
        let database = Database::open(location, MIGRATIONS).await.unwrap();
        let now_ms = playground.clock().now_ms();
        database
            .write(move |tx| {
                access::ensure_store(tx, DEFAULT_STORE, "Default store", now_ms)?;
                let digest = idempotency::digest(API_KEY);
                let new = New {
                    id: "key_1",
                    store_id: DEFAULT_STORE,
                    digest: &digest,
                    hint: "",
                    created_by: "test",
                };
                let grant = Grant {
                    name: "Test".to_owned(),
                    kind: Kind::Secret,
                    scopes: Scopes::everything(),
                    origins: Vec::new(),
                    expires_at_ms: None,
                };
                keys::ensure(tx, new, &grant, now_ms)
            })
            .await
            .unwrap();
        let nodes = [node(&playground, &klarna, &database), node(&playground, &klarna, &database)];
        let http = HttpClient::new(Limits::default());
        Self { playground, http, klarna, database, nodes, deaths: 0 }
    }

    pub fn now(&self) -> Timestamp {
        self.playground.clock().now()
    }

    /// What is due now, done by both nodes at once, which may die in it.
    pub async fn settle(&mut self) {
        for _ in 0..2000 {
            let klarna = Arc::clone(&self.klarna);
            let [one, two] = self.nodes.clone();
            let done = tokio::select! {
                biased;
                () = klarna.died.notified() => None,
                (one, two) = async { tokio::join!(Box::pin(one.step()), Box::pin(two.step())) } => {
                    Some(one.unwrap() + two.unwrap())
                }
            };
            match done {
                Some(0) => return,
                Some(_) => {}
                None => {
                    self.deaths += 1;
                    self.nodes =
                        [(); 2].map(|()| node(&self.playground, &self.klarna, &self.database));
                }
            }
        }
        panic!("the journal does not come to rest");
    }

    pub async fn klarnas(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.playground.url());
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        let method = if body.is_null() { http::Method::GET } else { http::Method::POST };
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.http.send(method, &url, headers, sent.into()).await.unwrap();
        let text = answer.text();
        assert!(answer.status.is_success(), "{path} {body}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn move_to(&self, at: Timestamp) {
        self.klarnas("playground/v1/clock", &json!({ "set": at.to_string() })).await;
    }

    pub async fn call(&self, path: &str, body: &Value) -> (u16, Value) {
        let password = Secret::new("x");
        let app = App::new(self.nodes[0].clone(), String::new(), password, false);
        let method = if body.is_null() { "GET" } else { "POST" };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {API_KEY}"))
            .header("content-type", "application/json")
            // Nobody waits: the nodes are moved by hand.
            .header("prefer", "respond-async")
            .body(Body::from(if body.is_null() { String::new() } else { body.to_string() }))
            .unwrap();
        let answer = gateway::router(app).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(path, &body).await;
        assert!((200..300).contains(&status), "{path} {body}: {answer}");
        answer
    }

    /// The shopper approves what a checkout asks for, and the shop confirms it.
    pub async fn confirm(&mut self, checkout: &Value) -> Value {
        let shopper = json!({ "client_token": checkout["klarna"]["client_token"] });
        let approved = self.klarnas("playground/v1/shopper/authorize", &shopper).await;
        assert_eq!(approved["approved"], true, "{approved}");
        let path = format!("/v1/checkouts/{}", text(checkout, "id"));
        let body = json!({ "authorization_token": approved["authorization_token"] });
        self.post(&format!("{path}/confirm"), body).await;
        self.settle().await;
        let done = self.get(&path).await;
        assert_eq!(done["status"], "completed", "{done}");
        done
    }

    pub async fn checkout(&self, intent: &str, amount: i64, plan: &str) -> Value {
        self.post(
            "/v1/checkouts",
            json!({
                "merchant_reference": "SIGN-UP", "country": "SE", "prices": "including_tax",
                "lines": [{
                    "type": "digital", "name": "Kaffe", "quantity": 1, "unit_price": amount,
                    "tax_rate": 1200,
                }],
                "intent": intent, "capture": "automatic",
                "customer_token": { "description": "Kaffe", "plan_id": plan },
            }),
        )
        .await
    }

    pub async fn token(&mut self, plan: &str) -> String {
        let checkout = self.checkout("tokenize", 0, plan).await;
        text(&self.confirm(&checkout).await, "customer_token_id")
    }

    pub async fn klarna_token(&self, token: &str) -> String {
        let token = token.to_owned();
        let found = self.database.read(move |tx| customers::token_of(tx, &token)).await.unwrap();
        found.unwrap().klarna_token_id
    }

    pub async fn be_klarna(&self, token: &str, change: Value) {
        let id = self.klarna_token(token).await;
        self.klarnas(&format!("playground/v1/customer-tokens/{id}"), &change).await;
    }

    pub async fn end(self) {
        self.database.close().await;
        self.playground.stop().await;
    }
}

pub fn node(playground: &playground::Running, klarna: &Arc<Faulty>, database: &Database) -> Engine {
    Engine::new(Parts {
        database: database.clone(),
        clock: playground.clock(),
        accounts: Arc::new(OneAccount(Arc::clone(klarna) as Arc<dyn Klarna>)),
        fresh: Arc::new(service::random::secret),
        public_url: "http://localhost:9".to_owned(),
        vault: Vault::ephemeral(),
    })
}

pub fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

pub fn plan(name: &str, interval: &str, more: &Value) -> Value {
    let mut plan = json!({
        "name": name, "currency": "SEK", "amount": 14_900, "tax_rate": 1200, "interval": interval,
        "capture": "automatic",
        "dunning": { "retry_days": [1, 3, 5, 7], "give_up": "suspend", "step_up": "offered" },
    });
    for (name, value) in more.as_object().unwrap() {
        plan[name] = value.clone();
    }
    plan
}

/// The charges of a subscription, oldest first.
pub async fn charges(year: &Year, id: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut path = format!("/v1/subscriptions/{id}/charges?limit=20");
    loop {
        let page = year.get(&path).await;
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/subscriptions/{id}/charges?limit=20&cursor={cursor}");
    }
    found.reverse();
    found
}

/// A schema of its own on the PostgreSQL server of the tests, if there is one.
pub async fn postgres() -> Option<Location> {
    let url = std::env::var("KASSA_TEST_POSTGRES").ok()?;
    let name = format!("gateway_{}", service::random::uuid().simple());
    let admin = Database::open(&Location::Postgres(url.clone()), &[]).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    admin.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(Location::Postgres(format!("{url}{separator}options=-c%20search_path%3D{name}")))
}
