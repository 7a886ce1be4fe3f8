//! Klarna is asked as much as it can bear: what is too much comes later and loses no try, and while
//! Klarna is down it is left alone.

use crate::support::{Fault, World, on_each_engine};
use gateway::domain::circuit::Phase;
use gateway::domain::operation::State;
use gateway::domain::payment::{Payment, Share};
use gateway::engine::commands::Command;
use klarna_types::MinorUnits;

fn capture(minor: i64) -> Command {
    Command::capture(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

async fn phase(world: &World) -> Phase {
    let status = world.engine.status().await.unwrap();
    status.troubled().first().map_or(Phase::Closed, |account| account.gate.circuit)
}

#[tokio::test]
async fn what_klarna_tells_to_come_later_loses_no_try() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        for _ in 0..30 {
            world.klarna.fail_next("capture", Fault::Refuse(429, "TOO_MANY_REQUESTS"));
        }
        let operation = world.command(&payment, capture(100)).await.unwrap();
        let mut turns = 0;
        while world.operation(&operation.id).await.state != State::Done {
            world.settle().await;
            world.advance(2);
            turns += 1;
            assert!(turns < 100, "{:?}", world.operation(&operation.id).await);
        }
        let operation = world.operation(&operation.id).await;
        assert_eq!((operation.attempts, operation.tries, operation.doubted), (31, 1, false));
        world.assert_books_agree(&payment.id).await;
    })
    .await;
}

async fn paid(world: &World, payments: usize) -> Vec<Payment> {
    let mut paid = Vec::new();
    for _ in 0..payments {
        paid.push(world.payment().await);
    }
    paid
}

#[tokio::test]
async fn a_klarna_that_is_down_is_left_alone_and_the_queue_drains_afterwards() {
    on_each_engine(async |world| {
        let payments = paid(&world, 40).await;
        for _ in 0..9 {
            world.klarna.fail_next("capture", Fault::NotSent);
        }
        for payment in &payments {
            world.command(payment, capture(100)).await.unwrap();
        }
        world.settle().await;
        assert_eq!(phase(&world).await, Phase::Open);
        let asked = world.klarna.bodies("capture").len();
        // Nobody asks before its time, however often the journal is looked at.
        world.settle().await;
        assert_eq!(world.klarna.bodies("capture").len(), asked);
        for _ in 0..40 {
            world.advance(1);
            world.settle().await;
        }
        assert_eq!(phase(&world).await, Phase::Closed);
        for payment in &payments {
            let payment = world.reload(&payment.id).await;
            assert_eq!(payment.amounts.captured, MinorUnits::new(100));
            world.assert_books_agree(&payment.id).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_circuit_has_lost_no_try() {
    on_each_engine(async |world| {
        let payments = paid(&world, 12).await;
        for _ in 0..8 {
            world.klarna.fail_next("capture", Fault::NotSent);
        }
        let mut operations = Vec::new();
        for payment in &payments {
            operations.push(world.command(payment, capture(100)).await.unwrap());
        }
        world.settle().await;
        let mut untouched = 0;
        for operation in &operations {
            let operation = world.operation(&operation.id).await;
            untouched += usize::from(operation.attempts == 0);
            assert_eq!(operation.state, State::Queued);
        }
        assert_eq!(untouched, 4, "eight were tried, the others were put off");
    })
    .await;
}
