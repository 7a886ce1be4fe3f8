//! A year of subscriptions, on the playground's clock: two time zones, month ends, a leap day, failures,
//! the shopper's help, changes of plan, pauses, lost answers, two nodes that die, and two weeks in which
//! nobody was there. Each due charge is made exactly once: in Klarna's books and in the gateway's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test that fails here says so best; the support is shared"
)]

#[path = "support/faulty.rs"]
mod faulty;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use faulty::{Faulty, Hit};
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
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use klarna_types::Secret;
use playground::{Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use service::{Clock, ManualClock};
use storage::{Database, Location};
use tower::ServiceExt as _;

const API_KEY: &str = "kassa_sk_yearofsubscriptions";
const BEGIN: &str = "2027-12-30T00:00:00Z";
const END: &str = "2029-01-01T00:00:00Z";
const STEP: SignedDuration = SignedDuration::from_hours(12);

/// Klarna, and a gateway of two nodes that live on its clock.
struct Year {
    playground: playground::Running,
    http: HttpClient,
    klarna: Arc<Faulty>,
    database: Database,
    nodes: [Engine; 2],
    deaths: usize,
}

impl Year {
    async fn build(location: &Location) -> Self {
        // It stands still but for the playground's offset.
        let base = ManualClock::starting_at(BEGIN.parse().unwrap());
        let playground = Playground::start(playground::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            location: Location::Memory,
            merchants: vec![SeedMerchant {
                merchant_id: "K123456".to_owned(),
                username: "K123456_kassatest".to_owned(),
                password: Secret::new("secret"),
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

    fn now(&self) -> Timestamp {
        self.playground.clock().now()
    }

    /// What is due now, done by both nodes at once, which may die in it.
    async fn settle(&mut self) {
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

    async fn klarnas(&self, path: &str, body: &Value) -> Value {
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

    async fn move_to(&self, at: Timestamp) {
        self.klarnas("playground/v1/clock", &json!({ "set": at.to_string() })).await;
    }

    async fn call(&self, path: &str, body: &Value) -> (u16, Value) {
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

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(path, &body).await;
        assert!((200..300).contains(&status), "{path} {body}: {answer}");
        answer
    }

    /// The shopper approves what a checkout asks for, and the shop confirms it.
    async fn confirm(&mut self, checkout: &Value) -> Value {
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

    async fn checkout(&self, intent: &str, amount: i64, plan: &str) -> Value {
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

    async fn token(&mut self, plan: &str) -> String {
        let checkout = self.checkout("tokenize", 0, plan).await;
        text(&self.confirm(&checkout).await, "customer_token_id")
    }

    async fn klarna_token(&self, token: &str) -> String {
        let token = token.to_owned();
        let found = self.database.read(move |tx| customers::token_of(tx, &token)).await.unwrap();
        found.unwrap().klarna_token_id
    }

    async fn be_klarna(&self, token: &str, change: Value) {
        let id = self.klarna_token(token).await;
        self.klarnas(&format!("playground/v1/customer-tokens/{id}"), &change).await;
    }

    async fn end(self) {
        self.database.close().await;
        self.playground.stop().await;
    }
}

fn node(playground: &playground::Running, klarna: &Arc<Faulty>, database: &Database) -> Engine {
    Engine::new(Parts {
        database: database.clone(),
        clock: playground.clock(),
        accounts: Arc::new(OneAccount(Arc::clone(klarna) as Arc<dyn Klarna>)),
        fresh: Arc::new(service::random::secret),
        public_url: "http://localhost:9".to_owned(),
        vault: Vault::ephemeral(),
    })
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

fn plan(name: &str, interval: &str, more: &Value) -> Value {
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

/// What people do on which day.
#[derive(Debug, Clone, Copy)]
enum Deed {
    FailNext(&'static str, u32),
    Outage(&'static str),
    Help(&'static str),
    Act(&'static str, &'static str),
    CancelAtPeriodEnd(&'static str),
    Quarterly(&'static str),
    MonthlyNow(&'static str),
    BuyAndSubscribe(&'static str),
    KlarnaCancels(&'static str),
    Hit(Hit),
}

const DEEDS: [(&str, Deed); 21] = [
    ("2028-01-07T12:00:00Z", Deed::BuyAndSubscribe("bought")),
    ("2028-01-30T12:00:00Z", Deed::Hit(Hit::LostAfter)),
    ("2028-02-28T12:00:00Z", Deed::Hit(Hit::CrashAfter)),
    ("2028-03-14T12:00:00Z", Deed::FailNext("failing", 2)),
    ("2028-03-30T12:00:00Z", Deed::Hit(Hit::LostBefore)),
    ("2028-04-10T12:00:00Z", Deed::Act("bought", "pause")),
    ("2028-04-29T12:00:00Z", Deed::Hit(Hit::CrashBefore)),
    ("2028-05-01T12:00:00Z", Deed::Quarterly("changing")),
    ("2028-05-30T12:00:00Z", Deed::Hit(Hit::NotSent)),
    ("2028-06-14T12:00:00Z", Deed::FailNext("failing", 100)),
    ("2028-06-17T12:00:00Z", Deed::Help("failing")),
    ("2028-07-08T12:00:00Z", Deed::Act("bought", "resume")),
    ("2028-07-30T12:00:00Z", Deed::Outage("month end")),
    ("2028-08-20T12:00:00Z", Deed::CancelAtPeriodEnd("leaving")),
    ("2028-09-05T12:00:00Z", Deed::MonthlyNow("changing")),
    ("2028-09-14T12:00:00Z", Deed::FailNext("failing", 100)),
    ("2028-09-29T12:00:00Z", Deed::Hit(Hit::CrashAfter)),
    ("2028-10-01T00:00:00Z", Deed::FailNext("failing", 0)),
    ("2028-10-01T12:00:00Z", Deed::Act("failing", "resume")),
    ("2028-10-10T12:00:00Z", Deed::KlarnaCancels("cancelled")),
    ("2028-12-30T12:00:00Z", Deed::Hit(Hit::LostAfter)),
];

/// Nobody is there.
const AWAY: (&str, &str) = ("2028-11-20T00:00:00Z", "2028-12-04T00:00:00Z");

fn local(zone: &str, times: &[&str]) -> Vec<String> {
    times
        .iter()
        .map(|time| {
            let at: Zoned = format!("{time}[{zone}]").parse().unwrap();
            format!("{:.3}", at.timestamp())
        })
        .collect()
}

/// So many days apart, on the clocks of a zone, until the end.
fn each(first: &str, days: i64) -> Vec<String> {
    let end: Timestamp = END.parse().unwrap();
    let mut at: Zoned = first.parse().unwrap();
    let mut found = Vec::new();
    while at.timestamp() < end {
        found.push(format!("{:.3}", at.timestamp()));
        at = at.checked_add(days.days()).unwrap();
    }
    found
}

/// What must have been paid for, by hand and by the machine's own calendar.
fn expected() -> BTreeMap<&'static str, Vec<String>> {
    BTreeMap::from([
        (
            "month end",
            local(
                "Europe/Stockholm",
                &[
                    "2027-12-31T09:00",
                    "2028-01-31T09:00",
                    "2028-02-29T09:00",
                    "2028-03-31T09:00",
                    "2028-04-30T09:00",
                    "2028-05-31T09:00",
                    "2028-06-30T09:00",
                    "2028-07-31T09:00",
                    "2028-08-31T09:00",
                    "2028-09-30T09:00",
                    "2028-10-31T09:00",
                    "2028-11-30T09:00",
                    "2028-12-31T09:00",
                ],
            ),
        ),
        (
            "late evening",
            local(
                "America/New_York",
                &[
                    "2027-12-30T23:30",
                    "2028-01-30T23:30",
                    "2028-02-29T23:30",
                    "2028-03-30T23:30",
                    "2028-04-30T23:30",
                    "2028-05-30T23:30",
                    "2028-06-30T23:30",
                    "2028-07-30T23:30",
                    "2028-08-30T23:30",
                    "2028-09-30T23:30",
                    "2028-10-30T23:30",
                    "2028-11-30T23:30",
                    "2028-12-30T23:30",
                ],
            ),
        ),
        ("leap day", local("Europe/Stockholm", &["2028-02-29T12:00"])),
        ("mondays", each("2028-01-10T18:00[America/New_York]", 7)),
        ("ten days", each("2028-01-15T08:00[UTC]", 10)),
        (
            "bought",
            local(
                "Europe/Stockholm",
                &[
                    "2028-01-07T13:00",
                    "2028-02-07T13:00",
                    "2028-03-07T13:00",
                    "2028-04-07T13:00",
                    "2028-08-07T13:00",
                    "2028-09-07T13:00",
                    "2028-10-07T13:00",
                    "2028-11-07T13:00",
                    "2028-12-07T13:00",
                ],
            ),
        ),
        (
            "failing",
            local(
                "UTC",
                &[
                    "2028-01-15T10:00",
                    "2028-02-15T10:00",
                    "2028-03-15T10:00",
                    "2028-04-15T10:00",
                    "2028-05-15T10:00",
                    "2028-06-15T10:00",
                    "2028-07-15T10:00",
                    "2028-08-15T10:00",
                    "2028-10-15T10:00",
                    "2028-11-15T10:00",
                    "2028-12-15T10:00",
                ],
            ),
        ),
        (
            "changing",
            local(
                "Europe/Stockholm",
                &[
                    "2028-01-10T09:00",
                    "2028-02-10T09:00",
                    "2028-03-10T09:00",
                    "2028-04-10T09:00",
                    "2028-05-10T09:00",
                    "2028-08-10T09:00",
                    "2028-09-05T14:00",
                    "2028-10-05T14:00",
                    "2028-11-05T14:00",
                    "2028-12-05T14:00",
                ],
            ),
        ),
        (
            "leaving",
            local(
                "UTC",
                &[
                    "2028-01-05T10:00",
                    "2028-02-05T10:00",
                    "2028-03-05T10:00",
                    "2028-04-05T10:00",
                    "2028-05-05T10:00",
                    "2028-06-05T10:00",
                    "2028-07-05T10:00",
                    "2028-08-05T10:00",
                ],
            ),
        ),
        (
            "cancelled",
            local(
                "UTC",
                &[
                    "2028-01-20T10:00",
                    "2028-02-20T10:00",
                    "2028-03-20T10:00",
                    "2028-04-20T10:00",
                    "2028-05-20T10:00",
                    "2028-06-20T10:00",
                    "2028-07-20T10:00",
                    "2028-08-20T10:00",
                    "2028-09-20T10:00",
                ],
            ),
        ),
    ])
}

/// The subscriptions, by name: the id and the token.
type People = BTreeMap<&'static str, (String, String)>;

struct Plans {
    monthly: String,
    quarterly: String,
}

async fn sign_everyone_up(year: &mut Year) -> (People, Plans) {
    let mut plans = BTreeMap::new();
    for (name, wanted) in [
        ("monthly", plan("Kaffe", "month", &json!({}))),
        ("quarterly", plan("Kvartal", "month", &json!({ "interval_count": 3 }))),
        ("yearly", plan("Skottdag", "year", &json!({}))),
        ("weekly", plan("Måndag", "week", &json!({ "anchor_day": 1 }))),
        ("ten days", plan("Tio", "day", &json!({ "interval_count": 10, "trial_days": 14 }))),
    ] {
        plans.insert(name, text(&year.post("/v1/plans", wanted).await, "id"));
    }
    let mut people = People::new();
    for (name, plan, zone, start) in [
        ("month end", "monthly", "Europe/Stockholm", "2027-12-31T09:00:00+01:00"),
        ("late evening", "monthly", "America/New_York", "2027-12-30T23:30:00-05:00"),
        ("leap day", "yearly", "Europe/Stockholm", "2028-02-29T12:00:00+01:00"),
        ("mondays", "weekly", "America/New_York", "2028-01-05T18:00:00-05:00"),
        ("ten days", "ten days", "UTC", "2028-01-01T08:00:00Z"),
        ("failing", "monthly", "UTC", "2028-01-15T10:00:00Z"),
        ("changing", "monthly", "Europe/Stockholm", "2028-01-10T09:00:00+01:00"),
        ("leaving", "monthly", "UTC", "2028-01-05T10:00:00Z"),
        ("cancelled", "monthly", "UTC", "2028-01-20T10:00:00Z"),
    ] {
        let token = year.token(&plans[plan]).await;
        let wanted = json!({
            "plan_id": plans[plan], "customer_token_id": token, "time_zone": zone,
            "start_at": start, "merchant_reference": name.replace(' ', "-"),
        });
        let made = year.post("/v1/subscriptions", wanted).await;
        people.insert(name, (text(&made, "id"), token));
    }
    let plans = Plans { monthly: plans["monthly"].clone(), quarterly: plans["quarterly"].clone() };
    (people, plans)
}

async fn happen(year: &mut Year, people: &mut People, plans: &Plans, deed: Deed) {
    let path = |people: &People, name: &str| format!("/v1/subscriptions/{}", people[name].0);
    match deed {
        Deed::FailNext(name, times) => {
            let change = json!({ "action": "fail_next", "times": times });
            year.be_klarna(&people[name].1, change).await;
        }
        Deed::Outage(name) => {
            let change = json!({
                "action": "fail_next", "times": 1, "error_code": "SERVICE_UNAVAILABLE",
            });
            year.be_klarna(&people[name].1, change).await;
        }
        Deed::Help(name) => {
            let found = year.get(&path(people, name)).await;
            assert_eq!(found["status"], "past_due", "{found}");
            assert_eq!(found["open_charge"]["can_step_up"], true, "{found}");
            let checkout = year.post(&format!("{}/step_up", path(people, name)), json!({})).await;
            year.confirm(&checkout).await;
            assert_eq!(year.get(&path(people, name)).await["status"], "active");
        }
        Deed::Act(name, action) => {
            year.post(&format!("{}/{action}", path(people, name)), json!({})).await;
        }
        Deed::CancelAtPeriodEnd(name) => {
            let body = json!({ "when": "period_end" });
            year.post(&format!("{}/cancel", path(people, name)), body).await;
        }
        Deed::Quarterly(name) => {
            let body = json!({ "plan_id": plans.quarterly, "when": "period_end" });
            year.post(&format!("{}/plan", path(people, name)), body).await;
        }
        Deed::MonthlyNow(name) => {
            let body = json!({ "plan_id": plans.monthly, "when": "now" });
            year.post(&format!("{}/plan", path(people, name)), body).await;
        }
        Deed::BuyAndSubscribe(name) => {
            let checkout = year.checkout("buy_and_tokenize", 14_900, &plans.monthly).await;
            let wanted = json!({
                "plan_id": plans.monthly, "checkout_id": checkout["id"],
                "time_zone": "Europe/Stockholm", "merchant_reference": name,
            });
            let made = year.post("/v1/subscriptions", wanted).await;
            let done = year.confirm(&checkout).await;
            people.insert(name, (text(&made, "id"), text(&done, "customer_token_id")));
        }
        Deed::KlarnaCancels(name) => {
            year.be_klarna(&people[name].1, json!({ "action": "cancel" })).await;
        }
        Deed::Hit(hit) => year.klarna.hit_next("charge", hit),
    }
}

/// The charges of a subscription, oldest first.
async fn charges(year: &Year, id: &str) -> Vec<Value> {
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

async fn compare(year: &Year, people: &People) {
    let mut orders = BTreeSet::new();
    for (name, expected) in expected() {
        let (id, token) = &people[name];
        let charges = charges(year, id).await;
        let numbers: Vec<i64> = charges.iter().map(|row| row["number"].as_i64().unwrap()).collect();
        let counted: Vec<i64> = (1..=i64::try_from(charges.len()).unwrap()).collect();
        assert_eq!(numbers, counted, "{name}: each number once");
        let paid: Vec<&Value> = charges.iter().filter(|row| row["status"] == "paid").collect();
        let due: Vec<String> = paid.iter().map(|row| text(row, "due_at")).collect();
        assert_eq!(due, expected, "{name}: what was paid for");

        // In Klarna's books: as many charges of the token, each the order of one payment.
        let klarnas = year.klarna_token(token).await;
        let klarnas = format!("playground/v1/customer-tokens/{klarnas}");
        let history = year.klarnas(&klarnas, &Value::Null).await;
        let entries = history["history"].as_array().unwrap();
        let made = |event: &str| -> BTreeSet<String> {
            let of = entries.iter().filter(|entry| entry["event"] == event);
            let member = if event == "charged" { "order_id" } else { "detail" };
            of.map(|entry| text(entry, member)).collect()
        };
        let mut by_token = made("charged");
        let charged = entries.iter().filter(|entry| entry["event"] == "charged").count();
        assert_eq!(by_token.len(), charged, "{name}: each order once");
        for row in &paid {
            let payment = year.get(&format!("/v1/payments/{}", text(row, "payment_id"))).await;
            assert_eq!(payment["status"], "captured", "{name}: {payment}");
            assert_eq!(payment["amounts"]["captured"], row["amount"], "{name}");
            let order = text(&payment, "klarna_order_id");
            assert!(orders.insert(order.clone()), "{name}: an order of two charges");
            // A first payment and the shopper's help are orders of a checkout.
            let by_checkout = payment["checkout_id"].is_string();
            assert_eq!(by_token.remove(&order), !by_checkout, "{name}: {row}");
        }
        assert_eq!(by_token, BTreeSet::new(), "{name}: Klarna has charged what is not recorded");
    }
}

async fn live_through(location: &Location) {
    let mut year = Year::build(location).await;
    let (mut people, plans) = sign_everyone_up(&mut year).await;
    let mut deeds: Vec<(Timestamp, Deed)> =
        DEEDS.iter().map(|(at, deed)| (at.parse().unwrap(), *deed)).collect();
    deeds.reverse();
    let (away, back): (Timestamp, Timestamp) = (AWAY.0.parse().unwrap(), AWAY.1.parse().unwrap());
    let end: Timestamp = END.parse().unwrap();
    let mut now = year.now();
    loop {
        let is_away = away <= now && now < back;
        // What is due comes first, so that a deed finds the books as a person would.
        if !is_away {
            year.settle().await;
        }
        while deeds.last().is_some_and(|(at, _)| *at <= now) {
            let (_, deed) = deeds.pop().unwrap();
            happen(&mut year, &mut people, &plans, deed).await;
            year.settle().await;
        }
        if now >= end {
            break;
        }
        now = now.checked_add(STEP).unwrap().min(end);
        year.move_to(now).await;
    }
    year.settle().await;
    compare(&year, &people).await;

    // How each of them stands.
    let read = async |name: &str| year.get(&format!("/v1/subscriptions/{}", people[name].0)).await;
    for name in
        ["month end", "late evening", "leap day", "mondays", "ten days", "bought", "failing"]
    {
        let found = read(name).await;
        assert_eq!((&found["status"], &found["open_charge"]), (&json!("active"), &Value::Null));
    }
    assert_eq!(read("leap day").await["next_charge_at"], "2029-02-28T11:00:00.000Z");
    assert_eq!(read("month end").await["next_charge_at"], "2029-01-31T08:00:00.000Z");
    assert_eq!(read("leaving").await["ended_because"], "period_ended");
    assert_eq!(read("cancelled").await["ended_because"], "token_cancelled");
    let failing = charges(&year, &people["failing"].0).await;
    let of = |month: &str| {
        let row = failing.iter().find(|row| text(row, "due_at").starts_with(month)).unwrap();
        (text(row, "status"), row["attempts"].as_i64().unwrap())
    };
    assert_eq!(of("2028-03"), ("paid".to_owned(), 3));
    assert_eq!(of("2028-06"), ("paid".to_owned(), 2));
    assert_eq!(of("2028-09"), ("given_up".to_owned(), 5));
    assert_eq!(year.deaths, 3, "each crash was lived through");
    for state in ["queued", "running", "in_doubt", "needs_attention"] {
        let left = year.get(&format!("/v1/operations?state={state}")).await;
        assert_eq!(left["data"], json!([]), "{state}");
    }
    year.end().await;
}

#[tokio::test]
async fn each_due_charge_of_a_year_is_made_exactly_once() {
    live_through(&Location::Memory).await;
}

#[tokio::test]
async fn each_due_charge_of_a_year_is_made_exactly_once_on_postgresql() {
    let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") else { return };
    let name = format!("gateway_{}", service::random::uuid().simple());
    let admin = Database::open(&Location::Postgres(url.clone()), &[]).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    admin.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    let own = format!("{url}{separator}options=-c%20search_path%3D{name}");
    live_through(&Location::Postgres(own)).await;
}
