//! What makes a repeated request a repeat: keys and fingerprints.
//!
//! Towards Klarna, the key of an operation follows from the operation's id alone, so that no crash
//! can make a second one. Towards the shop, a request that carries `Idempotency-Key` is compared
//! with the first one under that key by a fingerprint of what it asks for.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The namespace of every UUID that Kassa derives (itself a random UUID, fixed for good).
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_9b0a_5c37_4f0e_9a55_2f83_a1d7_be46);

/// The longest `Idempotency-Key` that the gateway takes.
pub const LONGEST_KEY: usize = 255;

/// The key under which Klarna is asked to carry out an operation: UUIDv5 of its id.
pub fn klarna_key(operation_id: &str) -> String {
    derived("klarna-idempotency-key", operation_id).hyphenated().to_string()
}

/// The id of the operation that a shop's request for a payment, under a key of its own, leads to. It
/// follows from what the shop says alone: a gateway that has forgotten the request asks Klarna under the
/// same key again.
pub fn operation_id(payment_id: &str, key: &str, fingerprint: &str) -> String {
    let value = derived("operation", &format!("{payment_id}/{fingerprint}/{key}"));
    beside(payment_id, "op", value)
}

/// The id of the payment that an order placement leads to. Derived, so that committing the same
/// outcome twice cannot make two payments.
pub fn payment_id(place_order_operation_id: &str) -> String {
    beside(place_order_operation_id, "pay", derived("payment", place_order_operation_id))
}

/// The id of the operation that makes one attempt at one charge of a subscription. Derived, so that
/// whoever finds the charge due, and how often, wants the same operation; and with it goes the same
/// key towards Klarna.
pub fn charge_id(subscription_id: &str, number: i64, attempt: i64) -> String {
    let name = format!("{subscription_id}/{number}/{attempt}");
    format!("op_{}", derived("charge", &name).simple())
}

/// The id of the operation that places the order of an authorisation whose token another operation
/// has made. Derived, so that one authorisation leads to one of them.
pub fn order_after_token_id(create_token_operation_id: &str) -> String {
    format!("op_{}", derived("order after token", create_token_operation_id).simple())
}

/// The id of a customer token that an operation made. Derived, so that committing the same outcome
/// twice cannot make two.
pub fn customer_token_id(create_token_operation_id: &str) -> String {
    format!("ctk_{}", derived("customer token", create_token_operation_id).simple())
}

/// The id of a payout in a store, by the merchant that Klarna paid and Klarna's name for it.
pub fn payout_id(store_id: &str, merchant_id: &str, reference: &str) -> String {
    format!("pyt_{}", derived("payout", &format!("{store_id}/{merchant_id}/{reference}")).simple())
}

/// The id of a dispute in a store, by Klarna's id of it.
pub fn dispute_id(store_id: &str, klarna_id: &str) -> String {
    format!("dsp_{}", derived("dispute", &format!("{store_id}/{klarna_id}")).simple())
}

/// The id of the event that says an aggregate reached a version: the same fact, the same id.
pub fn event_id(aggregate_id: &str, version: i64, kind: &str) -> String {
    beside(aggregate_id, "evt", derived("event", &format!("{aggregate_id}/{version}/{kind}")))
}

/// The id of the delivery of an event to a webhook endpoint: there is one.
pub fn delivery_id(endpoint_id: &str, event_id: &str) -> String {
    beside(event_id, "dlv", derived("delivery", &format!("{endpoint_id}/{event_id}")))
}

/// How many hexadecimal digits an id shares with those that are made at about the same time: 24 bits.
pub const SHARED_DIGITS: usize = 6;

/// An id that begins as the one it follows from: their rows are written together and so lie together in
/// their indexes, however many there are. The derived value has the rest.
fn beside(id: &str, prefix: &str, value: Uuid) -> String {
    let value = value.simple().to_string();
    let shared = id
        .split_once('_')
        .and_then(|(_, digits)| digits.get(..SHARED_DIGITS))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    match (shared, value.get(SHARED_DIGITS..)) {
        (Some(shared), Some(own)) => format!("{prefix}_{shared}{own}"),
        _ => format!("{prefix}_{value}"),
    }
}

fn derived(purpose: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{purpose}:{name}").as_bytes())
}

/// What a request asks for, as 64 hexadecimal digits: method, path and body. The parts are
/// length-prefixed, so that no two different requests run into the same bytes.
pub fn fingerprint(method: &str, path: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// SHA-256 of a secret, in hexadecimal: how secrets are kept where only comparing is needed.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.extend(DIGITS.get(usize::from(half)));
        }
    }
    text
}

/// Whether a shop may use `key` as its `Idempotency-Key`: 1 to 255 printable ASCII characters.
pub fn is_acceptable_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_operation_never_changes() {
        // Pinned: a new version of the gateway must resume the journal of the previous one.
        assert_eq!(klarna_key("op_1"), klarna_key("op_1"));
        assert_ne!(klarna_key("op_1"), klarna_key("op_2"));
        assert_ne!(klarna_key("op_1"), payment_id("op_1"));
        let key = Uuid::parse_str(&klarna_key("op_1")).unwrap();
        assert_eq!(key.get_version_num(), 5);
        assert_eq!(operation_id("s", "k", "f"), operation_id("s", "k", "f"));
        for other in [("t", "k", "f"), ("s", "l", "f"), ("s", "k", "g")] {
            assert_ne!(operation_id("s", "k", "f"), operation_id(other.0, other.1, other.2));
        }
    }

    #[test]
    fn what_follows_from_an_id_begins_as_it_does() {
        let operation = "op_0a1b2c00112233445566778899aabbcc";
        let payment = payment_id(operation);
        assert!(payment.starts_with("pay_0a1b2c"), "{payment}");
        assert_eq!(payment.len(), "pay_".len() + 32);
        let other = payment_id("op_0a1b2c00112233445566778899aabbcd");
        assert_ne!(payment[10..], other[10..]);
        assert!(event_id(&payment, 1, "payment.captured").starts_with("evt_0a1b2c"));
        assert_ne!(
            event_id(&payment, 1, "payment.captured"),
            event_id(&payment, 2, "payment.captured")
        );
        // Ids that somebody else made up share nothing.
        for foreign in ["fresh-1", "op_1", "op_zzzzzz0011", ""] {
            assert_eq!(payment_id(foreign).len(), "pay_".len() + 32, "{foreign}");
        }
    }

    #[test]
    fn a_fingerprint_tells_requests_apart() {
        let one = fingerprint("POST", "/a", b"bc");
        assert_eq!(one, fingerprint("POST", "/a", b"bc"));
        for other in [
            fingerprint("POST", "/ab", b"c"),
            fingerprint("GET", "/a", b"bc"),
            fingerprint("POST", "/a", b"bd"),
            fingerprint("POST/", "a", b"bc"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn digests_are_sha256() {
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn keys_are_printable_and_of_bounded_length() {
        assert!(is_acceptable_key("order-7"));
        assert!(is_acceptable_key(&"k".repeat(255)));
        for bad in ["", "a\nb", "ключ", &"k".repeat(256)] {
            assert!(!is_acceptable_key(bad), "{bad:?}");
        }
    }
}
