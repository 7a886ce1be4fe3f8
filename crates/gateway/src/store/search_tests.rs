//! Searches compared with a look at every payment, and the plans of both engines for each of them.

use klarna_types::{Currency, MinorUnits};
use storage::{Database, Location};

use super::*;
use crate::domain::hosted::Channel;
use crate::domain::payment::tests::payment;
use crate::domain::payment::{Fraud, Payment};
use crate::domain::search::{Amounts, CHANNELS, Text, Written, read};
use crate::store::migrations::MIGRATIONS;

const STORE: &str = "default";
const SOON_MS: i64 = 40_000;

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }

    fn maybe<T>(&mut self, of: &[T]) -> Option<T>
    where
        T: Clone,
    {
        (self.below(4) == 0).then(|| self.one(of))
    }

    fn number(&mut self, end: u64) -> i64 {
        i64::try_from(self.below(end)).unwrap()
    }
}

fn some_payment(number: u64, chance: &mut Chance) -> Payment {
    let status = chance.one(&Status::ALL);
    let minor = MinorUnits::new(100 * chance.number(12));
    let lapses_at_ms = 1000 * chance.number(90);
    let mut made = Payment {
        id: format!("pay_{number:05}"),
        store_id: chance.one(&[STORE, STORE, STORE, "other"]).to_owned(),
        checkout_id: format!("chk_{number}"),
        klarna_order_id: format!("order-{number}"),
        merchant_reference: format!("WEB-{}", chance.below(60)),
        merchant_reference2: chance.maybe(&["WEB-1".to_owned(), "B2".to_owned()]),
        klarna_reference: chance.maybe(&["K1".to_owned(), "WEB-2".to_owned()]),
        status,
        fraud: chance.one(&[
            Fraud::Accepted,
            Fraud::Accepted,
            Fraud::Pending,
            Fraud::Rejected,
            Fraud::Other("STOPPED".to_owned()),
        ]),
        currency: chance.one(&[Currency::SEK, Currency::EUR]),
        country: chance.one(&["SE", "DE", "FI"]).to_owned(),
        channel: chance.one(&[None, Some(Channel::Hosted), Some(Channel::InStore)]),
        created_at_ms: 1000 * chance.number(80),
        expires_at_ms: chance.one(&[None, Some(lapses_at_ms)]),
        ..payment()
    };
    made.amounts.authorized = minor;
    made
}

/// Some hundred payments, some of which have an operation that waits for a person.
async fn filled(location: &Location) -> (Database, Vec<Payment>, Vec<String>) {
    let database = Database::open(location, MIGRATIONS).await.unwrap();
    let mut chance = Chance(42);
    let payments: Vec<Payment> = (0..500).map(|n| some_payment(n, &mut chance)).collect();
    let waiting: Vec<String> =
        payments.iter().filter(|_| chance.below(20) == 0).map(|each| each.id.clone()).collect();
    let (added, doubted) = (payments.clone(), waiting.clone());
    database
        .write(move |tx| {
            for payment in &added {
                crate::store::payments::insert(tx, payment, None)?;
            }
            for id in &doubted {
                let of = added.iter().find(|payment| payment.id == *id).unwrap();
                tx.execute(
                    "INSERT INTO operations (id, store_id, kind, state, version, checkout_id,
                                             payment_id, dedupe, document, created_at_ms,
                                             updated_at_ms)
                     VALUES ($1, $2, 'capture', 'needs_attention', 1, '', $1, $1, '{}', 0, 0)",
                    &[id, &of.store_id],
                )?;
            }
            Ok::<_, Fault>(())
        })
        .await
        .unwrap();
    (database, payments, waiting)
}

fn some_search(chance: &mut Chance) -> Search {
    let currency = chance.maybe(&[Currency::SEK, Currency::EUR]);
    let by_amount = [Sort::AmountHigh, Sort::AmountLow];
    let sort = match &currency {
        Some(_) => chance.one(&Sort::ALL),
        None => chance.one(&[Sort::Newest, Sort::Newest, Sort::Oldest, Sort::Expiring]),
    };
    assert!(currency.is_some() || !by_amount.contains(&sort));
    let exact = ["WEB-1", "WEB-2", "B2", "pay_00007", "chk_9", "order-11", "K1", "none"];
    Search {
        text: chance.maybe(&exact).map(|exact| Text {
            exact: exact.to_owned(),
            amounts: chance.maybe(&[vec![(Currency::SEK, 500)]]).unwrap_or_default(),
        }),
        status: chance.maybe(&Status::ALL),
        fraud: chance.maybe(&FraudStatus::ALL),
        currency,
        country: chance.maybe(&["SE".to_owned(), "DE".to_owned()]),
        channel: chance.maybe(&CHANNELS),
        from_ms: chance.maybe(&[10_000, 30_000]),
        until_ms: chance.maybe(&[50_000, 70_000]),
        amount_min: chance.maybe(&[200, 500]),
        amount_max: chance.maybe(&[500, 900]),
        expiring: chance.below(5) == 0,
        needs_attention: chance.below(6) == 0,
        sort,
    }
}

/// Whether a payment fits, looked at by itself.
fn fits(search: &Search, payment: &Payment, waiting: &[String]) -> bool {
    let minor = payment.amounts.authorized.get();
    let is = |text: &str| {
        let own = [&payment.id, &payment.checkout_id, &payment.klarna_order_id];
        let others = [&payment.klarna_reference, &payment.merchant_reference2];
        own.into_iter().any(|each| each == text)
            || payment.merchant_reference == text
            || others.into_iter().any(|each| each.as_deref() == Some(text))
    };
    payment.store_id == STORE
        && search.text.as_ref().is_none_or(|text| {
            is(&text.exact) || text.amounts.contains(&(payment.currency.clone(), minor))
        })
        && search.status.is_none_or(|status| payment.status == status)
        && search.fraud.is_none_or(|fraud| match fraud.word() {
            Some(word) => payment.fraud.name() == word,
            None => matches!(payment.fraud, Fraud::Other(_)),
        })
        && search.currency.as_ref().is_none_or(|currency| payment.currency == *currency)
        && search.country.as_ref().is_none_or(|country| payment.country == *country)
        && search.channel.is_none_or(|channel| payment.channel_name() == channel)
        && search.from_ms.is_none_or(|from_ms| payment.created_at_ms >= from_ms)
        && search.until_ms.is_none_or(|until_ms| payment.created_at_ms < until_ms)
        && search.amount_min.is_none_or(|min| minor >= min)
        && search.amount_max.is_none_or(|max| minor <= max)
        && (!search.expiring || payment.lapses_at_ms().is_some_and(|at_ms| at_ms <= SOON_MS))
        && (!search.needs_attention || waiting.contains(&payment.id))
        && (search.sort != Sort::Expiring || payment.lapses_at_ms().is_some())
}

fn expected(search: &Search, payments: &[Payment], waiting: &[String]) -> Vec<String> {
    let mut found: Vec<_> = payments
        .iter()
        .filter(|payment| fits(search, payment, waiting))
        .map(|payment| {
            let keys = match search.sort {
                Sort::Newest | Sort::Oldest => vec![payment.created_at_ms],
                Sort::AmountHigh | Sort::AmountLow => {
                    vec![payment.amounts.authorized.get(), payment.created_at_ms]
                }
                Sort::Expiring => vec![payment.lapses_at_ms().unwrap()],
            };
            (keys, payment.id.clone())
        })
        .collect();
    found.sort();
    if descends(search.sort) {
        found.reverse();
    }
    found.into_iter().map(|(_, id)| id).collect()
}

async fn pages_are_what_fits(location: &Location) {
    let (database, payments, waiting) = filled(location).await;
    let mut chance = Chance(7);
    let (mut hits, mut short) = (0, 0);
    for _ in 0..400 {
        let search = some_search(&mut chance);
        let limit = 1 + chance.number(30);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let (wanted, from) = (search.clone(), after.clone());
            let page = database
                .read(move |tx| page(tx, STORE, &wanted, SOON_MS, from.as_ref(), limit))
                .await
                .unwrap();
            assert!(i64::try_from(page.payments.len()).unwrap() <= limit);
            found.extend(page.payments.into_iter().map(|payment| payment.id));
            short += usize::from(page.cut_short);
            // Through the cursor, as a caller has it.
            let Some(next) = page.next else { break };
            after = Some(Place::read(search.sort, &next.cursor(search.sort)).unwrap());
        }
        assert_eq!(found, expected(&search, &payments, &waiting), "{search:?}");
        hits += found.len();
    }
    assert!(hits > 1_000 && short > 50, "{hits} found, {short} pages cut short");
    database.close().await;
}

/// A schema of its own on the PostgreSQL server that the environment names, if it names one.
async fn postgres() -> Option<Location> {
    let url = std::env::var("KASSA_TEST_POSTGRES").ok()?;
    let name = format!("search_{}", service::random::uuid().simple());
    let admin = Database::open(&Location::Postgres(url.clone()), &[]).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    admin.write(move |tx| tx.execute_dynamic(&create, &[])).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(Location::Postgres(format!("{url}{separator}options=-c%20search_path%3D{name}")))
}

#[tokio::test]
async fn all_pages_together_are_exactly_what_fits() {
    pages_are_what_fits(&Location::Memory).await;
    if let Some(location) = postgres().await {
        pages_are_what_fits(&location).await;
    }
}

fn written(query: &str) -> Search {
    let mut written = Written::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        assert!(written.put(&name, &value));
    }
    read(&written, Amounts::MinorUnits).unwrap()
}

/// Searches, the index that each must go along, and whether that index has all that is compared.
const ROADS: &[(&str, &str, bool)] = &[
    ("", "payments_search_time", true),
    ("sort=oldest", "payments_search_time", true),
    ("from=2031-05-04&until=2031-05-05", "payments_search_time", true),
    ("country=SE&channel=hosted&currency=SEK", "payments_search_time", true),
    ("amount_min=100&amount_max=200&fraud_status=other", "payments_search_time", true),
    ("expiring=true", "payments_search_time", true),
    ("status=captured", "payments_search_status", true),
    ("status=captured&country=SE&from=2031-05-04", "payments_search_status", true),
    ("status=captured&currency=SEK&amount_min=100&sort=oldest", "payments_search_status", true),
    ("currency=SEK&sort=amount_high", "payments_search_amount", false),
    ("currency=SEK&sort=amount_low&status=captured&amount_min=7", "payments_search_amount", false),
    ("sort=expiring", "payments_search_lapse", false),
    ("sort=expiring&expiring=true&status=authorized&country=SE", "payments_search_lapse", false),
];

/// Texts that are looked for: the column, and the index that must lead to it.
const LOOKUPS: &[(&str, &str)] = &[
    ("id", "payments"),
    ("checkout_id", "payments"),
    ("klarna_order_id", "payments"),
    ("klarna_reference", "payments_by_klarna_reference"),
    ("merchant_reference", "payments_by_reference"),
    ("merchant_reference2", "payments_search_reference2"),
];

async fn plan(database: &Database, explain: &'static str, sql: Sql) -> String {
    let values: Vec<Given> = sql.values.iter().map(|value| Given::of(value.as_ref())).collect();
    let text = sql.text;
    database
        .read(move |tx| {
            let values: Vec<&dyn ToValue> = values.iter().map(|value| value as _).collect();
            let rows = tx.query_dynamic(&format!("{explain} {text}"), &values)?;
            let last = rows.first().map_or(0, |row| row.len() - 1);
            let lines = rows.iter().map(|row| row.get::<String>(last));
            Ok::<_, Fault>(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
        })
        .await
        .unwrap()
}

/// A parameter that may go to another thread.
#[derive(Clone)]
enum Given {
    Text(String),
    Number(i64),
}

impl Given {
    fn of(value: &dyn ToValue) -> Self {
        match value.to_value() {
            storage::ValueRef::Text(text) => Self::Text(text.to_owned()),
            storage::ValueRef::Integer(number) => Self::Number(number),
            other => panic!("{other:?}"),
        }
    }
}

impl ToValue for Given {
    fn to_value(&self) -> storage::ValueRef<'_> {
        match self {
            Self::Text(text) => storage::ValueRef::Text(text),
            Self::Number(number) => storage::ValueRef::Integer(*number),
        }
    }
}

/// The numbers at which a page begins, and at which it ends at the latest, on the first page and on a
/// later one: a short way on among the forty thousand payments.
fn stretches(sort: Sort) -> [(Option<i64>, i64); 2] {
    match sort {
        Sort::Newest => [(None, 79_000), (Some(30_000), 29_500)],
        Sort::Oldest | Sort::Expiring => [(None, 500), (Some(30_000), 30_500)],
        Sort::AmountHigh => [(None, 995), (Some(500), 495)],
        Sort::AmountLow => [(None, 5), (Some(500), 505)],
    }
}

/// Along which index an engine goes for each search, on the first page and on a later one.
async fn plans_are_flat(
    database: &Database,
    explain: &'static str,
    is_good: fn(&str, &str, bool) -> bool,
) {
    let engine = database.engine();
    for (query, index, covers) in ROADS {
        let search = written(query);
        let road = Road::Along(Index::of(&search));
        let way = Way { store_id: STORE, search: &search, road, soon_ms: SOON_MS, engine };
        let place = |first: i64| {
            let mut numbers = vec![first; numbers(search.sort).len()];
            numbers[0] = first;
            Place { numbers, id: "pay_1".to_owned() }
        };
        let mut statements = Vec::new();
        for (begin, end) in stretches(search.sort) {
            let begin = begin.map(place);
            match way.far(begin.as_ref()) {
                Some(far) => {
                    statements.push(far);
                    statements.push(way.near(begin.as_ref(), Some(&place(end)), 26));
                }
                None => statements.push(way.near(begin.as_ref(), None, 26)),
            }
        }
        for sql in statements {
            let text = sql.text.clone();
            // Where the search ends is found in the index alone.
            let covers = *covers || text.contains("OFFSET");
            let plan = plan(database, explain, sql).await;
            assert!(is_good(&plan, index, covers), "{query}:\n{text}\n{plan}");
        }
    }
    let narrowed = written("status=captured&currency=SEK&from=2031-05-04&country=SE");
    for (column, index) in LOOKUPS {
        let road = Road::By(column, "x");
        let way = Way { store_id: STORE, search: &narrowed, road, soon_ms: SOON_MS, engine };
        let sql = way.near(None, None, 26);
        let text = sql.text.clone();
        let plan = plan(database, explain, sql).await;
        let seeks = plan.contains(index) && plan.contains(&format!("{column}=?"))
            || plan.contains(&format!("({column} = "));
        assert!(seeks && !plan.contains("payments_search_time"), "{column}:\n{text}\n{plan}");
    }
    let road = Road::Of("SEK", 500);
    let way = Way { store_id: STORE, search: &narrowed, road, soon_ms: SOON_MS, engine };
    let found = plan(database, explain, way.near(None, None, 26)).await;
    assert!(found.contains("payments_search_amount"), "{found}");
    let way = Way { road: Road::Waiting, ..way };
    let found = plan(database, explain, way.near(None, None, 26)).await;
    assert!(found.contains("operations_by_state") && !found.contains("payments_search"), "{found}");
}

#[tokio::test]
async fn sqlite_goes_along_one_index() {
    let (database, _, _) = filled(&Location::Memory).await;
    plans_are_flat(&database, "EXPLAIN QUERY PLAN", |plan, index, covers| {
        let seeks = |how: &str| plan.contains(&format!("SEARCH payments USING {how} {index} ("));
        let along = seeks("COVERING INDEX") || (!covers && seeks("INDEX"));
        along && !plan.contains("TEMP B-TREE")
    })
    .await;
    database.close().await;
}

#[tokio::test]
async fn postgres_goes_along_one_index() {
    let Some(location) = postgres().await else { return };
    let (database, _, _) = filled(&location).await;
    // So many that a look at all of them does not come cheaper.
    database
        .write(|tx| {
            tx.execute(
                "INSERT INTO payments (id, store_id, version, checkout_id, klarna_order_id,
                     klarna_reference, merchant_reference, merchant_reference2, status, fraud_status,
                     currency, authorized_minor, captured_minor, refunded_minor, remaining_minor,
                     document, created_at_ms, updated_at_ms, country, channel, lapses_at_ms,
                     indexed_version)
                 SELECT 'more_' || n, 'default', 1, 'c' || n, 'o' || n, 'k' || n, 'r' || n, 's' || n,
                     CASE WHEN n % 3 = 0 THEN 'captured' ELSE 'authorized' END, 'ACCEPTED',
                     CASE WHEN n % 2 = 0 THEN 'SEK' ELSE 'EUR' END, n % 1000, 0, 0, 0,
                     repeat('x', 400), n, n, 'SE', 'inline', n, 1
                 FROM generate_series(1, 40000) AS n",
                &[],
            )?;
            Ok::<_, Fault>(())
        })
        .await
        .unwrap();
    database.write(|tx| Ok::<_, Fault>(tx.execute("ANALYZE payments", &[])?)).await.unwrap();
    plans_are_flat(&database, "EXPLAIN", |plan, index, _| {
        // A short stretch may be sorted.
        let short = plan.contains(" >= ") && plan.contains(" < ") || plan.contains(" > ");
        plan.contains(index) && !plan.contains("Seq Scan") && (short || !plan.contains("Sort"))
    })
    .await;
    database.close().await;
}

#[tokio::test]
async fn what_the_version_before_wrote_is_filled_in() {
    let (database, payments, _) = filled(&Location::Memory).await;
    database
        .write(|tx| {
            tx.execute(
                "UPDATE payments SET merchant_reference2 = NULL, country = NULL, channel = NULL,
                                     lapses_at_ms = NULL, indexed_version = 0",
                &[],
            )?;
            Ok::<_, Fault>(())
        })
        .await
        .unwrap();
    // A change in between leaves it to be filled in.
    let id = payments[0].id.clone();
    database
        .write(move |tx| {
            let mut payment = crate::store::payments::lock(tx, &id)?.unwrap();
            crate::store::payments::update(tx, &mut payment, None, 5)
        })
        .await
        .unwrap();
    let mut filled = 0;
    while database.read(is_behind).await.unwrap() {
        filled += database.write(|tx| fill_in(tx, 100)).await.unwrap();
    }
    assert_eq!(filled, payments.len());
    let finns = written("country=FI");
    let all = database.read(move |tx| page(tx, STORE, &finns, 0, None, 25)).await.unwrap();
    assert!(!all.payments.is_empty());
    database.close().await;
}
