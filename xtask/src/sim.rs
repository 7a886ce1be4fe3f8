//! `cargo xtask sim`: the simulation of the gateway's engine, with optimisations and as many histories as one
//! likes.
//!
//! What is simulated, and what must hold, is in `crates/gateway/tests/simulation`.

use crate::process::{self, Outcome};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    histories: Option<u64>,
    seed: u64,
}

/// How many histories, unless it is said.
const HISTORIES: u64 = 200_000;

impl Options {
    /// Reads the command line behind `sim`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { histories: Some(HISTORIES), seed: 1 };
        let mut seeded = false;
        let mut counted = false;
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = |flag: &str| {
                let number = arguments.next().and_then(|number| number.parse().ok());
                number.ok_or(format!("{flag} takes a number"))
            };
            match argument.as_str() {
                "--histories" => {
                    options.histories = Some(number("--histories")?);
                    counted = true;
                }
                "--seed" => {
                    options.seed = number("--seed")?;
                    seeded = true;
                }
                other => return Err(format!("no option `{other}`")),
            }
        }
        // One seed alone is one history, told.
        if seeded && !counted {
            options.histories = None;
        }
        Ok(options)
    }
}

/// Builds and runs it. An error when a history is wrong; its seed is told.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let mut command = process::cargo();
    command.args(["test", "--release", "--quiet", "--package", "gateway", "--lib"]);
    command.args(["--", "--nocapture", "simulation::whatever_happens"]);
    command.env("KASSA_SIM_SEED", options.seed.to_string());
    if let Some(histories) = options.histories {
        command.env("KASSA_SIM_HISTORIES", histories.to_string());
    }
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_seed_alone_is_one_history() {
        assert_eq!(parse(&[]), Ok(Options { histories: Some(HISTORIES), seed: 1 }));
        assert_eq!(parse(&["--seed", "7"]), Ok(Options { histories: None, seed: 7 }));
        let both = parse(&["--seed", "7", "--histories", "9"]);
        assert_eq!(both, Ok(Options { histories: Some(9), seed: 7 }));
        assert_eq!(parse(&["--seed"]), Err("--seed takes a number".to_owned()));
    }
}
