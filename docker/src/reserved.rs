//! Networks that mean something else, so that no network of containers can be there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use subnet::overlap;

/// A network that means something else (the registries of special addresses, RFC 6890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    first: IpAddr,
    prefix: u8,
    name: &'static str,
    purpose: &'static str,
}

const fn v4(a: u8, b: u8, prefix: u8, name: &'static str, purpose: &'static str) -> Reserved {
    Reserved { first: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), prefix, name, purpose }
}

const fn v6(bits: u128, prefix: u8, name: &'static str, purpose: &'static str) -> Reserved {
    Reserved { first: IpAddr::V6(Ipv6Addr::from_bits(bits)), prefix, name, purpose }
}

static ALL: [Reserved; 9] = [
    // RFC 1122, section 3.2.1.3 (a)
    v4(0, 0, 8, "this network", "only the sender of a host without an address is there"),
    // RFC 1122, section 3.2.1.3 (g)
    v4(127, 0, 8, "loopback", "every host has these addresses to talk to itself"),
    // RFC 3927
    v4(
        169,
        254,
        16,
        "link-local",
        "hosts without a server for addresses, and the clouds' metadata, are there",
    ),
    // RFC 5771
    v4(224, 0, 4, "multicast", "these addresses name groups of hosts"),
    // RFC 1112, section 4, and RFC 919
    v4(240, 0, 4, "reserved", "hosts and routers drop these addresses, and the last is broadcast"),
    // RFC 4291, section 2.5.3
    v6(1, 128, "loopback", "every host has this address to talk to itself"),
    // RFC 4291, section 2.5.5.2
    v6(0xffff_0000_0000, 96, "IPv4-mapped", "programs write IPv4 addresses that way"),
    // RFC 4291, section 2.5.6
    v6(0xfe80 << 112, 10, "link-local", "every interface makes itself such an address"),
    // RFC 4291, section 2.7
    v6(0xff00 << 112, 8, "multicast", "these addresses name groups of hosts"),
];

impl Reserved {
    /// The network.
    #[must_use]
    pub fn network(&self) -> IpNetwork {
        // The table's lengths fit their families; a test reads all of it.
        IpNetwork::new(self.first, self.prefix).unwrap_or_else(|_| self.first.into())
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is there for.
    #[must_use]
    pub const fn purpose(&self) -> &'static str {
        self.purpose
    }
}

/// `127.0.0.0/8 (loopback: every host has these addresses to talk to itself)`
impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: {})", self.network(), self.name, self.purpose)
    }
}

/// The first of the reserved networks that has an address in common with `network`.
#[must_use]
pub fn reserved(network: IpNetwork) -> Option<Reserved> {
    ALL.iter().find(|reserved| overlap(reserved.network(), network)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(network: &str) -> Option<String> {
        reserved(network.parse().unwrap())
            .map(|reserved| format!("{} {}", reserved.network(), reserved.name()))
    }

    #[test]
    fn every_reserved_network_is_found_from_inside_as_itself_and_from_outside() {
        let cases = [
            ("0.0.0.0/8 this network", ["0.1.0.0/16", "0.0.0.0/8", "0.0.0.0/7"]),
            ("127.0.0.0/8 loopback", ["127.1.2.0/24", "127.0.0.0/8", "126.0.0.0/7"]),
            ("169.254.0.0/16 link-local", ["169.254.169.0/24", "169.254.0.0/16", "169.240.0.0/12"]),
            ("224.0.0.0/4 multicast", ["239.1.0.0/16", "224.0.0.0/4", "224.0.0.0/3"]),
            ("240.0.0.0/4 reserved", ["255.255.255.0/24", "240.0.0.0/4", "250.1.2.3/30"]),
            ("::1/128 loopback", ["::1/128", "::/64", "::/16"]),
            ("::ffff:0.0.0.0/96 IPv4-mapped", ["::ffff:10.0.0.0/120", "::ffff:0:0/96", "::ffff:0:0/95"]),
            ("fe80::/10 link-local", ["fe80::/64", "fe80::/10", "fe00::/8"]),
            ("ff00::/8 multicast", ["ff05::/16", "ff00::/8", "ff80::/9"]),
        ];
        assert_eq!(cases.len(), ALL.len());
        for (expected, networks) in cases {
            for network in networks {
                assert_eq!(found(network).as_deref(), Some(expected), "{network}");
            }
        }
    }

    #[test]
    fn what_lies_beside_a_reserved_network_is_free() {
        let free = [
            "1.0.0.0/8",
            "126.0.0.0/8",
            "128.0.0.0/8",
            "169.253.0.0/16",
            "169.255.0.0/16",
            "223.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "::2/127",
            "::1:0:0:0/96",
            "fe00::/9",
            "fec0::/10",
            "fd00::/8",
            "2001:db8::/32",
        ];
        for network in free {
            assert_eq!(found(network), None, "{network}");
        }
    }

    #[test]
    fn it_says_what_the_network_is_there_for() {
        let metadata = reserved("169.254.169.254/32".parse().unwrap()).unwrap();
        assert_eq!(
            metadata.to_string(),
            "169.254.0.0/16 (link-local: hosts without a server for addresses, and the clouds' metadata, are there)"
        );
    }
}
