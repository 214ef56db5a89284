//! What the plugins before this one made, as far as it matters here. A pure function of their result.

use std::net::IpAddr;

use cni::{ConfigError, Success};
use vocab::InterfaceName;

/// Whose packets are to pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The container's addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The bridge: the first interface on the host, or `BRIDGE.VLAN`, through which a bridge's containers are routed in a
    /// VLAN.
    pub(crate) bridge: Option<InterfaceName>,
    /// The attachment's own interfaces on the host: the others, or the only one.
    pub(crate) ports: Vec<InterfaceName>,
}

impl Plan {
    pub(crate) fn new(result: &Success) -> Result<Self, ConfigError> {
        let mut addresses = Vec::new();
        for ip in &result.ips {
            if !addresses.contains(&ip.address.ip()) {
                addresses.push(ip.address.ip());
            }
        }
        let on_host =
            result.interfaces.iter().enumerate().filter(|(_, interface)| interface.sandbox.is_empty());
        let names = on_host.map(|(index, interface)| {
            InterfaceName::new(&interface.name).map_err(|invalid| {
                let key = format!("prevResult.interfaces[{index}].name");
                ConfigError::value(key, &interface.name, invalid.to_string())
            })
        });
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = names.split_first() else {
            return Ok(Self { addresses, ..Self::default() });
        };
        let is_gateway = |name: &&InterfaceName| name.as_str().starts_with(&format!("{first}."));
        let bridge = others.iter().find(is_gateway).unwrap_or(first).clone();
        let ports = if others.is_empty() { vec![first.clone()] } else { others.to_vec() };
        Ok(Self { addresses, bridge: Some(bridge), ports })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni::{Interface, Ip};

    fn interface(name: &str, sandbox: &str) -> Interface {
        Interface { name: name.to_owned(), sandbox: sandbox.to_owned(), ..Interface::default() }
    }

    fn ip(address: &str) -> Ip {
        Ip { address: address.parse().unwrap(), gateway: None, interface: None }
    }

    #[test]
    fn the_bridge_is_the_first_interface_on_the_host() {
        let result = Success {
            interfaces: vec![interface("eth0", "/x"), interface("br0", ""), interface("veth1", "")],
            ips: vec![ip("10.1.0.2/24"), ip("fd00::2/64"), ip("10.1.0.2/16")],
            ..Success::default()
        };
        let plan = Plan::new(&result).unwrap();
        assert_eq!(plan.addresses, ["10.1.0.2", "fd00::2"].map(|text| text.parse::<IpAddr>().unwrap()));
        assert_eq!(plan.bridge.unwrap().as_str(), "br0");
        assert_eq!(plan.ports[0].as_str(), "veth1");
    }

    #[test]
    fn in_a_vlan_it_is_the_gateway_and_without_a_bridge_the_container_s_own_end() {
        let bridge_of = |names: &[&str]| {
            let interfaces = names.iter().map(|name| interface(name, "")).collect();
            let plan = Plan::new(&Success { interfaces, ..Success::default() }).unwrap();
            (plan.bridge.unwrap().to_string(), plan.ports.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(bridge_of(&["br0", "veth1", "br0.7"]).0, "br0.7");
        assert_eq!(bridge_of(&["veth1"]), ("veth1".to_owned(), vec!["veth1".to_owned()]));
        assert_eq!(Plan::new(&Success::default()).unwrap(), Plan::default());
    }

    #[test]
    fn a_name_that_is_none_is_named() {
        let result = Success { interfaces: vec![interface("a/b", "")], ..Success::default() };
        let text = Plan::new(&result).unwrap_err().to_string();
        assert!(text.contains("prevResult.interfaces[0].name") && text.contains("a/b"), "{text}");
    }
}
