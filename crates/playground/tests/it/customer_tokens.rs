//! The Customer Token API over HTTP: every operation, every documented refusal, repetition and races,
//! recovery, bad input, and what becomes of tokens in time.

mod bad_input;
mod control;
mod intents;
mod keys;
mod recovery;
mod refusals;

use crate::common::{Engine, Merchant, Reply, World, engines};
use crate::receiver::Receiver;
use serde_json::{Value, json};
use storage::Database;

const SESSIONS: &str = "/payments/v1/sessions";

/// What a call was told: the status, and of an error its code and messages.
fn told(reply: &Reply) -> String {
    if (200..300).contains(&reply.status) {
        return reply.status.to_string();
    }
    assert_eq!(reply.header("klarna-correlation-id"), reply.json["correlation_id"], "{reply:?}");
    assert!(reply.header("content-type").starts_with("application/json"));
    let keys: Vec<&String> = reply.json.as_object().unwrap().keys().collect();
    assert_eq!(keys[..3], ["error_code", "error_messages", "correlation_id"]);
    let code = reply.json["error_code"].as_str().unwrap();
    let messages = reply.json["error_messages"].as_array().unwrap();
    let messages: Vec<&str> = messages.iter().map(|message| message.as_str().unwrap()).collect();
    format!("{} {code} {}", reply.status, messages.join("; ")).trim_end().to_owned()
}

/// A market of a test: country, currency, locale.
type Market = (&'static str, &'static str, &'static str);

const SWEDEN: Market = ("SE", "SEK", "sv-SE");

/// How a shopper signs up.
#[derive(Debug, Clone)]
struct SignUp {
    market: Market,
    intent: &'static str,
    method: &'static str,
    email: &'static str,
    step_up: Option<&'static str>,
    lines: Value,
}

impl Default for SignUp {
    fn default() -> Self {
        Self {
            market: SWEDEN,
            intent: "tokenize",
            method: "invoice",
            email: "customer@email.se",
            step_up: None,
            lines: json!([
                {"name": "Lägg till Klarna", "quantity": 1, "unit_price": 0, "total_amount": 0}
            ]),
        }
    }
}

impl SignUp {
    fn session(&self) -> Value {
        let (country, currency, locale) = self.market;
        let amount: i64 = self
            .lines
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["total_amount"].as_i64().unwrap())
            .sum();
        json!({
            "intent": self.intent, "purchase_country": country, "purchase_currency": currency,
            "locale": locale, "order_amount": amount, "order_lines": self.lines,
        })
    }

    fn token(&self) -> Value {
        let (country, currency, locale) = self.market;
        json!({
            "purchase_country": country, "purchase_currency": currency, "locale": locale,
            "description": "Kaffe varje månad", "intended_use": "SUBSCRIPTION",
        })
    }
}

/// The charge of the reference: coffee in May, 149 kronor.
fn coffee() -> Value {
    json!({
        "purchase_currency": "SEK", "order_amount": 14900, "order_tax_amount": 1596,
        "merchant_reference1": "SUB-22-2031-05",
        "order_lines": [{
            "type": "digital", "name": "Kaffe maj", "quantity": 1, "unit_price": 14900,
            "total_amount": 14900, "tax_rate": 1200, "total_tax_amount": 1596,
            "subscription": monthly(),
        }],
    })
}

fn monthly() -> Value {
    json!({"name": "Kaffe", "interval": "MONTH", "interval_count": 1})
}

/// The same with some members replaced.
fn coffee_with(changes: &Value) -> Value {
    let mut body = coffee();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

impl Engine {
    async fn count(&self, table: &str) -> i64 {
        let database = Database::open(&self.location, &[]).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count = database
            .read(move |tx| tx.query_dynamic(&sql, &[])?.first().map_or(Ok(0), |row| row.get(0)))
            .await
            .unwrap();
        database.close().await;
        count
    }
}

fn path(token: &str) -> String {
    format!("/customer-token/v1/tokens/{token}")
}

impl World {
    /// A session, and the shopper's approval in it: session id and authorization token.
    async fn approve(&self, session: &Value, sign_up: &SignUp) -> (String, String) {
        let created = self.call("POST", SESSIONS, session).await;
        assert_eq!(created.status, 200, "{created:?}");
        let session_id = created.json["session_id"].as_str().unwrap().to_owned();
        let mut shopper = json!({
            "session_id": session_id, "payment_method": sign_up.method, "email": sign_up.email,
        });
        if let Some(step_up) = sign_up.step_up {
            shopper["step_up"] = json!(step_up);
        }
        let outcome = self.control("/shopper/authorize", &shopper).await;
        let token = outcome["authorization_token"].as_str().unwrap_or_else(|| panic!("{outcome}"));
        (session_id, token.to_owned())
    }

    async fn make_token(&self, authorization: &str, body: &Value) -> Reply {
        let path = format!("/payments/v1/authorizations/{authorization}/customer-token");
        self.call("POST", &path, body).await
    }

    async fn place(&self, authorization: &str, body: &Value) -> Reply {
        let path = format!("/payments/v1/authorizations/{authorization}/order");
        self.call("POST", &path, body).await
    }

    /// A customer token of a shopper who signed up so.
    async fn token_of(&self, sign_up: &SignUp) -> String {
        let (_, authorization) = self.approve(&sign_up.session(), sign_up).await;
        let made = self.make_token(&authorization, &sign_up.token()).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.json["token_id"].as_str().unwrap().to_owned()
    }

    async fn token(&self) -> String {
        self.token_of(&SignUp::default()).await
    }

    async fn read_token(&self, token: &str) -> Reply {
        self.call("GET", &path(token), &Value::Null).await
    }

    async fn charge(&self, token: &str, body: &Value) -> Reply {
        self.call("POST", &format!("{}/order", path(token)), body).await
    }

    async fn charge_as(&self, merchant: &Merchant, token: &str, body: &Value, key: &str) -> Reply {
        let headers = [("klarna-idempotency-key", key)];
        self.call_as(merchant, "POST", &format!("{}/order", path(token)), body, &headers).await
    }

    async fn charge_under(&self, token: &str, body: &Value, key: &str) -> Reply {
        self.charge_as(&self.merchant, token, body, key).await
    }

    async fn cancel_token(&self, token: &str) -> Reply {
        let body = json!({"status": "CANCELLED"});
        self.call("PATCH", &format!("{}/status", path(token)), &body).await
    }

    /// Be Klarna towards a token.
    async fn steer(&self, token: &str, change: &Value) -> Value {
        self.control(&format!("/customer-tokens/{token}"), change).await
    }

    async fn read_order(&self, order_id: &str) -> Value {
        self.call("GET", &format!("/ordermanagement/v1/orders/{order_id}"), &Value::Null).await.json
    }
}

#[tokio::test]
async fn a_subscription_from_sign_up_to_cancellation() {
    for engine in engines().await {
        let world = engine.world().await;
        let sign_up = SignUp {
            intent: "buy_and_tokenize",
            method: "pay_by_card",
            lines: json!([{
                "type": "digital", "name": "Kaffe april", "quantity": 1, "unit_price": 14900,
                "total_amount": 14900, "tax_rate": 1200, "total_tax_amount": 1596,
                "subscription": monthly(),
            }]),
            ..SignUp::default()
        };
        let (_, authorization) = world.approve(&sign_up.session(), &sign_up).await;
        let made = world.make_token(&authorization, &sign_up.token()).await;
        let token = made.json["token_id"].as_str().unwrap();
        let first = world.place(&authorization, &sign_up.session()).await;
        assert_eq!(first.status, 200, "{first:?}");

        let read = world.read_token(token).await;
        insta::assert_json_snapshot!("customer_token_by_card", read.json, {
            ".card.masked_number" => insta::dynamic_redaction(|value, _| {
                let number = value.as_str().unwrap();
                assert_eq!((number.len(), number.trim_start_matches('*').len()), (16, 4));
                "[number]"
            }),
        });
        world.advance("P1M").await;
        let renewal = coffee_with(&json!({"auto_capture": true}));
        let charged = world.charge_under(token, &renewal, "may").await;
        insta::assert_json_snapshot!("created_token_order", charged.json, { ".order_id" => "[id]" });
        let order_id = charged.json["order_id"].as_str().unwrap();
        let order = world.read_order(order_id).await;
        assert_eq!(order["status"], "CAPTURED");
        assert_eq!(order["captured_amount"], 14900);
        assert_eq!(order["order_lines"][0]["subscription"], monthly());
        assert_eq!(order["merchant_reference1"], "SUB-22-2031-05");
        assert_eq!(order["purchase_country"], "SE");
        assert_eq!(order["initial_payment_method"]["type"], "PAY_BY_CARD");
        // What the shopper gave when signing up.
        assert_eq!(order["billing_address"]["email"], "customer@email.se");
        assert_eq!(order["shipping_address"], order["billing_address"]);

        let cancelled = world.cancel_token(token).await;
        assert_eq!((cancelled.status, cancelled.text.as_str()), (202, ""));
        assert_eq!(world.read_token(token).await.json["status"], "CANCELLED");
        assert_eq!(
            told(&world.charge(token, &coffee()).await),
            "403 TOKEN_CANCELED Customer token is cancelled"
        );
        // Cancelling again is nothing new, and what was charged stands.
        assert_eq!(world.cancel_token(token).await.status, 202);
        assert_eq!(world.read_order(order_id).await["status"], "CAPTURED");
        world.stop().await;
    }
}

/// The wallet session of the reference: nothing is bought, then charges without a subscription.
#[tokio::test]
async fn on_demand_charges_follow_a_session_for_nothing() {
    for engine in engines().await {
        let world = engine.world().await;
        let sign_up = SignUp {
            market: ("NL", "EUR", "nl-NL"),
            method: "direct_debit",
            email: "customer@email.nl",
            ..SignUp::default()
        };
        let (session_id, authorization) = world.approve(&sign_up.session(), &sign_up).await;
        // Nothing but a token comes of it.
        let refused = world.place(&authorization, &sign_up.session()).await;
        assert_eq!(told(&refused), "403 INVALID_OPERATION");
        let made = world.make_token(&authorization, &sign_up.token()).await;
        let token = made.json["token_id"].as_str().unwrap();
        let session = world.call("GET", &format!("{SESSIONS}/{session_id}"), &Value::Null).await;
        assert_eq!(session.json["status"], "complete");
        let read = world.read_token(token).await.json;
        assert_eq!(read["payment_method_type"], "DIRECT_DEBIT");
        assert!(read["direct_debit"]["masked_number"].as_str().unwrap().starts_with("******"));
        assert_eq!(read.get("card"), None);
        let ride = json!({
            "purchase_currency": "EUR", "order_amount": 1210, "order_tax_amount": 210,
            "order_lines": [{"name": "Rit", "quantity": 1, "unit_price": 1210, "total_amount": 1210,
                             "tax_rate": 2100, "total_tax_amount": 210}],
            "step_up": "SUPPORTED", "locale": "en-NL",
            "shipping_address": {"given_name": "Testperson", "city": "Utrecht", "country": "NL"},
        });
        let mut orders = Vec::new();
        for _ in 0..3 {
            let charged = world.charge(token, &ride).await;
            assert_eq!(charged.status, 200, "{charged:?}");
            orders.push(charged.json["order_id"].as_str().unwrap().to_owned());
        }
        orders.dedup();
        assert_eq!(orders.len(), 3, "without a key each call is a charge");
        let order = world.read_order(&orders[0]).await;
        assert_eq!(order["status"], "AUTHORIZED");
        assert_eq!(order["shipping_address"]["city"], "Utrecht");
        assert_eq!(order["locale"], "en-NL");
        world.stop().await;
    }
}

/// Capture, refund, callbacks, redirect: nothing tells it from an order of a checkout.
#[tokio::test]
async fn a_charge_is_an_order_like_any_other() {
    for engine in engines().await {
        let world = engine.world().await;
        let shop = Receiver::start(&[]).await;
        let token = world
            .token_of(&SignUp {
                market: ("GB", "GBP", "en-GB"),
                email: "customer+pend-accept-05@email.uk",
                ..SignUp::default()
            })
            .await;
        let charge = coffee_with(&json!({
            "purchase_currency": "GBP",
            "auto_capture": true,
            "merchant_urls": {
                "confirmation": "https://shop.example/thanks?o={order.id}",
                "notification": format!("{}/fraud/{{order.id}}", shop.url),
                "push": format!("{}/push/{{order.id}}", shop.url),
            },
        }));
        let charged = world.charge(&token, &charge).await;
        assert_eq!(charged.json["fraud_status"], "PENDING", "{charged:?}");
        let order_id = charged.json["order_id"].as_str().unwrap();
        assert_eq!(world.read_order(order_id).await["captured_amount"], 0);
        let redirect = charged.json["redirect_url"].as_str().unwrap();
        let redirect = redirect.strip_prefix(&world.public_url()).unwrap();
        let bounced = world.send("GET", redirect, &[], "").await;
        let expected = format!("https://shop.example/thanks?o={order_id}");
        assert_eq!((bounced.status, bounced.header("location")), (302, expected.as_str()));

        world.advance("PT5M").await;
        let received = shop.wait_for(2).await;
        let told: Vec<(&str, &Value)> =
            received.iter().map(|call| (call.path.as_str(), &call.json["event_type"])).collect();
        let (push, fraud) = (format!("/push/{order_id}"), format!("/fraud/{order_id}"));
        let accepted = json!("FRAUD_RISK_ACCEPTED");
        assert_eq!(told, [(push.as_str(), &Value::Null), (fraud.as_str(), &accepted)]);
        let order = world.read_order(order_id).await;
        assert_eq!(
            (&order["fraud_status"], &order["status"]),
            (&json!("ACCEPTED"), &json!("CAPTURED"))
        );
        let refund = json!({"refunded_amount": 4900});
        let refunds = format!("/ordermanagement/v1/orders/{order_id}/refunds");
        assert_eq!(world.call("POST", &refunds, &refund).await.status, 201);
        assert_eq!(world.read_order(order_id).await["refunded_amount"], 4900);
        shop.stop().await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_token_never_ends_by_itself_and_is_forgotten_long_after_it_was_cancelled() {
    for engine in engines().await {
        let world = engine.world().await;
        let (kept, cancelled) = (world.token().await, world.token().await);
        let refused = json!({"action": "fail_next", "times": 2});
        for token in [&kept, &cancelled] {
            world.steer(token, &refused).await;
            world.charge(token, &coffee_with(&json!({"step_up": "SUPPORTED"}))).await;
        }
        assert_eq!(world.cancel_token(&cancelled).await.status, 202);
        world.advance("P4D").await;
        world.stop().await;
        assert_eq!(engine.count("customer_token_step_ups").await, 2);
        let world = engine.world().await;
        world.advance("P1DT1H").await;
        world.stop().await;
        assert_eq!(engine.count("customer_token_step_ups").await, 0);
        let world = engine.world().await;
        world.charge(&kept, &coffee()).await;
        world.advance("P83DT22H").await;
        assert_eq!(world.read_token(&cancelled).await.json["status"], "CANCELLED");
        world.stop().await;
        // Tokens outlive the process.
        let world = engine.world().await;
        world.advance("P1000D").await;
        assert_eq!(
            told(&world.read_token(&cancelled).await),
            "404 NOT_FOUND Invalid customer-token ID"
        );
        assert_eq!(world.read_token(&kept).await.json["status"], "ACTIVE");
        assert_eq!(world.charge(&kept, &coffee()).await.status, 200);
        world.stop().await;
        assert_eq!(engine.count("customer_tokens").await, 1);
        // Made, two failures planned, both used up, charged.
        assert_eq!(engine.count("customer_token_events").await, 5);
    }
}
