//! A whole playground in memory, on a clock that stands still until it is moved, and clients of two merchants.

use std::net::{Ipv4Addr, SocketAddr};

use http::Method;
use klarna::types::cart::{Cart, Item, Prices};
use klarna::types::payments::{CreateOrder, CreateSession, CreatedSession};
use klarna::{
    Address, AuthorizationToken, Client, Country, Credentials, Currency, MinorUnits, OrderId,
    Secret, TaxRate,
};
use playground::{Config, Playground, RateLimits, Running, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::ManualClock;
use storage::Location;

use super::script::quick;

/// A playground and two merchants' clients.
#[derive(Debug)]
pub(crate) struct World {
    running: Running,
    /// The merchant under test.
    pub(crate) client: Client,
    /// Another merchant.
    pub(crate) stranger: Client,
}

impl World {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        Self::start_with(RateLimits::Off).await
    }

    /// Starts one with rate limits.
    pub(crate) async fn start_with(rate_limits: RateLimits) -> Self {
        Self::start_at(Location::Memory, rate_limits).await
    }

    /// Starts one that keeps its data where the test can look at them afterwards.
    pub(crate) async fn start_at(location: Location, rate_limits: RateLimits) -> Self {
        let merchant = |id: &str, username: &str| SeedMerchant {
            merchant_id: id.to_owned(),
            username: username.to_owned(),
            password: Secret::new("hush"),
            client_id: None,
        };
        let running = Playground::start(Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            location,
            merchants: vec![
                merchant("K123456", "K123456_test"),
                merchant("K654321", "K654321_test"),
            ],
            rate_limits,
            unauthorized: UnauthorizedForm::Html,
            callback_targets: None,
            control_token: None,
            clock: ManualClock::starting_at("2026-03-02T09:00:00.250Z".parse().unwrap()),
        })
        .await
        .unwrap();
        let url = format!("http://{}", running.address());
        let client = |username: &str| client_at(&url, username, "hush");
        Self { client: client("K123456_test"), stranger: client("K654321_test"), running }
    }

    /// A client with these credentials.
    pub(crate) fn client_of(&self, username: &str, password: &str) -> Client {
        client_at(&format!("http://{}", self.running.address()), username, password)
    }

    /// A merchant whose account has these settings.
    pub(crate) async fn merchant(&self, settings: Value) -> Client {
        let created = self.control("/merchants", &json!({ "settings": settings })).await;
        self.client_of(created["username"].as_str().unwrap(), created["password"].as_str().unwrap())
    }

    /// A call of the playground's own API that has to succeed.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Value {
        let call = self.client.raw(Method::POST, format!("/playground/v1{path}")).json(body);
        call.send::<Value>().await.unwrap().into_inner()
    }

    /// Moves the clock; everything due by then has happened when this returns.
    pub(crate) async fn advance(&self, by: &str) {
        self.control("/clock", &json!({ "advance": by })).await;
    }

    /// The shopper approves.
    pub(crate) async fn authorize(
        &self,
        session: &CreatedSession,
        data: Value,
    ) -> AuthorizationToken {
        self.authorize_by(session, "invoice", data).await
    }

    /// The shopper approves with a method of payment.
    pub(crate) async fn authorize_by(
        &self,
        session: &CreatedSession,
        method: &str,
        data: Value,
    ) -> AuthorizationToken {
        let call =
            json!({ "session_id": session.session_id, "payment_method": method, "data": data });
        let outcome = self.control("/shopper/authorize", &call).await;
        assert_eq!(outcome["approved"], true, "{outcome}");
        AuthorizationToken::new(outcome["authorization_token"].as_str().unwrap())
    }

    /// A session of a merchant, approved by its shopper.
    pub(crate) async fn approved(&self, client: &Client) -> (CreatedSession, AuthorizationToken) {
        let session =
            client.payments().create_session(&session_request()).await.unwrap().into_inner();
        let token = self.authorize(&session, json!({})).await;
        (session, token)
    }

    /// A placed order of 10000.
    pub(crate) async fn order(&self) -> OrderId {
        let (_, token) = self.approved(&self.client).await;
        let order = self.client.payments().create_order(&token, &order_request()).await.unwrap();
        order.order_id.clone()
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

fn client_at(url: &str, username: &str, password: &str) -> Client {
    Client::builder(Credentials::new(username, password))
        .base_url(url)
        .unwrap()
        .retry(quick())
        .build()
        .unwrap()
}

/// A Swedish cart of 10000 in two lines.
pub(crate) fn cart() -> Cart {
    Cart::builder(Country::SE, Prices::IncludingTax)
        .item(Item::new("Shirt", 2, MinorUnits::new(4000), TaxRate::percent(25)).reference("shirt"))
        .item(Item::new("Book", 1, MinorUnits::new(2000), TaxRate::percent(6)).reference("book"))
        .build()
        .unwrap()
}

/// The shopper's address.
pub(crate) fn address() -> Address {
    Address::new()
        .given_name("Alice")
        .family_name("Test")
        .email("customer@email.se")
        .phone("+46701740615")
        .street_address("Södra Blasieholmshamnen 2")
        .postal_code("11148")
        .city("Stockholm")
        .country(Country::SE)
}

/// A session for that cart.
pub(crate) fn session_request() -> CreateSession {
    let cart = cart();
    CreateSession::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines)
        .order_tax_amount(cart.order_tax_amount)
        .locale("sv-SE")
        .merchant_reference1("WEB-1001")
        .billing_address(address())
}

/// The order for that session.
pub(crate) fn order_request() -> CreateOrder {
    let cart = cart();
    CreateOrder::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines)
        .order_tax_amount(cart.order_tax_amount)
        .locale("sv-SE")
        .billing_address(address())
}
