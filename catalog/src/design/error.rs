//! Why a network cannot be made as it is asked for.

use std::net::IpAddr;

use cni::{Code, Fault};
use docker::Reserved;
use ipnetwork::IpNetwork;
use subnet::Family;
use vocab::{InterfaceName, Mtu, NetworkName};

use crate::listed::listed;
use crate::taken::{By, Taken};
use crate::wish::Driver;

/// Why a network cannot be made as it is asked for. Nothing has been touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names the fields")]
pub enum DesignError {
    /// There is one of that name.
    #[error("network with name {name} already exists")]
    Exists { name: NetworkName },
    /// The name is that of a network that is always there.
    #[error("network {name} is predefined: it exists on every host and cannot be made")]
    Predefined { name: NetworkName },
    /// The name means a network that is always there.
    #[error("network name {name} is reserved: it means network bridge")]
    MeansBridge { name: NetworkName },
    /// The name is too long for the name of a file.
    #[error("invalid network name {name:?}: expected at most {longest} characters", name = name.as_str())]
    LongName { name: NetworkName, longest: usize },
    /// The subnet has bits set beyond its prefix.
    #[error("invalid subnet {subnet}: it has host bits set: it should be {expected}")]
    HostBits { subnet: IpNetwork, expected: IpNetwork },
    /// The subnet has no room.
    #[error(
        "invalid subnet {subnet}: expected a prefix of at most {longest} bits, which leaves room for containers"
    )]
    TooSmall { subnet: IpNetwork, longest: u8 },
    /// The subnet is in a network with a meaning of its own.
    #[error("invalid subnet {subnet}: it overlaps {reserved}")]
    Reserved { subnet: IpNetwork, reserved: Reserved },
    /// Somebody uses it.
    #[error("subnet {subnet} overlaps {taken}")]
    Overlap { subnet: IpNetwork, taken: Box<Taken> },
    /// Two of its own subnets overlap.
    #[error("subnet {subnet} overlaps {other}, which is named before it")]
    SameTwice { subnet: IpNetwork, other: IpNetwork },
    /// No pool has a subnet left.
    #[error(
        "no {family} subnet is free in the address pools: each overlaps a network or a route of this host"
    )]
    PoolsEmpty { family: Family },
    /// Neither family is wanted.
    #[error("the network would have no addresses: expected IPv4, IPv6 or both")]
    NoFamily,
    /// A family is switched off that a subnet is named of.
    #[error("subnet {subnet} and --ipv4=false exclude each other")]
    Ipv4Off { subnet: IpNetwork },
    /// A driver works in the network of another link, which must be named.
    #[error(
        "driver {driver} needs --subnet{}: its containers live in the network of the host's link",
        too(family)
    )]
    NoSubnet { driver: Driver, family: Option<Family>, parents: Vec<IpNetwork> },
    /// The gateway is in no subnet.
    #[error("gateway {gateway} is in none of the network's subnets{}", told(subnets))]
    GatewayOutside { gateway: IpAddr, subnets: Vec<IpNetwork> },
    /// No host may have the gateway's address.
    #[error("gateway {gateway} is no host's address in {subnet}: expected one from {first} to {last}")]
    GatewayUnusable { gateway: IpAddr, subnet: IpNetwork, first: IpAddr, last: IpAddr },
    /// A subnet has two gateways.
    #[error("subnet {subnet} has two gateways: {one} and {other}")]
    TwoGateways { subnet: IpNetwork, one: IpAddr, other: IpAddr },
    /// The range is in no subnet.
    #[error("ip-range {range} is in none of the network's subnets{}", told(subnets))]
    RangeOutside { range: IpNetwork, subnets: Vec<IpNetwork> },
    /// A subnet has two ranges.
    #[error("subnet {subnet} has two ranges: {one} and {other}")]
    TwoRanges { subnet: IpNetwork, one: IpNetwork, other: IpNetwork },
    /// The gateway has the only address of the range.
    #[error("ip-range {range} leaves no address for a container: {gateway} is the gateway's")]
    RangeEmpty { range: IpNetwork, gateway: IpAddr },
    /// The range has no address that a host may have.
    #[error("ip-range {range} has no host's address of {subnet}: expected some from {first} to {last}")]
    RangeUnusable { range: IpNetwork, subnet: IpNetwork, first: IpAddr, last: IpAddr },
    /// Two networks would have one bridge.
    #[error("bridge {bridge} is that of network {network}")]
    BridgeTaken { bridge: InterfaceName, network: NetworkName },
    /// A link has the bridge's name.
    #[error("link {link} exists{}{}", kind_told(kind), addresses_told(addresses))]
    LinkExists { link: InterfaceName, kind: Option<String>, addresses: Vec<IpNetwork>, is_bridge: bool },
    /// There is no link to work on.
    #[error(
        "driver {driver} needs a link of the host to work on, and there is no default route to take it from"
    )]
    NoParent { driver: Driver },
    /// The link to work on is not there.
    #[error("driver {driver}: there is no link {parent}")]
    MissingParent { driver: Driver, parent: InterfaceName },
    /// The MTU is too small for IPv6.
    #[error("mtu {mtu} is too small for IPv6: expected at least {} bytes", Mtu::IPV6)]
    MtuForIpv6 { mtu: Mtu },
    /// The MTU is larger than the parent's.
    #[error("mtu {mtu} is larger than that of {parent}: expected at most {most} bytes")]
    MtuOfParent { mtu: Mtu, parent: InterfaceName, most: u32 },
    /// Option and flag differ.
    #[error("--mtu {mtu} and the option com.docker.network.driver.mtu={option} differ: expected one of them")]
    TwoMtus { mtu: Mtu, option: Mtu },
    /// An internal network is masqueraded.
    #[error(
        "--internal and the option com.docker.network.bridge.enable_ip_masquerade=true exclude each other: nothing leaves an internal network"
    )]
    InternalMasquerade,
    /// Flag and option differ.
    #[error("--isolate and the option isolate=false exclude each other")]
    IsolateTwice,
    /// Nothing stands between its containers and other networks.
    #[error("driver {driver} cannot --isolate: its containers live in the network of the host's link")]
    IsolateOnParent { driver: Driver },
    /// The mode is for internal networks.
    #[error("gateway mode isolated is for internal networks: expected --internal beside it")]
    IsolatedOnly,
}

fn told(subnets: &[IpNetwork]) -> String {
    match subnets {
        [] => ": no --subnet is given".to_owned(),
        subnets => format!(" ({})", listed(subnets)),
    }
}

/// The family that is asked for besides the one that has a subnet.
fn too(family: &Option<Family>) -> String {
    family.map(|family| format!(" of {family}, too")).unwrap_or_default()
}

fn kind_told(kind: &Option<String>) -> String {
    kind.as_ref().map(|kind| format!(" ({kind})")).unwrap_or_default()
}

fn addresses_told(addresses: &[IpNetwork]) -> String {
    if addresses.is_empty() { String::new() } else { format!(" with {}", listed(addresses)) }
}

impl Fault for DesignError {
    fn code(&self) -> Code {
        Code::INVALID_CONFIG
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists { name } => {
                format!("`netctl inspect {name}` shows it, `netctl rm {name}` removes it")
            }
            Self::Predefined { name } if name.as_str() == "bridge" => {
                "daemon.json says what it is like; choose another name for another network".to_owned()
            }
            Self::Predefined { .. } | Self::MeansBridge { .. } => "choose another name".to_owned(),
            Self::HostBits { expected, .. } => format!("--subnet {expected}"),
            Self::Overlap { taken, .. } => match &taken.by {
                By::Network(name) => format!("`netctl inspect {name}` shows what it uses; without --subnet a free one is chosen"),
                By::Route { .. } | By::Address { .. } => "packets for the one would go to the other; without --subnet a free one is chosen".to_owned(),
                By::Nameserver => "names would not be resolved any more; without --subnet a free one is chosen".to_owned(),
            },
            Self::Reserved { .. } => "without --subnet a free one is chosen".to_owned(),
            Self::PoolsEmpty { .. } => {
                "name one with --subnet, add to default-address-pools in daemon.json, or remove unused networks: `netctl prune`".to_owned()
            }
            Self::NoFamily => "leave --ipv4=false away, or give --ipv6".to_owned(),
            Self::NoSubnet { parents, .. } if !parents.is_empty() => {
                format!("the link's own network is {}; give --ip-range beside it, so that nobody else uses the same addresses", listed(parents))
            }
            Self::Ipv4Off { .. } => "leave one of them away".to_owned(),
            Self::GatewayOutside { subnets, .. } if subnets.is_empty() => "give --subnet beside --gateway".to_owned(),
            Self::RangeOutside { subnets, .. } if subnets.is_empty() => "give --subnet beside --ip-range".to_owned(),
            Self::BridgeTaken { .. } => {
                "name another with -o com.docker.network.bridge.name=NAME, or leave the option away".to_owned()
            }
            Self::LinkExists { is_bridge: true, link, .. } => {
                format!("to use this bridge, say -o com.docker.network.bridge.name={link}; or choose another name for the network")
            }
            Self::LinkExists { .. } => {
                "choose another name for the network, or for its bridge: -o com.docker.network.bridge.name=NAME".to_owned()
            }
            Self::NoParent { .. } => "name it: -o parent=LINK".to_owned(),
            Self::MissingParent { .. } => "`ip link` shows which there are".to_owned(),
            _ => return None,
        })
    }
}
