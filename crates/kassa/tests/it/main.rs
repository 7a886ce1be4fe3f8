//! What a person, a script and a foreign client get from the whole program.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod accessible;
mod after_purchase;
mod api;
mod attention;
mod channels;
mod cli;
mod clients;
mod described;
mod doors;
mod foreign;
mod keep;
mod listen;
mod logs;
mod marked;
mod markets;
mod mobile;
mod mounts;
mod outcomes;
mod purchase;
mod recovery;
mod running;
mod staff;
mod steps;
mod surfaces;
mod terminal;
mod trigger;
mod uploads;
