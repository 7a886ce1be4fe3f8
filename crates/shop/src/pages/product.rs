//! One product.

use maud::{Markup, html};

use crate::cart::MAX_QUANTITY;
use crate::catalogue::Product;
use crate::market::TaxLayout;
use crate::pages::express::{Place, express};
use crate::pages::layout::{self, Frame};
use crate::pages::{form_token, placement, tag};
use crate::visit::Visit;

/// What the page says beside the button.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Nothing.
    None,
    /// The product is in the cart now.
    Added,
    /// The quantity that was typed cannot be.
    BadQuantity,
}

/// The product's page.
pub(crate) fn page(visit: &Visit, product: &Product, note: Note) -> Markup {
    let texts = visit.texts();
    let language = visit.language();
    let bad = note == Note::BadQuantity;
    let body = html! {
        article.wrap.product {
            div.product-picture {
                img src={ "/pictures/" (product.slug) ".svg" } alt=(product.name(language))
                    width="800" height="800";
            }
            div.product-words {
                p.eyebrow { a href="/" { (texts.shop) } }
                h1 { (product.name(language)) }
                p.lead { (product.line(language)) }
                p.price.large { (tag(visit, product.price(visit.market().currency))) }
                p.quiet.under-price {
                    @if visit.market().tax == TaxLayout::Excluding {
                        (texts.prices_exclude_tax)
                    } @else {
                        (texts.prices_include_tax)
                    }
                }
                (placement(
                    visit,
                    "credit-promotion-auto-size",
                    Some(product.price(visit.market().currency)),
                ))
                form.buy-form method="post" action="/cart/items" {
                    (form_token(visit))
                    (how_often(visit, product))
                    div.field.quantity {
                        label for="quantity" { (texts.quantity) }
                        input #quantity name="quantity" type="number" inputmode="numeric"
                            min="1" max=(MAX_QUANTITY) value="1" required
                            aria-invalid=[bad.then_some("true")]
                            aria-describedby=[bad.then_some("quantity-error")];
                    }
                    button.button type="submit" { (texts.add_to_cart) }
                    @if bad {
                        p.error #quantity-error role="alert" { (texts.error_quantity) }
                    }
                }
                (express(visit, Place::Product(product)))
                @if note == Note::Added {
                    p.added role="status" {
                        span { (texts.added) }
                        a href="/cart" { (texts.go_to_cart) }
                    }
                }
                p { (product.story(language)) }
                ul.facts role="list" {
                    @for fact in product.facts(language) { li { (fact) } }
                }
            }
        }
    };
    let scripts: &[&str] = if visit.klarna.is_some() { &["express.js"] } else { &[] };
    layout::page(visit, Frame::Full, product.name(language), scripts, &body)
}

/// The product itself, or a choice between once and every month where there is one.
fn how_often(visit: &Visit, product: &Product) -> Markup {
    let texts = visit.texts();
    html! {
        @if let Some(monthly) = product.monthly() {
            fieldset.how-often {
                legend { (texts.how_often) }
                label.check {
                    input type="radio" name="product" value=(product.slug) checked;
                    span { (texts.once) }
                }
                label.check {
                    input type="radio" name="product" value=(monthly.slug)
                        aria-describedby="monthly-text";
                    span { (texts.monthly) }
                }
                p.quiet #monthly-text { (texts.monthly_text) }
            }
        } @else {
            input type="hidden" name="product" value=(product.slug);
        }
    }
}
