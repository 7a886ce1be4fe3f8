//! The Order Management API over HTTP: all 18 operations, each documented refusal, and what time and
//! repetition do. Orders are placed the way a shop places them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail where it stands, and shares its helpers with others"
)]

mod common;
#[path = "common/receiver.rs"]
mod receiver;

use std::collections::HashMap;
use std::fmt::Write as _;

use common::{Purchase, Reply, World};
use receiver::Receiver;
use serde_json::{Value, json};

/// One order, and what is known of it.
struct Desk<'a> {
    world: &'a World,
    order_id: String,
    capture_id: String,
    refund_id: String,
}

/// An id that nothing has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

impl<'a> Desk<'a> {
    async fn open(world: &'a World, purchase: &Purchase) -> Self {
        Self::of(world, world.order(purchase).await)
    }

    fn of(world: &'a World, order_id: String) -> Self {
        let (capture_id, refund_id) = (NOBODY.to_owned(), NOBODY.to_owned());
        Self { world, order_id, capture_id, refund_id }
    }

    /// An order of 10000, brought into a status.
    async fn in_status(world: &'a World, status: &str) -> Self {
        let mut desk = Self::open(world, &Purchase::of(10_000)).await;
        match status {
            "AUTHORIZED" => {}
            "PART_CAPTURED" => desk.capture(4_000).await,
            "CAPTURED" => desk.capture(10_000).await,
            "CANCELLED" => desk.check("POST", "/cancel", Value::Null, "204").await,
            "EXPIRED" => world.advance("P29D").await,
            "CLOSED" => {
                desk.capture(4_000).await;
                world.advance("P29D").await;
            }
            other => panic!("no such status: {other}"),
        }
        assert_eq!(desk.read().await["status"], status);
        desk
    }

    fn path(&self, rest: &str) -> String {
        let rest = rest.replace("{c}", &self.capture_id).replace("{r}", &self.refund_id);
        format!("/ordermanagement/v1/orders/{}{rest}", self.order_id)
    }

    async fn send(&self, method: &str, rest: &str, body: &Value) -> Reply {
        self.world.call(method, &self.path(rest), body).await
    }

    async fn keyed(&self, key: &str, method: &str, rest: &str, body: &Value) -> Reply {
        let headers = [("klarna-idempotency-key", key)];
        let merchant = &self.world.merchant;
        self.world.call_as(merchant, method, &self.path(rest), body, &headers).await
    }

    /// An answer on one line: status, code, messages; ids as placeholders.
    fn line(&self, reply: &Reply) -> String {
        let mut line = reply.status.to_string();
        let correlation_id = reply.header("klarna-correlation-id");
        if reply.status < 300 {
            if reply.status != 200 {
                assert_eq!(reply.text, "", "a {} has no body", reply.status);
            }
        } else {
            assert_eq!(reply.json["correlation_id"], correlation_id, "{reply:?}");
            write!(line, " {}", reply.json["error_code"].as_str().unwrap()).unwrap();
            for message in reply.json["error_messages"].as_array().unwrap() {
                write!(line, " {}", message.as_str().unwrap()).unwrap();
            }
        }
        line.replace(&self.order_id, "{o}").replace(NOBODY, "{?}").replace(&self.capture_id, "{c}")
    }

    /// One call and what it has to be answered with.
    async fn check(&self, method: &str, rest: &str, body: Value, expected: &str) {
        let reply = self.send(method, rest, &body).await;
        assert_eq!(self.line(&reply), expected, "{method} {rest} {body}");
    }

    /// Captures; the capture is then the one that `{c}` means.
    async fn capture(&mut self, amount: i64) {
        let reply = self.send("POST", "/captures", &json!({ "captured_amount": amount })).await;
        assert_eq!(self.line(&reply), "201");
        reply.header("capture-id").clone_into(&mut self.capture_id);
    }

    async fn refund(&mut self, amount: i64) {
        let reply = self.send("POST", "/refunds", &json!({ "refunded_amount": amount })).await;
        assert_eq!(self.line(&reply), "201");
        reply.header("refund-id").clone_into(&mut self.refund_id);
    }

    async fn read(&self) -> Value {
        let reply = self.send("GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    /// A, O, C, R, M and the status, as they are read.
    async fn ledger(&self) -> String {
        let order = self.read().await;
        let amounts = [
            "order_amount",
            "original_order_amount",
            "captured_amount",
            "refunded_amount",
            "remaining_authorized_amount",
        ];
        let amounts: Vec<String> = amounts.iter().map(|name| order[name].to_string()).collect();
        format!("{} {}", amounts.join(" "), order["status"].as_str().unwrap())
    }
}

/// A conversation as text, for snapshots: ids and references by their order of appearance.
struct Transcript {
    text: String,
    ids: HashMap<String, String>,
    public_url: String,
}

impl Transcript {
    fn new(world: &World) -> Self {
        Self { text: String::new(), ids: HashMap::new(), public_url: world.public_url() }
    }

    fn add(&mut self, method: &str, rest: &str, body: &Value, reply: &Reply) {
        let request = if body.is_null() { String::new() } else { format!(" {body}") };
        let mut entry = format!("{method} {rest}{request}\n{}\n", reply.status);
        for name in ["capture-id", "refund-id", "location", "content-type"] {
            if let Some(value) = reply.headers.get(name) {
                writeln!(entry, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        if !reply.text.is_empty() {
            entry.push_str(&serde_json::to_string_pretty(&reply.json).unwrap());
            entry.push('\n');
        }
        let entry = self.scrub(&entry.replace(&self.public_url, "http://playground"));
        self.text.push_str(&entry);
        self.text.push('\n');
    }

    /// Replaces what differs from run to run.
    fn scrub(&mut self, text: &str) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(id) = rest.get(..36).filter(|id| is_uuid(id)) {
                let number = self.ids.len() + 1;
                let name =
                    self.ids.entry(id.to_owned()).or_insert_with(|| format!("<id {number}>"));
                scrubbed.push_str(name);
                rest = &rest[36..];
            } else {
                scrubbed.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        scrubbed
    }

    fn hide(&mut self, what: &str, name: &str) {
        self.text = self.text.replace(what, name);
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[tokio::test]
async fn the_life_of_an_order_reads_as_documented() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let mut transcript = Transcript::new(&world);
    let shipping = json!({ "shipping_info": [{
        "shipping_company": "DHL Sweden", "shipping_method": "Home", "tracking_number": "63456415674545679874",
        "tracking_uri": "https://shipping.example/findmypackage?63456415674545679874",
    }] });
    let capture = json!({
        "captured_amount": 4_000, "description": "Half of it", "reference": "SHIPMENT-1",
        "order_lines": [{
            "type": "physical", "reference": "shirt", "name": "Shirt", "quantity": 1,
            "unit_price": 4_000, "tax_rate": 0, "total_amount": 4_000, "total_tax_amount": 0,
        }],
        "shipping_info": shipping["shipping_info"],
    });
    let steps = [
        ("GET", "", Value::Null),
        ("POST", "/acknowledge", Value::Null),
        ("PATCH", "/merchant-references", json!({ "merchant_reference2": "INTERNAL-7" })),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "city": "Uppsala", "postal_code": "75310" } }),
        ),
        ("POST", "/shipping-info", shipping.clone()),
        ("POST", "/extend-authorization-time", Value::Null),
        ("POST", "/captures", capture),
        ("GET", "/captures", Value::Null),
        ("GET", "/captures/{c}", Value::Null),
        ("POST", "/captures/{c}/shipping-info", shipping),
        ("POST", "/captures/{c}/trigger-send-out", Value::Null),
        ("GET", "/captures/{c}/extend-due-date-options", Value::Null),
        ("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 10 })),
        ("PATCH", "/authorization", json!({ "order_amount": 9_000, "description": "Less" })),
        (
            "POST",
            "/refunds",
            json!({ "refunded_amount": 1_500, "description": "Back", "reference": "R-1" }),
        ),
        ("GET", "/refunds/{r}", Value::Null),
        ("POST", "/release-remaining-authorization", Value::Null),
        ("GET", "", Value::Null),
        ("POST", "/cancel", Value::Null),
    ];
    for (method, rest, body) in steps {
        let reply = desk.send(method, rest, &body).await;
        transcript.add(method, rest, &body, &reply);
        for (name, id) in [("capture-id", &mut desk.capture_id), ("refund-id", &mut desk.refund_id)]
        {
            if let Some(value) = reply.headers.get(name) {
                value.to_str().unwrap().clone_into(id);
            }
        }
    }
    let order = desk.read().await;
    transcript.hide(order["klarna_reference"].as_str().unwrap(), "K4MADNY");
    insta::assert_snapshot!(transcript.text);
    world.stop().await;
}

#[tokio::test]
async fn the_worked_ledger_is_answered() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    assert_eq!(desk.ledger().await, "10000 10000 0 0 10000 AUTHORIZED");
    desk.capture(4_000).await;
    assert_eq!(desk.ledger().await, "10000 10000 4000 0 6000 PART_CAPTURED");
    desk.check("PATCH", "/authorization", json!({ "order_amount": 9_000 }), "204").await;
    assert_eq!(desk.ledger().await, "9000 10000 4000 0 5000 PART_CAPTURED");
    assert_eq!(desk.read().await["order_lines"], json!([]));
    desk.check(
        "PATCH",
        "/authorization",
        json!({ "order_amount": 3_000 }),
        "403 NOT_ALLOWED Resulting authorization amount 3000 cannot be less than the captured amount 4000 for order. \
         Order authorization cannot be updated",
    )
    .await;
    desk.refund(1_500).await;
    assert_eq!(desk.ledger().await, "9000 10000 4000 1500 5000 PART_CAPTURED");
    desk.check(
        "POST",
        "/captures",
        json!({ "captured_amount": 6_000 }),
        "403 CAPTURE_NOT_ALLOWED Captured amount is higher than the remaining authorized amount. Capture not possible.",
    )
    .await;
    desk.check("POST", "/release-remaining-authorization", Value::Null, "204").await;
    assert_eq!(desk.ledger().await, "9000 10000 4000 1500 0 CAPTURED");
    desk.check(
        "POST",
        "/refunds",
        json!({ "refunded_amount": 3_000 }),
        "403 REFUND_NOT_ALLOWED Over refund is not allowed. Refund not possible.",
    )
    .await;
    desk.refund(2_500).await;
    assert_eq!(desk.ledger().await, "9000 10000 4000 4000 0 CAPTURED");
    world.stop().await;
}

/// Every operation in every status: what it is answered with.
#[tokio::test]
async fn each_status_refuses_what_it_must() {
    let statuses = ["AUTHORIZED", "PART_CAPTURED", "CAPTURED", "CANCELLED", "EXPIRED", "CLOSED"];
    let parcel = json!({ "shipping_info": [{ "tracking_number": "1" }] });
    let operations = [
        ("GET", "", Value::Null),
        ("GET", "/captures", Value::Null),
        ("POST", "/acknowledge", Value::Null),
        ("PATCH", "/authorization", json!({ "order_amount": 9_000 })),
        ("PATCH", "/merchant-references", json!({ "merchant_reference1": "B" })),
        ("PATCH", "/customer-details", json!({ "shipping_address": { "city": "Lund" } })),
        ("POST", "/shipping-info", parcel.clone()),
        ("POST", "/captures", json!({ "captured_amount": 1 })),
        ("POST", "/cancel", Value::Null),
        ("POST", "/refunds", json!({ "refunded_amount": 1 })),
        ("POST", "/release-remaining-authorization", Value::Null),
        ("POST", "/extend-authorization-time", Value::Null),
        ("POST", "/captures/{c}/shipping-info", parcel),
        ("POST", "/captures/{c}/trigger-send-out", Value::Null),
        ("GET", "/captures/{c}/extend-due-date-options", Value::Null),
        ("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 10 })),
    ];
    let mut table = String::new();
    for status in statuses {
        let world = World::start().await;
        for (method, rest, body) in &operations {
            let desk = Desk::in_status(&world, status).await;
            let reply = desk.send(method, rest, body).await;
            writeln!(table, "{status} {method} {rest}: {}", desk.line(&reply)).unwrap();
        }
        world.stop().await;
    }
    insta::assert_snapshot!(table);
}

const ALL_18: [(&str, &str, &str); 18] = [
    ("GET", "", ""),
    ("POST", "/acknowledge", ""),
    ("PATCH", "/authorization", r#"{"order_amount":1}"#),
    ("POST", "/cancel", ""),
    ("PATCH", "/customer-details", r#"{"shipping_address":{"city":"Lund"}}"#),
    ("POST", "/extend-authorization-time", ""),
    ("PATCH", "/merchant-references", r#"{"merchant_reference1":"A"}"#),
    ("POST", "/release-remaining-authorization", ""),
    ("POST", "/shipping-info", r#"{"shipping_info":[{}]}"#),
    ("POST", "/captures", r#"{"captured_amount":1}"#),
    ("GET", "/captures", ""),
    ("GET", "/captures/{c}", ""),
    ("POST", "/captures/{c}/shipping-info", r#"{"shipping_info":[{}]}"#),
    ("POST", "/captures/{c}/trigger-send-out", ""),
    ("GET", "/captures/{c}/extend-due-date-options", ""),
    ("PATCH", "/captures/{c}/extend-due-date", r#"{"number_of_days":10}"#),
    ("POST", "/refunds", r#"{"refunded_amount":1}"#),
    ("GET", "/refunds/{r}", ""),
];

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

#[tokio::test]
async fn an_unknown_order_is_not_found_on_every_route() {
    let world = World::start().await;
    let desk = Desk::of(&world, "7a31c2f9-09a5-4bd9-8c4f-0a1f3c7e5d11".to_owned());
    let mut table = String::new();
    for (method, rest, text) in ALL_18 {
        let reply = desk.send(method, rest, &body(text)).await;
        writeln!(table, "{method} {rest}: {}", desk.line(&reply)).unwrap();
    }
    insta::assert_snapshot!(table);
    world.stop().await;
}

#[tokio::test]
async fn another_merchants_order_is_answered_like_an_unknown_one() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    desk.refund(1_000).await;
    let before = desk.read().await;
    let (known, unknown) = (desk.order_id.clone(), NOBODY);
    for (method, rest, text) in ALL_18 {
        let path = desk.path(rest);
        let theirs = world.call_as(&world.stranger, method, &path, &body(text), &[]).await;
        let path = path.replace(&known, unknown);
        let nobodys = world.call_as(&world.stranger, method, &path, &body(text), &[]).await;
        assert_eq!(theirs.status, 404, "{method} {rest}");
        let (mut theirs, nobodys) = (theirs.json, nobodys.json);
        theirs["correlation_id"] = nobodys["correlation_id"].clone();
        assert_eq!(theirs.to_string().replace(&known, unknown), nobodys.to_string());
    }
    assert_eq!(desk.read().await, before);
    world.stop().await;
}

#[tokio::test]
async fn unknown_captures_and_refunds_are_not_found() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    NOBODY.clone_into(&mut desk.capture_id);
    let parcel = json!({ "shipping_info": [{}] });
    let missing = "404 NO_SUCH_CAPTURE Capture {?} cannot be found for order {o}";
    desk.check("GET", "/captures/{c}", Value::Null, missing).await;
    desk.check("POST", "/captures/{c}/trigger-send-out", Value::Null, missing).await;
    desk.check("GET", "/captures/{c}/extend-due-date-options", Value::Null, missing).await;
    desk.check("PATCH", "/captures/{c}/extend-due-date", json!({ "number_of_days": 2 }), missing)
        .await;
    desk.check(
        "POST",
        "/captures/{c}/shipping-info",
        parcel,
        "404 NO_SUCH_CAPTURE Capture could not be found. Shipping info cannot be added to capture {?}",
    )
    .await;
    desk.check(
        "GET",
        "/refunds/{r}",
        Value::Null,
        "404 NOT_FOUND Refund {?} cannot be found for order {o}",
    )
    .await;
    // Routes that exist elsewhere, or once existed.
    desk.check("GET", "/refunds", Value::Null, "405 METHOD_NOT_ALLOWED").await;
    desk.check("POST", "/captures/{c}/refunds", json!({ "refunded_amount": 1 }), "404 NOT_FOUND")
        .await;
    desk.check("PATCH", "/captures/{c}/customer-details", json!({}), "404 NOT_FOUND").await;
    world.stop().await;
}

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

/// A text one character too long for a limit.
fn long(limit: usize) -> String {
    "x".repeat(limit + 1)
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

#[tokio::test]
async fn a_key_makes_a_repeated_call_the_same_call() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let capture = json!({ "captured_amount": 1_000 });
    let first = desk.keyed("k1", "POST", "/captures", &capture).await;
    assert_eq!(desk.line(&first), "201");
    // Only the key counts: another body is not looked at.
    let again = desk.keyed("k1", "POST", "/captures", &json!({ "captured_amount": 2_000 })).await;
    assert_eq!(desk.line(&again), "201");
    for name in ["capture-id", "location"] {
        assert_eq!(first.header(name), again.header(name));
    }
    assert_ne!(first.header("klarna-correlation-id"), again.header("klarna-correlation-id"));
    assert_eq!(desk.read().await["captured_amount"], 1_000);
    // Another key, another path and no key are other calls.
    assert_eq!(desk.keyed("k2", "POST", "/captures", &capture).await.status, 201);
    assert_eq!(desk.send("POST", "/captures", &capture).await.status, 201);
    assert_eq!(desk.send("POST", "/captures", &capture).await.status, 201);
    assert_eq!(desk.read().await["captured_amount"], 4_000);
    let refund = json!({ "refunded_amount": 100 });
    let one = desk.keyed("k1", "POST", "/refunds", &refund).await;
    let two = desk.keyed("k1", "POST", "/refunds", &refund).await;
    assert_eq!(one.header("refund-id"), two.header("refund-id"));
    assert_eq!(desk.read().await["refunded_amount"], 100);
    // The same key on another order is another call, too.
    let other = Desk::open(&world, &Purchase::of(10_000)).await;
    let elsewhere = other.keyed("k1", "POST", "/captures", &capture).await;
    assert_ne!(elsewhere.header("capture-id"), first.header("capture-id"));

    // A refusal is final, and stays what it was when the reason is gone.
    let too_much = json!({ "captured_amount": 9_000 });
    let refused = desk.keyed("k3", "POST", "/captures", &too_much).await;
    let expected = "403 CAPTURE_NOT_ALLOWED Captured amount is higher than the remaining authorized amount. Capture not possible.";
    assert_eq!(desk.line(&refused), expected);
    desk.check("PATCH", "/authorization", json!({ "order_amount": 20_000 }), "204").await;
    let refused = desk.keyed("k3", "POST", "/captures", &too_much).await;
    assert_eq!(desk.line(&refused), expected);
    let unprocessable = desk.keyed("k4", "POST", "/captures", &json!({})).await;
    let repeated = desk.keyed("k4", "POST", "/captures", &capture).await;
    assert_eq!(desk.line(&unprocessable), desk.line(&repeated));
    // What could not be read was never looked up.
    assert_eq!(desk.keyed("k5", "POST", "/captures", &json!([])).await.status, 400);
    assert_eq!(desk.keyed("k5", "POST", "/captures", &capture).await.status, 201);

    // The window is 24 hours of the playground's clock.
    desk.capture(1).await;
    let captured = desk.read().await["captured_amount"].as_i64().unwrap();
    world.advance("PT23H59M").await;
    let late = desk.keyed("k1", "POST", "/captures", &capture).await;
    assert_eq!(late.header("capture-id"), first.header("capture-id"));
    world.advance("PT1M").await;
    let too_late = desk.keyed("k1", "POST", "/captures", &capture).await;
    assert_ne!(too_late.header("capture-id"), first.header("capture-id"));
    assert_eq!(desk.read().await["captured_amount"], captured + 1_000);
    world.stop().await;
}

#[tokio::test]
async fn every_write_takes_a_key() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(4_000).await;
    let extend = json!({ "number_of_days": 2 });
    let parcel = json!({ "shipping_info": [{ "tracking_number": "1" }] });
    for (method, rest, body, expected) in [
        ("POST", "/acknowledge", Value::Null, "204"),
        ("PATCH", "/authorization", json!({ "order_amount": 9_000 }), "204"),
        ("PATCH", "/merchant-references", json!({ "merchant_reference1": "B" }), "204"),
        ("PATCH", "/customer-details", json!({ "shipping_address": { "city": "Lund" } }), "204"),
        ("POST", "/shipping-info", parcel.clone(), "204"),
        ("POST", "/captures/{c}/shipping-info", parcel, "204"),
        ("POST", "/captures/{c}/trigger-send-out", Value::Null, "204"),
        ("PATCH", "/captures/{c}/extend-due-date", extend, "204"),
        ("POST", "/extend-authorization-time", Value::Null, "204"),
        (
            "POST",
            "/cancel",
            Value::Null,
            "403 CANCEL_NOT_ALLOWED Order has previous captures. Cancel not possible.",
        ),
        ("POST", "/refunds", json!({ "refunded_amount": 1 }), "201"),
        ("POST", "/release-remaining-authorization", Value::Null, "204"),
    ] {
        let key = format!("key of {rest}");
        let first = desk.keyed(&key, method, rest, &body).await;
        let after_first = desk.read().await;
        let second = desk.keyed(&key, method, rest, &body).await;
        assert_eq!(desk.line(&first), expected, "{rest}");
        assert_eq!(desk.line(&second), expected, "{rest}");
        assert_eq!(desk.read().await, after_first, "{rest} was executed twice");
    }
    assert_eq!(desk.read().await["shipping_info"].as_array().unwrap().len(), 1);
    // Without the key, the free extension and the release cannot be had again.
    desk.check(
        "PATCH",
        "/captures/{c}/extend-due-date",
        json!({ "number_of_days": 2 }),
        "403 NOT_ALLOWED Extension of due date is not possible.",
    )
    .await;
    desk.check(
        "POST",
        "/release-remaining-authorization",
        Value::Null,
        "403 NOT_ALLOWED Order is fully captured. Remaining authorization cannot be released.",
    )
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_key_has_1_to_255_printable_characters() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    for (key, expected) in [
        (long(255), 422),
        ("caf\u{e9}".to_owned(), 422),
        (long(254), 204),
        ("any text, not only a UUID".to_owned(), 204),
    ] {
        let reply = desk.keyed(&key, "POST", "/acknowledge", &Value::Null).await;
        assert_eq!(reply.status, expected, "{key}: {reply:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn concurrent_captures_never_exceed_the_authorisation() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (path, body) = (desk.path("/captures"), json!({ "captured_amount": 700 }));
            let world = &world;
            async move { world.call("POST", &path, &body).await.status }
        })
        .collect();
    let statuses = at_once(calls).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 14);
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 18);
    assert_eq!(desk.ledger().await, "10000 10000 9800 0 200 PART_CAPTURED");
    let order = desk.read().await;
    let mut references: Vec<_> = order["captures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|capture| capture["klarna_reference"].as_str().unwrap().to_owned())
        .collect();
    references.dedup();
    assert_eq!(references.len(), 14);
    world.stop().await;
}

#[tokio::test]
async fn concurrent_calls_with_one_key_are_one_call() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let desk = &desk;
            async move {
                let reply = desk
                    .keyed("one", "POST", "/captures", &json!({ "captured_amount": 700 }))
                    .await;
                assert_eq!(reply.status, 201);
                reply.header("capture-id").to_owned()
            }
        })
        .collect();
    let mut ids = at_once(calls).await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(desk.ledger().await, "10000 10000 700 0 9300 PART_CAPTURED");
    world.stop().await;
}

/// Drives all futures together and answers in their order.
async fn at_once<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => all_done = false,
                }
            }
        }
        if all_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn an_authorisation_expires_on_the_clock_and_can_be_extended() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let order = desk.read().await;
    assert_eq!(order["created_at"], "2026-03-02T09:00:00.250Z");
    assert_eq!(order["expires_at"], "2026-03-30T00:00:00.000Z");
    world.advance("P10D").await;
    desk.check("POST", "/extend-authorization-time", Value::Null, "204").await;
    assert_eq!(desk.read().await["expires_at"], "2026-04-09T00:00:00.000Z");
    world.control("/clock", &json!({ "set": "2026-04-08T23:59:59.999Z" })).await;
    assert_eq!(desk.read().await["status"], "AUTHORIZED");
    world.control("/clock", &json!({ "set": "2026-04-09T00:00:00Z" })).await;
    assert_eq!(desk.ledger().await, "10000 10000 0 0 0 EXPIRED");
    desk.check(
        "POST",
        "/extend-authorization-time",
        Value::Null,
        "403 NOT_ALLOWED Order is expired. Authorization time cannot be extended.",
    )
    .await;
    desk.check(
        "POST",
        "/captures",
        json!({ "captured_amount": 1 }),
        "403 CAPTURE_NOT_ALLOWED Order {o} is expired. Capture not possible.",
    )
    .await;
    world.stop().await;
}

#[tokio::test]
async fn an_authorisation_lasts_180_days_at_most() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let mut expires_at = Value::Null;
    loop {
        desk.check("POST", "/extend-authorization-time", Value::Null, "204").await;
        let extended = desk.read().await["expires_at"].clone();
        if extended == expires_at {
            break;
        }
        expires_at = extended;
        world.advance("P27D").await;
        if desk.read().await["status"] != "AUTHORIZED" {
            break;
        }
    }
    assert_eq!(expires_at, "2026-08-29T09:00:00.250Z");
    world.stop().await;
}

#[tokio::test]
async fn an_order_can_be_read_for_three_years() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    world.control("/clock", &json!({ "set": "2029-03-02T09:00:00.249Z" })).await;
    assert_eq!(desk.read().await["status"], "EXPIRED");
    world.control("/clock", &json!({ "set": "2029-03-02T09:00:00.250Z" })).await;
    desk.check("GET", "", Value::Null, "404 NO_SUCH_ORDER Order {o} cannot be found").await;
    world.stop().await;
}

#[tokio::test]
async fn an_order_with_automatic_capture_is_captured_at_once() {
    let world = World::start().await;
    let purchase =
        Purchase { order_extra: json!({ "auto_capture": true }), ..Purchase::of(10_000) };
    let desk = Desk::open(&world, &purchase).await;
    assert_eq!(desk.ledger().await, "10000 10000 10000 0 0 CAPTURED");
    let captures = desk.send("GET", "/captures", &Value::Null).await.json;
    assert_eq!(captures[0]["captured_amount"], 10_000);
    assert_eq!(captures[0]["order_lines"][0]["reference"], "shirt");
    world.stop().await;
}

/// A British order under review.
async fn under_review<'a>(world: &'a World, email: &'static str) -> Desk<'a> {
    let purchase = Purchase { email, ..Purchase::british(10_000) };
    let order = world.purchase(&purchase).await;
    assert_eq!(order["fraud_status"], "PENDING");
    Desk::of(world, order["order_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_review_that_accepts_lets_the_order_be_captured() {
    let world = World::start().await;
    let mut desk = under_review(&world, "customer+pend-accept-05@email.uk").await;
    assert_eq!(desk.read().await["fraud_status"], "PENDING");
    let refused = "403 CAPTURE_NOT_ALLOWED Capture not allowed";
    desk.check("POST", "/captures", json!({ "captured_amount": 1 }), refused).await;
    world.advance("PT5M").await;
    assert_eq!(desk.read().await["fraud_status"], "ACCEPTED");
    desk.capture(10_000).await;
    world.stop().await;
}

#[tokio::test]
async fn a_review_that_rejects_cancels_the_order_after_four_hours() {
    let world = World::start().await;
    let desk = under_review(&world, "customer+pend-reject-05@email.uk").await;
    world.advance("PT5M").await;
    let order = desk.read().await;
    assert_eq!(
        (&order["fraud_status"], &order["status"]),
        (&json!("REJECTED"), &json!("AUTHORIZED"))
    );
    world.advance("PT3H59M59S").await;
    assert_eq!(desk.read().await["status"], "AUTHORIZED");
    world.advance("PT1S").await;
    assert_eq!(desk.ledger().await, "10000 10000 0 0 0 CANCELLED");
    world.stop().await;
}

#[tokio::test]
async fn a_capture_within_four_hours_overrules_a_rejection() {
    let world = World::start().await;
    let mut desk = under_review(&world, "customer+pend-reject-05@email.uk").await;
    world.advance("PT4H4M59S").await;
    desk.capture(4_000).await;
    world.advance("P1D").await;
    assert_eq!(desk.ledger().await, "10000 10000 4000 0 6000 PART_CAPTURED");
    assert_eq!(desk.read().await["fraud_status"], "REJECTED");
    world.stop().await;
}

#[tokio::test]
async fn a_merchant_overrules_an_acceptance_by_cancelling() {
    let world = World::start().await;
    let desk = under_review(&world, "customer+pend-accept-05@email.uk").await;
    world.advance("PT5M").await;
    desk.check("POST", "/cancel", Value::Null, "204").await;
    assert_eq!(desk.ledger().await, "10000 10000 0 0 0 CANCELLED");
    world.stop().await;
}

#[tokio::test]
async fn a_billing_address_cannot_change() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.check(
        "PATCH",
        "/customer-details",
        json!({ "billing_address": { "city": "Lund" } }),
        "403 NOT_ALLOWED Billing address cannot be updated for user account order. Customer details cannot be updated.",
    )
    .await;
    desk.check("PATCH", "/customer-details", json!({}), "204").await;
    desk.check("PATCH", "/merchant-references", json!({}), "204").await;
    desk.check("PATCH", "/merchant-references", json!({ "merchant_reference1": null }), "204")
        .await;
    assert_eq!(desk.read().await["merchant_reference1"], "WEB-1001");
    desk.check("PATCH", "/merchant-references", json!({ "merchant_reference1": "" }), "204").await;
    assert_eq!(desk.read().await.get("merchant_reference1"), None);
    world.stop().await;
}

#[tokio::test]
async fn edges_of_captures_and_refunds() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let refused = "403 CAPTURE_NOT_ALLOWED Capture not allowed";
    desk.check("POST", "/captures", json!({ "captured_amount": 0 }), refused).await;
    desk.check("POST", "/captures", json!({ "captured_amount": 1, "shipping_delay": 1 }), refused)
        .await;
    desk.check("POST", "/captures", json!({ "captured_amount": 1, "shipping_delay": 0 }), "201")
        .await;
    desk.capture(9_999).await;
    desk.check(
        "POST",
        "/refunds",
        json!({ "refunded_amount": 0 }),
        "403 REFUND_NOT_ALLOWED Refund not allowed",
    )
    .await;
    let over = "403 REFUND_NOT_ALLOWED Over refund is not allowed. Refund not possible.";
    desk.check("POST", "/refunds", json!({ "refunded_amount": 10_001 }), over).await;
    desk.refund(10_000).await;
    desk.check("POST", "/refunds", json!({ "refunded_amount": 1 }), over).await;
    world.stop().await;
}

#[tokio::test]
async fn a_return_fee_is_kept_back() {
    let world = World::start().await;
    let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.capture(10_000).await;
    let refund = |amount: i64| {
        json!({ "refunded_amount": amount, "order_lines": [
            { "reference": "shirt", "name": "T-shirt", "quantity": 1, "unit_price": 10_000, "total_amount": 10_000 },
            { "type": "return_fee", "name": "Return", "quantity": 1, "unit_price": -500, "total_amount": -500 },
        ] })
    };
    let refused = "403 REFUND_NOT_ALLOWED Return fee is not allowed. Refund not possible.";
    desk.check("POST", "/refunds", refund(9_400), refused).await;
    desk.check("POST", "/refunds", refund(9_500), "201").await;
    desk.refund(500).await;
    let mut british = Desk::open(&world, &Purchase::british(10_000)).await;
    british.capture(10_000).await;
    british.check("POST", "/refunds", refund(9_500), refused).await;
    world.stop().await;
}

#[tokio::test]
async fn refunds_find_their_captures_by_the_lines_references() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    let lines = |reference: &str, amount: i64| json!([{ "reference": reference, "name": reference, "quantity": 1, "unit_price": amount, "total_amount": amount }]);
    for (reference, amount) in [("shirt", 4_000), ("shoe", 6_000)] {
        let body = json!({ "captured_amount": amount, "order_lines": lines(reference, amount) });
        desk.check("POST", "/captures", body, "201").await;
    }
    let refund = json!({ "refunded_amount": 5_000, "order_lines": lines("shoe", 5_000) });
    desk.check("POST", "/refunds", refund, "201").await;
    desk.check("POST", "/refunds", json!({ "refunded_amount": 4_500 }), "201").await;
    let order = desk.read().await;
    assert_eq!(order["captures"][0]["refunded_amount"], 4_000);
    assert_eq!(order["captures"][1]["refunded_amount"], 5_500);
    world.stop().await;
}

#[tokio::test]
async fn a_merchants_server_learns_of_a_decision_and_is_pushed_until_it_acts() {
    let world = World::start().await;
    let shop = Receiver::start(&[500]).await;
    let urls = json!({ "merchant_urls": {
        "notification": format!("{}/fraud/{{order.id}}", shop.url),
        "push": format!("{}/push?order={{checkout.order.id}}", shop.url),
    } });
    let purchase = Purchase {
        email: "customer+pend-reject-10@email.uk",
        extra: urls.clone(),
        ..Purchase::british(10_000)
    };
    let order = world.purchase(&purchase).await;
    let desk = Desk::of(&world, order["order_id"].as_str().unwrap().to_owned());
    let push = format!("/push?order={}", desk.order_id);
    let paths = || -> Vec<String> { shop.received().into_iter().map(|call| call.path).collect() };
    // Pushes after 2, 7 and 22 minutes; the decision after 10.
    world.advance("PT9M59S").await;
    assert_eq!(paths(), [push.clone(), push.clone()]);
    world.advance("PT1S").await;
    let notification = shop.received().pop().unwrap();
    assert_eq!(notification.path, format!("/fraud/{}", desk.order_id));
    assert_eq!(
        notification.json,
        json!({
            "order_id": desk.order_id, "event_type": "FRAUD_RISK_REJECTED",
            "event_timestamp": "2026-03-02T09:10:00.250Z",
        })
    );
    desk.check("POST", "/acknowledge", Value::Null, "204").await;
    world.advance("P3D").await;
    assert_eq!(paths().len(), 3, "an acknowledged order is not pushed");
    assert_eq!(desk.read().await["status"], "CANCELLED");

    // Left alone, an order is pushed for two days.
    let purchase = Purchase { extra: urls, ..Purchase::of(10_000) };
    let order_id = world.order(&purchase).await;
    world.advance("P3D").await;
    let push = format!("/push?order={order_id}");
    let pushes = paths().iter().filter(|path| **path == push).count();
    assert!((10..=20).contains(&pushes), "{pushes} pushes");
    world.stop().await;
    shop.stop().await;
}

#[tokio::test]
async fn the_accounts_strictness_decides_what_is_unpublished() {
    let world = World::start().await;
    let settings = json!({ "strictness": ["refuse_changes", "order_line_totals"] });
    let created = world.control("/merchants", &json!({ "settings": settings })).await;
    let strict = common::Merchant::new(
        created["merchant_id"].as_str().unwrap(),
        created["username"].as_str().unwrap(),
        created["password"].as_str().unwrap(),
    );
    let order = world.purchase_as(&strict, &Purchase::of(10_000)).await;
    let desk = Desk::of(&world, order["order_id"].as_str().unwrap().to_owned());
    for (method, rest, body, expected) in [
        (
            "PATCH",
            "/authorization",
            json!({ "order_amount": 10_001 }),
            "403 NOT_ALLOWED Update not allowed.",
        ),
        ("PATCH", "/authorization", json!({ "order_amount": 10_000 }), "204"),
        (
            "PATCH",
            "/customer-details",
            json!({ "shipping_address": { "city": "Lund" } }),
            "403 NOT_ALLOWED Customer details cannot be updated.",
        ),
        (
            "POST",
            "/captures",
            json!({ "captured_amount": 1, "order_lines": [
                { "name": "Shirt", "quantity": 2, "unit_price": 1, "total_amount": 1 },
            ] }),
            "422 UNPROCESSABLE_ENTITY The order_lines/total_amount value is not valid",
        ),
    ] {
        let reply = world.call_as(&strict, method, &desk.path(rest), &body, &[]).await;
        assert_eq!(desk.line(&reply), expected, "{method} {rest} {body}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_authorisation_is_raised_by_invoice_and_not_by_card() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    desk.check("PATCH", "/authorization", json!({ "order_amount": 12_000 }), "204").await;
    assert_eq!(desk.ledger().await, "12000 10000 0 0 12000 AUTHORIZED");
    let purchase = Purchase { payment_method: Some("pay_by_card"), ..Purchase::of(10_000) };
    let mut card = Desk::open(&world, &purchase).await;
    let refused = "403 NOT_ALLOWED Update not allowed.";
    card.check("PATCH", "/authorization", json!({ "order_amount": 12_000 }), refused).await;
    card.check(
        "POST",
        "/extend-authorization-time",
        Value::Null,
        "403 NOT_ALLOWED Authorization time cannot be extended.",
    )
    .await;
    card.capture(10_000).await;
    let options = card.send("GET", "/captures/{c}/extend-due-date-options", &Value::Null).await;
    assert_eq!(options.json, json!({ "currency": "SEK", "options": [] }));
    card.check(
        "PATCH",
        "/captures/{c}/extend-due-date",
        json!({ "number_of_days": 10 }),
        "403 NOT_ALLOWED Extension of due date is not possible.",
    )
    .await;
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
