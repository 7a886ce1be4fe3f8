//! Whoever has no business here: every operation of the API and every page of the dashboard, tried
//! by each kind of stranger. What is tried comes from the OpenAPI document and from the table of
//! pages, so that nothing new can be forgotten. A refusal is exact, changes nothing, and tells
//! nothing about what is there.

use std::collections::BTreeMap;

use crate::strangers::{Keys as _, OTHER_STORE, eventually};
use crate::town::{API_KEY, Reply, Town, cart};
use gateway::api::access::{Needs, needs};
use gateway::app::DEFAULT_STORE;
use gateway::domain::access_key::Kind;
use gateway::domain::dispute::Dispute;
use gateway::domain::payout::Payout;
use gateway::domain::role::{self, PAGES, Role};
use gateway::domain::scope::{Scope, Scopes};
use gateway::store::identities::{self, Identity, SignIn, Tokens};
use gateway::store::{disputes, payouts};
use gateway::vault::Vault;
use klarna_types::Secret;
use serde_json::{Map, Value, json};

/// An operation of the document.
#[derive(Debug, Clone)]
struct Operation {
    method: String,
    path: String,
    /// A body that fits the schema, if there is one.
    body: Option<Value>,
    needs: Needs,
    /// Whether it answers in pages.
    pages: bool,
}

impl Operation {
    /// The path with its ids filled in.
    fn at(&self, id: &str) -> String {
        let mut path = String::new();
        for segment in self.path.split('/').skip(1) {
            path.push('/');
            path.push_str(if segment.starts_with('{') { id } else { segment });
        }
        path
    }

    fn has_id(&self) -> bool {
        self.path.contains('{')
    }

    /// The table whose rows its first id names.
    fn table(&self) -> String {
        let noun = self.path.split('/').take_while(|each| !each.starts_with('{')).last().unwrap();
        match noun {
            "api_keys" => "access_keys".to_owned(),
            noun => noun.to_owned(),
        }
    }

    fn scope(&self) -> Option<Scope> {
        match self.needs {
            Needs::Scope(scope) => Some(scope),
            Needs::Nothing | Needs::Publishable | Needs::AnyKey => None,
        }
    }
}

fn document() -> Value {
    serde_json::to_value(gateway::api::openapi::description()).unwrap()
}

/// Every operation that needs a key.
fn operations() -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!schema.is_null()).then(|| example(&document, schema, 0));
            let needs = needs(&method, path).unwrap_or_else(|| panic!("no rule: {method} {path}"));
            let parameters = operation["parameters"].as_array();
            let pages =
                parameters.is_some_and(|each| each.iter().any(|one| one["name"] == "limit"));
            operations.push(Operation { method, path: path.clone(), body, needs, pages });
        }
    }
    assert!(operations.len() > 20, "{}", operations.len());
    operations
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// The smallest value that fits a schema.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            let one = schemas.iter().find(|each| each["type"] != "null");
            return one.map_or(Value::Null, |one| example(document, one, depth + 1));
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or("object"),
        kind => kind.as_str().unwrap_or("object"),
    };
    match kind {
        "string" => json!("x"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" if depth < 4 => json!([example(document, &schema["items"], depth + 1)]),
        "array" => json!([]),
        _ => {
            let mut object = Map::new();
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                let value = example(document, &schema["properties"][name], depth + 1);
                object.insert(name.to_owned(), value);
            }
            Value::Object(object)
        }
    }
}

/// The names of the members that an operation's body may have.
fn members(document: &Value, operation: &Operation) -> Vec<String> {
    let pointer =
        format!("/paths/{}/{}", operation.path.replace('/', "~1"), operation.method.to_lowercase());
    let schema = &document.pointer(&pointer).unwrap()["requestBody"]["content"]["application/json"]
        ["schema"];
    let properties = resolved(document, schema)["properties"].as_object();
    properties.map(|each| each.keys().cloned().collect()).unwrap_or_default()
}

/// What must stay as it is. The journal of work comes to rest by itself, uses of keys are noted,
/// and what admins do is kept in the audit log; none of that is what a stranger changed.
async fn state(town: &Town) -> BTreeMap<String, i64> {
    let mut counts = town.counts().await;
    for table in [
        "work_items",
        "audit_log",
        "attempts",
        "receipts",
        "events",
        "event_places",
        "figures",
        "figure_moves",
        // The gateway's own: which nodes live, and how far it has read Klarna's books.
        "nodes",
        "readings",
    ] {
        counts.remove(table);
    }
    counts
}

async fn at_rest(town: &Town) -> BTreeMap<String, i64> {
    let mut before = town.counts().await;
    eventually(async || {
        let now = town.counts().await;
        let rests = now == before && now.get("work_items").is_none_or(|waiting| *waiting == 0);
        before = now;
        rests
    })
    .await;
    state(town).await
}

/// A problem, with everything that a problem has.
#[track_caller]
fn assert_problem(what: &str, reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text);
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{what}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{what}");
    assert_eq!(reply.body["code"], code, "{what}: {}", reply.text);
    for member in ["type", "title", "detail", "remedy"] {
        assert!(reply.body[member].is_string(), "{what} has no {member}: {}", reply.text);
    }
}

#[tokio::test]
async fn without_the_right_key_no_operation_does_anything() {
    for town in Town::on_each_engine().await {
        town.paid().await;
        town.subscribed().await;
        let expired = town.key_of(DEFAULT_STORE, Kind::Secret, Scopes::everything(), Some(1)).await;
        let revoked = town.revoked_key().await;
        let publishable =
            town.key_of(DEFAULT_STORE, Kind::Publishable, Scopes::default(), None).await;
        let mut lacking = BTreeMap::new();
        for scope in Scope::ALL {
            let others: Vec<_> = Scope::ALL.into_iter().filter(|each| *each != scope).collect();
            lacking.insert(scope, town.key(&others).await);
        }
        let before = at_rest(&town).await;
        for operation in operations() {
            let what = format!("{} {}", operation.method, operation.path);
            let id = town.some_id(&operation.table()).await.unwrap_or_else(|| "none".to_owned());
            let (path, body) = (operation.at(&id), operation.body.clone().unwrap_or_default());
            if operation.needs == Needs::Nothing {
                continue;
            }
            let nobody = town.send(
                &operation.method,
                format!("{}{path}", town.gateway.url),
                &[],
                String::new(),
            );
            assert_problem(&what, &nobody.await, 401, "unauthorized");
            let wrong = "kassa_sk_0000000000000000000000000000000000000000000000000000000000000000";
            for key in [wrong, "", "kassa_sk_\u{7f}", &expired, &revoked, &API_KEY[1..]] {
                let authorization = format!("Bearer {key}");
                if http::HeaderValue::from_str(&authorization).is_err() {
                    continue;
                }
                let reply = town.with(key, &operation.method, &path, &body).await;
                assert_problem(&what, &reply, 401, "unauthorized");
            }
            let basic = [("authorization", "Basic a2Fzc2E6a2Fzc2E=")];
            let basic = town.send(
                &operation.method,
                format!("{}{path}", town.gateway.url),
                &basic,
                String::new(),
            );
            assert_problem(&what, &basic.await, 401, "unauthorized");
            if let Some(scope) = operation.scope() {
                let reply = town.with(&publishable, &operation.method, &path, &body).await;
                assert_problem(&what, &reply, 403, "publishable_key");
                let reply = town.with(&lacking[&scope], &operation.method, &path, &body).await;
                assert_problem(&what, &reply, 403, "scope_missing");
                assert!(reply.text.contains(scope.name()), "{what}: {}", reply.text);
            } else if operation.needs == Needs::AnyKey {
                for key in [&publishable, &lacking[&Scope::ALL[0]]] {
                    let reply = town.with(key, &operation.method, &path, &body).await;
                    assert_eq!(reply.status, 200, "{what}: {}", reply.text);
                }
            } else {
                let reply = town.with(API_KEY, &operation.method, &path, &body).await;
                assert_problem(&what, &reply, 403, "secret_key");
                let reply = town.with(&publishable, &operation.method, &path, &body).await;
                assert_eq!(reply.status, 404, "{what}: {}", reply.text);
            }
        }
        assert_eq!(at_rest(&town).await, before);
        town.end().await;
    }
}

/// A payout and a dispute of the default store.
async fn money_of(town: &Town) {
    let payout = json!({
        "id": "pyt_theirs", "store_id": DEFAULT_STORE, "account_id": "configured",
        "merchant_id": "K123456", "reference": "THEIRS", "currency": "SEK", "settlement_type": "NET",
        "totals": {}, "paid_at_ms": 1, "entries": 0, "complete": true, "seen_at_ms": 1,
    });
    let dispute = json!({
        "id": "dsp_theirs", "store_id": DEFAULT_STORE, "version": 1, "account_id": "configured",
        "klarna_id": "krn:theirs", "standing": "initiated", "reason": "incorrect_amount",
        "opened_at_ms": 1, "changed_at_ms": 1, "seen_at_ms": 1,
    });
    let payout: Payout = serde_json::from_value(payout).unwrap();
    let dispute: Dispute = serde_json::from_value(dispute).unwrap();
    town.gateway
        .database()
        .write(move |tx| {
            payouts::insert(tx, &payout)?;
            disputes::insert(tx, &dispute)
        })
        .await
        .unwrap();
}

/// Somebody who signed in to the default store, and somebody who is about to.
async fn signed_in_at(town: &Town) {
    let vault = Vault::ephemeral();
    let sign_in = SignIn {
        id: "sgn_theirs".to_owned(),
        store_id: DEFAULT_STORE.to_owned(),
        client_id: "klarna_test_client_town".to_owned(),
        redirect_uri: "https://shop.example/signed-in".to_owned(),
        state_digest: "none".to_owned(),
        nonce: "none".to_owned(),
        verifier: Secret::new("none"),
        created_at_ms: 1,
        expires_at_ms: i64::MAX,
    };
    let identity = Identity {
        id: "idn_theirs".to_owned(),
        store_id: DEFAULT_STORE.to_owned(),
        version: 0,
        client_id: sign_in.client_id.clone(),
        subject: "krn:kuid:theirs".to_owned(),
        scope: "openid".to_owned(),
        customer_id: None,
        signed_in_at_ms: 1,
        created_at_ms: 1,
    };
    let tokens = Tokens { refresh: None, access: Secret::new("none"), access_until_ms: 0 };
    town.gateway
        .database()
        .write(move |tx| {
            identities::insert_sign_in(tx, &vault, &sign_in)?;
            identities::signed_in(tx, &vault, &identity, &tokens)
        })
        .await
        .unwrap();
}

/// Tables of which a paid checkout leaves no row, so that another store's key is tried with an id
/// that nobody has. Keep it short: make a row in the test instead.
const NO_ROW: &[&str] = &[];

#[tokio::test]
async fn another_stores_key_learns_nothing_and_changes_nothing() {
    for town in Town::on_each_engine().await {
        money_of(&town).await;
        signed_in_at(&town).await;
        // An endpoint with something to tell, and switched off, so that the world comes to rest.
        let body = json!({ "url": "http://127.0.0.1:9/nobody" });
        let endpoint = town.call("POST", "/v1/webhook_endpoints", &body).await.body;
        town.paid().await;
        town.subscribed().await;
        // Something of which nobody is known.
        let erasure = json!({ "checkout_ids": ["chk_nobody"] });
        assert_eq!(town.call("POST", "/v1/erasures", &erasure).await.status, 201);
        let off = format!("/v1/webhook_endpoints/{}/disable", endpoint["id"].as_str().unwrap());
        assert_eq!(town.call("POST", &off, &Value::Null).await.status, 200);
        let stranger = town.key_of(OTHER_STORE, Kind::Secret, Scopes::everything(), None).await;
        let publishable =
            town.key_of(OTHER_STORE, Kind::Publishable, Scopes::default(), None).await;
        let before = at_rest(&town).await;
        let mut untaught = Vec::new();
        for operation in operations() {
            let what = format!("{} {}", operation.method, operation.path);
            let key = if operation.needs == Needs::Publishable { &publishable } else { &stranger };
            if !operation.has_id() {
                // Lists are empty of what is the other store's. A stream has no end to wait for.
                let ends = !operation.path.ends_with("/stream");
                if operation.method == "GET" && operation.needs != Needs::Nothing && ends {
                    let reply = town.with(key, "GET", &operation.path, &Value::Null).await;
                    let recurring = ["customers", "customer_tokens", "plans", "subscriptions"];
                    for table in
                        ["checkouts", "payments", "operations"].into_iter().chain(recurring)
                    {
                        let id = town.some_id(table).await.unwrap();
                        assert!(!reply.text.contains(&id), "{what}: {}", reply.text);
                    }
                }
                continue;
            }
            let table = operation.table();
            let Some(id) = town.some_id(&table).await else {
                if !NO_ROW.contains(&table.as_str()) {
                    untaught.push(what);
                }
                continue;
            };
            // As long as the true one, so that the answers can be compared.
            let unknown = "0".repeat(id.len());
            for body in [operation.body.clone().unwrap_or_default(), Value::Null, json!({})] {
                let theirs = town.with(key, &operation.method, &operation.at(&id), &body).await;
                let nothing =
                    town.with(key, &operation.method, &operation.at(&unknown), &body).await;
                assert!(
                    (400..=422).contains(&theirs.status),
                    "{what}: {} {}",
                    theirs.status,
                    theirs.text
                );
                assert_eq!(theirs.headers["content-type"], "application/problem+json", "{what}");
                assert_eq!(
                    (theirs.status, theirs.text.replace(&id, "")),
                    (nothing.status, nothing.text.replace(&unknown, "")),
                    "{what} tells that there is something"
                );
            }
            // At least one body that fits gets as far as the row.
            let body = if operation.body.is_some() { fitting(&operation) } else { Value::Null };
            let reply = town.with(key, &operation.method, &operation.at(&id), &body).await;
            assert_problem(&what, &reply, 404, "not_found");
        }
        assert!(untaught.is_empty(), "the suite knows no row for {untaught:?}: have one made");
        assert_eq!(at_rest(&town).await, before);
        town.end().await;
    }
}

/// A body that the operation would take, where the smallest one that fits the schema is refused.
fn fitting(operation: &Operation) -> Value {
    let smallest = operation.body.clone().unwrap_or_default();
    match operation.path.as_str() {
        "/v1/operations/{id}/settle" => json!({ "outcome": "refused", "note": "x" }),
        _ => smallest,
    }
}

#[tokio::test]
async fn whatever_is_sent_is_answered_with_a_problem_and_changes_nothing() {
    for town in Town::on_each_engine().await {
        town.paid().await;
        let document = document();
        let publishable =
            town.key_of(DEFAULT_STORE, Kind::Publishable, Scopes::default(), None).await;
        let before = at_rest(&town).await;
        let long = "x".repeat(100_000);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for operation in operations() {
            let what = format!("{} {}", operation.method, operation.path);
            if operation.method == "GET" {
                continue;
            }
            let path = operation.at("nobody");
            let is_public = operation.needs == Needs::Publishable;
            let key = if is_public { publishable.as_str() } else { API_KEY };
            let authorization = format!("Bearer {key}");
            let json_type = ("content-type", "application/json");
            let secret = ("checkout-secret", "nobody's");
            let headers = [("authorization", authorization.as_str()), json_type, secret];
            let url = format!("{}{path}", town.gateway.url);
            let send = |body: String| town.send(&operation.method, url.clone(), &headers, body);
            if operation.body.is_some() {
                for text in [
                    "{",
                    "[]",
                    "\"text\"",
                    "1",
                    "{\"surprise\": 1}",
                    "{\"a\":\"\\u0000\"}",
                    "nonsense",
                    &deep,
                ] {
                    let reply = send(text.to_owned()).await;
                    assert_problem(&format!("{what} {text:.40}"), &reply, 400, "invalid_request");
                }
                let large = send(format!("{{\"x\":\"{}\"}}", "x".repeat(2 * 1024 * 1024))).await;
                assert_problem(&what, &large, 413, "payload_too_large");
                let form = [
                    ("authorization", authorization.as_str()),
                    ("content-type", "application/x-www-form-urlencoded"),
                ];
                let form = town.send(&operation.method, url.clone(), &form, "a=1".to_owned()).await;
                assert_problem(&what, &form, 415, "unsupported_media_type");
            }
            for member in members(&document, &operation) {
                for value in [
                    json!(null),
                    json!(true),
                    json!(-1),
                    json!(i64::MAX),
                    json!(1.5),
                    json!(1e300),
                    json!(long),
                    json!(""),
                    json!("\u{202e}\u{feff}"),
                    json!([]),
                    json!([[]]),
                    json!([null]),
                    json!({}),
                    json!({ "a": { "b": [1] } }),
                ] {
                    let mut body = operation.body.clone().unwrap_or_default();
                    body[&member] = value.clone();
                    let reply = send(body.to_string()).await;
                    let shown: String = value.to_string().chars().take(60).collect();
                    let what = format!("{what} with {member}: {shown}");
                    assert!(reply.status < 500, "{what}: {} {}", reply.status, reply.text);
                    if operation.has_id() {
                        assert!(reply.status >= 400, "{what}: {} {}", reply.status, reply.text);
                    }
                    if reply.status >= 400 {
                        assert_eq!(
                            reply.headers["content-type"], "application/problem+json",
                            "{what}"
                        );
                        assert!(reply.text.len() < 4_000, "{what}: {} bytes", reply.text.len());
                    }
                }
            }
        }
        // Ids and queries that no database should see.
        for operation in operations() {
            let what = format!("{} {}", operation.method, operation.path);
            let is_public = operation.needs == Needs::Publishable;
            let key = if is_public { publishable.as_str() } else { API_KEY };
            if operation.has_id() {
                for id in ["%00", "a%0Ab", "%27%20OR%201=1--", &"x".repeat(5_000), "%F0%9F%92%B3"] {
                    let body =
                        if operation.body.is_some() { fitting(&operation) } else { Value::Null };
                    let reply = town.with(key, &operation.method, &operation.at(id), &body).await;
                    assert_problem(&format!("{what} {id:.20}"), &reply, 404, "not_found");
                }
                let broken =
                    town.with(key, &operation.method, &operation.at("%FF%FE"), &Value::Null).await;
                assert!((400..500).contains(&broken.status), "{what}: {}", broken.status);
            } else if operation.pages {
                for query in [
                    "?limit=0",
                    "?limit=101",
                    "?limit=x",
                    "?limit=99999999999999999999",
                    "?cursor=%21",
                    "?cursor=%00",
                    "?surprise=1",
                ] {
                    let reply =
                        town.call("GET", &format!("{}{query}", operation.path), &Value::Null).await;
                    assert_problem(&format!("{what}{query}"), &reply, 400, "invalid_request");
                }
            }
        }
        let after = at_rest(&town).await;
        // Creating something with a strange but allowed value may work; nothing else may.
        for table in ["payments", "operations", "dashboard_users", "user_sessions"] {
            assert_eq!(after.get(table), before.get(table), "{table}");
        }
        town.end().await;
    }
}

#[tokio::test]
async fn callbacks_are_believed_only_by_reading_back() {
    for town in Town::on_each_engine().await {
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let id = checkout["id"].as_str().unwrap().to_owned();
        let opened: Value = serde_json::from_str(town.klarna.sessions().last().unwrap()).unwrap();
        let url = opened["merchant_urls"]["authorization"].as_str().unwrap().to_owned();
        let secret = url.rsplit('.').next().unwrap();
        assert_eq!(secret.len(), 64, "256 bits are not guessed");
        let json_type = [("content-type", "application/json")];
        let post = async |url: &str, body: String| {
            town.send("POST", url.to_owned(), &json_type, body).await.status
        };
        let before = at_rest(&town).await;
        // Nobody has authorised: whatever a callback claims, in whatever form, is not believed.
        let notification = url.replace("/authorization/", "/notification/");
        for claim in [
            json!({ "authorization_token": "forged-token", "session_id": "forged" }).to_string(),
            json!({ "event_type": "FRAUD_RISK_ACCEPTED", "order_id": "forged" }).to_string(),
            "{".to_owned(),
            String::new(),
            "x".repeat(60_000),
        ] {
            for _ in 0..3 {
                assert_eq!(post(&url, claim.clone()).await, 204);
                assert_eq!(post(&notification, claim.clone()).await, 200);
            }
        }
        assert_eq!(post(&url, "x".repeat(70_000)).await, 413);
        assert_eq!(at_rest(&town).await, before);
        // Secrets that are wrong are answered like the true one.
        let base = format!("{}/klarna/callbacks/authorization/", town.gateway.url);
        for forged in [
            format!("{id}.{}", "0".repeat(64)),
            format!("{id}."),
            format!("nobody.{secret}"),
            "nonsense".to_owned(),
            "%00.x".to_owned(),
        ] {
            assert_eq!(post(&format!("{base}{forged}"), "{}".to_owned()).await, 204, "{forged}");
        }
        // The true one, replayed: one order, and no more rows than are allowed.
        let token = town.authorize(&checkout).await;
        let body = json!({ "authorization_token": token }).to_string();
        for number in 0..120 {
            let body = if number % 2 == 0 { body.clone() } else { format!("{{\"n\":{number}}}") };
            assert_eq!(post(&url, body).await, 204);
        }
        eventually(async || {
            let now = town.call("GET", &format!("/v1/checkouts/{id}"), &Value::Null).await;
            now.body["status"] == "completed"
        })
        .await;
        let after = at_rest(&town).await;
        assert_eq!(after["payments"], 1);
        assert_eq!(town.klarna.orders_of(&token).len(), 1);
        let receipts = town.counts().await["receipts"];
        assert!(receipts <= 100, "{receipts}");
        // Whoever goes on guessing has to wait.
        let mut last = 0;
        for _ in 0..130 {
            last = post(&format!("{base}nobody.{}", "1".repeat(64)), "{}".to_owned()).await;
        }
        assert_eq!(last, 429);
        town.end().await;
    }
}

/// A page's path with its parameters filled in.
fn filled(route: &str, action: Option<&str>) -> String {
    route.replace("{id}", "nobody").replace("{action}", action.unwrap_or("made-up"))
}

#[tokio::test]
async fn no_page_is_seen_and_no_button_pressed_by_whoever_may_not() {
    for town in Town::on_each_engine().await {
        town.paid().await;
        let mut people = BTreeMap::new();
        for role in Role::ALL {
            people.insert(role, town.session_of(role).await);
        }
        let before = at_rest(&town).await;
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let form = ("content-type", "application/x-www-form-urlencoded");
        for (method, route, action, needs) in PAGES {
            let role::Needs::May(permission) = needs else { continue };
            let what = format!("{method} {route} {action:?}");
            let path = filled(route, *action);
            // Nobody has signed in; or the cookie is of nobody.
            for cookie in ["", "kassa_session=nobody", "kassa_session=", "__Host-kassa_session=x"] {
                let reply = town
                    .send(method, url(&path), &[form, ("cookie", cookie)], "csrf=x".to_owned())
                    .await;
                assert_eq!(
                    (reply.status, reply.headers["location"].to_str().unwrap()),
                    (303, "/dashboard/sign-in"),
                    "{what}"
                );
            }
            for (role, (cookie, csrf)) in &people {
                let headers = [form, ("cookie", cookie.as_str())];
                let right = format!("csrf={csrf}");
                if !role.may(*permission) {
                    let reply = town.send(method, url(&path), &headers, right).await;
                    assert_eq!(reply.status, 403, "{what} as {role:?}");
                    assert!(reply.text.contains("not yours to do"), "{what} as {role:?}");
                    continue;
                }
                // A stream has no end to wait for.
                if *method == "GET" && route.ends_with("/dashboard/stream") {
                    continue;
                }
                if *method == "GET" {
                    let page = town.send(method, url(&path), &headers, String::new()).await;
                    assert!(
                        [200, 303, 404].contains(&page.status),
                        "{what} as {role:?}: {}",
                        page.status
                    );
                    guarded(&what, &page);
                    continue;
                }
                let other = &people.values().find(|(each, _)| each != cookie).unwrap().1;
                for wrong in [
                    String::new(),
                    "csrf=".to_owned(),
                    "csrf=x".to_owned(),
                    format!("csrf={other}"),
                ] {
                    let reply = town.send(method, url(&path), &headers, wrong).await;
                    assert_eq!(reply.status, 403, "{what} as {role:?}");
                }
                for (name, value) in [
                    ("origin", "https://evil.example"),
                    ("origin", "null"),
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-site", "same-site"),
                ] {
                    let headers = [form, ("cookie", cookie.as_str()), (name, value)];
                    let reply = town.send(method, url(&path), &headers, right.clone()).await;
                    assert_eq!(reply.status, 403, "{what} as {role:?} from {value}");
                    assert!(reply.text.contains("came from elsewhere"), "{what}");
                }
                let large = format!("csrf={csrf}&x={}", "x".repeat(100_000));
                let reply = town.send(method, url(&path), &headers, large).await;
                assert_eq!(reply.status, 413, "{what} as {role:?}");
            }
        }
        assert_eq!(at_rest(&town).await, before);
        town.end().await;
    }
}

/// A page that keeps to itself.
fn guarded(what: &str, page: &Reply) {
    let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let policy = header("content-security-policy");
    for needed in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(needed), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(header("cache-control"), "no-store", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("x-frame-options"), "DENY", "{what}");
    for inline in ["<style", " style=", " onclick=", " onsubmit=", "javascript:", "<script>"] {
        assert!(!page.text.contains(inline), "{what} has {inline}");
    }
    // Every form that changes something carries what makes it the person's own.
    for piece in page.text.split("<form").skip(1) {
        let piece = piece.split("</form>").next().unwrap();
        let changes = piece.contains("method=\"post\"");
        assert!(
            !changes || piece.contains("name=\"csrf\""),
            "{what}: a form without a token: {piece}"
        );
    }
}
