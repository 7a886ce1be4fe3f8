//! What to do with a visitor's checkout: one pure decision.
//!
//! A checkout lives at the gateway; the visitor's signed cookie only says which one it is, under
//! which order number, and for which cart it was made. From the three (cookie, gateway's answer,
//! present cart) follows the next step. No HTTP in here.

use serde::{Deserialize, Serialize};

use crate::gateway::{Checkout, CheckoutStatus};

/// What the signed cookie remembers of a checkout under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The shop's order number, made once for this checkout.
    #[serde(rename = "r")]
    pub reference: String,
    /// The gateway's id, once it has answered.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<String>,
    /// The cart that the gateway was last told of.
    #[serde(rename = "f")]
    pub fingerprint: String,
}

impl Draft {
    /// A new checkout for a cart.
    pub fn new(reference: String, fingerprint: String) -> Self {
        Self { reference, checkout_id: None, fingerprint }
    }

    /// The key under which the checkout is opened. It is made of what the request is made of, so
    /// that a repetition after a lost answer finds the checkout that was opened.
    pub fn idempotency_key(&self) -> String {
        format!("shop-{}-{}", self.reference, self.fingerprint)
    }
}

/// What to do when a visitor comes to the checkout page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Show the checkout as it is.
    Keep,
    /// Tell the gateway about the new cart, then show it.
    Update,
    /// Open a new checkout under a new order number.
    Start,
    /// The order is being made: wait for it.
    Wait,
    /// The order exists: show its confirmation.
    Finish,
}

/// Decides about a checkout that the gateway knows.
pub fn step(draft: &Draft, known: &Checkout, fingerprint: &str, now: jiff::Timestamp) -> Step {
    let same_cart = draft.fingerprint == fingerprint;
    match &known.status {
        CheckoutStatus::Open => {
            let expired = known
                .expires_at
                .as_ref()
                .and_then(crate::gateway::Moment::timestamp)
                .is_some_and(|end| end <= now);
            let usable =
                known.klarna.as_ref().is_some_and(|klarna| !klarna.client_token.is_empty());
            if expired || !usable {
                Step::Start
            } else if same_cart {
                Step::Keep
            } else {
                Step::Update
            }
        }
        CheckoutStatus::Confirming => Step::Wait,
        // The order was made, perhaps by Klarna's own callback while the shopper's browser was
        // away. A cart with other things in it is the beginning of another order.
        CheckoutStatus::Completed if same_cart => Step::Finish,
        CheckoutStatus::Completed
        | CheckoutStatus::Declined
        | CheckoutStatus::Expired
        | CheckoutStatus::Cancelled
        | CheckoutStatus::Unknown(_) => Step::Start,
    }
}

/// Letters and digits that cannot be taken for one another.
const READABLE: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An order number out of fresh random bytes: `TV-` and ten characters in two groups, fifty bits.
/// Short enough to be read out on the telephone, long enough never to meet another.
pub fn order_number(random: [u8; 10]) -> String {
    let mut text = String::with_capacity(14);
    text.push_str("TV-");
    for (position, byte) in random.into_iter().enumerate() {
        if position == 5 {
            text.push('-');
        }
        // 256 is a multiple of 32, so every character is equally likely.
        text.push(char::from(READABLE[usize::from(byte % 32)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(status: &str, more: &str) -> Checkout {
        serde_json::from_str(&format!(r#"{{"id":"chk_1","status":"{status}"{more}}}"#)).unwrap()
    }

    #[test]
    fn each_status_has_its_step() {
        let token = r#","klarna":{"client_token":"a.b.c"}"#;
        let late = r#","klarna":{"client_token":"a.b.c"},"expires_at":"1970-01-01T00:00:00Z""#;
        let cases = [
            ("open", token, "same", Step::Keep),
            ("open", token, "other", Step::Update),
            ("open", "", "same", Step::Start),
            ("open", late, "same", Step::Start),
            ("confirming", "", "same", Step::Wait),
            ("confirming", "", "other", Step::Wait),
            ("completed", "", "same", Step::Finish),
            ("completed", "", "other", Step::Start),
            ("declined", token, "same", Step::Start),
            ("expired", token, "same", Step::Start),
            ("cancelled", token, "same", Step::Start),
            ("novel", token, "same", Step::Start),
        ];
        for (status, more, fingerprint, expected) in cases {
            let draft = Draft::new("TV-1".into(), "same".into());
            let now: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
            let found = step(&draft, &known(status, more), fingerprint, now);
            assert_eq!(found, expected, "{status} {fingerprint} {more}");
        }
    }

    #[test]
    fn order_numbers_can_be_read_out() {
        assert_eq!(order_number([0; 10]), "TV-00000-00000");
        assert_eq!(order_number([255; 10]), "TV-ZZZZZ-ZZZZZ");
        assert_eq!(order_number([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]), "TV-ABCDE-FGHJK");
    }
}
