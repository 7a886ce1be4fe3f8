//! Version 2 of the Disputes API (`/disputes/v2`): requests of Klarna's, and the merchant's answers.
//!
//! | operation | request | answer |
//! |---|---|---|
//! | enrol | no body | nothing |
//! | list | [`ListDisputes`] as query | [`DisputeList`] |
//! | read | - | [`DisputeDetails`] |
//! | accept the loss | no body | nothing |
//! | upload an attachment | multipart `file`, `filename` | [`Attachment`] (201) |
//! | answer a request | [`NewResponse`] | [`Response`] (201) |
//! | download an attachment of a request or of a response | - | the file |
//!
//! Every call of a merchant carries its id in the header [`MERCHANT_HEADER`]. Points in time in requests have exactly
//! three decimals. Errors are [`DisputeError`].

mod fields;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use fields::{
    Cancellable, Carrier, Contacted, DeliveredBy, OrderKind, PaymentReceived, RequestedField,
    RequestedFields, ReturnInfo, Scope, Shipment, ShipmentCountry, Shipped, YesNo,
};

use crate::ids::{CaptureId, MerchantId, OrderId};
use crate::market::Currency;
use crate::money::MinorUnits;
use crate::wire::{millis, null_as_default};

/// The header that names the merchant on whose behalf a call is made.
pub const MERCHANT_HEADER: &str = "x-klarna-basic-mid";

/// The most requests that Klarna makes in one dispute.
pub const MAX_REQUESTS: usize = 5;

/// The most disputes on a page.
pub const MAX_LIMIT: u32 = 250;

string_id! {
    /// One dispute, such as `krn:klarna:eu1:dispute:return:266091`.
    DisputeKrn,
}

open_enum! {
    /// Why a payment is disputed.
    #[non_exhaustive]
    pub enum Reason: exact {
        /// Returned, and not refunded.
        Return = "return",
        /// Nothing or only a part arrived.
        GoodsNotReceived = "goods_not_received",
        /// Broken, incomplete, or not as described.
        FaultyGoods = "faulty_goods",
        /// Wrong amount.
        IncorrectInvoice = "incorrect_invoice",
        /// Paid to the merchant directly.
        AlreadyPaid = "already_paid",
        /// The shopper says that he never bought.
        UnauthorizedPurchase = "unauthorized_purchase",
        /// Klarna holds the order to be fraudulent: do not ship it.
        HighRiskOrder = "high_risk_order",
        /// Historic.
        PandemicImpact = "pandemic_impact",
        /// The merchant is in breach of its duties. Not among the published values of version 2.
        NonCompliance = "non_compliance",
        /// The shopper did not pay. Not among the published values of version 2.
        NonGuaranteedPaymentProgram = "non_guaranteed_payment_program",
        /// The goods could not be returned. Not among the published values of version 2.
        ReturnNotPossible = "return_not_possible",
    }
}

open_enum! {
    /// How far Klarna's investigation has come.
    #[non_exhaustive]
    pub enum InvestigationStatus: exact {
        /// The merchant and the shopper may settle it among themselves.
        Opened = "opened",
        /// Klarna investigates and asks for nothing.
        Started = "started",
        /// A request is open: the merchant has to answer.
        Unresolved = "unresolved",
        /// Answered; Klarna reviews.
        Replied = "replied",
        /// Decided.
        Closed = "closed",
        /// Not answered in time.
        DeadlineExpired = "deadline_expired",
        /// The merchant accepted the loss.
        LossAccepted = "loss_accepted",
    }
}

open_enum! {
    /// Whether a dispute is over.
    #[non_exhaustive]
    pub enum DisputeStatus: exact {
        /// It is not.
        Open = "open",
        /// It is.
        Closed = "closed",
    }
}

open_enum! {
    /// How a dispute was closed.
    #[non_exhaustive]
    pub enum ClosingReason: exact {
        /// For the merchant, or settled.
        Resolved = "resolved",
        /// Against the merchant.
        Chargeback = "chargeback",
    }
}

wire_struct! {
    /// An amount and its currency.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Money {
        required {
            /// In minor units.
            amount: MinorUnits,
            /// Of this currency.
            currency: Currency,
        }
    }
}

wire_struct! {
    /// A parcel of the order.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ShippingInfo {
        optional {
            /// The carrier.
            shipping_carrier: String,
            /// The carrier's number.
            tracking_id: String,
        }
    }
}

wire_struct! {
    /// The disputed order.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DisputedOrder {
        optional {
            /// The order in Order Management.
            order_id: OrderId,
            /// When it was placed.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// Its amount.
            order_amount: MinorUnits,
            /// Its currency.
            purchase_currency: Currency,
            /// The merchant's first reference.
            merchant_reference1: String,
            /// The merchant's second reference.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Its parcels.
            shipping_info: Vec<ShippingInfo>,
        }
    }
}

wire_struct! {
    /// The merchant.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Merchant {
        optional {
            /// Its id.
            merchant_id: MerchantId,
            /// Its name.
            name: String,
        }
    }
}

wire_struct! {
    /// A disputed order line.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DisputedOrderLine {
        optional {
            /// The line's reference.
            reference: String,
            /// How many of it are disputed.
            disputed_quantity: i64,
        }
    }
}

/// A file, uploaded by the merchant or shown by Klarna.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id.
    pub attachment_id: i64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// The merchant's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Its id.
    pub response_id: i64,
    /// When it was given.
    #[serde(default, with = "millis::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The fields that were asked for.
    #[serde(default, deserialize_with = "null_as_default")]
    pub requested_fields: RequestedFields,
    /// In files.
    #[serde(default, deserialize_with = "null_as_default")]
    pub attachments: Vec<Attachment>,
}

/// A request of Klarna's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub request_id: i64,
    /// When it was made.
    #[serde(default, with = "millis::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What Klarna asks, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The fields that must be answered.
    #[serde(default, deserialize_with = "null_as_default")]
    pub requested_fields: Vec<RequestedField>,
    /// The fields that may be answered.
    #[serde(default, deserialize_with = "null_as_default")]
    pub optional_requested_fields: Vec<RequestedField>,
    /// Klarna's files.
    #[serde(default, deserialize_with = "null_as_default")]
    pub attachments: Vec<Attachment>,
    /// The merchant's answers; none while it is open.
    #[serde(default, deserialize_with = "null_as_default")]
    pub responses: Vec<Response>,
}

wire_struct! {
    /// A dispute.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct DisputeDetails {
        required {
            /// Its id.
            dispute_krn: DisputeKrn,
            /// Why the payment is disputed.
            reason: Reason,
            /// How far Klarna's investigation has come.
            investigation_status: InvestigationStatus,
        }
        optional {
            /// Where it is handled, such as `EU`.
            region: String,
            /// Whether it is over.
            status: DisputeStatus,
            /// When it was opened.
            #[serde(with = "millis::option")]
            opened_at: Timestamp,
            /// When it was closed.
            #[serde(with = "millis::option")]
            closed_at: Timestamp,
            /// Until when the open request must be answered.
            #[serde(with = "millis::option")]
            deadline_expires_at: Timestamp,
            /// How it was closed.
            closing_reason: ClosingReason,
            /// Why it was closed so. Version 4 has the same values with `partner` for `merchant`.
            closing_reason_detailed: String,
            /// The disputed capture.
            capture_id: CaptureId,
            /// The disputed order.
            order: DisputedOrder,
            /// The merchant.
            merchant: Merchant,
            /// How much is disputed.
            disputed_amount: Money,
            /// How much was taken from the merchant.
            chargeback_amount: Money,
            /// What the dispute cost the merchant.
            charged_disputes_fee: Money,
            /// Which lines are disputed.
            disputed_order_lines: Vec<DisputedOrderLine>,
            /// What Klarna asked, and what the merchant answered.
            requests: Vec<Request>,
        }
    }
}

/// Where a page stands in the whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// How many fit on the page.
    #[serde(default)]
    pub limit: u32,
    /// How many are on it.
    #[serde(default)]
    pub count: u64,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What to send as `next_page` for the next page; nothing on the last one.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub next_page: Vec<String>,
}

/// One page of disputes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeList {
    /// The disputes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub disputes: Vec<DisputeDetails>,
    /// Where they stand.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pagination: Pagination,
}

open_enum! {
    /// By what a list is sorted; `-` means the latest first.
    #[non_exhaustive]
    pub enum Sort: exact {
        /// By when they were opened.
        OpenedAt = "opened_at",
        /// By when they were opened, the latest first.
        OpenedAtDescending = "-opened_at",
        /// By their deadline.
        DeadlineExpiresAt = "deadline_expires_at",
        /// By their deadline, the latest first.
        DeadlineExpiresAtDescending = "-deadline_expires_at",
    }
}

/// Which disputes to list. An empty one lists all of the merchant's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListDisputes {
    /// Of these merchants.
    pub merchant_id: Vec<MerchantId>,
    /// Of these orders.
    pub order_id: Vec<OrderId>,
    /// With these first references.
    pub merchant_references1: Vec<String>,
    /// With these second references.
    pub merchant_references2: Vec<String>,
    /// With one of these investigation statuses.
    pub investigation_status: Vec<InvestigationStatus>,
    /// Opened for one of these reasons.
    pub reason: Vec<Reason>,
    /// Opened at or after.
    pub opened_after: Option<Timestamp>,
    /// Opened before.
    pub opened_before: Option<Timestamp>,
    /// With a deadline at or after.
    pub deadline_expires_after: Option<Timestamp>,
    /// With a deadline before.
    pub deadline_expires_before: Option<Timestamp>,
    /// In this order; by when they were opened if empty.
    pub sort_by: Vec<Sort>,
    /// How many on a page, 1 to [`MAX_LIMIT`].
    pub limit: Option<u32>,
    /// The `next_page` of the page before.
    pub next_page: Vec<String>,
}

impl ListDisputes {
    /// Lists all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The query parameters. A list is a repeated key; points in time have milliseconds.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(self.merchant_id.iter().map(|id| ("merchant_id", id.to_string())));
        query.extend(self.order_id.iter().map(|id| ("order_id", id.to_string())));
        query.extend(self.merchant_references1.iter().map(|r| ("merchant_references1", r.clone())));
        query.extend(self.merchant_references2.iter().map(|r| ("merchant_references2", r.clone())));
        query.extend(
            self.investigation_status.iter().map(|s| ("investigation_status", s.to_string())),
        );
        query.extend(self.reason.iter().map(|reason| ("reason", reason.to_string())));
        let times = [
            ("opened_after", self.opened_after),
            ("opened_before", self.opened_before),
            ("deadline_expires_after", self.deadline_expires_after),
            ("deadline_expires_before", self.deadline_expires_before),
        ];
        for (name, at) in times {
            query.extend(at.map(|at| (name, format!("{at:.3}"))));
        }
        query.extend(self.sort_by.iter().map(|key| ("sort_by", key.to_string())));
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        query.extend(self.next_page.iter().map(|page| ("next_page", page.clone())));
        query
    }
}

wire_struct! {
    /// The merchant's answer to a request.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct NewResponse {
        optional {
            /// Uploaded attachments, by id.
            attachments: Vec<i64>,
            /// In words, at most [`COMMENT`] characters.
            comment: String,
            /// The fields that were asked for.
            requested_fields: RequestedFields,
        }
    }
}

/// The most characters of a comment. Klarna limits it without saying to how much; this is the playground's figure.
pub const COMMENT: usize = 5_000;

open_enum! {
    /// What went wrong. Klarna has 27 codes and publishes no names; these are the playground's.
    #[non_exhaustive]
    pub enum DisputeErrorCode: any_case {
        /// The call cannot be read, or a parameter breaks a rule.
        BadRequest = "BAD_REQUEST",
        /// A member breaks a rule.
        InvalidField = "INVALID_FIELD",
        /// Wrong or missing credentials.
        Unauthorized = "UNAUTHORIZED",
        /// Not for this caller.
        Forbidden = "FORBIDDEN",
        /// Unknown, or someone else's.
        NotFound = "NOT_FOUND",
        /// Unknown attachment.
        AttachmentNotFound = "ATTACHMENT_NOT_FOUND",
        /// The request, or the whole dispute, takes no answer any more.
        RequestAlreadyClosed = "REQUEST_ALREADY_CLOSED",
        /// Over the rate limit.
        TooManyRequests = "TOO_MANY_REQUESTS",
        /// A fault at Klarna.
        InternalServerError = "INTERNAL_SERVER_ERROR",
    }
}

/// The body of a 4xx or 5xx answer of version 2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeError {
    /// What went wrong, for machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<DisputeErrorCode>,
    /// What went wrong, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

impl DisputeError {
    /// Reads whatever came with an error status. A body that is empty or not of this form gives an empty error.
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}
