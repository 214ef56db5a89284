//! The keys of the plugin, read and found consistent before anything is touched.

use cni::{Config, ConfigError};
use firewall::IngressPolicy;
use serde::Deserialize;

/// The reference's chain for the administrator's own rules.
const DEFAULT_ADMIN_CHAIN: &str = "CNI-ADMIN";
/// firewalld's zone whose sources may do everything.
const DEFAULT_ZONE: &str = "trusted";
/// The longest name of a chain, `XT_EXTENSION_MAXNAMELEN` without the zero at its end.
const CHAIN_MAX: usize = 28;
/// Names that iptables takes for something else.
const NO_CHAINS: [&str; 8] =
    ["ACCEPT", "DROP", "RETURN", "QUEUE", "INPUT", "FORWARD", "OUTPUT", "CNI-FORWARD"];

/// What a network asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Who lets the packets pass.
    pub(crate) backend: Wanted,
    /// The chain of iptables for the administrator's own rules.
    pub(crate) admin_chain: String,
    /// The zone of firewalld.
    pub(crate) zone: String,
    /// Who may reach the containers from other containers; `None` for everybody.
    pub(crate) ingress: Option<IngressPolicy>,
}

/// Who is asked to let the packets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whoever is in charge on this host.
    InCharge,
    /// iptables, old or new.
    Iptables,
    /// firewalld.
    Firewalld,
    /// The chains of nftables that drop.
    Nftables,
}

/// The keys as they are written.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    backend: String,
    iptables_admin_chain_name: String,
    firewalld_zone: String,
    ingress_policy: String,
}

/// Reads the configuration. An empty value is none: podman writes `"backend": ""`.
pub(crate) fn read(config: &Config) -> Result<Settings, ConfigError> {
    let keys: Keys = config.decode()?;
    let backend = match keys.backend.as_str() {
        "" => Wanted::InCharge,
        "iptables" => Wanted::Iptables,
        "firewalld" => Wanted::Firewalld,
        "nftables" => Wanted::Nftables,
        other => {
            return Err(ConfigError::value(
                "backend",
                other,
                "expected iptables, firewalld, nftables or nothing",
            ));
        }
    };
    let ingress = match keys.ingress_policy.as_str() {
        "" | "open" => None,
        "same-bridge" => Some(IngressPolicy::SameBridge),
        "isolated" => Some(IngressPolicy::Isolated),
        other => {
            return Err(ConfigError::value("ingressPolicy", other, "expected open, same-bridge or isolated"));
        }
    };
    Ok(Settings {
        backend,
        admin_chain: read_chain(keys.iptables_admin_chain_name)?,
        zone: read_zone(keys.firewalld_zone)?,
        ingress,
    })
}

fn read_chain(name: String) -> Result<String, ConfigError> {
    if name.is_empty() {
        return Ok(DEFAULT_ADMIN_CHAIN.to_owned());
    }
    let is_name = name.len() <= CHAIN_MAX
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        && !name.starts_with(['-', '!', ':', '#'])
        && !NO_CHAINS.contains(&name.as_str())
        && !name.starts_with("CNI-ISOLATION-STAGE-");
    if is_name {
        return Ok(name);
    }
    let expected =
        format!("expected the name of a chain of your own, at most {CHAIN_MAX} characters without blanks");
    Err(ConfigError::value("iptablesAdminChainName", name, expected))
}

fn read_zone(name: String) -> Result<String, ConfigError> {
    if name.is_empty() {
        return Ok(DEFAULT_ZONE.to_owned());
    }
    if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name);
    }
    Err(ConfigError::value("firewalldZone", name, "expected the name of a zone, without blanks"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni::{Code, Fault};
    use serde_json::{Value, json};

    fn settings(more: Value) -> Result<Settings, ConfigError> {
        let mut config = json!({"cniVersion": "1.0.0", "name": "net", "type": "firewall"});
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        read(&Config::parse(config.to_string().into_bytes()).unwrap())
    }

    #[test]
    fn what_is_empty_or_null_is_not_given() {
        let default = settings(json!({})).unwrap();
        let expected = Settings {
            backend: Wanted::InCharge,
            admin_chain: "CNI-ADMIN".to_owned(),
            zone: "trusted".to_owned(),
            ingress: None,
        };
        assert_eq!(default, expected);
        let empty = json!({
            "backend": "", "iptablesAdminChainName": null, "firewalldZone": "", "IngressPolicy": "open"
        });
        assert_eq!(settings(empty).unwrap(), expected);
    }

    #[test]
    fn every_key_is_read() {
        let given = json!({
            "backend": "nftables", "iptablesAdminChainName": "MINE", "firewalldZone": "work",
            "ingressPolicy": "isolated"
        });
        let expected = Settings {
            backend: Wanted::Nftables,
            admin_chain: "MINE".to_owned(),
            zone: "work".to_owned(),
            ingress: Some(IngressPolicy::Isolated),
        };
        assert_eq!(settings(given).unwrap(), expected);
    }

    #[test]
    fn a_bad_value_is_named_with_its_key_and_what_was_expected() {
        for (key, value) in [
            ("backend", "ebtables"),
            ("ingressPolicy", "closed"),
            ("iptablesAdminChainName", "a-name-that-is-longer-than-28"),
            ("iptablesAdminChainName", "two words"),
            ("iptablesAdminChainName", "ACCEPT"),
            ("iptablesAdminChainName", "CNI-FORWARD"),
            ("iptablesAdminChainName", "-j"),
            ("firewalldZone", "two words"),
        ] {
            let error = settings(json!({ key: value })).unwrap_err();
            let text = error.to_string();
            assert_eq!(error.code(), Code::INVALID_CONFIG, "{text}");
            assert!(text.contains(key) && text.contains(value) && text.contains("expected"), "{text}");
        }
        assert_eq!(settings(json!({"backend": 1})).unwrap_err().code(), Code::DECODING);
    }
}
