//! Which subnet a network gets that names none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docker::Pool;
use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use sha2::{Digest, Sha256};

use crate::taken::{Taken, overlap};

/// The file with a number that is this machine's alone (machine-id(5)).
pub(crate) const MACHINE_ID: &str = "/etc/machine-id";

/// How long the prefix of a network from our own pools is: with 1,021 containers a /22 is full when the bridge is,
/// whose limit is 1,023 ports; and there are 960 such networks where Docker has 31.
const SIZE: u8 = 22;

/// The pools when `default-address-pools` names none: Docker's own ranges, cut smaller.
///
/// 172.17.0.0/16 is left to the network `bridge`, as Docker users know it.
#[must_use]
pub(crate) fn standard() -> Vec<Pool> {
    let bases = [
        ([172, 18, 0, 0], 15),
        ([172, 20, 0, 0], 14),
        ([172, 24, 0, 0], 14),
        ([172, 28, 0, 0], 14),
        ([192, 168, 0, 0], 16),
    ];
    bases.into_iter().filter_map(|(base, prefix)| v4_pool(base, prefix, SIZE)).collect()
}

/// The pools for the network `bridge`: Docker's own subnet first.
#[must_use]
pub(crate) fn of_default_bridge() -> Vec<Pool> {
    let mut pools: Vec<Pool> = v4_pool([172, 17, 0, 0], 16, 16).into_iter().collect();
    pools.extend(standard());
    pools
}

fn v4_pool(base: [u8; 4], prefix: u8, size: u8) -> Option<Pool> {
    Pool::new(IpNetwork::V4(Ipv4Network::new(Ipv4Addr::from(base), prefix).ok()?), size).ok()
}

/// A pool of IPv6 networks that is this machine's own: a /48 of the unique local addresses (RFC 4193), whose 40 random
/// bits follow from the machine's id, in networks of 64 bits.
#[must_use]
pub(crate) fn unique_local(machine_id: &str) -> Option<Pool> {
    let digest = Sha256::digest(format!("netctl {}", machine_id.trim()).as_bytes());
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(digest.get(..5)?);
    Pool::new(IpNetwork::V6(Ipv6Network::new(Ipv6Addr::from(octets), 48).ok()?), 64).ok()
}

/// The first subnet of the pools that overlaps with nothing that is taken.
#[must_use]
pub(crate) fn find_free(pools: &[Pool], taken: &[Taken], v6: bool) -> Option<IpNetwork> {
    let of_family = pools.iter().filter(|pool| pool.base().is_ipv6() == v6);
    { of_family }.find_map(|pool| first_free(pool, taken))
}

/// Goes on behind whatever is in the way, so that a large pool with a large neighbour costs one step and no million.
fn first_free(pool: &Pool, taken: &[Taken]) -> Option<IpNetwork> {
    let end = bits(pool.base().broadcast());
    let step = size_of(pool);
    let mut at = bits(pool.base().network());
    loop {
        let candidate = network(pool, at)?;
        let in_the_way = taken.iter().map(|taken| taken.network).filter(|taken| overlap(*taken, candidate));
        let Some(behind) = in_the_way.map(|taken| bits(taken.broadcast())).max() else {
            return Some(candidate);
        };
        // Up to the next multiple of the size: bases have no bits below it.
        at = (behind.max(at) / step).checked_add(1)?.checked_mul(step)?;
        if at > end {
            return None;
        }
    }
}

fn size_of(pool: &Pool) -> u128 {
    let bits = if pool.base().is_ipv4() { 32 } else { 128 };
    1_u128.checked_shl(bits - u32::from(pool.size())).unwrap_or(u128::MAX)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn network(pool: &Pool, at: u128) -> Option<IpNetwork> {
    let address = match pool.base() {
        IpNetwork::V4(_) => IpAddr::V4(u32::try_from(at).ok()?.into()),
        IpNetwork::V6(_) => IpAddr::V6(at.into()),
    };
    IpNetwork::new(address, pool.size()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taken::By;

    fn taken(networks: &[&str]) -> Vec<Taken> {
        let taken = |network: &&str| Taken { network: network.parse().unwrap(), by: By::Nameserver };
        networks.iter().map(taken).collect()
    }

    fn free(networks: &[&str]) -> Option<String> {
        find_free(&standard(), &taken(networks), false).map(|network| network.to_string())
    }

    #[test]
    fn the_first_network_is_the_first_of_the_pools() {
        assert_eq!(free(&[]).unwrap(), "172.18.0.0/22");
        let first = find_free(&of_default_bridge(), &[], false).unwrap();
        assert_eq!(first.to_string(), "172.17.0.0/16");
    }

    #[test]
    fn what_is_taken_is_passed_over_be_it_larger_or_smaller() {
        assert_eq!(free(&["172.18.0.0/22"]).unwrap(), "172.18.4.0/22");
        assert_eq!(free(&["172.18.0.77/32", "172.18.6.0/24"]).unwrap(), "172.18.8.0/22");
        assert_eq!(free(&["172.16.0.0/12"]).unwrap(), "192.168.0.0/22");
        assert_eq!(free(&["172.16.0.0/12", "192.168.0.0/17"]).unwrap(), "192.168.128.0/22");
        assert_eq!(free(&["172.16.0.0/12", "192.168.0.0/16"]), None);
        assert_eq!(free(&["fd00::/8"]).unwrap(), "172.18.0.0/22");
    }

    #[test]
    fn every_network_of_the_pools_is_given_out_before_they_are_empty() {
        let mut given: Vec<Taken> = Vec::new();
        while let Some(network) = find_free(&standard(), &given, false) {
            assert!(given.iter().all(|taken| !overlap(taken.network, network)), "{network}");
            given.push(Taken { network, by: By::Nameserver });
        }
        assert_eq!(given.len(), 960);
    }

    #[test]
    fn a_machine_has_an_ipv6_prefix_of_its_own_that_stays() {
        let [one, same, other] = ["a\n", "a", "b"].map(|id| unique_local(id).unwrap());
        assert_eq!(one.base(), same.base());
        assert_ne!(one.base(), other.base());
        let network = find_free(&[one], &[], true).unwrap();
        assert!(network.to_string().starts_with("fd") && network.prefix() == 64, "{network}");
    }
}
