//! Connections that the kernel remembers from before a port was published, or keeps for a container that is gone. A
//! client of UDP would be led to the old place as long as it goes on sending.

use std::net::{IpAddr, SocketAddr};

use firewall::PublishedPort;
use firewall::conntrack::{self, Flow};
use vocab::{HostAddress, PortMapping, Protocol};

use crate::target::Target;

/// Whether a client has no way to notice that it talks to nobody.
const fn is_remembered(protocol: Protocol) -> bool {
    // TCP's own connections are refused by whoever does not know them.
    !matches!(protocol, Protocol::Tcp)
}

/// Forgets what leads elsewhere, now that these ports are published.
pub(crate) fn others(target: &Target, mappings: &[PortMapping]) -> Result<(), conntrack::Error> {
    let mut flows = Vec::new();
    for mapping in mappings.iter().filter(|mapping| is_remembered(mapping.protocol)) {
        let v4 = target.v4().filter(|_| mapping.host_address.has_v4()).map(IpAddr::V4);
        let v6 = target.v6().filter(|_| mapping.host_address.has_v6()).map(IpAddr::V6);
        flows.extend(v4.into_iter().chain(v6).map(|address| Flow {
            protocol: mapping.protocol,
            host_address: of_family(mapping.host_address, address),
            host_port: mapping.host_port,
            target: Some(SocketAddr::new(address, mapping.container_port.get())),
        }));
    }
    if flows.is_empty() { Ok(()) } else { conntrack::forget_others(&flows).map(drop) }
}

fn of_family(host_address: HostAddress, address: IpAddr) -> HostAddress {
    match (host_address, address) {
        (HostAddress::Any, IpAddr::V4(_)) => HostAddress::AnyV4,
        (HostAddress::Any, IpAddr::V6(_)) => HostAddress::AnyV6,
        (one, _) => one,
    }
}

/// Forgets what leads to a container by ports that it no longer has.
pub(crate) fn withdrawn(ports: &[PublishedPort]) -> Result<(), conntrack::Error> {
    let remembered = ports.iter().filter(|port| is_remembered(port.protocol));
    let flows: Vec<_> = remembered
        .map(|port| Flow {
            protocol: port.protocol,
            host_address: port.host_address,
            host_port: port.host_port,
            target: Some(port.target),
        })
        .collect();
    if flows.is_empty() { Ok(()) } else { conntrack::forget(&flows).map(drop) }
}
