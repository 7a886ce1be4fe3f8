//! Which operation is allowed in which status: one table, and the words of its refusals.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an order stands. Derived from its amounts and its end, never stored on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// Placed, nothing captured.
    Authorized,
    /// Something captured, something left.
    PartCaptured,
    /// Nothing left to capture.
    Captured,
    /// Called off before any capture.
    Cancelled,
    /// Ran out before any capture.
    Expired,
    /// Ran out after a capture.
    Closed,
}

impl Status {
    /// Every status.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Authorized,
        Self::PartCaptured,
        Self::Captured,
        Self::Cancelled,
        Self::Expired,
        Self::Closed,
    ];

    /// Klarna's name of it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authorized => "AUTHORIZED",
            Self::PartCaptured => "PART_CAPTURED",
            Self::Captured => "CAPTURED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Closed => "CLOSED",
        }
    }

    /// Whether money can still be captured.
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::Authorized | Self::PartCaptured => true,
            Self::Captured | Self::Cancelled | Self::Expired | Self::Closed => false,
        }
    }

    /// How the status reads after "Order is".
    fn in_words(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::PartCaptured => "partly captured",
            Self::Captured => "fully captured",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

/// What a merchant can do to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Say that the shop has the order.
    Acknowledge,
    /// Change the amount and the lines.
    UpdateAuthorization,
    /// Call the order off.
    Cancel,
    /// Change where it is sent.
    UpdateCustomerDetails,
    /// Make the authorisation last longer.
    ExtendAuthorizationTime,
    /// Change the merchant's own references.
    UpdateMerchantReferences,
    /// Give back what will not be captured.
    ReleaseRemainingAuthorization,
    /// Add tracking data to the order.
    AppendOrderShippingInfo,
    /// Take money.
    Capture,
    /// Add tracking data to a capture.
    AppendCaptureShippingInfo,
    /// Have the shopper mailed once more.
    TriggerSendOut,
    /// Move a due date.
    ExtendDueDate,
    /// Give money back.
    Refund,
}

impl Operation {
    /// Every operation that the table speaks of.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 13] = [
        Self::Acknowledge,
        Self::UpdateAuthorization,
        Self::Cancel,
        Self::UpdateCustomerDetails,
        Self::ExtendAuthorizationTime,
        Self::UpdateMerchantReferences,
        Self::ReleaseRemainingAuthorization,
        Self::AppendOrderShippingInfo,
        Self::Capture,
        Self::AppendCaptureShippingInfo,
        Self::TriggerSendOut,
        Self::ExtendDueDate,
        Self::Refund,
    ];
}

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Allowed, as far as the status goes.
    Open,
    /// Refused because of the status.
    Shut,
    /// There can be no capture to do it to.
    NoCapture,
}

/// The table.
#[expect(clippy::match_same_arms, reason = "a table is read row by row")]
pub(crate) fn gate(operation: Operation, status: Status) -> Gate {
    use Gate::{NoCapture, Open, Shut};
    let row = match operation {
        //                             AUTHORIZED PART_CAPTURED CAPTURED CANCELLED EXPIRED CLOSED
        Operation::Acknowledge => [Open, Open, Open, Shut, Shut, Shut],
        Operation::UpdateAuthorization => [Open, Open, Shut, Shut, Shut, Shut],
        Operation::UpdateMerchantReferences => [Open, Open, Open, Shut, Open, Open],
        Operation::UpdateCustomerDetails => [Open, Open, Shut, Shut, Shut, Shut],
        Operation::AppendOrderShippingInfo => [Open, Open, Open, Open, Open, Open],
        Operation::Capture => [Open, Open, Shut, Shut, Shut, Shut],
        Operation::Cancel => [Open, Shut, Shut, Shut, Shut, Shut],
        Operation::Refund => [Shut, Open, Open, Shut, Shut, Open],
        Operation::ReleaseRemainingAuthorization => [Shut, Open, Shut, Shut, Shut, Shut],
        Operation::ExtendAuthorizationTime => [Open, Open, Shut, Shut, Shut, Shut],
        Operation::AppendCaptureShippingInfo | Operation::TriggerSendOut => {
            [Shut, Open, Open, Shut, Shut, Open]
        }
        Operation::ExtendDueDate => [NoCapture, Open, Open, NoCapture, NoCapture, Open],
    };
    let [authorized, part_captured, captured, cancelled, expired, closed] = row;
    match status {
        Status::Authorized => authorized,
        Status::PartCaptured => part_captured,
        Status::Captured => captured,
        Status::Cancelled => cancelled,
        Status::Expired => expired,
        Status::Closed => closed,
    }
}

/// The sentence with which Klarna refuses `operation` in `status`. Where no text is published it
/// is formed like the published ones.
pub(super) struct Refusal<'a> {
    pub(super) operation: Operation,
    pub(super) status: Status,
    pub(super) order_id: &'a str,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.status.in_words();
        let order_id = self.order_id;
        match (self.operation, self.status) {
            (Operation::UpdateAuthorization, _) => f.write_str("Update not allowed."),
            (Operation::Capture, Status::Captured) => f.write_str(
                "Captured amount is higher than the remaining authorized amount. Capture not \
                 possible.",
            ),
            (Operation::Capture, _) => {
                write!(f, "Order {order_id} is {state}. Capture not possible.")
            }
            (Operation::Cancel, Status::PartCaptured | Status::Captured) => {
                f.write_str("Order has previous captures. Cancel not possible.")
            }
            (Operation::Cancel, _) => write!(f, "Order is {state}. Cancel not possible."),
            (Operation::Refund, Status::Authorized | Status::Expired) => {
                f.write_str("Order has no captures. Refund not possible")
            }
            (Operation::Refund, _) => write!(f, "Order is {state}. Refund not possible."),
            (Operation::Acknowledge, _) => {
                write!(f, "Order is {state}. Acknowledgement not possible.")
            }
            (Operation::UpdateMerchantReferences, _) => {
                write!(f, "Order is {state}. Merchant references cannot be updated.")
            }
            (Operation::UpdateCustomerDetails, _) => {
                write!(f, "Order is {state}. Customer details cannot be updated.")
            }
            (Operation::ReleaseRemainingAuthorization, Status::Authorized) => {
                f.write_str("Order has no captures. Remaining authorization cannot be released.")
            }
            (Operation::ReleaseRemainingAuthorization, _) => {
                write!(f, "Order is {state}. Remaining authorization cannot be released.")
            }
            (Operation::ExtendAuthorizationTime, _) => {
                write!(f, "Order is {state}. Authorization time cannot be extended.")
            }
            (Operation::AppendOrderShippingInfo, _) => {
                write!(f, "Order is {state}. Shipping info cannot be added.")
            }
            (Operation::AppendCaptureShippingInfo, _) => {
                f.write_str("Order has no captures. Shipping info cannot be added.")
            }
            (Operation::TriggerSendOut, _) => {
                f.write_str("Order has no captures. Send-out not possible.")
            }
            (Operation::ExtendDueDate, _) => f.write_str("Extension of due date is not possible."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table once more, as the reference prints it: `+` allowed, `-` refused, `0` no capture.
    const EXPECTED: [(Operation, &str); 13] = [
        (Operation::Acknowledge, "+++---"),
        (Operation::UpdateAuthorization, "++----"),
        (Operation::UpdateMerchantReferences, "+++-++"),
        (Operation::UpdateCustomerDetails, "++----"),
        (Operation::AppendOrderShippingInfo, "++++++"),
        (Operation::Capture, "++----"),
        (Operation::Cancel, "+-----"),
        (Operation::Refund, "-++--+"),
        (Operation::ReleaseRemainingAuthorization, "-+----"),
        (Operation::ExtendAuthorizationTime, "++----"),
        (Operation::AppendCaptureShippingInfo, "-++--+"),
        (Operation::TriggerSendOut, "-++--+"),
        (Operation::ExtendDueDate, "0++00+"),
    ];

    #[test]
    fn every_pair_is_as_the_reference_prints_it() {
        for operation in Operation::ALL {
            let row = EXPECTED.iter().find(|(of, _)| *of == operation).unwrap().1;
            let actual: String = Status::ALL
                .iter()
                .map(|status| match gate(operation, *status) {
                    Gate::Open => '+',
                    Gate::Shut => '-',
                    Gate::NoCapture => '0',
                })
                .collect();
            assert_eq!(actual, row, "{operation:?}");
        }
    }
}
