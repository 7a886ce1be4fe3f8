//! What `ops/` asks for, against what the program exports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const SUFFIXES: [&str; 6] = ["_bucket", "_sum", "_count", "_total", "_info", ""];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops").join(name)
}

/// The metrics that an expression names.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    expression
        .split(|letter| !is_part(letter))
        .filter(|word| {
            word.starts_with("kassa_") || (word.starts_with("process_") && *word != "process_")
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// Every expression of the dashboard.
fn of_dashboard() -> Vec<String> {
    let text = std::fs::read_to_string(file("grafana/kassa-gateway.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut found: Vec<String> = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "two panels have one id");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
        let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(panel["type"] == "row" || !targets.is_empty(), "{panel}");
        found.extend(targets.iter().map(|target| target["expr"].as_str().unwrap().to_owned()));
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        found.extend(
            variable["query"].as_str().filter(|query| query.contains('(')).map(ToOwned::to_owned),
        );
    }
    found
}

/// Every expression of the alerts, which keep to one shape: as much of YAML as they are written in.
fn of_alerts() -> Vec<String> {
    let text = std::fs::read_to_string(file("prometheus/alerts.yml")).unwrap();
    let mut found = Vec::new();
    let rules: Vec<&str> = text.split("\n      - alert: ").skip(1).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        let name = rule.lines().next().unwrap();
        assert!(name.starts_with("Kassa"), "{name}");
        for needed in [
            "\n        labels:\n          severity: ",
            "\n          summary: ",
            "\n          description: ",
        ] {
            assert!(rule.contains(needed), "{name} has no {needed}");
        }
        let (_, expression) =
            rule.split_once("\n        expr: ").unwrap_or_else(|| panic!("{name}"));
        let expression: Vec<&str> = expression
            .lines()
            .enumerate()
            .take_while(|(at, line)| *at == 0 || line.starts_with("          "))
            .map(|(_, line)| line)
            .collect();
        let expression = expression.join(" ");
        let count = |letter| expression.matches(letter).count();
        assert_eq!(count('('), count(')'), "{name}: {expression}");
        assert_eq!(count('{'), count('}'), "{name}: {expression}");
        found.push(expression);
    }
    found
}

/// Every metric that the dashboard and the alerts ask for is one that this page of a running gateway has.
pub fn every_metric_is_exported(page: &str) {
    let exported: BTreeSet<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let mut asked = BTreeSet::new();
    for expression in of_dashboard().iter().chain(&of_alerts()) {
        let metrics = metrics_of(expression);
        assert!(!metrics.is_empty(), "{expression} asks for nothing");
        asked.extend(metrics);
    }
    for metric in &asked {
        assert!(
            exported.contains(metric.as_str()),
            "{metric} is asked for and not exported:\n{page}"
        );
    }
    // And what is exported is shown somewhere, but for what goes with something that is.
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        let shown = SUFFIXES.iter().any(|suffix| asked.contains(&format!("{name}{suffix}")));
        let beside = ["process_virtual_memory_bytes", "process_start_time_seconds"];
        assert!(shown || beside.contains(&name), "{name} is on no panel and in no alert");
    }
}

#[test]
fn prometheus_takes_the_alerts() {
    // As much as can be seen without Prometheus; with it, what Prometheus itself says.
    assert!(!of_alerts().is_empty());
    for (what, name) in
        [("rules", "prometheus/alerts.yml"), ("config", "prometheus/prometheus.yml")]
    {
        let checked = Command::new("promtool").args(["check", what]).arg(file(name)).output();
        match checked {
            Ok(output) => assert!(
                output.status.success(),
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
        }
    }
}
