//! In-store sessions: the sheet's shapes both ways, and what a session must have besides.

use klarna_types::in_store::{
    CreatedDistribution, Distribution, DistributionCallbackUrls, DistributionErrorCode,
    DistributionMethod, DistributionResult, DistributionStatus, StoreAddress, StoreInfo,
};
use klarna_types::payments::{AcquiringChannel, CreateSession, CreatedSession, SessionBody};
use klarna_types::problem::bad_value;
use klarna_types::validate::{self, UrlRule};
use klarna_types::{Country, Currency, MinorUnits, OrderLine};
use serde_json::{Value, json};

fn request() -> CreateSession {
    let lines = vec![OrderLine::new("Mugg", 1, MinorUnits::new(14_900), MinorUnits::new(14_900))];
    let address = StoreAddress::new()
        .street_address("Sveavägen")
        .street_number("46")
        .postal_code("11134")
        .city("Stockholm")
        .country("SE");
    CreateSession::new(Country::SE, Currency::SEK, MinorUnits::new(14_900), lines)
        .acquiring_channel(AcquiringChannel::InStore)
        .merchant_reference1("POS-1001")
        .attachment(StoreInfo::new("STO-7", "POS1232", address).attachment())
        .distribution(Distribution::new(DistributionMethod::OneQr).callback_urls(
            DistributionCallbackUrls::new().status_update("https://pos.example/k?key=a1"),
        ))
}

/// The paths of `Bad value: …` after the change.
fn after(change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(request()).unwrap();
    change(&mut value);
    let body: SessionBody = serde_json::from_value(value).unwrap();
    let message = bad_value(&validate::create_session(&body, UrlRule::Https)).unwrap_or_default();
    message.trim_start_matches("Bad value: ").to_owned()
}

fn store_info(value: &Value) -> Value {
    let body = json!({ "in_store_payment": [{ "store_info": value }] });
    json!({ "content_type": "application/vnd.klarna.internal.emd-v2+json", "body": body.to_string() })
}

#[test]
fn a_request_both_ways() {
    let value = serde_json::to_value(request()).unwrap();
    insta::assert_json_snapshot!("in_store_session", value);
    assert_eq!(serde_json::from_value::<CreateSession>(value.clone()).unwrap(), request());
    assert_eq!(serde_json::from_value::<SessionBody>(value).unwrap(), SessionBody::from(request()));
    assert_eq!(after(|_| {}), "");
}

#[test]
fn the_channel_has_no_case() {
    assert_eq!(after(|body| body["acquiring_channel"] = json!("in_store")), "");
}

/// What is done to a good body.
type Change = Box<dyn FnOnce(&mut Value)>;

#[test]
fn what_a_session_in_a_store_must_have() {
    let path = "attachment.in_store_payment[0].store_info";
    let full = json!({ "merchant_store_id": "S", "store_terminal_id": "T", "store_address": {} });
    let cases: Vec<(Change, String)> = vec![
        (
            Box::new(|body| {
                body.as_object_mut().unwrap().remove("acquiring_channel");
            }),
            "acquiring_channel".into(),
        ),
        (
            Box::new(|body| body["acquiring_channel"] = json!("ECOMMERCE")),
            "acquiring_channel".into(),
        ),
        (Box::new(|body| body["intent"] = json!("tokenize")), "intent".into()),
        (Box::new(|body| body["distribution"] = json!({})), "distribution.method".into()),
        (
            Box::new(|body| body["distribution"]["method"] = json!("pigeon")),
            "distribution.method".into(),
        ),
        (
            Box::new(|body| {
                body["distribution"]["callback_urls"]["status_update"] =
                    json!("http://pos.example");
            }),
            "distribution.callback_urls.status_update".into(),
        ),
        (
            Box::new(|body| {
                body["distribution"]["callback_urls"]["status_update"] =
                    json!(format!("https://pos.example/{}", "x".repeat(2000)));
            }),
            "distribution.callback_urls.status_update".into(),
        ),
        (
            Box::new(|body| {
                body.as_object_mut().unwrap().remove("attachment");
            }),
            "attachment".into(),
        ),
        (
            Box::new(|body| body["attachment"]["body"] = json!("no JSON")),
            "attachment.attachment".into(),
        ),
        (Box::new(|body| body["attachment"]["body"] = json!("{}")), path.into()),
        (Box::new(move |body| body["attachment"] = store_info(&full)), String::new()),
        (
            Box::new(|body| body["attachment"] = store_info(&json!({}))),
            format!("{path}.merchant_store_id, {path}.store_terminal_id, {path}.store_address"),
        ),
        (
            Box::new(|body| {
                body["attachment"] = store_info(&json!({
                    "merchant_store_id": " ", "store_terminal_id": 7, "store_address": "here"
                }));
            }),
            format!("{path}.merchant_store_id, {path}.store_terminal_id, {path}.store_address"),
        ),
        // Whatever is wrong with it shows as the outcome, not here.
        (Box::new(|body| body["distribution"]["short_code"] = json!("x")), String::new()),
    ];
    for (change, expected) in cases {
        assert_eq!(after(change), expected);
    }
}

#[test]
fn a_session_in_a_store_without_distribution_is_any_session() {
    let paths = after(|body| {
        body.as_object_mut().unwrap().remove("distribution");
        body.as_object_mut().unwrap().remove("attachment");
    });
    assert_eq!(paths, "");
}

#[test]
fn an_answer_both_ways() {
    let text = json!({
        "session_id": "s", "client_token": "t", "payment_method_categories": [],
        "distribution": { "result_url": "https://api.klarna.com/iss/v1/distributions/s" }
    });
    let created: CreatedSession = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(
        created.distribution,
        Some(
            CreatedDistribution::new().result_url("https://api.klarna.com/iss/v1/distributions/s")
        )
    );
    assert_eq!(serde_json::to_value(created).unwrap(), text);
}

#[test]
fn a_result_both_ways() {
    let completed = json!({
        "session_id": "s", "status": "COMPLETED", "qr": "https://x/qr", "payment_link": "https://x",
        "order_id": "o", "klarna_reference": "X438HG0Q"
    });
    let failed = json!({
        "session_id": "s", "status": "FAILED", "error": { "code": "BAD_REQUEST", "message": "no" }
    });
    for value in [completed, failed] {
        let result: DistributionResult = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(result).unwrap(), value);
    }
}

#[test]
fn both_spellings_of_canceled_are_read_and_one_is_written() {
    for spelling in ["CANCELED", "CANCELLED", "cancelled"] {
        let status = DistributionStatus::from(spelling);
        assert_eq!(status, DistributionStatus::Canceled);
        assert_eq!(status.as_str(), "CANCELED");
    }
    assert!(DistributionStatus::Canceled.is_final() && DistributionStatus::Completed.is_final());
    assert!(!DistributionStatus::Failed.is_final());
    assert_eq!(
        DistributionStatus::from("PARKED"),
        DistributionStatus::Unknown("PARKED".to_owned())
    );
    assert_eq!(DistributionErrorCode::from("UNKNOWN"), DistributionErrorCode::SystemError);
    assert_eq!(
        DistributionErrorCode::from("NEW_ONE"),
        DistributionErrorCode::Unknown("NEW_ONE".to_owned())
    );
}
