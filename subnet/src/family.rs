//! The two families of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, whose addresses have 32 bits.
    V4,
    /// IPv6, whose addresses have 128 bits.
    V6,
}

impl Family {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The family of a network, or of an address with a prefix.
    #[must_use]
    pub const fn of_network(network: IpNetwork) -> Self {
        match network {
            IpNetwork::V4(_) => Self::V4,
            IpNetwork::V6(_) => Self::V6,
        }
    }

    /// How many bits an address has.
    #[must_use]
    pub const fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The longest prefix of a subnet that leaves room for a router and a container.
    #[must_use]
    pub const fn longest_prefix(self) -> u8 {
        self.width() - 2
    }

    /// The address that the number `bits` stands for.
    #[must_use]
    pub fn address(self, bits: u128) -> IpAddr {
        match self {
            // The cut is harmless: numbers of this family come from `bits` and stay inside a subnet.
            Self::V4 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            Self::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

impl fmt::Display for Family {
    /// `IPv4` or `IPv6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits;

    #[test]
    fn an_address_survives_the_way_to_a_number_and_back() {
        for text in ["0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "fd00::1", "ffff:ffff::ffff"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Family::of(address).address(bits(address)), address);
        }
    }

    #[test]
    fn a_family_is_told_from_a_network_as_from_an_address() {
        for (text, family) in [("10.0.0.0/8", Family::V4), ("::/0", Family::V6)] {
            let network = crate::parse(text).unwrap();
            assert_eq!((Family::of_network(network), Family::of(network.ip())), (family, family));
        }
        assert_eq!(Family::BOTH.map(|family| family.to_string()), ["IPv4", "IPv6"]);
        assert_eq!(Family::BOTH.map(Family::longest_prefix), [30, 126]);
    }
}
