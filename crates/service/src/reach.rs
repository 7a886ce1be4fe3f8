//! Which addresses a program may be made to call.
//!
//! A URL that a stranger gave us must not lead us to machines that only we can reach. Names are not
//! judged, addresses are: what a name means is known when it is resolved, and a name may mean something
//! else a moment later. So [`HttpClient`](crate::http::HttpClient) asks here for each address that it is
//! about to connect to. Pure: no sockets, no resolving.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a client may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Anywhere.
    #[default]
    Anywhere,
    /// This machine, its networks and the internet, but not what answers for the machine itself:
    /// link-local addresses and those of a cloud's metadata.
    Networks,
    /// The internet alone.
    Internet,
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// A host on the internet.
    Public,
    /// This machine.
    Loopback,
    /// A host of a private network (RFC 1918, shared space of RFC 6598, unique local IPv6).
    Private,
    /// The same cable; clouds answer here with a machine's secrets.
    LinkLocal,
    /// Answers for the machine it is asked from: a cloud's metadata or agent service.
    Metadata,
    /// Not an address of one host: unspecified, multicast, broadcast, or set aside.
    Special,
}

impl Reach {
    /// Whether an address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        match AddressClass::of(address) {
            AddressClass::Public => true,
            AddressClass::Loopback | AddressClass::Private => self != Self::Internet,
            AddressClass::LinkLocal | AddressClass::Metadata | AddressClass::Special => {
                self == Self::Anywhere
            }
        }
    }
}

impl AddressClass {
    /// What this address is for. One that carries an IPv4 address inside is what that address is.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            // Azure's agent, Alibaba's and Oracle's older metadata: public or shared by their look.
            [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Self::Metadata,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            // "This network", IETF's own, documentation, relay and benchmarks, multicast, the rest.
            [0 | 224..=255, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _] => Self::Special,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_loopback() {
            return Self::Loopback;
        }
        if address.is_unspecified() {
            return Self::Special;
        }
        if let Some(inner) = embedded_v4(address) {
            return Self::of_v4(inner);
        }
        match address.segments() {
            // Amazon's metadata has an address of its own among the unique local ones.
            [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Self::Metadata,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, the site-local addresses before them, and a network's own translation to
            // IPv4: where that leads is its own affair.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x0064, 0xff9b, 1, ..] => Self::Private,
            // IETF's own (Teredo among them), and documentation.
            [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Self::Special,
            // What is given out for hosts.
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Special,
        }
    }
}

/// The IPv4 address within: mapped, compatible, translated by NAT64, or of 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(first, second, third, fourth)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "an address of this machine",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a machine's metadata service",
            Self::Special => "no address of a host",
        })
    }
}

/// An address that may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {}, where this program may not call", AddressClass::of(*address))]
pub struct Refused {
    /// Which one.
    pub address: IpAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(address: &str) -> AddressClass {
        AddressClass::of(address.parse().unwrap())
    }

    #[test]
    fn every_kind_of_address_is_known() {
        for (expected, addresses) in [
            (
                AddressClass::Public,
                &[
                    "8.8.8.8",
                    "172.15.255.255",
                    "172.32.0.1",
                    "100.63.255.255",
                    "100.128.0.1",
                    "169.253.1.1",
                    "192.0.1.1",
                    "198.20.0.1",
                    "223.255.255.255",
                    "126.1.1.1",
                    "2606:4700::1111",
                    "2a00:1450::1",
                    "::ffff:8.8.8.8",
                    "64:ff9b::8.8.8.8",
                    "2002:808:808::1",
                ][..],
            ),
            (
                AddressClass::Loopback,
                &[
                    "127.0.0.1",
                    "127.255.255.254",
                    "::1",
                    "::ffff:127.0.0.1",
                    "::127.0.0.1",
                    "64:ff9b::7f00:1",
                    "2002:7f00:1::",
                    "::ffff:0:127.0.0.1",
                ],
            ),
            (
                AddressClass::Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "100.64.0.1",
                    "100.127.255.255",
                    "fc00::1",
                    "fd12:3456::1",
                    "fec0::1",
                    "::ffff:10.1.2.3",
                    "64:ff9b:1::1",
                    "2002:c0a8:101::1",
                ],
            ),
            (
                AddressClass::LinkLocal,
                &[
                    "169.254.0.1",
                    "169.254.169.254",
                    "169.254.170.2",
                    "fe80::1",
                    "febf::1",
                    "::ffff:169.254.169.254",
                    "::a9fe:a9fe",
                    "2002:a9fe:a9fe::",
                ],
            ),
            (
                AddressClass::Metadata,
                &[
                    "168.63.129.16",
                    "100.100.100.200",
                    "192.0.0.192",
                    "fd00:ec2::254",
                    "::ffff:168.63.129.16",
                ],
            ),
            (
                AddressClass::Special,
                &[
                    "0.0.0.0",
                    "0.1.2.3",
                    "192.0.2.1",
                    "198.18.0.1",
                    "198.51.100.7",
                    "203.0.113.9",
                    "224.0.0.1",
                    "239.255.255.255",
                    "255.255.255.255",
                    "240.0.0.1",
                    "192.88.99.1",
                    "::",
                    "ff02::1",
                    "2001::1",
                    "2001:db8::1",
                    "3fff::1",
                    "4000::1",
                    "100::1",
                    "::ffff:0.0.0.0",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(class(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn each_reach_ends_where_it_says() {
        let allowed = |reach: Reach| -> Vec<&str> {
            ["8.8.8.8", "127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "0.0.0.0"]
                .into_iter()
                .filter(|address| reach.allows(address.parse().unwrap()))
                .collect()
        };
        assert_eq!(allowed(Reach::Internet), ["8.8.8.8"]);
        assert_eq!(allowed(Reach::Networks), ["8.8.8.8", "127.0.0.1", "10.0.0.1"]);
        assert_eq!(allowed(Reach::Anywhere).len(), 6);
    }

    #[test]
    fn a_refusal_says_what_the_address_is() {
        let refused = Refused { address: "::ffff:169.254.169.254".parse().unwrap() };
        assert_eq!(
            refused.to_string(),
            "::ffff:169.254.169.254 is a link-local address, where this program may not call"
        );
    }
}
