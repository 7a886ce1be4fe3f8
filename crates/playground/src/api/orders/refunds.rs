//! Refunds: make and read them.

use axum::http::HeaderName;
use klarna_types::MinorUnits;
use klarna_types::ids::RefundId;
use klarna_types::order_management::CreateRefundBody;
use klarna_types::validate;

use super::body::OrderBody;
use super::call::Call;
use super::lines;
use super::refusal::{check, refuse};
use crate::api::error::ApiError;
use crate::api::replay::Outcome;
use crate::domain::order::RefundCommand;
use crate::store::disputes;

const REFUND_ID: HeaderName = HeaderName::from_static("refund-id");

/// `POST /{order_id}/refunds`
pub(super) async fn create(call: Call, OrderBody(body): OrderBody<CreateRefundBody>) -> Outcome {
    // The refund routes have a code of their own for an unknown order.
    let missing = ApiError::not_found(format!("Order {} cannot be found", call.order_id));
    let id = service::random::key().to_string();
    let success = call.created(REFUND_ID, "refunds", &id)?;
    let command = refund_command(RefundId::new(id), &call, body);
    call.change_with(missing, success, move |tx, order, now| {
        let given_back = disputes::given_back(tx, order.id(), now)?;
        let command = RefundCommand { given_back, ..command.clone()? };
        order.refund(command, now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

fn refund_command(
    id: RefundId,
    call: &Call,
    body: CreateRefundBody,
) -> Result<RefundCommand, ApiError> {
    check(&validate::refund(&body))?;
    call.check_lines(body.order_lines.as_deref())?;
    Ok(RefundCommand {
        id,
        amount: body.refunded_amount.unwrap_or_default(),
        description: body.description,
        reference: body.reference,
        lines: lines(body.order_lines)?,
        // Known where the refund is made.
        given_back: MinorUnits::ZERO,
    })
}

/// `GET /{order_id}/refunds/{refund_id}`
pub(super) async fn read(call: Call) -> Outcome {
    let (order_id, refund_id) = (&call.order_id, RefundId::new(call.part_id.as_str()));
    let missing =
        ApiError::not_found(format!("Refund {refund_id} cannot be found for order {order_id}"));
    call.read(missing, move |order| order.refund_view(&refund_id)).await
}
