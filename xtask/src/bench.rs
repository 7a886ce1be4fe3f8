//! `cargo xtask bench`: builds with optimisations and measures.
//!
//! What is measured, and how, is in `crates/bench`.

use crate::postgres::{Durability, Server};
use crate::process::{self, Outcome};
use crate::tools;

/// The variable that tells the measurements where a PostgreSQL is.
const POSTGRES: &str = "KASSA_BENCH_POSTGRES";

/// Builds the program that is measured from outside, then runs the measurements. What PostgreSQL can do is
/// measured where it is installed, on a server of this run's own.
pub(crate) fn run(names: &[String]) -> Outcome<()> {
    process::run(process::cargo().args(["build", "--release", "--quiet", "-p", "kassa"]))?;
    let is_wanted = names.is_empty() || names.iter().any(|name| name == "flows");
    let server = match tools::initdb() {
        Some(_) if is_wanted => Some(Server::start_with(Durability::Machine)?),
        Some(_) | None => None,
    };
    let mut bench = process::cargo();
    bench.args(["run", "--release", "--quiet", "-p", "bench", "--"]).args(names);
    if let Some(server) = &server {
        bench.env(POSTGRES, server.url());
    }
    process::run(&mut bench)
}
