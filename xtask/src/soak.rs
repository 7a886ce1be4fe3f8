//! `cargo xtask soak`: gateway nodes that are killed, on a PostgreSQL server that crashes, for as long as one
//! likes.
//!
//! What is done to them, and what must hold, is in `crates/kassa/tests/soak`. This chore brings the server, and
//! crashes it when the test wishes so by making a file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::postgres::{Durability, Server};
use crate::process::{self, Outcome};
use crate::{complain, tools};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    no_install: bool,
}

/// How long the shops trade in a run of all tests.
const SHORT_SECONDS: u64 = 10;
const MINUTES: u64 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Options {
    /// Reads the command line behind `soak`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seconds: MINUTES * 60, no_install: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = |flag: &str| {
                let number = arguments.next().and_then(|number| number.parse::<u64>().ok());
                number.filter(|number| *number > 0).ok_or(format!("{flag} takes a number"))
            };
            match argument.as_str() {
                "--no-install" => options.no_install = true,
                "--minutes" => options.seconds = number("--minutes")?.saturating_mul(60),
                "--seconds" => options.seconds = number("--seconds")?,
                other => return Err(format!("no option `{other}`")),
            }
        }
        Ok(options)
    }

    /// As a part of all tests.
    pub(crate) fn short() -> Self {
        Self { seconds: SHORT_SECONDS, no_install: true }
    }
}

/// Runs it. An error when a book does not agree with another.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    tools::ensure(tools::TESTING, !options.no_install)?;
    // Of the whole workspace, so that what all tests compiled is not compiled again.
    let arguments = ["test", "--workspace", "--test", "soak"];
    process::run(process::cargo().args(arguments).arg("--no-run"))?;
    let server = Server::start_with(Durability::Crashes)?;
    let wish = server.folder().join("crash");
    let mut command = process::cargo();
    command
        .args(arguments)
        .args(["--", "--nocapture"])
        .env("KASSA_SOAK_POSTGRES", server.url())
        .env("KASSA_SOAK_CRASH", &wish)
        .env("KASSA_SOAK_SECONDS", options.seconds.to_string());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let crashing = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if wish.exists() {
                    server.crash()?;
                    std::fs::remove_file(&wish).map_err(|error| error.to_string())?;
                }
                std::thread::park_timeout(LOOK_EVERY);
            }
            Ok(())
        });
        let ran = process::run(&mut command);
        over.store(true, Ordering::Relaxed);
        let crashed: Outcome<()> =
            crashing.join().unwrap_or_else(|_| Err("crashing PostgreSQL panicked".to_owned()));
        if let Err(error) = &crashed {
            complain(&format!("warning: {error}\n"));
        }
        ran.and(crashed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_unless_it_is_said() {
        let parse = |arguments: &[&str]| {
            Options::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(parse(&[]).map(|options| options.seconds), Ok(600));
        assert_eq!(parse(&["--minutes", "2"]).map(|options| options.seconds), Ok(120));
        assert_eq!(parse(&["--minutes", "0"]), Err("--minutes takes a number".to_owned()));
        assert_eq!(parse(&["--fast"]), Err("no option `--fast`".to_owned()));
    }
}
