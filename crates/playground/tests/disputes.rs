//! The Disputes API over HTTP: every operation of versions 4 and 2, what can be read in version 3, each
//! documented refusal, each published lifecycle on the clock, and what a dispute does to money.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail where it stands, and shares its helpers with others"
)]

#[path = "disputes/case.rs"]
mod case;
mod common;
#[path = "disputes/files.rs"]
mod files;
#[path = "disputes/lists.rs"]
mod lists;
#[path = "disputes/money.rs"]
mod money;
#[path = "common/receiver.rs"]
mod receiver;
#[path = "disputes/v2.rs"]
mod v2;
#[path = "disputes/v4.rs"]
mod v4;
#[path = "disputes/webhooks.rs"]
mod webhooks;
