//! What Klarna has paid out: a list, and each payout with what it is made of.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use klarna_types::settlements::SettlementType;
use klarna_types::{Currency, MinorUnits};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Person, format, layout};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::domain::payout::{Entry, Payout};
use crate::fault::Fault;
use crate::store::payouts::{self, Filter};

const PAGE: i64 = 25;
/// So many entries are shown at once.
const ENTRIES: i64 = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    q: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<ListQuery>,
) -> Response {
    let search = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let filter = Filter {
        reference: search.map(ToOwned::to_owned),
        before: query.cursor.as_deref().and_then(read_cursor),
        ..Filter::default()
    };
    let store_id = person.store_id.clone();
    let found =
        app.database().read_long(move |tx| payouts::list(tx, &store_id, &filter, PAGE + 1)).await;
    match found {
        Ok(mut found) => {
            let more = found.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
            if more {
                found.pop();
            }
            let content = view(&found, more, search);
            layout::page("Payouts", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(found: &[Payout], more: bool, search: Option<&str>) -> Markup {
    html! {
        div.head {
            h1 { "Payouts" }
            form.search role="search" method="get" action="/dashboard/payouts" {
                label.hidden for="q" { "Search" }
                input #q type="search" name="q" value=(search.unwrap_or_default())
                    placeholder="Reference on the bank statement";
                button type="submit" { "Search" }
            }
        }
        @if found.is_empty() {
            section.card.empty {
                @if search.is_some() {
                    h2 { "Nothing found" }
                    p.muted { "No payout has this reference. Search takes the whole of it." }
                    p { a.button href="/dashboard/payouts" { "Show all payouts" } }
                } @else {
                    h2 { "Nothing was paid out yet" }
                    p.muted { "Klarna pays out what was captured, days later and less its fees, on the days that were agreed. Each payout stands here within an hour, with every payment that is in it." }
                }
            }
        } @else {
            ul.payments { @for payout in found { (row(payout)) } }
            @if let Some(last) = found.last().filter(|_| more) {
                p.more {
                    a.button href={ "/dashboard/payouts?cursor=" (cursor_of(last.paid_at_ms, &last.id)) } { "Older payouts" }
                }
            }
        }
    }
}

fn row(payout: &Payout) -> Markup {
    html! {
        li {
            a.row href={ "/dashboard/payouts/" (payout.id) } {
                span.who {
                    strong { (payout.reference) }
                    span.muted { (payout.entries) " entries" }
                }
                span.when.muted { (format::moment(payout.paid_at_ms)) }
                span.what { (chips(payout)) }
                span.much { (format::money(payout.totals.settlement_amount, &payout.currency)) }
            }
        }
    }
}

fn chips(payout: &Payout) -> Markup {
    html! {
        @match payout.settlement_type {
            SettlementType::GrossFee => { span.chip { "Invoice of fees" } }
            SettlementType::Gross => { span.chip { "Fees invoiced" } }
            _ => {}
        }
        @if !payout.differences.is_empty() { span.chip.rejected { "Does not add up" } }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PayoutQuery {
    #[serde(default)]
    from: Option<String>,
}

pub(super) async fn payout(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<PayoutQuery>,
) -> Response {
    let from = query.from.as_deref().and_then(|from| from.parse().ok()).unwrap_or(0_i64).max(0);
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let payout = payouts::get_in(tx, &store_id, &id)?.filter(|payout| payout.complete);
            let Some(payout) = payout else { return Ok(None) };
            let entries = payouts::entries(tx, &store_id, &id, from, ENTRIES + 1)?;
            Ok::<_, Fault>(Some((payout, entries)))
        })
        .await;
    match found {
        Ok(Some((payout, mut entries))) => {
            let more = entries.len() > usize::try_from(ENTRIES).unwrap_or(usize::MAX);
            if more {
                entries.pop();
            }
            let next = entries.last().filter(|_| more).map(|(place, _)| place + 1);
            let content = detail(&payout, &entries, next);
            layout::page(&payout.reference, Some(&person), &content).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(&person),
            "No such payout",
            "There is no payout at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

/// What a payout is made of: a name, an amount, and whether it takes.
fn parts(payout: &Payout) -> Vec<(&'static str, MinorUnits, bool)> {
    let totals = &payout.totals;
    let mut parts = vec![
        ("Captured", totals.sale_amount, false),
        ("Refunded", totals.return_amount, true),
        ("Given back by Klarna after disputes", totals.reversal_amount, true),
        ("Klarna's fees with tax", payout.fees(), true),
        ("Corrections of fees", totals.fee_correction_amount, false),
        ("Commissions", totals.commission_amount, false),
        ("Commissions taken back", totals.commission_reversal_amount, true),
        ("Other debits", totals.charge_amount, true),
        ("Other credits", totals.credit_amount, false),
        ("Held back as a reserve", totals.holdback_amount, true),
        ("Released of the reserve", totals.release_amount, false),
        ("Debt paid back", totals.repay_amount, true),
        ("Carried over as debt", totals.deposit_amount, false),
    ];
    parts.retain(|(_, amount, _)| !amount.is_zero());
    parts
}

fn signed(amount: MinorUnits, takes: bool, currency: &Currency) -> String {
    let amount = if takes { amount.checked_neg().unwrap_or(amount) } else { amount };
    format::money(amount, currency)
}

fn detail(payout: &Payout, entries: &[(i64, Entry)], next: Option<i64>) -> Markup {
    let currency = &payout.currency;
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard/payouts" { "Payouts" } span { (payout.reference) } }
        div.head {
            div {
                h1 { (payout.reference) }
                p.chips { (chips(payout)) }
            }
            p.total { (format::money(payout.totals.settlement_amount, currency)) }
        }
        @if !payout.differences.is_empty() {
            div.notice.bad role="alert" {
                p { strong { "This payout does not add up." } " Klarna's totals say something else than its entries:" }
                ul {
                    @for each in &payout.differences {
                        li { (format::words(&each.of)) ": " (format::money(MinorUnits::new(each.total), currency)) " and not " (format::money(MinorUnits::new(each.parts), currency)) }
                    }
                }
                p { strong { "What to do: " } "Compare it with the report in Klarna's merchant portal, and ask Klarna." }
            }
        }
        div.columns {
            section.card {
                h2 { "What is in it" }
                (table(payout, entries))
                @if let Some(next) = next {
                    p.more { a.button href={ "/dashboard/payouts/" (payout.id) "?from=" (next) } { "More entries" } }
                }
            }
            aside {
                section.card {
                    h2 { "How it is made up" }
                    table.sums {
                        tbody {
                            @for (name, amount, takes) in parts(payout) {
                                tr { th scope="row" { (name) } td.number { (signed(amount, takes, currency)) } }
                            }
                        }
                        tfoot {
                            tr {
                                th scope="row" { "Paid out" }
                                td.number { strong { (format::money(payout.totals.settlement_amount, currency)) } }
                            }
                        }
                    }
                }
                section.card {
                    h2 { "Details" }
                    dl.facts {
                        dt { "Transfer begins" } dd { (format::moment(payout.paid_at_ms)) }
                        dt { "Klarna merchant id" } dd { code { (payout.merchant_id) } }
                        @if !payout.totals.closing_debt_balance_amount.is_zero() {
                            dt { "Owed to Klarna after it" }
                            dd { (format::money(payout.totals.closing_debt_balance_amount, currency)) }
                        }
                    }
                }
            }
        }
    }
}

fn table(payout: &Payout, entries: &[(i64, Entry)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Entries" {
            table {
                thead {
                    tr { th scope="col" { "Entry" } th scope="col" { "Payment" } th.number scope="col" { "Amount" } }
                }
                tbody {
                    @for (_, entry) in entries {
                        tr {
                            td {
                                (format::words(&entry.kind))
                                @if let Some(detail) = &entry.detail { span.block.muted { (format::words(detail)) } }
                            }
                            td {
                                @match (&entry.payment_id, &entry.merchant_reference) {
                                    (Some(id), reference) => a href={ "/dashboard/payments/" (id) } { (reference.as_deref().unwrap_or("Payment")) },
                                    (None, Some(reference)) => (reference),
                                    (None, None) => span.muted { "\u{2013}" },
                                }
                            }
                            td.number {
                                (format::money(entry.amount, &payout.currency))
                                @if let Some(tax) = entry.vat.filter(|tax| !tax.is_zero()) {
                                    span.block.muted { "tax " (format::money(tax, &payout.currency)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What of a payment was paid out, for its page; nothing where nothing was.
pub(super) fn card(found: &[(Payout, Vec<Entry>)]) -> Markup {
    html! {
        @if !found.is_empty() {
            section.card {
                h2 { "Payouts" }
                ul.moves {
                    @for (payout, entries) in found {
                        li {
                            span.move {
                                a href={ "/dashboard/payouts/" (payout.id) } { (payout.reference) }
                                span.muted { (format::moment(payout.paid_at_ms)) }
                            }
                            span.much { (format::money(share(entries), &payout.currency)) }
                            span.wide.muted { "of this payment, after fees and tax" }
                        }
                    }
                }
            }
        }
    }
}

/// What entries come to, tax on fees and all.
fn share(entries: &[Entry]) -> MinorUnits {
    let sum = entries.iter().fold(0_i128, |sum, entry| {
        let tax = i128::from(entry.vat.map_or(0, MinorUnits::get).saturating_abs());
        let tax = if entry.amount.get() < 0 { -tax } else { tax };
        sum + i128::from(entry.amount.get()) + tax
    });
    MinorUnits::from_wide(sum).unwrap_or(MinorUnits::ZERO)
}
