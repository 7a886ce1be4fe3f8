//! Version 3 of the Disputes API (`/disputes/v3/disputes`), as far as it can be read: how a dispute is answered in
//! that version is not published.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DisputeCreator, Pagination, PaymentDisputeAttachmentId, PaymentDisputeId};
use crate::ids::{CaptureId, OrderId};
use crate::market::Currency;
use crate::money::MinorUnits;
use crate::wire::{millis, null_as_default};

open_enum! {
    /// Where a dispute is, in the words of version 3.
    #[non_exhaustive]
    pub enum DisputeState: any_case {
        /// The merchant and the shopper may settle it among themselves.
        PreArbitration = "PRE_ARBITRATION",
        /// Klarna decides.
        ArbitrationPending = "ARBITRATION_PENDING",
        /// Klarna asks the merchant for evidence.
        MerchantEvidencePending = "MERCHANT_EVIDENCE_PENDING",
        /// Lost, but the merchant may appeal.
        ArbitrationAppealOpen = "ARBITRATION_APPEAL_OPEN",
        /// Decided.
        Closed = "CLOSED",
    }
}

open_enum! {
    /// Why a payment is disputed, in the words of version 3.
    #[non_exhaustive]
    pub enum DisputeReason: any_case {
        /// Returned, and not refunded.
        ReturnNotRefunded = "RETURN_NOT_REFUNDED",
        /// Nothing or only a part arrived.
        ProductsNotReceived = "PRODUCTS_NOT_RECEIVED",
        /// Broken, incomplete, or not as described.
        ProductsFaulty = "PRODUCTS_FAULTY",
        /// Wrong amount.
        CaptureAmountIncorrect = "CAPTURE_AMOUNT_INCORRECT",
        /// Cancelled.
        PurchaseCanceled = "PURCHASE_CANCELED",
        /// The shopper says that he never bought.
        PurchaseUnauthorized = "PURCHASE_UNAUTHORIZED",
        /// Klarna holds the order to be fraudulent.
        PurchaseHighRisk = "PURCHASE_HIGH_RISK",
    }
}

wire_struct! {
    /// What is particular to the state of a dispute.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct StateContext {
        optional {
            /// What kind of evidence is asked for.
            evidence_request_type: String,
            /// Until when.
            #[serde(with = "millis::option")]
            evidence_response_deadline_at: Timestamp,
        }
    }
}

wire_struct! {
    /// What is disputed.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DisputeDetails {
        optional {
            /// How much.
            dispute_amount: MinorUnits,
            /// In which currency.
            currency: Currency,
            /// Who raised it.
            created_by: DisputeCreator,
        }
    }
}

wire_struct! {
    /// What Klarna asked.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct EvidenceRequest {
        optional {
            /// When.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// `EVIDENCE_REQUESTED`.
            state: String,
            /// In words.
            comment: String,
        }
    }
}

wire_struct! {
    /// A file of the merchant's.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct EvidenceAttachment {
        optional {
            /// Its id.
            payment_dispute_attachment_id: PaymentDisputeAttachmentId,
            /// What it shows.
            description: String,
        }
    }
}

wire_struct! {
    /// What the merchant answered.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct EvidenceResponse {
        optional {
            /// When.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// In words.
            additional_information: String,
            /// In files.
            attachments: Vec<EvidenceAttachment>,
        }
    }
}

wire_struct! {
    /// A request and its answer.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct MerchantEvidence {
        optional {
            /// Its id.
            payment_dispute_merchant_evidence_id: String,
            /// What Klarna asked.
            request: EvidenceRequest,
            /// What the merchant answered.
            response: EvidenceResponse,
        }
    }
}

wire_struct! {
    /// A dispute.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Dispute {
        required {
            /// Its id.
            payment_dispute_id: PaymentDisputeId,
            /// Why the payment is disputed.
            dispute_reason: DisputeReason,
            /// Where it is.
            state: DisputeState,
        }
        optional {
            /// Where it was before.
            previous_state: DisputeState,
            /// What is particular to the state.
            state_context: StateContext,
            /// The order.
            payment_transaction_id: OrderId,
            /// The capture.
            payment_capture_id: CaptureId,
            /// The merchant's reference of the payment.
            payment_transaction_reference: String,
            /// The merchant's reference of the order.
            purchase_reference: String,
            /// The payment product.
            payment_product_instance_id: String,
            /// What is disputed.
            dispute_details: DisputeDetails,
            /// What Klarna asked and the merchant answered.
            merchant_evidence: Vec<MerchantEvidence>,
            /// When it was raised.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// When it was closed.
            #[serde(with = "millis::option")]
            closed_at: Timestamp,
        }
    }
}

/// One page of disputes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeList {
    /// The disputes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub disputes: Vec<Dispute>,
    /// Where they stand.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pagination: Pagination,
}
