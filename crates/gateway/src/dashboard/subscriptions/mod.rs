//! Subscriptions for people: the list, the page of one of them with its charges, its customer token and
//! what happened, and what can be pressed there.

mod actions;
mod list;
mod page;

use maud::{Markup, html};

use super::format;
use crate::domain::plan::Terms;
use crate::domain::subscription::{Status, Subscription};

pub(super) use actions::{Button, Grave, form, submit};
pub(super) use list::{list, row};
pub(super) use page::page;

/// The lists of what recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// Subscriptions.
    Subscriptions,
    /// Plans.
    Plans,
    /// Customers.
    Customers,
}

/// The way from one list to the others.
pub(super) fn tabs(here: Tab) -> Markup {
    let all = [
        (Tab::Subscriptions, "/dashboard/subscriptions", "Subscriptions"),
        (Tab::Plans, "/dashboard/plans", "Plans"),
        (Tab::Customers, "/dashboard/customers", "Customers"),
    ];
    html! {
        nav.tabs aria-label="What recurs" {
            @for (tab, at, words) in all { a href=(at) aria-current=[(tab == here).then_some("page")] { (words) } }
        }
    }
}

/// What one charge comes to.
pub(super) fn price(terms: &Terms) -> String {
    terms.amount().map(|amount| format::money(amount, &terms.currency)).unwrap_or_default()
}

/// `every 3 months`.
pub(super) fn rhythm(terms: &Terms) -> String {
    let rhythm = terms.rhythm;
    match rhythm.count {
        1 => format!("every {}", rhythm.interval.name()),
        count => format!("every {count} {}s", rhythm.interval.name()),
    }
}

fn chip(subscription: &Subscription) -> Markup {
    let class = match subscription.status {
        Status::Active => "captured",
        Status::Trialing | Status::Incomplete => "authorized",
        Status::PastDue | Status::Suspended => "rejected",
        Status::Paused | Status::Cancelled => "cancelled",
    };
    html! {
        span class={ "chip " (class) } { (format::words(subscription.status.name())) }
        @if subscription.cancel_at_period_end && subscription.ended.is_none() { " " span.chip.refunded { "Ends with its period" } }
    }
}
