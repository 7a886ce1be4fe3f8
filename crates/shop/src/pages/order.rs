//! After the purchase: confirmation, status, list.

use maud::{Markup, html};

use crate::gateway::{Checkout, Moment, Payment, Subscription};
use crate::pages::layout::{self, Frame};
use crate::pages::{amount, form_token};
use crate::visit::{OrderNote, Visit};

/// Thanks, with everything the shopper may want to keep.
pub(crate) fn confirmation(
    visit: &Visit,
    checkout: &Checkout,
    payment: Option<&Payment>,
) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.confirmation {
            div.tick aria-hidden="true" {}
            h1 { (texts.thanks) }
            p.lead { (texts.thanks_text) }
            dl.order-facts {
                div { dt { (texts.order_number) } dd #order-number { (checkout.merchant_reference) } }
                div { dt { (texts.date) } dd { (placed(visit, checkout.created_at.as_ref())) } }
                div { dt { (texts.paid_with) } dd { "Klarna" } }
            }
            @if is_pending(payment) { p.banner role="status" { (texts.pending) } }
            (lines(visit, checkout))
            h2 { (texts.next_title) }
            p { (texts.next_klarna) }
            p.buttons {
                a.button href={ "/orders/" (checkout.id) } { (texts.follow_order) }
                a.button.secondary href="/" { (texts.back_to_shop) }
            }
            p.quiet {
                (texts.klarna_help) " "
                a href="https://www.klarna.com/customer-service/" rel="noopener" { "klarna.com" }
            }
        }
    };
    layout::page(visit, Frame::Full, texts.thanks, &[], &body)
}

/// Thanks, for an order that is paid by bank transfer.
pub(crate) fn transfer_confirmation(visit: &Visit, note: &OrderNote) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.confirmation {
            div.tick aria-hidden="true" {}
            h1 { (texts.thanks) }
            p.lead { (texts.thanks_text) }
            (transfer_facts(visit, note))
            h2 { (texts.next_title) }
            p { @if note.amount == 0 { (texts.next_nothing) } @else { (texts.next_transfer) } }
            p.buttons { a.button href="/" { (texts.back_to_shop) } }
        }
    };
    layout::page(visit, Frame::Full, texts.thanks, &[], &body)
}

fn transfer_facts(visit: &Visit, note: &OrderNote) -> Markup {
    let texts = visit.texts();
    html! {
        dl.order-facts {
            div { dt { (texts.order_number) } dd #order-number { (note.reference) } }
            div { dt { (texts.date) } dd { (date(visit, note.placed_at_ms)) } }
            div { dt { (texts.paid_with) } dd {
                @if note.amount == 0 { (texts.gift_card) } @else { (texts.transfer) }
            } }
            div { dt { (texts.total) } dd { (amount(visit, note.amount, &note.currency)) } }
        }
    }
}

/// How far an order is.
pub(crate) fn status(
    visit: &Visit,
    checkout: &Checkout,
    payment: Option<&Payment>,
    subscription: Option<&Subscription>,
) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.confirmation {
            p.eyebrow { a href="/orders" { (texts.orders) } }
            h1 { (texts.order) " " (checkout.merchant_reference) }
            p.quiet { (placed(visit, checkout.created_at.as_ref())) }
            (progress(visit, checkout, payment))
            @if let Some(subscription) = subscription { (continues(visit, subscription)) }
            (lines(visit, checkout))
            p.quiet {
                (texts.klarna_help) " "
                a href="https://www.klarna.com/customer-service/" rel="noopener" { "klarna.com" }
            }
        }
    };
    layout::page(visit, Frame::Full, texts.order, &[], &body)
}

/// A subscription: when it is charged next, and its end.
fn continues(visit: &Visit, subscription: &Subscription) -> Markup {
    let texts = visit.texts();
    html! {
        section.panel.subscription aria-labelledby="subscription" {
            h2 #subscription { (texts.subscription) }
            @if subscription.is_over() {
                p { (texts.subscription_ended) }
            } @else {
                @if let Some(next) = subscription.next_charge_at.as_ref() {
                    p { (texts.next_charge) ": " strong { (placed(visit, Some(next))) } }
                }
                form method="post" action="/subscriptions/end" {
                    (form_token(visit))
                    input type="hidden" name="subscription" value=(subscription.id);
                    button.button.secondary type="submit" { (texts.end_subscription) }
                }
            }
        }
    }
}

/// How far an order is that is paid by bank transfer.
pub(crate) fn transfer_status(visit: &Visit, note: &OrderNote) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.confirmation {
            p.eyebrow { a href="/orders" { (texts.orders) } }
            h1 { (texts.order) " " (note.reference) }
            (transfer_facts(visit, note))
            p { @if note.amount == 0 { (texts.next_nothing) } @else { (texts.next_transfer) } }
        }
    };
    layout::page(visit, Frame::Full, texts.order, &[], &body)
}

fn is_pending(payment: Option<&Payment>) -> bool {
    payment.and_then(|payment| payment.fraud_status.as_deref()) == Some("PENDING")
}

fn progress(visit: &Visit, checkout: &Checkout, payment: Option<&Payment>) -> Markup {
    let texts = visit.texts();
    let Some(payment) = payment else {
        return html! { p.banner { (texts.status_unknown) } };
    };
    let currency = checkout.currency.as_str();
    let (packed, sent) = match payment.status.as_str() {
        "cancelled" | "expired" => {
            return html! { p.banner { (texts.status_cancelled) } };
        }
        "captured" | "closed" => (true, true),
        "part_captured" => (true, false),
        _ => (!is_pending(Some(payment)), false),
    };
    html! {
        @if is_pending(Some(payment)) { p.banner { (texts.pending) } }
        ol.progress {
            li.done { (texts.status_received) }
            li.done[packed] { (texts.status_packing) }
            li.done[sent] {
                (texts.status_sent)
                @if payment.amounts.captured > 0 && !sent {
                    span.quiet { (texts.status_part_sent) }
                }
            }
        }
        @if payment.amounts.refunded > 0 {
            p.banner { (texts.refunded) ": " (amount(visit, payment.amounts.refunded, currency)) }
        }
    }
}

fn lines(visit: &Visit, checkout: &Checkout) -> Markup {
    let texts = visit.texts();
    let currency = checkout.currency.as_str();
    html! {
        table.receipt {
            caption.hidden-text { (texts.summary) }
            thead.hidden-text { tr { th scope="col" { (texts.goods) } th scope="col" { (texts.total) } } }
            tbody {
                @for line in &checkout.order_lines {
                    tr {
                        td {
                            (line.name)
                            @if line.quantity > 1 { " " span.quiet { "×\u{a0}" (line.quantity) } }
                        }
                        td.number { (amount(visit, line.total_amount, currency)) }
                    }
                }
            }
            tfoot {
                tr {
                    th scope="row" { (texts.total) }
                    td.number { (amount(visit, checkout.order_amount, currency)) }
                }
                @if checkout.order_lines.iter().all(|line| line.kind != "sales_tax") {
                    tr.quiet {
                        td { (texts.of_which_tax) }
                        td.number { (amount(visit, checkout.order_tax_amount, currency)) }
                    }
                }
            }
        }
    }
}

fn placed(visit: &Visit, moment: Option<&Moment>) -> String {
    match moment.and_then(Moment::timestamp) {
        Some(at) => visit.language().date(visit.market().country, at),
        None => visit.language().date(visit.market().country, visit.app().clock.now()),
    }
}

pub(crate) fn date(visit: &Visit, at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map(|at| visit.language().date(visit.market().country, at))
        .unwrap_or_default()
}
