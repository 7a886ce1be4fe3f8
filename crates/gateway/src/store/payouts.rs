//! Payouts and the entries that they are made of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use storage::{Migration, Row, ToValue, Tx};

use super::{expect_one, read_document, write_document};
use crate::domain::payout::{Entry, Payout};
use crate::fault::Fault;

/// The tables of payouts and of their entries.
pub const MIGRATION: Migration = Migration {
    version: 77,
    name: "payouts",
    sql: "
CREATE TABLE payouts (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    currency TEXT NOT NULL,
    complete BIGINT NOT NULL,
    document TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL
);
CREATE INDEX payouts_by_time ON payouts (store_id, paid_at_ms, id);
CREATE INDEX payouts_by_account ON payouts (store_id, account_id, complete, paid_at_ms);

CREATE TABLE payout_entries (
    payout_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    store_id TEXT NOT NULL,
    payment_id TEXT,
    type TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    settles_minor BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (payout_id, place)
);
CREATE INDEX payout_entries_by_payment ON payout_entries (payment_id);
",
};

fn from_row(row: &Row) -> Result<Payout, Fault> {
    read_document("payout", row.get(0)?)
}

/// Adds a payout; `false` if it is known, and then nothing changes.
pub fn insert(tx: &mut Tx<'_>, payout: &Payout) -> Result<bool, Fault> {
    let document = write_document("payout", payout)?;
    let added = tx.execute(
        "INSERT INTO payouts (id, store_id, account_id, reference, currency, complete, document,
                              paid_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        &[
            &payout.id,
            &payout.store_id,
            &payout.account_id,
            &payout.reference,
            &payout.currency.as_str(),
            &i64::from(payout.complete),
            &document,
            &payout.paid_at_ms,
        ],
    )?;
    Ok(added == 1)
}

/// Writes a payout of which more is read.
pub fn update(tx: &mut Tx<'_>, payout: &Payout) -> Result<(), Fault> {
    let document = write_document("payout", payout)?;
    let changed = tx.execute(
        "UPDATE payouts SET complete = $2, document = $3 WHERE id = $1",
        &[&payout.id, &i64::from(payout.complete), &document],
    )?;
    expect_one(changed, "payout", &payout.id)
}

/// The payout of that id, to be changed in this unit of work.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Payout>, Fault> {
    tx.query_opt("SELECT document FROM payouts WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The payout of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Payout>, Fault> {
    tx.query_opt("SELECT document FROM payouts WHERE id = $1 AND store_id = $2", &[&id, &store_id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The oldest payout read with an account of which entries are missing.
pub fn incomplete(
    tx: &mut Tx<'_>,
    store_id: &str,
    account_id: &str,
) -> Result<Option<Payout>, Fault> {
    tx.query_opt(
        "SELECT document FROM payouts WHERE store_id = $1 AND account_id = $2 AND complete = 0
         ORDER BY paid_at_ms LIMIT 1",
        &[&store_id, &account_id],
    )?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Adds an entry at its place; the same place again changes nothing.
pub fn add_entry(tx: &mut Tx<'_>, payout: &Payout, place: i64, entry: &Entry) -> Result<(), Fault> {
    let document = write_document("payout entry", entry)?;
    tx.execute(
        "INSERT INTO payout_entries (payout_id, place, store_id, payment_id, type, amount_minor,
                                     settles_minor, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (payout_id, place) DO NOTHING",
        &[
            &payout.id,
            &place,
            &payout.store_id,
            &entry.payment_id,
            &entry.kind,
            &entry.amount.get(),
            &entry.settles(),
            &document,
        ],
    )?;
    Ok(())
}

/// What the entries of a payout come to by type, and what of them settles the store's own payments.
pub fn sums(tx: &mut Tx<'_>, payout_id: &str) -> Result<(BTreeMap<String, i64>, i64), Fault> {
    let rows = tx.query(
        "SELECT type, CAST(SUM(amount_minor) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN payment_id IS NULL THEN 0 ELSE settles_minor END), 0)
                     AS BIGINT)
         FROM payout_entries WHERE payout_id = $1 GROUP BY type",
        &[&payout_id],
    )?;
    let (mut by_type, mut settles) = (BTreeMap::new(), 0_i64);
    for row in &rows {
        by_type.insert(row.get::<String>(0)?, row.get(1)?);
        settles = settles.saturating_add(row.get(2)?);
    }
    Ok((by_type, settles))
}

/// Entries of a payout from a place on.
pub fn entries(
    tx: &mut Tx<'_>,
    store_id: &str,
    payout_id: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<(i64, Entry)>, Fault> {
    tx.query(
        "SELECT place, document FROM payout_entries
         WHERE payout_id = $1 AND store_id = $2 AND place >= $3 ORDER BY place LIMIT $4",
        &[&payout_id, &store_id, &from, &limit],
    )?
    .iter()
    .map(|row| Ok((row.get(0)?, read_document("payout entry", row.get(1)?)?)))
    .collect()
}

/// What of a payment is in which payout: the payout, and the payment's entries in it.
pub fn of_payment(
    tx: &mut Tx<'_>,
    store_id: &str,
    payment_id: &str,
) -> Result<Vec<(Payout, Vec<Entry>)>, Fault> {
    let rows = tx.query(
        "SELECT payout_id, document FROM payout_entries
         WHERE payment_id = $1 AND store_id = $2 ORDER BY payout_id, place LIMIT 500",
        &[&payment_id, &store_id],
    )?;
    let mut by_payout: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for row in &rows {
        let entry = read_document("payout entry", row.get(1)?)?;
        by_payout.entry(row.get(0)?).or_default().push(entry);
    }
    let mut found = Vec::with_capacity(by_payout.len());
    for (id, entries) in by_payout {
        if let Some(payout) = get_in(tx, store_id, &id)?.filter(|payout| payout.complete) {
            found.push((payout, entries));
        }
    }
    found.sort_by_key(|(payout, _)| payout.paid_at_ms);
    Ok(found)
}

/// What a list of payouts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this currency.
    pub currency: Option<String>,
    /// Only the one of this reference.
    pub reference: Option<String>,
    /// Only those paid from then on.
    pub from_ms: Option<i64>,
    /// Only those paid before then.
    pub until_ms: Option<i64>,
    /// Only those before this one: its time and id.
    pub before: Option<(i64, String)>,
}

/// Payouts of a store that are read as a whole, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    store_id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Payout>, Fault> {
    let mut sql = String::from("SELECT document FROM payouts WHERE store_id = $1 AND complete = 1");
    let mut params: Vec<&dyn ToValue> = vec![&store_id];
    // Writing to a String cannot fail.
    if let Some(currency) = &filter.currency {
        params.push(currency);
        let _ = write!(sql, " AND currency = ${}", params.len());
    }
    if let Some(reference) = &filter.reference {
        params.push(reference);
        let _ = write!(sql, " AND reference = ${}", params.len());
    }
    if let Some(from_ms) = &filter.from_ms {
        params.push(from_ms);
        let _ = write!(sql, " AND paid_at_ms >= ${}", params.len());
    }
    if let Some(until_ms) = &filter.until_ms {
        params.push(until_ms);
        let _ = write!(sql, " AND paid_at_ms < ${}", params.len());
    }
    if let Some((at_ms, id)) = &filter.before {
        params.push(at_ms);
        let at = params.len();
        params.push(id);
        let n = params.len();
        let _ = write!(sql, " AND (paid_at_ms < ${at} OR (paid_at_ms = ${at} AND id < ${n}))");
    }
    params.push(&limit);
    let _ = write!(sql, " ORDER BY paid_at_ms DESC, id DESC LIMIT ${}", params.len());
    tx.query_dynamic(&sql, &params)?.iter().map(from_row).collect()
}
