//! The shelf.

use maud::{Markup, html};

use crate::catalogue::{PRODUCTS, Product};
use crate::market::TaxLayout;
use crate::pages::layout::{self, Frame};
use crate::pages::tag;
use crate::visit::Visit;

/// The front page.
pub(crate) fn page(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let body = html! {
        section.hero {
            div.wrap.hero-row {
                div.hero-words {
                    p.eyebrow { (texts.hero_eyebrow) }
                    h1 { (texts.hero_title) }
                    p.lead { (texts.hero_text) }
                    p { a.button href="#shelf" { (texts.hero_button) } }
                }
                div.hero-pictures aria-hidden="true" {
                    img src="/pictures/dusk-lamp.svg" alt="" width="400" height="400";
                    img src="/pictures/harbour-throw.svg" alt="" width="400" height="400";
                    img src="/pictures/mist-mug.svg" alt="" width="400" height="400";
                }
            }
        }
        section.wrap #shelf aria-labelledby="shelf-title" {
            div.section-head {
                h2 #shelf-title { (texts.shelf_title) }
                @if visit.market().tax == TaxLayout::Excluding {
                    p.quiet { (texts.prices_exclude_tax) }
                } @else {
                    p.quiet { (texts.prices_include_tax) }
                }
            }
            ul.shelf role="list" {
                @for product in PRODUCTS { li { (card(visit, product)) } }
            }
        }
        section.wrap.promises aria-label=(texts.promises) {
            div { h3 { (texts.promise_made) } p { (texts.promise_made_text) } }
            div { h3 { (texts.promise_pay) } p { (texts.promise_pay_text) } }
            div { h3 { (texts.promise_return) } p { (texts.promise_return_text) } }
        }
    };
    layout::page(visit, Frame::Full, texts.shop, &[], &body)
}

fn card(visit: &Visit, product: &Product) -> Markup {
    let language = visit.language();
    html! {
        article.card {
            a href={ "/products/" (product.slug) } {
                img src={ "/pictures/" (product.slug) ".svg" } alt="" width="400" height="400"
                    loading="lazy";
                h3 { (product.name(language)) }
            }
            p.quiet { (product.line(language)) }
            p.price { (tag(visit, product.price(visit.market().currency))) }
        }
    }
}
