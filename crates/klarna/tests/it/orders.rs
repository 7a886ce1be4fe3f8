//! Every operation of Order Management against a playground: success, and each documented error.

use crate::common;
use crate::common::world::{World, address};
use klarna::types::order_management::{
    CreateCapture, CreateRefund, ExtendDueDate, OrderStatus, ShippingInfo, ShippingMethod,
    UpdateAuthorization, UpdateConsumer, UpdateMerchantReferences, UpdateShippingInfo,
};
use klarna::{Address, CaptureId, Error, ErrorCode, IdempotencyKey, MinorUnits, OrderId, RefundId};

fn line(error: &Error) -> String {
    let status = error.status().map_or(0, |status| status.as_u16());
    format!("{status} {}", error.code().map_or("-", ErrorCode::as_str))
}

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn unknown_order() -> OrderId {
    OrderId::new("00000000-0000-4000-8000-000000000000")
}

fn unknown_capture() -> CaptureId {
    CaptureId::new("00000000-0000-4000-8000-000000000000")
}

fn parcels() -> UpdateShippingInfo {
    UpdateShippingInfo::new([ShippingInfo::new()
        .shipping_company("PostNord SE")
        .shipping_method(ShippingMethod::PickUpPoint)
        .tracking_number("123")])
}

#[tokio::test]
async fn the_worked_ledger_of_the_sheet() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    let check = async |amounts: [i64; 5], status: OrderStatus| {
        let order = world.client.orders().get(&id).await.unwrap();
        let found = [
            Some(order.order_amount),
            order.original_order_amount,
            Some(order.captured_amount),
            Some(order.refunded_amount),
            Some(order.remaining_authorized_amount),
        ];
        assert_eq!(found, amounts.map(|amount| Some(minor(amount))));
        assert_eq!(order.status, status);
    };
    check([10_000, 10_000, 0, 0, 10_000], OrderStatus::Authorized).await;
    orders.capture(&id, &CreateCapture::new(minor(4_000))).await.unwrap();
    check([10_000, 10_000, 4_000, 0, 6_000], OrderStatus::PartCaptured).await;
    orders.update_authorization(&id, &UpdateAuthorization::new(minor(9_000))).await.unwrap();
    check([9_000, 10_000, 4_000, 0, 5_000], OrderStatus::PartCaptured).await;
    let error = orders
        .update_authorization(&id, &UpdateAuthorization::new(minor(3_000)))
        .await
        .unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    orders.refund(&id, &CreateRefund::new(minor(1_500))).await.unwrap();
    check([9_000, 10_000, 4_000, 1_500, 5_000], OrderStatus::PartCaptured).await;
    let error = orders.capture(&id, &CreateCapture::new(minor(6_000))).await.unwrap_err();
    assert_eq!(line(&error), "403 CAPTURE_NOT_ALLOWED");
    assert_eq!(
        error.messages(),
        ["Captured amount is higher than the remaining authorized amount. Capture not possible."]
    );
    orders.release_remaining_authorization(&id).await.unwrap();
    check([9_000, 10_000, 4_000, 1_500, 0], OrderStatus::Captured).await;
    let error = orders.refund(&id, &CreateRefund::new(minor(3_000))).await.unwrap_err();
    assert_eq!(line(&error), "403 REFUND_NOT_ALLOWED");
    orders.refund(&id, &CreateRefund::new(minor(2_500))).await.unwrap();
    check([9_000, 10_000, 4_000, 4_000, 0], OrderStatus::Captured).await;
    let error = orders.release_remaining_authorization(&id).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    world.stop().await;
}

#[tokio::test]
async fn captures_and_refunds_are_read_back() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    let request = CreateCapture::new(minor(4_000))
        .description("first parcel")
        .reference("S-1")
        .shipping_info([ShippingInfo::new().shipping_company("DHL SE")]);
    let captured = orders.capture(&id, &request).await.unwrap();
    assert!(captured.location.as_ref().unwrap().ends_with(captured.capture_id.as_str()));
    orders.add_capture_shipping_info(&id, &captured.capture_id, &parcels()).await.unwrap();
    orders.trigger_send_out(&id, &captured.capture_id).await.unwrap();
    let capture = orders.get_capture(&id, &captured.capture_id).await.unwrap();
    assert_eq!(
        (capture.captured_amount, capture.description.as_str()),
        (minor(4_000), "first parcel")
    );
    assert_eq!(capture.reference.as_deref(), Some("S-1"));
    assert_eq!(capture.shipping_info.len(), 2);
    let all = orders.captures(&id).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0], *capture);

    let refunded =
        orders.refund(&id, &CreateRefund::new(minor(1_000)).reference("R-1")).await.unwrap();
    let refund = orders.get_refund(&id, &refunded.refund_id).await.unwrap();
    assert_eq!((refund.refunded_amount, refund.reference.as_deref()), (minor(1_000), Some("R-1")));
    let order = orders.get(&id).await.unwrap();
    assert_eq!(order.captures[0].refunded_amount, minor(1_000));
    assert_eq!(order.refunds.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn details_are_changed() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    orders.acknowledge(&id).await.unwrap();
    let references =
        UpdateMerchantReferences::new().merchant_reference1("A").merchant_reference2("B");
    orders.update_merchant_references(&id, &references).await.unwrap();
    orders.add_shipping_info(&id, &parcels()).await.unwrap();
    let consumer = UpdateConsumer::new().shipping_address(Address::new().city("Uppsala"));
    orders.update_customer_details(&id, &consumer).await.unwrap();
    let before = orders.get(&id).await.unwrap();
    assert_eq!(before.merchant_reference1.as_deref(), Some("A"));
    assert_eq!(before.merchant_reference2.as_deref(), Some("B"));
    assert_eq!(before.shipping_info.len(), 1);
    assert_eq!(before.shipping_address.as_ref().unwrap().city.as_deref(), Some("Uppsala"));
    world.advance("P3D").await;
    orders.extend_authorization_time(&id).await.unwrap();
    let after = orders.get(&id).await.unwrap();
    assert!(after.expires_at > before.expires_at);
    world.stop().await;
}

#[tokio::test]
async fn an_order_is_cancelled_and_then_over() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    // Not possible without captures.
    let error = orders.release_remaining_authorization(&id).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    let error = orders.refund(&id, &CreateRefund::new(minor(1))).await.unwrap_err();
    assert_eq!(line(&error), "403 REFUND_NOT_ALLOWED");

    orders.cancel(&id).await.unwrap();
    assert_eq!(orders.get(&id).await.unwrap().status, OrderStatus::Cancelled);
    for (found, expected) in [
        (orders.cancel(&id).await.unwrap_err(), "403 CANCEL_NOT_ALLOWED"),
        (
            orders.capture(&id, &CreateCapture::new(minor(1))).await.unwrap_err(),
            "403 CAPTURE_NOT_ALLOWED",
        ),
        (
            orders.refund(&id, &CreateRefund::new(minor(1))).await.unwrap_err(),
            "403 REFUND_NOT_ALLOWED",
        ),
        (orders.acknowledge(&id).await.unwrap_err(), "403 NOT_ALLOWED"),
        (orders.extend_authorization_time(&id).await.unwrap_err(), "403 NOT_ALLOWED"),
        (
            orders
                .update_authorization(&id, &UpdateAuthorization::new(minor(1)))
                .await
                .unwrap_err(),
            "403 NOT_ALLOWED",
        ),
        (
            orders
                .update_merchant_references(
                    &id,
                    &UpdateMerchantReferences::new().merchant_reference1("x"),
                )
                .await
                .unwrap_err(),
            "403 NOT_ALLOWED",
        ),
        (
            orders
                .update_customer_details(
                    &id,
                    &UpdateConsumer::new().shipping_address(Address::new().city("x")),
                )
                .await
                .unwrap_err(),
            "403 NOT_ALLOWED",
        ),
    ] {
        assert_eq!(line(&found), expected);
        assert!(!found.is_retryable() && !found.outcome_unknown());
        assert!(found.correlation_id().is_some() && found.idempotency_key().is_some());
    }
    // A captured order is not cancelled.
    let id = world.order().await;
    orders.capture(&id, &CreateCapture::new(minor(10_000))).await.unwrap();
    let error = orders.cancel(&id).await.unwrap_err();
    assert_eq!(error.messages(), ["Order has previous captures. Cancel not possible."]);
    let error = orders.extend_authorization_time(&id).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    world.stop().await;
}

#[tokio::test]
async fn an_expired_order_is_not_captured() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    world.advance("P30D").await;
    assert_eq!(orders.get(&id).await.unwrap().status, OrderStatus::Expired);
    let error = orders.capture(&id, &CreateCapture::new(minor(1))).await.unwrap_err();
    assert_eq!(error.messages(), [format!("Order {id} is expired. Capture not possible.")]);
    let error = orders.extend_authorization_time(&id).await.unwrap_err();
    assert_eq!(error.messages(), ["Order is expired. Authorization time cannot be extended."]);
    world.stop().await;
}

#[tokio::test]
async fn due_dates_are_extended_by_what_is_offered() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    let captured = orders.capture(&id, &CreateCapture::new(minor(10_000))).await.unwrap();
    let capture_id = &captured.capture_id;
    let options = orders.extend_due_date_options(&id, capture_id).await.unwrap();
    let option = options.options.first().unwrap();
    let request = ExtendDueDate::new(option.number_of_days);
    orders.extend_due_date(&id, capture_id, &request).await.unwrap();
    let error = orders.extend_due_date(&id, capture_id, &ExtendDueDate::new(7)).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 403);
    world.stop().await;
}

#[tokio::test]
async fn unknown_orders_captures_and_refunds_are_not_found_on_every_route() {
    let world = World::start().await;
    let known = world.order().await;
    world.client.orders().capture(&known, &CreateCapture::new(minor(5_000))).await.unwrap();
    let references = UpdateMerchantReferences::new().merchant_reference1("x");
    let consumer = UpdateConsumer::new().shipping_address(Address::new().city("x"));
    let update = UpdateAuthorization::new(minor(1));
    let capture = CreateCapture::new(minor(1));
    let refund = CreateRefund::new(minor(1));
    let due = ExtendDueDate::new(10);
    // An unknown order, and an order of someone else.
    let strange = (world.stranger.clone(), known.clone());
    for (client, id) in [(world.client.clone(), unknown_order()), strange] {
        let orders = client.orders();
        let c = unknown_capture();
        for error in [
            orders.get(&id).await.unwrap_err(),
            orders.acknowledge(&id).await.unwrap_err(),
            orders.update_authorization(&id, &update).await.unwrap_err(),
            orders.cancel(&id).await.unwrap_err(),
            orders.update_customer_details(&id, &consumer).await.unwrap_err(),
            orders.extend_authorization_time(&id).await.unwrap_err(),
            orders.update_merchant_references(&id, &references).await.unwrap_err(),
            orders.release_remaining_authorization(&id).await.unwrap_err(),
            orders.add_shipping_info(&id, &parcels()).await.unwrap_err(),
            orders.capture(&id, &capture).await.unwrap_err(),
            orders.captures(&id).await.unwrap_err(),
            orders.get_capture(&id, &c).await.unwrap_err(),
            orders.add_capture_shipping_info(&id, &c, &parcels()).await.unwrap_err(),
            orders.trigger_send_out(&id, &c).await.unwrap_err(),
            orders.extend_due_date_options(&id, &c).await.unwrap_err(),
            orders.extend_due_date(&id, &c, &due).await.unwrap_err(),
        ] {
            assert_eq!(line(&error), "404 NO_SUCH_ORDER", "{error}");
        }
        for error in [
            orders.refund(&id, &refund).await.unwrap_err(),
            orders
                .get_refund(&id, &RefundId::new("00000000-0000-4000-8000-000000000000"))
                .await
                .unwrap_err(),
        ] {
            assert_eq!(line(&error), "404 NOT_FOUND", "{error}");
        }
    }
    // A known order without such a capture or refund.
    let orders = world.client.orders();
    let c = unknown_capture();
    for error in [
        orders.get_capture(&known, &c).await.unwrap_err(),
        orders.add_capture_shipping_info(&known, &c, &parcels()).await.unwrap_err(),
        orders.trigger_send_out(&known, &c).await.unwrap_err(),
        orders.extend_due_date_options(&known, &c).await.unwrap_err(),
        orders.extend_due_date(&known, &c, &due).await.unwrap_err(),
    ] {
        assert_eq!(line(&error), "404 NO_SUCH_CAPTURE", "{error}");
    }
    let refund = RefundId::new("00000000-0000-4000-8000-000000000000");
    let error = orders.get_refund(&known, &refund).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND");
    // An order id that is none.
    let error = orders.get(&OrderId::new("not-a-uuid")).await.unwrap_err();
    assert_eq!(line(&error), "400 INVALID_ORDER_ID");
    // Captures of an order that has none.
    let bare = world.order().await;
    let error = orders.trigger_send_out(&bare, &c).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    let error = orders.add_capture_shipping_info(&bare, &c, &parcels()).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    world.stop().await;
}

#[tokio::test]
async fn field_limits_are_answered_and_explained() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    let long = UpdateShippingInfo::new([ShippingInfo::new().shipping_company("x".repeat(101))]);
    let error = orders.add_shipping_info(&id, &long).await.unwrap_err();
    assert_eq!(line(&error), "422 UNPROCESSABLE_ENTITY");
    assert_eq!(
        error.messages(),
        ["The size of the shipping_info/shipping_company value must be between 0 and 100"]
    );
    assert_eq!(error.problems()[0].path, "shipping_info[0].shipping_company");
    for error in [
        orders.capture(&id, &CreateCapture::new(minor(-1))).await.unwrap_err(),
        orders.capture(&id, &CreateCapture::new(minor(200_000_001))).await.unwrap_err(),
        orders.refund(&id, &CreateRefund::new(minor(-1))).await.unwrap_err(),
        orders.update_authorization(&id, &UpdateAuthorization::new(minor(-1))).await.unwrap_err(),
        orders.add_shipping_info(&id, &UpdateShippingInfo::new([])).await.unwrap_err(),
        orders
            .update_merchant_references(
                &id,
                &UpdateMerchantReferences::new().merchant_reference1("x".repeat(256)),
            )
            .await
            .unwrap_err(),
    ] {
        assert_eq!(line(&error), "422 UNPROCESSABLE_ENTITY", "{error}");
        assert!(!error.problems().is_empty());
    }
    let bad = UpdateConsumer::new().shipping_address(address().postal_code("nonsense"));
    let error = orders.update_customer_details(&id, &bad).await.unwrap_err();
    assert_eq!(line(&error), "422 INVALID_ADDRESS");
    let error = orders.capture(&id, &CreateCapture::new(minor(0))).await.unwrap_err();
    assert_eq!(line(&error), "403 CAPTURE_NOT_ALLOWED");
    world.stop().await;
}

#[tokio::test]
async fn the_same_key_is_the_same_write() {
    let world = World::start().await;
    let orders = world.client.orders();
    let id = world.order().await;
    let key = IdempotencyKey::parse("capture-1001").unwrap();
    let capture = CreateCapture::new(minor(1_000));
    let first = orders.capture(&id, &capture).idempotency_key(key.clone()).send().await.unwrap();
    let again = orders.capture(&id, &capture).idempotency_key(key).send().await.unwrap();
    assert_eq!(first.capture_id, again.capture_id);
    assert_ne!(first.meta().correlation_id, again.meta().correlation_id);
    // Without a key of ours, two calls are two captures.
    orders.capture(&id, &capture).await.unwrap();
    assert_eq!(orders.get(&id).await.unwrap().captured_amount, minor(2_000));
    // A refusal is kept with its key, too.
    let key = IdempotencyKey::parse("refund-1").unwrap();
    let too_much = CreateRefund::new(minor(5_000));
    for _ in 0..2 {
        let error =
            orders.refund(&id, &too_much).idempotency_key(key.clone()).send().await.unwrap_err();
        assert_eq!(line(&error), "403 REFUND_NOT_ALLOWED");
    }
    world.stop().await;
}

#[tokio::test]
async fn orders_captured_at_once_are_captured() {
    let world = World::start().await;
    let (_, token) = world.approved(&world.client).await;
    let request = common::world::order_request().auto_capture(true);
    let placed = world.client.payments().create_order(&token, &request).await.unwrap();
    let order = world.client.orders().get(&placed.order_id).await.unwrap();
    assert_eq!(order.status, OrderStatus::Captured);
    assert_eq!(order.remaining_authorized_amount, minor(0));
    let update = UpdateAuthorization::new(minor(20_000));
    let error =
        world.client.orders().update_authorization(&placed.order_id, &update).await.unwrap_err();
    assert_eq!(line(&error), "403 NOT_ALLOWED");
    world.stop().await;
}
