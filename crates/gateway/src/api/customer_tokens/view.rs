//! A customer token and its charges as the shop sees them.

use klarna_types::customer_token::CustomerToken as KlarnaToken;
use serde::Serialize;

use super::super::checkouts::view::time;
use super::super::payments::view::{OperationView, PaymentView};
use crate::domain::customer::CustomerToken;

/// The card behind a token, as far as a merchant may see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CardView {
    /// Whose it is, such as `VISA`.
    pub brand: String,
    /// `MM/YYYY`.
    pub expiry_date: String,
    /// All but the last four digits as stars.
    pub masked_number: String,
}

/// A customer token.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CustomerTokenView {
    /// Its id. Klarna's own id of it is a secret and stays in the gateway.
    pub id: String,
    /// `active`, `suspended` (Klarna stopped it for now) or `cancelled` (for ever).
    pub status: String,
    /// Whose it is, if the checkout said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The checkout in which it was made.
    pub checkout_id: String,
    /// What the shopper was told it is for.
    pub description: String,
    /// Where the shopper buys.
    pub country: String,
    /// In what is charged.
    pub currency: String,
    /// How it is charged, such as `INVOICE`, once Klarna has said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method_type: Option<String>,
    /// The card behind it; only in the answer of a single token, and only if there is one. It is not
    /// kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<CardView>,
    /// When Klarna was last asked about it; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

impl CustomerTokenView {
    /// The view of a token, with what Klarna has just said of it.
    pub fn new(token: &CustomerToken, read: Option<&KlarnaToken>) -> Self {
        Self {
            id: token.id.clone(),
            status: token.status.name().to_owned(),
            customer_id: token.customer_id.clone(),
            checkout_id: token.checkout_id.clone(),
            description: token.description.clone(),
            country: token.country.as_str().to_owned(),
            currency: token.currency.as_str().to_owned(),
            payment_method_type: token.payment_method_type.clone(),
            card: read.and_then(|read| read.card.as_ref()).map(|card| CardView {
                brand: card.brand.clone(),
                expiry_date: card.expiry_date.clone(),
                masked_number: card.masked_number.clone(),
            }),
            checked_at: token.checked_at_ms.map(time),
            created_at: time(token.created_at_ms),
        }
    }
}

/// A charge of a token.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChargeView {
    /// Its id: that of the operation that carries it out.
    pub id: String,
    /// The shop's number of it.
    pub merchant_reference: String,
    /// Where it stands, and why it was refused, if it was.
    pub operation: OperationView,
    /// Whether the shopper can recover it: `POST /v1/customer_tokens/{id}/charges/{charge_id}/step_up`.
    pub can_step_up: bool,
    /// The payment it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The payment itself, in the answer to a charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentView>,
}
