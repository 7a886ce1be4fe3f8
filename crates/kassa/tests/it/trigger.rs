//! `kassa trigger` through the built program: every scenario, and what it leaves behind.

use std::collections::BTreeSet;

use crate::terminal::{Playground, steady, text};
use serde_json::Value;

/// Lets it happen, and compares some of what it made.
#[track_caller]
fn check(playground: &Playground, scenario: &str, expected: &[(&str, Value)]) -> Value {
    let made = playground.json(&["trigger", scenario]);
    assert_eq!(made["scenario"], scenario);
    for (name, value) in expected {
        assert_eq!(&made[*name], value, "{name} of {made}");
    }
    made
}

#[test]
fn payments() {
    let playground = Playground::start();
    let it = |scenario, expected: &[(&str, Value)]| check(&playground, scenario, expected);
    assert!(it("payment.authorized", &[])["authorization_token"].is_string());
    it("payment.declined", &[("approved", false.into())]);
    it("payment.placed", &[("fraud_status", "ACCEPTED".into())]);
    let status = |text: &str| ("status", Value::from(text));
    it("payment.captured", &[status("CAPTURED"), ("captured_amount", 10_000.into())]);
    it("payment.part_captured", &[status("PART_CAPTURED"), ("captured_amount", 5_000.into())]);
    it("payment.refunded", &[status("CAPTURED"), ("refunded_amount", 10_000.into())]);
    it("payment.part_refunded", &[("refunded_amount", 5_000.into())]);
    it("payment.cancelled", &[status("CANCELLED")]);
    it("payment.released", &[status("CAPTURED"), ("captured_amount", 5_000.into())]);
    it("payment.pending", &[("fraud_status", "PENDING".into())]);
    let moved = ("clock_advanced", Value::from("PT2S"));
    it("payment.pending_accepted", &[("fraud_status", "ACCEPTED".into()), moved.clone()]);
    it("payment.pending_rejected", &[("fraud_status", "REJECTED".into()), moved]);
}

#[test]
fn tokens() {
    let playground = Playground::start();
    let it = |scenario, expected: &[(&str, Value)]| check(&playground, scenario, expected);
    it("token.created", &[]);
    assert!(it("token.charged", &[])["order_id"].is_string());
    it("token.refused", &[("error_code", "PAYMENT_METHOD_FAILED".into())]);
    it("token.suspended", &[("status", "SUSPENDED".into())]);
    it("token.cancelled", &[("status", "CANCELLED".into())]);
}

#[test]
fn hosted_pages_and_stores() {
    let playground = Playground::start();
    let it =
        |scenario, status: &str| check(&playground, scenario, &[("status", Value::from(status))]);
    assert!(it("hosted.completed", "COMPLETED")["order_id"].is_string());
    it("hosted.failed", "FAILED");
    it("hosted.cancelled", "CANCELLED");
    it("hosted.back", "BACK");
    it("hosted.disabled", "DISABLED");
    assert!(it("in_store.completed", "COMPLETED")["order_id"].is_string());
    it("in_store.cancelled", "CANCELED");
    it("in_store.failed", "FAILED");
}

#[test]
fn settlements() {
    let playground = Playground::start();
    let paid = check(&playground, "settlement.paid", &[]);
    let payout =
        playground.json(&["api", "settlements", "payout", text(&paid, "payment_reference")]);
    assert_eq!(payout["totals"]["settlement_amount"], paid["settlement_amount"]);
}

#[test]
fn disputes() {
    let playground = Playground::start();
    let it = |scenario, state: &str| check(&playground, scenario, &[("state", Value::from(state))]);
    it("dispute.opened", "INITIATED");
    it("dispute.represented", "REPRESENTMENT");
    it("dispute.accepted", "CLOSED");
    assert_eq!(it("dispute.won", "CLOSED")["dispute_outcome"], "WON");
    assert_eq!(it("dispute.lost", "CLOSED")["dispute_outcome"], "LOST");
    it("dispute.appealed", "ARBITRATION");
    assert_eq!(it("dispute.expired", "CLOSED")["dispute_outcome"], "LOST");
}

/// The list that people choose from is what is tried above.
#[test]
fn every_scenario_is_listed_and_tried() {
    let playground = Playground::start();
    let list = playground.json(&["trigger", "--list"]);
    let listed: BTreeSet<&str> =
        list["scenarios"].as_array().unwrap().iter().map(|one| text(one, "scenario")).collect();
    let source = include_str!("trigger.rs");
    for scenario in &listed {
        assert!(source.contains(&format!("\"{scenario}\"")), "{scenario} is not tried");
    }
    assert!(listed.len() > 30, "{listed:?}");
    insta::assert_snapshot!(playground.run(&["trigger", "--list"]).stdout);
}

#[test]
fn people_are_told_what_was_made_and_where_to_look() {
    let playground = Playground::start();
    let page = playground.run(&["trigger", "payment.captured", "--amount", "14900"]).stdout;
    let value = |name: &str| {
        let line = page.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in:\n{page}")).split_whitespace().last().unwrap()
    };
    let known = [
        (value("session_id"), "{session}"),
        (value("order_id"), "{order}"),
        (value("capture_id"), "{capture}"),
    ];
    insta::assert_snapshot!(steady(&page, &known));
}

#[test]
fn what_cannot_be_is_refused_with_what_could() {
    let playground = Playground::start();
    let event = playground.refused(&["trigger", "payment.placed", "--country", "LU"], 2);
    assert!(text(&event, "remedy").contains("SE"), "{event}");
    let pending = ["trigger", "payment.pending", "--country", "SE"];
    assert!(text(&playground.refused(&pending, 2), "remedy").contains("US"));
    // What was made before it failed is told, too.
    let denied = ["trigger", "payment.captured", "--email", "customer+denied@email.se"];
    let event = playground.refused(&denied, 1);
    assert!(event["made"]["session_id"].is_string(), "{event}");
}
