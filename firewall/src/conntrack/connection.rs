//! A connection, as the kernel describes it (`linux/netfilter/nfnetlink_conntrack.h`).

use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{DefaultNla, NLA_F_NESTED};
use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::channel::conntrack::ConnectionName;
use crate::wire;

/// `CTA_TUPLE_ORIG`, `CTA_TUPLE_REPLY`, `CTA_ID` and `CTA_ZONE`.
pub(super) const TUPLE_ORIGINAL: u16 = 1;
pub(super) const TUPLE_REPLY: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
/// In a tuple: `CTA_TUPLE_IP` and `CTA_TUPLE_PROTO`.
pub(super) const TUPLE_IP: u16 = 1;
pub(super) const TUPLE_PROTOCOL: u16 = 2;
/// Addresses: `CTA_IP_V4_SRC` and so on.
pub(super) const V4_SOURCE: u16 = 1;
pub(super) const V4_DESTINATION: u16 = 2;
pub(super) const V6_SOURCE: u16 = 3;
pub(super) const V6_DESTINATION: u16 = 4;
/// `CTA_PROTO_NUM`, `CTA_PROTO_SRC_PORT` and `CTA_PROTO_DST_PORT`.
pub(super) const PROTOCOL_NUMBER: u16 = 1;
pub(super) const SOURCE_PORT: u16 = 2;
pub(super) const DESTINATION_PORT: u16 = 3;

/// A connection that the kernel remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connection {
    /// Its number in the IP header.
    pub(super) protocol: u8,
    /// Where its client sends to.
    pub(super) destination: SocketAddr,
    /// From where the answers come: where its packets are led.
    server: SocketAddr,
    /// What tells it from all others, and from a later one that is otherwise alike.
    name: Vec<DefaultNla>,
}

impl Connection {
    /// Reads a description; nothing, if it is of a protocol that has no ports.
    pub(super) fn read(attributes: &[u8]) -> Option<Self> {
        let original = wire::attribute(attributes, TUPLE_ORIGINAL)?;
        let reply = wire::attribute(attributes, TUPLE_REPLY)?;
        let mut name = vec![DefaultNla::new(TUPLE_ORIGINAL | NLA_F_NESTED, original.to_vec())];
        for kind in [ID, ZONE] {
            name.extend(wire::attribute(attributes, kind).map(|value| DefaultNla::new(kind, value.to_vec())));
        }
        Some(Self {
            protocol: *wire::nested(original, &[TUPLE_PROTOCOL, PROTOCOL_NUMBER])?.first()?,
            destination: end(original, [V4_DESTINATION, V6_DESTINATION], DESTINATION_PORT)?,
            server: end(reply, [V4_SOURCE, V6_SOURCE], SOURCE_PORT)?,
            name,
        })
    }

    /// Whether its packets are led to that address and port.
    pub(super) fn leads_to(&self, target: SocketAddr) -> bool {
        (self.server.ip(), self.server.port()) == (target.ip(), target.port())
    }

    /// Whether its packets are led elsewhere than its client sends them to.
    pub(super) fn is_redirected(&self) -> bool {
        self.server != self.destination
    }

    pub(super) fn into_name(self) -> ConnectionName {
        let family = match self.destination {
            SocketAddr::V4(_) => NetfilterProtoFamily::IPv4,
            SocketAddr::V6(_) => NetfilterProtoFamily::IPv6,
        };
        (family, self.name)
    }
}

/// One end of a tuple.
fn end(tuple: &[u8], [v4, v6]: [u16; 2], port: u16) -> Option<SocketAddr> {
    let addresses = wire::attribute(tuple, TUPLE_IP)?;
    let address: IpAddr = match (wire::attribute(addresses, v4), wire::attribute(addresses, v6)) {
        (Some(v4), _) => <[u8; 4]>::try_from(v4).ok()?.into(),
        (None, v6) => <[u8; 16]>::try_from(v6?).ok()?.into(),
    };
    let port = wire::nested(tuple, &[TUPLE_PROTOCOL, port])?;
    Some(SocketAddr::new(address, u16::from_be_bytes(port.try_into().ok()?)))
}
