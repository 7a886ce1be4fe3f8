//! `cargo xtask test`: every test of the workspace, with everything it needs.

use catalogue::seen;

use crate::fidelity;
use crate::postgres::{self, Server};
use crate::process::{self, Outcome};
use crate::{foreign, say, soak, tools};

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    no_install: bool,
    packages: Vec<String>,
    filters: Vec<String>,
}

impl Options {
    /// Reads the command line behind `test`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--no-install" => options.no_install = true,
                "--package" | "-p" => {
                    let name = arguments.next().ok_or("--package takes a crate's name")?;
                    options.packages.push(name.clone());
                }
                flag if flag.starts_with('-') => return Err(format!("no option `{flag}`")),
                filter => options.filters.push(filter.to_owned()),
            }
        }
        Ok(options)
    }
}

impl Options {
    fn is_all(&self) -> bool {
        self.packages.is_empty() && self.filters.is_empty()
    }

    /// Every test of the playground.
    pub(crate) fn playground() -> Self {
        Self { packages: vec!["playground".to_owned()], ..Self::default() }
    }
}

/// The test that the soak runs in earnest; without the servers it needs it has nothing to do.
const SOAK: &str = "killed_nodes_lose_no_payment_and_make_none_twice";

/// Runs them. An error when one failed, or when none ran, or, of all tests, when they show something else
/// than docs/fidelity.md says. Whatever comes of it, the last line says how many passed.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let (mut total, seen) = run_and_count(options)?;
    let mut outcome =
        seen.and_then(|seen| if options.is_all() { fidelity::check(&seen) } else { Ok(()) });
    if options.is_all() && outcome.is_ok() {
        outcome = soak::run(&soak::Options::short());
        if outcome.is_err() {
            total.turned_out_to_fail(SOAK);
        }
    }
    total.tell();
    outcome
}

/// Runs them and returns which of Klarna's answers they have seen.
pub(crate) fn run_and_note(options: &Options) -> Outcome<fidelity::Observed> {
    let (total, seen) = run_and_count(options)?;
    total.tell();
    seen
}

fn run_and_count(options: &Options) -> Outcome<(Total, Outcome<fidelity::Observed>)> {
    tools::ensure(tools::TESTING, !options.no_install)?;
    let mut arguments: Vec<&str> = vec!["test", "--no-fail-fast"];
    if options.packages.is_empty() {
        arguments.push("--workspace");
    }
    for package in &options.packages {
        arguments.extend(["--package", package]);
    }
    let build = process::cargo().args(&arguments).arg("--no-run").status();
    if !build.is_ok_and(|status| status.success()) {
        return Err("the tests do not compile".to_owned());
    }
    // Only the program's own tests drive them.
    let drives = options.packages.is_empty() || options.packages.iter().any(|name| name == "kassa");
    let foreign = if drives { Some(foreign::ensure(!options.no_install)?) } else { None };
    let server = Server::start()?;
    let mut total = Total::default();
    let mut command = process::cargo();
    let notes = fidelity::Notes::begin()?;
    command.args(&arguments).env(postgres::VARIABLE, server.url());
    command.env(seen::VARIABLE, notes.directory());
    if let Some(folder) = foreign {
        command.env(foreign::VARIABLE, folder);
    }
    if !options.filters.is_empty() {
        command.arg("--").args(&options.filters);
    }
    let succeeded = process::run_line_by_line(&mut command, |line| {
        total.count(line);
        say(&format!("{line}\n"));
    })?;
    drop(server);
    let seen = match (succeeded, total.passed) {
        (true, 0) => Err("no test ran".to_owned()),
        (true, _) => notes.read(),
        (false, _) => Err("not all tests passed".to_owned()),
    };
    Ok((total, seen))
}

/// The sums over all test programs of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Total {
    passed: u64,
    failed: u64,
    ignored: u64,
    failures: Vec<String>,
}

impl Total {
    /// Which failed, and on one last line how many.
    fn tell(&self) {
        for name in &self.failures {
            say(&format!("failed: {name}\n"));
        }
        let ignored = match self.ignored {
            0 => String::new(),
            ignored => format!(", {ignored} skipped"),
        };
        say(&format!("\n{} passed, {} failed{ignored}\n", self.passed, self.failed));
    }

    /// A test that was counted as passed has failed after all.
    fn turned_out_to_fail(&mut self, name: &str) {
        self.passed = self.passed.saturating_sub(1);
        self.failed += 1;
        self.failures.push(name.to_owned());
    }

    /// Adds what a line says: a test program's closing line, or the name of a failed test.
    fn count(&mut self, line: &str) {
        if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_summed_over_programs() {
        let mut total = Total::default();
        total.count("running 3 tests");
        total.count("test a::b ... ok");
        total.count("test a::c ... FAILED");
        total.count(
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; \
             finished in 0.02s",
        );
        total.count(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 1.50s",
        );
        assert_eq!(
            total,
            Total { passed: 7, failed: 1, ignored: 1, failures: vec!["a::c".to_owned()] }
        );
    }

    #[test]
    fn what_fails_later_is_not_counted_as_passed() {
        let mut total = Total { passed: 7, ..Total::default() };
        total.turned_out_to_fail(SOAK);
        let failures = vec![SOAK.to_owned()];
        assert_eq!(total, Total { passed: 6, failed: 1, ignored: 0, failures });
    }

    #[test]
    fn an_unknown_option_is_named() {
        let error = Options::parse(&["--fast".to_owned()]).unwrap_err();
        assert_eq!(error, "no option `--fast`");
    }
}
