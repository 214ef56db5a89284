//! Joining a container's networks, when its namespace has just been made.

use std::net::IpAddr;
use std::path::Path;

use catalog::{Catalog, Joined, Joining, Network, Sandbox, declares};
use netns::Netns;
use network::Runtime;
use vocab::{ContainerId, HostPorts, PortMapping, PortRange, Publish};

use super::NetworksError;
use super::leave::leave_all;
use crate::{Attached, Config, Membership, Mode};

/// What joining came to.
#[derive(Debug, Default)]
pub struct Connected {
    /// The networks, in the order in which they were joined.
    pub attached: Vec<Attached>,
    /// What the networks say of resolving names.
    pub dns: cni::Dns,
    /// What people had better know.
    pub notes: Vec<String>,
}

/// Puts the container that lives in `netns`, which has just been made, on its networks. The first is its way out.
///
/// # Errors
/// [`NetworksError`]; it is on none then.
pub fn join_all(
    catalog: &Catalog,
    runtime: &Runtime,
    config: &Config,
    netns: &Path,
) -> Result<Connected, NetworksError> {
    let memberships = match &config.mode {
        Mode::Networks(memberships) => memberships,
        Mode::None => {
            let open = Netns::open(netns).map_err(NetworksError::Open)?;
            catalog::ensure_loopback(&open).map_err(|source| NetworksError::Loopback(Box::new(source)))?;
            return Ok(Connected::default());
        }
        Mode::Host | Mode::Container(_) | Mode::Namespace(_) => return Ok(Connected::default()),
    };
    let networks = find_all(catalog, memberships)?;
    let publishes = publishing(config, &networks)?;
    let sandbox = Sandbox { container: ContainerId::new(config.id.as_str())?, netns: Some(netns.to_owned()) };
    let mut connected = Connected::default();
    for (at, (network, membership)) in networks.iter().zip(memberships).enumerate() {
        let publish = if Some(at) == publishes { wanted_ports(config) } else { Vec::new() };
        let joining = Joining {
            ip: membership.ip,
            ip6: membership.ip6,
            mac: membership.mac,
            aliases: membership.aliases.clone(),
            interface: membership.interface.clone(),
            publish,
            name: Some(config.name.as_str().to_owned()),
        };
        match catalog.join_new(runtime, network, &sandbox, &joining) {
            Ok(joined) => connected.add(network, membership, joined),
            Err(source) => {
                // The first failure is what people need to know; what cannot be undone, `netctl gc` does.
                let _ = leave_all(catalog, runtime, config, &connected.attached);
                return Err(NetworksError::Join {
                    network: network.name().clone(),
                    source: Box::new(source),
                });
            }
        }
    }
    Ok(connected)
}

fn find_all(catalog: &Catalog, memberships: &[Membership]) -> Result<Vec<Network>, NetworksError> {
    let mut networks: Vec<Network> = Vec::with_capacity(memberships.len());
    for membership in memberships {
        let network = catalog.find_to_join(membership.network.as_str())?;
        if networks.iter().any(|other| other.name() == network.name()) {
            return Err(NetworksError::Twice(network.name().clone()));
        }
        if matches!(network.view.driver.as_str(), "host" | "null") {
            return Err(NetworksError::Mode(network.name().clone()));
        }
        networks.push(network);
    }
    Ok(networks)
}

/// The network by which ports are published, if any are: the first that can.
fn publishing(config: &Config, networks: &[Network]) -> Result<Option<usize>, NetworksError> {
    if wanted_ports(config).is_empty() {
        return Ok(None);
    }
    let first = networks.iter().position(|network| declares(network, "portMappings"));
    let names = || networks.iter().map(|network| network.name().to_string()).collect();
    first.map(Some).ok_or_else(|| NetworksError::NoPorts { networks: names() })
}

/// What `-p` names, and with `-P` whatever else is exposed, each by a free port of the host.
fn wanted_ports(config: &Config) -> Vec<Publish> {
    let mut wanted = config.ports.publish.clone();
    if config.ports.publish_all {
        for exposed in &config.ports.exposed {
            for port in exposed.ports.ports() {
                let is_named = |publish: &Publish| {
                    publish.protocol == exposed.protocol
                        && publish.container_ports.ports().any(|named| named == port)
                };
                if !wanted.iter().any(is_named) {
                    wanted.push(Publish {
                        host_address: vocab::HostAddress::Any,
                        host_ports: HostPorts::Free,
                        container_ports: PortRange::from(port),
                        protocol: exposed.protocol,
                    });
                }
            }
        }
    }
    wanted
}

impl Connected {
    fn add(&mut self, network: &Network, membership: &Membership, joined: Joined) {
        let interface = joined.attachment.interface.clone();
        let own = joined
            .result
            .interfaces
            .iter()
            .find(|own| own.name == interface.as_str() && !own.sandbox.is_empty());
        let gateways: Vec<IpAddr> = joined.result.ips.iter().filter_map(|ip| ip.gateway).collect();
        self.attached.push(Attached {
            network: network.name().clone(),
            mac: own.and_then(|own| own.mac.parse().ok()),
            interface,
            addresses: joined.result.ips.iter().map(|ip| ip.address).collect(),
            gateways,
            aliases: membership.aliases.clone(),
            ports: joined.ports.iter().map(publish_of).collect(),
        });
        if self.dns == cni::Dns::default() {
            self.dns = joined.result.dns;
        }
        if !joined.switched_on.is_empty() {
            self.notes.push(format!(
                "switched on for network {}: {}",
                network.name(),
                joined.switched_on.join(", ")
            ));
        }
        if network.view.is_internal && !joined.ports.is_empty() {
            self.notes.push(format!(
                "network {} is internal: its published ports are reached from this host, and not from outside",
                network.name()
            ));
        }
        if !membership.aliases.is_empty() && !joined.has_resolver {
            self.notes.push(format!("nobody answers to aliases on network {}", network.name()));
        }
    }
}

fn publish_of(mapping: &PortMapping) -> Publish {
    Publish {
        host_address: mapping.host_address,
        host_ports: HostPorts::Each(PortRange::from(mapping.host_port)),
        container_ports: PortRange::from(mapping.container_port),
        protocol: mapping.protocol,
    }
}
