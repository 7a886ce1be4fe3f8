//! A payment as the shop sees it.

use klarna_types::{MinorUnits, OrderLine};
use serde::Serialize;

use super::super::checkouts::view::{RefusalView, time};
use super::super::disputes::DisputeView;
use super::super::payouts::PaidOutView;
use super::super::problem::{KlarnaCause, Problem};
use super::Parcel;
use crate::domain::dispute::Dispute;
use crate::domain::journal::Operation;
use crate::domain::operation::{Kind, State};
use crate::domain::payment::{Action, Capture, Method, Payment, Refund, Status, Unavailable};
use crate::domain::payout::{Entry, Payout};
use crate::engine::commands::NotPossible;

/// The sums of a payment, in minor units.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AmountsView {
    /// What the authorisation is for now.
    #[schema(value_type = i64)]
    pub authorized: MinorUnits,
    /// What it was for at first.
    #[schema(value_type = i64)]
    pub original: MinorUnits,
    /// What was captured.
    #[schema(value_type = i64)]
    pub captured: MinorUnits,
    /// What was given back.
    #[schema(value_type = i64)]
    pub refunded: MinorUnits,
    /// What can still be captured.
    #[schema(value_type = i64)]
    pub remaining: MinorUnits,
    /// What can still be given back.
    #[schema(value_type = i64)]
    pub refundable: MinorUnits,
}

/// A capture.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CaptureView {
    /// Klarna's id.
    pub id: String,
    /// Its amount.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// Shown to the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stands in settlement files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Klarna's short reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_reference: Option<String>,
    /// Which lines.
    #[schema(value_type = Vec<Object>)]
    pub order_lines: Vec<OrderLine>,
    /// How much of it was given back, as far as Klarna has said.
    #[schema(value_type = i64)]
    pub refunded: MinorUnits,
    /// Its parcels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shipping_info: Vec<Parcel>,
    /// By how many days its due date was moved, each time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub due_date_extensions: Vec<i32>,
    /// When.
    pub captured_at: String,
}

/// A refund.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RefundView {
    /// Klarna's id.
    pub id: String,
    /// Its amount.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// Shown to the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stands in settlement files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Which lines.
    #[schema(value_type = Vec<Object>)]
    pub order_lines: Vec<OrderLine>,
    /// The capture it was asked for of, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// When.
    pub refunded_at: String,
}

/// An operation that is on its way, or that a person must look at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OperationView {
    /// Its id.
    pub id: String,
    /// What it asks for: `place_order`, `capture`, `refund`, `cancel`, `release`,
    /// `update_authorization`, `extend_authorization`, `update_customer_details`,
    /// `update_merchant_references`, `add_shipping_info`, `resend_communication`,
    /// `extend_due_date`, `acknowledge`, `create_token`, `charge` or `cancel_token`.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// Where it stands: `queued`, `running`, `in_doubt`, `done`, `refused` or `needs_attention`.
    #[schema(value_type = String)]
    pub state: State,
    /// The amount of a capture or refund, or the new total of the authorisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub amount: Option<MinorUnits>,
    /// Set while it waits for Klarna's decision about fraud.
    pub held: bool,
    /// How often Klarna was asked.
    pub attempts: i64,
    /// Why it ended, if it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
    /// When it was accepted.
    pub created_at: String,
}

impl From<&Operation> for OperationView {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id.clone(),
            kind: operation.kind,
            state: operation.state,
            amount: operation.amount_concerned(),
            held: operation.held,
            attempts: operation.attempts,
            refusal: operation.refusal().map(|refusal| RefusalView {
                code: refusal.reason.name(),
                detail: refusal.detail.clone(),
                remedy: refusal.remedy.clone(),
                klarna: refusal.klarna.as_ref().map(KlarnaCause::from),
            }),
            created_at: time(operation.created_at_ms),
        }
    }
}

/// Something that can be done now.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ActionView {
    /// `capture`, `refund`, `cancel`, `release`, `update_authorization`, `extend_authorization`,
    /// `update_customer_details`, `update_merchant_references`, `add_shipping_info`,
    /// `resend_communication`, `extend_due_date` or `acknowledge`.
    #[schema(value_type = String)]
    pub action: Kind,
    /// At least how much, in minor units: for the new total of an authorisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub min_amount: Option<MinorUnits>,
    /// At most how much, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub max_amount: Option<MinorUnits>,
    /// Set when it is accepted now and carried out once Klarna has accepted the risk.
    #[serde(skip_serializing_if = "is_false")]
    pub waits_for_fraud_decision: bool,
    /// Until when, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Set when a refund may keep back a return fee.
    #[serde(skip_serializing_if = "is_false")]
    pub return_fee: bool,
    /// The captures that it can be done to, where it is done to one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture_ids: Vec<String>,
}

impl From<Action> for ActionView {
    fn from(action: Action) -> Self {
        Self {
            action: action.action,
            min_amount: action.min_amount,
            max_amount: action.max_amount,
            waits_for_fraud_decision: action.waits_for_fraud_decision,
            until: action.until_ms.map(time),
            return_fee: action.return_fee,
            capture_ids: action.capture_ids,
        }
    }
}

/// Something that cannot be done now.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct UnavailableView {
    /// What.
    #[schema(value_type = String)]
    pub action: Kind,
    /// The code that asking for it would be answered with.
    pub code: &'static str,
    /// Why not.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<Unavailable> for UnavailableView {
    fn from(unavailable: Unavailable) -> Self {
        let problem = Problem::from(NotPossible::Rejected(unavailable.because));
        Self {
            action: unavailable.action,
            code: problem.code,
            detail: problem.detail,
            remedy: problem.remedy,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// How the shopper pays Klarna.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MethodView {
    /// Klarna's type, such as `INVOICE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Klarna's words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// In how many parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_installments: Option<i64>,
}

impl From<&Method> for MethodView {
    fn from(method: &Method) -> Self {
        Self {
            kind: method.kind.clone(),
            description: method.description.clone(),
            number_of_installments: method.number_of_installments,
        }
    }
}

/// A payment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PaymentView {
    /// Its id.
    pub id: String,
    /// The checkout it came from; null where a customer token was charged.
    pub checkout_id: Option<String>,
    /// The shop's order number.
    pub merchant_reference: String,
    /// Another number of the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference2: Option<String>,
    /// Klarna's id of the order.
    pub klarna_order_id: String,
    /// Klarna's short reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_reference: Option<String>,
    /// `authorized`, `part_captured`, `captured`, `cancelled`, `expired` or `closed`.
    #[schema(value_type = String)]
    pub status: Status,
    /// `ACCEPTED`, `PENDING` or `REJECTED`. Ship only when it is accepted.
    pub fraud_status: String,
    /// The currency of every amount in it.
    pub currency: String,
    /// Where the shopper bought.
    pub country: String,
    /// The sums.
    pub amounts: AmountsView,
    /// What was bought.
    #[schema(value_type = Vec<Object>)]
    pub order_lines: Vec<OrderLine>,
    /// Parcels of the order as such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shipping_info: Vec<Parcel>,
    /// What was captured.
    pub captures: Vec<CaptureView>,
    /// What was given back.
    pub refunds: Vec<RefundView>,
    /// What is on its way.
    pub operations: Vec<OperationView>,
    /// What can be done now, with limits.
    pub available_actions: Vec<ActionView>,
    /// What cannot be done now, and why not.
    pub unavailable_actions: Vec<UnavailableView>,
    /// How the shopper pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<MethodView>,
    /// When the order was made.
    pub created_at: String,
    /// The last moment for a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What is disputed; only where one payment is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disputes: Option<Vec<DisputeView>>,
    /// What of it is in which payout; only where one payment is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payouts: Option<Vec<PaidOutView>>,
}

impl PaymentView {
    /// The same, with what is disputed and what was paid out.
    pub fn with_money(mut self, disputes: &[Dispute], payouts: &[(Payout, Vec<Entry>)]) -> Self {
        self.disputes = Some(disputes.iter().map(DisputeView::from).collect());
        self.payouts = Some(payouts.iter().map(PaidOutView::from).collect());
        self
    }

    /// The view of a payment and of the operations about it.
    pub fn new(payment: &Payment, operations: &[Operation], now_ms: i64) -> Self {
        let pending: Vec<&Operation> = operations
            .iter()
            .filter(|operation| operation.kind != Kind::PlaceOrder)
            .filter(|operation| operation.state.holds_amount())
            .collect();
        let on_their_way: Vec<_> = pending.iter().map(|operation| operation.as_pending()).collect();
        let (offered, refused) = payment.actions(&on_their_way, now_ms);
        let amounts = &payment.amounts;
        Self {
            id: payment.id.clone(),
            checkout_id: payment.checkout().map(ToOwned::to_owned),
            merchant_reference: payment.merchant_reference.clone(),
            merchant_reference2: payment.merchant_reference2.clone(),
            klarna_order_id: payment.klarna_order_id.clone(),
            klarna_reference: payment.klarna_reference.clone(),
            status: payment.status,
            fraud_status: payment.fraud.name().to_owned(),
            currency: payment.currency.as_str().to_owned(),
            country: payment.country.clone(),
            amounts: AmountsView {
                authorized: amounts.authorized,
                original: amounts.original,
                captured: amounts.captured,
                refunded: amounts.refunded,
                remaining: amounts.remaining,
                refundable: amounts.refundable(),
            },
            order_lines: payment.order_lines.clone(),
            shipping_info: payment.shipping_info.iter().map(Parcel::from).collect(),
            captures: payment.captures.iter().map(CaptureView::from).collect(),
            refunds: payment.refunds.iter().map(RefundView::from).collect(),
            operations: pending.into_iter().map(OperationView::from).collect(),
            available_actions: offered.into_iter().map(ActionView::from).collect(),
            unavailable_actions: refused.into_iter().map(UnavailableView::from).collect(),
            payment_method: payment.method.as_ref().map(MethodView::from),
            created_at: time(payment.created_at_ms),
            expires_at: payment.expires_at_ms.map(time),
            disputes: None,
            payouts: None,
        }
    }
}

impl From<&Capture> for CaptureView {
    fn from(capture: &Capture) -> Self {
        Self {
            id: capture.id.clone(),
            amount: capture.amount,
            description: capture.description.clone(),
            reference: capture.reference.clone(),
            klarna_reference: capture.klarna_reference.clone(),
            order_lines: capture.order_lines.clone(),
            refunded: capture.refunded,
            shipping_info: capture.shipping_info.iter().map(Parcel::from).collect(),
            due_date_extensions: capture.due_date_extensions.clone(),
            captured_at: time(capture.captured_at_ms),
        }
    }
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        Self {
            id: refund.id.clone(),
            amount: refund.amount,
            description: refund.description.clone(),
            reference: refund.reference.clone(),
            order_lines: refund.order_lines.clone(),
            capture_id: refund.capture_id.clone(),
            refunded_at: time(refund.refunded_at_ms),
        }
    }
}
