//! The cart.

use maud::{Markup, html};

use crate::cart::{Code, MAX_QUANTITY};
use crate::pages::express::{Place, express};
use crate::pages::layout::{self, Frame};
use crate::pages::totals::{Source, totals};
use crate::pages::{form_token, placement, price};
use crate::visit::Visit;

/// What went wrong, to be said beside the field it concerns.
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// These products' quantities cannot be what was typed.
    Quantities(Vec<(String, String)>),
    /// There is no such code.
    Code(String),
    /// The cart is no longer what it was.
    Changed,
}

impl Trouble {
    fn typed_quantity(&self, slug: &str) -> Option<&str> {
        match self {
            Self::Quantities(refused) => {
                refused.iter().find(|(known, _)| known == slug).map(|(_, typed)| typed.as_str())
            }
            Self::None | Self::Code(_) | Self::Changed => None,
        }
    }

    fn typed_code(&self) -> Option<&str> {
        match self {
            Self::Code(typed) => Some(typed),
            Self::None | Self::Quantities(_) | Self::Changed => None,
        }
    }
}

/// The cart page.
pub(crate) fn page(visit: &Visit, trouble: &Trouble) -> Markup {
    let texts = visit.texts();
    let body = if visit.cart.is_empty() {
        html! {
            div.wrap.narrow.notice {
                h1 { (texts.cart) }
                p.lead { (texts.cart_empty) }
                p { a.button href="/" { (texts.back_to_shop) } }
            }
        }
    } else {
        full(visit, trouble)
    };
    let scripts: &[&str] = if visit.klarna.is_some() { &["express.js"] } else { &[] };
    layout::page(visit, Frame::Full, texts.cart, scripts, &body)
}

fn full(visit: &Visit, trouble: &Trouble) -> Markup {
    let texts = visit.texts();
    let language = visit.language();
    let bill = visit.cart.bill(visit.view);
    html! {
        div.wrap {
            h1 { (texts.cart) }
            @if matches!(trouble, Trouble::Changed) {
                p.banner role="status" { (texts.cart_changed) }
            }
            div.two-columns {
                form.cart-form method="post" action="/cart/update" data-autosubmit {
                    (form_token(visit))
                    // The first button of a form is the one that Enter presses.
                    button.hidden-text type="submit" tabindex="-1" aria-hidden="true" {
                        (texts.update_cart)
                    }
                    ul.cart-lines role="list" {
                        @for (product, quantity) in visit.cart.items() {
                            @let typed = trouble.typed_quantity(product.slug);
                            @let error = format!("error-{}", product.slug);
                            li {
                                img src={ "/pictures/" (product.page) ".svg" } alt=""
                                    width="112" height="112";
                                div.cart-words {
                                    h2 {
                                        a href={ "/products/" (product.page) } {
                                            (product.full_name(language))
                                        }
                                    }
                                    p.quiet {
                                        (price(visit, product.price(visit.market().currency)))
                                    }
                                    div.cart-tools {
                                        label.hidden-text for={ "quantity-" (product.slug) } {
                                            (texts.quantity) ", " (product.full_name(language))
                                        }
                                        input.number id={ "quantity-" (product.slug) }
                                            name={ "quantity_" (product.slug) } type="number"
                                            inputmode="numeric" min="0" max=(MAX_QUANTITY)
                                            value={ @if let Some(typed) = typed { (typed) } @else { (quantity) } }
                                            aria-invalid=[typed.map(|_| "true")]
                                            aria-describedby=[typed.map(|_| error.as_str())];
                                        button.quiet-button type="submit" name="remove"
                                            value=(product.slug) {
                                            (texts.remove)
                                            span.hidden-text { " " (product.full_name(language)) }
                                        }
                                    }
                                    @if typed.is_some() {
                                        p.error id=(error) role="alert" { (texts.error_quantity) }
                                    }
                                }
                                p.cart-sum {
                                    (price(visit, quantity * product.price(visit.market().currency)))
                                }
                            }
                        }
                    }
                    button.button.secondary.without-script type="submit" { (texts.update_cart) }
                }
                aside.panel aria-labelledby="sums" {
                    h2 #sums { (texts.summary) }
                    (codes(visit, trouble))
                    (totals(visit, &bill, Source::Cart))
                    (placement(visit, "credit-promotion-auto-size", Some(bill.total)))
                    a.button.wide href="/checkout" { (texts.to_checkout) }
                    (express(visit, Place::Cart))
                    p.quiet.centred { a href="/counter" { (texts.counter) } }
                    p.quiet.centred { a href="/" { (texts.keep_looking) } }
                }
            }
        }
    }
}

fn codes(visit: &Visit, trouble: &Trouble) -> Markup {
    let texts = visit.texts();
    let typed = trouble.typed_code();
    html! {
        @for code in visit.cart.codes() {
            form.code-line method="post" action="/cart/codes/remove" {
                (form_token(visit))
                input type="hidden" name="code" value=(code.as_str());
                span {
                    strong { (code.as_str()) }
                    " "
                    span.quiet {
                        @match code {
                            Code::Welcome10 => { (texts.discount_meaning) }
                            Code::Gift50 => { (texts.gift_card) }
                        }
                    }
                }
                button.quiet-button type="submit" {
                    (texts.remove) span.hidden-text { " " (code.as_str()) }
                }
            }
        }
        form.code-form method="post" action="/cart/codes" {
            (form_token(visit))
            div.field {
                label for="code" { (texts.code_label) }
                div.joined {
                    input #code name="code" type="text" autocomplete="off" autocapitalize="characters"
                        spellcheck="false" maxlength="40" required value=[typed]
                        aria-invalid=[typed.map(|_| "true")] aria-describedby="code-help";
                    button.button.secondary type="submit" { (texts.apply) }
                }
                @if typed.is_some() {
                    p.error #code-help role="alert" { (texts.error_code) }
                } @else {
                    p.quiet #code-help { (texts.code_help) }
                }
            }
        }
    }
}
