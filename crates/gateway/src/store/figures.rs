//! The figures of each store, by currency and day.
//!
//! A payment must not wait for its store's counter: many units of work would change one row at once.
//! So a unit of work only adds moves of its own, and the janitor folds moves into the counters: it
//! takes them away in the unit of work that adds them up, and so each counts once, whoever dies in
//! between. Whoever reads adds up both.

use std::collections::BTreeMap;

use storage::{Migration, Row, Tx};

use crate::domain::figures::{Figure, Found, Move, Sum, day_of};
use crate::domain::payment::Payment;
use crate::fault::Fault;

/// The tables, and what the payments before them come to. How their captures and refunds were spread
/// over days is not known any more in columns: they count on the day of their order.
pub const MIGRATION: Migration = Migration {
    version: 75,
    name: "figures",
    sql: "
CREATE TABLE figures (
    store_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    figure TEXT NOT NULL,
    day BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (store_id, currency, figure, day)
);
CREATE INDEX figures_by_day ON figures (store_id, day);

CREATE TABLE figure_moves (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    figure TEXT NOT NULL,
    day BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    times BIGINT NOT NULL
);
CREATE INDEX figure_moves_by_store ON figure_moves (store_id);

INSERT INTO figures (store_id, currency, figure, day, minor, times)
SELECT store_id, currency, 'authorized', created_at_ms / 86400000,
       CAST(SUM(authorized_minor) AS BIGINT), COUNT(*)
FROM payments GROUP BY store_id, currency, created_at_ms / 86400000;
INSERT INTO figures (store_id, currency, figure, day, minor, times)
SELECT store_id, currency, 'approved', created_at_ms / 86400000,
       CAST(SUM(authorized_minor) AS BIGINT), COUNT(*)
FROM payments WHERE SUBSTR(checkout_id, 1, 3) <> 'op_'
GROUP BY store_id, currency, created_at_ms / 86400000;
INSERT INTO figures (store_id, currency, figure, day, minor, times)
SELECT store_id, currency, 'captured', created_at_ms / 86400000,
       CAST(SUM(captured_minor) AS BIGINT), COUNT(*)
FROM payments WHERE captured_minor <> 0 GROUP BY store_id, currency, created_at_ms / 86400000;
INSERT INTO figures (store_id, currency, figure, day, minor, times)
SELECT store_id, currency, 'refunded', created_at_ms / 86400000,
       CAST(SUM(refunded_minor) AS BIGINT), COUNT(*)
FROM payments WHERE refunded_minor <> 0 GROUP BY store_id, currency, created_at_ms / 86400000;
",
};

/// Adds a move, under an id that tells what it is of; the same one again changes nothing.
pub fn add(tx: &mut Tx<'_>, store_id: &str, id: &str, moved: &Move) -> Result<(), Fault> {
    if moved.by.is_nothing() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO figure_moves (id, store_id, currency, figure, day, minor, times)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        &[
            &id,
            &store_id,
            &moved.currency,
            &moved.figure.name(),
            &moved.day,
            &moved.by.minor,
            &moved.by.times,
        ],
    )?;
    Ok(())
}

/// Adds several moves of one thing in one of its versions.
pub fn add_all(
    tx: &mut Tx<'_>,
    store_id: &str,
    of: (&str, i64),
    moves: &[Move],
) -> Result<(), Fault> {
    let (id, version) = of;
    for (number, moved) in moves.iter().enumerate() {
        add(tx, store_id, &format!("{id}/{version}/{number}"), moved)?;
    }
    Ok(())
}

/// Counts a payment that was just added.
pub(super) fn count_new(tx: &mut Tx<'_>, payment: &Payment) -> Result<(), Fault> {
    let moved = |figure, minor| Move {
        figure,
        day: day_of(payment.created_at_ms),
        currency: payment.currency.as_str().to_owned(),
        by: Sum::once(minor),
    };
    let amounts = &payment.amounts;
    let mut moves = vec![moved(Figure::Authorized, amounts.authorized.get())];
    if payment.checkout().is_some() {
        moves.push(moved(Figure::Approved, amounts.authorized.get()));
    }
    for (figure, minor) in
        [(Figure::Captured, amounts.captured.get()), (Figure::Refunded, amounts.refunded.get())]
    {
        if minor != 0 {
            moves.push(moved(figure, minor));
        }
    }
    add_all(tx, &payment.store_id, (&payment.id, payment.version), &moves)
}

/// Counts by how much a payment is about to differ from its row. The row itself says what was counted
/// before, whoever wrote it.
pub(super) fn count_change(tx: &mut Tx<'_>, payment: &Payment, now_ms: i64) -> Result<(), Fault> {
    let id = |figure: Figure| format!("{}/{}/{}", payment.id, payment.version, figure.name());
    let [authorized, captured, refunded] =
        [Figure::Authorized, Figure::Captured, Figure::Refunded].map(id);
    tx.execute(
        "INSERT INTO figure_moves (id, store_id, currency, figure, day, minor, times)
         SELECT CAST($2 AS TEXT), store_id, currency, 'authorized', CAST($5 AS BIGINT),
                CAST($6 AS BIGINT) - authorized_minor, 0
         FROM payments WHERE id = $1 AND authorized_minor <> $6
         UNION ALL
         SELECT CAST($3 AS TEXT), store_id, currency, 'captured', CAST($5 AS BIGINT),
                CAST($7 AS BIGINT) - captured_minor, 1
         FROM payments WHERE id = $1 AND captured_minor <> $7
         UNION ALL
         SELECT CAST($4 AS TEXT), store_id, currency, 'refunded', CAST($5 AS BIGINT),
                CAST($8 AS BIGINT) - refunded_minor, 1
         FROM payments WHERE id = $1 AND refunded_minor <> $8",
        &[
            &payment.id,
            &authorized,
            &captured,
            &refunded,
            &day_of(now_ms),
            &payment.amounts.authorized.get(),
            &payment.amounts.captured.get(),
            &payment.amounts.refunded.get(),
        ],
    )?;
    Ok(())
}

/// Whether there are moves to be folded.
pub fn has_moves(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    Ok(tx.query_opt("SELECT id FROM figure_moves LIMIT 1", &[])?.is_some())
}

/// Folds up to `limit` moves into the counters, and answers how many there were. Best called within
/// `write_row_locked`: nodes then fold different moves.
pub fn fold(tx: &mut Tx<'_>, limit: i64) -> Result<usize, Fault> {
    let rows = tx.query(
        "DELETE FROM figure_moves WHERE id IN
             (SELECT id FROM figure_moves ORDER BY id LIMIT $1 {for_update_skip_locked})
         RETURNING store_id, currency, figure, day, minor, times",
        &[&limit],
    )?;
    // In one order everywhere, so that no two nodes wait for each other.
    let mut sums: BTreeMap<(String, String, String, i64), Sum> = BTreeMap::new();
    for row in &rows {
        let place = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let sum = sums.entry(place).or_default();
        *sum = sum.plus(Sum { minor: row.get(4)?, times: row.get(5)? });
    }
    for ((store_id, currency, figure, day), sum) in &sums {
        tx.execute(
            "INSERT INTO figures (store_id, currency, figure, day, minor, times)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (store_id, currency, figure, day) DO UPDATE
             SET minor = figures.minor + $5, times = figures.times + $6",
            &[store_id, currency, figure, day, &sum.minor, &sum.times],
        )?;
    }
    Ok(rows.len())
}

/// What is found of a store, for [`crate::domain::figures::reports`]: the span has both its ends.
pub fn find(
    tx: &mut Tx<'_>,
    store_id: &str,
    first_day: i64,
    last_day: i64,
) -> Result<Found, Fault> {
    let within = tx.query(
        "SELECT figure, day, currency, CAST(SUM(minor) AS BIGINT), CAST(SUM(times) AS BIGINT)
         FROM (SELECT figure, day, currency, minor, times FROM figures
               WHERE store_id = $1 AND day BETWEEN $2 AND $3
               UNION ALL
               SELECT figure, day, currency, minor, times FROM figure_moves
               WHERE store_id = $1 AND day BETWEEN $2 AND $3) AS moves
         GROUP BY figure, day, currency",
        &[&store_id, &first_day, &last_day],
    )?;
    let ever = tx.query(
        "SELECT figure, CAST(0 AS BIGINT), currency,
                CAST(SUM(minor) AS BIGINT), CAST(SUM(times) AS BIGINT)
         FROM (SELECT figure, currency, minor, times FROM figures WHERE store_id = $1
               UNION ALL
               SELECT figure, currency, minor, times FROM figure_moves WHERE store_id = $1) AS moves
         GROUP BY figure, currency",
        &[&store_id],
    )?;
    Ok(Found { within: moves(&within)?, ever: moves(&ever)? })
}

/// Figures that only a later version knows are left out.
fn moves(rows: &[Row]) -> Result<Vec<Move>, Fault> {
    let mut moves = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(figure) = Figure::from_name(row.get(0)?) else { continue };
        let by = Sum { minor: row.get(3)?, times: row.get(4)? };
        moves.push(Move { figure, day: row.get(1)?, currency: row.get(2)?, by });
    }
    Ok(moves)
}
