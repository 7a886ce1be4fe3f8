//! Reads of Klarna that nobody waits for: of a session, to learn whether its shopper has
//! authorised; of an order, to learn what became of it.
//!
//! A callback only ever leads here. What it claimed is not looked at: the truth is what Klarna
//! answers when it is asked.

use std::future::Future;

use klarna_types::payments::{Session, SessionStatus};
use serde_json::json;
use storage::Tx;
use storage::queue::Item;
use tracing::{Instrument as _, Span};

use super::gates::was_shut;
use super::klarna::{Klarna, Outcome};
use super::sessions::Trouble;
use super::{Engine, commands, erasure, mirror, pages, readings, sessions};
use crate::domain::checkout::{Checkout, Step};
use crate::domain::hosted::PageStatus;
use crate::domain::operation::{Effect, Failure};
use crate::domain::pacing::{Class, Priority};
use crate::domain::payment::{Fraud, Happened};
use crate::domain::retry;
use crate::fault::Fault;
use crate::observe::trace;
use crate::store::operations::BACKGROUND;
use crate::store::{checkouts, erasures, events, payments, policies, reread};

const RESOLVE: &str = "resolve_checkout";
const SYNC: &str = "sync_payment";
const DISABLE: &str = "disable_page";
/// The cause of a read that nothing but the clock wants.
pub(crate) const POLL: &str = "poll";

/// What a read is told: what to read, and the call that wanted it, where there is a trace of it.
fn payload(read: &str, id: &str) -> serde_json::Value {
    let mut payload = json!({ "read": read, "id": id });
    if let (Some(members), Some(parent)) = (payload.as_object_mut(), trace::current()) {
        members.insert("trace_parent".to_owned(), json!(parent));
    }
    payload
}

/// Wants a checkout's session to be read. `cause` tells wishes apart: one that came while a read was
/// under way must lead to another read.
pub(crate) fn enqueue_resolve(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    cause: &str,
    now_ms: i64,
) -> Result<bool, Fault> {
    let id = format!("{RESOLVE}/{checkout_id}/{cause}");
    let payload = payload(RESOLVE, checkout_id).to_string();
    Ok(BACKGROUND.enqueue(tx, &id, now_ms, &payload)?)
}

/// Wants a page to be switched off that nobody shall pay on any more.
pub(crate) fn enqueue_disable(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    page_id: &str,
    now_ms: i64,
) -> Result<bool, Fault> {
    let id = format!("{DISABLE}/{checkout_id}/{page_id}");
    let mut payload = payload(DISABLE, checkout_id);
    if let Some(members) = payload.as_object_mut() {
        members.insert("page_id".to_owned(), json!(page_id));
    }
    let payload = payload.to_string();
    Ok(BACKGROUND.enqueue(tx, &id, now_ms, &payload)?)
}

/// Wants a payment's order to be read.
pub(crate) fn enqueue_sync(
    tx: &mut Tx<'_>,
    payment_id: &str,
    cause: &str,
    now_ms: i64,
) -> Result<bool, Fault> {
    let id = format!("{SYNC}/{payment_id}/{cause}");
    let payload = payload(SYNC, payment_id).to_string();
    Ok(BACKGROUND.enqueue(tx, &id, now_ms, &payload)?)
}

/// How long to wait when Klarna was asked too much and did not say for how long.
const LIMITED_MS: i64 = 1000;

/// How a read went.
enum Turn {
    /// Nothing more to do.
    Over,
    /// Again, soon.
    Again { wait_ms: i64 },
    /// Klarna was not asked: again then, as if it had not been tried.
    PutOff { wait_ms: i64 },
}

/// Carries a read out.
pub(super) async fn read(engine: &Engine, item: &Item) -> Result<(), Fault> {
    let payload: serde_json::Value =
        serde_json::from_str(&item.payload).map_err(Fault::document("task"))?;
    let span = span(engine, &payload).await?;
    carry_out(engine, item, &payload).instrument(span).await
}

/// One read, in the trace of whatever it is about: of the call that opened the checkout, or else of the one that wanted
/// the read. Klarna's callbacks bring no trace along.
async fn span(engine: &Engine, payload: &serde_json::Value) -> Result<Span, Fault> {
    let member = |name: &str| payload.get(name).and_then(serde_json::Value::as_str);
    let (read, wanted_by) = (member("read").unwrap_or_default(), member("trace_parent"));
    let opened_by = match (read, member("id")) {
        (RESOLVE | DISABLE, Some(id)) => {
            sessions::load(engine, id).await?.and_then(|checkout| checkout.trace_parent)
        }
        _ => None,
    };
    let span = tracing::error_span!(
        "read",
        read.kind = read,
        trace.id = tracing::field::Empty,
        otel.name = %format_args!("read {read}"),
        otel.kind = "consumer",
    );
    trace::follow(&span, opened_by.as_deref().or(wanted_by));
    if opened_by.is_some() {
        trace::link(&span, wanted_by);
    }
    Ok(span)
}

async fn carry_out(engine: &Engine, item: &Item, payload: &serde_json::Value) -> Result<(), Fault> {
    let member = |name: &str| payload.get(name).and_then(serde_json::Value::as_str);
    let turn = match (member("read"), member("id")) {
        // Boxed: it holds whole pages of Klarna's books. It commits by itself.
        (Some(readings::READING), _) => {
            return Box::pin(readings::carry_out(engine, item)).await;
        }
        (Some(RESOLVE), Some(id)) => {
            let cause = item.id.rsplit('/').next().unwrap_or_default();
            resolve_checkout(engine, id, cause, item.attempts + 1).await?
        }
        (Some(DISABLE), Some(id)) => {
            let page_id = member("page_id").unwrap_or_default();
            disable_page(engine, id, page_id, item.attempts + 1).await?
        }
        (Some(SYNC), Some(id)) => sync_payment(engine, id, item.attempts + 1).await?,
        _ => return Err(Fault::inconsistent(format!("unknown task {}", item.id))),
    };
    let now_ms = engine.now_ms();
    let item = item.clone();
    engine
        .database()
        .write(move |tx| {
            // A lost lease is harmless: a read may happen twice.
            match turn {
                Turn::Over => BACKGROUND.complete(tx, &item)?,
                Turn::Again { wait_ms } => {
                    BACKGROUND.reschedule(tx, &item, now_ms + wait_ms, &item.payload)?
                }
                Turn::PutOff { wait_ms } => BACKGROUND.put_back(tx, &item, now_ms + wait_ms)?,
            };
            Ok::<_, Fault>(())
        })
        .await
}

/// A call that nobody waits for.
async fn quietly<T>(
    engine: &Engine,
    account: &dyn Klarna,
    call: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    engine.through(account, Class::Other, Priority::Background, call).await
}

fn after_failure(failure: &Failure, attempts: i64) -> Turn {
    if was_shut(failure) || failure.status == Some(429) {
        return Turn::PutOff { wait_ms: failure.retry_after_ms.unwrap_or(LIMITED_MS).max(1) };
    }
    match (failure.effect, retry::read_wait_ms(attempts)) {
        (Effect::Refused, _) | (_, None) => Turn::Over,
        (Effect::NoneYet | Effect::Unknown, Some(wait_ms)) => {
            Turn::Again { wait_ms: wait_ms.max(failure.retry_after_ms.unwrap_or(0)) }
        }
    }
}

async fn disable_page(
    engine: &Engine,
    id: &str,
    page_id: &str,
    attempts: i64,
) -> Result<Turn, Fault> {
    let Some(checkout) = sessions::load(engine, id).await? else { return Ok(Turn::Over) };
    let Some(account) = sessions::account_of(engine, &checkout) else { return Ok(Turn::Over) };
    match quietly(engine, account.as_ref(), account.disable_page(page_id)).await {
        Ok(_) => Ok(Turn::Over),
        Err(failure) => Ok(after_failure(&failure, attempts)),
    }
}

async fn resolve_checkout(
    engine: &Engine,
    id: &str,
    cause: &str,
    attempts: i64,
) -> Result<Turn, Fault> {
    let Some(checkout) = sessions::load(engine, id).await? else { return Ok(Turn::Over) };
    if !checkout.status.takes_authorizations() {
        return Ok(Turn::Over);
    }
    if checkout.is_overdue(engine.now_ms()) {
        return end(engine, checkout, attempts).await;
    }
    let Some(account) = sessions::account_of(engine, &checkout) else {
        return Ok(Turn::Over);
    };
    let checkout = match look_at_page(engine, checkout, attempts).await? {
        Ok(checkout) => checkout,
        Err(turn) => return Ok(turn),
    };
    // The page tells what the session would; a hint that came otherwise may know more.
    let on_page = checkout.page().is_some_and(|page| !page.status.is_over());
    if !checkout.status.takes_authorizations() || (on_page && cause == POLL) {
        return Ok(Turn::Over);
    }
    let session =
        match quietly(engine, account.as_ref(), account.read_session(&checkout.session.id)).await {
            Ok(answer) => answer.value,
            Err(failure) => return Ok(after_failure(&failure, attempts)),
        };
    // Where an update's answer was lost, the session itself says which cart was authorised.
    let checkout = sessions::adopt(engine, checkout, &session).await?;
    if session.status == Some(SessionStatus::Complete) {
        alarm(engine, checkout).await?;
        return Ok(Turn::Over);
    }
    take(engine, &checkout, session).await?;
    Ok(Turn::Over)
}

/// Looks at the page of a checkout first, where it has one. Boxed: its future is large.
async fn look_at_page(
    engine: &Engine,
    checkout: Checkout,
    attempts: i64,
) -> Result<Result<Checkout, Turn>, Fault> {
    match Box::pin(pages::look(engine, checkout, Priority::Background)).await {
        Ok(checkout) => Ok(Ok(checkout)),
        Err(Trouble::Fault(fault)) => Err(fault),
        Err(Trouble::Klarna(failure)) => Ok(Err(after_failure(&failure, attempts))),
        Err(_) => Ok(Err(Turn::Over)),
    }
}

/// Places the order of a session that its shopper has authorised, with the token read from Klarna.
async fn take(engine: &Engine, checkout: &Checkout, session: Session) -> Result<(), Fault> {
    let Some(token) = session.authorization_token else { return Ok(()) };
    let id = checkout.id.clone();
    let session_id = checkout.session.id.clone();
    let new_id = engine.fresh_id("op");
    let public_url = engine.public_url().to_owned();
    let now_ms = engine.now_ms();
    let taken = engine
        .database()
        .write(move |tx| {
            // Renewed meanwhile: the token belongs to a session that the checkout has left.
            let current = checkouts::get(tx, &id)?;
            if current.is_none_or(|current| current.session.id != session_id) {
                return Ok(None);
            }
            commands::take_authorization(tx, &id, token.expose(), &public_url, &new_id, now_ms)
                .map(Some)
        })
        .await?;
    if let Some(Ok(operation)) = taken {
        tracing::info!(
            checkout.id = %operation.checkout_id,
            operation.id = %operation.id,
            "an authorisation was found by reading the session"
        );
        engine.wake();
    }
    Ok(())
}

/// Ends a checkout whose time is over: first its page, so that nobody pays on what has ended. A
/// shopper who was faster has paid.
async fn end(engine: &Engine, checkout: Checkout, attempts: i64) -> Result<Turn, Fault> {
    let id = checkout.id.clone();
    match Box::pin(pages::disable(engine, &checkout)).await {
        Ok(pages::Disabled::Yes) | Err(Trouble::NoAccount { .. }) => {}
        Err(Trouble::Fault(fault)) => return Err(fault),
        Err(Trouble::Approved) => return Ok(Turn::Over),
        // Beyond that, whoever pays on it finds the checkout ended, and no order is placed.
        Ok(pages::Disabled::Later) | Err(_) => {
            if let Some(wait_ms) = retry::read_wait_ms(attempts) {
                return Ok(Turn::Again { wait_ms });
            }
        }
    }
    expire(engine, &id).await?;
    Ok(Turn::Over)
}

async fn expire(engine: &Engine, id: &str) -> Result<(), Fault> {
    let id = id.to_owned();
    let now_ms = engine.now_ms();
    let expired = engine
        .database()
        .write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &id)? else { return Ok(false) };
            if checkout.is_overdue(now_ms) && checkout.step(Step::Expire).is_ok() {
                if let Some(page) = checkout.hosted.as_mut().and_then(|hosted| hosted.page.as_mut())
                    && !page.status.is_over()
                {
                    page.take(PageStatus::Expired, now_ms);
                }
                checkouts::update(tx, &mut checkout, None, now_ms)?;
                let subject = (checkout.id.as_str(), checkout.version);
                events::append(
                    tx,
                    &checkout.store_id,
                    subject,
                    "checkout.expired",
                    &json!({}),
                    now_ms,
                )?;
                super::recurring::checkout_over(tx, &checkout, now_ms)?;
                return Ok(true);
            }
            Ok::<_, Fault>(false)
        })
        .await?;
    if expired {
        engine.metrics().checkout("expired");
    }
    Ok(())
}

/// Klarna says that a session has an order, and the gateway has made none.
async fn alarm(engine: &Engine, checkout: Checkout) -> Result<(), Fault> {
    let now_ms = engine.now_ms();
    let (id, session_id) = (checkout.id.clone(), checkout.session.id);
    let alarmed = engine
        .database()
        .write(move |tx| {
            // The order may have been placed, or be on its way, since the checkout was looked at.
            let current = checkouts::lock(tx, &id)?.filter(|current| {
                current.status.takes_authorizations() && current.session.id == session_id
            });
            let Some(current) = current else { return Ok(false) };
            let subject = (current.id.as_str(), current.version);
            let data = json!({
                "detail": "Klarna has an order for this session that the gateway did not place.",
                "remedy": "Look the merchant reference up in Klarna's merchant portal.",
            });
            events::append(tx, &current.store_id, subject, "checkout.alarm", &data, now_ms)?;
            checkouts::set_poll_at(tx, &current.id, Some(current.expires_at_ms))?;
            Ok::<_, Fault>(true)
        })
        .await?;
    if alarmed {
        tracing::error!(
            checkout.id = %checkout.id,
            "Klarna has completed a session for which this gateway has placed no order"
        );
    }
    Ok(())
}

/// Reads a payment's order for somebody who waits for it. Answers whether it is now as Klarna says.
pub(super) async fn sync_now(engine: &Engine, id: &str) -> Result<bool, Fault> {
    match sync(engine, id, 1, Priority::Interactive).await? {
        Sync::Done => Ok(true),
        Sync::Not(_) => Ok(false),
    }
}

async fn sync_payment(engine: &Engine, id: &str, attempts: i64) -> Result<Turn, Fault> {
    match sync(engine, id, attempts, Priority::Background).await? {
        Sync::Done => Ok(Turn::Over),
        Sync::Not(turn) => Ok(turn),
    }
}

/// How the reading of an order went.
enum Sync {
    /// The payment is as Klarna says.
    Done,
    /// It may not be.
    Not(Turn),
}

async fn sync(engine: &Engine, id: &str, attempts: i64, priority: Priority) -> Result<Sync, Fault> {
    let wanted = id.to_owned();
    let before = engine.database().read(move |tx| payments::get(tx, &wanted)).await?;
    let Some(before) = before else { return Ok(Sync::Not(Turn::Over)) };
    let account = engine.account(&before.store_id, before.account_id.as_deref(), &before.country);
    let Some(account) = account else { return Ok(Sync::Not(Turn::Over)) };
    let call = account.read_order(&before.klarna_order_id);
    let order = match engine.through(account.as_ref(), Class::Other, priority, call).await {
        Ok(answer) => answer.value,
        Err(failure) => return Ok(Sync::Not(after_failure(&failure, attempts))),
    };
    let books = mirror::books(order);
    let now_ms = engine.now_ms();
    let id = id.to_owned();
    let read_at = before.version;
    let (current, stripped) = engine
        .database()
        .write(move |tx| {
            let Some(mut payment) = payments::lock(tx, &id)? else { return Ok((true, false)) };
            if payment.version != read_at {
                // Something was recorded while the answer was on its way: it may be older.
                return Ok((false, false));
            }
            let was_pending = payment.fraud == Fraud::Pending;
            let restored = reread::is_wanted(tx, &payment.id)?;
            let was = payment.clone();
            let happened = payment.take_over(books.clone(), now_ms);
            // Klarna still knows the shopper who was forgotten here; that is no news.
            let erased = erasures::is_erased(tx, &payment.id)?;
            if erased {
                payment.forget_people();
            }
            let is_quiet = if erased { payment == was } else { happened.is_empty() };
            if restored && !happened.contains(&Happened::Alarm) {
                reread::done(tx, &mut payment)?;
            }
            let check_at_ms = payment.next_check_at_ms(now_ms);
            if !restored && is_quiet {
                payments::set_check_at(tx, &payment.id, check_at_ms)?;
                return Ok((true, false));
            }
            if payment.expiry.look_at_ms == Some(now_ms) {
                let policy = policies::expiry(tx, &payment.store_id)?;
                payment.draw_up(&policy, now_ms);
            }
            payments::update(tx, &mut payment, check_at_ms, now_ms)?;
            for happened in happened {
                tell(tx, &payment, happened, now_ms)?;
            }
            if was_pending || !payment.status.is_open() {
                commands::release_held(tx, &payment, now_ms)?;
            }
            Ok::<_, Fault>((true, erased))
        })
        .await?;
    if stripped {
        erasure::scrub(engine).await;
    }
    engine.wake();
    Ok(if current { Sync::Done } else { Sync::Not(Turn::Again { wait_ms: 0 }) })
}

fn tell(
    tx: &mut Tx<'_>,
    payment: &crate::domain::payment::Payment,
    happened: Happened,
    now_ms: i64,
) -> Result<(), Fault> {
    if happened == Happened::Alarm {
        tracing::error!(
            payment.id = %payment.id,
            order.id = %payment.klarna_order_id,
            "Klarna's order shows a change that cannot be"
        );
    }
    let data = json!({
        "status": payment.status,
        "fraud_status": payment.fraud.name(),
        "amounts": payment.amounts,
        "expires_at_ms": payment.expires_at_ms,
        "source": "klarna",
    });
    let subject = (payment.id.as_str(), payment.version);
    events::append(tx, &payment.store_id, subject, happened.event_type(), &data, now_ms)
}
