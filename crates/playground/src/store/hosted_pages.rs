//! Hosted payment pages and their history.

use klarna_types::{HostedSessionId, MerchantId};
use storage::{Migration, Row, Tx};

use crate::domain::hosted_page::{Event, HostedPage};
use crate::store::{StoreError, from_document, to_document};

/// Their tables. A page is forgotten together with its payment session.
pub(crate) const MIGRATION: Migration = Migration {
    version: 75,
    name: "hosted pages",
    sql: "CREATE TABLE hosted_pages (
            session_id TEXT PRIMARY KEY,
            short_id TEXT NOT NULL,
            merchant_id TEXT NOT NULL,
            payment_session_id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            idle_due_at_ms BIGINT,
            version BIGINT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE UNIQUE INDEX hosted_pages_by_short_id ON hosted_pages (short_id);
          CREATE INDEX hosted_pages_by_payment_session ON hosted_pages (payment_session_id);
          CREATE INDEX hosted_pages_by_idle ON hosted_pages (idle_due_at_ms)
            WHERE idle_due_at_ms IS NOT NULL;
          CREATE TABLE hosted_page_events (
            session_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (session_id, version)
          )",
};

const PAGE: &str = "hosted page";

/// How many pages are looked at at once when shoppers have left.
const BATCH: i64 = 100;

/// Adds a page; its row is the first entry of its history. `false` when its short id is taken.
pub(crate) fn insert(tx: &mut Tx<'_>, page: &HostedPage, now_ms: i64) -> Result<bool, StoreError> {
    let added = tx.execute(
        "INSERT INTO hosted_pages
           (session_id, short_id, merchant_id, payment_session_id, status, created_at_ms,
            idle_due_at_ms, version, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (short_id) DO NOTHING",
        &[
            &page.session_id.as_str(),
            &page.short_id.as_str(),
            &page.merchant_id.as_str(),
            &page.payment_session_id.as_str(),
            &page.status.shown().as_str(),
            &now_ms,
            &page.idle_due_at_ms,
            &page.version,
            &to_document(PAGE, page)?,
        ],
    )?;
    Ok(added == 1)
}

/// Writes a page to which something happened, and its history.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    page: &HostedPage,
    event: Event,
    now_ms: i64,
) -> Result<(), StoreError> {
    save(tx, page)?;
    tx.execute(
        "INSERT INTO hosted_page_events (session_id, version, at_ms, event)
         VALUES ($1, $2, $3, $4)",
        &[&page.session_id.as_str(), &page.version, &now_ms, &event.as_str()],
    )?;
    Ok(())
}

/// Writes a page that stands where it stood.
pub(crate) fn save(tx: &mut Tx<'_>, page: &HostedPage) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE hosted_pages SET status = $2, idle_due_at_ms = $3, version = $4, document = $5
         WHERE session_id = $1",
        &[
            &page.session_id.as_str(),
            &page.status.shown().as_str(),
            &page.idle_due_at_ms,
            &page.version,
            &to_document(PAGE, page)?,
        ],
    )?;
    Ok(())
}

/// A page by its id. Its row is locked until the unit of work ends.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    session_id: &HostedSessionId,
) -> Result<Option<HostedPage>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM hosted_pages WHERE session_id = $1 {for_update}",
        &[&session_id.as_str()],
    )?;
    row.as_ref().map(page).transpose()
}

/// A page by its id, to be looked at.
pub(crate) fn peek(
    tx: &mut Tx<'_>,
    session_id: &HostedSessionId,
) -> Result<Option<HostedPage>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM hosted_pages WHERE session_id = $1",
        &[&session_id.as_str()],
    )?;
    row.as_ref().map(page).transpose()
}

/// A page of this merchant, to be looked at.
pub(crate) fn read(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    session_id: &HostedSessionId,
) -> Result<Option<HostedPage>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM hosted_pages WHERE session_id = $1 AND merchant_id = $2",
        &[&session_id.as_str(), &merchant_id.as_str()],
    )?;
    row.as_ref().map(page).transpose()
}

/// The id of a page by the end of its address.
pub(crate) fn id_of(
    tx: &mut Tx<'_>,
    short_id: &str,
) -> Result<Option<HostedSessionId>, storage::Error> {
    let row =
        tx.query_opt("SELECT session_id FROM hosted_pages WHERE short_id = $1", &[&short_id])?;
    let id: Option<String> = row.map(|row| row.get(0)).transpose()?;
    Ok(id.map(HostedSessionId::new))
}

/// When the next shopper will be taken to have left.
pub(crate) fn next_idle_at(tx: &mut Tx<'_>) -> Result<Option<i64>, storage::Error> {
    tx.query_one(
        "SELECT MIN(idle_due_at_ms) FROM hosted_pages WHERE idle_due_at_ms IS NOT NULL",
        &[],
    )?
    .get(0)
}

/// Some of the pages whose shoppers have left by `now_ms`, the earliest first.
pub(crate) fn idle(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<HostedSessionId>, storage::Error> {
    let rows = tx.query(
        "SELECT session_id FROM hosted_pages WHERE idle_due_at_ms <= $1
         ORDER BY idle_due_at_ms, session_id LIMIT $2",
        &[&now_ms, &BATCH],
    )?;
    rows.iter()
        .map(|row| {
            let id: String = row.get(0)?;
            Ok(HostedSessionId::new(id))
        })
        .collect()
}

/// Forgets the pages of a payment session that is forgotten.
pub(crate) fn forget(tx: &mut Tx<'_>, payment_session_id: &str) -> Result<(), storage::Error> {
    for statement in [
        "DELETE FROM hosted_page_events WHERE session_id IN
           (SELECT session_id FROM hosted_pages WHERE payment_session_id = $1)",
        "DELETE FROM hosted_pages WHERE payment_session_id = $1",
    ] {
        tx.execute(statement, &[&payment_session_id])?;
    }
    Ok(())
}

fn page(row: &Row) -> Result<HostedPage, StoreError> {
    from_document(PAGE, row.get(0)?)
}
