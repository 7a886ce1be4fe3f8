//! The engine against a Klarna that loses answers: nothing lost, nothing doubled.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::support;
use crate::support::{Fault, World, on_each_engine};
use gateway::app::App;
use gateway::domain::checkout::{Checkout, Status};
use gateway::domain::operation::{self, Reason, State, Step};
use gateway::domain::payment::{AUTHORIZATION_EXPIRING, Fraud, Share};
use gateway::engine::commands::{self, Command, NotTaken};
use gateway::store::{checkouts, operations, payments};
use klarna_types::MinorUnits;
use service::{Clock as _, Shutdown};
use storage::Tx;
use tower::ServiceExt as _;

const HOUR: i64 = 3600;

fn capture(minor: i64) -> Command {
    Command::capture(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

fn refund(minor: i64) -> Command {
    Command::refund(Share { amount: Some(MinorUnits::new(minor)), lines: None })
}

#[tokio::test]
async fn a_confirmed_checkout_becomes_a_payment() {
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        let token = world.klarna.authorize(&checkout.session.id);
        let operation = world.confirm(&checkout, &token).await.unwrap();
        world.settle().await;
        assert_eq!(world.operation(&operation.id).await.state, State::Done);
        let payment = world.payment_of(&checkout).await;
        assert_eq!(payment.klarna_reference.as_deref(), Some("KREF"));
        assert_eq!(payment.amounts.remaining, MinorUnits::new(50_000));
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
        assert!(world.event_types(&payment.id).await.contains(&"payment.authorized".to_owned()));
        world.assert_books_agree(&payment.id).await;
    })
    .await;
}

/// A browser that is closed, a shop that gives up: what was begun for them is carried out, and at once.
#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_along() {
    on_each_engine(async |world| {
        let ends = Shutdown::new();
        let running = tokio::spawn(world.engine.clone().run(ends.clone()));
        // The first is waited for, so that the loop surely runs.
        for stays in [true, false] {
            let checkout = world.open_checkout().await;
            let (id, token) = (checkout.id.clone(), world.klarna.authorize(&checkout.session.id));
            let (new_id, now_ms) = (world.engine.fresh_id("op"), world.clock.now_ms());
            let operation_id = new_id.clone();
            let unit = move |tx: &mut Tx<'_>| {
                commands::take_authorization(tx, &id, &token, "http://x", &new_id, now_ms)
            };
            let mut accepting = Box::pin(world.engine.accept(unit, |taken| taken.as_ref().ok()));
            if stays {
                accepting.await.unwrap().0.unwrap();
            } else {
                let first = poll_fn(|context| Poll::Ready(accepting.as_mut().poll(context))).await;
                assert!(first.is_pending());
                drop(accepting);
            }
            let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
            // No lease runs out meanwhile: the clock stands still.
            loop {
                let outcome = world.engine.outcome(&operation_id, Duration::ZERO).await.unwrap();
                if outcome.is_some_and(|operation| operation.state == State::Done) {
                    break;
                }
                assert!(tokio::time::Instant::now() < deadline, "nobody carries it out");
                tokio::task::yield_now().await;
            }
        }
        ends.request();
        running.await.unwrap();
    })
    .await;
}

/// The browser, its reloads and Klarna's callback, all at once.
async fn race(world: &World, checkout: &Checkout, token: &str, bringers: &[Bringer]) {
    let mut racers = tokio::task::JoinSet::new();
    for racer in 0..32 {
        let (engine, id, token) = (world.engine.clone(), checkout.id.clone(), token.to_owned());
        let now_ms = world.clock.now_ms();
        let bringer = bringers[racer % bringers.len()];
        let key = checkout.callback_key();
        racers.spawn(async move {
            match bringer {
                Bringer::Browser => {
                    let new_id = engine.fresh_id("op");
                    let taken = engine
                        .database()
                        .write(move |tx| {
                            commands::take_authorization(
                                tx, &id, &token, "http://x", &new_id, now_ms,
                            )
                        })
                        .await
                        .unwrap();
                    // Whoever comes after the order was made is told of it.
                    assert!(matches!(taken, Ok(_) | Err(NotTaken::Completed(_))), "{taken:?}");
                }
                Bringer::Callback => {
                    let password = klarna_types::Secret::new("x");
                    let app = App::new(engine.clone(), String::new(), password, false);
                    let uri = format!("/klarna/callbacks/authorization/{key}");
                    let body = format!("{{\"n\":{racer}}}");
                    let request =
                        http::Request::post(uri).body(axum::body::Body::from(body)).unwrap();
                    let answer = gateway::router(app).oneshot(request).await.unwrap();
                    assert_eq!(answer.status(), 204);
                }
            }
            engine.step().await.unwrap();
        });
    }
    while let Some(done) = racers.join_next().await {
        done.unwrap();
    }
}

#[derive(Debug, Clone, Copy)]
enum Bringer {
    Browser,
    Callback,
}

#[tokio::test]
async fn one_authorisation_makes_at_most_one_order() {
    for bringers in
        [&[Bringer::Browser][..], &[Bringer::Callback], &[Bringer::Browser, Bringer::Callback]]
    {
        for restart in [false, true] {
            on_each_engine(async |mut world| {
                let checkout = world.open_checkout().await;
                let token = world.klarna.authorize(&checkout.session.id);
                if restart {
                    // The order is made, its answer is lost, and then the process dies.
                    world.klarna.fail_next("place_order", Fault::LostAfter);
                }
                race(&world, &checkout, &token, bringers).await;
                if restart {
                    world.crash();
                    world.engine.recover().await.unwrap();
                }
                world.settle().await;
                world.advance(61);
                race(&world, &checkout, &token, bringers).await;
                world.settle().await;
                assert_eq!(world.klarna.order_count(), 1);
                assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
                let id = checkout.id.clone();
                let placements =
                    world.database.read(move |tx| operations::of_checkout(tx, &id)).await.unwrap();
                assert_eq!(placements.len(), 1, "{placements:?}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_doubt_and_never_failure() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::NotSent] {
        on_each_engine(async |world| {
            let checkout = world.open_checkout().await;
            let token = world.klarna.authorize(&checkout.session.id);
            world.klarna.fail_next("place_order", fault.clone());
            world.klarna.fail_next("place_order", fault.clone());
            let operation = world.confirm(&checkout, &token).await.unwrap();
            world.settle().await;
            let state = world.operation(&operation.id).await.state;
            let expected = match fault {
                Fault::NotSent => State::Queued,
                _ => State::InDoubt,
            };
            assert_eq!(state, expected, "{fault:?}");
            assert_eq!(world.checkout(&checkout.id).await.status, Status::Confirming);
            for _ in 0..4 {
                world.advance(10);
                world.settle().await;
            }
            assert_eq!(world.operation(&operation.id).await.state, State::Done, "{fault:?}");
            assert_eq!(world.klarna.order_count(), 1);
            let bodies = world.klarna.bodies("place_order");
            assert!(bodies.iter().all(|body| Some(body) == bodies.first()));
        })
        .await;
    }
}

#[tokio::test]
async fn a_crash_at_any_step_resumes_from_the_journal() {
    // After how many of the engine's steps the process dies; and whether Klarna heard the call.
    for heard in [false, true] {
        on_each_engine(async |mut world| {
            let checkout = world.open_checkout().await;
            let token = world.klarna.authorize(&checkout.session.id);
            let operation = world.confirm(&checkout, &token).await.unwrap();
            // Claimed and marked as running, and then the process is gone.
            world.crash();
            let now_ms = world.clock.now_ms();
            world
                .database
                .write(move |tx| {
                    use gateway::store::operations::{self, INTERACTIVE};
                    let items = INTERACTIVE.claim(tx, now_ms, "the dead", 60_000, 10)?;
                    for item in items {
                        let mut operation = operations::get(tx, &item.id)?.unwrap();
                        operation.step(Step::Start, now_ms).unwrap();
                        operations::update(tx, &mut operation)?;
                    }
                    Ok::<_, gateway::Fault>(())
                })
                .await
                .unwrap();
            if heard {
                use gateway::engine::klarna::Klarna as _;
                let body = operation.body().unwrap();
                let token = klarna_types::AuthorizationToken::new(token.as_str());
                world.klarna.place_order(&token, body).await.unwrap();
            }
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, State::Running, "leased");
            world.advance(61);
            world.settle().await;
            let operation = world.operation(&operation.id).await;
            assert_eq!(operation.state, State::Done);
            assert!(operation.doubted);
            assert_eq!(world.klarna.order_count(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn an_order_is_made_although_browser_and_callback_are_lost() {
    on_each_engine(async |mut world| {
        let checkout = world.open_checkout().await;
        world.klarna.authorize(&checkout.session.id);
        world.settle().await;
        assert_eq!(world.klarna.order_count(), 0);
        // A restart looks at once; without one the janitor would after two minutes.
        world.crash();
        world.engine.recover().await.unwrap();
        world.settle().await;
        assert_eq!(world.klarna.order_count(), 1);
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
    })
    .await;
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        world.klarna.authorize(&checkout.session.id);
        world.advance(121);
        world.settle().await;
        assert_eq!(world.klarna.order_count(), 1);
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
    })
    .await;
}

#[tokio::test]
async fn a_newer_token_is_tried_after_a_refusal_and_an_older_one_gives_way() {
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        let first = world.klarna.authorize(&checkout.session.id);
        let second = world.klarna.authorize(&checkout.session.id);
        let older = world.confirm(&checkout, &first).await.unwrap();
        let newer = world.confirm(&checkout, &second).await.unwrap();
        world.settle().await;
        let older = world.operation(&older.id).await;
        assert_eq!(older.refusal().map(|refusal| refusal.reason), Some(Reason::Superseded));
        assert_eq!(world.operation(&newer.id).await.state, State::Done);
        assert_eq!(world.klarna.order_count(), 1);
    })
    .await;
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        let token = world.klarna.authorize(&checkout.session.id);
        world.klarna.fail_next("place_order", Fault::Refuse(403, "REJECTED"));
        let operation = world.confirm(&checkout, &token).await.unwrap();
        world.settle().await;
        let declined = world.checkout(&checkout.id).await;
        assert_eq!(declined.status, Status::Declined);
        assert_eq!(declined.refusal.map(|refusal| refusal.reason), Some(Reason::Declined));
        // The same token keeps its answer; a new one is tried.
        let again = world.confirm(&checkout, &token).await.unwrap();
        assert_eq!((again.id, again.state), (operation.id, State::Refused));
        let token = world.klarna.authorize(&checkout.session.id);
        world.confirm(&checkout, &token).await.unwrap();
        world.settle().await;
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
        assert_eq!(world.klarna.order_count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_newer_token_waits_while_an_older_one_is_in_doubt() {
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        let first = world.klarna.authorize(&checkout.session.id);
        world.klarna.fail_next("place_order", Fault::LostAfter);
        let older = world.confirm(&checkout, &first).await.unwrap();
        world.settle().await;
        let newer = world.confirm(&checkout, "another-token").await.unwrap();
        assert!(newer.held);
        world.settle().await;
        world.advance(10);
        world.settle().await;
        assert_eq!(world.operation(&older.id).await.state, State::Done);
        assert_eq!(world.operation(&newer.id).await.state, State::Refused);
        assert_eq!(world.klarna.order_count(), 1);
        let closed = world.confirm(&checkout, "a-third").await.unwrap_err();
        assert!(matches!(closed, NotTaken::Completed(Some(_))));
    })
    .await;
}

#[tokio::test]
async fn captures_and_refunds_survive_lost_answers_exactly_once() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::NotSent] {
        on_each_engine(async |world| {
            let payment = world.payment().await;
            world.klarna.fail_next("capture", fault.clone());
            let operation = world.command(&payment, capture(20_000)).await.unwrap();
            world.settle().await;
            assert_ne!(world.operation(&operation.id).await.state, State::Done);
            // While it is in doubt its amount is not given away.
            assert!(world.command(&payment, capture(30_001)).await.is_err());
            world.advance(5);
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, State::Done, "{fault:?}");
            world.klarna.fail_next("refund", fault.clone());
            world.command(&payment, refund(5_000)).await.unwrap();
            world.settle().await;
            world.advance(5);
            world.settle().await;
            let payment = world.reload(&payment.id).await;
            assert_eq!(payment.amounts.captured, MinorUnits::new(20_000));
            assert_eq!(payment.amounts.refunded, MinorUnits::new(5_000));
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_capture_in_doubt_for_longer_than_its_key_lives_is_looked_up_and_not_repeated() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        on_each_engine(async |world| {
            let payment = world.payment().await;
            world.klarna.fail_next("capture", fault.clone());
            let operation = world.command(&payment, capture(20_000)).await.unwrap();
            world.settle().await;
            // The gateway was switched off for two days.
            world.advance(48 * HOUR);
            world.settle().await;
            let state = world.operation(&operation.id).await.state;
            let captured = world.reload(&payment.id).await.amounts.captured.get();
            match fault {
                Fault::LostAfter => assert_eq!((state, captured), (State::Done, 20_000)),
                _ => assert_eq!((state, captured), (State::Refused, 0)),
            }
            let asked = world.klarna.bodies("capture").len();
            assert_eq!(asked, usize::from(matches!(fault, Fault::LostAfter)));
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_refusal_after_doubt_is_checked_against_klarnas_books() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        world.klarna.fail_next("cancel", Fault::LostAfter);
        world.klarna.fail_next("cancel", Fault::Refuse(403, "CANCEL_NOT_ALLOWED"));
        let operation = world.command(&payment, Command::Cancel).await.unwrap();
        world.settle().await;
        world.advance(1);
        world.settle().await;
        assert_eq!(world.operation(&operation.id).await.state, State::Done);
        world.assert_books_agree(&payment.id).await;
    })
    .await;
}

/// A call may arrive long after its caller has given it up: until it cannot any more, a refusal of a
/// later try and books that show nothing prove nothing.
#[tokio::test]
async fn books_that_show_nothing_are_believed_only_when_no_call_is_on_its_way() {
    for arrives in [true, false] {
        on_each_engine(async |world| {
            let payment = world.payment().await;
            world.klarna.fail_next("capture", Fault::LostBefore);
            world.klarna.fail_next("capture", Fault::Refuse(403, "CAPTURE_NOT_ALLOWED"));
            let operation = world.command(&payment, capture(20_000)).await.unwrap();
            world.settle().await;
            world.advance(1);
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, State::InDoubt);
            if arrives {
                use gateway::engine::klarna::Klarna as _;
                let (key, body) = (operation.klarna_key(), operation.body().unwrap());
                world.klarna.capture(&payment.klarna_order_id, &key, body).await.unwrap();
            } else {
                world.klarna.fail_next("capture", Fault::Refuse(403, "CAPTURE_NOT_ALLOWED"));
            }
            world.advance(125);
            world.settle().await;
            let state = world.operation(&operation.id).await.state;
            assert_eq!(state, if arrives { State::Done } else { State::Refused });
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[test]
fn from_every_state_an_operation_can_end() {
    for from in State::ALL {
        let mut seen = vec![from];
        let mut at = 0;
        while let Some(state) = seen.get(at).copied() {
            seen.extend(Step::ALL.into_iter().filter_map(|step| operation::next(state, step)));
            let mut unique = Vec::new();
            seen.retain(|state| {
                !unique.contains(state) && {
                    unique.push(*state);
                    true
                }
            });
            at += 1;
        }
        assert!(seen.iter().any(|state| !state.holds_amount()), "{from:?} leads to {seen:?}");
    }
}

#[tokio::test]
async fn every_journalled_operation_can_end() {
    for call in ["capture", "refund", "cancel", "release", "place_order"] {
        for fault in [Fault::LostBefore, Fault::LostAfter, Fault::NotSent] {
            on_each_engine(async |world| {
                let operation = if call == "place_order" {
                    let checkout = world.open_checkout().await;
                    let token = world.klarna.authorize(&checkout.session.id);
                    (0..20).for_each(|_| world.klarna.fail_next(call, fault.clone()));
                    world.confirm(&checkout, &token).await.unwrap()
                } else {
                    let payment = world.payment().await;
                    if matches!(call, "refund" | "release") {
                        world.command(&payment, capture(10_000)).await.unwrap();
                        world.settle().await;
                    }
                    (0..20).for_each(|_| world.klarna.fail_next(call, fault.clone()));
                    let command = match call {
                        "capture" => capture(1),
                        "refund" => refund(1),
                        "cancel" => Command::Cancel,
                        _ => Command::Release,
                    };
                    world.command(&payment, command).await.unwrap()
                };
                for _ in 0..40 {
                    world.settle().await;
                    world.advance(HOUR);
                }
                let operation = world.operation(&operation.id).await;
                let reason = operation.refusal().map(|refusal| refusal.reason);
                let ended = (operation.state, reason);
                let expected = match (call, &fault) {
                    // Only a person can find an order that the gateway was never told of.
                    ("place_order", Fault::LostAfter) => {
                        (State::NeedsAttention, Some(Reason::OutcomeUnknown))
                    }
                    (_, Fault::LostAfter) => (State::Done, None),
                    _ => (State::Refused, Some(Reason::Unreachable)),
                };
                assert_eq!(ended, expected, "{call} {fault:?}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_capture_under_review_waits_and_a_refusal_of_the_review_ends_it() {
    for (verdict, state) in [("ACCEPTED", State::Done), ("REJECTED", State::Refused)] {
        on_each_engine(async |world| {
            world.klarna.review_orders();
            let payment = world.payment().await;
            assert_eq!(payment.fraud, Fraud::Pending);
            let operation = world.command(&payment, capture(10_000)).await.unwrap();
            world.settle().await;
            assert!(world.operation(&operation.id).await.held);
            world.klarna.decide_fraud(&payment.klarna_order_id, verdict);
            // Its notification is lost: the janitor's look is enough.
            world.advance(11 * 60);
            world.settle().await;
            assert_eq!(world.operation(&operation.id).await.state, state);
            world.assert_books_agree(&payment.id).await;
        })
        .await;
    }
}

#[tokio::test]
async fn the_same_intent_is_one_operation() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        let one = world.command_as(&payment, capture(100), "capture/button", "op_a").await.unwrap();
        let two = world.command_as(&payment, capture(100), "capture/button", "op_b").await.unwrap();
        world.settle().await;
        let three =
            world.command_as(&payment, capture(100), "capture/button", "op_c").await.unwrap();
        assert_eq!((&one.id, &one.id), (&two.id, &three.id));
        assert_eq!(world.reload(&payment.id).await.amounts.captured, MinorUnits::new(100));
    })
    .await;
}

#[tokio::test]
async fn an_authorisation_that_lapses_is_announced_and_then_seen() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        for (days, announced) in [(20, 0), (1, 1), (3, 1), (2, 2), (1, 2)] {
            world.advance(days * 24 * HOUR);
            world.settle().await;
            let types = world.event_types(&payment.id).await;
            let count = types.iter().filter(|kind| *kind == AUTHORIZATION_EXPIRING).count();
            assert_eq!(count, announced, "{days} {types:?}");
        }
        let order = payment.klarna_order_id.clone();
        world.klarna.change_order(&order, |order| {
            order["status"] = serde_json::json!("EXPIRED");
            order["remaining_authorized_amount"] = serde_json::json!(0);
        });
        world.advance(2 * 24 * HOUR);
        world.settle().await;
        let types = world.event_types(&payment.id).await;
        assert!(types.contains(&"payment.authorization_expired".to_owned()), "{types:?}");
    })
    .await;
}

#[tokio::test]
async fn a_checkout_gets_a_fresh_session_when_its_own_ends() {
    on_each_engine(async |world| {
        let checkout = world.open_checkout().await;
        world.advance(47 * HOUR);
        assert!(world.checkout(&checkout.id).await.needs_new_session(world.clock.now_ms()));
        let renewed =
            gateway::engine::sessions::renew(&world.engine, checkout.clone()).await.unwrap();
        assert_ne!(renewed.session.id, checkout.session.id);
        let token = world.klarna.authorize(&renewed.session.id);
        world.confirm(&renewed, &token).await.unwrap();
        world.settle().await;
        assert_eq!(world.checkout(&checkout.id).await.status, Status::Completed);
    })
    .await;
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_decided_by_reading_the_session() {
    for (fault, amount) in [(Fault::LostAfter, 60_000), (Fault::LostBefore, 50_000)] {
        on_each_engine(async |world| {
            let checkout = world.open_checkout().await;
            let mut wanted = checkout.cart.clone();
            wanted.lines = vec![support::line("POT", 3, 20_000)];
            let wish = gateway::domain::cart::Wish {
                merchant_reference: wanted.merchant_reference,
                country: "SE".to_owned(),
                locale: None,
                currency: None,
                prices: wanted.prices,
                lines: wanted.lines,
            };
            let wanted = gateway::domain::cart::build(wish).unwrap();
            world.klarna.fail_next("update_session", fault.clone());
            let updated =
                gateway::engine::sessions::update(&world.engine, &checkout.id, wanted).await;
            assert!(updated.is_err());
            let current = world.checkout(&checkout.id).await;
            let settled =
                gateway::engine::sessions::settle_doubt(&world.engine, current).await.unwrap();
            assert_eq!(settled.cart.order_amount, MinorUnits::new(amount), "{fault:?}");
            let token = world.klarna.authorize(&checkout.session.id);
            world.confirm(&checkout, &token).await.unwrap();
            world.settle().await;
            let payment = world.payment_of(&checkout).await;
            assert_eq!(payment.amounts.authorized, MinorUnits::new(amount));
        })
        .await;
    }
}

#[tokio::test]
async fn no_secret_and_no_personal_datum_is_kept_where_it_is_not_needed() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        world.command(&payment, capture(100)).await.unwrap();
        world.settle().await;
        let everything = world
            .database
            .read(|tx| {
                let mut all = String::new();
                for sql in [
                    "SELECT document FROM payments",
                    "SELECT document FROM attempts",
                    "SELECT document FROM events",
                    "SELECT document FROM checkouts",
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
            .unwrap();
        for marked in ["Marked-Person", "marked-secret", "token-", "client-session"] {
            assert!(!everything.contains(marked), "{marked}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_janitor_rests_when_nothing_is_due() {
    on_each_engine(async |world| {
        let payment = world.payment().await;
        let now_ms = world.clock.now_ms();
        let due = world
            .database
            .read(move |tx| {
                Ok::<_, gateway::Fault>((
                    checkouts::next_poll_at(tx)?,
                    payments::next_check_at(tx)?,
                ))
            })
            .await
            .unwrap();
        assert_eq!(due.0, None);
        assert!(due.1.is_some_and(|at| at > now_ms));
        assert_eq!(payment.version, world.reload(&payment.id).await.version);
    })
    .await;
}
