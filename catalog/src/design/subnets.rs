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
    for (at, subnet) in wish.subnets.iter().enumerate() {
        check(*subnet, wish, taken)?;
        let mut before = wish.subnets.iter().take(at);
        if let Some(other) = before.find(|other| subnet::overlap(**other, *subnet)) {
            return Err(DesignError::SameTwice { subnet: *subnet, other: *other });
        }
    }
    let further = match wish.driver {
        Driver::Bridge => from_pools(wish, around, taken)?,
        Driver::Macvlan | Driver::Ipvlan => refuse_missing(wish, around, link)?,
    };
    if wish.subnets.is_empty() && further.is_empty() {
        return Err(DesignError::NoFamily);
    }
    let parts = Parts { gateways: &wish.gateways, ranges: &wish.ranges };
    parts.belong_to(&wish.subnets)?;
    let router = |subnet: IpNetwork| match wish.driver {
        Driver::Bridge => None,
        // The router of the host's network is its containers', too.
        Driver::Macvlan | Driver::Ipvlan => {
            around.facts.routers.iter().copied().find(|router| subnet.contains(*router))
        }
    };
    let subnets = wish.subnets.iter().copied().chain(further);
    subnets.map(|subnet| parts.plan(subnet, router(subnet))).collect()
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
    if subnet.is_ipv4() && !wish.ipv4 {
        return Err(DesignError::Ipv4Off { subnet });
    }
    // A macvlan has the addresses of the network that its parent is in, so only other networks are in its way.
    let counts = |taken: &&Taken| wish.driver == Driver::Bridge || matches!(taken.by, By::Network(_));
    match taken::in_the_way(taken.iter().filter(counts), subnet) {
        Some(taken) => Err(DesignError::Overlap { subnet, taken: Box::new(taken.clone()) }),
        None => Ok(()),
    }
}

/// The families that the network is to have and that no subnet is named of.
fn missing(wish: &Wish) -> impl Iterator<Item = Family> {
    let is_missing = |family: &Family| {
        let is_wanted = match family {
            Family::V4 => wish.ipv4,
            Family::V6 => wish.ipv6,
        };
        is_wanted && wish.subnets.iter().all(|subnet| Family::of_network(*subnet) != *family)
    };
    Family::BOTH.into_iter().filter(is_missing)
}

/// A free subnet for each family that is missing.
fn from_pools(wish: &Wish, around: Surroundings<'_>, taken: &[Taken]) -> Result<Vec<IpNetwork>, DesignError> {
    let own =
        wish.subnets.iter().map(|subnet| Taken { network: *subnet, by: By::Network(wish.name.clone()) });
    let taken: Vec<Taken> = taken.iter().cloned().chain(own).collect();
    let find =
        |family| pool::find_free(around.pools, &taken, family).ok_or(DesignError::PoolsEmpty { family });
    missing(wish).map(find).collect()
}

/// The network of the parent is what it is: nothing that is free would lead anywhere. That there is IPv4 unless somebody
/// says otherwise is no wish, where IPv6 is named.
fn refuse_missing(
    wish: &Wish,
    around: Surroundings<'_>,
    parent: &InterfaceName,
) -> Result<Vec<IpNetwork>, DesignError> {
    let is_any_named = !wish.subnets.is_empty();
    let family = missing(wish).find(|family| *family == Family::V6 || !is_any_named);
    family.map_or(Ok(Vec::new()), |family| {
        Err(DesignError::NoSubnet {
            driver: wish.driver,
            family: is_any_named.then_some(family),
            parents: of_link(around, parent),
        })
    })
}

/// The subnets in which a link is.
fn of_link(around: Surroundings<'_>, link: &InterfaceName) -> Vec<IpNetwork> {
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

    fn plan(&self, subnet: IpNetwork, router: Option<IpAddr>) -> Result<SubnetPlan, DesignError> {
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
        let range = range.map(|range| usable(range, subnet, gateway)).transpose()?;
        Ok(SubnetPlan { subnet, gateway, range })
    }
}

/// The first and the last address of a range that a host may have. One of them must be left beside the gateway.
fn usable(range: IpNetwork, subnet: IpNetwork, gateway: IpAddr) -> Result<(IpAddr, IpAddr), DesignError> {
    let (first, last) = subnet::hosts(subnet);
    let (from, to) = (range.network().max(first), range.broadcast().min(last));
    if from > to {
        return Err(DesignError::RangeUnusable { range, subnet, first, last });
    }
    match from == to && from == gateway {
        true => Err(DesignError::RangeEmpty { range, gateway }),
        false => Ok((from, to)),
    }
}
