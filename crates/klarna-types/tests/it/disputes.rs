//! The shapes of disputes on the wire: written exactly, read tolerantly; and the rules about files and fields.

use klarna_types::disputes::v2::{
    Carrier, DisputeError, DisputeErrorCode, NewResponse, RequestedFields, Response, ReturnInfo,
    Shipment,
};
use klarna_types::disputes::webhook::{DisputeEvent, DisputeEventType};
use klarna_types::disputes::{
    Appeal, AttachmentReference, Dispute, DisputeList, DisputeOutcome, DisputeOutcomeDetailed,
    DisputeState, FileName, FileRule, FileType, ListDisputes, NetworkError, NetworkErrorCode,
    NetworkErrorType, Represent, limits, v2, v3,
};
use klarna_types::{MinorUnits, OrderId};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads the text and writes it again; both must agree, whatever the order of the members.
fn both_ways<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), *value);
    read
}

fn closed() -> Value {
    json!({
        "payment_dispute_id": "krn:network:us1:live:payment:dispute:5169719611111",
        "dispute_reason": "PRODUCTS_OR_SERVICES_NOT_RECEIVED", "state": "CLOSED",
        "previous_state": "ARBITRATION", "order_id": "o", "payment_transaction_id": "t",
        "payment_account_id": "a", "capture_id": "c", "purchase_reference": "p",
        "merchant_reference2": "501", "product_id": "i",
        "dispute_details": { "dispute_amount": 39_900, "currency": "EUR", "created_by": "CUSTOMER" },
        "state_context": {
            "dispute_outcome": "LOST", "dispute_outcome_detailed": "insufficient_proof_of_delivery",
            "closed_at": "2025-11-25T11:20:00.000Z",
        },
        "arbitration": {
            "preliminary_outcome": "LOST",
            "preliminary_outcome_detailed": "insufficient_proof_of_delivery",
            "arbitration_request": {
                "requested_at": "2025-01-22T09:45:00.000Z", "additional_information": "No",
            },
        },
        "representment": {
            "state": "EVIDENCE_RECEIVED", "previous_state": "EVIDENCE_REQUESTED",
            "expires_at": "2025-01-22T09:45:00.000Z",
            "request": { "requested_at": "2025-01-01T09:45:00.000Z", "additional_information": "?" },
            "partner_evidence": {
                "created_at": "2025-09-18T09:45:00.000Z",
                "attachments": [{
                    "payment_dispute_attachment_id": "f", "description": "Proof",
                    "url": "https://x.example/f", "mime_type": "application/pdf",
                }],
            },
        },
        "process_exceptions": [{
            "exception_type": "dispute_window_extension", "reason": "regulatory_requirement",
            "description": "More time",
        }],
        "configuration": {
            "base_framework": "FRAMEWORK_2026", "options": { "hold_policy": "ON_DISPUTE_INITIATED" },
        },
        "created_at": "2025-09-11T08:31:00.000Z", "updated_at": "2025-09-15T08:31:00.000Z",
    })
}

#[test]
fn a_dispute_both_ways() {
    let dispute: Dispute = both_ways(&closed());
    assert_eq!(dispute.state, DisputeState::Closed);
    let context = dispute.state_context.unwrap();
    assert_eq!(context.dispute_outcome, Some(DisputeOutcome::Lost));
    insta::assert_json_snapshot!(closed());
}

#[test]
fn reading_is_tolerant() {
    let mut value = closed();
    value["state"] = json!("ASLEEP");
    value["state_context"]["dispute_outcome_detailed"] = json!("INSUFFICIENT_PROOF_OF_DELIVERY");
    value["created_at"] = json!("2025-09-11T08:31:00Z");
    value["new_member"] = json!({});
    value["merchant_reference_2"] = value["merchant_reference2"].take();
    value.as_object_mut().unwrap().remove("merchant_reference2");
    let dispute: Dispute = serde_json::from_value(value).unwrap();
    assert_eq!(dispute.state, DisputeState::Unknown("ASLEEP".into()));
    assert_eq!(dispute.merchant_reference2.as_deref(), Some("501"));
    assert_eq!(
        dispute.state_context.unwrap().dispute_outcome_detailed,
        Some(DisputeOutcomeDetailed::InsufficientProofOfDelivery)
    );
    let least = json!({ "payment_dispute_id": "d", "dispute_reason": "X", "state": "INITIATED" });
    let _: Dispute = both_ways(&least);
    let list: DisputeList = serde_json::from_value(json!({ "disputes": null })).unwrap();
    assert_eq!(list, DisputeList::default());
    assert!(serde_json::from_value::<Dispute>(json!(["d", "X", "INITIATED"])).is_err());
}

#[test]
fn requests_are_written_exactly() {
    let file = AttachmentReference::new("f").description("Proof");
    let represent = Represent::new(vec![file.clone()])
        .additional_information("Delivered")
        .partner_proposed_refund_amount(MinorUnits::new(400));
    let appeal = Appeal::new("Look again").attachments(vec![file]);
    let fields = RequestedFields::new()
        .return_info(ReturnInfo::YesButNotAccepted)
        .list_of_shipments(vec![Shipment::new().shipping_carrier(Carrier::Dhl)]);
    let response = NewResponse::new().attachments(vec![1]).requested_fields(fields);
    let mut list = ListDisputes::new();
    list.order_ids = vec![OrderId::new("o1"), OrderId::new("o2")];
    list.created_at_start = Some("2026-03-02T09:00:00Z".parse().unwrap());
    let mut older = v2::ListDisputes::new();
    older.reason = vec![v2::Reason::Return];
    older.opened_after = Some("2026-03-02T09:00:00.25Z".parse().unwrap());
    insta::assert_json_snapshot!(json!({
        "represent": represent, "appeal": appeal, "response": response, "list": list.query(),
        "older": older.query(),
    }));
}

#[test]
fn a_webhook_both_ways() {
    let value = json!({
        "event_type": "payment.dispute.updated.representment-deadline-extended", "event_id": "e",
        "occurred_at": "2020-05-08T12:00:00.000Z",
        "metadata": {
            "event_type": "payment.dispute.updated.representment-deadline-extended",
            "event_id": "e", "event_version": "v1", "correlation_id": "c",
            "occurred_at": "2020-05-08T12:00:00.000Z", "webhook_id": "w", "merchant_id": "K000000",
            "live": true,
        },
        "payload": {
            "payment_dispute_id": "d", "state": "REPRESENTMENT",
            "updated_fields": { "evidence_response_deadline_at": "2020-05-22T00:00:00.000Z" },
            "previous_fields": { "evidence_response_deadline_at": "2020-05-15T00:00:00.000Z" },
            "updated_at": "2020-05-01T12:00:00.000Z",
        },
    });
    let event: DisputeEvent = both_ways(&value);
    assert_eq!(event.metadata.event_type, DisputeEventType::RepresentmentDeadlineExtended);
}

#[test]
fn an_older_dispute_and_one_of_version_3_both_ways() {
    let response = json!({
        "response_id": 1, "created_at": "2026-03-02T09:00:00.250Z",
        "requested_fields": { "tracking_id": "1" },
        "attachments": [{ "attachment_id": 7, "filename": "a.pdf" }],
    });
    let _: Response = both_ways(&response);
    let _: v2::DisputeDetails = both_ways(&json!({
        "dispute_krn": "krn:klarna:eu1:dispute:return:266091", "reason": "return",
        "investigation_status": "unresolved", "region": "EU", "status": "open",
        "opened_at": "2026-03-02T09:00:00.250Z",
        "disputed_amount": { "amount": 100, "currency": "EUR" },
        "requests": [{
            "request_id": 1, "requested_fields": ["return_info"], "optional_requested_fields": [],
            "attachments": [], "responses": [response],
        }],
    }));
    let _: v3::Dispute = both_ways(&json!({
        "payment_dispute_id": "krn:payment:eu1:dispute:return:340985272172547",
        "dispute_reason": "RETURN_NOT_REFUNDED", "state": "MERCHANT_EVIDENCE_PENDING",
        "state_context": { "evidence_response_deadline_at": "2026-03-02T09:00:00.250Z" },
    }));
}

#[test]
fn errors_are_read_whatever_they_are() {
    let error = NetworkError::read(
        br#"{"error_id":"1","error_code":"VALIDATION_ERROR","error_type":"INPUT_ERROR","error_message":"no",
            "validation_errors":[{"parameter":"size","reason":"too large"}]}"#,
    );
    assert_eq!(error.error_code, Some(NetworkErrorCode::ValidationError));
    assert_eq!(error.error_type, Some(NetworkErrorType::InputError));
    assert_eq!(error.validation_errors[0].parameter, "size");
    let error =
        DisputeError::read(br#"{"error_code":"REQUEST_ALREADY_CLOSED","error_message":"no"}"#);
    assert_eq!(error.error_code, Some(DisputeErrorCode::RequestAlreadyClosed));
    for body in [&b""[..], b"<html>", b"[]", b"{\"error_code\":1}"] {
        assert_eq!(NetworkError::read(body), NetworkError::default());
        assert_eq!(DisputeError::read(body), DisputeError::default());
    }
}

#[test]
fn fields_are_checked_wherever_they_stand() {
    let fields: RequestedFields = serde_json::from_value(json!({
        "order_type": "weather", "shipping_date": "2026-03-02",
        "last_digits_of_phone_for_delivery_notification": "12",
        "shipment": { "tracking_id": "x".repeat(1_001) },
        "list_of_shipments": [{}, { "shipping_carrier": "pigeon", "shipping_date": "someday" }],
    }))
    .unwrap();
    let paths: Vec<_> = fields.problems().into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "order_type",
            "last_digits_of_phone_for_delivery_notification",
            "shipment.tracking_id",
            "list_of_shipments[1].shipping_carrier",
            "list_of_shipments[1].shipping_date",
        ]
    );
    assert_eq!(fields.answered().len(), 5);
}

proptest! {
    /// A name that is taken leads nowhere else, has a known type, and is the name that was given.
    #[test]
    fn a_name_that_is_taken_is_plain(name in "\\PC{0,40}(\\.(pdf|PNG|docx|exe))?", other in ".{0,10}") {
        if let Ok(taken) = FileName::parse(&name) {
            prop_assert_eq!(taken.as_str(), &name);
            prop_assert!(!name.contains(['/', '\\']) && !name.chars().any(char::is_control));
            prop_assert!(FileType::ALL.contains(&taken.kind()));
            prop_assert!(name.chars().count() <= limits::FILE_NAME + 5);
        }
        let joined = format!("{other}/{name}");
        prop_assert!(FileName::parse(&joined).is_err());
    }

    /// Content is what its first bytes say.
    #[test]
    fn content_is_what_its_first_bytes_say(content in proptest::collection::vec(any::<u8>(), 0..64)) {
        let name = FileName::parse("a.pdf").unwrap();
        let expected = match &content[..] {
            [] => Err(FileRule::Empty),
            content if FileType::Pdf.begins(content) => Ok(()),
            _ => Err(FileRule::Content),
        };
        prop_assert_eq!(name.check(&content), expected);
    }
}
