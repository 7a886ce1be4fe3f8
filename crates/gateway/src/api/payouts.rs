//! `GET /v1/payouts` and `GET /v1/payouts/{id}`: what Klarna has paid out, and what that is made of.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use klarna_types::MinorUnits;
use klarna_types::settlements::{SettlementType, Totals};
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Caller, wrong_query};
use super::payments::list::{cursor_of, read_cursor};
use super::problem::Problem;
use super::webhooks::standing::instant;
use crate::app::App;
use crate::domain::payout::{Difference, Entry, Payout};
use crate::fault::Fault;
use crate::store::payouts::{self, Filter};

const DEFAULT_LIMIT: i64 = 20;
const LARGEST_LIMIT: i64 = 100;

/// What a payout is made of, in minor units. An amount is without a sign; its name says what it does.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TotalsView {
    /// Captures.
    #[schema(value_type = i64)]
    pub sales: MinorUnits,
    /// Refunds by the store.
    #[schema(value_type = i64)]
    pub returns: MinorUnits,
    /// What Klarna gave back to shoppers, after disputes above all.
    #[schema(value_type = i64)]
    pub reversals: MinorUnits,
    /// Klarna's fees and their tax, less what was given back of them.
    #[schema(value_type = i64)]
    pub fees: MinorUnits,
    /// Other debits.
    #[schema(value_type = i64)]
    pub charges: MinorUnits,
    /// Other credits.
    #[schema(value_type = i64)]
    pub credits: MinorUnits,
    /// Withheld as a reserve.
    #[schema(value_type = i64)]
    pub held_back: MinorUnits,
    /// Paid after it was withheld.
    #[schema(value_type = i64)]
    pub released: MinorUnits,
    /// Debt that it paid back.
    #[schema(value_type = i64)]
    pub repaid: MinorUnits,
    /// What the store owes Klarna after it.
    #[schema(value_type = i64)]
    pub debt_after: MinorUnits,
}

impl TotalsView {
    fn of(totals: &Totals, fees: MinorUnits) -> Self {
        Self {
            sales: totals.sale_amount,
            returns: totals.return_amount,
            reversals: totals.reversal_amount,
            fees,
            charges: totals.charge_amount,
            credits: totals.credit_amount,
            held_back: totals.holdback_amount,
            released: totals.release_amount,
            repaid: totals.repay_amount,
            debt_after: totals.closing_debt_balance_amount,
        }
    }
}

/// Two amounts that should be the same and are not.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DifferenceView {
    /// What is compared, by Klarna's name.
    pub of: String,
    /// What Klarna's total says, in minor units.
    pub total: i64,
    /// What its parts come to.
    pub parts: i64,
}

impl From<&Difference> for DifferenceView {
    fn from(difference: &Difference) -> Self {
        Self { of: difference.of.clone(), total: difference.total, parts: difference.parts }
    }
}

/// A payout.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayoutView {
    /// Its id.
    pub id: String,
    /// Klarna's name for it; it stands on the bank statement.
    pub reference: String,
    /// Klarna's name of the merchant who is paid.
    pub merchant_id: String,
    /// The currency of every amount in it.
    pub currency: String,
    /// What is paid out, in minor units.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// `NET` when fees are deducted, `GROSS` when they are invoiced, `GROSS_FEE` for that invoice.
    #[schema(value_type = String)]
    pub settlement_type: SettlementType,
    /// What it is made of.
    pub totals: TotalsView,
    /// When Klarna starts the transfer; the bank has it about one banking day later.
    pub paid_at: String,
    /// How many entries it has.
    pub entry_count: i64,
    /// What does not add up between Klarna's totals and the entries; empty when all is well.
    pub differences: Vec<DifferenceView>,
}

impl From<&Payout> for PayoutView {
    fn from(payout: &Payout) -> Self {
        Self {
            id: payout.id.clone(),
            reference: payout.reference.clone(),
            merchant_id: payout.merchant_id.clone(),
            currency: payout.currency.as_str().to_owned(),
            amount: payout.totals.settlement_amount,
            settlement_type: payout.settlement_type.clone(),
            totals: TotalsView::of(&payout.totals, payout.fees()),
            paid_at: time(payout.paid_at_ms),
            entry_count: payout.entries,
            differences: payout.differences.iter().map(DifferenceView::from).collect(),
        }
    }
}

/// One entry of a payout.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EntryView {
    /// Klarna's type in lower case: `sale`, `return`, `fee`, `reversal` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Klarna's closer type in lower case, such as `purchase_fee_fixed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it does to the payout, in minor units: below zero it takes. Without tax.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// The tax on a fee, in minor units, which is taken besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub tax: Option<MinorUnits>,
    /// The payment, if it is one of this store's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Klarna's id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_order_id: Option<String>,
    /// The shop's order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference: Option<String>,
    /// The capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// The refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// When it was registered at Klarna.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            kind: entry.kind.clone(),
            detail: entry.detail.clone(),
            amount: entry.amount,
            tax: entry.vat,
            payment_id: entry.payment_id.clone(),
            klarna_order_id: entry.order_id.clone(),
            merchant_reference: entry.merchant_reference.clone(),
            capture_id: entry.capture_id.clone(),
            refund_id: entry.refund_id.clone(),
            at: entry.at_ms.map(time),
        }
    }
}

/// A page of payouts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PayoutList {
    /// Newest first.
    pub data: Vec<PayoutView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A payout with a page of its entries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PayoutDetail {
    /// The payout.
    #[serde(flatten)]
    pub payout: PayoutView,
    /// Its entries, in the order of time.
    pub entries: Vec<EntryView>,
    /// Where the next page of entries begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PayoutQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Only payouts in this currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// Only the payout of this name of Klarna's.
    #[serde(default)]
    pub reference: Option<String>,
    /// Only payouts from then on, such as `2031-05-04T00:00:00Z`.
    #[serde(default)]
    pub from: Option<String>,
    /// Only payouts from before then.
    #[serde(default)]
    pub until: Option<String>,
}

/// What the entries are narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct EntryQuery {
    /// How many entries, 1 to 100; 100 if it is left out.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

pub(super) fn limit_of(given: Option<i64>, default: i64) -> Result<i64, Problem> {
    let limit = given.unwrap_or(default);
    if (1..=LARGEST_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid("limit", format!("limit: {limit} is not between 1 and 100.")))
    }
}

pub(super) fn place_of(cursor: Option<&String>) -> Result<Option<(i64, String)>, Problem> {
    let read = |cursor: &String| {
        read_cursor(cursor).ok_or_else(|| {
            Problem::invalid("cursor", "cursor: use the next_cursor of a page as it is.")
        })
    };
    cursor.map(read).transpose()
}

/// Keeps `limit` of what was found with one more; answers whether there was one more.
pub(super) fn cut<T>(found: &mut Vec<T>, limit: i64) -> bool {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    more
}

/// Lists what Klarna has paid out, newest first.
#[utoipa::path(get, path = "/v1/payouts", tag = "payouts", params(PayoutQuery),
    responses((status = 200, body = PayoutList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PayoutQuery>, QueryRejection>,
) -> Result<Json<PayoutList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = limit_of(query.limit, DEFAULT_LIMIT)?;
    let at =
        |member: &str, text: Option<&String>| text.map(|text| instant(member, text)).transpose();
    let filter = Filter {
        currency: query.currency.map(|currency| currency.to_ascii_uppercase()),
        reference: query.reference,
        from_ms: at("from", query.from.as_ref())?,
        until_ms: at("until", query.until.as_ref())?,
        before: place_of(query.cursor.as_ref())?,
    };
    let mut found = app
        .database()
        .read_long(move |tx| payouts::list(tx, &caller.store_id, &filter, limit + 1))
        .await?;
    let more = cut(&mut found, limit);
    let last = found.last().filter(|_| more);
    Ok(Json(PayoutList {
        next_cursor: last.map(|last| cursor_of(last.paid_at_ms, &last.id)),
        data: found.iter().map(PayoutView::from).collect(),
    }))
}

/// Reads a payout and what it is made of.
#[utoipa::path(get, path = "/v1/payouts/{id}", tag = "payouts",
    params(("id" = String, Path), EntryQuery),
    responses((status = 200, body = PayoutDetail), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<EntryQuery>, QueryRejection>,
) -> Result<Json<PayoutDetail>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = limit_of(query.limit, LARGEST_LIMIT)?;
    let from = place_of(query.cursor.as_ref())?.map_or(0, |(place, _)| place);
    let found = app
        .database()
        .read_long(move |tx| {
            let store_id = &caller.store_id;
            let payout = payouts::get_in(tx, store_id, &id)?.filter(|payout| payout.complete);
            let Some(payout) = payout else { return Ok(None) };
            let entries = payouts::entries(tx, store_id, &id, from, limit + 1)?;
            Ok::<_, Fault>(Some((payout, entries)))
        })
        .await?;
    let Some((payout, mut entries)) = found else { return Err(Problem::not_found("payout")) };
    let more = cut(&mut entries, limit);
    let last = entries.last().filter(|_| more);
    Ok(Json(PayoutDetail {
        next_cursor: last.map(|(place, _)| cursor_of(place + 1, &payout.id)),
        payout: PayoutView::from(&payout),
        entries: entries.iter().map(|(_, entry)| EntryView::from(entry)).collect(),
    }))
}

/// What of a payment is in a payout.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PaidOutView {
    /// The payout.
    pub payout_id: String,
    /// Klarna's name for it.
    pub reference: String,
    /// When Klarna starts the transfer.
    pub paid_at: String,
    /// The payment's entries in it.
    pub entries: Vec<EntryView>,
}

impl From<&(Payout, Vec<Entry>)> for PaidOutView {
    fn from((payout, entries): &(Payout, Vec<Entry>)) -> Self {
        Self {
            payout_id: payout.id.clone(),
            reference: payout.reference.clone(),
            paid_at: time(payout.paid_at_ms),
            entries: entries.iter().map(EntryView::from).collect(),
        }
    }
}
