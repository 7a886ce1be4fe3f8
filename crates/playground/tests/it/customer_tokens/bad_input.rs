//! Bad input of every kind: answered as such, with nothing charged and nothing changed.

use serde_json::{Value, json};

use super::{coffee, coffee_with, path, told};
use crate::common::{Reply, World};

async fn raw(world: &World, method: &str, path: &str, kind: &str, body: String) -> Reply {
    let authorization = world.merchant.authorization.clone();
    let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
    world.send(method, path, &headers, body).await
}

#[tokio::test]
async fn what_is_not_json_is_not_read() {
    let world = World::start().await;
    let token = world.token().await;
    let routes = [
        ("POST", format!("{}/order", path(&token))),
        ("PATCH", format!("{}/status", path(&token))),
    ];
    for (method, route) in &routes {
        for body in ["", "{", "null", "[]", "\"x\"", "5", "{\"a\":}", "{} {}", "\u{0}"] {
            let reply = raw(&world, method, route, "application/json", body.to_owned()).await;
            assert_eq!(told(&reply), "400 BAD_REQUEST", "{method} {body:?}");
        }
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for member in ["status", "merchant_urls", "order_lines"] {
            let body = format!("{{\"{member}\":{deep}}}");
            let reply = raw(&world, method, route, "application/json", body).await;
            assert_eq!(reply.status, 400, "{method} {member}");
        }
        let body = format!("{{\"attachment\":{{\"body\":{deep}}}}}");
        assert_eq!(raw(&world, method, route, "application/json", body).await.status, 400);
        let reply = raw(&world, method, route, "text/plain", "{}".to_owned()).await;
        assert_eq!(told(&reply), "415 UNSUPPORTED_MEDIA_TYPE");
        let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(1_048_576));
        let reply = raw(&world, method, route, "application/json", huge).await;
        assert_eq!(told(&reply), "413 REQUEST_TOO_LARGE Request is too large");
    }
    assert_eq!(world.read_token(&token).await.json["status"], "ACTIVE");
    world.stop().await;
}

#[tokio::test]
async fn every_member_of_a_charge_has_its_type_and_its_limits() {
    let world = World::start().await;
    let token = world.token().await;
    let long = |length: usize| json!("x".repeat(length));
    let line = |member: &str, value: Value| {
        let mut body = coffee();
        body["order_lines"][0][member] = value;
        body
    };
    let top = |member: &str, value: Value| coffee_with(&json!({ member: value }));
    let bad = |path: &str| format!("400 BAD_VALUE Bad value: {path}");
    let unreadable = || "400 BAD_REQUEST".to_owned();
    let mut cases: Vec<(Value, String)> = Vec::new();
    for member in ["purchase_currency", "order_amount", "order_tax_amount", "order_lines"] {
        cases.push((top(member, json!(null)), bad(member)));
    }
    for (member, value) in [
        ("purchase_currency", json!(5)),
        ("order_amount", json!("14900")),
        ("order_amount", json!(149.5)),
        ("order_amount", json!(1e30)),
        ("order_amount", json!(18_446_744_073_709_551_615_u64)),
        ("order_tax_amount", json!([])),
        ("order_lines", json!({})),
        ("order_lines", json!([[]])),
        ("auto_capture", json!("yes")),
        ("merchant_reference1", json!(1)),
        ("merchant_urls", json!([])),
        ("shipping_address", json!("Sveavägen 1")),
        ("attachment", json!([])),
        ("step_up", json!(true)),
    ] {
        cases.push((top(member, value), unreadable()));
    }
    for (member, value, at) in [
        ("purchase_currency", json!("KRONA"), "purchase_currency"),
        ("purchase_currency", json!(""), "purchase_currency"),
        ("order_amount", json!(0), "order_amount"),
        ("order_amount", json!(-14900), "order_amount"),
        ("order_amount", json!(i64::MAX), "order_amount"),
        ("order_amount", json!(i64::MIN), "order_amount"),
        ("order_tax_amount", json!(-1), "order_tax_amount"),
        ("order_tax_amount", json!(1598), "order_tax_amount"),
        ("order_tax_amount", json!(i64::MAX), "order_tax_amount"),
        ("order_lines", json!([]), "order_lines"),
        ("order_lines", json!(vec![coffee()["order_lines"][0].clone(); 1001]), "order_lines"),
        ("merchant_reference1", long(256), "merchant_reference1"),
        ("merchant_reference1", json!("a\nb"), "merchant_reference1"),
        ("merchant_reference2", long(256), "merchant_reference2"),
        ("merchant_data", long(6001), "merchant_data"),
        ("locale", json!("svenska"), "locale"),
        ("step_up", json!("MAYBE"), "step_up"),
        (
            "attachment",
            json!({"body": "[]", "content_type": "text/plain"}),
            "attachment.attachment",
        ),
        ("attachment", json!({"body": {}}), "attachment.attachment"),
        ("merchant_urls", json!({"push": "ftp://shop.example"}), "merchant_urls.push"),
        (
            "merchant_urls",
            json!({"confirmation": "http://shop.example"}),
            "merchant_urls.confirmation",
        ),
        ("shipping_address", json!({"phone": "1234"}), "shipping_address.phone"),
        ("shipping_address", json!({"postal_code": "12345678901"}), "shipping_address.postal_code"),
        ("shipping_address", json!({"country": "Sweden"}), "shipping_address.country"),
    ] {
        cases.push((top(member, value), bad(at)));
    }
    for (member, value, at) in [
        ("name", json!(null), "name"),
        ("name", json!(""), "name"),
        ("name", long(256), "name"),
        ("quantity", json!(-1), "quantity"),
        ("quantity", json!(null), "quantity"),
        ("unit_price", json!(100_000_001), "unit_price"),
        ("total_amount", json!(100_000_001), "total_amount"),
        ("total_discount_amount", json!(-1), "total_discount_amount"),
        ("tax_rate", json!(-1), "tax_rate"),
        ("tax_rate", json!(i64::MAX), "tax_rate"),
        ("type", json!("coffee"), "type"),
        ("reference", long(257), "reference"),
        ("quantity_unit", long(9), "quantity_unit"),
        ("merchant_data", long(256), "merchant_data"),
        ("image_url", long(1025), "image_url"),
        ("subscription", json!({"name": "Kaffe"}), ""),
    ] {
        let at = match at {
            "" => {
                "order_lines[0].subscription.interval, order_lines[0].subscription.interval_count"
                    .to_owned()
            }
            at => format!("order_lines[0].{at}"),
        };
        cases.push((line(member, value), bad(&at)));
    }
    // The line does not add up, or its tax is not its tax.
    cases.push((line("unit_price", json!(14901)), bad("order_lines[0].total_amount")));
    cases.push((line("quantity", json!(i64::MAX)), bad("order_lines[0].total_amount")));
    cases.push((
        line("total_tax_amount", json!(1600)),
        bad("order_lines[0].total_tax_amount, order_tax_amount"),
    ));
    for (body, expected) in cases {
        let shown: String = body.to_string().chars().take(300).collect();
        assert_eq!(told(&world.charge(&token, &body).await), expected, "{shown}");
    }
    // Members that nobody knows, and one that is Klarna's to write, are ignored.
    let more = coffee_with(&json!({"usage": {"a": 1}, "billing_address": 5, "colour": "red"}));
    assert_eq!(told(&world.charge(&token, &more).await), "200");
    let history =
        world.send("GET", &format!("/playground/v1/customer-tokens/{token}"), &[], "").await;
    assert_eq!(history.json["history"].as_array().unwrap().len(), 2, "created and charged once");
    world.stop().await;
}

#[tokio::test]
async fn a_status_is_cancelled_or_nothing() {
    let world = World::start().await;
    let token = world.token().await;
    let route = format!("{}/status", path(&token));
    for (status, expected) in [
        (json!("SUSPENDED"), "400 BAD_VALUE Bad value: status"),
        (json!("ACTIVE"), "400 BAD_VALUE Bad value: status"),
        (json!("CANCELED"), "400 BAD_VALUE Bad value: status"),
        (json!("cancelled"), "400 BAD_VALUE Bad value: status"),
        (json!(""), "400 BAD_VALUE Bad value: status"),
        (json!("x".repeat(100_000)), "400 BAD_VALUE Bad value: status"),
        (json!(null), "400 BAD_VALUE Bad value: status"),
        (json!(1), "400 BAD_REQUEST"),
        (json!(["CANCELLED"]), "400 BAD_REQUEST"),
    ] {
        let reply = world.call("PATCH", &route, &json!({ "status": status })).await;
        assert_eq!(told(&reply), expected, "{status}");
    }
    assert_eq!(world.read_token(&token).await.json["status"], "ACTIVE");
    world.stop().await;
}
