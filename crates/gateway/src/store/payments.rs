//! Payment rows.

use std::collections::BTreeMap;

use storage::{Row, ToValue, Tx};

use super::{expect_one, figures, read_document, write_document};
use crate::domain::payment::Payment;
use crate::fault::Fault;

fn from_row(row: &Row) -> Result<Payment, Fault> {
    read_document("payment", row.get(0)?)
}

/// The payment of that id, whichever store it belongs to: for the engine.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Payment>, Fault> {
    tx.query_opt("SELECT document FROM payments WHERE id = $1", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The payment of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Payment>, Fault> {
    Ok(get(tx, id)?.filter(|payment| payment.store_id == store_id))
}

/// The payment of that Klarna order.
pub fn by_klarna_order(tx: &mut Tx<'_>, order_id: &str) -> Result<Option<Payment>, Fault> {
    tx.query_opt("SELECT document FROM payments WHERE klarna_order_id = $1", &[&order_id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// The payment of that id, to be changed in this unit of work.
pub fn lock(tx: &mut Tx<'_>, id: &str) -> Result<Option<Payment>, Fault> {
    tx.query_opt("SELECT document FROM payments WHERE id = $1 {for_update}", &[&id])?
        .as_ref()
        .map(from_row)
        .transpose()
}

/// Adds a payment; `false` if this checkout has one already, and then nothing changes.
pub fn insert(tx: &mut Tx<'_>, payment: &Payment, check_at_ms: Option<i64>) -> Result<bool, Fault> {
    let document = write_document("payment", payment)?;
    let added = tx.execute(
        "INSERT INTO payments (id, store_id, version, checkout_id, klarna_order_id,
                               klarna_reference, merchant_reference, status, fraud_status, currency,
                               authorized_minor, captured_minor, refunded_minor, remaining_minor,
                               check_at_ms, document, created_at_ms, updated_at_ms,
                               expiry_look_at_ms, merchant_reference2, country, channel,
                               lapses_at_ms, indexed_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22, $23, $3)
         ON CONFLICT (checkout_id) DO NOTHING",
        &[
            &payment.id,
            &payment.store_id,
            &payment.version,
            &payment.checkout_id,
            &payment.klarna_order_id,
            &payment.klarna_reference,
            &payment.merchant_reference,
            &payment.status.name(),
            &payment.fraud.name(),
            &payment.currency.as_str(),
            &payment.amounts.authorized.get(),
            &payment.amounts.captured.get(),
            &payment.amounts.refunded.get(),
            &payment.amounts.remaining.get(),
            &check_at_ms,
            &document,
            &payment.created_at_ms,
            &payment.updated_at_ms,
            &payment.expiry.look_at_ms,
            &payment.merchant_reference2,
            &payment.country,
            &payment.channel_name(),
            &payment.lapses_at_ms(),
        ],
    )?;
    if added == 1 {
        figures::count_new(tx, payment)?;
    }
    Ok(added == 1)
}

/// Writes a changed payment: counts its version up and keeps the time. A look at its expiry that is
/// wanted earlier stays wanted: the store may have changed what it wants meanwhile. Columns to search
/// by that were not filled in before stay to be filled in.
pub fn update(
    tx: &mut Tx<'_>,
    payment: &mut Payment,
    check_at_ms: Option<i64>,
    now_ms: i64,
) -> Result<(), Fault> {
    let read_at = payment.version;
    payment.version += 1;
    payment.updated_at_ms = now_ms;
    let document = write_document("payment", payment)?;
    figures::count_change(tx, payment, now_ms)?;
    let changed = tx.execute(
        "UPDATE payments SET version = $2, klarna_reference = $3, status = $4, fraud_status = $5,
                             authorized_minor = $6, captured_minor = $7, refunded_minor = $8,
                             remaining_minor = $9, check_at_ms = $10, document = $11,
                             updated_at_ms = $12, merchant_reference = $14,
                             merchant_reference2 = $17, lapses_at_ms = $18,
                             indexed_version =
                                 CASE WHEN indexed_version = $13 THEN $2 ELSE indexed_version END,
                             expiry_look_at_ms =
                                 CASE WHEN $15 = 0 THEN NULL
                                      WHEN expiry_look_at_ms < $16 THEN expiry_look_at_ms
                                      ELSE COALESCE($16, expiry_look_at_ms) END
         WHERE id = $1 AND version = $13",
        &[
            &payment.id,
            &payment.version,
            &payment.klarna_reference,
            &payment.status.name(),
            &payment.fraud.name(),
            &payment.amounts.authorized.get(),
            &payment.amounts.captured.get(),
            &payment.amounts.refunded.get(),
            &payment.amounts.remaining.get(),
            &check_at_ms,
            &document,
            &payment.updated_at_ms,
            &read_at,
            &payment.merchant_reference,
            &i64::from(payment.status.is_open()),
            &payment.expiry.look_at_ms,
            &payment.merchant_reference2,
            &payment.lapses_at_ms(),
        ],
    )?;
    expect_one(changed, "payment", &payment.id)
}

/// Writes when the expiry of a payment is to be looked at next, and nothing that anybody follows.
pub fn keep_calendar(tx: &mut Tx<'_>, payment: &Payment) -> Result<(), Fault> {
    let document = write_document("payment", payment)?;
    let look_at_ms = payment.expiry.look_at_ms.filter(|_| payment.status.is_open());
    let changed = tx.execute(
        "UPDATE payments SET document = $2, expiry_look_at_ms = $3 WHERE id = $1 AND version = $4",
        &[&payment.id, &document, &look_at_ms, &payment.version],
    )?;
    expect_one(changed, "payment", &payment.id)
}

/// When the next look at the expiry of any payment is due.
pub fn next_expiry_look(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MIN(expiry_look_at_ms) FROM payments", &[])?.get(0)?)
}

/// Payments whose expiry is to be looked at by now.
pub fn expiry_looks_due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Payment>, Fault> {
    tx.query(
        "SELECT document FROM payments WHERE expiry_look_at_ms <= $1
         ORDER BY expiry_look_at_ms LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// Moves the next look at a payment, and nothing else.
pub fn set_check_at(tx: &mut Tx<'_>, id: &str, check_at_ms: Option<i64>) -> Result<(), Fault> {
    tx.execute("UPDATE payments SET check_at_ms = $2 WHERE id = $1", &[&id, &check_at_ms])?;
    Ok(())
}

/// When the next look at any payment is due.
pub fn next_check_at(tx: &mut Tx<'_>) -> Result<Option<i64>, Fault> {
    Ok(tx.query_one("SELECT MIN(check_at_ms) FROM payments", &[])?.get(0)?)
}

/// Payments that Klarna should be asked about by now.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<Vec<Payment>, Fault> {
    tx.query(
        "SELECT document FROM payments WHERE check_at_ms <= $1 ORDER BY check_at_ms LIMIT $2
         {for_update_skip_locked}",
        &[&now_ms, &limit],
    )?
    .iter()
    .map(from_row)
    .collect()
}

/// When the first payment of a store was made.
pub fn oldest(tx: &mut Tx<'_>, store_id: &str) -> Result<Option<i64>, Fault> {
    let sql = "SELECT MIN(created_at_ms) FROM payments WHERE store_id = $1";
    Ok(tx.query_one(sql, &[&store_id])?.get(0)?)
}

/// The payments of a store that are of these orders of Klarna's, by order.
pub fn ids_of_orders(
    tx: &mut Tx<'_>,
    store_id: &str,
    orders: &[&str],
) -> Result<BTreeMap<String, String>, Fault> {
    let mut found = BTreeMap::new();
    let mut orders = orders.to_vec();
    orders.sort_unstable();
    orders.dedup();
    for some in orders.chunks(100) {
        let mut params: Vec<&dyn ToValue> = vec![&store_id];
        params.extend(some.iter().map(|order| order as &dyn ToValue));
        let places: Vec<String> = (2..=params.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT klarna_order_id, id FROM payments WHERE store_id = $1 AND klarna_order_id IN ({})",
            places.join(", ")
        );
        for row in tx.query_dynamic(&sql, &params)? {
            found.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(found)
}
