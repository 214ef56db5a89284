//! How the keys of one family of addresses are spelled, and what is said of each.

use ipnetwork::IpNetwork;

use crate::wish::{InvalidWish, Reason};

/// The keys of one family, and the reasons that name its examples.
#[derive(Debug)]
pub(crate) struct Spelling {
    /// The bridge's address.
    pub(crate) bip: &'static str,
    /// What containers get.
    pub(crate) range: &'static str,
    /// Their router.
    pub(crate) gateway: &'static str,
    /// Whether the family is IPv6.
    v6: bool,
    bad_bridge: Reason,
    other_family: Reason,
    bad_network: Reason,
    pub(crate) bad_range: Reason,
    pub(crate) no_network: Reason,
}

/// The keys for IPv4.
pub(crate) static V4: Spelling = Spelling {
    bip: "bip",
    range: "fixed-cidr",
    gateway: "default-gateway",
    v6: false,
    bad_bridge: Reason::BridgeAddress,
    other_family: Reason::BridgeFamily,
    bad_network: Reason::Network,
    bad_range: Reason::Range,
    no_network: Reason::NoNetwork,
};

/// The keys for IPv6.
pub(crate) static V6: Spelling = Spelling {
    bip: "bip6",
    range: "fixed-cidr-v6",
    gateway: "default-gateway-v6",
    v6: true,
    bad_bridge: Reason::BridgeAddressV6,
    other_family: Reason::BridgeFamilyV6,
    bad_network: Reason::NetworkV6,
    bad_range: Reason::RangeV6,
    no_network: Reason::NoNetworkV6,
};

impl Spelling {
    /// Reads the bridge's address.
    pub(crate) fn bridge(&self, text: &str) -> Result<IpNetwork, InvalidWish> {
        let bridge = subnet::parse(text).ok_or_else(|| InvalidWish::new(self.bip, text, self.bad_bridge))?;
        if bridge.is_ipv6() != self.v6 {
            return Err(InvalidWish::new(self.bip, text, self.other_family));
        }
        Ok(bridge)
    }

    /// Reads what containers get, where it is a network of its own.
    pub(crate) fn network(&self, text: &str) -> Result<IpNetwork, InvalidWish> {
        let network = subnet::parse(text).filter(|network| network.is_ipv6() == self.v6);
        network.ok_or_else(|| InvalidWish::new(self.range, text, self.bad_network))
    }
}
