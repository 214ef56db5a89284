//! The networks that every host has: `bridge`, `host` and `none`.
//!
//! None of them is a file. `host` and `none` need none; `bridge` follows from daemon.json, and where that names no
//! subnet from the kernel: a bridge that is there keeps its own.

mod addresses;
mod error;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::path::Path;

use docker::{DaemonFile, DefaultBridge, Pool};
use network::{List, ListError};
use serde_json::{Map, Value, json};
use vocab::InterfaceName;

pub use self::error::BuiltInError;
use crate::facts::HostFacts;
use crate::pool;
use crate::taken::Taken;

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

/// What `bridge` is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// What daemon.json says.
    pub(crate) daemon: &'a DaemonFile,
    /// Where that is.
    pub(crate) file: &'a Path,
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
    for (key, value) in addresses::keys(&addresses::complete(sources, &name)?) {
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
    // Docker takes 0.0.0.0 for all addresses of both families, as does whoever names none.
    let binding = sources.daemon.host_address.filter(|address| *address != Ipv4Addr::UNSPECIFIED);
    let list = json!({
        "cniVersion": "1.1.0",
        "name": BRIDGE,
        "netctl": binding.map_or_else(|| json!({}), |address| json!({"hostBinding": address})),
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
