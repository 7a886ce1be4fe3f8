//! Random histories of subscriptions: the clock jumps by hours, weeks or months, calls get lost, nodes die,
//! Klarna refuses, merchants and shoppers do what they like. After each of them the books are compared with
//! a calendar of the test's own: each period that fell due was charged once, or is reported as what it is.
//! A seed brings a history back: `KASSA_TEST_SEED=60` lives through that one alone, `KASSA_TEST_HISTORIES=100`
//! through a hundred of them.

use crate::year;
use std::collections::BTreeSet;

use crate::faulty::Hit;
use crate::year::{Year, charges, plan, text};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use storage::Location;

/// Before the first charge.
const BEGIN: &str = "2028-01-01T00:00:00Z";
/// How many things happen in one history.
const DEEDS: usize = 45;

/// Numbers that look random and are those of the seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn percent(&mut self, chance: i64) -> bool {
        self.below(100) < chance
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(i64::try_from(of.len()).unwrap())).unwrap()]
    }
}

/// What a subscription's calendar is.
#[derive(Clone, Copy)]
enum Rhythm {
    Months(i64),
    Weeks(i64),
    Days(i64),
}

/// A subscription, and what the test knows of it.
struct Person {
    name: &'static str,
    id: String,
    token: String,
    zone: &'static str,
    first: DateTime,
    rhythm: Rhythm,
    /// The plans between which it is moved.
    plans: [String; 2],
    /// When it was paused, and when it went on.
    free: Vec<(Timestamp, Option<Timestamp>)>,
    /// When it went on after it had been suspended.
    resumed: Vec<Timestamp>,
    /// Whether somebody has ended it, or may have.
    may_be_over: bool,
    /// Klarna has cancelled the token: the orders that it had made. In time Klarna forgets it.
    cancelled: Option<Vec<String>>,
}

impl Person {
    /// When charge number `index` is due, by the test's own calendar.
    fn due(&self, index: i64) -> Timestamp {
        let span = match self.rhythm {
            Rhythm::Months(count) => (index * count).months(),
            Rhythm::Weeks(count) => (index * count).weeks(),
            Rhythm::Days(count) => (index * count).days(),
        };
        let local = self.first.checked_add(span).unwrap();
        TimeZone::get(self.zone).unwrap().to_ambiguous_timestamp(local).compatible().unwrap()
    }

    fn due_until(&self, end: Timestamp) -> Vec<Timestamp> {
        (0..10_000).map(|index| self.due(index)).take_while(|due| *due <= end).collect()
    }
}

struct World {
    year: Year,
    chance: Chance,
    people: Vec<Person>,
    seed: u64,
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

impl World {
    async fn build(location: &Location, seed: u64) -> Self {
        let mut year = Year::build(location, BEGIN).await;
        let mut people = Vec::new();
        // The last day of the month; a time that spring has not and autumn has twice; one that is
        // cancelled when charges fail.
        for (name, zone, first, rhythm, give_up) in [
            ("month end", "Europe/Stockholm", "2028-01-31T09:00", Rhythm::Months(1), "suspend"),
            ("at night", "America/New_York", "2028-01-02T02:30", Rhythm::Weeks(2), "suspend"),
            ("ten days", "UTC", "2028-01-05T12:00", Rhythm::Days(10), "cancel"),
        ] {
            let (interval, count) = match rhythm {
                Rhythm::Months(count) => ("month", count),
                Rhythm::Weeks(count) => ("week", count),
                Rhythm::Days(count) => ("day", count),
            };
            let mut plans = Vec::new();
            for amount in [14_900, 9_900] {
                let more = json!({
                    "amount": amount, "interval_count": count,
                    "dunning": { "retry_days": [1, 3], "give_up": give_up, "step_up": "offered" },
                });
                plans.push(text(&year.post("/v1/plans", plan(name, interval, &more)).await, "id"));
            }
            let token = year.token(&plans[0]).await;
            let local: DateTime = first.parse().unwrap();
            let start = local.to_zoned(TimeZone::get(zone).unwrap()).unwrap().timestamp();
            let wanted = json!({
                "plan_id": plans[0], "customer_token_id": token, "time_zone": zone,
                "start_at": start.to_string(), "merchant_reference": name.replace(' ', "-"),
            });
            let made = year.post("/v1/subscriptions", wanted).await;
            people.push(Person {
                name,
                id: text(&made, "id"),
                token,
                zone,
                first: local,
                rhythm,
                plans: plans.try_into().unwrap(),
                free: Vec::new(),
                resumed: Vec::new(),
                may_be_over: false,
                cancelled: None,
            });
        }
        Self { year, chance: Chance(seed), people, seed }
    }

    async fn jump(&mut self) {
        let hours = match self.chance.below(10) {
            0..=4 => 1 + self.chance.below(60),
            5..=8 => 24 * (3 + self.chance.below(18)),
            _ => 24 * (30 + self.chance.below(60)),
        };
        let at = self.year.now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        self.year.move_to(at).await;
    }

    /// What is due is done, and what waits for a person is settled by what Klarna's books show.
    async fn settle(&mut self) {
        self.year.settle().await;
        loop {
            let waiting = self.year.get("/v1/operations?state=needs_attention").await;
            let Some(operation) = waiting["data"].as_array().unwrap().first().cloned() else {
                break;
            };
            let detail = self.year.get(&format!("/v1/operations/{}", text(&operation, "id"))).await;
            assert_eq!(detail["kind"], "charge", "seed {}: {detail}", self.seed);
            let subject = text(&detail, "subject_id");
            let person = self.people.iter().find(|each| each.id == subject).unwrap();
            let known = self.recorded(person).await;
            let made: Vec<String> = self.klarnas_orders(person).await;
            let unknown = made.into_iter().find(|order| !known.contains(order));
            let word = match unknown {
                Some(order) => {
                    json!({ "outcome": "done", "note": "seen", "klarna_order_id": order })
                }
                None => json!({ "outcome": "refused", "note": "not there" }),
            };
            let path = format!("/v1/operations/{}/settle", text(&operation, "id"));
            self.year.post(&path, word).await;
            self.year.settle().await;
        }
    }

    /// The orders that the token has made, in Klarna's books.
    async fn klarnas_orders(&self, person: &Person) -> Vec<String> {
        if let Some(orders) = &person.cancelled {
            return orders.clone();
        }
        let klarnas = self.year.klarna_token(&person.token).await;
        let path = format!("playground/v1/customer-tokens/{klarnas}");
        let history = self.year.klarnas(&path, &Value::Null).await;
        let entries = history["history"].as_array().unwrap();
        let charged = entries.iter().filter(|entry| entry["event"] == "charged");
        charged.map(|entry| text(entry, "order_id")).collect()
    }

    /// The orders that the gateway has recorded for a subscription, by the token or by a checkout.
    async fn recorded(&self, person: &Person) -> BTreeSet<String> {
        let mut orders = BTreeSet::new();
        for row in charges(&self.year, &person.id).await {
            if let Some(id) = row["payment_id"].as_str() {
                let payment = self.year.get(&format!("/v1/payments/{id}")).await;
                orders.insert(text(&payment, "klarna_order_id"));
            }
        }
        orders
    }

    async fn happen(&mut self) {
        let who = usize::try_from(self.chance.below(3)).unwrap();
        let (id, token) = (self.people[who].id.clone(), self.people[who].token.clone());
        let path = format!("/v1/subscriptions/{id}");
        match self.chance.below(100) {
            0..=29 => {
                let hit = self.chance.one(&[
                    Hit::LostAfter,
                    Hit::LostBefore,
                    Hit::NotSent,
                    Hit::CrashBefore,
                    Hit::CrashAfter,
                    Hit::Refuse(403, "PAYMENT_METHOD_FAILED"),
                ]);
                self.year.klarna.hit_next("charge", hit);
            }
            30..=49 => {
                let times = self.chance.below(5);
                self.fail_next(who, times).await;
            }
            50..=52 => {
                let action = self.chance.one(&["suspend", "activate"]);
                self.stop_or_go(who, action).await;
            }
            53..=61 => {
                let now = self.year.now();
                if self.act(&format!("{path}/pause"), json!({})).await {
                    self.people[who].free.push((now, None));
                }
            }
            62..=79 => {
                let before = self.year.get(&path).await;
                let now = self.year.now();
                if self.act(&format!("{path}/resume"), json!({})).await {
                    match before["status"].as_str() {
                        Some("paused") => self.people[who].free.last_mut().unwrap().1 = Some(now),
                        Some("suspended") => self.people[who].resumed.push(now),
                        _ => {}
                    }
                }
            }
            80..=84 => {
                self.act(&format!("{path}/retry"), json!({})).await;
            }
            85..=90 => {
                let plan = self.people[who].plans[usize::from(self.chance.percent(50))].clone();
                let body = json!({ "plan_id": plan, "when": "period_end" });
                self.act(&format!("{path}/plan"), body).await;
            }
            91..=96 => self.help(&path).await,
            97 => {
                let when = self.chance.one(&["now", "period_end"]);
                if self.act(&format!("{path}/cancel"), json!({ "when": when })).await {
                    self.people[who].may_be_over = true;
                }
            }
            98 => {
                if self.people[who].cancelled.is_none() {
                    self.year.be_klarna(&token, json!({ "action": "cancel" })).await;
                    let orders = self.klarnas_orders(&self.people[who]).await;
                    self.people[who].cancelled = Some(orders);
                }
                self.people[who].may_be_over = true;
            }
            _ => {
                // A pause is taken back at once, as people do.
                let now = self.year.now();
                if self.act(&format!("{path}/pause"), json!({})).await {
                    self.people[who].free.push((now, Some(now)));
                    assert!(self.act(&format!("{path}/resume"), json!({})).await);
                }
            }
        }
    }

    /// Klarna refuses the next charges.
    async fn fail_next(&self, who: usize, times: i64) {
        let person = &self.people[who];
        if person.cancelled.is_none() {
            let change = json!({ "action": "fail_next", "times": times });
            self.year.be_klarna(&person.token, change).await;
        }
    }

    /// Klarna stops a token for a while, or lets it go on.
    async fn stop_or_go(&self, who: usize, action: &str) {
        let person = &self.people[who];
        if person.cancelled.is_none() {
            self.year.be_klarna(&person.token, json!({ "action": action })).await;
        }
    }

    /// Whether it was accepted; what is not allowed now is refused as that.
    async fn act(&self, path: &str, body: Value) -> bool {
        let (status, answer) = self.year.call(path, &body).await;
        assert!(status == 200 || status == 409, "seed {}: {path}: {answer}", self.seed);
        status == 200
    }

    /// The shopper helps with a refused charge: not at all, half the way, or to its end.
    async fn help(&mut self, path: &str) {
        let channel = self.chance.one(&["inline", "hosted"]);
        let (status, checkout) =
            self.year.call(&format!("{path}/step_up"), &json!({ "channel": channel })).await;
        assert!(status == 201 || status == 409, "seed {}: {checkout}", self.seed);
        if status == 409 || self.chance.percent(30) {
            return;
        }
        let shopper = json!({ "client_token": checkout["klarna"]["client_token"] });
        let approved = self.year.klarnas("playground/v1/shopper/authorize", &shopper).await;
        if approved["approved"] == true && self.chance.percent(70) {
            let path = format!("/v1/checkouts/{}/confirm", text(&checkout, "id"));
            let body = json!({ "authorization_token": approved["authorization_token"] });
            let (status, answer) = self.year.call(&path, &body).await;
            assert!([200, 202, 409].contains(&status), "seed {}: {status} {answer}", self.seed);
        }
    }

    /// Nothing bad happens any more, until everything is said and done.
    async fn calm_down(&mut self) {
        self.year.klarna.forget_script();
        for who in 0..self.people.len() {
            self.fail_next(who, 0).await;
            self.stop_or_go(who, "activate").await;
        }
        for _ in 0..16 {
            self.settle().await;
            let next = self.year.now().checked_add(SignedDuration::from_hours(24)).unwrap();
            self.year.move_to(next).await;
        }
        self.settle().await;
    }

    async fn compare(&self) {
        let now = self.year.now();
        let mut paid_for = BTreeSet::new();
        for person in &self.people {
            let what = format!("seed {}: {}", self.seed, person.name);
            let stands = self.year.get(&format!("/v1/subscriptions/{}", person.id)).await;
            let rows = charges(&self.year, &person.id).await;
            let due = person.due_until(now);

            // Charges are numbered through; each is of a day of the calendar, and of another one.
            let mut charged = BTreeSet::new();
            for (number, row) in (1_i64..).zip(&rows) {
                assert_eq!(row["number"], number, "{what}");
                let of = at(&row["due_at"]);
                assert!(due.contains(&of), "{what}: nothing was due at {of}: {row}");
                assert!(charged.insert(of), "{what}: charged twice for {of}");
                let status = text(row, "status");
                assert!(["paid", "given_up", "void"].contains(&status.as_str()), "{what}: {row}");
                assert_eq!(status == "paid", row["payment_id"].is_string(), "{what}: {row}");
            }

            // A day that was not charged lies in a pause, in a suspension, or behind the end.
            let given_up: Vec<Timestamp> = rows
                .iter()
                .filter(|row| row["status"] == "given_up")
                .map(|row| at(&row["due_at"]))
                .collect();
            let is_over = stands["status"] == "cancelled";
            assert!(!is_over || person.may_be_over || !given_up.is_empty(), "{what}: {stands}");
            for day in due.iter().filter(|day| !charged.contains(*day)) {
                let paused = person
                    .free
                    .iter()
                    .any(|(from, to)| from <= day && to.is_none_or(|to| *day < to));
                let suspended = given_up.iter().any(|from| {
                    let back = person.resumed.iter().find(|at| *at > from);
                    from < day && back.is_none_or(|back| day < back)
                });
                let behind = is_over && charged.last().is_none_or(|last| last < day);
                assert!(paused || suspended || behind, "{what}: {day} was forgotten: {stands}");
            }

            // Klarna has made as many orders by the token as are recorded, each for one charge.
            let mut by_token: BTreeSet<String> = BTreeSet::new();
            for order in self.klarnas_orders(person).await {
                assert!(by_token.insert(order), "{what}: an order twice");
            }
            for row in rows.iter().filter(|row| row["status"] == "paid") {
                let id = text(row, "payment_id");
                assert!(paid_for.insert(id.clone()), "{what}: a payment of two charges");
                let payment = self.year.get(&format!("/v1/payments/{id}")).await;
                assert_eq!(payment["amounts"]["captured"], row["amount"], "{what}");
                let by_checkout = payment["checkout_id"].is_string();
                let order = text(&payment, "klarna_order_id");
                assert_eq!(by_token.remove(&order), !by_checkout, "{what}: {row}");
            }
            assert_eq!(
                by_token,
                BTreeSet::new(),
                "{what}: Klarna has charged what is not recorded"
            );
            let events = self.year.get(&format!("/v1/subscriptions/{}/events", person.id)).await;
            assert!(!events.to_string().contains("subscription.alarm"), "{what}: {events}");
        }
        // Nobody has paid for anything else.
        let payments = self.year.get("/v1/payments?limit=100").await;
        for payment in payments["data"].as_array().unwrap() {
            assert!(paid_for.contains(&text(payment, "id")), "seed {}: {payment}", self.seed);
        }
        for state in ["queued", "running", "in_doubt", "needs_attention"] {
            let left = self.year.get(&format!("/v1/operations?state={state}")).await;
            assert_eq!(left["data"], json!([]), "seed {}: {state}", self.seed);
        }
    }
}

async fn live_through(location: &Location, seed: u64) {
    let mut world = World::build(location, seed).await;
    for _ in 0..DEEDS {
        world.jump().await;
        // Sometimes somebody is faster than what is due.
        if world.chance.percent(75) {
            world.settle().await;
        }
        world.happen().await;
        if world.chance.percent(75) {
            world.settle().await;
        }
    }
    world.calm_down().await;
    world.compare().await;
    world.year.end().await;
}

#[tokio::test]
async fn whatever_happens_each_due_period_is_charged_once_or_reported() {
    let told = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match told("KASSA_TEST_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=told("KASSA_TEST_HISTORIES").unwrap_or(5),
    };
    for seed in seeds {
        Box::pin(live_through(&Location::Memory, seed)).await;
    }
}

#[tokio::test]
async fn whatever_happens_each_due_period_is_charged_once_or_reported_on_postgresql() {
    for seed in 101..=102 {
        let Some(location) = year::postgres().await else { return };
        Box::pin(live_through(&location, seed)).await;
    }
}

/// Klarna accepts the number of a refusal for 48 hours, and the next try may be later than that.
#[tokio::test]
async fn help_is_offered_as_long_as_klarna_accepts_it() {
    let mut world = World::build(&Location::Memory, 1).await;
    for opened in [false, true] {
        let mut wanted = plan("Late", "month", &json!({ "amount": 5_000 }));
        wanted["dunning"] = json!({ "retry_days": [9], "step_up": "offered" });
        let plan_id = text(&world.year.post("/v1/plans", wanted).await, "id");
        let token = world.year.token(&plan_id).await;
        world.year.be_klarna(&token, json!({ "action": "fail_next", "times": 1 })).await;
        let start_at = world.year.now().checked_add(SignedDuration::from_hours(1)).unwrap();
        let made = json!({
            "plan_id": plan_id, "customer_token_id": token, "time_zone": "UTC",
            "start_at": start_at.to_string(), "merchant_reference": format!("late-{opened}"),
        });
        let id = text(&world.year.post("/v1/subscriptions", made).await, "id");
        let path = format!("/v1/subscriptions/{id}");
        world.year.move_to(start_at).await;
        world.year.settle().await;
        let stands = world.year.get(&path).await;
        assert_eq!(stands["open_charge"]["can_step_up"], true, "{stands}");
        let help = format!("{path}/step_up");
        let first = if opened { Some(world.year.post(&help, json!({})).await) } else { None };

        let hours = |count| start_at.checked_add(SignedDuration::from_hours(count)).unwrap();
        world.year.move_to(hours(45)).await;
        world.year.settle().await;
        // What was opened is the same checkout until its own session lapses.
        if let Some(first) = &first {
            assert_eq!(world.year.post(&help, json!({})).await["id"], first["id"]);
        }
        world.year.move_to(hours(49)).await;
        world.year.settle().await;
        let stands = world.year.get(&path).await;
        assert_eq!(stands["open_charge"]["can_step_up"], false, "{stands}");
        let (status, answer) = world.year.call(&help, &json!({})).await;
        assert_eq!((status, &answer["code"]), (409, &json!("state_conflict")), "{answer}");

        // The next try is made all the same.
        world.year.move_to(hours(10 * 24)).await;
        world.year.settle().await;
        assert_eq!(charges(&world.year, &id).await[0]["status"], "paid");
    }
    world.year.end().await;
}
