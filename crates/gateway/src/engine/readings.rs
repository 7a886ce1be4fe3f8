//! Reads each account's payouts and disputes out of Klarna's books.
//!
//! A reading is a row with the time when it is due; the janitor makes an item of it, which one node at
//! a time holds under a lease. A turn reads one page and commits it together with how far the reading
//! then is, so that a crash anywhere has at most one page read again; and the same page twice changes
//! nothing. Nobody waits for it: it passes the account's gate behind whatever somebody waits for.
//!
//! What is read with a store's own credentials is the store's, whether or not the order was bought
//! through this gateway. Links lead to the store's own payments only.

use std::sync::atomic::Ordering;

use klarna_types::OrderId;
use serde_json::json;
use storage::Tx;
use storage::queue::Item;

use super::Engine;
use super::gates::was_shut;
use super::klarna::{Klarna, Outcome, PayoutsWanted};
use crate::domain::dispute::{Dispute, Facts};
use crate::domain::figures::between;
use crate::domain::idempotency;
use crate::domain::operation::{Effect, Failure};
use crate::domain::pacing::{Class, Priority};
use crate::domain::payout::{Entry, PAID, Payout};
use crate::domain::reading::{Kind, Progress, Span};
use crate::fault::Fault;
use crate::store::operations::BACKGROUND;
use crate::store::readings::Place;
use crate::store::{disputes, events, figures, payments, payouts, readings};

/// What an item says of itself.
pub(super) const READING: &str = "reading";
/// How often the rows are looked at.
const LOOK_EVERY_MS: i64 = 1_000;
/// How many readings are looked at in one go.
const BATCH: i64 = 20;
/// Until when an item must have moved the next look; else another is made.
const LOOK_AGAIN_MS: i64 = 10 * 60 * 1000;
/// An account that this node does not know may be known to another.
const UNKNOWN_ACCOUNT_MS: i64 = 60 * 60 * 1000;
/// How long to wait when Klarna was asked too much and did not say for how long.
const LIMITED_MS: i64 = 1000;
/// Payouts that were made so long before the gateway began to look are told of as well.
const TOLD_BACK_MS: i64 = 24 * 60 * 60 * 1000;

/// Sees to it that every account is read, and wants what is due.
pub(super) async fn want(engine: &Engine, now_ms: i64) -> Result<(), Fault> {
    let all = engine.accounts().all();
    if all.is_empty() {
        return Ok(());
    }
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    {
        let known = engine.0.read_accounts.lock();
        for account in &all {
            let key = (account.store_id.clone(), account.account_id.clone());
            match known.get(&key) {
                None => new.push(key),
                // Other credentials may be allowed what those before were not.
                Some(version) if *version != account.version => changed.push(key),
                Some(_) => {}
            }
        }
    }
    let begun = !new.is_empty() || !changed.is_empty();
    if begun {
        engine
            .database()
            .write(move |tx| {
                let places = |accounts: &[(String, String)]| {
                    let of = |(store_id, account_id): &(String, String)| {
                        Kind::ALL.map(|kind| Place {
                            store_id: store_id.clone(),
                            account_id: account_id.clone(),
                            kind,
                        })
                    };
                    accounts.iter().flat_map(of).collect::<Vec<_>>()
                };
                for place in places(&new) {
                    readings::begin(tx, &place, now_ms)?;
                }
                for place in places(&changed) {
                    readings::set_due(tx, &place, now_ms)?;
                }
                Ok::<_, Fault>(())
            })
            .await?;
        let versions = all.into_iter().map(|each| ((each.store_id, each.account_id), each.version));
        engine.0.read_accounts.lock().extend(versions);
    }
    // The worker looks after every piece of work; readings are due by the minute.
    let looked_at_ms = engine.0.readings_at_ms.load(Ordering::Relaxed);
    if !begun && now_ms >= looked_at_ms && now_ms.saturating_sub(looked_at_ms) < LOOK_EVERY_MS {
        return Ok(());
    }
    engine.0.readings_at_ms.store(now_ms, Ordering::Relaxed);
    let next = engine.database().read(readings::next_due_at).await?;
    if next.is_none_or(|at_ms| at_ms > now_ms) {
        return Ok(());
    }
    engine
        .database()
        .write_row_locked(move |tx| {
            for place in readings::due(tx, now_ms, BATCH)? {
                readings::set_due(tx, &place, now_ms + LOOK_AGAIN_MS)?;
                let Place { store_id, account_id, kind } = place;
                let id = format!("{READING}/{}/{store_id}/{account_id}", kind.name());
                let payload = json!({
                    "read": READING, "id": account_id, "store_id": store_id, "kind": kind.name(),
                });
                BACKGROUND.enqueue(tx, &id, now_ms, &payload.to_string())?;
            }
            Ok::<_, Fault>(())
        })
        .await
}

/// What came of a turn.
enum Read {
    /// A page of payouts.
    Payouts(Span, Vec<klarna_types::settlements::Payout>, bool),
    /// A page of what a payout is made of.
    Entries(Box<Payout>, Vec<Entry>, bool),
    /// Klarna tells this account of disputes, or will not.
    Enrolled,
    /// A page of disputes, and the cursor of the next one.
    Disputes(Span, Vec<klarna_types::disputes::Dispute>, Option<String>),
    /// An answer that cannot be used.
    Nothing(Failure),
}

/// Takes a turn at a reading.
pub(super) async fn carry_out(engine: &Engine, item: &Item) -> Result<(), Fault> {
    let place = place_of(item)?;
    let wanted = place.clone();
    let found = engine
        .database()
        .read(move |tx| {
            let Some(progress) = readings::progress(tx, &wanted)? else { return Ok(None) };
            let incomplete = match wanted.kind {
                Kind::Payouts => payouts::incomplete(tx, &wanted.store_id, &wanted.account_id)?,
                Kind::Disputes => None,
            };
            let oldest_ms = payments::oldest(tx, &wanted.store_id)?;
            Ok::<_, Fault>(Some((progress, incomplete, oldest_ms)))
        })
        .await?;
    let account = engine.accounts().named(&place.store_id, &place.account_id, "");
    let (Some((progress, incomplete, oldest_ms)), Some(account)) = (found, account) else {
        let (item, now_ms) = (item.clone(), engine.now_ms());
        return engine
            .database()
            .write(move |tx| {
                readings::set_due(tx, &place, now_ms + UNKNOWN_ACCOUNT_MS)?;
                BACKGROUND.complete(tx, &item)?;
                Ok::<_, Fault>(())
            })
            .await;
    };
    let span = progress.span(place.kind, oldest_ms, engine.now_ms());
    let read = match (place.kind, incomplete) {
        (Kind::Payouts, Some(payout)) => entries(engine, account.as_ref(), payout).await,
        (Kind::Payouts, None) => payouts_of(engine, account.as_ref(), span).await,
        (Kind::Disputes, _) if !progress.enrolled => enroll(engine, account.as_ref()).await,
        (Kind::Disputes, _) => disputes_of(engine, account.as_ref(), span).await,
    };
    if let Read::Nothing(failure) = &read
        && (was_shut(failure) || failure.status == Some(429))
    {
        let wait_ms = failure.retry_after_ms.unwrap_or(LIMITED_MS).max(1);
        let (item, now_ms) = (item.clone(), engine.now_ms());
        return engine
            .database()
            .write(move |tx| Ok(BACKGROUND.put_back(tx, &item, now_ms + wait_ms).map(|_| ())?))
            .await;
    }
    let (item, now_ms) = (item.clone(), engine.now_ms());
    let news = engine
        .database()
        .write(move |tx| {
            let mut progress = progress.clone();
            let news = match &read {
                Read::Nothing(failure) => {
                    let due_at_ms = progress.stumble(place.kind, failure, now_ms);
                    log(&place, failure);
                    readings::keep(tx, &place, &progress, due_at_ms)?;
                    held(BACKGROUND.complete(tx, &item)?)?;
                    return Ok(false);
                }
                read => keep(tx, &place, &mut progress, read, now_ms)?,
            };
            let has_more = place.kind == Kind::Payouts
                && payouts::incomplete(tx, &place.store_id, &place.account_id)?.is_some();
            let has_more = has_more || matches!(read, Read::Enrolled);
            let due_at_ms = progress.next_at_ms(place.kind, has_more, now_ms);
            if due_at_ms <= now_ms {
                readings::keep(tx, &place, &progress, now_ms + LOOK_AGAIN_MS)?;
                held(BACKGROUND.put_back(tx, &item, now_ms)?)?;
            } else {
                readings::keep(tx, &place, &progress, due_at_ms)?;
                held(BACKGROUND.complete(tx, &item)?)?;
            }
            Ok::<_, Fault>(news)
        })
        .await;
    match news {
        Ok(news) => {
            if news {
                engine.wake();
            }
            Ok(())
        }
        // Whoever took over reads the same page.
        Err(Fault::LeaseLost) => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn place_of(item: &Item) -> Result<Place, Fault> {
    let payload: serde_json::Value =
        serde_json::from_str(&item.payload).map_err(Fault::document("task"))?;
    let member = |name: &str| payload.get(name).and_then(serde_json::Value::as_str);
    match (member("store_id"), member("id"), member("kind").and_then(Kind::from_name)) {
        (Some(store_id), Some(account_id), Some(kind)) => {
            Ok(Place { store_id: store_id.to_owned(), account_id: account_id.to_owned(), kind })
        }
        _ => Err(Fault::inconsistent(format!("unknown task {}", item.id))),
    }
}

fn held(held: bool) -> Result<(), Fault> {
    if held { Ok(()) } else { Err(Fault::LeaseLost) }
}

fn log(place: &Place, failure: &Failure) {
    tracing::warn!(
        store.id = %place.store_id,
        account.id = %place.account_id,
        kind = place.kind.name(),
        status = failure.status,
        klarna.correlation_id = failure.correlation_id.as_deref(),
        "Klarna's books could not be read"
    );
}

async fn quietly<T>(
    engine: &Engine,
    account: &dyn Klarna,
    call: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    engine.through(account, Class::Other, Priority::Background, call).await
}

async fn payouts_of(engine: &Engine, account: &dyn Klarna, span: Span) -> Read {
    let wanted = PayoutsWanted {
        from_ms: span.from_ms.unwrap_or(span.until_ms),
        until_ms: span.until_ms,
        offset: span.offset,
    };
    match quietly(engine, account, account.payouts(wanted)).await {
        Ok(answer) => {
            let page = answer.value;
            let more = leads_on(page.pagination.next.as_deref(), page.payouts.len());
            Read::Payouts(span, page.payouts, more)
        }
        Err(failure) => Read::Nothing(failure),
    }
}

async fn entries(engine: &Engine, account: &dyn Klarna, payout: Payout) -> Read {
    let offset = u64::try_from(payout.entries).unwrap_or_default();
    match quietly(engine, account, account.payout_entries(&payout.reference, offset)).await {
        Ok(answer) => {
            let page = answer.value;
            let more = leads_on(page.pagination.next.as_deref(), page.transactions.len());
            let entries = page.transactions.iter().map(Entry::of).collect();
            Read::Entries(Box::new(payout), entries, more)
        }
        Err(failure) => Read::Nothing(failure),
    }
}

/// Whether there is another page. One without anything on it is the last, whatever it says.
fn leads_on(next: Option<&str>, count: usize) -> bool {
    count > 0 && next.is_some_and(|next| !next.is_empty())
}

async fn enroll(engine: &Engine, account: &dyn Klarna) -> Read {
    match quietly(engine, account, account.enroll_in_disputes()).await {
        Ok(_) => Read::Enrolled,
        // A partner may have done so for this merchant; the list shows what there is to see.
        Err(failure) if failure.effect == Effect::Refused && failure.status != Some(401) => {
            Read::Enrolled
        }
        Err(failure) => Read::Nothing(failure),
    }
}

async fn disputes_of(engine: &Engine, account: &dyn Klarna, span: Span) -> Read {
    let call = account.disputes(span.from_ms, span.after.as_deref());
    match quietly(engine, account, call).await {
        Ok(answer) => {
            let page = answer.value;
            // The same cursor again would lead nowhere.
            let next = page
                .pagination
                .last_item
                .filter(|next| !page.disputes.is_empty() && span.after.as_ref() != Some(next));
            Read::Disputes(span, page.disputes, next)
        }
        Err(failure) => Read::Nothing(failure),
    }
}

/// Keeps what was read; answers whether there is news to tell.
fn keep(
    tx: &mut Tx<'_>,
    place: &Place,
    progress: &mut Progress,
    read: &Read,
    now_ms: i64,
) -> Result<bool, Fault> {
    match read {
        Read::Nothing(_) => Ok(false),
        Read::Enrolled => {
            progress.enrolled = true;
            progress.trouble = None;
            Ok(false)
        }
        Read::Payouts(span, found, more) => {
            for payout in found {
                let merchant_id = payout.merchant_id.as_str();
                let reference = payout.payment_reference.as_str();
                let id = idempotency::payout_id(&place.store_id, merchant_id, reference);
                let (store_id, account_id) = (&place.store_id, &place.account_id);
                let found = Payout::found(payout.clone(), store_id, account_id, id, now_ms);
                payouts::insert(tx, &found)?;
            }
            let read = u64::try_from(found.len()).unwrap_or_default();
            let next = more.then(|| Span { offset: span.offset + read, ..span.clone() });
            progress.advance(span, next);
            Ok(false)
        }
        Read::Entries(payout, found, more) => {
            progress.trouble = None;
            keep_entries(tx, progress, payout, found, *more, now_ms)
        }
        Read::Disputes(span, found, after) => {
            let orders: Vec<&str> = found
                .iter()
                .filter_map(|dispute| dispute.order_id.as_ref().map(OrderId::as_str))
                .collect();
            let payments = payments::ids_of_orders(tx, &place.store_id, &orders)?;
            let mut news = false;
            for dispute in found {
                let order_id = dispute.order_id.as_ref().map(OrderId::as_str);
                let payment_id = order_id.and_then(|id| payments.get(id)).cloned();
                news |= keep_dispute(tx, place, progress, dispute, payment_id, now_ms)?;
            }
            let next = after.clone().map(|after| Span { after: Some(after), ..span.clone() });
            progress.advance(span, next);
            Ok(news)
        }
    }
}

fn keep_entries(
    tx: &mut Tx<'_>,
    progress: &Progress,
    read: &Payout,
    found: &[Entry],
    more: bool,
    now_ms: i64,
) -> Result<bool, Fault> {
    let Some(mut payout) = payouts::lock(tx, &read.id)? else { return Ok(false) };
    if payout.complete || payout.entries != read.entries {
        return Ok(false);
    }
    let orders: Vec<&str> = found.iter().filter_map(|entry| entry.order_id.as_deref()).collect();
    let payments = payments::ids_of_orders(tx, &payout.store_id, &orders)?;
    for entry in found {
        let mut entry = entry.clone();
        entry.payment_id =
            entry.order_id.as_ref().and_then(|order_id| payments.get(order_id)).cloned();
        payouts::add_entry(tx, &payout, payout.entries, &entry)?;
        payout.entries += 1;
    }
    if !more {
        let (sums, of_store_minor) = payouts::sums(tx, &payout.id)?;
        payout.complete(&sums, of_store_minor);
        if !payout.differences.is_empty() {
            tracing::error!(payout.id = %payout.id, "a payout does not add up");
        }
        figures::add_all(tx, &payout.store_id, (&payout.id, 1), &payout.figures())?;
    }
    payouts::update(tx, &payout)?;
    let told = payout.complete && payout.paid_at_ms >= progress.since_ms - TOLD_BACK_MS;
    if told {
        let data = json!({
            "payout_id": payout.id,
            "reference": payout.reference,
            "amount": payout.totals.settlement_amount,
            "currency": payout.currency,
            "fees": payout.fees(),
            "paid_at_ms": payout.paid_at_ms,
        });
        events::append(tx, &payout.store_id, (&payout.id, 1), PAID, &data, now_ms)?;
    }
    Ok(told)
}

fn keep_dispute(
    tx: &mut Tx<'_>,
    place: &Place,
    progress: &Progress,
    read: &klarna_types::disputes::Dispute,
    payment_id: Option<String>,
    now_ms: i64,
) -> Result<bool, Fault> {
    let klarna_id = read.payment_dispute_id.as_str();
    let id = idempotency::dispute_id(&place.store_id, klarna_id);
    let facts = Facts::of(read, now_ms);
    let (dispute, event, moves) = if let Some(mut dispute) = disputes::lock(tx, &id)? {
        let before = dispute.figures();
        let Some(event) = dispute.take_over(facts) else { return Ok(false) };
        disputes::update(tx, &dispute)?;
        let moves = between(&before, &dispute.figures());
        (dispute, Some(event), moves)
    } else {
        let dispute = Dispute {
            id,
            store_id: place.store_id.clone(),
            version: 1,
            account_id: place.account_id.clone(),
            klarna_id: klarna_id.to_owned(),
            order_id: read.order_id.as_ref().map(|id| id.as_str().to_owned()),
            payment_id,
            facts,
            seen_at_ms: now_ms,
        };
        disputes::insert(tx, &dispute)?;
        let (event, moves) = (dispute.first_event(progress.since_ms), dispute.figures());
        (dispute, event, moves)
    };
    figures::add_all(tx, &dispute.store_id, (&dispute.id, dispute.version), &moves)?;
    let Some(event) = event else { return Ok(false) };
    let facts = &dispute.facts;
    let data = json!({
        "dispute_id": dispute.id,
        "klarna_dispute_id": dispute.klarna_id,
        "payment_id": dispute.payment_id,
        "state": facts.standing.name(),
        "reason": facts.reason,
        "amount": facts.amount,
        "currency": facts.currency,
        "deadline_ms": facts.deadline_ms,
        "outcome": facts.outcome,
    });
    events::append(tx, &dispute.store_id, (&dispute.id, dispute.version), event, &data, now_ms)?;
    Ok(true)
}
