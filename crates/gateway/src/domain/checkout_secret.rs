//! The secret by which a browser shows that a checkout is its own.
//!
//! It follows from the checkout's id and the digest of its callback secret, so that nothing more has to be
//! kept and a repeated request is answered with the same one. The digest stays when the checkout is over and
//! its secrets are forgotten: a browser that comes after Klarna's callback must still be known. Whoever has it
//! may read the checkout's public status, and confirm it with a token that only the shopper's approval makes.

use super::checkout::Checkout;
use super::idempotency;

/// The secret of a checkout.
pub fn of(checkout: &Checkout) -> String {
    let secret = checkout.callback_digest.as_bytes();
    format!("kassa_cs_{}", idempotency::fingerprint("checkout secret", &checkout.id, secret))
}
