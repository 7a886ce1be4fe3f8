//! Keys, stores and sessions that a test makes behind the gateway's back, and a look at what its
//! database holds.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway::Fault;
use gateway::app::DEFAULT_STORE;
use gateway::domain::access_key::{Grant, Kind};
use gateway::domain::checkout::Intent;
use gateway::domain::customer::{CustomerToken, TokenStatus};
use gateway::domain::idempotency::digest;
use gateway::domain::role::Role;
use gateway::domain::scope::{Scope, Scopes};
use gateway::store::sessions::{Session, Stage};
use gateway::store::users::User;
use gateway::store::{access, customers, keys, sessions, users};
use klarna_types::{Country, Currency, Locale};
use serde_json::{Value, json};
use service::{Clock as _, SystemClock};
use storage::Engine;

use crate::town::{Reply, Town};

/// A store beside the default one.
pub const OTHER_STORE: &str = "other";

/// Looks until it is so.
pub async fn eventually(mut probe: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
    while !probe().await {
        assert!(tokio::time::Instant::now() < deadline, "it never came to be");
        tokio::task::yield_now().await;
    }
}

fn grant(kind: Kind, scopes: Scopes, expires_at_ms: Option<i64>) -> Grant {
    Grant { name: "A stranger's".to_owned(), kind, scopes, origins: Vec::new(), expires_at_ms }
}

/// What keys can be had.
pub trait Keys {
    async fn key(&self, scopes: &[Scope]) -> String;
    async fn key_of(
        &self,
        store_id: &'static str,
        kind: Kind,
        scopes: Scopes,
        ends_at_ms: Option<i64>,
    ) -> String;
    async fn revoked_key(&self) -> String;
    async fn with(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply;
    async fn browser(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Reply;
    async fn session_of(&self, role: Role) -> (String, String);
    async fn counts(&self) -> BTreeMap<String, i64>;
    async fn some_id(&self, table: &str) -> Option<String>;
    async fn subscribed(&self);
}

impl Keys for Town {
    /// A secret key of the default store.
    async fn key(&self, scopes: &[Scope]) -> String {
        let scopes = scopes.iter().copied().collect();
        self.key_of(DEFAULT_STORE, Kind::Secret, scopes, None).await
    }

    /// A key of a store, which is made if need be.
    async fn key_of(
        &self,
        store_id: &'static str,
        kind: Kind,
        scopes: Scopes,
        ends_at_ms: Option<i64>,
    ) -> String {
        let key = format!("{}{}", kind.prefix(), service::random::secret());
        let (digest, id) = (digest(&key), format!("key_{}", service::random::uuid().simple()));
        self.gateway
            .database()
            .write(move |tx| {
                access::ensure_store(tx, store_id, "Another store", 0)?;
                let new =
                    keys::New { id: &id, store_id, digest: &digest, hint: "", created_by: "test" };
                keys::ensure(tx, new, &grant(kind, scopes, ends_at_ms), 0)
            })
            .await
            .unwrap();
        key
    }

    /// A key that may do everything and was revoked.
    async fn revoked_key(&self) -> String {
        let key = self.key_of(DEFAULT_STORE, Kind::Secret, Scopes::everything(), None).await;
        let digest = digest(&key);
        self.gateway
            .database()
            .write(move |tx| {
                let (found, _) = keys::by_digest(tx, &digest)?.unwrap();
                keys::revoke(tx, &found.id, 1)
            })
            .await
            .unwrap();
        key
    }

    async fn with(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        self.browser(key, method, path, body, &[]).await
    }

    async fn browser(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Reply {
        let authorization = format!("Bearer {key}");
        let mut headers =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, format!("{}{path}", self.gateway.url), &headers, body).await
    }

    /// Somebody of that role who has signed in: their cookie, and what their forms carry.
    async fn session_of(&self, role: Role) -> (String, String) {
        let secret = service::random::secret();
        let csrf = service::random::secret();
        let now_ms = SystemClock.now_ms();
        let id = format!("usr_{}", service::random::uuid().simple());
        let user = User {
            id: id.clone(),
            store_id: DEFAULT_STORE.to_owned(),
            name: format!("{}-{}", role.name(), &id[4..12]),
            role,
            password_hash: Some("$argon2id$none".to_owned()),
            totp_seed: None,
            totp_pending: None,
            totp_step: 0,
            created_at_ms: now_ms,
            signed_in_at_ms: None,
            disabled_at_ms: None,
        };
        let session = Session {
            id: format!("ses_{}", service::random::uuid().simple()),
            user_id: id,
            store_id: DEFAULT_STORE.to_owned(),
            csrf_token: csrf.clone(),
            browser: "A test".to_owned(),
            created_at_ms: now_ms,
            seen_at_ms: now_ms,
        };
        let digest = digest(&secret);
        self.gateway
            .database()
            .write(move |tx| {
                users::insert(tx, &user)?;
                sessions::open(tx, &digest, &session, Stage::Full, now_ms + 3_600_000)
            })
            .await
            .unwrap();
        (format!("kassa_session={secret}"), csrf)
    }

    /// How many rows each table has.
    async fn counts(&self) -> BTreeMap<String, i64> {
        let database = self.gateway.database();
        let tables = match database.engine() {
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Engine::Postgres => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        database
            .read_long(move |tx| {
                let mut counts = BTreeMap::new();
                for row in tx.query(tables, &[])? {
                    let table: String = row.get(0)?;
                    let sql = format!("SELECT COUNT(*) FROM {table}");
                    let count: i64 = tx.query_dynamic(&sql, &[])?[0].get(0)?;
                    counts.insert(table, count);
                }
                Ok::<_, Fault>(counts)
            })
            .await
            .unwrap()
    }

    /// The id of a row of the default store in that table, if there is one.
    async fn some_id(&self, table: &str) -> Option<String> {
        if table == "stores" {
            return Some(DEFAULT_STORE.to_owned());
        }
        let sql = format!("SELECT id FROM {table} WHERE store_id = $1 ORDER BY id LIMIT 1");
        let found = self.gateway.database().read_long(move |tx| {
            let rows = tx.query_dynamic(&sql, &[&DEFAULT_STORE])?;
            rows.first().map(|row| row.get::<String>(0)).transpose()
        });
        let found: Result<Option<String>, storage::Error> = found.await;
        found.ok().flatten()
    }

    /// A customer, a customer token, a plan and a subscription that is not charged for a long time.
    async fn subscribed(&self) {
        let made = async |path: &str, body: Value| {
            let made = self.call("POST", path, &body).await;
            assert_eq!(made.status, 201, "{}", made.text);
            made.body["id"].as_str().unwrap().to_owned()
        };
        let customer_id = made("/v1/customers", json!({ "reference": "K-1" })).await;
        let plan =
            json!({ "name": "Kaffe", "currency": "SEK", "amount": 9900, "interval": "month" });
        let plan_id = made("/v1/plans", plan).await;
        let id = format!("ctk_{}", service::random::uuid().simple());
        let token = CustomerToken {
            id: id.clone(),
            store_id: DEFAULT_STORE.to_owned(),
            version: 1,
            klarna_token_id: "marked-customer-token".to_owned(),
            status: TokenStatus::Active,
            customer_id: Some(customer_id),
            checkout_id: "chk_1".to_owned(),
            intent: Intent::Tokenize,
            account_id: None,
            description: "Kaffe".to_owned(),
            country: Country::SE,
            currency: Currency::SEK,
            locale: Locale::new("sv-SE"),
            payment_method_type: None,
            checked_at_ms: None,
            created_at_ms: 0,
            updated_at_ms: 0,
        };
        let database = self.gateway.database();
        database.write(move |tx| customers::insert_token(tx, &token)).await.unwrap();
        let body = json!({
            "plan_id": plan_id, "customer_token_id": id, "merchant_reference": "SUB-1", "trial_days": 30,
        });
        made("/v1/subscriptions", body).await;
    }
}
