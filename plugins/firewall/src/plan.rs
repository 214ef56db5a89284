//! What the plugins before this one made, as far as it matters here. A pure function of their result.

use std::net::IpAddr;

use cni::Success;
use vocab::InterfaceName;

use crate::error::ConfigFault;

/// Whose packets are to pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The container's addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The bridge: the first interface on the host.
    pub(crate) bridge: Option<InterfaceName>,
    /// The other interfaces on the host, among them the container's port of the bridge.
    pub(crate) ports: Vec<InterfaceName>,
}

impl Plan {
    pub(crate) fn new(result: &Success) -> Result<Self, ConfigFault> {
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
                ConfigFault::value(key, &interface.name, invalid.to_string())
            })
        });
        let mut names = names.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(Self { addresses, bridge: names.next(), ports: names.collect() })
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
    fn a_name_that_is_none_is_named() {
        let result = Success { interfaces: vec![interface("a/b", "")], ..Success::default() };
        let text = Plan::new(&result).unwrap_err().to_string();
        assert!(text.contains("prevResult.interfaces[0].name") && text.contains("a/b"), "{text}");
    }
}
