//! The account: signing in with Klarna where the shop can, and the orders placed from this browser.

use maud::{Markup, html};

use crate::pages::layout::{self, Frame};
use crate::pages::order::date;
use crate::pages::{amount, form_token};
use crate::visit::Visit;

/// What the shop asks Klarna for: who it is, where the goods may go, and to be known when they pay.
pub(crate) const SCOPE: &str = "openid offline_access payment:request:create profile:name profile:email \
                                profile:phone profile:billing_address";

/// The page; `failed` if somebody has just tried to sign in, in vain.
pub(crate) fn page(visit: &Visit, failed: bool) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow {
            h1 { (texts.account) }
            p.quiet { (texts.account_text) }
            (sign_in(visit, failed))
            h2.account-part { (texts.orders) }
            @if visit.orders.is_empty() {
                p.lead { (texts.no_orders) }
                p { a.button href="/" { (texts.back_to_shop) } }
            } @else {
                ul.order-list role="list" {
                    @for note in &visit.orders {
                        @let id = note.checkout_id.as_deref().unwrap_or(&note.reference);
                        li {
                            a href={ "/orders/" (id) } { (note.reference) }
                            span.quiet { (date(visit, note.placed_at_ms)) }
                            @if note.subscription_id.is_some() {
                                span.quiet { (texts.subscription) }
                            }
                            span { (amount(visit, note.amount, &note.currency)) }
                        }
                    }
                }
            }
        }
    };
    let scripts: &[&str] = if visit.klarna.is_some() { &["account.js"] } else { &[] };
    layout::page(visit, Frame::Full, texts.account, scripts, &body)
}

fn sign_in(visit: &Visit, failed: bool) -> Markup {
    let texts = visit.texts();
    html! {
        @if visit.klarna.is_some() {
            section.panel.account-panel #account data-csrf=(visit.form_token())
                data-failed=(texts.sign_in_failed) {
                @if visit.identity_id.is_some() {
                    // Who it is, only this tab knows.
                    p { (texts.signed_in_as) " " strong #who { "Klarna" } }
                    form method="post" action="/account/sign-out" {
                        (form_token(visit))
                        button.button.secondary type="submit" { (texts.sign_out) }
                    }
                } @else {
                    p { (texts.sign_in_text) }
                    klarna-identity-button #klarna-sign-in data-scope=(SCOPE)
                        data-redirect-uri=(visit.app().absolute("/account"))
                        data-locale=(visit.view.locale.tag) data-theme="default"
                        data-shape="default" data-logo-alignment="left" {}
                    p.message #account-message role="alert" hidden[!failed] {
                        @if failed { (texts.sign_in_failed) }
                    }
                    form method="post" action="/account/begin" {
                        (form_token(visit))
                        button.quiet-button type="submit" { (texts.sign_in_elsewhere) }
                    }
                }
            }
        }
    }
}

/// The page that a browser comes back to from Klarna's page. Its script keeps the person in the tab and goes on.
pub(crate) fn arrived(visit: &Visit, name: &str, person: &str) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.notice #arrived data-person=(person) {
            h1 { (texts.account) }
            p.lead { (texts.signed_in_as) " " strong { (name) } }
            p { a.button href="/account" { (texts.account) } }
        }
    };
    layout::page(visit, Frame::Quiet, texts.account, &["account.js"], &body)
}
