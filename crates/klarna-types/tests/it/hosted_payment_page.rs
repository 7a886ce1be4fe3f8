//! The shapes of the Hosted Payment Page API, and its limits.

use klarna_types::hosted_payment_page::{
    BackgroundImage, ContactInformation, CreateSession, CreateSessionBody, CreatedSession,
    DistributeSession, DistributeSessionBody, DistributionMethod, MerchantUrls, Options,
    PaymentMethodCategory, PlaceOrderMode, PurchaseType, Session, SessionStatus, StatusCallback,
    SubtotalDetail,
};
use klarna_types::problem::bad_value;
use klarna_types::validate::{self, UrlRule};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn both_ways<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), value);
    read
}

fn request() -> CreateSession {
    CreateSession::new("https://api.klarna.com/payments/v1/sessions/92d97f60")
        .merchant_urls(
            MerchantUrls::new()
                .success("https://shop.example/ok?sid={{session_id}}&t={{authorization_token}}")
                .back("https://shop.example/back?sid={{session_id}}")
                .status_update("https://shop.example/cb?sid={{session_id}}&secret=s3cr3t"),
        )
        .options(
            Options::new()
                .place_order_mode(PlaceOrderMode::CaptureOrder)
                .payment_method_categories(vec![
                    PaymentMethodCategory::PayNow,
                    PaymentMethodCategory::Klarna,
                ])
                .purchase_type(PurchaseType::Book)
                .page_title("Slutför ditt köp")
                .background_images(vec![
                    BackgroundImage::new().url("https://shop.example/1920.jpg").width(1920),
                ])
                .logo_url("https://shop.example/logo.png")
                .show_subtotal_detail(SubtotalDetail::Hide),
        )
        .profile_id("87ab3565-5e06-4006-9ada-8eedc6926703")
}

#[test]
fn request_is_written_exactly() {
    insta::assert_json_snapshot!(request());
    let text = format!("{:?}", request());
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[test]
fn enums_are_read_in_any_case_and_written_in_theirs() {
    let body: CreateSessionBody = serde_json::from_value(json!({ "options": {
        "place_order_mode": "place_order", "payment_method_category": "pay_later", "purchase_type": "buy",
        "show_subtotal_detail": "hide", "something_new": 1 } }))
    .unwrap();
    assert_eq!(
        serde_json::to_value(&body).unwrap(),
        json!({ "options": { "place_order_mode": "PLACE_ORDER", "payment_method_category": "PAY_LATER",
            "purchase_type": "BUY", "show_subtotal_detail": "HIDE" } })
    );
    assert_eq!(serde_json::to_value(DistributionMethod::from("EMAIL")).unwrap(), json!("email"));
}

#[test]
fn created_both_ways() {
    let created: CreatedSession = both_ways(&json!({
        "session_id": "9cbc9884-1fdb-45a8-9694-9340340d0436",
        "session_url": "https://api.klarna.com/hpp/v1/sessions/9cbc9884-1fdb-45a8-9694-9340340d0436",
        "redirect_url": "https://pay.klarna.com/eu/hpp/payments/2OCkffK",
        "qr_code_url": "https://pay.klarna.com/eu/hpp/payments/a94e7760/qr",
        "distribution_url": "https://api.klarna.com/hpp/v1/sessions/9cbc9884/distribution",
        "manual_identification_check_url": "https://api.klarna.com/hpp/v1/sessions/9cbc9884/manual-id-check",
        "expires_at": "2038-01-19T03:14:07.000Z",
        "distribution_module": { "token": "secret-token", "generation_url": "https://api.klarna.com/x",
            "standalone_url": "https://pay.klarna.com/d/1?profile_id={{profile_id}}&view_id={{view_id}}" }
    }));
    assert!(!format!("{created:?}").contains("secret-token"));
    let least: CreatedSession = serde_json::from_value(json!({ "session_id": "s" })).unwrap();
    assert_eq!(least.redirect_url, None);
}

#[test]
fn callback_both_ways() {
    let callback: StatusCallback = both_ways(&json!({
        "event_id": "27ba32b0-0000-0000-0000-000000000000",
        "session": { "session_id": "39a1c773", "status": "COMPLETED", "authorization_token": "a1a8f727",
            "updated_at": "2019-05-13T14:54:04.675Z", "expires_at": "2019-05-15T13:51:43.507Z" }
    }));
    assert!(callback.session.status.is_final());
    assert!(!format!("{callback:?}").contains("a1a8f727"));
}

#[test]
fn session_is_read_tolerantly() {
    let session: Session = serde_json::from_value(json!({
        "session_id": "s", "status": "SOMETHING_NEW", "updated_at": "2019-05-13T14:54:04Z", "customer": null,
        "manual_identification": { "challenge": "A78", "customer": { "given_name": "Alice" } }, "more": [] }))
    .unwrap();
    assert_eq!(session.status, SessionStatus::Unknown("SOMETHING_NEW".into()));
    assert!(!session.status.is_final());
    assert!(!format!("{session:?}").contains("Alice"));
    let finals: Vec<_> = SessionStatus::KNOWN.iter().filter(|status| status.is_final()).collect();
    assert_eq!(
        finals,
        [&SessionStatus::Completed, &SessionStatus::Cancelled, &SessionStatus::Disabled]
    );
}

#[test]
fn distribution_is_written_exactly() {
    let request = DistributeSession::new(
        DistributionMethod::Sms,
        ContactInformation::new().phone("07000212345").phone_country("SE"),
    );
    assert_eq!(
        serde_json::to_value(&request).unwrap(),
        json!({ "method": "sms", "contact_information": { "phone": "07000212345", "phone_country": "SE" } })
    );
    assert!(!format!("{request:?}").contains("07000212345"));
}

fn refused(body: Value, expected: &str) {
    let body: CreateSessionBody = serde_json::from_value(body).unwrap();
    let problems = validate::hosted_session(&body, UrlRule::Https);
    assert_eq!(bad_value(&problems).unwrap_or_default(), expected, "{problems:?}");
}

fn with_options(options: &Value) -> Value {
    json!({ "payment_session_url": "https://x.example/payments/v1/sessions/1", "options": options })
}

#[test]
fn create_limits() {
    assert_eq!(validate::hosted_session(&request().into(), UrlRule::Https), []);
    refused(json!({}), "Bad value: payment_session_url");
    refused(json!({ "payment_session_url": "" }), "Bad value: payment_session_url");
    refused(
        json!({ "payment_session_url": "u", "merchant_urls": { "success": "http://shop.example/",
            "cancel": "javascript:alert(1)", "back": "https://shop.example/a\nb", "failure": "",
            "error": format!("https://shop.example/{}", "a".repeat(2000)), "status_update": "shop.example" } }),
        "Bad value: merchant_urls.success, merchant_urls.cancel, merchant_urls.back, merchant_urls.failure, \
         merchant_urls.error, merchant_urls.status_update",
    );
    refused(
        with_options(
            &json!({ "payment_method_category": "PAY_NOW", "payment_method_categories": ["PAY_LATER"] }),
        ),
        "Bad value: options.payment_method_categories",
    );
    refused(
        with_options(&json!({ "place_order_mode": "LATER", "payment_method_category": "CASH",
            "purchase_type": "STEAL", "show_subtotal_detail": "SHOW", "page_title": "a".repeat(256),
            "logo_url": "data:image/png;base64,AA", "background_images": [{ "width": 0 }] })),
        "Bad value: options.place_order_mode, options.payment_method_category, options.purchase_type, \
         options.page_title, options.logo_url, options.background_images[0].url, \
         options.background_images[0].width, options.show_subtotal_detail",
    );
    refused(
        with_options(&json!({ "payment_method_categories": ["PAY_NOW", "CASH"] })),
        "Bad value: options.payment_method_categories[1]",
    );
    refused(
        with_options(
            &json!({ "background_images": vec![json!({ "url": "https://x.example/" }); 51] }),
        ),
        "Bad value: options.background_images",
    );
}

fn not_distributed(body: Value, expected: &str) {
    let body: DistributeSessionBody = serde_json::from_value(body).unwrap();
    let problems = validate::hosted_distribution(&body);
    assert_eq!(bad_value(&problems).unwrap_or_default(), expected, "{problems:?}");
}

#[test]
fn distribution_limits() {
    not_distributed(json!({ "method": "EMAIL", "contact_information": {} }), "");
    not_distributed(json!({}), "Bad value: method, contact_information");
    not_distributed(
        json!({ "method": "two_way_sms", "template": "OTHER",
            "contact_information": { "email": "a".repeat(256), "phone": "1\n2", "access_id": "a".repeat(256) } }),
        "Bad value: method, contact_information.email, contact_information.phone, \
         contact_information.access_id, template",
    );
}
