//! Operations that wait for a person: seen, tried again, settled; and never against Klarna's books.

use crate::support::{Fault, World, on_each_engine};
use gateway::app::DEFAULT_STORE;
use gateway::domain::checkout::{Checkout, Status};
use gateway::domain::journal::Operation;
use gateway::domain::operation::State;
use gateway::domain::payment::{Payment, Share};
use gateway::engine::attention::{self, Act, NotDone, Word};
use gateway::engine::commands::Command;
use klarna_types::MinorUnits;
use serde_json::json;

fn act(operation: &Operation) -> Act {
    Act {
        store_id: DEFAULT_STORE.to_owned(),
        operation_id: operation.id.clone(),
        version: Some(operation.version),
        by: "a test".to_owned(),
        note: "seen in the portal".to_owned(),
    }
}

fn done(klarna_id: &str) -> Word {
    Word::Done { klarna_id: Some(klarna_id.to_owned()) }
}

fn capture(minor: i64) -> Command {
    Command::capture(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

/// An order that Klarna made and never told of, until the gateway gave up.
async fn lost_order(world: &World) -> (Checkout, Operation) {
    let checkout = world.open_checkout().await;
    let token = world.klarna.authorize(&checkout.session.id);
    world.klarna.fail_next("place_order", Fault::LostAfter);
    for _ in 0..7 {
        world.klarna.fail_next("place_order", Fault::LostBefore);
    }
    let operation = world.confirm(&checkout, &token).await.unwrap();
    let operation = given_up(world, &operation).await;
    (checkout, operation)
}

/// A capture whose answers were lost, and the order cannot be read; `heard` by Klarna or not.
async fn lost_capture(world: &World, heard: bool) -> (Payment, Operation) {
    let payment = world.payment().await;
    if heard {
        world.klarna.fail_next("capture", Fault::LostAfter);
    }
    for _ in 0..5 - i32::from(heard) {
        world.klarna.fail_next("capture", Fault::LostBefore);
    }
    world.klarna.fail_next("read_order", Fault::Refuse(404, "NO_SUCH_ORDER"));
    let operation = world.command(&payment, capture(20_000)).await.unwrap();
    let operation = given_up(world, &operation).await;
    (payment, operation)
}

async fn given_up(world: &World, operation: &Operation) -> Operation {
    for _ in 0..10 {
        world.settle().await;
        world.advance(3 * 3600);
    }
    let operation = world.operation(&operation.id).await;
    assert_eq!(operation.state, State::NeedsAttention);
    operation
}

#[tokio::test]
async fn an_order_that_a_person_names_is_compared_before_it_is_believed() {
    on_each_engine(async |world| {
        let (checkout, operation) = lost_order(&world).await;
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Confirming);
        let order_id = world.klarna.newest_order();
        let settle = |word| attention::settle(&world.engine, act(&operation), word);

        for wrong in [Word::Done { klarna_id: None }, done("../../x"), done("")] {
            let refused = settle(wrong).await.unwrap().unwrap_err();
            let NotDone::Missing { member, .. } = refused else { panic!("{refused:?}") };
            assert_eq!(member, "klarna_order_id");
        }
        assert!(matches!(settle(done("order-999")).await.unwrap(), Err(NotDone::Evidence { .. })));
        for (member, value) in
            [("merchant_reference1", json!("WEB-2")), ("original_order_amount", json!(1))]
        {
            let before = world.klarna.order(&order_id)[member].clone();
            world.klarna.change_order(&order_id, |order| order[member] = value);
            let refused = settle(done(&order_id)).await.unwrap().unwrap_err();
            assert!(matches!(refused, NotDone::Evidence { .. }), "{member}: {refused:?}");
            world.klarna.change_order(&order_id, |order| order[member] = before);
        }
        // An order that already is another checkout's payment.
        let other = world.payment().await;
        let refused = settle(done(&other.klarna_order_id)).await.unwrap();
        assert!(matches!(refused, Err(NotDone::Evidence { .. })));
        assert_eq!(world.operation(&operation.id).await.version, operation.version);

        let settled = settle(done(&order_id)).await.unwrap().unwrap();
        assert_eq!(settled.state, State::Done);
        world.settle().await;
        let payment = world.payment_of(&checkout).await;
        assert_eq!(payment.klarna_order_id, order_id);
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
        assert!(world.event_types(&payment.id).await.contains(&"operation.settled".to_owned()));
        world.assert_books_agree(&payment.id).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_was_not_made_reopens_the_checkout() {
    on_each_engine(async |world| {
        let (checkout, operation) = lost_order(&world).await;
        let newer = world.confirm(&checkout, "a-newer-token").await.unwrap();
        assert!(newer.held);
        let settled =
            attention::settle(&world.engine, act(&operation), Word::Refused).await.unwrap();
        assert_eq!(settled.unwrap().state, State::Refused);
        // What waited behind it is tried now; that one Klarna does not know.
        world.settle().await;
        assert_eq!(world.operation(&newer.id).await.state, State::Refused);
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Open);
    })
    .await;
}

#[tokio::test]
async fn a_capture_is_settled_by_what_the_books_show() {
    for heard in [true, false] {
        on_each_engine(async |world| {
            let (payment, operation) = lost_capture(&world, heard).await;
            // Until it is settled its amount is kept for it.
            let most = 30_000;
            assert!(world.command(&payment, capture(most + 1)).await.is_err());
            let (right, wrong) = if heard {
                (Word::Done { klarna_id: None }, Word::Refused)
            } else {
                (Word::Refused, Word::Done { klarna_id: None })
            };
            let against = attention::settle(&world.engine, act(&operation), wrong).await.unwrap();
            assert!(matches!(against, Err(NotDone::Evidence { .. })), "{against:?}");
            let settled = attention::settle(&world.engine, act(&operation), right).await.unwrap();
            let state = if heard { State::Done } else { State::Refused };
            assert_eq!(settled.unwrap().state, state);
            world.settle().await;
            world.assert_books_agree(&payment.id).await;
            let captured = world.reload(&payment.id).await.amounts.captured;
            assert_eq!(captured.get(), if heard { 20_000 } else { 0 });
            world.command(&payment, capture(most)).await.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn looking_again_settles_what_the_books_can_tell() {
    for heard in [true, false] {
        on_each_engine(async |world| {
            let (payment, operation) = lost_capture(&world, heard).await;
            world.klarna.fail_next("read_order", Fault::LostBefore);
            let unclear = attention::look(&world.engine, act(&operation)).await.unwrap();
            assert!(matches!(unclear, Err(NotDone::Evidence { .. })), "{unclear:?}");
            let settled = attention::look(&world.engine, act(&operation)).await.unwrap().unwrap();
            assert_eq!(settled.state, if heard { State::Done } else { State::Refused });
            world.settle().await;
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn trying_again_never_doubles() {
    for heard in [true, false] {
        on_each_engine(async |world| {
            let (checkout, operation) = lost_order(&world).await;
            let resumed = attention::resume(&world.engine, act(&operation)).await.unwrap();
            assert_eq!(resumed.unwrap().state, State::InDoubt);
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, State::Done);
            assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
            assert_eq!(world.klarna.order_count(), 1);

            let (payment, operation) = lost_capture(&world, heard).await;
            attention::resume(&world.engine, act(&operation)).await.unwrap().unwrap();
            world.settle().await;
            assert!(!world.operation(&operation.id).await.state.holds_amount());
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn two_people_at_once_settle_it_once() {
    on_each_engine(async |world| {
        let (_, operation) = lost_order(&world).await;
        let order_id = world.klarna.newest_order();
        let (one, two) = tokio::join!(
            attention::settle(&world.engine, act(&operation), done(&order_id)),
            attention::settle(&world.engine, act(&operation), Word::Refused),
        );
        let results = [one.unwrap(), two.unwrap()];
        let settled = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(settled, 1, "{results:?}");
        assert!(results.iter().any(|result| matches!(result, Err(NotDone::NotWaiting(_)))));
        // Someone who looked before it was handed back a second time decides anew.
        let (_, operation) = lost_order(&world).await;
        let mut stale = act(&operation);
        stale.version = Some(operation.version - 1);
        let moved = attention::resume(&world.engine, stale).await.unwrap();
        assert!(matches!(moved, Err(NotDone::Moved(_))));
        let mut stranger = act(&operation);
        stranger.store_id = "another".to_owned();
        let unknown = attention::resume(&world.engine, stranger).await.unwrap();
        assert!(matches!(unknown, Err(NotDone::Unknown)));
        let mut silent = act(&operation);
        silent.note = " ".to_owned();
        let missing = attention::settle(&world.engine, silent, Word::Refused).await.unwrap();
        assert!(matches!(missing, Err(NotDone::Missing { member: "note", .. })));
    })
    .await;
}
