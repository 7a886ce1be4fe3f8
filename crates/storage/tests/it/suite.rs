//! The one suite that both engines must pass: every case is a function of a [`World`], run on SQLite in memory, on a
//! SQLite file, and on PostgreSQL when `KASSA_TEST_POSTGRES=postgres://…` names a server. What is not run says so.

#![allow(
    clippy::print_stderr,
    clippy::items_after_statements,
    reason = "a test stops at what it did not expect, and declares what it needs where it needs it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

mod queue;

use storage::{Database, Engine, Error, ErrorKind, Location, Migration, Tx};
use tokio::sync::Barrier;

const MIGRATIONS: &[Migration] = &[
    storage::queue::MIGRATION,
    Migration {
        version: 1,
        name: "counters; and a comment",
        sql: "
            -- a semicolon in a comment; and one in a default value
            CREATE TABLE counters (id TEXT PRIMARY KEY, value BIGINT NOT NULL, note TEXT NOT NULL DEFAULT ';');
            CREATE TABLE journal (position BIGINT PRIMARY KEY, unit TEXT NOT NULL);
        ",
    },
    Migration {
        version: 3,
        name: "everything",
        sql: "
            CREATE TABLE everything (
                id TEXT PRIMARY KEY, number BIGINT, words TEXT, bytes BYTEA,
                counter TEXT REFERENCES counters (id)
            );
            CREATE UNIQUE INDEX everything_by_number ON everything (number);
        ",
    },
];

/// A place of its own for one test.
struct World {
    database: Database,
    location: Location,
    _directory: Option<tempfile::TempDir>,
}

impl World {
    async fn memory() -> Option<Self> {
        Self::open(Location::Memory, None).await
    }

    async fn file() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::File(directory.path().join("data/kassa.db"));
        Self::open(location, Some(directory)).await
    }

    /// A schema of its own in the server's database.
    async fn postgres() -> Option<Self> {
        let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") else {
            eprintln!(
                "SKIPPED on PostgreSQL: KASSA_TEST_POSTGRES is not set (`cargo xtask test` sets it)"
            );
            return None;
        };
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let schema = format!("t{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"
            ))
            .await
            .unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}options=-c%20search_path%3D{schema}&pool_size=8");
        Self::open(Location::Postgres(url), None).await
    }

    async fn open(location: Location, directory: Option<tempfile::TempDir>) -> Option<Self> {
        let database = Database::open(&location, MIGRATIONS).await.unwrap();
        Some(Self { database, location, _directory: directory })
    }
}

/// Makes one test for each engine out of each case.
macro_rules! on_every_engine {
    ($($case:ident),* $(,)?) => {
        mod memory { $(super::on_every_engine!(@test $case, memory);)* }
        mod file { $(super::on_every_engine!(@test $case, file);)* }
        mod postgres { $(super::on_every_engine!(@test $case, postgres);)* }
    };
    (@test $case:ident, $place:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(world) = super::World::$place().await {
                let test = super::$case(world);
                tokio::time::timeout(std::time::Duration::from_secs(60), test).await.expect("the test hangs");
            }
        }
    };
}

pub(crate) use on_every_engine;

on_every_engine! {
    values_come_back_as_they_went_in,
    a_refused_unit_leaves_the_others_of_its_group,
    a_failed_statement_dooms_its_unit,
    no_increment_is_lost,
    two_units_that_depend_on_each_other_are_put_in_an_order,
    a_panic_costs_only_its_own_unit,
    constraints_are_told_apart,
    a_read_is_one_snapshot,
    a_read_cannot_write,
    parameters_are_counted,
    a_text_with_nul_finds_nothing,
    rows_are_counted,
    dynamic_statements,
    an_error_names_no_value,
    close_finishes_what_was_handed_in,
    a_dropped_future_still_commits,
    migrations_fit_or_are_refused,
    nodes_that_start_together_migrate_once,
}

fn add(tx: &mut Tx<'_>, id: &str, value: i64) -> Result<u64, Error> {
    tx.execute("INSERT INTO counters (id, value) VALUES ($1, $2)", &[&id, &value])
}

async fn count(database: &Database) -> i64 {
    database
        .read(|tx| tx.query_one("SELECT COUNT(*) FROM counters", &[])?.get(0))
        .await
        .map_err(|e: Error| e)
        .unwrap()
}

async fn value_of(database: &Database, id: &'static str) -> i64 {
    let read = database
        .read(move |tx| tx.query_one("SELECT value FROM counters WHERE id = $1", &[&id])?.get(0))
        .await;
    read.map_err(|e: Error| e).unwrap()
}

async fn values_come_back_as_they_went_in(world: World) {
    let database = world.database;
    let bytes: Vec<u8> = (0..=255).collect();
    let words = "Åsa's \"naïve\" $1 {for_update} \u{1F9FE}\n";
    let row = database
        .write(move |tx| {
            tx.execute(
                "INSERT INTO everything (id, number, words, bytes) VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)",
                &[
                    &"full",
                    &i64::MIN,
                    &words,
                    &(0..=255).collect::<Vec<u8>>(),
                    &"empty",
                    &None::<i64>,
                    &None::<String>,
                    &None::<Vec<u8>>,
                ],
            )?;
            tx.query("SELECT number, words, bytes, number = 5 FROM everything ORDER BY id DESC", &[])
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(row.len(), 2);
    assert_eq!(row[0].get::<i64>(0).unwrap(), i64::MIN);
    assert_eq!(row[0].get::<Option<i64>>(0).unwrap(), Some(i64::MIN));
    assert_eq!(row[0].get::<String>(1).unwrap(), words);
    assert_eq!(row[0].get::<&str>(1).unwrap(), words);
    assert_eq!(row[0].get::<Vec<u8>>(2).unwrap(), bytes);
    assert!(!row[0].get::<bool>(3).unwrap());
    assert_eq!(row[1].get::<Option<i64>>(0).unwrap(), None);
    assert_eq!(row[1].get::<Option<String>>(1).unwrap(), None);
    assert_eq!(row[1].get::<Option<&[u8]>>(2).unwrap(), None);
    for wrong in [
        row[0].get::<i32>(0).map(drop),
        row[0].get::<u64>(0).map(drop),
        row[0].get::<String>(0).map(drop),
        row[0].get::<i64>(1).map(drop),
        row[1].get::<i64>(0).map(drop),
        row[0].get::<i64>(9).map(drop),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Value);
    }
}

async fn a_refused_unit_leaves_the_others_of_its_group(world: World) {
    let database = world.database;
    #[derive(Debug)]
    struct Refused;
    impl From<Error> for Refused {
        fn from(error: Error) -> Self {
            panic!("{error:?}")
        }
    }
    let units: Vec<_> = (0..64)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move {
                database
                    .write(move |tx| {
                        add(tx, &format!("a{n}"), n)?;
                        add(tx, &format!("b{n}"), n)?;
                        if n % 3 == 0 { Err(Refused) } else { Ok(()) }
                    })
                    .await
            })
        })
        .collect();
    for (n, unit) in units.into_iter().enumerate() {
        assert_eq!(unit.await.unwrap().is_err(), n % 3 == 0);
    }
    let refused = (0..64).filter(|n| n % 3 == 0).count();
    assert_eq!(count(&database).await, i64::try_from(2 * (64 - refused)).unwrap());
}

async fn a_failed_statement_dooms_its_unit(world: World) {
    let database = world.database;
    database.write(|tx| add(tx, "taken", 1)).await.unwrap();
    // A closure that swallows the failure does not get half of its work committed.
    let swallowed: Result<(), Error> = database
        .write(|tx| {
            add(tx, "before", 1)?;
            assert!(add(tx, "taken", 2).unwrap_err().is_unique_violation());
            assert_eq!(add(tx, "after", 1).unwrap_err().kind(), ErrorKind::Misuse);
            Ok(())
        })
        .await;
    assert_eq!(swallowed.unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(count(&database).await, 1);
    // The expected conflict is said in SQL.
    let added: Result<u64, Error> = database
        .write(|tx| {
            tx.execute(
                "INSERT INTO counters (id, value) VALUES ('taken', 3) ON CONFLICT (id) DO NOTHING",
                &[],
            )
        })
        .await;
    assert_eq!(added.unwrap(), 0);
}

async fn no_increment_is_lost(world: World) {
    let database = world.database;
    database.write(|tx| add(tx, "shared", 0)).await.unwrap();
    let (tasks, rounds) = (4, 25);
    let runs = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let (database, runs) = (database.clone(), Arc::clone(&runs));
            tokio::spawn(async move {
                for _ in 0..rounds {
                    let runs = Arc::clone(&runs);
                    database
                        .write(move |tx| {
                            runs.fetch_add(1, Ordering::Relaxed);
                            let value: i64 = tx
                                .query_one("SELECT value FROM counters WHERE id = 'shared'", &[])?
                                .get(0)?;
                            tx.execute(
                                "UPDATE counters SET value = $1 WHERE id = 'shared'",
                                &[&(value + 1)],
                            )
                        })
                        .await
                        .map_err(|error: Error| error)
                        .unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(value_of(&database, "shared").await, tasks * rounds);
    if database.engine() == Engine::Sqlite {
        assert_eq!(runs.load(Ordering::Relaxed), usize::try_from(tasks * rounds).unwrap());
    }
}

/// Write skew: each unit reads what the other writes. In some order, one of them must see the other's row.
async fn two_units_that_depend_on_each_other_are_put_in_an_order(world: World) {
    let database = world.database;
    let runs = Arc::new(AtomicUsize::new(0));
    let both_have_read = Arc::new(std::sync::Barrier::new(2));
    let units: Vec<_> = ["left", "right"]
        .into_iter()
        .map(|id| {
            let (database, runs, barrier) =
                (database.clone(), Arc::clone(&runs), Arc::clone(&both_have_read));
            let concurrent = database.engine() == Engine::Postgres;
            let first_run = Arc::new(AtomicBool::new(true));
            tokio::spawn(async move {
                database
                    .write(move |tx| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        let seen: i64 =
                            tx.query_one("SELECT COUNT(*) FROM counters", &[])?.get(0)?;
                        if concurrent && first_run.swap(false, Ordering::Relaxed) {
                            // Both transactions are open and have read: the engine cannot let both commit.
                            barrier.wait();
                        }
                        add(tx, id, seen)
                    })
                    .await
                    .map_err(|error: Error| error)
                    .unwrap();
            })
        })
        .collect();
    for unit in units {
        unit.await.unwrap();
    }
    assert_eq!(value_of(&database, "left").await + value_of(&database, "right").await, 1);
    let expected_runs = if database.engine() == Engine::Postgres { 3 } else { 2 };
    assert_eq!(
        runs.load(Ordering::Relaxed),
        expected_runs,
        "the conflict is repeated, and only once"
    );
}

async fn a_panic_costs_only_its_own_unit(world: World) {
    let database = world.database;
    let units: Vec<_> = (0..32)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move {
                database
                    .write(move |tx| {
                        add(tx, &format!("p{n}"), n)?;
                        assert!(n % 4 != 0, "a planted panic");
                        Ok::<_, Error>(())
                    })
                    .await
            })
        })
        .collect();
    for (n, unit) in units.into_iter().enumerate() {
        let kind = unit.await.unwrap().map_err(|error| error.kind());
        assert_eq!(kind, if n % 4 == 0 { Err(ErrorKind::Panicked) } else { Ok(()) });
    }
    assert_eq!(count(&database).await, 24);
    let read: Result<(), Error> = database.read(|_| panic!("a planted panic")).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Panicked);
    let read: Result<(), Error> = database.read_long(|_| panic!("a planted panic")).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!(count(&database).await, 24);
}

async fn constraints_are_told_apart(world: World) {
    let database = world.database;
    database
        .write(|tx| {
            add(tx, "one", 1)?;
            tx.execute("INSERT INTO everything (id, number) VALUES ('a', 7)", &[])
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    let refusal = async |sql: &'static str| -> Error {
        let refused: Result<u64, Error> = database.write(move |tx| tx.execute(sql, &[])).await;
        refused.unwrap_err()
    };
    assert!(
        refusal("INSERT INTO counters (id, value) VALUES ('one', 2)").await.is_unique_violation()
    );
    assert!(
        refusal("INSERT INTO everything (id, number) VALUES ('b', 7)").await.is_unique_violation()
    );
    let foreign = refusal("INSERT INTO everything (id, counter) VALUES ('c', 'nobody')").await;
    assert_eq!(foreign.kind(), ErrorKind::ConstraintViolation);
    let null = refusal("INSERT INTO counters (id, value) VALUES ('two', NULL)").await;
    assert_eq!(null.kind(), ErrorKind::ConstraintViolation);
    assert_eq!(refusal("INSERT INTO nowhere VALUES (1)").await.kind(), ErrorKind::Engine);
}

async fn a_read_is_one_snapshot(world: World) {
    let database = world.database;
    database.write(|tx| add(tx, "moving", 0)).await.unwrap();
    if matches!(world.location, Location::Memory) {
        // Reads and writes take turns on the one connection; there is nothing to interleave.
        return;
    }
    let (started, go_on) = (Arc::new(Barrier::new(2)), Arc::new(std::sync::Barrier::new(2)));
    let reader = {
        let (database, go_on) = (database.clone(), Arc::clone(&go_on));
        let (handle, started) = (tokio::runtime::Handle::current(), Arc::clone(&started));
        tokio::spawn(async move {
            database
                .read_long(move |tx| {
                    let select = "SELECT value FROM counters WHERE id = 'moving'";
                    let before: i64 = tx.query_one(select, &[])?.get(0)?;
                    if before == 0 {
                        let (handle, started) = (handle.clone(), Arc::clone(&started));
                        handle.spawn(async move { started.wait().await });
                    }
                    go_on.wait();
                    let after: i64 = tx.query_one(select, &[])?.get(0)?;
                    Ok::<_, Error>((before, after))
                })
                .await
        })
    };
    started.wait().await;
    // The writer does not wait for the reader, nor the other way round.
    let write: Result<u64, Error> = database
        .write(|tx| tx.execute("UPDATE counters SET value = 1 WHERE id = 'moving'", &[]))
        .await;
    write.unwrap();
    assert_eq!(value_of(&database, "moving").await, 1);
    tokio::task::spawn_blocking(move || go_on.wait()).await.unwrap();
    assert_eq!(reader.await.unwrap().unwrap(), (0, 0));
}

async fn a_read_cannot_write(world: World) {
    let database = world.database;
    let refused: Result<u64, Error> = database.read(|tx| add(tx, "sneaked in", 1)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Misuse);
    let refused: Result<u64, Error> = database.read_long(|tx| add(tx, "sneaked in", 1)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(count(&database).await, 0);
}

async fn parameters_are_counted(world: World) {
    let database = world.database;
    let refused: Result<u64, Error> = database
        .write(|tx| tx.execute("INSERT INTO counters (id, value) VALUES ($1, $2)", &[&"one"]))
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Misuse);
    // A parameter may be used twice, and in any order.
    let added: Result<u64, Error> = database
        .write(|tx| {
            tx.execute(
                "INSERT INTO counters (id, value, note) VALUES ($2, $1, $2)",
                &[&5_i64, &"twice"],
            )?;
            tx.execute(
                "UPDATE counters SET value = value + $1 WHERE note = $2 AND id = $2",
                &[&1_i64, &"twice"],
            )
        })
        .await;
    assert_eq!(added.unwrap(), 1);
    assert_eq!(value_of(&database, "twice").await, 6);
}

/// One engine cannot hold such a text; asked for one, it has to answer as the other does.
async fn a_text_with_nul_finds_nothing(world: World) {
    let database = world.database;
    database.write(|tx| add(tx, "one", 1)).await.unwrap();
    let found: Result<u64, Error> = database
        .write(|tx| tx.execute("UPDATE counters SET value = 2 WHERE id = $1", &[&"one\0"]))
        .await;
    assert_eq!(found.unwrap(), 0);
    assert_eq!(value_of(&database, "one").await, 1);
}

async fn rows_are_counted(world: World) {
    let database = world.database;
    database
        .write(|tx| {
            add(tx, "one", 1)?;
            add(tx, "two", 2)
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    let one: Result<i64, Error> = database
        .read(|tx| tx.query_one("SELECT value FROM counters WHERE id = 'none'", &[])?.get(0))
        .await;
    assert_eq!(one.unwrap_err().kind(), ErrorKind::NoRow);
    let several: Result<i64, Error> =
        database.read(|tx| tx.query_one("SELECT value FROM counters", &[])?.get(0)).await;
    assert_eq!(several.unwrap_err().kind(), ErrorKind::Misuse);
    let none =
        database.read(|tx| tx.query_opt("SELECT value FROM counters WHERE id = 'none'", &[])).await;
    assert!(none.unwrap().is_none());
    let changed: Result<u64, Error> =
        database.write(|tx| tx.execute("UPDATE counters SET value = 0", &[])).await;
    assert_eq!(changed.unwrap(), 2);
    let returned: Result<Vec<String>, Error> = database
        .write(|tx| {
            tx.query("DELETE FROM counters WHERE id = 'one' RETURNING id", &[])?
                .iter()
                .map(|r| r.get(0))
                .collect()
        })
        .await;
    assert_eq!(returned.unwrap(), ["one"]);
    assert_eq!(count(&database).await, 1);
}

async fn dynamic_statements(world: World) {
    let database = world.database;
    let found: Result<Vec<String>, Error> = database
        .write(|tx| {
            for (n, id) in ["a", "b", "c"].iter().enumerate() {
                let sql = format!("INSERT INTO {} (id, value) VALUES ($1, $2)", "counters");
                tx.execute_dynamic(&sql, &[id, &i64::try_from(n).unwrap()])?;
            }
            let mut sql = String::from("SELECT id FROM counters WHERE value >= $1");
            sql.push_str(" AND id <> $2 ORDER BY id {for_update}");
            tx.query_dynamic(&sql, &[&1_i64, &"c"])?.iter().map(|row| row.get(0)).collect()
        })
        .await;
    assert_eq!(found.unwrap(), ["b"]);
}

async fn an_error_names_no_value(world: World) {
    let database = world.database;
    let secret = "alice.and.bob@example.org";
    database.write(move |tx| add(tx, secret, 1)).await.unwrap();
    let errors = [
        database.write(move |tx| add(tx, secret, 1)).await.unwrap_err(),
        database
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO everything (id, counter) VALUES ('x', $1)",
                    &[&format!("{secret}!")],
                )
            })
            .await
            .unwrap_err(),
        database
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO counters (id, value, note) VALUES ($1, 1, NULL)",
                    &[&format!("{secret}?")],
                )
            })
            .await
            .unwrap_err(),
    ];
    for error in errors {
        let mut said = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said = format!("{said} {error} {error:?}");
            cause = error.source();
        }
        assert!(!said.contains("alice"), "{said}");
    }
}

async fn close_finishes_what_was_handed_in(world: World) {
    let World { database, location, _directory } = world;
    if database.engine() == Engine::Postgres {
        // Nothing waits inside this process there: closing only lets go of the idle connections.
        database.close().await;
        assert!(database.write(|tx| add(tx, "late", 1)).await.unwrap_err().is_unavailable());
        return;
    }
    let mut units: Vec<_> = (0..100_i64)
        .map(|n| {
            let database = database.clone();
            Box::pin(async move { database.write(move |tx| add(tx, &format!("c{n}"), n)).await })
        })
        .collect();
    // Hand all of them in, and close before any answer was taken.
    for unit in &mut units {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = Future::poll(unit.as_mut(), &mut context);
    }
    drop(units);
    database.close().await;
    database.close().await;
    assert!(database.write(|tx| add(tx, "late", 1)).await.unwrap_err().is_unavailable());
    let read: Result<i64, Error> = database.read(|tx| tx.query_one("SELECT 1", &[])?.get(0)).await;
    assert!(read.unwrap_err().is_unavailable());
    if let Location::File(path) = &location {
        assert!(!path.with_file_name("kassa.db-wal").exists(), "the log is put away");
        // The closed handle is still alive; the file is free all the same.
        let reopened = Database::open(&location, MIGRATIONS).await.unwrap();
        assert_eq!(count(&reopened).await, 100);
    }
}

async fn a_dropped_future_still_commits(world: World) {
    let World { database, location, _directory } = world;
    if database.engine() == Engine::Postgres {
        // Whether a dropped unit was begun depends on when a connection became free.
        return;
    }
    let mut unit = Box::pin(database.write(|tx| add(tx, "orphan", 1)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = Future::poll(unit.as_mut(), &mut context);
    drop(unit);
    // A unit that follows is committed after it.
    database.write(|tx| add(tx, "next", 1)).await.unwrap();
    assert_eq!(count(&database).await, 2);
    if matches!(location, Location::File(_)) {
        // Dropped without `close`, as a program that ends does.
        drop(database);
        let reopened = Database::open(&location, MIGRATIONS).await.unwrap();
        assert_eq!(count(&reopened).await, 2);
    }
}

async fn migrations_fit_or_are_refused(world: World) {
    let World { database, location, _directory } = world;
    if location == Location::Memory {
        return;
    }
    const OLDER: &[Migration] = &[MIGRATIONS[0], MIGRATIONS[1]];
    const CHANGED: &[Migration] =
        &[MIGRATIONS[0], MIGRATIONS[1], Migration { sql: "SELECT 1", ..MIGRATIONS[2] }];
    const MISSING: &[Migration] = &[MIGRATIONS[0], MIGRATIONS[2]];
    const FAILING: &[Migration] = &[
        MIGRATIONS[0],
        MIGRATIONS[1],
        MIGRATIONS[2],
        Migration {
            version: 4,
            name: "half",
            sql: "CREATE TABLE half (x BIGINT); INSERT INTO nowhere VALUES (1)",
        },
    ];
    const MENDED: &[Migration] = &[
        MIGRATIONS[0],
        MIGRATIONS[1],
        MIGRATIONS[2],
        Migration { version: 4, name: "half", sql: "CREATE TABLE half (x BIGINT)" },
    ];
    database.write(|tx| add(tx, "kept", 1)).await.unwrap();
    database.close().await;
    for (migrations, expected) in [
        (CHANGED, "migration 3 \"everything\" was changed"),
        (MISSING, "which this program does not know"),
        (FAILING, "migration 4 \"half\" failed"),
    ] {
        let error = Database::open(&location, migrations).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Migration);
        assert!(error.to_string().contains(expected), "{error}");
    }
    // What failed half-way left nothing behind; the previous version of the program goes on beside the next.
    for migrations in [MENDED, OLDER, MENDED] {
        let database = Database::open(&location, migrations).await.unwrap();
        assert_eq!(count(&database).await, 1);
        database.close().await;
    }
}

async fn nodes_that_start_together_migrate_once(world: World) {
    let World { database, location, _directory } = world;
    if database.engine() == Engine::Sqlite {
        // One process per file: a second opening is refused with what to do, until the first is closed.
        if let Location::File(path) = &location {
            let error = Database::open(&location, MIGRATIONS).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InUse);
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
            assert!(
                error.to_string().contains(&format!("(process {})", std::process::id())),
                "{error}"
            );
            database.close().await;
            Database::open(&location, MIGRATIONS).await.unwrap();
        }
        return;
    }
    const MORE: &[Migration] = &[
        MIGRATIONS[0],
        MIGRATIONS[1],
        MIGRATIONS[2],
        Migration {
            version: 9,
            name: "nine",
            sql: "CREATE TABLE nine (x BIGINT); INSERT INTO nine VALUES (9)",
        },
    ];
    let nodes: Vec<_> = (0..6)
        .map(|_| {
            let location = location.clone();
            tokio::spawn(async move { Database::open(&location, MORE).await.unwrap() })
        })
        .collect();
    for node in nodes {
        let database = node.await.unwrap();
        let found: Result<i64, Error> =
            database.read(|tx| tx.query_one("SELECT COUNT(*) FROM nine", &[])?.get(0)).await;
        assert_eq!(found.unwrap(), 1);
    }
}

#[tokio::test]
async fn locations_are_parsed_and_shown_without_passwords() {
    let check = |text: &str, expected: Location, shown: &str| {
        let location = Location::parse(text).unwrap();
        assert_eq!(location, expected);
        assert_eq!(location.to_string(), shown);
        assert!(!format!("{location:?}").contains("hunter2"));
    };
    check("memory", Location::Memory, "memory");
    check("sqlite:a/b.db", Location::File("a/b.db".into()), "sqlite:a/b.db");
    for url in
        ["postgres://kassa:hunter2@db:5432/kassa", "postgresql://db:5432/kassa?password=hunter2"]
    {
        check(url, Location::Postgres(url.to_owned()), "postgres://db:5432/kassa");
    }
    for wrong in ["", "sqlite:", "mysql://kassa:hunter2@db/kassa", "a/b.db"] {
        let error = Location::parse(wrong).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable_not_a_hang() {
    // A port that nothing listens on: bound, and let go again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let location = Location::Postgres(format!("postgres://kassa:hunter2@127.0.0.1:{port}/kassa"));
    let opening = Database::open(&location, MIGRATIONS);
    let error = tokio::time::timeout(Duration::from_secs(30), opening).await.unwrap().unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

/// The server ends the connection in the middle of a unit, as when it is restarted: nothing was committed, so the unit
/// is run again on another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_survives_the_loss_of_its_connection() {
    let Some(World { database, .. }) = World::postgres().await else { return };
    let first_run = AtomicBool::new(true);
    let written: Result<u64, Error> = database
        .write(move |tx| {
            add(tx, "before", 1)?;
            if first_run.swap(false, Ordering::Relaxed) {
                tx.query_dynamic("SELECT pg_terminate_backend(pg_backend_pid())", &[])?;
            }
            add(tx, "after", 1)
        })
        .await;
    assert_eq!(written.unwrap(), 1);
    assert_eq!(count(&database).await, 2);
}

/// Prepared statements outlive a migration that another node of the next version makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_survives_a_migration_by_another_node() {
    let Some(World { database, .. }) = World::postgres().await else { return };
    let all = async || -> usize {
        let rows: Result<Vec<storage::Row>, Error> =
            database.read(|tx| tx.query("SELECT * FROM journal", &[])).await;
        rows.unwrap().len()
    };
    let altered: Result<u64, Error> = database
        .write(|tx| tx.execute("INSERT INTO journal (position, unit) VALUES (1, 'one')", &[]))
        .await;
    altered.unwrap();
    for _ in 0..12 {
        assert_eq!(all().await, 1);
    }
    let altered: Result<u64, Error> =
        database.write(|tx| tx.execute("ALTER TABLE journal ADD COLUMN more TEXT", &[])).await;
    altered.unwrap();
    for _ in 0..12 {
        assert_eq!(all().await, 1);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let World { database, location, _directory } = World::file().await.unwrap();
    database.write(|tx| add(tx, "private", 1)).await.unwrap();
    let Location::File(path) = location else { panic!("a file") };
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["kassa.db", "kassa.db-wal", "kassa.db-shm", "kassa.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}
