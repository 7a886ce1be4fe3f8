//! What to do with a visitor's checkout: one pure decision.
//!
//! A checkout lives at the gateway; the visitor's signed cookie only says which one it is, under
//! which order number, and for which cart it was made. From the three (cookie, gateway's answer,
//! present cart) follows the next step. No HTTP in here.

use serde::{Deserialize, Serialize};

use crate::gateway::{Checkout, CheckoutStatus};

/// How a purchase reaches the shopper, in the gateway's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Klarna's widget in the checkout page.
    #[default]
    Inline,
    /// A page of Klarna's, to which the shopper's browser goes.
    Hosted,
    /// A page of Klarna's on the shopper's phone, by a code on the workshop's screen.
    InStore,
}

/// What the approval is for, in the gateway's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// This purchase.
    #[default]
    Buy,
    /// This purchase, and the charges of a subscription after it.
    BuyAndTokenize,
}

/// What the visitor wants a checkout for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How.
    pub channel: Channel,
    /// What for.
    pub intent: Intent,
    /// Of which cart.
    pub fingerprint: String,
    /// Of whom, to the gateway, where somebody is signed in.
    pub identity_id: Option<String>,
}

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
    /// How it was opened.
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    pub channel: Channel,
    /// What for.
    #[serde(rename = "n", default, skip_serializing_if = "is_default")]
    pub intent: Intent,
    /// The gateway's id of the subscription that begins with it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// Who was signed in with Klarna when it was opened, to the gateway.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Draft {
    /// A new checkout for a cart.
    pub fn new(reference: String, wanted: &Wanted) -> Self {
        Self {
            reference,
            checkout_id: None,
            fingerprint: wanted.fingerprint.clone(),
            channel: wanted.channel,
            intent: wanted.intent,
            subscription_id: None,
            identity_id: wanted.identity_id.clone(),
        }
    }

    /// Whether it was begun for the same kind of purchase of the same person; a checkout can change neither.
    pub fn is_such(&self, wanted: &Wanted) -> bool {
        self.channel == wanted.channel
            && self.intent == wanted.intent
            && self.identity_id == wanted.identity_id
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
    /// Call it off, then open a new one: it is of another kind or person, and one cart makes one order.
    Replace,
    /// The order is being made: wait for it.
    Wait,
    /// The order exists: show its confirmation.
    Finish,
}

/// Decides about a checkout that the gateway knows.
pub fn step(draft: &Draft, known: &Checkout, wanted: &Wanted, now: jiff::Timestamp) -> Step {
    let same_cart = draft.fingerprint == wanted.fingerprint;
    match &known.status {
        CheckoutStatus::Open => {
            let expired = known
                .expires_at
                .as_ref()
                .and_then(crate::gateway::Moment::timestamp)
                .is_some_and(|end| end <= now);
            let usable = match draft.channel {
                Channel::Inline => {
                    known.klarna.as_ref().is_some_and(|klarna| !klarna.client_token.is_empty())
                }
                Channel::Hosted | Channel::InStore => true,
            };
            if !draft.is_such(wanted) {
                Step::Replace
            } else if expired || !usable {
                Step::Start
            } else if same_cart {
                Step::Keep
            } else if draft.intent == Intent::BuyAndTokenize {
                // The subscription that begins with it is of the old cart.
                Step::Replace
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
            let draft = Draft::new("TV-1".into(), &wanted(Channel::Inline, Intent::Buy, "same"));
            let now: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
            let wanted = wanted(Channel::Inline, Intent::Buy, fingerprint);
            let found = step(&draft, &known(status, more), &wanted, now);
            assert_eq!(found, expected, "{status} {fingerprint} {more}");
        }
    }

    fn wanted(channel: Channel, intent: Intent, fingerprint: &str) -> Wanted {
        Wanted { channel, intent, fingerprint: fingerprint.into(), identity_id: None }
    }

    #[test]
    fn a_checkout_never_changes_its_kind() {
        use Channel::{Hosted, InStore, Inline};
        use Intent::{Buy, BuyAndTokenize};
        let kinds = [Inline, Hosted, InStore]
            .into_iter()
            .flat_map(|channel| [Buy, BuyAndTokenize].map(|intent| (channel, intent)));
        let now: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        for (channel, intent) in kinds.clone() {
            let draft = Draft::new("TV-1".into(), &wanted(channel, intent, "same"));
            let json = serde_json::to_string(&draft).unwrap();
            assert_eq!(serde_json::from_str::<Draft>(&json).unwrap(), draft, "as a cookie");
            for kind in kinds.clone() {
                let wanted = wanted(kind.0, kind.1, "same");
                let open = known("open", r#","klarna":{"client_token":"a.b.c"}"#);
                let same = kind == (channel, intent);
                let expected = if same { Step::Keep } else { Step::Replace };
                assert_eq!(step(&draft, &open, &wanted, now), expected, "{draft:?} {wanted:?}");
                // What is being paid is waited for, whatever is wanted now.
                let paid = known("confirming", "");
                assert_eq!(step(&draft, &paid, &wanted, now), Step::Wait);
            }
        }
    }

    #[test]
    fn a_checkout_stays_the_persons_who_opened_it() {
        let of = |identity: Option<&str>| Wanted {
            identity_id: identity.map(str::to_owned),
            ..wanted(Channel::Inline, Intent::Buy, "same")
        };
        let open = known("open", r#","klarna":{"client_token":"a.b.c"}"#);
        let now: jiff::Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let people = [None, Some("idn_1"), Some("idn_2")];
        for opened in people {
            let draft = Draft::new("TV-1".into(), &of(opened));
            for here in people {
                let expected = if here == opened { Step::Keep } else { Step::Replace };
                assert_eq!(step(&draft, &open, &of(here), now), expected, "{opened:?} {here:?}");
            }
        }
    }

    #[test]
    fn a_cookie_of_the_version_before_can_be_read() {
        let draft: Draft = serde_json::from_str(r#"{"r":"TV-1","i":"chk_1","f":"x"}"#).unwrap();
        assert_eq!((draft.channel, draft.intent), (Channel::Inline, Intent::Buy));
        assert_eq!(draft.identity_id, None);
    }

    #[test]
    fn order_numbers_can_be_read_out() {
        assert_eq!(order_number([0; 10]), "TV-00000-00000");
        assert_eq!(order_number([255; 10]), "TV-ZZZZZ-ZZZZZ");
        assert_eq!(order_number([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]), "TV-ABCDE-FGHJK");
    }
}
