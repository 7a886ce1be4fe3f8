//! A year of subscriptions, on the playground's clock: two time zones, month ends, a leap day, failures,
//! the shopper's help, changes of plan, pauses, lost answers, two nodes that die, and two weeks in which
//! nobody was there. Each due charge is made exactly once: in Klarna's books and in the gateway's.

use crate::year;
use std::collections::{BTreeMap, BTreeSet};

use crate::faulty::Hit;
use crate::year::{Year, charges, plan, text};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};
use storage::Location;

const BEGIN: &str = "2027-12-30T00:00:00Z";
const END: &str = "2029-01-01T00:00:00Z";
const STEP: SignedDuration = SignedDuration::from_hours(12);

/// What people do on which day.
#[derive(Debug, Clone, Copy)]
enum Deed {
    FailNext(&'static str, u32),
    Outage(&'static str),
    Help(&'static str),
    Act(&'static str, &'static str),
    CancelAtPeriodEnd(&'static str),
    Quarterly(&'static str),
    MonthlyNow(&'static str),
    BuyAndSubscribe(&'static str),
    KlarnaCancels(&'static str),
    Hit(Hit),
}

const DEEDS: [(&str, Deed); 21] = [
    ("2028-01-07T12:00:00Z", Deed::BuyAndSubscribe("bought")),
    ("2028-01-30T12:00:00Z", Deed::Hit(Hit::LostAfter)),
    ("2028-02-28T12:00:00Z", Deed::Hit(Hit::CrashAfter)),
    ("2028-03-14T12:00:00Z", Deed::FailNext("failing", 2)),
    ("2028-03-30T12:00:00Z", Deed::Hit(Hit::LostBefore)),
    ("2028-04-10T12:00:00Z", Deed::Act("bought", "pause")),
    ("2028-04-29T12:00:00Z", Deed::Hit(Hit::CrashBefore)),
    ("2028-05-01T12:00:00Z", Deed::Quarterly("changing")),
    ("2028-05-30T12:00:00Z", Deed::Hit(Hit::NotSent)),
    ("2028-06-14T12:00:00Z", Deed::FailNext("failing", 100)),
    ("2028-06-17T12:00:00Z", Deed::Help("failing")),
    ("2028-07-08T12:00:00Z", Deed::Act("bought", "resume")),
    ("2028-07-30T12:00:00Z", Deed::Outage("month end")),
    ("2028-08-20T12:00:00Z", Deed::CancelAtPeriodEnd("leaving")),
    ("2028-09-05T12:00:00Z", Deed::MonthlyNow("changing")),
    ("2028-09-14T12:00:00Z", Deed::FailNext("failing", 100)),
    ("2028-09-29T12:00:00Z", Deed::Hit(Hit::CrashAfter)),
    ("2028-10-01T00:00:00Z", Deed::FailNext("failing", 0)),
    ("2028-10-01T12:00:00Z", Deed::Act("failing", "resume")),
    ("2028-10-10T12:00:00Z", Deed::KlarnaCancels("cancelled")),
    ("2028-12-30T12:00:00Z", Deed::Hit(Hit::LostAfter)),
];

/// Nobody is there.
const AWAY: (&str, &str) = ("2028-11-20T00:00:00Z", "2028-12-04T00:00:00Z");

fn local(zone: &str, times: &[&str]) -> Vec<String> {
    times
        .iter()
        .map(|time| {
            let at: Zoned = format!("{time}[{zone}]").parse().unwrap();
            format!("{:.3}", at.timestamp())
        })
        .collect()
}

/// So many days apart, on the clocks of a zone, until the end.
fn each(first: &str, days: i64) -> Vec<String> {
    let end: Timestamp = END.parse().unwrap();
    let mut at: Zoned = first.parse().unwrap();
    let mut found = Vec::new();
    while at.timestamp() < end {
        found.push(format!("{:.3}", at.timestamp()));
        at = at.checked_add(days.days()).unwrap();
    }
    found
}

/// What must have been paid for, by hand and by the machine's own calendar.
fn expected() -> BTreeMap<&'static str, Vec<String>> {
    BTreeMap::from([
        (
            "month end",
            local(
                "Europe/Stockholm",
                &[
                    "2027-12-31T09:00",
                    "2028-01-31T09:00",
                    "2028-02-29T09:00",
                    "2028-03-31T09:00",
                    "2028-04-30T09:00",
                    "2028-05-31T09:00",
                    "2028-06-30T09:00",
                    "2028-07-31T09:00",
                    "2028-08-31T09:00",
                    "2028-09-30T09:00",
                    "2028-10-31T09:00",
                    "2028-11-30T09:00",
                    "2028-12-31T09:00",
                ],
            ),
        ),
        (
            "late evening",
            local(
                "America/New_York",
                &[
                    "2027-12-30T23:30",
                    "2028-01-30T23:30",
                    "2028-02-29T23:30",
                    "2028-03-30T23:30",
                    "2028-04-30T23:30",
                    "2028-05-30T23:30",
                    "2028-06-30T23:30",
                    "2028-07-30T23:30",
                    "2028-08-30T23:30",
                    "2028-09-30T23:30",
                    "2028-10-30T23:30",
                    "2028-11-30T23:30",
                    "2028-12-30T23:30",
                ],
            ),
        ),
        ("leap day", local("Europe/Stockholm", &["2028-02-29T12:00"])),
        ("mondays", each("2028-01-10T18:00[America/New_York]", 7)),
        ("ten days", each("2028-01-15T08:00[UTC]", 10)),
        (
            "bought",
            local(
                "Europe/Stockholm",
                &[
                    "2028-01-07T13:00",
                    "2028-02-07T13:00",
                    "2028-03-07T13:00",
                    "2028-04-07T13:00",
                    "2028-08-07T13:00",
                    "2028-09-07T13:00",
                    "2028-10-07T13:00",
                    "2028-11-07T13:00",
                    "2028-12-07T13:00",
                ],
            ),
        ),
        (
            "failing",
            local(
                "UTC",
                &[
                    "2028-01-15T10:00",
                    "2028-02-15T10:00",
                    "2028-03-15T10:00",
                    "2028-04-15T10:00",
                    "2028-05-15T10:00",
                    "2028-06-15T10:00",
                    "2028-07-15T10:00",
                    "2028-08-15T10:00",
                    "2028-10-15T10:00",
                    "2028-11-15T10:00",
                    "2028-12-15T10:00",
                ],
            ),
        ),
        (
            "changing",
            local(
                "Europe/Stockholm",
                &[
                    "2028-01-10T09:00",
                    "2028-02-10T09:00",
                    "2028-03-10T09:00",
                    "2028-04-10T09:00",
                    "2028-05-10T09:00",
                    "2028-08-10T09:00",
                    "2028-09-05T14:00",
                    "2028-10-05T14:00",
                    "2028-11-05T14:00",
                    "2028-12-05T14:00",
                ],
            ),
        ),
        (
            "leaving",
            local(
                "UTC",
                &[
                    "2028-01-05T10:00",
                    "2028-02-05T10:00",
                    "2028-03-05T10:00",
                    "2028-04-05T10:00",
                    "2028-05-05T10:00",
                    "2028-06-05T10:00",
                    "2028-07-05T10:00",
                    "2028-08-05T10:00",
                ],
            ),
        ),
        (
            "cancelled",
            local(
                "UTC",
                &[
                    "2028-01-20T10:00",
                    "2028-02-20T10:00",
                    "2028-03-20T10:00",
                    "2028-04-20T10:00",
                    "2028-05-20T10:00",
                    "2028-06-20T10:00",
                    "2028-07-20T10:00",
                    "2028-08-20T10:00",
                    "2028-09-20T10:00",
                ],
            ),
        ),
    ])
}

/// The subscriptions, by name: the id and the token.
type People = BTreeMap<&'static str, (String, String)>;

struct Plans {
    monthly: String,
    quarterly: String,
}

async fn sign_everyone_up(year: &mut Year) -> (People, Plans) {
    let mut plans = BTreeMap::new();
    for (name, wanted) in [
        ("monthly", plan("Kaffe", "month", &json!({}))),
        ("quarterly", plan("Kvartal", "month", &json!({ "interval_count": 3 }))),
        ("yearly", plan("Skottdag", "year", &json!({}))),
        ("weekly", plan("Måndag", "week", &json!({ "anchor_day": 1 }))),
        ("ten days", plan("Tio", "day", &json!({ "interval_count": 10, "trial_days": 14 }))),
    ] {
        plans.insert(name, text(&year.post("/v1/plans", wanted).await, "id"));
    }
    let mut people = People::new();
    for (name, plan, zone, start) in [
        ("month end", "monthly", "Europe/Stockholm", "2027-12-31T09:00:00+01:00"),
        ("late evening", "monthly", "America/New_York", "2027-12-30T23:30:00-05:00"),
        ("leap day", "yearly", "Europe/Stockholm", "2028-02-29T12:00:00+01:00"),
        ("mondays", "weekly", "America/New_York", "2028-01-05T18:00:00-05:00"),
        ("ten days", "ten days", "UTC", "2028-01-01T08:00:00Z"),
        ("failing", "monthly", "UTC", "2028-01-15T10:00:00Z"),
        ("changing", "monthly", "Europe/Stockholm", "2028-01-10T09:00:00+01:00"),
        ("leaving", "monthly", "UTC", "2028-01-05T10:00:00Z"),
        ("cancelled", "monthly", "UTC", "2028-01-20T10:00:00Z"),
    ] {
        let token = year.token(&plans[plan]).await;
        let wanted = json!({
            "plan_id": plans[plan], "customer_token_id": token, "time_zone": zone,
            "start_at": start, "merchant_reference": name.replace(' ', "-"),
        });
        let made = year.post("/v1/subscriptions", wanted).await;
        people.insert(name, (text(&made, "id"), token));
    }
    let plans = Plans { monthly: plans["monthly"].clone(), quarterly: plans["quarterly"].clone() };
    (people, plans)
}

async fn happen(year: &mut Year, people: &mut People, plans: &Plans, deed: Deed) {
    let path = |people: &People, name: &str| format!("/v1/subscriptions/{}", people[name].0);
    match deed {
        Deed::FailNext(name, times) => {
            let change = json!({ "action": "fail_next", "times": times });
            year.be_klarna(&people[name].1, change).await;
        }
        Deed::Outage(name) => {
            let change = json!({
                "action": "fail_next", "times": 1, "error_code": "SERVICE_UNAVAILABLE",
            });
            year.be_klarna(&people[name].1, change).await;
        }
        Deed::Help(name) => {
            let found = year.get(&path(people, name)).await;
            assert_eq!(found["status"], "past_due", "{found}");
            assert_eq!(found["open_charge"]["can_step_up"], true, "{found}");
            let checkout = year.post(&format!("{}/step_up", path(people, name)), json!({})).await;
            year.confirm(&checkout).await;
            assert_eq!(year.get(&path(people, name)).await["status"], "active");
        }
        Deed::Act(name, action) => {
            year.post(&format!("{}/{action}", path(people, name)), json!({})).await;
        }
        Deed::CancelAtPeriodEnd(name) => {
            let body = json!({ "when": "period_end" });
            year.post(&format!("{}/cancel", path(people, name)), body).await;
        }
        Deed::Quarterly(name) => {
            let body = json!({ "plan_id": plans.quarterly, "when": "period_end" });
            year.post(&format!("{}/plan", path(people, name)), body).await;
        }
        Deed::MonthlyNow(name) => {
            let body = json!({ "plan_id": plans.monthly, "when": "now" });
            year.post(&format!("{}/plan", path(people, name)), body).await;
        }
        Deed::BuyAndSubscribe(name) => {
            let checkout = year.checkout("buy_and_tokenize", 14_900, &plans.monthly).await;
            let wanted = json!({
                "plan_id": plans.monthly, "checkout_id": checkout["id"],
                "time_zone": "Europe/Stockholm", "merchant_reference": name,
            });
            let made = year.post("/v1/subscriptions", wanted).await;
            let done = year.confirm(&checkout).await;
            people.insert(name, (text(&made, "id"), text(&done, "customer_token_id")));
        }
        Deed::KlarnaCancels(name) => {
            year.be_klarna(&people[name].1, json!({ "action": "cancel" })).await;
        }
        Deed::Hit(hit) => year.klarna.hit_next("charge", hit),
    }
}

async fn compare(year: &Year, people: &People) {
    let mut orders = BTreeSet::new();
    for (name, expected) in expected() {
        let (id, token) = &people[name];
        let charges = charges(year, id).await;
        let numbers: Vec<i64> = charges.iter().map(|row| row["number"].as_i64().unwrap()).collect();
        let counted: Vec<i64> = (1..=i64::try_from(charges.len()).unwrap()).collect();
        assert_eq!(numbers, counted, "{name}: each number once");
        let paid: Vec<&Value> = charges.iter().filter(|row| row["status"] == "paid").collect();
        let due: Vec<String> = paid.iter().map(|row| text(row, "due_at")).collect();
        assert_eq!(due, expected, "{name}: what was paid for");

        // In Klarna's books: as many charges of the token, each the order of one payment.
        let klarnas = year.klarna_token(token).await;
        let klarnas = format!("playground/v1/customer-tokens/{klarnas}");
        let history = year.klarnas(&klarnas, &Value::Null).await;
        let entries = history["history"].as_array().unwrap();
        let made = |event: &str| -> BTreeSet<String> {
            let of = entries.iter().filter(|entry| entry["event"] == event);
            let member = if event == "charged" { "order_id" } else { "detail" };
            of.map(|entry| text(entry, member)).collect()
        };
        let mut by_token = made("charged");
        let charged = entries.iter().filter(|entry| entry["event"] == "charged").count();
        assert_eq!(by_token.len(), charged, "{name}: each order once");
        for row in &paid {
            let payment = year.get(&format!("/v1/payments/{}", text(row, "payment_id"))).await;
            assert_eq!(payment["status"], "captured", "{name}: {payment}");
            assert_eq!(payment["amounts"]["captured"], row["amount"], "{name}");
            let order = text(&payment, "klarna_order_id");
            assert!(orders.insert(order.clone()), "{name}: an order of two charges");
            // A first payment and the shopper's help are orders of a checkout.
            let by_checkout = payment["checkout_id"].is_string();
            assert_eq!(by_token.remove(&order), !by_checkout, "{name}: {row}");
        }
        assert_eq!(by_token, BTreeSet::new(), "{name}: Klarna has charged what is not recorded");
    }
}

async fn live_through(location: &Location) {
    let mut year = Year::build(location, BEGIN).await;
    let (mut people, plans) = sign_everyone_up(&mut year).await;
    let mut deeds: Vec<(Timestamp, Deed)> =
        DEEDS.iter().map(|(at, deed)| (at.parse().unwrap(), *deed)).collect();
    deeds.reverse();
    let (away, back): (Timestamp, Timestamp) = (AWAY.0.parse().unwrap(), AWAY.1.parse().unwrap());
    let end: Timestamp = END.parse().unwrap();
    let mut now = year.now();
    loop {
        let is_away = away <= now && now < back;
        // What is due comes first, so that a deed finds the books as a person would.
        if !is_away {
            year.settle().await;
        }
        while deeds.last().is_some_and(|(at, _)| *at <= now) {
            let (_, deed) = deeds.pop().unwrap();
            happen(&mut year, &mut people, &plans, deed).await;
            year.settle().await;
        }
        if now >= end {
            break;
        }
        now = now.checked_add(STEP).unwrap().min(end);
        year.move_to(now).await;
    }
    year.settle().await;
    compare(&year, &people).await;

    // How each of them stands.
    let read = async |name: &str| year.get(&format!("/v1/subscriptions/{}", people[name].0)).await;
    for name in
        ["month end", "late evening", "leap day", "mondays", "ten days", "bought", "failing"]
    {
        let found = read(name).await;
        assert_eq!((&found["status"], &found["open_charge"]), (&json!("active"), &Value::Null));
    }
    assert_eq!(read("leap day").await["next_charge_at"], "2029-02-28T11:00:00.000Z");
    assert_eq!(read("month end").await["next_charge_at"], "2029-01-31T08:00:00.000Z");
    assert_eq!(read("leaving").await["ended_because"], "period_ended");
    assert_eq!(read("cancelled").await["ended_because"], "token_cancelled");
    let failing = charges(&year, &people["failing"].0).await;
    let of = |month: &str| {
        let row = failing.iter().find(|row| text(row, "due_at").starts_with(month)).unwrap();
        (text(row, "status"), row["attempts"].as_i64().unwrap())
    };
    assert_eq!(of("2028-03"), ("paid".to_owned(), 3));
    assert_eq!(of("2028-06"), ("paid".to_owned(), 2));
    assert_eq!(of("2028-09"), ("given_up".to_owned(), 5));
    assert_eq!(year.deaths, 3, "each crash was lived through");
    for state in ["queued", "running", "in_doubt", "needs_attention"] {
        let left = year.get(&format!("/v1/operations?state={state}")).await;
        assert_eq!(left["data"], json!([]), "{state}");
    }
    year.end().await;
}

#[tokio::test]
async fn each_due_charge_of_a_year_is_made_exactly_once() {
    live_through(&Location::Memory).await;
}

#[tokio::test]
async fn each_due_charge_of_a_year_is_made_exactly_once_on_postgresql() {
    let Some(location) = year::postgres().await else { return };
    live_through(&location).await;
}
