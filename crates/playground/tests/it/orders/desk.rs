//! One order as a test talks about it, and a conversation as text.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::{Purchase, Reply, World};

/// One order, and what is known of it.
pub struct Desk<'a> {
    pub world: &'a World,
    pub order_id: String,
    pub capture_id: String,
    pub refund_id: String,
}

/// An id that nothing has.
pub const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

impl<'a> Desk<'a> {
    pub async fn open(world: &'a World, purchase: &Purchase) -> Self {
        Self::of(world, world.order(purchase).await)
    }

    pub fn of(world: &'a World, order_id: String) -> Self {
        let (capture_id, refund_id) = (NOBODY.to_owned(), NOBODY.to_owned());
        Self { world, order_id, capture_id, refund_id }
    }

    /// An order of 10000, brought into a status.
    pub async fn in_status(world: &'a World, status: &str) -> Self {
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

    pub fn path(&self, rest: &str) -> String {
        let rest = rest.replace("{c}", &self.capture_id).replace("{r}", &self.refund_id);
        format!("/ordermanagement/v1/orders/{}{rest}", self.order_id)
    }

    pub async fn send(&self, method: &str, rest: &str, body: &Value) -> Reply {
        self.world.call(method, &self.path(rest), body).await
    }

    pub async fn keyed(&self, key: &str, method: &str, rest: &str, body: &Value) -> Reply {
        let headers = [("klarna-idempotency-key", key)];
        let merchant = &self.world.merchant;
        self.world.call_as(merchant, method, &self.path(rest), body, &headers).await
    }

    /// An answer on one line: status, code, messages; ids as placeholders.
    pub fn line(&self, reply: &Reply) -> String {
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
    pub async fn check(&self, method: &str, rest: &str, body: Value, expected: &str) {
        let reply = self.send(method, rest, &body).await;
        assert_eq!(self.line(&reply), expected, "{method} {rest} {body}");
    }

    /// Captures; the capture is then the one that `{c}` means.
    pub async fn capture(&mut self, amount: i64) {
        let reply = self.send("POST", "/captures", &json!({ "captured_amount": amount })).await;
        assert_eq!(self.line(&reply), "201");
        reply.header("capture-id").clone_into(&mut self.capture_id);
    }

    pub async fn refund(&mut self, amount: i64) {
        let reply = self.send("POST", "/refunds", &json!({ "refunded_amount": amount })).await;
        assert_eq!(self.line(&reply), "201");
        reply.header("refund-id").clone_into(&mut self.refund_id);
    }

    pub async fn read(&self) -> Value {
        let reply = self.send("GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    /// A, O, C, R, M and the status, as they are read.
    pub async fn ledger(&self) -> String {
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
pub struct Transcript {
    pub text: String,
    ids: HashMap<String, String>,
    public_url: String,
}

impl Transcript {
    pub fn new(world: &World) -> Self {
        Self { text: String::new(), ids: HashMap::new(), public_url: world.public_url() }
    }

    pub fn add(&mut self, method: &str, rest: &str, body: &Value, reply: &Reply) {
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
    pub fn scrub(&mut self, text: &str) -> String {
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

    pub fn hide(&mut self, what: &str, name: &str) {
        self.text = self.text.replace(what, name);
    }
}

pub fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

pub const ALL_18: [(&str, &str, &str); 18] = [
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

pub fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// A text one character too long for a limit.
pub fn long(limit: usize) -> String {
    "x".repeat(limit + 1)
}
