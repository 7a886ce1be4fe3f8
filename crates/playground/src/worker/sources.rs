//! Whoever has work that becomes due by itself, apart from callbacks.
//!
//! A source says when it has something to do next, and does some of it in one unit of work. It never
//! waits for the network: what is to be told to a merchant is enqueued as a callback in that unit. When
//! two sources are due at the same instant, the one that stands earlier in the list goes first.

use storage::Tx;

use crate::store::{StoreError, disputes, hosted_pages, orders, settlements};
use crate::{hosting, payment_requests, store};

/// One of them.
#[derive(Debug)]
pub(crate) struct DueSource {
    /// What it is about, for people.
    pub(crate) name: &'static str,
    /// When there is something to do next, in milliseconds of the playground's clock.
    pub(crate) next_due_at: fn(&mut Tx<'_>) -> Result<Option<i64>, StoreError>,
    /// Does some of what was due by `now_ms` and answers for how many things; it is called again until
    /// that is none, so a source bounds what it does at once.
    pub(crate) run_due: fn(&mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError>,
}

/// All of them.
pub(crate) const SOURCES: &[DueSource] = &[
    DueSource {
        name: "orders",
        next_due_at: |tx| Ok(orders::next_due_at(tx)?),
        run_due: |tx, now_ms| Ok(u64::try_from(orders::run_due(tx, now_ms)?).unwrap_or(u64::MAX)),
    },
    DueSource { name: "disputes", next_due_at: disputes::next_due_at, run_due: disputes::run_due },
    // After the orders, so that what is captured at the end of a day is in that day's payout.
    DueSource {
        name: "settlements",
        next_due_at: settlements::next_due_at,
        run_due: settlements::run_due,
    },
    DueSource {
        name: "hosted pages",
        next_due_at: |tx| Ok(hosted_pages::next_idle_at(tx)?),
        run_due: hosting::run_idle,
    },
    DueSource {
        name: "payment requests",
        next_due_at: |tx| Ok(store::payment_requests::next_due_at(tx)?),
        run_due: payment_requests::run_due,
    },
];
