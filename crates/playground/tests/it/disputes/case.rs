//! One dispute as a test talks about it.

use serde_json::{Value, json};

use crate::common::{Merchant, Purchase, Reply, World};

/// The smallest file of each type.
pub const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0 jpeg";
pub const DOCX: &[u8] = b"PK\x03\x04 document";

/// A dispute, and what is needed to talk about it.
pub struct Case<'a> {
    pub world: &'a World,
    pub order_id: String,
    pub capture_id: String,
    /// Its id in version 4.
    pub id: String,
    /// Its id in version 2.
    pub krn: String,
}

/// Places an order and captures it; answers with the ids of both.
pub async fn captured(world: &World, purchase: &Purchase) -> (String, String) {
    let order_id = world.order(purchase).await;
    let capture_id = capture(world, &order_id, purchase.amount).await;
    (order_id, capture_id)
}

/// Captures so much of an order.
pub async fn capture(world: &World, order_id: &str, amount: i64) -> String {
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let reply = world.call("POST", &path, &json!({ "captured_amount": amount })).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.header("capture-id").to_owned()
}

/// Enrols the seeded merchant.
pub async fn enroll(world: &World) {
    let path = "/v4/payment/disputes/merchants/K123456/enroll";
    let reply = world.call("POST", path, &Value::Null).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{reply:?}");
}

impl<'a> Case<'a> {
    /// An order of 10000, captured, and a dispute over it raised with further members.
    pub async fn raise(world: &'a World, members: Value) -> Self {
        let (order_id, _) = captured(world, &Purchase::of(10_000)).await;
        Self::over(world, order_id, members).await
    }

    /// A dispute over an order.
    pub async fn over(world: &'a World, order_id: String, mut members: Value) -> Self {
        members["order_id"] = json!(order_id);
        let raised = world.control("/disputes", &members).await;
        Self::of(world, &raised)
    }

    /// The dispute that the control API speaks of.
    pub fn of(world: &'a World, view: &Value) -> Self {
        let text = |name: &str| view[name].as_str().unwrap_or_default().to_owned();
        Self {
            world,
            order_id: text("order_id"),
            capture_id: text("capture_id"),
            id: text("payment_dispute_id"),
            krn: text("dispute_krn"),
        }
    }

    /// The only dispute that the merchant has.
    pub async fn only(world: &'a World) -> Self {
        let list = world.call("GET", "/v4/payment/disputes", &Value::Null).await.json;
        assert_eq!(list["pagination"]["total"], 1, "{list}");
        let mut view = list["disputes"][0].clone();
        let list = call_v2(world, "GET", "/disputes", &Value::Null).await.json;
        view["dispute_krn"] = list["disputes"][0]["dispute_krn"].clone();
        Self::of(world, &view)
    }

    pub async fn v4(&self, method: &str, rest: &str, body: &Value) -> Reply {
        let path = format!("/v4/payment/disputes/{}{rest}", self.id);
        self.world.call(method, &path, body).await
    }

    pub async fn v2(&self, method: &str, rest: &str, body: &Value) -> Reply {
        call_v2(self.world, method, &format!("/disputes/{}{rest}", self.krn), body).await
    }

    pub async fn read(&self) -> Value {
        let reply = self.v4("GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    pub async fn read_v2(&self) -> Value {
        let reply = self.v2("GET", "", &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    pub async fn decide(&self, decision: Value) -> Value {
        self.world.control(&format!("/disputes/{}/decide", self.id), &decision).await
    }

    /// State and outcome in a few words.
    pub async fn summary(&self) -> String {
        let view = self.read().await;
        let context = &view["state_context"];
        let mut words = view["state"].as_str().unwrap().to_owned();
        for name in ["dispute_outcome", "dispute_outcome_detailed"] {
            if let Some(text) = context[name].as_str() {
                words = format!("{words} {text}");
            }
        }
        let status = self.read_v2().await["investigation_status"].as_str().unwrap().to_owned();
        format!("{words} | {status}")
    }

    /// Uploads a file and answers with its id.
    pub async fn file(&self) -> String {
        let reply = self.upload(&[("file", Some("proof.pdf"), PDF)]).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json["payment_dispute_attachment_id"].as_str().unwrap().to_owned()
    }

    pub async fn upload(&self, parts: &[(&str, Option<&str>, &[u8])]) -> Reply {
        let path = format!("/v4/payment/disputes/{}/attachments", self.id);
        send_form(self.world, &self.world.merchant, &path, parts).await
    }

    pub async fn upload_v2(&self, parts: &[(&str, Option<&str>, &[u8])]) -> Reply {
        let path = format!("/disputes/v2/disputes/{}/attachments", self.krn);
        send_form(self.world, &self.world.merchant, &path, parts).await
    }

    /// Gives evidence.
    pub async fn represent(&self) {
        let file = self.file().await;
        let body = json!({ "attachments": [{ "payment_dispute_attachment_id": file }] });
        let reply = self.v4("POST", "/represent", &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// Appeals.
    pub async fn appeal(&self) {
        let body = json!({ "additional_information": "Look again" });
        let reply = self.v4("POST", "/appeal", &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// A call of version 4 and what it has to come to: status, code, type, parameters.
    pub async fn check(&self, method: &str, rest: &str, body: Value, expected: &str) {
        let reply = self.v4(method, rest, &body).await;
        assert_eq!(line(&reply), expected, "{method} {rest} {body} {reply:?}");
    }

    /// A call of version 2 and what it has to come to: status, code.
    pub async fn check_v2(&self, method: &str, rest: &str, body: Value, expected: &str) {
        let reply = self.v2(method, rest, &body).await;
        assert_eq!(line_v2(&reply), expected, "{method} {rest} {body} {reply:?}");
    }
}

/// A call of version 2 with its header.
pub async fn call_v2(world: &World, method: &str, rest: &str, body: &Value) -> Reply {
    let headers = [("x-klarna-basic-mid", "K123456")];
    let path = format!("/disputes/v2{rest}");
    world.call_as(&world.merchant, method, &path, body, &headers).await
}

/// A form with files.
pub async fn send_form(
    world: &World,
    merchant: &Merchant,
    path: &str,
    parts: &[(&str, Option<&str>, &[u8])],
) -> Reply {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    let headers = [
        ("authorization", merchant.authorization.as_str()),
        ("content-type", "multipart/form-data; boundary=limit"),
        ("x-klarna-basic-mid", merchant.merchant_id.as_str()),
    ];
    world.send("POST", path, &headers, body).await
}

/// An error of version 4 on one line.
pub fn line(reply: &Reply) -> String {
    if reply.status < 300 {
        return reply.status.to_string();
    }
    let json = &reply.json;
    assert_eq!(json["error_id"], reply.header("klarna-correlation-id"), "{reply:?}");
    assert!(json["error_message"].as_str().is_some_and(|text| !text.is_empty()), "{reply:?}");
    let mut line = format!(
        "{} {} {}",
        reply.status,
        json["error_code"].as_str().unwrap(),
        json["error_type"].as_str().unwrap()
    );
    for error in json["validation_errors"].as_array().into_iter().flatten() {
        line = format!("{line} {}", error["parameter"].as_str().unwrap());
    }
    line
}

/// An error of version 2 on one line.
pub fn line_v2(reply: &Reply) -> String {
    if reply.status < 300 {
        return reply.status.to_string();
    }
    let members = reply.json.as_object().unwrap();
    assert_eq!(members.keys().collect::<Vec<_>>(), ["error_code", "error_message"]);
    format!("{} {}", reply.status, reply.json["error_code"].as_str().unwrap())
}
