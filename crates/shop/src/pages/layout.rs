//! What all pages share: head, header with the market switch, footer.

use maud::{DOCTYPE, Markup, html};

use crate::handlers::asset::VERSION;
use crate::market::View;
use crate::pages::{form_token, placement};
use crate::visit::Visit;

/// How much of the shop surrounds a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Navigation and footer.
    Full,
    /// Only the way back: at the checkout nothing should lead away.
    Quiet,
}

/// A whole page.
pub(crate) fn page(
    visit: &Visit,
    frame: Frame,
    title: &str,
    scripts: &[&str],
    body: &Markup,
) -> Markup {
    let texts = visit.texts();
    html! {
        (DOCTYPE)
        html lang=(visit.view.locale.tag) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Tallvik" }
                meta name="description" content=(texts.tagline);
                meta name="theme-color" content="#1f4d3f";
                link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
                link rel="apple-touch-icon" href="/assets/icon-192.png";
                link rel="manifest"
                    href={ "/manifest.webmanifest?view=" (visit.view.locale.tag) };
                link rel="stylesheet" href={ "/assets/shop.css?v=" (VERSION) };
                script type="module" src={ "/assets/shop.js?v=" (VERSION) } {}
                @if let Some(klarna) = visit.klarna.as_ref().filter(|_| frame == Frame::Full) {
                    script async src=(klarna.web_sdk) data-client-id=(klarna.client_id)
                        data-environment=(klarna.environment)
                        data-locale=(visit.view.locale.tag) {}
                }
                @for script in scripts {
                    script type="module" src={ "/assets/" (script) "?v=" (VERSION) } {}
                }
            }
            body {
                a.skip href="#main" { (texts.skip) }
                (header(visit, frame))
                main #main tabindex="-1" { (body) }
                (footer(visit, frame))
            }
        }
    }
}

fn header(visit: &Visit, frame: Frame) -> Markup {
    let texts = visit.texts();
    let pieces = visit.cart.pieces();
    html! {
        header.top {
            div.wrap.top-row {
                a.brand href="/" {
                    img src="/assets/mark.svg" alt="" width="36" height="36";
                    span { "Tallvik" }
                }
                @if frame == Frame::Full {
                    nav.links aria-label=(texts.navigation) {
                        a href="/" aria-current=[current(visit, "/")] { (texts.shop) }
                        a href="/account" aria-current=[current(visit, "/account")] { (texts.account) }
                        a href="/help" aria-current=[current(visit, "/help")] { (texts.help) }
                    }
                }
                div.tools {
                    (market_switch(visit))
                    @if frame == Frame::Full {
                        a.cart-link href="/cart" aria-current=[current(visit, "/cart")] {
                            (texts.cart)
                            @if pieces > 0 {
                                span.count aria-hidden="true" { (pieces) }
                                span.hidden-text { ", " (texts.pieces(pieces)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn current(visit: &Visit, path: &str) -> Option<&'static str> {
    (visit.path == path).then_some("page")
}

fn market_switch(visit: &Visit) -> Markup {
    let texts = visit.texts();
    html! {
        details.market {
            summary {
                span.hidden-text { (texts.choose_market) ": " }
                span { (visit.market().country) }
                span.market-more {
                    " · " (visit.market().currency.code())
                    " · " (visit.language().own_name())
                }
            }
            form.market-menu method="post" action="/market" {
                (form_token(visit))
                input type="hidden" name="return_to" value=(return_path(visit));
                p.market-title { (texts.choose_market) }
                @for view in View::all_by_name() {
                    button type="submit" name="view" value=(view.locale.tag)
                        lang=(view.locale.tag)
                        aria-current=[(view == visit.view).then_some("true")] {
                        span { (view.locale.country_name) }
                        span.quiet {
                            (view.locale.language.own_name()) " · " (view.market.currency.code())
                        }
                    }
                }
            }
        }
    }
}

/// Where the switch leads back to: never an address that only takes forms.
fn return_path(visit: &Visit) -> &str {
    let path = visit.path.as_str();
    if path.starts_with("/cart/") {
        "/cart"
    } else if path.starts_with("/checkout") {
        "/checkout"
    } else if path.starts_with("/account/") {
        "/account"
    } else if path == "/confirmation" || path == "/market" {
        "/"
    } else {
        path
    }
}

fn footer(visit: &Visit, frame: Frame) -> Markup {
    let texts = visit.texts();
    html! {
        footer.bottom {
            div.wrap.bottom-row {
                div {
                    p.brand-line { "Tallvik" }
                    p.quiet { (texts.tagline) }
                }
                nav aria-label=(texts.footer_navigation) {
                    a href="/help" { (texts.help) }
                    a href="/terms" { (texts.terms) }
                    a href="/privacy" { (texts.privacy) }
                    a href="/account" { (texts.account) }
                }
                @if frame == Frame::Full {
                    (placement(visit, "footer-promotion-auto-size", None))
                }
                p.quiet.demo { (texts.demo_note) }
            }
        }
    }
}
