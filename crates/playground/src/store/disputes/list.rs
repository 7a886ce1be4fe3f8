//! Lists of disputes: filtered, sorted, a page at a time. A page begins after a dispute, not at a place,
//! so that what is raised meanwhile moves nothing.

use klarna_types::ids::MerchantId;
use storage::{ToValue, Tx};

use crate::domain::dispute::Dispute;
use crate::store::{StoreError, from_document};

/// By what a list can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    /// By when they were raised.
    Created,
    /// By when they were closed; those that are open come last.
    Closed,
    /// By their deadline; those without come last.
    Deadline,
}

impl SortKey {
    fn column(self) -> &'static str {
        match self {
            Self::Created => "created_at_ms",
            Self::Closed => "COALESCE(closed_at_ms, 9223372036854775807)",
            Self::Deadline => "COALESCE(deadline_at_ms, 9223372036854775807)",
        }
    }
}

/// Which disputes are wanted. An empty list stands for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Of these merchants; nobody else's are ever found.
    pub(crate) merchants: Vec<MerchantId>,
    /// Of these orders.
    pub(crate) order_ids: Vec<String>,
    /// In these states of version 4.
    pub(crate) states: Vec<String>,
    /// In these stages.
    pub(crate) stages: Vec<String>,
    /// With these investigation statuses.
    pub(crate) statuses: Vec<String>,
    /// For these reasons.
    pub(crate) reasons: Vec<String>,
    /// With these first references.
    pub(crate) references1: Vec<String>,
    /// With these second references.
    pub(crate) references2: Vec<String>,
    /// From when on, and before when, they were raised, in milliseconds.
    pub(crate) created: (Option<i64>, Option<i64>),
    /// The same for when they were closed.
    pub(crate) closed: (Option<i64>, Option<i64>),
    /// The same for when they last changed.
    pub(crate) updated: (Option<i64>, Option<i64>),
    /// The same for their deadline.
    pub(crate) deadline: (Option<i64>, Option<i64>),
    /// In this order; `true` means descending.
    pub(crate) sort: Vec<(SortKey, Descending)>,
    /// How many at most.
    pub(crate) limit: i64,
    /// Only what comes after this dispute.
    pub(crate) after: Option<String>,
}

/// Whether a list goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descending {
    /// It goes up.
    No,
    /// It goes down.
    Yes,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    /// The disputes, as they were last written.
    pub(crate) disputes: Vec<Dispute>,
    /// How many there are on all pages.
    pub(crate) total: u64,
    /// Whether another page follows.
    pub(crate) more: bool,
}

/// Conditions and their parameters.
#[derive(Default)]
struct Query {
    conditions: Vec<String>,
    params: Vec<Box<dyn ToValue>>,
}

impl Query {
    fn param(&mut self, value: impl ToValue + 'static) -> String {
        self.params.push(Box::new(value));
        format!("${}", self.params.len())
    }

    fn one_of(&mut self, column: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let places: Vec<String> = values.iter().map(|value| self.param(value.clone())).collect();
        self.conditions.push(format!("{column} IN ({})", places.join(", ")));
    }

    fn between(&mut self, column: &str, (from, before): (Option<i64>, Option<i64>)) {
        if let Some(from) = from {
            let place = self.param(from);
            self.conditions.push(format!("{column} >= {place}"));
        }
        if let Some(before) = before {
            let place = self.param(before);
            self.conditions.push(format!("{column} < {place}"));
        }
    }

    fn text(&self) -> String {
        self.conditions.join(" AND ")
    }

    fn params(&self) -> Vec<&dyn ToValue> {
        self.params.iter().map(AsRef::as_ref).collect()
    }
}

/// A page of disputes; nothing if `after` names none of these merchants'.
pub(crate) fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<Option<Page>, StoreError> {
    let mut query = Query::default();
    let merchants: Vec<String> =
        filter.merchants.iter().map(|merchant| merchant.as_str().to_owned()).collect();
    if merchants.is_empty() {
        return Ok(Some(Page { disputes: Vec::new(), total: 0, more: false }));
    }
    query.one_of("merchant_id", &merchants);
    query.one_of("order_id", &filter.order_ids);
    query.one_of("state", &filter.states);
    query.one_of("stage", &filter.stages);
    query.one_of("investigation_status", &filter.statuses);
    query.one_of("reason", &filter.reasons);
    query.one_of("merchant_reference1", &filter.references1);
    query.one_of("merchant_reference2", &filter.references2);
    query.between("created_at_ms", filter.created);
    query.between("closed_at_ms", filter.closed);
    query.between("updated_at_ms", filter.updated);
    query.between("deadline_at_ms", filter.deadline);
    let sql = format!("SELECT COUNT(*) FROM disputes WHERE {}", query.text());
    let total: i64 = match tx.query_dynamic(&sql, &query.params())?.first() {
        Some(row) => row.get(0)?,
        None => 0,
    };
    if let Some(after) = &filter.after
        && !begin_after(tx, filter, &merchants, after, &mut query)?
    {
        return Ok(None);
    }
    let order: Vec<String> = filter
        .sort
        .iter()
        .map(|(key, descending)| match descending {
            Descending::No => format!("{} ASC", key.column()),
            Descending::Yes => format!("{} DESC", key.column()),
        })
        .chain(["dispute_id ASC".to_owned()])
        .collect();
    let limit = query.param(filter.limit.saturating_add(1));
    let sql = format!(
        "SELECT document FROM disputes WHERE {} ORDER BY {} LIMIT {limit}",
        query.text(),
        order.join(", ")
    );
    let rows = tx.query_dynamic(&sql, &query.params())?;
    let wanted = usize::try_from(filter.limit).unwrap_or(0);
    let disputes = rows
        .iter()
        .take(wanted)
        .map(|row| from_document("dispute", row.get(0)?))
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(Page { disputes, total: u64::try_from(total).unwrap_or(0), more: rows.len() > wanted }))
}

/// Adds the condition that leaves out everything up to a dispute. `false` if there is no such dispute.
fn begin_after(
    tx: &mut Tx<'_>,
    filter: &Filter,
    merchants: &[String],
    after: &str,
    query: &mut Query,
) -> Result<bool, StoreError> {
    let columns: Vec<&str> = filter.sort.iter().map(|(key, _)| key.column()).collect();
    let mut found = Query::default();
    let place = found.param(after.to_owned());
    found.conditions.push(format!("dispute_id = {place}"));
    found.one_of("merchant_id", merchants);
    let sql = format!(
        "SELECT {} FROM disputes WHERE {}",
        columns.iter().copied().chain(["1"]).collect::<Vec<_>>().join(", "),
        found.text()
    );
    let rows = tx.query_dynamic(&sql, &found.params())?;
    let Some(row) = rows.first() else { return Ok(false) };
    let mut alternatives = Vec::new();
    let mut equal = String::new();
    for (index, (key, descending)) in filter.sort.iter().enumerate() {
        let value: i64 = row.get(index)?;
        let sign = match descending {
            Descending::No => '>',
            Descending::Yes => '<',
        };
        let column = key.column();
        let place = query.param(value);
        alternatives.push(format!("({equal}{column} {sign} {place})"));
        equal = format!("{equal}{column} = {place} AND ");
    }
    let place = query.param(after.to_owned());
    alternatives.push(format!("({equal}dispute_id > {place})"));
    query.conditions.push(format!("({})", alternatives.join(" OR ")));
    Ok(true)
}
