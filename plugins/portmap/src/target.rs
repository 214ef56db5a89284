//! For whom ports are published: the container's addresses, as the plugins before tell them.

use cni::{Ip, Success};
use ipnetwork::IpNetwork;
use vocab::{Attachment, HostAddress, PortMapping};

use crate::error::StepFault;

/// Where ports lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The first IPv4 address of the container's interface, and the first IPv6 one.
    pub(crate) addresses: Vec<IpNetwork>,
}

impl Target {
    /// Finds the addresses of an attachment in a result: those that name its interface, or none.
    pub(crate) fn find(result: &Success, attachment: &Attachment) -> Result<Self, StepFault> {
        let is_its_own = |ip: &&Ip| match ip.interface.and_then(|index| result.interfaces.get(index)) {
            Some(named) => named.name == attachment.interface.as_str() && !named.sandbox.is_empty(),
            None => true,
        };
        let own: Vec<IpNetwork> = result.ips.iter().filter(is_its_own).map(|ip| ip.address).collect();
        let first = |is_wanted: fn(&IpNetwork) -> bool| own.iter().copied().find(is_wanted);
        let addresses: Vec<_> =
            first(IpNetwork::is_ipv4).into_iter().chain(first(IpNetwork::is_ipv6)).collect();
        match addresses.is_empty() {
            true => Err(StepFault::NoAddress { attachment: attachment.clone() }),
            false => Ok(Self { addresses }),
        }
    }

    pub(crate) fn v4(&self) -> Option<std::net::Ipv4Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpNetwork::V4(v4) => Some(v4.ip()),
            IpNetwork::V6(_) => None,
        })
    }

    pub(crate) fn v6(&self) -> Option<std::net::Ipv6Addr> {
        self.addresses.iter().find_map(|address| match address {
            IpNetwork::V6(v6) => Some(v6.ip()),
            IpNetwork::V4(_) => None,
        })
    }

    /// The mappings, each at no more of the host's addresses than it will be published at: those of a family that the
    /// container has not are nobody's business.
    pub(crate) fn narrowed(&self, mappings: &[PortMapping]) -> Vec<PortMapping> {
        let narrow = |mapping: &PortMapping| {
            let host_address = match mapping.host_address {
                HostAddress::Any => match (self.v4(), self.v6()) {
                    (Some(_), None) => HostAddress::AnyV4,
                    (None, Some(_)) => HostAddress::AnyV6,
                    _ => HostAddress::Any,
                },
                other => other,
            };
            let is_served =
                host_address.has_v4() && self.v4().is_some() || host_address.has_v6() && self.v6().is_some();
            is_served.then_some(PortMapping { host_address, ..*mapping })
        };
        mappings.iter().filter_map(narrow).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni::Interface;

    fn ip(address: &str, interface: Option<usize>) -> Ip {
        Ip { address: address.parse().unwrap(), gateway: None, interface }
    }

    fn interface(name: &str, sandbox: &str) -> Interface {
        Interface { name: name.to_owned(), sandbox: sandbox.to_owned(), ..Interface::default() }
    }

    fn attachment() -> Attachment {
        Attachment::new("web".parse().unwrap(), "eth0".parse().unwrap())
    }

    #[test]
    fn the_first_address_of_each_family_on_the_interface_counts() {
        let result = Success {
            interfaces: vec![
                interface("br0", ""),
                interface("eth0", ""),
                interface("eth0", "/ns"),
                interface("eth1", "/ns"),
            ],
            ips: vec![
                ip("10.9.0.1/24", Some(0)),
                ip("10.9.0.2/24", Some(1)),
                ip("10.9.0.3/24", Some(3)),
                ip("fd00::2/64", Some(2)),
                ip("10.1.0.2/24", Some(2)),
                ip("10.1.0.3/24", Some(2)),
            ],
            ..Success::default()
        };
        let target = Target::find(&result, &attachment()).unwrap();
        assert_eq!(target.addresses, ["10.1.0.2/24".parse().unwrap(), "fd00::2/64".parse().unwrap()]);
    }

    #[test]
    fn addresses_of_old_versions_name_no_interface() {
        let result = Success { ips: vec![ip("10.1.0.2/24", None)], ..Success::default() };
        assert_eq!(Target::find(&result, &attachment()).unwrap().v4(), Some([10, 1, 0, 2].into()));
        assert!(Target::find(&Success::default(), &attachment()).is_err());
    }

    #[test]
    fn ports_of_a_family_that_the_container_has_not_are_left_out() {
        let target = Target { addresses: vec!["10.1.0.2/24".parse().unwrap()] };
        let mapping = |host: &str| PortMapping {
            host_address: host.parse().unwrap(),
            host_port: "8080".parse().unwrap(),
            container_port: "80".parse().unwrap(),
            protocol: vocab::Protocol::Tcp,
        };
        let narrowed = target.narrowed(&["", "::", "fd00::1", "127.0.0.1"].map(mapping));
        let narrowed: Vec<_> = narrowed.iter().map(ToString::to_string).collect();
        assert_eq!(narrowed, ["0.0.0.0:8080:80/tcp", "127.0.0.1:8080:80/tcp"]);
    }
}
