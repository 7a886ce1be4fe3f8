//! Webhooks, with a clock that is moved and a receiver that does as it is told: in order, signed,
//! again and again, and at last given up.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::receiver::{Got, Receiver};
use crate::support::{World, on_each_engine};
use gateway::app::DEFAULT_STORE;
use gateway::domain::payment::Share;
use gateway::domain::webhook::{self, Delivery, Endpoint, Stage, Standing, Why};
use gateway::engine::commands::{CaptureWish, Command};
use gateway::engine::webhooks::command::{self, Change, NotDone, Replay, Wish};
use gateway::engine::webhooks::{Courier, Targets};
use gateway::store::events::{self, Event, Order};
use gateway::store::webhooks as rows;
use klarna_types::MinorUnits;
use klarna_types::Secret;
use serde_json::json;

const HOUR_S: i64 = 60 * 60;

/// A world that tells a receiver.
struct Told<'a> {
    world: &'a World,
    receiver: Receiver,
    courier: Courier,
    endpoint: Endpoint,
    secret: Secret,
}

impl<'a> Told<'a> {
    async fn of(world: &'a World, events: &[&str]) -> Self {
        let receiver = Receiver::start().await;
        let (endpoint, secret) = endpoint(world, &receiver.url, events).await;
        let courier = Courier::new(world.engine.clone(), Targets::Networks);
        Self { world, receiver, courier, endpoint, secret }
    }

    /// Makes every attempt that is due now.
    async fn carry(&self) -> usize {
        let mut attempts = 0;
        for _ in 0..1000 {
            let count = self.courier.step().await.unwrap();
            attempts += count;
            if count == 0 && !self.due().await {
                return attempts;
            }
        }
        panic!("the webhooks do not come to rest");
    }

    async fn due(&self) -> bool {
        let now_ms = self.world.engine.now_ms();
        self.world.database.read(move |tx| rows::LANES.is_due(tx, now_ms)).await.unwrap()
    }

    /// Moves the clock to the next attempt and makes it; `false` when there is none.
    async fn next(&self) -> bool {
        let next = self.world.database.read(|tx| rows::LANES.next_due_at(tx)).await.unwrap();
        let Some(next) = next else { return false };
        let wait_ms = (next - self.world.engine.now_ms()).max(0);
        self.world.clock.advance(jiff::SignedDuration::from_millis(wait_ms));
        self.carry().await;
        true
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let filter =
            rows::Filter { endpoint_id: Some(self.endpoint.id.clone()), ..Default::default() };
        let found =
            self.world.database.read(move |tx| rows::list(tx, DEFAULT_STORE, &filter, 1000));
        found.await.unwrap()
    }

    async fn stages(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for delivery in self.deliveries().await {
            *counts.entry(delivery.stage.name()).or_default() += 1;
        }
        counts
    }

    async fn reload(&self) -> Endpoint {
        let id = self.endpoint.id.clone();
        self.world.database.read(move |tx| rows::endpoint(tx, &id)).await.unwrap().unwrap()
    }

    async fn change(&self, change: Change) -> Endpoint {
        let (id, now_ms) = (self.endpoint.id.clone(), self.world.engine.now_ms());
        let changed = self
            .world
            .database
            .write(move |tx| command::change(tx, DEFAULT_STORE, &id, &change, now_ms));
        changed.await.unwrap().unwrap()
    }

    async fn replay(&self, what: Replay) -> Result<i64, NotDone> {
        let (id, now_ms) = (self.endpoint.id.clone(), self.world.engine.now_ms());
        let replayed = self
            .world
            .database
            .write(move |tx| command::replay(tx, DEFAULT_STORE, &id, &what, now_ms));
        replayed.await.unwrap().map(|replayed| replayed.count)
    }
}

fn assert_signed(got: &Got, secrets: &[&Secret]) {
    let keys: Vec<_> =
        secrets.iter().map(|secret| webhook::key_of(secret.expose()).unwrap()).collect();
    let at: i64 = got.timestamp.parse().unwrap();
    assert_eq!(got.signature, webhook::signature(&keys, &got.id, at, &got.text));
}

async fn endpoint(world: &World, url: &str, events: &[&str]) -> (Endpoint, Secret) {
    let wish = Wish {
        url: Some(url.to_owned()),
        description: None,
        events: Some(events.iter().map(ToString::to_string).collect()),
    };
    let wish = wish.checked(Targets::Networks).unwrap();
    let secret = command::fresh_secret(&world.engine).unwrap();
    let endpoint = command::made(&world.engine, DEFAULT_STORE, wish, &secret);
    let stored = endpoint.clone();
    world.database.write(move |tx| command::create(tx, &stored)).await.unwrap().unwrap();
    (endpoint, secret.secret)
}

async fn all_events(world: &World) -> Vec<Event> {
    let filter = events::Filter { order: Order::OldestFirst, ..Default::default() };
    world.database.read(move |tx| events::list(tx, DEFAULT_STORE, &filter, 1000)).await.unwrap()
}

fn capture(amount: i64) -> Command {
    Command::Capture(CaptureWish {
        share: Share { amount: Some(MinorUnits::new(amount)), lines: None },
        ..CaptureWish::default()
    })
}

fn by_subject(ids: impl IntoIterator<Item = (String, String)>) -> HashMap<String, Vec<String>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for (subject_id, id) in ids {
        found.entry(subject_id).or_default().push(id);
    }
    found
}

fn told_by_subject(got: &[Got]) -> HashMap<String, Vec<String>> {
    by_subject(
        got.iter().map(|got| (got.body["subject_id"].as_str().unwrap().to_owned(), got.id.clone())),
    )
}

async fn events_by_subject(world: &World) -> HashMap<String, Vec<String>> {
    let mut events = all_events(world).await;
    events.sort_by_key(|event| event.position);
    by_subject(events.into_iter().map(|event| (event.subject_id, event.id)))
}

#[tokio::test]
async fn every_event_is_told_once_in_order_and_signed() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &[]).await;
        for _ in 0..2 {
            let payment = world.payment().await;
            world.command(&payment, capture(10_000)).await.unwrap();
            world.settle().await;
            world.command(&payment, Command::Release).await.unwrap();
            world.settle().await;
        }
        told.carry().await;
        let got = told.receiver.got();
        assert!(got.len() >= 8, "{got:#?}");
        assert_eq!(told_by_subject(&got), events_by_subject(&world).await);
        for got in &got {
            assert_signed(got, &[&told.secret]);
            assert_eq!(got.body["id"], got.id.as_str());
            let at = world.engine.now_ms() / 1000;
            assert_eq!(got.timestamp, at.to_string());
        }
        let types: HashSet<&str> = got.iter().filter_map(|got| got.body["type"].as_str()).collect();
        assert!(types.contains("payment.authorized") && types.contains("payment.captured"));
        assert_eq!(told.stages().await, BTreeMap::from([("delivered", got.len())]));
        // Nothing is left to look at, and nothing is sent again.
        assert_eq!(told.carry().await, 0);
        assert!(!told.next().await);
        // What is kept of an attempt says how it went, and not how it was signed.
        let id = told.deliveries().await[0].id.clone();
        let attempts = world.database.read(move |tx| rows::attempts(tx, &id)).await.unwrap();
        assert_eq!((attempts.len(), attempts[0].status), (1, Some(204)));
        assert_eq!(attempts[0].outcome, "delivered");
        assert!(!attempts[0].answer.contains(&got[0].signature[3..]), "{attempts:?}");
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_what_is_wanted_is_told() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.captured"]).await;
        let payment = world.payment().await;
        world.command(&payment, capture(10_000)).await.unwrap();
        world.settle().await;
        told.carry().await;
        let got = told.receiver.got();
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].body["type"], "payment.captured");
        // Another store's endpoint hears nothing of it.
        assert_eq!(told.deliveries().await.len(), 1);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_later_event_waits_for_the_earlier_one_and_other_subjects_do_not() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.*"]).await;
        let stuck = world.payment().await;
        let free = world.payment().await;
        let stuck_id = stuck.id.clone();
        told.receiver.answers(
            move |got| {
                if got.body["subject_id"] == stuck_id.as_str() { 503 } else { 200 }
            },
        );
        for payment in [&stuck, &free] {
            world.command(payment, capture(5_000)).await.unwrap();
            world.settle().await;
        }
        told.carry().await;
        let took = told_by_subject(&told.receiver.taken());
        let events = events_by_subject(&world).await;
        let payment_events: Vec<_> =
            events[&free.id].iter().filter(|id| took[&free.id].contains(id)).collect();
        assert_eq!(took[&free.id].iter().collect::<Vec<_>>(), payment_events);
        assert!(!took.contains_key(&stuck.id));
        // Of the one that is stuck only the first event was tried.
        let tried: HashSet<_> = told
            .receiver
            .got()
            .into_iter()
            .filter(|got| got.body["subject_id"] == stuck.id.as_str())
            .map(|got| got.id)
            .collect();
        assert_eq!(tried.len(), 1, "{tried:?}");
        // Not before its time, and then all of them in their order.
        world.advance(3);
        assert_eq!(told.carry().await, 0);
        told.receiver.answers(|_| 200);
        world.advance(3);
        assert!(told.carry().await >= 2);
        let took = told_by_subject(&told.receiver.taken());
        let in_order: Vec<_> =
            events[&stuck.id].iter().filter(|id| took[&stuck.id].contains(id)).cloned().collect();
        assert_eq!(took[&stuck.id], in_order);
        assert_eq!(told.stages().await.get("pending"), None);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn after_three_days_it_is_a_dead_letter_and_the_endpoint_is_switched_off() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.authorized"]).await;
        let (other, _) = endpoint(&world, &told.receiver.url, &["webhook_endpoint.*"]).await;
        told.receiver.answers(
            |got| {
                if got.body["type"] == "payment.authorized" { 500 } else { 200 }
            },
        );
        let payment = world.payment().await;
        let began_at_ms = world.engine.now_ms();
        told.carry().await;
        assert_eq!(told.reload().await.standing, Standing::Enabled);
        while told.next().await {}
        let attempts: Vec<_> = told
            .receiver
            .got()
            .into_iter()
            .filter(|got| got.body["type"] == "payment.authorized")
            .collect();
        assert_eq!(attempts.len(), 14);
        assert!(
            attempts.iter().all(|got| got.id == attempts[0].id && got.text == attempts[0].text)
        );
        let hours = (world.engine.now_ms() - began_at_ms) / 1000 / HOUR_S;
        assert!((64..72).contains(&hours), "{hours} hours");
        assert_eq!(told.stages().await, BTreeMap::from([("dead", 1)]));
        let endpoint = told.reload().await;
        assert_eq!((endpoint.standing, endpoint.why), (Standing::Disabled, Some(Why::Failing)));
        assert!(endpoint.needs_attention());
        let waiting =
            world.database.read(|tx| rows::count_needing_attention(tx, DEFAULT_STORE)).await;
        assert_eq!(waiting.unwrap(), 1);
        // Whoever else listens hears of it.
        let last = told.receiver.got().pop().unwrap();
        assert_eq!(last.body["type"], "webhook_endpoint.disabled");
        assert_eq!(last.body["subject_id"], endpoint.id.as_str());
        assert_ne!(other.id, endpoint.id);
        // Nothing is kept for it meanwhile, and nothing can be sent.
        world.payment().await;
        assert_eq!(told.stages().await, BTreeMap::from([("dead", 1)]));
        assert_eq!(told.replay(Replay::Dead).await, Err(NotDone::Disabled));
        // Mended, enabled and replayed: the same message, under the same id.
        told.receiver.answers(|_| 200);
        told.change(Change::Enable).await;
        assert_eq!(told.replay(Replay::Dead).await, Ok(1));
        told.carry().await;
        let again = told.receiver.taken();
        let again = again.into_iter().find(|got| got.id == attempts[0].id).unwrap();
        assert_eq!((again.id, again.text), (attempts[0].id.clone(), attempts[0].text.clone()));
        assert_eq!(told.stages().await, BTreeMap::from([("delivered", 1)]));
        // What happened while it was off can be sent too, and only what it wants to hear of.
        let range = Replay::Range { from_ms: began_at_ms, until_ms: i64::MAX, after: None };
        assert_eq!(told.replay(range).await, Ok(2));
        told.carry().await;
        assert_eq!(told.stages().await, BTreeMap::from([("delivered", 2)]));
        let payment_id = payment.id;
        let taken = told.receiver.taken();
        assert!(taken.iter().any(|got| got.body["subject_id"] == payment_id.as_str()));
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_takes_other_messages_stays_on() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.authorized"]).await;
        let bad = world.payment().await;
        let bad_id = bad.id.clone();
        told.receiver.answers(
            move |got| {
                if got.body["subject_id"] == bad_id.as_str() { 400 } else { 200 }
            },
        );
        told.carry().await;
        world.payment().await;
        while told.next().await {}
        assert_eq!(told.stages().await, BTreeMap::from([("dead", 1), ("delivered", 1)]));
        assert_eq!(told.reload().await.standing, Standing::Enabled);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn gone_is_gone() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.*"]).await;
        let payment = world.payment().await;
        world.command(&payment, capture(5_000)).await.unwrap();
        world.settle().await;
        told.receiver.answers(|_| 410);
        told.carry().await;
        assert_eq!(told.receiver.got().len(), 1);
        assert_eq!(told.reload().await.why, Some(Why::Gone));
        assert_eq!(told.stages().await.get("pending"), None);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn secrets_are_exchanged_without_losing_a_message() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.authorized"]).await;
        let newer = command::fresh_secret(&world.engine).unwrap();
        let rotate = Change::Rotate { sealed: newer.sealed, overlap_ms: 2 * HOUR_S * 1000 };
        told.change(rotate).await;
        world.payment().await;
        told.carry().await;
        assert_signed(&told.receiver.got()[0], &[&newer.secret, &told.secret]);
        world.advance(2 * HOUR_S);
        world.payment().await;
        told.carry().await;
        assert_signed(&told.receiver.got()[1], &[&newer.secret]);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_sending_and_recording_sends_the_same_message_again() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.authorized"]).await;
        world.payment().await;
        told.receiver.holds();
        let dying = told.courier.clone();
        let attempt = tokio::spawn(async move { dying.step().await });
        told.receiver.wait_for(1).await;
        // The message has arrived; the process dies before it knows.
        attempt.abort();
        let _ = attempt.await;
        told.receiver.holds_no_more();
        let other = Courier::new(world.engine.clone(), Targets::Networks);
        assert_eq!(other.step().await.unwrap(), 0, "the lease is still held");
        world.advance(61);
        assert_eq!(other.step().await.unwrap(), 1);
        let got = told.receiver.got();
        assert_eq!(got.len(), 2);
        assert_eq!((&got[0].id, &got[0].text), (&got[1].id, &got[1].text));
        assert_eq!(told.stages().await, BTreeMap::from([("delivered", 1)]));
        told.receiver.stop().await;
    })
    .await;
}

/// A generator of its own, so that a failing history fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[tokio::test]
async fn in_every_history_each_message_arrives_in_its_order() {
    on_each_engine(|world| async move {
        for seed in 1..=8_u64 {
            let told = Told::of(&world, &["payment.*", "operation.*"]).await;
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            told.receiver.answers(move |_| {
                [200, 200, 204, 500, 503, 301][usize::try_from(dice.roll(6)).unwrap()]
            });
            let nodes = [
                Courier::new(world.engine.clone(), Targets::Networks),
                Courier::new(world.engine.clone(), Targets::Networks),
            ];
            let mut dice = Dice(seed);
            let mut payments = Vec::new();
            for _ in 0..12 {
                match dice.roll(4) {
                    0 if payments.len() < 3 => payments.push(world.payment().await),
                    1 if !payments.is_empty() => {
                        let payment =
                            &payments[usize::try_from(dice.roll(3)).unwrap() % payments.len()];
                        // Some are refused, because nothing is left: that is an event too, or none.
                        let _ = world.command(payment, capture(1_000)).await;
                        world.settle().await;
                    }
                    2 => world.advance(i64::try_from(dice.roll(400)).unwrap()),
                    _ => {
                        let (one, two) = tokio::join!(nodes[0].step(), nodes[1].step());
                        one.unwrap();
                        two.unwrap();
                    }
                }
            }
            while told.next().await {}
            let deliveries = told.deliveries().await;
            assert!(
                deliveries.iter().all(|delivery| delivery.stage == Stage::Delivered),
                "seed {seed}"
            );
            let taken = told.receiver.taken();
            let wanted = deliveries.len();
            assert_eq!(taken.len(), wanted, "seed {seed}: each is taken once");
            let events = events_by_subject(&world).await;
            for (subject_id, ids) in told_by_subject(&taken) {
                let expected: Vec<_> =
                    events[&subject_id].iter().filter(|id| ids.contains(id)).cloned().collect();
                assert_eq!(ids, expected, "seed {seed}, {subject_id}");
            }
            let id = told.endpoint.id.clone();
            world
                .database
                .write(move |tx| command::delete(tx, DEFAULT_STORE, &id))
                .await
                .unwrap()
                .unwrap();
            told.receiver.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_event_again_is_not_told_again() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &[]).await;
        for _ in 0..3 {
            let now_ms = world.engine.now_ms();
            world
                .database
                .write(move |tx| {
                    let data = json!({ "amount": 1 });
                    events::append(
                        tx,
                        DEFAULT_STORE,
                        ("pay_x", 4),
                        "payment.captured",
                        &data,
                        now_ms,
                    )
                })
                .await
                .unwrap();
            told.carry().await;
        }
        assert_eq!(told.receiver.got().len(), 1);
        told.receiver.stop().await;
    })
    .await;
}

#[tokio::test]
async fn old_messages_are_forgotten_and_those_on_their_way_are_not() {
    on_each_engine(|world| async move {
        let told = Told::of(&world, &["payment.authorized"]).await;
        world.payment().await;
        told.carry().await;
        world.advance(31 * 24 * HOUR_S);
        world.payment().await;
        told.receiver.answers(|_| 500);
        told.carry().await;
        assert_eq!(told.stages().await, BTreeMap::from([("pending", 1)]));
        told.receiver.stop().await;
    })
    .await;
}
