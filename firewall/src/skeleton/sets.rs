//! What the rules look things up in.

use crate::ruleset::{DataType, Set};
use DataType::{InterfaceName, Ipv4Address, Ipv6Address, MacAddress, Port, Protocol};

const fn set(name: &'static str, key: &'static [DataType]) -> Set {
    Set { name, key, data: &[], interval: false }
}

const fn ranges(name: &'static str, key: &'static [DataType]) -> Set {
    Set { name, key, data: &[], interval: true }
}

const fn map(name: &'static str, key: &'static [DataType], data: &'static [DataType]) -> Set {
    Set { name, key, data, interval: false }
}

/// IPv4 subnets that are masqueraded, each with the interface through which it reaches the host.
pub(crate) static MASQUERADE4: Set = ranges("masquerade4", &[InterfaceName, Ipv4Address]);

/// IPv6 subnets that are masqueraded, each with the interface through which it reaches the host.
pub(crate) static MASQUERADE6: Set = ranges("masquerade6", &[InterfaceName, Ipv6Address]);

/// Ports of all IPv4 addresses of the host, and to which container they lead.
pub(crate) static PORTS4: Set = map("ports4", &[Protocol, Port], &[Ipv4Address, Port]);

/// Ports of all IPv6 addresses of the host, and to which container they lead.
pub(crate) static PORTS6: Set = map("ports6", &[Protocol, Port], &[Ipv6Address, Port]);

/// Ports of one IPv4 address of the host.
pub(crate) static ADDRESS_PORTS4: Set =
    map("address_ports4", &[Ipv4Address, Protocol, Port], &[Ipv4Address, Port]);

/// Ports of one IPv6 address of the host.
pub(crate) static ADDRESS_PORTS6: Set =
    map("address_ports6", &[Ipv6Address, Protocol, Port], &[Ipv6Address, Port]);

/// Which ports are in [`ADDRESS_PORTS4`]; the comment counts at how many addresses. No rule reads it: who wants a port at
/// all addresses asks here with one question whether somebody has it at one.
pub(crate) static ADDRESSED4: Set = set("addressed4", &[Protocol, Port]);

/// Which ports are in [`ADDRESS_PORTS6`].
pub(crate) static ADDRESSED6: Set = set("addressed6", &[Protocol, Port]);

/// Containers with published ports, each with the interface behind which it is: whoever comes from there is
/// masqueraded.
pub(crate) static HAIRPIN4: Set = set("hairpin4", &[InterfaceName, Ipv4Address]);

/// The same for IPv6.
pub(crate) static HAIRPIN6: Set = set("hairpin6", &[InterfaceName, Ipv6Address]);

/// Containers with published ports, twice: as source and as destination.
pub(crate) static LOOPED4: Set = set("looped4", &[Ipv4Address, Ipv4Address]);

/// The same for IPv6.
pub(crate) static LOOPED6: Set = set("looped6", &[Ipv6Address, Ipv6Address]);

/// Containers that can be reached at 127.0.0.1.
pub(crate) static LOCALHOST4: Set = set("localhost4", &[Ipv4Address]);

/// Containers that see nobody's own address (portmap's `masqAll`).
pub(crate) static MASQUERADE_TO4: Set = set("masquerade_to4", &[Ipv4Address]);

/// The same for IPv6.
pub(crate) static MASQUERADE_TO6: Set = set("masquerade_to6", &[Ipv6Address]);

/// Attachments that publish ports, by the name that the host's end of their pair has or would have. No rule reads it:
/// with the comment there is a note of the elements that the attachment has, so that they are found without listing
/// anything.
pub(crate) static PUBLISHERS: Set = set("publishers", &[InterfaceName]);

/// The host's interfaces to networks that say who may reach them.
pub(crate) static NETWORKS: Set = set("networks", &[InterfaceName]);

/// The same, twice: as input and as output interface.
pub(crate) static INSIDE: Set = set("inside", &[InterfaceName, InterfaceName]);

/// Networks whose ports are reached only when they are published (gateway mode `nat`).
pub(crate) static GUARDED: Set = set("guarded", &[InterfaceName]);

/// Networks that are not reached from anywhere, and reach nobody.
pub(crate) static INTERNAL: Set = set("internal", &[InterfaceName]);

/// Networks that other networks do not reach, nor they them.
pub(crate) static ISOLATED: Set = set("isolated", &[InterfaceName]);

/// Networks whose containers do not reach one another, as input and as output interface.
pub(crate) static SECLUDED: Set = set("secluded", &[InterfaceName, InterfaceName]);

/// Ports of bridges whose frames are checked.
pub(crate) static SPOOF_PORTS: Set = set("spoof_ports", &[InterfaceName]);

/// From which source MAC a checked port may send.
pub(crate) static SPOOF_ALLOWED: Set = set("spoof_allowed", &[InterfaceName, MacAddress]);
