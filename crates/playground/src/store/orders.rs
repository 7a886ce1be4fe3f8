//! Orders: their state and their history.
//!
//! An order is kept twice in its row: as the document that this program reads back, and as the
//! answer that a merchant reads, so that reading an order is one look-up and no work. The answer
//! holds until `next_due_at_ms`; after that a reader lets the time pass for itself, without
//! writing. The history is appended, and what moved money is posted to the merchant's settlements, in
//! the unit of work of the change.

use jiff::Timestamp;
use klarna_types::ids::{MerchantId, OrderId};
use storage::{Migration, Tx};

use crate::domain::order::{Changed, Effect, Event, Order};
use crate::store::{StoreError, callbacks, disputes, from_document, settlements, to_document};

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 20,
    name: "orders",
    sql: "CREATE TABLE orders (
            order_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            status TEXT NOT NULL,
            fraud_status TEXT NOT NULL,
            currency TEXT NOT NULL,
            order_amount BIGINT NOT NULL,
            original_order_amount BIGINT NOT NULL,
            captured_amount BIGINT NOT NULL,
            refunded_amount BIGINT NOT NULL,
            remaining_authorized_amount BIGINT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            next_due_at_ms BIGINT,
            readable_until_ms BIGINT NOT NULL,
            version BIGINT NOT NULL,
            document TEXT NOT NULL,
            answer TEXT NOT NULL
          );
          CREATE INDEX orders_by_merchant ON orders (merchant_id, created_at_ms);
          CREATE INDEX orders_by_due ON orders (next_due_at_ms) WHERE next_due_at_ms IS NOT NULL;
          CREATE TABLE order_events (
            order_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            position BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            kind TEXT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (order_id, version, position)
          );
          CREATE TABLE order_movements (
            movement_id TEXT PRIMARY KEY,
            order_id TEXT NOT NULL,
            merchant_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            amount BIGINT NOT NULL,
            currency TEXT NOT NULL,
            at_ms BIGINT NOT NULL
          );
          CREATE INDEX order_movements_by_merchant ON order_movements (merchant_id, at_ms)",
};

/// An order as it was read, with the version that a later [`save`] must still find.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    /// The order, as it was last written; time may have brought something since.
    pub(crate) order: Order,
    /// How often it has been written.
    pub(crate) version: i64,
}

/// Whether a [`save`] took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Saved {
    /// It did.
    Yes,
    /// Someone else wrote the order since it was read.
    Stale,
}

/// Writes a new order, its history and its first effects.
pub(crate) fn insert(tx: &mut Tx<'_>, order: &Order) -> Result<(), StoreError> {
    let (document, answer) = (to_document("order", order)?, to_document("order", &order.view())?);
    tx.execute(
        "INSERT INTO orders
           (order_id, merchant_id, status, fraud_status, currency, order_amount,
            original_order_amount, captured_amount, refunded_amount,
            remaining_authorized_amount, created_at_ms, expires_at_ms, next_due_at_ms,
            readable_until_ms, version, document, answer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16)",
        &[
            &order.id().as_str(),
            &order.merchant_id().as_str(),
            &order.status().as_str(),
            &order.fraud_status().as_str(),
            &order.currency().as_str(),
            &order.authorized().get(),
            &order.original().get(),
            &order.captured().get(),
            &order.refunded().get(),
            &order.remaining().get(),
            &order.created_at().as_millisecond(),
            &order.expires_at().as_millisecond(),
            &order.next_due_at().map(Timestamp::as_millisecond),
            &order.readable_until().as_millisecond(),
            &document,
            &answer,
        ],
    )?;
    append(tx, order, 1, &order.first_events())
}

/// Writes what a command, or time, has made of an order.
pub(crate) fn save(tx: &mut Tx<'_>, before: i64, changed: &Changed) -> Result<Saved, StoreError> {
    let order = &changed.order;
    let (document, answer) = (to_document("order", order)?, to_document("order", &order.view())?);
    let version = before + 1;
    let written = tx.execute(
        "UPDATE orders SET
           status = $3, fraud_status = $4, order_amount = $5, captured_amount = $6,
           refunded_amount = $7, remaining_authorized_amount = $8, expires_at_ms = $9,
           next_due_at_ms = $10, version = $11, document = $12, answer = $13
         WHERE order_id = $1 AND version = $2",
        &[
            &order.id().as_str(),
            &before,
            &order.status().as_str(),
            &order.fraud_status().as_str(),
            &order.authorized().get(),
            &order.captured().get(),
            &order.refunded().get(),
            &order.remaining().get(),
            &order.expires_at().as_millisecond(),
            &order.next_due_at().map(Timestamp::as_millisecond),
            &version,
            &document,
            &answer,
        ],
    )?;
    if written != 1 {
        return Ok(Saved::Stale);
    }
    append(tx, order, version, &changed.events)?;
    Ok(Saved::Yes)
}

/// History, postings and effects of one write.
fn append(
    tx: &mut Tx<'_>,
    order: &Order,
    version: i64,
    events: &[Event],
) -> Result<(), StoreError> {
    for (position, event) in (0_i64..).zip(events) {
        let at_ms = event.at.as_millisecond();
        tx.execute(
            "INSERT INTO order_events (order_id, version, position, at_ms, kind, event)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &order.id().as_str(),
                &version,
                &position,
                &at_ms,
                &event.what.kind(),
                &to_document("order event", &event.what)?,
            ],
        )?;
    }
    settlements::post_order(tx, order, events)?;
    disputes::order_changed(tx, order, events)?;
    for effect in order.effects(events) {
        match effect {
            Effect::Call { callback, at } => {
                callbacks::enqueue(tx, &callback, at.as_millisecond())?;
            }
            Effect::StopPush => callbacks::cancel(tx, &callbacks::push_id(order.id().as_str()))?,
        }
    }
    Ok(())
}

/// An order of a merchant, to be changed in this unit of work.
pub(crate) fn load(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<Option<Loaded>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document FROM orders
         WHERE order_id = $1 AND merchant_id = $2 AND readable_until_ms > $3 {for_update}",
        &[&order_id.as_str(), &merchant_id.as_str(), &now.as_millisecond()],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Loaded { version: row.get(0)?, order: from_document("order", row.get(1)?)? }))
}

/// An order of a merchant as it is at `now`, to be looked at.
pub(crate) fn read(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<Option<Order>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM orders
         WHERE order_id = $1 AND merchant_id = $2 AND readable_until_ms > $3",
        &[&order_id.as_str(), &merchant_id.as_str(), &now.as_millisecond()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let order: Order = from_document("order", row.get(0)?)?;
    Ok(Some(order.advance(now).order))
}

/// What a merchant that reads an order is answered, as JSON text.
pub(crate) fn read_answer(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let now_ms = now.as_millisecond();
    let row = tx.query_opt(
        "SELECT next_due_at_ms, answer FROM orders
         WHERE order_id = $1 AND merchant_id = $2 AND readable_until_ms > $3",
        &[&order_id.as_str(), &merchant_id.as_str(), &now_ms],
    )?;
    let Some(row) = row else { return Ok(None) };
    let next_due_at_ms: Option<i64> = row.get(0)?;
    if next_due_at_ms.is_none_or(|due_at_ms| now_ms < due_at_ms) {
        return Ok(Some(row.get(1)?));
    }
    let Some(order) = read(tx, merchant_id, order_id, now)? else { return Ok(None) };
    Ok(Some(to_document("order", &order.view())?))
}

/// For how many orders the time passes in one unit of work.
const DUE_AT_ONCE: i64 = 100;

/// Lets the time pass for some of the orders for which something was due by `now_ms`; answers for
/// how many it did.
pub(crate) fn run_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<usize, StoreError> {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MAX);
    let rows = tx.query(
        "SELECT version, document FROM orders WHERE next_due_at_ms <= $1
         ORDER BY next_due_at_ms LIMIT $2 {for_update_skip_locked}",
        &[&now_ms, &DUE_AT_ONCE],
    )?;
    let mut done = 0;
    for row in &rows {
        let order: Order = from_document("order", row.get(1)?)?;
        let changed = order.advance(now);
        // A row that moved on meanwhile is someone else's; the next round sees what is left.
        if save(tx, row.get(0)?, &changed)? == Saved::Yes {
            done += 1;
        }
    }
    Ok(done)
}

/// When [`run_due`] next has something to do, in milliseconds.
pub(crate) fn next_due_at(tx: &mut Tx<'_>) -> Result<Option<i64>, storage::Error> {
    tx.query_one("SELECT MIN(next_due_at_ms) FROM orders WHERE next_due_at_ms IS NOT NULL", &[])?
        .get(0)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use storage::{Database, Location};

    use super::*;
    use crate::domain::order::tests::{capture_command, new_order, refund_command, start};
    use crate::store::migrations::MIGRATIONS;

    async fn database() -> Database {
        Database::open(&Location::Memory, MIGRATIONS).await.unwrap()
    }

    fn placed(id: &str) -> Order {
        Order::place(OrderId::new(id), new_order(1_000), start())
    }

    /// Runs one unit of work that has to succeed.
    async fn write<T: Send + 'static>(
        db: &Database,
        work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        db.write(work).await.unwrap()
    }

    fn merchant() -> MerchantId {
        new_order(1).merchant_id
    }

    fn find(tx: &mut Tx<'_>, id: &str) -> Result<Loaded, StoreError> {
        Ok(load(tx, &merchant(), &OrderId::new(id), start())?.unwrap())
    }

    #[tokio::test]
    async fn what_is_written_is_read_back_with_its_history() {
        let db = database().await;
        write(&db, |tx| {
            insert(tx, &placed("o1"))?;
            let loaded = find(tx, "o1")?;
            assert_eq!(loaded, Loaded { order: placed("o1"), version: 1 });
            let changed = loaded.order.capture(capture_command("c1", 400), start()).unwrap();
            assert_eq!(save(tx, 1, &changed)?, Saved::Yes);
            let changed = changed.order.refund(refund_command("r1", 100), start()).unwrap();
            assert_eq!(save(tx, 2, &changed)?, Saved::Yes);
            assert_eq!(find(tx, "o1")?, Loaded { order: changed.order, version: 3 });

            let rows = tx.query("SELECT kind FROM order_events ORDER BY version, position", &[])?;
            let kinds: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
            assert_eq!(kinds, ["placed", "captured", "refunded"]);
            let rows = tx.query(
                "SELECT posting_id, kind, amount FROM settlement_postings ORDER BY posting_id",
                &[],
            )?;
            let postings: Vec<(String, String, i64)> = rows
                .iter()
                .map(|row| (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()))
                .collect();
            let expected = [
                ("c1", "SALE", 400),
                ("c1:fixed", "FEE", 350),
                ("c1:percentage", "FEE", 12),
                ("r1", "RETURN", 100),
            ];
            assert_eq!(
                postings,
                expected.map(|(id, kind, amount)| (id.into(), kind.into(), amount))
            );
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_stale_order_is_not_written() {
        let db = database().await;
        write(&db, |tx| {
            insert(tx, &placed("o1"))?;
            let first = find(tx, "o1")?.order.capture(capture_command("c1", 600), start()).unwrap();
            let second =
                find(tx, "o1")?.order.capture(capture_command("c2", 600), start()).unwrap();
            assert_eq!(save(tx, 1, &first)?, Saved::Yes);
            assert_eq!(save(tx, 1, &second)?, Saved::Stale);
            assert_eq!(find(tx, "o1")?.order, first.order);
            let rows =
                tx.query("SELECT posting_id FROM settlement_postings WHERE kind = 'SALE'", &[])?;
            assert_eq!(rows.len(), 1);
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_reader_sees_what_time_has_brought_and_writes_nothing() {
        let db = database().await;
        write(&db, |tx| insert(tx, &placed("o1"))).await;
        let id = OrderId::new("o1");
        let at_end = placed("o1").expires_at();
        let before = at_end - SignedDuration::from_millis(1);
        let (fresh, expired, order, stranger) = db
            .read(move |tx| -> Result<_, StoreError> {
                Ok((
                    read_answer(tx, &merchant(), &id, before)?.unwrap(),
                    read_answer(tx, &merchant(), &id, at_end)?.unwrap(),
                    read(tx, &merchant(), &id, at_end)?.unwrap(),
                    read_answer(tx, &MerchantId::new("K2"), &id, before)?,
                ))
            })
            .await
            .unwrap();
        assert!(fresh.contains("\"AUTHORIZED\""));
        assert!(expired.contains("\"EXPIRED\""));
        assert_eq!(order, placed("o1").advance(at_end).order);
        assert_eq!(stranger, None);
        let version = write(&db, |tx| Ok(find(tx, "o1")?.version)).await;
        assert_eq!(version, 1);
    }

    #[tokio::test]
    async fn due_orders_are_advanced_a_few_at_a_time() {
        let db = database().await;
        write(&db, |tx| {
            for number in 0..150 {
                insert(tx, &placed(&format!("o{number}")))?;
            }
            Ok(())
        })
        .await;
        let due_at_ms = placed("o1").expires_at().as_millisecond();
        assert_eq!(write(&db, |tx| Ok(next_due_at(tx)?)).await, Some(due_at_ms));
        assert_eq!(write(&db, move |tx| run_due(tx, due_at_ms - 1)).await, 0);
        for expected in [100, 50, 0] {
            assert_eq!(write(&db, move |tx| run_due(tx, due_at_ms)).await, expected);
        }
        assert_eq!(write(&db, |tx| Ok(next_due_at(tx)?)).await, None);
    }
}
