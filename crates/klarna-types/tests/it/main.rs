//! The wire's shapes, to the byte, and the rules about money that hold for all of them.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod arithmetic;
mod cart;
mod disputes;
mod hosted_payment_page;
mod in_store;
mod properties;
mod settlements;
mod validate;
mod wire;
