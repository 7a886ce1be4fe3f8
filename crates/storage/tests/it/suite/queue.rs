//! Queues on every engine: order, attempts, leases and the tokens that prove them.

use std::collections::HashSet;

use storage::queue::{self, Queue};
use storage::{Error, ErrorKind, Tx};

use super::{World, add, count, on_every_engine, value_of};

on_every_engine! {
    queue_order_and_attempts,
    queue_items_are_held_by_one_worker_at_a_time,
    queue_leases_expire_and_stale_holders_are_refused,
    queue_leases_of_the_dead_can_be_ended,
    queue_tokens_of_an_earlier_item_are_worth_nothing,
    queue_outcome_and_item_are_one_unit,
}

const JOBS: Queue = Queue { name: "jobs" };
const OTHER: Queue = Queue { name: "other" };

async fn queue_order_and_attempts(world: World) {
    let database = world.database;
    let run: Result<(), Error> = database
        .write(|tx| {
            assert_eq!(JOBS.next_due_at(tx)?, None);
            assert!(JOBS.enqueue(tx, "c", 100, "C")?);
            assert!(JOBS.enqueue(tx, "b", 200, "B")?);
            assert!(JOBS.enqueue(tx, "a", 200, "A")?);
            assert!(JOBS.enqueue(tx, "later", 900, "L")?);
            assert!(OTHER.enqueue(tx, "c", 50, "not ours")?);
            assert!(!JOBS.enqueue(tx, "c", 1, "again")?, "an item is queued once");
            assert_eq!(JOBS.next_due_at(tx)?, Some(100));
            assert!(JOBS.claim(tx, 99, "w", 10, 10)?.is_empty());

            let ids = |items: &[queue::Item]| {
                items.iter().map(|item| item.id.clone()).collect::<Vec<_>>()
            };
            let first = JOBS.claim(tx, 500, "w", 1_000, 2)?;
            assert_eq!(ids(&first), ["c", "a"]);
            assert_eq!(
                (first[0].payload.as_str(), first[0].attempts, first[0].due_at_ms),
                ("C", 0, 100)
            );
            let second = JOBS.claim(tx, 500, "w", 1_000, 2)?;
            assert_eq!(ids(&second), ["b"]);
            assert_eq!(JOBS.next_due_at(tx)?, Some(900));

            assert!(JOBS.reschedule(tx, &first[0], 600, "C2")?);
            assert!(!JOBS.reschedule(tx, &first[0], 600, "C3")?, "given back is given back");
            assert!(!JOBS.complete(tx, &first[0])?);
            assert!(JOBS.complete(tx, &first[1])?);
            assert!(!JOBS.complete(tx, &first[1])?);
            let again = JOBS.claim(tx, 600, "w", 1_000, 9)?;
            assert_eq!(ids(&again), ["c"]);
            assert_eq!((again[0].payload.as_str(), again[0].attempts), ("C2", 1));
            assert!(again[0].lease > first[0].lease);

            JOBS.ensure(tx, "later", 950, "stays")?;
            assert!(!JOBS.is_due(tx, 899)?, "nothing that nobody holds");
            JOBS.ensure(tx, "later", 800, "stays")?;
            assert!(JOBS.is_due(tx, 800)?);
            let earlier = JOBS.claim(tx, 800, "w", 1_000, 9)?;
            assert_eq!(
                (ids(&earlier), earlier[0].payload.as_str()),
                (vec!["later".to_owned()], "L")
            );
            // What is completed takes along what was asked for before, and nothing that comes after.
            assert!(JOBS.complete(tx, &earlier[0])?);
            JOBS.ensure(tx, "later", 900, "new")?;
            assert!(!JOBS.complete(tx, &earlier[0])?, "this is another item");

            assert!(JOBS.cancel(tx, "b")?);
            assert!(!JOBS.cancel(tx, "b")?);
            assert!(!JOBS.complete(tx, &second[0])?, "a cancelled item is nobody's");
            assert_eq!(OTHER.next_due_at(tx)?, Some(50));
            Ok(())
        })
        .await;
    run.unwrap();
}

async fn queue_items_are_held_by_one_worker_at_a_time(world: World) {
    let database = world.database;
    let items = 60;
    let filled: Result<(), Error> = database
        .write(move |tx| {
            (0..items).try_for_each(|n| JOBS.enqueue(tx, &format!("{n}"), n, "").map(drop))
        })
        .await;
    filled.unwrap();
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let database = database.clone();
            tokio::spawn(async move {
                let mut held = Vec::new();
                loop {
                    // Half of the workers claim under each kind of transaction.
                    let claim = move |tx: &mut Tx<'_>| {
                        JOBS.claim(tx, 1_000, &format!("w{worker}"), 1_000, 4)
                    };
                    let claimed = if worker % 2 == 0 {
                        database.write_row_locked(claim).await
                    } else {
                        database.write(claim).await
                    };
                    let claimed: Vec<queue::Item> = claimed.unwrap();
                    if claimed.is_empty() {
                        // Another may hold row locks on the rest for a moment, and then have it.
                        let free = database.read(|tx| JOBS.next_due_at(tx)).await.unwrap();
                        if free.is_none_or(|free_at| free_at > 1_000) {
                            return held;
                        }
                    }
                    held.extend(claimed.into_iter().map(|item| item.id));
                }
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for worker in workers {
        for id in worker.await.unwrap() {
            assert!(seen.insert(id.clone()), "{id} was claimed twice");
        }
    }
    assert_eq!(seen.len(), usize::try_from(items).unwrap());
}

async fn queue_leases_expire_and_stale_holders_are_refused(world: World) {
    let database = world.database;
    let run: Result<(), Error> = database
        .write(|tx| {
            JOBS.enqueue(tx, "slow", 0, "")?;
            let slow = JOBS.claim(tx, 100, "slow worker", 50, 1)?.remove(0);
            assert!(JOBS.claim(tx, 149, "quick worker", 50, 1)?.is_empty());
            assert_eq!(JOBS.next_due_at(tx)?, Some(150));
            // It asks in time for longer.
            assert!(JOBS.renew(tx, &slow, 200)?);
            assert!(JOBS.claim(tx, 199, "quick worker", 50, 1)?.is_empty());
            // It was paused for longer than its lease.
            let quick = JOBS.claim(tx, 200, "quick worker", 50, 1)?.remove(0);
            assert_eq!(quick.id, "slow");
            assert!(quick.lease > slow.lease);
            assert!(!JOBS.renew(tx, &slow, 1_000)?);
            assert!(!JOBS.reschedule(tx, &slow, 300, "stale")?);
            assert!(!JOBS.complete(tx, &slow)?);
            assert!(JOBS.complete(tx, &quick)?);
            assert_eq!(JOBS.next_due_at(tx)?, None);
            Ok(())
        })
        .await;
    run.unwrap();
}

async fn queue_leases_of_the_dead_can_be_ended(world: World) {
    let database = world.database;
    let run: Result<(), Error> = database
        .write(|tx| {
            JOBS.enqueue(tx, "held", 0, "")?;
            JOBS.enqueue(tx, "free", 90, "")?;
            let held = JOBS.claim(tx, 10, "dead worker", 1_000, 1)?.remove(0);
            assert_eq!(JOBS.end_leases_of(tx, "living worker")?, 0);
            assert_eq!(JOBS.end_leases_of(tx, "dead worker")?, 1);
            assert_eq!(JOBS.end_leases(tx)?, 0);
            // Not so dead: it comes too late.
            assert!(!JOBS.complete(tx, &held)?);
            let again = JOBS.claim(tx, 10, "new worker", 1_000, 9)?;
            assert_eq!(again.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["held"]);
            assert!(!JOBS.complete(tx, &held)?);
            assert!(JOBS.put_back(tx, &again[0], 50)?);
            assert_eq!(JOBS.claim(tx, 50, "new worker", 9, 9)?[0].attempts, 0);
            Ok(())
        })
        .await;
    run.unwrap();
}

async fn queue_tokens_of_an_earlier_item_are_worth_nothing(world: World) {
    let database = world.database;
    let run: Result<(), Error> = database
        .write(|tx| {
            JOBS.enqueue(tx, "same", 0, "first")?;
            let first = JOBS.claim(tx, 0, "w1", 10, 1)?.remove(0);
            let taken_over = JOBS.claim(tx, 10, "w2", 10, 1)?.remove(0);
            assert!(JOBS.complete(tx, &taken_over)?);
            JOBS.enqueue(tx, "same", 0, "second")?;
            let second = JOBS.claim(tx, 20, "w3", 10, 1)?.remove(0);
            assert!(!JOBS.complete(tx, &first)?);
            assert!(!JOBS.complete(tx, &taken_over)?);
            assert!(JOBS.complete(tx, &second)?);
            Ok(())
        })
        .await;
    run.unwrap();
}

/// How an outcome is recorded: if the lease is lost, nothing of the unit is.
async fn queue_outcome_and_item_are_one_unit(world: World) {
    let database = world.database;
    let filled: Result<bool, Error> = database.write(|tx| JOBS.enqueue(tx, "pay", 0, "")).await;
    assert!(filled.unwrap());
    let claim = |now_ms: i64| {
        let database = database.clone();
        async move {
            let claimed: Result<Vec<queue::Item>, Error> =
                database.write_row_locked(move |tx| JOBS.claim(tx, now_ms, "w", 10, 1)).await;
            claimed.unwrap().remove(0)
        }
    };
    #[derive(Debug, PartialEq)]
    enum Failure {
        LeaseLost,
        Storage(ErrorKind),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Storage(error.kind())
        }
    }
    let record = |item: queue::Item, id: &'static str| {
        let database = database.clone();
        async move {
            database
                .write(move |tx| {
                    add(tx, id, 1)?;
                    if JOBS.complete(tx, &item)? { Ok(()) } else { Err(Failure::LeaseLost) }
                })
                .await
        }
    };
    let paused = claim(0).await;
    let successor = claim(10).await;
    let (stale, good) = tokio::join!(record(paused, "stale"), record(successor, "good"));
    assert_eq!(stale, Err(Failure::LeaseLost));
    assert_eq!(good, Ok(()));
    assert_eq!(count(&database).await, 1);
    assert_eq!(value_of(&database, "good").await, 1);
}
