//! Routes of a container: from what a result says to what the kernel is told. Nothing is sent here.

use std::net::IpAddr;

use cni::{Ip, Route};
use ipnetwork::IpNetwork;
use netlink::packet::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags,
    RouteProtocol, RouteScope, RouteType, RouteVia,
};

use crate::address;

/// The routing table of everybody who names none (`RT_TABLE_MAIN`).
const MAIN_TABLE: u32 = 254;

/// The rank of an IPv6 route that names none (`net/ip6_fib.h`).
const IP6_RT_PRIO_USER: u32 = 1024;

/// A route with an IPv4 gateway to an IPv6 destination: there is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route {destination} through {gateway}: an IPv6 destination has no IPv4 gateway")]
pub struct ImpossibleGateway {
    /// Where it leads.
    pub destination: IpNetwork,
    /// The gateway that was asked for.
    pub gateway: IpAddr,
}

/// A route as the kernel will have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedRoute {
    destination: IpNetwork,
    /// Empty: the destination is on the link.
    gateways: Vec<Gateway>,
    table: u32,
    priority: Option<u32>,
    scope: RouteScope,
    mtu: Option<u32>,
    advmss: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gateway {
    address: IpAddr,
    /// It is in none of the link's prefixes: the kernel must be told that it is on the link all the same.
    on_link: bool,
}

/// Plans the routes of an interface that has `ips`. A route without a gateway takes the first of its family among
/// the addresses'; routes that differ in the gateway only become one that shares the traffic among them.
pub(crate) fn plan(ips: &[Ip], routes: &[Route]) -> Result<Vec<PlannedRoute>, ImpossibleGateway> {
    let mut planned: Vec<PlannedRoute> = Vec::new();
    for route in routes {
        let mut next = plan_one(ips, route)?;
        match planned.iter_mut().find(|earlier| earlier.is_same_but_for_gateways(&next)) {
            Some(earlier) => {
                next.gateways.retain(|gateway| !earlier.gateways.contains(gateway));
                earlier.gateways.append(&mut next.gateways);
            }
            None => planned.push(next),
        }
    }
    Ok(planned)
}

fn plan_one(ips: &[Ip], route: &Route) -> Result<PlannedRoute, ImpossibleGateway> {
    let destination = network_of(route.dst);
    let of_family =
        || ips.iter().filter_map(|ip| ip.gateway).find(|ip| ip.is_ipv4() == destination.is_ipv4());
    let gateway = route.gw.filter(|gateway| !gateway.is_unspecified()).or_else(of_family);
    if let Some(gateway) = gateway.filter(|gateway| gateway.is_ipv4() && destination.is_ipv6()) {
        return Err(ImpossibleGateway { destination, gateway });
    }
    let scope = match (route.scope, gateway) {
        (Some(scope), _) => RouteScope::from(scope),
        (None, None) if destination.is_ipv4() => RouteScope::Link,
        (None, _) => RouteScope::Universe,
    };
    Ok(PlannedRoute {
        destination,
        gateways: gateway
            .map(|address| Gateway { address, on_link: must_be_told(ips, address) })
            .into_iter()
            .collect(),
        table: route.table.filter(|table| *table != 0).unwrap_or(MAIN_TABLE),
        priority: route.priority.filter(|priority| *priority != 0),
        scope,
        mtu: route.mtu.filter(|mtu| *mtu != 0),
        advmss: route.advmss.filter(|advmss| *advmss != 0),
    })
}

fn must_be_told(ips: &[Ip], gateway: IpAddr) -> bool {
    let is_link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
    !is_link_local && !ips.iter().any(|ip| ip.address.contains(gateway))
}

/// The kernel refuses a destination with bits beyond its prefix.
fn network_of(destination: IpNetwork) -> IpNetwork {
    IpNetwork::new(destination.network(), destination.prefix()).unwrap_or(destination)
}

impl PlannedRoute {
    fn is_same_but_for_gateways(&self, other: &Self) -> bool {
        let without = |route: &Self| Self { gateways: Vec::new(), ..route.clone() };
        without(self) == without(other) && self.gateways.is_empty() == other.gateways.is_empty()
    }

    /// Whether the kernel would let it share the traffic with a route of another link to the same destination: in IPv6
    /// it joins whatever has the same rank (`rt6_qualify_for_ecmp`, `net/ipv6/ip6_fib.c`), where IPv4 puts it behind.
    pub(crate) fn would_share(&self) -> bool {
        self.destination.is_ipv6() && self.priority.is_none() && !self.gateways.is_empty()
    }

    /// Whether a route that is there leads to the same destination.
    pub(crate) fn is_rival_of(&self, other: &netlink::Route) -> bool {
        self.destination == other.destination && self.table == other.table
    }

    /// The same route with a rank behind those that name none, by the number of its link.
    pub(crate) fn behind(&self, index: u32) -> Self {
        Self { priority: Some(IP6_RT_PRIO_USER.saturating_add(index)), ..self.clone() }
    }

    /// The route as a label names it.
    pub(crate) fn object(&self) -> String {
        use std::fmt::Write;
        let mut text = self.destination.to_string();
        for Gateway { address, .. } in &self.gateways {
            let _ = write!(text, " through {address}");
        }
        text
    }

    /// The message that adds the route to the link of that number.
    pub(crate) fn message(&self, index: u32) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = address::family(self.destination.ip());
        message.header.destination_prefix_length = self.destination.prefix();
        message.header.protocol = RouteProtocol::Boot;
        message.header.kind = RouteType::Unicast;
        message.header.scope = self.scope;
        match u8::try_from(self.table) {
            Ok(table) => message.header.table = table,
            Err(_) => message.attributes.push(RouteAttribute::Table(self.table)),
        }
        message.attributes.push(RouteAttribute::Destination(RouteAddress::from(self.destination.ip())));
        message.attributes.extend(self.priority.map(RouteAttribute::Priority));
        self.add_metrics(&mut message);
        self.add_hops(&mut message, index);
        message
    }

    fn add_metrics(&self, message: &mut RouteMessage) {
        let mtu = self.mtu.map(RouteMetric::Mtu);
        let metrics: Vec<_> = mtu.into_iter().chain(self.advmss.map(RouteMetric::Advmss)).collect();
        if !metrics.is_empty() {
            message.attributes.push(RouteAttribute::Metrics(metrics));
        }
    }

    fn add_hops(&self, message: &mut RouteMessage, index: u32) {
        match self.gateways.as_slice() {
            [] => message.attributes.push(RouteAttribute::Oif(index)),
            [gateway] => {
                message.attributes.push(RouteAttribute::Oif(index));
                message.attributes.push(self.gateway(gateway.address));
                if gateway.on_link {
                    message.header.flags = RouteFlags::Onlink;
                }
            }
            several => {
                let hops = several.iter().map(|gateway| self.hop(gateway, index)).collect();
                message.attributes.push(RouteAttribute::MultiPath(hops));
            }
        }
    }

    fn hop(&self, gateway: &Gateway, index: u32) -> RouteNextHop {
        let mut hop = RouteNextHop::default();
        hop.interface_index = index;
        hop.attributes.push(self.gateway(gateway.address));
        if gateway.on_link {
            hop.flags = RouteNextHopFlags::Onlink;
        }
        hop
    }

    fn gateway(&self, address: IpAddr) -> RouteAttribute {
        match address {
            IpAddr::V6(v6) if self.destination.is_ipv4() => RouteAttribute::Via(RouteVia::Inet6(v6)),
            _ => RouteAttribute::Gateway(RouteAddress::from(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(address: &str, gateway: Option<&str>) -> Ip {
        Ip {
            address: address.parse().unwrap(),
            gateway: gateway.map(|gateway| gateway.parse().unwrap()),
            interface: None,
        }
    }

    fn to(destination: &str, gateway: Option<&str>) -> Route {
        let mut route = Route::to(destination.parse().unwrap());
        route.gw = gateway.map(|gateway| gateway.parse().unwrap());
        route
    }

    fn planned(ips: &[Ip], routes: &[Route]) -> Vec<PlannedRoute> {
        plan(ips, routes).unwrap()
    }

    #[test]
    fn a_route_without_a_gateway_takes_the_first_of_its_family() {
        let ips = [ip("10.1.0.2/24", Some("10.1.0.1")), ip("fd00::2/64", Some("fd00::1"))];
        let routes = [to("0.0.0.0/0", None), to("::/0", None), to("10.9.1.2/16", Some("10.1.0.254"))];
        let objects: Vec<_> = planned(&ips, &routes).iter().map(PlannedRoute::object).collect();
        assert_eq!(
            objects,
            ["0.0.0.0/0 through 10.1.0.1", "::/0 through fd00::1", "10.9.0.0/16 through 10.1.0.254"]
        );
    }

    #[test]
    fn without_any_gateway_the_destination_is_on_the_link() {
        let plan = planned(&[ip("10.1.0.2/24", None)], &[to("10.9.0.0/16", None)]);
        let message = plan[0].message(2);
        assert_eq!(message.header.scope, RouteScope::Link);
        assert!(message.attributes.contains(&RouteAttribute::Oif(2)));
        assert!(!message.attributes.iter().any(|attribute| matches!(attribute, RouteAttribute::Gateway(_))));
    }

    #[test]
    fn a_gateway_outside_every_prefix_is_on_the_link_by_decree() {
        let ips = [ip("10.1.0.2/32", Some("169.254.1.1")), ip("fd00::2/64", None)];
        let outside = &planned(&ips, &[to("0.0.0.0/0", None)])[0];
        assert_eq!(outside.message(2).header.flags, RouteFlags::Onlink);
        let link_local = &planned(&ips, &[to("::/0", Some("fe80::1"))])[0];
        assert_eq!(link_local.message(2).header.flags, RouteFlags::empty());
    }

    #[test]
    fn routes_that_differ_in_the_gateway_share_the_traffic() {
        let ips = [ip("10.1.0.2/24", None)];
        let routes = [
            to("10.9.0.0/16", Some("10.1.0.1")),
            to("10.8.0.0/16", Some("10.1.0.1")),
            to("10.9.0.0/16", Some("10.1.0.3")),
            to("10.9.0.0/16", Some("10.1.0.3")),
        ];
        let plan = planned(&ips, &routes);
        assert_eq!(plan.len(), 2);
        assert_eq!(plan[0].object(), "10.9.0.0/16 through 10.1.0.1 through 10.1.0.3");
        let several = |attribute: &RouteAttribute| matches!(attribute, RouteAttribute::MultiPath(hops) if hops.len() == 2);
        assert!(plan[0].message(2).attributes.iter().any(several));
    }

    #[test]
    fn routes_of_another_rank_stay_apart() {
        let ips = [ip("10.1.0.2/24", None)];
        let second = Route { priority: Some(10), ..to("0.0.0.0/0", Some("10.1.0.3")) };
        assert_eq!(planned(&ips, &[to("0.0.0.0/0", Some("10.1.0.1")), second]).len(), 2);
    }

    #[test]
    fn everything_a_route_may_say_reaches_the_kernel() {
        let route = Route {
            mtu: Some(1400),
            advmss: Some(1360),
            priority: Some(7),
            table: Some(1000),
            scope: Some(253),
            ..to("10.9.0.0/16", Some("10.1.0.1"))
        };
        let message = planned(&[ip("10.1.0.2/24", None)], &[route])[0].message(2);
        let metrics = RouteAttribute::Metrics(vec![RouteMetric::Mtu(1400), RouteMetric::Advmss(1360)]);
        for attribute in [metrics, RouteAttribute::Priority(7), RouteAttribute::Table(1000)] {
            assert!(message.attributes.contains(&attribute), "{attribute:?}");
        }
        assert_eq!((message.header.scope, message.header.table), (RouteScope::Link, 0));
    }

    #[test]
    fn an_ipv4_destination_may_have_an_ipv6_gateway_but_not_the_other_way_round() {
        let ips = [ip("10.1.0.2/24", None), ip("fd00::2/64", None)];
        let message = planned(&ips, &[to("0.0.0.0/0", Some("fd00::1"))])[0].message(2);
        assert!(message.attributes.iter().any(|attribute| matches!(attribute, RouteAttribute::Via(_))));
        let refused = plan(&ips, &[to("::/0", Some("10.1.0.1"))]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "route ::/0 through 10.1.0.1: an IPv6 destination has no IPv4 gateway"
        );
    }
}
