//! What the gateway promises, tried through its API, its pages and its engine.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod access;
mod after_purchase;
mod api;
mod attention;
mod books;
mod changes;
mod channels;
mod doors;
mod engine;
mod erasure;
#[path = "support/faulty.rs"]
mod faulty;
mod hooks_api;
mod intruders;
mod money;
mod observe;
mod people;
mod pressure;
#[path = "support/receiver.rs"]
mod receiver;
mod recurring;
mod restore;
mod search;
mod sign_ins;
mod stores;
#[path = "support/strangers.rs"]
mod strangers;
mod subscription_chances;
mod subscription_year;
mod support;
#[path = "support/town.rs"]
mod town;
mod webhooks;
#[path = "support/year.rs"]
mod year;
