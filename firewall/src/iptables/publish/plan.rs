//! Which lines a container's ports need, in the words of `iptables-save`. No input, no output.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use vocab::{PortMapping, Protocol};

use super::label::{self, DNAT, SET_MARK};
use super::{Conditions, IptablesPublication, Mark};
use crate::iptables::Version;

/// A multiport match holds no more.
const PORTS_A_RULE: usize = 15;

/// A container's chain and rules in one address family.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) chain: String,
    /// `-A CHAIN …`: what becomes of the container's connections.
    pub(super) rules: Vec<String>,
    /// `-A CNI-HOSTPORT-DNAT …`: which connections are the container's.
    pub(super) entries: Vec<String>,
    /// Whether only iptables itself can tell how it lists the entries.
    pub(super) has_conditions: bool,
    /// The mark that the shared chains set and look for, if they are needed.
    pub(super) mark: Option<u32>,
}

impl Plan {
    /// The plan, if the container has an address of this family and ports.
    pub(super) fn new(publication: &IptablesPublication<'_>, version: Version) -> Option<Self> {
        let options = publication.options;
        let address = publication.addresses.iter().find(|address| Version::of(address.ip()) == version)?;
        if publication.mappings.is_empty() {
            return None;
        }
        let chain = label::chain(publication.network, publication.container);
        let (mark, mark_chain) = match &options.mark {
            _ if !options.snat => (None, None),
            Mark::Bit(bit) => (Some(bit.mask()), Some(SET_MARK)),
            Mark::Chain(chain) => (None, Some(chain.as_str())),
        };
        let rules = rules(publication, *address, &chain, mark_chain);
        let conditions = match version {
            Version::V4 => &options.conditions_v4,
            Version::V6 => &options.conditions_v6,
        };
        let entries = entries(publication, &chain, conditions);
        Some(Self { chain, rules, entries, has_conditions: !conditions.is_empty(), mark })
    }
}

/// What becomes of each mapping's connections: marked for masquerade where that is needed, then translated.
fn rules(
    publication: &IptablesPublication<'_>,
    address: IpNetwork,
    chain: &str,
    mark_chain: Option<&str>,
) -> Vec<String> {
    let sources = marked_sources(address, publication.options.masquerade_all);
    let version = Version::of(address.ip());
    let mut rules = Vec::new();
    for mapping in publication.mappings.iter().filter(|mapping| is_of(mapping, version)) {
        let connection = connection(mapping);
        if let Some(mark_chain) = mark_chain {
            rules.extend(
                sources.iter().map(|source| format!("-A {chain}{source}{connection} -j {mark_chain}")),
            );
        }
        let container = socket(address.ip(), mapping.container_port.get());
        rules.push(format!("-A {chain}{connection} -j DNAT --to-destination {container}"));
    }
    // Mappings may say the same twice; a second rule does no good.
    let mut known = HashSet::new();
    rules.retain(|rule| known.insert(rule.clone()));
    rules
}

/// As a match of the source, nothing for all: whose connections would otherwise be answered past us. The
/// container's own subnet reaches it directly, and the host's loopback address means nothing to the container.
fn marked_sources(address: IpNetwork, everybody: bool) -> Vec<String> {
    let subnet = format!(" -s {}/{}", address.network(), address.prefix());
    let first = if everybody || address.prefix() == 0 { String::new() } else { subnet };
    let loopback = address.is_ipv4().then(|| " -s 127.0.0.1/32".to_owned());
    [first].into_iter().chain(loopback).collect()
}

/// Whether the mapping is for host addresses of this family.
pub(super) fn is_of(mapping: &PortMapping, version: Version) -> bool {
    match version {
        Version::V4 => mapping.host_address.has_v4(),
        Version::V6 => mapping.host_address.has_v6(),
    }
}

fn connection(mapping: &PortMapping) -> String {
    let destination = mapping.host_address.one().map(|address| {
        let width = Version::of(address).width();
        format!(" -d {address}/{width}")
    });
    let (protocol, port) = (mapping.protocol, mapping.host_port);
    format!("{} -p {protocol} -m {protocol} --dport {port}", destination.unwrap_or_default())
}

fn socket(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(v4) => format!("{v4}:{port}"),
        IpAddr::V6(v6) => format!("[{v6}]:{port}"),
    }
}

/// The reference's order: protocols by name, ports as they were given. It lists all of them in both families; those
/// at an address of the other one find nothing in the container's chain.
fn entries(publication: &IptablesPublication<'_>, chain: &str, conditions: &Conditions) -> Vec<String> {
    let comment = label::comment(publication.network, publication.container).replace('"', "\\\"");
    let mut entries = Vec::new();
    for protocol in [Protocol::Sctp, Protocol::Tcp, Protocol::Udp] {
        let mappings = publication.mappings.iter().filter(|mapping| mapping.protocol == protocol);
        let ports: Vec<_> = mappings.map(|mapping| mapping.host_port).collect();
        for ports in ports.chunks(PORTS_A_RULE) {
            let mut line =
                format!("-A {DNAT} -p {protocol} -m comment --comment \"{comment}\" -m multiport --dports ");
            for (position, port) in ports.iter().enumerate() {
                let comma = if position == 0 { "" } else { "," };
                // Writing to a string cannot fail.
                let _always = write!(line, "{comma}{port}");
            }
            entries.push(format!("{line}{conditions} -j {chain}"));
        }
    }
    entries
}

#[cfg(test)]
pub(super) mod tests;
