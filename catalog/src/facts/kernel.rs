//! What the kernel is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink::packet::AddressFamily;
use netlink::{Address, Link, Route, RouteSocket};
use vocab::InterfaceName;

use super::LinkFact;

/// An address of each family that is out in the world for every host: a root name server's. Nothing is sent there.
const OUTSIDE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)),
];

/// Links, addresses and routes of a host.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    /// Those of all tables, also those on which packets end: who writes them means the addresses, too.
    pub(super) routes: Vec<Route>,
    /// Along which packets go out into the world, IPv4 first, since its MTU is what hurts. Which route that is follows from
    /// rules, too: VPNs write their default route into a table of their own.
    pub(super) ways_out: Vec<Route>,
}

impl Kernel {
    pub(super) fn read() -> Result<Self, netlink::Error> {
        let mut socket = RouteSocket::open()?;
        let (links, addresses) = (socket.links()?, socket.addresses()?);
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            routes.append(&mut socket.routes(family)?);
            routes.append(&mut socket.dead_ends(family)?);
        }
        let mut ways_out = Vec::with_capacity(OUTSIDE.len());
        for address in OUTSIDE {
            ways_out.extend(socket.find_way(address)?);
        }
        Ok(Self { links, addresses, routes, ways_out })
    }

    pub(super) fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    pub(super) fn name_of(&self, index: u32) -> Option<&InterfaceName> {
        self.link(index).map(|link| &link.name)
    }

    pub(super) fn fact(&self, link: &Link) -> LinkFact {
        let own = self.addresses.iter().filter(|address| address.index == link.index);
        LinkFact {
            name: link.name.clone(),
            kind: link.kind.clone(),
            alias: link.alias.clone(),
            mtu: link.mtu,
            addresses: own.map(|address| address.network).collect(),
        }
    }
}
