//! A durable queue of work under leases, in the same transactions as everything else.
//!
//! An item is enqueued in the transaction that wants the work done, claimed by any worker of any node for a limited
//! time, and completed or rescheduled in the transaction that records the outcome. A worker that was away for longer
//! than its lease finds out there: every claim has a number of its own (a fencing token), and whoever no longer holds the
//! newest is refused, so its whole unit of work can be rolled back.
//!
//! The queue promises that an item is held by one worker at a time and is never lost. It cannot promise that the effect
//! outside happens once: a worker may die between the effect and its record. The effect must carry its own key for that.
//!
//! Times are unix milliseconds from the caller's clock. Nodes whose clocks differ by seconds only reclaim an expired
//! item so much earlier or later; who may record an outcome is decided by the token alone.

use crate::error::Error;
use crate::migrate::Migration;
use crate::tx::Tx;
use crate::value::Row;

/// The queue's table. Put it first in your list, or give it a version that fits:
/// `Migration { version: 7, ..storage::queue::MIGRATION }`.
pub const MIGRATION: Migration = Migration {
    version: 0,
    name: "work_items",
    sql: "
CREATE TABLE work_items (
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    leased_by TEXT,
    leased_until_ms BIGINT,
    PRIMARY KEY (queue, id)
);
CREATE INDEX work_items_by_due_at ON work_items (queue, due_at_ms, id);
",
};

/// A queue by its name. Queues of different names share the table and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// The name, short and never changed.
    pub name: &'static str,
}

/// An item as it was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the item was enqueued as.
    pub id: String,
    /// What the worker needs to know.
    pub payload: String,
    /// How often the item was rescheduled.
    pub attempts: i64,
    /// When it was due.
    pub due_at_ms: i64,
    /// The fencing token: grows with every claim of this item.
    pub lease: i64,
}

impl Item {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            payload: row.get(1)?,
            attempts: row.get(2)?,
            due_at_ms: row.get(3)?,
            lease: row.get(4)?,
        })
    }
}

impl Queue {
    /// Adds an item; `false` if one of this id is queued already, which then stays as it is.
    pub fn enqueue(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        due_at_ms: i64,
        payload: &str,
    ) -> Result<bool, Error> {
        // Tokens start anywhere: whoever still holds a token of an earlier, completed item of the same id must not be
        // taken for the holder of this one.
        let token: i64 = rand::random_range(0..1 << 62);
        let added = tx.execute(
            "INSERT INTO work_items (queue, id, due_at_ms, payload, attempts, lease)
             VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (queue, id) DO NOTHING",
            &[&self.name, &id, &due_at_ms, &payload, &token],
        )?;
        Ok(added == 1)
    }

    /// Makes sure that an item of this id is queued, and due at `due_at_ms` at the latest. Unlike after
    /// [`enqueue`](Self::enqueue), whoever completes an earlier item of the same id at the same moment does not take
    /// this one along: the row is touched either way. For items that stand for "look whether there is something to do";
    /// to rely on it, their worker must touch the item too (with [`renew`](Self::renew), say) before it looks.
    pub fn ensure(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        due_at_ms: i64,
        payload: &str,
    ) -> Result<(), Error> {
        let token: i64 = rand::random_range(0..1 << 62);
        tx.execute(
            "INSERT INTO work_items (queue, id, due_at_ms, payload, attempts, lease)
             VALUES ($1, $2, $3, $4, 0, $5)
             ON CONFLICT (queue, id) DO UPDATE SET due_at_ms =
                 CASE WHEN work_items.due_at_ms < $3 THEN work_items.due_at_ms ELSE $3 END",
            &[&self.name, &id, &due_at_ms, &payload, &token],
        )?;
        Ok(())
    }

    /// Whether an item can be claimed now. Cheaper than [`next_due_at`](Self::next_due_at) where many wait for later.
    pub fn is_due(&self, tx: &mut Tx<'_>, now_ms: i64) -> Result<bool, Error> {
        let found = tx.query(
            "SELECT id FROM work_items
             WHERE queue = $1 AND due_at_ms <= $2 AND (leased_until_ms IS NULL OR leased_until_ms <= $2)
             ORDER BY due_at_ms, id LIMIT 1",
            &[&self.name, &now_ms],
        )?;
        Ok(!found.is_empty())
    }

    /// How many items could be claimed now, up to `most`, and since when the longest due of them has been.
    pub fn backlog(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        most: i64,
    ) -> Result<(i64, Option<i64>), Error> {
        let row = tx.query_one(
            "SELECT COUNT(*), MIN(due_at_ms) FROM
                 (SELECT due_at_ms FROM work_items
                  WHERE queue = $1 AND due_at_ms <= $2 AND (leased_until_ms IS NULL OR leased_until_ms <= $2)
                  ORDER BY due_at_ms, id LIMIT $3) AS due",
            &[&self.name, &now_ms, &most],
        )?;
        Ok((row.get(0)?, row.get(1)?))
    }

    /// Takes up to `limit` items that are due and that nobody holds, the longest due first, for `lease_ms`.
    ///
    /// Best called within [`Database::write_row_locked`](crate::Database::write_row_locked): many nodes then claim
    /// different items at once.
    pub fn claim(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        owner: &str,
        lease_ms: i64,
        limit: i64,
    ) -> Result<Vec<Item>, Error> {
        let found = tx.query(
            "SELECT id, payload, attempts, due_at_ms, lease FROM work_items
             WHERE queue = $1 AND due_at_ms <= $2 AND (leased_until_ms IS NULL OR leased_until_ms <= $2)
             ORDER BY due_at_ms, id LIMIT $3 {for_update_skip_locked}",
            &[&self.name, &now_ms, &limit],
        )?;
        let until_ms = now_ms.saturating_add(lease_ms);
        let mut claimed = Vec::with_capacity(found.len());
        for row in &found {
            let mut item = Item::from_row(row)?;
            let taken = tx.execute(
                "UPDATE work_items SET lease = lease + 1, leased_by = $4, leased_until_ms = $5
                 WHERE queue = $1 AND id = $2 AND lease = $3",
                &[&self.name, &item.id, &item.lease, &owner, &until_ms],
            )?;
            if taken == 1 {
                item.lease += 1;
                claimed.push(item);
            }
        }
        Ok(claimed)
    }

    /// Takes the item of this id for `lease_ms`, if it is due and nobody holds it: for whoever has just enqueued it and
    /// can begin in the same unit of work.
    pub fn claim_one(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        now_ms: i64,
        owner: &str,
        lease_ms: i64,
    ) -> Result<Option<Item>, Error> {
        let found = tx.query_opt(
            "SELECT id, payload, attempts, due_at_ms, lease FROM work_items
             WHERE queue = $1 AND id = $2 AND due_at_ms <= $3
               AND (leased_until_ms IS NULL OR leased_until_ms <= $3) {for_update}",
            &[&self.name, &id, &now_ms],
        )?;
        let Some(row) = found else { return Ok(None) };
        let mut item = Item::from_row(&row)?;
        let until_ms = now_ms.saturating_add(lease_ms);
        let taken = tx.execute(
            "UPDATE work_items SET lease = lease + 1, leased_by = $4, leased_until_ms = $5
             WHERE queue = $1 AND id = $2 AND lease = $3",
            &[&self.name, &item.id, &item.lease, &owner, &until_ms],
        )?;
        item.lease += 1;
        Ok((taken == 1).then_some(item))
    }

    /// Removes the item; `false` if the lease was lost, and then this unit of work must not record the outcome.
    pub fn complete(&self, tx: &mut Tx<'_>, item: &Item) -> Result<bool, Error> {
        let removed = tx.execute(
            "DELETE FROM work_items WHERE queue = $1 AND id = $2 AND lease = $3 AND leased_until_ms IS NOT NULL",
            &[&self.name, &item.id, &item.lease],
        )?;
        Ok(removed == 1)
    }

    /// Gives the item back to be done later, one attempt more; `false` if the lease was lost.
    pub fn reschedule(
        &self,
        tx: &mut Tx<'_>,
        item: &Item,
        due_at_ms: i64,
        payload: &str,
    ) -> Result<bool, Error> {
        let moved = tx.execute(
            "UPDATE work_items SET due_at_ms = $4, payload = $5, attempts = attempts + 1,
                                   leased_by = NULL, leased_until_ms = NULL
             WHERE queue = $1 AND id = $2 AND lease = $3 AND leased_until_ms IS NOT NULL",
            &[&self.name, &item.id, &item.lease, &due_at_ms, &payload],
        )?;
        Ok(moved == 1)
    }

    /// Holds the item until `until_ms`; `false` if the lease was lost. The token stays the same.
    pub fn renew(&self, tx: &mut Tx<'_>, item: &Item, until_ms: i64) -> Result<bool, Error> {
        let held = tx.execute(
            "UPDATE work_items SET leased_until_ms = $4
             WHERE queue = $1 AND id = $2 AND lease = $3 AND leased_until_ms IS NOT NULL",
            &[&self.name, &item.id, &item.lease, &until_ms],
        )?;
        Ok(held == 1)
    }

    /// When the next item can be claimed: when it is due, or when the lease on it ends. `None` if the queue is empty.
    pub fn next_due_at(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        tx.query_one(
            "SELECT MIN(CASE WHEN leased_until_ms IS NULL OR leased_until_ms < due_at_ms
                             THEN due_at_ms ELSE leased_until_ms END)
             FROM work_items WHERE queue = $1",
            &[&self.name],
        )?
        .get(0)
    }

    /// Ends every lease, and returns how many there were: for the start of a program that is alone with its database,
    /// where whoever holds a lease is dead. Should a holder live after all, its lease is lost as if it had run out.
    pub fn end_leases(&self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        tx.execute(
            "UPDATE work_items SET lease = lease + 1, leased_by = NULL, leased_until_ms = NULL
             WHERE queue = $1 AND leased_until_ms IS NOT NULL",
            &[&self.name],
        )
    }

    /// Ends the leases of one owner, and returns how many there were: for a node that others take for dead. Should it
    /// live after all, its leases are lost as if they had run out.
    pub fn end_leases_of(&self, tx: &mut Tx<'_>, owner: &str) -> Result<u64, Error> {
        tx.execute(
            "UPDATE work_items SET lease = lease + 1, leased_by = NULL, leased_until_ms = NULL
             WHERE queue = $1 AND leased_by = $2",
            &[&self.name, &owner],
        )
    }

    /// Gives the item back as it was found, to be claimed again from `due_at_ms` on: no attempt was made. `false` if the
    /// lease was lost.
    pub fn put_back(&self, tx: &mut Tx<'_>, item: &Item, due_at_ms: i64) -> Result<bool, Error> {
        let moved = tx.execute(
            "UPDATE work_items SET due_at_ms = $4, leased_by = NULL, leased_until_ms = NULL
             WHERE queue = $1 AND id = $2 AND lease = $3 AND leased_until_ms IS NOT NULL",
            &[&self.name, &item.id, &item.lease, &due_at_ms],
        )?;
        Ok(moved == 1)
    }

    /// Removes an item, held or not; `false` if there is none. Its holder, if any, finds its lease lost.
    pub fn cancel(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
        let removed =
            tx.execute("DELETE FROM work_items WHERE queue = $1 AND id = $2", &[&self.name, &id])?;
        Ok(removed == 1)
    }
}
