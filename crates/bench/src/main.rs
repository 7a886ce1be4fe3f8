//! What Kassa can do in a second on this machine, and how near that is to what the machine allows.
//!
//! Prints one JSON object per line, `{"name", "value", "unit"}`. A rate says little by itself, so each is also given as a
//! ratio to a bare system that does only the unavoidable part, measured in the same run: SQLite alone for what must be
//! durable, an axum handler that answers the same bytes for what is served. The systems take turns in many short
//! rounds; a ratio is the median of the ratios within a round, since a machine that does other things as well slows down
//! neighbouring measurements alike.
//!
//! `bench [--kassa PATH] [NAME …]`: all of [`NAMES`] unless some are named.

#![allow(clippy::float_arithmetic, reason = "rates and ratios are measured, not money")]

mod bare;
mod gateway;
mod http1;
mod many;
mod program;
mod report;
mod sdk;
mod serving;
mod settlement;
mod sqlite;
mod trade;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

/// As in the program that is measured, and the bare systems beside it have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What can be measured: the disk, serving, moving money, the SDK, a long settlement report, a full database, the program;
/// of the gateway payments in a second, what it adds to a call, its memory, a full database.
const NAMES: [&str; 11] = [
    "storage",
    "http",
    "trade",
    "sdk",
    "settlement",
    "orders",
    "program",
    "flows",
    "latency",
    "memory",
    "payments",
];

/// Whatever goes wrong ends the run with its text.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut kassa = None;
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kassa" => {
                kassa = Some(PathBuf::from(arguments.next().ok_or("--kassa needs a path")?));
            }
            // A measurement's own child process.
            "--prepare-settlement" => {
                let file =
                    PathBuf::from(arguments.next().ok_or("--prepare-settlement needs a path")?);
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                return runtime.block_on(settlement::prepare(&file));
            }
            name if NAMES.contains(&name) => wanted.push(argument),
            other => {
                let known = NAMES.join(", ");
                return Err(format!("there is no measurement `{other}`; known: {known}").into());
            }
        }
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if is_wanted("storage") {
        runtime.block_on(sqlite::measure())?;
    }
    if is_wanted("http") {
        runtime.block_on(serving::measure())?;
    }
    if is_wanted("trade") {
        runtime.block_on(trade::measure())?;
    }
    if is_wanted("sdk") {
        runtime.block_on(sdk::measure())?;
    }
    if is_wanted("settlement") {
        runtime.block_on(settlement::measure())?;
    }
    if is_wanted("orders") {
        runtime.block_on(many::measure())?;
    }
    if ["program", "flows", "latency", "memory", "payments"].into_iter().any(is_wanted) {
        let kassa = kassa.map_or_else(program::built_beside_this, Ok)?;
        if is_wanted("program") {
            program::measure(&kassa)?;
        }
        runtime.block_on(gateway::measure(&kassa, is_wanted))?;
    }
    Ok(())
}
