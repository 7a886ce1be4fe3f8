//! Changes by which no money moves, against a Klarna that loses answers: nothing lost, nothing kept
//! that is personal; and authorisations that are about to lapse.

use crate::support::{Fault, World, on_each_engine};
use gateway::app::DEFAULT_STORE;
use gateway::domain::change::Change;
use gateway::domain::expiry::{OnExpiry, Policy};
use gateway::domain::operation::{Reason, State};
use gateway::domain::payment::{
    AUTHORIZATION_EXPIRING, EXPIRY_POLICY_FAILED, NewAuthorization, Payment, Share, Status,
};
use gateway::engine::attention::{self, Act, NotDone, Word};
use gateway::engine::changes::ChangeWish;
use gateway::engine::commands::{Command, NotPossible};
use gateway::store::policies;
use klarna_types::order_management::ShippingInfo;
use klarna_types::{Address, MinorUnits};
use serde_json::json;
use service::Clock as _;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn parcel(number: &str) -> ShippingInfo {
    ShippingInfo { tracking_number: Some(number.to_owned()), ..ShippingInfo::default() }
}

fn wish(change: Change, capture_id: &str) -> ChangeWish {
    let capture_id = capture_id.to_owned();
    match change {
        Change::UpdateAuthorization => ChangeWish::UpdateAuthorization {
            wanted: NewAuthorization { amount: Some(MinorUnits::new(45_000)), lines: None },
            description: None,
        },
        Change::ExtendAuthorization => ChangeWish::ExtendAuthorization,
        Change::UpdateCustomer => {
            let city = Some("Marked-City".to_owned());
            ChangeWish::UpdateCustomer(Box::new(Address { city, ..Address::default() }))
        }
        Change::UpdateReferences => ChangeWish::UpdateReferences {
            reference1: Some("WEB-1002".to_owned()),
            reference2: Some("B-2".to_owned()),
        },
        Change::AddShippingInfo => ChangeWish::AddShippingInfo {
            capture_id: Some(capture_id),
            parcels: vec![parcel("T-1"), parcel("T-2")],
        },
        Change::ResendCommunication => ChangeWish::ResendCommunication { capture_id },
        Change::ExtendDueDate => ChangeWish::ExtendDueDate { capture_id, number_of_days: 10 },
        Change::Acknowledge => ChangeWish::Acknowledge,
    }
}

fn capture(minor: i64) -> Command {
    Command::capture(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

/// A payment of which 10 000 of 50 000 are captured.
async fn part_captured(world: &World) -> Payment {
    let payment = world.payment().await;
    world.command(&payment, capture(10_000)).await.unwrap();
    world.settle().await;
    world.reload(&payment.id).await
}

/// Whether the mirror shows a change.
fn shows(payment: &Payment, change: Change, before: &Payment) -> bool {
    match change {
        Change::UpdateAuthorization => {
            payment.amounts.authorized == MinorUnits::new(45_000)
                && payment.amounts.remaining == MinorUnits::new(35_000)
        }
        Change::ExtendAuthorization => payment.expires_at_ms > before.expires_at_ms,
        Change::UpdateReferences => {
            payment.merchant_reference == "WEB-1002"
                && payment.merchant_reference2.as_deref() == Some("B-2")
        }
        Change::AddShippingInfo => {
            payment.captures[0].shipping_info == [parcel("T-1"), parcel("T-2")]
        }
        Change::ExtendDueDate => payment.captures[0].due_date_extensions == [10],
        Change::UpdateCustomer | Change::ResendCommunication | Change::Acknowledge => true,
    }
}

#[tokio::test]
async fn each_change_is_made_once_told_of_and_recorded() {
    on_each_engine(async |world| {
        for change in Change::ALL {
            let before = part_captured(&world).await;
            let wish = wish(change, &before.captures[0].id);
            let operation = world.command(&before, Command::Change(wish)).await.unwrap();
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, State::Done, "{change:?}");
            let after = world.reload(&before.id).await;
            assert!(shows(&after, change, &before), "{change:?} {after:?}");
            let types = world.event_types(&before.id).await;
            let told = types.iter().filter(|kind| *kind == change.event_type()).count();
            assert_eq!(told, 1, "{change:?} {types:?}");
            world.assert_books_agree(&before.id).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_of_a_change_is_asked_for_again_under_the_same_key() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::NotSent] {
        on_each_engine(async |world| {
            for change in Change::ALL {
                let before = part_captured(&world).await;
                world.klarna.fail_next(change.name(), fault.clone());
                let wish = wish(change, &before.captures[0].id);
                let operation = world.command(&before, Command::Change(wish)).await.unwrap();
                world.settle().await;
                assert_ne!(world.operation(&operation.id).await.state, State::Done);
                world.advance(5);
                world.settle().await;
                assert_eq!(world.operation(&operation.id).await.state, State::Done, "{change:?}");
                let after = world.reload(&before.id).await;
                assert!(shows(&after, change, &before), "{change:?} {fault:?}");
                world.assert_books_agree(&before.id).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_change_in_doubt_for_longer_than_its_key_lives_is_looked_up_in_the_order() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        on_each_engine(async |world| {
            for change in Change::ALL {
                let before = part_captured(&world).await;
                world.klarna.fail_next(change.name(), fault.clone());
                let wish = wish(change, &before.captures[0].id);
                let operation = world.command(&before, Command::Change(wish)).await.unwrap();
                world.settle().await;
                let asked = world.klarna.bodies(change.name()).len();
                // The gateway was switched off for two days.
                world.advance(2 * DAY);
                world.settle().await;
                let settled = world.operation(&operation.id).await;
                let reason = settled.refusal().map(|refusal| refusal.reason);
                let expected = match (change, &fault) {
                    // Asking twice does no harm, and nothing shows it: whoever wants it asks again.
                    (Change::ResendCommunication | Change::Acknowledge, _) => {
                        (State::Refused, Some(Reason::OutcomeUnknown))
                    }
                    // Klarna charges for it, and no book of it shows it.
                    (Change::ExtendDueDate, _) => {
                        (State::NeedsAttention, Some(Reason::OutcomeUnknown))
                    }
                    (_, Fault::LostAfter) => (State::Done, None),
                    _ => (State::Refused, Some(Reason::Unreachable)),
                };
                assert_eq!((settled.state, reason), expected, "{change:?} {fault:?}");
                assert_eq!(world.klarna.bodies(change.name()).len(), asked, "{change:?}");
                let after = world.reload(&before.id).await;
                if settled.state == State::Done {
                    assert!(shows(&after, change, &before), "{change:?} {after:?}");
                }
                world.assert_books_agree(&before.id).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_person_says_what_the_books_do_not() {
    on_each_engine(async |world| {
        for word in [Word::Done { klarna_id: None }, Word::Refused] {
            let payment = part_captured(&world).await;
            world.klarna.fail_next("extend_due_date", Fault::LostAfter);
            let wish = wish(Change::ExtendDueDate, &payment.captures[0].id);
            let operation = world.command(&payment, Command::Change(wish)).await.unwrap();
            world.settle().await;
            world.advance(2 * DAY);
            world.settle().await;
            let operation = world.operation(&operation.id).await;
            let act = Act {
                store_id: DEFAULT_STORE.to_owned(),
                operation_id: operation.id.clone(),
                version: Some(operation.version),
                by: "a test".to_owned(),
                note: "seen in the portal".to_owned(),
            };
            let done = matches!(word, Word::Done { .. });
            let settled = attention::settle(&world.engine, act, word).await.unwrap().unwrap();
            assert_eq!(settled.state, if done { State::Done } else { State::Refused });
            let extended = world.reload(&payment.id).await.captures[0].due_date_extensions.clone();
            assert_eq!(extended, if done { vec![10] } else { vec![] });
        }
        // And is not believed against them.
        let payment = part_captured(&world).await;
        world.klarna.fail_next("update_authorization", Fault::LostBefore);
        let change = wish(Change::UpdateAuthorization, "");
        let operation = world.command(&payment, Command::Change(change)).await.unwrap();
        world.settle().await;
        world.klarna.change_order(&payment.klarna_order_id, |order| {
            order["order_amount"] = json!(44_000);
        });
        world.advance(2 * DAY);
        world.settle().await;
        // Somebody else has set a third amount: the order does not tell.
        let operation = world.operation(&operation.id).await;
        assert_eq!(operation.state, State::NeedsAttention);
        world.klarna.change_order(&payment.klarna_order_id, |order| {
            order["order_amount"] = json!(50_000);
        });
        let act = Act {
            store_id: DEFAULT_STORE.to_owned(),
            operation_id: operation.id.clone(),
            version: None,
            by: "a test".to_owned(),
            note: "said".to_owned(),
        };
        let word = Word::Done { klarna_id: None };
        let refused = attention::settle(&world.engine, act.clone(), word).await.unwrap();
        assert!(matches!(refused, Err(NotDone::Evidence { .. })), "{refused:?}");
        attention::settle(&world.engine, act, Word::Refused).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_change_that_klarna_never_hears_of_ends_as_refused() {
    on_each_engine(async |world| {
        for change in Change::ALL {
            let before = part_captured(&world).await;
            for _ in 0..6 {
                world.klarna.fail_next(change.name(), Fault::NotSent);
            }
            let wish = wish(change, &before.captures[0].id);
            let operation = world.command(&before, Command::Change(wish)).await.unwrap();
            for _ in 0..12 {
                world.settle().await;
                world.advance(HOUR);
            }
            // What was left over of the faults hits nobody else.
            let settled = world.operation(&operation.id).await;
            let reason = settled.refusal().map(|refusal| refusal.reason);
            assert_eq!((settled.state, reason), (State::Refused, Some(Reason::Unreachable)));
            let again = world.command(&before, Command::Change(ChangeWish::Acknowledge)).await;
            again.unwrap();
            world.settle().await;
            world.klarna.forget_faults();
        }
    })
    .await;
}

/// Everything that is stored, as text.
async fn everything(world: &World) -> String {
    world
        .database
        .read(|tx| {
            let mut all = String::new();
            for sql in [
                "SELECT document FROM payments",
                "SELECT document FROM attempts",
                "SELECT document FROM events",
                "SELECT document FROM operations",
                "SELECT COALESCE(authorization_token, '') FROM operations",
            ] {
                for row in tx.query_dynamic(sql, &[])? {
                    all.push_str(&row.get::<String>(0)?);
                }
            }
            Ok::<_, storage::Error>(all)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn an_address_is_forgotten_as_soon_as_klarna_has_it() {
    for fault in [None, Some(Fault::Refuse(403, "NOT_ALLOWED")), Some(Fault::LostAfter)] {
        on_each_engine(async |world| {
            let payment = world.payment().await;
            if let Some(fault) = &fault {
                world.klarna.fail_next("update_customer_details", fault.clone());
            }
            let wish = wish(Change::UpdateCustomer, "");
            let operation = world.command(&payment, Command::Change(wish)).await.unwrap();
            assert!(everything(&world).await.contains("Marked-City"), "it must survive a crash");
            world.settle().await;
            world.advance(5);
            world.settle().await;
            assert!(world.operation(&operation.id).await.state.is_settled());
            assert!(!everything(&world).await.contains("Marked-City"), "{fault:?}");
            if !matches!(fault, Some(Fault::Refuse(..))) {
                let order = world.klarna.order(&payment.klarna_order_id);
                assert_eq!(order["shipping_address"]["city"], "Marked-City");
            }
        })
        .await;
    }
}

async fn want(world: &World, on_expiry: OnExpiry) {
    let policy = Policy { on_expiry, ..Policy::default() };
    let now_ms = world.clock.now_ms();
    world
        .database
        .write(move |tx| policies::set_expiry(tx, DEFAULT_STORE, &policy, now_ms))
        .await
        .unwrap();
}

async fn days(world: &World, days: i64) {
    for _ in 0..days * 4 {
        world.advance(DAY / 4);
        world.settle().await;
    }
}

fn count(types: &[String], kind: &str) -> usize {
    types.iter().filter(|each| *each == kind).count()
}

#[tokio::test]
async fn an_authorisation_is_extended_by_policy_once_for_each_expiry() {
    on_each_engine(async |world| {
        want(&world, OnExpiry::Extend).await;
        let payment = world.payment().await;
        days(&world, 25).await;
        let once = world.reload(&payment.id).await;
        assert!(once.expires_at_ms > payment.expires_at_ms);
        assert_eq!(world.klarna.bodies("extend_authorization").len(), 1);
        let types = world.event_types(&payment.id).await;
        assert_eq!(count(&types, "payment.authorization_extended"), 1, "{types:?}");
        assert_eq!(count(&types, AUTHORIZATION_EXPIRING), 1, "{types:?}");
        days(&world, 28).await;
        assert_eq!(world.klarna.bodies("extend_authorization").len(), 2);
        assert_eq!(world.reload(&payment.id).await.status, Status::Authorized);
        world.assert_books_agree(&payment.id).await;
    })
    .await;
}

#[tokio::test]
async fn what_remains_is_captured_or_given_back_by_policy() {
    for (on_expiry, captured_before, status) in [
        (OnExpiry::CaptureRemaining, 0, Status::Captured),
        (OnExpiry::CaptureRemaining, 10_000, Status::Captured),
        (OnExpiry::Release, 0, Status::Cancelled),
        (OnExpiry::Release, 10_000, Status::Captured),
        (OnExpiry::None, 0, Status::Authorized),
    ] {
        on_each_engine(async |world| {
            let payment = world.payment().await;
            if captured_before > 0 {
                world.command(&payment, capture(captured_before)).await.unwrap();
                world.settle().await;
            }
            // The store makes up its mind when the payment is there already.
            want(&world, on_expiry).await;
            days(&world, 25).await;
            let after = world.reload(&payment.id).await;
            assert_eq!(after.status, status, "{on_expiry:?}");
            let captured = match on_expiry {
                OnExpiry::CaptureRemaining => 50_000,
                _ => captured_before,
            };
            assert_eq!(after.amounts.captured, MinorUnits::new(captured), "{on_expiry:?}");
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_followed_is_told_of() {
    on_each_engine(async |world| {
        want(&world, OnExpiry::Extend).await;
        let payment = world.payment().await;
        world.klarna.change_order(&payment.klarna_order_id, |order| {
            order["initial_payment_method"] = json!({ "type": "PAY_BY_CARD" });
        });
        // The method is seen when the order is read for another reason.
        world.command(&payment, capture(10_000)).await.unwrap();
        world.settle().await;
        world.command(&payment, Command::Change(ChangeWish::ExtendAuthorization)).await.unwrap();
        world.klarna.fail_next("extend_authorization", Fault::Refuse(403, "NOT_ALLOWED"));
        world.settle().await;
        assert_eq!(world.reload(&payment.id).await.method.unwrap().kind, "PAY_BY_CARD");
        days(&world, 25).await;
        let types = world.event_types(&payment.id).await;
        assert_eq!(count(&types, EXPIRY_POLICY_FAILED), 1, "{types:?}");
        assert_eq!(count(&types, "operation.refused"), 1, "{types:?}");
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_is_cancelled_under_review_stays_so() {
    for late in ["ACCEPTED", "REJECTED", "STOPPED"] {
        on_each_engine(async |world| {
            world.klarna.review_orders();
            let payment = world.payment().await;
            let waiting = world.command(&payment, capture(10_000)).await.unwrap();
            assert!(waiting.held);
            world.command(&payment, Command::Cancel).await.unwrap();
            world.settle().await;
            let ended = world.operation(&waiting.id).await;
            assert_eq!(ended.refusal().map(|refusal| refusal.reason), Some(Reason::Superseded));
            assert_eq!(world.reload(&payment.id).await.status, Status::Cancelled);
            // Klarna decides late, and says so.
            world.klarna.decide_fraud(&payment.klarna_order_id, late);
            world.notify(&payment).await;
            world.settle().await;
            let after = world.reload(&payment.id).await;
            assert_eq!((after.status, after.fraud.name()), (Status::Cancelled, late));
            let types = world.event_types(&payment.id).await;
            assert_eq!(count(&types, "payment.fraud_accepted"), 0, "{types:?}");
            assert!(world.klarna.bodies("capture").is_empty());
            let refused = world.command(&after, capture(1)).await.unwrap_err();
            assert!(matches!(refused, NotPossible::Rejected(_)));
        })
        .await;
    }
}

#[tokio::test]
async fn a_capture_that_waits_ends_when_the_payment_ends_elsewhere() {
    on_each_engine(async |world| {
        world.klarna.review_orders();
        let payment = world.payment().await;
        let waiting = world.command(&payment, capture(10_000)).await.unwrap();
        world.klarna.change_order(&payment.klarna_order_id, |order| {
            order["status"] = json!("CANCELLED");
            order["remaining_authorized_amount"] = json!(0);
        });
        world.advance(11 * 60);
        world.settle().await;
        let ended = world.operation(&waiting.id).await;
        assert_eq!(ended.refusal().map(|refusal| refusal.reason), Some(Reason::StateForbids));
        let types = world.event_types(&payment.id).await;
        assert_eq!(count(&types, "operation.refused"), 1, "{types:?}");
    })
    .await;
}
