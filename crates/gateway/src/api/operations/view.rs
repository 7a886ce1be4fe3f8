//! An operation as a person at the merchant needs it: with what was sent, what was answered, and
//! who settled it.

use serde::Serialize;
use storage::Tx;

use super::super::checkouts::view::time;
use super::super::payments::view::OperationView;
use crate::domain::journal::{Operation, Outcome, Request};
use crate::engine::worker::redacted;
use crate::fault::Fault;
use crate::store::operations::Attempt;
use crate::store::{checkouts, events, operations};

/// One call to Klarna.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AttemptView {
    /// Counts from 1.
    pub number: i64,
    /// What it came to, in a few words.
    pub outcome: String,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Klarna's id of the exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What Klarna answered, as far as it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub answer: Option<serde_json::Value>,
    /// When it ended.
    pub at: String,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            outcome: attempt.outcome.clone(),
            status: attempt.status,
            correlation_id: attempt.correlation_id.clone(),
            answer: attempt.answer.clone(),
            at: time(attempt.at_ms),
        }
    }
}

/// Who settled an operation that waited for a person.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SettlementView {
    /// Who.
    pub by: String,
    /// Why, in their words.
    pub note: String,
    /// When.
    pub at: String,
}

/// An operation with everything that is known of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OperationDetail {
    /// What it is and where it stands.
    #[serde(flatten)]
    pub operation: OperationView,
    /// Grows with every change: send it along to act on what you saw.
    pub version: i64,
    /// The shop's order number.
    pub merchant_reference: String,
    /// The checkout it belongs to; null where a customer token is charged or cancelled.
    pub checkout_id: Option<String>,
    /// The subscription or customer token it is about, where it is neither about a checkout nor
    /// about a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// The payment it is about, or led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The Klarna order it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_order_id: Option<String>,
    /// Klarna's id of what it made, where it took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_id: Option<String>,
    /// Klarna's id of the last exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What is sent, as far as it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub request: Option<serde_json::Value>,
    /// Every call to Klarna, oldest first.
    pub calls: Vec<AttemptView>,
    /// Who settled it, if a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<SettlementView>,
    /// The last change.
    pub updated_at: String,
}

impl OperationDetail {
    /// Gathers what is known of an operation.
    pub fn load(tx: &mut Tx<'_>, operation: &Operation) -> Result<Self, Fault> {
        let checkout = checkouts::get(tx, &operation.checkout_id)?;
        let attempts = operations::attempts(tx, &operation.id)?;
        let settled = events::settlement(tx, operation)?;
        Ok(Self {
            operation: OperationView::from(operation),
            version: operation.version,
            merchant_reference: match (&checkout, &operation.request) {
                (_, Request::Charge(charge)) => charge.merchant_reference.clone(),
                (Some(checkout), _) => checkout.cart.merchant_reference.clone(),
                (None, _) => String::new(),
            },
            checkout_id: checkout.as_ref().map(|checkout| checkout.id.clone()),
            subject_id: operation.subject.clone(),
            payment_id: operation.payment_id.clone(),
            klarna_order_id: operation.order_id().map(ToOwned::to_owned),
            klarna_id: match &operation.outcome {
                Some(Outcome::Done { id }) => id.clone(),
                Some(Outcome::Refused(_) | Outcome::NeedsAttention(_)) | None => None,
            },
            correlation_id: operation.correlation_id.clone(),
            request: operation.body().and_then(redacted),
            calls: attempts.iter().map(AttemptView::from).collect(),
            settled: settled.map(|event| {
                let text = |name: &str| {
                    event.data.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
                };
                SettlementView {
                    by: text("by").to_owned(),
                    note: text("note").to_owned(),
                    at: time(event.created_at_ms),
                }
            }),
            updated_at: time(operation.updated_at_ms),
        })
    }
}
