//! What the end-to-end tests have in common: the published test persons, and the moves of a
//! shopper and of a merchant, as a person makes them in the pages and as programs make them over
//! HTTP.

pub mod dashboard;
pub mod shopping;

use serde_json::{Value, json};
use testing::eventually;
use testing::http::{As, Http};
use testing::kassa::Kassa;

/// The program under test.
pub const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

/// A country of the shop with its approved test person, as Klarna publishes them.
#[derive(Debug, Clone, Copy)]
pub struct Market {
    pub country: &'static str,
    pub locale: &'static str,
    pub currency: &'static str,
    pub email: &'static str,
    pub phone: &'static str,
    pub given_name: &'static str,
    pub family_name: &'static str,
    pub street_address: &'static str,
    pub postal_code: &'static str,
    pub city: &'static str,
    pub region: &'static str,
}

pub const SWEDEN: Market = Market {
    country: "SE",
    locale: "sv-SE",
    currency: "SEK",
    email: "customer@email.se",
    phone: "+46701740615",
    given_name: "Alice",
    family_name: "Test",
    street_address: "Södra Blasieholmshamnen 2",
    postal_code: "11 148",
    city: "Stockholm",
    region: "",
};

pub const GERMANY: Market = Market {
    country: "DE",
    locale: "de-DE",
    currency: "EUR",
    email: "customer@email.de",
    phone: "+49017614284340",
    given_name: "Mock",
    family_name: "Mock",
    street_address: "Neue Schönhauser Str. 2",
    postal_code: "10178",
    city: "Berlin",
    region: "",
};

pub const BRITAIN: Market = Market {
    country: "GB",
    locale: "en-GB",
    currency: "GBP",
    email: "customer@email.uk",
    phone: "+447755564318",
    given_name: "Test",
    family_name: "Person-uk",
    street_address: "10 New Burlington Street Apt. 214",
    postal_code: "W1S 3BE",
    city: "London",
    region: "",
};

pub const AMERICA: Market = Market {
    country: "US",
    locale: "en-US",
    currency: "USD",
    email: "customer@email.us",
    phone: "+13106683312",
    given_name: "Test",
    family_name: "Person-us",
    street_address: "509 Amsterdam Ave",
    postal_code: "10024-3941",
    city: "New York",
    region: "NY",
};

impl Market {
    /// The published person of this country whom Klarna denies.
    pub fn denied(self) -> Self {
        match self.country {
            "SE" => Self {
                email: "customer+denied@email.se",
                phone: "+46701740620",
                given_name: "Test",
                family_name: "Person-se",
                street_address: "Karlaplan 3",
                postal_code: "11 460",
                ..self
            },
            "GB" => Self { email: "customer+denied@email.uk", phone: "+447355505530", ..self },
            other => panic!("the denied person of {other} is not written down"),
        }
    }

    /// The person's address as Klarna's API writes it.
    pub fn address(&self) -> Value {
        let mut address = json!({
            "given_name": self.given_name, "family_name": self.family_name,
            "email": self.email, "phone": self.phone,
            "street_address": self.street_address, "postal_code": self.postal_code,
            "city": self.city, "country": self.country,
        });
        if !self.region.is_empty() {
            address["region"] = self.region.into();
        }
        address
    }
}

/// Opens a checkout at the gateway, as a shop does.
pub async fn open_checkout(kassa: &Kassa, http: &Http, reference: &str) -> Value {
    let body = json!({
        "merchant_reference": reference, "country": "SE", "locale": "sv-SE",
        "prices": "including_tax",
        "lines": [
            {
                "type": "physical", "reference": "mist-mug", "name": "Muggen Dis",
                "quantity": 2, "unit_price": 24_900, "tax_rate": 2500,
            },
            {
                "type": "shipping_fee", "reference": "standard", "name": "Frakt",
                "quantity": 1, "unit_price": 4_900, "tax_rate": 2500,
            },
        ],
    });
    http.post(&format!("{}/v1/checkouts", kassa.ready().gateway_url), kassa.key(), &body).await
}

/// The address of a checkout at the gateway.
pub fn checkout_url(kassa: &Kassa, checkout: &Value) -> String {
    let id = checkout["id"].as_str().unwrap_or_else(|| panic!("no id in {checkout}"));
    format!("{}/v1/checkouts/{id}", kassa.ready().gateway_url)
}

/// A checkout as the gateway tells it now.
pub async fn read_checkout(kassa: &Kassa, http: &Http, checkout: &Value) -> Value {
    http.get(&checkout_url(kassa, checkout), kassa.key()).await
}

/// Waits until a checkout has this status.
pub async fn checkout_becomes(kassa: &Kassa, http: &Http, checkout: &Value, status: &str) -> Value {
    eventually(&format!("the checkout to be {status}"), async || {
        let now = read_checkout(kassa, http, checkout).await;
        if now["status"] == status { Ok(now) } else { Err(now) }
    })
    .await
}

/// The Swedish shopper approves a checkout, by the playground's control API; the token that the
/// browser would get.
pub async fn approve(kassa: &Kassa, http: &Http, checkout: &Value) -> String {
    let body = json!({
        "client_token": checkout["klarna"]["client_token"],
        "email": SWEDEN.email, "phone": SWEDEN.phone, "otp": "123456",
        "data": { "billing_address": SWEDEN.address() },
    });
    let url = format!("{}/playground/v1/shopper/authorize", kassa.ready().playground_url);
    let result = http.post(&url, As::Anyone, &body).await;
    assert_eq!(result["approved"], true, "{result}");
    result["authorization_token"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

/// Both books agree on an order: the gateway's payment and Klarna's order. Answers both.
pub async fn books_agree(kassa: &Kassa, http: &Http, payment_id: &str) -> (Value, Value) {
    let payment = kassa.payment(http, payment_id).await;
    let order_id = payment["klarna_order_id"].as_str().unwrap_or_else(|| panic!("{payment}"));
    let order = kassa.order(http, order_id).await;
    let amounts = &payment["amounts"];
    for (ours, theirs) in [
        ("authorized", "order_amount"),
        ("original", "original_order_amount"),
        ("captured", "captured_amount"),
        ("refunded", "refunded_amount"),
        ("remaining", "remaining_authorized_amount"),
    ] {
        assert_eq!(amounts[ours], order[theirs], "{ours} and {theirs}:\n{payment}\n{order}");
    }
    assert_eq!(
        payment["status"].as_str().unwrap_or_default().to_uppercase(),
        order["status"].as_str().unwrap_or_default(),
        "{payment}\n{order}"
    );
    assert_eq!(payment["merchant_reference"], order["merchant_reference1"]);
    let count = |of: &Value, what: &str| of[what].as_array().map_or(0, Vec::len);
    assert_eq!(count(&payment, "captures"), count(&order, "captures"));
    assert_eq!(count(&payment, "refunds"), count(&order, "refunds"));
    (payment, order)
}
