//! `kassa logs`, `kassa clock` and `kassa faults` through the built program.

use crate::terminal::{CART, KASSA, Playground, text};
use serde_json::Value;
use testing::kassa::run_in;

fn send(playground: &Playground, number: usize) {
    let reference = format!("merchant_reference1=\"N-{number}\"");
    playground.json(&["api", "payments", "create-session", "--data", CART, "--set", &reference]);
}

fn number(entry: &Value) -> usize {
    let reference = entry["request_body"]["merchant_reference1"].as_str();
    let reference = reference.unwrap_or_else(|| panic!("no reference in {entry}"));
    reference.trim_start_matches("N-").parse().unwrap()
}

#[test]
fn whoever_follows_sees_each_call_once_and_in_order_over_a_restart() {
    let mut playground = Playground::start();
    send(&playground, 0);
    send(&playground, 1);
    let mut log = playground.follow(&["logs", "--follow", "--path", "/payments/v1/sessions"]);
    let mut seen = Vec::new();
    let mut next = |log: &mut testing::kassa::Process| {
        let entry = log.event();
        if entry.get("event").is_some() {
            return entry;
        }
        seen.push(number(&entry));
        entry
    };
    // What there was, and what comes.
    next(&mut log);
    next(&mut log);
    for n in 2..6 {
        send(&playground, n);
    }
    for _ in 2..6 {
        next(&mut log);
    }
    playground.process.terminate();
    assert_eq!(next(&mut log)["event"], "away");
    playground.restart();
    for n in 6..9 {
        send(&playground, n);
    }
    for _ in 6..9 {
        next(&mut log);
    }
    assert_eq!(seen, (0..9).collect::<Vec<_>>());
    assert!(log.terminate().success());
}

#[test]
fn the_log_is_filtered_and_explains() {
    let playground = Playground::start_with(&["--merchant", "K1=u1:p1", "--merchant", "K2=u2:p2"]);
    for (user, password) in [("u1", "p1"), ("u2", "p2")] {
        let settings = [("KASSA_KLARNA_USERNAME", user), ("KASSA_KLARNA_PASSWORD", password)];
        let wrong = ["api", "payments", "create-session", "--data", "{}"];
        assert_eq!(playground.run_with(&wrong, &settings, "").code, Some(1));
    }
    let lines = |flags: &[&str]| {
        let said = playground.run(&[&["logs"], flags].concat()).stdout;
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = lines(&[]);
    assert!(
        all.iter().any(|line| line.contains("is required") || line.contains("missing")),
        "{all:?}"
    );
    let of = |flags: &[&str]| lines(flags).iter().filter(|line| line.contains("->")).count();
    assert_eq!(of(&[]), 2);
    assert_eq!(of(&["--merchant", "K2"]), 1);
    assert_eq!(of(&["-n", "1"]), 1);
    assert_eq!(of(&["--status", "400"]), 2);
    assert_eq!(of(&["--status", "200"]), 0);
    assert!(lines(&["--bodies"]).iter().any(|line| line.contains("BAD_VALUE")));
}

#[test]
fn the_clock_is_read_and_moved_forward_only() {
    let playground = Playground::start();
    assert_eq!(playground.json(&["clock"])["offset_ms"], 0);
    let moved = playground.json(&["clock", "advance", "P1DT2H"])["offset_ms"].as_i64().unwrap();
    // Reading and moving it are two looks at real time.
    assert!((93_600_000 - moved).abs() < 500, "{moved}");
    let page = playground.run(&["clock", "show"]).stdout;
    assert!(page.contains("1 d 2 h ahead of real time"), "{page}");
    let set = playground.json(&["clock", "set", "2126-01-01T00:00:00Z"]);
    assert!(text(&set, "now").starts_with("2126-01-01T00:00:0"), "{set}");
    let back = playground.refused(&["clock", "set", "2020-01-01T00:00:00Z"], 2);
    assert!(text(&back, "message").contains("does not go back"), "{back}");
    playground.refused(&["clock", "advance", "tomorrow"], 2);
}

#[test]
fn faults_are_armed_listed_hit_and_taken_away() {
    let playground = Playground::start();
    let session = ["api", "payments", "create-session", "--data", CART];
    let armed = playground.json(&[
        "faults",
        "add",
        "--error",
        "403",
        "--operation",
        "payments.create_session",
        "--times",
        "1",
    ]);
    let refused = playground.refused(&session, 1);
    assert_eq!(refused["status"], 403);
    playground.json(&session);
    let page = playground.run(&["faults"]).stdout;
    for needed in [text(&armed, "id"), "error, status 403", "payments.create_session", "1 of 1"] {
        assert!(page.contains(needed), "no {needed} in:\n{page}");
    }
    assert!(playground.run(&["logs"]).stdout.contains("fault: "));
    playground.json(&["faults", "remove", text(&armed, "id")]);
    for flags in [
        &["--drop", "--after", "--per-mille", "100", "--seed", "7", "--skip", "2"][..],
        &["--latency", "1", "--method", "GET", "--path", "/payments/*"],
        &["--truncate"],
        &["--slow-body", "1000"],
        &["--duplicate", "--callback", "authorization"],
        &["--reorder"],
        &["--lose", "--merchant", "K123456"],
        &["--delay", "1000"],
    ] {
        playground.json(&[&["faults", "add"], flags].concat());
    }
    assert_eq!(playground.json(&["faults"])["faults"].as_array().unwrap().len(), 8);
    playground.json(&["faults", "clear"]);
    assert_eq!(playground.run(&["faults"]).stdout, "No fault is in force.\n");
    // What cannot be is told by the playground, or by the command line.
    playground.refused(&["faults", "add", "--error", "42"], 2);
    playground.refused(&["faults", "add", "--truncate", "--after"], 2);
    playground.refused(&["faults", "remove", "../clock"], 2);
    playground.refused(&["faults", "remove", "fault-0"], 1);
    assert_eq!(playground.run(&["faults", "add"]).code, Some(2));
}

#[test]
fn a_playground_that_asks_for_a_token_gets_it_from_the_environment_or_a_file() {
    let playground = Playground::start_with(&["--control-token", "open-sesame"]);
    let event = playground.refused(&["clock"], 1);
    assert!(text(&event, "remedy").contains("KASSA_CONTROL_TOKEN"), "{event}");
    let settings = [("KASSA_CONTROL_TOKEN", "open-sesame")];
    assert_eq!(playground.run_with(&["clock"], &settings, "").code, Some(0));
    let path = playground.folder.path().join("token");
    std::fs::write(&path, "open-sesame\n").unwrap();
    let flags = ["clock", "--control-token-file", "token"];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        playground.refused(&flags, 2);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    playground.json(&flags);
    // kassa.toml says it, too, and where the playground is.
    let port = playground.url.rsplit(':').next().unwrap();
    let toml =
        format!("[playground]\nlisten = '127.0.0.1:{port}'\ncontrol-token = 'open-sesame'\n");
    std::fs::write(playground.folder.path().join("kassa.toml"), toml).unwrap();
    let ended = run_in(KASSA, playground.folder.path(), &["clock"], &[], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
