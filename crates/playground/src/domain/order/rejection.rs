//! Why an order refuses a command. Each reason is a variant; the sentence Klarna says for it is
//! its `Display`, the family it belongs to is its [`Code`]. What either becomes on a wire is not
//! this module's business.

use klarna_types::money::MinorUnits;

use super::gate::{Operation, Refusal, Status};

/// A command that was refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// The order's status does not allow the operation.
    #[error("{}", Refusal { operation: *operation, status: *status, order_id })]
    Status {
        /// What was wanted.
        operation: Operation,
        /// Where the order stands.
        status: Status,
        /// Which order.
        order_id: String,
    },
    /// A new authorised amount below what is captured already.
    #[error(
        "Resulting authorization amount {wanted} cannot be less than the captured amount \
         {captured} for order. Order authorization cannot be updated"
    )]
    BelowCaptured {
        /// The amount that was wanted.
        wanted: MinorUnits,
        /// What is captured.
        captured: MinorUnits,
    },
    /// The payment method does not allow to raise the authorised amount in this country.
    #[error("Update not allowed.")]
    RaiseNotOffered,
    /// The risk check of a higher amount was negative.
    #[error("Update not allowed.")]
    RaiseRefused,
    /// More than what is left.
    #[error(
        "Captured amount is higher than the remaining authorized amount. Capture not possible."
    )]
    CaptureExceedsAuthorization,
    /// A capture of nothing.
    #[error("Capture not allowed")]
    CaptureOfNothing,
    /// The order is under review.
    #[error("Capture not allowed")]
    CaptureUnderReview,
    /// Delayed shipping has to be enabled for the merchant.
    #[error("Capture not allowed")]
    ShippingDelayNotEnabled,
    /// The order has as many captures as an order can have.
    #[error("Capture not allowed")]
    TooManyCaptures,
    /// More than what is captured and not refunded.
    #[error("Over refund is not allowed. Refund not possible.")]
    OverRefund,
    /// A refund of nothing.
    #[error("Refund not allowed")]
    RefundOfNothing,
    /// The order has as many refunds as an order can have.
    #[error("Refund not allowed")]
    TooManyRefunds,
    /// A condition of refunds that keep back a return fee does not hold.
    #[error("Return fee is not allowed. Refund not possible.")]
    ReturnFee(ReturnFeeCondition),
    /// The billing address is fixed.
    #[error(
        "Billing address cannot be updated for user account order. Customer details cannot be \
         updated."
    )]
    BillingAddressFixed,
    /// The payment method fixes the customer's details.
    #[error("Customer details cannot be updated.")]
    CustomerDetailsFixed,
    /// The credit check with the changed details was negative.
    #[error("Customer details cannot be updated.")]
    CustomerDetailsRefused,
    /// An address that cannot be.
    #[error("The shipping and/or billing address is invalid")]
    InvalidAddress {
        /// The path of the member that makes it so.
        member: String,
    },
    /// The payment method's authorisation cannot last longer.
    #[error("Authorization time cannot be extended.")]
    ExtensionNotOffered,
    /// The order is too old for an extension.
    #[error("Authorization time cannot be extended.")]
    ExtensionTooLate,
    /// No such capture, where one was to be read.
    #[error("Capture {capture_id} cannot be found for order {order_id}")]
    NoSuchCapture {
        /// Which capture.
        capture_id: String,
        /// In which order.
        order_id: String,
    },
    /// No such capture, where shipping info was to be added to one.
    #[error("Capture could not be found. Shipping info cannot be added to capture {capture_id}")]
    NoCaptureToShip {
        /// Which capture.
        capture_id: String,
    },
    /// No such refund.
    #[error("Refund {refund_id} cannot be found for order {order_id}")]
    NoSuchRefund {
        /// Which refund.
        refund_id: String,
        /// In which order.
        order_id: String,
    },
    /// The order, or capture, has as many shipping entries as it can have.
    #[error("Shipping info cannot be added.")]
    TooMuchShippingInfo,
    /// The due date cannot move by so many days.
    #[error("Extension of due date is not possible.")]
    DueDateNotOffered,
}

/// What a refund that keeps back a return fee has to satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnFeeCondition {
    /// Fully captured in exactly one capture.
    OneFullCapture,
    /// The country allows it.
    Country,
    /// The fee line has quantity 1 and a negative price and total.
    FeeLine,
    /// The lines add up to the refund.
    Sum,
}

/// The families of rejections, as Klarna names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// A capture.
    CaptureNotAllowed,
    /// A cancellation.
    CancelNotAllowed,
    /// A refund.
    RefundNotAllowed,
    /// Everything else that the state does not allow.
    NotAllowed,
    /// A capture that is not there.
    NoSuchCapture,
    /// A refund that is not there.
    NoSuchRefund,
    /// An address that cannot be.
    InvalidAddress,
}

impl Rejection {
    /// The family.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Status { operation, .. } => match operation {
                Operation::Capture => Code::CaptureNotAllowed,
                Operation::Cancel => Code::CancelNotAllowed,
                Operation::Refund => Code::RefundNotAllowed,
                Operation::Acknowledge
                | Operation::UpdateAuthorization
                | Operation::UpdateCustomerDetails
                | Operation::ExtendAuthorizationTime
                | Operation::UpdateMerchantReferences
                | Operation::ReleaseRemainingAuthorization
                | Operation::AppendOrderShippingInfo
                | Operation::AppendCaptureShippingInfo
                | Operation::TriggerSendOut
                | Operation::ExtendDueDate => Code::NotAllowed,
            },
            Self::CaptureExceedsAuthorization
            | Self::CaptureOfNothing
            | Self::CaptureUnderReview
            | Self::ShippingDelayNotEnabled
            | Self::TooManyCaptures => Code::CaptureNotAllowed,
            Self::OverRefund
            | Self::RefundOfNothing
            | Self::TooManyRefunds
            | Self::ReturnFee(_) => Code::RefundNotAllowed,
            Self::BelowCaptured { .. }
            | Self::RaiseNotOffered
            | Self::RaiseRefused
            | Self::BillingAddressFixed
            | Self::CustomerDetailsFixed
            | Self::CustomerDetailsRefused
            | Self::ExtensionNotOffered
            | Self::ExtensionTooLate
            | Self::TooMuchShippingInfo
            | Self::DueDateNotOffered => Code::NotAllowed,
            Self::InvalidAddress { .. } => Code::InvalidAddress,
            Self::NoSuchCapture { .. } | Self::NoCaptureToShip { .. } => Code::NoSuchCapture,
            Self::NoSuchRefund { .. } => Code::NoSuchRefund,
        }
    }

    /// What the sentence does not say, for the people who look for the cause.
    pub(crate) fn explanation(&self) -> String {
        match self {
            Self::Status { operation, status, .. } => {
                format!("{operation:?} is not possible while the order is {}", status.as_str())
            }
            Self::RaiseNotOffered => {
                "the order's payment method does not allow a higher amount in this country; a new \
                 order has to be placed"
                    .to_owned()
            }
            Self::RaiseRefused | Self::CustomerDetailsRefused => {
                "the risk check was made to fail; the order stays as it was".to_owned()
            }
            Self::CaptureOfNothing | Self::RefundOfNothing => {
                "the amount has to be at least 1".to_owned()
            }
            Self::CaptureUnderReview => {
                "the order's fraud_status is PENDING; capture after it is ACCEPTED".to_owned()
            }
            Self::ShippingDelayNotEnabled => {
                "shipping_delay above 0 is not enabled for this merchant; leave it out".to_owned()
            }
            Self::TooManyCaptures | Self::TooManyRefunds | Self::TooMuchShippingInfo => {
                "the order has as many as it can have".to_owned()
            }
            Self::ReturnFee(condition) => match condition {
                ReturnFeeCondition::OneFullCapture => {
                    "a return fee needs an order that is fully captured in exactly one capture"
                }
                ReturnFeeCondition::Country => "return fees are not offered in this country",
                ReturnFeeCondition::FeeLine => {
                    "the return_fee line needs quantity 1 and a negative unit_price and total_amount"
                }
                ReturnFeeCondition::Sum => {
                    "the line totals, the fee included, have to add up to refunded_amount"
                }
            }
            .to_owned(),
            Self::InvalidAddress { member } => {
                format!("{member} is missing or not valid in its country")
            }
            Self::ExtensionNotOffered => {
                "the order's payment method cannot be authorised for longer".to_owned()
            }
            Self::ExtensionTooLate => {
                "an authorisation can be extended until 180 days after its creation".to_owned()
            }
            Self::DueDateNotOffered => {
                "number_of_days has to be one of the extend-due-date-options of this capture"
                    .to_owned()
            }
            Self::BelowCaptured { .. }
            | Self::CaptureExceedsAuthorization
            | Self::OverRefund
            | Self::BillingAddressFixed
            | Self::CustomerDetailsFixed
            | Self::NoSuchCapture { .. }
            | Self::NoCaptureToShip { .. }
            | Self::NoSuchRefund { .. } => self.to_string(),
        }
    }
}
