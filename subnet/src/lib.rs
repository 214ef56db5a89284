//! Addresses and subnets as numbers: one arithmetic for both families.
//!
//! [`IpNetwork`] is an address with the length of a prefix, and keeps the host's bits. Whoever means the subnet itself
//! says [`of`].

mod family;

use std::net::IpAddr;

use ipnetwork::IpNetwork;

pub use family::Family;

/// Reads `address/length`, host bits kept. [`IpNetwork`] would also take a bare address, and a mask in dotted
/// form; neither CNI nor Docker does.
#[must_use]
pub fn parse(text: &str) -> Option<IpNetwork> {
    let (address, length) = text.split_once('/')?;
    let is_number = (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = is_number.then(|| length.parse().ok()).flatten()?;
    IpNetwork::new(address.parse().ok()?, length).ok()
}

/// The subnet that an address is in: the same without host bits.
#[must_use]
pub fn of(address: IpNetwork) -> IpNetwork {
    // The length is one that fits the family, for it comes from a network of the same family.
    IpNetwork::new(address.network(), address.prefix()).unwrap_or(address)
}

/// Whether two networks have an address in common: of two such networks one holds the other.
#[must_use]
pub fn overlap(one: IpNetwork, other: IpNetwork) -> bool {
    one.contains(other.network()) || other.contains(one.network())
}

/// Whether all addresses of `inner` are in `outer`.
#[must_use]
pub fn holds(outer: IpNetwork, inner: IpNetwork) -> bool {
    outer.prefix() <= inner.prefix() && outer.contains(inner.network())
}

/// The first and the last address that a host may have: not the subnet's own, nor the broadcast address of IPv4.
///
/// Where the prefix is longer than [`Family::longest_prefix`], no host has room, and the two say nothing.
#[must_use]
pub fn hosts(subnet: IpNetwork) -> (IpAddr, IpAddr) {
    let last = subnet.broadcast();
    (step(subnet.network(), 1), if last.is_ipv4() { step(last, -1) } else { last })
}

/// The address `by` further on; behind the last one comes the first.
#[must_use]
pub fn step(address: IpAddr, by: i32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().wrapping_add_signed(by).into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().wrapping_add_signed(i128::from(by)).into()),
    }
}

/// The number that stands for an address; [`Family::address`] is the way back.
#[must_use]
pub fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> IpNetwork {
        parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_network_is_an_address_and_a_length_and_nothing_else() {
        for text in ["10.1.2.3/16", "0.0.0.0/0", "fd00::1/64", "::/128"] {
            assert_eq!(network(text).to_string(), text);
        }
        for text in [
            "",
            "/",
            "10.1.2.3",
            "10.1.2.3/",
            "10.1.2.3/33",
            "10.1.2.3/+8",
            "10.1.2.3/255.255.0.0",
            "::/0129",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_subnet_of_an_address_has_no_host_bits() {
        assert_eq!(of(network("10.1.2.3/16")), network("10.1.0.0/16"));
        assert_eq!(of(network("fd00::1/64")), network("fd00::/64"));
    }

    #[test]
    fn of_two_networks_that_overlap_one_holds_the_other() {
        let [large, small, beside] = ["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"].map(network);
        assert!(overlap(large, small) && overlap(small, large) && overlap(large, large));
        assert!(holds(large, small) && holds(large, large) && !holds(small, large));
        assert!(!overlap(large, beside) && !holds(large, beside));
        // A host's address is where its subnet is.
        assert!(holds(network("10.9.9.9/8"), small) && overlap(network("10.9.9.9/8"), small));
        let anywhere = [network("::/0"), network("0.0.0.0/0")];
        assert!(!overlap(anywhere[0], anywhere[1]) && !holds(anywhere[0], anywhere[1]));
    }

    #[test]
    fn hosts_have_neither_the_first_address_nor_in_ipv4_the_last() {
        let told = |text: &str| {
            let (first, last) = hosts(network(text));
            format!("{first} {last}")
        };
        assert_eq!(told("10.1.0.0/16"), "10.1.0.1 10.1.255.254");
        assert_eq!(told("10.1.2.3/30"), "10.1.2.1 10.1.2.2");
        assert_eq!(told("fd00::/126"), "fd00::1 fd00::3");
    }

    #[test]
    fn a_step_leads_over_the_end_of_a_byte_and_of_the_world() {
        let stepped = |text: &str, by| step(text.parse().unwrap(), by).to_string();
        assert_eq!(stepped("10.0.0.255", 1), "10.0.1.0");
        assert_eq!(stepped("10.0.1.0", -1), "10.0.0.255");
        assert_eq!(stepped("255.255.255.255", 1), "0.0.0.0");
        assert_eq!(stepped("fd00::ffff", 1), "fd00::1:0");
        assert_eq!(stepped("::", -1), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }
}
