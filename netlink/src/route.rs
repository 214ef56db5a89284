//! What the kernel says of a route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;
use nix::libc;

use crate::attributes::{Attributes, Value, u16_at, u32_at};

/// Family, prefix lengths, TOS, table, protocol, scope, type, flags (`struct rtmsg`).
const HEADER: usize = 12;
/// Length, flags, weight, index (`struct rtnexthop`).
const HOP_HEADER: usize = 8;
const RTAX_MTU: u16 = 2;
const RTAX_ADVMSS: u16 = 8;
const RTN_UNICAST: u8 = 1;
/// `RTN_BLACKHOLE`, `RTN_UNREACHABLE`, `RTN_PROHIBIT`: the packet ends here, with or without a word to its sender.
const DEAD_ENDS: [u8; 3] = [6, 7, 8];
/// A gateway of another family: two bytes of family, then the address (`struct rtvia`).
const RTA_VIA: u16 = 18;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub destination: IpNetwork,
    /// The ways there: one, or several that share the traffic.
    pub hops: Vec<NextHop>,
    /// The routing table it is in.
    pub table: u32,
    /// Its rank among routes to the same destination; the lowest wins.
    pub priority: Option<u32>,
    /// `RT_SCOPE_*`: how far its destination is.
    pub scope: u8,
    /// `RTPROT_*`: who made it; 2 is the kernel itself, for an address.
    pub protocol: u8,
    /// The largest packet for it.
    pub mtu: Option<u32>,
    /// The largest TCP segment that is offered on it.
    pub advmss: Option<u32>,
}

/// One way of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NextHop {
    /// The router; nothing, if the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// The link.
    pub index: Option<u32>,
}

impl Route {
    /// Reads a description; nothing, if the bytes are none or the route is not one along which packets go.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        Self::of_kind(bytes, &[RTN_UNICAST])
    }

    /// Reads a description of a route on which packets end; nothing, if it is of another kind.
    pub(crate) fn read_dead_end(bytes: &[u8]) -> Option<Self> {
        // Where it names a link, that is `lo`, and nothing goes there.
        Some(Self { hops: Vec::new(), ..Self::of_kind(bytes, &DEAD_ENDS)? })
    }

    fn of_kind(bytes: &[u8], wanted: &[u8]) -> Option<Self> {
        let [family, prefix, _, _, table, protocol, scope, kind, ..] = *bytes.first_chunk::<HEADER>()?;
        let anywhere: IpAddr = match i32::from(family) {
            libc::AF_INET => Ipv4Addr::UNSPECIFIED.into(),
            libc::AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => return None,
        };
        if !wanted.contains(&kind) {
            return None;
        }
        let mut destination = anywhere;
        let mut hop = NextHop::default();
        let mut route = Self {
            destination: IpNetwork::new(anywhere, prefix).ok()?,
            hops: Vec::new(),
            table: u32::from(table),
            priority: None,
            scope,
            protocol,
            mtu: None,
            advmss: None,
        };
        for (kind, value) in Attributes::after(bytes, HEADER) {
            match kind {
                libc::RTA_DST => destination = value.ip()?,
                libc::RTA_MULTIPATH => route.hops = hops(value.bytes()),
                libc::RTA_TABLE => route.table = value.u32()?,
                libc::RTA_PRIORITY => route.priority = value.u32(),
                libc::RTA_METRICS => route.read_metrics(value),
                _ => hop.read(kind, value),
            }
        }
        route.destination = IpNetwork::new(destination, prefix).ok()?;
        if route.hops.is_empty() {
            route.hops.push(hop);
        }
        Some(route)
    }

    fn read_metrics(&mut self, metrics: Value<'_>) {
        for (kind, value) in metrics.nested() {
            match kind {
                RTAX_MTU => self.mtu = value.u32(),
                RTAX_ADVMSS => self.advmss = value.u32(),
                _ => {}
            }
        }
    }
}

impl NextHop {
    fn read(&mut self, kind: u16, value: Value<'_>) {
        match kind {
            libc::RTA_GATEWAY => self.gateway = value.ip(),
            RTA_VIA => self.gateway = value.after(2).ip(),
            libc::RTA_OIF => self.index = value.u32(),
            _ => {}
        }
    }
}

fn hops(mut bytes: &[u8]) -> Vec<NextHop> {
    let mut hops = Vec::new();
    while let (Some(length), Some(index)) = (u16_at(bytes, 0), u32_at(bytes, 4)) {
        let length = usize::from(length);
        let Some(entry) = bytes.get(..length).filter(|entry| entry.len() >= HOP_HEADER) else { break };
        let mut hop = NextHop { index: Some(index), gateway: None };
        for (kind, value) in Attributes::after(entry, HOP_HEADER) {
            hop.read(kind, value);
        }
        hops.push(hop);
        bytes = bytes.get(crate::attributes::align(length)..).unwrap_or_default();
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::Emitable;
    use netlink_packet_route::AddressFamily;
    use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteMetric, RouteNextHop, RouteType};

    fn read(prefix: u8, attributes: Vec<RouteAttribute>) -> Option<Route> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = prefix;
        message.header.table = 254;
        message.header.kind = RouteType::Unicast;
        message.attributes = attributes;
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        Route::read(&bytes)
    }

    #[test]
    fn a_route_on_which_packets_end_has_no_way() {
        let destination = RouteAttribute::Destination(IpAddr::from([10, 9, 0, 0]).into());
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 26;
        message.attributes = vec![destination, RouteAttribute::Oif(1)];
        for kind in [RouteType::BlackHole, RouteType::Unreachable, RouteType::Prohibit, RouteType::Throw] {
            message.header.kind = kind;
            let mut bytes = vec![0; message.buffer_len()];
            message.emit(&mut bytes);
            assert_eq!(Route::read(&bytes), None);
            let dead_end =
                Route::read_dead_end(&bytes).map(|route| (route.destination.to_string(), route.hops));
            let expected = (kind != RouteType::Throw).then(|| ("10.9.0.0/26".to_owned(), Vec::new()));
            assert_eq!(dead_end, expected, "{kind:?}");
        }
    }

    fn gateway(last: u8) -> RouteAttribute {
        RouteAttribute::Gateway(IpAddr::from([10, 1, 0, last]).into())
    }

    #[test]
    fn a_default_route_has_no_destination_attribute() {
        let route = read(0, vec![gateway(1), RouteAttribute::Oif(2), RouteAttribute::Priority(5)]).unwrap();
        assert_eq!(route.destination.to_string(), "0.0.0.0/0");
        assert_eq!(route.hops, [NextHop { gateway: Some([10, 1, 0, 1].into()), index: Some(2) }]);
        assert_eq!((route.table, route.priority), (254, Some(5)));
    }

    #[test]
    fn a_route_of_several_ways_keeps_them_all() {
        let hop = |last| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = 2;
            hop.attributes = vec![gateway(last)];
            hop
        };
        let metrics = RouteAttribute::Metrics(vec![RouteMetric::Mtu(1400), RouteMetric::Advmss(1360)]);
        let destination = RouteAttribute::Destination(IpAddr::from([10, 9, 0, 0]).into());
        let several = RouteAttribute::MultiPath(vec![hop(1), hop(2)]);
        let route = read(16, vec![destination, several, metrics]).unwrap();
        assert_eq!(route.destination.to_string(), "10.9.0.0/16");
        let gateways: Vec<_> = route.hops.iter().filter_map(|hop| hop.gateway).collect();
        assert_eq!(gateways, [IpAddr::from([10, 1, 0, 1]), IpAddr::from([10, 1, 0, 2])]);
        assert_eq!((route.mtu, route.advmss), (Some(1400), Some(1360)));
    }
}
