//! Which addresses a host has a use for already, and its uplink: what a new network must keep clear of, and take
//! its MTU from.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use ipnetwork::IpNetwork;
use netlink::packet::AddressFamily;
use netlink::{Link, Route, RouteSocket};
use vocab::{InterfaceName, NetworkName};

/// Routes to more than this many bits' worth of the world are ways out, like the default route: VPNs write `0.0.0.0/1`
/// and `128.0.0.0/1` for "everything", and a host behind one must still have networks of its own.
const WAY_OUT_V4: u8 = 7;
/// The same for IPv6, where `2000::/3` is everything that is routed at all.
const WAY_OUT_V6: u8 = 3;

/// Who uses a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A route of the host leads there.
    Route {
        /// Over this link, if over one.
        link: Option<InterfaceName>,
        /// By this router.
        router: Option<IpAddr>,
    },
    /// An address of the host.
    Address {
        /// The link that has it.
        link: Option<InterfaceName>,
    },
    /// A name server that the host asks.
    Nameserver,
    /// Another network of the catalog.
    Network(NetworkName),
}

/// A part of the address space that somebody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The addresses.
    pub network: IpNetwork,
    /// Who uses them.
    pub by: By,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.network;
        match &self.by {
            By::Route { link, router } => {
                write!(f, "the host's route {network}")?;
                router.map_or(Ok(()), |router| write!(f, " via {router}"))?;
                link.as_ref().map_or(Ok(()), |link| write!(f, " dev {link}"))
            }
            By::Address { link: Some(link) } => write!(f, "the host's address {network} of {link}"),
            By::Address { link: None } => write!(f, "the host's address {network}"),
            By::Nameserver => write!(f, "the host's name server {}", network.ip()),
            By::Network(name) => write!(f, "network {name} ({network})"),
        }
    }
}

impl Taken {
    /// The link that the address or route is on.
    #[must_use]
    pub const fn link(&self) -> Option<&InterfaceName> {
        match &self.by {
            By::Route { link, .. } | By::Address { link } => link.as_ref(),
            By::Nameserver | By::Network(_) => None,
        }
    }
}

/// The link by which a host reaches the rest of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Its name.
    pub name: InterfaceName,
    /// Its MTU in bytes.
    pub mtu: u32,
}

/// What of a host matters to a new network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// Which addresses are used.
    pub taken: Vec<Taken>,
    /// The link of the best default route.
    pub uplink: Option<Uplink>,
    /// Where the default routes lead.
    pub routers: Vec<IpAddr>,
    /// The links that are there, with their kind.
    pub links: Vec<LinkFact>,
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

impl HostFacts {
    /// Asks the kernel, and `resolv_conf` for name servers.
    ///
    /// # Errors
    /// What the kernel says; a file of name servers that is not there names none.
    pub fn read(resolv_conf: &Path) -> Result<Self, netlink::Error> {
        let mut socket = RouteSocket::open()?;
        let links = socket.links()?;
        let addresses = socket.addresses()?;
        let mut routes = socket.routes(AddressFamily::Inet)?;
        routes.append(&mut socket.routes(AddressFamily::Inet6)?);
        let of = |link: &Link| {
            let own = addresses.iter().filter(|address| address.index == link.index);
            own.map(|address| address.network).collect::<Vec<_>>()
        };
        let name_of =
            |index: u32| links.iter().find(|link| link.index == index).map(|link| link.name.clone());
        let mut taken = Vec::new();
        for address in &addresses {
            taken.push(Taken { network: address.network, by: By::Address { link: name_of(address.index) } });
        }
        for route in routes.iter().filter(|route| !is_way_out(route.destination)) {
            let hop = route.hops.first();
            let link = hop.and_then(|hop| hop.index).and_then(name_of);
            let router = hop.and_then(|hop| hop.gateway);
            taken.push(Taken { network: route.destination, by: By::Route { link, router } });
        }
        // What reaches no further than its link takes nothing from anybody: every link has fe80::/64.
        taken.retain(|taken| !is_link_local(taken.network.ip()) && !taken.network.ip().is_loopback());
        taken.extend(nameservers(resolv_conf));
        let defaults = best_first(&routes);
        let uplink = defaults.iter().find_map(|route| {
            let index = route.hops.first()?.index?;
            let link = links.iter().find(|link| link.index == index)?;
            Some(Uplink { name: link.name.clone(), mtu: route.mtu.unwrap_or(link.mtu).min(link.mtu) })
        });
        let routers = defaults.iter().filter_map(|route| route.hops.first()?.gateway).collect();
        let links = links
            .iter()
            .map(|link| LinkFact {
                name: link.name.clone(),
                kind: link.kind.clone(),
                alias: link.alias.clone(),
                mtu: link.mtu,
                addresses: of(link),
            })
            .collect();
        Ok(Self { taken, uplink, routers, links })
    }

    /// The link of that name.
    #[must_use]
    pub fn link(&self, name: &InterfaceName) -> Option<&LinkFact> {
        self.links.iter().find(|link| link.name == *name)
    }
}

/// The default routes of the main table, the one that is used first.
fn best_first(routes: &[Route]) -> Vec<&Route> {
    const MAIN: u32 = 254;
    let is_default = |route: &&Route| route.destination.prefix() <= 1 && is_way_out(route.destination);
    let mut defaults: Vec<&Route> =
        routes.iter().filter(is_default).filter(|route| route.table == MAIN).collect();
    // The halves of a VPN are more specific, and so win over the whole; IPv4 comes first, since its MTU is what hurts.
    defaults.sort_by_key(|route| {
        let destination = route.destination;
        (destination.is_ipv6(), std::cmp::Reverse(destination.prefix()), route.priority.unwrap_or(0))
    });
    defaults
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

fn nameservers(resolv_conf: &Path) -> Vec<Taken> {
    let text = fs::read_to_string(resolv_conf).unwrap_or_default();
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            return None;
        }
        words.next()?.parse::<IpAddr>().ok()
    });
    let reaches =
        |server: &IpAddr| !server.is_loopback() && !server.is_unspecified() && !is_link_local(*server);
    servers.filter(reaches).map(|server| Taken { network: server.into(), by: By::Nameserver }).collect()
}

/// Whether two networks have an address in common.
#[must_use]
pub(crate) fn overlap(a: IpNetwork, b: IpNetwork) -> bool {
    a.is_ipv4() == b.is_ipv4() && (a.contains(b.network()) || b.contains(a.network()))
}
