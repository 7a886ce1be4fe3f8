//! The shop's pages: server-rendered, complete without scripts except for Klarna's own part.
//!
//! Pages take what they show and return markup. They call nothing and decide nothing about money.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod checkout;
pub(crate) mod counter;
pub(crate) mod express;
pub(crate) mod home;
pub(crate) mod info;
pub(crate) mod layout;
pub(crate) mod notice;
pub(crate) mod order;
pub(crate) mod product;
pub(crate) mod totals;

use maud::{Markup, html};

use crate::market::MARKETS;
use crate::money::{self, Currency};
use crate::visit::Visit;

/// An amount in the visitor's own market.
pub(crate) fn price(visit: &Visit, minor: i64) -> String {
    money::format(minor, visit.market().currency, visit.view.locale.numbers)
}

/// An amount on a price tag.
pub(crate) fn tag(visit: &Visit, minor: i64) -> String {
    money::format_short(minor, visit.market().currency, visit.view.locale.numbers)
}

/// An amount in a currency that came over the wire, which need not be the visitor's present one.
pub(crate) fn amount(visit: &Visit, minor: i64, code: &str) -> String {
    let Some(currency) = Currency::from_code(code) else { return format!("{minor} {code}") };
    let own = visit.market();
    let mut numbers = visit.view.locale.numbers;
    if own.currency != currency {
        // An order from another country reads as that country writes amounts.
        let home = MARKETS.iter().find(|market| market.currency == currency);
        numbers = home.and_then(|home| home.locales.first()).map_or(numbers, |home| home.numbers);
    }
    money::format(minor, currency, numbers)
}

/// A place for Klarna's words about paying; empty where Klarna has none for the market or the amount.
pub(crate) fn placement(visit: &Visit, key: &str, minor: Option<i64>) -> Markup {
    html! {
        @if visit.klarna.is_some() {
            div.placement {
                klarna-placement data-key=(key) data-locale=(visit.view.locale.tag)
                    data-theme="default" data-purchase-amount=[minor] {}
            }
        }
    }
}

/// The hidden field that every form carries.
pub(crate) fn form_token(visit: &Visit) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.form_token()); }
}
