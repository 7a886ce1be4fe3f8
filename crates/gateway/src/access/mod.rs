//! What guards the doors: passwords, limits on guessing, and the address a caller is counted under.
//!
//! No endpoint and no page is here. What somebody may do is decided in `domain::scope` and
//! `domain::role`; this is about whether they are who they say.

pub(crate) mod limits;
pub(crate) mod passwords;
pub(crate) mod proxies;
pub(crate) mod seeds;

use limits::{Limit, Limiter};
use passwords::Passwords;

/// What the doors share. One for each process: a node counts its own callers.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Checks and makes password hashes, a few at a time.
    pub(crate) passwords: Passwords,
    /// Failed attempts to sign in, by address.
    pub(crate) failed_by_address: Limiter,
    /// Failed attempts to sign in, by account.
    pub(crate) failed_by_account: Limiter,
    /// Callbacks whose secret nobody knows, by address.
    pub(crate) unknown_callbacks: Limiter,
    /// Calls of browsers with a publishable key, by address.
    pub(crate) public_calls: Limiter,
}

const MINUTE_MS: i64 = 60 * 1000;

impl Default for Doors {
    fn default() -> Self {
        Self {
            passwords: Passwords::default(),
            failed_by_address: Limiter::new(Limit { most: 10, window_ms: MINUTE_MS }),
            // Slower than by address, and never for good: nobody can lock somebody else out for
            // longer than a quarter of an hour after the last guess.
            failed_by_account: Limiter::new(Limit { most: 20, window_ms: 15 * MINUTE_MS }),
            unknown_callbacks: Limiter::new(Limit { most: 120, window_ms: MINUTE_MS }),
            public_calls: Limiter::new(Limit { most: 600, window_ms: MINUTE_MS }),
        }
    }
}
