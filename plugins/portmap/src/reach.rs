//! By which way a container is reached, and what that way needs so that published ports work from everywhere.

use std::net::IpAddr;

use cni::Success;
use firewall::Ensured;
use ipnetwork::IpNetwork;
use link::sysctl::{Outcome, Sysctl};
use netlink::{Link, LinkName, RouteSocket};
use undo::Undo;
use vocab::{Attachment, HostAddress, InterfaceName, PortMapping};

use crate::error::StepFault;
use crate::target::Target;

/// Whether the host lets packets with a loopback address out by that interface.
const ROUTE_LOCALNET: &str = "route_localnet";

/// The host's interface behind which the container is: where the route to its address leads.
pub(crate) fn find_interface(
    host: &mut RouteSocket,
    target: &Target,
    attachment: &Attachment,
) -> Result<InterfaceName, StepFault> {
    let address: IpAddr = match target.addresses.first() {
        Some(address) => IpNetwork::ip(address),
        None => return Err(StepFault::NoAddress { attachment: attachment.clone() }),
    };
    let way = host.find_way(address)?;
    let index = way.and_then(|way| way.hops.first().and_then(|hop| hop.index));
    let no_way = || StepFault::NoWay { attachment: attachment.clone(), address };
    let link = host.find_link(LinkName::Index(index.ok_or_else(no_way)?))?;
    link.map(|link| link.name).ok_or_else(no_way)
}

/// The setting without which 127.0.0.1 is not answered, if one of the ports is published there.
pub(crate) fn localhost(
    interface: &InterfaceName,
    target: &Target,
    mappings: &[PortMapping],
) -> Option<Sysctl> {
    let is_at_loopback = |mapping: &PortMapping| match mapping.host_address {
        HostAddress::Any | HostAddress::AnyV4 => true,
        HostAddress::AnyV6 => false,
        HostAddress::One(address) => address.is_ipv4() && address.is_loopback(),
    };
    let is_needed = target.v4().is_some() && mappings.iter().any(is_at_loopback);
    is_needed.then(|| Sysctl::ipv4_conf(interface, ROUTE_LOCALNET))
}

/// Lets the host's 127.0.0.1 be answered by containers behind an interface. What comes from there for a loopback address
/// is dropped by our table before anything else sees it.
pub(crate) fn ensure_localhost(setting: Sysctl, undo: &mut Undo<'_>) -> Result<Ensured, link::sysctl::Error> {
    if setting.ensure("1")? != Outcome::Changed {
        return Ok(Ensured::AlreadyThere);
    }
    undo.push(format!("set {} back to 0", setting.path().display()), move || {
        setting.ensure_if_there("0").map(drop)
    });
    Ok(Ensured::Added)
}

/// The ports of bridges among the host's interfaces that a result names: the container's is one of them.
pub(crate) fn bridge_ports(host: &mut RouteSocket, result: &Success) -> Result<Vec<Link>, netlink::Error> {
    let on_host = result.interfaces.iter().filter(|interface| interface.sandbox.is_empty());
    let mut ports = Vec::new();
    for name in on_host.filter_map(|interface| InterfaceName::new(&interface.name).ok()) {
        let link = host.find_link(LinkName::Name(&name))?;
        ports.extend(link.filter(|link| link.port.is_some() && link.is_kind("veth")));
    }
    Ok(ports)
}

/// Lets a container reach itself through a published port where `br_netfilter` translates addresses on the bridge already:
/// the packet then has to leave by the port that it came from.
pub(crate) fn ensure_hairpin(
    host: &mut RouteSocket,
    result: &Success,
    undo: &mut Undo<'_>,
) -> Result<Ensured, netlink::Error> {
    let mut ensured = Ensured::AlreadyThere;
    for port in bridge_ports(host, result)? {
        if port.port.is_some_and(|port| port.hairpin) {
            continue;
        }
        link::port::set_hairpin(host, port.index, &port.name, true)?;
        undo.push(format!("switch the hairpin mode of {} off", port.name), move || {
            link::port::set_hairpin(&mut RouteSocket::open()?, port.index, &port.name, false)
        });
        ensured = Ensured::Added;
    }
    Ok(ensured)
}
