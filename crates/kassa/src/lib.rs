//! The command line of Kassa: reads what it is told, starts the parts, says where they are, and
//! stops them in order.
//!
//! It wires and reports. It must hold no rule of any part: what a part does is the part's own
//! business, and the parts know nothing of each other.

mod cli;
mod configuration;
mod credentials;
mod doors;
mod file;
mod keep;
mod master_key;
mod operator;
mod report;
mod run;
mod settings;
mod telemetry;
mod tool;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command};

/// What the program ends with when what was asked for cannot be asked for.
const WRONG_USAGE: u8 = 2;

/// Runs the program: 0 when it did what was asked, 1 when that failed, 2 on wrong usage.
pub fn main() -> ExitCode {
    let line: Vec<_> = cli::with_default_command(std::env::args_os()).into_iter().collect();
    let read = Cli::command()
        .try_get_matches_from(&line)
        .and_then(|said| Cli::from_arg_matches(&said).map(|cli| (said, cli)));
    let (said, cli) = match read {
        Ok(read) => read,
        Err(error) => return misread(&error, &line),
    };
    if let Command::Completions { shell } = &cli.command {
        let mut command = Cli::command();
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut command, "kassa", &mut script);
        report::out(&String::from_utf8_lossy(&script));
        return ExitCode::SUCCESS;
    }
    let output = if cli.json { report::Output::Json } else { report::Output::Human };
    if let Command::Config(command) = &cli.command {
        return match configuration::run(command) {
            Ok(text) => {
                report::out(&text);
                ExitCode::SUCCESS
            }
            Err(error) => {
                output.error(&error);
                ExitCode::from(WRONG_USAGE)
            }
        };
    }
    let file = match file::File::load(cli.config.as_deref()) {
        Ok(file) => file,
        Err(error) => {
            output.error(&error);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if cli.prints_config() {
        return match configuration::effective(&said, cli.config.as_deref()) {
            Ok(settings) => {
                report::out(&configuration::shown(&settings, output));
                ExitCode::SUCCESS
            }
            Err(error) => {
                output.error(&error);
                ExitCode::from(WRONG_USAGE)
            }
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(output, &error),
    };
    let telemetry = match telemetry::Telemetry::start(&cli, &file, runtime.handle()) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            output.error(&error);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if let Command::Tool(tool) = cli.command {
        return match runtime.block_on(tool::run(tool, &file, output)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                output.failure(&failure);
                ExitCode::from(failure.exit_status())
            }
        };
    }
    let ended = runtime.block_on(run::run(cli, &file, output));
    telemetry.end();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(output, error.as_ref()),
    }
}

/// What clap has to say: help and version as they are; an error as a line of JSON for who wants that.
fn misread(error: &clap::Error, line: &[std::ffi::OsString]) -> ExitCode {
    let wants_json = line.iter().take_while(|word| *word != "--").any(|word| word == "--json")
        || std::env::var("KASSA_JSON")
            .is_ok_and(|said| ["1", "true", "yes", "on"].contains(&&*said));
    if !error.use_stderr() || !wants_json {
        error.exit();
    }
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let failure = tool::Failure::usage(message).detail("explanation", text.trim());
    report::Output::Json.failure(&failure.remedy("see the usage with --help"));
    ExitCode::from(WRONG_USAGE)
}

fn failed(output: report::Output, error: &dyn std::error::Error) -> ExitCode {
    output.error(error);
    ExitCode::FAILURE
}
