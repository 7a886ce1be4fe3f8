//! A stand-in for Klarna that keeps books and loses answers on command, and an engine over it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gateway::app::DEFAULT_STORE;
use gateway::domain::cart::{self, LineInput, LineKind, PricesMode, Wish};
use gateway::domain::change::Change;
use gateway::domain::checkout::{
    CaptureMode, Checkout, Finalize, LIFE_MS, Session as CheckoutSession, Status,
};
use gateway::domain::hosted::Channel;
use gateway::domain::journal::Operation;
use gateway::domain::operation::{Effect, Failure};
use gateway::domain::payment::Payment;
use gateway::engine::commands::{self, Command, Intent, NotPossible, NotTaken};
use gateway::engine::klarna::{Answer, Boxed, ChangeCall, Klarna, OneAccount, Outcome};
use gateway::engine::{Engine, Parts, sessions};
use gateway::store::migrations::MIGRATIONS;
use gateway::store::{checkouts, events, operations, payments};
use gateway::vault::Vault;
use jiff::{SignedDuration, Timestamp};
use klarna_types::order_management::{ExtendDueDateOptions, Order};
use klarna_types::payments::{
    CreateSession, CreatedOrder, CreatedSession, Session, SessionStatus, UpdateSession,
};
use klarna_types::{AuthorizationToken, MinorUnits, TaxRate};
use parking_lot::Mutex;
use serde_json::{Value, json};
use service::{Clock, ManualClock};
use storage::{Database, Location};

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The call never arrives, and the caller knows.
    NotSent,
    /// The call never arrives, and the caller cannot know.
    LostBefore,
    /// The call takes effect, and its answer is lost.
    LostAfter,
    /// Klarna says no.
    Refuse(u16, &'static str),
}

#[derive(Debug, Default)]
struct Books {
    sessions: HashMap<String, Value>,
    /// token -> session
    tokens: HashMap<String, String>,
    /// token -> (body, order id)
    placed: HashMap<String, (String, String)>,
    orders: HashMap<String, Value>,
    /// idempotency key -> id
    keys: HashMap<String, String>,
    faults: VecDeque<(&'static str, Fault)>,
    calls: Vec<(String, String)>,
    fraud: Option<&'static str>,
    counter: u64,
}

/// The stand-in.
#[derive(Debug, Default)]
pub struct FakeKlarna(Mutex<Books>);

fn failure(effect: Effect, status: Option<u16>, code: Option<&str>) -> Failure {
    Failure {
        effect,
        status,
        error_code: code.map(Into::into),
        error_messages: Vec::new(),
        correlation_id: Some("corr-1".to_owned()),
        retry_after_ms: None,
        summary: "as the test wished".to_owned(),
        step_up_id: None,
    }
}

fn refused(status: u16, code: &str) -> Failure {
    failure(Effect::Refused, Some(status), Some(code))
}

impl FakeKlarna {
    /// The next call of this name goes wrong so. Several wait in line.
    pub fn fail_next(&self, call: &'static str, fault: Fault) {
        self.0.lock().faults.push_back((call, fault));
    }

    /// No call goes wrong any more.
    pub fn forget_faults(&self) {
        self.0.lock().faults.clear();
    }

    /// A day has passed: idempotency keys are forgotten.
    pub fn forget_keys(&self) {
        self.0.lock().keys.clear();
    }

    /// The shopper authorises.
    pub fn authorize(&self, session_id: &str) -> String {
        let mut books = self.0.lock();
        books.counter += 1;
        let token = format!("token-{}", books.counter);
        books.tokens.retain(|_, of| of != session_id);
        books.tokens.insert(token.clone(), session_id.to_owned());
        token
    }

    /// New orders are under review.
    pub fn review_orders(&self) {
        self.0.lock().fraud = Some("PENDING");
    }

    /// Klarna decides.
    pub fn decide_fraud(&self, order_id: &str, verdict: &str) {
        let mut books = self.0.lock();
        books.orders.get_mut(order_id).unwrap()["fraud_status"] = json!(verdict);
    }

    /// The newest order.
    pub fn newest_order(&self) -> String {
        let books = self.0.lock();
        let number = |id: &String| id.trim_start_matches("order-").parse::<u64>().unwrap();
        books.orders.keys().max_by_key(|id| number(id)).unwrap().clone()
    }

    pub fn change_order(&self, id: &str, change: impl FnOnce(&mut Value)) {
        change(self.0.lock().orders.get_mut(id).unwrap());
    }

    pub fn order_count(&self) -> usize {
        self.0.lock().orders.len()
    }

    pub fn order(&self, id: &str) -> Value {
        self.0.lock().orders[id].clone()
    }

    pub fn bodies(&self, call: &str) -> Vec<String> {
        let books = self.0.lock();
        books.calls.iter().filter(|(name, _)| name == call).map(|(_, body)| body.clone()).collect()
    }

    fn run<T>(
        &self,
        call: &'static str,
        body: &str,
        effect: impl FnOnce(&mut Books) -> Result<T, Failure>,
    ) -> Outcome<T> {
        let mut books = self.0.lock();
        let fault = match books.faults.front() {
            Some((name, _)) if *name == call => books.faults.pop_front().map(|(_, fault)| fault),
            _ => None,
        };
        match fault {
            Some(Fault::NotSent) => return Err(failure(Effect::NoneYet, None, None)),
            Some(Fault::LostBefore) => return Err(failure(Effect::Unknown, None, None)),
            Some(Fault::Refuse(status, code)) => {
                books.calls.push((call.to_owned(), body.to_owned()));
                return Err(refused(status, code));
            }
            Some(Fault::LostAfter) | None => {}
        }
        books.calls.push((call.to_owned(), body.to_owned()));
        let value = effect(&mut books);
        match (fault, value) {
            (Some(_), _) => Err(failure(Effect::Unknown, None, None)),
            (None, Ok(value)) => {
                Ok(Answer { value, status: 200, correlation_id: Some("corr-0".to_owned()) })
            }
            (None, Err(failure)) => Err(failure),
        }
    }

    fn transfer(
        &self,
        call: &'static str,
        order_id: &str,
        key: &str,
        body: &str,
    ) -> Outcome<String> {
        self.run(call, body, |books| {
            if let Some(id) = books.keys.get(key) {
                return Ok(id.clone());
            }
            books.counter += 1;
            let id = format!("{call}-{}", books.counter);
            let request: Value = serde_json::from_str(body).unwrap();
            let order =
                books.orders.get_mut(order_id).ok_or_else(|| refused(404, "NO_SUCH_ORDER"))?;
            let number = |order: &Value, member: &str| order[member].as_i64().unwrap();
            if call == "capture" {
                let amount = number(&request, "captured_amount");
                let left = number(order, "remaining_authorized_amount");
                if amount > left || order["fraud_status"] == "PENDING" {
                    return Err(refused(403, "CAPTURE_NOT_ALLOWED"));
                }
                let captured = number(order, "captured_amount") + amount;
                order["captured_amount"] = json!(captured);
                order["remaining_authorized_amount"] = json!(left - amount);
                order["status"] = json!(if amount == left { "CAPTURED" } else { "PART_CAPTURED" });
                order["captures"].as_array_mut().unwrap().push(json!({
                    "capture_id": id, "captured_amount": amount, "refunded_amount": 0,
                    "reference": request["reference"], "description": "",
                    "order_lines": request.get("order_lines").cloned().unwrap_or(json!([])),
                }));
            } else {
                let amount = number(&request, "refunded_amount");
                let refunded = number(order, "refunded_amount") + amount;
                if refunded > number(order, "captured_amount") {
                    return Err(refused(403, "REFUND_NOT_ALLOWED"));
                }
                order["refunded_amount"] = json!(refunded);
                order["refunds"].as_array_mut().unwrap().push(json!({
                    "refund_id": id, "refunded_amount": amount,
                    "reference": request["reference"],
                    "order_lines": request.get("order_lines").cloned().unwrap_or(json!([])),
                }));
            }
            books.keys.insert(key.to_owned(), id.clone());
            Ok(id)
        })
    }

    fn close(&self, call: &'static str, order_id: &str, key: &str) -> Outcome<()> {
        self.run(call, "", |books| {
            if books.keys.contains_key(key) {
                return Ok(());
            }
            let order =
                books.orders.get_mut(order_id).ok_or_else(|| refused(404, "NO_SUCH_ORDER"))?;
            if call == "cancel" {
                if order["captured_amount"] != 0 || order["status"] == "CANCELLED" {
                    return Err(refused(403, "CANCEL_NOT_ALLOWED"));
                }
                order["status"] = json!("CANCELLED");
            } else {
                order["status"] = json!("CAPTURED");
            }
            order["remaining_authorized_amount"] = json!(0);
            books.keys.insert(key.to_owned(), String::new());
            Ok(())
        })
    }
}

/// What a change does to an order.
fn apply(change: Change, order: &mut Value, capture_id: Option<&str>, body: &Value) {
    match change {
        Change::UpdateAuthorization => {
            order["order_amount"] = body["order_amount"].clone();
            order["order_lines"] = body["order_lines"].clone();
            let amount = body["order_amount"].as_i64().unwrap();
            let left = amount - order["captured_amount"].as_i64().unwrap();
            order["remaining_authorized_amount"] = json!(left);
            if left == 0 {
                order["status"] = json!("CAPTURED");
            }
        }
        Change::ExtendAuthorization => {
            let until: Timestamp = order["expires_at"].as_str().unwrap().parse().unwrap();
            let until = until.checked_add(SignedDuration::from_hours(28 * 24)).unwrap();
            order["expires_at"] = json!(format!("{until:.3}"));
        }
        Change::UpdateCustomer => order["shipping_address"] = body["shipping_address"].clone(),
        Change::UpdateReferences => {
            for (name, value) in body.as_object().unwrap() {
                order[name] = value.clone();
            }
        }
        Change::AddShippingInfo => {
            let place = match capture_id {
                None => order,
                Some(id) => order["captures"]
                    .as_array_mut()
                    .unwrap()
                    .iter_mut()
                    .find(|capture| capture["capture_id"] == id)
                    .unwrap(),
            };
            let mut all = place["shipping_info"].as_array().cloned().unwrap_or_default();
            all.extend(body["shipping_info"].as_array().unwrap().iter().cloned());
            place["shipping_info"] = json!(all);
        }
        Change::ResendCommunication | Change::ExtendDueDate | Change::Acknowledge => {}
    }
}

impl Klarna for FakeKlarna {
    fn create_session<'a>(&'a self, body: &'a CreateSession) -> Boxed<'a, Outcome<CreatedSession>> {
        Box::pin(async move {
            let text = serde_json::to_string(body).unwrap();
            self.run("create_session", &text, |books| {
                books.counter += 1;
                let id = format!("session-{}", books.counter);
                books.sessions.insert(id.clone(), serde_json::from_str(&text).unwrap());
                Ok(CreatedSession {
                    session_id: id.as_str().into(),
                    client_token: format!("client-{id}").into(),
                    payment_method_categories: Vec::new(),
                    distribution: None,
                })
            })
        })
    }

    fn update_session<'a>(
        &'a self,
        session_id: &'a str,
        body: &'a UpdateSession,
    ) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            let text = serde_json::to_string(body).unwrap();
            self.run("update_session", &text, |books| {
                let session =
                    books.sessions.get_mut(session_id).ok_or_else(|| refused(404, "NOT_FOUND"))?;
                let change: Value = serde_json::from_str(&text).unwrap();
                for (name, value) in change.as_object().unwrap() {
                    session[name] = value.clone();
                }
                Ok(())
            })
        })
    }

    fn read_session<'a>(&'a self, session_id: &'a str) -> Boxed<'a, Outcome<Session>> {
        Box::pin(async move {
            self.run("read_session", session_id, |books| {
                let stored =
                    books.sessions.get(session_id).ok_or_else(|| refused(404, "NOT_FOUND"))?;
                let mut session: Session = serde_json::from_value(stored.clone()).unwrap();
                let token = books.tokens.iter().find(|(_, of)| *of == session_id);
                let complete = token.is_some_and(|(token, _)| books.placed.contains_key(token));
                session.status = Some(if complete {
                    SessionStatus::Complete
                } else {
                    SessionStatus::Incomplete
                });
                session.authorization_token =
                    token.map(|(token, _)| AuthorizationToken::new(token.as_str()));
                Ok(session)
            })
        })
    }

    fn place_order<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        Box::pin(async move {
            self.run("place_order", body, |books| {
                let fraud = books.fraud.unwrap_or("ACCEPTED");
                let made = |id: &str| {
                    serde_json::from_value(json!({ "order_id": id, "fraud_status": fraud }))
                        .unwrap()
                };
                if let Some((first, id)) = books.placed.get(token.expose()) {
                    return if first == body {
                        Ok(made(id))
                    } else {
                        Err(refused(409, "BAD_VALUE"))
                    };
                }
                let session_id = books
                    .tokens
                    .get(token.expose())
                    .cloned()
                    .ok_or_else(|| refused(404, "NOT_FOUND"))?;
                let sent: Value = serde_json::from_str(body).unwrap();
                if books.sessions[&session_id]["order_amount"] != sent["order_amount"] {
                    return Err(refused(409, "BAD_VALUE"));
                }
                books.counter += 1;
                let id = format!("order-{}", books.counter);
                let amount = sent["order_amount"].clone();
                books.orders.insert(
                    id.clone(),
                    json!({
                        "order_id": id, "status": "AUTHORIZED", "fraud_status": fraud,
                        "order_amount": amount, "original_order_amount": amount,
                        "captured_amount": 0, "refunded_amount": 0,
                        "remaining_authorized_amount": amount, "order_lines": sent["order_lines"],
                        "klarna_reference": "KREF", "captures": [], "refunds": [],
                        "merchant_reference1": sent["merchant_reference1"],
                        "purchase_currency": sent["purchase_currency"],
                        "expires_at": "2031-01-29T00:00:00.000Z",
                        "billing_address": { "given_name": "Marked-Person" },
                    }),
                );
                books.placed.insert(token.expose().to_owned(), (body.to_owned(), id.clone()));
                Ok(made(&id))
            })
        })
    }

    fn read_order<'a>(&'a self, order_id: &'a str) -> Boxed<'a, Outcome<Order>> {
        Box::pin(async move {
            self.run("read_order", order_id, |books| {
                let order =
                    books.orders.get(order_id).ok_or_else(|| refused(404, "NO_SUCH_ORDER"))?;
                Ok(serde_json::from_value(order.clone()).unwrap())
            })
        })
    }

    fn capture<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(async move { self.transfer("capture", order, key, body) })
    }

    fn refund<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(async move { self.transfer("refund", order, key, body) })
    }

    fn cancel<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move { self.close("cancel", order, key) })
    }

    fn release<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move { self.close("release", order, key) })
    }

    fn change<'a>(&'a self, call: ChangeCall<'a>) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            self.run(call.change.name(), call.body, |books| {
                if books.keys.contains_key(call.key) {
                    return Ok(());
                }
                let body = serde_json::from_str(call.body).unwrap_or(Value::Null);
                let order = books
                    .orders
                    .get_mut(call.order_id)
                    .ok_or_else(|| refused(404, "NO_SUCH_ORDER"))?;
                apply(call.change, order, call.capture_id, &body);
                books.keys.insert(call.key.to_owned(), String::new());
                Ok(())
            })
        })
    }

    fn due_date_options<'a>(
        &'a self,
        order_id: &'a str,
        _capture_id: &'a str,
    ) -> Boxed<'a, Outcome<ExtendDueDateOptions>> {
        Box::pin(async move {
            self.run("due_date_options", order_id, |_| {
                let options = json!({ "options": [{ "number_of_days": 10, "amount": 100 }] });
                Ok(serde_json::from_value(options).unwrap())
            })
        })
    }
}

/// A gateway's inside, with a clock and a Klarna that do as they are told.
pub struct World {
    pub klarna: Arc<FakeKlarna>,
    pub clock: Arc<ManualClock>,
    pub engine: Engine,
    pub database: Database,
}

/// A database of its own for each test: SQLite in memory, or a fresh schema on the PostgreSQL that
/// `KASSA_TEST_POSTGRES` names.
pub async fn databases() -> Vec<Database> {
    let mut opened = vec![Database::open(&Location::Memory, MIGRATIONS).await.unwrap()];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        opened.push(fresh_postgres(&url).await);
    }
    opened
}

pub async fn fresh_postgres(url: &str) -> Database {
    let name = format!("gateway_{}", service::random::uuid().simple());
    let admin = Database::open(&Location::Postgres(url.to_owned()), &[]).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    admin.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    let own = format!("{url}{separator}options=-c%20search_path%3D{name}");
    Database::open(&Location::Postgres(own), MIGRATIONS).await.unwrap()
}

/// Runs a test in a world on each engine that there is.
pub async fn on_each_engine<F, Fut>(test: F)
where
    F: Fn(World) -> Fut,
    Fut: Future<Output = ()>,
{
    for database in databases().await {
        test(World::new(database)).await;
    }
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

fn engine(klarna: &Arc<FakeKlarna>, clock: &Arc<ManualClock>, database: &Database) -> Engine {
    Engine::new(Parts {
        database: database.clone(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        accounts: Arc::new(OneAccount(Arc::clone(klarna) as Arc<dyn Klarna>)),
        // Not random, so that a failing test fails again.
        fresh: Arc::new(|| format!("fresh-{}", NUMBER.fetch_add(1, Ordering::Relaxed))),
        public_url: "http://localhost:7071".to_owned(),
        vault: Vault::ephemeral(),
    })
}

impl World {
    pub fn new(database: Database) -> Self {
        let klarna = Arc::new(FakeKlarna::default());
        let start: Timestamp = "2031-01-01T12:00:00Z".parse().unwrap();
        let clock = ManualClock::starting_at(start);
        let engine = engine(&klarna, &clock, &database);
        Self { klarna, clock, engine, database }
    }

    /// The process dies and another one starts on the same database.
    pub fn crash(&mut self) {
        self.engine = engine(&self.klarna, &self.clock, &self.database);
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Carries out everything that is due now.
    pub async fn settle(&self) {
        for _ in 0..1000 {
            if self.engine.step().await.unwrap() == 0 {
                return;
            }
        }
        panic!("the journal does not come to rest");
    }

    pub async fn open_checkout(&self) -> Checkout {
        let wish = Wish {
            merchant_reference: "WEB-1001".to_owned(),
            country: "SE".to_owned(),
            locale: None,
            currency: None,
            prices: PricesMode::IncludingTax,
            lines: vec![line("MUG", 3, 10_000), line("POT", 1, 20_000)],
        };
        let now_ms = self.clock.now_ms();
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
            callback_secret: "marked-secret".to_owned(),
            callback_digest: gateway::domain::idempotency::digest("marked-secret"),
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
        checkout
    }

    pub async fn confirm(&self, checkout: &Checkout, token: &str) -> Result<Operation, NotTaken> {
        let (id, token) = (checkout.id.clone(), token.to_owned());
        let (new_id, now_ms) = (self.engine.fresh_id("op"), self.clock.now_ms());
        self.database
            .write(move |tx| {
                commands::take_authorization(
                    tx,
                    &id,
                    &token,
                    "http://localhost:7071",
                    &new_id,
                    now_ms,
                )
            })
            .await
            .unwrap()
    }

    /// A payment whose order exists.
    pub async fn payment(&self) -> Payment {
        let checkout = self.open_checkout().await;
        let token = self.klarna.authorize(&checkout.session.id);
        self.confirm(&checkout, &token).await.unwrap();
        self.settle().await;
        self.payment_of(&checkout).await
    }

    pub async fn payment_of(&self, checkout: &Checkout) -> Payment {
        let payment_id = self.checkout(&checkout.id).await.payment_id.expect("there is a payment");
        self.reload(&payment_id).await
    }

    pub async fn reload(&self, payment_id: &str) -> Payment {
        let id = payment_id.to_owned();
        self.database.read(move |tx| payments::get(tx, &id)).await.unwrap().unwrap()
    }

    pub async fn checkout(&self, id: &str) -> Checkout {
        let id = id.to_owned();
        self.database.read(move |tx| checkouts::get(tx, &id)).await.unwrap().unwrap()
    }

    pub async fn operation(&self, id: &str) -> Operation {
        let id = id.to_owned();
        self.database.read(move |tx| operations::get(tx, &id)).await.unwrap().unwrap()
    }

    pub async fn command(
        &self,
        payment: &Payment,
        command: Command,
    ) -> Result<Operation, NotPossible> {
        let new_id = self.engine.fresh_id("op");
        self.command_as(payment, command, &new_id.clone(), &new_id).await
    }

    pub async fn command_as(
        &self,
        payment: &Payment,
        command: Command,
        dedupe: &str,
        new_id: &str,
    ) -> Result<Operation, NotPossible> {
        let now_ms = self.clock.now_ms();
        let [payment_id, dedupe, new_id] =
            [payment.id.as_str(), dedupe, new_id].map(ToOwned::to_owned);
        self.database
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
            .unwrap()
    }

    /// Klarna calls: a review has ended.
    pub async fn notify(&self, payment: &Payment) {
        let password = klarna_types::Secret::new("x");
        let app = gateway::app::App::new(self.engine.clone(), String::new(), password, false);
        // Klarna still knows the secret that the gateway has forgotten.
        let key = format!("{}.marked-secret", payment.checkout_id);
        let uri = format!("/klarna/callbacks/notification/{key}");
        let request = http::Request::post(uri).body(axum::body::Body::from("{}")).unwrap();
        let answer = tower::ServiceExt::oneshot(gateway::router(app), request).await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    pub async fn event_types(&self, subject_id: &str) -> Vec<String> {
        let id = subject_id.to_owned();
        let events = self.database.read(move |tx| events::of_subject(tx, &id)).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    /// What Klarna's books and the gateway's books say of a payment is the same.
    pub async fn assert_books_agree(&self, payment_id: &str) {
        let payment = self.reload(payment_id).await;
        let order = self.klarna.order(&payment.klarna_order_id);
        let number = |member: &str| MinorUnits::new(order[member].as_i64().unwrap());
        assert_eq!(payment.amounts.captured, number("captured_amount"));
        assert_eq!(payment.amounts.refunded, number("refunded_amount"));
        assert_eq!(payment.amounts.remaining, number("remaining_authorized_amount"));
        assert_eq!(payment.status.name(), order["status"].as_str().unwrap().to_lowercase());
        assert_eq!(payment.captures.len(), order["captures"].as_array().unwrap().len());
    }
}

pub fn line(reference: &str, quantity: i64, unit_price: i64) -> LineInput {
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
