//! The order itself: read it, its references, where it is sent, its tracking data.

use klarna_types::order_management::{
    UpdateConsumerBody, UpdateMerchantReferences, UpdateShippingInfoBody,
};
use klarna_types::validate;

use super::body::OrderBody;
use super::call::Call;
use super::refusal::{check, no_such_order, refuse};
use super::risk_check;
use crate::api::replay::Outcome;
use crate::api::respond::Answer;
use crate::domain::order::{BillingAddress, NewReferences, NewShippingAddress};

/// `GET /{order_id}`
pub(super) async fn read(call: Call) -> Outcome {
    call.read_order().await
}

/// `PATCH /{order_id}/merchant-references`
pub(super) async fn update_references(
    call: Call,
    OrderBody(body): OrderBody<UpdateMerchantReferences>,
) -> Outcome {
    let missing =
        no_such_order("Order cannot be found. Merchant references cannot be updated.".to_owned());
    let valid = check(&validate::merchant_references(&body));
    let command = NewReferences {
        merchant_reference1: body.merchant_reference1,
        merchant_reference2: body.merchant_reference2,
    };
    call.change(missing, Answer::no_content(), move |order, now| {
        valid.clone()?;
        order
            .update_merchant_references(command.clone(), now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `PATCH /{order_id}/customer-details`
pub(super) async fn update_customer(
    call: Call,
    OrderBody(body): OrderBody<UpdateConsumerBody>,
) -> Outcome {
    let missing = call.missing_order_for("Customer details cannot be updated.");
    let risk = risk_check(&call.merchant);
    let valid = check(&validate::update_consumer(&body));
    let command = NewShippingAddress {
        shipping_address: body.shipping_address,
        billing_address: match body.billing_address {
            Some(_) => BillingAddress::Sent,
            None => BillingAddress::Untouched,
        },
    };
    call.change(missing, Answer::no_content(), move |order, now| {
        valid.clone()?;
        order
            .update_customer_details(command.clone(), risk, now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}

/// `POST /{order_id}/shipping-info`
pub(super) async fn append_shipping_info(
    call: Call,
    OrderBody(body): OrderBody<UpdateShippingInfoBody>,
) -> Outcome {
    let consequence = format!("Shipping info cannot be added to order {}.", call.order_id);
    let missing = call.missing_order_for(&consequence);
    let valid = check(&validate::shipping_info(&body));
    let shipping_info = body.shipping_info.unwrap_or_default();
    call.change(missing, Answer::no_content(), move |order, now| {
        valid.clone()?;
        order
            .append_order_shipping_info(shipping_info.clone(), now)
            .map_err(|rejection| refuse(&rejection))
    })
    .await
}
