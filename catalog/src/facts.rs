//! What of a host matters to its networks: its addresses, routes and name servers, its links, and its uplink.
//!
//! What the kernel is asked stands in [`Kernel`]; what follows from it is decided apart, without a host.

mod kernel;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use ipnetwork::IpNetwork;
use netlink::Route;
use vocab::{InterfaceName, Mtu};

use self::kernel::Kernel;
use crate::taken::{By, Taken};

/// Routes to more than this many bits' worth of the world are ways out, like the default route: VPNs write `0.0.0.0/1`
/// and `128.0.0.0/1` for "everything", and a host behind one must still have networks of its own.
const WAY_OUT_V4: u8 = 7;
/// The same for IPv6, where `2000::/3` is everything that is routed at all.
const WAY_OUT_V6: u8 = 3;

/// The routing table of routes that are in no other (`RT_TABLE_MAIN`).
const MAIN: u32 = 254;

/// The link by which a host reaches the rest of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Its name.
    pub name: InterfaceName,
    /// The largest packet that it carries there, in bytes.
    pub mtu: u32,
}

/// A link of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFact {
    /// Its name.
    pub name: InterfaceName,
    /// `bridge`, `veth`, …; nothing for hardware.
    pub kind: Option<String>,
    /// Whose it is, in words.
    pub alias: Option<String>,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Its addresses.
    pub addresses: Vec<IpNetwork>,
}

/// What of a host matters to a new network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// Which addresses are used, and by whom.
    pub taken: Vec<Taken>,
    /// The link along which packets go out into the world.
    pub uplink: Option<Uplink>,
    /// Where the default routes lead.
    pub routers: Vec<IpAddr>,
    /// The links that are there.
    pub links: Vec<LinkFact>,
}

impl HostFacts {
    /// Asks the kernel, and `resolv_conf` for name servers.
    ///
    /// # Errors
    /// What the kernel says; a file of name servers that is not there names none.
    pub fn read(resolv_conf: &Path) -> Result<Self, netlink::Error> {
        let resolv_conf = fs::read_to_string(resolv_conf).unwrap_or_default();
        Ok(Self::of(&Kernel::read()?, &resolv_conf))
    }

    fn of(kernel: &Kernel, resolv_conf: &str) -> Self {
        Self {
            taken: taken(kernel, resolv_conf),
            uplink: kernel.ways_out.iter().find_map(|route| uplink(kernel, route)),
            routers: routers(&kernel.routes),
            links: kernel.links.iter().map(|link| kernel.fact(link)).collect(),
        }
    }

    /// The link of that name.
    #[must_use]
    pub fn link(&self, name: &InterfaceName) -> Option<&LinkFact> {
        self.links.iter().find(|link| link.name == *name)
    }

    /// The MTU of a network of this host that names none: the uplink's, so that no container sends what does not fit
    /// there. Nothing, where the kernel's own choice is the same.
    #[must_use]
    pub(crate) fn mtu_of_uplink(&self, has_ipv6: bool) -> Option<Mtu> {
        let mtu = Mtu::new(self.uplink.as_ref()?.mtu).ok()?;
        // A tunnel may carry less than IPv6 allows. Its IPv4 is worth more than an error.
        (mtu != Mtu::ETHERNET && (!has_ipv6 || mtu.carries_ipv6())).then_some(mtu)
    }
}

fn taken(kernel: &Kernel, resolv_conf: &str) -> Vec<Taken> {
    let addresses = kernel.addresses.iter().map(|address| {
        let by = By::Address { link: kernel.name_of(address.index).cloned() };
        Taken { network: address.network, by }
    });
    let routes = kernel.routes.iter().filter(|route| !is_way_out(route.destination)).map(|route| {
        let hop = route.hops.first();
        let link = hop.and_then(|hop| kernel.name_of(hop.index?)).cloned();
        let router = hop.and_then(|hop| hop.gateway);
        Taken { network: route.destination, by: By::Route { link, router } }
    });
    // What reaches no further than its link takes nothing from anybody: every link has fe80::/64.
    let reaches = |taken: &Taken| !is_link_local(taken.network.ip()) && !taken.network.ip().is_loopback();
    addresses.chain(routes).filter(reaches).chain(nameservers(resolv_conf)).collect()
}

fn uplink(kernel: &Kernel, route: &Route) -> Option<Uplink> {
    let link = kernel.link(route.hops.first()?.index?)?;
    let mtu = route.mtu.map_or(link.mtu, |mtu| mtu.min(link.mtu));
    Some(Uplink { name: link.name.clone(), mtu })
}

/// The routers of the default routes in the main table, the one that is used first before the others.
fn routers(routes: &[Route]) -> Vec<IpAddr> {
    let is_default = |route: &&Route| route.destination.prefix() <= 1 && route.table == MAIN;
    let mut defaults: Vec<&Route> = routes.iter().filter(is_default).collect();
    // The halves of a VPN are more specific, and so win over the whole.
    defaults.sort_by_key(|route| {
        let destination = route.destination;
        (destination.is_ipv6(), std::cmp::Reverse(destination.prefix()), route.priority.unwrap_or(0))
    });
    defaults.into_iter().filter_map(|route| route.hops.first()?.gateway).collect()
}

fn is_way_out(destination: IpNetwork) -> bool {
    destination.prefix() <= if destination.is_ipv4() { WAY_OUT_V4 } else { WAY_OUT_V6 }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_multicast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_multicast(),
    }
}

/// The name servers that a network of containers could hide from the host.
fn nameservers(resolv_conf: &str) -> impl Iterator<Item = Taken> {
    let servers = resolv_conf.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let server = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        server.parse::<IpAddr>().ok()
    });
    let reaches =
        |server: &IpAddr| !server.is_loopback() && !server.is_unspecified() && !is_link_local(*server);
    servers.filter(reaches).map(|server| Taken { network: server.into(), by: By::Nameserver })
}
