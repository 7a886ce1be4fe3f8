//! Exactly the intended money moves, however many connections break: token charges, captures and refunds from many
//! tasks, while the playground drops a tenth of all calls before their effect and a tenth of the rest after it.
//!
//! Each movement has an idempotency key that its maker could have stored. What ends with an unknown outcome is
//! settled the way the documentation says: read Klarna's state, or repeat under the same key, also from a program that
//! was started anew.

use crate::common;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::world::{World, order_request, session_request};
use http::Method;
use klarna::retry::RetryPolicy;
use klarna::types::customer_token::CreateTokenOrder;
use klarna::types::order_management::{CreateCapture, CreateRefund};
use klarna::types::payments::{CreateCustomerToken, IntendedUse, Intent};
use klarna::types::settlements::{Transaction, TransactionType};
use klarna::{
    CaptureId, Client, Country, Currency, CustomerTokenId, Error, ErrorKind, IdempotencyKey,
    MinorUnits, OrderId, OrderLine, PayoutFilter, RefundId, TransactionFilter,
};
use playground::RateLimits;
use serde_json::{Value, json};
use storage::{Database, Location};
use tokio::task::JoinSet;

/// Movements of each kind.
const MOVEMENTS: usize = 1_000;
const TASKS: usize = 24;

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

/// What the shop wants to happen, decided before anything breaks.
#[derive(Debug, Clone)]
struct Intended {
    /// What is charged.
    charge: i64,
    /// What is captured of it: nothing, one part, all, or two equal parts.
    captures: Vec<i64>,
    /// What is refunded, of each capture.
    refunds: Vec<i64>,
}

fn intended(number: usize) -> Intended {
    let charge = 1_000 + i64::try_from(number).unwrap() * 7;
    let captures = match number % 10 {
        // Of every ten orders one is not captured, and one twice by the same amount: two keys, two captures.
        0 => vec![],
        1 => vec![charge / 3, charge / 3],
        2..=4 => vec![charge / 2],
        _ => vec![charge],
    };
    let part = |capture: &i64| if number % 4 == 1 { *capture } else { capture / 5 };
    Intended { charge, refunds: captures.iter().map(part).collect(), captures }
}

/// What the shop was told that it has made of an order.
#[derive(Debug)]
struct Made {
    captures: Vec<CaptureId>,
    refunds: Vec<RefundId>,
}

/// How often something happened along the way.
#[derive(Debug, Default)]
struct Seen {
    /// Calls that needed more than one try.
    retried: AtomicU32,
    /// Calls that ended without a known outcome.
    unknown: AtomicU32,
    /// Of these, those that had happened, found by reading.
    found: AtomicU32,
}

impl Seen {
    fn note(&self, tries: u32) {
        if tries > 1 {
            self.retried.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Shop {
    client: Client,
    /// The shop's next life: another pool, another count of calls. Only the keys are the same.
    restarted: Client,
    seen: Seen,
}

impl Shop {
    /// Every third call gives up after two tries, as a program does that answers a waiting shopper: so that many an
    /// outcome stays unknown.
    fn policy(number: usize) -> RetryPolicy {
        let quick = common::script::quick();
        RetryPolicy { max_tries: if number.is_multiple_of(3) { 2 } else { 4 }, ..quick }
    }

    /// What an error has to be under these faults; then, how the caller goes on.
    fn in_doubt(&self, error: &Error, key: &IdempotencyKey) {
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        assert!(error.outcome_unknown(), "{error}");
        assert!(error.is_retryable(), "{error}");
        assert_eq!(error.idempotency_key(), Some(key));
        self.seen.note(error.tries());
        self.seen.unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// Charges the token once, whatever it takes.
    async fn charge(&self, number: usize, token: &CustomerTokenId, amount: i64) -> OrderId {
        let key = IdempotencyKey::parse(format!("charge-{number}")).unwrap();
        let line = OrderLine::new("Kaffe", 1, minor(amount), minor(amount));
        let request = CreateTokenOrder::new(Currency::SEK, minor(amount), minor(0), vec![line])
            .merchant_reference1(format!("CHARGE-{number}"));
        // Which orders a token has cannot be asked: only the key helps, and it is enough.
        let mut client = &self.client;
        loop {
            let tokens = client.customer_tokens();
            let call = tokens.charge(token, &request).idempotency_key(key.clone());
            match call.retry(Self::policy(number)).send().await {
                Ok(order) => {
                    self.seen.note(order.meta().tries);
                    return order.order_id.clone();
                }
                Err(error) => self.in_doubt(&error, &key),
            }
            client = &self.restarted;
        }
    }

    async fn capture(
        &self,
        number: usize,
        order_id: &OrderId,
        part: usize,
        amount: i64,
    ) -> CaptureId {
        let reference = format!("CAPTURE-{number}-{part}");
        let key = IdempotencyKey::parse(reference.to_ascii_lowercase()).unwrap();
        let request = CreateCapture::new(minor(amount)).reference(reference.clone());
        let mut client = &self.client;
        loop {
            let orders = client.orders();
            let call = orders.capture(order_id, &request).idempotency_key(key.clone());
            match call.retry(Self::policy(number)).send().await {
                Ok(capture) => {
                    self.seen.note(capture.meta().tries);
                    return capture.capture_id.clone();
                }
                Err(error) => self.in_doubt(&error, &key),
            }
            client = &self.restarted;
            // Half of the shops read first and repeat only what they do not find; the others repeat at once.
            if number.is_multiple_of(2) {
                let known = client.orders().captures(order_id).await.unwrap();
                let known = known.iter().find(|known| known.reference.as_ref() == Some(&reference));
                if let Some(known) = known {
                    self.seen.found.fetch_add(1, Ordering::Relaxed);
                    return known.capture_id.clone();
                }
            }
        }
    }

    async fn refund(
        &self,
        number: usize,
        order_id: &OrderId,
        part: usize,
        amount: i64,
    ) -> RefundId {
        let reference = format!("REFUND-{number}-{part}");
        let key = IdempotencyKey::parse(reference.to_ascii_lowercase()).unwrap();
        let request = CreateRefund::new(minor(amount)).reference(reference.clone());
        let mut client = &self.client;
        loop {
            let orders = client.orders();
            let call = orders.refund(order_id, &request).idempotency_key(key.clone());
            match call.retry(Self::policy(number)).send().await {
                Ok(refund) => {
                    self.seen.note(refund.meta().tries);
                    return refund.refund_id.clone();
                }
                Err(error) => self.in_doubt(&error, &key),
            }
            client = &self.restarted;
            if number.is_multiple_of(2) {
                let order = client.orders().get(order_id).await.unwrap();
                let known =
                    order.refunds.iter().find(|known| known.reference.as_ref() == Some(&reference));
                if let Some(known) = known {
                    self.seen.found.fetch_add(1, Ordering::Relaxed);
                    return known.refund_id.clone();
                }
            }
        }
    }
}

/// Does something for each number from many tasks at once; the answers in order.
async fn from_many_tasks<T, F>(work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut done: HashMap<usize, T> = HashMap::new();
    let mut tasks = JoinSet::new();
    for number in 0..MOVEMENTS {
        if tasks.len() == TASKS {
            let (number, result) = tasks.join_next().await.unwrap().unwrap();
            done.insert(number, result);
        }
        let work = work(number);
        tasks.spawn(async move { (number, work.await) });
    }
    while let Some(result) = tasks.join_next().await {
        let (number, result) = result.unwrap();
        done.insert(number, result);
    }
    (0..MOVEMENTS).map(|number| done.remove(&number).unwrap()).collect()
}

/// Breaks connections from now on; answers with the faults' ids.
async fn break_connections(world: &World) {
    let mut seed = 0;
    for operation in ["customer_tokens.create_order", "orders.capture", "orders.refund"] {
        for (when, how) in [("before", "close"), ("after", "reset")] {
            seed += 1;
            let fault = json!({
                "match": { "operation": operation }, "per_mille": 100, "seed": seed,
                "effect": { "type": "drop", "when": when, "how": how },
            });
            world.control("/faults", &fault).await;
        }
    }
}

/// How many calls each fault hit, by operation and side of the effect; then there are no faults any more.
async fn mend_connections(world: &World) -> HashMap<(String, String), u64> {
    let path = "/playground/v1/faults";
    let call = world.client.raw(Method::GET, path);
    let faults: Value = call.send::<Value>().await.unwrap().into_inner();
    world.client.raw(Method::DELETE, path).send_raw().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hits = faults["faults"].as_array().unwrap().iter().map(|fault| {
        let name = (text(&fault["match"]["operation"]), text(&fault["effect"]["when"]));
        (name, fault["injected"].as_u64().unwrap())
    });
    hits.collect()
}

async fn customer_token(world: &World) -> CustomerTokenId {
    let payments = world.client.payments();
    let request = session_request().intent(Intent::BuyAndTokenize);
    let session = payments.create_session(&request).await.unwrap();
    let token = world.authorize(&session, json!({})).await;
    let usage = IntendedUse::Subscription;
    let request = CreateCustomerToken::new(Country::SE, Currency::SEK, "sv-SE", "Kaffe", usage);
    let created = payments.create_customer_token(&token, &request).await.unwrap();
    payments.create_order(&token, &order_request()).await.unwrap();
    created.token_id.clone()
}

/// What all orders in a database are, added up: how many, and what was authorised, captured and refunded.
async fn books(location: &Location) -> [i64; 4] {
    let database = Database::open(location, &[]).await.unwrap();
    let sums = database
        .read(|tx| {
            let row = tx.query_one(
                "SELECT COUNT(*), SUM(original_order_amount), SUM(captured_amount), SUM(refunded_amount)
                 FROM orders",
                &[],
            )?;
            Ok::<_, storage::Error>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .await
        .unwrap();
    database.close().await;
    sums
}

/// Each order is as it was intended: its amounts, and each of its captures and refunds once.
async fn check_order(
    client: &Client,
    number: usize,
    id: &OrderId,
    intended: &Intended,
    made: &Made,
) {
    let order = client.orders().get(id).await.unwrap();
    let captured: i64 = intended.captures.iter().sum();
    assert_eq!(order.original_order_amount, Some(minor(intended.charge)), "{number}");
    assert_eq!(order.captured_amount, minor(captured), "{number}");
    assert_eq!(order.refunded_amount, minor(intended.refunds.iter().sum()), "{number}");
    assert_eq!(order.remaining_authorized_amount, minor(intended.charge - captured), "{number}");
    assert_eq!(order.merchant_reference1, Some(format!("CHARGE-{number}")));
    let mut found: Vec<_> = order
        .captures
        .iter()
        .map(|capture| {
            let reference = capture.reference.clone().unwrap();
            (reference, capture.captured_amount.get(), capture.capture_id.clone())
        })
        .collect();
    found.sort();
    let expected: Vec<_> = intended
        .captures
        .iter()
        .zip(&made.captures)
        .enumerate()
        .map(|(part, (amount, id))| (format!("CAPTURE-{number}-{part}"), *amount, id.clone()))
        .collect();
    assert_eq!(found, expected);
    let mut found: Vec<_> = order
        .refunds
        .iter()
        .map(|refund| {
            let reference = refund.reference.clone().unwrap();
            (reference, refund.refunded_amount.get(), refund.refund_id.clone())
        })
        .collect();
    found.sort();
    let expected: Vec<_> = intended
        .refunds
        .iter()
        .zip(&made.refunds)
        .enumerate()
        .map(|(part, (amount, id))| (format!("REFUND-{number}-{part}"), *amount, id.clone()))
        .collect();
    assert_eq!(found, expected);
}

/// The settlements have each capture and each refund once, and their payout is what they add up to.
async fn check_settlements(world: &World, intended: &[Intended], made: &[Made]) {
    world.advance("P2D").await;
    let settlements = world.client.settlements();
    let filter = TransactionFilter::new().size(500);
    let rows: Vec<Transaction> = settlements.transactions(&filter).items().collect().await.unwrap();
    let of = |kind: &TransactionType| -> Vec<&Transaction> {
        rows.iter().filter(|row| row.kind == *kind).collect()
    };
    let sum = |rows: &[&Transaction]| rows.iter().map(|row| row.amount.get()).sum::<i64>();
    let sales = of(&TransactionType::Sale);
    let returns = of(&TransactionType::Return);
    let fees = of(&TransactionType::Fee);
    let captured: i64 = intended.iter().flat_map(|order| &order.captures).sum();
    let refunded: i64 = intended.iter().flat_map(|order| &order.refunds).sum();
    assert_eq!((sales.len(), sum(&sales)), (MOVEMENTS, captured));
    assert_eq!((returns.len(), sum(&returns)), (MOVEMENTS, refunded));
    let sold: HashSet<_> = sales.iter().filter_map(|row| row.capture_id.as_ref()).collect();
    let expected: HashSet<_> = made.iter().flat_map(|made| &made.captures).collect();
    assert_eq!(sold, expected);
    let returned: HashSet<_> = returns.iter().filter_map(|row| row.refund_id.as_ref()).collect();
    let expected: HashSet<_> = made.iter().flat_map(|made| &made.refunds).collect();
    assert_eq!(returned, expected);
    // A fixed and a relative fee for each capture, and not one more.
    assert_eq!(fees.len(), 2 * MOVEMENTS);
    let tax: i64 = rows.iter().filter_map(|row| row.vat_amount).map(MinorUnits::get).sum();
    let payouts = settlements.payouts(&PayoutFilter::new()).items().collect().await.unwrap();
    let paid: i64 = payouts.iter().map(|payout| payout.totals.settlement_amount.get()).sum();
    assert_eq!(paid, captured - refunded - sum(&fees) - tax);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_move_no_money_twice_and_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("playground.sqlite"));
    let world = World::start_at(location.clone(), RateLimits::Off).await;
    let token = customer_token(&world).await;
    let shop = Arc::new(Shop {
        client: world.client.clone(),
        restarted: world.client_of("K123456_test", "hush"),
        seen: Seen::default(),
    });
    let intended: Arc<Vec<Intended>> = Arc::new((0..MOVEMENTS).map(intended).collect());
    let captures: usize = intended.iter().map(|order| order.captures.len()).sum();
    assert_eq!(captures, MOVEMENTS);
    break_connections(&world).await;

    let orders = from_many_tasks(|number| {
        let (shop, intended, token) = (shop.clone(), intended.clone(), token.clone());
        async move { shop.charge(number, &token, intended[number].charge).await }
    })
    .await;
    let orders = Arc::new(orders);
    let captured = from_many_tasks(|number| {
        let (shop, intended, orders) = (shop.clone(), intended.clone(), orders.clone());
        async move {
            let mut made = Vec::new();
            for (part, amount) in intended[number].captures.iter().enumerate() {
                made.push(shop.capture(number, &orders[number], part, *amount).await);
            }
            made
        }
    })
    .await;
    let refunded = from_many_tasks(|number| {
        let (shop, intended, orders) = (shop.clone(), intended.clone(), orders.clone());
        async move {
            let mut made = Vec::new();
            for (part, amount) in intended[number].refunds.iter().enumerate() {
                made.push(shop.refund(number, &orders[number], part, *amount).await);
            }
            made
        }
    })
    .await;

    // The faults were there: of each thousand calls a hundred were dropped on each side.
    let hits = mend_connections(&world).await;
    assert_eq!(hits.len(), 6);
    for ((operation, when), hits) in &hits {
        let least = if when == "before" { 100 } else { 80 };
        assert!((least..=180).contains(hits), "{operation} {when}: {hits}");
    }
    let seen = &shop.seen;
    for (what, count) in
        [("retried", &seen.retried), ("unknown", &seen.unknown), ("found by reading", &seen.found)]
    {
        assert!(count.load(Ordering::Relaxed) > 0, "nothing was {what}: {seen:?}");
    }

    let made: Vec<Made> = captured
        .into_iter()
        .zip(refunded)
        .map(|(captures, refunds)| Made { captures, refunds })
        .collect();
    for (number, intended) in intended.iter().enumerate() {
        check_order(&world.client, number, &orders[number], intended, &made[number]).await;
    }
    check_settlements(&world, &intended, &made).await;
    world.stop().await;
    // No order was made that nobody knows of: there are these, and the one with which the token was made.
    let captured = intended.iter().flat_map(|order| &order.captures).sum();
    let refunded = intended.iter().flat_map(|order| &order.refunds).sum();
    let charged: i64 = intended.iter().map(|order| order.charge).sum();
    let count = i64::try_from(MOVEMENTS).unwrap();
    assert_eq!(books(&location).await, [count + 1, charged + 10_000, captured, refunded]);
}
