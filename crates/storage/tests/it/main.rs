//! What every engine promises those who keep their books in it.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod backup;
mod crash;
mod planner;
mod suite;
