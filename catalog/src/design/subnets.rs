//! The subnets of a network: those that are named, checked against everything, and free ones for the rest.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use subnet::Family;
use vocab::InterfaceName;

use super::{DesignError, SubnetPlan, Surroundings};
use crate::pool;
use crate::taken::{self, By, Taken};
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
        if let Some(other) = subnets.iter().find(|other| subnet::overlap(**other, *subnet)) {
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
    if subnet != subnet::of(subnet) {
        return Err(DesignError::HostBits { subnet, expected: subnet::of(subnet) });
    }
    let longest = Family::of_network(subnet).longest_prefix();
    if subnet.prefix() > longest {
        return Err(DesignError::TooSmall { subnet, longest });
    }
    if let Some(reserved) = docker::reserved(subnet) {
        return Err(DesignError::Reserved { subnet, reserved });
    }
    // A macvlan has the addresses of the network that its parent is in, so only other networks are in its way.
    let counts = |taken: &&Taken| wish.driver == Driver::Bridge || matches!(taken.by, By::Network(_));
    match taken::in_the_way(taken.iter().filter(counts), subnet) {
        Some(taken) => Err(DesignError::Overlap { subnet, taken: Box::new(taken.clone()) }),
        None => Ok(()),
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
    if wish.driver != Driver::Bridge && named.is_empty() {
        return Err(DesignError::NoSubnet { driver: wish.driver, parents: parents(wish, around) });
    }
    let is_missing = |family: &Family| {
        let is_wanted = match family {
            Family::V4 => wish.ipv4 && wish.driver == Driver::Bridge,
            Family::V6 => wish.ipv6,
        };
        is_wanted && named.iter().all(|named| Family::of_network(*named) != *family)
    };
    let find =
        |family| pool::find_free(around.pools, &taken, family).ok_or(DesignError::PoolsEmpty { family });
    Family::BOTH.into_iter().filter(is_missing).map(find).collect()
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
    global.map(|address| subnet::of(*address)).collect()
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
            if !subnets.iter().any(|subnet| subnet::holds(*subnet, *range)) {
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
        let (first, last) = subnet::hosts(subnet);
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
