//! What cannot be read, is outside of its limits, or comes in the wrong place.

use serde_json::{Value, json};

use crate::common::{Purchase, World};
use crate::orders::desk::{ALL_18, Desk, NOBODY, body, long};

#[tokio::test]
async fn an_order_id_has_to_be_a_uuid() {
    let world = World::start().await;
    for id in [
        "1",
        "not-a-uuid",
        "7a31c2f909a54bd98c4f0a1f3c7e5d11",
        "%7B7a31c2f9-09a5-4bd9-8c4f-0a1f3c7e5d11%7D",
    ] {
        let desk = Desk::of(&world, id.to_owned());
        for (method, rest, text) in ALL_18 {
            let reply = desk.send(method, rest, &body(text)).await;
            assert_eq!(reply.status, 400, "{method} {rest}");
            assert_eq!(reply.json["error_code"], "INVALID_ORDER_ID");
            assert_eq!(reply.json["error_messages"], json!(["Order ID must be a valid UUID."]));
        }
    }
    let desk = Desk::open(&world, &Purchase::of(1)).await;
    let shouted = Desk::of(&world, desk.order_id.to_uppercase());
    assert_eq!(shouted.read().await, desk.read().await);
    world.stop().await;
}

#[tokio::test]
async fn values_outside_their_limits_are_unprocessable() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    let before = desk.read().await;
    let line = |name: &str, value: Value| {
        let mut line =
            json!({ "name": "Shirt", "quantity": 1, "unit_price": 1, "total_amount": 1 });
        line[name] = value;
        json!({ "captured_amount": 1, "order_lines": [line] })
    };
    let between = |path: &str, max: usize| {
        format!("422 UNPROCESSABLE_ENTITY The size of the {path} value must be between 0 and {max}")
    };
    let range = |path: &str| {
        format!("422 UNPROCESSABLE_ENTITY The {path} value must be between 0 and 200000000")
    };
    let null = |path: &str| format!("422 UNPROCESSABLE_ENTITY The {path} value may not be null");
    let parcel = |name: &str, value: Value| json!({ "shipping_info": [{ name: value }] });
    let cases = [
        ("POST", "/captures", json!({}), null("captured_amount")),
        ("POST", "/captures", json!({ "captured_amount": null }), null("captured_amount")),
        ("POST", "/captures", json!({ "captured_amount": -1 }), range("captured_amount")),
        ("POST", "/captures", json!({ "captured_amount": 200_000_001 }), range("captured_amount")),
        ("POST", "/captures", json!({ "captured_amount": i64::MAX }), range("captured_amount")),
        (
            "POST",
            "/captures",
            json!({ "captured_amount": 1, "description": long(255) }),
            between("description", 255),
        ),
        (
            "POST",
            "/captures",
            json!({ "captured_amount": 1, "reference": long(255) }),
            between("reference", 255),
        ),
        ("POST", "/captures", line("name", json!(long(255))), between("order_lines/name", 255)),
        ("POST", "/captures", line("name", Value::Null), null("order_lines/name")),
        ("POST", "/captures", line("total_amount", Value::Null), null("order_lines/total_amount")),
        ("POST", "/refunds", json!({}), null("refunded_amount")),
        ("POST", "/refunds", json!({ "refunded_amount": -5 }), range("refunded_amount")),
        (
            "POST",
            "/refunds",
            json!({ "refunded_amount": 1, "description": long(255) }),
            between("description", 255),
        ),
        ("PATCH", "/authorization", json!({}), null("order_amount")),
        ("PATCH", "/authorization", json!({ "order_amount": 200_000_001 }), range("order_amount")),
        (
            "PATCH",
            "/merchant-references",
            json!({ "merchant_reference1": long(255) }),
            between("merchant_reference1", 255),
        ),
        ("POST", "/shipping-info", json!({}), null("shipping_info")),
        (
            "POST",
            "/shipping-info",
            parcel("shipping_company", json!(long(100))),
            between("shipping_info/shipping_company", 100),
        ),
        (
            "POST",
            "/captures/{c}/shipping-info",
            parcel("tracking_uri", json!(long(1024))),
            between("shipping_info/tracking_uri", 1024),
        ),
        ("PATCH", "/captures/{c}/extend-due-date", json!({}), null("number_of_days")),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "city": long(200) } }),
            between("shipping_address/city", 200),
        ),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "postal_code": "1115" } }),
            "422 INVALID_ADDRESS The shipping and/or billing address is invalid".to_owned(),
        ),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "street_address": "" } }),
            "422 INVALID_ADDRESS The shipping and/or billing address is invalid".to_owned(),
        ),
    ];
    for (method, rest, body, expected) in cases {
        desk.check(method, rest, body, &expected).await;
    }
    for (rest, body, path) in [
        (
            "/shipping-info",
            parcel("shipping_method", json!("home")),
            "shipping_info/shipping_method",
        ),
        ("/captures", line("type", json!("unheard_of")), "order_lines/type"),
        (
            "/captures",
            json!({ "captured_amount": 1, "shipping_info": vec![json!({}); 501] }),
            "shipping_info",
        ),
        (
            "/captures",
            json!({ "captured_amount": 1, "order_lines": vec![line("name", json!("a"))["order_lines"][0].clone(); 1001] }),
            "order_lines",
        ),
        ("/captures", json!({ "captured_amount": 1, "description": "two\nlines" }), "description"),
    ] {
        let reply = desk.send("POST", rest, &body).await;
        assert_eq!(reply.status, 422, "{rest} {reply:?}");
        assert_eq!(reply.json["error_code"], "UNPROCESSABLE_ENTITY");
        assert!(reply.json["error_messages"][0].as_str().unwrap().contains(path), "{reply:?}");
    }
    assert_eq!(desk.read().await, before, "nothing is half-written");
    world.stop().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_bad_requests() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    let before = desk.read().await;
    let raw = |text: &'static str, content_type: &'static str| {
        let path = desk.path("/captures");
        let world = &world;
        async move {
            let headers = [
                ("authorization", world.merchant.authorization.as_str()),
                ("content-type", content_type),
            ];
            world.send("POST", &path, &headers, text).await
        }
    };
    let field = "400 BAD_REQUEST The captured_amount value cannot be read";
    for (text, expected) in [
        ("", "400 BAD_REQUEST"),
        ("{", "400 BAD_REQUEST"),
        ("captured_amount=1", "400 BAD_REQUEST"),
        ("[]", "400 BAD_REQUEST"),
        ("\"text\"", "400 BAD_REQUEST"),
        ("{\"captured_amount\":\"1\"}", field),
        ("{\"captured_amount\":1.5}", field),
        ("{\"captured_amount\":true}", field),
        ("{\"captured_amount\":9223372036854775808}", field),
        (
            "{\"captured_amount\":1,\"order_lines\":[{\"quantity\":\"1\"}]}",
            "400 BAD_REQUEST The order_lines[0].quantity value cannot be read",
        ),
    ] {
        let reply = raw(text, "application/json").await;
        assert_eq!(desk.line(&reply), expected, "{text}");
    }
    assert_eq!(raw("{\"captured_amount\":1}", "text/plain").await.status, 415);
    let huge = format!("{{\"captured_amount\":1,\"description\":\"{}\"}}", "x".repeat(2_000_000));
    let headers = [
        ("authorization", world.merchant.authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let reply = world.send("POST", &desk.path("/captures"), &headers, huge).await;
    assert_eq!(desk.line(&reply), "413 REQUEST_TOO_LARGE Request is too large");
    let wrong = [("authorization", "Basic d3Jvbmc6d3Jvbmc="), ("content-type", "application/json")];
    let reply = world.send("POST", &desk.path("/captures"), &wrong, "{").await;
    assert_eq!(reply.status, 401);
    // Unknown members are ignored, and calls without a body ignore what is sent all the same.
    desk.check("POST", "/captures", json!({ "captured_amount": 1, "colour": "red" }), "201").await;
    desk.check("POST", "/acknowledge", json!({ "anything": [1, 2] }), "204").await;
    let mut after = desk.read().await;
    assert_eq!(after["captured_amount"], 4_001);
    for name in ["captured_amount", "remaining_authorized_amount", "captures"] {
        after[name] = before[name].clone();
    }
    assert_eq!(after, before, "nothing is half-written");
    world.stop().await;
}

/// Klarna's order of checks: each call breaks two rules, and the earlier one is answered.
#[tokio::test]
async fn the_earlier_check_answers() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let (known, unknown) = (desk.order_id.as_str(), NOBODY);
    let good = world.merchant.authorization.as_str();
    for (authorization, order_id, rest, body, status) in [
        ("Basic d3Jvbmc6d3Jvbmc=", "no-uuid", "/captures", "{", 401),
        (good, known, "/no-such-route", "{", 404),
        (good, "no-uuid", "/captures", "{", 400),
        (good, unknown, "/captures", "{", 400),
        (good, unknown, "/captures", "{}", 404),
        (good, known, "/captures", "{}", 422),
        // Refunding is refused by the state, but the body is looked at before.
        (good, known, "/refunds", "{}", 422),
        (good, known, "/refunds", "{\"refunded_amount\":1}", 403),
    ] {
        let path = format!("/ordermanagement/v1/orders/{order_id}{rest}");
        let headers = [("authorization", authorization), ("content-type", "application/json")];
        let reply = world.send("POST", &path, &headers, body.to_owned()).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
    }
    world.stop().await;
}

/// All places in a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{at}/{name}");
                places(member, &place, found);
                found.push(place);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{at}/{index}");
                places(item, &place, found);
                found.push(place);
            }
        }
        _ => {}
    }
}

/// Every member of every body, replaced by every kind of wrong value: always an answer, never a
/// failure, and never more money than there is.
#[tokio::test]
async fn no_wrong_value_breaks_anything() {
    let world = World::start().await;
    let line = json!({
        "type": "physical", "reference": "shirt", "name": "Shirt", "quantity": 1, "quantity_unit": "pcs",
        "unit_price": 1, "tax_rate": 2500, "total_amount": 1, "total_discount_amount": 0,
        "total_tax_amount": 0, "merchant_data": "m", "product_url": "https://a.example",
        "image_url": "https://a.example", "product_identifiers": { "brand": "b", "color": "c" },
        "subscription": { "name": "s", "interval": "MONTH", "interval_count": 1 },
    });
    let parcel = json!({
        "shipping_company": "DHL", "shipping_method": "Home", "tracking_number": "1",
        "tracking_uri": "https://a.example", "return_shipping_company": "DHL",
        "return_tracking_number": "1", "return_tracking_uri": "https://a.example",
    });
    let bodies = [
        (
            "POST",
            "/captures",
            json!({
                "captured_amount": 1, "description": "d", "reference": "r", "shipping_delay": 0,
                "order_lines": [line], "shipping_info": [parcel],
            }),
        ),
        (
            "POST",
            "/refunds",
            json!({ "refunded_amount": 1, "description": "d", "reference": "r", "order_lines": [line] }),
        ),
        (
            "PATCH",
            "/authorization",
            json!({ "order_amount": 9_999, "description": "d", "order_lines": [line] }),
        ),
        (
            "PATCH",
            "/merchant-references",
            json!({ "merchant_reference1": "a", "merchant_reference2": "b" }),
        ),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "given_name": "A", "city": "Lund", "country": "SE" } }),
        ),
        ("POST", "/shipping-info", json!({ "shipping_info": [parcel] })),
        ("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 10 })),
    ];
    let wrong = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([1]),
        json!({}),
        json!({ "a": {} }),
    ];
    let mut calls = 0;
    for (method, rest, body) in bodies {
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        desk.capture(4_000).await;
        let mut found = Vec::new();
        places(&body, "", &mut found);
        for place in found {
            for value in &wrong {
                let mut body = body.clone();
                *body.pointer_mut(&place).unwrap() = value.clone();
                let reply = desk.send(method, rest, &body).await;
                assert!(
                    matches!(reply.status, 201 | 204 | 400 | 403 | 422),
                    "{method} {rest} {place} = {value}: {reply:?}"
                );
                calls += 1;
            }
        }
        let order = desk.read().await;
        let amount = |name: &str| order[name].as_i64().unwrap();
        assert!(amount("refunded_amount") <= amount("captured_amount"));
        assert!(amount("captured_amount") <= amount("order_amount"));
    }
    assert!(calls > 800, "{calls}");
    world.stop().await;
}

#[tokio::test]
async fn a_list_where_an_object_belongs_is_unreadable() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    let before = desk.read().await;
    for (method, rest, body) in [
        ("POST", "/captures", json!({ "captured_amount": 1, "order_lines": [[]] })),
        ("POST", "/captures", json!({ "captured_amount": 1, "shipping_info": [[]] })),
        (
            "POST",
            "/captures",
            json!({ "captured_amount": 1, "order_lines": [{ "subscription": [] }] }),
        ),
        ("POST", "/refunds", json!({ "refunded_amount": 1, "order_lines": [[]] })),
        ("PATCH", "/authorization", json!({ "order_amount": 9_000, "order_lines": [[]] })),
        ("PATCH", "/customer-details", json!({ "shipping_address": [] })),
        ("PATCH", "/customer-details", json!({ "billing_address": [] })),
        ("PATCH", "/merchant-references", json!([])),
        ("POST", "/shipping-info", json!({ "shipping_info": [[]] })),
        ("POST", "/captures/{c}/shipping-info", json!({ "shipping_info": [["DHL"]] })),
        ("PATCH", "/captures/{c}/extend-due-date", json!([2])),
    ] {
        let reply = desk.send(method, rest, &body).await;
        assert_eq!(reply.status, 400, "{method} {rest} {body}: {reply:?}");
        assert_eq!(reply.json["error_code"], "BAD_REQUEST");
    }
    desk.check(
        "PATCH",
        "/customer-details",
        json!({ "shipping_address": [] }),
        "400 BAD_REQUEST The shipping_address value cannot be read",
    )
    .await;
    assert_eq!(desk.read().await, before);
    world.stop().await;
}
