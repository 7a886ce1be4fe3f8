//! What tests share: a real browser ([`browser`]), the built program as a child process
//! ([`kassa`]), plain HTTP calls ([`http`]), and a reader of QR images ([`qr`]).
//!
//! Tests only: a helper here fails by panicking with a message that says what was waited for and
//! what was there instead. Nothing here knows the rules of a part; it presses buttons and reads.
//! There are no sleeps: everything waits for a condition, up to a deadline.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail where they stand"
)]

pub mod browser;
pub mod http;
pub mod kassa;
pub mod qr;

use std::time::Duration;

/// How long a condition may take to come true. Generous: a busy machine must not fail a test, and
/// a test that passes never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// How often a condition is looked at.
pub(crate) const INTERVAL: Duration = Duration::from_millis(25);

/// Looks until `probe` answers `Ok`; after [`DEADLINE`], panics with what it answered last.
///
/// # Panics
///
/// When the deadline passes.
pub async fn eventually<T, E, F>(what: &str, mut probe: F) -> T
where
    F: AsyncFnMut() -> Result<T, E>,
    E: std::fmt::Display,
{
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(error) if tokio::time::Instant::now() >= deadline => {
                panic!("waited {DEADLINE:?} for {what}: {error}")
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
