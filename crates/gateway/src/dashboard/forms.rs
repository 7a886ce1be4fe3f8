//! The forms of a payment's page: one for each thing that can be done now, with its limits, and none
//! for what cannot; that is listed with the reason.

use klarna_types::MinorUnits;
use klarna_types::order_management::ShippingMethod;
use maud::{Markup, html};

use super::{Person, format};
use crate::api::payments::view::UnavailableView;
use crate::domain::change::Change;
use crate::domain::lines;
use crate::domain::operation::Kind;
use crate::domain::payment::{Action, Capture, Payment, Rejection, Unavailable};

/// A field of a form that was sent, unless it is empty.
pub(super) fn field(body: &[u8], wanted: &str) -> Option<String> {
    url::form_urlencoded::parse(body)
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// What every form of a payment's page needs.
pub(super) struct Desk<'a> {
    /// The payment.
    pub(super) payment: &'a Payment,
    /// Who looks at it.
    pub(super) person: &'a Person,
    /// A fresh key for each form: pressing twice is pressing once.
    pub(super) key: &'a dyn Fn() -> String,
}

/// All forms, and what is not possible now.
pub(super) fn all(desk: &Desk<'_>, offered: &[Action], refused: Vec<Unavailable>) -> Markup {
    let theirs = |action: &&Action| desk.person.may_do(action.action.name());
    html! {
        section.card.actions {
            h2 { "Actions" }
            @if offered.is_empty() {
                p.muted { "Nothing can be done with this payment now." }
            } @else if !offered.iter().any(|action| theirs(&action)) {
                p.muted { "What can be done with this payment now is not for your role (" (desk.person.role.name()) ")." }
            }
            @for action in offered.iter().filter(theirs) { (form(desk, action)) }
            @if desk.person.may_do("capture") {
                @for unavailable in &refused { (overrule(desk, unavailable)) }
            }
            (impossible(refused))
        }
    }
}

fn form(desk: &Desk<'_>, action: &Action) -> Markup {
    match action.action {
        Kind::PlaceOrder | Kind::CreateToken | Kind::Charge | Kind::CancelToken => html! {},
        Kind::Capture => capture(desk, action),
        Kind::Refund => refund(desk, action),
        Kind::Cancel => plain(
            desk,
            action,
            "Cancel payment",
            "The whole authorisation is given back to the shopper. This cannot be undone.",
        ),
        Kind::Release => plain(
            desk,
            action,
            "Release the rest",
            "What is not captured is given back. No further capture will be possible.",
        ),
        Kind::Change(Change::UpdateAuthorization) => new_amount(desk, action),
        Kind::Change(Change::ExtendAuthorization) => plain(
            desk,
            action,
            "Extend the time to capture",
            "Klarna gives the authorisation its whole period again, from today.",
        ),
        Kind::Change(Change::UpdateCustomer) => address(desk, action),
        Kind::Change(Change::UpdateReferences) => references(desk, action),
        Kind::Change(Change::AddShippingInfo) => parcel(desk, action),
        Kind::Change(Change::ResendCommunication) => resend(desk, action),
        Kind::Change(Change::ExtendDueDate) => due_dates(desk, action),
        Kind::Change(Change::Acknowledge) => plain(
            desk,
            action,
            "Acknowledge the order",
            "Tells Klarna that the shop has the order. A capture says so too.",
        ),
    }
}

/// What every form carries.
pub(super) fn hidden(desk: &Desk<'_>) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(desk.person.csrf_token);
        input type="hidden" name="key" value=((desk.key)());
    }
}

fn target(desk: &Desk<'_>, name: &str) -> String {
    format!("/dashboard/payments/{}/{name}", desk.payment.id)
}

fn until(action: &Action) -> Markup {
    html! {
        @if let Some(at_ms) = action.until_ms {
            p.small.muted { "Possible until " (format::moment(at_ms)) "." }
        }
    }
}

/// A form behind a line that says what it does.
fn folded(label: &str, limit: &Markup, open: bool, content: &Markup) -> Markup {
    html! {
        details.action open[open] {
            summary { (label) (limit) }
            (content)
        }
    }
}

fn up_to(desk: &Desk<'_>, most: MinorUnits) -> Markup {
    html! { span.muted { "up to " (format::money(most, &desk.payment.currency)) } }
}

fn decimal(desk: &Desk<'_>, amount: MinorUnits) -> String {
    amount.to_decimal(desk.payment.currency.exponent())
}

fn amount_field(desk: &Desk<'_>, name: &str, label: &str, value: &str) -> Markup {
    html! {
        label for={ (name) "-amount" } { (label) " in " (desk.payment.currency.as_str()) }
        input id={ (name) "-amount" } name="amount" inputmode="decimal" autocomplete="off"
            value=(value) data-amount pattern="[0-9  ]+([.,][0-9]+)?" required;
    }
}

fn text_field(form: &str, name: &str, label: &str, value: &str, most: usize) -> Markup {
    html! {
        label for={ (form) "-" (name) } { (label) }
        input id={ (form) "-" (name) } name=(name) value=(value) maxlength=(most) autocomplete="off";
    }
}

fn by_line(desk: &Desk<'_>, name: &str) -> Markup {
    html! {
        details.by-line {
            summary { "By line instead" }
            p.muted.small { "Quantities here take the place of the amount." }
            @for (index, line) in desk.payment.order_lines.iter().enumerate() {
                @if line.total_amount.is_positive() && line.kind != Some(klarna_types::OrderLineType::SalesTax) {
                    div.pick {
                        label for={ (name) "-line-" (index) } { (line.name) }
                        input type="hidden" name="reference" value=(lines::key(line));
                        input id={ (name) "-line-" (index) } name="quantity" type="number" min="0"
                            max=(line.quantity) step="1" value="0" inputmode="numeric";
                    }
                }
            }
        }
    }
}

fn note_field(name: &str) -> Markup {
    html! {
        label for={ (name) "-description" } { "Note for the shopper " span.muted { "optional" } }
        input id={ (name) "-description" } name="description" maxlength="255" autocomplete="off";
    }
}

fn capture(desk: &Desk<'_>, action: &Action) -> Markup {
    let most = action.max_amount.unwrap_or(MinorUnits::ZERO);
    let currency = desk.payment.currency.as_str();
    let content = html! {
        form method="post" action=(target(desk, "capture")) data-confirm={ "Capture {amount} " (currency) "?" } {
            (hidden(desk))
            @if action.waits_for_fraud_decision {
                p.notice.waiting { "Klarna is reviewing this order. The capture is carried out once it is accepted." }
            }
            (amount_field(desk, "capture", "Amount", &decimal(desk, most)))
            (by_line(desk, "capture"))
            details.by-line { summary { "With tracking" } (parcel_fields("capture")) }
            (note_field("capture"))
            (until(action))
            button.primary type="submit" { "Capture" }
        }
    };
    folded("Capture", &up_to(desk, most), true, &content)
}

fn refund(desk: &Desk<'_>, action: &Action) -> Markup {
    let most = action.max_amount.unwrap_or(MinorUnits::ZERO);
    let currency = desk.payment.currency.as_str();
    let several = desk.payment.captures.len() > 1 && !action.capture_ids.is_empty();
    let content = html! {
        form method="post" action=(target(desk, "refund")) data-confirm={ "Refund {amount} " (currency) "?" } {
            (hidden(desk))
            (amount_field(desk, "refund", "Amount", &decimal(desk, most)))
            (by_line(desk, "refund"))
            @if several {
                label for="refund-capture" { "Of which capture" }
                select #refund-capture name="capture_id" {
                    option value="" { "Any" }
                    (capture_options(desk, &action.capture_ids))
                }
            }
            @if action.return_fee {
                label for="refund-fee" { "Return fee to keep back in " (currency) " " span.muted { "optional" } }
                input #refund-fee name="return_fee" inputmode="decimal" autocomplete="off" pattern="[0-9  ]+([.,][0-9]+)?";
            }
            (note_field("refund"))
            button type="submit" { "Refund" }
        }
    };
    folded("Refund", &up_to(desk, most), false, &content)
}

fn capture_options(desk: &Desk<'_>, ids: &[String]) -> Markup {
    let captures = desk.payment.captures.iter().filter(|capture| ids.contains(&capture.id));
    html! {
        @for capture in captures { option value=(capture.id) { (capture_name(desk, capture)) } }
    }
}

fn capture_name(desk: &Desk<'_>, capture: &Capture) -> Markup {
    html! {
        (capture.klarna_reference.as_deref().unwrap_or("Capture")) " · "
        (format::money(capture.amount, &desk.payment.currency)) " · "
        (format::moment(capture.captured_at_ms))
    }
}

/// A capture at the merchant's own risk, while it still overrules Klarna's refusal.
fn overrule(desk: &Desk<'_>, unavailable: &Unavailable) -> Markup {
    let Rejection::FraudRejected { overrule_until_ms: Some(until_ms) } = &unavailable.because
    else {
        return html! {};
    };
    let remaining = desk.payment.amounts.remaining;
    let currency = desk.payment.currency.as_str();
    let content = html! {
        form method="post" action=(target(desk, "capture")) data-confirm={ "Capture {amount} " (currency) " at your own risk?" } {
            (hidden(desk))
            input type="hidden" name="risk" value="merchant";
            p.notice.bad { "Klarna refused the risk of this order. A capture before " (format::moment(*until_ms)) " overrules that: if it is fraud, the loss is yours." }
            (amount_field(desk, "overrule", "Amount", &decimal(desk, remaining)))
            button.danger type="submit" { "Capture at our own risk" }
        }
    };
    folded("Capture at our own risk", &up_to(desk, remaining), false, &content)
}

fn new_amount(desk: &Desk<'_>, action: &Action) -> Markup {
    let currency = &desk.payment.currency;
    let (least, most) =
        (action.min_amount.unwrap_or_default(), action.max_amount.unwrap_or_default());
    let now = desk.payment.amounts.authorized;
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-confirm={ "Change the authorised amount to {amount} " (currency.as_str()) "?" } {
            (hidden(desk))
            p.muted {
                "Now " (format::money(now, currency)) ". At least " (format::money(least, currency))
                @if most > now { "; more than now needs a new check of the shopper by Klarna." }
                @else { "; Klarna does not offer more for this payment method." }
            }
            (amount_field(desk, "authorization", "New total", &decimal(desk, now)))
            label for="authorization-description" { "Reason " span.muted { "optional" } }
            input #authorization-description name="description" maxlength="255" autocomplete="off";
            (until(action))
            button type="submit" { "Change the amount" }
        }
    };
    folded("Change the amount", &html! {}, false, &content)
}

fn address(desk: &Desk<'_>, action: &Action) -> Markup {
    let form = "address";
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-confirm="Change the shipping address?" {
            (hidden(desk))
            p.muted { "What is left empty stays as it is. Klarna checks the shopper anew and may refuse." }
            @for (name, label, most) in [
                ("given_name", "Given name", 100), ("family_name", "Family name", 100),
                ("street_address", "Street and number", 100), ("street_address2", "Further address line", 100),
                ("postal_code", "Postal code", 10), ("city", "City", 200), ("region", "State or region", 200),
                ("email", "E-mail", 100), ("phone", "Phone", 100),
            ] { (text_field(form, name, label, "", most)) }
            (until(action))
            button type="submit" { "Change the address" }
        }
    };
    folded("Change the shipping address", &html! {}, false, &content)
}

fn references(desk: &Desk<'_>, action: &Action) -> Markup {
    let payment = desk.payment;
    let second = payment.merchant_reference2.as_deref().unwrap_or_default();
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-busy {
            (hidden(desk))
            (text_field("references", "merchant_reference1", "Order number, shown to the shopper", &payment.merchant_reference, 255))
            (text_field("references", "merchant_reference2", "Another number", second, 255))
            button type="submit" { "Change the references" }
        }
    };
    folded("Change the references", &html! {}, false, &content)
}

fn parcel_fields(form: &str) -> Markup {
    html! {
        (text_field(form, "shipping_company", "Carrier, such as DHL US", "", 100))
        label for={ (form) "-shipping_method" } { "How it is shipped" }
        select id={ (form) "-shipping_method" } name="shipping_method" {
            option value="" { "Not said" }
            @for method in ShippingMethod::KNOWN { option value=(method.as_str()) { (method.as_str()) } }
        }
        (text_field(form, "tracking_number", "Tracking number", "", 100))
        (text_field(form, "tracking_uri", "Address to follow it", "", 1024))
    }
}

fn parcel(desk: &Desk<'_>, action: &Action) -> Markup {
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-busy {
            (hidden(desk))
            @if !action.capture_ids.is_empty() {
                label for="parcel-capture" { "Of what" }
                select #parcel-capture name="capture_id" {
                    (capture_options(desk, &action.capture_ids))
                    option value="" { "The order as such" }
                }
            }
            (parcel_fields("parcel"))
            (text_field("parcel", "return_shipping_company", "Carrier of a return", "", 100))
            (text_field("parcel", "return_tracking_number", "Tracking number of a return", "", 100))
            (text_field("parcel", "return_tracking_uri", "Address to follow a return", "", 1024))
            button type="submit" { "Add the parcel" }
        }
    };
    folded("Add a parcel", &html! {}, false, &content)
}

fn resend(desk: &Desk<'_>, action: &Action) -> Markup {
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-confirm="Have Klarna write to the shopper again?" {
            (hidden(desk))
            p.muted { "Klarna sends the shopper the latest state of a capture." }
            label for="resend-capture" { "Of which capture" }
            select #resend-capture name="capture_id" { (capture_options(desk, &action.capture_ids)) }
            button type="submit" { "Write to the shopper again" }
        }
    };
    folded("Write to the shopper again", &html! {}, false, &content)
}

/// What Klarna offers is asked of it on a page of its own.
fn due_dates(desk: &Desk<'_>, action: &Action) -> Markup {
    let captures =
        desk.payment.captures.iter().filter(|capture| action.capture_ids.contains(&capture.id));
    let content = html! {
        p.muted { "Lets the shopper pay later. Klarna may charge a fee for it." }
        ul.plain {
            @for capture in captures {
                li { a.button href=(due_date_page(&desk.payment.id, &capture.id)) { "See what Klarna offers for " (capture_name(desk, capture)) } }
            }
        }
    };
    folded("Let the shopper pay later", &html! {}, false, &content)
}

/// The page of what Klarna offers for a capture.
pub(super) fn due_date_page(payment_id: &str, capture_id: &str) -> String {
    format!("/dashboard/payments/{payment_id}/due-date/{capture_id}")
}

fn plain(desk: &Desk<'_>, action: &Action, label: &str, what: &str) -> Markup {
    let final_one = matches!(action.action, Kind::Cancel | Kind::Release);
    let content = html! {
        form method="post" action=(target(desk, action.action.name())) data-confirm={ (label) "?" } {
            (hidden(desk))
            p.muted { (what) }
            (until(action))
            button.danger[final_one] type="submit" { (label) }
        }
    };
    folded(label, &html! {}, false, &content)
}

fn impossible(refused: Vec<Unavailable>) -> Markup {
    html! {
        @if !refused.is_empty() {
            details.action.impossible {
                summary { span.muted { "Not possible now" } }
                dl.facts {
                    @for unavailable in refused {
                        @let view = UnavailableView::from(unavailable);
                        dt { (format::words(view.action.name())) }
                        dd { (view.detail) }
                    }
                }
            }
        }
    }
}
