//! What the playground answers in a second, with its data on disk: new sessions (each durable before it is answered) and
//! orders read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_types::secret::Secret;
use playground::{Config, Playground, RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::SystemClock;
use storage::Location;

use crate::Outcome;
use crate::bare::Bare;
use crate::http1::{Answer, Request, ask, load};
use crate::report::{median, median_ratio, say};
use crate::sqlite::{CALLERS, RawSqlite};

const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 15;
/// Orders that are read in turn.
const ORDERS: usize = 200;
const MERCHANT: &str = "K123456";
const PASSWORD: &str = "bench";

/// A cart of three lines with everything that a shop usually sends.
fn session() -> Value {
    json!({
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "intent": "buy",
        "order_amount": 44_900,
        "order_tax_amount": 8_980,
        "order_lines": [
            {
                "type": "physical", "reference": "MUG-BLUE", "name": "Mugg i stengods, blå",
                "quantity": 2, "quantity_unit": "st", "unit_price": 14_900, "tax_rate": 2_500,
                "total_amount": 29_800, "total_tax_amount": 5_960,
                "product_url": "https://shop.example.org/mugg-bla",
                "image_url": "https://shop.example.org/bilder/mugg-bla.png"
            },
            {
                "type": "physical", "reference": "TRAY-OAK", "name": "Bricka i ek",
                "quantity": 1, "quantity_unit": "st", "unit_price": 10_200, "tax_rate": 2_500,
                "total_amount": 10_200, "total_tax_amount": 2_040,
                "product_url": "https://shop.example.org/bricka-ek",
                "image_url": "https://shop.example.org/bilder/bricka-ek.png"
            },
            {
                "type": "shipping_fee", "reference": "SHIP", "name": "Frakt", "quantity": 1,
                "unit_price": 4_900, "tax_rate": 2_500, "total_amount": 4_900, "total_tax_amount": 980
            }
        ],
        "merchant_reference1": "WEB-1001",
        "merchant_urls": {
            "confirmation": "https://shop.example.org/bekraftelse",
            "notification": "https://shop.example.org/klarna/handelser"
        }
    })
}

struct Client {
    address: SocketAddr,
    authorization: String,
}

impl Client {
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        let body = body.map(Value::to_string).unwrap_or_default();
        Request::new(method, path, &[("authorization", &self.authorization)], &body)
    }

    /// One call that must succeed.
    async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Outcome<(Answer, Value)> {
        let answer = ask(self.address, &self.request(method, path, body)).await?;
        if answer.status / 100 != 2 {
            return Err(
                format!("{method} {path} was answered {}: {}", answer.status, answer.body).into()
            );
        }
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        Ok((answer, body))
    }

    /// Session, shopper, order: what a purchase is. Answers the order's id.
    async fn buy(&self) -> Outcome<String> {
        let text = |value: &Value, member: &str| -> Outcome<String> {
            let found = value.get(member).and_then(Value::as_str);
            Ok(found.ok_or_else(|| format!("no {member} in {value}"))?.to_owned())
        };
        let (_, opened) = self.call("POST", "/payments/v1/sessions", Some(&session())).await?;
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
        let token = text(&result, "authorization_token")?;
        let path = format!("/payments/v1/authorizations/{token}/order");
        let (_, order) = self.call("POST", &path, Some(&session())).await?;
        text(&order, "order_id")
    }
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut raw = RawSqlite::open(&folder.path().join("raw.db"), &session().to_string())?;
    let playground = Playground::start(Config {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        location: Location::File(folder.path().join("playground.db")),
        merchants: vec![SeedMerchant {
            merchant_id: MERCHANT.to_owned(),
            username: MERCHANT.to_owned(),
            password: Secret::new(PASSWORD),
        }],
        rate_limits: RateLimits::Off,
        unauthorized: UnauthorizedForm::default(),
        callback_targets: None,
        control_token: None,
        clock: Arc::new(SystemClock),
    })
    .await?;
    let client = Client {
        address: playground.address(),
        authorization: format!("Basic {}", STANDARD.encode(format!("{MERCHANT}:{PASSWORD}"))),
    };

    let open_session: Arc<[Request]> =
        Arc::from([client.request("POST", "/payments/v1/sessions", Some(&session()))]);
    let (session_answer, _) =
        client.call("POST", "/payments/v1/sessions", Some(&session())).await?;
    let bare_session = Bare::start(&session_answer).await?;

    let mut read_order = Vec::with_capacity(ORDERS);
    for _ in 0..ORDERS {
        let order_id = client.buy().await?;
        read_order.push(client.request(
            "GET",
            &format!("/ordermanagement/v1/orders/{order_id}"),
            None,
        ));
    }
    let read_order: Arc<[Request]> = read_order.into();
    let order_answer = ask(client.address, &read_order[0]).await?;
    let bare_order = Bare::start(&order_answer).await?;

    let (mut sessions, mut sessions_bare, mut orders, mut orders_bare, mut groups) =
        (vec![], vec![], vec![], vec![], vec![]);
    let group_rows = u64::try_from(CALLERS)?;
    let status = session_answer.status;
    for _ in 0..ROUNDS {
        groups.push(raw.measure(group_rows, ROUND)?);
        sessions
            .push(load(client.address, Arc::clone(&open_session), CALLERS, status, ROUND).await?);
        sessions_bare.push(
            load(bare_session.address, Arc::clone(&open_session), CALLERS, status, ROUND).await?,
        );
        orders.push(load(client.address, Arc::clone(&read_order), CALLERS, 200, ROUND).await?);
        orders_bare
            .push(load(bare_order.address, Arc::clone(&read_order), CALLERS, 200, ROUND).await?);
    }
    drop((bare_session, bare_order));
    playground.stop().await;

    let sessions_to_bare = median_ratio(&sessions, &sessions_bare);
    let sessions_to_group = median_ratio(&sessions, &groups);
    let orders_to_bare = median_ratio(&orders, &orders_bare);
    let orders_to_group = median_ratio(&orders, &groups);
    say("playground.sessions.create", median(sessions), "requests/s");
    say("playground.sessions.create.bare_handler", median(sessions_bare), "requests/s");
    say("playground.sessions.create.to.bare_handler", sessions_to_bare, "ratio");
    say("playground.sessions.create.raw_group_commit", median(groups), "rows/s");
    say("playground.sessions.create.to.raw_group_commit", sessions_to_group, "ratio");
    say("playground.orders.read", median(orders), "requests/s");
    say("playground.orders.read.bare_handler", median(orders_bare), "requests/s");
    say("playground.orders.read.to.bare_handler", orders_to_bare, "ratio");
    say("playground.orders.read.to.raw_group_commit", orders_to_group, "ratio");
    Ok(())
}
