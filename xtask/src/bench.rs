//! `cargo xtask bench`: builds with optimisations and measures.
//!
//! What is measured, and how, is in `crates/bench`.

use crate::process::{self, Outcome};

/// Builds the program that is measured from outside, then runs the measurements.
pub(crate) fn run(names: &[String]) -> Outcome<()> {
    process::run(process::cargo().args(["build", "--release", "--quiet", "-p", "kassa"]))?;
    process::run(
        process::cargo().args(["run", "--release", "--quiet", "-p", "bench", "--"]).args(names),
    )
}
