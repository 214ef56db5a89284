//! What the kernel says of a link.

use vocab::{InterfaceName, MacAddress};

use crate::attributes::{Attributes, Value, u32_at};

/// Family, type, index, flags, change mask (`struct ifinfomsg`).
pub(crate) const HEADER: usize = 16;
const INDEX: usize = 4;
const FLAGS: usize = 8;

const IFF_UP: u32 = 0x1;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_PROMISC: u32 = 0x100;
const IFF_LOWER_UP: u32 = 0x1_0000;

/// Attributes of a link (`linux/if_link.h`).
mod ifla {
    pub(super) const ADDRESS: u16 = 1;
    pub(super) const IFNAME: u16 = 3;
    pub(super) const MTU: u16 = 4;
    pub(super) const LINK: u16 = 5;
    pub(super) const MASTER: u16 = 10;
    pub(super) const OPERSTATE: u16 = 16;
    pub(super) const LINKINFO: u16 = 18;
    pub(super) const IFALIAS: u16 = 20;
    pub(super) const GROUP: u16 = 27;
    pub(super) const LINK_NETNSID: u16 = 37;
    pub(super) const INFO_KIND: u16 = 1;
    pub(super) const INFO_DATA: u16 = 2;
    pub(super) const INFO_PORT_KIND: u16 = 4;
    pub(super) const INFO_PORT_DATA: u16 = 5;
    pub(super) const BR_VLAN_FILTERING: u16 = 7;
    pub(super) const BRPORT_STATE: u16 = 1;
    pub(super) const BRPORT_MODE: u16 = 4;
    pub(super) const BRPORT_ISOLATED: u16 = 33;
}

/// A link, as the kernel describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: InterfaceName,
    /// Its MAC address, if it is of a type that has one.
    pub mac: Option<MacAddress>,
    /// The largest packet it carries.
    pub mtu: u32,
    /// It is switched on.
    pub is_up: bool,
    /// There is somebody at the other end: a veth's peer is up, a bridge has a port that forwards.
    pub has_carrier: bool,
    /// It is the loopback interface of its namespace.
    pub is_loopback: bool,
    /// It was asked to take every packet it sees. (That it does so for a bridge it is a port of does not show here.)
    pub is_promiscuous: bool,
    /// Whether packets pass.
    pub operation: Operation,
    /// `bridge`, `veth`, …; nothing for hardware and loopback.
    pub kind: Option<String>,
    /// The bridge or other link that it is a port of.
    pub controller: Option<u32>,
    /// The index of a veth's other end, or of the link beneath a macvlan or vlan.
    pub peer: Option<u32>,
    /// The number by which this link's namespace knows that of `peer`; nothing, if they are the same.
    pub peer_nsid: Option<i32>,
    /// The free text that somebody gave it.
    pub alias: Option<String>,
    /// Its group; 0 is where every link begins.
    pub group: u32,
    /// What it is as a bridge.
    pub bridge: Option<Bridge>,
    /// What it is as a port of a bridge.
    pub port: Option<Port>,
}

/// What a bridge has beyond a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bridge {
    /// Whether it minds VLANs; nothing, if this kernel's bridges cannot.
    pub vlan_filtering: Option<bool>,
}

/// What a port of a bridge has beyond a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Port {
    /// Whether the bridge lets packets through.
    pub state: PortState,
    /// It may send packets back where they came from.
    pub hairpin: bool,
    /// It cannot reach other isolated ports.
    pub isolated: bool,
}

/// The state of a port in the spanning tree (`linux/if_bridge.h`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PortState {
    /// No packet passes.
    #[default]
    Disabled,
    /// Only the spanning tree's packets pass.
    Listening,
    /// Addresses are learned, packets do not pass.
    Learning,
    /// Packets pass.
    Forwarding,
    /// The spanning tree has no use for it.
    Blocking,
}

/// The operational state of a link (RFC 2863, `linux/if.h`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Operation {
    /// The driver does not say; so it is with loopback, which always works.
    #[default]
    Unknown,
    /// It is about to go.
    NotPresent,
    /// Nothing passes.
    Down,
    /// Nothing passes, because of the link beneath.
    LowerLayerDown,
    /// It is being tested.
    Testing,
    /// It waits for something outside, such as 802.1X.
    Dormant,
    /// Packets pass.
    Up,
}

impl Link {
    /// Whether it is of that kind.
    #[must_use]
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// Reads a description; nothing, if the bytes are none or the name is one that this house cannot hold.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let flags = u32_at(bytes, FLAGS)?;
        let mut link = Self {
            index: u32_at(bytes, INDEX)?,
            name: InterfaceName::loopback(),
            mac: None,
            mtu: 0,
            is_up: flags & IFF_UP != 0,
            has_carrier: flags & IFF_LOWER_UP != 0,
            is_loopback: flags & IFF_LOOPBACK != 0,
            is_promiscuous: flags & IFF_PROMISC != 0,
            operation: Operation::Unknown,
            kind: None,
            controller: None,
            peer: None,
            peer_nsid: None,
            alias: None,
            group: 0,
            bridge: None,
            port: None,
        };
        let mut name = None;
        for (kind, value) in Attributes::after(bytes, HEADER) {
            match kind {
                ifla::IFNAME => name = value.text().and_then(|text| InterfaceName::new(text).ok()),
                ifla::ADDRESS => link.mac = value.bytes().try_into().ok().map(MacAddress::new),
                ifla::MTU => link.mtu = value.u32()?,
                // A link that stands on itself stands on nothing; 0 is a peer that is gone.
                ifla::LINK => link.peer = value.u32().filter(|index| *index != 0),
                ifla::MASTER => link.controller = value.u32(),
                ifla::OPERSTATE => link.operation = operation(value.u8()?),
                ifla::LINKINFO => link.read_info(value),
                ifla::IFALIAS => link.alias = value.text().map(str::to_owned),
                ifla::GROUP => link.group = value.u32()?,
                // -1: the namespace at the other end has no number here.
                ifla::LINK_NETNSID => link.peer_nsid = value.i32().filter(|nsid| *nsid >= 0),
                _ => {}
            }
        }
        link.name = name?;
        Some(link)
    }

    fn read_info(&mut self, info: Value<'_>) {
        let mut port_of_bridge = false;
        for (kind, value) in info.nested() {
            match kind {
                ifla::INFO_KIND => self.kind = value.text().map(str::to_owned),
                ifla::INFO_DATA if self.is_kind("bridge") => self.bridge = Some(bridge(value)),
                ifla::INFO_PORT_KIND => port_of_bridge = value.text() == Some("bridge"),
                ifla::INFO_PORT_DATA if port_of_bridge => self.port = Some(port(value)),
                _ => {}
            }
        }
    }
}

fn bridge(data: Value<'_>) -> Bridge {
    let filtering = data.nested().find(|(kind, _)| *kind == ifla::BR_VLAN_FILTERING);
    Bridge { vlan_filtering: filtering.and_then(|(_, value)| value.u8()).map(|byte| byte != 0) }
}

fn port(data: Value<'_>) -> Port {
    let mut port = Port::default();
    for (kind, value) in data.nested() {
        let byte = value.u8().unwrap_or(0);
        match kind {
            ifla::BRPORT_STATE => port.state = port_state(byte),
            ifla::BRPORT_MODE => port.hairpin = byte != 0,
            ifla::BRPORT_ISOLATED => port.isolated = byte != 0,
            _ => {}
        }
    }
    port
}

fn port_state(byte: u8) -> PortState {
    match byte {
        1 => PortState::Listening,
        2 => PortState::Learning,
        3 => PortState::Forwarding,
        4 => PortState::Blocking,
        _ => PortState::Disabled,
    }
}

fn operation(byte: u8) -> Operation {
    match byte {
        1 => Operation::NotPresent,
        2 => Operation::Down,
        3 => Operation::LowerLayerDown,
        4 => Operation::Testing,
        5 => Operation::Dormant,
        6 => Operation::Up,
        _ => Operation::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::Emitable;
    use netlink_packet_route::link::{
        InfoBridgePort, InfoKind, InfoPortData, InfoPortKind, LinkAttribute, LinkFlags, LinkInfo,
        LinkMessage, State,
    };

    #[test]
    fn a_port_of_a_bridge_is_read_whole() {
        let mut message = LinkMessage::default();
        message.header.index = 5;
        message.header.flags = LinkFlags::Up | LinkFlags::LowerUp;
        message.attributes = vec![
            LinkAttribute::IfName("veth1".to_owned()),
            LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
            LinkAttribute::Mtu(1450),
            LinkAttribute::Link(2),
            LinkAttribute::LinkNetNsId(0),
            LinkAttribute::Controller(3),
            LinkAttribute::Group(9),
            LinkAttribute::OperState(State::Up),
            LinkAttribute::IfAlias("net/web/eth0".to_owned()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::PortKind(InfoPortKind::Bridge),
                LinkInfo::PortData(InfoPortData::BridgePort(vec![
                    InfoBridgePort::HairpinMode(true),
                    InfoBridgePort::Isolated(false),
                ])),
            ]),
        ];
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        let link = Link::read(&bytes).unwrap();
        assert_eq!(link.name.as_str(), "veth1");
        assert_eq!(link.mac.unwrap().to_string(), "02:00:00:00:00:01");
        assert_eq!((link.index, link.mtu, link.group), (5, 1450, 9));
        assert_eq!((link.peer, link.peer_nsid, link.controller), (Some(2), Some(0), Some(3)));
        assert_eq!(link.alias.as_deref(), Some("net/web/eth0"));
        assert_eq!(link.operation, Operation::Up);
        assert!(link.is_up && link.has_carrier && link.is_kind("veth"));
        assert_eq!(link.port, Some(Port { hairpin: true, ..Port::default() }));
    }

    #[test]
    fn a_name_that_is_none_is_no_link() {
        let mut message = LinkMessage::default();
        message.attributes = vec![LinkAttribute::IfName("a b".to_owned())];
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        assert_eq!(Link::read(&bytes), None);
        assert_eq!(Link::read(&bytes[..9]), None);
    }
}
