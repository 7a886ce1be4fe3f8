//! A payment request as the merchant's server knows it: what the server asks for, what it reads, what it is told
//! of by its webhook, and the address to which the browser goes back.
//!
//! The names are those of Klarna's API, which are the SDK's in another case. A server that asks for what cannot be
//! read hears of every member that is wrong; pages are treated more kindly.

use jiff::Timestamp;
use klarna_types::disputes::webhook::{SIGNATURE_HEADER, SIGNING_KEY_ID_HEADER};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{PaymentRequest, State, Wanted};
use crate::domain::callback::{Callback, CallbackKind};
use crate::domain::dispute::{Webhook, signature};

/// The most characters of a text that people read.
const TEXT: usize = 255;
/// The most characters of an address.
const ADDRESS: usize = 2_000;
/// The greatest number that is published for an amount.
const GREATEST: i64 = 2_147_483_647;
/// The most line items, and members of other lists.
const MOST: usize = 1_000;

/// A member that is wrong, and how.
pub(crate) type Wrong = (String, String);

/// Reads members, and takes down what is wrong with them.
#[derive(Default)]
struct Reader {
    wrong: Vec<Wrong>,
}

impl Reader {
    fn refuse(&mut self, at: String, reason: impl Into<String>) {
        self.wrong.push((at, reason.into()));
    }

    /// A member that is there.
    fn given<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
        of.get(name).filter(|value| !value.is_null())
    }

    fn object<'a>(&mut self, of: &'a Value, at: &str, name: &str) -> Option<&'a Value> {
        let value = Self::given(of, name)?;
        if !value.is_object() {
            self.refuse(format!("{at}{name}"), "has to be an object");
            return None;
        }
        Some(value)
    }

    fn list<'a>(&mut self, of: &'a Value, at: &str, name: &str) -> &'a [Value] {
        let Some(value) = Self::given(of, name) else { return &[] };
        match value.as_array() {
            Some(list) if list.len() <= MOST => list,
            _ => {
                self.refuse(format!("{at}{name}"), format!("has to be a list of at most {MOST}"));
                &[]
            }
        }
    }

    fn text(&mut self, of: &Value, at: &str, name: &str, most: usize) -> Option<String> {
        let value = Self::given(of, name)?;
        self.is_text(value, format!("{at}{name}"), most)
    }

    fn is_text(&mut self, value: &Value, at: String, most: usize) -> Option<String> {
        let is_odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        match value.as_str() {
            Some(text)
                if !text.is_empty() && text.chars().count() <= most && !text.contains(is_odd) =>
            {
                Some(text.to_owned())
            }
            _ => {
                self.refuse(at, format!("has to be a text of 1 to {most} characters"));
                None
            }
        }
    }

    fn texts(&mut self, of: &Value, at: &str, name: &str, most: usize) -> Vec<String> {
        let list = self.list(of, at, name);
        let read = list
            .iter()
            .enumerate()
            .filter_map(|(index, value)| self.is_text(value, format!("{at}{name}[{index}]"), most));
        read.collect()
    }

    fn number(&mut self, of: &Value, at: &str, name: &str, least: i64) -> Option<i64> {
        let value = Self::given(of, name)?;
        let number = value.as_i64().filter(|number| (least..=GREATEST).contains(number));
        if number.is_none() {
            let reason = format!("has to be an integer from {least} to {GREATEST}");
            self.refuse(format!("{at}{name}"), reason);
        }
        number
    }
}

/// Adds what is there.
fn put(into: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value.into());
    }
}

/// Reads what a server asks for. `may_return` says whether the browser may be sent to an address.
pub(crate) fn read(body: &Value, may_return: impl Fn(&str) -> bool) -> Result<Wanted, Vec<Wrong>> {
    let mut reader = Reader::default();
    let mut data = Map::new();
    let currency = reader.text(body, "", "currency", 3);
    if currency.is_none() && reader.wrong.is_empty() {
        reader.refuse("currency".to_owned(), "is required");
    }
    put(&mut data, "currency", currency);
    let amount = reader.number(body, "", "amount", 0);
    put(&mut data, "amount", amount);
    let reference = reader.text(body, "", "payment_request_reference", TEXT);
    put(&mut data, "paymentRequestReference", reference);
    let locale = reader.text(body, "", "locale", 35);
    let profile = reader.texts(body, "", "collect_customer_profile", 64);
    data.insert("collectCustomerProfile".to_owned(), json!(profile));

    if let Some(config) = reader.object(body, "", "customer_interaction_config") {
        let at = "customer_interaction_config.";
        let method = reader.text(config, at, "method", 32);
        if method.is_some_and(|method| method != "HANDOVER") {
            reader.refuse(format!("{at}method"), "has to be HANDOVER");
        }
        let address = reader.text(config, at, "return_url", ADDRESS);
        if address.as_deref().is_some_and(|address| !may_return(address)) {
            reader.refuse(format!("{at}return_url"), "has to be an https URL");
        }
        data.insert("customerInteractionConfig".to_owned(), json!({ "returnUrl": address }));
    }
    if let Some(config) = reader.object(body, "", "shipping_config") {
        let at = "shipping_config.";
        let mode = reader.text(config, at, "mode", 32);
        if mode.as_deref().is_some_and(|mode| !matches!(mode, "EDITABLE" | "READ_ONLY")) {
            reader.refuse(format!("{at}mode"), "has to be EDITABLE or READ_ONLY");
        }
        let countries = reader.texts(config, at, "supported_countries", 2);
        let read = json!({ "mode": mode, "supportedCountries": countries });
        data.insert("shippingConfig".to_owned(), read);
    }
    if let Some(purchase) = reader.object(body, "", "supplementary_purchase_data") {
        let read = supplementary(&mut reader, purchase, amount);
        data.insert("supplementaryPurchaseData".to_owned(), read);
    }
    if !reader.wrong.is_empty() {
        return Err(reader.wrong);
    }
    Wanted::read(&Value::Object(data), locale.as_deref())
        .map_err(|invalid| vec![(invalid.field.to_owned(), invalid.message.to_owned())])
}

fn supplementary(reader: &mut Reader, purchase: &Value, amount: Option<i64>) -> Value {
    let at = "supplementary_purchase_data.";
    let reference = reader.text(purchase, at, "purchase_reference", TEXT);
    let mut items = Vec::new();
    let mut sum = Some(0_i64);
    for (index, item) in reader.list(purchase, at, "line_items").iter().enumerate() {
        let at = format!("{at}line_items[{index}].");
        if !item.is_object() {
            reader.refuse(at.trim_end_matches('.').to_owned(), "has to be an object");
            continue;
        }
        for name in ["name", "quantity", "total_amount"] {
            if Reader::given(item, name).is_none() {
                reader.refuse(format!("{at}{name}"), "is required");
            }
        }
        let mut read = Map::new();
        let total = reader.number(item, &at, "total_amount", 0);
        sum = sum.zip(total).and_then(|(sum, total)| sum.checked_add(total));
        put(&mut read, "name", reader.text(item, &at, "name", TEXT));
        put(&mut read, "quantity", reader.number(item, &at, "quantity", 1));
        put(&mut read, "totalAmount", total);
        put(&mut read, "totalTaxAmount", reader.number(item, &at, "total_tax_amount", 0));
        put(&mut read, "unitPrice", reader.number(item, &at, "unit_price", 0));
        put(&mut read, "lineItemReference", reader.text(item, &at, "line_item_reference", TEXT));
        items.push(Value::Object(read));
    }
    if !items.is_empty() && amount.is_some() && sum.is_some() && sum != amount {
        reader.refuse("amount".to_owned(), "has to be what the line items add up to");
    }
    json!({ "purchaseReference": reference, "lineItems": items })
}

/// A value with its members' names in the API's case: `paymentRequestId` is `payment_request_id`.
fn in_snake_case(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(name, value)| (snake(&name), in_snake_case(value))).collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(in_snake_case).collect()),
        other => other,
    }
}

fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// What may stand in an address as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

impl PaymentRequest {
    /// As a server reads it.
    pub(crate) fn api_view(&self, base_url: &str) -> Value {
        let mut view = in_snake_case(self.view(base_url));
        view["created_at"] = json!(self.created_at);
        if let Ok(expires_at) = Timestamp::from_millisecond(self.expires_at_ms()) {
            view["expires_at"] = json!(expires_at);
        }
        if let Some(reference) = &self.reference {
            view["payment_request_reference"] = json!(reference);
        }
        view
    }

    /// Where the browser goes at the end. The merchant's address may name what it wants to be told in it; tokens
    /// are not among that here, as addresses are written down in many places.
    pub(crate) fn destination(&self) -> Option<String> {
        let reason = self.state_reason.map(|reason| json!(reason));
        let reason = reason.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let values = [
            ("id", self.payment_request_id.as_str()),
            ("state", self.state.as_str()),
            ("state_reason", &reason),
            ("payment_request_reference", self.reference.as_deref().unwrap_or_default()),
            ("payment_reference", self.reference.as_deref().unwrap_or_default()),
            ("payment_token", ""),
            ("interoperability_token", ""),
            ("klarna_network_session_token", ""),
        ];
        let address = self.return_url.as_deref()?;
        let filled = values.iter().fold(address.to_owned(), |address, (name, value)| {
            address.replace(&format!("{{klarna.payment_request.{name}}}"), &escaped(value))
        });
        Some(filled.replace("{klarna.payment_token}", ""))
    }

    /// What the merchant's webhook is told of the state that the request has come to, if it wants to hear of it.
    pub(crate) fn callback(&self, at: Timestamp, webhook: &Webhook) -> Option<Callback> {
        let state = self.state.as_str().to_ascii_lowercase().replace('_', "-");
        let kind = format!("payment.request.state-change.{state}");
        if !webhook.wants(&kind) {
            return None;
        }
        let name = format!("{}/events/{}", self.payment_request_id, self.version);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        let account = format!("krn:partner:global:account:test:{}", self.merchant_id);
        let mut payload = in_snake_case(self.view(""));
        if self.state == State::Completed {
            // Here what a reader of the request finds below `state_context` stands by itself.
            if let Some(Value::Object(context)) =
                payload.as_object_mut().and_then(|members| members.remove("state_context"))
            {
                for (name, value) in context {
                    payload[name] = value;
                }
            }
        } else if let Some(members) = payload.as_object_mut() {
            members.remove("state_context");
        }
        if let Some(reference) = &self.reference {
            payload["payment_request_reference"] = json!(reference);
        }
        let message = json!({
            "metadata": {
                "event_type": kind, "event_id": id, "event_version": "v2",
                "correlation_id": Uuid::new_v5(&id, b"correlation"), "occurred_at": at,
                "webhook_id": webhook.webhook_id, "live": false,
                "subject_account_id": account, "recipient_account_id": account,
            },
            "payload": payload,
        });
        let body = message.to_string();
        let signed = signature(&webhook.signing_key, body.as_bytes());
        Some(Callback {
            id: format!("{}:{id}", CallbackKind::PaymentRequestWebhook),
            merchant_id: self.merchant_id.clone(),
            kind: CallbackKind::PaymentRequestWebhook,
            subject_id: self.payment_request_id.clone(),
            url: webhook.url.clone(),
            body,
            headers: vec![
                (SIGNATURE_HEADER.to_owned(), signed),
                (SIGNING_KEY_ID_HEADER.to_owned(), webhook.signing_key_id.clone()),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::request;
    use super::*;

    fn asked() -> Value {
        json!({
            "currency": "SEK", "amount": 12_500, "payment_request_reference": "WEB-8", "locale": "sv-SE",
            "customer_interaction_config": { "method": "HANDOVER", "return_url": "https://shop.example/back" },
            "collect_customer_profile": ["profile:email"],
            "shipping_config": { "mode": "EDITABLE", "supported_countries": ["SE"] },
            "supplementary_purchase_data": { "purchase_reference": "P-8", "line_items": [
                { "name": "Mug", "quantity": 2, "total_amount": 12_500, "total_tax_amount": 2_500,
                  "unit_price": 6_250, "line_item_reference": "M-1" },
            ] },
        })
    }

    fn https(address: &str) -> bool {
        address.starts_with("https://")
    }

    #[test]
    fn what_a_server_asks_for_is_read_like_what_a_page_asks_for() {
        let wanted = read(&asked(), https).unwrap();
        assert_eq!(wanted.reference.as_deref(), Some("WEB-8"));
        assert_eq!(wanted.return_url.as_deref(), Some("https://shop.example/back"));
        assert_eq!(wanted.body.order_lines.as_ref().map(Vec::len), Some(1));
        assert!(wanted.shipping.is_some());
        let least = read(&json!({ "currency": "EUR", "amount": 1 }), https).unwrap();
        assert_eq!((least.return_url, least.shipping), (None, None));
    }

    #[test]
    fn each_member_that_is_wrong_is_named() {
        for (pointer, value, at) in [
            ("/currency", json!("XXX"), "currency"),
            ("/currency", Value::Null, "currency"),
            ("/amount", json!(1), "amount"),
            ("/amount", json!(-1), "amount"),
            ("/amount", json!(1.5), "amount"),
            ("/payment_request_reference", json!("a\nb"), "payment_request_reference"),
            ("/collect_customer_profile", json!([7]), "collect_customer_profile[0]"),
            ("/customer_interaction_config", json!([]), "customer_interaction_config"),
            (
                "/customer_interaction_config/return_url",
                json!("javascript:alert(1)"),
                "customer_interaction_config.return_url",
            ),
            (
                "/customer_interaction_config/method",
                json!("NONE"),
                "customer_interaction_config.method",
            ),
            ("/shipping_config/mode", json!("NONE"), "shipping_config.mode"),
            (
                "/supplementary_purchase_data/line_items/0/quantity",
                json!(0),
                "supplementary_purchase_data.line_items[0].quantity",
            ),
            (
                "/supplementary_purchase_data/line_items/0/name",
                Value::Null,
                "supplementary_purchase_data.line_items[0].name",
            ),
        ] {
            let mut body = asked();
            *body.pointer_mut(pointer).unwrap() = value;
            let wrong = read(&body, https).unwrap_err();
            assert!(wrong.iter().any(|(path, _)| path == at), "{pointer}: {wrong:?}");
        }
    }

    #[test]
    fn an_address_tells_what_it_names_and_no_token() {
        let mut request = request(State::Completed);
        request.reference = Some("A B&c".to_owned());
        request.return_url = Some(
            "https://shop.example/?id={klarna.payment_request.id}&s={klarna.payment_request.state}\
             &r={klarna.payment_request.payment_request_reference}&t={klarna.payment_request.payment_token}"
                .to_owned(),
        );
        assert_eq!(
            request.destination().as_deref(),
            Some("https://shop.example/?id=r&s=COMPLETED&r=A%20B%26c&t=")
        );
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(name in "[a-z_]{0,12}", text in ".{0,20}", number in any::<i64>()) {
            let values = [json!(text), json!(number), json!([text, number]), json!({ (name.clone()): text })];
            for value in values {
                let mut body = asked();
                body["amount"] = value.clone();
                body["supplementary_purchase_data"] = value.clone();
                body["shipping_config"] = value.clone();
                body[name.as_str()] = value;
                let _ = read(&body, https);
            }
        }

        #[test]
        fn what_is_escaped_is_plain(text in "\\PC{0,40}") {
            prop_assert!(escaped(&text).bytes().all(|byte| is_plain(byte) || byte == b'%'));
        }
    }
}
