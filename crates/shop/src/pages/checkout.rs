//! The checkout: who, where to, how, paid with what; and the page that waits for the outcome.
//!
//! The page carries everything its script needs in `data-` attributes, in the visitor's language.
//! The script moves Klarna's widget; the rest is an ordinary form.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::address::{self, Field, MAX_LENGTH, Need, Width};
use crate::cart::Bill;
use crate::gateway::{Category, Checkout};
use crate::market::Market;
use crate::pages::express::{Place, express};
use crate::pages::layout::{self, Frame};
use crate::pages::totals::{Source, totals};
use crate::pages::{form_token, price, tag};
use crate::persons::{self, Outcome};
use crate::policy;
use crate::visit::Visit;

/// What can be paid with.
pub(crate) enum Payment {
    /// Klarna, for this checkout.
    Klarna(Box<Checkout>),
    /// Klarna, on its own page, for this checkout.
    KlarnaPage(Box<Checkout>),
    /// Klarna cannot be offered at the moment.
    KlarnaUnavailable,
    /// There is nothing left to pay.
    Nothing,
}

/// What was typed before, when the form is shown again.
#[derive(Default)]
pub(crate) struct Form {
    /// By field.
    pub(crate) values: HashMap<String, String>,
    /// What is wrong, by field.
    pub(crate) problems: HashMap<String, &'static str>,
    /// Whether the goods go to another address.
    pub(crate) elsewhere: bool,
    /// The payment method that was chosen.
    pub(crate) method: String,
    /// Something to say above the payment methods.
    pub(crate) notice: Option<&'static str>,
}

/// The checkout page.
pub(crate) fn page(visit: &Visit, payment: &Payment, form: &Form) -> Markup {
    let texts = visit.texts();
    let bill = visit.cart.bill(visit.view);
    let klarna = match payment {
        Payment::Klarna(checkout) | Payment::KlarnaPage(checkout) => Some(checkout.as_ref()),
        Payment::KlarnaUnavailable | Payment::Nothing => None,
    };
    let session = klarna.and_then(|checkout| checkout.klarna.as_ref());
    let script = session.and_then(policy::script_url);
    let body = html! {
        div.wrap.checkout {
            h1 { (texts.checkout) }
            @if matches!(payment, Payment::Klarna(_)) { (express(visit, Place::Checkout)) }
            form #shipping-form method="post" action="/checkout/shipping" { (form_token(visit)) }
            div.two-columns {
                (summary(visit, &bill, klarna))
                form #checkout .checkout-form method="post" action="/checkout/pay"
                    data-cart=(visit.fingerprint())
                    data-country=(visit.market().country)
                    data-checkout=[klarna.map(|checkout| checkout.id.as_str())]
                    data-token=[session.map(|session| session.client_token.as_str())]
                    data-script=[script.as_ref().map(url::Url::as_str)]
                    data-csrf=(visit.form_token()) {
                    (form_token(visit))
                    p.banner #checkout-note role="status" hidden {}
                    section.step aria-labelledby="step-contact" {
                        h2 #step-contact { (texts.contact) }
                        (test_persons(visit))
                        div.fields { @for field in address::CONTACT { (input(visit, form, "", field)) } }
                    }
                    section.step aria-labelledby="step-address" {
                        h2 #step-address { (texts.address) }
                        p.quiet.country-line {
                            (texts.country) ": " strong { (visit.view.locale.country_name) }
                        }
                        div.fields {
                            @for field in address::place(visit.market()) { (input(visit, form, "", field)) }
                        }
                        label.check {
                            input #elsewhere type="checkbox" name="elsewhere" value="yes"
                                checked[form.elsewhere] aria-controls="elsewhere-fields";
                            span { (texts.elsewhere) }
                        }
                        fieldset.fields #elsewhere-fields {
                            legend { (texts.elsewhere_title) }
                            @for field in address::place(visit.market()) {
                                (input(visit, form, "shipping_", field))
                            }
                        }
                    }
                    (delivery(visit, &bill))
                    (payment_step(visit, payment, form))
                }
            }
        }
        (words(visit))
    };
    let scripts: &[&str] =
        if visit.klarna.is_some() { &["checkout.js", "express.js"] } else { &["checkout.js"] };
    layout::page(visit, Frame::Quiet, texts.checkout, scripts, &body)
}

/// What the script may have to say, kept where translators find it.
fn words(visit: &Visit) -> Markup {
    let texts = visit.texts();
    html! {
        template #words
            data-loading=(texts.klarna_loading)
            data-unreachable=(texts.klarna_unreachable)
            data-denied=(texts.klarna_denied)
            data-refused=(texts.klarna_refused)
            data-aborted=(texts.klarna_aborted)
            data-fix=(texts.klarna_fix)
            data-field=(texts.error_klarna_field)
            data-changed=(texts.checkout_changed)
            data-authorizing=(texts.authorizing)
            data-confirming=(texts.confirming)
            data-retrying=(texts.retrying)
            data-lost=(texts.confirmation_lost)
            data-failed=(texts.confirmation_failed)
            data-again=(texts.approve_again)
            data-offline=(texts.offline)
            data-leaving=(texts.leaving) {}
    }
}

fn summary(visit: &Visit, bill: &Bill, klarna: Option<&Checkout>) -> Markup {
    let texts = visit.texts();
    let language = visit.language();
    let source = klarna.map_or(Source::Cart, Source::Gateway);
    let total = klarna.map_or(bill.total, |checkout| checkout.order_amount);
    html! {
        aside.panel.summary #summary aria-labelledby="summary-title" {
            details open {
                summary {
                    h2 #summary-title { (texts.summary) }
                    span.summary-total { (price(visit, total)) }
                }
                ul.summary-lines role="list" {
                    @for (product, quantity) in visit.cart.items() {
                        li {
                            span.summary-picture {
                                img src={ "/pictures/" (product.page) ".svg" } alt="" width="56"
                                    height="56";
                                span.count aria-hidden="true" { (quantity) }
                            }
                            span {
                                (product.full_name(language))
                                span.hidden-text { ", " (texts.pieces(quantity)) }
                            }
                            span { (price(visit, quantity * product.price(visit.market().currency))) }
                        }
                    }
                }
                (totals(visit, bill, source))
                p.quiet { a href="/cart" { (texts.change_cart) } }
            }
        }
    }
}

fn test_persons(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let mut persons = persons::of(visit.market().country).peekable();
    html! {
        @if persons.peek().is_some() {
            div.try-it.with-script {
                span.quiet { (texts.try_it) }
                @for person in persons {
                    button.quiet-button type="button"
                        data-person=(serde_json::Value::Object(
                            person
                                .fields
                                .iter()
                                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                                .collect()
                        ).to_string()) {
                        @match person.outcome {
                            Outcome::Approved => { (texts.person_approved) }
                            Outcome::Denied => { (texts.person_denied) }
                        }
                    }
                }
            }
        }
    }
}

fn input(visit: &Visit, form: &Form, prefix: &str, field: &Field) -> Markup {
    let texts = visit.texts();
    let market = visit.market();
    let name = format!("{prefix}{}", field.name);
    let error_id = format!("{name}-error");
    let value = form.values.get(&name).map(String::as_str).unwrap_or_default();
    let problem = form.problems.get(&name).copied();
    let required = field.need == Need::Required;
    // The second address is required only when it is asked for, which the script knows.
    let required_now = required && (prefix.is_empty() || form.elsewhere);
    let section = if prefix.is_empty() { "billing" } else { "shipping" };
    let autocomplete = match field.name {
        "email" | "phone" => field.autocomplete.to_owned(),
        _ => format!("{section} {}", field.autocomplete),
    };
    html! {
        div.field.half[field.width == Width::Half] {
            label for=(name) {
                (texts.field(field.name, market.country))
                @if !required { " " span.quiet { (texts.optional) } }
            }
            @if field.kind == "select" {
                select id=(name) name=(name) autocomplete=(autocomplete) required[required_now]
                    data-required[required] data-missing=(texts.error_required)
                    data-wrong=(texts.error_required)
                    aria-invalid=[problem.map(|_| "true")] aria-describedby=(error_id) {
                    option value="" { (texts.choose) }
                    @for (code, region) in market.address.regions {
                        option value=(code) selected[*code == value] { (region) }
                    }
                }
            } @else {
                input id=(name) name=(name) type=(field.kind) autocomplete=(autocomplete)
                    maxlength=(MAX_LENGTH) value=(value) required[required_now]
                    data-required[required]
                    pattern=[pattern(field, market)] placeholder=[example(field, market)]
                    data-missing=(texts.error_required) data-wrong=(texts.wrong(field.name))
                    aria-invalid=[problem.map(|_| "true")] aria-describedby=(error_id);
            }
            p.error id=(error_id) { @if let Some(problem) = problem { (problem) } }
        }
    }
}

fn example(field: &Field, market: &Market) -> Option<&'static str> {
    match field.name {
        "postal_code" => Some(market.address.postal_code_example),
        "phone" => Some(market.address.phone_example),
        _ => None,
    }
}

fn pattern(field: &Field, market: &Market) -> Option<String> {
    match field.name {
        "email" => Some(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+".to_owned()),
        "phone" => Some(r"[+\d \(\)\/.\-]{6,25}".to_owned()),
        "given_name" | "family_name" => Some(r".*\D.*".to_owned()),
        "postal_code" if !market.address.postal_codes.is_empty() => {
            let forms: Vec<String> = market
                .address
                .postal_codes
                .iter()
                // A hyphen stands for itself: browsers refuse a needless escape.
                .map(|form| {
                    form.replace('9', r"\d").replace('A', "[A-Za-z]").replace('X', r"[A-Za-z\d]")
                })
                .collect();
            Some(format!(r"\s*({})\s*", forms.join("|")))
        }
        _ => None,
    }
}

fn delivery(visit: &Visit, bill: &Bill) -> Markup {
    let texts = visit.texts();
    html! {
        section.step aria-labelledby="step-delivery" {
            h2 #step-delivery { (texts.delivery) }
            div.choices role="radiogroup" aria-labelledby="step-delivery" {
                @for option in visit.market().shipping {
                    label.choice {
                        input type="radio" name="shipping" form="shipping-form"
                            value=(option.id.id()) checked[option.id == bill.shipping.id];
                        span.choice-words {
                            span.choice-name { (texts.shipping_name(option.id)) }
                            span.quiet { (texts.shipping_promise(option.id)) }
                        }
                        span.choice-price {
                            @if option.price == 0 { (texts.free) } @else { (tag(visit, option.price)) }
                        }
                    }
                }
            }
            noscript {
                button.button.secondary type="submit" form="shipping-form" { (texts.update_delivery) }
            }
        }
    }
}

fn payment_step(visit: &Visit, payment: &Payment, form: &Form) -> Markup {
    let texts = visit.texts();
    html! {
        section.step aria-labelledby="step-payment" {
            h2 #step-payment { (texts.payment) }
            @if let Some(notice) = form.notice { p.banner role="alert" { (notice) } }
            @if !matches!(payment, Payment::KlarnaPage(_)) {
                noscript { p.banner { (texts.klarna_needs_scripts) } }
            }
            @match payment {
                Payment::Nothing => {
                    p { (texts.nothing_to_pay) }
                    input type="hidden" name="method" value="transfer";
                }
                Payment::Klarna(_) | Payment::KlarnaPage(_) | Payment::KlarnaUnavailable => {
                    div.choices role="radiogroup" aria-labelledby="step-payment" {
                        (klarna_choices(visit, payment, form))
                        // What comes every month cannot be paid by hand.
                        @if visit.cart.monthly().is_none() {
                            div.choice-block {
                                label.choice {
                                    input type="radio" name="method" value="transfer"
                                        checked[form.method == "transfer"
                                            || matches!(payment, Payment::KlarnaUnavailable)];
                                    span.choice-words {
                                        span.choice-name { (texts.transfer) }
                                        span.quiet { (texts.transfer_text) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p.message #pay-message role="alert" hidden {}
            button #buy .button.wide.buy type="submit"
                data-klarna=(texts.continue_with_klarna) data-other=(texts.place_order) {
                span.spinner aria-hidden="true" {}
                span #buy-label {
                    @if matches!(payment, Payment::Klarna(_) | Payment::KlarnaPage(_))
                        && form.method != "transfer" {
                        (texts.continue_with_klarna)
                    } @else {
                        (texts.place_order)
                    }
                }
            }
            @if visit.cart.monthly().is_some() { p.quiet { (texts.monthly_agree) } }
            p.quiet.fine-print {
                (texts.agree_before) " " a href="/terms" { (texts.terms) } ". "
                (texts.agree_klarna) " " a href="/privacy" { (texts.privacy) } "."
            }
        }
    }
}

fn klarna_choices(visit: &Visit, payment: &Payment, form: &Form) -> Markup {
    let texts = visit.texts();
    let categories: &[Category] = match payment {
        Payment::Klarna(checkout) => checkout
            .klarna
            .as_ref()
            .map(|klarna| klarna.payment_method_categories.as_slice())
            .unwrap_or_default(),
        Payment::KlarnaPage(_) | Payment::KlarnaUnavailable | Payment::Nothing => &[],
    };
    html! {
        @if let Payment::KlarnaPage(checkout) = payment {
            // Klarna's own name for it; the shop's words where the page offers several things, or Klarna names none.
            @let category = checkout.page_category();
            div.choice-block {
                label.choice {
                    input type="radio" name="method" value="klarna"
                        checked[form.method != "transfer"];
                    span.choice-words {
                        span.choice-name {
                            (category.map_or(texts.promise_pay, |category| category.name.as_str()))
                        }
                        span.quiet { (texts.klarna_subheader) }
                        span.quiet { (texts.hosted_text) }
                    }
                    @if let Some(badge) = category.and_then(Category::badge) { (logo(badge)) }
                }
            }
        } @else if categories.is_empty() {
            div.choice-block.unavailable {
                label.choice {
                    input type="radio" name="method" value="klarna" disabled;
                    span.choice-words {
                        span.choice-name { "Klarna" }
                        span.quiet {
                            (texts.klarna_later) " " a href="/checkout" { (texts.try_again) }
                        }
                    }
                }
            }
        }
        @for (position, category) in categories.iter().enumerate() {
            @let method = format!("klarna:{}", category.identifier);
            @let chosen = if form.method.is_empty() { position == 0 } else { form.method == method };
            div.choice-block data-category=(category.identifier) {
                label.choice {
                    input type="radio" name="method" value=(method) checked[chosen];
                    span.choice-words {
                        span.choice-name data-category-name {
                            @if category.name.is_empty() { "Klarna" } @else { (category.name) }
                        }
                        span.quiet data-category-note { (texts.klarna_subheader) }
                    }
                    @if let Some(badge) = category.badge() { (logo(badge)) }
                }
                div.widget id={ "klarna-payments-" (category.identifier) } {}
            }
        }
    }
}

fn logo(badge: &str) -> Markup {
    html! {
        img.badge src=(badge) alt="Klarna" width="72" height="40" referrerpolicy="no-referrer";
    }
}

/// The page that a browser sees on its way to Klarna's page; it goes there by itself.
pub(crate) fn leaving(visit: &Visit, address: &str) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.notice {
            div.big-spinner aria-hidden="true" {}
            h1 { (texts.leaving) }
            p { a.button href=(address) { (texts.continue_with_klarna) } }
        }
    };
    layout::page(visit, Frame::Quiet, texts.leaving, &[], &body)
}

/// The page that waits until the gateway knows the outcome.
pub(crate) fn waiting(visit: &Visit, checkout_id: &str) -> Markup {
    let texts = visit.texts();
    let body = html! {
        div.wrap.narrow.notice #waiting
            data-status={ "/checkout/status?checkout=" (checkout_id) }
            data-slow=(texts.waiting_slow) {
            div.big-spinner aria-hidden="true" {}
            h1 { (texts.waiting_title) }
            p.lead #waiting-text role="status" { (texts.waiting_text) }
            noscript {
                p { a.button href={ "/checkout/waiting?checkout=" (checkout_id) } { (texts.look_again) } }
            }
        }
    };
    layout::page(visit, Frame::Quiet, texts.waiting_title, &["waiting.js"], &body)
}
