//! The world: nodes on one database, a clock for each, people who buy and sell, and the one thread that
//! decides who goes on. Every choice comes from the seed.
//!
//! A piece of work is a future of the engine. It is looked at until it waits: for the database, or for
//! Klarna. There others may go on before it; its node may fall asleep, or die, and then the future is
//! dropped where it stands.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use klarna_types::MinorUnits;
use klarna_types::order_management::ShippingInfo;
use parking_lot::Mutex;
use serde_json::json;
use service::Clock;
use storage::{Database, Tx};

use super::chance::Chance;
use super::klarna::{Ask, Reply};
use super::net::{LONGEST_WAY_MS, Net, Port, Weather};
use crate::app::DEFAULT_STORE;
use crate::domain::actions::{NewAuthorization, RefundShare};
use crate::domain::cart::{self, LineInput, LineKind, PricesMode, Wish};
use crate::domain::checkout::{Checkout, LIFE_MS, SESSION_LIFE_MS};
use crate::domain::idempotency;
use crate::domain::payment::{Payment, Share};
use crate::engine::changes::ChangeWish;
use crate::engine::commands::{self, CaptureWish, Command, Intent as Wanted, RefundWish};
use crate::engine::klarna::Accounts;
use crate::engine::planted::{self, Bug};
use crate::engine::{Engine, Parts, tasks};
use crate::fault::Fault;
use crate::store::migrations::MIGRATIONS;
use crate::store::{checkouts, payments};

const START_MS: i64 = 1_925_035_200_000;
const PUBLIC_URL: &str = "http://localhost:9";
/// How soon a node looks at the journal although nothing woke it. Sooner would be truer to life, and
/// spend most of a history on looking.
const LOOK_AGAIN_MS: [i64; 4] = [500, 1_000, 3_000, 8_000];
/// Likewise when nothing goes wrong any more.
const LOOK_RARELY_MS: i64 = 30_000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What has ended is never changed again: the database itself is the witness.
const WITNESS: [&str; 2] = [
    "CREATE TABLE changed_after_the_end (id TEXT NOT NULL)",
    "CREATE TRIGGER nothing_changes_after_the_end AFTER UPDATE ON operations
     WHEN OLD.state IN ('done', 'refused')
     BEGIN INSERT INTO changed_after_the_end (id) VALUES (OLD.id); END",
];

/// What outlives a history: opening a database takes longer than living through one.
pub(super) struct Stage {
    pub(super) database: Database,
    net: Arc<Mutex<Net>>,
    tables: Vec<String>,
    checkout: Checkout,
}

impl Stage {
    pub(super) fn new() -> Self {
        let net = Arc::new(Mutex::new(Net::new(0, START_MS)));
        let disk = Arc::clone(&net);
        let mishaps = Box::new(move || disk.lock().mishap());
        let database = Database::simulated(MIGRATIONS, mishaps).unwrap();
        at_once(database.write(|tx| {
            for sql in WITNESS {
                tx.execute_dynamic(sql, &[])?;
            }
            Ok::<_, storage::Error>(())
        }))
        .unwrap();
        let tables = at_once(database.read(|tx| {
            let rows = tx.query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migrations'
                 AND name NOT LIKE 'sqlite_%'",
                &[],
            )?;
            rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, storage::Error>>()
        }))
        .unwrap();
        Self { database, net, tables, checkout: template() }
    }

    fn clear(&self) {
        let statements: Vec<String> =
            self.tables.iter().map(|table| format!("DELETE FROM {table}")).collect();
        at_once(self.database.write(move |tx| {
            for statement in &statements {
                tx.execute_dynamic(statement, &[])?;
            }
            Ok::<_, storage::Error>(())
        }))
        .unwrap();
    }
}

fn template() -> Checkout {
    let line = |reference: &str, quantity: i64, unit_price: i64| LineInput {
        kind: LineKind::Physical,
        reference: Some(reference.to_owned()),
        name: reference.to_lowercase(),
        quantity,
        unit_price: MinorUnits::new(unit_price),
        tax_rate: klarna_types::TaxRate::new(2500),
        discount: None,
        image_url: None,
        product_url: None,
    };
    let wish = Wish {
        merchant_reference: "WEB".to_owned(),
        country: "SE".to_owned(),
        locale: None,
        currency: None,
        prices: PricesMode::IncludingTax,
        lines: vec![line("MUG", 3, 10_000), line("POT", 1, 20_000)],
    };
    serde_json::from_value(json!({
        "id": "", "store_id": DEFAULT_STORE, "version": 1, "status": "open",
        "cart": cart::build(wish).unwrap(), "wanted": null, "capture": "manual",
        "confirmation_url": null, "callback_secret": "secret", "callback_digest": "digest",
        "session": {
            "id": "", "client_token": "", "payment_method_categories": [],
            "expires_at_ms": START_MS + SESSION_LIFE_MS,
        },
        "payment_id": null, "refusal": null, "created_at_ms": START_MS, "updated_at_ms": START_MS,
        "expires_at_ms": START_MS + LIFE_MS,
    }))
    .unwrap()
}

/// A clock that is off by so much.
#[derive(Debug)]
struct NodeClock {
    time: Arc<AtomicI64>,
    off_ms: i64,
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap()
    }

    fn now_ms(&self) -> i64 {
        self.time.load(Ordering::Relaxed) + self.off_ms
    }
}

struct Node {
    engine: Engine,
    off_ms: i64,
    /// Asleep, or not started yet.
    away_until_ms: i64,
    /// When each of its workers looks next; `None` while it works.
    lanes: Vec<Option<i64>>,
}

enum What {
    Lane(usize),
    Intent(usize),
    Errand,
}

enum End {
    Stepped(usize),
    Taken(Answer),
    /// The node itself failed.
    Failed(Fault),
    Over,
}

struct Task {
    node: usize,
    what: What,
    future: Pin<Box<dyn Future<Output = End> + Send>>,
    waits_for: Option<u64>,
}

/// What somebody wants, and goes on wanting until there is an answer.
pub(super) struct Intent {
    pub(super) wish: Wanting,
    pub(super) dedupe: String,
    pub(super) answer: Option<Answer>,
    next_try_ms: Option<i64>,
}

/// What a shop is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done, or will be looked after, as this operation.
    Operation(String),
    /// No.
    No,
}

#[derive(Clone)]
pub(super) enum Wanting {
    Confirm { checkout: usize, token: String },
    Command { payment_id: String, command: Command },
}

enum Errand {
    Authorized { checkout: usize, number: u64 },
    Reviewed { checkout: usize, number: u64 },
}

/// What a history had in it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) histories: u64,
    pub(super) turns: u64,
    pub(super) calls: u64,
    pub(super) lost: u64,
    pub(super) crashes: u64,
    pub(super) pauses: u64,
    pub(super) payments: u64,
    pub(super) effects: u64,
    pub(super) refused: u64,
    pub(super) helped: u64,
    /// Where chance stood at the end: the same history has the same.
    pub(super) mark: u64,
}

impl std::ops::AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.histories += other.histories;
        self.turns += other.turns;
        self.calls += other.calls;
        self.lost += other.lost;
        self.crashes += other.crashes;
        self.pauses += other.pauses;
        self.payments += other.payments;
        self.effects += other.effects;
        self.refused += other.refused;
        self.helped += other.helped;
        self.mark = self.mark.rotate_left(1) ^ other.mark;
    }
}

/// One history.
pub(super) struct History<'s> {
    pub(super) stage: &'s Stage,
    pub(super) net: Arc<Mutex<Net>>,
    time: Arc<AtomicI64>,
    chance: Chance,
    bug: Option<Bug>,
    nodes: Vec<Node>,
    tasks: Vec<Task>,
    pub(super) intents: Vec<Intent>,
    pub(super) checkouts: Vec<Checkout>,
    errands: Vec<(i64, Errand)>,
    fresh: Arc<AtomicU64>,
    pub(super) seen: Seen,
    /// What was asked of Klarna although it had ended.
    pub(super) asked_after_the_end: Option<String>,
}

impl<'s> History<'s> {
    pub(super) fn begin(stage: &'s Stage, seed: u64, bug: Option<Bug>, told: bool) -> Self {
        *stage.net.lock() = Net::new(seed, START_MS);
        stage.clear();
        if told {
            stage.net.lock().told = Some(Vec::new());
        }
        let mut history = Self {
            stage,
            net: Arc::clone(&stage.net),
            time: Arc::new(AtomicI64::new(START_MS)),
            chance: Chance::of(seed.wrapping_mul(31)),
            bug,
            nodes: Vec::new(),
            tasks: Vec::new(),
            intents: Vec::new(),
            checkouts: Vec::new(),
            errands: Vec::new(),
            fresh: Arc::default(),
            seen: Seen { histories: 1, ..Seen::default() },
            asked_after_the_end: None,
        };
        for _ in 0..history.chance.between(1, 3) {
            let off_ms = history.chance.between(-4_000, 4_000);
            let lanes = history.chance.index(2) + 1;
            let engine = history.engine(off_ms);
            let lanes = vec![Some(0); lanes];
            history.nodes.push(Node { engine, off_ms, away_until_ms: 0, lanes });
        }
        for number in 0..history.chance.between(1, 2) {
            history.open(number);
        }
        history
    }

    fn engine(&self, off_ms: i64) -> Engine {
        let fresh = Arc::clone(&self.fresh);
        let parts = Parts {
            database: self.stage.database.clone(),
            clock: Arc::new(NodeClock { time: Arc::clone(&self.time), off_ms }),
            accounts: Arc::new(Port(Arc::clone(&self.net))) as Arc<dyn Accounts>,
            fresh: Arc::new(move || format!("fresh-{}", fresh.fetch_add(1, Ordering::Relaxed))),
            public_url: PUBLIC_URL.to_owned(),
            vault: crate::vault::Vault::ephemeral(),
        };
        Engine::simulated(parts, self.bug)
    }

    /// Any engine that lives: for looking, and for people.
    pub(super) fn any_engine(&self) -> Engine {
        self.nodes[0].engine.clone()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        self.net.lock().tell(what);
    }

    fn set_time(&self, now_ms: i64) {
        self.time.store(now_ms, Ordering::Relaxed);
        self.net.lock().now_ms = now_ms;
    }

    fn open(&mut self, number: i64) {
        let mut checkout = self.stage.checkout.clone();
        let cart = &mut checkout.cart;
        cart.merchant_reference = format!("WEB-{number}");
        let ask = Ask::CreateSession {
            amount: cart.order_amount,
            lines: cart.order_lines.clone(),
            reference: Some(cart.merchant_reference.clone()),
        };
        let mut net = self.net.lock();
        let Net { books, chance, .. } = &mut *net;
        let Ok(Reply::SessionCreated(created)) = books.carry_out(&ask, chance, START_MS) else {
            panic!("a session is opened");
        };
        drop(net);
        checkout.id = format!("chk_{number}");
        created.session_id.as_str().clone_into(&mut checkout.session.id);
        let stored = checkout.clone();
        at_once(
            self.stage
                .database
                .write(move |tx| checkouts::insert(tx, &stored, stored.next_poll_at_ms(START_MS))),
        )
        .unwrap();
        self.checkouts.push(checkout);
    }

    /// Anything goes wrong for a while.
    pub(super) fn storm(&mut self) {
        self.net.lock().weather = Weather::Storm;
        for _ in 0..self.chance.between(100, 500) {
            self.seen.turns += 1;
            match self.chance.below(1000) {
                0..6 => self.crash(),
                6..16 => self.fall_asleep(),
                16..20 => {
                    let by_ms = self.chance.pick(&[
                        1_000,
                        6_000,
                        61_000,
                        130_000,
                        310_000,
                        HOUR_MS,
                        6 * HOUR_MS,
                        26 * HOUR_MS,
                    ]);
                    self.leap(by_ms);
                }
                20..110 => self.somebody_acts(),
                110..130 => {
                    let by_ms = self.chance.between(1, 100);
                    self.leap(by_ms);
                }
                _ => self.go_on(),
            }
        }
    }

    fn some_node(&mut self) -> usize {
        self.chance.index(self.nodes.len())
    }

    fn crash(&mut self) {
        let node = self.some_node();
        self.seen.crashes += 1;
        self.tell(|| format!("node {node} dies"));
        let mut left = Vec::new();
        for task in std::mem::take(&mut self.tasks) {
            if task.node != node {
                left.push(task);
                continue;
            }
            if let What::Intent(intent) = task.what {
                self.try_again(intent);
            }
        }
        self.tasks = left;
        let away_ms = self.chance.pick(&[0, 100, 5_000, 70_000]);
        self.nodes[node].engine = self.engine(self.nodes[node].off_ms);
        self.nodes[node].away_until_ms = self.now_ms() + away_ms;
        for lane in &mut self.nodes[node].lanes {
            *lane = Some(0);
        }
        let engine = self.nodes[node].engine.clone();
        self.spawn(node, What::Errand, async move {
            let _ = engine.recover().await;
            End::Over
        });
    }

    fn try_again(&mut self, intent: usize) {
        let wait_ms = self.chance.between(10, 3_000);
        self.intents[intent].next_try_ms = Some(self.now_ms() + wait_ms);
    }

    fn fall_asleep(&mut self) {
        let node = self.some_node();
        let for_ms = self.chance.pick(&[3_000, 15_000, 55_000, 70_000, 200_000, 400_000]);
        self.seen.pauses += 1;
        self.tell(|| format!("node {node} falls asleep for {for_ms} ms"));
        let until_ms = self.now_ms() + for_ms;
        let away_until_ms = &mut self.nodes[node].away_until_ms;
        *away_until_ms = (*away_until_ms).max(until_ms);
    }

    /// Time passes, and nobody but the network goes on.
    fn leap(&mut self, by_ms: i64) {
        let until_ms = self.now_ms() + by_ms;
        loop {
            let next_ms = self.net.lock().next_ms();
            match next_ms {
                Some(at_ms) if at_ms <= until_ms => {
                    self.set_time(at_ms.max(self.now_ms()));
                    while self.net.lock().due() > 0 {
                        self.net.lock().deliver_one();
                    }
                }
                _ => break,
            }
        }
        self.set_time(until_ms);
    }

    fn somebody_acts(&mut self) {
        let checkout = self.chance.index(self.checkouts.len());
        match self.chance.below(100) {
            0..22 => self.shopper_approves(checkout),
            22..28 => self.klarna_decides(),
            28..31 => {
                let for_ms = self.chance.pick(&[500, 5_000, 40_000]);
                let until_ms = self.now_ms() + for_ms;
                self.tell(|| format!("Klarna is down for {for_ms} ms"));
                self.net.lock().down_until_ms = until_ms;
            }
            31..90 => {
                if let Some(payment) = self.payment_of(checkout) {
                    self.shop_wants(&payment);
                }
            }
            // A button is pressed again.
            _ => {
                if !self.intents.is_empty() {
                    let index = self.chance.index(self.intents.len());
                    let intent = &mut self.intents[index];
                    if intent.answer.is_some() {
                        intent.answer = None;
                        intent.next_try_ms = Some(0);
                    }
                }
            }
        }
    }

    fn shopper_approves(&mut self, checkout: usize) {
        let session_id = self.checkouts[checkout].session.id.clone();
        let now_ms = self.now_ms();
        let Some(token) = self.net.lock().books.authorize(&session_id, now_ms) else { return };
        self.tell(|| format!("a shopper approves {session_id}: {token}"));
        for _ in 0..self.chance.below(3) {
            let at_ms = now_ms + self.chance.pick(&[1, 50, 2_000, 200_000]);
            let number = self.chance.next();
            self.errands.push((at_ms, Errand::Authorized { checkout, number }));
        }
        if self.chance.per_mille(700) {
            let dedupe = format!("confirm/{token}");
            self.want(Wanting::Confirm { checkout, token }, dedupe);
        }
    }

    fn klarna_decides(&mut self) {
        let accepted = self.chance.per_mille(700);
        let Some(order_id) = self.net.lock().books.decide_a_review(accepted) else { return };
        self.tell(|| format!("Klarna decides about {order_id}: accepted {accepted}"));
        for _ in 0..self.chance.below(3) {
            let at_ms = self.now_ms() + self.chance.pick(&[1, 100, 5_000]);
            let checkout = self.chance.index(self.checkouts.len());
            let number = self.chance.next();
            self.errands.push((at_ms, Errand::Reviewed { checkout, number }));
        }
    }

    fn shop_wants(&mut self, payment: &Payment) {
        let reference = Some(format!("intent-{}", self.intents.len()));
        let amount = MinorUnits::new(self.chance.pick(&[1, 500, 10_000, 20_000, 25_000, 50_000]));
        let share = Share { amount: Some(amount), lines: None };
        let command = match self.chance.below(13) {
            0..5 => Command::Capture(CaptureWish { share, reference, ..CaptureWish::default() }),
            5..8 => {
                let what = RefundShare { share, ..RefundShare::default() };
                Command::Refund(RefundWish { what, reference, ..RefundWish::default() })
            }
            8 => Command::Cancel,
            9 => Command::Release,
            10 => {
                let wanted = NewAuthorization { amount: Some(amount), lines: None };
                Command::Change(ChangeWish::UpdateAuthorization { wanted, description: None })
            }
            _ => {
                let parcel = ShippingInfo { tracking_number: reference, ..ShippingInfo::default() };
                Command::Change(ChangeWish::AddShippingInfo {
                    capture_id: None,
                    parcels: vec![parcel],
                })
            }
        };
        let dedupe = format!("press/{}", self.intents.len());
        self.want(Wanting::Command { payment_id: payment.id.clone(), command }, dedupe);
    }

    fn want(&mut self, wish: Wanting, dedupe: String) {
        let next_try_ms = Some(self.now_ms());
        self.intents.push(Intent { wish, dedupe, answer: None, next_try_ms });
    }

    pub(super) fn payment_of(&self, checkout: usize) -> Option<Payment> {
        let id = self.checkouts[checkout].id.clone();
        at_once(self.stage.database.read(move |tx| {
            let stored = checkouts::get(tx, &id)?;
            match stored.and_then(|stored| stored.payment_id) {
                Some(id) => payments::get(tx, &id),
                None => Ok(None),
            }
        }))
        .unwrap()
    }

    fn spawn(
        &mut self,
        node: usize,
        what: What,
        future: impl Future<Output = End> + Send + 'static,
    ) {
        self.tasks.push(Task { node, what, future: Box::pin(future), waits_for: None });
    }

    /// Whoever has something to do begins: workers that look, shops that ask, Klarna that calls.
    fn begin_what_is_due(&mut self) {
        let now_ms = self.now_ms();
        for node in 0..self.nodes.len() {
            if self.nodes[node].away_until_ms > now_ms {
                continue;
            }
            for lane in 0..self.nodes[node].lanes.len() {
                if self.nodes[node].lanes[lane].is_some_and(|at_ms| at_ms <= now_ms) {
                    self.nodes[node].lanes[lane] = None;
                    let engine = self.nodes[node].engine.clone();
                    self.spawn(node, What::Lane(lane), async move {
                        match engine.step().await {
                            Ok(done) => End::Stepped(done),
                            Err(fault) => End::Failed(fault),
                        }
                    });
                }
            }
        }
        for intent in 0..self.intents.len() {
            if self.intents[intent].next_try_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                self.intents[intent].next_try_ms = None;
                if self.net.lock().weather == Weather::Storm && self.chance.per_mille(50) {
                    self.try_again(intent);
                } else {
                    self.ask_a_node(intent);
                }
            }
        }
        let mut index = 0;
        while index < self.errands.len() {
            if self.errands[index].0 <= now_ms {
                let (_, errand) = self.errands.swap_remove(index);
                self.run_errand(&errand);
            } else {
                index += 1;
            }
        }
    }

    fn ask_a_node(&mut self, number: usize) {
        let node = self.some_node();
        let engine = self.nodes[node].engine.clone();
        let new_id = engine.fresh_id("op");
        let intent = &self.intents[number];
        let (wish, dedupe) = (intent.wish.clone(), intent.dedupe.clone());
        match wish {
            Wanting::Confirm { checkout, token } => {
                let id = self.checkouts[checkout].id.clone();
                self.spawn(node, What::Intent(number), async move {
                    let now_ms = engine.now_ms();
                    let unit = move |tx: &mut Tx<'_>| {
                        commands::take_authorization(tx, &id, &token, PUBLIC_URL, &new_id, now_ms)
                    };
                    let taken = engine.accept(unit, |taken| taken.as_ref().ok()).await;
                    match taken {
                        Ok((Ok(operation), _)) => End::Taken(Answer::Operation(operation.id)),
                        Ok((Err(_), _)) => End::Taken(Answer::No),
                        Err(fault) => End::Failed(fault),
                    }
                });
            }
            Wanting::Command { payment_id, command } => {
                self.spawn(node, What::Intent(number), async move {
                    match take(&engine, payment_id, dedupe, new_id, command).await {
                        Ok(taken) => End::Taken(taken),
                        Err(fault) => End::Failed(fault),
                    }
                });
            }
        }
    }

    fn run_errand(&mut self, errand: &Errand) {
        let node = self.some_node();
        let engine = self.nodes[node].engine.clone();
        let now_ms = engine.now_ms();
        match *errand {
            Errand::Authorized { checkout, number } => {
                let id = self.checkouts[checkout].id.clone();
                self.spawn(node, What::Errand, async move {
                    let cause = number.to_string();
                    let _ = engine
                        .database()
                        .write(move |tx| tasks::enqueue_resolve(tx, &id, &cause, now_ms))
                        .await;
                    End::Over
                });
            }
            Errand::Reviewed { checkout, number } => {
                let Some(payment) = self.payment_of(checkout) else { return };
                self.spawn(node, What::Errand, async move {
                    let cause = number.to_string();
                    let _ = engine
                        .database()
                        .write(move |tx| tasks::enqueue_sync(tx, &payment.id, &cause, now_ms))
                        .await;
                    End::Over
                });
            }
        }
    }

    /// One thing happens: a piece of work goes on, or a message arrives; or, when nothing can, time
    /// passes.
    fn go_on(&mut self) {
        self.begin_what_is_due();
        let now_ms = self.now_ms();
        let able: Vec<usize> = {
            let net = self.net.lock();
            let able = |task: &Task| {
                self.nodes[task.node].away_until_ms <= now_ms
                    && task.waits_for.is_none_or(|call| net.has_answer(call))
            };
            (0..self.tasks.len()).filter(|index| able(&self.tasks[*index])).collect()
        };
        let due = self.net.lock().due();
        if able.is_empty() && due == 0 {
            let next_ms = self.next_ms().unwrap_or(now_ms + LOOK_RARELY_MS);
            self.set_time(next_ms.max(now_ms + 1));
            return;
        }
        let chosen = self.chance.index(able.len() + due);
        match able.get(chosen) {
            Some(index) => self.look_at(*index),
            None => self.net.lock().deliver_one(),
        }
    }

    /// When something happens next.
    fn next_ms(&self) -> Option<i64> {
        let now_ms = self.now_ms();
        let away = self.nodes.iter().map(|node| node.away_until_ms);
        let lanes = self.nodes.iter().flat_map(|node| node.lanes.iter().flatten().copied());
        let intents = self.intents.iter().filter_map(|intent| intent.next_try_ms);
        let errands = self.errands.iter().map(|(at_ms, _)| *at_ms);
        let net = self.net.lock().next_ms();
        away.chain(lanes).chain(intents).chain(errands).chain(net).filter(|at| *at > now_ms).min()
    }

    fn look_at(&mut self, index: usize) {
        self.net.lock().waits_for = None;
        let task = &mut self.tasks[index];
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let sent = {
            let mut net = self.net.lock();
            task.waits_for = net.waits_for.take();
            net.sent_key.take()
        };
        if let Some(key) = sent {
            self.is_not_over(&key);
        }
        let Poll::Ready(end) = polled else { return };
        let task = self.tasks.swap_remove(index);
        let now_ms = self.now_ms();
        if let End::Failed(fault) = &end {
            self.tell(|| format!("node {}: {fault}", task.node));
        }
        match (task.what, end) {
            (What::Lane(lane), end) => {
                let busy = matches!(end, End::Stepped(done) if done > 0);
                let rest_ms = match self.net.lock().weather {
                    Weather::Calm => LOOK_RARELY_MS,
                    Weather::Storm => self.chance.pick(&LOOK_AGAIN_MS),
                };
                let next_ms = if busy { now_ms } else { now_ms + rest_ms };
                self.nodes[task.node].lanes[lane] = Some(next_ms);
            }
            (What::Intent(intent), End::Taken(answer)) => {
                for lane in self.nodes[task.node].lanes.iter_mut().flatten() {
                    *lane = now_ms;
                }
                let storm = self.net.lock().weather == Weather::Storm;
                // The answer is lost on its way to the shop.
                if storm && self.chance.per_mille(50) {
                    self.try_again(intent);
                } else {
                    self.tell(|| format!("intent {intent} is answered: {answer:?}"));
                    self.intents[intent].answer = Some(answer);
                }
            }
            (What::Intent(intent), _) => self.try_again(intent),
            (What::Errand, _) => {}
        }
    }

    /// Klarna is not asked for what has ended: whoever holds no lease any more does not ask.
    fn is_not_over(&mut self, key: &str) {
        let ended = at_once(self.stage.database.read(|tx| {
            let sql = "SELECT id FROM operations WHERE state IN ('done', 'refused')";
            let rows = tx.query(sql, &[])?;
            rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, storage::Error>>()
        }))
        .unwrap();
        let over = ended.into_iter().find(|id| idempotency::klarna_key(id) == key);
        self.asked_after_the_end = self.asked_after_the_end.take().or(over);
    }

    /// The storm is over: whoever was away is back, and everything on its way arrives.
    pub(super) fn calm_down(&mut self) {
        self.tell(|| "the storm is over".to_owned());
        {
            let mut net = self.net.lock();
            net.weather = Weather::Calm;
            net.down_until_ms = 0;
        }
        let now_ms = self.now_ms();
        for node in &mut self.nodes {
            node.away_until_ms = node.away_until_ms.min(now_ms);
        }
        let until_ms = now_ms + LONGEST_WAY_MS + 10_000;
        while self.now_ms() < until_ms {
            self.seen.turns += 1;
            self.go_on();
        }
    }

    /// Whether nobody does or waits for anything but time.
    fn is_at_rest(&self) -> bool {
        self.net.lock().is_quiet()
            && self.tasks.iter().all(|task| matches!(task.what, What::Lane(_)))
            && self.errands.is_empty()
            && self.intents.iter().all(|intent| intent.answer.is_some())
    }

    /// Lets everybody go on until each worker has found nothing to do.
    pub(super) fn rest(&mut self) -> Result<(), String> {
        for _ in 0..100_000 {
            let now_ms = self.now_ms();
            self.seen.turns += 1;
            self.begin_what_is_due();
            let idle = self.tasks.is_empty()
                && self.nodes.iter().all(|node| node.lanes.iter().flatten().all(|at| *at > now_ms));
            if idle && self.is_at_rest() {
                return Ok(());
            }
            self.go_on();
        }
        Err("it does not come to rest: somebody is busy for ever".to_owned())
    }

    /// Time passes until then, and everybody looks.
    pub(super) fn move_on_to(&mut self, at_ms: i64) {
        let at_ms = at_ms.max(self.now_ms() + 1);
        self.set_time(at_ms);
        for lane in self.nodes.iter_mut().flat_map(|node| node.lanes.iter_mut().flatten()) {
            *lane = at_ms;
        }
    }

    /// Carries something out while nothing else happens but what it waits for.
    pub(super) fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                self.net.lock().waits_for = None;
                return done;
            }
            let next_ms = self.net.lock().next_ms();
            if self.net.lock().due() == 0
                && let Some(at_ms) = next_ms
            {
                self.set_time(at_ms.max(self.now_ms()));
            }
            self.net.lock().deliver_one();
        }
    }

    pub(super) fn end(mut self) -> Seen {
        let net = self.net.lock();
        self.seen.calls = net.sent;
        self.seen.lost = net.lost;
        drop(net);
        self.seen.mark = self.chance.next() ^ self.net.lock().chance.next();
        self.seen
    }
}

async fn take(
    engine: &Engine,
    payment_id: String,
    dedupe: String,
    new_id: String,
    command: Command,
) -> Result<Answer, Fault> {
    let taken = if engine.has(Bug::JournalAfterCall) {
        let wish = (DEFAULT_STORE.to_owned(), payment_id, dedupe, new_id);
        planted::ask_then_write(engine, wish, command).await?
    } else {
        let now_ms = engine.now_ms();
        let unit = move |tx: &mut Tx<'_>| {
            let wanted = Wanted {
                store_id: DEFAULT_STORE,
                payment_id: &payment_id,
                dedupe: &dedupe,
                new_id: &new_id,
            };
            commands::take_command(tx, wanted, &command, now_ms)
        };
        engine.accept(unit, |taken| taken.as_ref().ok()).await?.0
    };
    Ok(taken.map_or(Answer::No, |operation| Answer::Operation(operation.id)))
}

/// Carries out what waits for nothing but the database.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
    panic!("it waits for something else than the database");
}
