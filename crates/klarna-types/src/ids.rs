//! Identifiers: one type for each, so that an order id never goes where a capture id belongs.
//!
//! Klarna's ids are opaque. They look like UUIDs today; nothing here relies on it.

use std::fmt;

use serde::{Deserialize, Serialize};

string_id! {
    /// A placed order, the key to Order Management.
    OrderId,
    /// A Klarna Payments session.
    SessionId,
    /// A session of a hosted payment page.
    HostedSessionId,
    /// One capture of an order.
    CaptureId,
    /// One refund of an order.
    RefundId,
    /// A customer token, chargeable again and again.
    CustomerTokenId,
    /// Names one request in Klarna's logs; quote it to Klarna's support.
    CorrelationId,
    /// A merchant at Klarna (MID), such as `K123456`.
    MerchantId,
    /// The short reference of an order that shoppers see, such as `K4MADNY`.
    KlarnaReference,
    /// A payment request, such as `krn:payment:request:…`.
    PaymentRequestId,
}

/// Makes a repeated write the same write: whatever is sent again under the same key within 24 hours is executed once.
///
/// Any unique value of 1 to 255 printable ASCII characters.
///
/// ```
/// use klarna_types::IdempotencyKey;
/// assert!(IdempotencyKey::parse("capture-1001-1").is_ok());
/// assert!(IdempotencyKey::parse("").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key that is accepted.
    pub const MAX_LENGTH: usize = 255;

    /// Checks and wraps a key.
    pub fn parse(value: impl Into<String>) -> Result<Self, InvalidIdempotencyKey> {
        let value = value.into();
        let printable = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        // White space at the ends does not survive an HTTP header, and a changed key is another key.
        if value.is_empty() || value.len() > Self::MAX_LENGTH || !printable || value.trim() != value
        {
            return Err(InvalidIdempotencyKey { length: value.len() });
        }
        Ok(Self(value))
    }

    /// The key as it stands in the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidIdempotencyKey;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        Self::parse(value)
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

/// The text cannot be an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an idempotency key is 1 to 255 printable ASCII characters without white space at its ends; this one has {length}"
)]
pub struct InvalidIdempotencyKey {
    length: usize,
}
