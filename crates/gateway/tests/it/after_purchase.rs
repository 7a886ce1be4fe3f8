//! Everything that can be done with a payment after the purchase, over HTTP and against a playground:
//! done, refused with what to do next, and offered exactly when it works.

use std::sync::Arc;
use std::time::Duration;

use crate::faulty::{Hit, Numbers};
use crate::town::{Reply, Town, cart, fresh_postgres};
use gateway::engine::klarna::Klarna as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use service::{Clock, ManualClock};
use storage::Location;

/// A town whose clock can be moved.
struct Valley {
    town: Town,
    clock: Arc<ManualClock>,
}

async fn valleys() -> Vec<Valley> {
    let mut locations = vec![Location::Memory];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        locations.push(fresh_postgres(&url).await);
    }
    let mut valleys = Vec::new();
    for location in locations {
        let start: Timestamp = "2031-01-01T12:00:00Z".parse().unwrap();
        let clock = ManualClock::starting_at(start);
        let town = Town::build_at(location, Arc::clone(&clock) as Arc<dyn Clock>).await;
        valleys.push(Valley { town, clock });
    }
    valleys
}

impl Valley {
    fn advance_hours(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    async fn payment(&self, id: &Value) -> Value {
        let path = format!("/v1/payments/{}", id.as_str().unwrap());
        let reply = self.town.call("GET", &path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body
    }

    /// Waits until the payment is as it should be.
    async fn until(&self, id: &Value, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let payment = self.payment(id).await;
            if holds(&payment) {
                return payment;
            }
            assert!(tokio::time::Instant::now() < deadline, "{what}: {payment}");
            tokio::task::yield_now().await;
        }
    }

    async fn ask(&self, payment: &Value, place: &str, body: &Value) -> Reply {
        let path = format!("/v1/payments/{}/{place}", payment["id"].as_str().unwrap());
        self.town.call("POST", &path, body).await
    }

    async fn done(&self, payment: &Value, place: &str, body: &Value) -> Value {
        let reply = self.ask(payment, place, body).await;
        assert!((200..300).contains(&reply.status), "{place} {body}: {}", reply.text);
        assert_ne!(reply.status, 202, "{}", reply.text);
        reply.body
    }

    async fn events(&self, payment: &Value) -> Vec<String> {
        let path = format!("/v1/payments/{}/events", payment["id"].as_str().unwrap());
        let events = self.town.call("GET", &path, &Value::Null).await.body;
        let events = events["data"].as_array().unwrap().iter();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn order(&self, payment: &Value) -> klarna_types::order_management::Order {
        let id = payment["klarna_order_id"].as_str().unwrap();
        self.town.klarna.read_order(id).await.unwrap().value
    }

    /// Both books say the same, once the order was read.
    async fn agree(&self, payment: &Value) {
        let is_read = |now: &Value| now["expires_at"].is_string();
        let ours = self.until(&payment["id"], "it is read", is_read).await;
        let order = self.order(payment).await;
        let amounts = &ours["amounts"];
        for (name, theirs) in [
            ("authorized", order.order_amount),
            ("captured", order.captured_amount),
            ("refunded", order.refunded_amount),
            ("remaining", order.remaining_authorized_amount),
        ] {
            assert_eq!(amounts[name], theirs.get(), "{name}: {ours}");
        }
        assert_eq!(ours["status"], order.status.as_str().to_lowercase(), "{ours}");
        assert_eq!(ours["merchant_reference"], *order.merchant_reference1.as_ref().unwrap());
        let expires_at: Timestamp = ours["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(Some(expires_at), order.expires_at);
    }
}

fn capture_place(payment: &Value, index: usize, place: &str) -> String {
    format!("captures/{}/{place}", payment["captures"][index]["id"].as_str().unwrap())
}

fn invoice() -> Value {
    json!({ "payment_method": "invoice" })
}

#[tokio::test]
async fn everything_that_order_management_can_do() {
    for valley in valleys().await {
        let payment = valley.town.paid_by(&cart(), invoice()).await;
        let payment = valley
            .until(&payment["id"], "it is read", |payment| payment["klarna_reference"].is_string())
            .await;
        valley.done(&payment, "acknowledge", &Value::Null).await;

        let lower = json!({ "amount": 30_000, "description": "one is out of stock" });
        let updated = valley.done(&payment, "authorization", &lower).await;
        assert_eq!(updated["amounts"]["remaining"], 30_000);
        let lines = updated["order_lines"].as_array().unwrap();
        assert_eq!((lines.len(), &lines[2]["total_amount"]), (3, &json!(-4_500)));
        let lines = json!({ "lines": [
            { "reference": "MUG", "name": "Mugg", "quantity": 4, "unit_price": 9_900, "tax_rate": 2500 },
            { "type": "shipping_fee", "reference": "SHIP", "name": "Frakt", "unit_price": 4_900, "tax_rate": 2500 },
        ] });
        let updated = valley.done(&payment, "authorization", &lines).await;
        assert_eq!(updated["amounts"]["authorized"], 44_500);
        assert_eq!(updated["amounts"]["original"], 34_500);
        valley.agree(&payment).await;

        valley.advance_hours(4 * 24);
        let extended = valley.done(&payment, "authorization/extend", &Value::Null).await;
        assert_eq!(extended["expires_at"], "2031-02-02T00:00:00.000Z");

        let city = json!({ "shipping_address": {
            "given_name": "Anna", "family_name": "Ek", "street_address": "Storgatan 1",
            "postal_code": "22222", "city": "Lund", "country": "SE",
        } });
        valley.done(&payment, "customer-details", &city).await;
        let order = valley.order(&payment).await;
        assert_eq!(order.shipping_address.unwrap().city.as_deref(), Some("Lund"));

        let references = json!({ "merchant_reference1": "WEB-7", "merchant_reference2": "B-7" });
        let renamed = valley.done(&payment, "merchant-references", &references).await;
        assert_eq!(renamed["merchant_reference"], "WEB-7");
        let found = valley.town.call("GET", "/v1/payments?reference=WEB-7", &Value::Null).await;
        assert_eq!(found.body["data"][0]["id"], payment["id"], "{}", found.text);

        let parcel = json!({ "shipping_info": [
            { "shipping_company": "PostNord SE", "shipping_method": "Home", "tracking_number": "T-1" },
        ] });
        let shipped = valley.done(&payment, "shipping-info", &parcel).await;
        assert_eq!(shipped["shipping_info"][0]["tracking_number"], "T-1");

        let some = json!({ "lines": [{ "reference": "MUG", "quantity": 1 }], "description": "Parcel 1",
            "reference": "SHIPMENT-1", "shipping_info": [{ "tracking_number": "T-2" }] });
        let captured = valley.done(&payment, "captures", &some).await;
        assert_eq!(captured["captures"][0]["shipping_info"][0]["tracking_number"], "T-2");
        let place = capture_place(&captured, 0, "shipping-info");
        let more = json!({ "shipping_info": [{ "return_tracking_number": "R-2" }] });
        let shipped = valley.done(&payment, &place, &more).await;
        assert_eq!(shipped["captures"][0]["shipping_info"].as_array().unwrap().len(), 2);
        let place = capture_place(&captured, 0, "resend-communication");
        valley.done(&payment, &place, &Value::Null).await;

        let path = format!("/v1/payments/{}/", payment["id"].as_str().unwrap());
        let options = format!("{path}{}", capture_place(&captured, 0, "due-date-options"));
        let options = valley.town.call("GET", &options, &Value::Null).await;
        assert_eq!(options.status, 200, "{}", options.text);
        assert_eq!(options.body["currency"], "SEK");
        let ten = json!({ "number_of_days": 10, "fee": 1_000 });
        assert!(options.body["options"].as_array().unwrap().contains(&ten), "{}", options.text);
        let place = capture_place(&captured, 0, "due-date");
        let later = valley.done(&payment, &place, &json!({ "number_of_days": 10 })).await;
        assert_eq!(later["captures"][0]["due_date_extensions"], json!([10]));

        let two = json!({ "lines": [{ "reference": "MUG", "quantity": 2 }] });
        let captured = valley.done(&payment, "captures", &two).await;
        let of_second = json!({ "capture_id": captured["captures"][1]["id"],
            "lines": [{ "reference": "MUG", "quantity": 1 }] });
        let refunded = valley.done(&payment, "refunds", &of_second).await;
        assert_eq!(refunded["amounts"]["refunded"], 9_900);
        assert_eq!(refunded["refunds"][0]["capture_id"], captured["captures"][1]["id"]);
        let released = valley.done(&payment, "release", &Value::Null).await;
        assert_eq!(released["amounts"]["remaining"], 0);
        valley.until(&payment["id"], "it is read", |now| now["operations"] == json!([])).await;
        valley.agree(&payment).await;

        let events = valley.events(&payment).await;
        for expected in [
            "payment.acknowledged",
            "payment.authorization_updated",
            "payment.authorization_extended",
            "payment.customer_details_updated",
            "payment.merchant_references_updated",
            "payment.shipping_info_added",
            "payment.communication_resent",
            "payment.due_date_extended",
            "payment.captured",
            "payment.refunded",
            "payment.released",
        ] {
            assert!(events.contains(&expected.to_owned()), "{expected} in {events:?}");
        }
        valley.town.end().await;
    }
}

#[tokio::test]
async fn a_refund_keeps_back_a_return_fee_where_the_market_allows_it() {
    for valley in valleys().await {
        let payment = valley.town.paid().await;
        let whole = valley.done(&payment, "captures", &Value::Null).await;
        let refund = whole["available_actions"].as_array().unwrap();
        let refund = refund.iter().find(|action| action["action"] == "refund").unwrap();
        assert_eq!(refund["return_fee"], true, "{whole}");
        let body = json!({ "lines": [{ "reference": "MUG", "quantity": 1 }],
            "return_fee": { "amount": 500, "name": "Returavgift", "tax_rate": 2500 } });
        let refunded = valley.done(&payment, "refunds", &body).await;
        assert_eq!(refunded["amounts"]["refunded"], 9_867 - 500);
        let lines = refunded["refunds"][0]["order_lines"].as_array().unwrap();
        assert_eq!(lines.last().unwrap()["type"], "return_fee");
        // What was kept back by mistake is given back as money.
        let all = valley.done(&payment, "refunds", &json!({ "amount": 500 })).await;
        assert_eq!(all["amounts"]["refunded"], 9_867);
        valley.agree(&payment).await;
        valley.town.end().await;
    }
}

/// What is asked, and how it is refused.
struct Refused {
    place: String,
    body: Value,
    status: u16,
    code: &'static str,
}

fn refused(place: &str, body: Value, status: u16, code: &'static str) -> Refused {
    Refused { place: place.to_owned(), body, status, code }
}

impl Valley {
    async fn refuses(&self, payment: &Value, case: &Refused) -> Value {
        let reply = self.ask(payment, &case.place, &case.body).await;
        let got = (reply.status, reply.body["code"].as_str());
        assert_eq!(
            got,
            (case.status, Some(case.code)),
            "{} {}: {}",
            case.place,
            case.body,
            reply.text
        );
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert!(
            reply.body["remedy"].as_str().is_some_and(|text| text.len() > 10),
            "{}",
            reply.text
        );
        reply.body
    }
}

/// The bodies that each operation takes, by its place; of captures, of the first.
fn requests(payment: &Value) -> Vec<(&'static str, String, Value)> {
    let mut all = vec![
        ("capture", "captures".to_owned(), json!({ "amount": 100 })),
        ("refund", "refunds".to_owned(), json!({ "amount": 100 })),
        ("cancel", "cancel".to_owned(), Value::Null),
        ("release", "release".to_owned(), Value::Null),
        ("update_authorization", "authorization".to_owned(), json!({ "amount": 20_000 })),
        ("extend_authorization", "authorization/extend".to_owned(), Value::Null),
        (
            "update_customer_details",
            "customer-details".to_owned(),
            json!({ "shipping_address": { "given_name": "Anna", "family_name": "Ek",
                "street_address": "Storgatan 1", "postal_code": "22222", "city": "Lund", "country": "SE" } }),
        ),
        (
            "update_merchant_references",
            "merchant-references".to_owned(),
            json!({ "merchant_reference2": "B-1" }),
        ),
        (
            "add_shipping_info",
            "shipping-info".to_owned(),
            json!({ "shipping_info": [{ "tracking_number": "T" }] }),
        ),
        ("acknowledge", "acknowledge".to_owned(), Value::Null),
    ];
    if payment["captures"][0].is_object() {
        all.extend([
            (
                "add_shipping_info",
                capture_place(payment, 0, "shipping-info"),
                json!({ "shipping_info": [{ "tracking_number": "T" }] }),
            ),
            (
                "resend_communication",
                capture_place(payment, 0, "resend-communication"),
                Value::Null,
            ),
            (
                "extend_due_date",
                capture_place(payment, 0, "due-date"),
                json!({ "number_of_days": 10 }),
            ),
        ]);
    }
    all
}

#[tokio::test]
async fn what_the_payment_does_not_allow_is_refused_before_klarna_is_asked() {
    for valley in valleys().await {
        let payment = valley.town.paid_by(&cart(), json!({ "payment_method": "card" })).await;
        let id = payment["id"].clone();
        let card =
            valley.until(&id, "it is read", |now| now["payment_method"]["type"] == "CARD").await;
        let nobody = "captures/nobody/shipping-info";
        let parcels = json!({ "shipping_info": [{ "tracking_number": "T" }] });
        let long = "x".repeat(101);
        for case in [
            refused("refunds", json!({ "amount": 1 }), 409, "state_conflict"),
            refused("release", Value::Null, 409, "state_conflict"),
            refused("authorization", json!({ "amount": 40_000 }), 409, "not_offered"),
            refused("authorization", json!({ "amount": 0 }), 400, "invalid_request"),
            refused("authorization", json!({}), 400, "invalid_request"),
            refused("authorization", json!({ "lines": [] }), 400, "invalid_request"),
            refused("authorization/extend", Value::Null, 409, "not_offered"),
            refused("customer-details", json!({}), 400, "invalid_request"),
            refused(
                "customer-details",
                json!({ "billing_address": { "city": "x" } }),
                400,
                "invalid_request",
            ),
            refused(
                "customer-details",
                json!({ "shipping_address": { "town": "x" } }),
                400,
                "invalid_request",
            ),
            refused(
                "customer-details",
                json!({ "shipping_address": { "postal_code": "12345678901" } }),
                400,
                "invalid_request",
            ),
            refused("merchant-references", json!({}), 400, "invalid_request"),
            refused(
                "merchant-references",
                json!({ "merchant_reference1": "" }),
                400,
                "invalid_request",
            ),
            refused(
                "merchant-references",
                json!({ "merchant_reference2": "x".repeat(256) }),
                400,
                "invalid_request",
            ),
            refused("shipping-info", json!({ "shipping_info": [] }), 400, "invalid_request"),
            refused(
                "shipping-info",
                json!({ "shipping_info": [{ "shipping_company": long }] }),
                400,
                "invalid_request",
            ),
            refused(
                "shipping-info",
                json!({ "shipping_info": [{ "shipping_method": "Camel" }] }),
                400,
                "invalid_request",
            ),
            refused(nobody, parcels.clone(), 409, "state_conflict"),
            refused("captures/nobody/resend-communication", Value::Null, 409, "state_conflict"),
            refused(
                "captures/nobody/due-date",
                json!({ "number_of_days": 10 }),
                404,
                "capture_not_found",
            ),
            refused("captures", json!({ "shipping_delay_days": -1 }), 400, "invalid_request"),
            refused("captures", json!({ "risk": "nobody" }), 400, "invalid_request"),
        ] {
            valley.refuses(&card, &case).await;
        }
        let part = valley.done(&card, "captures", &json!({ "amount": 10_000 })).await;
        for case in [
            refused("cancel", Value::Null, 409, "state_conflict"),
            refused("authorization", json!({ "amount": 9_999 }), 422, "amount_too_small"),
            refused("refunds", json!({ "amount": 10_001 }), 422, "amount_too_large"),
            refused("refunds", json!({ "capture_id": "nobody" }), 404, "capture_not_found"),
            refused(
                "refunds",
                json!({ "amount": 100, "return_fee": { "amount": 5 } }),
                422,
                "return_fee_not_allowed",
            ),
            refused(nobody, parcels, 404, "capture_not_found"),
            refused(
                &capture_place(&part, 0, "due-date"),
                json!({ "number_of_days": 10 }),
                409,
                "not_offered",
            ),
        ] {
            valley.refuses(&card, &case).await;
        }
        for (body, member) in [
            (json!({ "act_days": 0 }), "act_days"),
            (json!({ "notice_days": [181] }), "notice_days"),
            (json!({ "on_expiry": "burn" }), "on_expiry"),
        ] {
            let reply = valley.town.call("PUT", "/v1/expiry-policy", &body).await;
            assert_eq!(
                (reply.status, &reply.body["member"]),
                (400, &json!(member)),
                "{}",
                reply.text
            );
        }
        valley.town.end().await;
    }
}

#[tokio::test]
async fn each_refusal_of_klarna_comes_with_what_to_do() {
    for valley in valleys().await {
        // Behind the gateway's back: it learns of it by the refusal, and reads the order anew.
        let klarna = &valley.town.klarna;
        let forbidden = |payment: &Value, names: &[&str]| -> Vec<(String, Value)> {
            requests(payment)
                .into_iter()
                .filter(|(name, place, _)| {
                    names.contains(name) || names.iter().any(|of| place.ends_with(of))
                })
                .map(|(_, place, body)| (place, body))
                .collect()
        };
        let on_cancelled = [
            "captures",
            "update_authorization",
            "extend_authorization",
            "update_customer_details",
            "update_merchant_references",
            "acknowledge",
            "cancel",
        ];
        for name in on_cancelled {
            let payment = valley.town.paid_by(&cart(), invoice()).await;
            let payment = valley
                .until(&payment["id"], "it is read", |now| now["klarna_reference"].is_string())
                .await;
            let order_id = payment["klarna_order_id"].as_str().unwrap();
            klarna.cancel(order_id, "behind-the-back-1").await.unwrap();
            for (place, body) in forbidden(&payment, &[name]) {
                let case = refused(&place, body, 409, "state_forbids");
                let problem = valley.refuses(&payment, &case).await;
                assert_eq!(problem["klarna"]["status"], 403, "{problem}");
                assert!(problem["correlation_id"].is_string(), "{problem}");
            }
            valley.until(&payment["id"], "it is read", |now| now["status"] == "cancelled").await;
        }
        let body = |amount: i64| json!({ "captured_amount": amount }).to_string();
        for (name, behind) in
            [("cancel", 100), ("release", 34_400), ("refund", 0), ("captures", 34_500)]
        {
            let payment = valley.town.paid().await;
            let payment = valley
                .until(&payment["id"], "it is read", |now| now["klarna_reference"].is_string())
                .await;
            let order_id = payment["klarna_order_id"].as_str().unwrap();
            if matches!(name, "release" | "refund") {
                valley.done(&payment, "captures", &json!({ "amount": 100 })).await;
            }
            if behind > 0 {
                klarna.capture(order_id, "behind-the-back-2", &body(behind)).await.unwrap();
            } else {
                let all = json!({ "refunded_amount": 100 }).to_string();
                klarna.refund(order_id, "behind-the-back-3", &all).await.unwrap();
            }
            let (place, body) = forbidden(&payment, &[name]).remove(0);
            let problem =
                valley.refuses(&payment, &refused(&place, body, 409, "state_forbids")).await;
            assert_eq!(problem["klarna"]["status"], 403, "{problem}");
        }
        let payment = valley.town.paid_by(&cart(), invoice()).await;
        let payment = valley
            .until(&payment["id"], "it is read", |now| now["klarna_reference"].is_string())
            .await;
        let delayed = json!({ "amount": 1, "shipping_delay_days": 3 });
        valley.refuses(&payment, &refused("captures", delayed, 409, "state_forbids")).await;
        let nonsense = json!({ "shipping_address": { "street_address": "Gata 1", "city": "Lund",
            "given_name": "A", "family_name": "B", "country": "SE", "postal_code": "ABCDE" } });
        let problem = valley
            .refuses(&payment, &refused("customer-details", nonsense, 422, "invalid_request"))
            .await;
        assert_eq!(problem["klarna"]["error_code"], "INVALID_ADDRESS");
        let payment = valley.done(&payment, "captures", &json!({ "amount": 100 })).await;
        let place = capture_place(&payment, 0, "due-date");
        let days = json!({ "number_of_days": 11 });
        valley.refuses(&payment, &refused(&place, days, 409, "state_forbids")).await;

        // What a playground does not answer by itself: a risk check, a lost order, an outage.
        for (name, place, body) in requests(&payment) {
            if name == "cancel" {
                continue;
            }
            for (status, code, expected) in [
                (404, "NO_SUCH_ORDER", (409, "unknown_order")),
                (404, "NO_SUCH_CAPTURE", (409, "unknown_order")),
                (422, "UNPROCESSABLE_ENTITY", (422, "invalid_request")),
                (401, "", (502, "credentials_refused")),
            ] {
                klarna.hit_next(name, Hit::Refuse(status, code));
                let case = refused(&place, body.clone(), expected.0, expected.1);
                valley.refuses(&payment, &case).await;
            }
        }
        klarna.hit_next("update_authorization", Hit::Refuse(403, "NOT_ALLOWED"));
        let raise = json!({ "amount": 50_000 });
        let problem =
            valley.refuses(&payment, &refused("authorization", raise, 409, "state_forbids")).await;
        assert!(problem["remedy"].as_str().unwrap().contains("new order"), "{problem}");
        klarna.hit_next("capture", Hit::Refuse(403, "PAYMENT_METHOD_FAILED"));
        let one = json!({ "amount": 1 });
        valley.refuses(&payment, &refused("captures", one, 402, "declined")).await;
        valley.town.end().await;
    }
}

/// Asks for what an action offers, at its limits or below them.
fn offered_request(payment: &Value, action: &Value, chance: &mut Numbers) -> (String, Value) {
    let most = action["max_amount"].as_i64();
    let least = action["min_amount"].as_i64().unwrap_or(1);
    let amount = match (most, chance.below(3)) {
        (Some(most), 0) => most,
        (_, 1) | (None, _) => least,
        // Nothing is gained by orders of millions.
        (Some(most), _) => least + i64::try_from(chance.below(40_000)).unwrap().min(most - least),
    };
    let name = action["action"].as_str().unwrap();
    let captures = action["capture_ids"].as_array().cloned().unwrap_or_default();
    let wanted = captures.first().map(|_| {
        let number = usize::try_from(chance.below(captures.len() as u64)).unwrap();
        captures[number].as_str().unwrap().to_owned()
    });
    let (_, place, mut body) = requests(payment)
        .into_iter()
        .find(|(of, place, _)| *of == name && (!place.contains('/') || place.ends_with("extend")))
        .unwrap_or_else(|| {
            let id = wanted.clone().unwrap();
            let place = match name {
                "resend_communication" => format!("captures/{id}/resend-communication"),
                _ => format!("captures/{id}/due-date"),
            };
            ("", place, json!({ "number_of_days": 10 }))
        });
    if most.is_some() {
        body = json!({ "amount": amount });
    }
    if name == "resend_communication" {
        body = Value::Null;
    }
    if name == "add_shipping_info"
        && let Some(id) = wanted
        && chance.below(2) == 0
    {
        return (format!("captures/{id}/shipping-info"), body);
    }
    (place, body)
}

const STEPS: usize = 12;

#[tokio::test]
async fn what_is_offered_succeeds() {
    for valley in valleys().await {
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for (seed, (country, method)) in [
            ("SE", "invoice"),
            ("SE", "card"),
            ("DE", "direct_debit"),
            ("DE", "invoice"),
            ("GB", "invoice"),
            ("US", "fixed_amount"),
        ]
        .into_iter()
        .cycle()
        .take(12)
        .enumerate()
        {
            let mut chance = Numbers(seed as u64);
            let mut wanted = cart();
            wanted["country"] = json!(country);
            wanted["locale"] = Value::Null;
            if country == "US" {
                wanted["prices"] = json!("excluding_tax");
            }
            let payment = valley.town.paid_by(&wanted, json!({ "payment_method": method })).await;
            let id = payment["id"].clone();
            for step in 0..STEPS {
                let now = valley
                    .until(&id, "nothing is on its way", |now| {
                        now["operations"] == json!([]) && now["klarna_reference"].is_string()
                    })
                    .await;
                let offered = now["available_actions"].as_array().unwrap();
                let refused = now["unavailable_actions"].as_array().unwrap();
                assert_eq!(offered.len() + refused.len(), 12, "{now}");
                for action in refused {
                    assert!(action["code"].is_string() && action["remedy"].is_string(), "{now}");
                }
                if offered.is_empty() {
                    break;
                }
                // Ends come last, so that there is a middle; and they come.
                let ends = |action: &&Value| {
                    matches!(action["action"].as_str().unwrap(), "cancel" | "release")
                };
                let last = step == STEPS - 1 && offered.iter().any(|action| ends(&action));
                let offered: Vec<_> =
                    offered.iter().filter(|action| ends(action) == last).collect();
                let number = usize::try_from(chance.below(offered.len() as u64)).unwrap();
                let action = offered[number];
                let name = action["action"].as_str().unwrap();
                if name == "update_customer_details" && country != "SE" {
                    continue;
                }
                if name == "extend_due_date" {
                    // Which days there are is asked first.
                    let id = action["capture_ids"][0].as_str().unwrap();
                    let path = format!(
                        "/v1/payments/{}/captures/{id}/due-date-options",
                        now["id"].as_str().unwrap()
                    );
                    let options = valley.town.call("GET", &path, &Value::Null).await;
                    assert_eq!(options.status, 200, "{}", options.text);
                    if options.body["options"] == json!([]) {
                        continue;
                    }
                }
                let (place, body) = offered_request(&now, action, &mut chance);
                let reply = valley.ask(&now, &place, &body).await;
                assert!(
                    matches!(reply.status, 200 | 201),
                    "{country} {method} {step}: {action} {place} {body} of {now}: {}",
                    reply.text
                );
                *seen.entry(name.to_owned()).or_default() += 1;
            }
            valley.agree(&payment).await;
        }
        assert_eq!(seen.len(), 12, "{seen:?}");
        valley.town.end().await;
    }
}

fn american() -> Value {
    let mut cart = cart();
    cart["country"] = json!("US");
    cart["locale"] = Value::Null;
    cart["prices"] = json!("excluding_tax");
    cart
}

#[tokio::test]
async fn a_payment_under_review_is_held_and_its_end_is_believed_only_when_read() {
    for valley in valleys().await {
        let reviewed = async |verdict: &str| {
            let shopper = json!({ "email": format!("c+pend-{verdict}-30@email.us") });
            let payment = valley.town.paid_by(&american(), shopper).await;
            valley
                .until(&payment["id"], "it is read", |now| now["klarna_reference"].is_string())
                .await
        };
        // Accepted: the capture that waited is carried out.
        let payment = reviewed("accept").await;
        assert_eq!(payment["fraud_status"], "PENDING", "{payment}");
        let held = valley.ask(&payment, "captures", &json!({ "amount": 1_000 })).await;
        assert_eq!((held.status, &held.body["operation"]["held"]), (202, &json!(true)));
        valley.advance_hours(1);
        let after = valley
            .until(&payment["id"], "it is captured", |now| now["amounts"]["captured"] == 1_000)
            .await;
        assert_eq!(after["fraud_status"], "ACCEPTED");

        // Rejected: what waited is refused; one may overrule it for four hours.
        let payment = reviewed("reject").await;
        valley.ask(&payment, "captures", &json!({ "amount": 1_000 })).await;
        valley.advance_hours(1);
        let after = valley
            .until(&payment["id"], "it is rejected", |now| now["fraud_status"] == "REJECTED")
            .await;
        assert_eq!((&after["operations"], &after["amounts"]["captured"]), (&json!([]), &json!(0)));
        let case = refused("captures", json!({ "amount": 1_000 }), 409, "fraud_rejected");
        valley.refuses(&payment, &case).await;
        let own = json!({ "amount": 1_000, "risk": "merchant" });
        valley.done(&payment, "captures", &own).await;

        // Rejected and not overruled: Klarna cancels it, and the gateway sees that.
        let payment = reviewed("reject").await;
        valley.advance_hours(1);
        valley
            .until(&payment["id"], "it is rejected", |now| now["fraud_status"] == "REJECTED")
            .await;
        valley.advance_hours(5);
        valley.until(&payment["id"], "it is cancelled", |now| now["status"] == "cancelled").await;

        // Cancelled while it waited: an acceptance that comes later changes nothing.
        let payment = reviewed("accept").await;
        valley.ask(&payment, "captures", &json!({ "amount": 1_000 })).await;
        valley.done(&payment, "cancel", &Value::Null).await;
        valley.advance_hours(2);
        let case = refused("captures", json!({ "amount": 1_000 }), 409, "state_conflict");
        valley.refuses(&payment, &case).await;
        let order = valley.order(&payment).await;
        assert_eq!((order.status.as_str(), order.captures.len()), ("CANCELLED", 0));
        let events = valley.events(&payment).await;
        assert!(!events.contains(&"payment.fraud_accepted".to_owned()), "{events:?}");
        valley.town.end().await;
    }
}

#[tokio::test]
async fn an_authorisation_about_to_lapse_is_announced_and_extended() {
    for valley in valleys().await {
        let policy = json!({ "on_expiry": "extend", "act_days": 3, "notice_days": [2, 7] });
        let kept = valley.town.call("PUT", "/v1/expiry-policy", &policy).await;
        assert_eq!(kept.body["notice_days"], json!([7, 2]), "{}", kept.text);
        let payment = valley.town.paid_by(&cart(), invoice()).await;
        let first =
            valley.until(&payment["id"], "it is read", |now| now["expires_at"].is_string()).await;
        valley.advance_hours(21 * 24);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while !valley.events(&payment).await.contains(&"payment.authorization_expiring".to_owned())
        {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        valley.advance_hours(4 * 24);
        let extended = valley
            .until(&payment["id"], "it is extended", |now| now["expires_at"] != first["expires_at"])
            .await;
        assert_eq!(extended["status"], "authorized");
        let events = valley.events(&payment).await;
        let count = |kind: &str| events.iter().filter(|each| *each == kind).count();
        assert_eq!(count("payment.authorization_expiring"), 1, "{events:?}");
        assert_eq!(count("payment.authorization_extended"), 1, "{events:?}");
        let off = valley.town.call("PUT", "/v1/expiry-policy", &json!({})).await;
        assert_eq!(off.body["on_expiry"], "none");
        valley.advance_hours(40 * 24);
        let lapsed =
            valley.until(&payment["id"], "it has lapsed", |now| now["status"] == "expired").await;
        assert_eq!(lapsed["unavailable_actions"][0]["code"], "state_conflict");
        let events = valley.events(&payment).await;
        assert!(events.contains(&"payment.authorization_expired".to_owned()), "{events:?}");
        valley.town.end().await;
    }
}

/// A person who has signed in.
struct Clerk<'a> {
    valley: &'a Valley,
    cookie: String,
}

impl Clerk<'_> {
    async fn page(&self, path: &str) -> Reply {
        let url = format!("{}{path}", self.valley.town.gateway.url);
        let headers = [("cookie", self.cookie.as_str())];
        self.valley.town.send("GET", url, &headers, String::new()).await
    }

    async fn send(&self, path: &str, body: String) -> Reply {
        let url = format!("{}{path}", self.valley.town.gateway.url);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("cookie", self.cookie.as_str())];
        self.valley.town.send("POST", url, &headers, body).await
    }

    /// The value of a hidden field in the form of an action on a page.
    fn hidden(page: &str, action: &str, name: &str) -> String {
        let form = page.split(&format!("/{action}\"")).nth(1).expect(action);
        let field = form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        field.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_person_does_everything_in_the_dashboard_and_each_press_once() {
    for valley in valleys().await {
        let payment = valley.town.paid_by(&cart(), invoice()).await;
        let payment = valley
            .until(&payment["id"], "it is read", |now| now["klarna_reference"].is_string())
            .await;
        let clerk = Clerk { valley: &valley, cookie: valley.town.sign_in().await };
        let path = format!("/dashboard/payments/{}", payment["id"].as_str().unwrap());
        let fresh = clerk.page(&path).await;
        for absent in ["refund", "release", "resend_communication", "extend_due_date"] {
            assert!(!fresh.text.contains(&format!("{path}/{absent}\"")), "{absent}");
        }
        assert!(fresh.text.contains("Not possible now"), "{}", fresh.text);
        for (action, fields) in [
            ("acknowledge", String::new()),
            ("update_authorization", "amount=300,00&description=one+less".to_owned()),
            ("extend_authorization", String::new()),
            (
                "update_customer_details",
                "city=Lund&postal_code=22222&street_address=Gatan+1".to_owned(),
            ),
            (
                "update_merchant_references",
                "merchant_reference1=WEB-9&merchant_reference2=B-9".to_owned(),
            ),
            ("add_shipping_info", "shipping_company=PostNord&shipping_method=Home".to_owned()),
            (
                "capture",
                "amount=100&tracking_number=T-1&tracking_uri=https%3A%2F%2Fexample.com%2FT"
                    .to_owned(),
            ),
            ("refund", "amount=20".to_owned()),
            ("resend_communication", "CAPTURE".to_owned()),
            ("release", String::new()),
        ] {
            let page = clerk.page(&path).await;
            let csrf = Clerk::hidden(&page.text, action, "csrf");
            let key = Clerk::hidden(&page.text, action, "key");
            let fields = if fields == "CAPTURE" {
                let now = valley.payment(&payment["id"]).await;
                format!("capture_id={}", now["captures"][0]["id"].as_str().unwrap())
            } else {
                fields
            };
            let body = format!("csrf={csrf}&key={key}&{fields}");
            let place = format!("{path}/{action}");
            let (one, two) =
                tokio::join!(clerk.send(&place, body.clone()), clerk.send(&place, body.clone()));
            for reply in [&one, &two] {
                assert_eq!(reply.status, 303, "{action}: {}", reply.text);
                assert_eq!(reply.headers["location"], format!("{path}?done={action}").as_str());
            }
            let forged = clerk.send(&place, format!("csrf=x&key={key}&{fields}")).await;
            assert_eq!(forged.status, 403, "{action}");
            let after = clerk.page(&format!("{path}?done={action}")).await;
            assert!(after.text.contains("notice good"), "{action}");
        }
        let now = valley.payment(&payment["id"]).await;
        assert_eq!(now["amounts"]["captured"], 10_000);
        assert_eq!(now["amounts"]["refunded"], 2_000);
        assert_eq!(now["merchant_reference"], "WEB-9");
        assert_eq!(now["captures"][0]["shipping_info"].as_array().unwrap().len(), 1);
        let operations = valley.town.call("GET", "/v1/operations?limit=100", &Value::Null).await;
        let count = operations.body["data"].as_array().unwrap().len();
        assert_eq!(count, 11, "the order, and each press once: {}", operations.text);

        let capture_id = now["captures"][0]["id"].as_str().unwrap();
        let offers = clerk.page(&format!("{path}/due-date/{capture_id}")).await;
        assert!(offers.text.contains("Klarna charges you"), "{}", offers.text);
        let csrf = Clerk::hidden(&offers.text, "extend_due_date", "csrf");
        let key = Clerk::hidden(&offers.text, "extend_due_date", "key");
        let body = format!("csrf={csrf}&key={key}&capture_id={capture_id}&number_of_days=10");
        let moved = clerk.send(&format!("{path}/extend_due_date"), body).await;
        assert_eq!(moved.status, 303, "{}", moved.text);
        assert_eq!(clerk.page(&format!("{path}/due-date/nobody")).await.status, 404);

        // What cannot be is told in the words of people.
        for (action, fields, says) in [
            ("refund", "amount=80.01", "more than the"),
            ("refund", "amount=abc", "is not an amount in SEK"),
            ("resend_communication", "", "Choose a capture"),
            ("extend_due_date", "capture_id=x", "Choose a number of days"),
            ("add_shipping_info", "", "at least one thing"),
            ("update_customer_details", "", "cannot be sent elsewhere"),
            ("cancel", "", "cannot be cancelled"),
        ] {
            let body = format!("csrf={csrf}&key=again-{action}-{}&{fields}", fields.len());
            let reply = clerk.send(&format!("{path}/{action}"), body).await;
            assert!((400..500).contains(&reply.status), "{action}: {}", reply.status);
            assert!(reply.text.contains(says), "{says} in {}", reply.text);
        }
        let unknown = clerk.send(&format!("{path}/burn"), format!("csrf={csrf}&key=k")).await;
        assert_eq!(unknown.status, 404);

        let expiry = "/dashboard/expiry";
        let page = clerk.page(expiry).await;
        assert!(page.text.contains("Nothing: people decide"), "{}", page.text);
        let wanted = format!("csrf={csrf}&on_expiry=extend&act_days=4&notice_days=2,+9");
        assert_eq!(clerk.send(expiry, wanted).await.status, 303);
        let policy = valley.town.call("GET", "/v1/expiry-policy", &Value::Null).await;
        let kept = json!({ "on_expiry": "extend", "act_days": 4, "notice_days": [9, 2] });
        assert_eq!(policy.body, kept);
        let wrong = format!("csrf={csrf}&on_expiry=extend&act_days=400&notice_days=");
        let wrong = clerk.send(expiry, wrong).await;
        assert_eq!(wrong.status, 400);
        assert!(wrong.text.contains("not between 1 and 180"), "{}", wrong.text);
        assert_eq!(clerk.send(expiry, "csrf=x".to_owned()).await.status, 403);
        valley.town.end().await;
    }
}
