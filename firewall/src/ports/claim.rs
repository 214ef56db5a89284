//! A port of the host as an element of a map, and back.

use std::net::{IpAddr, SocketAddr};

use vocab::{HostAddress, Port, PortMapping, Protocol};

use super::{PublishedPort, all_of};
use crate::element::{Element, extend_with_address, read_address};
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::sets::{ADDRESS_PORTS4, ADDRESS_PORTS6, ADDRESSED4, ADDRESSED6, PORTS4, PORTS6};

/// The maps of ports.
pub(super) const MAPS: [&Set; 4] = [&PORTS4, &PORTS6, &ADDRESS_PORTS4, &ADDRESS_PORTS6];

/// An IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The map of ports at all addresses.
    pub(super) const fn ports(self) -> &'static Set {
        match self {
            Self::V4 => &PORTS4,
            Self::V6 => &PORTS6,
        }
    }

    /// The map of ports at one address.
    pub(super) const fn address_ports(self) -> &'static Set {
        match self {
            Self::V4 => &ADDRESS_PORTS4,
            Self::V6 => &ADDRESS_PORTS6,
        }
    }

    /// The set that counts the ports at one address.
    pub(super) const fn addressed(self) -> &'static Set {
        match self {
            Self::V4 => &ADDRESSED4,
            Self::V6 => &ADDRESSED6,
        }
    }
}

/// A port of the host in one family: at all addresses, or at one. What a key of a map says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HostPort {
    pub(super) family: Family,
    pub(super) address: Option<IpAddr>,
    pub(super) protocol: Protocol,
    pub(super) port: Port,
}

impl HostPort {
    /// The map that it is a key of.
    pub(super) const fn map(&self) -> &'static Set {
        match self.address {
            None => self.family.ports(),
            Some(_) => self.family.address_ports(),
        }
    }

    /// Its element, without what it leads to.
    pub(super) fn element(&self) -> Element {
        let mut key = Vec::with_capacity(24);
        self.address.into_iter().for_each(|address| extend_with_address(&mut key, address));
        key.extend(protocol_port(self.protocol, self.port));
        Element::of_key(key)
    }

    /// The same port at all addresses.
    pub(super) const fn everywhere(self) -> Self {
        Self { address: None, ..self }
    }

    /// Its element in the set that counts.
    pub(super) fn counted(&self) -> Element {
        Element::of_key(protocol_port(self.protocol, self.port).to_vec())
    }
}

/// A port of the host and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) host: HostPort,
    pub(super) target: SocketAddr,
    /// What asked for it.
    pub(super) mapping: PortMapping,
}

impl Claim {
    pub(super) fn element(&self, owner: &Owner) -> Element {
        let mut data = Vec::with_capacity(20);
        extend_with_address(&mut data, self.target.ip());
        data.extend(self.target.port().to_be_bytes());
        data.extend([0, 0]);
        Element { data: Some(data), ..self.host.element() }.with_comment(owner.as_str())
    }
}

impl PublishedPort {
    /// What an element of one of the [`MAPS`] says; nothing for one that makes no sense.
    pub(super) fn read(set: &Set, element: &Element) -> Option<Self> {
        let address_len = set.key.len().checked_sub(2).filter(|parts| *parts == 1);
        let address_len = address_len.map_or(0, |_| set.key[0].len());
        let (address, rest) = element.key.split_at_checked(address_len)?;
        let (protocol, port) = read_protocol_port(rest)?;
        let data = element.data.as_deref()?;
        let (target, target_port) = data.split_at_checked(set.data.first()?.len())?;
        let target = SocketAddr::new(read_address(target)?, read_port(target_port)?.get());
        let host_address = match address {
            [] => all_of(target.ip()),
            address => HostAddress::One(read_address(address)?),
        };
        let owner = Owner::from_comment(element.comment().unwrap_or_default());
        Some(Self { host_address, host_port: port, protocol, target, owner })
    }

    /// Its place in the maps.
    pub(super) fn host(&self) -> HostPort {
        HostPort {
            family: Family::of(self.target.ip()),
            address: self.host_address.one(),
            protocol: self.protocol,
            port: self.host_port,
        }
    }
}

/// Each part begins at a multiple of four.
fn protocol_port(protocol: Protocol, port: Port) -> [u8; 8] {
    let [high, low] = port.get().to_be_bytes();
    [protocol.number(), 0, 0, 0, high, low, 0, 0]
}

fn read_protocol_port(bytes: &[u8]) -> Option<(Protocol, Port)> {
    let (protocol, port) = bytes.split_at_checked(4)?;
    Some((Protocol::from_number(*protocol.first()?)?, read_port(port)?))
}

fn read_port(bytes: &[u8]) -> Option<Port> {
    Port::new(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(host: &str, target: &str) -> Claim {
        let (address, port) = host.rsplit_once(':').unwrap();
        let target: SocketAddr = target.parse().unwrap();
        let host_address: HostAddress = address.parse().unwrap();
        let port = port.parse().unwrap();
        Claim {
            host: HostPort {
                family: Family::of(target.ip()),
                address: host_address.one(),
                protocol: Protocol::Udp,
                port,
            },
            target,
            mapping: PortMapping {
                host_address,
                host_port: port,
                container_port: Port::new(target.port()).unwrap(),
                protocol: Protocol::Udp,
            },
        }
    }

    #[test]
    fn an_element_is_what_nft_makes_of_the_same_words() {
        // nft --debug=netlink: element 00000011 0000901f : 0200010a 00005000
        let element = claim(":8080", "10.1.0.2:80").element(&Owner::from_comment("net/web/eth0"));
        assert_eq!(element.key, [17, 0, 0, 0, 0x1f, 0x90, 0, 0]);
        assert_eq!(element.data.as_deref(), Some(&[10, 1, 0, 2, 0, 80, 0, 0][..]));
        let element = claim("127.0.0.1:8081", "10.1.0.2:80").element(&Owner::from_comment("net/web/eth0"));
        assert_eq!(element.key, [127, 0, 0, 1, 17, 0, 0, 0, 0x1f, 0x91, 0, 0]);
    }

    #[test]
    fn what_was_made_of_a_claim_is_read_back() {
        let owner = Owner::from_comment("net/web/eth0");
        let cases = [
            (":8080", "10.1.0.2:80", HostAddress::AnyV4),
            (":8080", "[fd00::2]:80", HostAddress::AnyV6),
            ("127.0.0.1:1", "10.1.0.2:65535", "127.0.0.1".parse().unwrap()),
            ("[fd99::1]:8080", "[fd00::2]:80", "fd99::1".parse().unwrap()),
        ];
        for (host, target, host_address) in cases {
            let claim = claim(host, target);
            let port = PublishedPort::read(claim.host.map(), &claim.element(&owner)).unwrap();
            assert_eq!((port.host_address, port.target), (host_address, claim.target), "{host}");
            assert_eq!((port.host(), port.owner), (claim.host, owner.clone()), "{host}");
        }
    }

    #[test]
    fn an_element_that_makes_no_sense_is_none() {
        let owner = Owner::from_comment("");
        let whole = claim("127.0.0.1:8080", "10.1.0.2:80").element(&owner);
        let broken = [
            Element { key: vec![], ..whole.clone() },
            Element { key: whole.key[..8].to_vec(), ..whole.clone() },
            Element { data: None, ..whole.clone() },
            Element { data: Some(vec![10, 1, 0, 2]), ..whole.clone() },
            Element { data: Some(vec![10, 1, 0, 2, 0, 0, 0, 0]), ..whole },
        ];
        for element in broken {
            assert_eq!(PublishedPort::read(&ADDRESS_PORTS4, &element), None, "{element:?}");
        }
    }
}
