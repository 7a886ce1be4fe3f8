//! The SDK against a running playground, and against servers that behave as scripted.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod areas;
mod blocking;
mod common;
mod connections;
mod disputes;
mod examples;
mod faults;
mod money;
mod orders;
mod other_apis;
mod pacing;
mod payments;
mod redaction;
mod scripted;
mod streams;
