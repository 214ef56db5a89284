//! What the keys say of one family of addresses.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde_json::{Value, json};
use subnet::step;

use crate::spelling::Spelling;
use crate::wish::{InvalidWish, Reason};

/// One family of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    bridge: IpNetwork,
    pool: (IpAddr, IpAddr),
    gateway: IpAddr,
}

impl Family {
    /// Finds out what the keys of one family say; none when they say nothing.
    pub(crate) fn read(
        words: &Spelling,
        bip: Option<&str>,
        range: Option<&str>,
        gateway: Option<IpAddr>,
    ) -> Result<Option<Self>, InvalidWish> {
        let family = match (bip, range) {
            (Some(bip), range) => Self::of_bridge(words, bip, range, gateway)?,
            (None, Some(network)) => Self::of_network(words, network, gateway)?,
            (None, None) => {
                let lonely =
                    gateway.map(|gateway| InvalidWish::new(words.gateway, gateway, words.no_network));
                return lonely.map_or(Ok(None), Err);
            }
        };
        Ok(Some(family))
    }

    /// A network that is given by the bridge's address; `range` narrows what containers get.
    fn of_bridge(
        words: &Spelling,
        bip: &str,
        range: Option<&str>,
        gateway: Option<IpAddr>,
    ) -> Result<Self, InvalidWish> {
        let bridge = words.bridge(bip)?;
        let mut family = Self::new(words.bip, bridge)?;
        if let Some(text) = range {
            let fixed =
                subnet::parse(text).ok_or_else(|| InvalidWish::new(words.range, text, words.bad_range))?;
            if !subnet::holds(bridge, fixed) {
                let reason = Reason::PartOf { bip: words.bip, network: subnet::of(bridge) };
                return Err(InvalidWish::new(words.range, text, reason).beside(words.bip));
            }
            let (from, to) = family.pool;
            family.pool = (fixed.network().max(from), fixed.broadcast().min(to));
        }
        family.with_gateway(words.gateway, gateway, words.bip)
    }

    /// A network that is given by its prefix: the bridge has its first address, or `gateway` has it.
    fn of_network(words: &Spelling, text: &str, gateway: Option<IpAddr>) -> Result<Self, InvalidWish> {
        let network = words.network(text)?;
        let first = step(network.network(), 1);
        let bridge = match gateway {
            Some(gateway) if gateway == first => step(first, 1),
            _ => first,
        };
        // The length fits the family: it is the network's own.
        let bridge = IpNetwork::new(bridge, network.prefix()).unwrap_or(network);
        Self::new(words.range, bridge)?.with_gateway(words.gateway, gateway, words.range)
    }

    fn new(key: &'static str, bridge: IpNetwork) -> Result<Self, InvalidWish> {
        let longest = subnet::Family::of_network(bridge).longest_prefix();
        if bridge.prefix() > longest {
            return Err(InvalidWish::new(key, bridge, Reason::Room { longest }));
        }
        let (first, last) = subnet::hosts(bridge);
        if !(first..=last).contains(&bridge.ip()) {
            return Err(InvalidWish::new(key, bridge, Reason::HostAddress));
        }
        Ok(Self { bridge, pool: (first, last), gateway: bridge.ip() })
    }

    /// `key` names the gateway, `network` what its network follows from.
    fn with_gateway(
        mut self,
        key: &'static str,
        gateway: Option<IpAddr>,
        network: &'static str,
    ) -> Result<Self, InvalidWish> {
        let Some(gateway) = gateway else { return Ok(self) };
        let (first, last) = subnet::hosts(self.bridge);
        if !(first..=last).contains(&gateway) {
            let reason = Reason::HostIn { network: self.subnet() };
            return Err(InvalidWish::new(key, gateway, reason).beside(network));
        }
        self.gateway = gateway;
        Ok(self)
    }

    /// The network, without host bits.
    #[must_use]
    pub fn subnet(&self) -> IpNetwork {
        subnet::of(self.bridge)
    }

    /// The bridge's address, with the length of the network's prefix.
    #[must_use]
    pub const fn bridge(&self) -> IpNetwork {
        self.bridge
    }

    /// First and last address that containers get; the bridge and the gateway keep theirs where they are
    /// between the two.
    #[must_use]
    pub const fn pool(&self) -> (IpAddr, IpAddr) {
        self.pool
    }

    /// The containers' router.
    #[must_use]
    pub const fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// Whether the pool has an address that neither the bridge nor the gateway has.
    pub(crate) fn has_room(&self) -> bool {
        let (first, last) = self.pool;
        let taken = |address| address == self.bridge.ip() || address == self.gateway;
        // Two are taken at most, so that one of the first three is free, if there are as many.
        let ahead = (0..3).map(|by| step(first, by));
        // `first` is behind `last` where nobody can have the only address that was asked for.
        first <= last
            && ahead.take_while(|address| (first..=last).contains(address)).any(|address| !taken(address))
    }

    /// The pool as a set of ranges. host-local leaves out a range's gateway by itself; the bridge's own
    /// address, where it is not the gateway, splits the range in two.
    pub(crate) fn range_set(&self) -> Value {
        let (first, last) = self.pool;
        let own = self.bridge.ip();
        let mut pieces = vec![(first, last)];
        if own != self.gateway && (first..=last).contains(&own) {
            pieces.clear();
            if first < own {
                pieces.push((first, step(own, -1)));
            }
            if own < last {
                pieces.push((step(own, 1), last));
            }
        }
        let subnet = self.subnet().to_string();
        let range = |(from, to)| json!({"subnet": subnet, "rangeStart": from, "rangeEnd": to, "gateway": self.gateway});
        pieces.into_iter().map(range).collect()
    }
}
