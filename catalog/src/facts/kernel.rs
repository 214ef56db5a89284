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
        // Others make and remove links meanwhile. In this order whatever has come by the time of its question brings what
        // belongs to it along; of a link that has gone only the rest is found, which has gone with it.
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            routes.append(&mut socket.routes(family)?);
            routes.append(&mut socket.dead_ends(family)?);
        }
        let mut ways_out = Vec::with_capacity(OUTSIDE.len());
        for address in OUTSIDE {
            ways_out.extend(socket.find_way(address)?);
        }
        let addresses = socket.addresses()?;
        Ok(Self { links: socket.links()?, addresses, routes, ways_out }.without_gone_links())
    }

    /// Without what was on links that are not there any more.
    pub(super) fn without_gone_links(mut self) -> Self {
        let is_there = |index: u32| self.links.iter().any(|link| link.index == index);
        self.addresses.retain(|address| is_there(address.index));
        self.routes.retain(|route| route.hops.first().and_then(|hop| hop.index).is_none_or(is_there));
        self
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
