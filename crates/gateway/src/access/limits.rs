//! How often something may happen, counted for each name (an address, an account) in memory that is
//! bounded: whoever has more names at hand than are counted waits with everyone whose name is not
//! among them. Behind a proxy that the configuration does not name as trusted, all callers come from one
//! address, and are slowed down together.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use parking_lot::Mutex;

/// So many within a window, then none until it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// How many.
    pub(crate) most: u32,
    /// Within how long, in milliseconds.
    pub(crate) window_ms: i64,
}

/// At most so many names are counted.
const MOST_NAMES: usize = 10_000;

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// A network address; a whole network, where one subscriber has one.
    Address(IpAddr),
    /// An account, by a digest: what was typed may be a password.
    Account(String),
    /// Everyone who is not counted apart.
    Others,
}

impl Name {
    /// Whoever calls from there.
    pub(crate) fn address(peer: Option<SocketAddr>) -> Self {
        peer.map_or(Self::Others, |peer| Self::Address(network(peer.ip())))
    }
}

/// A whole IPv6 network belongs to one subscriber, who can call from any address in it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since_ms: i64,
    count: u32,
}

#[derive(Debug, Default)]
struct Counts {
    windows: HashMap<Name, Window>,
    swept_at_ms: i64,
}

/// Counts, and says when it was enough.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Limit,
    counts: Mutex<Counts>,
}

impl Limiter {
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, counts: Mutex::default() }
    }

    /// Whether one more is allowed now.
    pub(crate) fn allows(&self, name: &Name, now_ms: i64) -> bool {
        let mut counts = self.counts.lock();
        self.sweep(&mut counts, now_ms);
        let name = place(&counts.windows, name);
        counts
            .windows
            .get(&name)
            .is_none_or(|window| self.is_over(*window, now_ms) || window.count < self.limit.most)
    }

    /// Counts one.
    pub(crate) fn count(&self, name: &Name, now_ms: i64) {
        let mut counts = self.counts.lock();
        self.sweep(&mut counts, now_ms);
        let name = place(&counts.windows, name);
        let fresh = Window { since_ms: now_ms, count: 0 };
        let window = counts.windows.entry(name).or_insert(fresh);
        if self.is_over(*window, now_ms) {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
    }

    /// Counts one, if it is allowed.
    pub(crate) fn take(&self, name: &Name, now_ms: i64) -> bool {
        let allowed = self.allows(name, now_ms);
        if allowed {
            self.count(name, now_ms);
        }
        allowed
    }

    /// How long a window lasts, in whole seconds: what `Retry-After` says.
    pub(crate) fn window_seconds(&self) -> i64 {
        self.limit.window_ms / 1000
    }

    fn is_over(&self, window: Window, now_ms: i64) -> bool {
        // A clock that was set back ends a window too.
        !(0..self.limit.window_ms).contains(&(now_ms - window.since_ms))
    }

    /// Forgets windows that are over: once in a window, and whenever there is no more room.
    fn sweep(&self, counts: &mut Counts, now_ms: i64) {
        let due = !(0..self.limit.window_ms).contains(&(now_ms - counts.swept_at_ms));
        if due || counts.windows.len() >= MOST_NAMES {
            counts.windows.retain(|_, window| !self.is_over(*window, now_ms));
            counts.swept_at_ms = now_ms;
        }
    }
}

/// Under which name a caller is counted.
fn place(windows: &HashMap<Name, Window>, name: &Name) -> Name {
    if windows.contains_key(name) || windows.len() < MOST_NAMES {
        name.clone()
    } else {
        Name::Others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { most: 10, window_ms: 60_000 };

    fn address(text: &str) -> Name {
        Name::address(Some(SocketAddr::new(text.parse().unwrap(), 1)))
    }

    #[test]
    fn guessing_is_slowed_down_and_forgiven() {
        let limiter = Limiter::new(LIMIT);
        let stranger = address("192.0.2.1");
        for _ in 0..LIMIT.most {
            assert!(limiter.take(&stranger, 0));
        }
        assert!(!limiter.take(&stranger, LIMIT.window_ms - 1));
        assert!(limiter.take(&stranger, LIMIT.window_ms));
    }

    #[test]
    fn a_stranger_locks_nobody_else_out() {
        let limiter = Limiter::new(LIMIT);
        for (one, same, other) in [
            (address("192.0.2.1"), address("::ffff:192.0.2.1"), address("192.0.2.2")),
            (address("2001:db8::1"), address("2001:db8::ffff:2"), address("2001:db8:0:1::1")),
            (Name::address(None), Name::address(None), address("198.51.100.1")),
            (
                Name::Account("a".to_owned()),
                Name::Account("a".to_owned()),
                Name::Account("b".to_owned()),
            ),
        ] {
            for _ in 0..LIMIT.most {
                limiter.count(&one, 0);
            }
            assert!(!limiter.allows(&same, 0), "{same:?}");
            assert!(limiter.allows(&other, 0), "{other:?}");
        }
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let limiter = Limiter::new(LIMIT);
        for number in 0..u32::try_from(MOST_NAMES).unwrap() + 50 {
            let name = Name::Address(IpAddr::from(number.to_be_bytes()));
            limiter.count(&name, 0);
        }
        assert!(limiter.counts.lock().windows.len() <= MOST_NAMES + 1);
        let late = address("203.0.113.9");
        assert!(!limiter.allows(&late, 0));
        assert!(limiter.allows(&late, LIMIT.window_ms));
        assert!(limiter.counts.lock().windows.len() <= 1);
    }
}
