//! Closing periods: what is due becomes a payout, in one unit of work.

use jiff::{SignedDuration, Timestamp};
use klarna_types::MerchantId;
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{DetailedType, PaymentReference, SettlementType, TransactionType};
use storage::{Row, Tx};
use uuid::Uuid;

use super::{insert, timestamp};
use crate::domain::order::klarna_reference;
use crate::domain::settlement::{
    Calendar, KindSum, Lane, Period, Posting, Schedule, SettledAs, SettlementTerms, Stop, Wait,
    settle,
};
use crate::store::{StoreError, merchants, to_document};

/// How many periods are closed in one unit of work.
const DUE_AT_ONCE: i64 = 20;

/// A merchant's account in a currency, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    merchant_id: MerchantId,
    /// Its currency.
    pub(crate) currency: Currency,
    /// What is settled in it.
    pub(crate) lane: Lane,
    /// What the merchant owes.
    pub(crate) debt: MinorUnits,
    payouts: i64,
    /// When it closes next, in milliseconds.
    pub(crate) next_close_at_ms: Option<i64>,
}

impl Account {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            merchant_id: MerchantId::new(row.get::<String>(0)?),
            currency: Currency::from(row.get::<String>(1)?),
            lane: Lane::of(row.get::<&str>(2)?),
            debt: MinorUnits::new(row.get(3)?),
            payouts: row.get(4)?,
            next_close_at_ms: row.get(5)?,
        })
    }
}

/// When a period is next to be closed, in milliseconds.
pub(crate) fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let row = tx.query_one(
        "SELECT MIN(next_close_at_ms) FROM settlement_accounts WHERE next_close_at_ms IS NOT NULL",
        &[],
    )?;
    Ok(row.get(0)?)
}

/// Closes some of the periods that were to be closed by `now_ms`, each as of its own instant; answers
/// how many.
pub(crate) fn run_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let rows = tx.query(
        "SELECT merchant_id, currency, lane, debt, payouts, next_close_at_ms FROM settlement_accounts
         WHERE next_close_at_ms <= $1
         ORDER BY next_close_at_ms, merchant_id, currency, lane LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &DUE_AT_ONCE],
    )?;
    let mut done = 0;
    for row in &rows {
        let account = Account::of(row)?;
        let terms = merchants::settlement_terms(tx, &account.merchant_id)?;
        let at = timestamp(account.next_close_at_ms.unwrap_or(now_ms));
        let cutoff = Calendar::new(&terms, &account.currency, account.lane).cutoff_at(at);
        close(tx, &terms, &account, at, cutoff)?;
        done += 1;
    }
    Ok(done)
}

/// Closes a merchant's periods at once, whatever the schedule and the delay; in one currency, or in all.
/// Answers with the payouts.
pub(crate) fn close_now(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    currency: Option<&Currency>,
    now: Timestamp,
) -> Result<Vec<PaymentReference>, StoreError> {
    let terms = merchants::settlement_terms(tx, merchant_id)?;
    let cutoff = now.saturating_add(SignedDuration::from_millis(1)).unwrap_or(now);
    let mut made = Vec::new();
    for account in accounts(tx, merchant_id)? {
        if currency.is_none_or(|currency| *currency == account.currency) {
            made.extend(close(tx, &terms, &account, now, cutoff)?);
        }
    }
    Ok(made)
}

/// Lets new terms take effect: releases what a stop withheld that is over, and closes when they say.
pub(crate) fn reschedule(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    terms: &SettlementTerms,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut paid_out_of_turn = false;
    for stop in [Stop::UnderReview, Stop::InsufficientBankAccountDetails] {
        if terms.stop == Some(stop) {
            continue;
        }
        let lifted = tx.execute(
            "UPDATE settlement_holds SET release_at_ms = $3
             WHERE merchant_id = $1 AND reason = $2 AND release_at_ms IS NULL",
            &[&merchant_id.as_str(), &stop.detailed_type().as_str(), &now.as_millisecond()],
        )?;
        // As documented: who is paid weekly need not wait for a week once the bank is known.
        paid_out_of_turn |= lifted > 0
            && stop == Stop::InsufficientBankAccountDetails
            && terms.schedule == Schedule::Weekly;
    }
    for account in accounts(tx, merchant_id)? {
        let calendar = Calendar::new(terms, &account.currency, account.lane);
        // The next close looks again, for what is being posted by the old terms right now.
        let mut next = calendar.next_after(now);
        if paid_out_of_turn && account.lane == Lane::Payout {
            next = next.min(calendar.next_business_day(now));
        }
        set_account(tx, &account, Some(next))?;
    }
    Ok(())
}

/// A merchant's accounts, to be looked at.
pub(crate) fn accounts_of(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
) -> Result<Vec<Account>, StoreError> {
    tx.query(
        "SELECT merchant_id, currency, lane, debt, payouts, next_close_at_ms
         FROM settlement_accounts WHERE merchant_id = $1 ORDER BY currency, lane DESC",
        &[&merchant_id.as_str()],
    )?
    .iter()
    .map(Account::of)
    .collect()
}

fn accounts(tx: &mut Tx<'_>, merchant_id: &MerchantId) -> Result<Vec<Account>, StoreError> {
    tx.query(
        "SELECT merchant_id, currency, lane, debt, payouts, next_close_at_ms FROM settlement_accounts
         WHERE merchant_id = $1 ORDER BY currency, lane DESC {for_update}",
        &[&merchant_id.as_str()],
    )?
    .iter()
    .map(Account::of)
    .collect()
}

/// Closes one period. Nothing when there is nothing in it.
fn close(
    tx: &mut Tx<'_>,
    terms: &SettlementTerms,
    account: &Account,
    at: Timestamp,
    cutoff: Timestamp,
) -> Result<Option<PaymentReference>, StoreError> {
    if account.lane == Lane::Payout {
        release(tx, account, at)?;
    }
    let (sums, mut transactions) = add_up(tx, account, at, cutoff)?;
    let period = Period {
        sums,
        opening_debt: account.debt,
        lane: account.lane,
        reserve: terms.reserve,
        stop: terms.stop,
    };
    let settled = if transactions == 0 { None } else { settle(&period) };
    let Some(settled) = settled else {
        let next = next_close(tx, terms, account, at)?;
        set_account(tx, account, next)?;
        return Ok(None);
    };
    let reference = new_reference(tx, account)?;
    for (reason, amount) in &settled.holdbacks {
        hold(tx, terms, account, &reference, (reason, *amount), at)?;
        transactions += 1;
    }
    assign(tx, account, &reference, at, cutoff)?;
    let settlement_type = match (account.lane, terms.settled_as) {
        (Lane::Invoice, _) => SettlementType::GrossFee,
        // Fees from before the merchant was a gross one are deducted yet, and the payout says so.
        (Lane::Payout, SettledAs::Gross) if !settled.totals.has_fees() => SettlementType::Gross,
        (Lane::Payout, SettledAs::Gross | SettledAs::Net) => SettlementType::Net,
    };
    tx.execute(
        "INSERT INTO settlement_payouts
           (payment_reference, merchant_id, currency, settlement_type, registration_currency,
            payout_at_ms, number, transactions, totals)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &reference.as_str(),
            &account.merchant_id.as_str(),
            &account.currency.as_str(),
            &settlement_type.as_str(),
            &terms.registration_currency.as_deref().unwrap_or_default(),
            // Klarna's payout dates, and the merchant's range of them, know whole seconds.
            &at.as_second().saturating_mul(1_000),
            &account.payouts,
            &transactions,
            &to_document("payout", &settled.totals)?,
        ],
    )?;
    // Something may be on its way into the database that this unit of work does not see, and that
    // counts on this account to close. So an account rests only after a close that found nothing.
    let next = Calendar::new(terms, &account.currency, account.lane).next_after(at);
    let after = Account {
        debt: settled.totals.closing_debt_balance_amount,
        payouts: account.payouts.saturating_add(1),
        ..account.clone()
    };
    set_account(tx, &after, Some(next))?;
    Ok(Some(reference))
}

/// Posts the release of what is due to be released.
fn release(tx: &mut Tx<'_>, account: &Account, at: Timestamp) -> Result<(), StoreError> {
    let rows = tx.query(
        "SELECT hold_id, reason, amount, release_at_ms FROM settlement_holds
         WHERE merchant_id = $1 AND currency = $2 AND release_at_ms <= $3 ORDER BY hold_id",
        &[&account.merchant_id.as_str(), &account.currency.as_str(), &at.as_millisecond()],
    )?;
    for row in &rows {
        let hold_id: &str = row.get(0)?;
        let what = (TransactionType::Release, DetailedType::from(row.get::<&str>(1)?));
        let amount = MinorUnits::new(row.get(2)?);
        let released = Posting {
            wait: Wait::NextPayout,
            ..posting_of(account, format!("{hold_id}:release"), what, amount, row.get(3)?)
        };
        insert(tx, &released, account.lane)?;
        tx.execute(
            "DELETE FROM settlement_holds WHERE merchant_id = $1 AND hold_id = $2",
            &[&account.merchant_id.as_str(), &hold_id],
        )?;
    }
    Ok(())
}

/// Withholds something of a payout, and remembers until when.
fn hold(
    tx: &mut Tx<'_>,
    terms: &SettlementTerms,
    account: &Account,
    reference: &PaymentReference,
    (reason, amount): (&DetailedType, MinorUnits),
    at: Timestamp,
) -> Result<(), StoreError> {
    let hold_id = format!("{reference}:{reason}");
    let what = (TransactionType::Holdback, reason.clone());
    let at_ms = at.as_millisecond();
    let held = Posting {
        wait: Wait::NextPayout,
        ..posting_of(account, hold_id.clone(), what, amount, at_ms)
    };
    insert(tx, &held, account.lane)?;
    let release_at_ms =
        terms.reserve.filter(|_| *reason == DetailedType::RollingReserve).map(|reserve| {
            let days = SignedDuration::from_hours(24 * i64::from(reserve.days));
            at.saturating_add(days).unwrap_or(Timestamp::MAX).as_millisecond()
        });
    tx.execute(
        "INSERT INTO settlement_holds
           (merchant_id, hold_id, currency, reason, amount, release_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &account.merchant_id.as_str(),
            &hold_id,
            &account.currency.as_str(),
            &reason.as_str(),
            &amount.get(),
            &release_at_ms,
        ],
    )?;
    Ok(())
}

fn posting_of(
    account: &Account,
    id: String,
    what: (TransactionType, DetailedType),
    amount: MinorUnits,
    at_ms: i64,
) -> Posting {
    let merchant_id = account.merchant_id.clone();
    Posting::new(id, merchant_id, what, amount, account.currency.clone(), at_ms)
}

/// What a close takes, by type, and how many postings that are.
fn add_up(
    tx: &mut Tx<'_>,
    account: &Account,
    at: Timestamp,
    cutoff: Timestamp,
) -> Result<(Vec<KindSum>, i64), StoreError> {
    let rows = tx.query(
        "SELECT kind, CAST(SUM(amount) AS BIGINT), CAST(SUM(vat_amount) AS BIGINT), COUNT(*)
         FROM settlement_postings
         WHERE merchant_id = $1 AND currency = $2 AND lane = $3 AND payment_reference = ''
           AND ((waits = 1 AND posted_at_ms < $4) OR (waits = 0 AND posted_at_ms <= $5))
         GROUP BY kind",
        &[
            &account.merchant_id.as_str(),
            &account.currency.as_str(),
            &account.lane.as_str(),
            &cutoff.as_millisecond(),
            &at.as_millisecond(),
        ],
    )?;
    let mut transactions = 0_i64;
    let mut sums = Vec::with_capacity(rows.len());
    for row in &rows {
        sums.push(KindSum {
            kind: TransactionType::from(row.get::<&str>(0)?),
            amount: MinorUnits::new(row.get(1)?),
            vat_amount: MinorUnits::new(row.get(2)?),
        });
        transactions = transactions.saturating_add(row.get(3)?);
    }
    Ok((sums, transactions))
}

/// Takes what a close takes into a payout, numbered in the order of time.
fn assign(
    tx: &mut Tx<'_>,
    account: &Account,
    reference: &PaymentReference,
    at: Timestamp,
    cutoff: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE settlement_postings SET payment_reference = $6, position = taken.place - 1
         FROM (SELECT posting_id AS taken_id,
                      ROW_NUMBER() OVER (ORDER BY posted_at_ms, posting_id) AS place
               FROM settlement_postings
               WHERE merchant_id = $1 AND currency = $2 AND lane = $3 AND payment_reference = ''
                 AND ((waits = 1 AND posted_at_ms < $4) OR (waits = 0 AND posted_at_ms <= $5))
              ) AS taken
         WHERE merchant_id = $1 AND posting_id = taken.taken_id",
        &[
            &account.merchant_id.as_str(),
            &account.currency.as_str(),
            &account.lane.as_str(),
            &cutoff.as_millisecond(),
            &at.as_millisecond(),
            &reference.as_str(),
        ],
    )?;
    Ok(())
}

/// A reference that no payout has yet. Derived, so that the same history gives the same references.
fn new_reference(tx: &mut Tx<'_>, account: &Account) -> Result<PaymentReference, StoreError> {
    let mut attempt = 0_u32;
    loop {
        let name = format!(
            "{}/{}/{}/{}/{attempt}",
            account.merchant_id,
            account.currency,
            account.lane.as_str(),
            account.payouts
        );
        let (number, _) = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).as_u64_pair();
        let reference = PaymentReference::new(klarna_reference(number).into_string());
        let taken = tx.query_opt(
            "SELECT 1 FROM settlement_payouts WHERE payment_reference = $1",
            &[&reference.as_str()],
        )?;
        if taken.is_none() {
            return Ok(reference);
        }
        attempt += 1;
    }
}

/// When an account closes next, after `at`: never, as long as nothing is open or withheld for a time.
fn next_close(
    tx: &mut Tx<'_>,
    terms: &SettlementTerms,
    account: &Account,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let calendar = Calendar::new(terms, &account.currency, account.lane);
    let soonest = calendar.next_after(at);
    let mut next: Option<Timestamp> = None;
    let mut consider = |happened_ms: Option<i64>, wait| {
        if let Some(happened_ms) = happened_ms {
            let close = calendar.first_taking(timestamp(happened_ms), wait).max(soonest);
            next = Some(next.map_or(close, |next| next.min(close)));
        }
    };
    for (waits, wait) in [(1_i64, Wait::Delay), (0, Wait::NextPayout)] {
        let oldest = tx.query_one(
            "SELECT MIN(posted_at_ms) FROM settlement_postings
             WHERE merchant_id = $1 AND currency = $2 AND lane = $3 AND payment_reference = ''
               AND waits = $4",
            &[
                &account.merchant_id.as_str(),
                &account.currency.as_str(),
                &account.lane.as_str(),
                &waits,
            ],
        )?;
        consider(oldest.get(0)?, wait);
    }
    if account.lane == Lane::Payout {
        let release = tx.query_one(
            "SELECT MIN(release_at_ms) FROM settlement_holds
             WHERE merchant_id = $1 AND currency = $2 AND release_at_ms IS NOT NULL",
            &[&account.merchant_id.as_str(), &account.currency.as_str()],
        )?;
        // A close at the very instant of a release takes it.
        let release_at_ms: Option<i64> = release.get(0)?;
        consider(release_at_ms.map(|at_ms| at_ms.saturating_sub(1)), Wait::NextPayout);
    }
    Ok(next)
}

fn set_account(
    tx: &mut Tx<'_>,
    account: &Account,
    next: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE settlement_accounts SET debt = $4, payouts = $5, next_close_at_ms = $6
         WHERE merchant_id = $1 AND currency = $2 AND lane = $3",
        &[
            &account.merchant_id.as_str(),
            &account.currency.as_str(),
            &account.lane.as_str(),
            &account.debt.get(),
            &account.payouts,
            &next.map(Timestamp::as_millisecond),
        ],
    )?;
    Ok(())
}
