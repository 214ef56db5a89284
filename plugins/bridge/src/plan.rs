//! What an ADD will do, decided from the settings and the lease; nothing is touched here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cni::{Ip, Route, Success};
use ipnetwork::IpNetwork;
use vocab::{Attachment, MacAddress};

use crate::config::{Gateway, Settings};

/// Where the container's interface stands in the result: after the bridge and the host's end.
pub(crate) const CONTAINER: usize = 2;

/// What follows from the settings and the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The addresses of the container, with their gateways, in the order of the lease.
    pub(crate) ips: Vec<Ip>,
    /// The routes of the container.
    pub(crate) routes: Vec<Route>,
    /// The addresses of the bridge.
    pub(crate) bridge_addresses: Vec<IpNetwork>,
    /// The networks that are masqueraded.
    pub(crate) masqueraded: Vec<IpNetwork>,
    /// The container's link-layer address.
    pub(crate) mac: MacAddress,
}

impl Plan {
    /// Decides what to do with `lease`, which is empty for a network without IPAM.
    pub(crate) fn new(settings: &Settings, lease: &Success, attachment: &Attachment) -> Self {
        let is_gateway = settings.gateway != Gateway::None;
        let ips: Vec<Ip> = lease
            .ips
            .iter()
            .map(|ip| Ip {
                address: ip.address,
                gateway: ip.gateway.or_else(|| is_gateway.then(|| first_host(ip.address))),
                interface: Some(CONTAINER),
            })
            .collect();
        let routes = plan_routes(settings, lease, &ips);
        let bridge_addresses = match &settings.gateway {
            Gateway::None => Vec::new(),
            Gateway::OfIpam => gateways(ips.iter()),
            Gateway::Fixed(addresses) => addresses.clone(),
        };
        let mac = settings.mac.unwrap_or_else(|| plan_mac(&ips, attachment));
        let mut masqueraded: Vec<IpNetwork> = ips.iter().map(|ip| subnet::of(ip.address)).collect();
        masqueraded.dedup();
        Self { ips, routes, bridge_addresses, masqueraded, mac }
    }
}

/// The gateways of the container's addresses, as addresses of the bridge.
pub(crate) fn gateways<'a>(ips: impl Iterator<Item = &'a Ip>) -> Vec<IpNetwork> {
    let mut addresses: Vec<IpNetwork> = Vec::new();
    for ip in ips {
        let address = ip.gateway.and_then(|gateway| IpNetwork::new(gateway, ip.address.prefix()).ok());
        addresses.extend(address.filter(|address| !addresses.contains(address)));
    }
    addresses
}

/// The lease's routes; `isDefaultGateway` adds a default route for each family that has none with a
/// next hop of its own.
fn plan_routes(settings: &Settings, lease: &Success, ips: &[Ip]) -> Vec<Route> {
    let mut routes = lease.routes.clone();
    if !settings.default_route {
        return routes;
    }
    for ip in ips {
        let Some(gateway) = ip.gateway else { continue };
        let default = default_of(ip.address);
        let mut defaults = routes.iter_mut().filter(|route| route.dst == default);
        // A default route of the lease without a next hop means the same gateway: it is made definite
        // instead of being doubled.
        match defaults.next() {
            Some(route) => route.gw = route.gw.or(Some(gateway)),
            None => routes.push(Route { gw: Some(gateway), ..Route::to(default) }),
        }
    }
    routes
}

/// The destination of a default route of the address's family.
fn default_of(address: IpNetwork) -> IpNetwork {
    let anywhere: IpAddr = match address {
        IpNetwork::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpNetwork::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Every family has a prefix of no bits.
    IpNetwork::new(anywhere, 0).unwrap_or(address)
}

/// The first address of a network after its own: the gateway by convention.
fn first_host(address: IpNetwork) -> IpAddr {
    subnet::step(address.network(), 1)
}

/// A link-layer address that follows from the first IPv4 address: whoever gets that address next has the
/// same one, so that no neighbour on the bridge keeps a stale entry. Containers without IPv4 get one that
/// follows from their name.
fn plan_mac(ips: &[Ip], attachment: &Attachment) -> MacAddress {
    let v4 = ips.iter().find_map(|ip| match ip.address {
        IpNetwork::V4(v4) => Some(v4.ip().octets()),
        IpNetwork::V6(_) => None,
    });
    match v4 {
        Some([a, b, c, d]) => MacAddress::new([0x0a, 0x58, a, b, c, d]),
        None => attachment.container_mac(),
    }
}

#[cfg(test)]
mod tests;
