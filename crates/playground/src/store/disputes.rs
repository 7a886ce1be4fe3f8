//! Disputes: their state, their history, the files that belong to them, and what was agreed with each
//! merchant about them.
//!
//! A change, what it tells the merchant and what it enters into the settlements are one unit of work.
//! Disputes follow what happens to orders: [`order_changed`] is called in the unit of each change.

mod files;
mod list;
mod purge;

use jiff::Timestamp;
use klarna_types::MinorUnits;
use klarna_types::ids::{CaptureId, MerchantId, OrderId};
use klarna_types::settlements::{DetailedType, TransactionType};
use sha2::{Digest as _, Sha256};
use storage::{Migration, Row, Tx};

pub(crate) use files::{StoredFile, add_file, count_files, find_file, find_files};
pub(crate) use list::{Descending, Filter, Page, SortKey, list};
pub(crate) use purge::{closed_long_ago, forget};

use crate::domain::dispute::{
    Booking, BookingKind, Changed, Dispute, DisputeSettings, Framework, NewDispute, Reason, Start,
    Subject, Trigger, net_of_fees, status_of,
};
use crate::domain::order::{Event as OrderEvent, Happened as OrderHappened, Order};
use crate::domain::settlement::{Posting, Wait};
use crate::store::{StoreError, callbacks, from_document, orders, settlements, to_document};

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 90,
    name: "disputes",
    sql: "CREATE TABLE dispute_accounts (
            merchant_id TEXT PRIMARY KEY,
            partner_id TEXT,
            enrolled_at_ms BIGINT,
            client_id TEXT,
            settings TEXT NOT NULL,
            drawn BIGINT NOT NULL
          );
          CREATE INDEX dispute_accounts_by_partner ON dispute_accounts (partner_id)
            WHERE partner_id IS NOT NULL;
          CREATE TABLE disputes (
            dispute_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            order_id TEXT NOT NULL,
            capture_id TEXT,
            reason TEXT NOT NULL,
            stage TEXT NOT NULL,
            state TEXT NOT NULL,
            investigation_status TEXT NOT NULL,
            merchant_reference1 TEXT,
            merchant_reference2 TEXT,
            created_at_ms BIGINT NOT NULL,
            updated_at_ms BIGINT NOT NULL,
            closed_at_ms BIGINT,
            deadline_at_ms BIGINT,
            next_due_at_ms BIGINT,
            version BIGINT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE INDEX disputes_by_merchant ON disputes (merchant_id, created_at_ms, dispute_id);
          CREATE INDEX disputes_by_order ON disputes (order_id);
          CREATE INDEX disputes_by_due ON disputes (next_due_at_ms) WHERE next_due_at_ms IS NOT NULL;
          CREATE TABLE dispute_events (
            dispute_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            position BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            kind TEXT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (dispute_id, version, position)
          );
          CREATE TABLE dispute_files (
            dispute_id TEXT NOT NULL,
            number BIGINT NOT NULL,
            name TEXT NOT NULL,
            mime_type TEXT NOT NULL,
            content BYTEA NOT NULL,
            created_at_ms BIGINT NOT NULL,
            PRIMARY KEY (dispute_id, number)
          )",
};

/// A dispute as it was read, with the version that a later [`save`] must still find.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    /// As it was last written; time may have brought something since.
    pub(crate) dispute: Dispute,
    /// How often it has been written.
    pub(crate) version: i64,
}

/// Whether a [`save`] took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Saved {
    /// It did.
    Yes,
    /// Someone else wrote the dispute since it was read.
    Stale,
}

/// What is known of a merchant, or partner, with regard to disputes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Account {
    /// What was agreed.
    pub(crate) settings: DisputeSettings,
    /// Since when it uses this API.
    pub(crate) enrolled_at_ms: Option<i64>,
}

/// What is known of a merchant; the defaults if nothing is.
pub(crate) fn account(tx: &mut Tx<'_>, merchant_id: &MerchantId) -> Result<Account, StoreError> {
    let row = tx.query_opt(
        "SELECT settings, enrolled_at_ms FROM dispute_accounts WHERE merchant_id = $1",
        &[&merchant_id.as_str()],
    )?;
    let Some(row) = row else { return Ok(Account::default()) };
    Ok(Account {
        settings: from_document("dispute settings", row.get(0)?)?,
        enrolled_at_ms: row.get(1)?,
    })
}

/// Keeps what was agreed with a merchant.
pub(crate) fn put_settings(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    settings: &DisputeSettings,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO dispute_accounts (merchant_id, partner_id, settings, drawn)
         VALUES ($1, $2, $3, 0)
         ON CONFLICT (merchant_id) DO UPDATE
         SET partner_id = excluded.partner_id, settings = excluded.settings, drawn = 0",
        &[&merchant_id.as_str(), &settings.partner_id, &to_document("dispute settings", settings)?],
    )?;
    Ok(())
}

/// Notes that an account uses this API from now on. Doing it again changes nothing.
pub(crate) fn enroll(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    client_id: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO dispute_accounts (merchant_id, enrolled_at_ms, client_id, settings, drawn)
         VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (merchant_id) DO UPDATE SET
           enrolled_at_ms = COALESCE(dispute_accounts.enrolled_at_ms, excluded.enrolled_at_ms),
           client_id = COALESCE(excluded.client_id, dispute_accounts.client_id)",
        &[
            &merchant_id.as_str(),
            &now_ms,
            &client_id,
            &to_document("dispute settings", &DisputeSettings::default())?,
        ],
    )?;
    Ok(())
}

/// The merchants for which a partner acts.
pub(crate) fn merchants_of(
    tx: &mut Tx<'_>,
    partner_id: &MerchantId,
) -> Result<Vec<MerchantId>, storage::Error> {
    tx.query(
        "SELECT merchant_id FROM dispute_accounts WHERE partner_id = $1 ORDER BY merchant_id",
        &[&partner_id.as_str()],
    )?
    .iter()
    .map(|row| Ok(MerchantId::new(row.get::<String>(0)?)))
    .collect()
}

/// A dispute of one of these merchants.
pub(crate) fn load(
    tx: &mut Tx<'_>,
    merchants: &[MerchantId],
    number: &str,
) -> Result<Option<Loaded>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document, merchant_id FROM disputes WHERE dispute_id = $1 {for_update}",
        &[&number],
    )?;
    let Some(row) = row else { return Ok(None) };
    let owner: &str = row.get(2)?;
    if !merchants.iter().any(|merchant| merchant.as_str() == owner) {
        return Ok(None);
    }
    Ok(Some(loaded(&row)?))
}

/// A dispute of anyone, for the control API.
pub(crate) fn load_any(tx: &mut Tx<'_>, number: &str) -> Result<Option<Loaded>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document FROM disputes WHERE dispute_id = $1 {for_update}",
        &[&number],
    )?;
    row.as_ref().map(loaded).transpose()
}

/// A dispute from a row that begins with its version and document.
fn loaded(row: &Row) -> Result<Loaded, StoreError> {
    Ok(Loaded { version: row.get(0)?, dispute: from_document("dispute", row.get(1)?)? })
}

/// A dispute of one of these merchants as it is at `now`, to be looked at.
pub(crate) fn read(
    tx: &mut Tx<'_>,
    merchants: &[MerchantId],
    number: &str,
    now: Timestamp,
) -> Result<Option<Dispute>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document, merchant_id FROM disputes WHERE dispute_id = $1",
        &[&number],
    )?;
    let Some(row) = row else { return Ok(None) };
    let owner: &str = row.get(2)?;
    if !merchants.iter().any(|merchant| merchant.as_str() == owner) {
        return Ok(None);
    }
    Ok(Some(loaded(&row)?.dispute.advance(now).dispute))
}

/// Whose order this is.
pub(crate) fn owner_of(
    tx: &mut Tx<'_>,
    order_id: &OrderId,
) -> Result<Option<MerchantId>, storage::Error> {
    let row =
        tx.query_opt("SELECT merchant_id FROM orders WHERE order_id = $1", &[&order_id.as_str()])?;
    row.map(|row| Ok(MerchantId::new(row.get::<String>(0)?))).transpose()
}

/// What is asked for when a dispute is raised by hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// Which capture; the order as such if none.
    pub(crate) capture_id: Option<CaptureId>,
    /// How much; everything that is left if none.
    pub(crate) amount: Option<MinorUnits>,
    /// Why.
    pub(crate) reason: Reason,
    /// In which process.
    pub(crate) framework: Framework,
    /// How it will go.
    pub(crate) script: Option<crate::domain::dispute::Script>,
    /// Where it begins.
    pub(crate) start: Start,
    /// Why it is decided at once, if it is.
    pub(crate) at_once: Option<klarna_types::disputes::ProcessExceptionReason>,
}

/// Raises a dispute over an order. Nothing if there is no such capture, or nothing left to dispute.
pub(crate) fn raise(
    tx: &mut Tx<'_>,
    order: &Order,
    wanted: Wanted,
    settings: &DisputeSettings,
    now: Timestamp,
) -> Result<Option<Dispute>, StoreError> {
    let Some(subject) = order.disputed(wanted.capture_id.as_ref()) else { return Ok(None) };
    let whole = match subject.capture_id {
        Some(_) => subject.captured,
        None => subject.order_amount,
    };
    let left = whole.checked_sub(subject.refunded_before).unwrap_or_default();
    let amount = wanted.amount.unwrap_or(left);
    if !amount.is_positive() || amount > left {
        return Ok(None);
    }
    let before: i64 = tx
        .query_one(
            "SELECT COUNT(*) FROM disputes WHERE order_id = $1",
            &[&subject.order_id.as_str()],
        )?
        .get(0)?;
    let new = NewDispute {
        number: number_of(&subject.order_id, before),
        subject,
        amount,
        reason: wanted.reason,
        framework: wanted.framework,
        script: wanted.script,
        start: wanted.start,
        at_once: wanted.at_once,
    };
    let changed = Dispute::raise(new, settings, now);
    insert(tx, &changed)?;
    follow(tx, &changed, 1, Some(order), settings, "")?;
    Ok(Some(changed.dispute))
}

/// The number of the dispute that is raised next over an order: fifteen digits that look like chance.
fn number_of(order_id: &OrderId, before: i64) -> String {
    let drawn = draw(format_args!("dispute/{order_id}/{before}"));
    format!("{}{:014}", 1 + drawn % 9, (drawn / 9) % 100_000_000_000_000)
}

/// A number that always belongs to this text and looks like chance.
fn draw(text: std::fmt::Arguments<'_>) -> u64 {
    let digest = Sha256::digest(text.to_string().as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn insert(tx: &mut Tx<'_>, changed: &Changed) -> Result<(), StoreError> {
    let dispute = &changed.dispute;
    let subject = dispute.subject();
    tx.execute(
        "INSERT INTO disputes
           (dispute_id, merchant_id, order_id, capture_id, reason, stage, state,
            investigation_status, merchant_reference1, merchant_reference2, created_at_ms,
            updated_at_ms, closed_at_ms, deadline_at_ms, next_due_at_ms, version, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16)",
        &[
            &dispute.number(),
            &subject.merchant_id.as_str(),
            &subject.order_id.as_str(),
            &subject.capture_id.as_ref().map(CaptureId::as_str),
            &dispute.reason().as_str(),
            &dispute.stage().as_str(),
            &dispute.stage().state().as_str(),
            &status_of(dispute).as_str(),
            &subject.merchant_reference1,
            &subject.merchant_reference2,
            &dispute.created_at().as_millisecond(),
            &dispute.updated_at().as_millisecond(),
            &dispute.closed_at().map(Timestamp::as_millisecond),
            &dispute.deadline().map(Timestamp::as_millisecond),
            &dispute.next_due_at().map(Timestamp::as_millisecond),
            &to_document("dispute", dispute)?,
        ],
    )?;
    Ok(())
}

/// Writes what a command, or time, has made of a dispute. `base` is the playground's own URL, for the
/// links to files in what the merchant is told.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    before: i64,
    changed: &Changed,
    base: &str,
) -> Result<Saved, StoreError> {
    save_with(tx, before, changed, None, base)
}

fn save_with(
    tx: &mut Tx<'_>,
    before: i64,
    changed: &Changed,
    order: Option<&Order>,
    base: &str,
) -> Result<Saved, StoreError> {
    let dispute = &changed.dispute;
    let version = before + 1;
    let written = tx.execute(
        "UPDATE disputes SET
           stage = $3, state = $4, investigation_status = $5, updated_at_ms = $6,
           closed_at_ms = $7, deadline_at_ms = $8, next_due_at_ms = $9, version = $10,
           document = $11
         WHERE dispute_id = $1 AND version = $2",
        &[
            &dispute.number(),
            &before,
            &dispute.stage().as_str(),
            &dispute.stage().state().as_str(),
            &status_of(dispute).as_str(),
            &dispute.updated_at().as_millisecond(),
            &dispute.closed_at().map(Timestamp::as_millisecond),
            &dispute.deadline().map(Timestamp::as_millisecond),
            &dispute.next_due_at().map(Timestamp::as_millisecond),
            &version,
            &to_document("dispute", dispute)?,
        ],
    )?;
    if written != 1 {
        return Ok(Saved::Stale);
    }
    let settings = account(tx, dispute.merchant_id())?.settings;
    follow(tx, changed, version, order, &settings, base)?;
    Ok(Saved::Yes)
}

/// The history, what the merchant is told, and what is entered into its settlements.
fn follow(
    tx: &mut Tx<'_>,
    changed: &Changed,
    version: i64,
    order: Option<&Order>,
    settings: &DisputeSettings,
    base: &str,
) -> Result<(), StoreError> {
    let dispute = &changed.dispute;
    for (position, event) in (0_i64..).zip(&changed.events) {
        let at_ms = event.at.as_millisecond();
        tx.execute(
            "INSERT INTO dispute_events (dispute_id, version, position, at_ms, kind, event)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &dispute.number(),
                &version,
                &position,
                &at_ms,
                &event.what.kind(),
                &to_document("dispute event", &event.what)?,
            ],
        )?;
        if let Some(webhook) = &settings.webhook {
            let sequence = version * 1_000 + position;
            if let Some(callback) = dispute.callback(event, sequence, webhook, base) {
                callbacks::enqueue(tx, &callback, at_ms)?;
            }
        }
    }
    if changed.bookings.is_empty() {
        return Ok(());
    }
    let read;
    let order = if order.is_some() {
        order
    } else {
        let subject = dispute.subject();
        let now = changed.bookings.last().map_or(Timestamp::UNIX_EPOCH, |(at, _)| *at);
        read = orders::read(tx, &subject.merchant_id, &subject.order_id, now)?;
        read.as_ref()
    };
    for (position, (at, booking)) in (0_i64..).zip(&changed.bookings) {
        let id = format!("{}:{version}:{position}:{}", dispute.number(), booking.kind.as_str());
        let booking = match booking.kind {
            BookingKind::FraudPolicyCredit => net(tx, dispute, booking)?,
            _ => *booking,
        };
        settlements::post(tx, &posting(dispute, order, &booking, &id, *at))?;
    }
    Ok(())
}

/// A booking of the gross amount as one of the net amount.
fn net(tx: &mut Tx<'_>, dispute: &Dispute, gross: &Booking) -> Result<Booking, StoreError> {
    let Subject { merchant_id, order_id, capture_id, .. } = dispute.subject();
    let (sale, fees) = settlements::sale(tx, merchant_id, order_id, capture_id.as_ref())?;
    Ok(Booking { kind: gross.kind, amount: net_of_fees(gross.amount, sale, fees) })
}

/// What a shopper was given back, or never paid, by the disputes of an order that are over at `now`: it
/// cannot be refunded any more.
pub(crate) fn given_back(
    tx: &mut Tx<'_>,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<MinorUnits, StoreError> {
    let rows = tx.query(
        "SELECT version, document FROM disputes WHERE order_id = $1 ORDER BY dispute_id",
        &[&order_id.as_str()],
    )?;
    let mut sum = MinorUnits::ZERO;
    for row in &rows {
        let dispute = loaded(row)?.dispute.advance(now).dispute;
        sum = sum.checked_add(dispute.given_back()).unwrap_or(MinorUnits::new(i64::MAX));
    }
    Ok(sum)
}

/// A booking in the words of the settlements.
fn posting(
    dispute: &Dispute,
    order: Option<&Order>,
    booking: &Booking,
    id: &str,
    at: Timestamp,
) -> Posting {
    let what = match booking.kind {
        BookingKind::Reversal => (TransactionType::Reversal, DetailedType::Reversal),
        BookingKind::PaymentDefault => (TransactionType::Return, DetailedType::PaymentDefault),
        BookingKind::FraudPolicyCharge => {
            (TransactionType::Reversal, DetailedType::FraudPolicyCharge)
        }
        BookingKind::FraudPolicyCredit => {
            (TransactionType::ReversalMerchantProtection, DetailedType::FraudPolicyCreditNet)
        }
        BookingKind::Correction => (TransactionType::Credit, DetailedType::CorrectionDispute),
        BookingKind::Fee => (TransactionType::Fee, DetailedType::DisputeFee),
        BookingKind::FeeRefund => (TransactionType::FeeRefund, DetailedType::DisputeFeeRefund),
    };
    let subject = dispute.subject();
    let posting = match order {
        Some(order) => order.posting(id, what, booking.amount, at),
        None => Posting {
            order_id: Some(subject.order_id.clone()),
            ..Posting::new(
                id,
                subject.merchant_id.clone(),
                what,
                booking.amount,
                subject.currency.clone(),
                at.as_millisecond(),
            )
        },
    };
    Posting {
        capture_id: subject.capture_id.clone(),
        merchant_capture_reference: subject.capture_reference.clone(),
        reversal_reference: Some(dispute.krn()),
        wait: Wait::NextPayout,
        ..posting
    }
}

/// Lets disputes follow what has happened to an order, in the same unit of work: the shopper's wish or
/// chance raises them, the merchant's own refund or cancellation ends them.
pub(crate) fn order_changed(
    tx: &mut Tx<'_>,
    order: &Order,
    events: &[OrderEvent],
) -> Result<(), StoreError> {
    let wish = order.dispute_wish().and_then(Trigger::parse);
    for event in events {
        let now = event.at;
        match &event.what {
            OrderHappened::Placed { .. } => {
                // Klarna warns of the order as such, before it is shipped.
                if let Some(wish) = wish.filter(|wish| wish.reason == Reason::HighRiskOrder) {
                    raise_wish(tx, order, None, wish, now)?;
                }
            }
            OrderHappened::Captured { capture_id, amount } => {
                each_open(tx, order, |dispute| dispute.order_captured(*amount, now))?;
                match wish.filter(|wish| wish.reason != Reason::HighRiskOrder) {
                    Some(wish) => raise_wish(tx, order, Some(capture_id), wish, now)?,
                    None => raise_by_chance(tx, order, capture_id, now)?,
                }
            }
            OrderHappened::Refunded { .. } => each_open(tx, order, |dispute| {
                let refunded = order.refunded_of(dispute.subject().capture_id.as_ref());
                dispute.refunded(refunded, now)
            })?,
            OrderHappened::Cancelled { .. } => {
                each_open(tx, order, |dispute| dispute.order_cancelled(now))?;
            }
            OrderHappened::Acknowledged
            | OrderHappened::AuthorizationUpdated { .. }
            | OrderHappened::CustomerDetailsUpdated
            | OrderHappened::AuthorizationExtended { .. }
            | OrderHappened::MerchantReferencesUpdated
            | OrderHappened::RemainingReleased { .. }
            | OrderHappened::ShippingInfoAppended { .. }
            | OrderHappened::SendOutTriggered { .. }
            | OrderHappened::DueDateExtended { .. }
            | OrderHappened::FraudDecided { .. }
            | OrderHappened::Expired { .. } => {}
        }
    }
    Ok(())
}

fn raise_wish(
    tx: &mut Tx<'_>,
    order: &Order,
    capture_id: Option<&CaptureId>,
    wish: Trigger,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = account(tx, order.merchant_id())?.settings;
    let wanted = Wanted {
        capture_id: capture_id.cloned(),
        amount: None,
        reason: wish.reason,
        framework: wish.framework,
        script: wish.script,
        // The triggers promise an open request.
        start: Start::Requested,
        at_once: None,
    };
    raise(tx, order, wanted, &settings, now)?;
    Ok(())
}

/// A share of all captures is disputed, if the merchant's settings say so.
fn raise_by_chance(
    tx: &mut Tx<'_>,
    order: &Order,
    capture_id: &CaptureId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let settings = account(tx, order.merchant_id())?.settings;
    if settings.rate_per_mille == 0 {
        return Ok(());
    }
    let merchant_id = order.merchant_id().as_str();
    tx.execute(
        "UPDATE dispute_accounts SET drawn = drawn + 1 WHERE merchant_id = $1",
        &[&merchant_id],
    )?;
    let drawn: i64 = tx
        .query_one("SELECT drawn FROM dispute_accounts WHERE merchant_id = $1", &[&merchant_id])?
        .get(0)?;
    let number = draw(format_args!("chance/{}/{drawn}", settings.seed));
    let Some(reason) = settings.spontaneous(number) else { return Ok(()) };
    let wanted = Wanted {
        capture_id: Some(capture_id.clone()),
        amount: None,
        reason,
        framework: settings.framework,
        script: None,
        start: Start::Opened,
        at_once: None,
    };
    raise(tx, order, wanted, &settings, now)?;
    Ok(())
}

/// Does something to each open dispute of an order.
fn each_open(
    tx: &mut Tx<'_>,
    order: &Order,
    change: impl Fn(Dispute) -> Option<Changed>,
) -> Result<(), StoreError> {
    let rows = tx.query(
        "SELECT version, document FROM disputes
         WHERE order_id = $1 AND closed_at_ms IS NULL ORDER BY dispute_id {for_update}",
        &[&order.id().as_str()],
    )?;
    for row in &rows {
        let Loaded { dispute, version } = loaded(row)?;
        if let Some(changed) = change(dispute) {
            // The row was read for an update in this very unit.
            let _ = save_with(tx, version, &changed, Some(order), "")?;
        }
    }
    Ok(())
}

/// For how many disputes the time passes in one unit of work.
const DUE_AT_ONCE: i64 = 100;

/// Lets the time pass for some of the disputes for which something was due by `now_ms`.
pub(crate) fn run_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MAX);
    let rows = tx.query(
        "SELECT version, document FROM disputes WHERE next_due_at_ms <= $1
         ORDER BY next_due_at_ms, dispute_id LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &DUE_AT_ONCE],
    )?;
    let mut done = 0;
    for row in &rows {
        let Loaded { dispute, version } = loaded(row)?;
        if save(tx, version, &dispute.advance(now), "")? == Saved::Yes {
            done += 1;
        }
    }
    Ok(done)
}

/// When [`run_due`] next has something to do, in milliseconds.
pub(crate) fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(next_due_at_ms) FROM disputes WHERE next_due_at_ms IS NOT NULL";
    Ok(tx.query_one(sql, &[])?.get(0)?)
}
