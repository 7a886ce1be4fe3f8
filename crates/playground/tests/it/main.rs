//! Klarna's side of the wire, tried over HTTP, SFTP and TLS.
//!
//! One program, since linking is what a build of tests waits for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking, and its helpers are nobody else's"
)]

mod browser_api;
mod callbacks;
mod common;
mod customer_tokens;
mod disputes;
mod every_operation;
mod faults;
mod hosted_page;
mod identity;
mod in_store;
mod in_store_pages;
mod orders;
mod payment_requests;
mod payments;
mod platform;
#[path = "common/receiver.rs"]
mod receiver;
mod settlements;
mod sftp;
#[path = "common/sftp.rs"]
mod sftp_client;
mod tls;
mod web_sdk;
#[path = "common/wire.rs"]
mod wire;
