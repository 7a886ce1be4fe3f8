//! Forgets people: those of whom a store has asked it, as soon as they are not needed any more, and those
//! whose time is over by the store's own policy. In small batches, on the clock. What is forgotten and what
//! stays is in [`crate::domain::erasure`].

use std::sync::atomic::Ordering;

use serde_json::json;
use storage::Tx;

use super::Engine;
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::erasures::{self, Erased, Erasure, Kind, State, Subject};
use crate::store::policies;

/// So many are forgotten in one unit of work.
const BATCH: i64 = 20;
/// How often it is looked whose time is over, while there is nothing to do.
const LOOK_EVERY_MS: i64 = 60 * 1000;

/// What is to be forgotten, as a shop names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Payments by id, each with its checkout.
    pub payment_ids: Vec<String>,
    /// Checkouts by id, each with its payment.
    pub checkout_ids: Vec<String>,
    /// Payments by the shop's order number.
    pub merchant_references: Vec<String>,
    /// Customers by id, each with what they were charged.
    pub customer_ids: Vec<String>,
}

/// Who asks, and under which ids it is kept.
#[derive(Debug, Clone)]
pub struct By {
    /// The store.
    pub store_id: String,
    /// Who.
    pub actor: Actor,
    /// A fresh id of the erasure.
    pub erasure_id: String,
    /// A fresh id for the audit log.
    pub audit_id: String,
}

/// Forgets what can be forgotten at once, and keeps the rest for later.
pub fn begin(tx: &mut Tx<'_>, wish: &Wish, by: &By, now_ms: i64) -> Result<Erasure, Fault> {
    let mut named: Vec<(Kind, String)> = Vec::new();
    named.extend(wish.payment_ids.iter().map(|id| (Kind::Payment, id.clone())));
    named.extend(wish.checkout_ids.iter().map(|id| (Kind::Checkout, id.clone())));
    named.extend(wish.customer_ids.iter().map(|id| (Kind::Customer, id.clone())));
    for reference in &wish.merchant_references {
        let found = erasures::payments_of_reference(tx, &by.store_id, reference, MOST_FOUND)?;
        named.extend(found.into_iter().map(|id| (Kind::Payment, id)));
    }
    let mut seen = std::collections::HashSet::new();
    named.retain(|each| seen.insert(each.clone()));
    let mut erasure = Erasure {
        id: by.erasure_id.clone(),
        store_id: by.store_id.clone(),
        subjects: named
            .into_iter()
            .map(|(kind, id)| Subject {
                kind,
                id,
                state: State::Waiting,
                erased_at_ms: None,
                because: None,
                until_ms: None,
            })
            .collect(),
        created_at_ms: now_ms,
    };
    carry_out(tx, &mut erasure, now_ms)?;
    erasures::insert(tx, &erasure, now_ms)?;
    let deed = Deed {
        id: &by.audit_id,
        store_id: &by.store_id,
        actor: &by.actor,
        action: "personal_data.erasure_asked",
        subject: &erasure.id,
    };
    let count = |state| erasure.subjects.iter().filter(|subject| subject.state == state).count();
    let data = json!({
        "erased": count(State::Erased), "waiting": count(State::Waiting),
        "unknown": count(State::Unknown),
    });
    audit::append(tx, deed, &data, now_ms)?;
    Ok(erasure)
}

/// The most payments of one order number.
const MOST_FOUND: i64 = 100;

/// Tries what waits. Answers whether anything was forgotten.
fn carry_out(tx: &mut Tx<'_>, erasure: &mut Erasure, now_ms: i64) -> Result<bool, Fault> {
    let store_id = erasure.store_id.clone();
    let mut forgot = false;
    for subject in &mut erasure.subjects {
        if subject.state != State::Waiting {
            continue;
        }
        let erased = match subject.kind {
            Kind::Payment => erasures::erase_payment(tx, &store_id, &subject.id, now_ms)?,
            Kind::Checkout => erasures::erase_checkout(tx, &store_id, &subject.id, now_ms)?,
            Kind::Customer => erasures::erase_customer(tx, &store_id, &subject.id, now_ms)?,
        };
        (subject.because, subject.until_ms) = (None, None);
        match erased {
            Erased::Now => {
                subject.state = State::Erased;
                subject.erased_at_ms = Some(now_ms);
                forgot = true;
            }
            Erased::Before(at_ms) => {
                subject.state = State::Erased;
                subject.erased_at_ms = Some(at_ms);
            }
            Erased::Needed(needed) => {
                subject.because = Some(needed.because);
                subject.until_ms = needed.until_ms;
            }
            Erased::Unknown => subject.state = State::Unknown,
        }
    }
    Ok(forgot)
}

/// Makes what was forgotten unreadable in the database's files, too, as far as the engine lets us. What
/// fails here, as while somebody reads for long, is tried again until it is done.
pub async fn scrub(engine: &Engine) {
    let ended = engine.database().scrub().await;
    engine.0.scrub_owed.store(ended.is_err(), Ordering::Relaxed);
    if let Err(error) = ended {
        tracing::warn!(%error, "the database's log still holds what was erased; it is cleared soon");
    }
}

/// Looks at what waits, and at whose time is over.
pub(super) async fn run(engine: &Engine) -> Result<(), Fault> {
    if engine.0.scrub_owed.load(Ordering::Relaxed) {
        scrub(engine).await;
    }
    let now_ms = engine.now_ms();
    if !engine.is_erasure_due(now_ms) {
        return Ok(());
    }
    let wanted = engine
        .database()
        .read(move |tx| {
            let policies = policies::retentions(tx)?;
            let lapses = policies.iter().any(|(_, policy)| policy.before_ms(now_ms).is_some());
            Ok::<_, Fault>(lapses || erasures::next_due_at(tx)?.is_some_and(|at| at <= now_ms))
        })
        .await?;
    if !wanted {
        engine.look_for_erasures_at(now_ms + LOOK_EVERY_MS);
        return Ok(());
    }
    let fresh = engine.clone();
    let (count, full) = engine
        .database()
        .write(move |tx| {
            let mut count = 0_i64;
            let due = erasures::due(tx, now_ms, BATCH)?;
            let mut full = is_full(due.len());
            for mut erasure in due {
                if carry_out(tx, &mut erasure, now_ms)? {
                    count += 1;
                }
                erasures::update(tx, &erasure, now_ms)?;
            }
            for (store_id, policy) in policies::retentions(tx)? {
                let Some(before_ms) = policy.before_ms(now_ms) else { continue };
                let (erased, more) = lapse(tx, &store_id, before_ms, now_ms)?;
                full |= more;
                if erased > 0 {
                    count += erased;
                    let actor = Actor::system("retention");
                    let deed = Deed {
                        id: &fresh.fresh_id("aud"),
                        store_id: &store_id,
                        actor: &actor,
                        action: "personal_data.erased",
                        subject: "",
                    };
                    audit::append(tx, deed, &json!({ "erased": erased }), now_ms)?;
                }
            }
            Ok::<_, Fault>((count, full))
        })
        .await?;
    engine.look_for_erasures_at(if full { now_ms } else { now_ms + LOOK_EVERY_MS });
    if count > 0 {
        tracing::info!(count, "personal data whose time was over was erased");
        engine.wake();
        scrub(engine).await;
    }
    Ok(())
}

fn is_full(found: usize) -> bool {
    i64::try_from(found).is_ok_and(|found| found >= BATCH)
}

/// Forgets a batch of what a store's policy says; answers how much, and whether there may be more. What is
/// needed for an operation on its way is come back to.
fn lapse(
    tx: &mut Tx<'_>,
    store_id: &str,
    before_ms: i64,
    now_ms: i64,
) -> Result<(i64, bool), Fault> {
    let mut erased = 0;
    let over = erasures::payments_over(tx, store_id, before_ms, BATCH)?;
    let mut full = is_full(over.len());
    for id in over {
        erased += i64::from(erasures::erase_payment(tx, store_id, &id, now_ms)? == Erased::Now);
    }
    let over = erasures::checkouts_over(tx, store_id, before_ms, BATCH)?;
    full |= is_full(over.len());
    for id in over {
        erased += i64::from(erasures::erase_checkout(tx, store_id, &id, now_ms)? == Erased::Now);
    }
    // A batch in which nothing could be forgotten would be found again at once.
    Ok((erased, full && erased > 0))
}
