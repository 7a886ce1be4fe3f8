//! Notices what should have happened by now: callbacks that did not come, reviews that were not
//! announced, authorisations that lapse. It only ever wants a read of Klarna; what a store wants
//! done about an authorisation that is about to lapse is an operation like any other.

use super::{Engine, expiry, tasks};
use crate::fault::Fault;
use crate::store::{answers, checkouts, payments};

/// How much is looked at in one go.
const BATCH: i64 = 100;
/// Until when a wanted read must have moved the next look; else it is wanted again.
const LOOK_AGAIN_MS: i64 = 10 * 60 * 1000;
/// How long a shop's `Idempotency-Key` is remembered.
const ANSWERS_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Wants reads of everything that is due.
pub(super) async fn run(engine: &Engine) -> Result<(), Fault> {
    expiry::run(engine).await?;
    let now_ms = engine.now_ms();
    engine.accounts().refresh(now_ms).await?;
    let due = engine
        .database()
        .read(move |tx| {
            let next = [checkouts::next_poll_at(tx)?, payments::next_check_at(tx)?];
            Ok::<_, Fault>(next.into_iter().flatten().any(|at| at <= now_ms))
        })
        .await?;
    if !due {
        return Ok(());
    }
    engine
        .database()
        .write(move |tx| {
            for checkout in checkouts::due(tx, now_ms, BATCH)? {
                let next = checkout.next_poll_at_ms(now_ms);
                checkouts::set_poll_at(tx, &checkout.id, next)?;
                if checkout.status.takes_authorizations() {
                    tasks::enqueue_resolve(tx, &checkout.id, tasks::POLL, now_ms)?;
                }
            }
            for payment in payments::due(tx, now_ms, BATCH)? {
                payments::set_check_at(tx, &payment.id, Some(now_ms + LOOK_AGAIN_MS))?;
                tasks::enqueue_sync(tx, &payment.id, "check", now_ms)?;
            }
            answers::forget(tx, now_ms - ANSWERS_LIFE_MS)?;
            Ok::<_, Fault>(())
        })
        .await
}
