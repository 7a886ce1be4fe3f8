//! A store's customers, and the tokens with which Klarna lets them be charged again.
//!
//! Rules kept here: of a customer the gateway knows the merchant's own reference and nothing else;
//! a token that is cancelled stays cancelled; Klarna's own id of a token is a secret and is never
//! shown.

use std::fmt;

use klarna_types::{Country, Currency, Locale};
use serde::{Deserialize, Serialize};

use super::checkout::Intent;

/// A customer of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Our id.
    pub id: String,
    /// The store.
    pub store_id: String,
    /// The merchant's own name for the customer: a number, never an address or a person's name.
    pub reference: String,
    /// When the store first spoke of them.
    pub created_at_ms: i64,
}

/// Whether a token can be charged: Klarna's words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It can.
    Active,
    /// Klarna stopped it for now.
    Suspended,
    /// Never again.
    Cancelled,
}

impl TokenStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Cancelled];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A customer token. `Debug` does not show Klarna's id of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerToken {
    /// Our id.
    pub id: String,
    /// The store.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Klarna's id: whoever has it and the merchant's credentials can charge the shopper.
    pub klarna_token_id: String,
    /// Whether it can be charged, as far as Klarna has said.
    pub status: TokenStatus,
    /// Whose it is, if the store said so.
    pub customer_id: Option<String>,
    /// The checkout in which it was made.
    pub checkout_id: String,
    /// What that checkout was for.
    pub intent: Intent,
    /// The Klarna account it belongs to, where the store has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What the shopper was told it is for.
    pub description: String,
    /// Where the shopper buys.
    pub country: Country,
    /// In what is charged.
    pub currency: Currency,
    /// The shopper's language.
    pub locale: Locale,
    /// How it is charged, such as `INVOICE`, once Klarna has said it.
    pub payment_method_type: Option<String>,
    /// When Klarna was last asked about it.
    pub checked_at_ms: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

impl fmt::Debug for CustomerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CustomerToken")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl CustomerToken {
    /// Takes over what Klarna says of it; answers whether the status changed. What is cancelled
    /// stays so, whatever arrives late.
    pub fn take_over(
        &mut self,
        status: Option<TokenStatus>,
        payment_method_type: Option<String>,
        now_ms: i64,
    ) -> bool {
        self.checked_at_ms = Some(now_ms);
        self.payment_method_type = payment_method_type.or(self.payment_method_type.take());
        match status {
            Some(status) if status != self.status && self.status != TokenStatus::Cancelled => {
                self.status = status;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(status: TokenStatus) -> CustomerToken {
        CustomerToken {
            id: "ctk_1".to_owned(),
            store_id: "default".to_owned(),
            version: 1,
            klarna_token_id: "marked-token".to_owned(),
            status,
            customer_id: None,
            checkout_id: "chk_1".to_owned(),
            intent: Intent::Tokenize,
            account_id: None,
            description: "Kaffe".to_owned(),
            country: Country::SE,
            currency: Currency::SEK,
            locale: Locale::new("sv-SE"),
            payment_method_type: None,
            checked_at_ms: None,
            created_at_ms: 0,
            updated_at_ms: 0,
        }
    }

    #[test]
    fn cancelled_is_for_ever() {
        for from in TokenStatus::ALL {
            for to in TokenStatus::ALL {
                let mut token = token(from);
                let changed = token.take_over(Some(to), None, 1);
                let moves = from != to && from != TokenStatus::Cancelled;
                assert_eq!(changed, moves, "{from:?} {to:?}");
                assert_eq!(token.status, if moves { to } else { from });
            }
        }
    }

    #[test]
    fn a_token_does_not_show_klarnas_id() {
        assert!(!format!("{:?}", token(TokenStatus::Active)).contains("marked"));
    }
}
