//! Field limits: one case a line, Klarna's paths as the answer.

use klarna_types::customer_token::{TokenOrderBody, TokenStatusBody};
use klarna_types::order_management::{
    CreateCaptureBody, CreateRefundBody, UpdateAuthorizationBody, UpdateConsumerBody,
    UpdateShippingInfoBody,
};
use klarna_types::payments::{CustomerTokenBody, SessionBody};
use klarna_types::problem::bad_value;
use klarna_types::validate::{self, UrlRule};
use serde_json::{Value, json};

fn good_session() -> Value {
    json!({
        "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_amount": 100,
        "order_tax_amount": 20,
        "order_lines": [{ "type": "physical", "name": "Mugg", "quantity": 1, "unit_price": 100, "total_amount": 100,
            "tax_rate": 2500, "total_tax_amount": 20 }],
    })
}

/// Sets a member of the good session, given as a JSON pointer, and gives the paths of the answer.
fn after(pointer: &str, value: Value) -> String {
    let mut session = good_session();
    set(&mut session, pointer, value);
    answer(session)
}

fn set(target: &mut Value, pointer: &str, value: Value) {
    let mut target = target;
    for part in pointer.trim_start_matches('/').split('/') {
        target = match part.parse::<usize>() {
            Ok(index) => &mut target[index],
            Err(_) => &mut target[part],
        };
    }
    *target = value;
}

fn answer(session: Value) -> String {
    let body: SessionBody = serde_json::from_value(session).unwrap();
    let message = bad_value(&validate::create_session(&body, UrlRule::Https)).unwrap_or_default();
    message.trim_start_matches("Bad value: ").to_owned()
}

#[test]
fn a_good_session_is_good() {
    assert_eq!(answer(good_session()), "");
}

#[test]
fn every_limit_of_a_session_has_its_path() {
    let long = |length: usize| json!("x".repeat(length));
    let line = "/order_lines/0";
    let cases: Vec<(String, Value, &str)> = vec![
        ("/purchase_country".into(), json!("SWE"), "purchase_country"),
        ("/purchase_country".into(), json!(""), "purchase_country"),
        ("/purchase_country".into(), json!("LU"), "purchase_country"),
        ("/purchase_currency".into(), json!("SE"), "purchase_currency"),
        ("/purchase_currency".into(), json!("EUR"), "purchase_currency"),
        ("/locale".into(), json!("swedish"), "locale"),
        ("/locale".into(), json!("de-DE"), "locale"),
        ("/order_amount".into(), json!(-1), "order_amount"),
        ("/order_amount".into(), json!(101), "order_amount"),
        ("/order_amount".into(), json!(null), "order_amount"),
        ("/order_tax_amount".into(), json!(22), "order_tax_amount"),
        ("/order_tax_amount".into(), json!(-1), "order_tax_amount"),
        ("/order_lines".into(), json!(null), "order_lines"),
        ("/order_lines".into(), json!([]), "order_lines"),
        (format!("{line}/name"), json!(null), "order_lines[0].name"),
        (format!("{line}/name"), json!(""), "order_lines[0].name"),
        (format!("{line}/name"), long(256), "order_lines[0].name"),
        (format!("{line}/name"), json!("two\nlines"), "order_lines[0].name"),
        (format!("{line}/quantity"), json!(-1), "order_lines[0].quantity"),
        (format!("{line}/quantity"), json!(2), "order_lines[0].total_amount"),
        (format!("{line}/quantity_unit"), long(9), "order_lines[0].quantity_unit"),
        (format!("{line}/quantity_unit"), json!(""), "order_lines[0].quantity_unit"),
        (format!("{line}/unit_price"), json!(200_000_001), "order_lines[0].unit_price"),
        (format!("{line}/total_amount"), json!(i64::MAX), "order_lines[0].total_amount"),
        (
            format!("{line}/total_discount_amount"),
            json!(-1),
            "order_lines[0].total_discount_amount",
        ),
        (format!("{line}/tax_rate"), json!(10_001), "order_lines[0].tax_rate"),
        (format!("{line}/tax_rate"), json!(-1), "order_lines[0].tax_rate"),
        (format!("{line}/tax_rate"), json!(null), "order_lines[0].total_tax_amount"),
        (
            format!("{line}/total_tax_amount"),
            json!(22),
            "order_lines[0].total_tax_amount, order_tax_amount",
        ),
        (format!("{line}/type"), json!("return_fee"), "order_lines[0].type"),
        (format!("{line}/type"), json!("gift"), "order_lines[0].type"),
        (format!("{line}/reference"), long(256), "order_lines[0].reference"),
        (format!("{line}/image_url"), long(1025), "order_lines[0].image_url"),
        (format!("{line}/merchant_data"), long(1025), "order_lines[0].merchant_data"),
        (
            format!("{line}/product_identifiers"),
            json!({"brand": "x".repeat(71)}),
            "order_lines[0].product_identifiers.brand",
        ),
        (
            format!("{line}/subscription"),
            json!({"interval": "YEARLY", "interval_count": 0}),
            "order_lines[0].subscription.name, order_lines[0].subscription.interval, order_lines[0].subscription.interval_count",
        ),
        (
            "/billing_address".into(),
            json!({"postal_code": "x".repeat(11)}),
            "billing_address.postal_code",
        ),
        ("/billing_address".into(), json!({"country": "SWE"}), "billing_address.country"),
        ("/billing_address".into(), json!({"country": "DE"}), "purchase_currency, locale"),
        ("/billing_address".into(), json!({"country": "LU"}), "billing_address.country"),
        ("/shipping_address".into(), json!({"city": "x".repeat(100)}), "shipping_address.city"),
        ("/customer".into(), json!({"date_of_birth": "1970-02-30"}), "customer.date_of_birth"),
        ("/customer".into(), json!({"type": "robot"}), "customer.type"),
        ("/customer".into(), json!({"last_four_ssn": "12345"}), "customer.last_four_ssn"),
        (
            "/merchant_urls".into(),
            json!({"authorization": "http://shop.example/"}),
            "merchant_urls.authorization",
        ),
        ("/merchant_urls".into(), json!({"push": "https://"}), "merchant_urls.push"),
        (
            "/merchant_urls".into(),
            json!({"confirmation": format!("https://{}", "x".repeat(2000))}),
            "merchant_urls.confirmation",
        ),
        ("/merchant_reference1".into(), long(256), "merchant_reference1"),
        ("/merchant_data".into(), long(6001), "merchant_data"),
        ("/intent".into(), json!("sell"), "intent"),
        ("/acquiring_channel".into(), json!("FAX"), "acquiring_channel"),
        ("/options".into(), json!({"color_text": "red"}), "options.color_text"),
        (
            "/attachment".into(),
            json!({"body": {}, "content_type": "application/vnd.klarna.internal.emd-v2+json"}),
            "attachment.attachment",
        ),
        (
            "/attachment".into(),
            json!({"body": "{\"a\":[1]}", "content_type": "application/vnd.klarna.internal.emd-v2+json"}),
            "attachment.attachment",
        ),
        (
            "/attachment".into(),
            json!({"body": "{}", "content_type": "text/plain"}),
            "attachment.attachment",
        ),
    ];
    for (pointer, value, expected) in cases {
        assert_eq!(after(&pointer, value.clone()), expected, "{pointer} = {value}");
    }
}

#[test]
fn what_is_allowed_is_allowed() {
    let emd = json!({"body": "{\"a\":[{}]}", "content_type": "application/vnd.klarna.internal.emd-v2+json"});
    for (pointer, value) in [
        ("/purchase_country", json!("se")),
        ("/purchase_currency", json!("sek")),
        ("/locale", json!(null)),
        ("/order_tax_amount", json!(null)),
        ("/order_tax_amount", json!(21)),
        ("/order_lines/0/total_tax_amount", json!(21)),
        ("/order_lines/0/type", json!(null)),
        ("/intent", json!("buy_and_link")),
        ("/acquiring_channel", json!("in_store")),
        ("/attachment", emd),
        ("/merchant_urls", json!({"app_return_url": "myapp://back"})),
        ("/billing_address", json!({"title": "", "region": ""})),
    ] {
        assert_eq!(after(pointer, value.clone()), "", "{pointer} = {value}");
    }
}

#[test]
fn a_thousand_lines_and_not_one_more() {
    let line = good_session()["order_lines"][0].clone();
    let with = |count: usize| {
        let mut session = good_session();
        session["order_amount"] = json!(100 * count);
        session["order_tax_amount"] = json!(20 * count);
        session["order_lines"] = json!(vec![line.clone(); count]);
        answer(session)
    };
    assert_eq!(with(1000), "");
    assert_eq!(with(1001), "order_lines");
}

#[test]
fn updates_require_nothing_and_compare_what_is_there() {
    let check = |value: Value| {
        let body: SessionBody = serde_json::from_value(value).unwrap();
        bad_value(&validate::update_session(&body, UrlRule::Https)).unwrap_or_default()
    };
    assert_eq!(check(json!({})), "");
    assert_eq!(check(json!({"merchant_reference1": "A"})), "");
    assert_eq!(check(json!({"order_lines": good_session()["order_lines"]})), "");
    assert_eq!(
        check(json!({"order_lines": good_session()["order_lines"], "order_amount": 1})),
        "Bad value: order_amount"
    );
}

#[test]
fn orders_do_not_look_at_members_of_sessions() {
    let mut order = good_session();
    order["intent"] = json!("sell");
    order["attachment"] = json!({});
    let body: SessionBody = serde_json::from_value(order).unwrap();
    assert_eq!(validate::create_order(&body, UrlRule::Https), []);
}

#[test]
fn urls_by_rule() {
    let passes = |url: &str, rule: UrlRule| {
        let mut session = good_session();
        session["merchant_urls"] = json!({ "push": url });
        let body: SessionBody = serde_json::from_value(session).unwrap();
        validate::create_session(&body, rule).is_empty()
    };
    for (url, https, loopback, any) in [
        ("https://shop.example/", true, true, true),
        ("HTTPS://shop.example/", true, true, true),
        ("http://localhost:7070/x", false, true, true),
        ("http://127.0.0.1/x", false, true, true),
        ("http://[::1]:80/x", false, true, true),
        ("http://localhost.evil.example/", false, false, true),
        ("http://localhost:1@evil.example/", false, false, true),
        ("http://shop.example/", false, false, true),
        ("ftp://localhost/", false, false, false),
        ("", false, false, false),
    ] {
        assert_eq!(passes(url, UrlRule::Https), https, "{url}");
        assert_eq!(passes(url, UrlRule::HttpsOrLoopback), loopback, "{url}");
        assert_eq!(passes(url, UrlRule::Any), any, "{url}");
    }
}

#[test]
fn customer_tokens() {
    let check = |value: Value| {
        let body: CustomerTokenBody = serde_json::from_value(value).unwrap();
        bad_value(&validate::customer_token(&body)).unwrap_or_default()
    };
    assert_eq!(
        check(json!({})),
        "Bad value: purchase_country, purchase_currency, locale, description, intended_use"
    );
    let good = json!({"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "description": "Kaffe", "intended_use": "subscription"});
    assert_eq!(check(good.clone()), "");
    let mut elsewhere = good.clone();
    elsewhere["billing_address"] = json!({"country": "NO"});
    assert_eq!(check(elsewhere.clone()), "Bad value: purchase_country");
    elsewhere["billing_address"] = json!({"country": "se"});
    assert_eq!(check(elsewhere), "");
    let mut bad = good;
    bad["description"] = json!("");
    bad["intended_use"] = json!("FUN");
    assert_eq!(check(bad), "Bad value: description, intended_use");
}

fn messages(problems: &[klarna_types::Problem]) -> Vec<String> {
    problems.iter().map(klarna_types::Problem::order_management_message).collect()
}

#[test]
fn order_management_speaks_its_own_language() {
    let capture = |value: Value| {
        messages(&validate::capture(&serde_json::from_value::<CreateCaptureBody>(value).unwrap()))
    };
    assert_eq!(capture(json!({})), ["The captured_amount value may not be null"]);
    assert_eq!(
        capture(json!({"captured_amount": -1})),
        ["The captured_amount value must be between 0 and 200000000"]
    );
    assert_eq!(
        capture(
            json!({"captured_amount": 1, "shipping_info": [{"shipping_company": "x".repeat(101)}]})
        ),
        ["The size of the shipping_info/shipping_company value must be between 0 and 100"]
    );
    assert_eq!(
        capture(
            json!({"captured_amount": 1, "order_lines": [{"name": "a", "quantity": 1, "unit_price": 1}]})
        ),
        ["The order_lines/total_amount value may not be null"]
    );
    let method =
        capture(json!({"captured_amount": 1, "shipping_info": [{"shipping_method": "home"}]}));
    assert!(
        method[0]
            .starts_with("The shipping_info/shipping_method value must match (PickUpStore|Home|")
    );
    // Lines that do not add up are accepted here.
    assert!(capture(json!({"captured_amount": 1, "order_lines": [{"name": "a", "quantity": 2, "unit_price": 1,
        "total_amount": 7, "quantity_unit": "xxxxxxxxxx", "type": "return_fee"}]}))
    .is_empty());

    let refund: CreateRefundBody = serde_json::from_value(
        json!({"refunded_amount": 200_000_001, "reference": "x".repeat(256)}),
    )
    .unwrap();
    assert_eq!(
        messages(&validate::refund(&refund)),
        [
            "The refunded_amount value must be between 0 and 200000000",
            "The size of the reference value must be between 0 and 255"
        ]
    );
    let update = UpdateAuthorizationBody::new();
    assert_eq!(
        messages(&validate::update_authorization(&update)),
        ["The order_amount value may not be null"]
    );
    let shipping: UpdateShippingInfoBody =
        serde_json::from_value(json!({"shipping_info": []})).unwrap();
    assert_eq!(
        messages(&validate::shipping_info(&shipping)),
        ["The size of the shipping_info value must be between 1 and 500"]
    );
    let consumer: UpdateConsumerBody = serde_json::from_value(
        json!({"shipping_address": {"city": "x".repeat(200), "country": "", "title": "x".repeat(21)}}),
    )
    .unwrap();
    assert_eq!(
        messages(&validate::update_consumer(&consumer)),
        ["The size of the shipping_address/title value must be between 0 and 20"]
    );
}

fn good_charge() -> Value {
    json!({
        "purchase_currency": "SEK", "order_amount": 100, "order_tax_amount": 20,
        "order_lines": [{ "type": "physical", "name": "Mugg", "quantity": 1, "unit_price": 100, "total_amount": 100,
            "tax_rate": 2500, "total_tax_amount": 20 }],
    })
}

/// Sets a member of the good charge and gives the paths of the answer.
fn after_in_charge(pointer: &str, value: Value) -> String {
    let mut charge = good_charge();
    set(&mut charge, pointer, value);
    let body: TokenOrderBody = serde_json::from_value(charge).unwrap();
    let message = bad_value(&validate::token_order(&body, UrlRule::Https)).unwrap_or_default();
    message.trim_start_matches("Bad value: ").to_owned()
}

#[test]
fn every_limit_of_a_token_charge_has_its_path() {
    let long = |length: usize| json!("x".repeat(length));
    let check = |pointer: &str, value: Value, expected: &str| {
        assert_eq!(after_in_charge(pointer, value), expected, "{pointer}");
    };
    let line = |member: &str| format!("/order_lines/0/{member}");
    for member in ["purchase_currency", "order_amount", "order_tax_amount", "order_lines"] {
        check(&format!("/{member}"), json!(null), member);
    }
    check("/merchant_reference1", json!("fine"), "");
    check("/merchant_reference1", long(255), "");
    check("/merchant_reference1", long(256), "merchant_reference1");
    check("/merchant_reference2", long(256), "merchant_reference2");
    check("/merchant_data", long(6000), "");
    check("/merchant_data", long(6001), "merchant_data");
    check("/purchase_currency", json!("KRONA"), "purchase_currency");
    check("/locale", json!("svenska"), "locale");
    check("/locale", json!("sv-SE"), "");
    check("/order_amount", json!(0), "order_amount");
    check("/order_amount", json!(-1), "order_amount");
    check("/order_amount", json!(101), "order_amount");
    check("/order_tax_amount", json!(-1), "order_tax_amount");
    check("/order_tax_amount", json!(22), "order_tax_amount");
    check("/order_lines", json!([]), "order_lines");
    check("/step_up", json!("supported"), "");
    check("/step_up", json!("MAYBE"), "step_up");
    check("/attachment", json!({ "body": {}, "content_type": "x" }), "attachment.attachment");
    check("/merchant_urls", json!({ "confirmation": "http://a.b" }), "merchant_urls.confirmation");
    check("/merchant_urls", json!({ "authorization": "https://a.b" }), "");
    check("/shipping_address", json!({ "phone": "1234" }), "shipping_address.phone");
    check("/shipping_address", json!({ "phone": "12345" }), "");
    check("/shipping_address", json!({ "country": "SWE" }), "shipping_address.country");
    check(&line("reference"), long(256), "");
    check(&line("reference"), long(257), "order_lines[0].reference");
    check(&line("merchant_data"), long(255), "");
    check(&line("merchant_data"), long(256), "order_lines[0].merchant_data");
    check(&line("unit_price"), json!(100_000_001), "order_lines[0].unit_price");
    check(&line("total_amount"), json!(100_000_001), "order_lines[0].total_amount");
    check(
        &line("total_tax_amount"),
        json!(18),
        "order_lines[0].total_tax_amount, order_tax_amount",
    );
    check(&line("tax_rate"), json!(i64::MAX), "order_lines[0].tax_rate");
    check(&line("type"), json!("return_fee"), "order_lines[0].type");
    let subscription = json!({ "name": "Kaffe", "interval": "FORTNIGHT", "interval_count": 0 });
    check(
        &line("subscription"),
        subscription,
        "order_lines[0].subscription.interval, order_lines[0].subscription.interval_count",
    );
}

#[test]
fn a_token_can_be_cancelled_and_nothing_else() {
    let check = |status: Option<&str>, expected: Option<&str>| {
        let body = TokenStatusBody { status: status.map(str::to_owned) };
        assert_eq!(bad_value(&validate::token_status(&body)).as_deref(), expected, "{status:?}");
    };
    check(Some("CANCELLED"), None);
    for other in [None, Some(""), Some("cancelled"), Some("SUSPENDED"), Some("ACTIVE"), Some("X")] {
        check(other, Some("Bad value: status"));
    }
}
