//! The Disputes API: version 4 (`/v4/payment/disputes`) here, version 2 in [`v2`], the readable part of version 3 in
//! [`v3`].
//!
//! | operation | request | answer |
//! |---|---|---|
//! | enrol a merchant | no body | nothing (204) |
//! | enrol a partner | [`EnrollPartner`] | nothing (204) |
//! | list | [`ListDisputes`] as query | [`DisputeList`] |
//! | read | - | [`Dispute`] |
//! | accept the loss | no body | [`AcceptedLoss`] (202) |
//! | upload an attachment | multipart `file`, `filename` | [`UploadedAttachment`] (201) |
//! | represent | [`Represent`] | [`Represented`] (201) |
//! | appeal | [`Appeal`] | [`Appealed`] (201) |
//! | download an attachment | - | the file |
//!
//! Errors are [`NetworkError`]; what Klarna calls is in [`webhook`]. A server reads the requests as the types whose
//! names end in `Body`, where nothing is required.

mod error;
mod files;
mod outcome;
pub mod v2;
pub mod v3;
pub mod webhook;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CaptureId, OrderId};
use crate::market::Currency;
use crate::money::MinorUnits;
use crate::wire::{millis, null_as_default};

pub use error::{NetworkError, NetworkErrorCode, NetworkErrorType, ValidationError};
pub use files::{FileName, FileRule, FileType};
pub use outcome::{DisputeOutcome, DisputeOutcomeDetailed};

string_id! {
    /// One dispute, such as `krn:network:us1:live:payment:dispute:5169719611111`.
    PaymentDisputeId,
    /// A file that belongs to a dispute.
    PaymentDisputeAttachmentId,
}

open_enum! {
    /// Where a dispute is.
    #[non_exhaustive]
    pub enum DisputeState: any_case {
        /// Raised; Klarna asks the merchant for evidence.
        Initiated = "INITIATED",
        /// The merchant has answered; Klarna reviews.
        Representment = "REPRESENTMENT",
        /// Preliminarily lost; the merchant may appeal.
        PreArbitration = "PRE_ARBITRATION",
        /// Appealed; Klarna decides finally.
        Arbitration = "ARBITRATION",
        /// Decided.
        Closed = "CLOSED",
    }
}

open_enum! {
    /// Why a payment is disputed.
    #[non_exhaustive]
    pub enum DisputeReason: any_case {
        /// Returned or cancelled, and not refunded.
        RefundNotProcessed = "REFUND_NOT_PROCESSED",
        /// Nothing or only a part arrived.
        ProductsOrServicesNotReceived = "PRODUCTS_OR_SERVICES_NOT_RECEIVED",
        /// Broken, incomplete, or not as described.
        ProductsDefectiveOrNotAsDescribed = "PRODUCTS_DEFECTIVE_OR_NOT_AS_DESCRIBED",
        /// Klarna holds the order to be fraudulent: do not ship it. Raised by Klarna; answer within 96 hours.
        PurchaseHighRisk = "PURCHASE_HIGH_RISK",
        /// Wrong amount, or paid to the merchant directly.
        IncorrectAmount = "INCORRECT_AMOUNT",
        /// The shopper says that he never bought.
        PurchaseUnauthorized = "PURCHASE_UNAUTHORIZED",
        /// The merchant is in breach of its duties in the risk programme.
        NonCompliance = "NON_COMPLIANCE",
        /// The shopper did not pay, and the merchant bears that risk.
        NonGuaranteedPaymentProgram = "NON_GUARANTEED_PAYMENT_PROGRAM",
    }
}

open_enum! {
    /// Who raised a dispute.
    #[non_exhaustive]
    pub enum DisputeCreator: any_case {
        /// The shopper.
        Customer = "CUSTOMER",
        /// Klarna.
        KlarnaAgent = "KLARNA_AGENT",
    }
}

open_enum! {
    /// How far the request for evidence has come.
    #[non_exhaustive]
    pub enum RepresentmentState: any_case {
        /// The merchant may answer.
        EvidenceRequested = "EVIDENCE_REQUESTED",
        /// The merchant has answered.
        EvidenceReceived = "EVIDENCE_RECEIVED",
        /// The merchant did not answer in time.
        EvidenceRequestExpired = "EVIDENCE_REQUEST_EXPIRED",
        /// The merchant accepted the loss instead.
        EvidenceWaived = "EVIDENCE_WAIVED",
        /// The amount is below the threshold under which the merchant takes every loss.
        RepresentmentAutomaticallyRejected = "REPRESENTMENT_AUTOMATICALLY_REJECTED",
    }
}

open_enum! {
    /// When the disputed amount leaves the merchant's balance.
    #[non_exhaustive]
    pub enum HoldPolicy: any_case {
        /// When the dispute is closed and lost.
        None = "NONE",
        /// When the dispute is raised; given back when it is won.
        OnDisputeInitiated = "ON_DISPUTE_INITIATED",
    }
}

open_enum! {
    /// Which process a dispute follows.
    #[non_exhaustive]
    pub enum BaseFramework: any_case {
        /// The process of version 4.
        Framework2026 = "FRAMEWORK_2026",
        /// The process of versions 1 to 3.
        Framework2020 = "FRAMEWORK_2020",
    }
}

open_enum! {
    /// How a dispute left the usual process.
    #[non_exhaustive]
    pub enum ProcessExceptionType: any_case {
        /// It could be raised, or answered, later than usual.
        DisputeWindowExtension = "dispute_window_extension",
        /// It was decided without a defence.
        ImmediateDisputeResolution = "immediate_dispute_resolution",
    }
}

open_enum! {
    /// Why a dispute left the usual process.
    #[non_exhaustive]
    pub enum ProcessExceptionReason: any_case {
        /// The merchant is fraudulent.
        FraudulentPartner = "fraudulent_partner",
        /// The dispute was handled wrongly before.
        DisputeMisHandled = "dispute_mis_handled",
        /// A law asks for it.
        RegulatoryRequirement = "regulatory_requirement",
    }
}

wire_struct! {
    /// What is disputed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct DisputeDetails {
        required {
            /// How much, in the settlement currency.
            dispute_amount: MinorUnits,
            /// The settlement currency.
            currency: Currency,
        }
        optional {
            /// Who raised it.
            created_by: DisputeCreator,
        }
    }
}

wire_struct! {
    /// A file of the merchant's, as it is shown.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Attachment {
        required {
            /// Its id.
            payment_dispute_attachment_id: PaymentDisputeAttachmentId,
        }
        optional {
            /// What it shows.
            description: String,
            /// Where it can be downloaded, with credentials.
            url: String,
            /// Its media type.
            mime_type: String,
        }
    }
}

wire_struct! {
    /// What the merchant answered.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct PartnerEvidence {
        optional {
            /// When.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// In words.
            additional_information: String,
            /// In files.
            attachments: Vec<Attachment>,
            /// How much of the amount the merchant would refund. Not documented for reading.
            partner_proposed_refund_amount: MinorUnits,
        }
    }
}

wire_struct! {
    /// What Klarna asks for.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct RepresentmentRequest {
        optional {
            /// Since when.
            #[serde(with = "millis::option")]
            requested_at: Timestamp,
            /// In words.
            additional_information: String,
        }
    }
}

wire_struct! {
    /// The request for evidence and its answer.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Representment {
        optional {
            /// How far it has come.
            state: RepresentmentState,
            /// How far it had come before.
            previous_state: RepresentmentState,
            /// Until when it can be answered.
            #[serde(with = "millis::option")]
            expires_at: Timestamp,
            /// What Klarna asks for.
            request: RepresentmentRequest,
            /// What the merchant answered.
            partner_evidence: PartnerEvidence,
        }
    }
}

wire_struct! {
    /// The merchant's appeal.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ArbitrationRequest {
        optional {
            /// When.
            #[serde(with = "millis::option")]
            requested_at: Timestamp,
            /// In words.
            additional_information: String,
            /// In files.
            attachments: Vec<Attachment>,
        }
    }
}

wire_struct! {
    /// The preliminary decision and what was made of it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Arbitration {
        optional {
            /// The preliminary decision.
            preliminary_outcome: DisputeOutcome,
            /// Why.
            preliminary_outcome_detailed: DisputeOutcomeDetailed,
            /// The appeal.
            arbitration_request: ArbitrationRequest,
        }
    }
}

wire_struct! {
    /// What is particular to the state of a dispute. Which members are there follows from the state: `representment`
    /// in INITIATED, `partner_evidence` in REPRESENTMENT, `arbitration_expires_at` in PRE_ARBITRATION, the rest in CLOSED.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct StateContext {
        optional {
            /// The request for evidence.
            representment: Representment,
            /// What the merchant answered.
            partner_evidence: PartnerEvidence,
            /// Until when an appeal is possible.
            #[serde(with = "millis::option")]
            arbitration_expires_at: Timestamp,
            /// The decision, from the merchant's side.
            dispute_outcome: DisputeOutcome,
            /// Why.
            dispute_outcome_detailed: DisputeOutcomeDetailed,
            /// When it was closed.
            #[serde(with = "millis::option")]
            closed_at: Timestamp,
        }
    }
}

wire_struct! {
    /// A file of the shopper's.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerFile {
        optional {
            /// Where it can be downloaded, with credentials.
            url: String,
            /// Its media type.
            mime_type: String,
            /// What it shows.
            description: String,
        }
    }
}

wire_struct! {
    /// What the shopper shows.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerEvidence {
        optional {
            /// Its id, which is also the id to download it with.
            payment_dispute_customer_evidence_id: PaymentDisputeAttachmentId,
            /// The file.
            attachment: CustomerFile,
        }
    }
}

wire_struct! {
    /// How and why a dispute left the usual process.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ProcessException {
        required {
            /// How.
            exception_type: ProcessExceptionType,
        }
        optional {
            /// Why.
            reason: ProcessExceptionReason,
            /// Why, for people.
            description: String,
        }
    }
}

wire_struct! {
    /// What was agreed for a dispute.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ConfigurationOptions {
        optional {
            /// When the amount leaves the merchant's balance.
            hold_policy: HoldPolicy,
        }
    }
}

wire_struct! {
    /// Which process a dispute follows.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Configuration {
        optional {
            /// The process.
            base_framework: BaseFramework,
            /// What was agreed.
            options: ConfigurationOptions,
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
            /// Where it was before; always there but in INITIATED.
            previous_state: DisputeState,
            /// The order in Order Management.
            order_id: OrderId,
            /// The order, in the words of Klarna's network.
            payment_transaction_id: String,
            /// The merchant's account.
            payment_account_id: String,
            /// What is disputed.
            dispute_details: DisputeDetails,
            /// The capture in Order Management.
            capture_id: CaptureId,
            /// The capture, as a resource name.
            capture_krn: String,
            /// The capture, in the words of Klarna's network.
            payment_capture_id: String,
            /// The merchant's reference of the capture.
            payment_capture_reference: String,
            /// The merchant's reference of the payment.
            payment_transaction_reference: String,
            /// The order number that the shopper knows.
            purchase_reference: String,
            /// The merchant's second reference. One of Klarna's sources writes it `merchant_reference_2`.
            #[serde(alias = "merchant_reference_2")]
            merchant_reference2: String,
            /// The payment product.
            product_id: String,
            /// The partner's reference of the merchant's account.
            payment_account_reference: String,
            /// The partner.
            partner_account_id: String,
            /// What is particular to the state; always there but in ARBITRATION.
            state_context: StateContext,
            /// The request for evidence and its answer, from REPRESENTMENT on.
            representment: Representment,
            /// The preliminary decision, from PRE_ARBITRATION on.
            arbitration: Arbitration,
            /// What the shopper shows, at most two.
            customer_evidences: Vec<CustomerEvidence>,
            /// How the dispute left the usual process, at most three.
            process_exceptions: Vec<ProcessException>,
            /// Which process it follows.
            configuration: Configuration,
            /// When it was raised.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// When it last changed.
            #[serde(with = "millis::option")]
            updated_at: Timestamp,
        }
    }
}

wire_struct! {
    /// Where to find another page.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Link {
        optional {
            /// The address.
            href: String,
            /// The method, `GET`.
            method: String,
            /// `next` or `prev`.
            rel: String,
        }
    }
}

wire_struct! {
    /// The pages around one.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Links {
        optional {
            /// The next one.
            next: Link,
            /// The one before.
            prev: Link,
        }
    }
}

/// Where a page stands in the whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// How many disputes the page has.
    #[serde(default)]
    pub count: u64,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The cursor of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_item: Option<String>,
    /// The cursor to send as `starting_after` for the next page. Written as `null` on the last page.
    #[serde(default)]
    pub last_item: Option<String>,
    /// The pages around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
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

open_enum! {
    /// By what a list is sorted; `-` means the latest first.
    #[non_exhaustive]
    pub enum DisputeSort: exact {
        /// By when they were raised.
        CreatedAt = "created_at",
        /// By when they were raised, the latest first.
        CreatedAtDescending = "-created_at",
        /// By when they were closed.
        ClosedAt = "closed_at",
        /// By when they were closed, the latest first.
        ClosedAtDescending = "-closed_at",
    }
}

/// Which disputes to list. An empty one lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListDisputes {
    /// Of these orders, at most [`ListDisputes::MAX_IDS`].
    pub order_ids: Vec<OrderId>,
    /// Of these payment transactions, at most [`ListDisputes::MAX_IDS`].
    pub payment_transaction_ids: Vec<String>,
    /// In these states, at most [`ListDisputes::MAX_IDS`].
    pub state: Vec<DisputeState>,
    /// Raised for these reasons, at most [`ListDisputes::MAX_VALUES`].
    pub reason: Vec<DisputeReason>,
    /// With these purchase references, at most [`ListDisputes::MAX_VALUES`].
    pub purchase_references: Vec<String>,
    /// In this order, at most [`ListDisputes::MAX_VALUES`] keys.
    pub sort_by: Vec<DisputeSort>,
    /// Raised at or after.
    pub created_at_start: Option<Timestamp>,
    /// Raised before.
    pub created_at_end: Option<Timestamp>,
    /// Closed at or after.
    pub closed_at_start: Option<Timestamp>,
    /// Closed before.
    pub closed_at_end: Option<Timestamp>,
    /// Changed at or after.
    pub updated_at_start: Option<Timestamp>,
    /// Changed before.
    pub updated_at_end: Option<Timestamp>,
    /// How many on a page.
    pub size: Option<u32>,
    /// The page after this cursor, which is the `last_item` of the page before.
    pub starting_after: Option<String>,
}

impl ListDisputes {
    /// The most order ids, transaction ids or states in one call.
    pub const MAX_IDS: usize = 100;
    /// The most reasons, purchase references or sort keys in one call.
    pub const MAX_VALUES: usize = 10;

    /// Lists all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The query parameters. A list is a repeated key; points in time have milliseconds.
    ///
    /// ```
    /// use klarna_types::disputes::{DisputeState, ListDisputes};
    /// let mut list = ListDisputes::new();
    /// list.state = vec![DisputeState::Initiated, DisputeState::PreArbitration];
    /// list.size = Some(50);
    /// assert_eq!(list.query(), [("state", "INITIATED".into()), ("state", "PRE_ARBITRATION".into()), ("size", "50".into())]);
    /// ```
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(self.order_ids.iter().map(|id| ("order_ids", id.to_string())));
        query.extend(
            self.payment_transaction_ids.iter().map(|id| ("payment_transaction_ids", id.clone())),
        );
        query.extend(self.state.iter().map(|state| ("state", state.to_string())));
        query.extend(self.reason.iter().map(|reason| ("reason", reason.to_string())));
        query.extend(self.purchase_references.iter().map(|r| ("purchase_references", r.clone())));
        query.extend(self.sort_by.iter().map(|key| ("sort_by", key.to_string())));
        let times = [
            ("created_at_start", self.created_at_start),
            ("created_at_end", self.created_at_end),
            ("closed_at_start", self.closed_at_start),
            ("closed_at_end", self.closed_at_end),
            ("updated_at_start", self.updated_at_start),
            ("updated_at_end", self.updated_at_end),
        ];
        for (name, at) in times {
            query.extend(at.map(|at| (name, format!("{at:.3}"))));
        }
        query.extend(self.size.map(|size| ("size", size.to_string())));
        query.extend(self.starting_after.clone().map(|cursor| ("starting_after", cursor)));
        query
    }
}

wire_struct! {
    /// Enrols a partner, for all its merchants.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct EnrollPartner {
        required {
            /// The partner's OAuth client, 1 to 64 letters and digits.
            client_id: String,
        }
    }
}

wire_struct! {
    /// [`EnrollPartner`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct EnrollPartnerBody {
        optional {
            /// The partner's OAuth client; required.
            client_id: String,
        }
    }
}

wire_struct! {
    /// The answer to accepting a loss.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct AcceptedLoss {
        required {
            /// `CLOSED`.
            state: DisputeState,
        }
    }
}

wire_struct! {
    /// The answer to an upload.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct UploadedAttachment {
        required {
            /// To be named when representing or appealing.
            payment_dispute_attachment_id: PaymentDisputeAttachmentId,
        }
    }
}

wire_struct! {
    /// Names a file that was uploaded.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct AttachmentReference {
        required {
            /// Its id.
            payment_dispute_attachment_id: PaymentDisputeAttachmentId,
        }
        optional {
            /// What it shows, at most 1000 characters.
            description: String,
        }
    }
}

wire_struct! {
    /// [`AttachmentReference`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct AttachmentReferenceBody {
        optional {
            /// Its id; required.
            payment_dispute_attachment_id: PaymentDisputeAttachmentId,
            /// What it shows.
            description: String,
        }
    }
}

wire_struct! {
    /// The merchant's answer to a dispute.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Represent {
        required {
            /// Files, 1 to [`limits::ATTACHMENTS`].
            attachments: Vec<AttachmentReference>,
        }
        optional {
            /// In words, at most [`limits::REPRESENT_TEXT`] characters.
            additional_information: String,
            /// How much of the amount the merchant would refund; less than the disputed amount.
            partner_proposed_refund_amount: MinorUnits,
        }
    }
}

wire_struct! {
    /// [`Represent`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct RepresentBody {
        optional {
            /// Files; required.
            attachments: Vec<AttachmentReferenceBody>,
            /// In words.
            additional_information: String,
            /// How much of the amount the merchant would refund.
            partner_proposed_refund_amount: MinorUnits,
        }
    }
}

wire_struct! {
    /// The answer to representing.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Represented {
        required {
            /// `REPRESENTMENT`.
            state: DisputeState,
        }
        optional {
            /// When.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// In words.
            additional_information: String,
            /// In files.
            attachments: Vec<AttachmentReference>,
            /// How much of the amount the merchant would refund. Not documented for reading.
            partner_proposed_refund_amount: MinorUnits,
        }
    }
}

wire_struct! {
    /// The merchant's appeal against a preliminary decision.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Appeal {
        required {
            /// Why the decision is wrong, 1 to [`limits::APPEAL_TEXT`] characters.
            additional_information: String,
        }
        optional {
            /// Files, 1 to [`limits::ATTACHMENTS`].
            attachments: Vec<AttachmentReference>,
        }
    }
}

wire_struct! {
    /// [`Appeal`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct AppealBody {
        optional {
            /// Why the decision is wrong; required.
            additional_information: String,
            /// Files.
            attachments: Vec<AttachmentReferenceBody>,
        }
    }
}

wire_struct! {
    /// The answer to an appeal.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Appealed {
        required {
            /// `ARBITRATION`.
            state: DisputeState,
        }
        optional {
            /// When.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// In words.
            additional_information: String,
        }
    }
}

/// How much fits where.
pub mod limits {
    /// The most attachments of one answer or appeal.
    pub const ATTACHMENTS: usize = 10;
    /// The most characters of an attachment's description.
    pub const DESCRIPTION: usize = 1_000;
    /// The most characters of `additional_information` when representing.
    pub const REPRESENT_TEXT: usize = 5_000;
    /// The most characters of `additional_information` when appealing.
    pub const APPEAL_TEXT: usize = 10_000;
    /// The largest file: 7 MB.
    pub const FILE_BYTES: usize = 7 * 1024 * 1024;
    /// The most characters of a file name without its extension.
    pub const FILE_NAME: usize = 1_000;
    /// The most characters of an id or reference in a filter.
    pub const FILTER_TEXT: usize = 255;
    /// The most characters of a dispute id in a path.
    pub const DISPUTE_ID: usize = 100;
    /// The most characters of `Partner-Correlation-Id`.
    pub const PARTNER_CORRELATION_ID: usize = 255;
    /// The most characters of a partner's `client_id`.
    pub const CLIENT_ID: usize = 64;
}
