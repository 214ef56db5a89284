//! The subnets of a network: those that are named, checked against everything, and free ones for the rest.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use vocab::InterfaceName;

use super::{DesignError, SubnetPlan, Surroundings};
use crate::pool;
use crate::taken::{By, Taken, overlap};
use crate::wish::{Driver, Wish};

pub(super) fn plan(
    wish: &Wish,
    around: Surroundings<'_>,
    taken: &[Taken],
    link: &InterfaceName,
) -> Result<Vec<SubnetPlan>, DesignError> {
    let mut subnets = Vec::with_capacity(2);
    for subnet in &wish.subnets {
        check(*subnet, wish, taken)?;
        if let Some(other) = subnets.iter().find(|other| overlap(**other, *subnet)) {
            return Err(DesignError::SameTwice { subnet: *subnet, other: *other });
        }
        subnets.push(*subnet);
    }
    let named = subnets.len();
    subnets.extend(from_pools(wish, around, taken, &subnets)?);
    if subnets.is_empty() {
        return Err(DesignError::NoFamily);
    }
    let parts = Parts { gateways: &wish.gateways, ranges: &wish.ranges };
    parts.belong_to(subnets.get(..named).unwrap_or_default())?;
    let router = |subnet: IpNetwork| match wish.driver {
        Driver::Bridge => None,
        // The router of the host's network is its containers', too.
        Driver::Macvlan | Driver::Ipvlan => {
            around.facts.routers.iter().copied().find(|router| subnet.contains(*router))
        }
    };
    let gateway_is_host = wish.driver == Driver::Bridge;
    subnets
        .into_iter()
        .map(|subnet| parts.plan(subnet, router(subnet), gateway_is_host.then_some(link)))
        .collect()
}

/// Those that are named must not be anybody's yet.
fn check(subnet: IpNetwork, wish: &Wish, taken: &[Taken]) -> Result<(), DesignError> {
    let without_host_bits = IpNetwork::new(subnet.network(), subnet.prefix()).unwrap_or(subnet);
    if subnet != without_host_bits {
        return Err(DesignError::HostBits { subnet, expected: without_host_bits });
    }
    let longest = if subnet.is_ipv4() { 30 } else { 126 };
    if subnet.prefix() > longest {
        return Err(DesignError::TooSmall { subnet, longest });
    }
    if let Some(reserved) = docker::reserved(subnet) {
        return Err(DesignError::Reserved { subnet, reserved });
    }
    // A macvlan has the addresses of the network that its parent is in, so only other networks are in its way.
    let is_in_the_way = |taken: &&Taken| {
        overlap(taken.network, subnet)
            && (wish.driver == Driver::Bridge || matches!(taken.by, By::Network(_)))
    };
    match taken.iter().filter(is_in_the_way).max_by_key(|taken| rank(&taken.by)) {
        Some(taken) => Err(DesignError::Overlap { subnet, taken: Box::new(taken.clone()) }),
        None => Ok(()),
    }
}

/// What tells most: a network has a name, and a route says more than the address that it came with.
const fn rank(by: &By) -> u8 {
    match by {
        By::Network(_) => 3,
        By::Route { .. } => 2,
        By::Address { .. } => 1,
        By::Nameserver => 0,
    }
}

/// A free subnet for each family that the network is to have and that no subnet is named of.
fn from_pools(
    wish: &Wish,
    around: Surroundings<'_>,
    taken: &[Taken],
    named: &[IpNetwork],
) -> Result<Vec<IpNetwork>, DesignError> {
    let mut taken = taken.to_vec();
    taken.extend(named.iter().map(|network| Taken { network: *network, by: By::Network(wish.name.clone()) }));
    let wants_v4 = wish.ipv4 && !named.iter().any(IpNetwork::is_ipv4);
    let wants_v6 = wish.ipv6 && !named.iter().any(IpNetwork::is_ipv6);
    if wish.driver != Driver::Bridge && named.is_empty() {
        return Err(DesignError::NoSubnet { driver: wish.driver, parents: parents(wish, around) });
    }
    let mut found = Vec::new();
    for (v6, _) in [(false, wants_v4), (true, wants_v6)].into_iter().filter(|(_, wanted)| *wanted) {
        if wish.driver != Driver::Bridge && !v6 {
            continue;
        }
        let free = pool::find_free(around.pools, &taken, v6);
        let family = if v6 { "IPv6" } else { "IPv4" };
        found.push(free.ok_or(DesignError::PoolsEmpty { family })?);
    }
    Ok(found)
}

/// The subnets in which the parent of a macvlan is.
fn parents(wish: &Wish, around: Surroundings<'_>) -> Vec<IpNetwork> {
    let uplink = around.facts.uplink.as_ref().map(|uplink| &uplink.name);
    let Some(link) = wish.options.parent.as_ref().or(uplink) else { return Vec::new() };
    let addresses = around.facts.link(link).map_or(&[][..], |link| &link.addresses);
    let global = addresses.iter().filter(|address| match address.ip() {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    });
    global.filter_map(|address| IpNetwork::new(address.network(), address.prefix()).ok()).collect()
}

/// The gateways and ranges that are named; each belongs to one subnet that is named.
struct Parts<'a> {
    gateways: &'a [IpAddr],
    ranges: &'a [IpNetwork],
}

impl Parts<'_> {
    /// Finds the subnet of each.
    fn belong_to(&self, subnets: &[IpNetwork]) -> Result<(), DesignError> {
        for gateway in self.gateways {
            if !subnets.iter().any(|subnet| subnet.contains(*gateway)) {
                return Err(DesignError::GatewayOutside { gateway: *gateway, subnets: subnets.to_vec() });
            }
        }
        for range in self.ranges {
            let is_part =
                |subnet: &IpNetwork| subnet.contains(range.network()) && subnet.contains(range.broadcast());
            if !subnets.iter().any(is_part) {
                return Err(DesignError::RangeOutside { range: *range, subnets: subnets.to_vec() });
            }
        }
        Ok(())
    }

    fn plan(
        &self,
        subnet: IpNetwork,
        router: Option<IpAddr>,
        bridge: Option<&InterfaceName>,
    ) -> Result<SubnetPlan, DesignError> {
        let mut gateways = self.gateways.iter().filter(|gateway| subnet.contains(**gateway));
        let named = gateways.next().copied();
        if let (Some(one), Some(other)) = (named, gateways.next()) {
            return Err(DesignError::TwoGateways { subnet, one, other: *other });
        }
        let mut ranges = self.ranges.iter().filter(|range| subnet.contains(range.network()));
        let range = ranges.next().copied();
        if let (Some(one), Some(other)) = (range, ranges.next()) {
            return Err(DesignError::TwoRanges { subnet, one, other: *other });
        }
        let (first, last) = usable(subnet);
        let gateway = named.or(router).unwrap_or(first);
        if !(first..=last).contains(&gateway) {
            return Err(DesignError::GatewayUnusable { gateway, subnet, first, last });
        }
        let range = range.map(|range| (range, range.network().max(first), range.broadcast().min(last)));
        if let Some((range, from, to)) = range
            && (from > to || (from == to && from == gateway))
        {
            return Err(DesignError::RangeEmpty { range, gateway, bridge: bridge.cloned() });
        }
        Ok(SubnetPlan { subnet, gateway, range: range.map(|(_, from, to)| (from, to)) })
    }
}

/// The first and the last address of a subnet that a host may have.
fn usable(subnet: IpNetwork) -> (IpAddr, IpAddr) {
    match subnet {
        IpNetwork::V4(v4) => {
            let (first, last) = (v4.network().to_bits() + 1, v4.broadcast().to_bits() - 1);
            (IpAddr::V4(first.into()), IpAddr::V4(last.into()))
        }
        IpNetwork::V6(v6) => (IpAddr::V6((v6.network().to_bits() + 1).into()), IpAddr::V6(v6.broadcast())),
    }
}
