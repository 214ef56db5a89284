//! Who is on a network: what the cache keeps of an attachment, and whether that still stands.

use std::path::{Path, PathBuf};

use cni::Interface;
use ipnetwork::IpNetwork;
use network::{CacheError, Entry};
use serde::Deserialize;
use serde_json::{Map, Value};
use subnet::Family;
use vocab::{Attachment, HostAddress, InterfaceName, MacAddress, NetworkName, Port, PortMapping, Protocol};

use crate::catalog::{Catalog, Network};
use crate::view::LenientList;

/// An attachment to a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The network.
    pub network: NetworkName,
    /// The container and its interface.
    pub attachment: Attachment,
    /// What its runtime calls the container, if it said so.
    pub name: Option<String>,
    /// Its namespace.
    pub netns: Option<PathBuf>,
    /// Its addresses, with the prefix of their subnet.
    pub addresses: Vec<IpNetwork>,
    /// Its MAC address, if the plugins answered one.
    pub mac: Option<MacAddress>,
    /// The host's end of its pair, if it has one.
    pub host_interface: Option<InterfaceName>,
    /// The ports of the host that lead to it.
    pub ports: Vec<PortMapping>,
    /// Further names of it on the network.
    pub aliases: Vec<String>,
    /// Whether it is there. One that is not is what a reboot or a crash left, and is in nobody's way.
    pub is_standing: bool,
}

impl Member {
    /// What the cache keeps of an attachment.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let interface = entry.attachment.interface.as_str();
        let interfaces = &entry.result.interfaces;
        let own = interfaces.iter().find(|own| own.name == interface && !own.sandbox.is_empty());
        Self {
            network: entry.network.clone(),
            attachment: entry.attachment.clone(),
            name: entry.args.get("K8S_POD_NAME").map(str::to_owned),
            netns: entry.namespace().map(Path::to_owned),
            addresses: entry.result.ips.iter().map(|ip| ip.address).collect(),
            mac: own.and_then(|own| own.mac.parse().ok()),
            host_interface: own.and_then(|_| host_end(interfaces)),
            ports: ports(&entry.capability_args),
            aliases: aliases(&entry.capability_args, &entry.network),
            // Whoever cannot be looked for is not taken for gone.
            is_standing: entry.stands().unwrap_or(true),
        }
    }

    /// Its first address of a family.
    #[must_use]
    pub fn address(&self, family: Family) -> Option<IpNetwork> {
        self.addresses.iter().copied().find(|address| Family::of_network(*address) == family)
    }

    /// How a person knows it: by the name that its runtime gave it, or by its id.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.attachment.container.as_str())
    }
}

impl Catalog {
    /// Who is on a network, as the cache knows it, in the order of their ids.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn members(&self, network: &Network) -> Result<Vec<Member>, CacheError> {
        let entries = self.places().cache.of_network(network.name())?;
        Ok(entries.iter().map(Member::of).collect())
    }

    /// Everybody, on whatever network.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn all_members(&self) -> Result<Vec<Member>, CacheError> {
        Ok(self.places().cache.all()?.iter().map(Member::of).collect())
    }
}

impl std::fmt::Display for Member {
    /// `web (eth0, 172.26.0.2)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}", self.label(), self.attachment.interface)?;
        self.addresses.iter().try_for_each(|address| write!(f, ", {}", address.ip()))?;
        f.write_str(")")
    }
}

/// The host's end of a pair: the reference's bridge, and ours, name the bridge first, then the host's end; ptp has only
/// that, and macvlan none.
fn host_end(interfaces: &[Interface]) -> Option<InterfaceName> {
    let mut on_host = interfaces.iter().filter(|interface| interface.sandbox.is_empty());
    let first = on_host.next()?;
    InterfaceName::new(&on_host.next().unwrap_or(first).name).ok()
}

/// A published port in any spelling of the clients.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    host_port: u16,
    container_port: u16,
    protocol: String,
    #[serde(rename = "hostIP")]
    host_ip: String,
}

/// The ports that a runtime asked for; one that is none was refused, and leads nowhere.
fn ports(args: &Map<String, Value>) -> Vec<PortMapping> {
    let Some(written) = args.get("portMappings") else { return Vec::new() };
    let written: LenientList<Written> = cni::decode(written, "").unwrap_or_default();
    let mapping = |written: Written| {
        let protocol = match written.protocol.as_str() {
            "" => Protocol::default(),
            protocol => protocol.to_ascii_lowercase().parse().ok()?,
        };
        let host_address: HostAddress = written.host_ip.parse().ok()?;
        let (host_port, container_port) = (Port::new(written.host_port)?, Port::new(written.container_port)?);
        Some(PortMapping { host_address, host_port, container_port, protocol })
    };
    written.unwrap_or_default().into_iter().filter_map(|written| mapping(written.0?)).collect()
}

/// `{"mynet": ["web", "db"]}`, as the plugin dnsname has it.
fn aliases(args: &Map<String, Value>, network: &NetworkName) -> Vec<String> {
    let of_network =
        args.get("aliases").and_then(|aliases| aliases.get(network.as_str())).and_then(Value::as_array);
    let texts = of_network.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
