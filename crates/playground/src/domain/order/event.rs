//! What happened to an order: the history that is kept with it, and the cue for effects.

use jiff::Timestamp;
use klarna_types::ids::{CaptureId, RefundId};
use klarna_types::money::MinorUnits;
use serde::{Deserialize, Serialize};

use crate::domain::fraud::Verdict;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) what: Happened,
}

/// Who called an order off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CancelledBy {
    /// The merchant.
    Merchant,
    /// Klarna, after a rejected order was not captured in time.
    Klarna,
}

/// What can happen. Personal data stays out of it: the history is kept for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Happened {
    /// The order was placed.
    Placed {
        /// For how much.
        amount: MinorUnits,
    },
    /// The shop has it.
    Acknowledged,
    /// Amount and lines changed.
    AuthorizationUpdated {
        /// The amount before.
        from: MinorUnits,
        /// The amount after.
        to: MinorUnits,
        /// The merchant's words for it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        description: Option<String>,
    },
    /// Called off.
    Cancelled {
        /// By whom.
        by: CancelledBy,
    },
    /// It is sent elsewhere.
    CustomerDetailsUpdated,
    /// The authorisation lasts longer.
    AuthorizationExtended {
        /// Until when.
        expires_at: Timestamp,
    },
    /// The merchant's references changed.
    MerchantReferencesUpdated,
    /// The rest was given back.
    RemainingReleased {
        /// How much that was.
        amount: MinorUnits,
    },
    /// Tracking data was added.
    ShippingInfoAppended {
        /// To which capture; none: to the order.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        capture_id: Option<CaptureId>,
    },
    /// Money was taken.
    Captured {
        /// In which capture.
        capture_id: CaptureId,
        /// How much.
        amount: MinorUnits,
    },
    /// The shopper was mailed once more.
    SendOutTriggered {
        /// About which capture.
        capture_id: CaptureId,
    },
    /// A due date moved.
    DueDateExtended {
        /// Of which capture.
        capture_id: CaptureId,
        /// By how many days.
        number_of_days: i32,
        /// What the merchant pays for it.
        fee: MinorUnits,
    },
    /// Money was given back.
    Refunded {
        /// In which refund.
        refund_id: RefundId,
        /// How much.
        amount: MinorUnits,
    },
    /// The fraud review ended.
    FraudDecided {
        /// How.
        verdict: Verdict,
    },
    /// The authorisation ran out.
    Expired {
        /// How much was given back by it.
        amount: MinorUnits,
    },
}

impl Happened {
    /// Its name in the history.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "placed",
            Self::Acknowledged => "acknowledged",
            Self::AuthorizationUpdated { .. } => "authorization_updated",
            Self::Cancelled { .. } => "cancelled",
            Self::CustomerDetailsUpdated => "customer_details_updated",
            Self::AuthorizationExtended { .. } => "authorization_extended",
            Self::MerchantReferencesUpdated => "merchant_references_updated",
            Self::RemainingReleased { .. } => "remaining_released",
            Self::ShippingInfoAppended { .. } => "shipping_info_appended",
            Self::Captured { .. } => "captured",
            Self::SendOutTriggered { .. } => "send_out_triggered",
            Self::DueDateExtended { .. } => "due_date_extended",
            Self::Refunded { .. } => "refunded",
            Self::FraudDecided { .. } => "fraud_decided",
            Self::Expired { .. } => "expired",
        }
    }
}
