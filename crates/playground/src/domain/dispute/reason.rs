//! Why a payment is disputed: the names of all versions, the deadlines, what Klarna asks, and why a
//! dispute of that reason is won or lost.

use jiff::SignedDuration;
use klarna_types::disputes::v2::RequestedField;
use klarna_types::disputes::{DisputeCreator, DisputeOutcomeDetailed, DisputeReason, v2, v3};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::table::Framework;

/// A reason, by its oldest name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// Returned, and not refunded.
    Return,
    /// Nothing or only a part arrived.
    GoodsNotReceived,
    /// Broken, incomplete, or not as described.
    FaultyGoods,
    /// Wrong amount.
    IncorrectInvoice,
    /// Paid to the merchant directly.
    AlreadyPaid,
    /// The shopper says that he never bought.
    UnauthorizedPurchase,
    /// Klarna holds the order to be fraudulent.
    HighRiskOrder,
    /// The merchant is in breach of its duties.
    NonCompliance,
    /// The shopper did not pay, and the merchant bears that risk.
    NonGuaranteedPaymentProgram,
    /// The goods cannot be returned.
    ReturnNotPossible,
}

const DAY: i64 = 24 * 60 * 60;

impl Reason {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Return,
        Self::GoodsNotReceived,
        Self::FaultyGoods,
        Self::IncorrectInvoice,
        Self::AlreadyPaid,
        Self::UnauthorizedPurchase,
        Self::HighRiskOrder,
        Self::NonCompliance,
        Self::NonGuaranteedPaymentProgram,
        Self::ReturnNotPossible,
    ];

    /// The reason with a name of any version, whatever its case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        // The order of `ALL` decides where a newer name stands for several older ones.
        Self::ALL
            .into_iter()
            .find(|reason| same(reason.as_str()))
            .or_else(|| Self::ALL.into_iter().find(|reason| same(reason.v4().as_str())))
            .or_else(|| Self::ALL.into_iter().find(|reason| same(reason.v3().as_str())))
            .or_else(|| same("high_risk").then_some(Self::HighRiskOrder))
    }

    /// Its name in version 2, which is also its name in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::GoodsNotReceived => "goods_not_received",
            Self::FaultyGoods => "faulty_goods",
            Self::IncorrectInvoice => "incorrect_invoice",
            Self::AlreadyPaid => "already_paid",
            Self::UnauthorizedPurchase => "unauthorized_purchase",
            Self::HighRiskOrder => "high_risk_order",
            Self::NonCompliance => "non_compliance",
            Self::NonGuaranteedPaymentProgram => "non_guaranteed_payment_program",
            Self::ReturnNotPossible => "return_not_possible",
        }
    }

    /// In version 2.
    pub(crate) fn v2(self) -> v2::Reason {
        v2::Reason::from(self.as_str())
    }

    /// In version 3.
    pub(crate) fn v3(self) -> v3::DisputeReason {
        match self {
            Self::Return => v3::DisputeReason::ReturnNotRefunded,
            Self::GoodsNotReceived => v3::DisputeReason::ProductsNotReceived,
            Self::FaultyGoods => v3::DisputeReason::ProductsFaulty,
            Self::IncorrectInvoice => v3::DisputeReason::CaptureAmountIncorrect,
            Self::UnauthorizedPurchase => v3::DisputeReason::PurchaseUnauthorized,
            Self::HighRiskOrder => v3::DisputeReason::PurchaseHighRisk,
            // No name is published: the trigger's own.
            Self::AlreadyPaid
            | Self::NonCompliance
            | Self::NonGuaranteedPaymentProgram
            | Self::ReturnNotPossible => {
                v3::DisputeReason::Unknown(self.as_str().to_ascii_uppercase())
            }
        }
    }

    /// In version 4.
    pub(crate) fn v4(self) -> DisputeReason {
        match self {
            Self::Return | Self::ReturnNotPossible => DisputeReason::RefundNotProcessed,
            Self::GoodsNotReceived => DisputeReason::ProductsOrServicesNotReceived,
            Self::FaultyGoods => DisputeReason::ProductsDefectiveOrNotAsDescribed,
            Self::IncorrectInvoice | Self::AlreadyPaid => DisputeReason::IncorrectAmount,
            Self::UnauthorizedPurchase => DisputeReason::PurchaseUnauthorized,
            Self::HighRiskOrder => DisputeReason::PurchaseHighRisk,
            Self::NonCompliance => DisputeReason::NonCompliance,
            Self::NonGuaranteedPaymentProgram => DisputeReason::NonGuaranteedPaymentProgram,
        }
    }

    /// Who raises it.
    pub(crate) fn creator(self) -> DisputeCreator {
        match self {
            Self::HighRiskOrder | Self::NonCompliance | Self::NonGuaranteedPaymentProgram => {
                DisputeCreator::KlarnaAgent
            }
            Self::Return
            | Self::GoodsNotReceived
            | Self::FaultyGoods
            | Self::IncorrectInvoice
            | Self::AlreadyPaid
            | Self::UnauthorizedPurchase
            | Self::ReturnNotPossible => DisputeCreator::Customer,
        }
    }

    /// Whether it is about fraud.
    pub(crate) fn is_fraud(self) -> bool {
        matches!(self, Self::UnauthorizedPurchase | Self::HighRiskOrder)
    }

    /// Whether the shopper shows something: what Klarna raises by itself has no such evidence.
    pub(crate) fn has_customer_evidence(self) -> bool {
        self.creator() == DisputeCreator::Customer
    }

    /// For how long the merchant and the shopper may settle it before Klarna takes it up, in the older
    /// process.
    pub(crate) fn resolution_time(self) -> Option<SignedDuration> {
        match self {
            Self::Return
            | Self::GoodsNotReceived
            | Self::FaultyGoods
            | Self::IncorrectInvoice
            | Self::AlreadyPaid
            | Self::ReturnNotPossible => Some(SignedDuration::from_secs(21 * DAY)),
            Self::UnauthorizedPurchase
            | Self::HighRiskOrder
            | Self::NonCompliance
            | Self::NonGuaranteedPaymentProgram => None,
        }
    }

    /// For how long the first request can be answered.
    pub(crate) fn answer_time(self, framework: Framework) -> SignedDuration {
        let days = match (self, framework) {
            (Self::HighRiskOrder, _) => 4,
            (Self::UnauthorizedPurchase, _) => 7,
            (_, Framework::F2026) => 21,
            (_, Framework::F2020) => 14,
        };
        SignedDuration::from_secs(days * DAY)
    }

    /// Why it is won on evidence.
    pub(crate) fn won(self) -> DisputeOutcomeDetailed {
        match self {
            Self::Return | Self::ReturnNotPossible => DisputeOutcomeDetailed::InvalidReturn,
            Self::GoodsNotReceived | Self::UnauthorizedPurchase | Self::HighRiskOrder => {
                DisputeOutcomeDetailed::ValidShippingDetails
            }
            Self::FaultyGoods => DisputeOutcomeDetailed::InvalidDispute,
            Self::IncorrectInvoice => DisputeOutcomeDetailed::InvoiceIsCorrect,
            Self::AlreadyPaid => DisputeOutcomeDetailed::PaymentNotReceived,
            Self::NonCompliance | Self::NonGuaranteedPaymentProgram => {
                DisputeOutcomeDetailed::ResolvedInPartnerFavor
            }
        }
    }

    /// Why it is lost in spite of evidence.
    pub(crate) fn lost(self) -> DisputeOutcomeDetailed {
        match self {
            Self::GoodsNotReceived | Self::UnauthorizedPurchase => {
                DisputeOutcomeDetailed::InsufficientProofOfDelivery
            }
            Self::HighRiskOrder => DisputeOutcomeDetailed::ShippedStopRequestedOrder,
            Self::AlreadyPaid => DisputeOutcomeDetailed::OrderNotUpdated,
            Self::NonCompliance => DisputeOutcomeDetailed::ShippingPolicyNotFollowed,
            Self::Return
            | Self::FaultyGoods
            | Self::IncorrectInvoice
            | Self::NonGuaranteedPaymentProgram
            | Self::ReturnNotPossible => DisputeOutcomeDetailed::StatementNotAdjusted,
        }
    }

    /// Why it is lost for want of an answer.
    pub(crate) fn unanswered(self) -> DisputeOutcomeDetailed {
        if self == Self::HighRiskOrder {
            DisputeOutcomeDetailed::PartnerDidNotRespondToStopRequest
        } else {
            DisputeOutcomeDetailed::PartnerDidNotReply
        }
    }

    /// What Klarna asks, in words.
    pub(crate) fn question(self) -> &'static str {
        match self {
            Self::Return => {
                "The customer has returned the goods and was not refunded. Please tell us whether the \
                 return has arrived and what you have refunded."
            }
            Self::GoodsNotReceived => {
                "The customer has not received the order. Please provide proof of delivery: carrier, \
                 tracking, date, address and recipient."
            }
            Self::FaultyGoods => {
                "The customer says that the goods are faulty or not as described. Please provide your \
                 correspondence and what you have offered."
            }
            Self::IncorrectInvoice => {
                "The customer says that the amount is wrong. Please provide the invoice and explain any \
                 fees."
            }
            Self::AlreadyPaid => {
                "The customer says that this was paid to you directly. Please tell us whether you have \
                 received another payment."
            }
            Self::UnauthorizedPurchase => {
                "The customer did not make this purchase. Please provide shipping details, proof of \
                 delivery and any contact with the customer."
            }
            Self::HighRiskOrder => {
                "This order is likely to be fraudulent. Please cancel it; if it is shipped already, \
                 provide tracking details and try to stop the delivery."
            }
            Self::NonCompliance => {
                "Your account is in breach of the rules of the risk programme. Please provide what \
                 speaks for this transaction."
            }
            Self::NonGuaranteedPaymentProgram => {
                "The customer has not paid. Please provide what speaks for this transaction."
            }
            Self::ReturnNotPossible => {
                "The customer could not return the goods. Please tell us how a return is possible."
            }
        }
    }

    /// What a request of the older process asks for: what must be answered, and what may be.
    pub(crate) fn requested_fields(self) -> (Vec<RequestedField>, Vec<RequestedField>) {
        use RequestedField as F;
        match self {
            Self::Return | Self::ReturnNotPossible => {
                (vec![F::ReturnInfo], vec![F::GoodsReturned, F::CustomerHasBeenContacted])
            }
            Self::GoodsNotReceived => (
                vec![F::OrderType, F::IsOrderShipped],
                vec![
                    F::ShippingCarrier,
                    F::TrackingId,
                    F::ShippingDate,
                    F::ShipmentCountry,
                    F::DeliveryAddress,
                    F::DeliveredWithProof,
                    F::ProofOfDelivery,
                    F::ListOfShipments,
                    F::ServiceDeliveredBy,
                    F::LastDigitsOfPhone,
                ],
            ),
            Self::FaultyGoods => {
                (vec![F::CustomerHasBeenContacted], vec![F::OrderIsRefundable, F::GoodsReturned])
            }
            Self::IncorrectInvoice => (vec![], vec![F::OrderIsRefundable]),
            Self::AlreadyPaid => (vec![F::ReceivedPayment], vec![]),
            Self::UnauthorizedPurchase => (
                vec![F::OrderAlreadyShipped],
                vec![F::Shipment, F::ProofOfDelivery, F::DeliveredWithProof, F::OrderAlreadyUsed],
            ),
            Self::HighRiskOrder => (
                vec![F::IsOrderShipped],
                vec![
                    F::ListOfShipments,
                    F::IsShippingCompanyContacted,
                    F::TrackingId,
                    F::ShippingCarrier,
                    F::OrderIsCancellable,
                ],
            ),
            Self::NonCompliance | Self::NonGuaranteedPaymentProgram => (vec![], vec![]),
        }
    }
}
