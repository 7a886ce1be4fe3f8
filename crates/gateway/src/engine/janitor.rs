//! Notices what should have happened by now: callbacks that did not come, reviews that were not
//! announced, authorisations that lapse, subscriptions that are due. It asks Klarna for nothing: it
//! wants a read, or writes down what is to be charged; what a store wants done about an authorisation
//! that is about to lapse is an operation like any other.

use std::sync::atomic::Ordering;

use super::{Engine, erasure, expiry, readings, recurring, tasks};
use crate::fault::Fault;
use crate::store::{answers, checkouts, figures, payments, search, subscriptions};

/// How much is looked at in one go.
const BATCH: i64 = 100;
/// How many charges of subscriptions are put into the journal in one go: a night's worth of them must not
/// stand in line before what a shopper waits for.
const CHARGES_AT_ONCE: i64 = 16;
/// So many batches of payments are filled in before anything else has its turn.
const FILLS: usize = 10;
/// Until when a wanted read must have moved the next look; else it is wanted again.
const LOOK_AGAIN_MS: i64 = 10 * 60 * 1000;
/// How long a shop's `Idempotency-Key` is remembered.
const ANSWERS_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// How often figures are folded; whoever reads them adds up what is not folded yet.
const FOLD_EVERY_MS: i64 = 5_000;
/// So many moves are folded in one unit of work.
const FOLD_AT_ONCE: i64 = 1_000;

/// Wants whatever is due.
pub(super) async fn run(engine: &Engine) -> Result<(), Fault> {
    expiry::run(engine).await?;
    erasure::run(engine).await?;
    let now_ms = engine.now_ms();
    engine.accounts().refresh(now_ms).await?;
    readings::want(engine, now_ms).await?;
    let (due, behind) = engine
        .database()
        .read(move |tx| {
            let next = [
                checkouts::next_poll_at(tx)?,
                payments::next_check_at(tx)?,
                subscriptions::next_due_at(tx)?,
            ];
            let due = next.into_iter().flatten().any(|at| at <= now_ms);
            Ok::<_, Fault>((due, search::is_behind(tx)?))
        })
        .await?;
    if due {
        want_reads(engine, now_ms).await?;
    }
    if behind { fill_in(engine).await } else { Ok(()) }
}

/// Fills in what payments are searched by, where the version before left it out.
async fn fill_in(engine: &Engine) -> Result<(), Fault> {
    for _ in 0..FILLS {
        let filled = engine.database().write_row_locked(|tx| search::fill_in(tx, BATCH)).await?;
        if i64::try_from(filled).is_ok_and(|filled| filled < BATCH) {
            break;
        }
    }
    Ok(())
}

async fn want_reads(engine: &Engine, now_ms: i64) -> Result<(), Fault> {
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
            recurring::run_due(tx, now_ms, CHARGES_AT_ONCE)?;
            answers::forget(tx, now_ms - ANSWERS_LIFE_MS)?;
            Ok::<_, Fault>(())
        })
        .await
}

/// Folds what moved figures into the counters, now and then.
pub(super) async fn fold(engine: &Engine) -> Result<(), Fault> {
    let now_ms = engine.now_ms();
    let folded_at_ms = engine.0.folded_at_ms.load(Ordering::Relaxed);
    if now_ms.saturating_sub(folded_at_ms) < FOLD_EVERY_MS && now_ms >= folded_at_ms {
        return Ok(());
    }
    engine.0.folded_at_ms.store(now_ms, Ordering::Relaxed);
    while engine.database().read(figures::has_moves).await? {
        let folded =
            engine.database().write_row_locked(|tx| figures::fold(tx, FOLD_AT_ONCE)).await?;
        // None: another node has them all.
        if folded < usize::try_from(FOLD_AT_ONCE).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(())
}
