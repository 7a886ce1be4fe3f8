//! Sign in with Klarna over HTTP: a client, a shopper with a browser's cookies, and everybody who would like to be
//! either of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail where they stand"
)]

#[path = "identity/attacks.rs"]
mod attacks;
mod common;
#[path = "identity/engines.rs"]
mod engines;
#[path = "identity/flow.rs"]
mod flow;
#[path = "identity/keys.rs"]
mod keys;
#[path = "identity/people.rs"]
mod people;
