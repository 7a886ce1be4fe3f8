//! Several stores and Klarna accounts in one gateway, over HTTP, against a playground with several
//! merchants.

use crate::support;
use crate::town::{KLARNA_PASSWORD, PASSWORD, Reply, Town, cart};
use gateway::domain::account::Account;
use gateway::domain::webhook::{Endpoint, SealedSecret, Standing};
use gateway::store::{accounts, webhooks};
use gateway::vault::{self, MasterKey, Vault};
use klarna_types::Secret;
use serde_json::{Value, json};

struct Merchant {
    username: String,
    password: String,
}

impl Town {
    async fn another_merchant(&self) -> Merchant {
        let url = format!("{}playground/v1/merchants", self.playground.url());
        let made =
            self.send("POST", url, &[("content-type", "application/json")], "{}".to_owned()).await;
        let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
        Merchant { username: text("username"), password: text("password") }
    }

    async fn as_key(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let authorization = format!("Bearer {key}");
        let headers =
            [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, format!("{}{path}", self.gateway.url), &headers, body).await
    }

    /// A store with its key.
    async fn store(&self, name: &str) -> (String, String) {
        let made = self.call("POST", "/v1/stores", &json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
        (text("id"), text("api_key"))
    }
}

fn account(merchant: &Merchant, more: &Value) -> Value {
    let mut account = json!({
        "label": "Sweden", "username": merchant.username, "password": merchant.password,
    });
    for (name, value) in more.as_object().unwrap() {
        account[name] = value.clone();
    }
    account
}

async fn buy(town: &Town, key: &str, country: &str) -> Value {
    let mut cart = cart();
    if country != "SE" {
        cart["country"] = json!(country);
        cart.as_object_mut().unwrap().remove("locale");
    }
    let opened = town.as_key(key, "POST", "/v1/checkouts", &cart).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let token = town.authorize(&opened.body).await;
    let path = format!("/v1/checkouts/{}/confirm", opened.body["id"].as_str().unwrap());
    let body = json!({ "authorization_token": token });
    let done = town.as_key(key, "POST", &path, &body).await;
    assert_eq!((done.status, &done.body["status"]), (200, &json!("completed")), "{}", done.text);
    done.body
}

/// Whether Klarna shows this merchant the order.
async fn knows(town: &Town, username: &str, password: &str, order_id: &Value) -> bool {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    let url = format!(
        "{}ordermanagement/v1/orders/{}",
        town.playground.url(),
        order_id.as_str().unwrap()
    );
    let authorization = format!("Basic {basic}");
    let read = town.send("GET", url, &[("authorization", &authorization)], String::new()).await;
    assert!([200, 404].contains(&read.status), "{}", read.text);
    read.status == 200
}

#[tokio::test]
async fn each_store_sells_under_its_own_account_and_keeps_to_it() {
    for town in Town::on_each_engine().await {
        let (first, second) = (town.another_merchant().await, town.another_merchant().await);
        let (id, key) = town.store("Second").await;
        let none = town.as_key(&key, "POST", "/v1/checkouts", &cart()).await;
        assert_eq!((none.status, &none.body["code"]), (422, &json!("no_account")), "{}", none.text);

        let path = format!("/v1/stores/{id}/accounts");
        let wish = account(&first, &json!({ "countries": ["SE"] }));
        let added = town.as_key(&key, "POST", &path, &wish).await;
        assert_eq!(added.status, 201, "{}", added.text);
        assert!(!added.text.contains(&first.password), "{}", added.text);
        let rest = town.call("POST", &path, &account(&second, &json!({ "label": "Rest" }))).await;
        assert_eq!(rest.status, 201, "{}", rest.text);

        let swede = buy(&town, &key, "SE").await;
        assert_eq!(swede["account_id"], added.body["id"]);
        let order = &swede["payment"]["klarna_order_id"];
        assert!(knows(&town, &first.username, &first.password, order).await);
        assert!(!knows(&town, &second.username, &second.password, order).await);
        assert!(!knows(&town, "K123456_kassatest", KLARNA_PASSWORD, order).await);
        let german = buy(&town, &key, "DE").await;
        assert_eq!(german["account_id"], rest.body["id"]);
        let own = town.paid().await;
        let own = &own["klarna_order_id"];
        assert!(knows(&town, "K123456_kassatest", KLARNA_PASSWORD, own).await);

        // The account takes no new purchases, and the old one goes on with it all the same.
        let account_path = format!("{path}/{}", added.body["id"].as_str().unwrap());
        let closed = town.as_key(&key, "POST", &account_path, &json!({ "active": false })).await;
        assert_eq!((closed.status, &closed.body["active"]), (200, &json!(false)));
        let captures = format!("/v1/payments/{}/captures", swede["payment_id"].as_str().unwrap());
        let captured = town.as_key(&key, "POST", &captures, &Value::Null).await;
        assert_eq!(
            (captured.status, &captured.body["status"]),
            (201, &json!("captured")),
            "{}",
            captured.text
        );
        let next = buy(&town, &key, "SE").await;
        assert_eq!(next["account_id"], rest.body["id"]);
        town.end().await;
    }
}

#[tokio::test]
async fn a_credential_is_tried_out_rotated_and_never_shown() {
    for town in Town::on_each_engine().await {
        let merchant = town.another_merchant().await;
        let (id, key) = town.store("Second").await;
        let path = format!("/v1/stores/{id}/accounts");
        let mut wrong = account(&merchant, &json!({}));
        wrong["password"] = json!("marked-wrong-password");
        let added = town.as_key(&key, "POST", &path, &wrong).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let account_path = format!("{path}/{}", added.body["id"].as_str().unwrap());
        let test = format!("{account_path}/test");
        let refused = town.as_key(&key, "POST", &test, &Value::Null).await;
        assert_eq!(
            (refused.status, &refused.body["works"], &refused.body["code"]),
            (200, &json!(false), &json!("credentials_refused")),
            "{}",
            refused.text
        );
        let alone = town.as_key(&key, "POST", &account_path, &json!({ "username": "other" })).await;
        assert_eq!((alone.status, alone.body["member"].as_str()), (400, Some("password")));
        let rotated = town
            .as_key(&key, "POST", &account_path, &json!({ "password": merchant.password }))
            .await;
        assert_eq!(rotated.status, 200, "{}", rotated.text);
        let works = town.as_key(&key, "POST", &test, &Value::Null).await;
        assert_eq!(works.body["works"], true, "{}", works.text);
        let list = town.as_key(&key, "GET", &path, &Value::Null).await;
        for text in [&added.text, &refused.text, &rotated.text, &works.text, &list.text] {
            assert!(!text.contains("password") || text.contains("credentials_refused"), "{text}");
            assert!(!text.contains(&merchant.password) && !text.contains("marked-wrong"), "{text}");
        }
        let configured =
            town.call("POST", "/v1/stores/default/accounts/configured/test", &Value::Null).await;
        assert_eq!(configured.body["works"], true, "{}", configured.text);
        let not_theirs = format!("{path}/configured/test");
        assert_eq!(town.as_key(&key, "POST", &not_theirs, &Value::Null).await.status, 404);
        town.end().await;
    }
}

#[tokio::test]
async fn a_store_sees_nothing_of_another() {
    for town in Town::on_each_engine().await {
        let merchant = town.another_merchant().await;
        let (one, one_key) = town.store("One").await;
        let (two, two_key) = town.store("Two").await;
        let path = format!("/v1/stores/{one}/accounts");
        let added = town.as_key(&one_key, "POST", &path, &account(&merchant, &json!({}))).await;
        let account_path = format!("{path}/{}", added.body["id"].as_str().unwrap());
        let others = format!("/v1/stores/{two}/accounts/{}", added.body["id"].as_str().unwrap());
        let store_path = format!("/v1/stores/{one}");
        for (method, path, body) in [
            ("GET", store_path.clone(), Value::Null),
            ("POST", store_path.clone(), json!({ "name": "Mine" })),
            ("GET", path.clone(), Value::Null),
            ("POST", path.clone(), account(&merchant, &json!({}))),
            ("POST", account_path.clone(), json!({ "active": false })),
            ("POST", format!("{account_path}/test"), Value::Null),
            ("POST", others.clone(), json!({ "active": false })),
            ("POST", format!("{others}/test"), Value::Null),
            ("GET", "/v1/stores/default".to_owned(), Value::Null),
        ] {
            let seen = town.as_key(&two_key, method, &path, &body).await;
            assert_eq!(seen.status, 404, "{method} {path}: {}", seen.text);
        }
        let own = town.as_key(&two_key, "GET", "/v1/stores", &Value::Null).await;
        assert_eq!(own.body["data"].as_array().unwrap().len(), 1, "{}", own.text);
        let made = town.as_key(&two_key, "POST", "/v1/stores", &json!({ "name": "Three" })).await;
        assert_eq!((made.status, &made.body["code"]), (403, &json!("operator_only")));
        let all = town.call("GET", "/v1/stores?limit=2", &Value::Null).await;
        assert_eq!(all.body["data"].as_array().unwrap().len(), 2, "{}", all.text);
        let path = format!("/v1/stores?cursor={}", all.body["next_cursor"].as_str().unwrap());
        let rest = town.call("GET", &path, &Value::Null).await;
        assert_eq!(rest.body["data"][0]["name"], "Two", "{}", rest.text);
        town.end().await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_store_or_an_account_is_named() {
    for town in Town::on_each_engine().await {
        let merchant = town.another_merchant().await;
        let path = "/v1/stores/default/accounts";
        let with = |more: Value| account(&merchant, &more);
        for (body, member) in [
            (with(json!({ "label": "" })), "label"),
            (with(json!({ "username": "a:b" })), "username"),
            (with(json!({ "password": "" })), "password"),
            (with(json!({ "region": "asia", "environment": "live" })), "region"),
            (with(json!({ "region": "europe" })), "environment"),
            (with(json!({ "environment": "live" })), "region"),
            (
                with(json!({ "region": "europe", "environment": "live", "countries": ["US"] })),
                "countries[0]",
            ),
            (with(json!({ "base_url": "http://169.254.169.254/" })), "base_url"),
        ] {
            let refused = town.call("POST", path, &body).await;
            assert_eq!(
                (refused.status, refused.body["member"].as_str()),
                (400, Some(member)),
                "{}",
                refused.text
            );
            assert!(!refused.text.contains(&merchant.password), "{}", refused.text);
        }
        for (body, member) in [
            (json!({ "name": "" }), "name"),
            (json!({ "name": "x", "premises": { "country": "ZZ" } }), "premises.country"),
            (json!({}), "name"),
        ] {
            let refused = town.call("POST", "/v1/stores", &body).await;
            assert_eq!((refused.status, refused.body["member"].as_str()), (400, Some(member)));
        }
        let renamed =
            json!({ "name": "Main street", "premises": { "city": "Lund", "country": "SE" } });
        let changed = town.call("POST", "/v1/stores/default", &renamed).await;
        assert_eq!(changed.body["premises"], renamed["premises"], "{}", changed.text);
        let key = [("idempotency-key", "store-1")];
        let body = json!({ "name": "Once" });
        let one = town.call_with("POST", "/v1/stores", &body, &key).await;
        let two = town.call_with("POST", "/v1/stores", &body, &key).await;
        assert_eq!((one.status, &one.body["id"]), (201, &two.body["id"]));
        assert!(one.body["api_key"].is_string() && two.body["api_key"].is_null(), "shown once");
        town.end().await;
    }
}

#[tokio::test]
async fn accounts_are_managed_on_a_page() {
    for town in Town::on_each_engine().await {
        let merchant = town.another_merchant().await;
        let cookie = town.sign_in().await;
        let url = format!("{}/dashboard/stores", town.gateway.url);
        let page = town.send("GET", url.clone(), &[("cookie", &cookie)], String::new()).await;
        let csrf = page
            .text
            .split("name=\"csrf\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap()
            .to_owned();
        let post = async |path: &str, fields: &[(&str, &str)]| {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.append_pair("csrf", &csrf).extend_pairs(fields);
            let headers = [
                ("cookie", cookie.as_str()),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            let url = format!("{}/dashboard/stores{path}", town.gateway.url);
            town.send("POST", url, &headers, body.finish()).await
        };
        let mut fields = vec![
            ("label", "Second shop"),
            ("place", ""),
            ("countries", "se, de"),
            ("username", merchant.username.as_str()),
            ("password", "marked-wrong"),
        ];
        let added = post("/default/accounts", &fields).await;
        assert!(
            added.text.contains("Klarna refuses this user name or password."),
            "{}",
            added.text
        );
        assert!(!added.text.contains("marked-wrong"), "{}", added.text);
        let id = added.text.split("/accounts/acc_").nth(1).unwrap().split('/').next().unwrap();
        let rotate = format!("/default/accounts/acc_{id}/rotate");
        fields.retain(|(name, _)| *name == "username");
        fields.push(("password", merchant.password.as_str()));
        let rotated = post(&rotate, &fields).await;
        assert!(rotated.text.contains("Klarna takes this credential."), "{}", rotated.text);
        assert!(!rotated.text.contains(&merchant.password), "{}", rotated.text);
        let made = post("", &[("name", "Third")]).await;
        assert!(made.text.contains("kassa_sk_"), "{}", made.text);
        let page = town.send("GET", url.clone(), &[("cookie", &cookie)], String::new()).await;
        assert!(page.text.contains("Third") && !page.text.contains("kassa_sk_"), "{}", page.text);
        let id = page.text.split("/enter").next().unwrap().rsplit('/').next().unwrap();
        let own = town.paid().await;
        let reference = own["merchant_reference"].as_str().unwrap();
        let look = async || {
            let url = format!("{}/dashboard", town.gateway.url);
            town.send("GET", url, &[("cookie", &cookie)], String::new()).await.text
        };
        assert!(look().await.contains(reference));
        let entered = post(&format!("/{id}/enter"), &[]).await;
        assert_eq!(entered.status, 303, "{}", entered.text);
        let there = look().await;
        assert!(there.contains("You look at the store <strong>Third</strong>"), "{there}");
        assert!(!there.contains(reference), "{there}");
        assert_eq!(post("/no-such-store/enter", &[]).await.status, 404);
        assert_eq!(post("/default/enter", &[]).await.status, 303);
        assert!(look().await.contains(reference));
        let forged =
            [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let refused = town.send("POST", url, &forged, "csrf=x&name=Forged".to_owned()).await;
        assert_eq!(refused.status, 403);
        assert!(!page.text.contains(PASSWORD));
        town.end().await;
    }
}

#[tokio::test]
async fn passwords_lie_sealed_and_keys_are_rotated() {
    for database in support::databases().await {
        let (old, new) = (MasterKey::generate(), MasterKey::generate());
        let sealing = Vault::new(&old, &[]);
        for number in 0..3 {
            let account = Account {
                id: format!("acc_{number}"),
                store_id: "default".to_owned(),
                label: "Label".to_owned(),
                base_url: "https://api.klarna.com/".to_owned(),
                countries: Vec::new(),
                username: "K1_a".to_owned(),
                merchant_id: None,
                active: true,
                version: 1,
                created_at_ms: number,
                updated_at_ms: number,
            };
            let vault = sealing.clone();
            let password = Secret::new(format!("marked-{number}"));
            database
                .write(move |tx| accounts::insert(tx, &vault, &account, &password))
                .await
                .unwrap();
        }
        let stored = database.read(accounts::all).await.unwrap();
        assert!(stored.iter().all(|(_, sealed)| !sealed.contains("marked")), "{stored:?}");
        let both = Vault::new(&new, std::slice::from_ref(&old));
        let done = vault::reseal(&database, &both).await.unwrap();
        assert_eq!((done.found, done.renewed), (3, 3));
        let again = vault::reseal(&database, &both).await.unwrap();
        assert_eq!((again.found, again.renewed), (3, 0));
        let alone = Vault::new(&new, &[]);
        for (number, (account, sealed)) in
            database.read(accounts::all).await.unwrap().iter().enumerate()
        {
            let opened = accounts::password(&alone, &account.id, sealed).unwrap();
            assert_eq!(opened.expose(), format!("marked-{number}"));
            let elsewhere = accounts::password(&alone, "acc_other", sealed);
            assert!(elsewhere.is_err(), "a secret stays in its row");
        }
        database.close().await;
    }
}

/// An endpoint with several secrets, sealed under a key.
fn endpoint(number: i64, sealing: &Vault, secrets: i64) -> Endpoint {
    let sealed = |each| {
        let secret = Secret::new(format!("whsec_marked-{number}-{each}"));
        let sealed = sealing.seal(webhooks::SECRETS, &secret).unwrap();
        SealedSecret { sealed, created_at_ms: each, expires_at_ms: None }
    };
    Endpoint {
        id: format!("whe_{number:04}"),
        store_id: "default".to_owned(),
        version: 1,
        url: "https://shop.example/hooks".to_owned(),
        description: String::new(),
        events: Vec::new(),
        standing: Standing::Enabled,
        why: None,
        secrets: (0..secrets).map(sealed).collect(),
        created_at_ms: number,
        updated_at_ms: number,
    }
}

#[tokio::test]
async fn the_secrets_of_webhooks_come_under_the_newest_key_with_everything_else() {
    for database in support::databases().await {
        let (old, new) = (MasterKey::generate(), MasterKey::generate());
        let sealing = Vault::new(&old, &[]);
        // More than a batch, one of them with the secret before as well.
        let endpoints: Vec<_> =
            (0..103).map(|number| endpoint(number, &sealing, 1 + i64::from(number == 7))).collect();
        for endpoint in endpoints.clone() {
            database.write(move |tx| webhooks::insert_endpoint(tx, &endpoint)).await.unwrap();
        }
        let both = Vault::new(&new, std::slice::from_ref(&old));
        let done = vault::reseal(&database, &both).await.unwrap();
        assert_eq!((done.found, done.renewed), (104, 104));
        let again = vault::reseal(&database, &both).await.unwrap();
        assert_eq!((again.found, again.renewed), (104, 0));
        let alone = Vault::new(&new, &[]);
        let stored = database.read(|tx| webhooks::endpoints(tx, "default")).await.unwrap();
        assert_eq!(stored.len(), 103);
        for (stored, before) in stored.iter().zip(&endpoints) {
            assert_eq!(
                (stored.updated_at_ms, stored.standing),
                (before.updated_at_ms, before.standing)
            );
            for (each, secret) in stored.secrets.iter().enumerate() {
                let opened = alone.open(webhooks::SECRETS, &secret.sealed).unwrap();
                let number = before.created_at_ms;
                assert_eq!(opened.expose(), format!("whsec_marked-{number}-{each}"));
                assert!(
                    sealing.open(webhooks::SECRETS, &secret.sealed).is_err(),
                    "the old one is of no use"
                );
            }
        }
        database.close().await;
    }
}
