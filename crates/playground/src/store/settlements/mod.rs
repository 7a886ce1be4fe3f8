//! Settlements: postings, the accounts they are settled in, payouts, and what is withheld.
//!
//! A posting is open until a close takes it into a payout and numbers it there; so a payout's rows are
//! fixed, and a page of them is one range of an index. An account (a merchant, a currency, a lane)
//! knows its debt and when it closes next, so that nothing is looked at before something is due.

mod close;
mod read;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use klarna_types::MerchantId;
use klarna_types::market::Currency;
use storage::{Migration, Tx};

pub(crate) use self::close::{
    Account as AccountView, accounts_of, close_now, next_due_at, reschedule, run_due,
};
pub(crate) use self::read::{
    Balance, Filter, Page, StoredPayout, StoredTransaction, balance, deliverable_reports, payout,
    payouts, payouts_after, rows_of_payout, sale, transactions,
};
use crate::domain::order::{Event, Order};
use crate::domain::settlement::{Calendar, Lane, Posting, SettlementTerms, Wait};
use crate::store::{StoreError, merchants, to_document};

/// Their tables. What orders moved is kept here from now on.
pub(crate) const MIGRATION: Migration = Migration {
    version: 85,
    name: "settlements",
    sql: "CREATE TABLE settlement_postings (
            merchant_id TEXT NOT NULL,
            posting_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            lane TEXT NOT NULL,
            kind TEXT NOT NULL,
            amount BIGINT NOT NULL,
            vat_amount BIGINT NOT NULL,
            order_id TEXT NOT NULL,
            waits BIGINT NOT NULL,
            posted_at_ms BIGINT NOT NULL,
            payment_reference TEXT NOT NULL,
            position BIGINT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (merchant_id, posting_id)
          );
          CREATE INDEX settlement_postings_open
            ON settlement_postings (merchant_id, currency, lane, waits, posted_at_ms)
            WHERE payment_reference = '';
          CREATE INDEX settlement_postings_by_payout
            ON settlement_postings (merchant_id, payment_reference, position);
          CREATE INDEX settlement_postings_by_order
            ON settlement_postings (merchant_id, order_id, posted_at_ms, posting_id);
          CREATE INDEX settlement_postings_by_time
            ON settlement_postings (merchant_id, posted_at_ms, posting_id);
          CREATE TABLE settlement_accounts (
            merchant_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            lane TEXT NOT NULL,
            debt BIGINT NOT NULL,
            payouts BIGINT NOT NULL,
            next_close_at_ms BIGINT,
            PRIMARY KEY (merchant_id, currency, lane)
          );
          CREATE INDEX settlement_accounts_by_due ON settlement_accounts (next_close_at_ms)
            WHERE next_close_at_ms IS NOT NULL;
          CREATE TABLE settlement_payouts (
            payment_reference TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            settlement_type TEXT NOT NULL,
            registration_currency TEXT NOT NULL,
            payout_at_ms BIGINT NOT NULL,
            number BIGINT NOT NULL,
            transactions BIGINT NOT NULL,
            totals TEXT NOT NULL
          );
          CREATE INDEX settlement_payouts_by_time
            ON settlement_payouts (merchant_id, payout_at_ms, number, payment_reference);
          CREATE TABLE settlement_holds (
            merchant_id TEXT NOT NULL,
            hold_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            reason TEXT NOT NULL,
            amount BIGINT NOT NULL,
            release_at_ms BIGINT,
            PRIMARY KEY (merchant_id, hold_id)
          );
          DROP TABLE order_movements",
};

/// Posts something, in the unit of work of what causes it. `false` when it was posted already.
pub(crate) fn post(tx: &mut Tx<'_>, posting: &Posting) -> Result<bool, StoreError> {
    let terms = merchants::settlement_terms(tx, &posting.merchant_id)?;
    Ok(post_all(tx, &terms, std::slice::from_ref(posting))? == 1)
}

/// Posts what events of an order are to its merchant's settlements.
pub(crate) fn post_order(
    tx: &mut Tx<'_>,
    order: &Order,
    events: &[Event],
) -> Result<(), StoreError> {
    if Order::moves_money(events) {
        let terms = merchants::settlement_terms(tx, order.merchant_id())?;
        post_all(tx, &terms, &order.postings(events, &terms.fees))?;
    }
    Ok(())
}

/// Posts several things of one merchant; answers how many of them were new.
pub(crate) fn post_all(
    tx: &mut Tx<'_>,
    terms: &SettlementTerms,
    postings: &[Posting],
) -> Result<usize, StoreError> {
    let mut new = 0;
    // A capture and its fees are due together.
    let mut scheduled: Option<(&Currency, Lane, i64, Wait)> = None;
    for posting in postings {
        let lane = posting.lane(terms.settled_as);
        if !insert(tx, posting, lane)? {
            continue;
        }
        new += 1;
        let due = (&posting.currency, lane, posting.posted_at_ms, posting.wait);
        if scheduled != Some(due) {
            let at = timestamp(posting.posted_at_ms);
            let close =
                Calendar::new(terms, &posting.currency, lane).first_taking(at, posting.wait);
            close_by(tx, &posting.merchant_id, &posting.currency, lane, close)?;
            scheduled = Some(due);
        }
    }
    Ok(new)
}

/// Writes an open posting. `false` when there is one of its id.
fn insert(tx: &mut Tx<'_>, posting: &Posting, lane: Lane) -> Result<bool, StoreError> {
    let written = tx.execute(
        "INSERT INTO settlement_postings
           (merchant_id, posting_id, currency, lane, kind, amount, vat_amount, order_id, waits,
            posted_at_ms, payment_reference, position, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0, $11)
         ON CONFLICT (merchant_id, posting_id) DO NOTHING",
        &[
            &posting.merchant_id.as_str(),
            &posting.posting_id,
            &posting.currency.as_str(),
            &lane.as_str(),
            &posting.kind.as_str(),
            &posting.amount.get(),
            &posting.vat.map_or(0, |vat| vat.amount.get()),
            &posting.order_id.as_ref().map_or("", |id| id.as_str()),
            &i64::from(posting.wait == Wait::Delay),
            &posting.posted_at_ms,
            &to_document("posting", posting)?,
        ],
    )?;
    Ok(written == 1)
}

/// Sees to it that an account closes at an instant, or earlier if it would anyway.
fn close_by(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    currency: &Currency,
    lane: Lane,
    close: Timestamp,
) -> Result<(), StoreError> {
    let close_ms = close.as_millisecond();
    let row = tx.query_opt(
        "SELECT next_close_at_ms FROM settlement_accounts
         WHERE merchant_id = $1 AND currency = $2 AND lane = $3",
        &[&merchant_id.as_str(), &currency.as_str(), &lane.as_str()],
    )?;
    if let Some(row) = row {
        let next_ms: Option<i64> = row.get(0)?;
        // Mostly so: the account's row is then not written, and captures do not wait for each other.
        if next_ms.is_some_and(|next_ms| next_ms <= close_ms) {
            return Ok(());
        }
    }
    tx.execute(
        "INSERT INTO settlement_accounts (merchant_id, currency, lane, debt, payouts, next_close_at_ms)
         VALUES ($1, $2, $3, 0, 0, $4)
         ON CONFLICT (merchant_id, currency, lane)
         DO UPDATE SET next_close_at_ms = excluded.next_close_at_ms
         WHERE settlement_accounts.next_close_at_ms IS NULL
            OR settlement_accounts.next_close_at_ms > excluded.next_close_at_ms",
        &[&merchant_id.as_str(), &currency.as_str(), &lane.as_str(), &close_ms],
    )?;
    Ok(())
}

/// An instant that the database keeps.
fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX)
}
