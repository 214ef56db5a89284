//! What a person asks for when a network is to be made, before the host is looked at.

mod options;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;
use vocab::{Mtu, NetworkName};

pub use options::{GatewayMode, OptionError, Options};

/// What a network is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// A bridge on the host, which is the containers' gateway.
    #[default]
    Bridge,
    /// Containers are neighbours of the host on one of its links, with addresses of that link's network.
    Macvlan,
    /// The same with the link's own MAC address.
    Ipvlan,
}

impl Driver {
    /// Every driver by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("bridge", Self::Bridge), ("macvlan", Self::Macvlan), ("ipvlan", Self::Ipvlan)];

    /// The driver's name, which is its plugin's, too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Macvlan => "macvlan",
            Self::Ipvlan => "ipvlan",
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No driver has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDriver {
    /// Of these there is one network each, and it is there already.
    #[error("there is one network with driver {name:?}, and it exists already: network {network}")]
    BuiltIn {
        /// The driver.
        name: String,
        /// The network.
        network: &'static str,
    },
    /// There is no such driver.
    #[error("unknown driver {name:?}: expected bridge, macvlan or ipvlan")]
    Unknown {
        /// The name.
        name: String,
    },
}

impl FromStr for Driver {
    type Err = UnknownDriver;

    fn from_str(text: &str) -> Result<Self, UnknownDriver> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, driver)| *driver);
        found.ok_or_else(|| match text {
            "host" => UnknownDriver::BuiltIn { name: text.to_owned(), network: "host" },
            "null" | "none" => UnknownDriver::BuiltIn { name: text.to_owned(), network: "none" },
            _ => UnknownDriver::Unknown { name: text.to_owned() },
        })
    }
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The network's name.
    pub name: NetworkName,
    /// What it is made of.
    pub driver: Driver,
    /// Its subnets; without one of a family that it is to have, one from the pools.
    pub subnets: Vec<IpNetwork>,
    /// The gateways of subnets that have another than their first address.
    pub gateways: Vec<IpAddr>,
    /// The parts of subnets from which containers get their addresses.
    pub ranges: Vec<IpNetwork>,
    /// Whether containers get IPv4 addresses.
    pub ipv4: bool,
    /// Whether containers get IPv6 addresses also when no subnet says so.
    pub ipv6: bool,
    /// Whether nothing leaves the network.
    pub internal: bool,
    /// Whether other networks of the host do not reach it.
    pub isolate: bool,
    /// Whether the host's forwarding may be switched on for it.
    pub forward: bool,
    /// The MTU; without one the uplink's.
    pub mtu: Option<Mtu>,
    /// The driver's options.
    pub options: Options,
    /// Labels: words for people and their scripts.
    pub labels: BTreeMap<String, String>,
    /// The name servers of its containers.
    pub dns: Vec<IpAddr>,
    /// The domains in which its containers look for names.
    pub dns_search: Vec<String>,
    /// Options of its containers' resolvers (resolv.conf(5)).
    pub dns_options: Vec<String>,
}

impl Wish {
    /// A network about which nothing is said but its name.
    #[must_use]
    pub fn new(name: NetworkName) -> Self {
        Self {
            name,
            driver: Driver::default(),
            subnets: Vec::new(),
            gateways: Vec::new(),
            ranges: Vec::new(),
            ipv4: true,
            ipv6: false,
            internal: false,
            isolate: false,
            forward: true,
            mtu: None,
            options: Options::default(),
            labels: BTreeMap::new(),
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_options: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_found_by_the_name_that_it_has() {
        for (name, driver) in Driver::ALL {
            assert_eq!((name.parse::<Driver>().unwrap(), driver.to_string().as_str()), (driver, name));
        }
        assert_eq!(Wish::new(NetworkName::new("web").unwrap()).driver, Driver::Bridge);
    }

    #[test]
    fn drivers_of_which_there_is_one_network_name_it() {
        let told = |text: &str| text.parse::<Driver>().unwrap_err().to_string();
        assert_eq!(
            told("host"),
            "there is one network with driver \"host\", and it exists already: network host"
        );
        assert_eq!(
            told("null"),
            "there is one network with driver \"null\", and it exists already: network none"
        );
        assert_eq!(told("overlay"), "unknown driver \"overlay\": expected bridge, macvlan or ipvlan");
    }
}
