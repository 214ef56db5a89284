//! What the kernel is asked.

use netlink::packet::AddressFamily;
use netlink::{Address, Link, Route, RouteSocket};
use vocab::InterfaceName;

use super::LinkFact;

/// Links, addresses and routes of a host.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    /// Those of all tables, also those on which packets end: who writes them means the addresses, too.
    pub(super) routes: Vec<Route>,
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
        Ok(Self { links, addresses, routes })
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
