//! API keys over HTTP: what their scopes allow, how they are made, rotated and ended, and what a
//! browser may do with a publishable one.

use crate::strangers;
use crate::strangers::{Keys as _, OTHER_STORE};
use crate::town;
use crate::town::{Reply, Town, cart};
use gateway::domain::access_key::Kind;
use gateway::domain::scope::{Scope, Scopes};
use serde_json::{Value, json};

async fn made(town: &Town, body: Value) -> Reply {
    let reply = town.call("POST", "/v1/api_keys", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply
}

fn text(reply: &Reply, member: &str) -> String {
    reply.body[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {}", reply.text))
        .to_owned()
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_is_shown_once() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        let body = json!({ "name": "Books", "scopes": ["payments:read"] });
        let new = made(&town, body).await;
        let (key, id) = (text(&new, "key"), text(&new, "id"));
        assert!(key.starts_with("kassa_sk_") && key.len() == 9 + 64, "{}", key.len());
        assert!(key.ends_with(&text(&new, "hint")));
        assert_eq!(town.with(&key, "GET", &path, &Value::Null).await.status, 200);
        let refused = town.with(&key, "POST", &format!("{path}/captures"), &json!({})).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("scope_missing")));
        assert!(refused.body["detail"].as_str().unwrap().contains("payments:write"));
        assert_eq!(town.with(&key, "GET", "/v1/api_keys", &Value::Null).await.status, 403);
        for path in ["/v1/api_keys".to_owned(), format!("/v1/api_keys/{id}")] {
            let shown = town.call("GET", &path, &Value::Null).await;
            assert_eq!(shown.status, 200);
            assert!(!shown.text.contains(&key) && !shown.text.contains("digest"), "{}", shown.text);
        }
        // That it was used is known soon after.
        let id_path = format!("/v1/api_keys/{id}");
        strangers::eventually(async || {
            let shown = town.call("GET", &id_path, &Value::Null).await;
            shown.body["last_used_at"].is_string()
        })
        .await;
        town.end().await;
    }
}

#[tokio::test]
async fn a_key_is_rotated_with_an_overlap_and_revoked_at_once() {
    for town in Town::on_each_engine().await {
        let old = made(&town, json!({ "name": "Shop", "scopes": ["payments:read"] })).await;
        let path = format!("/v1/api_keys/{}", text(&old, "id"));
        let new = town.call("POST", &format!("{path}/rotate"), &json!({})).await;
        assert_eq!(new.status, 201, "{}", new.text);
        assert_eq!(
            (&new.body["name"], &new.body["scopes"]),
            (&old.body["name"], &old.body["scopes"])
        );
        for key in [text(&old, "key"), text(&new, "key")] {
            assert_eq!(town.with(&key, "GET", "/v1/payments", &Value::Null).await.status, 200);
        }
        let shown = town.call("GET", &path, &Value::Null).await;
        assert_eq!(shown.body["replaced_by"], new.body["id"]);
        assert!(shown.body["expires_at"].is_string());
        let again = town.call("POST", &format!("{path}/rotate"), &json!({})).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("state_conflict")));
        let newer = format!("/v1/api_keys/{}/rotate", text(&new, "id"));
        let newest = town.call("POST", &newer, &json!({ "overlap_seconds": 0 })).await;
        let ended = town.with(&text(&new, "key"), "GET", "/v1/payments", &Value::Null).await;
        assert_eq!(
            (ended.status, ended.body["detail"].as_str().unwrap().contains("expired")),
            (401, true)
        );
        let revoke = format!("/v1/api_keys/{}/revoke", text(&newest, "id"));
        for _ in 0..2 {
            let revoked = town.call("POST", &revoke, &Value::Null).await;
            assert_eq!((revoked.status, &revoked.body["status"]), (200, &json!("revoked")));
        }
        let over = town.with(&text(&newest, "key"), "GET", "/v1/payments", &Value::Null).await;
        assert_eq!(over.status, 401);
        let log = town.call("GET", "/v1/audit_log?limit=100", &Value::Null).await;
        let actions: Vec<_> = log.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["action"].clone())
            .collect();
        for (action, times) in
            [("api_key.created", 1), ("api_key.rotated", 2), ("api_key.revoked", 1)]
        {
            assert_eq!(
                actions.iter().filter(|each| *each == action).count(),
                times,
                "{}",
                log.text
            );
        }
        assert_eq!(log.body["data"][0]["actor_name"], "From the configuration");
        let page = town.call("GET", "/v1/audit_log?limit=1", &Value::Null).await;
        let next = format!("/v1/audit_log?limit=1&cursor={}", text(&page, "next_cursor"));
        let next = town.call("GET", &next, &Value::Null).await;
        assert_eq!(next.body["data"].as_array().unwrap().len(), 1);
        assert_ne!(next.body["data"][0]["id"], page.body["data"][0]["id"]);
        town.end().await;
    }
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_have() {
    for town in Town::on_each_engine().await {
        let clerk = town.key(&[Scope::KeysManage, Scope::PaymentsRead]).await;
        let body = json!({ "name": "Mine", "scopes": ["payments:read"] });
        let mine = town.with(&clerk, "POST", "/v1/api_keys", &body).await;
        assert_eq!(mine.status, 201, "{}", mine.text);
        let body = json!({ "name": "More", "scopes": ["payments:read", "payments:write"] });
        let more = town.with(&clerk, "POST", "/v1/api_keys", &body).await;
        assert_eq!((more.status, &more.body["code"]), (403, &json!("scope_missing")));
        let strong = made(&town, json!({ "name": "Strong", "scopes": ["payments:write"] })).await;
        let path = format!("/v1/api_keys/{}/rotate", text(&strong, "id"));
        let taken = town.with(&clerk, "POST", &path, &json!({})).await;
        assert_eq!(taken.status, 403, "{}", taken.text);
        for wrong in [
            json!({ "name": "", "scopes": ["payments:read"] }),
            json!({ "name": "x", "scopes": [] }),
            json!({ "name": "x", "scopes": ["*"] }),
            json!({ "name": "x", "scopes": ["payments:read"], "expires_at": "2001-01-01T00:00:00Z" }),
            json!({ "name": "x", "scopes": ["payments:read"], "origins": ["https://shop.example"] }),
            json!({ "name": "x", "kind": "publishable" }),
            json!({ "name": "x", "kind": "publishable", "origins": ["http://shop.example"] }),
            json!({ "name": "x", "kind": "publishable", "scopes": ["payments:read"] }),
            json!({ "name": "x", "kind": "root", "scopes": ["payments:read"] }),
        ] {
            let refused = town.call("POST", "/v1/api_keys", &wrong).await;
            assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_shows_it_once() {
    for town in Town::on_each_engine().await {
        let once = [("idempotency-key", "key-1")];
        let body = json!({ "name": "Shop", "scopes": ["payments:read"] });
        let (one, two) = tokio::join!(
            town.call_with("POST", "/v1/api_keys", &body, &once),
            town.call_with("POST", "/v1/api_keys", &body, &once),
        );
        assert_eq!((one.status, two.status), (201, 201), "{} {}", one.text, two.text);
        assert_eq!(one.body["id"], two.body["id"]);
        assert_ne!(one.body["key"].is_string(), two.body["key"].is_string());
        let other = json!({ "name": "Other", "scopes": ["payments:read"] });
        let other = town.call_with("POST", "/v1/api_keys", &other, &once).await;
        assert_eq!(other.status, 422);
        let rotate = format!("/v1/api_keys/{}/rotate", text(&one, "id"));
        let once = [("idempotency-key", "rotate-1")];
        let first = town.call_with("POST", &rotate, &json!({}), &once).await;
        let again = town.call_with("POST", &rotate, &json!({}), &once).await;
        assert_eq!((first.status, again.status), (201, 201), "{}", again.text);
        assert_eq!(first.body["id"], again.body["id"]);
        assert!(first.body["key"].is_string() && again.body.get("key").is_none());
        town.end().await;
    }
}

#[tokio::test]
async fn a_key_of_the_configuration_may_do_everything() {
    for town in Town::on_each_engine().await {
        let list = town.call("GET", "/v1/api_keys", &Value::Null).await;
        let key = &list.body["data"][0];
        assert_eq!(key["created_by"], "configuration");
        let all: Vec<_> = Scopes::everything().iter().map(Scope::name).collect();
        assert_eq!(key["scopes"], json!(all));
        town.end().await;
    }
}

#[tokio::test]
async fn a_page_learns_how_to_begin_klarnas_libraries() {
    for town in Town::on_each_engine().await {
        const SHOP: &str = "https://shop.example";
        let body = json!({ "name": "Pages", "kind": "publishable", "origins": [SHOP] });
        let key = text(&made(&town, body).await, "key");
        let klarna = town.playground.url().join("/").unwrap();
        let expected = json!({
            "client_id": "klarna_test_client_town",
            "environment": "playground",
            "web_sdk_url": format!("{klarna}web-sdk/v1/klarna.js"),
            "payments_sdk_url": format!("{klarna}kp/lib/v1/api.js"),
        });
        let from = [("origin", SHOP)];
        let reply = town.browser(&key, "GET", "/v1/browser", &Value::Null, &from).await;
        assert_eq!((reply.status, &reply.body), (200, &expected), "{}", reply.text);
        assert_eq!(reply.headers["access-control-allow-origin"], SHOP);
        // The shop's server may ask as well; a page of another origin may not.
        let reply = town.call("GET", "/v1/browser", &Value::Null).await;
        assert_eq!((reply.status, &reply.body), (200, &expected));
        let elsewhere = [("origin", "https://evil.example")];
        let refused = town.browser(&key, "GET", "/v1/browser", &Value::Null, &elsewhere).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("origin_not_allowed")));
        let asked = [("origin", SHOP), ("access-control-request-method", "GET")];
        let url = format!("{}/v1/browser", town.gateway.url);
        let allowed = town.send("OPTIONS", url, &asked, String::new()).await;
        assert_eq!(allowed.headers["access-control-allow-origin"], SHOP);
        // The identifier is of the configured account, and so of the default store alone.
        let stranger = town.key_of(OTHER_STORE, Kind::Secret, Scopes::everything(), None).await;
        let reply = town.with(&stranger, "GET", "/v1/browser", &Value::Null).await;
        assert_eq!((reply.status, reply.body.get("client_id")), (200, None), "{}", reply.text);
        town.end().await;
    }
}

#[tokio::test]
async fn a_browser_confirms_its_own_checkout_and_nothing_else() {
    for town in Town::on_each_engine().await {
        const SHOP: &str = "https://shop.example";
        let body = json!({ "name": "Pages", "kind": "publishable", "origins": [SHOP] });
        let key = text(&made(&town, body).await, "key");
        assert!(key.starts_with("kassa_pk_"));
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let other = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let secret = checkout["checkout_secret"].as_str().unwrap().to_owned();
        let of =
            |checkout: &Value| format!("/v1/public/checkouts/{}", checkout["id"].as_str().unwrap());
        let path = of(&checkout);
        let from = [("origin", SHOP), ("checkout-secret", secret.as_str())];
        let shown = town.browser(&key, "GET", &path, &Value::Null, &from).await;
        assert_eq!((shown.status, &shown.body["status"]), (200, &json!("open")), "{}", shown.text);
        assert_eq!(shown.headers["access-control-allow-origin"], SHOP);
        for hidden in ["client_token", "order_lines", "payment_id", "checkout_secret"] {
            assert!(!shown.text.contains(hidden), "{hidden} in {}", shown.text);
        }

        // Another checkout, no secret, a wrong one, one of an unknown checkout: all alike.
        let unknown = "/v1/public/checkouts/chk_nobody".to_owned();
        let wrong = [("origin", SHOP), ("checkout-secret", "kassa_cs_wrong")];
        let none = [("origin", SHOP)];
        let mut answers = Vec::new();
        for (path, headers) in [
            (of(&other), &from[..]),
            (path.clone(), &wrong[..]),
            (path.clone(), &none[..]),
            (unknown, &from[..]),
        ] {
            let refused = town.browser(&key, "GET", &path, &Value::Null, headers).await;
            assert_eq!(refused.status, 404);
            answers.push(refused.text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");

        // Another origin, another kind of key, another address.
        let elsewhere = [("origin", "https://evil.example"), ("checkout-secret", secret.as_str())];
        let refused = town.browser(&key, "GET", &path, &Value::Null, &elsewhere).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("origin_not_allowed")));
        let secret_key = town.browser(town::API_KEY, "GET", &path, &Value::Null, &from).await;
        assert_eq!((secret_key.status, &secret_key.body["code"]), (403, &json!("secret_key")));
        for path in [
            "/v1/payments".to_owned(),
            format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap()),
        ] {
            let refused = town.browser(&key, "GET", &path, &Value::Null, &from).await;
            assert_eq!((refused.status, &refused.body["code"]), (403, &json!("publishable_key")));
        }

        // Browsers ask first.
        let asked = [("origin", SHOP), ("access-control-request-method", "POST")];
        let confirm = format!("{path}/confirm");
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let allowed = town.send("OPTIONS", url(&confirm), &asked, String::new()).await;
        assert_eq!(
            (allowed.status, &allowed.headers["access-control-allow-origin"]),
            (204, &SHOP.parse().unwrap())
        );
        assert!(
            allowed.headers["access-control-allow-headers"]
                .to_str()
                .unwrap()
                .contains("checkout-secret")
        );
        let asked = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        let refused = town.send("OPTIONS", url(&confirm), &asked, String::new()).await;
        assert!(!refused.headers.contains_key("access-control-allow-origin"));

        let token = town.authorize(&checkout).await;
        let body = json!({ "authorization_token": token });
        let stolen = town.browser(&key, "POST", &confirm, &body, &wrong).await;
        assert_eq!(stolen.status, 404);
        let done = town.browser(&key, "POST", &confirm, &body, &from).await;
        assert_eq!(
            (done.status, &done.body["status"]),
            (200, &json!("completed")),
            "{}",
            done.text
        );
        assert!(!done.text.contains(&token));
        // It is the browser's own also when it is over, whoever brought the token first.
        let again = town.browser(&key, "POST", &confirm, &body, &from).await;
        assert_eq!((again.status, &again.body["status"]), (200, &json!("completed")));
        let shown = town.browser(&key, "GET", &path, &Value::Null, &from).await;
        assert_eq!((shown.status, &shown.body["status"]), (200, &json!("completed")));
        let still = town.browser(&key, "GET", &path, &Value::Null, &wrong).await;
        assert_eq!(still.status, 404);
        let known = town
            .call(
                "GET",
                &format!("/v1/checkouts/{}", checkout["id"].as_str().unwrap()),
                &Value::Null,
            )
            .await;
        assert!(known.body["payment_id"].is_string());
        assert!(known.body.get("checkout_secret").is_none());
        town.end().await;
    }
}
