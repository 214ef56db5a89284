//! The networks that every host has: `bridge`, `host` and `none`.
//!
//! None of them is a file. `host` and `none` need none; `bridge` follows from daemon.json, and where that names no
//! subnet from the kernel: a bridge that is there keeps its own.

use std::net::IpAddr;
use std::path::PathBuf;

use cni::{Code, Fault};
use docker::{DaemonFile, DefaultBridge, Pool};
use ipnetwork::IpNetwork;
use network::{List, ListError};
use serde_json::{Map, Value, json};
use subnet::Family;
use vocab::InterfaceName;

use crate::facts::HostFacts;
use crate::pool;
use crate::taken::{self, Taken};

/// The name of the network that containers are on when nobody says another.
pub const BRIDGE: &str = "bridge";
/// The name of the network of those who stay in the host's namespace.
pub const HOST: &str = "host";
/// The name of the network of those who have a loopback interface only.
pub const NONE: &str = "none";

/// What Docker's API calls the network `bridge`; so no other network may have that name.
pub(crate) const DEFAULT: &str = "default";

/// Whether a network of that name is on every host.
#[must_use]
pub(crate) fn is_built_in(name: &str) -> bool {
    [BRIDGE, HOST, NONE].contains(&name)
}

/// Why there is no network `bridge`.
#[derive(Debug, thiserror::Error)]
pub enum BuiltInError {
    /// The file that describes it cannot be used.
    #[error(transparent)]
    File(#[from] docker::Error),
    /// Somebody uses its addresses.
    #[error("{key} {value} of {}: it overlaps {taken}", file.display())]
    Overlap {
        /// The key that names them.
        key: &'static str,
        /// Its value.
        value: String,
        /// The file.
        file: PathBuf,
        /// Who.
        taken: Box<Taken>,
    },
    /// The link that is to be its bridge is not there, or is none.
    #[error("bridge {link} of {}: {found}", file.display())]
    Link {
        /// The link.
        link: InterfaceName,
        /// The file.
        file: PathBuf,
        /// What there is.
        found: String,
    },
    /// No pool has a subnet left.
    #[error(
        "no {family} subnet is free for network bridge: each of the address pools overlaps a network or a route of this host"
    )]
    PoolsEmpty {
        /// IPv4 or IPv6.
        family: Family,
    },
    /// The configuration that was made cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
}

impl Fault for BuiltInError {
    fn code(&self) -> Code {
        Code::INVALID_CONFIG
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.hint(),
            Self::Overlap { key, .. } => format!("choose another {key}; without one a free subnet is chosen"),
            Self::Link { link, .. } => {
                format!("make it first: `ip link add {link} type bridge`; or leave the key bridge away")
            }
            Self::PoolsEmpty { .. } => "name one with bip or fixed-cidr in daemon.json".to_owned(),
            Self::List(error) => return error.hint(),
        })
    }
}

/// What `bridge` is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// What daemon.json says.
    pub(crate) daemon: &'a DaemonFile,
    /// Where that is.
    pub(crate) file: &'a std::path::Path,
    /// The host.
    pub(crate) facts: &'a HostFacts,
    /// What other networks use.
    pub(crate) others: &'a [Taken],
    /// The machine's id (machine-id(5)).
    pub(crate) machine_id: &'a str,
}

/// The network `host`.
///
/// # Errors
/// Never, in truth: the text is a constant.
pub(crate) fn host() -> Result<List, ListError> {
    constant(HOST, "host")
}

/// The network `none`.
///
/// # Errors
/// As with [`host`].
pub(crate) fn none() -> Result<List, ListError> {
    constant(NONE, "none")
}

fn constant(name: &str, plugin: &str) -> Result<List, ListError> {
    parse(&json!({"cniVersion": "1.1.0", "name": name, "plugins": [{"type": plugin}]}))
}

fn parse(list: &Value) -> Result<List, ListError> {
    List::parse(list.to_string().into_bytes())
}

/// The network `bridge`; nothing, if daemon.json wants none.
///
/// # Errors
/// [`BuiltInError`].
pub(crate) fn bridge(sources: Sources<'_>) -> Result<Option<List>, BuiltInError> {
    let link = match &sources.daemon.bridge {
        DefaultBridge::None => return Ok(None),
        DefaultBridge::Own => None,
        DefaultBridge::Existing(link) => Some(existing(sources, link)?),
    };
    let name = link.map_or(BRIDGE.to_owned(), |link| link.to_string());
    let mut plugin = Map::new();
    let mut insert = |key: &str, value: Value| plugin.insert(key.to_owned(), value);
    insert("type", "bridge".into());
    insert("bridge", name.as_str().into());
    insert("gatewayMode", "nat".into());
    insert("ipMasq", sources.daemon.ip_masq.into());
    insert("hairpinMode", true.into());
    for (key, value) in addresses(sources, &name)? {
        insert(key, value.into());
    }
    let mtu = sources.daemon.mtu.or_else(|| sources.facts.mtu_of_uplink(sources.daemon.has_ipv6()));
    if let Some(mtu) = mtu {
        insert("mtu", json!(mtu));
    }
    if !sources.daemon.icc {
        insert("portIsolation", true.into());
    }
    if !sources.daemon.ip_forward {
        insert("ipForward", false.into());
    }
    insert("dns", dns(sources.daemon));
    insert("capabilities", json!({"ips": true, "mac": true}));
    let mut notes = json!({});
    // Docker takes 0.0.0.0 for all addresses of both families, as does whoever names none.
    let binding =
        sources.daemon.host_address.filter(|address| *address != IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    if let (Some(address), Value::Object(notes)) = (binding, &mut notes) {
        notes.insert("hostBinding".to_owned(), json!(address));
    }
    let list = json!({
        "cniVersion": "1.1.0",
        "name": BRIDGE,
        "netctl": notes,
        "plugins": [plugin, {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "firewall"}],
    });
    Ok(Some(parse(&list)?))
}

fn existing<'a>(sources: Sources<'_>, link: &'a InterfaceName) -> Result<&'a InterfaceName, BuiltInError> {
    let wrong =
        |found: String| BuiltInError::Link { link: link.clone(), file: sources.file.to_owned(), found };
    match sources.facts.link(link) {
        None => Err(wrong("there is no such link".to_owned())),
        Some(found) if found.kind.as_deref() != Some("bridge") => {
            Err(wrong(format!("it is no bridge but {}", found.kind.as_deref().unwrap_or("hardware"))))
        }
        Some(_) => Ok(link),
    }
}

/// Docker's keys for the addresses: as daemon.json has them, and completed where it is silent.
fn addresses(sources: Sources<'_>, link: &str) -> Result<Vec<(&'static str, String)>, BuiltInError> {
    let wish = &sources.daemon.wish;
    let mut keys: Vec<(&'static str, String)> = Vec::new();
    let own = own_addresses(sources, link);
    let named = [
        ("bip", &wish.bip),
        ("bip6", &wish.bip6),
        ("fixed-cidr", &wish.fixed_cidr),
        ("fixed-cidr-v6", &wish.fixed_cidr_v6),
    ];
    for (key, value) in named {
        let Some(value) = value else { continue };
        refuse_overlap(sources, key, value, link)?;
        keys.push((key, value.clone()));
    }
    if wish.bip.is_none() {
        let kept =
            own.iter().find(|address| address.is_ipv4() && fits(**address, wish.fixed_cidr.as_deref()));
        match kept {
            // An existing bridge's own address, or that of ours while containers are on it.
            Some(address) => keys.push(("bip", address.to_string())),
            None if wish.fixed_cidr.is_none() => keys.push(("bip", first_host(free(sources, Family::V4)?))),
            None => {}
        }
    }
    if wish.fixed_cidr_v6.is_none() && wish.bip6.is_none() && sources.daemon.has_ipv6() {
        let kept =
            own.iter().find(|address| matches!(address.ip(), IpAddr::V6(v6) if !v6.is_unicast_link_local()));
        let subnet = match kept {
            Some(address) => subnet::of(*address),
            None => free(sources, Family::V6)?,
        };
        keys.push(("fixed-cidr-v6", subnet.to_string()));
    }
    let gateways = [("default-gateway", wish.gateway), ("default-gateway-v6", wish.gateway_v6)];
    keys.extend(gateways.into_iter().filter_map(|(key, gateway)| Some((key, gateway?.to_string()))));
    Ok(keys)
}

/// The addresses that the bridge has. One that somebody else made is asked only when daemon.json names it.
fn own_addresses(sources: Sources<'_>, link: &str) -> Vec<IpNetwork> {
    let found = sources.facts.links.iter().find(|found| found.name.as_str() == link);
    let is_named = matches!(sources.daemon.bridge, DefaultBridge::Existing(_));
    let found = found.filter(|found| is_named || found.alias.as_deref().is_some_and(link::bridge::is_ours));
    found.map_or(Vec::new(), |found| found.addresses.clone())
}

/// The address of the bridge in a subnet that nobody named.
fn first_host(subnet: IpNetwork) -> String {
    format!("{}/{}", subnet::hosts(subnet).0, subnet.prefix())
}

fn fits(address: IpNetwork, fixed: Option<&str>) -> bool {
    let Some(fixed) = fixed else { return true };
    subnet::parse(fixed).is_some_and(|fixed| subnet::holds(address, fixed))
}

/// Fails when a network that daemon.json names is somebody's.
fn refuse_overlap(
    sources: Sources<'_>,
    key: &'static str,
    value: &str,
    link: &str,
) -> Result<(), BuiltInError> {
    let Some(network) = subnet::parse(value) else { return Ok(()) };
    let is_other_s = |taken: &&Taken| taken.link().is_none_or(|on| on.as_str() != link);
    let taken = sources.facts.taken.iter().filter(is_other_s).chain(sources.others);
    match taken::in_the_way(taken, network) {
        Some(taken) => Err(BuiltInError::Overlap {
            key,
            value: value.to_owned(),
            file: sources.file.to_owned(),
            taken: Box::new(taken.clone()),
        }),
        None => Ok(()),
    }
}

fn free(sources: Sources<'_>, family: Family) -> Result<IpNetwork, BuiltInError> {
    let pools = pools(sources.daemon, sources.machine_id, pool::of_default_bridge);
    let taken: Vec<Taken> = sources.facts.taken.iter().chain(sources.others).cloned().collect();
    pool::find_free(&pools, &taken, family).ok_or(BuiltInError::PoolsEmpty { family })
}

/// The pools that daemon.json names, and for a family of which it names none, ours.
pub(crate) fn pools(daemon: &DaemonFile, machine_id: &str, standard: fn() -> Vec<Pool>) -> Vec<Pool> {
    let mut pools = daemon.pools.clone();
    if !pools.iter().any(|pool| pool.base().is_ipv4()) {
        pools.extend(standard());
    }
    if !pools.iter().any(|pool| pool.base().is_ipv6()) {
        pools.extend(pool::unique_local(machine_id));
    }
    pools
}

fn dns(daemon: &DaemonFile) -> Value {
    let mut dns = Map::new();
    let lists = [
        ("nameservers", daemon.dns.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("search", daemon.dns_search.clone()),
        ("options", daemon.dns_opts.clone()),
    ];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        dns.insert(key.to_owned(), json!(list));
    }
    Value::Object(dns)
}
