//! `kassa api` through the built program: any operation, against a playground.

use std::path::Path;

use crate::terminal::{CART, KASSA, Playground, steady, text};
use serde_json::json;
use testing::kassa::run_in;

fn order(playground: &Playground) -> String {
    text(&playground.json(&["trigger", "payment.placed"]), "order_id").to_owned()
}

#[test]
fn a_payment_from_its_session_to_its_refund() {
    let playground = Playground::start();
    std::fs::write(playground.folder.path().join("cart.json"), CART).unwrap();
    let session = playground.json(&[
        "api",
        "payments",
        "create-session",
        "--data",
        "@cart.json",
        "--set",
        "merchant_reference1=\"12\"",
    ]);
    let session_id = text(&session, "session_id");
    let read = playground.json(&["api", "payments", "get-session", session_id]);
    assert_eq!(read["status"], "incomplete");

    let order_id = order(&playground);
    let capture = ["api", "orders", "capture", &order_id, "--set", "captured_amount=4000"];
    let keyed = [&capture[..], &["--idempotency-key", "A-1"]].concat();
    let captured = playground.json(&keyed);
    assert_eq!(captured["status"], 201);
    assert_eq!(captured["idempotency_key"], "A-1");
    // The same key is the same capture.
    assert_eq!(playground.json(&keyed)["capture_id"], captured["capture_id"]);
    let captures = playground.json(&["api", "orders", "captures", &order_id]);
    assert_eq!(captures.as_array().unwrap().len(), 1);
    let capture_id = text(&captured, "capture_id");
    let read = playground.json(&["api", "orders", "get-capture", &order_id, capture_id]);
    assert_eq!(read["captured_amount"], 4_000);

    let refund = ["api", "orders", "refund", &order_id, "--data", "-"];
    let body = r#"{"refunded_amount":1000}"#;
    let ended = playground.run_with(&refund, &[], body);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let read = playground.json(&["api", "orders", "get", &order_id]);
    assert_eq!(read["refunded_amount"], 1_000);
    let path = format!("/ordermanagement/v1/orders/{order_id}");
    assert_eq!(playground.json(&["api", "raw", "get", &path])["order_id"], read["order_id"]);
}

#[test]
fn people_get_tables() {
    let playground = Playground::start();
    let order_id = order(&playground);
    let captured = playground.run(&[
        "api",
        "orders",
        "capture",
        &order_id,
        "--set",
        "captured_amount=4000",
        "--set",
        "reference=S-1",
        "--idempotency-key",
        "A-1",
    ]);
    let capture_id = captured
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("capture_id"))
        .unwrap_or_else(|| panic!("{captured:?}"))
        .trim()
        .to_owned();
    let page = playground.run(&["api", "orders", "get", &order_id]).stdout;
    for needed in ["order_amount", "100.00 SEK", "captures", "CAPTURE_ID", &capture_id, "40.00 SEK"]
    {
        assert!(page.contains(needed), "no {needed} in:\n{page}");
    }
    let page = playground.run(&["api", "orders", "captures", &order_id]).stdout;
    assert!(page.contains("CAPTURED_AMOUNT") && page.contains("S-1"), "{page}");
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let playground = Playground::start();
    let event = playground.refused(
        &["api", "payments", "create-session", "--data", CART, "--set", "order_amount=9999"],
        1,
    );
    assert_eq!(event["status"], 400);
    assert_eq!(event["code"], "BAD_VALUE");
    assert!(!text(&event, "correlation_id").is_empty());
    // The playground's own log knows more than Klarna tells.
    assert!(text(&event, "explanation").contains("order_amount"), "{event}");
    let order_id = order(&playground);
    let too_much = ["api", "orders", "capture", &order_id, "--set", "captured_amount=10001"];
    let event = playground.refused(&too_much, 1);
    assert_eq!(event["code"], "CAPTURE_NOT_ALLOWED");
    assert!(text(&event, "remedy").contains("kassa api orders get"), "{event}");
    let ended = playground.run(&too_much);
    assert_eq!(ended.stdout, "");
    for needed in ["error: ", "403 CAPTURE_NOT_ALLOWED", "correlation id: ", "try: "] {
        assert!(ended.stderr.contains(needed), "no {needed} in:\n{}", ended.stderr);
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(playground.refused(&["api", "orders", "get", unknown], 1)["status"], 404);
}

#[test]
fn wrong_usage_is_status_2_and_sends_nothing() {
    let playground = Playground::start();
    for (flags, needed) in [
        (&["api", "payments", "create-session"][..], "needs a body"),
        (&["api", "payments", "create-session", "--data", "{"], "is not JSON"),
        (&["api", "payments", "create-session", "--data", "@no.json"], "cannot read no.json"),
        (&["api", "orders", "capture", "o", "--set", "x"], "no `=`"),
        (&["api", "orders", "get", ""], "cannot be empty"),
        (&["api", "orders", "cancel", "o", "--live"], "--region"),
        (&["api", "raw", "GET", "payments"], "begins with a slash"),
        (&["api", "raw", "BREW", "/payments"], "not a method"),
        (&["api", "disputes", "attach", "d", "no.pdf"], "cannot read no.pdf"),
    ] {
        let event = playground.refused(flags, 2);
        let said = format!("{event}");
        assert!(said.contains(needed), "{flags:?}: {said}");
    }
    // What the command line itself refuses names what is near.
    for (flags, needed) in [
        (&["api", "orders", "captur", "o"][..], "'capture'"),
        (&["api", "order", "get", "o"], "'orders'"),
        (&["trigger", "payment.capture"], "'payment.captured'"),
        (&["api", "orders", "get"], "<order_id>"),
        (&["faults", "add", "--drop", "--operation", "orders.captur"], "'orders.capture'"),
    ] {
        let ended = playground.run(flags);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(needed), "{flags:?}: {}", ended.stderr);
        // Programs are told, too.
        let event = playground.refused(flags, 2);
        assert!(text(&event, "explanation").contains(needed), "{flags:?}: {event}");
    }
    let log = playground.run(&["logs"]);
    assert_eq!(log.stdout, "Nothing yet.\n");
}

#[test]
fn a_dry_run_shows_the_request_with_its_secrets_masked() {
    let playground = Playground::start();
    let flags = [
        "api",
        "payments",
        "create-customer-token",
        "secret-token",
        "--data",
        r#"{"purchase_country":"SE","customer":{"national_identification_number":"4103219202"}}"#,
        "--dry-run",
    ];
    let ended = playground.run(&flags);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    insta::assert_snapshot!(steady(&ended.stdout, &[(&playground.url, "{playground}")]));
    let shown = playground.json(&flags);
    assert_eq!(shown["method"], "POST");
    for secret in ["secret-token", "4103219202"] {
        assert!(!ended.stdout.contains(secret) && !shown.to_string().contains(secret));
    }
    // Where it would go live nothing is asked, since nothing is sent.
    let live = ["api", "orders", "cancel", "o-1", "--live", "--region", "na", "--dry-run"];
    assert_eq!(
        playground.json(&live)["url"],
        "https://api-na.klarna.com/ordermanagement/v1/orders/o-1/cancel"
    );
    assert_eq!(playground.run(&["logs"]).stdout, "Nothing yet.\n");
}

#[test]
fn nothing_is_changed_live_unless_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = |settings: &[(&str, &str)], input: &str| {
        let flags = ["api", "orders", "cancel", "o-1", "--live", "--region", "eu"];
        run_in(KASSA, folder.path(), &flags, settings, input)
    };
    let ended = run(&[], "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("KASSA_KLARNA_USERNAME"), "{ended:?}");
    let ended = run(&[("KASSA_KLARNA_API_KEY", "klarna_test_api_1")], "");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("a test key"), "{ended:?}");
    // A pipe is nobody, whatever it says.
    let ended = run(&[("KASSA_KLARNA_API_KEY", "klarna_live_api_1")], "api.klarna.com\n");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    assert!(!ended.stderr.contains("klarna_live_api_1"), "{ended:?}");
}

#[test]
fn credentials_come_from_the_environment_a_protected_file_or_the_data_directory() {
    let playground = Playground::start_with(&["--merchant", "K7=user7:password7"]);
    let payouts = ["api", "settlements", "payouts"];
    // The data directory knows whom the playground was started with.
    playground.json(&payouts);
    let wrong = [("KASSA_KLARNA_USERNAME", "user7"), ("KASSA_KLARNA_PASSWORD", "password8")];
    let ended = playground.run_with(&payouts, &wrong, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("KASSA_KLARNA_USERNAME"), "{ended:?}");
    for settings in [
        &[("KASSA_KLARNA_USERNAME", "user7"), ("KASSA_KLARNA_PASSWORD", "password7")][..],
        &[("KASSA_KLARNA_API_KEY", "password7")],
        &[("KASSA_MERCHANT", "K7=user7:password7")],
    ] {
        let ended = playground.run_with(&payouts, settings, "");
        assert_eq!(ended.code, Some(0), "{settings:?}: {ended:?}");
    }
    let path = playground.folder.path().join("klarna.toml");
    std::fs::write(&path, "username = 'user7'\npassword = 'password7'\n").unwrap();
    let named = [&payouts[..], &["--credentials", "klarna.toml"]].concat();
    permit(&path, 0o644);
    let event = playground.refused(&named, 2);
    assert_eq!(event["remedy"], "chmod 600 klarna.toml");
    permit(&path, 0o600);
    assert_eq!(playground.json(&named)["payouts"].as_array().unwrap().len(), 0);
    // Somewhere else, there are none.
    let elsewhere = [&payouts[..], &["--data-dir", "elsewhere"]].concat();
    let event = playground.refused(&elsewhere, 2);
    assert!(text(&event, "remedy").contains("--data-dir"), "{event}");
    assert!(!playground.folder.path().join("elsewhere").exists());
}

#[cfg(unix)]
fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn reports_are_written_when_they_are_whole() {
    let playground = Playground::start();
    let paid = playground.json(&["trigger", "settlement.paid"]);
    let reference = text(&paid, "payment_reference");
    let flags = ["api", "settlements", "csv", reference];
    let to_file = [&flags[..], &["--output", "payout.csv"]].concat();
    let written = playground.json(&to_file);
    let file = std::fs::read_to_string(playground.folder.path().join("payout.csv")).unwrap();
    assert_eq!(written["bytes"], file.len());
    assert!(file.contains(reference), "{file}");
    assert_eq!(playground.run(&flags).stdout, file.replace("\r\n", "\n"));
    let transactions =
        playground.json(&["api", "settlements", "transactions", "--payment-reference", reference]);
    assert!(!transactions["transactions"].as_array().unwrap().is_empty());
    // Without a file JSON has no place for it; one that is not there leaves none behind.
    playground.refused(&flags, 2);
    let unknown = ["api", "settlements", "pdf", "NOSUCH", "--output", "none.pdf"];
    assert_eq!(playground.refused(&unknown, 1)["status"], 404);
    assert!(!playground.folder.path().join("none.pdf").exists());
}

#[test]
fn no_playground_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (address, listener) = testing::kassa::taken_address();
    drop(listener);
    let url = format!("http://{address}");
    let settings =
        [("KASSA_PLAYGROUND_URL", url.as_str()), ("KASSA_KLARNA_API_KEY", "klarna_test_api_1")];
    for flags in [
        &["clock"][..],
        &["faults"],
        &["logs", "--follow"],
        &["trigger", "payment.placed"],
        &["api", "settlements", "payouts"],
    ] {
        let ended = run_in(KASSA, folder.path(), flags, &settings, "");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("kassa playground"), "{flags:?}: {}", ended.stderr);
    }
}

/// The playground knows each operation by name; the command line has each of them.
#[test]
fn nothing_that_the_playground_gives_is_missing() {
    let playground = Playground::start();
    let wrong = r#"{"match":{"operation":"no.such"},"effect":{"type":"drop"}}"#;
    let event = playground.refused(&["faults", "add", "--data", wrong], 2);
    let message = text(&event, "message");
    let (_, names) = message.split_once("the operations are ").unwrap();
    let given: Vec<&str> = names.split(", ").collect();
    assert!(given.len() > 50, "{message}");
    for name in given {
        let flags = ["faults", "add", "--drop", "--operation", name, "--times", "1"];
        let fault = playground.json(&flags);
        playground.json(&["faults", "remove", text(&fault, "id")]);
    }
}

#[test]
fn every_operation_reaches_a_route() {
    let playground = Playground::start();
    std::fs::write(playground.folder.path().join("proof.pdf"), b"%PDF-1.4\n%%EOF\n").unwrap();
    let help = playground.run(&["api", "--help"]).stdout;
    let mut seen = 0;
    for area in help.lines().filter_map(|line| command_of(line)) {
        if ["raw", "help"].contains(&area) {
            continue;
        }
        let help = playground.run(&["api", area, "--help"]).stdout;
        for command in help.lines().filter_map(|line| command_of(line)) {
            if command == "help" {
                continue;
            }
            seen += 1;
            let help = playground.run(&["api", area, command, "--help"]).stdout;
            let usage = help.lines().find(|line| line.starts_with("Usage:")).unwrap();
            let mut flags = vec!["api", area, command];
            for word in usage.split_whitespace() {
                match word {
                    "<FILE>" => flags.push("proof.pdf"),
                    "--start" | "--end" => flags.extend([word, "2026-04-01"]),
                    "<start_date>" | "<end_date>" => {}
                    _ if word.starts_with('<') => {
                        flags.push("00000000-0000-4000-8000-000000000000");
                    }
                    _ => {}
                }
            }
            if help.contains("--data <JSON>") {
                flags.extend(["--data", "{}"]);
            }
            if help.contains("--output") {
                flags.extend(["--output", "answer"]);
            }
            let flags = [&flags[..], &["--json"]].concat();
            let ended = playground.run(&flags);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert_ne!(ended.code, Some(2), "{flags:?}: {said}");
            for word in ["no such route", "unknown route", "METHOD_NOT_ALLOWED"] {
                assert!(!said.contains(word), "{flags:?}: {said}");
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

fn command_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("  ")?;
    let word = rest.split_whitespace().next()?;
    let is_name = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (!rest.starts_with([' ', '-']) && is_name && rest.contains("  ")).then_some(word)
}

#[test]
fn the_shopper_is_played_from_the_terminal() {
    let playground = Playground::start();
    let session = playground.json(&["api", "payments", "create-session", "--data", CART]);
    let id = text(&session, "session_id");
    let denied = ["shopper", "authorize", id, "--email", "customer+denied@email.se"];
    let denied = playground.json(&denied);
    assert_eq!((&denied["approved"], &denied["show_form"]), (&json!(false), &json!(false)));

    let session = playground.json(&["api", "payments", "create-session", "--data", CART]);
    let (id, token) = (text(&session, "session_id"), text(&session, "client_token"));
    let email = ["--email", "customer@email.se"];
    let held = [
        &["shopper", "authorize", token, "--method", "direct_bank_transfer", "--hold"],
        &email[..],
    ];
    let held = playground.json(&held.concat());
    assert_eq!(held["finalize_required"], true, "{held}");
    let ended = playground.json(&[&["shopper", "finalize", id], &email[..]].concat());
    assert!(ended["authorization_token"].is_string(), "{ended}");

    let nobody = ["shopper", "hosted", "open", "0b1d9815-165e-42e2-8867-35bc03789e00"];
    assert_eq!(playground.refused(&nobody, 1)["status"], 404);
    let page = playground.run(&["shopper", "authorize", "no-such-session"]);
    assert_eq!(page.code, Some(1), "{page:?}");
}
