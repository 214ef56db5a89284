//! Which connections the kernel is asked for, or is to delete.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use netlink_packet_netfilter::NetfilterProtoFamily;
use vocab::{Port, Protocol};

use super::Flow;
use super::connection::{
    DESTINATION_PORT, PROTOCOL_NUMBER, SOURCE_PORT, TUPLE_IP, TUPLE_ORIGINAL, TUPLE_PROTOCOL, TUPLE_REPLY,
    V4_DESTINATION, V4_SOURCE,
};
use crate::channel::conntrack::ConnectionName;

/// `CTA_FILTER` (since Linux 5.8), `CTA_FILTER_ORIG_FLAGS` and `CTA_FILTER_REPLY_FLAGS`: which parts of the tuples
/// count.
const FILTER: u16 = 25;
const ORIGINAL_FLAGS: u16 = 1;
const REPLY_FLAGS: u16 = 2;
const SOURCE_COUNTS: u32 = 1;
const DESTINATION_COUNTS: u32 = 1 << 1;
const PROTOCOL_COUNTS: u32 = 1 << 3;
const SOURCE_PORT_COUNTS: u32 = 1 << 4;
const DESTINATION_PORT_COUNTS: u32 = 1 << 5;
/// `CTA_STATUS`, `CTA_STATUS_MASK` and `IPS_DST_NAT`: its packets are led elsewhere than they are sent to.
const STATUS: u16 = 3;
const STATUS_MASK: u16 = 26;
const IS_REDIRECTED: u32 = 1 << 5;
/// To describe so many connections takes the kernel about as long as to look through its table once more.
const FEW: usize = 8192;

/// Connections of a family, of one protocol or any, to one port or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) family: NetfilterProtoFamily,
    protocol: Option<Protocol>,
    port: Option<Port>,
}

impl Filter {
    /// The questions whose answers have every connection that one of the flows may be about: one question, or one a
    /// family, for the kernel does not filter across families.
    pub(super) fn plan(flows: &[Flow], remembered: usize) -> Vec<Self> {
        let of_family = |family, is_v4| {
            let mut concerned = flows.iter().filter(|flow| flow.concerns(is_v4));
            let first = concerned.next()?;
            let (mut protocol, mut port) = (Some(first.protocol), Some(first.host_port));
            for flow in concerned {
                protocol = protocol.filter(|one| *one == flow.protocol);
                port = port.filter(|one| *one == flow.host_port);
            }
            Some(Self { family, protocol, port: port.filter(|_| protocol.is_some()) })
        };
        let v4 = of_family(NetfilterProtoFamily::IPv4, true);
        let v6 = of_family(NetfilterProtoFamily::IPv6, false);
        if v4.is_some() && v6.is_some() && remembered <= FEW {
            return vec![Self { family: NetfilterProtoFamily::Unspec, protocol: None, port: None }];
        }
        v4.into_iter().chain(v6).collect()
    }

    pub(super) fn attributes(self) -> Vec<DefaultNla> {
        let Some(protocol) = self.protocol else { return Vec::new() };
        let mut parts = vec![number(protocol)];
        let mut flags = PROTOCOL_COUNTS;
        if let Some(port) = self.port {
            parts.push(port_part(DESTINATION_PORT, port.get()));
            flags |= DESTINATION_PORT_COUNTS;
        }
        vec![
            nest(TUPLE_ORIGINAL, &[nest(TUPLE_PROTOCOL, &parts)]),
            nest(FILTER, &[native(ORIGINAL_FLAGS, flags)]),
        ]
    }
}

/// The connections that lead to the target of a flow by its port; nothing, if they cannot be described: there is no
/// target, or it is one of IPv6, of which kernels delete all but those whose addresses are described
/// (`ctnetlink_filter_match_tuple` takes equal for different, seen with Linux 6.18).
///
/// A kernel before 6.11 takes a description for the name of one connection, and refuses it because it is not whole.
pub(super) fn of_flow(flow: &Flow) -> Option<ConnectionName> {
    let Some(SocketAddr::V4(target)) = flow.target else { return None };
    let mut original = vec![nest(
        TUPLE_PROTOCOL,
        &[number(flow.protocol), port_part(DESTINATION_PORT, flow.host_port.get())],
    )];
    let mut original_flags = PROTOCOL_COUNTS | DESTINATION_PORT_COUNTS;
    if let Some(one) = flow.host_address.one() {
        let IpAddr::V4(one) = one else { return None };
        original.push(nest(TUPLE_IP, &[address(V4_DESTINATION, one)]));
        original_flags |= DESTINATION_COUNTS;
    }
    let reply = [
        nest(TUPLE_IP, &[address(V4_SOURCE, *target.ip())]),
        nest(TUPLE_PROTOCOL, &[number(flow.protocol), port_part(SOURCE_PORT, target.port())]),
    ];
    let reply_flags = PROTOCOL_COUNTS | SOURCE_COUNTS | SOURCE_PORT_COUNTS;
    let attributes = vec![
        nest(TUPLE_ORIGINAL, &original),
        nest(TUPLE_REPLY, &reply),
        nest(FILTER, &[native(ORIGINAL_FLAGS, original_flags), native(REPLY_FLAGS, reply_flags)]),
        DefaultNla::new(STATUS, IS_REDIRECTED.to_be_bytes().to_vec()),
        DefaultNla::new(STATUS_MASK, IS_REDIRECTED.to_be_bytes().to_vec()),
    ];
    Some((NetfilterProtoFamily::IPv4, attributes))
}

fn number(protocol: Protocol) -> DefaultNla {
    DefaultNla::new(PROTOCOL_NUMBER, vec![protocol.number()])
}

fn port_part(kind: u16, port: u16) -> DefaultNla {
    DefaultNla::new(kind, port.to_be_bytes().to_vec())
}

fn address(kind: u16, address: Ipv4Addr) -> DefaultNla {
    DefaultNla::new(kind, address.octets().to_vec())
}

fn native(kind: u16, number: u32) -> DefaultNla {
    DefaultNla::new(kind, number.to_ne_bytes().to_vec())
}

fn nest(kind: u16, inside: &[DefaultNla]) -> DefaultNla {
    let mut value = vec![0; inside.buffer_len()];
    inside.emit(&mut value);
    DefaultNla::new(kind | NLA_F_NESTED, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str = "10.22.0.11:53";
    const V6: &str = "[fd22::11]:53";

    fn flow(protocol: Protocol, host: &str, port: u16, target: Option<&str>) -> Flow {
        Flow {
            protocol,
            host_address: host.parse().unwrap(),
            host_port: Port::new(port).unwrap(),
            target: target.map(|target| target.parse().unwrap()),
        }
    }

    /// Family, protocol and port of each question.
    fn plan(flows: &[Flow], remembered: usize) -> Vec<(u8, Option<Protocol>, Option<u16>)> {
        let filters = Filter::plan(flows, remembered).into_iter();
        filters.map(|one| (one.family.into(), one.protocol, one.port.map(Port::get))).collect()
    }

    #[test]
    fn a_question_is_as_narrow_as_the_flows_allow() {
        let udp = |port, target| flow(Protocol::Udp, "", port, Some(target));
        let sctp = flow(Protocol::Sctp, "10.0.0.1", 53, None);
        assert_eq!(plan(&[udp(53, V4)], 0), [(2, Some(Protocol::Udp), Some(53))]);
        assert_eq!(plan(&[udp(53, V4), udp(54, V4)], 0), [(2, Some(Protocol::Udp), None)]);
        assert_eq!(plan(&[udp(53, V4), sctp], 0), [(2, None, None)]);
        assert_eq!(plan(&[udp(53, V6)], 0), [(10, Some(Protocol::Udp), Some(53))]);
        // Nothing is translated from one family into the other.
        assert_eq!(plan(&[Flow { host_address: "10.0.0.1".parse().unwrap(), ..udp(53, V6) }], 0), []);
        assert_eq!(plan(&[], 0), []);
    }

    #[test]
    fn both_families_are_asked_for_at_once_unless_too_much_would_be_described() {
        let both = [flow(Protocol::Udp, "", 53, None)];
        assert_eq!(plan(&both, FEW), [(0, None, None)]);
        let port = (Some(Protocol::Udp), Some(53));
        assert_eq!(plan(&both, FEW + 1), [(2, port.0, port.1), (10, port.0, port.1)]);
    }

    #[test]
    fn what_has_no_target_or_one_of_ipv6_cannot_be_described() {
        assert!(of_flow(&flow(Protocol::Udp, "", 53, None)).is_none());
        assert!(of_flow(&flow(Protocol::Udp, "", 53, Some(V6))).is_none());
        assert!(of_flow(&flow(Protocol::Udp, "", 53, Some(V4))).is_some());
    }
}
