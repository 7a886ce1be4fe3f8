//! Seeing the program run: its metrics, its health, its end, its log lines, and the trace of one payment from the shop's
//! request through the journal to Klarna and back in a webhook. Everything as those see it who run it: over HTTP.

mod collector;
mod ops;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use collector::{Collector, Span};
use http::Method;
use serde_json::{Value, json};
use stage::{API_KEY, DASHBOARD_PASSWORD, KLARNA_PASSWORD, METRICS_TOKEN, PERSON, Stage};
use testing::eventually;
use testing::http::{As, Http};
use testing::kassa::run_in;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

/// The values of a metric, by its labels as they are written.
fn values(page: &str, name: &str) -> BTreeMap<String, String> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (metric, value) = line.rsplit_once(' ')?;
            let (found, labels) = metric.split_once('{').unwrap_or((metric, ""));
            (found == name).then(|| (labels.trim_end_matches('}').to_owned(), value.to_owned()))
        })
        .collect()
}

#[track_caller]
fn value(page: &str, name: &str, labels: &str) -> String {
    let found = values(page, name);
    let value = found.get(labels);
    value.unwrap_or_else(|| panic!("no {name}{{{labels}}} in {found:?}\n{page}")).clone()
}

/// Whether a metric is that or more.
#[track_caller]
fn is_at_least(page: &str, name: &str, labels: &str, least: f64) {
    let value = value(page, name, labels);
    assert!(value.parse::<f64>().unwrap() >= least, "{name}{{{labels}}} is {value}");
}

/// The labels that there are: none of them grows with what is sold, and none is about anybody.
const LABELS: [&str; 14] = [
    "account",
    "engine",
    "kind",
    "le",
    "method",
    "operation",
    "outcome",
    "queue",
    "result",
    "route",
    "stage",
    "state",
    "status",
    "version",
];

#[tokio::test]
async fn metrics_tell_of_a_purchase_and_of_nobody() {
    let mut stage = Stage::open(&["--log", "info", "--log-format", "json"]).await;
    let mut bought = stage.buy(None).await;
    stage.webhook(&bought.payment_id, "payment.captured").await;
    stage.sign_in_wrongly().await;
    let page = stage.metrics().await;

    assert!(page.ends_with("# EOF\n"), "OpenMetrics ends with its end");
    for (name, labels) in [
        (
            "kassa_gateway_http_requests_total",
            r#"method="POST",route="/v1/checkouts",status="201""#,
        ),
        (
            "kassa_gateway_http_request_duration_seconds_count",
            r#"method="POST",route="/v1/checkouts""#,
        ),
        (
            "kassa_gateway_http_requests_total",
            r#"method="POST",route="/v1/payments/{id}/captures",status="201""#,
        ),
        ("kassa_gateway_klarna_calls_total", r#"operation="place_order",outcome="answered""#),
        ("kassa_gateway_klarna_calls_total", r#"operation="capture",outcome="answered""#),
        ("kassa_gateway_operation_turns_total", r#"kind="capture",outcome="done""#),
        ("kassa_gateway_purchases_total", r#"result="approved""#),
        ("kassa_gateway_checkouts_total", r#"result="opened""#),
        ("kassa_gateway_checkouts_total", r#"result="completed""#),
        ("kassa_gateway_sign_ins_total", r#"result="wrong_password""#),
        ("kassa_gateway_ready", ""),
        ("kassa_gateway_db_up", ""),
        ("kassa_gateway_nodes", ""),
    ] {
        assert_eq!(value(&page, name, labels), "1", "{name}{{{labels}}}");
    }
    is_at_least(&page, "kassa_gateway_webhook_attempts_total", r#"outcome="delivered""#, 1.0);
    is_at_least(&page, "kassa_gateway_db_commit_duration_seconds_count", "", 5.0);
    is_at_least(&page, "process_resident_memory_bytes", "", 1_000_000.0);
    is_at_least(&page, "process_open_fds", "", 3.0);
    is_at_least(&page, "process_start_time_seconds", "", 1_000_000_000.0);
    let circuits = values(&page, "kassa_gateway_klarna_circuit");
    let closed = circuits.iter().find(|(labels, _)| labels.contains("state=\"closed\""));
    assert_eq!(closed.map(|(_, value)| value.as_str()), Some("1"), "{circuits:?}");
    assert_eq!(value(&page, "kassa_gateway_operations", r#"state="needs_attention""#), "0");

    // Each name keeps to the conventions, and no label tells of anybody or grows with what is sold.
    let names: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    for name in &names {
        assert!(
            name.starts_with("kassa_gateway_") || name.starts_with("process_"),
            "{name} is named otherwise"
        );
        assert!(!name.ends_with("_ms") && !name.ends_with("_total"), "{name}");
    }
    bought.marks.extend(bought.ids());
    for mark in &bought.marks {
        assert!(!page.contains(mark.as_str()), "the metrics hold {mark}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, labels)) = line.split_once('{') else { continue };
        for label in labels.split('"').step_by(2).filter(|part| part.contains('=')) {
            let name = label.trim_start_matches(',').trim_end_matches('=');
            assert!(LABELS.contains(&name), "{name} in {line}");
        }
    }

    // What the dashboard and the alerts ask for is there.
    ops::every_metric_is_exported(&page);

    // Each line of the log is an object, and those of a request say which.
    let (_, headers) = stage.raw(Method::GET, "/v1/payments/pay_none").await;
    let request_id = headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(request_id.len(), 32);
    let log = stage.end();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let done = lines.iter().find(|line| line["message"] == "operation done").unwrap();
    assert!(done["spans"][0]["operation.id"].is_string(), "{done}");
    let wrong = lines
        .iter()
        .find(|line| line["message"] == "a wrong dashboard password was given")
        .unwrap();
    let span = &wrong["spans"][0];
    assert_eq!(span["http.route"], "/dashboard/sign-in", "{wrong}");
    assert_eq!(span["request.id"].as_str().map(str::len), Some(32), "{wrong}");
    for mark in &bought.marks {
        let is_id = bought.ids().contains(mark);
        assert!(is_id || !log.contains(mark.as_str()), "the log holds {mark}");
    }
}

#[tokio::test]
async fn metrics_are_for_those_who_may_ask() {
    let stage = Stage::open(&["--metrics-token", METRICS_TOKEN]).await;
    let http = Http::new();
    let ask = async |caller: As<'_>| {
        http.send(Method::GET, &stage.metrics_url, caller, None).await.unwrap().status.as_u16()
    };
    assert_eq!(ask(As::Anyone).await, 401);
    assert_eq!(ask(As::Bearer("marked-wrong-token")).await, 401);
    assert_eq!(ask(As::Bearer(API_KEY)).await, 401);
    assert_eq!(ask(As::Bearer(METRICS_TOKEN)).await, 200);
    // Nobody who pays is told.
    assert_eq!(http.status(&format!("{}/metrics", stage.gateway)).await.unwrap(), 404);
    drop(stage);
    let folder = tempfile::tempdir().unwrap();
    let flags =
        ["gateway", "--ephemeral", "--listen", "127.0.0.1:0", "--metrics-listen", "0.0.0.0:0"];
    let ended = run_in(KASSA, folder.path(), &flags, &[], "");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--metrics-token"), "{ended:?}");
}

#[tokio::test]
async fn a_node_says_that_it_lives_and_stops_in_time() {
    let mut stage = Stage::open(&["--drain-seconds", "1", "--stop-seconds", "3"]).await;
    let http = Http::new();
    for name in ["health/live", "health/ready", "healthz", "readyz"] {
        assert_eq!(http.status(&format!("{}/{name}", stage.gateway)).await.unwrap(), 200, "{name}");
    }
    let beside = stage.metrics_url.replace("/metrics", "/health/ready");
    assert_eq!(http.status(&beside).await.unwrap(), 200);
    // Klarna does not answer: that is no reason to get no traffic.
    stage.playground.kill();
    let refused = stage.raw(Method::GET, "/v1/payments").await;
    assert_eq!(refused.0, 200);
    assert_eq!(http.status(&beside).await.unwrap(), 200);

    // Asked to stop: no longer ready, still answering, then gone; also while a webhook hangs.
    stage.receiver.hold();
    stage.tell_of_nothing().await;
    stage.receiver.was_called().await;
    stage.process.signal("TERM");
    eventually("the node not to be ready", async || match http.status(&beside).await {
        Ok(503) | Err(_) => Ok(()),
        Ok(other) => Err(other),
    })
    .await;
    let ended = stage.process.wait();
    assert!(ended.success(), "{ended}");
    let log = stage.process.stderr();
    assert!(log.contains("what was under way is handed back"), "{log}");
}

/// The spans of one trace, by id.
fn in_trace<'s>(spans: &'s [Span], trace_id: &str) -> BTreeMap<&'s str, &'s Span> {
    let of_trace = spans.iter().filter(|span| span.trace_id == trace_id);
    of_trace.map(|span| (span.id.as_str(), span)).collect()
}

// On several threads: the collector goes on collecting while the end of the program is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn one_trace_follows_a_payment_from_the_shop_to_klarna_and_back() {
    let collector = Collector::start().await;
    let endpoint = collector.url.clone();
    let mut stage = Stage::open(&[
        "--otlp-endpoint",
        &endpoint,
        "--otlp-protocol",
        "http/json",
        "--otlp-headers",
        "x-collector-key=marked-collector-key",
        "--log",
        "info",
    ])
    .await;
    // The order would also be placed by Klarna's callback, should it come first.
    stage.loses_callbacks().await;
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let shop_span = "b7ad6b7169203331";
    let bought = stage.buy(Some(&format!("00-{trace_id}-{shop_span}-01"))).await;
    let told = stage.webhook(&bought.payment_id, "payment.captured").await;
    let log = stage.end();
    let spans = collector.spans();
    let trace = in_trace(&spans, trace_id);
    let names: Vec<&str> = trace.values().map(|span| span.name.as_str()).collect();
    let find = |name: &str| {
        let mut found = trace.values().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no span {name} in {names:?}"));
        assert!(found.next().is_none(), "two spans {name}");
        *span
    };

    // The shop's requests are children of the shop's own span, …
    for name in
        ["POST /v1/checkouts", "POST /v1/checkouts/{id}/confirm", "POST /v1/payments/{id}/captures"]
    {
        let request = find(name);
        assert_eq!((request.parent.as_str(), request.kind), (shop_span, 2), "{name}");
    }
    // … what the journal does for them are theirs, Klarna's calls are the journal's, …
    for (kind, request, status) in [
        ("place_order", "POST /v1/checkouts/{id}/confirm", "200"),
        ("capture", "POST /v1/payments/{id}/captures", "201"),
    ] {
        let operation = find(&format!("operation {kind}"));
        assert_eq!(operation.parent, find(request).id, "{kind}");
        let call = find(&format!("Klarna {kind}"));
        assert_eq!((call.parent.as_str(), call.kind), (operation.id.as_str(), 3), "{kind}");
        assert_eq!(call.attributes["http.response.status_code"], status, "{kind}");
    }
    assert_eq!(find("Klarna create_session").parent, find("POST /v1/checkouts").id);
    // … and the webhook follows from the capture, and hands the trace back to the shop.
    let webhook = find("webhook payment.captured");
    assert_eq!(webhook.parent, find("operation capture").id);
    assert_eq!(told.trace_parent, format!("00-{trace_id}-{}-01", webhook.id));
    assert_eq!(find("webhook checkout.opened").parent, find("POST /v1/checkouts").id);

    // Nothing in any span tells of anybody, and no span is of the libraries below.
    let all = collector.text();
    for mark in &bought.marks {
        assert!(!all.contains(mark.as_str()), "a span holds {mark}");
        assert!(!log.contains(mark.as_str()), "the log holds {mark}");
    }
    assert!(!all.contains("marked"), "a span holds a mark");
    assert_eq!(collector.keys(), ["marked-collector-key"]);
    for span in &spans {
        let known = ["GET ", "POST ", "operation ", "read ", "Klarna ", "webhook ", "OPTIONS "];
        assert!(known.iter().any(|known| span.name.starts_with(known)), "{}", span.name);
        assert_eq!(span.service, "kassa-gateway");
    }
    // Log lines and traces find each other.
    assert!(log.contains(&format!("\"trace.id\":\"{trace_id}\"")), "{log}");
    collector.end().await;
}

#[test]
fn a_flag_beats_the_environment_and_the_environment_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = "log = 'error'\napi-key = 'hunter2'\n[gateway]\nlisten = '127.0.0.1:1'\n\
                metrics-listen = '127.0.0.1:2'\nstop-seconds = 7\n";
    std::fs::write(folder.path().join("kassa.toml"), file).unwrap();
    let settings = [
        ("KASSA_LISTEN", "127.0.0.1:11"),
        ("KASSA_METRICS_LISTEN", "127.0.0.1:12"),
        ("KASSA_METRICS_TOKEN", "hunter2"),
    ];
    let flags = ["gateway", "--print-config", "--json", "--listen", "127.0.0.1:111"];
    let ended = run_in(KASSA, folder.path(), &flags, &settings, "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("hunter2"), "{ended:?}");
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    let find = |name: &str| {
        let settings = said["settings"].as_array().unwrap();
        let found = settings.iter().find(|setting| setting["setting"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {said}")).clone()
    };
    let check = |name: &str, value: &str, origin: &str| {
        assert_eq!(find(name), json!({ "setting": name, "value": value, "origin": origin }));
    };
    check("gateway.listen", "127.0.0.1:111", "--listen");
    check("gateway.metrics-listen", "127.0.0.1:12", "KASSA_METRICS_LISTEN");
    check("gateway.metrics-token", "(hidden)", "KASSA_METRICS_TOKEN");
    check("gateway.stop-seconds", "7", "kassa.toml, line 6");
    check("log", "error", "kassa.toml, line 1");
    check("api-key", "(hidden)", "kassa.toml, line 2");
    check("gateway.drain-seconds", "0", "default");
    let page = run_in(KASSA, folder.path(), &["shop", "--print-config"], &[], "").stdout;
    assert!(page.contains("shop.listen") && page.contains("(default)"), "{page}");
    assert!(!page.contains("hunter2"), "{page}");

    // A file's mistakes are named, all of them, and nothing of its values.
    std::fs::write(
        folder.path().join("bad.toml"),
        "lgo = 'hunter2'\n[gateway]\nlisten = 'hunter2'\n",
    )
    .unwrap();
    let ended = run_in(KASSA, folder.path(), &["config", "check", "bad.toml"], &[], "");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("bad.toml, line 1") && said.contains("bad.toml, line 3"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let right = run_in(KASSA, folder.path(), &["config", "check"], &[], "");
    assert_eq!(right.code, Some(0), "{right:?}");
}

#[test]
fn secrets_of_the_tests_bear_marks() {
    for secret in [KLARNA_PASSWORD, DASHBOARD_PASSWORD, METRICS_TOKEN, PERSON[0]] {
        assert!(secret.to_lowercase().contains("marked"), "{secret}");
    }
}
