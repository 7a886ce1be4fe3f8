//! Forgetting people: what of a payment, its checkout and its history is about a person, and what is books.
//!
//! Rules kept here: what is taken away and what stays; why something cannot be forgotten yet, and until when;
//! how long a store keeps what it knows of people. Amounts, ids, states, times, references, and what was
//! bought stay: they are the merchant's books. Whatever somebody may have written about a person goes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::What;
use super::checkout::Checkout;
use super::hosted::PageWish;
use super::journal::{Operation, Outcome, Request};
use super::operation::Refusal;
use super::payment::Payment;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How soon something is looked at again whose end nobody knows.
pub const LOOK_AGAIN_MS: i64 = DAY_MS / 24;
/// The longest that a store may say.
pub const MOST_DAYS: i64 = 3_650;
/// The most that one request may name.
pub const MOST_NAMED: usize = 100;

/// How long a store keeps what it knows of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// So many days after a payment or checkout came to its end; for ever, if it is not said.
    pub personal_data_days: Option<i64>,
}

impl Retention {
    /// Whether such a policy can be kept.
    pub fn is_sound(&self) -> bool {
        self.personal_data_days.is_none_or(|days| (1..=MOST_DAYS).contains(&days))
    }

    /// What came to its end before then is forgotten by now.
    pub fn before_ms(&self, now_ms: i64) -> Option<i64> {
        self.personal_data_days.map(|days| now_ms - days.clamp(1, MOST_DAYS) * DAY_MS)
    }
}

/// Why something cannot be forgotten yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The shopper may still pay.
    CheckoutOpen,
    /// Something can still be captured, and be shipped.
    AuthorizationOpen,
    /// Something asked for at Klarna is not settled.
    OperationPending,
    /// The customer is charged again, or can be: a token of theirs is not cancelled.
    TokenActive,
}

/// Something that is needed for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Why.
    pub because: Because,
    /// Until when at the latest, where that is known.
    pub until_ms: Option<i64>,
}

/// Why a payment's people are needed, if they are. `pending` is how many operations are not settled.
pub fn payment_needed(payment: &Payment, pending: usize) -> Option<Needed> {
    if pending > 0 {
        return Some(Needed { because: Because::OperationPending, until_ms: None });
    }
    payment
        .status
        .is_open()
        .then_some(Needed { because: Because::AuthorizationOpen, until_ms: payment.expires_at_ms })
}

/// Why the people of a checkout without a payment are needed, if they are.
pub fn checkout_needed(checkout: &Checkout) -> Option<Needed> {
    let until_ms = Some(checkout.expires_at_ms);
    (!checkout.status.is_over()).then_some(Needed { because: Because::CheckoutOpen, until_ms })
}

impl Payment {
    /// Forgets the shopper: where parcels went, what was written to them, where their browser was sent.
    pub fn forget_people(&mut self) {
        self.redirect_url = None;
        self.shipping_info.clear();
        if let Some(method) = &mut self.method {
            method.description = None;
        }
        for line in &mut self.order_lines {
            line.merchant_data = None;
        }
        for capture in &mut self.captures {
            capture.description = None;
            capture.shipping_info.clear();
            for line in &mut capture.order_lines {
                line.merchant_data = None;
            }
        }
        for refund in &mut self.refunds {
            refund.description = None;
            for line in &mut refund.order_lines {
                line.merchant_data = None;
            }
        }
    }
}

impl Checkout {
    /// Forgets the shopper, and everything that the shop has said in its own words.
    pub fn forget_for_good(&mut self) {
        self.wanted = None;
        self.confirmation_url = None;
        self.session.client_token.clear();
        self.callback_secret.clear();
        let extras = &mut self.cart.extras;
        extras.forget_people();
        extras.merchant_data = None;
        extras.app_return_url = None;
        for line in &mut self.cart.order_lines {
            line.merchant_data = None;
        }
        if let Some(hosted) = &mut self.hosted {
            hosted.wish = PageWish::default();
            if let Some(page) = &mut hosted.page {
                page.redirect_url = None;
                page.qr_code_url = None;
                page.sent = None;
            }
        }
        if let Some(refusal) = &mut self.refusal {
            forget_words(refusal);
        }
    }
}

impl Operation {
    /// Forgets the shopper, once it is settled: what was sent is not sent again.
    pub fn forget_people(&mut self) {
        match &mut self.request {
            Request::PlaceOrder { body, .. } => *body = order_without_people(body),
            Request::Charge(charge) => charge.body = order_without_people(&charge.body),
            Request::CreateToken { body, order_body, .. } => {
                body.clear();
                *order_body = None;
            }
            Request::Capture(transfer) | Request::Refund(transfer) => {
                transfer.description = None;
                transfer.body.clear();
                for line in &mut transfer.order_lines {
                    line.merchant_data = None;
                }
            }
            Request::Change(change) => {
                change.body.clear();
                match &mut change.what {
                    What::AddShippingInfo { parcels, .. } => parcels.clear(),
                    What::UpdateAuthorization { order_lines, lines_before, .. } => {
                        for line in order_lines.iter_mut().chain(lines_before) {
                            line.merchant_data = None;
                        }
                    }
                    What::ExtendAuthorization { .. }
                    | What::UpdateCustomer { .. }
                    | What::UpdateReferences { .. }
                    | What::ResendCommunication
                    | What::ExtendDueDate { .. }
                    | What::Acknowledge => {}
                }
            }
            Request::Cancel { .. } | Request::Release { .. } | Request::CancelToken { .. } => {}
        }
        if let Some(Outcome::Refused(refusal) | Outcome::NeedsAttention(refusal)) =
            &mut self.outcome
        {
            forget_words(refusal);
        }
    }
}

/// Klarna's messages may repeat what they are about.
fn forget_words(refusal: &mut Refusal) {
    if let Some(failure) = &mut refusal.klarna
        && !failure.error_messages.is_empty()
    {
        failure.error_messages.clear();
        "What Klarna answered was erased with the shopper's data.".clone_into(&mut refusal.detail);
    }
}

/// What stays of the body that made an order.
const ORDER_BOOKS: [&str; 9] = [
    "purchase_country",
    "purchase_currency",
    "locale",
    "order_amount",
    "order_tax_amount",
    "order_lines",
    "merchant_reference1",
    "merchant_reference2",
    "auto_capture",
];

fn order_without_people(body: &str) -> String {
    let Ok(Value::Object(mut sent)) = serde_json::from_str(body) else { return String::new() };
    sent.retain(|member, _| ORDER_BOOKS.contains(&member.as_str()));
    for line in sent.get_mut("order_lines").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(members) = line.as_object_mut() {
            members.remove("merchant_data");
        }
    }
    Value::Object(sent).to_string()
}

/// What stays of an event's data: what this program writes of itself and no person has typed.
const EVENT_BOOKS: [&str; 34] = [
    "acts_at_ms",
    "amount",
    "amounts",
    "because",
    "by",
    "capture_id",
    "channel",
    "currency",
    "days",
    "expires_at_ms",
    "fraud_status",
    "held",
    "id",
    "kind",
    "number_of_days",
    "on_expiry",
    "operation_id",
    "order_amount",
    "order_id",
    "outcome",
    "page_id",
    "page_status",
    "payment_id",
    "reason",
    "reference",
    "refund_id",
    "remaining",
    "sent_by",
    "source",
    "state",
    "status",
    "subscription_id",
    "plan_id",
    "cycle",
];

/// An event's data without what somebody may have written.
pub fn event_without_people(data: &Value) -> Value {
    let kept = data.as_object().into_iter().flatten();
    let kept = kept.filter(|(member, _)| EVENT_BOOKS.contains(&member.as_str()));
    Value::Object(
        kept.map(|(member, value)| (member.clone(), value.clone())).collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_makes_an_order_is_reduced_to_books() {
        let body = json!({
            "purchase_country": "SE", "order_amount": 5, "order_lines": [
                { "name": "mug", "total_amount": 5, "merchant_data": "for Marked" },
            ],
            "billing_address": { "given_name": "Marked" }, "customer": { "date_of_birth": "Marked" },
            "merchant_data": "Marked", "merchant_urls": { "confirmation": "Marked" },
            "attachment": { "body": "Marked" }, "something_new": "Marked",
        });
        let left = order_without_people(&body.to_string());
        assert!(!left.contains("Marked"), "{left}");
        assert!(left.contains("\"order_amount\":5") && left.contains("mug"), "{left}");
        assert_eq!(order_without_people("no json"), "");
    }

    #[test]
    fn of_an_event_stays_what_no_person_has_typed() {
        let data =
            json!({ "operation_id": "op_1", "amount": 5, "note": "Marked called", "new": 1 });
        assert_eq!(event_without_people(&data), json!({ "operation_id": "op_1", "amount": 5 }));
        assert_eq!(event_without_people(&Value::Null), json!({}));
    }

    #[test]
    fn a_store_says_a_number_of_days_or_nothing() {
        let days = |days| Retention { personal_data_days: Some(days) };
        for (policy, sound) in [
            (Retention::default(), true),
            (days(0), false),
            (days(1), true),
            (days(MOST_DAYS), true),
            (days(MOST_DAYS + 1), false),
        ] {
            assert_eq!(policy.is_sound(), sound, "{policy:?}");
        }
        assert_eq!(Retention::default().before_ms(5), None);
        assert_eq!(days(2).before_ms(3 * DAY_MS), Some(DAY_MS));
    }
}
