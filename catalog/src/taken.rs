//! Which addresses somebody has a use for already: what a new network must keep clear of.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use vocab::{InterfaceName, NetworkName};

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

impl By {
    /// How much it tells a person: a network has a name, and a route says more than the address that it came with.
    const fn rank(&self) -> u8 {
        match self {
            Self::Network(_) => 3,
            Self::Route { .. } => 2,
            Self::Address { .. } => 1,
            Self::Nameserver => 0,
        }
    }
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

/// Who is in the way of a network: of several the one that tells most.
#[must_use]
pub(crate) fn in_the_way<'a>(
    taken: impl Iterator<Item = &'a Taken>,
    network: IpNetwork,
) -> Option<&'a Taken> {
    let in_the_way = taken.filter(|taken| subnet::overlap(taken.network, network));
    // Of two that tell as much the first counts: `max_by_key` would take the last.
    in_the_way.min_by_key(|taken| u8::MAX - taken.by.rank())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(network: &str, by: By) -> Taken {
        Taken { network: network.parse().unwrap(), by }
    }

    #[test]
    fn everybody_is_named_so_that_a_person_finds_them() {
        let link = InterfaceName::new("eth0").ok();
        let router = "10.0.0.1".parse().ok();
        let cases = [
            (By::Route { link: link.clone(), router }, "the host's route 10.1.0.0/16 via 10.0.0.1 dev eth0"),
            (By::Route { link: link.clone(), router: None }, "the host's route 10.1.0.0/16 dev eth0"),
            (By::Route { link: None, router: None }, "the host's route 10.1.0.0/16"),
            (By::Address { link }, "the host's address 10.1.0.0/16 of eth0"),
            (By::Address { link: None }, "the host's address 10.1.0.0/16"),
            (By::Nameserver, "the host's name server 10.1.0.0"),
            (By::Network(NetworkName::new("web").unwrap()), "network web (10.1.0.0/16)"),
        ];
        for (by, expected) in cases {
            assert_eq!(taken("10.1.0.0/16", by).to_string(), expected);
        }
    }

    #[test]
    fn of_several_in_the_way_the_one_that_tells_most_is_named() {
        let route = |network| taken(network, By::Route { link: None, router: None });
        let all = [
            taken("10.1.0.53/32", By::Nameserver),
            taken("10.1.0.1/16", By::Address { link: None }),
            route("10.1.0.0/16"),
            route("10.0.0.0/8"),
            taken("10.1.9.0/24", By::Network(NetworkName::new("web").unwrap())),
        ];
        let found = |network: &str| in_the_way(all.iter(), network.parse().unwrap());
        assert_eq!(found("10.1.0.0/16"), Some(&all[4]));
        assert_eq!(found("10.1.0.0/24"), Some(&all[2]), "the first of two routes");
        assert_eq!(found("10.2.0.0/24"), Some(&all[3]));
        assert_eq!(found("11.0.0.0/24"), None);
        assert_eq!(found("fd00::/64"), None);
    }
}
