//! The project's own chores, run as `cargo xtask CHORE`.
//!
//! - `test` installs what the tests need and is missing (Debian's chromium, chromium-driver,
//!   postgresql, nodejs, npm and python3-venv, and the clients that others wrote), starts a PostgreSQL
//!   server of its own, runs every test and prints one total.
//! - `api` holds the public API of the published crates against the text that is kept of it.
//! - `clients` writes the typed clients of the gateway's API from its description.
//! - `fidelity` writes into docs/fidelity.md what the playground's tests have seen of what Klarna documents.
//! - `fuzz` tries the parsers and validators with whatever input, for a bounded time.
//! - `sim` lives through histories of the gateway's engine, as many as one likes.
//! - `soak` lets shops trade with gateway nodes that are killed, for a bounded time.
//! - `bench` measures, one JSON object per line.
//!
//! It must not know what is tested or measured: that is written beside the code it belongs to.

mod api;
mod bench;
mod clients;
mod fidelity;
mod foreign;
mod fuzz;
mod postgres;
mod process;
mod sim;
mod soak;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
The project's own chores.

Usage: cargo xtask CHORE [OPTIONS]

  test [FILTER…]        install what is missing, start PostgreSQL, run all tests, print the total
       --no-install     fail instead of installing
       --package NAME   only this crate's tests (repeatable)
  api [--accept]        compare the public API of the published crates with docs/api, or keep it
  clients [--check]     write the typed clients below clients/ from the gateway's description
  fidelity              run the playground's tests and write what they show into docs/fidelity.md
  fuzz [TARGET…]        try parsers and validators with whatever input, for a while each
       --seconds N      how long each target is tried [default: 30]
       --no-install     fail instead of installing
  sim                   live through random histories of the gateway's engine, with optimisations
       --histories N    how many [default: 200000]
       --seed S         the first one's seed; alone: live through that one and tell it
  soak                  kill gateway nodes and crash PostgreSQL while shops trade, then compare all books
       --minutes N      how long they trade [default: 10]
       --no-install     fail instead of installing
  bench [NAME…]         build with optimisations and measure; one JSON object per line
  postgres -- COMMAND…  run a command with a fresh PostgreSQL server (KASSA_TEST_POSTGRES)
  help                  this text

Exit status: 0 all well, 1 something failed, 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match arguments.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = match chore {
        "test" => match test::Options::parse(rest) {
            Ok(options) => test::run(&options),
            Err(error) => return wrong_usage(&error),
        },
        "api" => match rest {
            [] => api::run(api::OnChange::Fail),
            [accept] if accept == "--accept" => api::run(api::OnChange::Accept),
            _ => return wrong_usage("api takes nothing but `--accept`"),
        },
        "clients" => match rest {
            [] => clients::run(clients::OnChange::Write),
            [check] if check == "--check" => clients::run(clients::OnChange::Fail),
            _ => return wrong_usage("clients takes nothing but `--check`"),
        },
        "fuzz" => match fuzz::Options::parse(rest) {
            Ok(options) => fuzz::run(&options),
            Err(error) => return wrong_usage(&error),
        },
        "sim" => match sim::Options::parse(rest) {
            Ok(options) => sim::run(&options),
            Err(error) => return wrong_usage(&error),
        },
        "soak" => match soak::Options::parse(rest) {
            Ok(options) => soak::run(&options),
            Err(error) => return wrong_usage(&error),
        },
        "fidelity" => match rest {
            [] => fidelity::run(),
            _ => return wrong_usage("fidelity takes nothing"),
        },
        "bench" => bench::run(rest),
        "postgres" => match rest.split_first() {
            Some((dashes, command)) if dashes == "--" && !command.is_empty() => {
                postgres::run_command(command)
            }
            _ => return wrong_usage("postgres takes `-- COMMAND…`"),
        },
        "help" | "--help" | "-h" => {
            say(HELP);
            Ok(())
        }
        other => return wrong_usage(&format!("there is no chore `{other}`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn wrong_usage(error: &str) -> ExitCode {
    complain(&format!("error: {error}\n\n{HELP}"));
    ExitCode::from(2)
}

/// What a chore says to whoever ran it.
#[expect(clippy::print_stdout, reason = "a command line speaks on its standard output")]
pub(crate) fn say(text: &str) {
    print!("{text}");
}

/// Progress and complaints, apart from what is piped on.
#[expect(clippy::print_stderr, reason = "a command line complains on its standard error")]
pub(crate) fn complain(text: &str) {
    eprint!("{text}");
}
