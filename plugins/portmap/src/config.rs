//! The keys of `portmap`, read and found consistent before anything is touched.

use cni::Config;
use firewall::MasqueradeClients;
use firewall::iptables::publish::{ChainName, Conditions, IptablesOptions, Mark, MarkBit};
use serde::Deserialize;
use vocab::{HostAddress, Port, PortMapping, Protocol};

use crate::error::ConfigFault;

/// What is known before the host is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The ports, in the order of the configuration.
    pub(crate) mappings: Vec<PortMapping>,
    /// How they are published.
    pub(crate) backend: Backend,
}

/// How ports are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Backend {
    /// As elements of our table.
    Nftables(MasqueradeClients),
    /// By the reference's chains.
    Iptables(Box<IptablesOptions>),
}

/// The keys as they are written. `null` counts as absent.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    snat: Option<bool>,
    masq_all: bool,
    mark_masq_bit: Option<i64>,
    external_set_mark_chain: Option<String>,
    conditions_v4: Option<Vec<String>>,
    conditions_v6: Option<Vec<String>>,
    backend: Option<String>,
    runtime_config: RuntimeConfig,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RuntimeConfig {
    port_mappings: Option<Vec<Written>>,
}

/// One entry of `portMappings`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    host_port: i64,
    container_port: i64,
    protocol: String,
    #[serde(rename = "hostIP")]
    host_ip: String,
}

impl Settings {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigFault`] that names the key, its value and what was expected.
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigFault> {
        let keys: Keys = config.decode()?;
        let written = keys.runtime_config.port_mappings.as_deref().unwrap_or_default();
        let mappings = written.iter().enumerate().map(|(index, written)| read_mapping(index, written));
        Ok(Self { mappings: mappings.collect::<Result<_, _>>()?, backend: read_backend(keys)? })
    }
}

fn read_mapping(index: usize, written: &Written) -> Result<PortMapping, ConfigFault> {
    let key = |key: &str| format!("runtimeConfig.portMappings[{index}].{key}");
    let port = |name: &str, number: i64| {
        Port::try_from(number)
            .map_err(|_| ConfigFault::value(key(name), number, "expected a port from 1 to 65535"))
    };
    let protocol = match written.protocol.as_str() {
        "" => Protocol::default(),
        text => text.parse().map_err(|_| {
            ConfigFault::value(key("protocol"), text, "expected \"tcp\", \"udp\" or \"sctp\"")
        })?,
    };
    let host_address = written.host_ip.parse::<HostAddress>().map_err(|_| {
        ConfigFault::value(key("hostIP"), &written.host_ip, "expected an IPv4 or IPv6 address, or nothing")
    })?;
    Ok(PortMapping {
        host_address,
        host_port: port("hostPort", written.host_port)?,
        container_port: port("containerPort", written.container_port)?,
        protocol,
    })
}

/// Without `backend`, words that only iptables has ask for iptables.
fn read_backend(keys: Keys) -> Result<Backend, ConfigFault> {
    let chain = keys.external_set_mark_chain.filter(|chain| !chain.is_empty());
    if let (Some(bit), Some(chain)) = (keys.mark_masq_bit, &chain) {
        return Err(ConfigFault::conflict(
            "markMasqBit and externalSetMarkChain",
            format!("either packets get the mark bit {bit}, or chain {chain} marks them"),
        ));
    }
    let bit = keys.mark_masq_bit.map_or_else(|| Ok(MarkBit::default()), MarkBit::try_from);
    let bit = bit.map_err(|error| ConfigFault::value("markMasqBit", error.value, "expected 0 to 31"))?;
    let conditions = [("conditionsV4", keys.conditions_v4), ("conditionsV6", keys.conditions_v6)]
        .map(|(key, words)| (key, words.unwrap_or_default()));
    let has_conditions = conditions.iter().find(|(_, words)| !words.is_empty());
    let snat = keys.snat.unwrap_or(true);
    let for_iptables_only = match (&chain, has_conditions) {
        (Some(chain), _) => Some(("externalSetMarkChain", chain.clone())),
        (None, Some((key, words))) => Some((*key, words.join(" "))),
        (None, None) => None,
    };
    match (keys.backend.as_deref().unwrap_or_default(), for_iptables_only) {
        ("nftables", Some((key, value))) => Err(ConfigFault::NeedsIptables { key, value }),
        ("" | "nftables", None) => Ok(Backend::Nftables(match (snat, keys.masq_all) {
            (false, _) => MasqueradeClients::Never,
            (true, false) => MasqueradeClients::WhereNeeded,
            (true, true) => MasqueradeClients::Always,
        })),
        ("" | "iptables", _) => {
            let mark = match chain {
                None => Mark::Bit(bit),
                Some(chain) => Mark::Chain(ChainName::new(&chain).map_err(|_| {
                    ConfigFault::value(
                        "externalSetMarkChain",
                        &chain,
                        "expected the name of an iptables chain",
                    )
                })?),
            };
            let [conditions_v4, conditions_v6] = conditions.map(|(key, words)| read_conditions(key, words));
            Ok(Backend::Iptables(Box::new(IptablesOptions {
                snat,
                masquerade_all: keys.masq_all,
                mark,
                conditions_v4: conditions_v4?,
                conditions_v6: conditions_v6?,
            })))
        }
        (other, _) => {
            Err(ConfigFault::value("backend", other, "expected \"nftables\" or \"iptables\", or nothing"))
        }
    }
}

fn read_conditions(key: &'static str, words: Vec<String>) -> Result<Conditions, ConfigFault> {
    Conditions::new(words).map_err(|source| ConfigFault::Conditions { key, source })
}

#[cfg(test)]
mod tests;
