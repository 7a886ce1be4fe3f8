//! `GET /v1/reports/overview`: how a store is doing, by day and currency.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checkouts::view::time;
use super::extract::{Caller, wrong_query};
use super::problem::Problem;
use crate::app::App;
use crate::domain::figures::{self, Figure, Report, Sum, Sums, begin_of, day_of};
use crate::fault::Fault;
use crate::store::{disputes, figures as rows};

const DEFAULT_DAYS: i64 = 30;
const MOST_DAYS: i64 = 366;

/// Which days are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct OverviewQuery {
    /// So many days up to today, 1 to 366; 30 if it is left out. Days are those of UTC.
    #[serde(default)]
    #[param(minimum = 1, maximum = 366)]
    pub days: Option<i64>,
    /// Only this currency.
    #[serde(default)]
    pub currency: Option<String>,
}

/// An amount, and of how many.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct SumView {
    /// In minor units.
    pub amount: i64,
    /// How many.
    pub count: i64,
}

impl From<Sum> for SumView {
    fn from(sum: Sum) -> Self {
        Self { amount: sum.minor, count: sum.times }
    }
}

/// The figures of a day, or of several.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FiguresView {
    /// Orders that Klarna made.
    pub authorized: SumView,
    /// Those of them that came of a confirmed checkout: charges of a customer token do not.
    pub approved: SumView,
    /// Confirmed checkouts that Klarna declined.
    pub declined: SumView,
    /// The approved share of the confirmed checkouts in ten thousandths: 9750 is 97.50 %. Absent while
    /// there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_rate: Option<i64>,
    /// What was captured.
    pub captured: SumView,
    /// What was given back.
    pub refunded: SumView,
    /// Disputes that were raised.
    pub disputed: SumView,
    /// Disputes that were won.
    pub disputes_won: SumView,
    /// Disputes that were lost.
    pub disputes_lost: SumView,
    /// What was paid out.
    pub paid_out: SumView,
    /// What Klarna took for its services in payouts and invoices, with tax.
    pub fees: SumView,
}

impl From<&Sums> for FiguresView {
    fn from(sums: &Sums) -> Self {
        let of = |figure| SumView::from(sums.of(figure));
        Self {
            authorized: of(Figure::Authorized),
            approved: of(Figure::Approved),
            declined: of(Figure::Declined),
            approval_rate: sums.approval_rate(),
            captured: of(Figure::Captured),
            refunded: of(Figure::Refunded),
            disputed: of(Figure::Disputed),
            disputes_won: of(Figure::DisputeWon),
            disputes_lost: of(Figure::DisputeLost),
            paid_out: of(Figure::PaidOut),
            fees: of(Figure::Fees),
        }
    }
}

/// One day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DayView {
    /// Such as `2031-05-04`; a day of UTC.
    pub date: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// One currency.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CurrencyView {
    /// The currency of every amount in it.
    pub currency: String,
    /// All days together.
    pub total: FiguresView,
    /// Captured, not given back, and in no payout yet, in minor units; before Klarna's fees, which are
    /// known once a payout is made. Below zero when more is to be given back than is to come.
    pub to_come: i64,
    /// Disputes that are open now.
    pub open_disputes: SumView,
    /// Each day, the first one first.
    pub days: Vec<DayView>,
}

/// How a store is doing.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OverviewView {
    /// When the first day begins.
    pub from: String,
    /// Until when it is counted: now.
    pub until: String,
    /// One for each currency; amounts of different currencies are never added.
    pub currencies: Vec<CurrencyView>,
}

/// A day by its date.
pub(crate) fn date(day: i64) -> String {
    Timestamp::from_millisecond(begin_of(day))
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}

fn currency_view(report: &Report, open: &[(String, i64, i64)]) -> CurrencyView {
    let open = open.iter().find(|(currency, ..)| *currency == report.currency);
    CurrencyView {
        currency: report.currency.clone(),
        total: FiguresView::from(&report.span),
        to_come: report.ever.to_come(),
        open_disputes: open.map_or(SumView { amount: 0, count: 0 }, |(_, count, amount)| SumView {
            amount: *amount,
            count: *count,
        }),
        days: report
            .days
            .iter()
            .map(|(day, sums)| DayView { date: date(*day), figures: FiguresView::from(sums) })
            .collect(),
    }
}

/// Reads how the store is doing, by day and currency.
#[utoipa::path(get, path = "/v1/reports/overview", tag = "reports", params(OverviewQuery),
    responses((status = 200, body = OverviewView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn overview(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<OverviewQuery>, QueryRejection>,
) -> Result<Json<OverviewView>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let days = query.days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::invalid("days", format!("days: {days} is not between 1 and 366.")));
    }
    let now_ms = app.engine().now_ms();
    let last = day_of(now_ms);
    let first = last - days + 1;
    let (found, open) = app
        .database()
        .read_long(move |tx| {
            let found = rows::find(tx, &caller.store_id, first, last)?;
            Ok::<_, Fault>((found, disputes::open(tx, &caller.store_id)?))
        })
        .await?;
    let wanted = query.currency.map(|currency| currency.to_ascii_uppercase());
    let mut reports = figures::reports(&found, first, last);
    reports.retain(|report| wanted.as_ref().is_none_or(|wanted| *wanted == report.currency));
    Ok(Json(OverviewView {
        from: time(begin_of(first)),
        until: time(now_ms),
        currencies: reports.iter().map(|report| currency_view(report, &open)).collect(),
    }))
}
