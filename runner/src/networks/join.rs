//! Joining a container's networks, when its namespace has just been made.

use std::net::IpAddr;
use std::path::Path;

use catalog::{Catalog, JoinError, Joined, Joining, Network, Sandbox, declares};
use netns::Netns;
use network::Runtime;
use vocab::{ContainerId, HostPorts, NetworkName, PortMapping, PortRange, Publish};

use super::NetworksError;
use super::leave::leave_all;
use crate::{Attached, Config, Host, Membership, Mode};

/// What joining came to.
#[derive(Debug, Default)]
pub struct Connected {
    /// The networks, in the order in which they were joined.
    pub attached: Vec<Attached>,
    /// The host, as the container reaches it: known if somebody asked for it.
    pub host: Vec<IpAddr>,
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
    join_each(config, memberships, &networks, |at, network, joining| {
        let publish = if Some(at) == publishes { wanted_ports(config) } else { Vec::new() };
        catalog.join_new(runtime, network, &sandbox, &Joining { publish, ..joining }).map_err(Box::new)
    })
    .inspect_err(|_| {
        // The first failure is what people need to know; what cannot be undone, `netctl gc` does.
        let _ = leave_all(catalog, runtime, config);
    })
}

fn join_each(
    config: &Config,
    memberships: &[Membership],
    networks: &[Network],
    join: impl Fn(usize, &Network, Joining) -> Result<Joined, Box<JoinError>>,
) -> Result<Connected, NetworksError> {
    let mut connected = Connected::default();
    for (at, (network, membership)) in networks.iter().zip(memberships).enumerate() {
        let joining = Joining {
            ip: membership.ip,
            ip6: membership.ip6,
            mac: membership.mac,
            aliases: membership.aliases.clone(),
            interface: membership.interface.clone(),
            publish: Vec::new(),
            name: Some(config.name.as_str().to_owned()),
        };
        let joined = join(at, network, joining)
            .map_err(|source| NetworksError::Join { network: network.name().clone(), source })?;
        connected.add(network, membership, joined);
    }
    if config.names.add_hosts.iter().any(|added| added.host == Host::Gateway) {
        connected.host = host(networks, &connected.attached)?;
    }
    Ok(connected)
}

/// The host's addresses on the first network on which it has any. Their router may be somebody else.
fn host(networks: &[Network], attached: &[Attached]) -> Result<Vec<IpAddr>, NetworksError> {
    for (network, attached) in networks.iter().zip(attached) {
        let addresses = match network.host_addresses().map_err(NetworksError::Host)? {
            Some(mut known) => {
                known.retain(|address| attached.addresses.iter().any(|own| own.contains(*address)));
                known
            }
            None => attached.gateways.clone(),
        };
        if !addresses.is_empty() {
            return Ok(addresses);
        }
    }
    Err(NetworksError::NoHost { networks: names(networks) })
}

fn names(networks: &[Network]) -> Vec<String> {
    networks.iter().map(|network| network.name().to_string()).collect()
}

/// Fails when a network is named twice.
///
/// # Errors
/// [`NetworksError::Twice`].
pub fn refuse_twice(memberships: &[Membership]) -> Result<(), NetworksError> {
    let networks: Vec<&NetworkName> = memberships.iter().map(|membership| &membership.network).collect();
    let twice = networks.iter().enumerate().find(|(at, network)| networks[..*at].contains(network));
    twice.map_or(Ok(()), |(_, network)| Err(NetworksError::Twice((*network).clone())))
}

fn find_all(catalog: &Catalog, memberships: &[Membership]) -> Result<Vec<Network>, NetworksError> {
    let mut networks: Vec<Network> = Vec::with_capacity(memberships.len());
    for membership in memberships {
        let network = catalog.find_to_join(membership.network.as_str())?;
        // It may have been named by its id.
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

/// The network by which ports are published, if any are: the first that can, and of those one that is reached from
/// outside, if there is one.
fn publishing(config: &Config, networks: &[Network]) -> Result<Option<usize>, NetworksError> {
    if wanted_ports(config).is_empty() {
        return Ok(None);
    }
    let can = |network: &Network| declares(network, "portMappings");
    let open = networks.iter().position(|network| can(network) && !network.view.is_internal);
    let first = open.or_else(|| networks.iter().position(can));
    first.map(Some).ok_or_else(|| NetworksError::NoPorts { networks: names(networks) })
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
