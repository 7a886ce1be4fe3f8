//! Tidiness as tests: what the compiler does not hold.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The names under `[dependencies]` of each of our crates: what it is built from, tests apart.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut crates = BTreeMap::new();
    for entry in std::fs::read_dir(workspace().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(manifest) = std::fs::read_to_string(folder.join("Cargo.toml")) else { continue };
        let mut inside = false;
        let mut names = Vec::new();
        for line in manifest.lines() {
            if let Some(section) = line.strip_prefix('[') {
                let section = section.trim_end_matches(']');
                inside = section == "dependencies" || section == "build-dependencies";
                if let Some(name) = section.strip_prefix("dependencies.") {
                    names.push(name.to_owned());
                }
            } else if inside && let Some((name, _)) = line.split_once(['.', '=', ' ']) {
                names.push(name.trim().to_owned());
            }
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        crates.insert(name, names);
    }
    crates
}

/// Invariant `walls`: the parts meet over HTTP and never import each other.
#[test]
fn walls() {
    let parts = ["gateway", "playground", "shop", "checklist"];
    let crates = dependencies();
    for part in parts {
        let Some(names) = crates.get(part) else { continue };
        assert!(!names.is_empty(), "{part}: no dependencies were read");
        for other in parts.into_iter().filter(|other| *other != part) {
            assert!(!names.iter().any(|name| name == other), "{part} must not import {other}");
        }
    }
    let only = |part: &str, allowed: &[&str]| {
        for name in &crates[part] {
            let ours = crates.contains_key(name);
            assert!(!ours || allowed.contains(&name.as_str()), "{part} must not import {name}");
        }
    };
    only("klarna-types", &[]);
    only("klarna", &["klarna-types"]);
    only("storage", &[]);
    only("service", &[]);
    only("playground", &["klarna-types", "service", "storage"]);
    only("gateway", &["klarna", "klarna-types", "service", "storage"]);
    only("shop", &["service"]);
}

/// Invariant `pure-domain`: rules hold no async, clock, randomness, socket, SQL or environment.
#[test]
fn pure_domain() {
    let banned = [
        "async fn",
        ".await",
        "Timestamp::now",
        "SystemTime",
        "Instant::now",
        "storage::",
        "tokio::",
        "axum::",
        "service::random",
        "Uuid::new_v4",
        "Uuid::now_v7",
        "std::env",
        "std::fs",
        "std::net",
    ];
    let mut seen = 0;
    for file in rust_files() {
        let path = file.to_string_lossy().replace('\\', "/");
        let is_domain = path.contains("/src/domain/") || path.ends_with("/src/domain.rs");
        if !(is_domain || path.contains("/klarna-types/src/")) {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests at the end of a file may do as they like.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in banned {
                assert!(!code.contains(word), "{path}:{}: `{word}` in pure code", number + 1);
            }
        }
    }
    assert!(seen > 10, "only {seen} files of pure code were found");
}

/// ARCHITECTURE.md lists the invariants by name, and each has a test that bears its name.
#[test]
fn invariants_have_tests() {
    let page = std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let table = page.split("## Invariants").nth(1).unwrap().split("\n## ").next().unwrap();
    let names: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name))
        .collect();
    assert!(names.len() >= 10, "only {names:?} were found");
    let code: Vec<String> =
        rust_files().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for name in names {
        let function = format!("fn {name}(");
        assert!(
            code.iter().any(|text| text.contains(&function)),
            "no test bears the name of the invariant `{name}`"
        );
    }
}

/// Every module says what it is for.
#[test]
fn modules_open_with_their_purpose() {
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.trim_start().starts_with("//!"), "{} opens without `//!`", file.display());
    }
}

/// Healthy files end near a thousand lines.
#[test]
fn files_are_one_room_each() {
    for file in rust_files() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 1_200, "{} has {lines} lines: is it still one room?", file.display());
    }
}

/// No test is switched off, and none waits by the clock.
#[test]
fn no_test_is_switched_off() {
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let attribute = concat!("#[", "ignore");
        assert!(!text.contains(attribute), "{} switches a test off", file.display());
    }
}

fn rust_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["crates", "xtask"] {
        walk(&workspace().join(folder), &mut found);
    }
    found.sort();
    found
}
