//! The forms and links by which the list of payments is narrowed.

use klarna_types::market::MARKETS;
use maud::{Markup, html};

use super::super::format;
use super::{ADDRESS, Asked};
use crate::domain::payment::Status;
use crate::domain::search::{CHANNELS, FraudStatus, Sort, Written};
use crate::store::search::is_more;

/// What people call a filter.
pub(super) fn label(name: &str) -> &'static str {
    match name {
        "q" => "Search",
        "status" => "Status",
        "fraud_status" => "Fraud status",
        "currency" => "Currency",
        "country" => "Country",
        "channel" => "Channel",
        "from" => "From",
        "until" => "Until",
        "amount_min" => "Least amount",
        "amount_max" => "Greatest amount",
        "expiring" => "Lapses soon",
        "needs_attention" => "Needs attention",
        "sort" => "Order",
        "cursor" => "Page",
        "name" => "Name",
        _ => "Filter",
    }
}

fn channel(name: &str) -> &'static str {
    match name {
        "inline" => "Widget in the shop",
        "hosted" => "Klarna's page",
        "in_store" => "In store",
        "native" => "App",
        _ => "Charge",
    }
}

fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "Newest first",
        Sort::Oldest => "Oldest first",
        Sort::AmountHigh => "Highest amount first",
        Sort::AmountLow => "Lowest amount first",
        Sort::Expiring => "Lapsing soonest first",
    }
}

fn fraud(fraud: FraudStatus) -> &'static str {
    match fraud {
        FraudStatus::Accepted => "Accepted",
        FraudStatus::Pending => "Under review",
        FraudStatus::Rejected => "Rejected",
        FraudStatus::Other => "Anything else",
    }
}

/// The value of a filter, for people.
pub(super) fn shown(name: &str, value: &str) -> String {
    let found = match name {
        "status" => Status::from_name(value).map(format::status),
        "channel" => CHANNELS.contains(&value).then(|| channel(value)),
        "sort" => Sort::from_name(value).map(sort),
        "fraud_status" => FraudStatus::ALL
            .into_iter()
            .find(|each| each.name().eq_ignore_ascii_case(value))
            .map(fraud),
        _ => None,
    };
    found.map_or_else(|| value.to_owned(), ToOwned::to_owned)
}

fn codes<'a>(all: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut codes: Vec<&str> = all.collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(|code| (code.to_owned(), code.to_owned())).collect()
}

fn select(name: &str, any: &str, value: Option<&String>, choices: &[(String, String)]) -> Markup {
    let value = value.map_or("", String::as_str);
    html! {
        div {
            label for=(name) { (label(name)) }
            select id=(name) name=(name) {
                option value="" { (any) }
                @for (code, says) in choices {
                    option value=(code) selected[code.eq_ignore_ascii_case(value)] { (says) }
                }
            }
        }
    }
}

fn field(name: &str, kind: &str, value: Option<&String>) -> Markup {
    let is_amount = kind == "text";
    html! {
        div {
            label for=(name) { (label(name)) }
            input id=(name) name=(name) type=(kind) value=[value] autocomplete="off"
                inputmode=[is_amount.then_some("decimal")];
        }
    }
}

/// The text and the filters, in one form.
pub(super) fn form(asked: &Asked) -> Markup {
    let written = &asked.written;
    let own = |choices: &[(&str, &str)]| -> Vec<(String, String)> {
        choices.iter().map(|(name, says)| ((*name).to_owned(), (*says).to_owned())).collect()
    };
    let channels = CHANNELS.map(|each| (each, channel(each)));
    let frauds = FraudStatus::ALL.map(|each| (each.name(), fraud(each)));
    let sorts = Sort::ALL.map(|each| (each.name(), sort(each)));
    let statuses = Status::ALL.map(|each| (each.name(), format::status(each)));
    let currencies = codes(MARKETS.iter().map(|market| market.currency.as_str()));
    let countries = codes(MARKETS.iter().map(|market| market.country.as_str()));
    let more = Written { q: None, status: None, ..written.clone() };
    html! {
        form.finder role="search" method="get" action=(ADDRESS) {
            @if let Some(view) = &asked.view { input type="hidden" name="view" value=(view); }
            div.search {
                label.hidden for="q" { "Search" }
                input #q type="search" name="q" value=[&written.q] maxlength="200" autocomplete="off"
                    pattern="[^@]*" title="A whole reference, id or amount; e-mail addresses are not kept with payments"
                    placeholder="Reference, id or amount";
                button type="submit" { "Search" }
            }
            details.more-filters open[!more.is_empty()] {
                summary { "Filters and order" }
                div.grid {
                    (select("status", "Any", written.status.as_ref(), &own(&statuses)))
                    (select("fraud_status", "Any", written.fraud_status.as_ref(), &own(&frauds)))
                    (field("from", "date", written.from.as_ref()))
                    (field("until", "date", written.until.as_ref()))
                    (field("amount_min", "text", written.amount_min.as_ref()))
                    (field("amount_max", "text", written.amount_max.as_ref()))
                    (select("currency", "Any", written.currency.as_ref(), &currencies))
                    (select("country", "Any", written.country.as_ref(), &countries))
                    (select("channel", "Any", written.channel.as_ref(), &own(&channels)))
                    (select("sort", "Newest first", written.sort.as_ref(), &own(sorts.get(1..).unwrap_or_default())))
                }
                div.in-line {
                    label.choice {
                        input type="checkbox" name="expiring" value="true" checked[written.expiring.as_deref() == Some("true")];
                        "Lapses soon"
                    }
                    label.choice {
                        input type="checkbox" name="needs_attention" value="true" checked[written.needs_attention.as_deref() == Some("true")];
                        "Needs attention"
                    }
                }
                div.in-line {
                    button type="submit" { "Show" }
                    @if !written.is_empty() { a.button href=(ADDRESS) { "Clear all" } }
                }
            }
        }
    }
}

/// The statuses with their counts, and what people look for most.
pub(super) fn quick(asked: &Asked, counts: &[(Status, i64)]) -> Markup {
    let written = &asked.written;
    let link = |name: &str, value: &str| asked.link(&written.with(name, value));
    let soon = written.expiring.as_deref() == Some("true");
    let waiting = written.needs_attention.as_deref() == Some("true");
    html! {
        nav.filters aria-label="Filter by status" {
            a href=(link("status", "")) aria-current=[written.status.is_none().then_some("true")] { "All" }
            @for (status, count) in counts {
                @let chosen = written.status.as_deref() == Some(status.name());
                @if *count > 0 || chosen {
                    a href=(link("status", status.name())) aria-current=[chosen.then_some("true")] {
                        (format::status(*status)) " "
                        span.count { (count) @if is_more(*count) { "+" } }
                    }
                }
            }
            a href=(link("expiring", if soon { "" } else { "true" })) aria-current=[soon.then_some("true")] { "Lapses soon" }
            a href=(link("needs_attention", if waiting { "" } else { "true" })) aria-current=[waiting.then_some("true")] { "Needs attention" }
        }
    }
}

/// The filters that are set, each with a way to take it off.
pub(super) fn chosen(asked: &Asked) -> Markup {
    let set: Vec<_> = asked
        .written
        .pairs()
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "status" | "expiring" | "needs_attention"))
        .collect();
    html! {
        @if !set.is_empty() {
            ul.chosen aria-label="Filters that are set" {
                @for (name, value) in set {
                    li {
                        a href=(asked.link(&asked.written.without(name))) {
                            (label(name)) ": " strong { (shown(name, &value)) }
                            span aria-hidden="true" { " ×" }
                            span.hidden { ", take it off" }
                        }
                    }
                }
            }
        }
    }
}
