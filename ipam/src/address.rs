//! Addresses as numbers: one arithmetic for both families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The family of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The address that the number `bits` stands for.
    pub(crate) fn address(self, bits: u128) -> IpAddr {
        match self {
            // The cut is harmless: numbers of this family come from `bits` below and stay inside a subnet.
            Self::V4 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            Self::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

/// The number that stands for `address`.
pub(crate) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_the_way_to_a_number_and_back() {
        for text in ["0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "fd00::1", "ffff:ffff::ffff"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Family::of(address).address(bits(address)), address);
        }
    }
}
