//! A network as Docker shows it, and what is there now.

use std::collections::BTreeMap;

use catalog::{Filling, HostFacts, Member, Network};
use cni::Dns;
use serde::Serialize;
use subnet::Family;

/// A network in full. The names are Docker's where the meaning is the same.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspection {
    name: String,
    id: String,
    created: Option<String>,
    scope: &'static str,
    driver: String,
    #[serde(rename = "EnableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: Ipam,
    internal: bool,
    isolated: bool,
    #[serde(rename = "MTU")]
    mtu: Option<u32>,
    #[serde(rename = "DNS")]
    dns: Dns,
    options: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    containers: BTreeMap<String, Container>,
    stale: BTreeMap<String, Container>,
    links: Vec<Link>,
    status: Status,
    file: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    driver: String,
    options: BTreeMap<String, String>,
    config: Vec<IpamConfig>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IpamConfig {
    subnet: String,
    #[serde(rename = "IPRange", skip_serializing_if = "Option::is_none")]
    ip_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
}

/// A container on the network. One that is there by several interfaces is named once for each.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    name: String,
    #[serde(rename = "EndpointID")]
    endpoint_id: String,
    mac_address: String,
    #[serde(rename = "IPv4Address")]
    ipv4_address: String,
    #[serde(rename = "IPv6Address")]
    ipv6_address: String,
    interface: String,
    host_interface: Option<String>,
    namespace: Option<String>,
    aliases: Vec<String>,
    ports: BTreeMap<String, Vec<Binding>>,
}

/// Where a container's port is published.
#[derive(Serialize)]
struct Binding {
    #[serde(rename = "HostIp")]
    host_ip: String,
    #[serde(rename = "HostPort")]
    host_port: String,
}

/// A link of the host.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Link {
    name: String,
    kind: Option<String>,
    #[serde(rename = "MTU")]
    mtu: u32,
    addresses: Vec<String>,
}

#[derive(Serialize)]
struct Status {
    #[serde(rename = "IPAM")]
    ipam: StatusIpam,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusIpam {
    subnets: BTreeMap<String, Filled>,
}

#[derive(Serialize)]
struct Filled {
    #[serde(rename = "IPsInUse")]
    in_use: u64,
    #[serde(rename = "DynamicIPsAvailable")]
    available: u128,
}

impl Inspection {
    pub(super) fn new(network: &Network, facts: &HostFacts, members: &[Member], filling: &[Filling]) -> Self {
        let view = &network.view;
        let of_state =
            |is_standing: bool| containers(members.iter().filter(|member| member.is_standing == is_standing));
        Self {
            name: network.name().to_string(),
            id: network.id.to_string(),
            created: view.created.clone(),
            scope: "local",
            driver: view.driver.clone(),
            enable_ipv4: view.has_family(Family::V4),
            enable_ipv6: view.has_family(Family::V6),
            ipam: Ipam {
                driver: view.ipam.clone().unwrap_or_default(),
                options: BTreeMap::new(),
                config: view.subnets.iter().map(ipam_config).collect(),
            },
            internal: view.is_internal,
            isolated: view.is_isolated,
            mtu: view.mtu,
            dns: view.dns.clone(),
            options: view.options.clone(),
            labels: view.labels.clone(),
            containers: of_state(true),
            stale: of_state(false),
            links: links(network, facts, members),
            status: Status { ipam: StatusIpam { subnets: filling.iter().map(filled).collect() } },
            file: network.file().map(|file| file.display().to_string()),
        }
    }
}

fn ipam_config(subnet: &catalog::Subnet) -> IpamConfig {
    IpamConfig {
        subnet: subnet.subnet.to_string(),
        ip_range: subnet.range_text(),
        gateway: subnet.gateway.map(|gateway| gateway.to_string()),
    }
}

/// As Docker counts: the subnet's own address, its broadcast address and the gateway are nobody's to have.
fn filled(filling: &Filling) -> (String, Filled) {
    (filling.subnet.to_string(), Filled { in_use: filling.leased, available: filling.available })
}

fn containers<'a>(members: impl Iterator<Item = &'a Member>) -> BTreeMap<String, Container> {
    let mut containers = BTreeMap::new();
    for member in members {
        let id = member.attachment.container.to_string();
        // A second interface on the same network has a key of its own.
        let key = if containers.contains_key(&id) { member.attachment.to_string() } else { id };
        containers.insert(key, container(member));
    }
    containers
}

fn container(member: &Member) -> Container {
    let address = |family| member.address(family).map(|address| address.to_string()).unwrap_or_default();
    let mut ports: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
    for mapping in &member.ports {
        let key = format!("{}/{}", mapping.container_port, mapping.protocol);
        let host_ip = mapping.host_address.written().map(|address| address.to_string()).unwrap_or_default();
        ports.entry(key).or_default().push(Binding { host_ip, host_port: mapping.host_port.to_string() });
    }
    Container {
        name: member.label().to_owned(),
        endpoint_id: member.attachment.to_string(),
        mac_address: member.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        ipv4_address: address(Family::V4),
        ipv6_address: address(Family::V6),
        interface: member.attachment.interface.to_string(),
        host_interface: member.host_interface.as_ref().map(ToString::to_string),
        namespace: member.netns.as_ref().map(|netns| netns.display().to_string()),
        aliases: member.aliases.clone(),
        ports,
    }
}

/// The network's own link, and the host's ends of its containers' pairs, as far as they are there.
fn links(network: &Network, facts: &HostFacts, members: &[Member]) -> Vec<Link> {
    let pairs = members.iter().filter_map(|member| member.host_interface.as_ref());
    let found = network.view.link.iter().chain(pairs).filter_map(|name| facts.link(name));
    let link = |link: &catalog::LinkFact| Link {
        name: link.name.to_string(),
        kind: link.kind.clone(),
        mtu: link.mtu,
        addresses: link.addresses.iter().map(ToString::to_string).collect(),
    };
    found.map(link).collect()
}
