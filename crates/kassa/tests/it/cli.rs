//! The command line from outside: what it prints, how it ends, what it leaves behind.

use std::path::Path;

use serde_json::{Value, json};
use testing::http::{As, Http};
use testing::kassa::{Ended, Kassa, Process, run, taken_address};

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

#[test]
fn help_names_every_command_and_version_the_version() {
    for flags in [&["--help"][..], &["-h"], &["help"]] {
        let Ended { code, stdout, stderr } = run(KASSA, flags);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{flags:?}");
        for command in ["up", "playground", "gateway", "shop", "--json"] {
            assert!(stdout.contains(command), "{flags:?} does not name {command}:\n{stdout}");
        }
    }
    for (command, flags) in [
        ("up", &["--data-dir", "--ephemeral", "--merchant", "--rate-limits"][..]),
        ("up", &["--callback-targets"]),
        ("playground", &["--listen", "--public-url", "--data-dir", "--merchant", "--rate-limits"]),
        ("playground", &["--sftp-listen", "--tls-listen", "--intercept", "--ca-dir"]),
        (
            "gateway",
            &["--listen", "--database", "--klarna-url", "--klarna-username", "--klarna-password"],
        ),
        ("shop", &["--listen", "--public-url"]),
    ] {
        let Ended { code, stdout, .. } = run(KASSA, &[command, "--help"]);
        assert_eq!(code, Some(0), "{command}");
        for flag in flags {
            assert!(stdout.contains(flag), "{command} --help does not name {flag}:\n{stdout}");
        }
    }
    let Ended { code, stdout, .. } = run(KASSA, &["--version"]);
    assert_eq!(code, Some(0));
    assert_eq!(stdout.trim(), concat!("kassa ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_status_2_and_says_what_is_wrong() {
    for (flags, named) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["no-such-command"], "no-such-command"),
        (&["--ephemeral", "--data-dir", "here"], "--data-dir"),
        (&["playground", "--listen", "nowhere"], "nowhere"),
        (&["--rate-limits", "sometimes"], "sometimes"),
        (&["--callback-targets", "metadata"], "metadata"),
        (&["gateway", "--klarna-url", "::"], "--klarna-url"),
    ] {
        let Ended { code, stdout, stderr } = run(KASSA, flags);
        assert_eq!(code, Some(2), "{flags:?}: {stderr}");
        assert!(stderr.contains(named), "{flags:?}: {stderr}");
        assert_eq!(stdout, "", "{flags:?}");
    }
}

#[test]
fn a_port_in_use_is_status_1_and_says_what_to_do() {
    let (address, _taken) = taken_address();
    let address = address.to_string();
    for (part, flag) in [
        (&["up", "--ephemeral", "--playground-listen"][..], "--playground-listen"),
        (
            &["up", "--ephemeral", "--playground-listen", "127.0.0.1:0", "--gateway-listen"],
            "--gateway-listen",
        ),
        (
            &[
                "up",
                "--ephemeral",
                "--playground-listen",
                "127.0.0.1:0",
                "--gateway-listen",
                "127.0.0.1:0",
                "--shop-listen",
            ],
            "--shop-listen",
        ),
        (&["playground", "--ephemeral", "--listen"], "--listen"),
        (
            &["playground", "--ephemeral", "--listen", "127.0.0.1:0", "--sftp-listen"],
            "--sftp-listen",
        ),
        (&["playground", "--ephemeral", "--listen", "127.0.0.1:0", "--tls-listen"], "--tls-listen"),
        (
            &["playground", "--ephemeral", "--listen", "127.0.0.1:0", "--intercept-listen"],
            "--intercept-listen",
        ),
        (&["gateway", "--ephemeral", "--listen"], "--listen"),
        (&["shop", "--listen"], "--listen"),
    ] {
        for json in [false, true] {
            let mut flags = part.to_vec();
            flags.push(&address);
            if json {
                flags.push("--json");
            }
            let Ended { code, stdout, stderr } = run(KASSA, &flags);
            assert_eq!(code, Some(1), "{flags:?}: {stderr}");
            assert!(stderr.contains(&address), "{flags:?} does not say where: {stderr}");
            assert!(stderr.contains(flag), "{flags:?} does not say what to do: {stderr}");
            assert!(!stderr.contains("panicked"), "{stderr}");
            if json {
                let event: Value = serde_json::from_str(stdout.trim()).unwrap();
                assert_eq!(event["event"], "error", "{stdout}");
            } else {
                assert_eq!(stdout, "", "{flags:?}");
            }
        }
    }
}

#[test]
fn a_stop_by_signal_is_clean() {
    for signal in ["TERM", "INT"] {
        let mut kassa = Kassa::start_with(KASSA, &["--ephemeral"]);
        kassa.process().signal(signal);
        assert_eq!(kassa.process().event(), json!({ "event": "stopping" }), "{signal}");
        assert_eq!(kassa.process().event(), json!({ "event": "stopped" }), "{signal}");
        assert_eq!(kassa.process().wait().code(), Some(0), "{signal}");
        assert_eq!(kassa.process().stderr(), "", "{signal}");
    }
}

#[tokio::test]
async fn the_first_line_has_every_url_and_credential() {
    let kassa = Kassa::start_with(KASSA, &["--ephemeral"]);
    let ready = kassa.ready().clone();
    let http = Http::new();
    assert_eq!(ready.event["version"], env!("CARGO_PKG_VERSION"));
    for url in [&ready.playground_url, &ready.gateway_url, &ready.shop_url] {
        assert!(url.starts_with("http://localhost:"), "{url}");
        assert_eq!(http.status(&format!("{url}/healthz")).await.unwrap(), 200, "{url}");
        assert_eq!(http.status(&format!("{url}/readyz")).await.unwrap(), 200, "{url}");
    }
    assert_eq!(http.status(&ready.shop_url).await.unwrap(), 200);
    // Each credential opens what it is for, and nothing opens without.
    let klarna = format!(
        "{}/ordermanagement/v1/orders/01234567-89ab-4cde-8f01-23456789abcd",
        ready.playground_url
    );
    let payments = format!("{}/v1/payments", ready.gateway_url);
    for (url, caller, expected) in [
        (&klarna, kassa.merchant(), 404),
        (&klarna, As::Basic(&ready.klarna_username, "wrong"), 401),
        (&klarna, As::Anyone, 401),
        (&payments, kassa.key(), 200),
        (&payments, As::Bearer("kassa_sk_wrong"), 401),
        (&payments, As::Anyone, 401),
    ] {
        let answer = http.send(::http::Method::GET, url, caller, None).await.unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{url} {caller:?}");
    }
}

#[tokio::test]
async fn each_part_runs_alone() {
    let http = Http::new();
    for (part, flags) in
        [("playground", &["--ephemeral"][..]), ("gateway", &["--ephemeral"]), ("shop", &[])]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut command = vec![part, "--json", "--listen", "127.0.0.1:0"];
        command.extend(flags);
        let mut process = Process::start(Path::new(KASSA), folder.path(), &command);
        let ready = process.event();
        assert_eq!(ready["event"], "ready", "{part}");
        let urls = ready["urls"].as_object().unwrap();
        let expected = if part == "gateway" { 2 } else { 1 };
        assert_eq!(urls.len(), expected, "{part} serves only itself: {ready}");
        let url = urls[part].as_str().unwrap().trim_end_matches('/').to_owned();
        assert_eq!(http.status(&format!("{url}/healthz")).await.unwrap(), 200, "{part}");
        assert_eq!(http.status(&format!("{url}/readyz")).await.unwrap(), 200, "{part}");
        assert_eq!(process.terminate().code(), Some(0), "{part}");
    }
}

#[tokio::test]
async fn ephemeral_leaves_no_file() {
    let mut kassa = Kassa::start_with(KASSA, &["--ephemeral"]);
    open_checkout(&kassa, &Http::new()).await;
    assert_eq!(kassa.terminate().code(), Some(0));
    let left: Vec<_> = std::fs::read_dir(kassa.folder()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn data_and_credentials_survive_a_restart() {
    let http = Http::new();
    let mut kassa = Kassa::start(KASSA);
    let before = kassa.ready().clone();
    let opened = open_checkout(&kassa, &http).await;
    assert_eq!(kassa.terminate().code(), Some(0));
    kassa.restart();
    // The old connections died with the old process.
    let http = Http::new();
    assert_eq!(kassa.ready().event, before.event);
    assert_eq!(read_checkout(&kassa, &http, &opened).await, opened);
    // Without a goodbye, nothing that was answered is lost either.
    let second = open_checkout(&kassa, &http).await;
    kassa.kill();
    kassa.restart();
    let http = Http::new();
    assert_eq!(kassa.ready().event, before.event);
    for checkout in [&opened, &second] {
        assert_eq!(read_checkout(&kassa, &http, checkout).await, *checkout);
    }
}

#[test]
fn secrets_on_disk_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut kassa = Kassa::start(KASSA);
    let data = kassa.folder().join("data");
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o077, 0);
    assert_eq!(kassa.terminate().code(), Some(0));
}

async fn open_checkout(kassa: &Kassa, http: &Http) -> Value {
    let body = json!({
        "merchant_reference": "CLI-1", "country": "SE", "locale": "sv-SE",
        "prices": "including_tax",
        "lines": [{
            "type": "physical", "reference": "mug", "name": "Mugg", "quantity": 1,
            "unit_price": 24_900, "tax_rate": 2500,
        }],
    });
    let url = format!("{}/v1/checkouts", kassa.ready().gateway_url);
    let mut opened = http.post(&url, kassa.key(), &body).await;
    // Answered this once; the gateway keeps no more than its digest.
    let secret = opened.as_object_mut().and_then(|members| members.remove("checkout_secret"));
    assert!(secret.is_some(), "{opened}");
    opened
}

async fn read_checkout(kassa: &Kassa, http: &Http, checkout: &Value) -> Value {
    let id = checkout["id"].as_str().unwrap_or_default();
    http.get(&format!("{}/v1/checkouts/{id}", kassa.ready().gateway_url), kassa.key()).await
}

#[test]
fn a_shop_whose_gateway_does_not_answer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (address, taken) = taken_address();
    drop(taken);
    let gateway = format!("http://{address}");
    let flags = ["shop", "--json", "--listen", "127.0.0.1:0", "--gateway-url", &gateway];
    let mut shop = Process::start(Path::new(KASSA), folder.path(), &flags);
    assert_eq!(shop.event()["event"], "ready");
    let warning = shop.event();
    assert_eq!(warning["event"], "warning");
    assert!(warning["message"].as_str().unwrap().contains("kassa gateway"), "{warning}");
    assert!(shop.terminate().success());
}

#[test]
fn completions_know_every_operation_and_scenario() {
    let script = run(KASSA, &["completions", "bash"]).stdout;
    for word in
        ["release-remaining-authorization", "hosted-payment-page", "--idempotency-key", "faults"]
    {
        assert!(script.contains(word), "{word}");
    }
}
