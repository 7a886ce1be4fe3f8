//! The demo shop, tried as a browser without scripts would.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod storefront;
mod support;
mod ways;
