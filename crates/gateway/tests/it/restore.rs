//! A database that was put back from a copy taken before money moved: Klarna is asked before anything is
//! done again, and nothing happens twice.

use std::path::{Path, PathBuf};
use std::process::Command as Program;

use crate::support::{Fault, World};
use gateway::domain::journal::Operation;
use gateway::domain::operation::State;
use gateway::domain::payment::{Payment, Share, Status};
use gateway::engine::commands::{Command, NotPossible};
use gateway::engine::reconcile;
use gateway::store::migrations::MIGRATIONS;
use klarna_types::MinorUnits;
use storage::{Database, Location, backup};

const HOUR: i64 = 3600;

fn capture(minor: i64) -> Command {
    Command::capture(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

fn refund(minor: i64) -> Command {
    Command::refund(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

/// A gateway on a SQLite file, which can be copied and put back.
struct Town {
    world: World,
    folder: tempfile::TempDir,
    lives: u32,
}

impl Town {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = open(&folder.path().join("0.db")).await;
        Self { world: World::new(database), folder, lives: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn back_up(&self) -> PathBuf {
        let (live, copy) = (self.path(&format!("{}.db", self.lives)), self.path("copy.db"));
        backup::copy(&live, &copy).await.unwrap();
        copy
    }

    /// The disk is gone; a copy takes its place.
    async fn restore(&mut self, copy: &Path) -> reconcile::Begun {
        self.world.database.close().await;
        self.lives += 1;
        let live = self.path(&format!("{}.db", self.lives));
        backup::restore(copy, &live).await.unwrap();
        self.world.database = open(&live).await;
        self.world.crash();
        reconcile::begin(&self.world.database, self.world.clock.as_ref()).await.unwrap()
    }

    async fn left(&self) -> i64 {
        reconcile::left(&self.world.database).await.unwrap()
    }

    /// A shop's request under its own key: what it leads to has an id that follows from it.
    async fn under_key(
        &self,
        payment: &Payment,
        key: &str,
        command: Command,
    ) -> Result<Operation, NotPossible> {
        let id = gateway::domain::idempotency::operation_id(&payment.id, key, "the same request");
        let dedupe = format!("{}/{}/{key}", command.kind().name(), payment.id);
        self.world.command_as(payment, command, &dedupe, &id).await
    }
}

async fn open(path: &Path) -> Database {
    Database::open(&Location::File(path.to_path_buf()), MIGRATIONS).await.unwrap()
}

#[tokio::test]
async fn what_was_captured_and_given_back_since_is_read_from_klarna() {
    let mut town = Town::new().await;
    let payment = town.world.payment().await;
    let untouched = town.world.payment().await;
    let copy = town.back_up().await;
    for command in [capture(20_000), refund(5_000), capture(10_000)] {
        town.world.command(&payment, command).await.unwrap();
        town.world.settle().await;
    }
    let before = town.world.reload(&payment.id).await;
    assert_eq!(before.amounts.captured.get(), 30_000);
    town.world.advance(30 * HOUR);

    let begun = town.restore(&copy).await;
    assert_eq!((begun.payments, begun.operations), (2, 0));
    assert!(begun.known_until_ms.is_some());
    assert_eq!(town.world.reload(&payment.id).await.amounts.captured.get(), 0, "as it was");
    // Nothing is accepted for it until Klarna was asked.
    let refused = town.world.command(&payment, capture(50_000)).await.unwrap_err();
    assert_eq!(refused, NotPossible::Unverified);
    assert_eq!(town.left().await, 2);

    town.world.settle().await;
    assert_eq!(town.left().await, 0);
    let after = town.world.reload(&payment.id).await;
    town.world.assert_books_agree(&payment.id).await;
    town.world.assert_books_agree(&untouched.id).await;
    assert_eq!(after.amounts, before.amounts);
    assert_eq!(after.status, Status::PartCaptured);
    assert!(after.version > before.version, "no event has the id of one that was told before");
    let told = town.world.event_types(&payment.id).await;
    assert!(told.contains(&"payment.captured".to_owned()), "{told:?}");
    // Beyond what is left nothing is asked for.
    let refused = town.world.command(&payment, capture(20_001)).await.unwrap_err();
    assert!(matches!(refused, NotPossible::Rejected(_)), "{refused:?}");
    town.world.command(&payment, capture(20_000)).await.unwrap();
    town.world.settle().await;
    town.world.assert_books_agree(&payment.id).await;
    assert_eq!(town.world.reload(&payment.id).await.status, Status::Captured);
}

#[tokio::test]
async fn a_request_that_a_shop_repeats_under_its_key_does_not_happen_twice() {
    for hours in [1, 20, 24, 24 * 20] {
        let mut town = Town::new().await;
        let payment = town.world.payment().await;
        let copy = town.back_up().await;
        for (key, command) in [("a", capture(20_000)), ("b", refund(5_000))] {
            town.under_key(&payment, key, command).await.unwrap();
            town.world.settle().await;
        }
        town.world.advance(hours * HOUR);
        if hours >= 24 {
            town.world.klarna.forget_keys();
        }
        town.restore(&copy).await;
        town.world.settle().await;
        // The shop has its own books, and asks again for what the gateway no longer shows as done.
        for (key, command) in [("a", capture(20_000)), ("b", refund(5_000))] {
            let operation = town.under_key(&payment, key, command).await.unwrap();
            town.world.settle().await;
            let ended = town.world.operation(&operation.id).await;
            assert_eq!(ended.state, State::Done, "{hours} hours, {key}: {:?}", ended.outcome);
        }
        let after = town.world.reload(&payment.id).await;
        assert_eq!(after.amounts.captured.get(), 20_000, "{hours} hours");
        assert_eq!(after.amounts.refunded.get(), 5_000, "{hours} hours");
        assert!(after.captures[0].operation_id.is_some(), "it is known whose it was");
        town.world.assert_books_agree(&payment.id).await;
        // A request of its own is one.
        town.under_key(&payment, "c", capture(20_000)).await.unwrap();
        town.world.settle().await;
        assert_eq!(town.world.reload(&payment.id).await.amounts.captured.get(), 40_000);
        town.world.assert_books_agree(&payment.id).await;
    }
}

#[tokio::test]
async fn what_was_queued_when_the_copy_was_taken_is_looked_for_before_it_is_asked_for() {
    for (hours, heard) in [(1, true), (1, false), (30, true), (30, false)] {
        let mut town = Town::new().await;
        let payment = town.world.payment().await;
        let operation = town.world.command(&payment, capture(20_000)).await.unwrap();
        let copy = town.back_up().await;
        if heard {
            town.world.settle().await;
            assert_eq!(town.world.operation(&operation.id).await.state, State::Done);
        }
        town.world.advance(hours * HOUR);
        if hours >= 24 {
            town.world.klarna.forget_keys();
        }
        let begun = town.restore(&copy).await;
        assert_eq!(begun.operations, 1);
        for _ in 0..5 {
            town.world.settle().await;
            town.world.advance(300);
        }
        let ended = town.world.operation(&operation.id).await;
        // Within the day Klarna knows the key, so that it may be asked again; after that its books tell.
        let expected = if hours == 1 || heard { State::Done } else { State::Refused };
        assert_eq!(ended.state, expected, "{hours} hours, heard {heard}: {:?}", ended.outcome);
        let captured = if expected == State::Done { 20_000 } else { 0 };
        let after = town.world.reload(&payment.id).await;
        assert_eq!(after.amounts.captured.get(), captured, "{hours} hours, heard {heard}");
        town.world.assert_books_agree(&payment.id).await;
    }
}

#[tokio::test]
async fn an_order_that_was_placed_since_is_found_by_its_operation_or_told_of() {
    let mut town = Town::new().await;
    // One was about to be placed, of the other only the checkout was known.
    let (one, other) = (town.world.open_checkout().await, town.world.open_checkout().await);
    let token = town.world.klarna.authorize(&one.session.id);
    town.world.confirm(&one, &token).await.unwrap();
    let copy = town.back_up().await;
    let token = town.world.klarna.authorize(&other.session.id);
    town.world.confirm(&other, &token).await.unwrap();
    town.world.settle().await;
    let before = town.world.payment_of(&one).await;
    assert_eq!(town.world.klarna.order_count(), 2);

    town.world.advance(HOUR);
    town.restore(&copy).await;
    town.world.settle().await;
    assert_eq!(town.world.klarna.order_count(), 2, "none was placed a second time");
    assert_eq!(town.world.payment_of(&one).await.id, before.id, "the same payment");
    let told = town.world.event_types(&other.id).await;
    assert!(told.contains(&"checkout.alarm".to_owned()), "{told:?}");
}

#[tokio::test]
async fn while_klarna_cannot_be_asked_nothing_is_accepted() {
    let mut town = Town::new().await;
    let payment = town.world.payment().await;
    let copy = town.back_up().await;
    town.world.command(&payment, capture(50_000)).await.unwrap();
    town.world.settle().await;
    town.restore(&copy).await;
    for _ in 0..3 {
        // Two looks each.
        for _ in 0..2 {
            town.world.klarna.fail_next("read_order", Fault::LostBefore);
        }
        assert!(!reconcile::look(&town.world.engine, &payment.id).await.unwrap());
        let refused = town.world.command(&payment, capture(1)).await.unwrap_err();
        assert_eq!(refused, NotPossible::Unverified);
    }
    assert!(reconcile::look(&town.world.engine, &payment.id).await.unwrap());
    assert_eq!(town.left().await, 0);
    town.world.assert_books_agree(&payment.id).await;
}

/// One of PostgreSQL's own programs, as an operator runs it.
fn run(program: &str, arguments: &[&str]) {
    let ended = Program::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{program} {arguments:?}: {said}");
}

/// An empty database of its own on the server.
fn own_database(server: &str) -> String {
    let name = format!("restore_{}", service::random::uuid().simple());
    run("createdb", &[&format!("--maintenance-db={server}"), &name]);
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

#[tokio::test]
async fn a_dump_of_postgresql_is_put_back_and_agrees_with_klarna_again() {
    let Ok(server) = std::env::var("KASSA_TEST_POSTGRES") else { return };
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("kassa.dump").display().to_string();
    let (live, restored) = (own_database(&server), own_database(&server));
    let at = |url: &str| Location::Postgres(url.to_owned());
    let mut world = World::new(Database::open(&at(&live), MIGRATIONS).await.unwrap());
    let payment = world.payment().await;
    let queued = world.payment().await;
    let waiting = world.command(&queued, capture(10_000)).await.unwrap();
    // Beside a gateway that runs.
    run("pg_dump", &["--format=custom", &format!("--file={dump}"), &live]);
    world.command(&payment, capture(20_000)).await.unwrap();
    world.settle().await;
    world.command(&payment, refund(5_000)).await.unwrap();
    world.settle().await;
    world.database.close().await;

    world.advance(30 * HOUR);
    world.klarna.forget_keys();
    let arguments = ["--clean", "--if-exists", "--exit-on-error"];
    run("pg_restore", &[&arguments[..], &[&format!("--dbname={restored}"), &dump]].concat());
    world.database = Database::open(&at(&restored), MIGRATIONS).await.unwrap();
    world.crash();
    let begun = reconcile::begin(&world.database, world.clock.as_ref()).await.unwrap();
    assert_eq!((begun.payments, begun.operations), (2, 1));
    for _ in 0..5 {
        world.settle().await;
        world.advance(300);
    }
    assert_eq!(reconcile::left(&world.database).await.unwrap(), 0);
    assert_eq!(world.operation(&waiting.id).await.state, State::Done, "found by its reference");
    for (payment, captured, refunded) in [(&payment, 20_000, 5_000), (&queued, 10_000, 0)] {
        world.assert_books_agree(&payment.id).await;
        let amounts = world.reload(&payment.id).await.amounts;
        assert_eq!((amounts.captured.get(), amounts.refunded.get()), (captured, refunded));
    }
    world.database.close().await;
}
