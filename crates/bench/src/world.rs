//! A playground with its data on disk, and what a merchant does there: shared by the measurements.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_types::secret::Secret;
use playground::{Config, Playground, RateLimits, Running, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::SystemClock;
use storage::Location;

use crate::Outcome;
use crate::http1::{Answer, Request, ask};

pub(crate) const MERCHANT: &str = "K123456";
pub(crate) const PASSWORD: &str = "bench";

/// A running playground.
pub(crate) struct World {
    running: Running,
    file: PathBuf,
    authorization: String,
}

/// A member of an object that has to be a text.
pub(crate) fn text(value: &Value, member: &str) -> Outcome<String> {
    let found = value.get(member).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("no {member} in {value}"))?.to_owned())
}

/// A purchase of one line, as small as they come: what is measured is not how large it is.
pub(crate) fn purchase(intent: &str) -> Value {
    json!({
        "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "intent": intent,
        "order_amount": 10_000, "order_tax_amount": 0,
        "order_lines": [{
            "type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 1,
            "unit_price": 10_000, "tax_rate": 0, "total_amount": 10_000, "total_tax_amount": 0,
        }],
    })
}

impl World {
    /// Starts one on this file.
    pub(crate) async fn start(file: &Path) -> Outcome<Self> {
        let running = Playground::start(Config {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            location: Location::File(file.to_owned()),
            merchants: vec![SeedMerchant {
                merchant_id: MERCHANT.to_owned(),
                username: MERCHANT.to_owned(),
                password: Secret::new(PASSWORD),
                client_id: None,
            }],
            rate_limits: RateLimits::Off,
            unauthorized: UnauthorizedForm::default(),
            callback_targets: None,
            control_token: None,
            clock: Arc::new(SystemClock),
        })
        .await?;
        let authorization = format!("Basic {}", STANDARD.encode(format!("{MERCHANT}:{PASSWORD}")));
        Ok(Self { running, file: file.to_owned(), authorization })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Ends it; answers where its data are.
    pub(crate) async fn stop(self) -> PathBuf {
        self.running.stop().await;
        self.file
    }

    /// A request of the merchant.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        let body = body.map(Value::to_string).unwrap_or_default();
        Request::new(method, path, &[("authorization", &self.authorization)], &body)
    }

    /// A write of the merchant under an idempotency key.
    pub(crate) fn keyed(&self, path: &str, key: &str, body: &Value) -> Request {
        let headers = [("authorization", &*self.authorization), ("klarna-idempotency-key", key)];
        Request::new("POST", path, &headers, &body.to_string())
    }

    /// One call that must succeed.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Outcome<(Answer, Value)> {
        let answer = ask(self.address(), &self.request(method, path, body)).await?;
        if answer.status / 100 != 2 {
            return Err(
                format!("{method} {path} was answered {}: {}", answer.status, answer.body).into()
            );
        }
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        Ok((answer, body))
    }

    /// Opens a session with this body, and lets the shopper approve it; answers the authorization's token.
    pub(crate) async fn approved(&self, session: &Value) -> Outcome<String> {
        let (_, opened) = self.call("POST", "/payments/v1/sessions", Some(session)).await?;
        let shopper = json!({
            "session_id": text(&opened, "session_id")?,
            "email": "customer@email.se",
            "phone": "+46701740615",
            "data": { "billing_address": {
                "given_name": "Alice", "family_name": "Test", "email": "customer@email.se",
                "phone": "+46701740615", "street_address": "Södra Blasieholmshamnen 2",
                "postal_code": "11148", "city": "Stockholm", "country": "SE"
            } }
        });
        let (_, result) =
            self.call("POST", "/playground/v1/shopper/authorize", Some(&shopper)).await?;
        text(&result, "authorization_token")
    }

    /// Session, shopper, order: what a purchase is. Answers the order's id.
    pub(crate) async fn buy(&self, session: &Value) -> Outcome<String> {
        let token = self.approved(session).await?;
        let path = format!("/payments/v1/authorizations/{token}/order");
        let (_, order) = self.call("POST", &path, Some(session)).await?;
        text(&order, "order_id")
    }

    /// A customer token that can be charged.
    pub(crate) async fn customer_token(&self) -> Outcome<String> {
        let authorization = self.approved(&purchase("tokenize")).await?;
        let path = format!("/payments/v1/authorizations/{authorization}/customer-token");
        let body = json!({
            "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
            "description": "Kaffe", "intended_use": "SUBSCRIPTION",
        });
        let (_, token) = self.call("POST", &path, Some(&body)).await?;
        text(&token, "token_id")
    }
}
