//! `cargo xtask fuzz`: each target for a bounded time, under an engine that is guided by coverage.
//!
//! The engine is libFuzzer, built from source; the compiler is the stable one, told to count what runs.
//! What may be tried, and what must hold, is in `crates/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Outcome, workspace};
use crate::{say, tools};

/// Names the target for the program (`crates/fuzz/src/main.rs`).
const TARGET: &str = "KASSA_FUZZ_TARGET";

/// What makes the compiler count: edges, and the values that comparisons see.
const COUNTING: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    targets: Vec<String>,
    seconds: u64,
    no_install: bool,
}

impl Options {
    /// Reads the command line behind `fuzz`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { targets: Vec::new(), seconds: 30, no_install: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--no-install" => options.no_install = true,
                "--seconds" => {
                    let number = arguments.next().and_then(|number| number.parse().ok());
                    options.seconds =
                        number.filter(|seconds| *seconds > 0).ok_or("--seconds takes a number")?;
                }
                flag if flag.starts_with('-') => return Err(format!("no option `{flag}`")),
                target => options.targets.push(target.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Builds the program and tries the targets, one after the other. An error when something was found.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let corpus = workspace().join("crates/fuzz/corpus");
    let known = folders(&corpus)?;
    let targets = if options.targets.is_empty() { known.clone() } else { options.targets.clone() };
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        return Err(format!("there is no target `{unknown}`; there are {}", known.join(", ")));
    }
    tools::ensure(tools::FUZZING, !options.no_install)?;
    let program = build()?;
    let mut found = Vec::new();
    for target in &targets {
        say(&format!("== {target}, {} s\n", options.seconds));
        if let Err(error) = try_one(&program, &corpus, target, options.seconds) {
            say(&format!("{error}\n"));
            found.push(target.as_str());
        }
    }
    say(&format!("\n{} passed, {} failed\n", targets.len() - found.len(), found.len()));
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("something was found by {}", found.join(", ")))
    }
}

/// The program, with everything in it counting.
fn build() -> Outcome<PathBuf> {
    let host = host()?;
    let folder = target_folder().join("fuzz");
    process::run(
        process::cargo()
            .args(["build", "--quiet", "--locked", "--package", "fuzz", "--features", "engine"])
            // With a named target, what runs at build time is not counted.
            .args(["--profile", "fuzz", "--target", &host])
            .env("CARGO_TARGET_DIR", &folder)
            .env("CARGO_ENCODED_RUSTFLAGS", COUNTING.join("\u{1f}")),
    )?;
    Ok(folder.join(host).join("fuzz/fuzz"))
}

/// Tries one target for a time. What it learns is kept below the build's folder, for the next time.
fn try_one(program: &Path, corpus: &Path, target: &str, seconds: u64) -> Outcome<()> {
    let kept = target_folder().join("fuzz/corpus").join(target);
    let finds = target_folder().join("fuzz/finds").join(target);
    for folder in [&kept, &finds] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let result = process::run(
        Command::new(program)
            .env(TARGET, target)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", finds.display()))
            // An input may take so long, in seconds, and so much memory, in megabytes.
            .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384"])
            .args(["-print_final_stats=1", "-verbosity=0"])
            .args([&kept, &corpus.join(target)]),
    );
    result.map_err(|error| format!("{error}\nits input is in {}", finds.display()))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// The kind of machine that the compiler builds for.
fn host() -> Outcome<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc did not start: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc does not say what it builds for".to_owned())
}

/// The names of the folders in a folder, sorted.
fn folders(path: &Path) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_target_and_a_time_can_be_given() {
        let options = parse(&["carts", "--seconds", "5"]).unwrap();
        assert_eq!((options.targets, options.seconds), (vec!["carts".to_owned()], 5));
        assert_eq!(parse(&[]).unwrap().seconds, 30);
        assert_eq!(parse(&["--seconds", "0"]).unwrap_err(), "--seconds takes a number");
        assert_eq!(parse(&["--fast"]).unwrap_err(), "no option `--fast`");
    }
}
