//! Payouts and disputes read out of Klarna's books, and the figures of a store: against a playground
//! whose clock is moved, with calls that fail and processes that die.

use std::sync::Arc;

use crate::faulty::Hit;
use crate::strangers::{Keys as _, OTHER_STORE, eventually};
use crate::town::{Town, cart, fresh_postgres};
use gateway::Fault;
use gateway::app::DEFAULT_STORE;
use gateway::domain::figures::{Figure, Sum, Sums};
use gateway::domain::scope::Scopes;
use gateway::engine::klarna::Klarna as _;
use gateway::store::figures;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use service::{Clock, ManualClock};
use storage::{Database, Location};

const START: &str = "2031-03-01T12:00:00Z";

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
        valleys.push(valley(location).await);
    }
    valleys
}

async fn valley(location: Location) -> Valley {
    let clock = ManualClock::starting_at(START.parse().unwrap());
    let town = Town::build_at(location, Arc::clone(&clock) as Arc<dyn Clock>).await;
    Valley { town, clock }
}

impl Valley {
    async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}playground/v1{path}", self.town.playground.url());
        let json = [("content-type", "application/json")];
        let reply = self.town.send("POST", url, &json, body.to_string()).await;
        assert!((200..300).contains(&reply.status), "{path} {body}: {}", reply.text);
        reply.body
    }

    fn advance_hours(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.town.call("GET", path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    async fn done(&self, payment: &Value, place: &str, body: &Value) -> Value {
        let path = format!("/v1/payments/{}/{place}", payment["id"].as_str().unwrap());
        let reply = self.town.call("POST", &path, body).await;
        assert!((200..300).contains(&reply.status), "{place} {body}: {}", reply.text);
        // Where everything is slow it may have been accepted only.
        let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
        self.until(&path, |payment| payment["operations"] == json!([])).await
    }

    /// Klarna closes its period, and the gateway hears of it an hour later.
    async fn close(&self) -> Vec<String> {
        let closed = self.control("/settlements/close", &json!({ "merchant_id": "K123456" })).await;
        serde_json::from_value(closed["payouts"].clone()).unwrap()
    }

    async fn dispute(&self, payment: &Value, more: Value) -> Value {
        let mut body = more;
        body["order_id"] = payment["klarna_order_id"].clone();
        self.control("/disputes", &body).await
    }

    /// The only currency's figures since the beginning.
    async fn ever(&self) -> Sums {
        let found = self
            .town
            .gateway
            .database()
            .read(|tx| figures::find(tx, DEFAULT_STORE, 0, i64::MAX / 2))
            .await
            .unwrap();
        let mut sums = Sums::default();
        for each in found.ever {
            assert_eq!(each.currency, "SEK");
            sums.add(each.figure, each.by);
        }
        sums
    }

    /// Reads until it is so. A little time passes meanwhile: what was put off for a moment must come back.
    async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        eventually(async || {
            last = self.get(path).await;
            let is_so = holds(&last);
            if !is_so {
                self.clock.advance(SignedDuration::from_millis(200));
            }
            is_so
        })
        .await;
        last
    }

    async fn events(&self, kind: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/events?type={kind}&limit=100")).await;
        page["data"].as_array().unwrap().clone()
    }
}

fn count(list: &Value) -> usize {
    list["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_captured_is_followed_into_the_payout() {
    for valley in valleys().await {
        let payment = valley.town.paid().await;
        let total = payment["amounts"]["authorized"].as_i64().unwrap();
        valley.done(&payment, "captures", &json!({})).await;
        valley.advance_hours(1);
        valley.done(&payment, "refunds", &json!({ "amount": 1_000 })).await;

        let before = valley.get("/v1/reports/overview?days=7").await;
        let sek = &before["currencies"][0];
        assert_eq!(sek["currency"], "SEK");
        assert_eq!(sek["to_come"], total - 1_000, "{sek}");
        assert_eq!(sek["total"]["captured"], json!({ "amount": total, "count": 1 }));
        assert_eq!(sek["total"]["refunded"], json!({ "amount": 1_000, "count": 1 }));
        assert_eq!(sek["total"]["approval_rate"], 10_000);
        assert_eq!(sek["days"].as_array().unwrap().len(), 7);
        assert_eq!(sek["days"][6]["date"], "2031-03-01");
        assert_eq!(sek["days"][6]["authorized"]["amount"], total);

        let reference = valley.close().await.remove(0);
        valley.advance_hours(2);
        let list = valley.until("/v1/payouts", |list| count(list) == 1).await;
        let payout = &list["data"][0];
        assert_eq!(payout["reference"], json!(reference));
        assert_eq!(payout["differences"], json!([]), "{payout}");
        let fees = payout["totals"]["fees"].as_i64().unwrap();
        assert!(fees > 0);
        assert_eq!(payout["amount"], total - 1_000 - fees);

        let read = valley.get(&format!("/v1/payouts/{}", payout["id"].as_str().unwrap())).await;
        let entries = read["entries"].as_array().unwrap();
        assert_eq!(json!(entries.len()), payout["entry_count"]);
        assert!(entries.iter().all(|entry| entry["payment_id"] == payment["id"]), "{read}");
        let sum: i64 = entries
            .iter()
            .map(|entry| entry["amount"].as_i64().unwrap() - entry["tax"].as_i64().unwrap_or(0))
            .sum();
        assert_eq!(payout["amount"], sum);

        // Page by page it is the same.
        let path = format!("/v1/payouts/{}?limit=1", payout["id"].as_str().unwrap());
        let mut paged = Vec::new();
        let mut page = valley.get(&path).await;
        loop {
            paged.extend(page["entries"].as_array().unwrap().clone());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            page = valley.get(&format!("{path}&cursor={cursor}")).await;
        }
        assert_eq!(&paged, entries);

        let shown = valley.get(&format!("/v1/payments/{}", payment["id"].as_str().unwrap())).await;
        assert_eq!(shown["payouts"][0]["reference"], json!(reference));
        assert_eq!(shown["payouts"][0]["entries"].as_array().unwrap().len(), entries.len());
        let overview = valley.get("/v1/reports/overview").await;
        let sek = &overview["currencies"][0];
        assert_eq!(sek["to_come"], 0, "{sek}");
        assert_eq!(sek["total"]["paid_out"], json!({ "amount": payout["amount"], "count": 1 }));
        assert_eq!(sek["total"]["fees"]["amount"], fees);

        let told = valley.events("payout.paid").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["data"]["payout_id"], payout["id"]);
        // Read again and again, it counts once.
        for _ in 0..3 {
            valley.advance_hours(2);
            valley.until_read().await;
        }
        assert_eq!(valley.get("/v1/reports/overview").await["currencies"][0]["to_come"], 0);
        assert_eq!(valley.events("payout.paid").await.len(), 1);
        valley.town.end().await;
    }
}

impl Valley {
    /// Waits until every reading that is due was made.
    async fn until_read(&self) {
        let now_ms = self.clock.now_ms();
        eventually(async || {
            self.town
                .gateway
                .database()
                .read(move |tx| {
                    // There is one of each kind, once the first look was taken.
                    let sql = "SELECT COUNT(*) FROM readings WHERE due_at_ms > $1";
                    let later: i64 = tx.query_one(sql, &[&now_ms])?.get(0)?;
                    let sql = "SELECT COUNT(*) FROM work_items WHERE id LIKE 'reading/%'";
                    let waiting: i64 = tx.query_one(sql, &[])?.get(0)?;
                    Ok::<_, storage::Error>(later == 2 && waiting == 0)
                })
                .await
                .unwrap()
        })
        .await;
    }
}

#[tokio::test]
async fn a_dispute_is_followed_from_its_beginning_to_its_end() {
    for valley in valleys().await {
        let payment = valley.town.paid().await;
        let total = payment["amounts"]["authorized"].as_i64().unwrap();
        valley.done(&payment, "captures", &json!({})).await;
        valley.until_read().await;
        let raised = valley.dispute(&payment, json!({ "reason": "faulty_goods" })).await;
        valley.advance_hours(1);
        let list = valley.until("/v1/disputes?open=true", |list| count(list) == 1).await;
        let dispute = &list["data"][0];
        assert_eq!(dispute["klarna_dispute_id"], raised["payment_dispute_id"]);
        assert_eq!(dispute["payment_id"], payment["id"]);
        assert_eq!(dispute["state"], "initiated");
        assert_eq!(dispute["reason"], "products_defective_or_not_as_described");
        assert_eq!(dispute["amount"], total);
        let deadline: Timestamp = dispute["deadline_at"].as_str().unwrap().parse().unwrap();
        let opened: Timestamp = dispute["opened_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(deadline.duration_since(opened), SignedDuration::from_hours(21 * 24));
        let path = format!("/v1/disputes/{}", dispute["id"].as_str().unwrap());
        assert_eq!(&valley.get(&path).await, dispute);
        let shown = valley.get(&format!("/v1/payments/{}", payment["id"].as_str().unwrap())).await;
        assert_eq!(&shown["disputes"][0], dispute);
        let open = &valley.get("/v1/reports/overview").await["currencies"][0]["open_disputes"];
        assert_eq!(*open, json!({ "amount": total, "count": 1 }));

        // More time changes the deadline; silence loses.
        let decide = format!("/disputes/{}/decide", raised["payment_dispute_id"].as_str().unwrap());
        valley.control(&decide, &json!({ "decision": "extend", "by": "P7D" })).await;
        valley.advance_hours(1);
        let later = deadline + SignedDuration::from_hours(7 * 24);
        valley
            .until(&path, |dispute| {
                dispute["deadline_at"].as_str().unwrap().parse::<Timestamp>().unwrap() == later
            })
            .await;
        valley.control(&decide, &json!({ "decision": "expire" })).await;
        valley.advance_hours(1);
        let closed = valley.until(&path, |dispute| dispute["state"] == "closed").await;
        assert_eq!(closed["outcome"], "lost", "{closed}");
        assert_eq!(count(&valley.get("/v1/disputes?open=true").await), 0);
        assert_eq!(count(&valley.get("/v1/disputes?state=closed").await), 1);

        for (kind, times) in [("dispute.opened", 1), ("dispute.updated", 1), ("dispute.closed", 1)]
        {
            let told = valley.events(kind).await;
            assert_eq!(told.len(), times, "{kind}");
            assert_eq!(told[0]["data"]["payment_id"], payment["id"]);
        }
        let ever = valley.ever().await;
        assert_eq!(ever.of(Figure::Disputed), Sum::once(total));
        assert_eq!(ever.of(Figure::DisputeLost), Sum::once(total));
        assert_eq!(ever.of(Figure::DisputeWon), Sum::default());
        valley.town.end().await;
    }
}

/// Whatever happens to the calls, and whoever dies meanwhile: everything is read, and counts once.
#[tokio::test]
async fn calls_that_fail_and_processes_that_die_have_everything_read_once() {
    for valley in valleys().await {
        let mut captured = 0;
        for _ in 0..3 {
            let payment = valley.town.paid().await;
            captured += payment["amounts"]["authorized"].as_i64().unwrap();
            valley.done(&payment, "captures", &json!({})).await;
            valley.dispute(&payment, json!({})).await;
        }
        valley.close().await;
        for call in ["payouts", "payout_entries", "disputes"] {
            for hit in [Hit::LostAfter, Hit::CrashBefore, Hit::CrashAfter] {
                valley.town.klarna.hit_next(call, hit);
            }
        }
        // A turn that hangs is taken over when its lease ends.
        eventually(async || {
            valley.clock.advance(SignedDuration::from_mins(5));
            let (payouts, disputes) =
                (valley.get("/v1/payouts").await, valley.get("/v1/disputes").await);
            count(&payouts) == 1 && count(&disputes) == 3
        })
        .await;
        let ever = valley.ever().await;
        assert_eq!(ever.to_come(), 0);
        assert_eq!(ever.of(Figure::Captured), Sum { minor: captured, times: 3 });
        assert_eq!(ever.of(Figure::Settled), Sum { minor: captured, times: 1 });
        assert_eq!(ever.of(Figure::PaidOut).times, 1);
        assert_eq!(ever.of(Figure::Disputed), Sum { minor: captured, times: 3 });
        assert_eq!(valley.events("payout.paid").await.len(), 1);
        assert_eq!(valley.events("dispute.opened").await.len(), 3);
        // Not stopped in an orderly way: those who died will never come back.
        drop(valley);
    }
}

/// An account whose credential may not read is told of where people look, and asked rarely.
#[tokio::test]
async fn an_account_that_may_not_read_is_told_of_and_not_asked_hotly() {
    let valley = valley(Location::Memory).await;
    valley.until_read().await;
    valley.town.klarna.hit_next("payouts", Hit::Refuse(403, "OPERATION_FORBIDDEN"));
    valley.advance_hours(2);
    valley.until_read().await;
    // Signed in anew each time: sessions end with the hours.
    let page = async || valley.page("/dashboard/attention", "unread").await;
    let shown = page().await;
    assert!(shown.contains("Klarna does not let this account read payouts"), "{shown}");
    // Shoppers do not notice, and nothing is asked for six hours.
    valley.town.paid().await;
    valley.advance_hours(5);
    valley.until_read().await;
    assert!(page().await.contains("does not let this account read payouts"));
    valley.advance_hours(2);
    valley.until_read().await;
    assert!(!page().await.contains("does not let this account read payouts"));
    valley.town.end().await;
}

#[tokio::test]
async fn another_store_sees_nothing_of_it() {
    for valley in valleys().await {
        let payment = valley.town.paid().await;
        valley.done(&payment, "captures", &json!({})).await;
        valley.dispute(&payment, json!({})).await;
        valley.close().await;
        valley.advance_hours(2);
        let payouts = valley.until("/v1/payouts", |list| count(list) == 1).await;
        let disputes = valley.until("/v1/disputes", |list| count(list) == 1).await;
        let kind = gateway::domain::access_key::Kind::Secret;
        let key = valley.town.key_of(OTHER_STORE, kind, Scopes::everything(), None).await;
        for (path, list) in [("/v1/payouts", &payouts), ("/v1/disputes", &disputes)] {
            let other = valley.town.with(&key, "GET", path, &Value::Null).await;
            assert_eq!((other.status, count(&other.body)), (200, 0));
            let path = format!("{path}/{}", list["data"][0]["id"].as_str().unwrap());
            let other = valley.town.with(&key, "GET", &path, &Value::Null).await;
            assert_eq!(other.status, 404, "{}", other.text);
        }
        let other = valley.town.with(&key, "GET", "/v1/reports/overview", &Value::Null).await;
        assert_eq!(other.body["currencies"], json!([]));
        valley.town.end().await;
    }
}

/// Folding is the only way from a move to a counter, and a crash before its end leaves all as it was.
#[tokio::test]
async fn figures_are_folded_once_whoever_dies_in_between() {
    let mut locations = vec![Location::Memory];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        locations.push(fresh_postgres(&url).await);
    }
    for location in locations {
        let database =
            Database::open(&location, gateway::store::migrations::MIGRATIONS).await.unwrap();
        let moved = |number: i64| gateway::domain::figures::Move {
            figure: Figure::Captured,
            day: number % 3,
            currency: if number % 2 == 0 { "SEK" } else { "EUR" }.to_owned(),
            by: Sum::once(number),
        };
        database
            .write(move |tx| {
                for number in 1..=100 {
                    figures::add(tx, "one", &format!("m{number}"), &moved(number))?;
                    // The same again is nothing.
                    figures::add(tx, "one", &format!("m{number}"), &moved(number))?;
                    figures::add(tx, "two", &format!("n{number}"), &moved(-number))?;
                }
                Ok::<_, Fault>(())
            })
            .await
            .unwrap();
        let found = async |store: &'static str| {
            let mut found = database.read(move |tx| figures::find(tx, store, 0, 2)).await.unwrap();
            found.within.sort_by_key(|each| (each.currency.clone(), each.day));
            found.ever.sort_by_key(|each| each.currency.clone());
            found
        };
        let (one, two) = (found("one").await, found("two").await);
        assert_eq!(one.ever.iter().map(|each| each.by.minor).sum::<i64>(), 5_050);
        assert_eq!(one.within.len(), 6);
        // Units that fail after they folded.
        for _ in 0..3 {
            let died: Result<(), Fault> = database
                .write_row_locked(|tx| {
                    assert_eq!(figures::fold(tx, 30)?, 30);
                    Err(Fault::LeaseLost)
                })
                .await;
            assert!(died.is_err());
        }
        // Several at once.
        let fold = async || {
            while database.write_row_locked(|tx| figures::fold(tx, 7)).await.unwrap() > 0 {}
        };
        tokio::join!(fold(), fold(), fold());
        assert!(!database.read(figures::has_moves).await.unwrap());
        assert_eq!((found("one").await, found("two").await), (one, two));
        database.close().await;
    }
}

/// Every payment's sums are in the figures, however they came about.
#[tokio::test]
async fn figures_are_what_the_payments_say() {
    for valley in valleys().await {
        let first = valley.town.paid().await;
        valley.done(&first, "captures", &json!({ "amount": 5_000 })).await;
        valley.advance_hours(24);
        valley.done(&first, "captures", &json!({})).await;
        valley.done(&first, "refunds", &json!({ "amount": 700 })).await;
        let second = valley.town.paid().await;
        valley.done(&second, "cancel", &json!({})).await;
        // Somebody captures elsewhere.
        let third = valley.town.paid().await;
        let order = third["klarna_order_id"].as_str().unwrap();
        let body = json!({ "captured_amount": 900 }).to_string();
        valley
            .town
            .klarna
            .capture(order, "0b7a3c58-4f2e-4d4b-9a57-6e2f6f0c2b11", &body)
            .await
            .unwrap();
        let path = format!("/v1/payments/{}", third["id"].as_str().unwrap());
        valley.advance_hours(40 * 24);
        valley.until(&path, |payment| payment["amounts"]["captured"] == 900).await;
        // And a shopper is declined.
        let declined = valley.declined().await;
        let sums: [i64; 4] = valley
            .town
            .gateway
            .database()
            .read(|tx| {
                let row = tx.query_one(
                    "SELECT COUNT(*), CAST(SUM(authorized_minor) AS BIGINT),
                            CAST(SUM(captured_minor) AS BIGINT), CAST(SUM(refunded_minor) AS BIGINT)
                     FROM payments",
                    &[],
                )?;
                Ok::<_, storage::Error>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
            })
            .await
            .unwrap();
        let ever = valley.ever().await;
        assert_eq!(ever.of(Figure::Authorized), Sum { minor: sums[1], times: sums[0] });
        assert_eq!(ever.of(Figure::Captured).minor, sums[2]);
        assert_eq!(ever.of(Figure::Refunded), Sum { minor: sums[3], times: 1 });
        assert_eq!(ever.of(Figure::Declined), Sum::once(declined));
        assert_eq!(ever.approval_rate(), Some(7_500));
        let days = valley.get("/v1/reports/overview?days=60").await;
        let days = days["currencies"][0]["days"].as_array().unwrap();
        let of = |date: &str| days.iter().find(|day| day["date"] == date).unwrap();
        assert_eq!(of("2031-03-01")["captured"]["amount"], 5_000);
        assert_eq!(of("2031-03-02")["refunded"]["amount"], 700);
        valley.town.end().await;
    }
}

impl Valley {
    /// A confirmed checkout that Klarna declines; its amount.
    async fn declined(&self) -> i64 {
        let checkout = self.town.call("POST", "/v1/checkouts", &cart()).await;
        assert_eq!(checkout.status, 201, "{}", checkout.text);
        let token = self.town.authorize(&checkout.body).await;
        self.town.klarna.hit_next("place_order", Hit::Refuse(403, "REJECTED"));
        let path = format!("/v1/checkouts/{}/confirm", checkout.body["id"].as_str().unwrap());
        self.town.call("POST", &path, &json!({ "authorization_token": token })).await;
        let path = format!("/v1/checkouts/{}", checkout.body["id"].as_str().unwrap());
        self.until(&path, |checkout| checkout["status"] == "declined").await;
        checkout.body["order_amount"].as_i64().unwrap()
    }
}

/// The overview teaches while there is nothing, and then shows what there is, with links that lead on.
/// Where `KASSA_TEST_PAGES` names a folder, the pages are left there to be looked at.
#[tokio::test]
async fn pages_show_money_and_disputes() {
    let valley = valley(Location::Memory).await;
    let shown = valley.page("/dashboard/overview", "overview-empty").await;
    assert!(shown.contains("Nothing has been sold yet") && !shown.contains("<svg"), "{shown}");
    assert!(
        valley.page("/dashboard/disputes", "disputes-empty").await.contains("No dispute is open")
    );
    assert!(
        valley
            .page("/dashboard/payouts", "payouts-empty")
            .await
            .contains("Nothing was paid out yet")
    );

    let mut disputed = Value::Null;
    for day in 0..40_i64 {
        for number in 0..=day % 3 {
            let mut cart = cart();
            cart["merchant_reference"] = json!(format!("WEB-{day}-{number}"));
            cart["lines"][0]["quantity"] = json!(1 + (day * 7 + number) % 9);
            cart["lines"][0]["discount"] = json!(0);
            let payment = valley.town.paid_by(&cart, json!({})).await;
            valley.done(&payment, "captures", &json!({})).await;
            if (day + number) % 6 == 0 {
                valley.done(&payment, "refunds", &json!({ "amount": 4_900 })).await;
            }
            if [4, 25, 37].contains(&day) && number == 0 {
                disputed = payment.clone();
                let raised = valley.dispute(&payment, json!({})).await;
                if day == 4 {
                    let id = raised["payment_dispute_id"].as_str().unwrap();
                    let path = format!("/disputes/{id}/decide");
                    valley.control(&path, &json!({ "decision": "expire" })).await;
                }
            }
        }
        if day % 8 == 3 {
            valley.declined().await;
        }
        if day % 7 == 6 {
            valley.close().await;
        }
        valley.advance_hours(24);
    }
    valley.until_read().await;
    valley.until("/v1/disputes?open=true", |list| count(list) == 2).await;
    let shown = valley.page("/dashboard/overview", "overview").await;
    for part in ["Needs you", "Deadline in", "Approval rate", "Money to come", "Open disputes"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(shown.matches("role=\"img\"").count(), 4);
    assert!(!shown.contains("style="), "{shown}");
    valley.page("/dashboard/overview?days=7", "overview-7").await;
    valley.page("/dashboard/overview?days=90&currency=SEK", "overview-90").await;
    valley.page("/dashboard/overview?days=nonsense&currency=%00", "overview-odd").await;
    let id = disputed["id"].as_str().unwrap();
    let list = valley.page("/dashboard/disputes", "disputes").await;
    assert!(list.contains(&format!("/dashboard/payments/{id}")), "{list}");
    assert!(
        valley.page("/dashboard/disputes?show=closed", "disputes-closed").await.contains("Lost")
    );
    let payouts = valley.until("/v1/payouts", |list| count(list) >= 5).await;
    assert!(valley.page("/dashboard/payouts", "payouts").await.contains("/dashboard/payouts/pyt_"));
    let payout = payouts["data"].as_array().unwrap().last().unwrap();
    let path = format!("/dashboard/payouts/{}", payout["id"].as_str().unwrap());
    let shown = valley.page(&path, "payout").await;
    assert!(shown.contains("/dashboard/payments/") && shown.contains("fees with tax"), "{shown}");
    let shown = valley.page(&format!("/dashboard/payments/{id}"), "payment").await;
    assert!(shown.contains("Products or services not received"), "{shown}");
    assert!(shown.contains("/dashboard/payouts/pyt_"), "{shown}");
    valley.town.end().await;
}

impl Valley {
    async fn page(&self, path: &str, name: &str) -> String {
        let cookie = self.town.sign_in().await;
        let url = format!("{}{path}", self.town.gateway.url);
        let reply = self.town.send("GET", url, &[("cookie", &cookie)], String::new()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        if let Ok(folder) = std::env::var("KASSA_TEST_PAGES") {
            std::fs::write(format!("{folder}/{name}.html"), &reply.text).unwrap();
        }
        reply.text
    }
}
