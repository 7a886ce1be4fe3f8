//! Looking for payments, at the same cost however many there are.
//!
//! A search goes along one index that has the wanted order. What else is asked for is compared on the
//! way, in the index itself, and a page ends after so many rows although it is not full: it then says
//! where to go on. What is found by its reference or id never goes that way.
//!
//! The planner of neither engine is trusted to choose: what must not lead to an index is written as an
//! expression (`status || ''`), so that one index is left. SQLite, which knows nothing of how many rows
//! are where, is told its name.

use std::collections::HashMap;
use std::fmt::Write as _;

use storage::{Engine, Migration, Row, ToValue, Tx};

use super::{checkouts, read_document, write_document};
use crate::domain::payment::{Payment, Status};
use crate::domain::search::{FraudStatus, Place, Search, Sort};
use crate::fault::Fault;

/// Columns to search by. The indexes that begin with the same columns as new ones go: they would be
/// written for nothing, and a version that does not know the new ones is served by them as well.
///
/// The version of a row that its columns were filled in for stands beside them: rows of the version
/// before, and those that it changes during an upgrade, are found by that and filled in.
pub const MIGRATION: Migration = Migration {
    version: 80,
    name: "searching payments",
    sql: "
ALTER TABLE payments ADD COLUMN merchant_reference2 TEXT;
ALTER TABLE payments ADD COLUMN country TEXT;
ALTER TABLE payments ADD COLUMN channel TEXT;
ALTER TABLE payments ADD COLUMN lapses_at_ms BIGINT;
ALTER TABLE payments ADD COLUMN indexed_version BIGINT NOT NULL DEFAULT 0;

CREATE INDEX payments_search_time ON payments (store_id, created_at_ms, id, status, fraud_status,
    currency, country, channel, authorized_minor, lapses_at_ms);
CREATE INDEX payments_search_status ON payments (store_id, status, created_at_ms, id, fraud_status,
    currency, country, channel, authorized_minor, lapses_at_ms);
CREATE INDEX payments_search_amount ON payments (store_id, currency, authorized_minor,
    created_at_ms, id);
CREATE INDEX payments_search_lapse ON payments (store_id, lapses_at_ms, id)
    WHERE lapses_at_ms IS NOT NULL;
CREATE INDEX payments_search_reference2 ON payments (store_id, merchant_reference2)
    WHERE merchant_reference2 IS NOT NULL;
CREATE INDEX payments_to_index ON payments (id) WHERE indexed_version <> version;
DROP INDEX payments_by_time;
DROP INDEX payments_by_status;
",
};

/// So many rows of an index that has all the columns are compared for one page.
const MOST_IN_INDEX: i64 = if cfg!(test) { 40 } else { 20_000 };
/// So many rows are, where each has to be looked up.
const MOST_LOOKED_UP: i64 = if cfg!(test) { 25 } else { 2_000 };
/// Whoever counts stops here.
const MOST_COUNTED: i64 = 1_000;

/// A page of what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order that was asked for.
    pub payments: Vec<Payment>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Place>,
    /// The page ends here because so much was searched, not because it is full.
    pub cut_short: bool,
}

/// How the payments of a search are come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road<'a> {
    /// Along an index in the wanted order.
    Along(Index),
    /// By what is one payment's alone, or a few payments'.
    By(&'static str, &'a str),
    /// By the amount.
    Of(&'a str, i64),
    /// From the operations that wait for a person.
    Waiting,
}

impl Road<'_> {
    /// The index that it goes along, where that is not the only one there could be.
    fn index(self) -> Option<&'static str> {
        match self {
            Self::Along(index) => Some(index.name()),
            Self::By("klarna_reference", _) => Some("payments_by_klarna_reference"),
            Self::By("merchant_reference", _) => Some("payments_by_reference"),
            Self::By("merchant_reference2", _) => Some("payments_search_reference2"),
            Self::Of(..) => Some(Index::Amount.name()),
            // There is one payment of such an id.
            Self::By(..) | Self::Waiting => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Index {
    Time,
    Status,
    Amount,
    Lapse,
}

impl Index {
    fn of(search: &Search) -> Self {
        match (search.sort, search.status) {
            (Sort::Newest | Sort::Oldest, Some(_)) => Self::Status,
            (Sort::Newest | Sort::Oldest, None) => Self::Time,
            (Sort::AmountHigh | Sort::AmountLow, _) => Self::Amount,
            (Sort::Expiring, _) => Self::Lapse,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Time => "payments_search_time",
            Self::Status => "payments_search_status",
            Self::Amount => "payments_search_amount",
            Self::Lapse => "payments_search_lapse",
        }
    }

    /// How many of its rows are compared for one page.
    fn most(self) -> i64 {
        match self {
            Self::Time | Self::Status => MOST_IN_INDEX,
            Self::Amount | Self::Lapse => MOST_LOOKED_UP,
        }
    }
}

/// A statement that is being put together: of fixed pieces; values are parameters.
struct Sql {
    text: String,
    values: Vec<Box<dyn ToValue>>,
}

impl Sql {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Appends a piece in which `?` stands for this value.
    fn push(&mut self, piece: &str, value: impl ToValue + 'static) {
        self.values.push(Box::new(value));
        let parameter = format!("${}", self.values.len());
        self.text.push_str(&piece.replace('?', &parameter));
    }

    fn rows(&self, tx: &mut Tx<'_>) -> Result<Vec<Row>, Fault> {
        let values: Vec<&dyn ToValue> = self.values.iter().map(AsRef::as_ref).collect();
        Ok(tx.query_dynamic(&self.text, &values)?)
    }
}

/// The columns that an order sorts by, before the id.
fn numbers(sort: Sort) -> &'static [&'static str] {
    match sort {
        Sort::Newest | Sort::Oldest => &["created_at_ms"],
        Sort::AmountHigh | Sort::AmountLow => &["authorized_minor", "created_at_ms"],
        Sort::Expiring => &["lapses_at_ms"],
    }
}

fn descends(sort: Sort) -> bool {
    match sort {
        Sort::Newest | Sort::AmountHigh => true,
        Sort::Oldest | Sort::AmountLow | Sort::Expiring => false,
    }
}

/// One way of finding, put into SQL.
struct Way<'a> {
    store_id: &'a str,
    search: &'a Search,
    road: Road<'a>,
    /// What lapses until then lapses soon.
    soon_ms: i64,
    engine: Engine,
}

impl Way<'_> {
    /// Whether a column leads along the index that was chosen.
    fn leads(&self, column: &str) -> bool {
        match self.road {
            Road::Along(Index::Time) => column == "created_at_ms",
            Road::Along(Index::Status) => matches!(column, "created_at_ms" | "status"),
            Road::Along(Index::Amount) => {
                matches!(column, "currency" | "authorized_minor" | "created_at_ms")
            }
            Road::Along(Index::Lapse) => column == "lapses_at_ms",
            Road::By(..) | Road::Of(..) | Road::Waiting => false,
        }
    }

    /// A column of text, so written that it leads to an index only where it should.
    fn word(&self, column: &str) -> String {
        if self.leads(column) { column.to_owned() } else { format!("({column} || '')") }
    }

    /// Likewise of a number.
    fn number(&self, column: &str) -> String {
        if self.leads(column) { column.to_owned() } else { format!("({column} + 0)") }
    }

    /// The columns that this order sorts by, the id last.
    fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> =
            numbers(self.search.sort).iter().map(|column| self.number(column)).collect();
        let along = matches!(self.road, Road::Along(_));
        keys.push(if along { "id".to_owned() } else { "(id || '')".to_owned() });
        keys
    }

    fn begin(&self, columns: &str) -> Sql {
        let hint = match (self.engine, self.road.index()) {
            (Engine::Sqlite, Some(index)) => format!(" INDEXED BY {index}"),
            (Engine::Sqlite, None) | (Engine::Postgres, _) => String::new(),
        };
        let mut sql = Sql::new(&format!("SELECT {columns} FROM payments{hint} WHERE "));
        match self.road {
            Road::Along(index) => {
                sql.push("store_id = ?", self.store_id.to_owned());
                if index == Index::Status
                    && let Some(status) = self.search.status
                {
                    sql.push(" AND status = ?", status.name().to_owned());
                }
                if index == Index::Amount
                    && let Some(currency) = &self.search.currency
                {
                    sql.push(" AND currency = ?", currency.as_str().to_owned());
                }
            }
            // These are nobody else's, whatever the store.
            Road::By(column @ ("id" | "checkout_id" | "klarna_order_id"), value) => {
                sql.push(&format!("{column} = ?"), value.to_owned());
                sql.push(" AND (store_id || '') = ?", self.store_id.to_owned());
            }
            Road::By(column, value) => {
                sql.push("store_id = ?", self.store_id.to_owned());
                sql.push(&format!(" AND {column} = ?"), value.to_owned());
            }
            Road::Of(currency, minor) => {
                sql.push("store_id = ?", self.store_id.to_owned());
                sql.push(" AND currency = ?", currency.to_owned());
                sql.push(" AND authorized_minor = ?", minor);
            }
            Road::Waiting => {
                sql.push(
                    "id IN (SELECT payment_id FROM operations WHERE store_id = ?
                            AND state = 'needs_attention')",
                    self.store_id.to_owned(),
                );
                sql.push(" AND (store_id || '') = ?", self.store_id.to_owned());
            }
        }
        sql
    }

    /// What has to be compared besides; says how much that is.
    fn narrow(&self, sql: &mut Sql) -> usize {
        let search = self.search;
        let before = sql.values.len();
        let along = |index| self.road == Road::Along(index);
        if let Some(status) = search.status.filter(|_| !along(Index::Status)) {
            sql.push(&format!(" AND {} = ?", self.word("status")), status.name().to_owned());
        }
        if let Some(currency) = search.currency.as_ref().filter(|_| !along(Index::Amount)) {
            let piece = format!(" AND {} = ?", self.word("currency"));
            sql.push(&piece, currency.as_str().to_owned());
        }
        match search.fraud {
            None => {}
            Some(FraudStatus::Other) => {
                for known in FraudStatus::NAMED.into_iter().filter_map(FraudStatus::word) {
                    sql.push(" AND (fraud_status || '') <> ?", known.to_owned());
                }
            }
            Some(fraud) => {
                let word = fraud.word().unwrap_or_default();
                sql.push(" AND (fraud_status || '') = ?", word.to_owned());
            }
        }
        if let Some(country) = &search.country {
            sql.push(" AND (country || '') = ?", country.clone());
        }
        if let Some(channel) = search.channel {
            sql.push(" AND (channel || '') = ?", channel.to_owned());
        }
        if !along(Index::Amount) {
            self.bound_amounts(sql);
        }
        if !along(Index::Time) && !along(Index::Status) {
            self.bound_times(sql, Bounds::Both);
        }
        // Along the index of what lapses, it ends where soon ends.
        if search.expiring && !along(Index::Lapse) {
            sql.push(" AND (lapses_at_ms + 0) <= ?", self.soon_ms);
        }
        if search.needs_attention && self.road != Road::Waiting {
            sql.push(
                " AND id IN (SELECT payment_id FROM operations WHERE store_id = ?
                             AND state = 'needs_attention')",
                self.store_id.to_owned(),
            );
        }
        if search.sort == Sort::Expiring && !along(Index::Lapse) {
            sql.text.push_str(" AND lapses_at_ms IS NOT NULL");
        }
        sql.values.len() - before
    }

    fn bound_amounts(&self, sql: &mut Sql) {
        let amount = self.number("authorized_minor");
        if let Some(min) = self.search.amount_min {
            sql.push(&format!(" AND {amount} >= ?"), min);
        }
        if let Some(max) = self.search.amount_max {
            sql.push(&format!(" AND {amount} <= ?"), max);
        }
    }

    /// An index is entered at one place: where a page begins there, the time does not matter any more.
    fn bound_times(&self, sql: &mut Sql, bounds: Bounds) {
        let time = self.number("created_at_ms");
        let (from, until) = match bounds {
            Bounds::Both => (true, true),
            Bounds::Far => (descends(self.search.sort), !descends(self.search.sort)),
        };
        if let Some(from_ms) = self.search.from_ms.filter(|_| from) {
            sql.push(&format!(" AND {time} >= ?"), from_ms);
        }
        if let Some(until_ms) = self.search.until_ms.filter(|_| until) {
            sql.push(&format!(" AND {time} < ?"), until_ms);
        }
    }

    /// The stretch of the index that is gone along, from a place on.
    fn stretch(&self, sql: &mut Sql, after: Option<&Place>) {
        match self.road {
            Road::Along(Index::Time | Index::Status) => {
                let bounds = if after.is_some() { Bounds::Far } else { Bounds::Both };
                self.bound_times(sql, bounds);
            }
            Road::Along(Index::Amount) => self.bound_amounts(sql),
            Road::Along(Index::Lapse) if self.search.expiring => {
                sql.push(" AND lapses_at_ms <= ?", self.soon_ms);
            }
            Road::Along(Index::Lapse) => sql.text.push_str(" AND lapses_at_ms IS NOT NULL"),
            Road::By(..) | Road::Of(..) | Road::Waiting => {}
        }
        if let Some(place) = after {
            self.compare(sql, if descends(self.search.sort) { "<" } else { ">" }, place);
        }
    }

    fn compare(&self, sql: &mut Sql, how: &str, place: &Place) {
        // PostgreSQL guesses how many rows lie between two numbers, and not between two places.
        if let (Road::Along(_), Some(first)) = (self.road, place.numbers.first()) {
            let key = self.number(numbers(self.search.sort).first().copied().unwrap_or_default());
            let roughly = if how.starts_with('<') { "<=" } else { ">=" };
            sql.push(&format!(" AND {key} {roughly} ?"), *first);
        }
        let _ = write!(sql.text, " AND ({}) {how} (", self.keys().join(", "));
        for number in &place.numbers {
            sql.push("?, ", *number);
        }
        sql.push("?)", place.id.clone());
    }

    fn end(&self, sql: &mut Sql, limit: i64) {
        let direction = if descends(self.search.sort) { " DESC" } else { "" };
        let keys: Vec<String> =
            self.keys().into_iter().map(|key| format!("{key}{direction}")).collect();
        let _ = write!(sql.text, " ORDER BY {}", keys.join(", "));
        sql.push(" LIMIT ?", limit);
    }

    /// The places of the first payments that fit; and the place after which nothing was looked at.
    fn places(
        &self,
        tx: &mut Tx<'_>,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<(Vec<Place>, Option<Place>), Fault> {
        let floor = match self.far(after) {
            Some(far) => far.rows(tx)?.first().map(|row| self.place(row)).transpose()?,
            None => None,
        };
        let sql = self.near(after, floor.as_ref(), limit);
        let places = sql.rows(tx)?.iter().map(|row| self.place(row)).collect::<Result<_, _>>()?;
        Ok((places, floor))
    }

    fn columns(&self) -> String {
        format!("{}, id", numbers(self.search.sort).join(", "))
    }

    /// Asks where the search ends at the latest, if anything is compared on the way.
    fn far(&self, after: Option<&Place>) -> Option<Sql> {
        let Road::Along(index) = self.road else { return None };
        if self.narrow(&mut Sql::new("")) == 0 {
            return None;
        }
        let mut sql = self.begin(&self.columns());
        self.stretch(&mut sql, after);
        self.end(&mut sql, 1);
        sql.push(" OFFSET ?", index.most() - 1);
        Some(sql)
    }

    /// Asks for the places of what fits, between those two.
    fn near(&self, after: Option<&Place>, floor: Option<&Place>, limit: i64) -> Sql {
        let mut sql = self.begin(&self.columns());
        self.stretch(&mut sql, after);
        self.narrow(&mut sql);
        if let Some(floor) = floor {
            self.compare(&mut sql, if descends(self.search.sort) { ">=" } else { "<=" }, floor);
        }
        self.end(&mut sql, limit);
        sql
    }

    fn place(&self, row: &Row) -> Result<Place, Fault> {
        let count = numbers(self.search.sort).len();
        let numbers = (0..count).map(|index| row.get(index)).collect::<Result<_, _>>()?;
        Ok(Place { numbers, id: row.get(count)? })
    }
}

/// Which ends of a stretch of time are compared.
#[derive(Clone, Copy)]
enum Bounds {
    Both,
    /// The one that is reached last.
    Far,
}

/// Payments of a store that fit, from a place on. What lapses until `soon_ms` lapses soon.
pub fn page(
    tx: &mut Tx<'_>,
    store_id: &str,
    search: &Search,
    soon_ms: i64,
    after: Option<&Place>,
    limit: i64,
) -> Result<Page, Fault> {
    let (mut places, floor) = places(tx, store_id, search, soon_ms, after, limit + 1)?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = places.len() > wanted;
    places.truncate(wanted);
    let next = if more { places.last().cloned() } else { floor.clone() };
    let payments = of(tx, &places)?;
    Ok(Page { payments, next, cut_short: !more && floor.is_some() })
}

fn places(
    tx: &mut Tx<'_>,
    store_id: &str,
    search: &Search,
    soon_ms: i64,
    after: Option<&Place>,
    limit: i64,
) -> Result<(Vec<Place>, Option<Place>), Fault> {
    let engine = tx.engine();
    let way = |road| Way { store_id, search, road, soon_ms, engine };
    let Some(text) = &search.text else {
        let road =
            if search.needs_attention { Road::Waiting } else { Road::Along(Index::of(search)) };
        return way(road).places(tx, after, limit);
    };
    let mut found = Vec::new();
    for column in [
        "id",
        "checkout_id",
        "klarna_order_id",
        "klarna_reference",
        "merchant_reference",
        "merchant_reference2",
    ] {
        found.extend(way(Road::By(column, &text.exact)).places(tx, after, limit)?.0);
    }
    for (currency, minor) in &text.amounts {
        found.extend(way(Road::Of(currency.as_str(), *minor)).places(tx, after, limit)?.0);
    }
    found.sort_by(|one, other| {
        let order = one.numbers.cmp(&other.numbers).then_with(|| one.id.cmp(&other.id));
        if descends(search.sort) { order.reverse() } else { order }
    });
    found.dedup();
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((found, None))
}

/// The payments at those places, in their order.
fn of(tx: &mut Tx<'_>, places: &[Place]) -> Result<Vec<Payment>, Fault> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT document FROM payments WHERE id IN (");
    for (index, place) in places.iter().enumerate() {
        sql.push(if index == 0 { "?" } else { ", ?" }, place.id.clone());
    }
    sql.text.push(')');
    let mut found = HashMap::with_capacity(places.len());
    for row in sql.rows(tx)? {
        let payment: Payment = read_document("payment", row.get(0)?)?;
        found.insert(payment.id.clone(), payment);
    }
    Ok(places.iter().filter_map(|place| found.remove(&place.id)).collect())
}

/// How many payments of a store are in each status, up to a thousand, which then stands for more.
pub fn counts(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<(Status, i64)>, Fault> {
    let mut counts = Vec::with_capacity(Status::ALL.len());
    for status in Status::ALL {
        let row = tx.query_one(
            "SELECT COUNT(*) FROM (SELECT id FROM payments WHERE store_id = $1 AND status = $2
                                   LIMIT $3) AS counted",
            &[&store_id, &status.name(), &MOST_COUNTED],
        )?;
        counts.push((status, row.get(0)?));
    }
    Ok(counts)
}

/// Whether a count stands for more.
pub fn is_more(count: i64) -> bool {
    count >= MOST_COUNTED
}

/// Whether rows are there whose columns are not filled in for what they say now.
pub fn is_behind(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    let row =
        tx.query_opt("SELECT id FROM payments WHERE indexed_version <> version LIMIT 1", &[])?;
    Ok(row.is_some())
}

/// Fills in the columns of some of them; answers of how many.
pub fn fill_in(tx: &mut Tx<'_>, limit: i64) -> Result<usize, Fault> {
    let rows = tx.query(
        "SELECT document FROM payments WHERE indexed_version <> version LIMIT $1
         {for_update_skip_locked}",
        &[&limit],
    )?;
    for row in &rows {
        let mut payment: Payment = read_document("payment", row.get(0)?)?;
        if let Some(checkout) = checkouts::get(tx, &payment.checkout_id)? {
            payment.channel = Some(checkout.channel);
        }
        let document = write_document("payment", &payment)?;
        tx.execute(
            "UPDATE payments SET document = $3, merchant_reference2 = $4, country = $5,
                                 channel = $6, lapses_at_ms = $7, indexed_version = version
             WHERE id = $1 AND version = $2",
            &[
                &payment.id,
                &payment.version,
                &document,
                &payment.merchant_reference2,
                &payment.country,
                &payment.channel_name(),
                &payment.lapses_at_ms(),
            ],
        )?;
    }
    Ok(rows.len())
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
