//! The block of sums, the same on cart and checkout.

use maud::{Markup, html};

use crate::cart::Bill;
use crate::gateway::Checkout;
use crate::market::TaxLayout;
use crate::pages::price;
use crate::visit::Visit;

/// What the sums are taken from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// The shop's own calculation.
    Cart,
    /// What the gateway has registered with Klarna: that is what will be paid.
    Gateway(&'a Checkout),
}

/// The sums of a bill.
pub(crate) fn totals(visit: &Visit, bill: &Bill, source: Source<'_>) -> Markup {
    let texts = visit.texts();
    let (tax, total) = match source {
        Source::Cart => (bill.tax, bill.total),
        Source::Gateway(checkout) => (checkout.order_tax_amount, checkout.order_amount),
    };
    let shipping = bill.shipping;
    html! {
        dl.totals {
            div { dt { (texts.goods) } dd { (price(visit, bill.goods)) } }
            @if bill.discount > 0 {
                div { dt { (texts.discount) } dd { (price(visit, -bill.discount)) } }
            }
            div {
                dt { (texts.shipping_name(shipping.id)) }
                dd {
                    @if shipping.price == 0 { (texts.free) } @else { (price(visit, shipping.price)) }
                }
            }
            @if visit.market().tax == TaxLayout::Excluding {
                div { dt { (texts.sales_tax) } dd { (price(visit, tax)) } }
            }
            @if bill.gift_card > 0 {
                div { dt { (texts.gift_card) } dd { (price(visit, -bill.gift_card)) } }
            }
            div.total { dt { (texts.total) } dd #total { (price(visit, total)) } }
            @if visit.market().tax == TaxLayout::Including {
                div.quiet { dt { (texts.of_which_tax) } dd { (price(visit, tax)) } }
            }
        }
    }
}
