//! How the store is doing: what needs somebody, the figures of the last days, and the latest payments.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use klarna_types::{Currency, MinorUnits};
use maud::{Markup, html};
use serde::Deserialize;

use super::chart::{Chart, Kind, Unit};
use super::{Person, disputes as disputes_page, format, layout, list};
use crate::api::reports::date;
use crate::app::App;
use crate::domain::dispute::Dispute;
use crate::domain::expiry::Policy;
use crate::domain::figures::{self, Figure, Report, day_of};
use crate::domain::payment::Payment;
use crate::domain::role::Permission;
use crate::domain::search::Search;
use crate::fault::Fault;
use crate::store::{disputes, figures as rows, policies, readings, search};

/// The spans that can be looked at, in days.
const SPANS: [i64; 3] = [7, 30, 90];
const DEFAULT_SPAN: i64 = 30;
/// So many of the latest payments are shown.
const LATEST: i64 = 5;
/// So many of the disputes that must be answered are shown.
const PRESSING: i64 = 3;

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    #[serde(default)]
    days: Option<String>,
    #[serde(default)]
    currency: Option<String>,
}

/// Everything that the page shows.
struct Shown {
    reports: Vec<Report>,
    open: Vec<(String, i64, i64)>,
    pressing: Vec<Dispute>,
    unread: usize,
    latest: Vec<Payment>,
    policy: Policy,
}

/// What is looked at.
struct Look {
    days: i64,
    currency: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<PageQuery>,
) -> Response {
    let days = query.days.as_deref().and_then(|days| days.parse().ok());
    let look = Look {
        days: days.filter(|days| SPANS.contains(days)).unwrap_or(DEFAULT_SPAN),
        currency: query.currency.map(|currency| currency.to_ascii_uppercase()),
    };
    let now_ms = app.engine().now_ms();
    let last = day_of(now_ms);
    let first = last - look.days + 1;
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let found = rows::find(tx, &store_id, first, last)?;
            let unread = readings::of_store(tx, &store_id)?.into_iter().filter(|(_, progress)| {
                let trouble = progress.trouble.as_ref();
                trouble.is_some_and(|trouble| trouble.is_worth_telling(now_ms))
            });
            Ok::<_, Fault>(Shown {
                reports: figures::reports(&found, first, last),
                open: disputes::open(tx, &store_id)?,
                pressing: disputes::waiting(tx, &store_id, PRESSING)?,
                unread: unread.count(),
                latest: search::page(tx, &store_id, &Search::default(), now_ms, None, LATEST)?
                    .payments,
                policy: policies::expiry(tx, &store_id)?,
            })
        })
        .await;
    match found {
        Ok(shown) => {
            let content = view(&shown, &look, &person, now_ms);
            layout::page("Overview", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn link(days: i64, currency: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("days", &days.to_string());
    if let Some(currency) = currency {
        query.append_pair("currency", currency);
    }
    format!("/dashboard/overview?{}", query.finish())
}

fn view(shown: &Shown, look: &Look, person: &Person, now_ms: i64) -> Markup {
    let wanted = look.currency.as_deref();
    let report = shown
        .reports
        .iter()
        .find(|report| Some(report.currency.as_str()) == wanted)
        .or_else(|| shown.reports.first());
    html! {
        div data-refresh="20" {}
        div.head {
            h1 { "Overview" }
            @if let Some(report) = report {
                nav.filters aria-label="Days" {
                    @for days in SPANS {
                        a href=(link(days, Some(&report.currency)))
                            aria-current=[(days == look.days).then_some("true")] { (days) " days" }
                    }
                }
            }
        }
        @if let Some(report) = report {
            @if shown.reports.len() > 1 {
                nav.filters aria-label="Currency" {
                    @for each in &shown.reports {
                        a href=(link(look.days, Some(&each.currency)))
                            aria-current=[(each.currency == report.currency).then_some("true")] {
                            (each.currency)
                        }
                    }
                }
            }
            div data-live="needs" { (needs(shown, person, now_ms)) }
            div data-live="tiles" { (tiles(shown, report, look.days)) }
            div.charts data-live="charts" {
                @for chart in charts(report) { (chart.draw()) }
            }
            div data-live="latest" { (latest(shown, now_ms)) }
            p.small.muted { "Days are those of UTC. A capture or refund counts on the day on which the gateway learned of it; amounts of different currencies are never added." }
        } @else {
            div data-live="needs" { (needs(shown, person, now_ms)) }
            (welcome(person))
        }
    }
}

/// What needs somebody; nothing where nothing does.
fn needs(shown: &Shown, person: &Person, now_ms: i64) -> Markup {
    let operations = person.waiting;
    if operations == 0 && shown.pressing.is_empty() && shown.unread == 0 {
        return html! {};
    }
    html! {
        section.card.needs aria-labelledby="needs-heading" {
            h2 #needs-heading { "Needs you" }
            ul.plain {
                @if operations > 0 {
                    li {
                        a href="/dashboard/attention" {
                            (operations) @if operations == 1 { " operation waits" } @else { " operations wait" } " for a decision"
                        }
                    }
                }
                @for dispute in &shown.pressing {
                    li { (disputes_page::pressing(dispute, now_ms)) }
                }
                @if shown.unread > 0 {
                    li { a href="/dashboard/attention" { "Payouts or disputes of an account cannot be read" } }
                }
            }
        }
    }
}

/// `97.50 %`, of ten thousandths.
fn percent(rate: i64) -> String {
    format!("{}.{:02}\u{a0}%", rate / 100, rate % 100)
}

fn times(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn tiles(shown: &Shown, report: &Report, days: i64) -> Markup {
    let currency = Currency::from(report.currency.as_str());
    let money = |minor| format::money(MinorUnits::new(minor), &currency);
    let of = |figure| report.span.of(figure);
    let open = shown.open.iter().find(|(currency, ..)| *currency == report.currency);
    let (orders, approved) = (of(Figure::Authorized), of(Figure::Approved).times);
    let declined = of(Figure::Declined).times;
    let to_come = report.ever.to_come();
    let paid = of(Figure::PaidOut);
    html! {
        dl.tiles {
            div.card {
                dt { "Captured" }
                dd { (money(of(Figure::Captured).minor)) }
                dd.small.muted { (money(orders.minor)) " authorised in " (times(orders.times, "order", "orders")) }
            }
            div.card {
                dt { "Approval rate" }
                dd { @if let Some(rate) = report.span.approval_rate() { (percent(rate)) } @else { "\u{2013}" } }
                dd.small.muted { (approved) " approved, " (declined) " declined" }
            }
            div.card {
                dt { "Refunded" }
                dd { (money(of(Figure::Refunded).minor)) }
                dd.small.muted { (times(of(Figure::Refunded).times, "refund", "refunds")) }
            }
            div.card {
                dt { a href="/dashboard/disputes" { "Open disputes" } }
                dd { (open.map_or(0, |(_, count, _)| *count)) }
                dd.small.muted {
                    (money(open.map_or(0, |(_, _, amount)| *amount))) " at stake; "
                    (of(Figure::Disputed).times) " raised, " (of(Figure::DisputeLost).times) " lost in " (days) " days"
                }
            }
            div.card {
                dt { "Money to come" }
                dd { (money(to_come)) }
                dd.small.muted {
                    @if to_come < 0 { "Klarna takes it from the next payouts" }
                    @else { "captured and in no payout yet, before fees" }
                }
            }
            div.card {
                dt { a href="/dashboard/payouts" { "Paid out" } }
                dd { (money(paid.minor)) }
                dd.small.muted { (times(paid.times, "payout", "payouts")) ", " (money(of(Figure::Fees).minor)) " in fees" }
            }
        }
    }
}

fn charts(report: &Report) -> Vec<Chart> {
    let currency = Currency::from(report.currency.as_str());
    let money = |minor| format::money(MinorUnits::new(minor), &currency);
    let of = |figure| report.span.of(figure);
    let by_day = |values: &dyn Fn(&figures::Sums) -> Vec<i64>| {
        report.days.iter().map(|(day, sums)| (date(*day), values(sums))).collect::<Vec<_>>()
    };
    let rate = report.span.approval_rate().map_or_else(
        || "Nobody has confirmed a checkout.".to_owned(),
        |rate| format!("{} of the confirmed checkouts were approved.", percent(rate)),
    );
    vec![
        Chart {
            id: "captured",
            title: "Captured",
            says: format!("{} in all.", money(of(Figure::Captured).minor)),
            unit: Unit::Money(currency.clone()),
            kinds: vec![Kind { name: "Captured", class: "kept" }],
            days: by_day(&|sums| vec![sums.of(Figure::Captured).minor]),
        },
        Chart {
            id: "confirmed",
            title: "Confirmed checkouts",
            says: rate,
            unit: Unit::Count,
            kinds: vec![
                Kind { name: "Approved", class: "kept" },
                Kind { name: "Declined", class: "refused" },
            ],
            days: by_day(&|sums| {
                vec![sums.of(Figure::Approved).times, sums.of(Figure::Declined).times]
            }),
        },
        Chart {
            id: "refunded",
            title: "Refunded",
            says: format!("{} in all.", money(of(Figure::Refunded).minor)),
            unit: Unit::Money(currency.clone()),
            kinds: vec![Kind { name: "Refunded", class: "refunded" }],
            days: by_day(&|sums| vec![sums.of(Figure::Refunded).minor]),
        },
        Chart {
            id: "disputed",
            title: "Disputes",
            says: format!(
                "{} raised, {} won, {} lost.",
                of(Figure::Disputed).times,
                of(Figure::DisputeWon).times,
                of(Figure::DisputeLost).times
            ),
            unit: Unit::Count,
            kinds: vec![Kind { name: "Raised", class: "refused" }],
            days: by_day(&|sums| vec![sums.of(Figure::Disputed).times]),
        },
    ]
}

fn latest(shown: &Shown, now_ms: i64) -> Markup {
    html! {
        @if !shown.latest.is_empty() {
            div.head { h2 { "Latest payments" } a href="/dashboard" { "All payments" } }
            ul.payments {
                @for payment in &shown.latest { (list::row(payment, &shown.policy, now_ms)) }
            }
        }
    }
}

/// For a store in which nothing was yet.
fn welcome(person: &Person) -> Markup {
    html! {
        section.card.welcome {
            h2 { "Nothing has been sold yet" }
            p { "This page shows what is captured, how many checkouts Klarna approves, what is refunded and disputed, and what Klarna has still to pay out. It begins with the first payment:" }
            ol {
                li { "Open a checkout with your cart: " code { "POST /v1/checkouts" } ". The " a href="/docs" { "reference" } " shows how." }
                li { "Show Klarna's widget, or send the shopper to the hosted page." }
                li { "Confirm with the token that the shopper's browser was given: " code { "POST /v1/checkouts/{id}/confirm" } "." }
            }
            @if person.may(Permission::Serve) {
                p { "Without a shop, begin at the counter: it shows a code that the shopper scans." }
                p { a.button.primary href="/dashboard/counter" { "Open the counter" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_well() {
        assert_eq!(percent(9_750), "97.50\u{a0}%");
        assert_eq!(percent(10_000), "100.00\u{a0}%");
        assert_eq!(percent(5), "0.05\u{a0}%");
    }

    #[test]
    fn links_keep_what_is_looked_at() {
        assert_eq!(link(7, Some("SEK")), "/dashboard/overview?days=7&currency=SEK");
    }
}
