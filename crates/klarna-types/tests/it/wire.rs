//! The shapes on the wire: the sheets' worked examples both ways, written exactly and read tolerantly.

use klarna_types::customer_token::{
    CardInformation, CreateTokenOrder, CreatedTokenOrder, CustomerToken, CustomerTokenStatus,
    DirectDebitInformation, StepUp, TokenOrderBody, TokenPaymentMethodType, UpdateTokenStatus,
};
use klarna_types::order_line::{Subscription, SubscriptionInterval};
use klarna_types::order_management::{
    Capture, CreateCapture, CreateRefund, ExtendDueDateOptions, InitialPaymentMethodType, Order,
    OrderStatus, ShippingInfo, ShippingMethod, UpdateAuthorization, UpdateConsumer,
    UpdateShippingInfo,
};
use klarna_types::payments::{
    AuthorizationCallback, AuthorizedPaymentMethod, CreateCustomerToken, CreateOrder,
    CreateSession, CreatedCustomerToken, CreatedOrder, CreatedSession, FraudEventType,
    FraudNotification, FraudStatus, IntendedUse, Intent, MerchantUrls, PaymentMethodType, Session,
    SessionBody,
};
use klarna_types::{
    Address, AuthorizationToken, Country, Currency, Customer, ErrorBody, ErrorCode, MinorUnits,
    OrderLine, OrderLineType, TaxRate,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

/// Reads the text and writes it again; both must agree, whatever the order of the members.
fn both_ways<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: Value = serde_json::from_str(text).unwrap();
    let read: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
    read
}

fn german_lines() -> Vec<OrderLine> {
    vec![
        OrderLine::new("Wollschal", 2, minor(2490), minor(4500))
            .kind(OrderLineType::Physical)
            .reference("SCARF-7")
            .quantity_unit("pcs")
            .total_discount_amount(minor(480))
            .tax_rate(TaxRate::percent(19))
            .total_tax_amount(minor(718)),
        OrderLine::new("Versand", 1, minor(490), minor(490))
            .kind(OrderLineType::ShippingFee)
            .tax_rate(TaxRate::percent(19))
            .total_tax_amount(minor(78)),
        OrderLine::new("Gutschein", 1, minor(-1000), minor(-1000))
            .kind(OrderLineType::GiftCard)
            .tax_rate(TaxRate::ZERO)
            .total_tax_amount(minor(0)),
    ]
}

fn german_session() -> CreateSession {
    CreateSession::new(Country::DE, Currency::EUR, minor(3990), german_lines())
        .intent(Intent::Buy)
        .locale("de-DE")
        .order_tax_amount(minor(796))
        .merchant_reference1("WEB-100045")
        .merchant_urls(
            MerchantUrls::new()
                .confirmation("https://shop.example/thanks?o={order.id}")
                .notification("https://shop.example/klarna/fraud?o={order.id}")
                .authorization("https://shop.example/klarna/auth?key=k3Jx9"),
        )
}

const GERMAN_SESSION: &str = r#"{ "intent": "buy", "purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE",
  "order_amount": 3990, "order_tax_amount": 796, "merchant_reference1": "WEB-100045",
  "order_lines": [
    { "type": "physical", "reference": "SCARF-7", "name": "Wollschal", "quantity": 2, "quantity_unit": "pcs", "unit_price": 2490,
      "total_discount_amount": 480, "total_amount": 4500, "tax_rate": 1900, "total_tax_amount": 718 },
    { "type": "shipping_fee", "name": "Versand", "quantity": 1, "unit_price": 490, "total_amount": 490, "tax_rate": 1900, "total_tax_amount": 78 },
    { "type": "gift_card", "name": "Gutschein", "quantity": 1, "unit_price": -1000, "total_amount": -1000, "tax_rate": 0, "total_tax_amount": 0 } ],
  "merchant_urls": { "confirmation": "https://shop.example/thanks?o={order.id}",
    "notification": "https://shop.example/klarna/fraud?o={order.id}", "authorization": "https://shop.example/klarna/auth?key=k3Jx9" } }"#;

#[test]
fn german_session_both_ways() {
    assert_eq!(both_ways::<CreateSession>(GERMAN_SESSION), german_session());
    let body = both_ways::<SessionBody>(GERMAN_SESSION);
    assert_eq!(body, SessionBody::from(german_session()));
    insta::assert_json_snapshot!(german_session());
}

#[test]
fn created_session_both_ways() {
    let created: CreatedSession = both_ways(
        r#"{ "session_id": "3b0f6d8e-2b0c-4f0a-8a55-6f1f0c8f7d21", "client_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln",
  "payment_method_categories": [ { "identifier": "klarna", "name": "Flexibel bezahlen", "asset_urls": {
    "descriptive": "https://x.klarnacdn.net/payment-method/assets/badges/generic/klarna.svg",
    "standard": "https://x.klarnacdn.net/payment-method/assets/badges/generic/klarna.svg" } } ] }"#,
    );
    assert_eq!(created.session_id.as_str(), "3b0f6d8e-2b0c-4f0a-8a55-6f1f0c8f7d21");
    insta::assert_debug_snapshot!(created);
}

#[test]
fn american_session_both_ways() {
    let session: CreateSession = both_ways(
        r#"{ "intent": "buy", "purchase_country": "US", "purchase_currency": "USD", "locale": "en-US", "order_amount": 3248, "order_tax_amount": 248,
  "order_lines": [ { "type": "physical", "name": "Trail cap", "quantity": 2, "unit_price": 1500, "total_amount": 3000 },
    { "type": "sales_tax", "name": "Sales Tax", "quantity": 1, "unit_price": 248, "total_amount": 248 } ] }"#,
    );
    assert_eq!(session.order_lines[1].kind, Some(OrderLineType::SalesTax));
    assert_eq!(session.order_lines[0].tax_rate, None);
}

#[test]
fn callback_both_ways() {
    let callback: AuthorizationCallback = both_ways(
        r#"{ "authorization_token": "7d1f5c1e-77c1-4a51-9a0b-1a2f9a6b3c44", "session_id": "3b0f6d8e-2b0c-4f0a-8a55-6f1f0c8f7d21" }"#,
    );
    assert_eq!(
        callback.authorization_token,
        AuthorizationToken::new("7d1f5c1e-77c1-4a51-9a0b-1a2f9a6b3c44")
    );
}

#[test]
fn created_order_both_ways() {
    let order: CreatedOrder = both_ways(
        r#"{ "order_id": "c2c7a0d4-90f3-4f6e-9a3d-5f7b6e1d2a90", "redirect_url": "https://payments.klarna.com/redirect/c2c7a0d4",
  "fraud_status": "ACCEPTED", "authorized_payment_method": { "type": "invoice", "number_of_days": 30 } }"#,
    );
    assert_eq!(order.fraud_status, Some(FraudStatus::Accepted));
    let create = CreateOrder::new(Country::DE, Currency::EUR, minor(3990), german_lines())
        .order_tax_amount(minor(796))
        .auto_capture(false)
        .billing_address(Address::new().given_name("Mock").country(Country::DE));
    insta::assert_json_snapshot!(create);
}

#[test]
fn refusals_both_ways() {
    let mismatch: ErrorBody = both_ways(
        r#"{ "error_code": "BAD_VALUE", "error_messages": ["Not matching fields: [Incorrect number of items in the cart. Expected: 3, Actual: 2]"], "correlation_id": "b8b5a6c1-1d0f-4b8f-8a31-0c0d6a2f5e77" }"#,
    );
    assert_eq!(mismatch.error_code, Some(ErrorCode::BadValue));
    let refused: ErrorBody = both_ways(
        r#"{ "error_code": "PAYMENT_METHOD_FAILED", "error_messages": ["Purchase for payment method failed"],
  "correlation_id": "a6a4c1f0-7d0e-4f3e-8f58-5e2b7f2c9d61", "fraud_status": "REJECTED",
  "reason": "Purchase for payment method failed", "authorized_payment_method": { "type": "card" } }"#,
    );
    assert_eq!(refused.fraud_status, Some(FraudStatus::Rejected));
}

#[test]
fn customer_token_both_ways() {
    let created: CreatedCustomerToken = both_ways(
        r#"{ "token_id": "51f0c0b7-0a6b-4d0f-8f0e-0b8a0f6f1e33", "payment_method_reference": "9a0c7f15-3c52-4a6e-8b1d-3d1f1a9e7b02",
  "redirect_url": "https://credit.klarna.com/v1/sessions/51f0c0b7/redirect" }"#,
    );
    assert_eq!(created.token_id.as_str(), "51f0c0b7-0a6b-4d0f-8f0e-0b8a0f6f1e33");
    let request: CreateCustomerToken = both_ways(
        r#"{ "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "description": "Kaffe varje månad", "intended_use": "SUBSCRIPTION" }"#,
    );
    assert_eq!(request.intended_use, IntendedUse::Subscription);
    // One of the samples writes it in lower case.
    assert_eq!(IntendedUse::from("subscription"), IntendedUse::Subscription);
}

#[test]
fn zero_amount_session_both_ways() {
    let session: CreateSession = both_ways(
        r#"{ "intent": "tokenize", "purchase_country": "NL", "purchase_currency": "EUR", "locale": "nl-NL", "order_amount": 0,
  "order_lines": [ { "name": "Klarna toevoegen", "quantity": 1, "unit_price": 0, "total_amount": 0 } ],
  "merchant_urls": { "authorization": "https://ride.example/klarna/auth?key=q81" } }"#,
    );
    assert_eq!(session.intent, Some(Intent::Tokenize));
}

#[test]
fn subscription_line_both_ways() {
    let line: OrderLine = both_ways(
        r#"{ "type": "digital", "name": "Kaffe maj", "quantity": 1, "unit_price": 14900, "total_amount": 14900,
    "tax_rate": 1200, "total_tax_amount": 1596, "subscription": { "name": "Kaffe", "interval": "MONTH", "interval_count": 1 } }"#,
    );
    assert_eq!(line.subscription.unwrap().interval_count, 1);
}

const ORDER: &str = r#"{
  "order_id": "c2c7a0d4-90f3-4f6e-9a3d-5f7b6e1d2a90", "status": "PART_CAPTURED", "fraud_status": "ACCEPTED",
  "order_amount": 3990, "original_order_amount": 3990, "captured_amount": 1000, "refunded_amount": 300,
  "remaining_authorized_amount": 2990, "purchase_currency": "PLN", "purchase_country": "PL", "locale": "pl-PL",
  "order_lines": [], "merchant_reference1": "WEB-1", "klarna_reference": "K4MADNY",
  "customer": { "date_of_birth": "1970-01-01" },
  "billing_address": { "given_name": "Jan", "title": "", "country": "PL" },
  "created_at": "2022-07-08T09:48:16.680Z", "expires_at": "2022-08-05T00:00:00.000Z",
  "captures": [ { "capture_id": "4ba29b50-be7b-44f5-a492-113e6a865e22", "klarna_reference": "K4MADNY-1",
    "captured_amount": 1000, "captured_at": "2022-07-09T09:48:16.000Z", "description": "", "order_lines": [],
    "refunded_amount": 300, "shipping_info": [ { "shipping_company": "DHL US", "shipping_method": "Home" } ] } ],
  "refunds": [ { "refund_id": "b0ec0bbd-534c-4b1c-b28a-628bf33c3324", "refunded_amount": 300,
    "refunded_at": "2022-07-10T09:48:16.000Z", "order_lines": [], "credit_invoice": false } ],
  "shipping_info": [],
  "initial_payment_method": { "type": "INVOICE", "description": "Pay later" } }"#;

#[test]
fn order_both_ways() {
    let order: Order = both_ways(ORDER);
    assert_eq!(order.status, OrderStatus::PartCaptured);
    insta::assert_debug_snapshot!(order);
}

#[test]
fn order_management_requests() {
    let line = OrderLine::new("Return fee", 1, minor(-500), minor(-500))
        .kind(OrderLineType::ReturnFee)
        .tax_rate(TaxRate::ZERO);
    let parcel = ShippingInfo::new()
        .shipping_company("DHL US")
        .shipping_method(ShippingMethod::DhlPackstation)
        .tracking_number("1Z");
    insta::assert_json_snapshot!(json!({
        "capture": CreateCapture::new(minor(3990)).reference("S-1").shipping_info(vec![parcel.clone()]),
        "refund": CreateRefund::new(minor(9500)).order_lines([line]),
        "update_authorization": UpdateAuthorization::new(minor(9000)).description("fewer"),
        "update_consumer": UpdateConsumer::new().shipping_address(Address::new().city("")),
        "shipping_info": UpdateShippingInfo::new([parcel]),
    }));
}

#[test]
fn unknown_members_and_values_are_kept_out_of_the_way() {
    let mut order: Value = serde_json::from_str(ORDER).unwrap();
    order["status"] = json!("REBORN");
    order["fraud_status"] = json!("STOPPED");
    order["initial_payment_method"]["type"] = json!("MOONBEAMS");
    order["new_member"] = json!({"deep": [1, 2]});
    order["captures"] = json!(null);
    order["merchant_data"] = json!(null);
    let order: Order = serde_json::from_value(order).unwrap();
    assert_eq!(order.status, OrderStatus::Unknown("REBORN".to_owned()));
    assert_eq!(order.fraud_status, Some(FraudStatus::Stopped));
    let method = order.initial_payment_method.unwrap();
    assert_eq!(method.kind, InitialPaymentMethodType::Unknown("MOONBEAMS".to_owned()));
    assert!(order.captures.is_empty());
}

#[test]
fn an_order_without_its_amounts_is_not_an_order() {
    let mut order: Value = serde_json::from_str(ORDER).unwrap();
    order.as_object_mut().unwrap().remove("remaining_authorized_amount");
    assert!(serde_json::from_value::<Order>(order).is_err());
}

#[test]
fn a_session_may_be_nearly_empty() {
    let session: Session =
        serde_json::from_str(r#"{"status":"incomplete","order_lines":null}"#).unwrap();
    assert_eq!(session.order_lines, None);
    assert_eq!(serde_json::to_string(&session).unwrap(), r#"{"status":"incomplete"}"#);
}

#[test]
fn timestamps_have_milliseconds_and_are_read_without() {
    let capture: Capture = serde_json::from_str(
        r#"{"capture_id":"c","captured_amount":1,"captured_at":"2022-07-09T09:48:16Z"}"#,
    )
    .unwrap();
    assert_eq!(serde_json::to_value(&capture).unwrap()["captured_at"], "2022-07-09T09:48:16.000Z");
}

#[test]
fn authorized_payment_method_in_both_shapes() {
    let object: AuthorizedPaymentMethod =
        serde_json::from_str(r#"{"type":"invoice","number_of_days":30,"new":1}"#).unwrap();
    assert_eq!(object.number_of_days, Some(30));
    let bare: AuthorizedPaymentMethod = serde_json::from_str(r#""seashells""#).unwrap();
    assert_eq!(bare.kind, PaymentMethodType::Unknown("seashells".to_owned()));
}

#[test]
fn countries_and_currencies_have_no_case() {
    let body: SessionBody = serde_json::from_str(
        r#"{"purchase_country":"gb","purchase_currency":"gbp","locale":"en-gb","acquiring_channel":"in_store"}"#,
    )
    .unwrap();
    insta::assert_json_snapshot!(body);
    assert_eq!(Country::from("lu"), Country::Unknown("LU".to_owned()));
}

#[test]
fn error_bodies_of_every_variant() {
    let read = |text: &str| ErrorBody::read(text.as_bytes());
    assert_eq!(read(r#"{"error_code":"X","error_message":"one"}"#).error_messages, ["one"]);
    assert_eq!(read(r#"{"error_code":"X","error_messages":"one"}"#).error_messages, ["one"]);
    assert_eq!(
        read(r#"{"error_code":"X","error_messages":[],"correlation_id":null}"#).error_code,
        Some(ErrorCode::Unknown("X".to_owned()))
    );
    let network = r#"{"error_id":"e1","error_type":"INPUT_ERROR","error_code":"VALIDATION_ERROR","error_message":"m"}"#;
    assert_eq!(read(network).correlation_id.unwrap().as_str(), "e1");
    let edge =
        r#"{"http_status_code":401,"http_status_message":"Unauthorized","internal_message":"no"}"#;
    assert_eq!(read(edge).error_messages, ["no"]);
    // Members of the wrong type are dropped, the rest is kept.
    let odd = read(r#"{"error_code":7,"error_messages":{"a":1},"correlation_id":"c"}"#);
    assert_eq!((odd.error_code, odd.error_messages.len()), (None, 0));
    assert_eq!(odd.correlation_id.unwrap().as_str(), "c");
    for unreadable in ["", "[]", "null", "\"x\"", "<html><title>401 Authorization Required</title>"]
    {
        assert_eq!(read(unreadable), ErrorBody::default());
    }
    let body = ErrorBody::new(ErrorCode::NotFound, vec![], "c1");
    assert_eq!(
        serde_json::to_string(&body).unwrap(),
        r#"{"error_code":"NOT_FOUND","error_messages":[],"correlation_id":"c1"}"#
    );
}

#[test]
fn notification_with_and_without_its_time() {
    let plain: FraudNotification =
        serde_json::from_str(r#"{"order_id":"o","event_type":"FRAUD_RISK_ACCEPTED"}"#).unwrap();
    assert_eq!((plain.event_type, plain.event_timestamp), (FraudEventType::Accepted, None));
    let timed: FraudNotification = both_ways(
        r#"{"order_id":"o","event_type":"FRAUD_RISK_REJECTED","event_timestamp":"2031-05-04T09:30:00.000Z"}"#,
    );
    assert!(timed.event_timestamp.is_some());
}

#[test]
fn due_date_options() {
    let options: ExtendDueDateOptions =
        both_ways(r#"{"currency":"SEK","options":[{"number_of_days":10,"amount":1000}]}"#);
    assert_eq!(options.options[0].amount, minor(1000));
    let none: ExtendDueDateOptions = serde_json::from_str("{}").unwrap();
    assert!(none.options.is_empty());
}

#[test]
fn secrets_and_personal_data_do_not_print() {
    let customer = Customer::new()
        .date_of_birth("1941-03-21")
        .national_identification_number("410321-9202")
        .customer_token("tok-1");
    let address = Address::new().email("anna@example.com").phone("+46701234567").city("Stockholm");
    let session = Session::new()
        .client_token("client-secret")
        .authorization_token("authorization-secret")
        .customer(customer)
        .billing_address(address);
    let printed = format!("{session:?}");
    for hidden in [
        "1941",
        "410321",
        "anna",
        "+4670",
        "Stockholm",
        "client-secret",
        "authorization-secret",
        "tok-1",
    ] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
    insta::assert_snapshot!(printed);
}

/// serde would read an array into a struct, member by member: `[]` would be an address without members.
#[test]
fn an_object_is_read_from_an_object_only() {
    let session = |text: &str| {
        serde_json::from_str::<SessionBody>(text).map(|_| ()).map_err(|error| error.to_string())
    };
    for text in [
        "[]",
        r#"{"billing_address": []}"#,
        r#"{"shipping_address": ["Alice"]}"#,
        r#"{"customer": []}"#,
        r#"{"merchant_urls": []}"#,
        r#"{"options": []}"#,
        r#"{"attachment": []}"#,
        r#"{"order_lines": [[]]}"#,
        r#"{"order_lines": [{"product_identifiers": []}]}"#,
        r#"{"order_lines": [{"subscription": []}]}"#,
    ] {
        let error = session(text).unwrap_err();
        assert!(error.starts_with("invalid type: sequence, expected a JSON object"), "{error}");
    }
    assert!(
        session(r#"{"billing_address": "here"}"#).unwrap_err().contains("expected a JSON object")
    );
    assert_eq!(session(r#"{"billing_address": {}, "customer": null}"#), Ok(()));
    // From a value, too, not only from text.
    let value = serde_json::json!({ "billing_address": [] });
    assert!(serde_json::from_value::<SessionBody>(value).is_err());
}

fn coffee() -> CreateTokenOrder {
    let line = OrderLine::new("Kaffe maj", 1, minor(14900), minor(14900))
        .kind(OrderLineType::Digital)
        .tax_rate(TaxRate::percent(12))
        .total_tax_amount(minor(1596))
        .subscription(Subscription::new("Kaffe", SubscriptionInterval::Month, 1));
    CreateTokenOrder::new(Currency::SEK, minor(14900), minor(1596), vec![line])
        .auto_capture(true)
        .merchant_reference1("SUB-22-2031-05")
}

#[test]
fn token_charge_both_ways() {
    let text = r#"{ "purchase_currency": "SEK", "order_amount": 14900, "order_tax_amount": 1596, "auto_capture": true,
      "merchant_reference1": "SUB-22-2031-05",
      "order_lines": [ { "type": "digital", "name": "Kaffe maj", "quantity": 1, "unit_price": 14900, "total_amount": 14900,
        "tax_rate": 1200, "total_tax_amount": 1596, "subscription": { "name": "Kaffe", "interval": "MONTH", "interval_count": 1 } } ] }"#;
    assert_eq!(both_ways::<CreateTokenOrder>(text), coffee());
    assert_eq!(both_ways::<TokenOrderBody>(text), TokenOrderBody::from(coffee()));
    insta::assert_json_snapshot!(coffee().step_up(StepUp::Supported).locale("sv-SE"));
    // What Klarna answers: all of it, and the least that its samples show.
    let charged = both_ways::<CreatedTokenOrder>(
        r#"{ "order_id": "o-1", "fraud_status": "ACCEPTED", "redirect_url": "https://pay.example/1",
          "authorized_payment_method": { "type": "invoice", "number_of_days": 30 } }"#,
    );
    assert_eq!(charged.fraud_status, Some(FraudStatus::Accepted));
    let least: CreatedTokenOrder = serde_json::from_str(r#"{"order_id":"o-1"}"#).unwrap();
    assert_eq!((least.fraud_status, least.redirect_url), (None, None));
}

#[test]
fn read_customer_token_both_ways() {
    let token = both_ways::<CustomerToken>(
        r#"{ "status": "ACTIVE", "payment_method_type": "PAY_BY_CARD",
          "card": { "brand": "VISA", "expiry_date": "12/2031", "masked_number": "************1234" } }"#,
    );
    assert_eq!(token.status, CustomerTokenStatus::Active);
    assert_eq!(token.payment_method_type, TokenPaymentMethodType::PayByCard);
    assert_eq!(format!("{:?}", token.card.unwrap()), "CardInformation { brand: \"VISA\", .. }");
    let card = CardInformation {
        brand: "VISA".to_owned(),
        expiry_date: "12/2031".to_owned(),
        masked_number: "************1234".to_owned(),
    };
    assert!(!format!("{card:?}").contains("1234"));
    let account = DirectDebitInformation { masked_number: "**********124".to_owned() };
    assert!(!format!("{account:?}").contains("124"));
    let unknown =
        both_ways::<CustomerToken>(r#"{ "status": "RESTING", "payment_method_type": "PIGEON" }"#);
    assert_eq!(unknown.payment_method_type.as_str(), "PIGEON");
    for kind in TokenPaymentMethodType::KNOWN {
        let lower = PaymentMethodType::from(kind.as_str().to_lowercase());
        assert!(lower.is_known());
        assert_eq!(&TokenPaymentMethodType::from(&lower), kind);
    }
    let cancel = serde_json::to_string(&UpdateTokenStatus::cancel()).unwrap();
    assert_eq!(cancel, r#"{"status":"CANCELLED"}"#);
}

#[test]
fn refused_token_charge_both_ways() {
    let error = both_ways::<ErrorBody>(
        r#"{ "error_code": "PAYMENT_METHOD_FAILED", "error_messages": ["Purchase for payment method failed"],
          "correlation_id": "a6a4c1f0-7d0e-4f3e-8f58-5e2b7f2c9d61", "fraud_status": "REJECTED",
          "reason": "Purchase for payment method failed", "authorized_payment_method": { "type": "card" },
          "step_up_id": "s-1" }"#,
    );
    assert_eq!(error.error_code, Some(ErrorCode::PaymentMethodFailed));
    assert_eq!(error.fraud_status, Some(FraudStatus::Rejected));
    assert_eq!(error.step_up_id.as_deref(), Some("s-1"));
}
