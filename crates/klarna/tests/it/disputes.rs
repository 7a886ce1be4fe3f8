//! Disputes of both versions against a playground: every operation, and the errors that they are known for.

use crate::common::world::{World, address, order_request, session_request};
use klarna::types::disputes::{
    Appeal, AttachmentReference, Dispute, DisputeState, ListDisputes, NetworkErrorCode,
    PaymentDisputeAttachmentId, Represent, v2,
};
use klarna::types::order_management::CreateCapture;
use klarna::{MerchantId, MinorUnits, OrderId, PaymentDisputeId, Upload};
use serde_json::json;

/// An order whose capture the shopper disputes.
async fn disputed(world: &World, email: &str) -> OrderId {
    let payments = world.client.payments();
    let address = address().email(email);
    let request = session_request().billing_address(address.clone());
    let session = payments.create_session(&request).await.unwrap();
    let token = world.authorize(&session, json!({})).await;
    let request = order_request().billing_address(address);
    let order = payments.create_order(&token, &request).await.unwrap();
    let capture = CreateCapture::new(MinorUnits::new(10_000));
    world.client.orders().capture(&order.order_id, &capture).await.unwrap();
    order.order_id.clone()
}

async fn dispute_of(world: &World, order_id: &OrderId) -> Dispute {
    let mut filter = ListDisputes::new();
    filter.order_ids = vec![order_id.clone()];
    let mut found = world.client.disputes().list(&filter).items().collect().await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn png() -> Upload {
    Upload::new("proof.png", b"\x89PNG\r\n\x1a\n and so on".as_slice())
}

#[tokio::test]
async fn a_dispute_is_answered_with_evidence() {
    let world = World::start().await;
    let disputes = world.client.disputes();
    disputes.enroll(&MerchantId::new("K123456")).await.unwrap();
    let order_id = disputed(&world, "customer+se+dispute_win_on_evidence@klarna.com").await;
    let dispute = dispute_of(&world, &order_id).await;
    assert_eq!(dispute.state, DisputeState::Initiated);
    let id = &dispute.payment_dispute_id;
    let uploaded = disputes.upload(id, &png()).await.unwrap();
    let file = uploaded.payment_dispute_attachment_id.clone();
    let download = disputes.attachment(id, &file).await.unwrap();
    assert_eq!(download.content_type(), Some("image/png"));
    assert!(download.bytes(1_000).await.unwrap().ends_with(b"and so on"));
    let evidence = Represent::new(vec![AttachmentReference::new(file)]);
    let answered = disputes.represent(id, &evidence).await.unwrap();
    assert_eq!(answered.state, DisputeState::Representment);
    assert_eq!(disputes.get(id).await.unwrap().state, DisputeState::Representment);
    // Its state takes an answer once.
    let error = disputes.represent(id, &evidence).await.unwrap_err();
    assert_eq!(error.network_body().error_code, Some(NetworkErrorCode::ResourceConflict));
    assert!(!error.outcome_unknown());
    let error = disputes.appeal(id, &Appeal::new("again")).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 409);
    world.stop().await;
}

#[tokio::test]
async fn a_loss_is_accepted_and_mistakes_are_named() {
    let world = World::start().await;
    let disputes = world.client.disputes();
    disputes.enroll(&MerchantId::new("K123456")).await.unwrap();
    let order_id = disputed(&world, "customer+se+dispute_lose_on_expiry@klarna.com").await;
    let dispute = dispute_of(&world, &order_id).await;
    let id = &dispute.payment_dispute_id;
    let error = disputes.represent(id, &Represent::new(vec![])).await.unwrap_err();
    assert_eq!(error.network_body().error_code, Some(NetworkErrorCode::ValidationError));
    assert!(!error.network_body().validation_errors.is_empty());
    let text = Upload::new("notes.txt", b"text".as_slice());
    assert_eq!(disputes.upload(id, &text).await.unwrap_err().status().unwrap(), 400);
    // Unknown, and someone else's.
    let unknown = PaymentDisputeId::new("krn:network:eu1:test:payment:dispute:1");
    for (client, id) in [(&world.client, &unknown), (&world.stranger, id)] {
        let disputes = client.disputes();
        assert!(disputes.get(id).await.unwrap_err().is_not_found());
        assert!(disputes.accept_loss(id).await.unwrap_err().is_not_found());
        assert!(disputes.upload(id, &png()).await.unwrap_err().is_not_found());
        let file = PaymentDisputeAttachmentId::new("x");
        assert!(disputes.attachment(id, &file).await.unwrap_err().is_not_found());
        assert!(disputes.appeal(id, &Appeal::new("x")).await.unwrap_err().is_not_found());
    }
    assert_eq!(disputes.accept_loss(id).await.unwrap().state, DisputeState::Closed);
    assert_eq!(disputes.accept_loss(id).await.unwrap_err().status().unwrap(), 409);
    world.stop().await;
}

#[tokio::test]
async fn pages_of_disputes_follow_each_other() {
    let world = World::start().await;
    world.client.disputes().enroll(&MerchantId::new("K123456")).await.unwrap();
    for _ in 0..5 {
        disputed(&world, "customer+se+dispute_lose_on_expiry@klarna.com").await;
    }
    let mut filter = ListDisputes::new();
    filter.size = Some(2);
    let all = world.client.disputes().list(&filter).items().collect().await.unwrap();
    let mut ids: Vec<&str> =
        all.iter().map(|dispute| dispute.payment_dispute_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((all.len(), ids.len()), (5, 5));
    assert_eq!(world.stranger.disputes().list(&filter).items().collect().await.unwrap(), []);
    world.stop().await;
}

#[tokio::test]
async fn version_2_asks_and_is_answered() {
    let world = World::start().await;
    let disputes = world.client.disputes().v2();
    disputes.enroll().await.unwrap();
    for _ in 0..3 {
        disputed(&world, "customer+disputed-goods_not_received@email.se").await;
    }
    let mut filter = v2::ListDisputes::new();
    filter.limit = Some(1);
    let all = disputes.list(&filter).items().collect().await.unwrap();
    assert_eq!(all.len(), 3);
    let details = disputes.get(&all[0].dispute_krn).await.unwrap();
    let krn = &details.dispute_krn;
    let request = details.requests.as_ref().unwrap().first().unwrap();
    let uploaded = disputes.upload(krn, &png()).await.unwrap();
    let response =
        v2::NewResponse::new().comment("Delivered.").attachments(vec![uploaded.attachment_id]);
    let response = disputes.respond(krn, request.request_id, &response).await;
    match response {
        Ok(response) => {
            let file = disputes
                .response_attachment(
                    krn,
                    request.request_id,
                    response.response_id,
                    uploaded.attachment_id,
                )
                .await
                .unwrap();
            assert!(file.bytes(1_000).await.unwrap().ends_with(b"and so on"));
        }
        // Which fields have to be answered is the playground's to say.
        Err(error) => assert_eq!(error.status().unwrap(), 400, "{error}"),
    }
    let missing = disputes.request_attachment(krn, request.request_id, 999_999).await;
    assert!(missing.unwrap_err().is_not_found());
    disputes.accept_loss(&all[1].dispute_krn).await.unwrap();
    let unknown = v2::DisputeKrn::new("krn:klarna:eu1:dispute:return:1");
    assert!(disputes.get(&unknown).await.unwrap_err().is_not_found());
    world.stop().await;
}
