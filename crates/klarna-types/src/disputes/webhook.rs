//! What Klarna posts to a merchant's webhook when a dispute changes.
//!
//! Read the body with [`DisputeEvent`]; verify the signature before. Klarna's signature algorithm for these is not
//! published: see the documentation of whoever sends them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Arbitration, ArbitrationRequest, DisputeDetails, DisputeOutcome, DisputeOutcomeDetailed,
    DisputeReason, DisputeState, PartnerEvidence, PaymentDisputeId, Representment,
};
use crate::ids::{CaptureId, MerchantId, OrderId};
use crate::wire::millis;

/// The header with the signature over the body.
pub const SIGNATURE_HEADER: &str = "Klarna-Signature";
/// The header that names the key of the signature.
pub const SIGNING_KEY_ID_HEADER: &str = "Klarna-Signing-Key-ID";

open_enum! {
    /// What happened.
    #[non_exhaustive]
    pub enum DisputeEventType: exact {
        /// Raised.
        Initiated = "payment.dispute.state-change.initiated",
        /// Answered.
        Representment = "payment.dispute.state-change.representment",
        /// Preliminarily lost.
        PreArbitration = "payment.dispute.state-change.pre-arbitration",
        /// Appealed.
        Arbitration = "payment.dispute.state-change.arbitration",
        /// Decided.
        Closed = "payment.dispute.state-change.closed",
        /// More time to answer.
        RepresentmentDeadlineExtended = "payment.dispute.updated.representment-deadline-extended",
    }
}

wire_struct! {
    /// About the message itself.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct EventMetadata {
        required {
            /// What happened.
            event_type: DisputeEventType,
            /// Unique; a repeated delivery has the same.
            event_id: String,
        }
        optional {
            /// `v1`.
            event_version: String,
            /// Names the message in Klarna's logs.
            correlation_id: String,
            /// When it happened.
            #[serde(with = "millis::option")]
            occurred_at: Timestamp,
            /// The webhook that it is delivered to.
            webhook_id: String,
            /// The merchant.
            merchant_id: MerchantId,
            /// Whether it is about real money.
            live: bool,
            /// The account that it is about.
            subject_account_id: String,
            /// The account that it is delivered to.
            recipient_account_id: String,
            /// The payment product.
            product_instance_id: String,
        }
    }
}

wire_struct! {
    /// The members of a dispute that can change without a change of its state.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ChangedFields {
        optional {
            /// Until when the merchant can answer.
            #[serde(with = "millis::option")]
            evidence_response_deadline_at: Timestamp,
        }
    }
}

wire_struct! {
    /// The dispute, as far as the event shows it. The state's own members stand beside the others, not in a
    /// `state_context`.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct EventPayload {
        required {
            /// The dispute.
            payment_dispute_id: PaymentDisputeId,
            /// Where it is.
            state: DisputeState,
        }
        optional {
            /// Where it was before.
            previous_state: DisputeState,
            /// Why it was raised; in `initiated` only.
            dispute_reason: DisputeReason,
            /// The order in Order Management.
            order_id: OrderId,
            /// The order, in the words of Klarna's network.
            payment_transaction_id: String,
            /// The merchant's reference of the payment.
            payment_transaction_reference: String,
            /// The order number that the shopper knows.
            purchase_reference: String,
            /// The merchant's second reference.
            #[serde(alias = "merchant_reference_2")]
            merchant_reference2: String,
            /// The capture in Order Management.
            capture_id: CaptureId,
            /// The capture, as a resource name.
            capture_krn: String,
            /// The capture, in the words of Klarna's network.
            payment_capture_id: String,
            /// The merchant's reference of the capture.
            payment_capture_reference: String,
            /// The merchant's account.
            payment_account_id: String,
            /// The partner's reference of the merchant's account.
            payment_account_reference: String,
            /// What is disputed; in `initiated` only.
            dispute_details: DisputeDetails,
            /// The request for evidence; in `initiated`.
            representment: Representment,
            /// What the merchant answered; in `representment`.
            partner_evidence: PartnerEvidence,
            /// Until when an appeal is possible; in `pre-arbitration`.
            #[serde(with = "millis::option")]
            arbitration_expires_at: Timestamp,
            /// The preliminary decision; in `pre-arbitration`.
            arbitration: Arbitration,
            /// The appeal; in `arbitration`.
            arbitration_request: ArbitrationRequest,
            /// The decision; in `closed`.
            dispute_outcome: DisputeOutcome,
            /// Why; in `closed`.
            dispute_outcome_detailed: DisputeOutcomeDetailed,
            /// When; in `closed`.
            #[serde(with = "millis::option")]
            closed_at: Timestamp,
            /// What is new; in `updated`.
            updated_fields: ChangedFields,
            /// What it was before; in `updated`.
            previous_fields: ChangedFields,
            /// When it was raised.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// When it last changed.
            #[serde(with = "millis::option")]
            updated_at: Timestamp,
        }
    }
}

/// The whole message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeEvent {
    /// Repeats [`EventMetadata::event_type`], as Klarna's samples do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<DisputeEventType>,
    /// Repeats [`EventMetadata::event_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Repeats [`EventMetadata::occurred_at`].
    #[serde(default, with = "millis::option", skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// About the message.
    pub metadata: EventMetadata,
    /// The dispute.
    pub payload: EventPayload,
}
