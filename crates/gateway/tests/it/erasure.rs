//! Shoppers are forgotten: what is personal of them is nowhere in the database any more, and the books stay.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::town::{Town, cart, fresh_postgres};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use service::{Clock, ManualClock};
use storage::Location;

/// Stands in everything that is about the shopper, and in nothing else.
const MARK: &str = "Markeredperson";

/// A gateway whose database can be searched, at a time that can be moved.
struct World {
    town: Town,
    clock: Arc<ManualClock>,
    /// The SQLite file; PostgreSQL is asked.
    file: Option<PathBuf>,
}

async fn worlds(folder: &Path) -> Vec<World> {
    let file = folder.join("gateway.db");
    let mut worlds = vec![world(Location::File(file.clone()), Some(file)).await];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        worlds.push(world(fresh_postgres(&url).await, None).await);
    }
    worlds
}

async fn world(location: Location, file: Option<PathBuf>) -> World {
    let start: Timestamp = "2031-05-04T09:00:00Z".parse().unwrap();
    let clock = ManualClock::starting_at(start);
    let town = Town::build_at(location, Arc::clone(&clock) as Arc<dyn Clock>).await;
    World { town, clock, file }
}

impl World {
    fn days(&self, count: i64) {
        self.clock.advance(SignedDuration::from_hours(24 * count));
    }

    /// Where the mark stands: files, or tables.
    async fn found(&self) -> Vec<String> {
        match &self.file {
            Some(file) => found_in_files(file),
            None => self.found_in_tables().await,
        }
    }

    /// Waits until the mark is nowhere: what is done on the clock is done a moment later.
    async fn is_forgotten(&self) {
        let mut found = Vec::new();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(120);
        while tokio::time::Instant::now() < deadline {
            found = self.found().await;
            if found.is_empty() {
                return;
            }
            // Time passes: a lease that was lost on the way must end some day, and what was needed just then is
            // looked at again a minute later.
            self.clock.advance(SignedDuration::from_secs(1));
            tokio::task::yield_now().await;
        }
        let operations = self.town.call("GET", "/v1/operations", &Value::Null).await.text;
        let payments = self.town.call("GET", "/v1/payments", &Value::Null).await.text;
        panic!("{MARK} still stands in {found:?}: {operations} {payments}");
    }

    async fn found_in_tables(&self) -> Vec<String> {
        let database = self.town.gateway.database();
        database
            .read_long(|tx| {
                let tables = tx.query(
                    "SELECT table_name::text FROM information_schema.tables
                     WHERE table_schema = current_schema()",
                    &[],
                )?;
                let mut found = Vec::new();
                for table in &tables {
                    let table: String = table.get(0)?;
                    let sql = format!(
                        "SELECT COUNT(*) FROM {table} AS each WHERE each::text LIKE '%{MARK}%'"
                    );
                    let rows = tx.query_dynamic(&sql, &[])?;
                    if rows.first().map(|row| row.get::<i64>(0)).transpose()? != Some(0) {
                        found.push(table);
                    }
                }
                Ok::<_, storage::Error>(found)
            })
            .await
            .unwrap()
    }

    /// A checkout that says the mark wherever it can.
    async fn checkout(&self) -> Value {
        let mut wish = cart();
        for (member, value) in [
            ("merchant_data", json!(MARK)),
            ("customer", json!({ "date_of_birth": "1990-01-01", "title": MARK })),
            ("billing_address", address()),
            ("shipping_address", address()),
            ("confirmation_url", json!(format!("https://shop.example/thanks?for={MARK}"))),
        ] {
            wish[member] = value;
        }
        let opened = self.town.call("POST", "/v1/checkouts", &wish).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        opened.body
    }

    async fn paid(&self) -> Value {
        let checkout = self.checkout().await;
        let shopper = json!({ "data": { "billing_address": address() } });
        let token = self.town.authorize_as(&checkout, shopper).await;
        let path = format!("/v1/checkouts/{}/confirm", text(&checkout, "id"));
        let body = json!({
            "authorization_token": token, "billing_address": address(),
            "shipping_address": address(),
        });
        let confirmed = self.town.call("POST", &path, &body).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        let payment = confirmed.body["payment"].clone();
        // What Klarna's books tell last is when the time begins for which it is kept.
        self.town.is_read(&payment).await;
        payment
    }

    async fn ask(&self, payment: &Value, what: &str, body: Value) -> Value {
        let path = format!("/v1/payments/{}/{what}", text(payment, "id"));
        let reply = self.town.call("POST", &path, &body).await;
        assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.text);
        reply.body
    }

    async fn read(&self, payment: &Value) -> Value {
        let path = format!("/v1/payments/{}", text(payment, "id"));
        self.town.call("GET", &path, &Value::Null).await.body
    }

    async fn erase(&self, body: Value) -> Value {
        let reply = self.town.call("POST", "/v1/erasures", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.body
    }

    async fn erasure(&self, id: &str) -> Value {
        let reply = self.town.call("GET", &format!("/v1/erasures/{id}"), &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body
    }
}

fn found_in_files(file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for suffix in ["", "-wal", "-journal"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let places = bytes.windows(MARK.len()).filter(|window| *window == MARK.as_bytes()).count();
        if places > 0 {
            found.push(format!("{} ({places})", path.to_string_lossy()));
        }
    }
    found
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn address() -> Value {
    json!({
        "given_name": MARK, "family_name": MARK, "email": format!("{MARK}@example.com"),
        "phone": "+46701740615", "street_address": format!("{MARK}gatan 17"),
        "postal_code": "11152", "city": "Stockholm", "country": "SE",
    })
}

fn parcel() -> Value {
    json!({ "shipping_company": "DHL", "tracking_number": format!("{MARK}1"), "tracking_uri": format!("https://dhl.example/{MARK}") })
}

#[tokio::test]
async fn after_an_erasure_the_shopper_is_nowhere_and_the_books_are_as_before() {
    let folder = tempfile::tempdir().unwrap();
    for world in worlds(folder.path()).await {
        let payment = world.paid().await;
        world.ask(&payment, "shipping-info", json!({ "shipping_info": [parcel()] })).await;
        let wish = json!({ "amount": 10_000, "description": format!("for {MARK}"), "shipping_info": [parcel()] });
        world.ask(&payment, "captures", wish).await;
        assert!(!world.found().await.is_empty(), "the test looks where something is");

        // Something can still be captured and shipped.
        let wish = json!({ "payment_ids": [text(&payment, "id")] });
        let erasure = world.erase(wish.clone()).await;
        let subject = &erasure["subjects"][0];
        assert_eq!((text(&erasure, "status"), text(subject, "status")), ("waiting", "waiting"));
        assert_eq!(text(subject, "because"), "authorization_open");
        assert!(text(subject, "needed_until").starts_with("2031-0"), "{subject}");
        assert!(!world.found().await.is_empty());

        world.ask(&payment, "captures", json!({})).await;
        let refund = json!({ "amount": 500, "description": format!("{MARK} called") });
        world.ask(&payment, "refunds", refund).await;
        let before = world.read(&payment).await;
        let erased = world.erase(wish.clone()).await;
        assert_eq!(text(&erased, "status"), "done", "{erased}");
        let at = text(&erased["subjects"][0], "erased_at").to_owned();
        assert_eq!(world.found().await, Vec::<String>::new());

        let after = world.read(&payment).await;
        for member in [
            "id",
            "status",
            "amounts",
            "merchant_reference",
            "klarna_order_id",
            "order_lines",
            "currency",
        ] {
            assert_eq!(after[member], before[member], "{member}");
        }
        for list in ["captures", "refunds"] {
            let amounts = |view: &Value| {
                let entries = view[list].as_array().unwrap().iter();
                entries.map(|each| (each["id"].clone(), each["amount"].clone())).collect::<Vec<_>>()
            };
            assert_eq!(amounts(&after), amounts(&before), "{list}");
        }
        // Asked again, by whatever name: the same answer, and nothing changes.
        for again in [
            wish,
            json!({ "merchant_references": ["WEB-1001"] }),
            json!({ "checkout_ids": [text(&before, "checkout_id")] }),
        ] {
            let again = world.erase(again).await;
            assert_eq!(text(&again, "status"), "done", "{again}");
            assert_eq!(text(&again["subjects"][0], "erased_at"), at, "{again}");
        }
        assert_eq!(world.read(&payment).await, after);
        // What waited was done with it.
        world.days(1);
        let id = text(&erasure, "id").to_owned();
        while text(&world.erasure(&id).await, "status") != "done" {
            tokio::task::yield_now().await;
        }

        // It can be refunded still, and what is said with that is forgotten with its end.
        let refund = json!({ "amount": 700, "description": format!("{MARK} called again") });
        world.ask(&payment, "refunds", refund).await;
        // Where everything is slow it was accepted only, and must not be a day old when Klarna is asked.
        while world.read(&payment).await["operations"] != json!([]) {
            tokio::task::yield_now().await;
        }
        world.days(1);
        world.is_forgotten().await;
        assert_eq!(world.read(&payment).await["amounts"]["refunded"], 1_200);
        let log = world.town.call("GET", "/v1/audit_log?limit=100", &Value::Null).await;
        assert!(log.text.contains("personal_data.erasure_asked"), "{}", log.text);
        let events = format!("/v1/payments/{}/events", text(&payment, "id"));
        let events = world.town.call("GET", &events, &Value::Null).await;
        assert!(events.text.contains("payment.personal_data_erased"), "{}", events.text);
        world.town.end().await;
    }
}

#[tokio::test]
async fn what_is_over_for_as_long_as_the_store_says_is_forgotten_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    for world in worlds(folder.path()).await {
        let policy = "/v1/retention-policy";
        for bad in [
            json!({ "personal_data_days": 0 }),
            json!({ "personal_data_days": 4_000 }),
            json!({ "days": 5 }),
        ] {
            assert_eq!(world.town.call("PUT", policy, &bad).await.status, 400, "{bad}");
        }
        let wish = json!({ "personal_data_days": 90 });
        assert_eq!(world.town.call("PUT", policy, &wish).await.status, 200);
        assert_eq!(world.town.call("GET", policy, &Value::Null).await.body, wish);

        // More than one batch, and a checkout that nobody paid.
        for _ in 0..3 {
            let payment = world.paid().await;
            world.ask(&payment, "captures", json!({ "description": MARK })).await;
        }
        let left = world.checkout().await;
        let cancel = format!("/v1/checkouts/{}/cancel", text(&left, "id"));
        assert_eq!(world.town.call("POST", &cancel, &Value::Null).await.status, 200);
        world.days(89);
        world.town.call("GET", "/v1/payments", &Value::Null).await;
        assert!(!world.found().await.is_empty(), "not yet");
        world.days(2);
        world.is_forgotten().await;
        let log = world.town.call("GET", "/v1/audit_log?limit=100", &Value::Null).await;
        let told = log.body["data"].as_array().unwrap().iter();
        let erased: i64 = told
            .filter(|entry| entry["action"] == "personal_data.erased")
            .map(|entry| entry["data"]["erased"].as_i64().unwrap())
            .sum();
        assert_eq!(erased, 4);
        world.town.end().await;
    }
}

#[tokio::test]
async fn another_stores_shoppers_and_what_does_not_exist_are_unknown() {
    let folder = tempfile::tempdir().unwrap();
    for world in worlds(folder.path()).await {
        let wish = json!({ "payment_ids": ["pay_nobody"], "checkout_ids": ["chk_nobody"], "merchant_references": ["nothing"] });
        let erasure = world.erase(wish).await;
        assert_eq!(text(&erasure, "status"), "done");
        let states: Vec<_> = erasure["subjects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| text(each, "status"))
            .collect();
        assert_eq!(states, ["unknown", "unknown"]);
        let many: Vec<String> = (0..101).map(|number| format!("pay_{number}")).collect();
        for bad in [
            json!({}),
            json!({ "payment_ids": [] }),
            json!({ "payment_ids": [""] }),
            json!({ "payment_ids": many }),
        ] {
            let refused = world.town.call("POST", "/v1/erasures", &bad).await;
            assert_eq!(refused.status, 400, "{}", refused.text);
        }
        // The same request under the same key is one erasure.
        world.clock.advance(SignedDuration::from_secs(1));
        let key = [("idempotency-key", "forget-1")];
        let body = json!({ "payment_ids": ["pay_nobody"] });
        let one = world.town.call_with("POST", "/v1/erasures", &body, &key).await.body;
        let two = world.town.call_with("POST", "/v1/erasures", &body, &key).await.body;
        assert_eq!(one["id"], two["id"]);
        let list = world.town.call("GET", "/v1/erasures?limit=1", &Value::Null).await.body;
        assert_eq!(list["data"][0]["id"], one["id"]);
        assert!(list["next_cursor"].is_string(), "{list}");
        world.town.end().await;
    }
}

/// What an admin does in the dashboard is what the API does.
#[tokio::test]
async fn an_admin_has_a_shopper_forgotten_in_the_dashboard() {
    let folder = tempfile::tempdir().unwrap();
    for world in worlds(folder.path()).await {
        let payment = world.paid().await;
        world.ask(&payment, "cancel", json!({})).await;
        assert!(!world.found().await.is_empty());
        let cookie = world.town.sign_in().await;
        let page = format!("{}/dashboard/personal-data", world.town.gateway.url);
        let get = |url: String| {
            let cookie = cookie.clone();
            let town = &world.town;
            async move { town.send("GET", url, &[("cookie", &cookie)], String::new()).await.text }
        };
        let send = |action: &str, body: String| {
            let (url, cookie, town) = (format!("{page}/{action}"), cookie.clone(), &world.town);
            let form = ("content-type", "application/x-www-form-urlencoded");
            async move { town.send("POST", url, &[form, ("cookie", &cookie)], body).await }
        };
        let shown = get(format!("{page}?of=cus_1%22%3E")).await;
        assert!(shown.contains("cus_1&quot;&gt;"), "{shown}");
        let csrf = shown.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap();

        assert_eq!(send("forget", "csrf=x&named=all".to_owned()).await.status, 403);
        assert_eq!(send("burn", format!("csrf={csrf}")).await.status, 404);
        for (action, fields, says) in [
            ("forget", "named=+%0A+", "Say who is to be forgotten"),
            ("keep", "days=soon", "not a number"),
            ("keep", "days=0", "not between 1 and 3650"),
        ] {
            let refused = send(action, format!("csrf={csrf}&{fields}")).await;
            assert_eq!(refused.status, 400, "{fields}");
            assert!(refused.text.contains(says), "{says} in {}", refused.text);
        }

        let named = format!("csrf={csrf}&named={}%0Apay_nobody", text(&payment, "id"));
        assert_eq!(send("forget", named).await.status, 303);
        world.is_forgotten().await;
        let shown = get(page.clone()).await;
        assert!(shown.contains("Forgotten") && shown.contains("Not known here"), "{shown}");

        assert_eq!(send("keep", format!("csrf={csrf}&days=180")).await.status, 303);
        let policy = world.town.call("GET", "/v1/retention-policy", &Value::Null).await.body;
        assert_eq!(policy, json!({ "personal_data_days": 180 }));
        assert_eq!(send("keep", format!("csrf={csrf}&days=")).await.status, 303);
        let policy = world.town.call("GET", "/v1/retention-policy", &Value::Null).await.body;
        assert_eq!(policy["personal_data_days"], Value::Null);
        world.town.end().await;
    }
}

#[tokio::test]
async fn what_somebody_still_reads_is_gone_when_they_have_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.db");
    let world = world(Location::File(file.clone()), Some(file)).await;
    let payment = world.paid().await;
    world.ask(&payment, "captures", json!({})).await;
    let (begun, begins) = tokio::sync::oneshot::channel();
    let (done, ends) = std::sync::mpsc::channel::<()>();
    let (begun, ends) = (parking_lot::Mutex::new(Some(begun)), parking_lot::Mutex::new(ends));
    let database = world.town.gateway.database().clone();
    let reading = tokio::spawn(async move {
        let read = database.read_long(move |tx| {
            let payments: i64 = tx.query_one("SELECT COUNT(*) FROM payments", &[])?.get(0)?;
            if let Some(begun) = begun.lock().take() {
                begun.send(()).unwrap();
            }
            ends.lock().recv().unwrap();
            Ok::<_, storage::Error>(payments)
        });
        read.await.unwrap()
    });
    begins.await.unwrap();
    let erased = world.erase(json!({ "payment_ids": [text(&payment, "id")] })).await;
    assert_eq!(text(&erased, "status"), "done", "{erased}");
    assert!(!world.found().await.is_empty(), "the reader still sees what was there");
    done.send(()).unwrap();
    assert_eq!(reading.await.unwrap(), 1);
    world.is_forgotten().await;
    world.town.end().await;
}
