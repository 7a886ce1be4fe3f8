//! Slows guessing down: after some wrong passwords for a user name from one address, further ones are
//! not even looked at for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many wrong attempts are looked at in a window.
const ALLOWED: u32 = 20;

/// How long a window is.
const WINDOW: Duration = Duration::from_secs(60);

/// How many addresses and names are remembered.
const REMEMBERED: usize = 4_096;

type Who = (IpAddr, String);

/// The wrong attempts of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Who, (Instant, u32)>>);

impl Attempts {
    /// Whether this attempt may be looked at.
    pub(super) fn may_try(&self, address: IpAddr, username: &str, now: Instant) -> bool {
        let seen = self.0.lock();
        seen.get(&(address, username.to_owned()))
            .is_none_or(|(since, count)| *count < ALLOWED || now.duration_since(*since) >= WINDOW)
    }

    /// Remembers that an attempt was wrong.
    pub(super) fn failed(&self, address: IpAddr, username: &str, now: Instant) {
        let mut seen = self.0.lock();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        if seen.len() >= REMEMBERED {
            // Someone tries a great many names; each of them is tried anew.
            seen.clear();
        }
        let (since, count) = seen.entry((address, username.to_owned())).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_guessing_ends() {
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..ALLOWED {
            assert!(attempts.may_try(here, "K1", start));
            attempts.failed(here, "K1", start);
        }
        assert!(!attempts.may_try(here, "K1", start));
        assert!(attempts.may_try(here, "K2", start));
        assert!(attempts.may_try(there, "K1", start));
        assert!(attempts.may_try(here, "K1", start + WINDOW));
        attempts.failed(here, "K1", start + WINDOW);
        assert!(attempts.may_try(here, "K1", start + WINDOW));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..2 * REMEMBERED {
            attempts.failed(IpAddr::from([127, 0, 0, 1]), &number.to_string(), now);
        }
        assert!(attempts.0.lock().len() <= REMEMBERED);
    }
}
