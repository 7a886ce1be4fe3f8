//! A call to Klarna as people may see it: where it went, and what was sent and answered without what
//! is a secret or a person's own.
//!
//! What may be shown is listed, by the names of Klarna's members; everything else is told to be there
//! and not what it is. A member that Klarna invents tomorrow is hidden until somebody lists it.

use serde_json::Value;

use super::change::{Change, ChangeRequest};
use super::journal::Request;

/// What stands where something is not shown.
pub const HIDDEN: &str = "(not kept)";

/// Members whose text may be shown: codes, numbers of the shop's and of Klarna's, and what the shop
/// sells. No address, no name of a person's, no URL.
const SHOWN: &[&str] = &[
    "captured_at",
    "capture_id",
    "currency",
    "description",
    "error_code",
    "error_messages",
    "expires_at",
    "fraud_status",
    "id",
    "intent",
    "klarna_reference",
    "locale",
    "merchant_reference",
    "merchant_reference1",
    "merchant_reference2",
    "order_id",
    "purchase_country",
    "purchase_currency",
    "quantity_unit",
    "reference",
    "refund_id",
    "return_shipping_company",
    "return_tracking_number",
    "shipping_company",
    "shipping_method",
    "status",
    "tracking_number",
    "type",
];
/// Members in which everything is a person's, or the shop's own business, or a secret.
const OWN: &[&str] = &[
    "attachment",
    "billing_address",
    "customer",
    "merchant_data",
    "merchant_urls",
    "options",
    "shipping_address",
];

/// The body without what must not be shown.
pub fn shown(body: &Value) -> Value {
    look("", "", body)
}

fn look(parent: &str, name: &str, value: &Value) -> Value {
    if OWN.contains(&name) {
        return Value::from(HIDDEN);
    }
    match value {
        // Amounts, quantities, rates, yes and no.
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(_) => {
            // What was bought has a name; so do people.
            let of_line = name == "name" && parent == "order_lines";
            if SHOWN.contains(&name) || of_line { value.clone() } else { Value::from(HIDDEN) }
        }
        // The members of a list are what the list is.
        Value::Array(all) => all.iter().map(|each| look(parent, name, each)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(member, each)| (member.clone(), look(name, member, each)))
                .collect(),
        ),
    }
}

/// The method and the path of a call. The token of an authorisation, and that of a customer, stand
/// in theirs, and are secrets.
pub fn line(request: &Request) -> (&'static str, String) {
    const ORDERS: &str = "/ordermanagement/v1/orders";
    match request {
        Request::PlaceOrder { .. } => {
            ("POST", format!("/payments/v1/authorizations/{HIDDEN}/order"))
        }
        Request::Capture(transfer) => ("POST", format!("{ORDERS}/{}/captures", transfer.order_id)),
        Request::Refund(transfer) => ("POST", format!("{ORDERS}/{}/refunds", transfer.order_id)),
        Request::Cancel { order_id } => ("POST", format!("{ORDERS}/{order_id}/cancel")),
        Request::Release { order_id, .. } => {
            ("POST", format!("{ORDERS}/{order_id}/release-remaining-authorization"))
        }
        Request::Change(request) => change(request),
        Request::CreateToken { .. } => {
            ("POST", format!("/payments/v1/authorizations/{HIDDEN}/customer-token"))
        }
        Request::Charge(_) => ("POST", format!("/customer-token/v1/tokens/{HIDDEN}/order")),
        Request::CancelToken { .. } => {
            ("PATCH", format!("/customer-token/v1/tokens/{HIDDEN}/status"))
        }
    }
}

fn change(request: &ChangeRequest) -> (&'static str, String) {
    let order = format!("/ordermanagement/v1/orders/{}", request.order_id);
    let of = match &request.capture_id {
        Some(id) => format!("{order}/captures/{id}"),
        None => order.clone(),
    };
    match request.change() {
        Change::UpdateAuthorization => ("PATCH", format!("{order}/authorization")),
        Change::ExtendAuthorization => ("POST", format!("{order}/extend-authorization-time")),
        Change::UpdateCustomer => ("PATCH", format!("{order}/customer-details")),
        Change::UpdateReferences => ("PATCH", format!("{order}/merchant-references")),
        Change::AddShippingInfo => ("POST", format!("{of}/shipping-info")),
        Change::ResendCommunication => ("POST", format!("{of}/trigger-send-out")),
        Change::ExtendDueDate => ("PATCH", format!("{of}/extend-due-date")),
        Change::Acknowledge => ("POST", format!("{order}/acknowledge")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_the_shops_own_words_stay() {
        let body = json!({
            "purchase_country": "SE", "order_amount": 34_500, "auto_capture": false,
            "merchant_reference1": "WEB-1001",
            "order_lines": [{ "name": "Mugg", "reference": "MUG", "unit_price": 9_900,
                "product_url": "https://shop.example/?secret=1" }],
            "billing_address": { "given_name": "Eva", "email": "eva@mail.example" },
            "merchant_urls": { "authorization": "https://shop.example/s3cret" },
            "customer": { "date_of_birth": "1941-03-21" },
            "name": "Eva", "authorization_token": "s3cret",
        });
        assert_eq!(
            shown(&body),
            json!({
                "purchase_country": "SE", "order_amount": 34_500, "auto_capture": false,
                "merchant_reference1": "WEB-1001",
                "order_lines": [{ "name": "Mugg", "reference": "MUG", "unit_price": 9_900,
                    "product_url": HIDDEN }],
                "billing_address": HIDDEN, "merchant_urls": HIDDEN, "customer": HIDDEN,
                "name": HIDDEN, "authorization_token": HIDDEN,
            })
        );
    }

    #[test]
    fn no_path_has_a_token_in_it() {
        let request =
            Request::PlaceOrder { session_id: "session-1".to_owned(), body: String::new() };
        assert_eq!(line(&request), ("POST", format!("/payments/v1/authorizations/{HIDDEN}/order")));
        let cancel = Request::Cancel { order_id: "order-1".to_owned() };
        assert_eq!(line(&cancel).1, "/ordermanagement/v1/orders/order-1/cancel");
    }

    fn bodies() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!("s3cret")), any::<i32>().prop_map(Value::from)];
        let names = prop_oneof![
            "[a-z_]{1,12}"
                .prop_filter("listed", |name| !SHOWN.contains(&name.as_str()) && name != "name"),
            Just("billing_address".to_owned()),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(names.clone(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_nobody_listed_is_never_shown(body in bodies()) {
            prop_assert!(!shown(&body).to_string().contains("s3cret"));
        }
    }
}
