//! The command line of Kassa: reads what it is told, starts the parts, says where they are, and
//! stops them in order.
//!
//! It wires and reports. It must hold no rule of any part: what a part does is the part's own
//! business, and the parts know nothing of each other.

mod cli;
mod credentials;
mod doors;
mod file;
mod keep;
mod master_key;
mod operator;
mod report;
mod run;
mod settings;
mod tool;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::{Cli, Command};

/// What the program ends with when what was asked for cannot be asked for.
const WRONG_USAGE: u8 = 2;

/// Runs the program: 0 when it did what was asked, 1 when that failed, 2 on wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse_from(cli::with_default_command(std::env::args_os()));
    if let Command::Completions { shell } = &cli.command {
        let mut command = Cli::command();
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut command, "kassa", &mut script);
        report::out(&String::from_utf8_lossy(&script));
        return ExitCode::SUCCESS;
    }
    let output = if cli.json { report::Output::Json } else { report::Output::Human };
    log_to_stderr(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(output, &error),
    };
    if let Command::Tool(tool) = cli.command {
        let file = match file::File::load(cli.config.as_deref()) {
            Ok(file) => file,
            Err(error) => {
                output.error(&error);
                return ExitCode::from(WRONG_USAGE);
            }
        };
        return match runtime.block_on(tool::run(tool, &file, output)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                output.failure(&failure);
                ExitCode::from(failure.exit_status())
            }
        };
    }
    match runtime.block_on(run::run(cli, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<file::FileError>() => {
            output.error(error.as_ref());
            ExitCode::from(WRONG_USAGE)
        }
        Err(error) => failed(output, error.as_ref()),
    }
}

fn failed(output: report::Output, error: &dyn std::error::Error) -> ExitCode {
    output.error(error);
    ExitCode::FAILURE
}

fn log_to_stderr(cli: &Cli) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&cli.log).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Whoever embeds this library may have set a subscriber already; theirs then stands.
    let _ = if cli.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}
