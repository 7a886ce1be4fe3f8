//! Paying in the workshop: the offer, and the code that the shopper's phone reads.

use maud::{Markup, html};

use crate::gateway::Checkout;
use crate::pages::layout::{self, Frame};
use crate::pages::{amount, form_token};
use crate::visit::Visit;

/// What it is, and the button that shows the code.
pub(crate) fn page(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let language = visit.language();
    let body = html! {
        div.wrap.narrow.notice {
            h1 { (texts.counter) }
            p.lead { (texts.counter_text) }
            ul {
                @for (product, quantity) in visit.cart.items() {
                    li { (product.full_name(language)) " ×\u{a0}" (quantity) }
                }
            }
            form method="post" action="/counter" {
                (form_token(visit))
                p.buttons {
                    button.button type="submit" { (texts.counter_button) }
                    a.button.secondary href="/cart" { (texts.change_cart) }
                }
            }
        }
    };
    layout::page(visit, Frame::Quiet, texts.counter, &[], &body)
}

/// The code.
pub(crate) fn code(visit: &Visit, checkout: &Checkout, picture: Option<&str>) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.notice #waiting data-status="/counter/status" data-slow=(texts.counter_scan) {
            h1 { (texts.counter) }
            p.counter-sum { (amount(visit, checkout.order_amount, &checkout.currency)) }
            @if let Some(picture) = picture {
                img.code src=(picture) alt=(texts.counter_alt) width="280" height="280"
                    referrerpolicy="no-referrer";
            }
            p.lead #waiting-text role="status" { (texts.counter_scan) }
            form method="post" action="/counter/cancel" {
                (form_token(visit))
                button.button.secondary type="submit" { (texts.counter_cancel) }
            }
        }
    };
    layout::page(visit, Frame::Quiet, texts.counter, &["waiting.js"], &body)
}
