//! Which subnet a network gets that names none.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use docker::Pool;
use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use sha2::{Digest, Sha256};
use subnet::{Family, bits};

use crate::taken::Taken;

/// The file with a number that is this machine's alone (machine-id(5)).
const MACHINE_ID: &str = "/etc/machine-id";

/// How long the prefix of a network from our own pools is: with 1,021 containers a /22 is full when the bridge is,
/// whose limit is 1,023 ports; and there are 960 such networks where Docker has 31.
const SIZE: u8 = 22;

/// The machine's id; without one all such machines have the same.
#[must_use]
pub(crate) fn machine_id() -> String {
    fs::read_to_string(MACHINE_ID).unwrap_or_default()
}

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
pub(crate) fn find_free(pools: &[Pool], taken: &[Taken], family: Family) -> Option<IpNetwork> {
    let mut of_family = pools.iter().filter(|pool| Family::of_network(pool.base()) == family);
    of_family.find_map(|pool| first_free(pool, taken))
}

/// Goes from one network that is in the way to the next, not from one candidate to the next: an IPv6 pool has millions.
fn first_free(pool: &Pool, taken: &[Taken]) -> Option<IpNetwork> {
    let base = pool.base();
    let family = Family::of_network(base);
    let in_the_way =
        taken.iter().map(|taken| taken.network).filter(|network| subnet::overlap(*network, base));
    let mut in_the_way: Vec<(u128, u128)> =
        in_the_way.map(|network| (bits(network.network()), bits(network.broadcast()))).collect();
    in_the_way.sort_unstable();
    let size = 1_u128.checked_shl(u32::from(family.width() - pool.size()))?;
    let mut at = bits(base.network());
    for (first, last) in in_the_way {
        if at.checked_add(size - 1)? < first {
            break;
        }
        // Up to the next multiple of the size: the base has no bits below it.
        at = at.max((last / size).checked_add(1)?.checked_mul(size)?);
    }
    let free = IpNetwork::new(family.address(at), pool.size()).ok()?;
    (at <= bits(base.broadcast())).then_some(free)
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
        find_free(&standard(), &taken(networks), Family::V4).map(|network| network.to_string())
    }

    #[test]
    fn the_first_network_is_the_first_of_the_pools() {
        assert_eq!(free(&[]).unwrap(), "172.18.0.0/22");
        let first = find_free(&of_default_bridge(), &[], Family::V4).unwrap();
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
        while let Some(network) = find_free(&standard(), &given, Family::V4) {
            assert!(given.iter().all(|taken| !subnet::overlap(taken.network, network)), "{network}");
            given.push(Taken { network, by: By::Nameserver });
        }
        assert_eq!(given.len(), 960);
    }

    #[test]
    fn a_pool_may_end_where_the_addresses_end_and_be_full_there() {
        let pool = |base: &str, size| Pool::new(base.parse().unwrap(), size).unwrap();
        let free = |pool: Pool, networks: &[&str], family| find_free(&[pool], &taken(networks), family);
        let last = pool("fdff:ffff:ffff:ffff::/64", 66);
        assert_eq!(
            free(last, &["fdff:ffff:ffff:ffff::/65"], Family::V6).unwrap().to_string(),
            "fdff:ffff:ffff:ffff:8000::/66"
        );
        assert_eq!(free(last, &["fdff:ffff:ffff:ffff::/64"], Family::V6), None);
        assert_eq!(
            free(last, &["fdff:ffff:ffff:ffff::/65", "fdff:ffff:ffff:ffff:8000::/65"], Family::V6),
            None
        );
        // What overlaps the next candidate, too, is passed once; what lies before the pool is in nobody's way.
        let small = pool("10.0.0.0/24", 30);
        let taken = ["9.0.0.0/8", "10.0.0.3/32", "10.0.0.0/29", "10.0.0.9/32"];
        assert_eq!(free(small, &taken, Family::V4).unwrap().to_string(), "10.0.0.12/30");
    }

    #[test]
    fn a_machine_has_an_ipv6_prefix_of_its_own_that_stays() {
        let [one, same, other] = ["a\n", "a", "b"].map(|id| unique_local(id).unwrap());
        assert_eq!(one.base(), same.base());
        assert_ne!(one.base(), other.base());
        let network = find_free(&[one], &[], Family::V6).unwrap();
        assert!(network.to_string().starts_with("fd") && network.prefix() == 64, "{network}");
    }
}
