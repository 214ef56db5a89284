//! From what a person asks for to what the plugins are told: capabilities where they are declared, `CNI_ARGS` elsewhere.

use std::net::IpAddr;
use std::path::Path;

use cni::Args;
use ipnetwork::IpNetwork;
use network::Request;
use serde_json::{Map, Value, json};
use vocab::{Attachment, HostAddress, PortMapping, Publish};

use super::{JoinError, Joining, declares};
use crate::catalog::Network;

/// What runtimes call a container, as kubelet has it; podman and containerd use it as well.
pub(crate) const RUNTIMES_NAME: &str = "K8S_POD_NAME";

/// Fails for an address that the network cannot give. What is leased already the IPAM plugin knows better; and one of
/// others, whose keys nobody here can read, knows everything better.
pub(super) fn check_addresses(network: &Network, joining: &Joining) -> Result<(), JoinError> {
    let subnets = &network.view.subnets;
    let is_others = network.view.ipam.as_deref().is_some_and(|ipam| ipam != "host-local");
    if subnets.is_empty() && is_others {
        return Ok(());
    }
    for address in joining.addresses() {
        let Some(subnet) = subnets.iter().find(|subnet| subnet.subnet.contains(address)) else {
            let subnets = subnets.iter().map(|subnet| subnet.subnet).collect();
            return Err(JoinError::Outside { address, network: network.name().clone(), subnets });
        };
        let refused =
            |what: &'static str| JoinError::Unusable { address, network: network.name().clone(), what };
        let network_itself = subnet.subnet.network();
        if address == network_itself {
            return Err(refused("the address of the subnet itself"));
        }
        if address.is_ipv4() && address == subnet.subnet.broadcast() {
            return Err(refused("the subnet's broadcast address"));
        }
        if subnet.gateway == Some(address) {
            return Err(refused("the gateway's address"));
        }
    }
    Ok(())
}

/// Where ports are published that name no address.
pub(super) fn bound(publish: &Publish, network: &Network) -> Publish {
    let binding = network.view.host_binding.filter(|_| publish.host_address == HostAddress::Any);
    Publish { host_address: binding.map_or(publish.host_address, HostAddress::from), ..*publish }
}

/// Fails when a container publishes one port of the host twice.
pub(super) fn refuse_twice(ports: &[PortMapping], mapping: &PortMapping) -> Result<(), JoinError> {
    let is_same = |other: &&PortMapping| {
        other.host_port == mapping.host_port
            && other.protocol == mapping.protocol
            && share(other.host_address, mapping.host_address)
    };
    match ports.iter().find(is_same) {
        Some(other) => Err(JoinError::PortTwice { one: *other, other: *mapping }),
        None => Ok(()),
    }
}

/// Whether an address of the host is one of both.
fn share(one: HostAddress, other: HostAddress) -> bool {
    let is_family = one.has_v4() && other.has_v4() || one.has_v6() && other.has_v6();
    one == other || (is_family && (one.one().is_none() || other.one().is_none()))
}

/// The ADD of a container that is to have `ports`.
///
/// # Errors
/// [`JoinError`] for what no plugin of the network takes.
pub(super) fn build(
    network: &Network,
    joining: &Joining,
    attachment: Attachment,
    netns: &Path,
    ports: &[PortMapping],
) -> Result<Request, JoinError> {
    let mut capability_args = Map::new();
    let mut insert = |key: &str, value: Value| drop(capability_args.insert(key.to_owned(), value));
    let mut pairs: Vec<(String, String)> = Vec::new();
    let addresses: Vec<IpAddr> = joining.addresses().collect();
    match addresses.as_slice() {
        [] => {}
        addresses if declares(network, "ips") => {
            insert("ips", addresses.iter().map(|address| with_prefix(network, *address)).collect());
        }
        [address] => pairs.push(("IP".to_owned(), address.to_string())),
        _ => return Err(JoinError::TwoAddresses { network: network.name().clone() }),
    }
    match joining.mac {
        None => {}
        Some(mac) if declares(network, "mac") => insert("mac", mac.to_string().into()),
        Some(mac) => pairs.push(("MAC".to_owned(), mac.to_string())),
    }
    if !ports.is_empty() {
        if !declares(network, "portMappings") {
            return Err(JoinError::NoPorts {
                network: network.name().clone(),
                driver: network.view.driver.clone(),
            });
        }
        insert("portMappings", ports.iter().map(port).collect());
    }
    // Whether or not a plugin takes them: they are kept with the attachment, and whoever resolves names finds them there.
    if !joining.aliases.is_empty() {
        insert("aliases", json!({network.name().as_str(): joining.aliases}));
    }
    pairs.extend(joining.name.iter().map(|name| (RUNTIMES_NAME.to_owned(), name.clone())));
    if !pairs.is_empty() {
        pairs.insert(0, ("IgnoreUnknown".to_owned(), "1".to_owned()));
    }
    let args: Args = pairs.into_iter().collect();
    Ok(Request { attachment, netns: Some(netns.to_owned()), args, capability_args })
}

/// An address with the prefix of its subnet: the plugin `static` needs it, `host-local` takes it.
fn with_prefix(network: &Network, address: IpAddr) -> String {
    let subnet = network.view.subnets.iter().find(|subnet| subnet.subnet.contains(address));
    let with = subnet.and_then(|subnet| IpNetwork::new(address, subnet.subnet.prefix()).ok());
    with.map_or_else(|| address.to_string(), |with| with.to_string())
}

fn port(mapping: &PortMapping) -> Value {
    let mut port = Map::new();
    let mut insert = |key: &str, value: Value| drop(port.insert(key.to_owned(), value));
    insert("hostPort", mapping.host_port.get().into());
    insert("containerPort", mapping.container_port.get().into());
    insert("protocol", mapping.protocol.to_string().into());
    if let Some(address) = mapping.host_address.written() {
        insert("hostIP", json!(address));
    }
    Value::Object(port)
}

#[cfg(test)]
mod tests;
