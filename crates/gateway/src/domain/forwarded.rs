//! Who calls, when calls come through proxies.
//!
//! A proxy writes into `X-Forwarded-For` whom it was called by, behind what was there already: the last
//! entries are its own and those of the proxies before it, the first ones are whatever the caller liked to
//! say. So the list is read from its end, and only for as long as each address belongs to a network that
//! the configuration names. Whoever calls without such a proxy is believed nothing.

use core::net::{IpAddr, SocketAddr};
use std::fmt;
use std::str::FromStr;

/// A network, such as `10.0.0.0/8`; a single address is one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a network is an address, or an address and how many of its bits count, such as 10.0.0.0/8, \
     192.0.2.7 or 2001:db8::/32; bits that do not count are zero"
)]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = width(address);
        let prefix = match prefix {
            Some(digits) if !digits.starts_with('+') => digits.parse().map_err(|_| NotANetwork)?,
            Some(_) => return Err(NotANetwork),
            None => most,
        };
        if prefix > most || bits(address) & !mask(most, prefix) != 0 {
            return Err(NotANetwork);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The bits that count, of so many.
fn mask(width: u8, prefix: u8) -> u128 {
    let all = if width == 32 { u128::from(u32::MAX) } else { u128::MAX };
    let free = u32::from(width.saturating_sub(prefix));
    let low = if free >= 128 { u128::MAX } else { (1_u128 << free) - 1 };
    all & !low
}

impl Network {
    /// Whether an address is in it. An IPv4 address written as an IPv6 one is the same address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let width = width(self.address);
        width == self::width(address)
            && (bits(address) ^ bits(self.address)) & mask(width, self.prefix) == 0
    }
}

/// Whose word about where a call comes from is believed: nobody's, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks)
    }
}

/// So many entries are read at most: no honest way here is longer.
const MOST_HOPS: usize = 32;

impl TrustedProxies {
    /// Whether an address is one of theirs.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who calls: the peer, or whom the trusted proxies between it and us say they were called by.
    /// `forwarded_for` are the values of `X-Forwarded-For`, in the order in which they came.
    pub fn caller<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut caller = peer.to_canonical();
        let hops = forwarded_for.rev().flat_map(|value| value.rsplit(','));
        for hop in hops.take(MOST_HOPS) {
            if !self.trust(caller) {
                break;
            }
            // What cannot be read ends the search: who stands behind it is not known.
            let Some(address) = address(hop.trim()) else { break };
            caller = address.to_canonical();
        }
        caller
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted(networks: &[&str]) -> TrustedProxies {
        networks.iter().map(|text| text.parse().unwrap()).collect::<Vec<Network>>().into()
    }

    #[track_caller]
    fn check(peer: &str, forwarded_for: &[&str], caller: &str) {
        let proxies = trusted(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
        let peer = peer.parse().unwrap();
        let found = proxies.caller(peer, forwarded_for.iter().copied());
        assert_eq!(found, caller.parse::<IpAddr>().unwrap(), "{forwarded_for:?}");
    }

    #[test]
    fn the_caller_is_whom_the_last_trusted_proxy_was_called_by() {
        check("203.0.113.9", &[], "203.0.113.9");
        check("10.1.2.3", &[], "10.1.2.3");
        check("10.1.2.3", &["203.0.113.9"], "203.0.113.9");
        check("10.1.2.3", &["203.0.113.9, 10.9.9.9"], "203.0.113.9");
        check("10.1.2.3", &["203.0.113.9", "10.9.9.9"], "203.0.113.9");
        check("::ffff:10.1.2.3", &["203.0.113.9:4711"], "203.0.113.9");
        check("2001:db8::1", &["[2001:470::5]:443"], "2001:470::5");
        check("2001:db8::1", &["[2001:470::5]"], "2001:470::5");
    }

    #[test]
    fn what_a_stranger_says_is_not_believed() {
        // Without a trusted proxy.
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        // In front of what the trusted proxy wrote.
        check("10.1.2.3", &["198.51.100.1, 203.0.113.9"], "203.0.113.9");
        check("10.1.2.3", &["10.0.0.1, 203.0.113.9"], "203.0.113.9");
        for nonsense in ["unknown", "", "_hidden", "203.0.113.9 or so", "300.1.1.1"] {
            check("10.1.2.3", &[nonsense], "10.1.2.3");
            check("10.1.2.3", &[&format!("198.51.100.1, {nonsense}")], "10.1.2.3");
        }
        // Everybody on the way is trusted: then the first of them calls.
        check("10.1.2.3", &["10.0.0.1, 192.0.2.7"], "10.0.0.1");
    }

    #[test]
    fn networks_are_read_strictly() {
        for good in
            ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "192.0.2.7/32", "::/0", "2001:db8::/32"]
        {
            assert!(good.parse::<Network>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0/8",
            "proxy",
            "::/129",
        ] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork), "{bad}");
        }
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn an_address_is_in_its_own_network_and_in_no_other(one in any::<[u8; 4]>(), other in any::<[u8; 4]>(), prefix in 0_u8..=32) {
            let all = u32::from_be_bytes(one);
            let kept = u32::try_from(mask(32, prefix)).unwrap();
            let network = Network { address: IpAddr::from((all & kept).to_be_bytes()), prefix };
            prop_assert!(network.contains(IpAddr::from(one)));
            let same = (u32::from_be_bytes(other) ^ all) & kept == 0;
            prop_assert_eq!(network.contains(IpAddr::from(other)), same);
            prop_assert_eq!(network.to_string().parse(), Ok(network));
        }

        #[test]
        fn whatever_is_said_the_caller_is_never_chosen_by_an_untrusted_peer(said in ".{0,80}") {
            let proxies = trusted(&["10.0.0.0/8"]);
            let peer: IpAddr = "203.0.113.9".parse().unwrap();
            prop_assert_eq!(proxies.caller(peer, [said.as_str()].into_iter()), peer);
            let _ = proxies.caller("10.0.0.1".parse().unwrap(), [said.as_str()].into_iter());
        }
    }
}
