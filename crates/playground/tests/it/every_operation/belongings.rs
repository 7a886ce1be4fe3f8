//! Everything a merchant can own, and the call of each operation that is about it.

use std::collections::BTreeMap;

use catalogue::{Operation, operations};
use serde_json::{Value, json};

use crate::common::{Merchant, Reply, World};

/// The smallest file that is a PDF.
const PDF: &[u8] = b"%PDF-1.4\n%%EOF\n";

/// A call.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Its body as JSON; null when it has none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The same with another body.
    pub fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }

    /// The same with a header that replaces one it may have.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut request = self.clone();
        request.headers.retain(|(header, _)| *header != name);
        request.headers.push((name, value.to_owned()));
        request
    }

    /// Sends it in somebody's name.
    pub async fn send(&self, world: &World, merchant: &Merchant) -> Reply {
        let mut headers = vec![("authorization", merchant.authorization.as_str())];
        headers.extend(self.headers.iter().map(|(name, value)| (*name, value.as_str())));
        world.send(self.method, &self.path, &headers, self.body.clone()).await
    }
}

/// What a merchant owns: one of each kind, all of it new, so that every operation can be carried out once.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// Who owns it.
    pub owner: Merchant,
    /// A partner of disputes, for the one operation that is for partners.
    pub partner: Merchant,
    /// A word in every text that the owner could choose.
    pub mark: &'static str,
    ids: BTreeMap<&'static str, String>,
    base: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Makes things for a merchant.
struct Maker<'a> {
    world: &'a World,
    owner: &'a Merchant,
    mark: &'static str,
}

impl Maker<'_> {
    async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let named = [("x-klarna-basic-mid", self.owner.merchant_id.as_str())];
        let reply = self.world.call_as(self.owner, method, path, body, &named).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
        reply
    }

    async fn session(&self, body: &Value) -> String {
        text(&self.call("POST", "/payments/v1/sessions", body).await.json["session_id"])
    }

    async fn authorization(&self, session: &Value) -> String {
        let shopper = json!({
            "session_id": self.session(session).await, "payment_method": "invoice",
            "email": "customer@email.se",
        });
        let outcome = self.world.control("/shopper/authorize", &shopper).await;
        text(&outcome["authorization_token"])
    }

    async fn customer_token(&self) -> String {
        let token = self.authorization(&tokenize(self.mark)).await;
        let path = format!("/payments/v1/authorizations/{token}/customer-token");
        text(&self.call("POST", &path, &customer_token(self.mark)).await.json["token_id"])
    }

    async fn order(&self) -> String {
        let body = session(self.mark);
        let token = self.authorization(&body).await;
        let path = format!("/payments/v1/authorizations/{token}/order");
        text(&self.call("POST", &path, &body).await.json["order_id"])
    }

    async fn capture(&self, order_id: &str, amount: i64) -> String {
        let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
        let body = json!({ "captured_amount": amount, "reference": self.mark });
        self.call("POST", &path, &body).await.header("capture-id").to_owned()
    }

    /// A dispute over an order of its own; its ids in version 4 and version 2.
    async fn dispute(&self, mut members: Value) -> (String, String) {
        let order_id = self.order().await;
        self.capture(&order_id, 10_000).await;
        members["order_id"] = json!(order_id);
        let raised = self.world.control("/disputes", &members).await;
        (text(&raised["payment_dispute_id"]), text(&raised["dispute_krn"]))
    }

    async fn upload(&self, path: &str) -> Value {
        let mut form = upload(path.to_owned(), self.mark);
        form.headers.push(("x-klarna-basic-mid", self.owner.merchant_id.clone()));
        let reply = form.send(self.world, self.owner).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json
    }
}

/// A form with a file in it.
fn upload(path: String, mark: &str) -> Request {
    let mut body = format!(
        "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{mark}.pdf\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(PDF);
    body.extend_from_slice(b"\r\n--limit--\r\n");
    let headers = vec![("content-type", "multipart/form-data; boundary=limit".to_owned())];
    Request { method: "POST", path, headers, body }
}

/// A session with nearly every member there is.
fn session(mark: &str) -> Value {
    let line = json!({
        "type": "physical", "reference": format!("{mark}-7"), "name": format!("Shirt {mark}"),
        "quantity": 2, "quantity_unit": "pcs", "unit_price": 6_000, "tax_rate": 2_500,
        "total_amount": 10_000, "total_discount_amount": 2_000, "total_tax_amount": 2_000,
        "merchant_data": mark, "product_url": format!("https://shop.example/{mark}"),
        "image_url": format!("https://shop.example/{mark}.png"),
        "product_identifiers": {
            "brand": mark, "category_path": "Clothes > Shirts",
            "global_trade_item_number": "735858293167", "manufacturer_part_number": "BOE-1",
            "color": "white", "size": "medium",
        },
        "subscription": { "name": mark, "interval": "MONTH", "interval_count": 1 },
    });
    let emd = json!({ "customer_account_info": [{ "unique_account_identifier": mark }] });
    json!({
        "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "intent": "buy_and_tokenize", "order_amount": 10_000, "order_tax_amount": 2_000,
        "order_lines": [line], "merchant_reference1": mark,
        "merchant_reference2": format!("{mark}-2"), "merchant_data": format!("data of {mark}"),
        "billing_address": address(mark), "shipping_address": address(mark),
        "customer": { "date_of_birth": "1991-05-04", "gender": "female", "type": "person" },
        "merchant_urls": {
            "confirmation": format!("https://shop.example/{mark}?o={{order.id}}"),
            "notification": format!("https://shop.example/{mark}/fraud"),
        },
        "attachment": {
            "content_type": "application/vnd.klarna.internal.emd-v2+json", "body": emd.to_string(),
        },
        "acquiring_channel": "ECOMMERCE",
        "options": { "color_border": "#ff9900" },
    })
}

fn address(mark: &str) -> Value {
    json!({
        "given_name": mark, "family_name": "Berg", "email": "customer@email.se",
        "phone": "+46701740615", "street_address": "Sveavägen 1", "street_address2": mark,
        "postal_code": "11157", "city": "Stockholm", "country": "SE",
    })
}

fn tokenize(mark: &str) -> Value {
    let mut body = session(mark);
    body["intent"] = json!("tokenize");
    body
}

fn customer_token(mark: &str) -> Value {
    json!({
        "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
        "description": format!("Monthly {mark}"), "intended_use": "SUBSCRIPTION",
        "billing_address": address(mark),
        "customer": { "date_of_birth": "1991-05-04", "gender": "female" },
    })
}

/// A session of a till.
fn in_store(mark: &str) -> Value {
    let mut body = session(mark);
    let store = json!({ "in_store_payment": [{ "store_info": {
        "merchant_store_id": mark, "store_terminal_id": "POS1232",
        "store_address": {
            "street_address": "Sveavägen", "street_number": "46", "postal_code": "11134",
            "city": "Stockholm", "country": "SE",
        },
    } }] });
    body["intent"] = json!("buy");
    body["acquiring_channel"] = json!("IN_STORE");
    body["attachment"]["body"] = json!(store.to_string());
    body["distribution"] = json!({ "method": "one_qr" });
    body
}

impl Belongings {
    /// One of each for a merchant of the world.
    pub async fn of(world: &World, owner: &Merchant, mark: &'static str) -> Self {
        let make = Maker { world, owner, mark };
        let base = world.public_url();
        let mut ids = BTreeMap::new();
        ids.insert("session", make.session(&session(mark)).await);
        ids.insert("authorization", make.authorization(&session(mark)).await);
        ids.insert("customer_token", make.customer_token().await);

        let hosted = make.session(&session(mark)).await;
        let body =
            json!({ "payment_session_url": format!("{base}/payments/v1/sessions/{hosted}") });
        let created = make.call("POST", "/hpp/v1/sessions", &body).await;
        ids.insert("hosted", text(&created.json["session_id"]));
        ids.insert("hosted_link", text(&created.json["redirect_url"]));
        ids.insert("to_be_hosted", make.session(&session(mark)).await);
        ids.insert("in_store", make.session(&in_store(mark)).await);

        let made = make.call("POST", "/v2/payment/requests", &payment_request(mark)).await;
        ids.insert("payment_request", text(&made.json["payment_request_id"]));

        ids.insert("new_order", make.order().await);
        let order_id = make.order().await;
        ids.insert("capture", make.capture(&order_id, 4_000).await);
        let path = format!("/ordermanagement/v1/orders/{order_id}/refunds");
        let refund =
            make.call("POST", &path, &json!({ "refunded_amount": 1_000, "reference": mark })).await;
        ids.insert("refund", refund.header("refund-id").to_owned());
        ids.insert("order", order_id);

        let path = format!("/v4/payment/disputes/merchants/{}/enroll", owner.merchant_id);
        make.call("POST", &path, &Value::Null).await;
        let (id, _) = make.dispute(json!({})).await;
        let file = make.upload(&format!("/v4/payment/disputes/{id}/attachments")).await;
        ids.insert("file", text(&file["payment_dispute_attachment_id"]));
        ids.insert("dispute", id);
        let (id, _) = make.dispute(json!({})).await;
        let file = make.upload(&format!("/v4/payment/disputes/{id}/attachments")).await;
        let evidence = json!({
            "attachments": [
                { "payment_dispute_attachment_id": file["payment_dispute_attachment_id"] },
            ],
            "additional_information": mark,
        });
        make.call("POST", &format!("/v4/payment/disputes/{id}/represent"), &evidence).await;
        world.control(&format!("/disputes/{id}/decide"), &json!({ "decision": "lost" })).await;
        ids.insert("lost_dispute", id);

        let older = json!({
            "framework": "framework_2020", "start": "requested", "reason": "goods_not_received",
            "script": "manual",
        });
        let (_, krn) = make.dispute(older.clone()).await;
        ids.insert("unanswered_krn", krn);
        let (_, krn) = make.dispute(older).await;
        make.upload(&format!("/disputes/v2/disputes/{krn}/attachments")).await;
        let path = format!("/disputes/v2/disputes/{krn}/requests/1/responses");
        make.call("POST", &path, &response(mark)).await;
        ids.insert("krn", krn);

        let close = json!({ "merchant_id": owner.merchant_id });
        let closed = world.control("/settlements/close", &close).await;
        ids.insert("payout", text(&closed["payouts"][0]));

        let partner = world.control("/merchants", &json!({})).await;
        let partner = Merchant::new(
            &text(&partner["merchant_id"]),
            &text(&partner["username"]),
            &text(&partner["password"]),
        );
        let path = format!("/merchants/{}/disputes", partner.merchant_id);
        world.control(&path, &json!({ "account": "partner" })).await;
        Self { owner: owner.clone(), partner, mark, ids, base }
    }

    /// One of its ids.
    pub fn id(&self, kind: &str) -> &str {
        self.ids.get(kind).unwrap_or_else(|| panic!("there is no {kind}"))
    }

    /// All of its ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.values().map(String::as_str)
    }

    /// Who may carry an operation out.
    pub fn caller(&self, operation: &Operation) -> &Merchant {
        if operation.name == "disputes.enroll_partner" { &self.partner } else { &self.owner }
    }

    /// What stands for a parameter in an operation's path.
    pub fn parameter(&self, operation: &Operation, name: &str) -> String {
        let kind = match (operation.name, name) {
            (_, "merchant_id") => return self.owner.merchant_id.clone(),
            (_, "partner_id") => return self.partner.merchant_id.clone(),
            (_, "request_id" | "response_id") => return "1".to_owned(),
            ("disputes_v2.download_request_attachment", "attachment_id") => {
                return "1000".to_owned();
            }
            ("disputes_v2.download_response_attachment", "attachment_id") => {
                return "1".to_owned();
            }
            ("in_store.read_distribution", "session_id") => "in_store",
            (operation, "session_id") if operation.starts_with("hosted_") => "hosted",
            (_, "session_id") => "session",
            (_, "payment_request_id") => "payment_request",
            (operation, "token") if operation.starts_with("customer_tokens.") => "customer_token",
            (_, "token") => "authorization",
            ("orders.cancel", "order_id") => "new_order",
            (_, "order_id") => "order",
            (_, "capture_id") => "capture",
            (_, "refund_id") => "refund",
            (_, "payment_reference") => "payout",
            ("disputes.appeal", "payment_dispute_id") => "lost_dispute",
            (_, "payment_dispute_id") => "dispute",
            (_, "attachment_id") => "file",
            ("disputes_v2.accept_loss", "dispute_krn") => "unanswered_krn",
            (_, "dispute_krn") => "krn",
            (operation, name) => panic!("nothing is known of {{{name}}} of {operation}"),
        };
        self.id(kind).to_owned()
    }

    /// An operation's path with these in place of its parameters.
    pub fn path(operation: &Operation, mut value: impl FnMut(&str) -> String) -> String {
        let segments = operation.path.split('/').map(|segment| {
            match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
                Some(name) => value(name),
                None => segment.to_owned(),
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// The call that carries an operation out on what is owned.
    pub fn request(&self, operation: &Operation) -> Request {
        let path = Self::path(operation, |name| self.parameter(operation, name));
        if operation.takes == catalogue::Takes::File {
            let mut request = upload(path, self.mark);
            self.name_itself(operation, &mut request);
            return request;
        }
        let query = self.query(operation);
        let body = self.body(operation);
        let mut request = Request {
            method: operation.method,
            path: format!("{path}{query}"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        assert_eq!(body.is_null(), operation.takes == catalogue::Takes::Nothing, "{operation:?}");
        if !body.is_null() {
            request.headers.push(("content-type", "application/json".to_owned()));
            request.body = body.to_string().into_bytes();
        }
        self.name_itself(operation, &mut request);
        request
    }

    fn name_itself(&self, operation: &Operation, request: &mut Request) {
        if operation.api == catalogue::Api::DisputesV2 {
            request.headers.push(("x-klarna-basic-mid", self.owner.merchant_id.clone()));
        }
    }

    /// The query, where one is needed or shows more.
    fn query(&self, operation: &Operation) -> String {
        match operation.name {
            "settlements.list_transactions" => {
                format!("?payment_reference={}&size=500", self.id("payout"))
            }
            "settlements.payout_report" | "settlements.payout_report_with_transactions" => {
                format!("?payment_reference={}", self.id("payout"))
            }
            "settlements.list_payouts"
            | "settlements.summarise_payouts"
            | "settlements.summary_report"
            | "settlements.summary_report_with_transactions" => {
                "?start_date=2026-01-01&end_date=2027-01-01".to_owned()
            }
            "disputes.list" => "?size=100".to_owned(),
            "disputes_v2.list" => "?limit=250".to_owned(),
            _ => String::new(),
        }
    }

    fn body(&self, operation: &Operation) -> Value {
        let mark = self.mark;
        match operation.name {
            "payments.create_session" | "payments.update_session" => session(mark),
            "payments.create_order" => {
                let mut body = session(mark);
                // A session's own members are ignored here.
                for name in ["intent", "attachment", "acquiring_channel", "options"] {
                    body.as_object_mut().unwrap().shift_remove(name);
                }
                body["auto_capture"] = json!(false);
                body
            }
            "payments.create_customer_token" => customer_token(mark),
            "customer_tokens.create_order" => {
                let of = session(mark);
                json!({
                    "purchase_currency": "SEK", "order_amount": 10_000, "order_tax_amount": 2_000,
                    "order_lines": of["order_lines"], "merchant_reference1": mark,
                    "merchant_reference2": mark, "merchant_data": mark, "auto_capture": false,
                    "shipping_address": address(mark), "merchant_urls": of["merchant_urls"],
                    "attachment": of["attachment"], "step_up": "SUPPORTED",
                })
            }
            "customer_tokens.set_status" => json!({ "status": "CANCELLED" }),
            "hosted_payment_page.create_session" => {
                let url = format!("{}/payments/v1/sessions/{}", self.base, self.id("to_be_hosted"));
                let shop = |name: &str| format!("https://shop.example/{mark}/{name}");
                json!({
                    "payment_session_url": url,
                    "merchant_urls": {
                        "success": shop("ok"), "cancel": shop("cancel"), "back": shop("back"),
                        "failure": shop("failure"), "error": shop("error"),
                        "status_update": shop("status"),
                    },
                    "options": {
                        "place_order_mode": "PLACE_ORDER", "payment_method_category": "KLARNA",
                        "purchase_type": "BUY", "page_title": mark, "show_subtotal_detail": "HIDE",
                        "logo_url": shop("logo.png"),
                        "background_images": [{ "url": shop("back.png"), "width": 1_000 }],
                    },
                })
            }
            "hosted_payment_page.distribute" => json!({
                "method": "email", "contact_information": { "email": "customer@email.se" },
                "template": "INSTORE_PURCHASE",
            }),
            "payment_requests.create" => payment_request(mark),
            "orders.update_authorization" => json!({
                "order_amount": 9_000, "description": mark,
                "order_lines": [{
                    "name": mark, "quantity": 1, "unit_price": 9_000, "total_amount": 9_000,
                    "type": "physical", "reference": mark,
                }],
            }),
            "orders.update_customer_details" => json!({ "shipping_address": address(mark) }),
            "orders.update_merchant_references" => {
                json!({ "merchant_reference1": mark, "merchant_reference2": mark })
            }
            "orders.append_shipping_info" | "orders.append_capture_shipping_info" => {
                json!({ "shipping_info": [shipment(mark)] })
            }
            "orders.capture" => json!({
                "captured_amount": 1_000, "description": mark, "reference": mark,
                "shipping_info": [shipment(mark)],
                "order_lines": [{
                    "name": mark, "quantity": 1, "unit_price": 1_000, "total_amount": 1_000,
                    "type": "physical", "reference": mark,
                }],
            }),
            "orders.refund" => json!({
                "refunded_amount": 500, "description": mark, "reference": mark,
                "order_lines": [{
                    "name": mark, "quantity": 1, "unit_price": 500, "total_amount": 500,
                    "type": "physical", "reference": mark,
                }],
            }),
            "orders.extend_due_date" => json!({ "number_of_days": 10 }),
            "disputes.enroll_partner" => json!({ "client_id": "abc123" }),
            "disputes.represent" => json!({
                "attachments": [{
                    "payment_dispute_attachment_id": self.id("file"), "description": mark,
                }],
                "additional_information": mark, "partner_proposed_refund_amount": 1_000,
            }),
            "disputes.appeal" => json!({ "additional_information": mark }),
            "disputes_v2.respond" => response(mark),
            _ => Value::Null,
        }
    }

    /// Whether an operation leaves something behind with which another one, or the same one again, cannot
    /// be carried out.
    pub fn uses_up(operation: &Operation) -> bool {
        let ends = [
            "payments.create_order",
            "payments.create_customer_token",
            "customer_tokens.set_status",
            "orders.cancel",
            "orders.release_remaining_authorization",
            "disputes.accept_loss",
            "disputes.represent",
            "disputes.appeal",
            "disputes_v2.accept_loss",
        ];
        operation.method == "DELETE" || ends.contains(&operation.name)
    }

    /// All that can be read of it.
    pub async fn read(&self, world: &World) -> BTreeMap<&'static str, Value> {
        let mut all = BTreeMap::new();
        for operation in operations().filter(|operation| operation.method == "GET") {
            let reply = self.request(operation).send(world, self.caller(operation)).await;
            assert_eq!(reply.status, 200, "{}: {reply:?}", operation.name);
            let value = if reply.json.is_null() { json!(reply.text) } else { reply.json };
            all.insert(operation.name, value);
        }
        for (name, path) in [
            ("the new order", format!("/ordermanagement/v1/orders/{}", self.id("new_order"))),
            ("the lost dispute", format!("/v4/payment/disputes/{}", self.id("lost_dispute"))),
        ] {
            let reply = world.call_as(&self.owner, "GET", &path, &Value::Null, &[]).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            all.insert(name, reply.json);
        }
        all
    }
}

/// A payment request with every member there is.
fn payment_request(mark: &str) -> Value {
    json!({
        "currency": "SEK", "amount": 10_000, "payment_request_reference": mark, "locale": "sv-SE",
        "customer_interaction_config": {
            "method": "HANDOVER", "return_url": format!("https://shop.example/{mark}"),
        },
        "collect_customer_profile": ["profile:email"],
        "shipping_config": { "mode": "EDITABLE", "supported_countries": ["SE"] },
        "supplementary_purchase_data": {
            "purchase_reference": mark,
            "line_items": [{
                "name": mark, "quantity": 2, "total_amount": 10_000, "total_tax_amount": 2_000,
                "unit_price": 5_000, "line_item_reference": mark,
            }],
        },
    })
}

fn shipment(mark: &str) -> Value {
    json!({
        "shipping_company": mark, "shipping_method": "PickUpStore", "tracking_number": mark,
        "tracking_uri": format!("https://shop.example/{mark}"), "return_shipping_company": mark,
        "return_tracking_number": mark, "return_tracking_uri": format!("https://shop.example/{mark}"),
    })
}

fn response(mark: &str) -> Value {
    json!({
        "attachments": [1], "comment": mark,
        "requested_fields": {
            "order_type": "physical_goods", "is_order_shipped": "yes_in_full",
            "shipping_carrier": "dhl", "tracking_id": mark, "proof_of_delivery": [1],
            "shipping_date": "2026-03-02T08:00:00.000Z",
        },
    })
}
