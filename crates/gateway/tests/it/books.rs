//! Whatever goes wrong on the way: once nothing is in flight, Klarna's books and the gateway's say
//! the same, and every intent took effect exactly once or was reported as not done.

#![allow(
    clippy::print_stderr,
    reason = "a test that fails here says so best, with its seed; the support is shared"
)]

use crate::town;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::faulty::{Faulty, Numbers};
use axum::body::Body;
use axum::http::Request;
use gateway::app::{App, DEFAULT_STORE};
use gateway::domain::cart::{self, LineInput, LineKind, PricesMode, Wish};
use gateway::domain::checkout::{
    CaptureMode, Checkout, Finalize, LIFE_MS, Session as CheckoutSession, Status,
};
use gateway::domain::hosted::Channel;
use gateway::domain::idempotency;
use gateway::domain::journal::Operation;
use gateway::domain::operation::{Kind, State};
use gateway::domain::payment::{NewAuthorization, Payment, Share};
use gateway::engine::attention::{self, Act, Word};
use gateway::engine::changes::ChangeWish;
use gateway::engine::commands::{self, Command, Intent};
use gateway::engine::klarna::{Klarna, OneAccount};
use gateway::engine::sdk::Sdk;
use gateway::engine::{Engine, Parts, sessions};
use gateway::store::migrations::MIGRATIONS;
use gateway::store::operations::{BACKGROUND, INTERACTIVE};
use gateway::store::{checkouts, operations, payments};
use gateway::vault::Vault;
use jiff::{SignedDuration, Timestamp};
use klarna_types::order_management::ShippingInfo;
use klarna_types::{Address, MinorUnits, Secret, TaxRate};
use parking_lot::Mutex;
use playground::{Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use service::{Clock, ManualClock};
use storage::{Database, Location};
use tower::ServiceExt as _;

const PUBLIC_URL: &str = "http://localhost:9";

/// A playground and a clock that both sides share.
struct Street {
    playground: playground::Running,
    clock: Arc<ManualClock>,
    sdk: Arc<dyn Klarna>,
    http: HttpClient,
}

impl Street {
    async fn build() -> Self {
        let start: Timestamp = "2031-01-01T12:00:00Z".parse().unwrap();
        let clock = ManualClock::starting_at(start);
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
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        })
        .await
        .unwrap();
        let credentials = klarna::Credentials::new("K123456_kassatest", Secret::new("secret"));
        let client = klarna::Client::builder(credentials)
            .base_url(playground.url().as_str())
            .unwrap()
            .build()
            .unwrap();
        let http = HttpClient::new(Limits::default());
        Self { playground, clock, sdk: Arc::new(Sdk::new(client)), http }
    }

    async fn authorize(&self, session_id: &str) -> Option<String> {
        let url = format!("{}playground/v1/shopper/authorize", self.playground.url());
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        let body = json!({ "session_id": session_id }).to_string();
        let method = http::Method::POST;
        let answer = self.http.send(method, &url, headers, body.into()).await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text()).unwrap();
        answer["authorization_token"].as_str().map(ToOwned::to_owned)
    }
}

/// One gateway over a street, and what its people did.
struct History<'a> {
    street: &'a Street,
    klarna: Arc<Faulty>,
    database: Database,
    engine: Engine,
    chance: Numbers,
    checkouts: Vec<(Checkout, Vec<String>)>,
    number: Arc<AtomicU64>,
    crashes: usize,
    /// Processes that were taken for dead, and go on where they stopped.
    sleepers: Mutex<Vec<Turn>>,
}

type Turn = Pin<Box<dyn Future<Output = usize> + Send>>;

fn engine(
    street: &Street,
    klarna: &Arc<Faulty>,
    database: &Database,
    number: &Arc<AtomicU64>,
) -> Engine {
    let number = Arc::clone(number);
    Engine::new(Parts {
        database: database.clone(),
        clock: Arc::clone(&street.clock) as Arc<dyn Clock>,
        accounts: Arc::new(OneAccount(Arc::clone(klarna) as Arc<dyn Klarna>)),
        fresh: Arc::new(move || format!("fresh-{}", number.fetch_add(1, Ordering::Relaxed))),
        public_url: PUBLIC_URL.to_owned(),
        vault: Vault::ephemeral(),
    })
}

fn line(reference: &str, quantity: i64, unit_price: i64) -> LineInput {
    LineInput {
        kind: LineKind::Physical,
        reference: Some(reference.to_owned()),
        name: reference.to_lowercase(),
        quantity,
        unit_price: MinorUnits::new(unit_price),
        tax_rate: TaxRate::new(2500),
        discount: None,
        image_url: None,
        product_url: None,
    }
}

impl<'a> History<'a> {
    async fn begin(street: &'a Street, location: &Location, seed: u64) -> Self {
        let database = Database::open(location, MIGRATIONS).await.unwrap();
        let klarna = Faulty::over(Arc::clone(&street.sdk));
        let number = Arc::new(AtomicU64::new(seed << 32));
        let engine = engine(street, &klarna, &database, &number);
        let chance = Numbers(seed);
        let checkouts = Vec::new();
        Self {
            street,
            klarna,
            database,
            engine,
            chance,
            checkouts,
            number,
            crashes: 0,
            sleepers: Mutex::default(),
        }
    }

    fn die(&mut self) {
        self.crashes += 1;
        self.engine = engine(self.street, &self.klarna, &self.database, &self.number);
    }

    /// One turn of the engine; it may die in it.
    async fn step(&mut self) -> usize {
        let engine = self.engine.clone();
        self.go_on(Box::pin(async move { engine.step().await.unwrap() })).await
    }

    async fn go_on(&mut self, mut turn: Turn) -> usize {
        let klarna = Arc::clone(&self.klarna);
        tokio::select! {
            biased;
            () = klarna.died.notified() => self.die(),
            () = klarna.slept.notified() => {
                self.sleepers.lock().push(turn);
                self.die();
            }
            done = &mut turn => return done,
        }
        1
    }

    /// Those who were taken for dead go on, while others have taken over their work.
    async fn wake_sleepers(&mut self) {
        self.klarna.wake_all();
        let sleepers = std::mem::take(&mut *self.sleepers.lock());
        for turn in sleepers {
            self.go_on(turn).await;
        }
    }

    async fn open(&mut self, number: usize) {
        let wish = Wish {
            merchant_reference: format!("WEB-{number}"),
            country: "SE".to_owned(),
            locale: None,
            currency: None,
            prices: PricesMode::IncludingTax,
            lines: vec![line("MUG", 3, 10_000), line("POT", 1, 20_000)],
        };
        let now_ms = self.street.clock.now_ms();
        let mut checkout = Checkout {
            id: self.engine.fresh_id("chk"),
            store_id: DEFAULT_STORE.to_owned(),
            version: 1,
            status: Status::Open,
            cart: cart::build(wish).unwrap(),
            wanted: None,
            capture: CaptureMode::Manual,
            tokenizing: None,
            confirmation_url: None,
            callback_secret: "secret".to_owned(),
            callback_digest: idempotency::digest("secret"),
            session: CheckoutSession {
                id: String::new(),
                client_token: String::new(),
                payment_method_categories: Vec::new(),
                expires_at_ms: 0,
            },
            account_id: None,
            trace_parent: None,
            channel: Channel::Inline,
            hosted: None,
            finalize: Finalize::Automatic,
            payment_id: None,
            refusal: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            expires_at_ms: now_ms + LIFE_MS,
        };
        checkout.session = sessions::open(&self.engine, &checkout, &checkout.cart).await.unwrap();
        let stored = checkout.clone();
        self.database
            .write(move |tx| checkouts::insert(tx, &stored, stored.next_poll_at_ms(now_ms)))
            .await
            .unwrap();
        self.checkouts.push((checkout, Vec::new()));
    }

    async fn confirm(&self, checkout: &Checkout, token: &str) {
        let (id, token) = (checkout.id.clone(), token.to_owned());
        let (new_id, now_ms) = (self.engine.fresh_id("op"), self.street.clock.now_ms());
        // A checkout that takes no authorisation any more says so; that is fine.
        let _ = self
            .database
            .write(move |tx| {
                commands::take_authorization(tx, &id, &token, PUBLIC_URL, &new_id, now_ms)
            })
            .await
            .unwrap();
    }

    /// Klarna calls, as often as it likes.
    async fn callback(&self, kind: &str, checkout: &Checkout, times: u64) {
        let password = Secret::new("x");
        let app = App::new(self.engine.clone(), String::new(), password, false);
        for _ in 0..times {
            let uri = format!("/klarna/callbacks/{kind}/{}", checkout.callback_key());
            let request = Request::post(uri).body(Body::from("{}")).unwrap();
            let answer = gateway::router(app.clone()).oneshot(request).await.unwrap();
            assert!(answer.status().is_success());
        }
    }

    async fn payment_of(&self, checkout: &Checkout) -> Option<Payment> {
        let id = checkout.id.clone();
        self.database
            .read(move |tx| {
                let checkout = checkouts::get(tx, &id)?.unwrap();
                match &checkout.payment_id {
                    Some(id) => payments::get(tx, id),
                    None => Ok(None),
                }
            })
            .await
            .unwrap()
    }

    /// A change by which no money moves.
    fn change(&mut self, amount: MinorUnits, payment: &Payment) -> ChangeWish {
        let number = self.chance.below(1000);
        match self.chance.below(6) {
            0 | 1 => ChangeWish::UpdateAuthorization {
                wanted: NewAuthorization { amount: Some(amount), lines: None },
                description: None,
            },
            2 => ChangeWish::ExtendAuthorization,
            3 => ChangeWish::UpdateReferences {
                reference1: None,
                reference2: Some(format!("B-{number}")),
            },
            4 => {
                let address =
                    Address { city: Some(format!("Lund {number}")), ..Address::default() };
                ChangeWish::UpdateCustomer(Box::new(address))
            }
            _ => ChangeWish::AddShippingInfo {
                capture_id: payment.captures.first().map(|capture| capture.id.clone()),
                parcels: vec![ShippingInfo {
                    tracking_number: Some(format!("T-{number}")),
                    ..ShippingInfo::default()
                }],
            },
        }
    }

    async fn command(&mut self, payment: &Payment) {
        let amount = MinorUnits::new(self.chance.pick(&[1, 500, 10_000, 20_000, 25_000, 50_000]));
        let share = Share { amount: Some(amount), lines: None };
        let command = match self.chance.below(10) {
            0..4 => Command::capture(share),
            4..6 => Command::refund(share),
            6 => Command::Cancel,
            7 => Command::Release,
            _ => Command::Change(self.change(amount, payment)),
        };
        let new_id = self.engine.fresh_id("op");
        // Some presses come twice.
        let dedupe = match self.chance.below(4) {
            0 => format!("press/{}/{}", payment.id, self.chance.below(2)),
            _ => new_id.clone(),
        };
        let (payment_id, now_ms) = (payment.id.clone(), self.street.clock.now_ms());
        let _ = self
            .database
            .write(move |tx| {
                let intent = Intent {
                    store_id: DEFAULT_STORE,
                    payment_id: &payment_id,
                    dedupe: &dedupe,
                    new_id: &new_id,
                };
                commands::take_command(tx, intent, &command, now_ms)
            })
            .await
            .unwrap();
    }

    fn advance(&self, seconds: i64) {
        self.street.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn act(&mut self) {
        let index = usize::try_from(self.chance.below(self.checkouts.len() as u64)).unwrap();
        let checkout = self.checkouts[index].0.clone();
        match self.chance.below(100) {
            0..18 => {
                if let Some(token) = self.street.authorize(&checkout.session.id).await {
                    self.checkouts[index].1.push(token);
                }
            }
            18..33 => {
                let tokens = self.checkouts[index].1.clone();
                if let Some(token) = tokens.last() {
                    self.confirm(&checkout, token).await;
                }
                if self.chance.below(4) == 0
                    && let Some(token) = tokens.first()
                {
                    self.confirm(&checkout, token).await;
                }
            }
            33..41 => {
                let times = 1 + self.chance.below(3);
                let kind = self.chance.pick(&["authorization", "notification"]);
                self.callback(kind, &checkout, times).await;
            }
            41..63 => {
                if let Some(payment) = self.payment_of(&checkout).await {
                    self.command(&payment).await;
                }
            }
            63..84 => {
                let crashes = self.crashes;
                for _ in 0..=self.chance.below(4) {
                    self.step().await;
                }
                // Now and then nobody restarts it until the next day.
                if self.crashes > crashes && self.chance.below(4) == 0 {
                    self.wake_sleepers().await;
                    self.advance(26 * 3_600);
                }
            }
            84..89 => self.wake_sleepers().await,
            89..95 => {
                let seconds = self.chance.pick(&[1, 6, 61, 61, 310, 3_600, 6 * 3_600]);
                self.advance(seconds);
            }
            95..97 => {
                // A call has a deadline of its own: none is on its way for longer than a key lives.
                self.wake_sleepers().await;
                self.advance(26 * 3_600);
            }
            _ => self.die(),
        }
    }

    async fn operations(&self) -> Vec<Operation> {
        self.database
            .read(|tx| operations::list(tx, DEFAULT_STORE, None, None, 1000))
            .await
            .unwrap()
    }

    /// Drives the engine until nothing is in flight. What needs a person gets one who looks into
    /// Klarna's books.
    async fn come_to_rest(&mut self) -> usize {
        self.klarna.calm();
        let mut helped = 0;
        self.wake_sleepers().await;
        for _ in 0..200 {
            while self.step().await > 0 {}
            for operation in self.operations().await {
                if operation.state == State::NeedsAttention {
                    helped += 1;
                    self.help(&operation).await;
                }
            }
            while self.step().await > 0 {}
            let next = self
                .database
                .read(|tx| {
                    let next = [INTERACTIVE.next_due_at(tx)?, BACKGROUND.next_due_at(tx)?];
                    Ok::<_, gateway::Fault>(next.into_iter().flatten().min())
                })
                .await
                .unwrap();
            match next {
                Some(at_ms) => {
                    let wait_ms = (at_ms - self.street.clock.now_ms()).max(1);
                    self.street.clock.advance(SignedDuration::from_millis(wait_ms));
                }
                None if self.operations().await.iter().all(|each| !each.state.holds_amount()) => {
                    return helped;
                }
                None => self.advance(61),
            }
        }
        panic!("it does not come to rest: {:?}", self.operations().await);
    }

    async fn help(&self, operation: &Operation) {
        let act = Act {
            store_id: DEFAULT_STORE.to_owned(),
            operation_id: operation.id.clone(),
            version: Some(operation.version),
            by: "a person".to_owned(),
            note: "looked".to_owned(),
        };
        if attention::look(&self.engine, act.clone()).await.unwrap().is_ok() {
            return;
        }
        assert_eq!(operation.kind, Kind::PlaceOrder, "the books tell of everything else");
        let id = operation.checkout_id.clone();
        let (_, tokens) = self.checkouts.iter().find(|(each, _)| each.id == id).unwrap();
        let made: Vec<_> = tokens.iter().flat_map(|token| self.klarna.orders_of(token)).collect();
        let word = match made.first() {
            Some(id) => Word::Done { klarna_id: Some(id.clone()) },
            None => Word::Refused,
        };
        attention::settle(&self.engine, act, word).await.unwrap().unwrap();
    }

    async fn compare(&self) {
        let operations = self.operations().await;
        for operation in &operations {
            assert!(matches!(operation.state, State::Done | State::Refused), "{operation:?}");
        }
        for (checkout, tokens) in &self.checkouts {
            let mut made: Vec<_> =
                tokens.iter().flat_map(|token| self.klarna.orders_of(token)).collect();
            made.dedup();
            assert!(made.len() <= 1, "one checkout, {} orders", made.len());
            let payment = self.payment_of(checkout).await;
            let kept: Vec<_> = payment.iter().map(|kept| kept.klarna_order_id.clone()).collect();
            assert_eq!(made, kept, "{tokens:?} {operations:#?}");
            if let Some(payment) = payment {
                self.compare_payment(&payment, &operations).await;
            }
        }
    }

    async fn compare_payment(&self, payment: &Payment, operations: &[Operation]) {
        let order = self.street.sdk.read_order(&payment.klarna_order_id).await.unwrap().value;
        let amounts = &payment.amounts;
        assert!(amounts.are_sound(), "{amounts:?}");
        assert_eq!(amounts.authorized, order.order_amount, "authorized");
        assert_eq!(amounts.captured, order.captured_amount, "captured");
        assert_eq!(amounts.refunded, order.refunded_amount, "refunded");
        assert_eq!(amounts.remaining, order.remaining_authorized_amount, "remaining");
        assert_eq!(payment.status.name(), order.status.as_str().to_lowercase());
        assert_eq!(payment.captures.len(), order.captures.len());
        assert_eq!(payment.refunds.len(), order.refunds.len());
        assert_eq!(payment.merchant_reference2, order.merchant_reference2, "{operations:#?}");
        assert_eq!(payment.shipping_info, order.shipping_info, "{operations:#?}");
        for (ours, theirs) in payment.captures.iter().zip(&order.captures) {
            assert_eq!(ours.shipping_info, theirs.shipping_info, "{operations:#?}");
        }
        for operation in operations {
            if operation.payment_id.as_ref() != Some(&payment.id) {
                continue;
            }
            let times = match operation.kind {
                Kind::Capture => {
                    let is_ours = |found: &&klarna_types::order_management::Capture| {
                        found.reference.as_ref() == Some(&operation.id)
                    };
                    order.captures.iter().filter(is_ours).count()
                }
                Kind::Refund => {
                    let is_ours = |found: &&klarna_types::order_management::Refund| {
                        found.reference.as_ref() == Some(&operation.id)
                    };
                    order.refunds.iter().filter(is_ours).count()
                }
                Kind::PlaceOrder
                | Kind::Cancel
                | Kind::Release
                | Kind::Change(_)
                | Kind::CreateToken
                | Kind::Charge
                | Kind::CancelToken => continue,
            };
            let wanted = usize::from(operation.state == State::Done);
            assert_eq!(times, wanted, "{operation:#?}");
        }
    }
}

/// Says which history it was, should it fail.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was KASSA_TEST_SEED={}", self.0);
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    payments: usize,
    effects: usize,
    refused: usize,
    crashes: usize,
    helped: usize,
}

async fn live_through(street: &Street, location: &Location, seed: u64) -> Seen {
    let _seed = Seed(seed);
    let mut history = History::begin(street, location, seed).await;
    for number in 0..=history.chance.below(2) {
        history.open(usize::try_from(number).unwrap()).await;
    }
    history.klarna.rage(seed ^ 0xFA17);
    for _ in 0..12 + history.chance.below(30) {
        history.act().await;
    }
    let helped = history.come_to_rest().await;
    history.compare().await;
    let operations = history.operations().await;
    let count =
        |wanted: fn(&Operation) -> bool| operations.iter().filter(|each| wanted(each)).count();
    let seen = Seen {
        payments: count(|each| each.kind == Kind::PlaceOrder && each.state == State::Done),
        effects: count(|each| each.kind != Kind::PlaceOrder && each.state == State::Done),
        refused: count(|each| each.state == State::Refused),
        crashes: history.crashes,
        helped,
    };
    history.database.close().await;
    seen
}

async fn lane(first: u64, histories: u64) -> Seen {
    let street = Street::build().await;
    let mut all = Seen::default();
    for seed in first..first + histories {
        let seen = live_through(&street, &Location::Memory, seed).await;
        all.payments += seen.payments;
        all.effects += seen.effects;
        all.refused += seen.refused;
        all.crashes += seen.crashes;
        all.helped += seen.helped;
    }
    street.playground.stop().await;
    all
}

const HISTORIES: u64 = 300;
const HISTORIES_ON_POSTGRES: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_books_agree() {
    if let Ok(seed) = std::env::var("KASSA_TEST_SEED") {
        lane(seed.parse().unwrap(), 1).await;
        return;
    }
    let (one, two) = tokio::join!(
        tokio::spawn(lane(1, HISTORIES / 2)),
        tokio::spawn(lane(10_001, HISTORIES / 2)),
    );
    for seen in [one.unwrap(), two.unwrap()] {
        // Histories in which nothing happens prove nothing.
        let floor = usize::try_from(HISTORIES / 8).unwrap();
        assert!(seen.payments > floor && seen.effects > floor, "{seen:?}");
        assert!(seen.crashes > floor && seen.refused > 0, "{seen:?}");
    }
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        let street = Street::build().await;
        for seed in 1..=HISTORIES_ON_POSTGRES {
            let location = town::fresh_postgres(&url).await;
            live_through(&street, &location, seed).await;
        }
        street.playground.stop().await;
    }
}
