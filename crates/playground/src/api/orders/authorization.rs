//! The authorisation itself: acknowledge, update, cancel, extend, release.

use klarna_types::order_management::UpdateAuthorizationBody;
use klarna_types::validate;

use super::body::OrderBody;
use super::call::Call;
use super::refusal::{check, refuse};
use super::{lines, risk_check};
use crate::api::error::ApiError;
use crate::api::replay::Outcome;
use crate::api::respond::Answer;
use crate::domain::order::UpdateCommand;

/// `POST /{order_id}/acknowledge`
pub(super) async fn acknowledge(call: Call) -> Outcome {
    let missing = call.missing_order_for("Acknowledgement not possible.");
    call.change(missing, Answer::no_content(), |order, now| {
        order.acknowledge(now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `PATCH /{order_id}/authorization`
pub(super) async fn update(
    call: Call,
    OrderBody(body): OrderBody<UpdateAuthorizationBody>,
) -> Outcome {
    let missing = call.missing_order();
    let risk = risk_check(&call.merchant);
    let command = update_command(&call, body);
    call.change(missing, Answer::no_content(), move |order, now| {
        order
            .update_authorization(command.clone()?, risk, now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}

fn update_command(call: &Call, body: UpdateAuthorizationBody) -> Result<UpdateCommand, ApiError> {
    check(&validate::update_authorization(&body))?;
    call.check_lines(body.order_lines.as_deref())?;
    Ok(UpdateCommand {
        amount: body.order_amount.unwrap_or_default(),
        description: body.description,
        lines: lines(body.order_lines)?,
    })
}

/// `POST /{order_id}/cancel`
pub(super) async fn cancel(call: Call) -> Outcome {
    let missing = call.missing_order();
    call.change(missing, Answer::no_content(), |order, now| {
        order.cancel(now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `POST /{order_id}/extend-authorization-time`
pub(super) async fn extend(call: Call) -> Outcome {
    let missing = call.missing_order();
    call.change(missing, Answer::no_content(), |order, now| {
        order.extend_authorization_time(now).map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `POST /{order_id}/release-remaining-authorization`
pub(super) async fn release(call: Call) -> Outcome {
    let missing = call.missing_order();
    call.change(missing, Answer::no_content(), |order, now| {
        order.release_remaining_authorization(now).map_err(|rejection| refuse(&rejection))
    })
    .await
}
