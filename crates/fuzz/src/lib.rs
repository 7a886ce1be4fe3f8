//! What is thrown at Kassa's parsers and validators, and what must hold whatever it is.
//!
//! A target is a function of bytes that panics when something that must hold does not. Two things drive
//! them: `cargo xtask fuzz` with an engine that is guided by coverage, for as long as one likes, and the
//! tests of this crate with the seeds of `corpus/` and what a plain generator makes of them, for a moment.
//! A target may know everything public of the crates it tries; it keeps nothing from one input to the next.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a target says by a panic that something does not hold"
)]

mod answers;
mod bodies;
mod carts;
mod input;
mod mutate;
mod reports;
mod simulator;

pub use self::input::Input;
pub use self::mutate::Mutator;

/// Something to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called on the command line; its seeds are in the folder of this name.
    pub name: &'static str,
    /// Tries one input. Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// Everything that is tried.
pub const TARGETS: &[Target] = &[
    Target { name: "payments", run: bodies::payments },
    Target { name: "orders", run: bodies::orders },
    Target { name: "tokens", run: bodies::tokens },
    Target { name: "hosted", run: bodies::hosted },
    Target { name: "in-store", run: bodies::in_store },
    Target { name: "disputes", run: bodies::disputes },
    Target { name: "disputes-v2", run: bodies::disputes_v2 },
    Target { name: "settlements", run: bodies::settlements },
    Target { name: "errors", run: bodies::errors },
    Target { name: "carts", run: carts::build },
    Target { name: "lines", run: carts::lines },
    Target { name: "report-rows", run: reports::rows },
    Target { name: "report-text", run: reports::text },
    Target { name: "report-pdf", run: reports::pdf },
    Target { name: "answers", run: answers::answer },
    Target { name: "uploads", run: answers::upload },
    Target { name: "client-tokens", run: simulator::client_tokens },
    Target { name: "sftp-paths", run: simulator::sftp_paths },
    Target { name: "clock", run: simulator::clock },
    Target { name: "placeholders", run: simulator::placeholders },
    Target { name: "forms", run: simulator::forms },
    Target { name: "queries", run: simulator::queries },
    Target { name: "fault-paths", run: simulator::fault_paths },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
