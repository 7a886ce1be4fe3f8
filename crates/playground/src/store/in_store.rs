//! In-store purchases, and the short codes that phones show.

use klarna_types::{KlarnaReference, MerchantId, OrderId, SessionId};
use storage::{Migration, Row, Tx};

use crate::domain::in_store::{Distribution, Status};

/// Their tables. A session has at most one purchase.
pub(crate) const MIGRATION: Migration = Migration {
    version: 80,
    name: "in-store",
    sql: "CREATE TABLE distributions (
            session_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            short_id TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL,
            version BIGINT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            status_url TEXT,
            order_id TEXT,
            klarna_reference TEXT
          );
          CREATE TABLE distribution_events (
            session_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            status TEXT NOT NULL,
            PRIMARY KEY (session_id, version)
          );
          CREATE TABLE short_codes (
            scan_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            code TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            session_id TEXT
          );
          CREATE INDEX short_codes_by_code ON short_codes (merchant_id, code);
          CREATE INDEX short_codes_by_age ON short_codes (expires_at_ms)",
};

/// A phone that shows a short code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "an id says of what it is")]
pub(crate) struct Scan {
    /// Its id; only the phone knows it.
    pub(crate) scan_id: String,
    /// Whose printed code was scanned.
    pub(crate) merchant_id: MerchantId,
    /// What it shows.
    pub(crate) code: String,
    /// Until when.
    pub(crate) expires_at_ms: i64,
    /// The purchase that a till sent to it.
    pub(crate) session_id: Option<SessionId>,
}

/// Adds a purchase, with its first status in its history.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    distribution: &Distribution,
    now_ms: i64,
) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO distributions
           (session_id, merchant_id, short_id, status, version, created_at_ms, expires_at_ms,
            status_url)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &distribution.session_id.as_str(),
            &distribution.merchant_id.as_str(),
            &distribution.short_id,
            &distribution.status.as_str(),
            &distribution.version,
            &now_ms,
            &distribution.expires_at_ms,
            &distribution.status_url,
        ],
    )?;
    note(tx, distribution, now_ms)
}

/// The purchase of a session.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
) -> Result<Option<Distribution>, storage::Error> {
    let row = tx.query_opt(
        "SELECT session_id, merchant_id, short_id, status, version, expires_at_ms, status_url,
                order_id, klarna_reference
         FROM distributions WHERE session_id = $1",
        &[&session_id.as_str()],
    )?;
    row.as_ref().map(distribution).transpose()
}

/// The purchase behind a link.
pub(crate) fn find_by_short_id(
    tx: &mut Tx<'_>,
    short_id: &str,
) -> Result<Option<Distribution>, storage::Error> {
    let row = tx.query_opt(
        "SELECT session_id, merchant_id, short_id, status, version, expires_at_ms, status_url,
                order_id, klarna_reference
         FROM distributions WHERE short_id = $1",
        &[&short_id],
    )?;
    row.as_ref().map(distribution).transpose()
}

/// Writes a changed purchase, whose version has grown by one, and its history.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    distribution: &Distribution,
    now_ms: i64,
) -> Result<(), storage::Error> {
    let order = distribution.order.as_ref();
    tx.execute(
        "UPDATE distributions SET status = $2, version = $3, order_id = $4, klarna_reference = $5
         WHERE session_id = $1",
        &[
            &distribution.session_id.as_str(),
            &distribution.status.as_str(),
            &distribution.version,
            &order.map(|(order_id, _)| order_id.as_str()),
            &order.map(|(_, reference)| reference.as_str()),
        ],
    )?;
    note(tx, distribution, now_ms)
}

fn note(tx: &mut Tx<'_>, distribution: &Distribution, now_ms: i64) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO distribution_events (session_id, version, at_ms, status)
         VALUES ($1, $2, $3, $4)",
        &[
            &distribution.session_id.as_str(),
            &distribution.version,
            &now_ms,
            &distribution.status.as_str(),
        ],
    )?;
    Ok(())
}

fn distribution(row: &Row) -> Result<Distribution, storage::Error> {
    let session_id: String = row.get(0)?;
    let merchant_id: String = row.get(1)?;
    let status: &str = row.get(3)?;
    let order_id: Option<String> = row.get(7)?;
    let reference: Option<String> = row.get(8)?;
    Ok(Distribution {
        session_id: SessionId::new(session_id),
        merchant_id: MerchantId::new(merchant_id),
        short_id: row.get(2)?,
        // A status that a later version added is at least not one that can be paid.
        status: Status::parse(status).unwrap_or(Status::Canceled),
        version: row.get(4)?,
        expires_at_ms: row.get(5)?,
        status_url: row.get(6)?,
        order: order_id
            .zip(reference)
            .map(|(order, reference)| (OrderId::new(order), KlarnaReference::new(reference))),
    })
}

/// Adds a phone that shows a short code. `false` when another phone shows the same one.
pub(crate) fn insert_scan(
    tx: &mut Tx<'_>,
    scan: &Scan,
    now_ms: i64,
) -> Result<bool, storage::Error> {
    if find_code(tx, &scan.merchant_id, &scan.code, now_ms)?.is_some() {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO short_codes (scan_id, merchant_id, code, expires_at_ms)
         VALUES ($1, $2, $3, $4)",
        &[&scan.scan_id, &scan.merchant_id.as_str(), &scan.code, &scan.expires_at_ms],
    )?;
    Ok(true)
}

/// A phone by its id.
pub(crate) fn find_scan(
    tx: &mut Tx<'_>,
    scan_id: &str,
    now_ms: i64,
) -> Result<Option<Scan>, storage::Error> {
    let row = tx.query_opt(
        "SELECT scan_id, merchant_id, code, expires_at_ms, session_id FROM short_codes
         WHERE scan_id = $1 AND expires_at_ms > $2",
        &[&scan_id, &now_ms],
    )?;
    row.as_ref().map(scan).transpose()
}

/// The phone that shows this code of this merchant and has no purchase yet.
/// unit of work ends.
pub(crate) fn find_code(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    code: &str,
    now_ms: i64,
) -> Result<Option<Scan>, storage::Error> {
    let row = tx.query_opt(
        "SELECT scan_id, merchant_id, code, expires_at_ms, session_id FROM short_codes
         WHERE merchant_id = $1 AND code = $2 AND expires_at_ms > $3 AND session_id IS NULL
        ",
        &[&merchant_id.as_str(), &code, &now_ms],
    )?;
    row.as_ref().map(scan).transpose()
}

/// Sends a purchase to a phone.
pub(crate) fn give(
    tx: &mut Tx<'_>,
    scan_id: &str,
    session_id: &SessionId,
) -> Result<(), storage::Error> {
    tx.execute(
        "UPDATE short_codes SET session_id = $2 WHERE scan_id = $1",
        &[&scan_id, &session_id.as_str()],
    )?;
    Ok(())
}

/// Forgets codes that nobody can use any more.
pub(crate) fn forget_scans(tx: &mut Tx<'_>, until_ms: i64) -> Result<(), storage::Error> {
    tx.execute("DELETE FROM short_codes WHERE expires_at_ms <= $1", &[&until_ms])?;
    Ok(())
}

fn scan(row: &Row) -> Result<Scan, storage::Error> {
    let merchant_id: String = row.get(1)?;
    let session_id: Option<String> = row.get(4)?;
    Ok(Scan {
        scan_id: row.get(0)?,
        merchant_id: MerchantId::new(merchant_id),
        code: row.get(2)?,
        expires_at_ms: row.get(3)?,
        session_id: session_id.map(SessionId::new),
    })
}
