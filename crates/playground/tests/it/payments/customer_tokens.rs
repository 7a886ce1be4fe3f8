//! Customer tokens made from authorizations: intents, refusals, repetition, races.

use serde_json::{Value, json};

use super::{SESSIONS, german_with, told};
use crate::common::{Reply, World};

fn token_path(authorization: &str) -> String {
    format!("/payments/v1/authorizations/{authorization}/customer-token")
}

fn wanted() -> Value {
    json!({
        "purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE",
        "description": "Kaffee jeden Monat", "intended_use": "SUBSCRIPTION",
    })
}

fn wanted_with(changes: &Value) -> Value {
    let mut body = wanted();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn billing(changes: &Value) -> Value {
    let mut address = json!({
        "given_name": "Mock", "family_name": "Mock", "email": "customer@email.de",
        "street_address": "Neue Schönhauser Str. 2", "postal_code": "10178", "city": "Berlin",
        "country": "DE",
    });
    for (name, value) in changes.as_object().unwrap() {
        address[name] = value.clone();
    }
    address
}

impl World {
    async fn tokenize(&self, authorization: &str, body: &Value) -> Reply {
        self.call("POST", &token_path(authorization), body).await
    }

    /// A session with this intent, approved by the shopper: its id and the authorization token.
    async fn approved(&self, intent: &str, method: &str) -> (String, String) {
        let body = german_with(&json!({
            "intent": intent, "billing_address": billing(&json!({})),
            "merchant_urls": {"confirmation": "https://shop.example/thanks?s={session.id}&o={order.id}"},
            "customer": {"date_of_birth": "1970-07-10", "gender": "female"},
        }));
        let session_id = self.session(&body).await;
        let shopper = json!({ "session_id": session_id, "payment_method": method });
        let outcome = self.control("/shopper/authorize", &shopper).await;
        let token = outcome["authorization_token"].as_str().unwrap().to_owned();
        (session_id, token)
    }
}

#[tokio::test]
async fn a_session_that_only_makes_a_token_is_complete_once_it_has_it() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        let (session_id, token) = world.approved("tokenize", "invoice").await;
        assert_eq!(world.read(&session_id).await.json["status"], "incomplete");
        let body = wanted_with(&json!({ "billing_address": billing(&json!({})) }));
        let made = world.tokenize(&token, &body).await;
        assert_eq!(made.header("x-ratelimit-limit"), "5, 5;w=1");
        insta::assert_json_snapshot!("created_customer_token", made.json, {
            ".token_id" => "[id]", ".payment_method_reference" => "[id]", ".redirect_url" => "[url]",
        });
        assert_eq!(world.read(&session_id).await.json["status"], "complete");
        // The browser is sent on, though there is no order.
        let redirect = made.json["redirect_url"].as_str().unwrap();
        let redirect = redirect.strip_prefix(&world.public_url()).unwrap();
        let bounced = world.send("GET", redirect, &[], "").await;
        let expected = format!("https://shop.example/thanks?s={session_id}&o=");
        assert_eq!((bounced.status, bounced.header("location")), (302, expected.as_str()));

        assert_eq!(world.tokenize(&token, &body).await.json, made.json);
        let consumed = "403 INVALID_OPERATION Authorization token already consumed";
        assert_eq!(told(&world.tokenize(&token, &wanted()).await), consumed);
        assert_eq!(told(&world.place_order(&token, &german_with(&json!({}))).await), consumed);
        assert_eq!(
            told(&world.cancel(&token).await),
            "404 NOT_FOUND Authorization cannot be deleted"
        );
        let completed = "404 SESSION_COMPLETED Session has already been completed";
        assert_eq!(told(&world.update(&session_id, &json!({})).await), completed);
        // A repeat outlives the authorization, but not the day.
        world.advance("PT23H59M").await;
        assert_eq!(world.tokenize(&token, &body).await.json, made.json);
        world.advance("PT1M").await;
        let late = world.tokenize(&token, &body).await;
        assert_eq!(told(&late), "404 NOT_FOUND Invalid authorization token");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_first_purchase_follows_its_token_by_the_same_authorization() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        for intent in ["buy_and_tokenize", "buy_and_default_tokenize"] {
            let (session_id, token) = world.approved(intent, "pay_by_card").await;
            let made = world.tokenize(&token, &wanted()).await;
            assert_eq!(told(&made), "200", "{intent}: {made:?}");
            assert_eq!(world.read(&session_id).await.json["status"], "incomplete");
            assert_eq!(
                told(&world.cancel(&token).await),
                "404 NOT_FOUND Authorization cannot be deleted"
            );
            let placed = world.place_order(&token, &german_with(&json!({}))).await;
            assert_eq!(told(&placed), "200");
            assert_eq!(world.read(&session_id).await.json["status"], "complete");
            // Both calls can be repeated.
            assert_eq!(world.tokenize(&token, &wanted()).await.json, made.json);
            assert_eq!(world.place_order(&token, &german_with(&json!({}))).await.json, placed.json);
        }
        // The other way round the authorization is used up.
        let (_, token) = world.approved("buy_and_tokenize", "invoice").await;
        assert_eq!(told(&world.place_order(&token, &german_with(&json!({}))).await), "200");
        assert_eq!(
            told(&world.tokenize(&token, &wanted()).await),
            "403 INVALID_OPERATION Authorization token already consumed"
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn every_customer_token_refusal_is_klarnas() {
    const INVALID: &str = "404 NOT_FOUND Invalid authorization token";
    let world = World::start().await;
    assert_eq!(told(&world.tokenize("unknown", &wanted()).await), INVALID);
    for (intent, named) in [("buy", "buy"), ("buy_and_link", "buy_and_link")] {
        let (_, token) = world.approved(intent, "invoice").await;
        let expected = format!(
            "403 INVALID_OPERATION Not allowed to create customer token for intent {named}"
        );
        assert_eq!(told(&world.tokenize(&token, &wanted()).await), expected);
    }
    let session_id = world.session(&german_with(&json!({ "intent": null }))).await;
    let token = world.authorize(&session_id).await;
    assert_eq!(
        told(&world.tokenize(&token, &wanted()).await),
        "403 INVALID_OPERATION Not allowed to create customer token for intent buy"
    );

    for method in ["direct_bank_transfer", "fixed_amount", "fixed_sum_credit"] {
        let (_, token) = world.approved("tokenize", method).await;
        let expected = format!(
            "400 BAD_REQUEST {} is not valid for creating customer tokens in DE",
            method.to_uppercase()
        );
        assert_eq!(told(&world.tokenize(&token, &wanted()).await), expected);
    }

    let (session_id, token) = world.approved("buy_and_tokenize", "invoice").await;
    let cases = [
        (json!({"purchase_country": null}), "400 BAD_VALUE Bad value: purchase_country"),
        (json!({"purchase_currency": null}), "400 BAD_VALUE Bad value: purchase_currency"),
        (json!({"purchase_currency": "SEK"}), "400 BAD_VALUE Bad value: purchase_currency"),
        (json!({"locale": null}), "400 BAD_VALUE Bad value: locale"),
        (json!({"locale": "sv-SE"}), "400 BAD_VALUE Bad value: locale"),
        (json!({"description": null}), "400 BAD_VALUE Bad value: description"),
        (json!({"description": ""}), "400 BAD_VALUE Bad value: description"),
        (json!({"description": "x".repeat(256)}), "400 BAD_VALUE Bad value: description"),
        (json!({"description": "a\nb"}), "400 BAD_VALUE Bad value: description"),
        (json!({"intended_use": null}), "400 BAD_VALUE Bad value: intended_use"),
        (json!({"intended_use": "FUN"}), "400 BAD_VALUE Bad value: intended_use"),
        (
            json!({"billing_address": billing(&json!({"postal_code": "12345678901"}))}),
            "400 BAD_VALUE Bad value: billing_address.postal_code",
        ),
        (
            json!({"billing_address": billing(&json!({"country": "AT"}))}),
            "400 BAD_VALUE Bad value: purchase_country",
        ),
        (
            json!({"purchase_country": "AT", "locale": "de-AT",
                "billing_address": billing(&json!({"country": "AT"}))}),
            "400 BAD_VALUE Bad value: purchase_country",
        ),
        (
            json!({"purchase_country": "AT", "locale": "de-AT"}),
            "409 BAD_VALUE Not matching fields: [purchase_country]",
        ),
        (
            json!({"billing_address": billing(&json!({"city": "Potsdam", "title": "Frau"}))}),
            "409 BAD_VALUE Not matching fields: [billing_address.title, billing_address.city]",
        ),
        (
            json!({"customer": {"date_of_birth": "1980-01-01"}}),
            "409 BAD_VALUE Not matching fields: [customer.date_of_birth]",
        ),
        (json!({"description": 5}), "400 BAD_REQUEST"),
        (json!({"customer": "Mock"}), "400 BAD_REQUEST"),
    ];
    for (changes, expected) in cases {
        let reply = world.tokenize(&token, &wanted_with(&changes)).await;
        assert_eq!(told(&reply), expected, "{changes}");
    }
    // Another merchant's authorization does not exist.
    let foreign = world.call_as(&world.stranger, "POST", &token_path(&token), &wanted(), &[]).await;
    assert_eq!(told(&foreign), INVALID);
    // A newer authorization takes the older one's place.
    let newer = world.authorize(&session_id).await;
    assert_eq!(told(&world.tokenize(&token, &wanted()).await), INVALID);
    assert_eq!(told(&world.cancel(&newer).await), "204");
    assert_eq!(told(&world.tokenize(&newer, &wanted()).await), INVALID);
    let newest = world.authorize(&session_id).await;
    world.advance("PT1H").await;
    assert_eq!(told(&world.tokenize(&newest, &wanted()).await), INVALID);
    // Nothing of all that made a token: a fresh authorization still can.
    let last = world.authorize(&session_id).await;
    let any_case = wanted_with(&json!({ "intended_use": "subscription" }));
    assert_eq!(told(&world.tokenize(&last, &any_case).await), "200");
    world.stop().await;
}

/// A shopper billed in Austria in a German session: the amounts are euros in both.
#[tokio::test]
async fn a_shopper_billed_in_another_country_gets_no_token() {
    let world = World::start().await;
    let body = german_with(&json!({
        "intent": "tokenize", "locale": null,
        "billing_address": billing(&json!({"country": "AT", "postal_code": "1010"})),
    }));
    let session = world.call("POST", SESSIONS, &body).await;
    let token = world.authorize(session.json["session_id"].as_str().unwrap()).await;
    assert_eq!(
        told(&world.tokenize(&token, &wanted()).await),
        "400 BAD_VALUE Bad value: purchase_country"
    );
    world.stop().await;
}

#[tokio::test]
async fn thirty_two_calls_with_one_authorization_make_one_customer_token() {
    for engine in crate::common::engines().await {
        let world = std::sync::Arc::new(engine.world().await);
        let (_, token) = world.approved("buy_and_tokenize", "invoice").await;
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (world, token) = (world.clone(), token.clone());
            calls.spawn(async move { world.tokenize(&token, &wanted()).await });
        }
        let mut ids: Vec<Value> = calls
            .join_all()
            .await
            .into_iter()
            .map(|reply| reply.json["token_id"].clone())
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert!(ids[0].is_string());
    }
}

#[tokio::test]
async fn customer_tokens_are_created_at_a_rate_of_their_own() {
    let world = World::start_with(|config| {
        config.rate_limits = playground::RateLimits::Playground;
    })
    .await;
    for _ in 0..5 {
        assert_eq!(world.tokenize("unknown", &wanted()).await.status, 404);
    }
    let reply = world.tokenize("unknown", &wanted()).await;
    assert_eq!(told(&reply), "429 TOO_MANY_REQUESTS Too many requests");
    assert_eq!(world.read("unknown").await.status, 404);
    world.stop().await;
}
