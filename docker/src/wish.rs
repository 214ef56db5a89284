//! Docker's keys for the addresses of a bridge network, as they are written, and why they cannot work.

use std::fmt::Display;
use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::spelling::{V4, V6};

/// The keys as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// `bip`: the bridge's IPv4 address, with the length of the network's prefix.
    pub bip: Option<String>,
    /// `bip6`: the same of IPv6.
    pub bip6: Option<String>,
    /// `fixed-cidr`: the part of `bip`'s network that containers get; without `bip` the network itself.
    pub fixed_cidr: Option<String>,
    /// `fixed-cidr-v6`: the same of IPv6.
    pub fixed_cidr_v6: Option<String>,
    /// `default-gateway`: the containers' router, where it is another than the bridge.
    pub gateway: Option<IpAddr>,
    /// `default-gateway-v6`: the same of IPv6.
    pub gateway_v6: Option<IpAddr>,
}

impl Wish {
    /// The networks that are named, without host bits, each with its key.
    ///
    /// # Errors
    /// [`InvalidWish`] for a text that is no network of the key's family. Whether the keys fit together is not
    /// looked at; [`Shorthand::new`](crate::Shorthand::new) does that.
    pub fn networks(&self) -> Result<Vec<(&'static str, IpNetwork)>, InvalidWish> {
        let mut networks = Vec::new();
        for (words, bip, range) in
            [(&V4, &self.bip, &self.fixed_cidr), (&V6, &self.bip6, &self.fixed_cidr_v6)]
        {
            if let Some(bip) = bip {
                networks.push((words.bip, subnet::of(words.bridge(bip)?)));
            }
            if let Some(range) = range {
                networks.push((words.range, subnet::of(words.network(range)?)));
            }
        }
        Ok(networks)
    }

    /// The first key that gives the network IPv6 addresses.
    pub(crate) fn ipv6_key(&self) -> Option<&'static str> {
        let keys = [
            (V6.bip, self.bip6.is_some()),
            (V6.range, self.fixed_cidr_v6.is_some()),
            (V6.gateway, self.gateway_v6.is_some()),
        ];
        keys.into_iter().find(|(_, given)| *given).map(|(key, _)| key)
    }
}

/// A key whose value cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {value}: {reason}")]
pub struct InvalidWish {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// The other key that it does not fit, if that is what is wrong.
    pub beside: Option<&'static str>,
    /// What was expected.
    pub reason: Reason,
}

impl InvalidWish {
    pub(crate) fn new(key: &'static str, value: impl Display, reason: Reason) -> Self {
        Self { key, value: value.to_string(), beside: None, reason }
    }

    pub(crate) fn beside(self, other: &'static str) -> Self {
        Self { beside: Some(other), ..self }
    }
}

/// What was expected of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// `bip` has no prefix, or is no address.
    #[error("expected the bridge's IPv4 address and prefix length such as 192.168.1.5/24")]
    BridgeAddress,
    /// `bip6` has no prefix, or is no address.
    #[error("expected the bridge's IPv6 address and prefix length such as fd00:1::1/64")]
    BridgeAddressV6,
    /// `bip` is an IPv6 address.
    #[error("expected an IPv4 address; fixed-cidr-v6 makes the IPv6 network")]
    BridgeFamily,
    /// `bip6` is an IPv4 address.
    #[error("expected an IPv6 address; bip makes the IPv4 network")]
    BridgeFamilyV6,
    /// `fixed-cidr` beside `bip` is no network.
    #[error("expected a network such as 192.168.1.128/25")]
    Range,
    /// `fixed-cidr-v6` beside `bip6` is no network.
    #[error("expected a network such as fd00:1::8000/113")]
    RangeV6,
    /// It is a network, but no part of the bridge's.
    #[error("expected a part of {bip}'s network {network}")]
    PartOf {
        /// The key of the bridge's address.
        bip: &'static str,
        /// The bridge's network.
        network: IpNetwork,
    },
    /// `fixed-cidr` is no IPv4 network.
    #[error("expected a network such as 172.17.0.0/16")]
    Network,
    /// `fixed-cidr-v6` is no IPv6 network.
    #[error("expected a network such as fd00:1::/64")]
    NetworkV6,
    /// The network is too small.
    #[error("expected a prefix of at most {longest} bits, which leaves room for containers")]
    Room {
        /// The longest prefix.
        longest: u8,
    },
    /// The bridge's address is none that a host can have.
    #[error("expected the address of a host, not the network's own or its broadcast address")]
    HostAddress,
    /// The gateway is none that a host of the network can have.
    #[error("expected a host's address in {network}")]
    HostIn {
        /// The network.
        network: IpNetwork,
    },
    /// `default-gateway` stands alone.
    #[error("expected bip or fixed-cidr beside it")]
    NoNetwork,
    /// `default-gateway-v6` stands alone.
    #[error("expected fixed-cidr-v6 beside it")]
    NoNetworkV6,
}
