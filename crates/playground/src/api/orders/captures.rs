//! Captures: make and read them, their tracking data, mails and due dates.

use axum::http::HeaderName;
use klarna_types::ids::CaptureId;
use klarna_types::order_management::{
    CreateCaptureBody, ExtendDueDateBody, UpdateShippingInfoBody,
};
use klarna_types::validate;

use super::body::OrderBody;
use super::call::Call;
use super::lines;
use super::refusal::{check, refuse};
use crate::api::error::ApiError;
use crate::api::replay::Outcome;
use crate::api::respond::Answer;
use crate::domain::order::CaptureCommand;

const CAPTURE_ID: HeaderName = HeaderName::from_static("capture-id");

/// `POST /{order_id}/captures`
pub(super) async fn create(call: Call, OrderBody(body): OrderBody<CreateCaptureBody>) -> Outcome {
    let missing = call.missing_order();
    let id = service::random::key().to_string();
    let success = call.created(CAPTURE_ID, "captures", &id)?;
    let command = capture_command(CaptureId::new(id), &call, body);
    call.change(missing, success, move |order, now| {
        order.capture(command.clone()?, now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

fn capture_command(
    id: CaptureId,
    call: &Call,
    body: CreateCaptureBody,
) -> Result<CaptureCommand, ApiError> {
    check(&validate::capture(&body))?;
    call.check_lines(body.order_lines.as_deref())?;
    Ok(CaptureCommand {
        id,
        amount: body.captured_amount.unwrap_or_default(),
        description: body.description,
        reference: body.reference,
        lines: lines(body.order_lines)?,
        shipping_info: body.shipping_info.unwrap_or_default(),
        shipping_delay: body.shipping_delay.unwrap_or_default(),
    })
}

/// `GET /{order_id}/captures`
pub(super) async fn list(call: Call) -> Outcome {
    let missing = call.missing_order();
    call.read(missing, |order| Ok(order.captures_view())).await
}

/// `GET /{order_id}/captures/{capture_id}`
pub(super) async fn read(call: Call) -> Outcome {
    let missing = call.missing_order();
    let capture_id = CaptureId::new(call.part_id.as_str());
    call.read(missing, move |order| order.capture_view(&capture_id)).await
}

/// `POST /{order_id}/captures/{capture_id}/shipping-info`
pub(super) async fn append_shipping_info(
    call: Call,
    OrderBody(body): OrderBody<UpdateShippingInfoBody>,
) -> Outcome {
    let consequence = format!("Shipping info cannot be added to capture {}.", call.part_id);
    let missing = call.missing_order_for(&consequence);
    let capture_id = CaptureId::new(call.part_id.as_str());
    let valid = check(&validate::shipping_info(&body));
    let shipping_info = body.shipping_info.unwrap_or_default();
    call.change(missing, Answer::no_content(), move |order, now| {
        valid.clone()?;
        order
            .append_capture_shipping_info(&capture_id, shipping_info.clone(), now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `POST /{order_id}/captures/{capture_id}/trigger-send-out`
pub(super) async fn trigger_send_out(call: Call) -> Outcome {
    let missing = call.missing_order();
    let capture_id = CaptureId::new(call.part_id.as_str());
    call.change(missing, Answer::no_content(), move |order, now| {
        order.trigger_send_out(&capture_id, now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `GET /{order_id}/captures/{capture_id}/extend-due-date-options`
pub(super) async fn due_date_options(call: Call) -> Outcome {
    let missing = call.missing_order();
    let capture_id = CaptureId::new(call.part_id.as_str());
    call.read(missing, move |order| order.due_date_view(&capture_id)).await
}

/// `PATCH /{order_id}/captures/{capture_id}/extend-due-date`
pub(super) async fn extend_due_date(
    call: Call,
    OrderBody(body): OrderBody<ExtendDueDateBody>,
) -> Outcome {
    let missing = call.missing_order();
    let capture_id = CaptureId::new(call.part_id.as_str());
    let valid = check(&validate::extend_due_date(&body));
    let number_of_days = body.number_of_days.unwrap_or_default();
    call.change(missing, Answer::no_content(), move |order, now| {
        valid.clone()?;
        order
            .extend_due_date(&capture_id, number_of_days, now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}
