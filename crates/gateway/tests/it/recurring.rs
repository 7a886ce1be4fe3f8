//! Customer tokens, charges on demand and subscriptions over HTTP, against a playground.

use std::time::Duration;

use crate::faulty::Hit;
use crate::town::{Reply, Town};
use serde_json::{Value, json};

fn line(amount: i64) -> Value {
    json!({ "type": "digital", "name": "Kaffe", "quantity": 1, "unit_price": amount, "tax_rate": 1200 })
}

fn tokenizing(intent: &str, amount: i64, token: &Value) -> Value {
    json!({
        "merchant_reference": "SIGN-UP-1", "country": "SE", "prices": "including_tax",
        "lines": [line(amount)], "intent": intent, "customer_token": token,
    })
}

fn token_for(description: &str) -> Value {
    json!({ "description": description })
}

impl Town {
    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, 201, "{path}: {}", reply.text);
        reply.body
    }

    /// Opens a checkout, has the shopper authorise, and confirms.
    async fn sign_up(&self, checkout: &Value) -> Value {
        let checkout = self.made("/v1/checkouts", checkout).await;
        self.confirm(&checkout).await
    }

    async fn confirm(&self, checkout: &Value) -> Value {
        let token = self.authorize(checkout).await;
        let path = format!("/v1/checkouts/{}/confirm", text(checkout, "id"));
        let done = self.post(&path, &json!({ "authorization_token": token })).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(done.body["status"], "completed", "{}", done.text);
        done.body
    }

    /// A customer token that was made without a purchase.
    async fn token(&self) -> String {
        let done = self.sign_up(&tokenizing("tokenize", 0, &token_for("Resor"))).await;
        text(&done, "customer_token_id")
    }

    /// Reads until it is so.
    async fn read_until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let found = self.get(path).await;
            if is_so(&found) {
                return found;
            }
            assert!(tokio::time::Instant::now() < deadline, "{path}: {found}");
            tokio::task::yield_now().await;
        }
    }

    /// Be Klarna towards the customer token that was used last.
    async fn as_klarna(&self, change: &Value) -> Value {
        let id = self.klarna.newest_customer_token();
        let url = format!("{}playground/v1/customer-tokens/{id}", self.playground.url());
        let headers = [("content-type", "application/json")];
        let reply = self.send("POST", url, &headers, change.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

fn ride(reference: &str) -> Value {
    json!({
        "merchant_reference": reference, "prices": "including_tax", "capture": "automatic",
        "lines": [line(10_600)], "step_up": "offered",
    })
}

#[tokio::test]
async fn a_token_without_a_purchase_is_charged_on_demand_and_cancelled() {
    for town in Town::on_each_engine().await {
        let done = town.sign_up(&tokenizing("tokenize", 0, &token_for("Resor"))).await;
        assert_eq!((&done["intent"], &done["payment_id"]), (&json!("tokenize"), &Value::Null));
        let id = text(&done, "customer_token_id");
        let path = format!("/v1/customer_tokens/{id}");
        let token = town.get(&path).await;
        assert_eq!(
            (&token["status"], &token["description"], &token["country"], &token["currency"]),
            (&json!("active"), &json!("Resor"), &json!("SE"), &json!("SEK"))
        );
        assert!(token["checked_at"].is_string() && token["payment_method_type"].is_string());

        let charges = format!("{path}/charges");
        let key = [("idempotency-key", "ride-1")];
        let first = town.call_with("POST", &charges, &ride("RIDE-1"), &key).await;
        let again = town.call_with("POST", &charges, &ride("RIDE-1"), &key).await;
        assert_eq!((first.status, again.status), (201, 201), "{} {}", first.text, again.text);
        assert_eq!(first.body["payment_id"], again.body["payment_id"]);
        let other = town.call_with("POST", &charges, &ride("RIDE-2"), &key).await;
        assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency_mismatch")));
        let payment = &first.body["payment"];
        assert_eq!(payment["checkout_id"], Value::Null);
        assert_eq!(
            (&payment["status"], &payment["amounts"]["captured"], &payment["merchant_reference"]),
            (&json!("captured"), &json!(10_600), &json!("RIDE-1"))
        );

        // A payment like any other.
        let payment = format!("/v1/payments/{}", text(&first.body, "payment_id"));
        let refunded = town.post(&format!("{payment}/refunds"), &json!({ "amount": 600 })).await;
        assert_eq!(refunded.status, 201, "{}", refunded.text);
        assert_eq!(refunded.body["amounts"]["refunded"], 600);
        town.get(&format!("{payment}/events")).await;
        let list = town.get(&charges).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        let charge = format!("{charges}/{}", text(&first.body, "id"));
        assert_eq!(town.get(&charge).await["payment"]["amounts"]["refunded"], 600);
        let operation = town.get(&format!("/v1/operations/{}", text(&first.body, "id"))).await;
        assert_eq!(
            (&operation["kind"], &operation["checkout_id"], &operation["subject_id"]),
            (&json!("charge"), &Value::Null, &json!(id))
        );

        for _ in 0..2 {
            let cancelled = town.post(&format!("{path}/cancel"), &Value::Null).await;
            assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")));
        }
        let refused = town.post(&charges, &ride("RIDE-3")).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("state_conflict")));
        assert_eq!(town.get(&path).await["status"], "cancelled");
        town.end().await;
    }
}

#[tokio::test]
async fn one_authorisation_makes_one_token_and_one_order() {
    for hits in [
        vec![],
        vec![("create_token", Hit::LostAfter)],
        vec![("create_token", Hit::LostBefore), ("place_order", Hit::LostAfter)],
        vec![("create_token", Hit::NotSent), ("place_order", Hit::NotSent)],
    ] {
        for town in Town::on_each_engine().await {
            let wanted = tokenizing("buy_and_tokenize", 14_900, &token_for("Kaffe"));
            let checkout = town.made("/v1/checkouts", &wanted).await;
            for (call, hit) in &hits {
                town.klarna.hit_next(call, *hit);
            }
            let token = town.authorize(&checkout).await;
            let path = format!("/v1/checkouts/{}/confirm", text(&checkout, "id"));
            let body = json!({ "authorization_token": token });
            let (one, two) = tokio::join!(town.post(&path, &body), town.post(&path, &body));
            for done in [&one, &two] {
                assert_eq!(done.status, 200, "{hits:?}: {}", done.text);
                assert_eq!(done.body["payment"]["amounts"]["authorized"], 14_900);
                assert_eq!(done.body["customer_token_id"], one.body["customer_token_id"]);
            }
            assert_eq!(town.klarna.orders_of(&token).len(), 1);
            let tokens = town.get("/v1/customer_tokens").await;
            assert_eq!(tokens["data"].as_array().unwrap().len(), 1, "{tokens}");
            town.end().await;
        }
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_made_leaves_the_checkout_open_and_no_order() {
    for town in Town::on_each_engine().await {
        let wanted = tokenizing("buy_and_tokenize", 14_900, &token_for("Kaffe"));
        let checkout = town.made("/v1/checkouts", &wanted).await;
        town.klarna.hit_next("create_token", Hit::Refuse(400, "BAD_REQUEST"));
        let token = town.authorize(&checkout).await;
        let path = format!("/v1/checkouts/{}", text(&checkout, "id"));
        let body = json!({ "authorization_token": token });
        let refused = town.post(&format!("{path}/confirm"), &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("invalid_request")));
        assert!(town.klarna.orders_of(&token).is_empty());
        assert_eq!(town.get(&path).await["status"], "open");
        // The shopper authorises anew, and all is well.
        let done = town.confirm(&checkout).await;
        assert!(done["customer_token_id"].is_string() && done["payment_id"].is_string());
        town.end().await;
    }
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_made_once() {
    for town in Town::on_each_engine().await {
        let path = format!("/v1/customer_tokens/{}/charges", town.token().await);
        for hit in [Hit::LostAfter, Hit::LostBefore, Hit::NotSent] {
            town.klarna.hit_next("charge", hit);
            let charged = town.post(&path, &ride("RIDE-1")).await;
            assert_eq!(charged.status, 201, "{hit:?}: {}", charged.text);
        }
        let klarnas = town.as_klarna(&json!({ "action": "activate" })).await;
        let charged = klarnas["history"].as_array().unwrap();
        let charged = charged.iter().filter(|entry| entry["event"] == "charged").count();
        assert_eq!(charged, 3, "{klarnas}");
        town.end().await;
    }
}

#[tokio::test]
async fn a_refused_charge_is_recovered_by_the_shopper() {
    for town in Town::on_each_engine().await {
        let id = town.token().await;
        let path = format!("/v1/customer_tokens/{id}/charges");
        town.get(&format!("/v1/customer_tokens/{id}")).await;
        town.as_klarna(&json!({ "action": "fail_next", "times": 100 })).await;
        let refused = town.post(&path, &ride("RIDE-1")).await;
        assert_eq!((refused.status, &refused.body["code"]), (402, &json!("declined")));
        let charge = format!("{path}/{}", text(&refused.body, "operation_id"));
        assert_eq!(town.get(&charge).await["can_step_up"], true);
        let url = format!("{charge}/step_up");
        let checkout = town.made(&url, &json!({})).await;
        let again = town.made(&url, &json!({})).await;
        assert_eq!(checkout["id"], again["id"]);
        let cart = format!("/v1/checkouts/{}", text(&checkout, "id"));
        let changed = town.post(&cart, &json!({ "lines": [line(1)] })).await;
        assert_eq!(changed.status, 409, "{}", changed.text);
        let done = town.confirm(&checkout).await;
        assert_eq!(done["payment"]["amounts"]["authorized"], 10_600);
        assert_eq!(done["customer_token_id"], Value::Null);
        assert_eq!(town.post(&url, &json!({})).await.status, 409);
        // The method that was chosen stands behind the same token now.
        town.made(&path, &ride("RIDE-2")).await;
        // A charge that was refused while nobody was there cannot be recovered.
        town.as_klarna(&json!({ "action": "fail_next" })).await;
        let mut alone = ride("RIDE-3");
        alone["step_up"] = json!("never");
        let refused = town.post(&path, &alone).await;
        let url = format!("{path}/{}/step_up", text(&refused.body, "operation_id"));
        assert_eq!(town.post(&url, &json!({})).await.status, 409);
        town.end().await;
    }
}

fn monthly() -> Value {
    json!({
        "name": "Kaffe", "currency": "SEK", "amount": 14_900, "tax_rate": 1200,
        "interval": "month", "capture": "automatic",
    })
}

#[tokio::test]
async fn a_subscription_begins_with_its_checkout() {
    for town in Town::on_each_engine().await {
        let plan = town.made("/v1/plans", &monthly()).await;
        let customer = town.made("/v1/customers", &json!({ "reference": "C-1001" })).await;
        let known = town.post("/v1/customers", &json!({ "reference": "C-1001" })).await;
        assert_eq!((known.status, &known.body["id"]), (200, &customer["id"]));
        let token = json!({
            "description": "Kaffe varje månad", "customer_id": customer["id"], "plan_id": plan["id"],
        });
        let wanted = tokenizing("buy_and_tokenize", 14_900, &token);
        let checkout = town.made("/v1/checkouts", &wanted).await;
        assert_eq!(checkout["order_lines"][0]["subscription"]["interval"], "MONTH");
        let wanted = json!({
            "plan_id": plan["id"], "checkout_id": checkout["id"], "merchant_reference": "SUB-1",
            "time_zone": "europe/stockholm",
        });
        let subscription = town.made("/v1/subscriptions", &wanted).await;
        assert_eq!(
            (&subscription["status"], &subscription["time_zone"]),
            (&json!("incomplete"), &json!("Europe/Stockholm"))
        );
        let done = town.confirm(&checkout).await;
        let path = format!("/v1/subscriptions/{}", text(&subscription, "id"));
        let subscription = town.read_until(&path, |found| found["status"] == "active").await;
        assert_eq!(subscription["customer_token_id"], done["customer_token_id"]);
        assert_eq!(subscription["customer_id"], customer["id"]);
        assert_eq!(subscription["charges"], 1);
        assert!(subscription["next_charge_at"].is_string());
        let charges = town.get(&format!("{path}/charges")).await;
        assert_eq!(charges["data"][0]["payment_id"], done["payment_id"], "{charges}");
        assert_eq!(charges["data"][0]["status"], "paid");
        let filter =
            format!("/v1/subscriptions?customer_id={}&status=active", text(&customer, "id"));
        assert_eq!(town.get(&filter).await["data"][0]["id"], subscription["id"]);

        // Its token's end is its own.
        let token = format!("/v1/customer_tokens/{}/cancel", text(&done, "customer_token_id"));
        assert_eq!(town.post(&token, &Value::Null).await.status, 200);
        let ended = town.get(&path).await;
        assert_eq!(
            (&ended["status"], &ended["ended_because"]),
            (&json!("cancelled"), &json!("token_cancelled"))
        );
        let events = town.get(&format!("{path}/events")).await;
        let kinds: Vec<_> =
            events["data"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
        assert_eq!(
            kinds,
            ["subscription.created", "subscription.activated", "subscription.cancelled"]
        );
        town.end().await;
    }
}

#[tokio::test]
async fn a_checkout_that_ends_takes_its_subscription_with_it() {
    for town in Town::on_each_engine().await {
        let plan = town.made("/v1/plans", &monthly()).await;
        let checkout =
            town.made("/v1/checkouts", &tokenizing("tokenize", 0, &token_for("Kaffe"))).await;
        let wanted = json!({
            "plan_id": plan["id"], "checkout_id": checkout["id"], "merchant_reference": "SUB-1",
        });
        let subscription = town.made("/v1/subscriptions", &wanted).await;
        let cancel = format!("/v1/checkouts/{}/cancel", text(&checkout, "id"));
        assert_eq!(town.post(&cancel, &Value::Null).await.status, 200);
        let ended = town.get(&format!("/v1/subscriptions/{}", text(&subscription, "id"))).await;
        assert_eq!(ended["ended_because"], "checkout_over");
        assert_eq!(town.post("/v1/subscriptions", &wanted).await.status, 409);
        town.end().await;
    }
}

#[tokio::test]
async fn a_failed_charge_waits_is_helped_with_and_retried() {
    for town in Town::on_each_engine().await {
        let mut wanted = monthly();
        wanted["dunning"] = json!({ "retry_days": [2, 4], "step_up": "offered" });
        let plan = town.made("/v1/plans", &wanted).await;
        let token = town.token().await;
        town.get(&format!("/v1/customer_tokens/{token}")).await;
        town.as_klarna(&json!({ "action": "fail_next", "times": 2 })).await;
        let subscribe = |reference: &str| {
            json!({
                "plan_id": plan["id"], "customer_token_id": token, "merchant_reference": reference,
            })
        };
        let subscription = town.made("/v1/subscriptions", &subscribe("SUB-1")).await;
        let path = format!("/v1/subscriptions/{}", text(&subscription, "id"));
        let late = town.read_until(&path, |found| found["status"] == "past_due").await;
        let open = &late["open_charge"];
        assert_eq!(
            (&open["number"], &open["attempts"], &open["then"], &open["can_step_up"]),
            (&json!(1), &json!(1), &json!("retry"), &json!(true))
        );
        assert_eq!(town.post(&format!("{path}/pause"), &Value::Null).await.status, 409);

        // By hand, and it fails again; then the shopper helps.
        let retried = town.post(&format!("{path}/retry"), &Value::Null).await;
        assert_eq!(retried.status, 200, "{}", retried.text);
        town.read_until(&path, |found| {
            found["open_charge"]["attempts"] == 2 && found["open_charge"]["waits_until"].is_string()
        })
        .await;
        let checkout = town.made(&format!("{path}/step_up"), &json!({})).await;
        assert_eq!(checkout["order_amount"], 14_900);
        let done = town.confirm(&checkout).await;
        let paid = town.get(&path).await;
        assert_eq!((&paid["status"], &paid["open_charge"]), (&json!("active"), &Value::Null));
        let charges = town.get(&format!("{path}/charges")).await;
        let charge = &charges["data"][0];
        assert_eq!(
            (&charge["status"], &charge["attempts"], &charge["payment_id"]),
            (&json!("paid"), &json!(2), &done["payment_id"])
        );
        assert_eq!(town.post(&format!("{path}/step_up"), &json!({})).await.status, 409);
        assert_eq!(town.post(&format!("{path}/retry"), &Value::Null).await.status, 409);

        // A try by hand closes the shopper's checkout: the two must not both pay.
        town.as_klarna(&json!({ "action": "fail_next", "times": 1 })).await;
        let other = town.made("/v1/subscriptions", &subscribe("SUB-2")).await;
        let path = format!("/v1/subscriptions/{}", text(&other, "id"));
        town.read_until(&path, |found| found["status"] == "past_due").await;
        let checkout = town.made(&format!("{path}/step_up"), &json!({})).await;
        town.post(&format!("{path}/retry"), &Value::Null).await;
        town.read_until(&path, |found| found["status"] == "active").await;
        let closed = town.get(&format!("/v1/checkouts/{}", text(&checkout, "id"))).await;
        assert_eq!(closed["status"], "cancelled");
        town.end().await;
    }
}

#[tokio::test]
async fn what_merchants_do_with_a_subscription() {
    for town in Town::on_each_engine().await {
        let plan = town.made("/v1/plans", &monthly()).await;
        let mut yearly = monthly();
        yearly["interval"] = json!("year");
        let yearly = town.made("/v1/plans", &yearly).await;
        let wanted = json!({
            "plan_id": plan["id"], "customer_token_id": town.token().await,
            "merchant_reference": "SUB-1", "trial_days": 14,
        });
        let key = [("idempotency-key", "sub-1")];
        let first = town.call_with("POST", "/v1/subscriptions", &wanted, &key).await;
        let again = town.call_with("POST", "/v1/subscriptions", &wanted, &key).await;
        assert_eq!((first.status, again.status), (201, 201), "{} {}", first.text, again.text);
        assert_eq!(first.body["id"], again.body["id"]);
        let path = format!("/v1/subscriptions/{}", text(&first.body, "id"));
        let act = async |action: &str, body: Value, member: &str| {
            let reply = town.post(&format!("{path}/{action}"), &body).await;
            assert_eq!(reply.status, 200, "{action}: {}", reply.text);
            reply.body[member].clone()
        };
        assert_eq!(first.body["status"], "trialing");
        assert_eq!(act("pause", Value::Null, "status").await, "paused");
        assert_eq!(act("resume", Value::Null, "status").await, "trialing");
        let body = json!({ "plan_id": yearly["id"] });
        assert_eq!(act("plan", body, "next_plan_id").await, yearly["id"]);
        let body = json!({ "plan_id": yearly["id"], "when": "now" });
        assert_eq!(act("plan", body, "interval").await, "year");
        let body = json!({ "when": "period_end" });
        assert_eq!(act("cancel", body, "cancel_at_period_end").await, true);
        assert_eq!(act("resume", Value::Null, "cancel_at_period_end").await, false);
        assert_eq!(act("cancel", Value::Null, "ended_because").await, "requested");
        for action in ["pause", "resume", "cancel", "retry"] {
            let refused = town.post(&format!("{path}/{action}"), &Value::Null).await;
            assert_eq!((refused.status, &refused.body["code"]), (409, &json!("state_conflict")));
        }
        assert_eq!(town.get(&format!("{path}/charges")).await["data"], json!([]));

        let archived =
            town.post(&format!("/v1/plans/{}/archive", text(&plan, "id")), &Value::Null).await;
        assert_eq!(archived.body["status"], "archived");
        assert_eq!(town.post("/v1/subscriptions", &wanted).await.status, 409);
        let list = town.get("/v1/plans?limit=1").await;
        assert!(list["next_cursor"].is_string());
        town.end().await;
    }
}

#[tokio::test]
async fn bad_input_is_refused_by_name() {
    let town = Town::build(storage::Location::Memory).await;
    let plan = text(&town.made("/v1/plans", &monthly()).await, "id");
    let token = town.token().await;
    let with = |base: &Value, change: Value| {
        let mut body = base.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let subscription = json!({
        "plan_id": plan, "customer_token_id": token, "merchant_reference": "SUB-1",
    });
    let checkout = tokenizing("tokenize", 0, &token_for("Kaffe"));
    let mut euros = monthly();
    euros["currency"] = json!("EUR");
    let euros = text(&town.made("/v1/plans", &euros).await, "id");
    let long = "k".repeat(256);
    let charge = format!("/v1/customer_tokens/{token}/charges");
    let cases = [
        ("/v1/customers", json!({}), "reference"),
        ("/v1/customers", json!({ "reference": "" }), "reference"),
        ("/v1/customers", json!({ "reference": "anna@example.com" }), "reference"),
        ("/v1/customers", json!({ "reference": "Anna Person" }), "reference"),
        ("/v1/customers", json!({ "reference": "C", "email": "x" }), "email"),
        ("/v1/plans", with(&monthly(), json!({ "interval": "hour" })), "interval"),
        ("/v1/plans", with(&monthly(), json!({ "interval_count": 0 })), "interval_count"),
        ("/v1/plans", with(&monthly(), json!({ "anchor_day": 32 })), "anchor_day"),
        ("/v1/plans", with(&monthly(), json!({ "amount": 0 })), "lines"),
        ("/v1/plans", with(&monthly(), json!({ "amount": -1 })), "lines[0].unit_price"),
        ("/v1/plans", with(&monthly(), json!({ "lines": [line(1)] })), "lines"),
        ("/v1/plans", with(&monthly(), json!({ "currency": "XYZ" })), "currency"),
        ("/v1/plans", with(&monthly(), json!({ "tax_rate": 10_001 })), "lines[0].tax_rate"),
        ("/v1/plans", with(&monthly(), json!({ "trial_days": -1 })), "trial_days"),
        ("/v1/plans", with(&monthly(), json!({ "name": long })), "name"),
        (
            "/v1/plans",
            with(&monthly(), json!({ "dunning": { "retry_days": [3, 2] } })),
            "dunning.retry_days",
        ),
        (
            "/v1/plans",
            with(&monthly(), json!({ "dunning": { "give_up": "pray" } })),
            "dunning.give_up",
        ),
        ("/v1/checkouts", with(&checkout, json!({ "customer_token": null })), "customer_token"),
        ("/v1/checkouts", with(&checkout, json!({ "intent": "buy" })), "customer_token"),
        ("/v1/checkouts", with(&checkout, json!({ "intent": "lend" })), "intent"),
        (
            "/v1/checkouts",
            with(&checkout, json!({ "customer_token": token_for("") })),
            "customer_token.description",
        ),
        (
            "/v1/checkouts",
            with(
                &checkout,
                json!({ "customer_token": { "description": "K", "plan_id": "plan_x" } }),
            ),
            "customer_token.plan_id",
        ),
        (
            "/v1/checkouts",
            with(
                &checkout,
                json!({ "customer_token": { "description": "K", "customer_id": "cus_x" } }),
            ),
            "customer_id",
        ),
        ("/v1/subscriptions", with(&subscription, json!({ "plan_id": "plan_x" })), "plan_id"),
        ("/v1/subscriptions", with(&subscription, json!({ "plan_id": euros })), "plan_id"),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "customer_token_id": null })),
            "customer_token_id",
        ),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "customer_token_id": "ctk_x" })),
            "customer_token_id",
        ),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "checkout_id": "chk_x" })),
            "customer_token_id",
        ),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "merchant_reference": "" })),
            "merchant_reference",
        ),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "time_zone": "Europe/Atlantis" })),
            "time_zone",
        ),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "time_zone": "../../etc/passwd" })),
            "time_zone",
        ),
        ("/v1/subscriptions", with(&subscription, json!({ "start_at": "tomorrow" })), "start_at"),
        (
            "/v1/subscriptions",
            with(&subscription, json!({ "start_at": "2001-01-01T00:00:00Z" })),
            "start_at",
        ),
        ("/v1/subscriptions", with(&subscription, json!({ "trial_days": 100_000 })), "trial_days"),
        (charge.as_str(), with(&ride("R"), json!({ "lines": [] })), "lines"),
        (charge.as_str(), with(&ride("R"), json!({ "lines": [line(0)] })), "lines"),
        (charge.as_str(), with(&ride("R"), json!({ "step_up": "perhaps" })), "step_up"),
        (charge.as_str(), with(&ride(""), json!({})), "merchant_reference"),
    ];
    for (path, body, member) in cases {
        let refused = town.post(path, &body).await;
        assert_eq!(
            (refused.status, &refused.body["member"]),
            (400, &json!(member)),
            "{path} {body}: {}",
            refused.text
        );
    }
    for (method, path) in [
        ("GET", "/v1/customers/cus_x"),
        ("GET", "/v1/plans/plan_x"),
        ("POST", "/v1/plans/plan_x/archive"),
        ("GET", "/v1/customer_tokens/ctk_x"),
        ("POST", "/v1/customer_tokens/ctk_x/cancel"),
        ("GET", "/v1/customer_tokens/ctk_x/charges"),
        ("GET", "/v1/subscriptions/sub_x"),
        ("GET", "/v1/subscriptions/sub_x/charges"),
        ("GET", "/v1/subscriptions/sub_x/events"),
        ("POST", "/v1/subscriptions/sub_x/pause"),
        ("POST", "/v1/subscriptions/sub_x/resume"),
        ("POST", "/v1/subscriptions/sub_x/retry"),
        ("POST", "/v1/subscriptions/sub_x/cancel"),
        ("POST", "/v1/subscriptions/sub_x/step_up"),
    ] {
        let missing = town.call(method, path, &Value::Null).await;
        assert_eq!((missing.status, &missing.body["code"]), (404, &json!("not_found")), "{path}");
    }
    for path in [
        "/v1/subscriptions?status=happy",
        "/v1/customer_tokens?status=happy",
        "/v1/plans?limit=0",
        "/v1/customers?cursor=x",
        "/v1/subscriptions?surprise=1",
    ] {
        let refused = town.call("GET", path, &Value::Null).await;
        assert_eq!(refused.status, 400, "{path}: {}", refused.text);
    }
    town.end().await;
}

/// A person at the dashboard.
struct Desk<'a> {
    town: &'a Town,
    cookie: String,
    csrf: String,
}

impl<'a> Desk<'a> {
    async fn of(town: &'a Town) -> Self {
        let cookie = town.sign_in().await;
        let mut desk = Self { town, cookie, csrf: String::new() };
        let page = desk.get("/dashboard/plans").await;
        let csrf = page.text.split("name=\"csrf\" value=\"").nth(1).unwrap();
        csrf.split('"').next().unwrap().clone_into(&mut desk.csrf);
        desk
    }

    async fn get(&self, path: &str) -> Reply {
        let url = format!("{}{path}", self.town.gateway.url);
        self.town.send("GET", url, &[("cookie", &self.cookie)], String::new()).await
    }

    async fn press(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &self.csrf);
        for (name, value) in fields {
            form.append_pair(name, value);
        }
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("cookie", self.cookie.as_str()), form_type];
        let url = format!("{}{path}", self.town.gateway.url);
        self.town.send("POST", url, &headers, form.finish()).await
    }

    /// Pressed, and done.
    async fn done(&self, path: &str, fields: &[(&str, &str)]) {
        let reply = self.press(path, fields).await;
        assert_eq!(reply.status, 303, "{path} {fields:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn people_see_subscriptions_and_act_on_them() {
    for town in Town::on_each_engine().await {
        let plan = town.made("/v1/plans", &monthly()).await;
        let mut dearer = monthly();
        dearer["amount"] = json!(19_900);
        let dearer = text(&town.made("/v1/plans", &dearer).await, "id");
        let token = town.token().await;
        let wanted = json!({
            "plan_id": plan["id"], "customer_token_id": token, "merchant_reference": "SUB-<b>",
        });
        let made = town.made("/v1/subscriptions", &wanted).await;
        let id = text(&made, "id");
        town.read_until(&format!("/v1/subscriptions/{id}"), |found| found["status"] == "active")
            .await;
        let mut desk = Desk::of(&town).await;
        let list = desk.get("/dashboard/subscriptions?status=active").await;
        assert_eq!(list.status, 200, "{}", list.text);
        assert!(list.text.contains("SUB-&lt;b&gt;") && list.text.contains("every month"));
        let path = format!("/dashboard/subscriptions/{id}");
        let page = desk.get(&path).await;
        for shown in ["Customer token", "Paid", "Pause", "149.00", "199.00", "Europe"] {
            assert_eq!(page.text.contains(shown), shown != "Europe", "{shown}: {}", page.text);
        }
        let csrf = std::mem::replace(&mut desk.csrf, "wrong".to_owned());
        assert_ne!(desk.press(&format!("{path}/pause"), &[]).await.status, 303);
        desk.csrf = csrf;
        for (action, fields, status) in [
            ("pause", vec![], "paused"),
            ("resume", vec![], "active"),
            ("plan", vec![("plan", dearer.as_str()), ("when", "period_end")], "active"),
            ("end", vec![], "active"),
            ("cancel", vec![], "cancelled"),
        ] {
            desk.done(&format!("{path}/{action}"), &fields).await;
            let found = town.get(&format!("/v1/subscriptions/{id}")).await;
            assert_eq!(found["status"], status, "{action}");
            let next = if action == "plan" { json!(dearer) } else { found["next_plan_id"].clone() };
            assert_eq!(found["next_plan_id"], next, "{action}");
        }
        for (action, status) in [("pause", 409), ("plan", 400), ("help", 409), ("dance", 404)] {
            assert_eq!(
                desk.press(&format!("{path}/{action}"), &[]).await.status,
                status,
                "{action}"
            );
        }
        assert_eq!(desk.get("/dashboard/subscriptions/sub_x").await.status, 404);
        // Who has pressed what is kept.
        let audit = town.get("/v1/audit_log").await.to_string();
        assert!(audit.contains("pause") && audit.contains(&id), "{audit}");
        town.end().await;
    }
}

#[tokio::test]
async fn people_make_plans_and_look_after_customer_tokens() {
    for town in Town::on_each_engine().await {
        let desk = Desk::of(&town).await;
        let page = desk.get("/dashboard/plans").await;
        let key = page.text.split("name=\"key\" value=\"").nth(1).unwrap();
        let key = key.split('"').next().unwrap();
        let plan = [
            ("key", key),
            ("name", "Kaffe <b>"),
            ("amount", "149,50"),
            ("currency", "SEK"),
            ("tax", "12"),
            ("count", "2"),
            ("interval", "week"),
            ("anchor", "1"),
            ("trial", "7"),
            ("retry", "2, 4"),
            ("give_up", "cancel"),
            ("step_up", "yes"),
        ];
        // Pressed twice is pressed once.
        desk.done("/dashboard/plans", &plan).await;
        desk.done("/dashboard/plans", &plan).await;
        let plans = town.get("/v1/plans").await;
        assert_eq!(plans["data"].as_array().unwrap().len(), 1);
        let made = &plans["data"][0];
        assert_eq!(made["lines"][0]["unit_price"], 14_950);
        assert_eq!((&made["interval_count"], &made["anchor_day"]), (&json!(2), &json!(1)));
        assert_eq!(made["dunning"]["retry_days"], json!([2, 4]));
        let page = desk.get("/dashboard/plans").await;
        for shown in [
            "Kaffe &lt;b&gt;",
            "149.50",
            "every 2 weeks",
            "Mondays",
            "7 days",
            "the shopper may help",
        ] {
            assert!(page.text.contains(shown), "{shown}: {}", page.text);
        }
        // What is wrong is said, and what was typed is still there.
        let mut wrong = plan;
        (wrong[2].1, wrong[0].1) = ("much", "another-form");
        let refused = desk.press("/dashboard/plans", &wrong).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("not an amount") && refused.text.contains("value=\"2, 4\""));
        desk.done(&format!("/dashboard/plans/{}/archive", text(made, "id")), &[]).await;
        assert_eq!(town.get("/v1/plans").await["data"][0]["status"], "archived");
        assert_eq!(desk.press("/dashboard/plans/plan_x/archive", &[]).await.status, 404);

        let customer = town.made("/v1/customers", &json!({ "reference": "K-1" })).await;
        let mut wanted = token_for("Resor");
        wanted["customer_id"] = customer["id"].clone();
        let done = town.sign_up(&tokenizing("tokenize", 0, &wanted)).await;
        let token = text(&done, "customer_token_id");
        let list = desk.get("/dashboard/customers?q=K-1").await;
        assert!(list.text.contains(&text(&customer, "id")), "{}", list.text);
        let page = desk.get(&format!("/dashboard/customers/{}", text(&customer, "id"))).await;
        assert!(page.text.contains(&token) && page.text.contains("Resor"), "{}", page.text);
        let path = format!("/dashboard/customer-tokens/{token}");
        desk.done(&format!("{path}/ask"), &[]).await;
        let fields = [
            ("key", "a-form"),
            ("reference", "WEB-7"),
            ("what", "Resa"),
            ("amount", "99"),
            ("tax", "25"),
        ];
        desk.done(&format!("{path}/charge"), &fields).await;
        desk.done(&format!("{path}/charge"), &fields).await;
        let charged = town.get(&format!("/v1/customer_tokens/{token}/charges")).await;
        assert_eq!(charged["data"].as_array().unwrap().len(), 1, "{charged}");
        let page = desk.get(&path).await;
        assert!(page.text.contains("WEB-7") && page.text.contains("99.00"), "{}", page.text);
        let nothing =
            [("key", "b-form"), ("reference", "WEB-8"), ("what", "Resa"), ("amount", "0")];
        assert_eq!(desk.press(&format!("{path}/charge"), &nothing).await.status, 400);
        desk.done(&format!("{path}/cancel"), &[]).await;
        assert_eq!(town.get(&format!("/v1/customer_tokens/{token}")).await["status"], "cancelled");
        assert_eq!(desk.press(&format!("{path}/charge"), &[("key", "c")]).await.status, 400);
        for path in ["/dashboard/customers/cus_x", "/dashboard/customer-tokens/ctk_x"] {
            assert_eq!(desk.get(path).await.status, 404, "{path}");
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_shopper_is_sent_the_way_to_help() {
    for town in Town::on_each_engine().await {
        let mut wanted = monthly();
        wanted["dunning"] = json!({ "retry_days": [3], "step_up": "offered" });
        let plan = town.made("/v1/plans", &wanted).await;
        let token = town.token().await;
        // Klarna's id of it is known once Klarna was asked about it.
        town.get(&format!("/v1/customer_tokens/{token}")).await;
        town.as_klarna(&json!({ "action": "fail_next", "times": 1 })).await;
        let body = json!({
            "plan_id": plan["id"], "customer_token_id": token, "merchant_reference": "SUB-9",
        });
        let id = text(&town.made("/v1/subscriptions", &body).await, "id");
        let api = format!("/v1/subscriptions/{id}");
        town.read_until(&api, |found| found["status"] == "past_due").await;
        let desk = Desk::of(&town).await;
        let path = format!("/dashboard/subscriptions/{id}");
        // The shop has opened it in a page of its own; the dashboard gives it a page of Klarna's too.
        let opened = town.made(&format!("{api}/step_up"), &json!({})).await;
        assert_eq!((&opened["channel"], &opened["redirect_url"]), (&json!("inline"), &Value::Null));
        desk.done(&format!("{path}/help"), &[]).await;
        let again = town.made(&format!("{api}/step_up"), &json!({ "channel": "hosted" })).await;
        assert_eq!((&again["id"], &again["channel"]), (&opened["id"], &json!("hosted")));
        let link = text(&again, "redirect_url");
        let page = desk.get(&path).await;
        assert!(page.text.contains(&link), "{}", page.text);
        let email = ("email", "marked.shopper@example.com");
        assert_eq!(desk.press(&format!("{path}/link"), &[]).await.status, 400);
        desk.done(&format!("{path}/link"), &[email]).await;
        assert!(desk.get(&path).await.text.contains("Klarna has sent it"));
        // The next try of the charge closes the way.
        desk.done(&format!("{path}/retry"), &[]).await;
        town.read_until(&api, |found| found["open_charge"].is_null()).await;
        let checkout = town.get(&format!("/v1/checkouts/{}", text(&opened, "id"))).await;
        assert_eq!(checkout["status"], "cancelled", "{checkout}");
        let rows = town.get(&format!("{api}/charges")).await;
        assert_eq!(rows["data"].as_array().unwrap().len(), 1, "{rows}");
        assert_eq!(rows["data"][0]["status"], "paid", "{rows}");
        town.end().await;
    }
}
